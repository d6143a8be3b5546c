/* convolution.c - shapes of the convolution ops. */
#include "ops/convolution.h"
#include "ops/rules.h"

void convolution_layout(struct convolution *g, const struct attr *a, const struct shape *x, const struct shape *k,
  const struct shape *y) {
  int axes = x->rank - 2, missing = SPATIAL - axes;
  g->images = x->dim[0], g->channels = x->dim[axes + 1], g->filters = k->dim[axes + 1];
  g->groups = a->ints[CONV_GROUPS];
  for (int i = 0; i < SPATIAL; i++) {
    const int64_t *own = a->ints + CONV_AXES + AXIS_INTS * (i - missing);
    int there = i >= missing;
    g->x[i] = there ? x->dim[1 + i - missing] : 1;
    g->k[i] = there ? k->dim[i - missing] : 1;
    g->y[i] = there ? y->dim[1 + i - missing] : 1;
    g->stride[i] = there ? own[AXIS_STRIDE] : 1;
    g->dilation[i] = there ? own[AXIS_DILATION] : 1;
    g->before[i] = there ? own[AXIS_BEFORE] : 0;
  }
}

/* With fewer channels or results the detour takes longer than it saves: see bench/convolution.R. */
#define WINOGRAD_CHANNELS 16
#define WINOGRAD_RESULTS 4
#define WINOGRAD_DEEPEST 256 /* sums of more channels by tiles of 4 x 4 may be off by 1e-5 of the largest result */
static int is_winograd_axis(const struct convolution *g, int i) {
  return g->k[i] == 3 && g->stride[i] == 1 && g->dilation[i] == 1 && g->x[i] >= WINOGRAD_RESULTS &&
    g->y[i] >= WINOGRAD_RESULTS;
}
static int is_plain_axis(const struct convolution *g, int i) {
  return g->k[i] == 1 && g->stride[i] == 1 && g->x[i] == g->y[i];
}

/* Products along an axis of n results by tiles of m. */
static int64_t products_along(int64_t n, int m) { return (n + m - 1) / m * (m + 2); }

struct winograd winograd_form(const struct convolution *g, int back) {
  struct winograd w = {0, 0};
  const int64_t *size = back ? g->x : g->y;
  if (g->groups != 1 || g->channels < WINOGRAD_CHANNELS || g->filters < WINOGRAD_CHANNELS || !g->images) return w;
  if (!is_plain_axis(g, 0) || !is_winograd_axis(g, 2)) return w;
  if (!is_winograd_axis(g, 1) && !is_plain_axis(g, 1)) return w;
  int square = is_winograd_axis(g, 1);
  double four = (double)products_along(size[2], 4), two = (double)products_along(size[2], 2);
  if (square) four *= (double)products_along(size[1], 4), two *= (double)products_along(size[1], 2);
  int m = four < two && (!square || (back ? g->filters : g->channels) <= WINOGRAD_DEEPEST) ? 4 : 2;
  return (struct winograd){square ? m : 1, m};
}

/* What a packed kernel has of each channel and filter. */
static int64_t packed_taps(const struct convolution *g, int back) {
  struct winograd w = winograd_form(g, back);
  return w.columns ? winograd_points(w) : convolution_taps(g);
}

int64_t convolution_packed(const struct convolution *g, int transposed) {
  int64_t channels = g->channels / g->groups, filters = g->filters / g->groups;
  if (is_depthwise(g)) return 0;
  return g->groups * packed_taps(g, transposed) *
    (transposed ? filters * whole_vectors(channels) : channels * whole_vectors(filters));
}

int64_t convolution_sums(const struct convolution *g) {
  struct winograd w = winograd_form(g, 0);
  return w.columns ? (w.lines > 1 ? 16 : 4) * g->channels * whole_vectors(g->filters) : 0;
}

#define COUNT_LEAST (4 * COUNT_AT_ONCE)
int64_t convolution_counts(const struct convolution *g) {
  int64_t n = convolution_rows(g) * g->filters;
  return g->groups != 1 || n < COUNT_LEAST ? 0 : (n + COUNT_AT_ONCE - 1) / COUNT_AT_ONCE;
}

/* What the gradients of op conv take beside those of the others. */
static int64_t sparse_room(const struct convolution *g) {
  int64_t counts = convolution_counts(g), kernel = convolution_depth(g) * g->filters, sums = convolution_sums(g);
  return counts ? counts + (kernel > sums ? kernel - sums : 0) : 0;
}

struct reach reach_forward(const struct convolution *g, int i) {
  return (struct reach){.count = g->y[i], .at = 0, .every = 1, .size = g->x[i], .step = g->stride[i],
    .first = -g->before[i], .gap = g->dilation[i], .taps = g->k[i], .tap = 0, .tap_step = 1};
}

static int64_t common_divisor(int64_t a, int64_t b) { return b ? common_divisor(b, a % b) : a; }

/* x[i] takes kernel[k] times y[o] where i = o stride + k dilation - before: every `apart`-th k fits, and o falls as k
 * grows, so that they are taken from the last one on. */
struct reach reach_back(const struct convolution *g, int i, int64_t rest) {
  int64_t stride = g->stride[i], dilation = g->dilation[i], apart = stride / common_divisor(stride, dilation);
  struct reach r = {.count = rest < g->x[i] ? (g->x[i] - rest - 1) / stride + 1 : 0, .at = rest, .every = stride,
    .size = g->y[i], .step = 1, .gap = dilation * apart / stride, .tap_step = -apart};
  int64_t k = 0;
  while (k < apart && k < g->k[i] && (rest + g->before[i] - k * dilation) % stride != 0) k++;
  if (k == apart || k >= g->k[i]) return r;
  r.taps = (g->k[i] - k - 1) / apart + 1;
  r.tap = k + (r.taps - 1) * apart;
  r.first = (rest + g->before[i] - r.tap * dilation) / stride;
  return r;
}

/* Strides, dilations and paddings in range? */
static enum status check_axes(struct inference *q, int axes) {
  const struct attr *a = q->attr;
  if (axes < 1 || axes > SPATIAL)
    return bad_value(q, "one to three axes between those of the batch and the channels are needed", axes);
  if (a->n_ints != CONV_AXES + AXIS_INTS * axes) return bad_value(q, "one stride, dilation and padding per axis",
    (a->n_ints - CONV_AXES) / AXIS_INTS);
  if (a->ints[CONV_GROUPS] < 1) return bad_value(q, "`groups` must be 1 or more", a->ints[CONV_GROUPS]);
  for (int i = 0; i < axes; i++) {
    const int64_t *own = a->ints + CONV_AXES + AXIS_INTS * i;
    for (int k = 0; k < AXIS_INTS; k++)
      if (own[k] < (k <= AXIS_DILATION) || own[k] > INT32_MAX)
        return bad_value(q, k <= AXIS_DILATION ? "strides and dilations must be 1 or more" :
          "paddings and sizes must be 0 or more", own[k]);
  }
  return STATUS_OK;
}

/* How far y reaches along an axis of x; less than 1 if the kernel does not fit. */
static int64_t size_of_y(const int64_t *own, int64_t x, int64_t k) {
  int64_t room = x + own[AXIS_BEFORE] + own[AXIS_AFTER] - (k - 1) * own[AXIS_DILATION] - 1;
  return room < 0 ? 0 : room / own[AXIS_STRIDE] + 1;
}

static enum status check_activation(struct inference *q) {
  int64_t activation = q->attr->ints[CONV_ACTIVATION];
  if (activation == -1 || (q->op == OP_CONV && activation >= 0 && activation < OP_COUNT &&
    op_info[activation].fusable)) return STATUS_OK;
  return bad_value(q, "no such activation", activation);
}

/* ints: see convolution.h. conv: x, kernel, and maybe bias (F); conv_transpose: y, kernel; conv_kernel: x, y. reals:
 * parameters of the activation. */
enum status rule_convolution(struct inference *q) {
  enum status s = same_dtype(q, 0);
  int axes = shape_in(q, 0)->rank - 2;
  if (!s) s = check_axes(q, axes);
  if (!s) s = check_activation(q);
  if (s) return s;
  int by_kernel = q->op != OP_CONV_KERNEL, to_x = q->op == OP_CONV_TRANSPOSE;
  const struct shape *first = shape_in(q, 0), *second = shape_in(q, 1);
  int64_t groups = q->attr->ints[CONV_GROUPS], of_first = first->dim[axes + 1];
  if (second->rank != axes + 2) return bad_shapes(q, "as many axes are needed in both");
  if (!by_kernel && first->dim[0] != second->dim[0]) return bad_shapes(q, "both must be of one batch");
  int64_t filters = to_x ? of_first : second->dim[axes + 1];
  if (to_x && second->dim[axes + 1] != filters)
    return bad_shapes(q, "the last axis of both, that of the filters, must be the same");
  if (!to_x && of_first % groups != 0) return bad_value(q, "`groups` must divide the number of channels", groups);
  if (filters % groups != 0) return bad_value(q, "`groups` must divide the number of filters", groups);
  if (q->op == OP_CONV && second->dim[axes] * groups != of_first)
    return bad_shapes(q, groups == 1 ? "the last axis of x, its channels, must be the kernel's axis before the last" :
      "the last axis of x, its channels, divided by `groups` must be the kernel's axis before the last");
  if (q->inputs == 3 && (s = need_shape(q, 2, "bias", (struct shape){1, {filters}}))) return s;
  struct shape *out = q->out;
  *out = *first;
  for (int i = 0; i < axes; i++) {
    const int64_t *own = q->attr->ints + CONV_AXES + AXIS_INTS * i;
    int64_t k = by_kernel ? second->dim[i] : own[AXIS_SIZE], x = to_x ? own[AXIS_SIZE] : first->dim[1 + i];
    int64_t found = k > INT32_MAX || k < 1 ? 0 : size_of_y(own, x, k);
    if (found < 1)
      return bad_value(q, k < 1 ? "sizes of the kernel must be 1 or more" :
        "the kernel is larger than the padded input", k);
    int64_t y = q->op == OP_CONV ? found : to_x ? first->dim[1 + i] : second->dim[1 + i];
    if (y != found)
      return bad_value(q, "strides and paddings do not lead from one size to the other", to_x ? x : y);
    out->dim[by_kernel ? 1 + i : i] = q->op == OP_CONV ? y : to_x ? x : k;
  }
  if (by_kernel) out->dim[axes + 1] = to_x ? second->dim[axes] * groups : filters;
  else out->dim[axes] = of_first / groups, out->dim[axes + 1] = filters;
  if (!shape_is_possible(out)) return STATUS_OK; /* op_infer() refuses it */
  struct convolution g;
  convolution_layout(&g, q->attr, to_x ? out : first, by_kernel ? second : out,
    q->op == OP_CONV ? out : to_x ? first : second);
  int64_t forward = convolution_packed(&g, 0), back = convolution_packed(&g, 1), sums = convolution_sums(&g);
  q->workspace = !by_kernel ? sums : to_x ? back : forward;
  q->derivative_workspace = !by_kernel ? forward + back : (to_x ? forward : back) + sums;
  if (q->op == OP_CONV) q->derivative_workspace += sparse_room(&g);
  if (q->attr->ints[CONV_ACTIVATION] != -1) q->derivative_workspace += shape_count(out); /* dz = dy activation'(y) */
  q->work = 2.0 * (double)convolution_rows(&g) * (double)convolution_taps(&g) * (double)(g.channels / groups) *
    (double)filters;
  return STATUS_OK;
}
