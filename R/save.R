# Models in files: one safetensors file holds the weights, the optimizer state and the random state as tensors,
# and the architecture as JSON among the metadata. No code is ever stored or run: R functions that a model uses are
# stored by name, and given again by who loads it.

#' Save and load models
#'
#' `save_model()` writes a model to one file: its architecture, its weights, how it was compiled, the optimizer
#' state, and the state of R's random numbers. Training a loaded model goes on exactly as it would have without
#' saving, random numbers included, unless R's generator was seeded or used between loading and training. `saveRDS()`
#' and `readRDS()` of a model work, too.
#'
#' The ending of the name is the format. Files of Keras are written and read: HDF5 in the layout of Keras 2.15 (`.h5`,
#' `.hdf5`), and archives of Keras 3 (`.keras`), by the package hdf5r, or rhdf5, where one is installed
#' (`options(nativenet.hdf5 = "rhdf5")` chooses). All other names
#' have the safetensors format: other programs can read the weights, and the optimizer state and the random state are
#' kept to the bit. A file is replaced as a whole or not at all. It
#' holds no code, and loading one from anywhere is safe. So R functions (of [layer_lambda()], custom losses and
#' metrics, custom layers) are stored by name only; give them as `custom_objects` when loading.
#'
#' @param object a model.
#' @param filepath name of the file; `.safetensors` is a good ending. With `NULL`, `save_model()` gives a raw vector in
#'   place of a file, which `load_model()` takes, too.
#' @param overwrite may a file of that name be replaced?
#' @param include_optimizer save the optimizer state?
#' @param signatures,options,zipped,safe_mode not used; present for compatibility with Keras.
#' @param custom_objects a named list of R functions: for a lambda layer by the layer's name, for its mask, an
#'   activation or another argument of a layer by both names, as in `lambda_mask` or `dense_1_activation`, for a metric
#'   by its name in the history, for a loss by that of the variable that was given to [compile()], or else `loss`; for a
#'   class of layers or models by its name (a model of [keras_model_custom()]: a function that makes one, or its
#'   `model_fn`, as `CustomModel`). A function with an attribute `py_function_name` is known by that. The error that
#'   asks for a function says its name; two that would have the same cannot be saved.
#' @param compile compile the loaded model as it was?
#' @return `save_model()`: the file's name, invisibly. `load_model()`: a model.
#' @section Classes of your own: Of layers and models of classes of yours ([new_layer_class()], [new_model_class()]),
#'   and of losses, metrics, constraints and schedules of such ([new_loss_class()]), the name of the class is stored,
#'   and what its constructor takes: what its method `get_config()` says, or else the arguments that it was given. All
#'   formats keep R's values exactly: types, sizes, names, `NULL`, `NA`, `Inf`, factors, dates, data frames, and lists
#'   of them with layers and parts. A function is known by its name, that of the layer and of the argument, as in
#'   `dense_1_activation`. Other values, such as environments, are refused by an error of class
#'   `nativenet_error_custom`. When the model is loaded, the class' method `from_config(config)` makes it of that, or
#'   else the constructor. What the constructor makes is not stored but for weights, what layers within have learned
#'   by [adapt()], and, in the safetensors format, whether they are trained. How a model was compiled whose class has
#'   its own `compile()` is not stored, which a warning of class `nativenet_warning_custom` says.
#' @section Files of Keras': What Keras 2 and Keras 3 wrote is read, whatever its name: structure and weights of the
#'   layers that are here (see [model_from_json()] for what is refused), how the model was compiled, and of most
#'   optimizers the state. A warning of class `nativenet_warning_format` says where that begins anew. Classes of layers
#'   of your own are given as `custom_objects`, and so are R functions in place of lambda layers. The `_hdf5()`
#'   functions are for HDF5; the `_tf()` functions write the safetensors format, and warn, as TensorFlow's folders are
#'   neither written nor read.
#' @section Errors: `nativenet_error_package` if a file of Keras' needs a package that is not installed;
#'   `nativenet_error_file` for files that are missing, cut off or hold something else;
#'   `nativenet_error_custom` for functions that are missing among `custom_objects`.
#' @seealso [save_model_weights()], [serialize_model()], [clone_model()], [callback_model_checkpoint()];
#'   `vignette("models")`.
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
#' path <- tempfile(fileext = ".safetensors")
#' save_model(model, path)
#' again <- load_model(path)
#' identical(predict(model, diag(3)), predict(again, diag(3)))
#' @export
save_model <- function(object, filepath = NULL, overwrite = TRUE, include_optimizer = TRUE, signatures = NULL,
  options = NULL, zipped = NULL) {
  fun <- calling_function(environment())
  if (is.null(filepath)) return(serialize_model(object, include_optimizer))
  if (is_layer(object) && layer_self(object)$kind == "feature_space")
    object <- built_space(layer_self(object), fun)$model
  self <- storable_self(object)
  check_flag(include_optimizer)
  filepath <- check_target(filepath, overwrite)
  format <- target_format(filepath, fun)
  if (format != "safetensors") return(invisible(replace_file(filepath, list(keras_file(self, format, include_optimizer,
    filepath, fun)), fun)))
  pieces <- model_pieces(self, include_optimizer)
  write_tensor_file(filepath, pieces$tensors, pieces$metadata, fun)
  invisible(filepath)
}

# Formats by the endings of names.
file_endings <- c(h5 = "hdf5", hdf5 = "hdf5", hdf = "hdf5", keras = "keras", safetensors = "safetensors", pb = "tf")

#' The format that a name promises, or else the function's: "hdf5", "keras" or "safetensors". It must be at hand.
#' @noRd
target_format <- function(path, fun) {
  format <- unname(file_endings[tolower(sub(".*[.]", "", basename(path)))])
  if (is.na(format)) format <- if (grepl("_hdf5$", fun)) "hdf5" else if (grepl("_tf$", fun)) "tf" else "safetensors"
  if (format %in% c("hdf5", "keras")) hdf5_package(path, fun)
  if (format != "tf") return(format)
  if (!path %in% session$told_formats) {
    note_format(path)
    warn("`", fun, "()`: ", encodeString(path, quote = "\""), " is written in the safetensors format, not in ",
      "TensorFlow's, whatever its name: `load_model()` and libraries for safetensors read it, Keras in Python does ",
      "not, which reads files that end in .keras or .h5", class = "format")
  }
  "safetensors"
}

#' Of this file nothing is to be said again.
#' @noRd
note_format <- function(path) session$told_formats <- union(session$told_formats, path)

check_target <- function(path, overwrite, fun = calling_function()) {
  check_string(path, arg = "filepath", fun = fun)
  if (!check_flag(overwrite, arg = "overwrite", fun = fun) && file.exists(path))
    abort("\"", path, "\" exists; `overwrite = TRUE` would replace it", class = "file", fun = fun)
  as_file_name(path)
}

#' "model/", as scripts call the folders of TensorFlow's, is the file "model" here.
#' @noRd
as_file_name <- function(path) if (is_string(path) && !dir.exists(path)) sub("(.)/+$", "\\1", path) else path

model_format <- "nativenet model 1"
weights_format <- "nativenet weights 1"

model_pieces <- function(self, include_optimizer) {
  weights <- all_weights(self)
  tensors <- stats::setNames(weights, weight_keys(weights))
  compiled <- stored_compilation(self)
  own <- new.env(parent = emptyenv())
  metadata <- list(format = model_format, architecture = to_json(architecture(self, own)))
  metadata$names <- names_entry(self)
  if (!is.null(compiled)) {
    metadata$training <- to_json(compilation(compiled, output_names(self), own))
    if (include_optimizer) tensors <- c(tensors, optimizer_tensors(compiled$optimizer, weights))
  }
  if (!is.null(self$interrupted)) {
    metadata$interrupted <- to_json(self$interrupted[c("epoch", "rows")])
    if (!is.null(self$interrupted$state)) tensors[["interrupted/state"]] <- self$interrupted$state
  }
  tensors[["random/R"]] <- random_state_tensor()
  list(tensors = tensors, metadata = metadata)
}

weight_keys <- function(weights) sprintf("weights/%04d/%s", seq_along(weights),
  sub(":0$", "", vapply(weights, variable_name, "")))

optimizer_tensors <- function(optimizer, weights) {
  memory <- optimizer_memory(optimizer)
  tensors <- list("optimizer/numbers" = tensor(memory$numbers, "float64"))
  for (k in seq_along(memory$variables)) {
    at <- place_of(memory$variables[[k]], weights)
    for (i in seq_along(memory$states[[k]])) if (!is.na(at))
      tensors[[sprintf("optimizer/%04d/%d", at, i)]] <- memory$states[[k]][[i]]
  }
  tensors
}

# ---- the architecture: a table of layers, each once, and for each model the calls that make its graph ----

#' @param own an environment, where the model's R functions are entered by name.
#' @param kept for a copy a list, which takes the values themselves.
#' @noRd
architecture <- function(self, own, kept = NULL) {
  table <- new.env(parent = emptyenv())
  table$own <- own
  table$kept <- kept
  table$selves <- list()
  table$entries <- list()
  top <- layer_number(self, table)
  structure(list(layers = table$entries, model = top), selves = table$selves, kept = table$kept)
}

#' The layer's place in the table, where it is entered with all that it refers to.
#' @noRd
layer_number <- function(self, table) {
  at <- place_of(self, table$selves)
  if (!is.na(at)) return(at)
  check_describable(self)
  if (length(self$own_losses)) warn("the functions that `", self$name, "$add_loss()` took are not stored with the ",
    "model: add them again to what is made of it", class = "custom")
  entry <- list(kind = self$kind, class_name = self$class_name, name = self$name, dtype = self$dtype,
    trainable = self$trainable)
  if (is_made_by_class(self)) {
    entry <- c(entry, class_entry(self, table))
  } else if (!is.null(self$outputs)) {
    if (!is.null(self$own)) enter_own(table$own, self$class_name, self$class)
    entry$graph <- graph_entry(self, table)
    entry$space <- self$space # of layer_feature_space()
  } else if (isTRUE(self$is_input)) {
    entry$shape <- as.list(self$input_shape[-1])
    if (!is.na(self$input_shape[1])) entry$batch <- self$input_shape[1]
  } else {
    if (isFALSE(self$given)) entry$learned <- TRUE # so that adapt() may go on
    entry$config <- Map(config_entry, self$config, names(self$config), MoreArgs = list(self = self, table = table))
  }
  table$selves <- c(table$selves, list(self))
  table$entries <- c(table$entries, list(entry))
  length(table$entries)
}

graph_entry <- function(self, table) {
  nodes <- model_plan(self)$nodes # each stands before those that need it
  layers <- lapply(nodes, function(n) layer_number(n$layer, table))
  listed <- lapply(self$layers, function(l) layer_number(layer_self(l), table))
  place <- function(x) {
    node <- place_of(x$node, nodes)
    list(at = c(node, place_of(x, tensor_leaves(nodes[[node]]$outputs))))
  }
  places <- function(structure) fill_leaves(structure, lapply(tensor_leaves(structure), place))
  is_start <- vapply(nodes, function(n) any(vapply(self$inputs, function(x) identical(x$node, n), NA)), NA)
  list(
    calls = Map(function(n, layer, start) list(layer = layer, inputs = if (!start) places(n$inputs),
      given = if (length(n$args)) Map(config_entry, n$args, names(n$args), MoreArgs = list(self = n$layer,
        table = table, user = TRUE)), more = if (length(n$more)) lapply(n$more, places)), nodes, layers, is_start),
    inputs = lapply(self$inputs, place), outputs = lapply(self$outputs, place), layers = listed,
    ends = if (length(self$ends)) lapply(self$ends, function(end) c(place(end$tensor), list(name = end$name))),
    input_names = self$input_names, output_names = self$output_names
  )
}

compilation <- function(compiled, outputs, own) {
  metric <- function(m) {
    if (is.character(m$metric)) m$metric <- list(name = m$metric)
    else m$metric <- if (is_part(m$metric, "loss")) list(loss = part_entry(m$metric, m$name, own)) else
      list(part = part_entry(if (is_part(m$metric, "metric")) m$metric else as_metric(m$metric, 0, 0), m$name, own))
    m
  }
  optimizer <- compiled$optimizer
  schedule <- .subset2(optimizer, "schedule")
  config <- c(as.list(.subset2(optimizer, "config")), as.list(.subset2(optimizer, "clip")))
  list(
    optimizer = list(
      constructor = constructor_of(.subset2(optimizer, "kind")), name = .subset2(optimizer, "name"), config = config,
      learning_rate = if (is.null(schedule)) current_rate(optimizer), schedule = if (!is.null(schedule))
      if (is.null(own_object(schedule))) list(name = attr(schedule, "name"), config = attr(schedule, "config")) else
        list(own = own_object_entry(schedule, own))
    ),
    losses = Map(part_entry, unname(compiled$losses), if (length(outputs) == 1) "loss" else paste0(outputs, "_loss"),
      MoreArgs = list(own = own), USE.NAMES = FALSE), loss_weights = as.list(compiled$loss_weights),
    metrics = lapply(compiled$metrics, lapply, metric)
  )
}

# ---- loading ----

#' @rdname save_model
#' @export
load_model <- function(filepath, custom_objects = NULL, compile = TRUE, safe_mode = TRUE) {
  fun <- calling_function(environment())
  if (!missing(filepath) && is.raw(filepath)) return(unserialize_model(filepath, custom_objects, compile))
  format <- if (!missing(filepath)) keras_format(filepath)
  if (!is.null(format)) return(load_keras_model(filepath, format, custom_objects, check_flag(compile), fun))
  read_model(model_file(filepath, fun), encodeString(filepath, quote = "\""), custom_objects, check_flag(compile), fun)
}

model_file <- function(path, fun) {
  check_given(missing(path), "filepath", fun)
  if (is.character(path) && any(dir.exists(path))) abort(encodeString(path, quote = "\""),
    " is a folder, such as TensorFlow saves models in", from_keras, class = "file", fun = fun)
  read_tensor_file(as_file_name(path), "filepath", fun, from_keras)
}

# What to do with files that are not read.
from_keras <- paste0(". Files of Keras' are read that end in .keras or .h5: in Python `model.save(\"model.keras\")` ",
  "writes one")

read_model <- function(file, where, custom_objects, compile, fun) {
  custom_objects <- known_custom_objects(custom_objects, fun)
  if (identical(file$metadata$format, weights_format)) {
    abort(where, " holds weights alone, without a model: make the model, and `load_model_weights(model, ", where, ")`",
      class = "file", fun = fun)
  }
  if (!identical(file$metadata$format, model_format)) {
    abort(where, " holds no model of nativenet", if (!is.null(file$metadata$format))
      paste0(" that this version can read, but \"", file$metadata$format, "\""), class = "file", fun = fun)
  }
  description <- from_json(file$metadata$architecture, "description of the model", fun)
  room <- sum(vapply(file$tensors[stored_weights(file$tensors)], length, 0L))
  # weights come from the file
  self <- building(with_room(room, with_own_seed(1, rebuild(description, custom_objects, fun))), where, fun)
  put_weights(self, file$tensors, where, fun)
  if (!is.null(file$metadata$names)) read_names(file$metadata$names, self, fun)
  model <- layer_handle(self)
  if (compile && !is.null(file$metadata$training)) {
    building(recompile(model, from_json(file$metadata$training, "settings of training", fun), file$tensors,
      custom_objects, fun), where, fun)
  }
  if (!is.null(file$metadata$interrupted)) {
    noted <- from_json(file$metadata$interrupted, "state of training", fun)
    # not known of data sets
    rows <- if (!is.null(noted$rows)) building(check_count(noted$rows, arg = "rows", fun = fun), where, fun)
    epoch <- building(check_count(noted$epoch, min = 0, arg = "epoch", fun = fun), where, fun)
    self$interrupted <- list(epoch = epoch, rows = rows, state = file$tensors[["interrupted/state"]])
  }
  saved <- read_random_state(file$tensors[["random/R"]])
  if (!is.null(saved)) self$random_state <- list(saved = saved, at_load = random_state_now())
  if (is.null(self$space)) model else space_of_model(model)
}

#' Evaluate what makes a model from a description. Its errors are the description's.
#' @noRd
building <- function(expr, where, fun) {
  tryCatch(expr, error = function(e) {
    if (inherits(e, "nativenet_error_custom")) stop(e)
    abort(where, " holds a model that cannot be built: ", conditionMessage(e), class = "file", fun = fun)
  })
}

stored_weights <- function(tensors) grep("^weights/", names(tensors), value = TRUE)

#' Layers that are built meanwhile may have weights of so many numbers: a file tells how many it holds.
#' @noRd
with_room <- function(numbers, expr) {
  before <- session$room
  on.exit(session$room <- before)
  session$room <- numbers
  expr
}

#' A model from the table of layers.
#' @param made layers that are made already, by their places in the table; NULL for others.
#' @param kept values that entries of a copy refer to.
#' @noRd
rebuild <- function(description, custom_objects, fun, made = vector("list", length(description$layers)),
  kept = NULL) {
  check_calls(description$layers)
  layer_at <- function(i) {
    i <- check_count(i, max = length(made), arg = "layer", fun = fun)
    if (identical(made[[i]], FALSE)) abort("layer ", i, " refers to itself", class = "file", fun = fun)
    if (is.null(made[[i]])) {
      made[[i]] <<- FALSE
      made[[i]] <<- rebuild_layer(description$layers[[i]], context)
    }
    made[[i]]
  }
  own <- list() # of classes, with their entries
  context <- list(layer_at = layer_at, custom = custom_objects, fun = fun, kept = kept, note_own = function(self, entry)
    own <<- c(own, list(list(self = self, entry = entry))))
  top <- layer_at(description$model)
  for (x in own) restore_inner(x$self, x$entry$within)
  top
}

#' A layer from its entry of the table: an input, a model or a layer of any kind.
#' @param context how other layers are found, the user's own objects, and the name of the function that reads.
#' @noRd
rebuild_layer <- function(entry, context) {
  fun <- context$fun
  take_name(check_name(entry$name, fun))
  check_choice(entry$dtype, if (identical(entry$kind, "input")) input_dtypes() else dtypes, arg = "dtype", fun = fun)
  if (isTRUE(entry$own)) return(rebuild_own(entry, context))
  if (!is.null(entry$graph)) return(rebuild_model(entry, context))
  if (identical(entry$kind, "input"))
    return(input_tensor(read_shape(entry$shape), entry$dtype, entry$name, if (is.null(entry$batch)) NA else
      read_shape(entry["batch"]))$node$layer)
  config <- lapply(stats::setNames(names(entry$config), names(entry$config)), function(name)
    rebuild_argument(entry$config[[name]], name, entry, context))
  constructor <- if (entry$kind == "custom") find_custom(context$custom, entry$class_name, "class of layers",
    fun) else layer_constructor(entry$kind, fun)
  self <- layer_self(made_layer(constructor, entry$kind, config, entry[c("name", "trainable", "dtype")]))
  if (isTRUE(entry$learned)) self$given <- FALSE
  self
}

#' The arguments of a call that hold no symbolic tensors.
#' @noRd
call_args <- function(call, context) if (is.null(call$given)) lapply(call$args, plain_value) else # older files
  Map(function(x, name) rebuild_argument(x, name, list(), context), call$given, names(call$given))

#' A model, by calling its layers once more in their order.
#' @noRd
rebuild_model <- function(entry, context) {
  graph <- entry$graph
  self <- new_model(entry$kind, entry$name, entry$dtype)
  self$trainable <- entry$trainable
  self$space <- entry$space
  outputs <- list()
  output_at <- function(place) {
    at <- unlist(place$at)
    outputs[[at[1]]][[at[2]]]
  }
  is_place <- function(x) is.list(x) && identical(names(x), "at")
  read <- function(x) if (is_place(x)) output_at(x) else lapply(x, read)
  for (call in graph$calls) {
    layer <- context$layer_at(call$layer)
    y <- if (is.null(call$inputs)) layer$output else
      do.call(symbolic_call, list(layer, read(call$inputs), c(call_args(call, context), lapply(call$more, read))))
    outputs <- c(outputs, list(tensor_leaves(y)))
  }
  if (entry$kind == "sequential") self$layers <- lapply(graph$layers, function(i) layer_handle(context$layer_at(i)))
  self$input_names <- unlist(graph$input_names)
  self$output_names <- unlist(graph$output_names)
  self$ends <- lapply(graph$ends, function(end) list(tensor = output_at(end), name = end$name))
  finish_model(self, lapply(graph$inputs, output_at), lapply(graph$outputs, output_at), context$fun)
  if (!entry$class_name %in% c("Functional", "Sequential")) give_class(self, find_custom(context$custom,
    entry$class_name, "class of models", context$fun))
  self
}

#' Each call of a model runs through all that it calls in turn: a few models within each other may be calls without end.
#' @noRd
check_calls <- function(layers) {
  called <- lapply(layers, function(entry)
    unlist(lapply(entry$graph$calls, function(call) if (is_number(call$layer)) call$layer)))
  within <- rep(NA_real_, length(layers))
  count <- function(i) {
    if (is.na(within[i])) {
      within[i] <<- Inf # in case it calls itself
      within[i] <<- length(called[[i]]) +
        sum(vapply(called[[i]], function(k) if (k %in% seq_along(called)) count(k) else 0, 0))
    }
    within[i]
  }
  all <- sum(vapply(seq_along(layers), count, 0))
  if (is.finite(all) && all > 1000 + 10 * length(unlist(called))) {
    abort("its models call each other ", sprintf("%.0f", all), " times", class = "file", fun = NULL)
  }
}

layer_constructor <- function(kind, fun) {
  name <- paste0("layer_", kind)
  if (!is.character(kind) || !name %in% c(getNamespaceExports(topenv()), "layer_op_lambda"))
    abort("there is no layer \"", kind, "\"", class = "file", fun = fun)
  get(name, envir = topenv())
}

find_custom <- function(custom_objects, name, what, fun) {
  found <- custom_objects[[name]]
  if (is.function(found) || inherits(found, "R6ClassGenerator")) return(class_constructor(found, fun))
  abort("the model uses a custom ", what, ", `", name, "`; give it as `custom_objects = list(", name, " = ...)`",
    class = "custom", fun = fun)
}

read_shape <- function(x) vapply(x, function(n) if (is.null(n)) NA_integer_ else
  as.integer(check_count(n, min = 0, max = .Machine$integer.max, arg = "shape")), 0L)

recompile <- function(model, settings, tensors, custom_objects, fun) {
  entry <- settings$optimizer
  constructor <- entry$constructor
  if (!is.character(constructor) || !grepl("^optimizer_", constructor) ||
    !constructor %in% getNamespaceExports(topenv())) {
    abort("the file names no optimizer, but \"", constructor, "\"", class = "file", fun = fun)
  }
  constructor <- get(constructor, envir = topenv())
  rate <- entry$learning_rate
  context <- list(custom = custom_objects, fun = fun)
  if (!is.null(entry$schedule)) {
    name <- entry$schedule$name
    if (!is.null(entry$schedule$own)) rate <- read_own_object(entry$schedule$own, "schedule", context)
    else if (!name %in% grep("^learning_rate_schedule_", getNamespaceExports(topenv()), value = TRUE))
      abort("there is no schedule \"", name, "\"", class = "file", fun = fun)
    else rate <- do.call(get(name, envir = topenv()), lapply(entry$schedule$config, plain_value))
  }
  config <- lapply(entry$config, plain_value)
  config <- config[intersect(names(config), c(names(formals(constructor)), common_arguments))]
  for (flag in intersect(c("centered", "amsgrad", "nesterov", "use_ema", "relative_step"),
    names(config))) config[[flag]] <- config[[flag]] != 0
  optimizer <- do.call(constructor, c(list(learning_rate = rate, name = entry$name), config))
  metric <- function(m) {
    given <- m$metric
    if (!is.null(given$name)) return(given$name)
    if (!is.null(given$loss)) return(read_part_entry("loss", given$loss, "loss", context))
    if (!is.null(given$part$own)) return(read_part_entry("metric", given$part, "metric", context))
    as_metric(given$part, 0, 0, fun = fun, custom_objects = custom_objects)
  }
  chosen <- function(weighted) lapply(settings$metrics, function(ms)
    lapply(Filter(function(m) m$weighted == weighted, ms), metric))
  single <- length(settings$losses) == 1
  own <- function(x) if (single) x[[1]] else x
  compile.nn_model(model, optimizer, own(lapply(settings$losses, function(l)
    if (!is.null(l)) read_part_entry("loss", l, "loss", context))),
    metrics = own(chosen(FALSE)), weighted_metrics = own(chosen(TRUE)), loss_weights = unlist(settings$loss_weights))
  self <- layer_self(model)
  # they stand in the order of compile(): those without weights first
  self$compiled$metrics <- Map(function(own, saved) Map(function(m, was) replace(m, "name", was$name), own, saved),
    self$compiled$metrics, settings$metrics)
  restore_state(optimizer, all_weights(self), tensors)
}

#' Give an optimizer its state back.
#' @noRd
restore_state <- function(optimizer, weights, tensors) {
  numbers <- tensors[["optimizer/numbers"]]
  if (is.null(numbers)) return()
  states <- lapply(seq_along(weights), function(k)
    unname(tensors[grep(sprintf("^optimizer/%04d/", k), names(tensors))]))
  known <- lengths(states) > 0
  restore_optimizer(optimizer, list(numbers = as.double(as.array(numbers)), variables = weights[known],
    states = states[known]))
}

#' Serialize a model
#'
#' A model as a raw vector, in the format of [save_model()], and back.
#'
#' @inheritParams save_model
#' @param model for `serialize_model()` a model, for `unserialize_model()` a raw vector.
#' @return `serialize_model()`: a raw vector. `unserialize_model()`: a model.
#' @inheritSection save_model Errors
#' @seealso [save_model()]
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
#' unserialize_model(serialize_model(model))
#' @export
serialize_model <- function(model, include_optimizer = TRUE) {
  pieces <- model_pieces(storable_self(model), check_flag(include_optimizer))
  safetensors_to_raw(pieces$tensors, pieces$metadata)
}

#' @rdname serialize_model
#' @export
unserialize_model <- function(model, custom_objects = NULL, compile = TRUE) {
  read_model(safetensors_from_raw(model), "the raw vector", custom_objects, check_flag(compile), "unserialize_model")
}

# ---- names of old ----

#' @rdname save_model
#' @export
save_model_hdf5 <- save_model
#' @rdname save_model
#' @export
load_model_hdf5 <- load_model
#' @rdname save_model
#' @export
save_model_tf <- save_model
#' @rdname save_model
#' @export
load_model_tf <- load_model
