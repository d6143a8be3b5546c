/* Border of mersenne.c and sha256.c, which published data files need. */
#include "border/r_border.h"

#include "formats/mersenne.h"
#include "formats/sha256.h"

#include <stdio.h>

SEXP ffi_numpy_shuffle(SEXP seed, SEXP sizes);
SEXP ffi_sha256(SEXP bytes);

/* For each size a permutation of 0 .. size - 1, one after the other from the same stream. */
SEXP ffi_numpy_shuffle(SEXP seed, SEXP sizes) {
  struct mersenne m;
  check_vector(sizes, INTSXP, -1);
  mersenne_seed(&m, (uint32_t)as_number(seed));
  SEXP orders = PROTECT(Rf_allocVector(VECSXP, XLENGTH(sizes)));
  for (R_xlen_t i = 0; i < XLENGTH(sizes); i++) {
    SEXP order = Rf_allocVector(INTSXP, INTEGER(sizes)[i]);
    SET_VECTOR_ELT(orders, i, order);
    mersenne_permutation(&m, INTEGER(order), INTEGER(sizes)[i]);
  }
  UNPROTECT(1);
  return orders;
}

SEXP ffi_sha256(SEXP bytes) {
  unsigned char hash[32];
  char text[65];
  check_vector(bytes, RAWSXP, -1);
  sha256(RAW(bytes), (size_t)XLENGTH(bytes), hash);
  for (int i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", hash[i]);
  return Rf_mkString(text);
}
