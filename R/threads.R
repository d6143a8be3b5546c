#' Threads and instruction sets
#'
#' `nn_threads()` tells or sets how many threads the engine may use. Results do not depend on it, to
#' the last bit; small steps run on one thread whatever it says. The default is the option
#' `nativenet.threads` or, without it, one for each core that the process may use, up to four (two under
#' `R CMD check`). More threads than cores are possible, but slower. The environment variable `OMP_THREAD_LIMIT`
#' limits all of them, and in a forked child the engine works alone.
#'
#' `nn_features()` tells what the engine found: the instruction set of its kernels (`"avx512"`,
#' `"avx2"` or `"portable"`), and whether R's BLAS has single precision. The widest instruction set that the processor
#' has is taken when the package loads; the option `nativenet.instructions` or the environment variable
#' `NATIVENET_INSTRUCTIONS`, set before, names another one.
#'
#' @section Same numbers: The same code, seeds and data give the same numbers, to the last bit, in every run and on any
#'   number of threads, with the same instruction set, the same build of the package and, where the option
#'   `nativenet.blas` has R's BLAS multiply, the same BLAS. Instruction sets add up in other orders and fuse
#'   multiplications with additions, compilers order some operations differently, and systems round `tan()` and other
#'   functions of their mathematical library differently: there, numbers agree within rounding. For the same numbers on
#'   different processors of one kind, choose the instruction set that all of them have.
#'
#' @section Memory: Under glibc the package lets R's process keep up to 1 GB of what R frees (blocks beyond 32 MB
#'   apart), as steps written with tensors would otherwise fetch the same pages from the system again and again.
#'
#' @param n a whole number from 1 to 256, or `NULL` to ask only.
#' @return `nn_threads()`: the limit in force, invisibly when it was set. `nn_features()`: a list
#'   with `instructions`, `sgemm`, `threads` and `cores`.
#' @section Warnings: `nativenet_warning_threads` where fewer threads are in force than were asked for.
#' @examples
#' nn_threads()
#' nn_features()
#' @export
nn_threads <- function(n = NULL) {
  if (is.null(n)) return(.Call(C_threads, 0L, 0)[1])
  set <- .Call(C_threads, check_count(n, max = 256), 0)[1]
  if (set < n) warn("`nn_threads()`: ", set, if (set == 1) " thread is" else " threads are", " in force, not ", n,
    ": the environment variable `OMP_THREAD_LIMIT` sets a limit, and a forked process works alone", class = "threads")
  invisible(set)
}

#' @rdname nn_threads
#' @export
nn_features <- function() {
  threads <- .Call(C_threads, 0L, 0)
  list(
    instructions = .Call(C_kernels, ""), sgemm = .Call(C_features), threads = threads[1], cores = threads[2]
  )
}

instruction_sets <- c("portable", "avx2", "avx512")

choose_instructions <- function() {
  wanted <- getOption("nativenet.instructions", Sys.getenv("NATIVENET_INSTRUCTIONS"))
  if (identical(wanted, "")) return()
  known <- is.character(wanted) && length(wanted) == 1 && wanted %in% instruction_sets
  taken <- .Call(C_kernels, if (known) wanted else "widest")
  if (!identical(taken, wanted)) warn("`nativenet.instructions` is ", describe(wanted), ", but the kernels are \"",
    taken, "\": ", if (known) "this processor or this build lacks the others" else
    paste("it must be one of", toString(dQuote(instruction_sets, FALSE))), class = "instructions")
}

default_threads <- function() {
  wanted <- getOption("nativenet.threads")
  if (is_number(wanted) && wanted >= 1) return(as.integer(wanted))
  limited <- tolower(Sys.getenv("_R_CHECK_LIMIT_CORES_")) %in% c("true", "warn", "error")
  min(if (limited) 2L else 4L, .Call(C_threads, 0L, 0)[2])
}
