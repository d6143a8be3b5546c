/* convolution.h - y = activation(x * W + b), and the same solved for x and for W: see ops/convolution.h.
 *
 * Each is a matrix product, by the tiles of multiply.h. The rows of one factor are patches: what a position of the
 * result sees, K numbers, tap by tap. The whole matrix of patches is never there: see patches.h.
 *
 * conv          y (rows, F/G)   = patches of x (rows, K) times kernel (K, F/G)
 * conv_transpose x (rows, C/G)  = patches of y times the kernel turned round, one product for each remainder of the
 *                                 positions of x by the strides, as others see other taps of the kernel
 * conv_kernel   W (K, F/G)      = patches of x, transposed, times y
 *
 * The kernel is packed in a phase before, in panels as wide as tiles. Small kernels of many channels: see winograd.h.
 */

/* The workspace behind `used` numbers; there is none where none is needed. */
#define ROOM(used) (WORKSPACE ? WORKSPACE + (used) : NULL)

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
  if (winograd_form(g, back).columns) {
    winograd_pack(c, g, back, kernel, packed);
    return;
  }
  do {
    gather_plan(&p, g, back, rest);
    if (p.rows) packed = pack_product(c, &p, g, back, kernel, packed, &unit);
  } while (back && next_rest(g, rest));
}

/* ---- results from patches and the packed kernel ---- */

/* What a line sees of a piece of depth: each run is a term of its sums. */
static struct sums sums_of_line(const struct gather *p, const struct piece *piece, const struct line *l,
  struct terms *terms) {
  int64_t row = 0, n = 0, begin = begins_at(p, &l->place);
  for (int64_t r = 0; r < piece->runs; row += piece->run[r++].n)
    if (is_there(p, &l->place, &piece->run[r]))
      terms[n++] = (struct terms){begin + piece->run[r].offset, row, piece->run[r].n};
  return (struct sums){terms, n};
}

/* The rows apart of one panel of the result, through a buffer: no neighbours. */
static void product_apart(const struct positions *rows, int64_t width, int64_t depth, const real *patches,
  const real *panel, struct start s, int64_t row, real *to) {
  real edge[PATCH_ROWS * NR * VL];
  int64_t filled = filled_width(width);
  for (int64_t j = 0; j < rows->apart; j++) {
    const real *from = s.row ? s.at + rows->place[j].result * row : s.at;
    FOR_VECTORS((int64_t)0, width) store(edge + j * filled + i, READ(from));
  }
  tile_columns((int)(filled / VL), rows->apart, (struct sums){&(struct terms){0, 0, depth}, 1},
    (struct matrix){patches, PATCH_ROW, 1}, panel, filled, (struct start){edge, filled}, edge, filled);
  for (int64_t j = 0; j < rows->apart; j++) copy_run(to + rows->place[j].result * row, edge + j * filled, width);
}

static void product_rows(const struct gather *p, const real *source, const real *packed, const struct positions *rows,
  const struct result *y) {
  real patches[PATCH_ROWS * PATCH_ROW];
  struct terms terms[PATCH_DEPTH];
  int64_t deep = block_depth(p->depth), row = p->result_channels, step = p->axis[2].every * row;
  for (int64_t group = 0; group < p->groups; group++) {
    for (int64_t k = 0; k == 0 || k < p->depth; k += deep) {
      int64_t depth = p->depth - k < deep ? p->depth - k : deep;
      struct piece piece;
      piece_plan(p, group, k, depth, &piece);
      pack_patches(p, source, rows, &piece, patches);
      const real *panel = packed;
      for (int64_t n = 0, width; n < p->out; n += width) {
        width = panel_width(p->out - n);
        int64_t filled = filled_width(width);
        real *to = y->at + group * p->out + n;
        struct start s = {zeros, 0};
        if (y->add || k > 0) s = (struct start){to, row};
        for (const struct line *l = rows->line; l < rows->line + rows->lines; l++) {
          real *at = to + l->place.result * row;
          struct matrix a = {source, p->axis[2].step * p->source_channels, 1};
          multiply_panel(l->n, width, sums_of_line(p, &piece, l, terms), a, panel + k * filled, filled,
            s.row ? (struct start){at, step} : s, at, step);
        }
        if (rows->apart) product_apart(rows, width, depth, patches, panel + k * filled, s, row, to);
        panel += p->depth * filled;
      }
    }
    packed += p->depth * filled_width(p->out);
  }
}

/* ---- the kernel from x and y, and the bias ---- */

/* Columns of start + A B, where B is `rows_of_y` rows of y. */
static void sum_of_rows(int64_t rows, struct sums k, struct matrix a, const real *y, int64_t rows_of_y, int64_t row,
  struct range columns, int add, real *to) {
  real panel[PATCH_ROWS * NR * VL];
  for (int64_t n = columns.begin, width; n < columns.end; n += width) {
    width = panel_width(columns.end - n);
    struct matrix b = {y + n, row, 1};
    struct start s = add ? (struct start){to + n, row} : (struct start){zeros, 0};
    if (width % VL != 0) {
      pack_panel(rows_of_y, width, filled_width(width), b, panel);
      b = (struct matrix){panel, filled_width(width), 1};
    }
    multiply_panel(rows, width, k, a, b.at, b.row, s, to + n, row);
  }
}

/* The sums over some rows of y: 1' y. */
static void bias_sum(const struct gather *p, const real *y, int64_t rows, const struct sum *s, int add) {
  static const real one = 1;
  for (int64_t row = 0, n; row < rows && s->at; row += n) {
    n = rows - row < PATCH_ROWS ? rows - row : PATCH_ROWS;
    sum_of_rows(1, (struct sums){&(struct terms){0, 0, n}, 1}, (struct matrix){&one, 0, 0},
      y + row * p->result_channels, n, p->result_channels, s->columns, add || row > 0 || s->add, s->at);
  }
}

/* Rows of the kernel that are one run of the patches, from those patches in lines, where they are, and then from those
 * apart. */
static void kernel_sum_of_run(const struct gather *p, const real *x, const real *y, const struct positions *rows,
  const struct run *run, const real *patches, const struct sum *s, real *to) {
  struct terms terms[PATCH_ROWS];
  int64_t n = 0;
  int add = s->add || rows->row > 0;
  for (const struct line *l = rows->line; l < rows->line + rows->lines; l++)
    if (is_there(p, &l->place, run))
      terms[n++] = (struct terms){begins_at(p, &l->place) + run->offset, l->row - rows->row, l->n};
  if (n || !rows->apart) {
    sum_of_rows(run->n, (struct sums){terms, n}, (struct matrix){x, 1, p->axis[2].step * p->source_channels}, y,
      rows->n, p->result_channels, s->columns, add, to);
    add = 1;
  }
  if (rows->apart) sum_of_rows(run->n, (struct sums){rows->stretch, rows->stretches},
    (struct matrix){patches, 1, PATCH_ROW}, y, rows->n, p->result_channels, s->columns, add, to);
}

/* Rows `own` of the kernel, those of all groups counted on, from some rows of patches and of y. */
static void kernel_sum(const struct gather *p, const real *x, const real *y, const struct positions *rows,
  struct range own, const struct sum *s) {
  real patches[PATCH_ROWS * PATCH_ROW];
  y += rows->row * p->result_channels;
  for (int64_t at = own.begin, n; at < own.end; at += n) {
    int64_t group = at / p->depth, k = at % p->depth, done = 0;
    n = own.end - at < PATCH_DEPTH ? own.end - at : PATCH_DEPTH;
    if (n > p->depth - k) n = p->depth - k;
    struct piece piece;
    piece_plan(p, group, k, n, &piece);
    pack_patches(p, x, rows, &piece, patches);
    for (int64_t r = 0; r < piece.runs; done += piece.run[r++].n)
      kernel_sum_of_run(p, x, y + group * p->out, rows, &piece.run[r], patches + done, s,
        s->at + (k + done) * p->result_channels + group * p->out);
  }
}

/* ---- all of it: this share ---- */

/* y from x (or x from y: `back`); the kernel is packed already. */
static void products(const struct call *c, const struct convolution *g, int back, const real *source,
  const real *kernel, const real *packed, const struct result *y) {
  int64_t rest[SPATIAL] = {0};
  struct gather p;
  if (winograd_form(g, back).columns) {
    winograd_products(c, g, back, source, packed, y);
    return;
  }
  do {
    gather_plan(&p, g, back, rest);
    if (!p.rows) continue;
    struct range r = share_of(p.rows, MR, c->part, c->parts);
    double work = 2.0 * (double)p.depth * (double)p.result_channels;
    for (int64_t row = r.begin, n; row < r.end; row += n) {
      n = r.end - row < PATCH_ROWS ? r.end - row : PATCH_ROWS;
      if (may_rest(c, work * (double)n)) return;
      if (is_depthwise(g)) {
        for (int64_t j = 0; j < n; j++) {
          struct place o = place_of(&p, row + j);
          depthwise_row(&p, g, back, source, kernel, &o, y);
        }
      } else {
        struct positions rows;
        rows_from(&p, row, n, &rows);
        product_rows(&p, source, packed, &rows, y);
      }
      if (!back) finish(n, p.result_channels, y->after, y->at + row * p.result_channels, p.result_channels);
    }
    if (packed) packed += p.groups * p.depth * filled_width(p.out);
  } while (back && next_rest(g, rest));
}

/* All of an op that is such products. */
static void pack_and_multiply(const struct call *c, const struct convolution *g, int back, struct after after) {
  int first = !is_depthwise(g); /* phase of the products */
  struct result y = {OUT, 0, after};
  if (c->phase < first) {
    pack_kernel(c, g, back, IN(1), ROOM(0));
    next_phase(c);
  } else {
    products(c, g, back, IN(0), IN(1), ROOM(0), &y);
  }
}

static void zero_columns(const struct sum *s, struct range rows, int64_t columns) {
  for (int64_t k = rows.begin; k < rows.end && s->at && !s->add; k++)
    zero_run(s->at + k * columns + s->columns.begin, s->columns.end - s->columns.begin);
}

/* The kernel and the bias from x and y: a share is rows of the kernel, or columns where rows are few. `sums`: see
 * winograd.h. */
static void kernel_and_bias(const struct call *c, const struct convolution *g, const real *x, const real *y,
  real *kernel, int add, real *bias, int bias_add, real *sums) {
  struct gather p;
  gather_plan(&p, g, 0, NULL);
  int deep = is_depthwise(g), winograd = winograd_form(g, 0).columns > 0;
  int64_t all = winograd ? g->channels : g->groups * p.depth, vectors = (g->filters + VL - 1) / VL;
  int by_columns = all < 4 * MR * c->parts && p.out >= c->parts * VL;
  struct sum k = {kernel, {0, p.out}, add}, b = {bias, share_of(g->filters, VL, c->part, c->parts), bias_add};
  struct range own = {0, all};
  if (deep) own = share_of(vectors * p.depth, 1, c->part, c->parts);
  else if (by_columns) k.columns = share_of(p.out, VL, c->part, c->parts);
  else own = share_of(all, MR, c->part, c->parts);
  if (winograd && kernel) winograd_kernel(c, g, x, y, own, &k, sums);
  if (winograd) kernel = NULL;
  int64_t most = deep ? p.axis[2].count : PATCH_ROWS;
  double work = 2.0 * (double)(own.end - own.begin) * (double)(deep ? VL : k.columns.end - k.columns.begin);
  for (int64_t row = 0, n; row < p.rows; row += n) {
    n = p.rows - row < most ? p.rows - row : most;
    if (may_rest(c, work * (double)n)) return;
    if (kernel && deep) {
      depthwise_kernel_line(&p, g, x, y, row, own, &k);
    } else if (kernel) {
      struct positions rows;
      rows_from(&p, row, n, &rows);
      kernel_sum(&p, x, y, &rows, own, &k);
    }
    bias_sum(&p, y + row * g->filters, n, &b, row > 0);
  }
  if (p.rows) return;
  zero_columns(&b, (struct range){0, 1}, g->filters);
  k.columns = (struct range){0, g->filters};
  if (c->part == 0) zero_columns(&k, (struct range){0, p.depth}, g->filters);
}

/* ---- the ops ---- */

static struct convolution layout_of(const struct call *c, const struct shape *x, const struct shape *k,
  const struct shape *y) {
  struct convolution g;
  convolution_layout(&g, c->attr, x, k, y);
  return g;
}

/* The gradient of input k as products. */
static struct result gradient_result(const struct call *c, int k) {
  return (struct result){DIN(k), ADDS(k), NOTHING};
}

static void conv_forward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), SHAPE(1), OUT_SHAPE);
  int activation = (int)INT(CONV_ACTIVATION);
  struct after after = {c->inputs == 3 ? IN(2) : NULL, activation < 0 ? NULL : fused_map[activation],
    REAL_ATTR(0), REAL_ATTR(1)};
  pack_and_multiply(c, &g, 0, after);
}

/* dz = dy activation'(y), where there is one, and how many of its numbers are not zero, where these are counted. */
static void pull_and_count(const struct call *c, int64_t n, const real *dz, real *counts) {
  int activation = (int)INT(CONV_ACTIVATION);
  struct range r = counts ? share_of(n, COUNT_AT_ONCE, c->part, c->parts) : share(c, n);
  for (int64_t i = r.begin, end; i < r.end; i = end) {
    end = i + COUNT_AT_ONCE < r.end ? i + COUNT_AT_ONCE : r.end;
    if (activation >= 0) fused_pull[activation](i, end, OUT, OUT, DOUT, WORKSPACE, 0, REAL_ATTR(0), REAL_ATTR(1));
    if (counts) counts[i / COUNT_AT_ONCE] = count_nonzero(dz + i, end - i);
  }
}

static void conv_backward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), SHAPE(1), OUT_SHAPE);
  int pulls = INT(CONV_ACTIVATION) >= 0, packs = DIN(0) && !is_depthwise(&g);
  int64_t n = shape_count(OUT_SHAPE), counted = convolution_counts(&g), used = pulls ? n : 0;
  int first = counted ? 2 : pulls || packs;
  const real *dz = pulls ? WORKSPACE : DOUT;
  real *counts = ROOM(used), *packed = ROOM(used + counted), *sums = ROOM(used + counted + convolution_packed(&g, 1));
  if (c->phase == 0 && first) pull_and_count(c, n, dz, counted ? counts : NULL);
  int sparse = counted && c->phase > 0 && is_sparse(counts, n);
  if (c->phase < first) {
    if (packs && sparse) filter_by_filter(c, convolution_depth(&g), g.filters, IN(1), packed);
    else if (packs && c->phase == first - 1) pack_kernel(c, &g, 1, IN(1), packed);
    next_phase(c);
    return;
  }
  struct result dx = gradient_result(c, 0);
  int due = is_due(c, 0, first);
  if (due && sparse) sparse_source(c, &g, dz, packed, &dx);
  else if (due) products(c, &g, 1, dz, IN(1), packed, &dx);
  real *kernel = is_due(c, 1, first) ? DIN(1) : NULL, *bias = c->inputs == 3 && is_due(c, 2, first) ? DIN(2) : NULL;
  if (!kernel && !bias) return;
  if (sparse) sparse_kernel(c, &g, IN(0), dz, kernel, ADDS(1), bias, bias && ADDS(2), sums);
  else kernel_and_bias(c, &g, IN(0), dz, kernel, ADDS(1), bias, bias && ADDS(2), sums);
}

static void conv_transpose_forward(const struct call *c) {
  struct convolution g = layout_of(c, OUT_SHAPE, SHAPE(1), SHAPE(0));
  pack_and_multiply(c, &g, 1, NOTHING);
}

static void conv_transpose_backward(const struct call *c) {
  struct convolution g = layout_of(c, OUT_SHAPE, SHAPE(1), SHAPE(0));
  int first = DIN(0) && !is_depthwise(&g);
  if (c->phase < first) {
    pack_kernel(c, &g, 0, IN(1), ROOM(0));
    next_phase(c);
    return;
  }
  struct result dx = gradient_result(c, 0);
  if (is_due(c, 0, first)) products(c, &g, 0, DOUT, IN(1), ROOM(0), &dx);
  if (is_due(c, 1, first)) kernel_and_bias(c, &g, DOUT, IN(0), DIN(1), ADDS(1), NULL, 0,
    ROOM(convolution_packed(&g, 0)));
}

static void conv_kernel_forward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), OUT_SHAPE, SHAPE(1));
  kernel_and_bias(c, &g, IN(0), IN(1), OUT, 0, NULL, 0, WORKSPACE);
}

static void conv_kernel_backward(const struct call *c) {
  struct convolution g = layout_of(c, SHAPE(0), OUT_SHAPE, SHAPE(1));
  int first = !is_depthwise(&g);
  real *packed = ROOM(first ? convolution_packed(&g, 1) : 0);
  if (c->phase < first) {
    if (DIN(0)) pack_kernel(c, &g, 1, DOUT, ROOM(0));
    if (DIN(1)) pack_kernel(c, &g, 0, DOUT, packed);
    next_phase(c);
    return;
  }
  struct result dx = gradient_result(c, 0), dy = gradient_result(c, 1);
  if (is_due(c, 0, first)) products(c, &g, 1, IN(1), DOUT, ROOM(0), &dx);
  if (is_due(c, 1, first)) products(c, &g, 0, IN(0), DOUT, packed, &dy);
}
