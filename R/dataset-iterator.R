# Iterators as tfdatasets has them: the end of the data is an error of its own class, which some functions wait for.

#' Take elements of a data set one by one
#'
#' Names of tfdatasets. `make_iterator_one_shot()` starts an iteration, `iterator_get_next()` gives the next element,
#' and at the end it raises an error, which ends `until_out_of_range()` and `with_dataset()` quietly. `next_batch()`
#' gives the first element of a new iteration; nothing here is evaluated later, so each call of it starts afresh.
#'
#' `make_iterator_initializable()` and `make_iterator_from_structure()` make iterators that
#' `iterator_initializer()` and `iterator_make_initializer()` start, as often as they are called: there is no session
#' that would run them later.
#'
#' @param dataset a data set.
#' @param iterator what `make_iterator_one_shot()` or its like gave.
#' @param expr code: `until_out_of_range()` runs it again and again, `with_dataset()` once.
#' @param e a condition, as `tryCatch(error = out_of_range_handler)` hands it over.
#' @param output_types,output_shapes what elements the data sets must have, as [output_types()] and [output_shapes()]
#'   give them; `NULL` for any.
#' @param shared_name,name ignored; present for compatibility with TensorFlow.
#' @return `iterator_get_next()` and `next_batch()`: an element. `make_iterator_...()`: an iterator, which [iterate()]
#'   and [iter_next()] take, too. The others: `NULL`, or the iterator, invisibly.
#' @section Errors: `nativenet_error_out_of_range` when there is no further element; `nativenet_error_unbuilt` for an
#'   iterator that has not been started; `nativenet_error_shape` for data of another structure.
#' @seealso [as_iterator()], [dataset_for()]
#' @examples
#' data <- dataset_batch(tensor_slices_dataset(1:5), 2)
#' it <- make_iterator_one_shot(data)
#' until_out_of_range({
#'   batch <- iterator_get_next(it)
#'   print(as.array(batch))
#' })
#' @export
make_iterator_one_shot <- function(dataset) as_iterator(check_dataset(dataset))

#' @rdname make_iterator_one_shot
#' @export
iterator_get_next <- function(iterator, name = NULL) {
  check_hints(name = name)
  element <- iter_next(check_iterator(iterator))
  if (is.null(element)) abort("End of sequence: the data set has no further element; `until_out_of_range()` and ",
    "`with_dataset()` wait for that", class = "out_of_range")
  element
}

check_iterator <- function(x, fun = calling_function()) {
  if (is_iterator(x)) return(x)
  abort("`iterator` must come from `make_iterator_one_shot()`, not be ", describe(x), fun = fun)
}

#' @rdname make_iterator_one_shot
#' @export
until_out_of_range <- function(expr) {
  check_given(missing(expr), "expr")
  # `break` in the code ends this loop
  loop <- call("repeat", substitute(expr))
  tryCatch(eval(loop, parent.frame()), nativenet_error_out_of_range = function(e) NULL)
  invisible()
}

#' @rdname make_iterator_one_shot
#' @export
with_dataset <- function(expr) {
  check_given(missing(expr), "expr")
  tryCatch(force(expr), nativenet_error_out_of_range = function(e) NULL)
  invisible()
}

#' @rdname make_iterator_one_shot
#' @export
out_of_range_handler <- function(e) {
  if (!inherits(e, "condition")) abort("`e` must be a condition, not ", describe(e))
  if (!inherits(e, "nativenet_error_out_of_range")) stop(e)
  invisible()
}

#' @rdname make_iterator_one_shot
#' @export
next_batch <- function(dataset) {
  element <- iter_next(as_iterator(check_dataset(dataset)))
  if (is.null(element)) abort("the data set has no elements", class = "out_of_range")
  element
}

#' @rdname make_iterator_one_shot
#' @export
make_iterator_initializable <- function(dataset, shared_name = NULL) {
  check_hints(name = shared_name)
  waiting_iterator(check_dataset(dataset), "iterator_initializer")
}

#' @rdname make_iterator_one_shot
#' @export
make_iterator_from_structure <- function(output_types, output_shapes = NULL, shared_name = NULL) {
  check_hints(name = shared_name)
  for (type in tensor_leaves(output_types)) check_string(if (inherits(type, "nn_dtype")) as.character(type) else type,
    "output_types", "make_iterator_from_structure")
  for (shape in tensor_leaves(output_shapes)) open_sizes(shape, "output_shapes", "make_iterator_from_structure")
  it <- waiting_iterator(NULL, "iterator_make_initializer")
  it$wanted <- list(dtype = output_types, dim = output_shapes)
  it
}

#' An iterator that is started later.
#' @noRd
waiting_iterator <- function(dataset, starter) {
  it <- as_iterator(list())
  it$dataset <- dataset
  it$pull <- function() abort("the iterator has not been started: call `", starter, "()` first", class = "unbuilt",
    fun = "iterator_get_next")
  it
}

#' @rdname make_iterator_one_shot
#' @export
iterator_initializer <- function(iterator) {
  dataset <- check_iterator(iterator)$dataset
  if (is.null(dataset)) abort("`iterator` must come from `make_iterator_initializable()`; `iterator_make_initializer()",
    "` starts one that was made without data")
  iterator$pull <- dataset$pull()
  invisible(iterator)
}

#' @rdname make_iterator_one_shot
#' @export
iterator_make_initializer <- function(iterator, dataset, name = NULL) {
  check_hints(name = name)
  if (is.null(check_iterator(iterator)$wanted)) abort("`iterator` must come from `make_iterator_from_structure()`")
  for (field in names(iterator$wanted)) {
    wanted <- iterator$wanted[[field]]
    got <- spec_field(check_dataset(dataset)$spec, function(s) s[[field]])
    if (!is.null(wanted) && !is.null(got) && !identical(paste(tensor_leaves(got)), paste(tensor_leaves(wanted)))) {
      abort("`dataset` must have the structure that the iterator was made for, not ", format_spec(dataset$spec),
        class = "shape")
    }
  }
  iterator$pull <- dataset$pull()
  invisible(iterator)
}
