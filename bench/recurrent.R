# One forward and backward pass of the recurrent layers at the size of the IMDB reviews: 32 sequences of up to 250 tokens out
# of 10001, padded at the front, 64 inputs, 32 units, float32, by the table. Milliseconds per step on one thread and on two,
# and the rate of the products that the distinct tokens leave.
#
# usage: Rscript bench/recurrent.R [rounds]
library(nativenet)

args <- commandArgs(trailingOnly = TRUE)
rounds <- if (length(args)) as.integer(args[1]) else 15
batch <- 32
steps <- 250
inputs <- 64
units <- 32
vocabulary <- 10001

set.seed(1)
lengths <- round(60 + 189 * rbeta(batch, 1.1, 1.35)) # about 146 on average
mask <- t(vapply(lengths, function(n) seq_len(steps) > steps - n, logical(steps)))
# frequencies of words fall with their rank (Zipf), so about a quarter of the tokens of a batch are distinct
ids <- matrix(sample.int(vocabulary - 1, batch * steps, TRUE, 1 / (seq_len(vocabulary - 1) + 1.5)^1.2), batch)
ids[!mask] <- 0
tokens <- sum(mask)
distinct <- length(unique(ids[mask]))

weights <- function(...) tensor(array(runif(prod(...), -0.1, 0.1), c(...)), "float32")
ids <- tensor(ids, "int32")
mask <- tensor(mask, "bool")
table <- variable(weights(c(vocabulary, inputs)))

# The sum of the last outputs with the gradients of all weights, as a compiled step of training has it.
step_of <- function(op, gates, bias) {
  w <- list(variable(weights(c(inputs, gates * units))), variable(weights(c(units, gates * units))), variable(weights(bias)), table)
  step <- trace_program(function(ids, mask) {
    tape <- gradient_tape()
    y <- tape_record(tape, op_sum(op(ids, w[[1]], w[[2]], w[[3]], mask = mask, table = w[[4]])))
    list(y, tape_gradient(tape, y, w)[[3]])
  }, ids, mask)
  function() step(ids, mask)
}
steps_of <- list(lstm = step_of(op_lstm, 4, 4 * units), gru = step_of(op_gru, 3, c(2, 3 * units)), simple_rnn = step_of(op_simple_rnn, 1, units))
gates <- c(lstm = 4, gru = 3, simple_rnn = 1)

milliseconds <- function(step, n = 20) {
  for (i in 1:5) step()
  start <- proc.time()[["elapsed"]]
  for (i in seq_len(n)) step()
  1000 * (proc.time()[["elapsed"]] - start) / n
}

cat(sprintf("%d real steps, %d distinct tokens, kernels: %s\n", tokens, distinct, nn_features()$instructions))
cat(sprintf("%-12s %10s %10s %10s %10s\n", "", "1 thread", "GFLOPS", "2 threads", "GFLOPS"))
for (name in names(steps_of)) {
  # forward once and backward twice: products with the kernel of the distinct tokens, with the recurrent kernel of all steps
  work <- 3 * 2 * gates[[name]] * units * (distinct * inputs + tokens * units)
  ms <- sapply(1:2, function(threads) {
    nn_threads(threads)
    min(vapply(seq_len(rounds), function(i) milliseconds(steps_of[[name]]), 0)) # of rounds, as other processes disturb
  })
  cat(sprintf("%-12s %7.2f ms %10.1f %7.2f ms %10.1f\n", name, ms[1], work / ms[1] / 1e6, ms[2], work / ms[2] / 1e6))
}
