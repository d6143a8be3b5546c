/* program.h - a program: nodes (ops applied to slots) in order, and the slots.
 *
 * The arrays are R-owned and may move when they grow, so slots and nodes are known by index; the
 * addresses inside slots are set by program_place() at the start of each native call.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "ops.h"
#include "threads.h"

/* A program with an op of more inputs than this (a concat of very many) serves one number of rows. */
#define MAX_RESHAPED_INPUTS 64

enum slot_kind {
  SLOT_INPUT,    /* in the arena, filled before each run */
  SLOT_COMPUTED, /* in the arena, the output of a node or its scratch */
  SLOT_BOUND,    /* in a block of its own: constants, and everything on a tape */
  SLOT_SHARED,   /* a variable's block, whichever it has at the time of a run */
  SLOT_GRADIENT  /* what a gradient node found, in the arena of gradients */
};

struct slot {
  int32_t kind, dtype;
  struct shape shape;
  struct shape other; /* while a function is traced: the shape at another number of rows */
  int32_t wants_gradient; /* it depends on a variable, or is one */
  int32_t reached;        /* it received a gradient; set by program_plan_backward() */
  int32_t trainable;      /* SLOT_SHARED: do tapes follow it by themselves? */
  int32_t written;        /* SLOT_SHARED: does a node change it? */
  int32_t batch;          /* SLOT_INPUT: its first axis is that of the batch */
  int32_t given;          /* its numbers are computed where the caller wants them, not in the arena */
  int32_t block;          /* SLOT_BOUND: which block */
  int64_t value_at, gradient_at; /* byte offsets in the arenas */
  void *value, *gradient;
};

/* An input of a node, and what the backward pass does with its gradient. */
struct operand {
  int32_t slot;
  int16_t wants;       /* this node must contribute to the slot's gradient */
  int16_t accumulates; /* another contribution comes earlier: add to it, else overwrite */
};

struct node {
  int32_t op; /* enum op or enum action */
  int32_t first, inputs; /* operands[first ... first + inputs - 1] */
  int32_t out, scratch;  /* slots; scratch is -1 where the op keeps nothing */
  int32_t forward;       /* is it needed? cleared only by program_plan_forward() */
  int32_t late;          /* an assignment of a variable that nothing later looks at; set by program_plan() */
  int32_t backward;      /* does the gradient pass through here? set by program_plan_backward() */
  double work;
  uint64_t seed; /* of an op that draws random numbers */
  int32_t again; /* 1 + the node whose draws it repeats; 0: it has its own */
  struct attr attr;
};

struct program {
  int32_t slots_used, nodes_used, operands_used;
  int32_t slots_room, nodes_room, operands_room;
  int32_t laid_out; /* 1 + the nodes for which the arenas were laid out, for callers that run a program often */
  int32_t has_late; /* are there late nodes? */
  int32_t ignores_variables; /* a tape that follows only what it was told to */
  /* what was traced depends on how many rows there were, beyond the shapes: it serves that number only */
  int32_t rows_seen;
  int64_t rows; /* for which the shapes of a program that runs over batches stand now; 0: not set yet */
  int64_t room; /* rows for which its memory is laid out */
  int32_t planned; /* the gradient node whose plan the slots and operands hold, -1: none */
  int64_t value_bytes, gradient_bytes; /* sizes of the arenas, by program_plan() */
  struct team_choice choice; /* for callers that run it often */
  /* beside the seeds of the nodes: another one for each run, where one caller runs it for many elements */
  uint64_t seed;
  int64_t value_shift; /* where, in its block, the arena of values begins: the first aligned byte */
  struct slot *slots;
  struct node *nodes;
  struct operand *operands;
  unsigned char *gradients; /* address of their arena, set by program_place() */
};

/* Add a slot; room for it must be there. Returns its index. */
int32_t program_add_slot(struct program *p, enum slot_kind kind, int dtype, const struct shape *shape);

/* Ask op's shape rule about these input slots; the answers are in *q. */
enum status program_infer(const struct program *p, int op, const int32_t *in, int inputs, const struct attr *attr,
                          struct inference *q, const struct shape **shapes, int32_t *dtypes);

/* The shape of the result at the other number of rows, by the same rule. What cannot follow is noted in p->rows_seen.
 */
struct shape program_other_shape(struct program *p, struct inference *q, const int32_t *in,
  const struct shape **shapes);

/* Append a node whose output (and scratch) slots exist already. */
void program_add_node(struct program *p, int op, const int32_t *in, int inputs, const struct attr *attr,
                      int32_t out, int32_t scratch, double work);

/* The input slots have new shapes (another batch size): let all others follow by the shape rules.
 * Fails, with the reason, if some op cannot take the new sizes. */
enum status program_reshape(struct program *p, struct failure *failure);

/* Let the first axis of all inputs that are batches have `rows` rows. */
enum status program_set_rows(struct program *p, int64_t rows, struct failure *failure);

/* Lay out the arenas. A program laid out for its largest batch serves smaller ones. */
void program_plan(struct program *p);

/* Set all addresses. blocks[k] is the data of block k; arenas may be NULL where empty. */
void program_place(struct program *p, unsigned char *values, unsigned char *gradients, void *const *blocks);

/* Let forward runs compute only what the targets depend on, and what changes variables. */
void program_plan_forward(struct program *p, const int32_t *targets, int n);

/* Decide which nodes the gradient of `targets` passes, who overwrites and who accumulates, and
 * which slots are reached. The caller fills the gradients of the targets before a backward run. */
void program_plan_backward(struct program *p, const int32_t *targets, int n);

/* A gradient node: towards its sources, of the sum of its targets, through the ops that a tape saw, which are
 * the nodes [first, end). Its operands are targets, sources, then what the tape was told to watch; its
 * output slots, one per source, follow each other from node.out on. */
enum { GRADIENT_TARGETS, GRADIENT_SOURCES, GRADIENT_FIRST, GRADIENT_END, GRADIENT_WATCH_VARIABLES, GRADIENT_BASE };

/* Append one; room must be there for a slot per source. */
struct node *program_add_gradient(struct program *p, const int32_t *operands, const struct attr *attr, int n);

/* Plan the backward pass of gradient node i: as program_plan_backward() but for what lies between its sources
 * and its targets only, with the places of all gradients. */
void program_plan_gradient(struct program *p, int32_t i);

/* Is a variable that nodes [first, end) read changed by a node from there on, so that a backward pass
 * would meet other numbers than they did? */
int program_variable_changes(const struct program *p, int32_t first, int32_t end);

/* Floating point operations of one forward pass. */
double program_work(const struct program *p);

/* Does an op of it draw random numbers? */
int program_is_random(const struct program *p);

#endif
