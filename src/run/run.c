#include "run/run.h"

#include <math.h>
#include <string.h>

double slot_number(const struct slot *s, int64_t i) {
  return number_at(s->dtype, s->value, i);
}

/* ---- kernels, and interrupts of them ---- */

#define NODE_WORK 100 /* what a node costs beside its work, in floating point operations */

/* So much work is a part that an interrupt can wait for: ops on single numbers count one or a few each, whatever they
 * take. */
#define PART_WORK 4e6

/* Into how many parts a member divides its share: one if the kernel asks by itself whether it may rest. */
static int parts_of(const struct node *n, const struct team *team) {
  double parts = n->work / (PART_WORK * team->threads);
  if (n->work < 2 * PART_WORK || op_info[plain_op(n->op)].patient) return 1;
  return parts <= 1 ? 1 : parts < 1e4 ? (int)parts : 10000;
}

/* A member of the team, as kernels know it. */
struct member {
  struct runner runner;
  struct team *team;
  int thread;
};
static int member_may_rest(struct runner *r, double work) {
  struct member *m = (struct member *)r;
  return team_may_rest(m->team, m->thread, work);
}
static struct member member_of(struct team *team, int thread) {
  return (struct member){{.may_rest = member_may_rest}, team, thread};
}

/* It waits for the others. */
static void member_ends(struct member *m) {
  if (m->runner.flaw) atomic_store(&m->team->failed, (int)m->runner.flaw);
  team_barrier(m->team);
}

/* What an op or its derivative is given, and the kernel: that for the number type of the key input, or of the output if
 * it has none. */
static kernel *prepare(const struct program *p, const struct node *n, struct member *m, struct call *c) {
  int derivative = is_derivative(n->op), op = plain_op(n->op);
  const struct operand *in = node_inputs(p, n), *out = node_outputs(p, n);
  *c = (struct call){.op = op, .attr = &n->attr, .slots = p->slots, .in = in, .inputs = n->inputs, .out = out,
    .saved = n->saved, .workspace = n->workspace, .seeds = {p->seed, n->seed}, .runner = &m->runner};
  if (derivative) {
    c->inputs = n->outputs;
    c->din = out;
    c->out = in + c->inputs;
    c->dout = c->out + (n->inputs - c->inputs) / 2;
  }
  if (n->draws_as >= 0) c->seeds[1] = p->nodes[n->draws_as].seed;
  const struct kernels *table = kernels[p->slots[c->inputs ? in[op_info[op].key].slot : c->out->slot].dtype];
  return derivative ? table->backward[op] : table->forward[op];
}

/* This member's share, phase by phase, and each part by part where that takes long. Ends with a barrier. */
static void run_op(const struct program *p, const struct node *n, struct team *team, int thread) {
  struct call c;
  struct member m = member_of(team, thread);
  kernel *run = prepare(p, n, &m, &c);
  int more = parts_of(n, team);
  c.parts = more * team->threads;
  do {
    m.runner.again = 0;
    for (int k = 0; k < more && !team_may_rest(team, thread, more > 1 ? PART_WORK : NODE_WORK + n->work); k++) {
      c.part = more * thread + k;
      run(&c);
    }
    member_ends(&m);
    c.phase++;
  } while (m.runner.again && !team_must_leave(team));
}

/* The same for a group, whose kernels have one phase: all its nodes on one tile, then on the next, while their numbers
 * are in the cache. */
#define TILE 4096 /* numbers */
static void run_group(const struct program *p, int32_t first, int32_t end, struct team *team, int thread) {
  int64_t numbers = 0;
  struct member m = member_of(team, thread);
  for (int32_t i = first; i <= end; i++) {
    int64_t more = shape_count(&p->slots[node_inputs(p, &p->nodes[i])->slot].shape);
    if (more > numbers) numbers = more;
  }
  int64_t tiles = numbers / (TILE * (int64_t)team->threads);
  int each = tiles < 1 ? 1 : tiles > 10000 ? 10000 : (int)tiles;
  for (int k = 0; k < each && !team_may_rest(team, thread, NODE_WORK + (double)((end - first + 1) * TILE)); k++) {
    for (int32_t i = first; i <= end; i++) {
      struct call c;
      kernel *run = prepare(p, &p->nodes[i], &m, &c);
      c.parts = each * team->threads;
      c.part = each * thread + k;
      run(&c);
    }
  }
  member_ends(&m);
}

/* ---- actions: what a node does beside applying an op. After bad data nothing is changed any more. ---- */

typedef void action(struct program *p, const struct node *n, struct team *team, int thread);

static void fill_action(struct program *p, const struct node *n, struct team *team, int thread) {
  const struct slot *s = &p->slots[node_outputs(p, n)->slot];
  (void)team;
  if (thread == 0) kernels[s->dtype]->fill(shape_count(&s->shape), n->attr.reals[0], s->value);
}

/* Inputs: the optimizer's numbers; for each variable its gradient, itself and the optimizer's state; perhaps room. */
static void update_action(struct program *p, const struct node *n, struct team *team, int thread) {
  const struct operand *o = node_inputs(p, n);
  struct optimizer *optimizer = p->slots[o[0].slot].value;
  int states = optimizer_states(optimizer);
  if (team_failed(team)) return;
  if (thread == 0) optimizer_begin(optimizer);
  team_barrier(team);
  struct update_step step = optimizer_step(optimizer);
  int finite = 1;
  void *room = (n->inputs - 1) % (2 + states) ? p->slots[o[n->inputs - 1].slot].value : NULL;
  for (int k = 1; k + 1 + states < n->inputs; k += 2 + states) {
    const struct slot *gradient = &p->slots[o[k].slot], *variable = &p->slots[o[k + 1].slot];
    struct updated u = {.dtype = variable->dtype, .shape = variable->shape, .weights = variable->value,
      .gradients = gradient->value, .room = room};
    for (int i = 0; i < states; i++) u.state[i] = p->slots[o[k + 2 + i].slot].value;
    u.as_matrix = optimizer_takes_matrix(optimizer, &u.shape) && p->slots[o[k + 3].slot].shape.rank == 0;
    finite &= optimizer_update(optimizer, &step, &u, team, thread);
  }
  if (!finite && p->guarded) atomic_store(&team->failed, STATUS_WEIGHTS);
}

static void assign_action(struct program *p, const struct node *n, struct team *team, int thread) {
  const struct slot *from = &p->slots[node_inputs(p, n)->slot], *to = &p->slots[node_outputs(p, n)->slot];
  if (thread || team_failed(team)) return;
  memmove(to->value, from->value, (size_t)shape_count(&to->shape) * dtype_size[to->dtype]);
  if (p->guarded && dtype_is_float(to->dtype) && !kernels[to->dtype]->finite(shape_count(&to->shape), to->value))
    atomic_store(&team->failed, STATUS_WEIGHTS);
}

/* Operands: a scalar; in a program that trains also a note on what is kept (run.h), and pairs of tensors (from, to).
 * If the scalar is not finite, as the loss of bad data or of weights that exploded, no later node changes anything.
 * Else the weights are good ones: they are kept, unless those of less than KEPT_STEPS before are. */
#define KEPT_STEPS 32
static void guard_action(struct program *p, const struct node *n, struct team *team, int thread) {
  const struct slot *slots = p->slots;
  const struct operand *o = node_inputs(p, n);
  if (!isfinite(slot_number(&slots[o[0].slot], 0))) {
    if (thread == 0) atomic_store(&team->failed, STATUS_NAN);
    return;
  }
  if (n->inputs == 1) return;
  double *left = (double *)slots[o[1].slot].value + KEPT_LEFT;
  int due = *left <= 0;
  for (int k = 2; k < n->inputs && due; k += 2) {
    const struct slot *from = &slots[o[k].slot];
    size_t size = dtype_size[from->dtype];
    struct range r = share_of(shape_count(&from->shape), ALIGNMENT, thread, team->threads);
    memcpy((unsigned char *)slots[o[k + 1].slot].value + (size_t)r.begin * size,
      (const unsigned char *)from->value + (size_t)r.begin * size, (size_t)(r.end - r.begin) * size);
  }
  team_barrier(team);
  if (thread == 0) *left = due ? KEPT_STEPS - 1 : *left - 1;
}

/* Where it runs for one batch without shards, the sums are what there is. */
static void reduce_action(struct program *p, const struct node *n, struct team *team, int thread) {
  (void)team;
  for (int k = 0; k < n->outputs && thread == 0; k++) {
    const struct slot *from = &p->slots[node_inputs(p, n)[k].slot], *to = &p->slots[node_outputs(p, n)[k].slot];
    memcpy(to->value, from->value, (size_t)shape_count(&to->shape) * dtype_size[to->dtype]);
  }
}

static action *const actions[] = {
  [ACTION_FILL - OP_COUNT] = fill_action, [ACTION_UPDATE - OP_COUNT] = update_action,
  [ACTION_ASSIGN - OP_COUNT] = assign_action, [ACTION_GUARD - OP_COUNT] = guard_action,
  [ACTION_REDUCE - OP_COUNT] = reduce_action,
};

static void run_action(struct program *p, const struct node *n, struct team *team, int thread) {
  actions[n->op - OP_COUNT](p, n, team, thread);
  team_barrier(team);
}

/* What was needed by node i for the last time is overwritten with NaN: a node that reads it all the same shows. */
static void poison(struct program *p, int32_t i) {
  for (int32_t k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    if (s->kind == SLOT_COMPUTED && !s->given && s->last == i)
      memset(s->value, 0xff, (size_t)shape_count(&s->shape) * dtype_size[s->dtype]);
  }
}

/* A run can be interrupted without a trace until something is changed; from then on it is finished. */
void run_part(struct program *p, int32_t first, int32_t end, int firm, struct team *team, int thread) {
  if (thread == 0) team->firm = firm;
  for (int32_t i = first, last; i < end; i = last + 1) {
    const struct node *n = &p->nodes[i];
    last = n->group_end;
    if (thread == 0 && is_change(n->op)) team->firm = 1;
    if (last > i) run_group(p, i, last, team, thread);
    else if (is_op(plain_op(n->op))) run_op(p, n, team, thread);
    else run_action(p, n, team, thread);
    if (team_must_leave(team)) return;
    if (!p->poisons) continue;
    if (thread == 0) poison(p, last);
    team_barrier(team);
  }
  if (thread == 0) team->firm = 0;
}

void run_nodes(struct program *p, int32_t first, struct team *team, int thread) {
  run_part(p, first, p->nodes_used, 0, team, thread);
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
  if (s == STATUS_SINGULAR)
    return fail(failure, s, "Input matrix is not invertible: it is singular, up to rounding, or has NaN or Inf");
  if (s == STATUS_INDEFINITE)
    return fail(failure, s, "Cholesky decomposition was not successful: the input matrix is not positive definite");
  if (s == STATUS_MATRIX)
    return fail(failure, s,
      "the decomposition was not successful: the input matrix has NaN or Inf, or does not converge");
  if (s == STATUS_NAN || s == STATUS_WEIGHTS)
    return fail(failure, s, "%s finite number%s; the weights are the last good ones. "
      "A smaller learning rate or scaled inputs may help",
      s == STATUS_NAN ? "the loss is no longer a" : "the step made weights that are not",
      s == STATUS_NAN ? "" : "s");
  if (s == STATUS_VALUE) return fail(failure, s, "internal error: a derivative that only R knows");
  if (s == STATUS_INTERRUPTED) return fail(failure, s, "interrupted");
  return s;
}

struct run {
  struct program *program;
  int32_t first;
};

static void run_task(void *user, struct team *team, int thread) {
  struct run *r = user;
  run_nodes(r->program, r->first, team, thread);
}

#define NOTE_WEIGHT 0.1 /* single runs are short, and now and then disturbed */

enum status run_program(struct program *p, int32_t first, struct team_choice *choice, struct failure *failure) {
  struct run r = {p, first};
  double work = program_work(p, first), start = seconds_now();
  int threads = threads_for(work), all = 0, trial;
  if (threads > 1) all = team_choose(choice, &trial);
  enum status s = team_run(all ? threads : 1, run_task, &r);
  if (threads > 1) team_note(choice, all, (seconds_now() - start) / work, NOTE_WEIGHT);
  return run_explain(s, failure);
}
