# .Call() with wrong types and sizes: an R error, never a crash. Only our own R code makes these calls, but
# a mistake there must not take the session down.

ns <- asNamespace("nativenet")

test_that("wrong types and sizes are errors", {
  refused <- function(...) expect_error(.Call(...), class = "error")
  program <- .Call(ns$C_program_new)
  x <- .Call(ns$C_program_input, program, 1L, c(2L, 3L), 0L)
  tape <- .Call(ns$C_program_new)
  v <- variable(c(1, 2))
  for (dtype in list(99L, -2L, NA, "float32", NULL, 1:2)) refused(ns$C_tensor, 1, dtype)
  for (dim in list(-1L, NA_integer_, 1.5, rep(1L, 9), rep(.Machine$integer.max, 3), "a", mean))
    refused(ns$C_program_input, program, 1L, dim, 0L)
  refused(ns$C_program_input, program, 99L, 1L, 0L)
  for (penalties in list(numeric(), 1, 1:2, NULL, "a")) refused(ns$C_program_variable, program, v, penalties)
  for (set in list(character(), NULL, 1L, c("avx2", "avx512"))) refused(ns$C_kernels, set)
  for (seeds in list(list(), list(1, 2), 1)) refused(ns$C_tape_gradient, tape, list(v), list(v), seeds, list(NULL))
  for (p in list(NULL, 1L, v, x, list(), tape)) refused(ns$C_program_run, p, list(x), list(matrix(0, 2, 3)), list(x))
  refused(ns$C_program_run, program, list(x), list(), list(x))
  refused(ns$C_program_run, program, list(v), list(v), list(x))
  none <- list(NULL, NULL)
  for (name in list(-1L, NA, "no such op", NULL, character(), c("add", "add"))) refused(ns$C_apply, name, list(1, 2),
    numeric(), numeric(), none)
  refused(ns$C_apply, "add", list(), numeric(), numeric(), none)
  refused(ns$C_apply, "add", list(1, 2), as.double(1:99), numeric(), none)
  refused(ns$C_apply, "add", list(1, 2), numeric(), as.double(1:99), none)
  refused(ns$C_apply, "add", list(1, 2), "a", numeric(), none)
  for (who in list(list(list(1), NULL), list(list(v), NULL), 1, list(), list(1, NULL)))
    refused(ns$C_apply, "add", list(v, 2), numeric(), numeric(), who)
  expect_identical(.Call(ns$C_kernels, ""), nn_features()$instructions)
})

test_that("an op with attributes that make no sense is an error or harmless", {
  set.seed(1)
  inputs <- list(matrix(1, 2, 3), c(1, 2, 3), 1, array(1, c(2, 2, 2)), 0:1, TRUE, variable(c(1, 2)),
    tensor(matrix(0, 0, 3)), array(0L, c(3, 2)))
  for (i in 1:1500) {
    tryCatch(
      .Call(ns$C_apply, sample(op_names(), 1), inputs[sample(length(inputs), sample(0:4, 1), replace = TRUE)],
        as.double(sample(c(-2:5, 2^31, 2^62, -2^62, 1e300, NaN), sample(0:9, 1), replace = TRUE)),
        stats::runif(sample(0:4, 1), -1, 1), list(NULL, NULL)),
      nativenet_error = identity
    )
  }
  succeed()
})

test_that("random arguments for every routine are errors or harmless", {
  set.seed(2)
  routines <- Filter(function(s) inherits(s, "CallRoutine"), mget(ls(ns, pattern = "^C_"), envir = ns))
  # these change the session
  routines <- routines[setdiff(names(routines), c("C_threads", "C_kernels", "C_blas", "C_recording", "C_plain_dtype"))]
  program <- .Call(ns$C_program_new)
  x <- .Call(ns$C_program_input, program, 1L, c(2L, 3L), 0L)
  w <- .Call(ns$C_program_input, program, 1L, c(3L, 2L), 0L)
  loss <- op_mean(op_matmul(x, w))
  tape <- gradient_tape()
  v <- variable(c(1, 2))
  y <- tape_record(tape, op_square(v))
  pool <- list(
    NULL, NA, TRUE, 1L, 0L, -1L, 3L, 99L, 2.5, NaN, 1e10, "a", character(), numeric(), integer(), list(), list(NULL),
    mean, globalenv(), as.raw(1), 1i, quote(x), c(1, 2), 1:3, matrix(1, 2, 3), tensor(1), tensor(1:2),
    tensor(matrix(1, 2, 3)), v, y, program, x, w, loss, tape, nativenet:::tape_state(tape)$program, list(x), list(w),
    list(v), list(y), list(matrix(1, 2, 3)), list(tensor(matrix(1, 2, 3))), c(4, 0.1, 0.9, 0.99, 1e-7, 0, 0),
    c(9, 1, 1, 1, 1, 1, 1), structure(1L, class = "nn_tensor"), structure(list(), class = "nn_tensor")
  )
  pool <- c(pool, .Call(ns$C_optimizer_new, c(4, 0.1, 0.9, 0.99, 1e-7, 0, 0)))
  for (i in 1:2000) {
    routine <- routines[[sample(length(routines), 1)]]
    tryCatch(do.call(.Call, c(list(routine), pool[sample(length(pool), routine$numParameters, replace = TRUE)])),
      error = identity, warning = identity)
  }
  succeed()
})

# ---- memory ----

in_little_memory <- function(f) callr::r(f, libpath = .libPaths(),
  env = c(callr::rcmd_safe_env(), R_MAX_VSIZE = "250Mb", OMP_NUM_THREADS = "1"))

test_that("memory that cannot be had is an error that names who asked for it and how much", {
  skip_if_not_installed("callr")
  got <- in_little_memory(function() {
    library(nativenet)
    refusal <- function(code) tryCatch({
      code
      "no error"
    }, nativenet_error_memory = conditionMessage, error = function(e) paste("a plain error:", conditionMessage(e)))
    large <- op_random_uniform(c(1e5, 400))
    list(
      k_zeros = refusal(k_zeros(c(1e5, 1e4))), k_eye = refusal(k_eye(1e5)),
      op_tile = refusal(op_tile(matrix(1:4, 2), c(1e5, 1e4))),
      op_broadcast_to = refusal(op_broadcast_to(1, c(1e5, 1e4))), op_repeat = refusal(op_repeat(1:3, 1e9)),
      op_pad = refusal(op_pad(matrix(1, 2, 2), matrix(c(0, 0, 1e9, 0), 2))),
      op_one_hot = refusal(op_one_hot(0:10, 1e9)), op_matmul = refusal(op_matmul(matrix(1, 1e4, 1), matrix(1, 1, 1e5))),
      op_random_normal = refusal(op_random_normal(c(1e5, 1e4))),
      initializer_orthogonal = refusal(initializer_orthogonal()(c(1e4, 1e5))),
      initializer_identity = refusal(initializer_identity()(c(1e5, 1e4))),
      initializer_glorot_uniform = refusal(initializer_glorot_uniform()(c(1e5, 1e4))),
      layer_dense = refusal(layer_dense(keras_model_sequential(input_shape = 1e5), 1e5)),
      layer_embedding = refusal(layer_embedding(keras_model_sequential(input_shape = 5), 1e6, 1e5)),
      to_categorical = refusal(to_categorical(0:10, 1e9)),
      pad_sequences = refusal(pad_sequences(list(1:3, 4), maxlen = 1e9)),
      sequences_to_matrix = refusal(sequences_to_matrix(list(1:3), num_words = 1e9)),
      skipgrams = refusal(skipgrams(1:1e5, 1e6, window_size = 1e5)),
      make_sampling_table = refusal(make_sampling_table(1e9)),
      as.array = refusal(as.array(large)),
      variable = refusal(variable(large))
    )
  })
  for (name in setdiff(names(got), "variable")) expect_match(got[[name]], paste0("^(layer )?`", name), label = name)
  for (name in names(got)) expect_match(got[[name]], "takes [0-9.]+ [MGT]B of memory", label = name)
  asked <- c(k_eye = "size", op_tile = "repeats", op_repeat = "repeats", op_pad = "pad_width",
    op_one_hot = "num_classes",
    to_categorical = "num_classes", pad_sequences = "maxlen", sequences_to_matrix = "num_words",
    skipgrams = "window_size", make_sampling_table = "size")
  for (name in names(asked)) expect_match(got[[name]], paste0("`", asked[[name]], "`"), fixed = TRUE, label = name)
})

test_that("a model that got no memory is as it was, and trains on", {
  skip_if_not_installed("callr")
  got <- in_little_memory(function() {
    library(nativenet)
    kind <- function(code) tryCatch({
      code
      "no error"
    }, nativenet_error = function(e) class(e)[1], error = conditionMessage)
    x <- matrix(rep_len(c(0.1, -0.2, 0.3), 2e6), 2e4)
    y <- rowSums(x[, 1:3])
    model <- function(batch) {
      set.seed(1)
      m <- keras_model_sequential(input_shape = 100) |> layer_dense(5000, activation = "relu") |> layer_dense(1)
      m |> compile("adam", "mse")
      train_on_batch(m, x[1:50, ], y[1:50])
      before <- get_weights(m)
      large <- if (batch) {
        list(kind(fit(m, x, y, batch_size = 20000, epochs = 1, verbose = 0)), kind(predict(m, x, batch_size = 20000)),
          kind(evaluate(m, x, y, batch_size = 20000)))
      }
      same <- identical(before, get_weights(m))
      train_on_batch(m, x[1:50, ], y[1:50])
      list(large = unlist(large), same = same, weights = get_weights(m))
    }
    list(model(TRUE), model(FALSE))
  })
  expect_identical(got[[1]]$large[1:3], rep("nativenet_error_memory", 3))
  expect_true(got[[1]]$same)
  expect_identical(got[[1]]$weights, got[[2]]$weights)
})

# ---- interrupts ----

test_that("an interrupt ends single ops, initializers and conversions that would go on for long", {
  skip_on_os("windows")
  skip_if_not_installed("callr")
  session <- callr::r_session$new()
  on.exit(session$close())
  session$run(function() {
    options(nativenet.blas = FALSE) # a product of a library is waited for
    library(nativenet)
    long <<- list(
      product = function() op_matmul(big, big), # many seconds
      orthogonal = function() initializer_orthogonal()(c(6000, 6000)),
      random = function() repeat op_random_normal(c(2e3, 1e3)),
      to_r = function() repeat as.array(some), from_r = function() repeat tensor(ours)
    )
    big <<- op_broadcast_to(tensor(1, "float32"), c(6000, 6000))
    some <<- op_broadcast_to(0, c(200, 8000))
    ours <<- matrix(0, 200, 8000)
    NULL # what is returned goes from process to process
  })
  for (name in c("product", "orthogonal", "random", "to_r", "from_r")) {
    stopped <- interrupted(session, function(running, name) {
      file.create(running)
      tryCatch(long[[name]](), interrupt = function(e) sum(proc.time()[c("user.self", "sys.self")]))
    }, name)
    expect_lt(stopped - attr(stopped, "sent"), 3, label = name)
  }
  expect_identical(session$run(function() as.array(op_matmul(diag(2), diag(2)))), diag(2))
})

test_that(
  paste0("an interrupt in the middle of a large step leaves the weights of a complete step, and resume gives the ",
    "bits of an undisturbed run"), {
  skip_on_os("windows")
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0", "slow")
  skip_if_not_installed("callr")
  session <- callr::r_session$new()
  on.exit(session$close())
  got <- interrupted(session, function(running) {
    library(nativenet)
    x <- matrix(rep_len(c(0.1, -0.3, 0.2, 0.7, -0.5), 1e6), 1000)
    y <- x[, 1]
    make <- function() {
      set.seed(1)
      m <- keras_model_sequential(input_shape = 1000) |> layer_dense(1500, activation = "relu") |> layer_dropout(0.1) |>
        layer_dense(1500) |> layer_dense(1)
      m |> compile("adam", "mse", metrics = "mae")
    }
    m <- make()
    set.seed(2)
    begin <- callback_lambda(on_batch_begin = function(batch, logs) file.create(running))
    note <- character()
    withCallingHandlers(
      tryCatch(fit(m, x, y, batch_size = 500, epochs = 1000, verbose = 0, callbacks = begin), interrupt = function(e)
        "interrupted"),
      message = function(e) {
        note <<- conditionMessage(e)
        invokeRestart("muffleMessage")
      }
    )
    steps <- as.double(m$optimizer$iterations)
    stopped <- get_weights(m)
    epochs <- steps %/% 2 + 1
    fit(m, x, y, batch_size = 500, epochs = epochs, verbose = 0, resume = TRUE)
    whole <- make()
    set.seed(2)
    at <- list()
    fit(whole, x, y, batch_size = 500, epochs = epochs, verbose = 0,
      callbacks = callback_lambda(on_batch_end = function(batch, logs) at[[length(at) + 1]] <<- get_weights(whole)))
    list(note = note, step = steps == 0 || identical(stopped, at[[steps]]),
      resumed = identical(get_weights(m), get_weights(whole)))
  })
  expect_match(got$note, "interrupted in epoch [0-9]+.*resume = TRUE")
  expect_true(got$step)
  expect_true(got$resumed)
})
