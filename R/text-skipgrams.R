# Pairs of neighbouring words, to learn word vectors from.

#' Skip-gram pairs with negative sampling
#'
#' Each word of a sequence is paired with its neighbours (label 1), and with words drawn at random, the negative samples
#' (label 0).
#'
#' @param sequence a vector of word numbers. 0 stands for no word and is passed over.
#' @param vocabulary_size random words are 1 .. `vocabulary_size` - 1.
#' @param window_size neighbours are at most so many places away.
#' @param negative_samples how many pairs with random words for each pair of neighbours, a number; 0 for none.
#' @param shuffle `TRUE` to put the pairs into random order.
#' @param categorical `TRUE` for labels `c(0, 1)` (neighbours) and `c(1, 0)`.
#' @param sampling_table `NULL`, or the probability to use word `i` as the middle one in element `i + 1`, such as
#'   `make_sampling_table()` makes.
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @return `skipgrams()`: `list(couples, labels)`. `couples` is a list of integer vectors (word, other word), `labels`
#'   an integer vector, or a list of vectors if `categorical`.
#' @references
#' Mikolov, T., Sutskever, I., Chen, K., Corrado, G. and Dean, J. (2013). Distributed representations of words and
#' phrases and their compositionality. *NIPS*, 3111-3119.
#' @examples
#' skipgrams(1:4, vocabulary_size = 5, window_size = 1, negative_samples = 0, shuffle = FALSE)
#' @export
skipgrams <- function(sequence, vocabulary_size, window_size = 4, negative_samples = 1, shuffle = TRUE,
  categorical = FALSE,
                      sampling_table = NULL, seed = NULL) {
  sequence <- check_sequences(list(sequence), "sequence")[[1]]
  vocabulary_size <- check_count(vocabulary_size, min = 2)
  window_size <- check_count(window_size)
  negative_samples <- check_number(negative_samples, min = 0)
  check_flag(shuffle)
  check_flag(categorical)
  with_seed(seed, {
    pairs <- neighbours(sequence, window_size, sampling_table)
    labels <- rep.int(1L, nrow(pairs))
    check_room(c(nrow(pairs) * (1 + negative_samples), 2), "negative_samples", 32)
    count <- as.integer(nrow(pairs) * negative_samples)
    if (count > 0) {
      words <- rep_len(pairs[sample.int(nrow(pairs)), 1], count)
      pairs <- rbind(pairs, cbind(words, sample.int(vocabulary_size - 1, count, replace = TRUE), deparse.level = 0))
      labels <- c(labels, integer(count))
    }
    order <- if (shuffle) sample.int(length(labels)) else seq_along(labels)
    labels <- labels[order]
    list(
      couples = lapply(order, function(i) as.integer(pairs[i, ])),
      labels = if (categorical) lapply(labels, function(label) c(1L - label, label)) else labels
    )
  })
}

#' A matrix (pairs, 2), by the place of the first word and then of the second.
#' @noRd
neighbours <- function(sequence, window, table) {
  n <- length(sequence)
  middle <- which(sequence != 0)
  if (!is.null(table)) {
    if (!is.numeric(table) || length(table) <= max(0, sequence)) {
      abort("`sampling_table` must be probabilities for words 0 .. ", max(0, sequence), ", not ", describe(table),
        fun = "skipgrams")
    }
    middle <- middle[stats::runif(length(middle)) <= table[sequence[middle] + 1]]
  }
  check_room(c(length(middle), 2 * window, 2), "window_size", 12)
  steps <- setdiff(-window:window, 0)
  place <- cbind(rep(middle, each = length(steps)), rep(middle, each = length(steps)) + steps)
  place <- place[place[, 2] >= 1 & place[, 2] <= n, , drop = FALSE]
  place <- place[sequence[place[, 2]] != 0, , drop = FALSE]
  matrix(sequence[place], ncol = 2)
}

#' @param size how many words, counted from 0.
#' @param sampling_factor the smaller, the more rarely frequent words are used.
#' @return `make_sampling_table()`: for the words by frequency the probability to use them,
#'   `min(1, sqrt(sampling_factor * f))`. Here `f = i * (log(i) + 0.577) + 1 / 2 - 1 / (12 * i)` is the inverse
#'   frequency of the word of rank `i` by Zipf's law.
#' @rdname skipgrams
#' @export
make_sampling_table <- function(size, sampling_factor = 1e-05) {
  size <- check_count(size)
  sampling_factor <- check_number(sampling_factor, above = 0)
  check_room(size, "size", 24)
  rank <- pmax(seq_len(size) - 1, 1)
  inverse_frequency <- rank * (log(rank) + 0.577) + 1 / 2 - 1 / (12 * rank)
  pmin(1, sqrt(sampling_factor * inverse_frequency))
}
