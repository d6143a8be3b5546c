# Members of data sets, as Python has them.

numbers <- function(d) unlist(lapply(as.list(d), function(e) c(as.array(e))))

test_that("verbs are chained as members", {
  d <- tf$data$Dataset$from_tensor_slices(1:6)
  expect_identical(lapply(as.list(d$batch(4L)$prefetch(tf$data$AUTOTUNE)), function(e) c(as.array(e))), list(1:4, 5:6))
  expect_equal(numbers(d$map(function(x) x * 2L)$take(2)), c(2, 4))
  expect_equal(numbers(d$filter(function(x) x > 4L)), 5:6)
  expect_equal(numbers(d$skip(4)$`repeat`(2)), c(5, 6, 5, 6))
  expect_setequal(numbers(d$shuffle(6, seed = 1)), 1:6)
  expect_equal(numbers(d$shard(3, 1)), c(2, 5))
  expect_equal(numbers(d$concatenate(d$take(1))$cache()), c(1:6, 1))
  expect_equal(as.array(as.list(d$enumerate())[[3]][[1]]), 2)
  expect_equal(as.numeric(d$reduce(0L, function(state, x) state + x)), 21)
  expect_equal(numbers(d$batch(3)$unbatch()), 1:6)
  expect_equal(numbers(d$window(3)$flat_map(function(w) w$batch(3))), 1:6)
  expect_equal(numbers(d$apply(function(x) x$take(2))), 1:2)
  expect_equal(as.numeric(d$cardinality()), 6)
  expect_equal(as.numeric(d$`repeat`()$cardinality()), -1)
  expect_equal(as.numeric(tf$data$experimental$cardinality(d$filter(function(x) x > 1L))), -2)
  expect_equal(as.numeric(d$take(1)$get_single_element()), 1)
  expect_equal(iter_next(d$as_numpy_iterator()), 1)
  expect_identical(d$element_spec$dtype, tf$int32)
  pairs <- tf$data$Dataset$from_tensor_slices(list(matrix(1:6 / 1, 3), 1:3))
  expect_equal(numbers(pairs$map(function(x, y) tf$reduce_sum(x))$batch(3)), c(5, 7, 9))
  expect_identical(lapply(pairs$element_spec, function(s) as.integer(s$shape)), list(2L, integer()))
  expect_refusal(d$bath(3), "member", "did you mean `batch`")
})

test_that("members say which arguments are missing", {
  d <- range_dataset(0, 5)
  expect_refusal(d$take(), "value", "`take()`: `count` must be given")
  expect_refusal(d$map(), "value", "`map()`: `map_func` must be given")
  expect_refusal(d$reduce(0), "value", "`reduce()`: `reduce_func` must be given")
  for (name in names(dataset_members)) {
    member <- do.call(`$`, list(d, name))
    if (!is.function(member) || !length(needed_arguments(dataset_members[[name]](d)))) next
    expect_refusal(member(), "value", paste0("`", needed_arguments(dataset_members[[name]](d))[1], "` must be given"))
  }
})

test_that("elements come from an R function: of iterators, of one element at each call, of anything to iterate over", {
  from <- tf$data$Dataset$from_generator
  numbers <- function(d) unlist(lapply(dataset_collect(d), as.array))
  start <- function() {
    i <- 0
    function() {
      i <<- i + 1
      if (i <= 5) list(rep(i, 3), i %% 2)
    }
  }
  signed <- from(start, output_signature = tuple(tf$TensorSpec(shape(3), tf$float32), tf$TensorSpec(shape(), tf$int32)))
  expect_identical(lapply(output_types(signed), as.character), list("float32", "int32"))
  expect_true(output_shapes(signed)[[1]] == shape(3))
  typed <- from(start, list(tf$float32, tf$int32), list(shape(NULL), shape()))
  for (d in list(signed, typed)) for (again in 1:2) {
    batches <- dataset_collect(dataset_batch(d, 2))
    expect_identical(lapply(batches, function(b) as.array(b[[2]])), list(array(c(1L, 0L)), array(c(1L, 0L)), array(1L)))
    expect_identical(as.array(batches[[2]][[1]]), matrix(c(3, 4), 2, 3))
  }
  n <- 0
  counted <- from(function() {
    n <<- n + 1
    if (n %% 4) n
  }, tf$int64)
  expect_equal(numbers(counted), c(1, 2, 3))
  expect_equal(numbers(counted), c(5, 6, 7))
  expect_null(output_shapes(counted))
  expect_equal(numbers(dataset_repeat(from(function(k) range_dataset(0, k), args = list(2)), 2)), c(0, 1, 0, 1))
  expect_identical(numbers(from(function() as_iterator(list(4, 5)), "float32")), c(4, 5))
  ending <- function() {
    left <- 2
    function() {
      left <<- left - 1
      if (left >= 0) left else quote(.__exhausted__.) # as package coro says it
    }
  }
  expect_identical(numbers(from(ending)), c(1, 0))
  words <- list("a", "b")
  expect_identical(dataset_collect(from(function() as_iterator(words), tf$string)), words)
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  model |> compile("sgd", "mse")
  expect_length((model |> fit(dataset_batch(signed, 2), epochs = 2, verbose = 0))$metrics$loss, 2)

  fun <- "`tf$data$Dataset$from_generator()`"
  expect_refusal(dataset_collect(from(start, output_signature = tf$TensorSpec(shape(3), tf$float32))), "shape", fun,
    "as many parts as was said, 1, not 2")
  expect_refusal(dataset_collect(from(start, list("float32", "int32"), list(4, integer()))), "shape", fun,
    "must be of shape (4)")
  expect_refusal(from(3), "value", fun, "`generator` must be a function")
  expect_refusal(from(start, "float33"), "value", fun, "`output_types`")
  expect_refusal(from(start, list("float32", "int32"), list(3)), "shape", fun, "`output_shapes` must be 2")
  expect_refusal(from(start, output_signature = list(3)), "value", fun, "`tf$TensorSpec()`")
})
