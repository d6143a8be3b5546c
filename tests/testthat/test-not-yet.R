test_that("functions of Keras that are not here say why, and what to do instead", {
  for (group in names(not_yet_names)) for (name in not_yet_names[[group]]) {
    expect_true(name %in% getNamespaceExports("nativenet"))
    expect_error(getExportedValue("nativenet", name)(3, units = 1), paste0("`", name, "()`: is not here: ",
      not_yet[[group]]$why), class = "nativenet_error_missing", fixed = TRUE)
  }
  expect_error(application_vgg16(3), "pretrained networks.*load_torch_weights", class = "nativenet_error_missing")
  expect_error(import("tensorflow_hub"), "no Python", class = "nativenet_error_missing")
  expect_identical(anyDuplicated(unlist(not_yet_names)), 0L)
})

test_that("a function of that name that another attached package has is called", {
  skip_if(!"package:nativenet" %in% search())
  other <- attach(list(import = function(...) list(...)), pos = match("package:nativenet", search()) + 1,
    name = "other", warn.conflicts = FALSE)
  on.exit(detach("other"))
  expect_identical(import("numpy", convert = FALSE), list("numpy", convert = FALSE))
})
