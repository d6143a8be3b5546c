#include "run/communicator.h"

#include <string.h>

int64_t communicator_room(const struct communicator *c, int64_t n) {
  if (c->size == 1) return 0;
  if (c->exchange) return n;
  return c->size > 2 && n > 1 ? c->size * n : c->size;
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
    if (room[r] == 0)
      return fail(failure, STATUS_RANK, "rank %d of %d has left, by an error or an interrupt of its own", r, c->size);
    if (room[r] != (double)n)
      return fail(failure, STATUS_RANK, "rank %d of %d sums %.0f numbers, and rank %d sums %lld: they do not train the "
        "same model on the same data", r, c->size, room[r], c->rank, (long long)n);
  }
  return STATUS_OK;
}

/* A library may add in any order. Two numbers have one; of more ranks, each gets all and adds them up: x + 0 is
 * exact. */
static enum status sum_gathered(struct communicator *c, double *x, int64_t n, double *room, struct failure *failure) {
  enum status status = announce(c, n, room, failure);
  if (status) return status;
  int many = c->size > 2;
  if (many) {
    memset(room, 0, (size_t)(c->size * n) * sizeof *room);
    memcpy(room + c->rank * n, x, (size_t)n * sizeof *room);
  }
  int answer = c->all_reduce(c->context, many ? room : x, (size_t)(many ? c->size * n : n));
  if (answer) return explain(c, answer, failure);
  for (int step = 1; many && step < c->size; step *= 2)
    for (int r = 0; r < c->size; r += 2 * step) {
      double *to = room + r * n;
      const double *from = room + (r + step) * n;
      for (int64_t i = 0; i < n; i++) to[i] += from[i];
    }
  if (many) memcpy(x, room, (size_t)n * sizeof *x);
  return STATUS_OK;
}

/* Recursive doubling: in each round two ranks swap what they have, and both add it. */
enum status communicator_sum(struct communicator *c, double *x, int64_t n, double *room, struct failure *failure) {
  c->why = NULL;
  if (c->size == 1 || n == 0) return STATUS_OK;
  if (!c->exchange) return sum_gathered(c, x, n, room, failure);
  for (int step = 1; step < c->size; step *= 2) {
    int answer = c->exchange(c->context, c->rank ^ step, x, room, (size_t)n);
    if (answer) return explain(c, answer, failure);
    for (int64_t i = 0; i < n; i++) x[i] += room[i];
  }
  return STATUS_OK;
}

void communicator_leave(struct communicator *c, double *room) {
  if (c->size == 1) return;
  if (c->leave) {
    c->leave(c->context);
  } else if (c->all_reduce && !c->exchange) {
    memset(room, 0, (size_t)c->size * sizeof *room);
    c->all_reduce(c->context, room, (size_t)c->size);
  }
}
