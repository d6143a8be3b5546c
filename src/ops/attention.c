#include "ops/attention.h"
#include "ops/rules.h"

#define ENOUGH_PARTS 16
#define FEWEST_QUERIES 192 /* of a chunk */

void attention_layout(struct attention *a, const struct shape *query, const struct shape *key,
  const struct shape *value) {
  a->batch = query->dim[0], a->queries = query->dim[1], a->heads = query->dim[2], a->features = query->dim[3];
  a->keys = key->dim[1], a->values = value->dim[3];
  int64_t units = a->batch * a->heads, chunks = units ? (ENOUGH_PARTS + units - 1) / units : 1;
  a->chunk = (a->queries + chunks - 1) / chunks;
  if (a->chunk < FEWEST_QUERIES) a->chunk = FEWEST_QUERIES;
  a->chunk = (a->chunk + ATTENTION_QUERIES - 1) / ATTENTION_QUERIES * ATTENTION_QUERIES;
  a->chunks = (a->queries + a->chunk - 1) / a->chunk;
  a->saved = 2 * units * a->queries;
  a->derivative_workspace = a->chunks * (shape_count(key) + shape_count(value));
}

/* The mask broadcasts to (B, H, T, S). */
static enum status check_mask(struct inference *q, const struct attention *a) {
  const struct shape *mask = shape_in(q, ATTENTION_MASK);
  const int64_t whole[] = {a->batch, a->heads, a->queries, a->keys};
  int fits = mask->rank <= 4;
  for (int i = 0; i < mask->rank && fits; i++)
    fits = mask->dim[i] == 1 || mask->dim[i] == whole[4 - mask->rank + i];
  char text[TEXT], wanted[TEXT];
  if (!fits)
    return fail(q->failure, STATUS_SHAPE, "`op_attention()`: `mask` must broadcast to %s, but has the shape %s",
      SHAPE_TEXT((&(struct shape){4, {whole[0], whole[1], whole[2], whole[3]}}), wanted), SHAPE_TEXT(mask, text));
  return need_dtype(q, ATTENTION_MASK, "mask", BOOL);
}

enum status rule_attention(struct inference *q) {
  enum status s = STATUS_OK;
  static const char *const names[] = {"query", "key", "value"};
  for (int k = 0; k < 3 && !s; k++) s = need_axes(q, k, names[k], 4, "batch, positions, heads, features");
  for (int k = 1; k < 3 && !s; k++) s = need_dtype(q, k, names[k], dtype_in(q, 0));
  if (s) return s;
  const struct shape *query = shape_in(q, 0), *key = shape_in(q, 1), *value = shape_in(q, 2);
  int64_t batch = query->dim[0], heads = query->dim[2];
  s = need_shape(q, ATTENTION_KEY, "key", (struct shape){4, {batch, key->dim[1], heads, query->dim[3]}});
  if (!s) s = need_shape(q, ATTENTION_VALUE, "value", (struct shape){4, {batch, key->dim[1], heads, value->dim[3]}});
  struct attention a;
  attention_layout(&a, query, key, value);
  if (!s && q->inputs > ATTENTION_MASK) s = check_mask(q, &a);
  if (s) return s;
  q->out[0] = *query;
  q->out->dim[3] = value->dim[3];
  q->out_dtype[0] = dtype_in(q, 0);
  if (!shape_is_possible(q->out)) return STATUS_OK; /* op_infer() refuses it */
  q->saved = a.saved;
  q->derivative_workspace = a.derivative_workspace;
  q->work = (double)(batch * heads) * (double)a.queries * (double)a.keys * (2.0 * (double)(a.features + a.values) + 20);
  return STATUS_OK;
}
