#include "run/stream.h"
#include "base/system.h"

#include <string.h>

static int64_t component_bytes(const struct component *c) {
  return shape_count(&c->shape) * (int64_t)dtype_size[c->dtype];
}

static int64_t element_bytes(const struct stage *g) {
  int64_t bytes = 0;
  for (int c = 0; c < g->components; c++) bytes += (int64_t)padded_bytes(shape_count(&g->component[c].shape),
    g->component[c].dtype);
  return bytes;
}

/* ---- what follows from the inputs ---- */

/* Of two numbers of elements, -1 for no end, the smaller. */
static int64_t smaller(int64_t a, int64_t b) { return a < 0 || (b >= 0 && b < a) ? b : a; }

static int64_t most_from(const struct stream *s, const struct stage *g) {
  int64_t n = g->inputs ? s->stage[g->input[0]].most : g->most;
  for (int i = 1; i < g->inputs; i++) {
    int64_t other = s->stage[g->input[i]].most;
    if (g->kind == STAGE_ZIP) n = smaller(n, other);
    else n = n < 0 || other < 0 ? -1 : n + other;
  }
  switch (g->kind) {
  case STAGE_REPEAT:
    if (n == 0 || g->a == 0) return 0;
    return n < 0 || g->a < 0 || n > INT64_MAX / g->a ? -1 : n * g->a;
  case STAGE_TAKE: return smaller(n, g->a);
  case STAGE_SKIP:
    if (g->a < 0) return 0;
    return n < 0 ? -1 : n > g->a ? n - g->a : 0;
  case STAGE_SHARD:
    if (n < 0) return -1;
    return n > g->b ? (n - g->b + g->a - 1) / g->a : 0;
  default: return n;
  }
}

static int gives_any(const struct stream *s, const struct stage *g) {
  for (int i = 0; i < g->inputs; i++)
    if (s->stage[g->input[i]].count < 0) return 0;
  return g->kind != STAGE_FILTER && g->kind != STAGE_SHUFFLE && g->kind != STAGE_FEED;
}

/* So much of files is read ahead; what lies between the elements of a shard, too, unless that is more than a gap. */
#define AHEAD_BYTES (8 << 20)
#define GAP_BYTES (128 << 10)

static int lie_apart(const struct stage *g) {
  return g->kind == STAGE_SHARD && (double)(g->a - 1) * (double)element_bytes(g) > GAP_BYTES;
}

static int64_t elements_ahead(const struct stream *s, const struct stage *g) {
  int64_t n = 0, bytes = element_bytes(g);
  for (int c = 0; c < g->components && g->kind == STAGE_SLICES; c++)
    if (g->component[c].mapped) n = bytes < AHEAD_BYTES ? AHEAD_BYTES / (bytes ? bytes : 1) : 1;
  for (int i = 0; i < g->inputs; i++) {
    int64_t below = s->stage[g->input[i]].ahead;
    if (below && g->kind == STAGE_SHARD && !lie_apart(g)) below = below > g->a ? below / g->a : 1;
    if (below && (!n || below < n)) n = below;
  }
  return n;
}

static int same_components(const struct stage *a, const struct stage *b) {
  if (a->components != b->components) return 0;
  for (int c = 0; c < a->components; c++)
    if (a->component[c].dtype != b->component[c].dtype || !shape_equal(&a->component[c].shape, &b->component[c].shape))
      return 0;
  return 1;
}

/* A place in a shuffle's buffer holds a position if the stage below can give any element, else the element; so does one
 * of blocks, which are read once, in one go. */
static int holds_positions(const struct stream *s, const struct stage *g) {
  return s->stage[g->input[0]].count >= 0 && !g->b;
}

static int64_t place_bytes(const struct stream *s, const struct stage *g) {
  return holds_positions(s, g) ? (int64_t)sizeof(int64_t) : element_bytes(g);
}

static int64_t blocks_below(const struct stream *s, const struct stage *g) {
  return g->b ? (s->stage[g->input[0]].count + g->b - 1) / g->b : 0;
}

int64_t stage_settle(struct stream *s, int k) {
  struct stage *g = &s->stage[k];
  g->most = most_from(s, g);
  g->count = gives_any(s, g) ? g->most : -1;
  if (g->inputs && g->kind != STAGE_MAP) {
    g->components = 0;
    for (int i = 0; i < (g->kind == STAGE_ZIP ? g->inputs : 1); i++) {
      const struct stage *in = &s->stage[g->input[i]];
      if (g->components + in->components > MAX_COMPONENTS) return -1;
      memcpy(g->component + g->components, in->component, (size_t)in->components * sizeof *in->component);
      g->components += in->components;
    }
    for (int i = 1; g->kind == STAGE_CONCATENATE && i < g->inputs; i++)
      if (!same_components(g, &s->stage[g->input[i]])) return -1;
  }
  for (int c = 0; c < g->components && g->kind != STAGE_SLICES; c++) g->component[c].packed = 0;
  g->ahead = elements_ahead(s, g);
  if (!g->inputs) return element_bytes(g);
  if (g->kind != STAGE_SHUFFLE) return 0;
  int64_t places = smaller(g->a, s->stage[g->input[0]].most), each = place_bytes(s, g), blocks = blocks_below(s, g);
  if (blocks > INT32_MAX || (each > 0 && places > INT64_MAX / 2 / each)) return INT64_MAX;
  return places * each + blocks * (int64_t)sizeof(int32_t);
}

void stream_restart(struct stream *s, int k) {
  struct stage *g = &s->stage[k];
  for (int i = 0; i < g->inputs; i++) stream_restart(s, g->input[i]);
  g->position = g->passes = g->filled = g->from = g->until = 0;
  g->emitted = g->last = -1;
  if (g->kind == STAGE_SHUFFLE && !g->reshuffle) random_seed(&g->random, g->seed);
}

/* ---- elements ---- */

static void pass_on(struct stage *g, const struct stage *in, int first) {
  for (int c = 0; c < in->components; c++) g->component[first + c].value = in->component[c].value;
}

/* The stage's program on the components of the stage below. */
static void run_stage(struct stream *s, struct stage *g) {
  const struct stage *in = &s->stage[g->input[0]];
  struct program *p = g->program;
  for (int c = 0; c < in->components; c++) p->slots[g->in[c]].value = (void *)(uintptr_t)in->component[c].value;
  p->seed = s->seed + ++s->runs * 0xbf58476d1ce4e5b9u;
  run_nodes(p, 0, s->team, 0);
  s->failed = team_must_leave(s->team) ? STATUS_INTERRUPTED : (enum status)atomic_load(&s->team->failed);
}

static void map_element(struct stream *s, struct stage *g) {
  run_stage(s, g);
  for (int c = 0; c < g->components; c++) g->component[c].value = g->program->slots[g->out[c]].value;
}

static int64_t slice_bytes(const struct component *c) {
  return c->packed ? shape_count(&c->shape) : component_bytes(c);
}

/* What was read of a file stays in the process' memory until somebody else needs the room. So it is given back after so
 * many bytes, unless the whole file is no more; the system still has it as long as there is room. A page that is read
 * brings its neighbours, up to 2 MB where these were read together. */
#define KEPT_BYTES (64 << 20)
#define NEIGHBOURS (2 << 20)

static void let_go(struct stage *g) {
  for (int c = 0; c < g->components; c++)
    if (g->component[c].mapped) system_let_go(g->data[c], (size_t)(g->count * slice_bytes(&g->component[c])));
  g->touched = 0;
}

static void note_touched(struct stage *g, int64_t i) {
  for (int c = 0; c < g->components; c++) {
    int64_t bytes = slice_bytes(&g->component[c]);
    if (g->component[c].mapped && bytes * g->count > KEPT_BYTES)
      g->touched += bytes + (i == g->last + 1 ? 0 : NEIGHBOURS);
  }
  g->last = i;
  if (g->touched > KEPT_BYTES) let_go(g);
}

static void slice_element(struct stage *g, int64_t i) {
  int64_t at = 0;
  note_touched(g, i);
  for (int c = 0; c < g->components; c++) {
    struct component *o = &g->component[c];
    int64_t n = shape_count(&o->shape);
    const unsigned char *from = g->data[c] + i * slice_bytes(o);
    int bare = !o->packed && (uintptr_t)from % dtype_size[o->dtype] == 0; /* in files numbers may begin anywhere */
    o->value = bare ? from : g->buffer + at;
    if (o->packed) {
      int32_t *to = (int32_t *)(void *)(g->buffer + at);
      for (int64_t j = 0; j < n; j++) to[j] = from[j];
    } else if (!bare) {
      memcpy(g->buffer + at, from, (size_t)component_bytes(o));
    }
    at += (int64_t)padded_bytes(n, o->dtype);
  }
}

/* The stage that element i comes from, and its number there. */
static int source_of(const struct stream *s, const struct stage *g, int64_t *i) {
  int below = g->input[0];
  switch (g->kind) {
  case STAGE_CONCATENATE:
    for (int j = 0; *i >= s->stage[below].count; below = g->input[++j]) *i -= s->stage[below].count;
    break;
  case STAGE_REPEAT: *i %= s->stage[below].count; break;
  case STAGE_SKIP: *i += g->a; break;
  case STAGE_SHARD: *i = g->b + *i * g->a; break;
  default: break;
  }
  return below;
}

/* Elements `from` to `last` of a stage that can give any will be asked for: what of them lies in files may be read
 * meanwhile. */
static void read_ahead(const struct stream *s, int k, int64_t from, int64_t last) {
  const struct stage *g = &s->stage[k];
  for (int c = 0; c < g->components && g->kind == STAGE_SLICES; c++) {
    int64_t bytes = slice_bytes(&g->component[c]);
    if (g->component[c].mapped) system_read_ahead(g->data[c] + from * bytes, (size_t)((last - from + 1) * bytes));
  }
  if (g->kind == STAGE_ZIP)
    for (int j = 0; j < g->inputs; j++) read_ahead(s, g->input[j], from, last);
  if (!g->inputs || g->kind == STAGE_ZIP) return;
  int64_t first_below = from, last_below = last, middle = from + (last - from) / 2;
  int below = source_of(s, g, &first_below);
  if (lie_apart(g)) {
    for (int64_t i = from; i <= last; i++) read_ahead(s, below, g->b + i * g->a, g->b + i * g->a);
  } else if (source_of(s, g, &last_below) == below && first_below <= last_below) {
    read_ahead(s, below, first_below, last_below);
  } else { /* at a seam */
    read_ahead(s, k, from, middle);
    read_ahead(s, k, middle + 1, last);
  }
}

/* Of those that are taken in their order, number i is next. */
static void read_on(const struct stream *s, int k, int64_t i) {
  const struct stage *g = &s->stage[k];
  int64_t n = g->ahead, from = i ? i + n : 0;
  if (n && i % n == 0 && from < g->count) read_ahead(s, k, from, smaller(i + 2 * n, g->count) - 1);
}

/* Element i of a stage that can give any. */
static void fetch(struct stream *s, int k, int64_t i) {
  struct stage *g = &s->stage[k];
  int below = g->inputs ? g->input[0] : -1;
  switch (g->kind) {
  case STAGE_SLICES:
    slice_element(g, i);
    return;
  case STAGE_RANGE:
    *(int64_t *)(void *)g->buffer = g->a + g->b * i;
    g->component[0].value = g->buffer;
    return;
  case STAGE_MAP:
    fetch(s, below, i);
    map_element(s, g);
    return;
  case STAGE_ZIP:
    for (int j = 0, first = 0; j < g->inputs; first += s->stage[g->input[j++]].components) {
      fetch(s, g->input[j], i);
      pass_on(g, &s->stage[g->input[j]], first);
    }
    return;
  default: break;
  }
  below = source_of(s, g, &i);
  fetch(s, below, i);
  pass_on(g, &s->stage[below], 0);
}

/* A shuffle's buffer is filled from below, and a place that was emptied by the last element filled again (or closed by
 * the last place, when nothing more comes). */
static void fill_place(const struct stream *s, struct stage *g, const struct stage *in, int64_t place) {
  if (holds_positions(s, g)) {
    ((int64_t *)(void *)g->buffer)[place] = g->position++;
    return;
  }
  unsigned char *to = g->buffer + place * element_bytes(g);
  for (int c = 0; c < g->components; c++) {
    memcpy(to, in->component[c].value, (size_t)component_bytes(&g->component[c]));
    to += padded_bytes(shape_count(&g->component[c].shape), g->component[c].dtype);
  }
}

/* While the elements of a block are taken, those of the next blocks come from the disk. */
static int begin_block(struct stream *s, struct stage *g) {
  const struct stage *in = &s->stage[g->input[0]];
  int64_t blocks = blocks_below(s, g), places = smaller(g->a, in->most), ahead = (g->ahead + g->b - 1) / g->b;
  int32_t *order = (int32_t *)(void *)(g->buffer + places * place_bytes(s, g));
  if (g->passes == blocks) return 0;
  if (g->passes == 0) random_permutation(&g->random, order, (int32_t)blocks);
  for (int64_t k = g->passes ? g->passes + ahead : 0; k <= g->passes + ahead && k < blocks; k++)
    read_ahead(s, g->input[0], order[k] * g->b, smaller((order[k] + 1) * g->b, in->count) - 1);
  g->from = order[g->passes++] * g->b;
  g->until = smaller(g->from + g->b, in->count);
  return 1;
}

static int more_below(struct stream *s, struct stage *g) {
  const struct stage *in = &s->stage[g->input[0]];
  if (holds_positions(s, g)) {
    if (g->a < in->count && g->position < in->count) read_on(s, g->input[0], g->position);
    return g->position < in->count;
  }
  if (!g->b) return stream_next(s, g->input[0]);
  if (g->from == g->until && !begin_block(s, g)) return 0;
  fetch(s, g->input[0], g->from++);
  return !s->failed;
}

static int next_shuffled(struct stream *s, struct stage *g) {
  const struct stage *in = &s->stage[g->input[0]];
  int64_t size = place_bytes(s, g), room = smaller(g->a, in->most);
  if (g->emitted >= 0) {
    if (more_below(s, g)) fill_place(s, g, in, g->emitted);
    else if (--g->filled != g->emitted) memcpy(g->buffer + g->emitted * size, g->buffer + g->filled * size,
      (size_t)size);
    g->emitted = -1;
  } else {
    while (g->filled < room && more_below(s, g)) fill_place(s, g, in, g->filled++);
  }
  if (g->filled == 0 || s->failed) return 0;
  g->emitted = random_below(&g->random, (uint32_t)g->filled);
  if (holds_positions(s, g)) {
    fetch(s, g->input[0], ((int64_t *)(void *)g->buffer)[g->emitted]);
    pass_on(g, in, 0);
    return 1;
  }
  const unsigned char *at = g->buffer + g->emitted * size;
  for (int c = 0; c < g->components; c++) {
    g->component[c].value = at;
    at += padded_bytes(shape_count(&g->component[c].shape), g->component[c].dtype);
  }
  return 1;
}

static int next_repeated(struct stream *s, struct stage *g) {
  int below = g->input[0];
  if (g->a == 0) return 0;
  if (stream_next(s, below)) return 1;
  if (g->a > 0 && ++g->passes >= g->a) return 0;
  stream_restart(s, below);
  return stream_next(s, below); /* nothing even now: there are no elements */
}

/* The stage below that has the next element, or -1. */
static int next_source(struct stream *s, struct stage *g) {
  int below = g->input[0];
  switch (g->kind) {
  case STAGE_FILTER:
    while (stream_next(s, below)) {
      run_stage(s, g);
      if (s->failed || *(const unsigned char *)g->program->slots[g->out[0]].value) return below;
    }
    return -1;
  case STAGE_REPEAT: return next_repeated(s, g) ? below : -1;
  case STAGE_TAKE: return (g->a < 0 || g->position < g->a) && stream_next(s, below) ? below : -1;
  case STAGE_SKIP:
    if (g->a < 0) return -1;
    for (; g->passes < g->a; g->passes++)
      if (!stream_next(s, below)) return -1;
    return stream_next(s, below) ? below : -1;
  case STAGE_SHARD:
    for (int64_t skip = g->position ? g->a - 1 : g->b; skip > 0; skip--)
      if (!stream_next(s, below)) return -1;
    return stream_next(s, below) ? below : -1;
  case STAGE_CONCATENATE:
    for (; g->passes < g->inputs; g->passes++)
      if (stream_next(s, g->input[g->passes])) return g->input[g->passes];
    return -1;
  default: return stream_next(s, below) ? below : -1;
  }
}

static int next_element(struct stream *s, int k) {
  struct stage *g = &s->stage[k];
  if (s->failed) return 0;
  if (g->count >= 0) {
    if (g->position >= g->count) return 0;
    read_on(s, k, g->position);
    fetch(s, k, g->position++);
    return !s->failed;
  }
  if (g->kind == STAGE_SHUFFLE) return next_shuffled(s, g);
  if (g->kind == STAGE_FEED) {
    if (g->from == g->until && !s->feed(s, k)) return 0;
    slice_element(g, g->from++);
    return 1;
  }
  if (g->kind == STAGE_ZIP) {
    for (int j = 0, first = 0; j < g->inputs; first += s->stage[g->input[j++]].components) {
      if (!stream_next(s, g->input[j])) return 0;
      pass_on(g, &s->stage[g->input[j]], first);
    }
    return 1;
  }
  int source = next_source(s, g);
  if (source < 0) return 0;
  g->position++;
  if (g->kind == STAGE_MAP) map_element(s, g);
  else pass_on(g, &s->stage[source], 0);
  return !s->failed;
}

int stream_next(struct stream *s, int k) {
  if (next_element(s, k)) return 1;
  for (int j = 0; j < s->stages && k == s->stages - 1; j++)
    if (s->stage[j].kind == STAGE_SLICES) let_go(&s->stage[j]);
  return 0;
}

int64_t stream_fill(struct stream *s, int64_t n, unsigned char *const *to) {
  int top = s->stages - 1;
  const struct stage *g = &s->stage[top];
  for (int64_t i = 0; i < n; i++) {
    if (!stream_next(s, top)) return i;
    for (int c = 0; c < g->components; c++) {
      size_t bytes = (size_t)component_bytes(&g->component[c]);
      memcpy(to[c] + (size_t)i * bytes, g->component[c].value, bytes);
    }
  }
  return n;
}
