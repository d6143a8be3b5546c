again <- function(model) unserialize_model(serialize_model(model))

test_that("rescaling multiplies and adds, for all features or each", {
  x <- matrix(c(0, 51, 255, 2), 2)
  expect_equal(as.array(layer_rescaling(x, 1 / 255)), x / 255, tolerance = 1e-6)
  expect_equal(as.array(layer_rescaling(x, c(2, 3), c(1, 0))), cbind(2 * x[, 1] + 1, 3 * x[, 2]), tolerance = 1e-6)
  expect_equal(as.array(layer_rescaling(scale = 0.5)(tensor(1:3))), array(c(0.5, 1, 1.5))) # whole numbers become floats
  model <- keras_model_sequential(input_shape = 2) |> layer_rescaling(c(2, 3), offset = -1) |> layer_dense(1)
  expect_identical(predict(again(model), x), predict(model, x))
  expect_identical(as.array(clone_model(model)$layers[[1]](x)), as.array(model$layers[[1]](x)))
  expect_error(layer_rescaling(x, c(1, 2, 3)), "`scale` must be a number, or one for each of the features",
    class = "nativenet_error_shape")
  expect_error(layer_rescaling(), "`scale` must be given")
  expect_error(layer_rescaling(scale = "a"), "`scale` must be finite numbers", class = "nativenet_error_value")
})

test_that("normalization learns means and variances", {
  # from Keras' help page
  n <- layer_normalization()
  expect_identical(adapt(n, cbind(c(0, 2, 0, 2), c(7, 9, 7, 9), c(4, 6, 4, 6))), n)
  expect_equal(as.array(n(rbind(c(0, 7, 4)))), matrix(-1, 1, 3), tolerance = 1e-6)
  n <- layer_normalization(axis = NULL)
  n$adapt(c(1, 2, 3, 4, 5))
  expect_equal(as.array(n(c(1, 2, 3))), array(c(-sqrt(2), -sqrt(0.5), 0)), tolerance = 1e-6)
  expect_equal(as.array(layer_normalization(matrix(1:3), mean = 3, variance = 2)), matrix(c(-2, -1, 0)) / sqrt(2),
    tolerance = 1e-6)
  inverse <- layer_normalization(invert = TRUE)
  adapt(inverse, cbind(c(0, 2, 0, 2), c(7, 9, 7, 9), c(4, 6, 4, 6)))
  expect_equal(as.array(inverse(rbind(c(1, 2, 3)))), rbind(c(2, 10, 8)), tolerance = 1e-6)
})

test_that("batches of any size give the same means and variances, and each call starts afresh", {
  set.seed(1)
  x <- matrix(rnorm(60, 1e4), 20)
  about <- list(colMeans(x), apply(x, 2, function(v) mean((v - mean(v))^2)))
  learned <- function(...) {
    n <- layer_normalization(dtype = "float64")
    adapt(n, x * 7)
    adapt(n, ...)
    lapply(n$get_weights(), as.vector)
  }
  sets <- list(list(x), list(x, batch_size = 3), list(dataset_batch(tensor_slices_dataset(x), 6)), list(tensor(x)))
  for (arguments in sets) expect_equal(do.call(learned, arguments), c(about, 20), tolerance = 1e-9)
  expect_equal(learned(x, batch_size = 5, steps = 2)[[1]], colMeans(x[1:10, ]), tolerance = 1e-12)
  cube <- array(rnorm(24), c(2, 3, 4))
  kept <- layer_normalization(axis = c(-1, 1), dtype = "float64")
  adapt(kept, cube)
  expect_equal(as.array(kept$mean), apply(cube, 2:3, mean), tolerance = 1e-12)
  expect_equal(as.array(kept(cube)), sweep(sweep(cube, 2:3, apply(cube, 2:3, mean)), 2:3,
    apply(cube, 2:3, function(v) sqrt(mean((v - mean(v))^2))), "/"), tolerance = 1e-12)
})

test_that("models hold what was learned, before and after", {
  x <- as.matrix(iris[1:4])
  n <- layer_normalization()
  model <- keras_model_sequential(input_shape = 4) |> n() |> layer_dense(3)
  before <- predict(model, x)
  adapt(n, x)
  after <- predict(model, x)
  expect_equal(after, scale(x, scale = apply(x, 2, function(v) sqrt(mean((v - mean(v))^2))))[, ] %*%
    as.array(model$layers[[2]]$weights[[1]]), tolerance = 1e-5, ignore_attr = TRUE)
  expect_false(isTRUE(all.equal(before, after)))
  expect_identical(predict(again(model), x), after)
  expect_identical(length(model$trainable_weights), 2L)
  expect_identical(count_params(model), 4 + 4 + 1 + 15)
})

test_that("normalization refuses what it cannot do", {
  fails <- function(expr, text, kind = "value")
    expect_error(expr, text, fixed = TRUE, class = paste0("nativenet_error_", kind))
  fails(layer_normalization(mean = 1), "`mean` and `variance` must be given together")
  fails(layer_normalization(mean = 1, variance = -1), "`variance` must not be negative")
  fails(adapt(layer_normalization(mean = 1, variance = 1), matrix(1)), "learns nothing")
  fails(adapt(layer_normalization(), c(1, NA)), "`data` must be finite numbers")
  fails(adapt(layer_normalization(), matrix(0, 0, 2)), "`data` must not be empty")
  fails(adapt(layer_dense(units = 2), 1), "`object` must be a layer that learns from data")
  fails(adapt(layer_normalization(), "a"), "`data` must be a numeric")
  fails(layer_normalization(axis = 3)(matrix(1, 2, 2)), "`axis` must lie in 0 .. 1")
  n <- layer_normalization()
  adapt(n, matrix(1:4, 2))
  fails(adapt(n, matrix(1:6, 2)), "`data` must have the sizes (2) on the axes that it keeps, not (3)", "shape")
  fails(layer_normalization(layer_input(c(NA)), axis = 1), "needs to know the sizes", "shape")
})

test_that("classes become zeros and ones, or counts", {
  # from Keras' help page
  encode <- function(x, ...) as.array(layer_category_encoding(x, num_tokens = 4, ...))
  expect_identical(encode(c(3, 2, 0, 1), output_mode = "one_hot"), diag(4)[c(4, 3, 1, 2), ])
  expect_identical(encode(matrix(c(3, 2, 0, 1)), output_mode = "one_hot"), diag(4)[c(4, 3, 1, 2), ])
  x <- rbind(c(0, 1), c(0, 0), c(1, 2), c(3, 1))
  expect_identical(encode(x), rbind(c(1, 1, 0, 0), c(1, 0, 0, 0), c(0, 1, 1, 0), c(0, 1, 0, 1)))
  expect_identical(encode(x, output_mode = "count"), rbind(c(1, 1, 0, 0), c(2, 0, 0, 0), c(0, 1, 1, 0),
    c(0, 1, 0, 1)))
  weights <- rbind(c(0.1, 0.2), c(0.1, 0.1), c(0.2, 0.3), c(0.4, 0.2))
  counting <- layer_category_encoding(num_tokens = 4, output_mode = "count")
  expect_equal(as.array(counting(x, count_weights = weights)), rbind(c(0.1, 0.2, 0, 0), c(0.2, 0, 0, 0),
    c(0, 0.2, 0.3, 0), c(0, 0.2, 0, 0.4)), tolerance = 1e-6)
  expect_identical(dim(encode(x, output_mode = "one_hot")), c(4L, 2L, 4L))
  expect_identical(encode(c(0, 2, 2), output_mode = "count"), array(c(1, 0, 2, 0))) # one sample
  set.seed(1)
  cube <- array(sample(0:3, 60, TRUE), c(3, 4, 5))
  expect_identical(encode(cube, output_mode = "count"), aperm(apply(cube, 1:2, function(v) tabulate(v + 1, 4)),
    c(2, 3, 1)) * 1)
})

test_that("classes that there are not are an error, in models too", {
  model <- keras_model_sequential(input_shape = 2) |> layer_category_encoding(num_tokens = 3) |> layer_dense(1)
  x <- rbind(c(0, 2), c(1, 1), c(2, 0))
  expect_identical(predict(again(model), x), predict(model, x))
  for (bad in c(3, -1)) {
    expect_error(predict(model, x[c(1, 2, 2), ] * 0 + bad), class = "nativenet_error_index")
    for (mode in c("one_hot", "multi_hot", "count")) expect_error(layer_category_encoding(c(0, bad), num_tokens = 3,
      output_mode = mode), class = "nativenet_error_index")
  }
  expect_error(layer_category_encoding(0.5, num_tokens = 3), "whole", class = "nativenet_error_value")
  expect_error(layer_category_encoding(), "`num_tokens` must be given")
  expect_error(layer_category_encoding(num_tokens = 3, sparse = TRUE), "no sparse tensors")
  expect_error(layer_category_encoding(num_tokens = 3)(x, count_weights = x), "are for `output_mode = \"count\"`")
  expect_error(layer_category_encoding(num_tokens = 3, output_mode = "count")(x, count_weights = 1),
    "must have the shape (3, 2)", fixed = TRUE, class = "nativenet_error_shape")
})

test_that("numbers fall into bins, given or learned", {
  x <- rbind(c(-1.5, 1, 3.4, 0.5), c(0, 3, 1.3, 0)) # from Keras' help page
  expect_identical(as.array(layer_discretization(x, bin_boundaries = c(0, 1, 2))), rbind(c(0L, 2L, 3L, 1L),
    c(1L, 3L, 2L, 1L)))
  expect_identical(as.array(layer_discretization(c(-Inf, NaN, Inf), bin_boundaries = c(0, 1))), array(c(0L, 2L, 2L)))
  learned <- layer_discretization(num_bins = 4)
  adapt(learned, x)
  expect_identical(as.array(learned(x)), rbind(c(0L, 2L, 3L, 2L), c(1L, 3L, 3L, 1L)))
  set.seed(1)
  large <- rexp(5000)
  for (arguments in list(list(large), list(large, batch_size = 700))) {
    do.call(adapt, c(list(learned), arguments))
    expect_lt(max(abs(diff(ecdf(large)(c(-Inf, learned$bin_boundaries, Inf))) - 1 / 4)), 0.03)
  }
  hot <- layer_discretization(bin_boundaries = c(0, 1), output_mode = "one_hot")
  expect_identical(as.array(hot(matrix(c(-1, 0, 7)))), diag(3))
  expect_identical(as.array(layer_discretization(x, bin_boundaries = c(0, 1), output_mode = "count")),
    rbind(c(1, 1, 2), c(0, 2, 2)))
})

test_that("a model's programs notice what is learned later", {
  bins <- layer_discretization(num_bins = 2)
  adapt(bins, c(1, 2, 3, 4))
  model <- keras_model_sequential(input_shape = 1) |> bins() |> layer_embedding(2, 1)
  x <- matrix(c(10, 20, 30, 40))
  expect_identical(length(unique(as.vector(predict(model, x)))), 1L)
  adapt(bins, x)
  expect_identical(length(unique(as.vector(predict(model, x)))), 2L)
  expect_identical(predict(again(model), x), predict(model, x))
  hot <- layer_discretization(num_bins = 2, output_mode = "one_hot")
  expect_error(hot(x), "knows no boundaries yet", class = "nativenet_error_unbuilt")
  adapt(hot, x)
  expect_identical(dim(as.array(hot(x))), c(4L, 2L))
  expect_error(adapt(layer_discretization(bin_boundaries = 1), x), "learns nothing")
  expect_error(layer_discretization(), "`bin_boundaries` or `num_bins` must be given")
  expect_error(layer_discretization(bin_boundaries = c(1, 1)), "must be increasing numbers")
})
