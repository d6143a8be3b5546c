/* program.h - a program: nodes (ops applied to slots) in order, and the slots.
 *
 *   trace -> seal: fuse, derive, drop what nobody needs -> plan -> run
 *
 * The arrays are R-owned and may move when they grow, so slots and nodes are known by index; the
 * addresses inside slots are set by program_place() at the start of each native call.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "ops/ops.h"
#include "base/threads.h"

struct program {
  int32_t slots_used, nodes_used, operands_used;
  int32_t slots_room, nodes_room, operands_room;
  int32_t laid_out; /* 1 + the nodes for which the arena was laid out, for callers that run a program often */
  int32_t ignores_variables; /* a tape that follows only what it was told to */
  /* what was traced depends on how many rows there were, beyond the shapes: it serves that number only */
  int32_t rows_seen;
  int64_t rows; /* for which the shapes of a program that runs over batches stand now; 0: not set yet */
  int64_t room; /* rows for which its memory is laid out */
  int32_t guarded; /* it fails, rather than change variables to what is not finite */
  int32_t poisons; /* for tests: what no node needs any longer becomes NaN */
  int64_t value_bytes; /* size of the arena, by program_plan() */
  struct team_choice choice; /* for callers that run it often */
  /* beside the seeds of the nodes: another one for each run, where one caller runs it for many elements */
  uint64_t seed;
  struct slot *slots;
  struct node *nodes;
  struct operand *operands;
};

/* Add a slot; room for it must be there. Returns its index. */
int32_t program_add_slot(struct program *p, enum slot_kind kind, int dtype, const struct shape *shape);

/* The same for n numbers without a shape; NO_SLOT if n is 0. */
int32_t program_add_flat(struct program *p, enum slot_kind kind, int dtype, int64_t n);

/* Let it have n numbers, unless it is NO_SLOT. */
void program_set_flat(struct program *p, int32_t slot, int64_t n);

/* Ask op's shape rule about these inputs; the answers, or the reason why not, are in *q. */
enum status program_infer(const struct program *p, int op, const struct operand *in, int inputs,
  const struct attr *attr, struct inference *q);

/* Append a node; room must be there. The operands are its inputs, then its outputs. */
struct node *program_add_node(struct program *p, int op, const struct operand *operands, int inputs, int outputs,
  const struct attr *attr, double work);

/* Append an op that was inferred, with slots of this kind for all that it computes. */
#define MAX_NEW_SLOTS (MAX_OUTPUTS + 2)
struct node *program_add_op(struct program *p, const struct inference *q, enum slot_kind kind);

/* While a function is traced: the shapes of what a node computes at the other number of rows, by the same rule. What
 * cannot follow is noted in p->rows_seen. */
void program_follow_rows(struct program *p, const struct node *n);

static inline struct operand *node_inputs(const struct program *p, const struct node *n) {
  return p->operands + n->first;
}
static inline struct operand *node_outputs(const struct program *p, const struct node *n) {
  return p->operands + n->first + n->inputs;
}
static inline int32_t node_operands(const struct node *n) { return n->inputs + n->outputs; }

/* Let the first axis of all inputs that are batches have `rows` rows, and all other slots follow by the shape rules.
 * Fails, with the reason, if some op cannot take the new sizes. */
enum status program_set_rows(struct program *p, int64_t rows, struct failure *failure);

/* Lay out the arena for the nodes from `first` on (plan.c). A program laid out for its largest batch serves smaller
 * ones. `room` is for as many holes in the arena as there are slots. */
struct hole {
  int64_t at, bytes;
};
void program_plan(struct program *p, int32_t first, struct hole *room);

/* Set all addresses. blocks[k] is the data of block k; the arena may be NULL if it is empty. */
void program_place(struct program *p, unsigned char *values, void *const *blocks);

/* Floating point operations of one run of the nodes from `first` on. */
double program_work(const struct program *p, int32_t first);

/* Does node i draw random numbers of its own? Derivatives draw those of their op again. */
int program_draws(const struct program *p, int32_t i);

/* How many nodes do so. */
int32_t program_draw_count(const struct program *p);

#endif
