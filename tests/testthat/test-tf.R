# TensorFlow's names: axes from 0, its dtypes, and what they give.

r <- function(x) c(as.array(x))

test_that("unknown names are errors that suggest near ones; namespaces complete", {
  expect_refusal(tf$matmull, "member", "`tf`", "`$matmull`", "`matmul`")
  expect_refusal(tf$nn$rellu, "member", "`tf$nn`", "`relu`")
  expect_refusal(tf$logg, "member", "`tf`")
  expect_true(all(c("matmul", "Variable", "nn") %in% utils::.DollarNames(tf, "")))
  expect_identical(utils::.DollarNames(tf$nn, "^soft"), c("softmax", "softmax_cross_entropy_with_logits", "softplus",
    "softsign"))
  expect_output(print(tf$linalg), "matmul")
  expect_null(tf$newaxis)
  expect_refusal(tf$x <- 1, "value", "cannot be changed")
})

test_that("dtypes of what R gives", {
  dtype <- function(x) x$dtype$name
  expect_identical(dtype(tf$Variable(matrix(1, 2, 2))), "float64")
  expect_identical(dtype(tf$Variable(1)), "float32")
  expect_identical(dtype(tf$constant(c(1, 2))), "float32")
  expect_identical(dtype(tf$constant(1L)), "int32")
  expect_identical(dtype(tf$constant(TRUE)), "bool")
  expect_identical(dtype(tf$constant(matrix(1, 1, 1), dtype = tf$float32)), "float32")
  expect_identical(dtype(as_tensor(1)), "float64")
  expect_true(tf$constant(1)$dtype == tf$float32)
  expect_identical(dtype(tf$cast(1.7, tf$int32)), "int32")
  expect_identical(as.array(tf$cast(-1.7, "int32")), -1L)
  expect_identical(as.array(tf$cast(2, tf$bool)), TRUE)
  expect_refusal(tf$constant(c(1L, NA)), "value", "position 2")
  mixed <- tryCatch(tf$constant(matrix(1, 2, 2)) + tf$zeros(c(2, 2)), error = identity)
  expect_s3_class(mixed, "nativenet_error_dtype")
  for (part in c("float64", "float32", "(2, 2)", "tf$cast")) expect_match(conditionMessage(mixed), part, fixed = TRUE)
})

test_that("axes are 0-based, and negative ones count from the end", {
  m <- matrix(c(1, 2, 3, 4, 5, 6), 2)
  x <- tf$constant(m)
  expect_identical(r(tf$reduce_sum(x, axis = 0)), colSums(m))
  expect_identical(r(tf$reduce_sum(x, axis = 0L)), colSums(m))
  expect_identical(r(tf$reduce_mean(x, axis = 1)), rowMeans(m))
  expect_identical(dim(tf$reduce_max(x, axis = -1, keepdims = TRUE)), c(2L, 1L))
  expect_identical(as.array(tf$reduce_prod(x)), 720)
  expect_identical(r(tf$argmax(x)), c(1L, 1L, 1L))
  expect_identical(r(tf$argmax(x, axis = 1)), c(2L, 2L))
  expect_identical(dim(tf$concat(list(x, x), axis = 0)), c(4L, 3L))
  expect_identical(dim(tf$stack(list(x, x))), c(2L, 2L, 3L))
  expect_identical(dim(tf$expand_dims(x, 0)), c(1L, 2L, 3L))
  expect_identical(dim(tf$squeeze(tf$expand_dims(x, 1L))), c(2L, 3L))
  expect_identical(as.array(tf$transpose(x)), t(m))
  expect_identical(dim(tf$transpose(tf$zeros(c(2, 3, 4)), perm = c(2, 0, 1))), c(4L, 2L, 3L))
  expect_identical(lapply(tf$split(x, 3, axis = 1), dim), rep(list(c(2L, 1L)), 3))
  expect_identical(lapply(tf$unstack(x), r), list(m[1, ], m[2, ]))
  expect_identical(r(tf$gather(x, c(2, 0), axis = 1)), c(m[, c(3, 1)]))
  expect_identical(as.array(tf$reverse(x, 1)), m[, 3:1])
  expect_identical(r(tf$reshape(x, list(3L, -1L))), c(1, 5, 4, 3, 2, 6)) # row by row
  expect_refusal(tf$reduce_sum(x, axis = 2), "value", "axis")
})

test_that("making tensors", {
  expect_identical(as.array(tf$eye(2, 3)), diag(1, 2, 3))
  expect_identical(r(tf$range(3L)), 0:2)
  expect_identical(tensor_dtype(tf$range(5)), "float32")
  expect_identical(r(tf$range(1, 2, 0.25)), c(1, 1.25, 1.5, 1.75))
  expect_identical(as.array(tf$fill(c(2, 1), 7L)), matrix(7L, 2))
  expect_identical(as.array(tf$one_hot(c(1, 0), 3)), rbind(c(0, 1, 0), c(1, 0, 0)))
  expect_identical(as.array(tf$one_hot(c(1L, -1L, 0L), 2L, 5, -5, 0L)), rbind(c(-5, -5, 5), c(5, -5, -5)))
  expect_identical(as.character(tf$one_hot(1L, 2L, 1L, 0L)$dtype), "int32")
  expect_identical(as.array(tf$one_hot(1L, 3L, dtype = tf$bool)), array(c(FALSE, TRUE, FALSE)))
  expect_identical(dim(tf$zeros(c(1, 5), dtype = tf$float32)), c(1L, 5L))
  expect_identical(as.array(tf$constant(3, shape = c(2, 2))), matrix(3, 2, 2))
  expect_identical(as.array(tf$constant(1:4, shape = c(2, 2))), matrix(1:4, 2, byrow = TRUE))
  expect_identical(r(tf$shape(tf$zeros(c(4, 2)))), c(4L, 2L))
  set.seed(1)
  a <- tf$random$normal(c(2, 2))
  tf$random$set_seed(1)
  expect_identical(as.array(tf$random$normal(c(2, 2))), as.array(a))
  before <- runif(1)
  set.seed(1)
  tf$random$normal(c(2, 2))
  tf$random$uniform(3, seed = 5)
  expect_identical(runif(1), before)
  whole <- r(tf$random$uniform(1000, 2L, 5L, dtype = tf$int32))
  expect_identical(sort(unique(whole)), 2:4)
  expect_identical(sort(r(tf$random$shuffle(1:10))), 1:10)
})

test_that("neural network functions agree with plain R", {
  z <- matrix(c(-2, -0.5, 0, 0.3, 1, 4), 2)
  x <- tf$constant(z)
  expect_equal(as.array(tf$nn$relu(x)), pmax(z, 0))
  expect_equal(as.array(tf$nn$elu(x)), ifelse(z > 0, z, expm1(z)))
  expect_equal(as.array(tf$nn$leaky_relu(x)), ifelse(z > 0, z, 0.2 * z))
  expect_equal(as.array(tf$nn$gelu(x)), z * pnorm(z))
  expect_equal(as.array(tf$nn$gelu(x, approximate = TRUE)), 0.5 * z * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z^3))))
  expect_equal(as.array(tf$nn$silu(x)), z * plogis(z))
  expect_equal(as.array(tf$nn$softmax(x)), exp(z) / rowSums(exp(z)))
  expect_equal(as.array(tf$nn$softmax(x, axis = 0)), t(t(exp(z)) / colSums(exp(z))))
  expect_equal(as.array(tf$nn$log_softmax(x)), log(exp(z) / rowSums(exp(z))))
  expect_equal(as.array(tf$math$log_sigmoid(x)), plogis(z, log.p = TRUE))
  t <- matrix(c(1, 0, 0.5, 1, 0, 0), 2)
  bce <- -(t * plogis(z, log.p = TRUE) + (1 - t) * plogis(-z, log.p = TRUE))
  expect_equal(as.array(tf$nn$sigmoid_cross_entropy_with_logits(labels = t, logits = x)), bce)
  expect_equal(r(tf$nn$softmax_cross_entropy_with_logits(t, x)), -rowSums(t * log(exp(z) / rowSums(exp(z)))))
  expect_equal(r(tf$nn$sparse_softmax_cross_entropy_with_logits(c(2L, 0L), x)),
    -log(exp(z) / rowSums(exp(z)))[cbind(1:2, c(3, 1))])
  expect_equal(as.array(tf$nn$l2_loss(x)), sum(z^2) / 2)
  moments <- tf$nn$moments(x, axes = 0)
  expect_equal(r(moments[[2]]), colMeans(t((t(z) - colMeans(z)))^2))
  set.seed(1)
  dropped <- r(tf$nn$dropout(tf$ones(10000), 0.25))
  expect_equal(sort(unique(dropped)), c(0, 1 / 0.75), tolerance = 1e-6)
  expect_lt(abs(mean(dropped > 0) - 0.75), 0.02)
})

test_that("products and linear algebra", {
  a <- matrix(1:6 / 2, 2)
  expect_equal(as.array(tf$matmul(a, t(a))), a %*% t(a))
  expect_equal(as.array(tf$matmul(a, a, transpose_a = TRUE)), t(a) %*% a)
  x <- array(1:24 / 3, c(4, 1, 6))
  w <- tf$Variable(matrix(1:12 / 7, 6))
  y <- tf$matmul(x, w)
  expect_identical(dim(y), c(4L, 1L, 2L))
  expect_equal(as.array(y)[3, 1, ], c(x[3, 1, ] %*% as.array(w)))
  f <- tf$Variable(matrix(1, 2, 2), dtype = tf$float32)
  expect_identical(tensor_dtype(tf$matmul(matrix(1, 2, 2), f)), "float32") # R's side adapts
  expect_refusal(tf$matmul(a, a), "shape", "(2, 3) and (2, 3)")
  expect_refusal(tf$matmul(c(1, 2), a), "shape", "(2)")
  s <- crossprod(a)
  expect_equal(r(tf$linalg$diag_part(s)), diag(s))
  expect_equal(as.array(tf$linalg$trace(s)), sum(diag(s)))
  expect_equal(as.array(tf$linalg$diag(c(1, 2))), diag(c(1, 2)))
  expect_equal(as.array(tf$norm(a)), sqrt(sum(a^2)))
  expect_equal(r(tf$linalg$matvec(a, c(1, 2, 3))), c(a %*% 1:3))
})

test_that("a tape's block runs where it stands and its names stay", {
  f <- function() {
    w <- tf$Variable(matrix(c(1, 2, 3, 4), 2), name = "w")
    value <- with(tf$GradientTape() %as% tape, {
      y <- tf$reduce_sum(tf$square(w))
      "the value"
    })
    list(tape$gradient(y, w), value, tape, y, w)
  }
  result <- f()
  expect_identical(as.array(result[[1]]), matrix(c(2, 4, 6, 8), 2))
  expect_identical(result[[2]], "the value")
  expect_refusal(result[[3]]$gradient(result[[4]], result[[5]]), "tape", "persistent = TRUE")
  expect_identical(result[[5]]$name, "w:0")
  with(tf$GradientTape(persistent = TRUE) %as% tape, z <- result[[5]] * 2)
  expect_identical(as.array(tape$gradient(z, result[[5]])), matrix(2, 2, 2)) # a target that is no scalar is summed
  expect_identical(as.array(tape$gradient(z, result[[5]])), matrix(2, 2, 2))
  try(with(tf$GradientTape() %as% tape, stop("no")), silent = TRUE)
  expect_length(nativenet:::tapes_recording(), 0)
  expect_refusal(tape$gradint, "member")
})

test_that("gradients keep the structure of the sources, with NULL for those without a part", {
  a <- tf$Variable(2)
  b <- tf$Variable(3)
  c <- tf$Variable(4)
  with(tf$GradientTape(persistent = TRUE) %as% tape, y <- a * a * b)
  g <- tape$gradient(y, list(first = a, rest = list(b, c)))
  expect_named(g, c("first", "rest"))
  expect_identical(as.array(g$first), 12)
  expect_identical(as.array(g$rest[[1]]), 4)
  expect_length(g$rest, 2)
  expect_null(g$rest[[2]])
  expect_identical(typeof(tape$gradient(y, list(a, b))), "list")
  zero <- tape$gradient(y, list(a, c), unconnected_gradients = "zero")
  expect_identical(as.array(zero[[2]]), 0)
  expect_refusal(tape$gradient(y, list(a, 1)), "value", "`sources`")
  expect_identical(sapply(tape$watched_variables(), function(v) as.array(v)), c(2, 3))
})

test_that("nested tapes, stopped tapes, watched tensors, jacobians", {
  x <- tf$constant(3)
  with(tf$GradientTape() %as% outer, {
    outer$watch(x)
    with(tf$GradientTape() %as% inner, {
      inner$watch(x)
      y <- x * x
    })
    z <- y * x
  })
  expect_identical(as.array(inner$gradient(y, x)), 6)
  expect_identical(as.array(outer$gradient(z, x)), 27)
  with(tf$GradientTape() %as% outer, {
    outer$watch(x)
    with(tf$GradientTape() %as% inner, {
      inner$watch(x)
      y <- x * x
    })
    dy <- inner$gradient(y, x)
  })
  expect_identical(as.array(outer$gradient(dy, x)), 2)
  with(tf$GradientTape() %as% tape, {
    tape$watch(x)
    with(tape$stop_recording() %as% pause, unseen <- x * 100)
    y <- x * 2 + unseen
  })
  expect_identical(as.array(tape$gradient(y, x)), 2)
  v <- tf$Variable(matrix(c(1, 2), 1))
  with(tf$GradientTape() %as% tape, y <- tf$square(v))
  j <- as.array(tape$jacobian(y, v))
  expect_identical(dim(j), c(1L, 2L, 1L, 2L))
  expect_identical(c(j), c(2, 0, 0, 4))
  with(tf$GradientTape() %as% tape, y <- tf$stop_gradient(v) * v)
  expect_identical(r(tape$gradient(y, v)), c(1, 2))
})

test_that("lists of tensors stay lists; pairs for the optimizer come from zip_lists() and purrr", {
  a <- tf$Variable(1)
  b <- tf$Variable(2)
  both <- c(a, b)
  expect_identical(typeof(both), "list")
  expect_length(c(both, c(a)), 3)
  expect_identical(zip_lists(list(1, 2), both), list(list(1, a), list(2, b)))
  skip_if_not_installed("purrr")
  expect_identical(purrr::transpose(list(list(1, 2), both)), list(list(1, a), list(2, b)))
})

test_that("functions: tf$function, cond, while_loop", {
  f <- tf$`function`(function(x) x * 2)
  expect_identical(as.array(f(tf$constant(4))), 8)
  expect_identical(as.array(tf$cond(tf$constant(1) > 0, function() tf$constant(5), function() tf$constant(6))), 5)
  loop <- tf$while_loop(function(i, s) i < 4, function(i, s) list(i + 1, s * 2), list(tf$constant(0), tf$constant(1)))
  expect_identical(sapply(loop, as.array), c(4, 16))
})

test_that("assignments by destructuring and pipes come along", {
  c(c(a, b), rest) %<-% list(list(1, 2), 3)
  expect_identical(c(a, b, rest), c(1, 2, 3))
  expect_identical(4 %>% sqrt(), 2)
})

test_that("doubles without dimensions are float32 in tf$ and k_*(), and the user's own calls are not touched", {
  expect_equal(as.array(tf$sqrt(2) * tf$constant(3)), 3 * sqrt(2), tolerance = 1e-6)
  for (x in list(tf$add(1, 2), tf$nn$softmax(c(1, 2)), tf$math$log(2), tf$reduce_sum(c(1, 2)), tf$stack(list(1, 2)),
    tf$exp(1:2), k_sum(c(1, 2)), k_sqrt(2), k_switch(TRUE, 1, 2))) {
    expect_identical(tensor_dtype(x), "float32")
  }
  expect_identical(as.array(tf$pow(2L, 3L)), 8L)
  expect_identical(tensor_dtype(tf$pow(2, 3)), "float32")
  for (x in list(tf$sqrt(matrix(4)), tf$add(2, matrix(1)), k_sum(matrix(1)), tf$add(tensor(1), 2), op_sqrt(2),
    tensor(1))) expect_identical(tensor_dtype(x), "float64")
  expect_identical(tensor_dtype(tf$exp(op_log(2))), "float64")
  expect_error(tf$sqrt(stop("mine")), "mine")
  expect_error(tf$matmul(1, 2), class = "nativenet_error_shape")
  expect_identical(tensor_dtype(tensor(1)), "float64")
})

test_that("strings are R's own, and vectorized by layers", {
  texts <- c("A <br />Cat, \u00c4!", " b ")
  expect_identical(tf$strings$lower(texts), c("a <br />cat, \u00c4!", " b "))
  expect_identical(tf$strings$upper(texts[2]), " B ")
  expect_identical(tf$strings$lower(texts, encoding = "utf-8")[1], tolower(texts[1]))
  expect_identical(tf$strings$strip(matrix(texts)), matrix(c(texts[1], "b")))
  expect_identical(as.array(tf$strings$length("\u00c4")), 2L)
  expect_identical(as.array(tf$strings$length(texts, "UTF8_CHAR")), array(nchar(texts), 2))
  expect_identical(tf$strings$regex_replace("abab", "(a)b", "<\\1>"), "<a><a>")
  expect_identical(tf$strings$regex_replace("abab", "a", "", replace_global = FALSE), "bab")
  expect_error(tf$strings$regex_replace("a", "(", ""), "`pattern` is no regular expression: \"(\"", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(tf$strings$lower(1), "`input` must be strings", class = "nativenet_error_value")
  # as on published pages
  standardize <- function(x) tf$strings$regex_replace(tf$strings$lower(x), "<br />|[[:punct:]]", "")
  vectorize <- layer_text_vectorization(standardize = standardize, vocabulary = c("cat", "a"))
  batches <- tensor_slices_dataset(texts) |> dataset_batch(2) |>
    dataset_map(function(x) vectorize(tf$expand_dims(x, -1L)))
  expect_identical(as.array(iter_next(as_iterator(batches))), rbind(3:1, c(1L, 0L, 0L)))
  expect_identical(dim(tf$expand_dims(texts, 0L)), 1:2)
  expect_error(tf$expand_dims(texts, 3L), "axis", class = "nativenet_error_value")
})

test_that("what is not on the diagonal leaves no mark, and rectangles have one", {
  value <- function(x) as.array(x)
  expect_identical(value(tf$linalg$diag(c(Inf, 2))), matrix(c(Inf, 0, 0, 2), 2))
  expect_identical(value(tf$linalg$trace(matrix(c(1, NaN, Inf, 2), 2))), 3)
  expect_identical(value(tf$linalg$trace(matrix(1:4, 2))), 5L)
  expect_identical(value(tf$linalg$diag_part(matrix(1:6, 2))), array(c(1L, 4L)))
  expect_identical(value(tf$linalg$diag_part(array(as.double(1:12), c(3, 2, 2)))), cbind(c(1, 2, 3), c(10, 11, 12)))
  rows <- autograph(function(x) tf$linalg$trace(x))
  for (n in c(3, 1)) expect_identical(as.vector(value(rows(tensor(array(as.double(seq_len(4 * n)), c(n, 2, 2)))))),
    seq_len(n) + seq_len(n) + 3 * n)
  for (f in list(tf$linalg$trace, tf$linalg$diag_part, tf$linalg$matrix_transpose)) expect_refusal(f(c(1, 2)), "shape",
    "two axes")
  expect_refusal(tf$linalg$diag(1), "shape", "`tf$linalg$diag()`", "one axis")
})

test_that("arguments that mean nothing to a function are held to be of their kind", {
  # nowhere does a `name` name anything, but it is a string
  expect_refusal(tf$abs(1, name = 3), "value", "`tf$abs()`: `name` must be a single string, not 3")
  expect_refusal(tf$random$normal(2, name = 1i), "value", "`name`")
  expect_refusal(tf$zeros(2, name = NA_character_), "value", "`name`")
  expect_identical(as.array(tf$abs(-1, name = "a")), 1)
  expect_refusal(tf$Variable(1, shape = 2), "shape", "`shape` must be that of the value, (), not (2)")
  expect_refusal(tf$unstack(1:2, num = 3), "value", "`num`")
  expect_refusal(tf$nn$moments(diag(2), 0, shift = "a"), "value", "`shift`")
  expect_refusal(tf$fill(2, c(1, 2)), "shape", "`value` must be one number")
  expect_identical(as.array(tf$fill(c(1, 2), 3L)), matrix(3L, 1, 2))
  expect_refusal(tf$range(2^43), "memory", "`limit`", "8796093022208")
  expect_refusal(tf$random$uniform(2, dtype = "complex"), "value", "`dtype`")
  expect_refusal(tf$norm(c(3, 4), ord = globalenv()), "value", "`ord`")
  expect_equal(vapply(list("euclidean", 1, 2, Inf), function(ord) as.array(tf$norm(c(3, 4), ord)), 0), c(5, 7, 5, 4))
  expect_refusal(tf[[1]], "value", "`name`")
  expect_refusal(tf_function(1), "value", "`tf_function()`: `f` must be a function")
})

test_that("cond and while_loop take functions and single truths", {
  one <- function() 1
  expect_refusal(tf$cond(TRUE, one, 2), "value", "`false_fn` must be a function, not 2")
  expect_refusal(tf$cond(c(TRUE, FALSE), one, one), "value", "`pred` must be TRUE or FALSE")
  expect_refusal(tf$cond(NA, one, one), "value", "`pred`")
  expect_refusal(tf$while_loop(1, one, list()), "value", "`cond` must be a function")
  expect_refusal(tf$while_loop(function(i) "a", function(i) i, list(1)), "value",
    "`cond()` must be TRUE or FALSE, not \"a\"")
  expect_refusal(k_switch("a", one, one), "value")
})

test_that("whole numbers stay whole, means cut towards zero, and lists are arrays, as in TensorFlow", {
  same <- function(x, dtype, value) {
    expect_identical(tensor_dtype(x), dtype)
    expect_equal(as.array(x), value)
  }
  same(tf$reduce_mean(1:4), "int32", 2)
  same(tf$reduce_mean(tf$constant(c(-1L, -2L))), "int32", -1)
  same(tf$reduce_mean(matrix(c(-1L, -2L, 5L, 6L), 2), 1L, TRUE), "int32", matrix(2, 2, 1))
  same(tf$reduce_mean(rep(1L, 49)), "int32", 1)
  same(tf$math$reduce_mean(c(1, 2, 4, 4)), "float32", 2.75)
  same(tf$reduce_mean(c(TRUE, FALSE)), "float32", 0.5)
  mean_of <- tf$`function`(function(x) tf$reduce_mean(x))
  same(mean_of(tf$constant(1:4)), "int32", 2)
  same(mean_of(tf$constant(1:5)), "int32", 3)
  same(tf$matmul(matrix(1:4, 2), matrix(1:4, 2)), "int32", matrix(c(7, 10, 15, 22), 2))
  same(tf$constant(list(list(1, 2), list(3, 4))), "float32", matrix(c(1, 3, 2, 4), 2))
  same(tf$constant(list(c(1L, 2L), c(3L, 4L))), "int32", matrix(c(1, 3, 2, 4), 2))
  same(tf$constant(list(matrix(1, 2, 2), matrix(2, 2, 2)))[2, , ], "float64", matrix(2, 2, 2))
  same(tf$constant(list(tf$constant(1), 2)), "float32", array(c(1, 2)))
  same(tf$reduce_sum(list(list(1, 2), list(3, 4)), 0L), "float32", array(c(4, 6)))
  same(tf$maximum(list(1L, 5L), list(3L, 2L)), "int32", array(c(3, 5)))
  expect_error(tf$constant(list(1, list(2, 3))), "differ in shape: \\(\\), and at position 2 \\(2\\)",
    class = "nativenet_error_shape")
  expect_error(tf$reduce_sum(list("a")), "`tf\\$reduce_sum\\(\\)`")
})

test_that("the variance and its root are those of all values, not of a sample", {
  x <- matrix(c(1, 2, 4, 8), 2)
  expect_equal(as.array(tf$math$reduce_variance(x, axis = 1L)), array(c(2.25, 9)))
  expect_equal(as.array(tf$reduce_std(x, axis = 0L, keepdims = TRUE)), matrix(c(0.5, 2), 1))
})

test_that("mean losses of samples, and shapes that a tensor must have", {
  expect_equal(as.numeric(tf$nn$compute_average_loss(c(1, 2, 6))), 3)
  expect_equal(as.numeric(tf$nn$compute_average_loss(c(1, 2, 6), c(1, 0, 1), 7)), 1)
  x <- tf$constant(matrix(1, 2, 3))
  expect_identical(x$set_shape(list(NULL, 3L)), x)
  expect_refusal(x$set_shape(c(2, 2)), "shape", "has the shape (2, 3), not (2, 2)")
})

test_that("lists are zipped by names only if every element has one", {
  expect_identical(zip_lists(list(a = 1, b = 2), list(b = 3, a = 4)), list(a = list(1, 4), b = list(2, 3)))
  expect_error(zip_lists(list(a = 1, 2), list(2, a = 3)), "the same names", class = "nativenet_error")
  expect_error(zip_lists(list(a = 1, 2), list(b = 2, 3)), "the same names", class = "nativenet_error")
  expect_identical(zip_lists(list(a = 1, 2), list(3, 4)), list(a = list(1, 3), list(2, 4)))
})

test_that("missing arguments are named, and so is the function that was called", {
  expect_refusal(tf$abs(), "value", "`tf$abs()`: `x` must be given")
  expect_refusal(tf$matmul(1), "value", "`tf$matmul()`: `b` must be given")
  expect_refusal(tf$io$parse_single_example("a"), "value", "`tf$io$parse_single_example()`: `features` must be given")
  expect_refusal(tf$constant(), "value", "`value` must be given")
  expect_refusal(k_sum(), "value", "`k_sum()`: `x` must be given")
  raw <- character()
  walk <- function(space, path) for (name in ls(space)) {
    member <- .subset2(space, name)
    at <- paste0(path, "$", name)
    if (inherits(member, "nn_namespace")) walk(member, at)
    else if (is.function(member) && !is.object(member) && length(needed_arguments(member))) raw <<- c(raw, at)
  }
  walk(tf, "tf")
  expect_identical(grep("^tf[$]keras[$]activations", raw, invert = TRUE, value = TRUE), character())
  bits <- tf$bitwise
  expect_refusal(bits$bitwise_and(1.5, 2), "dtype", "`op_bitwise_and()`")
  expect_refusal(tf$bitwise$bitwise_and(1.5, 2), "dtype", "`tf$bitwise$bitwise_and()`")
})

test_that("loops and branches of tf call functions of the user's", {
  expect_identical(as.array(tf$map_fn(function(x) x * 2, matrix(1:4, 2))), matrix(1:4 * 2L, 2))
  expect_equal(as.vector(as.array(tf$scan(function(a, x) a + x, c(1, 2, 3)))), c(1, 3, 6))
  expect_equal(as.vector(as.array(tf$scan(function(a, x) a + x, c(1, 2, 3), initializer = 10, reverse = TRUE))),
    c(16, 15, 13))
  expect_equal(as.array(tf$foldl(function(a, x) 10 * a + x, c(1, 2, 3))), 123)
  expect_equal(as.array(tf$foldr(function(a, x) 10 * a + x, c(1, 2, 3))), 321)
  expect_equal(dim(tf$vectorized_map(function(x) x, matrix(1:6, 2))), c(2L, 3L))
  expect_identical(tf$case(list(list(tf$less(1, 2), function() 17)), default = function() 3), 17)
  expect_identical(tf$switch_case(1L, list(function() "a", function() "b")), "b")
  expect_error(tf$scan(function(a) a, 1:3), "function of 2 arguments")
})

test_that("a name that is elsewhere is shown there, and a reserved one may have an underscore", {
  expect_error(tf$erf, "`tf` has no member `$erf`; `tf$math$erf` is there", fixed = TRUE,
    class = "nativenet_error_member")
  expect_error(tf$Dense, "`tf$keras$layers$Dense` is there", fixed = TRUE)
  expect_error(tf$keras$ops, "`op_*()` are Keras' ops", fixed = TRUE, class = "nativenet_error_missing")
  expect_identical(dim(tf$keras$backend$repeat_(matrix(1:4, 2), 3L)), c(2L, 3L, 2L))
  expect_match(tf$version$VERSION, "^2")
})

test_that("tf$nn: rectifiers of both signs, weighted and Poisson losses, normalized responses", {
  x <- matrix(c(-1, 2, 3, -4), 2)
  expect_equal(as.array(tf$nn$crelu(x)), cbind(pmax(x, 0), pmax(-x, 0)))
  expect_equal(as.array(tf$nn$zero_fraction(c(0, 1, 0))), 2 / 3, tolerance = 1e-6)
  t <- matrix(c(1, 0, 1, 0.3), 2)
  p <- 1 / (1 + exp(-x))
  expect_equal(as.array(tf$nn$weighted_cross_entropy_with_logits(t, x, 2.5)), -2.5 * t * log(p) - (1 - t) * log(1 - p))
  n <- matrix(c(0, 1, 2, 5), 2)
  expect_equal(as.array(tf$nn$log_poisson_loss(n, x)), exp(x) - n * x)
  stirling <- ifelse(n > 1, n * log(n) - n + log(2 * pi * n) / 2, 0)
  expect_equal(as.array(tf$nn$log_poisson_loss(n, x, TRUE)), exp(x) - n * x + stirling)
  y <- array(seq(-1, 1, length.out = 2 * 5), c(1, 2, 1, 5))
  sums <- vapply(1:5, function(k) rowSums(matrix(y[1, , 1, abs(1:5 - k) <= 1], 2)^2), numeric(2))
  expect_equal(as.array(tf$nn$local_response_normalization(y, 1, 2, 0.3, 0.75))[1, , 1, ],
    y[1, , 1, ] / (2 + 0.3 * sums)^0.75)
})
