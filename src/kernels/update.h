/* update.h - one step of an optimizer over a contiguous range: read each number once, write it once.
 * Formulas as in Keras 2.15. The caller folds bias corrections into s->rate. Penalties join the
 * gradient: g + l1 sign(w) + 2 l2 w. */

INLINE V penalty_slope(V w, real l1, real l2) { return l1 * vsign(w) + R(2) * l2 * w; }

#define UPDATE(name, step)                                                                          \
  static void name##_update(int64_t n, const struct update_step *s, void *weights, const void *gradients, void *state1, \
                            void *state2) {                                                         \
    real *pw = weights, *p1 = state1, *p2 = state2;                                                 \
    const real *pg = gradients;                                                                     \
    const real rate = R(s->rate), beta1 = R(s->beta1), beta2 = R(s->beta2), epsilon = R(s->epsilon); \
    const real l1 = R(s->l1), l2 = R(s->l2), decay = R(s->decay);                               \
    const int penalized = l1 != R(0) || l2 != R(0);                                                 \
    (void)beta1, (void)beta2, (void)epsilon, (void)decay, (void)p1, (void)p2;                       \
    FOR_VECTORS((int64_t)0, n) {                                                                    \
      V w = READ(pw), g = READ(pg);                                                                 \
      if (penalized) g += penalty_slope(w, l1, l2);                                                  \
      step                                                                                          \
      WRITE(pw, w);                                                                                 \
    }                                                                                               \
  }
#define STATE(p, v, expression) \
  V v = (expression);           \
  WRITE(p, v);

UPDATE(sgd, w -= rate * g;)

/* v = beta1 v - rate g; w += v (Polyak 1964) */
UPDATE(momentum, STATE(p1, v, beta1 * READ(p1) - rate * g) w += v;)

/* as above, then w += beta1 v - rate g (Sutskever et al. 2013) */
UPDATE(nesterov, STATE(p1, v, beta1 * READ(p1) - rate * g) w += beta1 * v - rate * g;)

/* s = beta2 s + (1 - beta2) g^2; w -= rate g / sqrt(s + epsilon) (Hinton 2012) */
UPDATE(rmsprop, STATE(p1, v, beta2 * READ(p1) + (R(1) - beta2) * g * g) w -= rate * g / vsqrt(v + epsilon);)

/* Kingma & Ba 2015, algorithm 1 in its "epsilon-hat" form: epsilon beside the uncorrected root.
 * rate = learning_rate sqrt(1 - beta2^t) / (1 - beta1^t). */
#define ADAM_STEP                                                                                   \
  STATE(p1, m, beta1 * READ(p1) + (R(1) - beta1) * g)                                               \
  STATE(p2, v, beta2 * READ(p2) + (R(1) - beta2) * g * g)                                           \
  w -= rate * m / (vsqrt(v) + epsilon);
UPDATE(adam, ADAM_STEP)

/* Loshchilov & Hutter 2019: the decay does not pass through the moments */
UPDATE(adamw, w -= decay * w; ADAM_STEP)

/* a += g^2; w -= rate g / sqrt(a + epsilon) (Duchi et al. 2011) */
UPDATE(adagrad, STATE(p1, v, READ(p1) + g * g) w -= rate * g / vsqrt(v + epsilon);)

static void penalty_sums(int64_t n, const void *weights, double *l1, double *l2) {
  const real *w = weights;
  for (int64_t from = 0; from < n; from += 1024) {
    int64_t to = from + 1024 < n ? from + 1024 : n;
    V a = splat(0), s = splat(0);
    FOR_VECTORS(from, to) {
      V x = READ(w);
      a += vabs(x);
      s += x * x;
    }
    *l1 += (double)hsum(a);
    *l2 += (double)hsum(s);
  }
}

static void penalize_gradient(int64_t n, double l1, double l2, const void *weights, void *gradients) {
  const real *w = weights;
  real *g = gradients;
  FOR_VECTORS((int64_t)0, n) PUT(g, 1, penalty_slope(READ(w), R(l1), R(l2)));
}
