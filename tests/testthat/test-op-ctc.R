# CTC against the sum over all paths, spelled out, and against numbers of another library.

collapse <- function(path, blank) {
  labels <- path[c(TRUE, diff(path) != 0)]
  labels[labels != blank]
}
log_shares <- function(x) x - log(rowSums(exp(x)))
# all paths of classes 0 .. k - 1
all_paths <- function(x, blank) {
  p <- log_shares(x)
  paths <- as.matrix(expand.grid(rep(list(seq_len(ncol(x)) - 1), nrow(x))))
  chance <- apply(paths, 1, function(path) exp(sum(p[cbind(seq_along(path), path + 1)])))
  tapply(chance, apply(paths, 1, function(path) paste(collapse(path, blank), collapse = " ")), sum)
}
# of the call in the second test
ctc_torch <- c(3.8546078102404535, 5.266767780859516)
ctc_torch_gradient <- rbind(
  c(-0.058882314360578954, -0.19344626086204067, 0.17928510218136684, 0.07304347304125278),
  c(-0.15368330191636012, -0.5071353220104342, 0.19372873980414293, 0.4670898841226515))
set.seed(3)
logits <- array(rnorm(3 * 5 * 4), c(3, 5, 4))
target <- rbind(c(1, 2, 2), c(3, 0, 0), c(2, 1, 0))
lengths <- c(3, 1, 2)

test_that("the loss is that of all paths, for other lengths and blanks, with gradients", {
  for (steps in list(c(5, 5, 5), c(5, 3, 4))) {
    expected <- vapply(1:3, function(i) -log(all_paths(matrix(logits[i, seq_len(steps[i]), ], steps[i]), 0)[[paste(
      target[i, seq_len(lengths[i])], collapse = " ")]]), 0)
    expect_equal(c(as.array(op_ctc_loss(target, logits, lengths, steps))), expected, tolerance = 1e-10)
  }
  labels <- rbind(c(1, 0), c(2, 2))
  expected <- vapply(1:2, function(i) -log(all_paths(logits[i, , ], 3)[[paste(labels[i, ], collapse = " ")]]), 0)
  expect_equal(c(as.array(op_ctc_loss(labels, logits[1:2, , ], c(2, 2), c(5, 5), mask_index = 4))), expected,
    tolerance = 1e-10)
  expect_true(check_gradient(function(x) op_ctc_loss(target, x, lengths, c(5, 3, 4)), logits)$ok)
  expect_identical(c(as.array(op_ctc_loss(rbind(c(1, 1)), logits[1, 1:2, , drop = FALSE] |> array(c(1, 2, 4)), 2, 2))),
    Inf)
  # no label at all: blanks only
  expect_equal(c(as.array(op_ctc_loss(rbind(c(0, 0)), logits[1, , ] |> array(c(1, 5, 4)), 0, 5))),
    -sum(log_shares(logits[1, , ])[, 1]), tolerance = 1e-10)
  expect_equal(c(as.array(loss_ctc(target, logits))), c(as.array(op_ctc_loss(target, logits, lengths, c(5, 5, 5)))))
  shares <- exp(log_shares(matrix(logits, 15)))
  dim(shares) <- dim(logits)
  cost <- k_ctc_batch_cost(labels, shares[1:2, , ], cbind(c(5, 5)), cbind(c(2, 2)))
  expect_identical(dim(cost), c(2L, 1L))
  expect_equal(c(as.array(cost)), expected, tolerance = 1e-5)
  f <- autograph(function(x) op_ctc_loss(target, x, lengths, c(5, 3, 4)))
  expect_equal(as.array(f(tensor(logits))), as.array(op_ctc_loss(target, logits, lengths, c(5, 3, 4))))
})

test_that("published numbers: torch.nn.functional.ctc_loss", {
  x <- aperm(array(sin(1:40), c(4, 5, 2)), c(3, 2, 1))
  y <- op_ctc_loss(rbind(c(1, 2), c(3, 3)), x, c(2, 2), c(5, 4))
  expect_equal(c(as.array(y)), ctc_torch, tolerance = 1e-6)
  with(gradient_tape() %as% tape, {
    t <- tensor(x)
    tape$watch(t)
    z <- op_sum(op_ctc_loss(rbind(c(1, 2), c(3, 3)), t, c(2, 2), c(5, 4)))
  })
  expect_equal(as.array(tape$gradient(z, t))[1, 1:2, ], ctc_torch_gradient, tolerance = 1e-5)
})

test_that("the best labels are found; beams have the probabilities of all paths", {
  best <- op_ctc_decode(logits, c(5, 5, 3))
  for (i in 1:3) {
    own <- logits[i, seq_len(c(5, 5, 3)[i]), ]
    path <- max.col(own) - 1
    expect_identical(c(as.array(best[[1]])[1, i, ]), as.integer(c(collapse(path, 0), rep(-1, 5))[1:5]))
    expect_equal(as.array(best[[2]])[i, 1], -sum(apply(own, 1, max)))
  }
  beams <- op_ctc_decode(logits, c(5, 5, 5), "beam_search", beam_width = 500, top_paths = 3)
  for (i in 1:3) {
    exact <- sort(all_paths(logits[i, , ], 0), decreasing = TRUE)[1:3]
    expect_equal(as.array(beams[[2]])[i, ], unname(log(exact)), tolerance = 1e-9, ignore_attr = TRUE)
    found <- apply(as.array(beams[[1]])[, i, ], 1, function(l) paste(l[l >= 0], collapse = " "))
    expect_identical(found, names(exact))
  }
  shares <- exp(logits) / c(apply(exp(logits), 1:2, sum))
  old <- k_ctc_decode(shares, c(5, 5, 5))
  expect_identical(as.array(old[[1]][[1]])[1, ], as.integer(c(collapse(max.col(logits[1, , ]) - 1, 3), rep(-1,
    5))[1:5]))
  expect_length(k_ctc_decode(shares, c(5, 5, 5), greedy = FALSE, top_paths = 2)[[1]], 2)
})

test_that("what does not fit is refused", {
  expect_error(op_ctc_loss(c(1, 2), logits, lengths, lengths), "`target`", class = "nativenet_error_shape")
  expect_error(op_ctc_loss(target, matrix(1, 2, 2), lengths, lengths), "`output`", class = "nativenet_error_shape")
  expect_error(op_ctc_loss(target, logits, lengths, lengths, mask_index = 5), "`mask_index`")
  expect_error(op_ctc_decode(logits, c(5, 5)), "3 samples", class = "nativenet_error_shape")
  expect_error(op_ctc_decode(logits, c(5, 5, 6)), "at most 5")
  expect_error(k_ctc_batch_cost(target, matrix(1, 2, 2), 1, 1), "`y_pred`", class = "nativenet_error_shape")
  expect_error(k_ctc_decode(matrix(1, 2, 2), 1), "`y_pred`", class = "nativenet_error_shape")
})

test_that("lengths beyond the axes are refused, as is one target too few", {
  x <- array(0.1, c(2, 6, 4))
  refused <- function(target, labels, steps, class, text) expect_refusal(op_ctc_loss(target, x, labels, steps), class,
    "`op_ctc_loss()`", text)
  two <- rbind(c(1, 2), c(3, 1))
  refused(two, c(2, 2), c(7, 6), "value", "steps must be from 1 to 6, not 7")
  refused(two, c(2, 2), c(0, 6), "value", "steps must be from 1 to 6, not 0")
  refused(two, c(5, 2), c(6, 6), "value", "labels must be from 0 to 2, not 5")
  refused(two, 2, c(6, 6), "shape", "labels must be one for each of 2 samples, not 1")
  refused(two[1, , drop = FALSE], 2, c(6, 6), "shape", "one for each of 2 samples")
})
