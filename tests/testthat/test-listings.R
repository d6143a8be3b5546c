# Programs of the kinds that books and courses on Keras for R have, in brief, on data that are made up on the spot.

test_that("houses: scaled columns, k-fold validation by hand", {
  set.seed(1)
  train <- matrix(rnorm(60 * 4, 5, 2), 60)
  prices <- c(train %*% c(2, -1, 0, 1) + rnorm(60, sd = 0.1))
  mean <- apply(train, 2, mean)
  std <- apply(train, 2, sd)
  train <- scale(train, center = mean, scale = std)
  build_model <- function() {
    model <- keras_model_sequential() %>%
      layer_dense(units = 8, activation = "relu", input_shape = dim(train)[[2]]) %>%
      layer_dense(units = 8, activation = "relu") %>%
      layer_dense(units = 1)
    model %>% compile(optimizer = "rmsprop", loss = "mse", metrics = c("mae"))
    model
  }
  k <- 3
  folds <- cut(sample(seq_len(nrow(train))), breaks = k, labels = FALSE)
  scores <- c()
  histories <- NULL
  for (i in seq_len(k)) {
    at <- which(folds == i)
    model <- build_model()
    history <- model %>% fit(train[-at, ], prices[-at], validation_data = list(train[at, ], prices[at]), epochs = 4,
      batch_size = 8, verbose = 0)
    results <- model %>% evaluate(train[at, ], prices[at], verbose = 0)
    scores <- c(scores, results["mae"])
    histories <- rbind(histories, history$metrics$val_mae)
  }
  expect_length(scores, 3)
  expect_equal(unname(scores[3]), histories[3, 4], tolerance = 1e-6)
  expect_identical(dim(histories), c(3L, 4L))
})

test_that("newswires: one-hot words and labels, and the same with whole labels", {
  set.seed(2)
  classes <- 4
  labels <- sample(0:3, 80, replace = TRUE)
  texts <- lapply(labels, function(l) sample(c(1:3 + 3 * l, 13:20), 10, replace = TRUE))
  vectorize <- function(sequences, dimension = 20) {
    results <- matrix(0, nrow = length(sequences), ncol = dimension)
    for (i in seq_along(sequences)) results[i, sequences[[i]]] <- 1
    results
  }
  x <- vectorize(texts)
  fitted <- function(y, loss) {
    set.seed(3)
    model <- keras_model_sequential() %>%
      layer_dense(units = 16, activation = "relu", input_shape = 20) %>%
      layer_dense(units = classes, activation = "softmax")
    model %>% compile(optimizer = optimizer_adam(0.02), loss = loss, metrics = "accuracy")
    history <- model %>% fit(x, y, epochs = 15, batch_size = 16, verbose = 0)
    list(model = model, history = history$metrics)
  }
  hot <- fitted(to_categorical(labels, classes), "categorical_crossentropy")
  whole <- fitted(labels, "sparse_categorical_crossentropy")
  expect_equal(hot$history, whole$history, tolerance = 1e-5)
  expect_gt(tail(hot$history$accuracy, 1), 0.9)
  predictions <- hot$model %>% predict(x)
  expect_equal(rowSums(predictions), rep(1, 80), tolerance = 1e-5)
  expect_gt(mean(apply(predictions, 1, which.max) - 1 == labels), 0.9)
})

test_that("text generation: characters, a recurrent network, sampling with a temperature", {
  text <- strrep("the cat sat on the mat. ", 12)
  characters <- strsplit(text, "")[[1]]
  chars <- sort(unique(characters))
  maxlen <- 8
  starts <- seq(1, length(characters) - maxlen - 1, by = 3)
  x <- array(0, dim = c(length(starts), maxlen, length(chars)))
  y <- array(0, dim = c(length(starts), length(chars)))
  for (i in seq_along(starts)) {
    for (t in 1:maxlen) x[i, t, match(characters[starts[i] + t - 1], chars)] <- 1
    y[i, match(characters[starts[i] + maxlen], chars)] <- 1
  }
  set.seed(4)
  model <- keras_model_sequential() %>%
    layer_lstm(units = 16, input_shape = c(maxlen, length(chars))) %>%
    layer_dense(units = length(chars), activation = "softmax")
  model %>% compile(loss = "categorical_crossentropy", optimizer = optimizer_rmsprop(learning_rate = 0.02))
  sample_next_char <- function(preds, temperature = 1.0) {
    preds <- exp(log(as.numeric(preds)) / temperature)
    preds <- preds / sum(preds)
    which.max(t(rmultinom(1, 1, preds)))
  }
  generated <- ""
  on_epoch_end <- function(epoch, logs) {
    if (epoch < 29) return()
    seed <- characters[1:maxlen]
    for (i in 1:16) {
      sampled <- array(0, dim = c(1, maxlen, length(chars)))
      for (t in seq_along(seed)) sampled[1, t, match(seed[t], chars)] <- 1
      preds <- model %>% predict(sampled, verbose = 0)
      following <- chars[sample_next_char(preds[1, ], 0.1)]
      generated <<- paste0(generated, following)
      seed <- c(seed[-1], following)
    }
  }
  history <- model %>% fit(x, y, batch_size = 16, epochs = 30, verbose = 0,
    callbacks = callback_lambda(on_epoch_end = on_epoch_end))
  expect_lt(tail(history$metrics$loss, 1), 0.3 * history$metrics$loss[1])
  expect_identical(nchar(generated), 16L)
  expect_gt(mean(max.col(predict(model, x)) == max.col(y)), 0.8)
})

test_that("temperatures: a generator of windows, a recurrent network, a baseline of common sense", {
  set.seed(5)
  data <- cbind(sin(seq(0, 30, length.out = 300)), cos(seq(0, 30, length.out = 300)), rnorm(300))
  generator <- function(data, lookback, delay, min_index, max_index, batch_size = 16, step = 2) {
    i <- min_index + lookback
    function() {
      if (i + batch_size >= max_index) i <<- min_index + lookback
      rows <- i:min(i + batch_size - 1, max_index)
      i <<- i + length(rows)
      samples <- array(0, dim = c(length(rows), lookback / step, dim(data)[[-1]]))
      targets <- array(0, dim = length(rows))
      for (j in seq_along(rows)) {
        indices <- seq(rows[[j]] - lookback, rows[[j]] - 1, length.out = dim(samples)[[2]])
        samples[j, , ] <- data[indices, ]
        targets[[j]] <- data[rows[[j]] + delay, 1]
      }
      list(samples, targets)
    }
  }
  train_gen <- generator(data, 10, 5, 1, 200)
  val_gen <- generator(data, 10, 5, 201, 295)
  c(samples, targets) %<-% val_gen()
  naive <- mean(abs(samples[, dim(samples)[[2]], 1] - targets))
  model <- keras_model_sequential() %>%
    layer_gru(units = 8, input_shape = list(NULL, dim(data)[[-1]])) %>%
    layer_dense(units = 1)
  model %>% compile(optimizer = optimizer_adam(0.02), loss = "mae")
  history <- model %>% fit(train_gen, steps_per_epoch = 11, epochs = 8, validation_data = val_gen,
    validation_steps = 5, verbose = 0)
  expect_lt(tail(history$metrics$val_loss, 1), naive)
})

test_that("neural style: content, style and variation, a gradient towards an image", {
  set.seed(6)
  size <- 8
  input <- layer_input(c(size, size, 3))
  first <- input %>% layer_conv_2d(4, 3, padding = "same", activation = "relu", name = "block1")
  second <- first %>% layer_max_pooling_2d() %>% layer_conv_2d(4, 3, padding = "same", activation = "relu",
    name = "block2")
  network <- keras_model(input, list(block1 = first, block2 = second))
  gram_matrix <- function(x) {
    features <- tf$reshape(tf$transpose(x, c(2L, 0L, 1L)), c(4L, -1L))
    tf$matmul(features, tf$transpose(features))
  }
  content <- tf$constant(array(runif(size^2 * 3), c(1, size, size, 3)), dtype = "float32")
  style <- tf$constant(array(runif(size^2 * 3), c(1, size, size, 3)), dtype = "float32")
  variation <- function(x) {
    a <- k_square(x[, 1:(size - 1), 1:(size - 1), ] - x[, 2:size, 1:(size - 1), ])
    b <- k_square(x[, 1:(size - 1), 1:(size - 1), ] - x[, 1:(size - 1), 2:size, ])
    k_sum(k_pow(a + b, 1.25))
  }
  image <- tf$Variable(tf$random$uniform(c(1L, 8L, 8L, 3L)))
  wanted_content <- network(content)$block2
  wanted_style <- lapply(network(style), function(x) gram_matrix(x[1, , , ]))
  compute_loss <- function(image) {
    features <- network(image)
    loss <- k_mean(k_square(features$block2 - wanted_content)) + 1e-3 * variation(image)
    for (name in names(features)) {
      loss <- loss + k_sum(k_square(gram_matrix(features[[name]][1, , , ]) - wanted_style[[name]])) / 4^2 / size^4
    }
    loss
  }
  optimizer <- optimizer_sgd(learning_rate_schedule_exponential_decay(0.5, decay_steps = 10, decay_rate = 0.9))
  step <- tf_function(function(image) {
    with(tf$GradientTape() %as% tape, loss <- compute_loss(image))
    grads <- tape$gradient(loss, image)
    optimizer$apply_gradients(list(list(grads, image)))
    loss
  })
  losses <- vapply(1:20, function(i) as.numeric(step(image)), 0)
  expect_lt(losses[20], losses[1])
  # the gradient of an element of the picture, by finite differences
  with(tf$GradientTape() %as% tape, loss <- compute_loss(image))
  gradient <- as.array(tape$gradient(loss, image))
  at <- function(e) {
    x <- as.array(image)
    x[1, 3, 4, 2] <- x[1, 3, 4, 2] + e
    as.numeric(compute_loss(tf$constant(x, dtype = "float32")))
  }
  expect_equal(gradient[1, 3, 4, 2], (at(0.01) - at(-0.01)) / 0.02, tolerance = 0.05)
})

test_that("Siamese networks: one encoder for two inputs, a contrastive loss", {
  set.seed(7)
  encoder <- keras_model_sequential(input_shape = 4) %>% layer_dense(8, activation = "tanh") %>% layer_dense(2)
  left <- layer_input(shape = 4)
  right <- layer_input(shape = 4)
  distance <- layer_lambda(list(encoder(left), encoder(right)), function(x) {
    k_sqrt(k_maximum(k_sum(k_square(x[[1]] - x[[2]]), axis = -1, keepdims = TRUE), k_epsilon()))
  })
  model <- keras_model(list(left, right), distance)
  contrastive <- function(y_true, y_pred) {
    k_mean(y_true * k_square(y_pred) + (1 - y_true) * k_square(k_maximum(1 - y_pred, 0)))
  }
  model %>% compile(loss = contrastive, optimizer = optimizer_adam(0.02),
    metrics = custom_metric("close", function(y_true, y_pred) k_mean(k_equal(y_true, k_cast(y_pred < 0.5, "float32")))))
  group <- sample(0:1, 64, replace = TRUE)
  other <- sample(0:1, 64, replace = TRUE)
  points <- function(group) matrix(rnorm(64 * 4, 0, 0.3), 64) + 2 * group
  pairs <- list(points(group), points(other))
  same <- as.numeric(group == other)
  history <- model %>% fit(pairs, same, epochs = 15, batch_size = 16, verbose = 0)
  expect_gt(tail(history$metrics$close, 1), 0.9)
  apart <- model %>% predict(pairs)
  expect_lt(mean(apart[same == 1]), mean(apart[same == 0]))
  expect_length(model$weights, 4)
})

test_that("translation: an encoder, a decoder with attention, a loop of one's own with masks", {
  set.seed(8)
  pairs <- matrix(sample(2:6, 40, replace = TRUE), 10)
  target <- cbind(1, pairs[, 4:1]) # backwards, after a sign that begins
  Encoder <- new_model_class("Encoder",
    initialize = function(vocabulary, units) {
      super$initialize()
      self$embedding <- layer_embedding(input_dim = vocabulary, output_dim = 8)
      self$gru <- layer_gru(units = units, return_sequences = TRUE, return_state = TRUE)
    },
    call = function(x) self$gru(self$embedding(x))
  )
  Attention <- new_model_class("Attention",
    initialize = function(units) {
      super$initialize()
      self$W1 <- layer_dense(units = units)
      self$W2 <- layer_dense(units = units)
      self$V <- layer_dense(units = 1)
    },
    call = function(inputs) {
      c(hidden, features) %<-% inputs
      score <- self$V(k_tanh(self$W1(features) + self$W2(k_expand_dims(hidden, 2))))
      weights <- k_softmax(score, axis = 2)
      list(k_sum(weights * features, axis = 2), weights)
    }
  )
  Decoder <- new_model_class("Decoder",
    initialize = function(vocabulary, units) {
      super$initialize()
      self$embedding <- layer_embedding(input_dim = vocabulary, output_dim = 8)
      self$gru <- layer_gru(units = units, return_sequences = TRUE, return_state = TRUE)
      self$fc <- layer_dense(units = vocabulary)
      self$attention <- Attention(units)
    },
    call = function(inputs) {
      c(x, hidden, features) %<-% inputs
      c(context, weights) %<-% self$attention(list(hidden, features))
      x <- k_concatenate(list(k_expand_dims(context, 2), self$embedding(x)), axis = -1)
      c(output, state) %<-% self$gru(x)
      list(self$fc(k_reshape(output, c(-1, 16))), state, weights)
    }
  )
  encoder <- Encoder(7, 16)
  decoder <- Decoder(7, 16)
  optimizer <- optimizer_adam(0.02)
  loss_function <- function(real, pred) {
    mask <- k_cast(k_not_equal(real, 0), "float32")
    k_mean(loss_sparse_categorical_crossentropy(real, pred, from_logits = TRUE) * mask)
  }
  train_step <- tf_function(function(x, y) {
    with(tf$GradientTape() %as% tape, {
      loss <- 0
      c(features, hidden) %<-% encoder(x)
      for (t in 2:5) {
        c(preds, hidden, weights) %<-% decoder(list(y[, t - 1, drop = FALSE], hidden, features))
        loss <- loss + loss_function(y[, t], preds)
      }
    })
    variables <- c(encoder$variables, decoder$variables)
    gradients <- tape$gradient(loss, variables)
    optimizer$apply_gradients(zip_lists(gradients, variables))
    loss / 4
  })
  x <- tf$constant(pairs, dtype = "int32")
  y <- tf$constant(target, dtype = "int32")
  losses <- vapply(1:40, function(i) as.numeric(train_step(x, y)), 0)
  expect_lt(losses[40], 0.5 * losses[1])
  c(features, hidden) %<-% encoder(x)
  c(preds, hidden, weights) %<-% decoder(list(y[, 1, drop = FALSE], hidden, features))
  expect_equal(c(as.array(k_sum(weights, axis = 2))), rep(1, 10), tolerance = 1e-5)
  expect_identical(dim(preds), c(10L, 7L))
})

test_that("several inputs and outputs: text, tags and a number; weights of losses", {
  set.seed(9)
  title <- layer_input(shape = 6, dtype = "int32", name = "title")
  tags <- layer_input(shape = 3, name = "tags")
  features <- title %>% layer_embedding(10, 4) %>% layer_global_average_pooling_1d()
  x <- layer_concatenate(list(features, tags)) %>% layer_dense(8, activation = "relu")
  priority <- x %>% layer_dense(1, activation = "sigmoid", name = "priority")
  department <- x %>% layer_dense(3, activation = "softmax", name = "department")
  model <- keras_model(inputs = list(title, tags), outputs = list(priority, department))
  model %>% compile(optimizer = optimizer_adam(0.03),
    loss = list(priority = "mean_squared_error", department = "categorical_crossentropy"),
    loss_weights = list(priority = 0.5, department = 1), metrics = list(priority = "mae", department = "accuracy"))
  titles <- matrix(sample(0:9, 120, replace = TRUE), 20)
  hot <- to_categorical(sample(0:2, 20, replace = TRUE), 3)
  history <- model %>% fit(list(title = titles, tags = hot), list(priority = runif(20), department = hot), epochs = 25,
    batch_size = 10, verbose = 0)
  expect_gt(tail(history$metrics$department_accuracy, 1), 0.9)
  expect_equal(history$metrics$loss, 0.5 * history$metrics$priority_loss + history$metrics$department_loss,
    tolerance = 1e-5)
  c(p, d) %<-% predict(model, list(title = titles, tags = hot))
  expect_identical(list(dim(p), dim(d)), list(c(20L, 1L), c(20L, 3L)))
})

test_that("pictures out of two numbers: a variational autoencoder whose loss is a layer that sees the whole model", {
  skip_if_not_installed("R6")
  size <- 2L
  picture <- layer_input(shape = c(8, 8, 1))
  x <- picture %>% layer_conv_2d(filters = 4, kernel_size = 3, padding = "same", activation = "relu", strides = 2)
  before <- k_int_shape(x)
  x <- x %>% layer_flatten() %>% layer_dense(units = 8, activation = "relu")
  center <- x %>% layer_dense(units = size)
  log_spread <- x %>% layer_dense(units = size)
  drawn <- list(center, log_spread) %>% layer_lambda(function(args) {
    c(center, log_spread) %<-% args
    center + k_exp(log_spread) * k_random_normal(shape = list(k_shape(center)[1], size), mean = 0, stddev = 1)
  })
  code <- layer_input(k_int_shape(drawn)[-1])
  decoded <- code %>%
    layer_dense(units = prod(as.integer(before[-1])), activation = "relu") %>%
    layer_reshape(target_shape = before[-1]) %>%
    layer_conv_2d_transpose(filters = 4, kernel_size = 3, padding = "same", activation = "relu", strides = 2) %>%
    layer_conv_2d(filters = 1, kernel_size = 3, padding = "same", activation = "sigmoid")
  decoder <- keras_model(code, decoded)
  Loss <- R6::R6Class("VariationalLoss", inherit = KerasLayer, public = list(
    of = function(x, y) {
      off <- metric_binary_crossentropy(k_flatten(x), k_flatten(y))
      k_mean(off - 5e-4 * k_mean(1 + log_spread - k_square(center) - k_exp(log_spread), axis = -1L))
    },
    call = function(inputs, mask = NULL) {
      self$add_loss(self$of(inputs[[1]], inputs[[2]]), inputs = inputs)
      inputs[[1]]
    }
  ))
  out <- list(picture, decoder(drawn)) %>% create_layer(Loss, ., list())
  model <- keras_model(picture, out)
  model %>% compile(optimizer = "rmsprop", loss = NULL)
  x <- array(rep(c(0, 1), each = 64), c(16, 8, 8, 1))
  history <- model %>% fit(x = x, y = NULL, epochs = 8, batch_size = 8, validation_data = list(x, NULL), verbose = 0)
  expect_lt(utils::tail(history$metrics$loss, 1), history$metrics$loss[1])
  expect_identical(dim(predict(decoder, matrix(c(0.1, 0.2), ncol = 2))), c(1L, 8L, 8L, 1L))
})

test_that("pictures from pictures: files, random crops, a generator and a judge of models of functions", {
  skip_if_not_installed("jpeg")
  folder <- tempfile()
  dir.create(folder)
  for (i in 1:2) image_array_save(array(stats::runif(8 * 16 * 3), c(8, 16, 3)), file.path(folder, sprintf("%d.jpg", i)))
  read <- function(file) {
    image <- tf$image$decode_jpeg(tf$io$read_file(file))
    both <- k_stack(list(image[, 9:16, ], image[, 1:8, ]), axis = 1) %>% k_cast(tf$float32)
    both <- tf$image$resize(both, list(10L, 10L), method = tf$image$ResizeMethod$NEAREST_NEIGHBOR)
    both <- tf$image$random_crop(both, size = c(2L, 8L, 8L, 3L)) / 127.5 - 1
    list(both[1, , , ], both[2, , , ])
  }
  data <- tf$data$Dataset$list_files(file.path(folder, "*.jpg")) %>% dataset_map(read) %>% dataset_batch(1)
  down <- function(filters) keras_model_custom(function(self) {
    self$conv <- layer_conv_2d(filters = filters, kernel_size = 4, strides = 2, padding = "same", use_bias = FALSE)
    self$norm <- layer_batch_normalization()
    function(x, mask = NULL, training = TRUE) {
      x %>% self$conv() %>% self$norm(training = training) %>% layer_activation_leaky_relu()
    }
  })
  generator <- keras_model_custom(name = "generator", function(self) {
    self$down <- down(4)
    self$up <- layer_conv_2d_transpose(filters = 3, kernel_size = 4, strides = 2, padding = "same", activation = "tanh")
    function(x, mask = NULL, training = TRUE) self$up(self$down(x, training = training))
  })
  judge <- keras_model_custom(name = "judge", function(self) {
    self$down <- down(4)
    self$last <- layer_conv_2d(filters = 1, kernel_size = 2)
    function(x, y, mask = NULL, training = TRUE) {
      k_concatenate(list(x, y)) %>% self$down(training = training) %>% self$last()
    }
  })
  entropy <- tf$keras$losses$BinaryCrossentropy(from_logits = TRUE)
  of_generator <- tf$optimizers$Adam(2e-4, beta_1 = 0.5)
  of_judge <- tf$optimizers$Adam(2e-4, beta_1 = 0.5)
  total <- 0
  iter <- make_iterator_one_shot(data)
  until_out_of_range({
    c(input, target) %<-% iterator_get_next(iter)
    with(tf$GradientTape() %as% tape_1, {
      with(tf$GradientTape() %as% tape_2, {
        made <- generator(input, training = TRUE)
        real <- judge(input, target, training = TRUE)
        false <- judge(input, made, training = TRUE)
        loss_1 <- entropy(tf$ones_like(false), false) + 100 * tf$reduce_mean(tf$abs(target - made))
        loss_2 <- entropy(tf$ones_like(real), real) + entropy(tf$zeros_like(false), false)
        total <- total + loss_1
      })
    })
    of_generator$apply_gradients(zip_lists(tape_1$gradient(loss_1, generator$trainable_variables),
      generator$trainable_variables))
    of_judge$apply_gradients(zip_lists(tape_2$gradient(loss_2, judge$trainable_variables), judge$trainable_variables))
  })
  expect_true(is.finite(total$numpy()))
  checkpoint <- tf$train$Checkpoint(generator = generator, optimizer = of_generator)
  checkpoint$save(file_prefix = file.path(folder, "new", "ckpt"))
  before <- get_weights(generator)
  generator$set_weights(lapply(before, function(w) w * 0))
  checkpoint$restore(tf$train$latest_checkpoint(file.path(folder, "new")))
  expect_identical(get_weights(generator), before)
})

test_that("sentences into others: a decoder with a source, masks by the order of places, a file, a class of layers", {
  set.seed(10)
  Decoder <- new_layer_class("Decoder",
    initialize = function(width, heads, ...) {
      super$initialize(...)
      self$width <- width
      self$heads <- heads
      self$own <- layer_multi_head_attention(num_heads = heads, key_dim = width)
      self$cross <- layer_multi_head_attention(num_heads = heads, key_dim = width)
      self$norm <- layer_layer_normalization()
    },
    get_config = function() {
      config <- super$get_config()
      for (name in c("width", "heads")) config[[name]] <- self[[name]]
      config
    },
    order = function(inputs) {
      c(batch, steps, width) %<-% tf$unstack(tf$shape(inputs))
      at <- tf$range(steps)
      mask <- tf$cast(at[, tf$newaxis] >= at[tf$newaxis, ], "int32")
      tf$tile(mask[tf$newaxis, , ], tf$stack(c(batch, 1L, 1L)))
    },
    call = function(inputs, source, mask = NULL) {
      before <- self$order(inputs)
      mask <- if (is.null(mask)) before else tf$minimum(tf$cast(mask[, tf$newaxis, ], "int32"), before)
      inputs %>%
        { self$own(query = ., value = ., key = ., attention_mask = before) + . } %>%
        { self$cross(query = ., value = source, key = source, attention_mask = mask) + . } %>%
        self$norm()
    }
  )
  words <- layer_input(shape(NA), dtype = "int64", name = "words")
  past <- layer_input(shape(NA), dtype = "int64", name = "past")
  source <- words %>% layer_embedding(12, 8)
  decoder <- Decoder(NULL, 8, 2)
  output <- past %>% layer_embedding(12, 8, mask_zero = TRUE) %>% decoder(., source) %>%
    layer_dense(12, activation = "softmax")
  model <- keras_model(list(words, past), output)
  model %>% compile("rmsprop", "sparse_categorical_crossentropy")
  data <- list(words = matrix(sample(1:11, 60, TRUE), 10), past = matrix(sample(1:11, 60, TRUE), 10))
  data$past[1:5, 5:6] <- 0L
  history <- model %>% fit(data, data$words, epochs = 3, batch_size = 5, verbose = 0)
  expect_lt(history$metrics$loss[3], history$metrics$loss[1])
  # what comes later changes nothing
  other <- data
  other$past[, 6] <- 3L
  expect_equal(predict(model, other)[, 1:4, ], predict(model, data)[, 1:4, ], tolerance = 1e-6)
  expect_false(isTRUE(all.equal(predict(model, other)[6:10, 6, ], predict(model, data)[6:10, 6, ])))
  skip_if_not_installed("hdf5r")
  path <- tempfile(fileext = ".keras")
  save_model(model, path)
  for (own in list(Decoder, list(Decoder), list(Decoder = Decoder)))
    expect_identical(predict(load_model(path, custom_objects = own), data), predict(model, data))
})

test_that("pictures from a base of one's own: augmentation without weights, freezing, classes of layers, files", {
  set.seed(11)
  augmentation <- keras_model_sequential() %>% layer_random_flip("horizontal") %>% layer_random_rotation(0.1)
  base <- keras_model_sequential(input_shape = c(8, 8, 3), name = "base") %>% layer_conv_2d(4, 3) %>%
    layer_max_pooling_2d(2)
  freeze_weights(base)
  inputs <- layer_input(c(8, 8, 3))
  model <- keras_model(inputs, inputs %>% augmentation() %>% base() %>% layer_flatten() %>% layer_dense(1))
  is_pooling <- function(layer) inherits(layer, class(layer_max_pooling_2d(NULL))[1])
  expect_identical(vapply(base$layers, is_pooling, NA), c(FALSE, TRUE))
  expect_match(class(base$layers[[1]]), "Conv2D", all = FALSE)
  expect_s3_class(model, "keras.engine.training.Model")
  x <- array(stats::runif(2 * 8 * 8 * 3), c(2, 8, 8, 3))
  skip_if_not_installed("hdf5r")
  path <- tempfile(fileext = ".keras")
  save_model_tf(model, path)
  again <- load_model_tf(path)
  expect_identical(predict(again, x), predict(model, x))
  expect_length(again$trainable_weights, 2)
})

test_that("tables of several columns: normalization by name, windows, words from vectors of one's own", {
  set.seed(12)
  frame <- data.frame(p = stats::rnorm(50, 990), t = sin(1:50))
  values <- zip_lists(mean = lapply(frame, mean), sd = lapply(frame, stats::sd))
  expect_identical(values$t, list(mean = mean(frame$t), sd = stats::sd(frame$t)))
  for (name in names(frame)) frame[[name]] %<>% { (. - values[[name]]$mean) / values[[name]]$sd }
  expect_equal(unname(colMeans(frame)), c(0, 0))
  sequences <- layer_text_vectorization(output_mode = "int", output_sequence_length = 4,
    split = function(x) tf$strings$split(x))
  adapt(sequences, c("a b", "b c d"))
  expect_identical(dim(sequences("a b")), 4L)
  expect_identical(dim(sequences(c("a b", "c"))), c(2L, 4L))
  expect_equal(as.array(sequences(as_tensor("b c", shape = c(1, 1)))), as.array(sequences(array("b c", c(1, 1)))))
  known <- matrix(stats::rnorm(12), 6)
  model <- keras_model_sequential(input_shape = 4) %>% layer_embedding(input_dim = 6, output_dim = 2,
    embeddings_initializer = initializer_constant(known), trainable = FALSE, mask_zero = TRUE) %>% layer_gru(3)
  expect_equal(as.array(model$layers[[1]]$weights[[1]]), known, tolerance = 1e-6)
  expect_equal(as.array(initializer_constant(list(1:2, 3:4, 5:6))(c(3, 2))), rbind(1:2, 3:4, 5:6))
  skip_if_not_installed("hdf5r")
  path <- tempfile(fileext = ".keras")
  save_model(model, path)
  expect_identical(predict(load_model(path), matrix(1:4, 1)), predict(model, matrix(1:4, 1)))
})
