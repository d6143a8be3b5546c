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
#' * `nativenet.keep_memory`: `TRUE` lets R's process keep up to 1 GB of the memory that it has freed, where the C
#'   library is glibc. Loops that run op by op on large tensors may be some percent faster then.
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

.onLoad <- function(libname, pkgname) {
  table <- op_table()
  for (i in seq_len(nrow(table))) assign(table$name[i], i - 1L, envir = op_code)
  list2env(stats::setNames(.Call(C_enums), c("update", "stage", "cell_activation", "cell_output",
    "fill_mode")), enums)
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
