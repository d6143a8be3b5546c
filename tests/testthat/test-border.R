# .Call() with wrong types and sizes: an R error, never a crash. Only our own R code makes these calls, but
# a mistake there must not take the session down.

ns <- asNamespace("nativenet")

test_that("wrong types and sizes are errors", {
  refused <- function(...) expect_error(.Call(...), class = "error")
  program <- .Call(ns$C_program_new)
  x <- .Call(ns$C_program_input, program, 1L, c(2L, 3L))
  tape <- .Call(ns$C_program_new)
  v <- variable(c(1, 2))
  for (dtype in list(99L, -2L, NA, "float32", NULL, 1:2)) refused(ns$C_tensor, 1, dtype)
  for (dim in list(-1L, NA_integer_, 1.5, rep(1L, 9), rep(.Machine$integer.max, 3), "a", mean)) refused(ns$C_program_input, program, 1L, dim)
  refused(ns$C_program_input, program, 99L, 1L)
  for (penalties in list(numeric(), 1, 1:2, NULL, "a")) refused(ns$C_program_variable, program, v, penalties)
  for (set in list(character(), NULL, 1L, c("avx2", "avx512"))) refused(ns$C_kernels, set)
  for (seeds in list(list(), list(1, 2), 1)) refused(ns$C_tape_gradient, tape, list(v), list(v), seeds, list(NULL))
  for (p in list(NULL, 1L, v, x, list(), tape)) refused(ns$C_program_run, p, list(x), list(matrix(0, 2, 3)), list(x))
  refused(ns$C_program_run, program, list(x), list(), list(x))
  refused(ns$C_program_run, program, list(v), list(v), list(x))
  none <- list(NULL, NULL)
  for (name in list(-1L, NA, "no such op", NULL, character(), c("add", "add"))) refused(ns$C_apply, name, list(1, 2), numeric(), numeric(), none)
  refused(ns$C_apply, "add", list(), numeric(), numeric(), none)
  refused(ns$C_apply, "add", list(1, 2), as.double(1:99), numeric(), none)
  refused(ns$C_apply, "add", list(1, 2), numeric(), as.double(1:99), none)
  refused(ns$C_apply, "add", list(1, 2), "a", numeric(), none)
  for (who in list(list(list(1), NULL), list(list(v), NULL), 1, list(), list(1, NULL))) refused(ns$C_apply, "add", list(v, 2), numeric(), numeric(), who)
  expect_identical(.Call(ns$C_kernels, ""), nn_features()$instructions)
})

test_that("an op with attributes that make no sense is an error or harmless", {
  set.seed(1)
  inputs <- list(matrix(1, 2, 3), c(1, 2, 3), 1, array(1, c(2, 2, 2)), 0:1, TRUE, variable(c(1, 2)), tensor(matrix(0, 0, 3)), array(0L, c(3, 2)))
  for (i in 1:3000) {
    tryCatch(
      .Call(ns$C_apply, sample(op_names(), 1), inputs[sample(length(inputs), sample(0:4, 1), replace = TRUE)],
        as.double(sample(c(-2:5, 2^31, 2^62, -2^62, 1e300, NaN), sample(0:9, 1), replace = TRUE)), stats::runif(sample(0:4, 1), -1, 1), list(NULL, NULL)),
      nativenet_error = identity
    )
  }
  succeed()
})

test_that("random arguments for every routine are errors or harmless", {
  set.seed(2)
  routines <- Filter(function(s) inherits(s, "CallRoutine"), mget(ls(ns, pattern = "^C_"), envir = ns))
  routines <- routines[setdiff(names(routines), c("C_threads", "C_kernels", "C_blas", "C_recording"))] # these change the session
  program <- .Call(ns$C_program_new)
  x <- .Call(ns$C_program_input, program, 1L, c(2L, 3L))
  w <- .Call(ns$C_program_variable, program, tensor(matrix(0, 3, 2)), c(0, 0))
  loss <- op_mean(op_matmul(x, w))
  tape <- gradient_tape()
  v <- variable(c(1, 2))
  y <- tape_record(tape, op_square(v))
  pool <- list(
    NULL, NA, TRUE, 1L, 0L, -1L, 3L, 99L, 2.5, NaN, 1e10, "a", character(), numeric(), integer(), list(), list(NULL), mean, globalenv(), as.raw(1), 1i, quote(x),
    c(1, 2), 1:3, matrix(1, 2, 3), tensor(1), tensor(1:2), tensor(matrix(1, 2, 3)), v, y, program, x, w, loss, tape, nativenet:::tape_state(tape)$program, list(x), list(w), list(v), list(y),
    list(matrix(1, 2, 3)), list(tensor(matrix(1, 2, 3))), c(4, 0.1, 0.9, 0.99, 1e-7, 0, 0), c(9, 1, 1, 1, 1, 1, 1), structure(1L, class = "nn_tensor"), structure(list(), class = "nn_tensor")
  )
  pool <- c(pool, tryCatch(.Call(ns$C_trainer_new, program, loss, 2L, c(4, 0.1, 0.9, 0.99, 1e-7, 0, 0)), error = identity))
  for (i in 1:4000) {
    routine <- routines[[sample(length(routines), 1)]]
    tryCatch(do.call(.Call, c(list(routine), pool[sample(length(pool), routine$numParameters, replace = TRUE)])), error = identity, warning = identity)
  }
  succeed()
})
