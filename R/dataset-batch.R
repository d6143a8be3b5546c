# Batches and windows of the elements of data sets.

#' Batch a data set
#'
#' `dataset_batch()` stacks consecutive elements along a new first axis, the batch axis. `dataset_unbatch()` undoes it.
#' `dataset_rebatch()` makes batches of another size.
#'
#' @param dataset a data set.
#' @param batch_size a whole number: elements per batch.
#' @param drop_remainder leave out a last batch that is not full?
#' @param num_parallel_calls,deterministic,name ignored; present for compatibility with TensorFlow.
#' @return A data set.
#' @section Errors: `nativenet_error_shape` if elements of a batch differ in shape.
#' @seealso [dataset_padded_batch()], [dataset_window()]
#' @examples
#' data <- dataset_batch(range_dataset(to = 5), 2)
#' iterate(data, print)
#' @export
dataset_batch <- function(dataset, batch_size, drop_remainder = FALSE, num_parallel_calls = NULL, deterministic = NULL,
  name = NULL) {
  check_dataset(dataset)
  check_hints(num_parallel_calls, deterministic, name)
  batch_size <- check_count(batch_size)
  batches <- batches_of(dataset, batch_size, check_flag(drop_remainder))
  batches$batch <- batch_size
  batches
}

#' How many elements the batches of a data set have, straight from dataset_batch(); NULL of others.
#' @noRd
size_of_batches <- function(dataset) .subset2(dataset, "batch")

batches_of <- function(dataset, batch_size, whole) {
  batches <- dataset$size / batch_size
  size <- if (whole) floor(batches) else ceiling(batches)
  axis <- if (whole || is.infinite(size) || (!is.na(batches) && batches == size)) batch_size else NA
  spec <- if (!is.null(dataset$spec)) {
    fill_leaves(dataset$spec, lapply(tensor_leaves(dataset$spec), function(s) tensor_spec(s$dtype, c(axis, s$dim),
      s$columns)))
  }
  if (has_stages(dataset)) return(new_dataset(spec, size, pull = function() stream_puller(dataset, batch_size, whole)))
  new_dataset(spec, size, pull = function() {
    pull <- dataset$pull()
    function() {
      elements <- pull_some(pull, batch_size, whole)
      if (!is.null(elements)) stack_elements(elements)
    }
  })
}

#' What TensorFlow takes and nothing here depends on: it is held to be what it would be there.
#' @noRd
check_hints <- function(num_parallel_calls = NULL, deterministic = NULL, name = NULL, fun = calling_function()) {
  # -1: tf$data$AUTOTUNE
  if (!is.null(num_parallel_calls)) check_count(num_parallel_calls, min = -1, arg = "num_parallel_calls", fun = fun)
  if (!is.null(deterministic)) check_flag(deterministic, arg = "deterministic", fun = fun)
  if (!is.null(name)) check_string(name, arg = "name", fun = fun)
}

pull_some <- function(pull, n, whole) {
  elements <- list()
  while (length(elements) < n && !is.null(element <- pull())) elements[[length(elements) + 1]] <- element
  if (length(elements) == n || (length(elements) && !whole)) elements
}

#' Elements of one structure as one element, each tensor with a new first axis.
#' @noRd
stack_elements <- function(elements, stack = stack_tensors) {
  leaves <- lapply(elements, tensor_leaves)
  if (length(unique(lengths(leaves))) > 1) {
    abort("the elements of a batch differ in their number of tensors: ",
      paste(unique(lengths(leaves)), collapse = " and "), class = "shape", fun = "dataset_batch")
  }
  fill_leaves(elements[[1]], lapply(seq_along(leaves[[1]]), function(k) {
    parts <- lapply(leaves, `[[`, k)
    if (is.character(parts[[1]])) stack_texts(parts) else if (is.raw(parts[[1]])) many_bytes(parts) else stack(parts, k)
  }))
}

stack_tensors <- function(parts, ...) {
  check_one_shape(lapply(parts, dim))
  op_stack(parts, axis = 1)
}

check_one_shape <- function(shapes) {
  shapes <- unique(shapes)
  if (length(shapes) > 1) abort("the elements of a batch differ in shape: ", format_shape(shapes[[1]]), " and ",
    format_shape(shapes[[2]]), "; `dataset_padded_batch()` fills up", class = "shape", fun = "dataset_batch")
}

stack_texts <- function(parts) {
  check_one_shape(lapply(parts, text_shape))
  own <- text_shape(parts[[1]])
  all <- unlist(parts)
  text_array(if (length(own)) aperm(array(all, c(own, length(parts))), c(length(own) + 1, seq_along(own))) else all,
    c(length(parts), own))
}

#' Batch with padding
#'
#' Pads elements at their ends to the largest of the batch, and stacks them along a new first axis.
#'
#' @param dataset a data set.
#' @param batch_size a whole number: elements per batch.
#' @param padded_shapes the shape to pad to, `NULL` or `NA` for the largest; a list of shapes for elements of several
#'   tensors.
#' @param padding_values what to pad with, 0 by default; a list as `padded_shapes`.
#' @param drop_remainder leave out a last batch that is not full?
#' @param name ignored; present for compatibility with TensorFlow.
#' @return A data set.
#' @section Errors: `nativenet_error_shape` for elements larger than `padded_shapes`.
#' @seealso [dataset_batch()], [pad_sequences()]
#' @examples
#' data <- dataset_flat_map(range_dataset(2, 5), function(x) tensors_dataset(seq_len(as.array(x))))
#' iterate(dataset_padded_batch(data, 3), print)
#' @export
dataset_padded_batch <- function(dataset, batch_size, padded_shapes = NULL, padding_values = NULL,
  drop_remainder = FALSE, name = NULL) {
  check_dataset(dataset)
  batch_size <- check_count(batch_size)
  whole <- check_flag(drop_remainder)
  batches <- dataset$size / batch_size
  check_hints(name = name)
  each <- function(x, f) if (is_branch(x)) lapply(x, f) else f(x)
  padded_shapes <- each(padded_shapes, function(x) if (!is.null(x))
    open_sizes(x, "padded_shapes", "dataset_padded_batch"))
  padding_values <- each(padding_values, function(x) if (is.null(x)) 0 else
    check_number(if (is_tensor(x)) as.array(x) else x, arg = "padding_values", fun = "dataset_padded_batch"))
  own <- function(x, k, arg) {
    if (!is_branch(x)) return(x)
    if (k > length(x)) abort("`", arg, "` must have an entry for each tensor of an element, not ", length(x),
      fun = "dataset_padded_batch")
    x[[k]]
  }
  new_dataset(NULL, if (whole) floor(batches) else ceiling(batches), pull = function() {
    pull <- dataset$pull()
    function() {
      elements <- pull_some(pull, batch_size, whole)
      if (!is.null(elements)) {
        stack_elements(elements, function(parts, k) {
          stack_tensors(pad_tensors(parts, own(padded_shapes, k, "padded_shapes"),
            own(padding_values, k, "padding_values")))
        })
      }
    }
  })
}

pad_tensors <- function(parts, wanted, value) {
  shapes <- lapply(parts, dim)
  if (length(unique(lengths(shapes))) > 1) abort("elements with different numbers of axes cannot be filled up",
    class = "shape", fun = "dataset_padded_batch")
  to <- do.call(pmax, shapes)
  if (!is.null(wanted) && !identical(wanted, NA_real_)) {
    if (length(wanted) != length(to)) {
      abort("`padded_shapes` must have one size per axis (", length(to), "), not ", length(wanted), class = "shape",
        fun = "dataset_padded_batch")
    }
    fixed <- !is.na(wanted)
    if (any(to[fixed] > wanted[fixed])) {
      abort("an element of shape ", format_shape(to), " is larger than `padded_shapes` ", format_shape(wanted),
        class = "shape", fun = "dataset_padded_batch")
    }
    to[fixed] <- as.integer(wanted[fixed])
  }
  lapply(parts, function(x) {
    check_room(to, "padded_shapes")
    for (axis in seq_along(to)) {
      missing <- to[axis] - dim(x)[axis]
      if (missing == 0) next
      shape <- dim(x)
      shape[axis] <- missing
      x <- op_concat(list(x, tensor(array(value, shape), tensor_dtype(x))), axis = axis)
    }
    x
  })
}

#' @rdname dataset_batch
#' @export
dataset_unbatch <- function(dataset, name = NULL) {
  check_dataset(dataset)
  joined(dataset, tensor_slices_dataset)
}

#' @rdname dataset_batch
#' @export
dataset_rebatch <- function(dataset, batch_size, drop_remainder = FALSE, name = NULL) {
  dataset_batch(dataset_unbatch(dataset), batch_size, drop_remainder)
}

#' Windows of a data set
#'
#' Data sets of `size` consecutive elements each.
#'
#' @param dataset a data set.
#' @param size a whole number: elements per window.
#' @param shift how far apart windows begin; `size` by default.
#' @param stride how far apart the elements of a window are.
#' @param drop_remainder leave out windows that are not full?
#' @return A data set of data sets.
#' @seealso [dataset_batch()], [timeseries_generator()]
#' @examples
#' windows <- dataset_window(range_dataset(to = 4), 2, shift = 1)
#' iterate(windows, function(w) print(iterate(w, as.array)))
#' @export
dataset_window <- function(dataset, size, shift = NULL, stride = 1, drop_remainder = FALSE) {
  check_dataset(dataset)
  size <- check_count(size)
  shift <- if (is.null(shift)) size else check_count(shift)
  stride <- check_count(stride)
  whole <- check_flag(drop_remainder)
  reach <- (size - 1) * stride + 1
  n <- dataset$size
  count <- if (whole) max(0, floor((n - reach) / shift) + 1) else ceiling(n / shift)
  new_dataset(NULL, count, pull = function() {
    pull <- dataset$pull()
    held <- list() # elements from the start of the next window on
    gap <- 0       # elements to leave out first, where windows lie apart
    function() {
      while (gap > 0 && !is.null(pull())) gap <<- gap - 1
      while (length(held) < reach && !is.null(element <- pull())) held[[length(held) + 1]] <<- element
      if (!length(held) || (whole && length(held) < reach)) return(NULL)
      items <- held[seq(1, min(reach, length(held)), by = stride)]
      gap <<- max(0, shift - length(held))
      held <<- held[-seq_len(min(shift, length(held)))]
      indexed_dataset(dataset$spec, length(items), function(i) items[[i]])
    }
  })
}
