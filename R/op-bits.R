# Bits of whole numbers, composed of arithmetic: no network spends its time here.

#' Bits of whole numbers
#'
#' Element by element, of int32 and int64 in two's complement; of truth values they are the logical functions.
#'
#' * `op_bitwise_and()`, `op_bitwise_or()`, `op_bitwise_xor()`: of both; `op_bitwise_not()` and `op_bitwise_invert()`:
#'   all bits turned, which is -x - 1;
#' * `op_bitwise_left_shift()`, `op_left_shift()`: \eqn{x \cdot 2^y}{x 2^y}, of which the lower bits stay;
#'   `op_bitwise_right_shift()`, `op_right_shift()`: \eqn{x / 2^y}{x / 2^y} rounded down.
#'
#' @param x,y tensors or arrays of whole numbers, which broadcast as in [op_add()]; shifts are from 0 to 31 or 63.
#' @return A tensor of the dtype of both.
#' @section Errors: `nativenet_error_dtype` for floats; `nativenet_error_index` for shifts beyond.
#' @seealso [op_logical_and()]
#' @examples
#' op_bitwise_and(c(12L, 10L), c(10L, 6L)) # 8 2
#' op_bitwise_left_shift(1L, 0:3) # 1 2 4 8
#' op_bitwise_not(5L) # -6
#' @export
op_bitwise_and <- function(x, y) of_bits(x, y, op_logical_and, op_multiply)

#' @rdname op_bitwise_and
#' @export
op_bitwise_or <- function(x, y) of_bits(x, y, op_logical_or, op_maximum)

#' @rdname op_bitwise_and
#' @export
op_bitwise_xor <- function(x, y) of_bits(x, y, op_logical_xor, function(a, b) op_abs(op_subtract(a, b)))

#' @rdname op_bitwise_and
#' @export
op_bitwise_not <- function(x) {
  x <- bit_tensor(x)
  if (tensor_dtype(x) == "bool") op_logical_not(x) else op_subtract(tensor(-1, tensor_dtype(x)), x)
}

#' @rdname op_bitwise_and
#' @export
op_bitwise_invert <- op_bitwise_not

#' @rdname op_bitwise_and
#' @export
op_bitwise_left_shift <- function(x, y) {
  both <- shift_of(x, y)
  bits <- bits_of(both$x)
  n <- shape_of(bits)[rank_of(bits)]
  # what each bit is worth where it comes to stand; those beyond the last are lost
  worth <- tensor(array(c(bit_values(n), numeric(n - 1)), 2 * n - 1), both$dtype)
  place <- op_add(op_expand_dims(both$y, -1), tensor(array(seq_len(n) - 1L, n), "int32"))
  op_sum(op_multiply(bits, op_gather(worth, place)), -1)
}

#' @rdname op_bitwise_and
#' @export
op_left_shift <- op_bitwise_left_shift

#' @rdname op_bitwise_and
#' @export
op_bitwise_right_shift <- function(x, y) {
  both <- shift_of(x, y)
  n <- bits_in(both$dtype)
  by <- op_gather(tensor(array(c(2^(seq_len(n - 1) - 1), 1), n), both$dtype), both$y)
  zero <- tensor(0, both$dtype)
  sign <- op_where(op_less(both$x, zero), tensor(-1, both$dtype), zero)
  op_where(op_equal(both$y, n - 1L), sign, op_floor_divide(both$x, by))
}

#' @rdname op_bitwise_and
#' @export
op_right_shift <- op_bitwise_right_shift

bits_in <- function(dtype) if (dtype == "int64") 64L else 32L

#' What the bits are worth, from the lowest on; the last is the sign.
#' @noRd
bit_values <- function(n) c(2^(seq_len(n - 1) - 1), -2^(n - 1))

bit_tensor <- function(x, arg = "x", fun = user_function()) {
  x <- as_value(tensor(x))
  if (startsWith(tensor_dtype(x), "float")) abort("`", arg, "` must be whole numbers in int32 or int64, not of dtype ",
    tensor_dtype(x), "; `1L` is one, and `op_cast(x, \"int32\")` makes them", class = "dtype", fun = fun)
  x
}

#' Both of one dtype: numbers of R take that of a tensor.
#' @noRd
bit_tensors <- function(x, y, fun = user_function()) {
  both <- list(x, y)
  typed <- Find(is_tensor, both)
  if (!is.null(typed) && tensor_dtype(typed) != "bool") both <- as_one_dtype(both)
  both <- list(bit_tensor(both[[1]], "x", fun), bit_tensor(both[[2]], "y", fun))
  dtypes <- vapply(both, tensor_dtype, "")
  if (dtypes[1] != dtypes[2]) abort("`x` is of dtype ", dtypes[1], " and `y` of ", dtypes[2], "; `op_cast()` makes ",
    "them one", class = "dtype", fun = fun)
  both
}

#' The bits of each number along a new last axis.
#' @noRd
bits_of <- function(x) {
  dtype <- tensor_dtype(x)
  n <- bits_in(dtype)
  # a shift by all bits but the sign's would need a number that is not there
  low <- op_floor_mod(op_floor_divide(op_expand_dims(x, -1), tensor(array(2^(seq_len(n - 1) - 1), n - 1), dtype)),
    tensor(2, dtype))
  op_concat(list(low, op_expand_dims(op_cast(op_less(x, tensor(0, dtype)), dtype), -1)), -1)
}

of_bits <- function(x, y, of_truth, of_bit) {
  both <- bit_tensors(x, y)
  if (tensor_dtype(both[[1]]) == "bool") return(of_truth(both[[1]], both[[2]]))
  bits <- of_bit(bits_of(both[[1]]), bits_of(both[[2]]))
  n <- bits_in(tensor_dtype(both[[1]]))
  op_sum(op_multiply(bits, tensor(array(bit_values(n), n), tensor_dtype(both[[1]]))), -1)
}

shift_of <- function(x, y, fun = calling_function()) {
  both <- lapply(bit_tensors(x, y, fun), function(v) if (tensor_dtype(v) == "bool") op_cast(v, "int32") else v)
  dtype <- tensor_dtype(both[[1]])
  by <- known_value(both[[2]])
  outside <- if (!is_symbolic(by)) Find(function(v) v < 0 || v >= bits_in(dtype), c(as.array(by)))
  if (length(outside)) abort("`y` must be shifts from 0 to ", bits_in(dtype) - 1, ", not ", format(outside),
    class = "index", fun = fun)
  list(x = both[[1]], y = op_cast(both[[2]], "int32"), dtype = dtype)
}
