# HDF5 files as nested lists, by the package hdf5r or rhdf5. A group is list(attributes, members); a data set is an
# array whose indices are those of the file, which stores the last one fastest, as Python does.

h5_group <- function(members = list(), attributes = list()) structure(list(attributes = attributes, members = members),
  class = "nn_h5_group")
is_h5_group <- function(x) inherits(x, "nn_h5_group")

#' The member of a group at a path such as "a/b"; NULL if there is none.
#' @noRd
h5_at <- function(group, path) {
  for (name in strsplit(path, "/", fixed = TRUE)[[1]]) {
    if (!is_h5_group(group)) return(NULL)
    group <- group$members[[name]]
  }
  group
}

#' The group with a member put in at a path, whose groups are made.
#' @noRd
h5_put <- function(group, path, value) {
  names <- if (length(path) == 1) strsplit(path, "/", fixed = TRUE)[[1]] else path
  if (length(names) == 1) {
    group$members[[names]] <- value
    return(group)
  }
  inner <- group$members[[names[1]]]
  group$members[[names[1]]] <- h5_put(if (is.null(inner)) h5_group() else inner, names[-1], value)
  group
}

# ---- which package ----

hdf5_packages <- c("hdf5r", "rhdf5")

#' The package that reads and writes HDF5 here; an option chooses among them.
#' @noRd
hdf5_package <- function(path, fun) {
  for (package in getOption("nativenet.hdf5", hdf5_packages))
    if (requireNamespace(package, quietly = TRUE)) return(package)
  abort(encodeString(path, quote = "\""), " has HDF5, as files of Keras do, which needs the package hdf5r: ",
    "`install.packages(\"hdf5r\")`. `save_model()` to a file with the ending .safetensors needs no other package",
    class = "package", fun = fun)
}

#' @param refuse is called with what is wrong with the file.
#' @noRd
read_h5 <- function(path, refuse, fun) {
  package <- hdf5_package(path, fun)
  # no more is read than the file can hold, compressed as it may be
  room <- file_slack(path)
  take <- function(numbers) {
    room <<- room - 8 * numbers
    if (!is.finite(numbers) || room < 0) refuse("it announces more numbers than it has room for")
  }
  tryCatch(
    if (package == "hdf5r") read_hdf5r(path, take, refuse) else read_rhdf5(path, take, refuse),
    error = function(e) if (inherits(e, "nativenet_error")) stop(e) else
      refuse("it cannot be read as HDF5, or is cut off: ", sub("\n.*", "", conditionMessage(e)))
  )
}

# Groups may hold each other, so that walks through them never end: each takes of the room.
deepest_group <- 40
group_cost <- 200

# An external link names another file of the machine.
check_h5_link <- function(type, name, refuse) {
  if (!grepl("HARD", type)) refuse("its member ", encodeString(name, quote = "\""), " is a link elsewhere")
}

#' How many numbers the data sets of a group hold.
#' @noRd
h5_count <- function(x) if (is_h5_group(x)) sum(0, vapply(x$members, h5_count, 0)) else length(x)

natural_order <- function(x, dim) if (length(dim) > 1) aperm(array(as.vector(x), dim)) else as.vector(x)

# ---- hdf5r ----

read_hdf5r <- function(path, take, refuse) {
  file <- hdf5r::H5File$new(path, mode = "r")
  on.exit(file$close_all())
  attributes_of <- function(object) {
    names <- hdf5r::h5attr_names(object)
    lapply(stats::setNames(nm = names), function(name) {
      attribute <- object$attr_open(name)
      size <- attribute$get_space()$dims
      take(max(1, prod(size)))
      if (length(size) && prod(size) == 0) character() else attribute$read()
    })
  }
  read <- function(object, depth) {
    if (depth > deepest_group) refuse("its groups are nested too deep")
    if (inherits(object, "H5D")) {
      size <- object$dims
      take(max(1, prod(size)))
      if (!inherits(object$get_type(), c("H5T_FLOAT", "H5T_INTEGER", "H5T_ENUM"))) return(NULL)
      x <- object$read()
      return(natural_order(if (inherits(x, "integer64")) whole_number_of(x) else as.numeric(x), size))
    }
    if (!inherits(object, "H5Group") && !inherits(object, "H5File")) return(NULL)
    take(group_cost)
    listed <- object$ls()
    for (i in seq_along(listed$name)) check_h5_link(as.character(listed$link.type[i]), listed$name[i], refuse)
    h5_group(lapply(stats::setNames(nm = listed$name), function(name) read(object[[name]], depth + 1)),
      attributes_of(object))
  }
  read(file, 0)
}

whole_number_of <- function(x) plain_argument(x, "x", NULL)

write_hdf5r <- function(path, group) {
  file <- hdf5r::H5File$new(path, mode = "w")
  on.exit(file$close_all())
  string <- hdf5r::H5T_STRING$new(type = "c", size = Inf)
  string$set_cset("UTF-8")
  float <- hdf5r::h5types$H5T_IEEE_F32LE
  scalar <- function() hdf5r::H5S$new("scalar")
  write <- function(object, group) {
    for (name in names(group$attributes)) {
      value <- group$attributes[[name]]
      if (!length(value)) object$create_attr(name, dtype = float, space = hdf5r::H5S$new("simple", dims = 0,
        maxdims = 0)) # as NumPy's empty array
      else if (is_string(value) && !inherits(value, "AsIs")) object$create_attr(name, value, dtype = string,
        space = scalar())
      else object$create_attr(name, as.character(value), dtype = string)
    }
    for (name in names(group$members)) {
      x <- group$members[[name]]
      if (is_h5_group(x)) {
        write(object$create_group(name), x)
        next
      }
      type <- h5_dtype(x)
      type <- switch(type, float64 = hdf5r::h5types$H5T_IEEE_F64LE, int64 = hdf5r::h5types$H5T_STD_I64LE, float)
      if (length(dim(x)) > 1) object$create_dataset(name, aperm(plain_numbers_of(x)), dtype = type, chunk_dims = NULL)
      else if (is_h5_scalar(x)) object$create_dataset(name, plain_numbers_of(x), dtype = type, space = scalar(),
        chunk_dims = NULL)
      else object$create_dataset(name, as.vector(plain_numbers_of(x)), dtype = type, chunk_dims = NULL)
    }
  }
  write(file, group)
}

#' What a data set of these numbers is of: a tensor's own dtype.
#' @noRd
h5_dtype <- function(x) if (is_tensor(x)) tensor_dtype(x) else if (is.integer(x)) "int64" else "float32"
is_h5_scalar <- function(x) if (is_tensor(x)) !length(dim(x)) else is.null(dim(x)) && length(x) == 1
plain_numbers_of <- function(x) if (is_tensor(x)) as.array(x) else x

# ---- rhdf5, whose functions are found when they are needed: it comes from Bioconductor ----

read_rhdf5 <- function(path, take, refuse) {
  call <- function(name, ...) get(name, envir = asNamespace(hdf5_packages[2]))(...)
  on.exit(call("h5closeAll"))
  listed <- call("h5ls", path, recursive = TRUE)
  paths <- c("/", sub("^//", "/", paste0(listed$group, "/", listed$name)))
  types <- c("H5I_GROUP", listed$otype)
  if (any(nchar(gsub("[^/]", "", paths)) > deepest_group)) refuse("its groups are nested too deep")
  for (i in seq_along(listed$name)) if (!types[i + 1] %in% c("H5I_GROUP", "H5I_DATASET")) refuse("its member ",
    encodeString(listed$name[i], quote = "\""), " lies in another file, or is no group or data set")
  tree <- h5_group(attributes = call("h5readAttributes", path, "/"))
  for (i in seq_along(paths)[-1]) {
    value <- if (types[i] == "H5I_GROUP") h5_group(attributes = call("h5readAttributes", path, paths[i])) else {
      size <- suppressWarnings(as.numeric(strsplit(listed$dim[i - 1], " x ")[[1]]))
      size <- size[!is.na(size)] # a scalar has "( 0 )"
      take(max(1, prod(size)))
      if (listed$dclass[i - 1] %in% c("FLOAT", "INTEGER", "ENUM"))
        natural_order(as.numeric(call("h5read", path, paths[i])), size)
    }
    if (!is.null(value)) tree <- h5_put(tree, sub("^/", "", paths[i]), value)
  }
  tree
}

write_rhdf5 <- function(path, group) {
  call <- function(name, ...) get(name, envir = asNamespace(hdf5_packages[2]))(...)
  unlink(path)
  call("h5createFile", path)
  on.exit(call("h5closeAll"))
  write <- function(at, group) {
    file <- call("H5Fopen", path)
    object <- if (nzchar(at)) call("H5Gopen", file, at) else file
    for (name in names(group$attributes)) {
      value <- group$attributes[[name]]
      if (length(value)) call("h5writeAttribute", as.character(value), object, name, asScalar = is_string(value) &&
        !inherits(value, "AsIs"), encoding = "UTF-8", variableLengthString = TRUE)
      else {
        space <- call("H5Screate_simple", 0)
        call("H5Aclose", call("H5Acreate", object, name, "H5T_IEEE_F32LE", space))
      }
    }
    call("h5closeAll")
    for (name in names(group$members)) {
      x <- group$members[[name]]
      inner <- paste0(at, if (nzchar(at)) "/", name)
      if (is_h5_group(x)) {
        call("h5createGroup", path, inner)
        write(inner, x)
        next
      }
      size <- if (is_h5_scalar(x)) NULL else if (length(dim(x)) > 1) rev(dim(x)) else length(x)
      type <- switch(h5_dtype(x), float64 = "H5T_IEEE_F64LE", int64 = "H5T_STD_I64LE", "H5T_IEEE_F32LE")
      numbers <- plain_numbers_of(x)
      if (length(dim(x)) > 1) numbers <- aperm(numbers)
      call("h5createDataset", path, inner, dims = size, H5type = type, chunk = NULL, level = 0)
      call("h5write", if (is.null(size)) as.vector(numbers) else array(numbers, size), path, inner)
    }
  }
  write("", group)
}

#' The bytes of a file of these groups.
#' @noRd
h5_bytes <- function(group, path, fun) {
  package <- hdf5_package(path, fun)
  to <- tempfile("nativenet-", fileext = ".h5")
  on.exit(unlink(to))
  if (package == "hdf5r") write_hdf5r(to, group) else write_rhdf5(to, group)
  read_bytes(to)
}
