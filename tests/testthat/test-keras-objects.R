# Objects by name and as lists; tuples and arrays.

test_that("what is registered is known to whatever reads models, until it is taken off", {
  on.exit(set_custom_objects())
  before <- set_custom_objects()
  expect_identical(get_custom_objects(), list())
  double <- function(x) 2 * x
  expect_identical(register_keras_serializable(double, package = "mine"), double)
  expect_identical(names(get_custom_objects()), "mine>double")
  expect_identical(get_registered_name(double), "mine>double")
  expect_identical(get_registered_object("mine>double"), double)
  expect_null(get_registered_object("mine>other"))
  expect_identical(get_registered_object("own", custom_objects = list(own = double)), double)
  expect_identical(get_registered_object("own", module_objects = list(own = double)), double)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, activation = double, name = "d")
  again <- model_from_json(model_to_json(model))
  x <- matrix(1:4 / 4, 2)
  set_weights(again, get_weights(model))
  expect_identical(as.array(again(x)), as.array(model(x)))
  file <- tempfile(fileext = ".safetensors")
  save_model(model, file)
  expect_identical(as.array(load_model(file)(x)), as.array(model(x)))
  twice <- new_layer_class("Twice", call = function(inputs) inputs * 2)
  register_keras_serializable(twice)
  expect_identical(get_registered_name(twice), "Custom>Twice")
  own <- keras_model_sequential(input_shape = 2) |> twice()
  expect_identical(as.array(model_from_json(model_to_json(own))(x)), 2 * x, tolerance = 1e-7)
  old <- set_custom_objects(list(f = double), clear = FALSE)
  expect_identical(names(old), c("mine>double", "Custom>Twice"))
  expect_length(get_custom_objects(), 3)
  set_custom_objects()
  expect_error(model_from_json(model_to_json(own)), class = "nativenet_error_custom")
  expect_identical(get_registered_name(twice), "Twice")
  expect_error(register_keras_serializable(function(x) x), "`name`")
  expect_error(register_keras_serializable(3), "`object`")
})

test_that("objects become lists and objects again", {
  on.exit(set_custom_objects())
  same <- function(x) expect_identical(get_config(deserialize_keras_object(serialize_keras_object(x))), get_config(x))
  for (x in list(optimizer_adam(0.01), optimizer_sgd(learning_rate_schedule_cosine_decay(0.1, 100)),
    loss_huber(delta = 2), metric_auc(num_thresholds = 11), initializer_he_normal(seed = 1), regularizer_l1_l2(0.1),
    constraint_maxnorm(3),
    learning_rate_schedule_exponential_decay(0.1, 10, 0.5), layer_dense(units = 3, kernel_regularizer = "l2")))
    same(x)
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
  expect_identical(serialize_keras_object(model)$module, "keras.models")
  expect_s3_class(deserialize_keras_object(serialize_keras_object(model)), "nn_model")
  mixed <- deserialize_keras_object(serialize_keras_object(list(a = loss_poisson(), b = 1:3, c = NULL, d = list("x"))))
  expect_identical(mixed$a, loss_poisson())
  expect_identical(mixed[c("b", "d")], list(b = 1:3, d = list("x")))
  # Keras' published example, and one without a module
  adam <- list(class_name = "Adam", config = list(amsgrad = FALSE, beta_1 = 0.9, learning_rate = 0.001, name = "Adam"),
    module = "keras.optimizers", registered_name = NULL)
  expect_identical(deserialize_keras_object(adam)$get_config()$beta_1, 0.9)
  expect_s3_class(deserialize_keras_object(adam[1:2]), "nn_optimizer")
  f <- function(x) x
  register_keras_serializable(f)
  expect_identical(serialize_keras_object(f)$registered_name, "Custom>f")
  expect_identical(deserialize_keras_object(serialize_keras_object(f)), f)
  expect_error(deserialize_keras_object(mean), "`config`")
  expect_error(deserialize_keras_object(list(class_name = "Nonsense", config = list())),
    class = "nativenet_error_custom")
})

test_that("architectures in files of JSON", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, name = "two")
  file <- tempfile(fileext = ".json")
  expect_identical(save_model_config(model, file), model)
  again <- load_model_config(file)
  expect_identical(get_config(again)$layers, get_config(model)$layers)
  expect_error(save_model_config(model, file), "exists", class = "nativenet_error_file")
  save_model_config(model, file, overwrite = TRUE)
  expect_identical(save_model_config(model), model_to_json(model))
  writeLines("{}", file)
  expect_error(load_model_config(file), class = "nativenet_error_file")
  expect_error(load_model_config(tempfile()), class = "nativenet_error_file")
})

test_that("tuples and arrays", {
  expect_identical(tuple(1, a = 2), list(1, 2))
  expect_identical(tuple(list(a = 1, b = 2)), list(1, 2))
  expect_identical(tuple(), list())
  expect_identical(keras_array(matrix(1:4, 2)), matrix(1:4, 2))
  expect_identical(keras_array(list(c(0.1, 2), 3L), "float32")[[2]], array(3))
  expect_identical(implementation()$layers$Dense, keras$layers$Dense)
  expect_error(keras_array("a"))
})
