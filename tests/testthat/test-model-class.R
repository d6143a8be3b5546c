# Models of the user's classes.

# "Customizing what happens in fit()"
CustomModel <- new_model_class("CustomModel",
  train_step = function(data) {
    c(x, y) %<-% data
    with(tf$GradientTape() %as% tape, {
      y_pred <- self(x, training = TRUE)
      loss <- self$compiled_loss(y, y_pred, regularization_losses = self$losses)
    })
    gradients <- tape$gradient(loss, self$trainable_variables)
    self$optimizer$apply_gradients(zip_lists(gradients, self$trainable_variables))
    self$compiled_metrics$update_state(y, y_pred)
    results <- list()
    for (m in self$metrics) results[[m$name]] <- m$result()
    results
  }
)

data_of <- function(n = 48) {
  x <- matrix(sin(seq_len(3 * n)), n)
  list(x = x, y = as.numeric(x %*% c(1, 2, -1) > 0))
}

functional <- function(class, ...) {
  set.seed(4)
  input <- layer_input(3)
  output <- input |> layer_dense(4, activation = "tanh", kernel_regularizer = regularizer_l2(0.01)) |>
    layer_dense(1, activation = "sigmoid", bias_constraint = constraint_nonneg())
  model <- class(input, output)
  compile(model, optimizer_adam(0.05), "binary_crossentropy", metrics = list("accuracy", metric_auc()), ...)
  model
}

test_that("a train_step that does what all models do gives their weights and history, compiled or not", {
  d <- data_of()
  fitted <- function(model) {
    set.seed(1)
    history <- fit(model, d$x, d$y, epochs = 3, batch_size = 10, validation_split = 0.25, verbose = 0)
    list(weights = get_weights(model), history = history$metrics, scores = unclass(evaluate(model, d$x, d$y)))
  }
  plain <- functional(keras_model)
  own <- functional(CustomModel)
  eager <- functional(CustomModel, run_eagerly = TRUE)
  wanted <- fitted(plain)
  expect_no_message(got <- fitted(own))
  expect_equal(got, wanted, tolerance = 1e-6)
  expect_named(got$history, c("loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc"))
  expect_equal(fitted(eager), wanted, tolerance = 1e-6)
  expect_equal(predict(own, d$x), predict(plain, d$x), tolerance = 1e-6)
  expect_equal(predict(eager, d$x), predict(plain, d$x), tolerance = 1e-6)
  printing <- functional(new_model_class("Printing", inherit = CustomModel, train_step = function(data) {
    cat(".")
    super$train_step(data)
  }))
  expect_message(printed <- capture.output(got <- fitted(printing)), "runs eagerly, not compiled: it calls `cat()`",
    fixed = TRUE)
  expect_identical(nchar(paste(printed, collapse = "")), 12L) # 36 rows, batches of 10
  expect_equal(got, wanted, tolerance = 1e-6)
})

test_that("metrics that a step updates one by one are all there once it has the loss", {
  # "Customizing what happens in fit()" of the third version
  class <- new_model_class("Guide", train_step = function(data) {
    c(x, y) %<-% data
    with(tf$GradientTape() %as% tape, {
      y_pred <- self(x, training = TRUE)
      loss <- self$compute_loss(y = y, y_pred = y_pred)
    })
    gradients <- tape$gradient(loss, self$trainable_variables)
    self$optimizer$apply_gradients(zip_lists(gradients, self$trainable_variables))
    for (m in self$metrics) if (m$name == "loss") m$update_state(loss) else m$update_state(y, y_pred)
    stats::setNames(lapply(self$metrics, function(m) m$result()), vapply(self$metrics, function(m) m$name, ""))
  })
  d <- data_of()
  history <- lapply(list(keras_model, class), function(f) fit(functional(f), d$x, d$y, epochs = 3, batch_size = 12,
    shuffle = FALSE, verbose = 0)$metrics)
  expect_equal(history[[2]], history[[1]], tolerance = 1e-6)
  expect_length(history[[2]], 3)
})

test_that("the steps of ours are there under `super`, and sample weights count", {
  counted <- new_model_class("Counted", train_step = function(data) c(super$train_step(data), list(seven = 7)),
    test_step = function(data) super$test_step(data), predict_step = function(data) 2 * super$predict_step(data))
  d <- data_of()
  w <- rep(c(1, 3), 24)
  own <- functional(counted)
  plain <- functional(keras_model)
  for (model in list(own, plain)) {
    set.seed(2)
    history <- fit(model, d$x, d$y, sample_weight = w, epochs = 2, verbose = 0)
  }
  expect_equal(get_weights(own), get_weights(plain), tolerance = 1e-6)
  expect_equal(own$history$metrics[c("loss", "auc")], plain$history$metrics[c("loss", "auc")], tolerance = 1e-6)
  expect_identical(own$history$metrics$seven, c(7, 7))
  expect_equal(c(evaluate(own, d$x, d$y, sample_weight = w)), c(evaluate(plain, d$x, d$y, sample_weight = w)),
    tolerance = 1e-6)
  expect_equal(predict(own, d$x), 2 * predict(plain, d$x), tolerance = 1e-6)
  expect_equal(c(train_on_batch(own, d$x, d$y))[1:3], c(train_on_batch(plain, d$x, d$y)), tolerance = 1e-6)
  expect_equal(c(test_on_batch(own, d$x, d$y)), c(test_on_batch(plain, d$x, d$y)), tolerance = 1e-6)
})

test_that("compute_loss and compute_metrics are used by steps that are ours", {
  model <- new_model_class("Halved",
    initialize = function(units) self$out <- layer_dense(units = units, kernel_initializer = "ones"),
    call = function(x) self$out(x),
    compute_loss = function(x, y, y_pred, sample_weight = NULL) k_mean((y - y_pred)^2) / 2,
    compute_metrics = function(x, y, y_pred, sample_weight = NULL) list(largest = k_max(y_pred))
  )(1)
  compile(model, optimizer_sgd(0.1))
  x <- matrix(c(1, 2, 3, 4), 2)
  fit(model, x, matrix(c(1, 2)), epochs = 1, batch_size = 2, verbose = 0, shuffle = FALSE)
  residual <- rowSums(x) - c(1, 2)
  expect_equal(model$history$metrics, list(largest = 6))
  expect_equal(get_weights(model), list(matrix(1 - 0.1 * colMeans(residual * x), 2),
    array(-0.1 * mean(residual))), tolerance = 1e-6)
})

test_that("models with `call` alone are trained as others are, with several inputs, too", {
  TwoInputs <- new_model_class("TwoInputs",
    initialize = function(units = 2, name = NULL) {
      super()$`__init__`(name = name)
      self$a <- layer_dense(units = units)
      self$b <- layer_dense(units = units)
      self$drop <- layer_dropout(rate = 0.9)
    },
    call = function(inputs, training = FALSE) {
      h <- self$a(inputs[[1]]) + self$b(inputs[[2]])
      if (training) h <- h * 0
      k_sum(h, axis = -1, keepdims = TRUE)
    }
  )
  model <- TwoInputs(name = "two")
  compile(model, optimizer_sgd(0.1), "mse")
  a <- matrix(1:6 / 6, 3)
  b <- matrix(1:3, 3)
  y <- predict(model, list(a, b))
  w <- get_weights(model)
  expect_equal(y, cbind(rowSums(a %*% w[[1]] + b %*% w[[3]])), tolerance = 1e-6)
  fit(model, list(a, b), c(1, 1, 1), epochs = 1, verbose = 0)
  expect_equal(model$history$metrics$loss, 1) # `training` was TRUE
  expect_identical(dim(model(list(a, b))), c(3L, 1L))
  expect_identical(vapply(model$layers, function(l) l$name, ""), c(model$a$name, model$b$name, model$drop$name))
  expect_identical(get_layer(model, index = 2)$name, model$b$name)
  expect_output(summary(model), "Total params: 10")
})

test_that("variational autoencoder: metrics of its own, losses of layers, data without targets", {
  set.seed(3)
  Sampling <- new_layer_class("Sampling", call = function(inputs) {
    c(mean, log_var) %<-% inputs
    mean + tf$exp(0.5 * log_var) * tf$random$normal(tf$shape(mean))
  })
  Penalty <- new_layer_class("Penalty", call = function(x) {
    self$add_loss(0.5 * k_mean(x))
    x
  })
  VAE <- new_model_class("VAE",
    initialize = function(encoder, decoder, ...) {
      super$initialize(...)
      self$encoder <- encoder
      self$decoder <- decoder
      self$sampler <- Sampling()
      self$total <- metric_mean(name = "total_loss")
      self$kl <- metric_mean(name = "kl_loss")
    },
    metrics = mark_active(function() list(self$total, self$kl)),
    train_step = function(data) {
      with(tf$GradientTape() %as% tape, {
        c(z_mean, z_log_var) %<-% self$encoder(data)
        reconstruction <- self$decoder(self$sampler(list(z_mean, z_log_var)))
        error <- k_mean(k_sum(k_square(data - reconstruction), axis = -1))
        kl <- -0.5 * k_mean(k_sum(1 + z_log_var - k_square(z_mean) - k_exp(z_log_var), axis = -1))
        total <- error + kl + self$losses[[1]]
      })
      self$optimizer$minimize(total, self$trainable_weights, tape = tape)
      self$total$update_state(total)
      self$kl$update_state(kl)
      list(total_loss = self$total$result(), kl_loss = self$kl$result(), penalty = self$losses[[1]])
    },
    sample = function(n) self$decoder(tf$random$normal(c(n, 2L)))
  )
  input <- layer_input(6)
  h <- input |> layer_dense(5, activation = "relu")
  encoder <- keras_model(input, list(layer_dense(h, 2), layer_dense(h, 2)))
  code <- layer_input(2)
  decoder <- keras_model(code, code |> layer_dense(5, activation = "sigmoid") |> Penalty() |> layer_dense(6))
  vae <- VAE(encoder, decoder)
  compile(vae, optimizer_sgd(0))
  x <- matrix(cos(1:72), 12)
  expect_no_message(fit(vae, x, epochs = 2, batch_size = 12, verbose = 0, shuffle = FALSE))
  z <- predict(encoder, x)
  kl <- -0.5 * mean(rowSums(1 + z[[2]] - z[[1]]^2 - exp(z[[2]])))
  expect_equal(vae$history$metrics$kl_loss, c(kl, kl), tolerance = 1e-5)
  expect_identical(dim(vae$sample(4L)), c(4L, 6L))
  expect_length(vae$weights, 10)
  expect_true(all(vae$history$metrics$penalty > 0 & vae$history$metrics$penalty < 0.5))
  compile(vae, optimizer_adam(0.02))
  fit(vae, x, epochs = 30, batch_size = 12, verbose = 0)
  expect_lt(tail(vae$history$metrics$total_loss, 1), vae$history$metrics$total_loss[1])
})

test_that("adversarial networks: no `call`, two optimizers, compile() with arguments of its own", {
  GAN <- new_model_class("GAN",
    initialize = function(discriminator, generator, latent_dim) {
      super$initialize()
      self$discriminator <- discriminator
      self$generator <- generator
      self$latent_dim <- latent_dim
      self$d_loss <- metric_mean(name = "d_loss")
    },
    compile = function(d_optimizer, g_optimizer, loss_fn) {
      super$compile()
      self$d_optimizer <- d_optimizer
      self$g_optimizer <- g_optimizer
      self$loss_fn <- loss_fn
    },
    metrics = mark_active(function() list(self$d_loss)),
    train_step = function(real) {
      batch_size <- tf$shape(real)[1]
      generated <- self$generator(tf$random$normal(c(batch_size, self$latent_dim)))
      all <- tf$concat(list(generated, real), axis = 0L)
      labels <- tf$concat(list(tf$ones(c(batch_size, 1L)), tf$zeros(c(batch_size, 1L))), axis = 0L)
      with(tf$GradientTape() %as% tape, d_loss <- self$loss_fn(labels, self$discriminator(all)))
      weights <- self$discriminator$trainable_weights
      self$d_optimizer$apply_gradients(zip_lists(tape$gradient(d_loss, weights), weights))
      z <- tf$random$normal(c(batch_size, self$latent_dim))
      with(tf$GradientTape() %as% tape, {
        g_loss <- self$loss_fn(tf$zeros(c(batch_size, 1L)), self$discriminator(self$generator(z)))
      })
      weights <- self$generator$trainable_weights
      self$g_optimizer$apply_gradients(zip_lists(tape$gradient(g_loss, weights), weights))
      self$d_loss$update_state(d_loss)
      list(d_loss = self$d_loss$result(), g_loss = g_loss)
    }
  )
  set.seed(5)
  d <- keras_model_sequential(input_shape = 2) |> layer_dense(1, kernel_initializer = "zeros")
  g <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
  gan <- GAN(d, g, 3L)
  compile(gan, optimizer_sgd(0.1), optimizer_sgd(0), loss_fn = loss_binary_crossentropy(from_logits = TRUE))
  before <- get_weights(g)
  rows <- c(0, 0)
  data <- tensor_slices_dataset(matrix(rnorm(40, 3), 20)) |> dataset_batch(8)
  expect_no_message(fit(gan, data, epochs = 1, verbose = 0, callbacks = callback_lambda(
    on_train_batch_end = function(batch, logs) rows <<- rows + c(1, logs$g_loss))))
  expect_identical(get_weights(g), before)
  expect_identical(rows[1], 3)
  expect_gt(max(abs(get_weights(d)[[1]])), 0)
  expect_lt(gan$history$metrics$d_loss, log(2))
  k <- as.double(gan$d_optimizer$iterations)
  expect_identical(k, 3)
})

test_that("knowledge distillation: layers that are not trained, further losses", {
  Distiller <- new_model_class("Distiller",
    initialize = function(student, teacher) {
      super$initialize()
      self$teacher <- teacher
      self$student <- student
    },
    compile = function(optimizer, metrics, distillation_loss_fn, alpha = 0.1) {
      super$compile(optimizer = optimizer, metrics = metrics)
      self$distillation_loss_fn <- distillation_loss_fn
      self$alpha <- alpha
    },
    call = function(x) self$student(x),
    train_step = function(data) {
      c(x, y) %<-% data
      teacher <- self$teacher(x, training = FALSE)
      with(tf$GradientTape() %as% tape, {
        student <- self$student(x, training = TRUE)
        loss <- self$alpha * loss_mean_squared_error(y, student) %>% k_mean() +
          (1 - self$alpha) * self$distillation_loss_fn(teacher, student)
      })
      weights <- self$student$trainable_variables
      self$optimizer$apply_gradients(zip_lists(tape$gradient(loss, weights), weights))
      self$compiled_metrics$update_state(y, student)
      c(self$get_metrics_result(), list(loss = loss))
    },
    test_step = function(data) {
      c(x, y) %<-% data
      self$compiled_metrics$update_state(y, self$student(x, training = FALSE))
      self$get_metrics_result()
    }
  )
  dense <- function(w) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, use_bias = FALSE)
    set_weights(model, list(matrix(w, 2)))
    model
  }
  student <- dense(c(1, 1))
  distiller <- Distiller(student, dense(c(2, -1)))
  distiller %>% compile(optimizer_sgd(0.1), metrics = "mae", distillation_loss_fn = loss_mean_squared_error(),
    alpha = 0.25)
  x <- matrix(c(1, 0, 2, 1), 2)
  y <- c(1, 2)
  fit(distiller, x, y, epochs = 1, batch_size = 2, shuffle = FALSE, verbose = 0)
  out <- x %*% c(1, 1)
  gradient <- 2 * colMeans(c(0.25 * (out - y) + 0.75 * (out - x %*% c(2, -1))) * x)
  w <- c(1, 1) - 0.1 * gradient
  expect_equal(get_weights(student)[[1]], cbind(w), ignore_attr = TRUE, tolerance = 1e-6)
  expect_equal(distiller$history$metrics$mae, mean(abs(out - y)), tolerance = 1e-6)
  expect_equal(evaluate(distiller, x, y)[["mae"]], mean(abs(x %*% w - y)), tolerance = 1e-6)
  distiller$alpha <- 0 # a field that changed is heard of
  fit(distiller, x, y, epochs = 1, batch_size = 2, shuffle = FALSE, verbose = 0)
  expect_equal(get_weights(student)[[1]], cbind(w - 0.2 * colMeans(c(x %*% w - x %*% c(2, -1)) * x)),
    ignore_attr = TRUE, tolerance = 1e-6)
})

test_that("a learning rate schedule of any optimizer in a step is followed, batch by batch", {
  rate <- learning_rate_schedule_piecewise_constant_decay(c(0, 1), c(0.1, 0.01, 0.001))
  model <- new_model_class("Slow",
    initialize = function() {
      self$w <- tf$Variable(1)
      self$own <- optimizer_sgd(rate)
    },
    train_step = function(data) {
      with(tf$GradientTape() %as% tape, loss <- k_sum(self$w * 1))
      self$own$apply_gradients(list(list(tape$gradient(loss, self$w), self$w)))
      list(w = self$w)
    }
  )()
  compile(model)
  expect_no_message(fit(model, matrix(1, 4, 1), epochs = 1, batch_size = 1, verbose = 0))
  expect_equal(model$history$metrics$w, 1 - 0.1 - 0.01 - 0.002, tolerance = 1e-6)
})

test_that("what a step gives is seen by callbacks, and ends training; wrong ones get words", {
  d <- data_of()
  model <- functional(CustomModel)
  seen <- c()
  fit(model, d$x, d$y, epochs = 5, verbose = 0, callbacks = callback_lambda(on_epoch_end = function(epoch, logs) {
    seen <<- c(seen, logs$auc)
    if (epoch == 1) model$stop_training <- TRUE
  }))
  expect_length(seen, 2)
  odd <- functional(new_model_class("Odd", train_step = function(data) 3))
  expect_message(expect_error(fit(odd, d$x, d$y, verbose = 0), "must return a named list of numbers, not 3",
    class = "nativenet_error_value"), "runs eagerly")
  bare <- new_model_class("Bare")()
  expect_error(bare(matrix(1, 1, 1)), "has no method `call`", class = "nativenet_error_member")
  expect_error(fit(bare, matrix(1, 1, 1)), class = "nativenet_error_uncompiled")
  expect_error(bare$nothing, class = "nativenet_error_member")
  expect_error(new_model_class("A", inherit = KerasLayer), "not a class of models", class = "nativenet_error_value")
  expect_identical(Model("B", call = function(x) x)()$name, "b")
  again <- functional(CustomModel)
  save_model_weights(model, file <- tempfile())
  load_model_weights(again, file)
  expect_identical(get_weights(again), get_weights(model))
  expect_output(print(CustomModel), "CustomModel, a class of models")
})

test_that("what needs a graph of layers refuses models of a class", {
  model <- keras_model_custom(function(self) {
    self$inner <- layer_dense(units = 2)
    function(x, mask = NULL) self$inner(x)
  })
  model(matrix(1, 2, 3))
  expect_refusal(plot(model), "custom", "`plot()`", "not a graph of layers")
  path <- tempfile(fileext = ".onnx")
  expect_refusal(save_model_onnx(model, path), "custom", "`save_model_onnx()`", "not a graph of layers")
  expect_false(file.exists(path))
})

test_that("weights of classes come to steps of one's own as weights of samples", {
  x <- matrix(sin(1:8), 4)
  y <- c(0, 1, 1, 0)
  step <- function(data) {
    c(x, y, w) %<-% data
    list(total = k_sum(w), first = k_sum(w * k_reshape(y, -1)))
  }
  make <- function() {
    input <- layer_input(2)
    model <- new_model_class("Weighs", train_step = step)(input, layer_dense(input, 1))
    compile(model, "sgd", "mse")
  }
  weights <- list("0" = 1, "1" = 3)
  got <- fit(make(), x, y, class_weight = weights, epochs = 1, verbose = 0)$metrics
  expect_equal(unlist(got), c(total = 8, first = 6))
  got <- fit(make(), x, y, class_weight = weights, sample_weight = 1:4, epochs = 1, verbose = 0)$metrics
  expect_equal(unlist(got), c(total = 1 + 6 + 9 + 4, first = 15))
  data <- dataset_batch(tensor_slices_dataset(list(x, y)), 4)
  got <- fit(make(), data, class_weight = weights, epochs = 1, verbose = 0)$metrics # they were left out
  expect_equal(unlist(got), c(total = 8, first = 6))
  expect_refusal(fit(make(), x, y, class_weight = list("0" = 1), verbose = 0), "value", "no weight for class 1")
  for (weight in c(NA, Inf, -1)) expect_refusal(fit(make(), x, y, class_weight = list("0" = 1, "1" = weight),
    verbose = 0), "value", "`class_weight` must")
})
