# dtype, shape and numbers of all tensors in a nested list
whole <- function(x) {
  if (nativenet:::is_tensor(x)) return(list(tensor_dtype(x), dim(x), as.array(x)))
  if (is.list(x)) lapply(x, whole) else x
}
elements <- function(data) lapply(as.list(data), whole)
numbers <- function(data) lapply(as.list(data), function(x) c(as.array(x)))
flat <- function(data) as.numeric(unlist(numbers(data)))

# The same elements, pulled in R.
in_fallback <- function(data) {
  slow <- suppressMessages(dataset_map(data, function(...) {
    cat("")
    if (...length() == 1) ..1 else list(...)
  }))
  stopifnot(!nativenet:::has_stages(slow))
  slow
}

# What a verb gives, natively and in R.
expect_both <- function(data, verb, expected) {
  native <- verb(data)
  slow <- verb(in_fallback(data))
  expect_equal(numbers(native), lapply(expected, as.numeric))
  expect_identical(elements(slow), elements(native))
  expect_identical(elements(native), elements(native)) # from the start again
  if (!is.na(length(native))) expect_equal(length(native), length(expected))
  expect_equal(length(slow), length(native))
}

# Dtypes and shapes as strings and numbers.
unclassed <- function(x) if (is.list(x)) lapply(x, unclassed) else unclass(x)
