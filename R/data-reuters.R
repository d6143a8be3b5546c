# Reuters newswires, as word numbers.

reuters_files <- list(
  sums = c(
    "reuters.npz" = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    "reuters_word_index.json" = "4d44cc38712099c9e383dc6e5f11a921"
  ),
  substitute = "dataset_reviews()"
)

#' Reuters newswire topics classification
#'
#' 11,228 newswires of 1987, labelled by 46 topics. Each word is encoded as a whole number, its rank by frequency.
#'
#' The steps are those of Keras, so the same file and `seed` give the same data. They are those of [dataset_imdb()], but
#' there is one collection, which is put in order and encoded first; the last `test_split` of it are the test set.
#'
#' @section Files:
#' `reuters.npz` and `reuters_word_index.json` are looked for as those of [dataset_imdb()] are, in folders of the name
#' `reuters` (2 MB and 0.5 MB).
#'
#' @inheritParams dataset_imdb
#' @param path name of a file in the layout of `reuters.npz` (arrays `x` and `y`), or of the word index. Where there is
#'   no such file, the default name stands for the published one.
#' @param maxlen newswires must be shorter than this. `NULL` for no limit.
#' @param test_split the fraction of newswires for the test set, from 0 to below 1.
#' @param seed a whole number for the order of the newswires.
#' @param start_char the number at the start of each newswire, or `NULL` for none.
#' @return `dataset_reuters()`: `list(train = list(x, y), test = list(x, y))`. `x` is a list of integer vectors, `y` an
#'   integer vector of topics, counted from **0**.
#'
#'   `dataset_reuters_word_index()`: a named list of each word's rank.
#' @seealso [dataset_imdb()]; [dataset_reviews()] needs neither files nor network.
#' @examplesIf nzchar(Sys.getenv("NATIVENET_DATA"))
#' reuters <- try(dataset_reuters(num_words = 10000, download = FALSE))
#' @export
dataset_reuters <- function(path = "reuters.npz", num_words = NULL, skip_top = 0L, maxlen = NULL, test_split = 0.2,
  seed = 113L, start_char = 1L, oov_char = 2L, index_from = 3L, convert = TRUE, download = TRUE) {
  check_converts(convert)
  options <- encoding_options(num_words, skip_top, maxlen, start_char, oov_char, index_from)
  test_split <- check_number(test_split, min = 0, below = 1)
  seed <- check_number(seed, min = 0, max = 2^32 - 1)
  data <- published_file("reuters", path, "reuters.npz", download, function(path) {
    arrays <- npz_arrays(path, c("x", "y"), "dataset_reuters", "x")
    check_reviews(arrays$x, arrays$y, path, name = "reuters")
    arrays
  })
  order <- shuffled_order(seed, length(data$x))[[1]]
  all <- encode_reviews(list(list(x = data$x[order], y = as.integer(data$y[order]))), options)[[1]]
  train_and_test(length(all$x), test_split, function(rows) lapply(all, `[`, rows))
}

#' @rdname dataset_reuters
#' @export
dataset_reuters_word_index <- function(path = "reuters_word_index.json", download = TRUE) {
  published_file("reuters", path, "reuters_word_index.json", download, read_word_index("dataset_reuters_word_index"))
}
