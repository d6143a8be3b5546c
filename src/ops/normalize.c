#include "ops/rules.h"
#include "ops/normalize.h"

void normalize_layout(struct normalize *n, const struct shape *x, const struct attr *a) {
  int lead = (int)a->ints[NORMALIZE_LEADING], k = 1;
  n->leading = shape_span(x, 0, lead);
  n->reduced = shape_span(x, lead, x->rank - 1);
  n->channels = x->dim[x->rank - 1];
  n->groups = a->ints[NORMALIZE_GROUPS] ? a->ints[NORMALIZE_GROUPS] : n->channels;
  n->each = n->groups ? n->channels / n->groups : 1;
  n->scale = a->ints[NORMALIZE_SCALE] ? k++ : -1;
  n->offset = a->ints[NORMALIZE_OFFSET] ? k++ : -1;
  n->mean = a->ints[NORMALIZE_GIVEN] ? k : -1;
  n->variance = a->ints[NORMALIZE_GIVEN] ? k + 1 : -1;
  n->relu = a->ints[NORMALIZE_RELU] != 0;
  n->by_row = n->reduced == 1 && n->mean < 0;
  n->blocks = ((n->by_row ? n->leading : n->reduced) + NORMALIZE_BLOCK - 1) / NORMALIZE_BLOCK;
  int64_t sums = n->channels * n->blocks * (n->by_row ? 1 : n->leading);
  n->workspace = n->mean >= 0 ? n->channels : n->by_row ? 0 : 3 * sums;
  n->derivative_workspace = 2 * sums + (n->by_row ? 0 : 2 * n->leading * n->groups) + (n->mean >= 0 ? n->channels : 0);
}

/* x, then scale (C), offset (C), mean (C), variance (C) as the attributes say -> as x; and mean and variance of each
 * part (leading axes, G) unless they are given */
enum status rule_normalize(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  const int64_t *ints = q->attr->ints, lead = ints[NORMALIZE_LEADING], groups = ints[NORMALIZE_GROUPS];
  enum status s = same_dtype(q, 0);
  if (s) return s;
  if (x->rank < 1) return fail(q->failure, STATUS_SHAPE, "`op_normalize()`: needs at least one axis, got a scalar");
  if (lead < 0 || lead >= x->rank) return bad_value(q, "there must be an axis behind the leading ones", lead);
  if (groups < 0 || (groups && x->dim[x->rank - 1] % groups))
    return bad_value(q, "the groups must divide the last axis", groups);
  struct normalize n;
  normalize_layout(&n, x, q->attr);
  if (n.mean >= 0 && (lead || groups)) return bad_value(q, "given statistics are those of channels", groups);
  if (q->inputs != 1 + (n.scale >= 0) + (n.offset >= 0) + 2 * (n.mean >= 0))
    return bad_value(q, "its inputs do not agree with its attributes", q->inputs);
  struct shape channels = {1, {n.channels}};
  s = need_shape(q, n.scale, "scale", channels);
  if (!s) s = need_shape(q, n.offset, "offset", channels);
  if (!s) s = need_shape(q, n.mean, "mean", channels);
  if (!s) s = need_shape(q, n.variance, "variance", channels);
  q->out[0] = *x;
  q->workspace = n.workspace;
  q->derivative_workspace = n.derivative_workspace;
  q->work = 10.0 * (double)shape_count(x);
  if (n.mean >= 0) return s;
  q->outputs = 3;
  for (int k = 1; k < 3; k++) {
    q->out[k] = *x;
    q->out[k].rank = (int)lead + 1;
    q->out[k].dim[lead] = n.groups;
    q->out_dtype[k] = q->out_dtype[0];
  }
  q->saved = 2 * n.leading * n.groups;
  return s;
}
