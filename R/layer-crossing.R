# Crosses of features: the hash of several strings or whole numbers. It is that of TensorFlow, in unsigned numbers of 64
# bits. The engine has none, so each is four whole numbers of 16 bits ("limbs"), the lowest first.

#' Hashed crossing layer
#'
#' Numbers of buckets, 0 to `num_bins - 1`, for combinations of several strings or whole numbers, one of each input:
#' \deqn{y = \mathrm{hash}(x_1, x_2, \ldots) \bmod \mathrm{num\_bins}}{y = hash(x1, x2, ...) mod num_bins}
#' Different combinations may share a bucket. The hash is the one that Keras takes, so the buckets are the same.
#'
#' Shapes: inputs are vectors with an element for each row, or have the shape (batch, 1). Strings are read where they
#' come into a model, or are R's; whole numbers may be computed in the model.
#'
#' @inheritParams layer_activation
#' @param object a list of two or more symbolic tensors, tensors, or R vectors and matrices of strings or whole numbers;
#'   may be missing to get the layer itself.
#' @param num_bins how many buckets there are.
#' @param output_mode `"int"` for the buckets, `"one_hot"` for a row of zeros with a 1.
#' @param sparse must be `FALSE`; present for compatibility with Keras.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` for inputs of different shapes; `nativenet_error_dtype` for floats that are
#'   tensors.
#' @references TensorFlow, operation SparseCrossHashed,
#'   <https://www.tensorflow.org/api_docs/python/tf/sparse/cross_hashed>.
#' @seealso [layer_hashing()], [layer_feature_space()], [feature_columns]
#' @examples
#' cross <- layer_hashed_crossing(num_bins = 5)
#' cross(list(c("A", "B", "A", "B", "A"), c(101, 101, 101, 102, 102))) # 1 4 1 1 3
#' @export
layer_hashed_crossing <- function(object, num_bins, output_mode = "int", sparse = FALSE, ...) {
  new_layer("hashed_crossing", object, list(num_bins = check_count(num_bins),
    output_mode = check_choice(output_mode, c("int", "one_hot")), sparse = check_not_sparse(sparse)), ...)
}

hashed_crossing_type <- list(
  class_name = "HashedCrossing",
  several = TRUE,
  autocast = FALSE,
  input_dtype = "string",
  passes_numbers = TRUE,
  tokens = function(self, x) array(string_limbs(x), c(dim(x), 4L)),
  token_shape = function(self, shape) c(shape, 4L),
  call = function(self, x) {
    if (!is_branch(x) || length(x) < 2) abort("crosses a list of at least two tensors, not ", describe(x),
      fun = self$name)
    x <- unname(tensor_leaves(x))
    shapes <- lapply(x, function(t) utils::head(shape_of(t), if (is_limbs(t)) -1 else rank_of(t)))
    for (shape in shapes) {
      if (length(shape) > 2 || length(shape) == 2 && shape[2] != 1) abort("crosses vectors, or tensors of shape ",
        "(batch, 1), not of ", format_shape(shape), class = "shape", fun = self$name)
      if (!same_sizes(shape, shapes[[1]])) abort("crosses tensors of one shape, not of ", format_shape(shapes[[1]]),
        " and ", format_shape(shape), class = "shape", fun = self$name)
    }
    hash <- as.list(cross_key)
    for (t in x) hash <- hash_both(hash, if (is_limbs(t)) op_unstack(t, axis = -1) else limbs_of(self, t))
    bucket <- limbs_modulo(hash, self$config$num_bins)
    if (self$config$output_mode == "int") bucket else encode_classes(self, op_cast(bucket, "int32"), "one_hot",
      self$config$num_bins)
  }
)

# With what TensorFlow begins, 0xDECAFCAFFE, and by what it multiplies, 0xC6A4A7935BD1E995 of MurmurHash.
cross_key <- c(0xAFFE, 0xCAFC, 0x00DE, 0x0000)
cross_factor <- c(0xE995, 0x5BD1, 0xA793, 0xC6A4)

#' Strings are limbs already, along a last axis.
#' @noRd
is_limbs <- function(x) isTRUE(attr(x, "limbs"))

#' Whole numbers in two's complement.
#' @noRd
limbs_of <- function(self, x) {
  if (!is_whole_dtype(tensor_dtype(x))) abort("crosses strings and whole numbers, not tensors of ", tensor_dtype(x),
    "; `op_cast()` makes them whole", class = "dtype", fun = self$name)
  x <- op_cast(x, "int64")
  lapply(0:3, function(k) low_limb(op_floor_divide(x, whole_number(65536^k))))
}

whole_number <- function(x) tensor(x, "int64")
low_limb <- function(x) op_floor_mod(x, whole_number(65536))

#' The product with `cross_factor`, of which the upper bits are lost.
#' @noRd
times_factor <- function(a) {
  carry <- NULL
  lapply(1:4, function(k) {
    sum <- carry
    for (i in seq_len(k)) {
      product <- op_multiply(a[[i]], whole_number(cross_factor[k - i + 1]))
      sum <- if (is.null(sum)) product else op_add(sum, product)
    }
    carry <<- op_floor_divide(sum, whole_number(65536))
    low_limb(sum)
  })
}

xor_limbs <- function(a, b) Map(op_bitwise_xor, a, b)

#' x xor (x shifted right by 47 bits), which are two limbs and 15 bits.
#' @noRd
shift_mix <- function(a) {
  low <- op_add(op_floor_divide(a[[3]], whole_number(32768)), low_limb(op_multiply(a[[4]], whole_number(2))))
  c(xor_limbs(a[1:2], list(low, op_floor_divide(a[[4]], whole_number(32768)))), a[3:4])
}

#' TensorFlow's FingerprintCat64.
#' @noRd
hash_both <- function(a, b) {
  b <- times_factor(shift_mix(times_factor(b)))
  a <- lapply(a, function(x) if (is_tensor(x)) x else whole_number(x))
  a <- xor_limbs(xor_limbs(a, lapply(cross_factor, whole_number)), b)
  shift_mix(times_factor(shift_mix(times_factor(a))))
}

limbs_modulo <- function(a, n) {
  rest <- op_floor_mod(a[[4]], whole_number(n))
  for (k in 3:1) rest <- op_floor_mod(op_add(op_multiply(rest, whole_number(65536)), a[[k]]), whole_number(n))
  rest
}
