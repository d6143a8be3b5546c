# tf$distribute: TensorFlow's names of strategies.

#' Distribution strategies by TensorFlow's names
#'
#' * `tf$distribute$MultiWorkerMirroredStrategy()` is [strategy_mpi()], under `mpirun` or Slurm;
#' * `tf$distribute$MirroredStrategy()` and `tf$distribute$OneDeviceStrategy()` are [strategy_local()] with one shard:
#'   threads share the processor's cores, and there are no other devices;
#' * `tf$distribute$ReduceOp$SUM` and `$MEAN` are `"SUM"` and `"MEAN"`, for `strategy$reduce()`;
#' * `tf$distribute$get_strategy()` is that of the scope one is in, else `strategy_local(1)`; `has_strategy()` tells
#'   whether there is one.
#'
#' Strategies of parameter servers and of other processors are refused.
#'
#' @section Loops of one's own: `strategy$run(step, args = list(x, y))` cuts x and y into shards and calls `step` for
#'   each that is this rank's; `optimizer$apply_gradients()` in it waits for all shards and takes one step along the
#'   *sum* of their gradients, as TensorFlow's does. So the loss of a shard must be divided by the rows of the whole
#'   batch. What is assigned to variables becomes the mean over the shards by rows; metrics add up. A function of
#'   [autograph()] runs compiled; it must not itself call `strategy$run()`. Updates are made at the end of the step,
#'   when all shards have their gradients: to look at a weight after its `apply_gradients()` and before that is an
#'   error.
#'   `strategy$reduce("SUM", values)` adds up what the shards gave, over all ranks.
#'   `strategy$experimental_distribute_dataset()` gives the data set as it is, as `run()` cuts its batches.
#' @param ... not used.
#' @return A strategy, see [strategies].
#' @seealso [strategies], [strategy_mpi()]
#' @examples
#' strategy <- tf$distribute$MirroredStrategy()
#' w <- tf$Variable(0)
#' optimizer <- optimizer_sgd(0.1)
#' step <- tf_function(function(x, y) {
#'   with(tf$GradientTape() %as% tape, {
#'     loss <- tf$reduce_sum((w * x - y)^2) / 4
#'   })
#'   optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
#'   loss
#' })
#' x <- tf$constant(c(1, 2, 3, 4))
#' losses <- strategy$run(step, args = list(x, 2 * x))
#' strategy$reduce("SUM", losses)
#' w
#' @name tf_distribute
NULL

tf_distribute <- function() {
  refused <- function(name, way) function(...) abort("is not there: ", way, fun = paste0("tf$distribute$", name))
  no_servers <- "`strategy_mpi()` trains over processes that are equal"
  no_devices <- "nativenet computes on processors; `strategy_mpi()` trains over many"
  list(
    MultiWorkerMirroredStrategy = function(cluster_resolver = NULL, communication_options = NULL) {
      if (!is.null(cluster_resolver)) abort("`cluster_resolver` must be NULL: `mpirun` or Slurm start the processes",
        fun = "tf$distribute$MultiWorkerMirroredStrategy")
      strategy_mpi()
    },
    MirroredStrategy = function(devices = NULL, cross_device_ops = NULL) strategy_local(1),
    OneDeviceStrategy = function(device = NULL) strategy_local(1),
    ReduceOp = list(SUM = "SUM", MEAN = "MEAN"),
    get_strategy = function() if (is.null(session$scope)) strategy_local(1) else
      structure(list(self = session$scope), class = "nn_strategy"),
    has_strategy = function() !is.null(session$scope),
    ParameterServerStrategy = refused("ParameterServerStrategy", no_servers),
    TPUStrategy = refused("TPUStrategy", no_devices),
    CentralStorageStrategy = refused("CentralStorageStrategy", no_devices)
  )
}
