# `[` of tensors: what is written in it becomes positions, and these slices and gathers.

#' @rdname tensor-methods
#' @export
all_dims <- function() structure(list(), class = "nn_all_dims")

#' @export
`[.nn_tensor` <- function(x, ..., drop = TRUE, style = NULL) {
  indices <- read_indices(sys.call(), parent.frame(), ..., style = style)
  part <- part_of(x, indices, drop)
  if (is_variable(x) && !is_tracing()) attr(part, "part") <- list(variable = x, indices = indices)
  part
}

#' @param indices what read_indices() gives.
#' @noRd
part_of <- function(x, indices, drop, fun = "[") {
  check_flag(drop, fun = fun)
  dim <- dim(x)
  if (length(indices) == 1 && is_whole_axis(indices[[1]])) return(as_value(x))
  if (length(indices) == 1 && length(dim) > 1 && is_mask(indices[[1]]) &&
    length(dim(indices[[1]])) > 1) return(masked(x, indices[[1]], "["))
  whole <- slices <- matrix(rep(c(0, -1, 1), length(dim)), 3) # start, size (-1: to the end), step
  gathers <- list()
  from <- integer() # the axes of the result among those that slices and gathers leave; 0: new
  axis <- left <- 0
  for (index in fill_dims(indices, dim)) {
    if (is.null(index)) {
      from <- c(from, 0)
      next
    }
    axis <- axis + 1
    taken <- if (!is_whole_axis(index)) resolve_index(index, dim[axis], axis)
    axes <- if (is.null(taken)) 1 else length(taken$shape)
    if (is.null(taken) || !taken$is_one || !drop) from <- c(from, left + seq_len(axes))
    left <- left + axes
    if (!is.null(taken$slice)) slices[, axis] <- taken$slice
    if (!is.null(taken$at)) gathers <- c(gathers, list(list(axis, taken$at)))
  }
  # the positions are known to be right: no need for op_slice()'s checks
  if (!identical(slices, whole)) x <- apply_op("slice", list(x), slices)
  # from the last axis on: one may give way to several
  for (g in rev(gathers)) x <- op_gather(x, g[[2]], g[[1]])
  if (identical(as.double(from), as.double(seq_len(left)))) as_value(x) else reshape_axes(x, from)
}

is_mask <- function(x) if (is_tensor(x)) tensor_dtype(x) == "bool" else is.logical(x)

#' What lies where a mask of the first axes is TRUE, row by row, along one axis in their place: as in TensorFlow.
#' @noRd
masked <- function(x, mask, fun) {
  if (!is_mask(mask)) abort("`mask` must be a logical array or a tensor of dtype bool, not ", describe(mask), fun = fun)
  axes <- if (is.null(dim(mask))) length(mask) else dim(mask)
  first <- seq_along(axes)
  if (!length(axes) || !identical(as.integer(axes), shape_of(x)[first])) {
    abort("the mask of shape ", format_shape(axes), " does not fit a tensor of shape ", format_shape(shape_of(x)),
      class = "shape", fun = fun)
  }
  if (is_tensor(mask)) mask <- known_mask(mask)
  if (anyNA(mask)) abort("the mask has NA", fun = fun)
  at <- which(if (length(axes) > 1) aperm(mask) else mask) - 1
  op_gather(op_reshape(x, c(-1, shape_of(x)[-first])), array(as.integer(at), length(at)), 1)
}

#' The `...` of `[` as a list. What was written as a range `a:b` or `a:b:s` becomes its ends, because 2:-1 is no
#' sequence before the size of the axis is known; an empty index is a range without ends.
#' @noRd
read_indices <- function(call, frame, ..., style = NULL) {
  written <- as.list(call)[-(1:2)]
  if (!is.null(names(written))) written <- written[!names(written) %in% c("drop", "style", "value")]
  # handed on by another function: not what the user wrote
  for (w in seq_along(written)) if (identical(written[[w]], quote(...))) written <- vector("list", ...length())
  style <- index_style(style)
  indices <- vector("list", ...length())
  for (i in seq_along(indices)) {
    if (is_slice_name(written[[i]])) written[[i]] <- slice_call(written[[i]])
    index <- if (is_colon(written[[i]])) range_ends(written[[i]], frame, style) else
      if (is_empty(written[[i]])) new_range() else if (identical(written[[i]], quote(..))) all_dims() else
      from_style(...elt(i), style)
    if (!is.null(index)) indices[[i]] <- index
  }
  indices
}

#' How indices are counted: from 1 and with their ends, but for the options of R's package tensorflow.
#' @noRd
index_style <- function(style) {
  python <- identical(check_choice(if (is.null(style)) getOption("tensorflow.extract.style", "R") else style,
    c("R", "python"), "style", "["), "python")
  list(zero = !isTRUE(getOption("tensorflow.extract.one_based", !python)),
    open = !isTRUE(getOption("tensorflow.extract.inclusive_stop", !python)))
}

from_style <- function(index, style) {
  if (style$zero && is.numeric(index) && !is.object(index)) index + (index >= 0) else index
}

is_empty <- function(x) is.symbol(x) && !nzchar(x)
is_colon <- function(x) is.call(x) && identical(x[[1]], quote(`:`)) && length(x) == 3

#' `::2`, `2:` and the like, written in backticks.
#' @noRd
is_slice_name <- function(x) is.symbol(x) && grepl("^(-?[0-9]*|NULL):(-?[0-9]*|NULL)(:(-?[0-9]*|NULL))?$", x)

slice_call <- function(x) {
  parts <- strsplit(paste0(x, " "), ":", fixed = TRUE)[[1]]
  ends <- lapply(trimws(parts), function(part) if (part %in% c("", "NULL")) NULL else as.numeric(part))
  Reduce(function(x, y) call(":", x, y), ends)
}

new_range <- function(ends = list()) structure(ends, class = "nn_range")
is_whole_axis <- function(x) inherits(x, "nn_range") && length(x) == 0

#' `a:b:s`, of which each may be NULL: from the first, to the last, by 1. Of tensors it is Python's slice, too.
#' @noRd
range_ends <- function(call, frame, style) {
  ends <- as.list(call)[-1]
  if (is_colon(ends[[1]])) ends <- c(as.list(ends[[1]])[-1], ends[2])
  ends <- lapply(ends, eval, frame)
  ends[vapply(ends, function(x) is.atomic(x) && length(x) == 1 && is.na(x), NA)] <- list(NULL) # NA: open, as NULL
  if (length(ends) == 3 && is.null(ends[[3]])) ends <- ends[1:2]
  open <- any(vapply(ends[1:2], is.null, NA))
  tensors <- vapply(ends, is_tensor, NA)
  ends[tensors] <- lapply(ends[tensors], function(x) {
    if (is_symbolic(known_value(x))) abort_trace("where a range of indices ends depends on its values")
    as.vector(as.array(x))
  })
  if (any(tensors) || style$open) return(python_slice(ends, style$zero || any(tensors)))
  back <- length(ends) == 3 && is_number(ends[[3]]) && ends[[3]] < 0
  ends[1:2] <- Map(function(x, end) if (is.null(x)) end else from_style(x, style), ends[1:2], if (back) c(-1, 1) else
    c(1, -1))
  structure(new_range(ends), open = if (open) TRUE)
}

#' @param zero are the ends counted from 0?
#' @noRd
python_slice <- function(ends, zero) {
  if (length(ends) == 2) ends <- c(ends, 1)
  ends <- lapply(ends, function(x) if (is.null(x)) NA else check_whole(x, arg = "ends of a range", fun = "["))
  if (any(lengths(ends) != 1) || ends[[3]] %in% c(0, NA)) bad_index("a slice must have single ends and a step that is ",
    "not 0")
  if (!zero) ends[1:2] <- lapply(ends[1:2], function(x) x - (!is.na(x) && x > 0))
  structure(ends, class = "nn_slice")
}

#' 1-based positions in an axis of n: what lies outside is left out, as in Python.
#' @noRd
slice_positions <- function(slice, n) {
  step <- slice[[3]]
  end <- function(x, open) if (is.na(x)) open else max(min(if (x < 0) x + n else x, if (step > 0) n else n - 1),
    if (step > 0) 0 else -1)
  start <- end(slice[[1]], if (step > 0) 0 else n - 1)
  stop <- end(slice[[2]], if (step > 0) n else -1)
  if (step * (stop - start) <= 0) numeric() else seq(start, stop - sign(step), by = step) + 1
}

#' One index per axis, all_dims() written out.
#' @noRd
fill_dims <- function(indices, dim) {
  is_all <- given <- logical(length(indices))
  for (i in seq_along(indices)) {
    is_all[i] <- inherits(indices[[i]], "nn_all_dims")
    given[i] <- !is_all[i] && !is.null(indices[[i]])
  }
  given <- sum(given)
  if (given == 0 && !any(is_all) && length(indices)) { # x[newaxis] has all axes behind it
    indices <- c(indices, list(all_dims()))
    is_all <- c(is_all, TRUE)
  }
  if (sum(is_all) > 1) bad_index("`all_dims()` can stand once only")
  if (given > length(dim) || (given < length(dim) && !any(is_all))) {
    bad_index(given, if (given == 1) " index" else " indices", " for a tensor of shape ", format_shape(dim),
      "; it takes one per axis. Leave one empty to keep its axis, or let `all_dims()` stand for the rest")
  }
  if (!any(is_all)) return(indices)
  at <- which(is_all)
  c(indices[seq_len(at - 1)], rep(list(new_range()), length(dim) - given), indices[-seq_len(at)])
}

bad_index <- function(...) abort(..., class = "index", fun = "[")

known_mask <- function(mask) {
  mask <- known_value(mask)
  if (is_symbolic(mask)) abort_trace("how many elements of a tensor a mask chooses depends on its values")
  as.array(mask)
}

#' What an index takes from an axis of n: either a `slice` (start, 0-based, size, step) or what is `at` 0-based
#' positions, a vector or tensor. `shape` takes the place of the axis; `is_one`: the index was a single number.
#' @noRd
resolve_index <- function(index, n, axis) {
  if (is_tensor(index)) {
    if (tensor_dtype(index) != "bool") return(list(at = index, shape = dim(index), is_one = FALSE))
    index <- as.vector(known_mask(index))
  }
  at <- if (inherits(index, "nn_range")) range_positions(index, n, axis)
  else if (inherits(index, "nn_slice")) slice_positions(index, n)
  else if (is.logical(index)) logical_positions(index, n, axis)
  else positions(index, n, axis)
  size <- length(at)
  step <- if (size > 1) at[2] - at[1] else 1
  is_one <- size == 1 && is.numeric(index)
  if (step == 0 || (size > 2 && any(diff(at) != step))) return(list(at = at - 1, shape = size, is_one = FALSE))
  list(slice = c(if (size) at[1] - 1 else 0, size, step), shape = size, is_one = is_one)
}

logical_positions <- function(index, n, axis) {
  if (length(index) == n && !anyNA(index)) return(which(index))
  bad_index("a logical index of axis ", axis, " must have ", n, " values that are not NA, not be ", describe(index))
}

#' Positions 1 .. n, negative ones counted from the end.
#' @noRd
positions <- function(index, n, axis, quiet = FALSE) {
  index <- plain_argument(index)
  if (!are_numbers(index) || anyNA(index) || any(index != round(index))) {
    bad_index("an index of axis ", axis, " must be whole or logical, not ", describe(index))
  }
  bad <- index == 0 | abs(index) > n
  if (any(bad)) {
    bad_index("there is no position ", format(index[bad][1]), " in axis ", axis,
      if (n > 0) sprintf(": positions run from 1 to %d, or from -1 to -%d counted from the end", n, n) else
      ", which is empty")
  }
  if (any(index < 0)) {
    if (!quiet) tell_once("negative",
      "Negative indices of tensors count from the end, as in Python: x[-1] is the last element.")
    index <- index + (index < 0) * (n + 1)
  }
  as.double(index)
}

range_positions <- function(range, n, axis) {
  for (end in range) if (!is_number(end)) bad_index("the ends of a range of axis ", axis, " must be numbers, not ",
    describe(end))
  ends <- positions(c(range[[1]], range[[2]]), n, axis, quiet = isTRUE(attr(range, "open")))
  step <- if (length(range) == 3) range[[3]] else sign(ends[2] - ends[1])
  if (ends[2] < ends[1]) step <- -abs(step) # backwards, as in tensorflow
  if (step == 0 && ends[1] == ends[2]) return(ends[1])
  if (step != round(step) || step * (ends[2] - ends[1]) < 0 || step == 0) {
    bad_index("a step of ", format(step), " does not lead from ", ends[1], " to ", ends[2], " in axis ", axis)
  }
  seq(ends[1], ends[2], by = step)
}

# ---- parts of variables ----

#' @export
`[<-.nn_tensor` <- function(x, ..., value) {
  if (!is_variable(x)) return(refuse_change(x))
  assign_part(x, read_indices(sys.call(), parent.frame(), ...), value)
}

#' Numbers of a variable change in place: one for all of the part, or as many as that has, in its shape.
#' @noRd
assign_part <- function(x, indices, value, fun = "[<-") {
  check_not_tracing("it changes a part of a variable")
  all <- as.array(x)
  value <- if (is_tensor(value)) as.array(value) else check_numbers(value, "value", fun)
  whole <- length(indices) == 1 && is_whole_axis(indices[[1]])
  mask <- if (length(indices) == 1 && length(dim(x)) > 1 && is_mask(indices[[1]])) indices[[1]]
  if (whole) {
    check_part_size(value, dim(x), fun)
    all[] <- value
  } else if (!is.null(mask)) {
    if (is_tensor(mask)) mask <- known_mask(mask)
    if (!identical(dim(mask), dim(x))) abort("the mask of shape ", format_shape(dim(mask)), " does not fit a variable ",
      "of shape ", format_shape(dim(x)), class = "shape", fun = fun)
    check_part_size(value, sum(mask), fun)
    rows <- aperm(all) # the part of a mask comes row by row
    rows[aperm(mask)] <- value
    all <- aperm(rows)
  } else {
    places <- Filter(Negate(is.null), fill_dims(indices, dim(x)))
    at <- Map(function(index, axis) places_taken(index, dim(x)[axis], axis), places, seq_along(places))
    check_part_size(value, lengths(at), fun)
    all <- do.call(`[<-`, c(list(all), at, list(value = value)))
  }
  variable_assign(x, tensor(all, tensor_dtype(x)))
  x
}

#' 1-based positions of an index.
#' @noRd
places_taken <- function(index, n, axis) {
  if (is_whole_axis(index)) return(seq_len(n))
  taken <- resolve_index(index, n, axis)
  if (is.null(taken$slice)) return(as.vector(if (is_tensor(taken$at)) as.array(taken$at) else taken$at) + 1)
  taken$slice[1] + (seq_len(taken$slice[2]) - 1) * taken$slice[3] + 1
}

check_part_size <- function(value, sizes, fun) {
  long <- function(x) as.double(x[x != 1])
  own <- if (is.null(dim(value))) length(value) else dim(value)
  if (length(value) == 1 || identical(long(own), long(sizes))) return()
  abort("`value` of shape ", format_shape(shape_of(value)), " does not fit a part of shape ", format_shape(sizes),
    class = "shape", fun = fun)
}
