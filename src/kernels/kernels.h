/* kernels.h - what a kernel is given, and the tables that the interpreter calls through.
 *
 * Kernels know slots, sizes and attributes, not programs; everything was checked when the node was appended.
 * A kernel does one part of its work, so that members of a team can share it, and one phase: what other parts have left
 * is there in the next one. A gradient is overwritten by its first contributor and accumulated by the others
 * (operand.adds).
 */
#ifndef KERNELS_H
#define KERNELS_H

#include "ops/attention.h"
#include "ops/convolution.h"
#include "ops/image.h"
#include "ops/normalize.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "ops/window.h"
#include "base/share.h"

/* What a kernel tells who runs it, and what it may ask. */
struct runner {
  enum status flaw; /* what was wrong with the numbers */
  int again;        /* another phase follows when all parts of this one are done; sizes and attributes alone decide */
  /* Between long stretches of work, so many operations each: may the rest be left out, as nobody wants it any more? */
  int (*may_rest)(struct runner *r, double work);
};

struct call {
  int op, inputs;
  const struct attr *attr;
  struct slot *slots;
  const struct operand *in, *out;   /* the op's inputs, and what it computes */
  const struct operand *dout, *din; /* of its derivative: the gradients of these, and of the inputs */
  int32_t saved, workspace;         /* slots, or NO_SLOT */
  uint64_t seeds[2];                /* of the run and the node */
  struct runner *runner;
  int part, parts;   /* what it does now, of how many */
  int phase;         /* from 0 on */
};

typedef void kernel(const struct call *c);

/* Which update rule: of single numbers, see kernels/update.h, or of whole variables, see kernels/whole.h. */
#define NUMBER_UPDATES(ROW) ROW(SGD, sgd) ROW(MOMENTUM, momentum) ROW(NESTEROV, nesterov) ROW(RMSPROP, rmsprop) \
  ROW(ADAM, adam) ROW(ADAMW, adamw) ROW(ADAGRAD, adagrad) ROW(ADADELTA, adadelta) ROW(ADAMAX, adamax)     \
  ROW(NADAM, nadam) ROW(AMSGRAD, amsgrad) ROW(RMSPROP_FULL, rmsprop_full) ROW(LION, lion)         \
  ROW(FTRL, ftrl)
#define WHOLE_UPDATES(ROW) ROW(LAMB, lamb) ROW(ADAFACTOR, adafactor) ROW(MUON, muon)
#define UPDATES(ROW) NUMBER_UPDATES(ROW) WHOLE_UPDATES(ROW)
#define UPDATE_ENUM(ENUM, name) UPDATE_##ENUM,
enum update { UPDATES(UPDATE_ENUM) UPDATE_COUNT };
#undef UPDATE_ENUM
#define MAX_STATES 4

/* Numbers of one update step; see kernels/update.h for their use. */
struct update_step {
  double rate;       /* step size, bias corrections folded in */
  double beta1, beta2, epsilon;
  double decay;      /* learning rate * weight_decay */
  double gradient_rate, scale; /* nadam; rmsprop_full: 1 if centered */
  double l1, l2, l2_shrinkage, power; /* ftrl */
  double first, second;             /* lamb: 1 / (1 - beta^t) of either moment */
  double epsilon_2, clip_threshold; /* adafactor */
  double momentum, nesterov, newton[3]; /* muon: of its iteration a, b and c */
  int newton_steps;
};

/* Are all weights finite numbers after it? */
typedef int update_kernel(int64_t n, const struct update_step *s, void *w, const void *g, void *const *state);

/* The same of a whole variable, by all members of a team, phase by phase: what each has left is there in the next. */
struct whole {
  const struct update_step *step;
  int64_t n, rows, columns; /* the last two axes are matrices; without them 1 row */
  int rank, dtype;
  void *weights;
  const void *gradients;
  void *const *state;
  void *room;         /* of nobody in particular: optimizer_room() */
  double scale;       /* muon: of the step, by the shape */
  int part, parts, phase;
  int again;          /* another phase follows */
  double note;        /* what a member keeps from phase to phase */
};
typedef int whole_kernel(struct whole *u);

typedef void fill_kernel(int64_t n, double value, void *x);

/* mean = keep mean + (1 - keep) x */
typedef void average_kernel(int64_t n, double keep, void *mean, const void *x);

typedef int finite_kernel(int64_t n, const void *x); /* are all of them? */

struct kernels {
  const char *name; /* instruction set, shown by R's nn_features() */
  kernel *forward[OP_COUNT], *backward[OP_COUNT];
  update_kernel *update[UPDATE_COUNT]; /* NULL for those of whole variables */
  whole_kernel *whole[UPDATE_COUNT];
  fill_kernel *fill;
  average_kernel *average;
  finite_kernel *finite;
};

/* The tables, one per number type; float types chosen once, at load time, by what the processor
 * can do. */
extern const struct kernels *kernels[DTYPE_COUNT];

/* A product by a library, C = A B [+ C], all dense; 0 if it cannot. NULL: we do it ourselves. Set at load time. */
typedef int library_product(int64_t rows, int64_t columns, int64_t depth, const void *a, int64_t a_row,
  int64_t a_column, const void *b, int64_t b_row, int64_t b_column, int add, void *c);
extern library_product *library_multiply[DTYPE_COUNT];

/* `widest` names the widest instruction set to use ("avx512", "avx2", "portable") or is NULL. */
void kernels_choose(const char *widest);

#endif
