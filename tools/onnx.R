# Rscript tools/onnx.R <folder with node_modules>: models of each kind of layer run in ONNX Runtime (npm install
# --ignore-scripts onnxruntime-web). Prints the largest difference of the outputs of each.
suppressMessages(library(nativenet))
home <- commandArgs(TRUE)[1]
folder <- tempfile("onnx")
dir.create(folder)
acts <- lapply(c("linear", "relu", "elu", "selu", "gelu", "swish", "sigmoid", "hard_sigmoid", "tanh", "softmax",
  "softplus", "softsign", "exponential"), function(a) layer_activation(activation = a, name = paste0("act_", a)))
layers <- list(
  "4" = c(acts, list(layer_dense(units = 3, activation = "tanh"), layer_activation_relu(max_value = 0.5,
    negative_slope = 0.1, threshold = 0.2), layer_activation_leaky_relu(alpha = 0.2),
    layer_activation(activation = activation_gelu(approximate = TRUE), name = "gelu2"),
    layer_activation_elu(alpha = 0.5), layer_activation_selu(), layer_activation_softmax(),
    layer_activation_thresholded_relu(theta = 0.5), layer_activation_parametric_relu(),
    layer_dropout(rate = 0.5), layer_gaussian_noise(stddev = 1), layer_gaussian_dropout(rate = 0.5),
    layer_alpha_dropout(rate = 0.5), layer_activity_regularization(l1 = 0.1), layer_reshape(target_shape = c(2, 2)),
    layer_repeat_vector(n = 2), layer_rescaling(scale = 0.5, offset = 1), layer_flatten(),
    layer_normalization(mean = 1:4 / 4, variance = c(1, 2, 3, 4)), layer_unit_normalization(),
    layer_batch_normalization(scale = FALSE), layer_layer_normalization(), layer_group_normalization(groups = 2))),
  "6 4" = list(layer_conv_1d(filters = 2, kernel_size = 3, padding = "causal", dilation_rate = 2),
    layer_conv_1d(filters = 2, kernel_size = 3, strides = 2, padding = "same"),
    layer_conv_1d_transpose(filters = 2, kernel_size = 3, strides = 2, padding = "same"),
    layer_separable_conv_1d(filters = 2, kernel_size = 2), layer_depthwise_conv_1d(kernel_size = 2),
    layer_max_pooling_1d(), layer_average_pooling_1d(pool_size = 3, strides = 1, padding = "same"),
    layer_global_max_pooling_1d(), layer_global_average_pooling_1d(keepdims = TRUE), layer_zero_padding_1d(padding =
    c(1, 2)), layer_cropping_1d(cropping = c(2, 1)), layer_upsampling_1d(), layer_spatial_dropout_1d(rate = 0.5),
    layer_permute(dims = c(2, 1)), layer_lstm(units = 3, return_sequences = TRUE, recurrent_activation =
    "hard_sigmoid"), layer_lstm(units = 3, go_backwards = TRUE), layer_gru(units = 3), layer_gru(units = 3,
    reset_after = FALSE, go_backwards = TRUE, return_sequences = TRUE), layer_simple_rnn(units = 3, use_bias = FALSE,
    activation = "relu"), bidirectional(layer = layer_lstm(units = 2), merge_mode = "ave"),
    bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE)), time_distributed(layer = layer_dense(units =
    2)), layer_layer_normalization(axis = c(2, 3)), layer_group_normalization(groups = 2),
    layer_multi_head_attention(num_heads = 2, key_dim = 3)),
  "6 6 4" = list(layer_conv_2d(filters = 4, kernel_size = c(3, 2), strides = 2, groups = 2, activation = "relu"),
    layer_conv_2d(filters = 4, kernel_size = 3, dilation_rate = 2, padding = "same"),
    layer_conv_2d_transpose(filters = 2, kernel_size = 3, strides = 2),
    layer_conv_2d_transpose(filters = 2, kernel_size = 2, strides = 3, padding = "same"),
    layer_conv_2d_transpose(filters = 2, kernel_size = 3, output_padding = 1, strides = 2, padding = "same"),
    layer_separable_conv_2d(filters = 2, kernel_size = 3, strides = 2, padding = "same"),
    layer_depthwise_conv_2d(kernel_size = 3, depth_multiplier = 2), layer_max_pooling_2d(padding = "same", pool_size =
    3), layer_average_pooling_2d(pool_size = 3, padding = "same"), layer_global_max_pooling_2d(),
    layer_global_average_pooling_2d(), layer_zero_padding_2d(padding = list(c(1, 2), c(0, 1))),
    layer_cropping_2d(cropping = c(1, 2)), layer_upsampling_2d(size = c(2, 3)), layer_upsampling_2d(interpolation =
    "bilinear"), layer_resizing(height = 9, width = 4), layer_batch_normalization(axis = 2), layer_random_flip(),
    layer_conv_2d(filters = 2, kernel_size = 3, data_format = "channels_first"), layer_max_pooling_2d(data_format =
    "channels_first"), layer_flatten(),
    time_distributed(layer = layer_conv_1d(filters = 2, kernel_size = 2))),
  "4 4 4 2" = list(layer_conv_3d(filters = 2, kernel_size = 2), layer_conv_3d_transpose(filters = 2, kernel_size = 2),
    layer_max_pooling_3d(), layer_average_pooling_3d(), layer_global_max_pooling_3d(), layer_zero_padding_3d(),
    layer_cropping_3d(), layer_upsampling_3d(), layer_spatial_dropout_3d(rate = 0.5))
)
cases <- list()
models <- list()
enter <- function(name, model, x) {
  set.seed(7)
  set_weights(model, lapply(get_weights(model), function(w) if (length(dim(w))) array(runif(length(w), 0.1, 0.9),
    dim(w)) else w + runif(length(w), 0.1, 0.9)))
  file <- sprintf("%03d.onnx", length(cases) + 1)
  error <- tryCatch({
    save_model_onnx(model, file.path(folder, file))
    NULL
  }, error = conditionMessage)
  if (!is.null(error)) return(cat(name, ": ", error, "\n", sep = ""))
  inputs <- Map(function(x, t) list(name = t$name, dtype = t$dtype, shape = as.list(dim(x)), values = as.list(as.vector(
    aperm(x)))), x, model$inputs)
  cases[[length(cases) + 1]] <<- list(name = name, file = file, inputs = unname(inputs))
  models[[length(models) + 1]] <<- list(model = model, x = x)
}
for (shape in names(layers)) for (layer in layers[[shape]]) {
  size <- as.integer(strsplit(shape, " ")[[1]])
  enter(layer$name, keras_model_sequential(list(layer), input_shape = size),
    list(array(sin(seq_len(2 * prod(size))), c(2, size))))
}
a <- layer_input(c(5, 3))
b <- layer_input(c(5, 3))
shared <- layer_dense(units = 4, activation = "tanh")
states <- layer_lstm(units = 4, return_state = TRUE)(shared(a))
decoded <- layer_lstm(units = 4, return_sequences = TRUE)(shared(b), initial_state = states[2:3])
inner_input <- layer_input(4)
inner <- keras_model(inner_input, layer_dense(inner_input, 2))
merged <- list(layer_add(shared(a), decoded), layer_multiply(shared(a), decoded), layer_maximum(shared(a), decoded),
  layer_average(shared(a), decoded), layer_minimum(shared(a), decoded), layer_subtract(shared(a), decoded))
joined <- layer_concatenate(merged) |> layer_flatten() |> layer_dense(4)
dots <- list(layer_dot(list(layer_flatten(decoded), layer_flatten(merged[[1]])), axes = 1, normalize = TRUE),
  layer_dot(list(decoded, merged[[1]]), axes = c(2, 2)))
looks <- list(layer_attention(list(decoded, merged[[1]]), use_scale = TRUE), layer_additive_attention(list(decoded,
  merged[[1]])), layer_multi_head_attention(list(decoded, merged[[1]], merged[[2]]), num_heads = 2, key_dim = 3))
model <- keras_model(list(a, b), c(list(inner(joined), inner(states[[2]]), joined, joined, shared(a)), dots, looks))
enter("functional", model, lapply(1:2, function(k) array(sin(k * 1:30), c(2, 5, 3))))
words <- layer_input(6, dtype = "int32")
enter("words", keras_model(words, words |> layer_embedding(10, 4) |> layer_gru(3)), list(array(c(1:9, 0, 0, 0), c(2,
  6))))
writeLines(jsonlite::toJSON(cases, auto_unbox = TRUE, digits = NA), file.path(folder, "cases.json"))
system2("node", c(normalizePath("tools/onnx-run.js"), folder), env = paste0("NODE_PATH=", normalizePath(file.path(home,
  "node_modules"))))
results <- jsonlite::fromJSON(file.path(folder, "results.json"), simplifyVector = FALSE)
for (k in seq_along(results)) {
  r <- results[[k]]
  own <- models[[k]]
  if (!is.null(r$error)) {
    cat(r$name, ": ONNX Runtime refuses it:", substr(r$error, 1, 300), "\n")
    next
  }
  y <- predict(own$model, if (length(own$x) == 1) own$x[[1]] else own$x)
  y <- if (is.list(y)) y else list(y)
  theirs <- lapply(r$result, function(t) aperm(array(unlist(t$values), rev(unlist(t$shape)))))
  gaps <- mapply(function(a, b) if (identical(dim(a), dim(b))) max(abs(a - b)) / max(1, abs(a)) else Inf, y, theirs)
  cat(sprintf("%-28s %.2g%s\n", r$name, max(gaps), if (max(gaps) > 1e-5) paste("   <--- outputs",
    toString(which(gaps > 1e-5))) else ""))
}
