# The verbs of data sets: each makes a new one.

#' Map a function over the elements of a data set
#'
#' Applies a function to each element. The parts of an element that is an unnamed list are its arguments.
#'
#' The function is traced, and the engine runs the program for all elements. If it cannot be traced (see [autograph()]),
#' it is called in R for each element, and a message says so.
#'
#' @param dataset a data set.
#' @param map_func a function, or a formula such as `~ .x / 255`.
#' @param num_parallel_calls ignored; present for compatibility with TensorFlow.
#' @return A data set.
#' @seealso [dataset_filter()], [dataset_flat_map()], [dataset_reduce()]
#' @examples
#' data <- dataset_map(range_dataset(to = 5), function(x) x * 2)
#' as.list(dataset_map(data, ~ .x + 1))
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
    if (is_tensor(leaf) || is.character(leaf) || is_dataset(leaf) || is_bytes(leaf)) return(leaf)
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

#' Filter the elements of a data set
#'
#' `dataset_filter()` keeps the elements for which the predicate gives TRUE, `dataset_take_while()` those before the
#' first for which it does not.
#'
#' @param dataset a data set.
#' @param predicate a function of an element that gives TRUE or FALSE, or a formula such as `~ .x > 3`.
#' @param name ignored; present for compatibility with TensorFlow.
#' @return A data set.
#' @seealso [dataset_map()]
#' @examples
#' print(iterate(dataset_filter(range_dataset(to = 5), ~ .x > 2L), as.array))
#' print(iterate(dataset_take_while(range_dataset(to = 5), ~ .x < 2L), as.array))
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

#' @rdname dataset_filter
#' @export
dataset_take_while <- function(dataset, predicate, name = NULL) {
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

#' Map to data sets and flatten
#'
#' Applies a function that gives a data set to each element, and joins these data sets one after the other.
#'
#' @param dataset a data set.
#' @param map_func a function of an element that gives a data set, or a formula.
#' @return A data set.
#' @seealso [dataset_map()]
#' @examples
#' data <- dataset_flat_map(range_dataset(to = 3), function(x) range_dataset(to = as.array(x) + 1))
#' print(iterate(data, as.array))
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

#' Reduce or scan a data set
#'
#' Carry a state along: `dataset_reduce()` gives the last state, `dataset_scan()` a data set of the results of all
#' steps.
#'
#' @param dataset a data set.
#' @param initial_state a tensor, number, or list of them.
#' @param reduce_func a function of the state and an element that gives the next state.
#' @param scan_func a function of the state and an element that gives `list(state, result)`.
#' @return The last state; a data set from `dataset_scan()`.
#' @seealso [dataset_map()]
#' @examples
#' dataset_reduce(range_dataset(to = 5), 0, function(state, x) state + x)
#' sums <- dataset_scan(range_dataset(to = 5), 0, function(state, x) list(state + x, state + x))
#' print(iterate(sums, as.array))
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

#' @rdname dataset_reduce
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

#' Shuffle a data set
#'
#' Fills a buffer with the first `buffer_size` elements, gives one of them at random, fills its place with the next
#' element, and so on. A buffer as large as the data shuffles fully, and costs no copies where elements are slices of
#' arrays.
#'
#' Each iteration has another order. `set.seed()` governs it, or a `seed` of its own.
#'
#' @section Files larger than memory:
#' A buffer as large as the data reads a file of [array_file_dataset()] or [idx_dataset()] in places all over it, for
#' each row a page of 4 kB or more, and what does not fit into memory again and again. A smaller buffer reads the file
#' from its beginning to its end, and leaves rows near those that they were written with. With a `block_size` the blocks
#' of that many consecutive elements come in any order, each of them is read in one go while the one before is used, and
#' their elements are mixed in the buffer. Blocks of some 100 kB to 1 MB read about as fast as the file as a whole; a
#' buffer of 30 blocks or more mixes well, also rows that are sorted by class. The buffer takes up `buffer_size`
#' times the bytes of an element; of a file at most some 64 MB are kept in the memory of the process, however it is
#' read.
#'
#' @param dataset a data set.
#' @param buffer_size a whole number: the size of the buffer.
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @param reshuffle_each_iteration another order in each iteration?
#' @param block_size a whole number: consecutive elements that are read together, for files larger than memory; `NULL`
#'   for none. The elements must be such that can be taken in any order, as those of arrays and files, also after
#'   [dataset_map()], [dataset_take()] and the like.
#' @param count how many times to repeat; -1 or `NULL`: without end.
#' @return A data set.
#' @seealso [dataset_repeat()], [dataset_batch()]
#' @examples
#' set.seed(1)
#' print(iterate(dataset_shuffle(range_dataset(to = 4), 4), as.array))
#' print(iterate(dataset_shuffle(range_dataset(to = 12), 6, block_size = 2), as.array))
#' @export
dataset_shuffle <- function(dataset, buffer_size, seed = NULL, reshuffle_each_iteration = NULL, block_size = NULL) {
  check_dataset(dataset)
  buffer_size <- check_count(buffer_size)
  if (!is.null(block_size)) {
    block_size <- check_count(block_size)
    if (!has_stages(dataset)) abort("`block_size` is for elements that can be taken in any order, as those of arrays ",
      "and files, not for batches or what R code gives one after the other; shuffle before `dataset_batch()`")
  }
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
      add("shuffle", below, a = buffer_size, b = if (is.null(block_size)) 0 else block_size, reshuffle = reshuffle,
        seed = next_seed())
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

#' Repeat a data set
#'
#' Starts again when the elements end. After a shuffle each round is complete before the next begins.
#'
#' @param dataset a data set.
#' @param count how many times; -1 or `NULL`: without end.
#' @return A data set.
#' @seealso [dataset_shuffle()]
#' @examples
#' print(iterate(dataset_repeat(range_dataset(to = 2), 2), as.array))
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
dataset_shuffle_and_repeat <- function(dataset, buffer_size, count = NULL, seed = NULL, block_size = NULL) {
  dataset_repeat(dataset_shuffle(dataset, buffer_size, seed, block_size = block_size), count)
}

#' Take or skip elements of a data set
#'
#' The first `count` elements, or all but these.
#'
#' @param dataset a data set.
#' @param count a whole number; -1: all.
#' @return A data set.
#' @seealso [dataset_shard()]
#' @examples
#' print(iterate(dataset_take(range_dataset(to = 5), 2), as.array))
#' print(iterate(dataset_skip(range_dataset(to = 5), 2), as.array))
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

#' @rdname dataset_take
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

#' Shard a data set
#'
#' Every `num_shards`-th element, so that several processes share the data.
#'
#' @param dataset a data set.
#' @param num_shards a whole number.
#' @param index number of the first element, counted from 0.
#' @return A data set.
#' @seealso [dataset_take()]
#' @examples
#' print(iterate(dataset_shard(range_dataset(to = 6), 3, 1), as.array))
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
