#include "run/epoch.h"

#include <string.h>

static struct epoch *epoch_of(struct loop *l) { return (struct epoch *)(void *)l; }

/* As if the program ran by itself. */
static void set_seeds(struct program *p, const uint64_t *seeds) {
  p->seed = 0;
  for (int32_t i = 0; i < p->nodes_used; i++)
    if (program_draws(p, i)) p->nodes[i].seed = *seeds++;
}

static void begin_step(struct epoch *e) {
  struct epoch_state *s = e->state;
  struct program *p = e->loop.program;
  e->next = s->now;
  p->seed = random_bits(&e->next);
  if (e->seeds) set_seeds(p, e->seeds + (s->steps - e->first) * e->draws);
  if (e->rates && s->steps - e->first < e->n_rates) e->optimizer->learning_rate = e->rates[s->steps - e->first];
}

/* Slots whose shape does not follow the batch's. */
static int misshapen(const struct epoch *e) {
  const struct slot *slots = e->loop.program->slots;
  for (int k = 0; k < e->tallies; k++)
    if (shape_count(&slots[e->tally[k].slot].shape) != e->tally[k].n) return 1;
  for (int k = 0; k < e->collected; k++)
    if (slots[e->collect[k].slot].shape.dim[0] != e->loop.rows) return 1;
  return 0;
}

/* This member's share of keeping rows. */
static void collect_rows(const struct epoch *e, int thread, int threads) {
  struct range r = share_of(e->loop.rows, 1, thread, threads);
  int64_t first = e->loop.data->stream ? e->state->rows_seen - e->state->collected_from : e->loop.begin;
  for (int k = 0; k < e->collected && r.end > r.begin; k++) {
    const struct collected *c = &e->collect[k];
    const struct slot *slot = &e->loop.program->slots[c->slot];
    size_t row = (size_t)shape_span(&slot->shape, 1, slot->shape.rank) * dtype_size[slot->dtype];
    const unsigned char *from = (const unsigned char *)slot->value + (size_t)r.begin * row;
    if (c->array) rows_to_doubles(slot->dtype, from, &c->shape, first + r.begin, r.end - r.begin, c->array);
    else memcpy(c->rows + (size_t)(first + r.begin) * row, from, (size_t)(r.end - r.begin) * row);
  }
}

static void note_step(struct epoch *e) {
  struct epoch_state *s = e->state;
  s->now = e->next;
  s->position = e->loop.data->position;
  s->rows_seen += e->loop.rows;
  s->steps++;
}

static void end_step(struct epoch *e) {
  const struct program *p = e->loop.program;
  for (int k = 0; k < e->tallies; k++) {
    const struct tally *t = &e->tally[k];
    const struct slot *slot = &p->slots[t->slot];
    double weight = t->averaged ? (double)e->loop.rows : 1;
    for (int64_t i = 0; i < t->n; i++) t->sum[i] += weight * slot_number(slot, i);
  }
  note_step(e);
}

static int epoch_step(struct loop *l, struct team *team, int thread) {
  if (thread == 0 && misshapen(epoch_of(l))) {
    fail(l->failure, STATUS_SHAPE, "an output or a metric does not have one row for each row of the batch");
    atomic_store(&team->failed, STATUS_SHAPE);
  }
  if (thread == 0) begin_step(epoch_of(l));
  team_barrier(team);
  if (team_failed(team)) return 0;
  run_nodes(l->program, 0, team, thread);
  if (team_must_leave(team)) return 0;
  if (team_failed(team)) return 0;
  collect_rows(epoch_of(l), thread, team->threads);
  if (thread == 0) end_step(epoch_of(l));
  return 1;
}

/* ---- the same in shards, of which this process takes its own ---- */

static void begin_shard(struct epoch *e, struct team *team, uint64_t seed, int k) {
  struct shards *s = e->shards;
  struct program *p = e->loop.program;
  struct random r;
  shards_choose(s, k);
  random_seed(&r, seed ^ ((uint64_t)k * 0xd1342543de82ef95u));
  p->seed = k ? random_bits(&r) : seed; /* one shard draws what a whole batch would */
  if (s->own == 0) return;
  if (program_set_rows(p, s->own, e->loop.failure)) s->go = 0;
  else if (misshapen(e)) {
    fail(e->loop.failure, STATUS_SHAPE, "a metric looks at the number of rows, and shards have different ones");
    s->go = 0;
  }
  if (!s->go) atomic_store(&team->failed, STATUS_SHAPE);
}

/* Without any value that a mask lets through, a shard has next to no weight: some, as the batch may be all of those. */
#define NEXT_TO_NO_WEIGHT 1e-30

static void end_shard(struct epoch *e, struct team *team) {
  struct shards *s = e->shards;
  double rows = (double)s->own;
  for (int32_t g = 0; g < s->groups; g++)
    switch (s->weigh[g]) {
    case WEIGH_NOT: s->weighed[g] = 1; break;
    case WEIGH_SLOT:
      s->weighed[g] = slot_number(&e->loop.program->slots[s->weight[g]], 0) + NEXT_TO_NO_WEIGHT * rows;
      break;
    default: s->weighed[g] = rows;
    }
  if (atomic_load(&team->failed) || team_must_leave(team)) s->go = 0;
}

/* A number that doubles hold exactly; what the ranks have in common reaches its bits. */
static double check_of(uint64_t seed, int64_t rows, uint64_t numbers) {
  return (double)((seed ^ (uint64_t)rows * 0x9e3779b97f4a7c15u ^ numbers) >> 12);
}

static void meet(struct epoch *e, struct team *team) {
  struct shards *s = e->shards;
  enum status own = team_must_leave(team) ? STATUS_INTERRUPTED : (enum status)atomic_load(&team->failed);
  enum status status = shards_meet(s, own, e->loop.failure);
  s->go = status == STATUS_OK;
  s->finite = 1;
  if (status && status != STATUS_INTERRUPTED) atomic_store(&team->failed, (int)status);
}

static void end_sharded_step(struct epoch *e) {
  struct shards *s = e->shards;
  const struct program *p = e->loop.program;
  const struct piece *piece = s->piece + shards_count(p);
  for (int k = 0; k < e->tallies; k++) {
    const struct tally *t = &e->tally[k];
    int once = t->averaged == AVERAGED_ONCE;
    double weight = (t->averaged ? (double)e->loop.rows : 1) / (once ? 1 : shards_divisor(s, piece));
    for (int64_t i = 0; i < t->n; i++)
      t->sum[i] += weight * (once ? slot_number(&p->slots[t->slot], i) : s->sum[piece->at + i]);
    piece += !once;
  }
  note_step(e);
}

static int sharded_step(struct loop *l, struct team *team, int thread) {
  struct epoch *e = epoch_of(l);
  struct shards *s = e->shards;
  struct program *p = l->program;
  uint64_t seed = 0;
  if (thread == 0) {
    begin_step(e);
    seed = p->seed;
    s->rows = l->rows;
    s->check = s->communicator->size == 1 ? 0 : check_of(seed, l->rows, dataset_digest(l->data, l->rows) ^ s->given);
    s->go = 1;
  }
  for (int i = 0; i < shards_own(s); i++) {
    if (thread == 0) begin_shard(e, team, seed, shards_first(s) + i);
    team_barrier(team);
    if (!s->go) break;
    if (s->own) {
      dataset_gather(l->data, p, l->begin + s->begin, s->own, thread, team->threads);
      team_barrier(team);
      run_part(p, 0, s->early, 0, team, thread);
      if (thread == 0) end_shard(e, team);
      team_barrier(team);
    }
    if (!s->go) break;
    shards_add(s, p, thread, team->threads);
    team_barrier(team);
  }
  if (thread == 0) meet(e, team);
  team_barrier(team);
  if (!s->go) return 0;
  if (!shards_give(s, p, thread, team->threads)) s->finite = 0;
  team_barrier(team);
  if (!s->finite) {
    atomic_store(&team->failed, STATUS_WEIGHTS);
    return 0;
  }
  run_part(p, s->late, p->nodes_used, 1, team, thread);
  if (team_failed(team)) return 0;
  if (thread == 0) end_sharded_step(e);
  return 1;
}

enum status epoch_run(struct epoch *e) {
  struct epoch_state *s = e->state;
  struct random order = s->start;
  dataset_rewind(e->loop.data, &order);
  e->first = s->steps;
  if (!s->begun) s->now = order;
  s->begun = 1;
  e->loop.data->position = s->position;
  e->loop.step = e->shards ? sharded_step : epoch_step;
  e->loop.own_rows = e->shards != NULL;
  return loop_run(&e->loop);
}

void epoch_next(struct epoch *e) {
  struct epoch_state *s = e->state;
  s->start = s->now;
  s->begun = 0;
  s->position = s->rows_seen = 0;
  for (int k = 0; k < e->tallies; k++) memset(e->tally[k].sum, 0, (size_t)e->tally[k].n * sizeof(double));
}
