# Weights of PyTorch: the tensors of a state_dict, found by the names of modules and turned into the layout of layers.

#' Load weights of PyTorch
#'
#' Gives a model the weights of a PyTorch model, from a file that was written in Python by
#' `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")`.
#'
#' Tensors are called by their module and what they are there: `features.0.weight` is the weight of the module
#' `features.0`. Each module belongs to a layer of the model:
#'
#' * without `layers`, modules whose names are those of all layers with weights (with `.` or `_` between the parts) go
#'   to these; numbered ones, as `nn.Sequential` has them, go to the layers with weights in their order. Otherwise
#'   `layers` must be given;
#' * `layers = c(dense = "classifier.1", lstm = "encoder.rnn")` says it. Layers that are not there keep their weights.
#'   Recurrent modules of several layers count as modules `encoder.rnn.l0`, `encoder.rnn.l1` and so on.
#'
#' | layer | module | what becomes of the tensors |
#' |---|---|---|
#' | [layer_dense()] | `Linear` | weight (out, in) transposed |
#' | [layer_conv_2d()] and 1D, 3D | `Conv2d` | weight (out, in, height, width) to (height, width, in, out) |
#' | [layer_conv_2d_transpose()] and 1D, 3D | `ConvTranspose2d` | weight (in, out, height, width) to |
#' | | | (height, width, out, in) |
#' | [layer_depthwise_conv_2d()] and 1D | `Conv2d(groups = channels)` | weight (channels times multiplier, 1, height, |
#' | | | width) to (height, width, channels, multiplier) |
#' | [layer_batch_normalization()] | `BatchNorm2d` | weight, bias and running_mean, running_var are gamma, |
#' | | | beta and mean, variance |
#' | [layer_layer_normalization()] | `LayerNorm` | weight and bias are gamma and beta |
#' | [layer_group_normalization()] | `GroupNorm` | likewise |
#' | [layer_embedding()] | `Embedding` | weight as it is |
#' | [layer_activation_parametric_relu()] | `PReLU` | weight, for each channel or for all |
#' | [layer_lstm()] | `LSTM` | gates i, f, g, o stay; both biases are summed |
#' | [layer_gru()] | `GRU` | gates r, z, n become z, r, h; needs `reset_after = TRUE` |
#' | [layer_simple_rnn()] | `RNN` | both biases are summed |
#' | [bidirectional()] of these | `bidirectional=True` | tensors with `_reverse` are those of the way back |
#' | [layer_multi_head_attention()] | `MultiheadAttention` | in_proj and out_proj divided among the heads |
#'
#' PyTorch has channels first. A dense layer behind [layer_flatten()] has its rows in the order of these, which is
#' turned into that of channels last. What no file tells is up to you: `padding`, `epsilon` of normalizations (1e-5 in
#' PyTorch), activations.
#'
#' @param object a model.
#' @param filepath name of the file.
#' @param layers `NULL`, or the module of each layer: a character vector or list, named by layers.
#' @return The model, changed in place, invisibly.
#' @section Errors: `nativenet_error_file` for a file that is missing or no safetensors file, or whose modules do not
#'   belong to the layers; `nativenet_error_shape` for tensors of other shapes. The model is unchanged then.
#' @seealso [load_model_weights()], [safetensors_read()]
#' @examples
#' # what PyTorch would write of nn.Sequential(nn.Linear(3, 2))
#' path <- tempfile(fileext = ".safetensors")
#' state <- list("0.weight" = matrix(1:6 / 10, 2), "0.bias" = array(c(1, 2), 2))
#' safetensors_write(path, lapply(state, tensor, "float32"))
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
#' load_torch_weights(model, path)
#' predict(model, diag(3)) # the columns of the weight and the bias
#' @export
load_torch_weights <- function(object, filepath, layers = NULL) {
  fun <- "load_torch_weights"
  self <- built_weights(object)
  where <- encodeString(check_string(filepath), quote = "\"")
  modules <- torch_modules(read_tensor_file(filepath, "filepath", fun)$tensors)
  selves <- Filter(function(s) length(s$weights) || s$kind == "bidirectional", layers_within(self))
  # what is within a layer comes with it
  inner <- unlist(lapply(selves, function(s) if (s$kind == "bidirectional") lapply(s$fields, layer_self)))
  selves <- Filter(function(s) !is_one_of(s, inner), selves)
  names(selves) <- self_names(selves)
  chosen <- torch_layers(modules, names(selves), layers, where, fun)
  pairs <- Map(function(name, module) {
    refuse <- function(...) abort(where, ": module `", module, "` for layer `", name, "`: ", ..., class = "shape",
      fun = fun)
    own <- selves[[name]]
    arrays <- torch_arrays(own, modules[[module]], refuse)
    pair_weights(torch_targets(own), arrays, paste0("layer `", name, "` (module `", module, "`)"),
      list(skip = FALSE, reshape = FALSE), where, fun)
  }, names(chosen), chosen)
  assign_pairs(unlist(unname(pairs), recursive = FALSE))
  invisible(object)
}

#' The tensors of each module, by what they are in it.
#' @noRd
torch_modules <- function(tensors) {
  keys <- names(tensors)
  # attention has a module of its own within
  keys <- sub("[.]out_proj[.](weight|bias)$", ".out_proj_\\1", keys)
  several <- sub("[.][^.]*_l[1-9][0-9]*(_reverse)?$", "", grep("[.][^.]*_l[1-9][0-9]*(_reverse)?$", keys, value = TRUE))
  prefix <- ifelse(grepl(".", keys, fixed = TRUE), sub("[.][^.]*$", "", keys), "")
  leaf <- sub("^.*[.]", "", keys)
  of_layer <- prefix %in% several & grepl("_l[0-9]+(_reverse)?$", leaf)
  prefix[of_layer] <- paste0(prefix, sub("^.*_(l[0-9]+)(_reverse)?$", ".\\1", leaf))[of_layer]
  leaf <- sub("_l[0-9]+(_reverse)?$", "\\1", leaf)
  used <- leaf != "num_batches_tracked"
  arrays <- lapply(tensors[used], function(x) if (is_tensor(x)) as.array(x) else x)
  split(stats::setNames(arrays, leaf[used]), factor(prefix[used], unique(prefix[used])))
}

#' The module of each layer.
#' @noRd
torch_layers <- function(modules, names, layers, where, fun) {
  held <- names(modules)
  if (!is.null(layers)) {
    layers <- unlist(layers)
    if (!is.character(layers) || is.null(names(layers))) abort("`layers` must name layers, with a module for each, ",
      "not be ", describe(layers), fun = fun)
    unknown <- setdiff(names(layers), names)
    if (length(unknown)) abort("the model has no layer `", unknown[1], "` with weights", did_you_mean(unknown[1],
      names), fun = fun)
    missing <- setdiff(layers, held)
    if (length(missing)) abort(where, " has no module `", missing[1], "`, only ", paste0("`", held, "`",
      collapse = ", "), class = "file", fun = fun)
    return(layers)
  }
  plain <- function(x) gsub("[./]", "_", x)
  at <- match(plain(names), plain(held))
  if (!anyNA(at) && length(held) == length(names)) return(stats::setNames(held[at], names))
  parts <- regmatches(held, gregexpr("[0-9]+", held))
  stem <- unique(gsub("[0-9]+", "", held))
  if (length(stem) == 1 && all(lengths(parts) == lengths(parts)[1]) && lengths(parts)[1] > 0 &&
    length(held) == length(names)) {
    numbers <- do.call(rbind, lapply(parts, as.numeric))
    return(stats::setNames(held[do.call(order, asplit(numbers, 2))], names))
  }
  abort(where, " has the modules ", paste0("`", held, "`", collapse = ", "), " and the model the layers ",
    paste0("`", names, "`", collapse = ", "), ": say by `layers = c(", names[1], " = \"", held[1],
    "\", ...)` which belong together", class = "file", fun = fun)
}

# ---- tensors of a module as the weights of a layer ----

torch_targets <- function(self) if (self$kind == "bidirectional") unlist(lapply(unname(self$fields), function(layer)
  layer_self(layer)$weights)) else self$weights

#' In the order of the layer's weights. Each must be there, and no other.
#' @noRd
torch_arrays <- function(self, module, refuse) {
  kind <- sub("_[123]d$", "", sub("_[123]d_transpose$", "_transpose", self$kind))
  take <- torch_rules[[kind]]
  if (is.null(take)) refuse("there is no module of PyTorch for a layer of class ", self$class_name)
  used <- character()
  get <- function(name, axes = NULL) {
    used <<- c(used, name)
    x <- module[[name]]
    if (!is.numeric(x) && !is.logical(x)) refuse("it has no `", name, "`, but ", paste0("`", names(module), "`",
      collapse = ", "))
    if (!is.null(axes) && length(dim(x)) != axes) refuse("`", name, "` must have ", axes, " axes, not the shape ",
      format_shape(dim(x)))
    x
  }
  arrays <- take(self, get, refuse)
  more <- setdiff(names(module), used)
  if (length(more)) refuse("it has `", more[1], "` besides, for which the layer has no weight")
  arrays
}

torch_bias <- function(self, get) if (self$config$use_bias) list(get("bias"))

#' (out, in, sizes...) to (sizes..., in, out)
#' @noRd
torch_kernel <- function(self, get) {
  axes <- length(self$config$kernel_size)
  aperm(get("weight", axes + 2), c(seq_len(axes) + 2, 2, 1))
}

#' The rows of a kernel behind layer_flatten() in the order of channels last.
#' @noRd
torch_rows <- function(self, kernel, refuse) {
  shape <- flattened_shape(self)
  if (is.null(shape)) return(kernel)
  k <- length(shape) - 1
  if (anyNA(shape) || prod(shape) != nrow(kernel)) refuse("`weight` has ", nrow(kernel), " columns for an input of ",
    format_keras_shape(shape))
  # theirs runs fastest along the last size, ours along the channels
  theirs <- array(kernel, c(rev(shape[seq_len(k)]), shape[k + 1], ncol(kernel)))
  matrix(aperm(theirs, c(k + 1, seq_len(k), k + 2)), nrow(kernel))
}

#' The shape that the input of a layer had before it was flattened, if that had sizes besides channels.
#' @noRd
flattened_shape <- function(self) {
  node <- if (is_keras_tensor(self$input)) self$input$node
  while (!is.null(node) && !isTRUE(node$layer$is_input)) {
    from <- node$inputs
    if (!is_keras_tensor(from)) return(NULL)
    if (node$layer$kind == "flatten") return(channels_behind(from,
      check_data_format(node$layer$config$data_format)))
    # what keeps the order of features
    if (!grepl("^(dropout|activation|gaussian|alpha_dropout|batch_normalization)", node$layer$kind)) return(NULL)
    node <- from$node
  }
}

#' The sizes of an input of layer_flatten(), then its channels, as that puts them; NULL where the order is PyTorch's.
#' @param format the data format of layer_flatten().
#' @noRd
channels_behind <- function(x, format) {
  shape <- dim(x)[-1]
  if (length(shape) < 2) return(NULL)
  node <- x$node # the layers before tell where the channels are
  while (!isTRUE(node$layer$is_input) && is.null(node$layer$config$data_format))
    node <- tensor_leaves(node$inputs)[[1]]$node
  before <- if (is.null(node$layer$config$data_format)) format else node$layer$config$data_format
  if (before == "channels_last") return(if (format == before) shape else NA * shape)
  if (format == before) c(shape[-1], shape[1])
}

#' Blocks of columns of gates in another order.
#' @noRd
gates_in_order <- function(x, order) {
  x <- if (length(dim(x)) > 1) x else t(x)
  size <- ncol(x) / length(order)
  x[, unlist(lapply(order, function(k) (k - 1) * size + seq_len(size))), drop = FALSE]
}

#' @param order of the gates.
#' @param apart does the layer have two biases?
#' @noRd
torch_recurrent <- function(order, apart = FALSE) function(self, get, refuse, suffix = "") {
  if (apart && !isTRUE(self$config$reset_after)) refuse("GRU of PyTorch has `reset_after = TRUE`")
  if (length(order) == 1 && !part_name(self$config$activation) %in% c("tanh", "relu"))
    refuse("RNN of PyTorch has the activation tanh or relu")
  part <- function(name) gates_in_order(t(get(paste0(name, suffix), 2)), order)
  bias <- if (self$config$use_bias) lapply(c("bias_ih", "bias_hh"), function(name)
    gates_in_order(get(paste0(name, suffix)), order))
  c(list(part("weight_ih"), part("weight_hh")), if (self$config$use_bias) list(if (apart) do.call(rbind, bias) else
    as.vector(bias[[1]] + bias[[2]])))
}

torch_scale <- function(self, get) c(if (self$config$scale) list(get("weight")), if (self$config$center)
  list(get("bias")))

torch_rules <- list(
  dense = function(self, get, refuse) c(list(torch_rows(self, t(get("weight", 2)), refuse)), torch_bias(self, get)),
  conv = function(self, get, refuse) c(list(torch_kernel(self, get)), torch_bias(self, get)),
  conv_transpose = function(self, get, refuse) c(list(torch_kernel(self, get)), torch_bias(self, get)),
  depthwise_conv = function(self, get, refuse) {
    axes <- length(self$config$kernel_size)
    w <- get("weight", axes + 2)
    many <- self$config$depth_multiplier
    w <- array(w, c(many, dim(w)[1] / many, dim(w)[-(1:2)]))
    c(list(aperm(w, c(seq_len(axes) + 2, 2, 1))), torch_bias(self, get))
  },
  batch_normalization = function(self, get, refuse) c(torch_scale(self, get), list(get("running_mean"),
    get("running_var"))),
  layer_normalization = function(self, get, refuse) torch_scale(self, get),
  group_normalization = function(self, get, refuse) torch_scale(self, get),
  embedding = function(self, get, refuse) list(get("weight", 2)),
  activation_parametric_relu = function(self, get, refuse) {
    size <- dim(self$weights[[1]])
    w <- as.vector(get("weight"))
    channels <- if (sum(size > 1) == 1) max(size) else size[length(size)] # shared along all other axes, or the last one
    if (!length(w) %in% c(1, channels)) refuse("`weight` has ", length(w), " numbers, not 1 or ", channels)
    list(array(rep(w, each = prod(size) / length(w)), size))
  },
  lstm = torch_recurrent(1:4),
  gru = torch_recurrent(c(2, 1, 3), apart = TRUE),
  simple_rnn = torch_recurrent(1),
  bidirectional = function(self, get, refuse) {
    unlist(Map(function(layer, suffix) {
      own <- layer_self(layer)
      rule <- if (own$kind %in% c("lstm", "gru", "simple_rnn")) torch_rules[[own$kind]] else
        refuse("there is no module of PyTorch for its layers of class ", own$class_name)
      rule(own, get, refuse, suffix)
    }, unname(self$fields), c("", "_reverse")), recursive = FALSE)
  },
  multi_head_attention = function(self, get, refuse) {
    config <- self$config
    heads <- config$num_heads
    all <- get("in_proj_weight", 2)
    bias <- if (config$use_bias) get("in_proj_bias")
    size <- heads * config$key_dim
    if (config$key_dim != config$value_dim || nrow(all) != 3 * size) refuse("`in_proj_weight` of shape ",
      format_shape(dim(all)), " does not belong to ", heads, " heads of ", config$key_dim, " features")
    parts <- lapply(0:2, function(k) {
      rows <- k * size + seq_len(size)
      kernel <- aperm(array(t(all[rows, , drop = FALSE]), c(ncol(all), size / heads, heads)), c(1, 3, 2))
      c(list(kernel), if (config$use_bias) list(t(matrix(bias[rows], size / heads, heads))))
    })
    out <- get("out_proj_weight", 2)
    end <- aperm(array(t(out), c(size / heads, heads, nrow(out))), c(2, 1, 3))
    c(unlist(parts, recursive = FALSE), list(end), if (config$use_bias) list(get("out_proj_bias")))
  }
)
