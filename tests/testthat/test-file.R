test_that("a writer that finds the disk full says so and leaves the old file", {
  skip_if_not(file.exists("/dev/full"))
  folder <- tempfile("full")
  dir.create(folder)
  path <- file.path(folder, "file")
  writeLines("old", path)
  # the new file under its first name is a link to a disk that is full
  own <- nativenet:::part_file
  utils::assignInNamespace("part_file", function(path) {
    part <- file.path(folder, ".part")
    file.symlink("/dev/full", part)
    part
  }, "nativenet")
  on.exit(utils::assignInNamespace("part_file", own, "nativenet"))
  tokenizer <- text_tokenizer()
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  log <- callback_csv_logger(path)
  lab <- tempfile(fileext = ".R")
  writeLines(c("#!hwbegin TODO", "x", "#!hwend"), lab)
  writers <- list(
    tokenizer = function() save_text_tokenizer(tokenizer, path), model = function() save_model(model, path),
    weights = function() save_model_weights(model, path), tensors = function() safetensors_write(path, list(x = 1)),
    cache = function() suppressWarnings(as.list(dataset_cache(range_dataset(to = 3), path))), log = function() log$on_epoch_end(0, list(loss = 1)),
    strip = function() strip_solutions(lab, path), replace = function() nativenet:::replace_file(path, list(as.raw(1), tensor(1:3)))
  )
  for (name in names(writers)) {
    expect_error(writers[[name]](), "No space left", fixed = TRUE, class = "nativenet_error_file")
    expect_identical(readLines(path, 1), "old", info = name)
    expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "file", info = name)
  }
})
