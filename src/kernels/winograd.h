/* winograd.h - convolutions by kernels of 3 x 3 (or 3 in one dimension) whose strides are 1, in fewer products.
 *
 * A tile of 4 x 4 results sees 6 x 6 numbers of the source. Both and the kernel are brought to 6 x 6 points, at which a
 * product per channel and filter is left, 36 in place of 144; in one dimension 6 in place of 12. Where more than that
 * would be lost at the edges, and for the gradient of the kernel, tiles have 2 x 2 results: 16 products in place of 36.
 * Along an axis (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016), F(2, 3):
 *
 *   source  d -> (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
 *   kernel  g -> (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2)
 *   result  m -> (m0 + m1 + m2, m1 - m2 - m3)
 *
 * and F(4, 3), from the points 0, 1, -1, a, -a and infinity, with b = a^2:
 *
 *   source  d -> (b d0 - (1 + b) d2 + d4, u + v, u - v, r + s, r - s, b d1 - (1 + b) d3 + d5)
 *                with u = d4 - b d2, v = d3 - b d1, r = d4 - d2, s = a (d3 - d1)
 *   kernel  g -> (g0 / b, (g0 + g1 + g2) / n, (g0 - g1 + g2) / n, (g0 + a g1 + b g2) / k, (g0 - a g1 + b g2) / k, g2)
 *                with n = 2 - 2 b, k = -b n
 *   result  m -> (m0 + p + q, x + a y, p + b q, x + a b y + m5)
 *                with p = m1 + m2, x = m1 - m2, q = m3 + m4, y = m3 - m4
 *
 * The gradient of the kernel goes the same ways back: results to points, points to taps, each map transposed. At each
 * point stands a matrix product, of tiles by channels with channels by filters. Numbers of a tile are added and
 * subtracted before they are multiplied, so that an infinite one makes the results that see it NaN; the others of its
 * tile are NaN, too.
 */

#define WINOGRAD_POINTS 36 /* at most */
#define WINOGRAD_DEPTH 64 /* channels of the source at a time */
#define WINOGRAD_ROWS 576 /* tiles at a time, times points */
#define LINE (ALIGNMENT / (int)sizeof(real)) /* points lie in different lines of the cache */
#define WINOGRAD_ROOM(rows, columns) ((rows) * (columns) + WINOGRAD_POINTS * LINE)

/* Tiles at a time, and how far apart the numbers of two points are. */
INLINE int64_t tiles_at_once(struct winograd w) { return w.columns == 0 ? 1 : w.lines == 1 ? 64 : 16; }
INLINE int64_t points_apart(int64_t tiles, int64_t columns) { return tiles * columns + LINE; }

static const real no_numbers[WINOGRAD_DEPTH]; /* beyond the source's end */

/* ---- along an axis, for tiles of m results, in place: numbers d[0], d[step], ... ---- */

#define POINT_A R(1.5)
#define POINT_B (POINT_A * POINT_A)
#define POINT_N (R(2) - R(2) * POINT_B)

INLINE void points_of_source(int m, V *d, int step) {
  V d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  if (m == 2) {
    d[0] = d0 - d2, d[step] = d1 + d2, d[2 * step] = d2 - d1, d[3 * step] = d1 - d3;
    return;
  }
  V d4 = d[4 * step], u = d4 - POINT_B * d2, v = d3 - POINT_B * d1, r = d4 - d2, s = d3 - d1;
  d[0] = POINT_B * d0 + (d4 - (R(1) + POINT_B) * d2);
  d[step] = u + v, d[2 * step] = u - v;
  d[3 * step] = r + POINT_A * s, d[4 * step] = r - POINT_A * s;
  d[5 * step] = POINT_B * d1 + (d[5 * step] - (R(1) + POINT_B) * d3);
}

INLINE void points_of_taps(int m, V *d, int step) {
  V d0 = d[0], d1 = d[step], d2 = d[2 * step];
  if (m == 2) {
    V outer = R(0.5) * (d0 + d2), middle = R(0.5) * d1;
    d[step] = outer + middle, d[2 * step] = outer - middle, d[3 * step] = d2;
    return;
  }
  V outer = (d0 + d2) / POINT_N, middle = d1 / POINT_N;
  V far = (d0 + POINT_B * d2) / (-POINT_B * POINT_N), half = POINT_A * d1 / (-POINT_B * POINT_N);
  d[0] = d0 / POINT_B;
  d[step] = outer + middle, d[2 * step] = outer - middle;
  d[3 * step] = far + half, d[4 * step] = far - half;
  d[5 * step] = d2;
}

INLINE void results_of_points(int m, V *d, int step) {
  V sum = d[step] + d[2 * step], difference = d[step] - d[2 * step];
  if (m == 2) {
    d[0] += sum, d[step] = difference - d[3 * step];
    return;
  }
  V far = d[3 * step] + d[4 * step], other = d[3 * step] - d[4 * step];
  d[0] += sum + far;
  d[step] = difference + POINT_A * other;
  d[2 * step] = sum + POINT_B * far;
  d[3 * step] = difference + (POINT_A * POINT_B * other + d[5 * step]);
}

/* The next two for m = 2 only. */
INLINE void points_of_results(int m, V *d, int step) {
  V y0 = d[0], y1 = d[step];
  (void)m;
  d[step] = y0 + y1, d[2 * step] = y0 - y1, d[3 * step] = -y1;
}

INLINE void taps_of_points(int m, V *d, int step) {
  V sum = R(0.5) * (d[step] + d[2 * step]), difference = R(0.5) * (d[step] - d[2 * step]);
  (void)m;
  d[0] += sum, d[step] = difference, d[2 * step] = sum + d[3 * step];
}

/* Points of a line and lines of points: where number (r, k) of a tile is. */
INLINE int line_points(struct winograd w) { return w.columns + 2; }
INLINE int lines_of_points(struct winograd w) { return w.lines > 1 ? w.lines + 2 : 1; }

/* Along each line of a tile, of which `before` have numbers, then across, where `after` columns have. */
INLINE void along_axes(void (*along)(int, V *, int), struct winograd w, int before, int after, V *d) {
  const int line = line_points(w), lines = w.lines > 1 ? before : 1, columns = w.lines > 1 ? after : 0;
  UNROLL for (int r = 0; r < lines; r++) along(w.columns, d + line * r, 1);
  UNROLL for (int k = 0; k < columns; k++) along(w.lines, d + k, line);
}

/* Each form is compiled for itself. */
#define WITH_FORM(w, f, ...)                                                            \
  do {                                                                                  \
    if ((w).lines == 1 && (w).columns == 2) f((struct winograd){1, 2}, __VA_ARGS__);    \
    else if ((w).lines == 1) f((struct winograd){1, 4}, __VA_ARGS__);                   \
    else if ((w).lines == 2) f((struct winograd){2, 2}, __VA_ARGS__);                   \
    else f((struct winograd){4, 4}, __VA_ARGS__);                                       \
  } while (0)

/* ---- tiles ---- */

struct tiles {
  int64_t lines, columns, count; /* of each image; of all */
};

static struct tiles tiles_of(const struct gather *p, struct winograd w) {
  struct tiles t = {(p->axis[1].count + w.lines - 1) / w.lines, (p->axis[2].count + w.columns - 1) / w.columns, 0};
  t.count = p->rows / (p->axis[1].count * p->axis[2].count) * t.lines * t.columns;
  return t;
}

/* A tile: its number, its image, its first result and the first number that it sees. */
struct winograd_tile {
  int64_t at, image, y[2], x[2];
};

INLINE void tile_sees(const struct gather *p, struct winograd_tile *o) {
  o->x[0] = o->y[0] + p->axis[1].first, o->x[1] = o->y[1] + p->axis[2].first;
}

static struct winograd_tile tile_at(const struct gather *p, const struct tiles *t, struct winograd w, int64_t i) {
  struct winograd_tile o = {.at = i, .image = i / t->columns / t->lines};
  o.y[0] = i / t->columns % t->lines * w.lines, o.y[1] = i % t->columns * w.columns;
  tile_sees(p, &o);
  return o;
}

INLINE void next_tile(const struct gather *p, const struct tiles *t, struct winograd w, struct winograd_tile *o) {
  o->at++, o->y[1] += w.columns;
  if (o->y[1] >= w.columns * t->columns) o->y[1] = 0, o->y[0] += w.lines;
  if (o->y[0] >= w.lines * t->lines) o->y[0] = 0, o->image++;
  tile_sees(p, o);
}

#define FOR_TILES(o, tiles) \
  for (struct winograd_tile o = tile_at(p, t, w, (tiles).begin); o.at < (tiles).end; next_tile(p, t, w, &o))

/* Where channel k of neighbours lies, in lines of `columns`. */
struct view {
  const real *from[WINOGRAD_POINTS];
};

/* Of a picture (size, channels), from place `at` on. */
INLINE void view_of(const real *picture, const int64_t *size, int64_t channels, const int64_t *at, int64_t k, int lines,
  int columns, struct view *v) {
  const real *from = picture + (at[0] * size[1] + at[1]) * channels + k;
  int inside = at[0] >= 0 && at[0] + lines <= size[0] && at[1] >= 0 && at[1] + columns <= size[1];
  UNROLL for (int r = 0; r < lines; r++)
    UNROLL for (int c = 0; c < columns; c++) {
      int64_t i = at[0] + r, j = at[1] + c;
      int there = inside || (i >= 0 && i < size[0] && j >= 0 && j < size[1]);
      v->from[columns * r + c] = there ? from + (r * size[1] + c) * channels : no_numbers;
    }
}

/* n channels of a view at the points: number q at to[q * step]. */
INLINE void view_points(void (*along)(int, V *, int), struct winograd w, int lines, int columns, const struct view *v,
  int64_t n, real *to, int64_t step) {
  const int line = line_points(w), points = lines_of_points(w) * line;
  FOR_VECTORS((int64_t)0, n) {
    V d[WINOGRAD_POINTS];
    UNROLL for (int r = 0; r < lines; r++)
      UNROLL for (int c = 0; c < columns; c++) d[line * r + c] = READ(v->from[columns * r + c]);
    along_axes(along, w, lines, line, d);
    UNROLL for (int q = 0; q < points; q++) store(to + q * step + i, d[q]);
  }
}

/* Channels k .. k + n - 1 of what some tiles see of the source, at the points (points, tiles, depth). */
INLINE void source_points(struct winograd w, const struct gather *p, const struct tiles *t, struct range tiles,
  const real *source, int64_t k, int64_t n, int64_t depth, int64_t apart, real *to) {
  const int64_t size[] = {p->axis[1].size, p->axis[2].size};
  const int lines = lines_of_points(w), columns = line_points(w);
  FOR_TILES(o, tiles) {
    struct view v;
    view_of(source + o.image * size[0] * size[1] * p->source_channels, size, p->source_channels, o.x, k, lines,
      columns, &v);
    view_points(points_of_source, w, lines, columns, &v, n, to, apart);
    to += depth;
  }
}

/* ---- the kernel at the points: for each panel of results (points, channels, width), zeros to the right ---- */

INLINE void pack_points(struct winograd w, const real *row, int64_t filled, int64_t step, real *to) {
  const int taps = w.lines == 1 ? 3 : 9, line = line_points(w), points = lines_of_points(w) * line;
  for (int64_t i = 0; i < filled; i += VL) {
    V d[WINOGRAD_POINTS];
    UNROLL for (int t = 0; t < taps; t++) d[t / 3 * line + t % 3] = load(row + t * filled + i);
    along_axes(points_of_taps, w, 3, line, d);
    UNROLL for (int q = 0; q < points; q++) store(to + q * step + i, d[q]);
  }
}

static void winograd_pack(const struct call *c, const struct convolution *g, int back, const real *kernel,
  real *packed) {
  const struct winograd w = winograd_form(g, back);
  int64_t rest[SPATIAL] = {0}, unit = 0, points = winograd_points(w);
  struct gather p;
  gather_plan(&p, g, back, rest);
  for (int64_t n = 0, width; n < p.out; n += width) {
    width = panel_width(p.out - n);
    int64_t filled = filled_width(width), taps = p.depth / p.in, step = p.in * filled;
    for (int64_t k = 0; k < p.in; k++) {
      if (unit++ % c->parts != c->part) continue;
      real row[9 * NR * VL], *to = packed + k * filled;
      for (int64_t t = 0; t < taps; t++) {
        const real *tap = kernel + tap_of(&p, g, t) * g->channels * g->filters;
        struct matrix b = back ? (struct matrix){tap + n * g->filters + k, 1, g->filters} :
          (struct matrix){tap + k * g->filters + n, g->filters, 1};
        pack_panel(1, width, filled, b, row + t * filled);
      }
      WITH_FORM(w, pack_points, row, filled, step, to);
    }
    packed += points * p.in * filled;
  }
}

/* ---- results ---- */

/* `width` channels of the results of some tiles, from y->at + n on, from what is at the points. */
INLINE void tile_results(struct winograd w, const struct gather *p, const struct tiles *t, struct range tiles,
  const real *at_points, int64_t filled, int64_t apart, int64_t n, int64_t width, const struct result *y) {
  const struct reach *a = p->axis;
  const int size = line_points(w), points = lines_of_points(w) * size;
  FOR_TILES(o, tiles) {
    int64_t lines = a[1].count - o.y[0], columns = a[2].count - o.y[1]; /* there are */
    int64_t row = p->result_channels, line = a[2].count * row;
    real *to = y->at + (o.image * a[1].count + o.y[0]) * line + o.y[1] * row + n;
    FOR_VECTORS((int64_t)0, width) {
      V d[WINOGRAD_POINTS];
      UNROLL for (int q = 0; q < points; q++) d[q] = load(at_points + q * apart + i);
      along_axes(results_of_points, w, lines_of_points(w), w.columns, d);
      UNROLL for (int r = 0; r < w.lines; r++)
        UNROLL for (int k = 0; k < w.columns; k++)
          if (r < lines && k < columns) PUT(to + r * line + k * row, y->add, d[size * r + k]);
    }
    at_points += filled;
  }
}

/* Bias and activation of some tiles, a run of neighbours at a time. */
static void finish_tiles(struct winograd w, const struct gather *p, const struct tiles *t, struct range tiles,
  const struct result *y) {
  int64_t row = p->result_channels;
  for (int64_t j = tiles.begin, n; j < tiles.end; j += n) {
    struct winograd_tile o = tile_at(p, t, w, j);
    int64_t left = t->columns - o.y[1] / w.columns, columns = p->axis[2].count - o.y[1];
    n = left < tiles.end - j ? left : tiles.end - j;
    if (columns > w.columns * n) columns = w.columns * n;
    for (int64_t r = 0; r < w.lines && o.y[0] + r < p->axis[1].count; r++)
      finish(columns, row, y->after,
        y->at + ((o.image * p->axis[1].count + o.y[0] + r) * p->axis[2].count + o.y[1]) * row, row);
  }
}

INLINE void winograd_tiles(struct winograd w, const struct gather *p, const struct tiles *t, struct range tiles,
  const real *source, const real *packed, const struct result *y) {
  _Alignas(ALIGNMENT) real seen[WINOGRAD_ROOM(WINOGRAD_ROWS, WINOGRAD_DEPTH)];
  _Alignas(ALIGNMENT) real found[WINOGRAD_ROOM(WINOGRAD_ROWS, NR * VL)];
  int64_t points = winograd_points(w), most = filled_width(p->in < WINOGRAD_DEPTH ? p->in : WINOGRAD_DEPTH);
  int64_t apart = points_apart(tiles_at_once(w), most);
  for (int64_t n = 0, width; n < p->out; n += width) {
    width = panel_width(p->out - n);
    int64_t filled = filled_width(width), found_apart = points_apart(tiles_at_once(w), filled);
    for (int64_t k = 0, deep; k < p->in; k += deep) {
      deep = p->in - k < WINOGRAD_DEPTH ? p->in - k : WINOGRAD_DEPTH;
      if (n == 0 || p->in > WINOGRAD_DEPTH) source_points(w, p, t, tiles, source, k, deep, most, apart, seen);
      for (int64_t q = 0; q < points; q++) {
        real *to = found + q * found_apart;
        tile_columns((int)(filled / VL), tiles.end - tiles.begin, (struct sums){&(struct terms){0, 0, deep}, 1},
          (struct matrix){seen + q * apart, most, 1}, packed + (q * p->in + k) * filled, filled,
          k ? (struct start){to, filled} : (struct start){zeros, 0}, to, filled);
      }
    }
    tile_results(w, p, t, tiles, found, filled, found_apart, n, width, y);
    packed += points * p->in * filled;
  }
}

/* y from x (or x from y: `back`); the kernel is packed already. */
static void winograd_products(const struct call *c, const struct convolution *g, int back, const real *source,
  const real *packed, const struct result *y) {
  const struct winograd w = winograd_form(g, back);
  int64_t rest[SPATIAL] = {0};
  struct gather p;
  gather_plan(&p, g, back, rest);
  struct tiles t = tiles_of(&p, w);
  struct range r = share_of(t.count, tiles_at_once(w), c->part, c->parts);
  double work = 2.0 * (double)(winograd_points(w) * p.in) * (double)p.out;
  for (int64_t j = r.begin, n; j < r.end; j += n) {
    n = r.end - j < tiles_at_once(w) ? r.end - j : tiles_at_once(w);
    if (may_rest(c, work * (double)n)) return;
    struct range some = {j, j + n};
    WITH_FORM(w, winograd_tiles, &p, &t, some, source, packed, y);
    if (!back) finish_tiles(w, &p, &t, some, y);
  }
}

/* ---- the kernel from x and y ---- */

/* Channels, filters and tiles at a time, of each divided by the number of axes. Tiles are many, since the sums, too
 * many for the first-level cache, are read and written each time. */
#define WINOGRAD_WIDTH 64
#define WINOGRAD_TILES 128

/* What some tiles add to the kernel at the points: `channels` by `width` filters from f on. */
INLINE void kernel_points(struct winograd w, const struct gather *p, const struct tiles *t, struct range tiles,
  const real *x, const real *y, struct range channels, int64_t f, int64_t width, int add, real *sums) {
  _Alignas(ALIGNMENT) real of_x[WINOGRAD_ROOM(4 * WINOGRAD_TILES, WINOGRAD_WIDTH)];
  _Alignas(ALIGNMENT) real of_y[WINOGRAD_ROOM(4 * WINOGRAD_TILES, WINOGRAD_WIDTH)];
  const int64_t size[] = {p->axis[1].count, p->axis[2].count};
  const int64_t most = WINOGRAD_TILES / w.lines, deep = filled_width(channels.end - channels.begin);
  int64_t filled = filled_width(width), n = tiles.end - tiles.begin, all = filled_width(p->out);
  int64_t x_apart = points_apart(most, deep), y_apart = points_apart(most, filled);
  source_points(w, p, t, tiles, x, channels.begin, channels.end - channels.begin, deep, x_apart, of_x);
  FOR_TILES(o, tiles) {
    struct view v;
    view_of(y + o.image * size[0] * size[1] * p->result_channels, size, p->result_channels, o.y, f, w.lines, 2, &v);
    view_points(points_of_results, w, w.lines, 2, &v, width, of_y + (o.at - tiles.begin) * filled, y_apart);
  }
  for (int64_t q = 0; q < winograd_points(w); q++) {
    for (int64_t i = 0, some; i < filled; i += some) {
      some = panel_width(filled - i);
      real *to = sums + (q * p->in + channels.begin) * all + f + i;
      tile_columns((int)(some / VL), channels.end - channels.begin, (struct sums){&(struct terms){0, 0, n}, 1},
        (struct matrix){of_x + q * x_apart, 1, deep}, of_y + q * y_apart + i, filled,
        add ? (struct start){to, all} : (struct start){zeros, 0}, to, all);
    }
  }
}

/* Taps of some channels and filters from the points. */
INLINE void kernel_taps(struct winograd w, const struct gather *p, struct range channels, int64_t f, int64_t width,
  const real *sums, const struct sum *s) {
  const int points = w.lines == 2 ? 16 : 4, taps = w.lines == 2 ? 9 : 3;
  int64_t all = filled_width(p->out);
  for (int64_t k = channels.begin; k < channels.end; k++) {
    FOR_VECTORS(f, f + width) {
      V d[WINOGRAD_POINTS];
      UNROLL for (int q = 0; q < points; q++) d[q] = load(sums + (q * p->in + k) * all + i);
      along_axes(taps_of_points, w, 4, 3, d);
      UNROLL for (int t = 0; t < taps; t++)
        PUT(s->at + (t * p->in + k) * p->out, s->add, d[t / 3 * 4 + t % 3]);
    }
  }
}

/* Channels `own` of the kernel, and those of its filters that s->columns has. `sums`: (points, channels,
 * filters in whole vectors). */
static void winograd_kernel(const struct call *c, const struct convolution *g, const real *x, const real *y,
  struct range own, const struct sum *s, real *sums) {
  const struct winograd line = {1, 2}, square = {2, 2}, w = winograd_form(g, 0).lines == 1 ? line : square;
  struct gather p;
  gather_plan(&p, g, 0, NULL);
  struct tiles t = tiles_of(&p, w);
  int64_t most = WINOGRAD_TILES / w.lines, most_width = WINOGRAD_WIDTH / w.lines;
  for (int64_t f = s->columns.begin, width; f < s->columns.end; f += width) {
    width = s->columns.end - f < most_width ? s->columns.end - f : most_width;
    for (int64_t k = own.begin, n; k < own.end; k += n) {
      n = own.end - k < most_width ? own.end - k : most_width;
      struct range channels = {k, k + n};
      double work = 2.0 * (double)(winograd_points(w) * n) * (double)width;
      for (int64_t j = 0, some; j < t.count; j += some) {
        some = t.count - j < most ? t.count - j : most;
        if (may_rest(c, work * (double)some)) return;
        struct range tiles = {j, j + some};
        if (w.lines == 2) kernel_points(square, &p, &t, tiles, x, y, channels, f, width, j > 0, sums);
        else kernel_points(line, &p, &t, tiles, x, y, channels, f, width, j > 0, sums);
      }
      if (w.lines == 2) kernel_taps(square, &p, channels, f, width, sums, s);
      else kernel_taps(line, &p, channels, f, width, sums, s);
    }
  }
}
