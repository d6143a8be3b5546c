/* sparse.h - the gradients of a convolution where that of its result, dy, is zero almost everywhere, as behind a global
 * maximum: each number of dy that is not adds its patch to the gradient of its filter, and its filter to the gradient
 * of its patch. Kernel and sums stand filter by filter here (filters, depth).
 *
 * What is zero is not multiplied: an infinite number of x or of the kernel makes NaN only where dy is not 0.
 */

/* ---- is it? Some numbers at a time are counted, by one member each, so that all find the same. ---- */

#define COUNT_MOST (COUNT_AT_ONCE / 8) /* no need to go on */
#define SPARSE_PART 32                 /* so few are not zero: one of so many */

static real count_nonzero(const real *x, int64_t n) {
  real count = 0;
  for (int64_t from = 0; from < n && count <= R(COUNT_MOST); from += 16 * VL) {
    int64_t end = from + 16 * VL < n ? from + 16 * VL : n;
    V some = splat(0);
    FOR_VECTORS(from, end) some += choose(READ(x) != splat(0), splat(1), splat(0));
    count += hsum(some);
  }
  return count > R(COUNT_MOST) ? R(n) : count; /* of what was not looked at nothing is known: as if it were dense */
}

static int is_sparse(const real *counts, int64_t n) {
  double all = 0;
  for (int64_t i = 0; i * COUNT_AT_ONCE < n; i++) all += (double)counts[i];
  return all * SPARSE_PART <= (double)n;
}

/* ---- rows of dy that have numbers other than 0, some at a time ---- */

/* In these columns. */
INLINE int has_nonzero(const real *row, struct range columns) {
  FOR_VECTORS(columns.begin, columns.end) if (nonzero_lanes(READ(row))) return 1;
  return 0;
}

/* The body runs for each such number: `value`, in column f. */
#define FOR_NONZERO(row, columns, body)                                                                    \
  FOR_VECTORS((columns).begin, (columns).end) {                                                            \
    for (uint32_t lanes_ = nonzero_lanes(READ(row)); lanes_; lanes_ &= lanes_ - 1) {                       \
      const int64_t f = i + lowest_lane(lanes_);                                                           \
      const real value = (row)[f];                                                                         \
      body                                                                                                 \
    }                                                                                                      \
  }

/* The next ones from row *at on, at most PATCH_ROWS, in r->place; which ones they are. */
static void next_nonzero(const struct gather *p, const real *dy, struct range columns, int64_t *at, int64_t end,
  struct positions *r, int64_t *which) {
  for (r->apart = 0; *at < end && r->apart < PATCH_ROWS; ++*at) {
    if (!has_nonzero(dy + *at * p->out, columns)) continue;
    which[r->apart] = *at;
    r->place[r->apart++] = place_of(p, *at);
  }
}

INLINE void add_multiple(int64_t n, real factor, const real *x, real *y) {
  FOR_VECTORS((int64_t)0, n) PUT(y, 1, factor * READ(x));
}

/* ---- the kernel and the bias: this member's filters ---- */

static void sparse_kernel(const struct call *c, const struct convolution *g, const real *x, const real *dy,
  real *kernel, int add, real *bias, int bias_add, real *sums) {
  struct gather p;
  struct positions rows;
  int64_t which[PATCH_ROWS];
  real patches[PATCH_ROWS * PATCH_ROW];
  gather_plan(&p, g, 0, NULL);
  const struct range own = share_of(p.out, VL, c->part, c->parts);
  const size_t each = sizeof(real);
  if (own.begin >= own.end) return;
  if (kernel) memset(sums + own.begin * p.depth, 0, (size_t)((own.end - own.begin) * p.depth) * each);
  if (bias && !bias_add) memset(bias + own.begin, 0, (size_t)(own.end - own.begin) * each);
  for (int64_t at = 0; at < p.rows;) {
    int64_t deep = block_depth(p.depth);
    next_nonzero(&p, dy, own, &at, p.rows, &rows, which);
    if (may_rest(c, 2.0 * (double)(rows.apart * p.depth))) return;
    for (int64_t j = 0; j < rows.apart && bias; j++)
      FOR_NONZERO(dy + which[j] * p.out, own, bias[f] += value;)
    for (int64_t k = 0; k < p.depth && kernel; k += deep) {
      int64_t depth = p.depth - k < deep ? p.depth - k : deep;
      struct piece piece;
      piece_plan(&p, 0, k, depth, &piece);
      pack_patches(&p, x, &rows, &piece, patches);
      for (int64_t j = 0; j < rows.apart; j++)
        FOR_NONZERO(dy + which[j] * p.out, own,
          add_multiple(depth, value, patches + j * PATCH_ROW, sums + f * p.depth + k);)
    }
  }
  for (int64_t k = 0; k < p.depth && kernel; k++) {
    real *to = kernel + k * p.out;
    for (int64_t f = own.begin; f < own.end; f++) to[f] = (add ? to[f] : 0) + sums[f * p.depth + k];
  }
}

/* ---- dx: this member's images ---- */

/* The kernel filter by filter: this share. */
static void filter_by_filter(const struct call *c, int64_t depth, int64_t filters, const real *kernel, real *to) {
  struct range own = share_of(filters, VL, c->part, c->parts);
  for (int64_t k = 0; k < depth; k++)
    for (int64_t f = own.begin; f < own.end; f++) to[f * depth + k] = kernel[k * filters + f];
}

/* What a piece of a patch adds to its source. */
static void add_patch(const struct gather *p, const struct place *o, const struct piece *piece, const real *from,
  real *source) {
  for (int64_t r = 0; r < piece->runs; from += piece->run[r++].n) {
    const struct run *run = &piece->run[r];
    struct range there = run_there(p, o, run);
    if (there.begin < there.end) add_multiple(there.end - there.begin, 1, from + there.begin,
      source + begins_at(p, o) + run->offset + there.begin);
  }
}

static void sparse_source(const struct call *c, const struct convolution *g, const real *dy, const real *filters,
  const struct result *dx) {
  struct gather p;
  struct positions rows;
  int64_t which[PATCH_ROWS];
  gather_plan(&p, g, 0, NULL);
  const struct range own = share_rows(c, g->images), all = {0, p.out};
  const int64_t each = g->images ? p.rows / g->images : 0, image = g->x[0] * g->x[1] * g->x[2] * g->channels;
  if (!dx->add) memset(dx->at + own.begin * image, 0, (size_t)((own.end - own.begin) * image) * sizeof(real));
  for (int64_t at = own.begin * each; at < own.end * each;) {
    int64_t deep = block_depth(p.depth);
    next_nonzero(&p, dy, all, &at, own.end * each, &rows, which);
    if (may_rest(c, 2.0 * (double)(rows.apart * p.depth))) return;
    for (int64_t k = 0; k < p.depth; k += deep) {
      int64_t depth = p.depth - k < deep ? p.depth - k : deep;
      struct piece piece;
      piece_plan(&p, 0, k, depth, &piece);
      for (int64_t j = 0; j < rows.apart; j++) {
        real patch[PATCH_DEPTH] = {0};
        FOR_NONZERO(dy + which[j] * p.out, all, add_multiple(depth, value, filters + f * p.depth + k, patch);)
        add_patch(&p, &rows.place[j], &piece, patch, dx->at);
      }
    }
  }
}
