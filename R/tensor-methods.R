# Tensors in R's own words: operators, Math, Summary, `[`, `$` and conversions. Each is another spelling of op_*(),
# so tapes record it, traced functions may use it, and nothing is computed here.

#' Operators and functions for tensors
#'
#' R's operators and functions work on [tensor()]s and [variable()]s: each runs the op of the same meaning.
#'
#' * **Operators**: `+ - * / ^ %/% %%`, comparisons, `& | !`. Shapes broadcast as in [op_add()]: aligned at the right,
#'   not recycled down the columns. Plain R values take the dtype of the tensor, on either side; a fraction meets an
#'   integer tensor with an error. Two tensors of different dtype are an error, too. `/` of integers gives float64.
#'   `%*%` is [op_matmul()] in R 4.3 and later; before, R offers no way in, so call [op_matmul()]. The same holds for
#'   `crossprod()` and `tcrossprod()` in R 4.4.
#' * **Math**: `abs sign sqrt floor ceiling trunc round exp expm1 log log2 log10 log1p`, the trigonometric and
#'   hyperbolic functions, `lgamma digamma`, `Re Im Mod Arg Conj` of real numbers, `cumsum` and `cumprod` of one axis,
#'   `is.finite is.infinite is.nan is.na`.
#' * **Summary**: `sum prod min max range any all mean`, with `axis` (1-based, negative from the end; `NULL` for all)
#'   and `keepdims`. Logical values count as integers; `mean()` of integers is float64.
#' * **`[`**: see below. `[<-` changes numbers of a [variable()] in place; of a tensor, which does not change, it is an
#'   error.
#' * **Shape**: `dim length nrow ncol t aperm cbind rbind`, and `rep` of one axis. As in R, `t()` makes one row of a
#'   vector. `c()` makes a list.
#' * **Conditions**: R's `if`, `while`, `&&`, `||`, `stopifnot()`, `isTRUE()` and `switch()` take no tensors, but
#'   `as.logical(x > 0)`; in [autograph()] they do.
#' * **Not of tensors**, as R leaves no way in: `ifelse() pmin() pmax()`, which are [op_where()], [op_minimum()] and
#'   [op_maximum()]; `rowSums() colMeans()` and their like, which are `sum(x, axis = 2)`, `mean(x, axis = 1)`; `which()
#'   which.max() match() %in% diag() var()`, which take `as.array(x)`.
#' * **To R**: `as.array as.matrix as.vector as.numeric as.integer as.logical as.character all.equal summary`,
#'   and `as.raster` for pictures.
#'
#' @section Indices:
#' One index per axis, 1-based. An empty index keeps the axis, a number drops it (unless `drop = FALSE`), vectors of
#' numbers and logical vectors keep it, and so do ranges written `a:b`. Negative numbers count **from the end**, as in
#' Python: `x[-1]` is the last element, `x[2:-1, ]` all rows but the first, `x[1:-1:2, ]` every second; `NA` is the end
#' of the axis. `all_dims()` or `..` stands for as many empty indices as are missing, `NULL` for a new axis. A tensor
#' as an index is **0-based**, as class labels and token ids are (see [op_gather()]).
#'
#' Ends of ranges may be left open, `x[2:NULL, ]`, or be written in backticks as Python's slices: `` x[`2:`, ] ``,
#' `` x[`::2`, ] ``. As in R's package tensorflow, `options(tensorflow.extract.style = "python")`, or
#' `x[..., style = "python"]`, counts from 0 and leaves the end of a range out, and
#' `options(tensorflow.extract.one_based = FALSE)` counts from 0 and takes it in. A range of tensors,
#' `tf$constant(2L):tf$constant(5L)`, is always Python's.
#'
#' @section Members:
#' `x$numpy()` is `as.array(x)`; `x$shape`, with `x$shape$as_list()` and 1-based `x$shape[[i]]`; `x$dtype`, which
#' compares with strings; `x$ndim`, `x$device`. Variables have `x$name`, `x$trainable`, `x$value()`, and
#' `x$assign(value)`, `x$assign_add(value)`, `x$assign_sub(value)`, which change the variable in place and return it
#' invisibly.
#'
#' @section Errors: `nativenet_error_dtype` for tensors of different dtype; `nativenet_error_shape` for shapes that do
#'   not broadcast; `nativenet_error_index` for indices beyond an axis, or too few or many; `nativenet_error_value` for
#'   the rest.
#' @return A tensor; what the name says from conversions.
#' @examples
#' x <- tensor(matrix(1:6, 2), "float32")
#' 2 * x + 1
#' (x - mean(x)) / sqrt(mean((x - mean(x))^2))
#' sum(x, axis = 1)
#' x[2, ]
#' x[, 2:-1]
#' x[all_dims(), 1]
#' x$shape
#'
#' w <- variable(c(1, 2), name = "w")
#' w$assign_add(c(10, 10))
#' w
#' @name tensor-methods
NULL

# ---- operators ----

# The commonest have methods of their own, as R takes longer to find a group's.
#' @export
`+.nn_tensor` <- function(e1, e2) if (missing(e2)) as_value(e1) else apply_op("add", list(e1, e2))
#' @export
`-.nn_tensor` <- function(e1, e2) if (missing(e2)) op_negative(e1) else apply_op("subtract", list(e1, e2))
#' @export
`*.nn_tensor` <- function(e1, e2) apply_op("multiply", list(e1, e2))
#' @export
`/.nn_tensor` <- function(e1, e2) true_divide(e1, e2)

# Where two classes meet in an operator, R asks that both give one method. Layers and symbolic tensors have the
# tensors': layers are refused there, symbolic tensors make a layer of the call (R/layer-op.R). R 4.3 and later ask who
# will do it, and tensors will, whatever it is that they meet.
#' @rawNamespace
#' S3method("+", nn_layer, "+.nn_tensor")
#' S3method("-", nn_layer, "-.nn_tensor")
#' S3method("*", nn_layer, "*.nn_tensor")
#' S3method("/", nn_layer, "/.nn_tensor")
#' S3method(Ops, nn_layer, Ops.nn_tensor)
#' S3method("==", nn_layer, "==.nn_tensor")
#' S3method("!=", nn_layer, "!=.nn_tensor")
#' S3method("+", nn_keras_tensor, "+.nn_tensor")
#' S3method("-", nn_keras_tensor, "-.nn_tensor")
#' S3method("*", nn_keras_tensor, "*.nn_tensor")
#' S3method("/", nn_keras_tensor, "/.nn_tensor")
#' S3method(Ops, nn_keras_tensor, Ops.nn_tensor)
#' S3method("==", nn_keras_tensor, "==.nn_tensor")
#' S3method("!=", nn_keras_tensor, "!=.nn_tensor")
#' S3method("==", nn_shape, "==.nn_tensor")
#' S3method("!=", nn_shape, "!=.nn_tensor")
#' S3method(Math, nn_keras_tensor, Math.nn_tensor)
#' S3method(Summary, nn_keras_tensor, Summary.nn_tensor)
#' S3method(mean, nn_keras_tensor, mean.nn_tensor)
#' S3method(sort, nn_keras_tensor, sort.nn_tensor)
#' S3method(Complex, nn_keras_tensor, Complex.nn_tensor)
#' S3method(rep, nn_keras_tensor, rep.nn_tensor)
#' S3method(t, nn_keras_tensor, t.nn_tensor)
#' S3method(aperm, nn_keras_tensor, aperm.nn_tensor)
#' S3method(cbind, nn_keras_tensor, cbind.nn_tensor)
#' S3method(rbind, nn_keras_tensor, rbind.nn_tensor)
#' S3method(is.finite, nn_keras_tensor, is.finite.nn_tensor)
#' S3method(is.infinite, nn_keras_tensor, is.infinite.nn_tensor)
#' S3method(is.nan, nn_keras_tensor, is.nan.nn_tensor)
#' S3method(is.na, nn_keras_tensor, is.na.nn_tensor)
#' S3method("[[", nn_keras_tensor, "[[.nn_tensor")
#' if (getRversion() >= "4.3.0") {
#'   S3method(chooseOpsMethod, nn_tensor)
#'   S3method(chooseOpsMethod, nn_layer, chooseOpsMethod.nn_tensor)
#'   S3method(chooseOpsMethod, nn_keras_tensor, chooseOpsMethod.nn_tensor)
#'   S3method(matrixOps, nn_keras_tensor, matrixOps.nn_tensor)
#' }
chooseOpsMethod.nn_tensor <- function(x, y, mx, my, cl, reverse) TRUE

#' @export
`==.nn_tensor` <- function(e1, e2) if (of_tensors(e1, e2)) op_equal(e1, e2) else same_shapes(e1, e2)
#' @export
`!=.nn_tensor` <- function(e1, e2) if (of_tensors(e1, e2)) op_not_equal(e1, e2) else !same_shapes(e1, e2)

of_tensors <- function(...) any(vapply(list(...), function(x) is_tensor(x) || is_keras_tensor(x) || is_layer(x),
  NA))

#' Two shapes are equal as a whole, as in TensorFlow; beside numbers a shape is its sizes.
#' @noRd
same_shapes <- function(x, y) {
  sizes <- function(x) if (is_branch(x)) nn_shape(lapply(x, function(n) if (is.null(n)) NA else n)) else x
  x <- sizes(x)
  y <- sizes(y)
  if (inherits(x, "nn_shape") && inherits(y, "nn_shape")) identical(as.integer(x), as.integer(y)) else
    as.vector(x) == as.vector(y)
}

#' @export
Ops.nn_tensor <- function(e1, e2) {
  switch(.Generic,
    "^" = if (are_whole(e1, e2)) whole_power(e1, e2, "^") else power(e1, e2),
    "%/%" = op_floor_divide(e1, e2),
    "%%" = op_floor_mod(e1, e2),
    "<" = op_less(e1, e2),
    "<=" = op_less_equal(e1, e2),
    ">" = op_greater(e1, e2),
    ">=" = op_greater_equal(e1, e2),
    "&" = op_logical_and(e1, e2),
    "|" = op_logical_or(e1, e2),
    "!" = op_logical_not(e1)
  )
}

# Before R 4.3, `%*%` does not look for S3 methods.
#' @rawNamespace if (getRversion() >= "4.3.0") S3method(matrixOps, nn_tensor)
matrixOps.nn_tensor <- function(x, y) {
  if (.Generic == "%*%") return(op_matmul(x, y))
  # crossprod() and tcrossprod() from R 4.4 on; a vector is a column, as in R
  parts <- lapply(list(x, if (is.null(y)) x else y), function(part) if (rank_of(part) > 1) part else
    op_reshape(part, c(-1, 1)))
  op_matmul(parts[[1]], parts[[2]], .Generic == "crossprod", .Generic == "tcrossprod")
}

no_method <- function(generic) abort("tensors have no such function; `as.array()` makes an R array", fun = generic)

is_whole_dtype <- function(dtype) startsWith(dtype, "int")

#' The dtype of the first of two values that is a tensor.
#' @noRd
common_dtype <- function(x, y) tensor_dtype(if (is_tensor(x)) x else y)

#' Integers of one dtype become float64, so that 1 / 2 is not 0. Other pairs are for the op to judge.
#' @noRd
true_divide <- function(x, y) {
  if (!is_tensor(x) && !is_tensor(y)) return(op_divide(x, y))
  dtype <- common_dtype(x, y)
  if (is_whole_dtype(dtype) && (!is_tensor(x) || !is_tensor(y) || tensor_dtype(y) == dtype)) {
    if (is_tensor(x)) x <- op_cast(x, "float64")
    if (is_tensor(y)) y <- op_cast(y, "float64")
  }
  op_divide(x, y)
}

power <- function(x, y) {
  if (is.numeric(y) && length(y) == 1 && is.null(dim(y)) && !is.na(y) && y == 2) return(op_square(if (is.integer(x) &&
    is.integer(y)) tensor(x, "int32") else x))
  op_power(x, y)
}

# ---- functions ----

#' @export
Math.nn_tensor <- function(x, ...) {
  switch(.Generic,
    abs = op_abs(x), sign = op_sign(x), sqrt = op_sqrt(x),
    floor = op_floor(x), ceiling = op_ceiling(x), trunc = op_multiply(op_sign(x), op_floor(op_abs(x))),
    round = round_tensor(x, ...),
    exp = op_exp(x), expm1 = op_expm1(x), log1p = op_log1p(x), log = log_tensor(x, ...),
    log2 = log_tensor(x, 2), log10 = log_tensor(x, 10),
    cos = op_cos(x), sin = op_sin(x), tan = op_tan(x), acos = op_acos(x), asin = op_asin(x), atan = op_atan(x),
    cosh = op_cosh(x), sinh = op_sinh(x), tanh = op_tanh(x),
    cospi = op_cos(half_turns(x)), sinpi = op_sin(half_turns(x)), tanpi = op_tan(half_turns(x)),
    lgamma = op_lgamma(x), digamma = op_digamma(x),
    cumsum = , cumprod = running_tensor(x, .Generic),
    no_method(.Generic)
  )
}

#' pi x, of what is left of x without whole turns: these have the same sine.
#' @noRd
half_turns <- function(x) op_multiply(op_subtract(x, op_multiply(op_round(op_multiply(x, 0.5)), 2)), pi)

round_tensor <- function(x, digits = 0) {
  if (identical(as.double(digits), 0)) return(op_round(x))
  abort("tensors are rounded to whole numbers only: `digits` must be 0, not ", describe(digits), fun = "round")
}

log_tensor <- function(x, base = exp(1)) {
  if (identical(base, exp(1))) return(op_log(x))
  op_divide(op_log(x), if (is_tensor(base)) op_log(base) else log(base))
}

running_tensor <- function(x, name) {
  if (length(dim(x)) <= 1) return(running(name, if (length(dim(x))) x else op_reshape(x, 1), 1, FALSE, FALSE))
  abort("a tensor of shape ", format_shape(dim(x)), " has several axes; name one: `op_", name, "(x, axis)`", fun = name)
}

#' @export
is.finite.nn_tensor <- function(x) op_is_finite(x)
#' @export
is.infinite.nn_tensor <- function(x) op_is_inf(x)
#' @export
is.nan.nn_tensor <- function(x) op_is_nan(x)
#' @export
is.na.nn_tensor <- function(x) op_is_nan(x)
#' @export
anyNA.nn_tensor <- function(x, recursive = FALSE) as.logical(op_any(op_is_nan(x)))

# ---- sums and extremes ----

#' @export
Summary.nn_tensor <- function(x, ..., axis = NULL, keepdims = FALSE, na.rm = FALSE) {
  if (!identical(na.rm, FALSE)) abort("tensors keep NaN: `na.rm` must be FALSE", fun = .Generic)
  if (.Generic == "range") {
    return(op_stack(list(min(x, ..., axis = axis, keepdims = keepdims), max(x, ..., axis = axis, keepdims = keepdims)),
      -1))
  }
  is_test <- .Generic %in% c("any", "all")
  if (is_test != (tensor_dtype(x) == "bool")) x <- op_cast(x, if (is_test) "bool" else "int32")
  reduce <- switch(.Generic, sum = op_sum, prod = op_prod, min = op_min, max = op_max, any = op_any, all = op_all)
  join <- switch(.Generic,
    sum = op_add, prod = op_multiply, min = op_minimum, max = op_maximum, any = op_logical_or, all = op_logical_and
  )
  result <- reduce(x, axis, keepdims)
  for (y in list(...)) result <- join(result, reduce(if (is_tensor(y)) y else tensor(y, tensor_dtype(x)), axis,
    keepdims))
  result
}

#' @export
mean.nn_tensor <- function(x, ..., axis = NULL, keepdims = FALSE, na.rm = FALSE) {
  if (!identical(na.rm, FALSE)) abort("tensors keep NaN: `na.rm` must be FALSE", fun = "mean")
  check_no_more(list(...), "mean")
  if (!startsWith(tensor_dtype(x), "float")) x <- op_cast(x, "float64")
  op_mean(x, axis, keepdims)
}

#' @importFrom stats median
#' @export
median.nn_tensor <- function(x, na.rm = FALSE, ...) {
  if (!identical(na.rm, FALSE)) abort("tensors keep NaN: `na.rm` must be FALSE", fun = "median")
  check_no_more(list(...), "median")
  op_median(x)
}

#' @importFrom stats quantile
#' @export
quantile.nn_tensor <- function(x, ...) no_method("quantile")

#' @importFrom stats na.omit
#' @export
na.omit.nn_tensor <- function(object, ...) no_method("na.omit")

#' @export
diff.nn_tensor <- function(x, ...) no_method("diff")

#' @export
cut.nn_tensor <- function(x, ...) no_method("cut")

#' Of one axis, in the order in which they come.
#' @export
#' @noRd
unique.nn_tensor <- function(x, incomparables = FALSE, nmax = NA, ...) {
  first <- !duplicated.nn_tensor(x, incomparables, ..., fun = "unique")
  op_gather(x, array(which(first) - 1L, sum(first)), 1)
}

#' @export
duplicated.nn_tensor <- function(x, incomparables = FALSE, ..., fun = "duplicated") {
  check_no_more(list(...), fun)
  if (!identical(incomparables, FALSE)) abort("`incomparables` must be FALSE", fun = fun)
  if (length(dim(x)) != 1) abort("needs a tensor of one axis, not one of shape ", format_shape(dim(x)),
    "; `as.vector(x)` gives its numbers", class = "shape", fun = fun)
  duplicated(as.vector(x))
}

#' @export
anyDuplicated.nn_tensor <- function(x, incomparables = FALSE, ...) c(which(duplicated.nn_tensor(x, incomparables, ...,
  fun = "anyDuplicated")), 0L)[1]

#' @export
sort.nn_tensor <- function(x, decreasing = FALSE, ...) {
  if (length(dim(x)) != 1) abort("a tensor of one axis is sorted, not one of shape ", format_shape(dim(x)),
    "; `op_sort(x, axis)` sorts along any", class = "shape", fun = "sort")
  op_sort(x, 1, decreasing)
}

#' Real numbers, which are complex ones without an imaginary part.
#' @export
#' @noRd
Complex.nn_tensor <- function(z) switch(.Generic, Re = , Conj = z, Mod = op_abs(z), Im = op_zeros_like(z),
  Arg = op_multiply(op_cast(op_less(z, 0), if (startsWith(tensor_dtype(z), "float")) tensor_dtype(z) else "float64"),
    pi))

#' @export
rep.nn_tensor <- function(x, times = 1, length.out = NA, each = 1, ...) {
  if (identical(sys.function(sys.parent()), base::ifelse)) abort("takes no tensors: `op_where(test, yes, no)` does",
    fun = "ifelse")
  check_no_more(list(...), "rep")
  if (rank_of(x) > 1) abort("a tensor of one axis is repeated, not one of shape ", format_shape(dim(x)),
    "; `op_tile()` repeats along any", class = "shape", fun = "rep")
  x <- op_reshape(x, -1)
  if (length(times) == 1 && missing(each) && missing(length.out)) return(op_tile(x, check_count(times, min = 0,
    fun = "rep")))
  each <- check_count(each, min = 0, fun = "rep")
  if (length(times) > 1 && length(times) != length(x) * each) abort("`times` must be one number, or one for each of ",
    length(x) * each, ", not ", length(times), fun = "rep")
  at <- rep(seq_along(x) - 1L, times = check_whole(times, min = 0, fun = "rep"), each = each, length.out = if (
    is.na(length.out)) NA else check_count(length.out, min = 0, fun = "rep"))
  op_gather(x, array(at, length(at)), 1)
}

#' @export
determinant.nn_tensor <- function(x, logarithm = TRUE, ...) determinant(as.matrix(x), logarithm, ...)

#' @export
xtfrm.nn_tensor <- function(x) as.vector(as.array(x))

# ---- shape ----

#' @export
t.nn_tensor <- function(x) {
  rank <- rank_of(x)
  if (rank > 2) abort("a tensor of ", rank, " axes; `aperm()` permutes any number", class = "shape", fun = "t")
  if (rank == 2) op_transpose(x) else op_reshape(x, c(1, length(x)))
}

#' @export
aperm.nn_tensor <- function(a, perm = NULL, ...) op_transpose(a, perm)

#' @export
cbind.nn_tensor <- function(..., deparse.level = 1) bind(list(...), 2)

#' @export
rbind.nn_tensor <- function(..., deparse.level = 1) bind(list(...), 1)

#' As in R, vectors become columns (or rows) and plain numbers are repeated.
#' @noRd
bind <- function(parts, axis) {
  fun <- c("rbind", "cbind")[axis]
  parts <- Filter(Negate(is.null), parts)
  sizes <- vapply(parts, function(p) if (rank_of(p) == 2) dim(p)[3 - axis] else length(p), 0L)
  size <- if (any(vapply(parts, rank_of, 0L) == 2)) max(sizes[vapply(parts, rank_of, 0L) == 2]) else max(sizes)
  op_concat(lapply(parts, function(p) {
    if (rank_of(p) == 2) return(p)
    if (rank_of(p) > 2) abort("needs matrices and vectors, not a tensor of shape ", format_shape(dim(p)),
      class = "shape", fun = fun)
    if (!is_tensor(p) && length(p) == 1) p <- rep(p, size)
    shape <- if (axis == 2) c(length(p), 1L) else c(1L, length(p))
    if (is_tensor(p)) op_reshape(p, shape) else array(p, shape)
  }), axis)
}

# ---- to R ----

#' @export
as.vector.nn_tensor <- function(x, mode = "any") {
  as.vector(as.array(x), check_choice(mode, c("any", "logical", "integer", "numeric", "double", "complex", "character",
    "list")))
}
#' @export
as.data.frame.nn_tensor <- function(x, row.names = NULL, optional = FALSE, ...) as.data.frame(as.array(x),
  row.names = row.names, optional = optional, ...)
#' @export
as.integer.nn_tensor <- function(x, ...) as.integer(as.array(x))
#' @export
as.logical.nn_tensor <- function(x, ...) as.logical(as.array(x))
#' @export
as.character.nn_tensor <- function(x, ...) as.character(as.array(x))

#' @method all.equal nn_tensor
#' @export
all.equal.nn_tensor <- function(target, current, ...) {
  if (is_tensor(current)) return(all.equal(as.array(target), as.array(current), ...))
  if (is.null(current) || !is.atomic(current)) return(paste("target is a tensor, current is", describe(current)))
  # a vector has no dim in R, but a tensor of one axis gives an array
  all.equal(as.array(target), if (is.null(dim(current)) && length(current) != 1) as.array(current) else current, ...)
}

#' @export
summary.nn_tensor <- function(object, ...) if (is_symbolic(object)) format(object) else summary(as.vector(object), ...)

# ---- what is said once, what does not change ----

tell_once <- function(topic, text) {
  if (topic %in% session$told) return(invisible())
  session$told <- c(session$told, topic)
  message(text, "\n(This is said once per session.)")
}

refuse_change <- function(x, ..., value) {
  abort(
    "a tensor does not change. Compute a new one, for example with `op_where()`; a `variable()` takes new numbers ",
    "with `$assign()`", fun = NULL)
}

#' @export
`[[<-.nn_tensor` <- refuse_change
#' @export
`$<-.nn_tensor` <- refuse_change
#' @export
`dim<-.nn_tensor` <- function(x, value) refuse_change(x)
#' @export
`length<-.nn_tensor` <- function(x, value) refuse_change(x)
#' @export
`names<-.nn_tensor` <- function(x, value) abort("tensors have no names", fun = NULL)

#' @export
`[[.nn_tensor` <- function(x, ...) {
  if (...length() == 1 && is.character(..1)) return(tensor_member(x, check_name(..1, "[[")))
  if (!all(vapply(list(...), function(i) is_number(i) || is_tensor(i), NA))) abort("takes one number per axis",
    class = "index", fun = "[[")
  x[...]
}

# ---- members ----

tensor_members <- list(
  shape = function(x) nn_shape(dim(x)),
  dtype = function(x) nn_dtype(tensor_dtype(x)),
  ndim = function(x) length(dim(x)),
  device = function(x) "CPU",
  numpy = function(x) function() as.array(x),
  get_shape = function(x) function() nn_shape(dim(x)),
  set_shape = function(x) function(shape) invisible(check_shape_of(x, shape))
)

#' A shape that the tensor must have; NA or NULL for any size.
#' @noRd
check_shape_of <- function(x, shape, fun = "set_shape") {
  sizes <- as.integer(vapply(as.list(shape), function(n) if (is.null(n)) NA_real_ else as.double(n), 0))
  if (length(sizes) != length(dim(x)) || any(sizes != dim(x), na.rm = TRUE)) abort("the tensor has the shape ",
    format_shape(dim(x)), ", not ", format_shape(sizes), class = "shape", fun = fun)
  x
}

variable_members <- list(
  name = function(x) variable_name(x),
  trainable = function(x) is_trainable(x),
  value = function(x) function() as_value(x),
  read_value = function(x) function() as_value(x),
  initialized_value = function(x) function() as_value(x),
  # what they take besides is for graphs
  assign = function(x) function(value, ...) variable_assign(x, value),
  assign_add = function(x) function(delta, ...) variable_assign(x, unrecorded(op_add(x, as_change(x, delta)))),
  assign_sub = function(x) function(delta, ...) variable_assign(x, unrecorded(op_subtract(x, as_change(x, delta))))
)

# Of a part of a variable, as `v[1, ]` gives it: it changes in place.
part_members <- list(
  assign = function(x, part) function(value, ...) change_part(part, value),
  assign_add = function(x, part) function(delta, ...) change_part(part, unrecorded(op_add(x, as_change(x, delta)))),
  assign_sub = function(x, part) function(delta, ...) change_part(part, unrecorded(op_subtract(x,
    as_change(x, delta))))
)

#' The variable, with another value in that part.
#' @noRd
change_part <- function(part, value) invisible(assign_part(part$variable, part$indices, value, "assign"))

#' Whole numbers, such as sizes, are added to floats as those.
#' @noRd
as_change <- function(x, delta) {
  whole <- is_tensor(delta) && tensor_dtype(delta) %in% c("int32", "int64")
  if (whole && tensor_dtype(x) %in% float_dtypes) op_cast(delta, tensor_dtype(x)) else delta
}

members_of <- function(x) c(tensor_members, if (is_variable(x)) variable_members)

tensor_member <- function(x, name) {
  members <- members_of(x)
  if (!is.null(members[[name]])) return(members[[name]](x))
  if (name == "_keras_mask") return(attr(x, "mask")) # of the layer that made it, or NULL
  part <- attr(x, "part")
  if (!is.null(part) && name %in% names(part_members)) return(part_members[[name]](x, part))
  if (name %in% names(variable_members)) {
    abort("only a variable has `$", name,
      "`; this is a plain tensor, whose numbers do not change. `variable()` makes a variable of it", fun = NULL)
  }
  abort("a ", if (is_variable(x)) "variable" else "tensor", " has no `$", name, "`", did_you_mean(name, names(members)),
    fun = NULL)
}

#' @export
`$.nn_tensor` <- function(x, name) tensor_member(x, name)

#' @method .DollarNames nn_tensor
#' @importFrom utils .DollarNames
#' @export
.DollarNames.nn_tensor <- function(x, pattern = "") grep(pattern, names(members_of(x)), value = TRUE)
