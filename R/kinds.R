# Kinds of objects, told by their class: every file may ask.
is_tensor <- function(x) inherits(x, "nn_tensor")
is_variable <- function(x) inherits(x, "nn_variable")
is_keras_tensor <- function(x) inherits(x, "nn_keras_tensor")
is_layer <- function(x) inherits(x, "nn_layer")
is_model <- function(x) inherits(x, "nn_model")
is_module <- function(x) inherits(x, "nn_tf_module")
is_dataset <- function(x) inherits(x, "nn_dataset")
is_iterator <- function(x) inherits(x, "nn_iterator")
