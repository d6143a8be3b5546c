#' Threads and instruction sets
#'
#' `nn_threads()` tells or sets how many threads the engine may use. Results do not depend on it, to
#' the last bit; small steps run on one thread whatever it says. The default is the option
#' `nativenet.threads` or, without it, up to four of the cores that the environment allows
#' (`OMP_THREAD_LIMIT`; two under `R CMD check`). In a forked child the engine works alone.
#'
#' `nn_features()` tells what the engine found: the instruction set of its kernels (`"avx512"`,
#' `"avx2"` or `"portable"`), OpenMP, and whether R's BLAS has single precision.
#'
#' @section Memory: Under glibc the package lets R's process keep up to 1 GB of what R frees (blocks beyond 32 MB
#'   apart), as steps written with tensors would otherwise fetch the same pages from the system again and again.
#'
#' @param n a positive whole number, or `NULL` to ask only.
#' @return `nn_threads()`: the limit in force, invisibly when it was set. `nn_features()`: a list
#'   with `instructions`, `openmp`, `sgemm`, `threads` and `cores`.
#' @examples
#' nn_threads()
#' nn_features()
#' @export
nn_threads <- function(n = NULL) {
  if (is.null(n)) return(.Call(C_threads, 0L)[1])
  invisible(.Call(C_threads, check_count(n))[1])
}

#' @rdname nn_threads
#' @export
nn_features <- function() {
  found <- .Call(C_features)
  threads <- .Call(C_threads, 0L)
  list(
    instructions = .Call(C_kernels, ""), openmp = found[["openmp"]], sgemm = found[["sgemm"]],
    threads = threads[1], cores = threads[2]
  )
}

default_threads <- function() {
  wanted <- getOption("nativenet.threads")
  if (is_number(wanted) && wanted >= 1) return(as.integer(wanted))
  limited <- tolower(Sys.getenv("_R_CHECK_LIMIT_CORES_")) %in% c("true", "warn", "error")
  if (limited) 2L else 4L
}
