/* linalg.c - linear algebra by LAPACK. Matrices stand in the last two axes, row by row; LAPACK reads columns, and so
 * sees their transposes. It computes in double for both float types, on one member of the team. */
#include "kernels/lapack.h"
#include "ops/linalg.h"

#include <math.h>

const struct lapack *lapack;

static const struct slot *given(const struct call *c, int k) { return &c->slots[c->in[k].slot]; }
static int64_t rows(const struct slot *s) { return s->shape.dim[s->shape.rank - 2]; }
static int64_t columns(const struct slot *s) { return s->shape.dim[s->shape.rank - 1]; }
static int64_t batch(const struct slot *s) { return shape_span(&s->shape, 0, s->shape.rank - 2); }
static double *room(const struct call *c) { return c->slots[c->workspace].value; }

static double number(const struct slot *s, int64_t at) {
  return number_at(s->dtype, s->value, at);
}
static void put_at(const struct slot *s, int64_t at, double x) { put_number(s->dtype, s->value, at, x); }

/* Matrix number k of a tensor as doubles, row by row, or column by column; are all of them finite? */
static int take(const struct slot *s, int64_t k, double *to) {
  int64_t n = rows(s) * columns(s);
  int finite = 1;
  for (int64_t i = 0; i < n; i++) finite &= isfinite(to[i] = number(s, k * n + i)) != 0;
  return finite;
}
static int take_columns(const struct slot *s, int64_t k, double *to) {
  int64_t m = rows(s), n = columns(s);
  int finite = 1;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) finite &= isfinite(to[j * m + i] = number(s, (k * m + i) * n + j)) != 0;
  return finite;
}

/* So many numbers become part k of an output, which may not be wanted. */
static void put(const struct call *c, int output, int64_t k, int64_t n, const double *from) {
  if (c->out[output].slot == NO_SLOT) return;
  for (int64_t i = 0; i < n; i++) put_at(&c->slots[c->out[output].slot], k * n + i, from[i]);
}

/* The same of a matrix of so many rows and columns that lies column by column. */
static void put_columns(const struct call *c, int output, int64_t k, int64_t m, int64_t n, const double *from) {
  if (c->out[output].slot == NO_SLOT) return;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++)
      put_at(&c->slots[c->out[output].slot], k * m * n + i * n + j, from[j * m + i]);
}

/* Of the lower triangle. */
static int lower_is_finite(int64_t n, const double *a) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++)
      if (!isfinite(a[i * n + j])) return 0;
  return 1;
}

/* The lower triangle that we see is the upper one to LAPACK, and its factor U' U is our L L'. */
enum status linalg_cholesky(const struct call *c) {
  int64_t n = rows(given(c, 0));
  double *a = room(c);
  enum status flaw = STATUS_OK;
  for (int64_t k = 0; k < batch(given(c, 0)); k++) {
    take(given(c, 0), k, a);
    if (n && (!lower_is_finite(n, a) || lapack->cholesky((int)n, a))) flaw = STATUS_INDEFINITE;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = i + 1; j < n; j++) a[i * n + j] = 0;
    put(c, 0, k, n * n, a);
  }
  return flaw;
}

/* A X = B is X' A' = B' to LAPACK, which sees A' and B'. */
enum status linalg_triangular_solve(const struct call *c) {
  int64_t n = rows(given(c, 0)), m = columns(given(c, 1));
  double *a = room(c), *b = a + n * n;
  enum status flaw = STATUS_OK;
  for (int64_t k = 0; k < batch(given(c, 0)); k++) {
    take(given(c, 0), k, a);
    take(given(c, 1), k, b);
    for (int64_t i = 0; i < n; i++)
      if (!(fabs(a[i * n + i]) > 0)) flaw = STATUS_SINGULAR;
    if (n && m) lapack->solve_right(c->attr->ints[0] != 0, c->attr->ints[1] != 0, (int)m, (int)n, a, b);
    put(c, 0, k, n * m, b);
  }
  return flaw;
}

enum status linalg_solve(const struct call *c) {
  int64_t n = rows(given(c, 0)), m = columns(given(c, 1));
  double *a = room(c), *b = a + n * n, *work = b + n * m;
  int *pivot = (int *)(void *)(work + 4 * n), *iwork = pivot + n;
  enum status flaw = STATUS_OK;
  for (int64_t k = 0; k < batch(given(c, 0)); k++) {
    if (!take(given(c, 0), k, a)) return STATUS_SINGULAR;
    if (!n) continue;
    double size = lapack->norm((int)n, a);
    /* what is singular but for rounding has a solution of noise: refused, as R's solve() does */
    if (lapack->lu((int)n, a, pivot) || !(lapack->lu_condition((int)n, a, size, work, iwork) > 2.220446e-16))
      return STATUS_SINGULAR;
    take_columns(given(c, 1), k, b);
    if (m) lapack->lu_solve(c->attr->ints[0] == 0, (int)n, (int)m, a, pivot, b);
    put_columns(c, 0, k, n, m, b);
  }
  return flaw;
}

/* The product of the pivots, as a number of 0.5 .. 1 and an exponent, so that it may pass beyond the doubles. */
enum status linalg_det(const struct call *c) {
  int64_t n = rows(given(c, 0));
  double *a = room(c);
  int *pivot = (int *)(void *)(a + n * n);
  for (int64_t k = 0; k < batch(given(c, 0)); k++) {
    double product = 1, logarithm = 0;
    int64_t exponent = 0;
    int finite = take(given(c, 0), k, a), info = n && finite ? lapack->lu((int)n, a, pivot) : 0;
    for (int64_t i = 0; i < n && !info && finite; i++) {
      int shift;
      product = frexp(product * a[i * n + i], &shift) * (pivot[i] != i + 1 ? -1 : 1);
      exponent += shift;
      logarithm += log(fabs(a[i * n + i]));
    }
    if (info) product = 0, logarithm = -INFINITY;
    if (!finite) return STATUS_MATRIX;
    int shift = exponent > 10000 ? 10000 : exponent < -10000 ? -10000 : (int)exponent;
    double numbers[] = {ldexp(product, shift), product > 0 ? 1 : product < 0 ? -1 : 0, logarithm};
    for (int i = 0; i < 3; i++) put(c, i, k, 1, &numbers[i]);
  }
  return STATUS_OK;
}

enum status linalg_qr(const struct call *c) {
  const struct slot *x = given(c, 0);
  int64_t m = rows(x), n = columns(x), k = smaller(m, n), full = c->attr->ints[0] ? m : k;
  double *a = room(c), *tau = a + m * larger(n, full), *work = tau + k;
  int work_size = (int)linalg_qr_work(m, n);
  for (int64_t i = 0; i < batch(x); i++) {
    if (!take_columns(x, i, a)) return STATUS_MATRIX;
    if (k && lapack->qr((int)m, (int)n, a, tau, work, work_size)) return STATUS_MATRIX;
    if (c->out[1].slot != NO_SLOT)
      for (int64_t r = 0; r < full; r++)
        for (int64_t j = 0; j < n; j++)
          put_at(&c->slots[c->out[1].slot], i * full * n + r * n + j, j >= r ? a[j * m + r] : 0);
    if (full && lapack->q((int)m, (int)full, (int)k, a, tau, work, work_size)) return STATUS_MATRIX;
    put_columns(c, 0, i, m, full, a);
  }
  return STATUS_OK;
}

/* The lower triangle is read: the upper one to LAPACK. */
enum status linalg_eigh(const struct call *c) {
  int64_t n = rows(given(c, 0)), size = linalg_eigen_work(n);
  double *a = room(c), *values = a + n * n, *work = values + n;
  for (int64_t k = 0; k < batch(given(c, 0)); k++) {
    take(given(c, 0), k, a);
    if (!lower_is_finite(n, a)) return STATUS_MATRIX;
    if (n && lapack->eigen((int)n, a, values, work, (int)size, (int *)(void *)(work + size), (int)(5 * n + 3)))
      return STATUS_MATRIX;
    put(c, 0, k, n, values);
    put_columns(c, 1, k, n, n, a);
  }
  return STATUS_OK;
}

static void unit_matrix(int64_t n, double *a) {
  for (int64_t i = 0; i < n * n; i++) a[i] = i % (n + 1) == 0;
}

/* LAPACK sees x' = V S U', and gives V column by column, which are its rows to us, and U' so: our U. */
enum status linalg_svd(const struct call *c) {
  const struct slot *x = given(c, 0);
  int full = c->attr->ints[0] != 0;
  int64_t m = rows(x), n = columns(x), k = smaller(m, n), wide = full ? n : k, tall = full ? m : k;
  double *a = room(c), *s = a + m * n, *v = s + k, *u = v + n * wide, *work = u + m * tall;
  int64_t size = linalg_svd_work(m, n);
  for (int64_t i = 0; i < batch(x); i++) {
    if (!take(x, i, a)) return STATUS_MATRIX;
    if (!k) unit_matrix(tall, u), unit_matrix(wide, v);
    if (k && lapack->svd(full, (int)n, (int)m, a, s, v, u, work, (int)size, (int *)(void *)(work + size)))
      return STATUS_MATRIX;
    put(c, 0, i, k, s);
    put(c, 1, i, m * tall, u);
    put_columns(c, 2, i, n, wide, v);
  }
  return STATUS_OK;
}
