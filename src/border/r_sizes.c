/* r_sizes.c - the shape of a tensor in a function that is being traced, as R code sees it.
 *
 * It is an integer vector like any other, but it notes in the program when somebody looks at a size that follows the
 * rows of the batch: what R computes from that number is right for this number of rows only. Looking at the other
 * sizes, or at how many there are, leaves the program free. (An ALTREP vector, see R_ext/Altrep.h: R asks it for each
 * element.)
 */
#include "border/r_border.h"

#include <R_ext/Altrep.h>

/* data1: list(program, the sizes at another number of rows), data2: the sizes */
static R_altrep_class_t sizes_class;

static const int *own_sizes(SEXP x) { return INTEGER(R_altrep_data2(x)); }
static const int *other_sizes(SEXP x) { return INTEGER(VECTOR_ELT(R_altrep_data1(x), 1)); }
static void look(SEXP x) { as_program(VECTOR_ELT(R_altrep_data1(x), 0))->rows_seen = 1; }

/* A plain vector where no size follows. */
SEXP sizes_new(SEXP program, SEXP sizes, SEXP other) {
  int follows = 0;
  for (R_xlen_t i = 0; i < XLENGTH(sizes); i++) follows = follows || INTEGER(sizes)[i] != INTEGER(other)[i];
  if (!follows) return sizes;
  SEXP about = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(about, 0, program);
  SET_VECTOR_ELT(about, 1, other);
  SEXP x = R_new_altrep(sizes_class, about, sizes);
  UNPROTECT(1);
  return x;
}

static R_xlen_t sizes_length(SEXP x) { return XLENGTH(R_altrep_data2(x)); }

static int sizes_element(SEXP x, R_xlen_t i) {
  if (own_sizes(x)[i] != other_sizes(x)[i]) look(x);
  return own_sizes(x)[i];
}

static void *sizes_address(SEXP x, Rboolean writable) {
  (void)writable;
  look(x);
  return INTEGER(R_altrep_data2(x));
}

static const void *sizes_no_address(SEXP x) {
  (void)x;
  return NULL; /* so that R asks for elements where it can */
}

static SEXP sizes_duplicate(SEXP x, Rboolean deep) {
  (void)deep;
  SEXP sizes = PROTECT(Rf_duplicate(R_altrep_data2(x))), copy = R_new_altrep(sizes_class, R_altrep_data1(x), sizes);
  UNPROTECT(1);
  return copy;
}

/* Some of the sizes: nobody has looked at them yet. Positions from 1 on; NULL leaves it to R. */
static SEXP sizes_subset(SEXP x, SEXP at, SEXP call) {
  (void)call;
  R_xlen_t n = XLENGTH(at);
  SEXP sizes = PROTECT(Rf_allocVector(INTSXP, n)), other = PROTECT(Rf_allocVector(INTSXP, n)), result = NULL;
  for (R_xlen_t i = 0; i < n; i++) {
    double k = TYPEOF(at) == INTSXP && INTEGER(at)[i] != NA_INTEGER ? INTEGER(at)[i] : TYPEOF(at) == REALSXP ?
      REAL(at)[i] : 0;
    if (!(k >= 1 && k <= (double)sizes_length(x))) goto end;
    INTEGER(sizes)[i] = own_sizes(x)[(R_xlen_t)k - 1];
    INTEGER(other)[i] = other_sizes(x)[(R_xlen_t)k - 1];
  }
  result = sizes_new(VECTOR_ELT(R_altrep_data1(x), 0), sizes, other);
end:
  UNPROTECT(2);
  return result;
}

/* The sizes of x for a reshape: -1 for the one that follows the rows of the batch, if there is one. */
SEXP ffi_open_shape(SEXP x);
SEXP ffi_open_shape(SEXP x) {
  struct tensor t;
  const struct slot *s = is_symbolic(x) ? &as_program(symbolic_program(x))->slots[symbolic_slot(x)] : NULL;
  struct shape shape;
  if (s) shape = s->shape;
  else t = as_tensor(x), shape = t.shape;
  SEXP sizes = Rf_allocVector(INTSXP, shape.rank);
  int open = -1, follow = 0, empty = 0;
  for (int i = 0; i < shape.rank; i++) {
    INTEGER(sizes)[i] = (int)shape.dim[i];
    if (s && shape.dim[i] != s->other.dim[i]) open = i, follow++;
    else empty = empty || shape.dim[i] == 0;
  }
  if (follow == 1 && !empty) INTEGER(sizes)[open] = -1;
  else if (follow) as_program(symbolic_program(x))->rows_seen = 1;
  return sizes;
}

void sizes_register(DllInfo *dll) {
  sizes_class = R_make_altinteger_class("sizes", "nativenet", dll);
  R_set_altrep_Length_method(sizes_class, sizes_length);
  R_set_altrep_Duplicate_method(sizes_class, sizes_duplicate);
  R_set_altvec_Dataptr_method(sizes_class, sizes_address);
  R_set_altvec_Dataptr_or_null_method(sizes_class, sizes_no_address);
  R_set_altvec_Extract_subset_method(sizes_class, sizes_subset);
  R_set_altinteger_Elt_method(sizes_class, sizes_element);
}

static int is_watched(SEXP x) { return ALTREP(x) && R_altrep_inherits(x, sizes_class); }

/* Are two shapes the same? If they are, or are not, at any number of rows, nobody has looked. */
SEXP ffi_same_sizes(SEXP x, SEXP y);
SEXP ffi_same_sizes(SEXP x, SEXP y) {
  check_vector(x, INTSXP, -1);
  check_vector(y, INTSXP, -1);
  if (XLENGTH(x) != XLENGTH(y)) return Rf_ScalarLogical(0);
  const int *own[2], *other[2];
  SEXP both[] = {x, y};
  for (int k = 0; k < 2; k++) {
    own[k] = is_watched(both[k]) ? own_sizes(both[k]) : INTEGER(both[k]);
    other[k] = is_watched(both[k]) ? other_sizes(both[k]) : own[k];
  }
  int same = 1, same_there = 1;
  for (R_xlen_t i = 0; i < XLENGTH(x); i++) {
    same = same && own[0][i] == own[1][i];
    same_there = same_there && other[0][i] == other[1][i];
  }
  for (int k = 0; k < 2 && same != same_there; k++)
    if (is_watched(both[k])) look(both[k]);
  return Rf_ScalarLogical(same);
}
