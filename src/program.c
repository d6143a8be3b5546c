#include "program.h"

#include <string.h>

int32_t program_add_slot(struct program *p, enum slot_kind kind, int dtype, const struct shape *shape) {
  struct slot *s = &p->slots[p->slots_used];
  memset(s, 0, sizeof *s);
  s->kind = kind;
  s->dtype = dtype;
  s->shape = *shape;
  s->wants_gradient = kind == SLOT_VARIABLE;
  s->block = -1;
  return p->slots_used++;
}

enum status program_infer(const struct program *p, int op, const int32_t *in, int inputs, const struct attr *attr,
                          struct inference *q, const struct shape **shapes, int32_t *dtypes) {
  for (int k = 0; k < inputs; k++) {
    shapes[k] = &p->slots[in[k]].shape;
    dtypes[k] = p->slots[in[k]].dtype;
  }
  struct failure *failure = q->failure;
  memset(q, 0, sizeof *q);
  q->op = op;
  q->inputs = inputs;
  q->shape = shapes;
  q->dtype = dtypes;
  q->attr = attr;
  q->failure = failure;
  return op_infer(q);
}

void program_add_node(struct program *p, int op, const int32_t *in, int inputs, const struct attr *attr,
                      int32_t out, int32_t scratch, double work) {
  struct node *n = &p->nodes[p->nodes_used++];
  memset(n, 0, sizeof *n);
  n->op = op;
  n->first = p->operands_used;
  n->inputs = inputs;
  n->out = out;
  n->scratch = scratch;
  n->work = work;
  n->forward = 1;
  n->attr = *attr;
  int wants = 0;
  for (int k = 0; k < inputs; k++) {
    p->operands[p->operands_used++] = (struct operand){.slot = in[k]};
    wants = wants || p->slots[in[k]].wants_gradient;
  }
  struct slot *result = &p->slots[out];
  result->wants_gradient = wants && op_info[op].differentiable && dtype_is_float(result->dtype);
}

enum status program_reshape(struct program *p, struct failure *failure) {
  for (int i = 0; i < p->nodes_used; i++) {
    struct node *n = &p->nodes[i];
    const struct shape *shapes[MAX_RESHAPED_INPUTS];
    int32_t dtypes[MAX_RESHAPED_INPUTS], in[MAX_RESHAPED_INPUTS];
    struct inference q = {.failure = failure};
    if (n->inputs > MAX_RESHAPED_INPUTS)
      return fail(failure, STATUS_SHAPE, "a program with an op of more than %d inputs has one batch size", MAX_RESHAPED_INPUTS);
    for (int k = 0; k < n->inputs; k++) in[k] = p->operands[n->first + k].slot;
    enum status s = program_infer(p, n->op, in, n->inputs, &n->attr, &q, shapes, dtypes);
    if (s) return s;
    p->slots[n->out].shape = q.out;
    n->work = q.work;
    if (n->scratch >= 0) p->slots[n->scratch].shape = (struct shape){.rank = 1, .dim = {q.scratch}};
  }
  return STATUS_OK;
}

static void lay_out(struct program *p, int variables) {
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    if ((s->kind == SLOT_VARIABLE) != variables) continue;
    int64_t bytes = (int64_t)padded_bytes(shape_count(&s->shape), s->dtype);
    s->value_at = p->value_bytes;
    if (s->kind != SLOT_BOUND) p->value_bytes += bytes;
    if (!s->wants_gradient) continue;
    s->gradient_at = p->gradient_bytes;
    p->gradient_bytes += bytes;
  }
  if (variables) p->variable_bytes = p->value_bytes;
}

void program_plan(struct program *p) {
  p->value_bytes = p->gradient_bytes = 0;
  lay_out(p, 1);
  lay_out(p, 0);
}

void program_place(struct program *p, unsigned char *values, unsigned char *gradients, void *const *blocks) {
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    s->value = s->kind == SLOT_BOUND ? blocks[s->block] : values + s->value_at;
    s->gradient = s->wants_gradient ? gradients + s->gradient_at : NULL;
  }
}

void program_plan_forward(struct program *p, int32_t target) {
  for (int k = 0; k < p->slots_used; k++) p->slots[k].reached = k == target;
  for (int i = p->nodes_used - 1; i >= 0; i--) {
    struct node *n = &p->nodes[i];
    n->forward = p->slots[n->out].reached;
    for (int k = 0; n->forward && k < n->inputs; k++) p->slots[p->operands[n->first + k].slot].reached = 1;
  }
}

void program_plan_backward(struct program *p, const int32_t *targets, int n) {
  for (int k = 0; k < p->slots_used; k++) p->slots[k].reached = 0;
  for (int t = 0; t < n; t++) p->slots[targets[t]].reached = p->slots[targets[t]].wants_gradient;
  for (int i = p->nodes_used - 1; i >= 0; i--) {
    struct node *node = &p->nodes[i];
    node->backward = p->slots[node->out].reached;
    for (int k = 0; k < node->inputs; k++) {
      struct operand *o = &p->operands[node->first + k];
      struct slot *in = &p->slots[o->slot];
      o->wants = (int16_t)(node->backward && in->wants_gradient);
      o->accumulates = (int16_t)in->reached;
      if (o->wants) in->reached = 1;
    }
  }
}

double program_work(const struct program *p) {
  double work = 0;
  for (int i = 0; i < p->nodes_used; i++)
    if (p->nodes[i].forward) work += p->nodes[i].work;
  return work;
}
