# Printing: as NumPy and TensorFlow do. What NumPy prints was written by tools/numpy-print.py, where the form of
# numpy-print.txt is explained.

numpy_cases <- function(path = testthat::test_path("numpy-print.txt")) {
  lines <- readLines(path)
  marks <- grepl("^[sr]\\|", lines)
  heads <- which(!marks & c(TRUE, marks[-length(marks)]))
  Map(function(from, to) {
    texts <- lines[(from + 2):to]
    list(head = strsplit(lines[from], " ")[[1]], values = strsplit(lines[from + 1], " ")[[1]],
      str = substring(texts[startsWith(texts, "s|")], 3), repr = substring(texts[startsWith(texts, "r|")], 3))
  }, heads, c(heads[-1] - 1, length(lines)))
}

case_tensor <- function(case) {
  shape <- as.integer(strsplit(gsub("[()]", "", case$head[2]), ",")[[1]])
  x <- if (identical(case$values[1], "range")) {
    word <- as.numeric(case$values[-1])
    word[2] + word[3] * (seq_len(word[1]) - 1)
  } else {
    as.numeric(case$values)
  }
  op_reshape(tensor(array(x, length(x)), case$head[1]), shape)
}

expect_numpy <- function(cases) {
  for (case in cases) {
    x <- case_tensor(case)
    expect_identical(nativenet:::array_str(x), paste(case$str, collapse = "\n"))
    expect_identical(nativenet:::array_repr(x), paste(case$repr, collapse = "\n"))
  }
}

test_that("numbers, brackets and line breaks are NumPy's", {
  cases <- numpy_cases()
  expect_gt(length(cases), 150)
  expect_numpy(cases)
})

test_that("tensors", {
  text <- function(x) capture.output(print(x))
  expect_identical(text(tensor(3, "float32")), "tf.Tensor(3.0, shape=(), dtype=float32)")
  expect_identical(text(tensor(5L)), "tf.Tensor(5, shape=(), dtype=int32)")
  expect_identical(text(tensor(TRUE)), "tf.Tensor(True, shape=(), dtype=bool)")
  expect_identical(text(tensor(c(1, 2))), "tf.Tensor([1. 2.], shape=(2), dtype=float64)")
  expect_identical(text(tensor(matrix(1:6 / 2, 2), "float32")),
    c("tf.Tensor(", "[[0.5 1.5 2.5]", " [1.  2.  3. ]], shape=(2, 3), dtype=float32)"))
  expect_identical(text(tensor(matrix(0, 0, 3))), "tf.Tensor([], shape=(0, 3), dtype=float64)")
  expect_identical(text(tensor(c(TRUE, FALSE))), "tf.Tensor([ True False], shape=(2), dtype=bool)")
  expect_identical(text(tensor(c(0.1, 1 / 3), "float32")),
    "tf.Tensor([0.1        0.33333334], shape=(2), dtype=float32)")
  expect_invisible(print(tensor(5L))) |> capture.output()
})

test_that("variables", {
  text <- function(x) capture.output(print(x))
  expect_identical(text(variable(3, "float32", name = "b")), "<tf.Variable 'b:0' shape=() dtype=float32, numpy=3.0>")
  expect_identical(text(variable(c(1, 2))), "<tf.Variable 'Variable:0' shape=(2) dtype=float64, numpy=array([1., 2.])>")
  expect_identical(text(variable(matrix(1:4, 2), name = "W1")),
    c("<tf.Variable 'W1:0' shape=(2, 2) dtype=int32, numpy=", "array([[1, 3],", "       [2, 4]], dtype=int32)>"))
})

test_that("what is large is cut before it comes to R", {
  x <- tensor(matrix(0.5, 6000, 784))
  expect_identical(capture.output(print(x)), c("tf.Tensor(",
    "[[0.5 0.5 0.5 ... 0.5 0.5 0.5]", rep(" [0.5 0.5 0.5 ... 0.5 0.5 0.5]", 2), " ...",
    rep(" [0.5 0.5 0.5 ... 0.5 0.5 0.5]", 2), " [0.5 0.5 0.5 ... 0.5 0.5 0.5]], shape=(6000, 784), dtype=float64)"))
  v <- variable(matrix(0, 40, 40))
  tape <- gradient_tape()
  tape_record(tape, capture.output(print(v)))
  expect_identical(capture.output(print(tape)), capture.output(print(gradient_tape())))
})

test_that("the short form stands in messages and for tensors without numbers", {
  expect_identical(format(tensor(array(0, c(2, 3, 4)))), "<tensor float64 (2, 3, 4)>")
  program <- trace_program(function(x) {
    expect_output(print(x), "<tensor float32 (2, 3)>", fixed = TRUE)
    op_add(x, 1)
  }, tensor(matrix(0, 2, 3), "float32"))
  expect_output(str(tensor(c(1, 2))), "<tensor float64 (2)>", fixed = TRUE)
  expect_output(str(list(a = tensor(1))), "$ a: <tensor float64 ()>", fixed = TRUE)
})
