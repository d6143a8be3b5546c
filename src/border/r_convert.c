/* r_convert.c - R arrays to row-major numbers and back, by transpose.h. Indices stay: x[i, j, k] in R is element
 * (i-1, j-1, k-1) of the tensor. */
#include "border/r_border.h"

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

/* An interrupt jumps out from between pieces of so many numbers: what is written to is dropped then. */
#define PIECE (1 << 19)

static int64_t piece_rows(const struct shape *s) {
  int64_t rest = s->rank ? shape_span(s, 1, s->rank) : 1, rows = rest > 0 ? PIECE / rest : PIECE;
  return rows > 64 ? rows / 64 * 64 : 64;
}

/* Do it for [first, first + n), piece by piece. */
#define IN_PIECES(all, piece, DO)                                                                   \
  for (int64_t first = 0, all_ = (all), piece_ = (piece); first < all_; first += piece_) {          \
    int64_t n = all_ - first < piece_ ? all_ - first : piece_;                                      \
    if (first) R_CheckUserInterrupt();                                                              \
    DO;                                                                                             \
  }

static int64_t rows_of(const struct shape *s) { return s->rank ? s->dim[0] : 1; }

static void refuse(int dtype, const char *what, int64_t at) {
  raise_text(STATUS_VALUE, "%s at position %lld cannot become %s", what, (long long)at + 1, dtype_name[dtype]);
}

static void refuse_part(double x, int dtype, int64_t at) {
  double limit = dtype == BOOL ? 9007199254740992.0 : dtype == INT32 ? 2147483648.0 : 9223372036854775808.0;
  if (ISNAN(x)) refuse(dtype, "NA or NaN", at);
  if (x >= limit || x < -limit) refuse(dtype, "a number beyond the range", at);
  if (x != (double)(int64_t)x) refuse(dtype, "a number that is not whole", at);
}

static void refuse_part64(int64_t x, int dtype, int64_t at) {
  if (dtype_is_float(dtype)) { /* what doubles cannot tell from its neighbour is not rounded in silence */
    if (x != INT64_MIN && (x > 9007199254740992 || x < -9007199254740992))
      refuse(dtype, "a whole number beyond 2^53, which doubles do not hold exactly,", at);
    return;
  }
  if (x == INT64_MIN) refuse(dtype, "NA", at);
  if (dtype == INT32 && (x > INT32_MAX || x < INT32_MIN)) refuse(dtype, "a number beyond the range", at);
}

struct array array_of_r(SEXP x) {
  struct array a;
  r_shape(x, &a.shape);
  switch (TYPEOF(x)) {
  case REALSXP: a.data = REAL(x), a.number = is_integer64(x) ? NUMBER_INTEGER64 : NUMBER_DOUBLE; break;
  case RAWSXP: a.data = RAW(x), a.number = NUMBER_BYTE; break;
  case LGLSXP: a.data = LOGICAL(x), a.number = NUMBER_INTEGER; break;
  default: a.data = INTEGER(x), a.number = NUMBER_INTEGER;
  }
  return a;
}

void check_fits(SEXP x, int dtype) {
  struct array a = array_of_r(x);
  int real = dtype_is_float(dtype);
  int64_t all = (int64_t)XLENGTH(x);
  if (a.number == NUMBER_INTEGER64) {
    const int64_t *v = a.data;
    IN_PIECES(all, PIECE, for (int64_t i = first; i < first + n; i++) refuse_part64(v[i], dtype, i))
  } else if (a.number == NUMBER_DOUBLE && !real) {
    const double *v = a.data;
    IN_PIECES(all, PIECE, for (int64_t i = first; i < first + n; i++) refuse_part(v[i], dtype, i))
  } else if (a.number == NUMBER_INTEGER && !real) {
    const int32_t *v = a.data;
    IN_PIECES(all, PIECE, for (int64_t i = first; i < first + n; i++) if (v[i] == NA_INTEGER) refuse(dtype, "NA", i))
  }
}

/* An error if there are numbers that the dtype does not hold: NA, fractions, beyond its range. */
SEXP ffi_check_fits(SEXP x, SEXP dtype);
SEXP ffi_check_fits(SEXP x, SEXP dtype) {
  check_fits(x, as_dtype(dtype, 0));
  return R_NilValue;
}

static void convert(SEXP x, const struct array *a, int dtype, void *to) {
  size_t row = (size_t)(a->shape.rank ? shape_span(&a->shape, 1, a->shape.rank) : 1) * dtype_size[dtype];
  check_fits(x, dtype);
  IN_PIECES(rows_of(&a->shape), piece_rows(&a->shape),
    rows_from_array(a, first, n, dtype, (unsigned char *)to + (size_t)first * row))
}

void numbers_from_r(SEXP x, int dtype, void *to) {
  struct array a = array_of_r(x);
  convert(x, &a, dtype, to);
}

/* An R array as a tensor of this dtype and shape, in the memory of `into` where that is such a tensor. */
SEXP ffi_tensor_into(SEXP x, SEXP dtype, SEXP dim, SEXP into);
SEXP ffi_tensor_into(SEXP x, SEXP dtype, SEXP dim, SEXP into) {
  struct array a = array_of_r(x);
  struct tensor t = {.dtype = -1};
  check_vector(dim, INTSXP, -1);
  if (r_dtype(x) < 0 || XLENGTH(dim) < 1 || XLENGTH(dim) > MAX_RANK)
    raise_text(STATUS_VALUE, "internal error: an array");
  a.shape.rank = (int32_t)XLENGTH(dim);
  for (int i = 0; i < a.shape.rank; i++) a.shape.dim[i] = INTEGER(dim)[i];
  if (shape_count(&a.shape) != (int64_t)XLENGTH(x)) raise_text(STATUS_VALUE, "internal error: an array");
  if (is_tensor(into)) t = as_tensor(into);
  if (t.dtype != as_dtype(dtype, 0) || !shape_equal(&t.shape, &a.shape))
    into = tensor_new(as_dtype(dtype, 0), &a.shape, &t);
  PROTECT(into);
  convert(x, &a, t.dtype, t.data);
  UNPROTECT(1);
  return into;
}

void bytes_from_r(SEXP x, unsigned char *to) {
  struct array a = array_of_r(x);
  int64_t row = a.shape.rank ? shape_span(&a.shape, 1, a.shape.rank) : 1;
  IN_PIECES(rows_of(&a.shape), piece_rows(&a.shape), rows_as_bytes(&a, first, n, to + first * row))
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

/* Is there a number that doubles do not hold? */
static int is_rounded(const struct tensor *t) {
  const int64_t *v = t->data;
  int64_t n = shape_count(&t->shape);
  for (int64_t i = 0; i < n && t->dtype == INT64; i++) {
    double d = (double)v[i];
    if (d >= 9223372036854775808.0 || (int64_t)d != v[i]) return 1;
  }
  return 0;
}

SEXP array_for_r(SEXPTYPE type, const struct shape *shape) {
  for (int i = 0; i < shape->rank; i++)
    if (shape->dim[i] > INT32_MAX) raise_text(STATUS_SHAPE, "an axis of %lld elements does not fit an R array",
      (long long)shape->dim[i]);
  SEXP x = PROTECT(vector_for(type, shape_count(shape), "an R array", shape));
  if (shape->rank) {
    SEXP dim = PROTECT(Rf_allocVector(INTSXP, shape->rank));
    for (int k = 0; k < shape->rank; k++) INTEGER(dim)[k] = (int)shape->dim[k];
    Rf_setAttrib(x, R_DimSymbol, dim);
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return x;
}

SEXP numbers_to_r(const struct tensor *t) {
  const struct shape *shape = &t->shape;
  int small = (t->dtype == INT32 || t->dtype == INT64) && fits_integer(t);
  SEXP x = PROTECT(array_for_r(t->dtype == BOOL ? LGLSXP : small ? INTSXP : REALSXP, shape));
  double *d = TYPEOF(x) == REALSXP ? REAL(x) : NULL;
  int *i = d ? NULL : TYPEOF(x) == LGLSXP ? LOGICAL(x) : INTEGER(x);
  const unsigned char *from = t->data;
  size_t row = (size_t)(shape->rank ? shape_span(shape, 1, shape->rank) : 1) * dtype_size[t->dtype];
  IN_PIECES(rows_of(shape), piece_rows(shape),
    if (d) rows_to_doubles(t->dtype, from + (size_t)first * row, shape, first, n, d);
    else rows_to_integers(t->dtype, from + (size_t)first * row, shape, first, n, i))
  if (d && is_rounded(t)) call_ours(Rf_lang1(Rf_install("warn_rounded")));
  UNPROTECT(1);
  return x;
}

/* ---- what data may not hold ---- */

static void refuse_not_finite(SEXP x, int64_t at) {
  double v = TYPEOF(x) == REALSXP && !is_integer64(x) ? REAL(x)[at] : NA_REAL;
  raise_text(STATUS_VALUE, "the data contain %s at position %lld", R_IsNA(v) ? "NA" : ISNAN(v) ? "NaN" : "Inf",
    (long long)at + 1);
}

struct ends {
  double low, high;
};

static void widen(struct ends *e, double x) {
  e->low = x < e->low ? x : e->low;
  e->high = x > e->high ? x : e->high;
}

/* Side by side, as a vector has them. x - x is 0 for finite numbers only: summed without a branch, then looked for. */
#define LANES 8
static struct ends ends_of_doubles(SEXP x) {
  const double *v = REAL(x);
  const R_xlen_t n = XLENGTH(x);
  double low[LANES], high[LANES], odd[LANES] = {0};
  struct ends all = {R_PosInf, R_NegInf};
  if (!n) return all;
  for (int k = 0; k < LANES; k++) low[k] = high[k] = v[0];
  R_xlen_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) {
      low[k] = v[i + k] < low[k] ? v[i + k] : low[k];
      high[k] = v[i + k] > high[k] ? v[i + k] : high[k];
      odd[k] += v[i + k] - v[i + k];
    }
  for (; i < n; i++) widen(&all, v[i]), odd[0] += v[i] - v[i];
  for (int k = 0; k < LANES; k++) {
    widen(&all, low[k]), widen(&all, high[k]);
    for (R_xlen_t at = 0; at < n && odd[k] != 0; at++)
      if (!R_FINITE(v[at])) refuse_not_finite(x, at);
  }
  return all;
}

/* `missing` is the least of the type, or none of it. */
#define ENDS_OF_WHOLE(type, data, missing)                                                \
  do {                                                                                    \
    const type *v_ = (const type *)(const void *)(data);                                  \
    const R_xlen_t n_ = XLENGTH(x);                                                       \
    if (!n_) break;                                                                       \
    type low_ = v_[0], high_ = v_[0];                                                     \
    for (R_xlen_t i_ = 0; i_ < n_; i_++) {                                                \
      low_ = v_[i_] < low_ ? v_[i_] : low_;                                               \
      high_ = v_[i_] > high_ ? v_[i_] : high_;                                            \
    }                                                                                     \
    const int64_t least_ = low_;                                                          \
    for (R_xlen_t i_ = 0; i_ < n_ && least_ == (missing); i_++)                           \
      if (v_[i_] == low_) refuse_not_finite(x, i_);                                       \
    e = (struct ends){(double)low_, (double)high_};                                       \
  } while (0)

/* The smallest and the largest number of an R array. An error names the first NA, NaN or Inf. */
SEXP ffi_finite_ends(SEXP x);
SEXP ffi_finite_ends(SEXP x) {
  struct ends e = {R_PosInf, R_NegInf};
  if (is_integer64(x)) ENDS_OF_WHOLE(int64_t, REAL(x), INT64_MIN);
  else if (TYPEOF(x) == REALSXP) e = ends_of_doubles(x);
  else if (TYPEOF(x) == RAWSXP) ENDS_OF_WHOLE(unsigned char, RAW(x), -1);
  else if (TYPEOF(x) == INTSXP) ENDS_OF_WHOLE(int, INTEGER(x), NA_INTEGER);
  else if (TYPEOF(x) == LGLSXP) ENDS_OF_WHOLE(int, LOGICAL(x), NA_INTEGER);
  SEXP ends = Rf_allocVector(REALSXP, 2);
  REAL(ends)[0] = e.low, REAL(ends)[1] = e.high;
  return ends;
}
