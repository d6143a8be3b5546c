# Modules: fields, methods, variables in order, printing, saving, and in compiled functions.

basic_ae <- nn_module("basic_ae",
  initialize = function(self, unit_nbrs) {
    self$W1 <- variable(array(some(unit_nbrs, -1, 1), unit_nbrs), name = "W1")
    self$b1 <- variable(array(some(unit_nbrs[2], k = 2), unit_nbrs[2]), name = "b1")
    self$b2 <- variable(array(some(unit_nbrs[1], k = 3), unit_nbrs[1]), name = "b2")
    self$alpha <- 1
  },
  call = function(self, x) op_add(op_matmul(self$encode(x), op_transpose(self$W1)), self$b2),
  encode = function(self, x) op_elu(op_add(op_matmul(x, self$W1), self$b1), self$alpha)
)
elu <- function(x, alpha = 1) ifelse(x > 0, x, alpha * expm1(x))
by_hand <- function(x, w, b1, b2, alpha = 1) {
  z <- elu(x %*% w + rep(c(b1), each = nrow(x)), alpha)
  z %*% t(w) + rep(c(b2), each = nrow(x))
}
x <- some(c(5, 3), -1, 1, 4)
dense <- nn_module("dense",
  initialize = function(self, inputs, outputs) {
    self$w <- variable(array(some(c(inputs, outputs)), c(inputs, outputs)), name = "w")
    self$b <- variable(array(0, outputs), name = "b", trainable = FALSE)
  },
  call = function(self, x) op_dense(x, self$w, self$b)
)

test_that("an object is called, has its fields and methods", {
  ae <- basic_ae(c(3, 2))
  expect_s3_class(ae, "nn_tf_module")
  expect_equal(as.array(ae(x)), by_hand(x, as.array(ae$W1), as.array(ae$b1), as.array(ae$b2)))
  expect_equal(as.array(ae$encode(x)), elu(x %*% as.array(ae$W1) + rep(c(as.array(ae$b1)), each = 5)))
  expect_identical(ae$name, "basic_ae")
  expect_identical(ae[["alpha"]], 1)
  expect_equal(as.array(ae[["encode"]](x)), as.array(ae$encode(x)))
  ae$W2 <- variable(5, name = "W2")
  ae[["note"]] <- "text"
  ae$nothing <- NULL
  expect_identical(as.array(ae$W2), 5)
  expect_identical(ae$note, "text")
  expect_null(ae$nothing)
  ae$name <- "mine"
  expect_identical(ae$name, "mine")
  same <- ae
  same$alpha <- 3
  expect_identical(ae$alpha, 3)
  expect_identical(basic_ae(c(3, 2))$alpha, 1)
  expect_true(all(c("W1", "encode", "variables") %in% .DollarNames(ae)))
})

test_that("variables come in the order of names, with lists and modules walked through, each once", {
  names_of <- function(variables) vapply(variables, function(v) v$name, "")
  v <- function(name, trainable = TRUE) variable(1, name = name, trainable = trainable)
  module <- nn_module("module", initialize = function(self) {
    self$z <- v("z")
    self$layers <- list(dense(2, 3), list(v("in list"), dense(3, 1)))
    self$b <- v("b", FALSE)
    self$again <- self$z
    self$B <- v("B")
    self$plain <- 3
    self$parent <- self
  })
  m <- module()
  expect_identical(names_of(m$variables), c("B:0", "z:0", "b:0", "in list:0", "b:0", "w:0", "b:0", "w:0"))
  expect_identical(names_of(m$trainable_variables), c("B:0", "z:0", "in list:0", "w:0", "w:0"))
  expect_identical(names_of(m$non_trainable_variables), c("b:0", "b:0", "b:0"))
  expect_identical(m$submodules, list(m$layers[[1]], m$layers[[2]][[2]]))
  expect_identical(m$variables[[2]], m$z)
  expect_identical(nn_module("empty")()$variables, list())
  m$layers[[1]]$w <- v("new")
  expect_identical(names_of(m$variables)[6], "new:0")
})

test_that("the squared weights, picked by the first letter of their names", {
  ae <- basic_ae(c(3, 2))
  reg <- function(ae) Reduce(`+`, lapply(Filter(function(v) startsWith(v$name, "W"), ae$trainable_variables),
    function(v) sum(v^2)))
  with(gradient_tape() %as% tape, loss <- reg(ae))
  expect_equal(as.array(loss), sum(as.array(ae$W1)^2))
  expect_equal(as.array(tape$gradient(loss, ae$W1)), 2 * as.array(ae$W1))
  expect_warning(expect_null(tape$gradient(loss, ae$b1)), "does not depend on them",
    class = "nativenet_warning_gradient")
})

test_that("the gradient of tied weights sums both uses", {
  ae <- basic_ae(c(3, 2))
  loss <- function(w, b1, b2) {
    ae$W1 <- w
    ae$b1 <- b1
    ae$b2 <- b2
    op_sum(op_square(op_subtract(ae(x), x)))
  }
  start <- lapply(ae$variables, as.array)
  expect_true(all(check_gradient(loss, start[[1]], start[[2]], start[[3]])$ok))
  expect_lt(relative_error(tape_gradients(loss, start, 1)[[1]], numeric_gradient(loss, start, 1)), 1e-8)
})

test_that("a training step that calls a module is compiled, with the same bits", {
  run <- function(compile) {
    ae <- basic_ae(c(3, 2))
    optimizer <- optimizer_adam(0.05)
    step <- function(x) {
      with(gradient_tape(persistent = FALSE) %as% tape, loss <- op_mean(op_sum(op_square(op_subtract(ae(x), x)), 2)))
      variables <- ae$trainable_variables
      optimizer$apply_gradients(Map(list, tape$gradient(loss, variables), variables))
      loss
    }
    if (compile) step <- autograph(step)
    losses <- vapply(1:20, function(i) as.array(step(tensor(x))), 0)
    if (compile) {
      expect_null(environment(step)$graph$reason)
      expect_length(environment(step)$graph$traces, 1)
    }
    list(losses, lapply(ae$variables, as.array))
  }
  compiled <- run(TRUE)
  expect_identical(compiled, run(FALSE))
  expect_lt(compiled[[1]][20], compiled[[1]][1])
})

test_that("compiled functions notice when a field changes, is added, or changes further down", {
  ae <- basic_ae(c(3, 2))
  inner <- dense(3, 1)
  outer <- nn_module("outer", call = function(self, x) {
    y <- self$layers[[1]](x)
    if (!is.null(self$scale)) op_multiply(y, self$scale) else y
  }, scale = NULL)()
  outer$layers <- list(inner)
  compiled <- list(autograph(function(x) ae(x)), autograph(function(x) ae$encode(x)), autograph(ae),
    autograph(function(x) outer(x)))
  plain <- list(function(x) ae(x), function(x) ae$encode(x), ae, function(x) outer(x))
  same <- function() {
    for (i in seq_along(plain)) {
      expect_identical(as.array(compiled[[i]](tensor(x))), as.array(plain[[i]](x)), info = i)
      expect_null(environment(compiled[[i]])$graph$reason, info = i)
    }
  }
  same()
  same()
  ae$alpha <- 2
  same()
  outer$scale <- 2
  same()
  inner$w <- variable(matrix(c(1, 2, 3), 3))
  same()
  inner$w$assign(matrix(c(3, 2, 1), 3))
  same()
  ae$b1 <- op_negative(ae$b1)
  same()
  expect_identical(vapply(compiled, function(g) length(environment(g)$graph$traces), 0L), rep(1L, 4))
  expect_identical(environment(compiled[[4]])$graph$renewed, 2)
})

test_that("a module may be an argument; a method may be passed on", {
  ae <- basic_ae(c(3, 2))
  g <- autograph(function(module, x) module(x))
  encode <- ae$encode
  h <- autograph(function(x) encode(x))
  for (alpha in c(1, 2, 2, 3)) {
    ae$alpha <- alpha
    expect_identical(as.array(g(ae, tensor(x))), as.array(ae(x)))
    expect_identical(as.array(h(tensor(x))), as.array(ae$encode(x)))
  }
  other <- basic_ae(c(3, 1))
  expect_identical(as.array(g(other, tensor(x))), as.array(other(x)))
  other$alpha <- 5
  expect_identical(as.array(g(other, tensor(x))), as.array(other(x)))
  expect_identical(as.array(g(ae, tensor(x))), as.array(ae(x)))
  expect_null(environment(g)$graph$reason)
  expect_null(environment(h)$graph$reason)
})

test_that("what cannot be compiled runs eagerly, and only methods that are called count", {
  counter <- nn_module("counter", n = 0, call = function(self, x) {
    self$n <- self$n + 1
    op_multiply(x, self$n)
  }, show = function(self) cat("shown\n"), loud = function(self, x) {
    self$show()
    op_multiply(x, 2)
  }, calm = function(self, x) op_multiply(x, 2))
  m <- counter()
  g <- autograph(function(x) m(x))
  expect_message(expect_identical(as.array(g(tensor(1))), 1), "changes a field of a module")
  expect_identical(as.array(g(tensor(1))), 2)
  expect_identical(m$n, 2)
  calm <- autograph(function(x) m$calm(x))
  calm(tensor(1))
  expect_null(environment(calm)$graph$reason)
  loud <- autograph(function(x) m$loud(x))
  expect_output(expect_message(loud(tensor(1)), "it calls `cat()`", fixed = TRUE), "shown")
  by_name <- autograph(function(x, name) m[[name]](x))
  expect_message(expect_output(by_name(tensor(1), "loud"), "shown"), "`[[`", fixed = TRUE)
})

test_that("printing lists variables and counts parameters", {
  expect_identical(capture.output(print(basic_ae(c(3, 2)))), c("<module basic_ae>", "  W1:0 (3, 2)", "  b1:0 (2)",
    "  b2:0 (3)", "11 parameters"))
  expect_identical(capture.output(print(dense(30, 50))), c("<module dense>", "  b:0 (50)", "  w:0 (30, 50)",
    "1,550 parameters, 50 of them non-trainable"))
  expect_identical(capture.output(print(nn_module("empty")())), c("<module empty>", "0 parameters"))
  expect_output(print(basic_ae), "constructor of basic_ae modules", fixed = TRUE)
})

test_that("modules can be saved and read, with what they share", {
  ae <- basic_ae(c(3, 2))
  ae$inner <- dense(3, 2)
  ae$shared <- ae$W1
  file <- tempfile(fileext = ".rds")
  on.exit(unlink(file))
  saveRDS(ae, file)
  again <- readRDS(file)
  expect_identical(as.array(again(x)), as.array(ae(x)))
  expect_identical(lapply(again$variables, as.array), lapply(ae$variables, as.array))
  expect_length(again$variables, 5)
  again$W1$assign(matrix(0, 3, 2))
  expect_true(all(as.array(again$shared) == 0))
  expect_false(all(as.array(ae$W1) == 0))
  again$alpha <- 7
  expect_identical(ae$alpha, 1)
  expect_identical(again$encode(x)$shape$as_list(), c(5L, 2L))
})

test_that("errors say what is missing", {
  ae <- basic_ae(c(3, 2))
  expect_refusal(ae$w1, "member", "a basic_ae has no member `$w1`", "did you mean `W1`")
  expect_refusal(nn_module("empty")()(1), "member", "no method `call`")
  expect_refusal(nn_module("empty")(1), "value", "`empty()`", "no `initialize`")
  expect_refusal(ae$variables <- list(), "member", "`variables`")
  expect_refusal(nn_module("m", call = function(x) x), "value", "`nn_module()`", "`call`", "`self`")
  expect_refusal(nn_module("m", call = 3), "value", "`call` must be a function")
  expect_refusal(nn_module("m", NULL, NULL, 3), "value", "named")
  expect_refusal(nn_module(3), "value", "`classname`")
})
