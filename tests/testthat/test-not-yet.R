test_that("functions of Keras that are not there yet say so, and what to do in their place", {
  for (name in unlist(not_yet_names)) {
    expect_true(name %in% getNamespaceExports("nativenet"))
    expect_error(getExportedValue("nativenet", name)(3, units = 1), "this version of nativenet does not have",
      class = "nativenet_error_missing")
  }
  expect_error(layer_feature_space(3), "`layer_feature_space()`: this version", fixed = TRUE)
  expect_error(image_dataset_from_directory("x"), "`flow_images_from_directory()` reads pictures", fixed = TRUE)
  expect_identical(setdiff(names(not_yet_hints), unlist(not_yet_names)), character())
  expect_identical(anyDuplicated(unlist(not_yet_names)), 0L)
})
