# Event files of TensorBoard: records of a length, its checksum, a message of Google's protocol buffers and the checksum
# of that, whose parts R/save-onnx.R writes.
# <https://www.tensorflow.org/tutorials/load_data/tfrecord>, tensorflow/core/util/event.proto.

#' Write logs for TensorBoard
#'
#' Writes event files that TensorBoard shows: for each epoch the loss and all metrics, in the folder `train` below
#' `log_dir` and, of validation data, in `validation`, under Keras' names: `epoch_loss` and the like, with `update_freq`
#' also `batch_loss`; of validation `evaluation_loss_vs_iterations`. With `histogram_freq` there are histograms of all
#' weights. The graph of the model is not written: `plot()` draws it.
#'
#' @param log_dir a folder, which is made; `NULL` for `"logs"`.
#' @param histogram_freq after how many epochs histograms of weights are written; 0: never.
#' @param write_graph,profile_batch ignored; present for compatibility with Keras.
#' @param write_images,write_grads,embeddings_freq,embeddings_metadata must be as they are by default.
#' @param write_steps_per_second write how many steps a second took, `epoch_steps_per_second`, too?
#' @param update_freq `"epoch"`, or `"batch"`, or after how many batches their loss and metrics are written.
#' @param batch_size,embeddings_layer_names,embeddings_data of old versions; ignored.
#' @return A callback, for the argument `callbacks` of `fit()`.
#' @section Errors: `nativenet_error_file` for a folder that cannot be made, or a file that cannot be written.
#' @references Names of what is written follow Keras 2.15, <https://keras.io/2.15/api/callbacks/tensorboard/>.
#' @seealso [callback_csv_logger()], [plot()][plot.nn_history]
#' @examples
#' folder <- tempfile()
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile("sgd", "mse")
#' model |> fit(matrix(1:6, 3), 1:3, epochs = 2, verbose = 0, callbacks = callback_tensorboard(folder))
#' list.files(folder, recursive = TRUE)
#' @export
callback_tensorboard <- function(log_dir = NULL, histogram_freq = 0, batch_size = NULL, write_graph = TRUE,
  write_grads = FALSE, write_images = FALSE, embeddings_freq = 0, embeddings_layer_names = NULL,
  embeddings_metadata = NULL, embeddings_data = NULL, update_freq = "epoch", profile_batch = 0,
  write_steps_per_second = FALSE) {
  log_dir <- if (is.null(log_dir)) "logs" else path.expand(check_string(log_dir))
  histogram_freq <- check_count(histogram_freq, min = 0)
  check_flag(write_graph)
  check_flag(write_steps_per_second)
  for (arg in c("write_grads", "write_images")) if (check_flag(get(arg), arg = arg)) abort("`", arg,
    "` must be FALSE: scalars and histograms of weights are written")
  check_count(embeddings_freq, min = 0, max = 0)
  if (!is.null(embeddings_metadata)) abort("`embeddings_metadata` must be NULL: embeddings are not written")
  every <- if (identical(update_freq, "epoch")) 0 else if (identical(update_freq, "batch")) 1 else
    check_count(update_freq)
  self <- new_callback("tensorboard", log_dir = log_dir, histogram_freq = histogram_freq, update_freq = update_freq)
  writers <- list()
  writer <- function(part) {
    if (is.null(writers[[part]])) writers[[part]] <<- event_file(file.path(log_dir, part), "callback_tensorboard")
    writers[[part]]
  }
  steps <- 0
  start <- began <- 0
  self$on_train_begin <- function(logs) {
    writers <<- list()
    steps <<- 0
  }
  self$on_epoch_begin <- function(epoch, logs) {
    start <<- proc.time()[["elapsed"]]
    began <<- optimizer_iterations(self$model$optimizer)
  }
  if (every) self$on_train_batch_end <- function(batch, logs) {
    if (steps %% every == 0) write_scalars(writer("train"), stats::setNames(logs, paste0("batch_", names(logs))), steps)
    steps <<- steps + 1
  }
  self$on_epoch_end <- function(epoch, logs) {
    validation <- startsWith(names(logs), "val_")
    rate <- (optimizer_iterations(self$model$optimizer) - began) / max(proc.time()[["elapsed"]] - start, 1e-9)
    train <- c(logs[!validation], if (write_steps_per_second) list(steps_per_second = rate))
    write_scalars(writer("train"), stats::setNames(train, paste0("epoch_", names(train))), epoch)
    if (any(validation)) write_scalars(writer("validation"), stats::setNames(logs[validation],
      paste0("epoch_", sub("^val_", "", names(logs)[validation]))), epoch)
    if (histogram_freq && epoch %% histogram_freq == 0) for (w in self$model$weights)
      write_event(writer("train"), epoch, histogram_bytes(paste0(sub(":", "_", variable_name(w)), "/histogram"),
        as.array(w)))
  }
  self$on_test_end <- function(logs) {
    if (length(logs)) write_scalars(writer("validation"), stats::setNames(logs, paste0("evaluation_", names(logs),
      "_vs_iterations")), optimizer_iterations(self$model$optimizer))
  }
  self
}

# ---- files ----

#' A new file of events in a folder.
#' @noRd
event_file <- function(folder, fun) {
  make_folder(folder, fun)
  session$event_files <- max(0, session$event_files) + 1
  name <- sprintf("events.out.tfevents.%.0f.%s.%d.%d.v2", as.numeric(Sys.time()), gsub("[^A-Za-z0-9-]", "-",
    Sys.info()[["nodename"]]), Sys.getpid(), session$event_files)
  file <- list(path = file.path(folder, name), fun = fun)
  append_event(file, c(proto_double(1, as.numeric(Sys.time())), proto_text(3, "brain.Event:2")))
  file
}

#' @param summary bytes of values.
#' @noRd
write_event <- function(file, step, summary) append_event(file, c(proto_double(1, as.numeric(Sys.time())),
  proto_int(2, step), proto_bytes(5, summary)))

append_event <- function(file, event) {
  force(file) # making it may fail, with words of its own
  connection <- tryCatch(suppressWarnings(file(file$path, "ab")), error = function(e) abort("cannot write ",
    encodeString(file$path, quote = "\""), class = "file", fun = file$fun))
  on.exit(close(connection))
  writeBin(record_bytes(event), connection)
}

write_scalars <- function(file, values, step) {
  values <- Filter(function(v) is.numeric(v) && length(v) == 1, as.list(values))
  if (length(values)) write_event(file, step, unlist(Map(scalar_bytes, names(values), values), use.names = FALSE))
}

scalar_bytes <- function(tag, value) proto_bytes(1, c(proto_text(1, tag), proto_float(2, as.double(value))))

#' Counts of numbers in 30 cells of one width.
#' @noRd
histogram_bytes <- function(tag, x) {
  x <- as.vector(x)[is.finite(x)]
  ends <- if (length(x)) range(x) else c(0, 0)
  limits <- if (ends[1] < ends[2]) seq(ends[1], ends[2], length.out = 31)[-1] else ends[2]
  cells <- pmin(findInterval(x, c(-Inf, limits[-length(limits)]), left.open = FALSE), length(limits))
  doubles <- function(v) writeBin(as.double(v), raw(), endian = "little")
  histogram <- c(proto_double(1, ends[1]), proto_double(2, ends[2]), proto_double(3, length(x)),
    proto_double(4, sum(x)), proto_double(5, sum(x^2)), proto_bytes(6, doubles(limits)),
    proto_bytes(7, doubles(tabulate(cells, length(limits)))))
  proto_bytes(1, c(proto_text(1, tag), proto_bytes(5, histogram)))
}

# ---- numbers ----

proto_double <- function(field, x) c(proto_varint(field * 8 + 1), writeBin(as.double(x), raw(), endian = "little"))

#' A record of files of TensorFlow: its length, the checksum of that, the bytes and theirs.
#' @noRd
record_bytes <- function(bytes) {
  size <- number_bytes(length(bytes), 8)
  c(size, masked_checksum(size), bytes, masked_checksum(bytes))
}

#' CRC-32C rotated by 15 bits, and a number added, as files of such records have it; four bytes.
#' @noRd
masked_checksum <- function(bytes) {
  sum <- crc_32(bytes, castagnoli = TRUE)
  number_bytes((sum %/% 2^15 + sum %% 2^15 * 2^17 + 0xa282ead8) %% 2^32, 4)
}
