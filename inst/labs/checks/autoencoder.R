# Checks of the lab on tied weights.

elu_of <- function(x) ifelse(x > 0, x, expm1(x))
is_weight <- function(v) startsWith(v$name, "W")
variables_of <- function(model, what) {
  all <- model$trainable_variables
  need(length(all) > 0, "`", what, "` has no variables", if_open(": is the TODO of `initialize` still open?", "."))
  need(any(vapply(all, is_weight, NA)), "No variable of `", what,
    "` has a name that begins with W: `tf$Variable(..., name = \"W1\")`.")
  all
}
weights_of <- function(model, what) {
  all <- Filter(is_weight, variables_of(model, what))
  all[order(vapply(all, function(v) v$name, ""))]
}
# All biases the same number, so that it does not matter what they are called.
set_biases <- function(model, what, value) {
  for (v in Filter(Negate(is_weight), variables_of(model, what))) v$assign(array(value, dim(v)))
}
has_sizes <- function(what, model, weights, biases) {
  all <- variables_of(model, what)
  given <- vapply(weights_of(model, what), function(v) format_shape(dim(v)), "")
  need(setequal(given, weights) && length(given) == length(weights), "The weights of `", what,
    "` must have the shapes ", paste(weights, collapse = ", "), ", but yours have ", paste(given, collapse = ", "),
    ". Encoder and decoder share them.")
  given <- vapply(Filter(Negate(is_weight), all), length, 0)
  need(identical(sort(as.numeric(given)), sort(biases)), "The biases of `", what, "` must have ",
    paste(biases, collapse = ", "), " numbers, but yours have ", if (length(given)) paste(given, collapse = ", ") else
    "none", ".")
}
cloud <- matrix(sin(1:21 * 1.3), 7)
wide <- matrix(sin(1:100 * 1.7), 5)
optimizer <- function() optimizer_adam(learning_rate = 0.02)

check("basic_ae(c(3, 2)) holds weights and two biases", has_sizes("basic_ae(c(3, 2))", student("basic_ae")(c(3, 2)),
  "(3, 2)", c(2, 3)))

check("encode() gives ELU(x W1 + b1)", {
  model <- student("basic_ae")(c(3, 2))
  w <- as.array(weights_of(model, "basic_ae(c(3, 2))")[[1]])
  set_biases(model, "basic_ae(c(3, 2))", 0.3)
  z <- cloud %*% w
  agree(model$encode(tensor(cloud, "float32")), elu_of(z + 0.3), "encode(x)", "be ELU(x W1 + b1)",
    says = "it should be", slips = list(
    "Yours leaves out the activation." = z + 0.3, "Yours leaves out the bias." = elu_of(z)), tolerance = 1e-3)
})

check("a basic_ae takes codes back with the same weights, transposed", {
  model <- student("basic_ae")(c(3, 2))
  w <- as.array(weights_of(model, "basic_ae(c(3, 2))")[[1]])
  set_biases(model, "basic_ae(c(3, 2))", 0.3)
  back <- elu_of(cloud %*% w + 0.3) %*% t(w)
  agree(model(tensor(cloud, "float32")), back + 0.3, "model(x)", "be code W1' + b2", says = "it should be",
    slips = list(
    "Yours leaves out the bias." = back,
    "Yours has an activation at the end: its outputs are never below -1." = elu_of(back + 0.3)), tolerance = 1e-3)
})

check("train_full() makes the loss fall", {
  x <- tensor(cloud, "float32")
  model <- student("basic_ae")(c(3, 2))
  start <- sum((numbers(model(x), "model(x)") - cloud)^2) / nrow(cloud)
  losses <- shaped(student("train_full")(model, x, 150, optimizer()), 150,
    "train_full(model, x, epochs = 150, optimizer)")
  agree(losses[1], start, "train_full(...)[1]",
    "be the loss before the first step: squared differences, summed over a point's numbers, mean over points",
    tolerance = 1e-3)
  need(losses[150] < 0.8 * losses[1], "In 150 epochs the loss went from ", told(losses[1]), " to ",
    told(losses[150]), ".")
})

check("ae(c(20, 8, 3)) holds two weights that both halves share, and four biases",
  has_sizes("ae(c(20, 8, 3))", student("ae")(c(20, 8, 3)), c("(20, 8)", "(8, 3)"), c(8, 3, 8, 20)))

check("an ae goes through all layers and back", {
  model <- student("ae")(c(20, 8, 3))
  w <- lapply(weights_of(model, "ae(c(20, 8, 3))"), as.array)
  set_biases(model, "ae(c(20, 8, 3))", 0.2)
  through <- function(elu, end) {
    code <- elu(elu(wide %*% w[[1]] + 0.2) %*% w[[2]] + 0.2)
    end(elu(code %*% t(w[[2]]) + 0.2) %*% t(w[[1]]) + 0.2)
  }
  agree(model(tensor(wide, "float32")), through(elu_of, identity), "model(x)",
    "go through the layers with W1, W2 and back with W2', W1', ELU after all but the last", says = "it should be",
    slips = list("Yours has an activation at the end, too." = through(elu_of, elu_of),
      "Yours leaves out the activations." = through(identity, identity)),
    tolerance = 1e-3)
})

check("reg() adds the squares of the weights, not of the biases", {
  model <- student("ae")(c(20, 8, 3))
  w <- weights_of(model, "ae(c(20, 8, 3))")
  penalty <- function() as.numeric(numbers(student("reg")(model), "reg(model)"))
  squares <- vapply(w, function(v) sum(as.array(v)^2), 0)
  before <- penalty()
  set_biases(model, "ae(c(20, 8, 3))", 2)
  need(near(penalty(), before),
    "`reg(model)` changes when biases change: only variables whose names begin with W count.")
  slips <- stats::setNames(as.list(squares), paste0("Yours counts W", seq_along(w), " alone."))
  # half the sum is as usual
  if (!near(before, sum(squares) / 2)) agree(before, sum(squares), "reg(model)",
    "be the sum of the squares of all weights", says = "that is", slips = slips)
})

check("train_batches() trains all variables", {
  model <- student("ae")(c(20, 8, 3))
  before <- lapply(variables_of(model, "ae(c(20, 8, 3))"), as.array)
  losses <- shaped(student("train_batches")(model, wide[rep(1:5, 8), ], 20, optimizer()), 20,
    "train_batches(model, x, epochs = 20, optimizer)")
  need(losses[20] < 0.9 * losses[1], "In 20 epochs the loss went from ", told(losses[1]), " to ", told(losses[20]), ".")
  still <- which(mapply(function(from, v) all(from == as.array(v)), before, model$trainable_variables))
  need(!length(still), "The variable ", if (length(still)) model$trainable_variables[[still[1]]]$name,
    " does not change: is it used?")
})

check("lambda keeps the weights small", {
  size <- function(lambda) {
    set.seed(1)
    model <- student("ae")(c(20, 8, 3))
    student("train_batches")(model, wide[rep(1:5, 4), ], 10, optimizer(), lambda = lambda)
    sum(vapply(weights_of(model, "ae(c(20, 8, 3))"), function(v) sum(as.array(v)^2), 0))
  }
  need(size(1) < 0.8 * size(0),
    "With lambda = 1 the weights of `train_batches()` end as large as with lambda = 0: does the penalty join ",
    "the loss, inside of the tape's block?")
})

check("`model` of your file draws images it has not seen", {
  images <- test_images(100)
  drawn <- shaped(student("model")(tensor(images, "float32")), dim(images), "model(images)")
  plain <- mean((images - rep(colMeans(images), each = 100))^2)
  need(mean((drawn - images)^2) < 0.7 * plain, "The mean squared difference is ", told(mean((drawn - images)^2)),
    "; to draw the mean of all images each time would give ", told(plain), ".")
})
