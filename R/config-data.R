# R values as plain data for JSON, which are read as the very same: of their type, with their sizes and names, numbers
# that are not finite, lists of one element. No code is among them.

# Attributes and classes that values may have.
kept_attributes <- c("dim", "dimnames", "names", "levels", "tzone", "units", "row.names", "class")
kept_classes <- list("factor", c("ordered", "factor"), "Date", c("POSIXct", "POSIXt"), "difftime", "data.frame",
  "nn_shape", "nn_dtype")
kept_types <- c("list", "double", "integer", "logical", "character")

#' @param refuse called with what no data stands for.
#' @param object gives the data of what is no plain value, or NULL.
#' @noRd
value_data <- function(x, refuse, object = function(x) NULL) {
  data <- object(x)
  if (!is.null(data)) return(data)
  if (is.null(x)) return(list(null = TRUE))
  further <- attributes(x)
  if (isS4(x) || !typeof(x) %in% kept_types || !all(names(further) %in% kept_attributes) || is.object(x) &&
    !list(class(x)) %in% kept_classes || is.character(x) && !all(validEnc(x) & Encoding(x) != "bytes")) refuse(x)
  of <- function(v) value_data(v, refuse, object)
  further <- further[setdiff(names(further), if (is.list(x)) "names" else "dim")]
  data <- if (is.list(x)) list(list = unname(lapply(unclass(x), of)), names = as.list(names(x))) else {
    values <- as.vector(unclass(x))
    list(type = typeof(x), dim = as.list(dim(x)), text = if (is.character(values)) as.list(values) else
      paste(if (is.double(values)) exact_text(values) else values, collapse = " "))
  }
  c(data, if (length(further)) list(more = of(further)))
}

#' Back.
#' @param object gives list(value) for the data of what is no plain value, NULL for others.
#' @noRd
read_value_data <- function(x, object = function(x) NULL) {
  found <- object(x)
  if (!is.null(found)) return(found[[1]])
  if (!is.null(x$null)) return(NULL)
  if (is.null(x$list)) {
    type <- check_choice(x$type, kept_types[-1], arg = "type", fun = NULL)
    text <- if (type == "character") data_strings(x$text) else strsplit(check_string(x$text, "text", NULL), " ",
      fixed = TRUE)[[1]]
    if (type != "character") text[text == "NA"] <- NA
    value <- as.vector(text, type)
    if (length(x$dim)) dim(value) <- unlist(x$dim)
  } else {
    value <- lapply(x$list, read_value_data, object)
    names(value) <- if (length(x$names)) data_strings(x$names)
  }
  if (is.null(x$more)) return(value)
  more <- read_value_data(x$more)
  if (!all(names(more) %in% kept_attributes) || !is.null(more$class) && !list(more$class) %in% kept_classes)
    abort("a value has attributes that no file of ours holds", class = "file", fun = NULL)
  attributes(value) <- c(attributes(value), more)
  value
}

data_strings <- function(x) vapply(as.list(x), function(v) if (is.null(v)) NA_character_ else v, "")

#' What JSON says of a value, if that is all that there is to say of it; NULL otherwise.
#' @noRd
json_form <- function(x) {
  plain <- function(x) is.null(x) || !is.object(x) && (is_branch(x) && all(vapply(x, plain, NA)) ||
    typeof(x) %in% kept_types[-1])
  if (!plain(x)) return(NULL)
  form <- exact_numbers(x, point = TRUE)
  again <- tryCatch(json_value(from_json(to_json(list(x = form)), "value", NULL)$x), error = function(e) emptyenv())
  if (identical(again, x)) list(form)
}

#' JSON's arrays of plain values are vectors.
#' @noRd
plain_value <- function(x) {
  if (is.list(x) && length(x) && is.null(names(x)) &&
    all(vapply(x, function(v) is.null(v) || is.atomic(v) && length(v) == 1, NA))) {
    return(unlist(lapply(x, function(v) if (is.null(v)) NA else v)))
  }
  if (is.list(x) && !length(x)) NULL else x
}

#' The same at any depth.
#' @noRd
json_value <- function(x) {
  x <- plain_value(x)
  if (is_branch(x)) lapply(x, json_value) else x
}

#' Does it hold what is no plain value: layers, functions, tensors?
#' @noRd
holds_any <- function(x, what) what(x) || is_branch(x) && any(vapply(x, holds_any, NA, what))
