test_that("functions of Keras that are not there yet say so", {
  for (name in unlist(not_yet_names)) {
    expect_true(name %in% getNamespaceExports("nativenet"))
    expect_error(getExportedValue("nativenet", name)(3, units = 1), "this version of nativenet does not have",
      class = "nativenet_error_missing")
  }
  expect_error(application_vgg16(3), "`application_vgg16()`: this version", fixed = TRUE)
  expect_identical(anyDuplicated(unlist(not_yet_names)), 0L)
})
