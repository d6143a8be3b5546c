# tf$debugging, whose checks look at numbers at once, tf$nest and tf$test.

#' A check of all elements; in a trace there are no numbers to look at.
#' @noRd
assert_all <- function(holds, words) {
  force(holds)
  force(words)
  function(x, y, message = NULL, summarize = NULL, name = NULL) {
    check_holds(holds(op_input(x), op_input(y)), words, list(x, y), message)
  }
}

assert_each <- function(holds, words) {
  force(holds)
  force(words)
  function(x, message = NULL, summarize = NULL, name = NULL) check_holds(holds(op_input(x)), words, list(x), message)
}

check_holds <- function(found, words, values, message, fun = user_function()) {
  if (!is.null(message)) check_string(message, fun = fun)
  check_not_tracing("it looks at numbers")
  if (all(as.array(found))) return(invisible())
  abort(if (!is.null(message)) paste0(message, ": "), "not all numbers are ", words, ": ",
    paste(vapply(values, function(v) if (is_tensor(v)) paste(describe(v), paste(format(utils::head(c(as.array(v)), 3)),
      collapse = ", ")) else describe(v), ""), collapse = " and "), class = "assertion", fun = fun)
}

tf_debugging <- list(
  assert_equal = assert_all(op_equal, "equal"),
  assert_none_equal = assert_all(op_not_equal, "different"),
  assert_less = assert_all(op_less, "less"), assert_less_equal = assert_all(op_less_equal, "less or equal"),
  assert_greater = assert_all(op_greater, "greater"),
  assert_greater_equal = assert_all(op_greater_equal, "greater or equal"),
  assert_positive = assert_each(function(x) op_greater(x, 0), "above 0"),
  assert_negative = assert_each(function(x) op_less(x, 0), "below 0"),
  assert_non_negative = assert_each(function(x) op_greater_equal(x, 0), "at least 0"),
  assert_non_positive = assert_each(function(x) op_less_equal(x, 0), "at most 0"),
  assert_all_finite = function(x, message, name = NULL) {
    check_holds(op_is_finite(op_input(x)), "finite", list(x), message)
    tf_tensor(x)
  },
  check_numerics = function(tensor, message, name = NULL) {
    check_holds(op_is_finite(op_input(tensor)), "finite", list(tensor), message)
    tf_tensor(tensor)
  },
  assert_near = function(x, y, rtol = NULL, atol = NULL, message = NULL, summarize = NULL, name = NULL) {
    near <- 10 * 2^-23
    rtol <- if (is.null(rtol)) near else check_number(rtol, min = 0)
    atol <- if (is.null(atol)) near else check_number(atol, min = 0)
    gap <- op_abs(op_subtract(op_input(x), op_input(y)))
    check_holds(op_less_equal(gap, op_add(op_multiply(op_abs(op_input(y)), rtol), atol)), "near", list(x, y), message)
  },
  assert_rank = function(x, rank, message = NULL, name = NULL) check_rank(x, check_count(rank, 0), "be", message),
  assert_rank_at_least = function(x, rank, message = NULL, name = NULL) check_rank(x, check_count(rank, 0),
    "be at least", message),
  assert_rank_in = function(x, ranks, message = NULL, name = NULL) check_rank(x,
    check_whole(if (is_branch(ranks)) unlist(ranks) else ranks, min = 0, arg = "ranks"),
    "be one of", message),
  assert_type = function(tensor, tf_type, message = NULL, name = NULL) {
    if (!is.null(message)) check_string(message)
    check_string(tf_type)
    own <- if (is_byte_tensor(tensor)) "uint8" else tensor_dtype(tf_tensor(tensor))
    if (own != tf_type) abort(if (!is.null(message)) paste0(message, ": "),
      "the dtype must be ", as.character(tf_type), ", not ", own, class = "assertion")
    invisible()
  },
  assert_integer = function(x, message = NULL, name = NULL) {
    if (!is.null(message)) check_string(message)
    if (!is_whole_dtype(tensor_dtype(tf_tensor(x)))) abort(if (!is.null(message)) paste0(message, ": "),
      "the tensor must have whole numbers, not ", tensor_dtype(tf_tensor(x)), class = "assertion")
    invisible()
  },
  is_numeric_tensor = function(tensor) is_tensor(tensor) && tensor_dtype(tensor) != "bool"
)

check_rank <- function(x, ranks, words, message, fun = user_function()) {
  if (!is.null(message)) check_string(message, fun = fun)
  own <- rank_of(tf_tensor(x))
  if (if (words == "be at least") own >= ranks else own %in% ranks) return(invisible())
  abort(if (!is.null(message)) paste0(message, ": "), "the number of axes must ", words, " ",
    paste(ranks, collapse = ", "), ", not ", own, class = "assertion", fun = fun)
}

# ---- tf$nest ----

tf_nest <- list(
  flatten = function(structure, expand_composites = FALSE) tensor_leaves(structure, keep_null = TRUE),
  map_structure = function(func, ..., check_types = TRUE, expand_composites = FALSE) {
    check_function(func)
    all <- list(...)
    if (!length(all)) abort("needs at least one structure", fun = "tf$nest$map_structure")
    leaves <- lapply(all, tensor_leaves, keep_null = TRUE)
    if (length(unique(lengths(leaves))) > 1) abort("the structures must have as many leaves, not ",
      paste(lengths(leaves), collapse = " and "), fun = "tf$nest$map_structure")
    fill_any(all[[1]], do.call(Map, c(list(func), lapply(leaves, unname))))
  },
  pack_sequence_as = function(structure, flat_sequence, expand_composites = FALSE) {
    n <- length(tensor_leaves(structure, keep_null = TRUE))
    if (!is_branch(flat_sequence) || length(flat_sequence) != n) abort("`flat_sequence` must be a list of ", n,
      ", not ", describe(flat_sequence), fun = "tf$nest$pack_sequence_as")
    fill_any(structure, flat_sequence)
  },
  is_nested = function(structure) is_branch(structure),
  assert_same_structure = function(nest1, nest2, check_types = TRUE, expand_composites = FALSE) {
    bare <- function(x) if (is_branch(x)) lapply(x, bare) else 0
    if (!identical(bare(nest1), bare(nest2))) abort("the structures differ", class = "assertion",
      fun = "tf$nest$assert_same_structure")
    invisible()
  }
)

#' A structure with other leaves, of whatever kind.
#' @noRd
fill_any <- function(structure, leaves) {
  at <- 0
  fill <- function(x) {
    if (is_branch(x)) return(lapply(x, fill))
    at <<- at + 1
    leaves[[at]]
  }
  fill(structure)
}

tf_test <- list(
  is_gpu_available = function(cuda_only = FALSE, min_cuda_compute_capability = NULL) FALSE,
  is_built_with_cuda = function() FALSE, is_built_with_gpu_support = function() FALSE,
  is_built_with_rocm = function() FALSE, is_built_with_xla = function() FALSE, gpu_device_name = function() ""
)
