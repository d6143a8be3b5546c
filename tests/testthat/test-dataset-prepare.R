cars <- tensor_slices_dataset(mtcars)
first <- function(data) lapply(next_batch(data), as.array)

test_that("dataset_prepare() makes features and a response, natively", {
  data <- dataset_prepare(cars, x = c(mpg, disp), y = cyl)
  expect_true(nativenet:::has_stages(data))
  expect_equal(first(data), list(x = array(c(21, 160)), y = 6))
  expect_equal(first(dataset_prepare(cars, cyl ~ mpg + disp)), first(data))
  expect_equal(first(dataset_prepare(dataset_batch(cars, 3), cyl ~ mpg + disp))$x,
    unname(as.matrix(mtcars[1:3, c("mpg", "disp")])))
  expect_equal(first(dataset_prepare(cars, cyl ~ mpg, batch_size = 30)), list(x = array(mtcars$mpg[1:30], c(30, 1)),
    y = array(mtcars$cyl[1:30])))
  expect_length(dataset_prepare(cars, cyl ~ mpg, batch_size = 30), 2)
  expect_length(dataset_prepare(cars, cyl ~ mpg, batch_size = 30, drop_remainder = TRUE), 1)
  expect_identical(dim(first(dataset_prepare(cars, cyl ~ .))$x), 10L)
  expect_identical(names(first(dataset_prepare(cars, x = c(mpg, disp)))), "x")
  expect_null(names(first(dataset_prepare(cars, mpg ~ cyl, named = FALSE))))
  named <- next_batch(dataset_prepare(cars, x = c(mpg, disp), named_features = TRUE))
  expect_identical(names(named$x), c("mpg", "disp"))
  expect_identical(flat(dataset_prepare(dataset_take(cars, 0), cyl ~ mpg)), numeric())
})

test_that("columns are selected as in tidyselect", {
  chosen <- function(...) names(next_batch(dataset_prepare(cars, ..., named_features = TRUE))$x)
  two <- c("disp", "mpg")
  expect_identical(chosen(x = colnames(mtcars)[c(1, 3)]), c("mpg", "disp"))
  expect_identical(chosen(x = two), two)
  expect_identical(chosen(x = !!two), two)
  expect_identical(chosen(x = -cyl), setdiff(names(mtcars), "cyl"))
  expect_identical(chosen(x = c(-cyl, -mpg)), names(mtcars)[-(1:2)])
  expect_identical(chosen(x = mpg:disp), names(mtcars)[1:3])
  expect_identical(chosen(x = c(starts_with("d"), -drat)), "disp")
  expect_identical(chosen(x = c(ends_with("t"), contains("ea"))), c("drat", "wt", "gear"))
  expect_identical(chosen(x = matches("^.s$")), "vs")
  expect_identical(chosen(x = one_of("wt", "am")), c("wt", "am"))
  expect_identical(chosen(x = c(2, 1)), c("cyl", "mpg"))
  expect_identical(chosen(x = everything()), names(mtcars))
  expect_identical(chosen(x = all_numeric() & !starts_with("c")), setdiff(names(mtcars), c("cyl", "carb")))
  f <- mpg ~ cyl + wt
  expect_identical(chosen(f), c("cyl", "wt"))
  expect_identical(chosen(mpg ~ . - cyl), names(mtcars)[-(1:2)])
  expect_error(chosen(x = mgp), "no column \"mgp\"; there is `mpg`", class = "nativenet_error_names")
  expect_error(chosen(x = 99), "names, strings or places")
  expect_error(chosen(x = one_of()), "must be|at least one")
  expect_error(chosen(mpg ~ log(cyl)), class = "nativenet_error_names")
  expect_error(chosen(mpg ~ cyl:wt), class = "nativenet_error_names")
  expect_error(chosen(mpg ~ cyl, y = wt), "`y`")
})

test_that("dataset_prepare() refuses what cannot be stacked", {
  frame <- tensor_slices_dataset(data.frame(a = 1:2, b = c(0.5, 1), s = c("u", "v"), t = c("x", "y")))
  expect_error(dataset_prepare(frame, x = c(a, b)), class = "nativenet_error_dtype")
  expect_error(dataset_prepare(frame, x = c(s, t)), class = "nativenet_error_dtype")
  expect_identical(next_batch(suppressMessages(dataset_prepare(frame, x = s, y = a)))$x, "u")
  wide <- tensor_slices_dataset(list(a = matrix(0.5, 2, 2), b = c(0.5, 1)))
  expect_error(dataset_prepare(wide, x = c(a, b)), class = "nativenet_error_shape")
  expect_error(dataset_prepare(range_dataset(to = 2), x = a), "named lists")
  expect_error(dataset_prepare(frame, y = a), "`x` must be given")
  set.seed(1)
  lost <- in_fallback(dataset_shuffle(frame, 2)) # its columns are found by a look at an element
  before <- .Random.seed
  dataset_prepare(lost, x = a)
  expect_identical(.Random.seed, before)
})

test_that("dataset_prepare() feeds fit()", {
  data <- dataset_prepare(tensor_slices_dataset(iris[1:4] / 10), Sepal.Length ~ ., batch_size = 50, named = FALSE)
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1) |> compile(optimizer_sgd(0.1), "mse")
  expect_lt(rev(fit(model, data, epochs = 20, verbose = 0)$metrics$loss)[1], 0.05)
})

test_that("dataset_map_and_batch() is both", {
  expect_equal(numbers(dataset_map_and_batch(range_dataset(to = 5), ~ -.x, 2)), list(-c(0, 1), -c(2, 3), -4))
  expect_length(dataset_map_and_batch(range_dataset(to = 5), ~ -.x, 2, drop_remainder = TRUE), 2)
})

test_that("options are kept, and go along", {
  data <- dataset_options(range_dataset(0, 10), experimental_deterministic = FALSE,
    threading.private_threadpool_size = 10)
  expect_identical(dataset_options(dataset_batch(data, 2)), list(experimental_deterministic = FALSE,
    threading.private_threadpool_size = 10))
  expect_identical(dataset_options(dataset_options(data, list(experimental_deterministic = TRUE)))[[1]], TRUE)
  expect_identical(dataset_options(range_dataset(0, 10)), list())
  expect_identical(flat(data), flat(range_dataset(0, 10)))
  expect_error(dataset_options(data, 1, 2), "named options")
})

test_that("a snapshot is read by whoever comes later", {
  path <- file.path(tempfile(), "deep")
  runs <- 0
  data <- dataset_map(in_fallback(range_dataset(to = 3)), function(x) {
    runs <<- runs + 1
    x
  })
  expect_identical(flat(dataset_snapshot(data, path)), c(0, 1, 2))
  made <- runs
  expect_identical(flat(dataset_snapshot(data, path, compression = "GZIP")), c(0, 1, 2))
  expect_identical(runs, made)
  expect_error(dataset_snapshot(data, path, reader_func = identity), class = "nativenet_error_missing")
  expect_error(dataset_snapshot(data, path, shard_func = identity), class = "nativenet_error_missing")
  expect_error(dataset_snapshot(data, path, "ZIP"), "compression")
})

test_that("there is one device and one class", {
  data <- range_dataset(to = 2)
  expect_identical(flat(dataset_prefetch_to_device(data, "/cpu:0")), c(0, 1))
  expect_error(dataset_prefetch_to_device(data, "/gpu:0"), class = "nativenet_error_missing")
  expect_identical(as_tf_dataset(data), data)
  expect_error(as_tf_dataset(1), "must be a data set")
})
