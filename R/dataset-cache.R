# The elements of a data set, kept in memory or in a file of tensors (R/safetensors.R). Elements of one kind, which
# agree in structure, dtypes and shapes, are stacked: a tensor for each of their leaves. Strings are their bytes, and
# how many each has.

#' Cache a data set
#'
#' Keeps the elements in memory or in a file when they are iterated over for the first time.
#'
#' A file that is damaged, or whose elements have other shapes, dtypes or another number than the data set's, is made
#' anew, with a warning. Remove it when the data have changed otherwise.
#'
#' @param dataset a data set.
#' @param filename a file to keep the elements in, or `NULL` for memory.
#' @return A data set.
#' @seealso [dataset_map()]
#' @examples
#' data <- dataset_cache(dataset_map(range_dataset(to = 3), ~ .x * 2L))
#' print(iterate(data, as.array))
#' @export
dataset_cache <- function(dataset, filename = NULL) {
  check_dataset(dataset)
  if (!is.null(filename)) check_string(filename)
  if (is.infinite(dataset$size)) return(dataset)
  kept <- new.env(parent = emptyenv())
  stacks <- function() {
    if (is.null(kept$stacks) && !is.null(filename)) check_replaceable(filename, "dataset_cache")
    if (is.null(kept$stacks) && !is.null(filename) && file.exists(filename)) kept$stacks <- read_cache(filename,
      dataset)
    if (is.null(kept$stacks)) {
      kept$stacks <- if (has_stages(dataset)) collect_native(dataset) else pack_elements(dataset_collect(dataset))
      if (!is.null(filename)) write_cache(filename, kept$stacks)
    }
    kept$stacks
  }
  if (has_stages(dataset)) {
    return(new_dataset(dataset$spec, dataset$size, stages = function(add) {
      all <- stacks()
      columns <- lapply(all$leaves[[1]], function(x) list(data = x, offset = 0))
      slices_dataset(dataset$spec, length(all$kind), columns)$stages(add)
    }))
  }
  new_dataset(dataset$spec, dataset$size, pull = function() {
    if (is.null(kept$items)) kept$items <- unpack_elements(stacks())
    indexed_dataset(NULL, length(kept$items), function(i) kept$items[[i]])$pull()
  })
}

# Stacks are list(kinds = what an element of each kind looks like, kind = that of each element, leaves = for each kind a
# list of its stacked leaves).

#' Of a native data set, whose elements are all of one kind.
#' @noRd
collect_native <- function(dataset) {
  pull <- stream_puller(dataset, 4096L, FALSE)
  parts <- list()
  while (!is.null(part <- pull())) parts[[length(parts) + 1]] <- tensor_leaves(part)
  specs <- tensor_leaves(dataset$spec)
  leaves <- lapply(seq_along(specs), function(k) {
    if (length(parts)) op_concat(lapply(parts, `[[`, k), axis = 1) else tensor(array(0, c(0, specs[[k]]$dim)),
      specs[[k]]$dtype)
  })
  kind <- fill_leaves(dataset$spec, lapply(leaves, function(x) tensor_spec(tensor_dtype(x), dim(x)[-1])))
  list(kinds = list(kind), kind = rep(1L, dim(leaves[[1]])[1]), leaves = list(leaves))
}

pack_elements <- function(items) {
  kinds <- list()
  kind <- integer(length(items))
  for (i in seq_along(items)) {
    own <- kind_of(items[[i]])
    kind[i] <- place_of(own, kinds)
    if (is.na(kind[i])) {
      kinds <- c(kinds, list(own))
      kind[i] <- length(kinds)
    }
  }
  leaves <- lapply(seq_along(kinds), function(k) {
    of_kind <- lapply(items[kind == k], tensor_leaves)
    Map(pack_leaf, seq_along(of_kind[[1]]), tensor_leaves(kinds[[k]]), MoreArgs = list(items = of_kind))
  })
  list(kinds = kinds, kind = kind, leaves = leaves)
}

#' The spec of an element that holds tensors and strings alone.
#' @noRd
kind_of <- function(x) {
  fill_leaves(x, lapply(tensor_leaves(x), function(leaf) {
    if (is_tensor(leaf) || is.character(leaf)) return(spec_of(leaf))
    abort("elements that hold ", describe(leaf), " cannot be kept", fun = "dataset_cache")
  }))
}

pack_leaf <- function(at, spec, items) {
  values <- lapply(items, `[[`, at)
  if (spec$dtype == "string") return(unlist(values))
  bytes <- unlist(lapply(values, tensor_bytes))
  tensor_of_bytes(if (is.null(bytes)) raw() else bytes, spec$dtype, c(length(values), spec$dim))
}

tensor_of_bytes <- function(bytes, dtype, shape) .Call(C_tensor_from_bytes, bytes, 0, dtype_code(dtype),
  as.double(shape))
tensor_bytes <- function(x) .Call(C_tensor_bytes, x)

unpack_elements <- function(stacks) {
  items <- vector("list", length(stacks$kind))
  for (k in seq_along(stacks$kinds)) {
    at <- which(stacks$kind == k)
    leaves <- Map(unpack_leaf, stacks$leaves[[k]], tensor_leaves(stacks$kinds[[k]]), MoreArgs = list(n = length(at)))
    items[at] <- lapply(seq_along(at), function(i) fill_leaves(stacks$kinds[[k]], lapply(leaves, `[[`, i)))
  }
  items
}

unpack_leaf <- function(x, spec, n) {
  if (spec$dtype == "string") return(lapply(unname(split(x, rep(seq_len(n), each = prod(spec$dim)))), text_array,
    spec$dim))
  bytes <- .Call(C_tensor_bytes, x)
  lapply(seq_len(n), function(i) .Call(C_tensor_from_bytes, bytes, (i - 1) * length(bytes) / n, dtype_code(spec$dtype),
    as.double(spec$dim)))
}

# ---- the file ----

cache_format <- "nativenet data set 1"

write_cache <- function(filename, stacks) {
  tensors <- list(kind = tensor(array(stacks$kind, length(stacks$kind)), "int32"))
  for (k in seq_along(stacks$leaves)) for (i in seq_along(stacks$leaves[[k]])) {
    x <- stacks$leaves[[k]][[i]]
    key <- sprintf("%d/%d", k, i)
    if (is_tensor(x)) {
      tensors[[key]] <- x
    } else {
      tensors[[key]] <- charToRaw(paste(x[!is.na(x)], collapse = ""))
      tensors[[paste0(key, "/sizes")]] <- tensor(array(ifelse(is.na(x), -1L, nchar(x, "bytes")), length(x)), "int32")
    }
  }
  metadata <- list(format = cache_format, kinds = to_json(lapply(stacks$kinds, kind_entry)))
  metadata$sum <- cache_sum(tensors, metadata)
  replace_file(filename, safetensors_pieces(tensors, metadata, "dataset_cache"), fun = "dataset_cache")
}

#' Of all that the file holds: a file in which a bit has changed is not believed.
#' @noRd
cache_sum <- function(tensors, metadata) {
  sums <- vapply(tensors, function(x) .Call(C_sha256, if (is_tensor(x)) .Call(C_tensor_bytes, x) else as.vector(x)), "")
  .Call(C_sha256, charToRaw(paste(c(names(tensors), sums, metadata$format, metadata$kinds), collapse = " ")))
}

# Lists may have names, or some of them; JSON's objects must have all.
kind_entry <- function(x) {
  if (is_branch(x)) list(names = as.list(names(x)), parts = lapply(unname(x), kind_entry)) else
    list(dtype = x$dtype, dim = as.list(x$dim))
}

read_kind <- function(x) {
  if (!is.null(x$dtype)) return(tensor_spec(x$dtype, unlist(x$dim)))
  parts <- lapply(x$parts, read_kind)
  if (length(x$names)) stats::setNames(parts, unlist(x$names)) else parts
}

#' The stacks in a file; NULL, with a warning, if it is not whole or of another data set.
#' @noRd
read_cache <- function(filename, dataset) {
  refuse <- function(...) abort(..., class = "file", fun = NULL)
  tryCatch({
    file <- read_tensor_file(filename, "filename", NULL)
    if (!identical(file$metadata$format, cache_format)) refuse("it is no cache of a data set")
    if (!identical(file$metadata$sum, cache_sum(file$tensors, file$metadata))) refuse("it is damaged")
    kinds <- lapply(from_json(file$metadata$kinds, "description of elements", NULL), read_kind)
    kind <- as.integer(as.array(file$tensors$kind))
    if (!is.na(dataset$size) && length(kind) != dataset$size) refuse("it holds ", length(kind), " elements, not ",
      dataset$size)
    if (!all(vapply(kinds, fits_spec, NA, dataset$spec))) refuse("its elements are like ", format_spec(kinds[[1]]),
      ", not ", format_spec(dataset$spec))
    leaves <- lapply(seq_along(kinds), function(k) lapply(seq_along(tensor_leaves(kinds[[k]])), function(i) {
      key <- sprintf("%d/%d", k, i)
      sizes <- file$tensors[[paste0(key, "/sizes")]]
      if (is.null(sizes)) file$tensors[[key]] else read_strings(as.vector(file$tensors[[key]]),
        as.integer(as.array(sizes)))
    }))
    list(kinds = kinds, kind = kind, leaves = leaves)
  }, nativenet_error = function(e) {
    warn("`dataset_cache()`: ", encodeString(filename, quote = "\""), " is made anew: ",
      error_text(e), class = "cache")
    NULL
  })
}

#' Is an element of this kind one of a data set that says so of its elements?
#' @noRd
fits_spec <- function(kind, spec) {
  if (is.null(spec)) return(TRUE)
  dtypes <- function(x) fill_leaves(x, lapply(tensor_leaves(x), `[[`, "dtype"))
  if (!identical(dtypes(kind), dtypes(spec))) return(FALSE)
  same <- function(own, of) own$dtype == "string" || length(own$dim) == length(of$dim) &&
    !any(own$dim != of$dim, na.rm = TRUE)
  all(mapply(same, tensor_leaves(kind), tensor_leaves(spec)))
}

read_strings <- function(bytes, sizes) {
  end <- cumsum(pmax(sizes, 0L))
  x <- vapply(seq_along(sizes), function(i) rawToChar(bytes[end[i] - sizes[i] + seq_len(max(sizes[i], 0))]), "")
  x[sizes < 0] <- NA
  Encoding(x[validUTF8(x)]) <- "UTF-8"
  x
}
