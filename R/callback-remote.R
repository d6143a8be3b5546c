# Events of a training for a server.

#' Remote monitor callback
#'
#' Sends the metrics of each epoch to a server by an HTTP POST request: `epoch` (from 0) and the metrics as an object of
#' JSON. A server that is not there is a warning, and training goes on.
#'
#' @param root the address of the server, `"http://..."`. Connections are those of base R, which have no TLS, so
#'   `"https://..."` is an error: send to a server on this computer that passes them on.
#' @param path the path on the server.
#' @param field the name of the form's field that holds the JSON.
#' @param headers a named list of further headers, or `NULL`.
#' @param send_as_json `TRUE` to send the JSON itself, in place of a form.
#' @return A callback, for the argument `callbacks` of [fit()].
#' @seealso [callback_csv_logger()], [callback_tensorboard()]
#' @examples
#' callback_remote_monitor("http://localhost:9000", send_as_json = TRUE)
#' @export
callback_remote_monitor <- function(root = "http://localhost:9000", path = "/publish/epoch/end/", field = "data",
  headers = NULL, send_as_json = FALSE) {
  where <- http_address(check_string(root))
  check_string(path)
  check_string(field)
  check_flag(send_as_json)
  if (!is.null(headers)) check_headers(headers)
  self <- new_callback("remote_monitor", root = root, path = path)
  self$on_epoch_end <- function(epoch, logs) {
    json <- to_json(c(list(epoch = epoch), lapply(logs, as.double)))
    body <- if (send_as_json) json else paste0(utils::URLencode(field, TRUE), "=", utils::URLencode(json, TRUE))
    type <- if (send_as_json) "application/json" else "application/x-www-form-urlencoded"
    answer <- tryCatch(suppressWarnings(http_post(where, path, body, c(list("Content-Type" = type), headers))),
      error = function(e) conditionMessage(e))
    if (!grepl("^HTTP/[0-9.]+ [23]", answer)) warn("`callback_remote_monitor()`: ", root, " did not take the metrics ",
      "of epoch ", epoch + 1, ": ", if (nzchar(answer)) answer else "no answer", class = "remote")
  }
  self
}

#' Host, port and path of an address.
#' @noRd
http_address <- function(root, fun = calling_function()) {
  pattern <- "^(https?)://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:]+\\])(:([0-9]{1,5}))?(/[^[:space:]]*)?$"
  parts <- regmatches(root, regexec(pattern, root))[[1]]
  if (!length(parts)) abort("`root` must be an address such as \"http://localhost:9000\", not ", describe(root),
    fun = fun)
  if (parts[2] == "https") abort("`root` must begin with \"http://\": connections of base R have no TLS; send to a ",
    "server on this computer that passes them on", class = "missing", fun = fun)
  port <- if (nzchar(parts[5])) as.numeric(parts[5]) else 80
  if (port < 1 || port > 65535) abort("`root` has no port ", port, fun = fun)
  list(host = gsub("[][]", "", parts[3]), named = paste0(parts[3], parts[4]), port = port,
    path = sub("/$", "", parts[6]))
}

check_headers <- function(headers, fun = calling_function()) {
  good <- is_named_list(headers) && all(vapply(headers, is.character, NA)) && all(lengths(headers) == 1)
  if (!good || any(grepl("[\r\n:]", names(headers))) || any(grepl("[\r\n]", unlist(headers))))
    abort("`headers` must be a named list of strings, each of one line", fun = fun)
}

#' The first line of the answer.
#' @noRd
http_post <- function(where, path, body, headers) {
  bytes <- charToRaw(enc2utf8(body))
  lines <- c(paste0("POST ", where$path, path, " HTTP/1.1"), paste0("Host: ", where$named), "Connection: close",
    paste0(names(headers), ": ", unlist(headers)), paste0("Content-Length: ", length(bytes)), "", "")
  connection <- socketConnection(where$host, where$port, blocking = TRUE, open = "r+b", timeout = 10)
  on.exit(close(connection))
  writeBin(c(charToRaw(paste(lines, collapse = "\r\n")), bytes), connection)
  answer <- readBin(connection, "raw", 200)
  sub("[\r\n].*", "", rawToChar(answer[answer != 0]))
}
