# Parts in general: names, strings, saved forms, functions of one's own.

needing_arguments <- c("iou", "mean_iou", "one_hot_iou", "one_hot_mean_iou", "sensitivity_at_specificity",
  "specificity_at_sensitivity", "precision_at_recall", "recall_at_precision", "threshold", "mean_relative_error")
kinds <- c("initializer", "regularizer", "constraint", "activation", "loss", "metric")
saved <- function(kind, x, ...) as_part(kind, serialize_part(x), ...)
same_part <- function(a, b) identical(class(a), class(b)) && identical(part_name(a), part_name(b)) &&
  identical(part_config(a), part_config(b))

test_that("each name has an exported constructor; strings, aliases and constructors mean the same", {
  exported <- getNamespaceExports("nativenet")
  for (kind in kinds) {
    known <- known_names(kind)
    expect_gt(length(known), 3)
    constructors <- paste0(kind, "_", unique(c(known, part_names[[kind]])))
    # a class of the labs; other names
    others <- c("loss_function", "loss_kullback_leibler_divergence", "loss_cosine_proximity",
      "metric_cosine_proximity", "activation_silu", "activation_hard_swish", "loss_log_cosh", "metric_log_cosh",
      "metric_log_cosh_error", "metric_kullback_leibler_divergence", "metric_mean_wrapper", "metric_mean_tensor")
    expect_setequal(setdiff(grep(paste0("^", kind, "_"), exported, value = TRUE), others),
      setdiff(constructors, "metric_of_loss"))
    # a string does not say what they need
    for (name in names(known)[known %in% needing_arguments])
      expect_error(as_part(kind, name), "must be given", class = "nativenet_error")
    for (name in names(known)[!known %in% needing_arguments]) {
      constructor <- part_constructor(kind, known[[name]])
      made <- constructor()
      expect_identical(list(class(made), is.function(made), part_name(made)),
        list(c(paste0("nn_", kind), "nn_part", if (kind == "metric") python_classes$metric), TRUE, known[[name]]))
      camel <- gsub("(^|_)([a-z])", "\\U\\2", name, perl = TRUE) # Keras' class names
      meant <- lapply(list(name, toupper(name), camel, constructor, made), function(x) as_part(kind, x))
      expect_true(all(vapply(meant, same_part, NA, made)), info = name)
      if (kind != "metric") expect_identical(as_part(kind, name), made)
    }
  }
  expect_identical(part_name(as_part("constraint", "max_norm")), "maxnorm")
  expect_null(as_part("regularizer", NULL))
  expect_identical(as_part("activation", tanh), own_part("activation", tanh, "custom"))
  expect_identical(part_name(as_part("activation", relu)), "relu") # the class of the labs
})

test_that("parts are saved as plain lists and made again from them", {
  examples <- list(
    initializer = list(initializer_glorot_uniform(seed = 7), initializer_variance_scaling(2, "fan_out", "uniform"),
      initializer_constant(c(1, 2))),
    regularizer = list(regularizer_l1_l2(0.1, 0.2), regularizer_orthogonal(mode = "columns")),
    constraint = list(constraint_minmaxnorm(0.5, 2, 0.25, axis = c(0, 1))),
    activation = list(activation_relu(alpha = 0.2, max_value = 6, threshold = 1), activation_softmax(axis = 2)),
    loss = list(loss_binary_crossentropy(from_logits = TRUE, label_smoothing = 0.1, reduction = "sum", name = "mine"),
      loss_huber(delta = 3)),
    metric = list(metric_auc(num_thresholds = 11, curve = "PR"), metric_auc(thresholds = c(0.2, 0.6)),
      metric_precision(thresholds = c(0.1, 0.9), class_id = 1), metric_iou(num_classes = 3, target_class_ids = c(0, 2)),
      metric_recall_at_precision(precision = 0.4), metric_f1_score(), as_metric("huber", 1, 1),
      as_metric(loss_huber(delta = 2), 1, 1))
  )
  expect_setequal(names(examples), kinds)
  plain <- function(x) is.null(x) || is.atomic(x) && is.null(attributes(x)) || is.list(x) && all(vapply(x, plain, NA))
  for (kind in kinds) {
    for (x in c(examples[[kind]], lapply(setdiff(known_names(kind), needing_arguments), function(name)
      as_part(kind, name)))) {
      expect_true(plain(serialize_part(x)), info = part_label(x))
      expect_true(same_part(saved(kind, x), x), info = part_label(x))
      if (kind != "metric") expect_identical(saved(kind, x), x)
    }
  }
  expect_identical(regularizer_l2(0.5), regularizer_l2(0.5))
  expect_false(identical(regularizer_l2(0.5), regularizer_l2(0.25)))
  again <- unserialize(serialize(list(regularizer_l2(0.5), metric_mean()), NULL))
  expect_identical(again[[1]], regularizer_l2(0.5))
  expect_identical(as.double(again[[1]](c(1, 2))), 2.5)
  expect_identical(again[[2]](c(1, 2)), 1.5)
  # Keras' own spelling
  read <- as_part("initializer", list(class_name = "RandomNormal", config = list(mean = 0, stddev = 0.1, seed = NULL)))
  expect_identical(read, initializer_random_normal(stddev = 0.1))
})

test_that("functions of one's own are called as they are, keep their name, and are found again by it", {
  double_it <- function(x) x * 2
  f <- as_part("activation", double_it, name = "double_it")
  expect_identical(as.double(f(tensor(3))), 6)
  expect_identical(serialize_part(f), list(class_name = "custom", config = list(name = "double_it")))
  expect_identical(saved("activation", f, custom_objects = list(double_it = double_it)), f)
  expect_identical(as_part("activation", "double_it", custom_objects = list(double_it = double_it)), f)
  expect_refusal(saved("activation", f, fun = "load_model"), "custom", "`load_model()`",
    "custom_objects = list(double_it = ...)")
  loss <- as_part("loss", function(y_true, y_pred) k_sum(k_abs(y_true - y_pred), axis = -1), name = "total")
  expect_identical(loss_name(loss), "total")
  expect_identical(as.double(loss(diag(2), matrix(0, 2, 2))), 1)
  expect_identical(as.array(loss_values(loss, diag(2), matrix(0, 2, 2))), array(c(1, 1)))
  expect_identical(as.double(loss(diag(2), matrix(0, 2, 2), c(1, 2))), 1.5)
  scalar <- as_part("loss", function(y_true, y_pred) k_mean(k_abs(y_true - y_pred)))
  expect_identical(as.double(scalar(diag(2), matrix(0, 2, 2))), 0.5)
  expect_refusal(as_part("loss", function(y_true, y_pred) "no")(1, 2), "value", "must return a tensor", "\"no\"")
})

test_that("parts print as the call that makes them", {
  expect_output(print(initializer_glorot_uniform()), "<initializer glorot_uniform(seed = NULL)>", fixed = TRUE)
  expect_output(print(regularizer_l1_l2(0.5)), "<regularizer l1_l2(l1 = 0.5, l2 = 0.01)>", fixed = TRUE)
  expect_output(print(constraint_nonneg()), "<constraint nonneg()>", fixed = TRUE)
  expect_output(print(initializer_constant(1:9)), "<initializer constant(value = <an integer vector of length 9>)>",
    fixed = TRUE)
  expect_output(print(metric_recall()),
    "<metric recall(thresholds = NULL, top_k = NULL, class_id = NULL, name = \"recall\")>",
    fixed = TRUE)
  expect_output(print(as_part("loss", function(y_true, y_pred) y_pred)),
    "<loss custom(reduction = \"auto\", name = \"custom\")>", fixed = TRUE)
})

test_that("what is no part is refused", {
  layer <- function(x) as_part("regularizer", x, "kernel_regularizer", "layer_dense")
  expect_refusal(layer("l3"), "value", "`layer_dense()`: `kernel_regularizer` names no regularizer: \"l3\"",
    "did you mean `l1`")
  expect_refusal(layer(3), "value",
    paste0("`layer_dense()`: `kernel_regularizer` must be the name of a regularizer, an object such as ",
      "`regularizer_l1()`, or a function, not 3"))
  expect_refusal(layer(initializer_zeros()), "value", "not an initializer")
  expect_refusal(layer(c("l1", "l2")), "value", "not a character vector of length 2")
  expect_refusal(layer(list(class_name = "l2", config = list(l3 = 1))), "value", "no argument `l3`", "did you mean `l`")
  expect_refusal(as_part("metric", "of_loss"), "value", "names no metric")
  expect_refusal(regularizer_l2("a"), "value", "`regularizer_l2()`", "`l`")
})

test_that("parts work in compiled functions and on tapes", {
  w <- variable(matrix(c(1, -2, 3, -4), 2))
  m <- metric_mean_squared_error()
  f <- autograph(function(x) list(regularizer_l2(0.5)(w), activation_relu(x), loss_huber()(x, w),
    constraint_nonneg()(w), metric_statistics(m, x, w)))
  x <- matrix(c(0, 1, 2, -3), 2)
  for (i in 1:2) results <- f(x)
  expect_null(environment(f)$graph$reason)
  expect_equal(as.double(results[[1]]), 15)
  expect_equal(as.array(results[[2]]), pmax(x, 0))
  expect_equal(as.double(results[[3]]), as.double(loss_huber()(x, w)))
  expect_equal(as.array(results[[4]]), matrix(c(1, 0, 3, 0), 2))
  expect_equal(c(as.array(results[[5]])), c(sum(rowMeans((x - as.array(w))^2)), 2))
  expect_true(check_gradient(regularizer_l2(0.5), matrix(c(1, -2, 3), 1))$ok)
})

test_that("a layer is no initializer, regularizer or constraint, though it is a function", {
  dense <- layer_dense(units = 2)
  expect_error(layer_dense(units = 2, kernel_regularizer = dense), "`kernel_regularizer`.*not a Dense layer",
    class = "nativenet_error_value")
  expect_error(layer_dense(units = 2, kernel_constraint = dense), "`kernel_constraint`",
    class = "nativenet_error_value")
  expect_error(layer_dense(units = 2, kernel_initializer = dense), "`kernel_initializer`",
    class = "nativenet_error_value")
})

test_that("primitives of R serve as parts and stay as they are", {
  path <- tempfile(fileext = ".nn")
  on.exit(unlink(path))
  x <- matrix(c(0.1, 0.2, 0.3, 0.4), 2)
  model <- keras_model_sequential(input_shape = 2) |>
    layer_dense(3, activation = exp, kernel_regularizer = sum, kernel_constraint = abs, name = "a") |>
    layer_dense(1, activation = exp, name = "b")
  w <- get_weights(model)
  expect_equal(predict(model, x), exp(exp(x %*% w[[1]]) %*% w[[3]]), tolerance = 1e-6)
  expect_null(attributes(exp))
  expect_null(attributes(sum))
  expect_null(attributes(abs))
  save_model(model, path)
  names <- c("a_activation", "a_kernel_regularizer", "a_kernel_constraint", "b_activation")
  again <- load_model(path, custom_objects = stats::setNames(list(exp, sum, abs, exp), names))
  expect_identical(predict(again, x), predict(model, x))
  expect_null(attributes(exp))
})
