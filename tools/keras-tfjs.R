# Rscript tools/keras-tfjs.R <folder with node_modules>: models written in Keras' layout run in TensorFlow.js, an
# independent implementation of Keras' layers (npm install --ignore-scripts @tensorflow/tfjs), and what that writes of
# them is read. Prints the largest difference of the outputs of each model.
suppressMessages(library(nativenet))
home <- commandArgs(TRUE)[1]
folder <- tempfile("tfjs")
dir.create(folder)
layers <- list(
  "4" = list(layer_dense(units = 3, activation = "tanh"), layer_activation(activation = "elu"),
    layer_activation_relu(max_value = 1), layer_activation_leaky_relu(alpha = 0.2), layer_activation_elu(alpha = 0.5),
    layer_activation_softmax(), layer_activation_parametric_relu(alpha_initializer = "ones"),
    layer_activation_thresholded_relu(theta = 0.5), layer_dropout(rate = 0.5), layer_gaussian_noise(stddev = 1),
    layer_alpha_dropout(rate = 0.5), layer_reshape(target_shape = c(2, 2)), layer_repeat_vector(n = 2),
    layer_rescaling(scale = 0.5, offset = 1), layer_batch_normalization(), layer_layer_normalization()),
  "6 4" = list(layer_conv_1d(filters = 2, kernel_size = 3, padding = "causal"), layer_max_pooling_1d(),
    layer_average_pooling_1d(pool_size = 3, strides = 1, padding = "same"), layer_global_max_pooling_1d(),
    layer_global_average_pooling_1d(), layer_cropping_1d(), layer_upsampling_1d(), layer_permute(dims = c(2, 1)),
    layer_spatial_dropout_1d(rate = 0.5),
    layer_lstm(units = 3, return_sequences = TRUE, recurrent_activation = "hard_sigmoid"),
    layer_gru(units = 3, reset_after = FALSE), layer_gru(units = 3, reset_after = FALSE, go_backwards = TRUE),
    layer_simple_rnn(units = 3), layer_rnn(cell = layer_lstm_cell(units = 3)), layer_masking(mask_value = 1),
    layer_rnn(cell = list(layer_simple_rnn_cell(units = 2), layer_lstm_cell(units = 3))),
    bidirectional(layer = layer_lstm(units = 2), merge_mode = "concat"),
    bidirectional(layer = layer_lstm(units = 2, return_sequences = TRUE), merge_mode = "sum"),
    time_distributed(layer = layer_dense(units = 2)), layer_flatten()),
  "6 6 4" = list(layer_conv_2d(filters = 4, kernel_size = c(3, 2), strides = 2, activation = "relu"),
    layer_conv_2d(filters = 4, kernel_size = 3, dilation_rate = 2, padding = "same"),
    layer_conv_2d_transpose(filters = 2, kernel_size = 3, strides = 2),
    layer_separable_conv_2d(filters = 2, kernel_size = 3), layer_depthwise_conv_2d(kernel_size = 3, depth_multiplier =
    2), layer_max_pooling_2d(), layer_average_pooling_2d(), layer_global_max_pooling_2d(),
    layer_global_average_pooling_2d(), layer_zero_padding_2d(padding = list(c(1, 2), c(0, 1))),
    layer_cropping_2d(cropping = c(1, 2)), layer_upsampling_2d()),
  "4 4 4 2" = list(layer_conv_3d(filters = 2, kernel_size = 2), layer_conv_3d_transpose(filters = 2, kernel_size = 2),
    layer_max_pooling_3d(), layer_average_pooling_3d())
)
flat <- function(x) list(values = as.list(as.vector(aperm(x))), shape = as.list(dim(x)))
flat_1 <- function(x) if (length(dim(x)) > 1) flat(x) else list(values = as.list(as.vector(x)),
  shape = as.list(length(x)))
cases <- list()
models <- list()
enter <- function(name, model, x) {
  set.seed(7)
  weights <- lapply(get_weights(model), function(w) array(runif(length(w), 0.1, 0.9), dim(w)))
  set_weights(model, weights)
  cases[[length(cases) + 1]] <<- list(name = name, json = model_to_json(model), weights = lapply(weights, flat_1),
    inputs = lapply(x, flat_1))
  models[[length(models) + 1]] <<- list(model = model, x = x)
}
for (shape in names(layers)) for (layer in Filter(is.function, layers[[shape]])) {
  size <- as.integer(strsplit(shape, " ")[[1]])
  enter(layer$name, keras_model_sequential(list(layer), input_shape = size),
    list(array(sin(seq_len(2 * prod(size))), c(2, size))))
}
a <- layer_input(c(5, 3))
b <- layer_input(c(5, 3))
shared <- layer_dense(units = 4, activation = "tanh")
states <- layer_lstm(units = 4, return_state = TRUE)(shared(a))
decoded <- layer_lstm(units = 4, return_sequences = TRUE)(shared(b), initial_state = states[2:3])
stack <- keras_model_sequential(input_shape = 4) |> layer_dense(4)
inner_input <- layer_input(4)
inner <- keras_model(inner_input, layer_dense(inner_input, 2))
merged <- list(layer_add(shared(a), decoded), layer_multiply(shared(a), decoded), layer_maximum(shared(a), decoded),
  layer_average(shared(a), decoded), layer_minimum(shared(a), decoded))
joined <- layer_concatenate(merged) |> layer_flatten() |> layer_dense(4)
dotted <- layer_dot(list(layer_flatten(decoded), layer_flatten(merged[[1]])), axes = 1)
model <- keras_model(list(a, b), list(stack(joined), inner(stack(states[[2]])), inner(joined), dotted))
enter("functional", model, lapply(1:2, function(k) array(sin(k * 1:30), c(2, 5, 3))))
words <- layer_input(6, dtype = "int32")
model <- keras_model(words, words |> layer_embedding(10, 4, mask_zero = TRUE) |> layer_lstm(3))
enter("embedding", model, list(array(c(1:9, 0, 0, 0), c(2, 6))))
writeLines(jsonlite::toJSON(cases, auto_unbox = TRUE, digits = NA, null = "null"), file.path(folder, "cases.json"))
script <- normalizePath("tools/keras-tfjs.js")
status <- system2("node", c(script, folder), env = paste0("NODE_PATH=", normalizePath(file.path(home, "node_modules"))))
results <- jsonlite::fromJSON(file.path(folder, "results.json"), simplifyVector = FALSE)
for (k in seq_along(results)) {
  own <- models[[k]]
  r <- results[[k]]
  if (!is.null(r$error)) {
    cat(r$name, ": TensorFlow.js refuses it:", substr(r$error, 1, 200), "\n")
    next
  }
  y <- predict(own$model, if (length(own$x) == 1) own$x[[1]] else own$x)
  y <- if (is.list(y)) y else list(y)
  theirs <- lapply(r$result, function(t) aperm(array(unlist(t$values), rev(unlist(t$shape)))))
  gap <- max(mapply(function(a, b) if (length(a) == length(b)) max(abs(a - b)) else Inf, y, theirs))
  back <- tryCatch({
    again <- model_from_json(r$again)
    set_weights(again, get_weights(own$model))
    z <- predict(again, if (length(own$x) == 1) own$x[[1]] else own$x)
    max(mapply(function(a, b) max(abs(a - b)), y, if (is.list(z)) z else list(z)))
  }, error = function(e) substr(conditionMessage(e), 1, 300))
  cat(sprintf("%-28s difference %.2g; read back: %s\n", r$name, gap, format(back)))
}
