# Op layers: a function of ops that is called on symbolic tensors adds a layer to the graph, as in Keras (TFOpLambda).
# No function asks for symbolic tensors. Where one comes to what needs numbers or sizes, at the door of the engine or
# in a check, the call of ours that led there is looked up, noted as a layer, and returns what the layer gives. So a
# call on tensors takes no time for it.

#' @export
needs_values.nn_keras_tensor <- function(x) {
  at <- outermost_call(sys.nframe())
  name <- if (at) op_name(sys.function(at), sys.frame(at))
  if (!is.null(name)) {
    args <- arguments_of(at)
    return_from(sys.frame(at), if (!is.null(session$captured)) op_on_captured(name, args) else
      if (!is.null(session$graph)) op_on_values(name, args) else if (isTRUE(session$capturing))
      op_on_captured(name, args) else op_layer(name, args))
  }
  abort("a symbolic tensor has no numbers; layers and ops take it, such as `layer_add()`, `x + y`, `op_...()`, ",
    "`k_...()`, `tf$...`, or `layer_lambda(x, function(x) ...)`", class = "traced", fun = user_function())
}

#' The outermost function of ours that led to frame i, before code of the user's; 0 if there is none.
#' @noRd
outermost_call <- function(i) {
  namespace <- topenv()
  at <- 0
  while (i > 0) {
    f <- sys.function(i)
    if (identical(environment(f), namespace) || !is.null(op_name(f, sys.frame(i)))) at <- i
    else if (!home_of(f) %in% c("ours", "R")) break
    # C calls it at top level
    caller <- if (identical(f, numbers_for_engine)) i - 1 else sys.parents()[i]
    if (caller >= i) break # of code that a pipe evaluates when its value is needed R does not know who called it
    i <- caller
  }
  at
}

#' As callCC() does it.
#' @noRd
return_from <- function(frame, value) {
  eval(bquote(delayedAssign("leave", return(.(call("quote", value))), eval.env = frame)))
  get("leave", inherits = FALSE)
}

#' What the function in frame i was called with, by name where it has one.
#' @noRd
arguments_of <- function(i) {
  frame <- sys.frame(i)
  args <- list()
  for (name in names(formals(sys.function(i)))) {
    if (name == "...") args <- c(args, eval(quote(list(...)), frame))
    else if (!eval(call("missing", as.name(name)), frame)) args[name] <- list(get(name, frame))
  }
  args
}

#' The same within a model's loss, which may compute with any tensor of the model: there each has its numbers.
#' @noRd
op_on_values <- function(name, args) {
  graph <- session$graph
  value <- function(x) {
    if (!is_keras_tensor(x)) return(x)
    at <- place_of(x, graph$tensors)
    if (!is.na(at) && !is.null(graph$values[[at]])) return(graph$values[[at]])
    abort("the symbolic tensor from layer \"", x$node$layer$name, "\" does not stand between the model's inputs and ",
      "outputs, so it has no numbers here", class = "traced", fun = user_function())
  }
  do.call(op_functions()[[name]], map_leaves(args, value), quote = TRUE)
}

# ---- which functions ----

op_families <- "^(op|k|loss|metric|activation)_"
op_spaces <- c("math", "linalg", "nn", "random", "image", "activations", "losses", "backend", "keras") # of `tf`
no_ops <- c("Variable", "cond", "while_loop", "print", "executing_eagerly")
op_groups <- c("Math", "Ops", "Summary", "Complex", "matrixOps")
op_methods <- c("+", "-", "*", "/", "==", "!=", "mean", "t", "aperm", "cbind", "rbind", "is.finite", "is.infinite",
  "is.nan", "is.na", "sort", "rep")

#' All of them by name, looked up once: `tf$math$add` first, then `k_add` and `op_add`, then methods of tensors.
#' @noRd
op_functions <- function() {
  if (!is.null(session$op_functions)) return(session$op_functions)
  namespace <- topenv()
  within <- function(space) {
    parts <- setdiff(ls(space), if (attr(space, "path") == "tf") "losses") # those of tf$keras
    spaces <- Filter(Negate(is.function), mget(intersect(op_spaces, parts), space))
    spaces <- lapply(unname(spaces), within)
    functions <- mget(sort(ls(space)), space, "function", ifnotfound = list(NULL))
    functions <- functions[lengths(functions) > 0 & !names(functions) %in% no_ops]
    names(functions) <- paste0(attr(space, "path"), "$", names(functions), recycle0 = TRUE)
    c(unlist(spaces, recursive = FALSE), functions)
  }
  named <- grep(op_families, getNamespaceExports(namespace), value = TRUE)
  methods <- c(op_groups, op_methods)
  members <- unlist(lapply(c(op_groups[1:4], "Math2"), methods::getGroupMembers, recursive = TRUE))
  session$op_functions <- c(within(get("tf", namespace)), mget(sort(named), namespace),
    stats::setNames(mget(paste0(methods, ".nn_tensor"), namespace), methods),
    mget(setdiff(intersect(c(members, "!", "%*%"), ls(baseenv())), methods), baseenv()), list("[" = part_of))
}

#' The name of a function of ops that runs in this frame; NULL of others.
#' @noRd
op_name <- function(f, frame) {
  functions <- op_functions()
  name <- names(functions)[vapply(functions, identical, NA, f)][1]
  if (is.na(name)) NULL else if (name %in% op_groups) get(".Generic", frame) else name
}

# What Keras calls those that R spells in its own way.
op_labels <- c("+" = "__operators__.add", "[" = "__operators__.getitem", "-" = "math.subtract", "*" = "math.multiply",
  "/" = "math.truediv", "^" = "math.pow", "%%" = "math.floormod", "%/%" = "math.floordiv", "%*%" = "linalg.matmul",
  "==" = "math.equal", "!=" = "math.not_equal", "<" = "math.less", "<=" = "math.less_equal", ">" = "math.greater",
  ">=" = "math.greater_equal", "&" = "math.logical_and", "|" = "math.logical_or", "!" = "math.logical_not",
  shape = "compat.v1.shape", t = "transpose", aperm = "transpose", cbind = "concat", rbind = "concat")

#' "tf.math.reduce_mean", of `tf$reduce_mean()`, `k_mean()`, `op_mean()` and `mean()`.
#' @noRd
op_label <- function(name, args) {
  stem <- sub("^(tf[$].*[$]|tf[$]|op_|k_)", "", gsub("([a-z])[.]", "\\1_", name))
  if (name == "-" && length(args) == 1) return("tf.math.negative")
  if (stem %in% names(op_labels)) return(paste0("tf.", op_labels[[stem]]))
  known <- grep("^tf[$]", names(op_functions()), value = TRUE)
  ends <- sub(".*[$]", "", known)
  at <- known[match(TRUE, ends == paste0("reduce_", stem), match(TRUE, ends == stem))]
  if (is.na(at)) at <- paste0("tf.", if (startsWith(name, "k_")) "keras.backend.",
    sub("^(metric|activation)_", "keras.\\1s.", sub("^loss_", "keras.losses.", stem)))
  gsub("$", ".", at, fixed = TRUE)
}

# ---- the layer ----

#' Add a layer that calls the function of this name with these arguments to the graph.
#' @noRd
op_layer <- function(name, args) {
  inputs <- list()
  place <- function(x) {
    if (!is_keras_tensor(x)) return(x)
    if (!is_one_of(x, inputs)) inputs <<- c(inputs, list(x))
    structure(place_of(x, inputs), class = "nn_place")
  }
  if (any(vapply(tensor_leaves(args), is_symbolic, NA))) {
    abort("a symbolic tensor of a model meets a tensor of a function that is traced, such as that of a layer: give it ",
      "to the layer as one of its inputs", fun = user_function())
  }
  args <- map_leaves(args, place)
  take_names_before(inputs)
  layer <- layer_op_lambda(name, args, name = unique_name(op_label(name, args)))
  symbolic_call(layer_self(layer), inputs, list())
}

layer_op_lambda <- function(f, args, ...) {
  if (is.null(op_functions()[[check_string(f)]])) abort("there is no function of ops \"", f, "\"", fun = NULL)
  if (!any(vapply(tensor_leaves(unclass(args)), is_place, NA)))
    abort("`", f, "` is called without a tensor", fun = NULL)
  layer <- new_layer("op_lambda", config = list(f = f, args = structure(args, class = "nn_op_args")), ...)
  if (f == "[") assign("class_name", "SlicingOpLambda", layer_self(layer))
  layer
}

is_place <- function(x) inherits(x, "nn_place")

op_lambda_type <- list(
  class_name = "TFOpLambda",
  several = TRUE,
  autocast = FALSE,
  call = function(self, x) {
    x <- as_branch(x)
    args <- map_leaves(unclass(self$config$args), function(a) if (is_place(a)) x[[a]] else a)
    do.call(op_functions()[[self$config$f]], args, quote = TRUE)
  }
)

# ---- in files: a call is its function's name and its arguments as plain values ----

plain_op_classes <- c("nn_range", "nn_slice", "nn_all_dims", "nn_dtype", "nn_shape")

#' @param f what is called, for messages.
#' @noRd
op_data <- function(x, f) {
  if (is.null(x)) return(list(null = TRUE))
  if (is_place(x)) return(list(input = as.integer(x)))
  if (is_branch(x)) return(list(list = unname(lapply(x, op_data, f)), names = as.list(names(x))))
  if (inherits(x, plain_op_classes)) return(list(class = class(x), of = op_data(unclass(x), f)))
  if (is_tensor(x) && !is_variable(x)) return(list(dtype = tensor_dtype(x), of = op_data(as.array(x), f)))
  value_data(x, function(x) abort("`", f, "` is called on a symbolic tensor and ", if (is_tensor(x)) "a variable" else
    describe(x), ", which no file can hold together: `layer_lambda()` or a custom layer can, whose code is given ",
    "again as `custom_objects`; `save_model_weights()` saves the weights alone", class = "custom",
    fun = user_function()))
}

read_op_data <- function(x) {
  if (!is.null(x$null)) return(NULL)
  if (!is.null(x$input)) return(structure(check_count(x$input), class = "nn_place"))
  if (!is.null(x$list)) {
    parts <- lapply(x$list, read_op_data)
    return(if (length(x$names)) stats::setNames(parts, unlist(x$names)) else parts)
  }
  if (!is.null(x$class)) return(structure(read_op_data(x$of), class = check_choice(x$class, plain_op_classes)))
  if (!is.null(x$dtype)) return(tensor(read_op_data(x$of), x$dtype))
  read_value_data(x)
}
