/* lapack.h - the library of linear algebra as the core sees it, and the ops that it serves. */
#ifndef LAPACK_H
#define LAPACK_H

#include "kernels/kernels.h"

/* Numbers are LAPACK's, columns first; the results its `info`, 0 if all went well. Set at load time; NULL: there is no
 * library. */
struct lapack {
  int (*cholesky)(int n, double *a);                       /* the upper factor, from and to the upper triangle */
  int (*lu)(int n, double *a, int *pivot);
  int (*lu_solve)(int transpose, int n, int columns, const double *lu, const int *pivot, double *b);
  double (*lu_condition)(int n, const double *lu, double norm, double *work, int *iwork); /* the reciprocal */
  double (*norm)(int n, const double *a);                  /* the largest sum of a column's sizes */
  void (*solve_right)(int upper, int transpose, int rows, int n, const double *a, double *b); /* X a = b */
  int (*qr)(int rows, int columns, double *a, double *tau, double *work, int work_size);
  int (*q)(int rows, int columns, int reflectors, double *a, const double *tau, double *work, int work_size);
  int (*eigen)(int n, double *a, double *values, double *work, int work_size, int *iwork, int iwork_size);
  int (*svd)(int full, int rows, int columns, double *a, double *s, double *u, double *vt, double *work, int work_size,
    int *iwork);
};
extern const struct lapack *lapack;

enum status linalg_cholesky(const struct call *c), linalg_triangular_solve(const struct call *c),
  linalg_solve(const struct call *c), linalg_det(const struct call *c), linalg_qr(const struct call *c),
  linalg_eigh(const struct call *c), linalg_svd(const struct call *c);

#endif
