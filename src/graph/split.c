/* split.c - a step over shards of a batch (run/shards.h): first the nodes that run for each shard, then the sums over
 * all, then the nodes that run once, on the sums. */
#include "graph/derive.h"

#include <string.h>

/* While it is split: node.moved: does it run once? slot.wants: is it computed once, or changed by what runs once?
 * slot.gradient: does it depend on the batch? slot.last: does a node read it that runs for each shard? */

static int is_sum(const struct node *n) { return n->op == ACTION_REDUCE; }
static int is_once(const struct node *n) { return is_sum(n) || is_change(n->op) || n->op == ACTION_GUARD; }

static void mark_once(struct program *p) {
  for (int32_t k = 0; k < p->slots_used; k++) {
    p->slots[k].wants = p->slots[k].last = 0;
    p->slots[k].gradient = p->slots[k].kind == SLOT_INPUT;
  }
  for (int32_t i = 0; i < p->nodes_used; i++) {
    struct node *n = &p->nodes[i];
    int depends = n->draws_as >= 0 || (is_op(n->op) && op_is_random(n->op, &n->attr));
    n->moved = is_once(n);
    for (int k = 0; k < n->inputs; k++) {
      int32_t slot = node_inputs(p, n)[k].slot;
      if (slot == NO_SLOT) continue;
      n->moved = n->moved || p->slots[slot].wants;
      depends = depends || p->slots[slot].gradient;
    }
    for (int k = 0; k < n->outputs; k++) {
      int32_t slot = node_outputs(p, n)[k].slot;
      if (slot == NO_SLOT) continue;
      p->slots[slot].wants |= n->moved;
      p->slots[slot].gradient |= depends && !is_sum(n);
    }
    for (int k = 0; k < n->inputs && n->op == ACTION_UPDATE; k++) {
      struct slot *s = &p->slots[node_inputs(p, n)[k].slot];
      s->wants |= s->kind == SLOT_SHARED;
    }
  }
}

/* What does not depend on the batch runs once if only such nodes read it, as a rank may have no rows at all. Sums over
 * the shards read what each of them has. */
static void delay_constants(struct program *p) {
  for (int32_t i = p->nodes_used - 1; i >= 0; i--) {
    struct node *n = &p->nodes[i];
    int early = n->outputs == 0;
    for (int k = 0; k < n->outputs && !n->moved; k++) {
      int32_t slot = node_outputs(p, n)[k].slot;
      early = early || (slot != NO_SLOT && (p->slots[slot].gradient || p->slots[slot].last || p->slots[slot].kept));
    }
    n->moved = n->moved || !early;
    for (int k = 0; k < n->outputs && n->moved; k++)
      if (node_outputs(p, n)[k].slot != NO_SLOT) p->slots[node_outputs(p, n)[k].slot].wants = 1;
    for (int k = 0; k < n->inputs && (!n->moved || is_sum(n)); k++)
      if (node_inputs(p, n)[k].slot != NO_SLOT) p->slots[node_inputs(p, n)[k].slot].last = 1;
  }
}

static int is_early(const struct program *p, int32_t slot) {
  return slot != NO_SLOT && p->slots[slot].kind == SLOT_COMPUTED && !p->slots[slot].wants;
}

static enum status check_split(const struct program *p, struct failure *failure) {
  for (int32_t i = 0; i < p->nodes_used; i++) {
    const struct node *n = &p->nodes[i];
    for (int k = 0; k < n->inputs && n->moved; k++) {
      int32_t slot = node_inputs(p, n)[k].slot;
      if (is_sum(n) && slot != NO_SLOT && p->slots[slot].kind == SLOT_COMPUTED && p->slots[slot].wants)
        return fail(failure, STATUS_TRACED, "it takes a gradient with weights that it has updated before: under a "
          "strategy, take all gradients of a step before the first update");
      if (!is_sum(n) && n->op != ACTION_ASSIGN && is_early(p, slot))
        return fail(failure, STATUS_TRACED, "it computes with the batch and with weights that it has updated before: "
          "under a strategy, do all that looks at the batch before the first update");
    }
  }
  return STATUS_OK;
}

/* Assignments of what was computed from the batch: variables get the sum of the changes in all shards, or the mean over
 * the rows. */
static void sum_assigned(struct program *p, int kind) {
  int32_t first = p->operands_used, end = p->nodes_used;
  int found = 0;
  for (int pass = 0; pass < 3; pass++) { /* what is summed, the variables if they are read, the sums */
    for (int32_t i = 0; i < end; i++) {
      const struct node *n = &p->nodes[i];
      if (n->op != ACTION_ASSIGN) continue;
      struct operand *from = node_inputs(p, n), to = node_outputs(p, n)[0];
      if (pass < 2 && !is_early(p, from->slot)) continue;
      if ((p->slots[to.slot].summed ? REDUCE_CHANGES : REDUCE_ROWS) != kind) continue;
      if (pass == 0) {
        p->operands[p->operands_used++] = (struct operand){from->slot, 0};
        found++;
      } else if (pass == 1 && kind == REDUCE_CHANGES) {
        p->operands[p->operands_used++] = (struct operand){to.slot, 0};
      } else if (pass == 2 && is_early(p, from->slot)) {
        struct slot like = p->slots[from->slot];
        int32_t sum = program_add_slot(p, SLOT_COMPUTED, like.dtype, &like.shape);
        p->operands[p->operands_used++] = (struct operand){sum, 0};
        *from = (struct operand){sum, 0};
        p->slots[sum].wants = 1;
      }
    }
  }
  if (!found) return;
  int inputs = kind == REDUCE_CHANGES ? 2 * found : found;
  struct attr attr = {.n_ints = 1, .ints = {kind}};
  struct node *n = &p->nodes[p->nodes_used++];
  *n = (struct node){.op = ACTION_REDUCE, .first = first, .inputs = inputs, .outputs = found, .saved = NO_SLOT,
    .workspace = NO_SLOT, .draws_as = -1, .moved = 1, .work = 1, .attr = attr};
}

/* Behind the nodes there is room for as many again. */
static void put_in_order(struct program *p) {
  struct node *to = p->nodes + p->nodes_used;
  int32_t used = 0;
  for (int kind = 0; kind < 3; kind++)
    for (int32_t i = 0; i < p->nodes_used; i++) {
      struct node *n = &p->nodes[i];
      if ((!n->moved ? 0 : is_sum(n) ? 1 : 2) == kind) to[used++] = *n;
    }
  used = 0;
  for (int kind = 0; kind < 3; kind++) /* where each went: draws_as still counts in the old order */
    for (int32_t i = 0; i < p->nodes_used; i++) {
      struct node *n = &p->nodes[i];
      if ((!n->moved ? 0 : is_sum(n) ? 1 : 2) == kind) n->group_end = used++;
    }
  for (int32_t i = 0; i < p->nodes_used; i++)
    if (to[i].draws_as >= 0) to[i].draws_as = p->nodes[to[i].draws_as].group_end;
  memcpy(p->nodes, to, (size_t)p->nodes_used * sizeof *to);
}

struct room split_room(const struct program *p) {
  struct room r = {0, 2, 0};
  for (int32_t i = 0; i < p->nodes_used; i++)
    if (p->nodes[i].op == ACTION_ASSIGN) {
      r.slots++;
      r.operands += 3;
    }
  r.nodes += p->nodes_used + 2; /* a second time, for the order */
  return r;
}

enum status program_split(struct program *p, struct failure *failure) {
  mark_once(p);
  delay_constants(p);
  enum status status = check_split(p, failure);
  if (status) return status;
  sum_assigned(p, REDUCE_ROWS);
  sum_assigned(p, REDUCE_CHANGES);
  put_in_order(p);
  return STATUS_OK;
}
