# A model's steps as programs. For each kind of data, training, evaluation and prediction are traced once: the layers,
# the losses, the metrics, and for training the gradient, the optimizer's step and the constraints. The engine then runs
# the program for batch after batch (src/run/epoch.c). Programs are kept until the model or its compilation changes, but
# not saved.
#
# A program serves batches of any number of rows, unless R code looked at that number while it was traced, as a loss
# with `nrow(y_pred)` does (src/border/r_sizes.c). Then it is traced again for each other number.

most_row_programs <- 16

#' The program of this kind for data like `columns` in batches of so many rows, from the cache if it is there.
#' @noRd
step_program <- function(self, kind, data, batch) {
  cache <- step_cache(self)
  batch <- min(batch, data$rows)
  columns <- lapply(data$columns, function(t) {
    info <- column_info(t)
    c(info[[1]], info[[2]][-1])
  })
  shards <- if (!is.null(session$shards) && kind != "predict") "shards"
  key <- paste(c(kind, shards, unlist(columns), data$layout), collapse = " ")
  step <- cache[[key]]
  if (is.null(step)) step <- cache[[paste(key, batch)]]
  if (!is.null(step) && (is.null(step$guards) || guards_hold(step$guards))) return(step)
  step <- if (has_own_steps(self)) trace_own_step(self, kind, data, batch) else
    switch(kind, predict = trace_prediction(self, data, batch), trace_step(self, kind == "train", data, batch))
  step$kind <- kind
  if (step$rows) {
    key <- paste(key, batch)
    cache$by_rows <- c(cache$by_rows, key)
    oldest <- utils::head(cache$by_rows, -most_row_programs)
    rm(list = oldest, envir = cache)
    cache$by_rows <- setdiff(cache$by_rows, oldest)
  }
  cache[[key]] <- step
}

# Behind a weak reference, which is not saved with the model.
step_cache <- function(self) {
  cache <- if (!is.null(self$cache) && identical(self$adapted, session$adapted)) .Call(C_weak_value, self$cache)
  if (is.null(cache)) {
    cache <- new.env(parent = emptyenv())
    self$cache <- .Call(C_weak, self, cache)
    self$adapted <- session$adapted
  }
  cache
}

specs_like <- function(columns, batch) {
  lapply(columns, function(t) tensor_spec(column_info(t)[[1]], c(batch, dim(t)[-1])))
}

#' Columns of inputs as the layers have them.
#' @noRd
model_inputs <- function(self, columns, data) Map(function(column, input, readers, parts)
  column_input(column, input$dtype, dim(input), readers, parts),
  columns, self$inputs, input_readers(self), if (is.null(data$parts)) list(NULL) else data$parts)

trace_prediction <- function(self, data, batch) {
  trace <- trace_call(function(x) run_graph(model_plan(self), model_inputs(self, x, data), FALSE),
    list(specs_like(data$columns, batch)), batch)
  list(program = trace$program, inputs = trace$inputs, rows = trace$rows, tallies = list(), averaged = integer(),
    collected = trace$template)
}

#' @param data list(columns, layout): inputs, then targets, then sample weights where there are any.
#' @noRd
trace_step <- function(self, training, data, batch) {
  compiled <- self$compiled
  metrics <- names <- weigh <- NULL
  step <- function(columns) {
    n <- length(self$inputs)
    x <- model_inputs(self, columns[seq_len(n)], data)
    y <- if (length(columns) > n) columns[n + seq_along(self$outputs)]
    w <- columns[-seq_len(n + length(self$outputs))]
    session$penalties <- session$reports <- list()
    on.exit(session$penalties <- session$reports <- session$graph <- NULL)
    tape <- if (training) gradient_tape(persistent = !is.null(session$shards)) # as there may be several groups
    if (training) tape_start(tape_state(tape))
    outputs <- with_frozen(self, run_graph(model_plan(self), x, training))
    note_own_losses(self)
    of <- outputs_with_loss(self)
    losses <- Map(placed_loss, compiled$losses[of], y[of], outputs[of], if (length(w)) w[of] else list(NULL),
      loss_places(self)[of])
    terms <- c(Map(op_multiply, losses, compiled$loss_weights[of]), session$penalties, weight_penalties(self))
    if (!length(terms)) {
      abort("there is nothing to minimise: the model has neither a loss by `compile(loss = ...)` nor one by ",
        "`add_loss()`", fun = user_function())
    }
    sharded <- !is.null(session$shards)
    weigh <<- if (sharded) weigh_shards(self, losses, length(terms)) else list(of = rep(1L, length(terms)))
    totals <- unname(lapply(split(terms, weigh$of), function(of_group)
      Reduce(function(x, y) op_add(x, tensor(y, tensor_dtype(x))), of_group)))
    if (!any(vapply(totals, is_symbolic, NA))) abort("the loss does not depend on the data or on weights",
      fun = user_function())
    if (training) tape_stop(tape_state(tape))
    statistics <- model_statistics(self, y, outputs, w)
    total <- Reduce(op_add, unlist(Map(over_all_shards, lapply(totals, list), seq_along(totals)), FALSE))
    if (training) update_weights(self, tape, total, totals)
    metrics <<- statistics$metrics
    names <<- c(score_names(self), statistics$names)
    list(total = total, losses = if (length(losses) > 1) losses, statistics = statistics$tensors,
      weight = Filter(Negate(is.null), weigh$slot))
  }
  trace <- with_training(training, trace_call(step, list(specs_like(data$columns, batch)), batch))
  result <- trace$template
  tallies <- c(list(result$total), result$losses, result$statistics)
  sizes <- vapply(tallies, length, 0L)
  list(
    program = trace$program, inputs = trace$inputs, rows = trace$rows, tallies = tallies,
    averaged = c(if (is.null(weigh$kind)) 1L else averaged_once, weigh$of[seq_along(result$losses)],
      rep(0L, length(result$statistics))),
    names = names, metrics = metrics, weigh = weigh,
    ends = cumsum(sizes), size = sum(sizes), collected = list()
  )
}

averaged_once <- -1L # AVERAGED_ONCE of src/run/epoch.h

#' A name for each output: that of its layer.
#' @noRd
output_names <- function(self) if (!is.null(self$output_names)) self$output_names else layer_names_of(self$outputs)

#' The loss of one output: a scalar. Weights and masks leave the number of values that the mean is over as Keras does:
#' all values, or those that the mask lets through.
#' @noRd
output_loss <- function(loss, y, output, w) {
  values <- loss_values(loss, y, output, logits = logits_for(loss_fuses(loss), output))
  if (!rank_of(values)) return(values) # a loss that is a mean by itself
  counted <- counted_losses(loss, values, y)
  values <- weigh(values, w)
  mask <- attr(output, "mask")
  if (!is.null(mask) && rank_of(mask) <= rank_of(values)) counted <- weigh(if (is.null(counted)) op_ones_like(values)
    else counted, mask)
  reduction <- part_config(loss)$reduction
  total <- reduce_loss(weigh(values, counted), if (reduction == "none") "auto" else reduction, counted)
  if (!is.null(counted) && !is.null(session$shards)) attr(total, "counted") <- op_sum(counted)
  total
}

#' What the losses of shards are weighed by so that their mean is that of the batch: their rows; the values that a mask
#' lets through; or nothing, for sums. Penalties go by rows. list(kind and, for masks, slot of each group of losses that
#' are weighed by the same; of which group each of the n terms is)
#' @noRd
weigh_shards <- function(self, losses, n) {
  kinds <- c("rows", "slot", "not")
  kind <- stats::setNames(enum_code("weigh", kinds), kinds)
  counts <- lapply(losses, attr, "counted")
  by <- kind[ifelse(vapply(counts, is.null, NA), "rows", "slot")]
  of <- outputs_with_loss(self)
  by[vapply(self$compiled$losses[of], function(loss) part_config(loss)$reduction == "sum", NA)] <- kind[["not"]]
  by <- unname(c(by, rep(kind[["rows"]], n - length(losses))))
  key <- ifelse(by == kind[["slot"]], -seq_along(by), by)
  first <- which(!duplicated(key))
  slots <- counts[first]
  slots[by[first] != kind[["slot"]]] <- list(NULL)
  list(kind = by[first], slot = unname(slots), of = match(key, key[first]))
}

#' The same, as a loss that is trained on must be: computed from the batch.
#' @noRd
placed_loss <- function(loss, y, output, w, place) {
  with_place(place, {
    total <- output_loss(loss, y, output, w)
    if (!is_symbolic(total)) abort("its value does not depend on the data", fun = NULL)
    total
  }, shapes_said(y, output))
}

loss_places <- function(self) {
  outputs <- output_names(self)
  paste0("`loss`", if (length(outputs) > 1) paste0(" of `", outputs, "`"))
}

shapes_said <- function(y, output) {
  paste0(" (`y_true` has the shape ", format_shape(shape_of(y)), ", `y_pred` ", format_shape(shape_of(output)), ")")
}

#' What the output's last activation started from, if it is the one that the loss or metric can do without.
#' @noRd
logits_for <- function(activation, output) {
  noted <- attr(output, "logits")
  if (!is.null(noted) && identical(activation, noted$of)) noted$z
}

#' @param totals the sums of the losses in each group; `total`: theirs.
#' @noRd
update_weights <- function(self, tape, total, totals) {
  trained <- self$compiled$trained
  guard_step(total, kept_weights(self))
  if (!length(trained)) return()
  of_groups <- Map(function(total, group) over_all_shards(if (is_symbolic(total))
    gradient_towards(tape, total, trained) else vector("list", length(trained)), group), totals, seq_along(totals))
  add <- function(x, y) if (is.null(x)) y else if (is.null(y)) x else op_add(x, y)
  gradients <- Reduce(function(x, y) Map(add, x, y), of_groups)
  if (all_null(gradients)) {
    abort(
      "no weight has a gradient: `loss` must be computed from `y_pred` by ops that have a derivative, not only by ",
      "comparisons, rounding or casts to whole numbers", fun = user_function())
  }
  apply_gradients(self$compiled$optimizer, Map(list, gradients, trained), summed = TRUE)
  constrain_weights(self, trained)
}

constrain_weights <- function(self, trained) {
  for (r in weight_rules(self)) {
    if (!is.null(r$constraint) && is_one_of(r$weight, trained)) variable_assign(r$weight, r$constraint(r$weight))
  }
}

#' The statistics of all metrics: sums over the batch.
#' @noRd
model_statistics <- function(self, y, outputs, w) {
  compiled <- self$compiled
  found <- list(tensors = list(), metrics = list())
  for (k in seq_along(outputs)) {
    mask <- attr(outputs[[k]], "mask")
    for (m in compiled$metrics[[k]]) {
      metric <- as_metric(m$metric, y[[k]], outputs[[k]])
      weights <- masked_weights(mask, if (m$weighted && length(w)) w[[k]], tensor_dtype(outputs[[k]]))
      tallies <- with_place(paste0("the metric `", m$name, "`"), {
        sums <- metric_statistics(metric, y[[k]], outputs[[k]], weights, logits_for(metric_fuses(metric), outputs[[k]]))
        if (!is_symbolic(sums)) abort("its value does not depend on the data", fun = NULL)
        as_tally(sums)
      }, shapes_said(y[[k]], outputs[[k]]))
      found$tensors <- c(found$tensors, list(tallies))
      found$metrics <- c(found$metrics, list(metric))
    }
  }
  for (report in session$reports) {
    sums <- metric_statistics(metric_mean(), report$value, NULL)
    found$tensors <- c(found$tensors, list(as_tally(sums)))
    found$metrics <- c(found$metrics, list(metric_mean()))
    found$names <- c(found$names, report$name)
  }
  found
}

#' What evaluate() and the history call the losses and metrics.
#' @noRd
score_names <- function(self) {
  outputs <- output_names(self)
  several <- length(outputs) > 1
  metrics <- Map(function(ms, output) vapply(ms, function(m) paste0(if (several) paste0(output, "_"), m$name), ""),
    self$compiled$metrics, outputs)
  losses <- outputs[outputs_with_loss(self)]
  c("loss", if (length(losses) > 1) paste0(losses, "_loss"), make.unique(as.character(unlist(metrics)), sep = "_"))
}

# A metric may be a constant or count in integers.
as_tally <- function(x) if (tensor_dtype(x) %in% float_dtypes) x else op_cast(x, "float64")

# ---- what is kept of the weights, for a loss that is not finite ----

#' From here on nothing changes if the loss is not finite. While it is, the weights are kept every 32 steps
#' (src/run/run.c).
#' @noRd
guard_step <- function(total, kept = NULL) {
  .Call(C_program_guard, tracing_program(), total, kept$note, kept$now, kept$then)
}

#' Tensors as they are now and as they were then, at most 32 steps before, with a note for the engine.
#' @param now an optimizer's numbers, its state, the weights.
#' @noRd
new_kept <- function(now) list2env(list(note = tensor(c(-1, 0), "float64"), now = now, then = copies(now)))

#' That of all that a model's training changes; one for all its programs.
#' @noRd
kept_weights <- function(self) {
  cache <- step_cache(self)
  if (is.null(cache$kept)) {
    trained <- self$compiled$trained
    memory <- .subset2(self$compiled$optimizer, "memory")
    claim_matrices(self$compiled$optimizer, trained)
    state <- Filter(Negate(is_trainable), all_weights(self))
    cache$kept <- new_kept(c(.Call(C_optimizer_memory, memory, NULL, NULL)[1],
      unlist(.Call(C_optimizer_states, memory, trained)), trained, state[!vapply(state, is_one_of, NA, trained)]))
  }
  cache$kept
}

#' Where a step fails for its loss or its weights, weights that exploded go back to those that were kept, and the error
#' says so by its field `back`. A batch whose loss overflows is not their fault.
#' @noRd
or_recover <- function(kept, expr) {
  tryCatch(expr, nativenet_error_nan = function(e) {
    e$back <- have_exploded(kept)
    if (e$back) bring_back(kept)
    stop(e)
  })
}

have_exploded <- function(kept) {
  if (as.array(kept$note)[1] < 0) return(FALSE) # nothing is kept
  size <- function(tensors) sum(abs(unlist(lapply(tensors[are_weights(kept)], as.array))))
  now <- size(kept$now)
  !is.finite(now) || now > 1e4 * (size(kept$then) + 1)
}

are_weights <- function(kept) vapply(kept$now, is_variable, NA)

#' The optimizer's hyperparameters stay, but for what it counts.
#' @noRd
bring_back <- function(kept) {
  weights <- are_weights(kept)
  numbers <- as.array(kept$now[[1]])
  counts <- 8:9 # steps, product in src/run/optimizer.h
  numbers[counts] <- as.array(kept$then[[1]])[counts]
  suspendInterrupts({
    copies(list(tensor(numbers, "float64")), kept$now[1])
    copies(kept$then[!weights][-1], kept$now[!weights][-1])
    Map(variable_assign, kept$now[weights], kept$then[weights])
  })
}

# ---- running one ----

#' One pass over the data. The sums stand in `state`, which changes in place; what was collected is returned: R arrays
#' for floats, else tensors.
#' @noRd
run_step <- function(self, step, data, batch, state, shuffle = 0, on_step = NULL, on_clock = NULL, rates = NULL) {
  if (!is.null(step$eager)) return(run_eagerly(self, step, data, batch, state, shuffle, on_step, on_clock))
  for (optimizer in step$optimizers) refresh(optimizer)
  scheduled <- Filter(has_schedule, step$optimizers)
  if (length(scheduled)) {
    heard <- on_step
    on_step <- function(...) {
      for (optimizer in scheduled) refresh(optimizer)
      is.null(heard) || heard(...)
    }
  }
  run_program(self, step, data, batch, state, shuffle, on_step, on_clock, rates)
}

run_program <- function(self, step, data, batch, state, shuffle = 0, on_step = NULL, on_clock = NULL, rates = NULL) {
  collected <- NULL
  before <- .Call(C_epoch_totals, state)[3]
  taken <- 0
  numbers <- if (!is.null(rates)) optimizer_now(self$compiled$optimizer)[[1]]
  repeat {
    coming <- if (!is.null(rates)) rates[seq_along(rates) > .Call(C_epoch_totals, state)[3] - before]
    stream <- if (!is.null(data$stream)) list(data$stream, data$from)
    most <- if (is.null(stream)) -1 else data$most - taken
    pass <- .Call(C_epoch_run, step$program, step$inputs, data$columns, stream,
      as.double(c(batch, shuffle, step$rows, data$first, data$rows, isTRUE(data$whole), most, 1, 0)), step$tallies,
      step$averaged, step$collected, collected, coming, numbers, state, list(on_step, on_clock, NULL),
      shards_of(step, if (isTRUE(data$passing) && is.null(stream)) lapply(data$columns, column_tensor)))
    collected <- pass[[1]]
    if (!pass[[2]]) return(collected)
    taken <- .Call(C_epoch_totals, state)[3] - before + 1 # with those that wait for another program
    step <- step_program(self, step$kind, data, pass[[2]])
  }
}

#' @param random do seeds of steps come from R's generator? By default if there is something to draw, as a layer does
#'   that samples, at any time.
#' @noRd
new_state <- function(step, random = is.null(step$eager) && .Call(C_program_draws, step$program)) {
  for (m in step$metrics) if (!is.null(own_object(m))) metric_reset(m)
  state <- .Call(C_epoch_state, if (is.null(step$size)) 0L else as.integer(step$size), as.integer(random))
  if (is.null(step$eager)) state else list2env(list(steps = 0, rows = 0, results = list(), rows_of = state))
}

#' Another block of rows comes.
#' @noRd
epoch_rewind <- function(state) .Call(C_epoch_rewind, if (is.environment(state)) state$rows_of else state)

#' Rows of the batch at hand, rows and steps so far, sums.
#' @noRd
epoch_totals <- function(state) if (is.environment(state)) c(0, state$rows, state$steps) else
  .Call(C_epoch_totals, state)

#' Loss and metrics so far, named.
#' @noRd
step_logs <- function(step, state) {
  if (!is.null(step$results)) return(result_numbers(if (is.null(step$eager)) step$results else state$results))
  totals <- epoch_totals(state)
  rows <- totals[2]
  sums <- totals[-(1:3)]
  n_losses <- sum(step$averaged != 0)
  starts <- c(0, step$ends) + 1
  metrics <- vapply(seq_along(step$metrics), function(k) {
    at <- n_losses + k
    as.double(metric_result(step$metrics[[k]], sums[seq(starts[at], length.out = step$ends[at] - starts[at] + 1)]))
  }, 0)
  stats::setNames(c(sums[seq_len(n_losses)] / rows, metrics), step$names)
}
