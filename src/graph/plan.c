/* plan.c - which nodes run together, and where in the arena each slot lies. A slot has its place from the first node
 * that writes it to the last that needs it (liveness); then others take it. */
#include "graph/program.h"

#include <string.h>

/* ---- groups: neighbouring nodes that go through equally many numbers one by one ---- */

/* The numbers that a node goes through in one row, each read and written by itself; 0 if it does something else. */
static int64_t numbers_in_step(const struct program *p, const struct node *n) {
  int op = plain_op(n->op), derivative = is_derivative(n->op);
  const struct operand *in = node_inputs(p, n), *out = derivative ? in + n->outputs : node_outputs(p, n);
  int inputs = derivative ? n->outputs : n->inputs;
  if (!is_op(op) || inputs < 1 || inputs > 2) return 0;
  const struct shape *over = &p->slots[out->slot].shape, *shapes[2];
  for (int k = 0; k < inputs; k++) shapes[k] = &p->slots[in[k].slot].shape;
  if (derivative && (op == OP_SUM || op == OP_MEAN)) return shape_count(over) == 1 ? shape_count(shapes[0]) : 0;
  if (!op_is_elementwise(op)) return 0;
  struct walk w;
  walk_plan(&w, over, shapes, inputs);
  if (w.rank != 1) return 0;
  for (int k = 0; k < inputs && derivative; k++) /* the gradient of what is repeated is a sum */
    if (node_outputs(p, n)[k].slot != NO_SLOT && shape_count(shapes[k]) != w.n[0]) return 0;
  if (derivative && inputs == 2 && node_outputs(p, n)[0].slot == node_outputs(p, n)[1].slot) return 0;
  return w.n[0];
}

static size_t number_size(const struct program *p, const struct node *n) {
  return dtype_size[p->slots[node_inputs(p, n)[op_info[plain_op(n->op)].key].slot].dtype];
}

static void plan_groups(struct program *p, int32_t first) {
  for (int32_t i = first, end; i < p->nodes_used; i = end + 1) {
    int64_t n = numbers_in_step(p, &p->nodes[i]);
    end = i;
    while (n && end + 1 < p->nodes_used && numbers_in_step(p, &p->nodes[end + 1]) == n &&
      number_size(p, &p->nodes[end + 1]) == number_size(p, &p->nodes[i])) end++;
    for (int32_t k = i; k <= end; k++) p->nodes[k].group_end = end;
  }
}

/* ---- liveness ---- */

/* Does node n need the numbers of its operand k, or only its shape? */
static int needs(const struct node *n, int k) {
  if (n->op == ACTION_FILL) return k >= n->inputs;
  if (!is_derivative(n->op) || k >= n->inputs) return 1;
  int inputs = n->outputs, outputs = (n->inputs - inputs) / 2; /* of the op */
  return k >= inputs + outputs || derivative_reads(plain_op(n->op), inputs, k);
}

static void need_until(struct program *p, int32_t slot, int32_t node) {
  if (slot != NO_SLOT && p->slots[slot].last < node) p->slots[slot].last = node;
}

static void plan_lives(struct program *p, int32_t first) {
  for (int32_t k = 0; k < p->slots_used; k++) p->slots[k].last = p->slots[k].kept ? p->nodes_used : -1;
  for (int32_t i = first; i < p->nodes_used; i++) {
    const struct node *n = &p->nodes[i];
    for (int k = 0; k < node_operands(n); k++)
      if (needs(n, k)) need_until(p, p->operands[n->first + k].slot, n->group_end);
    need_until(p, n->saved, n->group_end);
    need_until(p, n->workspace, n->group_end);
  }
}

/* ---- places ---- */

struct holes {
  struct hole *hole; /* in order of their places */
  int32_t n;
};

static int64_t slot_bytes(const struct slot *s) { return (int64_t)padded_bytes(shape_count(&s->shape), s->dtype); }

/* The smallest hole that is large enough, or new room at the end. */
static int64_t take(struct holes *h, int64_t bytes, int64_t *end) {
  int32_t best = -1;
  for (int32_t i = 0; i < h->n; i++)
    if (h->hole[i].bytes >= bytes && (best < 0 || h->hole[i].bytes < h->hole[best].bytes)) best = i;
  if (best < 0) {
    int64_t at = *end, last = h->n - 1;
    if (last >= 0 && h->hole[last].at + h->hole[last].bytes == *end) at = h->hole[h->n = (int32_t)last].at;
    *end = at + bytes;
    return at;
  }
  int64_t at = h->hole[best].at;
  h->hole[best].at += bytes;
  h->hole[best].bytes -= bytes;
  if (h->hole[best].bytes == 0)
    memmove(h->hole + best, h->hole + best + 1, (size_t)(--h->n - best) * sizeof *h->hole);
  return at;
}

static void give_back(struct holes *h, int64_t at, int64_t bytes) {
  int32_t i = h->n;
  if (bytes == 0) return;
  while (i > 0 && h->hole[i - 1].at > at) i--;
  int joins = i > 0 && h->hole[i - 1].at + h->hole[i - 1].bytes == at;
  if (joins) h->hole[--i].bytes += bytes;
  else {
    memmove(h->hole + i + 1, h->hole + i, (size_t)(h->n++ - i) * sizeof *h->hole);
    h->hole[i] = (struct hole){at, bytes};
  }
  if (i + 1 < h->n && h->hole[i].at + h->hole[i].bytes == h->hole[i + 1].at) {
    h->hole[i].bytes += h->hole[i + 1].bytes;
    memmove(h->hole + i + 1, h->hole + i + 2, (size_t)(--h->n - i - 1) * sizeof *h->hole);
  }
}

static void begin_life(struct program *p, int32_t slot, struct holes *h) {
  struct slot *s = &p->slots[slot];
  if (slot != NO_SLOT && s->kind == SLOT_COMPUTED && !s->given && s->value_at < 0)
    s->value_at = take(h, slot_bytes(s), &p->value_bytes);
}

static void begin_lives(struct program *p, const struct node *n, struct holes *h) {
  for (int k = 0; k < n->outputs; k++) begin_life(p, node_outputs(p, n)[k].slot, h);
  begin_life(p, n->saved, h);
  begin_life(p, n->workspace, h);
}

/* A slot may be named more than once, but ends once. */
static void end_life(struct program *p, int32_t slot, int32_t node, struct holes *h) {
  struct slot *s = &p->slots[slot];
  if (slot == NO_SLOT || s->kind != SLOT_COMPUTED || s->given || s->last != node || s->ended) return;
  s->ended = 1;
  give_back(h, s->value_at, slot_bytes(s));
}

static void end_lives(struct program *p, const struct node *n, struct holes *h) {
  for (int k = 0; k < node_operands(n); k++) end_life(p, p->operands[n->first + k].slot, n->group_end, h);
  end_life(p, n->saved, n->group_end, h);
  end_life(p, n->workspace, n->group_end, h);
}

void program_plan(struct program *p, int32_t first, struct hole *room) {
  plan_groups(p, first);
  plan_lives(p, first);
  p->value_bytes = 0;
  for (int32_t k = 0; k < p->slots_used; k++) {
    struct slot *s = &p->slots[k];
    s->ended = 0;
    s->value_at = s->kind == SLOT_INPUT ? p->value_bytes : -1;
    if (s->kind == SLOT_INPUT) p->value_bytes += slot_bytes(s);
  }
  struct holes h = {room, 0};
  for (int32_t i = first, end; i < p->nodes_used; i = end + 1) {
    end = p->nodes[i].group_end;
    for (int32_t k = i; k <= end; k++) begin_lives(p, &p->nodes[k], &h);
    for (int32_t k = i; k <= end; k++) end_lives(p, &p->nodes[k], &h);
  }
  for (int32_t k = 0; k < p->slots_used; k++)
    if (p->slots[k].value_at < 0) p->slots[k].value_at = 0; /* nothing is written there */
}
