/* window.h - windows that move over the spatial axes of x (batch, 1 to 3 spatial axes, channels): what the ops share
 * whatever the number type.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include "ops/node.h"

#define MAX_SPATIAL 3

/* One spatial axis: so many cells in, so many windows out; window o begins at cell o stride - before. Cells outside
 * the axis are padding. */
struct window_axis {
  int64_t in, out, size, stride, before;
};

/* Given all but `out` and `before`. `same`: as many windows as strides begin within the axis, centred, the odd cell of
 * padding behind; else only windows that lie within, and none where the axis is shorter than one. */
void window_place(struct window_axis *a, int same);

/* Attributes (ints) of the pooling ops: is the padding "same"?; of each spatial axis the size of the window and its
 * stride. */
enum { POOL_SAME, POOL_WINDOWS };

/* Missing spatial axes stand behind the others, and have the size 1. */
struct pool {
  int64_t batch, channels;
  struct window_axis axis[MAX_SPATIAL];
};
void pool_layout(struct pool *p, const struct shape *x, const struct attr *a);

#endif
