# Metrics of classification against plain R, at their edges, and in Keras' published examples.

t <- as.numeric(some_true(200, k = 3))
p <- round(c(some(200, 0, 1, k = 2)), 2)
w <- c(some(200, 0, 2, k = 5))
scores <- some(c(30, 7), 0, 1)
labels <- (seq_len(30) * 5) %% 7
hot <- diag(7)[labels + 1, ]

test_that("accuracies of classes", {
  best <- max.col(scores, "first") - 1
  expect_identical(c(as.array(metric_sparse_categorical_accuracy(labels, scores))), as.numeric(best == labels))
  expect_identical(c(as.array(metric_categorical_accuracy(hot, scores))), as.numeric(best == labels))
  expect_identical(metric_sparse_categorical_accuracy()(matrix(labels), scores), mean(best == labels))
  rank <- rowSums(scores > scores[cbind(1:30, labels + 1)]) # how many are larger
  for (k in c(1, 3, 5, 7)) {
    expect_identical(c(as.array(metric_sparse_top_k_categorical_accuracy(labels, scores, k = k))), as.numeric(rank < k))
    expect_identical(c(as.array(metric_top_k_categorical_accuracy(hot, scores, k = k))), as.numeric(rank < k))
  }
  expect_identical(metric_top_k_categorical_accuracy()(hot, scores), mean(rank < 5))
  # the first of equals wins
  expect_identical(c(as.array(metric_sparse_categorical_accuracy(c(0, 1), matrix(0.5, 2, 2)))), c(1, 0))
  expect_identical(c(as.array(metric_sparse_top_k_categorical_accuracy(c(0, 0), rbind(c(NaN, 1), c(Inf, 1)), k = 1))),
    c(0, 0))
  # steps in time
  words <- array(some(c(2, 5, 4)), c(2, 5, 4))
  at <- apply(words, 1:2, which.max) - 1
  expect_identical(as.array(metric_sparse_categorical_accuracy(at, words)), matrix(1, 2, 5))
  expect_identical(metric_sparse_categorical_accuracy()(at, words, c(1, 0)), 1)
})

test_that("binary accuracy: above the threshold is 1, exactly 0.5 is 0", {
  m <- metric_binary_accuracy()
  expect_identical(m(c(0, 1, 0, 1), matrix(c(0.5, 0.5, 0.4, 0.6))), 0.75)
  expect_equal(metric_binary_accuracy()(t, matrix(p), w), sum(w * (t == (p > 0.5))) / sum(w))
  two <- cbind(p, rev(p))
  expect_equal(c(as.array(metric_binary_accuracy(cbind(t, t), two, threshold = 0.3))),
    rowMeans(cbind(t, t) == (two > 0.3)))
  expect_equal(as.double(metric_statistics(metric_binary_accuracy(), tensor(t, "float32"),
    tensor(matrix(p), "float32"))), c(sum(t == (p > 0.5)), 200))
  expect_identical(metric_accuracy()(c(1, 2, 3, 4), c(0, 2, 3, 4)), 0.75)
  expect_identical(metric_accuracy()(c(1, 2, 3, 4), c(0, 2, 3, 4), c(1, 1, 0, 0)), 0.5)
})

counts_at <- function(threshold, t, p, w = rep(1, length(t))) {
  above <- p > threshold
  c(tp = sum(w[above & t == 1]), fp = sum(w[above & t == 0]), fn = sum(w[!above & t == 1]),
    tn = sum(w[!above & t == 0]))
}

test_that("counts, precision and recall at thresholds", {
  at <- c(0.25, 0.5, 0.9)
  expected <- sapply(at, counts_at, t, p)
  expect_equal(metric_true_positives(t, p, thresholds = at), expected["tp", ])
  expect_equal(metric_false_positives(t, p, thresholds = at), expected["fp", ])
  expect_equal(metric_true_negatives(t, p, thresholds = at), expected["tn", ])
  expect_equal(metric_false_negatives(t, p, thresholds = at), expected["fn", ])
  expect_equal(metric_precision(t, p, thresholds = at), expected["tp", ] / (expected["tp", ] + expected["fp", ]))
  expect_equal(metric_recall(t, p, thresholds = at), expected["tp", ] / (expected["tp", ] + expected["fn", ]))
  weighted <- counts_at(0.5, t, p, w)
  expect_equal(metric_precision()(t, p, w), weighted[["tp"]] / (weighted[["tp"]] + weighted[["fp"]]))
  expect_equal(metric_true_negatives()(t, matrix(p), w), weighted[["tn"]])
  # one class, counted from 0; weights of samples count for all of their numbers
  expect_equal(metric_recall(hot, scores, class_id = 2, thresholds = 0.3), mean(scores[labels == 2, 3] > 0.3))
  sample_weight <- c(some(30, 0, 1))
  expect_equal(metric_true_positives()(hot, scores, sample_weight), sum(sample_weight * (scores > 0.5 & hot == 1)))
  # nothing yet
  expect_identical(metric_precision()$result(), 0)
  expect_identical(metric_recall(thresholds = at)$result(), c(0, 0, 0))
})

# The same area by hand.
area <- function(t, p, curve, method, n = 200, w = rep(1, length(t))) {
  inner <- if (n > 2) (1:(n - 2)) / (n - 1)
  counts <- as.data.frame(t(sapply(c(-1e-7, inner, 1 + 1e-7), counts_at, t, p, w)))
  over <- function(a, b) ifelse(b > 0, a / b, 0)
  sum <- 0
  for (i in seq_len(n - 1)) {
    a <- counts[i, ]
    b <- counts[i + 1, ]
    if (curve == "PR" && method == "interpolation") {
      positive <- c(a$tp + a$fp, b$tp + b$fp)
      slope <- over(a$tp - b$tp, positive[1] - positive[2])
      # the integral of (b.tp + slope (x - b.positive)) / x over x, in units of recall
      constant <- b$tp - slope * positive[2]
      log_ratio <- if (all(positive > 0)) log(positive[1] / positive[2]) else 0
      sum <- sum + over(slope * (a$tp - b$tp + constant * log_ratio), b$tp + b$fn)
    } else {
      recall <- c(over(a$tp, a$tp + a$fn), over(b$tp, b$tp + b$fn))
      x <- if (curve == "ROC") c(over(a$fp, a$fp + a$tn), over(b$fp, b$fp + b$tn)) else recall
      y <- if (curve == "ROC") recall else c(over(a$tp, a$tp + a$fp), over(b$tp, b$tp + b$fp))
      sum <- sum + (x[1] - x[2]) * switch(method, interpolation = mean(y), minoring = min(y), majoring = max(y))
    }
  }
  sum
}

test_that("AUC is the area from the counts, for each curve and method, in batches and with weights", {
  for (curve in c("ROC", "PR")) {
    for (method in c("interpolation", "minoring", "majoring")) {
      for (n in c(2, 3, 200)) {
        m <- metric_auc(num_thresholds = n, curve = curve, summation_method = method)
        m$update_state(t[1:120], matrix(p[1:120]))
        m$update_state(t[121:200], p[121:200])
        expect_equal(m$result(), area(t, p, curve, method, n), tolerance = 1e-9, info = paste(curve, method, n))
        m$reset_state()
        expect_equal(m(t, p, w), area(t, p, curve, method, n, w), tolerance = 1e-9, info = paste(curve, method, n))
      }
    }
  }
  sums <- metric_statistics(metric_auc(), tensor(t, "float32"), tensor(p, "float32"))
  expect_identical(list(dim(sums), tensor_dtype(sums)), list(800L, "float32"))
  # many thresholds: the share of pairs in the right order (Mann and Whitney), ties counting half
  exact <- mean(outer(p[t == 1], p[t == 0], function(a, b) (a > b) + (a == b) / 2))
  expect_equal(metric_auc(t, p, thresholds = (1:199 - 0.5) / 200), exact, tolerance = 1e-9)
  inner <- 0.001 + 0.998 * p
  expect_equal(metric_auc(t, stats::qlogis(inner), from_logits = TRUE), metric_auc(t, inner))
})

test_that("Keras' published examples", {
  auc <- metric_auc(num_thresholds = 3)
  expect_equal(auc(c(0, 0, 1, 1), c(0, 0.5, 0.3, 0.9)), 0.75)
  auc$reset_state()
  expect_equal(auc(c(0, 0, 1, 1), c(0, 0.5, 0.3, 0.9), c(1, 0, 0, 1)), 1)
  true <- c(0, 1, 1, 1)
  pred <- c(1, 0, 1, 1)
  expect_equal(metric_precision()(true, pred), 2 / 3)
  expect_equal(metric_precision()(true, pred, c(0, 0, 1, 0)), 1)
  expect_equal(metric_recall()(true, pred), 2 / 3)
  expect_equal(metric_true_positives()(true, pred), 2)
  expect_equal(metric_true_positives()(true, pred, c(0, 0, 1, 0)), 1)
  expect_equal(metric_false_positives()(c(0, 1, 0, 0), c(0, 0, 1, 1)), 2)
  expect_equal(metric_false_negatives()(c(0, 1, 1, 1), c(0, 1, 0, 0)), 2)
  expect_equal(metric_true_negatives()(c(0, 1, 0, 0), c(1, 1, 0, 0)), 2)
  expect_equal(metric_binary_accuracy()(matrix(c(1, 1, 0, 0)), matrix(c(0.98, 1, 0, 0.6))), 0.75)
  three <- rbind(c(0.1, 0.9, 0.8), c(0.05, 0.95, 0))
  expect_equal(metric_categorical_accuracy()(rbind(c(0, 0, 1), c(0, 1, 0)), three), 0.5)
  expect_equal(metric_categorical_accuracy()(rbind(c(0, 0, 1), c(0, 1, 0)), three, c(0.7, 0.3)), 0.3)
  expect_equal(metric_sparse_categorical_accuracy()(c(2, 1), rbind(c(0.1, 0.6, 0.3), c(0.05, 0.95, 0))), 0.5)
  expect_equal(metric_sparse_top_k_categorical_accuracy(k = 1)(c(2, 1), three), 0.5)
})

test_that("sums of a traced function are those of the batch that it gets", {
  for (m in list(metric_auc(num_thresholds = 5), metric_binary_accuracy(), metric_precision(),
    metric_root_mean_squared_error())) {
    f <- trace_program(function(t, p) metric_statistics(m, t, p), t, matrix(0, 200, 1))
    expect_equal(as.array(f(t, matrix(p))), as.array(metric_statistics(m, t, matrix(p))), info = part_name(m))
  }
})

test_that("arguments are checked", {
  expect_refusal(metric_auc(num_thresholds = 1), "value", "`metric_auc()`", "`num_thresholds`")
  expect_refusal(metric_auc(curve = "roc"), "value", "\"PR\"")
  expect_refusal(metric_precision(thresholds = 2), "value", "`metric_precision()`", "`thresholds`")
  expect_refusal(metric_true_positives(thresholds = NA), "value", "`metric_true_positives()`", "`thresholds`")
  expect_refusal(metric_recall(class_id = -1), "value", "`metric_recall()`", "`class_id`")
  expect_refusal(metric_top_k_categorical_accuracy(k = 0), "value", "`metric_top_k_categorical_accuracy()`", "`k`")
  expect_refusal(metric_sparse_categorical_accuracy()(hot, scores), "shape", "`metric_sparse_categorical_accuracy()`",
    "(30, 7)")
  expect_refusal(metric_auc()(1:3, scores), "shape", "`metric_auc()`", "(3)", "(30, 7)")
})
