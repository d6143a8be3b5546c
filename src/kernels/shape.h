/* shape.h - ops that move numbers without changing them. Backward is the way back, added up. */

/* int32, whatever the dtype of x */
static void shape_forward(const struct call *c) {
  int32_t *y = output_slot(c)->value;
  for (int axis = 0; c->part == 0 && axis < SHAPE(0)->rank; axis++) y[axis] = (int32_t)SHAPE(0)->dim[axis];
}

static void copy_numbers(const struct call *c, const real *from) {
  struct range r = share(c, shape_count(OUT_SHAPE));
  if (r.end > r.begin) memcpy(OUT + r.begin, from + r.begin, (size_t)(r.end - r.begin) * sizeof(real));
}

static void reshape_forward(const struct call *c) { copy_numbers(c, IN(0)); }
static void stop_gradient_forward(const struct call *c) { copy_numbers(c, IN(0)); }

/* Strided copy: y (row-major over shape) from or to x at base + sum index[i] stride[i]. */
struct strided {
  const struct shape *shape;
  int64_t base, stride[MAX_RANK];
};

INLINE int64_t strided_offset(const struct strided *s, int64_t row) {
  int64_t at = s->base;
  for (int i = s->shape->rank - 2; i >= 0; i--) {
    at += row % s->shape->dim[i] * s->stride[i];
    row /= s->shape->dim[i];
  }
  return at;
}

static void strided_read(const struct call *c, const struct strided *s, const real *x, real *y, int add) {
  int64_t n = last_axis(s->shape), step = s->shape->rank ? s->stride[s->shape->rank - 1] : 0;
  struct range r = share_rows(c, rows_of(s->shape));
  for (int64_t row = r.begin; row < r.end; row++) {
    const real *px = x + strided_offset(s, row);
    real *py = y + row * n;
    if (step == 1 && !add) memcpy(py, px, (size_t)n * sizeof(real));
    else for (int64_t i = 0; i < n; i++) py[i] = add ? R(py[i] + px[i * step]) : px[i * step];
  }
}

#ifdef REAL_IS_FLOATING
/* x = y, or x += y, at the strided places */
static void strided_write(const struct call *c, const struct strided *s, const real *y, real *x, int add) {
  int64_t n = last_axis(s->shape), step = s->shape->rank ? s->stride[s->shape->rank - 1] : 0;
  struct range r = share_rows(c, rows_of(s->shape));
  for (int64_t row = r.begin; row < r.end; row++) {
    real *px = x + strided_offset(s, row);
    const real *py = y + row * n;
    if (step == 1) FOR_VECTORS((int64_t)0, n) PUT(px, add, READ(py));
    else for (int64_t i = 0; i < n; i++) px[i * step] = add ? px[i * step] + py[i] : py[i];
  }
}

static void reshape_backward(const struct call *c) {
  struct range r = share(c, shape_count(OUT_SHAPE));
  const real *dy = DOUT;
  real *dx = DIN(0);
  FOR_VECTORS(r.begin, r.end) PUT(dx, ADDS(0), READ(dy));
}
#endif

static void transpose_plan(const struct call *c, struct strided *s) {
  const struct shape *x = SHAPE(0);
  *s = (struct strided){.shape = OUT_SHAPE};
  for (int i = 0; i < x->rank; i++) s->stride[i] = shape_span(x, (int)INT(i) + 1, x->rank);
}

static void transpose_forward(const struct call *c) {
  struct strided s;
  transpose_plan(c, &s);
  strided_read(c, &s, IN(0), OUT, 0);
}

static void slice_plan(const struct call *c, struct strided *s) {
  const struct shape *x = SHAPE(0);
  *s = (struct strided){.shape = OUT_SHAPE};
  for (int i = 0; i < x->rank; i++) {
    int64_t unit = shape_span(x, i + 1, x->rank);
    s->base += INT(3 * i) * unit;
    s->stride[i] = OUT_SHAPE->dim[i] > 1 ? INT(3 * i + 2) * unit : 0; /* no step leaves the tensor */
  }
}

static void slice_forward(const struct call *c) {
  struct strided s;
  slice_plan(c, &s);
  strided_read(c, &s, IN(0), OUT, 0);
}

/* The result seen as outer x n x inner around the joined axis. */
static void concat_forward(const struct call *c) {
  int axis = (int)INT(0);
  int64_t outer = shape_span(OUT_SHAPE, 0, axis), width = shape_span(OUT_SHAPE, axis, OUT_SHAPE->rank), at = 0;
  struct range r = share_rows(c, outer);
  for (int k = 0; k < c->inputs; k++) {
    int64_t n = outer ? shape_count(SHAPE(k)) / outer : 0;
    for (int64_t o = r.begin; o < r.end; o++) memcpy(OUT + o * width + at, IN(k) + o * n, (size_t)n * sizeof(real));
    at += n;
  }
}
static void stack_forward(const struct call *c) { concat_forward(c); }

/* x as outer x rows x inner, and m indices of rows */
struct lookup {
  int64_t outer, rows, inner, m;
  const int32_t *index;
};

INLINE struct lookup lookup_plan(const struct call *c) {
  int axis = (int)INT(0);
  const struct shape *s = SHAPE(0);
  return (struct lookup){shape_span(s, 0, axis), s->dim[axis], shape_span(s, axis + 1, s->rank),
    shape_count(SHAPE(1)), input_slot(c, 1)->value};
}

/* Of index j; -1 where it is none. */
INLINE int64_t row_of(const struct lookup *l, int64_t j) {
  return l->index[j] >= 0 && l->index[j] < l->rows ? l->index[j] : -1;
}

/* y[o, j, :] = x[o, index[j], :]. Bad indices read nothing. */
static void gather_forward(const struct call *c) {
  const struct lookup l = lookup_plan(c);
  struct range r = share_rows(c, l.m);
  for (int64_t j = r.begin; j < r.end; j++) {
    int64_t row = row_of(&l, j);
    if (row < 0) report(c, STATUS_INDEX);
    for (int64_t o = 0; o < l.outer; o++) {
      real *y = OUT + (o * l.m + j) * l.inner;
      if (row < 0) memset(y, 0, (size_t)l.inner * sizeof(real));
      else memcpy(y, IN(0) + (o * l.rows + row) * l.inner, (size_t)l.inner * sizeof(real));
    }
  }
}

static void custom_forward(const struct call *c) { copy_numbers(c, IN(1)); }

#ifndef REAL_IS_BOOL
/* The other way: y[o, index[j], :] = x + sum of u[o, j, :], in the order of the index; in double, or exactly. */
static void scatter_add_forward(const struct call *c) {
  const struct lookup l = lookup_plan(c);
  enum status flaw = STATUS_OK;
  if (c->part) return;
  int64_t n = shape_count(OUT_SHAPE);
  total *all = sizeof(real) == sizeof(total) || n == 0 ? (void *)OUT : (void *)WORKSPACE;
  for (int64_t i = 0; i < n; i++) all[i] = (total)IN(0)[i];
  for (int64_t o = 0; o < l.outer; o++) {
    for (int64_t j = 0; j < l.m; j++) {
      int64_t row = row_of(&l, j);
      if (row < 0) report(c, STATUS_INDEX);
      if (row < 0) continue;
      total *y = all + (o * l.rows + row) * l.inner;
      const real *u = IN(2) + (o * l.m + j) * l.inner;
      for (int64_t i = 0; i < l.inner; i++) y[i] = total_plus(y[i], (total)u[i], &flaw);
    }
  }
  for (int64_t i = 0; i < n; i++) OUT[i] = narrow(all[i], &flaw);
  report(c, flaw);
}
#endif

#define CAST_TO(type, expression)                                                        \
  do {                                                                                   \
    type *y = output_slot(c)->value;                                                     \
    for (int64_t i = r.begin; i < r.end; i++) y[i] = (type)(expression);                 \
  } while (0)

/* x[i] cut to a whole number of low .. high; what has none, NaN too, is reported. */
#ifdef REAL_IS_FLOATING
#define FITS(low, high) ((double)x[i] >= (double)(low) && (double)x[i] < (double)(high) + 1)
#else
#define FITS(low, high) ((int64_t)x[i] >= (low) && (int64_t)x[i] <= (high))
#endif
#define CUT(low, high) (FITS(low, high) ? (int64_t)x[i] : (flaw = STATUS_OVERFLOW, 0))

static void cast_forward(const struct call *c) {
  struct range r = share(c, shape_count(OUT_SHAPE));
  const real *x = IN(0);
  enum status flaw = STATUS_OK;
  switch (output_slot(c)->dtype) {
  case FLOAT32: CAST_TO(float, x[i]); break;
  case FLOAT64: CAST_TO(double, x[i]); break;
  case INT32: CAST_TO(int32_t, CUT(INT32_MIN, INT32_MAX)); break;
  case INT64: CAST_TO(int64_t, CUT(INT64_MIN, INT64_MAX)); break;
  default: CAST_TO(unsigned char, x[i] != 0);
  }
  report(c, flaw);
}

static void where_plan(const struct call *c, struct walk *w) {
  const struct shape *shapes[] = {SHAPE(0), SHAPE(1), SHAPE(2)};
  walk_plan(w, OUT_SHAPE, shapes, 3);
}

static void where_forward(const struct call *c) {
  struct walk w;
  int64_t at[3];
  where_plan(c, &w);
  int64_t n = w.n[w.rank - 1], *s0 = &w.stride[0][w.rank - 1], *s1 = &w.stride[1][w.rank - 1],
    *s2 = &w.stride[2][w.rank - 1];
  struct range r = share_rows(c, walk_steps(&w));
  for (int64_t row = r.begin; row < r.end; row++) {
    walk_offsets(&w, row, 3, at);
    const unsigned char *condition = (const unsigned char *)input_slot(c, 0)->value + at[0];
    const real *a = IN(1) + at[1], *b = IN(2) + at[2];
    real *y = OUT + row * n;
    for (int64_t i = 0; i < n; i++) y[i] = condition[i * *s0] ? a[i * *s1] : b[i * *s2];
  }
}

#ifdef REAL_IS_FLOATING
/* The transpose by the inverse permutation. */
static void transpose_backward(const struct call *c) {
  struct strided s = {.shape = SHAPE(0)};
  for (int i = 0; i < s.shape->rank; i++) s.stride[INT(i)] = shape_span(OUT_SHAPE, i + 1, s.shape->rank);
  strided_read(c, &s, DOUT, DIN(0), ADDS(0));
}

static void slice_backward(const struct call *c) {
  struct strided s;
  slice_plan(c, &s);
  int64_t n = shape_count(SHAPE(0));
  int all = shape_count(OUT_SHAPE) == n; /* none that the slice leaves out */
  if (c->phase == 0 && !all && !ADDS(0)) {
    struct range r = share(c, n);
    if (r.end > r.begin) memset(DIN(0) + r.begin, 0, (size_t)(r.end - r.begin) * sizeof(real));
    next_phase(c);
    return;
  }
  strided_write(c, &s, DOUT, DIN(0), !all || ADDS(0));
}

static void concat_backward(const struct call *c) {
  int axis = (int)INT(0);
  int64_t outer = shape_span(OUT_SHAPE, 0, axis), width = shape_span(OUT_SHAPE, axis, OUT_SHAPE->rank), at = 0;
  struct range r = share_rows(c, outer);
  for (int k = 0; k < c->inputs; k++) {
    int64_t n = outer ? shape_count(SHAPE(k)) / outer : 0;
    for (int64_t o = r.begin; o < r.end && DIN(k); o++) {
      const real *dy = DOUT + o * width + at;
      real *dx = DIN(k) + o * n;
      FOR_VECTORS((int64_t)0, n) PUT(dx, ADDS(k), READ(dy));
    }
    at += n;
  }
}
static void stack_backward(const struct call *c) { concat_backward(c); }

/* Rows named more than once add up, in the order of the index: each part has some rows of x. */
static void gather_backward(const struct call *c) {
  const struct lookup l = lookup_plan(c);
  struct range own = share_rows(c, l.rows);
  for (int64_t o = 0; o < l.outer; o++) {
    real *x = DIN(0) + o * l.rows * l.inner;
    if (!ADDS(0) && own.end > own.begin)
      memset(x + own.begin * l.inner, 0, (size_t)((own.end - own.begin) * l.inner) * sizeof(real));
    for (int64_t j = 0; j < l.m; j++) {
      int64_t row = l.index[j];
      if (row < own.begin || row >= own.end) continue;
      const real *dy = DOUT + (o * l.m + j) * l.inner;
      real *dx = x + row * l.inner;
      FOR_VECTORS((int64_t)0, l.inner) PUT(dx, 1, READ(dy));
    }
  }
}

/* dx = dy; du[o, j, :] = dy[o, index[j], :]. A bad index, which the op has reported, reads nothing here, either. */
static void scatter_add_backward(const struct call *c) {
  const struct lookup l = lookup_plan(c);
  if (is_due(c, 0, 0)) reshape_backward(c);
  if (!is_due(c, 2, 0) || c->part) return;
  for (int64_t o = 0; o < l.outer; o++) {
    for (int64_t j = 0; j < l.m; j++) {
      int64_t row = row_of(&l, j);
      real *du = DIN(2) + (o * l.m + j) * l.inner;
      if (row < 0 && !ADDS(2)) memset(du, 0, (size_t)l.inner * sizeof(real));
      if (row < 0) continue;
      const real *dy = DOUT + (o * l.rows + row) * l.inner;
      FOR_VECTORS((int64_t)0, l.inner) PUT(du, ADDS(2), READ(dy));
    }
  }
}

/* Of ops whose derivative only R knows: it is made of ops, see R/derivative.R. */
static void rule_backward(const struct call *c) { report(c, STATUS_VALUE); }

static void cast_backward(const struct call *c) {
  struct range r = share(c, shape_count(OUT_SHAPE));
  const void *dy = DOUT;
  real *dx = DIN(0);
  int add = ADDS(0), dtype = output_slot(c)->dtype;
  for (int64_t i = r.begin; i < r.end; i++) dx[i] = (add ? dx[i] : 0) + R(number_at(dtype, dy, i));
}

static void where_backward(const struct call *c) {
  struct walk w;
  int64_t at[3];
  if (c->part) return;
  where_plan(c, &w);
  int64_t n = w.n[w.rank - 1];
  for (int k = 1; k <= 2; k++) {
    real *d = DIN(k);
    if (!d) continue;
    zero_first(c, k);
    int64_t s0 = w.stride[0][w.rank - 1], sd = w.stride[k][w.rank - 1];
    for (int64_t row = 0; row < walk_steps(&w); row++) {
      walk_offsets(&w, row, 3, at);
      const unsigned char *condition = (const unsigned char *)input_slot(c, 0)->value + at[0];
      const real *dy = DOUT + row * n;
      for (int64_t i = 0; i < n; i++)
        if (!condition[i * s0] == (k == 2)) d[at[k] + i * sd] += dy[i];
    }
  }
}
#endif
