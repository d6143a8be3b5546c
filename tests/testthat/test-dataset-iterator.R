test_that("iterators give elements until an error of their own", {
  data <- dataset_batch(tensor_slices_dataset(1:50), 20)
  it <- make_iterator_one_shot(data)
  seen <- list()
  expect_null(until_out_of_range({
    batch <- iterator_get_next(it)
    seen <- c(seen, list(c(as.array(batch))))
  }))
  expect_identical(seen, list(1:20, 21:40, 41:50))
  expect_error(iterator_get_next(it), class = "nativenet_error_out_of_range")

  it <- make_iterator_one_shot(data)
  sizes <- c()
  with_dataset({
    while (TRUE) sizes <- c(sizes, length(iterator_get_next(it)))
  })
  expect_identical(sizes, c(20L, 20L, 10L))

  expect_null(until_out_of_range(break))
  expect_error(until_out_of_range(stop("own")), "own")
  expect_error(with_dataset(stop("own")), "own")
  expect_null(tryCatch(iterator_get_next(it), error = out_of_range_handler))
  expect_error(tryCatch(stop("own"), error = out_of_range_handler), "own")
  expect_error(out_of_range_handler(1), class = "nativenet_error_value")
  expect_error(iterator_get_next(data), "must come from `make_iterator_one_shot\\(\\)`")
})

test_that("next_batch() begins anew, and says that there is none", {
  data <- dataset_batch(tensor_slices_dataset(1:3), 2)
  expect_identical(c(as.array(next_batch(data))), 1:2)
  expect_identical(c(as.array(next_batch(data))), 1:2)
  expect_error(next_batch(dataset_take(data, 0)), class = "nativenet_error_out_of_range")
})

test_that("iterators that are started later can be started again", {
  it <- make_iterator_initializable(range_dataset(1, 4))
  expect_error(iterator_get_next(it), class = "nativenet_error_unbuilt")
  for (round in 1:2) {
    iterator_initializer(it)
    expect_identical(iterate(it, as.array), 1:3)
  }
  expect_error(iterator_initializer(make_iterator_from_structure("int64")), "iterator_make_initializer")

  floats <- tensor_slices_dataset(c(0.5, 1))
  it <- make_iterator_from_structure(output_types(floats), output_shapes(floats))
  expect_error(iter_next(it), class = "nativenet_error_unbuilt")
  iterator_make_initializer(it, floats)
  expect_equal(as.array(iterator_get_next(it)), 0.5)
  iterator_make_initializer(it, dataset_skip(floats, 1))
  expect_equal(iterate(it, as.array), 1)
  expect_error(iterator_make_initializer(it, range_dataset(to = 2)), class = "nativenet_error_shape")
  expect_error(iterator_make_initializer(it, tensor_slices_dataset(matrix(0.5, 2, 2))), class = "nativenet_error_shape")
  expect_error(iterator_make_initializer(make_iterator_one_shot(floats), floats), "make_iterator_from_structure")
})

test_that("a function that gives elements until NULL is iterated over", {
  left <- 3
  countdown <- function() if (left > 0) {
    left <<- left - 1
    left
  }
  expect_identical(iterate(countdown), c(2, 1, 0))
  tokenizer <- text_tokenizer(num_words = 10) |> fit_text_tokenizer(c("a b", "b c"))
  expect_length(iterate(texts_to_sequences_generator(tokenizer, c("a b", "b c c"))), 2)
  expect_refusal(iterate(function(x) x), "value", "must be a data set")
})

test_that("missing code is named", {
  expect_error(until_out_of_range(), "`until_out_of_range()`: `expr` must be given", fixed = TRUE)
  expect_error(with_dataset(), "`with_dataset()`: `expr` must be given", fixed = TRUE)
})
