/* tensor.h - shapes and number types. A tensor is row-major: the last axis is contiguous. */
#ifndef TENSOR_H
#define TENSOR_H

#include "base/nativenet.h"

struct shape {
  int32_t rank;
  int64_t dim[MAX_RANK];
};

extern const char *const dtype_name[DTYPE_COUNT];
extern const size_t dtype_size[DTYPE_COUNT];

static inline int dtype_is_float(int dtype) {
#define IS_FLOAT(ENUM, name, type, is_float) | (dtype == (ENUM) && (is_float))
  return 0 DTYPES(IS_FLOAT);
#undef IS_FLOAT
}

/* Number i of x as a double, and the way back. */
static inline double number_at(int dtype, const void *x, int64_t i) {
  switch (dtype) {
#define GET(ENUM, name, type, is_float) case ENUM: return (double)((const type *)x)[i];
  DTYPES(GET)
#undef GET
  default: return 0;
  }
}
static inline void put_number(int dtype, void *x, int64_t i, double value) {
  switch (dtype) {
#define PUT_CASE(ENUM, name, type, is_float) case ENUM: ((type *)x)[i] = (type)value; break;
  DTYPES(PUT_CASE)
#undef PUT_CASE
  default: break;
  }
}

/* Number of elements; the product of no sizes is 1. */
int64_t shape_count(const struct shape *s);

/* Are all products of its sizes (even of those beside a 0) far below the limits of the machine? */
int shape_is_possible(const struct shape *s);

/* Product of the sizes of axes from (inclusive) to to (exclusive). */
int64_t shape_span(const struct shape *s, int from, int to);

int shape_equal(const struct shape *a, const struct shape *b);

/* Is it n numbers along the last axis, one row? */
static inline int shape_is_row(const struct shape *s, int64_t n) {
  return s->rank && s->dim[s->rank - 1] == n && shape_count(s) == n;
}

/* "(32, 784)" into text, as shapes are written in every message. */
const char *shape_format(const struct shape *s, char *text, size_t size);

/* Bytes that n elements of dtype take, rounded up to whole cache lines. */
size_t padded_bytes(int64_t n, int dtype);

/* How a tensor is read while walking over a larger, broadcast shape. */
struct walk {
  int rank;                    /* at least 1; the last axis is the inner loop */
  int64_t n[MAX_RANK];         /* sizes, neighbours merged where possible */
  int64_t stride[3][MAX_RANK]; /* elements per step, 0 where operand k is repeated */
};

/* Plan a walk over `over` that reads up to three operands of smaller, right-aligned shapes
 * (NumPy's rule). Axes that all operands pass in the same way are merged. */
void walk_plan(struct walk *w, const struct shape *over, const struct shape *const *operand, int operands);

/* Offsets of the operands at outer step `step` (all axes but the last, row-major). */
void walk_offsets(const struct walk *w, int64_t step, int operands, int64_t *offset);

/* Number of outer steps. */
int64_t walk_steps(const struct walk *w);

#endif
