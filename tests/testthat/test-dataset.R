# Data sets: sources, iterators, and what they say about themselves.

test_that("slices keep dtype and shape, for arrays of any rank", {
  expect_identical(elements(tensor_slices_dataset(c(1, 2))),
    list(list("float64", integer(), 1), list("float64", integer(), 2)))
  expect_identical(elements(tensor_slices_dataset(c(TRUE, FALSE)))[[2]], list("bool", integer(), FALSE))
  for (n in list(c(0L, 255L), c(0L, 256L), c(-1L, 3L), c(.Machine$integer.max, -.Machine$integer.max))) {
    expect_identical(elements(tensor_slices_dataset(n)), lapply(n, function(v) list("int32", integer(), v)))
  }
  expect_identical(elements(tensor_slices_dataset(as.raw(c(7, 255)))),
    list(list("int32", integer(), 7L), list("int32", integer(), 255L)))
  for (rank in 1:4) {
    shape <- c(3L, 2L, 4L, 2L)[1:rank]
    for (x in list(array(seq_len(prod(shape)), shape), array(seq_len(prod(shape)) / 3, shape),
      array(1000L + seq_len(prod(shape)), shape))) {
      got <- elements(tensor_slices_dataset(x))
      expect_length(got, 3)
      for (i in 1:3) {
        expect_identical(got[[i]][[2]], shape[-1])
        expect_equal(c(got[[i]][[3]]), c(matrix(x, 3)[i, ]))
      }
    }
  }
  expect_identical(elements(tensor_slices_dataset(tensor(matrix(1:4, 2), "float32")))[[2]][[1]], "float32")
  expect_identical(as.list(tensor_slices_dataset(c("a", "b"))), list("a", "b"))
  v <- variable(c(1, 2))
  data <- tensor_slices_dataset(v)
  v$assign(c(5, 6))
  expect_identical(flat(data), c(1, 2))
})

test_that("NaN, Inf and missing doubles pass through; a missing integer cannot", {
  x <- c(NaN, Inf, -Inf, 1)
  expect_identical(flat(dataset_map(tensor_slices_dataset(x), function(x) x)), x)
  expect_identical(flat(dataset_batch(tensor_slices_dataset(x), 3)), x)
  expect_refusal(tensor_slices_dataset(c(1L, NA)), "value", "NA at position 2")
  expect_refusal(tensor_slices_dataset(c(TRUE, NA)), "value", "NA at position 2")
})

test_that("lists and data frames give elements of their structure", {
  x <- matrix(1:6, 3)
  y <- c(0.5, 1.5, 2.5)
  two <- function(data) as.list(data)[[2]]
  expect_identical(whole(two(tensor_slices_dataset(list(x, y)))), list(list("int32", 2L, array(c(2L, 5L))),
    list("float64", integer(), 1.5)))
  expect_named(two(tensor_slices_dataset(list(x = x, y = y))), c("x", "y"))
  nested <- two(tensor_slices_dataset(list(a = list(x, y), b = y)))
  expect_identical(dim(nested$a[[1]]), 2L)
  expect_equal(as.array(nested$b), 1.5)
  frame <- data.frame(n = 1:3, t = c("a", "b", "c"), d = y, l = c(TRUE, FALSE, TRUE))
  row <- two(tensor_slices_dataset(frame))
  expect_identical(row$t, "b")
  expect_identical(vapply(row[c("n", "d", "l")], tensor_dtype, ""), c(n = "int32", d = "float64", l = "bool"))
  expect_identical(unclassed(output_types(tensor_slices_dataset(frame))), list(n = "int32", t = "string", d = "float64",
    l = "bool"))
  wide <- as.data.frame(matrix(as.double(1:200), 2)) # more than an element of the engine has room for
  expect_length(two(tensor_slices_dataset(wide)), 100)
  expect_equal(as.array(as.list(dataset_batch(tensor_slices_dataset(wide), 2))[[1]]$V100), array(c(199, 200)))
  expect_length(two(tensor_slices_dataset(wide[1:64])), 64)
  expect_true(nativenet:::has_stages(tensor_slices_dataset(wide[1:64])))
  zipped <- zip_datasets(tensor_slices_dataset(wide[1:40]), tensor_slices_dataset(wide[1:40]))
  expect_equal(as.array(two(zipped)[[2]]$V40), 80)
  many <- suppressMessages(dataset_map(tensor_slices_dataset(c(1, 2)), function(x) rep(list(x), 70)))
  expect_length(two(many), 70)
})

test_that("bad sources are refused", {
  expect_refusal(tensor_slices_dataset(list(1:3, 1:2)), "shape", "first axis", "3 and 2")
  expect_refusal(tensor_slices_dataset(list()), "value", "list")
  expect_refusal(tensor_slices_dataset(NULL), "value", "NULL")
  expect_refusal(tensor_slices_dataset(factor("a")), "value", "a factor")
  expect_refusal(tensor_slices_dataset(mean), "value", "a function")
  expect_refusal(tensor_slices_dataset(tensor(1)), "shape", "scalar")
  expect_refusal(tensors_dataset(mean), "value", "a function")
  expect_refusal(range_dataset(to = 2.5), "value", "`to`")
  expect_refusal(range_dataset(to = 1:2), "value", "`to`")
  expect_refusal(range_dataset(to = 5, by = 0), "value", "`by`")
})

test_that("empty data are data", {
  for (data in list(tensor_slices_dataset(integer()), tensor_slices_dataset(double()),
    tensor_slices_dataset(matrix(0, 0, 3)), range_dataset())) {
    expect_identical(length(data), 0L)
    for (verb in list(identity, function(d) dataset_batch(d, 2), function(d) dataset_repeat(d), function(d)
      dataset_shuffle(d, 3),
                      function(d) dataset_map(d, function(x) op_multiply(x, 2L)), dataset_enumerate, function(d)
                      dataset_filter(d, function(x) op_sum(x) > 1L), dataset_cache, function(d) dataset_window(d, 2),
                      function(d) dataset_concatenate(d, d))) {
      expect_identical(as.list(verb(data)), list())
    }
  }
})

test_that("ranges end before their end", {
  expect_identical(elements(range_dataset(to = 2)), list(list("int64", integer(), 0L), list("int64", integer(), 1L)))
  expect_equal(flat(range_dataset(3, 10, 3)), c(3, 6, 9))
  expect_equal(flat(range_dataset(3, -4, -3)), c(3, 0, -3))
  expect_equal(flat(range_dataset(2^40, 2^40 + 2)), 2^40 + 0:1)
  expect_identical(length(range_dataset(5, 1)), 0L)
  # numbers that do not fit were the largest that does, again and again
  expect_refusal(range_dataset(2^31, 2^31 + 2, dtype = "int32"), "value", "`dtype`", "2147483648 to 2147483649")
  expect_refusal(range_dataset(0, -2^40, -2^39, dtype = "int32"), "value", "`dtype`")
  expect_equal(flat(range_dataset(2^31 - 1, 2^31, dtype = "int32")), 2^31 - 1)
  expect_identical(length(range_dataset(2^40, 0, dtype = "int32")), 0L)
  expect_identical(elements(range_dataset(to = 1, dtype = "float32"))[[1]][[1]], "float32")
  expect_identical(elements(range_dataset(to = 1, dtype = tf$int32))[[1]][[1]], "int32")
})

test_that("tensors_dataset() has one element", {
  data <- tensors_dataset(list(a = matrix(1:4, 2), b = "text"))
  expect_identical(length(data), 1L)
  element <- as.list(data)[[1]]
  expect_identical(dim(element$a), c(2L, 2L))
  expect_identical(element$b, "text")
  expect_named(as.list(tensors_dataset(data.frame(x = 1:2, y = 3:4)))[[1]], c("x", "y"))
  expect_identical(as.array(tensors_dataset(c(1, 2))), array(c(1, 2)))
  expect_equal(as.array(dataset_map(dataset_batch(range_dataset(to = 3), 3), function(x) x + 100L)),
    array(c(100, 101, 102)))
  expect_identical(tensor_dtype(as_tensor(dataset_batch(range_dataset(to = 3, dtype = "float32"), 3))), "float32")
  expect_refusal(as.array(range_dataset(to = 2)), "value", "one element")
  expect_refusal(as.array(range_dataset(to = 0)), "value", "one element")
})

test_that("lengths, shapes and types are known beforehand where they can be", {
  data <- tensor_slices_dataset(list(matrix(0, 42, 3), 1:42))
  expect_identical(length(data), 42L)
  expect_identical(length(dataset_repeat(data)), Inf)
  expect_identical(length(dataset_repeat(dataset_repeat(data), 0)), 0L)
  expect_identical(length(dataset_repeat(data, 3)), 126L)
  expect_true(is.na(length(dataset_filter(data, function(x, y) y > 3L))))
  expect_identical(length(dataset_batch(data, 10)), 5L)
  expect_identical(length(dataset_batch(data, 10, drop_remainder = TRUE)), 4L)
  expect_identical(length(dataset_map(dataset_shuffle(data, 5), function(x, y) x)), 42L)
  expect_identical(length(dataset_enumerate(dataset_repeat(data))), Inf)
  expect_identical(length(dataset_take(dataset_repeat(data), 7)), 7L)
  expect_identical(length(dataset_skip(data, 50)), 0L)
  expect_identical(length(zip_datasets(data, range_dataset(to = 7))), 7L)
  expect_identical(length(dataset_concatenate(data, data)), 84L)
  expect_identical(unclassed(output_shapes(data)), list(3L, integer()))
  expect_identical(unclassed(output_types(data)), list("float64", "int32"))
  expect_identical(unclassed(output_shapes(dataset_batch(data, 10))), list(c(NA, 3L), NA_integer_))
  expect_identical(unclassed(output_shapes(dataset_batch(data, 10, TRUE))), list(c(10L, 3L), 10L))
  expect_identical(unclassed(output_shapes(dataset_map(data, function(x, y) list(s = op_sum(x))))), list(s = integer()))
  expect_null(output_shapes(dataset_flat_map(data, function(x, y) tensor_slices_dataset(x))))
  expect_output(print(data), "<data set> 42 elements like list(float64 (3), int32 ())", fixed = TRUE)
  expect_output(print(dataset_repeat(data)), "without end")
  expect_output(print(dataset_batch(data, 10)), "(?, 3)", fixed = TRUE)
})

test_that("iterators", {
  data <- range_dataset(to = 3)
  it <- as_iterator(data)
  expect_identical(as.array(iter_next(it)), 0L)
  other <- as_iterator(data)
  expect_identical(as.array(iter_next(other)), 0L) # undisturbed by it
  expect_identical(as.array(iter_next(it)), 1L)
  expect_identical(as.array(iter_next(it)), 2L)
  expect_null(iter_next(it))
  expect_null(iter_next(it))
  expect_identical(iter_next(it, completed = "end"), "end")
  expect_identical(as.array(iter_next(other)), 1L)
  expect_identical(iterate(other, as.array), 2L)
  expect_equal(iterate(data, as.array), 0:2)
  expect_invisible(iterate(data))
  expect_type(iterate(data, as.array, simplify = FALSE), "list")
  expect_identical(iterate(data, function(x) NULL), list(NULL, NULL, NULL))
  expect_identical(iterate(list(1, 2), function(x) x + 1), c(2, 3))
  total <- 0
  expect_invisible(dataset_for(data, function(x) total <<- total + as.array(x)))
  expect_identical(total, 3)
  expect_length(dataset_collect(data), 3)
  expect_length(dataset_collect(dataset_repeat(data), 10), 10)
  expect_length(dataset_collect(data, 0), 0)
  expect_refusal(dataset_collect(dataset_repeat(data)), "value", "iter_max")
  expect_identical(iter_next(as_array_iterator(zip_datasets(data, data))), list(0L, 0L))
  expect_identical(vapply(data, as.array, 0L), 0:2)
})

test_that("what is no data set is refused", {
  data <- range_dataset(to = 3)
  expect_refusal(as_iterator(mean), "value", "a data set", "a function")
  expect_refusal(iter_next(data), "value", "as_iterator()")
  expect_refusal(dataset_for(1, mean), "value", "`dataset_for()`", "data set")
  expect_refusal(iterate(data, 1), "value", "`f`", "function")
  expect_refusal(dataset_collect(1), "value", "data set")
  expect_refusal(output_shapes(1), "value", "data set")
})

test_that("two iterators over one data set, and a data set zipped with itself", {
  data <- dataset_map(tensor_slices_dataset(matrix(1:6, 3)), function(x) op_multiply(x, 10L))
  a <- as_iterator(data)
  b <- as_iterator(data)
  for (i in 1:3) expect_identical(as.array(iter_next(a)), as.array(iter_next(b)))
  for (pair in as.list(zip_datasets(data, data))) expect_identical(as.array(pair[[1]]), as.array(pair[[2]]))
  shuffled <- dataset_shuffle(range_dataset(to = 20), 20, reshuffle_each_iteration = FALSE)
  for (pair in as.list(zip_datasets(shuffled, shuffled))) expect_identical(as.array(pair[[1]]), as.array(pair[[2]]))
  swapped <- zip_datasets(dataset_skip(data, 1), data)
  expect_equal(lapply(as.list(swapped), function(p) c(as.array(p[[1]]), as.array(p[[2]]))),
    list(c(20, 50, 10, 40), c(30, 60, 20, 50)))
})

test_that("data sets can be saved", {
  path <- tempfile()
  scale <- 3
  data <- dataset_batch(dataset_map(tensor_slices_dataset(list(matrix(1:6, 3), c(0.5, 1, 2))), function(x, y)
    list(op_multiply(x, 2L), y * scale)), 2)
  for (d in list(data, dataset_shuffle(range_dataset(to = 4), 1), dataset_cache(range_dataset(to = 3)),
    tensor_slices_dataset(letters),
                 tensor_slices_dataset(tensor(c(1, 2))))) {
    saveRDS(d, path)
    again <- readRDS(path)
    gc()
    expect_identical(elements(again), elements(d))
  }
})

test_that("`for` runs over data sets in autograph()", {
  total <- 0
  autograph({
    for (x in range_dataset(1, 6)) total <- total + x
  })
  expect_equal(as.array(total), 15)
  add <- autograph(function(data) {
    total <- 0L
    for (x in data) total <- total + x
    total
  })
  expect_message(expect_equal(as.array(add(range_dataset(1, 11))), 55), "runs eagerly")
  autograph({
    seen <- c()
    for (x in range_dataset(to = 10)) {
      if (x == 2L) next
      if (x > 5L) break
      for (y in range_dataset(to = 10)) {
        if (y > x) break
        if (y == 1L) next
        seen <- c(seen, as.array(x) * 10 + as.array(y))
      }
    }
  })
  expect_equal(seen, c(0, 10, 30, 32, 33, 40, 42, 43, 44, 50, 52, 53, 54, 55))
  expect_equal(as.array(x), 6) # the loop's variable stays
  asked <- 0
  source <- function() {
    asked <<- asked + 1
    range_dataset(to = 3)
  }
  autograph({
    for (pair in zip_datasets(source(), range_dataset(to = 2))) NULL
  })
  expect_identical(asked, 1)
  it <- as_iterator(range_dataset(to = 4))
  autograph({
    for (x in it) if (x == 1L) break
    rest <- c()
    for (x in it) rest <- c(rest, as.array(x))
  })
  expect_equal(rest, 2:3)
})

test_that("old data sets stay as they are", {
  data <- range_dataset(to = 4)
  derived <- list(dataset_batch(data, 2), dataset_shuffle(data, 4), dataset_repeat(data, 2),
    dataset_map(data, function(x) -x), dataset_take(data, 1))
  for (d in derived) as.list(d)
  expect_equal(flat(data), 0:3)
  shifted <- lapply(1:3, function(n) dataset_map(data, function(x) x + n))
  expect_equal(flat(shifted[[2]]), 2:5)
})

test_that("iterating does not hold on to memory", {
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0")
  data <- dataset_batch(dataset_shuffle(dataset_map(tensor_slices_dataset(matrix(0, 1000, 100)), function(x) x + 1),
    1000), 100)
  round <- function(n) {
    for (i in seq_len(n)) dataset_for(data, function(x) NULL)
    sum(gc()[, 2])
  }
  before <- round(5)
  expect_lt(round(100), before + 2)
})

test_that("elements of many tensors, and many data sets at once, have no limit", {
  many <- stats::setNames(lapply(1:70, function(k) matrix(k, 4, 2)), paste0("a", 1:70))
  batches <- as.list(dataset_batch(tensor_slices_dataset(many), 2))
  expect_identical(lengths(batches), c(70L, 70L))
  expect_equal(as.array(batches[[2]]$a70), matrix(70, 2, 2))
  parts <- lapply(1:12, function(k) range_dataset(10 * k, 10 * k + 3))
  expect_identical(lengths(as.list(do.call(zip_datasets, parts))), c(12L, 12L, 12L))
  expect_length(as.list(Reduce(dataset_concatenate, parts)), 36)
})

test_that("arrays of strings have slices, batches and caches as those of numbers", {
  x <- array(letters[1:24], c(4, 3, 2))
  data <- tensor_slices_dataset(x)
  expect_identical(dataset_collect(data)[[2]], x[2, , ])
  expect_identical(dataset_collect(dataset_batch(data, 4))[[1]], x)
  expect_identical(dataset_collect(dataset_batch(dataset_unbatch(dataset_batch(data, 3)), 4))[[1]], x)
  rows <- tensor_slices_dataset(list(x[, , 1], 1:4))
  expect_identical(dataset_collect(rows)[[3]][[1]], x[3, , 1])
  expect_identical(dataset_collect(dataset_batch(dataset_cache(rows), 2))[[2]][[1]], x[3:4, , 1])
  one <- tensor_slices_dataset(matrix(c("a", "b")))
  expect_identical(dim(dataset_collect(dataset_batch(one, 2))[[1]]), c(2L, 1L))
  expect_identical(dataset_collect(dataset_cache(one, tempfile()))[[1]], array("a", 1))
  uneven <- dataset_map(tensor_slices_dataset(c("a b", "c")), function(x) strsplit(x, " ")[[1]])
  expect_error(dataset_collect(dataset_batch(uneven, 2)), "differ in shape: (2) and ()", fixed = TRUE,
    class = "nativenet_error_shape")
})
