# Optimizers against their formulas, written out here in plain R.

# One step of each: function(state, w, g, t), the state a list of arrays; returns list(state, w).
rules <- list(
  sgd = list(optimizer_sgd(0.1), function(s, w, g, t) list(s, w - 0.1 * g)),
  momentum = list(optimizer_sgd(0.1, momentum = 0.9), function(s, w, g, t) {
    v <- 0.9 * s[[1]] - 0.1 * g
    list(list(v), w + v)
  }),
  nesterov = list(optimizer_sgd(0.1, momentum = 0.9, nesterov = TRUE), function(s, w, g, t) {
    v <- 0.9 * s[[1]] - 0.1 * g
    list(list(v), w + 0.9 * v - 0.1 * g)
  }),
  rmsprop = list(optimizer_rmsprop(0.1, rho = 0.8), function(s, w, g, t) {
    v <- 0.8 * s[[1]] + 0.2 * g^2
    list(list(v), w - 0.1 * g / sqrt(v + 1e-7))
  }),
  rmsprop_full = list(optimizer_rmsprop(0.1, rho = 0.8, momentum = 0.5, centered = TRUE), function(s, w, g, t) {
    v <- 0.8 * s[[1]] + 0.2 * g^2
    a <- 0.8 * s[[2]] + 0.2 * g
    m <- 0.5 * s[[3]] + 0.1 * g / sqrt(v - a^2 + 1e-7)
    list(list(v, a, m), w - m)
  }),
  adam = list(optimizer_adam(0.1), function(s, w, g, t) {
    m <- 0.9 * s[[1]] + 0.1 * g
    v <- 0.999 * s[[2]] + 0.001 * g^2
    list(list(m, v), w - 0.1 * sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + 1e-7))
  }),
  amsgrad = list(optimizer_adam(0.1, amsgrad = TRUE), function(s, w, g, t) {
    m <- 0.9 * s[[1]] + 0.1 * g
    v <- 0.999 * s[[2]] + 0.001 * g^2
    top <- pmax(s[[3]], v)
    list(list(m, v, top), w - 0.1 * sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(top) + 1e-7))
  }),
  adamw = list(optimizer_adamw(0.1, weight_decay = 0.05), function(s, w, g, t) {
    m <- 0.9 * s[[1]] + 0.1 * g
    v <- 0.999 * s[[2]] + 0.001 * g^2
    w <- w - 0.1 * 0.05 * w
    list(list(m, v), w - 0.1 * sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + 1e-7))
  }),
  adagrad = list(optimizer_adagrad(0.1), function(s, w, g, t) {
    a <- (if (t == 1) 0.1 else s[[1]]) + g^2
    list(list(a), w - 0.1 * g / sqrt(a + 1e-7))
  }),
  adadelta = list(optimizer_adadelta(0.1), function(s, w, g, t) {
    v <- 0.95 * s[[1]] + 0.05 * g^2
    d <- g * sqrt(s[[2]] + 1e-7) / sqrt(v + 1e-7)
    list(list(v, 0.95 * s[[2]] + 0.05 * d^2), w - 0.1 * d)
  }),
  adamax = list(optimizer_adamax(0.1), function(s, w, g, t) {
    m <- 0.9 * s[[1]] + 0.1 * g
    u <- pmax(0.999 * s[[2]], abs(g))
    list(list(m, u), w - 0.1 / (1 - 0.9^t) * m / (u + 1e-7))
  }),
  nadam = list(optimizer_nadam(0.1), function(s, w, g, t) {
    mu <- function(t) 0.9 * (1 - 0.5 * 0.96^t)
    m <- 0.9 * s[[1]] + 0.1 * g
    v <- 0.999 * s[[2]] + 0.001 * g^2
    mhat <- mu(t + 1) * m / (1 - prod(mu(1:(t + 1)))) + (1 - mu(t)) * g / (1 - prod(mu(1:t)))
    list(list(m, v), w - 0.1 * mhat / (sqrt(v / (1 - 0.999^t)) + 1e-7))
  }),
  lion = list(optimizer_lion(0.1, 0.8, 0.7), function(s, w, g, t) {
    list(list(0.7 * s[[1]] + 0.3 * g), w - 0.1 * sign(0.8 * s[[1]] + 0.2 * g))
  }),
  ftrl = list(optimizer_ftrl(0.2, initial_accumulator_value = 0.3, l1_regularization_strength = 0.05,
    l2_regularization_strength = 0.02, l2_shrinkage_regularization_strength = 0.01, beta = 0.1), function(s, w, g, t) {
    n <- if (t == 1) 0.3 else s[[1]]
    z <- s[[2]] + g + 2 * 0.01 * w - (sqrt(n + g^2) - sqrt(n)) / 0.2 * w
    list(list(n + g^2, z), (pmin(pmax(z, -0.05), 0.05) - z) / (sqrt(n + g^2) / 0.2 + 2 * (0.02 + 0.1 / (2 * 0.2))))
  }),
  lamb = list(optimizer_lamb(0.1), function(s, w, g, t) {
    m <- 0.9 * s[[1]] + 0.1 * g
    v <- 0.999 * s[[2]] + 0.001 * g^2
    u <- m / (1 - 0.9^t) / (sqrt(v / (1 - 0.999^t)) + 1e-7)
    list(list(m, v), w - 0.1 * sqrt(sum(w^2) / sum(u^2)) * u)
  }),
  adafactor = list(optimizer_adafactor(0.4, epsilon_1 = 1e-8, clip_threshold = 0.8), function(s, w, g, t) {
    keep <- 1 - t^-0.8
    r <- (if (t == 1) 0 else keep * s[[1]]) + (1 - keep) * rowMeans(g^2 + 1e-8)
    c <- (if (t == 1) 0 else keep * s[[2]]) + (1 - keep) * colMeans(g^2 + 1e-8)
    u <- g / sqrt(outer(r, c) / mean(r))
    rms <- function(x) sqrt(mean(x^2))
    list(list(r, c), w - max(1e-3, rms(w)) * min(0.4, 1 / sqrt(t)) * u / max(1, rms(u) / 0.8))
  }),
  muon = list(optimizer_muon(0.1), function(s, w, g, t) {
    m <- 0.95 * s[[1]] + g
    list(list(m), w - 0.1 * 0.1 * w - 0.1 * newton_schulz(g + 0.95 * m))
  })
)

newton_schulz <- function(g, steps = 6) {
  x <- if (nrow(g) > ncol(g)) t(g) else g
  x <- x / (sqrt(sum(x^2)) + 1e-7)
  for (i in seq_len(steps)) {
    a <- x %*% t(x)
    x <- 3.4445 * x + (-4.775 * a + 2.0315 * a %*% a) %*% x
  }
  if (nrow(g) > ncol(g)) t(x) else x
}

# The arguments of these optimizers.
arguments <- list(sgd = list(0.1), momentum = list(0.1, 0.9), nesterov = list(0.1, 0.9, TRUE), rmsprop = list(0.1, 0.8),
  rmsprop_full = list(0.1, 0.8, 0.5, centered = TRUE), adam = list(0.1), amsgrad = list(0.1, amsgrad = TRUE),
  adamw = list(0.1), adagrad = list(0.1), adadelta = list(0.1), adamax = list(0.1), nadam = list(0.1),
  lion = list(0.1, 0.8, 0.7), ftrl = list(0.2, -0.5, 0.3, 0.05, 0.02, 0.01, 0.1), lamb = list(0.1),
  adafactor = list(0.4, -0.8, 1e-8, clip_threshold = 0.8), muon = list(0.1))

# The weight decay that a rule above has in it.
own_decay <- c(adamw = 0.05, muon = 0.1)

start <- matrix(c(1, -2, 0.5, 3, -0.25, 0.125), 2)
gradient_at <- function(w, t) sin(3 * w + t) + w / 4
pair <- function(g, v) list(list(g, v))

test_that("each optimizer follows its formula, in both dtypes, for odd sizes", {
  expect_setequal(names(rules), enums$update)
  for (name in names(rules)) {
    for (dtype in c("float64", "float32")) {
      optimizer <- unserialize(serialize(rules[[name]][[1]], NULL)) # a fresh one
      v <- variable(start, dtype)
      state <- rep(list(0 * start), 3)
      w <- start
      for (t in 1:6) {
        g <- gradient_at(w, t)
        optimizer$apply_gradients(pair(tensor(g, dtype), v))
        next_one <- rules[[name]][[2]](state, w, g, t)
        state <- next_one[[1]]
        w <- next_one[[2]]
      }
      expect_equal(as.array(v), w, tolerance = if (dtype == "float64") 1e-12 else 1e-5, info = paste(name, dtype))
      expect_identical(as.double(optimizer$iterations), 6)
    }
  }
})

test_that("every optimizer takes weight decay, a moving average of the weights, and clips", {
  set.seed(1)
  for (name in names(rules)) {
    # fresh ones, with the same arguments and more
    make <- function(...) do.call(paste0("optimizer_", sub("^(momentum|nesterov)$", "sgd", sub("_full$", "",
      sub("amsgrad",
      "adam", name)))), c(as.list(eval(arguments[[name]])), list(...)))
    decayed <- make(weight_decay = 0.1, use_ema = TRUE, ema_momentum = 0.8, ema_overwrite_frequency = 3)
    v <- variable(start, "float64")
    state <- rep(list(0 * start), 3)
    w <- mean <- start
    for (t in 1:4) {
      g <- gradient_at(w, t)
      decayed$apply_gradients(pair(tensor(g, "float64"), v))
      rate <- decayed$learning_rate
      before <- w - 0.1 * rate * w
      next_one <- rules[[name]][[2]](state, if (name %in% names(own_decay)) before / (1 - 0.1 * own_decay[[name]]) else
        before, g, t)
      state <- next_one[[1]]
      w <- next_one[[2]]
      mean <- 0.8 * mean + 0.2 * w
      if (t == 3) w <- mean
      expect_equal(as.array(v), w, tolerance = 1e-10, label = paste(name, t))
    }
    clipped <- if (name %in% names(own_decay)) make(clipnorm = 0.5, weight_decay = own_decay[[name]]) else
      make(clipnorm = 0.5)
    v <- variable(start, "float64")
    g <- gradient_at(start, 1)
    clipped$apply_gradients(pair(tensor(g, "float64"), v))
    expect_equal(as.array(v), rules[[name]][[2]](rep(list(0 * start), 3), start, g * 0.5 / sqrt(sum(g^2)), 1)[[2]],
      tolerance = 1e-6, label = name)
  }
})

test_that("op by op, in a traced function and in fit() optimizers take the same steps; files keep them", {
  x <- matrix(c(1, 2, -1, 0.5, 3, -2, 1, 1), 4)
  y <- matrix(c(1, 0, 2, -1))
  for (make in list(function() optimizer_lion(0.01, weight_decay = 0.1), function() optimizer_ftrl(0.1, beta = 0.2),
    function() optimizer_sgd(0.05, use_ema = TRUE, ema_momentum = 0.5), function() optimizer_muon(0.05),
    function() optimizer_lamb(0.05, weight_decay = 0.1, use_ema = TRUE), function() optimizer_adafactor(0.1),
    function() optimizer_muon(0.05, exclude_layers = "[Vv]ariable|dense", use_ema = TRUE, ema_overwrite_frequency = 2),
    function() optimizer_adam(0.05, weight_decay = 0.1, amsgrad = TRUE, use_ema = TRUE, ema_overwrite_frequency = 2))) {
    k_clear_session()
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, kernel_initializer = initializer_constant(0.3))
    first <- get_weights(model)
    model |> compile(make(), "mse") |> fit(x, y, epochs = 3, batch_size = 4, verbose = 0, shuffle = FALSE)
    by_hand <- function(traced) {
      weights <- lapply(first, variable, dtype = "float32")
      optimizer <- make()
      step <- function() {
        z <- tensor(x, "float32")
        with(gradient_tape() %as% tape, loss <- op_mean(op_square(op_matmul(z, weights[[1]]) + weights[[2]] - y)))
        optimizer$apply_gradients(Map(list, tape$gradient(loss, weights), weights))
        loss
      }
      if (traced) step <- autograph(step)
      for (i in 1:3) step()
      nativenet:::take_averages(optimizer)
      lapply(weights, as.array)
    }
    expect_equal(by_hand(FALSE), lapply(get_weights(model), identity), tolerance = 1e-6)
    expect_equal(by_hand(TRUE), by_hand(FALSE), tolerance = 1e-6)
    file <- tempfile()
    save_model(model, file)
    again <- load_model(file)
    expect_identical(again$optimizer$get_weights(), model$optimizer$get_weights())
    expect_identical(again$optimizer$get_config(), model$optimizer$get_config())
    for (m in list(model, again)) fit(m, x, y, epochs = 1, batch_size = 4, verbose = 0, shuffle = FALSE)
    expect_identical(get_weights(again), get_weights(model))
  }
  expect_error(optimizer_sgd(use_ema = 2), "`use_ema`")
  expect_error(optimizer_sgd(ema_momentum = 2), "`ema_momentum`")
  expect_error(optimizer_rmsprop(weight_decay = -1), "`weight_decay`")
  expect_error(optimizer_ftrl(learning_rate_power = 1), "`learning_rate_power`")
})

test_that("each optimizer is known by its name, and in TensorFlow's spelling", {
  names <- sub("^optimizer_", "", grep("^optimizer_", getNamespaceExports("nativenet"), value = TRUE))
  names <- setdiff(names, c("adam_w", "loss_scale")) # keras3's name of AdamW; gives another optimizer
  expect_identical(optimizer_adam_w, optimizer_adamw)
  for (name in names) expect_s3_class(as_optimizer(name), "nn_optimizer")
  expect_setequal(tolower(setdiff(names(tf_optimizers), "schedules")), names)
})

test_that("published numbers: RMSprop 9.683772, Adam 9.9, SGD with momentum 0.1 then 0.18 more", {
  first <- function(optimizer) {
    w <- variable(10)
    optimizer$minimize(function() op_divide(op_square(w), 2), list(w))
    as.array(w)
  }
  expect_equal(first(optimizer_rmsprop(0.1)), 9.683772, tolerance = 1e-7)
  expect_equal(first(optimizer_adam(0.1)), 9.9, tolerance = 1e-7)
  w <- variable(1)
  sgd <- optimizer_sgd(0.1, momentum = 0.9)
  for (step in 1:2) sgd$minimize(function() op_divide(op_square(w), 2), w)
  expect_equal(as.array(w), 0.9 - 0.18)
})

test_that("each variable has a state of its own, whatever the order", {
  a <- variable(1)
  b <- variable(c(1, 1))
  optimizer <- optimizer_sgd(0.1, momentum = 0.5)
  optimizer$apply_gradients(list(list(tensor(1), a), list(tensor(c(1, 2)), b)))
  optimizer$apply_gradients(list(list(tensor(c(1, 2)), b), list(tensor(1), a)))
  expect_equal(as.array(a), 1 - 0.1 - 0.15)
  expect_equal(c(as.array(b)), 1 - c(0.25, 0.5))
  expect_length(optimizer$variables(), 2)
  expect_equal(lapply(optimizer$get_weights(), c), list(-0.15, c(-0.15, -0.3)))
})

test_that("a second tape, or the first one, still has the numbers that it saw", {
  w <- variable(3)
  with(gradient_tape() %as% tape, y <- op_square(w))
  optimizer_sgd(1)$apply_gradients(pair(tensor(1), w))
  expect_identical(as.array(w), 2)
  expect_identical(as.array(tape$gradient(y, w)), 6)
  # nobody else holds them: the step changes them where they are
  alias <- w
  optimizer_sgd(1)$apply_gradients(pair(tensor(1), w))
  expect_identical(as.array(alias), 1)
})

test_that("gradients are cut by value, by norm, and all together", {
  moved <- function(...) {
    a <- variable(c(0, 0))
    b <- variable(0)
    optimizer_sgd(1, ...)$apply_gradients(list(list(tensor(c(3, 4)), a), list(tensor(-12), b)))
    -c(as.array(a), as.array(b))
  }
  expect_equal(moved(clipvalue = 3.5), c(3, 3.5, -3.5))
  expect_equal(moved(clipnorm = 2.5), c(1.5, 2, -2.5))
  expect_equal(moved(global_clipnorm = 6.5), c(1.5, 2, -6))
  expect_equal(moved(global_clipnorm = 100), c(3, 4, -12))
  expect_refusal(optimizer_sgd(clipnorm = 1, clipvalue = 1), "value", "only one")
  expect_refusal(optimizer_adam(clipnorm = 0), "value", "`optimizer_adam()`", "`clipnorm`")
})

test_that("the learning rate may be set, or follow a schedule, also in compiled steps", {
  w <- variable(0)
  optimizer <- optimizer_sgd(learning_rate = 0.1)
  step <- autograph(function(g) optimizer$apply_gradients(list(list(g, w))))
  step(tensor(1))
  optimizer$learning_rate <- 0.5
  step(tensor(1))
  expect_equal(as.array(w), -0.6)
  expect_identical(as.double(optimizer$lr), 0.5)
  optimizer$learning_rate <- learning_rate_schedule_piecewise_constant_decay(c(2, 3), c(1, 10, 100))
  for (i in 1:3) step(tensor(1)) # steps 2, 3, 4 counted from 0
  expect_equal(as.array(w), -0.6 - 1 - 10 - 100)
  expect_null(environment(step)$graph$reason)
  expect_message(expect_true(optimizer_sgd(lr = 0.25)$learning_rate == 0.25), "learning_rate")
})

test_that("schedules follow their formulas", {
  at <- c(0, 5, 10, 15, 40)
  expect_equal(learning_rate_schedule_exponential_decay(2, 10, 0.5)(at), 2 * 0.5^(at / 10))
  expect_equal(learning_rate_schedule_exponential_decay(2, 10, 0.5, staircase = TRUE)(at), 2 * 0.5^floor(at / 10))
  expect_equal(learning_rate_schedule_inverse_time_decay(2, 10, 0.5)(at), 2 / (1 + 0.5 * at / 10))
  expect_equal(learning_rate_schedule_polynomial_decay(2, 10, 1, power = 2)(at), 1 + (1 - pmin(at, 10) / 10)^2)
  expect_equal(learning_rate_schedule_polynomial_decay(2, 10, 1, cycle = TRUE)(c(0, 10, 15, 20)), c(2, 1, 1.25, 1))
  expect_equal(learning_rate_schedule_piecewise_constant_decay(c(5, 10), c(3, 2, 1))(c(0, 5, 6, 10, 11)),
    c(3, 3, 2, 2, 1))
  expect_equal(learning_rate_schedule_cosine_decay(2, 10, alpha = 0.1)(c(0, 5, 10, 50)), c(2, 1.1, 0.2, 0.2))
  expect_equal(learning_rate_schedule_cosine_decay_restarts(2, 10)(c(0, 5, 10, 20, 30)), c(2, 1, 2, 1, 2))
  expect_refusal(learning_rate_schedule_piecewise_constant_decay(1:2, 1:2), "value", "one number more")
})

test_that("what does not fit is refused before anything changes", {
  a <- variable(c(1, 2))
  b <- variable(matrix(0, 2, 2))
  optimizer <- optimizer_adam()
  apply <- function(...) optimizer$apply_gradients(list(list(tensor(c(1, 1)), a), list(...)))
  expect_refusal(apply(tensor(c(1, 1)), b), "shape", "(2)", "(2, 2)")
  expect_refusal(apply(tensor(matrix(0, 2, 2), "float32"), b), "dtype", "float32", "float64")
  expect_refusal(apply(tensor(1), tensor(1)), "value", "variables")
  expect_refusal(apply(tensor(1L), variable(1L)), "dtype", "int32")
  expect_refusal(optimizer$apply_gradients(list()), "value", "`apply_gradients()`", "`grads_and_vars`")
  expect_refusal(optimizer$apply_gradients(list(tensor(1), a)), "value", "`grads_and_vars`")
  expect_refusal(optimizer$apply_gradients(list(list(NULL, a), list(NULL, b))), "value", "no variable has a gradient")
  expect_identical(c(as.array(a)), c(1, 2))
  expect_identical(as.double(optimizer$iterations), 0)
  expect_warning(optimizer$apply_gradients(list(list(tensor(c(1, 1)), a), list(NULL, b))), "Variable:0")
  expect_identical(as.double(optimizer$iterations), 1)
  for (bad in list(-1, NA, "a", c(1, 2))) expect_refusal(optimizer_adam(learning_rate = bad), "value",
    "`optimizer_adam()`", "`learning_rate`")
  expect_refusal(optimizer_adam(beta_1 = 1), "value", "`optimizer_adam()`", "beta_1")
  expect_refusal(optimizer_sgd(momentum = -1), "value", "`optimizer_sgd()`", "`momentum`")
  expect_refusal(optimizer_adam(learning_rat = 1, oops = 2), "value", "`oops`")
  expect_refusal(optimizer$aply_gradients, "member", "`apply_gradients`")
  expect_refusal(optimizer$clip <- 1, "value", "`clip`")
})

test_that("optimizers and their variables are saved together and go on as they would have", {
  run <- function(steps, things) {
    for (i in steps) things$optimizer$apply_gradients(pair(tensor(gradient_at(as.array(things$w), i)), things$w))
    things
  }
  things <- run(1:3, list(optimizer = optimizer_adam(0.1), w = variable(start)))
  again <- unserialize(serialize(things, NULL))
  expect_identical(as.array(run(4:6, again)$w), as.array(run(4:6, things)$w))
  expect_output(print(again$optimizer), "<Adam optimizer> learning_rate = 0.1.*6 steps taken")
  expect_identical(again$optimizer$get_config()$beta_1, 0.9)
})

test_that("a rate beyond float32 is for float64 variables only, whenever it is set", {
  gradient <- function(v) list(list(tensor(1e-39, tensor_dtype(v)), v))
  w <- variable(1, "float64")
  large <- optimizer_sgd(1e39)
  large$apply_gradients(gradient(w))
  expect_equal(as.array(w), 0)
  single <- variable(1, "float32")
  expect_refusal(optimizer_sgd(1e39)$apply_gradients(gradient(single)), "value", "1e+39", "float32")
  step <- autograph(function(g) large$apply_gradients(list(list(g, single))))
  expect_refusal(step(tensor(0, "float32")), "value", "1e+39", "float32")
  small <- optimizer_sgd(0.5)
  small$apply_gradients(list(list(tensor(1, "float32"), single)))
  expect_refusal(small$learning_rate <- 1e39, "value", "1e+39", "float32")
  expect_identical(as.double(small$learning_rate), 0.5)
  expect_identical(as.array(single), 0.5)
})

test_that("keras3's `apply()` is apply_gradients() of two lists", {
  w <- list(variable(c(1, 2), "float64"), variable(3, "float64"))
  optimizer <- optimizer_sgd(0.5)
  optimizer$apply(list(tensor(c(1, 1)), tensor(2)), w)
  expect_identical(lapply(w, as.array), list(array(c(0.5, 1.5)), 2))
  expect_error(optimizer$apply(list(tensor(1)), w), "as many as the gradients", class = "nativenet_error_value")
})

test_that("an optimizer that R stored under an earlier version, whose memory had fewer numbers, goes on", {
  stored <- readRDS(test_path("files", "optimizer-earlier.rds")) # two steps of optimizer_adam(0.1) from (1, 2)
  gradient <- tensor(c(0.5, -1), "float32")
  stored$o$apply_gradients(list(list(gradient, stored$w)))
  expect_equal(as.array(stored$w), array(c(0.6999994516, 2.3000011444)), tolerance = 1e-7)
  expect_identical(as.double(stored$o$iterations), 3)
  expect_identical(dim(optimizer_now(stored$o)[[1]]), dim(optimizer_now(optimizer_adam())[[1]]))
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  expect_warning(compile(model, stored$o, "mse"), "step count, now 3")
  expect_length(fit(model, matrix(1:4), 1:4, verbose = 0, epochs = 1)$metrics$loss, 1)
})

test_that("the number of steps has members, and may be set", {
  o <- optimizer_adam(0.01, beta_1 = 0.8)
  w <- variable(1)
  for (i in 1:3) o$minimize(function() w^2, list(w))
  expect_identical(o$iterations$numpy(), 3)
  expect_identical(tensor_dtype(o$iterations$value()), "int64")
  expect_true(o$iterations %% 3 == 0)
  before <- as.array(w)
  o$iterations$assign(0L)
  expect_identical(k_get_value(o$iterations), 0)
  o$lr$assign(0.1)
  o$minimize(function() w^2, list(w)) # the moments go on, their corrections are those of the first step
  plain <- o$variables()
  expect_equal(before - as.array(w), 0.1 * sqrt(1 - 0.999) / (1 - 0.8) * as.array(plain[[1]]) /
    (sqrt(as.array(plain[[2]])) + 1e-7), tolerance = 1e-6)
  expect_error(o$iterations$assign(-1), "`iterations` must be", class = "nativenet_error_value")
  decaying <- optimizer_sgd(learning_rate_schedule_exponential_decay(1, 1, 0.5))
  decaying$iterations$assign(2)
  expect_equal(as.double(decaying$learning_rate), 0.25)
})

test_that("members are those of Keras: the learning rate is a number with $assign()", {
  o <- optimizer_adam(0.01, beta_1 = 0.8)
  expect_output(print(o$lr), "[1] 0.01", fixed = TRUE)
  expect_true(o$lr * 2 == 0.02 && o$learning_rate < 1)
  o$lr$assign(0.5)
  o$learning_rate$assign_sub(0.25)
  o$lr$assign_add(tensor(0.25))
  expect_identical(o$learning_rate$numpy(), 0.5)
  expect_identical(as.array(o$lr$value()), 0.5)
  expect_identical(data.frame(lr = o$lr)$lr, 0.5)
  expect_identical(as.array(tensor(c(1, 2)) * o$lr), array(c(0.5, 1)))
  expect_identical(c(o$beta_1, o$beta_2), c(0.8, 0.999))
  expect_error(o$lr$assign(-1), "learning_rate", class = "nativenet_error_value")
  expect_error(o$lr$nothing, "such a number", class = "nativenet_error_member")
  step <- tf$train$get_or_create_global_step()
  before <- as.array(step)
  w <- variable(1)
  o$apply_gradients(list(list(tensor(1), w)), global_step = step)
  expect_equal(as.array(step), before + 1)
  expect_length(o$weights, 2)
})

test_that("rules of whole variables: vectors, high matrices and stacks of them, on one thread and on two", {
  steps <- function(make, start, threads) {
    before <- nn_threads()
    on.exit(nn_threads(before))
    .Call(nativenet:::C_threads, threads, 1)
    optimizer <- make()
    v <- variable(start, "float64")
    for (t in 1:3) optimizer$apply_gradients(pair(tensor(gradient_at(start, t), "float64"), v))
    list(as.array(v), lapply(optimizer$get_weights(), dim))
  }
  set.seed(3)
  for (size in list(5, c(7, 3), c(2, 4, 3), c(2, 3, 4), c(130, 70))) {
    x <- array(rnorm(prod(size)), size)
    for (make in list(function() optimizer_lamb(0.1), function() optimizer_adafactor(0.1),
      function() optimizer_muon(0.1, weight_decay = NULL))) {
      one <- steps(make, x, 1)
      expect_identical(one, steps(make, x, 2))
      expect_true(all(is.finite(one[[1]])))
    }
  }
  # Adafactor keeps a row and a column, of stacks for each matrix
  expect_identical(steps(function() optimizer_adafactor(0.1), array(1, c(2, 4, 3)), 1)[[2]], list(c(2L, 4L), c(2L, 3L)))
  # a vector: its mean squares themselves
  x <- c(1, -2, 0.5, 3)
  g <- gradient_at(x, 1)
  expect_equal(c({
    v <- variable(x, "float64")
    optimizer_adafactor(2)$apply_gradients(pair(tensor(g), v))
    as.array(v)
  }), x - sqrt(mean(x^2)) * sign(g))
  # Muon: stacks are matrices, high ones make longer steps
  high <- matrix(rnorm(21), 7)
  v <- variable(high, "float64")
  optimizer_muon(0.1, weight_decay = NULL, nesterov = FALSE)$apply_gradients(pair(tensor(high^2), v))
  expect_equal(as.array(v), high - 0.1 * sqrt(7 / 3) * newton_schulz(high^2), tolerance = 1e-10)
  stack <- array(rnorm(24), c(2, 3, 4))
  v <- variable(stack, "float64")
  optimizer_muon(0.1, weight_decay = NULL, ns_steps = 3)$apply_gradients(pair(tensor(stack), v))
  for (k in 1:2) expect_equal(as.array(v)[k, , ], stack[k, , ] - 0.1 * newton_schulz(1.95 * stack[k, , ], 3),
    tolerance = 1e-10)
  # its steps are nearly orthogonal, whatever the gradient
  v <- variable(matrix(0, 20, 50))
  optimizer_muon(1, weight_decay = NULL)$apply_gradients(pair(tensor(matrix(rnorm(1000, 5), 20)), v))
  expect_true(all(abs(svd(as.array(v))$d - 1) < 0.4))
})

test_that("Muon takes Adam's steps for biases, embeddings and excluded layers, ten times as short", {
  adam <- function(v, ...) {
    like <- variable(as.array(v), "float64")
    optimizer_adam(0.01)$apply_gradients(pair(tensor(as.array(like) + 1), like))
    as.array(like)
  }
  for (case in list(list("bias", 1:3 / 4), list("embedding_7/embeddings", start), list("output/kernel", start),
    list("conv/kernel", array(1:16 / 4, c(2, 2, 2, 2))))) {
    v <- variable(case[[2]], "float64", name = case[[1]])
    wanted <- adam(v)
    optimizer <- optimizer_muon(0.1, weight_decay = NULL, exclude_layers = c("^none$", "out"))
    optimizer$apply_gradients(pair(tensor(case[[2]] + 1, "float64"), v))
    expect_equal(as.array(v), wanted, tolerance = 1e-12, label = case[[1]])
    expect_identical(lapply(optimizer$get_weights(), dim), rep(list(dim(v)), 2))
  }
  v <- variable(start, "float64", name = "embedding/embeddings")
  optimizer <- optimizer_muon(0.1, weight_decay = NULL, exclude_embeddings = FALSE)
  optimizer$apply_gradients(pair(tensor(start), v))
  expect_equal(as.array(v), start - 0.1 * newton_schulz(1.95 * start), tolerance = 1e-10)
  expect_identical(optimizer$get_config()$muon_b, -4.775)
  expect_output(print(optimizer_muon(exclude_layers = c("a", "b"))), "exclude_layers = a b")
  expect_refusal(optimizer_muon(exclude_layers = "("), "value", "`exclude_layers`", "regular expression")
  expect_refusal(optimizer_muon(exclude_layers = 1), "value", "`exclude_layers`")
  expect_refusal(optimizer_muon(ns_steps = -1), "value", "`ns_steps`")
  expect_refusal(optimizer_adafactor(beta_2_decay = 1), "value", "`beta_2_decay`")
  expect_refusal(optimizer_adafactor(clip_threshold = 0), "value", "`clip_threshold`")
  expect_refusal(optimizer_lamb(beta_1 = 1), "value", "beta_1")
})

test_that("arguments stand where Keras has them; schedules warm up", {
  o <- optimizer_sgd(0.1, 0.9, TRUE, 0.01, 2)
  expect_identical(o$get_config()[c("momentum", "weight_decay", "clipnorm")],
    list(momentum = 0.9, weight_decay = 0.01, clipnorm = 2))
  expect_identical(optimizer_adamw(amsgrad = TRUE)$get_config()$amsgrad, TRUE)
  w <- variable(c(1, -2))
  optimizer_adamw(0.1, 0.05, amsgrad = TRUE)$apply_gradients(pair(tensor(c(0.5, 1)), w))
  expect_equal(c(as.array(w)), c(1, -2) * 0.995 - 0.1, tolerance = 1e-6)
  rate <- learning_rate_schedule_cosine_decay(0.2, 10, 0.1, warmup_target = 1, warmup_steps = 4)
  expect_equal(rate(c(0, 2, 4, 9, 14, 50)), c(0.2, 0.6, 1, 0.55, 0.1, 0.1))
  expect_equal(learning_rate_schedule_cosine_decay(2, 10, name = "fall")(5), 1)
})
