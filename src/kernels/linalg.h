/* linalg.h - the ops of ops/linalg.c, which one member does for all number types. */

#include "kernels/lapack.h"

#define LINALG(name)                                    \
  static void name##_forward(const struct call *c) {    \
    if (c->part == 0) report(c, linalg_##name(c));      \
  }
LINALG(cholesky)
LINALG(triangular_solve)
LINALG(solve)
LINALG(det)
LINALG(qr)
LINALG(eigh)
LINALG(svd)
