/* optimizer.h - hyper-parameters and step counts; the arithmetic is in kernels/update.h. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H

#include "kernels.h"

struct optimizer {
  int32_t kind; /* enum update */
  double learning_rate;
  double beta1;   /* momentum, Adam's first moment */
  double beta2;   /* rho of RMSprop, Adam's second moment */
  double epsilon;
  double weight_decay; /* AdamW */
  double start;        /* Adagrad: initial accumulator */
  int64_t steps;       /* taken so far */
};

/* How many state numbers each weight has (0, 1 or 2). */
int optimizer_states(int kind);

/* Count a step and fold learning rate and bias corrections for the kernels. */
struct update_step optimizer_begin(struct optimizer *o);

/* Set n state numbers to their start. */
void optimizer_reset(const struct optimizer *o, int dtype, int64_t n, void *state);

#endif
