# Data sets of several data sets.

#' Concatenate data sets
#'
#' The elements of one data set after those of the other.
#'
#' @param dataset a data set.
#' @param ... more data sets.
#' @return A data set.
#' @section Errors: `nativenet_error_names` if the data sets differ in the names of their columns.
#' @seealso [zip_datasets()], [sample_from_datasets()]
#' @examples
#' print(iterate(dataset_concatenate(range_dataset(to = 2), range_dataset(5, 7)), as.array))
#' @export
dataset_concatenate <- function(dataset, ...) {
  all <- list(dataset, ...)
  for (d in all) check_dataset(d)
  check_columns_agree(all)
  size <- sum(vapply(all, `[[`, 0, "size"))
  same <- all(vapply(all, function(d) has_stages(d) && identical(d$spec, dataset$spec), NA))
  if (same && length(all) <= most_inputs) {
    return(new_dataset(dataset$spec, size, stages = function(add)
      add("concatenate", vapply(all, function(d) d$stages(add), 0L))))
  }
  new_dataset(NULL, size, pull = function() {
    i <- 1
    pull <- all[[1]]$pull()
    function() {
      while (is.null(element <- pull())) {
        if (i == length(all)) return(NULL)
        i <<- i + 1
        pull <<- all[[i]]$pull()
      }
      element
    }
  })
}

#' Elements that follow each other are told by position: columns in another order would be mixed up.
#' @noRd
check_columns_agree <- function(datasets, fun = calling_function()) {
  names <- lapply(datasets, function(d) lapply(tensor_leaves(d$spec), `[[`, "columns"))
  for (own in names) {
    if (length(own) != length(names[[1]])) next
    differ <- !mapply(function(a, b) is.null(a) || is.null(b) || identical(a, b), own, names[[1]])
    if (any(differ)) {
      abort("the data sets differ in their columns: ", some_names("", names[[1]][differ][[1]]), " and ",
        some_names("", own[differ][[1]]), class = "names", fun = fun)
    }
  }
}

#' Zip data sets
#'
#' Elements are lists of the elements of all data sets; the shortest one ends them.
#'
#' @param ... data sets, or one list of them.
#' @return A data set.
#' @seealso [dataset_concatenate()], [dataset_enumerate()]
#' @examples
#' print(iterate(zip_datasets(range_dataset(to = 2), range_dataset(5, 9))))
#' @export
zip_datasets <- function(...) {
  all <- list(...)
  if (length(all) == 1 && is_branch(all[[1]])) all <- all[[1]]
  if (!length(all)) abort("needs at least one data set")
  for (d in all) check_dataset(d, "...")
  size <- min(vapply(all, `[[`, 0, "size"))
  spec <- if (!any(vapply(all, function(d) is.null(d$spec), NA))) lapply(all, function(d) d$spec)
  fits <- length(all) <= most_inputs && length(tensor_leaves(spec)) <= most_tensors
  if (all(vapply(all, has_stages, NA)) && fits) {
    return(new_dataset(spec, size, stages = function(add)
      add("zip", vapply(unname(all), function(d) d$stages(add), 0L))))
  }
  new_dataset(spec, size, pull = function() {
    pulls <- lapply(all, function(d) d$pull())
    function() {
      elements <- lapply(pulls, function(pull) pull())
      if (!holds_null(elements)) elements
    }
  })
}

#' @rdname zip_datasets
#' @export
dataset_zip <- function(...) zip_datasets(...)

#' Enumerate a data set
#'
#' Elements are lists of a number and an element.
#'
#' @param dataset a data set.
#' @param start the first number.
#' @return A data set.
#' @seealso [zip_datasets()]
#' @examples
#' print(iterate(dataset_enumerate(range_dataset(5, 7))))
#' @export
dataset_enumerate <- function(dataset, start = 0L) {
  check_dataset(dataset)
  start <- check_whole(start)
  numbers <- range_dataset(start, start + if (is.finite(dataset$size)) dataset$size else 2^52)
  numbers$size <- dataset$size
  zip_datasets(numbers, dataset)
}

#' Prefetch elements of a data set
#'
#' Ignored; present for compatibility with TensorFlow: the data set comes back as it is.
#'
#' @param dataset a data set.
#' @param buffer_size a whole number, or `NULL`.
#' @param device `"/cpu:0"`, the only one.
#' @return The data set.
#' @examples
#' dataset_prefetch(range_dataset(to = 2), 1)
#' @export
dataset_prefetch <- function(dataset, buffer_size = NULL) {
  if (!is.null(buffer_size)) check_count(buffer_size, min = -1) # -1: tf$data$AUTOTUNE
  check_dataset(dataset)
}

#' Sample from data sets at random
#'
#' Each element is the next one of a data set that is drawn at random.
#'
#' @param datasets a list of data sets.
#' @param weights a number for each data set, proportional to the probability that it is drawn; `NULL` for equal ones.
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @param stop_on_empty_dataset end when a data set that has ended is drawn? Otherwise it is drawn no more.
#' @return A data set.
#' @seealso [dataset_concatenate()]
#' @examples
#' set.seed(1)
#' data <- sample_from_datasets(list(range_dataset(to = 3), range_dataset(10, 13)))
#' print(iterate(data, as.array))
#' @export
sample_from_datasets <- function(datasets, weights = NULL, seed = NULL, stop_on_empty_dataset = TRUE) {
  check_datasets(datasets)
  check_flag(stop_on_empty_dataset)
  if (is.null(weights)) weights <- rep(1, length(datasets))
  weights <- plain_argument(weights, "weights")
  if (length(weights) != length(datasets) || !are_numbers(weights) ||
    !isTRUE(all(weights >= 0 & is.finite(weights))) || sum(weights) <= 0) {
    abort("`weights` must be one number of at least 0 per data set, not ", describe(weights))
  }
  if (is.null(seed <- check_seed(seed, max = 2^53))) seed <- NA
  size <- if (stop_on_empty_dataset) NA else sum(vapply(datasets, `[[`, 0, "size"))
  new_dataset(NULL, size, pull = function() {
    place <- random_places(seed)
    pulls <- lapply(datasets, function(d) d$pull())
    open <- weights
    function() {
      while (sum(open) > 0) {
        i <- findInterval((place(2^20) - 0.5) / 2^20, cumsum(open) / sum(open)) + 1
        element <- pulls[[i]]()
        if (!is.null(element)) return(element)
        open[if (stop_on_empty_dataset) seq_along(open) else i] <<- 0
      }
    }
  })
}

#' Choose from data sets
#'
#' Takes each element from the data set whose number, counted from 0, `choice_dataset` tells.
#'
#' @param datasets a list of data sets.
#' @param choice_dataset a data set of whole numbers from 0 to the number of data sets less 1.
#' @param stop_on_empty_dataset end when a data set that has ended is chosen? Otherwise such a choice is left out.
#' @return A data set.
#' @section Errors: `nativenet_error_index` for a number that no data set has.
#' @seealso [sample_from_datasets()]
#' @examples
#' words <- lapply(c("foo", "bar", "baz"), function(x) dataset_repeat(tensors_dataset(x)))
#' print(iterate(choose_from_datasets(words, dataset_repeat(range_dataset(to = 3), 2))))
#' @export
choose_from_datasets <- function(datasets, choice_dataset, stop_on_empty_dataset = TRUE) {
  check_datasets(datasets)
  check_dataset(choice_dataset, "choice_dataset")
  check_flag(stop_on_empty_dataset)
  new_dataset(NULL, NA, pull = function() {
    choices <- choice_dataset$pull()
    pulls <- lapply(datasets, function(d) d$pull())
    function() {
      while (!is.null(choice <- choices())) {
        i <- whole_result(choice, "choice_dataset", "choose_from_datasets")
        if (i < 0 || i >= length(pulls)) abort("`choice_dataset` must give numbers from 0 to ", length(pulls) - 1,
          ", not ", i, class = "index", fun = "choose_from_datasets")
        element <- pulls[[i + 1]]()
        if (!is.null(element) || stop_on_empty_dataset) return(element)
      }
    }
  })
}

check_datasets <- function(datasets, fun = calling_function()) {
  if (!is_branch(datasets) || !length(datasets)) abort("`datasets` must be a list of data sets, not ",
    describe(datasets), fun = fun)
  for (d in datasets) check_dataset(d, "datasets", fun)
  check_columns_agree(datasets, fun)
}

#' Random whole numbers without end
#'
#' Numbers from 0 to 2^32 - 1, each equally likely.
#'
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @return A data set of scalars of int64.
#' @seealso [range_dataset()]
#' @examples
#' print(iterate(dataset_take(random_integer_dataset(seed = 1), 3), as.array))
#' @export
random_integer_dataset <- function(seed = NULL) {
  if (is.null(seed <- check_seed(seed, max = 2^53))) seed <- NA
  new_dataset(tensor_spec("int64", integer()), Inf, pull = function() {
    place <- random_places(seed)
    function() tensor((place(2^16) - 1) * 2^16 + place(2^16) - 1, "int64")
  })
}
