/* attention.h - the op attention: sizes and memory, whatever the number type. kernels/attention.h has the formulas.
 *
 * query (B, T, H, D), key (B, S, H, D), value (B, S, H, E) -> (B, T, H, E): each of H heads by itself. mask, which may
 * follow: bool, (B, H, T, S) or what broadcasts to that; FALSE where a key is hidden.
 */
#ifndef ATTENTION_H
#define ATTENTION_H

#include "ops/node.h"

/* Attributes (ints): is key j hidden from query i where j > i? reals: the factor of the scores; the rate of dropout. */
enum { ATTENTION_CAUSAL, ATTENTION_INTS };
enum { ATTENTION_SCALE, ATTENTION_RATE };
enum { ATTENTION_QUERY, ATTENTION_KEY, ATTENTION_VALUE, ATTENTION_MASK };

/* Scores are there for a block of so many queries and keys at a time. */
#define ATTENTION_QUERIES 48
#define ATTENTION_KEYS 192

struct attention {
  int64_t batch, queries, heads, features, keys, values; /* B, T, H, D, S, E */
  /* The gradients of keys and values are sums over queries. Chunks of these, a multiple of ATTENTION_QUERIES, have sums
   * of their own, so that members share the work of few heads, too; how many there are does not depend on them. */
  int64_t chunks, chunk;
  int64_t saved, derivative_workspace; /* numbers */
};
void attention_layout(struct attention *a, const struct shape *query, const struct shape *key,
  const struct shape *value);

#endif
