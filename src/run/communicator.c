#include "run/communicator.h"

#include <string.h>

struct sum {
  struct communicator *c;
  int parts;
  double *x; /* the sums of nodes that are this rank's alone, from left to right */
  int64_t stride, n;
  double *room;
  int used; /* so many of x have been met */
  int answer;
};

static int half(int begin, int end) { return begin + (end - begin) / 2; }
static int owner(const struct communicator *c, int parts, int part) {
  return (int)((((int64_t)part + 1) * c->size - 1) / parts);
}

int sums_closed(const struct communicator *c, int parts, int part) {
  int own = part_begin(parts, c->size, c->rank), closed = 0;
  for (int begin = 0, end = parts; end - begin > 1;) {
    closed += end == part + 1 && begin >= own;
    int middle = half(begin, end);
    if (part < middle) end = middle;
    else begin = middle;
  }
  return closed;
}

int sums_levels(const struct communicator *c, int parts) {
  int used = 0, most = 0, end = part_begin(parts, c->size, c->rank + 1);
  for (int part = part_begin(parts, c->size, c->rank); part < end; part++) {
    if (++used > most) most = used;
    used -= sums_closed(c, parts, part);
  }
  return most;
}

/* How many nodes below one belong to a single rank, of those that are highest; of all ranks, or of one. */
static int count_nodes(const struct communicator *c, int parts, int begin, int end, int rank) {
  int first = owner(c, parts, begin);
  if (first == owner(c, parts, end - 1)) return rank < 0 || first == rank;
  int middle = half(begin, end);
  return count_nodes(c, parts, begin, middle, rank) + count_nodes(c, parts, middle, end, rank);
}

int64_t communicator_room(const struct communicator *c, int parts, int64_t n) {
  if (c->size == 1) return 0;
  if (c->exchange) return n;
  int64_t nodes = count_nodes(c, parts, 0, parts, -1);
  return n > 1 && nodes > 2 ? nodes * n : c->size > nodes ? c->size : nodes;
}

static enum status explain(const struct communicator *c, int answer, struct failure *failure) {
  const char *why = c->why ? c->why : "";
  switch (answer) {
  case ANSWER_TIMED_OUT:
    return fail(failure, STATUS_RANK, "rank %d of %d waited for another rank, which did not answer in time%s%s",
      c->rank, c->size, *why ? ": " : "", why);
  case ANSWER_LEFT:
    return fail(failure, STATUS_RANK, "another rank has left, by an error or an interrupt of its own (this is rank %d "
      "of %d)%s%s", c->rank, c->size, *why ? ": " : "", why);
  case ANSWER_LENGTH:
    return fail(failure, STATUS_RANK, "the ranks sum different numbers of numbers, so they do not train the same model "
      "on the same data (this is rank %d of %d)%s%s", c->rank, c->size, *why ? ": " : "", why);
  default:
    return fail(failure, STATUS_RANK, "the sum over all ranks failed on rank %d of %d%s%s", c->rank, c->size,
      *why ? ": " : "", why);
  }
}

/* The functions have the sum alone, so the ranks first tell each other how many numbers come: 0 for one that leaves. */
static enum status announce(struct communicator *c, int64_t n, double *room, struct failure *failure) {
  memset(room, 0, (size_t)c->size * sizeof *room);
  room[c->rank] = (double)n;
  int answer = c->all_reduce(c->context, room, (size_t)c->size);
  if (answer) return explain(c, answer, failure);
  for (int r = 0; r < c->size; r++) {
    if (room[r] == 0) *c->told = 1;
    if (room[r] == 0)
      return fail(failure, STATUS_RANK, "rank %d of %d has left, by an error or an interrupt of its own", r, c->size);
    if (room[r] != (double)n)
      return fail(failure, STATUS_RANK, "rank %d of %d sums %.0f numbers, and rank %d sums %lld: they do not train the "
        "same model on the same data", r, c->size, room[r], c->rank, (long long)n);
  }
  *c->told = 0; /* all are there, again */
  return STATUS_OK;
}

static double *add(double *to, const double *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += from[i];
  return to;
}

/* The sum of a node, of the sums of those below that are a single rank's, which stand in a row from *next on. */
static double *fold(const struct sum *s, int begin, int end, double **next) {
  if (owner(s->c, s->parts, begin) == owner(s->c, s->parts, end - 1)) return (*next += s->n) - s->n;
  int middle = half(begin, end);
  double *left = fold(s, begin, middle, next);
  return add(left, fold(s, middle, end, next), s->n);
}

/* A library may add in any order. Two numbers have one; of more nodes, each rank gets all and adds them up: x + 0 is
 * exact. */
static enum status sum_gathered(struct sum *s, struct failure *failure) {
  struct communicator *c = s->c;
  enum status status = announce(c, s->n, s->room, failure);
  if (status) return status;
  int nodes = count_nodes(c, s->parts, 0, s->parts, -1), many = nodes > 2;
  if (many) {
    double *to = s->room;
    memset(to, 0, (size_t)(nodes * s->n) * sizeof *to);
    for (int rank = 0; rank < c->rank; rank++) to += s->n * count_nodes(c, s->parts, 0, s->parts, rank);
    int own = count_nodes(c, s->parts, 0, s->parts, c->rank);
    for (int k = 0; k < own; k++) memcpy(to + k * s->n, s->x + k * s->stride, (size_t)s->n * sizeof *to);
  }
  int answer = c->all_reduce(c->context, many ? s->room : s->x, (size_t)(many ? nodes * s->n : s->n));
  if (answer) return explain(c, answer, failure);
  double *next = s->room;
  if (many) memcpy(s->x, fold(s, 0, s->parts, &next), (size_t)s->n * sizeof *next);
  return STATUS_OK;
}

/* The sum of a node among this rank's, on all ranks that have parts of it; NULL on others. Those with parts of one half
 * alone swap sums with those of the other, in pairs; a rank with parts of both has the sums already. All ranks go
 * through the pairs in the same order, so none waits in vain. */
static double *sum_node(struct sum *s, int begin, int end) {
  struct communicator *c = s->c;
  int first = owner(c, s->parts, begin), last = owner(c, s->parts, end - 1), rank = c->rank;
  if (rank < first || rank > last || s->answer) return NULL;
  if (first == last) return s->x + s->stride * s->used++;
  int middle = half(begin, end), left_end = owner(c, s->parts, middle - 1), right = owner(c, s->parts, middle);
  double *of_left = sum_node(s, begin, middle), *of_right = sum_node(s, middle, end);
  int both = left_end == right; /* of a half that is its own as a whole, it gives the sum */
  int lefts = left_end - first + 1 - both, rights = last - right + 1 - both;
  if (lefts == 0) lefts = 1;
  if (rights == 0) rights = 1;
  else right += both;
  for (int i = 0; i < lefts || i < rights; i++) {
    int a = first + i % lefts, b = right + i % rights;
    if (s->answer || (rank != a && rank != b)) continue;
    s->answer = c->exchange(c->context, rank == a ? b : a, rank == a ? of_left : of_right, s->room, (size_t)s->n);
  }
  if (s->answer) return NULL;
  if (of_left && of_right) return add(of_left, of_right, s->n);
  return add(of_left ? of_left : of_right, s->room, s->n);
}

enum status communicator_sum(struct communicator *c, int parts, double *x, int64_t stride, int64_t n, double *room,
  struct failure *failure) {
  c->why = NULL;
  if (c->size == 1 || n == 0) return STATUS_OK;
  struct sum s = {.c = c, .parts = parts, .x = x, .stride = stride, .n = n, .room = room};
  if (!c->exchange) return sum_gathered(&s, failure);
  sum_node(&s, 0, parts);
  return s.answer ? explain(c, s.answer, failure) : STATUS_OK;
}

void communicator_leave(struct communicator *c, double *room) {
  if (c->size == 1) return;
  if (c->leave) {
    c->leave(c->context);
  } else if (c->all_reduce && !c->exchange && !*c->told) { /* else all know, and the one that left does not answer */
    memset(room, 0, (size_t)c->size * sizeof *room);
    c->all_reduce(c->context, room, (size_t)c->size);
  }
}
