#include "run/shards.h"

#include <math.h>
#include <string.h>

/* Behind the numbers of the pieces: the sums of the weights of each group, the rows; then for each rank a 1, the status
 * that it met and the number that all must agree on. */
enum { RANK_THERE, RANK_STATUS, RANK_CHECK, BY_RANK };

int64_t shards_room(const struct shards *s) { return s->numbers + BY_RANK * (int64_t)s->communicator->size; }

int32_t shards_count(const struct program *p) {
  int32_t n = 0;
  for (int32_t i = 0; i < p->nodes_used; i++)
    if (p->nodes[i].op == ACTION_REDUCE) n += p->nodes[i].outputs;
  return n;
}

/* The sums stand in a row (program_split()). */
void shards_find(struct shards *s, const struct program *p) {
  s->early = s->late = p->nodes_used;
  for (int32_t i = p->nodes_used - 1; i >= 0; i--) {
    const struct node *n = &p->nodes[i];
    if (n->op != ACTION_REDUCE) continue;
    if (s->late == p->nodes_used) s->late = i + 1;
    s->early = i;
    for (int k = 0; k < n->outputs; k++) {
      int changes = n->attr.ints[0] == REDUCE_CHANGES;
      s->piece[s->pieces++] = (struct piece){.slot = node_inputs(p, n)[k].slot, .result = node_outputs(p, n)[k].slot,
        .start = changes ? node_inputs(p, n)[n->outputs + k].slot : NO_SLOT, .kind = (int32_t)n->attr.ints[0],
        .group = (int32_t)n->attr.ints[1]};
    }
  }
}

void shards_place(struct shards *s, const struct program *p) {
  s->numbers = 0;
  for (int32_t k = 0; k < s->pieces; k++) {
    s->piece[k].at = s->numbers;
    s->numbers += s->piece[k].n = shape_count(&p->slots[s->piece[k].slot].shape);
  }
  s->numbers += s->groups + 1;
}

void shards_choose(struct shards *s, int k) {
  s->level = k == shards_first(s) ? 0 : s->level + 1 - s->closed;
  s->closed = sums_closed(s->communicator, s->count, k);
  s->begin = s->rows * k / s->count;
  s->own = s->rows * (k + 1) / s->count - s->begin;
}

void shards_put(const struct slot *s, int64_t i, double x) {
  put_number(s->dtype, s->value, i, dtype_is_float(s->dtype) ? x : nearbyint(x));
}

static double weight_of(const struct shards *s, const struct piece *piece) {
  switch (piece->kind) {
  case REDUCE_MEAN: return s->weighed[piece->group];
  case REDUCE_ROWS: return (double)s->own;
  default: return 1;
  }
}

/* + 0, as the sum of the ranks takes -0 for 0. */
static void put_piece(const struct shards *s, const struct program *p, const struct piece *piece, struct range r,
  double *to) {
  const struct slot *slot = &p->slots[piece->slot];
  double weight = weight_of(s, piece);
  int64_t first = r.begin > piece->at ? r.begin - piece->at : 0, end = r.end - piece->at;
  if (end > piece->n) end = piece->n;
  to += piece->at;
  if (piece->kind == REDUCE_CHANGES) {
    const struct slot *start = &p->slots[piece->start];
    for (int64_t i = first; i < end; i++)
      to[i] = number_at(slot->dtype, slot->value, i) - number_at(start->dtype, start->value, i) + 0.0;
  } else if (slot->dtype == FLOAT32) {
    const float *from = slot->value;
    for (int64_t i = first; i < end; i++) to[i] = weight * (double)from[i] + 0.0;
  } else {
    for (int64_t i = first; i < end; i++) to[i] = weight * number_at(slot->dtype, slot->value, i) + 0.0;
  }
}

/* All members have the same ranges in all of that. */
void shards_add(struct shards *s, const struct program *p, int thread, int threads) {
  struct range r = share_of(s->numbers, 1024, thread, threads);
  int64_t room = shards_room(s);
  double *to = s->sum + s->level * room;
  if (s->own == 0) memset(to + r.begin, 0, (size_t)(r.end - r.begin) * sizeof *to);
  for (int32_t k = 0; k < s->pieces && s->own; k++) put_piece(s, p, &s->piece[k], r, to);
  if (r.end == s->numbers && r.end > r.begin) {
    double *totals = to + s->numbers - s->groups - 1;
    for (int32_t g = 0; g < s->groups; g++) totals[g] = s->own ? s->weighed[g] : 0;
    totals[s->groups] = (double)s->own;
  }
  for (int k = 0; k < s->closed; k++, to -= room)
    for (int64_t j = r.begin; j < r.end; j++) to[j - room] += to[j];
}

static enum status compare_ranks(const struct shards *s, enum status own, struct failure *failure) {
  const double *by_rank = s->sum + s->numbers;
  const struct communicator *c = s->communicator;
  for (int r = 0; r < c->size; r++)
    if (by_rank[BY_RANK * r + RANK_THERE] != 1)
      return fail(failure, STATUS_RANK, "`all_reduce` does not give the sum over the %d ranks: of a 1 of rank %d and "
        "zeros of all others it made %g", c->size, r, by_rank[BY_RANK * r + RANK_THERE]);
  for (int r = 0; r < c->size; r++) {
    enum status status = (enum status)by_rank[BY_RANK * r + RANK_STATUS];
    if (status == STATUS_OK || (own && r != c->rank)) continue;
    if (own) return own;
    struct failure theirs = {.text = ""};
    if (status != STATUS_RANK) run_explain(status, &theirs);
    return fail(failure, STATUS_RANK, "rank %d of %d stopped%s%s", r, c->size, *theirs.text ? ": " : "", theirs.text);
  }
  for (int r = 0; r < c->size; r++)
    if (by_rank[BY_RANK * r + RANK_CHECK] != by_rank[RANK_CHECK])
      return fail(failure, STATUS_RANK, "rank %d of %d has another batch than rank 0, in the number of its rows, in "
        "its numbers or in its random numbers: all ranks must go through the same data, in the same order, with the "
        "same seed", r, c->size);
  return STATUS_OK;
}

enum status shards_meet(struct shards *s, enum status status, struct failure *failure) {
  const struct communicator *c = s->communicator;
  int64_t room = shards_room(s), from = status ? 0 : s->numbers;
  for (int k = 0; k < sums_levels(c, s->count); k++)
    memset(s->sum + k * room + from, 0, (size_t)(room - from) * sizeof *s->sum);
  double *by_rank = s->sum + s->numbers + BY_RANK * c->rank;
  by_rank[RANK_THERE] = 1;
  by_rank[RANK_STATUS] = status;
  by_rank[RANK_CHECK] = s->check;
  enum status met = communicator_sum(s->communicator, s->count, s->sum, room, room, s->room, failure);
  return met ? met : compare_ranks(s, status, failure);
}

double shards_divisor(const struct shards *s, const struct piece *piece) {
  const double *totals = s->sum + s->numbers - s->groups - 1;
  switch (piece->kind) {
  case REDUCE_MEAN: return s->weigh[piece->group] == WEIGH_NOT ? 1 : totals[piece->group];
  case REDUCE_ROWS: return totals[s->groups];
  default: return 1;
  }
}

int shards_give(const struct shards *s, struct program *p, int thread, int threads) {
  int finite = 1;
  for (int32_t k = 0; k < s->pieces; k++) {
    const struct piece *piece = &s->piece[k];
    if (piece->result == NO_SLOT) continue;
    struct slot *to = &p->slots[piece->result];
    struct range r = share_of(piece->n, 1024, thread, threads);
    const double *from = s->sum + piece->at;
    double divisor = shards_divisor(s, piece);
    for (int64_t i = r.begin; i < r.end; i++) {
      double x = from[i] / divisor;
      if (piece->kind == REDUCE_CHANGES) x += number_at(to->dtype, p->slots[piece->start].value, i);
      if (piece->kind != REDUCE_MEAN && !isfinite(x)) finite = 0;
      shards_put(to, i, x);
    }
  }
  return finite;
}
