# Bounding boxes of pictures: rectangles around things, with the classes of these.

#' Layer for a number of bounding boxes
#'
#' As many boxes for each picture: those beyond `max_number` are left out, and where there are fewer, boxes of
#' `fill_value` follow. All else passes on as it is.
#'
#' @inheritParams layer_activation
#' @param object a named list with `bounding_boxes`, which is a named list of `boxes` of shape (batch, n, 4) and of
#'   `labels` of shape (batch, n), and whatever else, such as `images`; or pictures alone, which pass on; or missing
#'   to get the layer itself.
#' @param max_number how many boxes each picture is to have.
#' @param fill_value a number.
#' @return The list with `boxes` of shape (batch, `max_number`, 4) and `labels` of shape (batch, `max_number`).
#' @section Errors: `nativenet_error_shape` for boxes and labels of other shapes.
#' @examples
#' boxes <- list(boxes = array(1:24, c(1, 6, 4)), labels = matrix(1:6, 1))
#' found <- layer_max_num_bounding_boxes(list(bounding_boxes = boxes), max_number = 2)
#' dim(found$bounding_boxes$boxes) # 1 2 4
#' layer_max_num_bounding_boxes(list(bounding_boxes = boxes), max_number = 8)$bounding_boxes$labels
#' @export
layer_max_num_bounding_boxes <- function(object, max_number, fill_value = -1L, ...) {
  new_layer("max_num_bounding_boxes", object, list(max_number = check_count(max_number),
    fill_value = check_number(check_whole(fill_value))), ...)
}

max_num_bounding_boxes_type <- list(
  class_name = "MaxNumBoundingBoxes",
  several = TRUE,
  autocast = FALSE,
  call = function(self, x) {
    if (!is_branch(x) || is.null(x$bounding_boxes)) return(x)
    own <- x$bounding_boxes
    if (!is_branch(own) || !setequal(names(own), c("boxes", "labels"))) abort("`bounding_boxes` must be a list of ",
      "`boxes` and `labels`, not ", describe(own), fun = self$name)
    boxes <- shape_of(own$boxes)
    labels <- shape_of(own$labels)
    if (length(boxes) != 3 || boxes[3] != 4 || length(labels) != 2 || !same_sizes(labels, boxes[1:2])) abort(
      "`bounding_boxes` must have boxes of shape (batch, n, 4) and labels of shape (batch, n), not ",
      format_shape(boxes), " and ", format_shape(labels), class = "shape", fun = self$name)
    n <- self$config$max_number
    keep <- function(t) {
      rank <- rank_of(t)
      have <- shape_of(t)[2]
      rest <- rep(-1, rank - 2)
      t <- op_slice(t, rep(1, rank), c(-1, min(have, n), rest))
      if (have >= n) t else op_pad(t, rbind(0, c(0, n - have), matrix(0, rank - 2, 2)),
        constant_values = self$config$fill_value)
    }
    x$bounding_boxes <- list(boxes = keep(own$boxes), labels = keep(own$labels))
    x
  }
)
