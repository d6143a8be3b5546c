# The course's network as a program of the engine, if all its parts are ours.

activation_ops <- list(
  relu = function(a, z) op_relu(z), sigmoid = function(a, z) op_sigmoid(z), htan = function(a, z) op_tanh(z),
  elu = function(a, z) op_elu(z, a$alpha), softmax = function(a, z) op_softmax(z), threshold = function(a, z)
  op_step(z), linear = function(a, z) z
)

#' One layer on tensors; the multiply and the activation are one op where the engine has it so.
#' @noRd
layer_op <- function(activation, x, w, b) {
  kind <- class(activation)[1]
  if (kind == "htan") kind <- "tanh"
  if (kind == "elu") return(op_dense(x, w, b, "elu", alpha = activation$alpha))
  if (kind %in% enums$dense_activation) return(op_dense(x, w, b, kind))
  activation_ops[[kind]](activation, op_dense(x, w, b))
}

#' Pairs of last activation and loss that are computed together, from the pre-activations.
#' @noRd
is_fused <- function(activation, loss) {
  paste(class(activation)[1], class(loss)[1]) %in% c("sigmoid binary_crossentropy", "softmax categorical_crossentropy")
}

#' The loss per sample of our loss classes; `p` are pre-activations if fused.
#' @noRd
loss_of <- function(loss, target, p, fused) {
  switch(class(loss)[1],
    binary_crossentropy = op_binary_crossentropy(target, p, fused, clip = 0, epsilon = loss$epsilon, reduction = "sum"),
    categorical_crossentropy = op_categorical_crossentropy(target, p, fused, clip = 0, epsilon = loss$epsilon,
      normalize = FALSE),
    mean_squared_error = op_squared_error(target, p, reduction = loss$reduction)
  )
}

#' Trace the network for batches of up to `rows` and hand it to a trainer.
#' @noRd
network_engine <- function(parts, p, rows) {
  dtype <- parts$dtype
  code <- dtype_code(dtype)
  program <- .Call(C_program_new)
  input <- function(width) .Call(C_program_input, program, code, c(as.integer(rows), as.integer(width)), 1L)
  own <- function(value, penalties) .Call(C_program_variable, program, tensor(value, dtype), as.double(penalties))
  weights <- lapply(p$weights, own, c(parts$l1, parts$l2))
  biases <- lapply(p$biases, function(b) own(array(b, length(b)), c(0, 0)))
  x <- input(nrow(p$weights[[1]]))
  last <- length(weights)
  y <- x
  for (i in seq_len(last - 1)) y <- layer_op(parts$activations[[i]], y, weights[[i]], biases[[i]])
  # Fused losses start from the pre-activations, predictions from the activation of the same.
  activation <- parts$activations[[last]]
  fused <- is_fused(activation, parts$loss)
  z <- if (fused) op_dense(y, weights[[last]], biases[[last]])
  output <- if (fused) activation_ops[[class(activation)[1]]](activation, z) else
    layer_op(activation, y, weights[[last]], biases[[last]])
  target <- input(ncol(p$weights[[last]]))
  losses <- loss_of(parts$loss, target, if (fused) z else output, fused)
  trainer <- .Call(C_trainer_new, program, op_mean(losses), as.integer(rows), optimizer_numbers(parts$optimizer))
  list(
    traced = traced_fields(parts),
    trainer = trainer, inputs = list(x, target), output = output, losses = losses, weights = weights, biases = biases,
    kind = optimizer_numbers(parts$optimizer)[1], sizes = c(nrow(p$weights[[1]]), ncol(p$weights[[last]]))
  )
}

#' Fields of the parts whose values the program was traced with; it is out of date when they change.
#' @noRd
traced_fields <- function(parts) {
  fields <- lapply(c(list(parts$loss), parts$activations), function(part) {
    home <- as.environment(part)
    lapply(intersect(c("epsilon", "reduction", "alpha"), ls(home)), function(name)
      list(home = home, name = name, value = home[[name]]))
  })
  unlist(fields, recursive = FALSE)
}

network_is_current <- function(engine) {
  for (field in engine$traced) if (!identical(field$home[[field$name]], field$value)) return(FALSE)
  TRUE
}

network_is_native <- function(parts) {
  is_native(parts$loss) && is_native(parts$optimizer) && all(vapply(parts$activations, is_native, NA))
}

