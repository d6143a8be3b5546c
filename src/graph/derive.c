#include "graph/derive.h"

#include <string.h>

/* Whatever a variable held, one after the other, has one gradient: that of slot.home.
 *
 * While a derivative is made: slot.wants says that a gradient would be of use there; slot.gradient is where it is, or
 * NO_SLOT while none has come; slot.result is where it must go in the end, or NO_SLOT. */

static struct slot *home_of(struct program *p, int32_t slot) { return &p->slots[p->slots[slot].home]; }

/* From the inputs to the outputs of the ops among nodes [first, end) that can be differentiated: mark the slots that
 * depend on one that is marked. */
static void follow(struct program *p, const struct derivation *d, int within_wanted) {
  for (int32_t i = d->first; i < d->end; i++) {
    const struct node *n = &p->nodes[i];
    int marked = 0;
    if (!is_op(n->op) || !op_info[n->op].differentiable) continue;
    for (int k = 0; k < n->inputs; k++) {
      const struct slot *s = &p->slots[node_inputs(p, n)[k].slot];
      marked = marked || (within_wanted ? s->gradient : s->wants) > 0;
    }
    for (int k = 0; k < n->outputs && marked; k++) {
      struct slot *s = &p->slots[node_outputs(p, n)[k].slot];
      if (!dtype_is_float(s->dtype)) continue;
      if (!within_wanted) s->wants = 1;
      else if (s->wants) s->gradient = 1;
    }
  }
}

/* slot.wants: it is watched, or depends on what is, and has to do with a source. */
static void mark_wanted(struct program *p, const struct derivation *d) {
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    s->wants = p->slots[s->home].watched;
    s->gradient = 0;
  }
  follow(p, d, 0);
  for (int k = 0; k < d->n_sources; k++) {
    struct slot *s = &p->slots[d->sources[k].slot];
    s->gradient = s->wants;
  }
  for (int k = 0; k < p->slots_used; k++) p->slots[k].gradient = p->slots[p->slots[k].home].gradient;
  follow(p, d, 1);
  for (int k = 0; k < p->slots_used; k++) {
    p->slots[k].wants = p->slots[k].gradient;
    p->slots[k].gradient = NO_SLOT;
  }
}

/* Does the walk pass this node? */
static int is_passed(const struct program *p, const struct node *n) {
  int reached = 0, wanted = 0;
  if (!is_op(n->op) || !op_info[n->op].differentiable) return 0;
  for (int k = 0; k < n->outputs; k++) reached = reached || p->slots[node_outputs(p, n)[k].slot].gradient != NO_SLOT;
  for (int k = 0; k < n->inputs; k++) wanted = wanted || p->slots[node_inputs(p, n)[k].slot].wants;
  return reached && wanted;
}

void derive_reach(struct program *p, const struct derivation *d) {
  mark_wanted(p, d);
  for (int k = 0; k < d->n_targets; k++) {
    struct slot *s = home_of(p, d->targets[k].slot);
    if (s->wants) s->gradient = 0;
  }
  for (int32_t i = d->end - 1; i >= d->first; i--) {
    const struct node *n = &p->nodes[i];
    if (!is_passed(p, n)) continue;
    for (int k = 0; k < n->inputs; k++) {
      int32_t slot = node_inputs(p, n)[k].slot;
      if (p->slots[slot].wants) home_of(p, slot)->gradient = 0;
    }
  }
}

int derive_changes(const struct program *p, int32_t first, int32_t end, int32_t slot) {
  for (int32_t i = first; i < end; i++) {
    const struct node *n = &p->nodes[i];
    for (int k = 0; k < node_operands(n) && is_change(n->op); k++)
      if (p->operands[n->first + k].slot == slot) return 1;
  }
  return 0;
}

int derive_meets_gradient(struct program *p, const struct derivation *d) {
  for (int k = 0; k < p->slots_used; k++) p->slots[k].last = 0;
  for (int k = 0; k < d->n_targets; k++) p->slots[d->targets[k].slot].last = 1;
  for (int32_t i = d->end - 1; i >= d->first; i--) {
    const struct node *n = &p->nodes[i];
    int met = 0;
    if (!is_op(n->op) || !op_info[n->op].differentiable) continue;
    for (int k = 0; k < n->outputs; k++) met = met || p->slots[node_outputs(p, n)[k].slot].last;
    for (int k = 0; k < n->inputs && met; k++) {
      struct slot *s = &p->slots[node_inputs(p, n)[k].slot];
      if (s->opaque) return 1;
      s->last = 1;
    }
  }
  return 0;
}

/* Does a variable that ops of nodes [first, end) read change later? By a walk, only what it will read again counts. */
static int meets_change(const struct program *p, int32_t first, int32_t end, int by_walk) {
  for (int32_t i = first; i < end; i++) {
    const struct node *n = &p->nodes[i];
    if (by_walk ? !is_passed(p, n) : !is_op(n->op)) continue;
    for (int k = 0; k < n->inputs; k++) {
      int32_t slot = node_inputs(p, n)[k].slot;
      int read = !by_walk || derivative_reads(n->op, n->inputs, k);
      if (read && p->slots[slot].written && derive_changes(p, i, p->nodes_used, slot)) return 1;
    }
  }
  return 0;
}

int derive_overwritten(const struct program *p, int32_t first, int32_t end) { return meets_change(p, first, end, 0); }

int derive_meets_change(const struct program *p, const struct derivation *d) {
  return meets_change(p, d->first, d->end, 1);
}

struct room derive_room(const struct program *p, const struct derivation *d) {
  /* targets are filled, results that are named twice are copied */
  struct room r = {d->n_targets, d->n_targets + d->n_sources, 2 * (d->n_targets + d->n_sources)};
  for (int32_t i = d->first; i < d->end; i++) {
    const struct node *n = &p->nodes[i];
    r.nodes++;
    r.slots += n->inputs + 1;
    r.operands += 2 * node_operands(n);
  }
  return r;
}

/* Where the gradient of a slot goes; *adds: has one come before? */
static struct operand gradient_place(struct program *p, int32_t slot) {
  struct slot *s = home_of(p, slot);
  struct operand o = {s->gradient, s->gradient != NO_SLOT};
  if (!p->slots[slot].wants) return (struct operand){NO_SLOT, 0};
  if (o.adds) return o;
  if (s->result != NO_SLOT) {
    o.slot = s->result;
  } else {
    struct shape other = s->other;
    o.slot = program_add_slot(p, SLOT_COMPUTED, s->dtype, &s->shape);
    p->slots[o.slot].other = other;
    p->slots[o.slot].opaque = 1;
  }
  s->gradient = o.slot;
  return o;
}

/* The derivative of node i. */
static void derive_node(struct program *p, int32_t i) {
  const struct node *n = &p->nodes[i];
  struct failure ignored;
  struct inference q = {.failure = &ignored};
  struct operand none = {NO_SLOT, 0};
  program_infer(p, n->op, node_inputs(p, n), n->inputs, &n->attr, &q); /* as it was when the node was appended */
  struct node *own = program_add_node(p, DERIVATIVE + n->op, node_inputs(p, n), node_operands(n), 0, &n->attr,
    DERIVATIVE_WORK * n->work);
  for (int k = 0; k < n->outputs; k++) {
    int32_t gradient = p->slots[node_outputs(p, n)[k].slot].gradient;
    p->operands[p->operands_used++] = gradient == NO_SLOT ? none : (struct operand){gradient, 0};
  }
  own->inputs += n->outputs;
  own->outputs = n->inputs;
  for (int k = 0; k < n->inputs; k++)
    p->operands[p->operands_used++] = gradient_place(p, node_inputs(p, n)[k].slot);
  if (op_is_random(n->op, &n->attr)) own->draws_as = n->draws_as >= 0 ? n->draws_as : i;
  own->saved = n->saved;
  own->workspace = program_add_flat(p, SLOT_COMPUTED, dtype_in(&q, op_info[n->op].key), q.derivative_workspace);
}

/* The derivative of a sum towards its terms is 1; a target named twice counts twice. */
static void fill_targets(struct program *p, const struct derivation *d) {
  for (int k = 0; k < d->n_targets; k++) {
    int32_t target = d->targets[k].slot;
    struct attr times = {.reals = {0}};
    if (!p->slots[target].wants || home_of(p, target)->gradient != NO_SLOT) continue;
    for (int j = 0; j < d->n_targets; j++)
      times.reals[0] += home_of(p, d->targets[j].slot) == home_of(p, target);
    struct operand operands[] = {{target, 0}, gradient_place(p, target)};
    program_add_node(p, ACTION_FILL, operands, 1, 1, &times, 1);
  }
}

void derive(struct program *p, const struct derivation *d, int seeded) {
  if (!seeded) fill_targets(p, d);
  for (int32_t i = d->end - 1; i >= d->first; i--)
    if (is_passed(p, &p->nodes[i])) derive_node(p, i);
}

/* ---- traced functions ---- */

struct derivation gradient_question(struct program *p, const struct node *n) {
  const int64_t *a = n->attr.ints;
  const struct operand *in = node_inputs(p, n);
  struct derivation d = {
    .first = (int32_t)a[GRADIENT_FIRST], .end = (int32_t)a[GRADIENT_END],
    .targets = in, .n_targets = (int)a[GRADIENT_TARGETS],
    .sources = in + a[GRADIENT_TARGETS], .n_sources = (int)a[GRADIENT_SOURCES],
  };
  for (int k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    s->watched = a[GRADIENT_WATCH_VARIABLES] && s->trainable;
    s->result = NO_SLOT;
  }
  for (int k = d.n_targets + d.n_sources; k < n->inputs; k++) p->slots[p->slots[in[k].slot].home].watched = 1;
  return d;
}

struct room seal_room(struct program *traced) {
  struct room all = {0, traced->nodes_used, traced->operands_used};
  for (int k = 0; k < traced->slots_used; k++) {
    all.nodes += traced->slots[k].home != k; /* assignments */
    all.operands += 2 * (traced->slots[k].home != k);
  }
  for (int32_t i = 0; i < traced->nodes_used; i++) {
    if (traced->nodes[i].op != ACTION_GRADIENT) continue;
    struct derivation d = gradient_question(traced, &traced->nodes[i]);
    struct room r = derive_room(traced, &d);
    all.slots += r.slots;
    all.nodes += r.nodes;
    all.operands += r.operands;
  }
  return all;
}

/* In place of gradient node n of the traced program. */
static void expand(struct program *traced, const struct node *n, struct program *sealed) {
  struct derivation d = gradient_question(traced, n); /* the slots are the same */
  const struct operand *results = node_outputs(traced, n);
  d.first = traced->nodes[d.first].moved; /* at most n itself */
  d.end = traced->nodes[d.end].moved;
  mark_wanted(sealed, &d);
  for (int k = d.n_sources - 1; k >= 0; k--) sealed->slots[d.sources[k].slot].result = results[k].slot;
  derive(sealed, &d, 0);
  for (int k = 0; k < d.n_sources; k++) { /* a source that was named before */
    int32_t gradient = sealed->slots[d.sources[k].slot].gradient;
    if (gradient == NO_SLOT || gradient == results[k].slot) continue;
    struct operand operands[] = {{gradient, 0}, results[k]};
    struct attr none = {0};
    program_add_node(sealed, OP_STOP_GRADIENT, operands, 1, 1, &none, 1);
  }
}

/* Would somebody miss the node though nobody needs its result? All that draw after a random one would draw other
 * numbers, and what refuses its data (an index, whole numbers) does so whether or not it is compiled. */
static int is_missed(const struct program *p, const struct node *n) {
  if (!is_op(n->op)) return 0;
  const struct op_info *op = &op_info[n->op];
  int dtype = p->slots[node_outputs(p, n)->slot].dtype;
  return (op_is_random(n->op, &n->attr) && n->draws_as < 0) || op->index || op->index_by || op->fallible ||
    dtype == INT32 || dtype == INT64;
}

/* Nodes that something depends on, walked back from what is kept and what changes variables. */
static void drop_unneeded(struct program *p) {
  for (int k = 0; k < p->slots_used; k++) p->slots[k].wants = p->slots[k].kept;
  for (int32_t i = p->nodes_used - 1; i >= 0; i--) {
    struct node *n = &p->nodes[i];
    int needed = is_missed(p, n) || (!is_op(plain_op(n->op)) && n->op != ACTION_FILL);
    for (int k = 0; k < n->outputs && !needed; k++) {
      int32_t slot = node_outputs(p, n)[k].slot;
      needed = slot != NO_SLOT && p->slots[slot].wants;
    }
    for (int k = 0; k < n->inputs && needed; k++) {
      int32_t slot = node_inputs(p, n)[k].slot;
      if (slot != NO_SLOT) p->slots[slot].wants = 1;
    }
    n->moved = needed;
  }
  int32_t used = 0;
  for (int32_t i = 0; i < p->nodes_used; i++) p->nodes[i].moved = p->nodes[i].moved ? used++ : -1;
  for (int32_t i = 0; i < p->nodes_used; i++)
    if (p->nodes[i].draws_as >= 0) p->nodes[i].draws_as = p->nodes[p->nodes[i].draws_as].moved;
  for (int32_t i = 0; i < p->nodes_used; i++)
    if (p->nodes[i].moved >= 0) p->nodes[p->nodes[i].moved] = p->nodes[i];
  p->nodes_used = used;
}

/* In the end, variables get what they hold last. Nothing is assigned before, so that nothing changes if the loss is not
 * finite, or if the user interrupts. */
static void assign_variables(struct program *p) {
  for (int k = 0; k < p->slots_used; k++) p->slots[p->slots[k].home].last = k;
  for (int k = 0; k < p->slots_used; k++) {
    const struct slot *s = &p->slots[k];
    struct operand operands[] = {{s->last, 0}, {k, 0}};
    struct attr none = {0};
    if (s->kind == SLOT_SHARED && s->last != k)
      program_add_node(p, ACTION_ASSIGN, operands, 1, 1, &none, (double)shape_count(&s->shape));
  }
}

void program_seal(struct program *traced, struct program *sealed) {
  for (int32_t i = 0; i < traced->nodes_used; i++) {
    struct node *n = &traced->nodes[i];
    n->moved = sealed->nodes_used;
    if (n->op == ACTION_GRADIENT) {
      expand(traced, n, sealed);
      continue;
    }
    struct node *own = program_add_node(sealed, n->op, node_inputs(traced, n), n->inputs, n->outputs, &n->attr,
      n->work);
    own->saved = n->saved;
    own->workspace = n->workspace;
    own->seed = n->seed;
    if (n->draws_as >= 0) own->draws_as = traced->nodes[n->draws_as].moved;
  }
  assign_variables(sealed);
  drop_unneeded(sealed);
}
