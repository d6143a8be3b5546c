/* softmax.h - softmax and log-softmax over the last axis, shifted by the row's maximum so that
 * nothing overflows; the cross-entropies that are fused with them. */

INLINE real row_max(const real *x, int64_t n) {
  V top = splat(R(-INFINITY));
  FOR_VECTORS((int64_t)0, n) top = vmax(READ_OR(x, R(-INFINITY)), top);
  return hmax(top);
}

/* log(sum(exp(x))) = top + rest. Their sum would lose the digits of `rest` where the logits are large: the top is
 * taken from a logit first, the rest from the difference. */
struct log_sum {
  real top, rest;
};
INLINE V shortfall(struct log_sum s, V x) { return s.rest - (x - s.top); } /* -log(softmax(x)) */

/* y = softmax(x), if it is wanted */
INLINE struct log_sum softmax_row(int64_t n, const real *x, real *y) {
  const real top = row_max(x, n);
  total sum = 0;
  FOR_VECTORS((int64_t)0, n) {
    V e = vexp_negative(READ(x) - top);
    if (y) WRITE(y, e);
    sum += (total)SUM_PART(e);
  }
  const real scale = R(1 / sum);
  if (y) FOR_VECTORS((int64_t)0, n) WRITE(y, READ(y) * scale);
  return (struct log_sum){top, R(log(sum))};
}

INLINE real row_total(int64_t n, const real *x) {
  total sum = 0;
  FOR_VECTORS((int64_t)0, n) sum += (total)SUM_PART(READ(x));
  return R(sum);
}

/* sum of a b over a row */
INLINE real row_dot(int64_t n, const real *a, const real *b) {
  total sum = 0;
  FOR_VECTORS((int64_t)0, n) sum += (total)SUM_PART(READ(a) * READ(b));
  return R(sum);
}

#define FOR_ROWS()                                                                           \
  const int64_t n = last_axis(SHAPE(0));                                                     \
  const struct range rows_ = share_rows(c, rows_of(SHAPE(0)));                               \
  for (int64_t row = rows_.begin; row < rows_.end; row++)

static void softmax_forward(const struct call *c) {
  FOR_ROWS() softmax_row(n, IN(0) + row * n, OUT + row * n);
}

/* dx = y (dy - sum(dy y)): the product with the full Jacobian diag(y) - y y' */
static void softmax_backward(const struct call *c) {
  FOR_ROWS() {
    const real *y = OUT + row * n, *dy = DOUT + row * n;
    real *dx = DIN(0) + row * n, inner = row_dot(n, y, dy);
    FOR_VECTORS((int64_t)0, n) PUT(dx, ADDS(0), READ(y) * (READ(dy) - inner));
  }
}

static void log_softmax_forward(const struct call *c) {
  FOR_ROWS() {
    const real *x = IN(0) + row * n;
    real *y = OUT + row * n;
    const struct log_sum s = softmax_row(n, x, y);
    FOR_VECTORS((int64_t)0, n) WRITE(y, -shortfall(s, READ(x)));
  }
}

/* dx = dy - exp(y) sum(dy) */
static void log_softmax_backward(const struct call *c) {
  FOR_ROWS() {
    const real *y = OUT + row * n, *dy = DOUT + row * n;
    real *dx = DIN(0) + row * n;
    const real sum = row_total(n, dy);
    FOR_VECTORS((int64_t)0, n) PUT(dx, ADDS(0), READ(dy) - vexp(READ(y)) * sum);
  }
}

/* Losses give one number per row: the sum over the last axis, or with ints[0] its mean. */
INLINE real loss_scale(const struct call *c) { return INT(0) ? R(1) / R(last_axis(SHAPE(0))) : R(1); }

/* From logits z: -sum t log softmax(z) = sum t (lse(z) - z). The targets of a row need not sum
 * to 1. Scratch keeps softmax(z); dz = softmax(z) sum(t) - t, dt = lse(z) - z. */
static void softmax_crossentropy_forward(const struct call *c) {
  FOR_ROWS() {
    const real *z = IN(0) + row * n, *t = IN(1) + row * n;
    const struct log_sum s = softmax_row(n, z, SAVED + row * n);
    total sum = 0;
    FOR_VECTORS((int64_t)0, n) sum += (total)SUM_PART(READ(t) * shortfall(s, READ(z)));
    OUT[row] = R(sum) * loss_scale(c);
  }
}

static void softmax_crossentropy_backward(const struct call *c) {
  FOR_ROWS() {
    const real *z = IN(0) + row * n, *t = IN(1) + row * n, *p = SAVED + row * n;
    real *dz = DIN(0), *dt = DIN(1), dy = DOUT[row] * loss_scale(c);
    if (dz) {
      const real sum = row_total(n, t);
      dz += row * n;
      FOR_VECTORS((int64_t)0, n) PUT(dz, ADDS(0), dy * (READ(p) * sum - READ(t)));
    }
    if (dt) {
      const struct log_sum s = softmax_row(n, z, NULL);
      dt += row * n;
      FOR_VECTORS((int64_t)0, n) PUT(dt, ADDS(1), dy * shortfall(s, READ(z)));
    }
  }
}

/* The class of a row, or -1 after telling the team that it is out of range. */
INLINE int64_t label_of(const struct call *c, int64_t row) {
  int64_t label = ((const int32_t *)input_slot(c, 1)->value)[row];
  if (label >= 0 && label < last_axis(SHAPE(0))) return label;
  report(c, STATUS_INDEX);
  return -1;
}

static void sparse_softmax_crossentropy_forward(const struct call *c) {
  FOR_ROWS() {
    const real *z = IN(0) + row * n;
    int64_t label = label_of(c, row);
    const struct log_sum s = softmax_row(n, z, SAVED + row * n);
    OUT[row] = label < 0 ? R(NAN) : s.rest - (z[label] - s.top);
  }
}

static void sparse_softmax_crossentropy_backward(const struct call *c) {
  FOR_ROWS() {
    const real *p = SAVED + row * n;
    real *dz = DIN(0) + row * n, dy = DOUT[row];
    int64_t label = label_of(c, row);
    FOR_VECTORS((int64_t)0, n) PUT(dz, ADDS(0), dy * READ(p));
    if (label >= 0) dz[label] -= dy;
  }
}
