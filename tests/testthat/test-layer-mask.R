# Masks: where they come from, how they pass through layers of one and of several inputs, and what losses and metrics
# make of them.

tokens <- rbind(c(1, 2, 0), c(3, 0, 0))
others <- rbind(c(1, 0), c(2, 3))
embed <- layer_embedding(input_dim = 6, output_dim = 3, mask_zero = TRUE)
plain <- function(...) tensor(array(1, c(...)), "float32")
# the mask that travels with a tensor, as a layer that gives its mask as numbers sees it
see_mask <- function(x) {
  seen <- NULL
  layer_lambda(x, function(x, mask) {
    seen <<- mask
    x
  })
  if (!is.null(seen)) as.array(seen)
}

test_that("concatenation along time joins masks; steps without a mask are real", {
  a <- embed(tokens)
  b <- embed(others)
  expect_identical(see_mask(layer_concatenate(list(a, b), axis = 1)), cbind(tokens != 0, others != 0))
  join <- layer_concatenate(axis = 1)
  expect_identical(see_mask(layer_concatenate(list(plain(2, 1, 3), a), axis = -2)), cbind(TRUE, tokens != 0))
  expect_identical(see_mask(join(list(a, plain(2, 1, 3), b))), cbind(tokens != 0, TRUE, others != 0))
  expect_identical(see_mask(layer_concatenate(list(a, a))), tokens != 0)
  expect_identical(see_mask(layer_concatenate(list(a, plain(2, 3, 5)))), tokens != 0)
  expect_null(see_mask(layer_concatenate(list(plain(2, 3, 5), plain(2, 1, 5)), axis = 1)))
  # four axes, of which the mask has two
  frames <- layer_masking(array(0, c(2, 3, 4)))
  four <- layer_lambda(frames, function(x) op_expand_dims(x, -1), mask = function(x, mask) mask)
  expect_identical(see_mask(layer_concatenate(list(four, plain(2, 3, 2, 1)), axis = 2)), matrix(FALSE, 2, 3))
  expect_identical(see_mask(join(list(four, plain(2, 1, 4, 1)))), cbind(matrix(FALSE, 2, 3), TRUE))
})

test_that("a model reads sequences that were joined as one", {
  one <- layer_input(NA, dtype = "int32")
  two <- layer_input(NA, dtype = "int32")
  read <- layer_lstm(units = 4)
  joined <- keras_model(list(one, two), layer_concatenate(list(embed(one), embed(two)), axis = 1) |> read())
  alone <- keras_model(one, read(embed(one)))
  expected <- rbind(predict(alone, rbind(c(1, 2, 1))), predict(alone, rbind(c(3, 2, 3))))
  expect_equal(predict(joined, list(tokens, others)), expected, tolerance = 1e-6)
  path <- tempfile(fileext = ".safetensors")
  save_model(joined, path)
  expect_identical(predict(load_model(path), list(tokens, others)), predict(joined, list(tokens, others)))
})

test_that("sums and their like are real where all inputs are, over broadcast steps, too", {
  a <- embed(tokens)
  last <- embed(tokens[, 2, drop = FALSE])
  both <- tokens != 0 & c(TRUE, FALSE)
  sums <- list(layer_add(), layer_subtract(), layer_multiply(), layer_average(), layer_maximum(), layer_minimum())
  for (merge in sums) {
    expect_identical(see_mask(merge(list(a, plain(2, 1, 3)))), tokens != 0)
    expect_identical(see_mask(merge(list(a, last))), both)
    expect_identical(see_mask(merge(list(plain(2, 4, 3), last))), matrix(c(TRUE, FALSE), 2, 4))
    expect_identical(see_mask(merge(list(a, plain(2, 3)))), tokens != 0)
  }
  expect_null(see_mask(layer_dot(list(a, a), axes = 2)))
})

test_that("inputs of fewer axes are the same for all steps", {
  x <- array(as.numeric(1:12), c(2, 3, 2))
  y <- matrix(c(10, 20, 30, 40), 2)
  expect_equal(as.array(layer_add(list(x, y))), x + c(y[, c(1, 1, 1)], y[, c(2, 2, 2)]), tolerance = 1e-6)
  expect_equal(as.array(layer_multiply(list(y, x))), x * c(y[, c(1, 1, 1)], y[, c(2, 2, 2)]), tolerance = 1e-6)
  # as many rows as features: (2, 1, 2) and (2, 2) once made (2, 2, 2)
  expect_identical(dim(layer_average(list(x[, 1, , drop = FALSE], y))), c(2L, 1L, 2L))
  expect_identical(dim(layer_add(list(layer_input(c(1, 2)), layer_input(2)))), c(NA, 1L, 2L))
})

test_that("lambda and custom layers get their mask while the model is built", {
  i <- layer_input(NA, dtype = "int32")
  seen <- NULL
  mean_of <- function(x, mask) {
    seen <<- dim(mask)
    real <- op_cast(op_expand_dims(mask, -1), "float32")
    op_sum(x * real, 2) / op_sum(real, 2)
  }
  table <- as.array(embed(matrix(0:5)))[, 1, ]
  expected <- function(x) t(apply(x, 1, function(row) colMeans(table[row[row != 0] + 1, , drop = FALSE])))
  model <- keras_model(i, embed(i) |> layer_lambda(mean_of))
  expect_length(seen, 2)
  expect_equal(predict(model, tokens), expected(tokens), tolerance = 1e-6)
  average <- new_layer_class("AverageOf", call = function(inputs, mask = NULL) mean_of(inputs, mask))
  own <- keras_model(i, embed(i) |> average()())
  expect_equal(predict(own, tokens), expected(tokens), tolerance = 1e-6)
  # through dropout, a nested model, and behind one that begins in the middle
  x <- layer_input(c(NA, 3))
  inner <- keras_model(x, layer_dropout(x, 0.5))
  nested <- keras_model(i, inner(embed(i)) |> layer_lambda(mean_of))
  expect_equal(predict(nested, tokens), expected(tokens), tolerance = 1e-6)
  path <- tempfile(fileext = ".safetensors")
  save_model(own, path)
  again <- load_model(path, custom_objects = list(AverageOf = average))
  expect_equal(predict(again, tokens), expected(tokens), tolerance = 1e-6)
  sequence <- keras_model_sequential() |>
    layer_embedding(6, 3, mask_zero = TRUE, input_length = 3) |>
    layer_lambda(mean_of)
  expect_identical(dim(predict(sequence, tokens)), c(2L, 3L))
})

test_that("only what has the steps of the mask takes it over", {
  pool <- new_layer_class("Pool", call = function(inputs, mask = NULL) op_sum(inputs, 2))
  expect_null(see_mask(pool()(embed(tokens))))
  keep <- new_layer_class("Keep", supports_masking = TRUE, call = function(inputs) inputs * 2)
  expect_identical(see_mask(keep()(embed(tokens))), tokens != 0)
  split <- new_layer_class("Split",
    call = function(inputs) list(inputs * 2, inputs * 3),
    compute_mask = function(inputs, mask) list(NULL, mask))
  parts <- split()(embed(tokens))
  expect_null(see_mask(parts[[1]]))
  expect_identical(see_mask(parts[[2]]), tokens != 0)
  read <- layer_lstm(units = 2, return_sequences = TRUE, return_state = TRUE)(embed(tokens))
  expect_identical(see_mask(read[[1]]), tokens != 0)
  for (state in read[-1]) expect_null(see_mask(state))
  ends <- list(layer_flatten(), layer_reshape(target_shape = 9), layer_permute(dims = 2:1), layer_lambda(f = identity))
  for (layer in ends) expect_null(see_mask(layer(embed(tokens))))
  flip <- layer_lambda(f = function(x) x, mask = function(x, mask) op_logical_not(mask))
  expect_identical(see_mask(flip(embed(tokens))), tokens == 0)
  expect_error(layer_lambda(mask = TRUE, f = function(x) x), "`mask`", class = "nativenet_error_value")
})

test_that("masks that are given: one for each input", {
  a <- plain(2, 3, 3)
  expect_identical(see_mask(layer_add()(list(a, a), mask = list(NULL, tokens != 0))), tokens != 0)
  expect_identical(see_mask(layer_add()(list(a, a), mask = list(tokens != 0, NULL))), tokens != 0)
  expect_identical(see_mask(layer_dropout(rate = 0.5)(a, mask = tensor(tokens, "float32"))), tokens != 0)
  expect_error(layer_add()(list(a, a), mask = tokens != 0), "a list of 2 masks", class = "nativenet_error_value")
  x <- layer_input(c(NA, 3))
  inner <- keras_model(x, layer_dropout(x, 0.5))
  expect_identical(see_mask(inner(a, mask = tokens != 0)), tokens != 0)
  expect_null(see_mask(a))
})

test_that("losses are means over real values, metrics over real steps, weighted ones, too", {
  i <- layer_input(c(3, 2))
  # losses of shape (rows, steps, 2): the mask lacks the last axis
  widen <- layer_lambda(f = function(x) op_reshape(x, c(-1, 3, 2, 1)), mask = function(x, mask) mask)
  wide <- keras_model(i, layer_masking(i) |> widen())
  wide |> compile("sgd", "mse")
  x <- array(c(1, 2, 3, 4, 0, 0, 5, 6, 0, 7, 0, 0), c(2, 3, 2))
  real <- apply(x != 0, 1:2, any)
  expect_equal(evaluate(wide, x, array(0, c(2, 3, 2, 1)))[["loss"]], sum(x^2) / (2 * sum(real)), tolerance = 1e-6)
  model <- keras_model(i, layer_masking(i))
  model |> compile("sgd", "mse", metrics = "mae", weighted_metrics = "mse")
  scores <- evaluate(model, x, array(0, c(2, 3, 2)), sample_weight = c(1, 3))
  values <- apply(x^2, 1:2, mean)
  expect_equal(scores[["loss"]], sum(values * c(1, 3) * real) / sum(real), tolerance = 1e-6)
  expect_equal(scores[["mae"]], sum(apply(abs(x), 1:2, mean) * real) / sum(real), tolerance = 1e-6)
  expect_equal(scores[["mse"]], sum(values * c(1, 3) * real) / sum(c(1, 3) * real), tolerance = 1e-6)
})
