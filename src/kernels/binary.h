/* binary.h - z = f(a, b) with NumPy's broadcasting, and its reduction in the backward pass.
 *
 * A walk visits the result in rows; within a row each operand either moves with the result (stride
 * 1) or stays (stride 0). The gradient of an operand that was repeated is the sum over its copies,
 * taken in the order of the result by one member, so it does not depend on the number of threads.
 */

INLINE V broadcast_read(const real *p, int64_t i, int64_t part, int64_t stride) {
  if (stride == 0) return splat(*p);
  return part == VL ? load(p + i) : load_part(p + i, part, R(1));
}

/* Which rows, and which part of each row, are in this share: rows where there are enough. */
INLINE void walk_share(const struct call *c, const struct walk *w, struct range *rows, struct range *within) {
  int64_t steps = walk_steps(w), n = w->n[w->rank - 1];
  *rows = (struct range){0, steps};
  *within = (struct range){0, n};
  if (steps >= 4 * c->parts) *rows = share_rows(c, steps);
  else *within = share(c, n);
}

#define BINARY_FORWARD(name, f)                                                                     \
  static void name##_forward(const struct call *c) {                                                \
    const struct shape *shapes[] = {SHAPE(0), SHAPE(1)};                                            \
    struct walk w;                                                                                  \
    struct range rows, within;                                                                      \
    int64_t at[2];                                                                                  \
    enum status flaw = STATUS_OK;                                                                   \
    walk_plan(&w, OUT_SHAPE, shapes, 2);                                                            \
    walk_share(c, &w, &rows, &within);                                                              \
    int64_t n = w.n[w.rank - 1], sa = w.stride[0][w.rank - 1], sb = w.stride[1][w.rank - 1];        \
    for (int64_t row = rows.begin; row < rows.end; row++) {                                         \
      walk_offsets(&w, row, 2, at);                                                                 \
      const real *pa = IN(0) + at[0], *pb = IN(1) + at[1];                                          \
      BINARY_ROW(f)                                                                                 \
    }                                                                                               \
    report(c, flaw);                                                                                \
  }
#define BINARY_ROW(f)                                                                               \
  real *pz = OUT + row * n;                                                                         \
  FOR_VECTORS(within.begin, within.end) {                                                           \
    V a = broadcast_read(pa, i, part, sa), b = broadcast_read(pb, i, part, sb);                     \
    WRITE(pz, f);                                                                                   \
  }

#ifdef REAL_IS_FLOATING
#define SUM_COLUMNS 128 /* at a time */
/* slope(a, b, z) is the derivative towards operand k. */
#define BINARY_PULL(name, k, slope)                                                                 \
  static void name##_pull_##k(const struct call *c) {                                               \
    const struct shape *shapes[] = {SHAPE(0), SHAPE(1)};                                            \
    struct walk w;                                                                                  \
    struct range rows, within;                                                                      \
    int64_t at[2];                                                                                  \
    real *d = DIN(k);                                                                               \
    if (!d) return;                                                                                 \
    walk_plan(&w, OUT_SHAPE, shapes, 2);                                                            \
    int64_t n = w.n[w.rank - 1], sa = w.stride[0][w.rank - 1], sb = w.stride[1][w.rank - 1];        \
    int64_t sd = w.stride[k][w.rank - 1], size = shape_count(SHAPE(k));                             \
    int add = ADDS(k), repeated = size != shape_count(OUT_SHAPE), columns = 0;                      \
    if (repeated) {                                                                                 \
      columns = sd && size == n; /* a row vector: each member sums some columns, as sum_columns() */ \
      rows = (struct range){0, walk_steps(&w)};                                                     \
      within = columns ? share(c, n) : (struct range){0, n};                                        \
      if (!columns && c->part) return;                                                              \
      if (!add && columns) memset(d + within.begin, 0, (size_t)(within.end - within.begin) * sizeof(real));\
      else if (!add) memset(d, 0, (size_t)size * sizeof(real));                                     \
      add = 1;                                                                                      \
    } else {                                                                                        \
      walk_share(c, &w, &rows, &within);                                                            \
    }                                                                                               \
    for (int64_t from = within.begin, some; from < within.end; from += some) {                      \
      real sums[SUM_COLUMNS] = {0}, lost[SUM_COLUMNS] = {0};                                        \
      some = columns && within.end - from > SUM_COLUMNS ? SUM_COLUMNS : within.end - from;          \
      for (int64_t row = rows.begin; row < rows.end; row++) {                                       \
        walk_offsets(&w, row, 2, at);                                                               \
        const real *pa = IN(0) + at[0] + from * sa, *pb = IN(1) + at[1] + from * sb;                \
        const real *pz = OUT + row * n + from, *pdz = DOUT + row * n + from;                        \
        real *pd = columns ? sums : d + at[k] + from * sd;                                          \
        total sum = 0;                                                                              \
        FOR_VECTORS((int64_t)0, some) {                                                             \
          V a = broadcast_read(pa, i, part, sa), b = broadcast_read(pb, i, part, sb), z = READ(pz); \
          (void)a, (void)b, (void)z;                                                                \
          V v = READ(pdz) * (slope);                                                                \
          if (sd) PUT(pd, add, v);                                                                  \
          else sum += (total)SUM_PART(v);                                                           \
        }                                                                                           \
        if (!sd) pd[0] = add ? pd[0] + R(sum) : R(sum);                                             \
        if (!columns || (row + 1 < rows.end && (row + 1) % SUM_ROWS)) continue;                     \
        add_row(some, sums, d + from, lost);                                                        \
        memset(sums, 0, sizeof sums);                                                               \
      }                                                                                             \
    }                                                                                               \
  }
#define BINARY(name, f, slope_a, slope_b)                                                           \
  BINARY_FORWARD(name, f)                                                                           \
  BINARY_PULL(name, 0, slope_a)                                                                     \
  BINARY_PULL(name, 1, slope_b)                                                                     \
  static void name##_backward(const struct call *c) {                                               \
    name##_pull_0(c);                                                                               \
    name##_pull_1(c);                                                                               \
  }
#else
#define BINARY(name, f, slope_a, slope_b) BINARY_FORWARD(name, f)
#endif

#ifndef REAL_IS_BOOL
/*     op        z =                        dz/da =                         dz/db =  */
BINARY(add,      plus(a, b, FLAW),          splat(R(1)),                    splat(R(1)))
BINARY(subtract, minus(a, b, FLAW),         splat(R(1)),                    splat(R(-1)))
BINARY(multiply, times(a, b, FLAW),         b,                              a)
BINARY(maximum,  choose((b > a) | (b != b), b, a),       choose(b > a, ZERO, ONE),       choose(b > a, ONE, ZERO))
BINARY(minimum,  choose((b < a) | (b != b), b, a),       choose(b < a, ZERO, ONE),       choose(b < a, ONE, ZERO))

#endif

#ifndef REAL_IS_BOOL
/* The whole quotient, rounded down, and the rest, which has the sign of b, as R's %/% and %% have them. */
#ifdef REAL_IS_FLOATING
INLINE int rounds_up(double a, double b) { return fmod(a, b) != 0 && (a < 0) != (b < 0); } /* if cut towards zero */
INLINE real floor_quotient(real a, real b, enum status *flaw) {
  (void)flaw;
  double x = (double)a, y = (double)b, q = x / y;
  return R(isfinite(q) ? rint((x - fmod(x, y)) / y) - rounds_up(x, y) : q);
}
INLINE real floor_rest(real a, real b, enum status *flaw) {
  (void)flaw;
  double x = (double)a, y = (double)b;
  return R(rounds_up(x, y) ? fmod(x, y) + y : fmod(x, y));
}
#else
/* C leaves division by zero undefined, and that of the lowest number by -1 */
INLINE int is_zero(real b, enum status *flaw) {
  if (b == 0) *flaw = STATUS_DIVISION;
  return b == 0;
}
INLINE int rounds_up(real a, real b) { return a % b != 0 && (a < 0) != (b < 0); }
INLINE real floor_quotient(real a, real b, enum status *flaw) {
  return is_zero(b, flaw) ? 0 : b == -1 ? minus(0, a, flaw) : a / b - rounds_up(a, b);
}
INLINE real floor_rest(real a, real b, enum status *flaw) {
  return is_zero(b, flaw) || b == -1 ? 0 : rounds_up(a, b) ? a % b + b : a % b;
}
#endif

/* f of two vectors, number by number */
#define PAIRWISE(name, f)                                                                           \
  INLINE V name(V x, V y, enum status *flaw) {                                                      \
    (void)flaw;                                                                                     \
    real first[VL], second[VL];                                                                     \
    memcpy(first, &x, sizeof first);                                                                \
    memcpy(second, &y, sizeof second);                                                              \
    for (int j = 0; j < VL; j++) {                                                                  \
      real a = first[j], b = second[j];                                                             \
      first[j] = (f);                                                                               \
    }                                                                                               \
    memcpy(&x, first, sizeof first);                                                                \
    return x;                                                                                       \
  }
PAIRWISE(vfloor_quotient, floor_quotient(a, b, flaw))
PAIRWISE(vfloor_rest, floor_rest(a, b, flaw))
BINARY(floor_divide, vfloor_quotient(a, b, FLAW), ZERO,                     ZERO)
BINARY(floor_mod, vfloor_rest(a, b, FLAW),  splat(R(1)),                    -vfloor_quotient(a, b, FLAW))
#endif

#ifdef REAL_IS_FLOATING
PAIRWISE(vpow, R(pow((double)a, (double)b)))
BINARY(divide,   a / b,                     R(1) / b,                       -z / b)
/* d/db is 0 where a is 0, as the limit is for b > 0 */
BINARY(power,    vpow(a, b, FLAW),          choose(b == R(0), ZERO, b * vpow(a, b - R(1), FLAW)),
  choose(a > R(0), z * vlog(choose(a > R(0), a, ONE)), ZERO))
#endif

/* comparisons: number by number, the result is bool (one byte) */
#undef BINARY_ROW
#define BINARY_ROW(f)                                                                               \
  unsigned char *pz = (unsigned char *)output_slot(c)->value + row * n;                             \
  for (int64_t i = within.begin; i < within.end; i++) {                                             \
    real a = pa[i * sa], b = pb[i * sb];                                                            \
    pz[i] = (f);                                                                                    \
  }
#ifndef REAL_IS_BOOL
BINARY_FORWARD(less, a < b)
BINARY_FORWARD(less_equal, a <= b)
#endif
BINARY_FORWARD(equal, a == b)
BINARY_FORWARD(not_equal, a != b)
