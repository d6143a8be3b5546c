/* matmul.h - y = op(a) op(b), batches broadcast; and the dense layer y = activation(x W + b). */

#ifndef REAL_IS_FLOATING /* multiply.h is for floats; this for whole numbers: C = A B, exact or with a flaw */
static void multiply(const struct call *c, int64_t m, int64_t n, int64_t depth, struct matrix a, struct matrix b,
  int add, real *y) {
  struct range rows = share_rows(c, m);
  enum status flaw = STATUS_OK;
  (void)add;
  for (int64_t i = rows.begin; i < rows.end; i++) {
    for (int64_t j = 0; j < n; j++) {
      total sum = 0;
      for (int64_t k = 0; k < depth; k++) {
        total product = total_times(a.at[i * a.row + k * a.column], b.at[k * b.row + j * b.column], &flaw);
        sum = total_plus(sum, product, &flaw);
      }
      y[i * n + j] = narrow(sum, &flaw);
    }
  }
  report(c, flaw);
}
static int is_for_library(const struct call *c, double work) { return c && work < 0; }
#endif

/* A stack of matrices, perhaps transposed, as struct matrix. */
INLINE struct matrix matrix_of(const real *at, int64_t columns, int transposed) {
  return transposed ? (struct matrix){at, 1, columns} : (struct matrix){at, columns, 1};
}

struct product {
  int64_t m, n, k, batches;
  int64_t a_columns, b_columns; /* as stored */
  int ta, tb;
  struct walk walk; /* over the batches */
};

static void product_plan(const struct call *c, struct product *p) {
  const struct shape *a = SHAPE(0), *b = SHAPE(1), *y = OUT_SHAPE;
  p->ta = INT(0) != 0, p->tb = INT(1) != 0;
  p->m = y->dim[y->rank - 2], p->n = y->dim[y->rank - 1];
  p->k = a->dim[a->rank - 1 - p->ta];
  p->a_columns = last_axis(a), p->b_columns = last_axis(b);
  struct shape over = *y, own_a = *a, own_b = *b;
  over.rank -= 2, own_a.rank -= 2, own_b.rank -= 2;
  if (own_b.rank == 0 && !p->ta) { /* (..., M, K) by (K, N): one product with more rows */
    p->m *= shape_count(&over);
    over.rank = own_a.rank = 0;
  }
  const struct shape *shapes[] = {&own_a, &own_b};
  walk_plan(&p->walk, &over, shapes, 2);
  p->batches = shape_count(&over);
}

/* Offsets of the matrices of batch i. */
static void product_at(const struct product *p, int64_t i, int64_t *a, int64_t *b) {
  int64_t at[2], last = p->walk.rank - 1, n = p->walk.n[last];
  walk_offsets(&p->walk, i / n, 2, at);
  *a = (at[0] + i % n * p->walk.stride[0][last]) * p->m * p->k;
  *b = (at[1] + i % n * p->walk.stride[1][last]) * p->k * p->n;
}

/* Which products this part has a share of, and how: where there are many, some as a whole, else its share of each.
 * The bits are the same. `apart`: does each write where no other does? */
static struct range own_products(const struct call *c, const struct product *p, int apart, struct call *how) {
  *how = *c;
  if (!apart || p->batches < 4 * c->parts || is_for_library(c, (double)p->m * (double)p->n * (double)p->k))
    return (struct range){0, p->batches};
  how->part = 0, how->parts = 1;
  return share_rows(c, p->batches);
}

static void matmul_forward(const struct call *c) {
  struct product p;
  struct call how;
  product_plan(c, &p);
  struct range own = own_products(c, &p, 1, &how);
  for (int64_t i = own.begin; i < own.end; i++) {
    int64_t a, b;
    product_at(&p, i, &a, &b);
    multiply(&how, p.m, p.n, p.k, matrix_of(IN(0) + a, p.a_columns, p.ta), matrix_of(IN(1) + b, p.b_columns, p.tb),
      0, OUT + i * p.m * p.n);
  }
}

#ifdef REAL_IS_FLOATING
INLINE struct matrix flipped(struct matrix m) { return (struct matrix){m.at, m.column, m.row}; }

/* da = dy op(b)', transposed if a is; db = op(a)' dy likewise. A matrix that serves several batches
 * adds up their gradients in order; the first contribution overwrites. */
static void matmul_backward(const struct call *c) {
  struct product p;
  product_plan(c, &p);
  for (int k = 0; k < 2; k++) {
    if (!is_due(c, k, 0)) continue;
    struct call how;
    int64_t before = -1, size = shape_count(SHAPE(k)), matrix = k == 0 ? p.m * p.k : p.k * p.n;
    struct range own = own_products(c, &p, size == p.batches * matrix, &how);
    for (int64_t i = own.begin; i < own.end; i++) {
      int64_t at[2];
      product_at(&p, i, &at[0], &at[1]);
      struct matrix a = matrix_of(IN(0) + at[0], p.a_columns, p.ta), b = matrix_of(IN(1) + at[1], p.b_columns, p.tb);
      struct matrix dy = matrix_of(DOUT + i * p.m * p.n, p.n, 0);
      int add = ADDS(k) || at[k] <= before; /* offsets grow while the matrices are new */
      real *d = DIN(k) + at[k];
      if (k == 0 && !p.ta) multiply(&how, p.m, p.k, p.n, dy, flipped(b), add, d);
      else if (k == 0) multiply(&how, p.k, p.m, p.n, b, flipped(dy), add, d);
      else if (!p.tb) multiply(&how, p.k, p.n, p.m, flipped(a), dy, add, d);
      else multiply(&how, p.n, p.k, p.m, flipped(dy), a, add, d);
      if (at[k] > before) before = at[k];
    }
    if (p.batches == 0 && c->part == 0) zero_first(c, k);
  }
}

/* x (N, I) W (I, O) b (O) -> y (N, O) */
static void dense_forward(const struct call *c) {
  const struct shape *w = SHAPE(1);
  int64_t n = rows_of(OUT_SHAPE), inputs = w->dim[0], outputs = w->dim[1];
  struct after after = {c->inputs == 3 ? IN(2) : NULL, INT(0) < 0 ? NULL : fused_map[INT(0)], REAL_ATTR(0),
    REAL_ATTR(1)};
  multiply_then(c, n, outputs, inputs, matrix_of(IN(0), inputs, 0), matrix_of(IN(1), outputs, 0), 0, OUT, after);
}

/* dz = dy activation'(y); dx = dz W'; dW = x' dz */
static void dense_backward(const struct call *c) {
  const struct shape *w = SHAPE(1);
  int64_t n = rows_of(OUT_SHAPE), inputs = w->dim[0], outputs = w->dim[1];
  int first = INT(0) >= 0; /* phase of the gradients */
  const real *dz = first ? WORKSPACE : DOUT;
  if (c->phase < first) {
    struct range r = share(c, n * outputs);
    fused_pull[INT(0)](r.begin, r.end, OUT, OUT, DOUT, WORKSPACE, 0, REAL_ATTR(0), REAL_ATTR(1));
    next_phase(c);
    return;
  }
  struct matrix z = matrix_of(dz, outputs, 0);
  if (is_due(c, 0, first)) multiply(c, n, inputs, outputs, z, flipped(matrix_of(IN(1), outputs, 0)), ADDS(0), DIN(0));
  if (is_due(c, 1, first)) multiply(c, inputs, outputs, n, flipped(matrix_of(IN(0), inputs, 0)), z, ADDS(1), DIN(1));
  if (c->inputs == 3 && is_due(c, 2, first)) sum_columns(c, dz, n, outputs, ADDS(2), DIN(2));
}
#endif
