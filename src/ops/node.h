/* node.h - what programs are made of: slots, and nodes, which apply ops to them. Shape rules and kernels see these,
 * never a program.
 */
#ifndef NODE_H
#define NODE_H

#include "base/tensor.h"

enum { NO_SLOT = -1 };

enum slot_kind {
  SLOT_INPUT,    /* in the arena, filled before each run */
  SLOT_COMPUTED, /* in the arena while it is needed: what a node computes */
  SLOT_BOUND,    /* in a block of its own: constants, and everything on a tape */
  SLOT_SHARED    /* a variable's block, whichever it has at the time of a run */
};

/* A typed, shaped place for numbers. */
struct slot {
  int32_t kind, dtype;
  struct shape shape;
  struct shape other; /* while a function is traced: the shape at another number of rows */
  int32_t watched;    /* a tape follows it */
  int32_t trainable;  /* SLOT_SHARED: do tapes follow it by themselves? */
  int32_t written;    /* SLOT_SHARED: does a node change it? */
  int32_t summed;     /* SLOT_SHARED: over shards, its changes are added up (split.c) */
  int32_t opaque;     /* made by a gradient's nodes, which cannot be differentiated again */
  int32_t batch;      /* SLOT_INPUT: its first axis is that of the batch */
  int32_t kept;       /* it is read after the run */
  int32_t given;      /* its numbers are computed where the caller wants them, not in the arena */
  int32_t block;      /* SLOT_BOUND: which block */
  int32_t home;       /* of what a variable holds once a traced function assigned to it: its SLOT_SHARED; else itself */
  int32_t wants, gradient, result; /* see derive.c */
  int32_t last;       /* the last node that needs it, and has it ended? see plan.c */
  int32_t ended;
  int64_t value_at;   /* byte offset in the arena */
  void *value;
};

/* An input or output of a node. */
struct operand {
  int32_t slot; /* of an output that nobody wants: NO_SLOT */
  int32_t adds; /* of an output: add to what another node has written there, else overwrite */
};

/* Attributes of a node. What they mean is said at the op's shape rule. */
#define MAX_INTS (3 * MAX_RANK)
#define MAX_REALS 4
struct attr {
  int32_t n_ints;
  int64_t ints[MAX_INTS];
  double reals[MAX_REALS];
};

struct node {
  int32_t op;              /* enum op, the derivative of one, or enum action: see ops.h */
  int32_t first, inputs, outputs; /* operands[first ...]: the inputs, then the outputs */
  int32_t saved;           /* what an op keeps for its derivative, which has the same slot here; or NO_SLOT */
  int32_t workspace;       /* or NO_SLOT */
  int32_t draws_as;        /* the node whose random draws it repeats: that of the op, for a derivative; or -1 */
  int32_t moved;           /* where it went when the program was sealed */
  int32_t group_end;       /* it runs tile by tile together with the nodes up to this one; see plan.c */
  double work;             /* floating point operations */
  uint64_t seed;           /* of an op that draws random numbers */
  struct attr attr;
};

#endif
