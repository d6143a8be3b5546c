# What the lab pages share: the looks of pictures, and which data they use.
#
# A page runs in full on the real data where these are at hand (NATIVENET_DATA names their folder, or they are in the
# cache), and in brief on data that the package makes otherwise, when R CMD check knits it, or when NATIVENET_LABS is
# "quick".
library(nativenet)

knitr::opts_chunk$set(
  collapse = TRUE, comment = "#>", fig.width = 7, fig.height = 3.6, dpi = 64, fig.align = "center", message = FALSE
)
options(digits = 4)
blue <- "#0072B2" # of Okabe and Ito's palette, as in the package's plots
vermilion <- "#D55E00"
if (requireNamespace("ggplot2", quietly = TRUE)) ggplot2::theme_set(ggplot2::theme_minimal(base_size = 12))

full_run <- Sys.getenv("NATIVENET_LABS") != "quick" && !nzchar(Sys.getenv("_R_CHECK_PACKAGE_NAME_"))

#' Real data, or NULL where the page does with what is built in.
at_hand <- function(read, ...) {
  if (full_run) tryCatch(read(..., download = FALSE), nativenet_error_offline = function(e) NULL)
}

#' Images, as read() or dataset_digits() gives them.
#' @param read dataset_mnist or dataset_fashion_mnist.
#' @param brief how many images to train on when they are drawn.
#' @return list(train = list(x, y), test = list(x, y), name, real), each x of shape (n, 28, 28)
lab_arrays <- function(read = dataset_mnist, brief = 4000) {
  data <- at_hand(read)
  real <- !is.null(data)
  if (!real) data <- dataset_digits(brief)
  name <- if (!real) "digits drawn by `dataset_digits()`" else if (identical(read, dataset_mnist)) "MNIST" else
    "Fashion-MNIST"
  list(train = data$train, test = data$test, real = real, name = name)
}

#' The same, each image as a row of numbers from 0 to 1, pixel row by pixel row.
lab_images <- function(...) {
  flat <- function(part) list(x = array_reshape(part$x / 255, c(dim(part$x)[1], 784)), y = part$y)
  images <- lab_arrays(...)
  images[c("train", "test")] <- lapply(images[c("train", "test")], flat)
  images
}

#' A sentence that says which data a page was made with.
data_note <- function(name, real) {
  paste0("This page was made with ", name, if (!real) paste0(" and short runs; where the real data are at hand, it ",
    "runs on those in full"), ".")
}
