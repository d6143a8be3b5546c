# Dtypes of TensorFlow that the engine does not have. Whole numbers of fewer bits are kept as int32, and what comes from
# a file of a picture is marked as bytes, so that tf$image knows their range. Others are refused.

narrow_dtypes <- dtype_ends[c("uint8", "int8", "uint16", "int16", "uint32")]

refused_dtypes <- c(float16 = "float32", half = "float32", bfloat16 = "float32", uint64 = "int64",
  complex64 = "two tensors, as `op_fft()` takes them", complex128 = "two tensors, as `op_fft()` takes them",
  variant = "an R list", resource = "an R list", qint8 = "int32", quint8 = "int32", qint32 = "int32")

#' Like the engine's own, they are names that compare with strings.
#' @noRd
more_dtypes <- function() stats::setNames(lapply(names(c(narrow_dtypes, refused_dtypes)), nn_dtype),
  names(c(narrow_dtypes, refused_dtypes)))

#' A dtype of its name; names that NumPy has.
#' @noRd
dtype_named <- function(x, fun = "tf$as_dtype", arg = "type_value") {
  own <- c(float = "float32", double = "float64", int = "int64", integer = "int32", logical = "bool")
  if (is_string(x) && x %in% names(own)) x <- own[[x]]
  nn_dtype(as.character(check_choice(if (inherits(x, "nn_dtype")) as.character(x) else x, c(dtypes, "string",
    names(narrow_dtypes), names(refused_dtypes)), arg = arg, fun = fun)))
}

is_narrow <- function(dtype) is.character(dtype) && length(dtype) == 1 && dtype %in% names(narrow_dtypes)

#' The dtype in which the engine keeps one.
#' @noRd
kept_dtype <- function(dtype, fun = calling_function()) {
  if (is.character(dtype) && length(dtype) == 1 && dtype %in% names(refused_dtypes)) abort("`dtype`: there is no ",
    as.character(dtype), " here; use ", refused_dtypes[[dtype]], class = "dtype", fun = fun)
  if (!is_narrow(dtype)) return(dtype)
  kept <- if (dtype == "uint32") "int64" else "int32"
  tell_once(as.character(dtype), paste0("`tf$", dtype, "`: such numbers are kept as ", kept,
    ", so that sums and products of them do not wrap."))
  kept
}

#' Truncated, and wrapped or clipped where the dtype has no such number.
#' @noRd
cast_as_tensorflow <- function(x, dtype, saturate = FALSE, fun = calling_function()) {
  kept <- kept_dtype(dtype, fun)
  if (!is_narrow(dtype)) return(if (saturate) op_saturate_cast(x, kept) else op_cast(x, kept))
  ends <- narrow_dtypes[[dtype]]
  x <- as_value(tensor(x))
  if (saturate) {
    x <- if (tensor_dtype(x) == "bool") x else op_clip(x, ends[1], ends[2])
    return(mark_bytes(op_cast(x, kept), dtype))
  }
  whole <- op_cast(x, "int64")
  mark_bytes(op_cast(op_add(op_floor_mod(op_subtract(whole, ends[1]), ends[2] - ends[1] + 1), ends[1]), kept), dtype)
}

#' Numbers that are given as such of a dtype must be.
#' @noRd
value_of_dtype <- function(x, dtype, fun) {
  kept <- kept_dtype(dtype, fun)
  if (!is_narrow(dtype)) return(tf_value(x, kept, fun))
  x <- tf_value(x, kept, fun)
  ends <- narrow_dtypes[[dtype]]
  numbers <- if (!is_symbolic(x)) as.array(x)
  wrong <- numbers < ends[1] | numbers > ends[2]
  if (any(wrong)) abort("`value` has ", format(numbers[wrong][1]), ", but ", as.character(dtype), " goes from ",
    format(ends[1]), " to ", format(ends[2]), fun = fun)
  mark_bytes(x, dtype)
}

mark_bytes <- function(x, dtype = "uint8") if (dtype == "uint8") with_note(x, "bytes", TRUE) else x
is_byte_tensor <- function(x) is_tensor(x) && isTRUE(attr(x, "bytes"))

#' Floats from 0 to 1 as 0 .. 255.
#' @noRd
bytes_of <- function(x) mark_bytes(op_cast(op_clip(op_multiply(x, 255.5), 0, 255), "int32"))

refuse_bytes_unknown <- function(arg, fun) abort("`", arg, "` has whole numbers, whose range is known only of what ",
  "`tf$image$decode_jpeg()` and its like give: `tf$cast(", arg, ", tf$float32) / 255` makes floats of up to 255",
  class = "dtype", fun = fun)

convert_picture <- function(image, dtype, saturate, fun = calling_function()) {
  force(saturate)
  x <- tf_tensor(image)
  from <- if (is_byte_tensor(image)) "uint8" else tensor_dtype(x)
  dtype <- as.character(check_choice(dtype, c("float32", "float64", "uint8"), fun = fun))
  if (from == dtype) return(image)
  if (startsWith(from, "float")) {
    if (dtype != "uint8") return(op_cast(x, dtype))
    kept_dtype(dtype, fun)
    return(if (saturate) bytes_of(x) else cast_as_tensorflow(op_multiply(x, 255.5), dtype, FALSE, fun))
  }
  if (from != "uint8") refuse_bytes_unknown("image", fun)
  op_multiply(op_cast(x, dtype), 1 / 255)
}
