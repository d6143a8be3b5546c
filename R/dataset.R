is_dataset <- function(x) inherits(x, "nn_dataset")
is_iterator <- function(x) inherits(x, "nn_iterator")
