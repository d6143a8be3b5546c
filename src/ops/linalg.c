#include "ops/linalg.h"

#include "ops/rules.h"

/* How many doubles an op needs for matrices of m rows and n columns, the second input having so many columns. */
static int64_t workspace(int op, int64_t m, int64_t n, int64_t other, int full) {
  int64_t k = smaller(m, n), q = full ? m : k;
  switch (op) {
  case OP_TRIANGULAR_SOLVE: return n * n + n * other;
  case OP_SOLVE: return n * n + n * other + 6 * n;
  case OP_DET: return n * n + n;
  case OP_QR: return m * larger(n, q) + k + linalg_qr_work(m, n);
  case OP_EIGH: return n * n + n + linalg_eigen_work(n) + 5 * n + 3;
  case OP_SVD: return m * n + k + m * (full ? m : k) + n * (full ? n : k) + linalg_svd_work(m, n) + 8 * k;
  default: return n * n;
  }
}

static enum status too_large(struct inference *q, const struct shape *s) {
  char a[TEXT];
  return fail(q->failure, STATUS_VALUE, "`op_%s()`: LAPACK counts in int32, too little for matrices of shape %s",
    user_name(q->op), SHAPE_TEXT(s, a));
}

static enum status matrices(struct inference *q, int k) {
  char a[TEXT];
  const struct shape *s = shape_in(q, k);
  if (s->rank < 2) return fail(q->failure, STATUS_SHAPE, "`op_%s()`: needs matrices in the last two axes, not shape %s",
    user_name(q->op), SHAPE_TEXT(s, a));
  for (int i = s->rank - 2; i < s->rank; i++)
    if (s->dim[i] > INT32_MAX) return too_large(q, s);
  return STATUS_OK;
}

static enum status work_of(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  int rank = x->rank, full = q->attr->n_ints && q->attr->ints[0];
  int64_t other = q->inputs > 1 ? shape_in(q, 1)->dim[rank - 1] : 0;
  q->workspace = workspace(q->op, x->dim[rank - 2], x->dim[rank - 1], other, full);
  if (q->workspace > INT32_MAX) return too_large(q, x);
  if (dtype_in(q, 0) == FLOAT32) q->workspace *= 2; /* doubles in place of floats */
  return STATUS_OK;
}

static enum status square(struct inference *q) {
  char a[TEXT];
  const struct shape *s = shape_in(q, 0);
  enum status status = matrices(q, 0);
  if (!status && s->dim[s->rank - 1] != s->dim[s->rank - 2])
    status = fail(q->failure, STATUS_SHAPE, "`op_%s()`: needs square matrices, not shape %s", user_name(q->op),
      SHAPE_TEXT(s, a));
  q->out[0] = *s;
  q->out_dtype[0] = dtype_in(q, 0);
  return status;
}

/* (..., N, N) -> the same; a triangle alone is read */
enum status rule_cholesky(struct inference *q) {
  enum status s = square(q);
  return s ? s : work_of(q);
}

/* ints: of triangular_solve lower, adjoint; of solve adjoint. (..., N, N) (..., N, K) -> (..., N, K) */
enum status rule_solve(struct inference *q) {
  const struct shape *a = shape_in(q, 0), *b = shape_in(q, 1);
  enum status s = square(q);
  if (!s) s = same_dtype(q, 0);
  if (!s) s = matrices(q, 1);
  if (s) return s;
  struct shape wanted = *a;
  wanted.dim[a->rank - 1] = b->dim[b->rank - 1];
  if (!shape_equal(&wanted, b)) return bad_shapes(q, "the axes before the last must be the same");
  q->out[0] = *b;
  return work_of(q);
}

/* (..., N, N) -> the determinant, its sign and the logarithm of its size (...) */
enum status rule_det(struct inference *q) {
  enum status s = square(q);
  if (s) return s;
  q->out->rank -= 2;
  q->outputs = 3;
  for (int k = 1; k < 3; k++) q->out[k] = q->out[0], q->out_dtype[k] = q->out_dtype[0];
  return work_of(q);
}

/* (..., N, N) -> eigenvalues (..., N), from the least up, and eigenvectors in columns (..., N, N) */
enum status rule_eigh(struct inference *q) {
  enum status s = square(q);
  if (s) return s;
  q->outputs = 2;
  q->out[1] = q->out[0], q->out_dtype[1] = q->out_dtype[0];
  q->out->rank--;
  return work_of(q);
}

/* ints: full. (..., M, N) -> q (..., M, K), r (..., K, N), where K is M if full, or the smaller of M and N. */
enum status rule_qr(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  enum status s = matrices(q, 0);
  if (s) return s;
  int rank = x->rank;
  int64_t k = q->attr->ints[0] ? x->dim[rank - 2] : smaller(x->dim[rank - 2], x->dim[rank - 1]);
  q->outputs = 2;
  for (int i = 0; i < 2; i++) q->out[i] = *x, q->out_dtype[i] = dtype_in(q, 0);
  q->out[0].dim[rank - 1] = q->out[1].dim[rank - 2] = k;
  return work_of(q);
}

/* ints: full. (..., M, N) -> s (..., K), u (..., M, M or K), v (..., N, N or K), K being the smaller of M and N. */
enum status rule_svd(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  enum status s = matrices(q, 0);
  if (s) return s;
  int rank = x->rank, full = q->attr->ints[0] != 0;
  int64_t m = x->dim[rank - 2], n = x->dim[rank - 1], k = smaller(m, n);
  q->outputs = 3;
  for (int i = 0; i < 3; i++) q->out[i] = *x, q->out_dtype[i] = dtype_in(q, 0);
  q->out[0].rank--;
  q->out[0].dim[rank - 2] = k;
  q->out[1].dim[rank - 1] = full ? m : k;
  q->out[2].dim[rank - 2] = n;
  q->out[2].dim[rank - 1] = full ? n : k;
  return work_of(q);
}
