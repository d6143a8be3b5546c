/* epoch.h - a traced program, run once for each batch of a data set: training steps (the program holds the gradient and
 * the update), evaluations, predictions.
 */
#ifndef EPOCH_H
#define EPOCH_H

#include "run/loop.h"
#include "run/shards.h"

/* A tally's `averaged`: 0: no mean; 1, 2, ...: the mean over the shards of a batch goes by the weights of that group;
 * this: it is computed once for all shards. */
#define AVERAGED_ONCE (-1)

/* Numbers of a slot, added up over the batches. */
struct tally {
  int32_t slot;
  int32_t averaged; /* it is a mean over the rows: weigh it with their number. Over shards: see below */
  int64_t n;        /* numbers of the slot */
  double *sum;
};

/* A slot whose rows are kept, all in a tensor, or in a column-major array of doubles of this shape. */
struct collected {
  int32_t slot;
  unsigned char *rows;
  double *array;
  struct shape shape;
};

/* How far a pass is. With the data set, all that is needed to go on after an interrupt. */
struct epoch_state {
  struct random start; /* before the rows were put in order */
  struct random now;   /* seeds the next step */
  int64_t position, rows_seen, steps;
  int64_t collected_from; /* so many rows had been seen when the first rows were kept */
  int64_t begun;
};

struct epoch {
  struct loop loop;
  struct epoch_state *state;
  int32_t tallies, collected;
  struct tally *tally;
  struct collected *collect;
  const double *rates; /* learning rates of the coming steps, or NULL */
  int64_t n_rates, first; /* how many; the step that the first is for */
  struct optimizer *optimizer; /* which takes them */
  const uint64_t *seeds; /* of each node that draws, for each of the coming steps; NULL: they follow from the state */
  int32_t draws;         /* how many nodes do so */
  struct shards *shards; /* each batch in pieces; NULL: whole */
  struct random next; /* after the step that is under way; what is interrupted is done again */
  void *user;
};

/* From where the state says to the end. */
enum status epoch_run(struct epoch *e);

/* To the first row, in another order, with sums from 0. */
void epoch_next(struct epoch *e);

#endif
