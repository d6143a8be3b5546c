nn_module <- function(...) stop("soon")
op_stop_gradient <- function(x) apply_op("stop_gradient", list(x))
