# Values of Keras' pages, or worked out in plain R.

t3 <- rbind(c(1, 1, 1), c(1, 0, 0), c(1, 1, 0))
p3 <- rbind(c(0.2, 0.6, 0.7), c(0.2, 0.6, 0.6), c(0.6, 0.8, 0))

#' In two batches by an object, with weights; a fresh one each time.
in_batches <- function(m, t, p, w = NULL, cut = 1) {
  rows <- function(x, i) if (is.null(x)) NULL else if (is.matrix(x)) x[i, , drop = FALSE] else x[i]
  n <- if (is.matrix(t)) nrow(t) else length(t)
  m$reset_state()
  for (i in list(seq_len(cut), (cut + 1):n)) m$update_state(rows(t, i), rows(p, i), sample_weight = rows(w, i))
  m$result()
}

test_that("F scores: Keras' examples, averages, batches and weights", {
  near <- function(x, y) expect_equal(x, y, tolerance = 1e-6)
  near(metric_f1_score(t3, p3, threshold = 0.5), c(0.5, 0.8, 0.6666667))
  near(metric_fbeta_score(t3, p3, beta = 2, threshold = 0.5), c(0.3846154, 0.90909094, 0.8333332))
  near(metric_f1_score(t3, p3, average = "macro", threshold = 0.5), mean(c(0.5, 0.8, 2 / 3)))
  near(metric_f1_score(t3, p3, average = "weighted", threshold = 0.5), sum(c(0.5, 0.8, 2 / 3) * c(3, 2, 1)) / 6)
  near(metric_f1_score(t3, p3, average = "micro", threshold = 0.5), 2 * 4 / (2 * 4 + 2 + 2))
  hot <- diag(3)[c(1, 3, 2, 2), ]
  guess <- rbind(c(0.9, 0.1, 0), c(0.2, 0.7, 0.1), c(0.1, 0.8, 0.1), c(0.6, 0.3, 0.1))
  near(metric_f1_score(hot, guess), c(2 / 3, 0.5, 0))
  near(in_batches(metric_f1_score(threshold = 0.5), t3, p3), c(0.5, 0.8, 0.6666667))
  w <- c(2, 1, 0.5)
  near(in_batches(metric_f1_score(threshold = 0.5), t3, p3, w)[1], 2 * 0.5 / (2 * 0.5 + 3))
  expect_error(metric_f1_score(average = "mean"), "`average`")
  expect_error(metric_fbeta_score(beta = 0), "`beta`")
})

test_that("intersection over union: Keras' examples", {
  near <- function(x, y) expect_equal(x, y, tolerance = 1e-6)
  w <- c(0.3, 0.3, 0.3, 0.1)
  near(metric_iou(c(0, 0, 1, 1), c(0, 1, 0, 1), num_classes = 2, target_class_ids = 0), 1 / 3)
  near(in_batches(metric_iou(num_classes = 2, target_class_ids = 0), c(0, 0, 1, 1), c(0, 1, 0, 1), w), 1 / 3)
  near(metric_mean_iou(c(0, 0, 1, 1), c(0, 1, 0, 1), num_classes = 2), 1 / 3)
  near(in_batches(metric_mean_iou(num_classes = 2), c(0, 0, 1, 1), c(0, 1, 0, 1), w), 0.23809524)
  near(metric_binary_iou(c(0, 1, 0, 1), c(0.1, 0.2, 0.4, 0.7), threshold = 0.3), 1 / 3)
  near(in_batches(metric_binary_iou(threshold = 0.3), c(0, 1, 0, 1), c(0.1, 0.2, 0.4, 0.7), c(0.2, 0.3, 0.4, 0.1)),
    0.17361112)
  hot <- rbind(c(0, 0, 1), c(1, 0, 0), c(0, 1, 0), c(1, 0, 0))
  guess <- rbind(c(0.2, 0.3, 0.5), c(0.1, 0.2, 0.7), c(0.5, 0.3, 0.1), c(0.1, 0.4, 0.5))
  w <- c(0.1, 0.2, 0.3, 0.4)
  near(in_batches(metric_one_hot_iou(num_classes = 3, target_class_ids = c(0, 2)), hot, guess, w), 0.07142857)
  near(in_batches(metric_one_hot_mean_iou(num_classes = 3), hot, guess, w), 0.04761905)
  near(metric_mean_iou(c(0, 0, 1, 255), c(0, 1, 1, 1), num_classes = 2, ignore_class = 255), (1 / 2 + 1 / 2) / 2)
  near(metric_mean_iou(matrix(c(0, 1, 1, 0), 2), matrix(c(0, 1, 0, 0), 2), num_classes = 2), (2 / 3 + 1 / 2) / 2)
  expect_error(metric_iou(num_classes = 2, target_class_ids = 2), "`target_class_ids`")
  expect_error(metric_mean_iou(c(0, 2), c(0, 1), num_classes = 2), class = "nativenet_error_index")
})

test_that("rates at other rates: Keras' examples", {
  near <- function(x, y) expect_equal(x, y, tolerance = 1e-6)
  t <- c(0, 0, 0, 1, 1)
  p <- c(0, 0.3, 0.8, 0.3, 0.8)
  near(metric_sensitivity_at_specificity(t, p, 0.5), 0.5)
  near(in_batches(metric_sensitivity_at_specificity(specificity = 0.5), t, p, c(1, 1, 2, 2, 1)), 1 / 3)
  near(metric_specificity_at_sensitivity(t, p, 0.5), 2 / 3)
  near(in_batches(metric_specificity_at_sensitivity(sensitivity = 0.5), t, p, c(1, 1, 2, 2, 2)), 0.5)
  near(metric_precision_at_recall(t, p, 0.5), 0.5)
  near(in_batches(metric_precision_at_recall(recall = 0.5), t, p, c(2, 2, 2, 1, 1)), 1 / 3)
  near(metric_recall_at_precision(c(0, 0, 1, 1), c(0, 0.5, 0.3, 0.9), 0.8), 0.5)
  near(in_batches(metric_recall_at_precision(precision = 0.8), c(0, 0, 1, 1), c(0, 0.5, 0.3, 0.9), c(1, 0, 0, 1)), 1)
  near(metric_sensitivity_at_specificity(t, p, 0.5, num_thresholds = 1), 0.5)
  expect_identical(metric_recall_at_precision(c(0, 0), c(0.5, 0.9), 0.8), 0)
  expect_error(metric_precision_at_recall(recall = 2), "`recall`")
})

test_that("R squared, sums, areas of labels, and the largest k", {
  near <- function(x, y) expect_equal(x, y, tolerance = 1e-6)
  near(metric_r2_score(matrix(c(1, 4, 3)), matrix(c(2, 4, 4))), 0.57142854)
  set.seed(1)
  t <- matrix(rnorm(20), 10)
  p <- t + matrix(rnorm(20, sd = 0.5), 10)
  w <- runif(10)
  each <- sapply(1:2, function(j) 1 - sum((t[, j] - p[, j])^2) / sum((t[, j] - mean(t[, j]))^2))
  near(metric_r2_score(t, p, class_aggregation = NULL), each)
  near(in_batches(metric_r2_score(), t, p, cut = 3), mean(each))
  spread <- apply(t, 2, function(x) sum((x - mean(x))^2))
  near(metric_r2_score(t, p, "variance_weighted_average"), sum(each * spread) / sum(spread))
  near(metric_r2_score(t, p, num_regressors = 2), 1 - (1 - mean(each)) * 9 / 7)
  weighted <- sapply(1:2, function(j) 1 - sum(w * (t[, j] - p[, j])^2) / sum(w * (t[, j] - stats::weighted.mean(t[, j],
    w))^2))
  near(in_batches(metric_r2_score(class_aggregation = NULL), t, p, w, cut = 4), weighted)
  m <- metric_sum()
  m$update_state(c(1, 2, 3))
  m$update_state(c(1, 2), sample_weight = c(1, 0.5))
  expect_identical(m$result(), 8)
  expect_identical(metric_sum(1:3), 6)
  expect_identical(metric_sum()$result(), 0)
  labels <- (t > 0) + 0
  scores <- plogis(p)
  apart <- sapply(1:2, function(j) metric_auc(labels[, j], scores[, j]))
  near(metric_auc(labels, scores, multi_label = TRUE), mean(apart))
  near(in_batches(metric_auc(multi_label = TRUE, num_labels = 2, label_weights = c(1, 3)), labels, scores),
    sum(apart * c(1, 3)) / 4)
  expect_error(metric_auc(labels, scores, multi_label = TRUE, num_labels = 3), "`num_labels`")
  expect_error(metric_auc(labels, scores, multi_label = TRUE, label_weights = 1), "`label_weights`")
  # of each row the two largest count
  near(metric_precision(t3, p3, top_k = 2), 4 / 6)
  near(metric_recall(t3, p3, top_k = 1), 2 / 6)
  near(metric_recall(t3, p3, thresholds = 0.65, top_k = 1), 2 / 6)
  near(metric_precision(t3, p3, top_k = 2, class_id = 2), 1 / 2)
})

test_that("within fit() and evaluate() they are those of all rows, and files keep them", {
  set.seed(2)
  x <- matrix(rnorm(60), 20)
  y <- diag(3)[max.col(x), ]
  metrics <- list(metric_f1_score(average = "macro"), metric_one_hot_mean_iou(num_classes = 3), metric_r2_score(),
    metric_auc(multi_label = TRUE), metric_recall_at_precision(precision = 0.4), metric_precision(top_k = 1),
    metric_categorical_focal_crossentropy())
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(3, activation = "softmax")
  model |> compile("adam", "categorical_crossentropy", metrics = metrics)
  fit(model, x, y, epochs = 2, batch_size = 8, verbose = 0)
  found <- evaluate(model, x, y, batch_size = 8, verbose = 0)
  p <- predict(model, x, verbose = 0)
  alone <- list(metric_f1_score(y, p, average = "macro"), metric_one_hot_mean_iou(y, p, 3), metric_r2_score(y, p),
    metric_auc(y, p, multi_label = TRUE), metric_recall_at_precision(y, p, 0.4), metric_precision(y, p, top_k = 1),
    mean(as.array(metric_categorical_focal_crossentropy(y, p))))
  expect_equal(unname(unlist(found))[-1], unlist(alone), tolerance = 1e-5)
  file <- tempfile()
  save_model(model, file)
  expect_equal(evaluate(load_model(file), x, y, batch_size = 8, verbose = 0), found)
})
