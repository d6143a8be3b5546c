/* attention.h - scaled dot-product attention (Vaswani et al. 2017), y = softmax(scale q k' + hidden) v with dropout of
 * the weights, block by block (Dao et al. 2022): scores are there for a block of queries and keys at a time, and the
 * backward pass computes them again. A block lies transposed, a row per key, so that what is done with a query's scores
 * is done for a vector of queries at once.
 */

#define QUERIES ATTENTION_QUERIES
#define KEYS ATTENTION_KEYS
#define FEATURES 128       /* so many of a block's queries are packed at once */
#define HIDDEN R(-1e9)     /* what Keras adds to scores of hidden keys: a query that sees none has a mean of all */

/* Whole vectors of n queries: what lies behind the last one counts for nothing. */
#define FOR_QUERIES(n) for (int64_t at = 0; at < (n); at += VL)

/* Numbers of a block of n queries, transposed and filled up with zeros to `wide`, whole vectors: q, or dy. */
struct packed {
  const real *rows;
  int64_t row, n, wide, depth, from; /* which of them are packed */
  real *numbers;
};
#define PACKED_NUMBERS (FEATURES * QUERIES)

static void pack(struct packed *p, int64_t from, int64_t deep) {
  if (p->from == from) return;
  p->from = from;
  for (int64_t d = 0; d < deep; d++)
    for (int64_t i = 0; i < p->wide; i++)
      p->numbers[d * p->wide + i] = i < p->n ? p->rows[i * p->row + from + d] : 0;
}

/* to (m, wide) = rows (m, depth) times what is packed */
static void multiply_packed(const struct call *c, int64_t m, const real *rows, int64_t row, struct packed *p,
  real *to) {
  int64_t d = 0;
  do {
    int64_t deep = p->depth - d < FEATURES ? p->depth - d : FEATURES;
    pack(p, d, deep);
    multiply_panels(c, m, p->wide, deep, (struct matrix){rows + d, row, 1}, (struct matrix){p->numbers, p->wide, 1},
      d > 0, to, p->wide, AS_IT_IS);
    d += FEATURES;
  } while (d < p->depth);
}

/* One head of a sample. */
struct head {
  struct attention a;
  int64_t number, row, value_row; /* of all heads; strides of positions */
  const real *q, *k, *v;
  const unsigned char *mask; /* NULL: none */
  int64_t mask_query, mask_key; /* its strides */
  int causal;
  double rate;
  uint64_t key, least; /* of dropout */
};

static struct head head_of(const struct call *c, int64_t number) {
  struct head h = {.number = number, .causal = INT(ATTENTION_CAUSAL) != 0, .rate = c->attr->reals[ATTENTION_RATE]};
  attention_layout(&h.a, SHAPE(0), SHAPE(1), SHAPE(2));
  int64_t b = number / h.a.heads, head = number % h.a.heads;
  h.row = h.a.heads * h.a.features, h.value_row = h.a.heads * h.a.values;
  h.q = IN(0) + b * h.a.queries * h.row + head * h.a.features;
  h.k = IN(1) + b * h.a.keys * h.row + head * h.a.features;
  h.v = IN(2) + b * h.a.keys * h.value_row + head * h.a.values;
  h.key = key_of(c), h.least = least_kept(h.rate);
  if (c->inputs <= ATTENTION_MASK) return h;
  const struct shape *mask = SHAPE(ATTENTION_MASK);
  const int64_t place[] = {b, head};
  int64_t stride = 1, at = 0;
  for (int i = 3, axis = mask->rank - 1; axis >= 0; i--, axis--) {
    int64_t own = mask->dim[axis] == 1 ? 0 : stride;
    if (i == 3) h.mask_key = own;
    else if (i == 2) h.mask_query = own;
    else at += place[i] * own;
    stride *= mask->dim[axis];
  }
  h.mask = (const unsigned char *)input_slot(c, ATTENTION_MASK)->value + at;
  return h;
}

/* From which key on a block of queries sees none. */
INLINE int64_t keys_seen(const struct head *h, int64_t last_query) {
  return h->causal && !h->mask && last_query + 1 < h->a.keys ? last_query + 1 : h->a.keys;
}

/* Scores of m keys from `key` on, (m, wide) */
static void scores(const struct call *c, const struct head *h, struct packed *q, int64_t query, int64_t key, int64_t m,
  real *s) {
  const V scale = splat(REAL_ATTR(ATTENTION_SCALE));
  multiply_packed(c, m, h->k + key * h->row, h->row, q, s);
  for (int64_t j = 0; j < m; j++, s += q->wide) {
    FOR_QUERIES(q->n) store(s + at, load(s + at) * scale);
    int64_t hidden = h->causal ? key + j - query : 0; /* from so many queries */
    if (hidden < 0) hidden = 0;
    if (hidden > q->n) hidden = q->n;
    for (int64_t i = 0; i < hidden; i++) s[i] += HIDDEN;
    if (!h->mask) continue;
    const unsigned char *seen = h->mask + query * h->mask_query + (key + j) * h->mask_key;
    for (int64_t i = hidden; i < q->n; i++) s[i] += seen[i * h->mask_query] ? 0 : HIDDEN;
  }
}

/* What dropout keeps of the weights of a key for each query, 0 or not. A draw is that of its place in (B, H, T, S). */
static void draw(const struct head *h, int64_t query, int64_t key, int64_t wide, real *kept) {
  int64_t first = (h->number * h->a.queries + query) * h->a.keys + key;
  for (int64_t i = 0; i < wide; i++) kept[i] = R(bits_at(h->key, first + i * h->a.keys, 0) >= h->least);
}
INLINE V keep(const real *kept, V x) { return choose(load(kept) > splat(0), x, splat(0)); }

/* ---- forward: the sums of exp(score - top) and of these times v, whose top may grow from block to block ---- */

struct softmax_state {
  real top[QUERIES], factor[QUERIES];
  total sum[QUERIES];
};

/* s = exp(s - top); `factor`: by what sums from before shall be multiplied */
static void exponentials(int64_t m, int64_t wide, real *s, struct softmax_state *x) {
  real sums[QUERIES];
  FOR_QUERIES(wide) {
    V before = load(x->top + at), top = before, sum = splat(0);
    for (int64_t j = 0; j < m; j++) top = vmax(load(s + j * wide + at), top);
    for (int64_t j = 0; j < m; j++) {
      V e = vexp_negative(load(s + j * wide + at) - top);
      store(s + j * wide + at, e);
      sum += e;
    }
    store(x->top + at, top);
    store(x->factor + at, vexp_negative(before - top));
    store(sums + at, sum);
  }
  for (int64_t i = 0; i < wide; i++) x->sum[i] = x->sum[i] * (total)x->factor[i] + (total)sums[i];
}

INLINE void scale_run(real *x, int64_t n, real factor) { FOR_VECTORS((int64_t)0, n) WRITE(x, READ(x) * factor); }

static void drop_weights(const struct head *h, int64_t query, int64_t key, int64_t m, int64_t wide, real *s) {
  real kept[QUERIES];
  for (int64_t j = 0; j < m; j++, s += wide) {
    draw(h, query, key + j, wide, kept);
    FOR_QUERIES(wide) store(s + at, keep(kept + at, load(s + at)));
  }
}

static void attend(const struct call *c, const struct head *h, int64_t query, int64_t n, real *y) {
  int64_t wide = filled_width(n), end = keys_seen(h, query + n - 1);
  real packed[PACKED_NUMBERS], s[KEYS * QUERIES];
  struct packed q = {h->q + query * h->row, h->row, n, wide, h->a.features, -1, packed};
  struct softmax_state x;
  for (int i = 0; i < QUERIES; i++) x.top[i] = R(-INFINITY), x.sum[i] = 0;
  for (int64_t key = 0; key < end; key += KEYS) {
    int64_t m = end - key < KEYS ? end - key : KEYS;
    scores(c, h, &q, query, key, m, s);
    exponentials(m, wide, s, &x);
    if (h->rate > 0) drop_weights(h, query, key, m, wide, s);
    for (int64_t i = 0; i < n && key; i++)
      if (x.factor[i] < 1) scale_run(y + i * h->value_row, h->a.values, x.factor[i]);
    multiply_panels(c, n, h->a.values, m, (struct matrix){s, 1, wide},
      (struct matrix){h->v + key * h->value_row, h->value_row, 1}, key > 0, y, h->value_row, AS_IT_IS);
  }
  int64_t all = h->a.batch * h->a.heads * h->a.queries, at = h->number * h->a.queries + query;
  for (int64_t i = 0; i < n; i++) {
    if (end) scale_run(y + i * h->value_row, h->a.values, R(1 / (x.sum[i] * (1 - h->rate))));
    else zero_run(y + i * h->value_row, h->a.values);
    SAVED[at + i] = x.top[i], SAVED[all + at + i] = R(log(x.sum[i]));
  }
}

static void attention_forward(const struct call *c) {
  struct attention a;
  attention_layout(&a, SHAPE(0), SHAPE(1), SHAPE(2));
  int64_t blocks = (a.queries + QUERIES - 1) / QUERIES;
  struct range own = share_rows(c, a.batch * a.heads * blocks);
  for (int64_t unit = own.begin; unit < own.end; unit++) {
    struct head h = head_of(c, unit / blocks);
    int64_t query = unit % blocks * QUERIES, left = a.queries - query;
    real *y = OUT + (h.number / a.heads * a.queries + query) * h.value_row + h.number % a.heads * a.values;
    attend(c, &h, query, left < QUERIES ? left : QUERIES, y);
  }
}

/* ---- backward: with p the weights, of which dropout leaves u, and g = dy v': dv = u' dy, ds = p (g - sum(p g)) scale,
 * dq = ds k, dk = ds' q. sum(p g) = y dy. ---- */

/* Where gradients of a head go; NULL: not wanted. Those of keys and values begin at 0 with the first queries. */
struct head_gradient {
  real *q, *k, *v;
  int q_adds;
};

/* Of a block of queries: its softmax, and y dy. */
struct weights {
  real top[QUERIES], rest[QUERIES], inner[QUERIES];
};

/* A block of scores and g becomes one of u and ds. */
static void pull_block(const struct head *h, int64_t query, int64_t key, int64_t m, int64_t wide,
  const struct weights *w, real factor, real *s, real *g) {
  real kept[QUERIES];
  const V scale = splat(factor), more = splat(R(1 / (1 - h->rate)));
  int drops = h->rate > 0;
  for (int64_t j = 0; j < m; j++, s += wide, g += wide) {
    if (drops) draw(h, query, key + j, wide, kept);
    FOR_QUERIES(wide) {
      V p = vexp_negative((load(s + at) - load(w->top + at)) - load(w->rest + at)), up = load(g + at);
      if (drops) up = keep(kept + at, up * more);
      store(g + at, p * (up - load(w->inner + at)) * scale);
      store(s + at, drops ? keep(kept + at, p * more) : p);
    }
  }
}

static void pull_queries(const struct call *c, const struct head *h, int64_t query, int64_t n, const real *y,
  const real *dy, const struct head_gradient *d, int first) {
  int64_t wide = filled_width(n), end = first ? h->a.keys : keys_seen(h, query + n - 1);
  real packed_q[PACKED_NUMBERS], packed_up[PACKED_NUMBERS], p[KEYS * QUERIES], g[KEYS * QUERIES];
  struct packed q = {h->q + query * h->row, h->row, n, wide, h->a.features, -1, packed_q};
  struct packed up = {dy, h->value_row, n, wide, h->a.values, -1, packed_up};
  struct weights w = {{0}, {0}, {0}};
  int64_t all = h->a.batch * h->a.heads * h->a.queries, at = h->number * h->a.queries + query;
  for (int64_t i = 0; i < n; i++) {
    w.top[i] = SAVED[at + i], w.rest[i] = SAVED[all + at + i];
    w.inner[i] = row_dot(h->a.values, y + i * h->value_row, dy + i * h->value_row);
  }
  for (int64_t key = 0; key < end; key += KEYS) {
    int64_t m = end - key < KEYS ? end - key : KEYS;
    scores(c, h, &q, query, key, m, p);
    multiply_packed(c, m, h->v + key * h->value_row, h->value_row, &up, g);
    pull_block(h, query, key, m, wide, &w, REAL_ATTR(ATTENTION_SCALE), p, g);
    if (d->v) multiply_panels(c, m, h->a.values, n, (struct matrix){p, wide, 1},
      (struct matrix){dy, h->value_row, 1}, !first, d->v + key * h->value_row, h->value_row, AS_IT_IS);
    if (d->q) multiply_panels(c, n, h->a.features, m, (struct matrix){g, 1, wide},
      (struct matrix){h->k + key * h->row, h->row, 1}, key > 0 || d->q_adds, d->q + query * h->row, h->row,
      AS_IT_IS);
    if (d->k) multiply_panels(c, m, h->a.features, n, (struct matrix){g, wide, 1},
      (struct matrix){h->q + query * h->row, h->row, 1}, !first, d->k + key * h->row, h->row, AS_IT_IS);
  }
}

/* The gradient of keys or values: the sum of those by chunks, which are there by the second phase. */
static void add_chunks(const struct call *c, int k, const real *partial, int64_t chunks, int64_t next) {
  if (!is_due(c, k, 1)) return;
  real *d = DIN(k);
  struct range r = share(c, shape_count(SHAPE(k)));
  FOR_VECTORS(r.begin, r.end) {
    V sum = ADDS(k) ? READ(d) : splat(0);
    for (int64_t chunk = 0; chunk < chunks; chunk++) sum += READ(partial + chunk * next);
    WRITE(d, sum);
  }
}

static void attention_backward(const struct call *c) {
  struct attention a;
  attention_layout(&a, SHAPE(0), SHAPE(1), SHAPE(2));
  int64_t keys = shape_count(SHAPE(1)), next = keys + shape_count(SHAPE(2));
  struct range own = share_rows(c, c->phase == 0 ? a.batch * a.heads * a.chunks : 0);
  for (int64_t unit = own.begin; unit < own.end; unit++) {
    struct head h = head_of(c, unit / a.chunks);
    int64_t chunk = unit % a.chunks, b = h.number / a.heads, head = h.number % a.heads;
    int64_t begin = chunk * a.chunk, end = begin + a.chunk < a.queries ? begin + a.chunk : a.queries;
    real *partial = WORKSPACE + chunk * next;
    struct head_gradient d = {
      DIN(0) ? DIN(0) + b * a.queries * h.row + head * a.features : NULL,
      DIN(1) ? partial + b * a.keys * h.row + head * a.features : NULL,
      DIN(2) ? partial + keys + b * a.keys * h.value_row + head * a.values : NULL, ADDS(0)};
    for (int64_t query = begin; query < end; query += QUERIES) {
      int64_t at = (b * a.queries + query) * h.value_row + head * a.values;
      pull_queries(c, &h, query, end - query < QUERIES ? end - query : QUERIES, OUT + at, DOUT + at, &d,
        query == begin);
    }
  }
  if (!a.keys && c->part == 0 && c->phase == 0) zero_first(c, 0);
  add_chunks(c, 1, WORKSPACE, a.chunks, next);
  add_chunks(c, 2, WORKSPACE + keys, a.chunks, next);
}
