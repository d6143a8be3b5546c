#include "run.h"

#include <math.h>
#include <string.h>

/* The kernel of a node is picked by the number type of its key input, or of its output if it has none. */
static const struct kernels *kernels_of(const struct program *p, const struct node *n) {
  int32_t key = n->inputs ? p->operands[n->first + op_info[n->op].key].slot : n->out;
  return kernels[p->slots[key].dtype];
}

double slot_number(const struct slot *s, int64_t i) {
  return s->dtype == FLOAT32 ? (double)((const float *)s->value)[i] : ((const double *)s->value)[i];
}

/* ---- kernels, and interrupts of them ---- */

#define NODE_WORK 100 /* what a node costs beside its work, in floating point operations */

/* The members meet within these, or do some of their work by themselves. */
static int meets_within(const struct program *p, const struct node *n, int forward) {
  switch (n->op) {
  case OP_MATMUL: case OP_DENSE: case OP_LSTM: case OP_GRU: case OP_SIMPLE_RNN: return 1;
  case OP_MEAN: return forward;
  default: break;
  }
  /* the gradients of a tensor that is named twice wait for each other */
  for (int k = 1; k < n->inputs && !forward; k++)
    for (int j = 0; j < k; j++)
      if (p->operands[n->first + j].slot == p->operands[n->first + k].slot) return 1;
  return 0;
}

/* This member's share, part by part where that takes long. */
static void run_kernel(kernel *run, struct call *c, int forward) {
  int more = c->node->work < 2 * PART_WORK || meets_within(c->program, c->node, forward) ? 1 :
    parts_of(c->node->work, c->team);
  c->parts = more * c->team->threads;
  for (int k = 0; k < more && !team_may_rest(c->team, c->thread, more > 1 ? PART_WORK : NODE_WORK +
    c->node->work); k++) {
    c->part = more * c->thread + k;
    run(c);
  }
}

void run_backward(struct program *p, struct team *team, int thread) {
  for (int i = p->nodes_used - 1; i >= 0; i--) {
    struct call c = {.program = p, .node = &p->nodes[i], .team = team, .thread = thread};
    if (!c.node->backward) continue;
    run_kernel(kernels_of(p, c.node)->backward[c.node->op], &c, 0);
    team_barrier(team);
    if (team_must_leave(team)) return;
  }
}

/* ---- actions: what a node does beside applying an op. After bad data nothing is changed any more. ---- */

/* The derivative of a sum towards its terms is 1; a target named twice counts twice. */
static void seed(struct program *p, const struct node *n, int64_t target) {
  const struct operand *o = &p->operands[n->first];
  const struct slot *s = &p->slots[o[target].slot];
  double times = 0;
  if (!s->reached) return;
  for (int64_t k = 0; k < n->attr.ints[GRADIENT_TARGETS]; k++) times += o[k].slot == o[target].slot;
  kernels[s->dtype]->fill(shape_count(&s->shape), times, s->gradient);
}

static void gradient_action(const struct call *c) {
  struct program *p = c->program;
  if (c->thread == 0) {
    int32_t i = (int32_t)(c->node - p->nodes);
    if (p->planned != i) program_plan_gradient(p, i);
    for (int64_t k = 0; k < c->node->attr.ints[GRADIENT_TARGETS]; k++) seed(p, c->node, k);
  }
  team_barrier(c->team);
  run_backward(p, c->team, c->thread);
}

/* Operands: the optimizer's numbers; for each variable its gradient, itself and the optimizer's state. */
static void update_action(const struct call *c) {
  const struct program *p = c->program;
  const struct operand *o = &p->operands[c->node->first];
  struct optimizer *optimizer = p->slots[o[0].slot].value;
  int states = optimizer_states((int)optimizer->kind);
  if (atomic_load(&c->team->failed)) return;
  if (c->thread == 0) optimizer_begin(optimizer);
  team_barrier(c->team);
  struct update_step step = optimizer_step(optimizer);
  for (int k = 1; k < c->node->inputs; k += 2 + states) {
    const struct slot *gradient = &p->slots[o[k].slot], *variable = &p->slots[o[k + 1].slot];
    void *state[MAX_STATES] = {NULL};
    for (int i = 0; i < states; i++) state[i] = p->slots[o[k + 2 + i].slot].value;
    optimizer_update(optimizer, &step, variable->dtype, shape_count(&variable->shape), variable->value,
      gradient->value, state, c->thread, c->team->threads);
  }
}

static void assign_action(const struct call *c) {
  const struct operand *o = &c->program->operands[c->node->first];
  const struct slot *to = &c->program->slots[o[0].slot], *from = &c->program->slots[o[1].slot];
  if (c->thread || atomic_load(&c->team->failed)) return;
  memmove(to->value, from->value, (size_t)shape_count(&to->shape) * dtype_size[to->dtype]);
}

/* Operands: a scalar; then what to keep, in pairs of tensors (from, to), of which the first are an optimizer's numbers.
 * If the scalar is not finite, as the loss of bad data or of weights that exploded, no later node changes anything.
 * Else the weights are good ones: they are kept, unless those of less than KEPT_STEPS before are. */
#define KEPT_STEPS 32
static void guard_action(const struct call *c) {
  const struct slot *slots = c->program->slots;
  const struct operand *o = &c->program->operands[c->node->first];
  if (c->thread) return;
  if (!isfinite(slot_number(&slots[o[0].slot], 0))) {
    atomic_store(&c->team->failed, STATUS_NAN);
    return;
  }
  if (c->node->inputs == 1) return;
  const struct optimizer *now = slots[o[1].slot].value, *kept = slots[o[2].slot].value;
  if (now->steps < kept->steps + KEPT_STEPS) return;
  for (int k = 1; k < c->node->inputs; k += 2) {
    const struct slot *from = &slots[o[k].slot];
    memmove(slots[o[k + 1].slot].value, from->value, (size_t)shape_count(&from->shape) * dtype_size[from->dtype]);
  }
}

static kernel *const actions[] = {
  [ACTION_GRADIENT - OP_COUNT] = gradient_action, [ACTION_UPDATE - OP_COUNT] = update_action,
    [ACTION_ASSIGN - OP_COUNT] = assign_action,
  [ACTION_GUARD - OP_COUNT] = guard_action,
};

/* Assignments that nothing later reads come last, so that a run can be interrupted until then without a trace. From the
 * first change on it is finished. */
void run_forward(struct program *p, struct team *team, int thread) {
  if (thread == 0) team->firm = 0;
  for (int late = 0; late <= p->has_late; late++) {
    for (int i = 0; i < p->nodes_used; i++) {
      struct call c = {.program = p, .node = &p->nodes[i], .team = team, .thread = thread};
      if (!c.node->forward || c.node->late != late) continue;
      if (thread == 0 && (c.node->op == ACTION_UPDATE || c.node->op == ACTION_ASSIGN)) team->firm = 1;
      if (c.node->op < OP_COUNT) run_kernel(kernels_of(p, c.node)->forward[c.node->op], &c, 1);
      else actions[c.node->op - OP_COUNT](&c);
      team_barrier(team);
      if (team_must_leave(team)) return;
    }
  }
  if (thread == 0) team->firm = 0;
}

enum status run_explain(enum status s, struct failure *failure) {
  if (s == STATUS_INDEX) return fail(failure, s,
    "a label or index in the data lies outside the classes or rows there are");
  if (s == STATUS_OVERFLOW)
    return fail(failure, s,
      "the result is NaN or beyond the whole numbers of its dtype; cast to \"int64\" or \"float64\" before");
  if (s == STATUS_DIVISION)
    return fail(failure, s,
      "whole numbers are divided by 0; cast to \"float64\" for Inf and NaN, or keep 0 away with `op_where()`");
  if (s == STATUS_NAN)
    return fail(failure, s, "the loss is no longer a finite number; the weights are the last good ones. "
                            "A smaller learning rate or scaled inputs may help");
  if (s == STATUS_VALUE) return fail(failure, s, "internal error: a derivative that only R knows");
  if (s == STATUS_INTERRUPTED) return fail(failure, s, "interrupted");
  return s;
}

enum status run_judge(const struct program *p, struct failure *failure) {
  for (int k = 0; k < p->slots_used; k++) {
    const struct slot *s = &p->slots[k];
    if (s->written && dtype_is_float(s->dtype) && !kernels[s->dtype]->finite(shape_count(&s->shape), s->value))
      return fail(failure, STATUS_NAN,
        "the last step made weights that are not finite numbers. A smaller learning rate or scaled inputs may help");
  }
  return STATUS_OK;
}

struct run {
  struct program *program;
  int forward, backward;
};

static void run_task(void *user, struct team *team, int thread) {
  struct run *r = user;
  if (r->forward) run_forward(r->program, team, thread);
  if (r->backward) run_backward(r->program, team, thread);
}

#define NOTE_WEIGHT 0.1 /* single runs are short, and now and then disturbed */

enum status run_program(struct program *p, int forward, int backward, struct team_choice *choice,
  struct failure *failure) {
  struct run r = {p, forward, backward};
  double work = program_work(p) * (forward + 2 * backward), start = seconds_now();
  int threads = threads_for(work), all = 0, trial;
  if (threads > 1) all = team_choose(choice, &trial);
  enum status s = team_run(all ? threads : 1, run_task, &r);
  if (threads > 1) team_note(choice, all, (seconds_now() - start) / work, NOTE_WEIGHT);
  return run_explain(s, failure);
}
