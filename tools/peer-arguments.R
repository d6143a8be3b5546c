# Writes tools/peer-arguments.csv: for each function that the R packages for Keras and TensorFlow export and that is here,
# too, each argument whose use there would be another one here:
#
#   missing    it is not taken here
#   default    it has another default
#   position   it stands elsewhere, so that a call without its name means another argument
#
# and, in `note`, why that stays so. What differs between the peers' own versions cannot agree with all of them: where
# one peer has it as it is here, that counts as agreement. The peers' packages are downloaded, not installed: their R code
# is read, and not run. Run by `make names`, after tools/peer-names.R, which fetches them.

# Of rules the first that fits counts: patterns of "name argument what".
kept <- read.csv("tools/peer-arguments-kept.csv", strip.white = TRUE)

# The formal arguments of the functions that files assign at their top level. An assignment of another's name has its
# arguments.
formals_in <- function(files) {
  found <- list()
  assigned <- function(e) is.call(e) && as.character(e[[1]])[1] %in% c("<-", "=") && (is.name(e[[2]]) ||
    is.character(e[[2]]))
  for (e in unlist(lapply(files, function(file) as.list(parse(file, keep.source = FALSE, encoding = "UTF-8"))))) {
    while (assigned(e)) {
      name <- as.character(e[[2]])
      value <- e[[3]]
      while (assigned(value)) value <- value[[3]]
      if (is.call(value) && identical(value[[1]], as.name("function"))) found[[name]] <- as.list(value[[2]])
      else if (is.name(value) && !is.null(found[[as.character(value)]])) found[[name]] <- found[[as.character(value)]]
      e <- e[[3]]
    }
  }
  found
}

# The same default, however it is written: 1L and 1, c(2L, 2L) and c(2, 2), NULL and a choice of many.
plain_default <- function(x) {
  if (identical(x, quote(expr = ))) return("")
  x <- do.call(substitute, list(x, list(tuple = as.name("c"), named_list = as.name("list"), tf = tf_dtypes)))
  value <- tryCatch(eval(x, baseenv()), error = function(e) NULL)
  if (is.list(value)) value <- unlist(value)
  if (is.numeric(value)) value <- as.double(value)
  if (is.null(value) && !is.null(x)) return(paste(deparse(x), collapse = " "))
  if (is.character(value) && length(value) > 1) value <- value[1] # of choices the first
  paste(deparse(value), collapse = " ")
}

tf_dtypes <- list(int64 = "int64", float32 = "float32", string = "string", data = list(AUTOTUNE = -1))

# What `...` takes, by the function it goes to; NULL: nobody knows.
namespace <- asNamespace("nativenet")
beyond <- function(f) {
  words <- all.names(body(f))
  idle <- function(kind) names(namespace$no_effect[[kind]])
  if ("new_layer" %in% words) return(c(namespace$layer_option_names, "input_dim", "batch_input_shape", idle("layer")))
  if (any(c("new_optimizer", "adam_like") %in% words))
    return(c(names(formals(namespace$new_optimizer)), idle("optimizer")))
  if ("check_no_more" %in% words) return(unlist(lapply(names(namespace$no_effect), idle)))
  NULL
}

differences <- function(name, peer, theirs, f) {
  ours <- formals(f)
  dots <- "..." %in% names(ours)
  further <- if (dots) beyond(f)
  any_more <- dots && is.null(further)
  row <- function(argument, what, there = "", here = "")
    data.frame(name = name, peer = peer, argument = argument, what = what, there = there, here = here)
  rows <- list()
  own <- setdiff(names(theirs), "...")
  for (argument in own) {
    there <- plain_default(theirs[[argument]])
    if (!argument %in% names(ours)) {
      if (!any_more && !argument %in% further) rows <- c(rows, list(row(argument, "missing", there)))
      next
    }
    here <- plain_default(ours[[argument]])
    # an argument that must be given there may have a default here
    if (here != there && there != "") rows <- c(rows, list(row(argument, "default", there, here)))
  }
  before <- function(x) utils::head(names(x), match("...", names(x), length(x) + 1) - 1)
  there <- before(theirs)
  here <- before(ours)
  # the first that stands elsewhere tells of all that follow
  k <- which(!mapply(identical, there, here[seq_along(there)]) & !(any_more & seq_along(there) > length(here)))[1]
  if (!is.na(k)) rows <- c(rows, list(row(there[k], "position", paste(there, collapse = ", "),
    paste(here, collapse = ", "))))
  do.call(rbind, rows)
}

compare_arguments <- function(found, into) {
  here <- Filter(is.function, sapply(getNamespaceExports("nativenet"), getExportedValue, ns = "nativenet",
    simplify = FALSE))
  rows <- lapply(names(found), function(peer) {
    theirs <- formals_in(list.files(file.path(into, peer, "R"), "[.][Rr]$", full.names = TRUE))
    shared <- intersect(intersect(found[[peer]]$exports, names(theirs)), names(here))
    shared <- Filter(function(n) !any(c("tell_not_yet", "nothing_to_do") %in% all.names(body(here[[n]]))), shared)
    do.call(rbind, lapply(shared, function(n) differences(n, peer, theirs[[n]], here[[n]])))
  })
  rows <- do.call(rbind, rows)
  # a call can mean what it means to one of the peers
  alone <- vapply(seq_len(nrow(rows)), function(i) {
    having <- names(found)[vapply(found, function(x) rows$name[i] %in% x$exports, NA)]
    one <- rows$name == rows$name[i] & rows$what == rows$what[i]
    rows$what[i] == "missing" || all(having %in% rows$peer[one & (rows$what[i] == "position" | rows$argument ==
      rows$argument[i])])
  }, NA)
  rows <- rows[alone, ]
  rows <- rows[order(rows$name, rows$argument, rows$what, rows$peer, method = "radix"), ]
  key <- paste(rows$name, rows$argument, rows$what)
  rule <- vapply(key, function(k) c(which(vapply(kept$pattern, grepl, NA, x = k)), NA)[1], 0L)
  rows$note <- ifelse(is.na(rule), "", kept$reason[rule])
  rows
}
