# Columns of the elements of data sets by their names, as tidyselect writes them: names, `c()`, `-`, `a:b`, strings,
# numbers, `!!x`, formulas, and the functions of `selectors`. These are known within the code of a selection alone, so
# they mask nothing of other packages.

#' Names and dtypes of the columns of a data set whose elements are named lists. An element is looked at where the data
#' set does not know them; that leaves R's generator as it was.
#' @noRd
record_columns <- function(dataset, fun = calling_function()) {
  spec <- dataset$spec
  if (is.null(spec)) {
    element <- keeping_random_state(as_iterator(dataset)$pull())
    if (is.null(element)) abort("`dataset` has no elements, so its columns are not known", fun = fun)
    spec <- spec_of(element)
  }
  if (!is_named_list(spec) || !length(spec)) abort("`dataset` must have elements that are named lists, such as rows ",
    "of a data frame or of a file, not like ", format_spec(spec), fun = fun)
  bad <- !vapply(spec, inherits, NA, "nn_spec")
  if (any(bad)) abort("column \"", names(spec)[bad][1], "\" of `dataset` must be a tensor, not a list", fun = fun)
  list(names = names(spec), types = vapply(spec, `[[`, "", "dtype"), specs = spec)
}

numeric_types <- c("float32", "float64", "int32", "int64", "double", "half", "float16", "int16")

#' What may stand in a selection; each gives places among the columns.
#' @noRd
selectors <- function(columns) {
  matching <- function(pattern, ignore.case = TRUE, ...) sort(unique(unlist(lapply(pattern, function(p)
    grep(p, columns$names, ignore.case = ignore.case, ...)))))
  quoted <- function(x) gsub("([][{}()+*^$|\\\\?.])", "\\\\\\1", x)
  list(
    starts_with = function(match, ignore.case = TRUE) matching(paste0("^", quoted(match)), ignore.case),
    ends_with = function(match, ignore.case = TRUE) matching(paste0(quoted(match), "$"), ignore.case),
    contains = function(match, ignore.case = TRUE) matching(quoted(match), ignore.case),
    matches = function(match, ignore.case = TRUE, perl = FALSE) matching(match, ignore.case, perl = perl),
    num_range = function(prefix, range, width = NULL) match(paste0(prefix, if (is.null(width)) range else
      formatC(range, width = width, flag = "0", format = "d")), columns$names, 0),
    one_of = function(...) c(...), all_of = function(x) x, any_of = function(x) intersect(x, columns$names),
    everything = function() seq_along(columns$names), last_col = function() length(columns$names),
    has_type = function(match = "float32") {
      types <- has_type(match)
      # R's doubles are float32 in tfdatasets
      which(columns$types %in% c(types, if ("float32" %in% types && !"float32" %in% columns$types) "float64"))
    },
    all_numeric = function() which(columns$types %in% numeric_types),
    all_nominal = function() which(columns$types == "string")
  )
}

#' @param exprs code of the selection; @param env where other names in it are.
#' @noRd
select_columns <- function(exprs, columns, env, fun = calling_function()) {
  helpers <- selectors(columns)
  place <- function(x) {
    if (is.character(x)) {
      check_strings(x, "x", fun)
      unknown <- setdiff(x, columns$names)
      if (length(unknown)) abort("there is no column ", encodeString(unknown[1], quote = "\""),
        did_you_mean(unknown[1], columns$names), class = "names", fun = fun)
      return(match(x, columns$names))
    }
    if (is.numeric(x) && all(is.finite(x)) && all(abs(x) <= length(columns$names)) && all(x == trunc(x)))
      return(seq_along(columns$names)[x])
    abort("a selection of columns must be names, strings or places, not ", describe(x), fun = fun)
  }
  called <- function(e) if (is.call(e) && is.name(e[[1]])) as.character(e[[1]]) else ""
  negative <- function(e) called(e) == "-" && length(e) == 2
  pick <- function(e) {
    if (is.name(e)) {
      name <- as.character(e)
      return(place(if (name %in% columns$names || !exists(name, envir = env)) name else eval(e, env)))
    }
    if (!is.call(e)) return(place(e))
    head <- called(e)
    if (head == "(") return(pick(e[[2]]))
    if (head == "c") return(combine(as.list(e)[-1]))
    if (negative(e)) return(setdiff(seq_along(columns$names), pick(e[[2]])))
    if (head == "!") {
      if (called(e[[2]]) == "!") return(place(eval(e[[2]][[2]], env))) # !!x
      return(setdiff(seq_along(columns$names), pick(e[[2]])))
    }
    if (head == ":") {
      ends <- c(pick(e[[2]]), pick(e[[3]]))
      return(seq(ends[1], ends[2]))
    }
    if (head %in% c("&", "|")) return(if (head == "&") intersect(pick(e[[2]]), pick(e[[3]])) else
      union(pick(e[[2]]), pick(e[[3]])))
    place(eval(e, helpers, env))
  }
  # as in tidyselect: what begins with something left out begins with all
  combine <- function(exprs) {
    chosen <- if (length(exprs) && negative(exprs[[1]])) seq_along(columns$names) else integer()
    for (e in exprs) chosen <- if (negative(e)) setdiff(chosen, pick(e[[2]])) else union(chosen, pick(e))
    chosen
  }
  columns$names[combine(exprs)]
}

#' The features and the response of a formula, or of two selections.
#' @noRd
select_xy <- function(x, y, columns, env, fun = calling_function()) {
  formula <- if (is.call(x) && identical(x[[1]], quote(`~`))) x else if (is.name(x) &&
    !as.character(x) %in% columns$names && inherits(get0(as.character(x), envir = env), "formula")) eval(x, env)
  if (is.null(formula)) {
    chosen <- select_columns(list(x), columns, env, fun)
    return(list(x = chosen, y = if (!is.null(y)) select_columns(list(y), columns, env, fun)))
  }
  if (!is.null(y)) abort("`y` stands in the formula, and must not be given beside it", fun = fun)
  response <- if (length(formula) == 3) select_columns(list(formula[[2]]), columns, env, fun)
  frame <- stats::setNames(as.data.frame(matrix(0, 0, length(columns$names))), columns$names)
  terms <- stats::terms(stats::as.formula(formula, env), data = frame[setdiff(columns$names, response)])
  labels <- gsub("`", "", attr(terms, "term.labels"), fixed = TRUE)
  list(x = select_columns(as.list(labels), columns, env, fun), y = response)
}

#' Select columns by their dtypes
#'
#' For the steps of [feature_spec()] and for [dataset_prepare()], where `starts_with()`, `ends_with()`, `contains()`,
#' `matches()`, `num_range()`, `one_of()` and `everything()` are known, too.
#'
#' @param match dtypes. `"float32"` selects columns of float64, such as those of R's doubles, where there are none of
#'   float32.
#' @return `has_type()`: the dtypes as strings, `all_numeric()` and `all_nominal()` those of numbers and of strings.
#'   Within a selection: the columns that have them.
#' @examples
#' data <- tensor_slices_dataset(data.frame(a = 1:2 / 2, b = 1:2, c = c("u", "v")))
#' feature_spec(data, x = all_numeric())
#' @export
has_type <- function(match = "float32") {
  types <- c(double = "float64", half = "float16", integer = "int32", character = "string")
  match <- if (is_branch(match)) unlist(lapply(match, check_string, "match")) else match
  match <- check_strings(if (inherits(match, "nn_dtype")) as.character(match) else match)
  match <- ifelse(match %in% names(types), types[match], match)
  vapply(match, check_choice, "", c(input_dtypes(), numeric_types), "match", "has_type", USE.NAMES = FALSE)
}

#' @rdname has_type
#' @export
all_numeric <- function() numeric_types

#' @rdname has_type
#' @export
all_nominal <- function() "string"
