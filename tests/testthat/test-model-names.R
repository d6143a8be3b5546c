set.seed(76)
x <- as.matrix(iris[, 1:4])
backwards <- c("Petal.Width", "Petal.Length", "Sepal.Width", "Sepal.Length")
y <- iris$Species
reversed <- factor(y, rev(levels(y)))
some <- c(3, 57, 120, 1, 149)
refused <- function(expr, words) expect_error(expr, words, fixed = TRUE, class = "nativenet_error_names")

# A model whose weights are far from symmetric, after one step of training.
trained <- function(x, y, classes = 3, loss = "sparse_categorical_crossentropy", ...) {
  model <- keras_model_sequential() |> layer_dense(classes, activation = "softmax",
    kernel_initializer = initializer_random_normal(0, 1, seed = 1))
  model |> compile(optimizer_sgd(0.1), loss)
  model |> fit(x, y, epochs = 1, shuffle = FALSE, verbose = 0, ...)
  model
}

test_that("columns are matched by name in everything that takes data", {
  for (given in list(x, iris[, 1:4])) {
    model <- trained(given, y)
    same <- given[, backwards]
    expected <- predict(model, unname(x))
    scores <- evaluate(model, unname(x), y)
    expect_identical(predict(model, same), expected)
    expect_identical(predict(model, as.data.frame(same)), expected)
    expect_identical(predict(model, list(same)), expected)
    expect_identical(predict_on_batch(model, same), expected)
    expect_equal(as.array(model(same)), expected, tolerance = 1e-6)
    expect_identical(predict(model, function() same, steps = 1), expected)
    expect_identical(evaluate(model, same, y), scores)
    expect_identical(test_on_batch(model, same[some, ], y[some]), test_on_batch(model, x[some, ], y[some]))
    expect_identical(augment(model, as.data.frame(same))$.fitted1, expected[, 1])
    # by position: without names, and where the names stand in the order of training
    expect_identical(predict(model, x), expected)
    expect_false(identical(predict(model, unname(as.matrix(same))), expected))
  }
})

test_that("columns that are missing, new or there twice are refused by name", {
  model <- trained(x, y)
  before <- get_weights(model)
  refused(predict(model, x[, -2]),
    "`predict()`: `x` has no column `Sepal.Width`; the model was trained with `Sepal.Length`, `Sepal.Width`")
  refused(predict(model, iris), "`x` has the new column `Species`;")
  refused(evaluate(model, `colnames<-`(x, c("a", colnames(x)[-1])), y),
    "`evaluate()`: `x` has no column `Sepal.Length` and has the new column `a`;")
  refused(train_on_batch(model, x[, c(1, 2, 3, 3)], y),
    "has no column `Petal.Width` and has twice the column `Petal.Length`;")
  refused(model(x[, -2]), "has no column `Sepal.Width`")
  refused(fit(model, x, y, validation_data = list(x[, -1], y), verbose = 0),
    "`fit()`: `x` has no column `Sepal.Length`")
  refused(fit(model, `colnames<-`(x, letters[1:4]), y, verbose = 0),
    "`x` has no column `Sepal.Length`, `Sepal.Width`, ")
  expect_identical(get_weights(model), before)
  expect_no_error(fit(model, unname(x), y, epochs = 1, verbose = 0))
})

test_that("levels are matched by name; levels without rows do not matter", {
  model <- trained(x, y)
  expected <- evaluate(model, x, as.integer(y) - 1L)
  expect_identical(evaluate(model, x, y), expected)
  expect_identical(evaluate(model, x, reversed), expected)
  expect_identical(evaluate(model, x, factor(y, c("none", rev(levels(y))))), expected)
  expect_identical(evaluate(model, x, data.frame(kind = reversed)), expected)
  last <- 101:150
  expect_identical(evaluate(model, x[last, ], droplevels(y[last])), evaluate(model, x[last, ], y[last]))
  one_step <- function(y, ...) train_on_batch(trained(x, iris$Species), x[last, ], y, ...)
  expect_identical(one_step(droplevels(y[last])), one_step(y[last]))
  validated <- function(y) (fit(trained(x, iris$Species), x, iris$Species, validation_data = list(x[last, backwards],
    y), epochs = 2, shuffle = FALSE, verbose = 0))$metrics
  expect_identical(validated(droplevels(y[last])), validated(rep(2L, 50)))
  renamed <- factor(replace(as.character(y), 1, "rose"))
  refused(evaluate(model, x, renamed),
    "`evaluate()`: `y` has the new level `rose`; the model was trained with `setosa`, `versicolor`, `virginica`")
  refused(train_on_batch(model, x, renamed), "has the new level `rose`")
  expect_error(evaluate(model, x, replace(reversed, 2, NA)), "NA at position 2", class = "nativenet_error_value")
})

test_that("levels of the first call serve its own validation data, generators and later calls", {
  history <- function(y, ...) fit(trained(unname(x), as.integer(iris$Species) - 1L), x, y, epochs = 2, shuffle = FALSE,
    verbose = 0, ...)$metrics
  by_number <- history(as.integer(y) - 1L, validation_data = list(x, as.integer(y) - 1L))
  expect_identical(history(y, validation_data = list(x[, backwards], reversed)), by_number)
  expect_equal(history(y, validation_data = function() list(x[, backwards], reversed), validation_steps = 1), by_number,
    tolerance = 1e-5)
  batches <- function(...) {
    turn <- 0
    columns <- list(colnames(x), backwards)
    function() {
      turn <<- turn + 1
      rows <- (turn - 1) %% 2 * 75 + 1:75
      list(x[rows, columns[[(turn - 1) %% 2 + 1]]], droplevels(factor(y[rows], levels(if (turn == 1) y else reversed))))
    }
  }
  # the first batch has two of the three levels: the third is new
  model <- trained(unname(x), as.integer(y) - 1L)
  refused(fit(model, batches(), steps_per_epoch = 2, epochs = 1, verbose = 0), "the new level `virginica`")
  model <- trained(x, y)
  twin <- trained(x, y)
  fit(model, batches(), steps_per_epoch = 2, epochs = 1, shuffle = FALSE, verbose = 0)
  for (rows in list(1:75, 76:150)) train_on_batch(twin, x[rows, ], y[rows])
  expect_identical(get_weights(model), get_weights(twin))
})

test_that("class weights go by level or column, or by number", {
  weights <- list(virginica = 3, setosa = 1, versicolor = 2)
  one_hot <- `colnames<-`(to_categorical(y), levels(y))
  loss_of <- function(y, class_weight, loss = "sparse_categorical_crossentropy")
    get_weights(trained(x, y, loss = loss, class_weight = class_weight))
  expected <- loss_of(y, list("0" = 1, "1" = 2, "2" = 3))
  expect_identical(loss_of(y, weights), expected)
  expect_identical(loss_of(one_hot, weights, "categorical_crossentropy"),
    loss_of(one_hot, list("0" = 1, "1" = 2, "2" = 3), "categorical_crossentropy"))
  model <- trained(x, y)
  twin <- trained(x, y)
  expect_identical(train_on_batch(model, x, reversed, class_weight = weights),
    train_on_batch(twin, x, as.integer(y) - 1L, class_weight = weights))
  # levels that are numbers are levels
  expect_identical(loss_of(factor(as.integer(y)), list("3" = 3, "1" = 1, "2" = 2)), expected)
  words <- function(class_weight, words) expect_error(trained(x, y, class_weight = class_weight), words, fixed = TRUE,
    class = "nativenet_error_value")
  words(weights[-2], "`class_weight` has no weight for class setosa")
  words(c(weights, rose = 1),
    "`class_weight` names the class `rose`, but there is `setosa`, `versicolor`, `virginica`, or 0, 1, ...")
})

test_that("targets with columns, several inputs and factors as inputs", {
  targets <- cbind(a = x[, 1], b = 2 * x[, 2])
  model <- trained(unname(x), targets, 2, "mse")
  expect_identical(evaluate(model, x, targets[, 2:1]), evaluate(model, x, unname(targets)))
  expect_identical(evaluate(model, x, data.frame(targets[, 2:1])), evaluate(model, x, unname(targets)))
  refused(evaluate(model, x, cbind(targets, c = 1)), "`y` has the new column `c`;")
  wide <- layer_input(4, name = "wide")
  kind <- layer_input(1, name = "kind")
  code <- layer_flatten(layer_embedding(kind, 3, 2, embeddings_initializer = initializer_random_normal(0, 1, seed = 2)))
  model <- keras_model(list(wide, kind), layer_concatenate(list(wide, code)) |> layer_dense(1))
  encoder <- keras_model(kind, code)
  model |> compile("sgd", "mse")
  expected <- function() predict(model, list(unname(x), as.integer(y) - 1L))
  model |> fit(list(wide = iris[, 1:4], kind = y), x[, 1], epochs = 1, verbose = 0)
  expect_identical(predict(model, list(kind = reversed, wide = x[, backwards])), expected())
  few <- c(57, 120, 149)
  expect_identical(predict(model, list(x[few, ], droplevels(y[few]))), expected()[few, , drop = FALSE])
  refused(predict(model, list(x, factor(rep("rose", 150)))), "`x` for `kind` has the new level `rose`;")
  refused(predict(model, list(x[, -1], y)), "`x` for `wide` has no column `Sepal.Length`")
  # a model that shares the input knows, too
  expect_identical(predict(encoder, reversed), predict(encoder, as.integer(y) - 1L))
})

test_that("features of sequences are matched; other axes, and columns that have no name or one name, are not", {
  series <- array(rnorm(20 * 3 * 2), c(20, 3, 2), list(NULL, 1:3, c("a", "b")))
  model <- keras_model_sequential() |> layer_flatten() |> layer_dense(1)
  model |> compile("sgd", "mse")
  model |> fit(series, rnorm(20), epochs = 1, verbose = 0)
  other <- `dimnames<-`(series, list(NULL, 4:6, c("a", "b")))[, , 2:1]
  expect_identical(predict(model, other), predict(model, unname(series)))
  for (names in list(c("a", "a", "b", "c"), c("", "a", "b", "c"))) {
    model <- trained(`colnames<-`(x, names), y)
    expect_identical(predict(model, `colnames<-`(x, letters[1:4])), predict(model, x))
  }
})

test_that("one-hot targets of factors are matched, and planes are drawn with the model's classes", {
  one_hot <- `colnames<-`(to_categorical(y), levels(y))
  model <- trained(x[, 3:4], one_hot, loss = "categorical_crossentropy")
  expect_identical(evaluate(model, x[, 4:3], one_hot[, 3:1]), evaluate(model, unname(x[, 3:4]), unname(one_hot)))
  refused(evaluate(model, x[, 3:4], one_hot[, -1]), "`y` has no column `setosa`")
  plane <- function(data) plot_decision(model, data, reversed, limits = c(0, 5), n = 20, method = "base")$z
  ours <- trained(x[, 3:4], y)
  pdf(NULL)
  on.exit(dev.off())
  expect_identical(plane(x[, 4:3]), t(plane(x[, 3:4])))
  expect_identical(output_classes(levels(reversed), 3, class_names(layer_self(ours))), levels(y))
})

test_that("what failed has taught nothing", {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(2, activation = "softmax")
  model |> compile("sgd", "sparse_categorical_crossentropy")
  expect_error(fit(model, x, y, verbose = 0), class = "nativenet_error_index") # a level more than units
  expect_error(fit(model, x, y[some], verbose = 0), class = "nativenet_error_shape")
  expect_error(fit(model, x, y, validation_data = list(x[, 1:2], y), verbose = 0), class = "nativenet_error_names")
  evaluate(model, x, factor(rep(c("p", "q"), 75)))
  expect_no_error(fit(model, `colnames<-`(x, letters[1:4]), factor(rep(c("s", "t"), 75)), epochs = 1, verbose = 0))
  refused(predict(model, x), "was trained with `a`, `b`, `c`, `d`")
  refused(evaluate(model, unname(x), y), "was trained with `s`, `t`")
  # a model that holds one knows its columns
  outer <- keras_model_sequential(list(trained(x, y), layer_dense(units = 1)))
  expect_identical(predict(outer, x[, backwards]), predict(outer, unname(x)))
  # another end has other classes, but the same columns
  body <- pop_layer(trained(x, y))
  body |> layer_dense(2, activation = "softmax")
  body |> compile("sgd", "sparse_categorical_crossentropy")
  expect_no_error(fit(body, x[, backwards], factor(rep(c("s", "t"), 75)), epochs = 1, verbose = 0))
  refused(predict(body, x[, -1]), "no column `Sepal.Length`")
})

test_that("names come back from files, and those that do not fit are refused", {
  odd <- addNA(factor(c("\u00e4 \"b\"", "", NA)[as.integer(y)], c("\u00e4 \"b\"", "")))
  given <- `colnames<-`(x, c("\u03b1", "b\\c", "{}", "null"))
  model <- trained(given, odd)
  path <- tempfile(fileext = ".safetensors")
  save_model(model, path)
  for (again in list(load_model(path), unserialize_model(serialize_model(model)),
    unserialize(serialize(model, NULL)))) {
    expect_identical(predict(again, given[, 4:1]), predict(model, given))
    expect_identical(evaluate(again, given, factor(odd, rev(levels(odd)), exclude = NULL)), evaluate(model, given, odd))
    refused(predict(again, x), "the model was trained with `\u03b1`, `b\\c`, `{}`, `null`")
    refused(evaluate(again, given, y), "has the new level")
  }
  file <- safetensors_read(path)
  for (false in c("[]", "[null]", "[null,{\"levels\":[1,2]}]", "[{\"rows\":[\"a\"]},null]", "[[\"a\"],null]",
    "[{\"columns\":\"a\"},null]", "{", "3")) {
    safetensors_write(path, file$tensors, replace(file$metadata, "names", false))
    expect_error(load_model(path), class = "nativenet_error_file")
  }
  expect_no_error(predict(clone_model(model), x)) # new weights know nothing
})

test_that("data sets keep the columns of named matrices, and those that lose them on the way are no trap", {
  pairs <- function(x, ...) tensor_slices_dataset(list(x, as.integer(y) - 1L, ...)) |> dataset_batch(50)
  learned <- function(data) {
    model <- trained(data, NULL)
    expect_identical(predict(model, x[, backwards]), predict(model, unname(x)))
    model
  }
  model <- learned(pairs(x))
  expect_identical(predict(model, tensor_slices_dataset(x[, backwards]) |> dataset_batch(50)),
    predict(model, unname(x)))
  expect_equal(evaluate(model, pairs(x[, backwards])), evaluate(model, pairs(x)), tolerance = 1e-6)
  refused(predict(model, tensor_slices_dataset(cbind(x[, -1], d = 1)) |> dataset_batch(50)),
    "has no column `Sepal.Length` and has the new column `d`")
  expect_identical(get_weights(trained(pairs(x), NULL)), get_weights(trained(pairs(unname(x)), NULL)))
  plain <- tensor_slices_dataset(list(x, as.integer(y) - 1L))
  learned(plain |> dataset_shuffle(10) |> dataset_take(60) |> dataset_skip(2) |> dataset_cache() |> dataset_repeat(2) |>
    dataset_batch(20))
  learned(plain |> dataset_take_while(function(x, y) TRUE) |> dataset_batch(20))
  learned(zip_datasets(tensor_slices_dataset(x), tensor_slices_dataset(as.integer(y) - 1L)) |> dataset_batch(50))
  learned(tensors_dataset(list(x, as.integer(y) - 1L)))
  # a model that knows names matches those of data sets
  model <- trained(x, y)
  expect_equal(evaluate(model, pairs(x[, backwards])), evaluate(model, pairs(unname(x))), tolerance = 1e-6)
  # new elements have no names: what is named later is told so
  lost <- plain |> dataset_map(function(x, y) list(x / 2, y)) |> dataset_batch(50)
  frame <- tensor_slices_dataset(iris[, 1:4]) |>
    dataset_map(function(row) list(tf$stack(unname(row)), tf$constant(0L))) |> dataset_batch(50)
  for (data in list(lost, frame)) {
    model <- trained(data, NULL)
    model <- unserialize_model(serialize_model(model))
    expect_warning(by_place <- predict(model, x[, backwards]),
      "are taken by position: the model was trained with a data set that lost their names",
      class = "nativenet_warning_names")
    expect_identical(by_place, predict(model, unname(x[, backwards])))
    expect_silent(predict(model, unname(x)))
  }
  refused(dataset_concatenate(tensor_slices_dataset(x), tensor_slices_dataset(x[, backwards])),
    "`dataset_concatenate()`: the data sets differ in their columns: `Sepal.Length`")
  refused(sample_from_datasets(list(tensor_slices_dataset(x), tensor_slices_dataset(x[, backwards]))),
    "differ in their columns")
})
