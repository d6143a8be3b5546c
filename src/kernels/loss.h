/* loss.h - losses of predictions p and targets t: one number per row, the sum or the mean over the
 * last axis. Targets may be variables too (distillation, variational models), so both derivatives
 * are there. a and b are the op's parameters. */

#define LOSS(name, f, slope_p, slope_t)                                                             \
  static void name##_forward(const struct call *c) {                                                \
    const real a = REAL_ATTR(0), b = REAL_ATTR(1);                                                  \
    (void)a, (void)b;                                                                               \
    FOR_ROWS() {                                                                                    \
      const real *pp = IN(0) + row * n, *pt = IN(1) + row * n;                                      \
      total sum = 0;                                                                                \
      FOR_VECTORS((int64_t)0, n) {                                                                  \
        V p = READ(pp), t = READ(pt);                                                               \
        sum += (total)SUM_PART(f);                                                                  \
      }                                                                                             \
      OUT[row] = R(sum) * loss_scale(c);                                                            \
    }                                                                                               \
  }                                                                                                 \
  static void name##_backward(const struct call *c) {                                               \
    const real a = REAL_ATTR(0), b = REAL_ATTR(1);                                                  \
    (void)a, (void)b;                                                                               \
    FOR_ROWS() {                                                                                    \
      const real *pp = IN(0) + row * n, *pt = IN(1) + row * n, dy = DOUT[row] * loss_scale(c);      \
      real *dp = DIN(0) ? DIN(0) + row * n : NULL, *dt = DIN(1) ? DIN(1) + row * n : NULL;          \
      FOR_VECTORS((int64_t)0, n) {                                                                  \
        V p = READ(pp), t = READ(pt);                                                               \
        (void)p, (void)t;                                                                           \
        if (dp) PUT(dp, ADDS(0), dy * (slope_p));                                                   \
        if (dt) PUT(dt, ADDS(1), dy * (slope_t));                                                   \
      }                                                                                             \
    }                                                                                               \
  }

INLINE V vsign(V x) { return choose(x > R(0), ONE, choose(x < R(0), splat(R(-1)), ZERO)); }
/* NaN stays NaN */
INLINE V clipped(V p, real low, real high) { return choose(p < low, splat(low), choose(p > high, splat(high), p)); }
/* 1 where clipping to [low, high] lets the gradient through */
INLINE V inside(V p, real low, real high) { return choose((p < low) | (p > high), ZERO, ONE); }

LOSS(squared_error, (p - t) * (p - t), R(2) * (p - t), R(2) * (t - p))
LOSS(absolute_error, vabs(p - t), vsign(p - t), vsign(t - p))

/* Huber 1964; a = delta */
INLINE V huber_value(V e, real a) { return choose(vabs(e) <= a, R(0.5) * e * e, a * vabs(e) - R(0.5) * a * a); }
LOSS(huber, huber_value(p - t, a), clipped(p - t, -a, a), -clipped(p - t, -a, a))

/* log(cosh(e)). Near 0 it is -log(1 - tanh(e)^2) / 2, which keeps its digits; elsewhere nothing overflows. */
INLINE V logcosh_value(V e) {
  V a = vabs(e), t = vtanh(a);
  return choose(a < R(0.5), R(-0.5) * vlog1p(-t * t), a + vlog1p(vexp_negative(R(-2) * a)) - R(0.69314718055994530942));
}
LOSS(logcosh, logcosh_value(p - t), vtanh(p - t), vtanh(t - p))

/* From probabilities: q = clip(p, a, 1 - a), -(t log(q + b) + (1 - t) log(1 - q + b)). Keras clips
 * and adds (a = b = 1e-7); the course's class adds only (a = 0, b = 1e-9). */
INLINE V binary_value(V q, V t, real b) { return -(t * vlog(q + b) + (R(1) - t) * vlog(R(1) - q + b)); }
INLINE V binary_slope(V q, V t, real b) { return (R(1) - t) / (R(1) - q + b) - t / (q + b); }
LOSS(binary_crossentropy, binary_value(clipped(p, a, R(1) - a), t, b),
     inside(p, a, R(1) - a) * binary_slope(clipped(p, a, R(1) - a), t, b),
     vlog(R(1) - clipped(p, a, R(1) - a) + b) - vlog(clipped(p, a, R(1) - a) + b))

/* From logits: max(z, 0) - z t + log(1 + e), e = exp(-|z|). Logarithms are dear, so the terms 1 + e
 * (at most 2 each) of 32 vectors are multiplied and one logarithm is taken of the product; where e is
 * small that would lose digits, and log(1 + e) is its series. Scratch keeps dz = sigmoid(z) - t;
 * dt = -z. */
#if defined(REAL_IS_FLOAT)
#define SERIES_BELOW R(0.015625)
#else
#define SERIES_BELOW R(1e-4)
#endif
#define NO_DOUBT R(-1e4) /* a logit whose loss with target 0 is 0: behind the end of a row */

static void sigmoid_crossentropy_forward(const struct call *c) {
  FOR_ROWS() {
    const real *pz = IN(0) + row * n, *pt = IN(1) + row * n;
    real *pd = SAVED + row * n;
    total sum = 0;
    for (int64_t from = 0; from < n; from += 32 * VL) {
      int64_t to = from + 32 * VL < n ? from + 32 * VL : n;
      V product = ONE, rest = ZERO;
      FOR_VECTORS(from, to) {
        V z = READ_OR(pz, NO_DOUBT), t = READ(pt), e = vexp_negative(-vabs(z)), d = e + R(1);
        WRITE(pd, choose(z < R(0), e, ONE) / d - t);
        V series = e * (R(1) - e * (R(0.5) - e * (R(1.0 / 3) - R(0.25) * e)));
        V linear = vmax(z, ZERO) - z * t;
        rest += linear + choose(e < SERIES_BELOW, series, ZERO);
        product *= choose(e < SERIES_BELOW, ONE, d);
      }
      sum += (total)hsum(rest + vlog(product));
    }
    OUT[row] = R(sum) * loss_scale(c);
  }
}

static void sigmoid_crossentropy_backward(const struct call *c) {
  FOR_ROWS() {
    const real *pz = IN(0) + row * n, *pd = SAVED + row * n, dy = DOUT[row] * loss_scale(c);
    real *dz = DIN(0) ? DIN(0) + row * n : NULL, *dt = DIN(1) ? DIN(1) + row * n : NULL;
    FOR_VECTORS((int64_t)0, n) {
      if (dz) PUT(dz, ADDS(0), dy * READ(pd));
      if (dt) PUT(dt, ADDS(1), -dy * READ(pz));
    }
  }
}

/* t log(t / p), both clipped to [a, 1] */
LOSS(kl_divergence, clipped(t, a, R(1)) * vlog(clipped(t, a, R(1)) / clipped(p, a, R(1))),
     -inside(p, a, R(1)) * clipped(t, a, R(1)) / clipped(p, a, R(1)),
     inside(t, a, R(1)) * (vlog(clipped(t, a, R(1)) / clipped(p, a, R(1))) + R(1)))

/* From probabilities, first divided by their sum s (Keras): q = clip(p / s, a, 1 - a),
 * -sum t log(q + b). With m the clip's mask: dp_j = -m_j t_j / (q_j + b) / s + sum_i m_i t_i q_i / (q_i + b) / s.
 * ints[1]: divide by the sum? The course's class does not. */
INLINE real probability_sum(const struct call *c, const real *p, int64_t n) {
  return INT(1) ? row_total(n, p) : R(1);
}

static void categorical_crossentropy_forward(const struct call *c) {
  const real a = REAL_ATTR(0), b = REAL_ATTR(1);
  FOR_ROWS() {
    const real *p = IN(0) + row * n, *t = IN(1) + row * n;
    const real s = R(1) / probability_sum(c, p, n);
    total sum = 0;
    FOR_VECTORS((int64_t)0, n) sum -= (total)SUM_PART(READ(t) * vlog(clipped(READ(p) * s, a, R(1) - a) + b));
    OUT[row] = R(sum) * loss_scale(c);
  }
}

static void categorical_crossentropy_backward(const struct call *c) {
  const real a = REAL_ATTR(0), b = REAL_ATTR(1);
  FOR_ROWS() {
    const real *p = IN(0) + row * n, *t = IN(1) + row * n, dy = DOUT[row] * loss_scale(c);
    real *dp = DIN(0) ? DIN(0) + row * n : NULL, *dt = DIN(1) ? DIN(1) + row * n : NULL;
    const real s = R(1) / probability_sum(c, p, n);
    total pulled = 0;
    for (int pass = INT(1) ? 0 : 1; pass < 2; pass++) {
      FOR_VECTORS((int64_t)0, n) {
        V raw = READ(p) * s, q = clipped(raw, a, R(1) - a);
        V pull = inside(raw, a, R(1) - a) * READ(t) / (q + b);
        if (pass == 0) pulled += (total)SUM_PART(pull * q);
        if (pass == 1 && dp) PUT(dp, ADDS(0), dy * s * (R(pulled) - pull));
        if (pass == 1 && dt) PUT(dt, ADDS(1), -dy * vlog(q + b));
      }
    }
  }
}

/* The same for labels: t is 1 at the label. */
static void sparse_categorical_crossentropy_forward(const struct call *c) {
  const real a = REAL_ATTR(0), b = REAL_ATTR(1);
  FOR_ROWS() {
    const real *p = IN(0) + row * n;
    int64_t label = label_of(c, row);
    real q = label < 0 ? R(NAN) : p[label] / probability_sum(c, p, n);
    q = q < a ? a : q > R(1) - a ? R(1) - a : q;
    OUT[row] = -R(log((double)(q + b)));
  }
}

static void sparse_categorical_crossentropy_backward(const struct call *c) {
  const real a = REAL_ATTR(0), b = REAL_ATTR(1);
  FOR_ROWS() {
    const real *p = IN(0) + row * n, dy = DOUT[row];
    real *dp = DIN(0) + row * n;
    int64_t label = label_of(c, row);
    real s = R(1) / probability_sum(c, p, n);
    real q = label < 0 ? R(NAN) : p[label] * s;
    real pull = q < a || q > R(1) - a ? R(0) : dy * s / (q + b);
    FOR_VECTORS((int64_t)0, n) PUT(dp, ADDS(0), splat(INT(1) ? pull * q : R(0)));
    if (label >= 0) dp[label] -= pull;
  }
}
