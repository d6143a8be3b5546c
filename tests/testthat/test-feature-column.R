fc <- function(name, ...) tf$feature_column[[name]](...)
dense <- function(data, ...) as.array(layer_dense_features(data, list(...)))

test_that("numbers are normalized, and fall between boundaries", {
  size <- fc("numeric_column", "size")
  expect_equal(dense(list(size = c(0.5, 1, 7)), size), cbind(c(0.5, 1, 7)))
  expect_equal(dense(list(size = 1:3), fc("numeric_column", "size", normalizer_fn = function(x) (x - 1) / 4)),
    cbind(c(0, 0.25, 0.5)))
  pair <- fc("numeric_column", "size", shape = 2)
  expect_equal(dense(list(size = matrix(1:4, 2)), pair), matrix(1:4, 2) + 0)
  # a boundary belongs to the place above
  expect_equal(dense(list(size = c(0.5, 1, 7)), fc("bucketized_column", size, c(1, 2))), diag(3)[c(1, 2, 3), ])
  expect_equal(dense(list(size = rbind(c(0, 3))), fc("bucketized_column", pair, c(1, 2))), rbind(c(1, 0, 0, 0, 0, 1)))
  expect_error(dense(list(size = "u"), size))
  expect_error(fc("bucketized_column", size, c(2, 1)), "increasing")
  expect_error(fc("bucketized_column", "size", 1), "numeric column")
})

test_that("categorical columns give ids as TensorFlow does", {
  ones <- function(column, ...) dense(list(...), fc("indicator_column", column))
  words <- function(...) fc("categorical_column_with_vocabulary_list", "w", c("a", "b", "c"), ...)
  id <- function(column, depth, ...) ifelse(rowSums(m <- ones(column, ...)) == 0, -1, max.col(m) - 1)
  expect_equal(ones(words(), w = c("b", "zz", "a")), rbind(c(0, 1, 0), 0, c(1, 0, 0)))
  expect_equal(id(words(default_value = 2L), w = c("b", "zz")), c(1, 2))
  expect_equal(id(words(num_oov_buckets = 2L), w = c("c", "zz", "yy")),
    c(2, 3 + nativenet:::string_buckets(c("zz", "yy"), 2)))
  expect_equal(id(fc("categorical_column_with_vocabulary_list", "w", c(10L, 30L)), w = c(30L, 20L, 10L)), c(1, -1, 0))
  expect_equal(id(fc("categorical_column_with_hash_bucket", "w", 7), w = c("x", "y")),
    nativenet:::string_buckets(c("x", "y"), 7))
  expect_equal(id(fc("categorical_column_with_identity", "w", 4), w = c(3L, 0L)), c(3, 0))
  expect_equal(id(fc("categorical_column_with_identity", "w", 4, 1L), w = c(9L, 0L)), c(1, 0))
  expect_error(ones(fc("categorical_column_with_identity", "w", 4), w = 4L), class = "nativenet_error_index")
  file <- tempfile()
  writeLines(c("a", "b", "c"), file)
  expect_equal(id(fc("categorical_column_with_vocabulary_file", "w", file), w = c("c", "a")), c(2, 0))
  expect_equal(id(fc("categorical_column_with_vocabulary_file", "w", file, 2), w = c("c", "a")), c(-1, 0))
  expect_error(fc("categorical_column_with_vocabulary_file", "w", file, 4), class = "nativenet_error_file")
  expect_error(fc("categorical_column_with_vocabulary_file", "w", tempfile()), class = "nativenet_error_file")
  expect_error(words(default_value = 1L, num_oov_buckets = 1L), "together")
  expect_error(fc("categorical_column_with_vocabulary_list", "w", c("a", "a")), "twice")
  expect_error(layer_dense_features(list(w = "a"), list(words())), "categorical")
  # several values in a row are counted
  expect_equal(ones(words(), w = rbind(c("a", "a"), c("c", "zz"))), rbind(c(2, 0, 0), c(0, 0, 1)))
})

test_that("embeddings combine rows, and may be shared", {
  words <- fc("categorical_column_with_vocabulary_list", "w", c("a", "b"))
  rows <- rbind(1:2, 3:4)
  start <- function(...) initializer_constant(1)
  one <- layer_dense_features(feature_columns = list(fc("embedding_column", words, 2)))
  set_weights(one, list(rows))
  expect_equal(as.array(one(list(w = c("b", "zz", "a")))), rbind(3:4, 0, 1:2))
  for (combiner in c("sum", "mean", "sqrtn")) {
    column <- fc("embedding_column", words, 2, combiner, initializer = start())
    n <- c(sum = 1, mean = 2, sqrtn = sqrt(2))[[combiner]]
    expect_equal(dense(list(w = rbind(c("a", "b"), c("zz", "zz"))), column), rbind(c(2, 2) / n, 0), tolerance = 1e-6)
  }
  other <- fc("categorical_column_with_vocabulary_list", "v", c("x", "y"))
  shared <- layer_dense_features(feature_columns = fc("shared_embeddings", list(words, other), 3))
  expect_length(get_weights(shared), 1)
  both <- as.array(shared(list(w = "a", v = "x")))
  expect_equal(both[1:3], both[4:6])
  expect_error(fc("shared_embeddings", list(words, fc("categorical_column_with_identity", "i", 3)), 2),
    class = "nativenet_error_shape")
  expect_error(fc("embedding_column", words, 2, max_norm = 1), class = "nativenet_error_missing")
  expect_length(layer_dense_features(feature_columns = list(fc("embedding_column", words, 2)),
    trainable = FALSE)$trainable_weights, 0)
})

test_that("crossed columns spread pairs over buckets, and leave out what is unknown", {
  a <- fc("categorical_column_with_identity", "a", 40)
  b <- fc("categorical_column_with_vocabulary_list", "b", c("u", "v"))
  crossed <- fc("indicator_column", fc("crossed_column", list(a, b), 20))
  grid <- expand.grid(a = 0:39, b = c("u", "v"), stringsAsFactors = FALSE)
  bucket <- max.col(dense(grid, crossed))
  expect_identical(length(unique(bucket)), 20L)
  expect_lt(max(table(bucket)), 13) # 4 are expected
  expect_gt(length(unique(bucket[grid$b == "u"])), 10)
  expect_identical(max.col(dense(grid, crossed)), bucket)
  expect_equal(sum(dense(list(a = 1L, b = "zz"), crossed)), 0)
  words <- fc("indicator_column", fc("crossed_column", c("s", "b"), 50))
  pairs <- dense(list(s = c("x", "x", "y"), b = c("p", "q", "p")), words)
  expect_identical(rowSums(pairs), c(1, 1, 1))
  expect_error(fc("crossed_column", "s", 5), "at least two")
})

test_that("columns come in the order of their names, and inputs are checked", {
  z <- fc("numeric_column", "z")
  a <- fc("numeric_column", "a")
  expect_equal(dense(list(z = 1, a = 2, more = 3), z, a), cbind(2, 1))
  expect_error(dense(list(z = 1), z, a), class = "nativenet_error_names")
  expect_error(layer_dense_features(list(z = 1), list()), "at least one")
  expect_error(layer_dense_features(list(z = 1), list(1)), "feature columns")
  expect_error(layer_dense_features(1, list(z)), "named list")
  expect_error(layer_dense_features(list(w = layer_input(1)), list(fc("indicator_column",
    fc("categorical_column_with_identity", "w", 3)))), class = "nativenet_error_dtype")
})

test_that("layer_input_from_dataset() knows names, shapes and dtypes", {
  rows <- data.frame(a = 1:3, b = c(0.5, 1, 2), c = factor(c("u", "v", "u")))
  inputs <- layer_input_from_dataset(rows)
  expect_identical(vapply(inputs, function(i) i$dtype, ""), c(a = "int32", b = "float64", c = "string"))
  expect_identical(dim(inputs$a), c(NA, 1L))
  wide <- dataset_batch(tensor_slices_dataset(list(list(x = matrix(0, 4, 3)), 1:4)), 2)
  expect_identical(dim(layer_input_from_dataset(wide)$x), c(NA, 3L))
  expect_error(layer_input_from_dataset(range_dataset(to = 3)), "named lists")
})
