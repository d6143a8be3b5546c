#include "run/stream.h"

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
  return g->kind != STAGE_FILTER && g->kind != STAGE_SHUFFLE;
}

static int same_components(const struct stage *a, const struct stage *b) {
  if (a->components != b->components) return 0;
  for (int c = 0; c < a->components; c++)
    if (a->component[c].dtype != b->component[c].dtype || !shape_equal(&a->component[c].shape, &b->component[c].shape))
      return 0;
  return 1;
}

/* A place in a shuffle's buffer holds a position if the stage below can give any element, else the element. */
static int64_t place_bytes(const struct stream *s, const struct stage *g) {
  return s->stage[g->input[0]].count >= 0 ? (int64_t)sizeof(int64_t) : element_bytes(g);
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
  if (g->kind == STAGE_SLICES || g->kind == STAGE_RANGE) return element_bytes(g);
  if (g->kind != STAGE_SHUFFLE) return 0;
  int64_t places = smaller(g->a, s->stage[g->input[0]].most), each = place_bytes(s, g);
  return each > 0 && places > INT64_MAX / each ? INT64_MAX : places * each;
}

void stream_restart(struct stream *s, int k) {
  struct stage *g = &s->stage[k];
  for (int i = 0; i < g->inputs; i++) stream_restart(s, g->input[i]);
  g->position = g->passes = g->filled = 0;
  g->emitted = -1;
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

static void slice_element(struct stage *g, int64_t i) {
  int64_t at = 0;
  for (int c = 0; c < g->components; c++) {
    struct component *o = &g->component[c];
    int64_t n = shape_count(&o->shape);
    const unsigned char *from = g->data[c] + i * (o->packed ? n : component_bytes(o));
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
  case STAGE_CONCATENATE:
    for (int j = 0; i >= s->stage[below].count; below = g->input[++j]) i -= s->stage[below].count;
    break;
  case STAGE_REPEAT: i %= s->stage[below].count; break;
  case STAGE_SKIP: i += g->a; break;
  case STAGE_SHARD: i = g->b + i * g->a; break;
  default: break;
  }
  fetch(s, below, i);
  pass_on(g, &s->stage[below], 0);
}

/* A shuffle's buffer is filled from below, and a place that was emptied by the last element filled again (or closed by
 * the last place, when nothing more comes). */
static void fill_place(struct stage *g, const struct stage *in, int64_t place) {
  if (in->count >= 0) {
    ((int64_t *)(void *)g->buffer)[place] = g->position++;
    return;
  }
  unsigned char *to = g->buffer + place * element_bytes(g);
  for (int c = 0; c < g->components; c++) {
    memcpy(to, in->component[c].value, (size_t)component_bytes(&g->component[c]));
    to += padded_bytes(shape_count(&g->component[c].shape), g->component[c].dtype);
  }
}

static int more_below(struct stream *s, const struct stage *g) {
  const struct stage *in = &s->stage[g->input[0]];
  return in->count >= 0 ? g->position < in->count : stream_next(s, g->input[0]);
}

static int next_shuffled(struct stream *s, struct stage *g) {
  const struct stage *in = &s->stage[g->input[0]];
  int64_t size = place_bytes(s, g), room = smaller(g->a, in->most);
  if (g->emitted >= 0) {
    if (more_below(s, g)) fill_place(g, in, g->emitted);
    else if (--g->filled != g->emitted) memcpy(g->buffer + g->emitted * size, g->buffer + g->filled * size,
      (size_t)size);
    g->emitted = -1;
  } else {
    while (g->filled < room && more_below(s, g)) fill_place(g, in, g->filled++);
  }
  if (g->filled == 0 || s->failed) return 0;
  g->emitted = random_below(&g->random, (uint32_t)g->filled);
  if (in->count >= 0) {
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

int stream_next(struct stream *s, int k) {
  struct stage *g = &s->stage[k];
  if (s->failed) return 0;
  if (g->count >= 0) {
    if (g->position >= g->count) return 0;
    fetch(s, k, g->position++);
    return !s->failed;
  }
  if (g->kind == STAGE_SHUFFLE) return next_shuffled(s, g);
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
