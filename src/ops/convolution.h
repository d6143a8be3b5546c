/* convolution.h - what the convolution ops share whatever the number type.
 *
 * x (N, X..., C), kernel (K..., C / G, F), y (N, Y..., F), with one to three spatial axes; missing ones have the size 1
 * here and come first. In each of G groups F / G filters look at C / G channels. Along an axis, y[o] is the sum over k
 * of x[o stride + k dilation - before] kernel[k], where x is 0 outside. Three ops compute one of the three from the
 * other two, and each is a derivative of the others: conv y, conv_transpose x, conv_kernel the kernel.
 */
#ifndef CONVOLUTION_H
#define CONVOLUTION_H

#include "ops/ops.h"

#define SPATIAL 3

/* Attributes (ints); the last ones for each spatial axis: `size` is that of x for conv_transpose, of the kernel for
 * conv_kernel. */
enum { CONV_GROUPS, CONV_ACTIVATION, CONV_AXES };
enum { AXIS_STRIDE, AXIS_DILATION, AXIS_BEFORE, AXIS_AFTER, AXIS_SIZE, AXIS_INTS };


struct convolution {
  int64_t images, channels, filters, groups; /* N, C, F, G */
  int64_t x[SPATIAL], k[SPATIAL], y[SPATIAL], stride[SPATIAL], dilation[SPATIAL], before[SPATIAL];
};

void convolution_layout(struct convolution *g, const struct attr *a, const struct shape *x, const struct shape *k,
  const struct shape *y);

/* One filter per channel, or several, each of which sees that channel alone. */
static inline int is_depthwise(const struct convolution *g) { return g->channels == g->groups && g->groups > 1; }

static inline int64_t convolution_taps(const struct convolution *g) { return g->k[0] * g->k[1] * g->k[2]; }
/* Numbers of a filter. */
static inline int64_t convolution_depth(const struct convolution *g) {
  return convolution_taps(g) * (g->channels / g->groups);
}
static inline int64_t convolution_rows(const struct convolution *g) {
  return g->images * g->y[0] * g->y[1] * g->y[2];
}

/* Tiles of so many results along the last two axes are found at a time, in fewer products: see kernels/winograd.h. No
 * columns: that does not fit, or does not pay. `back`: x from y, else y from x. */
struct winograd {
  int lines, columns;
};
struct winograd winograd_form(const struct convolution *g, int back);
static inline int64_t winograd_points(struct winograd w) {
  return (w.lines > 1 ? w.lines + 2 : 1) * (int64_t)(w.columns + 2);
}

/* Numbers that a kernel takes, packed for products: see kernels/convolution.h. */
int64_t convolution_packed(const struct convolution *g, int transposed);

/* Numbers that the kernel's gradient takes besides. */
int64_t convolution_sums(const struct convolution *g);

/* The result's gradient may be zero almost everywhere: see kernels/sparse.h. So many of its numbers are counted at a
 * time; how many counts that makes, 0 where it is not worth it. */
#define COUNT_AT_ONCE 4096
int64_t convolution_counts(const struct convolution *g);

/* Along one axis: result q of `count`, at position at + q every, is the sum over t < taps of the source at
 * q step + first + t gap, 0 outside 0 .. size - 1, times number tap + t tap_step of the kernel. */
struct reach {
  int64_t count, at, every, size, step, first, gap, taps, tap, tap_step;
};

/* From x to y. */
struct reach reach_forward(const struct convolution *g, int axis);

/* From y to those positions of x that leave `rest` when divided by the stride. */
struct reach reach_back(const struct convolution *g, int axis, int64_t rest);

#endif
