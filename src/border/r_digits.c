/* Border of digits.c. */
#define R_NO_REMAP
#define STRICT_R_HEADERS
#include <R.h>
#include <Rinternals.h>

#include "formats/digits.h"

SEXP ffi_digits(SEXP stroke, SEXP x, SEXP y, SEXP pen);

/* stroke: integer; x, y: double (n, points); pen: double (n, DIGITS_PEN).
 * Returns an integer array (n, side, side). */
SEXP ffi_digits(SEXP stroke, SEXP x, SEXP y, SEXP pen) {
  if (TYPEOF(stroke) != INTSXP || TYPEOF(x) != REALSXP || TYPEOF(y) != REALSXP ||
      TYPEOF(pen) != REALSXP) {
    Rf_error("internal error: digits: wrong types");
  }
  struct digits d = {
    .n = Rf_nrows(x), .points = Rf_ncols(x), .strokes = Rf_length(stroke),
    .stroke = INTEGER(stroke), .x = REAL(x), .y = REAL(y), .pen = REAL(pen)
  };
  if (Rf_nrows(y) != d.n || Rf_ncols(y) != d.points || Rf_nrows(pen) != d.n ||
      Rf_ncols(pen) != DIGITS_PEN || !digits_valid(&d)) {
    Rf_error("internal error: digits: sizes differ");
  }
  SEXP out = PROTECT(Rf_alloc3DArray(INTSXP, d.n, DIGITS_SIDE, DIGITS_SIDE));
  digits_draw(&d, INTEGER(out));
  UNPROTECT(1);
  return out;
}
