/* shards.h - a step of a batch in equal pieces (shards), of which each process takes its own. What they compute is
 * added up by a binary tree over the shards in their order: at first over those of a process, then over the
 * processes. So the result does not depend on how many processes there are, to the bit.
 */
#ifndef SHARDS_H
#define SHARDS_H

#include "run/communicator.h"
#include "run/run.h"

/* What the shards' gradients and losses are weighed by in their mean; the alternative is a sum. */
#define WEIGHS(ROW) ROW(ROWS, rows) ROW(SLOT, slot) ROW(NOT, not)
#define WEIGH_ENUM(ENUM, name) WEIGH_##ENUM,
enum weigh { WEIGHS(WEIGH_ENUM) WEIGH_COUNT };
#undef WEIGH_ENUM

/* Numbers of a slot that are added up over the shards. */
struct piece {
  int32_t slot, result; /* and where the result goes; NO_SLOT: it is only read in `sum` */
  int32_t start;        /* REDUCE_CHANGES: what the variable held before */
  int32_t kind;         /* enum reduction (program.h) */
  int32_t group;        /* REDUCE_MEAN: which weights */
  int64_t at, n;        /* its place among all numbers */
};

struct shards {
  struct communicator *communicator;
  int32_t count;    /* of a batch; at least the number of ranks */
  int32_t groups;   /* of means that are weighed by the same */
  const int32_t *weigh;  /* enum weigh of each */
  const int32_t *weight; /* WEIGH_SLOT: a float scalar */
  int32_t early;    /* nodes that run for each shard; after the sums those from `late` on run once */
  int32_t late;
  int32_t pieces;
  struct piece *piece;
  int64_t numbers;  /* of all pieces and the totals behind them */
  double *sum;      /* sums_levels() vectors of shards_room() numbers: sums of shards, a stack */
  double *room;     /* for the communicator */
  /* of the step that is under way */
  int64_t rows;     /* of the batch */
  int64_t begin, own; /* of the present shard; own = 0: it has no rows */
  double *weighed;  /* what it is weighed by, of each group */
  int level, closed; /* where on the stack it goes, and how many sums are complete then */
  uint64_t given;   /* a digest of the data where R gives them batch by batch */
  double check;     /* a number that all ranks must agree on */
  int go, finite;   /* on with the step? are the sums that variables get? */
};

/* Numbers of a vector of sums. */
int64_t shards_room(const struct shards *s);

/* How many this rank takes, and the first. */
static inline int shards_first(const struct shards *s) {
  return part_begin(s->count, s->communicator->size, s->communicator->rank);
}
static inline int shards_own(const struct shards *s) {
  return part_begin(s->count, s->communicator->size, s->communicator->rank + 1) - shards_first(s);
}

/* How many pieces the program sums; fill them in; then, with more behind them, find their places. */
int32_t shards_count(const struct program *p);
void shards_find(struct shards *s, const struct program *p);
void shards_place(struct shards *s, const struct program *p);

/* The rows of shard k of the batch, and where its sums go: of all of this rank in turn. */
void shards_choose(struct shards *s, int k);

/* This member's share of adding the present shard to the sums. */
void shards_add(struct shards *s, const struct program *p, int thread, int threads);

/* By one member: sum over the ranks. `status` is what this rank met; gives what stops all. */
enum status shards_meet(struct shards *s, enum status status, struct failure *failure);

/* This member's share of the results. Are all finite? */
int shards_give(const struct shards *s, struct program *p, int thread, int threads);

/* Set number i of a slot: the nearest one where its dtype is whole. */
void shards_put(const struct slot *s, int64_t i, double x);

/* Of a piece's first number: what it is divided by in the mean. */
double shards_divisor(const struct shards *s, const struct piece *piece);

#endif
