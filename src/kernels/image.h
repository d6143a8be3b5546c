/* image.h - pictures seen through a transform of the plane, see src/ops/image.h. Places are computed in double. */

/* The pixels of a source of so many rows and columns whose weighted mean a place is: where each begins among those of
 * its picture, in pixels, and the weight of what lies outside. */
struct taps {
  int n;
  int64_t at[4];
  real weight[4], outside;
};

/* Places that lie outside of 0 .. n - 1 are moved in. Between a period's last pixel and the next one's first it is the
 * last one's. */
INLINE double fold(double at, int64_t size, int64_t mode) {
  const double n = (double)size, period = 2 * n;
  if (mode == FILL_CONSTANT || (at >= 0 && at <= n - 1) || !(at - at == 0)) return at;
  if (mode == FILL_REFLECT) { /* d c b a | a b c d | d c b a */
    at -= period * floor(at / period);
    if (at > n - 0.5) at = period - at - 1;
  }
  if (mode == FILL_WRAP) at -= n * floor(at / n); /* a b c d | a b c d | a b c d */
  return at < 0 ? 0 : at > n - 1 ? n - 1 : at;
}

INLINE void add_tap(struct taps *t, double row, double column, int64_t rows, int64_t columns, double weight) {
  if (weight == 0) return; /* so that the identity passes all numbers on */
  if (row < 0 || column < 0 || row >= (double)rows || column >= (double)columns) {
    t->outside += R(weight);
    return;
  }
  t->at[t->n] = (int64_t)row * columns + (int64_t)column;
  t->weight[t->n++] = R(weight);
}

/* Of column u and row v of the result. What is no number lies nowhere: its weight is NaN. */
INLINE struct taps taps_at(const struct call *c, const real *a, double u, double v, int64_t rows, int64_t columns) {
  struct taps t = {0, {0}, {0}, 0};
  const double k = (double)a[6] * u + (double)a[7] * v + 1;
  double column = ((double)a[0] * u + (double)a[1] * v + (double)a[2]) / k;
  double row = ((double)a[3] * u + (double)a[4] * v + (double)a[5]) / k;
  if (k == 0) {
    t.outside = 1;
    return t;
  }
  column = fold(column, columns, INT(IMAGE_FILL)), row = fold(row, rows, INT(IMAGE_FILL));
  if (column != column || row != row) {
    t.outside = R(NAN);
  } else if (INT(IMAGE_NEAREST)) {
    add_tap(&t, round(row), round(column), rows, columns, 1);
  } else {
    const double r = floor(row), s = floor(column), down = row - r, right = column - s;
    add_tap(&t, r, s, rows, columns, (1 - down) * (1 - right));
    add_tap(&t, r, s + 1, rows, columns, (1 - down) * right);
    add_tap(&t, r + 1, s, rows, columns, down * (1 - right));
    add_tap(&t, r + 1, s + 1, rows, columns, down * right);
  }
  return t;
}

INLINE const real *transform_of(const struct call *c, int64_t image) {
  return IN(1) + (SHAPE(1)->dim[0] == 1 ? 0 : 8 * image);
}

/* to (+)= what `from` looks like: lines of the result are independent of each other. */
static void image_seen(const struct call *c, const struct shape *source, const real *from, const struct shape *result,
  int add, double fill, real *to) {
  const int64_t rows = source->dim[1], columns = source->dim[2], n = source->dim[3];
  const int64_t high = result->dim[1], wide = result->dim[2];
  struct range r = share_rows(c, result->dim[0] * high);
  for (int64_t line = r.begin; line < r.end; line++) {
    const int64_t image = line / high;
    const real *picture = from + image * rows * columns * n;
    for (int64_t u = 0; u < wide; u++) {
      real *y = to + (line * wide + u) * n;
      struct taps t = taps_at(c, transform_of(c, image), (double)u, (double)(line % high), rows, columns);
      const real rest = t.outside != 0 ? t.outside * R(fill) : R(0);
      for (int64_t i = 0; i < n; i++) {
        real sum = rest;
        for (int k = 0; k < t.n; k++) sum += t.weight[k] * picture[t.at[k] * n + i];
        y[i] = add ? y[i] + sum : sum;
      }
    }
  }
}

/* The way back: what each number of `from`, which is like a result, adds to the pixels that it was the mean of. A
 * picture falls to one member, so that sums do not depend on their number. */
static void image_spread(const struct call *c, const struct shape *result, const real *from,
  const struct shape *source, int add, real *to) {
  const int64_t rows = source->dim[1], columns = source->dim[2], n = source->dim[3];
  const int64_t high = result->dim[1], wide = result->dim[2], size = rows * columns * n;
  struct range r = share_rows(c, source->dim[0]);
  if (!add && size && r.begin < r.end)
    memset(to + r.begin * size, 0, (size_t)((r.end - r.begin) * size) * sizeof(real));
  for (int64_t image = r.begin; image < r.end; image++) {
    for (int64_t v = 0; v < high; v++) {
      for (int64_t u = 0; u < wide; u++) {
        const real *y = from + ((image * high + v) * wide + u) * n;
        struct taps t = taps_at(c, transform_of(c, image), (double)u, (double)v, rows, columns);
        for (int k = 0; k < t.n; k++)
          for (int64_t i = 0; i < n; i++) to[image * size + t.at[k] * n + i] += t.weight[k] * y[i];
      }
    }
  }
}

/* No gradient reaches transforms. */
static void no_gradient(const struct call *c, int k) {
  if (is_due(c, k, 0) && c->part == 0) zero_first(c, k);
}

static void transform_image_forward(const struct call *c) {
  image_seen(c, SHAPE(0), IN(0), OUT_SHAPE, 0, c->attr->reals[0], OUT);
}
static void transform_image_backward(const struct call *c) {
  if (is_due(c, 0, 0)) image_spread(c, OUT_SHAPE, DOUT, SHAPE(0), ADDS(0), DIN(0));
  no_gradient(c, 1);
}

static void transform_image_back_forward(const struct call *c) {
  image_spread(c, SHAPE(0), IN(0), OUT_SHAPE, 0, OUT);
}
static void transform_image_back_backward(const struct call *c) {
  if (is_due(c, 0, 0)) image_seen(c, OUT_SHAPE, DOUT, SHAPE(0), ADDS(0), 0, DIN(0));
  no_gradient(c, 1);
}
