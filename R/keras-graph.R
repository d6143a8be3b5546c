# The calls of layers on symbolic tensors, states of models by name, and halves of data sets.

#' The calls of a layer
#'
#' Each call of a layer on symbolic tensors is a node of a model's graph. These give what the call with a number read
#' and gave, and its shapes. A model's first call is that of its own inputs.
#'
#' `get_source_inputs()` gives the inputs of a model that a symbolic tensor depends on.
#'
#' @param object a layer or model.
#' @param node_index the number of the call, from 1.
#' @param tensor a symbolic tensor.
#' @return A symbolic tensor or a list of them; a shape, with `NA` for sizes that are not known. The masks are `NULL`,
#'   or an error where there is one: masks have no tensors before a model runs.
#' @section Errors: `nativenet_error_index` if there was no such call.
#' @seealso [get_layer()], [keras_model()]
#' @examples
#' a <- layer_input(2)
#' b <- layer_input(2)
#' shared <- layer_dense(units = 3)
#' y <- list(shared(a), shared(b))
#' get_input_at(shared, 2)
#' get_output_shape_at(shared, 1)
#' get_source_inputs(y[[2]])
#' @export
get_input_at <- function(object, node_index) call_at(object, node_index)$input

#' @rdname get_input_at
#' @export
get_output_at <- function(object, node_index) call_at(object, node_index)$output

#' @rdname get_input_at
#' @export
get_input_shape_at <- function(object, node_index) map_leaves(call_at(object, node_index)$input, dim)

#' @rdname get_input_at
#' @export
get_output_shape_at <- function(object, node_index) map_leaves(call_at(object, node_index)$output, dim)

#' @rdname get_input_at
#' @export
get_input_mask_at <- function(object, node_index) mask_at(call_at(object, node_index)$input)

#' @rdname get_input_at
#' @export
get_output_mask_at <- function(object, node_index) mask_at(call_at(object, node_index)$output)

call_at <- function(object, node_index, fun = calling_function()) {
  if (!is_layer(object)) abort("`object` must be a layer or a model, not ", describe(object), fun = fun)
  self <- layer_self(object)
  plain <- function(x) if (length(x) == 1) x[[1]] else x
  own <- if (is_model(object) && length(self$outputs)) list(list(input = plain(self$inputs),
    output = plain(self$outputs)))
  calls <- c(own, self$calls)
  at <- check_count(node_index, fun = fun)
  if (at > length(calls)) abort("`", self$name, "` was called ", length(calls), if (length(calls) == 1) " time" else
    " times", " on symbolic tensors, so there is no call ", at, class = "index", fun = fun)
  calls[[at]]
}

mask_at <- function(x, fun = calling_function()) {
  masked <- !vapply(tensor_leaves(x), function(t) is.null(.subset2(t, "mask")), NA)
  if (any(masked)) abort("the mask has no tensor before a model runs; `k_not_equal()` computes one from its tokens",
    class = "missing", fun = fun)
  NULL
}

#' @rdname get_input_at
#' @export
get_source_inputs <- function(tensor) {
  if (!is_keras_tensor(tensor)) abort("`tensor` must be a symbolic tensor, not ", describe(tensor))
  seen <- new.env(parent = emptyenv())
  found <- list()
  look <- function(x) {
    if (is_model_input(x)) {
      if (!is_one_of(x, found)) found <<- c(found, list(x))
    } else if (!was_seen(seen, x$node)) for (y in node_sources(x$node)) look(y)
  }
  look(tensor)
  found
}

#' Reset the state
#'
#' Of a metric: it begins again, as by `$reset_state()`. Of a model or layer: [reset_states()], and layers that learned
#' from data ([adapt()]) do not forget.
#'
#' @param object a metric, a model or a layer.
#' @return `object`, invisibly.
#' @seealso [reset_states()], [metrics]
#' @examples
#' m <- metric_mean()
#' m$update_state(3)
#' reset_state(m)
#' m$result() # 0
#' @export
reset_state <- function(object) {
  if (is_part(object, "metric")) metric_reset(object)
  else if (is_layer(object)) reset_states(object)
  else abort("`object` must be a metric, a model or a layer, not ", describe(object))
  invisible(object)
}

#' Weights and optimizer state by name
#'
#' `get_state_tree()` gives the weights of a model and the state of its optimizer as nested lists by name, and
#' `set_state_tree()` puts them into a model of the same layers. They are copies.
#'
#' @param object a model.
#' @param value_format `"backend_tensor"` for tensors, `"array"` or `"numpy_array"` for arrays.
#' @param state_tree what `get_state_tree()` gave, or part of it.
#' @return A list of `trainable_variables` and `non_trainable_variables`, lists by layer and by weight;
#'   `optimizer_variables`, with `iteration`, `learning_rate` and for each weight that was trained its state, numbered;
#'   and `metrics_variables`, which is empty, as metrics of models begin anew with each epoch. `set_state_tree()` gives
#'   `object`, invisibly.
#' @section Errors: `nativenet_error_names` for a name that the model does not have; `nativenet_error_shape` for another
#'   shape.
#' @seealso [get_weights()], [save_model()]
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, name = "last")
#' tree <- get_state_tree(model, "array")
#' tree$trainable_variables$last$kernel
#' tree$trainable_variables$last$bias <- array(1)
#' set_state_tree(model, tree)
#' @export
get_state_tree <- function(object, value_format = "backend_tensor") {
  self <- built_self(object)
  arrays <- check_choice(value_format, c("backend_tensor", "numpy_array", "array")) != "backend_tensor"
  value <- function(x) if (arrays) as.array(x) else op_cast(x, tensor_dtype(x))
  weights <- state_weights(self)
  list(trainable_variables = state_branch(weights$trainable, value),
    non_trainable_variables = state_branch(weights$others, value),
    optimizer_variables = if (is.null(self$compiled)) list() else optimizer_tree(self$compiled$optimizer, value),
    metrics_variables = list())
}

#' Those that are trained and the others, each by its path "layer/weight".
#' @noRd
state_weights <- function(self) {
  weights <- all_weights(self)
  names(weights) <- paths_by_name(weights)
  trained <- vapply(weights, is_one_of, NA, trainable_weights(self))
  list(trainable = weights[trained], others = weights[!trained])
}

paths_by_name <- function(variables) make.unique(sub(":0$", "", vapply(variables, variable_name, "")), "_")

state_branch <- function(weights, value) {
  put <- function(tree, keys, x) {
    tree[[keys[1]]] <- if (length(keys) == 1) x else put(as.list(tree[[keys[1]]]), keys[-1], x)
    tree
  }
  tree <- list()
  for (path in names(weights)) tree <- put(tree, strsplit(path, "/", fixed = TRUE)[[1]], value(weights[[path]]))
  tree
}

optimizer_tree <- function(optimizer, value) {
  memory <- optimizer_now(optimizer)
  states <- lapply(seq_along(memory[[2]]), function(k) stats::setNames(lapply(memory[[3]][[k]], value),
    seq_along(memory[[3]][[k]])))
  c(list(iteration = optimizer_iterations(optimizer), learning_rate = current_rate(optimizer)), stats::setNames(states,
    gsub("/", "_", paths_by_name(memory[[2]]), fixed = TRUE)))
}

#' @rdname get_state_tree
#' @export
set_state_tree <- function(object, state_tree) {
  self <- built_self(object)
  known <- c("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")
  if (!is_named_list(state_tree) || length(setdiff(names(state_tree), known))) abort("`state_tree` must be a list of ",
    some_names("", known), ", not ", describe(state_tree), class = "names")
  weights <- unlist(unname(state_weights(self)), recursive = FALSE)
  new <- c(paths_of(state_tree$trainable_variables), paths_of(state_tree$non_trainable_variables))
  unknown <- setdiff(names(new), names(weights))
  if (length(unknown)) abort("the model has no weight `", unknown[1], "`", did_you_mean(unknown[1], names(weights)),
    class = "names")
  for (path in names(new)) if (!same_sizes(shape_of(new[[path]]), dim(weights[[path]]))) abort("`", path,
    "` must have the shape ", format_shape(dim(weights[[path]])), ", not ", format_shape(shape_of(new[[path]])),
    class = "shape")
  for (path in names(new)) variable_assign(weights[[path]], op_cast(new[[path]], tensor_dtype(weights[[path]])))
  if (length(state_tree$optimizer_variables)) put_optimizer_tree(self, state_tree$optimizer_variables)
  invisible(object)
}

#' Leaves by their paths.
#' @noRd
paths_of <- function(tree, before = NULL) {
  if (!is_branch(tree)) return(if (!is.null(tree)) stats::setNames(list(tree), before))
  unlist(lapply(names(tree), function(name) paths_of(tree[[name]], paste(c(before, name), collapse = "/"))),
    recursive = FALSE)
}

put_optimizer_tree <- function(self, tree, fun = calling_function()) {
  if (is.null(self$compiled)) abort("`optimizer_variables` are for a model that was compiled", fun = fun)
  optimizer <- self$compiled$optimizer
  rate <- tree$learning_rate
  memory <- optimizer_now(optimizer)
  names <- gsub("/", "_", paths_by_name(memory[[2]]), fixed = TRUE)
  states <- tree[setdiff(names(tree), c("iteration", "learning_rate"))]
  if (length(setdiff(names(states), names))) abort("the optimizer has no state of ", some_names("", setdiff(names(
    states), names)), ": train the model for a step first", class = "names", fun = fun)
  # in their places, where programs look
  for (name in names(states)) {
    own <- memory[[3]][[match(name, names)]]
    given <- states[[name]]
    if (length(given) != length(own) || !all(unlist(Map(function(new, old) same_sizes(shape_of(new), dim(old)), given,
      own)))) abort("the state of `", name, "` must be ", length(own), " tensors of the shape ",
      format_shape(dim(own[[1]])), class = "shape", fun = fun)
    copies(unname(Map(function(new, old) as_value(op_cast(new, tensor_dtype(old))), given, own)), own)
  }
  if (!is.null(rate) && !has_schedule(optimizer)) optimizer$learning_rate <- known_number(rate)
  if (!is.null(tree$iteration)) {
    numbers <- as.array(memory[[1]])
    numbers[8] <- check_count(known_number(tree$iteration), min = 0, arg = "iteration", fun = fun)
    copies(list(tensor(numbers, "float64")), memory[1])
  }
}

known_number <- function(x) if (is_tensor(x)) as.double(as.array(x)) else as.double(x)

#' Two halves of a data set
#'
#' Two data sets of the first and the last elements, as for training and testing. Batches are taken apart first, and
#' both halves come in batches of that size again. The elements are held in memory.
#'
#' @param dataset a data set, an array, or a list of arrays with the same rows.
#' @param left_size,right_size a number from 0 to 1, the share of the elements; or a whole number (1 as `1L`, or above
#'   1) of elements. `NULL` for what the other leaves.
#' @param shuffle put the elements into a random order first?
#' @param seed a number for that order; `NULL` goes on with R's generator.
#' @return A list of two data sets.
#' @seealso [dataset_take()], [dataset_skip()]
#' @examples
#' halves <- split_dataset(tensor_slices_dataset(1:10), left_size = 0.8)
#' length(halves[[1]]) # 8
#' @export
split_dataset <- function(dataset, left_size = NULL, right_size = NULL, shuffle = FALSE, seed = NULL) {
  check_flag(shuffle)
  seed <- check_seed(seed)
  if (!is_dataset(dataset)) dataset <- tensor_slices_dataset(dataset)
  if (is.infinite(dataset$size)) abort("`dataset` must have an end; `dataset_take()` gives it one")
  batch <- size_of_batches(dataset)
  elements <- as.list(if (is.null(batch)) dataset else dataset_unbatch(dataset))
  n <- length(elements)
  sizes <- split_sizes(left_size, right_size, n)
  if (shuffle) elements <- elements[with_own_seed(seed, sample.int(n))]
  lapply(list(elements[seq_len(sizes[1])], elements[n - sizes[2] + seq_len(sizes[2])]), function(part) {
    columns <- fill_leaves(part[[1]], lapply(seq_along(tensor_leaves(part[[1]])), function(k) {
      leaves <- lapply(part, function(e) tensor_leaves(e)[[k]])
      if (is_strings(leaves[[1]])) unlist(lapply(leaves, as.character)) else op_stack(leaves)
    }))
    half <- tensor_slices_dataset(columns)
    if (is.null(batch)) half else dataset_batch(half, batch)
  })
}

split_sizes <- function(left, right, n, fun = calling_function()) {
  if (is.null(left) && is.null(right)) abort("`left_size` or `right_size` must be given", fun = fun)
  count <- function(x, arg) {
    if (is.null(x)) return(NULL)
    share <- !is.integer(x) && is_number(x) && x <= 1
    if (share) round(check_number(x, min = 0, arg = arg, fun = fun) * n) else check_count(x, max = n, arg = arg,
      fun = fun)
  }
  sizes <- list(count(left, "left_size"), count(right, "right_size"))
  if (is.null(sizes[[1]])) sizes[[1]] <- n - sizes[[2]]
  if (is.null(sizes[[2]])) sizes[[2]] <- n - sizes[[1]]
  sizes <- unlist(sizes)
  if (sum(sizes) > n) abort("`left_size` and `right_size` are ", sum(sizes), " elements together, but there are ", n,
    fun = fun)
  if (any(sizes < 1)) abort("both halves must have elements, but of ", n, " the left one would have ", sizes[1],
    ", the right one ", sizes[2], fun = fun)
  sizes
}
