
# Dtypes and shapes as strings and numbers.
unclassed <- function(x) if (is.list(x)) lapply(x, unclassed) else unclass(x)
