# Layers and models of classes of the user's in files: made again by their constructors, with the same numbers.

x <- matrix(sin(1:40), 10)
y <- matrix(cos(1:10))
has_hdf5 <- requireNamespace("hdf5r", quietly = TRUE) || length(find.package("rhdf5", quiet = TRUE)) > 0
endings <- c(".safetensors", if (has_hdf5) c(".keras", ".h5"))

predicted <- function(model, x) predict(model, x, verbose = 0)

with_seed_of <- function(seed, expr) {
  set.seed(seed)
  expr
}

#' Files of all formats, JSON, configurations and copies have the same numbers as the model.
expect_stored <- function(model, custom, x, endings = ".safetensors") {
  expected <- predicted(model, x)
  for (ending in endings) {
    path <- tempfile(fileext = ending)
    save_model(model, path)
    expect_identical(predicted(load_model(path, custom), x), expected, info = ending)
  }
  again <- list(clone_model(model), model_from_json(model_to_json(model), custom), from_config(get_config(model),
    custom))
  for (other in again) expect_identical(predicted(set_weights(other, get_weights(model)), x), expected)
}

Mlp <- new_model_class("Mlp",
  initialize = function(units = 4, act = "relu", ...) {
    super$initialize(...)
    self$hidden <- layer_dense(units = units, activation = act)
    self$out <- layer_dense(units = 1)
  },
  call = function(inputs, training = FALSE) self$out(self$hidden(inputs))
)

test_that("models of a class are stored as a whole, and training goes on from the file", {
  model <- Mlp(3)
  model |> compile("adam", "mse", metrics = "mae")
  fit(model, x, y, epochs = 2, verbose = 0)
  expect_stored(model, list(Mlp = Mlp), x, endings)
  expect_identical(get_config(model)[c("name", "units")], list(name = model$name, units = 3))
  again <- unserialize_model(serialize_model(model), list(Mlp = Mlp))
  on <- function(m) with_seed_of(7, fit(m, x, y, epochs = 2, verbose = 0)$metrics)
  expect_identical(on(again), on(model))
  expect_identical(get_weights(again), get_weights(model))
  expect_refusal(unserialize_model(serialize_model(model)), "custom", "a custom class of models, `Mlp`")
  called <- Mlp(2) # that was never fitted
  called(x)
  expect_stored(called, list(Mlp = Mlp), x)
  register_keras_serializable(Mlp)
  on.exit(set_custom_objects())
  expect_identical(predicted(unserialize_model(serialize_model(model)), x), predicted(model, x))
})

test_that("functional models of a class, of Python's manner and of keras_model_custom() are", {
  Own <- new_model_class("Own", train_step = function(data) super$train_step(data))
  input <- layer_input(4)
  model <- Own(input, input |> layer_dense(3, activation = "tanh") |> layer_dense(1))
  model |> compile("sgd", "mse")
  fit(model, x, y, verbose = 0)
  expect_stored(model, list(Own = Own), x, endings)
  again <- unserialize_model(serialize_model(model), list(Own = Own))
  expect_identical(names(fit(again, x, y, verbose = 0)$metrics), "loss")

  Net(keras$Model) %py_class% {
    initialize <- function(hidden) {
      super$initialize()
      self$hidden <- hidden
      self$a <- layer_dense(units = hidden)
    }
    call <- function(x) self$a(x)
    get_config <- function() {
      config <- super()$get_config()
      config$hidden <- self$hidden
      config
    }
  }
  net <- Net(3L)
  net(x)
  expect_stored(net, list(Net = Net), x)

  make <- function(units = 2) keras_model_custom(function(self) {
    self$a <- layer_dense(units = units)
    function(inputs, mask = NULL) self$a(inputs)
  }, name = "mine")
  custom <- make()
  custom(x)
  expect_stored(custom, list(CustomModel = make), x)
  expect_identical(unserialize_model(serialize_model(custom), list(CustomModel = function(self) {
    self$a <- layer_dense(units = 2)
    function(inputs) self$a(inputs)
  }))$name, "mine")
})

test_that("layers of classes that inherit from ours are", {
  Wide <- new_layer_class("Wide", inherit = layer_dense, initialize = function(units, factor = 2, ...)
    super$initialize(units = units * factor, ...))
  Plain <- new_layer_class("Plain", inherit = layer_dense, call = function(inputs) super$call(inputs) + 1)
  Relu <- new_layer_class("Relu", inherit = layer_dense, initialize = function(units, ...) super$initialize(units =
    units, activation = "relu", ...), get_config = function() super$get_config())
  model <- keras_model_sequential(input_shape = 4) |> Wide(3, factor = 3, activation = "relu") |>
    Plain(3, kernel_regularizer = regularizer_l2(0.1)) |> Relu(2)
  expect_stored(model, list(Wide = Wide, Plain = Plain, Relu = Relu), x)
  expect_identical(dim(model$layers[[1]]$kernel), c(4L, 9L))
})

test_that("what layers within have learned, and which are frozen, is kept in files of ours", {
  Block <- new_layer_class("Block",
    initialize = function(units, name = NULL, ...) {
      super$initialize(name = name, ...)
      self$units <- units
      self$norm <- layer_normalization()
      self$d <- layer_dense(units = units)
    },
    build = function(input_shape) self$late <- layer_dense(units = self$units),
    call = function(inputs) self$late(self$d(self$norm(inputs)))
  )
  block <- Block(units = 4, name = "block") # two kernels of one shape
  adapt(block$norm, x)
  input <- layer_input(4)
  model <- keras_model(input, layer_dense(block(input), 1))
  block$d$trainable <- FALSE
  expect_stored(model, list(Block = Block), x, endings)
  again <- unserialize_model(serialize_model(model), list(Block = Block))
  expect_length(again$trainable_weights, length(model$trainable_weights))
  expect_false(get_layer(again, "block")$d$trainable)

  Reads <- new_model_class("Reads", initialize = function(n = 10) {
    super$initialize()
    self$text <- layer_text_vectorization(max_tokens = n, output_sequence_length = 4L)
    self$embed <- layer_embedding(input_dim = n, output_dim = 2)
  }, call = function(x) self$embed(self$text(x)))
  reads <- Reads()
  adapt(reads$text, c("a b c", "b c d"))
  reads(c("a", "b"))
  again <- unserialize_model(serialize_model(reads), list(Reads = Reads))
  expect_identical(predicted(again, c("a b", "d")), predicted(reads, c("a b", "d")))
  Other <- new_model_class("Reads", initialize = function(n = 10) self$text <- layer_dense(units = 1), call =
    function(x) self$text(x))
  expect_refusal(unserialize_model(serialize_model(reads), list(Reads = Other)), "custom", "had a TextVectorization")
})

test_that("models within models, named inputs and models of steps alone are", {
  Enc <- new_model_class("Enc", initialize = function(n = 2, ...) {
    super$initialize(...)
    self$d <- layer_dense(units = n)
  }, call = function(x) self$d(x))
  Ae <- new_model_class("Ae", initialize = function(enc, out = 4) {
    super$initialize()
    self$enc <- enc
    self$dec <- keras_model_sequential() |> layer_dense(out)
  }, call = function(x) self$dec(self$enc(x)))
  model <- Ae(Enc(3))
  model(x)
  expect_stored(model, list(Ae = Ae, Enc = Enc), x)
  input <- layer_input(4)
  expect_stored(keras_model(input, Enc(3)(input) |> layer_dense(1)), list(Enc = Enc), x)

  Both <- new_model_class("Both", initialize = function() {
    super$initialize()
    self$a <- layer_dense(units = 1)
    self$b <- layer_dense(units = 1)
  }, call = function(inputs) self$a(inputs$p) + self$b(inputs$q))
  both <- Both()
  data <- list(p = x, q = x[, 1:2])
  both(data)
  expect_stored(both, list(Both = Both), data)

  Gan <- new_model_class("Gan", initialize = function(d, size) {
    super$initialize()
    self$d <- d
    self$size <- size
  }, compile = function(d_optimizer) {
    super$compile()
    self$d_optimizer <- d_optimizer
  }, train_step = function(data) {
    with(tf$GradientTape() %as% tape, loss <- k_mean(self$d(data)))
    self$d_optimizer$minimize(loss, self$d$trainable_weights, tape = tape)
    list(loss = loss)
  })
  gan <- Gan(keras_model_sequential(input_shape = 4) |> layer_dense(1), 2L)
  gan |> compile(optimizer_adam())
  fit(gan, x, epochs = 1, verbose = 0)
  for (ending in endings[endings != ".h5"]) {
    path <- tempfile(fileext = ending)
    expect_warning(save_model(gan, path), "has its own `compile()`", fixed = TRUE, class = "nativenet_warning_custom")
    again <- load_model(path, list(Gan = Gan))
    expect_identical(list(get_weights(again$d), again$size), list(get_weights(gan$d), 2L))
  }
  expect_false(identical(get_weights(clone_model(gan)$d), get_weights(gan$d)))
})

test_that("a class may read its configuration itself; what its constructor does not take is named", {
  Holds <- new_layer_class("Holds", initialize = function(inner, ...) {
    super$initialize(...)
    self$inner <- inner
  }, call = function(x) self$inner(x),
    get_config = function() c(super$get_config(), list(inner = serialize_keras_object(self$inner))),
    from_config = function(config) {
      config$inner <- deserialize_keras_object(config$inner)
      do.call(Holds, config)
    })
  input <- layer_input(4)
  expect_stored(keras_model(input, Holds(inner = layer_dense(units = 2))(input)), list(Holds = Holds), x)
  layer <- Holds(inner = layer_dense(units = 2))
  expect_identical(Holds$from_config(layer$get_config())$inner$units, 2L)
  Odd <- new_layer_class("Odd", initialize = function(units) self$units <- units, call = function(x) x * 2,
    get_config = function() list(unit = 3))
  expect_refusal(clone_model(keras_model(input, Odd(units = 1)(input))), "custom", "gives `unit`, which its")
})

test_that("a layer may be another one in a copy", {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(2, name = "a") |> layer_dropout(0.5, name = "drop")
  copy <- clone_model(model, clone_function = function(layer) if (layer$name == "drop") layer_dropout(rate = 0.1) else
    from_config(get_config(layer)))
  expect_identical(c(copy$layers[[2]]$rate, model$layers[[2]]$rate), c(0.1, 0.5))
  expect_identical(dim(get_layer(copy, "a")$kernel), c(4L, 2L))
  expect_refusal(clone_model(model, clone_function = function(layer) 3), "value", "must give a layer, not 3")
  expect_refusal(clone_model(model, input_tensors = list(1)), "value", "`input_tensors`")
})
