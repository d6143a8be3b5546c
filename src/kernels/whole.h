/* whole.h - one step of optimizers that look at a variable as a whole: at its size, or as a matrix. Formulas as in
 * Keras 3. Sums over a variable are taken by each member for itself, in one order, so that results do not depend on
 * their number. */

#define WHOLE_BLOCK 4096 /* numbers whose sum is taken in `real` */
#define FOR_BLOCKS(begin, end) \
  for (int64_t at = (begin), stop; stop = at + WHOLE_BLOCK < (end) ? at + WHOLE_BLOCK : (end), at < (end); at = stop)

/* As in optimizer_update(), whose share of the moving average this is, too. */
INLINE struct range whole_share(const struct whole *u, int64_t n) { return share_of(n, 1024, u->part, u->parts); }

/* The body adds a vector of numbers from `begin` to `end` to `terms`. */
#define ADD_UP(sum, begin, end, ...)              \
  FOR_BLOCKS((int64_t)(begin), end) {             \
    V terms = splat(0);                           \
    FOR_VECTORS(at, stop) { __VA_ARGS__ }         \
    (sum) += (double)hsum(terms);                 \
  }

static double sum_of_squares(int64_t n, const real *x) {
  double sum = 0;
  ADD_UP(sum, 0, n, terms += READ(x) * READ(x);)
  return sum;
}

static double sum_of(int64_t n, const real *x) {
  double sum = 0;
  ADD_UP(sum, 0, n, terms += READ(x);)
  return sum;
}

static void decay_weights(const struct whole *u, real *w) {
  struct range r = whole_share(u, u->n);
  const real decay = R(u->step->decay);
  if (decay == R(0)) return;
  FOR_VECTORS(r.begin, r.end) WRITE(w, READ(w) - decay * READ(w));
}

/* Numbers beyond the end count as 0. */
#define LAMB_STEP (first * READ(m) / (vsqrt(second * READ_OR(v, 1)) + epsilon))

/* ---- LAMB (You et al. 2020): Adam's step, as long as the variable. States: m, v. ---- */

static int lamb_whole(struct whole *u) {
  const struct update_step *s = u->step;
  real *w = u->weights, *m = u->state[0], *v = u->state[1];
  const real *g = u->gradients;
  const real beta1 = R(s->beta1), beta2 = R(s->beta2), epsilon = R(s->epsilon);
  const real first = R(s->first), second = R(s->second);
  struct range r = whole_share(u, u->n);
  V odd = splat(0);
  u->again = u->phase < 2;
  if (u->phase == 0) {
    decay_weights(u, w);
    FOR_VECTORS(r.begin, r.end) {
      WRITE(m, beta1 * READ(m) + (R(1) - beta1) * READ(g));
      WRITE(v, beta2 * READ(v) + (R(1) - beta2) * READ(g) * READ(g));
    }
  } else if (u->phase == 1) {
    double steps = 0, weights = sum_of_squares(u->n, w);
    ADD_UP(steps, 0, u->n, V step = LAMB_STEP; terms += step * step;)
    u->note = weights > 0 && steps > 0 ? sqrt(weights / steps) : 1;
  } else {
    const real rate = R(s->rate * u->note);
    FOR_VECTORS(r.begin, r.end) {
      WRITE(w, READ(w) - rate * LAMB_STEP);
      odd += READ(w) * R(0);
    }
  }
  return hsum(odd) == R(0);
}

/* ---- Adafactor (Shazeer & Stern 2018). States: of matrices the mean squares r of rows and c of columns, whose product
 * over the mean of r is the mean square v of each number; else v itself. ---- */

/* The share of the moving averages. */
static void adafactor_means(const struct whole *u) {
  const struct update_step *s = u->step;
  const real keep = R(s->beta2), more = R(1) - keep, epsilon = R(s->epsilon);
  const real *g = u->gradients;
  real *r = u->state[0], *c = u->state[1];
  int64_t columns = u->columns, matrix = u->rows * columns;
  if (u->rank < 2) {
    struct range own = whole_share(u, u->n);
    FOR_VECTORS(own.begin, own.end) WRITE(r, keep * READ(r) + more * (READ(g) * READ(g) + epsilon));
    return;
  }
  struct range own = share_of(u->n / columns, 64, u->part, u->parts);
  for (int64_t k = own.begin; k < own.end; k++)
    r[k] = keep * r[k] + more * (R(sum_of_squares(columns, g + k * columns) / (double)columns) + epsilon);
  own = share_of(columns, 64, u->part, u->parts);
  for (int64_t k = 0; k < u->n / matrix; k++) {
    real *to = c + k * columns;
    FOR_VECTORS(own.begin, own.end) WRITE(to, keep * READ(to));
    for (int64_t i = 0; i < u->rows; i++) {
      const real *from = g + k * matrix + i * columns;
      FOR_VECTORS(own.begin, own.end)
        WRITE(to, READ(to) + more / R(u->rows) * (READ(from) * READ(from) + epsilon));
    }
  }
}

/* From number `begin` to `end`: the sum of squares of the steps g / sqrt(v); or, if there is a rate, they are taken,
 * and it is 0 unless weights are no longer finite. */
static double adafactor_steps(const struct whole *u, int64_t begin, int64_t end, real rate) {
  const real *r = u->state[0], *c = u->state[1];
  int64_t columns = u->columns, group = -1;
  real mean = 0;
  double sum = 0;
  for (int64_t row = begin / columns; row * columns < end; row++) {
    const real *g = (const real *)u->gradients + row * columns, *v = u->rank < 2 ? r : c + row / u->rows * columns;
    real *w = (real *)u->weights + row * columns, root = 1;
    if (u->rank >= 2) {
      if (row / u->rows != group) {
        group = row / u->rows;
        mean = R(sum_of(u->rows, r + group * u->rows) / (double)u->rows);
      }
      root = R(sqrt((double)r[row] / (double)mean));
    }
    int64_t from = begin > row * columns ? begin - row * columns : 0;
    int64_t to = end < (row + 1) * columns ? end - row * columns : columns;
    ADD_UP(sum, from, to,
      V step = READ(g) / (root * vsqrt(READ_OR(v, 1)));
      if (rate == R(0)) {
        terms += step * step;
      } else {
        WRITE(w, READ(w) - rate * step);
        terms += READ(w) * R(0);
      })
  }
  return sum;
}

static int adafactor_whole(struct whole *u) {
  const struct update_step *s = u->step;
  double n = (double)u->n;
  u->again = u->phase < 2 && u->n > 0;
  if (u->n == 0) return 1;
  if (u->phase == 0) {
    decay_weights(u, u->weights);
  } else if (u->phase == 1) {
    adafactor_means(u);
    u->note = s->rate * fmax(s->epsilon_2, sqrt(sum_of_squares(u->n, u->weights) / n));
  } else {
    struct range r = whole_share(u, u->n);
    double size = sqrt(adafactor_steps(u, 0, u->n, 0) / n);
    real rate = R(u->note / fmax(1, size / s->clip_threshold));
    return rate == R(0) || adafactor_steps(u, r.begin, r.end, rate) == 0;
  }
  return 1;
}

/* ---- Muon (Jordan et al. 2024): the momentum made nearly orthogonal by Newton-Schulz iterations
 *
 *   X <- a X + (b A + c A A) X,   A = X X'
 *
 * which begin with the matrix over its size, its shorter side as rows. States: the momentum; nothing. The room has X
 * twice, A and b A + c A A. ---- */

#define MUON_DIRECTION(g, m) (of_gradient * (g) + of_momentum * (m))

/* X = G / |G|, turned if it is high. */
static void muon_begin(const struct whole *u, int64_t group, real *x) {
  const struct update_step *s = u->step;
  int64_t rows = u->rows, columns = u->columns, matrix = rows * columns;
  const real *g = (const real *)u->gradients + group * matrix, *m = (const real *)u->state[0] + group * matrix;
  const real of_gradient = R(s->nesterov), of_momentum = s->nesterov != 0 ? R(s->momentum) : R(1);
  double sum = 0;
  ADD_UP(sum, 0, matrix, V d = MUON_DIRECTION(READ(g), READ(m)); terms += d * d;)
  const real scale = R(1 / (sqrt(sum) + 1e-7));
  struct range r = whole_share(u, matrix);
  if (rows <= columns) {
    FOR_VECTORS(r.begin, r.end) WRITE(x, scale * MUON_DIRECTION(READ(g), READ(m)));
    return;
  }
  for (int64_t i = r.begin; i < r.end; i++) {
    int64_t from = i % rows * columns + i / rows;
    x[i] = scale * MUON_DIRECTION(g[from], m[from]);
  }
}

/* A quarter of an iteration. */
static void muon_iterate(const struct whole *u, int quarter, const real *x, real *next, real *square) {
  const struct update_step *s = u->step;
  int64_t high = u->rows < u->columns ? u->rows : u->columns, wide = u->rows + u->columns - high;
  real *both = square + high * high;
  struct slot slot = {.dtype = u->dtype};
  struct operand out = {.slot = 0};
  struct runner runner = {.may_rest = NULL};
  struct call call = {.slots = &slot, .out = &out, .runner = &runner, .part = u->part, .parts = u->parts};
  const real a = R(s->newton[0]), b = R(s->newton[1]), c = R(s->newton[2]);
  if (quarter == 0) {
    multiply(&call, high, high, wide, (struct matrix){x, wide, 1}, (struct matrix){x, 1, wide}, 0, square);
  } else if (quarter == 1) {
    multiply(&call, high, high, high, (struct matrix){square, high, 1}, (struct matrix){square, high, 1}, 0, both);
  } else if (quarter == 2) {
    struct range r = whole_share(u, high * high), of_next = whole_share(u, high * wide);
    FOR_VECTORS(r.begin, r.end) WRITE(both, b * READ(square) + c * READ(both));
    FOR_VECTORS(of_next.begin, of_next.end) WRITE(next, a * READ(x));
  } else {
    multiply(&call, high, wide, high, (struct matrix){both, high, 1}, (struct matrix){x, wide, 1}, 1, next);
  }
}

static int muon_end(const struct whole *u, int64_t group, const real *x) {
  int64_t rows = u->rows, columns = u->columns, matrix = rows * columns;
  const real rate = R(u->step->rate * u->scale);
  real *w = (real *)u->weights + group * matrix, odd = 0;
  struct range r = whole_share(u, matrix);
  for (int64_t i = r.begin; i < r.end; i++) {
    w[i] -= rate * (rows <= columns ? x[i] : x[i % columns * rows + i / columns]);
    odd += w[i] * R(0);
  }
  return odd == R(0);
}

static int muon_whole(struct whole *u) {
  const struct update_step *s = u->step;
  int64_t matrix = u->rows * u->columns;
  if (u->n == 0) {
    u->again = 0;
    return 1;
  }
  if (u->phase == 0) {
    real *m = u->state[0];
    const real *g = u->gradients, keep = R(s->momentum);
    struct range r = whole_share(u, u->n);
    decay_weights(u, u->weights);
    FOR_VECTORS(r.begin, r.end) WRITE(m, keep * READ(m) + READ(g));
    u->again = 1;
    return 1;
  }
  int phases = 2 + 4 * s->newton_steps, at = (u->phase - 1) % phases;
  int64_t group = (u->phase - 1) / phases;
  u->again = at < phases - 1 || group < u->n / matrix - 1;
  real *x[2] = {u->room, (real *)u->room + matrix}, *square = x[1] + matrix;
  if (at == 0) muon_begin(u, group, x[0]);
  else if (at == phases - 1) return muon_end(u, group, x[s->newton_steps % 2]);
  else muon_iterate(u, (at - 1) % 4, x[(at - 1) / 4 % 2], x[1 - (at - 1) / 4 % 2], square);
  return 1;
}
