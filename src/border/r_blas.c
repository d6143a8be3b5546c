/* r_blas.c - products by the BLAS that R links, for the multiply in kernels/multiply.h to hand over to.
 *
 * Whether it does is decided in R/threads.R. Measured (bench/multiply.R, AMD Zen 5, one thread): our AVX-512 kernels
 * reach 1.6 times OpenBLAS 0.3.21's dgemm and 1.7 times its sgemm from 256 x 256 to 2048 x 2048, and more on small
 * batches, so on processors with AVX2 or more a library has nothing to offer. */
#define USE_FC_LEN_T
#include "border/r_border.h"

#include <R_ext/BLAS.h>
#ifndef FCONE
#define FCONE
#endif

/* BLAS is column-major: it sees our row-major C = A B as C' = B' A'. A matrix that runs along its rows
 * (column stride 1) is "N" to it, one that runs along its columns is "T". 0 for other strides, for sizes
 * beyond int, and where rows overlap. */
static int library_order(int64_t rows, int64_t columns, int64_t row, int64_t column, char *order, int *leading) {
  *order = column == 1 ? 'N' : 'T';
  int64_t stride = column == 1 ? row : column, width = column == 1 ? columns : rows;
  if ((column != 1 && row != 1) || stride > INT32_MAX || stride < width) return 0;
  *leading = (int)stride;
  return 1;
}

#define LIBRARY_MULTIPLY(name, real, gemm)                                                                   \
  static int name(int64_t rows, int64_t columns, int64_t depth, const void *a, int64_t a_row, int64_t a_column, \
                  const void *b, int64_t b_row, int64_t b_column, int add, void *c) {                        \
    char order_a, order_b;                                                                                   \
    int lead_a, lead_b, m = (int)columns, n = (int)rows, k = (int)depth;                                     \
    real one = 1, beta = add ? 1 : 0;                                                                        \
    if (rows > INT32_MAX || columns > INT32_MAX || depth > INT32_MAX) return 0;                              \
    if (!library_order(rows, depth, a_row, a_column, &order_a, &lead_a) ||                                     \
        !library_order(depth, columns, b_row, b_column, &order_b, &lead_b))                                   \
      return 0;                                                                                              \
    F77_CALL(gemm)(&order_b, &order_a, &m, &n, &k, &one, (const real *)b, &lead_b, (const real *)a, &lead_a, &beta, \
      (real *)c, &m FCONE FCONE); \
    return 1;                                                                                                \
  }

LIBRARY_MULTIPLY(multiply_double, double, dgemm)
#ifdef HAVE_SGEMM
/* R's headers declare double precision only. Weak, because R may be given a BLAS without it after we were installed. */
#if defined(__ELF__)
#pragma weak sgemm_
#endif
void F77_NAME(sgemm)(const char *transa, const char *transb, const int *m, const int *n, const int *k,
  const float *alpha, const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
  const int *ldc FCLEN FCLEN);
LIBRARY_MULTIPLY(multiply_float, float, sgemm)
#if defined(__ELF__)
static int has_sgemm(void) { return F77_NAME(sgemm) != NULL; }
#else
static int has_sgemm(void) { return 1; }
#endif
#else
static int has_sgemm(void) { return 0; }
#endif

/* Use the library for large products, do not, or leave that as it is (-1): has it single precision, is it in use? */
SEXP ffi_blas(SEXP use);
SEXP ffi_blas(SEXP use) {
  int on = as_int(use);
  if (on >= 0) {
    library_multiply[FLOAT64] = on ? multiply_double : NULL;
#ifdef HAVE_SGEMM
    library_multiply[FLOAT32] = on && has_sgemm() ? multiply_float : NULL;
#endif
  }
  SEXP answer = Rf_allocVector(LGLSXP, 2);
  LOGICAL(answer)[0] = has_sgemm();
  LOGICAL(answer)[1] = library_multiply[FLOAT64] != NULL;
  return answer;
}
