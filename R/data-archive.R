# Archives are unpacked within a folder of their own, below the one that they are meant for, and only what came out
# whole is moved there. They may come from anybody: no name may lead out, and there are no links.

#' Unpack an archive into a folder.
#' @param format "tar", "zip", or "auto": what the file's first bytes say.
#' @noRd
unpack_archive <- function(path, into, format = "auto", fun = calling_function()) {
  if (format == "none") return(invisible())
  own <- archive_format(path)
  if (!identical(own, if (format == "auto") own else format) || is.null(own)) {
    warn("`", fun, "()`: \"", path, "\" is no ", if (format == "auto") "archive" else paste(format, "file"),
      ", so nothing is unpacked", class = "archive")
    return(invisible())
  }
  refuse <- refuse_file(path, own, fun)
  scratch <- tempfile(".unpacking-", into)
  dir.create(scratch)
  on.exit(unlink(scratch, recursive = TRUE))
  (if (own == "zip") unpack_zip else unpack_tar)(path, scratch, refuse)
  entries <- list.files(scratch, all.files = TRUE, recursive = TRUE, include.dirs = TRUE, no.. = TRUE)
  folders <- dir.exists(file.path(scratch, entries)[seq_along(entries)])
  for (entry in entries[folders]) dir.create(file.path(into, entry), showWarnings = FALSE, recursive = TRUE)
  moved <- vapply(entries[!folders], function(entry) file.rename(file.path(scratch, entry), file.path(into, entry)), NA)
  if (!all(moved)) abort("cannot write \"", file.path(into, entries[!folders][!moved][1]), "\"", class = "file",
    fun = fun)
  invisible()
}

archive_format <- function(path) {
  if (identical(readBin(path, "raw", 4), as.raw(c(0x50, 0x4b, 3, 4)))) return("zip")
  con <- gzfile(path, "rb") # also of bzip2 and xz, or of nothing
  on.exit(close(con))
  block <- tryCatch(suppressWarnings(readBin(con, "raw", 512)), error = function(e) raw())
  if (length(block) == 512 && is_tar_header(block)) "tar"
}

#' Where an entry goes.
#' @noRd
entry_path <- function(name, into, refuse) {
  name <- sub("/+$", "", sub("^([.]/)+", "", name))
  if (!validUTF8(name)) refuse("the name of an entry is not UTF-8")
  if (leads_out(name)) refuse("its entry \"", name, "\" leads out of the folder")
  file.path(into, name)
}

unpack_zip <- function(path, into, refuse) {
  entries <- zip_directory(path, refuse)
  for (name in entries$Name) entry_path(name, into, refuse)
  if (any(entries$link)) refuse("its entry \"", entries$Name[entries$link][1], "\" is a link")
  problem <- NULL
  tryCatch(withCallingHandlers(utils::unzip(path, exdir = into), warning = function(w) {
    problem <<- conditionMessage(w)
    tryInvokeRestart("muffleWarning")
  }), error = function(e) problem <<- conditionMessage(e))
  files <- entries[!endsWith(entries$Name, "/"), ]
  sizes <- file.size(file.path(into, files$Name)[seq_len(nrow(files))])
  if (!is.null(problem) || !identical(sizes, as.numeric(files$Length))) refuse("it cannot be unpacked",
    if (!is.null(problem)) paste0(": ", problem))
}

# ---- tar: blocks of 512 bytes, a header and the content of each entry ----

tar_text <- function(bytes) rawToChar(bytes[seq_len(match(as.raw(0), bytes, length(bytes) + 1) - 1)])

#' A number in octal digits, or of bytes where the first has its highest bit set.
#' @noRd
tar_number <- function(bytes) {
  if (bytes[1] >= as.raw(0x80)) return(sum(as.numeric(bytes[-1]) * 256^(rev(seq_along(bytes[-1])) - 1)))
  digits <- utf8ToInt(gsub("[^0-7]", "", tryCatch(tar_text(bytes), error = function(e) ""))) - 48
  if (length(digits) && !anyNA(digits)) sum(digits * 8^(rev(seq_along(digits)) - 1)) else 0
}

#' Is the sum of its bytes, those of the sum taken for blanks, what it says?
#' @noRd
is_tar_header <- function(block) sum(as.integer(replace(block, 149:156, as.raw(0x20)))) == tar_number(block[149:156])

unpack_tar <- function(path, into, refuse) {
  con <- gzfile(path, "rb")
  on.exit(close(con))
  read <- byte_reader(con, refuse, path)
  take <- function(n) {
    bytes <- read(n)
    if (length(bytes) < n) refuse("it is cut off")
    bytes
  }
  rest <- function(size) take((512 - size %% 512) %% 512)
  text <- function(size) {
    if (size > 2^20) refuse("the name of an entry has ", format_bytes(size))
    bytes <- take(size)
    rest(size)
    bytes
  }
  said <- list() # of the next entry, by the one before it
  repeat {
    block <- read(512)
    if (!length(block)) return()
    if (all(block == 0)) { # the end, which its compression may have a sum behind
      while (length(read(2^20))) NULL
      return()
    }
    if (length(block) < 512) refuse("it is cut off")
    if (!is_tar_header(block)) refuse("it is damaged")
    size <- tar_number(block[125:136])
    type <- rawToChar(block[157][block[157] != 0])
    if (type == "g") text(size) # about the archive
    else if (type == "x") said <- utils::modifyList(said, pax_fields(text(size), refuse))
    else if (type == "L") said$path <- tar_text(text(size))
    else {
      prefix <- if (identical(block[258:262], charToRaw("ustar")) && block[263] == 0) tar_text(block[346:500]) else ""
      name <- if (!is.null(said$path)) said$path else paste0(prefix, if (nzchar(prefix)) "/", tar_text(block[1:100]))
      if (!is.null(said$size)) size <- as.numeric(said$size)
      said <- list()
      to <- entry_path(name, into, refuse)
      if (type == "5" || endsWith(name, "/")) {
        dir.create(to, showWarnings = FALSE, recursive = TRUE)
      } else if (type %in% c("", "0", "7")) {
        dir.create(dirname(to), showWarnings = FALSE, recursive = TRUE)
        write_entry(to, size, take)
        rest(size)
      } else {
        refuse("its entry \"", name, "\" is ", switch(type, "1" = , "2" = "a link", "3" = , "4" = , "6" = "a device",
          "of an unknown kind"))
      }
    }
  }
}

write_entry <- function(to, size, take) {
  con <- file(to, "wb")
  on.exit(close(con))
  while (size > 0) {
    n <- min(size, 2^20)
    writeBin(take(n), con)
    size <- size - n
  }
}

#' "<length> <key>=<value>\n", again and again.
#' @noRd
pax_fields <- function(bytes, refuse) {
  fields <- list()
  while (length(bytes)) {
    blank <- match(as.raw(0x20), bytes, 0)
    n <- suppressWarnings(as.numeric(rawToChar(bytes[seq_len(blank - 1)])))
    if (!blank || is.na(n) || n <= blank || n > length(bytes)) refuse("it is damaged")
    pair <- tryCatch(rawToChar(bytes[seq(blank + 1, n - 1)]), error = function(e) refuse("it is damaged"))
    fields[[sub("=.*", "", pair)]] <- sub("^[^=]*=", "", pair)
    bytes <- bytes[-seq_len(n)]
  }
  fields[c("path", "size")[c("path", "size") %in% names(fields)]]
}
