#' Threads and instruction sets
#'
#' `nn_threads()` tells or sets how many threads the engine may use. Results do not depend on it, to
#' the last bit; small steps run on one thread whatever it says. The default is the option
#' `nativenet.threads` or, without it, one for each core that the process may use, up to four (two under
#' `R CMD check`). More threads than cores are possible, but slower. The environment variable `OMP_THREAD_LIMIT`
#' limits all of them, and in a forked child the engine works alone.
#'
#' `nn_features()` tells what the engine found: the instruction set of its kernels, whether R's BLAS has single
#' precision, and whether large products are left to it (see below). On x86-64 the sets are `"avx512"`, `"avx2"` and
#' `"portable"`, which is what every such processor has; on arm64 all have `"neon"`; elsewhere there is `"portable"`
#' only. The widest one that the processor has is taken when the package loads; the option `nativenet.instructions` or
#' the environment variable `NATIVENET_INSTRUCTIONS`, set before, names another one, and `"portable"` on any machine the
#' one that all processors of its kind have.
#'
#' @section Same numbers: The same code, seeds and data give the same numbers, to the last bit, in every run and on any
#'   number of threads, with the same instruction set, the same build of the package and, where R's BLAS multiplies, the
#'   same BLAS with as many threads of its own. Instruction sets add up in other orders and fuse
#'   multiplications with additions, compilers order some operations differently, and systems round `tan()` and other
#'   functions of their mathematical library differently: there, numbers agree within rounding. For the same numbers on
#'   different processors of one kind, choose the instruction set that all of them have.
#'
#' @section Products by R's BLAS: Our own kernels multiply. With AVX2 or AVX-512 they are as fast as OpenBLAS, and
#'   everywhere several times as fast as the BLAS that comes with R. The library multiplies only where the processor has
#'   none but the portable instructions, nobody asked for these, and the file of R's BLAS has the name of a tuned one
#'   (such as OpenBLAS, BLIS, ATLAS, MKL or Accelerate), which is up to three times as fast there; and only products of
#'   a million multiplications or more. The option `nativenet.blas`, set before the package loads, is `TRUE` to have the
#'   library in any case and `FALSE` to never have it. Nothing is measured at load: where the two are close, a
#'   measurement comes out one way today and the other tomorrow, and so would the last digits. The library multiplies
#'   with its own threads, as many as it is told to (OpenBLAS by `OPENBLAS_NUM_THREADS`); as ours would be in their way,
#'   one is the default then.
#'
#' @section Memory: Under glibc the package lets R's process keep up to 1 GB of what R frees (blocks beyond 32 MB
#'   apart), as steps written with tensors would otherwise fetch the same pages from the system again and again.
#'
#' @param n a whole number from 1 to 256, or `NULL` to ask only.
#' @return `nn_threads()`: the limit in force, invisibly when it was set. `nn_features()`: a list
#'   with `instructions`, `sgemm`, `blas`, `threads` and `cores`.
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
  blas <- .Call(C_blas, -1L)
  list(
    instructions = .Call(C_kernels, ""), sgemm = blas[1], blas = blas[2], threads = threads[1], cores = threads[2]
  )
}

instruction_sets <- c("portable", "neon", "avx2", "avx512")

wanted_instructions <- function() getOption("nativenet.instructions", Sys.getenv("NATIVENET_INSTRUCTIONS"))

choose_instructions <- function() {
  wanted <- wanted_instructions()
  if (identical(wanted, "")) return()
  known <- is.character(wanted) && length(wanted) == 1 && wanted %in% instruction_sets
  taken <- .Call(C_kernels, if (known) wanted else "widest")
  if (!known || !wanted %in% c(taken, "portable")) warn("`nativenet.instructions` is ", describe(wanted),
    ", but the kernels are \"", taken, "\": ", if (known) "this processor or this build lacks the others" else
    paste("it must be one of", toString(dQuote(instruction_sets, FALSE))), class = "instructions")
}

# Does R's BLAS multiply? Measured on one machine, a thread, 512 x 512, as multiples of our portable kernels: OpenBLAS
# 0.3.21 confined to the instructions of Prescott (SSE3) 0.7 to 1.0, Nehalem 1.2 to 1.4, Sandy Bridge (AVX without fused
# multiply-adds) 2.2 to 2.8; the reference BLAS 0.3 in float64 and 0.1 in float32. With all of its instructions OpenBLAS
# is 5 times as fast, but there our kernels are, too. A rule and no measurement, which three 256 x 256 products each way
# take 12 to 24 ms for (the rule: 0.02 ms), and which near 1 would come out now one way, now the other.
choose_blas <- function(wanted = getOption("nativenet.blas"), file = extSoftVersion()[["BLAS"]]) {
  if (is.null(wanted)) wanted <- .Call(C_kernels, "") == "portable" && identical(wanted_instructions(), "") &&
    is_tuned_blas(file)
  .Call(C_blas, as.integer(isTRUE(wanted)))[2]
}

# Distributions keep libraries of one name in folders of different ones: ".../openblas-pthread/libblas.so.3".
is_tuned_blas <- function(file) {
  name <- file.path(basename(dirname(file)), basename(file))
  grepl("openblas|blis|atlas|mkl|armpl|essl|nvpl|accelerate|veclib", name, ignore.case = TRUE)
}

default_threads <- function() {
  wanted <- getOption("nativenet.threads")
  if (is_number(wanted) && wanted >= 1) return(as.integer(wanted))
  if (.Call(C_blas, -1L)[2]) return(1L) # two of ours and two of OpenBLAS on two cores took 1.7 times as long
  limited <- tolower(Sys.getenv("_R_CHECK_LIMIT_CORES_")) %in% c("true", "warn", "error")
  min(if (limited) 2L else 4L, .Call(C_threads, 0L, 0)[2])
}
