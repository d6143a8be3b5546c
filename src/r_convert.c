/* r_convert.c - R arrays to row-major numbers and back. Indices stay: x[i, j, k] in R is element
 * (i-1, j-1, k-1) of the tensor; only the order in memory changes, here and nowhere else. */
#include "r_border.h"

#include <string.h>

/* bit64's whole numbers, which lie in the bits of doubles; NA is the lowest. No other class may stand beside it. */
int is_integer64(SEXP x) {
  if (TYPEOF(x) != REALSXP || !Rf_isObject(x)) return 0;
  SEXP class = Rf_getAttrib(x, R_ClassSymbol);
  return XLENGTH(class) == 1 && !strcmp(CHAR(STRING_ELT(class, 0)), "integer64");
}

/* The dtype of doubles without dimensions: float64 as in R, float32 while one of TensorFlow's or Keras' functions runs.
 */
static int plain_dtype = FLOAT64;

int r_plain_dtype(void) { return plain_dtype; }

/* Sets it, unless -1; gives what it was. */
SEXP ffi_plain_dtype(SEXP dtype);
SEXP ffi_plain_dtype(SEXP dtype) {
  SEXP before = Rf_ScalarInteger(plain_dtype);
  int wanted = as_dtype(dtype, 1);
  if (wanted >= 0) plain_dtype = wanted;
  return before;
}

int r_dtype(SEXP x) {
  if (is_integer64(x)) return INT64;
  if (Rf_isObject(x)) return -1;
  switch (TYPEOF(x)) {
  case REALSXP: return Rf_isNull(Rf_getAttrib(x, R_DimSymbol)) ? plain_dtype : FLOAT64;
  case INTSXP: return INT32;
  case LGLSXP: return BOOL;
  case RAWSXP: return INT32;
  default: return -1;
  }
}

SEXP bare_numbers(SEXP x) {
  if (is_tensor(x) || r_dtype(x) >= 0) return x;
  x = call_ours(Rf_lang2(Rf_install("numbers_for_engine"), PROTECT(Rf_lang2(R_QuoteSymbol, x))));
  UNPROTECT(1);
  return x;
}

void r_shape(SEXP x, struct shape *shape) {
  SEXP dim = Rf_getAttrib(x, R_DimSymbol);
  if (Rf_isNull(dim)) {
    shape->rank = XLENGTH(x) != 1;
    shape->dim[0] = (int64_t)XLENGTH(x);
    return;
  }
  if (LENGTH(dim) > MAX_RANK) raise_text(STATUS_SHAPE, "an array of %d axes; at most %d are possible", LENGTH(dim),
    MAX_RANK);
  shape->rank = LENGTH(dim);
  for (int i = 0; i < shape->rank; i++) shape->dim[i] = INTEGER(dim)[i];
}

/* A column-major array is the row-major one with its axes reversed. With the first axis cut off, it
 * is a matrix of n rows; rows are taken in bands, so that each cache line that is read is used
 * whole. Calls `move` for elements column-major[from + j * 1], row-major[(row + j) * rest + to]. An interrupt jumps out
 * of here: what is written to is dropped then. */
#define BAND 32
#define PATIENCE 0x3fff /* pieces of rows between two questions */
#define TRANSPOSE(shape, ASSIGN)                                                                    \
  do {                                                                                              \
    int64_t n_ = (shape)->rank ? (shape)->dim[0] : 1, rest_ = shape_span((shape), 1, (shape)->rank); \
    if ((shape)->rank == 0) rest_ = 1;                                                              \
    unsigned pieces_ = 0;                                                                           \
    for (int64_t row_ = 0; row_ < n_; row_ += BAND) {                                               \
      int64_t band_ = n_ - row_ < BAND ? n_ - row_ : BAND;                                          \
      int64_t index_[MAX_RANK] = {0}, at_ = 0; /* at_: column-major offset within rest, in units of n */ \
      for (int64_t to_ = 0; to_ < rest_; to_++) {                                                   \
        if ((++pieces_ & PATIENCE) == 0) R_CheckUserInterrupt();                                    \
        for (int64_t j_ = 0; j_ < band_; j_++) {                                                    \
          const int64_t r_at = at_ * n_ + row_ + j_, our_at = (row_ + j_) * rest_ + to_;            \
          ASSIGN;                                                                                   \
        }                                                                                           \
        /* the next row-major index: the last axis moves first */                                  \
        for (int axis_ = (shape)->rank - 1; axis_ >= 1; axis_--) {                                  \
          int64_t stride_ = shape_span((shape), 1, axis_);                                          \
          if (++index_[axis_] < (shape)->dim[axis_]) {                                              \
            at_ += stride_;                                                                         \
            break;                                                                                  \
          }                                                                                         \
          at_ -= stride_ * ((shape)->dim[axis_] - 1);                                               \
          index_[axis_] = 0;                                                                        \
        }                                                                                           \
      }                                                                                             \
    }                                                                                               \
  } while (0)

static void refuse(int dtype, const char *what, int64_t at) {
  raise_text(STATUS_VALUE, "%s at position %lld cannot become %s", what, (long long)at + 1, dtype_name[dtype]);
}

/* Whole numbers only, within the range of the type. */
static int64_t whole(double x, int dtype, int64_t at) {
  double limit = dtype == BOOL ? 9007199254740992.0 : dtype == INT32 ? 2147483648.0 : 9223372036854775808.0;
  if (ISNAN(x)) refuse(dtype, "NA or NaN", at);
  if (x >= limit || x < -limit) refuse(dtype, "a number beyond the range", at);
  if (x != (double)(int64_t)x) refuse(dtype, "a number that is not whole", at);
  return (int64_t)x;
}

static int known(int x, int dtype, int64_t at) {
  if (x == NA_INTEGER) refuse(dtype, "NA", at);
  return x;
}

static int64_t known64(int64_t x, int dtype, int64_t at) {
  if (x == INT64_MIN) refuse(dtype, "NA", at);
  if (dtype == INT32 && (x > INT32_MAX || x < INT32_MIN)) refuse(dtype, "a number beyond the range", at);
  return x;
}

/* What doubles cannot tell from its neighbour is not rounded in silence. */
static double double_of64(int64_t x, int dtype, int64_t at) {
  if (x == INT64_MIN) return NA_REAL;
  if (x > 9007199254740992 || x < -9007199254740992)
    refuse(dtype, "a whole number beyond 2^53, which doubles do not hold exactly,", at);
  return (double)x;
}

void numbers_from_r(SEXP x, int dtype, void *to) {
  struct shape shape;
  r_shape(x, &shape);
  if (is_integer64(x)) {
    const int64_t *v = (const int64_t *)(const void *)REAL(x);
    switch (dtype) {
    case FLOAT32: TRANSPOSE(&shape, ((float *)to)[our_at] = (float)double_of64(v[r_at], dtype, r_at)); break;
    case FLOAT64: TRANSPOSE(&shape, ((double *)to)[our_at] = double_of64(v[r_at], dtype, r_at)); break;
    case INT32: TRANSPOSE(&shape, ((int32_t *)to)[our_at] = (int32_t)known64(v[r_at], dtype, r_at)); break;
    case INT64: TRANSPOSE(&shape, ((int64_t *)to)[our_at] = known64(v[r_at], dtype, r_at)); break;
    default: TRANSPOSE(&shape, ((unsigned char *)to)[our_at] = known64(v[r_at], dtype, r_at) != 0);
    }
  } else if (TYPEOF(x) == REALSXP) {
    const double *v = REAL(x);
    switch (dtype) {
    case FLOAT32: TRANSPOSE(&shape, ((float *)to)[our_at] = (float)v[r_at]); break;
    case FLOAT64: TRANSPOSE(&shape, ((double *)to)[our_at] = v[r_at]); break;
    case INT32: TRANSPOSE(&shape, ((int32_t *)to)[our_at] = (int32_t)whole(v[r_at], dtype, r_at)); break;
    case INT64: TRANSPOSE(&shape, ((int64_t *)to)[our_at] = whole(v[r_at], dtype, r_at)); break;
    default: TRANSPOSE(&shape, ((unsigned char *)to)[our_at] = whole(v[r_at], dtype, r_at) != 0);
    }
  } else if (TYPEOF(x) == RAWSXP) {
    const unsigned char *v = RAW(x);
    switch (dtype) {
    case FLOAT32: TRANSPOSE(&shape, ((float *)to)[our_at] = v[r_at]); break;
    case FLOAT64: TRANSPOSE(&shape, ((double *)to)[our_at] = v[r_at]); break;
    case INT32: TRANSPOSE(&shape, ((int32_t *)to)[our_at] = v[r_at]); break;
    case INT64: TRANSPOSE(&shape, ((int64_t *)to)[our_at] = v[r_at]); break;
    default: TRANSPOSE(&shape, ((unsigned char *)to)[our_at] = v[r_at] != 0);
    }
  } else {
    const int *v = TYPEOF(x) == LGLSXP ? LOGICAL(x) : INTEGER(x);
    switch (dtype) {
    case FLOAT32: TRANSPOSE(&shape, ((float *)to)[our_at] = v[r_at] == NA_INTEGER ? (float)NA_REAL : (float)v[r_at]);
      break;
    case FLOAT64: TRANSPOSE(&shape, ((double *)to)[our_at] = v[r_at] == NA_INTEGER ? NA_REAL : v[r_at]); break;
    case INT32: TRANSPOSE(&shape, ((int32_t *)to)[our_at] = known(v[r_at], dtype, r_at)); break;
    case INT64: TRANSPOSE(&shape, ((int64_t *)to)[our_at] = known(v[r_at], dtype, r_at)); break;
    default: TRANSPOSE(&shape, ((unsigned char *)to)[our_at] = known(v[r_at], dtype, r_at) != 0);
    }
  }
}

void bytes_from_r(SEXP x, unsigned char *to) {
  struct shape shape;
  r_shape(x, &shape);
  if (TYPEOF(x) == RAWSXP) TRANSPOSE(&shape, to[our_at] = RAW(x)[r_at]);
  else TRANSPOSE(&shape, to[our_at] = (unsigned char)INTEGER(x)[r_at]);
}

/* Whole numbers become integers where all fit, else doubles. R's NA is the lowest int32. */
static int fits_integer(const struct tensor *t) {
  int64_t n = shape_count(&t->shape);
  for (int64_t i = 0; i < n; i++) {
    int64_t v = t->dtype == INT32 ? ((const int32_t *)t->data)[i] : ((const int64_t *)t->data)[i];
    if (v > INT32_MAX || v <= INT32_MIN) return 0;
  }
  return 1;
}

/* The nearest double. What is not the same number is noted. */
static double nearest(int64_t x, int *rounded) {
  double d = (double)x;
  if (d >= 9223372036854775808.0 || (int64_t)d != x) *rounded = 1;
  return d;
}

SEXP numbers_to_r(const struct tensor *t) {
  const struct shape *shape = &t->shape;
  int64_t n = shape_count(shape);
  for (int i = 0; i < shape->rank; i++)
    if (shape->dim[i] > INT32_MAX) raise_text(STATUS_SHAPE, "an axis of %lld elements does not fit an R array",
      (long long)shape->dim[i]);
  int small = (t->dtype == INT32 || t->dtype == INT64) && fits_integer(t), rounded = 0;
  SEXP x = PROTECT(vector_for(t->dtype == BOOL ? LGLSXP : small ? INTSXP : REALSXP, n, "an R array", shape));
  double *d = TYPEOF(x) == REALSXP ? REAL(x) : NULL;
  int *i = d ? NULL : TYPEOF(x) == LGLSXP ? LOGICAL(x) : INTEGER(x);
  switch (t->dtype) {
  case FLOAT32: TRANSPOSE(shape, d[r_at] = (double)((const float *)t->data)[our_at]); break;
  case FLOAT64: TRANSPOSE(shape, d[r_at] = ((const double *)t->data)[our_at]); break;
  case INT32:
    if (small) TRANSPOSE(shape, i[r_at] = ((const int32_t *)t->data)[our_at]);
    else TRANSPOSE(shape, d[r_at] = ((const int32_t *)t->data)[our_at]);
    break;
  case BOOL: TRANSPOSE(shape, i[r_at] = ((const unsigned char *)t->data)[our_at]); break;
  default:
    if (small) TRANSPOSE(shape, i[r_at] = (int)((const int64_t *)t->data)[our_at]);
    else TRANSPOSE(shape, d[r_at] = nearest(((const int64_t *)t->data)[our_at], &rounded));
  }
  if (rounded) call_ours(Rf_lang1(Rf_install("warn_rounded")));
  if (shape->rank) {
    SEXP dim = PROTECT(Rf_allocVector(INTSXP, shape->rank));
    for (int k = 0; k < shape->rank; k++) INTEGER(dim)[k] = (int)shape->dim[k];
    Rf_setAttrib(x, R_DimSymbol, dim);
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return x;
}
