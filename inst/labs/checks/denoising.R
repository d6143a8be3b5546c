# Checks of the lab on denoising.

images <- test_images(200)
difference <- function(a, b) mean((a - b)^2)
plain <- difference(images, rep(colMeans(images), each = 200))
model_from <- function(model, what) {
  need(!is.null(model), "`", what, "` gives NULL", todo_open())
  need(is_model(model), "`", what, "` must be a model, not ", describe(model), ".")
  model
}
predicted <- function(model, what, x) {
  drawn <- shaped(stats::predict(model, x), dim(x), paste0("predict(", what, ", x)"))
  need(min(drawn) >= 0 && max(drawn) <= 1, "What `", what, "` draws goes from ", told(min(drawn)), " to ",
    told(max(drawn)), ": with which activation does it stay between 0 and 1?")
  drawn
}
# Weights as they follow one another: 784, 32, 784.
has_layers <- function(model, what, sizes) {
  weights <- Filter(is.matrix, lapply(get_weights(model_from(model, what)), as.array))
  found <- c(if (length(weights)) nrow(weights[[1]]), vapply(weights, ncol, 0L))
  need(identical(as.numeric(found), sizes), "`", what, "` must go through layers of ", paste(sizes, collapse = ", "),
    " numbers, but yours goes through ", paste(found, collapse = ", "), ".")
}
trains <- function(build, what) {
  model <- model_from(build, what)
  history <- fit(model, images, images, epochs = 4, verbose = 0)
  losses <- history$metrics$loss
  need(losses[4] < losses[1], "In four epochs the loss of `", what, "` went from ", told(losses[1]), " to ",
    told(losses[4]), ".")
}
draws <- function(name, given = images, what = "draws images it has not seen") {
  drawn <- predicted(model_from(student(name), name), name, given)
  need(difference(drawn, images) < 0.7 * plain, "The mean squared difference from the clean images is ",
    told(difference(drawn, images)), "; to draw the mean of all images each time would give ", told(plain),
    ". Train longer.")
  drawn
}

check("build_shallow(16) goes from 784 numbers to 16 and back", has_layers(student("build_shallow")(16),
  "build_shallow(16)", c(784, 16, 784)))

check("its outputs lie between 0 and 1, and it has ReLU in between", {
  model <- model_from(student("build_shallow")(16), "build_shallow(16)")
  predicted(model, "build_shallow(16)", 20 * images)
  w <- lapply(get_weights(model), as.array)
  need(length(w) == 4, "A model of two dense layers with biases has four arrays of weights, but yours has ",
    length(w), ".")
  code <- sweep(images %*% w[[1]], 2, w[[2]], "+")
  out <- function(code) stats::plogis(sweep(code %*% w[[3]], 2, w[[4]], "+"))
  agree(stats::predict(model, images), out(pmax(code, 0)), "predict(build_shallow(16), x)",
    "be sigmoid(ReLU(x W + b) V + c)", says = "it should be", tolerance = 1e-3,
    slips = list("Yours has no activation in its hidden layer." = out(code),
      "Yours has a sigmoid in its hidden layer." = out(stats::plogis(code))))
})

check("build_shallow() is compiled and learns", trains(student("build_shallow")(16), "build_shallow(16)"))
check("`shallow` of your file draws images it has not seen", draws("shallow"))

check("build_deep(64, 16) goes through five layers", {
  has_layers(student("build_deep")(64, 16), "build_deep(64, 16)", c(784, 64, 16, 64, 784))
})

check("build_deep() is compiled and learns", trains(student("build_deep")(64, 16), "build_deep(64, 16)"))
check("`deep` of your file draws images it has not seen", draws("deep"))

check("add_noise() spoils images as much as asked for", {
  grey <- matrix(0.5, 50, 784)
  noisy <- shaped(student("add_noise")(grey, 0.1), dim(grey), "add_noise(x, 0.1)")
  spread <- stats::sd(noisy)
  need(abs(mean(noisy) - 0.5) < 0.01,
    "Noise should have the mean 0: of grey images (0.5) yours makes some with the mean ", told(mean(noisy)), ".")
  need(stats::sd(noisy[1, ]) > 0.02, "All pixels of an image get the same noise; each should get its own.")
  need(stats::sd(noisy[, 1]) > 0.02, "All images get the same noise; each should get its own.")
  need(abs(spread - 0.1) < 0.01, "With noise_factor = 0.1 the noise of yours has the standard deviation ",
    told(spread), ".")
})

check("add_noise() stays between 0 and 1", {
  range <- range(shaped(student("add_noise")(images, 0.5), dim(images), "add_noise(x, 0.5)"))
  need(range[1] >= 0 && range[2] <= 1, "Spoiled images of yours go from ", told(range[1]), " to ", told(range[2]), ".")
})

check("`denoiser` of your file takes noise away", {
  noisy <- student("add_noise")(images, 0.2)
  mended <- draws("denoiser", shaped(noisy, dim(images), "add_noise(x, 0.2)"))
  clean <- predicted(student("denoiser"), "denoiser", images)
  need(difference(mended, images) < 1.3 * difference(clean, images), "With spoiled images its error is ",
    told(difference(mended, images)), ", with clean ones ", told(difference(clean, images)),
    ": are spoiled images what it is given in training?")
  need(mean(mended) - mean(images) < 0.03, "What it draws is brighter than the clean images, by ",
    told(mean(mended) - mean(images)), " on average: are these its targets?")
})

check("larger codes have smaller errors", {
  errors <- student("errors")
  need(is.data.frame(errors) && all(c("size", "train", "test") %in% names(errors)),
    "`errors` must be a data frame with the columns size, train and test.")
  need(nrow(errors) >= 3, "`errors` should have at least three rows, for three sizes.")
  errors <- errors[order(errors$size), ]
  for (part in c("train", "test")) need(errors[[part]][nrow(errors)] < errors[[part]][1], "The ", part,
    " loss of the largest code (", told(errors[[part]][nrow(errors)]), ") is not smaller than that of the smallest (",
    told(errors[[part]][1]), ").")
})
