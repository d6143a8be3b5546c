/* normalize.h - mean and variance, and what they make of the numbers: see src/normalize.h for the letters.
 *
 * Numbers are read once for both: block by block of rows that stay in the cache, first the mean, then the squares of
 * what is left. Blocks are put together in double, by their means, so that nothing large cancels. */

/* What is known of the parts: mean and 1 / sqrt(variance + epsilon). */
struct known {
  struct normalize n;
  const real *mean, *rate, *scale, *offset;
};

/* Vectors of all channels; with groups of several channels each by itself. STAT is the number of the part. */
#define FOR_CHANNELS(n)                                                                       \
  for (int64_t g = 0, span = (n).each == 1 ? (n).channels : (n).each; g * span < (n).channels; g++) \
    FOR_VECTORS(g * span, (g + 1) * span)
#define STAT(n, p) ((n).each == 1 ? READ(p) : splat((p)[g]))

INLINE real rate_of(double variance, double epsilon) { return R(1 / sqrt(variance + epsilon)); }

static void open_normalize(const struct call *c, struct known *k) {
  normalize_layout(&k->n, SHAPE(0), c->attr);
  k->scale = k->n.scale < 0 ? NULL : IN(k->n.scale);
  k->offset = k->n.offset < 0 ? NULL : IN(k->n.offset);
  real *saved = SAVED;
  k->mean = saved ? saved : k->n.mean < 0 ? NULL : IN(k->n.mean);
  k->rate = saved ? saved + k->n.leading * k->n.groups : NULL;
}

/* Of given variances, at `rate` in the workspace: found in the first phase. */
static void open_given(const struct call *c, struct known *k, real *rate) {
  struct range r = share(c, k->n.mean >= 0 && c->phase == 0 ? k->n.channels : 0);
  for (int64_t i = r.begin; i < r.end; i++) rate[i] = rate_of((double)IN(k->n.variance)[i], c->attr->reals[0]);
  if (k->n.mean >= 0) k->rate = rate;
}

/* What becomes of a channel's numbers: (x - mean) factor + offset, negative ones 0 where a relu is fused. */
struct channel {
  V mean, factor, offset;
};
/* scale and offset may be missing */
INLINE struct channel channel_of(V mean, V rate, const real *scale, const real *offset, int64_t i, int64_t part) {
  struct channel o = {mean, rate, ZERO};
  if (scale) o.factor = rate * READ(scale);
  if (offset) o.offset = READ(offset);
  return o;
}
#define CHANNEL(k, mean, rate) \
  channel_of(STAT((k)->n, mean), STAT((k)->n, rate), (k)->scale, (k)->offset, i, part)

INLINE V normalized(const struct channel *o, V x) { return (x - o->mean) * o->factor + o->offset; }

/* The gradient that passes a fused relu: times 1 or 0, as relu's own, so that NaN and Inf stay seen. */
INLINE V passed(const struct known *k, const struct channel *o, V x, V dy) {
  if (k->n.relu) return dy * choose(normalized(o, x) > R(0), splat(1), ZERO);
  return dy;
}

/* Some rows at a time, which stay in the first-level cache while their channels are passed one after the other. */
#define ROWS_AT_ONCE(n) (1 + 4096 / ((n).channels + 1))
#define FOR_ROW_BLOCKS(n, all)                                                                 \
  for (int64_t row = (all).begin, rows, lead; row < (all).end; row += rows)                    \
    if (lead = row / (n).reduced, rows = (lead + 1) * (n).reduced - row,                       \
        rows = rows < ROWS_AT_ONCE(n) ? rows : ROWS_AT_ONCE(n),                                \
        rows = rows < (all).end - row ? rows : (all).end - row, 1)

INLINE void normalize_rows(const struct known *k, int64_t lead, int64_t rows, const real *x, real *y) {
  const real *mean = k->mean + lead * k->n.groups, *rate = k->rate + lead * k->n.groups;
  const int64_t step = k->n.channels;
  FOR_CHANNELS(k->n) {
    const struct channel o = CHANNEL(k, mean, rate);
    for (int64_t r = 0; r < rows; r++) {
      V value = normalized(&o, READ(x + r * step));
      if (k->n.relu) value = choose(value <= R(0), ZERO, value);
      WRITE(y + r * step, value);
    }
  }
}

/* ---- statistics ---- */

/* Of n numbers in a row, by pieces, as row_sum() does. */
static void row_moments(int64_t n, const real *x, double *mean, double *variance) {
  const real centre = R((double)row_sum(x, n) / (double)n);
  double squares = 0, rest = 0;
  for (int64_t from = 0; from < n; from += 1024) {
    int64_t to = from + 1024 < n ? from + 1024 : n;
    V sum = splat(0), square = splat(0);
    FOR_VECTORS(from, to) {
      V off = READ_OR(x, centre) - centre;
      sum += off;
      square += off * off;
    }
    squares += (double)hsum(square);
    rest += (double)hsum(sum);
  }
  *mean = (double)centre;
  *variance = (squares - rest * rest / (double)n) / (double)n; /* the mean was rounded */
}

/* sum = the sum over rows r of `term`: four sums at a time, which need not wait for each other */
#define ADD_ROWS(sum, rows, term)                                           \
  do {                                                                      \
    V s0_ = splat(0), s1_ = s0_, s2_ = s0_, s3_ = s0_;                      \
    int64_t r = 0;                                                          \
    for (; r + 3 < (rows);) {                                               \
      s0_ = s0_ + (term), r++;                                              \
      s1_ = s1_ + (term), r++;                                              \
      s2_ = s2_ + (term), r++;                                              \
      s3_ = s3_ + (term), r++;                                              \
    }                                                                       \
    for (; r < (rows); r++) s0_ = s0_ + (term);                             \
    (sum) = (s0_ + s1_) + (s2_ + s3_);                                      \
  } while (0)

/* A block of rows, `at` its first number in x, and so many sums for each channel. */
struct rows {
  int64_t lead, rows, at;
  const real *x;
  real *sums;
};

/* Block `unit` of all A x blocks. */
INLINE struct rows rows_at(const struct normalize *n, int64_t unit, const real *x, int each, real *sums) {
  int64_t lead = unit / n->blocks, row = unit % n->blocks * NORMALIZE_BLOCK, rows = n->reduced - row;
  int64_t at = (lead * n->reduced + row) * n->channels;
  return (struct rows){lead, rows < NORMALIZE_BLOCK ? rows : NORMALIZE_BLOCK, at, x + at,
    sums + each * unit * n->channels};
}

/* Means of this share of blocks, sums of squares about them, and what they were rounded by, times the rows. */
static void block_moments(const struct call *c, const struct normalize *n, real *sums) {
  struct range units = share_rows(c, n->leading * n->blocks);
  for (int64_t unit = units.begin; unit < units.end; unit++) {
    const struct rows b = rows_at(n, unit, IN(0), 3, sums);
    FOR_VECTORS((int64_t)0, n->channels) {
      V sum, square = splat(0), rest = square;
      ADD_ROWS(sum, b.rows, READ(b.x + r * n->channels));
      const V mean = sum / R(b.rows);
      for (int64_t r = 0; r < b.rows; r++) {
        V off = READ(b.x + r * n->channels) - mean;
        square += off * off;
        rest += off;
      }
      WRITE(b.sums, mean);
      WRITE(b.sums + n->channels, square);
      WRITE(b.sums + 2 * n->channels, rest);
    }
  }
}

/* Mean and variance of part g of leading index `lead`, from its blocks. */
static void part_moments(const struct normalize *n, int64_t lead, int64_t g, const real *sums, double *mean,
  double *variance) {
  const double count = (double)n->reduced * (double)n->each;
  sums += lead * n->blocks * 3 * n->channels + g * n->each;
  for (int pass = 0; pass < 2; pass++) {
    double total = 0;
    for (int64_t b = 0; b < n->blocks; b++) {
      const real *own = sums + b * 3 * n->channels;
      int64_t left = n->reduced - b * NORMALIZE_BLOCK;
      double rows = (double)(left < NORMALIZE_BLOCK ? left : NORMALIZE_BLOCK);
      for (int64_t j = 0; j < n->each; j++) {
        double rest = (double)own[2 * n->channels + j] / rows, off = (double)own[j] + rest - *mean;
        total += pass ? (double)own[n->channels + j] + rows * (off * off - rest * rest) : rows * off;
      }
    }
    if (pass) *variance = total / count;
    else *mean = total / count;
  }
}

/* Mean and variance of some parts. */
static void find_moments(const struct call *c, const struct normalize *n, struct range parts) {
  real *work = WORKSPACE, *saved = SAVED;
  for (int64_t p = parts.begin; p < parts.end && saved; p++) {
    double mean = 0, variance = 0;
    if (n->by_row) row_moments(n->each, IN(0) + p * n->each, &mean, &variance);
    else part_moments(n, p / n->groups, p % n->groups, work, &mean, &variance);
    OUTPUT(1)[p] = saved[p] = R(mean);
    OUTPUT(2)[p] = R(variance);
    saved[n->leading * n->groups + p] = rate_of(variance, c->attr->reals[0]);
  }
}

/* Of columns: blocks, parts, rows. Rows have their statistics by themselves, given ones are prepared. */
static void normalize_forward(const struct call *c) {
  struct known k;
  open_normalize(c, &k);
  const struct normalize *n = &k.n;
  const struct range all = share_rows(c, n->leading * n->reduced);
  int last = n->mean >= 0 ? 1 : n->by_row ? 0 : 2;
  open_given(c, &k, WORKSPACE);
  if (n->mean < 0 && n->by_row) find_moments(c, n, (struct range){all.begin * n->groups, all.end * n->groups});
  if (last == 2 && c->phase == 0) block_moments(c, n, WORKSPACE);
  if (last == 2 && c->phase == 1) find_moments(c, n, share_rows(c, n->leading * n->groups));
  if (c->phase < last) {
    next_phase(c);
    return;
  }
  FOR_ROW_BLOCKS(*n, all) normalize_rows(&k, lead, rows, IN(0) + row * n->channels, OUT + row * n->channels);
}

/* ---- the way back ----
 *
 * With u = scale dy and e = x - mean, of a part with N numbers and the rate r:
 * dx = r u + e (2 dvariance - r^3 sum(u e)) / N + (dmean - r sum(u)) / N; the latter two are 0 where statistics are
 * given. */

struct slopes {
  real *by_off, *constant; /* of each part: dx = r u + by_off e + constant */
};

static void find_slopes(const struct call *c, const struct known *k, int64_t p, double sum, double sum_off,
  real *by_off, real *constant) {
  const double count = (double)k->n.reduced * (double)k->n.each, rate = (double)k->rate[p];
  const real *dmean = DOUTPUT(1), *dvariance = DOUTPUT(2);
  *by_off = R(((dvariance ? 2 * (double)dvariance[p] : 0) - rate * rate * rate * sum_off) / count);
  *constant = R(((dmean ? (double)dmean[p] : 0) - rate * sum) / count);
}

/* One row at a time; the sums of scale and offset by blocks of rows. */
static void rows_back(const struct call *c, const struct known *k, real *sums) {
  const struct normalize *n = &k->n;
  struct range units = share_rows(c, n->blocks);
  const real *gradient = DOUTPUT(0);
  for (int64_t unit = units.begin; unit < units.end; unit++) {
    int64_t from = unit * NORMALIZE_BLOCK, to = from + NORMALIZE_BLOCK < n->leading ? from + NORMALIZE_BLOCK :
      n->leading;
    real *own = sums + 2 * unit * n->channels;
    memset(own, 0, (size_t)(2 * n->channels) * sizeof(real));
    for (int64_t p = from * n->groups; p < to * n->groups; p++) {
      int64_t at = p * n->each, first = p % n->groups * n->each;
      const real *x = IN(0) + at, *dy = gradient ? gradient + at : NULL, *scale = k->scale ? k->scale + first : NULL;
      const real *offset = k->offset ? k->offset + first : NULL;
      const real mean = k->mean[p], rate = k->rate[p];
      real *offsets = own + first, *scales = offsets + n->channels, *dx = DIN(0) ? DIN(0) + at : NULL;
      real by_off, constant;
      V sum = splat(0), sum_off = sum;
      FOR_VECTORS((int64_t)0, dy ? n->each : 0) {
        const struct channel o = channel_of(splat(mean), splat(rate), scale, offset, i, part);
        V off = READ(x) - mean, slope = passed(k, &o, READ(x), READ(dy));
        PUT(offsets, 1, slope);
        PUT(scales, 1, slope * off * rate);
        if (scale) slope = slope * READ(scale);
        sum += slope;
        sum_off += slope * off;
      }
      find_slopes(c, k, p, (double)hsum(sum), (double)hsum(sum_off), &by_off, &constant);
      FOR_VECTORS((int64_t)0, dx ? n->each : 0) {
        const struct channel o = channel_of(splat(mean), splat(rate), scale, offset, i, part);
        V slope = ZERO;
        if (dy) slope = passed(k, &o, READ(x), READ(dy)) * o.factor;
        PUT(dx, ADDS(0), slope + (READ(x) - mean) * by_off + constant);
      }
    }
  }
}

/* Sums over rows of dy and of dy e, for each channel of this share of blocks: of even rows and of odd ones. */
static void block_slopes(const struct call *c, const struct known *k, real *sums) {
  const struct normalize *n = &k->n;
  struct range units = share_rows(c, n->leading * n->blocks);
  const real *gradient = DOUTPUT(0);
  for (int64_t unit = units.begin; unit < units.end; unit++) {
    const struct rows b = rows_at(n, unit, IN(0), 2, sums);
    const real *dy = gradient ? gradient + b.at : NULL;
    const real *mean = k->mean + b.lead * n->groups, *rate = k->rate + b.lead * n->groups;
    FOR_CHANNELS(*n) {
      const struct channel o = CHANNEL(k, mean, rate);
      V sum = ZERO, sum_off = ZERO, odd = ZERO, odd_off = ZERO;
      for (int64_t r = 0; r < b.rows && dy; r++) {
        V x = READ(b.x + r * n->channels), slope = passed(k, &o, x, READ(dy + r * n->channels)), swap = odd;
        odd = sum + slope, sum = swap;
        swap = odd_off, odd_off = sum_off + slope * (x - o.mean), sum_off = swap;
      }
      WRITE(b.sums, sum + odd);
      WRITE(b.sums + n->channels, sum_off + odd_off);
    }
  }
}

/* Of this share of parts: the sums of each channel over all blocks, of dy and of dy e r, which take the place of those
 * of the first block, and the slopes. */
static void part_slopes(const struct call *c, const struct known *k, real *sums, const struct slopes *s) {
  const struct normalize *n = &k->n;
  struct range parts = share_rows(c, n->leading * n->groups);
  for (int64_t p = parts.begin; p < parts.end; p++) {
    int64_t first = p % n->groups * n->each;
    real *own = sums + p / n->groups * n->blocks * 2 * n->channels;
    double sum = 0, sum_off = 0;
    for (int64_t j = first; j < first + n->each && n->blocks; j++) {
      double total = 0, total_off = 0, scale = k->scale ? (double)k->scale[j] : 1;
      for (int64_t b = 0; b < n->blocks; b++) {
        total += (double)own[b * 2 * n->channels + j];
        total_off += (double)own[(b * 2 + 1) * n->channels + j];
      }
      own[j] = R(total);
      own[n->channels + j] = R(total_off * (double)k->rate[p]);
      sum += scale * total;
      sum_off += scale * total_off;
    }
    s->by_off[p] = s->constant[p] = 0;
    if (n->mean < 0) find_slopes(c, k, p, sum, sum_off, &s->by_off[p], &s->constant[p]);
  }
}

static void columns_back(const struct call *c, const struct known *k, const struct slopes *s) {
  const struct normalize *n = &k->n;
  const struct range all = share_rows(c, n->leading * n->reduced);
  const int64_t step = n->channels;
  FOR_ROW_BLOCKS(*n, all) {
    const real *x = IN(0) + row * step, *dy = DOUTPUT(0) ? DOUTPUT(0) + row * step : NULL;
    const real *mean = k->mean + lead * n->groups, *rate = k->rate + lead * n->groups;
    const real *by_off = s->by_off + lead * n->groups, *constant = s->constant + lead * n->groups;
    real *dx = DIN(0) + row * step;
    FOR_CHANNELS(*n) {
      const struct channel o = CHANNEL(k, mean, rate);
      const V each = STAT(*n, by_off), all_same = STAT(*n, constant);
      for (int64_t r = 0; r < rows; r++) {
        V value = READ(x + r * step), slope = ZERO;
        if (dy) slope = passed(k, &o, value, READ(dy + r * step)) * o.factor;
        PUT(dx + r * step, ADDS(0), slope + (value - o.mean) * each + all_same);
      }
    }
  }
}

/* The gradients of scale, offset and given statistics, from phase `first` on: `blocks` times two sums for each channel,
 * `step` apart. */
static void channels_back(const struct call *c, const struct known *k, const real *sums, int64_t blocks, int64_t step,
  int first) {
  const struct normalize *n = &k->n;
  const int inputs[] = {n->scale, n->offset, n->mean, n->variance}; /* in order, as one tensor may be several */
  struct range r = share(c, n->channels);
  for (int which = 0; which < 4; which++) {
    int which_sum = which == 0 || which == 3;
    if (inputs[which] < 0 || !is_due(c, inputs[which], first)) continue;
    real *d = DIN(inputs[which]);
    for (int64_t j = r.begin; j < r.end; j++) {
      double total = 0, scale = k->scale ? (double)k->scale[j] : 1;
      for (int64_t b = 0; b < blocks; b++) total += (double)sums[b * step + which_sum * n->channels + j];
      if (which == 2) total *= -scale * (double)k->rate[j];
      if (which == 3) total *= -0.5 * scale * (double)k->rate[j] * (double)k->rate[j];
      d[j] = (ADDS(inputs[which]) ? d[j] : 0) + R(total);
    }
  }
}

static void normalize_backward(const struct call *c) {
  struct known k;
  open_normalize(c, &k);
  const struct normalize *n = &k.n;
  const int64_t parts = n->leading * n->groups, step = 2 * n->channels * (n->by_row ? 1 : n->blocks);
  real *sums = WORKSPACE, *rest = sums ? sums + step * (n->by_row ? n->blocks : n->leading) : NULL;
  if (n->by_row) {
    if (c->phase == 0) rows_back(c, &k, sums);
  } else {
    const struct slopes s = {rest, rest ? rest + parts : NULL};
    open_given(c, &k, rest ? rest + 2 * parts : NULL);
    if (c->phase == 0) block_slopes(c, &k, sums);
    if (c->phase == 1) part_slopes(c, &k, sums, &s);
    if (c->phase < 2) {
      next_phase(c);
      return;
    }
    if (is_due(c, 0, 2)) columns_back(c, &k, &s);
  }
  channels_back(c, &k, sums, n->by_row ? n->blocks : n->blocks ? n->leading : 0, step, n->by_row ? 1 : 2);
}
