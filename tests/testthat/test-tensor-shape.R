

test_that("shapes have TensorFlow's members and compare as a whole", {
  s <- tf$TensorShape(list(NULL, 3L))
  expect_identical(format(s), "TensorShape([None, 3])")
  expect_identical(list(s$rank, s$is_fully_defined(), s$num_elements(), s$dims), list(2L, FALSE, NULL, list(NULL, 3L)))
  expect_true(s$is_compatible_with(c(5, 3)))
  expect_false(s$is_compatible_with(list(5, 4)))
  expect_identical(format(s$concatenate(4)$merge_with(c(2, 3, 4))), "TensorShape([2, 3, 4])")
  expect_error(s$merge_with(c(2, 4)), "not compatible", class = "nativenet_error_shape")
  expect_true(tf$TensorShape(c(2, 3)) == tensor(matrix(1:6, 2))$shape)
  expect_error(tf$TensorShape("a"), "`tf$TensorShape()`: `dims` must be", fixed = TRUE)
  expect_output(print(tf$TensorSpec(list(NULL), "int32", "n")), "TensorSpec(shape=(None,), dtype=tf.int32, name='n')",
    fixed = TRUE)
})

test_that("elements of data sets are told by objects that compare with dtypes and shapes", {
  data <- dataset_batch(tensor_slices_dataset(list(a = matrix(letters[1:6], 3), b = 1:3)), 2)
  expect_true(output_types(data)$b == tf$int32)
  expect_true(output_types(data)$a == "string")
  expect_true(output_shapes(data)$a == shape(NULL, 2))
  expect_identical(format(data$element_spec$b), "TensorSpec(shape=(None,), dtype=tf.int32, name=None)")
})
