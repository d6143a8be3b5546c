# tf$train: checkpoints of whatever a loop of one's own trains, and names of TensorFlow 1 that need no session.

#' Checkpoints
#'
#' `tf$train$Checkpoint(model = model, optimizer = optimizer, step = variable)` keeps the state of models, layers,
#' modules, optimizers, metrics and variables, alone or in lists, in a file of the safetensors format, for loops of
#' one's own. Its members:
#'
#' * `$save(prefix)` makes the folder, if need be, and writes `<prefix>-1.safetensors`, `<prefix>-2.safetensors` and so
#'   on, never over a file that is there, and gives the name without the ending; `$write(path)` writes under a name of
#'   your own;
#' * `$restore(path)`, and `$read(path)`, give all numbers back, the state of optimizers and the learning rate included,
#'   or, where something does not fit, none; of `NULL` they do nothing. The result has `$assert_consumed()` and
#'   `$expect_partial()`, as in TensorFlow. Models and layers must be built before: call them once.
#'
#' `tf$train$CheckpointManager(checkpoint, directory, max_to_keep = 5, checkpoint_name = "ckpt")` saves in a folder,
#' which it makes, and removes the oldest files that it has written there once a new one is complete:
#' `$save()`, `$latest_checkpoint`, `$checkpoints`, `$restore_or_initialize()`.
#' `tf$train$latest_checkpoint(directory)` is the name of the last one, `NULL` if there is none.
#'
#' `tf$train$AdamOptimizer()` and its like of TensorFlow 1 are optimizers with their names of arguments.
#' `tf$Session()`, `tf$placeholder()` and the initializers of variables are refused with the way out.
#'
#' @param ... objects by name, see above.
#' @return An object of class `nn_checkpoint`, see above.
#' @section Errors: `nativenet_error_file` for files that are missing or hold something else; `nativenet_error_shape`
#'   where numbers do not fit; `nativenet_error_unbuilt`. Nothing is changed then.
#' @seealso [save_model()], [save_model_weights()]
#' @examples
#' w <- tf$Variable(c(1, 2))
#' checkpoint <- tf$train$Checkpoint(w = w)
#' path <- checkpoint$save(file.path(tempdir(), "example"))
#' w$assign(c(0, 0))
#' checkpoint$restore(path)
#' w
#' @name checkpoints
NULL

checkpoint_format <- "nativenet-checkpoint-1"

new_checkpoint <- function(...) {
  objects <- list(...)
  if (!length(objects) || !is_named_list(objects)) abort("takes objects by name, as in `model = model`",
    fun = "tf$train$Checkpoint")
  for (name in names(objects)) for (x in tensor_leaves(objects[[name]])) {
    if (!is_layer(x) && !is_module(x) && !is_variable(x) && !is_part(x, "metric") && !inherits(x, "nn_optimizer")) {
      abort("`", name, "` must be a model, a layer, a module, an optimizer, a metric or a variable, not ", describe(x),
        fun = "tf$train$Checkpoint")
    }
  }
  structure(list2env(list(objects = objects, count = 0), parent = emptyenv()), class = "nn_checkpoint")
}

checkpoint_members <- list(
  save = function(x) function(file_prefix, ...) save_checkpoint(x, file_prefix),
  write = function(x) function(file_prefix, ...) {
    write_checkpoint(x, file_prefix, "write")
    invisible(file_prefix)
  },
  restore = function(x) function(save_path, ...) restore_checkpoint(x, save_path, "restore"),
  read = function(x) function(save_path, ...) restore_checkpoint(x, save_path, "read"),
  save_counter = function(x) .subset2(x, "count")
)

#' @export
`$.nn_checkpoint` <- function(x, name) {
  member <- checkpoint_members[[name]]
  if (!is.null(member)) return(member(x))
  objects <- .subset2(x, "objects")
  if (name %in% names(objects)) return(objects[[name]])
  unknown_member(name, c(names(checkpoint_members), names(objects)), "a checkpoint")
}

#' @export
print.nn_checkpoint <- function(x, ...) {
  cat("<checkpoint of ", paste(names(.subset2(x, "objects")), collapse = ", "), ">\n", sep = "")
  invisible(x)
}

#' Variables by the name of the object that holds them first, and optimizers.
#' @noRd
checkpoint_parts <- function(x, fun) {
  objects <- .subset2(x, "objects")
  variables <- list()
  optimizers <- list()
  for (name in names(objects)) for (part in tensor_leaves(objects[[name]])) {
    if (inherits(part, "nn_optimizer")) optimizers <- c(optimizers, stats::setNames(list(part), name))
    else {
      held <- if (is_variable(part)) list(part) else if (is_part(part, "metric")) metric_variables(part) else
        if (is_layer(part)) held_built(part, fun) else all_weights(part)
      for (v in held) if (!is_one_of(v, variables)) variables <- c(variables, stats::setNames(list(v), name))
    }
  }
  list(variables = variables, optimizers = optimizers)
}

held_built <- function(layer, fun) {
  unbuilt <- Filter(function(l) !l$built && !is.null(layer_type(l)$build), layers_within(layer_self(layer)))
  if (length(unbuilt) && !length(all_weights(layer_self(layer)))) abort("`", layer_self(layer)$name,
    "` has no weights yet: call it once before", class = "unbuilt", fun = fun)
  all_weights(layer_self(layer))
}

metric_variables <- function(m) if (is.null(own_object(m))) list(metric_totals(m)) else
  object_field(own_object(m), "weights")

checkpoint_keys <- function(parts) sprintf("%s/%04d", names(parts), seq_along(parts))

checkpoint_file <- function(path) paste0(check_string(path, arg = "file_prefix", fun = NULL), ".safetensors")

write_checkpoint <- function(x, path, fun) {
  parts <- checkpoint_parts(x, fun)
  tensors <- stats::setNames(parts$variables, checkpoint_keys(parts$variables))
  for (k in seq_along(parts$optimizers)) {
    own <- optimizer_tensors(parts$optimizers[[k]], parts$variables)
    names(own) <- paste0("optimizer ", k, "/", names(own))
    tensors <- c(tensors, own)
  }
  write_tensor_file(checkpoint_file(path), tensors, list(format = checkpoint_format,
    count = as.character(.subset2(x, "count"))), fun)
}

restore_checkpoint <- function(x, path, fun) {
  status <- list(assert_consumed = function() invisible(TRUE), expect_partial = function() invisible(TRUE),
    assert_existing_objects_matched = function() invisible(TRUE))
  if (is.null(path)) return(invisible(status))
  check_not_tracing("it restores a checkpoint")
  file <- read_tensor_file(checkpoint_file(path), "save_path", fun)
  where <- encodeString(path, quote = "\"")
  if (!identical(file$metadata$format, checkpoint_format)) abort(where, " is no checkpoint", class = "file", fun = fun)
  parts <- checkpoint_parts(x, fun)
  keys <- checkpoint_keys(parts$variables)
  stored <- grep("^optimizer [0-9]+/", names(file$tensors), value = TRUE, invert = TRUE)
  if (!setequal(keys, stored)) abort(where, " holds ", length(stored), " variables (", some_names("", stored),
    "), not those of the objects (", some_names("", keys), ")", class = "shape", fun = fun)
  for (k in seq_along(keys)) if (!identical(dim(file$tensors[[keys[k]]]), dim(parts$variables[[k]]))) {
    abort(where, ": `", keys[k], "` has the shape ", format_shape(dim(file$tensors[[keys[k]]])), ", not ",
      format_shape(dim(parts$variables[[k]])), class = "shape", fun = fun)
  }
  states <- lapply(seq_along(parts$optimizers), function(k) {
    of <- paste0("optimizer ", k, "/")
    own <- file$tensors[startsWith(names(file$tensors), of)]
    if (!length(own)) abort(where, " holds no state of the optimizer `", names(parts$optimizers)[k], "`",
      class = "shape", fun = fun)
    stats::setNames(own, substring(names(own), nchar(of) + 1))
  })
  suspendInterrupts({
    Map(variable_assign, parts$variables, file$tensors[keys])
    Map(function(optimizer, tensors) restore_state(optimizer, unname(parts$variables), tensors), parts$optimizers,
      states)
  })
  assign("count", max(.subset2(x, "count"), suppressWarnings(as.numeric(file$metadata$count)), na.rm = TRUE), envir = x)
  invisible(status)
}

#' Save under the next number that no file has.
#' @noRd
save_checkpoint <- function(x, prefix, fun = "save") {
  check_string(prefix, arg = "file_prefix", fun = fun)
  n <- max(.subset2(x, "count"), checkpoint_numbers(prefix)) + 1
  assign("count", n, envir = x)
  path <- paste0(prefix, "-", n)
  make_folder(dirname(prefix), fun)
  write_checkpoint(x, path, fun)
  note_checkpoints(dirname(prefix), c(known_checkpoints(dirname(prefix)), basename(path)), fun)
  path
}

checkpoint_numbers <- function(prefix) {
  files <- list.files(dirname(prefix))
  stem <- paste0(basename(prefix), "-")
  files <- files[startsWith(files, stem) & endsWith(files, ".safetensors")]
  numbers <- suppressWarnings(as.numeric(substr(files, nchar(stem) + 1, nchar(files) - nchar(".safetensors"))))
  max(0, numbers, na.rm = TRUE)
}

# Which checkpoints a folder has stands in its file `checkpoint`, in TensorFlow's form, the last one last.

note_checkpoints <- function(folder, names, fun) {
  lines <- c(sprintf("model_checkpoint_path: \"%s\"", names[length(names)]),
    sprintf("all_model_checkpoint_paths: \"%s\"", unique(names)))
  replace_text(file.path(folder, "checkpoint"), paste0(lines, "\n", collapse = ""), fun)
}

known_checkpoints <- function(folder) {
  file <- file.path(folder, "checkpoint")
  if (!file.exists(file)) return(character())
  lines <- grep("^all_model_checkpoint_paths: ", readLines(file, warn = FALSE), value = TRUE)
  names <- basename(sub("^[^\"]*\"(.*)\".*$", "\\1", lines))
  names[file.exists(file.path(folder, paste0(names, ".safetensors")))]
}

latest_checkpoint <- function(checkpoint_dir, latest_filename = NULL) {
  if (!is.null(latest_filename)) abort("`latest_filename` must be NULL", fun = "latest_checkpoint")
  names <- known_checkpoints(check_string(checkpoint_dir, fun = "latest_checkpoint"))
  if (length(names)) file.path(checkpoint_dir, names[length(names)])
}

checkpoint_manager <- function(checkpoint, directory, max_to_keep = 5, checkpoint_name = "ckpt", ...) {
  fun <- "tf$train$CheckpointManager"
  if (!inherits(checkpoint, "nn_checkpoint")) abort("`checkpoint` must be a `tf$train$Checkpoint()`, not ",
    describe(checkpoint), fun = fun)
  check_string(directory, fun = fun)
  check_string(checkpoint_name, fun = fun)
  if (!is.null(max_to_keep)) max_to_keep <- check_count(max_to_keep, fun = fun)
  check_no_more(list(...), fun)
  structure(list2env(list(checkpoint = checkpoint, directory = directory, keep = max_to_keep, name = checkpoint_name),
    parent = emptyenv()), class = "nn_checkpoint_manager")
}

manager_members <- list(
  save = function(x) function(...) {
    folder <- .subset2(x, "directory")
    path <- save_checkpoint(.subset2(x, "checkpoint"), file.path(folder, .subset2(x, "name")))
    own <- managed_checkpoints(x)
    old <- if (!is.null(.subset2(x, "keep"))) utils::head(own, -.subset2(x, "keep"))
    if (length(old)) {
      note_checkpoints(folder, setdiff(known_checkpoints(folder), old), "save")
      unlink(file.path(folder, paste0(old, ".safetensors")), expand = FALSE)
    }
    path
  },
  checkpoints = function(x) file.path(.subset2(x, "directory"), managed_checkpoints(x)),
  latest_checkpoint = function(x) latest_checkpoint(.subset2(x, "directory")),
  restore_or_initialize = function(x) function() {
    last <- latest_checkpoint(.subset2(x, "directory"))
    restore_checkpoint(.subset2(x, "checkpoint"), last, "restore_or_initialize")
    invisible(last)
  },
  directory = function(x) .subset2(x, "directory"), checkpoint = function(x) .subset2(x, "checkpoint")
)

#' Those of its name.
#' @noRd
managed_checkpoints <- function(x) {
  names <- known_checkpoints(.subset2(x, "directory"))
  names[startsWith(names, paste0(.subset2(x, "name"), "-"))]
}

#' @export
`$.nn_checkpoint_manager` <- function(x, name) {
  member <- manager_members[[name]]
  if (is.null(member)) unknown_member(name, names(manager_members), "a checkpoint manager")
  member(x)
}

#' @export
print.nn_checkpoint_manager <- function(x, ...) {
  cat("<checkpoints in ", .subset2(x, "directory"), ">\n", sep = "")
  invisible(x)
}

# ---- TensorFlow 1 ----

no_session <- function(name) {
  force(name)
  function(...) abort("there are no sessions, placeholders and initializers: ops run at once, as in TensorFlow 2. ",
    "Give the function its arrays, write the loop with `tf$GradientTape()`, and compile it by `tf_function()`",
    class = "missing", fun = name)
}

session_names <- c("Session", "InteractiveSession", "placeholder", "global_variables_initializer",
  "initialize_all_variables", "get_default_session", "reset_default_graph")

session_refusals <- function(path) stats::setNames(lapply(paste0(path, session_names), no_session), session_names)

tf_train <- function() new_namespace("tf$train", c(tf_messages, list(
  Checkpoint = new_checkpoint, CheckpointManager = checkpoint_manager, latest_checkpoint = latest_checkpoint,
  AdamOptimizer = function(learning_rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, ...)
  optimizer_adam(learning_rate, beta1, beta2, epsilon),
  GradientDescentOptimizer = function(learning_rate, ...) optimizer_sgd(learning_rate),
  MomentumOptimizer = function(learning_rate, momentum, use_locking = FALSE, name = "Momentum", use_nesterov = FALSE) {
    check_flag(use_locking)
    optimizer_sgd(learning_rate, momentum, use_nesterov)
  },
  RMSPropOptimizer = function(learning_rate, decay = 0.9, momentum = 0, epsilon = 1e-10, ...)
  optimizer_rmsprop(learning_rate, rho = decay, momentum = momentum, epsilon = epsilon),
  AdagradOptimizer = function(learning_rate, initial_accumulator_value = 0.1, ...)
  optimizer_adagrad(learning_rate, initial_accumulator_value = initial_accumulator_value, epsilon = 0),
  AdadeltaOptimizer = function(learning_rate = 0.001, rho = 0.95, epsilon = 1e-8, ...)
  optimizer_adadelta(learning_rate, rho = rho, epsilon = epsilon),
  get_or_create_global_step = function() {
    if (is.null(session$global_step)) session$global_step <- variable(tensor(0, "int64"), trainable = FALSE,
      name = "global_step")
    session$global_step
  }
)))

# ---- names of TensorFlow 1 that have other ones now ----

tf_get_variable <- function(name, shape = NULL, dtype = "float32", initializer = NULL, regularizer = NULL,
  trainable = TRUE, ...) {
  fun <- "tf$compat$v1$get_variable"
  check_string(name, fun = fun)
  if (!is.null(regularizer)) abort("`regularizer` must be NULL: add its loss by hand", fun = fun)
  if (is.null(initializer)) initializer <- initializer_glorot_uniform()
  value <- if (is_tensor(initializer) || is.numeric(initializer)) tf_value(initializer, fun = fun) else
    as_part("initializer", initializer, "initializer", fun)(as.integer(check_sizes(shape, fun = fun)),
      as.character(check_choice(dtype, dtypes, fun = fun)))
  variable(value, trainable = check_flag(trainable, fun = fun), name = name)
}

first_names <- function() list(
  get_variable = tf_get_variable,
  assign = function(ref, value, ...) check_variable(ref, "tf$assign")$assign(value),
  assign_add = function(ref, value, ...) check_variable(ref, "tf$assign_add")$assign_add(value),
  assign_sub = function(ref, value, ...) check_variable(ref, "tf$assign_sub")$assign_sub(value),
  log = function(x, name = NULL) op_log(op_input(x)), random_normal = tf_random$normal,
  random_uniform = tf_random$uniform, truncated_normal = tf_random$truncated_normal,
  random_shuffle = tf_random$shuffle, multinomial = tf_random_more$categorical,
  to_float = function(x, name = NULL) op_cast(op_input(x), "float32"),
  to_double = function(x, name = NULL) op_cast(op_input(x), "float64"),
  to_int32 = function(x, name = NULL) op_cast(op_input(x), "int32"),
  to_int64 = function(x, name = NULL) op_cast(op_input(x), "int64"),
  set_random_seed = function(seed) set_random_seed(seed), div = function(x, y, name = NULL) true_divide(op_input(x),
    op_input(y)), read_file = function(filename, name = NULL) bytes_in_file(filename)
)

check_variable <- function(x, fun) {
  if (is_variable(x)) return(x)
  abort("`ref` must be a variable, not ", describe(x), fun = fun)
}
