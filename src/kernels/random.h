/* random.h - random numbers. Each depends on the program's and its node's seed and its place alone (a counter-based
 * generator), not on who draws it: splitmix64's output function of Steele et al. (2014), twice. */

INLINE uint64_t mix_bits(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

INLINE uint64_t key_of(const struct call *c) { return mix_bits(c->seeds[0] + 0x9e3779b97f4a7c15u * c->seeds[1]); }
INLINE uint64_t bits_at(uint64_t key, int64_t i, uint64_t draw) {
  return mix_bits(mix_bits(key + 0x9e3779b97f4a7c15u * (uint64_t)(i + 1)) + draw);
}

/* Number `draw` of element i, uniform in (0, 1). */
INLINE double uniform_at(const struct call *c, int64_t i, uint64_t draw) {
  return ((double)(bits_at(key_of(c), i, draw) >> 12) + 0.5) * 0x1p-52;
}

/* Box & Muller (1958) */
INLINE double normal_at(const struct call *c, int64_t i, uint64_t draw) {
  return sqrt(-2 * log(uniform_at(c, i, draw))) * cos(6.283185307179586477 * uniform_at(c, i, draw + 1));
}

/* a and b: the ends, or mean and standard deviation */
#define RANDOM(name, expression)                                                          \
  static void name##_forward(const struct call *c) {                                      \
    struct range r = share(c, shape_count(OUT_SHAPE));                                    \
    const double a = c->attr->reals[0], b = c->attr->reals[1];                  \
    real *y = OUT;                                                                        \
    for (int64_t i = r.begin; i < r.end; i++) y[i] = R(expression);                       \
  }

/* rounded to float, a number just below b may become b */
INLINE double below(double x, double a, double b) {
#if defined(REAL_IS_FLOAT)
  if ((float)x >= (float)b && a < b) return (double)nextafterf((float)b, (float)a);
#else
  (void)a, (void)b;
#endif
  return x;
}
RANDOM(random_uniform, below(a + (b - a) * uniform_at(c, i, 0), a, b))
RANDOM(random_normal, a + b * normal_at(c, i, 0))

/* beyond two standard deviations: another draw, as in Keras */
INLINE double truncated_at(const struct call *c, int64_t i) {
  for (uint64_t draw = 0;; draw += 2) {
    double z = normal_at(c, i, draw);
    if (z >= -2 && z <= 2) return z;
  }
}
RANDOM(random_truncated_normal, a + b * truncated_at(c, i))

/* Which element's draw element i takes: its own, but along axes with INT(axis) set that of the first. */
INLINE int64_t draw_of(const struct call *c, int64_t i) {
  const struct shape *s = OUT_SHAPE;
  int64_t at = 0, unit = 1;
  if (c->attr->n_ints == 0) return i;
  for (int axis = s->rank - 1; axis >= 0; axis--) {
    if (!INT(axis)) at += i % s->dim[axis] * unit;
    unit *= s->dim[axis];
    i /= s->dim[axis];
  }
  return at;
}

/* uniform_at() >= rate, as bits */
INLINE uint64_t least_kept(double rate) { return (uint64_t)ceil(rate * 0x1p52 - 0.5) << 12; }

/* y = [y +] x / (1 - rate), or 0 where the draw is below the rate (Srivastava et al. 2014) */
static void dropout(const struct call *c, const real *x, int add, real *y) {
  const double rate = c->attr->reals[0];
  const real scale = R(1 / (1 - rate));
  const uint64_t key = key_of(c), least = least_kept(rate);
  struct range r = share(c, shape_count(OUT_SHAPE));
  uint64_t bits[64]; /* drawn in a loop of its own, by vectors */
  real kept[64];
  for (int64_t at = r.begin; at < r.end; at += 64) {
    const real *from = x + at;
    real *to = y + at;
    int64_t n = r.end - at < 64 ? r.end - at : 64;
    if (c->attr->n_ints) for (int j = 0; j < 64; j++) bits[j] = bits_at(key, draw_of(c, at + j), 0);
    else for (int j = 0; j < 64; j++) bits[j] = bits_at(key, at + j, 0);
    for (int j = 0; j < 64; j++) kept[j] = R(bits[j] >= least); /* no jumps, which nobody could foresee */
    FOR_VECTORS((int64_t)0, n) PUT(to, add, choose(load(kept + i) > R(0), READ(from) * scale, splat(0)));
  }
}
static void dropout_forward(const struct call *c) { dropout(c, IN(0), 0, OUT); }
static void dropout_backward(const struct call *c) { dropout(c, DOUT, ADDS(0), DIN(0)); } /* draws the same again */

static void gaussian_noise_forward(const struct call *c) {
  struct range r = share(c, shape_count(OUT_SHAPE));
  const double stddev = c->attr->reals[0];
  for (int64_t i = r.begin; i < r.end; i++) OUT[i] = IN(0)[i] + R(stddev * normal_at(c, i, 0));
}
static void gaussian_noise_backward(const struct call *c) {
  struct range r = share(c, shape_count(OUT_SHAPE));
  real *dx = DIN(0);
  FOR_VECTORS(r.begin, r.end) PUT(dx, ADDS(0), READ(DOUT));
}
