#include "graph/program.h"

#include <string.h>

int32_t program_add_slot(struct program *p, enum slot_kind kind, int dtype, const struct shape *shape) {
  struct slot *s = &p->slots[p->slots_used];
  memset(s, 0, sizeof *s);
  s->kind = kind;
  s->dtype = dtype;
  s->shape = s->other = *shape;
  s->block = -1;
  s->home = p->slots_used;
  return p->slots_used++;
}

static struct inference question(const struct program *p, int op, const struct operand *in, int inputs,
  const struct attr *attr, struct failure *failure) {
  return (struct inference){.op = op, .inputs = inputs, .in = in, .slots = p->slots, .attr = attr, .failure = failure};
}

enum status program_infer(const struct program *p, int op, const struct operand *in, int inputs,
  const struct attr *attr, struct inference *q) {
  *q = question(p, op, in, inputs, attr, q->failure);
  return op_infer(q);
}

struct node *program_add_node(struct program *p, int op, const struct operand *operands, int inputs, int outputs,
  const struct attr *attr, double work) {
  struct node *n = &p->nodes[p->nodes_used++];
  memset(n, 0, sizeof *n);
  n->op = op;
  n->first = p->operands_used;
  n->inputs = inputs;
  n->outputs = outputs;
  n->saved = n->workspace = NO_SLOT;
  n->draws_as = -1;
  n->group_end = p->nodes_used - 1;
  n->work = work;
  n->attr = *attr;
  n->seed = (uint64_t)p->nodes_used;
  memcpy(p->operands + n->first, operands, (size_t)(inputs + outputs) * sizeof *operands);
  p->operands_used += inputs + outputs;
  return n;
}

int32_t program_add_flat(struct program *p, enum slot_kind kind, int dtype, int64_t n) {
  struct shape flat = {.rank = 1, .dim = {n}};
  return n ? program_add_slot(p, kind, dtype, &flat) : NO_SLOT;
}

struct node *program_add_op(struct program *p, const struct inference *q, enum slot_kind kind) {
  struct node *n = program_add_node(p, q->op, q->in, q->inputs, 0, q->attr, q->work);
  int dtype = q->inputs ? dtype_in(q, op_info[q->op].key) : q->out_dtype[0];
  n->outputs = q->outputs;
  for (int k = 0; k < q->outputs; k++)
    p->operands[p->operands_used++] = (struct operand){program_add_slot(p, kind, q->out_dtype[k], &q->out[k]), 0};
  n->saved = program_add_flat(p, kind, dtype, q->saved);
  n->workspace = program_add_flat(p, kind, dtype, q->workspace);
  return n;
}

void program_follow_rows(struct program *p, const struct node *n) {
  const struct operand *in = node_inputs(p, n), *out = node_outputs(p, n);
  struct failure ignored;
  int follows = 0;
  for (int k = 0; k < n->inputs; k++)
    follows = follows || !shape_equal(&p->slots[in[k].slot].shape, &p->slots[in[k].slot].other);
  if (!follows) return;
  struct inference q = question(p, n->op, in, n->inputs, &n->attr, &ignored);
  q.other = 1;
  if (op_infer(&q)) p->rows_seen = 1;
  else for (int k = 0; k < n->outputs; k++) p->slots[out[k].slot].other = q.out[k];
}

/* ---- another number of rows ---- */

void program_set_flat(struct program *p, int32_t slot, int64_t n) {
  if (slot != NO_SLOT) p->slots[slot].shape = (struct shape){.rank = 1, .dim = {n}};
}

/* What a node computes follows its inputs. */
static enum status reshape_node(struct program *p, struct node *n, struct failure *failure) {
  const struct operand *in = node_inputs(p, n), *out = node_outputs(p, n);
  struct inference q = {.failure = failure};
  /* each gradient is like what it is the gradient of; a fill is like its input */
  for (int k = 0; k < n->outputs && (is_derivative(n->op) || n->op == ACTION_FILL); k++)
    if (out[k].slot != NO_SLOT) p->slots[out[k].slot].shape = p->slots[in[k].slot].shape;
  if (!is_op(plain_op(n->op))) return STATUS_OK;
  enum status s = program_infer(p, plain_op(n->op), in, is_derivative(n->op) ? n->outputs : n->inputs, &n->attr, &q);
  if (s) return s;
  n->work = q.work * (is_derivative(n->op) ? DERIVATIVE_WORK : 1);
  program_set_flat(p, n->workspace, is_derivative(n->op) ? q.derivative_workspace : q.workspace);
  if (is_derivative(n->op)) return STATUS_OK;
  program_set_flat(p, n->saved, q.saved);
  for (int k = 0; k < n->outputs; k++) p->slots[out[k].slot].shape = q.out[k];
  return STATUS_OK;
}

enum status program_set_rows(struct program *p, int64_t rows, struct failure *failure) {
  if (rows == p->rows) return STATUS_OK;
  for (int k = 0; k < p->slots_used; k++)
    if (p->slots[k].kind == SLOT_INPUT && p->slots[k].batch) p->slots[k].shape.dim[0] = rows;
  p->rows = 0; /* until all have followed */
  for (int i = 0; i < p->nodes_used; i++) {
    enum status s = reshape_node(p, &p->nodes[i], failure);
    if (s) return s;
  }
  p->rows = rows;
  return STATUS_OK;
}

/* ---- addresses, and what a program is like ---- */

void program_place(struct program *p, unsigned char *values, void *const *blocks) {
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    s->value = s->kind == SLOT_BOUND || s->kind == SLOT_SHARED ? blocks[s->block] : values + s->value_at;
  }
}

int program_draws(const struct program *p, int32_t i) {
  const struct node *n = &p->nodes[i];
  return is_op(n->op) && op_is_random(n->op, &n->attr) && n->draws_as < 0;
}

int32_t program_draw_count(const struct program *p) {
  int32_t count = 0;
  for (int32_t i = 0; i < p->nodes_used; i++) count += program_draws(p, i);
  return count;
}

double program_work(const struct program *p, int32_t first) {
  double work = 0;
  for (int i = first; i < p->nodes_used; i++) work += p->nodes[i].work;
  return work;
}
