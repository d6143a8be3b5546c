/* train.h - whole epochs: next batch, forward, backward, update. It returns to its caller between steps only, where
 * weights, optimizer and counters are consistent.
 */
#ifndef TRAIN_H
#define TRAIN_H

#include "loop.h"
#include "optimizer.h"

struct trainer {
  struct optimizer optimizer;
  struct random random;
  int32_t loss;        /* slot of the scalar loss */
  int64_t batch;       /* largest number of rows per step, for which memory is laid out */
  double steps_good;   /* optimizer steps at the time of the snapshot, -1 without one */
  double size_good;    /* sum of |w| then */
  double last_loss;    /* of the last step */
  /* addresses, set anew for each native call; of each: variable_bytes */
  unsigned char *weights, *gradients, *state[MAX_STATES], *good;
};

/* A run over some epochs, and how far it is. */
struct training {
  struct loop loop;
  struct trainer *trainer;
  int64_t epochs;
  double *losses; /* one per epoch */
  int64_t epochs_done;
  double loss_sum; /* over the rows of this epoch */
  int64_t rows_seen;
  struct update_step step;
  int (*epoch_ended)(struct training *g); /* may jump away; nonzero: stop here */
  void *user;
};

/* Epochs up to `epochs`. STATUS_NAN: the weights are those of the last good snapshot. */
enum status train(struct training *g);

/* One step on the rows that stand in the input slots. */
enum status train_step(struct trainer *t, struct program *p, int64_t rows, struct failure *failure);

/* Forward and backward on the rows in the input slots; the gradients, penalties included, stand in the
 * program's gradient arena, and no weight changes. */
enum status train_gradient(struct trainer *t, struct program *p, int64_t rows, struct failure *failure);

#endif
