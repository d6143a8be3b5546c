#include "ops/recurrent.h"
#include "ops/rules.h"

#include <stdio.h>
#include <string.h>

enum { NO, YES, RULE = BY_RULE };

/* ---- helpers ---- */

const char *user_name(int op) { return op_info[op].user ? op_info[op].user : op_info[op].name; }

enum status bad_shapes(struct inference *q, const char *what) {
  char a[TEXT], b[TEXT];
  return fail(q->failure, STATUS_SHAPE, "`op_%s()`: %s: %s and %s", user_name(q->op), what,
              SHAPE_TEXT(shape_in(q, 0), a), SHAPE_TEXT(shape_in(q, 1), b));
}

enum status bad_value(struct inference *q, const char *what, int64_t value) {
  char a[TEXT];
  return fail(q->failure, STATUS_VALUE, "`op_%s()`: %s, not %lld, for a tensor of shape %s",
              user_name(q->op), what, (long long)value, SHAPE_TEXT(shape_in(q, 0), a));
}

enum status same_dtype(struct inference *q, int first) {
  for (int k = first + 1; k < q->inputs; k++) {
    if (dtype_in(q, k) != dtype_in(q, first)) {
      char a[TEXT], b[TEXT];
      int floats = !dtype_is_float(dtype_in(q, first)) && dtype_is_float(dtype_in(q, k));
      int wanted = dtype_in(q, floats ? k : first);
      return fail(q->failure, STATUS_DTYPE,
                  "`op_%s()`: tensors of different dtype: %s of shape %s and %s of shape %s; "
                  "convert one with `tf$cast(x, tf$%s)` or `op_cast(x, \"%s\")`",
                  user_name(q->op), dtype_name[dtype_in(q, first)], SHAPE_TEXT(shape_in(q, first), a),
                  dtype_name[dtype_in(q, k)], SHAPE_TEXT(shape_in(q, k), b), dtype_name[wanted], dtype_name[wanted]);
    }
  }
  q->out_dtype[0] = dtype_in(q, first);
  return STATUS_OK;
}

static enum status broadcast_into(struct inference *q, const struct shape *s) {
  struct shape *out = q->out;
  int shift = s->rank - out->rank;
  if (shift > 0) {
    memmove(out->dim + shift, out->dim, (size_t)out->rank * sizeof out->dim[0]);
    for (int i = 0; i < shift; i++) out->dim[i] = 1;
    out->rank = s->rank;
  }
  for (int i = 0; i < s->rank; i++) {
    int64_t *d = &out->dim[out->rank - s->rank + i];
    if (s->dim[i] == *d || s->dim[i] == 1) continue;
    if (*d != 1) return bad_shapes(q, "shapes do not broadcast");
    *d = s->dim[i];
  }
  return STATUS_OK;
}

enum status need_axes(struct inference *q, int k, const char *name, int rank, const char *axes) {
  char a[TEXT];
  if (shape_in(q, k)->rank == rank) return STATUS_OK;
  return fail(q->failure, STATUS_SHAPE, "`op_%s()`: `%s` must have the axes %s, not the shape %s", user_name(q->op),
    name, axes, SHAPE_TEXT(shape_in(q, k), a));
}

enum status need_shape(struct inference *q, int k, const char *name, struct shape wanted) {
  char a[TEXT], b[TEXT];
  if (k < 0 || shape_equal(shape_in(q, k), &wanted)) return STATUS_OK;
  return fail(q->failure, STATUS_SHAPE, "`op_%s()`: `%s` must have the shape %s, not %s", user_name(q->op), name,
    SHAPE_TEXT(&wanted, a), SHAPE_TEXT(shape_in(q, k), b));
}

enum status need_dtype(struct inference *q, int k, const char *name, int dtype) {
  if (k < 0 || dtype_in(q, k) == dtype) return STATUS_OK;
  return fail(q->failure, STATUS_DTYPE, "`op_%s()`: `%s` must be %s, not %s", user_name(q->op), name, dtype_name[dtype],
              dtype_name[dtype_in(q, k)]);
}

/* ---- the rules; one per distinct way in which shapes follow ---- */

/* ints: none. reals: the op's parameters. */
static enum status rule_same(struct inference *q) {
  q->out[0] = *shape_in(q, op_info[q->op].key);
  q->out_dtype[0] = dtype_in(q, op_info[q->op].key);
  return STATUS_OK;
}

static enum status rule_rows(struct inference *q) {
  if (shape_in(q, 0)->rank < 1)
    return fail(q->failure, STATUS_SHAPE, "`op_%s()`: needs at least one axis, got a scalar",
                user_name(q->op));
  return rule_same(q);
}

/* NumPy's broadcasting: right-aligned, size 1 repeats. */
static enum status rule_broadcast(struct inference *q) {
  enum status s = same_dtype(q, 0);
  q->out[0] = *shape_in(q, 0);
  for (int k = 1; k < q->inputs && !s; k++) s = broadcast_into(q, shape_in(q, k));
  return s;
}

static enum status rule_compare(struct inference *q) {
  enum status s = rule_broadcast(q);
  q->out_dtype[0] = BOOL;
  return s;
}

/* where(condition, a, b) */
static enum status rule_where(struct inference *q) {
  if (dtype_in(q, 0) != BOOL)
    return fail(q->failure, STATUS_DTYPE, "`op_where()`: `condition` must be bool, not %s",
                dtype_name[dtype_in(q, 0)]);
  enum status s = same_dtype(q, 1);
  q->out[0] = *shape_in(q, 0);
  for (int k = 1; k < q->inputs && !s; k++) s = broadcast_into(q, shape_in(q, k));
  return s;
}

/* ints: transpose_a, transpose_b. (..., M, K) (..., K, N) -> (..., M, N) */
static enum status rule_matmul(struct inference *q) {
  const struct shape *a = shape_in(q, 0), *b = shape_in(q, 1);
  if (a->rank < 2 || b->rank < 2) return bad_shapes(q, "both must have at least two axes");
  enum status s = same_dtype(q, 0);
  if (s) return s;
  int ta = q->attr->ints[0] != 0, tb = q->attr->ints[1] != 0;
  int64_t m = a->dim[a->rank - 2 + ta], ka = a->dim[a->rank - 1 - ta];
  int64_t kb = b->dim[b->rank - 2 + tb], n = b->dim[b->rank - 1 - tb];
  if (ka != kb) return bad_shapes(q, "inner sizes differ");
  struct shape batch = *b;
  q->out[0] = *a;
  q->out->rank -= 2;
  batch.rank -= 2;
  if ((s = broadcast_into(q, &batch))) return s;
  q->out->dim[q->out->rank++] = m;
  q->out->dim[q->out->rank++] = n;
  if (!shape_is_possible(q->out)) return STATUS_OK; /* op_infer() refuses it */
  q->work = 2.0 * (double)shape_count(q->out) * (double)ka;
  return STATUS_OK;
}

/* ints: op code of the activation, or -1. reals: its parameters. (..., I) (I, O) (O), or one row -> (..., O) */
static enum status rule_dense(struct inference *q) {
  const struct shape *x = shape_in(q, 0), *w = shape_in(q, 1);
  int activation = (int)q->attr->ints[0];
  enum status s = same_dtype(q, 0);
  if (s) return s;
  if (activation != -1 && (activation < 0 || activation >= OP_COUNT || !op_info[activation].fusable))
    return bad_value(q, "no such activation", activation);
  if (x->rank < 1 || w->rank != 2 || x->dim[x->rank - 1] != w->dim[0])
    return bad_shapes(q, "the last axis of x must be the first of the kernel");
  if (q->inputs == 3 && !shape_is_row(shape_in(q, 2), w->dim[1])) {
    char a[TEXT], b[TEXT];
    return fail(q->failure, STATUS_SHAPE, "`op_dense()`: a kernel of shape %s wants a bias of shape (%lld), not %s",
                SHAPE_TEXT(w, a), (long long)w->dim[1], SHAPE_TEXT(shape_in(q, 2), b));
  }
  q->out[0] = *x;
  q->out->dim[x->rank - 1] = w->dim[1];
  if (!shape_is_possible(q->out)) return STATUS_OK; /* op_infer() refuses it */
  q->work = 2.0 * (double)shape_count(q->out) * (double)w->dim[0];
  if (activation != -1) q->derivative_workspace = shape_count(q->out); /* dz = dy activation'(y) */
  return STATUS_OK;
}

/* ints: keepdims, then the axes, 0-based; none means all. Workspace: the derivative of max and min counts ties, that of
 * prod needs partial products; float32 sums over rows keep what they were rounded by. */
static enum status rule_reduce(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  int drop[MAX_RANK] = {0}, keep = q->attr->ints[0] != 0, n = q->attr->n_ints - 1;
  for (int i = 0; i < (n ? n : x->rank); i++) {
    int64_t axis = n ? q->attr->ints[1 + i] : i;
    if (axis < 0 || axis >= x->rank) return bad_value(q, "no such axis", axis + 1);
    drop[axis] = 1;
  }
  q->out->rank = 0;
  for (int i = 0; i < x->rank; i++) {
    if (drop[i] && !keep) continue;
    q->out->dim[q->out->rank++] = drop[i] ? 1 : x->dim[i];
  }
  q->out_dtype[0] = dtype_in(q, 0);
  int over_rows = 0;
  for (int i = 1; i < x->rank; i++) over_rows = over_rows || (drop[i - 1] && !drop[i]);
  int64_t n_out = shape_count(q->out);
  if (over_rows && q->out_dtype[0] == FLOAT32 && (q->op == OP_SUM || q->op == OP_MEAN)) q->workspace = n_out;
  if (q->op == OP_SUM && q->out_dtype[0] == INT32) q->workspace = 2 * n_out; /* sums in int64 */
  if (q->op == OP_PROD) q->derivative_workspace = shape_count(x) + n_out;
  if (q->op == OP_MAX || q->op == OP_MIN) {
    q->derivative_workspace = n_out;
    if (shape_count(x) == 0 && n_out > 0)
      return fail(q->failure, STATUS_SHAPE, "`op_%s()`: no elements to choose from", user_name(q->op));
  }
  return STATUS_OK;
}

/* ints: axis, 0-based */
static enum status rule_along(struct inference *q) {
  int64_t axis = q->attr->ints[0];
  if (axis < 0 || axis >= shape_in(q, 0)->rank) return bad_value(q, "no such axis", axis + 1);
  return rule_same(q);
}

/* ints: axis, 0-based */
static enum status rule_order(struct inference *q) {
  enum status s = rule_along(q);
  if (s) return s;
  if (q->out->dim[q->attr->ints[0]] > INT32_MAX)
    return bad_value(q, "too many numbers to sort", q->out->dim[q->attr->ints[0]]);
  q->out_dtype[0] = INT32;
  q->workspace = 2 * shape_count(q->out); /* two int32 for each number */
  q->work = 40.0 * (double)shape_count(q->out);
  return STATUS_OK;
}

static enum status rule_position(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  int64_t axis = q->attr->ints[0];
  if (axis < 0 || axis >= x->rank) return bad_value(q, "no such axis", axis + 1);
  if (x->dim[axis] == 0)
    return fail(q->failure, STATUS_SHAPE, "`op_%s()`: no elements to choose from", user_name(q->op));
  q->out->rank = 0;
  for (int i = 0; i < x->rank; i++)
    if (i != axis) q->out->dim[q->out->rank++] = x->dim[i];
  q->out_dtype[0] = INT64;
  return STATUS_OK;
}

static enum status rule_shape(struct inference *q) {
  q->out[0] = (struct shape){.rank = 1, .dim = {shape_in(q, 0)->rank}};
  q->out_dtype[0] = INT32;
  for (int i = 0; i < shape_in(q, 0)->rank; i++)
    if (shape_in(q, 0)->dim[i] > INT32_MAX) return bad_value(q, "sizes must be below 2^31", shape_in(q, 0)->dim[i]);
  return STATUS_OK;
}

/* ints: the new shape; one of them may be -1 */
static enum status rule_reshape(struct inference *q) {
  int64_t n = shape_count(shape_in(q, 0)), known;
  int open = -1;
  if (q->attr->n_ints > MAX_RANK) return bad_value(q, "at most 8 axes", q->attr->n_ints);
  struct shape wanted = {.rank = q->attr->n_ints};
  for (int i = 0; i < wanted.rank; i++) {
    wanted.dim[i] = q->attr->ints[i];
    if (wanted.dim[i] == -1 && open < 0) open = i;
    else if (wanted.dim[i] < 0) return bad_value(q, "sizes must be 0 or more, one may be -1", wanted.dim[i]);
  }
  q->out[0] = wanted;
  q->out_dtype[0] = dtype_in(q, 0);
  if (open >= 0) q->out->dim[open] = 1;
  if (!shape_is_possible(q->out)) return STATUS_OK; /* op_infer() refuses it */
  known = shape_count(q->out);
  if (open >= 0) q->out->dim[open] = known ? n / known : 0;
  if (shape_count(q->out) == n) return STATUS_OK;
  char a[TEXT], b[TEXT];
  return fail(q->failure, STATUS_SHAPE, "`op_reshape()`: %lld numbers of shape %s do not fill shape %s",
              (long long)n, SHAPE_TEXT(shape_in(q, 0), a), SHAPE_TEXT(&wanted, b));
}

/* ints: for each axis of the result, the axis it comes from, 0-based */
static enum status rule_transpose(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  int seen[MAX_RANK] = {0};
  if (q->attr->n_ints != x->rank) return bad_value(q, "the permutation must name each axis once", q->attr->n_ints);
  q->out->rank = x->rank;
  for (int i = 0; i < x->rank; i++) {
    int64_t from = q->attr->ints[i];
    if (from < 0 || from >= x->rank || seen[from])
      return bad_value(q, "the permutation must name each axis once", from + 1);
    seen[from] = 1;
    q->out->dim[i] = x->dim[from];
  }
  q->out_dtype[0] = dtype_in(q, 0);
  return STATUS_OK;
}

/* ints: for each axis start (0-based), size (-1: all from there on, whatever the size of the batch), step */
static enum status rule_slice(struct inference *q) {
  const struct shape *x = shape_in(q, 0);
  if (q->attr->n_ints != 3 * x->rank) return bad_value(q, "one start, size and step per axis", q->attr->n_ints / 3);
  q->out->rank = x->rank;
  for (int i = 0; i < x->rank; i++) {
    const int64_t *s = q->attr->ints + 3 * i;
    if (s[1] < -1) return bad_value(q, "sizes must be 0 or more, or -1 for all that follow", s[1]);
    if (s[2] == 0) return bad_value(q, "steps must not be 0", s[2]);
    int64_t follow = s[2] > 0 ? (x->dim[i] - 1 - s[0]) / s[2] : s[0] / -s[2];
    int64_t size = s[1] >= 0 ? s[1] : x->dim[i] ? follow + 1 : 0, last = s[0] + (size - 1) * s[2];
    if (size != 0 && (s[0] < 0 || s[0] >= x->dim[i])) return bad_value(q, "the start lies outside", s[0] + 1);
    if (size != 0 && (last < 0 || last >= x->dim[i])) return bad_value(q, "the end lies outside", last + 1);
    q->out->dim[i] = size;
  }
  q->out_dtype[0] = dtype_in(q, 0);
  return STATUS_OK;
}

/* ints: axis, 0-based */
static enum status rule_concat(struct inference *q) {
  enum status s = same_dtype(q, 0);
  int64_t axis = q->attr->ints[0];
  q->out[0] = *shape_in(q, 0);
  if (s) return s;
  if (axis < 0 || axis >= q->out->rank) return bad_value(q, "no such axis", axis + 1);
  for (int k = 1; k < q->inputs; k++) {
    struct shape own = *shape_in(q, k);
    if (own.rank == q->out->rank) own.dim[axis] = q->out->dim[axis];
    if (!shape_equal(&own, q->out)) {
      char a[TEXT], b[TEXT];
      return fail(q->failure, STATUS_SHAPE, "`op_concat()`: shapes differ beside axis %lld: %s and %s",
                  (long long)axis + 1, SHAPE_TEXT(shape_in(q, 0), a), SHAPE_TEXT(shape_in(q, k), b));
    }
    q->out->dim[axis] += shape_in(q, k)->dim[axis];
  }
  return STATUS_OK;
}

/* ints: the new axis, 0-based */
static enum status rule_stack(struct inference *q) {
  enum status s = same_dtype(q, 0);
  int64_t axis = q->attr->ints[0];
  const struct shape *x = shape_in(q, 0);
  if (s) return s;
  if (axis < 0 || axis > x->rank) return bad_value(q, "no such place for an axis", axis + 1);
  if (x->rank == MAX_RANK) return bad_value(q, "at most 8 axes", x->rank + 1);
  for (int k = 1; k < q->inputs; k++) {
    if (!shape_equal(shape_in(q, k), x)) {
      char a[TEXT], b[TEXT];
      return fail(q->failure, STATUS_SHAPE, "`op_stack()`: shapes differ: %s and %s", SHAPE_TEXT(x, a),
                  SHAPE_TEXT(shape_in(q, k), b));
    }
  }
  q->out->rank = x->rank + 1;
  for (int i = 0; i < q->out->rank; i++)
    q->out->dim[i] = i == axis ? q->inputs : x->dim[i - (i > axis)];
  return STATUS_OK;
}

/* ints: axis, 0-based. x (..., K, ...), index (any) -> (..., index..., ...) */
static enum status rule_gather(struct inference *q) {
  const struct shape *x = shape_in(q, 0), *index = shape_in(q, 1);
  int64_t axis = q->attr->ints[0];
  if (need_dtype(q, 1, "indices", INT32)) return STATUS_DTYPE;
  if (axis < 0 || axis >= x->rank) return bad_value(q, "no such axis", axis + 1);
  if (x->rank - 1 + index->rank > MAX_RANK) return bad_shapes(q, "more than 8 axes would result");
  q->out->rank = 0;
  for (int i = 0; i < axis; i++) q->out->dim[q->out->rank++] = x->dim[i];
  for (int i = 0; i < index->rank; i++) q->out->dim[q->out->rank++] = index->dim[i];
  for (int i = (int)axis + 1; i < x->rank; i++) q->out->dim[q->out->rank++] = x->dim[i];
  q->out_dtype[0] = dtype_in(q, 0);
  return STATUS_OK;
}

/* ints: axis, 0-based. x (..., K, ...), index (any), updates (..., index..., ...) -> as x */
static enum status rule_scatter(struct inference *q) {
  enum status s = rule_gather(q);
  if (!s) s = need_dtype(q, 2, "updates", dtype_in(q, 0));
  if (!s) s = need_shape(q, 2, "updates", q->out[0]);
  if (!s) s = rule_same(q);
  if (!s && dtype_size[q->out_dtype[0]] == 4) q->workspace = 2 * shape_count(q->out); /* sums of eight bytes */
  return s;
}

/* ints: the new dtype */
static enum status rule_cast(struct inference *q) {
  q->out[0] = *shape_in(q, 0);
  q->out_dtype[0] = (int32_t)q->attr->ints[0];
  if (q->out_dtype[0] < 0 || q->out_dtype[0] >= DTYPE_COUNT) return bad_value(q, "no such dtype", q->out_dtype[0]);
  return STATUS_OK;
}

/* One loss per row: the last axis is summed (ints[0] = 0) or averaged (1).
 * reals: the op's parameters. prediction (..., K), target (..., K) -> (...) */
static enum status rule_loss(struct inference *q) {
  enum status s = same_dtype(q, 0);
  if (s) return s;
  if (shape_in(q, 0)->rank < 1 || !shape_equal(shape_in(q, 0), shape_in(q, 1)))
    return bad_shapes(q, "prediction and target must have the same shape");
  q->out[0] = *shape_in(q, 0);
  q->out->rank--;
  q->work = 20.0 * (double)shape_count(shape_in(q, 0));
  return STATUS_OK;
}

/* as above; what the backward pass needs is kept */
static enum status rule_saving_loss(struct inference *q) {
  enum status s = rule_loss(q);
  q->saved = shape_count(shape_in(q, 0));
  return s;
}

/* prediction (..., K), labels (...) int32 -> (...) */
static enum status rule_label_loss(struct inference *q) {
  if (dtype_in(q, 1) != INT32)
    return fail(q->failure, STATUS_DTYPE, "`op_%s()`: labels must be int32, not %s", user_name(q->op),
                dtype_name[dtype_in(q, 1)]);
  q->out[0] = *shape_in(q, 0);
  if (q->out->rank < 1) return bad_shapes(q, "prediction needs an axis of classes");
  q->out->rank--;
  if (!shape_equal(q->out, shape_in(q, 1))) return bad_shapes(q, "one label per sample of the prediction is needed");
  q->out_dtype[0] = dtype_in(q, 0);
  if (q->op == OP_SPARSE_SOFTMAX_CROSSENTROPY) q->saved = shape_count(shape_in(q, 0));
  q->work = 20.0 * (double)shape_count(shape_in(q, 0));
  return STATUS_OK;
}

/* ints: dtype, then the shape, or none where there is an input of that shape. reals: two parameters */
static enum status rule_random(struct inference *q) {
  if (q->inputs && q->attr->n_ints == 1) return rule_same(q);
  q->out_dtype[0] = (int32_t)q->attr->ints[0];
  q->out->rank = q->attr->n_ints - 1;
  if (q->out->rank > MAX_RANK) return fail(q->failure, STATUS_SHAPE, "`op_%s()`: at most 8 axes, not %d",
    user_name(q->op), q->out->rank);
  for (int i = 0; i < q->out->rank; i++) {
    q->out->dim[i] = q->attr->ints[1 + i];
    if (q->out->dim[i] < 0)
      return fail(q->failure, STATUS_VALUE, "`op_%s()`: sizes must be 0 or more, not %lld", user_name(q->op),
        (long long)q->out->dim[i]);
  }
  return STATUS_OK;
}

/* One float tensor of random places. ints: none, or for each axis: is one draw shared along it? reals: the rate */
static enum status rule_dropout(struct inference *q) {
  if (q->attr->n_ints && q->attr->n_ints != shape_in(q, 0)->rank) return bad_value(q, "one flag per axis",
    q->attr->n_ints);
  q->work = 20.0 * (double)shape_count(shape_in(q, 0));
  return rule_same(q);
}

/* Do the inputs of a recurrent op fit together? Those that are absent have the number -1. */
static enum status recurrent_inputs(struct inference *q) {
  const struct attr *a = q->attr;
  int bias = cell_input(a, CELL_BIAS), mask = cell_input(a, CELL_MASK);
  int dropped = cell_input(a, CELL_RECURRENT_MASK), table = cell_input(a, CELL_TABLE);
  int first_h = cell_input(a, CELL_FIRST_H), first_c = cell_input(a, CELL_FIRST_C);
  enum status s = table < 0 ? need_axes(q, 0, "x", 3, "batch, timesteps, inputs") :
    need_axes(q, 0, "x", 2, "batch, timesteps");
  if (!s) s = need_axes(q, 2, "recurrent_kernel", 2, "units, gates");
  if (!s && table >= 0) s = need_axes(q, table, "table", 2, "tokens, inputs");
  if (s) return s;
  int64_t batch = shape_in(q, 0)->dim[0], steps = shape_in(q, 0)->dim[1], inputs = table < 0 ? shape_in(q, 0)->dim[2] :
    shape_in(q, table)->dim[1];
  int64_t units = shape_in(q, 2)->dim[0], gates = cell_gates(q->op) * units;
  int after = q->op == OP_GRU && a->ints[CELL_RESET_AFTER];
  s = need_shape(q, 1, "kernel", (struct shape){2, {inputs, gates}});
  if (!s) s = need_shape(q, 2, "recurrent_kernel", (struct shape){2, {units, gates}});
  if (!s) s = need_shape(q, bias, "bias", after ? (struct shape){2, {2, gates}} : (struct shape){1, {gates}});
  if (!s) s = need_shape(q, mask, "mask", (struct shape){2, {batch, steps}});
  if (!s) s = need_shape(q, dropped, "recurrent_mask", (struct shape){2, {batch, units}});
  if (!s) s = need_shape(q, first_h, "initial_state", (struct shape){2, {batch, units}});
  if (!s) s = need_shape(q, first_c, "initial_state", (struct shape){2, {batch, units}});
  if (!s) s = need_dtype(q, mask, "mask", BOOL);
  if (!s && table >= 0) s = need_dtype(q, 0, "x", INT32);
  for (int k = 0; k < q->inputs && !s; k++)
    if (!op_is_index(q->op, k, a) && dtype_in(q, k) != dtype_in(q, 1))
      s = fail(q->failure, STATUS_DTYPE,
        "`op_%s()`: tensors of different dtype: a kernel of %s and one more input of %s", user_name(q->op),
               dtype_name[dtype_in(q, 1)], dtype_name[dtype_in(q, k)]);
  struct shape largest = {3, {batch, steps, gates + inputs}};
  if (!s && (!shape_is_possible(&largest) || batch * steps >= INT32_MAX)) s = bad_value(q, "too many timesteps", steps);
  return s;
}

/* ints: see recurrent.h. x (B, T, I), or tokens (B, T) of a table (V, I); kernel (I, G), recurrent kernel (U, G);
 * bias (G), or (2, G) for a gru that resets after; mask (B, T); recurrent mask, first h and, of an lstm, c (B, U) */
static enum status rule_recurrent(struct inference *q) {
  const struct attr *a = q->attr;
  int64_t output = a->ints[CELL_OUTPUT];
  int flags = 0;
  for (int i = CELL_BIAS; i <= CELL_FIRST_C; i++) flags += a->ints[i] != 0;
  if (a->n_ints != CELL_INTS || 3 + flags != q->inputs || (a->ints[CELL_FIRST_C] && q->op != OP_LSTM))
    return bad_value(q, "its inputs do not agree with its attributes", q->inputs);
  for (int i = CELL_ACTIVATION; i <= CELL_RECURRENT_ACTIVATION; i++)
    if (a->ints[i] < 0 || a->ints[i] >= CELL_ACTIVATION_COUNT) return bad_value(q, "no such activation", a->ints[i]);
  if (output < 0 || output >= OUTPUT_COUNT) return bad_value(q, "no such output", output);
  enum status s = recurrent_inputs(q);
  q->outputs = q->op == OP_LSTM ? CELL_C + 1 : CELL_H + 1;
  for (int k = 0; k < q->outputs; k++) q->out_dtype[k] = dtype_in(q, 1);
  if (s || !dtype_is_float(q->out_dtype[0])) return s; /* op_infer() refuses the latter */
  struct recurrent r;
  const struct shape *shapes[CELL_INTS];
  for (int k = 0; k < q->inputs; k++) shapes[k] = shape_in(q, k);
  recurrent_layout(&r, q->op, shapes, a, dtype_size[q->out_dtype[0]]);
  for (int k = 0; k < q->outputs; k++) q->out[k] = (struct shape){2, {r.batch, r.units}};
  if (output == OUTPUT_SEQUENCE) q->out[CELL_Y] = (struct shape){3, {r.batch, r.steps, r.units}};
  q->saved = r.saved, q->workspace = r.workspace, q->derivative_workspace = r.derivative_workspace;
  q->work = 2.0 * (double)r.tokens * (double)(r.inputs + r.units) * (double)r.gates;
  return STATUS_OK;
}

/* ---- the table ---- */

static int cell_index(const struct attr *attr, int k) {
  return (k == 0 && attr->ints[CELL_TABLE]) || k == cell_input(attr, CELL_MASK);
}

/* What few ops have */
#define WITH(text) .attributes = text
#define CALLED(text) .user = text
#define KEY(k) .key = k
#define INDEX(k) .index = 1u << (k)
#define RANDOM .random = 1
#define RANDOM_BY(k) .random = 2 + (k)
#define FUSABLE .fusable = 1
#define FALLIBLE .fallible = 1
#define PATIENT .patient = 1
#define UNREAD(bits) .unread = bits
#define OUTPUT OUTPUT_BIT
#define INPUT(k) (1u << (k))
/* The numbers that the derivative depends on: none, those of the inputs or of the output alone. */
#define BY_SHAPE UNREAD(ALL_BITS)
#define BY_INPUTS UNREAD(OUTPUT)
#define BY_OUTPUT UNREAD(~OUTPUT)
#define POOL WITH("same:f window:w*")
#define IMAGE "rows:n columns:n fill:m nearest:f fill_value:r"
#define CONVOLUTION "groups:n activation:o strides:v*"
#define CELL .key = 1, .index_by = cell_index, .attributes = "output:p go_backwards:f activation:c " \
  "recurrent_activation:c -:- -:- -:- -:- -:- -:- reset_after:f"

#define INFO(its_part, its_name, low, high, shapes, has_gradient, ...)                                    \
  {.part = its_part, .name = #its_name, .fewest = low, .most = high, .differentiable = has_gradient,     \
   .rule = rule_##shapes, .formula = __VA_ARGS__},
#define INFO_0(ENUM, ...) INFO(0, __VA_ARGS__)
#define INFO_1(ENUM, ...) INFO(1, __VA_ARGS__)
#define INFO_2(ENUM, ...) INFO(2, __VA_ARGS__)
#define INFO_3(ENUM, ...) INFO(3, __VA_ARGS__)

const struct op_info op_info[OP_COUNT] = {
  OP_TABLE_FLOAT(INFO_0) OP_TABLE_NUMBER(INFO_1) OP_TABLE_ANY(INFO_2) OP_TABLE_BOOL(INFO_3)
};

const char *op_name(int op) {
  static const char *const action_name[] = {"gradient", "fill", "update", "assign", "guard", "reduce"};
  return is_op(op) ? op_info[op].name : action_name[op - OP_COUNT];
}

const char *node_name(int op, char *text, size_t size) {
  snprintf(text, size, "%s%s", op_name(plain_op(op)), is_derivative(op) ? "_gradient" : "");
  return text;
}

int op_is_random(int op, const struct attr *attr) {
  int by = op_info[op].random;
  return by > 1 ? attr->reals[by - 2] != 0 : by;
}

int op_is_index(int op, int k, const struct attr *attr) {
  const struct op_info *o = &op_info[op];
  return o->index_by ? o->index_by(attr, k) : (int)(o->index >> k & 1);
}

int op_is_elementwise(int op) {
  rule *r = op_info[op].rule;
  return r == rule_same || r == rule_broadcast || r == rule_compare || r == rule_dropout;
}

enum status op_infer(struct inference *q) {
  const struct op_info *op = &op_info[q->op];
  if (q->inputs < op->fewest || (op->most && q->inputs > (op->most > 0 ? op->most : 0)))
    return fail(q->failure, STATUS_VALUE, "`op_%s()`: %d inputs, but it takes %d", user_name(q->op), q->inputs,
      op->fewest);
  q->outputs = 1;
  q->saved = q->workspace = q->derivative_workspace = 0;
  q->work = 0;
  enum status s = op->rule(q); /* first, as it says which tensors do not fit together */
  int dtype = q->inputs ? dtype_in(q, op->key) : (int)q->attr->ints[0];
  static const char *const needs[] = {"a float tensor", "numbers", "any tensor", "a bool tensor"};
  const int accepted[] = {dtype_is_float(dtype), dtype != BOOL, 1, dtype == BOOL};
  if (!s && !accepted[op->part])
    return fail(q->failure, STATUS_DTYPE, "`op_%s()`: needs %s, not %s; convert with `tf$cast()` or `op_cast()`",
                user_name(q->op), needs[op->part], dtype_name[dtype]);
  char text[TEXT];
  if (!s && !shape_is_possible(q->out))
    return fail(q->failure, STATUS_TOO_LARGE, "`op_%s()`: a result of shape %s is too large", user_name(q->op),
      SHAPE_TEXT(q->out, text));
  if (!s && q->work == 0) q->work = (double)shape_count(q->out);
  return s;
}
