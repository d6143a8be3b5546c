#' nativenet: neural networks with a native engine
#'
#' Tensors, automatic differentiation, optimizers and whole training epochs in plain C, called from
#' R. Start with [build_dense_neural_network()] for a network over ordinary matrices,
#' [tensor()] and [op_matmul()] for tensors, [gradient_tape()] for derivatives and
#' [check_gradient()] to prove them, [dataset_mnist()] and [dataset_digits()] for data.
#'
#' @section Options:
#' * `nativenet.threads`: how many threads to use, see [nn_threads()].
#' * `nativenet.instructions`: the instruction set of the engine, see [nn_features()].
#' * `nativenet.blas`: does R's BLAS do large products, see [nn_features()]?
#'
#' They are read when the package loads.
#'
#' @section Other packages:
#' nativenet may be attached before or after others. Generics of the same meaning take its objects: `fit()`,
#' `compile()`, `tidy()`, `glance()` and `augment()` are those of generics, and so of tidymodels, keras, luz and broom;
#' `evaluate()` of generics, tensorflow, keras and keras3, `as_tensor()` of tensorflow and `as_iterator()` and `loop()`
#' of coro have methods for them, and `%as%` of reticulate does what ours does. `evaluate()` leaves objects of others to
#' the function that it masks.
#'
#' Functions that are no generics cannot take objects of ours: a package that masks such a name says so when it is
#' attached after nativenet. Then attach nativenet last, write `nativenet::iterate()`, or leave the name out:
#' `library(future, exclude = c("%<-%", "%->%"))`, whose `%<-%` does not destructure. keras, keras3, tensorflow and
#' tfdatasets have most names in common with nativenet and need Python: attach one or the other. torch and luz share
#' `nn_module()` and `evaluate()`, reticulate `iterate()`, `iter_next()`, `as_iterator()` and `array_reshape()`, dials
#' `activation()` and `threshold()`, yardstick `get_weights()`, e1071 `sigmoid()`, compiler `compile()`.
#'
#' @keywords internal
#' @aliases nativenet nativenet-package
#' @useDynLib nativenet, .registration = TRUE, .fixes = "C_"
#' @importFrom methods new setRefClass is
#' @importFrom stats predict rnorm
"_PACKAGE"

# State of the session.
#   networks    made so far
#   optimizers  that take part in the function being traced; aborted: why it cannot be
#   names       of layers and models: how many there are of each kind, for numbers behind them
#   home        in which session a layer was made or called: as no two share it, names are unique in one only
#   nodes       calls of layers on symbolic tensors so far
#   trainable_changes  another environment after each change of what is to be trained
#   traced_tapes  the states of tapes that record in the function being traced
#   custom      TRUE once a function of custom_gradient() was called
#   training    do layers that are called without `training` behave as in training?
#   penalties   on activities, collected while a training step is traced
#   told_formats  names of files whose format is not what the name says
#   floatx, epsilon  of the k_*() functions; compiled functions notice when they change
session <- new.env(parent = emptyenv())
session$networks <- 0
session$floatx <- "float32"
session$epsilon <- 1e-7
session$names <- list()
session$home <- new.env(parent = emptyenv())
session$nodes <- 0
session$trainable_changes <- new.env(parent = emptyenv())
session$training <- FALSE

# Who keeps the ops that run; changed in place by set_recording().
recording <- vector("list", 2)

# Memory that tapes share for gradients on their way; grows in place.
gradient_scratch <- vector("list", 1)

tapes_recording <- function() recording[[1]]
tracing_program <- function() recording[[2]]
is_tracing <- function() !is.null(recording[[2]])
set_recording <- function(tapes = recording[[1]], tracing = recording[[2]]) .Call(C_recording, recording, tapes,
  tracing)

# What C enumerates, in its order: names of "update" rules, of the "stage" of a data set, of the "cell_activation" and
# "cell_output" of recurrent ops, and of what may be the "dense_activation"; and the codes of ops, by name. Filled when
# the package loads.
enums <- new.env(parent = emptyenv())
op_code <- new.env(parent = emptyenv())

#' The number that C has for a name.
#' @noRd
enum_code <- function(enum, name) match(name, enums[[enum]]) - 1L

.onLoad <- function(libname, pkgname) {
  table <- op_table()
  for (i in seq_len(nrow(table))) assign(table$name[i], i - 1L, envir = op_code)
  list2env(stats::setNames(.Call(C_enums), c("update", "stage", "cell_activation", "cell_output")), enums)
  enums$dense_activation <- c("linear", table$name[table$fusable])
  bind_keras_callback(topenv())
  register_refusals()
  choose_instructions()
  choose_blas()
  .Call(C_threads, default_threads(), 0)
  meet_packages()
  # A student who defines a class that we have too (the course sheets do) must get theirs without a word
  # from R about two classes of one name. So ours leave the session's cache; they are found through the
  # namespace, where they live. This hook runs after R has filled the cache.
  setHook(packageEvent(pkgname, "onLoad"), function(...) {
    ns <- asNamespace(pkgname)
    methods::cacheMetaData(ns, attach = FALSE, searchWhere = ns)
  })
  invisible()
}

.onUnload <- function(libpath) {
  .Call(C_threads_end)
  library.dynam.unload("nativenet", libpath)
}

# Called from C with the kind of condition and its text. Shape rules name the op themselves; other texts get
# the name of the function that the user called.
raise_native <- function(kind, text) {
  if (kind == "traced") abort_trace(text)
  if (kind == "too_large") kind <- c("memory", "shape")
  abort(text, class = kind, fun = if (!startsWith(text, "`")) user_function())
}
