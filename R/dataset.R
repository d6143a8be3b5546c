# Data sets: recipes for elements, one after the other. Nothing runs until somebody iterates, and each iteration starts
# afresh. A verb makes a new recipe and leaves the old one as it was.
#
# Two kinds. Native ones are chains of stages that the engine walks (src/run/stream.h): slices of arrays, traced
# functions, shuffles. All others are pulled in R, element by element. A verb stays native where it can.

#' @param spec the structure of an element, with a tensor_spec() for each tensor; NULL: not known before it is there.
#' @param size how many elements: Inf, or NA if that is not known.
#' @param stages for native ones: a function of `add`, which adds a stage and gives its number.
#' @param pull a function that starts an iteration and gives a function: the next element, or NULL at the end.
#' @param from the data sets that it takes elements from, which a verb has as its arguments; names of columns that are
#'   theirs but not in `spec` were lost on the way.
#' @noRd
new_dataset <- function(spec, size, stages = NULL, pull = NULL, from = datasets_in(parent.frame())) {
  self <- list(spec = spec, size = as.double(size), stages = stages)
  columns <- lapply(tensor_leaves(spec), `[[`, "columns")
  if (!all_null(columns)) self$columns <- columns
  self$named <- !is.null(self$columns) || any(vapply(from, `[[`, NA, "named"))
  for (d in from) self$options <- utils::modifyList(as.list(self$options), as.list(d$options))
  start <- if (is.null(stages)) pull else function() stream_puller(self, 0L, FALSE)
  self$pull <- function() ending_once(start())
  structure(list2env(self, parent = emptyenv()), class = c("nn_dataset", python_classes$dataset))
}

datasets_in <- function(frame) Filter(is_dataset,
  tensor_leaves(mget(c("dataset", "datasets", "all"), envir = frame, ifnotfound = list(NULL))))

# What has ended stays so, whoever asks again.
ending_once <- function(pull) {
  ended <- FALSE
  structure(function() {
    if (ended) return(NULL)
    element <- pull()
    ended <<- is.null(element)
    element
  }, batches = attr(pull, "batches"))
}

most_tensors <- 64 # in an element of a native data set: MAX_COMPONENTS in src/run/stream.h
most_inputs <- 8   # MAX_STAGE_INPUTS

has_stages <- function(x) !is.null(x$stages)

check_dataset <- function(x, arg = "dataset", fun = calling_function()) {
  if (is_dataset(x)) return(x)
  abort("`", arg, "` must be a data set, such as `tensor_slices_dataset()` makes, not ", describe(x), fun = fun)
}

#' An element whose tensors know what their columns are called, as far as the data set does (R/model-names.R);
#' character() for names that were lost.
#' @noRd
with_columns <- function(element, dataset) {
  if (!is_dataset(dataset) || !dataset$named) return(element)
  leaves <- tensor_leaves(element)
  for (k in seq_along(leaves)) {
    names <- if (is.null(dataset$columns)) character() else dataset$columns[[k]]
    if (is_tensor(leaves[[k]]) && !is.null(names)) with_note(leaves[[k]], "columns", names)
  }
  element
}

spec_of <- function(x) {
  fill_leaves(x, lapply(tensor_leaves(x, keep_null = TRUE), function(t) {
    if (!is_tensor(t)) return(tensor_spec("string", text_shape(t)))
    info <- tensor_info(t)
    tensor_spec(info[[1]], info[[2]])
  }))
}

# ---- native stages ----

#' A stage as src/border/r_stream.c reads it.
#' @noRd
stage <- function(kind, inputs = integer(), a = 0, b = 0, reshuffle = 0, seed = NA_real_, source = NULL, dims = list(),
  dtypes = list(), trace = NULL) {
  list(enum_code("stage", kind), as.integer(inputs), as.double(c(a, b, reshuffle, seed)),
    if (is.null(trace)) source else trace$program, lapply(dims, as.integer), lapply(dtypes, dtype_code), trace$inputs,
    trace$outputs)
}

new_stream <- function(dataset) {
  stages <- list()
  dataset$stages(function(...) {
    new <- stage(...) # adds those below first
    stages <<- c(stages, list(new))
    length(stages) - 1L
  })
  .Call(C_stream_new, stages)
}

#' n = 0: elements; else batches of up to n, which training may also take from the stream itself.
#' @noRd
stream_puller <- function(dataset, n, whole) {
  stream <- new_stream(dataset)
  spec <- dataset$spec
  single <- inherits(spec, "nn_spec")
  structure(function() {
    tensors <- .Call(C_stream_next, stream, n, whole)
    if (is.null(tensors)) NULL else if (single) tensors[[1]] else fill_leaves(spec, tensors)
  }, batches = if (n > 0) list(stream = stream, size = n, whole = whole))
}

#' A native stage on top of a native data set.
#' @noRd
on_top <- function(dataset, size, kind, ..., spec = dataset$spec) {
  numbers <- list(...)
  new_dataset(spec, size, stages = function(add) {
    below <- dataset$stages(add)
    do.call(add, c(list(kind, below), numbers))
  })
}

# ---- sources ----

#' Create data sets from arrays
#'
#' `tensor_slices_dataset()` takes slices along the first axis: an array of shape (n, 28, 28) gives n elements of shape
#' (28, 28). A list of arrays gives lists, a named list or data frame named lists. `tensors_dataset()` has one
#' element, the whole. `range_dataset()` counts, its end excluded.
#'
#' Arrays of whole numbers from 0 to 255, such as images, are kept as bytes.
#'
#' @param tensors an array, a vector, a tensor, or a list or data frame of these; a table of the package arrow, see
#'   [arrow_dataset()].
#' @param from,to,by numbers.
#' @param ... ignored.
#' @param dtype of the numbers counted.
#' @return A data set.
#' @section Errors: `nativenet_error_shape` if the first axes differ in length.
#' @seealso [dataset_map()], [dataset_shuffle()], [dataset_batch()], [as_iterator()]; [idx_dataset()] for files;
#'   `vignette("tensors-and-tapes")`.
#' @examples
#' images <- array(0:17, c(2, 3, 3))
#' labels <- c(1L, 0L)
#' data <- tensor_slices_dataset(list(images, labels))
#' data
#' iterate(data, function(pair) pair[[2]])
#' @export
tensor_slices_dataset <- function(tensors) {
  if (is_arrow(tensors)) return(arrow_dataset(tensors))
  if (is.data.frame(tensors)) return(of_data_frame(tensor_slices_dataset(as.list(tensors))))
  arrays <- lapply(tensor_leaves(tensors, keep_null = TRUE), function(x) if (is_tensor(x) || is.character(x)) x else
    bare_numbers(x, "tensors"))
  if (!length(arrays)) abort("`tensors` must be an array or a list of arrays, not ", describe(tensors))
  rows <- vapply(arrays, first_axis, 0)
  if (any(rows != rows[1])) {
    abort("`tensors` must agree in the length of their first axis, not have ", paste(unique(rows), collapse = " and "),
      class = "shape")
  }
  if (any(vapply(arrays, is.character, NA)) || length(arrays) > most_tensors)
    return(slices_in_r(tensors, arrays, rows[1]))
  columns <- lapply(arrays, column)
  spec <- fill_leaves(tensors, with_names_of(lapply(columns, `[[`, "spec"),
    tensor_leaves(tensors)))
  slices_dataset(spec, rows[1], columns)
}

#' Its elements are lists of columns, so whatever makes arrays of them loses the names.
#' @noRd
of_data_frame <- function(dataset) {
  dataset$named <- TRUE
  dataset
}

#' Specs that know what the columns of these arrays are called.
#' @noRd
with_names_of <- function(specs, arrays) Map(function(spec, own) {
  spec$columns <- column_names(own)
  spec
}, specs, arrays)

#' An array as slices are taken from it: a tensor or bytes, and where in it the numbers begin.
#' @noRd
column <- function(x) {
  shape <- if (is.null(dim(x))) length(x) else dim(x)
  bytes <- if (!is_tensor(x)) .Call(C_pack, x)
  if (!is.null(bytes)) return(list(data = bytes, offset = 0, spec = tensor_spec("int32", shape[-1])))
  x <- if (is_tensor(x)) as_value(x) else .Call(C_tensor, with_axes(x), -1L)
  list(data = x, offset = 0, spec = tensor_spec(tensor_info(x)[[1]], shape[-1]))
}

#' A vector as an array of one axis, of whatever length.
#' @noRd
with_axes <- function(x) if (is.null(dim(x))) `dim<-`(x, length(x)) else x

slices_dataset <- function(spec, rows, columns) {
  specs <- tensor_leaves(spec)
  new_dataset(spec, rows, stages = function(add) {
    source <- list(lapply(columns, function(x) if (is.function(x$data)) x$data() else x$data),
      vapply(columns, `[[`, 0, "offset"))
    add("slices", a = rows, source = source, dims = lapply(specs, `[[`, "dim"), dtypes = lapply(specs, `[[`, "dtype"))
  })
}

# Strings, and more tensors than a native element has room for.
slices_in_r <- function(tensors, arrays, rows) {
  arrays <- lapply(arrays, function(x) if (is.character(x)) x else
    as_value(tensor(if (is_tensor(x)) x else with_axes(x))))
  item <- function(x, i) if (!is.character(x)) slice_rows(x, i, drop = TRUE) else if (length(dim(x)) < 2) x[[i]] else
    text_array(x[seq.int(i, length(x), dim(x)[1])], dim(x)[-1])
  spec <- with_names_of(lapply(arrays, function(x) if (is.character(x)) tensor_spec("string", string_shape(x)[-1]) else
    tensor_spec(tensor_dtype(x), dim(x)[-1])), tensor_leaves(tensors))
  indexed_dataset(fill_leaves(tensors, spec), rows, function(i) fill_leaves(tensors, lapply(arrays, item, i)))
}

#' Elements that an R function gives by number.
#' @noRd
indexed_dataset <- function(spec, size, item) {
  new_dataset(spec, size, pull = function() {
    i <- 0
    function() {
      if (i >= size) return(NULL)
      i <<- i + 1
      item(i)
    }
  })
}

#' @rdname tensor_slices_dataset
#' @export
tensors_dataset <- function(tensors) {
  if (is.data.frame(tensors)) return(of_data_frame(tensors_dataset(as.list(tensors))))
  whole <- as_element(tensors)
  if (!length(tensor_leaves(whole))) abort("`tensors` must be an array or a list of arrays, not ", describe(tensors))
  spec <- with_names_of(tensor_leaves(spec_of(whole)), tensor_leaves(tensors, keep_null = TRUE))
  indexed_dataset(fill_leaves(whole, spec), 1, function(i) whole)
}

#' @rdname tensor_slices_dataset
#' @export
range_dataset <- function(from = 0, to = 0, by = 1, ..., dtype = "int64") {
  for (arg in c("from", "to", "by")) assign(arg, check_whole(check_number(get(arg), arg = arg), -2^53, 2^53, arg))
  if (by == 0) abort("`by` must not be 0")
  size <- max(0, ceiling((to - from) / by))
  data <- new_dataset(tensor_spec("int64", integer()), size, stages = function(add) {
    add("range", a = from, b = by, reshuffle = size, dims = list(integer()), dtypes = list("int64"))
  })
  code <- dtype_code(dtype)
  ends <- if (size > 0) c(from, from + by * (size - 1)) else c(0, 0)
  if (code == dtype_code("int32") && any(abs(ends) > .Machine$integer.max)) abort("`dtype` cannot be \"int32\" for ",
    "numbers from ", format(ends[1], digits = 15), " to ", format(ends[2], digits = 15), ": they are beyond its range")
  if (code == dtype_code("int64")) data else dataset_map(data, function(x) op_cast(x, dtype))
}

# ---- iterators ----

#' Iterate over a data set
#'
#' `as_iterator()` starts an iteration, `iter_next()` gives the next element and `completed` when there is none.
#' `iterate()` and `dataset_for()` call a function with each element; in an [autograph()]ed function,
#' `for (batch in data)` does the same. Each iteration starts from the first element, with a new shuffle.
#'
#' @param dataset,x a data set or iterator; for `iterate()` and `as_iterator()` also a list or vector, or
#'   a function without arguments that gives the next element, and `NULL` in the end.
#' @param it an iterator.
#' @param completed what to give at the end.
#' @param f,body a function of an element.
#' @param simplify make a vector of results of length 1?
#' @param iter_max how many elements at most.
#' @return `as_iterator()`: an iterator. `iterate()`: the results, invisibly. `dataset_collect()` and `as.list()`: a
#'   list of elements. `as_array_iterator()`: an iterator whose elements are R arrays.
#' @examples
#' data <- dataset_batch(range_dataset(to = 5), 2)
#' it <- as_iterator(data)
#' while (!is.null(batch <- iter_next(it))) print(as.array(batch))
#' total <- 0
#' dataset_for(data, function(batch) total <<- total + sum(as.array(batch)))
#' total
#' @export
as_iterator <- function(x) {
  check_not_tracing("it iterates over a data set")
  if (is_iterator(x)) return(x)
  if (inherits(x, "nn_coro_iterator")) return(attr(x, "iterator"))
  if (is_generator(x) || is.function(x) && !length(formals(x))) { # a generator: NULL ends it
    generator <- x
    x <- new_dataset(NULL, Inf, pull = function() generator)
  }
  if (!is_dataset(x)) {
    if (!is.vector(x)) abort("`x` must be a data set, not ", describe(x))
    items <- as.list(x)
    x <- indexed_dataset(NULL, length(items), function(i) items[[i]])
  }
  iterator <- new.env(parent = emptyenv())
  iterator$pull <- x$pull()
  structure(iterator, class = "nn_iterator")
}

#' @rdname as_iterator
#' @export
iter_next <- function(it, completed = NULL) {
  if (inherits(it, "nn_coro_iterator")) it <- attr(it, "iterator")
  if (is_generator(it)) return(it())
  if (!is_iterator(it)) abort("`it` must come from `as_iterator()`, not be ", describe(it))
  check_not_tracing("it takes elements from a data set")
  element <- it$pull()
  if (is.null(element)) completed else element
}

#' @rdname as_iterator
#' @export
iterate <- function(it, f = identity, simplify = TRUE) {
  check_function(f)
  check_flag(simplify)
  it <- as_iterator(it)
  results <- list()
  n <- 0
  while (!is.null(element <- iter_next(it))) {
    n <- n + 1
    results[n] <- list(f(element))
  }
  plain <- simplify && all(vapply(results, function(x) is.atomic(x) && length(x) == 1, NA))
  invisible(if (plain) unlist(results) else results)
}

#' @rdname as_iterator
#' @export
dataset_for <- function(dataset, body) {
  check_function(body)
  it <- as_iterator(check_dataset(dataset))
  while (!is.null(element <- iter_next(it))) body(element)
  invisible()
}

#' @rdname as_iterator
#' @export
dataset_collect <- function(dataset, iter_max = Inf) {
  if (!identical(iter_max, Inf)) iter_max <- check_count(iter_max, min = 0)
  if (is.infinite(check_dataset(dataset)$size) && is.infinite(iter_max))
    abort("an endless data set cannot be collected; give `iter_max`")
  it <- as_iterator(dataset)
  elements <- list()
  while (length(elements) < iter_max && !is.null(element <- iter_next(it))) elements[[length(elements) + 1]] <- element
  elements
}

#' @rdname as_iterator
#' @export
as_array_iterator <- function(dataset) {
  it <- as_iterator(check_dataset(dataset))
  pull <- it$pull
  it$pull <- function() {
    element <- pull()
    if (!is.null(element)) in_r(element)
  }
  it
}

in_r <- function(element) {
  fill_leaves(element, lapply(tensor_leaves(element, keep_null = TRUE), function(x) if (is_tensor(x))
    as.array(x) else x))
}

#' @export
as.list.nn_dataset <- function(x, ...) dataset_collect(x)

#' @export
as.array.nn_dataset <- function(x, ...) {
  in_r(only_element(x, "as.array"))
}

only_element <- function(x, fun) {
  elements <- dataset_collect(x, iter_max = 2)
  if (length(elements) != 1) abort("only a data set of one element can become an array", fun = fun)
  elements[[1]]
}

#' @export
length.nn_dataset <- function(x) .subset2(x, "size")

#' Element specification of a data set
#'
#' @param object a data set.
#' @return The structure of an element with dtypes, which compare with strings and `tf$float32`, or shapes (integers,
#'   `NA` where a size may differ), which compare as a whole with [shape()]s and `tf$TensorShape()`; `NULL` if it is not
#'   known before there is an element.
#' @examples
#' output_shapes(dataset_batch(tensor_slices_dataset(matrix(1:6, 3)), 2))
#' @export
output_shapes <- function(object) spec_field(check_dataset(object, "object")$spec, function(s) nn_shape(s$dim))

#' @rdname output_shapes
#' @export
output_types <- function(object) spec_field(check_dataset(object, "object")$spec, function(s) nn_dtype(s$dtype))

spec_field <- function(spec, field) {
  if (!is.null(spec)) fill_leaves(spec, lapply(tensor_leaves(spec, keep_null = TRUE), field))
}

#' @export
print.nn_dataset <- function(x, ...) {
  size <- if (is.na(x$size)) "elements, nobody knows how many" else if (is.infinite(x$size)) "elements without end" else
    paste(x$size, "elements")
  what <- if (is.null(x$spec)) "" else paste0(" like ", format_spec(x$spec))
  cat("<data set> ", size, what, "\n", sep = "")
  invisible(x)
}

format_spec <- function(spec) {
  if (inherits(spec, "nn_spec")) return(paste(spec$dtype, format_shape(ifelse(is.na(spec$dim), "?", spec$dim))))
  parts <- vapply(spec, format_spec, "")
  if (!is.null(names(spec))) parts <- paste0(names(spec), " = ", parts)
  paste0("list(", paste(parts, collapse = ", "), ")")
}

#' @export
loop_over.nn_dataset <- function(x) {
  check_not_tracing(loops_over_data)
  iterator <- as_iterator(x)
  loop <- new.env(parent = emptyenv())
  loop$taken <- 0
  loop$left <- if (is_dataset(x)) x$size else NA
  loop$batches <- attr(iterator$pull, "batches")
  loop$pull <- function() {
    loop$taken <- loop$taken + 1
    iter_next(iterator)
  }
  structure(loop, class = "nn_dataset_loop")
}

#' @export
loop_over.nn_iterator <- loop_over.nn_dataset

#' @export
adapt_batches.nn_dataset <- function(data, batch_size, stepwise) {
  it <- as_iterator(data)
  function() iter_next(it)
}
