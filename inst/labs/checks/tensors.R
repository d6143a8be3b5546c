# Checks of the lab on tensors and tapes.

pixels <- 784
batch <- test_images(40)
single <- tensor(batch, "float32")
params <- function(name) {
  all <- student(name)
  if (!is.list(all) || !length(all) || !all(vapply(all, is_variable, NA)))
    fault("`", name, "` must be a flat list of variables, as c() of what make_dense() gives.")
  all
}
values <- function(variables) lapply(variables, as.array)
unmoved <- function(before, variables) which(mapply(function(from, to) all(from == to), before, values(variables)))
squares <- function(drawn, batch) sum((drawn - batch)^2) / nrow(batch)
loss_says <- "be the squared differences, summed over pixels, mean over images, before the step"

check("weights_encoder and weights_decoder are variables that fit", {
  for (name in c("weights_encoder", "weights_decoder")) need(is_variable(student(name)), "`", name,
    "` must be made by `tf$Variable()`, not be ", describe(student(name)), ".")
  encode <- student("weights_encoder")
  shaped(encode, c(pixels, NA), "weights_encoder")
  shaped(student("weights_decoder"), c(ncol(encode), pixels), "weights_decoder")
})

check("linear_step() returns the loss", {
  codes <- batch %*% as.array(student("weights_encoder"))
  truth <- squares(codes %*% as.array(student("weights_decoder")), batch)
  agree(student("linear_step")(batch), truth, "linear_step(batch)", loss_says)
})

check("linear_step() moves both matrices, and the loss falls", {
  variables <- list(student("weights_encoder"), student("weights_decoder"))
  before <- values(variables)
  step <- student("linear_step")
  losses <- vapply(1:20, function(i) numbers(step(batch), "linear_step(batch)")[1], 0)
  still <- unmoved(before, variables)
  need(!length(still), "`", c("weights_encoder", "weights_decoder")[still[1]],
    "` does not change: are both in the lists that go to the tape and to the optimizer?")
  need(losses[20] < losses[1], "In 20 steps on the same images the loss went from ", told(losses[1]), " to ",
    told(losses[20]), ".")
})

check("the pipeline gives batches of rows from 0 to 1 in float32", {
  first <- iter_next(as_iterator(student("train_dataset")))
  need(is_tensor(first), "A batch must be a tensor, not ", describe(first), ".")
  sizes <- dim(first)
  fits <- sizes[1] == 32 && sizes[length(sizes)] == pixels && length(sizes) %in% 2:3
  need(fits, "A batch must have the shape (32, 784), or (32, 1, 784), but yours has ", format_shape(sizes), ".")
  need(first$dtype == "float32", "A batch must be float32, but yours is ", format(first$dtype),
    ": `tf$cast()` changes it.")
  need(max(as.array(first)) <= 1, "The largest number of your first batch is ", told(max(as.array(first))),
    "; pixels should go from 0 to 1.")
})

check("make_dense() makes the variables of a layer", {
  layer <- student("make_dense")(50, 20)
  need(!is.null(layer), "`make_dense(50, 20)` gives NULL", todo_open())
  need(is.list(layer) && length(layer) == 2 && all(vapply(layer, is_variable, NA)),
    "`make_dense(50, 20)` must give a list of two variables, not ", describe(layer), ".")
  w <- shaped(layer[[1]], c(50, 20), "make_dense(50, 20)[[1]]")
  bias <- numbers(layer[[2]], "make_dense(50, 20)[[2]]")
  need(length(bias) == 20, "The biases of `make_dense(50, 20)` must be 20 numbers, as a row, but yours have the shape ",
    format_shape(dim(layer[[2]])), ".")
  need(stats::sd(w) > 0.02 && stats::sd(w) < 1, "The weights of `make_dense(50, 20)` have the standard deviation ",
    told(stats::sd(w)), ": they should be random, and small enough that outputs are about as large as inputs.")
  need(all(vapply(layer, function(v) v$dtype == "float32", NA)),
    "The variables of `make_dense()` must be float32, as the batches are.")
  need(all(bias == 0), "The biases should start at 0.")
})

check("encoder() gives a code per image, decoder() an image per code", {
  params("encoder_params")
  params("decoder_params")
  codes <- student("encoder")(single)
  value <- shaped(codes, c(40, NA), "encoder(batch)")
  need(ncol(value) < pixels / 4, "A code of ", ncol(value), " numbers is hardly smaller than an image of 784.")
  shaped(student("decoder")(codes), c(40, pixels), "decoder(encoder(batch))")
})

check("the encoder is not linear", {
  encode <- function(x) numbers(student("encoder")(tensor(x, "float32")), "encoder(batch)")
  middle <- (encode(batch[1:20, ]) + encode(batch[21:40, ])) / 2
  need(!near(encode((batch[1:20, ] + batch[21:40, ]) / 2), middle, 1e-3),
    "The code of the mean of two images is the mean of their codes: an activation between the layers is missing.")
})

check("training_step() returns the loss", {
  truth <- squares(numbers(student("decoder")(student("encoder")(single)), "decoder(encoder(batch))"), batch)
  agree(as.numeric(numbers(student("training_step")(single), "training_step(batch)")), truth, "training_step(batch)",
    loss_says, tolerance = 1e-3)
})

check("training_step() moves all variables, and the loss falls", {
  lists <- list(encoder_params = params("encoder_params"), decoder_params = params("decoder_params"))
  step <- student("training_step")
  before <- lapply(lists, values)
  losses <- vapply(1:30, function(i) as.numeric(numbers(step(single), "training_step(batch)"))[1], 0)
  for (name in names(lists)) {
    still <- unmoved(before[[name]], lists[[name]])
    need(!length(still), "`", name, "[[", still[1],
      "]]` does not change: is it used, and in the lists that go to the tape and to the optimizer?")
  }
  need(losses[30] < losses[1], "In 30 steps on the same images the loss went from ", told(losses[1]), " to ",
    told(losses[30]), ".")
})

check("your trained network draws images it has not seen", {
  drawn <- numbers(student("decoder")(student("encoder")(single)), "decoder(encoder(batch))")
  plain <- squares(matrix(colMeans(batch), 40, pixels, byrow = TRUE), batch)
  need(squares(drawn, batch) < 0.7 * plain, "On other images its loss is ", told(squares(drawn, batch)),
    "; to draw the mean of all images each time would give ", told(plain),
    ". Train longer, or with another learning rate.")
})
