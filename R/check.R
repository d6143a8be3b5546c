# Errors and argument checks: the one place that words them.
#
# Every error of the package is a condition of class `nativenet_error_<kind>` and
# `nativenet_error`, and reads "`function()`: `argument` must be ..., not ...".

#' Raise a classed error.
#'
#' @param ... pasted into the message.
#' @param class the kind: "value", "shape", "dtype", "index", "file", "offline", "nan", ...
#' @param fun name of the function the user called, or NULL for no prefix.
#' @noRd
abort <- function(..., class = "value", fun = calling_function()) {
  message <- paste0(...)
  # operators are not written with parentheses
  if (length(fun)) message <- paste0("`", fun, if (grepl("^[[:alnum:]._$]+$", fun)) "()", "`: ", message, masked_hint())
  if (!validUTF8(message)) message <- iconv(message, "UTF-8", "ASCII", sub = "byte")
  stop(structure(
    class = c(paste0("nativenet_error_", class), "nativenet_error", "error", "condition"),
    list(message = message, call = NULL)
  ))
}

#' The kind of an error, for another one that says more.
#' @noRd
error_kind <- function(e) sub("^nativenet_error_", "", grep("^nativenet_error_", class(e), value = TRUE))

#' Its text without the function that it names first.
#' @noRd
error_text <- function(e) sub("^`[^`]*`: ", "", conditionMessage(e))

#' Give a classed warning.
#' @noRd
warn <- function(..., class) {
  warning(structure(class = c(paste0("nativenet_warning_", class), "nativenet_warning", "warning", "condition"),
    list(message = paste0(...), call = NULL)))
}

#' The name of the function whose evaluation frame is `frame`. As a default argument of a checker it names the
#' checker's caller.
#' @noRd
calling_function <- function(frame = parent.frame(2)) {
  for (i in rev(seq_len(sys.nframe()))) {
    if (!identical(sys.frame(i), frame)) next
    name <- spelling_of(i)
    if (is.null(name)) name <- called_name(sys.call(i), sys.frame(i))
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
  if (name %in% c("Ops", "Math", "Summary", "matrixOps") && !is.null(frame)) get(".Generic", frame) else name
}

#' The name of the outermost function of ours that is running, or of a method of ours.
#' @noRd
user_function <- function() {
  namespace <- topenv()
  for (i in seq_len(sys.nframe())) {
    if (inherits(sys.function(i), "nn_part")) return(part_label(sys.function(i)))
    home <- environment(sys.function(i))
    ours <- identical(home, namespace) || (is.environment(home) && is.environment(home$.self))
    name <- if (is.environment(home) && identical(topenv(home), namespace)) spelled(sys.call(i))
    if (ours && is.null(name)) name <- called_name(sys.call(i), sys.frame(i))
    if (identical(name, "apply_layer")) return(sys.frame(i)$self$name) # a layer or model that was called
    if (identical(name, "graph_call")) return(called_name(sys.call(sys.parents()[i]))) # one of `autograph()`
    if (length(name)) return(name)
  }
  NULL
}

#' Describe a bad value in a few words, for the end of a message.
#' @noRd
describe <- function(x) {
  if (is.null(x)) return("NULL")
  if (is_layer(x)) return(if (is_model(x)) "a model" else paste(with_article(layer_self(x)$class_name), "layer"))
  if (inherits(x, "nn_history")) return("a history, which `fit()` returned; the model is what it was called with")
  if (is_tensor(x) && !is.null(dim(x))) return(paste("a tensor of shape", format_shape(dim(x))))
  if (is_keras_tensor(x)) return(paste("a symbolic tensor of shape", format_keras_shape(dim(x))))
  if (is(x, "refObjectGenerator")) return(sprintf("the class itself; `%s()` makes an object of it", x$className))
  if (inherits(x, "nn_part")) return(with_article(part_kind(x)))
  if (inherits(x, "nn_optimizer")) return(sprintf("an optimizer of models, `%s()`",
    constructor_of(.subset2(x, "kind"))))
  if (is.function(x)) return("a function")
  if (is.factor(x)) return("a factor")
  if (!is.null(dim(x))) {
    kind <- if (is.matrix(x) && !is.numeric(x)) paste(typeof(x), "matrix") else class(x)[1]
    return(sprintf("%s of shape %s", with_article(kind), format_shape(dim(x))))
  }
  if (is_integer64(x)) x <- check_numbers(x)
  if (is.atomic(x) && is.object(x)) return(sprintf("%s of length %d", with_article(paste0("<", class(x)[1], ">")),
    length(x)))
  if (is.atomic(x) && length(x) == 1) {
    if (is.character(x)) return(encodeString(x, quote = "\""))
    return(format(x, digits = 6))
  }
  if (is.atomic(x) || is.list(x) && !is.object(x)) {
    return(sprintf("%s of length %d", with_article(if (is.list(x)) "list" else paste(typeof(x), "vector")), length(x)))
  }
  sprintf("an object of class %s", paste0("<", class(x)[1], ">"))
}

with_article <- function(noun) paste(if (grepl("^[aeiou]", noun, ignore.case = TRUE)) "an" else "a", noun)

#' "(32, 784)" as shapes are written in all messages.
#' @noRd
format_shape <- function(dim) paste0("(", paste(dim, collapse = ", "), ")")

#' For arguments without a default.
#' @noRd
check_given <- function(is_missing, arg, fun = calling_function()) if (is_missing) abort("`", arg, "` must be given",
  first_argument_hint(parent.frame(2), arg), fun = fun)

#' layer_dense(32) puts a layer on 32.
#' @noRd
first_argument_hint <- function(frame, arg) {
  object <- tryCatch(get0("object", frame, inherits = FALSE), error = function(e) NULL)
  if (is_number(object)) paste0("; the first argument without a name is what the layer is put on: write `", arg, " = ",
    object, "`")
}

#' Numbers whose class gives them no other meaning.
#' @noRd
are_numbers <- function(x) is.numeric(x) && !is.object(x)
is_number <- function(x) are_numbers(x) && length(x) == 1 && is.finite(x)

check_number <- function(x, min = -Inf, max = Inf, above = -Inf, below = Inf,
                         arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  if (is.object(x)) x <- plain_argument(x, arg, fun)
  if (is_number(x) && x >= min && x <= max && x > above && x < below) return(as.double(x))
  range <- c(
    if (above > -Inf) sprintf("above %g", above),
    if (min > -Inf) sprintf("at least %g", min),
    if (below < Inf) sprintf("below %g", below),
    if (max < Inf) sprintf("at most %g", max)
  )
  wanted <- if (length(range)) paste("a number", paste(range, collapse = " and ")) else "a finite number"
  abort("`", arg, "` must be ", wanted, ", not ", describe(x), fun = fun)
}

#' Whole numbers may come as doubles (`epochs = 10`), as R users write them.
#' @noRd
check_count <- function(x, min = 1, max = .Machine$integer.max,
                        arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  if (is.object(x)) x <- plain_argument(x, arg, fun)
  if (is_number(x) && x == round(x) && x >= min && x <= max) return(if (abs(x) <= .Machine$integer.max)
    as.integer(x) else as.double(x))
  wanted <- if (min == -max) "a whole number" else switch(as.character(min),
    "1" = "a positive whole number", "0" = "a whole number, zero or more",
    sprintf("a whole number of at least %g", min)
  )
  if (max < .Machine$integer.max) wanted <- sprintf("%s and at most %.0f", wanted, max)
  abort("`", arg, "` must be ", wanted, ", not ", describe(x), fun = fun)
}

#' Whole numbers in a vector, a list or a tensor, of a size that R's integers have.
#' @noRd
check_whole <- function(x, min = -.Machine$integer.max, max = .Machine$integer.max,
                        arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  numbers <- plain_numbers(x, arg, fun)
  if (are_numbers(numbers) && all(is.finite(numbers)) && all(numbers == round(numbers))) {
    if (all(numbers >= min & numbers <= max)) return(as.double(numbers))
    outside <- numbers[numbers < min | numbers > max][1]
    range <- if (outside < min) paste("at least", format(min, digits = 15)) else
      paste("at most", format(max, digits = 15))
    abort("`", arg, "` must be whole numbers of ", range, ", not ", describe(outside), fun = fun)
  }
  abort("`", arg, "` must be whole numbers, not ", describe(x), fun = fun)
}

#' Finite numbers in a vector, a list or a tensor.
#' @noRd
check_reals <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  numbers <- plain_numbers(x, arg, fun)
  if (are_numbers(numbers) && all(is.finite(numbers))) return(as.double(numbers))
  abort("`", arg, "` must be finite numbers, not ", describe(x), fun = fun)
}

#' A list of numbers, or a tensor, as a vector; anything else as it is.
#' @noRd
plain_numbers <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  x <- if (is_branch(x)) lapply(x, known_value) else known_value(x)
  if (is_tensor(x)) return(if (is_symbolic(x)) x else as.array(x))
  one <- function(x) is_number(if (is_tensor(x) && !is_symbolic(x)) as.array(x) else x)
  if (is_branch(x) && all(vapply(x, one, NA))) return(vapply(x, as.double, 0, USE.NAMES = FALSE))
  if (is.object(x)) plain_argument(x, arg, fun) else x
}

#' A seed for R's generator, or for another one that takes larger numbers; NULL leaves it as it stands.
#' @noRd
check_seed <- function(seed, arg = "seed", fun = calling_function(), max = .Machine$integer.max) {
  if (is.null(seed)) NULL else check_count(seed, min = -max, max = max, arg = arg, fun = fun)
}

check_flag <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is.logical(x) && length(x) == 1 && !is.na(x)) return(x)
  abort("`", arg, "` must be TRUE or FALSE, not ", describe(x), fun = fun)
}

check_string <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  if (is.character(x) && length(x) == 1 && !is.na(x) && validEnc(x)) return(x)
  abort("`", arg, "` must be a single string, not ", describe(x), if (is.character(x) && !all(validEnc(x)))
    ", whose bytes are no text", fun = fun)
}

#' One or more strings.
#' @noRd
check_strings <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is.character(x) && !anyNA(x) && all(validEnc(x))) return(as.vector(x))
  abort("`", arg, "` must be strings, not ", describe(x), if (is.character(x) && anyNA(x)) " with NA", fun = fun)
}

#' What is written beside something: strings, or what R writes for numbers, dates and classes. NA writes nothing.
#' @param n how many, if that is known.
#' @noRd
check_captions <- function(x, n = length(x), arg = deparse(substitute(x)), fun = calling_function()) {
  if (is.atomic(x) && !is.null(x) && !is.complex(x) && !is.raw(x) && length(x) == n) {
    text <- as.character(x)
    if (all(validEnc(text))) return(ifelse(is.na(text), "", text))
  }
  abort("`", arg, "` must be ", if (!missing(n)) paste0(n, " "), "strings, numbers or classes, not ", describe(x),
    class = "shape", fun = fun)
}

#' Attributes of a primitive would be those of R's own function, for everybody; R 4.6 refuses them.
#' @noRd
as_closure <- function(f) if (is.primitive(f)) function(...) f(...) else f

#' @param takes with how many arguments it will be called.
#' @noRd
check_function <- function(x, arg = deparse(substitute(x)), fun = calling_function(), takes = NULL) {
  check_given(missing(x), arg, fun)
  if (!is.function(x) || is(x, "refObjectGenerator")) abort("`", arg, "` must be a function, not ", describe(x),
    fun = fun)
  own <- if (!is.null(takes)) formals(args(x))
  needed <- sum(vapply(own, identical, NA, quote(expr = )) & names(own) != "...")
  if (is.null(takes) || is.primitive(x) || needed <= takes && (length(own) >= takes || "..." %in% names(own))) return(x)
  wanted <- if (takes == 0) "without arguments" else paste("of", takes, if (takes == 1) "argument" else "arguments")
  abort("`", arg, "` must be a function ", wanted, ", not of ", format_shape(names(own)), fun = fun)
}

is_named_list <- function(x) is_branch(x) && (length(x) == 0 || !is.null(names(x)) && all(nzchar(names(x))))

#' For a `...` that is there to refuse what nobody asked for, such as misspelt arguments.
#' @param of the function whose arguments may have been meant
#' @noRd
check_no_more <- function(extra, fun = calling_function(), of = NULL) {
  if (length(extra) == 0) return()
  names <- if (is.null(names(extra))) rep("", length(extra)) else names(extra)
  named <- ifelse(nzchar(names), paste0("`", names, "`"), vapply(extra, describe, ""))
  known <- if (!is.null(of)) setdiff(names(formals(of)), "...")
  takers <- c("compile", "fit")[c(names[1] %in% names(formals(compile.nn_model)),
    names[1] %in% names(formals(fit.nn_model)))]
  hint <- if (length(known) && nzchar(names[1])) if (length(takers)) paste0("; `", takers[1], "()` takes it") else
    did_you_mean(names[1], known)
  abort("unused argument ", paste(named, collapse = ", "), hint, fun = fun)
}

#' match.arg() with our wording. All choices, as where they stand as the default, mean the first.
#' @noRd
check_choice <- function(x, choices, arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  if (identical(x, choices)) return(x[1])
  if (is.character(x) && length(x) == 1 && x %in% choices) return(x)
  abort("`", arg, "` must be one of ", paste0("\"", choices, "\"", collapse = ", "),
    ", not ", describe(x), fun = fun)
}

# What other packages and older versions call an argument.
other_words <- c(newdata = "x", data = "x", nb_epoch = "epochs", n_epochs = "epochs", input_dim = "input_shape",
  input_size = "input_shape", lr = "optimizer", learning_rate = "optimizer", nb_classes = "num_classes",
  W_regularizer = "kernel_regularizer", init = "kernel_initializer", bias = "use_bias")

#' "; did you mean `shape`?", or all there is where nothing comes near.
#' @noRd
did_you_mean <- function(name, choices) {
  near <- near_names(name, choices)
  if (length(near)) return(paste0("; did you mean ", paste0("`", near, "`", collapse = " or "), "?"))
  paste0("; there is ", paste0("`", choices, "`", collapse = ", "))
}

near_names <- function(name, choices) {
  distance <- utils::adist(name, choices, ignore.case = TRUE)[1, ]
  part <- nchar(name) > 4 & grepl(tolower(name), tolower(choices), fixed = TRUE)
  choices[distance <= max(1, nchar(name) %/% 3) | startsWith(choices, name) | part | choices %in% other_words[name]]
}

#' An unknown member of an object with `$`.
#' @noRd
unknown_member <- function(name, members, what) {
  abort(what, " has no member `$", name, "`", did_you_mean(name, members), class = "member", fun = NULL)
}
