# Calls of every exported function, of the methods for our objects and of the members of `tf`, each with one argument
# replaced by an odd value. An outcome is good if the call is refused by an error of ours, or taken where taking it
# makes sense. tools/odd-arguments.R makes all of these calls, test-check.R a sample.

# What may come where something else is expected. Each is a call, evaluated anew for each use.
odd_values <- alist(
  null = NULL, na = NA, na_integer = NA_integer_, na_real = NA_real_, na_string = NA_character_, nan = NaN, inf = Inf,
  minus_inf = -Inf, complex = 1i, minus = -1, zero = 0, half = 0.5, three = 3L, huge = 1e300, tiny = -1e-300,
  above_int = 2^43, true = TRUE, false = FALSE, no_numbers = numeric(0), no_strings = character(0), no_list = list(),
  empty = "", nonsense = "nonsense", digit = "1", strings = c("a", "b"), na_strings = c("a", NA), bad_utf8 = "\xff\xfe",
  hole = c(1, NA), steps = c(1.5, 2.5, -1), thousand = rep(1, 1000), cube = array(1, c(2, 3, 4)),
  no_rows = matrix(0, 0, 3), letters = matrix(letters[1:4], 2), complexes = matrix(1i, 2, 2), list_1 = list(1),
  mixed = list(1, "a"), nested = list(list(1), list(NULL)), named = list(a = 1, b = 2), nulls = list(NULL),
  env_list = list(globalenv()), factor = factor(c("u", "v")), date = as.Date("2026-01-01"),
  time = as.POSIXct("2026-01-01", tz = "UTC"), raw = as.raw(1:3), frame = data.frame(a = 1:2, b = c("x", "y")),
  no_frame = data.frame(), foreign = structure(list(1), class = "foreign"), version = numeric_version("1.2"),
  fun = function(x) x, failing = function(...) stop("user's own"), primitive = sum, symbol = quote(z),
  call = quote(f(z)), formula = y ~ x, global = globalenv(), expression = expression(1),
  scalar_tensor = tensor(1, "float32"), int_tensor = tensor(1:3), bool_tensor = tensor(c(TRUE, FALSE)),
  variable = variable(c(1, 2)), symbolic = layer_input(2), model = odd_model(), layer = layer_dense(units = 2),
  optimizer = optimizer_sgd(), loss = loss_hinge(), metric = metric_auc(), initializer = initializer_ones(),
  dataset = tensor_slices_dataset(1:3), tape = gradient_tape(), callback = callback_lambda(), course_class = sigmoid,
  history = structure(list(metrics = list()),
    class = "nn_history")
)

# ---- what it makes no sense to take ----

# Hardly any argument can mean these; `sensible` has those that can.
hopeless <- c("complex", "complexes", "na_string", "na_strings", "bad_utf8", "global", "env_list", "expression",
  "symbol", "call", "formula", "version", "date", "time", "foreign", "history", "tape", "callback", "optimizer",
  "dataset", "symbolic", "no_frame", "factor", "metric", "loss", "initializer", "layer", "model", "course_class",
  "primitive", "mixed", "nested", "nulls")

some_numbers <- c("zero", "half", "three", "minus", "tiny", "huge", "above_int", "inf", "minus_inf", "true", "false",
  "list_1", "named", "steps", "scalar_tensor", "int_tensor", "variable", "cube", "thousand", "no_rows", "no_list",
  "no_numbers", "null")
some_strings <- c("empty", "nonsense", "digit", "strings", "no_strings", "null")
some_functions <- c("fun", "failing", "primitive", "layer", "model", "loss", "metric", "initializer", "course_class")

# By function and argument: which of these the argument does take, and should. The first line that fits decides.
sensible <- list(
  # anything: what is handed back, or stands for itself
  c("[|](expr|completed)$|^autograph[|]f$|^all.equal[|]current$", names(odd_values)),
  c("set_memory_growth[|]device$|set_visible_devices[|]devices$|^flags[|]arguments$|^generator_next[|]generator$",
    names(odd_values)),
  c("^tf_(cond|case|switch|map)[|](.*fn|default|3)$", "formula", "primitive"),
  c("^(register_keras_serializable|get_registered_name)[|]obj(ect)?$", some_functions),
  c("^(de)?serialize_keras_object[|](obj|config)$", "na_string", "na_strings", "bad_utf8", "mixed", "nested", "nulls",
    "optimizer", some_functions), c("^get_source_inputs[|]tensor$", "symbolic"), c("^reset_state[|]object$", "metric"),
  c("^split_dataset[|]dataset$", "na_strings"),
  # ignored, as there is nothing here that they could change
  c("^dataset_(take_while|unbatch|rebatch)[|]name$|^learning_rate_schedule_.*[|]name$", names(odd_values)),
  c("^(save|load)_model.*[|](signatures|options|zipped|safe_mode)$|^keras_variable[|](aut|agg|syn).*",
    names(odd_values)),
  c("^tf_(cond|case|switch|map|assert)[|](name|dtype|.*_iterations|back_prop|swap_memory|infer_shape|summarize|expr)$",
    names(odd_values)), c("^ag_(if_vars|loop_vars|while_opts)[|]|^tuple[|]", names(odd_values)),
  c("^make_iterator_from_structure[|]output_", "nested", "nulls"),
  c("^step_.*[|](normalizer_fn|dimension)$", some_functions), c("^step_.*[|]initializer$", "initializer"),
  c("[|]vocabulary_list$", "factor"), c("[|](column_)?defaults$", "mixed"),
  c("^dataset_options[|]a$", names(odd_values)), c("[|](key|class|element_length)_func$", "primitive"),
  # elements of a vector or list, whatever they are, and strings beside numbers
  c("^as_iterator[|]x$|^iterate[|]it$",
    setdiff(names(odd_values), c("global", "symbol", "call", "formula", "foreign", "version", "date", "time"))),
  c("^tensors?_(slices_)?dataset[|]tensors$", "bad_utf8", "mixed", "na_string", "na_strings", "dataset"),
  c("^array_reshape[|]x$", "complex", "complexes"), # which works on any array of R's
  # what the argument is there for
  c("[|](dataset|3)$|^output_(shapes|types)", "dataset"), c("callbacks$", "callback"), c("[|]tape$", "tape"),
  c("^tf[$]strings[$].*input$", "factor"), c("einsum[|]optimize$", "na", "true", "false"),
  c("expand_dims[|](x|input)$", "na_string", "na_strings", "bad_utf8"), # layers that read strings look at them
  c("^text_.*text$", "na_string"), c("_initializer$", "initializer"),
  c("(initializer|regularizer|constraint|metrics|^compile[|]4)$", "primitive"),
  c("[|]optimizer$|^compile[|]3$|^[$]<-[|]4$", "optimizer"), c("[|](object|model|layers|x)$", "model", "layer"),
  c("^layer_|(2)[|]object$", "symbolic"),
  c("^layer_(hashing|string_lookup|text_vectorization)[|]object$", "factor"), c("activation$", "course_class", "layer"),
  c("^compile[|](4|metrics)$", "loss", "metric", "nulls"),
  c("[|]y$|^csv_dataset|^plot_network[|](in|out)puts$|[|](labels|titles|texts)$|^fit_text_tokenizer[|]x", "factor"),
  c("[|](labels|titles)$|^plot_network[|](in|out)puts$", "date", "time", "na_string", "na_strings"),
  # any function is one
  c(
    paste0(
      paste0("^callback_lambda|^new_(layer|callback)_class|[|](schedule|metric_fn|predicate|map_func|reduce_func|",
        "scan_func|body|cond|build|call|f|fn|func|body_fun|step_function|mask|output_shape)$|"),
    paste0("[|](then_expression|else_expression|true_fn|false_fn|which|hash_function|regularizer|constraint)$|",
      "^check_gradient[|]object$|^custom_metric|preprocessing_function$|^run_sweep[|]train$")),
    some_functions),
  # nothing in a list: any size, or an empty text
  c("shape|sequences|texts|[|]sequence$|padd|^fit_text_tokenizer|sample_weight$|target$|gradients$|^tape_watch",
    "nulls"), c("sequences$", "nested"),
  c("^(op_is_tensor|k_is_(tensor|keras_tensor|placeholder|sparse))[|]|^k_set_session[|]|^op_switch[|]4$",
    names(odd_values)),
  c("[|]parent_env$", "global"), c("^create_(layer|wrapper)[|]object$", "symbolic"),
  c("^k_in_(train|test)_phase[|](x|alt)$|^mark_active|^active_prop", "primitive"),
  c("^get_config[|]object$", "optimizer", "loss", "metric",
    "initializer"), c("^k_placeholder[|]shape$", "minus"),
  c("^(new_.*_class|Layer|Loss|Metric|Model|Constraint|Callback|LearningRateSchedule)[|]", "primitive"),
  # other kinds beside that of the default
  c("^(op|k|loss|metric|activation)_|^tf[$]|^[^a-z]", "symbolic"), # which ops take
  c("^tf[$](Variable[|]initial_value|`function`[|]func)$",
    some_functions),
  c("[|]verbose$", "zero", "true", "false"), c("[|]contour$", some_numbers), c("[|]trainable$", "na"),
  c("dataset_from_directory[|]labels$", "named", "variable"),
  c("[|]save_freq$", "three"), c("^tf[$].*norm(alize)?[|]ord$", "inf", "half", "three", "above_int", "huge"),
  c("(reshape|as_tensor|input)[|](shape|batch_shape|target_shape|dim)$", "minus")
)

#' Is it nonsense that this argument takes this value?
#' @param default what stands for the argument if it is not given: a flag, a number or a string wants others of its
#'   kind.
is_odd <- function(fun, at, value, default = NULL) {
  own <- paste0(fun, "|", at)
  for (line in sensible) if (grepl(line[1], own) && value %in% line[-1]) return(FALSE)
  if (value %in% hopeless) return(TRUE)
  if (at == "name") return(!value %in% setdiff(some_strings, c("strings", "no_strings")))
  if (value == "huge" && grepl("epsilon$|clip$", at)) return(TRUE)
  if (value == "minus" && at %in% c("shape", "dims", "units", "size", "depth", "batch_size", "n", "rep", "repeats",
    "multiples", "input_dim", "output_dim")) return(TRUE)
  if (!is.atomic(default) || length(default) != 1) return(FALSE)
  !value %in% switch(typeof(default), logical = c("true", "false"), character = c(some_strings, some_functions),
    some_numbers)
}

odd_reader <- function() keras_model_sequential(input_shape = c(4, 4, 1)) |> layer_conv_2d(2, 2) |> layer_flatten() |>
  layer_dense(2)
odd_model <- function() {
  m <- keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "relu") |> layer_dense(1)
  compile(m, "sgd", "mse")
  m
}

# Arguments by name, for functions without a call of their own below.
odd_defaults <- alist(
  x = matrix(c(0.1, 0.2, 0.3, 0.4), 2), y = matrix(c(0.4, 0.3, 0.2, 0.1), 2), y_true = matrix(c(0, 1, 1, 0), 2),
  y_pred = matrix(c(0.4, 0.3, 0.6, 0.7), 2), axis = 1, shape = c(2, 2), dtype = "float32",
  target = matrix(c(0, 1, 1, 0), 2), output = matrix(c(0.4, 0.3, 0.6, 0.7), 2),
  xs = list(matrix(0, 2, 2), matrix(1, 2, 2)), indices = c(0L, 1L), dataset = tensor_slices_dataset(matrix(1:6, 3)),
  inputs = list(matrix(0, 2, 2), matrix(1, 2, 2)), object = matrix(c(0.1, 0.2, 0.3, 0.4), 2), units = 2, name = NULL,
  input = matrix(c(0.1, 0.2, 0.3, 0.4), 2), input_tensor = matrix(c(0.1, 0.2, 0.3, 0.4), 2),
  learning_rate = 0.1, momentum = 0.9, initial_learning_rate = 0.1, decay_steps = 10, decay_rate = 0.5,
    first_decay_steps = 10,
  multi_class_labels = matrix(c(0, 1, 1, 0), 2), onehot_labels = matrix(c(0, 1, 1, 0), 2),
  predictions = matrix(c(0.4, 0.3, 0.6, 0.7), 2), labels = matrix(c(0, 1, 1, 0), 2),
  logits = matrix(c(0.4, 0.3, 0.6, 0.7), 2), values = list(c(1, 2), c(3, 4)),
  tensor = matrix(1:4, 2), value = matrix(1:4, 2), features = matrix(c(0.1, 0.2, 0.3, 0.4), 2),
  condition = c(TRUE, FALSE), a = matrix(1:4 / 2, 2), b = matrix(1:4 / 2, 2), x1 = matrix(1:4 / 2, 2),
  x2 = matrix(4:1 / 2, 2), variable = matrix(1:4 / 2, 2)
)

# Calls of the other functions.
odd_calls <- alist(
  metric_iou(c(0, 1), c(0, 1), 2, 0), metric_mean_iou(c(0, 1), c(0, 1), 2), metric_sum(1:2),
  metric_one_hot_iou(diag(2), diag(2), 2, 0), metric_one_hot_mean_iou(diag(2), diag(2), 2),
  metric_sensitivity_at_specificity(c(0, 1), c(0.2, 0.8), 0.5), metric_recall_at_precision(c(0, 1), c(0.2, 0.8), 0.5),
  metric_specificity_at_sensitivity(c(0, 1), c(0.2, 0.8), 0.5), metric_precision_at_recall(c(0, 1), c(0.2, 0.8), 0.5),
  tf$train$CheckpointManager(tf$train$Checkpoint(v = tf$Variable(1)), "checkpoints", 2),
  tf$compat$v1$train$CheckpointManager(tf$train$Checkpoint(v = tf$Variable(1)), "checkpoints", 2),
  tf$compat$v1$train$latest_checkpoint("checkpoints"), tf$train$latest_checkpoint("checkpoints"),
    config_set_backend("jax"), config_set_dtype_policy("float32"),
    config_set_epsilon(1e-7), config_set_floatx("float32"),
  config_set_image_data_format("channels_last"), keras_variable(c(1, 2)), random_normal(2), random_uniform(2),
  random_truncated_normal(2), random_integer(2, 1, 7), random_categorical(matrix(0, 1, 2), 3), random_gamma(2, 1),
  random_beta(2, 1, 1), random_binomial(2, 3, 0.5), random_shuffle(1:3), random_dropout(1:3 / 2, 0.5),
  random_seed_generator(1), optimizer_lion(0.1), optimizer_ftrl(0.1),
  feature_float_discretized(3), feature_string_hashed(3), feature_integer_hashed(3),
  feature_custom("string", layer_string_lookup(vocabulary = "a"), "int"), feature_cross(c("a", "b"), 3),
  layer_feature_space(list(a = 1), list(a = feature_float())), layer_hashed_crossing(list("a", 1), 3),
  layer_max_num_bounding_boxes(list(bounding_boxes = list(boxes = array(1, c(1, 2, 4)), labels = matrix(1, 1, 2))), 2),
 
  create_layer(new_layer_class("Odd", call = function(x) x), matrix(1, 2, 2), list()),
  fit_generator(odd_model(), function() list(matrix(1, 2, 2), c(1, 1)), steps_per_epoch = 1, epochs = 1, verbose = 0,
    validation_data = function() list(matrix(1, 2, 2), c(1, 1)), validation_steps = 1),
  evaluate_generator(odd_model(), function() list(matrix(1, 2, 2), c(1, 1)), steps = 1),
  predict_generator(odd_model(), function() list(matrix(1, 2, 2), c(1, 1)), steps = 1),
  keras_model_custom(function(self) function(inputs) inputs, name = "odd"),
  op_clip(0.5, 0, 1), op_dense(matrix(1, 2, 2), matrix(1, 2, 2), bias = c(1, 1), activation = "elu", alpha = 1),
  op_reshape(1:4, c(2, 2)), op_broadcast_to(1:2, c(2, 2)), op_tile(matrix(1:4, 2), c(2, 1)),
  op_repeat(matrix(1:4, 2), 2, axis = 1), op_pad(matrix(1:4, 2), rbind(c(0, 1), c(1, 0)), constant_values = 0),
  op_transpose(matrix(1:4, 2), axes = c(2, 1)), op_slice(matrix(1:4, 2), c(1, 1), c(1, 2), step = c(1, 1)),
  op_split(matrix(1:4, 2), 2, axis = 1), op_one_hot(0:1, 3, dtype = "float32", zero_indexed = TRUE),
  op_where(c(TRUE, FALSE), c(1, 2), c(3, 4)), k_stack(list(1, 2)), dataset_zip(tensor_slices_dataset(1:3),
    tensor_slices_dataset(1:3)), op_squeeze(matrix(1:2, 1), axis = 1), op_logical_and(TRUE, c(TRUE, FALSE)),
  op_logical_or(TRUE, c(TRUE, FALSE)), op_logical_not(c(TRUE, FALSE)), op_any(c(TRUE, FALSE)), op_all(c(TRUE, FALSE)),
  op_dropout(matrix(1, 2, 2), 0.5), op_gaussian_noise(matrix(1, 2, 2), 0.1),
  op_sparse_categorical_crossentropy(0:1, matrix(c(0.4, 0.3, 0.6, 0.7), 2)),
  op_standardize(matrix(c(1, 2, 3, 4), 2), c(1, 2), c(1, 2), c(1, 2), c(1, 2), leading = 0),
  op_attention(array(1, c(1, 2, 1, 2)), array(1, c(1, 2, 1, 2)), array(1, c(1, 2, 1, 2))),
  k_batch_normalization(matrix(c(1, 2, 3, 4), 2), c(1, 2), c(1, 2), c(1, 2), c(1, 2)),
  k_normalize_batch_in_training(matrix(c(1, 2, 3, 4), 2), c(1, 2), c(1, 2), 1),
  op_resize(array(0.1, c(2, 2, 1)), c(2, 3)), k_resize_images(array(0.1, c(1, 2, 2, 1)), 2, 2),
  k_resize_volumes(array(0.1, c(1, 2, 2, 2, 1)), 2, 2, 2), k_temporal_padding(array(0.1, c(1, 2, 2)), c(1, 1)),
  k_spatial_2d_padding(array(0.1, c(1, 2, 2, 1)), list(c(1, 1), c(0, 1))),
  k_spatial_3d_padding(array(0.1, c(1, 2, 2, 2, 1)), list(c(1, 1), c(0, 1), c(1, 1))),
  op_max_pool(array(0.1, c(1, 4, 2)), 2, 2, "same", "channels_last"),
  op_max_pool_argmax(array(0.1, c(1, 4, 2)), 2, 2, "same", "channels_last"),
  op_average_pool(array(0.1, c(1, 4, 2)), 2, 2, "same", "channels_last"),
  k_pool2d(array(0.1, c(1, 4, 4, 2)), 2, 2, "same", pool_mode = "avg"),
  k_pool3d(array(0.1, c(1, 4, 4, 2, 1)), 2, 2, "same", pool_mode = "avg"),
  op_conv(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), 1, "same", NULL, 1, 1, c(1, 2), "elu", alpha = 1),
  op_conv_transpose(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), 2, "same", 0, NULL, 1, 1),
  op_conv_kernel(array(0.1, c(1, 4, 2)), array(0.1, c(1, 4, 2)), 1, 1, "same", 1, 1),
  op_depthwise_conv(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), 1, "same", NULL, 1, NULL, "elu", alpha = 1),
  k_conv1d(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), 1, "same", "channels_last", 1),
  k_conv2d(array(0.1, c(1, 4, 4, 2)), array(0.1, c(2, 2, 2, 2)), 1, "same", "channels_last", 1),
  k_conv3d(array(0.1, c(1, 4, 4, 4, 2)), array(0.1, c(2, 2, 2, 2, 2)), 1, "same", "channels_last", 1),
  k_conv2d_transpose(array(0.1, c(1, 4, 4, 2)), array(0.1, c(2, 2, 2, 2)), c(1, 8, 8, 2), 2, "same"),
  k_conv3d_transpose(array(0.1, c(1, 4, 4, 4, 2)), array(0.1, c(2, 2, 2, 2, 2)), c(1, 8, 8, 8, 2), 2, "same"),
  k_depthwise_conv2d(array(0.1, c(1, 4, 4, 2)), array(0.1, c(2, 2, 2, 2)), 1, "same"),
  k_separable_conv1d(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), array(0.1, c(1, 4, 2)), 1, "same"),
  k_separable_conv2d(array(0.1, c(1, 4, 4, 2)), array(0.1, c(2, 2, 2, 2)), array(0.1, c(1, 1, 4, 2)), 1, "same"),
  op_lstm(array(0.1, c(2, 3, 1)), matrix(0.1, 1, 8), matrix(0.1, 2, 8), rep(0.1, 8)),
  op_gru(array(0.1, c(2, 3, 1)), matrix(0.1, 1, 6), matrix(0.1, 2, 6), matrix(0.1, 2, 6)),
  op_simple_rnn(array(0.1, c(2, 3, 1)), matrix(0.1, 1, 2), matrix(0.1, 2, 2), rep(0.1, 2)),
  k_constant(1, dtype = "float32", shape = c(2, 2), name = "a"), k_variable(1, name = "a"), k_eye(3),
  k_cast(1:2, "float64"), k_set_value(variable(1), 2), k_update(variable(1), 2), k_update_add(variable(1), 2),
  k_update_sub(variable(1), 2), k_set_floatx("float32"), k_set_epsilon(1e-7), k_gradients(1, 1),
  k_function(odd_graph()$input, odd_graph()$output),
  k_placeholder(c(1, 2)), k_in_train_phase(1, 2), k_in_test_phase(1, 2),
  k_set_learning_phase(0), k_map_fn(function(x) x, 1:2), k_foldl(function(a, x) x, 1:2),
  k_foldr(function(a, x) x, 1:2), k_rnn(function(x, s) list(x, s), matrix(1, 2, 2), list(1)), k_arange(3),
  k_bias_add(matrix(1, 2, 2), c(1, 2)), k_cumprod(1:3), k_repeat(matrix(1, 2, 2), 2), k_unstack(1:2),
  k_in_top_k(matrix(1, 2, 2), c(0, 1), 1), k_is_tensor(1), k_is_keras_tensor(1), k_is_placeholder(1), k_is_sparse(1),
  k_to_dense(1), k_batch_get_value(list(tensor(1))), k_batch_set_value(list(list(variable(1), 2))),
  k_moving_average_update(variable(1), 2, 0.5), k_random_normal_variable(2, 0, 1),
  k_random_uniform_variable(2, 0, 1),
  k_count_params(1), k_get_variable_shape(1), k_cast_to_floatx(1), k_print_tensor(1),
  k_set_image_data_format("channels_last"), k_set_session(1), k_manual_variable_initialization(TRUE),
  k_random_bernoulli(2, 0.5),
  k_reshape(1:4, c(2, 2)), k_permute_dimensions(matrix(1:4, 2), c(2, 1)), k_squeeze(matrix(1:2, 1), 1),
  k_concatenate(list(1:2, 3:4)), k_repeat_elements(1:2, 2, 1), k_tile(1:2, 2), k_reverse(1:2, 1), k_gather(1:3, 0),
  k_one_hot(0:1, 3), k_pow(2, 2), k_clip(0.5, 0, 1), k_switch(TRUE, 1, 2),
  k_dot(matrix(1:4 / 2, 2), matrix(1:4 / 2, 2)), k_batch_dot(matrix(1:4 / 2, 2), matrix(1:4 / 2, 2), axes = 2),
  k_relu(0.5, max_value = 1), k_sparse_categorical_crossentropy(0:1, matrix(c(0.4, 0.3, 0.6, 0.7), 2)),
  k_dropout(matrix(1, 2, 2), 0.5, seed = 1), k_stop_gradient(1), loss_sparse_categorical_crossentropy(0:1,
    matrix(c(0.4, 0.3, 0.6, 0.7), 2)),
  metric_sparse_categorical_crossentropy(0:1, matrix(c(0.4, 0.3, 0.6, 0.7), 2)),
  metric_sparse_categorical_accuracy(0:1, matrix(c(0.4, 0.3, 0.6, 0.7), 2)),
  metric_precision(c(0, 1), c(0.2, 0.7), thresholds = 0.5), metric_sparse_top_k_categorical_accuracy(0:1,
    matrix(c(0.4, 0.3, 0.6, 0.7), 2), k = 1), metric_mean(c(1, 2)),
  metric_mean_relative_error(normalizer = 1), metric_mean_wrapper(fn = function(y_true, y_pred) y_pred),
  loss_categorical_generalized_cross_entropy(0:1, matrix(c(0.4, 0.3, 0.6, 0.7), 2)),
  loss_circle(0:1, matrix(c(1, 0, 0, 1), 2)), loss_ctc(matrix(1, 2, 1), array(0.1, c(2, 3, 2))),
  op_ctc_loss(matrix(1, 2, 1), array(0.1, c(2, 3, 2)), c(1, 1), c(3, 3)),
  op_ctc_decode(array(0.1, c(2, 3, 2)), c(3, 3)), k_ctc_batch_cost(matrix(0, 2, 1), array(0.5, c(2, 3, 2)), c(3, 3),
    c(1, 1)), k_ctc_decode(array(0.5, c(2, 3, 2)), c(3, 3)),
  op_bitwise_and(1L, 2L), op_bitwise_or(1L, 2L), op_bitwise_xor(1L, 2L), op_bitwise_not(1L), op_bitwise_invert(1L),
  op_bitwise_left_shift(1L, 2L), op_left_shift(1L, 2L), op_bitwise_right_shift(1L, 2L), op_right_shift(1L, 2L),
  op_subset(c(1, 2), 1), op_subset_set(c(1, 2), 1, value = 3), op_custom_gradient(function(x) list(x, function(g) g)),
  op_rearrange(matrix(1, 2, 2), "a b -> (a b)"), op_extract_sequences(1:6, 3, 2), op_stft(1:16 / 16, 4, 2),
  op_istft(list(matrix(0, 3, 3), matrix(0, 3, 3)), 4, 2), op_image_map_coordinates(matrix(1:4 / 4, 2), matrix(0, 2, 1),
    1), op_image_gaussian_blur(array(0.1, c(4, 4, 1))), op_image_elastic_transform(array(0.1, c(4, 4, 1)), sigma = 1),
  op_image_perspective_transform(array(0.1, c(4, 4, 1)), rbind(c(0, 0), c(3, 0), c(0, 3), c(3, 3)),
    rbind(c(0, 0), c(3, 0), c(0, 3), c(3, 3))),
  op_lu_factor(diag(2)), k_local_conv1d(array(1, c(1, 3, 1)), array(1, c(2, 2, 1)), 2, 1),
  k_local_conv2d(array(1, c(1, 3, 3, 1)), array(1, c(4, 4, 1)), 2, 1, c(2, 2)),
  tf_cond(TRUE, function() 1, function() 2), tf_case(TRUE ~ 1), tf_switch(0L, ~ 1), tf_map(1:2, function(x) x),
  tf_assert(TRUE), ag_name("a"), ag_while_opts(), register_keras_serializable(function(x) x, "f"),
  set_custom_objects(list(f = function(x) x)), get_registered_name(layer_dense), get_registered_object("f"),
  serialize_keras_object(layer_dense(units = 2)),
  deserialize_keras_object(serialize_keras_object(layer_dense(units = 2))), save_model_config(odd_model()),
  load_model_config(tempfile()),
  get_input_at(odd_model(), 1), get_output_at(odd_model(), 1), get_input_shape_at(odd_model(), 1),
  get_output_shape_at(odd_model(), 1), get_input_mask_at(odd_model(), 1), get_output_mask_at(odd_model(), 1),
  get_source_inputs(layer_input(2)), reset_state(metric_mean()), get_state_tree(odd_model()),
  set_state_tree(odd_model(), list()), split_dataset(1:10, 0.5), config_set_max_epochs(3),
  config_set_max_steps_per_epoch(NULL), texts_to_sequences_generator(fit_text_tokenizer(text_tokenizer(), "a"), "a"),
  custom_metric("m", function(y_true, y_pred) k_mean(y_pred)), keras_model(odd_graph()$input, odd_graph()$output),
  keras_model_sequential(list(layer_dense(units = 2)), name = "s",
    input_shape = 3),
  layer_activation(c(1, 2), "relu"), layer_dot(list(matrix(1, 2, 2), matrix(1, 2, 2)), axes = 1),
  layer_dropout(matrix(1, 2, 2), 0.5), layer_embedding(matrix(0:3, 2), 5, 2),
  layer_gaussian_dropout(matrix(1, 2, 2), 0.5), layer_gaussian_noise(matrix(1, 2, 2), 0.1),
  layer_attention(list(array(0.1, c(2, 3, 1)), array(0.1, c(2, 3, 1)))),
  layer_additive_attention(list(array(0.1, c(2, 3, 1)), array(0.1, c(2, 3, 1)))),
  layer_multi_head_attention(list(array(0.1, c(2, 3, 1)), array(0.1, c(2, 3, 1))), 2, 2),
  bidirectional(array(0.1, c(2, 3, 1)), layer_gru(units = 2)),
  layer_bidirectional(array(0.1, c(2, 3, 1)), layer_gru(units = 2)),
  time_distributed(array(0.1, c(2, 3, 1)), layer_dense(units = 2)),
  layer_time_distributed(array(0.1, c(2, 3, 1)), layer_dense(units = 2)),
  layer_rnn(array(0.1, c(2, 3, 1)), layer_gru_cell(units = 2)), layer_gru_cell(2), layer_lstm_cell(2),
  layer_simple_rnn_cell(2), layer_stacked_rnn_cells(list(layer_gru_cell(2))), reset_states(odd_model()),
  layer_cudnn_gru(array(0.1, c(2, 3, 1)), 2), layer_cudnn_lstm(array(0.1, c(2, 3, 1)), 2),
  layer_alpha_dropout(matrix(1, 2, 2), 0.5), layer_spatial_dropout_1d(array(0.1, c(2, 3, 1)), 0.5),
  layer_spatial_dropout_2d(array(0.1, c(2, 3, 2, 1)), 0.5), layer_spatial_dropout_3d(array(0.1, c(2, 3, 2, 1, 1)), 0.5),
  layer_gru(array(0.1, c(2, 3, 1)), 2), layer_lstm(array(0.1, c(2, 3, 1)), 2),
  layer_simple_rnn(array(0.1, c(2, 3, 1)), 2), layer_masking(array(0.1, c(2, 3, 1))), layer_input(shape = 2),
  layer_lambda(matrix(1, 2, 2), function(x) x), layer_permute(array(0.1, c(2, 3, 1)), c(2, 1)),
  layer_repeat_vector(matrix(1, 2, 2), 2), layer_reshape(matrix(1, 2, 4), c(2, 2)),
  layer_activation_parametric_relu(matrix(1, 2, 2)),
  layer_max_pooling_1d(array(0.1, c(1, 4, 2)), 2, 2, "same", "channels_last"),
  layer_max_pooling_2d(array(0.1, c(1, 4, 4, 2)), 2, 2, "same", "channels_last"),
  layer_max_pooling_3d(array(0.1, c(1, 4, 4, 4, 2)), 2, 2, "same", "channels_last"),
  layer_average_pooling_1d(array(0.1, c(1, 4, 2)), 2, 2, "same", "channels_last"),
  layer_average_pooling_2d(array(0.1, c(1, 4, 4, 2)), 2, 2, "same", "channels_last"),
  layer_average_pooling_3d(array(0.1, c(1, 4, 4, 4, 2)), 2, 2, "same", "channels_last"),
  layer_global_max_pooling_1d(array(0.1, c(1, 4, 2)), "channels_last", keepdims = TRUE),
  layer_global_max_pooling_2d(array(0.1, c(1, 4, 4, 2)), "channels_last", keepdims = TRUE),
  layer_global_max_pooling_3d(array(0.1, c(1, 4, 4, 4, 2)), "channels_last", keepdims = TRUE),
  layer_global_average_pooling_1d(array(0.1, c(1, 4, 2)), "channels_last", keepdims = TRUE),
  layer_global_average_pooling_2d(array(0.1, c(1, 4, 4, 2)), "channels_last", keepdims = TRUE),
  layer_global_average_pooling_3d(array(0.1, c(1, 4, 4, 4, 2)), "channels_last", keepdims = TRUE),
  layer_conv_1d(array(0.1, c(1, 4, 2)), 2, 2, 1, "same", "channels_last", 1, groups = 2, activation = "relu"),
  layer_conv_1d_transpose(array(0.1, c(1, 4, 2)), 2, 2, 2, "same", output_padding = 0, data_format = "channels_last"),
  layer_depthwise_conv_1d(array(0.1, c(1, 4, 2)), 2, 1, "same", 2, "channels_last"),
  layer_separable_conv_1d(array(0.1, c(1, 4, 2)), 2, 2, 1, "same", "channels_last"),
  layer_conv_lstm_2d(array(0.1, c(1, 2, 4, 4, 2)), 2, 2, 1, "same", "channels_last", 1, return_sequences = TRUE),
  layer_conv_lstm_1d(array(0.1, c(1, 2, 4, 2)), 2, 2), layer_conv_lstm_3d(array(0.1, c(1, 2, 2, 2, 2, 1)), 2, 2),
  layer_locally_connected_1d(array(0.1, c(1, 4, 2)), 2, 2, 1, implementation = 1),
  layer_locally_connected_2d(array(0.1, c(1, 4, 4, 2)), 2, 2, 1, "same", "channels_last", "relu"),
  layer_conv_2d(array(0.1, c(1, 4, 4, 2)), 2, 2, 1, "same", "channels_last", 1, groups = 2, activation = "relu"),
  layer_conv_2d_transpose(array(0.1, c(1, 4, 4, 2)), 2, 2, 2, "same", output_padding = 0,
    data_format = "channels_last"),
  layer_depthwise_conv_2d(array(0.1, c(1, 4, 4, 2)), 2, 1, "same", 2, "channels_last"),
  layer_separable_conv_2d(array(0.1, c(1, 4, 4, 2)), 2, 2, 1, "same", "channels_last"),
  layer_conv_3d(array(0.1, c(1, 4, 4, 4, 2)), 2, 2, 1, "same", "channels_last", 1, groups = 2, activation = "relu"),
  layer_conv_3d_transpose(array(0.1, c(1, 4, 4, 4, 2)), 2, 2, 2, "same", output_padding = 0,
    data_format = "channels_last"),
  layer_rescaling(matrix(1, 2, 2), 0.5), layer_normalization(matrix(1, 2, 2), mean = 0, variance = 1),
  op_transform_image(array(0.1, c(2, 3, 1)), c(1, 0, 0, 0, 1, 0, 0, 0)),
  layer_resizing(array(0.1, c(2, 3, 1)), 2, 2), layer_center_crop(array(0.1, c(2, 3, 1)), 2, 2),
  layer_random_saturation(array(0.1, c(2, 3, 3)), 0.1), layer_random_hue(array(0.1, c(2, 3, 3)), 0.1),
  layer_random_color_degeneration(array(0.1, c(2, 3, 3)), 0.1), layer_random_sharpness(array(0.1, c(2, 3, 1)), 0.1),
  layer_random_grayscale(array(0.1, c(2, 3, 3)), 0.1), layer_random_invert(array(0.1, c(2, 3, 1)), 0.1),
  layer_random_posterization(array(0.1, c(2, 3, 1)), 4), layer_random_color_jitter(array(0.1, c(2, 3, 3))),
  layer_solarization(array(0.1, c(2, 3, 1))), layer_auto_contrast(array(0.1, c(2, 3, 1))),
  layer_equalization(array(0.1, c(2, 3, 1))), layer_random_erasing(array(0.1, c(2, 3, 1))),
  layer_random_gaussian_blur(array(0.1, c(2, 3, 1))), layer_random_shear(array(0.1, c(2, 3, 1))),
  layer_random_perspective(array(0.1, c(2, 3, 1))), layer_random_elastic_transform(array(0.1, c(2, 3, 1))),
  layer_mix_up(array(0.1, c(2, 2, 3, 1))), layer_cut_mix(array(0.1, c(2, 2, 3, 1))),
  layer_rand_augment(array(0.1, c(2, 3, 3))), layer_aug_mix(array(0.1, c(2, 3, 3))),
  layer_einsum_dense(matrix(1, 2, 2), "ab,bc->ac", 3), layer_pipeline(list(layer_flatten())),
  layer_spectral_normalization(matrix(1, 2, 2), layer_dense(units = 2)),
  layer_group_query_attention(list(array(0.1, c(2, 3, 1)), array(0.1, c(2, 3, 1))), 2, 2, 1),
  layer_mel_spectrogram(matrix(0.1, 1, 64), 16, 8), layer_stft_spectrogram(array(0.1, c(1, 64, 1)), frame_length = 16),
  optimizer_loss_scale(optimizer_sgd()), quantize_weights(layer_dense(units = 2), "int8"),
  audio_dataset_from_directory("."), dataset_california_housing(download = FALSE),
  layer_random_rotation(array(0.1, c(2, 3, 1)), 0.1), layer_random_translation(array(0.1, c(2, 3, 1)), 0.1, 0.1),
  layer_random_zoom(array(0.1, c(2, 3, 1)), 0.1), layer_random_crop(array(0.1, c(2, 3, 1)), 2, 2),
  layer_random_contrast(array(0.1, c(2, 3, 1)), 0.1), layer_random_brightness(array(0.1, c(2, 3, 1)), 0.1),
  layer_random_height(array(0.1, c(2, 3, 1)), 0.1), layer_random_width(array(0.1, c(2, 3, 1)), 0.1),
  layer_random_flip(array(0.1, c(2, 3, 1))),
  layer_category_encoding(matrix(0:3, 2), 5), layer_discretization(matrix(1, 2, 2), c(0, 1)),
  adapt(layer_normalization(), matrix(c(1, 2), 2)), layer_hashing(c("a", "b"), 3, mask_value = "a", salt = 1),
  layer_string_lookup(c("a", "b"), vocabulary = c("a", "b")), layer_integer_lookup(1:2, vocabulary = 1:2),
  layer_text_vectorization(c("a", "b"), vocabulary = c("a", "b")), get_vocabulary(layer_string_lookup()),
  set_vocabulary(layer_string_lookup(), c("a", "b")), vocabulary_size(layer_string_lookup()),
  layer_batch_normalization(matrix(c(1, 2, 3, 4), 2)), layer_layer_normalization(matrix(c(1, 2, 3, 4), 2)),
  layer_group_normalization(matrix(c(1, 2, 3, 4), 2), 2), layer_unit_normalization(matrix(c(1, 2, 3, 4), 2)),
  activation_threshold(c(0.1, 0.7), 0.5, 0.1), layer_rms_normalization(matrix(c(1, 2, 3, 4), 2)), rnn_cells_stack(list(
    rnn_cell_gru(2))),
  layer_upsampling_1d(array(0.1, c(1, 4, 2)), 2),
  layer_upsampling_2d(array(0.1, c(1, 4, 4, 2)), 2),
  layer_upsampling_3d(array(0.1, c(1, 4, 4, 4, 2)), 2),
  layer_zero_padding_1d(array(0.1, c(1, 4, 2)), 1),
  layer_zero_padding_2d(array(0.1, c(1, 4, 4, 2)), 1),
  layer_zero_padding_3d(array(0.1, c(1, 4, 4, 4, 2)), 1),
  layer_cropping_1d(array(0.1, c(1, 4, 2)), 1),
  layer_cropping_2d(array(0.1, c(1, 4, 4, 2)), 1),
  layer_cropping_3d(array(0.1, c(1, 4, 4, 4, 2)), 1),
  layer_tied_dense(matrix(1, 2, 3), {d <- layer_dense(units = 3); d(matrix(1, 2, 2)); d}),
  learning_rate_schedule_piecewise_constant_decay(c(1, 2), c(0.1, 0.01, 0.001)), callback_csv_logger("log.csv"),
  callback_learning_rate_scheduler(function(epoch, lr) lr), callback_model_checkpoint("checkpoint"),
  callback_backup_and_restore("backup"),
  new_callback_class("Mine", on_epoch_end = function(epoch, logs) NULL),
  new_layer_class("Mine", call = function(self, x) x), new_model_class("Mine"), Model("Mine"),
  Layer("Mine", call = function(x) x), new_loss_class("Mine", call = function(y_true, y_pred) y_pred),
  Loss("Mine", call = function(y_true, y_pred) y_pred), Constraint("Mine", call = function(w) w),
  new_metric_class("Mine", update_state = function(y_true, y_pred) NULL, result = function() 1), Callback("Mine"),
  Metric("Mine", update_state = function(y_true, y_pred) NULL, result = function() 1),
  new_learning_rate_schedule_class("Mine", call = function(step) step),
  LearningRateSchedule("Mine", call = function(step) step),
  create_layer_wrapper(new_layer_class("Odd", call = function(x) x), modifiers = list(units = as.integer)),
  create_wrapper(new_layer_class("Odd", initialize = function(layer) self$layer <- layer, call = function(x) x),
    matrix(1, 2, 2), list(layer = layer_dense(units = 1))), mark_active(function() 1), active_property(function() 1),
  nn_module("Mine", initialize = function(self) NULL, call = function(self, x) x),
  array_file_dataset(odd_file("bytes"), c(2, 2), "float32"), array_reshape(1:4, c(2, 2)),
  as_array_iterator(tensor_slices_dataset(1:3)), as_iterator(tensor_slices_dataset(1:3)), autograph(function(x) x),
  build_dense_neural_network(2, list(1), "mean_squared_error", "gradient_descent_optimizer"),
  check_gradient(layer_dense(units = 1), matrix(1, 2, 2)), clone_model(odd_model()),
  model_to_json(odd_model()), model_from_json(model_to_json(odd_model())), get_config(layer_dense(units = 2)),
  from_config(get_config(layer_dense(units = 2))), with_custom_object_scope(list(f = function(x) x), 1),
  compile(odd_model(), "sgd", "mse", metrics = "mae"), count_params(odd_model()), csv_dataset(odd_file("csv")),
  dataset_batch(tensor_slices_dataset(1:3), 2), dataset_cache(tensor_slices_dataset(1:3)),
  dataset_collect(tensor_slices_dataset(1:3)), dataset_concatenate(tensor_slices_dataset(1:3),
    tensor_slices_dataset(1:3)), dataset_digits(20, test = 5), dataset_shapes(2, test = 1),
  dataset_filter(tensor_slices_dataset(1:3), function(x) x > 1), dataset_flat_map(tensor_slices_dataset(1:3),
    function(x) tensor_slices_dataset(1:2)),
  dataset_for(tensor_slices_dataset(1:3), function(x) NULL), dataset_map(tensor_slices_dataset(1:3), function(x) x),
  dataset_padded_batch(tensor_slices_dataset(1:3), 2), dataset_rebatch(dataset_batch(tensor_slices_dataset(1:3), 2), 3),
  dataset_reduce(tensor_slices_dataset(1:3), 0L,
    function(s, x) s + x), dataset_scan(tensor_slices_dataset(1:3), 0L, function(s, x) list(s + x, s)),
  make_iterator_one_shot(tensor_slices_dataset(1:3)), next_batch(tensor_slices_dataset(1:3)),
  iterator_get_next(make_iterator_one_shot(tensor_slices_dataset(1:3))), with_dataset(NULL),
  make_iterator_initializable(tensor_slices_dataset(1:3)), make_iterator_from_structure("int32", integer()),
  iterator_initializer(make_iterator_initializable(tensor_slices_dataset(1:3))),
  iterator_make_initializer(make_iterator_from_structure("int32"), tensor_slices_dataset(1:3)),
  out_of_range_handler(tryCatch(next_batch(range_dataset()), error = identity)),
  dataset_interleave(tensor_slices_dataset(1:3), function(x) tensor_slices_dataset(1:2)),
  dataset_group_by_window(tensor_slices_dataset(1:3), function(x) x, function(key, ds) dataset_batch(ds, 2),
    window_size = 2), dataset_unique(tensor_slices_dataset(1:3)),
  dataset_bucket_by_sequence_length(tensors_dataset(1:3), function(x) length(x), 4, c(1, 1)),
  dataset_rejection_resample(tensor_slices_dataset(0:1), function(x) x, c(0.5, 0.5), c(0.5, 0.5)),
  choose_from_datasets(list(tensor_slices_dataset(1:3)), tensor_slices_dataset(0L)), random_integer_dataset(seed = 1),
  dataset_prepare(tensor_slices_dataset(data.frame(a = 1:3, b = 4:6)), "a", "b"),
  as_tf_dataset(tensor_slices_dataset(1:3)), dataset_map_and_batch(tensor_slices_dataset(1:3), function(x) x, 2),
  dataset_options(tensor_slices_dataset(1:3), a = 1),
  dataset_snapshot(tensor_slices_dataset(1:3), tempfile()), has_type("int32"),
  feature_spec(data.frame(a = 1:3, b = 4:6), "a", "b"), dense_features(odd_spec()),
  dataset_use_spec(tensor_slices_dataset(data.frame(a = 1:3, b = 4:6)), odd_spec()),
  step_numeric_column(odd_steps(), b), step_bucketized_column(odd_steps(), b, boundaries = c(1, 2)),
  step_categorical_column_with_hash_bucket(odd_steps(), a, hash_bucket_size = 4),
  step_categorical_column_with_identity(odd_steps(), b, num_buckets = 4),
  step_categorical_column_with_vocabulary_file(odd_steps(), a, vocabulary_file = odd_file("csv")),
  step_categorical_column_with_vocabulary_list(odd_steps(), a, vocabulary_list = 1:3),
  step_crossed_column(odd_steps(), c(a, b), hash_bucket_size = 4), step_indicator_column(odd_steps(), a),
  step_embedding_column(odd_steps(), a, dimension = 2), step_remove_column(odd_steps(), a),
  step_shared_embeddings_column(odd_steps(), c(a, c = a), dimension = 2),
  layer_input_from_dataset(data.frame(a = 1:3)), layer_dense_features(list(a = c(1, 2)), dense_features(odd_spec())),
  dataset_prefetch_to_device(tensor_slices_dataset(1:3), "/cpu:0"),
  dataset_reviews(20, test = 5), dataset_shard(tensor_slices_dataset(1:3), 2, 0),
  dataset_shuffle(tensor_slices_dataset(1:3), 2), dataset_shuffle_and_repeat(tensor_slices_dataset(1:3), 2, count = 1),
  dataset_skip(tensor_slices_dataset(1:3), 1), dataset_take(tensor_slices_dataset(1:3), 1),
  dataset_take_while(tensor_slices_dataset(1:3), function(x) x < 2), dataset_window(tensor_slices_dataset(1:3), 2),
  dataset_mnist(download = FALSE), dataset_fashion_mnist(download = FALSE), dataset_imdb(download = FALSE),
  dataset_imdb_word_index(download = FALSE), dataset_boston_housing(download = FALSE),
  dataset_reuters(download = FALSE), dataset_reuters_word_index(download = FALSE), dataset_cifar10(download = FALSE),
  dataset_cifar100(download = FALSE), range_dataset(0, 3),
  sample_from_datasets(list(tensor_slices_dataset(1:3), tensor_slices_dataset(1:3)),
    weights = c(0.5, 0.5)), delim_record_spec(odd_file("csv")), csv_record_spec(names = c("a", "b"), types = "ii"),
  tsv_record_spec(odd_file("csv")), dataset_decode_delim(tensor_slices_dataset("1,2"),
    csv_record_spec(odd_file("csv"))),
  make_csv_dataset(odd_file("csv"), 2, num_epochs = 1), file_list_dataset(odd_file("csv")),
  read_files(odd_file("csv"), text_line_dataset), fixed_length_record_dataset(odd_file("bytes"), 8),
  tfrecord_dataset(odd_file("bytes")),
  sql_record_spec("a", list("int32")), run_sweep(data.frame(a = 1), function(a) c(b = a)),
  parquet_dataset(odd_file("parquet")), arrow_dataset(structure(list(), class = c("Table", "ArrowTabular"))),
  dbi_dataset(function() DBI::dbConnect(RSQLite::SQLite(), odd_file("sqlite")), "SELECT a FROM t"),
  sqlite_dataset(odd_file("sqlite"), "SELECT a FROM t"), sql_dataset("sqlite", odd_file("sqlite"), "SELECT a FROM t"),
  text_line_dataset(odd_file("csv")), tensor_slices_dataset(1:3), tensors_dataset(1:3),
  zip_datasets(tensor_slices_dataset(1:3), tensor_slices_dataset(1:3)), zip_lists(list(1, 2), list(3, 4)),
  idx_dataset(odd_file("idx")), evaluate(odd_model(), matrix(1, 2, 2), c(1, 2), verbose = 0),
  fit(odd_model(), matrix(1, 2, 2), c(1, 2), epochs = 1,
    verbose = 0, strategy = strategy_local(2)), strategy_communicator(communicator(0, 1, function(x) x)),
  predict(odd_model(), matrix(1, 2, 2)),
  fit_text_tokenizer(text_tokenizer(), c("a b", "b c")), freeze_weights(odd_model(), from = 1),
  unfreeze_weights(odd_model(), from = 1), get_layer(odd_model(), index = 1), get_weights(odd_model()),
  set_weights(odd_model(), get_weights(odd_model())), gradient_tape(),
  iter_next(as_iterator(tensor_slices_dataset(1:3))), iterate(as_iterator(tensor_slices_dataset(1:3))),
  load_model(odd_file("model")), load_model_hdf5(odd_file("model")), load_model_tf(odd_file("model")),
  load_torch_weights(odd_model(), odd_file("torch")), save_model_onnx(odd_model(), "model.onnx"),
  load_model_weights(odd_model(), odd_file("weights")), load_model_weights_hdf5(odd_model(), odd_file("weights")),
  load_model_weights_tf(odd_model(), odd_file("weights")), load_text_tokenizer(odd_file("tokenizer")),
  save_model(odd_model(), "model.out"), save_model_hdf5(odd_model(),
    "model.safetensors"), save_model_tf(odd_model(), "model.out"), save_model_weights(odd_model(), "weights.out"),
  save_model_weights_hdf5(odd_model(), "weights.safetensors"),
  save_model_weights_tf(odd_model(), "weights.safetensors"), save_text_tokenizer(odd_tokenizer(), "tokenizer.out"),
  serialize_model(odd_model()), unserialize_model(serialize_model(odd_model())), make_sampling_table(10), nn_threads(1),
  normalize(matrix(1, 2, 2)), output_shapes(tensor_slices_dataset(1:3)), output_types(tensor_slices_dataset(1:3)),
  pad_sequences(list(1:2, 1:3), maxlen = 3), plot_decision(odd_model(), matrix(1:4 / 4, 2), n = 3),
  plot_embedding(matrix(1:6 / 2, 3)), plot_gradient_check(check_gradient(layer_dense(units = 1), matrix(1, 2, 2))),
  grad_cam(odd_reader(), array(0.1, c(1, 4, 4, 1))), plot_grad_cam(odd_reader(), array(0.1, c(1, 4, 4, 1))),
  plot_activations(odd_reader(), array(0.1, c(1, 4, 4, 1))),
  plot_images(array(0.5, c(2, 3, 3))), plot_network(odd_model()), plot_weights(odd_model(), dims = c(1, 2)),
  pop_layer(odd_model()), predict_on_batch(odd_model(), matrix(1, 2, 2)), train_on_batch(odd_model(), matrix(1, 2, 2),
    c(1, 2)), test_on_batch(odd_model(), matrix(1, 2, 2), c(1, 2)),
  read_idx(odd_file("idx")), read_npy(odd_file("npy")), read_npz(odd_file("npz")),
  safetensors_read(odd_file("weights")), safetensors_write("tensors.out", list(a = 1)),
  sequences_to_matrix(odd_tokenizer(), list(1:2)), texts_to_matrix(odd_tokenizer(), "a b"),
  texts_to_sequences(odd_tokenizer(), "a b"), set_random_seed(1), use_session_with_seed(1),
  custom_gradient(function(x) list(x * 1, function(dy) dy)), forward_accumulator(variable(1), 1),
  hessian(function(x) op_sum(op_square(x)), matrix(1:2 / 2, 2)),
  op_scatter_add(matrix(1:6 / 2, 3), 0L, matrix(1, 1, 2)), op_sort(matrix(1:6 / 2, 3)), op_argsort(c(2, 1)),
  op_top_k(matrix(1:6 / 2, 3), 1), op_take_along(matrix(1:6 / 2, 3), matrix(0L, 3)), op_cumprod(c(1, 2)),
  tf$math$in_top_k(0L, matrix(1:3 / 2, 1), 1), tf$nn$in_top_k(0L, matrix(1:3 / 2, 1), 1),
  tf$math$segment_sum(c(1, 2), c(0L, 1L)), tf$math$unsorted_segment_sum(c(1, 2), c(0L, 1L), 2),
  tf$autodiff$ForwardAccumulator(variable(1), 1),
  tf$custom_gradient(function(x) list(x * 1, function(dy) dy)),
  skipgrams(1:5, 6, window_size = 1), tape_gradient(odd_tape(), odd_taped("target"), odd_taped("source")),
  tape_record(gradient_tape(), op_exp(1)), tape_watch(gradient_tape(), variable(1)), tensor(1:3),
  tensor_dtype(tensor(1)), as_tensor(1:4, "float32", shape = c(2, 2)), variable(1), variable_assign(variable(1), 2),
  text_hashing_trick("a b", 5), text_one_hot("a b", 5), text_to_word_sequence("a b"), text_tokenizer(10),
  tf_function(function(x) x), trace_program(function(x) x, matrix(1, 2, 2)), timeseries_generator(matrix(1:10, 5), 1:5,
    2), to_categorical(c(0, 1), 2), check_lab(odd_file("lab.R"), lab = "tensors", timeout = 5),
    strip_solutions(odd_file("lab.R")),
  get_file("odd.csv", paste0("file://", odd_file("csv")), cache_dir = tempdir()), image_load(odd_file("png")),
  image_to_array(matrix(0:3, 2)), image_from_array(matrix(0:3, 2)),
  image_array_save(matrix(0:3, 2), "picture.out.png"), image_array_resize(array(0.1, c(2, 3, 1)), 2, 2),
  image_smart_resize(array(0.1, c(2, 3, 1)), c(2, 2)), image_data_generator(),
  fit_image_data_generator(image_data_generator(), array(0.1, c(2, 2, 2, 1))),
  flow_images_from_data(array(0.1, c(2, 2, 2, 1))), flow_images_from_directory(odd_file("pictures")),
  flow_images_from_dataframe(data.frame(filename = c("a/1.png", "b/1.png"), class = c("a", "b")),
    odd_file("pictures")),
  image_dataset_from_directory(odd_file("pictures")), text_dataset_from_directory(odd_file("texts")),
  timeseries_dataset_from_array(1:9, 1:9, 3), use_lab("tensors", path = tempdir()), activation_relu(1, max_value = 6),
  plot(odd_history()), print(odd_history()),
  as.data.frame(odd_history()), summary(odd_model()), print(odd_model()), plot(odd_model()), tidy(odd_history()),
  glance(odd_model()), augment(odd_model(), matrix(1, 2, 2)), coef(odd_model()), print(tensor(1:3)),
  aperm(tensor(matrix(1:4, 2)), c(2, 1)), cbind(tensor(1:2), tensor(3:4)), rbind(tensor(1:2), tensor(3:4)),
  mean(tensor(1:3 / 2)), as.list(tensor_slices_dataset(1:3)), str(tensor(1:3)), all.equal(tensor(1), tensor(1)),
  tensor(1:3)[2], tensor(matrix(1:4, 2))[1, 2], tensor(1:3)[[2]], odd_model()[["name"]],
  optimizer_sgd()[["learning_rate"]], tensor(1:2) + tensor(3:4), tensor(c(1, 2)) *
  tensor(c(1, 2)), tensor(c(1, 2))^tensor(c(1, 2)), tensor(c(1, 2)) < tensor(2), tensor(c(1, 2)) - 1, tensor(4) / 2,
  tensor(7L) %/% 2L, tensor(7L) %% 2L, tensor(1) == 1, tensor(TRUE) & TRUE, -tensor(1), odd_graph()$input + 1,
  layer_dense(units = 1) * 2, sum(tensor(1:3)), round(tensor(1.5)), with(gradient_tape(), 1), tf[["abs"]],
  dim(tensor(1:3)), t(tensor(matrix(1:4, 2))), as.vector(tensor(1:3)),
  # members
  tf$train$GradientDescentOptimizer(0.1), tf$train$MomentumOptimizer(0.1, 0.9),
  tf$train$RMSPropOptimizer(0.1), tf$train$AdagradOptimizer(0.1),
  tf$train$latest_checkpoint("odd"), tf$train$CheckpointManager(tf$train$Checkpoint(v = variable(1)), "odd"),
  tf$compat$v1$train$GradientDescentOptimizer(0.1), tf$compat$v1$train$MomentumOptimizer(0.1, 0.9),
  tf$compat$v1$train$RMSPropOptimizer(0.1), tf$compat$v1$train$AdagradOptimizer(0.1),
  tf$compat$v1$train$latest_checkpoint("odd"),
  tf$compat$v1$train$CheckpointManager(tf$train$Checkpoint(v = variable(1)), "odd"),
  tf$nn$max_pool(array(0.1, c(1, 4, 2)), 2, 2, "SAME"), tf$nn$max_pool1d(array(0.1, c(1, 4, 2)), 2, 2, "SAME"),
  tf$nn$max_pool2d(array(0.1, c(1, 4, 4, 2)), 2, 2, "SAME"),
  tf$nn$max_pool3d(array(0.1, c(1, 4, 4, 1, 2)), 2, 2, "SAME"),
  tf$nn$avg_pool(array(0.1, c(1, 4, 2)), 2, 2, "SAME"), tf$nn$avg_pool1d(array(0.1, c(1, 4, 2)), 2, 2, "SAME"),
  tf$nn$avg_pool2d(array(0.1, c(1, 4, 4, 2)), 2, 2, "SAME"),
  tf$nn$avg_pool3d(array(0.1, c(1, 4, 4, 1, 2)), 2, 2, "SAME"),
  tf$nn$pool(array(0.1, c(1, 4, 2)), 2, "MAX"), tf$nn$max_pool_with_argmax(array(0.1, c(1, 4, 4, 2)), 2, 2, "SAME"),
  tf$nn$conv1d(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), 1, "SAME"), tf$nn$conv2d(array(0.1, c(1, 4, 4, 2)),
    array(0.1, c(2, 2, 2, 2)), 1, "SAME"),
  tf$nn$conv3d(array(0.1, c(1, 4, 4, 4, 2)), array(0.1, c(2, 2, 2, 2, 2)), 1, "SAME"), tf$nn$convolution(array(0.1,
    c(1, 4, 2)), array(0.1, c(2, 2, 2)), 1, "SAME"),
  tf$nn$conv1d_transpose(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), c(1, 8, 2), 2),
  tf$nn$conv2d_transpose(array(0.1, c(1, 4, 4, 2)), array(0.1, c(2, 2, 2, 2)), c(1, 8, 8, 2), 2),
  tf$nn$conv3d_transpose(array(0.1, c(1, 4, 4, 4, 2)), array(0.1, c(2, 2, 2, 2, 2)), c(1, 8, 8, 8, 2), 2),
  tf$nn$conv_transpose(array(0.1, c(1, 4, 2)), array(0.1, c(2, 2, 2)), c(1, 8, 2), 2),
  tf$nn$depthwise_conv2d(array(0.1, c(1, 4, 4, 2)), array(0.1, c(2, 2, 2, 2)), 1, "SAME"),
  tf$nn$separable_conv2d(array(0.1, c(1, 4, 4, 2)), array(0.1, c(2, 2, 2, 2)), array(0.1, c(1, 1, 4, 2)), 1, "SAME"),
  tf$constant(1), tf$Variable(1), tf$convert_to_tensor(1), tf$cast(1, "int32"), tf$zeros(c(2, 2)), tf$ones(c(2, 2)),
  tf$fill(c(2, 2), 1), tf$eye(2), tf$range(3), tf$one_hot(0:1, 3), tf$reshape(1:4, c(2, 2)), tf$broadcast_to(1:2,
    c(2, 2)), tf$clip_by_value(0.5, 0, 1), tf$concat(list(1:2, 3:4), 0), tf$cond(TRUE, function() 1, function() 2),
  tf$cumsum(c(1, 2)), tf$expand_dims(1:2, 0), tf$argmax(c(1, 2)), tf$argmin(c(1, 2)), tf$gather(1:3, 0L),
  tf$pad(1:2, matrix(1, 1, 2)), tf$reverse(1:2, 0), tf$split(1:4, 2), tf$squeeze(matrix(1:2, 1)), tf$stack(list(1, 2)),
  tf$unstack(1:2), tf$tile(1:2, 2), tf$transpose(matrix(1:4, 2)), tf$where(c(TRUE, FALSE), 1, 2),
  tf$while_loop(odd_times(3), function(i) i, list(tf$constant(0))), tf$matmul(matrix(1, 2, 2), matrix(1, 2, 2)),
  tf$strings$lower("A"), tf$strings$upper("a"), tf$strings$strip(" a"), tf$strings$length("a"),
  tf$strings$regex_replace("a", "a", "b"),
  tf$random$normal(c(2, 2)), tf$random$uniform(c(2, 2)), tf$random$truncated_normal(c(2, 2)), tf$random$set_seed(1),
  tf$device("/cpu:0"), tf$config$experimental$set_memory_growth("CPU", TRUE),
  tf$config$threading$set_intra_op_parallelism_threads(1), tf$config$threading$set_inter_op_parallelism_threads(1),
  tf$config$set_visible_devices(list()), tf$config$experimental$set_visible_devices(list()),
  tf$compat$v1$set_random_seed(1), use_session_with_seed(1), is_keras_available("2.0"), flags(flag_integer("a", 1)),
  flag_integer("a", 1), flag_numeric("a", 1), flag_boolean("a", TRUE), flag_string("a", "b"),
  predict_classes(odd_model(), matrix(1, 2, 2)), predict_proba(odd_model(), matrix(1, 2, 2)),
  generator_next(function() 1),
  tf$linalg$eye(2), tf$linalg$global_norm(list(1, 2)), tf$logical_not(TRUE), tf$logical_or(TRUE, FALSE),
  tf$nn$bias_add(matrix(1, 2, 2), c(1, 2)), tf$nn$dropout(c(1, 2), 0.5), tf$nn$embedding_lookup(matrix(1:4, 2), 0:1),
  tf$nn$batch_normalization(matrix(c(1, 2, 3, 4), 2), c(1, 2), c(1, 2), c(1, 2), c(1, 2), 1e-3),
  tf$image$resize(array(0.1, c(2, 2, 1)), c(2, 3)),
  tf$nn$l2_loss(c(1, 2)), tf$nn$moments(matrix(1, 2, 2), 0), tf$norm(c(1, 2)), tf$reduce_all(TRUE),
  tf$linalg$norm(c(1, 2)), tf$linalg$diag(c(1, 2)), tf$linalg$diag_part(matrix(1:4, 2)),
  op_einsum("ij,jk->ik", matrix(1:4, 2), matrix(1:4, 2)), op_tensordot(matrix(1:4, 2), matrix(1:4, 2), 1),
  op_diag_part(matrix(1:4, 2), k = 1), op_diag(c(1, 2), k = 1), op_matrix_diag(c(1, 2), k = 1),
    op_set_diag(matrix(1:4, 2), 1:2, k = 0),
  op_trace(matrix(1:4, 2)), op_band_part(matrix(1:4, 2), 1, 0), op_matrix_transpose(matrix(1:4, 2)),
  tf$linalg$einsum("ij->ji", matrix(1:4, 2)), tf$linalg$tensordot(matrix(1:4, 2), matrix(1:4, 2), 1),
  tf$einsum("ij->ji", matrix(1:4, 2)), tf$tensordot(matrix(1:4, 2), matrix(1:4, 2), 1),
  tf$linalg$adjoint(matrix(1:4, 2)), tf$linalg$set_diag(matrix(1:4, 2), 1:2), tf$linalg$band_part(matrix(1:4, 2), 0, 1),
  op_crop_and_resize(array(1:4 / 2, c(1, 2, 2, 1)), matrix(c(0, 0, 1, 1), 1), 0, c(2, 2), method = "nearest"),
  op_space_to_depth(array(1:4, c(1, 2, 2, 1)), 2), op_depth_to_space(array(1:4, c(1, 1, 1, 4)), 2),
  tf$image$resize_with_pad(array(1:4 / 2, c(1, 2, 2, 1)), 3, 4), tf$image$crop_and_resize(array(1:4 / 2, c(1, 2, 2, 1)),
    matrix(c(0, 0, 1, 1), 1), 0, c(2, 2)),
  tf$nn$space_to_depth(array(1:4, c(1, 2, 2, 1)), 2), tf$nn$depth_to_space(array(1:4, c(1, 1, 1, 4)), 2),
  op_solve(diag(2), diag(2), adjoint = TRUE), op_triangular_solve(diag(2), diag(2), lower = FALSE, adjoint = FALSE),
  op_inverse(diag(2), adjoint = TRUE), op_lstsq(diag(2), diag(2), l2_regularizer = 0.5, fast = TRUE),
  op_pinv(diag(2), rcond = 0.1), op_cholesky(diag(2)), op_qr(diag(2), mode = "complete"),
  op_svd(diag(2), full_matrices = TRUE, compute_uv = TRUE), op_eigh(diag(2)), op_det(diag(2)), op_slogdet(diag(2)),
  op_norm(c(1, 2), ord = 1, axis = 1, keepdims = TRUE), tf$linalg$inv(diag(2)), tf$linalg$solve(diag(2), diag(2)),
  tf$linalg$triangular_solve(diag(2), diag(2)), tf$linalg$cholesky(diag(2)), tf$linalg$cholesky_solve(diag(2), diag(2)),
  tf$linalg$lstsq(diag(2), diag(2)), tf$linalg$pinv(diag(2)), tf$linalg$qr(diag(2)), tf$linalg$svd(diag(2)),
  tf$linalg$eigh(diag(2)), tf$linalg$eigvalsh(diag(2)), tf$linalg$det(diag(2)), tf$linalg$slogdet(diag(2)),
  tf$linalg$normalize(diag(2)), tf$linalg$l2_normalize(diag(2)), tf$linalg$cross(c(1, 2, 3), c(3, 2, 1)),
  tf$linalg$logdet(diag(2)), tf$linalg$matrix_rank(diag(2)), tf$linalg$expm(diag(2)),
  tf$linalg$trace(matrix(1:4, 2)), tf$linalg$matrix_transpose(matrix(1:4, 2)), tf$shape(tensor(1:3)), tf$size(1:3),
  tf$rank(1:3), tf$print(1), tf$identity(1), tf$zeros_like(1:2), tf$ones_like(1:2), tf$reduce_sum(1:3),
  tf$reduce_mean(c(1, 2)), tf$reduce_any(TRUE), tf$reduce_logsumexp(c(1, 2)), tf$nn$softmax(c(1, 2)),
  tf$nn$log_softmax(c(1, 2)), tf$nn$leaky_relu(1), tf$nn$relu(1), tf$nn$sigmoid_cross_entropy_with_logits(c(0, 1),
    c(0.1, 0.2)), tf$nn$softmax_cross_entropy_with_logits(c(0, 1), c(0.1, 0.2)),
    tf$nn$sparse_softmax_cross_entropy_with_logits(0L, c(0.1, 0.2)), tf$keras$optimizers$Adam(),
    tf$keras$optimizers$SGD(0.1), tf$logical_and(TRUE, FALSE), tf$pow(2, 2),
  tf$`function`(function(x) x), tf$GradientTape(), tf$Module("m"), initializer_ones()(c(2, 2), "float32"),
  regularizer_l2()(c(1, 2)), constraint_nonneg()(matrix(1, 2, 2)), loss_hinge()(c(0, 1), c(0.2, 0.3)),
  metric_auc()(c(0, 1), c(0.2, 0.3)), layer_dense(units = 2)(matrix(1, 2, 2)), variable(1)$assign(2),
  variable(1)$assign_add(2), variable(1)$assign_sub(2),
  optimizer_sgd()$apply_gradients(list(list(tensor(1), variable(1)))),
  optimizer_sgd()$minimize(odd_loss(), odd_taped("source")), odd_tape()$gradient(odd_taped("target"),
    odd_taped("source")), odd_model()$get_layer(index = 1), odd_model()$predict(matrix(1, 2, 2)),
    odd_model()$fit(matrix(1, 2, 2), c(1, 2), verbose = 0L), odd_model()$set_weights(get_weights(odd_model())),
    learning_rate_schedule_exponential_decay(0.1, 10, 0.5)(3), tf$boolean_mask(c(1, 2), c(TRUE, FALSE)),
    sort(tensor(c(2, 1))),
  plot(check_gradient(layer_dense(units = 1), matrix(1, 2, 2))),
  plot(trace_program(function(x) op_exp(x), matrix(1, 2, 2))), evaluate(odd_model(), matrix(1, 2, 2), c(1, 2),
    verbose = 0)[["loss"]],
  `[<-`(tensor(1:3), 1, value = 2), `$<-`(odd_model(), "trainable", TRUE), `$<-`(odd_model(), "stop_training", TRUE),
  `[[<-`(odd_model(), "name", "a"), `$<-`(odd_model(), "optimizer", "sgd"), `$<-`(optimizer_sgd(), "learning_rate", 0.1)
)

# Shared things, made once per process.
odd_things <- new.env()

odd_tokenizer <- function() fit_text_tokenizer(text_tokenizer(10), c("a b", "b c"))
odd_history <- function() {
  if (is.null(odd_things$history)) odd_things$history <- fit(odd_model(), matrix(1, 2, 2), c(1, 2), epochs = 2,
    verbose = 0)
  odd_things$history
}

# A tape that saw the target computed from the source.
odd_tape <- function() {
  odd_things$source <- variable(c(1, 2))
  tape <- gradient_tape()
  odd_things$target <- tape_record(tape, op_sum(op_square(odd_things$source)))
  tape
}

odd_taped <- function(name) {
  if (is.null(odd_things[[name]])) odd_tape()
  odd_things[[name]]
}

odd_graph <- function() {
  if (is.null(odd_things$graph)) {
    input <- layer_input(2)
    odd_things$graph <- list(input = input, output = layer_dense(input, 1))
  }
  odd_things$graph
}

# A condition that ends whatever the loop does.
odd_times <- function(n) {
  left <- n
  function(i) {
    left <<- left - 1
    left >= 0
  }
}

odd_loss <- function() {
  w <- odd_taped("source")
  function() op_sum(op_square(w))
}

# 2 x 2 gray pixels
odd_png <- as.raw(strtoi(substring(paste0("89504e470d0a1a0a0000000d494844520000000200000002080000000057dd52f80000",
  "000e4944415408996360486330fe0f000303019908f3ed1d0000000049454e44ae426082"), 2 * (1:71) - 1,
  2 * (1:71)), 16))

odd_file <- function(kind) {
  path <- file.path(tempdir(), paste0("odd-", kind))
  if (file.exists(path)) return(path)
  switch(kind,
    bytes = writeBin(as.double(1:8), path, size = 4), csv = writeLines(c("a,b", "1,2", "3,4"), path),
    idx = writeBin(as.raw(c(0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3)), path),
    npy = writeBin(npy_bytes("<f8", "(2,)", writeBin(c(1, 2), raw())), path),
    npz = write_zip(list(a.npy = npy_bytes("<f8", "(2,)", writeBin(c(1, 2), raw()))), path),
    torch = {
      w <- get_weights(odd_model())
      state <- unlist(lapply(seq(1, length(w), 2), function(k) stats::setNames(list(t(w[[k]]), w[[k + 1]]),
        paste0(k, c(".weight", ".bias")))), recursive = FALSE)
      safetensors_write(path, state)
    },
    parquet = if (requireNamespace("nanoparquet", quietly = TRUE)) {
      nanoparquet::write_parquet(data.frame(a = 1:3), path)
    } else {
      file.create(path)
    },
    sqlite = if (requireNamespace("RSQLite", quietly = TRUE)) {
      connection <- DBI::dbConnect(RSQLite::SQLite(), path)
      DBI::dbWriteTable(connection, "t", data.frame(a = 1:3))
      DBI::dbDisconnect(connection)
    } else {
      file.create(path)
    },
    model = save_model(odd_model(), path), weights = save_model_weights(odd_model(), path),
    tokenizer = save_text_tokenizer(odd_tokenizer(), path), png = writeBin(odd_png, path),
    pictures = for (class in c("a", "b")) {
      dir.create(file.path(path, class), recursive = TRUE)
      writeBin(odd_png, file.path(path, class, "1.png"))
    },
    texts = for (class in c("a", "b")) {
      dir.create(file.path(path, class), recursive = TRUE)
      writeLines("x", file.path(path, class, "1.txt"))
    },
    lab.R = writeLines(c("#!hwbegin", "x <- 1", "#!hwend"), path)
  )
  path
}

# ---- the calls ----

our_namespace <- asNamespace("nativenet")
# All exported names but those that only tell what to do in their place.
made_names <- function() setdiff(getNamespaceExports(our_namespace), unlist(our_namespace$not_yet_names))

# What f, or its method for this first argument, takes; NULL for a primitive.
odd_formals <- function(f, call, env) {
  if (is.primitive(f)) return(NULL)
  generic <- if (is.name(call[[1]])) as.character(call[[1]])
  if (!is.null(generic) && length(call) > 1) {
    for (class in class(eval(call[[2]], env))) {
      method <- our_namespace$.__S3MethodsTable__.[[paste0(generic, ".", class)]]
      if (!is.null(method)) return(formals(method))
    }
  }
  formals(f)
}

# The call with its arguments named, and the names or positions of those that can be replaced.
odd_base <- function(call, env) {
  f <- eval(call[[1]], env)
  formals <- odd_formals(f, call, env)
  ours <- is.null(environment(f)) || identical(topenv(environment(f)), our_namespace)
  if (is.null(formals)) {
    # one argument stays ours, or the call is R's alone
    ours <- vapply(as.list(call)[-1], function(x) inherits(eval(x, env), c("nn_tensor", "nn_layer", "nn_keras_tensor",
      "nn_namespace", "nn_optimizer", "nn_scores")), NA)
    if (identical(call[[1]], quote(`$<-`))) return(list(call = call, at = list(4))) # a name is written, not evaluated
    return(list(call = call, at = as.list(which(!ours | sum(ours) > 1) + 1)))
  }
  g <- function() NULL
  formals(g) <- formals
  call <- match.call(g, call, envir = env)
  at <- as.list(setdiff(union(names(call)[-1], setdiff(names(formals), "...")), ""))
  unnamed <- which(names(call) == "")[-1]
  if ("..." %in% names(formals) && length(unnamed)) at <- c(at, as.list(unnamed))
  if (!ours) at <- setdiff(at, names(formals)[1])
  list(call = call, at = setdiff(at, c("deparse.level", "decreasing")), defaults = formals) # which R itself reads
}

odd_spec <- function() fit(step_numeric_column(feature_spec(data.frame(a = 1:3, b = 4:6), x = c("a", "b")), a))
odd_steps <- function() feature_spec(data.frame(a = 1:3, b = 4:6), x = c("a", "b")) |> step_numeric_column(b) |>
  step_categorical_column_with_identity(a, num_buckets = 5)

# A call for each exported function; some have several.
odd_bases <- function() {
  own <- function(call) paste(deparse(call[[1]]), collapse = "")
  known <- vapply(odd_calls, own, "")
  by_default <- function(name, f) {
    needed <- names(Filter(function(d) identical(d, quote(expr = )), as.list(formals(f))))
    known <- setdiff(needed, "...")
    if (!all(known %in% names(odd_defaults))) stop("no call is known for ", name)
    call <- as.call(c(str2lang(name), odd_defaults[known]))
    # `...` that are more options are tried by one of them
    if (startsWith(name, "layer_") && "object" %in% needed) call$name <- "odd"
    call
  }
  functions <- sort(grep("^[a-z_0-9]+$", made_names(), value = TRUE))
  functions <- Filter(function(n) is.function(f <- get(n, our_namespace)) && !is(f, "refObjectGenerator") &&
    length(formals(f)), functions)
  functions <- setdiff(functions, c("augment", "tidy", "glance", "fit", "compile"))
  members <- function(space, path) {
    found <- lapply(ls(space), function(n) {
      x <- get(n, space)
      if (is.environment(x) && inherits(x, "nn_namespace")) return(members(x, paste0(path, "$", n)))
      if (is.function(x) && length(formals(x)))
        stats::setNames(list(x), paste0(path, "$", if (n == "function") "`function`" else n))
    })
    do.call(c, found)
  }
  all <- c(stats::setNames(lapply(functions, get, our_namespace), functions), members(tf, "tf"))
  others <- setdiff(names(all), c(known, gsub("`", "", known)))
  others <- grep("^tf[$](data|keras|optimizers|metrics|math|feature_column|initializers)[$]", others, value = TRUE,
    invert = TRUE)
  others <- setdiff(others, "until_out_of_range") # whose code runs until data end: test-dataset-iterator.R
  # they start MPI: see test-strategy-mpi.R
  others <- setdiff(others, c("strategy_mpi", "tf$distribute$MultiWorkerMirroredStrategy"))
  others <- setdiff(others, c("tf$gradients", "tf$hessians")) # a tape must record: see test-hessian.R
  c(odd_calls, Map(by_default, others, all[others]))
}

# Use what a call made, as far as it can be used.
use_odd <- function(x) {
  numbers <- matrix(c(0.1, 0.2, 0.3, 0.4), 2)
  if (inherits(x, "nn_initializer")) x(c(2, 2))
  else if (inherits(x, c("nn_regularizer", "nn_constraint"))) x(tensor(numbers))
  else if (inherits(x, c("nn_loss", "nn_metric"))) x(numbers, numbers)
  else if (inherits(x, "nn_schedule")) x(3)
  else if (inherits(x, "nn_optimizer")) x$apply_gradients(list(list(tensor(numbers), variable(numbers))))
  else if (inherits(x, "nn_callback")) fit(odd_model(), numbers, 1:2, epochs = 2, verbose = 0, callbacks = list(x))
  else if (inherits(x, "nn_dataset")) dataset_collect(dataset_take(x, 2))
  else if (inherits(x, "nn_model")) predict(x, matrix(0.5, 2, if (length(dim(x$input)) == 2) dim(x$input)[2] else 2))
  else if (inherits(x, "nn_layer")) x(numbers)
  print(x)
}

# A default that is written as a value.
odd_default <- function(formals, at) {
  default <- if (is.character(at)) formals[at]
  if (!identical(default[[1]], quote(expr = )) &&
    all(all.names(as.call(c(quote(f), default))) %in% c("f", "-", "c"))) eval(default[[1]])
}

# The outcome of one call: "refused", "taken", or what is wrong with it.
odd_outcome <- function(base, at, value, env = new.env(parent = environment(odd_model))) {
  call <- base$call
  warned <- NULL
  odd <- is_odd(paste(deparse(call[[1]]), collapse = ""), at, value, odd_default(base$defaults, at))
  env$odd_value <- eval(odd_values[[value]])
  outcome <- tryCatch(
    withCallingHandlers({
      if (is.character(at) || at <= length(call)) call[[at]] <- quote(odd_value)
      if (value == "null") call[at] <- list(NULL)
      result <- eval(call, env)
      use_odd(result)
      if (odd) "nonsense" else "taken"
    }, warning = function(w) {
      if (!inherits(w, "nativenet_warning")) warned <<- c(warned, conditionMessage(w))
      tryInvokeRestart("muffleWarning")
    }),
    error = function(e) {
      if (inherits(e, "nativenet_error")) paste0("refused", if (nzchar(Sys.getenv("ODD_MESSAGES")))
        paste(":", conditionMessage(e)))
      else if (grepl("user's own", conditionMessage(e))) "taken"
      # sum() was called and failed, it too
      else if (value == "primitive" && grepl("^invalid 'type' .* of argument$", conditionMessage(e))) "taken"
      else paste("raw:", conditionMessage(e))
    }
  )
  if (length(warned) && !startsWith(outcome, "raw")) outcome <- paste("warned:", warned[1])
  gsub("[\n\t]", " ", iconv(outcome, "UTF-8", "UTF-8", sub = "?"))
}

# Values that R itself looks at before any code of ours runs. Until R 4.3 an operator asks neither of two classes that
# both have methods for it; as.vector() evaluates names and calls.
left_to_r <- function(f) {
  if (identical(f, quote(as.vector))) return(c("symbol", "call"))
  operator <- is.name(f) && as.character(f) %in% methods::getGroupMembers("Ops", recursive = TRUE)
  if (operator && getRversion() < "4.3.0") c("factor", "date", "time", "frame", "no_frame", "version")
}

# All calls: a data frame with the base's number, the argument and the name of the value.
odd_cases <- function(bases) {
  parts <- lapply(seq_along(bases), function(i) {
    base <- odd_base(bases[[i]], new.env(parent = environment(odd_model)))
    grid <- expand.grid(value = names(odd_values), at = seq_along(base$at), stringsAsFactors = FALSE)
    # no network
    if (!is.null(grid$at)) grid <- grid[!(vapply(base$at[grid$at], identical, NA, "download") & grid$value == "true"), ]
    grid <- grid[!(grid$value %in% left_to_r(base$call[[1]])), ]
    list(base = base, grid = if (nrow(grid)) data.frame(i = i, grid))
  })
  list(bases = lapply(parts, `[[`, "base"), grid = do.call(rbind, lapply(parts, `[[`, "grid")))
}

# One of these calls; afterwards all settings are what they were.
odd_try <- function(cases, k) {
  row <- cases$grid[k, ]
  base <- cases$bases[[row$i]]
  sinks <- sink.number()
  threads <- nn_threads()
  on.exit({
    while (sink.number() > sinks) sink()
    k_set_floatx("float32")
    k_set_epsilon(1e-7)
    nn_threads(threads)
  })
  odd_outcome(base, base$at[[row$at]], row$value)
}

odd_label <- function(cases, k, between = "\t") {
  row <- cases$grid[k, ]
  base <- cases$bases[[row$i]]
  paste(paste(deparse(base$call[[1]]), collapse = ""), base$at[[row$at]], row$value, sep = between)
}

odd_is_right <- function(outcomes) grepl("^(refused|taken)", outcomes)
