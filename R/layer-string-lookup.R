# Strings and whole numbers as indices, by a vocabulary that is given or learned.

# ---- vocabularies ----

#' Arguments of layers with a vocabulary, checked.
#' @param tokens a function that checks the vocabulary.
#' @noRd
lookup_config <- function(config, tokens, modes, fun = calling_function()) {
  if (!is.null(config$max_tokens)) config$max_tokens <- check_count(config$max_tokens, 2, arg = "max_tokens", fun = fun)
  config$num_oov_indices <- check_count(config$num_oov_indices, min = 0, arg = "num_oov_indices", fun = fun)
  older <- c(binary = "multi_hot", "tf-idf" = "tf_idf")
  for (name in names(older)) if (identical(config$output_mode, name)) config$output_mode <- older[[name]]
  config$output_mode <- check_choice(config$output_mode, c(modes, "tf_idf"), "output_mode", fun)
  if (check_flag(config$invert, "invert", fun) && config$output_mode != "int")
    abort("`output_mode` must be \"int\" if `invert` is TRUE, not \"", config$output_mode, "\"", fun = fun)
  if (check_flag(config$pad_to_max_tokens, "pad_to_max_tokens", fun) && is.null(config$max_tokens))
    abort("`max_tokens` must be given if `pad_to_max_tokens` is TRUE", fun = fun)
  check_not_sparse(config$sparse, fun)
  given <- config[c("vocabulary", "idf_weights")]
  config["vocabulary"] <- config["idf_weights"] <- list(NULL)
  if (is.null(given$vocabulary)) {
    if (!is.null(given$idf_weights)) abort("`idf_weights` go with a `vocabulary`", fun = fun)
    return(config)
  }
  with_vocabulary(config, tokens(given$vocabulary, "vocabulary", fun), given$idf_weights, fun)
}

#' What stands before the tokens of a vocabulary.
#' @noRd
special_tokens <- function(config) c(if (config$output_mode == "int") config$mask_token,
  rep(config$oov_token, config$num_oov_indices))

#' @param vocabulary tokens, maybe after the special ones.
#' @noRd
with_vocabulary <- function(config, vocabulary, idf_weights, fun) {
  special <- special_tokens(config)
  n <- length(vocabulary)
  marked <- n >= length(special) && identical(vocabulary[seq_along(special)], special) && length(special) > 0
  tokens <- if (marked) vocabulary[-seq_along(special)] else vocabulary
  if (!length(tokens)) abort("`vocabulary` must not be empty", fun = fun)
  if (anyDuplicated(tokens)) abort("`vocabulary` has ", describe(tokens[duplicated(tokens)][1]), " twice", fun = fun)
  reserved <- intersect(c(config$mask_token, if (config$invert) config$oov_token), tokens)
  if (length(reserved)) abort("`vocabulary` has the reserved token ", describe(reserved[1]), "; such tokens are left ",
    "out, or stand first: ", paste(vapply(special, describe, ""), collapse = ", "), fun = fun)
  size <- length(special) + length(tokens)
  if (!is.null(config$max_tokens) && size > config$max_tokens) abort("`vocabulary` has, with special tokens, ", size,
    " tokens, and `max_tokens` is ", config$max_tokens, fun = fun)
  wanted <- config$output_mode == "tf_idf"
  if (wanted == is.null(idf_weights)) abort("`idf_weights` must ", if (!wanted) "not ", "be given for `output_mode = ",
    "\"", config$output_mode, "\"`", if (wanted) " and a vocabulary", fun = fun)
  if (wanted) {
    idf_weights <- check_reals(idf_weights, "idf_weights", fun)
    if (!length(idf_weights) %in% c(n, size)) abort("`idf_weights` must be ", n, " numbers, one for each token, not ",
      length(idf_weights), class = "shape", fun = fun)
    if (length(idf_weights) < size) idf_weights <- c(rep(mean(idf_weights), length(special)), idf_weights)
  }
  config$vocabulary <- tokens
  if (wanted) config$idf_weights <- idf_weights
  config
}

#' The size of the output's last axis where that is one number for each token.
#' @noRd
lookup_depth <- function(config) {
  if (config$pad_to_max_tokens) config$max_tokens else
    length(special_tokens(config)) + length(config$vocabulary)
}

known_vocabulary <- function(self) {
  if (is.null(self$config$vocabulary)) abort("knows no vocabulary yet: `adapt()` it first, or `set_vocabulary()`",
    class = "unbuilt", fun = self$name)
  self$config$vocabulary
}

encode_lookup <- function(self, x) {
  if (self$config$output_mode != "int" && !self$config$pad_to_max_tokens) known_vocabulary(self)
  encode_indices(self, x, lookup_depth(self$config))
}

#' The index of each string.
#' @noRd
string_indices <- function(self, x) {
  config <- self$config
  start <- length(special_tokens(config))
  index <- match(x, known_vocabulary(self)) + start - 1
  masked <- if (!is.null(config$mask_token)) which(x == config$mask_token)
  index[masked] <- if (config$output_mode == "int") 0 else -1
  unknown <- which(is.na(index))
  if (!length(unknown)) return(index)
  n <- config$num_oov_indices
  if (n == 0) abort("the vocabulary has no ", describe(x[unknown[1]]), ", and `num_oov_indices` is 0", class = "index",
    fun = self$name)
  index[unknown] <- start - n + if (n > 1) string_buckets(x[unknown], n) else 0
  index
}

# ---- learning one ----

#' @param tokens strings or numbers, a document after the other.
#' @param document for each the number of its document, of which there are `n`.
#' @noRd
count_tokens <- function(state, tokens, document, n) {
  seen <- unique(c(state$tokens, tokens))
  add <- function(before, more) tabulate(match(more, seen), length(seen)) + c(before, numeric(length(seen) -
    length(before)))
  once <- !duplicated(match(tokens, seen) + (document - 1) * length(seen))
  list(tokens = seen, counts = add(state$counts, tokens), found = add(state$found, tokens[once]),
    documents = sum(state$documents, n))
}

check_adaptable <- function(self) if (isTRUE(self$given) || is.null(self$given) && !is.null(self$config$vocabulary))
  abort("was given its vocabulary, and learns none", fun = self$name)

#' The most frequent tokens, those that are equally frequent from the last to the first.
#' @noRd
learn_vocabulary <- function(self, state) {
  config <- self$config
  config["vocabulary"] <- config["idf_weights"] <- list(NULL)
  special <- special_tokens(config)
  order <- order(state$counts, state$tokens, decreasing = TRUE, method = "radix")
  order <- order[!state$tokens[order] %in% c(config$mask_token, config$oov_token)]
  if (!is.null(config$max_tokens)) order <- utils::head(order, max(0, config$max_tokens - length(special)))
  if (!length(order)) abort("`data` holds no token for a vocabulary", fun = self$name)
  idf <- if (config$output_mode == "tf_idf") log(1 + state$documents / (1 + state$found[order]))
  put_vocabulary(self, with_vocabulary(config, state$tokens[order], idf, self$name))
  self$given <- FALSE
}

put_vocabulary <- function(self, config) {
  keep_size(self, lookup_depth(config), if (is.null(self$config$vocabulary)) 0 else lookup_depth(self$config))
  self$config <- config
}

#' The tokens of a batch whose rows are documents; a vector has as many documents as elements.
#' @noRd
adapt_lookup <- function(self, state, batch) {
  check_adaptable(self)
  if (!length(batch)) return(state)
  n <- dim(batch)[1]
  count_tokens(state, as.vector(batch), rep_len(seq_len(n), length(batch)), n)
}

#' Vocabulary of a layer
#'
#' What a layer such as [layer_string_lookup()], [layer_integer_lookup()] or [layer_text_vectorization()] knows by
#' [adapt()] or by its argument `vocabulary`. `layer$get_vocabulary()` and so on are the same.
#'
#' @param object a layer with a vocabulary.
#' @param include_special_tokens also those for masks and for what is unknown, which come first? Then the place of a
#'   token, counted from 0, is its index.
#' @param vocabulary strings, or whole numbers for [layer_integer_lookup()]; each once.
#' @param idf_weights for `output_mode = "tf_idf"` a weight for each.
#' @param ... not used: other arguments are refused.
#' @return `get_vocabulary()`: the tokens. `set_vocabulary()`: the layer, changed in place, invisibly.
#'   `vocabulary_size()`: how many tokens there are, with the special ones.
#' @examples
#' lookup <- layer_string_lookup()
#' adapt(lookup, c("red", "blue", "red"))
#' get_vocabulary(lookup)
#' set_vocabulary(lookup, c("red", "green", "blue"))
#' vocabulary_size(lookup)
#' lookup(c("green", "pink"))
#' @export
get_vocabulary <- function(object, include_special_tokens = TRUE)
  vocabulary_of(check_lookup(object), check_flag(include_special_tokens))

#' @rdname get_vocabulary
#' @export
set_vocabulary <- function(object, vocabulary, idf_weights = NULL, ...) {
  check_no_more(list(...), of = set_vocabulary)
  change_vocabulary(check_lookup(object), vocabulary, idf_weights, "set_vocabulary")
}

#' @rdname get_vocabulary
#' @export
vocabulary_size <- function(object) length(vocabulary_of(check_lookup(object), TRUE))

vocabulary_of <- function(self, special) c(if (special) special_tokens(self$config), self$config$vocabulary)

change_vocabulary <- function(self, vocabulary, idf_weights, fun) {
  put_vocabulary(self, with_vocabulary(self$config, layer_type(self)$check(vocabulary, "vocabulary", fun), idf_weights,
    fun))
  self$given <- TRUE
  forget_programs()
  invisible(as_layer(self))
}

check_lookup <- function(object, fun = calling_function()) {
  self <- if (is_layer(object)) layer_self(object)
  if (is.null(self) || is.null(layer_type(self)$check)) abort("`object` must be a layer with a vocabulary, such as ",
    "`layer_string_lookup()`, not ", describe(object), fun = fun)
  self
}

lookup_members <- c(adapt_members, list(
  get_vocabulary = function(self) function(include_special_tokens = TRUE)
    vocabulary_of(self, check_flag(include_special_tokens)),
  set_vocabulary = function(self) function(vocabulary, idf_weights = NULL)
    change_vocabulary(self, vocabulary, idf_weights, self$name),
  vocabulary_size = function(self) function() length(vocabulary_of(self, TRUE))
))

#' Strings of a vocabulary.
#' @noRd
check_words <- function(x, arg, fun) {
  if (is_branch(x) && all(vapply(x, is.character, NA))) x <- unlist(x)
  if (is.character(x) && length(x) == 1 && grepl("[./\\]", x) && file.exists(x)) abort("`", arg,
    "` is the name of a file; `readLines()` reads it", fun = fun)
  check_utf8(check_strings(x, arg, fun), arg, fun)
}

#' String lookup layer
#'
#' Strings as indices, by a vocabulary that is given or that [adapt()] learns: the most frequent strings first, and of
#' those that are equally frequent the last in the order of their bytes, as Keras has it. What is not in the vocabulary
#' gets the index of unknown strings. The first indices are, in this order, that of `mask_token` (0) if there is one and
#' `output_mode` is `"int"`, those of unknown strings, and then come the strings of the vocabulary.
#'
#' Strings are R character vectors, matrices and arrays; a factor is its labels. R looks them up, and the engine has
#' indices: a model may begin with the layer, with `layer_input(1, dtype = "string")`, or as the first layer of a
#' sequence. It is saved with its vocabulary.
#'
#' The modes `"one_hot"`, `"multi_hot"` and `"count"` are those of [layer_category_encoding()], with a column for each
#' index; `"tf_idf"` multiplies counts by `log(1 + documents / (1 + documents with the string))`, where the last two are
#' those of `adapt()`, and a row is a document. For unknown strings that is the mean of the others. Masked strings count
#' nowhere.
#'
#' @inheritParams layer_activation
#' @param max_tokens the largest size of the vocabulary with its special tokens; `NULL` for any.
#' @param num_oov_indices how many indices there are for strings out of the vocabulary: with several their hash says
#'   which, with 0 they are an error.
#' @param mask_token a string that means that there is none, or `NULL`.
#' @param oov_token what stands for unknown strings in [get_vocabulary()] and where `invert` is `TRUE`.
#' @param vocabulary strings, each once, or `NULL`.
#' @param idf_weights for `"tf_idf"` with a vocabulary, the weight of each string.
#' @param encoding must be `"utf-8"`; present for compatibility with Keras.
#' @param invert `TRUE` to turn indices into strings: the layer then gives an R array of them, outside of models.
#' @param output_mode `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
#' @param sparse must be `FALSE`; present for compatibility with Keras.
#' @param pad_to_max_tokens `TRUE` for `max_tokens` columns, however many tokens there are.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_index` for unknown strings if `num_oov_indices` is 0; `nativenet_error_unbuilt` for
#'   a layer without a vocabulary.
#' @seealso [get_vocabulary()], [adapt()], [layer_text_vectorization()] for texts, [layer_integer_lookup()],
#'   [layer_hashing()]
#' @examples
#' lookup <- layer_string_lookup(vocabulary = c("a", "b", "c"))
#' lookup(c("a", "c", "d"))
#' layer_string_lookup(vocabulary = c("a", "b", "c"), invert = TRUE)(c(1L, 3L, 0L))
#'
#' # a model that takes strings
#' colours <- c("red", "green", "blue", "red")
#' lookup <- layer_string_lookup(output_mode = "one_hot")
#' adapt(lookup, colours)
#' model <- keras_model_sequential(input_shape = 1) |> lookup() |> layer_dense(1)
#' model |> compile(optimizer_adam(0.1), "mse")
#' model |> fit(colours, c(1, 2, 3, 1), epochs = 50, verbose = 0)
#' predict(model, c("blue", "pink"))
#' @export
layer_string_lookup <- function(object, max_tokens = NULL, num_oov_indices = 1L, mask_token = NULL,
  oov_token = "[UNK]", vocabulary = NULL, idf_weights = NULL, encoding = "utf-8", invert = FALSE, output_mode = "int",
  sparse = FALSE, pad_to_max_tokens = FALSE, ...) {
  if (!is.null(mask_token)) check_string(mask_token)
  new_layer("string_lookup", object, lookup_config(list(max_tokens = max_tokens, num_oov_indices = num_oov_indices,
    mask_token = mask_token, oov_token = check_string(oov_token), vocabulary = vocabulary, idf_weights = idf_weights,
    encoding = check_encoding(encoding), invert = invert, output_mode = output_mode, sparse = sparse,
    pad_to_max_tokens = pad_to_max_tokens), check_words, index_modes()), ...)
}

check_encoding <- function(encoding, fun = calling_function()) {
  if (!is.null(encoding) && !identical(tolower(check_string(encoding, fun = fun)), "utf-8"))
    abort("`encoding` must be \"utf-8\", not ", describe(encoding), fun = fun)
  encoding
}

string_lookup_type <- list(
  class_name = "StringLookup",
  input_dtype = "string",
  check = check_words,
  gives_strings = function(self) self$config$invert,
  tokens = function(self, x) array(string_indices(self, x), dim(x)),
  call = function(self, x) encode_lookup(self, x),
  members = lookup_members,
  adapt = adapt_lookup,
  adapted = learn_vocabulary
)

#' The strings of indices.
#' @noRd
strings_of <- function(self, x) {
  config <- self$config
  tokens <- c(special_tokens(config), known_vocabulary(self))
  if (is_keras_tensor(x) || is_symbolic(x)) {
    abort("gives strings, which neither models nor programs hold: call it on what `predict()` gives", fun = self$name)
  }
  index <- if (is_tensor(x)) as.array(x) else x
  at <- check_whole(index, -2^53, 2^53, "x", self$name) + 1
  at[at < 1 | at > length(tokens)] <- NA
  strings <- tokens[at]
  strings[is.na(at)] <- config$oov_token
  if (is.null(dim(index))) strings else array(strings, dim(index))
}

#' Integer lookup layer
#'
#' Whole numbers, however large and scattered, as indices without gaps: [layer_string_lookup()] for numbers. With
#' several indices for unknown numbers, the number modulo `num_oov_indices` says which.
#'
#' The engine looks numbers up, so the layer may stand anywhere in a model.
#'
#' @inheritParams layer_string_lookup
#' @param mask_token a number that means that there is none, or `NULL`.
#' @param oov_token what stands for unknown numbers in [get_vocabulary()] and where `invert` is `TRUE`.
#' @param vocabulary whole numbers, each once, or `NULL`.
#' @param vocabulary_dtype `"int64"` or `"int32"`; present for compatibility with Keras.
#' @param invert `TRUE` to turn indices into numbers of the vocabulary.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_index` for unknown numbers if `num_oov_indices` is 0; `nativenet_error_unbuilt` for
#'   a layer without a vocabulary.
#' @seealso [get_vocabulary()], [adapt()], [layer_category_encoding()]
#' @examples
#' lookup <- layer_integer_lookup(vocabulary = c(12, 36, 1138, 42))
#' lookup(rbind(c(12, 1138, 42), c(42, 1000, 36)))
#' learned <- layer_integer_lookup(output_mode = "multi_hot")
#' adapt(learned, matrix(c(5, 5, 7, 900), 2))
#' get_vocabulary(learned)
#' model <- keras_model_sequential(input_shape = 2) |> learned() |> layer_dense(1)
#' predict(model, matrix(c(5, 7, 900, 1), 2))
#' @export
layer_integer_lookup <- function(object, max_tokens = NULL, num_oov_indices = 1L, mask_token = NULL, oov_token = -1L,
  vocabulary = NULL, vocabulary_dtype = "int64", idf_weights = NULL, invert = FALSE, output_mode = "int",
  sparse = FALSE, pad_to_max_tokens = FALSE, ...) {
  one <- function(x, arg, fun = calling_function()) check_number(check_integers(x, arg, fun), arg = arg, fun = fun)
  new_layer("integer_lookup", object, lookup_config(list(max_tokens = max_tokens, num_oov_indices = num_oov_indices,
    mask_token = if (!is.null(mask_token)) one(mask_token, "mask_token"), oov_token = one(oov_token, "oov_token"),
    vocabulary = vocabulary, vocabulary_dtype = check_choice(vocabulary_dtype, c("int64", "int32")),
    idf_weights = idf_weights, invert = invert, output_mode = output_mode, sparse = sparse,
    pad_to_max_tokens = pad_to_max_tokens), check_integers, index_modes()), ...)
}

check_integers <- function(x, arg, fun) check_whole(x, -2^53, 2^53, arg, fun)

integer_lookup_type <- list(
  class_name = "IntegerLookup",
  input_dtype = "int64",
  check = check_integers,
  call = function(self, x) {
    x <- op_cast(x, "int64")
    if (self$config$invert) return(numbers_of(self, x))
    if (on_trial() && self$config$output_mode == "int") return(x)
    encode_lookup(self, number_indices(self, x))
  },
  members = lookup_members,
  adapt = function(self, state, batch) adapt_lookup(self, state, with_axes_of(check_integers(batch, "data", self$name),
    batch)),
  adapted = learn_vocabulary
)

#' The index of each number, by bisection of the sorted vocabulary.
#' @noRd
number_indices <- function(self, x) {
  config <- self$config
  vocabulary <- known_vocabulary(self)
  start <- length(special_tokens(config))
  order <- order(vocabulary)
  n <- length(order)
  sorted <- tensor(array(vocabulary[order], n), "int64")
  at <- op_zeros_like(x)
  for (step in rev(2^seq_len(max(0, ceiling(log2(n)))) / 2)) {
    further <- op_minimum(op_add(at, as.integer(step)), n - 1L)
    at <- op_where(op_less_equal(op_gather(sorted, further), x), further, at)
  }
  found <- op_equal(op_gather(sorted, at), x)
  masked <- if (!is.null(config$mask_token)) op_equal(x, tensor(config$mask_token, "int64"))
  oov <- config$num_oov_indices
  # without an index for them, unknown numbers are looked up beyond the end, which is an error
  if (!oov) at <- op_where(if (is.null(masked)) found else op_logical_or(found, masked), at, n)
  index <- op_gather(tensor(array(order + start - 1, n), "int64"), at)
  if (oov) index <- op_where(found, index, if (oov == 1) start - 1L else
    op_add(op_floor_mod(x, tensor(oov, "int64")), as.integer(start - oov)))
  if (is.null(masked)) index else op_where(masked, if (config$output_mode == "int") 0L else -1L, index)
}

#' The numbers of indices.
#' @noRd
numbers_of <- function(self, x) {
  tokens <- c(special_tokens(self$config), known_vocabulary(self), self$config$oov_token)
  n <- length(tokens) - 1L
  op_gather(tensor(array(tokens, n + 1), "int64"),
    op_where(op_logical_and(op_greater_equal(x, 0L), op_less(x, n)), x, n))
}
