# A vocabulary, learned from texts.

#' Text tokenizer
#'
#' A tokenizer learns a vocabulary from texts: its words by frequency, 1 for the most frequent one; words that are
#' equally frequent come in the order of their first appearance. 0 is no word's number, it is for padding.
#'
#' A tokenizer is changed in place by `fit_text_tokenizer()`, which may be called again with more texts. Its fields can
#' be read: `tokenizer$word_index` (a named list, a number for each word), `$index_word`, `$word_counts` (how often each
#' word appeared), `$word_docs` and `$index_docs` (in how many texts), `$document_count` and the arguments.
#'
#' @inheritParams text_to_word_sequence
#' @param num_words only the words 1 .. `num_words - 1` are used, though all are counted; `NULL` for all.
#' @param char_level `TRUE` to take each character for a word; `filters` are not used then.
#' @param oov_token a word that stands for all words that are not known or not used, and gets the number 1. `NULL` to
#'   leave such words out.
#' @return `text_tokenizer()`: a tokenizer.
#' @seealso [pad_sequences()] makes sequences equally long.
#' @examples
#' tokenizer <- text_tokenizer(num_words = 10)
#' texts <- c("The film was good.", "The plot: not good!")
#' fit_text_tokenizer(tokenizer, texts)
#' str(tokenizer$word_index)
#' texts_to_sequences(tokenizer, c("good film", "unknown plot"))
#' texts_to_matrix(tokenizer, texts, mode = "tfidf")
#' @export
text_tokenizer <- function(num_words = NULL, filters = text_filters, lower = TRUE, split = " ", char_level = FALSE,
  oov_token = NULL) {
  if (!is.null(num_words)) num_words <- check_count(num_words)
  check_splitting(filters, lower, split)
  check_flag(char_level)
  if (!is.null(oov_token)) check_string(oov_token)
  tokenizer_object(list(
    num_words = num_words, filters = filters, lower = lower, split = split, char_level = char_level,
    oov_token = oov_token, document_count = 0L, word_counts = list(), word_docs = list()
  ))
}

tokenizer_fields <- c("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count",
  "word_counts", "word_docs", "word_index", "index_word", "index_docs")

#' From the arguments and counts; the vocabulary follows from them, unless a file has its own.
#' @noRd
tokenizer_object <- function(fields, index = NULL) {
  tokenizer <- new.env(parent = emptyenv())
  for (field in tokenizer_fields) assign(field, fields[[field]], tokenizer)
  class(tokenizer) <- "nn_text_tokenizer"
  tokenizer_index(tokenizer, index)
}

tokenizer_index <- function(tokenizer, index = NULL) {
  counts <- tokenizer[["word_counts"]]
  # order() keeps ties as they are, in the order of first appearance
  words <- c(tokenizer[["oov_token"]], names(counts)[order(-as.numeric(counts))])
  # the token itself may be among the words; as in Keras, its later number counts then
  number <- which(!duplicated(words, fromLast = TRUE))
  words <- words[number]
  if (!is.null(index)) {
    words <- names(index)
    number <- as.integer(index)
  }
  tokenizer$word_index <- stats::setNames(as.list(number), words)
  tokenizer$index_word <- stats::setNames(as.list(words), number)
  docs <- tokenizer[["word_docs"]]
  docs <- docs[names(docs) %in% words]
  tokenizer$index_docs <- stats::setNames(docs, number[match(names(docs), words)])
  tokenizer
}

#' @export
`$.nn_text_tokenizer` <- function(x, name) {
  if (!name %in% tokenizer_fields) unknown_member(name, tokenizer_fields, "a tokenizer")
  x[[name]]
}

#' @export
print.nn_text_tokenizer <- function(x, ...) {
  words <- length(x$word_index)
  cat(sprintf("<text tokenizer: %d %s from %d texts%s>\n", words, if (x$char_level) "characters" else "words",
    x$document_count, if (is.null(x$num_words)) "" else sprintf(", %d used", max(0, min(words, x$num_words - 1)))))
  invisible(x)
}

#' @param object,tokenizer a tokenizer.
#' @param x,texts a character vector, a factor, or a list; elements of a list are texts, or vectors of words that are
#'   cut already.
#' @return `fit_text_tokenizer()`: the tokenizer, invisibly.
#' @rdname text_tokenizer
#' @export
fit_text_tokenizer <- function(object, x) {
  check_tokenizer(object, "object")
  words <- tokenize(object, x, "x")
  all <- unlist(words)
  if (length(all)) {
    once <- unlist(lapply(words, unique))
    object$word_counts <- add_counts(object$word_counts, all)
    object$word_docs <- add_counts(object$word_docs, once)
  }
  object$document_count <- object$document_count + length(words)
  invisible(tokenizer_index(object))
}

#' Counts by word, in the order of first appearance.
#' @noRd
add_counts <- function(counts, words) {
  names <- unique(c(names(counts), words))
  old <- c(unlist(counts), integer(length(names) - length(counts)))
  stats::setNames(as.list(old + tabulate(match(words, names), length(names))), names)
}

#' @return `texts_to_sequences()`: a list of integer vectors, the numbers of each text's words.
#' @rdname text_tokenizer
#' @export
texts_to_sequences <- function(tokenizer, texts) {
  check_tokenizer(tokenizer)
  words <- tokenize(tokenizer, texts, "texts")
  index <- as.integer(unlist(tokenizer$word_index))
  number <- index[match(unlist(words), names(tokenizer$word_index))]
  if (!is.null(tokenizer$num_words)) number[number >= tokenizer$num_words] <- NA
  if (!is.null(tokenizer$oov_token)) number[is.na(number)] <- tokenizer$word_index[[tokenizer$oov_token]]
  text <- rep.int(seq_along(words), lengths(words))
  known <- !is.na(number)
  unname(split(number[known], factor(text[known], seq_along(words))))
}

#' @return `texts_to_sequences_generator()`: a function that gives the numbers of one text after the other, and `NULL`
#'   at the end.
#' @rdname text_tokenizer
#' @export
texts_to_sequences_generator <- function(tokenizer, texts) {
  sequences <- texts_to_sequences(tokenizer, texts)
  at <- 0
  function() {
    at <<- at + 1
    if (at <= length(sequences)) sequences[[at]]
  }
}

#' @param mode what the matrix tells of each word in a text: `"binary"`, whether it is there; `"count"`, how often;
#'   `"freq"`, how often divided by the length of the text; `"tfidf"`,
#'   `(1 + log(count)) * log(1 + texts / (1 + texts with the word))`, where the last two are those the tokenizer was
#'   fitted on.
#' @return `texts_to_matrix()`: a matrix of a row for each text. The column `i + 1` is that of word `i`, so the first
#'   one is 0. There are `num_words` columns.
#' @rdname text_tokenizer
#' @export
texts_to_matrix <- function(tokenizer, texts, mode = c("binary", "count", "tfidf", "freq")) {
  check_tokenizer(tokenizer)
  count_matrix(tokenizer, texts_to_sequences(tokenizer, texts), mode, NULL, "float64", calling_function(environment()))
}

#' @param filename where to save, in the format of Keras' `Tokenizer.to_json()`.
#' @return `save_text_tokenizer()`: the tokenizer, invisibly. `load_text_tokenizer()`: a tokenizer.
#' @section Errors: `nativenet_error_file` for files that cannot be written, and for those that hold something else.
#'   Such files hold no code: reading one from anywhere is safe. Version 0.1.0 wrote files in R's own format unless
#'   their names ended in `.json`. These are not read, since they can run code.
#' @rdname text_tokenizer
#' @export
save_text_tokenizer <- function(object, filename) {
  check_tokenizer(object, "object")
  replace_text(check_string(filename), tokenizer_json(object))
  invisible(object)
}

#' @rdname text_tokenizer
#' @export
load_text_tokenizer <- function(filename) {
  check_file(filename, arg = "filename")
  refuse <- refuse_file(filename, "tokenizer", "load_text_tokenizer", arg = "filename")
  if (is_serialized(filename)) {
    refuse(
      "it is a file of R objects, as version 0.1.0 wrote them, which can run code. Load it with that version, if you ",
      "trust it, and save it under a name that ends in \".json\"")
  }
  json <- read_json_file(filename, function(...) refuse("it is no JSON", ...))
  config <- if (is.list(json) && identical(json[["class_name"]], "Tokenizer")) json[["config"]]
  if (!is.list(config)) refuse("it holds something else")
  fields <- tryCatch(tokenizer_settings(config), nativenet_error = function(e) refuse(conditionMessage(e)))
  for (field in tokenizer_counts) fields[[field]] <- read_counts(config, field, refuse)
  index <- if (!is.null(config$word_index)) read_counts(config, "word_index", refuse)
  if (!all(names(fields$word_docs) %in% names(fields$word_counts)))
    refuse("`word_docs` has words that `word_counts` has not")
  if (anyDuplicated(unlist(index))) refuse("`word_index` gives two words the same number")
  if (!is.null(index) && !all(fields$oov_token %in% names(index))) refuse("`word_index` lacks the `oov_token`")
  tokenizer_object(fields, index)
}

#' The arguments of text_tokenizer(), and how many texts it was fitted on.
#' @noRd
tokenizer_settings <- function(config) {
  given <- intersect(c("num_words", "filters", "lower", "split", "char_level", "oov_token"), names(config))
  tokenizer <- do.call(text_tokenizer, config[given])
  settings <- mget(tokenizer_fields, envir = tokenizer)
  settings$document_count <- check_count(config$document_count, min = 0, arg = "document_count", fun = NULL)
  settings
}

# Keras has the dictionaries as JSON within the JSON.
tokenizer_counts <- c("word_counts", "word_docs")

read_counts <- function(config, field, refuse) {
  text <- config[[field]]
  if (!is.character(text) || length(text) != 1) refuse("it has no `", field, "`")
  wrong <- function() refuse("`", field, "` must give each word a positive whole number")
  counts <- read_json_numbers(text, function(...) refuse("`", field, "` is no JSON", ...), wrong, counts = TRUE)
  if (length(counts)) lapply(counts, as.integer) else list()
}

tokenizer_json <- function(tokenizer) {
  config <- lapply(mget(tokenizer_fields, envir = tokenizer), function(x) {
    if (!is.list(x)) return(x)
    values <- unlist(x)
    json_object(names(x), if (is.character(values)) json_string(values) else sprintf("%d", as.integer(values)))
  })
  to_json(list(class_name = "Tokenizer", config = config))
}

# ---- checks ----

check_tokenizer <- function(x, arg = "tokenizer", fun = calling_function()) {
  if (!inherits(x, "nn_text_tokenizer")) abort("`", arg, "` must be made by text_tokenizer(), not ", describe(x),
    fun = fun)
}

#' A list with the words of each text, as the tokenizer sees them.
#' @noRd
tokenize <- function(tokenizer, texts, arg, fun = calling_function()) {
  if (is.factor(texts)) texts <- as.character(texts)
  valid <- is.character(texts) || is.list(texts) && !is.object(texts)
  if (!valid) abort("`", arg, "` must be a character vector or a list of texts, not ", describe(texts), fun = fun)
  texts <- lapply(texts, function(text) if (is.factor(text)) as.character(text) else if (is.list(text))
    unlist(text) else text)
  bad <- which(!vapply(texts, function(text) is.null(text) || is.character(text), NA))
  if (length(bad)) abort("`", arg, "` must be texts; number ", bad[1], " is ", describe(texts[[bad[1]]]), fun = fun)
  bad <- which(vapply(texts, anyNA, NA))
  if (length(bad)) abort("`", arg, "` must not have missing texts; number ", bad[1], " is NA", fun = fun)

  whole <- lengths(texts) == 1 # else words
  strings <- check_utf8(as.character(unlist(texts[whole])), arg, fun)
  if (tokenizer$char_level) {
    texts[whole] <- strsplit(if (tokenizer$lower) tolower(strings) else strings, "")
  } else {
    texts[whole] <- split_words(strings, list(filters = tokenizer$filters, lower = tokenizer$lower,
      split = tokenizer$split))
  }
  texts[!whole] <- lapply(texts[!whole], function(words) if (tokenizer$lower) tolower(words) else as.character(words))
  unname(texts)
}
