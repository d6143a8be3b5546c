# Compiled functions do what the functions do, whatever changes around them.

expect_same <- function(f, ..., compiled = TRUE, times = 2) {
  g <- autograph(f)
  for (i in seq_len(times)) expect_identical(lapply(list(g(...)), values), lapply(list(f(...)), values))
  graph <- environment(g)$graph
  expect_identical(is.null(graph$reason), compiled, info = graph$reason)
  invisible(g)
}
values <- function(x) if (is.list(x)) lapply(x, values) else if (nativenet:::is_tensor(x))
  list(tensor_dtype(x), dim(x), as.array(x)) else x
reason_of <- function(f, ...) {
  g <- autograph(f)
  suppressMessages(g(...))
  environment(g)$graph$reason
}

x <- tensor(matrix(c(1, -2, 3, -4, 5, -6), 3))

test_that("results have the structure that the function gives them, and its visibility", {
  expect_same(function(x) op_square(x), x)
  expect_same(function(x) list(a = op_square(x), b = list(1, "text", op_sum(x), NULL)), x)
  expect_same(function(x, n) op_multiply(x, n), x, 3)
  expect_same(function(pair) op_add(pair[[1]], pair$y), list(x, y = x))
  expect_same(function(x) NULL, x)
  quiet <- autograph(function(x) invisible(op_square(x)))
  expect_invisible(quiet(x))
  expect_invisible(quiet(x))
})

test_that("each kind of argument has its program", {
  g <- autograph(function(x, times = 1) op_multiply(x, times))
  for (round in 1:2) {
    expect_identical(c(as.array(g(tensor(c(1, 2))))), c(1, 2))
    expect_identical(c(as.array(g(tensor(c(1, 2, 3)), 2))), c(2, 4, 6))
    expect_identical(tensor_dtype(g(tensor(c(1, 2), "float32"))), "float32")
    expect_identical(c(as.array(g(times = 3, x = tensor(c(1, 2))))), c(3, 6))
  }
  expect_length(environment(g)$graph$traces, 4)
})

test_that("a training step is one program: the same bits as eagerly, for every optimizer", {
  optimizers <- list(
    optimizer_sgd(0.1), optimizer_sgd(0.1, momentum = 0.9), optimizer_sgd(0.1, 0.9, nesterov = TRUE),
    optimizer_rmsprop(0.1), optimizer_rmsprop(0.1, momentum = 0.5, centered = TRUE), optimizer_adam(0.1),
    optimizer_adam(0.1, amsgrad = TRUE), optimizer_adamw(0.1), optimizer_adagrad(0.1), optimizer_adadelta(0.1),
    optimizer_adamax(0.1), optimizer_nadam(0.1), optimizer_adam(0.1, clipvalue = 0.1),
    optimizer_sgd(0.1, clipnorm = 0.1), optimizer_sgd(0.1, global_clipnorm = 0.1),
    optimizer_sgd(learning_rate_schedule_exponential_decay(0.1, 1, 0.5))
  )
  for (i in seq_along(optimizers)) {
    run <- function(compile, optimizer) {
      w <- variable(matrix(c(0.1, -0.2, 0.3, 0.4, -0.5, 0.6), 2), "float32")
      b <- variable(c(0, 0, 0), "float32")
      step <- function(x) {
        with(gradient_tape(persistent = FALSE) %as% tape, {
          loss <- op_sum(op_square(op_subtract(op_tanh(op_add(op_matmul(x, w), b)), 0.5)))
        })
        gradients <- tape$gradient(loss, list(w, b))
        optimizer$apply_gradients(Map(list, gradients, list(w, b)))
        loss
      }
      if (compile) step <- autograph(step)
      losses <- lapply(1:5, function(k) as.array(step(tensor(as.array(x), "float32"))))
      if (compile) expect_null(environment(step)$graph$reason)
      list(losses, as.array(w), as.array(b), as.double(optimizer$iterations))
    }
    again <- unserialize(serialize(optimizers[[i]], NULL))
    expect_identical(run(TRUE, optimizers[[i]]), run(FALSE, again), info = i)
  }
})

test_that("tapes in programs: intermediate sources, unconnected ones, watched tensors, several questions", {
  w <- variable(c(1, 2))
  unused <- variable(3)
  expect_same(function(x) {
    tape <- gradient_tape()
    tape_watch(tape, x)
    with(tape %as% t, {
      h <- op_multiply(x, w)
      y <- op_sum(op_square(h))
      z <- op_sum(op_multiply(h, h))
    })
    list(tape$gradient(y, list(w, h, x, unused)), tape$gradient(z, h), tape$gradient(list(y, z), w),
      tape$gradient(y, y))
  }, tensor(c(3, 4)))
  suppressWarnings(classes = "nativenet_warning_gradient", expect_same(function(x) {
    with(gradient_tape(watch_accessed_variables = FALSE) %as% t, y <- op_multiply(x, w))
    list(t$gradient(y, w), t$gradient(y, x))
  }, tensor(c(3, 4))))
})

test_that("variables are assigned to in order", {
  count <- variable(0)
  g <- autograph(function(x) {
    before <- op_multiply(count, 1)
    variable_assign(count, op_add(count, x))
    list(before, op_multiply(count, 10))
  })
  expect_identical(lapply(g(tensor(2)), as.array), list(0, 20))
  expect_identical(lapply(g(tensor(2)), as.array), list(2, 40))
  expect_identical(as.array(count), 4)
  expect_null(environment(g)$graph$reason)
})

# the results and what a variable holds in the end, run op by op and compiled
expect_alike <- function(f, v, ...) {
  before <- as.array(v)
  run <- function(f) {
    variable_assign(v, before)
    list(lapply(nativenet:::tensor_leaves(f(...)), as.array), as.array(v))
  }
  g <- autograph(f)
  expect_identical(run(g), run(f))
  expect_null(environment(g)$graph$reason)
}

test_that("a gradient meets the numbers that its ops met, whatever the variable holds by then", {
  v <- variable(3)
  expect_alike(function(x) {
    with(gradient_tape() %as% tape, y <- op_multiply(op_square(v), x))
    variable_assign(v, 100)
    g <- tape$gradient(y, v)
    variable_assign(v, 3)
    g
  }, v, tensor(2))
  # all that it held adds up; no gradient flows from what it holds to what it was computed from
  expect_alike(function(x) {
    with(gradient_tape() %as% tape, {
      before <- v * x
      v$assign_add(x * v)
      y <- before + v * v * x
    })
    list(tape$gradient(y, v), v * 2)
  }, v, tensor(2))
  # an optimizer changes what the variable holds, and an assignment follows
  sgd <- optimizer_sgd(0.5)
  expect_alike(function(x) {
    v$assign(v * 2)
    with(gradient_tape() %as% tape, loss <- v * v * x)
    sgd$apply_gradients(list(list(tape$gradient(loss, v), v)))
    v$assign(op_clip(v, -1, 1))
    loss + v
  }, v, tensor(0.25))
  # variables that change places
  variable_assign(v, 3)
  w <- variable(5)
  swap <- autograph(function() {
    old <- v * 1
    v$assign(w)
    w$assign(old)
    v - w
  })
  expect_identical(as.array(swap()), 2)
  expect_identical(c(as.array(v), as.array(w)), c(5, 3))
  # numbers that an optimizer has overwritten are gone: op by op, and right
  f <- function(x) {
    with(gradient_tape() %as% tape, y <- op_multiply(op_square(v), x))
    sgd$apply_gradients(list(list(x, v)))
    tape$gradient(y, v)
  }
  expect_match(reason_of(f, tensor(1)), "variable changes")
  variable_assign(v, 3)
  expect_identical(as.array(f(tensor(1))), 6)
})

test_that("an eager tape that holds a variable's numbers keeps them", {
  v <- variable(3)
  step <- autograph(function(x) {
    variable_assign(v, op_multiply(v, x))
    NULL
  })
  with(gradient_tape() %as% tape, y <- op_square(v))
  step(tensor(10))
  expect_identical(as.array(v), 30)
  expect_identical(as.array(tape$gradient(y, v)), 6)
})

test_that("what was found outside may change: numbers, functions, lists, fields", {
  scale <- 2
  inner <- function(x) op_multiply(x, scale)
  settings <- list(shift = 1)
  object <- new.env()
  object$power <- 1
  f <- function(x) op_power(op_add(inner(x), settings$shift), object$power)
  g <- autograph(f)
  check <- function() expect_identical(values(g(x)), values(f(x)))
  check()
  scale <- 3
  check()
  inner <- function(x) op_subtract(x, scale)
  check()
  settings$shift <- 7
  check()
  object$power <- 2
  check()
  expect_null(environment(g)$graph$reason)
  programs <- environment(g)$graph$renewed
  scale <- 3 # the same value again
  check()
  expect_identical(environment(g)$graph$renewed, programs)
  for (i in 1:20) {
    scale <- i
    suppressMessages(check())
  }
  expect_match(environment(g)$graph$reason, "changes again and again")
})

test_that("what cannot be compiled runs eagerly, says so once, and is right", {
  w <- variable(2)
  counter <- 0
  untraceable <- list(
    "calls `cat()`" = function(x) { cat(""); op_square(x) },
    "looks at the numbers of a tensor" = function(x) op_multiply(x, as.double(op_sum(x))),
    "looks at the numbers of a variable" = function(x) op_multiply(x, as.array(w)),
    "depends on the value of a tensor" = function(x) if (op_less(op_sum(x), 0)) op_negative(x) else x,
    "random numbers with R's" = function(x) op_multiply(x, jitter(1)),
    "calls `rnorm()`" = function(x) op_multiply(x, rnorm(1)),
    "with `<<-`" = function(x) { counter <<- counter + 1; x },
    "makes a variable" = function(x) op_add(x, variable(1)),
    "calls `Sys.time()`" = function(x) { Sys.time(); x },
    "calls `get()`" = function(x) op_add(x, get("counter"))
  )
  for (why in names(untraceable)) {
    f <- untraceable[[why]]
    g <- autograph(f)
    expect_message(expect_output(g(x), NA), why, fixed = TRUE)
    expect_message(g(x), NA)
    set.seed(1)
    expected <- values(if (grepl("depends", why)) op_negative(x) else f(x)) # a plain `if` cannot have a tensor
    set.seed(1)
    expect_identical(values(g(x)), expected)
  }
  # R's generator stands where it would without the attempt
  set.seed(3)
  suppressMessages(autograph(untraceable[["random numbers with R's"]])(x))
  after <- runif(1)
  set.seed(3)
  jitter(1)
  expect_identical(runif(1), after)
})

test_that("the function's own errors are its own", {
  f <- function(x) op_matmul(x, x)
  g <- autograph(f)
  expect_refusal(g(x), "shape", "(3, 2) and (3, 2)")
  caught <- autograph(function(x) tryCatch(op_multiply(x, as.double(op_sum(x))), error = function(e) op_multiply(x, 0)))
  expect_identical(sum(as.array(suppressMessages(caught(tensor(c(1, 2)))))), 9)
})

test_that("inside a tape of the caller the ops are recorded; inside another traced function they join it", {
  w <- variable(c(1, 2))
  square <- autograph(function(x) op_square(op_multiply(x, w)))
  with(gradient_tape() %as% tape, y <- square(tensor(c(3, 4))))
  expect_identical(c(as.array(tape$gradient(y, w))), c(18, 64))
  expect_same(function(x) op_sum(square(x)), tensor(c(3, 4)))
})

test_that("if, while and for understand tensors; break and next stay R's", {
  f <- autograph(function(x, data) {
    total <- 0
    for (i in 1:10) {
      if (i == 3) next
      if (op_less(op_sum(x), i)) break
      for (row in data) {
        if (op_less(row, 0)) next
        total <- op_add(total, op_multiply(row, i))
      }
    }
    while (op_less(total, 1000)) total <- op_multiply(total, 2)
    list(total, i, sum(sapply(list(1, 2), function(k) k)))
  })
  result <- suppressMessages(f(tensor(c(2, 3)), tensor(c(1, -1, 2))))
  expect_identical(as.array(result[[1]]), 36 * 32)
  expect_identical(result[2:3], list(6L, 3))
  autograph({
    seen <- c()
    for (a in list(1, NULL, "b")) seen <- c(seen, is.null(a))
    for (n in factor(c("u", "v"))) seen <- c(seen, n == "v")
    for (e in NULL) stop("no")
  })
  expect_identical(seen, c(FALSE, TRUE, FALSE, FALSE, TRUE))
  expect_identical(a, "b")
  expect_refusal(autograph({ if (tensor(c(TRUE, FALSE))) 1 }), "shape", "(2)")
  # loops need no braces around them
  left <- tensor(5)
  autograph(while (left > 2) left <- left - 1)
  expect_identical(as.array(left), 2)
  autograph(for (row in tensor(1:3)) left <- left + op_cast(row, "float64"))
  expect_identical(as.array(left), 8)
  expect_identical(autograph(if (left > 2) "large" else "small"), "large")
  expect_identical(as.array(autograph(if (left > 2) function(x) op_square(x) else sum)(3)), 9)
})

test_that("random numbers of the engine are new in each run, and set.seed() governs them", {
  noise <- function(x) op_add(x, op_random_normal(c(3, 2), dtype = "float64"))
  g <- autograph(noise)
  draw <- function(f, seed) {
    set.seed(seed)
    list(as.array(f(x)), as.array(f(x)), runif(1))
  }
  g(x)
  one <- draw(g, 1)
  expect_false(identical(one[[1]], one[[2]]))
  expect_identical(draw(g, 1), one)
  expect_identical(draw(noise, 1)[[3]], one[[3]])
  expect_null(environment(g)$graph$reason)
})

test_that("a compiled function survives saveRDS together with its variables", {
  w <- variable(c(1, 2))
  g <- autograph(function(x) { variable_assign(w, op_add(w, x)); w })
  g(tensor(c(1, 1)))
  again <- unserialize(serialize(list(g = g, w = w), NULL))
  again$g(tensor(c(10, 10)))
  expect_identical(c(as.array(again$w)), c(12, 13))
  expect_identical(c(as.array(w)), c(2, 3))
})

test_that("print() shows function, programs and reasons", {
  g <- autograph(function(x) op_sum(op_square(x)))
  expect_output(print(g), "not called yet")
  g(x)
  expect_output(print(g), "program for float64 \\(3, 2\\).*square\\(%1\\) float64 \\(3, 2\\)")
  h <- autograph(function(x) { cat("") ; x })
  suppressMessages(h(x))
  expect_output(print(h), "runs eagerly: it calls `cat()`", fixed = TRUE)
})

#' f compiled and f op by op, each in an environment of its own that `make` fills, called with what `calls` says between
#' changes; both must give the same.
expect_agreement <- function(make, ..., compiled = NA) {
  run <- function(wrap) {
    home <- new.env()
    f <- make(home, wrap)
    list(lapply(list(...), function(step) values(suppressMessages(step(home, f)))), f)
  }
  plain <- run(identity)
  fast <- run(autograph)
  expect_identical(fast[[1]], plain[[1]])
  if (!is.na(compiled)) expect_identical(is.null(environment(fast[[2]])$graph$reason), compiled,
    info = environment(fast[[2]])$graph$reason)
}

test_that("compiled steps that were saved go on with the optimizer that was saved beside them", {
  w <- variable(1)
  optimizer <- optimizer_adam(0.1)
  step <- autograph(function() optimizer$minimize(function() op_square(w), list(w)))
  step()
  again <- unserialize(serialize(list(step = step, w = w, optimizer = optimizer), NULL))
  for (f in list(step, again$step)) f()
  expect_identical(as.double(again$optimizer$iterations), 2)
  again$optimizer$learning_rate <- 100
  again$step()
  expect_gt(abs(as.array(again$w) - as.array(w)), 10)
})

test_that("optimizers that are looked at or made inside, or follow a schedule for several steps, are not compiled away",
  {
  minimize <- function(home, f) f()
  optimizer <- function(home, wrap, body, rate = 0.1) {
    w <- variable(1)
    o <- optimizer_sgd(rate, momentum = 0.9)
    wrap(body(w, o))
  }
  two <- list(minimize, minimize)
  for (body in list(
    function(w, o) function() { o$minimize(function() w^2, list(w)); list(w * 1, as.double(o$iterations)) },
    function(w, o) function() { o$minimize(function() w^2, list(w)); w * o$learning_rate },
    function(w, o) function() { p <- optimizer_sgd(0.1, momentum = 0.9); p$minimize(function() w^2, list(w)); w * 1 }
  )) {
    do.call(expect_agreement, c(list(function(home, wrap) optimizer(home, wrap, body)), two))
  }
  schedule <- learning_rate_schedule_exponential_decay(0.1, 1, 0.5)
  body <- function(w, o) function() { for (i in 1:3) o$minimize(function() w^2, list(w)); w * 1 }
  expect_agreement(function(home, wrap) optimizer(home, wrap, body, schedule), minimize, minimize)
})

test_that(
  "objects are found out about: reference classes, S4, classed lists, later fields, changes through other names", {
  counter <- setRefClass("autograph_test_counter", fields = list(k = "numeric"), where = environment())
  object <- counter$new(k = 2)
  call <- function(home, f) f(x)
  expect_agreement(function(home, wrap) wrap(function(x) x * object$k), call,
    function(home, f) { object$k <- 3; r <- f(x); object$k <- 2; r })
  expect_agreement(
    function(home, wrap) { home$config <- new.env(); config <- home$config; wrap(function(x) if (is.null(config$k))
      x else x * config$k) },
    call, function(home, f) { home$config$k <- 5; f(x) }
  )
  expect_agreement(
    function(home, wrap) { home$log <- new.env(); home$log$n <- 0; wrap(function(log, x) { l <- log; l$n <- l$n +
      1; x * 2 }) },
    function(home, f) list(f(home$log, x), home$log$n), function(home, f) list(f(home$log, x), home$log$n)
  )
  expect_agreement(
    function(home, wrap) {
      home$k <- 2
      home$model <- structure(list(f = eval(quote(function(x) x * k), home)), class = "a_model")
      wrap(function(x, m) m$f(x))
    },
    function(home, f) f(x, home$model), function(home, f) { home$k <- 3; f(x, home$model) }
  )
  boxed <- autograph(function(x) structure(list(y = x * 2), class = "box"))
  expect_identical(as.array(suppressMessages(boxed(x))$y), as.array(x) * 2)
})

test_that("what a first call builds, such as a model's layers, is no reason not to compile the next", {
  layers <- function() list(layer_dense(units = 2), layer_batch_normalization(), layer_dense(units = 1))
  grown <- keras_model_sequential(input_shape = 2) |> layer_dense(2) |> layer_batch_normalization() |> layer_dense(1)
  for (model in list(grown, keras_model_sequential(layers()), keras_model_sequential(layers(), input_shape = 2))) {
    step <- autograph(function(x) {
      with(tf$GradientTape() %as% tape, loss <- op_mean(op_square(model(x, training = TRUE))))
      tape$gradient(loss, model$trainable_weights)
    })
    data <- tf$cast(x, "float32")
    expect_silent(for (round in 1:3) result <- step(data))
    expect_length(environment(step)$graph$traces, 1)
    weights <- get_weights(model)
    expect_equal(values(environment(step)$graph$f(data)), values(result))
    expect_false(identical(get_weights(model), weights)) # moving averages
  }
  object <- new.env()
  object$n <- 0
  change <- function(e) e$n <- e$n + 1
  g <- autograph(function(x) {
    Map(change, list(object))
    op_multiply(x, object$n)
  })
  expect_silent(expect_identical(as.array(g(x)), as.array(x)))
  expect_message(expect_identical(as.array(g(x)), as.array(x) * 2), "it changes an object")
  expect_silent(expect_identical(as.array(g(x)), as.array(x) * 3))
})

test_that("a function may pass on the arguments of the one around it", {
  around <- function(...) autograph(function(x) op_sum(x, ...))
  expect_identical(c(as.array(around()(x))), -3)
  expect_identical(c(as.array(around(axis = 2)(x))), c(-3, 3, -3))
  second <- function(...) autograph(function(x) op_multiply(x, ..2$by))
  object <- list2env(list(by = 2))
  g <- second(NULL, object)
  expect_identical(as.array(g(x)), as.array(x) * 2)
  object$by <- 3
  expect_identical(as.array(g(x)), as.array(x) * 3)
  expect_length(environment(g)$graph$traces, 1)
})

test_that("functions are found out about: as values, by strings, methods, made by other functions, hidden by new names",
  {
  call <- function(home, f) f(x)
  for (f in list(
    function(x) { lapply("", cat); x }, function(x) { do.call(cat, list("")); x },
    function(x) { do.call("cat", list("")); x }, function(x) { tf$print(""); x },
    function(x) { say <- cat; say(""); x }, function(x) { tf$random$set_seed(1); x }
  )) {
    expect_false(is.null(capture.output(reason <- reason_of(f, x))) || is.null(reason), info = deparse1(body(f)))
  }
  changing <- function(body) {
    function(home, wrap) {
      home$k <- 2
      home$h <- eval(quote(function(x) x * k), home)
      environment(body) <- home
      wrap(body)
    }
  }
  change <- function(home, f) { home$k <- 3; f(x) }
  for (body in list(
    function(x) do.call("h", list(x)), function(x) lapply(list(x), "h"), function(x)
    Vectorize(h, SIMPLIFY = FALSE)(list(x)), function(x) { switch("b", a = { k <- 10 }, b = 0); x * k },
    function(x) { FALSE && (k <- 5); x * k }
  )) {
    expect_agreement(changing(body), call, change)
  }
  expect_agreement(changing(function(x) x * pi), call, function(home, f) { home$pi <- 3; f(x) })
  expect_agreement(
    function(home, wrap) {
      eval(quote({ act <- function(x) UseMethod("act"); act.default <- function(x) x * 2; f <- function(x) act(x) }),
        home)
      wrap(home$f)
    },
    call, function(home, f) { eval(quote(act.default <- function(x) x * 3), home); f(x) }
  )
})

test_that("random numbers are those that the function draws op by op, and R's generator stands where it would", {
  f <- function() list(op_random_normal(3), op_random_uniform(2))
  draw <- function(f) {
    set.seed(1)
    list(values(f()), values(f()), runif(1))
  }
  g <- autograph(f)
  expect_identical(draw(g), draw(f))
  expect_identical(draw(g), draw(f))
})

test_that("tapes inside are as strict as outside", {
  late <- function(x) {
    with(gradient_tape() %as% t, { y <- x^2; t$watch(x); z <- op_sum(x * 3 + y) })
    t$gradient(z, x)
  }
  expect_identical(as.array(suppressMessages(autograph(late)(x))), as.array(late(x)))
  v <- variable(2)
  twice <- autograph(function() {
    with(gradient_tape(persistent = FALSE) %as% t, y <- v^2)
    list(t$gradient(y, v), t$gradient(y, v))
  })
  expect_refusal(twice(), "tape", "persistent = TRUE")
})

test_that("a wrong call is no reason to stop compiling", {
  g <- autograph(function(x, w) op_matmul(x, w))
  expect_refusal(g(x, x), "shape", "inner sizes")
  g(x, tensor(diag(2)))
  expect_null(environment(g)$graph$reason)
})

test_that("for runs over data frames as R's does", {
  f <- function(x) { for (column in data.frame(a = 1:2, b = 3:4)) x <- x + sum(column); x }
  expect_identical(as.array(autograph(f)(x)), as.array(f(x)))
})

test_that("reading a variable gives the numbers of now", {
  w <- tf$Variable(matrix(c(1, 2, 3, 4), 2))
  before <- list(w[1:2, ], w[, ], +w, tf$convert_to_tensor(w), tf$constant(w), as_tensor(w), tf$tile(w, c(1, 1)),
    w$value(), k_identity(w))
  optimizer <- optimizer_adam(0.1)
  optimizer$minimize(function() w^2, list(w))
  moments <- optimizer$variables()[[1]]
  kept <- as.array(moments)
  optimizer$minimize(function() w^2, list(w))
  w$assign(matrix(0, 2, 2))
  for (x in before) expect_identical(as.array(x), matrix(c(1, 2, 3, 4), 2))
  expect_identical(as.array(moments), kept)
})

test_that("one program serves batches of all sizes, unless the function looked at the size", {
  w <- tensor(matrix(c(1, 2, 3, 4), 2))
  free <- function(x, w) op_matmul(x, w) / op_cast(k_shape(x)[1], "float64")
  bound <- function(x, w) op_matmul(x, w) / nrow(x)
  programs <- list(free = 2, bound = 6) # batches of two rows look like the weights
  for (name in names(programs)) {
    plain <- get(name)
    f <- autograph(plain)
    for (n in c(5, 3, 7, 2, 1, 4, 3, 5, 2)) {
      x <- tensor(matrix(seq_len(2 * n) / 7, n))
      expect_identical(as.array(f(x, w)), as.array(plain(x, w)), label = paste(name, n))
    }
    expect_length(environment(f)$graph$traces, programs[[name]])
  }
})

test_that("training steps over batches of several sizes are those of the plain function, bit for bit", {
  x <- matrix(sin(1:20), 10)
  y <- x %*% c(1, -1)
  run <- function(compile) {
    w <- variable(matrix(0.5, 2, 1))
    optimizer <- tf$optimizers$Adam(learning_rate = 0.1)
    step <- compile(function(x, y) {
      with(tf$GradientTape() %as% tape, {
        loss <- tf$reduce_mean((op_matmul(x, w) - y)^2)
      })
      optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
      loss
    })
    losses <- lapply(list(1:4, 5:8, 9:10, 1:10, 3), function(i)
      as.array(step(tensor(x[i, , drop = FALSE]), tensor(y[i, , drop = FALSE]))))
    list(losses, as.array(w))
  }
  expect_identical(run(autograph), run(identity))
})

test_that("a function of R's numbers alone has nothing to compile, which is said once, also by print() and plot()", {
  double <- autograph(function(a) a * 2)
  expect_message(r <- double(matrix(1, 2, 2)), "`double()` has nothing to compile, as its arguments are no tensors",
    fixed = TRUE)
  expect_identical(r, matrix(2, 2, 2))
  expect_silent(double(matrix(2, 2, 2)))
  expect_output(print(double), "nothing to compile: R computes with R's numbers", fixed = TRUE)
  expect_error(plot(double), "`plot()`: there is no program to draw: the function was called with R's numbers",
    fixed = TRUE, class = "nativenet_error_value")
  expect_silent(double(tensor(1)))
  expect_no_error <- function(code) expect_error(code, NA)
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  expect_no_error(plot(double, method = "base"))
  w <- variable(1)
  expect_silent(autograph(function() w)())
  expect_silent(autograph(function(a) w * a)(matrix(1, 2, 2)))
})

test_that("an error of a compiled function names it as it was called", {
  square <- autograph(function(a) a * a)
  square(tensor(2L))
  expect_refusal(square(tensor(100000L)), "value", "`square()`: the result is NaN or beyond")
  expect_error(autograph(function(a) a * a)(tensor(100000L)), "^the result", class = "nativenet_error_value")
})

test_that("batches without samples have a program of their own", {
  f <- autograph(function(x) op_max(x, axis = 2))
  expect_length(as.array(f(tensor(matrix(0, 0, 4)))), 0)
  expect_identical(c(as.array(f(tensor(matrix(1, 5, 4))))), rep(1, 5))
  expect_length(as.array(f(tensor(matrix(0, 0, 4)))), 0)
})

test_that("data that an op refuses are refused compiled, too, where nobody needs its result", {
  f <- autograph(function(x, i) {
    op_gather(x, i)
    op_sum(x)
  })
  expect_error(f(tensor(c(1, 2)), tensor(7L)), class = "nativenet_error_index")
  g <- autograph(function(x, i) {
    op_floor_divide(i, 0L)
    op_sum(x)
  })
  expect_error(g(tensor(c(1, 2)), tensor(7L)), "divided by 0")
})

test_that("a compiled gradient reads nothing where an index is none", {
  f <- autograph(function(x, i, u) {
    with(gradient_tape() %as% tape, {
      tape_watch(tape, u)
      y <- op_sum(op_square(op_scatter_add(x, i, u, axis = 1)))
    })
    tape$gradient(y, u)
  })
  x <- tensor(matrix(1, 4, 2))
  u <- tensor(matrix(2, 2, 2))
  expect_identical(as.array(f(x, tensor(0:1), u)), matrix(6, 2, 2))
  expect_error(f(x, tensor(c(500000000L, 1L)), u), class = "nativenet_error_index")
})

test_that("stopifnot(), isTRUE() and switch() understand tensors", {
  f <- autograph(function(x) {
    stopifnot(x > 0, "too large" = x < 100)
    if (isTRUE(sum(x) > 5)) switch(tensor(2L), "a", x * 2) else x
  })
  suppressMessages({
    expect_identical(as.array(f(tensor(3))), 3)
    expect_identical(as.vector(as.array(f(tensor(c(3, 4))))), c(6, 8))
    expect_error(f(tensor(-1)), "x > 0 is not TRUE", class = "nativenet_error_assert")
    expect_error(f(tensor(c(1, 200))), "too large", class = "nativenet_error_assert")
    expect_error(autograph({
      stopifnot(tensor(c(TRUE, FALSE)))
      1
    }), "is not TRUE", class = "nativenet_error_assert")
    expect_error(autograph(function(x) switch(x, 1, 2))(tensor(1:2)), "a single value", class = "nativenet_error_shape")
  })
})

test_that("what R's own functions cannot take in a compiled function is told with the op for it", {
  suppressMessages({
    expect_error(autograph(function(x) rowSums(x))(tensor(matrix(1:4, 2))),
      "R's `rowSums()` takes no tensors; write ops", fixed = TRUE)
    expect_error(autograph(function(x) which(x > 1))(tensor(1:3)), "op_where(test, yes, no)", fixed = TRUE)
    expect_error(autograph(function(x) stop("my own"))(tensor(1)), "^my own$")
  })
  expect_error(ifelse(tensor(c(1, 2)) > 1, tensor(1), 0), "`ifelse()`: takes no tensors: `op_where(", fixed = TRUE)
})

test_that("a signature of arguments makes tensors of them and refuses others", {
  f <- tf_function(function(x, y) x * y,
    input_signature = list(tf$TensorSpec(list(NULL), tf$float32), tf$TensorSpec(integer(), "float32")))
  for (result in list(f(c(1, 2), 3), f(y = 3, x = c(1, 2)))) {
    expect_identical(tensor_dtype(result), "float32")
    expect_identical(as.vector(as.array(result)), c(3, 6))
  }
  expect_error(f(1:2, matrix(1, 2, 2)), "`y` must be like TensorSpec(shape=(), dtype=tf.float32", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(f(tensor(1:2), 3), "dtype int32", class = "nativenet_error_shape")
  expect_error(f(1), "needs 2 arguments")
  expect_error(tf_function(function(x) x, input_signature = list(1)), "must be a list of `tf$TensorSpec()`",
    fixed = TRUE)
})

test_that("a missing function is named", {
  expect_error(autograph(), "`autograph()`: `f` must be given", fixed = TRUE)
})
