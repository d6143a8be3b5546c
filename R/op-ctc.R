# Connectionist temporal classification: the probability of a sequence of labels, over all ways in which it can lie
# along the steps of an output. Composed of ops, step by step, so that derivatives follow.

#' Loss of sequences whose alignment is not known (CTC)
#'
#' The negative log probability of a sequence of labels, given logits of classes for each step of a longer sequence, as
#' in speech and handwriting recognition. It is the sum over all paths of one class per step that become the labels once
#' repeated classes count once and blanks are taken away:
#' \deqn{L = -\log \sum_{\pi \to l} \prod_t \mathrm{softmax}(x_t)_{\pi_t}}{L = -log(sum over paths of the product of
#' softmax(x[t])[path[t]])}
#' found by the forward recursion over the labels with blanks between them, in logarithms.
#'
#' @param target class numbers from 0, (batch, length). What is beyond the length is not looked at.
#' @param output logits, (batch, steps, classes).
#' @param target_length how many labels each has; (batch) or (batch, 1).
#' @param output_length how many steps each has; (batch) or (batch, 1).
#' @param mask_index the class that stands for a blank, **1-based** as in R's keras3.
#' @return A tensor: the loss of each, (batch). Labels that do not fit in the steps have the loss `Inf`.
#' @section Errors: `nativenet_error_shape` for arguments of other axes.
#' @references Graves et al. (2006), Connectionist temporal classification, *ICML*.
#' @seealso [loss_ctc()], [op_ctc_decode()], [k_ctc_batch_cost()]
#' @examples
#' logits <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' op_ctc_loss(rbind(c(1, 2), c(2, 0)), logits, c(2, 1), c(5, 5))
#' @export
op_ctc_loss <- function(target, output, target_length, output_length, mask_index = 1L) {
  output <- as_floats(output)
  ctc_losses(target, output, target_length, output_length, blank_of(mask_index, output))
}

#' CTC of probabilities
#'
#' As Keras 2 has it: [op_ctc_loss()] and [op_ctc_decode()] of probabilities, with the last class as the blank.
#' Repeated labels of a beam count once, as in Keras 2.
#'
#' @param y_true class numbers from 0, (batch, length).
#' @param y_pred probabilities, (batch, steps, classes).
#' @param input_length how many steps each has; (batch) or (batch, 1).
#' @param label_length how many labels each has; (batch) or (batch, 1).
#' @param greedy `FALSE` for a beam search.
#' @param beam_width how many beginnings a beam search keeps.
#' @param top_paths how many sequences it gives.
#' @return `k_ctc_batch_cost()`: a tensor (batch, 1). `k_ctc_decode()`: a list of a list of tensors (batch, steps) of
#'   class numbers, filled up with -1, one for each path, and of their scores as for [op_ctc_decode()].
#' @inheritSection op_ctc_loss Errors
#' @seealso [keras_backend]
#' @examples
#' y_pred <- array(0.25, c(1, 3, 4))
#' k_ctc_batch_cost(rbind(c(1, 2)), y_pred, 3, 2)
#' k_ctc_decode(y_pred, 3)
#' @export
k_ctc_batch_cost <- function(y_true, y_pred, input_length, label_length) {
  y_pred <- as_floats(y_pred)
  if (rank_of(y_pred) != 3) bad_ctc_shape("y_pred", y_pred, "(batch, steps, classes)")
  logits <- op_log(op_add(y_pred, session$epsilon))
  op_expand_dims(ctc_losses(y_true, logits, label_length, input_length, shape_of(y_pred)[3] - 1L), 2)
}

bad_ctc_shape <- function(arg, x, wanted, fun = user_function()) abort("`", arg, "` must have the axes ", wanted,
  ", not the shape ", format_shape(shape_of(x)), class = "shape", fun = fun)

#' The 0-based class of a 1-based one.
#' @noRd
blank_of <- function(mask_index, x, fun = calling_function()) {
  if (rank_of(x) != 3) bad_ctc_shape("output", x, "(batch, steps, classes)", fun)
  check_count(mask_index, max = shape_of(x)[3], fun = fun) - 1L
}

# A logarithm of 0 with which one can reckon.
log_nothing <- -1e30

#' Lengths whose values are known lie within the axis that they are of, one for each sample.
#' @noRd
check_ctc_lengths <- function(lengths, least, most, of, what, fun = user_function()) {
  lengths <- known_value(tensor(lengths, "int32"))
  if (is_symbolic(lengths)) return()
  given <- c(as.array(lengths))
  if (length(given) != shape_of(of)[1]) abort("the numbers of ", what, " must be one for each of ", shape_of(of)[1],
    " samples, not ", length(given), class = "shape", fun = fun)
  bad <- given[given < least | given > most]
  if (length(bad)) abort("the numbers of ", what, " must be from ", least, " to ", most, ", not ", bad[1], fun = fun)
}

#' @param lengths how many steps; NULL: all of them.
#' @param blank 0-based.
#' @noRd
ctc_losses <- function(target, output, labels, lengths, blank) {
  target <- tensor(target, "int32")
  if (rank_of(output) != 3) bad_ctc_shape("output", output, "(batch, steps, classes)")
  if (rank_of(target) != 2) bad_ctc_shape("target", target, "(batch, length)")
  check_ctc_lengths(labels, 0, shape_of(target)[2], output, "labels")
  if (!is.null(lengths)) check_ctc_lengths(lengths, 1, shape_of(output)[2], output, "steps")
  dtype <- tensor_dtype(output)
  steps <- shape_of(output)[2]
  size <- 2 * shape_of(target)[2] + 1
  column <- function(x) op_reshape(tensor(x, "int32"), c(-1, 1))
  labels <- column(labels)
  # blank, label, blank, ..., blank: for each sample
  path <- op_reshape(op_stack(list(op_multiply(op_ones_like(target), blank), target), 3), c(-1, size - 1))
  path <- op_concat(list(path, op_multiply(op_ones_like(labels), blank)), 2)
  own <- op_log_softmax(output, -1)
  own <- op_take_along(own, op_add(op_expand_dims(path, 2), tensor(array(0L, c(1, steps, 1)))), -1)
  at <- tensor(matrix(seq_len(size) - 1L, 1), "int32")
  nothing <- tensor(log_nothing, dtype)
  # a label may follow the one before it without a blank, unless they are the same
  earlier <- op_slice(op_pad(path, rbind(c(0, 0), c(2, 0)), constant_values = -1), c(1, 1), c(-1, size))
  skips <- op_logical_and(op_not_equal(path, as.integer(blank)), op_not_equal(path, earlier))
  moved <- function(x, by) op_slice(op_pad(x, rbind(c(0, 0), c(by, 0)), constant_values = log_nothing), c(1, 1),
    c(-1, size))
  emitted <- op_unstack(own, axis = 2)
  begun <- op_where(op_less(at, 2L), emitted[[1]], nothing)
  for (t in seq_len(steps)[-1]) {
    ways <- list(begun, moved(begun, 1), op_where(skips, moved(begun, 2), nothing))
    new <- op_add(op_logsumexp(op_stack(ways, -1), -1), emitted[[t]])
    begun <- if (is.null(lengths)) new else op_where(op_greater_equal(column(lengths), as.integer(t)), new, begun)
  }
  last <- op_multiply(labels, 2L)
  ends <- op_logical_or(op_equal(at, last), op_equal(at, op_subtract(last, 1L)))
  loss <- op_negative(op_logsumexp(op_where(ends, begun, nothing), -1))
  op_where(op_greater(loss, -log_nothing / 2), Inf, loss)
}

#' Labels from the output of a CTC model
#'
#' `"greedy"` takes the best class of each step, counts repeated ones once and takes blanks away. `"beam_search"` adds
#' up all paths that lead to the same labels and keeps the `beam_width` best beginnings of each step. R decodes, so
#' these cannot be part of a traced function.
#'
#' @inheritParams op_ctc_loss
#' @param inputs logits, (batch, steps, classes).
#' @param sequence_lengths how many steps each has.
#' @param strategy `"greedy"` or `"beam_search"`.
#' @param beam_width how many beginnings are kept.
#' @param top_paths how many sequences are given, of a beam search.
#' @param merge_repeated do repeated classes of a greedy search count once?
#' @return A list of two: class numbers from 0, filled up with -1, (paths, batch, steps), and, greedy, the negative
#'   sum of the logits, (batch, 1), or else the log probabilities, (batch, paths).
#' @inheritSection op_ctc_loss Errors
#' @seealso [op_ctc_loss()]
#' @examples
#' logits <- array(0, c(1, 4, 3))
#' logits[1, , ] <- rbind(c(0, 2, 0), c(0, 2, 0), c(2, 0, 0), c(0, 0, 2))
#' op_ctc_decode(logits, 4)[[1]] # 1 2 -1 -1
#' op_ctc_decode(logits, 4, strategy = "beam_search", top_paths = 2)
#' @export
op_ctc_decode <- function(inputs, sequence_lengths, strategy = "greedy", beam_width = 100L, top_paths = 1L,
  merge_repeated = TRUE, mask_index = 1L) {
  greedy <- check_choice(strategy, c("greedy", "beam_search")) == "greedy"
  inputs <- as_floats(inputs)
  blank <- blank_of(mask_index, inputs)
  paths <- ctc_paths(inputs, sequence_lengths, greedy, beam_width, top_paths, check_flag(merge_repeated), FALSE, blank)
  list(tensor(aperm(simplify2array(paths$labels), c(3, 1, 2)), "int32"), tensor(paths$scores, tensor_dtype(inputs)))
}

#' @rdname k_ctc_batch_cost
#' @export
k_ctc_decode <- function(y_pred, input_length, greedy = TRUE, beam_width = 100L, top_paths = 1) {
  y_pred <- as_floats(y_pred)
  if (rank_of(y_pred) != 3) bad_ctc_shape("y_pred", y_pred, "(batch, steps, classes)")
  logits <- op_log(op_add(y_pred, session$epsilon))
  paths <- ctc_paths(logits, input_length, check_flag(greedy), beam_width, top_paths, TRUE, TRUE,
    shape_of(y_pred)[3] - 1L)
  list(lapply(paths$labels, tensor, "int32"), tensor(paths$scores, tensor_dtype(y_pred)))
}

#' @return `labels`: a matrix for each path, a row for each sample, with -1 behind; `scores`: a row for each sample.
#' @noRd
ctc_paths <- function(logits, lengths, greedy, width, top, merge, merge_beams, blank, fun = calling_function()) {
  check_not_tracing("it decodes sequences in R")
  width <- check_count(width, arg = "beam_width", fun = fun)
  top <- check_count(top, max = width, arg = "top_paths", fun = fun)
  x <- as.array(logits)
  lengths <- check_whole(lengths, 0, dim(x)[2], "sequence_lengths", fun)
  if (length(lengths) != dim(x)[1]) abort("must be given a length for each of the ", dim(x)[1], " samples, not ",
    length(lengths), class = "shape", fun = fun)
  found <- lapply(seq_along(lengths), function(i) {
    own <- matrix(x[i, seq_len(lengths[i]), ], lengths[i])
    if (greedy) greedy_path(own, blank, merge) else beam_paths(own, blank, width, top, merge_beams)
  })
  filled <- function(labels) c(labels, rep(-1L, dim(x)[2] - length(labels)))
  list(labels = lapply(seq_len(if (greedy) 1 else top), function(k) t(vapply(found, function(f) filled(f[[k]]$labels),
    integer(dim(x)[2])))), scores = do.call(rbind, lapply(found, function(f) vapply(f, `[[`, 0, "score"))))
}

greedy_path <- function(x, blank, merge) {
  best <- max.col(x, "first")
  kept <- if (merge && length(best)) c(TRUE, diff(best) != 0) else rep(TRUE, length(best))
  labels <- best[kept] - 1L
  list(list(labels = labels[labels != blank], score = -sum(x[cbind(seq_along(best), best)])))
}

#' The probable sequences of labels: for each beginning the probability of the paths that end in a blank, and of those
#' that end in its last label (Hannun 2014, first-pass decoding by prefix beam search).
#' @noRd
beam_paths <- function(x, blank, width, top, merge) {
  plus <- function(a, b) if (max(a, b) == -Inf) -Inf else max(a, b) + log1p(exp(-abs(a - b)))
  beams <- list(list(labels = integer(), blank = 0, label = -Inf))
  for (t in seq_len(nrow(x))) {
    p <- x[t, ] - max(x[t, ])
    p <- p - log(sum(exp(p)))
    new <- new.env()
    add <- function(labels, part, value) {
      key <- paste0("p", paste(labels, collapse = " "))
      beam <- new[[key]]
      if (is.null(beam)) beam <- list(labels = labels, blank = -Inf, label = -Inf)
      beam[[part]] <- plus(beam[[part]], value)
      assign(key, beam, envir = new)
    }
    for (beam in beams) {
      whole <- plus(beam$blank, beam$label)
      last <- utils::tail(beam$labels, 1)
      for (class in seq_along(p) - 1L) {
        if (class == blank) add(beam$labels, "blank", whole + p[class + 1])
        else if (identical(class, last)) {
          add(beam$labels, "label", beam$label + p[class + 1])
          add(c(beam$labels, class), "label", beam$blank + p[class + 1])
        } else add(c(beam$labels, class), "label", whole + p[class + 1])
      }
    }
    beams <- mget(ls(new, sorted = TRUE), envir = new)
    score <- vapply(beams, function(b) plus(b$blank, b$label), 0)
    beams <- beams[order(-score)[seq_len(min(width, sum(score > -Inf)))]]
  }
  found <- lapply(unname(beams), function(b) list(labels = if (merge && length(b$labels)) b$labels[c(TRUE,
    diff(b$labels) != 0)] else b$labels, score = plus(b$blank, b$label)))
  while (length(found) < top) found <- c(found, list(list(labels = integer(), score = -Inf)))
  found[seq_len(top)]
}
