# Numbers from R: what the class of a vector makes of its numbers. All that comes in goes through here, so that no class
# is taken for its storage: an integer64 lies in the bits of doubles, a Date is not a count of apples.

#' Classes that leave numbers what they are.
#' @noRd
plain_classes <- c(
  "AsIs", "table", "xtabs", "ts", "mts", "zoo", "zooreg", "xts", "roman", "octmode", "hexmode", "noquote", "poly", "bs",
  "ns", "basis", "loadings", "pseries", "labelled", "nn_image", "nn_shape", "nn_eager_number",
  "nn_optimizer_number", "matrix", "array", "numeric", "integer", "double", "logical"
)

#' How to get numbers from what is refused.
#' @noRd
conversions <- c(
  factor = "`as.integer(x) - 1L` gives its codes from 0, `to_categorical(x)` a column per level",
  Date = "`as.numeric(x)` gives days since 1970-01-01",
  POSIXct = "`as.numeric(x)` gives seconds since 1970-01-01",
  POSIXlt = "`as.numeric(as.POSIXct(x))` gives seconds since 1970-01-01",
  difftime = "`as.numeric(x, units = \"days\")` gives numbers of a unit that you choose",
  units = "`units::drop_units(x)` gives the numbers",
  haven_labelled = "`haven::zap_labels(x)` gives the codes as numbers, `haven::as_factor(x)` classes",
  labelled = "`unclass(x)` gives the codes as numbers, `factor(x)` classes",
  Surv = "`x[, \"time\"]` gives the times, `x[, \"status\"]` the events",
  dist = "`as.matrix(x)` gives the distances as a matrix",
  sparseVector = "`as.numeric(x)` gives the numbers",
  data.frame = "`as.matrix(x)` or a column, `x$name`, gives numbers",
  complex = "`Re(x)`, `Im(x)`, `Mod(x)` and `Arg(x)` are numbers",
  character = "`as.numeric(x)` reads numbers, `factor(x)` makes classes; layers that read strings take them as they are"
)

is_integer64 <- function(x) identical(oldClass(x), "integer64") && is.double(x)

#' What an object of a class that means nothing else stands for, as a bare array or a bare integer64; others unchanged.
#' @noRd
without_class <- function(x) {
  if (!is.object(x)) return(x)
  if (isS4(x)) return(if (is_matrix_object(x)) without_class(as.matrix(x)) else x)
  own <- setdiff(oldClass(x), if (is.null(attr(x, "labels"))) plain_classes else setdiff(plain_classes, "labelled"))
  if (!is.atomic(x) || length(own) && !identical(own, "integer64")) return(x)
  kept <- attributes(x)
  kept <- kept[names(kept) %in% c("names", "dim", "dimnames")]
  x <- unclass(x)
  attributes(x) <- kept
  oldClass(x) <- if (length(own)) own
  x
}

#' Matrices of package Matrix, dense and sparse.
#' @noRd
is_matrix_object <- function(x) typeof(x) == "S4" && requireNamespace("Matrix", quietly = TRUE) && is(x, "Matrix")

#' Numbers or logical values as the engine takes them: a bare array, or an integer64, which is exact there.
#' @noRd
bare_numbers <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_bare(x)) return(x)
  if (is_keras_tensor(x)) needs_values(x)
  force(arg) # as it was called, before x is another
  x <- without_class(x)
  if (is_bare(x) || is_integer64(x)) return(x)
  abort("`", arg, "` must be a numeric or logical array, not ", describe(x), conversion_hint(x, arg), fun = fun)
}

is_bare <- function(x) (is.numeric(x) || is.logical(x) || is.raw(x)) && !is.object(x)

conversion_hint <- function(x, arg) {
  hint <- conversions[intersect(c(class(x), if (isS4(x)) is(x), typeof(x)), names(conversions))][1]
  if (is.na(hint) && is.object(x) && is.numeric(x)) hint <- "`unclass(x)` gives the numbers that it is stored as"
  if (!is.na(hint)) paste0("; ", gsub("\\bx\\b", arg, hint))
}

#' The same for those who look at numbers in R: an integer64 becomes doubles. Above 2^53 that is an error.
#' @noRd
check_numbers <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_bare(x)) return(x)
  x <- bare_numbers(x, force(arg), fun)
  if (!is.object(x)) return(x)
  kept <- attributes(x)
  kept$class <- NULL
  x <- tryCatch(as.array(tensor(x, "float64")), nativenet_error_value = function(e) {
    abort("`", arg, "`: ", error_text(e), fun = fun)
  })
  `attributes<-`(x, kept)
}

#' What ops take as they are: tensors and symbolic ones, or numbers.
#' @noRd
check_value <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_tensor(x) || is_keras_tensor(x)) x else check_numbers(x, arg, fun)
}

#' An argument of numbers: those of a plain class are bare, what is none is left to the check that names it.
#' @noRd
plain_argument <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  force(arg)
  if (!is.object(x) || is_tensor(x) || is_strings(x)) return(x)
  if (is_keras_tensor(x)) needs_values(x)
  bare <- without_class(x)
  if (is_integer64(bare)) check_numbers(bare, arg, fun) else bare
}

#' The same for what may also come as a list of numbers.
#' @noRd
plain_vector <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_branch(x)) unlist(lapply(x, plain_vector, arg, fun)) else plain_argument(x, arg, fun)
}

#' What C asks for where it meets anything but bare numbers.
#' @noRd
numbers_for_engine <- function(x) {
  if (is_layer(x)) {
    abort("there is no arithmetic with ", describe(x), ": call it on a tensor and go on with the result",
      fun = user_function())
  }
  bare_numbers(x, "x", user_function())
}

check_number <- function(x, min = -Inf, max = Inf, above = -Inf, below = Inf,
                         arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  if (is.object(x)) x <- plain_argument(x, arg, fun)
  if (is_number(x) && x >= min && x <= max && x > above && x < below) return(as.double(x))
  range <- c(
    if (above > -Inf) sprintf("above %g", above),
    if (min > -Inf) sprintf("at least %g", min),
    if (below < Inf) sprintf("below %g", below),
    if (max < Inf) sprintf("at most %g", max)
  )
  wanted <- if (length(range)) paste("a number", paste(range, collapse = " and ")) else "a finite number"
  abort("`", arg, "` must be ", wanted, ", not ", describe(x), fun = fun)
}

#' Whole numbers may come as doubles (`epochs = 10`), as R users write them.
#' @noRd
check_count <- function(x, min = 1, max = .Machine$integer.max,
                        arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  if (is.object(x)) x <- plain_argument(x, arg, fun)
  if (is_tensor(x) && !is_symbolic(known_value(x)) && !length(dim(x))) x <- as.vector(as.array(x))
  if (is_number(x) && x == round(x) && x >= min && x <= max) return(if (abs(x) <= .Machine$integer.max)
    as.integer(x) else as.double(x))
  wanted <- if (min == -max) "a whole number" else switch(as.character(min),
    "1" = "a positive whole number", "0" = "a whole number, zero or more",
    sprintf("a whole number of at least %g", min)
  )
  if (max < .Machine$integer.max) wanted <- sprintf("%s and at most %.0f", wanted, max)
  abort("`", arg, "` must be ", wanted, ", not ", describe(x), fun = fun)
}

#' Whole numbers in a vector, a list or a tensor, of a size that R's integers have.
#' @noRd
check_whole <- function(x, min = -.Machine$integer.max, max = .Machine$integer.max,
                        arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  numbers <- plain_numbers(x, arg, fun)
  if (are_numbers(numbers) && all(is.finite(numbers)) && all(numbers == round(numbers))) {
    if (all(numbers >= min & numbers <= max)) return(as.double(numbers))
    outside <- numbers[numbers < min | numbers > max][1]
    range <- if (outside < min) paste("at least", format(min, digits = 15)) else
      paste("at most", format(max, digits = 15))
    abort("`", arg, "` must be whole numbers of ", range, ", not ", describe(outside), fun = fun)
  }
  abort("`", arg, "` must be whole numbers, not ", describe(x), fun = fun)
}

#' Finite numbers in a vector, a list or a tensor.
#' @noRd
check_reals <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  numbers <- plain_numbers(x, arg, fun)
  if (are_numbers(numbers) && all(is.finite(numbers))) return(as.double(numbers))
  abort("`", arg, "` must be finite numbers, not ", describe(x), fun = fun)
}

#' A list of numbers, or a tensor, as a vector; anything else as it is.
#' @noRd
plain_numbers <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (are_numbers(x)) return(x)
  for (part in if (is_branch(x)) x) if (is_keras_tensor(part)) needs_values(part)
  x <- if (is_branch(x)) lapply(x, known_value) else known_value(x)
  if (is_tensor(x)) return(if (is_symbolic(x)) x else as.array(x))
  one <- function(x) is_number(if (is_tensor(x) && !is_symbolic(x)) as.array(x) else x)
  if (is_branch(x) && all(vapply(x, one, NA))) return(vapply(x, as.double, 0, USE.NAMES = FALSE))
  if (is.object(x)) plain_argument(x, arg, fun) else x
}

#' A result of user code, a number or a tensor, as R's number.
#' @noRd
plain_number <- function(x) as.double(if (is_tensor(x)) as.array(x) else x)

#' A seed for R's generator, or for another one that takes larger numbers; NULL leaves it as it stands.
#' @noRd
check_seed <- function(seed, arg = "seed", fun = calling_function(), max = .Machine$integer.max) {
  if (is.null(seed)) NULL else check_count(seed, min = -max, max = max, arg = arg, fun = fun)
}

#' @export
in_words.integer64 <- function(x) if (is_integer64(x)) describe(check_numbers(x))

as_number_matrix <- function(x, arg, fun) {
  if (!length(x)) abort("`", arg, "` has no columns", class = "shape", fun = fun)
  columns <- Map(function(column, name) {
    inner <- paste0(arg, "$", name)
    if (is.data.frame(column)) as_number_matrix(column, inner, fun) else plain_argument(column, inner, fun)
  }, as.list(x), names(x))
  bad <- which(!vapply(columns, function(column) is_bare(column) && length(dim(column)) < 3, NA))[1]
  if (!is.na(bad)) {
    abort("`", arg, "` must hold numbers, but column `", names(x)[bad], "` is ", describe(columns[[bad]]),
      conversion_hint(columns[[bad]], paste0(arg, "$", names(x)[bad])), fun = fun)
  }
  as.matrix(structure(columns, class = "data.frame", row.names = .set_row_names(nrow(x))))
}
