/* transpose.h - rows of column-major arrays, as R has them, to row-major numbers of our dtypes and back: the only
 * transposes there are. Indices stay, only the order in memory changes.
 */
#ifndef TRANSPOSE_H
#define TRANSPOSE_H

#include "base/tensor.h"

enum number { NUMBER_DOUBLE, NUMBER_INTEGER, NUMBER_BYTE, NUMBER_INTEGER64 };

#define MISSING_INTEGER INT32_MIN /* R's NA */

/* A column-major array. */
struct array {
  const void *data;
  int32_t number; /* enum number */
  struct shape shape;
};

/* Rows [first, first + n) to `to`, where the first of them begins. The numbers must be such as the dtype holds: what is
 * not whole or beyond its range is not looked for. */
void rows_from_array(const struct array *a, int64_t first, int64_t n, int dtype, void *to);

/* The same of bytes, or integers 0 .. 255, as bytes. */
void rows_as_bytes(const struct array *a, int64_t first, int64_t n, unsigned char *to);

/* Row-major rows to the rows [first, first + n) of a column-major array of this shape; integers from int32, int64 and
 * bool only. */
void rows_to_doubles(int dtype, const void *from, const struct shape *shape, int64_t first, int64_t n, double *to);
void rows_to_integers(int dtype, const void *from, const struct shape *shape, int64_t first, int64_t n, int32_t *to);

#endif
