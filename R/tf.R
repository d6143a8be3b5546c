# `tf$...`: TensorFlow's names for what the package has. Thin spellings of op_*(): axes are 0-based here, as in
# TensorFlow, and numbers without dimensions become float32.

#' TensorFlow's names: tf
#'
#' `tf` holds the package's functions under their TensorFlow names, so that code and course sheets written for R's
#' tensorflow package run as they stand: `tf$Variable`, `tf$matmul`, `tf$GradientTape`, `tf$nn$relu`,
#' `tf$optimizers$Adam` and so on. Completion works after each `$`; an unknown name is an error that suggests near ones,
#' and a name of TensorFlow's that is not here (`tf$ragged`, `tf$sparse`, `tf$random$Generator` ...) one that says why.
#'
#' * **Axes are 0-based** in `tf$...` (`axis = 0` are the rows), 1-based in R's own functions on tensors and in `op_*()`
#'   and `k_*()`. Negative axes count from the end everywhere.
#' * **Dtypes**: arrays of doubles become float64, numbers and vectors without `dim`, and lists of them, float32,
#'   whole numbers int32. `tf$reduce_mean()` of whole numbers is one, truncated towards zero; [mean()][op_sum] and
#'   [k_mean()] give floats. Two tensors of different dtype do not mix: `tf$cast()` converts. Plain R numbers take the
#'   dtype of the tensor that they meet.
#'   `tf$cast()` to `tf$uint8` and its like truncates and wraps as in TensorFlow, and keeps the numbers as int32, whose
#'   sums do not wrap; `tf$saturate_cast()` clips. `tf$float16` and complex numbers are refused.
#' * **Order**: R arrays keep their indices. Only `tf$reshape()` and flattening read row by row, unlike R's `dim<-`.
#'
#' | part | members |
#' |---|---|
#' | creation | `Variable constant convert_to_tensor cast zeros ones fill eye range one_hot` |
#' | | `zeros_like ones_like identity` |
#' | `tf$random` | `normal uniform truncated_normal categorical gamma poisson shuffle set_seed` |
#' | shape | `reshape transpose concat stack unstack split squeeze expand_dims tile reverse pad shape size rank` |
#' | gather and select | `gather gather_nd boolean_mask where slice strided_slice unique sequence_mask`, |
#' | | `scatter_nd tensor_scatter_nd_add tensor_scatter_nd_update` |
#' | order | `sort argsort`, `tf$math$top_k in_top_k` |
#' | products | `matmul einsum tensordot norm` |
#' | `tf$linalg` | `matmul matvec matrix_transpose trace diag diag_part set_diag band_part eye norm`, |
#' | | `inv solve triangular_solve lstsq pinv cholesky qr svd eigh det slogdet logdet matrix_rank expm` |
#' | reductions | `reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_any reduce_all`, |
#' | | `reduce_logsumexp reduce_std reduce_variance` |
#' | along an axis | `argmax argmin cumsum`, `tf$math$cumprod segment_sum unsorted_segment_sum` |
#' | elementwise | `square sqrt exp abs pow maximum minimum clip_by_value equal less greater` ..., |
#' | | all in `tf$math` too |
#' | `tf$nn` | `relu elu selu gelu leaky_relu sigmoid tanh softmax log_softmax softplus` ..., |
#' | | the cross-entropies from logits |
#' | windows | `tf$nn`: `max_pool avg_pool max_pool1d` ... `avg_pool3d pool max_pool_with_argmax`, |
#' | | `space_to_depth depth_to_space` |
#' | pictures | `tf$image`: `decode_jpeg decode_png decode_image encode_png resize crop_and_resize`, |
#' | | `flip_left_right random_flip_left_right random_crop central_crop rot90 transpose`, |
#' | | `adjust_brightness adjust_contrast adjust_hue random_brightness` ..., `convert_image_dtype`, |
#' | | `rgb_to_grayscale rgb_to_hsv per_image_standardization extract_patches ssim psnr` ... |
#' | files | `tf$io`: `read_file write_file decode_raw matching_files gfile` |
#' | strings, which are R's | `tf$strings`: `lower upper strip length regex_replace regex_full_match`, |
#' | | `join split substr to_number as_string format unicode_split` ... |
#' | tables, checks, structures | `tf$lookup$StaticHashTable`, `tf$debugging$assert_equal` ..., `tf$nest` |
#' | bits, signals | `tf$bitwise`; `tf$signal`: `frame overlap_and_add hann_window dct` ... |
#' | convolutions | `tf$nn`: `conv1d conv2d conv3d convolution depthwise_conv2d separable_conv2d` |
#' | transposed | `tf$nn`: `conv1d_transpose conv2d_transpose conv3d_transpose conv_transpose` |
#' | gradients | `GradientTape stop_gradient custom_gradient gradients hessians`, `tf$autodiff$ForwardAccumulator` |
#' | training | `tf$optimizers`, `tf$keras$optimizers`: `SGD RMSprop Adam AdamW Adagrad Adadelta`, |
#' | | `Adamax Nadam Lion Ftrl`, `schedules` |
#' | losses | `tf$losses`, `tf$metrics`: those of `tf$keras`; of TensorFlow 1 `mean_squared_error log_loss` ... |
#' | checkpoints | `tf$train`: `Checkpoint CheckpointManager latest_checkpoint`, see [checkpoints] |
#' | functions | `tf$function`, `Module`, `cond`, `while_loop` |
#' | machine | `device config compat`: there is the CPU; `tf$config$threading` is [nn_threads()] |
#' | types | `float32 float64 int32 int64 bool`, and `string` for [layer_input()]; |
#' | | `uint8 int8 uint16 int16 uint32`, kept as int32 or int64 |
#'
#' @format An object of class `nn_namespace`.
#' @seealso [tensor()], [gradient_tape()], [autograph()], [tensor_slices_dataset()]; [keras_backend] for Keras' backend;
#'   `vignette("tensors-and-tapes")`.
#' @examples
#' x <- tf$constant(matrix(1:6 / 2, 2))
#' tf$reduce_sum(tf$square(x), axis = 0)
#' w <- tf$Variable(tf$random$normal(c(3, 1)), name = "w")
#' tf$matmul(tf$cast(x, tf$float32), w)
#' try(tf$matmull(x, w))
#' @name tf
NULL

new_namespace <- function(path, members) {
  space <- list2env(lapply(members, as_member), parent = emptyenv())
  attr(space, "path") <- path
  structure(space, class = "nn_namespace")
}

#' Most functions of TensorFlow take a `name` for the node of a graph. It is ignored; present for compatibility.
#' @noRd
as_member <- function(f) {
  if (!is.function(f) || is.object(f) || !is.null(attr(f, "spells"))) return(f)
  if ("name" %in% names(formals(f)) && !"name" %in% all.names(body(f))) body(f) <- call("{", name_check, body(f))
  with_needed(f)
}

#' @export
`$.nn_namespace` <- function(x, name) {
  member <- .subset2(x, name)
  # names that R reserves may have an underscore behind them
  if (is.null(member) && endsWith(name, "_")) member <- .subset2(x, sub("_$", "", name))
  if (is.null(member)) check_left(attr(x, "path"), name)
  if (is.null(member) && name != "newaxis") missing_member(x, name)
  member
}

#' The error, with the place where the name is, if it is elsewhere.
#' @noRd
missing_member <- function(x, name) {
  paths <- c("tf", paste0("tf$", c("math", "nn", "linalg", "random", "image", "strings", "io", "signal", "keras",
    "keras$layers", "keras$losses", "keras$utils")))
  for (path in setdiff(paths, attr(x, "path"))) {
    if (exists(name, eval(str2lang(path)), inherits = FALSE)) abort("`", attr(x, "path"), "` has no member `$", name,
      "`; `", path, "$", name, "` is there", class = "member", fun = NULL)
  }
  unknown_member(name, ls(x), paste0("`", attr(x, "path"), "`"))
}

#' @export
`[[.nn_namespace` <- function(x, i, ...) `$.nn_namespace`(x, check_name(i, "[["))

#' @export
`$<-.nn_namespace` <- function(x, name, value) abort("`", attr(x, "path"), "` cannot be changed", fun = NULL)

#' @export
`[[<-.nn_namespace` <- `$<-.nn_namespace`

#' @export
.DollarNames.nn_namespace <- function(x, pattern = "") grep(pattern, ls(x), value = TRUE)

#' @export
print.nn_namespace <- function(x, ...) {
  cat("<", attr(x, "path"), ">\n", sep = "")
  cat(strwrap(paste(ls(x), collapse = "  "), width = getOption("width")), sep = "\n")
  invisible(x)
}

# ---- the members ----

tf_elementwise <- c(
  lapply(list(square = op_square, sqrt = op_sqrt, exp = op_exp, abs = op_abs, negative = op_negative, sign = op_sign,
    floor = op_floor, ceil = op_ceiling, round = op_round, sin = op_sin, cos = op_cos, tan = op_tan, asin = op_asin,
    acos = op_acos, atan = op_atan, sinh = op_sinh, cosh = op_cosh, tanh = op_tanh, sigmoid = op_sigmoid), unary),
  lapply(list(add = op_add, subtract = op_subtract, multiply = op_multiply, pow = power, maximum = op_maximum,
    minimum = op_minimum, equal = op_equal, not_equal = op_not_equal, less = op_less, less_equal = op_less_equal,
    greater = op_greater, greater_equal = op_greater_equal, logical_and = op_logical_and, logical_or = op_logical_or,
    floormod = op_floor_mod), binary),
  list(
    divide = binary(true_divide), truediv = binary(true_divide),
    logical_not = unary(op_logical_not),
    clip_by_value = function(t, clip_value_min, clip_value_max, name = NULL) op_clip(t, clip_value_min, clip_value_max),
    argmax = function(input, axis = 0, output_type = "int64", name = NULL)
      op_cast(op_argmax(input, from_zero(axis), zero_indexed = TRUE), output_type),
    argmin = function(input, axis = 0, output_type = "int64", name = NULL)
      op_cast(op_argmin(input, from_zero(axis), zero_indexed = TRUE), output_type),
    cumsum = function(x, axis = 0, exclusive = FALSE, reverse = FALSE, name = NULL)
    op_cumsum(x, from_zero(axis), NULL, exclusive, reverse),
    argsort = function(values, axis = -1, direction = "ASCENDING", stable = FALSE, name = NULL)
    order_along(values, from_zero(axis), descends(direction)),
    reduce_sum = reduction(op_sum), reduce_mean = reduction(mean_as_tensorflow), reduce_max = reduction(op_max),
    reduce_min = reduction(op_min), reduce_prod = reduction(op_prod), reduce_any = reduction(op_any),
    reduce_all = reduction(op_all), reduce_logsumexp = reduction(op_logsumexp),
    reduce_std = reduction(op_std), reduce_variance = reduction(op_var)
  )
)

tf_math_only <- lapply(list(log = op_log, log1p = op_log1p, expm1 = op_expm1, erf = op_erf, lgamma = op_lgamma,
  digamma = op_digamma, reciprocal = op_reciprocal, softplus = op_softplus, is_nan = op_is_nan, is_inf = op_is_inf,
  is_finite = op_is_finite, rsqrt = function(x) op_reciprocal(op_sqrt(x)), log_sigmoid = function(x)
  op_negative(op_softplus(op_negative(x)))),
  unary)
tf_math_only$cumprod <- function(x, axis = 0, exclusive = FALSE, reverse = FALSE, name = NULL)
  op_cumprod(x, from_zero(axis), NULL, exclusive, reverse)
tf_math_only$top_k <- function(input, k = 1, sorted = TRUE, index_type = "int32", name = NULL) {
  check_flag(sorted)
  best <- largest_of(input, k)
  list(values = best$values, indices = op_cast(best$indices, index_type))
}
tf_math_only$in_top_k <- function(targets, predictions, k, name = NULL)
  op_not_equal(in_top_k(targets, tf_value(predictions), check_count(k)), 0)
tf_math_only$unsorted_segment_sum <- function(data, segment_ids, num_segments, name = NULL) {
  segment_sum(data, segment_ids, check_count(num_segments, 0))
}
tf_math_only$segment_sum <- function(data, segment_ids, name = NULL) {
  segment_sum(data, segment_ids, max(-1, check_whole(c(as.array(segment_ids)), min = 0, arg = "segment_ids")) + 1)
}
tf_math_only$floordiv <- binary(op_floor_divide)
tf_math_only$squared_difference <- binary(function(x, y) op_square(op_subtract(x, y)))
tf_math_only$mod <- binary(op_floor_mod)

tf_nn <- c(
  lapply(list(relu = op_relu, selu = op_selu, sigmoid = op_sigmoid, tanh = op_tanh, softplus = op_softplus),
    function(op) function(features, name = NULL) op(features)),
  list(
    elu = function(features, name = NULL) op_elu(features),
    gelu = function(features, approximate = FALSE, name = NULL) activation_gelu(features, approximate),
    leaky_relu = function(features, alpha = 0.2, name = NULL) op_leaky_relu(features, alpha),
    silu = function(features, name = NULL) op_silu(features),
    swish = function(features, name = NULL) op_silu(features),
    softsign = function(features, name = NULL) op_softsign(features),
    relu6 = function(features, name = NULL) op_relu6(features),
    l2_normalize = function(x, axis = NULL, epsilon = 1e-12, name = NULL) op_l2_normalize(x, from_zero(axis), epsilon),
    softmax = function(logits, axis = -1, name = NULL) op_softmax(logits, from_zero(axis)),
    log_softmax = function(logits, axis = -1, name = NULL) op_log_softmax(logits, from_zero(axis)),
    l2_loss = function(t, name = NULL) op_divide(op_sum(op_square(t)), 2),
    bias_add = function(value, bias, name = NULL) op_add(value, bias),
    embedding_lookup = function(params, ids, name = NULL) op_gather(params, ids, 1),
    dropout = function(x, rate, seed = NULL, name = NULL) with_own_seed(seed, op_dropout(x, rate)),
    batch_normalization = function(x, mean, variance, offset, scale, variance_epsilon, name = NULL) {
      normalize_by(x, mean, variance, offset, scale, check_number(variance_epsilon, above = 0))
    },
    moments = function(x, axes, shift = NULL, keepdims = FALSE, name = NULL) {
      if (!is.null(shift)) check_reals(shift) # which changes nothing in TensorFlow either
      list(op_mean(x, from_zero(axes), keepdims), op_var(x, from_zero(axes), keepdims))
    },
    top_k = tf_math_only$top_k, in_top_k = tf_math_only$in_top_k, zero_fraction = tf_math_more$zero_fraction,
    crelu = function(features, axis = -1, name = NULL) {
      x <- op_input(features)
      op_concat(list(op_relu(x), op_relu(op_negative(x))), from_zero(axis))
    },
    # q t (-log sigmoid(z)) + (1 - t) (-log(1 - sigmoid(z)))
    weighted_cross_entropy_with_logits = function(labels, logits, pos_weight, name = NULL) {
      z <- as_floats(op_input(logits))
      t <- tensor(op_input(labels), tensor_dtype(z))
      no <- op_subtract(1, t)
      op_add(op_multiply(no, z), op_multiply(op_add(no, op_multiply(t, pos_weight)), op_softplus(op_negative(z))))
    },
    # exp(c) - t c, with Stirling's t log t - t + log(2 pi t) / 2 for t > 1
    log_poisson_loss = function(targets, log_input, compute_full_loss = FALSE, name = NULL) {
      x <- as_floats(op_input(log_input))
      t <- tensor(op_input(targets), tensor_dtype(x))
      loss <- op_subtract(op_exp(x), op_multiply(x, t))
      if (!check_flag(compute_full_loss)) return(loss)
      stirling <- function(t) op_add(op_subtract(op_multiply(t, op_log(t)), t),
        op_multiply(op_log(op_multiply(t, 2 * pi)), 0.5))
      op_add(loss, op_where(op_greater(t, 1), stirling(op_maximum(t, 1)), op_zeros_like(t)))
    },
    # x / (bias + alpha sum of squares of the channels up to depth_radius away)^beta: Krizhevsky et al. 2012
    local_response_normalization = function(input, depth_radius = 5, bias = 1, alpha = 1, beta = 0.5, name = NULL) {
      x <- as_floats(op_input(input))
      if (rank_of(x) != 4) abort("`input` must have four axes, with channels last, not the shape ",
        format_shape(shape_of(x)), class = "shape")
      n <- shape_of(x)[4]
      near <- 1 * (abs(outer(seq_len(n), seq_len(n), `-`)) <= check_count(depth_radius, min = 0))
      total <- op_matmul(op_square(x), tensor(near, tensor_dtype(x)))
      op_divide(x, op_power(op_add(op_multiply(total, check_number(alpha)), check_number(bias)), check_number(beta)))
    },
    compute_average_loss = function(per_example_loss, sample_weight = NULL, global_batch_size = NULL) {
      loss <- as_floats(op_input(per_example_loss))
      if (!rank_of(loss)) abort("`per_example_loss` must have an axis of samples", class = "shape")
      if (!is.null(sample_weight)) loss <- op_multiply(loss, sample_weight)
      if (is.null(global_batch_size) && !is.null(session$replica)) abort("`global_batch_size` must be given under ",
        "`strategy$run()`: the rows of the whole batch")
      op_divide(op_sum(loss), if (is.null(global_batch_size)) batch_size_of(loss) else check_number(global_batch_size,
        above = 0))
    },
    # element by element: max(z, 0) - z t + log(1 + exp(-|z|))
    sigmoid_cross_entropy_with_logits = function(labels = NULL, logits = NULL, name = NULL)
    k_binary_crossentropy(labels, logits, from_logits = TRUE), softmax_cross_entropy_with_logits = function(labels,
      logits, axis = -1, name = NULL) {
      check_last_axis(from_zero(axis), logits)
      op_categorical_crossentropy(labels, logits, from_logits = TRUE)
    },
    sparse_softmax_cross_entropy_with_logits = function(labels, logits, name = NULL) {
      op_sparse_categorical_crossentropy(labels, logits, from_logits = TRUE)
    }
  )
)

tf_random <- list(
  normal = function(shape, mean = 0, stddev = 1, dtype = "float32", seed = NULL, name = NULL) {
    with_own_seed(seed, op_random_normal(shape, mean, stddev, dtype))
  },
  uniform = function(shape, minval = 0, maxval = NULL, dtype = "float32", seed = NULL, name = NULL) {
    whole <- is_whole_dtype(if (is.null(dtype)) "float32" else check_choice(dtype, setdiff(dtypes, "bool")))
    if (is.null(maxval)) maxval <- if (whole) abort("`maxval` must be given for integers", fun = "uniform") else 1
    draw <- with_own_seed(seed, op_random_uniform(shape, minval, maxval, if (whole) "float64" else dtype))
    if (whole) op_cast(op_floor(draw), dtype) else draw
  },
  truncated_normal = function(shape, mean = 0, stddev = 1, dtype = "float32", seed = NULL, name = NULL) {
    with_own_seed(seed, op_random_truncated_normal(shape, mean, stddev, dtype))
  },
  set_seed = function(seed) {
    check_not_tracing("it sets the seed")
    invisible(set_random_seed(seed))
  },
  shuffle = function(value, seed = NULL, name = NULL) {
    check_not_tracing("it shuffles with R's generator")
    value <- tf_value(value, fun = "shuffle")
    if (!rank_of(value)) abort("`value` must have at least one axis, not be a scalar", class = "shape")
    op_gather(value, with_own_seed(seed, sample.int(dim(value)[1])) - 1L, 1)
  }
)

tf_optimizers <- list(
  SGD = optimizer_sgd, RMSprop = optimizer_rmsprop, Adam = optimizer_adam, AdamW = optimizer_adamw,
  Adagrad = optimizer_adagrad, Adadelta = optimizer_adadelta, Adamax = optimizer_adamax, Nadam = optimizer_nadam,
  Lion = optimizer_lion, Ftrl = optimizer_ftrl, Lamb = optimizer_lamb, Adafactor = optimizer_adafactor,
  Muon = optimizer_muon,
  schedules = new_namespace("tf$optimizers$schedules", list(
    LearningRateSchedule = base_class("schedule", "keras.optimizers.schedules.LearningRateSchedule"),
    ExponentialDecay = learning_rate_schedule_exponential_decay,
    InverseTimeDecay = learning_rate_schedule_inverse_time_decay,
    PolynomialDecay = learning_rate_schedule_polynomial_decay,
    PiecewiseConstantDecay = learning_rate_schedule_piecewise_constant_decay,
    CosineDecay = learning_rate_schedule_cosine_decay,
    CosineDecayRestarts = learning_rate_schedule_cosine_decay_restarts
  ))
)

tf_top <- list(
  float32 = nn_dtype("float32"), float64 = nn_dtype("float64"), int32 = nn_dtype("int32"), int64 = nn_dtype("int64"),
  bool = nn_dtype("bool"), string = nn_dtype("string"), is_tensor = function(x) is_tensor(x),
  Variable = function(initial_value, trainable = TRUE, name = NULL, dtype = NULL, shape = NULL, ...) {
    value <- tf_value(if (is.function(initial_value)) check_function(initial_value, takes = 0)() else initial_value,
      dtype, "tf$Variable")
    if (!is.null(shape) && !same_sizes(check_sizes(shape), dim(value))) {
      abort("`shape` must be that of the value, ", format_shape(dim(value)), ", not ", format_shape(shape),
        class = "shape")
    }
    variable(value, trainable = trainable, name = if (is.null(name)) "Variable" else name)
  },
  constant = function(value, dtype = NULL, shape = NULL, name = NULL) {
    if (holds_text(value, dtype)) return(text_constant(value, shape))
    fit_shape(value_of_dtype(value, dtype, "tf$constant"), shape)
  },
  convert_to_tensor = function(value, dtype = NULL, name = NULL) if (holds_text(value, dtype)) text_constant(value) else
    value_of_dtype(value, dtype, "tf$convert_to_tensor"),
  cast = function(x, dtype, name = NULL) cast_as_tensorflow(op_input(x), dtype),
  zeros = function(shape, dtype = "float32", name = NULL) tensor_filled(0, shape, dtype),
  ones = function(shape, dtype = "float32", name = NULL) tensor_filled(1, shape, dtype),
  fill = function(dims, value, name = NULL) {
    value <- tf_value(value, fun = "fill")
    if (rank_of(value)) abort("`value` must be one number, not ", describe(value), class = "shape")
    op_broadcast_to(value, check_sizes(dims))
  },
  zeros_like = function(input, dtype = NULL, name = NULL) tensor(op_zeros_like(input), dtype),
  ones_like = function(input, dtype = NULL, name = NULL) tensor(op_ones_like(input), dtype),
  eye = tf_linalg$eye,
  range = function(start, limit = NULL, delta = 1L, dtype = NULL, name = NULL) {
    ends <- lapply(if (is.null(limit)) list(0L, start, delta) else list(start, limit, delta), tf_value, fun = "range")
    if (is.null(dtype)) dtype <- c(setdiff(vapply(ends, tensor_dtype, ""), "int32"), "int32")[1]
    ends <- lapply(ends, function(x) check_number(c(as.array(x)), arg = "start, limit and delta", fun = "range"))
    if (ends[[3]] == 0) abort("`delta` must not be 0", fun = "range")
    n <- max(0, ceiling((ends[[2]] - ends[[1]]) / ends[[3]]))
    check_room(n, "limit")
    tensor(array(ends[[1]] + ends[[3]] * (seq_len(n) - 1), n), dtype)
  },
  one_hot = function(indices, depth, on_value = NULL, off_value = NULL, axis = NULL, dtype = NULL, name = NULL) {
    values <- list(if (is.null(on_value)) 1 else on_value, if (is.null(off_value)) 0 else off_value)
    if (is.null(dtype)) dtype <- tensor_dtype(tf_value(on_value %or% off_value %or% 1, fun = "one_hot"))
    hot <- op_one_hot(indices, depth, if (is.null(axis)) -1 else from_zero(axis), "bool", zero_indexed = TRUE)
    op_where(hot, tensor(values[[1]], dtype), tensor(values[[2]], dtype))
  },
  custom_gradient = custom_gradient, gradients = tf_gradients, hessians = tf_hessians,
  autodiff = new_namespace("tf$autodiff", list(ForwardAccumulator = forward_accumulator)),
  UnconnectedGradients = new_namespace("tf$UnconnectedGradients", list(NONE = "none", ZERO = "zero")),
  identity = function(input, name = NULL) k_identity(input),
  stop_gradient = function(input, name = NULL) op_stop_gradient(input),
  shape = function(input, name = NULL) shape_tensor(input),
  size = function(input, name = NULL) op_prod(shape_tensor(input)),
  rank = function(input, name = NULL) tensor(length(known_dim(input))),
  matmul = tf_linalg$matmul, norm = tf_linalg$norm, einsum = tf_linalg$einsum, tensordot = tf_linalg$tensordot,
  transpose = function(a, perm = NULL, name = NULL) op_transpose(a, from_zero(perm)),
  reshape = function(tensor, shape, name = NULL) op_reshape(tensor, shape),
  concat = function(values, axis, name = NULL) op_concat(values, from_zero(axis)),
  stack = function(values, axis = 0, name = NULL) op_stack(values, from_zero(axis)),
  unstack = function(value, num = NULL, axis = 0, name = NULL) {
    parts <- op_unstack(value, axis = from_zero(axis))
    if (!is.null(num)) check_count(num, min = length(parts), max = length(parts))
    parts
  },
  split = function(value, num_or_size_splits, axis = 0, name = NULL) split_axis(value, num_or_size_splits,
    from_zero(axis)),
  squeeze = function(input, axis = NULL, name = NULL) op_squeeze(input, from_zero(axis)),
  expand_dims = function(input, axis, name = NULL) op_expand_dims(input, from_zero(axis)),
  tile = function(input, multiples, name = NULL) op_tile(input, multiples),
  broadcast_to = function(input, shape, name = NULL) op_broadcast_to(input, shape),
  boolean_mask = function(tensor, mask, axis = NULL, name = NULL) {
    x <- tf_value(tensor)
    at <- if (is.null(axis)) 0 else check_axis(from_zero(axis), rank_of(x))
    if (length(at) != 1) abort("`axis` must be one axis, not ", describe(axis), fun = "tf$boolean_mask")
    if (at == 0) return(masked(x, mask, "tf$boolean_mask"))
    if (length(dim(mask)) > 1) abort("`axis` must be 0 for a mask of several axes", class = "shape",
      fun = "tf$boolean_mask")
    op_moveaxis(masked(op_moveaxis(x, at + 1, 1), mask, "tf$boolean_mask"), 1, at + 1)
  },
  gather = function(params, indices, axis = 0, name = NULL)
    op_gather(op_input(params), tf_value(indices, fun = "gather"), from_zero(axis)),
  sort = function(values, axis = -1, direction = "ASCENDING", name = NULL)
  op_sort(values, from_zero(axis), descends(direction)),
  where = function(condition, x = NULL, y = NULL, name = NULL) {
    if (is.null(x) && is.null(y)) places_of(tf_value(condition, fun = "where")) else op_where(condition, x, y)
  },
  reverse = function(tensor, axis, name = NULL) op_reverse(tensor, from_zero(axis)),
  pad = function(tensor, paddings, mode = "CONSTANT", constant_values = 0, name = NULL) {
    op_pad(tensor, paddings, check_padding(mode, c("constant", "reflect", "symmetric"), "mode"), constant_values)
  },
  GradientTape = function(persistent = FALSE, watch_accessed_variables = TRUE)
  gradient_tape(persistent, watch_accessed_variables), `function` =
    function(func, input_signature = NULL, autograph = TRUE, ...) tf_function(func, input_signature, autograph),
  Module = nn_module,
  cond = function(pred, true_fn, false_fn, name = NULL) op_cond(pred, true_fn, false_fn),
  while_loop = function(cond, body, loop_vars, ...) as_branch(op_while_loop(cond, body, as_branch(loop_vars))),
  print = function(...) {
    check_not_tracing("it prints")
    for (x in list(...)) print(x)
  },
  executing_eagerly = function() !is_tracing(),
  math = new_namespace("tf$math", as_activations(lapply(c(tf_elementwise, tf_math_only, tf_math_more,
    tf_nn["l2_normalize"]), as_tensorflow))),
  nn = new_namespace("tf$nn", as_activations(lapply(c(tf_nn, tf_windows, tf_convolutions), as_tensorflow))),
  linalg = new_namespace("tf$linalg", lapply(tf_linalg, as_tensorflow)),
  random = new_namespace("tf$random", c(tf_random, tf_random_more)),
  debugging = new_namespace("tf$debugging", tf_debugging), nest = new_namespace("tf$nest", tf_nest),
  test = new_namespace("tf$test", tf_test), lookup = lookup_namespace(), io = io_namespace(),
  summary = summary_namespace(),
  strings = new_namespace("tf$strings", tf_strings),
  image = new_namespace("tf$image", c(lapply(c(tf_image, tf_pictures), as_tensorflow), tf_decoders,
    resize_images = as_tensorflow(tf_image$resize), ResizeMethod = new_namespace("tf$image$ResizeMethod",
      list(BILINEAR = "bilinear", NEAREST_NEIGHBOR = "nearest", BICUBIC = "bicubic", AREA = "area",
        LANCZOS3 = "lanczos3", LANCZOS5 = "lanczos5", GAUSSIAN = "gaussian", MITCHELLCUBIC = "mitchellcubic")))),
  optimizers = new_namespace("tf$optimizers", tf_optimizers),
  feature_column = new_namespace("tf$feature_column", list(
    numeric_column = numeric_column, bucketized_column = bucketized_column, indicator_column = indicator_column,
    categorical_column_with_vocabulary_list = categorical_column_with_vocabulary_list,
    categorical_column_with_vocabulary_file = categorical_column_with_vocabulary_file,
    categorical_column_with_hash_bucket = categorical_column_with_hash_bucket,
    categorical_column_with_identity = categorical_column_with_identity, crossed_column = crossed_column,
    embedding_column = embedding_column, shared_embeddings = shared_embeddings
  )),
  data = data_namespace(), bitwise = new_namespace("tf$bitwise", tf_bitwise),
  signal = new_namespace("tf$signal", lapply(tf_signal, as_tensorflow)),
  as_dtype = function(type_value) dtype_named(type_value),
  TensorShape = function(dims) nn_shape(as_sizes(dims, "dims", "tf$TensorShape")),
  TensorSpec = function(shape, dtype = "float32", name = NULL) {
    if (!is.null(name)) check_string(name)
    nn_tensor_spec(nn_shape(as_sizes(shape, "shape", "tf$TensorSpec")), dtype_named(dtype), name)
  }
)

tensorflow_shapes <- c("cast", "zeros_like", "ones_like", "identity", "stop_gradient", "transpose", "reshape", "concat",
  "stack", "unstack", "split", "squeeze", "expand_dims", "tile", "broadcast_to", "gather", "where", "reverse", "pad",
  "matmul", "norm", "einsum", "tensordot")
tf_top[tensorflow_shapes] <- lapply(tf_top[tensorflow_shapes], as_tensorflow)

# Keras' functions likewise; those that call functions of the user's leave it to tf$where().
for (own in setdiff(ls(pattern = "^k_"), c("k_switch", "k_foldl", "k_foldr", "k_map_fn", "k_rnn", "k_function",
  "k_in_train_phase", "k_in_test_phase"))) assign(own, as_tensorflow(get(own)))
rm(own)

descends <- function(direction, fun = calling_function()) {
  check_choice(direction, c("ASCENDING", "DESCENDING"), fun = fun) == "DESCENDING"
}

#' @rdname tf
#' @export
tf <- local({
  keras <- keras_namespace()
  new_namespace("tf", c(tf_top, more_dtypes(), as_activations(lapply(tf_elementwise, as_tensorflow)), lapply(tf_more,
    as_tensorflow),
    tf_control, tf_initializers, first_names(), session_refusals("tf$"), list(
    keras = keras, losses = tf_losses(keras$losses), metrics = keras$metrics, train = tf_train(), device = use_device,
    distribute = tf_distribute(), initializers = keras$initializers,
    dtypes = new_namespace("tf$dtypes", c(more_dtypes(), tf_top[c("as_dtype", "cast", "float32", "float64", "int32",
      "int64", "bool", "string")],
      list(saturate_cast = as_tensorflow(tf_more$saturate_cast)))),
    version = new_namespace("tf$version", list(VERSION = as.character(tf_version()))),
    `__version__` = as.character(tf_version()),
    config = config_namespace(), compat = compat_namespace())))
})

#' @rdname tf
#' @format NULL
#' @export
keras <- tf$keras

#' @importFrom magrittr %>%
#' @export
magrittr::`%>%`

#' @importFrom magrittr %<>%
#' @export
magrittr::`%<>%`

#' @importFrom zeallot %<-%
#' @export
zeallot::`%<-%`

#' @importFrom zeallot %->%
#' @export
zeallot::`%->%`

#' Convert to a tensor
#'
#' As `tf$convert_to_tensor()`, but numbers without dimensions become float64 as in R; with `shape`, one number fills it
#' and more are read in row by row.
#'
#' @param x an array, a number, a tensor, or a data set of one element.
#' @param dtype as for [tensor()].
#' @param ... ignored.
#' @param shape whole numbers, one of them may be -1; `NULL` for that of `x`.
#' @return A tensor.
#' @examples
#' as_tensor(1:6, dtype = "float32", shape = c(2, 3))
#' @export
as_tensor <- function(x, dtype = NULL, ..., shape = NULL) {
  if (is_dataset(x)) x <- only_element(x, "as_tensor")
  if (is_branch(shape)) shape[vapply(shape, is.null, NA)] <- list(NA)
  open <- vapply(shape, function(n) is.atomic(n) && length(n) == 1 && is.na(n), NA)
  if (any(open)) shape[open] <- -1
  if (holds_text(x, dtype)) return(text_constant(x, shape, "as_tensor", min = -1))
  if (is_branch(x)) x <- tf_value(x, dtype, "as_tensor")
  fit_shape(as_value(tensor(x, dtype)), shape, min = -1)
}

#' Zip lists
#'
#' Transposes lists: `zip_lists(gradients, variables)` pairs them for an optimizer's `$apply_gradients()`.
#'
#' @param ... lists of equal length. If all have names, elements of one name belong together.
#' @return A list with the first elements of all, then the second ones, and so on: each a list with the names of the
#'   arguments.
#' @examples
#' zip_lists(list(1, 2), list("a", "b"))
#' zip_lists(mean = list(x = 1, y = 2), sd = list(y = 4, x = 3))$y
#' @export
zip_lists <- function(...) {
  all <- list(...)
  if (length(unique(lengths(all))) > 1) abort("the lists must be of equal length, not ",
    paste(lengths(all), collapse = " and "))
  inner <- lapply(all, names)
  if (length(all) && !any(vapply(inner, is.null, NA))) {
    for (names in inner) if (!all(nzchar(names)) || anyDuplicated(names) || !setequal(names, inner[[1]]))
      abort("the lists must have the same names, each once")
    all <- lapply(all, function(x) x[inner[[1]]])
  }
  stats::setNames(.mapply(list, all, NULL), if (length(inner)) inner[[1]])
}

#' Set the random seed
#'
#' `set.seed()` governs all randomness of the package. These names of other packages do just that.
#'
#' @param seed a whole number.
#' @param ... ignored.
#' @return `NULL`, invisibly.
#' @examples
#' set_random_seed(1)
#' @export
set_random_seed <- function(seed, ...) {
  set.seed(check_seed(seed))
  invisible()
}

#' @rdname set_random_seed
#' @export
use_session_with_seed <- set_random_seed
