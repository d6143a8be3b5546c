/* r_lapack.c - the LAPACK that R links, for the ops of ops/linalg.h. */
#define USE_FC_LEN_T
#include "border/r_border.h"

#include <R_ext/BLAS.h>
#include <R_ext/Lapack.h>
#ifndef FCONE
#define FCONE
#endif
#include "kernels/lapack.h"

static int cholesky(int n, double *a) {
  int info = 0;
  F77_CALL(dpotrf)("U", &n, a, &n, &info FCONE);
  return info;
}

static int lu(int n, double *a, int *pivot) {
  int info = 0;
  F77_CALL(dgetrf)(&n, &n, a, &n, pivot, &info);
  return info;
}

static int lu_solve(int transpose, int n, int columns, const double *a, const int *pivot, double *b) {
  int info = 0;
  /* older headers of R have no const here */
  F77_CALL(dgetrs)(transpose ? "T" : "N", &n, &columns, (double *)(uintptr_t)a, &n, (int *)(uintptr_t)pivot, b, &n,
    &info FCONE);
  return info;
}

static double norm(int n, const double *a) {
  return F77_CALL(dlange)("1", &n, &n, (double *)(uintptr_t)a, &n, NULL FCONE);
}

static double lu_condition(int n, const double *a, double size, double *work, int *iwork) {
  double reciprocal = 0;
  int info = 0;
  F77_CALL(dgecon)("1", &n, (double *)(uintptr_t)a, &n, &size, &reciprocal, work, iwork, &info FCONE);
  return info ? 0 : reciprocal;
}

static void solve_right(int upper, int transpose, int rows, int n, const double *a, double *b) {
  double one = 1;
  F77_CALL(dtrsm)("R", upper ? "U" : "L", transpose ? "T" : "N", "N", &rows, &n, &one, a, &n, b,
    &rows FCONE FCONE FCONE FCONE);
}

static int qr(int rows, int columns, double *a, double *tau, double *work, int work_size) {
  int info = 0;
  F77_CALL(dgeqrf)(&rows, &columns, a, &rows, tau, work, &work_size, &info);
  return info;
}

static int q(int rows, int columns, int reflectors, double *a, const double *tau, double *work, int work_size) {
  int info = 0;
  F77_CALL(dorgqr)(&rows, &columns, &reflectors, a, &rows, (double *)(uintptr_t)tau, work, &work_size, &info);
  return info;
}

static int eigen(int n, double *a, double *values, double *work, int work_size, int *iwork, int iwork_size) {
  int info = 0;
  F77_CALL(dsyevd)("V", "U", &n, a, &n, values, work, &work_size, iwork, &iwork_size, &info FCONE FCONE);
  return info;
}

static int svd(int full, int rows, int columns, double *a, double *s, double *u, double *vt, double *work,
               int work_size, int *iwork) {
  int info = 0, lead = full ? columns : rows < columns ? rows : columns;
  F77_CALL(dgesdd)(full ? "A" : "S", &rows, &columns, a, &rows, s, u, &rows, vt, &lead, work, &work_size, iwork,
    &info FCONE);
  return info;
}

void lapack_open(void) {
  static const struct lapack routines = {cholesky, lu, lu_solve, lu_condition, norm, solve_right, qr, q, eigen, svd};
  lapack = &routines;
}
