# Strings and whole numbers as indices, by their hash.

index_modes <- function() c("int", category_modes)

#' Indices as they are or as zeros and ones. Those of -1 are left out.
#' @noRd
encode_indices <- function(self, x, depth) {
  mode <- self$config$output_mode
  if (mode == "int") return(x)
  y <- encode_classes(self, op_cast(op_add(x, 1L), "int32"), if (mode == "tf_idf") "count" else mode, depth + 1)
  rank <- rank_of(y)
  y <- op_slice(y, replace(rep(1, rank), rank, 2), replace(rep(-1, rank), rank, depth))
  weights <- if (mode == "tf_idf") self$config$idf_weights
  if (is.null(weights)) y else
    op_multiply(y, tensor(array(c(weights, numeric(depth - length(weights))), depth), self$dtype))
}

#' Hashing layer
#'
#' Strings or whole numbers as numbers of buckets, 0 to `num_bins - 1`, without a vocabulary: different ones may share
#' a bucket. The hash is the one that Keras takes, so the buckets are the same: FarmHash's Fingerprint64 of the UTF-8
#' bytes, or with a `salt` SipHash-2-4. Numbers are hashed as they are printed.
#'
#' Strings are R character vectors, matrices and arrays; a factor is its labels. R computes the buckets. A model may
#' begin with the layer, with an input of dtype `"string"` or of whole numbers: `layer_input(1, dtype = "string")`. What
#' a layer before it gives cannot be hashed.
#'
#' @inheritParams layer_activation
#' @param num_bins how many buckets there are, with that of `mask_value`.
#' @param mask_value a string or number that gets bucket 0, which no other gets then; or `NULL`.
#' @param salt one or two whole numbers from 0: other ones give other buckets. One stands for twice the same.
#' @param output_mode `"int"` for the buckets, otherwise as for [layer_category_encoding()].
#' @param sparse must be `FALSE`; present for compatibility with Keras.
#' @inherit layer_activation return
#' @references Aumasson and Bernstein (2012), SipHash: a fast short-input PRF, *Indocrypt*. Pike (2014), FarmHash,
#'   <https://github.com/google/farmhash>.
#' @seealso [layer_string_lookup()], [text_hashing_trick()]
#' @examples
#' layer_hashing(c("A", "B", "C", "D", "E"), num_bins = 3)
#' model <- keras_model_sequential(input_shape = 1) |>
#'   layer_hashing(num_bins = 64) |>
#'   layer_embedding(64, 4) |> layer_flatten() |> layer_dense(1)
#' model |> compile("adam", "mse")
#' model |> fit(c("red", "green", "blue"), c(1, 2, 3), epochs = 2, verbose = 0)
#' predict(model, c("green", "purple"))
#' @export
layer_hashing <- function(object, num_bins, mask_value = NULL, salt = NULL, output_mode = "int", sparse = FALSE, ...) {
  if (is.character(mask_value)) check_string(mask_value)
  else if (!is.null(mask_value)) mask_value <- check_number(check_whole(mask_value, -2^53, 2^53), arg = "mask_value")
  if (!is.null(salt)) salt <- check_whole(salt, 0, 2^53)
  if (!length(salt) %in% 0:2) abort("`salt` must be one or two whole numbers, not ", length(salt))
  new_layer("hashing", object, list(num_bins = check_count(num_bins), mask_value = mask_value, salt = salt,
    output_mode = check_choice(output_mode, index_modes()), sparse = check_not_sparse(sparse)), ...)
}

hashing_type <- list(
  class_name = "Hashing",
  input_dtype = "string",
  of_numbers = TRUE,
  tokens = function(self, x) {
    config <- self$config
    masked <- !is.null(config$mask_value) && config$num_bins > 1
    bucket <- string_buckets(if (is.numeric(x)) sprintf("%.0f", x) else x, config$num_bins - masked, config$salt)
    array(if (masked) ifelse(x == config$mask_value, 0L, bucket + 1L) else bucket, dim(x))
  },
  call = function(self, x) encode_indices(self, x, self$config$num_bins)
)

string_buckets <- function(x, n, salt = NULL) .Call(C_string_buckets, as.vector(x), as.double(n),
  if (!is.null(salt)) rep_len(as.double(salt), 2))

#' The fingerprint of each string as four numbers of 16 bits, one after the other.
#' @noRd
string_limbs <- function(x) .Call(C_string_limbs, as.vector(x))
