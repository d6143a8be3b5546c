of_lengths <- function(...) do.call(dataset_concatenate, lapply(list(...), function(x)
  tensors_dataset(as_tensor(as.array(x), "int32"))))

test_that("dataset_interleave() takes turns as TensorFlow's documentation shows", {
  data <- tensor_slices_dataset(c(1, 2, 3, 4, 5)) |>
    dataset_interleave(cycle_length = 2, block_length = 4, function(x) dataset_repeat(tensors_dataset(x), 6))
  expect_identical(flat(data), c(rep(1:2, each = 4), 1, 1, 2, 2, rep(3:4, each = 4), 3, 3, 4, 4, rep(5, 6)))
  expect_identical(flat(data), flat(data))
  one <- dataset_interleave(range_dataset(to = 3), cycle_length = 1, function(x) range_dataset(to = as.array(x) + 1))
  expect_identical(flat(one), c(0, 0, 1, 0, 1, 2))
  # empty ones in between, and none at all
  some <- dataset_interleave(range_dataset(to = 4), ~ range_dataset(to = 2 * (as.array(.x) %% 2)))
  expect_identical(flat(some), c(0, 0, 1, 1))
  expect_identical(flat(dataset_interleave(range_dataset(), function(x) range_dataset(to = 2))), numeric())
  expect_error(as.list(dataset_interleave(range_dataset(to = 2), function(x) x)), "map_func's result")
})

test_that("dataset_group_by_window() gives full windows as they fill, and the rest by key", {
  data <- dataset_group_by_window(range_dataset(to = 10), function(x) x %% 2, function(key, ds) dataset_batch(ds, 5),
    window_size = 5)
  expect_equal(numbers(data), list(c(0, 2, 4, 6, 8), c(1, 3, 5, 7, 9)))
  keys <- dataset_group_by_window(range_dataset(to = 7), ~ 2 - .x %% 3, function(key, ds) tensors_dataset(key),
    window_size_func = function(key) as.array(key) + 1)
  # key 0 holds 2, 5: windows of 1; key 1 holds 1, 4: of 2; key 2 holds 0, 3, 6: of 3
  expect_identical(flat(keys), c(0, 1, 0, 2))
  large <- dataset_group_by_window(range_dataset(to = 3), ~ 1 - .x %% 2, function(key, ds) dataset_batch(ds, 9),
    window_size = 9)
  expect_equal(numbers(large), list(1, c(0, 2)))
  expect_identical(flat(dataset_group_by_window(range_dataset(), ~ 1, function(key, ds) ds, 2)), numeric())
  words <- dataset_group_by_window(tensor_slices_dataset(c("b", "aa", "c")), ~ nchar(.x),
    function(key, ds) dataset_batch(ds, 2), window_size = 2)
  expect_identical(as.list(words), list(c("b", "c"), array("aa", 1)))
  expect_error(dataset_group_by_window(range_dataset(), ~ 1, function(key, ds) ds), "window_size")
  expect_error(as.list(dataset_group_by_window(range_dataset(to = 2), ~ 0.5, function(key, ds) ds, 2)), "key_func")
  expect_error(as.list(dataset_group_by_window(range_dataset(to = 2), ~ 1, function(key, ds) key, 2)), "reduce_func")
})

test_that("dataset_bucket_by_sequence_length() makes batches of like lengths", {
  data <- of_lengths(0, 1:4, 5:7, 7:11, 13:20, 21:22)
  buckets <- function(...) lapply(as.list(dataset_bucket_by_sequence_length(data, function(x) tf$shape(x)[1], ...)),
    as.array)
  got <- buckets(bucket_boundaries = c(3, 5), bucket_batch_sizes = c(2, 2, 2))
  expect_identical(got, list(rbind(1:4, c(5:7, 0L)), rbind(c(7:11, integer(3)), 13:20), rbind(c(0L, 0L), 21:22)))
  got <- buckets(bucket_boundaries = c(3, 5, 10), bucket_batch_sizes = c(3, 2, 2, 1), pad_to_bucket_boundary = TRUE,
    padding_values = -1L)
  expect_identical(lapply(got, dim), list(c(2L, 4L), c(2L, 9L), c(2L, 2L)))
  expect_identical(got[[2]][1, ], c(7:11, rep(-1L, 4)))
  expect_error(buckets(bucket_boundaries = c(3, 5), bucket_batch_sizes = c(2, 2, 2), pad_to_bucket_boundary = TRUE),
    class = "nativenet_error_shape")
  expect_length(buckets(bucket_boundaries = 100, bucket_batch_sizes = c(4, 1), drop_remainder = TRUE), 1)
  expect_error(buckets(bucket_boundaries = 3, bucket_batch_sizes = c(4, 1), no_padding = TRUE),
    class = "nativenet_error_shape")
  expect_error(buckets(bucket_boundaries = c(3, 5), bucket_batch_sizes = 2), class = "nativenet_error_shape")
  expect_error(buckets(bucket_boundaries = c(5, 3), bucket_batch_sizes = 1:3), "increasing")
})

test_that("dataset_unique() keeps first appearances", {
  expect_identical(flat(dataset_unique(tensor_slices_dataset(c(0L, 37L, 2L, 37L, 2L, 1L)))), c(0, 37, 2, 1))
  expect_identical(unlist(as.list(dataset_unique(tensor_slices_dataset(c("u", "v", "u"))))), c("u", "v"))
  big <- dataset_concatenate(range_dataset(2^53 - 2, 2^53), range_dataset(2^53 - 2, 2^53))
  expect_length(as.list(dataset_unique(big)), 2)
  pairs <- tensor_slices_dataset(list(c(1L, 1L, 1L), c("a", "b", "a")))
  expect_length(as.list(dataset_unique(pairs)), 2)
  expect_identical(flat(dataset_unique(tensor_slices_dataset(integer()))), numeric())
  expect_error(as.list(dataset_unique(tensor_slices_dataset(c(0.5, 1)))), class = "nativenet_error_dtype")
})

test_that("dataset_rejection_resample() comes near the wanted shares, the same under a seed", {
  data <- tensor_slices_dataset(rep(c(0L, 1L, 1L), 300))
  share <- function(...) {
    class <- unlist(lapply(as.list(dataset_rejection_resample(data, function(x) x, ...)), function(p) as.array(p[[1]])))
    c(mean(class == 0), length(class))
  }
  # sampled with some 900 draws: four standard errors
  expect_equal(share(c(0.8, 0.2), c(1, 2) / 3, seed = 1)[1], 0.8, tolerance = 0.07)
  expect_equal(share(c(0.2, 0.8), seed = 2)[1], 0.2, tolerance = 0.3)
  expect_equal(share(c(1, 2) / 3, c(1, 2) / 3), c(1 / 3, 900)) # nothing to do
  expect_equal(share(c(1, 0), c(1, 2) / 3, seed = 1)[1], 1)
  expect_identical(share(c(0.5, 0.5), seed = 3), share(c(0.5, 0.5), seed = 3))
  set.seed(4)
  a <- share(c(0.5, 0.5))
  set.seed(4)
  expect_identical(share(c(0.5, 0.5)), a)
  expect_error(share(c(0.5, 0.5), 1), class = "nativenet_error_shape")
  expect_error(share(c(0.5, 0.5), c(1, 0)), "initial_dist")
  expect_error(share(1), class = "nativenet_error_index")
  expect_error(share(c(-1, 2)), "target_dist")
})
