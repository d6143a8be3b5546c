/* Border of mersenne.c and sha256.c, which published data files need, and of fingerprint.c. */
#include "border/r_border.h"

#include "formats/fingerprint.h"
#include "formats/mersenne.h"
#include "formats/sha256.h"

#include <stdio.h>
#include <string.h>

SEXP ffi_numpy_shuffle(SEXP seed, SEXP sizes);
SEXP ffi_sha256(SEXP bytes);
SEXP ffi_string_buckets(SEXP strings, SEXP buckets, SEXP key);
SEXP ffi_string_limbs(SEXP strings);

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

/* The bucket of each string, from 0, by the fingerprint of its bytes in UTF-8; with a key of two numbers by SipHash. */
SEXP ffi_string_buckets(SEXP strings, SEXP buckets, SEXP key) {
  check_vector(strings, STRSXP, -1);
  uint64_t n = (uint64_t)as_number(buckets), salt[2] = {0, 0};
  if (key != R_NilValue) check_vector(key, REALSXP, 2);
  for (int i = 0; key != R_NilValue && i < 2; i++) salt[i] = (uint64_t)REAL(key)[i];
  SEXP found = PROTECT(Rf_allocVector(INTSXP, XLENGTH(strings)));
  for (R_xlen_t i = 0; i < XLENGTH(strings); i++) {
    const char *text = Rf_translateCharUTF8(STRING_ELT(strings, i));
    size_t bytes = strlen(text);
    const unsigned char *at = (const unsigned char *)text;
    INTEGER(found)[i] = (int)((key == R_NilValue ? fingerprint64(at, bytes) : siphash64(salt, at, bytes)) % n);
  }
  UNPROTECT(1);
  return found;
}

/* The fingerprint of each string as four numbers of 16 bits, from the lowest on: a column each. */
SEXP ffi_string_limbs(SEXP strings) {
  check_vector(strings, STRSXP, -1);
  R_xlen_t n = XLENGTH(strings);
  SEXP limbs = PROTECT(Rf_allocVector(INTSXP, 4 * n));
  for (R_xlen_t i = 0; i < n; i++) {
    const char *text = Rf_translateCharUTF8(STRING_ELT(strings, i));
    uint64_t hash = fingerprint64((const unsigned char *)text, strlen(text));
    for (int k = 0; k < 4; k++) INTEGER(limbs)[k * n + i] = (int)(hash >> 16 * k & 0xffff);
  }
  UNPROTECT(1);
  return limbs;
}
