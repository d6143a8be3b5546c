# Losses of noisy labels, of embeddings and of sequences.

#' Generalized cross-entropy loss
#'
#' For labels of which some are wrong: between cross-entropy (q near 0) and the absolute error (q near 1). With p the
#' probability of the true class,
#' \deqn{L = \frac{1 - p^q}{q}}{L = (1 - p^q) / q}
#'
#' @inheritParams loss_sparse_categorical_crossentropy
#' @param y_pred probabilities of the classes, in the last axis.
#' @param q a number above 0 and below 1.
#' @inherit loss_sparse_categorical_crossentropy return
#' @inheritSection loss_mean_squared_error Errors
#' @references Zhang and Sabuncu (2018), <https://arxiv.org/abs/1805.07836>.
#' @seealso [losses]
#' @examples
#' y_pred <- rbind(c(0.1, 0.8, 0.1), c(0.7, 0.2, 0.1))
#' loss_categorical_generalized_cross_entropy(c(1, 0), y_pred)
#' @export
loss_categorical_generalized_cross_entropy <- function(y_true, y_pred, q = 0.5, ..., reduction = "auto",
  name = "categorical_generalized_cross_entropy") {
  use_loss("categorical_generalized_cross_entropy", list(q = check_number(q, above = 0, below = 1)), reduction, name,
    list(...), y_true, y_pred)
}

#' Circle loss
#'
#' For embeddings of length 1, such as [layer_unit_normalization()] gives: those of the same class come close, those of
#' others go apart. With the distances \eqn{d_{ij} = \max(1 - x_i \cdot x_j, 0)}{d = max(1 - x x', 0)} of a sample to
#' those of its class (P) and to the others (N), and the margin m,
#' \deqn{L_i = \mathrm{softplus}\Big(\log \sum_{j \in P} e^{\gamma (m + d_{ij})(d_{ij} - m)} + \log \sum_{j \in N}
#' e^{\gamma \max(1 + m - d_{ij}, 0)(1 - m - d_{ij})}\Big)}{L = softplus(logsumexp over P of gamma (m + d) (d - m) +
#' logsumexp over N of gamma max(1 + m - d, 0) (1 - m - d))}
#' where the weights \eqn{m + d}{m + d} and \eqn{1 + m - d}{1 + m - d} are part of the derivative, as in Keras. A sample
#' without another of its class, or without one of another class, has the loss 0, and the mean leaves it out.
#'
#' @inheritParams loss_mean_squared_error
#' @param y_true class numbers, one for each row.
#' @param y_pred embeddings, (batch, size).
#' @param ref_labels,ref_embeddings classes and embeddings to compare with; `NULL` for those of the batch.
#' @param remove_diagonal does a sample not count as one of its own class? With embeddings of others give `FALSE`.
#' @param gamma a number above 0: the scale.
#' @param margin a number from 0 to 1.
#' @inherit loss_sparse_categorical_crossentropy return
#' @inheritSection loss_mean_squared_error Errors
#' @references Sun et al. (2020), <https://arxiv.org/abs/2002.10857>.
#' @seealso [losses], [layer_unit_normalization()]
#' @examples
#' x <- rbind(c(1, 0), c(0.8, 0.6), c(0, 1), c(-0.6, 0.8))
#' loss_circle(c(0, 0, 1, 1), x)
#' @export
loss_circle <- function(y_true, y_pred, ref_labels = NULL, ref_embeddings = NULL, remove_diagonal = TRUE, gamma = 80,
  margin = 0.4, ..., reduction = "auto", name = "circle") {
  config <- list(ref_labels = if (!is.null(ref_labels)) check_whole(ref_labels),
    ref_embeddings = if (!is.null(ref_embeddings)) as_rows(ref_embeddings, "ref_embeddings"),
    remove_diagonal = check_flag(remove_diagonal), gamma = check_number(gamma, above = 0),
    margin = check_number(margin, min = 0, max = 1))
  if (length(config$ref_labels) != NROW(config$ref_embeddings) && !is.null(config$ref_embeddings)) abort(
    "`ref_labels` must have a class for each of the ", nrow(config$ref_embeddings), " rows of `ref_embeddings`, not ",
    length(config$ref_labels), class = "shape")
  if (is.null(ref_embeddings) && !is.null(ref_labels)) abort("`ref_labels` must come with `ref_embeddings`")
  use_loss("circle", config, reduction, name, list(...), y_true, y_pred)
}

#' A matrix of numbers, in a list of rows, too.
#' @noRd
as_rows <- function(x, arg, fun = calling_function()) {
  x <- if (is_branch(x)) do.call(rbind, lapply(x, check_reals, arg, fun)) else as.array(tensor(x, "float64"))
  if (length(dim(x)) != 2) abort("`", arg, "` must be a matrix, not ", describe(x), class = "shape", fun = fun)
  x
}

circle_losses <- function(labels, x, config) {
  if (rank_of(x) != 2) abort("`y_pred` must be a matrix of embeddings, not of shape ", format_shape(shape_of(x)),
    class = "shape", fun = "loss_circle")
  dtype <- tensor_dtype(x)
  others <- if (is.null(config$ref_embeddings)) x else tensor(as_rows(config$ref_embeddings, "ref_embeddings"), dtype)
  classes <- if (is.null(config$ref_labels)) labels else tensor(array(as.integer(unlist(config$ref_labels))), "int32")
  distance <- op_relu(op_subtract(1, op_matmul(x, others, transpose_y = TRUE)))
  same <- op_equal(op_expand_dims(labels, 2), op_expand_dims(classes, 1))
  apart <- op_logical_not(same)
  if (config$remove_diagonal) {
    count <- function(x, axis) op_cumsum(op_ones_like(op_cast(x, "int32")), axis)
    same <- op_logical_and(same, op_not_equal(count(same, 1), count(same, 2)))
  }
  m <- config$margin
  closer <- op_multiply(op_multiply(op_add(distance, m), op_subtract(distance, m)), config$gamma)
  farther <- op_multiply(op_multiply(op_relu(op_subtract(1 + m, distance)), op_subtract(1 - m, distance)),
    config$gamma)
  total <- function(x, which) op_logsumexp(op_where(which, x, tensor(log_nothing, dtype)), 2)
  op_softplus(op_add(total(closer, same), total(farther, apart)))
}

#' CTC loss
#'
#' For sequences of labels whose place in a longer sequence is not known: [op_ctc_loss()], with the class 0 as the blank
#' and to fill targets up. All steps of the predictions count.
#'
#' @inheritParams loss_mean_squared_error
#' @param y_true class numbers above 0, (batch, length), with zeros behind.
#' @param y_pred logits, (batch, steps, classes).
#' @return With `y_true` and `y_pred` the loss of each sample, (batch). Without them a loss object, see [losses].
#' @inheritSection loss_mean_squared_error Errors
#' @references Graves et al. (2006), Connectionist temporal classification, *ICML*.
#' @seealso [op_ctc_loss()], [op_ctc_decode()], [losses]
#' @examples
#' loss_ctc(rbind(c(1, 2), c(2, 0)), array(rnorm(2 * 5 * 3), c(2, 5, 3)))
#' @export
loss_ctc <- function(y_true, y_pred, ..., reduction = "auto", name = "ctc") use_loss("ctc", list(), reduction, name,
  list(...), y_true, y_pred)
