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
  norm = function(tensor, ord = "euclidean", axis = NULL, keepdims = FALSE, name = NULL)
  norm_of(tensor, ord, from_zero(axis), keepdims),
  normalize = function(tensor, ord = "euclidean", axis = NULL, name = NULL) {
    size <- norm_of(tensor, ord, from_zero(axis), keepdims = TRUE)
    list(op_divide(tensor, size), size)
  },
  l2_normalize = function(x, axis = NULL, epsilon = 1e-12, name = NULL) op_l2_normalize(x, from_zero(axis), epsilon),
  cross = function(a, b, name = NULL) {
    both <- as_one_dtype(list(a, b))
    for (x in both) if (!rank_of(x) || !3 %in% utils::tail(shape_of(x), 1)) abort("needs vectors of three numbers in ",
      "the last axis, not shape ", format_shape(shape_of(x)), class = "shape", fun = "tf$linalg$cross")
    turned <- function(k, at) op_gather(both[[k]], at, rank_of(both[[k]]))
    ahead <- c(1L, 2L, 0L)
    behind <- c(2L, 0L, 1L)
    op_subtract(op_multiply(turned(1, ahead), turned(2, behind)), op_multiply(turned(1, behind), turned(2, ahead)))
  },
  inv = function(input, adjoint = FALSE, name = NULL) op_inverse(input, adjoint),
  solve = function(matrix, rhs, adjoint = FALSE, name = NULL) op_solve(matrix, rhs, adjoint),
  triangular_solve = function(matrix, rhs, lower = TRUE, adjoint = FALSE, name = NULL)
  op_triangular_solve(matrix, rhs, lower, adjoint),
  cholesky = function(input, name = NULL) op_cholesky(input),
  cholesky_solve = function(chol, rhs, name = NULL) do.call(cholesky_solve, same_batch(chol, rhs)),
  lstsq = function(matrix, rhs, l2_regularizer = 0, fast = TRUE, name = NULL)
  op_lstsq(matrix, rhs, NULL, l2_regularizer, fast),
  pinv = function(a, rcond = NULL, validate_args = FALSE, name = NULL) {
    check_flag(validate_args)
    op_pinv(a, rcond)
  },
  qr = function(input, full_matrices = FALSE, name = NULL) op_qr(input,
    if (check_flag(full_matrices)) "complete" else "reduced"),
  svd = function(tensor, full_matrices = FALSE, compute_uv = TRUE, name = NULL)
  svd_of(tensor, full_matrices, compute_uv),
  eigh = function(tensor, name = NULL) op_eigh(tensor),
  eigvalsh = function(tensor, name = NULL) op_eigh(tensor)$values,
  det = function(input, name = NULL) op_det(input),
  slogdet = function(input, name = NULL) op_slogdet(input),
  logdet = function(matrix, name = NULL) op_sum(op_log(diag_part(op_cholesky(matrix))), -1) * 2,
  matrix_rank = function(a, tol = NULL, validate_args = FALSE, name = NULL) {
    check_flag(validate_args)
    rank_of_matrices(a, tol)
  },
  expm = function(input, name = NULL) matrix_exponential(input),
  eye = function(num_rows, num_columns = NULL, dtype = "float32", name = NULL) {
    rows <- check_count(num_rows, 0)
    tensor(diagonal(1, c(rows, if (is.null(num_columns)) rows else check_count(num_columns, 0)), "num_rows"), dtype)
  },
  diag = function(diagonal, name = "diag", k = 0) op_matrix_diag(diagonal, k),
  diag_part = function(input, name = "diag_part", k = 0) op_diag_part(input, k),
  set_diag = function(input, diagonal, name = "set_diag", k = 0) op_set_diag(input, diagonal, k),
  band_part = function(input, num_lower, num_upper, name = NULL) op_band_part(input, num_lower, num_upper),
  trace = function(x, name = NULL) op_trace(x, 0, -2, -1),
  global_norm = function(t_list, name = NULL) global_norm(check_tensors(t_list, "t_list"))
)
