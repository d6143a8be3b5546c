#include "base/transpose.h"

#include <string.h>

/* A column-major array is the row-major one with its axes reversed. With the first axis cut off, it is a matrix of so
 * many rows, which are taken in bands, some columns at a time, so that each cache line that is read or written is used
 * whole, and few of them at once: their places may differ by a power of two. `ASSIGN` is done for element their_at of
 * the array and our_at of its rows [first, first + n). */
#define BAND 128
#define ACROSS 16
#define TRANSPOSE(shape, first, n, ASSIGN)                                                          \
  do {                                                                                              \
    const int64_t rows_ = (shape)->rank ? (shape)->dim[0] : 1;                                      \
    const int64_t rest_ = (shape)->rank ? shape_span((shape), 1, (shape)->rank) : 1;                \
    for (int64_t j_ = 0; rest_ == 1 && j_ < (n); j_++) {                                            \
      const int64_t their_at = (first) + j_, our_at = j_;                                           \
      ASSIGN;                                                                                       \
    }                                                                                               \
    for (int64_t row_ = 0; rest_ > 1 && row_ < (n); row_ += BAND) {                                 \
      const int64_t band_ = (n) - row_ < BAND ? (n) - row_ : BAND;                                  \
      struct columns at_ = {.column = 0};                                                           \
      for (int64_t to_ = 0; to_ < rest_; to_ += ACROSS) {                                           \
        if (rest_ - to_ >= ACROSS) TILE(shape, first, ASSIGN, ACROSS);                              \
        else TILE(shape, first, ASSIGN, rest_ - to_);                                               \
      }                                                                                             \
    }                                                                                               \
  } while (0)
#define TILE(shape, first, ASSIGN, n)                                                               \
  do {                                                                                              \
    next_columns(&at_, (shape), (n));                                                               \
    for (int64_t j_ = 0; j_ < band_; j_++)                                                          \
      for (int64_t k_ = 0; k_ < (n); k_++) {                                                        \
        const int64_t their_at = at_.place[k_] * rows_ + (first) + row_ + j_;                       \
        const int64_t our_at = (row_ + j_) * rest_ + to_ + k_;                                      \
        ASSIGN;                                                                                     \
      }                                                                                             \
  } while (0)

/* Which columns of that matrix are the next ones in row-major order. */
struct columns {
  int64_t place[ACROSS];
  int64_t index[MAX_RANK], column; /* of the first one that is not among them */
};

static inline void next_columns(struct columns *at, const struct shape *shape, int64_t n) {
  for (int64_t k = 0; k < n; k++) {
    at->place[k] = at->column;
    for (int axis = shape->rank - 1; axis >= 1; axis--) { /* the last axis moves first */
      const int64_t stride = shape_span(shape, 1, axis);
      if (++at->index[axis] < shape->dim[axis]) {
        at->column += stride;
        break;
      }
      at->column -= stride * (shape->dim[axis] - 1);
      at->index[axis] = 0;
    }
  }
}

/* R's NA among doubles: a NaN that bears 1954. */
static double missing(void) {
  const uint64_t bits = 0x7ff00000000007a2u;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static double as_is(double x) { return x; }
static double of_integer(int32_t x) { return x == MISSING_INTEGER ? missing() : (double)x; }
static double of_integer64(int64_t x) { return x == INT64_MIN ? missing() : (double)x; }

#define FROM(type, real)                                                                            \
  do {                                                                                              \
    const type *v = a->data;                                                                        \
    switch (dtype) {                                                                                \
    case FLOAT32: TRANSPOSE(&a->shape, first, n, ((float *)to)[our_at] = (float)real(v[their_at])); break; \
    case FLOAT64: TRANSPOSE(&a->shape, first, n, ((double *)to)[our_at] = real(v[their_at])); break; \
    case INT32: TRANSPOSE(&a->shape, first, n, ((int32_t *)to)[our_at] = (int32_t)v[their_at]); break; \
    case INT64: TRANSPOSE(&a->shape, first, n, ((int64_t *)to)[our_at] = (int64_t)v[their_at]); break; \
    default: TRANSPOSE(&a->shape, first, n, ((unsigned char *)to)[our_at] = v[their_at] != 0);      \
    }                                                                                               \
  } while (0)

void rows_from_array(const struct array *a, int64_t first, int64_t n, int dtype, void *to) {
  switch (a->number) {
  case NUMBER_DOUBLE: FROM(double, as_is); break;
  case NUMBER_INTEGER: FROM(int32_t, of_integer); break;
  case NUMBER_BYTE: FROM(unsigned char, as_is); break;
  default: FROM(int64_t, of_integer64);
  }
}

void rows_as_bytes(const struct array *a, int64_t first, int64_t n, unsigned char *to) {
  const unsigned char *bytes = a->data;
  const int32_t *integers = a->data;
  if (a->number == NUMBER_BYTE) TRANSPOSE(&a->shape, first, n, to[our_at] = bytes[their_at]);
  else TRANSPOSE(&a->shape, first, n, to[our_at] = (unsigned char)integers[their_at]);
}

#define TO(theirs, type)                                                                            \
  do {                                                                                              \
    const type *v = from;                                                                           \
    TRANSPOSE(shape, first, n, to[their_at] = (theirs)v[our_at]);                                   \
  } while (0)

void rows_to_doubles(int dtype, const void *from, const struct shape *shape, int64_t first, int64_t n, double *to) {
  switch (dtype) {
  case FLOAT32: TO(double, float); break;
  case FLOAT64: TO(double, double); break;
  case INT32: TO(double, int32_t); break;
  case INT64: TO(double, int64_t); break;
  default: TO(double, unsigned char);
  }
}

void rows_to_integers(int dtype, const void *from, const struct shape *shape, int64_t first, int64_t n, int32_t *to) {
  switch (dtype) {
  case INT32: TO(int32_t, int32_t); break;
  case INT64: TO(int32_t, int64_t); break;
  default: TO(int32_t, unsigned char);
  }
}
