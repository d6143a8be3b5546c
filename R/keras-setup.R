# What scripts for Keras and TensorFlow begin with, and what needs nothing here.

#' Set-up of Python, TensorFlow and Keras
#'
#' Scripts for R's keras and tensorflow begin with the installation of Python packages and the choice of a Python. There
#' is nothing to install or choose here: these functions say so in one line, once per session each, and do nothing else.
#' `is_keras_available()` is `TRUE`; `tf_version()` is the version of TensorFlow whose functions have the names and
#' defaults that are here, 2.15. `backend()` has the functions `k_...()` under their names in Python, with 0-based axes.
#'
#' @param ...,implementation,backend ignored; present for compatibility.
#' @param version the least version that will do, such as `"2.2"`.
#' @return `NULL`, invisibly; a logical; a version, as [numeric_version()] has it.
#' @examples
#' install_keras()
#' use_condaenv("r-tensorflow")
#' tf_version() >= "2.0"
#' @export
install_keras <- function(...) nothing_to_do("install_keras")

#' @rdname install_keras
#' @export
install_tensorflow <- function(...) nothing_to_do("install_tensorflow")

#' @rdname install_keras
#' @export
use_python <- function(...) nothing_to_do("use_python")

#' @rdname install_keras
#' @export
use_condaenv <- function(...) nothing_to_do("use_condaenv")

#' @rdname install_keras
#' @export
use_virtualenv <- function(...) nothing_to_do("use_virtualenv")

#' @rdname install_keras
#' @export
use_implementation <- function(implementation = c("keras", "tensorflow")) {
  if (!missing(implementation)) check_choice(implementation, c("keras", "tensorflow"))
  nothing_to_do("use_implementation")
}

#' @rdname install_keras
#' @param convert ignored; present for compatibility.
#' @export
backend <- function(convert = TRUE) {
  check_flag(convert)
  tf$keras$backend
}

#' @rdname install_keras
#' @export
use_backend <- function(backend = c("tensorflow", "cntk", "theano", "plaidml")) {
  if (!missing(backend)) check_choice(backend, c("tensorflow", "cntk", "theano", "plaidml"))
  nothing_to_do("use_backend")
}

#' @rdname install_keras
#' @export
is_keras_available <- function(version = NULL) {
  if (is.null(version)) return(TRUE)
  least <- numeric_version(check_string(version), strict = FALSE)
  if (is.na(least)) abort("`version` must be a version such as \"2.2\", not ", describe(version))
  tf_version() >= least
}

#' @rdname install_keras
#' @export
tf_version <- function() numeric_version("2.15")

#' @rdname install_keras
#' @export
tf_config <- function() nothing_to_do("tf_config")

#' @rdname install_keras
#' @export
tensorboard <- function(...) {
  tell_once("tensorboard", paste("`tensorboard()`: TensorBoard is not started; `plot()` draws the history of a",
    "training, and `callback_csv_logger()` writes logs."))
  invisible()
}

#' @rdname install_keras
#' @export
py_require <- function(...) nothing_to_do("py_require")

#' @rdname install_keras
#' @export
tfe_enable_eager_execution <- function(...) nothing_to_do("tfe_enable_eager_execution")

nothing_to_do <- function(fun) {
  tell_once(fun, paste0("`", fun, "()`: there is nothing to do, as nativenet needs neither Python nor TensorFlow."))
  invisible()
}

# ---- flags, as in tfruns ----

#' Flags of a script
#'
#' Values that a script is run with, as in R's tfruns: by default those given here, in their place those of the section
#' `config` of a file of YAML, and in their place those of the command line, `--name=value` or `--name value`.
#'
#' @param ... flags, each made by one of the other functions.
#' @param config the section of the file; its values go before those of the section `default`.
#' @param file a file of YAML, read by the package yaml if it is there; of `"flags.yml"` nobody asks that it is.
#' @param arguments the arguments of the command line.
#' @param name,default a name, and the value if nothing else is given.
#' @param description what the flag is for, for readers.
#' @return `flags()`: a list of values by name. The others: an object of class `nn_flag`.
#' @section Errors: A value that is not of the flag's kind, or a name that is there twice, is an error.
#' @examples
#' FLAGS <- flags(flag_integer("units", 128), flag_numeric("dropout", 0.4), arguments = "--units=64")
#' FLAGS$units
#' FLAGS$dropout
#' @export
flags <- function(..., config = Sys.getenv("R_CONFIG_ACTIVE", unset = "default"), file = "flags.yml",
  arguments = commandArgs(TRUE)) {
  all <- list(...)
  check_string(config)
  odd <- Filter(function(flag) !inherits(flag, "nn_flag"), all)
  if (length(odd)) abort("flags are made by `flag_integer()` and its like, not ", describe(odd[[1]]), fun = "flags")
  names(all) <- vapply(all, function(flag) flag$name, "")
  if (anyDuplicated(names(all))) abort("the flag `", names(all)[duplicated(names(all))][1], "` is there twice",
    fun = "flags")
  given <- utils::modifyList(flags_in_file(file, config), flags_in_arguments(arguments))
  lapply(all, function(flag) if (is.null(given[[flag$name]])) flag$default else flag_value(flag, given[[flag$name]]))
}

#' @rdname flags
#' @export
flag_numeric <- function(name, default, description = NULL) new_flag("numeric", name, default, description,
  "flag_numeric")

#' @rdname flags
#' @export
flag_integer <- function(name, default, description = NULL) new_flag("integer", name, default, description,
  "flag_integer")

#' @rdname flags
#' @export
flag_boolean <- function(name, default, description = NULL) new_flag("boolean", name, default, description,
  "flag_boolean")

#' @rdname flags
#' @export
flag_string <- function(name, default, description = NULL) new_flag("string", name, default, description,
  "flag_string")

new_flag <- function(kind, name, default, description, fun) {
  check_given(missing(default), "default", fun)
  if (!is.null(description)) check_string(description, fun = fun)
  flag <- structure(list(kind = kind, name = check_name(name, fun)), class = "nn_flag")
  flag$default <- flag_value(flag, default, fun)
  flag
}

#' A value of this flag's kind, from a value or its text.
#' @noRd
flag_value <- function(flag, value, fun = "flags") {
  text <- if (length(value) == 1 && is.atomic(value) && !is.na(value)) as.character(value) else ""
  if (!validUTF8(text)) text <- ""
  number <- suppressWarnings(as.numeric(text))
  found <- switch(flag$kind,
    numeric = number,
    integer = if (isTRUE(number == round(number) && abs(number) <= .Machine$integer.max)) as.integer(number) else NA,
    boolean = c(`TRUE` = TRUE, `FALSE` = FALSE, true = TRUE, false = FALSE, yes = TRUE, no = FALSE, `1` = TRUE,
      `0` = FALSE)[text][[1]],
    string = if (is.character(value) && length(value) == 1 && validUTF8(value)) value else NA
  )
  if (!is.na(found)) return(found)
  kinds <- c(numeric = "a number", integer = "a whole number", boolean = "`TRUE` or `FALSE`", string = "a string")
  abort("the flag `", flag$name, "` must be ", kinds[[flag$kind]], ", not ", describe(value), fun = fun)
}

flags_in_arguments <- function(arguments) {
  if (!is.character(arguments)) abort("`arguments` must be strings, not ", describe(arguments), fun = "flags")
  values <- list()
  for (i in grep("^--[^-]", arguments)) {
    parts <- regmatches(arguments[i], regexec("^--([^=]+)(=(.*))?$", arguments[i]))[[1]]
    name <- gsub("-", "_", parts[2], fixed = TRUE)
    if (nzchar(parts[3])) values[[name]] <- parts[4]
    else if (i < length(arguments) && !startsWith(arguments[i + 1], "--")) values[[name]] <- arguments[i + 1]
    else values[[name]] <- "TRUE"
  }
  values
}

flags_in_file <- function(file, config) {
  if (is.null(file) || identical(file, "flags.yml") && !file.exists(file)) return(list())
  check_file(file, "flags", "file")
  if (!requireNamespace("yaml", quietly = TRUE)) abort("files of flags are read by the package yaml, which is not ",
    "installed: `install.packages(\"yaml\")`", class = "missing", fun = "flags")
  sections <- tryCatch(yaml::read_yaml(file), error = function(e) abort("\"", file, "\" is no YAML: ",
    conditionMessage(e), class = "file", fun = "flags"))
  if (!is.list(sections)) return(list())
  base <- if (is.null(sections$default)) list() else sections$default
  own <- sections[[config]]
  utils::modifyList(as.list(base), if (is.null(own)) list() else as.list(own))
}
