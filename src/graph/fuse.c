/* fuse.c - ops that follow each other become one where one kernel does the work of both, with fewer passes through
 * memory and the same bits. This is done before gradients are derived, so that these are fused, too.
 *
 *   matmul, then add a bias, then an activation       dense
 *   normalize, then relu                              normalize, which computes the relu's result
 *   gather rows of a matrix, then a recurrent layer   the layer, which projects each row of the matrix once
 *
 * What was computed in between must have no other reader, and what it is computed from must not change meanwhile. The
 * later node does it all; the earlier one, which nobody reads any more, is dropped.
 */
#include "graph/derive.h"
#include "ops/normalize.h"
#include "ops/recurrent.h"

#include <string.h>

/* Here, slot.last is the node that computes a slot, and slot.wants how many read it. */
static void find_readers(struct program *p) {
  for (int32_t k = 0; k < p->slots_used; k++) p->slots[k].last = -1, p->slots[k].wants = 0;
  for (int32_t i = 0; i < p->nodes_used; i++) {
    const struct node *n = &p->nodes[i];
    for (int k = 0; k < n->inputs; k++) p->slots[node_inputs(p, n)[k].slot].wants++;
    for (int k = 0; k < n->outputs; k++) p->slots[node_outputs(p, n)[k].slot].last = i;
  }
}

/* Does each gradient pass both nodes, or none? */
static int lie_together(const struct program *p, int32_t a, int32_t b) {
  for (int32_t i = 0; i < p->nodes_used; i++) {
    const int64_t *g = p->nodes[i].attr.ints;
    if (p->nodes[i].op != ACTION_GRADIENT) continue;
    if ((a >= g[GRADIENT_FIRST] && a < g[GRADIENT_END]) != (b >= g[GRADIENT_FIRST] && b < g[GRADIENT_END])) return 0;
  }
  return 1;
}

/* Is a variable that node a reads another one by node b? */
static int changes_between(const struct program *p, int32_t a, int32_t b) {
  const struct node *n = &p->nodes[a];
  for (int k = 0; k < n->inputs; k++)
    if (derive_changes(p, a, b, node_inputs(p, n)[k].slot)) return 1;
  return 0;
}

/* The node that computes input k of node i for it alone, and might as well do so there; NULL if there is none. */
static const struct node *made_for(const struct program *p, int32_t i, int k) {
  int32_t slot = node_inputs(p, &p->nodes[i])[k].slot;
  const struct slot *s = &p->slots[slot];
  if (s->kind != SLOT_COMPUTED || s->wants != 1 || s->kept || s->home != slot || s->last < 0) return NULL;
  return lie_together(p, s->last, i) && !changes_between(p, s->last, i) ? &p->nodes[s->last] : NULL;
}

static void set_or_add(struct program *p, int32_t *slot, int dtype, int64_t n) {
  if (*slot == NO_SLOT) *slot = program_add_flat(p, SLOT_COMPUTED, dtype, n);
  else program_set_flat(p, *slot, n);
}

/* Node i is another op from here on, of these inputs. */
static void become(struct program *p, int32_t i, int op, const struct operand *in, int inputs,
  const struct attr *attr) {
  struct node *n = &p->nodes[i];
  struct failure ignored;
  struct inference q = {.failure = &ignored};
  int32_t first = p->operands_used;
  memcpy(p->operands + first, in, (size_t)inputs * sizeof *in);
  memcpy(p->operands + first + inputs, node_outputs(p, n), (size_t)n->outputs * sizeof *in);
  p->operands_used += inputs + n->outputs;
  n->op = op;
  n->attr = *attr;
  n->first = first;
  n->inputs = inputs;
  program_infer(p, op, in, inputs, attr, &q); /* which says how much it saves */
  n->work = q.work;
  set_or_add(p, &n->saved, dtype_in(&q, op_info[op].key), q.saved);
  set_or_add(p, &n->workspace, dtype_in(&q, op_info[op].key), q.workspace);
}

static const struct shape *shape_of(const struct program *p, struct operand o) { return &p->slots[o.slot].shape; }

/* x W, with one W for all rows */
static int is_product(const struct program *p, const struct node *n) {
  return n && n->op == OP_MATMUL && !n->attr.ints[0] && !n->attr.ints[1] &&
    shape_of(p, node_inputs(p, n)[1])->rank == 2 && dtype_is_float(p->slots[node_outputs(p, n)->slot].dtype);
}

/* Is it one row, whatever the number of rows of a batch? */
static int is_bias(const struct program *p, struct operand o, int64_t columns) {
  const struct slot *s = &p->slots[o.slot];
  return shape_equal(&s->shape, &s->other) && shape_is_row(&s->shape, columns);
}

static int fuse_bias(struct program *p, int32_t i) {
  if (p->nodes[i].op != OP_ADD) return 0;
  for (int k = 0; k < 2; k++) {
    const struct node *n = &p->nodes[i], *product = made_for(p, i, k);
    struct operand y = *node_outputs(p, n), bias = node_inputs(p, n)[1 - k];
    if (!is_product(p, product)) continue;
    const struct operand *in = node_inputs(p, product);
    const struct shape *kernel = shape_of(p, in[1]);
    if (!is_bias(p, bias, kernel->dim[1]) || !shape_equal(shape_of(p, y), shape_of(p, *node_outputs(p, product))))
      continue;
    struct operand dense[] = {in[0], in[1], bias};
    struct attr attr = {.n_ints = 1, .ints = {-1}};
    become(p, i, OP_DENSE, dense, 3, &attr);
    return 1;
  }
  return 0;
}

static int fuse_activation(struct program *p, int32_t i) {
  const struct node *n = &p->nodes[i];
  /* what falls where x is negative has another sign than x, from which the derivative of dense follows */
  if (!is_op(n->op) || !op_info[n->op].fusable || n->attr.reals[0] < 0) return 0;
  const struct node *before = made_for(p, i, 0);
  if (!is_product(p, before) && !(before && before->op == OP_DENSE && before->attr.ints[0] < 0)) return 0;
  struct operand dense[3];
  int inputs = before->inputs;
  for (int k = 0; k < inputs; k++) dense[k] = node_inputs(p, before)[k];
  struct attr attr = n->attr;
  attr.n_ints = 1;
  attr.ints[0] = n->op;
  become(p, i, OP_DENSE, dense, inputs, &attr);
  return 1;
}

/* The gather also refuses bad indices; the layer does that from here on. */
static int fuse_gather(struct program *p, int32_t i) {
  struct node *n = &p->nodes[i];
  if (!op_is_recurrent(n->op) || n->attr.ints[CELL_TABLE]) return 0;
  const struct node *gather = made_for(p, i, 0);
  if (!gather || gather->op != OP_GATHER || gather->attr.ints[0] != 0) return 0;
  struct operand table = node_inputs(p, gather)[0], ids = node_inputs(p, gather)[1], in[CELL_INTS];
  if (shape_of(p, table)->rank != 2 || shape_of(p, ids)->rank != 2) return 0;
  struct attr attr = n->attr;
  attr.ints[CELL_TABLE] = TOKENS_CHECKED;
  int at = cell_input(&attr, CELL_TABLE), inputs = n->inputs;
  for (int k = 0; k < inputs; k++) in[k + (k >= at)] = node_inputs(p, n)[k];
  in[0] = ids;
  in[at] = table;
  p->nodes[p->slots[node_inputs(p, n)[0].slot].last].op = OP_STOP_GRADIENT; /* an op that nobody misses */
  become(p, i, n->op, in, inputs + 1, &attr);
  return 1;
}

/* Its statistics may be needed before the relu, so it is the earlier node that does the work of both. */
static int fuse_relu(struct program *p, int32_t i) {
  const struct node *relu = &p->nodes[i];
  if (relu->op != OP_RELU || !made_for(p, i, 0)) return 0;
  struct operand *from = node_inputs(p, relu), *to = node_outputs(p, relu);
  struct node *normalize = &p->nodes[p->slots[from->slot].last];
  if (normalize->op != OP_NORMALIZE || node_outputs(p, normalize)->slot != from->slot) return 0;
  struct operand before = *from;
  normalize->attr.ints[NORMALIZE_RELU] = 1;
  if (normalize->attr.n_ints <= NORMALIZE_RELU) normalize->attr.n_ints = NORMALIZE_RELU + 1;
  *node_outputs(p, normalize) = *from = *to;
  *to = before; /* of a node that nobody misses */
  p->slots[from->slot].last = p->slots[before.slot].last;
  return 1;
}

/* An op that takes the place of two has the operands of the later one and at most two more, and may need other
 * memory. */
struct room fuse_room(const struct program *p) {
  return (struct room){2 * p->nodes_used, 0, p->operands_used + 2 * p->nodes_used};
}

void program_fuse(struct program *p) {
  find_readers(p);
  for (int32_t i = 0; i < p->nodes_used; i++)
    if (!fuse_bias(p, i) && !fuse_activation(p, i) && !fuse_relu(p, i)) fuse_gather(p, i);
}
