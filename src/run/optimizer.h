/* optimizer.h - hyper-parameters and step counts; the arithmetic is in kernels/update.h. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H

#include "kernels/kernels.h"

/* All numbers are doubles, so that R can keep them as a float64 tensor (OPTIMIZER_NUMBERS long). */
struct optimizer {
  double kind; /* enum update */
  double learning_rate;
  double beta1;   /* momentum, Adam's first moment */
  double beta2;   /* rho of RMSprop and Adadelta, Adam's second moment */
  double epsilon;
  double weight_decay;
  double start;        /* Adagrad, FTRL: initial accumulator. RMSprop with three states: is it centered? */
  double steps;        /* taken so far */
  double product;      /* Nadam: of the momenta so far, less 1 so that it starts at 0 */
  double l1, l2, l2_shrinkage, power, beta; /* FTRL; the power is positive */
  double averaged;     /* is a moving average of the weights kept? It is the last state. */
  double average_momentum;
  double average_every; /* after so many steps the weights become their average; 0 for never */
};
#define OPTIMIZER_NUMBERS ((int)(sizeof(struct optimizer) / sizeof(double)))

/* How many state numbers each weight has (0 to MAX_STATES). */
int optimizer_states(const struct optimizer *o);

/* Count a step. */
void optimizer_begin(struct optimizer *o);

/* Fold learning rate and bias corrections of the present step for the kernels. */
struct update_step optimizer_step(const struct optimizer *o);

/* A member's share of an update of n weights; `state` has an address for each state. Are its weights finite numbers
 * after it? */
int optimizer_update(const struct optimizer *o, const struct update_step *s, int dtype, int64_t n, void *weights,
  const void *gradients, void *const *state, int thread, int threads);

/* Set n numbers of state i of these weights to their start. */
void optimizer_reset(const struct optimizer *o, int dtype, int64_t n, int i, const void *weights, void *state);

#endif
