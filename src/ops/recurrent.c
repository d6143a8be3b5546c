#include "ops/recurrent.h"

#include <string.h>

#define NAME(ENUM, name) #name,
const char *const cell_output_name[OUTPUT_COUNT] = {CELL_OUTPUTS(NAME)};
const char *const cell_activation_name[CELL_ACTIVATION_COUNT] = {CELL_ACTIVATIONS(NAME)};
#undef NAME

int cell_input(const struct attr *a, int flag) {
  if (!a->ints[flag]) return -1;
  int at = 3;
  for (int i = CELL_BIAS; i < flag; i++) at += a->ints[i] != 0;
  return at;
}

int cell_gates(int op) { return op == OP_LSTM ? 4 : op == OP_GRU ? 3 : 1; }

static int64_t integers(const struct recurrent *r) {
  int64_t table = r->vocabulary > 0;
  return 2 + 3 * r->batch + 2 * (r->steps + 1) + r->tokens + table * (r->tokens + r->rows + r->vocabulary);
}

void recurrent_layout(struct recurrent *r, int op, const struct shape *const *shape, const struct attr *a,
  size_t size) {
  int table = cell_input(a, CELL_TABLE), after = op == OP_GRU && a->ints[CELL_RESET_AFTER];
  memset(r, 0, sizeof *r);
  r->batch = shape[0]->dim[0], r->steps = shape[0]->dim[1];
  r->inputs = shape[1]->dim[0], r->gates = shape[1]->dim[1];
  r->units = shape[2]->dim[0];
  r->tokens = r->rows = r->batch * r->steps;
  if (table >= 0) {
    r->vocabulary = shape[table]->dim[0];
    if (r->vocabulary < r->rows) r->rows = r->vocabulary;
  }
  int64_t per_integer = (int64_t)(size / sizeof(int32_t));
  int64_t by_gates = r->tokens * r->gates, by_units = r->tokens * r->units, of_batch = r->batch * r->units;
  const int64_t numbers[CELL_BUFFERS] = {
    [CELL_COUNTS] = (integers(r) + per_integer - 1) / per_integer,
    [CELL_GATES] = by_gates,
    [CELL_DGATES] = by_gates,
    [CELL_PRODUCT] = after ? by_gates : 0,
    [CELL_DPRODUCT] = after ? by_gates : 0,
    [CELL_STATE] = by_units,
    [CELL_DROPPED] = a->ints[CELL_RECURRENT_MASK] ? by_units : 0,
    [CELL_MEMORY] = op == OP_LSTM ? by_units : 0,
    [CELL_SQUASHED] = op == OP_LSTM ? by_units : 0,
    [CELL_RESET] = op == OP_GRU && !after ? by_units : 0,
    [CELL_LAST] = of_batch,
    [CELL_CARRY] = of_batch,
    [CELL_CARRY_C] = op == OP_SIMPLE_RNN ? 0 : of_batch,
    [CELL_ROWS] = r->rows * r->inputs,
    [CELL_DROWS] = r->rows * r->inputs,
    [CELL_PROJECTED] = table >= 0 ? r->rows * r->gates : 0,
    [CELL_PANELS] = (r->gates + 2 * MOST_LANES) * (r->units + MOST_LANES), /* panels end in whole vectors */
  };
  for (int i = 0; i < CELL_BUFFERS; i++) {
    int64_t *end = i < CELL_SAVED ? &r->saved : &r->derivative_workspace;
    r->at[i] = *end;
    *end += whole_vectors(numbers[i]);
    if (i == CELL_PANELS) r->workspace = *end; /* all that the op itself needs */
  }
}

void packing_place(struct packing *p, const struct recurrent *r, int32_t *at) {
  int64_t table = r->vocabulary > 0;
  p->used = at;
  p->order = at += 2;
  p->length = at += r->batch;
  p->first = at += r->batch;
  p->source = at += r->steps + 1;
  p->row = at += r->tokens;
  p->distinct = at += table * r->tokens;
  p->work = at + table * r->rows;
}

/* Sorted by counting; sequences of the same length keep their order. */
static void sort_sequences(struct packing *p, const struct recurrent *r, const struct steps *s) {
  int32_t *length = p->work, *place = p->work + r->batch, start = 0;
  memset(place, 0, (size_t)(r->steps + 1) * sizeof *place);
  for (int64_t b = 0; b < r->batch; b++) {
    length[b] = 0;
    for (int64_t i = 0; i < r->steps; i++) length[b] += step_is_real(s, b * r->steps + i);
    place[length[b]]++;
  }
  for (int64_t n = r->steps; n >= 0; n--) {
    int32_t many = place[n];
    place[n] = start;
    start += many;
  }
  for (int64_t b = 0; b < r->batch; b++) {
    int32_t j = place[length[b]]++;
    p->order[j] = (int32_t)b;
    p->length[j] = length[b];
  }
}

/* Number the tokens in order of their first packed row. */
static void find_distinct(struct packing *p, const struct recurrent *r, const struct steps *s) {
  int32_t *seen = p->work + r->batch + r->steps + 1, found = 0;
  memset(seen, 0, (size_t)r->vocabulary * sizeof *seen);
  for (int32_t n = 0; n < p->used[0]; n++) {
    int32_t token = s->token[p->source[n]];
    if (!seen[token]) {
      p->distinct[found] = token;
      seen[token] = ++found;
    }
    p->row[n] = seen[token] - 1;
  }
  p->used[1] = found;
}

enum status packing_fill(struct packing *p, const struct recurrent *r, const struct steps *s, int backwards) {
  enum status status = STATUS_OK;
  sort_sequences(p, r, s);
  p->first[0] = 0;
  for (int64_t t = 0, j = r->batch; t < r->steps; t++) {
    while (j > 0 && p->length[j - 1] <= t) j--;
    p->first[t + 1] = p->first[t] + (int32_t)j;
  }
  for (int64_t j = 0; j < r->batch; j++) {
    int64_t from = p->order[j] * r->steps, t = 0;
    for (int64_t i = 0; i < r->steps; i++) {
      int64_t at = from + (backwards ? r->steps - 1 - i : i);
      if (step_is_real(s, at)) p->source[p->first[t++] + j] = (int32_t)at;
      else if (!token_is_known(s, at) && (s->all_checked || !s->mask || s->mask[at])) status = STATUS_INDEX;
    }
  }
  p->used[0] = p->used[1] = p->first[r->steps];
  if (s->token && r->vocabulary) find_distinct(p, r, s);
  return status;
}

/* The first sequence at which `part` of `parts` of all real steps are behind us. */
static int64_t cut(const struct packing *p, const struct recurrent *r, int part, int parts) {
  int64_t behind = 0, j = 0;
  if (part == parts) return r->batch;
  while (j < r->batch && behind < (int64_t)p->used[0] * part / parts) behind += p->length[j++];
  return j;
}

struct range packing_share(const struct packing *p, const struct recurrent *r, int thread, int threads) {
  return (struct range){cut(p, r, thread, threads), cut(p, r, thread + 1, threads)};
}
