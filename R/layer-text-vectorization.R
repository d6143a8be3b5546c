# Texts as words, and words as indices.

#' Text vectorization layer
#'
#' Texts as numbers, in steps: each text is standardized, split into words, maybe joined to n-grams, and each of these
#' is looked up in a vocabulary, which is given or which [adapt()] learns from texts, see [layer_string_lookup()].
#'
#' The output of `"int"` is a row of indices for each text: 0 for padding at the end, 1 for unknown words, and from 2 on
#' the words of the vocabulary. It has `output_sequence_length` columns, else as many as the longest text of the data at
#' hand has words. Modes `"multi_hot"`, `"count"` and `"tf_idf"` give a column for each word, the first for unknown
#' ones, whatever the order of the words in the text.
#'
#' Texts are an R character vector, or a matrix of one column. R cuts them into words, and the engine has indices: a
#' model may begin with the layer, with `layer_input(1, dtype = "string")`, or as the first layer of a sequence. It is
#' saved with its vocabulary.
#'
#' @inheritParams layer_string_lookup
#' @param max_tokens the largest size of the vocabulary, with the index of unknown words and that of padding.
#' @param standardize `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"`, `NULL`, or a function of the
#'   strings that gives as many. As in Keras, `"lower"` is about A to Z, and punctuation is that of ASCII, `'` included.
#' @param split `"whitespace"`, `"character"`, `NULL` for texts that are words, or a function of a vector of strings
#'   that gives a list with the words of each.
#' @param ngrams `NULL`; or n for all sequences of 1 to n words, joined by blanks; or a vector of such lengths.
#' @param output_mode `"int"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
#' @param output_sequence_length how many indices each row has: longer texts lose their ends. For `"int"`.
#' @param sparse,ragged must be `FALSE`; present for compatibility with Keras.
#' @inherit layer_activation return
#' @section Functions: A model with functions for `standardize` or `split` is saved with their names; see
#'   [save_model()].
#' @inheritSection layer_string_lookup Errors
#' @seealso [adapt()], [get_vocabulary()], [layer_embedding()]; [text_tokenizer()] for numbers outside of a model
#' @examples
#' texts <- c("The film was good.", "The plot: not good!", "A bad plot, a bad film")
#' vectorize <- layer_text_vectorization(output_sequence_length = 6)
#' adapt(vectorize, texts)
#' get_vocabulary(vectorize)
#' vectorize(c("A good plot", "Unknown words"))
#'
#' # a model that reads texts
#' set.seed(1)
#' reviews <- dataset_reviews(400, encode = FALSE)
#' vectorize <- layer_text_vectorization(max_tokens = 500, ngrams = 2, output_mode = "multi_hot")
#' adapt(vectorize, reviews$train$x)
#' model <- keras_model_sequential(input_shape = 1) |> vectorize() |>
#'   layer_dense(1, activation = "sigmoid")
#' model |> compile(optimizer_adam(0.01), "binary_crossentropy", metrics = "accuracy")
#' model |> fit(reviews$train$x, reviews$train$y, epochs = 10, verbose = 0)
#' evaluate(model, reviews$test$x, reviews$test$y)
#' @export
layer_text_vectorization <- function(object, max_tokens = NULL, standardize = "lower_and_strip_punctuation",
  split = "whitespace", ngrams = NULL, output_mode = "int", output_sequence_length = NULL, pad_to_max_tokens = FALSE,
  vocabulary = NULL, idf_weights = NULL, sparse = FALSE, ragged = FALSE, encoding = "utf-8", ...) {
  if (check_flag(ragged)) abort("`ragged` must be FALSE: there are no ragged tensors")
  config <- lookup_config(list(max_tokens = max_tokens, output_mode = output_mode, vocabulary = vocabulary,
    idf_weights = idf_weights, pad_to_max_tokens = pad_to_max_tokens, sparse = sparse, invert = FALSE,
    num_oov_indices = 1, mask_token = "", oov_token = "[UNK]"), check_words, setdiff(index_modes(), "one_hot"))
  if (!is.null(output_sequence_length)) {
    output_sequence_length <- check_count(output_sequence_length)
    if (config$output_mode != "int") abort("`output_sequence_length` is for `output_mode = \"int\"`, not \"",
      config$output_mode, "\"")
  }
  if (!is.null(ngrams)) {
    ngrams <- check_whole(ngrams, 1)
    if (!length(ngrams)) abort("`ngrams` must hold at least one number")
  }
  one_of <- function(x, choices, arg, fun = calling_function()) if (is.null(x)) NULL else if (is.function(x))
    check_function(x, arg, fun, takes = 1) else check_choice(x, choices, arg, fun)
  new_layer("text_vectorization", object, c(config, list(
    standardize = one_of(standardize, c("lower_and_strip_punctuation", "lower", "strip_punctuation"), "standardize"),
    split = one_of(split, c("whitespace", "character"), "split"), ngrams = ngrams,
    output_sequence_length = output_sequence_length, ragged = ragged, encoding = check_encoding(encoding))), ...)
}

text_vectorization_type <- list(
  class_name = "TextVectorization",
  input_dtype = "string",
  input_shape = function(self) 1L,
  check = check_words,
  tokens = function(self, x) {
    words <- text_words(self, x)
    lengths <- lengths(words)
    known_vocabulary(self)
    longest <- self$config$output_sequence_length
    if (is.null(longest)) longest <- max(lengths, 0L)
    at <- sequence(lengths)
    kept <- at <= longest
    index <- string_indices(self, as.character(unlist(words, use.names = FALSE))[kept])
    tokens <- matrix(if (self$config$output_mode == "int") 0 else -1, length(words), longest)
    tokens[cbind(rep.int(seq_along(words), lengths), at)[kept, , drop = FALSE]] <- index
    tokens
  },
  token_shape = function(self, shape) c(shape[1], if (is.null(self$config$output_sequence_length)) NA_integer_ else
    as.integer(self$config$output_sequence_length)),
  call = function(self, x) encode_lookup(self, x),
  members = lookup_members,
  adapt = function(self, state, batch) {
    check_adaptable(self)
    words <- text_words(self, batch)
    count_tokens(state, as.character(unlist(words, use.names = FALSE)), rep.int(seq_along(words), lengths(words)),
      length(words))
  },
  adapted = learn_vocabulary
)

#' A list with the words of each text.
#' @param x an array of strings.
#' @noRd
text_words <- function(self, x) {
  config <- self$config
  if (is.function(config$standardize)) {
    given <- with_place(NULL, config$standardize(x))
    if (!is.character(given) || length(given) != length(x)) abort("`standardize` must give ", length(x),
      " strings, as many as it gets, not ", describe(given), fun = self$name)
    x <- array(as_strings(given, "standardize()", self$name), dim(x))
  } else if (!is.null(config$standardize)) {
    x <- array(standardize_text(x, config$standardize), dim(x))
  }
  words <- if (is.null(config$split)) split(as.vector(x), rep_len(seq_len(dim(x)[1]), length(x))) else
    split_text(self, x)
  words <- unname(words)
  if (is.null(config$ngrams)) return(words)
  widths <- if (length(config$ngrams) == 1) seq_len(config$ngrams) else config$ngrams
  lapply(words, function(w) unlist(lapply(widths, word_ngrams, w)))
}

lower_ascii <- function(x) chartr(paste(LETTERS, collapse = ""), paste(letters, collapse = ""), x)
upper_ascii <- function(x) chartr(paste(letters, collapse = ""), paste(LETTERS, collapse = ""), x)

standardize_text <- function(x, how) {
  if (how != "strip_punctuation") x <- lower_ascii(x)
  if (how != "lower") gsub("[!-/:-@\\[-`{-~]", "", x, perl = TRUE) else x
}

split_text <- function(self, x) {
  if (length(dim(x)) > 1 && dim(x)[length(dim(x))] != 1) abort("splits rows of one text, not of shape ",
    format_shape(dim(x)), "; `split = NULL` is for texts that are words", class = "shape", fun = self$name)
  how <- self$config$split
  x <- as.vector(x)
  if (!is.function(how)) {
    words <- strsplit(x, if (how == "character") "" else "[ \t\n\v\f\r]+", perl = how != "character")
    empty <- !nzchar(unlist(words, use.names = FALSE))
    return(if (any(empty)) lapply(words, function(w) w[nzchar(w)]) else words)
  }
  words <- with_place(NULL, how(x))
  if (length(x) == 1 && is.character(words)) words <- list(words) # of one string, as `tf$strings$split()` gives them
  if (!is_branch(words) || length(words) != length(x) || !all(vapply(words, function(w) is.null(w) || is.character(w),
    NA))) abort("`split` must give a list with the words of each of ", length(x), " strings, not ", describe(words),
      fun = self$name)
  lapply(words, as_words, self)
}

as_words <- function(words, self) if (length(words)) as.vector(as_strings(words, "split()", self$name))

#' All sequences of so many words.
#' @noRd
word_ngrams <- function(n, words) {
  if (length(words) < n) return(character())
  starts <- seq_len(length(words) - n + 1)
  do.call(paste, lapply(seq_len(n) - 1, function(k) words[starts + k]))
}
