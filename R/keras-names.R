# Names of R's keras3 for what is here under others: settings, random tensors, inputs.

#' Settings under their names in keras3
#'
#' * `config_floatx()`, `config_set_floatx()`, `config_epsilon()`, `config_set_epsilon()`: [k_floatx()], [k_epsilon()];
#' * `config_image_data_format()`: `"channels_last"`, which cannot be changed for all layers at once: layers take
#'   `data_format`; `config_backend()`: `"nativenet"`;
#' * `config_set_image_data_format()`, `config_set_backend()`, `config_dtype_policy()`, `config_set_dtype_policy()` take
#'   what is so already;
#' * `config_enable_...()` and `config_disable_...()`: nothing is needed here, and `config_is_..._enabled()` says what
#'   was called last;
#' * `clear_session()`: [k_clear_session()].
#'
#' @param value,data_format,backend,policy as for the functions above; policies are `"float32"` and
#'   `"float64"`.
#' @param free_memory ignored.
#' @return The setting; the setters `NULL`, invisibly.
#' @examples
#' config_floatx()
#' config_set_epsilon(1e-7)
#' clear_session()
#' @export
config_floatx <- function() session$floatx

#' @rdname config_floatx
#' @export
config_set_floatx <- function(value) k_set_floatx(as.character(check_choice(value, float_dtypes)))

#' @rdname config_floatx
#' @export
config_epsilon <- function() session$epsilon

#' @rdname config_floatx
#' @export
config_set_epsilon <- function(value) k_set_epsilon(check_number(value))

#' @rdname config_floatx
#' @export
config_image_data_format <- function() "channels_last"

#' @rdname config_floatx
#' @export
config_set_image_data_format <- function(data_format) {
  if (check_data_format(data_format) != "channels_last")
    abort("`data_format` for all layers must be \"channels_last\"; ",
    "layers take `data_format = \"channels_first\"` each")
  invisible()
}

#' @rdname config_floatx
#' @export
config_backend <- function() "nativenet"

#' @rdname config_floatx
#' @export
config_set_backend <- function(backend) {
  check_choice(backend, c("tensorflow", "jax", "torch", "numpy", "nativenet"))
  nothing_to_do("config_set_backend")
}

#' @rdname config_floatx
#' @export
config_dtype_policy <- function() session$floatx

#' @rdname config_floatx
#' @export
config_set_dtype_policy <- function(policy) k_set_floatx(check_choice(policy, float_dtypes))

#' @rdname config_floatx
#' @export
config_enable_interactive_logging <- function() {
  session$interactive_logging <- TRUE
  nothing_to_do("config_enable_interactive_logging")
}

#' @rdname config_floatx
#' @export
config_disable_interactive_logging <- function() {
  session$interactive_logging <- FALSE
  nothing_to_do("config_disable_interactive_logging")
}

#' @rdname config_floatx
#' @export
config_is_interactive_logging_enabled <- function() !isFALSE(session$interactive_logging)

#' @rdname config_floatx
#' @export
config_enable_traceback_filtering <- function() {
  session$traceback_filtering <- TRUE
  nothing_to_do("config_enable_traceback_filtering")
}

#' @rdname config_floatx
#' @export
config_disable_traceback_filtering <- function() {
  session$traceback_filtering <- FALSE
  nothing_to_do("config_disable_traceback_filtering")
}

#' @rdname config_floatx
#' @export
config_is_traceback_filtering_enabled <- function() !isFALSE(session$traceback_filtering)

#' Limits of training
#'
#' `config_set_max_epochs()` bounds the epochs of each [fit()], to try a script quickly; so does the environment
#' variable `KERAS_MAX_EPOCHS`. A bound of steps is not here: `steps_per_epoch` of data sets is one for each call.
#'
#' @param max_epochs a whole number; `NULL` for no bound.
#' @param max_steps_per_epoch must be `NULL`.
#' @return The bound, or `NULL`; the setters `NULL`, invisibly.
#' @seealso [fit()][fit.nn_model]
#' @examples
#' config_set_max_epochs(2)
#' config_max_epochs()
#' config_set_max_epochs(NULL)
#' @export
config_max_epochs <- function() max_epochs()

#' @rdname config_max_epochs
#' @export
config_set_max_epochs <- function(max_epochs) {
  session$max_epochs <- if (is.null(max_epochs)) Inf else check_count(max_epochs)
  invisible()
}

#' @rdname config_max_epochs
#' @export
config_max_steps_per_epoch <- function() NULL

#' @rdname config_max_epochs
#' @export
config_set_max_steps_per_epoch <- function(max_steps_per_epoch) {
  if (!is.null(max_steps_per_epoch)) abort("`max_steps_per_epoch` must be NULL: `fit(steps_per_epoch = )` bounds the ",
    "steps of a data set, and `dataset_take()` its batches", class = "missing")
  invisible()
}

#' @rdname config_floatx
#' @export
config_enable_unsafe_deserialization <- function() nothing_to_do("config_enable_unsafe_deserialization")

#' @rdname config_floatx
#' @export
clear_session <- function(free_memory = TRUE) {
  check_flag(free_memory)
  k_clear_session()
}

#' Inputs and variables under their names in keras3
#'
#' `keras_input()` is [layer_input()] with keras3's order of arguments, `keras_variable()` a [variable()] of a first
#' value or of an initializer and a shape.
#'
#' @param shape,batch_shape,dtype,name as for [layer_input()]; for `keras_variable()` the shape that an initializer
#'   makes.
#' @param batch_size the batch size, or `NULL` for any.
#' @param sparse,ragged,tensor,optional must be `NULL` or FALSE.
#' @param autocast,aggregation,synchronization not used; present for compatibility with keras3.
#' @param initializer a first value, or an initializer.
#' @param trainable do tapes watch it?
#' @return A symbolic tensor; a variable.
#' @seealso [keras_model()]
#' @examples
#' inputs <- keras_input(shape = 4)
#' model <- keras_model(inputs, layer_dense(inputs, 2))
#' keras_variable(c(1, 2))
#' @export
keras_input <- function(shape = NULL, batch_size = NULL, dtype = NULL, sparse = NULL, ragged = NULL, batch_shape = NULL,
  name = NULL, tensor = NULL, optional = FALSE) {
  layer_input(shape, batch_shape = batch_shape, name = name, dtype = dtype, sparse = isTRUE(sparse), tensor = tensor,
    ragged = isTRUE(ragged), batch_size = batch_size, optional = optional)
}

#' @rdname keras_input
#' @export
keras_variable <- function(initializer, shape = NULL, dtype = NULL, trainable = TRUE, autocast = TRUE,
  aggregation = "none", synchronization = "auto", name = NULL) {
  if (!is.null(shape)) shape <- check_sizes(shape)
  value <- initializer
  if (is.function(initializer) || is.character(initializer)) value <- as_part("initializer", initializer)(shape,
    float_unless(dtype))
  variable(value, dtype, trainable, if (is.null(name)) "Variable" else name)
}

#' Random tensors under their names in keras3
#'
#' `set.seed()` governs them; with `seed` the numbers are the same at each call, and with a generator of
#' `random_seed_generator()` others at each call, the same in each session (in a traced
#' function, others in each run).
#'
#' * `random_normal()`, `random_truncated_normal()`, `random_uniform()`: [op_random_normal()] and its like;
#'   `random_integer()`: whole numbers from `minval` to below `maxval`;
#' * `random_categorical()`: classes by unnormalized log-probabilities, **1-based** as in keras3;
#' * `random_binomial()`, `random_gamma()`, `random_beta()`: by R's generators, so not in traced functions;
#' * `random_shuffle()`: slices of an axis in another order; `random_dropout()`: [op_dropout()].
#'
#' @param shape whole numbers.
#' @param mean,stddev,minval,maxval numbers.
#' @param dtype as for [tensor()]; `NULL` for [k_floatx()].
#' @param seed a whole number, a generator, or `NULL` for the session's.
#' @param logits a float matrix, a distribution in each row.
#' @param num_samples how many of each.
#' @param zero_indexed do classes count from 0?
#' @param counts,probabilities,alpha,beta numbers or tensors, the parameters of the distributions.
#' @param x,inputs a tensor or array.
#' @param axis 1-based.
#' @param rate,noise_shape as for [op_dropout()].
#' @param name,... ignored.
#' @return A tensor; from `random_seed_generator()` a generator with `$next_seed()`.
#' @seealso [op_random_uniform()], [set_random_seed()]
#' @examples
#' set_random_seed(1)
#' random_normal(c(2, 3))
#' as.array(random_integer(5, 1, 7)) # dice
#' as.array(random_categorical(matrix(log(c(0.1, 0.9)), 1), 8))
#' @export
random_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed_of(seed), op_random_normal(shape, mean, stddev, float_unless(dtype)))
}

#' @rdname random_normal
#' @export
random_truncated_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed_of(seed), op_random_truncated_normal(shape, mean, stddev, float_unless(dtype)))
}

#' @rdname random_normal
#' @export
random_uniform <- function(shape, minval = 0, maxval = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed_of(seed), op_random_uniform(shape, minval, maxval, float_unless(dtype)))
}

#' @rdname random_normal
#' @export
random_integer <- function(shape, minval, maxval, dtype = "int32", seed = NULL) {
  minval <- check_whole(minval, min = -2^31)
  maxval <- check_whole(maxval, min = minval + 1)
  draw <- with_own_seed(seed_of(seed), op_random_uniform(shape, 0, maxval - minval, "float64"))
  op_cast(op_add(op_minimum(op_floor(draw), maxval - minval - 1), minval), dtype)
}

#' @rdname random_normal
#' @export
random_categorical <- function(logits, num_samples, dtype = "int32", seed = NULL, zero_indexed = FALSE) {
  logits <- as_floats(logits)
  sizes <- shape_of(logits)
  if (length(sizes) != 2) abort("`logits` must have two axes, not shape ", format_shape(sizes), class = "shape")
  uniform <- with_own_seed(seed_of(seed), op_random_uniform(c(sizes[1], check_count(num_samples), sizes[2]), 1e-30, 1,
    "float64"))
  # Gumbel noise: the largest sum is of class k with its probability
  noisy <- op_subtract(op_cast(op_expand_dims(logits, 2), "float64"), op_log(op_negative(op_log(uniform))))
  op_cast(op_argmax(noisy, 3, zero_indexed = check_flag(zero_indexed)), dtype)
}

#' @rdname random_normal
#' @export
random_binomial <- function(shape, counts, probabilities, dtype = NULL, seed = NULL) {
  by_r(shape, dtype, seed, function(n) stats::rbinom(n, values_of(counts), values_of(probabilities)))
}

#' @rdname random_normal
#' @export
random_gamma <- function(shape, alpha, dtype = NULL, seed = NULL) {
  by_r(shape, dtype, seed, function(n) stats::rgamma(n, values_of(alpha)))
}

#' @rdname random_normal
#' @export
random_beta <- function(shape, alpha, beta, dtype = NULL, seed = NULL) {
  by_r(shape, dtype, seed, function(n) stats::rbeta(n, values_of(alpha), values_of(beta)))
}

#' @rdname random_normal
#' @export
random_shuffle <- function(x, axis = 1L, seed = NULL) {
  check_not_tracing("it shuffles with R's generator")
  n <- shape_of(x)[check_one_axis(axis, rank_of(x)) + 1]
  op_gather(x, with_own_seed(seed_of(seed), array(sample.int(n) - 1L, n)), axis)
}

#' @rdname random_normal
#' @export
random_dropout <- function(inputs, rate, noise_shape = NULL, seed = NULL) {
  with_own_seed(seed_of(seed), op_dropout(inputs, rate, noise_shape))
}

#' @rdname random_normal
#' @export
random_seed_generator <- function(seed = NULL, name = NULL, ...) {
  if (!is.null(name)) check_string(name)
  self <- list2env(list(seed = if (is.null(seed)) sample.int(2^31 - 1, 1) else check_seed(seed), drawn = 0),
    parent = emptyenv())
  self$next_seed <- function() {
    self$drawn <- self$drawn + 1
    with_own_seed((self$seed + self$drawn * 7919) %% (2^31 - 1), sample.int(2^31 - 1, 1))
  }
  structure(self, class = "nn_seed_generator")
}

#' @export
print.nn_seed_generator <- function(x, ...) {
  cat(sprintf("<generator of seeds> seed %s, %s drawn\n", format(x$seed), format(x$drawn)))
  invisible(x)
}

#' As many numbers as the shape has, by R's generator.
#' @noRd
by_r <- function(shape, dtype, seed, draw, fun = calling_function()) {
  check_not_tracing("it draws by R's generator")
  sizes <- check_sizes(shape, fun = fun)
  check_room(sizes, "shape")
  values <- suppressWarnings(with_own_seed(seed_of(seed), draw(prod(sizes)))) # NA are refused below
  if (anyNA(values)) abort("the parameters are not those of a distribution", fun = fun)
  tensor(if (length(sizes)) aperm(array(values, rev(sizes))) else values, float_unless(dtype))
}

#' Row by row, as a shape is filled.
#' @noRd
values_of <- function(x) {
  x <- as.array(tensor(x, "float64"))
  c(if (length(dim(x)) > 1) aperm(x) else x)
}
