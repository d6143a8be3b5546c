/* patches.h - what a position of a convolution's result sees of its source, tap by tap: its patch. Patches of positions
 * that are neighbours along the last axis are read where they are; those of other positions, and those that reach
 * beyond the source, are copied ("packed"), with zeros where it ends.
 */

#define PATCH_ROWS (64 / MR * MR)
#define PATCH_DEPTH 256
#define PATCH_ROW (PATCH_DEPTH + ALIGNMENT / (int)sizeof(real)) /* columns lie in different lines of the cache */

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

/* Tap number t of those that a product sees, in the kernel. */
INLINE int64_t tap_of(const struct gather *p, const struct convolution *g, int64_t t) {
  const struct reach *a = p->axis;
  int64_t t2 = t % a[2].taps, t1 = t / a[2].taps % a[1].taps, t0 = t / a[2].taps / a[1].taps;
  return ((a[0].tap + t0 * a[0].tap_step) * g->k[1] + a[1].tap + t1 * a[1].tap_step) * g->k[2] + a[2].tap +
    t2 * a[2].tap_step;
}

struct result {
  real *at;
  int add;
  struct after after;
};

/* A gradient: where it goes, which columns of it, and is it added to what is there? */
struct sum {
  real *at; /* NULL: it is not wanted */
  struct range columns;
  int add;
};

struct place {
  int64_t image, at[SPATIAL]; /* where its patch begins in the source */
  int64_t result;             /* which row of the result it is */
};

/* The place of a row. */
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
  int64_t runs;
};

static void piece_plan(const struct gather *p, int64_t group, int64_t k, int64_t deep, struct piece *piece) {
  const struct reach *a = p->axis;
  int joined = a[2].gap == 1 && p->groups == 1;
  int64_t end = k + deep, lines = joined ? 1 : a[2].taps, length = joined ? a[2].taps * p->in : p->in;
  piece->runs = 0;
  while (k < end) {
    int64_t line = k / length, begin = k % length, n = length - begin;
    if (n > end - k) n = end - k;
    int64_t t0 = line / lines / a[1].taps * a[0].gap, t1 = line / lines % a[1].taps * a[1].gap;
    int64_t t2 = line % lines * a[2].gap;
    int64_t offset = ((t0 * a[1].size + t1) * a[2].size + t2) * p->source_channels + group * p->in + begin;
    piece->run[piece->runs++] = (struct run){{t0, t1, t2}, begin, n, offset};
    k += n;
  }
}

/* Depth of the next block: all are about equally deep. */
INLINE int64_t block_depth(int64_t depth) {
  int64_t blocks = (depth + PATCH_DEPTH - 1) / PATCH_DEPTH;
  return blocks ? (depth + blocks - 1) / blocks : 1;
}

/* ---- lines: positions that are neighbours along the last axis, whose patches are read where they are ---- */

/* n such positions, which see all taps of the last axis. */
struct line {
  struct place place; /* of the first one */
  int64_t row, n;     /* which row of the product it is */
};

/* Some rows of a product: those in lines, and others ("apart"), whose patches are packed one after the other. */
struct positions {
  int64_t row, n, lines, apart, stretches;
  struct line line[PATCH_ROWS];
  struct place place[PATCH_ROWS];   /* of those apart */
  struct terms stretch[PATCH_ROWS]; /* of those apart that are neighbours, as the terms of sums over the rows */
};

#define FEW_POSITIONS 3 /* so few in a line are packed */

/* At which positions of the last axis all taps are there. */
static struct range inside_of(const struct reach *a) {
  int64_t low = a->first < 0 ? (-a->first + a->step - 1) / a->step : 0;
  int64_t room = a->size - 1 - (a->taps - 1) * a->gap - a->first;
  int64_t high = room < 0 ? 0 : room / a->step + 1;
  if (high > a->count) high = a->count;
  return (struct range){low, high - low <= FEW_POSITIONS ? low : high};
}

static void set_apart(const struct gather *p, struct positions *r, int64_t row, int64_t n) {
  struct terms *last = r->stretches ? &r->stretch[r->stretches - 1] : NULL;
  if (last && last->b + last->n == row - r->row) last->n += n;
  else if (n) r->stretch[r->stretches++] = (struct terms){r->apart * PATCH_ROW, row - r->row, n};
  for (int64_t j = 0; j < n; j++) r->place[r->apart++] = place_of(p, row + j);
}

static void rows_from(const struct gather *p, int64_t row, int64_t n, struct positions *r) {
  int64_t count = p->axis[SPATIAL - 1].count, end = row + n;
  struct range inside = inside_of(&p->axis[SPATIAL - 1]);
  r->row = row, r->n = n, r->lines = r->apart = r->stretches = 0;
  while (row < end) {
    int64_t q = row % count, some = count - q < end - row ? count - q : end - row; /* on one line */
    int64_t low = inside.begin > q ? inside.begin - q : 0, high = inside.end > q ? inside.end - q : 0;
    if (low > some) low = some;
    if (high > some) high = some;
    if (high < low) high = low;
    set_apart(p, r, row, low);
    if (high > low) r->line[r->lines++] = (struct line){place_of(p, row + low), row + low, high - low};
    set_apart(p, r, row + high, some - high);
    row += some;
  }
}

/* Where a patch begins in the source; it may begin before it. */
INLINE int64_t begins_at(const struct gather *p, const struct place *o) {
  const struct reach *a = p->axis;
  return (((o->image * a[0].size + o->at[0]) * a[1].size + o->at[1]) * a[2].size + o->at[2]) * p->source_channels;
}

INLINE int is_there(const struct gather *p, const struct place *o, const struct run *run) {
  int64_t at0 = o->at[0] + run->tap[0], at1 = o->at[1] + run->tap[1];
  return at0 >= 0 && at0 < p->axis[0].size && at1 >= 0 && at1 < p->axis[1].size;
}

/* Which numbers of a run are there, counted from its first one. */
INLINE struct range run_there(const struct gather *p, const struct place *o, const struct run *run) {
  int64_t at2 = o->at[2] + run->tap[2];
  int64_t low = -at2 * p->in - run->begin, high = (p->axis[2].size - at2) * p->in - run->begin;
  low = low < 0 ? 0 : low;
  high = high > run->n ? run->n : high;
  if (!is_there(p, o, run) || low >= high) low = high = run->n;
  return (struct range){low, high};
}

/* Zeros where the source ends. */
static void pack_clipped(const struct gather *p, const real *source, const struct place *o,
  const struct piece *piece, real *to) {
  for (int64_t r = 0; r < piece->runs; r++) {
    const struct run *run = &piece->run[r];
    struct range there = run_there(p, o, run);
    int64_t low = there.begin, high = there.end;
    zero_run(to, low);
    if (low < high) copy_run(to + low, source + (begins_at(p, o) + run->offset + low), high - low);
    zero_run(to + high, run->n - high);
    to += run->n;
  }
}

/* The patches of the rows apart. */
static void pack_patches(const struct gather *p, const real *source, const struct positions *rows,
  const struct piece *piece, real *to) {
  const struct reach *a = p->axis;
  for (int64_t j = 0; j < rows->apart; j++, to += PATCH_ROW) {
    const struct place *o = &rows->place[j];
    int inside = 1;
    for (int i = 0; i < SPATIAL; i++)
      inside = inside && o->at[i] >= 0 && o->at[i] + (a[i].taps - 1) * a[i].gap < a[i].size;
    if (!inside) {
      pack_clipped(p, source, o, piece, to);
      continue;
    }
    const real *from = source + begins_at(p, o);
    real *next = to;
    for (int64_t r = 0; r < piece->runs; next += piece->run[r++].n)
      copy_run(next, from + piece->run[r].offset, piece->run[r].n);
  }
}
