# A training that can be taken up again after R has ended.

backup_format <- "nativenet-backup-1"

#' Backup and restore callback
#'
#' Keeps weights, optimizer state and the number of the epoch in a file, so that the same call of [fit()] in another
#' session, after the first was ended, goes on with the epoch that comes next. The file is replaced as a whole after
#' each epoch, and removed when training has come to its end.
#'
#' @param backup_dir a folder, which is made if it is not there; one for each training.
#' @param save_freq `"epoch"`, or a number of batches after which the file is written, too. Training then goes on with
#'   the epoch that was not finished, from its first batch.
#' @param delete_checkpoint remove the file at the end of training?
#' @param save_before_preemption must be `FALSE`.
#' @param double_checkpoint not used: a file is replaced as a whole or not at all, so that one copy is enough.
#' @param ... not used.
#' @return A callback, for the argument `callbacks` of `fit()`.
#' @section Errors: `nativenet_error_file` if the file cannot be written or is of another model.
#' @seealso `fit(resume = TRUE)` within a session, [callback_model_checkpoint()]
#' @examples
#' folder <- file.path(tempdir(), "backup")
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile("sgd", "mse")
#' model |> fit(matrix(1:4), 1:4, epochs = 2, verbose = 0,
#'   callbacks = callback_backup_and_restore(folder))
#' @export
callback_backup_and_restore <- function(backup_dir, save_freq = "epoch", delete_checkpoint = TRUE,
  save_before_preemption = FALSE, double_checkpoint = FALSE, ...) {
  fun <- "callback_backup_and_restore"
  check_no_more(list(...), fun)
  check_string(backup_dir)
  if (!identical(save_freq, "epoch")) save_freq <- check_count(save_freq)
  check_flag(delete_checkpoint)
  if (check_flag(save_before_preemption)) abort("`save_before_preemption` must be FALSE")
  check_flag(double_checkpoint)
  path <- file.path(backup_dir, "backup.safetensors")
  self <- new_callback("backup_and_restore")
  epoch_now <- 0
  keep <- function(epoch) {
    state <- layer_self(self$model)
    weights <- all_weights(state)
    write_tensor_file(path, c(stats::setNames(weights, weight_keys(weights)),
      optimizer_tensors(state$compiled$optimizer, weights)), list(format = backup_format,
      epoch = as.character(epoch)), fun)
  }
  self$on_train_begin <- function(logs) {
    make_folder(backup_dir, fun)
    if (!file.exists(path)) return()
    file <- read_tensor_file(path, "backup_dir", fun)
    where <- encodeString(path, quote = "\"")
    if (!identical(file$metadata$format, backup_format)) abort(where, " is no backup", class = "file", fun = fun)
    state <- layer_self(self$model)
    put_weights(state, file$tensors, where, fun)
    restore_state(state$compiled$optimizer, all_weights(state), file$tensors)
    state$first_epoch <- as.numeric(file$metadata$epoch)
  }
  self$on_epoch_begin <- function(epoch, logs) epoch_now <<- epoch
  if (!identical(save_freq, "epoch")) self$on_train_batch_end <- function(batch, logs) {
    if ((batch + 1) %% save_freq == 0) keep(epoch_now)
  }
  self$on_epoch_end <- function(epoch, logs) keep(epoch + 1)
  self$on_train_end <- function(logs) if (delete_checkpoint && !is_silent()) unlink(path, expand = FALSE)
  self
}
