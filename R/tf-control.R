# Functions of `tf` that call functions of the user's: loops over slices, and branches.

#' fn of what there is so far and each slice, all of what it gave stacked.
#' @noRd
scan_slices <- function(fn, elems, initializer, reverse) {
  check_function(fn, "fn", "tf$scan", takes = 2)
  elems <- map_leaves(elems, as_floatx)
  in_order <- if (check_flag(reverse, "reverse", "tf$scan")) rev else identity
  slices <- in_order(lapply(seq_len(slices_of(elems)), function(i) slice_at(elems, i)))
  ys <- if (is.null(initializer)) slices[1] else list()
  reduce_slices(function(so_far, x) {
    y <- fn(so_far, x)
    ys <<- c(ys, list(y))
    y
  }, slices, initializer, "tf$scan")
  stack_results(in_order(ys), "elems")
}

tf_control <- list(
  map_fn = function(fn, elems, dtype = NULL, parallel_iterations = NULL, back_prop = TRUE, swap_memory = FALSE,
    infer_shape = TRUE, name = NULL, fn_output_signature = NULL) k_map_fn(fn, elems, name,
    if (is.null(dtype)) fn_output_signature else dtype),
  vectorized_map = function(fn, elems, fallback_to_while_loop = TRUE, warn = TRUE) k_map_fn(fn, elems),
  foldl = function(fn, elems, initializer = NULL, parallel_iterations = NULL, back_prop = TRUE, swap_memory = FALSE,
    name = NULL) k_foldl(fn, elems, initializer, name),
  foldr = function(fn, elems, initializer = NULL, parallel_iterations = NULL, back_prop = TRUE, swap_memory = FALSE,
    name = NULL) k_foldr(fn, elems, initializer, name),
  scan = function(fn, elems, initializer = NULL, parallel_iterations = NULL, back_prop = TRUE, swap_memory = FALSE,
    infer_shape = TRUE, reverse = FALSE, name = NULL) scan_slices(fn, elems, initializer, reverse),
  case = function(pred_fn_pairs, default = NULL, exclusive = FALSE, strict = FALSE, name = "case")
    tf_case(pred_fn_pairs = pred_fn_pairs, default = default, exclusive = exclusive),
  switch_case = function(branch_index, branch_fns, default = NULL, name = "switch_case")
    tf_switch(branch_index, branch_fns = branch_fns, default = default)
)
