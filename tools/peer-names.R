# Writes tools/peer-names.csv: each name that the R packages for Keras and TensorFlow export, and what is here of it:
#
#   here          an exported function or object of that name
#   alias         the same as another exported name
#   no-op         a set-up call that needs nothing here, and says so
#   out of scope  a rule of the table below tells why
#   missing       not there yet; "says so" where a call is told what is missing
#
# The peers' packages are downloaded, not installed: only their NAMESPACE is read. Run by `make names`, with nativenet
# installed in build/lib.
peers <- c("keras", "keras3", "tensorflow", "tfdatasets", "tfautograph")

# What is not meant to be here, by patterns of names; the first that fits counts.
reasons <- read.csv(strip.white = TRUE, text = "
pattern,reason
^(application|imagenet|mobilenet|nasnet)_|_preprocess_input$,pretrained weights
^(py_|r_to_py|import$|np_array|%py_class|as_py|layer_(tfsm|jax|flax|torch)|named_list|dict$|use_compat),Python objects
^(export_savedmodel|view_savedmodel|(model_(to|from)|save|load)_.*saved_model|.*_weights_tf$),TensorFlow's own files
^(multi_gpu|config_(enable_|disable_|is_)?(flash|nnx)|tf_gpu|dataset_prefetch_to_device),devices other than the processor
^k_(.*session|.*placeholder|.*learning_phase|manual_variable|.*uids?$|function|to_dense|.*sparse|in_t),graphs of TensorFlow 1
^(iterator_(initializer|make|string)|make_iterator_(from|initializable)|with_dataset|out_of_range),graphs of TensorFlow 1
^(sql|sqlite|sparse_tensor|hdf5_matrix|dataset_(snapshot|options)|tfrecord),files and services of others
^op_(angle|conj|imag|real|polar|view_as_(complex|real)|eig)$,complex numbers
yaml,Keras refuses YAML itself
^(contains|ends_with|everything|matches|num_range|one_of|starts_with)$,known within selections; would mask tidyselect
^generate$,pretrained weights
^(%<>%|\\.$|%<-active|run_dir$|train$|train_and_evaluate|parse_|tf_extract|tf_probability|view_function_graph),of other packages
")

fetch <- function(package, into) {
  got <- try(suppressWarnings(download.packages(package, into, type = "source", quiet = TRUE)), silent = TRUE)
  if (inherits(got, "try-error") || !nrow(got)) {
    # no longer on the index: the newest in the archive
    archive <- paste0(contrib.url(getOption("repos")[[1]], "source"), "/Archive/", package, "/")
    page <- tryCatch(suppressWarnings(readLines(url(archive))), error = function(e) character())
    files <- unique(unlist(regmatches(page, gregexpr(paste0(package, "_[0-9.-]+[.]tar[.]gz"), page))))
    if (!length(files)) return(NULL)
    version <- numeric_version(sub("[.]tar[.]gz$", "", sub(".*_", "", files)))
    file <- file.path(into, files[order(version)][length(files)])
    utils::download.file(paste0(archive, basename(file)), file, quiet = TRUE)
    got <- cbind(package, file)
  }
  utils::untar(got[1, 2], exdir = into)
  list(version = read.dcf(file.path(into, package, "DESCRIPTION"), "Version")[[1]],
    exports = parseNamespaceFile(package, into)$exports)
}

into <- tempfile("peers")
dir.create(into)
found <- sapply(peers, fetch, into = into, simplify = FALSE)
absent <- names(Filter(is.null, found))
found <- Filter(Negate(is.null), found)
if (length(absent)) cat("Could not be had:", absent, "\n")

names_of <- lapply(found, `[[`, "exports")
all_names <- sort(unique(unlist(names_of)), method = "radix")
here <- sapply(getNamespaceExports("nativenet"), getExportedValue, ns = "nativenet", simplify = FALSE)
here <- here[order(names(here))]

calls <- function(f, what) is.function(f) && what %in% all.names(body(f))
plain <- lapply(here, function(f) if (is.function(f)) list(formals(f), body(f)) else f)
state_of <- function(name) {
  if (!name %in% names(here)) {
    rule <- which(vapply(reasons$pattern, grepl, TRUE, x = name))
    return(if (length(rule)) c("out of scope", reasons$reason[rule[1]]) else c("missing", ""))
  }
  f <- here[[name]]
  if (calls(f, "tell_not_yet")) {
    rule <- which(vapply(reasons$pattern, grepl, TRUE, x = name))
    return(if (length(rule)) c("out of scope", paste0(reasons$reason[rule[1]], "; says so")) else c("missing", "says so"))
  }
  if (calls(f, "nothing_to_do")) return(c("no-op", ""))
  same <- names(here)[vapply(plain, identical, TRUE, plain[[name]])]
  # the first of them in the order of the peers' names is the name itself, the others are aliases
  if (length(same) > 1 && same[1] != name) c("alias", same[1]) else c("here", "")
}
states <- vapply(all_names, state_of, character(2))
table <- data.frame(name = all_names, state = states[1, ], note = states[2, ],
  peers = vapply(all_names, function(n) paste(names(names_of)[vapply(names_of, function(x) n %in% x, TRUE)],
    collapse = " "), ""))
write.csv(table, "tools/peer-names.csv", row.names = FALSE, quote = FALSE)

counts <- t(sapply(names_of, function(n) table(factor(table$state[table$name %in% n],
  c("here", "alias", "no-op", "out of scope", "missing")))))
rownames(counts) <- paste(names(found), vapply(found, `[[`, "", "version"))
print(counts)

source("tools/peer-arguments.R")
arguments <- compare_arguments(found, into)
write.csv(arguments, "tools/peer-arguments.csv", row.names = FALSE)
print(table(arguments$what, ifelse(nzchar(arguments$note), "kept", "open")))
