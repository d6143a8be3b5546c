# The film reviews of the Internet Movie Database, as word numbers.

imdb_files <- list(
  sums = c(
    "imdb.npz" = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json" = "bfafd718b763782e994055a2d397834f"
  ),
  substitute = "dataset_reviews()"
)

#' IMDB movie review sentiment classification
#'
#' 25,000 training and 25,000 test reviews of movies, labelled by sentiment (positive or negative, half of each). Each
#' word is encoded as a whole number, its rank by frequency; small numbers are frequent words.
#'
#' The steps are those of Keras, so the same file and `seed` give the same data:
#'
#' 1. The training and then the test reviews are put into the order of NumPy's generator (MT19937) with `seed`. R's own
#'    generator is not used.
#' 2. `index_from` is added to each word, and `start_char` put before each review.
#' 3. Reviews of `maxlen` numbers or more, counted with the start, are dropped. None is ever cut; see [pad_sequences()].
#' 4. Words from `num_words` on and below `skip_top` become `oov_char`, or are left out if that is `NULL`.
#'
#' A word of rank 10 in `dataset_imdb_word_index()` is thus number `10 + index_from` in the reviews. 0 does not occur;
#' it is for padding.
#'
#' @section Files:
#' `imdb.npz` and `imdb_word_index.json` are looked for as those of [dataset_mnist()] are: in the folder `imdb` below
#' the folder named by the environment variable `NATIVENET_DATA`, in the cache, then on the internet (17 MB and 2 MB).
#' Downloads are compared with the published sums. A file below `NATIVENET_DATA` or named by `path` is taken as it is,
#' so that other collections in the same layout can be used; the numbers in it then mean other words than those in
#' print.
#'
#' @param path name of a file in the layout of `imdb.npz` (arrays `x_train`, `y_train`, `x_test`, `y_test`), or of the
#'   word index. Where there is no such file, the default name stands for the published one.
#' @param num_words,skip_top which numbers to keep: `skip_top` .. `num_words - 1`. `NULL` for no limit; as in Keras, the
#'   largest number of all becomes `oov_char` even then.
#' @param maxlen reviews must be shorter than this. `NULL` for no limit.
#' @param seed a whole number for the order of the reviews.
#' @param start_char the number at the start of each review, or `NULL` for none.
#' @param oov_char the number in place of words that are not kept ("out of vocabulary"), or `NULL`.
#' @param index_from what is added to each rank.
#' @param convert must be `TRUE`; present for compatibility with keras3.
#' @param download `FALSE` to never use the network.
#' @return `dataset_imdb()`: `list(train = list(x, y), test = list(x, y))`. `x` is a list of integer vectors, `y` an
#'   integer vector of 0 (negative) and 1 (positive).
#'
#'   `dataset_imdb_word_index()`: a named list of each word's rank.
#' @references
#' Maas, A. L., Daly, R. E., Pham, P. T., Huang, D., Ng, A. Y. and Potts, C. (2011). Learning word vectors for sentiment
#' analysis. *ACL*, 142-150.
#' @seealso [dataset_reviews()] needs neither files nor network; [pad_sequences()], [layer_embedding()], [layer_lstm()];
#'   `vignette("lab-sentiment")`.
#' @examplesIf nzchar(Sys.getenv("NATIVENET_DATA"))
#' imdb <- dataset_imdb(num_words = 10000, maxlen = 250, download = FALSE)
#' c(c(x_train, y_train), c(x_test, y_test)) %<-% imdb
#' x_train[[1]]
#' word_index <- dataset_imdb_word_index(download = FALSE)
#' decode <- setNames(names(word_index), unlist(word_index) + 3)
#' paste(decode[as.character(x_train[[1]])], collapse = " ")
#' @export
dataset_imdb <- function(path = "imdb.npz", num_words = NULL, skip_top = 0L, maxlen = NULL, seed = 113L,
  start_char = 1L, oov_char = 2L, index_from = 3L, convert = TRUE, download = TRUE) {
  check_converts(convert)
  options <- encoding_options(num_words, skip_top, maxlen, start_char, oov_char, index_from)
  seed <- check_number(seed, min = 0, max = 2^32 - 1)
  data <- published_file("imdb", path, "imdb.npz", download, function(path) {
    arrays <- npz_arrays(path, c("x_train", "y_train", "x_test", "y_test"), "dataset_imdb", c("x_train", "x_test"))
    check_reviews(arrays$x_train, arrays$y_train, path, c(0, 1))
    check_reviews(arrays$x_test, arrays$y_test, path, c(0, 1))
    arrays
  })
  order <- shuffled_order(seed, lengths(list(data$x_train, data$x_test)))
  encode_reviews(list(
    train = list(x = data$x_train[order[[1]]], y = as.integer(data$y_train[order[[1]]])),
    test = list(x = data$x_test[order[[2]]], y = as.integer(data$y_test[order[[2]]]))
  ), options)
}

#' @rdname dataset_imdb
#' @export
dataset_imdb_word_index <- function(path = "imdb_word_index.json", download = TRUE) {
  published_file("imdb", path, "imdb_word_index.json", download, read_word_index("dataset_imdb_word_index"))
}

#' Collections of these sizes in the order of NumPy's generator, one after the other.
#' @noRd
shuffled_order <- function(seed, sizes) lapply(.Call(C_numpy_shuffle, seed, sizes), function(order) order + 1L)

#' A function that reads ranks by word.
#' @noRd
read_word_index <- function(fun) function(path) {
  refuse <- refuse_file(path, "word index", fun)
  wrong <- function() refuse("it is no object of numbers")
  read_json_numbers(file_content(path, refuse), function(...) refuse("it is not JSON", ...), wrong)
}

#' @param classes what the labels may be, or NULL for any classes from 0.
#' @noRd
check_reviews <- function(x, y, path, classes = NULL, name = "imdb", fun = paste0("dataset_", name)) {
  refuse <- refuse_file(path, name, fun)
  if (!is.list(x) || !all(vapply(x, is.integer, NA))) refuse("its texts are no lists of whole numbers")
  known <- is.numeric(y) && length(y) == length(x) && if (is.null(classes)) all(y >= 0 & y == round(y)) else
    all(y %in% classes)
  if (!known) refuse("its labels are not ", if (is.null(classes)) "whole numbers from 0" else
    paste(classes, collapse = " or "), " for each text")
}

# ---- the encoding, of other data sets too ----

encoding_options <- function(num_words, skip_top, maxlen, start_char, oov_char, index_from, fun = calling_function()) {
  optional <- function(x, min, arg) if (!is.null(x)) check_count(x, min, arg = arg, fun = fun)
  list(
    num_words = optional(num_words, 1, "num_words"), skip_top = check_count(skip_top, 0, arg = "skip_top", fun = fun),
    maxlen = optional(maxlen, 1, "maxlen"), start_char = optional(start_char, 0, "start_char"),
    oov_char = optional(oov_char, 0, "oov_char"),
    index_from = check_count(if (is.null(index_from)) 0 else index_from, 0, arg = "index_from", fun = fun), fun = fun
  )
}

#' Parts of a collection, each list(x = list of ranks, y = labels). The steps 2 to 4 of ?dataset_imdb.
#' @noRd
encode_reviews <- function(parts, options) {
  parts <- lapply(parts, function(part) {
    part$x <- lapply(part$x, function(ranks) c(options$start_char, ranks + options$index_from))
    keep_short(part, options)
  })
  limit <- options$num_words
  if (is.null(limit)) limit <- max(0L, unlist(lapply(parts, function(part) unlist(part$x))))
  oov <- options$oov_char
  lapply(parts, function(part) {
    part$x <- lapply(part$x, function(ids) {
      out <- ids < options$skip_top | ids >= limit
      if (is.null(oov)) return(ids[!out])
      ids[out] <- oov
      ids
    })
    part
  })
}

keep_short <- function(part, options) {
  if (is.null(options$maxlen) || !length(part$x)) return(part)
  short <- lengths(part$x) < options$maxlen
  if (!any(short)) {
    abort("no review is shorter than `maxlen`, ", options$maxlen, "; the shortest has ", min(lengths(part$x)),
      " numbers", fun = options$fun)
  }
  list(x = part$x[short], y = part$y[short])
}
