/* multiply.h - the one matrix multiply: C = A B [+ C], for any strides of A and B, and what is done with C at once.
 *
 * A tile of MR rows and NR vectors of C stays in registers while k runs:
 *
 *       b: 1 x NR vectors            for each k: load one row of B's panel, broadcast
 *   a   c: MR x NR                   MR numbers of A, multiply and add.
 *
 * The tile reads A at any strides, so one routine serves x W (forward) and x' dz (weight gradient).
 * B must run along n; where it runs along k instead (dz W', the input gradient) few rows of long sums are done
 * as dot products, MR x DN results at a time, and else B's panel is copied first.
 * Panels are KC x NR vectors; they are copied ("packed") when enough rows of A will reuse them, and
 * at the right edge, where they are filled up with zeros to whole vectors.
 *
 * Every number of C is a sum over k in one order that depends on the sizes alone, never on the
 * tile it fell into or on the thread, so results are the same at any number of threads. The
 * multiply-add is one instruction where the processor has it.
 */
#define MR INSTRUCTIONS(TILE_ROWS)
#define NR INSTRUCTIONS(TILE_VECTORS)
#define KC 256       /* a panel of KC x NR vectors fits the first-level cache */
#define PACK_ROWS 96 /* pack when at least so many rows use a panel */
#define LIBRARY_WORK 1e6 /* multiplications from which on a library is worth its call */
#define TALL (1 << 16)
#define NEAR (1 << 17) /* so many numbers of A and C stay in the second-level cache while panels of B pass by */
#define DN 3         /* dot products: MR x DN sums at a time */
#define DEEP 1024    /* so deep, MR rows of A stay in the first-level cache while those of B pass by */

/* What the sums of a tile are added to: C itself or zero. */
struct start {
  const real *at;
  int64_t row; /* stride; 0 for zero */
};
static const real zeros[NR * VL];

/* The terms of sums over k, in order: n that are neighbours, from number a of each row of A and row b of B on. Those of
 * a convolution's patches lie where they are in its input. */
struct terms {
  int64_t a, b, n;
};
struct sums {
  const struct terms *terms;
  int64_t count;
};

/* c[m][n] = start + sum_k a[m][k] b[k][n] for `rows` x `vectors` of the result; sizes are constants
 * where this is called, so the sums live in registers. They begin at zero and meet the start at the end: a long sum is
 * one of sums of KC terms, and keeps its digits. */
INLINE void tile(int rows, int vectors, struct sums k, struct matrix a, const real *b, int64_t b_row, struct start s,
  real *c, int64_t c_row) {
  V sum[MR][NR];
  UNROLL for (int m = 0; m < rows; m++)
    UNROLL for (int v = 0; v < vectors; v++) sum[m][v] = splat(0), FETCH_TO_WRITE(c + m * c_row + v * VL);
  for (const struct terms *t = k.terms; t < k.terms + k.count; t++) {
    const real *column = a.at + t->a, *next = b + t->b * b_row;
    for (int64_t i = 0; i < t->n; i++, column += a.column, next += b_row) {
      V row[NR];
      UNROLL for (int v = 0; v < vectors; v++) row[v] = load(next + v * VL);
      UNROLL for (int m = 0; m < rows; m++) {
        V x = splat(column[m * a.row]);
        UNROLL for (int v = 0; v < vectors; v++) sum[m][v] += x * row[v];
      }
    }
  }
  UNROLL for (int m = 0; m < rows; m++)
    UNROLL for (int v = 0; v < vectors; v++)
      store(c + m * c_row + v * VL, sum[m][v] + load(s.at + m * s.row + v * VL));
}

#define ROWS(r) \
  case r: tile(r, vectors, k, a, b, b_row, s, c, c_row); break;

INLINE void tile_column(int vectors, int64_t rows, struct sums k, struct matrix a, const real *b, int64_t b_row,
  struct start s, real *c, int64_t c_row) {
  for (; rows >= MR; rows -= MR, a.at += MR * a.row, s.at += MR * s.row, c += MR * c_row)
    tile(MR, vectors, k, a, b, b_row, s, c, c_row);
  switch (rows) {
#if MR >= 8
    ROWS(7)
#endif
#if MR >= 7
    ROWS(6) ROWS(5) ROWS(4)
#endif
    ROWS(3) ROWS(2) ROWS(1)
  }
}

/* A column of C, `vectors` wide: all rows, one block of k. */
static void tile_columns(int vectors, int64_t rows, struct sums k, struct matrix a, const real *b, int64_t b_row,
  struct start s, real *c, int64_t c_row) {
  switch (vectors) {
#if NR >= 4
  case 4: tile_column(4, rows, k, a, b, b_row, s, c, c_row); break;
#endif
#if NR >= 3
  case 3: tile_column(3, rows, k, a, b, b_row, s, c, c_row); break;
#endif
  case 2: tile_column(2, rows, k, a, b, b_row, s, c, c_row); break;
  case 1: tile_column(1, rows, k, a, b, b_row, s, c, c_row); break;
  }
}

/* In whole vectors. */
INLINE int64_t filled_width(int64_t width) { return (width + VL - 1) / VL * VL; }

/* Columns of the next panel: as wide as can be, but two of two vectors rather than three and one, whose few sums would
 * wait for each other. */
INLINE int64_t panel_width(int64_t columns) {
  if (NR == 3 && columns == 4 * (int64_t)VL) return 2 * VL;
  return columns < NR * VL ? columns : NR * VL;
}

/* pack_panel() where B does not run along n: by blocks of VL x VL numbers where it runs along k. */
static void turn_panel(int64_t depth, int64_t width, int64_t filled, struct matrix b, real *panel) {
  int64_t whole_k = 0, whole_n = 0;
#ifdef HAVE_SHUFFLES
  if (b.row == 1) whole_k = depth / VL * VL, whole_n = width / VL * VL;
  for (int64_t k = 0; k < whole_k; k += VL)
    for (int64_t n = 0; n < whole_n; n += VL)
      turn_block(b.at + k + n * b.column, b.column, panel + k * filled + n, filled);
#endif
  for (int64_t k = 0; k < depth; k++)
    for (int64_t n = k < whole_k ? whole_n : 0; n < filled; n++)
      panel[k * filled + n] = n < width ? b.at[k * b.row + n * b.column] : 0;
}

/* Copy a panel of B (depth x width) to contiguous rows of `filled` numbers, whole vectors, zeros to
 * the right. */
static void pack_panel(int64_t depth, int64_t width, int64_t filled, struct matrix b, real *panel) {
  if (b.column != 1) {
    turn_panel(depth, width, filled, b, panel);
    return;
  }
  for (int64_t k = 0; k < depth; k++) {
    const real *from = b.at + k * b.row;
    real *to = panel + k * filled;
    FOR_VECTORS((int64_t)0, width) store(to + i, READ(from));
  }
}

/* Neighbouring panels of B (depth x columns) from the first on, as many as there is room for, one after the other:
 * whole rows come from memory faster than each panel's piece of them. How many columns these are. */
#define PANELS 6
static int64_t pack_some(int64_t depth, int64_t columns, struct matrix b, real *panels) {
  int64_t end = 0;
  while (end < columns && end <= (PANELS - 1) * NR * VL) end += panel_width(columns - end);
  for (int64_t n = 0, width; n < end && b.column != 1; n += width) {
    width = panel_width(columns - n);
    turn_panel(depth, width, filled_width(width), (struct matrix){b.at + n * b.column, b.row, b.column},
      panels + depth * n);
  }
  for (int64_t k = 0; k < depth && b.column == 1; k++)
    for (int64_t n = 0, width; n < end; n += width) {
      width = panel_width(columns - n);
      const real *from = b.at + k * b.row + n;
      real *to = panels + depth * n + k * filled_width(width);
      FOR_VECTORS((int64_t)0, width) store(to + i, READ(from));
    }
  return end;
}

/* What multiply_panels() does with B: */
enum { AS_IT_IS, PACK, PACKED /* it was packed before, by pack_panels() */ };

/* All panels of B (depth x columns), one after the other: depth x filled_width(columns) numbers. This share of them. */
static void pack_panels(const struct call *call, int64_t columns, int64_t depth, struct matrix b, real *packed) {
  int64_t panels = 0;
  for (int64_t k = 0; k < depth; k += KC) {
    int64_t deep = depth - k < KC ? depth - k : KC;
    for (int64_t n = 0, width; n < columns; n += width) {
      width = panel_width(columns - n);
      if (panels++ % call->parts != call->part) continue;
      pack_panel(deep, width, filled_width(width), (struct matrix){b.at + k * b.row + n * b.column, b.row, b.column},
        packed + k * filled_width(columns) + deep * n);
    }
  }
}

/* The right edge of C, not whole vectors wide: some rows at a time through a buffer. */
static void multiply_edge(int64_t rows, int64_t width, struct sums k, struct matrix a, const real *b, struct start s,
  real *c, int64_t c_row) {
  real edge[4 * MR * NR * VL];
  int64_t filled = filled_width(width);
  for (int64_t m = 0; m < rows; m += 4 * MR, a.at += 4 * MR * a.row) {
    int64_t some = rows - m < 4 * MR ? rows - m : 4 * MR;
    for (int64_t j = 0; j < some; j++) {
      const real *from = s.at + (m + j) * s.row;
      FOR_VECTORS((int64_t)0, width) store(edge + j * filled + i, READ(from));
    }
    tile_columns((int)(filled / VL), some, k, a, b, filled, (struct start){edge, filled}, edge, filled);
    for (int64_t j = 0; j < some; j++) {
      const real *from = edge + j * filled;
      real *to = c + (m + j) * c_row;
      FOR_VECTORS((int64_t)0, width) WRITE(to, load(from + i));
    }
  }
}

/* A panel of C: columns of whole vectors, or fewer if rows of B are filled up to them. */
static void multiply_panel(int64_t rows, int64_t width, struct sums k, struct matrix a, const real *b, int64_t b_row,
  struct start s, real *c, int64_t c_row) {
  if (width % VL == 0) tile_columns((int)(width / VL), rows, k, a, b, b_row, s, c, c_row);
  else multiply_edge(rows, width, k, a, b, s, c, c_row);
}

/* ---- what is left out where A has many zeros, as pictures and encodings have ----
 *
 * Terms in which all rows of a tile have 0 add nothing, unless B has numbers that are not finite there: with the others
 * alone the bits are the same. Whether so many are 0 that it pays is looked up for each block. */

#define SEGMENT 32 /* tiles' rows at a time */
#define SEGMENT_TRIED 4 /* so many tell whether it pays */
struct few {
  struct terms terms[SEGMENT * (KC / 2 + 1)];
  int64_t first[SEGMENT + 1]; /* of each tile's rows */
};

/* Runs of terms, of which `open` says whether one has begun, at `from`. */
struct runs {
  struct terms *terms;
  int64_t n, from;
  int open;
};

/* At k a run begins or ends; one that begins next to the last one but one term goes on with it. */
INLINE void turn_run(struct runs *r, int64_t k, int64_t column) {
  if (r->open) r->terms[r->n++] = (struct terms){r->from * column, r->from, k - r->from};
  else if (r->n && k - (r->terms[r->n - 1].b + r->terms[r->n - 1].n) <= 1) r->from = r->terms[--r->n].b;
  else r->from = k;
  r->open = !r->open;
}

/* The terms in which some of the rows of A are not 0, and how many k these are. */
static int64_t nonzero_terms(int64_t rows, int64_t depth, struct matrix a, struct runs *r) {
  int64_t covered = 0, before = r->n;
  struct runs own = {r->terms + r->n, 0, 0, 0};
  if (a.column == 1) {
    const uint32_t all = (2u << (VL - 1)) - 1;
    FOR_VECTORS((int64_t)0, depth) {
      uint32_t lanes = 0;
      for (int64_t m = 0; m < rows; m++) lanes |= nonzero_lanes(READ(a.at + m * a.row));
      for (uint32_t turns = (lanes ^ (lanes << 1 | (uint32_t)own.open)) & all; turns; turns &= turns - 1)
        turn_run(&own, i + lowest_lane(turns), 1);
    }
  } else {
    for (int64_t k = 0; k < depth; k++) {
      const real *column = a.at + k * a.column;
      uint32_t lanes = 0;
      FOR_VECTORS((int64_t)0, rows) lanes |= nonzero_lanes(READ(column));
      if (own.open != (lanes != 0)) turn_run(&own, k, a.column);
    }
  }
  if (own.open) turn_run(&own, depth, a.column);
  r->n = before + own.n;
  for (int64_t j = 0; j < own.n; j++) covered += own.terms[j].n;
  return covered;
}

/* Of these rows of A, at most SEGMENT tiles: 0 if it does not pay. */
static int find_few(int64_t rows, int64_t depth, struct matrix a, struct few *f) {
  struct runs r = {f->terms, 0, 0, 0};
  int64_t covered = 0, tile = 0;
  for (int64_t m = 0; m < rows; m += MR, tile++) {
    f->first[tile] = r.n;
    covered += nonzero_terms(rows - m < MR ? rows - m : MR, depth, (struct matrix){a.at + m * a.row, a.row, a.column},
      &r);
    int enough = tile + 1 == SEGMENT_TRIED || m + MR >= rows || 16 * covered > 15 * depth * (tile + 1);
    if (enough && 4 * covered > 3 * depth * (tile + 1)) return 0;
  }
  f->first[tile] = r.n;
  return 1;
}

static int panel_is_finite(int64_t depth, int64_t filled, const real *b, int64_t b_row) {
  V odd[4] = {splat(0), splat(0), splat(0), splat(0)};
  for (int64_t i = 0; i < filled; i += VL) {
    int64_t k = 0;
    for (; k + 4 <= depth; k += 4)
      UNROLL for (int j = 0; j < 4; j++) odd[j] += load(b + (k + j) * b_row + i) * R(0);
    for (; k < depth; k++) odd[0] += load(b + k * b_row + i) * R(0);
  }
  return hsum((odd[0] + odd[1]) + (odd[2] + odd[3])) == R(0);
}

/* A panel of C by these terms. */
static void multiply_few(const struct few *f, int64_t rows, int64_t width, struct matrix a, const real *b,
  int64_t b_row, struct start s, real *c, int64_t c_row) {
  for (int64_t m = 0, tile = 0; m < rows; m += MR, tile++) {
    struct sums k = {f->terms + f->first[tile], f->first[tile + 1] - f->first[tile]};
    struct matrix own = {a.at + m * a.row, a.row, a.column};
    multiply_panel(rows - m < MR ? rows - m : MR, width, k, own, b, b_row, (struct start){s.at + m * s.row, s.row},
      c + m * c_row, c_row);
  }
}

/* C = start + A B by panels of B. */
static void multiply_panels(const struct call *call, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, int add, real *c, int64_t c_row, int pack) {
  real panels[PANELS * KC * NR * VL];
  struct few few;
  int64_t packed = 0, packed_end = 0; /* columns */
  const int may_skip = columns >= VL && depth >= VL && (a.column == 1 || a.row == 1);
  for (int64_t k = 0; k == 0 || k < depth; k += KC) {
    int64_t deep = depth - k < KC ? depth - k : KC;
    for (int64_t m = 0, some; m < rows; m += some) {
      struct matrix ak = {a.at + k * a.column + m * a.row, a.row, a.column};
      some = may_skip && rows - m > SEGMENT * MR ? SEGMENT * MR : rows - m;
      const int skips = may_skip && find_few(some, deep, ak, &few);
      if (!skips) some = rows - m;
      for (int64_t n = 0, width; n < columns; n += width) {
        width = panel_width(columns - n);
        if (may_rest(call, 2.0 * (double)some * (double)deep * (double)width)) return;
        struct matrix bk = {b.at + k * b.row + n * b.column, b.row, b.column};
        real *to = c + m * c_row + n;
        struct start s = {zeros, 0};
        if (add || k > 0) s = (struct start){to, c_row};
        int64_t filled = filled_width(width);
        if (pack == PACKED) {
          bk = (struct matrix){b.at + k * filled_width(columns) + deep * n, filled, 1};
        } else if (pack == PACK) {
          if (n == 0 || n == packed_end) packed = n, packed_end = n + pack_some(deep, columns - n, bk, panels);
          bk = (struct matrix){panels + deep * (n - packed), filled, 1};
        } else if (width % VL != 0 || b.column != 1) {
          pack_panel(deep, width, filled, bk, panels);
          bk = (struct matrix){panels, filled, 1};
        }
        if (skips && panel_is_finite(deep, filled, bk.at, bk.row))
          multiply_few(&few, some, width, ak, bk.at, bk.row, s, to, c_row);
        else
          multiply_panel(some, width, (struct sums){&(struct terms){0, 0, deep}, 1}, ak, bk.at, bk.row, s, to, c_row);
      }
    }
  }
}

/* rows x columns dot products along contiguous k; lanes are added in a fixed order at the end. */
#define WHOLE_DOTS ((MR * DN + VL - 1) / VL * VL) /* in whole vectors */
INLINE void dots(int rows, int columns, int64_t depth, const real *a, int64_t a_row, const real *b, int64_t b_row,
  real *c, int64_t c_row) {
  V sum[WHOLE_DOTS];
  real sums[WHOLE_DOTS];
  UNROLL for (int r = 0; r < WHOLE_DOTS; r++) sum[r] = splat(0);
  int64_t i = 0;
  for (; i + VL <= depth; i += VL) {
    V y[DN];
    UNROLL for (int n = 0; n < columns; n++) y[n] = load(b + n * b_row + i);
    UNROLL for (int m = 0; m < rows; m++) {
      V x = load(a + m * a_row + i);
      IN_REGISTER(x);
      UNROLL for (int n = 0; n < columns; n++) sum[m * columns + n] += x * y[n];
    }
  }
  if (i < depth) {
    UNROLL for (int m = 0; m < rows; m++)
      UNROLL for (int n = 0; n < columns; n++)
        sum[m * columns + n] += load_part(a + m * a_row + i, depth - i, 0) * load_part(b + n * b_row + i, depth - i, 0);
  }
#ifdef HAVE_SHUFFLES
  UNROLL for (int r = 0; r < rows * columns; r += VL) store(sums + r, sum_each(sum + r));
#else
  UNROLL for (int r = 0; r < rows * columns; r++) sums[r] = hsum(sum[r]);
#endif
  UNROLL for (int m = 0; m < rows; m++)
    UNROLL for (int n = 0; n < columns; n++) c[m * c_row + n] += sums[m * columns + n];
}

INLINE void dots_of_rows(int rows, int64_t columns, int64_t depth, const real *a, int64_t a_row, const real *b,
  int64_t b_row, real *c, int64_t c_row) {
  for (; columns >= DN; columns -= DN, b += DN * b_row, c += DN) dots(rows, DN, depth, a, a_row, b, b_row, c, c_row);
  if (columns == 2) dots(rows, 2, depth, a, a_row, b, b_row, c, c_row);
  if (columns == 1) dots(rows, 1, depth, a, a_row, b, b_row, c, c_row);
}

static void multiply_dots(const struct call *call, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, real *c, int64_t c_row) {
  real piece[MR * KC]; /* rows of A, if they do not run along k */
  int64_t block = a.column == 1 ? DEEP : KC;
  for (int64_t k = 0; k < depth; k += block) {
    int64_t deep = depth - k < block ? depth - k : block;
    for (int64_t m = 0, some; m < rows; m += some) {
      some = rows - m >= MR ? MR : rows - m >= 4 ? 4 : 1;
      if (may_rest(call, 2.0 * (double)some * (double)columns * (double)deep)) return;
      int64_t a_row = a.row;
      const real *from = a.at + m * a.row + k * a.column, *pb = b.at + k;
      if (a.column != 1) {
        for (int64_t j = 0; j < some; j++)
          for (int64_t i = 0; i < deep; i++) piece[j * KC + i] = from[j * a.row + i * a.column];
        from = piece, a_row = KC;
      }
      if (some == MR) dots_of_rows(MR, columns, deep, from, a_row, pb, b.column, c + m * c_row, c_row);
      else if (some == 4) dots_of_rows(4, columns, deep, from, a_row, pb, b.column, c + m * c_row, c_row);
      else dots_of_rows(1, columns, deep, from, a_row, pb, b.column, c + m * c_row, c_row);
    }
  }
}

/* What becomes of C (rows, columns) while it is in the cache: f(C + bias). */
struct after {
  const real *bias; /* (columns), or NULL */
  map_function *map;
  real a, b; /* its parameters */
};
#define NOTHING ((struct after){NULL, NULL, 0, 0})

#define AT_ONCE 4096 /* numbers */
static void finish(int64_t rows, int64_t columns, struct after f, real *c, int64_t c_row) {
  if (!f.bias && !f.map) return;
  int64_t some = columns == c_row ? 1 + AT_ONCE / (columns + 1) : 1;
  for (int64_t m = 0; m < rows; m += some) {
    if (some > rows - m) some = rows - m;
    real *at = c + m * c_row;
    for (int64_t j = 0; j < some && f.bias; j++)
      FOR_VECTORS((int64_t)0, columns) WRITE(at + j * columns, READ(at + j * columns) + READ(f.bias));
    if (f.map) f.map(0, some * columns, at, at, f.a, f.b);
  }
}

/* Where B runs along k: its panels are turned first, and the lanes of dot products are added up at last. What is done
 * faster, by panels? */
static int by_panels(int64_t rows, int64_t depth, struct matrix b) {
#ifdef HAVE_SHUFFLES
  if (b.row == 1 && 4 * depth < 3 * rows * VL) return 1;
#endif
  return b.column == 1 || rows >= PACK_ROWS || depth < 4 * VL;
}

/* Rows at a time: B may be packed for each anew, and an interrupt waits for so many of a panel. */
INLINE int64_t rows_at_once(int64_t columns, int64_t depth, struct matrix b) {
  int64_t some = NEAR / (1 + columns + (depth < KC ? depth : KC)) / MR * MR; /* either may be 0 */
  return b.column != 1 ? TALL : some > 2 * PACK_ROWS ? some : 2 * PACK_ROWS;
}

/* C (rows, columns) = A (rows, depth) B (depth, columns), added to C or put in its place. The share: some
 * rows, or some columns where rows are few. */
static void multiply_own(const struct call *c, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, int add, real *y, struct after after) {
  int by_columns = rows < 8 * c->parts, pack = rows >= PACK_ROWS ? PACK : AS_IT_IS, panels = by_panels(rows, depth, b);
  struct range r = by_columns ? share_of(columns, NR * VL, c->part, c->parts)
                              : share_of(rows, MR, c->part, c->parts);
  int64_t y_row = columns;
  if (r.end <= r.begin) return;
  if (by_columns) {
    b.at += r.begin * b.column, y += r.begin, columns = r.end - r.begin;
    if (after.bias) after.bias += r.begin;
  } else {
    a.at += r.begin * a.row, y += r.begin * columns, rows = r.end - r.begin;
  }
  if (panels) {
    for (int64_t m = 0, some = rows_at_once(columns, depth, b); m < rows; m += some) {
      if (some > rows - m) some = rows - m;
      multiply_panels(c, some, columns, depth, (struct matrix){a.at + m * a.row, a.row, a.column}, b, add,
        y + m * y_row, y_row, pack);
      finish(some, columns, after, y + m * y_row, y_row);
    }
    return;
  }
  for (int64_t m = 0; m < rows && !add; m++) memset(y + m * y_row, 0, (size_t)columns * sizeof(real));
  multiply_dots(c, rows, columns, depth, a, b, y, y_row);
  finish(rows, columns, after, y, y_row);
}

/* Would a library do a product of so many multiplications? */
static int is_for_library(const struct call *c, double work) {
  return work >= LIBRARY_WORK && library_multiply[output_slot(c)->dtype];
}

/* Large products may be a library's: one part has all of it, as it has threads of its own. */
static int multiply_by_library(const struct call *c, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, int add, real *y, struct after after) {
  library_product *product = library_multiply[output_slot(c)->dtype];
  if (!is_for_library(c, (double)rows * (double)columns * (double)depth)) return 0;
  if (c->part) return 1;
  if (product(rows, columns, depth, a.at, a.row, a.column, b.at, b.row, b.column, add, y)) {
    finish(rows, columns, after, y, columns);
    return 1;
  }
  struct call alone = *c;
  alone.part = 0, alone.parts = 1;
  multiply_own(&alone, rows, columns, depth, a, b, add, y, after);
  return 1;
}

static void multiply_then(const struct call *c, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, int add, real *y, struct after after) {
  if (multiply_by_library(c, rows, columns, depth, a, b, add, y, after)) return;
  multiply_own(c, rows, columns, depth, a, b, add, y, after);
}

static void multiply(const struct call *c, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, int add, real *y) {
  multiply_then(c, rows, columns, depth, a, b, add, y, NOTHING);
}
