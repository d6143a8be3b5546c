/* access.h - how a kernel reaches its numbers. */

INLINE const struct slot *input_slot(const struct call *c, int k) { return &c->slots[c->in[k].slot]; }
INLINE const struct slot *output_slot(const struct call *c) { return &c->slots[c->out->slot]; }

/* The numbers of a slot; NULL where none are needed or wanted. */
INLINE real *numbers_at(const struct call *c, int32_t slot) { return slot == NO_SLOT ? NULL : c->slots[slot].value; }

#define SHAPE(k) (&input_slot(c, k)->shape)
#define OUT_SHAPE (&output_slot(c)->shape)
#define IN(k) ((const real *)input_slot(c, k)->value)
#define OUT ((real *)output_slot(c)->value)
#define SAVED numbers_at(c, c->saved)
#define WORKSPACE numbers_at(c, c->workspace)
#define OUTPUT(k) ((real *)c->slots[c->out[k].slot].value)

/* Gradients: of the output, which is there; of one of several outputs (NULL: 0), and of input k (NULL where it is not
 * wanted). */
#define DOUT ((const real *)c->slots[c->dout->slot].value)
#define DOUTPUT(k) ((const real *)numbers_at(c, c->dout[k].slot))
#define DIN(k) numbers_at(c, c->din[k].slot)
#define ADDS(k) (c->din[k].adds)

struct matrix {
  const real *at;
  int64_t row, column; /* strides */
};

/* What went wrong in this share, if anything did, ends the run. */
INLINE void report(const struct call *c, enum status flaw) {
  if (flaw) c->runner->flaw = flaw;
}

/* There is more to do when all other parts are done, too. */
INLINE void next_phase(const struct call *c) { c->runner->again = 1; }

/* One that is alone need not wait: it goes on with the next phase by itself, and keeps what it planned in the first. */
INLINE int goes_on_alone(struct call *c) {
  if (c->parts > 1 || !c->runner->again) return 0;
  c->runner->again = 0, c->phase++;
  return 1;
}

INLINE int may_rest(const struct call *c, double work) {
  return c->runner->may_rest && c->runner->may_rest(c->runner, work);
}

#define INT(i) (c->attr->ints[i])
#define REAL_ATTR(i) real_attribute(c->attr->reals[i])

/* Whole numbers are never NaN, and compilers say so of a comparison with itself. */
INLINE int is_nan(real x) {
#if defined(REAL_IS_FLOATING)
  return x != x;
#else
  (void)x;
  return 0;
#endif
}

/* The ends of clip() may lie beyond an integer type. */
INLINE real real_attribute(double x) {
#if defined(REAL_IS_FLOATING)
  return R(x);
#else
  const double end = sizeof(real) == 4 ? 2147483648.0 : 9223372036854775808.0;
  const real low = R(sizeof(real) == 4 ? INT32_MIN : INT64_MIN), high = R(sizeof(real) == 4 ? INT32_MAX : INT64_MAX);
  return x >= end ? high : x < -end ? low : R(x);
#endif
}

/* The share of n numbers; a multiple of cache lines, so that no two parts write to the same one. */
INLINE struct range share(const struct call *c, int64_t n) {
  return share_of(n, 16 * ALIGNMENT / (int64_t)sizeof(real), c->part, c->parts);
}
INLINE struct range share_rows(const struct call *c, int64_t rows) {
  return share_of(rows, 1, c->part, c->parts);
}

/* A tensor seen as rows of its last axis. */
INLINE int64_t last_axis(const struct shape *s) { return s->rank ? s->dim[s->rank - 1] : 1; }
INLINE int64_t rows_of(const struct shape *s) { return s->rank ? shape_span(s, 0, s->rank - 1) : 1; }

/* Is the gradient of input k wanted, and written in this phase? `first` is that of all gradients. One tensor may be
 * several inputs: they add to its gradient one after the other, each in a phase of its own. */
INLINE int is_due(const struct call *c, int k, int first) {
  if (!DIN(k)) return 0;
  for (int j = 0; j < k; j++) first += c->din[j].slot == c->din[k].slot;
  if (c->phase < first) next_phase(c);
  return c->phase == first;
}

/* For backward kernels that touch only some numbers: the first contributor starts from 0. */
INLINE void zero_first(const struct call *c, int k) {
  real *d = DIN(k);
  if (d && !ADDS(k)) memset(d, 0, (size_t)shape_count(SHAPE(k)) * sizeof(real));
}

#ifdef REAL_IS_FLOATING
/* ---- sums over many rows, which keep the digits of long float sums ---- */

/* sum + x, where earlier ones were rounded by *lost (Kahan 1965). */
INLINE V add_exactly(V sum, V x, V *lost) {
#if defined(REAL_IS_FLOAT)
  V one = x - *lost, after = sum + one, error = (after - sum) - one;
  *lost = choose(error == error, error, splat(0)); /* an infinite sum stays so */
  return after;
#else
  (void)lost;
  return sum + x;
#endif
}

/* y += x for n numbers; `lost`, unless it is NULL, as above. */
INLINE void add_row(int64_t n, const real *x, real *y, real *lost) {
  FOR_VECTORS((int64_t)0, lost ? n : 0) {
    V rest = READ(lost);
    WRITE(y, add_exactly(READ(y), READ(x), &rest));
    WRITE(lost, rest);
  }
  FOR_VECTORS((int64_t)0, lost ? 0 : n) WRITE(y, READ(y) + READ(x));
}

/* So many rows are summed first, then these sums. */
#define SUM_ROWS 64
#define SUM_VECTORS 4 /* at a time, as the next row is far away */

/* Those of some vectors of columns from number i on, the last one of `part` numbers. */
INLINE void sum_vectors(int vectors, int64_t i, int64_t part, const real *x, int64_t rows, int64_t columns, int add,
  real *sum) {
  V all[SUM_VECTORS], lost[SUM_VECTORS];
  UNROLL for (int v = 0; v < vectors; v++) all[v] = add ? READ(sum + v * VL) : splat(0), lost[v] = splat(0);
  for (int64_t from = 0; from < rows; from += SUM_ROWS) {
    V some[SUM_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) some[v] = splat(0);
    for (int64_t n = from; n < rows && n < from + SUM_ROWS; n++)
      UNROLL for (int v = 0; v < vectors; v++) some[v] += READ(x + n * columns + v * VL);
    UNROLL for (int v = 0; v < vectors; v++) all[v] = add_exactly(all[v], some[v], &lost[v]);
  }
  UNROLL for (int v = 0; v < vectors; v++) WRITE(sum + v * VL, all[v]);
}

/* Sums of the columns of x (rows, columns), added to or put in place of sum: this share. */
INLINE void sum_columns(const struct call *c, const real *x, int64_t rows, int64_t columns, int add, real *sum) {
  struct range r = share_of(columns, ALIGNMENT / (int64_t)sizeof(real), c->part, c->parts);
  for (; r.begin + SUM_VECTORS * VL <= r.end; r.begin += SUM_VECTORS * VL)
    sum_vectors(SUM_VECTORS, r.begin, VL, x, rows, columns, add, sum);
  FOR_VECTORS(r.begin, r.end) sum_vectors(1, i, part, x, rows, columns, add, sum);
}
#endif
