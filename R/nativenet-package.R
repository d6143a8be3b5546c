#' nativenet: neural networks with a native engine
#'
#' Deep learning in R without Python: tensors, automatic differentiation, optimizers and whole training epochs are plain
#' C, called from R under the names of Keras, TensorFlow and tfdatasets.
#'
#' @section Where to begin:
#' A first model, trained and evaluated in a few seconds, is the example below; `vignette("nativenet")` begins at the
#' derivatives of a network of three units, `vignette("models")` goes once through all that a model is.
#' `browseVignettes("nativenet")` lists the other pages.
#'
#' * **Models** of layers: [keras_model_sequential()] and [keras_model()], then [`compile()`][compile.nn_model],
#'   [`fit()`][fit.nn_model], [`evaluate()`][evaluate.nn_model], [`predict()`][predict.nn_model], [save_model()];
#'   models of classes of your own: [new_model_class()], [nn_module()].
#' * **Layers**: [layer_dense()], [layer_dropout()], [layer_embedding()], [layer_conv_2d()], [layer_max_pooling_2d()],
#'   [layer_batch_normalization()], [layer_lstm()], [layer_gru()], [layer_multi_head_attention()]; your own by
#'   [new_layer_class()] or [layer_lambda()]. `apropos("^layer_")` lists them.
#' * **Parts of models**: [activations], [losses], [metrics], [optimizers], [learning_rate_schedules],
#'   [initializers], [regularizers], [constraints], and callbacks such as [callback_early_stopping()].
#' * **Tensors and gradients**: [tensor()], [variable()], [gradient_tape()], [hessian()]; [tf] has TensorFlow's names,
#'   [keras_backend] those of Keras' backend, and `op_...()`, such as [op_matmul()], are keras3's. [autograph()]
#'   compiles an R function into a program that runs in C.
#' * **Data**: [dataset_mnist()] and other published sets, [dataset_digits()] and [dataset_reviews()] made on the spot;
#'   pipelines from [tensor_slices_dataset()] on; pictures and texts from folders by [image_dataset_from_directory()];
#'   texts by [layer_text_vectorization()], [text_tokenizer()], [pad_sequences()]; tables by [feature_spec()].
#' * **Files of others**: Keras' HDF5 and `.keras` by [load_model()], PyTorch's weights by [load_torch_weights()], ONNX
#'   by [save_model_onnx()].
#' * **Pictures**: [plot_images()], [plot_network()], [plot_weights()], [plot_decision()], [grad_cam()].
#' * **Courses on back-propagation**: [build_dense_neural_network()] over ordinary matrices, [check_gradient()], which
#'   compares each derivative with finite differences, labs with [use_lab()].
#'
#' What Keras has and this version has not: [not_yet].
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
#' @examples
#' digits <- dataset_digits(2000)
#' x <- array_reshape(digits$train$x / 255, c(2000, 784))
#' model <- keras_model_sequential(input_shape = 784) |>
#'   layer_dense(64, activation = "relu") |>
#'   layer_dense(10, activation = "softmax")
#' model |> compile("adam", "sparse_categorical_crossentropy", metrics = "accuracy")
#' model |> fit(x, digits$train$y, epochs = 5, verbose = 0)
#' evaluate(model, array_reshape(digits$test$x / 255, c(nrow(digits$test$x), 784)), digits$test$y)
#' @concept neural network
#' @concept deep learning
#' @concept machine learning
#' @concept multilayer perceptron
#' @concept backpropagation
#' @concept automatic differentiation
#' @concept gradient descent
#' @concept autoencoder
#' @concept classification
#' @concept regression
#' @concept convolutional network
#' @concept recurrent network
#' @concept transformer
#' @concept keras
#' @concept tensorflow
#' @concept pytorch
#' @aliases nativenet nativenet-package
#' @useDynLib nativenet, .registration = TRUE, .fixes = "C_"
#' @importFrom methods new setRefClass is
#' @importFrom stats predict rnorm
"_PACKAGE"

.onLoad <- function(libname, pkgname) {
  table <- op_table()
  for (i in seq_len(nrow(table))) assign(table$name[i], i - 1L, envir = op_code)
  list2env(stats::setNames(.Call(C_enums), c("update", "stage", "cell_activation", "cell_output",
    "fill_mode", "weigh")), enums)
  enums$dense_activation <- c("linear", table$name[table$fusable])
  bind_keras_callback(topenv())
  bind_keras_constraint(topenv())
  register_refusals()
  register_at()
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
