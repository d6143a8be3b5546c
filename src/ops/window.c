#include "ops/rules.h"
#include "ops/window.h"

void window_place(struct window_axis *a, int same) {
  a->before = 0;
  if (!same) {
    a->out = a->in < a->size ? 0 : (a->in - a->size) / a->stride + 1;
    return;
  }
  a->out = a->in / a->stride + (a->in % a->stride > 0);
  int64_t padding = (a->out - 1) * a->stride + a->size - a->in;
  if (a->out > 0 && padding > 0) a->before = padding / 2;
}

void pool_layout(struct pool *p, const struct shape *x, const struct attr *a) {
  p->batch = x->dim[0];
  p->channels = x->dim[x->rank - 1];
  for (int i = 0; i < MAX_SPATIAL; i++) {
    struct window_axis *w = &p->axis[i];
    *w = (struct window_axis){.in = 1, .size = 1, .stride = 1};
    if (i < x->rank - 2) {
      const int64_t *own = a->ints + POOL_WINDOWS + 2 * i;
      *w = (struct window_axis){.in = x->dim[1 + i], .size = own[0], .stride = own[1]};
    }
    window_place(w, a->ints[POOL_SAME] != 0);
  }
}

/* Input k and the attributes, of which the layout and the shape of what is pooled follow. */
static enum status pooled(struct inference *q, int k, struct pool *p, struct shape *y) {
  const struct shape *x = shape_in(q, k);
  int spatial = x->rank - 2;
  char a[TEXT];
  if (spatial < 1 || spatial > MAX_SPATIAL)
    return fail(q->failure, STATUS_SHAPE,
      "`op_%s()`: needs a tensor of batch, 1 to 3 spatial axes and channels, not of shape %s", user_name(q->op),
      SHAPE_TEXT(x, a));
  if (q->attr->n_ints != POOL_WINDOWS + 2 * spatial)
    return bad_value(q, "one window and stride per spatial axis", (q->attr->n_ints - POOL_WINDOWS) / 2);
  for (int i = POOL_WINDOWS; i < q->attr->n_ints; i++)
    if (q->attr->ints[i] < 1) return bad_value(q, "sizes and strides of windows must be positive", q->attr->ints[i]);
  pool_layout(p, x, q->attr);
  *y = *x;
  double cells = 1;
  for (int i = 0; i < spatial; i++) {
    const struct window_axis *w = &p->axis[i];
    if (w->out == 0 && !q->attr->ints[POOL_SAME])
      return fail(q->failure, STATUS_SHAPE, "`op_%s()`: a window of %lld does not fit into an axis of %lld, of shape "
        "%s; padding \"same\" would let it", user_name(q->op), (long long)w->size, (long long)w->in, SHAPE_TEXT(x, a));
    y->dim[1 + i] = w->out;
    cells *= (double)(w->size < w->in ? w->size : w->in);
  }
  q->work = cells * (double)shape_count(y);
  return STATUS_OK;
}

/* x (batch, spatial axes, channels) -> the same with one cell per window */
enum status rule_pool(struct inference *q) {
  struct pool p;
  enum status s = pooled(q, 0, &p, q->out);
  q->out_dtype[0] = q->op == OP_MAX_POOL_ARGMAX ? INT64 : dtype_in(q, 0);
  return s;
}

/* y, like the result of a pooling, and the x that was pooled -> as x */
enum status rule_unpool(struct inference *q) {
  struct pool p;
  struct shape y;
  enum status s = same_dtype(q, 0);
  if (!s) s = pooled(q, 1, &p, &y);
  if (!s) s = need_shape(q, 0, "y", y);
  q->out[0] = *shape_in(q, 1);
  return s;
}
