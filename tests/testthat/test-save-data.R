# Arguments of classes: the very values in copies and configurations, and in files of all kinds, or a clear refusal.

x <- matrix(sin(1:40), 10)
has_hdf5 <- requireNamespace("hdf5r", quietly = TRUE) || length(find.package("rhdf5", quiet = TRUE)) > 0
endings <- c(".safetensors", if (has_hdf5) c(".keras", ".h5"))

Holder <- new_layer_class("Holder", initialize = function(value) self$value <- value, call = function(inputs) inputs)
HolderModel <- new_model_class("HolderModel", initialize = function(value, ...) {
  super$initialize(...)
  self$value <- value
  self$d <- layer_dense(units = 1)
}, call = function(inputs) self$d(inputs))

# A functional model with a layer of the class, and a model of the class.
holders <- function(value) {
  input <- layer_input(4)
  model <- HolderModel(value)
  model(x)
  list(keras_model(input, layer_dense(Holder(value = value)(input), 1)), model)
}
is_holder <- function(model) startsWith(model$name, "holder_model")
value_in <- function(model) if (is_holder(model)) model$value else model$layers[[2]]$value
named <- list(Holder = Holder, HolderModel = HolderModel)

kept_in <- function(model, custom = named, what = endings) {
  path <- vapply(what, function(e) save_model(model, tempfile(fileext = e)), "")
  c(list(clone_model(model), model_from_json(model_to_json(model), custom), from_config(get_config(model), custom)),
    lapply(path, load_model, custom_objects = custom))
}

plain_values <- list(
  whole = 3, integer = 3L, not_finite = c(1, Inf, -Inf, NaN, NA), na = NA, na_integer = c(1L, NA), na_string = c("a",
  NA), negative_zero = -0, tiny = c(5e-324, 0.1 + 0.2), named = c(a = 1, b = 2), one = "a", strings = c("a", "b\n\"",
  "\u00e9"), list_one = list(1), list_of = list(1, 2), names_in_part = list(a = 1, 2), null_in = list(a = NULL, b = 1L),
  empty = list(), none = integer(), no_text = character(), matrix = matrix(1:4, 2, dimnames = list(NULL, c("p", "q"))),
  array = array(c(0.5, 1:7), c(2, 2, 2)), factor = factor(c("u", "v", "u"), c("v", "u")), ordered = factor("b", c("b",
  "a"), ordered = TRUE), date = as.Date("2024-02-29"), time = as.POSIXct("2001-09-09", tz = "UTC"),
  span = as.difftime(3, units = "hours"), frame = data.frame(a = 1:2, b = c("x", NA)), nested = list(p = list(1L, "a"),
    q = list(list(NA))),
  flags = c(TRUE, FALSE, NA), function_ours = activation_relu
)

test_that("copies, configurations and files have the very values", {
  for (model in holders(plain_values)) for (again in kept_in(model, what = endings[1]))
    expect_identical(value_in(again), plain_values)
  Takes <- new_layer_class("Takes", initialize = function(...) self$value <- list(...), call = function(inputs) inputs)
  model <- keras_model_sequential(input_shape = 4, layers = list(do.call(Takes, plain_values)))
  for (again in kept_in(model, list(Takes))) for (name in names(plain_values))
    expect_identical(again$layers[[1]]$value[[name]], plain_values[[name]], info = name)
})

test_that("layers, parts, optimizers and tensors among arguments are made again", {
  input <- layer_input(4)
  Wraps <- new_layer_class("Wraps", initialize = function(parts, penalty, rate, act) {
    self$layers_of <- parts$layers
    self$parts <- parts[-1]
    self$penalty <- penalty
    self$rate <- rate
    self$act <- act
  }, call = function(inputs) self$act(self$layers_of[[1]](inputs)))
  model <- keras_model(input, Wraps(parts = list(layers = list(layer_dense(units = 2L)), 3L, w = list(1)),
    penalty = regularizer_l2(0.1), rate = optimizer_adam(0.5), act = tf$nn$tanh)(input))
  for (again in kept_in(model, list(Wraps = Wraps, wraps_act = tf$nn$tanh))) {
    layer <- again$layers[[2]]
    expect_identical(layer$parts, list(3L, w = list(1)))
    expect_identical(layer$penalty, regularizer_l2(0.1))
    expect_identical(layer$rate$learning_rate[1], 0.5)
    expect_false(identical(layer$layers_of[[1]]$kernel, model$layers[[2]]$layers_of[[1]]$kernel))
    expect_identical(predict(set_weights(again, get_weights(model)), x), predict(model, x))
  }
  model <- keras_model(input, Holder(value = tensor(matrix(1:2, 1), "int32"))(input))
  for (again in kept_in(model)) expect_identical(as.array(value_in(again)), matrix(1:2, 1))
})

test_that("functions are kept in copies, and known by their names in files", {
  f <- function(x) x + 1
  for (model in holders(f)) {
    expect_identical(value_in(clone_model(model)), f)
    expect_identical(value_in(from_config(get_config(model), named)), f)
    own <- if (is_holder(model)) model else model$layers[[2]]
    custom <- c(named, stats::setNames(list(f), paste0(own$name, "_value")))
    for (again in kept_in(model, custom)) expect_identical(value_in(again)(1), 2)
    expect_refusal(model_from_json(model_to_json(model), named), "custom", paste0(own$name, "_value"))
  }
})

test_that("what no file can keep is refused with the argument's name", {
  held <- new.env()
  for (model in holders(list(a = held))) {
    expect_identical(value_in(clone_model(model))$a, held)
    expect_refusal(save_model(model, tempfile(fileext = ".safetensors")), "custom",
      "the argument `value` of `holder")
    expect_refusal(model_to_json(model), "custom", "`get_config()`")
  }
  for (value in list(quote(a + b), 1i, structure(1, class = "mine"), structure(1, unit = "m"), variable(1))) {
    input <- layer_input(4)
    model <- keras_model(input, Holder(value = value)(input))
    expect_refusal(serialize_model(model), "custom", "the argument `value`")
  }
})

test_that("arguments of lambda layers and of calls are kept", {
  f <- function(x, by, how) x * by[["a"]] + ncol(how)
  model <- keras_model_sequential(input_shape = 4) |>
    layer_lambda(f, name = "f", arguments = list(by = c(a = 2), how = matrix(1:4, 2)))
  for (again in kept_in(model, list(f = f))) {
    expect_identical(again$layers[[1]]$arguments, list(by = c(a = 2), how = matrix(1:4, 2)))
    expect_identical(predict(again, x), predict(model, x))
  }
  Scale <- new_layer_class("Scale", call = function(inputs, by) inputs * by$k[["a"]])
  input <- layer_input(4)
  model <- keras_model(input, Scale()(input, by = list(k = c(a = 3))))
  for (again in list(clone_model(model), unserialize_model(serialize_model(model), list(Scale = Scale))))
    expect_identical(predict(again, x), predict(model, x))
})

test_that("losses, metrics, constraints and schedules of classes keep their arguments", {
  Weighted <- new_loss_class("Weighted", initialize = function(by) {
    super$initialize(name = "weighted")
    self$by <- by
  }, call = function(y_true, y_pred) self$by[["a"]] * k_mean(k_square(y_true - y_pred), axis = -1))
  Above <- new_metric_class("Above", initialize = function(limit, name = "above") {
    super$initialize(name = name)
    self$limit <- limit
    self$n <- self$add_weight(name = "n")
  }, update_state = function(y_true, y_pred, sample_weight = NULL)
    self$n$assign_add(k_sum(k_cast(y_pred > self$limit, "float32"))), result = function() self$n,
    get_config = function() list(limit = self$limit, name = self$name))
  Small <- Constraint("Small", initialize = function(most = Inf) self$most <- most, call = function(w)
    k_clip(w, -self$most, self$most))
  Halving <- new_learning_rate_schedule_class("Halving", initialize = function(rate) self$rate <- rate,
    call = function(step) self$rate * 0.5^step)
  custom <- list(Weighted, Above, Small, Halving)
  make <- function() {
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(1, kernel_constraint = Small(0.25))
    compile(model, optimizer_sgd(Halving(0.5)), Weighted(c(a = 3)), metrics = list(Above(0.1), b = Above(limit = 0)))
  }
  model <- make()
  y <- cos(1:10)
  fit(model, x, y, verbose = 0, shuffle = FALSE)
  path <- vapply(endings, function(e) save_model(model, tempfile(fileext = e)), "")
  expected <- evaluate(model, x, y, verbose = 0)
  again <- lapply(path, load_model, custom_objects = custom)
  fit(model, x, y, verbose = 0, shuffle = FALSE)
  for (m in again) {
    expect_equal(evaluate(m, x, y, verbose = 0), expected, tolerance = 1e-6)
    fit(m, x, y, verbose = 0, shuffle = FALSE)
    expect_equal(get_weights(m), get_weights(model), tolerance = 1e-6)
  }
  expect_lte(max(abs(get_weights(model)[[1]])), 0.25)
  for (part in list(Weighted(c(a = 3)), Above(0.1), Small(), Halving(0.5))) expect_identical(get_config(from_config(
    get_config(part), custom)), get_config(part))
  expect_refusal(load_model(path[[1]], custom[-1]), "custom", "`Weighted`")
})

test_that("vocabularies that layers within have learned or were given are kept in files of all kinds", {
  Reads <- new_model_class("Reads", initialize = function(n = 10) {
    super$initialize()
    self$text <- layer_text_vectorization(max_tokens = n, output_sequence_length = 4L)
    self$embed <- layer_embedding(input_dim = n, output_dim = 2)
  }, call = function(x) self$embed(self$text(x)))
  Looks <- new_layer_class("Looks", initialize = function() {
    self$look <- layer_string_lookup()
    self$cut <- layer_discretization(num_bins = 3)
    self$count <- layer_integer_lookup()
  }, call = function(x) self$look(x))
  reads <- Reads()
  adapt(reads$text, c("a b c", "b c d"))
  reads(c("a", "b"))
  words <- c("a b", "d")
  for (again in kept_in(reads, list(Reads))[-1]) expect_identical(predict(set_weights(again, get_weights(reads)),
    words), predict(reads, words))
  looks <- Looks()
  set_vocabulary(looks$look, c("u", "v"))
  adapt(looks$count, c(7L, 7L, 9L))
  input <- layer_input(1, dtype = "string")
  model <- keras_model(input, looks(input))
  for (again in kept_in(model, list(Looks))) {
    expect_identical(predict(again, c("v", "z")), predict(model, c("v", "z")))
    expect_equal(get_vocabulary(again$layers[[2]]$count), get_vocabulary(looks$count))
  }
})

test_that("arguments of calls are kept exactly, or Keras' files refuse them", {
  layer_clip <- new_layer_class("ClipCall", call = function(x, limit = NULL)
    if (is.null(limit)) x * 0 else op_minimum(x, limit))
  of <- function(limit) {
    input <- layer_input(2)
    keras_model(input, layer_clip()(input, limit = limit))
  }
  x <- matrix(c(1, 2), 1)
  path <- tempfile(fileext = ".safetensors")
  for (limit in list(Inf, matrix(c(0, 9), 1), 1.5)) {
    save_model(of(limit), path)
    expect_identical(predict(load_model(path, custom_objects = list(layer_clip)), x), predict(of(limit), x))
  }
  for (limit in list(c(a = 1, b = 2), matrix(c(0, 9), 1)))
    expect_error(model_to_json(of(limit)), "argument `limit` in a call", class = "nativenet_error_custom")
  attention <- layer_multi_head_attention(num_heads = 1, key_dim = 2)
  input <- layer_input(c(2, 3))
  model <- keras_model(input, attention(input, input, attention_mask = array(c(1, 1, 0, 1), c(1, 2, 2))))
  save_model(model, path)
  some <- array(rnorm(12), c(2, 2, 3))
  expect_identical(predict(load_model(path), some), predict(model, some))
})

test_that("shapes and dtypes are arguments of classes that files keep", {
  layer_shaped <- new_layer_class("ShapedCall", initialize = function(size, kind) {
    super$initialize()
    self$size <- size
    self$kind <- kind
  }, call = function(x) x * as.integer(self$size)[1])
  input <- layer_input(2)
  model <- keras_model(input, layer_shaped(size = shape(3, NA), kind = tf$float32)(input))
  path <- tempfile(fileext = ".safetensors")
  save_model(model, path)
  again <- load_model(path, custom_objects = list(layer_shaped))
  expect_identical(predict(again, diag(2)), 3 * diag(2))
  expect_identical(again$layers[[2]]$size, shape(3, NA))
})
