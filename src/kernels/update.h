/* update.h - one step of an optimizer over a contiguous range: read each number once, write it once.
 * Formulas as in Keras 2.15. The caller folds bias corrections into s->rate. A product with 0 is 0 unless the number is
 * infinite or NaN: so weights that are not finite show without another look at them. */

#define UPDATE(name, step)                                                                          \
  static int name##_update(int64_t n, const struct update_step *s, void *weights, const void *gradients, \
    void *const *state) { \
    real *pw = weights, *p1 = state[0], *p2 = state[1], *p3 = state[2];                             \
    const real *pg = gradients;                                                                     \
    const real rate = R(s->rate), beta1 = R(s->beta1), beta2 = R(s->beta2), epsilon = R(s->epsilon); \
    const real decay = R(s->decay), gradient_rate = R(s->gradient_rate), scale = R(s->scale);       \
    const real l1 = R(s->l1), l2 = R(s->l2), shrinkage = R(2 * s->l2_shrinkage), power = R(s->power); \
    (void)rate, (void)beta1, (void)beta2, (void)epsilon, (void)gradient_rate, (void)scale, (void)l1, (void)l2, \
      (void)shrinkage, (void)power, (void)p1, (void)p2, (void)p3;                                    \
    V odd = splat(0);                                                                               \
    FOR_VECTORS((int64_t)0, n) {                                                                    \
      V w = READ(pw), g = READ(pg);                                                                 \
      w -= decay * w; /* Loshchilov & Hutter 2019: it does not pass through the moments */          \
      step                                                                                          \
      WRITE(pw, w);                                                                                 \
      odd += READ(pw) * R(0); /* not w, where lanes beyond the end may be anything */               \
    }                                                                                               \
    return hsum(odd) == R(0);                                                                       \
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

UPDATE(adamw, ADAM_STEP)

/* a += g^2; w -= rate g / sqrt(a + epsilon) (Duchi et al. 2011) */
UPDATE(adagrad, STATE(p1, v, READ(p1) + g * g) w -= rate * g / vsqrt(v + epsilon);)

/* s as in rmsprop; the step is sized by an average of past steps, too (Zeiler 2012) */
UPDATE(adadelta, STATE(p1, v, beta2 * READ(p1) + (R(1) - beta2) * g * g)
                 V step = vsqrt((READ(p2) + epsilon) / (v + epsilon)) * g;
                 STATE(p2, u, beta2 * READ(p2) + (R(1) - beta2) * step * step) (void)u;
                 w -= rate * step;)

/* Adam with the largest |g|, decaying, for a second moment (Kingma & Ba 2015, section 7.1).
 * rate = learning_rate / (1 - beta1^t). */
UPDATE(adamax, STATE(p1, m, beta1 * READ(p1) + (R(1) - beta1) * g) STATE(p2, u, vmax(beta2 * READ(p2), vabs(g)))
               w -= rate * m / (u + epsilon);)

/* Adam with Nesterov's momentum (Dozat 2016); scale = 1 / (1 - beta2^t) */
UPDATE(nadam, STATE(p1, m, beta1 * READ(p1) + (R(1) - beta1) * g) STATE(p2, v, beta2 * READ(p2) +
  (R(1) - beta2) * g * g)
              w -= (rate * m + gradient_rate * g) / (vsqrt(scale * v) + epsilon);)

/* Adam whose second moment never falls (Reddi et al. 2018) */
UPDATE(amsgrad, STATE(p1, m, beta1 * READ(p1) + (R(1) - beta1) * g) STATE(p2, v, beta2 * READ(p2) +
  (R(1) - beta2) * g * g)
                STATE(p3, top, vmax(READ(p3), v)) w -= rate * m / (vsqrt(top) + epsilon);)

/* rmsprop; centered (scale = 1): by the variance of g, not its second moment (Graves 2013); with momentum beta1 */
UPDATE(rmsprop_full, STATE(p1, v, beta2 * READ(p1) + (R(1) - beta2) * g * g) STATE(p2, mean, beta2 * READ(p2) +
  (R(1) - beta2) * g)
                     STATE(p3, m, beta1 * READ(p3) + rate * g / vsqrt(v - scale * mean * mean + epsilon)) w -= m;)

/* the sign of a mix of momentum and gradient (Chen et al. 2023) */
UPDATE(lion, V before = READ(p1); V mix = beta1 * before + (R(1) - beta1) * g;
             w -= rate * choose(mix > R(0), splat(1), choose(mix < R(0), splat(-1), splat(0)));
             STATE(p1, m, beta2 * before + (R(1) - beta2) * g)(void) m;)

/* McMahan et al. 2013, algorithm 1, with shrinkage; p1 the sum of squares, p2 the linear part */
#define FTRL_ROOT(x) (power == R(0.5) ? vsqrt(x) : vexp(power * vlog(x)))
UPDATE(ftrl, V before = READ(p1); STATE(p1, sum, before + g * g) V root = FTRL_ROOT(sum);
             STATE(p2, linear, READ(p2) + g + shrinkage * w - (root - FTRL_ROOT(before)) / rate * w)
             w = (vmin(vmax(linear, splat(-l1)), splat(l1)) - linear) / (root / rate + R(2) * l2);)

static void average_numbers(int64_t n, double keep, void *mean, const void *numbers) {
  real *to = mean;
  const real *from = numbers;
  FOR_VECTORS((int64_t)0, n) {
    V v = R(keep) * READ(to) + R(1 - keep) * READ(from);
    WRITE(to, v);
  }
}

static void fill_numbers(int64_t n, double value, void *numbers) {
  real *x = numbers;
  for (int64_t i = 0; i < n; i++) x[i] = R(value);
}

static int all_finite(int64_t n, const void *numbers) {
  const real *x = numbers;
  V sum = splat(0);
  FOR_VECTORS((int64_t)0, n) sum += READ(x) * R(0);
  return hsum(sum) == R(0);
}
