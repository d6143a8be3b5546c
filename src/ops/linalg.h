/* linalg.h - what the shape rules of linear algebra and its kernels must agree upon: how much room LAPACK needs. */
#ifndef LINALG_H
#define LINALG_H

#include "ops/ops.h"

static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static inline int64_t linalg_qr_work(int64_t m, int64_t n) {
  return 32 * larger(m, n) + 1; /* LAPACK takes so many columns at once */
}
static inline int64_t linalg_eigen_work(int64_t n) { return 1 + 6 * n + 2 * n * n; }
static inline int64_t linalg_svd_work(int64_t m, int64_t n) {
  int64_t k = smaller(m, n);
  return 5 * k * k + 10 * k + 2 * (m + n - k) + 1;
}

#endif
