/* pool.h - maximum and mean over windows, see src/window.h. Vectors run over the channels, so that windows need no
 * care for lanes. */

/* One window: its number along each spatial axis, and the cells of x that it covers. */
struct window {
  struct pool p;
  int64_t sample, at[MAX_SPATIAL];
  struct range cells[MAX_SPATIAL];
};

INLINE void window_cover(struct window *w, int axis) {
  const struct window_axis *a = &w->p.axis[axis];
  int64_t from = w->at[axis] * a->stride - a->before, to = from + a->size;
  w->cells[axis] = (struct range){from > 0 ? from : 0, to < a->in ? to : a->in};
}

/* The row-th window of the whole batch. */
INLINE void window_begin(struct window *w, int64_t row) {
  for (int i = MAX_SPATIAL - 1; i >= 0; i--) {
    w->at[i] = row % w->p.axis[i].out;
    row /= w->p.axis[i].out;
    window_cover(w, i);
  }
  w->sample = row;
}

/* The next window of the sample, in row-major order, or the first of the next one. */
INLINE void window_next(struct window *w) {
  for (int i = MAX_SPATIAL - 1; i >= 0; i--) {
    int carry = ++w->at[i] == w->p.axis[i].out;
    if (carry) w->at[i] = 0;
    window_cover(w, i);
    if (!carry) return;
  }
  w->sample++;
}

/* Where a cell's channels begin in x. */
INLINE int64_t cell_offset(const struct window *w, int64_t i, int64_t j, int64_t k) {
  const struct window_axis *a = w->p.axis;
  return (((w->sample * a[0].in + i) * a[1].in + j) * a[2].in + k) * w->p.channels;
}

#define CELLS(w, axis, i) (int64_t i = (w).cells[axis].begin; i < (w).cells[axis].end; i++)

INLINE int64_t cell_count(const struct window *w) {
  int64_t n = 1;
  for (int i = 0; i < MAX_SPATIAL; i++) n *= w->cells[i].end - w->cells[i].begin;
  return n;
}

/* The windows of this share, one after the other: the body runs with `w` and `row`. */
#define FOR_WINDOWS(x)                                                                          \
  struct window w;                                                                              \
  pool_layout(&w.p, x, c->attr);                                                                \
  const int64_t n = w.p.channels;                                                               \
  const struct range rows_ = share_rows(c, w.p.batch * w.p.axis[0].out * w.p.axis[1].out * w.p.axis[2].out); \
  if (rows_.begin < rows_.end) window_begin(&w, rows_.begin);                                   \
  for (int64_t row = rows_.begin; row < rows_.end; row++, window_next(&w))

/* NaN counts as the maximum, as elsewhere. */
static void max_pool_forward(const struct call *c) {
  FOR_WINDOWS(SHAPE(0)) {
    real *y = OUT + row * n;
    FOR_VECTORS((int64_t)0, n) {
      V top = splat(R(-INFINITY));
      for CELLS(w, 0, d) for CELLS(w, 1, e) for CELLS(w, 2, f) {
        V one = READ(IN(0) + cell_offset(&w, d, e, f));
        top = choose((one > top) | (one != one), one, top);
      }
      WRITE(y, top);
    }
  }
}

/* Counted through the whole of x, row-major. */
static void max_pool_argmax_forward(const struct call *c) {
  int64_t *y = output_slot(c)->value;
  FOR_WINDOWS(SHAPE(0)) {
    for (int64_t i = 0; i < n; i++) {
      int64_t best = -1;
      for CELLS(w, 0, d) for CELLS(w, 1, e) for CELLS(w, 2, f) {
        int64_t at = cell_offset(&w, d, e, f) + i;
        real one = IN(0)[at];
        if (best < 0 || one > IN(0)[best] || (is_nan(one) && !is_nan(IN(0)[best]))) best = at;
      }
      y[row * n + i] = best;
    }
  }
}

/* y (+)= means of x. Long sums are those of their rows. */
static void pool_means(const struct call *c, const struct shape *shape, const real *x, real *y, int add) {
  FOR_WINDOWS(shape) {
    const real count = R(cell_count(&w));
    FOR_VECTORS((int64_t)0, n) {
      V sum = splat(0);
      for CELLS(w, 0, d) {
        V line = splat(0);
        for CELLS(w, 1, e) for CELLS(w, 2, f) line += READ(x + cell_offset(&w, d, e, f));
        sum += line;
      }
      PUT(y + row * n, add, sum / count);
    }
  }
}

/* ---- the way back: a member owns lines of x, cells of the first spatial axis, and visits all windows that reach them,
 * in row-major order, so that sums do not depend on the number of members ---- */

/* What a window with the gradients dy adds to dx within the lines `own` of its sample. */
typedef void window_step(const struct call *c, const struct window *w, struct range own, const real *dy, real *dx);

/* Windows of an axis that reach into its cells `own`. */
INLINE struct range windows_over(const struct window_axis *a, struct range own) {
  int64_t from = own.begin + a->before - a->size + 1, end = (own.end + a->before + a->stride - 1) / a->stride;
  return (struct range){from > 0 ? (from + a->stride - 1) / a->stride : 0, end < a->out ? end : a->out};
}

INLINE void windows_back(const struct call *c, const struct shape *x, const real *dy, real *dx, int add,
  window_step *step) {
  struct window w;
  pool_layout(&w.p, x, c->attr);
  const struct window_axis *a = w.p.axis;
  const int64_t lines = a[0].in, line = a[1].in * a[2].in * w.p.channels, each = a[1].out * a[2].out;
  const struct range all = share_rows(c, w.p.batch * lines);
  if (!add && all.begin < all.end)
    memset(dx + all.begin * line, 0, (size_t)((all.end - all.begin) * line) * sizeof(real));
  for (int64_t from = all.begin, to; from < all.end; from = to) {
    int64_t sample = from / lines;
    to = (sample + 1) * lines < all.end ? (sample + 1) * lines : all.end;
    struct range own = {from - sample * lines, to - sample * lines}, over = windows_over(&a[0], own);
    int64_t row = (sample * a[0].out + over.begin) * each;
    if (over.begin >= over.end || !each) continue;
    window_begin(&w, row);
    for (int64_t end = row + (over.end - over.begin) * each; row < end; row++, window_next(&w))
      step(c, &w, own, dy + row * w.p.channels, dx);
  }
}

/* The gradient goes to the first maximum. */
INLINE void max_pool_step(const struct call *c, const struct window *w, struct range own, const real *dy, real *dx) {
  const real *x = IN(0), *y = OUT + (dy - DOUT);
  FOR_VECTORS((int64_t)0, w->p.channels) {
    V top = READ(y), gradient = READ(dy);
    VI open = (top == top) | (top != top); /* no maximum was met yet */
    for CELLS(*w, 0, d) for CELLS(*w, 1, e) for CELLS(*w, 2, f) {
      int64_t at = cell_offset(w, d, e, f);
      V one = READ(x + at);
      VI hit = ((one == top) | (one != one)) & open;
      open &= ~hit;
      if (d >= own.begin && d < own.end) PUT(dx + at, 1, choose(hit, gradient, splat(0)));
    }
  }
}

/* Each cell gets its part of the mean's. */
INLINE void mean_step(const struct call *c, const struct window *w, struct range own, const real *dy, real *dx) {
  const real count = R(cell_count(w));
  const struct range lines = {w->cells[0].begin > own.begin ? w->cells[0].begin : own.begin,
    w->cells[0].end < own.end ? w->cells[0].end : own.end};
  (void)c;
  FOR_VECTORS((int64_t)0, w->p.channels) {
    V part_of = READ(dy) / count;
    for (int64_t d = lines.begin; d < lines.end; d++)
      for CELLS(*w, 1, e) for CELLS(*w, 2, f) PUT(dx + cell_offset(w, d, e, f), 1, part_of);
  }
}

static void max_pool_backward(const struct call *c) {
  windows_back(c, SHAPE(0), DOUT, DIN(0), ADDS(0), max_pool_step);
}

static void average_pool_forward(const struct call *c) { pool_means(c, SHAPE(0), IN(0), OUT, 0); }
static void average_pool_backward(const struct call *c) {
  windows_back(c, SHAPE(0), DOUT, DIN(0), ADDS(0), mean_step);
}

/* The same two the other way round. The numbers of x, the second input, do not matter. */
static void average_unpool_forward(const struct call *c) {
  windows_back(c, SHAPE(1), IN(0), OUT, 0, mean_step);
}
static void average_unpool_backward(const struct call *c) {
  if (DIN(0)) pool_means(c, SHAPE(1), DOUT, DIN(0), ADDS(0));
  if (c->part == 0) zero_first(c, 1);
}
