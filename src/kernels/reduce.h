/* reduce.h - sum, mean, prod, max, min over axes; argmax and argmin along one. The walk visits x in rows; the
 * result either moves with the row or stays (stride 0). */

/* The result's shape with the dropped axes back as 1, so that it broadcasts over x. */
static void reduce_plan(const struct call *c, struct walk *w, struct shape *kept) {
  const struct shape *x = SHAPE(0);
  int axes = c->attr->n_ints - 1;
  *kept = *x;
  for (int i = 0; i < (axes ? axes : x->rank); i++) kept->dim[axes ? INT(1 + i) : i] = 1;
  const struct shape *shapes[] = {kept};
  walk_plan(w, x, shapes, 1);
}

/* The share: some of the results, and the rows of x that lead to them. The first axis is shared out if it is
 * kept, as then no two parts have the same result. */
static void share_reduction(const struct call *c, const struct walk *w, const struct shape *kept,
  struct range *results, struct range *rows) {
  int split = w->rank > 1 && w->stride[0][0] != 0;
  int64_t leading = split ? w->n[0] : 1, n = leading ? shape_count(kept) / leading : 0;
  int64_t steps = leading ? walk_steps(w) / leading : 0;
  struct range mine = split ? share_rows(c, leading) : (struct range){0, c->part == 0};
  *results = (struct range){mine.begin * n, mine.end * n};
  *rows = (struct range){mine.begin * steps, mine.end * steps};
}

/* y = all of x over axes, one after the other: f of `all` so far and the next `one`, from `start` on, in so many passes
 * over x. */
#define REDUCTION(name, start, passes, f)                                                           \
  static void name##_forward(const struct call *c) {                                                \
    struct walk w;                                                                                  \
    struct shape kept;                                                                              \
    int64_t at;                                                                                     \
    enum status flaw = STATUS_OK;                                                                   \
    struct range results, rows;                                                                     \
    reduce_plan(c, &w, &kept);                                                                      \
    share_reduction(c, &w, &kept, &results, &rows);                                                 \
    int64_t n = w.n[w.rank - 1], moves = w.stride[0][w.rank - 1];                                   \
    real *y = OUT;                                                                                  \
    for (int64_t i = results.begin; i < results.end; i++) y[i] = start;                             \
    for (int pass = 0; pass < passes; pass++) {                                                     \
      for (int64_t row = rows.begin; row < rows.end; row++) {                                       \
        walk_offsets(&w, row, 1, &at);                                                              \
        const real *x = IN(0) + row * n;                                                            \
        for (int64_t i = 0; i < n; i++) {                                                           \
          real all = y[at + i * moves], one = x[i];                                                 \
          y[at + i * moves] = f;                                                                    \
        }                                                                                           \
      }                                                                                             \
    }                                                                                               \
    report(c, flaw);                                                                                \
  }

#ifndef REAL_IS_BOOL
#ifdef REAL_IS_FLOATING
REDUCTION(prod, 1, 1, all * one)
#else
/* The whole product counts, not what it is on the way. So its sign is found first, which is 0 with any 0, and then its
 * size, on that side of 0: the negative one has room for one more. */
INLINE real sign_so_far(real all, real one) { return one < 0 ? -all : one == 0 ? 0 : all; }
INLINE real size_so_far(real all, real one, enum status *flaw) {
  return one == -1 ? all : times(one < 0 ? minus(0, all, flaw) : all, one, flaw);
}
REDUCTION(prod, 1, 2, pass ? size_so_far(all, one, FLAW) : sign_so_far(all, one))
#endif

#ifdef REAL_IS_FLOATING
/* Sums of pieces are added in double, so that long float sums keep their digits. */
INLINE real row_sum(const real *x, int64_t n) {
  total all = 0;
  for (int64_t from = 0; from < n; from += 1024) {
    int64_t to = from + 1024 < n ? from + 1024 : n;
    V sum = splat(0);
    FOR_VECTORS(from, to) sum += READ(x);
    all += (total)hsum(sum);
  }
  return (real)all;
}
#endif

#define SHORT_SUM 256 /* of so few rows the rounding errors do not matter */

static void sum_forward(const struct call *c) {
  struct walk w;
  struct shape kept;
  int64_t at;
  struct range sums, rows;
  reduce_plan(c, &w, &kept);
  share_reduction(c, &w, &kept, &sums, &rows);
  int64_t n = w.n[w.rank - 1], moves = w.stride[0][w.rank - 1];
  real *y = OUT;
  enum status flaw = STATUS_OK;
#ifndef REAL_IS_FLOATING
  /* what counts is the whole sum, not what it is on the way */
  total *all = sizeof(real) == sizeof(total) || c->workspace == NO_SLOT ? (void *)y : (void *)WORKSPACE;
  for (int64_t i = sums.begin; i < sums.end; i++) all[i] = 0;
  for (int64_t row = rows.begin; row < rows.end; row++) {
    walk_offsets(&w, row, 1, &at);
    const real *x = IN(0) + row * n;
    for (int64_t i = 0; i < n; i++) all[at + i * moves] = total_plus(all[at + i * moves], x[i], &flaw);
  }
  for (int64_t i = sums.begin; i < sums.end; i++) y[i] = narrow(all[i], &flaw);
#else
  real *lost = NULL;
  size_t bytes = (size_t)(sums.end - sums.begin) * sizeof(real);
  memset(y + sums.begin, 0, bytes);
  if (c->workspace != NO_SLOT && (rows.end - rows.begin) * (moves ? n : 1) > SHORT_SUM * (sums.end - sums.begin)) {
    lost = WORKSPACE;
    memset(lost + sums.begin, 0, bytes);
  }
  for (int64_t row = rows.begin; row < rows.end; row++) {
    walk_offsets(&w, row, 1, &at);
    const real *x = IN(0) + row * n, all = moves ? R(0) : row_sum(x, n);
    add_row(moves ? n : 1, moves ? x : &all, y + at, lost ? lost + at : NULL);
  }
#endif
  report(c, flaw);
}

#ifdef REAL_IS_FLOATING
/* dx (+)= scale dy, every element of x receiving the gradient of its sum */
static void reduce_spread(const struct call *c, real scale) {
  struct walk w;
  struct shape kept;
  int64_t at;
  reduce_plan(c, &w, &kept);
  int64_t n = w.n[w.rank - 1], moves = w.stride[0][w.rank - 1];
  struct range rows = share_rows(c, walk_steps(&w)), within = {0, n};
  if (w.rank == 1) rows = (struct range){0, 1}, within = share(c, n);
  for (int64_t row = rows.begin; row < rows.end; row++) {
    walk_offsets(&w, row, 1, &at);
    real *dx = DIN(0) + row * n;
    const real *dy = DOUT + at;
    FOR_VECTORS(within.begin, within.end) PUT(dx, ADDS(0), scale * broadcast_read(dy, i, part, moves));
  }
}

static void sum_backward(const struct call *c) { reduce_spread(c, R(1)); }

/* how many numbers each mean is of */
static double mean_count(const struct call *c) {
  return (double)shape_count(SHAPE(0)) / (double)shape_count(OUT_SHAPE);
}

static void mean_forward(const struct call *c) {
  if (c->phase == 0) {
    sum_forward(c);
    next_phase(c);
    return;
  }
  struct range r = share(c, shape_count(OUT_SHAPE));
  double count = mean_count(c);
  real *y = OUT;
  for (int64_t i = r.begin; i < r.end; i++) y[i] = R((double)y[i] / count);
}

static void mean_backward(const struct call *c) { reduce_spread(c, R(1 / mean_count(c))); }
#endif

#ifdef REAL_IS_FLOATING
/* dx = dy times all other factors: the product of those before it waits in the workspace, that of those after it grows
 * on the way back. Nothing is divided, so zeros among the factors need no care. */
static void prod_backward(const struct call *c) {
  struct walk w;
  struct shape kept;
  int64_t at;
  if (c->part || shape_count(SHAPE(0)) == 0) return;
  reduce_plan(c, &w, &kept);
  int64_t n = w.n[w.rank - 1], moves = w.stride[0][w.rank - 1], steps = walk_steps(&w);
  const real *x = IN(0), *dy = DOUT;
  real *dx = DIN(0), *before = WORKSPACE, *product = before + shape_count(SHAPE(0));
  for (int back = 0; back < 2; back++) {
    for (int64_t i = 0; i < shape_count(&kept); i++) product[i] = 1;
    for (int64_t step = 0; step < steps; step++) {
      int64_t row = back ? steps - 1 - step : step;
      walk_offsets(&w, row, 1, &at);
      for (int64_t j = 0; j < n; j++) {
        int64_t along = back ? n - 1 - j : j, i = row * n + along, to = at + along * moves;
        if (back) dx[i] = (ADDS(0) ? dx[i] : 0) + dy[to] * before[i] * product[to];
        else before[i] = product[to];
        product[to] *= x[i];
      }
    }
  }
}
#endif

/* max and min: NaN counts as the extreme, as elsewhere. */
#ifdef REAL_IS_FLOATING
#define HIGHEST R(INFINITY)
#define LOWEST R(-INFINITY)
#define ODD(x) ((x) != (x))
#else
#define HIGHEST ((real)(sizeof(real) == sizeof(int32_t) ? INT32_MAX : INT64_MAX))
#define LOWEST (-HIGHEST - 1)
#define ODD(x) 0
#endif
INLINE V further(int sign, V y, V x) { return choose((sign > 0 ? x > y : x < y) | ODD(x), x, y); }

INLINE void extreme_forward(const struct call *c, int sign) {
  struct walk w;
  struct shape kept;
  int64_t at;
  struct range results, rows;
  if (shape_count(SHAPE(0)) == 0) return;
  reduce_plan(c, &w, &kept);
  share_reduction(c, &w, &kept, &results, &rows);
  int64_t n = w.n[w.rank - 1], moves = w.stride[0][w.rank - 1];
  real *y = OUT, least = sign > 0 ? LOWEST : HIGHEST;
  for (int64_t i = results.begin; i < results.end; i++) y[i] = least;
  for (int64_t row = rows.begin; row < rows.end; row++) {
    walk_offsets(&w, row, 1, &at);
    const real *x = IN(0) + row * n;
    if (moves) {
      FOR_VECTORS((int64_t)0, n) WRITE(y + at, further(sign, READ(y + at), READ(x)));
    } else {
      V all = splat(y[at]);
      FOR_VECTORS((int64_t)0, n) all = further(sign, all, READ_OR(x, least));
      FOLD(all, y[at], (sign > 0 ? b_ > a_ : b_ < a_) || is_nan(b_) ? b_ : a_);
    }
  }
}
static void max_forward(const struct call *c) { extreme_forward(c, 1); }
static void min_forward(const struct call *c) { extreme_forward(c, -1); }

#ifdef REAL_IS_FLOATING
/* Equal extremes share the gradient evenly, so that it does not depend on their order. */
static void extreme_backward(const struct call *c) {
  struct walk w;
  struct shape kept;
  int64_t at;
  struct range results, rows;
  if (shape_count(SHAPE(0)) == 0) return;
  reduce_plan(c, &w, &kept);
  share_reduction(c, &w, &kept, &results, &rows);
  int64_t n = w.n[w.rank - 1], moves = w.stride[0][w.rank - 1];
  const real *y = OUT, *dy = DOUT;
  real *ties = WORKSPACE;
  memset(ties + results.begin, 0, (size_t)(results.end - results.begin) * sizeof(real));
  for (int64_t row = rows.begin; row < rows.end; row++) {
    walk_offsets(&w, row, 1, &at);
    const real *x = IN(0) + row * n;
    if (moves) {
      FOR_VECTORS((int64_t)0, n)
        WRITE(ties + at, READ(ties + at) + choose(READ(x) == READ(y + at), splat(1), splat(0)));
    } else {
      for (int64_t i = 0; i < n; i++) ties[at] += x[i] == y[at];
    }
  }
  for (int64_t row = rows.begin; row < rows.end; row++) {
    walk_offsets(&w, row, 1, &at);
    const real *x = IN(0) + row * n;
    real *dx = DIN(0) + row * n;
    FOR_VECTORS((int64_t)0, n) {
      V all = broadcast_read(y + at, i, part, moves), each = broadcast_read(dy + at, i, part, moves) /
        broadcast_read(ties + at, i, part, moves);
      PUT(dx, ADDS(0), choose(READ(x) == all, each, splat(0)));
    }
  }
}
static void max_backward(const struct call *c) { extreme_backward(c); }
static void min_backward(const struct call *c) { extreme_backward(c); }
#endif

/* The first extreme wins; NaN counts as one. */
static void position_forward(const struct call *c, int sign) {
  const struct shape *s = SHAPE(0);
  int axis = (int)INT(0);
  int64_t outer = shape_span(s, 0, axis), n = s->dim[axis], inner = shape_span(s, axis + 1, s->rank);
  struct range r = share_rows(c, outer);
  int64_t *y = output_slot(c)->value;
  for (int64_t o = r.begin; o < r.end; o++) {
    for (int64_t j = 0; j < inner; j++) {
      const real *x = IN(0) + o * n * inner + j;
      int64_t best = 0;
      for (int64_t k = 1; k < n; k++) {
        const real *new = x + k * inner, *old = x + best * inner;
        if ((sign > 0 ? *new > *old : *new < *old) || (is_nan(*new) && !is_nan(*old))) best = k;
      }
      y[o * inner + j] = best;
    }
  }
}
static void argmax_forward(const struct call *c) { position_forward(c, 1); }
static void argmin_forward(const struct call *c) { position_forward(c, -1); }
#endif
