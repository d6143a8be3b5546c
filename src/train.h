/* train.h - whole epochs: next batch, forward, backward, update.
 *
 * train.c knows nothing of R. It returns to its caller's poll between steps only, where weights,
 * optimizer and counters are consistent; the poll may jump away and training can go on later.
 */
#ifndef TRAIN_H
#define TRAIN_H

#include "dataset.h"
#include "optimizer.h"
#include "run.h"

struct trainer {
  struct optimizer optimizer;
  struct random random;
  int32_t loss;        /* slot of the scalar loss */
  int64_t batch;       /* largest number of rows per step, for which memory is laid out */
  int64_t rows;        /* for which the shapes stand now */
  double steps_good;   /* optimizer steps at the time of the snapshot, -1 without one */
  double size_good;    /* sum of |w| then */
  double last_loss;    /* of the last step */
  /* addresses, set anew for each native call; of each: variable_bytes */
  unsigned char *weights, *gradients, *state[MAX_STATES], *good;
};

/* A run over some epochs, and how far it is. Between steps the caller may use the trainer for
 * something else, even for another run: all that a run depends on stands here. */
struct training {
  struct trainer *trainer;
  struct program *program;
  struct dataset *data;
  int64_t batch, epochs;
  double *losses; /* one per epoch */
  int64_t epochs_done;
  double loss_sum; /* over the rows of this epoch */
  int64_t rows_seen;
  struct team_choice choice; /* one thread or all? results do not depend on it */
  int every_step; /* poll after each step, not only when the clock asks */
  struct failure *failure;
  int (*poll)(struct training *g, int epoch_ended); /* may jump away; nonzero: stop here */
  void *user;
};

/* Epochs up to `epochs`. STATUS_NAN: the weights are those of the last good snapshot. */
enum status train(struct training *g);

/* One step on the rows that stand in the input slots. */
enum status train_step(struct trainer *t, struct program *p, int64_t rows, struct failure *failure);

/* Forward and backward on the rows in the input slots; the gradients, penalties included, stand in the
 * program's gradient arena, and no weight changes. */
enum status train_gradient(struct trainer *t, struct program *p, int64_t rows, struct failure *failure);

/* Forward over all rows of g->data, `out` receives the slot's rows one after the other; no weight
 * changes. */
enum status predict(struct training *g, int32_t slot, unsigned char *out);

/* Let the program's shapes stand for `rows` rows per step. */
enum status trainer_set_rows(struct trainer *t, struct program *p, int64_t rows, struct failure *failure);

#endif
