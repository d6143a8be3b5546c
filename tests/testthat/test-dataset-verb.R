# The verbs of data sets, natively and in R.

ten <- range_dataset(to = 10)
pairs <- function(n = 5) tensor_slices_dataset(list(matrix(as.double(1:(2 * n)), n), seq_len(n)))

test_that("verbs of order and number", {
  expect_both(ten, function(d) dataset_take(d, 3), 0:2)
  expect_both(ten, function(d) dataset_take(d, 0), list())
  expect_both(ten, function(d) dataset_take(d, -1), 0:9)
  expect_both(ten, function(d) dataset_take(d, 99), 0:9)
  expect_both(ten, function(d) dataset_skip(d, 7), 7:9)
  expect_both(ten, function(d) dataset_skip(d, 0), 0:9)
  expect_both(ten, function(d) dataset_skip(d, -1), list())
  expect_both(ten, function(d) dataset_skip(d, 99), list())
  expect_both(ten, function(d) dataset_shard(d, 3, 0), c(0, 3, 6, 9))
  expect_both(ten, function(d) dataset_shard(d, 3, 2), c(2, 5, 8))
  expect_both(ten, function(d) dataset_shard(dataset_take(d, 1), 3, 2), list())
  expect_both(ten, function(d) dataset_repeat(dataset_take(d, 2), 3), c(0, 1, 0, 1, 0, 1))
  expect_both(ten, function(d) dataset_repeat(d, 0), list())
  expect_both(ten, function(d) dataset_take(dataset_repeat(dataset_take(d, 2)), 5), c(0, 1, 0, 1, 0))
  expect_both(ten, function(d) dataset_take(dataset_repeat(dataset_take(d, 2), -1), 3), c(0, 1, 0))
  expect_both(ten, function(d) dataset_concatenate(dataset_take(d, 2), dataset_skip(d, 8), dataset_take(d, 1)),
    c(0, 1, 8, 9, 0))
  expect_both(ten, function(d) do.call(dataset_concatenate, rep(list(dataset_take(d, 1)), 10)), rep(0, 10))
  expect_both(ten, function(d) dataset_prefetch(d, 2), 0:9)
  expect_both(ten, dataset_cache, 0:9)
  expect_both(ten, function(d) dataset_shuffle(d, 1), 0:9)
  # on top of what cannot give any element
  filtered <- function(d) dataset_filter(d, function(x) x > 2L)
  expect_both(ten, function(d) dataset_take(filtered(d), 3), 3:5)
  expect_both(ten, function(d) dataset_skip(filtered(d), 5), 8:9)
  expect_both(ten, function(d) dataset_shard(filtered(d), 2, 1), c(4, 6, 8))
  expect_both(ten, function(d) dataset_take(dataset_repeat(filtered(d)), 9), c(3:9, 3:4))
  expect_both(ten, function(d) dataset_concatenate(filtered(d), dataset_take(d, 2)), c(3:9, 0:1))
  expect_both(ten, function(d) dataset_cache(filtered(d)), 3:9)
  expect_both(ten, function(d) dataset_shuffle(filtered(d), 1), 3:9)
  expect_length(dataset_collect(dataset_repeat(dataset_filter(ten, function(x) x > 99L)), 5), 0)
  expect_length(dataset_collect(dataset_repeat(dataset_filter(in_fallback(ten), function(x) x > 99L)), 5), 0)
})

test_that("elements side by side, and numbered", {
  zipped <- zip_datasets(range_dataset(to = 3), range_dataset(10, 20))
  expect_equal(lapply(numbers(dataset_map(zipped, function(x, y) op_stack(list(x, y)))), c),
    list(c(0, 10), c(1, 11), c(2, 12)))
  expect_identical(elements(zip_datasets(in_fallback(range_dataset(to = 3)), range_dataset(10, 20))), elements(zipped))
  expect_identical(elements(zip_datasets(list(range_dataset(to = 3), range_dataset(10, 20)))), elements(zipped))
  expect_identical(elements(dataset_zip(range_dataset(to = 3), range_dataset(10, 20))), elements(zipped))
  expect_named(as.list(zip_datasets(list(a = ten, b = ten)))[[1]], c("a", "b"))
  expect_named(as.list(zip_datasets(list(a = in_fallback(ten), b = ten)))[[1]], c("a", "b"))
  expect_named(as.list(zip_datasets(a = ten, b = ten))[[1]], c("a", "b"))
  nested <- as.list(zip_datasets(pairs(), ten))[[2]]
  expect_identical(dim(nested[[1]][[1]]), 2L)
  expect_length(as.list(do.call(zip_datasets, rep(list(ten), 9)))[[1]], 9)
  it <- as_iterator(dataset_enumerate(tensor_slices_dataset(c(5, 6))))
  expect_equal(lapply(iter_next(it), as.array), list(0, 5))
  expect_equal(lapply(iter_next(it), as.array), list(1, 6))
  expect_null(iter_next(it))
  expect_null(iter_next(it))
  expect_equal(lapply(as.list(dataset_enumerate(in_fallback(ten), start = 7))[[10]], as.array), list(16, 9))
  odd <- dataset_enumerate(dataset_filter(ten, function(x) x > 7L))
  expect_equal(lapply(as.list(odd), function(p) c(as.array(p[[1]]), as.array(p[[2]]))), list(c(0, 8), c(1, 9)))
})

test_that("map: components, names, formulas", {
  data <- pairs()
  expect_equal(flat(dataset_map(data, function(x, y) op_multiply(op_sum(x), op_cast(y, "float64")))),
    (7 + 2 * (0:4)) * 1:5)
  swapped <- as.list(dataset_map(data, function(x, y) list(label = y, twice = list(x, x))))[[2]]
  expect_identical(as.array(swapped$label), 2L)
  expect_equal(c(as.array(swapped$twice[[2]])), c(2, 7))
  named <- tensor_slices_dataset(list(a = c(1, 2), b = c(3, 4)))
  expect_equal(flat(dataset_map(named, function(row) row$a * row$b)), c(3, 8))
  expect_equal(flat(dataset_map(ten, ~ .x * 2L)), 2 * 0:9)
  expect_equal(flat(dataset_map(ten, ~ . + 1L)), 1:10)
  expect_equal(flat(dataset_map(zip_datasets(ten, ten), ~ .x + .y)), 2 * 0:9)
  expect_equal(flat(dataset_map(tensor_slices_dataset(c(1, 4)), sqrt)), c(1, 2))
  expect_equal(flat(dataset_map(dataset_batch(tensor_slices_dataset(c(1, 4)), 2), sqrt)), c(1, 2))
  expect_equal(flat(dataset_map(ten, autograph(function(x) x + 1L))), 1:10)
  expect_equal(flat(dataset_map(ten, function(x) x)), 0:9)
  both <- dataset_map(dataset_map(ten, function(x) list(x, x * 2L)), function(x, y) list(y, x))
  expect_equal(lapply(as.list(both)[[4]], as.array), list(6, 3))
})

test_that("map: what is outside counts as it is when an iteration starts", {
  scale <- 2
  data <- dataset_map(tensor_slices_dataset(c(1, 2)), function(x) x * scale)
  expect_equal(flat(data), c(2, 4))
  scale <- 10
  expect_equal(flat(data), c(10, 20))
  scale <- c(1, 2)
  expect_refusal(as.list(data), "shape", "other elements", "float64 (2) instead of float64 ()")
  v <- variable(3)
  data <- dataset_map(tensor_slices_dataset(c(1, 2, 3)), function(x) x + v)
  expect_equal(flat(data), 4:6)
  it <- as_iterator(data)
  iter_next(it)
  v$assign(100)
  expect_equal(as.array(iter_next(it)), 102)
  gc()
  expect_equal(flat(data), 101:103)
  # a map that changes a variable does so once for each element, and not to copies of the variable
  before <- op_add(v, 0)
  expect_message(counting <- dataset_map(tensor_slices_dataset(c(1, 2, 3)), function(x) {
    v$assign_add(1)
    x * 0 + v
  }), "changes a variable")
  expect_equal(flat(counting), 101:103)
  expect_equal(as.array(before), 100)
})

test_that("map: gradients inside", {
  data <- dataset_map(tensor_slices_dataset(matrix(c(1, 2, 3, 4), 2)), function(x) {
    with(gradient_tape() %as% tape, {
      tape$watch(x)
      y <- op_sum(x * x * x)
    })
    tape$gradient(y, x)
  })
  expect_true(nativenet:::has_stages(data))
  expect_equal(numbers(dataset_batch(data, 2)), list(c(3, 12, 27, 48)))
})

test_that("map: random numbers of the engine are new in each epoch, and set.seed() governs them", {
  data <- dataset_map(tensor_slices_dataset(matrix(0, 50, 4)), function(x) x + op_random_normal(4L, dtype = "float64"))
  set.seed(1)
  a <- flat(dataset_repeat(data, 2))
  b <- flat(data)
  set.seed(1)
  expect_identical(flat(dataset_repeat(data, 2)), a)
  expect_length(unique(c(a, b)), 600)
  expect_lt(abs(mean(a)), 0.2)
  expect_lt(abs(sd(a) - 1), 0.15)
})

test_that("map: what cannot be traced is called in R, says so once and gives the same", {
  data <- tensor_slices_dataset(c(1, -2, 3))
  expect_message(slow <- dataset_map(data, function(x) tensor(as.array(x) * 2)), "called in R for each element")
  expect_silent(expect_equal(flat(slow), c(2, -4, 6)))
  expect_equal(flat(suppressMessages(dataset_map(data, function(x) if (x > 0) x else x * 10))), c(1, -20, 3))
  expect_equal(flat(suppressMessages(dataset_map(data, function(x) 7))), c(7, 7, 7))
  expect_identical(as.list(suppressMessages(dataset_map(data, function(x) "text"))), list("text", "text", "text"))
  expect_refusal(as.list(suppressMessages(dataset_map(data, function(x) NULL))), "value", "`dataset_map()`", "NULL")
  expect_refusal(as.list(suppressMessages(dataset_map(data, function(x) mean))), "value", "a function")
  expect_identical(as.list(dataset_map(tensor_slices_dataset(letters), toupper)), as.list(LETTERS)) # and silently
  # another shape for each element
  ragged <- dataset_map(range_dataset(1, 4), function(n) array(1, as.array(n))) |> suppressMessages()
  expect_identical(lengths(numbers(ragged)), 1:3)
  expect_refusal(as.list(dataset_batch(ragged, 3)), "shape", "(1) and (2)", "dataset_padded_batch()")
  uneven <- suppressMessages(dataset_map(range_dataset(1, 3), function(n) rep(list(n), as.array(n))))
  expect_refusal(as.list(dataset_batch(uneven, 2)), "shape", "number of tensors")
})

test_that("map after batch", {
  data <- dataset_map(dataset_batch(pairs(), 2), function(x, y) list(op_sum(x, 2), op_multiply(y, 10L)))
  expect_equal(lapply(as.list(data), function(p) c(as.array(p[[1]]), as.array(p[[2]]))),
    list(c(7, 9, 10, 20), c(11, 13, 30, 40), c(15, 50)))
  expect_equal(numbers(dataset_map(dataset_batch(ten, 4), ~ .x + 1L)), list(1:4, 5:8, 9:10))
  expect_message(slow <- as.list(dataset_map(dataset_batch(ten, 5), function(x) tensor(sum(as.array(x))))),
    "runs eagerly")
  expect_equal(vapply(slow, as.array, 0), c(10, 35))
})

test_that("an index out of range inside a map is an error, and the iterator lives on", {
  table <- c(10, 20, 30)
  data <- dataset_map(tensor_slices_dataset(c(0L, 5L, 2L)), function(i) op_gather(table, i))
  it <- as_iterator(data)
  expect_equal(as.array(iter_next(it)), 10)
  expect_refusal(iter_next(it), "index", "`iter_next()`")
  expect_equal(as.array(iter_next(it)), 30)
  expect_null(iter_next(it))
  expect_refusal(as.list(dataset_batch(data, 3)), "index")
  expect_refusal(as.list(dataset_shuffle(data, 3)), "index")
  filtered <- as_iterator(dataset_filter(tensor_slices_dataset(c(5L, 1L)), function(i) op_gather(table, i) > 5))
  expect_refusal(iter_next(filtered), "index")
  expect_equal(as.array(iter_next(filtered)), 1)
})

test_that("filter, take_while, flat_map", {
  expect_both(ten, function(d) dataset_filter(d, function(x) op_floor_mod(x, 3L) == 0L), c(0, 3, 6, 9))
  expect_both(ten, function(d) dataset_filter(d, ~ .x < 0L), list())
  expect_both(ten, function(d) dataset_take_while(d, ~ .x < 5L), 0:4)
  expect_equal(flat(dataset_map(dataset_filter(pairs(), function(x, y) y > 3L), function(x, y) y)), 4:5)
  expect_equal(flat(suppressMessages(dataset_filter(ten, function(x) as.array(x) > 7))), 8:9)
  expect_equal(flat(suppressMessages(dataset_filter(ten, function(x) if (x > 7L) TRUE else FALSE))), 8:9)
  expect_equal(flat(dataset_filter(dataset_map(ten, function(x) op_reshape(x, 1)), function(x) x > 7L)), 8:9)
  expect_equal(flat(dataset_filter(ten, function(x) x)), 1:9)
  limit <- 7L
  data <- dataset_filter(ten, function(x) x > limit)
  expect_equal(flat(data), 8:9)
  limit <- 8L
  expect_equal(flat(data), 9)
  expect_refusal(dataset_filter(tensor_slices_dataset(matrix(0, 2, 2)), function(x) x > 1), "shape",
    "one TRUE or FALSE")
  expect_refusal(as.list(dataset_filter(in_fallback(tensor_slices_dataset(matrix(0, 2, 2))), function(x) x > 1)),
    "shape", "one TRUE or FALSE")
  expect_refusal(as.list(suppressMessages(dataset_filter(ten, function(x) NA))), "shape", "NA")
  expect_refusal(as.list(dataset_take_while(ten, function(x) NULL)), "shape", "`dataset_take_while()`")
  # the end is the end, though later elements would do again
  again <- dataset_take_while(tensor_slices_dataset(c(1, 2, 9, 1, 2)), ~ .x < 5)
  expect_equal(numbers(dataset_batch(again, 3)), list(c(1, 2)))
  expect_both(range_dataset(1, 4), function(d) dataset_flat_map(d, function(n) dataset_take(ten, as.array(n))),
    c(0, 0, 1, 0, 1, 2))
  expect_both(range_dataset(to = 3), function(d)
    dataset_flat_map(d, function(n) dataset_take(ten, 2 * (as.array(n) == 1))), 0:1)
  expect_refusal(as.list(dataset_flat_map(ten, function(x) x)), "value", "`dataset_flat_map()`", "data set")
})

test_that("reduce and scan", {
  expect_equal(as.array(dataset_reduce(ten, 0L, function(state, x) state + x)), 45)
  expect_equal(as.array(dataset_reduce(ten, 0L, ~ .x + .y)), 45)
  mean <- dataset_reduce(tensor_slices_dataset(c(2.1, 2.2, 2.3)), list(0, 0), function(s, x)
    list(s[[1]] + x, s[[2]] + 1))
  expect_equal(as.array(mean[[1]] / mean[[2]]), 2.2)
  expect_equal(as.array(dataset_reduce(pairs(), 0L, function(s, e) s + e[[2]])), 15)
  expect_both(ten, function(d) dataset_scan(d, 0L, function(s, x) list(s + x, s + x)), cumsum(0:9))
  expect_refusal(as.list(dataset_scan(ten, 0L, function(s, x) s)), "value", "list(state, result)")
  start <- 0L
  data <- dataset_scan(ten, start, function(s, x) list(s + x, s))
  start <- 100L
  expect_equal(flat(data)[1], 0)
  f <- autograph(function(x) x + dataset_reduce(ten, 0L, function(s, x) s + x))
  expect_message(expect_equal(as.array(f(tensor(1L, "int64"))), 46), "data set")
})

test_that("shuffle: an element comes at most buffer_size - 1 places early, a full shuffle is a permutation", {
  set.seed(3)
  late <- function(d) dataset_filter(d, function(x) x >= 0L)
  for (make in list(identity, in_fallback, late)) {
    for (size in c(2, 7, 30)) {
      order <- flat(dataset_shuffle(make(range_dataset(to = 200)), size))
      expect_identical(sort(order), as.double(0:199))
      expect_lte(max(order - 0:199), size - 1)
      expect_false(identical(order, as.double(0:199)))
    }
    expect_identical(sort(flat(dataset_shuffle(make(range_dataset(to = 20)), 1e9))), as.double(0:19))
  }
})

test_that("shuffle: every place is equally likely, in a full buffer and a small one", {
  set.seed(11)
  late <- function(d) dataset_filter(d, function(x) x >= 0L)
  for (make in list(identity, late, in_fallback)) {
    n <- if (identical(make, in_fallback)) 600 else 3000
    data <- dataset_shuffle(make(range_dataset(to = 6)), 6)
    orders <- matrix(flat(dataset_repeat(data, n)), 6)
    counts <- table(row(orders), orders)
    expect_gt(chisq.test(counts)$p.value, 1e-3)
    small <- matrix(flat(dataset_repeat(dataset_shuffle(make(range_dataset(to = 4)), 2), n)), 4)
    # from a buffer of two, first 0 or 1; then the other one or 2
    expect_gt(chisq.test(table(factor(small[1, ], 0:3))[1:2])$p.value, 1e-3)
    expect_gt(chisq.test(table(paste(small[1, ], small[2, ])))$p.value, 1e-3)
    expect_setequal(unique(small[1, ]), 0:1)
  }
})

test_that("shuffle: seeds", {
  make <- function(...) dataset_shuffle(range_dataset(to = 50), 50, ...)
  slow <- function(...) dataset_shuffle(in_fallback(range_dataset(to = 50)), 50, ...)
  for (shuffled in list(make, slow)) {
    set.seed(5)
    a <- flat(shuffled())
    b <- flat(shuffled())
    expect_false(identical(a, b))
    set.seed(5)
    expect_identical(flat(shuffled()), a)
    own <- shuffled(seed = 3)
    first <- flat(own)
    expect_false(identical(flat(own), first)) # another order in each pass
    expect_identical(flat(shuffled(seed = 3)), first)
    expect_false(identical(flat(shuffled(seed = 4)), first))
    for (fixed in list(shuffled(reshuffle_each_iteration = FALSE),
      shuffled(seed = 8, reshuffle_each_iteration = FALSE))) {
      order <- flat(fixed)
      expect_identical(flat(fixed), order)
      expect_identical(flat(dataset_repeat(fixed, 2)), c(order, order))
    }
    expect_false(identical(head(flat(dataset_repeat(shuffled(seed = 3), 2)), 50),
      tail(flat(dataset_repeat(shuffled(seed = 3), 2)), 50)))
    for (seed in c(-7, 2^31, 1e15)) expect_silent(expect_identical(flat(shuffled(seed = seed)),
      flat(shuffled(seed = seed))))
  }
})

test_that("shuffle then repeat keeps epochs whole, repeat then shuffle mixes them", {
  set.seed(2)
  for (data in list(range_dataset(to = 10), in_fallback(range_dataset(to = 10)),
    dataset_filter(range_dataset(to = 10), ~ .x >= 0L))) {
    whole <- matrix(flat(dataset_shuffle_and_repeat(data, 10, 4)), 10)
    for (epoch in 1:4) expect_identical(sort(whole[, epoch]), as.double(0:9))
    expect_identical(nrow(unique(t(whole))), 4L)
    mixed <- flat(dataset_shuffle(dataset_repeat(data, 4), 40))
    expect_identical(sort(mixed), as.double(rep(0:9, each = 4)))
    expect_false(identical(sort(mixed[1:10]), as.double(0:9)))
    expect_length(as.list(dataset_take(dataset_shuffle(dataset_repeat(data), 15), 25)), 25)
    taken <- matrix(flat(dataset_repeat(dataset_take(dataset_shuffle(data, 10), 3), 5)), 3)
    expect_gt(nrow(unique(t(taken))), 1)
  }
  # several tensors stay together
  p <- as.list(dataset_shuffle(dataset_filter(pairs(50), function(x, y) y > 10L), 20))
  for (e in p) expect_equal(as.array(e[[1]])[1], as.array(e[[2]]))
  expect_length(p, 40)
})

test_that("batches", {
  expect_both(ten, function(d) dataset_batch(d, 4), list(0:3, 4:7, 8:9))
  expect_both(ten, function(d) dataset_batch(d, 5), list(0:4, 5:9))
  expect_both(ten, function(d) dataset_batch(d, 4, drop_remainder = TRUE), list(0:3, 4:7))
  expect_both(ten, function(d) dataset_batch(d, 99), list(0:9))
  expect_both(ten, function(d) dataset_batch(d, 2^31 - 1), list(0:9))
  expect_both(ten, function(d) dataset_batch(d, 11, TRUE), list())
  expect_both(ten, function(d) dataset_batch(dataset_repeat(dataset_take(d, 3), 2), 4), list(c(0, 1, 2, 0), c(1, 2)))
  expect_both(ten, function(d) dataset_repeat(dataset_batch(dataset_take(d, 3), 2), 2), list(0:1, 2, 0:1, 2))
  expect_both(ten, function(d) dataset_batch(dataset_filter(d, ~ .x > 6L), 1e9), list(7:9))
  expect_both(ten, function(d) dataset_take(dataset_batch(dataset_repeat(d), 15), 2), list(c(0:9, 0:4), c(5:9, 0:9)))
  batch <- as.list(dataset_batch(tensor_slices_dataset(list(array(1:24, c(4, 3, 2)), letters[1:4])), 3))
  expect_identical(as.array(batch[[1]][[1]]), array(1:24, c(4, 3, 2))[1:3, , ])
  expect_identical(batch[[2]][[2]], array("d", 1))
  expect_identical(as.array(as.list(dataset_batch(tensor_slices_dataset(c(TRUE, FALSE, TRUE)), 3))[[1]]),
    array(c(TRUE, FALSE, TRUE)))
  x <- matrix(c(0, 255, 3, 4), 2)
  storage.mode(x) <- "integer"
  expect_identical(as.array(as.list(dataset_batch(dataset_batch(tensor_slices_dataset(x), 1), 2))[[1]])[, 1, ], x)
  too_many <- Reduce(function(d, i) dataset_batch(dataset_cache(d), 1), 1:8, ten)
  expect_refusal(as.list(dataset_batch(too_many, 1)), "value", "at most 8 axes")
})

test_that("windows", {
  windows <- function(...) iterate(dataset_window(ten, ...), function(w) c(flat(w)))
  expect_equal(windows(4), list(0:3, 4:7, 8:9))
  expect_equal(windows(4, drop_remainder = TRUE), list(0:3, 4:7))
  expect_equal(windows(3, shift = 2, drop_remainder = TRUE), list(0:2, 2:4, 4:6, 6:8))
  expect_equal(windows(2, shift = 5), list(0:1, 5:6))
  expect_equal(windows(3, shift = 1, stride = 3, drop_remainder = TRUE), list(c(0, 3, 6), c(1, 4, 7), c(2, 5, 8),
    c(3, 6, 9)))
  expect_equal(windows(3, shift = 4, stride = 2), list(c(0, 2, 4), c(4, 6, 8), c(8)))
  for (args in list(list(4), list(3, 2), list(2, 5), list(3, 1, 3, TRUE), list(3, 4, 2), list(20),
    list(20, drop_remainder = TRUE))) {
    data <- do.call(dataset_window, c(list(ten), args))
    expect_equal(length(data), length(as.list(data)))
  }
  joined <- dataset_flat_map(dataset_window(ten, 5, shift = 3, drop_remainder = TRUE), function(w) dataset_batch(w, 5))
  expect_equal(numbers(joined), list(0:4, 3:7))
  expect_equal(lengths(numbers(dataset_map(dataset_window(ten, 4), function(w) dataset_reduce(w, 0L, ~ .x + .y)))),
    rep(1, 3))
})

test_that("what does nothing here is held to be what TensorFlow takes", {
  data <- range_dataset(to = 4)
  expect_length(as.list(dataset_batch(dataset_prefetch(dataset_map(data, function(x) x, num_parallel_calls = 2),
    tf$data$AUTOTUNE), 2, deterministic = TRUE)), 2)
  expect_refusal(dataset_batch(data, 2, num_parallel_calls = "a"), "value", "`num_parallel_calls`")
  expect_refusal(dataset_batch(data, 2, deterministic = 1i), "value", "`deterministic`")
  expect_refusal(dataset_padded_batch(data, 2, name = 1), "value", "`name`")
  expect_refusal(dataset_map(data, function(x) x, num_parallel_calls = globalenv()), "value", "`num_parallel_calls`")
  expect_refusal(dataset_prefetch(data, "many"), "value", "`buffer_size`")
  expect_refusal(dataset_collect(data, iter_max = "a"), "value", "`iter_max`")
  expect_refusal(dataset_collect(data, iter_max = -1), "value", "`iter_max`")
  expect_refusal(iterate(data, simplify = 1), "value", "`simplify`")
})

test_that("padded batches, unbatch, rebatch", {
  ragged <- suppressMessages(dataset_map(range_dataset(1, 5), function(n) array(as.double(as.array(n)), as.array(n))))
  rows <- function(...) lapply(as.list(dataset_padded_batch(ragged, ...)), as.array)
  expect_equal(rows(2), list(rbind(c(1, 0), c(2, 2)), rbind(c(3, 3, 3, 0), c(4, 4, 4, 4))))
  for (value in list(-1, tf$constant(-1), tensor(-1L)))
    expect_equal(rows(2, padding_values = value)[[1]], rbind(c(1, -1), c(2, 2)))
  expect_equal(dim(rows(3, padded_shapes = 6)[[1]]), c(3L, 6L))
  expect_equal(dim(rows(3, padded_shapes = NA)[[1]]), c(3L, 3L))
  expect_length(rows(3, drop_remainder = TRUE), 1)
  expect_refusal(rows(2, padded_shapes = 1), "shape", "larger than `padded_shapes`")
  expect_refusal(rows(2, padded_shapes = c(5, 5)), "shape", "`padded_shapes` must have one size per axis (1), not 2")
  expect_refusal(rows(2, padded_shapes = "a"), "value", "`padded_shapes`")
  expect_refusal(rows(2, padded_shapes = list()), "value", "`padded_shapes` must have an entry for each tensor")
  expect_refusal(rows(2, padding_values = c(1, 2)), "value", "`padding_values`")
  expect_refusal(rows(2, padding_values = "a"), "value", "`padding_values`")
  two <- zip_datasets(ragged, ragged)
  got <- as.list(dataset_padded_batch(two, 2, padded_shapes = list(5, NULL), padding_values = list(0, 9)))[[1]]
  expect_equal(as.array(got[[1]]), rbind(c(1, 0, 0, 0, 0), c(2, 2, 0, 0, 0)))
  expect_equal(as.array(got[[2]]), rbind(c(1, 9), c(2, 2)))
  expect_equal(numbers(dataset_padded_batch(ten, 6)), list(0:5, 6:9))
  expect_identical(tensor_dtype(as.list(dataset_padded_batch(in_fallback(tensor_slices_dataset(1:3)), 2))[[1]]),
    "int32")
  expect_both(ten, function(d) dataset_unbatch(dataset_batch(d, 4)), 0:9)
  expect_both(ten, function(d) dataset_rebatch(dataset_batch(d, 4), 3), list(0:2, 3:5, 6:8, 9))
  expect_both(ten, function(d) dataset_rebatch(dataset_batch(d, 4), 3, TRUE), list(0:2, 3:5, 6:8))
  for (make in list(pairs(), tensor_slices_dataset(list(a = 1:5, b = letters[1:5])),
    tensor_slices_dataset(list(1:5)))) {
    expect_identical(elements(dataset_unbatch(dataset_batch(make, 2))), elements(make))
  }
})

test_that("cache keeps what it saw, in memory or a file", {
  calls <- 0
  counted <- suppressMessages(dataset_map(ten, function(x) {
    calls <<- calls + 1
    x
  }))
  data <- dataset_cache(counted)
  for (i in 1:3) expect_equal(flat(data), 0:9)
  expect_identical(calls, 10)
  noise <- dataset_cache(dataset_map(ten, function(x) op_random_uniform(2L)))
  expect_identical(flat(noise), flat(noise))
  path <- tempfile()
  a <- flat(dataset_cache(dataset_map(ten, function(x) op_random_uniform(2L)), path))
  expect_identical(flat(dataset_cache(dataset_map(ten, function(x) op_random_uniform(2L)), path)), a)
  expect_length(as.list(dataset_take(dataset_cache(dataset_repeat(ten)), 12)), 12)
  expect_equal(flat(dataset_cache(range_dataset(to = 10000))), 0:9999)
  for (x in list(c(TRUE, FALSE), 1:2, c(1.5, 2))) expect_identical(elements(dataset_cache(tensor_slices_dataset(x))),
    elements(tensor_slices_dataset(x)))
})

test_that("samples from several data sets", {
  set.seed(4)
  mixed <- flat(sample_from_datasets(list(range_dataset(to = 50), range_dataset(100, 150)),
    stop_on_empty_dataset = FALSE))
  expect_identical(mixed[mixed < 100], as.double(0:49))
  expect_identical(mixed[mixed >= 100], as.double(100:149))
  share <- flat(dataset_take(sample_from_datasets(list(dataset_repeat(range_dataset(to = 1)),
    dataset_repeat(range_dataset(1, 2))), c(0.2, 0.8)), 2000))
  expect_lt(abs(mean(share) - 0.8), 0.04)
  expect_equal(flat(sample_from_datasets(list(ten, range_dataset(to = 2)), c(0, 1))), 0:1)
  own <- function() flat(sample_from_datasets(list(range_dataset(to = 50), range_dataset(100, 150)), seed = 6))
  expect_identical(own(), own())
  expect_identical(flat(sample_from_datasets(list(range_dataset(to = 3), range_dataset(to = 9)), c(1, 1e-9))), 0:2 + 0)
  expect_refusal(sample_from_datasets(ten), "value", "`datasets`")
  expect_refusal(sample_from_datasets(list(ten, 1)), "value", "data set")
  expect_refusal(sample_from_datasets(list(ten), c(1, 2)), "value", "`weights`")
})

test_that("bad arguments are refused when the data set is made", {
  for (bad in list(0, -1, 1.5, NA, "a", NULL, c(1, 2))) {
    expect_refusal(dataset_batch(ten, bad), "value", "`dataset_batch()`", "`batch_size`")
    expect_refusal(dataset_padded_batch(ten, bad), "value", "`batch_size`")
    expect_refusal(dataset_window(ten, bad), "value", "`size`")
    expect_refusal(dataset_shuffle(ten, bad), "value", "`dataset_shuffle()`", "`buffer_size`")
    expect_refusal(dataset_shard(ten, bad, 0), "value", "`num_shards`")
  }
  expect_refusal(dataset_take(ten, -2), "value", "`dataset_take()`", "`count`")
  expect_refusal(dataset_skip(ten, 1.5), "value", "`count`")
  expect_refusal(dataset_repeat(ten, "a"), "value", "`count`")
  expect_refusal(dataset_shard(ten, 3, 3), "value", "`index`")
  expect_refusal(dataset_shuffle(ten, 3, seed = "a"), "value", "`seed`")
  expect_refusal(dataset_shuffle(ten, 3, reshuffle_each_iteration = NA), "value", "`reshuffle_each_iteration`")
  expect_refusal(dataset_batch(ten, 2, drop_remainder = 1), "value", "`drop_remainder`")
  expect_refusal(dataset_map(ten, 1), "value", "`dataset_map()`", "`map_func`")
  expect_refusal(zip_datasets(), "value", "data set")
  verbs <- list(
    dataset_map = function(d) dataset_map(d, identity), dataset_filter = function(d) dataset_filter(d, identity),
    dataset_batch = function(d) dataset_batch(d, 2), dataset_shuffle = function(d) dataset_shuffle(d, 2),
    dataset_repeat = function(d) dataset_repeat(d), dataset_take = function(d) dataset_take(d, 1),
    dataset_skip = function(d) dataset_skip(d, 1), dataset_shard = function(d) dataset_shard(d, 2, 0),
    dataset_concatenate = function(d) dataset_concatenate(d, ten), zip_datasets = function(d) zip_datasets(ten, d),
    dataset_enumerate = function(d) dataset_enumerate(d), dataset_cache = function(d) dataset_cache(d),
    dataset_window = function(d) dataset_window(d, 2), dataset_padded_batch = function(d) dataset_padded_batch(d, 2),
    dataset_unbatch = function(d) dataset_unbatch(d), dataset_flat_map = function(d) dataset_flat_map(d, identity),
    dataset_scan = function(d)
    dataset_scan(d, 0, identity), dataset_reduce = function(d) dataset_reduce(d, 0, identity),
    dataset_take_while = function(d)
    dataset_take_while(d, identity), dataset_prefetch = function(d) dataset_prefetch(d)
  )
  for (verb in verbs) for (bad in list(1, NULL, "a", list(ten))) if (!identical(verb, verbs$zip_datasets) ||
    !is.list(bad)) expect_refusal(verb(bad), "value", "data set")
  mixed <- dataset_concatenate(ten, tensor_slices_dataset(matrix(0, 1, 2)))
  expect_length(as.list(mixed), 11)
  expect_refusal(as.list(dataset_batch(mixed, 11)), "shape")
})

# ---- random chains of verbs against lists ----

# Each step: a verb, and what it does to a list of numbers (an element is a vector).
random_step <- function() {
  n <- sample(0:4, 1)
  k <- sample(1:3, 1)
  steps <- list(
    take = list(function(d) dataset_take(d, n), function(x) head(x, n)),
    skip = list(function(d) dataset_skip(d, n), function(x) if (n) tail(x, -n) else x),
    again = list(function(d) dataset_repeat(d, k), function(x) rep(x, k)),
    shard = list(function(d) dataset_shard(d, k, k - 1), function(x) x[seq_along(x) %% k == 0]),
    map = list(function(d) dataset_map(d, function(x) x * 2 + k), function(x) lapply(x, function(e) e * 2 + k)),
    map_r = list(function(d) suppressMessages(dataset_map(d, function(x) {
      cat("")
      x + k
    })), function(x) lapply(x, `+`, k)),
    filter = list(function(d) dataset_filter(d, function(x) op_floor_mod(op_sum(x), 3) != 0), function(x)
      Filter(function(e) sum(e) %% 3 != 0, x)),
    while_ = list(function(d) dataset_take_while(d, function(x) op_sum(x) < 200), function(x) {
      stop <- Position(function(e) sum(e) >= 200, x)
      if (is.na(stop)) x else head(x, stop - 1)
    }),
    shuffle = list(function(d) dataset_shuffle(d, 1), identity),
    cache = list(dataset_cache, identity),
    double = list(function(d) dataset_concatenate(d, dataset_take(d, n)), function(x) c(x, head(x, n))),
    zip = list(function(d) dataset_map(zip_datasets(d, dataset_skip(d, 1)), function(a, b) a - b), function(x) {
      if (length(x) < 2) list() else Map(`-`, head(x, -1), tail(x, -1))
    }),
    number = list(function(d) dataset_map(dataset_enumerate(d), function(i, x) x + op_cast(i, "float64")), function(x)
      Map(`+`, x, seq_along(x) - 1)),
    scan = list(function(d) dataset_scan(d, 0, function(s, x) list(s + 1, x + s)), function(x)
      Map(`+`, x, seq_along(x) - 1)),
    flat = list(function(d) dataset_flat_map(d, function(x) dataset_repeat(tensors_dataset(x), 2)), function(x)
      rep(x, each = 2)),
    rebatch = list(function(d) dataset_unbatch(dataset_batch(d, k)), identity),
    pad = list(function(d) dataset_unbatch(dataset_padded_batch(d, k)), identity),
    window = list(function(d) dataset_flat_map(dataset_window(d, 2, shift = k, drop_remainder = TRUE), function(w) w),
      function(x) {
      starts <- seq_len(max(0, floor((length(x) - 2) / k) + 1))
      unlist(lapply((starts - 1) * k, function(s) x[s + 1:2]), recursive = FALSE)
    })
  )
  steps[[sample(length(steps), 1)]]
}

test_that("random chains of verbs do what lists do", {
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0")
  old <- get0(".Random.seed", globalenv())
  same <- function(x, y) isTRUE(all.equal(x, y))
  wrong <- integer()
  for (chain in 1:300) {
    set.seed(chain)
    rows <- sample(0:7, 1)
    width <- sample(1:2, 1)
    x <- matrix(as.double(sample(0:9, rows * width, TRUE)), rows, width)
    model <- lapply(seq_len(rows), function(i) x[i, ])
    data <- tensor_slices_dataset(x)
    if (chain %% 3 == 0) data <- in_fallback(data)
    for (s in seq_len(sample(1:6, 1))) {
      step <- random_step()
      new_model <- unname(step[[2]](model))
      if (length(new_model) > 60) next
      model <- new_model
      data <- suppressMessages(step[[1]](data))
    }
    suppressMessages(for (round in 1:2) if (!same(numbers(data), as.list(model))) wrong <- c(wrong, chain))
    batches <- suppressMessages(numbers(dataset_batch(data, 3)))
    if (!length(data) %in% c(NA, length(model)) || !same(sum(unlist(batches)), sum(unlist(model))) ||
      length(batches) != ceiling(length(model) / 3)) wrong <- c(wrong, chain)
  }
  expect_identical(wrong, integer())
  if (!is.null(old)) assign(".Random.seed", old, globalenv())
})

# ---- shuffles of blocks ----

rows_in_order <- function(n) tensor_slices_dataset(seq_len(n) + 0) # doubles: no bytes
order_of <- function(data) as.integer(unlist(lapply(as.list(dataset_batch(data, 500)), as.array)))

test_that("a shuffle of blocks gives each element once, another order each time, and the same for a seed", {
  for (n in c(1, 7, 100, 1001)) for (block in c(1, 3, 10, 2000)) for (buffer in c(1, 5, 64, 5000)) {
    data <- dataset_shuffle(rows_in_order(n), buffer, block_size = block, seed = 3)
    expect_identical(sort(order_of(data)), seq_len(n))
  }
  again <- function(...) {
    data <- dataset_shuffle(rows_in_order(1000), 100, block_size = 10, ...)
    list(order_of(data), order_of(data))
  }
  seeded <- again(seed = 5)
  expect_identical(again(seed = 5), seeded)
  expect_false(identical(seeded[[1]], seeded[[2]]))
  expect_false(identical(again(seed = 6)[[1]], seeded[[1]]))
  fixed <- again(seed = 5, reshuffle_each_iteration = FALSE)
  expect_identical(fixed[[1]], fixed[[2]])
  set.seed(1)
  first <- again()
  set.seed(1)
  expect_identical(again(), first)
  expect_identical(with_threads(2, again(seed = 5)), with_threads(1, again(seed = 5)))
  # rounds of a repetition
  twice <- order_of(dataset_shuffle_and_repeat(rows_in_order(100), 20, count = 2, seed = 1, block_size = 5))
  expect_identical(sort(twice[1:100]), 1:100)
  expect_identical(sort(twice[101:200]), 1:100)
  expect_false(identical(twice[1:100], twice[101:200]))
})

test_that("blocks come whole, through stages that can give any element", {
  # a buffer of one element lets them pass
  blocks <- order_of(dataset_shuffle(rows_in_order(103), 1, block_size = 10, seed = 2))
  starts <- blocks[blocks %% 10 == 1]
  expect_identical(blocks, unlist(lapply(starts, function(i) i:min(i + 9, 103))))
  expect_false(identical(starts, sort(starts)))
  both <- zip_datasets(rows_in_order(50), dataset_map(rows_in_order(50), function(x) -x))
  chain <- dataset_skip(dataset_take(dataset_concatenate(both, dataset_repeat(both, 2)), 140), 10)
  shuffled <- as.list(dataset_shuffle(dataset_shard(chain, 2, 1), 30, block_size = 7, seed = 1))
  values <- vapply(shuffled, function(e) c(as.array(e[[1]]), as.array(e[[2]])), c(0, 0))
  expect_identical(values[1, ], -values[2, ])
  expect_identical(sort(values[1, ]), sort(as.double(c(seq(12, 50, 2), rep(seq(2, 50, 2), 2), seq(2, 40, 2)))[1:65]))
})

test_that("a shuffle of blocks mixes rows that are sorted by class", {
  n <- 50000
  class <- rep(0:9, each = n / 10)
  # chi-squared of the classes in batches of 100, divided by its degrees of freedom: 1 for rows drawn one by one
  spread <- function(order) mean(colSums((apply(matrix(class[order], 100), 2, tabulate0) - 10)^2 / 10)) / 9
  tabulate0 <- function(x) tabulate(x + 1, 10)
  order <- function(...) order_of(dataset_shuffle(rows_in_order(n), ..., seed = 4))
  expect_equal(spread(order(n)), 1, tolerance = 0.1)
  expect_gt(spread(order(2000)), 30)
  mixed <- order(2000, block_size = 20)
  expect_lt(spread(mixed), 3)
  expect_lt(abs(cor(mixed, seq_len(n))), 0.05)
  # neighbours in the file are no neighbours in the order
  expect_lt(mean(abs(diff(mixed)) == 1), 0.01)
})

test_that("`block_size` is refused where it cannot be", {
  expect_refusal(dataset_shuffle(ten, 5, block_size = 0), "value", "`block_size`")
  expect_refusal(dataset_shuffle(in_fallback(ten), 5, block_size = 2), "value", "`block_size` is for elements")
  filtered <- dataset_filter(ten, function(x) x > 2L)
  expect_refusal(as.list(dataset_shuffle(filtered, 5, block_size = 2)), "value", "before they are filtered")
  expect_length(as.list(dataset_shuffle(dataset_take(ten, 0), 5, block_size = 2)), 0)
})
