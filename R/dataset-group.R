# Data sets whose elements are ordered, grouped or drawn anew.

#' Map to data sets and interleave
#'
#' Applies a function that gives a data set to each element, and takes elements from `cycle_length` of these data sets
#' in turn, `block_length` at a time. One that has ended makes room for the next.
#'
#' @param dataset a data set.
#' @param map_func a function of an element that gives a data set, or a formula.
#' @param cycle_length how many data sets are open at a time: 4 by default, where TensorFlow takes the number of
#'   processors.
#' @param block_length how many elements are taken before the next one's turn.
#' @param num_parallel_calls,deterministic,name ignored; present for compatibility with TensorFlow.
#' @return A data set.
#' @seealso [dataset_flat_map()]
#' @examples
#' data <- dataset_interleave(range_dataset(1, 4), cycle_length = 2, block_length = 2,
#'   map_func = function(x) dataset_repeat(tensors_dataset(x), 3))
#' print(iterate(data, as.array))
#' @export
dataset_interleave <- function(dataset, map_func, cycle_length = NULL, block_length = 1, num_parallel_calls = NULL,
  deterministic = NULL, name = NULL) {
  check_dataset(dataset)
  check_hints(num_parallel_calls, deterministic, name)
  f <- as_function(map_func)
  own_choice <- is.null(cycle_length) || (is_number(cycle_length) && cycle_length == -1)
  cycle_length <- if (own_choice) 4 else check_count(cycle_length)
  block_length <- check_count(block_length)
  new_dataset(NULL, NA, pull = function() {
    outer <- dataset$pull()
    more <- TRUE
    open <- vector("list", cycle_length)
    at <- 1
    taken <- 0
    turn <- function() {
      at <<- at %% cycle_length + 1
      taken <<- 0
    }
    function() {
      while (more || !all_null(open)) {
        if (is.null(open[[at]])) {
          element <- if (more) outer()
          more <<- !is.null(element)
          if (!more) {
            turn()
            next
          }
          open[[at]] <<- check_dataset(call_with_element(f, element), "map_func's result", "dataset_interleave")$pull()
        }
        element <- open[[at]]()
        if (is.null(element)) {
          open[at] <<- list(NULL)
          turn()
          next
        }
        taken <<- taken + 1
        if (taken == block_length) turn()
        return(element)
      }
    }
  })
}

#' Group the elements of a data set
#'
#' `dataset_group_by_window()` collects elements that have the same key until there are as many as a window holds, and
#' gives the elements of the data set that `reduce_func` makes of them. What is left at the end comes in the order of
#' the keys. `dataset_bucket_by_sequence_length()` makes batches of elements of like length: bucket i holds the elements
#' whose length is at least boundary i - 1 and less than boundary i.
#'
#' @param dataset a data set.
#' @param key_func a function of an element that gives a whole number.
#' @param reduce_func a function of a key and a data set of the elements that have it, which gives a data set.
#' @param window_size a whole number: elements in a window.
#' @param window_size_func in place of it, a function of a key that gives the number.
#' @param element_length_func a function of an element that gives its length.
#' @param bucket_boundaries increasing whole numbers.
#' @param bucket_batch_sizes for each bucket its batch size: one more than there are boundaries.
#' @param padded_shapes,padding_values as in [dataset_padded_batch()].
#' @param pad_to_bucket_boundary fill up to the largest length of the bucket, in place of that of the batch? Then no
#'   element may be as long as the last boundary.
#' @param no_padding leave elements as they are? Those of a batch must then agree in shape.
#' @param drop_remainder leave out batches that are not full?
#' @param name ignored; present for compatibility with TensorFlow.
#' @return A data set.
#' @section Errors: `nativenet_error_shape` for elements longer than the last boundary if these are filled up to it.
#' @seealso [dataset_padded_batch()], [dataset_window()]
#' @examples
#' data <- dataset_group_by_window(range_dataset(to = 7), key_func = function(x) x %% 2,
#'   reduce_func = function(key, group) dataset_batch(group, 3), window_size = 3)
#' iterate(data, function(batch) print(as.array(batch)))
#'
#' texts <- dataset_flat_map(tensor_slices_dataset(c(2, 4, 3, 5)),
#'   function(n) tensors_dataset(seq_len(as.array(n))))
#' data <- dataset_bucket_by_sequence_length(texts, function(x) length(x),
#'   bucket_boundaries = 4, bucket_batch_sizes = c(2, 2))
#' iterate(data, function(batch) print(as.array(batch)))
#' @export
dataset_group_by_window <- function(dataset, key_func, reduce_func, window_size = NULL, window_size_func = NULL,
  name = NULL) {
  check_dataset(dataset)
  check_hints(name = name)
  key <- as_function(key_func)
  reduce <- as_function(reduce_func, takes = 2)
  if (is.null(window_size) == is.null(window_size_func))
    abort("one of `window_size` and `window_size_func` must be given, and not both")
  size_of <- if (is.null(window_size)) {
    f <- as_function(window_size_func)
    function(k) check_count(whole_result(f(tensor(k, "int64")), "window_size_func", "dataset_group_by_window"),
      arg = "window_size_func's result", fun = "dataset_group_by_window")
  } else {
    n <- check_count(window_size)
    function(k) n
  }
  windows <- function() {
    pull <- dataset$pull()
    groups <- list() # by key, in the order in which they came
    window <- function(name) {
      items <- groups[[name]]
      groups[[name]] <<- NULL
      list(key = as.double(name), items = items)
    }
    function() {
      while (!is.null(element <- pull())) {
        k <- whole_result(call_with_element(key, element), "key_func", "dataset_group_by_window")
        name <- format(k, scientific = FALSE)
        groups[[name]] <<- c(groups[[name]], list(element))
        if (length(groups[[name]]) >= size_of(k)) return(window(name))
      }
      if (length(groups)) window(names(groups)[which.min(as.double(names(groups)))])
    }
  }
  joined(new_dataset(NULL, NA, pull = windows), function(group) {
    items <- indexed_dataset(dataset$spec, length(group$items), function(i) group$items[[i]])
    check_dataset(reduce(tensor(group$key, "int64"), items), "reduce_func's result", "dataset_group_by_window")
  })
}

#' What a function of an element gave where one whole number is wanted.
#' @noRd
whole_result <- function(x, arg, fun) {
  x <- if (is_tensor(x) && length(x) == 1) c(as.array(x)) else x
  check_whole(check_number(x, arg = arg, fun = fun), -2^53, 2^53, arg, fun)
}

#' @rdname dataset_group_by_window
#' @export
dataset_bucket_by_sequence_length <- function(dataset, element_length_func, bucket_boundaries, bucket_batch_sizes,
  padded_shapes = NULL, padding_values = NULL, pad_to_bucket_boundary = FALSE, no_padding = FALSE,
  drop_remainder = FALSE, name = NULL) {
  check_dataset(dataset)
  check_hints(name = name)
  f <- as_function(element_length_func)
  bounds <- several_sizes(bucket_boundaries)
  if (is.unsorted(bounds, strictly = TRUE)) abort("`bucket_boundaries` must be increasing whole ",
    "numbers, not ", describe(bucket_boundaries))
  sizes <- several_sizes(bucket_batch_sizes)
  if (length(sizes) != length(bounds) + 1) abort("`bucket_batch_sizes` must have one number more than ",
    "`bucket_boundaries`: ", length(bounds) + 1, ", not ", length(sizes), class = "shape")
  check_flag(pad_to_bucket_boundary)
  check_flag(no_padding)
  check_flag(drop_remainder)
  own <- "dataset_bucket_by_sequence_length"
  bucket_of <- function(...) {
    n <- whole_result(f(...), "element_length_func", own)
    if (pad_to_bucket_boundary && n >= bounds[length(bounds)]) abort("an element has length ", n, ", and with ",
      "`pad_to_bucket_boundary` the longest is ", bounds[length(bounds)] - 1, class = "shape", fun = own)
    sum(n >= bounds)
  }
  dataset_group_by_window(dataset, bucket_of, function(key, group) {
    bucket <- as.array(key) + 1
    if (no_padding) return(dataset_batch(group, sizes[bucket], drop_remainder))
    shapes <- if (pad_to_bucket_boundary) to_boundary(group, padded_shapes, bounds[bucket] - 1) else padded_shapes
    dataset_padded_batch(group, sizes[bucket], shapes, padding_values, drop_remainder)
  }, window_size_func = function(key) sizes[as.array(key) + 1])
}

several_sizes <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_branch(x) && all(vapply(x, is_number, NA))) x <- unlist(x)
  x <- check_whole(x, 1, 2^53, arg, fun)
  if (length(x)) as.vector(x) else abort("`", arg, "` must be at least one whole number", fun = fun)
}

#' Shapes to pad to, in which open sizes are the bucket's. Where elements do not say which are open, the first one is.
#' @noRd
to_boundary <- function(group, shapes, size) {
  if (is.null(shapes)) {
    shapes <- if (is.null(group$spec)) lapply(tensor_leaves(next_batch(group)), function(x) {
      if (length(dim(x))) replace(dim(x), 1, NA) else integer()
    }) else lapply(tensor_leaves(group$spec), `[[`, "dim")
  }
  shapes <- lapply(as_branch(shapes), function(shape) replace(as.integer(shape), is.na(shape), as.integer(size)))
  if (length(shapes) == 1) shapes[[1]] else shapes
}

#' Unique elements of a data set
#'
#' Each element once, in the order of their first appearance. What came is held in memory.
#'
#' @param dataset a data set of whole numbers or strings.
#' @param name ignored; present for compatibility with TensorFlow.
#' @return A data set.
#' @section Errors: `nativenet_error_dtype` for floats.
#' @seealso [dataset_filter()]
#' @examples
#' print(iterate(dataset_unique(tensor_slices_dataset(c(0L, 37L, 2L, 37L, 2L))), as.array))
#' @export
dataset_unique <- function(dataset, name = NULL) {
  check_dataset(dataset)
  check_hints(name = name)
  key <- function(leaf) {
    if (is.character(leaf)) return(leaf)
    if (!is_whole_dtype(tensor_dtype(leaf))) abort("elements must be whole numbers or strings, not ",
      tensor_dtype(leaf), class = "dtype", fun = "dataset_unique")
    c(dim(leaf), ":", tensor_bytes(leaf))
  }
  new_dataset(dataset$spec, NA, pull = function() {
    pull <- dataset$pull()
    seen <- new.env(parent = emptyenv())
    function() {
      while (!is.null(element <- pull())) {
        own <- paste(c("", unlist(lapply(tensor_leaves(element), key))), collapse = "\r")
        if (exists(own, envir = seen, inherits = FALSE)) next
        assign(own, TRUE, envir = seen)
        return(element)
      }
    }
  })
}

#' Draw elements so that classes have wanted shares
#'
#' Keeps and repeats elements at random, so that class i makes up `target_dist[i]` of them: with probability m, the
#' least ratio of wanted to given shares, an element comes as it is; otherwise the next one that is accepted, where
#' class i with the ratio r is accepted with probability (r - m) / (M - m), and M is the largest ratio. The data set
#' ends when either stream of elements does.
#'
#' @param dataset a data set.
#' @param class_func a function of an element that gives its class, counted from 0.
#' @param target_dist the wanted share of each class.
#' @param initial_dist the given ones, or `NULL` to estimate them on the way.
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @param name ignored; present for compatibility with TensorFlow.
#' @return A data set whose elements are `list(class, element)`.
#' @seealso [sample_from_datasets()], [dataset_filter()]
#' @examples
#' set.seed(1)
#' data <- tensor_slices_dataset(rep(0:1, 500))
#' more <- dataset_rejection_resample(data, function(x) x, c(0.9, 0.1), c(0.5, 0.5))
#' table(iterate(more, function(pair) as.array(pair[[1]])))
#' @export
dataset_rejection_resample <- function(dataset, class_func, target_dist, initial_dist = NULL, seed = NULL,
  name = NULL) {
  check_dataset(dataset)
  check_hints(name = name)
  f <- as_function(class_func)
  shares <- function(x, arg) {
    x <- check_reals(plain_argument(x, arg, "dataset_rejection_resample"), arg, "dataset_rejection_resample")
    if (!length(x) || any(x < 0) || sum(x) <= 0) abort("`", arg, "` must be shares of classes, none of them negative, ",
      "not ", describe(x), fun = "dataset_rejection_resample")
    as.vector(x) / sum(x)
  }
  target <- shares(target_dist, "target_dist")
  n <- length(target)
  given <- if (!is.null(initial_dist)) shares(initial_dist, "initial_dist")
  if (!is.null(given) && length(given) != n) abort("`initial_dist` must have ", n, " shares, as `target_dist`, not ",
    length(given), class = "shape")
  if (any(given == 0 & target > 0)) abort("`initial_dist` must not be 0 for a class that is wanted")
  if (is.null(seed <- check_seed(seed, max = 2^53))) seed <- NA
  new_dataset(NULL, NA, pull = function() {
    place <- random_places(seed)
    chance <- function() (place(2^20) - 0.5) / 2^20
    streams <- list(dataset$pull(), dataset$pull())
    counts <- rep(10 / n, n) # smoothed, as TensorFlow does
    take <- function(stream) {
      element <- streams[[stream]]()
      if (is.null(element)) return(NULL)
      class <- whole_result(call_with_element(f, element), "class_func", "dataset_rejection_resample")
      if (class < 0 || class >= n) abort("`class_func` must give classes from 0 to ", n - 1, ", not ", class,
        class = "index", fun = "dataset_rejection_resample")
      if (is.null(given)) counts[class + 1] <<- counts[class + 1] + 1
      list(class, element)
    }
    ratios <- function() {
      ratio <- target / (if (is.null(given)) counts / sum(counts) else given)
      replace(ratio, is.nan(ratio), 0)
    }
    # the next one that is accepted
    accepted <- function() {
      while (!is.null(pair <- take(2))) {
        ratio <- ratios()
        if (chance() * (max(ratio) - min(ratio)) < ratio[pair[[1]] + 1] - min(ratio)) return(pair)
      }
    }
    function() {
      ratio <- ratios()
      pair <- if (chance() < min(ratio) || max(ratio) == min(ratio)) take(1) else accepted()
      if (!is.null(pair)) list(tensor(pair[[1]], "int32"), pair[[2]])
    }
  })
}
