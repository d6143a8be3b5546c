# Masks: logical tensors, TRUE where a step is real. A mask travels with its tensor, as the attribute "mask"; its axes
# are the first ones of the tensor's.

mask_of <- function(x) if (is_tensor(x)) attr(x, "mask") else if (is_branch(x)) lapply(x, mask_of)

#' Masks as logical tensors: they may be arrays, or numbers. NULLs stay.
#' @noRd
as_mask <- function(self, mask) {
  fill_leaves(mask, lapply(tensor_leaves(mask, keep_null = TRUE), function(m) {
    if (is.null(m)) return()
    if (!is_tensor(m)) return(tensor(check_numbers(m, arg = "mask", fun = self$name), "bool"))
    if (tensor_dtype(m) == "bool") m else op_not_equal(m, 0)
  }))
}

#' Masks that a caller gives: one for one tensor, a list for a list.
#' @noRd
given_mask <- function(self, x, mask) {
  n <- length(tensor_leaves(x))
  masks <- if (is_branch(mask)) length(tensor_leaves(mask, keep_null = TRUE)) else 1
  if (is_branch(mask) && is_branch(x) && identical(masks, layer_type(self)$masks)) {
    mask <- c(mask, vector("list", max(n - masks, 0)))
    masks <- max(n, masks)
  }
  if (masks != n) {
    abort("`mask` must be a list of ", n, " masks, one for each input or NULL, not ", describe(mask), fun = self$name)
  }
  mask <- as_mask(self, mask)
  if (is_branch(x)) mask else tensor_leaves(mask)[[1]]
}

#' The same tensors, or copies of them, which bring these masks (or NULL) along.
#' @noRd
with_masks <- function(x, masks, copy = identity) {
  fill_leaves(x, Map(function(t, m) if (is.null(m)) t else with_note(copy(t), "mask", m), tensor_leaves(x), masks))
}

#' The mask of each tensor that a layer gave, or NULL. A list has a mask for each, in order; one mask is that of all.
#' @noRd
result_masks <- function(self, result, x, mask) {
  rule <- layer_type(self)$mask
  given <- if (length(tensor_leaves(mask))) mask
  if (is.function(rule)) {
    made <- rule(self, x, given)
  } else if (isTRUE(rule) || isTRUE(self$fields$supports_masking)) {
    made <- given
  } else {
    made <- NULL
  }
  results <- tensor_leaves(result)
  each <- if (is_branch(made)) tensor_leaves(made, keep_null = TRUE) else rep(list(made), length(results))
  masks <- as_mask(self, each[seq_along(results)])
  rank <- max(lengths(lapply(tensor_leaves(x), shapes_of)))
  if (is.function(rule)) masks else Map(function(y, m) if (!is.null(m) && mask_fits(m, y, rank)) m, results, masks)
}

#' Has the tensor the steps that the mask of an input with so many axes tells of? The last axis holds features, unless
#' the mask had it before.
#' @noRd
mask_fits <- function(mask, y, rank) {
  n <- rank_of(mask)
  (n < rank_of(y) || n == rank_of(y) && n == rank) && identical(shape_of(mask)[-1], shape_of(y)[seq_len(n)][-1])
}

# ---- of several inputs ----

#' Tensors (or NULLs) of one rank: those of fewer axes get axes of size 1 behind the first, as in Keras.
#' @noRd
same_rank <- function(xs, like = xs) {
  ranks <- vapply(like, rank_of, 0L)
  Map(function(x, missing) {
    while (!is.null(x) && missing > 0) {
      x <- op_expand_dims(x, min(2, rank_of(x) + 1))
      missing <- missing - 1
    }
    x
  }, xs, max(ranks) - ranks)
}

#' The masks of all inputs, with equally many axes; an input without a mask has real steps only. NULL if none has one.
#' @noRd
all_masks <- function(x, masks) {
  if (!length(tensor_leaves(masks))) return()
  masks <- same_rank(masks, x)
  x <- same_rank(x)
  rank <- max(vapply(tensor_leaves(masks), rank_of, 0L))
  unname(Map(function(x, mask) {
    if (is.null(mask)) return(real_everywhere(x, rank))
    if (rank_of(mask) == rank) return(mask)
    while (rank_of(mask) < rank) mask <- op_expand_dims(mask, -1)
    op_logical_and(mask, real_everywhere(x, rank))
  }, x, masks))
}

#' TRUE along the first `rank` axes.
#' @noRd
real_everywhere <- function(x, rank) {
  more <- rank_of(x) - rank
  steps <- op_slice(op_stop_gradient(x), rep(1, rank + more), c(rep(-1, rank), rep(1, more)))
  steps <- op_cast(op_ones_like(steps), "bool")
  if (more) op_squeeze(steps, rank + seq_len(more)) else steps
}

#' Steps are real where they are in all inputs.
#' @noRd
merged_mask <- function(self, x, mask) {
  masks <- all_masks(x, mask)
  if (!is.null(masks)) Reduce(op_logical_and, masks)
}

#' Along an axis that the masks have they are joined, as the inputs are.
#' @noRd
joined_mask <- function(self, x, mask) {
  masks <- all_masks(x, mask)
  if (is.null(masks)) return()
  axis <- op_axis(self, self$config$axis, x[[1]])
  if (axis < 0) axis <- axis + rank_of(x[[1]]) + 1
  if (axis <= rank_of(masks[[1]])) op_concat(masks, axis) else Reduce(op_logical_and, masks)
}

# ---- in losses and metrics ----

#' Weights of an output's values: those of the samples, 0 for steps that are not real. Either may be NULL.
#' @noRd
masked_weights <- function(mask, weights, dtype) {
  if (is.null(mask)) return(weights)
  mask <- op_cast(mask, dtype)
  if (is.null(weights)) return(mask)
  weights <- tensor(weights, dtype)
  while (rank_of(mask) < rank_of(weights)) mask <- op_expand_dims(mask, -1)
  weigh(mask, weights)
}
