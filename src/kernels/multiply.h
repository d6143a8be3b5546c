/* multiply.h - the one matrix multiply: C = A B [+ C], for any strides of A and B, and what is done with C at once.
 *
 * A tile of MR rows and NR vectors of C stays in registers while k runs:
 *
 *       b: 1 x NR vectors            for each k: load one row of B's panel, broadcast
 *   a   c: MR x NR                   MR numbers of A, multiply and add.
 *
 * The tile reads A at any strides, so one routine serves x W (forward) and x' dz (weight gradient).
 * B must run along n; where it runs along k instead (dz W', the input gradient) few rows are done
 * as dot products, MR x DN results at a time, and for many rows B's panel is copied first.
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
    UNROLL for (int v = 0; v < vectors; v++) sum[m][v] = splat(0);
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

/* Copy a panel of B (depth x width) to contiguous rows of `filled` numbers, whole vectors, zeros to
 * the right. */
static void pack_panel(int64_t depth, int64_t width, int64_t filled, struct matrix b, real *panel) {
  for (int64_t k = 0; k < depth; k++) {
    const real *from = b.at + k * b.row;
    real *to = panel + k * filled;
    if (b.column != 1) {
      for (int64_t n = 0; n < width; n++) to[n] = from[n * b.column];
      for (int64_t n = width; n < filled; n++) to[n] = 0;
    } else {
      FOR_VECTORS((int64_t)0, width) store(to + i, READ(from));
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

/* Columns of the next panel: as wide as can be, but two of two vectors rather than three and one, whose few sums would
 * wait for each other. */
INLINE int64_t panel_width(int64_t columns) {
  if (NR == 3 && columns == 4 * (int64_t)VL) return 2 * VL;
  return columns < NR * VL ? columns : NR * VL;
}

/* C = start + A B by panels of B. */
static void multiply_panels(const struct call *call, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, int add, real *c, int64_t c_row, int pack) {
  real panel[KC * NR * VL];
  for (int64_t k = 0; k == 0 || k < depth; k += KC) {
    int64_t deep = depth - k < KC ? depth - k : KC;
    struct matrix ak = {a.at + k * a.column, a.row, a.column};
    for (int64_t n = 0, width; n < columns; n += width) {
      width = panel_width(columns - n);
      if (may_rest(call, 2.0 * (double)rows * (double)deep * (double)width)) return;
      struct matrix bk = {b.at + k * b.row + n * b.column, b.row, b.column};
      struct start s = {zeros, 0};
      if (add || k > 0) s = (struct start){c + n, c_row};
      int ragged = width % VL != 0;
      if (pack || ragged || b.column != 1) {
        int64_t filled = filled_width(width);
        pack_panel(deep, width, filled, bk, panel);
        bk = (struct matrix){panel, filled, 1};
      }
      multiply_panel(rows, width, (struct sums){&(struct terms){0, 0, deep}, 1}, ak, bk.at, bk.row, s, c + n, c_row);
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
#ifdef HAVE_SUM_EACH
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

/* C (rows, columns) = A (rows, depth) B (depth, columns), added to C or put in its place. The share: some
 * rows, or some columns where rows are few. */
static void multiply_own(const struct call *c, int64_t rows, int64_t columns, int64_t depth, struct matrix a,
  struct matrix b, int add, real *y, struct after after) {
  int by_columns = rows < 8 * c->parts, pack = rows >= PACK_ROWS;
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
  if (b.column == 1 || pack || depth < 4 * VL) {
    for (int64_t m = 0; m < rows; m += TALL) { /* an interrupt waits for so many rows of a panel */
      int64_t some = rows - m < TALL ? rows - m : TALL;
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
