/* depthwise.h - convolution with one or several filters for each channel, numbers of a vector side by side. */

/* The taps of a position that meet the source. */
struct seen {
  int64_t begin[SPATIAL], end[SPATIAL];
};

static struct seen taps_seen(const struct gather *p, const struct place *o) {
  struct seen s;
  for (int i = 0; i < SPATIAL; i++) {
    const struct reach *a = &p->axis[i];
    int64_t room = a->size - o->at[i];
    s.begin[i] = o->at[i] < 0 ? (-o->at[i] + a->gap - 1) / a->gap : 0;
    s.end[i] = room <= 0 ? 0 : (room - 1) / a->gap + 1;
    if (s.end[i] > a->taps) s.end[i] = a->taps;
  }
  return s;
}

/* Every `by`-th number from p on; each number `times` times, from number i / times on. */
INLINE V every(const real *p, int64_t by, int64_t part) {
  real lane[VL] = {0};
  if (by == 1) return part == VL ? load(p) : load_part(p, part, 0);
  for (int64_t l = 0; l < part; l++) lane[l] = p[l * by];
  return load(lane);
}
INLINE V repeated(const real *p, int64_t i, int64_t times, int64_t part) {
  real lane[VL] = {0};
  if (times == 1) return every(p + i, 1, part);
  for (int64_t l = 0; l < part; l++) lane[l] = p[(i + l) / times];
  return load(lane);
}

/* One position of the result: sums over taps, and over the filters of a channel on the way back. */
static void depthwise_row(const struct gather *p, const struct convolution *g, int back, const real *source,
  const real *kernel, const struct place *o, const struct result *y) {
  const struct reach *a = p->axis;
  struct seen s = taps_seen(p, o);
  int64_t times = g->filters / g->channels;
  real *to = y->at + o->result * p->result_channels;
  FOR_VECTORS((int64_t)0, p->result_channels) {
    V sum = y->add ? READ(to) : splat(0);
    for (int64_t t0 = s.begin[0]; t0 < s.end[0]; t0++) {
      for (int64_t t1 = s.begin[1]; t1 < s.end[1]; t1++) {
        const real *line = source + (((o->image * a[0].size + o->at[0] + t0 * a[0].gap) * a[1].size + o->at[1] +
          t1 * a[1].gap) * a[2].size) * p->source_channels;
        int64_t line_of_kernel = ((a[0].tap + t0 * a[0].tap_step) * g->k[1] + a[1].tap + t1 * a[1].tap_step) * g->k[2];
        for (int64_t t2 = s.begin[2]; t2 < s.end[2]; t2++) {
          const real *from = line + (o->at[2] + t2 * a[2].gap) * p->source_channels;
          const real *w = kernel + (line_of_kernel + a[2].tap + t2 * a[2].tap_step) * g->filters;
          if (!back) {
            sum += repeated(from, i, times, part) * READ(w);
          } else {
            for (int64_t j = 0; j < times; j++)
              sum += every(from + i * times + j, times, part) * every(w + i * times + j, times, part);
          }
        }
      }
    }
    WRITE(to, sum);
  }
}

/* What a line of positions adds to the kernel, tap by tap and vector by vector; `own` is the share. */
static void depthwise_kernel_line(const struct gather *p, const struct convolution *g, const real *x, const real *y,
  int64_t row, struct range own, const struct sum *s) {
  const struct reach *a = p->axis;
  struct place o = place_of(p, row);
  struct seen seen = taps_seen(p, &o); /* of the first two axes */
  int64_t times = g->filters / g->channels, taps = convolution_taps(g);
  for (int64_t u = own.begin; u < own.end; u++) {
    int64_t i = u / taps * VL, tap = u % taps, part = g->filters - i < VL ? g->filters - i : VL;
    int64_t t2 = tap % g->k[2], t1 = tap / g->k[2] % g->k[1], t0 = tap / g->k[2] / g->k[1];
    real *to = s->at + tap * g->filters;
    V sum = splat(0);
    if (t0 >= seen.begin[0] && t0 < seen.end[0] && t1 >= seen.begin[1] && t1 < seen.end[1]) {
      const real *line = x + (((o.image * a[0].size + o.at[0] + t0 * a[0].gap) * a[1].size + o.at[1] + t1 * a[1].gap) *
        a[2].size) * g->channels;
      for (int64_t q = 0; q < a[2].count; q++) {
        int64_t at = o.at[2] + q * a[2].step + t2 * a[2].gap;
        const real *dy = y + (row + q) * g->filters;
        if (at >= 0 && at < a[2].size) sum += repeated(line + at * g->channels, i, times, part) * READ(dy);
      }
    }
    PUT(to, s->add || row > 0, sum);
  }
}
