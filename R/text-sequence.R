# Sequences of numbers, such as the words of texts, as matrices.

#' Pad sequences to the same length
#'
#' Short sequences are padded with `value`, long ones are truncated, by default both at the front.
#'
#' @param sequences a list of numeric vectors (or of lists of numbers).
#' @param maxlen the length of all; `NULL` for that of the longest.
#' @param dtype the dtype: `"int32"` gives integers, where fractions are cut off, `"float32"` and `"float64"`
#'   give doubles.
#' @param padding,truncating where to pad and where to truncate: `"pre"` (at the front) or `"post"` (at the end).
#' @param value the number to pad with.
#' @return A matrix of a row for each sequence and `maxlen` columns.
#' @examples
#' pad_sequences(list(1:3, 4:5, integer(), 1:6), maxlen = 4)
#' pad_sequences(list(1:3, 4:5), padding = "post", value = 9)
#' @export
pad_sequences <- function(sequences, maxlen = NULL, dtype = "int32", padding = "pre", truncating = "pre", value = 0) {
  sequences <- check_sequences(sequences, "sequences")
  size <- lengths(sequences)
  maxlen <- if (is.null(maxlen)) max(0L, size) else check_count(maxlen)
  check_choice(padding, c("pre", "post"))
  check_choice(truncating, c("pre", "post"))
  type <- storage_type(dtype)
  value <- if (type == "integer") check_count(value, min = -.Machine$integer.max) else check_number(value)

  kept <- pmin(size, maxlen)
  values <- unlist(sequences)
  if (any(size > maxlen)) {
    first <- cumsum(size) - size + if (truncating == "pre") size - kept else 0L
    values <- values[sequence(kept, first + 1L)]
  }
  n <- length(sequences)
  check_room(c(n, maxlen), "maxlen", if (type == "integer") 4 else 8)
  result <- matrix(value, n, maxlen)
  column <- sequence(kept, if (padding == "pre") maxlen - kept + 1L else 1L)
  # places in a matrix may be beyond the largest integer
  if (length(values)) result[rep.int(seq_len(n), kept) + (column - 1) * n] <- as.vector(values, type)
  result
}

#' Bag-of-words matrices
#'
#' A row for each sequence of word indices, a column for each word. The order of the words is lost.
#'
#' The matrix is filled some rows at a time, so little more memory is needed than the result has: 17,000 reviews with
#' 10,000 words are 1.4 GB, half of it with `dtype = "int32"`.
#'
#' @inheritParams text_tokenizer
#' @param tokenizer a tokenizer. With `num_words` it need not be fitted, except for `"tfidf"`. Instead, the sequences
#'   may come first.
#' @param sequences a list of vectors of word numbers, whole and not negative.
#' @param num_words how many columns, for words 0 .. `num_words - 1`; larger numbers are left out. `NULL` for those of
#'   the tokenizer.
#' @param dtype as for [pad_sequences()]; `"int32"` is for the modes `"binary"` and `"count"`.
#' @return A matrix of a row for each sequence and `num_words` columns; the column `i + 1` is that of word `i`.
#' @seealso [texts_to_matrix()].
#' @examples
#' sequences_to_matrix(list(c(1, 2, 2), 4), num_words = 5, mode = "count")
#' @export
sequences_to_matrix <- function(tokenizer, sequences, mode = c("binary", "count", "tfidf", "freq"), num_words = NULL,
  dtype = "float64") {
  if (missing(sequences)) {
    sequences <- tokenizer
    tokenizer <- NULL
  } else {
    check_tokenizer(tokenizer)
  }
  count_matrix(tokenizer, sequences, mode, num_words, dtype, calling_function(environment()))
}

#' @param tokenizer NULL for none.
#' @noRd
count_matrix <- function(tokenizer, sequences, mode, num_words, dtype, fun) {
  mode <- check_choice(mode, c("binary", "count", "tfidf", "freq"), "mode", fun)
  sequences <- check_sequences(sequences, "sequences", fun)
  columns <- matrix_columns(tokenizer, num_words, fun)
  type <- storage_type(dtype, fun)
  if (type == "integer" && mode %in% c("tfidf", "freq")) {
    abort("`dtype` must be \"float64\" for the mode \"", mode, "\", not \"", dtype, "\"", fun = fun)
  }
  weight <- if (mode == "tfidf") inverse_frequency(tokenizer, columns, fun)
  size <- lengths(sequences)
  n <- length(sequences)
  check_room(c(n, columns), "num_words", if (type == "integer") 4 else 8)
  result <- matrix(vector(type, 1), n, columns)
  # rows in groups of about a million words
  for (rows in split(seq_len(n), cumsum(as.numeric(size)) %/% 2^20)) {
    word <- unlist(sequences[rows])
    if (any(word < 0 | word != round(word))) abort("`sequences` must hold word numbers, whole and not negative",
      fun = fun)
    # the place of each word in the matrix, beyond the largest integer perhaps
    place <- rep.int(rows, size[rows]) + word * as.numeric(n)
    place <- sort.int(place[word < columns], method = "radix")
    if (!length(place)) next
    start <- which(c(TRUE, diff(place) != 0))
    count <- diff(c(start, length(place) + 1L))
    place <- place[start]
    result[place] <- switch(mode,
      binary = as.vector(1, type),
      count = as.vector(count, type),
      freq = count / size[(place - 1) %% n + 1],
      tfidf = (1 + log(count)) * weight[(place - 1) %/% n + 1]
    )
  }
  result
}

matrix_columns <- function(tokenizer, num_words, fun) {
  if (!is.null(num_words)) return(check_count(num_words, arg = "num_words", fun = fun))
  if (!is.null(tokenizer$num_words)) return(tokenizer$num_words)
  if (!length(tokenizer$word_index)) abort("give `num_words`, or a tokenizer that has it or was fitted", fun = fun)
  max(unlist(tokenizer$word_index)) + 1L
}

#' For words 0 .. n - 1: log(1 + texts / (1 + texts with the word)).
#' @noRd
inverse_frequency <- function(tokenizer, n, fun) {
  if (is.null(tokenizer) || tokenizer$document_count == 0) abort("the mode \"tfidf\" needs a tokenizer that was fitted",
    fun = fun)
  docs <- numeric(n)
  number <- as.numeric(names(tokenizer$index_docs))
  docs[number[number < n] + 1] <- unlist(tokenizer$index_docs)[number < n]
  log(1 + tokenizer$document_count / (1 + docs))
}

#' Normalize an array
#'
#' Divides vectors by their norm.
#'
#' @param x a numeric vector, matrix or array.
#' @param axis the axis along which the vectors lie, from 1, or from -1 for the last one.
#' @param order of the norm, `sum(abs(x)^order)^(1 / order)`: 2 for the Euclidean one, 1, `Inf` for the largest absolute
#'   value, or any other positive number.
#' @return `x` with vectors of norm 1. Those of norm 0 stay as they are.
#' @examples
#' normalize(matrix(c(3, 0, 4, 0), 2))
#' normalize(c(1, 3), order = 1)
#' @export
normalize <- function(x, axis = -1, order = 2) {
  x <- check_numbers(x)
  if (is.raw(x)) storage.mode(x) <- "integer"
  if (!identical(order, Inf)) order <- check_number(order, above = 0)
  shape <- if (is.null(dim(x))) length(x) else dim(x)
  rank <- length(shape)
  position <- check_number(axis)
  if (position < 0) position <- position + rank + 1
  if (!position %in% seq_len(rank)) abort("`axis` must be 1 to ", rank, " or -1 to -", rank, ", not ", describe(axis),
    class = "index")
  norm <- function(v) if (is.infinite(order)) max(0, abs(v)) else sum(abs(v)^order)^(1 / order)
  others <- setdiff(seq_len(rank), position)
  norms <- if (length(others)) apply(x, others, norm) else norm(x)
  norms[norms == 0] <- 1
  if (length(others)) sweep(x, others, norms, "/", check.margin = FALSE) else x / norms
}

# ---- checks ----

check_sequences <- function(x, arg, fun = calling_function()) {
  if (!is.list(x) || is.object(x)) abort("`", arg, "` must be a list of numeric vectors, not ", describe(x), fun = fun)
  x <- lapply(x, function(s) if (is_branch(s) && !is_flat(s)) s else plain_vector(s, arg, fun))
  x[vapply(x, is.null, NA)] <- list(integer())
  bad <- which(!vapply(x, are_numbers, NA))
  if (length(bad)) abort("`", arg, "` must be a list of numeric vectors; number ", bad[1], " is ",
    describe(x[[bad[1]]]), fun = fun)
  bad <- which(vapply(x, anyNA, NA))
  if (length(bad)) abort("`", arg, "` must not have missing numbers; number ", bad[1], " has", fun = fun)
  x
}

#' The R type for a dtype.
#' @noRd
storage_type <- function(dtype, fun = calling_function()) {
  check_choice(dtype, c("int32", "int64", float_dtypes), "dtype", fun)
  if (startsWith(dtype, "int")) "integer" else "double"
}
