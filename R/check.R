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

#' Describe a bad value in a few words, for the end of a message.
#' @noRd
describe <- function(x) {
  if (is.null(x)) return("NULL")
  own <- in_words(x)
  if (!is.null(own)) return(own)
  if (is(x, "refObjectGenerator")) return(sprintf("the class itself; `%s()` makes an object of it", x$className))
  if (is.function(x)) return("a function")
  if (is.factor(x)) return("a factor")
  if (!is.null(dim(x))) {
    kind <- if (is.matrix(x) && !is.numeric(x)) paste(typeof(x), "matrix") else class(x)[1]
    return(sprintf("%s of shape %s", with_article(kind), format_shape(dim(x))))
  }
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

#' What the classes of ours, and those that we look through, say in place of that.
#' @noRd
in_words <- function(x) UseMethod("in_words")

#' @export
in_words.default <- function(x) NULL

with_article <- function(noun) paste(if (grepl("^[aeiou]", noun, ignore.case = TRUE)) "an" else "a", noun)

#' "(32, 784)" as shapes are written in all messages.
#' @noRd
format_shape <- function(dim) paste0("(", paste(dim, collapse = ", "), ")")

#' For arguments without a default.
#' @noRd
check_given <- function(is_missing, arg, fun = calling_function()) if (is_missing) abort("`", arg, "` must be given",
  c(first_argument_hint(parent.frame(), arg), first_argument_hint(parent.frame(2), arg))[1], fun = fun)

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

#' Strings in UTF-8.
#' @noRd
check_utf8 <- function(x, arg, fun) {
  bad <- which(!validUTF8(x) & Encoding(x) != "latin1")
  if (length(bad)) abort("`", arg, "` must be valid UTF-8, which number ", bad[1], " is not", fun = fun)
  enc2utf8(x)
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

# Arguments of Keras that change no result here, and the values for which that is true: all where none is listed. NULL
# is always one of them.
no_effect <- list(
  layer = list(implementation = 0:2, unroll = NULL, time_major = list(FALSE), use_cudnn = NULL, autocast = NULL,
    lora_rank = list(), lora_alpha = list(), quantization_config = list(), renorm = list(FALSE),
    renorm_clipping = list(), renorm_momentum = NULL, fused = NULL, virtual_batch_size = list(), adjustment = list(),
    synchronized = list(FALSE), flash_attention = NULL, rms_scaling = list(FALSE), sparse = list(FALSE),
    ragged = list(FALSE), seed = NULL, dynamic = NULL, data_format = list("channels_last"),
    vocabulary_dtype = list("string")),
  optimizer = list(loss_scale_factor = list(), gradient_accumulation_steps = list(1), jit_compile = NULL),
  part = list(dtype = list("float32", "float64")),
  compile = list(jit_compile = NULL, auto_scale_loss = NULL, pss_evaluation_shards = NULL),
  fit = list(max_queue_size = NULL, workers = NULL, use_multiprocessing = NULL, validation_batch_size = NULL,
    validation_freq = list(1))
)

#' What is left without them. A value that would change something is refused.
#' @param kind an entry of `no_effect`.
#' @noRd
without_effect <- function(extra, kind, fun) {
  if (is.null(kind) || is.null(names(extra))) return(extra)
  known <- no_effect[[kind]]
  idle <- names(extra) %in% names(known)
  for (name in names(extra)[idle]) {
    value <- extra[[name]]
    if (is.null(value) || is.null(known[[name]]) && is.atomic(value) ||
      any(vapply(known[[name]], function(v) is.atomic(value) && isTRUE(all.equal(v, value)), NA))) next
    abort("`", name, "` must be ", paste(c("NULL", vapply(known[[name]], describe, "")), collapse = " or "),
      " here, not ", describe(value), fun = fun)
  }
  extra[!idle]
}

#' For a `...` that is there to refuse what nobody asked for, such as misspelt arguments.
#' @param of the function whose arguments may have been meant
#' @param kind whose arguments without effect may be given, see `no_effect`
#' @noRd
check_no_more <- function(extra, fun = calling_function(), of = NULL, kind = NULL) {
  extra <- without_effect(extra, kind, fun)
  if (length(extra) == 0) return()
  names <- if (is.null(names(extra))) rep("", length(extra)) else names(extra)
  named <- ifelse(nzchar(names), paste0("`", names, "`"), vapply(extra, describe, ""))
  known <- if (!is.null(of)) setdiff(names(formals(of)), "...")
  takers <- Filter(function(generic) names[1] %in% names(formals(utils::getS3method(generic, "nn_model"))),
    c("compile", "fit"))
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
other_words <- c(newdata = "x", data = "x", nb_epoch = "epochs", n_epochs = "epochs",
  input_size = "input_shape", lr = "optimizer", learning_rate = "optimizer", nb_classes = "num_classes",
  W_regularizer = "kernel_regularizer", init = "kernel_initializer", bias = "use_bias")

#' "; did you mean `shape`?", or all there is where nothing comes near.
#' @noRd
did_you_mean <- function(name, choices) {
  near <- near_names(name, choices)
  if (length(near)) return(paste0("; did you mean ", paste0("`", near, "`", collapse = " or "), "?"))
  if (length(choices) > 60) return("")
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

check_name <- function(name, fun) {
  if (!nzchar(check_string(name, arg = "name", fun = fun))) abort("`name` must not be empty", fun = fun)
  name
}

#' What came to something that looks at numbers or sizes, but has none. Symbolic tensors make a layer of the call that
#' led here: see R/layer-op.R.
#' @noRd
needs_values <- function(x) UseMethod("needs_values")

#' "`a`, `b`, ...", after `before`; nothing if there are none.
#' @noRd
some_names <- function(before, names, most = 10) {
  if (length(names)) paste0(before, paste0("`", utils::head(names, most), "`", collapse = ", "),
    if (length(names) > most) ", ...")
}

lost_row <- function(axes, more = NULL) {
  paste0("; a row taken out of an array stays one with `drop = FALSE`: `x[i", strrep(", ", axes - 1),
    ", drop = FALSE]`", more)
}
