again <- function(model) unserialize_model(serialize_model(model))
plain <- function(x) { x <- as.array(x); if (length(dim(x)) == 1) as.vector(x) else x }

test_that("strings get the indices of Keras", {
  # from Keras' help page
  vocabulary <- c("a", "b", "c", "d")
  data <- rbind(c("a", "c", "d"), c("d", "z", "b"))
  expect_equal(plain(layer_string_lookup(vocabulary = vocabulary)(data)), rbind(c(1, 3, 4), c(4, 0, 2)))
  learned <- layer_string_lookup()
  expect_identical(adapt(learned, data), learned)
  expect_identical(get_vocabulary(learned), c("[UNK]", "d", "z", "c", "b", "a"))
  expect_equal(plain(learned(data)), rbind(c(5, 3, 1), c(1, 2, 4)))
  two <- layer_string_lookup(vocabulary = vocabulary, num_oov_indices = 2)
  expect_equal(plain(two(rbind(c("a", "c", "d"), c("m", "z", "b")))), rbind(c(2, 4, 5), c(0, 1, 3)))
  hot <- layer_string_lookup(vocabulary = vocabulary, output_mode = "one_hot")
  expect_identical(plain(hot(matrix(c("a", "b", "c", "d", "z")))), diag(5)[c(2:5, 1), ])
  data <- rbind(c("a", "c", "d", "d"), c("d", "z", "b", "z"))
  many <- function(...) plain(layer_string_lookup(vocabulary = vocabulary, ...)(data))
  expect_identical(many(output_mode = "multi_hot"), rbind(c(0, 1, 0, 1, 1), c(1, 0, 1, 0, 1)))
  expect_identical(many(output_mode = "count"), rbind(c(0, 1, 0, 1, 2), c(2, 0, 1, 0, 1)))
  weights <- c(0.25, 0.75, 0.6, 0.4)
  expect_equal(many(output_mode = "tf_idf", idf_weights = weights),
    rbind(c(0, 0.25, 0, 0.6, 0.8), c(1, 0, 0.75, 0, 0.4)), tolerance = 1e-6)
  back <- layer_string_lookup(vocabulary = vocabulary, invert = TRUE)
  expect_identical(back(rbind(c(1, 3, 4), c(4, 0, 2))), rbind(c("a", "c", "d"), c("d", "[UNK]", "b")))
  expect_identical(back(tensor(c(2L, 9L))), array(c("b", "[UNK]")))
})

test_that("masked strings are 0, or nowhere", {
  lookup <- function(...) layer_string_lookup(mask_token = "", ...)
  expect_identical(get_vocabulary(lookup(vocabulary = c("a", "b"))), c("", "[UNK]", "a", "b"))
  expect_identical(get_vocabulary(lookup(vocabulary = c("a", "b")), FALSE), c("a", "b"))
  expect_equal(plain(lookup(vocabulary = c("", "[UNK]", "a", "b"))(c("b", "", "x"))), c(3, 0, 1))
  expect_identical(plain(lookup(vocabulary = c("a", "b"), output_mode = "count")(rbind(c("b", ""), c("", "")))),
    rbind(c(0, 0, 1), c(0, 0, 0)))
  expect_equal(plain(lookup(vocabulary = "a", num_oov_indices = 0)(c("", "a"))), c(0, 1))
})

test_that("a vocabulary is learned by frequency, in batches of any size", {
  x <- c("b", "a", "c", "b", "c", "d", "[UNK]")
  learn <- function(data, ..., max_tokens = NULL) {
    lookup <- layer_string_lookup(max_tokens = max_tokens)
    adapt(lookup, c("zz", "zz"))
    adapt(lookup, data, ...)
    get_vocabulary(lookup, include_special_tokens = FALSE)
  }
  expect_identical(learn(x), c("c", "b", "d", "a"))
  expect_identical(learn(x, batch_size = 2), c("c", "b", "d", "a"))
  expect_identical(learn(dataset_batch(tensor_slices_dataset(x), 3)), c("c", "b", "d", "a"))
  expect_identical(learn(data.frame(x = x)), c("c", "b", "d", "a"))
  expect_identical(learn(x, max_tokens = 3), c("c", "b"))
  expect_identical(learn(c("a", "B", "\u00e9", "z")), c("\u00e9", "z", "a", "B")) # by bytes
})

test_that("weights of documents follow Keras' formula", {
  x <- rbind(c("a", "b", "a"), c("a", "c", "c"))
  lookup <- layer_string_lookup(output_mode = "tf_idf")
  lookup$adapt(x)
  expect_identical(lookup$get_vocabulary(), c("[UNK]", "a", "c", "b"))
  idf <- log(1 + 2 / (1 + c(2, 1, 1)))
  expect_equal(plain(lookup(x)), rbind(c(0, 2, 0, 1), c(0, 1, 2, 0)) %*% diag(c(mean(idf), idf)), tolerance = 1e-6)
  expect_equal(plain(lookup(matrix("?"))), matrix(c(mean(idf), 0, 0, 0), 1), tolerance = 1e-6)
  padded <- layer_string_lookup(vocabulary = c("a", "b"), idf_weights = c(1, 3), output_mode = "tf_idf", max_tokens = 5,
    pad_to_max_tokens = TRUE)
  expect_identical(plain(padded(rbind(c("b", "x")))), matrix(c(2, 0, 3, 0, 0), 1))
  expect_identical(plain(again(keras_model_sequential(input_shape = 2) |> padded())(rbind(c("b", "x")))),
    matrix(c(2, 0, 3, 0, 0), 1))
})

test_that("numbers get the indices of Keras, anywhere in a model", {
  vocabulary <- c(12, 36, 1138, 42)
  data <- rbind(c(12, 1138, 42), c(42, 1000, 36))
  lookup <- function(...) layer_integer_lookup(vocabulary = vocabulary, ...)
  # from Keras' help page
  expect_equal(plain(lookup()(data)), rbind(c(1, 3, 4), c(4, 0, 2)))
  expect_equal(plain(lookup(num_oov_indices = 2)(rbind(c(12, 1138, 42), c(37, 1000, 36)))),
    rbind(c(2, 4, 5), c(1, 0, 3)))
  expect_equal(plain(lookup(invert = TRUE)(rbind(c(1, 3, 4), c(4, 0, 2)))),
    rbind(c(12, 1138, 42), c(42, -1, 36)))
  learned <- layer_integer_lookup()
  adapt(learned, rbind(c(12, 1138, 42), c(42, 1000, 36)))
  expect_identical(get_vocabulary(learned), c(-1, 42, 1138, 1000, 36, 12))
  # sizes around powers of two, large and negative numbers
  set.seed(1)
  for (n in c(1:5, 8, 9, 31)) {
    v <- sample(c(-1, 1), n, TRUE) * floor(runif(n) * 2^52)
    x <- c(v, v + 1, 0, -2^53)
    expect_identical(as.vector(as.array(layer_integer_lookup(vocabulary = v)(tensor(x, "int64")))) + 0,
      ifelse(x %in% v, match(x, v), 0))
  }
  expect_equal(plain(lookup(mask_token = 5, num_oov_indices = 0)(c(5, 36))), c(0, 2))
  expect_error(lookup(num_oov_indices = 0)(c(5, 36)), class = "nativenet_error_index")
  model <- keras_model_sequential(input_shape = 2) |> layer_rescaling(1, offset = 1)
  model |> (lookup(output_mode = "count"))()
  expect_identical(predict(model, rbind(c(11, 5), c(41, 41))), rbind(c(1, 1, 0, 0, 0), c(0, 0, 0, 0, 2)))
  expect_identical(predict(again(model), rbind(c(11, 5))), rbind(c(1, 1, 0, 0, 0)))
})

test_that("a vocabulary can be set, and its size is kept where outputs have it", {
  lookup <- layer_string_lookup(vocabulary = c("a", "b"))
  lookup("a")
  expect_identical(set_vocabulary(lookup, c("x", "y", "z")), lookup)
  expect_equal(plain(lookup(c("z", "a"))), c(3, 0))
  expect_identical(vocabulary_size(lookup), 4L)
  expect_identical(lookup$vocabulary_size(), 4L)
  hot <- layer_string_lookup(vocabulary = c("a", "b"), output_mode = "multi_hot")
  hot(matrix("a"))
  expect_error(set_vocabulary(hot, c("x", "y", "z")), "another number of classes", class = "nativenet_error_shape")
  expect_identical(plain(hot(matrix("b"))), matrix(c(0, 0, 1), 1)) # as before
  hot$set_vocabulary(c("b", "c"))
  expect_identical(plain(hot(matrix("b"))), matrix(c(0, 1, 0), 1))
})

test_that("lookups refuse what they cannot do", {
  fails <- function(expr, text, kind = "value")
    expect_error(expr, text, fixed = TRUE, class = paste0("nativenet_error_", kind))
  fails(layer_string_lookup()("a"), "knows no vocabulary yet", "unbuilt")
  fails(layer_string_lookup(output_mode = "one_hot")(layer_input(1, dtype = "string")), "knows no vocabulary yet",
    "unbuilt")
  fails(layer_string_lookup(vocabulary = c("a", "b", "a")), "`vocabulary` has \"a\" twice")
  fails(layer_string_lookup(vocabulary = character()), "`vocabulary` must not be empty")
  fails(layer_string_lookup(vocabulary = c("a", ""), mask_token = ""), "has the reserved token \"\"")
  fails(layer_string_lookup(vocabulary = c("a", "b"), max_tokens = 2), "3 tokens, and `max_tokens` is 2")
  fails(layer_string_lookup(vocabulary = c("a", "b"), output_mode = "tf_idf"), "`idf_weights` must be given")
  fails(layer_string_lookup(vocabulary = c("a", "b"), idf_weights = 1:2), "`idf_weights` must not be given")
  fails(layer_string_lookup(vocabulary = letters, idf_weights = 1:2, output_mode = "tf_idf"), "must be 26 numbers",
    "shape")
  fails(layer_string_lookup(idf_weights = 1), "`idf_weights` go with a `vocabulary`")
  fails(layer_string_lookup(pad_to_max_tokens = TRUE), "`max_tokens` must be given")
  fails(layer_string_lookup(invert = TRUE, output_mode = "count"), "`output_mode` must be \"int\"")
  fails(layer_string_lookup(encoding = "latin1"), "`encoding` must be \"utf-8\"")
  fails(layer_string_lookup(vocabulary = "a", num_oov_indices = 0)("b"), "the vocabulary has no \"b\"", "index")
  fails(adapt(layer_string_lookup(vocabulary = "a"), "b"), "was given its vocabulary")
  fails(adapt(layer_string_lookup(), 1:3), "`data` must be strings")
  fails(adapt(layer_string_lookup(), c("[UNK]")), "holds no token")
  fails(adapt(layer_string_lookup(), character()), "`data` must not be empty")
  fails(adapt(layer_integer_lookup(), 0.5), "`data` must be whole numbers")
  fails(layer_string_lookup(1, vocabulary = "a"), "`x` must be strings")
  fails(get_vocabulary(layer_dense(units = 1)), "`object` must be a layer with a vocabulary")
  fails(layer_string_lookup(vocabulary = "a", invert = TRUE)(layer_input(1, dtype = "int64")), "gives strings, which")
  path <- tempfile()
  writeLines(c("a", "b"), path)
  fails(layer_string_lookup(vocabulary = path), "is the name of a file")
  expect_identical(vocabulary_size(layer_string_lookup(vocabulary = readLines(path))), 3L)
})

test_that("adapt() goes on with a layer that was learned before it was saved, not with one that was given", {
  stored <- function(layer) {
    model <- keras_model_sequential(list(layer_input(1, dtype = "string"), layer))
    unserialize_model(serialize_model(model))$layers[[1]]
  }
  learned <- layer_string_lookup()
  adapt(learned, c("a", "b", "b"))
  again <- stored(learned)
  expect_identical(get_vocabulary(again), c("[UNK]", "b", "a"))
  adapt(again, c("c", "c", "d"))
  expect_identical(get_vocabulary(again), c("[UNK]", "c", "d"))
  expect_error(adapt(stored(layer_string_lookup(vocabulary = "a")), "b"), "was given its vocabulary")
})
