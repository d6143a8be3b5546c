# Losses against their formulas, written out here in plain R, against another library, and in Keras' published examples.

e <- 1e-7
clip <- function(x, low, high = Inf) pmin(pmax(x, low), high)
unit <- function(x) x / sqrt(rowSums(x^2))
rescaled <- function(p) clip(p / rowSums(p), e, 1 - e)

n <- 4L
k <- 3
any_t <- some(c(n, k), 0.1, 2)
any_p <- some(c(n, k), 0.2, 3, k = 2)
share_t <- some(c(n, k), 0.05, 0.95, k = 3)
share_p <- some(c(n, k), 0.05, 0.95, k = 4)
logits <- some(c(n, k), -3, 3, k = 5)
one_hot <- diag(k)[c(2, 1, 3, 2), ]
labels <- c(1, 0, 2, 1)

circle_by_hand <- function(labels, x, others, classes, off, gamma, m) {
  d <- pmax(1 - x %*% t(others), 0)
  vapply(seq_along(labels), function(i) {
    same <- classes == labels[i] & !(off & seq_along(classes) == i)
    apart <- classes != labels[i]
    pull <- sum(exp(gamma * ((m + d[i, ]) * (d[i, ] - m))[same]))
    push <- sum(exp(gamma * (pmax(1 + m - d[i, ], 0) * (1 - m - d[i, ]))[apart]))
    log(1 + pull * push)
  }, 0)
}
# the sum over all paths of classes
ctc_by_hand <- function(labels, x) {
  p <- exp(x) / rowSums(exp(x))
  paths <- as.matrix(expand.grid(rep(list(seq_len(ncol(x)) - 1), nrow(x))))
  fits <- apply(paths, 1, function(path) {
    path <- path[c(TRUE, diff(path) != 0)]
    identical(as.numeric(path[path != 0]), labels[labels != 0])
  })
  -log(sum(apply(paths[fits, ], 1, function(path) prod(p[cbind(seq_along(path), path + 1)]))))
}

# the object, targets, predictions, the loss of each sample
cases <- list(
  list(loss_mean_squared_error(), any_t, any_p, function(t, p) rowMeans((p - t)^2)),
  list(loss_mean_absolute_error(), any_t, any_p, function(t, p) rowMeans(abs(p - t))),
  list(loss_mean_absolute_percentage_error(), any_t, any_p, function(t, p)
    100 * rowMeans(abs(t - p) / clip(abs(t), e))),
  list(loss_mean_squared_logarithmic_error(), any_t, any_p, function(t, p)
    rowMeans((log(clip(p, e) + 1) - log(clip(t, e) + 1))^2)),
  list(loss_huber(), any_t, any_p, function(t, p) rowMeans(ifelse(abs(p - t) <= 1, (p - t)^2 / 2, abs(p - t) - 0.5))),
  list(loss_huber(delta = 0.5), any_t, any_p, function(t, p)
    rowMeans(ifelse(abs(p - t) <= 0.5, (p - t)^2 / 2, 0.5 * abs(p - t) - 0.125))),
  list(loss_logcosh(), any_t, any_p, function(t, p) rowMeans(log(cosh(p - t)))),
  list(loss_binary_crossentropy(), share_t, share_p, function(t, p)
    -rowMeans(t * log(p + e) + (1 - t) * log(1 - p + e))),
  list(loss_binary_crossentropy(label_smoothing = 0.2), share_t, share_p, function(t, p) {
    t <- 0.8 * t + 0.1
    -rowMeans(t * log(p + e) + (1 - t) * log(1 - p + e))
  }),
  list(loss_binary_crossentropy(from_logits = TRUE), share_t, logits, function(t, x)
    rowMeans(pmax(x, 0) - x * t + log(1 + exp(-abs(x))))),
  list(loss_categorical_crossentropy(), one_hot, share_p, function(t, p) -rowSums(t * log(rescaled(p)))),
  list(loss_categorical_crossentropy(label_smoothing = 0.3), one_hot, share_p, function(t, p)
    -rowSums((0.7 * t + 0.1) * log(rescaled(p)))),
  list(loss_categorical_crossentropy(from_logits = TRUE), one_hot, logits, function(t, x)
    -rowSums(t * (x - log(rowSums(exp(x)))))),
  list(loss_sparse_categorical_crossentropy(), labels, share_p, function(t, p) -log(rescaled(p)[cbind(1:n, t + 1)])),
  list(loss_sparse_categorical_crossentropy(from_logits = TRUE), labels, logits, function(t, x) log(rowSums(exp(x))) -
    x[cbind(1:n, t + 1)]),
  list(loss_kl_divergence(), share_t, share_p, function(t, p) rowSums(t * log(t / p))),
  list(loss_poisson(), any_t, any_p, function(t, p) rowMeans(p - t * log(p + e))),
  list(loss_hinge(), one_hot, logits, function(t, p) rowMeans(pmax(1 - (2 * t - 1) * p, 0))),
  list(loss_hinge(), 2 * one_hot - 1, logits, function(t, p) rowMeans(pmax(1 - t * p, 0))),
  list(loss_squared_hinge(), one_hot, logits, function(t, p) rowMeans(pmax(1 - (2 * t - 1) * p, 0)^2)),
  list(loss_categorical_hinge(), one_hot, logits, function(t, p)
    pmax(0, apply((1 - t) * p, 1, max) - rowSums(t * p) + 1)),
  list(loss_cosine_similarity(), any_t, logits, function(t, p) -rowSums(unit(t) * unit(p))),
  list(loss_binary_focal_crossentropy(apply_class_balancing = TRUE, alpha = 0.3, gamma = 1.5, label_smoothing = 0.1),
    one_hot, share_p, function(t, p) {
      t <- 0.9 * t + 0.05
      q <- t * p + (1 - t) * (1 - p)
      rowMeans((t * 0.3 + (1 - t) * 0.7) * (1 - q)^1.5 * -(t * log(p + e) + (1 - t) * log(1 - p + e)))
    }),
  list(loss_binary_focal_crossentropy(gamma = 0, from_logits = TRUE), share_t, logits, function(t, x)
    rowMeans(pmax(x, 0) - x * t + log(1 + exp(-abs(x))))),
  list(loss_categorical_focal_crossentropy(alpha = c(0.1, 0.5, 2), gamma = 1.5), one_hot, share_p, function(t, p) {
    p <- rescaled(p)
    rowSums(t(t(-t * log(p) * (1 - p)^1.5) * c(0.1, 0.5, 2)))
  }),
  list(loss_categorical_focal_crossentropy(from_logits = TRUE), one_hot, logits, function(t, x) {
    p <- exp(x) / rowSums(exp(x))
    rowSums(-0.25 * t * log(p) * (1 - p)^2)
  }),
  list(loss_dice(axis = 2), one_hot, share_p, function(t, p)
    1 - (2 * rowSums(t * p) + e) / (rowSums(t) + rowSums(p) + e)),
  list(loss_tversky(alpha = 0.3, beta = 0.8, axis = 2), one_hot, share_p, function(t, p)
    1 - (rowSums(t * p) + e) / (rowSums(t * p) + e + 0.3 * rowSums(t * (1 - p)) + 0.8 * rowSums((1 - t) * p))),
  list(loss_categorical_generalized_cross_entropy(q = 0.7), labels, share_p, function(t, p)
    (1 - p[cbind(1:n, t + 1)]^0.7) / 0.7),
  list(loss_circle(gamma = 2, margin = 0.3), c(0, 1, 1, 0), unit(any_p), function(t, p) circle_by_hand(t, p, p, t, TRUE,
    2, 0.3)),
  list(loss_circle(ref_labels = c(1, 0), ref_embeddings = unit(any_t)[1:2, ], remove_diagonal = FALSE, gamma = 3),
    c(0, 1, 1, 0), unit(any_p), function(t, p) circle_by_hand(t, p, unit(any_t)[1:2, ], c(1, 0), FALSE, 3, 0.4)),
  list(loss_ctc(), rbind(c(1, 2), c(2, 0), c(1, 1), c(2, 1)), array(some(c(n, 4, k), -1, 1, k = 6), c(n, 4, k)),
    function(t, p) vapply(1:n, function(i) ctc_by_hand(t[i, ], p[i, , ]), 0))
)

test_that("each loss follows its formula, in both dtypes, whole and reduced", {
  expect_setequal(vapply(cases, function(case) part_name(case[[1]]), ""), part_names$loss)
  weights <- c(0.5, 2, 0, 1)
  for (case in cases) {
    loss <- case[[1]]
    t <- case[[2]]
    p <- case[[3]]
    label <- part_label(loss)
    expected <- case[[4]](t, p)
    expect_equal(c(as.array(loss_values(loss, t, p))), expected, tolerance = 1e-9, info = label)
    single <- loss_values(loss, tensor(t, "float32"), tensor(p, "float32"))
    expect_identical(list(tensor_dtype(single), dim(single)), list("float32", n))
    expect_equal(c(as.array(single)), expected, tolerance = 1e-5, info = label)
    expect_equal(as.double(loss(t, p)), mean(expected), tolerance = 1e-9, info = label)
    expect_equal(as.double(loss(t, p, weights)), sum(weights * expected) / n, tolerance = 1e-9, info = label)
    config <- part_config(loss)
    config$reduction <- "sum"
    expect_equal(as.double(do.call(part_constructor("loss", part_name(loss)), config)(t, p, weights)),
      sum(weights * expected), tolerance = 1e-9)
    config$reduction <- "none"
    expect_equal(c(as.array(do.call(part_constructor("loss", part_name(loss)), config)(t, p, weights))),
      weights * expected, tolerance = 1e-9)
    # the function itself, called with both
    config$reduction <- NULL
    direct <- do.call(part_constructor("loss", part_name(loss)), c(list(t, p), config))
    expect_equal(c(as.array(direct)), expected, tolerance = 1e-9, info = label)
  }
})

test_that("derivatives towards predictions, and towards targets where they may flow, are right", {
  expect_setequal(vapply(cases, function(case) part_name(case[[1]]), ""), part_names$loss)
  for (case in cases) {
    t <- case[[2]]
    weights <- c(0.5, 2, 1, 1.5)
    expect_true(check_gradient(function(p) case[[1]](t, p, weights), case[[3]])$ok, info = part_label(case[[1]]))
  }
  expect_true(all(check_gradient(function(t, p) loss_kl_divergence()(t, p), share_t, share_p)$ok))
})

test_that("losses of rare classes and of regions: Keras' published examples, and in training", {
  value <- function(x) as.vector(as.array(x))
  t <- rbind(c(0, 1), c(0, 0))
  expect_equal(value(loss_binary_focal_crossentropy(t, rbind(c(0.6, 0.4), c(0.4, 0.6)), gamma = 2)), c(0.330, 0.206),
    tolerance = 2e-3)
  z <- rbind(c(-18.6, 0.51), c(2.94, -12.8))
  expect_equal(value(loss_binary_focal_crossentropy(from_logits = TRUE)(c(0, 1, 0, 0), c(t(z)))), 0.691,
    tolerance = 1e-3)
  balanced <- loss_binary_focal_crossentropy(apply_class_balancing = TRUE, gamma = 3, from_logits = TRUE)
  expect_equal(value(balanced(t, z)), 0.482, tolerance = 1e-3)
  expect_equal(value(balanced(t, z, sample_weight = c(0.8, 0.2))), 0.097, tolerance = 5e-3)
  hot <- rbind(c(0, 1, 0), c(0, 0, 1))
  expect_equal(value(loss_categorical_focal_crossentropy()(hot, rbind(c(0.05, 0.95, 0), c(0.1, 0.8, 0.1)))), 0.23315276,
    tolerance = 1e-6)
  pictures <- function(...) aperm(array(c(...), c(1, 2, 2, 2)), c(4, 3, 2, 1))
  true <- pictures(1, 1, 0, 0, 1, 1, 0, 0)
  guess <- pictures(0, 1, 0, 1, 0.4, 0, 0, 0.9)
  expect_equal(value(loss_dice(true, guess, axis = c(2, 3, 4))), c(0.5, 0.75757575), tolerance = 1e-6)
  expect_equal(value(loss_dice()(true, guess)), 0.6164384, tolerance = 1e-6)
  expect_equal(value(loss_tversky()(true, guess)), 0.6164384, tolerance = 1e-6)
  # one region for each batch: the mean of the batches' losses, and a number that training makes small
  set.seed(1)
  x <- matrix(rnorm(60), 20)
  y <- matrix(as.numeric(x[, 1] > 0))
  for (loss in list(loss_dice(), loss_tversky(alpha = 0.7), loss_binary_focal_crossentropy())) {
    model <- keras_model_sequential(input_shape = 3) |> layer_dense(1, activation = "sigmoid")
    model |> compile(optimizer_adam(0.1), loss)
    before <- evaluate(model, x, y, batch_size = 20, verbose = 0)[["loss"]]
    expect_equal(before, value(loss(y, predict(model, x, verbose = 0))), tolerance = 1e-6)
    fit(model, x, y, epochs = 10, batch_size = 8, verbose = 0)
    expect_lt(evaluate(model, x, y, batch_size = 20, verbose = 0)[["loss"]], before / 1.3)
  }
  expect_error(loss_dice(axis = "a"), "`axis`")
  expect_error(loss_binary_focal_crossentropy(gamma = -1), "`gamma`")
  expect_error(loss_categorical_focal_crossentropy(alpha = -1), "`alpha`")
})

test_that("Keras' published examples", {
  t <- rbind(c(0, 1), c(0, 0))
  p <- rbind(c(0.6, 0.4), c(0.4, 0.6))
  q <- rbind(c(1, 1), c(0, 0))
  value <- function(loss, ...) as.double(loss(...))
  expect_equal(value(loss_binary_crossentropy(), t, p), 0.81492424, tolerance = 1e-7)
  expect_equal(value(loss_kl_divergence(), t, p), 0.45814306, tolerance = 1e-6)
  expect_equal(value(loss_hinge(), t, p), 1.3)
  expect_equal(value(loss_squared_hinge(), t, p), 1.86)
  expect_equal(value(loss_categorical_hinge(), t, p), 1.4)
  expect_equal(value(loss_huber(), t, p), 0.155)
  expect_equal(value(loss_poisson(), t, q), 0.5, tolerance = 1e-6)
  expect_equal(value(loss_logcosh(), t, q), 0.10844523, tolerance = 1e-6)
  expect_equal(value(loss_mean_absolute_percentage_error(), t, q), 2.5e8)
  expect_equal(value(loss_mean_squared_logarithmic_error(), t, q), 0.12011322, tolerance = 1e-6)
  expect_equal(value(loss_cosine_similarity(), rbind(c(0, 1), c(1, 1)), rbind(c(1, 0), c(1, 1))), -0.5)
  three <- rbind(c(0.05, 0.95, 0), c(0.1, 0.8, 0.1))
  expect_equal(value(loss_categorical_crossentropy(), rbind(c(0, 1, 0), c(0, 0, 1)), three), 1.1769392,
    tolerance = 1e-6)
  expect_equal(value(loss_sparse_categorical_crossentropy(), c(1, 2), three), 1.1769392, tolerance = 1e-6)
  from_logits <- loss_binary_crossentropy(from_logits = TRUE)
  x <- rbind(c(-18.6, 0.51), c(2.94, -12.8))
  expect_equal(value(from_logits, t, x), 0.865458, tolerance = 1e-6)
  expect_equal(value(from_logits, t, x, c(0.8, 0.2)), 0.243, tolerance = 3e-3)
})

test_that("another library agrees", { # PyTorch 1.13
  x <- rbind(c(-2, 0.5, 3), c(1, -0.25, 0.75))
  t <- rbind(c(0, 1, 0.25), c(1, 0.5, 0))
  d <- rbind(c(0.2, 0.5, 0.3), c(0.6, 0.1, 0.3))
  softmax <- exp(x) / rowSums(exp(x))
  value <- function(x) c(as.array(x))
  expect_equal(value(loss_binary_crossentropy(t, x, from_logits = TRUE)), c(0.966530782266, 0.717024037837),
    tolerance = 1e-10)
  expect_equal(value(loss_sparse_categorical_crossentropy(c(2, 0), x, from_logits = TRUE)),
    c(0.085097246364, 0.725278196061), tolerance = 1e-10)
  expect_equal(value(loss_categorical_crossentropy(d, x, from_logits = TRUE)), c(2.335097246364, 0.925278196061),
    tolerance = 1e-10)
  smooth <- loss_categorical_crossentropy(rbind(c(0, 0, 1), c(1, 0, 0)), x, from_logits = TRUE, label_smoothing = 0.1)
  expect_equal(value(smooth), c(0.335097246364, 0.775278196061), tolerance = 1e-10)
  expect_equal(value(loss_huber(t, x, delta = 0.7)), c(0.986666666667, 0.186666666667), tolerance = 1e-10)
  expect_equal(value(loss_kl_divergence(d, softmax)), c(1.3054442323, 0.027332471205), tolerance = 1e-8)
  expect_equal(value(loss_cosine_similarity(t, x)), -c(0.333148302326, 0.613940613515), tolerance = 1e-10)
  expect_equal(value(loss_poisson(t, softmax)), c(1.202123401426, 0.90430557571), tolerance = 1e-10)
})

test_that("targets and predictions of shapes that Keras takes are brought together", {
  t <- c(0, 1, 1, 0)
  p <- c(0.1, 0.8, 0.4, 0.3)
  column <- function(x) matrix(x, ncol = 1)
  expected <- (p - t)^2
  mse <- function(t, p) as.array(loss_values(loss_mean_squared_error(), t, p))
  expect_equal(mse(t, column(p)), array(expected))
  expect_equal(mse(column(t), p), array(expected))
  expect_equal(mse(column(t), column(p)), array(expected))
  expect_equal(mse(t, p), mean(expected)) # one sample of four numbers, as in Keras
  expect_equal(mse(1, 0.75), 0.0625)
  expect_equal(mse(1, matrix(0.75)), array(0.0625)) # a batch of one
  expect_equal(mse(t == 1, tensor(column(p), "float32")), array(expected), tolerance = 1e-6)
  expect_equal(mse(tensor(as.integer(t)), column(p)), array(expected))
  sequences <- array(some(c(2, 5, 3)), c(2, 5, 3))
  expect_equal(mse(0 * sequences, sequences), apply(sequences^2, 1:2, mean))
  expect_equal(mse(array(0, c(2, 5)), sequences[, , 1, drop = FALSE]), sequences[, , 1]^2)

  sparse <- function(t, p = share_p) as.array(loss_values(loss_sparse_categorical_crossentropy(), t, p))
  for (t in list(labels, column(labels), as.integer(labels), tensor(labels, "float32")))
    expect_equal(sparse(t), sparse(labels))
  expect_equal(sparse(2, share_p[1, , drop = FALSE]), array(-log(rescaled(share_p)[1, 3])))
  words <- array(some(c(2, 4, 3), 0.1, 0.9), c(2, 4, 3))
  at <- matrix(c(0, 1, 2, 0, 1, 1, 2, 2), 2)
  expected <- matrix(mapply(function(i, j) -log(words[i, j, at[i, j] + 1] / sum(words[i, j, ])), row(at), col(at)), 2)
  expect_equal(sparse(at, words), expected, tolerance = 1e-6)
  expect_equal(sparse(array(at, c(2, 4, 1)), words), expected, tolerance = 1e-6)

  # weights of samples, and of steps in time
  loss <- loss_mean_squared_error()
  steps <- apply(sequences^2, 1:2, mean)
  expect_equal(as.double(loss(0 * sequences, sequences, c(1, 3))), sum(c(1, 3) * steps) / 10)
  expect_equal(as.double(loss(0 * sequences, sequences, steps)), sum(steps^2) / 10)
  expect_equal(as.double(loss(t(1:2), t(3:4), matrix(2))), 8)

  # along another axis
  expect_equal(c(as.array(loss_mean_absolute_error(any_t, any_p, axis = 1))), colMeans(abs(any_p - any_t)))
  expect_equal(c(as.array(loss_categorical_crossentropy(t(one_hot), t(share_p), axis = 1))),
    -rowSums(one_hot * log(rescaled(share_p))))
  expect_equal(c(as.array(loss_sparse_categorical_crossentropy(labels, t(share_p), axis = 1))), c(sparse(labels)))
})

test_that("shapes that do not fit are named, with a hint", {
  shape <- function(code, ...) expect_refusal(code, "shape", ...)
  shape(loss_mean_squared_error(1:3, any_p),
    "`loss_mean_squared_error()`: `y_true` of shape (3) does not fit `y_pred` of shape (4, 3)")
  shape(loss_mean_squared_error(matrix(0, 4, 1), any_p), "(4, 1)", "(4, 3)") # no silent broadcasting
  shape(loss_categorical_crossentropy(labels, share_p), "(4)", "(4, 3)", "`sparse_categorical_crossentropy`")
  shape(loss_sparse_categorical_crossentropy(one_hot, share_p), "(4, 3)", "go with `categorical_crossentropy`")
  shape(loss_sparse_categorical_crossentropy(labels[-1], share_p), "(3)", "(4, 3)")
  shape(loss_mean_squared_error()(any_t, any_p, 1:3), "(4)", "(3)")
  expect_refusal(loss_sparse_categorical_crossentropy(labels + 1, share_p), "index",
    "`loss_sparse_categorical_crossentropy()`", "outside the classes")
  expect_refusal(loss_mean_squared_error(1), "value", "`loss_mean_squared_error()`", "missing")
  expect_refusal(loss_mean_squared_error(reduction = "mean"), "value", "`loss_mean_squared_error()`",
    "\"sum_over_batch_size\"")
  expect_refusal(loss_binary_crossentropy(label_smoothing = 2), "value", "`loss_binary_crossentropy()`",
    "`label_smoothing`")
  expect_refusal(loss_binary_crossentropy(from_logit = 1, fromlogits = TRUE), "value", "`loss_binary_crossentropy()`")
  expect_refusal(loss_huber(delta = 0), "value", "`loss_huber()`", "`delta`")
  expect_refusal(loss_hinge(axis = 1), "value", "`loss_hinge()`: unused argument `axis`")
  expect_refusal(loss_mean_squared_error(any_t, any_p, axis = 3), "value", "`axis`")
})

test_that("with the inputs of the last activation, cross-entropies take the form that is exact", {
  t <- c(1, 0, 1)
  x <- matrix(c(-30, 0.3, 200))
  p <- stats::plogis(x)
  binary <- loss_binary_crossentropy()
  expect_identical(loss_fuses(binary), "sigmoid")
  expect_equal(c(as.array(loss_values(binary, t, p, logits = x))), c(30, log(1 + exp(0.3)), 0), tolerance = 1e-12)
  expect_equal(as.array(loss_values(binary, t, p))[1], -log(2e-7), tolerance = 1e-6) # clipped, and e added
  expect_identical(loss_fuses(loss_categorical_crossentropy()), "softmax")
  softmax <- exp(logits) / rowSums(exp(logits))
  for (case in list(list(loss_categorical_crossentropy(), one_hot), list(loss_sparse_categorical_crossentropy(),
    labels))) {
    fused <- loss_values(case[[1]], case[[2]], softmax, logits = 100 * logits)
    expected <- apply(100 * logits, 1, log_sum_exp) - 100 * logits[cbind(1:n, labels + 1)]
    expect_equal(c(as.array(fused)), expected, tolerance = 1e-12)
  }
  expect_null(loss_fuses(loss_mean_squared_error()))
  expect_null(loss_fuses(loss_categorical_crossentropy(axis = 1)))
  # others do not look at them
  expect_equal(as.array(loss_values(loss_mean_squared_error(), t, p, logits = x)),
    as.array(loss_values(loss_mean_squared_error(), t, p)))
  # smoothing applies there, too
  expect_equal(as.array(loss_values(loss_binary_crossentropy(label_smoothing = 0.5), 1, matrix(0.5),
    logits = matrix(2))), array(log(1 + exp(2)) - 2 * 0.75))
})

test_that("in a program a loss is the same for other numbers", {
  f <- trace_program(function(t, x) loss_total(loss_binary_crossentropy(), t, op_sigmoid(x), c(1, 2), x), c(0, 0),
    matrix(0, 2, 1))
  x <- matrix(c(-2, 3))
  t <- c(1, 0.25)
  expect_equal(as.double(f(t, x)), sum(c(1, 2) * (pmax(x, 0) - x * t + log(1 + exp(-abs(x))))) / 2)
  # hinge looks at the targets of the moment
  g <- trace_program(function(t, p) loss_hinge()(t, p), one_hot, logits)
  for (t in list(one_hot, 2 * one_hot - 1, any_t)) expect_equal(as.double(g(t, logits)),
    as.double(loss_hinge()(t, logits)))
})

test_that("circle losses: samples without a partner do not count in the mean; in training", {
  x <- rbind(c(1, 0), c(0.6, 0.8), c(0, 1))
  values <- c(as.array(loss_circle(c(0, 0, 1), x, gamma = 2)))
  expect_identical(values[3], 0)
  expect_equal(as.double(loss_circle(gamma = 2)(c(0, 0, 1), x)), mean(values[1:2]))
  expect_refusal(loss_circle(ref_labels = 1), "value", "`ref_embeddings`")
  expect_refusal(loss_circle(ref_labels = 1, ref_embeddings = x), "shape", "3 rows")
  set.seed(1)
  x <- matrix(rnorm(120), 40)
  y <- as.numeric(x[, 1] > 0)
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(4) |> layer_unit_normalization()
  model |> compile(optimizer_adam(0.02), loss_circle(gamma = 10))
  losses <- fit(model, x, y + 5, epochs = 15, batch_size = 20, verbose = 0)$metrics$loss
  expect_lt(losses[15], 0.7 * losses[1])
  noisy <- keras_model_sequential(input_shape = 3) |> layer_dense(2, activation = "softmax")
  noisy |> compile(optimizer_adam(0.05), loss_categorical_generalized_cross_entropy(), metrics = "accuracy")
  expect_gt(utils::tail(fit(noisy, x, y, epochs = 30, verbose = 0)$metrics$accuracy, 1), 0.9)
  expect_refusal(fit(noisy, x, y + 1, epochs = 1, verbose = 0), "index", "label 2")
})

test_that("CTC trains a network to read a sequence", {
  set.seed(2)
  x <- array(0, c(30, 6, 3))
  y <- matrix(0, 30, 2)
  for (i in 1:30) {
    y[i, ] <- sample(1:2)
    x[i, 2, y[i, 1]] <- 1
    x[i, 4 + i %% 2, y[i, 2]] <- 1
  }
  model <- keras_model_sequential(input_shape = c(6, 3)) |> layer_dense(3)
  model |> compile(optimizer_adam(0.1), loss_ctc())
  losses <- fit(model, x, y, epochs = 30, batch_size = 10, verbose = 0)$metrics$loss
  expect_lt(losses[30], 0.2)
  expect_identical(as.array(op_ctc_decode(model(x), rep(6, 30))[[1]])[1, , 1:2] + 0, y)
})

test_that("a label beyond the classes is no loss of its own", {
  p <- matrix(c(0.2, 0.5, 0.3, 0.1, 0.1, 0.8), 2, byrow = TRUE)
  for (label in c(3, -1)) expect_refusal(as.array(loss_categorical_generalized_cross_entropy(c(1, label), p)), "index",
    "outside the classes")
})

test_that("errors of axes count as the user may have", {
  p <- matrix(1:4 / 10, 2)
  expect_error(tf$keras$losses$CosineSimilarity(axis = 2L)(p, p),
    "must lie in 1 .. 2 (0 .. 1 in `tf$keras`) or count from the end with -1 .. -2, not be 3 (2 in `tf$keras`)",
    fixed = TRUE)
})

test_that("samples of an ignored class have no loss, and the mean is over the others", {
  set.seed(1)
  p <- matrix(runif(24), 8)
  p <- p / rowSums(p)
  labels <- c(0, 255, 2, 1, 255, 1, 0, 255)
  kept <- labels != 255
  of_kept <- -log(p[cbind(seq_len(8), labels + 1)[kept, ]])
  values <- loss_sparse_categorical_crossentropy(labels, p, ignore_class = 255)
  expect_equal(as.array(values), array(replace(numeric(8), kept, of_kept)), tolerance = 1e-6)
  loss <- loss_sparse_categorical_crossentropy(ignore_class = 255)
  for (y in list(labels, matrix(labels))) expect_equal(as.array(loss(y, p)), mean(of_kept), tolerance = 1e-6)
  expect_equal(as.array(loss(labels, p, 1:8)), sum(of_kept * (1:8)[kept]) / sum(kept), tolerance = 1e-6)
  expect_equal(as.array(loss(rep(255, 8), p)), 0)
  expect_equal(as.array(loss_sparse_categorical_crossentropy(ignore_class = 0)(ifelse(kept, labels, 0), p)),
    mean(of_kept[labels[kept] != 0]), tolerance = 1e-6)
  metric <- metric_sparse_categorical_crossentropy(ignore_class = 255)
  metric$update_state(labels, p)
  expect_equal(as.double(metric$result()), mean(of_kept), tolerance = 1e-6)
  for (odd in list(0.5, "a", c(1, 2))) expect_refusal(loss_sparse_categorical_crossentropy(ignore_class = odd), "value",
    "`loss_sparse_categorical_crossentropy()`", "`ignore_class` must be")
})

test_that("an ignored class has no part in training, with masks and over shards, either", {
  set.seed(2)
  x <- array(rnorm(10 * 3 * 4), c(10, 3, 4))
  x[, 3, ] <- 0 # masked
  labels <- matrix(sample(c(0:2, -1), 30, TRUE), 10)
  train <- function(loss, y, sample_weight = NULL, strategy = NULL) {
    set.seed(3)
    model <- keras_model_sequential(input_shape = c(3, 4)) |> layer_masking() |>
      layer_dense(3, activation = "softmax")
    model |> compile(optimizer_sgd(0.5), loss, metrics = metric_sparse_categorical_crossentropy(ignore_class = -1))
    history <- model |> fit(x, y, epochs = 3, batch_size = 10, verbose = 0, strategy = strategy)
    list(get_weights(model), unname(unlist(history$metrics)))
  }
  mine <- function(t, p) { # the mean over what counts, by hand
    counts <- op_cast(op_not_equal(t, -1), "float32") * op_cast(array(rep(c(TRUE, TRUE, FALSE), each = 10), c(10, 3)),
      "float32")
    right <- op_sum(tf$one_hot(op_cast(t, "int32"), 3L) * op_log(p), -1)
    op_negative(op_sum(right * counts) / op_sum(counts))
  }
  found <- train(loss_sparse_categorical_crossentropy(ignore_class = -1), labels)
  wanted <- train(mine, labels)
  expect_equal(found[[1]], wanted[[1]], tolerance = 1e-5)
  expect_equal(found[[2]][1:3], wanted[[2]][1:3], tolerance = 1e-5)
  shards <- train(loss_sparse_categorical_crossentropy(ignore_class = -1), labels, strategy = strategy_local(4))
  expect_equal(shards, found, tolerance = 1e-5)
  expect_error(train(loss_sparse_categorical_crossentropy(ignore_class = -1), labels - 1), "holds the label -2")
})

test_that("no reduction may be NULL, as in keras3", {
  expect_identical(loss_huber(reduction = NULL), loss_huber(reduction = "none"))
  expect_identical(dim(loss_mean_squared_error(reduction = NULL)(diag(3), diag(3))), 3L)
})
