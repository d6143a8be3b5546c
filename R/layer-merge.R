# Layers of several inputs.

#' Addition layer
#'
#' Adds its inputs, element by element:
#' \deqn{y = x_1 + x_2 + \ldots}{y = x1 + x2 + ...}
#' It makes residual connections. Shapes broadcast; an input of fewer axes gets axes of size 1 after the first.
#'
#' @param inputs a list of at least two symbolic tensors, tensors or arrays; without it the layer itself.
#' @param ... more inputs; arguments of all layers by name, see [layer_dense()].
#' @return A symbolic tensor or a tensor, as the inputs are; a layer (class `nn_layer`) without `inputs`.
#' @section Masks: The result has a mask if some input has one. A timestep is valid where it is valid in all inputs.
#' @section Errors: `nativenet_error_shape` if the shapes do not fit; both are named.
#' @seealso [layer_concatenate()], [layer_dot()]
#' @examples
#' layer_add(list(matrix(1, 2, 2), matrix(2, 2, 2)))
#' @export
layer_add <- function(inputs, ...) merge_layer("add", inputs, ...)

#' Subtraction layer
#'
#' Subtracts its inputs from the first one, element by element, with broadcasting as in [layer_add()]:
#' \deqn{y = x_1 - x_2 - \ldots}{y = x1 - x2 - ...}
#'
#' @inheritParams layer_add
#' @inherit layer_add return sections
#' @seealso [layer_add()]
#' @examples
#' layer_subtract(list(matrix(1, 2, 2), matrix(2, 2, 2)))
#' @export
layer_subtract <- function(inputs, ...) merge_layer("subtract", inputs, ...)

#' Multiplication layer
#'
#' Multiplies its inputs, element by element, with broadcasting as in [layer_add()]:
#' \deqn{y = x_1 \cdot x_2 \cdots}{y = x1 x2 ...}
#'
#' @inheritParams layer_add
#' @inherit layer_add return sections
#' @seealso [layer_add()]
#' @examples
#' layer_multiply(list(matrix(1, 2, 2), matrix(2, 2, 2)))
#' @export
layer_multiply <- function(inputs, ...) merge_layer("multiply", inputs, ...)

#' Average layer
#'
#' The mean of its inputs, element by element, with broadcasting as in [layer_add()]:
#' \deqn{y = \frac{1}{n} (x_1 + \ldots + x_n)}{y = (x1 + ... + xn) / n}
#'
#' @inheritParams layer_add
#' @inherit layer_add return sections
#' @seealso [layer_add()]
#' @examples
#' layer_average(list(matrix(1, 2, 2), matrix(2, 2, 2)))
#' @export
layer_average <- function(inputs, ...) merge_layer("average", inputs, ...)

#' Maximum layer
#'
#' The maximum of its inputs, element by element, with broadcasting as in [layer_add()]:
#' \deqn{y = \max(x_1, x_2, \ldots)}{y = max(x1, x2, ...)}
#'
#' @inheritParams layer_add
#' @inherit layer_add return sections
#' @seealso [layer_add()]
#' @examples
#' layer_maximum(list(matrix(1, 2, 2), matrix(2, 2, 2)))
#' @export
layer_maximum <- function(inputs, ...) merge_layer("maximum", inputs, ...)

#' Minimum layer
#'
#' The minimum of its inputs, element by element, with broadcasting as in [layer_add()]:
#' \deqn{y = \min(x_1, x_2, \ldots)}{y = min(x1, x2, ...)}
#'
#' @inheritParams layer_add
#' @inherit layer_add return sections
#' @seealso [layer_add()]
#' @examples
#' layer_minimum(list(matrix(1, 2, 2), matrix(2, 2, 2)))
#' @export
layer_minimum <- function(inputs, ...) merge_layer("minimum", inputs, ...)

#' Concatenation layer
#'
#' Joins its inputs along an axis; the other axes have the same sizes: (batch, 3) and (batch, 2) become (batch, 5).
#'
#' @inheritParams layer_add
#' @param axis 0-based with the batch as axis 0, or negative from the end, as in keras; keras3 counts from 1. Where an
#'   axis of 2 or more could mean either, this is told once per session.
#' @inherit layer_add return
#' @section Masks: Along time the masks are joined as the inputs are, and an input without a mask is valid everywhere.
#'   Along other axes a timestep is valid where it is valid in all inputs.
#' @section Errors: `nativenet_error_shape` if the shapes do not fit; both are named.
#' @seealso [layer_add()], [op_concat()]
#' @examples
#' dim(layer_concatenate(list(matrix(1, 2, 3), matrix(2, 2, 2)))) # 2 5
#' @export
layer_concatenate <- function(inputs, ..., axis = -1) merge_layer("concatenate", inputs, ...,
  config = list(axis = check_number(axis)))

#' Dot product layer
#'
#' The dot products of two inputs along an axis of each, sample by sample:
#' \deqn{y_{b, i, j} = \sum_k x_{b, i, k} \, z_{b, j, k}}{y[b, i, j] = sum over k of x[b, i, k] z[b, j, k]}
#' With two inputs (batch, features) the output has the shape (batch, 1). It compares embeddings, and scores attention.
#'
#' @inheritParams layer_add
#' @param axes one axis, or one for each input; 0-based with the batch as axis 0, or negative from the end, as in Keras.
#' @param normalize scale both inputs to length 1 first, which gives the cosine similarity?
#' @inherit layer_add return
#' @section Masks: The output has none.
#' @section Errors: `nativenet_error_shape` if the axes differ in size.
#' @seealso [layer_add()]
#' @examples
#' layer_dot(list(matrix(1, 2, 3), matrix(2, 2, 3)), axes = 1)
#' @export
layer_dot <- function(inputs, ..., axes, normalize = FALSE) {
  if (missing(axes) && ...length() && is_axes(..1)) return(dot_by_place(inputs, ...))
  merge_layer("dot", inputs, ..., config = list(axes = check_layer_sizes(axes), normalize = check_flag(normalize)))
}

#' Numbers rather than an input? NULL, an atomic vector before R 4.4, counts with them.
#' @noRd
is_axes <- function(x) if (is_branch(x)) length(x) && all(vapply(x, is_number, NA)) else
  (is.null(x) || is.atomic(x)) && is.null(dim(x)) || is_tensor(x) && rank_of(x) < 2

#' As earlier versions of keras have them.
#' @noRd
dot_by_place <- function(inputs, axes, normalize = FALSE, ...)
  layer_dot(inputs, ..., axes = axes, normalize = normalize)

#' Inputs may come as a list or one by one.
#' @noRd
merge_layer <- function(kind, inputs, ..., config = list(), fun = calling_function()) {
  rest <- list(...)
  is_input <- if (is.null(names(rest))) rep(TRUE, length(rest)) else names(rest) == ""
  options <- c(list(kind = kind, config = config, fun = fun), rest[!is_input])
  if (missing(inputs)) return(do.call(new_layer, options))
  if (is_sequential(inputs))
    abort("cannot stand in a sequence of layers, as it needs several inputs; `keras_model()` takes any graph",
      fun = fun)
  all <- c(if (is.list(inputs) && !is.object(inputs)) inputs else list(inputs), rest[is_input])
  if (length(all) < 2) abort("`inputs` must be a list of at least two tensors, not ", describe(inputs), fun = fun)
  do.call(new_layer, options)(all)
}

#' A type that folds its inputs with an op of two.
#' @noRd
fold_type <- function(class_name, op) {
  list(
    class_name = class_name, several = TRUE, call = function(self, x) Reduce(op, same_rank(check_several(self, x))),
    mask = merged_mask
  )
}

check_several <- function(self, x) {
  if (is_branch(x) && length(x) > 1) return(x)
  abort("needs a list of at least two inputs, not ", describe(x), fun = self$name)
}

add_type <- fold_type("Add", function(a, b) op_add(a, b))
multiply_type <- fold_type("Multiply", function(a, b) op_multiply(a, b))
maximum_type <- fold_type("Maximum", function(a, b) op_maximum(a, b))
minimum_type <- fold_type("Minimum", function(a, b) op_minimum(a, b))

subtract_type <- fold_type("Subtract", function(a, b) op_subtract(a, b))

average_type <- list(
  class_name = "Average",
  several = TRUE,
  call = function(self, x) op_divide(Reduce(op_add, same_rank(check_several(self, x))), length(x)),
  mask = merged_mask
)

concatenate_type <- list(
  class_name = "Concatenate",
  several = TRUE,
  call = function(self, x) {
    at <- op_axis(self, self$config$axis, x[[1]])
    tell_other_base(check_several(self, x), self$config$axis, at)
    op_concat(x, at)
  },
  mask = joined_mask
)

#' A positive axis counts from 0 in keras and from 1 in keras3. Where both would do, say which it is.
#' @param at the axis, 1-based.
#' @noRd
tell_other_base <- function(x, axis, at) {
  if (axis < 2) return()
  shapes <- lapply(x, shape_of)
  alike <- function(but) all(vapply(shapes[-1], function(s) length(s) == length(shapes[[1]]) && same_sizes(s[-but],
    shapes[[1]][-but]), NA))
  if (!alike(at - 1) || !alike(at)) return()
  tell_once("concatenate", paste0("`layer_concatenate()`: `axis = ", axis, "` counts from 0, with the batch as axis 0,",
    " as in keras; keras3 counts from 1, and its ", axis, " is ", axis - 1, " here. -1 is the last axis in both."))
}

dot_type <- list(
  class_name = "Dot",
  several = TRUE,
  call = function(self, x) {
    if (length(check_several(self, x)) != 2) abort("needs two inputs, not ", length(x), fun = self$name)
    ranks <- vapply(x, rank_of, 0L)
    given <- self$config$axes
    axes <- ifelse(given < 0, ranks + given, given) + 1
    if (!length(given) %in% 1:2 || any(axes < 2 | axes > ranks)) {
      abort("`axes` must name one axis, not the batch, or one for each of the inputs of shape ",
        input_shape_text(x[[1]]), " and ", input_shape_text(x[[2]]), ", not be ", format_shape(given), fun = self$name)
    }
    axes <- rep(axes, length.out = 2)
    sizes <- vapply(1:2, function(k) shape_of(x[[k]])[axes[k]], 0)
    if (sizes[1] != sizes[2]) {
      abort("the axes to multiply along differ in size: ", sizes[1], " in ", input_shape_text(x[[1]]), " and ",
        sizes[2], " in ", input_shape_text(x[[2]]), class = "shape", fun = self$name)
    }
    if (self$config$normalize) x <- Map(op_l2_normalize, x, axes)
    sides <- lapply(1:2, function(k) { # (rows, others, the axis)
      others <- setdiff(seq_len(ranks[k])[-1], axes[k])
      turned <- op_transpose(x[[k]], c(1, others, axes[k]))
      op_reshape(turned, c(-1, prod(shape_of(x[[k]])[others]), shape_of(x[[k]])[axes[k]]))
    })
    kept <- unlist(lapply(1:2, function(k) shape_of(x[[k]])[setdiff(seq_len(ranks[k])[-1], axes[k])]))
    op_reshape(op_matmul(sides[[1]], sides[[2]], transpose_y = TRUE), c(-1, if (length(kept)) kept else 1))
  }
)
