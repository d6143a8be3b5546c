# Matrices by TensorFlow's names: tf$linalg.

tf_linalg <- list(
  matmul = function(a, b, transpose_a = FALSE, transpose_b = FALSE, name = NULL)
  op_matmul(a, b, transpose_a, transpose_b),
  matvec = function(a, b, transpose_a = FALSE, name = NULL)
  op_squeeze(op_matmul(a, op_expand_dims(b, -1), transpose_a), -1),
  einsum = function(equation, ..., optimize = "greedy", name = NULL) {
    if (!is.logical(optimize)) check_choice(optimize, c("greedy", "optimal", "branch-2", "branch-all", "auto"))
    op_einsum(equation, ...)
  },
  tensordot = function(a, b, axes, name = NULL) {
    if (is_branch(axes)) axes <- lapply(axes, from_zero)
    else if (length(axes) == 2) axes <- as.list(from_zero(axes))
    op_tensordot(a, b, axes)
  },
  matrix_transpose = function(a, name = NULL) op_matrix_transpose(a),
  adjoint = function(matrix, name = NULL) op_matrix_transpose(matrix),
  norm = function(tensor, ord = "euclidean", axis = NULL, keepdims = FALSE, name = NULL) {
    axis <- from_zero(axis)
    if (are_numbers(ord)) ord <- as.character(ord)
    switch(check_choice(ord, c("euclidean", "1", "2", "fro", "Inf")),
      "1" = op_sum(op_abs(tensor), axis, keepdims),
      "Inf" = op_max(op_abs(tensor), axis, keepdims),
      euclidean_norm(tensor, axis, keepdims)
    )
  },
  eye = function(num_rows, num_columns = NULL, dtype = "float32", name = NULL) {
    rows <- check_count(num_rows, 0)
    tensor(diagonal(1, c(rows, if (is.null(num_columns)) rows else check_count(num_columns, 0)), "num_rows"), dtype)
  },
  diag = function(diagonal, name = "diag", k = 0) op_diag(diagonal, k),
  diag_part = function(input, name = "diag_part", k = 0) op_diag_part(input, k),
  set_diag = function(input, diagonal, name = "set_diag", k = 0) op_set_diag(input, diagonal, k),
  band_part = function(input, num_lower, num_upper, name = NULL) op_band_part(input, num_lower, num_upper),
  trace = function(x, name = NULL) op_trace(x),
  global_norm = function(t_list, name = NULL) global_norm(check_tensors(t_list, "t_list"))
)
