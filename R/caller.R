# Which function of ours the user called: errors name it. And what it masks.

#' The name of the function whose evaluation frame is `frame`. As a default argument of a checker it names the
#' checker's caller.
#' @noRd
calling_function <- function(frame = parent.frame(2)) {
  for (i in rev(seq_len(sys.nframe()))) {
    if (!identical(sys.frame(i), frame)) next
    name <- spelling_of(i)
    if (is.null(name)) name <- name_of_frame(i)
    # lapply() calls it so; what the user called is the function that it was written in
    if (identical(name, "FUN")) return(calling_function(environment(sys.function(i))))
    if (length(name)) return(name)
  }
  NULL
}

#' What runs in frame i may be called by a thin spelling of it, `k_sum()` or `tf$reduce_sum()`, which is what the user
#' wrote.
#' @noRd
spelling_of <- function(i) {
  name <- NULL
  while (i > 0) {
    spelling <- spelled(sys.call(i))
    if (!is.null(spelling)) name <- spelling # the outermost
    parent <- sys.parents()[i]
    if (parent >= i) break # eval() in the frame of a function that has ended
    i <- parent
    # no further than from one function of ours to another
    if (i > 0 && !identical(topenv(environment(sys.function(i))), topenv())) break
  }
  name
}

#' The name in a call of `k_...()` or `tf$...()`, NULL for others.
#' @noRd
spelled <- function(call) {
  head <- call[[1]]
  if (is.name(head)) return(if (startsWith(as.character(head), "k_")) as.character(head))
  if (is.call(head) && identical(all.vars(head)[1], "tf")) gsub("`", "", paste(deparse(head), collapse = ""))
}

#' What a function is called in this call, which runs in this frame. "net$fit" becomes "fit", and a method its generic:
#' "[.nn_tensor" becomes "[", "predict.nn_model" "predict", "Ops.nn_tensor" the operator.
#' @noRd
called_name <- function(call, frame = NULL) {
  head <- call[[1]]
  if (is.call(head) && length(head) == 3) head <- head[[3]]
  if (!is.name(head)) return()
  name <- sub("[.]nn_[a-z_]+$", "", as.character(head))
  if (name %in% c("Ops", "Math", "Summary", "Complex", "matrixOps") && !is.null(frame)) get(".Generic", frame) else name
}

#' The same of frame i; where our code had the function as a variable, such as `op`, it is what the package calls it.
#' @noRd
name_of_frame <- function(i) {
  name <- called_name(sys.call(i), sys.frame(i))
  if (length(name) != 1 || identical(name, "FUN") || exists(name, topenv())) return(name)
  f <- sys.function(i)
  c(Find(function(own) identical(get(own, topenv()), f), ls(topenv())), name)[1]
}

#' The name of the outermost function of ours that is running, or of a method of ours.
#' @noRd
user_function <- function() {
  namespace <- topenv()
  for (i in seq_len(sys.nframe())) {
    if (inherits(sys.function(i), "nn_part")) return(label_of(sys.function(i)))
    home <- environment(sys.function(i))
    ours <- identical(home, namespace) || (is.environment(home) && is.environment(home$.self))
    name <- if (is.environment(home) && identical(topenv(home), namespace)) spelled(sys.call(i))
    if (ours && is.null(name)) name <- name_of_frame(i)
    if (identical(name, "apply_layer")) return(sys.frame(i)$self$name) # a layer or model that was called
    if (identical(name, "graph_call")) return(called_name(sys.call(sys.parents()[i]))) # one of `autograph()`
    if (length(name)) return(name)
  }
  NULL
}

#' What a function is called that an object of ours is.
#' @noRd
label_of <- function(f) UseMethod("label_of")

#' A function that ours masks, and the package it is from.
#' @noRd
masked_function <- function(name) {
  for (place in setdiff(search(), c(".GlobalEnv", "package:nativenet"))) {
    f <- get0(name, as.environment(place), mode = "function", inherits = FALSE)
    if (!is.null(f)) return(list(f = f, package = sub("^package:", "", place)))
  }
}

#' For the end of an error: who gives an object of others to a function of ours may mean the one that ours masks.
#' @noRd
masked_hint <- function(fun = user_function()) {
  if (length(fun) != 1 || !fun %in% getNamespaceExports(topenv())) return("")
  masked <- masked_function(fun)
  ours <- getExportedValue("nativenet", fun)
  if (is.null(masked) || identical(masked$f, ours)) return("")
  at <- frame_of(ours)
  x <- if (length(at)) tryCatch(get(names(formals(ours))[1], sys.frame(at)), error = function(e) NULL)
  if (is_foreign(x)) paste0("; this is nativenet's, which masks `", masked$package, "::", fun, "()`") else ""
}

#' In which frame f runs, if it does.
#' @noRd
frame_of <- function(f) Find(function(i) identical(sys.function(i), f), seq_len(sys.nframe()))

is_foreign <- function(x) is.object(x) && !any(startsWith(class(x), "nn_")) && !is.data.frame(x) && !is.factor(x)
