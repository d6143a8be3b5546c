# The arguments of layers, models, losses and so on in files and copies. A copy has the very values; a file holds R's
# values exactly, or refuses them: R/config-data.R. What is made of code is known there by its name alone.

# ---- functions and parts ----

#' A part as plain values; if it is a function of the user's, that is entered under its name, or else under this one.
#' @noRd
part_entry <- function(part, name, own) {
  entry <- serialize_part(part)
  if (!is.null(own_object(part))) return(c(entry, list(own = own_object_entry(part, own))))
  f <- attr(part, "own")
  if (is.null(f)) return(entry)
  if (entry$config$name == "custom") entry$config$name <- own_name(f, name)
  enter_own(own, entry$config$name, f)
  entry
}

#' Its name, under which no other function may stand: when the model is loaded it is all that tells which is which.
#' @noRd
enter_own <- function(own, name, f) {
  if (!is.primitive(f)) attr(f, "py_function_name") <- NULL
  if (!identical(get0(name, own, inherits = FALSE, ifnotfound = f), f)) {
    abort("two R functions of the model are called `", name,
      "`, but a file holds only their names; give one another name: that of its layer, in a named list of ",
      "metrics, or as `attr(f, \"py_function_name\")`", class = "custom", fun = user_function())
  }
  assign(name, f, envir = own)
  name
}

#' What an object of a class of the user's is made of again: a loss, a metric, a schedule.
#' @noRd
own_object_entry <- function(x, own) {
  name <- own_class(own_object(x))$classname
  enter_own(own, name, attr(x, "constructor"))
  arguments <- own_object_arguments(x)
  list(class = name, arguments = Map(argument_data, arguments, names(arguments), MoreArgs = list(of = name,
    own = own)))
}

#' A part from its entry.
#' @noRd
read_part_entry <- function(kind, entry, arg, context) {
  if (is.null(entry$own)) return(as_part(kind, entry, arg, context$fun, custom_objects = context$custom))
  name <- entry$own$class
  # older files know it by the name of the part
  made <- context$custom[[if (is.null(context$custom[[name]])) entry$config$name else name]]
  if (is.null(made) || inherits(made, "nn_class")) read_own_object(entry$own, kind, context)
  else as_part(kind, made, arg, context$fun, name = entry$config$name)
}

read_own_object <- function(entry, kind, context) {
  constructor <- find_custom(context$custom, entry$class, paste("class of", plural_of(kind)), context$fun)
  arguments <- Map(function(x, name) read_argument_data(x, name, context), entry$arguments, names(entry$arguments))
  do.call(constructor, arguments, quote = TRUE)
}

# ---- arguments ----

# Functions of ours that an argument may be, which files know by their names.
known_functions <- "^(activation|constraint|initializer|loss|metric|op|regularizer)_"

known_function <- function(f) Find(function(name) is_spelling(f, name),
  grep(known_functions, getNamespaceExports(topenv()), value = TRUE))

#' A value as data for a file.
#' @param of the layer or class, for messages.
#' @param of_layer gives the data of a layer within, as list(name = data), NULL of other values.
#' @noRd
argument_data <- function(x, arg, of, own, of_layer = function(v) NULL) {
  refuse <- function(v) abort("the argument `", arg, "` of `", of, "` is or holds ", describe(v), ", which no file ",
    "can keep; a method `get_config()` of the class can give other values, from which `from_config()` or ",
    "`initialize()` makes it again", class = "custom", fun = user_function())
  value_data(x, refuse, function(v) {
    found <- of_layer(v)
    if (!is.null(found)) return(found)
    if (is_variable(v)) refuse(v)
    if (is_tensor(v)) return(list(dtype = tensor_dtype(v), of = value_data(as.array(v), refuse)))
    if (inherits(v, "nn_part")) return(list(part = part_kind(v), object = part_entry(v, paste0(of, "_", arg), own)))
    if (inherits(v, "nn_schedule") && !is.null(own_object(v))) return(list(schedule = own_object_entry(v, own)))
    if (inherits(v, c("nn_schedule", "nn_optimizer"))) return(list(object = without_functions(keras_object(v), own),
      is = if (is_schedule(v)) "schedule" else "optimizer"))
    if (inherits(v, "nn_class")) return(list(custom = enter_own(own, attr(v, "own_class")$classname, v)))
    if (!is.function(v)) return(NULL)
    ours <- known_function(v)
    if (is.null(ours)) list(custom = enter_own(own, own_name(v, paste0(of, "_", arg)), v)) else list(ours = ours)
  })
}

#' Back.
#' @param read_layer gives the layer of what `of_layer` gave, as list(layer); NULL for other data.
#' @noRd
read_argument_data <- function(x, arg, context, read_layer = function(data) NULL) {
  read_value_data(x, function(data) {
    fun <- context$fun
    layer <- read_layer(data)
    if (!is.null(layer)) return(layer)
    if (!is.null(data$dtype)) return(list(tensor(read_value_data(data$of), data$dtype)))
    if (!is.null(data$part)) return(list(read_part_entry(data$part, data$object, arg, context)))
    if (!is.null(data$schedule)) return(list(read_own_object(data$schedule, "schedule", context)))
    if (!is.null(data$is)) return(list(if (data$is == "schedule") read_keras_schedule(data$object, context) else
      read_keras_optimizer(data$object, context)))
    if (!is.null(data$custom)) return(list(with_name(find_custom(context$custom, check_string(data$custom, arg, fun),
      "function", fun), data$custom)))
    if (is.null(data$ours)) return(NULL)
    if (!grepl(known_functions, data$ours) || !data$ours %in% getNamespaceExports(topenv()))
      abort("`", arg, "` is a function `", data$ours, "`, which is not here", class = "file", fun = fun)
    list(get(data$ours, envir = topenv()))
  })
}

#' Arguments of a layer as files hold them, and in a copy the very values but for layers, of which it has its own.
#' @noRd
config_entry <- function(x, arg, self, table, user = is_made_by_class(self) || self$kind == "lambda") {
  argument <- paste0(self$name, "_", arg) # layers' names differ
  if (is_layer(x)) return(list(layer = layer_number(layer_self(x), table)))
  if (inherits(x, "nn_op_args")) return(list(op = op_data(unclass(x), self$name)))
  if (!is.null(table$kept) && !holds_any(x, is_layer)) return(kept_entry(x, argument, table))
  if (inherits(x, "nn_part")) return(list(part = part_kind(x), object = part_entry(x, argument, table$own)))
  if (is.function(x) && !is_made_by_class(self)) return(list(custom = enter_own(table$own, own_name(x,
    if (self$kind == "lambda" && arg == "f") self$name else argument), x)))
  # a vocabulary may have a million words: one string of JSON is read in less memory than as many
  if (is.character(x) && is.null(attributes(x)) && length(x) > 1 && !anyNA(x) && !any(grepl("\n", x, fixed = TRUE)))
    return(list(lines = paste0(x, "\n", collapse = "")))
  if (is_branch(x) && holds_any(x, is.function)) {
    entries <- Map(config_entry, x, if (is.null(names(x))) seq_along(x) else names(x), MoreArgs = list(self = self,
      table = table, user = user))
    return(list(list = unname(entries), names = as.list(names(x))))
  }
  if (!user && !is_tensor(x)) return(list(value = x))
  form <- json_form(x)
  if (is.null(form)) list(exact = argument_data(x, arg, self$name, table$own)) else list(value = form[[1]])
}

kept_entry <- function(x, argument, table) {
  if (holds_any(x, is_variable)) abort("`", argument, "` is or holds a variable, which a copy would share: the class ",
    "can make it by `self$add_weight()`", class = "custom", fun = user_function())
  table$kept <- c(table$kept, list(x))
  list(kept = length(table$kept))
}

#' An argument of a layer's constructor.
#' @noRd
rebuild_argument <- function(x, name, entry, context) {
  fun <- context$fun
  if (!is.null(x$kept)) return(context$kept[[x$kept]])
  if (!is.null(x$part)) return(read_part_entry(x$part, x$object, name, context))
  if (!is.null(x$layer)) return(as_layer(context$layer_at(x$layer)))
  if (!is.null(x$op)) return(read_op_data(x$op))
  if (!is.null(x$custom)) {
    name <- if (isTRUE(x$custom)) entry$name else x$custom # TRUE: of version 0.1.0
    return(with_name(find_custom(context$custom, name, "function", fun), name))
  }
  if (!is.null(x$list)) {
    parts <- lapply(seq_along(x$list), function(k) rebuild_argument(x$list[[k]], name, entry, context))
    names <- if (!is.null(names(x$list))) names(x$list) else if (length(x$names)) data_strings(x$names)
    return(stats::setNames(parts, names))
  }
  if (!is.null(x$lines)) return(strsplit(check_string(x$lines, arg = name, fun = fun), "\n", fixed = TRUE)[[1]])
  if (!is.null(x$exact)) return(read_argument_data(x$exact, name, context))
  plain_value(x$value)
}
