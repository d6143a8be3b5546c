# The verbs of data sets: each makes a new one.

#' Transform the elements of a data set
#'
#' `dataset_map()` applies a function to each element; the parts of an element that is an unnamed list are its
#' arguments. The function is traced, with tensors that have no numbers yet, and the engine runs it for all elements. If
#' it cannot be traced (see [autograph()]), it is called in R for each element, and a message says so.
#' `dataset_filter()` keeps the elements for which the function gives TRUE, `dataset_take_while()` those before the
#' first for which it does not. `dataset_flat_map()` applies a function that gives a data set, and joins these.
#' `dataset_reduce()` and `dataset_scan()` carry a state along.
#'
#' @param dataset a data set.
#' @param map_func,predicate a function, or a formula such as `~ .x / 255`.
#' @param num_parallel_calls ignored; present for compatibility with TensorFlow.
#' @param initial_state a tensor, number, or list of them.
#' @param reduce_func,scan_func a function of the state and an element that gives the next state; for scan
#'   `list(state, result)`.
#' @return A data set; the last state from `dataset_reduce()`.
#' @examples
#' data <- dataset_map(range_dataset(to = 5), function(x) x * 2)
#' iterate(dataset_filter(data, ~ .x > 3), as.array)
#' dataset_reduce(data, 0, function(state, x) state + x)
#' @export
dataset_map <- function(dataset, map_func, num_parallel_calls = NULL) {
  check_dataset(dataset)
  check_hints(num_parallel_calls)
  f <- as_function(map_func)
  if (has_stages(dataset)) {
    trace <- trace_element(f, dataset$spec)
    if (!is.character(trace)) return(native_map(dataset, f, spec_of(trace$template)))
    tell_not_native("dataset_map", trace)
    call <- with_control(f)
  } else {
    call <- compiled(f)
  }
  new_dataset(NULL, dataset$size, pull = function() {
    pull <- dataset$pull()
    function() {
      element <- pull()
      if (!is.null(element)) as_element(call_with_element(call, element), "dataset_map")
    }
  })
}

#' Batches come in few shapes: one program for each. Strings and data sets, which are as good as constants, would need
#' one each.
#' @noRd
compiled <- function(f) {
  map_func <- autograph(f)
  plain <- with_control(f)
  function(...) {
    if (all(vapply(tensor_leaves(list(...)), is_tensor, NA))) map_func(...) else plain(...)
  }
}

# Traced when an iteration starts, so that it has what is outside of the function as it is then.
native_map <- function(dataset, f, spec) {
  new_dataset(spec, dataset$size, stages = function(add) {
    below <- dataset$stages(add)
    trace <- trace_element(f, dataset$spec)
    if (is.character(trace)) abort("the function can no longer be traced: ", trace, fun = "dataset_map")
    now <- spec_of(trace$template)
    if (!identical(now, spec)) {
      abort("the function gives other elements than when the data set was made, ", format_spec(now), " instead of ",
        format_spec(spec), class = "shape", fun = "dataset_map")
    }
    specs <- tensor_leaves(spec)
    trace$outputs <- tensor_leaves(trace$template)
    add("map", below, trace = trace, dims = lapply(specs, `[[`, "dim"), dtypes = lapply(specs, `[[`, "dtype"))
  })
}

tell_not_native <- function(fun, reason) message(fun, "(): the function is called in R for each element: ", reason, ".")

#' The function on one element: a trace, or why there is none.
#' @noRd
trace_element <- function(f, spec) {
  reason <- look_through(f)$reason
  if (!is.null(reason)) return(reason)
  trace <- try_trace(with_control(f), element_args(spec))
  if (is.character(trace)) return(trace)
  leaves <- tensor_leaves(trace$template, keep_null = TRUE)
  if (!length(leaves) || !all(vapply(leaves, is_symbolic, NA)))
    return("it gives something that is not computed from the element")
  if (length(leaves) > most_tensors) return(paste("it gives more than", most_tensors, "tensors"))
  # the engine may leave elements out that nobody sees
  if (any(c("assign", "update") %in% describe_program(trace$program)$op)) return("it changes a variable")
  trace
}

#' The arguments that a function of elements gets.
#' @noRd
element_args <- function(element) if (is_branch(element) && is.null(names(element))) element else list(element)
call_with_element <- function(f, element) do.call(f, element_args(element), quote = TRUE)

#' What an R function gave as an element: numbers become tensors.
#' @noRd
as_element <- function(x, fun = calling_function()) {
  fill_leaves(x, lapply(tensor_leaves(x, keep_null = TRUE), function(leaf) {
    if (is_tensor(leaf) || is.character(leaf) || is_dataset(leaf)) return(leaf)
    if (is.atomic(leaf) || isS4(leaf)) return(tensor(bare_numbers(leaf, "an element", fun)))
    abort("an element of a data set must be made of tensors, numbers or strings, not ", describe(leaf), fun = fun)
  }))
}

#' A function, or a formula in the manner of purrr.
#' @noRd
as_function <- function(f, arg = deparse(substitute(f)), fun = calling_function(), takes = NULL) {
  if (inherits(f, "formula") && length(f) == 2) {
    first <- as.name("..1")
    return(as.function(c(alist(... = ), list(.x = first, .y = as.name("..2"), . = first), f[[2]]),
      envir = environment(f)))
  }
  check_function(f, arg = arg, fun = fun, takes = takes)
  as_closure(f)
}

#' @rdname dataset_map
#' @export
dataset_filter <- function(dataset, predicate) {
  check_dataset(dataset)
  f <- as_function(predicate)
  plain <- with_control(f)
  if (has_stages(dataset)) {
    keep <- function(...) op_cast(plain(...), "bool")
    trace <- trace_element(f, dataset$spec)
    if (!is.character(trace) && is_symbolic(trace$template) && length(trace$template) == 1) {
      return(new_dataset(dataset$spec, NA, stages = function(add) {
        below <- dataset$stages(add)
        add("filter", below, trace = trace_call(keep, element_args(dataset$spec)))
      }))
    }
    if (!is.character(trace)) check_predicate(trace$template)
    tell_not_native("dataset_filter", trace)
  }
  new_dataset(dataset$spec, NA, pull = function() {
    pull <- dataset$pull()
    function() {
      while (!is.null(element <- pull())) if (check_predicate(call_with_element(plain, element))) return(element)
    }
  })
}

check_predicate <- function(x, fun = "dataset_filter") {
  if (is_tensor(x) && length(x) == 1 && !is_symbolic(x)) x <- as.array(x)
  if (!is_tensor(x) && length(x) == 1 && !is.na(x)) return(as.logical(x))
  abort("`predicate` must give one TRUE or FALSE, not ", describe(x), class = "shape", fun = fun)
}

#' @rdname dataset_map
#' @export
dataset_take_while <- function(dataset, predicate) {
  check_dataset(dataset)
  f <- as_function(predicate)
  new_dataset(dataset$spec, NA, pull = function() {
    pull <- dataset$pull()
    function() {
      element <- pull()
      if (!is.null(element) && check_predicate(call_with_element(f, element), "dataset_take_while")) element
    }
  })
}

#' @rdname dataset_map
#' @export
dataset_flat_map <- function(dataset, map_func) {
  check_dataset(dataset)
  f <- as_function(map_func)
  joined(dataset, function(element) check_dataset(call_with_element(f, element), "map_func's result",
    "dataset_flat_map"))
}

#' The elements of the data sets that a function makes of elements, one data set after the other.
#' @noRd
joined <- function(dataset, make) {
  new_dataset(NULL, NA, pull = function() {
    pull <- dataset$pull()
    inner <- function() NULL
    function() {
      repeat {
        element <- inner()
        if (!is.null(element)) return(element)
        outer <- pull()
        if (is.null(outer)) return(NULL)
        inner <<- make(outer)$pull()
      }
    }
  })
}

#' @rdname dataset_map
#' @export
dataset_reduce <- function(dataset, initial_state, reduce_func) {
  check_dataset(dataset)
  check_not_tracing("it iterates over a data set")
  f <- as_function(reduce_func, takes = 2)
  state <- check_state(initial_state) # R's numbers stay such, as they take the dtype of the tensors that they meet
  pull <- dataset$pull()
  while (!is.null(element <- pull())) state <- f(state, element)
  as_element(state)
}

#' What is carried along from step to step: tensors, numbers, strings.
#' @noRd
check_state <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  for (leaf in tensor_leaves(x)) if (!is_tensor(leaf) && !is.character(leaf)) check_numbers(leaf, arg, fun)
  x
}

#' @rdname dataset_map
#' @export
dataset_scan <- function(dataset, initial_state, scan_func) {
  check_dataset(dataset)
  f <- as_function(scan_func, takes = 2)
  check_state(initial_state)
  new_dataset(NULL, dataset$size, pull = function() {
    pull <- dataset$pull()
    state <- initial_state
    function() {
      element <- pull()
      if (is.null(element)) return(NULL)
      both <- f(state, element)
      if (!is.list(both) || length(both) != 2) abort("`scan_func` must give `list(state, result)`, not ",
        describe(both), fun = "dataset_scan")
      state <<- both[[1]]
      as_element(both[[2]], "dataset_scan")
    }
  })
}

#' Shuffle, repeat, take and combine data sets
#'
#' `dataset_shuffle()` fills a buffer with the first `buffer_size` elements, gives one of them by chance, fills its
#' place with the next element, and so on: a buffer as large as the data shuffles fully, and costs no copies where
#' elements are slices of arrays. Each pass has another order; `set.seed()` governs it, or a `seed` of its own.
#' `dataset_repeat()` starts again when the elements end; after a shuffle each round is complete before the next begins.
#'
#' @param dataset a data set.
#' @param buffer_size,count whole numbers; a count of -1 or `NULL`: without end, or all.
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @param reshuffle_each_iteration another order in each pass?
#' @param num_shards,index every `num_shards`-th element, from number `index` on, counted from 0.
#' @param filename a file to keep the elements in, or `NULL` for memory. A file that is damaged, or whose elements have
#'   other shapes, dtypes or another number than the data set's, is made anew, with a warning; remove it when the data
#'   have changed otherwise.
#' @param start the first number.
#' @param ...,datasets data sets; for zip also one list of them.
#' @param weights how often each is drawn from.
#' @return A data set.
#' @examples
#' set.seed(1)
#' data <- dataset_repeat(dataset_shuffle(range_dataset(to = 4), 4), 2)
#' iterate(data, as.array)
#' iterate(zip_datasets(range_dataset(to = 2), range_dataset(5, 9)))
#' @export
dataset_shuffle <- function(dataset, buffer_size, seed = NULL, reshuffle_each_iteration = NULL) {
  check_dataset(dataset)
  buffer_size <- check_count(buffer_size)
  reshuffle <- is.null(reshuffle_each_iteration) || check_flag(reshuffle_each_iteration)
  seed <- check_seed(seed, max = 2^53)
  passes <- new.env(parent = emptyenv())
  passes$seed <- if (!is.null(seed)) as.double(seed) %% 2147483647
  # a seed of one's own: the iterations differ, but are the same each time the program runs
  next_seed <- function() {
    if (is.null(passes$seed)) {
      if (reshuffle) return(NA_real_)
      passes$seed <- floor(stats::runif(1) * 2^53)
    }
    now <- passes$seed
    if (reshuffle) passes$seed <- (now * 16807 + 11) %% 2147483647
    now
  }
  if (has_stages(dataset)) {
    return(new_dataset(dataset$spec, dataset$size, stages = function(add) {
      below <- dataset$stages(add)
      add("shuffle", below, a = buffer_size, reshuffle = reshuffle, seed = next_seed())
    }))
  }
  new_dataset(dataset$spec, dataset$size, pull = function() {
    pull <- dataset$pull()
    order <- random_places(next_seed())
    buffer <- list()
    more <- TRUE
    function() {
      while (more && length(buffer) < buffer_size) {
        element <- pull()
        if (is.null(element)) more <<- FALSE else buffer[[length(buffer) + 1]] <<- element
      }
      n <- length(buffer)
      if (n == 0) return(NULL)
      i <- order(n)
      element <- buffer[[i]]
      buffer[[i]] <<- buffer[[n]]
      buffer[[n]] <<- NULL
      element
    }
  })
}

#' A function of n that gives one of 1 .. n, by R's generator (seed NA) or its own.
#' @noRd
random_places <- function(seed) {
  if (is.na(seed)) return(function(n) 1 + floor(stats::runif(1) * n))
  stream <- dataset_repeat(dataset_shuffle(range_dataset(to = 2^20), 2^20, seed = seed))$pull()
  function(n) 1 + as.array(stream()) %% n
}

#' @rdname dataset_shuffle
#' @export
dataset_repeat <- function(dataset, count = NULL) {
  check_dataset(dataset)
  count <- check_times(count)
  size <- if (count == 0 || identical(dataset$size, 0)) 0 else if (count < 0) Inf else dataset$size * count
  if (has_stages(dataset)) return(on_top(dataset, size, "repeat", a = count))
  new_dataset(dataset$spec, size, pull = function() {
    round <- 1
    pull <- dataset$pull()
    function() {
      if (count == 0) return(NULL)
      element <- pull()
      if (!is.null(element) || (count > 0 && round >= count)) return(element)
      round <<- round + 1
      pull <<- dataset$pull()
      pull()
    }
  })
}

check_times <- function(count, fun = calling_function()) {
  if (is.null(count) || (is_number(count) && count == -1)) return(-1)
  check_count(count, min = 0, arg = "count", fun = fun)
}

#' @rdname dataset_shuffle
#' @export
dataset_shuffle_and_repeat <- function(dataset, buffer_size, count = NULL, seed = NULL) {
  dataset_repeat(dataset_shuffle(dataset, buffer_size, seed), count)
}

#' @rdname dataset_shuffle
#' @export
dataset_take <- function(dataset, count) {
  count <- check_times(count)
  size <- if (count < 0) check_dataset(dataset)$size else min(check_dataset(dataset)$size, count)
  if (has_stages(dataset)) return(on_top(dataset, size, "take", a = count))
  new_dataset(dataset$spec, size, pull = function() {
    pull <- dataset$pull()
    taken <- 0
    function() {
      if (count >= 0 && taken >= count) return(NULL)
      taken <<- taken + 1
      pull()
    }
  })
}

#' @rdname dataset_shuffle
#' @export
dataset_skip <- function(dataset, count) {
  count <- check_times(count)
  size <- if (count < 0) 0 else max(0, check_dataset(dataset)$size - count)
  if (has_stages(dataset)) return(on_top(dataset, size, "skip", a = count))
  new_dataset(dataset$spec, size, pull = function() {
    pull <- dataset$pull()
    left <- count
    function() {
      if (count < 0) return(NULL)
      while (left > 0 && !is.null(pull())) left <<- left - 1
      pull()
    }
  })
}

#' @rdname dataset_shuffle
#' @export
dataset_shard <- function(dataset, num_shards, index) {
  check_dataset(dataset)
  num_shards <- check_count(num_shards)
  index <- check_count(index, min = 0, max = num_shards - 1)
  size <- if (is.finite(dataset$size)) max(0, ceiling((dataset$size - index) / num_shards)) else dataset$size
  if (has_stages(dataset)) return(on_top(dataset, size, "shard", a = num_shards, b = index))
  new_dataset(dataset$spec, size, pull = function() {
    pull <- dataset$pull()
    skip <- index
    function() {
      for (i in seq_len(skip)) if (is.null(pull())) return(NULL)
      skip <<- num_shards - 1
      pull()
    }
  })
}

#' @rdname dataset_shuffle
#' @export
dataset_concatenate <- function(dataset, ...) {
  all <- list(dataset, ...)
  for (d in all) check_dataset(d)
  check_columns_agree(all)
  size <- sum(vapply(all, `[[`, 0, "size"))
  same <- all(vapply(all, function(d) has_stages(d) && identical(d$spec, dataset$spec), NA))
  if (same && length(all) <= most_inputs) {
    return(new_dataset(dataset$spec, size, stages = function(add)
      add("concatenate", vapply(all, function(d) d$stages(add), 0L))))
  }
  new_dataset(NULL, size, pull = function() {
    i <- 1
    pull <- all[[1]]$pull()
    function() {
      while (is.null(element <- pull())) {
        if (i == length(all)) return(NULL)
        i <<- i + 1
        pull <<- all[[i]]$pull()
      }
      element
    }
  })
}

#' Elements that follow each other are told by position: columns in another order would be mixed up.
#' @noRd
check_columns_agree <- function(datasets, fun = calling_function()) {
  names <- lapply(datasets, function(d) lapply(tensor_leaves(d$spec), `[[`, "columns"))
  for (own in names) {
    if (length(own) != length(names[[1]])) next
    differ <- !mapply(function(a, b) is.null(a) || is.null(b) || identical(a, b), own, names[[1]])
    if (any(differ)) {
      abort("the data sets differ in their columns: ", some_names("", names[[1]][differ][[1]]), " and ",
        some_names("", own[differ][[1]]), class = "names", fun = fun)
    }
  }
}

#' @rdname dataset_shuffle
#' @export
zip_datasets <- function(...) {
  all <- list(...)
  if (length(all) == 1 && is_branch(all[[1]])) all <- all[[1]]
  if (!length(all)) abort("needs at least one data set")
  for (d in all) check_dataset(d, "...")
  size <- min(vapply(all, `[[`, 0, "size"))
  spec <- if (!any(vapply(all, function(d) is.null(d$spec), NA))) lapply(all, function(d) d$spec)
  fits <- length(all) <= most_inputs && length(tensor_leaves(spec)) <= most_tensors
  if (all(vapply(all, has_stages, NA)) && fits) {
    return(new_dataset(spec, size, stages = function(add)
      add("zip", vapply(unname(all), function(d) d$stages(add), 0L))))
  }
  new_dataset(spec, size, pull = function() {
    pulls <- lapply(all, function(d) d$pull())
    function() {
      elements <- lapply(pulls, function(pull) pull())
      if (!holds_null(elements)) elements
    }
  })
}

#' @rdname dataset_shuffle
#' @export
dataset_zip <- function(...) zip_datasets(...)

#' @rdname dataset_shuffle
#' @export
dataset_enumerate <- function(dataset, start = 0L) {
  check_dataset(dataset)
  start <- check_whole(start)
  numbers <- range_dataset(start, start + if (is.finite(dataset$size)) dataset$size else 2^52)
  numbers$size <- dataset$size
  zip_datasets(numbers, dataset)
}

#' @rdname dataset_shuffle
#' @export
dataset_prefetch <- function(dataset, buffer_size = NULL) {
  if (!is.null(buffer_size)) check_count(buffer_size, min = -1) # -1: tf$data$AUTOTUNE
  check_dataset(dataset)
}

#' @rdname dataset_shuffle
#' @export
sample_from_datasets <- function(datasets, weights = NULL, seed = NULL) {
  if (!is_branch(datasets) || !length(datasets)) abort("`datasets` must be a list of data sets, not ",
    describe(datasets))
  for (d in datasets) check_dataset(d, "datasets")
  if (is.null(weights)) weights <- rep(1, length(datasets))
  weights <- plain_argument(weights, "weights")
  if (length(weights) != length(datasets) || !are_numbers(weights) ||
    !isTRUE(all(weights >= 0 & is.finite(weights))) || sum(weights) <= 0) {
    abort("`weights` must be one number of at least 0 per data set, not ", describe(weights))
  }
  if (is.null(seed <- check_seed(seed, max = 2^53))) seed <- NA
  check_columns_agree(datasets)
  new_dataset(NULL, sum(vapply(datasets, `[[`, 0, "size")), pull = function() {
    place <- random_places(seed)
    pulls <- lapply(datasets, function(d) d$pull())
    open <- weights
    function() {
      while (sum(open) > 0) {
        i <- findInterval((place(2^20) - 0.5) / 2^20, cumsum(open) / sum(open)) + 1
        element <- pulls[[i]]()
        if (!is.null(element)) return(element)
        open[i] <<- 0
      }
    }
  })
}
