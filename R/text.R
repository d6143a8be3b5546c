# Texts as words, and words as numbers without a vocabulary.

# Punctuation but the apostrophe, and the white space within lines, as in Keras.
text_filters <- "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n"

#' Split a text into words
#'
#' Every character in `filters` becomes `split`, and the text is cut there.
#'
#' @param text a string.
#' @param filters characters that are no part of words; by default all ASCII punctuation but the apostrophe, tabs and
#'   new lines.
#' @param lower `TRUE` to turn the text into lower case.
#' @param split what stands between words.
#' @return The words, a character vector; `NA` for a missing text.
#' @seealso [text_tokenizer()] for many texts.
#' @examples
#' text_to_word_sequence("It's good: very, VERY good!")
#' @export
text_to_word_sequence <- function(text, filters = text_filters, lower = TRUE, split = " ") {
  text <- check_text(text, "text")
  if (is.na(text)) return(NA_character_)
  split_words(text, check_splitting(filters, lower, split))[[1]]
}

#' Hashing trick: words as indices of a fixed size
#'
#' A word's number is `hash(word) %% (n - 1) + 1`. No vocabulary is needed, but different words may get the same number.
#' `text_one_hot()` is the same with the hash of the package.
#'
#' @inheritParams text_to_word_sequence
#' @param text,input_text a string.
#' @param n the numbers are 1 .. `n` - 1; at least 2.
#' @param hash_function `NULL` for a hash of the package's own (of the UTF-8 bytes b of a word, the polynomial sum of
#'   `b * 31^k` modulo 2^31 - 1), `"md5"` for the numbers of Keras' `"md5"`, or a function of a string that returns a
#'   whole number. The default of Keras itself differs between sessions of Python.
#' @return An integer vector, a number for each word; `NA` for a missing text.
#' @references
#' Weinberger, K., Dasgupta, A., Langford, J., Smola, A. and Attenberg, J. (2009). Feature hashing for large scale
#' multitask learning. *ICML*, 1113-1120.
#' @examples
#' text_hashing_trick("the film is the best", n = 100)
#' text_hashing_trick("the film is the best", n = 100, hash_function = "md5")
#' @export
text_hashing_trick <- function(text, n, hash_function = NULL, filters = text_filters, lower = TRUE, split = " ") {
  hash_words(text, n, hash_function, check_splitting(filters, lower, split), "text")
}

#' @rdname text_hashing_trick
#' @export
text_one_hot <- function(input_text, n, filters = text_filters, lower = TRUE, split = " ", text = NULL) {
  if (!is.null(text)) input_text <- text
  hash_words(input_text, n, NULL, check_splitting(filters, lower, split), "input_text")
}

hash_words <- function(text, n, hash_function, splitting, arg, fun = calling_function()) {
  text <- check_text(text, arg, fun)
  n <- check_count(n, 2, arg = "n", fun = fun)
  if (is.na(text)) return(NA_integer_)
  words <- split_words(text, splitting)[[1]]
  # each word once
  different <- unique(words)
  number <- if (is.null(hash_function)) vapply(different, hash_polynomial, 0) %% (n - 1)
    else if (identical(hash_function, "md5")) hash_md5(different, n - 1)
    else check_whole(lapply(different, check_function(hash_function, "hash_function", fun, takes = 1)), -2^53, 2^53,
      "hash_function()", fun) %% (n - 1)
  as.integer(number[match(words, different)] + 1)
}

hash_polynomial <- function(word) {
  hash <- 0
  for (byte in as.integer(charToRaw(word))) hash <- (hash * 31 + byte) %% .Machine$integer.max
  hash
}

#' The md5 sums of words modulo `by`.
#' @noRd
hash_md5 <- function(words, by) {
  vapply(strsplit(cli::hash_md5(words), ""), function(d) Reduce(function(hash, digit) (hash * 16 + digit) %% by,
    strtoi(d, 16L), 0), 0)
}

# ---- cutting ----

check_splitting <- function(filters, lower, split, fun = calling_function()) {
  check_string(filters, "filters", fun)
  check_flag(lower, "lower", fun)
  if (!nzchar(check_string(split, "split", fun))) abort("`split` must be a string of at least one character, not \"\"",
    fun = fun)
  list(filters = filters, lower = lower, split = split)
}

#' One string, perhaps missing, in UTF-8.
#' @noRd
check_text <- function(x, arg, fun = calling_function()) {
  if (length(x) == 1 && is.atomic(x) && is.na(x)) return(NA_character_)
  if (is.factor(x)) x <- as.character(x)
  check_utf8(check_string(x, arg, fun), arg, fun)
}

#' A list with the words of each text.
#' @noRd
split_words <- function(texts, splitting) {
  if (splitting$lower) texts <- tolower(texts)
  if (nzchar(splitting$filters)) {
    # a class of characters, with a backslash before what means something within it
    class <- paste0("[", gsub("([[:punct:]])", "\\\\\\1", splitting$filters), "]")
    texts <- gsub(class, gsub("\\", "\\\\", splitting$split, fixed = TRUE), texts, perl = TRUE)
  }
  words <- strsplit(texts, splitting$split, fixed = TRUE)
  empty <- !nzchar(unlist(words))
  if (any(empty)) words <- lapply(words, function(w) w[nzchar(w)])
  words
}
