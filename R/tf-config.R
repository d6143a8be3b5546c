# tf$config, tf$device() and tf$compat$v1: what machines and modes TensorFlow has. Here there is one CPU, and ops run at
# once unless autograph() compiles them.

the_cpu <- list(name = "/physical_device:CPU:0", device_type = "CPU")

list_devices <- function(device_type = NULL) {
  if (is.null(device_type) || toupper(check_string(device_type)) == "CPU") list(the_cpu) else list()
}

use_device <- function(device_name) {
  if (!grepl("cpu", check_string(device_name), ignore.case = TRUE))
    tell_once("device", "`tf$device()`: there is the CPU only, which runs everything.")
  structure(list(name = device_name), class = "nn_device")
}

#' @export
with.nn_device <- function(data, expr, ...) expr

set_threads <- function(num_threads) {
  if (check_count(num_threads, min = 0)) nn_threads(num_threads)
  invisible()
}

tf_device_config <- list(
  list_physical_devices = list_devices, list_logical_devices = list_devices,
  get_visible_devices = list_devices,
  set_visible_devices = function(devices, device_type = NULL) {
    if (!is.list(devices)) abort("`devices` must be a list, not ", describe(devices))
    invisible(list_devices(device_type))
  }
)

config_namespace <- function() new_namespace("tf$config", c(tf_device_config, list(
  experimental = new_namespace("tf$config$experimental", c(tf_device_config, list(
    set_memory_growth = function(device, enable) invisible(check_flag(enable))))),
  threading = new_namespace("tf$config$threading", list(
    get_intra_op_parallelism_threads = function() nn_threads(),
    set_intra_op_parallelism_threads = set_threads,
    set_inter_op_parallelism_threads = function(num_threads) invisible(check_count(num_threads, min = 0))
  ))
)))

compat_namespace <- function() new_namespace("tf$compat", list(v1 = new_namespace("tf$compat$v1", c(
  session_refusals("tf$compat$v1$"), list(train = tf_train(),
  enable_eager_execution = function(...) invisible(),
  disable_eager_execution = function() invisible(),
  enable_v2_behavior = function() invisible(),
  disable_v2_behavior = function() invisible(),
  set_random_seed = function(seed) set_random_seed(seed)
), first_names()[c("get_variable", "assign", "assign_add", "assign_sub", "multinomial")]))))
