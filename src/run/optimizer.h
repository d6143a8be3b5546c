/* optimizer.h - hyper-parameters and step counts; the arithmetic is in kernels/update.h. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H

#include "base/threads.h"
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
  double epsilon_2, clip_threshold; /* Adafactor, with epsilon; its second moment is kept by 1 - step^-power */
  double momentum, nesterov, newton_steps, newton[3], adam_ratio; /* Muon; beta1, beta2 and epsilon are Adam's */
};
#define OPTIMIZER_NUMBERS ((int)(sizeof(struct optimizer) / sizeof(double)))

/* How many states a variable has (0 to MAX_STATES), and their shapes. Muon takes variables of two or three axes as
 * matrices, unless they are to take Adam's steps: then their second state is a scalar. */
int optimizer_states(const struct optimizer *o);
int optimizer_takes_matrix(const struct optimizer *o, const struct shape *variable);
struct shape optimizer_state_shape(const struct optimizer *o, const struct shape *variable, int i, int as_matrix);

/* How many numbers a step needs room for beside them, and its work in floating point operations. */
int64_t optimizer_room(const struct optimizer *o, const struct shape *variable);
double optimizer_work(const struct optimizer *o, const struct shape *variable);

/* Count a step. */
void optimizer_begin(struct optimizer *o);

/* Fold learning rate and bias corrections of the present step for the kernels. */
struct update_step optimizer_step(const struct optimizer *o);

/* A variable and what belongs to it. */
struct updated {
  int dtype;
  struct shape shape;
  void *weights;
  const void *gradients;
  void *state[MAX_STATES];
  int as_matrix; /* Muon: see above */
  void *room;    /* one for all variables; NULL if none is needed */
};

/* A member's share of an update, by all members of a team. Are its weights finite numbers after it? */
int optimizer_update(const struct optimizer *o, const struct update_step *s, const struct updated *u, struct team *team,
  int thread);

/* Set n numbers of state i of these weights to their start. */
void optimizer_reset(const struct optimizer *o, int dtype, int64_t n, int i, const void *weights, void *state);

#endif
