/* convolution.h - y = activation(x * W + b), and the same solved for x and for W: see src/convolution.h.
 *
 * Each is a matrix product, by the tiles of multiply.h. The rows of one factor are patches: what a position of the
 * result sees, K numbers, tap by tap. The whole matrix of patches is never there: a few rows at a time are copied
 * ("packed"), zeros where the source ends, and multiplied with all columns of the other factor.
 *
 * conv          y (rows, F/G)   = patches of x (rows, K) times kernel (K, F/G)
 * conv_transpose x (rows, C/G)  = patches of y times the kernel turned round, one product for each remainder of the
 *                                 positions of x by the strides, as others see other taps of the kernel
 * conv_kernel   W (K, F/G)      = patches of x, transposed, times y
 *
 * The kernel is packed first, by all members, in panels as wide as tiles.
 */

#define PATCH_ROWS (64 / MR * MR)
#define PATCH_DEPTH 256
#define PATCH_ROW (PATCH_DEPTH + ALIGNMENT / (int)sizeof(real)) /* columns lie in different lines of the cache */

/* Room for a packed kernel in the workspace, behind `used` numbers; there is none where none is needed. */
#define PACKED(used) (WORKSPACE ? WORKSPACE + (used) : NULL)

/* A product with patches of a source: those of one remainder, or all. */
struct gather {
  struct reach axis[SPATIAL];
  int64_t source_channels, result_channels; /* of all groups */
  int64_t result_size[SPATIAL];             /* of all remainders */
  int64_t groups, in, out;                  /* channels of a group in the source and in the result */
  int64_t rows, depth;
};

static void gather_plan(struct gather *p, const struct convolution *g, int back, const int64_t *rest) {
  int64_t rows = g->images, taps = 1;
  for (int i = 0; i < SPATIAL; i++) {
    p->axis[i] = back ? reach_back(g, i, rest[i]) : reach_forward(g, i);
    p->result_size[i] = back ? g->x[i] : g->y[i];
    rows *= p->axis[i].count, taps *= p->axis[i].taps;
  }
  p->source_channels = back ? g->filters : g->channels;
  p->result_channels = back ? g->channels : g->filters;
  p->groups = g->groups;
  p->in = p->source_channels / g->groups, p->out = p->result_channels / g->groups;
  p->rows = rows, p->depth = taps * p->in;
}

INLINE int64_t filled_width(int64_t width) { return (width + VL - 1) / VL * VL; }

/* The remainders one after the other, as far as there are positions: all of the last axis first. 0: that was the last
 * one. */
static int next_rest(const struct convolution *g, int64_t *rest) {
  for (int i = SPATIAL - 1; i >= 0; i--) {
    if (++rest[i] < g->stride[i] && rest[i] < g->x[i]) return 1;
    rest[i] = 0;
  }
  return 0;
}

/* ---- the kernel, packed: for each remainder, group and panel of results (depth, width), zeros to the right ---- */

/* Tap number t of those that a product sees, in the kernel. */
INLINE int64_t tap_of(const struct gather *p, const struct convolution *g, int64_t t) {
  const struct reach *a = p->axis;
  int64_t t2 = t % a[2].taps, t1 = t / a[2].taps % a[1].taps, t0 = t / a[2].taps / a[1].taps;
  return ((a[0].tap + t0 * a[0].tap_step) * g->k[1] + a[1].tap + t1 * a[1].tap_step) * g->k[2] + a[2].tap +
    t2 * a[2].tap_step;
}

static real *pack_product(const struct call *c, const struct gather *p, const struct convolution *g, int back,
  const real *kernel, real *packed, int64_t *unit) {
  int64_t taps = p->in ? p->depth / p->in : 0, across = g->filters;
  for (int64_t group = 0; group < p->groups; group++) {
    for (int64_t n = 0, width; n < p->out; n += width) {
      width = panel_width(p->out - n);
      int64_t filled = filled_width(width);
      for (int64_t t = 0; t < taps; t++, packed += p->in * filled) {
        if ((*unit)++ % c->parts != c->part) continue;
        const real *from = kernel + tap_of(p, g, t) * (g->channels / g->groups) * across + group * (across / g->groups);
        struct matrix b = back ? (struct matrix){from + n * across, 1, across} : (struct matrix){from + n, across, 1};
        pack_panel(p->in, width, filled, b, packed);
      }
    }
  }
  return packed;
}

static void pack_kernel(const struct call *c, const struct convolution *g, int back, const real *kernel,
  real *packed) {
  int64_t rest[SPATIAL] = {0}, unit = 0;
  struct gather p;
  do {
    gather_plan(&p, g, back, rest);
    if (p.rows) packed = pack_product(c, &p, g, back, kernel, packed, &unit);
  } while (back && next_rest(g, rest));
}

/* ---- patches ---- */

struct place {
  int64_t image, at[SPATIAL]; /* where its patch begins in the source */
  int64_t result;             /* which row of the result it is */
};

/* The place of a row, and of the next one. */
static struct place place_of(const struct gather *p, int64_t row) {
  const struct reach *a = p->axis;
  int64_t q[SPATIAL];
  struct place o;
  for (int i = SPATIAL - 1; i >= 0; i--) q[i] = row % a[i].count, row /= a[i].count;
  o.image = o.result = row;
  for (int i = 0; i < SPATIAL; i++) {
    o.at[i] = q[i] * a[i].step + a[i].first;
    o.result = o.result * p->result_size[i] + a[i].at + q[i] * a[i].every;
  }
  return o;
}

static void places_from(const struct gather *p, int64_t row, int64_t n, struct place *place) {
  const struct reach *a = &p->axis[SPATIAL - 1];
  for (int64_t j = 0; j < n; j++) {
    int64_t q = (row + j) % a->count;
    if (j == 0 || q == 0) {
      place[j] = place_of(p, row + j);
    } else {
      place[j] = place[j - 1];
      place[j].at[SPATIAL - 1] += a->step;
      place[j].result += a->every;
    }
  }
}

INLINE void copy_run(real *to, const real *from, int64_t n) { FOR_VECTORS((int64_t)0, n) WRITE(to, READ(from)); }
INLINE void zero_run(real *to, int64_t n) { FOR_VECTORS((int64_t)0, n) WRITE(to, splat(0)); }

/* Numbers of a patch that are neighbours in the source, those of a tap, or of all taps along the last axis where these
 * are neighbours and all channels are seen. */
struct run {
  int64_t tap[SPATIAL]; /* how far from the patch's beginning */
  int64_t begin, n;     /* which numbers of it are meant, and how many */
  int64_t offset;       /* of the first of these in the source, from the patch's beginning */
};

/* Numbers k .. k + deep - 1 of all patches. */
struct piece {
  struct run run[PATCH_DEPTH];
  int64_t runs, length; /* of a run in full */
};

static void piece_plan(const struct gather *p, int64_t group, int64_t k, int64_t deep, struct piece *piece) {
  const struct reach *a = p->axis;
  int joined = a[2].gap == 1 && p->groups == 1;
  int64_t end = k + deep, lines = joined ? 1 : a[2].taps;
  piece->length = joined ? a[2].taps * p->in : p->in;
  piece->runs = 0;
  while (k < end) {
    int64_t line = k / piece->length, begin = k % piece->length, n = piece->length - begin;
    if (n > end - k) n = end - k;
    int64_t t0 = line / lines / a[1].taps * a[0].gap, t1 = line / lines % a[1].taps * a[1].gap;
    int64_t t2 = line % lines * a[2].gap;
    int64_t offset = ((t0 * a[1].size + t1) * a[2].size + t2) * p->source_channels + group * p->in + begin;
    piece->run[piece->runs++] = (struct run){{t0, t1, t2}, begin, n, offset};
    k += n;
  }
}

/* Zeros where the source ends. */
static void pack_clipped(const struct gather *p, const real *source, int64_t from, const struct place *o,
  const struct piece *piece, real *to) {
  const struct reach *a = p->axis;
  for (int64_t r = 0; r < piece->runs; r++) {
    const struct run *run = &piece->run[r];
    int64_t at0 = o->at[0] + run->tap[0], at1 = o->at[1] + run->tap[1], at2 = o->at[2] + run->tap[2];
    int there = at0 >= 0 && at0 < a[0].size && at1 >= 0 && at1 < a[1].size;
    /* which of its numbers are there */
    int64_t low = -at2 * p->in - run->begin, high = (a[2].size - at2) * p->in - run->begin;
    low = low < 0 ? 0 : low;
    high = high > run->n ? run->n : high;
    if (!there || low >= high) low = high = run->n;
    zero_run(to, low);
    if (low < high) copy_run(to + low, source + from + run->offset + low, high - low);
    zero_run(to + high, run->n - high);
    to += run->n;
  }
}

static void pack_patches(const struct gather *p, const real *source, const struct place *place, int64_t rows,
  int64_t group, int64_t k, int64_t deep, real *to) {
  const struct reach *a = p->axis;
  struct piece piece;
  piece_plan(p, group, k, deep, &piece);
  for (int64_t j = 0; j < rows; j++, to += PATCH_ROW) {
    const struct place *o = &place[j];
    int inside = 1;
    for (int i = 0; i < SPATIAL; i++)
      inside = inside && o->at[i] >= 0 && o->at[i] + (a[i].taps - 1) * a[i].gap < a[i].size;
    int64_t from = (((o->image * a[0].size + o->at[0]) * a[1].size + o->at[1]) * a[2].size + o->at[2]) *
      p->source_channels;
    if (!inside) {
      pack_clipped(p, source, from, o, &piece, to);
      continue;
    }
    real *next = to;
    for (int64_t r = 0; r < piece.runs; r++) {
      copy_run(next, source + from + piece.run[r].offset, piece.run[r].n);
      next += piece.run[r].n;
    }
  }
}

/* Depth of the next block: all are about equally deep. */
INLINE int64_t block_depth(int64_t depth) {
  int64_t blocks = (depth + PATCH_DEPTH - 1) / PATCH_DEPTH;
  return blocks ? (depth + blocks - 1) / blocks : 1;
}

/* ---- results from patches and the packed kernel ---- */

struct result {
  real *at;
  int add;
  struct after after;
};

/* Some rows of one panel of the result that are not neighbours, or not whole vectors wide, through a buffer. */
static void product_apart(int64_t rows, int64_t width, int64_t depth, const real *patches, const real *panel,
  struct start s, const struct place *place, int64_t row, real *to) {
  real edge[PATCH_ROWS * NR * VL];
  int64_t filled = filled_width(width);
  for (int64_t j = 0; j < rows; j++) {
    const real *from = s.row ? s.at + place[j].result * row : s.at;
    FOR_VECTORS((int64_t)0, width) store(edge + j * filled + i, READ(from));
  }
  tile_columns((int)(filled / VL), rows, depth, (struct matrix){patches, PATCH_ROW, 1}, panel, filled,
    (struct start){edge, filled}, edge, filled);
  for (int64_t j = 0; j < rows; j++) copy_run(to + place[j].result * row, edge + j * filled, width);
}

static void product_rows(const struct gather *p, const real *source, const real *packed, const struct place *place,
  int64_t rows, const struct result *y) {
  real patches[PATCH_ROWS * PATCH_ROW];
  int64_t deep = block_depth(p->depth);
  int neighbours = 1;
  for (int i = 0; i < SPATIAL; i++) neighbours = neighbours && p->axis[i].every == 1;
  for (int64_t group = 0; group < p->groups; group++) {
    for (int64_t k = 0; k == 0 || k < p->depth; k += deep) {
      int64_t depth = p->depth - k < deep ? p->depth - k : deep;
      pack_patches(p, source, place, rows, group, k, depth, patches);
      const real *panel = packed;
      for (int64_t n = 0, width; n < p->out; n += width) {
        width = panel_width(p->out - n);
        int64_t filled = filled_width(width), at = group * p->out + n;
        struct start s = {zeros, 0};
        if (y->add || k > 0) s = (struct start){y->at + at, p->result_channels};
        if (!neighbours || width % VL != 0) {
          product_apart(rows, width, depth, patches, panel + k * filled, s, place, p->result_channels, y->at + at);
        } else {
          if (s.row) s.at += place->result * p->result_channels;
          tile_columns((int)(width / VL), rows, depth, (struct matrix){patches, PATCH_ROW, 1}, panel + k * filled,
            filled, s, y->at + at + place->result * p->result_channels, p->result_channels);
        }
        panel += p->depth * filled;
      }
    }
    packed += p->depth * filled_width(p->out);
  }
}

/* ---- the kernel from x and y, and the bias ---- */

/* A gradient: where it goes, which columns of it, and is it added to what is there? */
struct sum {
  real *at; /* NULL: it is not wanted */
  struct range columns;
  int add;
};

/* Columns of start + A B, where B is some rows of y. */
static void sum_of_rows(int64_t rows, int64_t depth, struct matrix a, const real *y, int64_t row, struct range columns,
  int add, real *to) {
  real panel[PATCH_ROWS * NR * VL];
  for (int64_t n = columns.begin, width; n < columns.end; n += width) {
    width = panel_width(columns.end - n);
    struct matrix b = {y + n, row, 1};
    struct start s = add ? (struct start){to + n, row} : (struct start){zeros, 0};
    if (width % VL == 0) {
      tile_columns((int)(width / VL), rows, depth, a, b.at, b.row, s, to + n, row);
    } else {
      pack_panel(depth, width, filled_width(width), b, panel);
      multiply_edge(rows, width, depth, a, panel, s, to + n, row);
    }
  }
}

/* The sums over some rows of y: 1' y. */
static void bias_sum(const struct gather *p, const real *y, int64_t rows, const struct sum *s, int add) {
  static const real one = 1;
  if (s->at) sum_of_rows(1, rows, (struct matrix){&one, 0, 0}, y, p->result_channels, s->columns, add || s->add, s->at);
}

/* Rows `own` of the kernel, those of all groups counted on, from some rows of patches and of y. */
static void kernel_sum(const struct gather *p, const real *x, const real *y, int64_t row, int64_t rows,
  struct range own, const struct sum *s) {
  real patches[PATCH_ROWS * PATCH_ROW];
  struct place place[PATCH_ROWS];
  places_from(p, row, rows, place);
  y += row * p->result_channels;
  for (int64_t at = own.begin, n; at < own.end; at += n) {
    int64_t group = at / p->depth, k = at % p->depth;
    n = own.end - at < PATCH_DEPTH ? own.end - at : PATCH_DEPTH;
    if (n > p->depth - k) n = p->depth - k;
    pack_patches(p, x, place, rows, group, k, n, patches);
    sum_of_rows(n, rows, (struct matrix){patches, 1, PATCH_ROW}, y + group * p->out, p->result_channels, s->columns,
      s->add || row > 0, s->at + k * p->result_channels + group * p->out);
  }
}

/* ---- depthwise: one or several filters for each channel, numbers of a vector side by side ---- */

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

/* What a line of positions adds to the kernel, tap by tap and vector by vector; `own` is this member's share. */
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

/* ---- all of it: this member's share ---- */

/* y from x (or x from y: `back`); the kernel is packed already. */
static void products(const struct call *c, const struct convolution *g, int back, const real *source,
  const real *kernel, const real *packed, const struct result *y) {
  int64_t rest[SPATIAL] = {0};
  struct gather p;
  do {
    gather_plan(&p, g, back, rest);
    if (!p.rows) continue;
    struct range r = share_of(p.rows, MR, c->part, c->parts);
    double work = 2.0 * (double)p.depth * (double)p.result_channels;
    for (int64_t row = r.begin, n; row < r.end; row += n) {
      n = r.end - row < PATCH_ROWS ? r.end - row : PATCH_ROWS;
      if (team_may_rest(c->team, c->thread, work * (double)n)) return;
      struct place place[PATCH_ROWS];
      places_from(&p, row, n, place);
      if (is_depthwise(g)) for (int64_t j = 0; j < n; j++) depthwise_row(&p, g, back, source, kernel, &place[j], y);
      else product_rows(&p, source, packed, place, n, y);
      if (!back) finish(n, p.result_channels, y->after, y->at + row * p.result_channels, p.result_channels);
    }
    if (packed) packed += p.groups * p.depth * filled_width(p.out);
  } while (back && next_rest(g, rest));
}

static void pack_and_multiply(const struct call *c, const struct convolution *g, int back, const real *source,
  const real *kernel, real *packed, struct result y) {
  if (!is_depthwise(g)) {
    pack_kernel(c, g, back, kernel, packed);
    team_barrier(c->team);
  }
  products(c, g, back, source, kernel, packed, &y);
}

static void zero_columns(const struct sum *s, struct range rows, int64_t columns) {
  for (int64_t k = rows.begin; k < rows.end && s->at && !s->add; k++)
    zero_run(s->at + k * columns + s->columns.begin, s->columns.end - s->columns.begin);
}

/* The kernel and the bias from x and y: members have rows of the kernel, or columns where rows are few. */
static void kernel_and_bias(const struct call *c, const struct convolution *g, const real *x, const real *y,
  real *kernel, int add, real *bias, int bias_add) {
  struct gather p;
  gather_plan(&p, g, 0, NULL);
  int64_t all = g->groups * p.depth, vectors = (g->filters + VL - 1) / VL;
  int deep = is_depthwise(g), by_columns = all < 4 * MR * c->parts && p.out >= c->parts * VL;
  struct sum k = {kernel, {0, p.out}, add}, b = {bias, share_of(g->filters, VL, c->part, c->parts), bias_add};
  struct range own = {0, all};
  if (deep) own = share_of(vectors * p.depth, 1, c->part, c->parts);
  else if (by_columns) k.columns = share_of(p.out, VL, c->part, c->parts);
  else own = share_of(all, MR, c->part, c->parts);
  int64_t most = deep ? p.axis[2].count : PATCH_ROWS;
  double work = 2.0 * (double)(own.end - own.begin) * (double)(deep ? VL : k.columns.end - k.columns.begin);
  for (int64_t row = 0, n; row < p.rows; row += n) {
    n = p.rows - row < most ? p.rows - row : most;
    if (team_may_rest(c->team, c->thread, work * (double)n)) return;
    if (kernel && deep) depthwise_kernel_line(&p, g, x, y, row, own, &k);
    else if (kernel) kernel_sum(&p, x, y, row, n, own, &k);
    bias_sum(&p, y + row * g->filters, n, &b, row > 0);
  }
  if (p.rows) return;
  zero_columns(&b, (struct range){0, 1}, g->filters);
  k.columns = (struct range){0, g->filters};
  if (c->thread == 0) zero_columns(&k, (struct range){0, p.depth}, g->filters);
}

/* ---- the ops ---- */

static struct convolution layout_of(const struct call *c, const struct shape *x, const struct shape *k,
  const struct shape *y) {
  struct convolution g;
  convolution_layout(&g, c->attr, x, k, y);
  return g;
}

static struct result plain_result(real *at, int add) { return (struct result){at, add, NOTHING}; }

static void conv_forward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), SHAPE(1), OUT_SHAPE);
  int activation = (int)INT(CONV_ACTIVATION);
  struct after after = {c->inputs == 3 ? IN(2) : NULL, activation < 0 ? NULL : fused_map[activation],
    REAL_ATTR(0), REAL_ATTR(1)};
  pack_and_multiply(c, &g, 0, IN(0), IN(1), PACKED(0), (struct result){OUT, 0, after});
}

static void conv_backward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), SHAPE(1), OUT_SHAPE);
  const real *dz = DOUT;
  int64_t used = 0;
  if (INT(CONV_ACTIVATION) >= 0) {
    int64_t n = shape_count(OUT_SHAPE);
    struct range r = share(c, n);
    fused_pull[INT(CONV_ACTIVATION)](r.begin, r.end, OUT, OUT, DOUT, WORKSPACE, 0, REAL_ATTR(0), REAL_ATTR(1));
    team_barrier(c->team);
    dz = WORKSPACE, used = n;
  }
  if (DIN(0)) pack_and_multiply(c, &g, 1, dz, IN(1), PACKED(used), plain_result(DIN(0), ADDS(0)));
  wait_if_repeated(c, 1);
  real *bias = c->inputs == 3 ? DIN(2) : NULL;
  if (bias) wait_if_repeated(c, 2);
  if (DIN(1) || bias) kernel_and_bias(c, &g, IN(0), dz, DIN(1), ADDS(1), bias, bias && ADDS(2));
}

static void conv_transpose_forward(const struct call *c) {
  struct convolution g = layout_of(c, OUT_SHAPE, SHAPE(1), SHAPE(0));
  pack_and_multiply(c, &g, 1, IN(0), IN(1), PACKED(0), plain_result(OUT, 0));
}

static void conv_transpose_backward(const struct call *c) {
  struct convolution g = layout_of(c, OUT_SHAPE, SHAPE(1), SHAPE(0));
  if (DIN(0)) pack_and_multiply(c, &g, 0, DOUT, IN(1), PACKED(0), plain_result(DIN(0), ADDS(0)));
  wait_if_repeated(c, 1);
  if (DIN(1)) kernel_and_bias(c, &g, DOUT, IN(0), DIN(1), ADDS(1), NULL, 0);
}

static void conv_kernel_forward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), OUT_SHAPE, SHAPE(1));
  kernel_and_bias(c, &g, IN(0), IN(1), OUT, 0, NULL, 0);
}

static void conv_kernel_backward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), OUT_SHAPE, SHAPE(1));
  if (DIN(0)) pack_and_multiply(c, &g, 1, IN(1), DOUT, PACKED(0), plain_result(DIN(0), ADDS(0)));
  wait_if_repeated(c, 1);
  if (!DIN(1)) return;
  pack_and_multiply(c, &g, 0, IN(0), DOUT, PACKED(convolution_packed(&g, 1)), plain_result(DIN(1), ADDS(1)));
}
