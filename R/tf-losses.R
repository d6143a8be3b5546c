# tf$losses: Keras' losses, and those of TensorFlow 1, which are means over all numbers, or weighted ones.

#' The mean of l where weights are not 0, weighted.
#' @noRd
weighted_loss <- function(l, weights) {
  weights <- op_broadcast_to(tensor(weights, tensor_dtype(l)), shape_of(l))
  counted <- op_sum(op_cast(op_not_equal(weights, 0), tensor_dtype(l)))
  op_divide(op_sum(op_multiply(l, weights)), op_maximum(counted, 1))
}

tf_losses <- function(keras) {
  # of each number, or of each row
  each <- list(
    absolute_difference = function(labels, predictions) op_abs(op_subtract(predictions, labels)),
    mean_squared_error = function(labels, predictions) op_square(op_subtract(predictions, labels)),
    log_loss = function(labels, predictions, epsilon = 1e-7) {
      p <- predictions
      epsilon <- check_epsilon(epsilon)
      op_negative(op_add(op_multiply(labels, op_log(op_add(p, epsilon))),
        op_multiply(op_subtract(1, labels), op_log(op_add(op_subtract(1, p), epsilon)))))
    },
    huber_loss = function(labels, predictions, delta = 1) {
      off <- op_abs(op_subtract(predictions, labels))
      small <- op_minimum(off, delta)
      op_add(op_multiply(op_square(small), 0.5), op_multiply(op_subtract(off, small), delta))
    },
    hinge_loss = function(labels, logits) op_relu(op_subtract(1, op_multiply(op_subtract(op_multiply(labels, 2), 1),
      logits))),
    sigmoid_cross_entropy = function(multi_class_labels, logits) k_binary_crossentropy(multi_class_labels, logits,
      from_logits = TRUE),
    softmax_cross_entropy = function(onehot_labels, logits) op_categorical_crossentropy(onehot_labels, logits,
      from_logits = TRUE),
    sparse_softmax_cross_entropy = function(labels, logits) op_sparse_categorical_crossentropy(labels, logits,
      from_logits = TRUE)
  )
  whole <- lapply(each, function(f) {
    body <- as.call(c(quote(f), lapply(stats::setNames(nm = names(formals(f))), as.name)))
    eval(call("function", as.pairlist(c(formals(f)[1:2], list(weights = 1), formals(f)[-(1:2)], list(scope = NULL))),
      call("{", quote(if (!is.null(scope)) check_string(scope)), call("weighted_loss", body, quote(weights)))))
  })
  new_namespace("tf$losses", c(mget(ls(keras), keras)[setdiff(ls(keras), names(whole))], whole))
}
