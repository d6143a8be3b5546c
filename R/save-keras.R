# Models in the files of Keras: HDF5 of its second version, where each layer has a group of its weights, and the
# archives of its third, where the groups are those of the objects that hold them.

#' The weights of a layer as Keras lists them: what is trained first. Which layers a class froze is not in such files,
#' so for these the order is that of layers that are all trained.
#' @noRd
keras_weights <- function(self) {
  if (!is_made_by_class(self)) return(c(trainable_weights(self), fixed_weights(self)))
  rules <- weight_rules(self)
  trained <- vapply(rules, function(r) r$trainable, NA)
  lapply(c(rules[trained], rules[!trained]), `[[`, "weight")
}

# ---- the layout of Keras 2 ----

keras_2_version <- "2.15.0"
keras_3_version <- "3.0.0"

#' Weights that stand in no layer of the file's layout would be lost, and not be missed when it is read.
#' @noRd
check_all_held <- function(self, held, fun) {
  lost <- Filter(function(w) is.na(place_of(w, held)), all_weights(self))
  if (length(lost)) abort("files in the layout of Keras have no place for the weight ",
    encodeString(variable_name(lost[[1]]), quote = "\""), ", of a model or layer of your own; a file with ",
    "the ending .safetensors keeps it", class = "format", fun = fun)
}

h5_keras_2 <- function(self, fun = calling_function()) {
  layers <- lapply(model_layers(self), layer_self)
  tree <- h5_group(attributes = list(layer_names = I(self_names(layers)), backend = "nativenet",
    keras_version = keras_2_version))
  check_all_held(self, as.list(unlist(lapply(layers, keras_weights))), fun)
  for (own in layers) {
    weights <- keras_weights(own)
    names <- make.unique(vapply(weights, function(w) sub("(:0)?$", ":0", variable_name(w)), ""))
    group <- h5_group(attributes = list(weight_names = I(names)))
    for (k in seq_along(weights)) group <- h5_put(group, names[k], weights[[k]])
    tree <- h5_put(tree, own$name, group)
  }
  h5_put(tree, "top_level_model_weights", h5_group(attributes = list(weight_names = I(character()))))
}

#' Strings of an attribute; long ones come in pieces.
#' @noRd
h5_strings <- function(group, name) {
  whole <- group$attributes[[name]]
  if (!is.null(whole)) return(as.character(whole))
  unlist(lapply(seq_along(group$attributes) - 1, function(k) group$attributes[[paste0(name, k)]]))
}

#' The weights in a group of Keras 2's layout: a list of arrays for each layer.
#' @noRd
read_keras_2 <- function(tree, refuse) {
  layers <- h5_strings(tree, "layer_names")
  if (!is.character(layers)) refuse("it holds no weights as Keras stores them")
  lapply(stats::setNames(nm = layers), function(layer) {
    group <- h5_at(tree, layer)
    names <- if (is_h5_group(group)) h5_strings(group, "weight_names")
    lapply(names, function(name) {
      x <- h5_at(group, name)
      if (!is.numeric(x)) refuse("its layer ", encodeString(layer, quote = "\""), " lacks the weight ",
        encodeString(name, quote = "\""))
      x
    })
  })
}

# ---- the layout of Keras 3 ----

# Objects within layers that hold the weights, by the kind of layer.
keras_3_cells <- c("lstm", "gru", "simple_rnn", "conv_lstm_1d", "conv_lstm_2d", "conv_lstm_3d")

#' The groups of a layer or model: a list of weights for each path.
#' @noRd
keras_3_paths <- function(self, path = character()) {
  at <- function(...) c(path, ...)
  of <- function(weights, ...) stats::setNames(list(weights), paste(at(...), collapse = "/"))
  kind <- self$kind
  if (kind %in% c("model", "sequential")) return(numbered_paths(lapply(self$layers, layer_self), at("layers")))
  if (kind %in% keras_3_cells) return(of(self$weights, "cell"))
  if (kind == "stacked_rnn_cells") return(numbered_paths(lapply(unname(self$fields$cells), layer_self), at("cells")))
  if (kind == "pipeline") return(numbered_paths(lapply(self$config$layers, layer_self), at("layers")))
  if (kind %in% c("multi_head_attention", "group_query_attention")) {
    parts <- split(self$weights, rep(1:4, each = length(self$weights) / 4))
    return(unlist(unname(Map(of, parts, paste0(c("query", "key", "value", "output"), "_dense"))), recursive = FALSE))
  }
  fields <- if (kind %in% c("time_distributed", "spectral_normalization")) list(layer = self$config$layer) else
    if (kind %in% c("bidirectional", "rnn", "custom") || is_own_model(self)) self$fields
  inner <- unlist(unname(Map(function(held, name) {
    if (is_layer(held)) keras_3_paths(layer_self(held), at(name)) else if (is_branch(held) && length(held) &&
      all(vapply(held, is_layer, NA))) numbered_paths(lapply(unname(held), layer_self), at(name))
  }, fields, names(fields))), recursive = FALSE)
  trained <- vapply(self$rules, function(r) r$trainable, NA)
  c(of(c(self$weights[trained], self$weights[!trained])), inner)
}

#' Objects of a list are numbered by their class.
#' @noRd
numbered_paths <- function(selves, path) {
  stems <- snake_case(vapply(selves, function(s) s$class_name, ""))
  count <- stats::ave(seq_along(stems), stems, FUN = seq_along) - 1
  unlist(Map(function(self, name) keras_3_paths(self, c(path, name)), selves,
    paste0(stems, ifelse(count > 0, paste0("_", count), ""))), recursive = FALSE)
}

h5_keras_3 <- function(self, fun = calling_function()) {
  paths <- keras_3_paths(self)
  check_all_held(self, as.list(unlist(unname(paths))), fun)
  tree <- h5_group()
  for (path in names(paths)) {
    vars <- h5_group(stats::setNames(as.list(paths[[path]]), seq_along(paths[[path]]) - 1))
    tree <- h5_put(tree, paste0(path, if (nzchar(path)) "/", "vars"), vars)
  }
  tree
}

# What Keras has called these groups.
keras_3_names <- list(layers = c("layers", "_layer_checkpoint_dependencies"),
  query_dense = c("query_dense", "_query_dense"), key_dense = c("key_dense", "_key_dense"),
  value_dense = c("value_dense", "_value_dense"), output_dense = c("output_dense", "_output_dense"))

holds_arrays <- function(tree) if (is_h5_group(tree)) any(vapply(tree$members, holds_arrays, NA)) else is.numeric(tree)

#' The group at a path of ours. Files may lack layers without weights, or number those of a class with gaps: what counts
#' is the order of those with weights.
#' @param paths all paths of ours with weights.
#' @noRd
keras_3_group <- function(tree, path, paths) {
  names <- strsplit(path, "/", fixed = TRUE)[[1]]
  of_class <- function(held, stem) {
    same <- unique(held[sub("_[0-9]+$", "", held) == stem])
    same[order(ifelse(same == stem, 0, suppressWarnings(as.numeric(sub(".*_", "", same)))))]
  }
  for (k in seq_along(names)) {
    if (!is_h5_group(tree)) return(NULL)
    held <- names(tree$members)
    listed <- k > 1 && names[k - 1] %in% c("layers", "cells")
    known <- keras_3_names[[names[k]]]
    name <- if (listed) {
      stem <- sub("_[0-9]+$", "", names[k])
      beside <- Filter(function(p) length(p) >= k && identical(p[seq_len(k - 1)], names[seq_len(k - 1)]), paths)
      nth <- match(names[k], of_class(vapply(beside, `[`, "", k), stem))
      of_class(held[vapply(tree$members, holds_arrays, NA)], stem)[nth]
    } else if (is.null(known)) names[k] else intersect(known, held)[1]
    tree <- if (!is.na(name)) tree$members[[name]]
  }
  tree
}

#' list(weight, array) for all weights of a model, from a file in the layout of Keras 3.
#' @noRd
pairs_of_keras_3 <- function(self, tree, rule, where, refuse, fun) {
  paths <- keras_3_paths(self)
  paths <- paths[lengths(paths) > 0]
  all <- strsplit(names(paths), "/", fixed = TRUE)
  pairs <- lapply(names(paths), function(path) {
    group <- keras_3_group(tree, path, all)
    vars <- if (is_h5_group(group)) group$members$vars$members
    vars <- vars[order(suppressWarnings(as.numeric(names(vars))))]
    pair_weights(paths[[path]], vars, paste0("`", path, "`"), rule, where, fun)
  })
  unlist(pairs, recursive = FALSE)
}

# ---- weights of a file and of a model ----

#' list(weight, array) for each weight of a layer; NULL if they do not fit and are skipped.
#' @param rule list(skip, reshape): may other shapes be left, or taken in another shape?
#' @noRd
pair_weights <- function(weights, arrays, what, rule, where, fun) {
  size <- function(x) if (is.null(dim(x))) length(x) else dim(x)
  fits <- length(weights) == length(arrays) && all(mapply(function(w, x) if (rule$reshape || length(dim(w)) < 2 &&
    length(dim(x)) < 2) prod(dim(w)) == length(x) else identical(as.integer(size(x)), as.integer(dim(w))), weights,
    arrays))
  if (fits) return(Map(function(w, x) list(weight = w, array = x), weights, unname(arrays)))
  shapes <- function(xs, size) if (length(xs)) paste(vapply(xs, function(x) format_shape(size(x)), ""),
    collapse = ", ") else "no weights"
  message <- paste0(where, ": ", what, " must have ", shapes(weights, dim), ", not ", shapes(arrays, size))
  if (!rule$skip) abort(message, class = "shape", fun = fun)
  warn("`", fun, "()`: ", message, "; it keeps its weights", class = "mismatch")
  NULL
}

#' The same for all layers of a model, from a list of arrays by layer.
#' @noRd
pair_layers <- function(self, stored, by_name, rule, where, fun) {
  selves <- Filter(function(s) length(keras_weights(s)) > 0, lapply(model_layers(self), layer_self))
  stored <- stored[lengths(stored) > 0]
  names <- self_names(selves)
  if (by_name) {
    selves <- selves[names %in% names(stored)]
    stored <- stored[self_names(selves)]
  } else if (setequal(names, names(stored))) stored <- stored[names]
  if (length(selves) != length(stored)) abort(where, " holds weights of ", length(stored), " layers, but the model ",
    "has ", length(selves), " layers with weights", class = "shape", fun = fun)
  pairs <- Map(function(s, arrays) pair_weights(keras_weights(s), arrays, paste0("layer `", s$name, "`"), rule, where,
    fun), selves, stored)
  unlist(unname(pairs), recursive = FALSE)
}

assign_pairs <- function(pairs) for (pair in pairs) {
  size <- dim(pair$weight)
  x <- if (length(size) < 2 || identical(dim(pair$array), size)) pair$array else from_row_major(row_major(pair$array),
    size)
  if (length(size) == 1) x <- array(x, size)
  variable_assign(pair$weight, tensor(x, tensor_dtype(pair$weight)))
}

#' Weights from an HDF5 file into a model, all or none.
#' @noRd
load_h5_weights <- function(self, tree, by_name, rule, where, refuse, fun) {
  weights <- if (is_h5_group(tree$members$model_weights)) tree$members$model_weights else tree
  if (is.null(h5_strings(weights, "layer_names"))) {
    if (!is_own_model(self) && !any(keras_3_names$layers %in% names(weights$members))) {
      if (!length(all_weights(self))) return(invisible())
      refuse("it holds no weights as Keras stores them")
    }
    if (by_name) abort(where, " has weights by the classes of layers, not by their names, as Keras 3 stores them: ",
      "`by_name` must be FALSE", class = "file", fun = fun)
    return(assign_pairs(pairs_of_keras_3(self, weights, rule, where, refuse, fun)))
  }
  assign_pairs(pair_layers(self, read_keras_2(weights, refuse), by_name, rule, where, fun))
}

# ---- how a model was compiled ----

keras_compilation <- function(self, own = new.env(parent = emptyenv())) {
  compiled <- self$compiled
  one <- function(x) if (length(x) == 1) x[[1]] else x
  object <- function(x, name) if (is_string(x)) x else without_functions(config_value(x, name = name), own)
  metric <- function(m) {
    entry <- object(m$metric, m$name)
    # a class of the user's has the name that it was compiled with
    if (!is.null(own_object(m$metric)) && "name" %in% taken_by_class(own_class(own_object(m$metric))))
      entry$config$name <- m$name
    entry
  }
  metrics <- function(weighted) {
    found <- lapply(compiled$metrics, function(ms) lapply(Filter(function(m) m$weighted == weighted, ms), metric))
    if (any(lengths(found))) unname(if (length(found) == 1) found[[1]] else found)
  }
  list(loss = one(unname(Map(object, compiled$losses, paste0(output_names(self), "_loss")))),
    metrics = metrics(FALSE), weighted_metrics = metrics(TRUE),
    loss_weights = if (length(compiled$losses) > 1) as.list(compiled$loss_weights))
}

#' Compile a model as a file says.
#' @param settings loss, metrics and so on; the optimizer by either name.
#' @noRd
compile_as_keras <- function(model, settings, context) {
  entry <- if (is.null(settings$optimizer_config)) settings$optimizer else settings$optimizer_config
  optimizer <- if (is_string(entry)) entry else read_keras_optimizer(entry, context)
  parts <- function(kind, x) {
    if (is.null(x)) return(NULL)
    if (is_string(x) || is_branch(x) && !is.null(x$class_name)) return(read_compiled(kind, x, context))
    lapply(x, function(one) parts(kind, one))
  }
  # of one output, too, Keras 2 has a list of lists
  for (name in c("metrics", "weighted_metrics")) {
    given <- settings[[name]]
    if (length(given) == 1 && is_branch(given[[1]]) && is.null(names(given[[1]]))) settings[[name]] <- given[[1]]
  }
  compile.nn_model(model, optimizer, parts("loss", settings$loss), metrics = parts("metric", settings$metrics),
    weighted_metrics = parts("metric", settings$weighted_metrics), loss_weights = keras_value(settings$loss_weights))
  optimizer
}

#' A loss or a metric; a name stays one, as what "accuracy" means follows from the output.
#' @noRd
read_compiled <- function(kind, x, context) {
  if (is_string(x)) return(if (x %in% c(names(context$custom), NA) || is.na(part_of_class(kind, x)) && !x %in%
    c("acc", "ce", "crossentropy")) read_keras_part(kind, x, kind, context) else x)
  named <- x$config$fn
  if (is_string(named)) {
    # a function of Keras' with a name: "accuracy", of categorical_accuracy
    part <- part_of_class(kind, named)
    if (!is.na(part)) return(do.call(part_constructor(kind, part), c(list(name = x$config$name), x$config[intersect(
      names(x$config), c("from_logits", "label_smoothing", "axis", "ignore_class", "threshold", "k", "delta"))])))
  }
  read_keras_part(kind, x, kind, context)
}

# The optimizers whose state Keras has as we do: by variable, each with all of its own.
kept_optimizers <- c("momentum", "nesterov", "adam", "adamw", "adagrad", "adadelta", "rmsprop", "adamax")

keeps_state <- function(optimizer) .subset2(optimizer, "kind") %in% c("sgd", kept_optimizers) &&
  !"use_ema" %in% names(.subset2(optimizer, "config"))

#' The state in the order of Keras' variables: steps, learning rate, then that of each weight. NULL where it is another.
#' @noRd
keras_optimizer_state <- function(optimizer, self) {
  kind <- .subset2(optimizer, "kind")
  if (!keeps_state(optimizer)) {
    warn("the state of `", constructor_of(kind), "()` is not stored in files of Keras': training begins anew with it; ",
      "a file with the ending .safetensors has it", class = "format")
    return(NULL)
  }
  memory <- optimizer_memory(optimizer)
  weights <- trainable_weights(self)
  at <- vapply(weights, function(w) place_of(w, memory$variables), 0L)
  if (anyNA(at) && length(memory$variables)) return(NULL)
  c(list(as.integer(optimizer$iterations), current_rate(optimizer)), if (!anyNA(at)) unlist(lapply(at, function(k)
    memory$states[[k]]), recursive = FALSE))
}

#' Back, from arrays in that order.
#' @noRd
restore_keras_state <- function(model, optimizer, arrays, where) {
  optimizer <- layer_self(model)$compiled$optimizer
  weights <- trainable_weights(layer_self(model))
  memory <- optimizer_memory(optimizer)
  arrays <- unname(arrays)
  scalars <- vapply(arrays, length, 0L) == 1 & vapply(arrays, function(x) is.null(dim(x)), NA)
  steps <- if (length(arrays) && scalars[1]) arrays[[1]]
  # Keras before 2.11 has no learning rate there
  slots <- arrays[-seq_len(if (length(arrays) > 1 && scalars[2] && !length(dim(arrays[[2]]))) 2 else 1)]
  each <- if (length(weights)) length(slots) / length(weights) else 0
  fits <- length(steps) && keeps_state(optimizer) && each == round(each) && all(mapply(function(x, w)
    length(x) == prod(dim(w)), slots, rep(weights, each = each)))
  if (!fits) {
    warn(where, " holds a state of the optimizer in another form: training begins anew with it", class = "format")
    return()
  }
  states <- lapply(seq_along(weights), function(k) lapply(slots[(k - 1) * each + seq_len(each)], function(x)
    tensor(array(x, dim(weights[[k]])), tensor_dtype(weights[[k]]))))
  memory$numbers[8] <- steps
  restore_optimizer(optimizer, list(numbers = memory$numbers, variables = if (each) weights else list(),
    states = if (each) states else list()))
}

# ---- files ----

#' The bytes of a file of this format.
#' @noRd
keras_file <- function(self, format, include_optimizer, path, fun) {
  config <- without_functions(keras_object(layer_handle(self)))
  compiled <- stored_compilation(self)
  state <- if (include_optimizer && !is.null(compiled)) keras_optimizer_state(self$compiled$optimizer, self)
  if (format == "keras") {
    tree <- h5_keras_3(self)
    if (!is.null(state)) tree <- h5_put(tree, "optimizer/vars", h5_group(stats::setNames(state, seq_along(state) - 1)))
    config <- as_keras_3(config)
    if (!is.null(compiled)) config$compile_config <- as_keras_3(c(list(optimizer =
      without_functions(keras_object(self$compiled$optimizer))), keras_compilation(self)))
    metadata <- list(keras_version = keras_3_version, date_saved = format(Sys.time(), "%Y-%m-%d@%H:%M:%S"))
    return(zip_bytes(list(metadata.json = charToRaw(to_json(metadata)), config.json = charToRaw(to_json(config)),
      model.weights.h5 = h5_bytes(tree, path, fun))))
  }
  tree <- h5_group(list(model_weights = h5_keras_2(self)), list(keras_version = keras_2_version, backend = "nativenet",
    model_config = to_json(config)))
  if (!is.null(compiled)) tree$attributes$training_config <- to_json(c(keras_compilation(self),
    list(optimizer_config = without_functions(keras_object(self$compiled$optimizer)))))
  if (!is.null(state)) {
    names <- c("iteration:0", "learning_rate:0", sprintf("state/%04d:0", seq_along(state[-(1:2)])))
    group <- h5_group(attributes = list(weight_names = I(names)))
    for (k in seq_along(state)) group <- h5_put(group, names[k], state[[k]])
    tree$members$optimizer_weights <- group
  }
  h5_bytes(tree, path, fun)
}

#' Is a file one of Keras'? "hdf5", "keras" or NULL, by its first bytes.
#' @noRd
keras_format <- function(path) {
  if (!is_string(path) || !file.exists(path) || dir.exists(path)) return(NULL)
  start <- readBin(path, "raw", 8)
  if (identical(start, as.raw(c(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)))) return("hdf5")
  if (identical(start[1:4], as.raw(c(0x50, 0x4b, 3, 4)))) "keras"
}

refuse_keras <- function(path, fun) function(...) abort("cannot read ", encodeString(path, quote = "\""), ": ", ...,
  class = "file", fun = fun)

#' list(config, weights) of an archive: text and groups.
#' @noRd
read_archive <- function(path, refuse, fun) {
  hdf5_package(path, fun) # whose error is to name the archive
  entries <- read_zip(path, c("config.json", "model.weights.h5"), refuse)
  if (length(entries) < 2) refuse("it is a zip archive without config.json and model.weights.h5, and so no model of ",
    "Keras'")
  to <- tempfile("nativenet-", fileext = ".h5")
  on.exit(unlink(to))
  writeBin(entries$model.weights.h5, to)
  list(config = as_string(entries$config.json, refuse), weights = read_h5(to, refuse, fun))
}

load_keras_model <- function(path, format, custom_objects, compile, fun) {
  context <- reading_context(custom_objects, fun)
  refuse <- refuse_keras(path, fun)
  damaged(read_keras_model(path, format, context, compile, refuse, fun), refuse)
}

#' What is not as it must be in a file, and no check has met, is the file's error, too.
#' @noRd
damaged <- function(expr, refuse) tryCatch(expr, error = function(e) if (inherits(e, "nativenet_error")) stop(e) else
  refuse("it holds something else than expected: ", conditionMessage(e)))

read_keras_model <- function(path, format, context, compile, refuse, fun) {
  where <- encodeString(path, quote = "\"")
  if (format == "keras") {
    file <- read_archive(path, refuse, fun)
    description <- from_json(file$config, "description of the model", fun)
    tree <- file$weights
    settings <- description$compile_config
    state <- h5_at(tree, "optimizer/vars")$members
    state <- state[order(suppressWarnings(as.numeric(names(state))))]
  } else {
    tree <- read_h5(path, refuse, fun)
    config <- tree$attributes$model_config
    if (!is_string(config)) {
      abort(where, " holds weights alone, without a model: make the model, and `load_model_weights(model, ", where,
        ")`", class = "file", fun = fun)
    }
    description <- from_json(config, "description of the model", fun)
    settings <- tree$attributes$training_config
    if (!is.null(settings)) settings <- from_json(settings, "settings of training", fun)
    group <- tree$members$optimizer_weights
    state <- if (is_h5_group(group)) lapply(h5_strings(group, "weight_names"), function(name) h5_at(group, name))
  }
  # weights come from the file, which has numbers for all of them
  model <- with_room(h5_count(tree), with_own_seed(1, read_description(description, where, context)))
  self <- layer_self(model)
  if (!self$built && !is_own_model(self)) abort(where, " holds a model that was never built, without weights",
    class = "file", fun = fun)
  load_h5_weights(self, tree, FALSE, list(skip = FALSE, reshape = FALSE), where, refuse, fun)
  if (compile && !is.null(settings)) {
    optimizer <- building(compile_as_keras(model, settings, context), where, fun)
    if (length(state) && all(vapply(state, is.numeric, NA))) restore_keras_state(model, optimizer, state, where)
  }
  model
}

# ---- configurations of Keras 3 ----

#' A configuration of Keras 2 with what the third version calls otherwise.
#' @noRd
as_keras_3 <- function(x, arg = "") {
  if (!is_branch(x)) return(x)
  if (is.null(x$class_name) || !"config" %in% names(x)) return(Map(as_keras_3, x, if (is.null(names(x))) arg else
    names(x)))
  class_name <- x$class_name
  config <- x$config
  if (class_name == "InputLayer") {
    names(config)[names(config) == "batch_input_shape"] <- "batch_shape"
  } else config$batch_input_shape <- NULL
  renamed <- keras_3_argument_names[[class_name]]
  if (!is.null(renamed)) names(config) <- keras_argument_names(renamed, names(config))
  if (class_name == "Embedding") config$input_length <- NULL
  if (class_name == "Functional") {
    names <- vapply(config$layers, function(l) l$name, "")
    # a sequence within has not been called before, as it has in the second version
    earlier <- vapply(config$layers, function(l) first_call(l) * (l$class_name == "Sequential"), 0)
    ref <- function(x) {
      if (!is_history(x[seq_len(min(3, length(x)))], names)) return(if (is_branch(x) && length(x)) lapply(x, ref) else
        x)
      x[[2]] <- x[[2]] - earlier[[match(x[[1]], names)]]
      x[1:3]
    }
    config$layers <- lapply(config$layers, calls_as_keras_3, ref)
    for (end in c("input_layers", "output_layers")) config[[end]] <- lapply(config[[end]], ref)
  }
  module <- if (is.null(x$module)) keras_3_module(class_name, arg) else x$module
  x$module <- NULL
  if (identical(module, "keras.losses") && identical(config$reduction, "auto")) config$reduction <-
    "sum_over_batch_size"
  x$config <- if (is_branch(config)) Map(as_keras_3, config, names(config)) else config
  c(list(module = module), x, list(registered_name = if (is.null(module)) class_name))
}

keras_3_module <- function(class_name, arg) {
  if (class_name %in% c("Sequential", "Functional")) return(if (class_name == "Sequential") "keras" else
    "keras.src.models.functional")
  if (grepl("initializer$", arg)) return("keras.initializers")
  if (grepl("regularizer$", arg)) return("keras.regularizers")
  if (grepl("constraint$", arg)) return("keras.constraints")
  if (grepl("metrics$", arg)) return("keras.metrics")
  if (arg == "loss") return("keras.losses")
  if (arg == "optimizer") return("keras.optimizers")
  if (arg == "learning_rate") return("keras.optimizers.schedules")
  if (class_name %in% c(names(layer_classes()), "InputLayer")) "keras.layers"
}

#' The calls of a layer: arguments, in which tensors are objects.
#' @param ref what refers to a tensor, and structures of such, as the third version counts.
#' @noRd
calls_as_keras_3 <- function(entry, ref) {
  object <- function(x) if (is_branch(x) && length(x) == 3 && is_string(x[[1]]) && is.numeric(x[[2]])) list(
    class_name = "__keras_tensor__", config = list(keras_history = x)) else if (is_branch(x)) lapply(x, object) else x
  entry$inbound_nodes <- lapply(entry$inbound_nodes, function(node) {
    by_name <- object(ref(node[[1]][[4]]))
    x <- object(lapply(node, ref))
    list(args = list(if (length(x) == 1) x[[1]] else x), kwargs = if (length(by_name)) by_name else empty_object())
  })
  entry
}
