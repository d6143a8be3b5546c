# Metrics that are means; objects; what is chosen by shapes. Those of classification: test-metric-classification.R.

t4 <- some(c(4, 3), 0.05, 0.95)
p4 <- some(c(4, 3), 0.05, 0.95, k = 2)
hot <- diag(3)[c(2, 1, 3, 2), ]
labels <- c(1, 0, 2, 1)

test_that("each metric of a loss is the mean of its values, over batches and with weights", {
  expect_setequal(c(names(loss_metrics), names(accuracy_formulas), names(confusion_results), names(sum_metrics), "mean",
    "of_loss"), part_names$metric)
  for (name in names(loss_metrics)) {
    m <- part_constructor("metric", name)()
    t <- if (startsWith(name, "sparse")) labels else if (startsWith(name, "categorical")) hot else t4
    rows <- function(t, i) if (is.matrix(t)) t[i, , drop = FALSE] else t[i]
    loss <- part_constructor("loss", loss_metrics[[name]])
    values <- c(as.array(loss(t, p4))) * if (name == "cosine_similarity") -1 else 1
    root <- if (name == "root_mean_squared_error") sqrt else identity
    m$update_state(rows(t, 1:3), p4[1:3, ])
    m$update_state(rows(t, 4), p4[4, , drop = FALSE])
    expect_equal(m$result(), root(mean(values)), tolerance = 1e-9, info = name)
    m$reset_state()
    expect_identical(m$result(), 0)
    w <- c(1, 0.5, 0, 3)
    expect_equal(m(t, p4, w), root(sum(w * values) / sum(w)), tolerance = 1e-9, info = name)
    direct <- part_constructor("metric", name)(t, p4)
    expect_equal(as.double(direct), if (name == "root_mean_squared_error") root(mean(values)) else values,
      tolerance = 1e-9, info = name)
    single <- metric_statistics(m, tensor(t, "float32"), tensor(p4, "float32"))
    expect_identical(list(tensor_dtype(single), dim(single)), list("float32", 2L))
    expect_equal(metric_result(m, as.double(single)), root(mean(values)), tolerance = 1e-5, info = name)
  }
})

test_that("Keras' published examples", {
  t <- rbind(c(0, 1), c(0, 0))
  q <- rbind(c(1, 1), c(0, 0))
  p <- rbind(c(0.6, 0.4), c(0.4, 0.6))
  expect_identical(metric_mean_squared_error()(t, q), 0.25)
  expect_identical(metric_mean_squared_error()(t, q, c(1, 0)), 0.5)
  expect_identical(metric_root_mean_squared_error()(t, q), 0.5)
  expect_equal(metric_root_mean_squared_error()(t, q, c(1, 0)), 0.70710677, tolerance = 1e-7)
  expect_identical(metric_mean_absolute_error()(t, q), 0.25)
  expect_equal(metric_binary_crossentropy()(t, p), 0.81492424, tolerance = 1e-7)
  expect_equal(metric_binary_crossentropy()(t, p, c(1, 0)), 0.9162905, tolerance = 1e-6)
  expect_equal(metric_cosine_similarity()(rbind(c(0, 1), c(1, 1)), rbind(c(1, 0), c(1, 1))), 0.5)
  expect_equal(metric_kl_divergence()(t, p, c(1, 0)), 0.9162892, tolerance = 1e-6)
  m <- metric_mean()
  m$update_state(c(1, 3, 5, 7))
  expect_identical(m$result(), 4)
  m$reset_state()
  m$update_state(c(1, 3, 5, 7), sample_weight = c(1, 1, 0, 0))
  expect_identical(m$result(), 2)
  expect_identical(metric_mean(c(1, 3, 5, 7)), 4)
})

test_that("objects: members, shared state, double precision", {
  m <- metric_mean(name = "average")
  expect_identical(m$name, "average")
  expect_identical(m$update_state(1), m)
  alias <- m
  alias$update_state(3)
  expect_identical(m$result(), 2)
  m$reset_states()
  expect_identical(alias$result(), 0)
  for (i in 1:3) m$update_state(tensor(rep(2^24, 3), "float32"))
  m$update_state(tensor(1, "float32"))
  expect_identical(m$result() * 10, 9 * 2^24 + 1)
  expect_refusal(m$resul, "member", "a metric has no member `$resul`", "`result`")
  expect_setequal(.DollarNames.nn_metric(m), c("update_state", "result", "reset_state", "reset_states", "name",
    "dtype", "get_config", "variables", "weights"))
  expect_identical(c(m$dtype), "float32")
  expect_refusal(metric_mean_squared_error(foo = 1), "value", "`metric_mean_squared_error()`: unused argument `foo`")
  expect_refusal(metric_mean_squared_error(1), "value", "missing")
  expect_refusal(metric_mean_squared_error()(1:3, p4), "shape", "(3)", "(4, 3)")
})

test_that("\"accuracy\" and \"crossentropy\" are chosen by the shapes, and keep the name that was typed", {
  chosen <- function(x, true, pred) {
    m <- as_metric(x, array(0, true), array(0, pred))
    c(part_name(m), metric_name(m))
  }
  for (x in c("accuracy", "acc", "Accuracy")) {
    expect_identical(chosen(x, 8, c(8, 1)), c("binary_accuracy", x))
    expect_identical(chosen(x, c(8, 1), c(8, 1)), c("binary_accuracy", x))
    expect_identical(chosen(x, c(8, 5), 8), c("binary_accuracy", x))
    expect_identical(chosen(x, 8, c(8, 5)), c("sparse_categorical_accuracy", x))
    expect_identical(chosen(x, c(8, 1), c(8, 5)), c("sparse_categorical_accuracy", x))
    expect_identical(chosen(x, c(8, 5), c(8, 5)), c("categorical_accuracy", x))
    expect_identical(chosen(x, c(8, 6), c(8, 6, 5)), c("sparse_categorical_accuracy", x))
    expect_identical(chosen(x, c(8, 6, 5), c(8, 6, 5)), c("categorical_accuracy", x))
    expect_identical(chosen(x, c(8, 6), c(8, 6, 1)), c("binary_accuracy", x))
  }
  expect_identical(chosen("ce", 8, c(8, 1)), c("binary_crossentropy", "ce"))
  expect_identical(chosen("crossentropy", 8, c(8, 5)), c("sparse_categorical_crossentropy", "crossentropy"))
  expect_identical(chosen("crossentropy", c(8, 5), c(8, 5)), c("categorical_crossentropy", "crossentropy"))
  expect_identical(chosen(metric_accuracy, 8, c(8, 5)), c("sparse_categorical_accuracy", "accuracy"))
  expect_identical(chosen(metric_accuracy(name = "right"), 8, c(8, 1)), c("binary_accuracy", "right"))
})

test_that("other metrics: strings, constructors, losses, functions", {
  get <- function(x, ...) as_metric(x, hot, p4, ...)
  for (x in c("mse", "MSE", "mean_squared_error")) expect_identical(c(part_name(get(x)), metric_name(get(x))),
    c("mean_squared_error", x))
  expect_identical(metric_name(get(metric_auc)), "auc")
  # a class makes an object, which has its own name
  own <- c(AUC = "auc", TopKCategoricalAccuracy = "top_k_categorical_accuracy", BinaryAccuracy = "binary_accuracy")
  for (x in names(own)) expect_identical(metric_entry(x, "", FALSE)$name, own[[x]])
  expect_identical(metric_name(get("Recall")), "recall")
  expect_identical(metric_name(get(metric_auc(name = "area"))), "area")
  expect_identical(metric_name(get(metric_auc(), name = "given")), "given")
  for (x in list("huber", loss_huber, loss_huber(),
    as_part("loss", function(y_true, y_pred) loss_huber(y_true, y_pred)))) {
    m <- get(x)
    expect_equal(m(hot, p4), mean(as.array(loss_huber(hot, p4))))
  }
  expect_identical(metric_name(get("huber")), "huber")
  expect_identical(metric_name(get(loss_huber(name = "h"))), "h")
  largest <- custom_metric("largest", function(y_true, y_pred) k_max(k_abs(y_true - y_pred), axis = -1))
  expect_identical(metric_name(get(largest)), "largest")
  expect_equal(largest(hot, p4), mean(apply(abs(hot - p4), 1, max)))
  expect_equal(as.double(metric_statistics(get(largest), hot, p4)), c(sum(apply(abs(hot - p4), 1, max)), 4))
  # one number for all counts as often as there are samples
  scalar <- custom_metric("scalar", function(y_true, y_pred) k_mean(y_pred))
  expect_equal(as.double(metric_statistics(scalar, hot, p4)), c(4 * mean(p4), 4))
  expect_equal(as.double(metric_statistics(scalar, hot, p4, c(1, 2, 3, 4))), c(10 * mean(p4), 10))
  # truth values are counted
  right <- get(function(y_true, y_pred) k_equal(k_argmax(y_true), k_argmax(y_pred)), name = "right")
  expect_identical(right(hot, hot[c(1, 2, 1, 1), ]), 0.75)
  expect_identical(metric_name(get("mine", custom_objects = list(mine = function(y_true, y_pred) y_pred))), "mine")
  expect_refusal(get("acuracy", fun = "compile"), "value", "`compile()`: `metrics` names no metric: \"acuracy\"",
    "`accuracy`")
  expect_refusal(get(3, fun = "compile"), "value", "`compile()`", "not 3")
})

test_that("metrics of cross-entropies take the inputs of the last activation", {
  m <- metric_binary_crossentropy()
  expect_identical(metric_fuses(m), "sigmoid")
  expect_equal(as.double(metric_statistics(m, 1, matrix(0), logits = matrix(-50))), c(50, 1))
  expect_identical(metric_fuses(as_metric("ce", labels, p4)), "softmax")
  expect_identical(metric_fuses(as_metric(loss_binary_crossentropy(), labels, p4)), "sigmoid")
  expect_null(metric_fuses(metric_auc()))
  expect_null(metric_fuses(metric_mean_squared_error()))
})

test_that("results are numbers with the members of a tensor", {
  m <- metric_mean()
  m$update_state(c(1, 2))
  result <- m$result()
  expect_identical(result$numpy(), 1.5)
  expect_identical(as.array(result$value()), 1.5)
  expect_identical(tensor_dtype(result$value()), "float32")
  expect_identical(result$shape$as_list(), list())
  expect_true(if (result > 1) TRUE)
  expect_identical(sprintf("%.2f", result), "1.50")
  expect_output(print(result * 2), "[1] 3", fixed = TRUE)
  expect_identical(data.frame(value = result)$value, 1.5)
  expect_identical(as.array(tensor(2) * result), 3)
  expect_identical(c(result, 1), c(1.5, 1))
  expect_true(all.equal(result, 1.5))
  expect_true(all.equal(result, m$result()))
  expect_error(result$nothing, "such a number has no member", class = "nativenet_error_member")
  several <- metric_recall(thresholds = c(0.2, 0.5))
  several$update_state(c(0, 1, 1), c(0.3, 0.4, 0.9))
  expect_equal(several$result()$numpy(), c(1, 0.5))
  expect_identical(several$result()$shape$as_list(), 2L)
})
