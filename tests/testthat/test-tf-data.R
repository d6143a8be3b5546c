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
