# May a function be traced? Its code is read, and that of the user's functions that it calls: calls that act outside
# of the program (printing, files, random numbers of R's) say no. What it reads outside of itself is noted down, so
# that a change can be seen later: by name and value, in functions, lists and objects (environments) alike.

#' @param objects functions and objects that it is called with.
#' @param known environments that are not looked at; `methods` those that it may call by a `$`.
#' @return list(reason = NULL or why it cannot be traced, guards = list(list(env, names, values), ...)).
#' @noRd
look_through <- function(f, objects = NULL, known = list(), methods = list()) {
  found <- new.env(parent = emptyenv())
  found$reason <- NULL
  found$reads <- list(list(env = session, names = c("floatx", "epsilon"))) # list(env, names)
  found$seen <- known   # functions and environments
  found$objects <- list() # environments all of whose bindings count
  found$members <- NULL # names after `$`
  found$methods <- methods # of modules, by name
  if (!look_at_module(f, found)) look_at_function(f, found)
  look_at(objects, "an argument", found)
  look_at_methods(found)
  guards <- lapply(found$reads, function(r) {
    whole <- is_one_of(r$env, found$objects)
    list(env = r$env, names = r$names, values = bindings(r$names, r$env), whole = whole, size = length(r$env))
  })
  list(reason = found$reason, guards = guards)
}

refuse <- function(found, ...) if (is.null(found$reason)) found$reason <- paste0(...)

was_seen <- function(found, x) {
  if (is_one_of(x, found$seen)) return(TRUE)
  found$seen <- c(found$seen, list(x))
  FALSE
}

look_at_function <- function(f, found) {
  if (was_seen(found, f)) return()
  locals <- names(formals(f))
  for (default in formals(f)) locals <- read_code(default, environment(f), locals, found)
  read_code(body(f), environment(f), locals, found)
}

# ---- code ----

#' Read an expression that is evaluated where `locals` are assigned already and other names are looked up from
#' `env` on. Returns the locals afterwards.
#' @noRd
read_code <- function(code, env, locals, found) {
  if (missing(code) || !is.null(found$reason)) return(locals)
  if (is.name(code)) {
    name <- sub("^[.][.][0-9]+$", "...", as.character(code))
    if (nzchar(name) && !name %in% locals) note_read(name, env, found)
    return(locals)
  }
  if (!is.call(code)) return(locals)
  head <- code[[1]]
  rule <- if (is.name(head)) code_rules[[as.character(head)]]
  if (!is.null(rule)) return(rule(code, env, locals, found))
  if (is.name(head)) {
    note_call(as.character(head), env, locals, found)
    # functions may be named by strings
    if (as.character(head) %in% callers) for (x in as.list(code)[-1]) if (is.character(x) && length(x) == 1 &&
      nzchar(x)) note_call(x, env, locals, found)
  } else if (!is_qualified(head)) locals <- read_code(head, env, locals, found)
  else note_qualified(head, found)
  read_all(code[-1], env, locals, found)
}

callers <- c("do.call", "match.fun", "lapply", "sapply", "vapply", "Map", "mapply", "Reduce", "Filter", "outer",
  "apply")

read_all <- function(codes, env, locals, found) {
  for (i in seq_along(codes)) {
    if (!identical(codes[[i]], quote(expr = ))) locals <- read_code(codes[[i]], env, locals, found)
  }
  locals
}

is_qualified <- function(code) is.call(code) && is.name(code[[1]]) && as.character(code[[1]]) %in% c("::", ":::")

read_branches <- function(branches, env, locals, found) {
  after <- lapply(branches, read_code, env, locals, found)
  Reduce(intersect, after)
}

code_rules <- list(
  `<-` = function(code, env, locals, found) {
    locals <- read_code(code[[3]], env, locals, found)
    target <- code[[2]]
    if (is.character(target)) return(union(locals, target))
    if (is.name(target)) return(union(locals, as.character(target)))
    # x$name[i] <- value changes x; here if x is a local value, elsewhere if it is an object
    if (is.name(target[[1]])) note_call(paste0(as.character(target[[1]]), "<-"), env, locals, found)
    locals <- read_all(as.list(target)[-(1:2)][!as.character(target[[1]]) %in% c("$", "@")], env, locals, found)
    name <- assigned_name(target)
    if (is.null(name)) {
      refuse(found, "it assigns to something that is not a name")
      return(locals)
    }
    if (!name %in% locals) {
      value <- found_value(name, env)
      if (is.environment(value)) refuse(found, "it changes `", name, "`")
      note_read(name, env, found)
    }
    union(locals, name)
  },
  `=` = function(code, env, locals, found) code_rules$`<-`(code, env, locals, found),
  `<<-` = function(code, env, locals, found) {
    refuse(found, "it assigns with `<<-`")
    locals
  },
  `%as%` = function(code, env, locals, found) {
    locals <- read_code(code[[2]], env, locals, found)
    union(locals, all.names(code[[3]]))
  },
  `%<-%` = function(code, env, locals, found) {
    locals <- read_code(code[[3]], env, locals, found)
    union(locals, setdiff(all.names(code[[2]]), "c"))
  },
  `$` = function(code, env, locals, found) {
    found$members <- union(found$members, as.character(code[[3]]))
    read_code(code[[2]], env, locals, found)
  },
  `@` = function(code, env, locals, found) read_code(code[[2]], env, locals, found),
  `::` = function(code, env, locals, found) {
    note_qualified(code, found)
    locals
  },
  `:::` = function(code, env, locals, found) code_rules$`::`(code, env, locals, found),
  `function` = function(code, env, locals, found) {
    inner <- union(locals, names(code[[2]]))
    for (default in code[[2]]) inner <- read_code(default, env, inner, found)
    read_code(code[[3]], env, inner, found)
    locals
  },
  `if` = function(code, env, locals, found) {
    locals <- read_code(code[[2]], env, locals, found)
    branches <- as.list(code)[-(1:2)]
    if (length(branches) == 1) branches <- c(branches, list(NULL))
    read_branches(branches, env, locals, found)
  },
  `for` = function(code, env, locals, found) {
    locals <- read_code(code[[3]], env, locals, found)
    if (is.name(code[[3]]) && !as.character(code[[3]]) %in% locals) {
      over <- found_value(as.character(code[[3]]), env)
      if (is_dataset(over) || is_iterator(over)) refuse(found, loops_over_data)
    }
    read_code(code[[4]], env, union(locals, as.character(code[[2]])), found)
    union(locals, as.character(code[[2]]))
  },
  `while` = function(code, env, locals, found) {
    locals <- read_code(code[[2]], env, locals, found)
    read_code(code[[3]], env, locals, found)
    locals
  },
  # what is assigned in there may not be: the branches of a switch, what stands after && and ||
  switch = function(code, env, locals, found) {
    locals <- read_code(code[[2]], env, locals, found)
    for (i in seq_along(code)[-(1:2)]) read_all(as.list(code)[i], env, locals, found)
    locals
  },
  `repeat` = function(code, env, locals, found) {
    read_code(code[[2]], env, locals, found)
    locals
  },
  `&&` = function(code, env, locals, found) {
    locals <- read_code(code[[2]], env, locals, found)
    read_code(code[[3]], env, locals, found)
    locals
  },
  `||` = function(code, env, locals, found) code_rules$`&&`(code, env, locals, found),
  quote = function(code, env, locals, found) locals
)

loops_over_data <- "it loops over a data set, whose batches are compiled where they can be"

assigned_name <- function(target) {
  while (is.call(target)) target <- target[[2]]
  if (is.name(target) || is.character(target)) as.character(target)
}

# ---- names ----

#' The environment, from `env` on, that binds the name (to a function, if `mode` says so), or NULL.
#' @noRd
binding_home <- function(name, env, mode = "any") {
  while (!identical(env, emptyenv())) {
    if (exists(name, envir = env, inherits = FALSE, mode = mode)) return(env)
    env <- parent.env(env)
  }
  NULL
}

is_package_environment <- function(env) {
  isNamespace(env) || identical(env, baseenv()) || grepl("^(package|imports|tools|Autoloads)",
    paste(attr(env, "name"), environmentName(env)))
}

found_value <- function(name, env) {
  home <- binding_home(name, env)
  if (!is.null(home)) get(name, envir = home, inherits = FALSE)
}

note_read <- function(name, env, found, mode = "any") {
  home <- binding_home(name, env, mode)
  note_absence(name, env, home, found)
  if (is.null(home)) return()
  if (name == "...") return(note_dots(home, found))
  if (!is_package_environment(home)) return(note_binding(name, home, found))
  value <- get(name, envir = home, inherits = FALSE)
  if (is.function(value)) check_pure(package_of(value, home), name, found)
  else if (is.environment(value)) look_at(value, name, found)
}

#' A binding that appears on the way to the one that was found would hide it.
#' @noRd
note_absence <- function(name, env, home, found) {
  while (!identical(env, emptyenv()) && !identical(env, home) && !is_package_environment(env)) {
    note_name(name, env, found)
    env <- parent.env(env)
  }
}

#' TRUE if it was noted before.
#' @noRd
note_name <- function(name, env, found) {
  at <- Position(function(r) identical(r$env, env), found$reads)
  if (is.na(at)) {
    found$reads <- c(found$reads, list(list(env = env, names = name)))
    return(FALSE)
  }
  known <- name %in% found$reads[[at]]$names
  if (!known) found$reads[[at]]$names <- c(found$reads[[at]]$names, name)
  known
}

note_binding <- function(name, home, found) {
  if (bindingIsActive(name, home)) return(refuse(found, "`", name, "` is computed anew each time it is read"))
  if (note_name(name, home, found)) return()
  look_at(get(name, envir = home, inherits = FALSE), name, found)
}

#' Arguments that a function around passes on: they stay the same, what they refer to may change.
#' @noRd
note_dots <- function(home, found) {
  look_at(tryCatch(eval(quote(list(...)), home), error = function(e) refuse(found, "it passes on `...`, of which an ",
    "argument cannot be evaluated")), "...", found)
}

# A local name hides a function of the same name only if its value is a function.
note_call <- function(name, env, locals, found) {
  home <- binding_home(name, env, "function")
  if (is.null(home)) return()
  if (name %in% locals && is_package_environment(home)) return()
  note_read(name, env, found, "function")
  if (is_package_environment(home)) note_methods(name, env, found)
}

#' Methods of a package's generic that the user wrote.
#' @noRd
note_methods <- function(name, env, found) {
  generics <- c(name, if (name %in% operators) "Ops",
    if (name %in% c("abs", "sqrt", "exp", "log", "floor", "round", "cumsum")) "Math",
    if (name %in% c("sum", "min", "max", "range", "prod", "any", "all")) "Summary")
  while (!identical(env, emptyenv()) && !is_package_environment(env)) {
    known <- ls(env, all.names = TRUE)
    for (generic in generics) {
      for (method in known[startsWith(known, paste0(generic, "."))]) {
        if (is.function(get0(method, env, inherits = FALSE))) note_binding(method, env, found)
      }
    }
    env <- parent.env(env)
  }
}

operators <- c("+", "-", "*", "/", "^", "%%", "%/%", "==", "!=", "<", "<=", ">", ">=", "&", "|", "!")

note_qualified <- function(code, found) check_pure(as.character(code[[2]]), as.character(code[[3]]), found)

package_of <- function(f, home) {
  if (is.primitive(f)) return("base")
  env <- topenv(environment(f))
  if (isNamespace(env)) unname(getNamespaceName(env)) else sub("^package:", "", environmentName(home))
}

# ---- values ----

most_elements <- 1000

look_at <- function(x, name, found) {
  if (!is.null(found$reason) || is_tensor(x)) return()
  if (is.function(x)) return(look_at_function_value(x, found))
  if (isS4(x)) return(refuse(found, "it uses the S4 object `", name, "`"))
  if (is.environment(x)) return(look_at_object(x, name, found))
  for (a in attributes(x)) if (!is.atomic(a)) look_at(a, name, found)
  if (is.list(x) && length(x) <= most_elements) for (element in x) if (!is.atomic(element))
    look_at(element, name, found)
  if (is.list(x) && length(x) > most_elements) refuse(found, "`", name, "` is a list of ", length(x), " elements")
}

look_at_function_value <- function(f, found) {
  for (package in Filter(isNamespaceLoaded, names(impure_functions))) {
    for (name in impure_functions[[package]]) {
      if (identical(get0(name, asNamespace(package), inherits = FALSE), f))
        return(refuse(found, "it calls `", name, "()`"))
    }
  }
  if (is.primitive(f) || look_at_module(f, found)) return()
  if (inherits(f, "nn_graph_function")) return(look_at_function(environment(f)$graph$f, found))
  env <- environment(f)
  if (isNamespace(env)) return(check_pure(unname(getNamespaceName(env)), NULL, found))
  if (!isNamespace(parent.env(env))) return(look_at_function(f, found))
  # made by a function of a package: what it was made of counts
  if (was_seen(found, env)) return()
  check_pure(unname(getNamespaceName(parent.env(env))), NULL, found)
  parts <- mget(ls(env, all.names = TRUE), envir = env)
  for (i in seq_along(parts)) {
    if (identical(parts[[i]], quote(expr = ))) next # an argument that was left out
    if (is.function(parts[[i]]) || is.environment(parts[[i]])) look_at(parts[[i]], "a function's environment", found)
  }
}

# Objects whose contents we know not to matter, or to be read anew in each run.
is_live_object <- function(x) inherits(x, c("nn_namespace", "nn_optimizer", "nn_dataset", "nn_plan", "nn_own_class"))

look_at_object <- function(x, name, found) {
  if (is_live_object(x) || was_seen(found, x)) return()
  if (is_iterator(x) || inherits(x, "nn_tape"))
    return(refuse(found, "it uses `", name, "`, which remembers what was done with it"))
  if (identical(x, globalenv()) || is_package_environment(x) || length(x) > most_elements) {
    return(refuse(found, "it uses the environment `", name, "`, where anything may change"))
  }
  found$objects <- c(found$objects, list(x))
  for (field in ls(x, all.names = TRUE)) note_binding(field, x, found)
  if (!length(x)) found$reads <- c(found$reads, list(list(env = x, names = character())))
}

#' Is it a module (R/module.R), or a method of one? Then its fields count, the function that calls run, and those of its
#' other methods whose names stand after a `$` somewhere: a method that prints does no harm where it is not called.
#' @noRd
look_at_module <- function(x, found) {
  if (inherits(x, "nn_method")) {
    look_at_function(environment(x)$method, found)
    x <- environment(x)$self
  }
  if (!is_module(x)) return(FALSE)
  state <- environment(x)
  if (was_seen(found, state)) return(TRUE)
  note_binding("fields", state, found)
  found$methods <- c(found$methods, state$methods)
  if (!is.null(state$methods$call)) look_at_function(state$methods$call, found)
  TRUE
}

look_at_methods <- function(found) {
  repeat {
    called <- names(found$methods) %in% found$members
    if (!any(called)) return()
    methods <- found$methods[called]
    found$methods <- found$methods[!called]
    for (method in methods) look_at_function(method, found)
  }
}

# ---- functions of packages ----

#' Functions that act outside of a program, or whose result depends on more than their arguments.
#' @noRd
impure_functions <- list(
  base = c("cat", "print", "message", "warning", "write", "writeLines", "sink", "readline", "readLines", "readRDS",
    "saveRDS", "load", "save", "file", "url", "gzfile", "scan", "source", "Sys.time", "Sys.Date", "date", "proc.time",
    "system.time", "Sys.getenv", "Sys.setenv", "Sys.sleep", "sample", "sample.int", "set.seed", "get", "get0", "mget",
    "exists", "assign", "eval", "evalq", "delayedAssign", "makeActiveBinding", "parent.frame", "sys.call",
    "sys.function", "sys.frame", "environment<-", "rm", "options", "getOption", "browser", "system", "system2", ".Call",
    ".External", "gc", "invokeRestart", "quit", "q", "attach", "detach", "library", "require", "Recall", "globalenv",
    "environment", "parent.env", "as.environment", "topenv", "sys.frames", "list2env", "ls", "eapply", "UseMethod",
    "NextMethod", "file.exists", "getwd", "setwd", "dput", "match.call", "unlink", "dir.create", "file.create",
    "writeBin", "close", "dump", "eval.parent", "signalCondition", "format", "lockBinding", "unlockBinding", "on.exit",
    "local", "print.default", "format.Date", "nlevels<-", "interactive", "trace", "debug"),
  stats = c("rnorm", "runif", "rbinom", "rpois", "rexp", "rgamma", "rbeta", "rcauchy", "rchisq", "rf", "rgeom",
    "rhyper", "rlogis", "rlnorm", "rmultinom", "rnbinom", "rsignrank", "rt", "rweibull", "rwilcox", "update"),
  nativenet = c("iter_next", "iterate", "as_iterator", "dataset_collect", "set_random_seed", "nn_threads",
    "dataset_digits", "dataset_mnist", "dataset_fashion_mnist", "read_idx", "check_gradient", "tape_record",
    "k_set_floatx", "k_set_epsilon", "plot_images", "plot_weights", "plot_decision", "plot_embedding", "plot_network",
    "plot_gradient_check"),
  utils = setdiff(getNamespaceExports("utils"), c("head", "tail", "modifyList", "combn", "hasName", "stack")),
  methods = c("new", "setClass", "setRefClass", "setMethod", "setGeneric", "setValidity"),
  magrittr = character(), zeallot = character(), purrr = c("rerun", "walk", "walk2", "pwalk", "iwalk"),
  generics = character()
)

#' `name` NULL: some function of that package, known under another name.
#' @noRd
check_pure <- function(package, name, found) {
  impure <- impure_functions[[package]]
  if (is.null(impure)) return(refuse(found, "it calls ", if (is.null(name)) "a function" else paste0("`", name, "()`"),
    " of the package ", package))
  if (!is.null(name) && name %in% impure) refuse(found, "it calls `", name, "()`")
}
