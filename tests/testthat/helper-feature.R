# Rows like those of a clinic, made up: the columns of the heart data that the tfdatasets articles use.
clinic <- function(n = 120) {
  set.seed(7)
  rows <- data.frame(age = sample(29:77, n, TRUE), sex = sample(0:1, n, TRUE), cp = sample(0:4, n, TRUE),
    trestbps = sample(94:200, n, TRUE), chol = sample(126:564, n, TRUE), fbs = sample(0:1, n, TRUE),
    restecg = sample(0:2, n, TRUE), thalach = sample(71:202, n, TRUE), exang = sample(0:1, n, TRUE),
    oldpeak = round(runif(n, 0, 6), 1), slope = sample(1:3, n, TRUE), ca = sample(0:3, n, TRUE),
    thal = sample(c("fixed", "normal", "reversible"), n, TRUE), stringsAsFactors = FALSE)
  rows$target <- as.integer(rows$age + 20 * (rows$thal == "fixed") + 5 * rows$oldpeak > 75)
  rows
}
