#include "program.h"

#include <string.h>

int32_t program_add_slot(struct program *p, enum slot_kind kind, int dtype, const struct shape *shape) {
  struct slot *s = &p->slots[p->slots_used];
  memset(s, 0, sizeof *s);
  s->kind = kind;
  s->dtype = dtype;
  s->shape = s->other = *shape;
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

struct shape program_other_shape(struct program *p, struct inference *q, const int32_t *in,
  const struct shape **shapes) {
  struct shape out = q->out;
  struct failure ignored;
  int follows = 0;
  for (int k = 0; k < q->inputs; k++) {
    follows = follows || !shape_equal(&p->slots[in[k]].shape, &p->slots[in[k]].other);
    shapes[k] = &p->slots[in[k]].other;
  }
  if (!follows) return out;
  struct inference again = {.op = q->op, .inputs = q->inputs, .shape = shapes, .dtype = q->dtype, .attr = q->attr,
    .failure = &ignored};
  if (q->inputs > MAX_RESHAPED_INPUTS || op_infer(&again)) p->rows_seen = 1;
  else out = again.out;
  return out;
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
  n->seed = (uint64_t)p->nodes_used;
  p->planned = -1;
  int wants = 0;
  for (int k = 0; k < inputs; k++) {
    p->operands[p->operands_used++] = (struct operand){.slot = in[k]};
    wants = wants || p->slots[in[k]].wants_gradient;
  }
  if (op >= OP_COUNT) return;
  struct slot *result = &p->slots[out];
  result->wants_gradient = wants && op_info[op].differentiable && dtype_is_float(result->dtype);
}

/* Gradients have the shapes of their sources. */
static void reshape_gradients(struct program *p, const struct node *n) {
  const struct operand *source = &p->operands[n->first + n->attr.ints[GRADIENT_TARGETS]];
  for (int k = 0; k < n->attr.ints[GRADIENT_SOURCES]; k++) p->slots[n->out + k].shape = p->slots[source[k].slot].shape;
}

enum status program_reshape(struct program *p, struct failure *failure) {
  for (int i = 0; i < p->nodes_used; i++) {
    struct node *n = &p->nodes[i];
    const struct shape *shapes[MAX_RESHAPED_INPUTS];
    int32_t dtypes[MAX_RESHAPED_INPUTS], in[MAX_RESHAPED_INPUTS];
    struct inference q = {.failure = failure};
    if (n->op == ACTION_GRADIENT) reshape_gradients(p, n);
    if (n->op >= OP_COUNT) continue;
    if (n->inputs > MAX_RESHAPED_INPUTS) continue; /* it serves one number of rows */
    for (int k = 0; k < n->inputs; k++) in[k] = p->operands[n->first + k].slot;
    enum status s = program_infer(p, n->op, in, n->inputs, &n->attr, &q, shapes, dtypes);
    if (s) return s;
    p->slots[n->out].shape = q.out;
    n->work = q.work;
    if (n->scratch >= 0) p->slots[n->scratch].shape = (struct shape){.rank = 1, .dim = {q.scratch}};
  }
  return STATUS_OK;
}

enum status program_set_rows(struct program *p, int64_t rows, struct failure *failure) {
  if (rows == p->rows) return STATUS_OK;
  for (int k = 0; k < p->slots_used; k++)
    if (p->slots[k].kind == SLOT_INPUT && p->slots[k].batch) p->slots[k].shape.dim[0] = rows;
  p->rows = 0; /* until all have followed */
  p->planned = -1; /* gradients go to other places */
  enum status s = program_reshape(p, failure);
  if (!s) p->rows = rows;
  return s;
}

static void lay_out(struct program *p) {
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    int64_t bytes = (int64_t)padded_bytes(shape_count(&s->shape), s->dtype);
    if (s->kind <= SLOT_COMPUTED) {
      s->value_at = p->value_bytes;
      p->value_bytes += bytes;
    }
    if (!s->wants_gradient) continue;
    s->gradient_at = p->gradient_bytes;
    p->gradient_bytes += bytes;
  }
}

/* Does a node from `first` on, other than `by`, read or change this slot? */
static int is_met(const struct program *p, int32_t first, int32_t slot, int change_only) {
  for (int32_t i = first; i < p->nodes_used; i++) {
    const struct node *n = &p->nodes[i];
    for (int k = 0; k < n->inputs && !(change_only && (n->op < OP_COUNT || n->op == ACTION_GRADIENT)); k++)
      if (p->operands[n->first + k].slot == slot) return 1;
  }
  return 0;
}

static void plan_late(struct program *p) {
  p->has_late = 0;
  for (int32_t i = 0; i < p->nodes_used; i++) {
    struct node *n = &p->nodes[i];
    n->late = 0;
    if (n->op != ACTION_ASSIGN) continue;
    int32_t to = p->operands[n->first].slot, from = p->operands[n->first + 1].slot;
    n->late = !is_met(p, i + 1, to, 0) && !is_met(p, i + 1, from, 1);
    if (n->late) p->has_late = 1;
  }
}

void program_plan(struct program *p) {
  plan_late(p);
  p->value_bytes = p->gradient_bytes = 0;
  for (int32_t i = 0; i < p->nodes_used; i++)
    /* each has its own */
    for (int k = 0; k < p->slots_used && p->nodes[i].op == ACTION_GRADIENT; k++) p->slots[k].wants_gradient = 0;
  lay_out(p);
  p->planned = -1;
  for (int32_t i = 0; i < p->nodes_used; i++) {
    struct node *n = &p->nodes[i];
    if (n->op != ACTION_GRADIENT) continue;
    n->attr.ints[GRADIENT_BASE] = p->gradient_bytes;
    program_plan_gradient(p, i);
    for (int k = 0; k < p->slots_used; k++) {
      const struct slot *s = &p->slots[k];
      int64_t end = s->gradient_at + (int64_t)padded_bytes(shape_count(&s->shape), s->dtype);
      if (s->reached && end > p->gradient_bytes) p->gradient_bytes = end;
    }
  }
}

static unsigned char *value_address(const struct program *p, const struct slot *s, unsigned char *values,
  void *const *blocks) {
  switch (s->kind) {
  case SLOT_BOUND: case SLOT_SHARED: return blocks[s->block];
  case SLOT_GRADIENT: return p->gradients + s->value_at;
  default: return values + s->value_at;
  }
}

void program_place(struct program *p, unsigned char *values, unsigned char *gradients, void *const *blocks) {
  p->gradients = gradients;
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    s->value = value_address(p, s, values, blocks);
    s->gradient = s->wants_gradient ? gradients + s->gradient_at : NULL;
  }
}

void program_plan_forward(struct program *p, const int32_t *targets, int count) {
  p->planned = -1; /* gradient nodes plan anew */
  for (int k = 0; k < p->slots_used; k++) p->slots[k].reached = 0;
  for (int k = 0; k < count; k++) p->slots[targets[k]].reached = 1;
  for (int i = p->nodes_used - 1; i >= 0; i--) {
    struct node *n = &p->nodes[i];
    int results = n->op == ACTION_GRADIENT ? (int)n->attr.ints[GRADIENT_SOURCES] : n->out >= 0;
    n->forward = n->op > ACTION_GRADIENT;
    for (int k = 0; k < results; k++) n->forward = n->forward || p->slots[n->out + k].reached;
    for (int k = 0; n->forward && k < n->inputs; k++) p->slots[p->operands[n->first + k].slot].reached = 1;
  }
}

/* From the targets, which are marked as reached, back through the ops among nodes [first, end). */
static void plan_back_through(struct program *p, int64_t first, int64_t end) {
  for (int32_t i = p->nodes_used - 1; i >= 0; i--) {
    struct node *node = &p->nodes[i];
    int reached = i >= first && i < end && node->op < OP_COUNT && p->slots[node->out].reached;
    node->backward = 0;
    for (int k = 0; k < node->inputs; k++) {
      struct operand *o = &p->operands[node->first + k];
      struct slot *in = &p->slots[o->slot];
      o->wants = (int16_t)(reached && in->wants_gradient);
      o->accumulates = (int16_t)in->reached;
      if (o->wants) node->backward = in->reached = 1;
    }
  }
}

void program_plan_backward(struct program *p, const int32_t *targets, int n) {
  for (int k = 0; k < p->slots_used; k++) p->slots[k].reached = 0;
  for (int t = 0; t < n; t++) p->slots[targets[t]].reached = p->slots[targets[t]].wants_gradient;
  plan_back_through(p, 0, p->nodes_used);
}

struct node *program_add_gradient(struct program *p, const int32_t *operands, const struct attr *attr, int n) {
  int32_t first = p->slots_used, targets = (int32_t)attr->ints[GRADIENT_TARGETS];
  for (int k = 0; k < attr->ints[GRADIENT_SOURCES]; k++) {
    const struct slot *source = &p->slots[operands[targets + k]];
    struct shape shape = source->shape, other = source->other;
    p->slots[program_add_slot(p, SLOT_GRADIENT, source->dtype, &shape)].other = other;
  }
  double work = 0; /* a backward pass takes about twice as long as its forward pass */
  for (int64_t i = attr->ints[GRADIENT_FIRST]; i < attr->ints[GRADIENT_END]; i++) work += 2 * p->nodes[i].work;
  program_add_node(p, ACTION_GRADIENT, operands, n, attr, first, -1, work);
  return &p->nodes[p->nodes_used - 1];
}

/* Let flag (an int32_t of each slot) follow the ops of nodes [first, end) from inputs to outputs. */
#define FOLLOW(p, first_node, end_node, flag, where)                                                          \
  for (int64_t i_ = (first_node); i_ < (end_node); i_++) {                                                    \
    const struct node *n_ = &(p)->nodes[i_];                                                                  \
    if (n_->op >= OP_COUNT) continue;                                                                         \
    for (int k_ = 0; k_ < n_->inputs; k_++)                                                                   \
      if ((p)->slots[(p)->operands[n_->first + k_].slot].flag && (where)) (p)->slots[n_->out].flag = 1;       \
  }

void program_plan_gradient(struct program *p, int32_t i) {
  const struct node *n = &p->nodes[i];
  const int64_t *a = n->attr.ints;
  const struct operand *o = &p->operands[n->first];
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    s->wants_gradient = a[GRADIENT_WATCH_VARIABLES] && s->kind == SLOT_SHARED && s->trainable;
    s->reached = 0;
  }
  /* what the tape follows */
  for (int64_t k = a[GRADIENT_TARGETS] + a[GRADIENT_SOURCES]; k < n->inputs; k++)
    p->slots[o[k].slot].wants_gradient = 1;
  FOLLOW(p, a[GRADIENT_FIRST], a[GRADIENT_END], wants_gradient, op_info[n_->op].differentiable &&
    dtype_is_float(p->slots[n_->out].dtype))
  /* of this, what depends on a source */
  for (int64_t k = a[GRADIENT_TARGETS]; k < a[GRADIENT_TARGETS] + a[GRADIENT_SOURCES]; k++)
    p->slots[o[k].slot].reached = p->slots[o[k].slot].wants_gradient;
  FOLLOW(p, a[GRADIENT_FIRST], a[GRADIENT_END], reached, p->slots[n_->out].wants_gradient)
  for (int k = 0; k < p->slots_used; k++) {
    p->slots[k].wants_gradient = p->slots[k].reached;
    p->slots[k].reached = 0;
  }
  for (int k = 0; k < a[GRADIENT_TARGETS]; k++) p->slots[o[k].slot].reached = p->slots[o[k].slot].wants_gradient;
  plan_back_through(p, a[GRADIENT_FIRST], a[GRADIENT_END]);
  int64_t at = a[GRADIENT_BASE];
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    if (!s->reached) continue;
    s->gradient_at = at;
    s->gradient = p->gradients ? p->gradients + at : NULL;
    at += (int64_t)padded_bytes(shape_count(&s->shape), s->dtype);
  }
  for (int k = 0; k < a[GRADIENT_SOURCES]; k++) {
    const struct slot *source = &p->slots[o[a[GRADIENT_TARGETS] + k].slot];
    p->slots[n->out + k].value_at = source->gradient_at;
    p->slots[n->out + k].value = p->gradients ? p->gradients + source->gradient_at : NULL;
  }
  p->planned = i;
}

int program_variable_changes(const struct program *p, int32_t first, int32_t end) {
  for (int32_t i = first; i < p->nodes_used; i++) {
    const struct node *change = &p->nodes[i];
    if (change->op != ACTION_UPDATE && change->op != ACTION_ASSIGN) continue;
    for (int k = 0; k < change->inputs; k++) {
      int32_t slot = p->operands[change->first + k].slot;
      if (p->slots[slot].kind != SLOT_SHARED) continue;
      for (int32_t j = first; j < end && j < i; j++)
        for (int l = 0; p->nodes[j].op < OP_COUNT && l < p->nodes[j].inputs; l++)
          if (p->operands[p->nodes[j].first + l].slot == slot) return 1;
    }
  }
  return 0;
}

int program_is_random(const struct program *p) {
  for (int i = 0; i < p->nodes_used; i++)
    if (p->nodes[i].op < OP_COUNT && op_info[p->nodes[i].op].random) return 1;
  return 0;
}

double program_work(const struct program *p) {
  double work = 0;
  for (int i = 0; i < p->nodes_used; i++)
    if (p->nodes[i].forward) work += p->nodes[i].work;
  return work;
}
