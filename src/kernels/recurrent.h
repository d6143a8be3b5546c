/* recurrent.h - the frame of the recurrent ops: all that happens before, between and after the steps. The cells are in
 * cells.h.
 *
 * Forward, a phase each: pack the batch (see ops/recurrent.h); gather its rows; one product projects them; then each
 * part takes its own sequences through all steps, without waiting for the others. Backward likewise: the gradients
 * before activation of all steps, then each weight gradient as one product over all rows. h is kept as the input of the
 * next step, so that the recurrent kernel's gradient is such a product, too. With a table only the distinct tokens are
 * projected.
 */
struct cells {
  const struct call *call;
  struct recurrent r;
  struct packing p;
  struct steps s;
  int64_t n, m; /* real steps, rows to project */
  int64_t units, gates;
  int64_t reset; /* columns from there on multiply CELL_RESET instead of h (gru, reset before) */
  int packs;     /* is the recurrent kernel packed for the forward pass? */
  int activation, recurrent_activation, sequence, reset_after;
  int dsequence; /* has each step a gradient of its own? */
  int bias_input, mask_input, recurrent_mask_input, table_input, first_h_input, first_c_input;
  const real *kernel, *recurrent_kernel, *bias, *recurrent_mask, *table, *first_h, *first_c;
  real *at[CELL_BUFFERS];
};

/* Rows of one step of some sequences. */
struct block {
  int64_t row, rows; /* packed */
  int64_t sequence;  /* sorted */
  int64_t step;
};

INLINE V squash(int kind, V x) {
  switch (kind) {
  case CELL_TANH: return vtanh(x);
  case CELL_SIGMOID: return vsigmoid(x);
  case CELL_HARD_SIGMOID: return clipped(R(0.2) * x + R(0.5), R(0), R(1)); /* as in Keras 2 */
  case CELL_RELU: return relu_value(x, 0, 0);
  case CELL_ELU: return elu_value(x, 1, 0);
  case CELL_SELU: return selu_value(x, 0, 0);
  case CELL_SOFTPLUS: return vsoftplus(x);
  case CELL_SOFTSIGN: return x / (R(1) + vabs(x));
  case CELL_EXP: return vexp(x);
  default: return x;
  }
}

/* The derivative of squash() where its value is y. */
INLINE V squash_slope(int kind, V y) {
  switch (kind) {
  case CELL_TANH: return tanh_slope(y, y, 0, 0);
  case CELL_SIGMOID: return sigmoid_slope(y, y, 0, 0);
  case CELL_HARD_SIGMOID: return choose((y > R(0)) & (y < R(1)), splat(R(0.2)), ZERO);
  case CELL_RELU: return relu_slope(y, y, 0, 0);
  case CELL_ELU: return elu_slope(y, y, 1, 0);
  case CELL_SELU: return selu_slope(y, y, 0, 0);
  case CELL_SOFTPLUS: return softplus_slope(y, y, 0, 0);
  case CELL_SOFTSIGN: return (R(1) - vabs(y)) * (R(1) - vabs(y));
  case CELL_EXP: return y;
  default: return ONE;
  }
}

static void cells_count(struct cells *k) { k->n = k->p.used[0], k->m = k->p.used[1]; }

static void cells_open(const struct call *c, struct cells *k) {
  const struct attr *a = c->attr;
  const struct shape *shapes[CELL_INTS];
  for (int i = 0; i < c->inputs; i++) shapes[i] = SHAPE(i);
  *k = (struct cells){.call = c};
  recurrent_layout(&k->r, c->op, shapes, a, sizeof(real));
  real *workspace = WORKSPACE;
  for (int i = 0; i < CELL_SAVED; i++) k->at[i] = SAVED + k->r.at[i];
  for (int i = CELL_SAVED; i < CELL_BUFFERS && workspace; i++) k->at[i] = workspace + k->r.at[i];
  packing_place(&k->p, &k->r, c->slots[c->saved].value);
  k->units = k->r.units, k->gates = k->r.gates;
  k->activation = (int)INT(CELL_ACTIVATION), k->recurrent_activation = (int)INT(CELL_RECURRENT_ACTIVATION);
  k->sequence = INT(CELL_OUTPUT) == OUTPUT_SEQUENCE;
  k->reset_after = INT(CELL_RESET_AFTER) != 0;
  k->reset = c->op == OP_GRU && !k->reset_after ? 2 * k->units : k->gates;
  k->packs = k->r.tokens >= PACK_ROWS;
  k->bias_input = cell_input(a, CELL_BIAS), k->mask_input = cell_input(a, CELL_MASK);
  k->recurrent_mask_input = cell_input(a, CELL_RECURRENT_MASK), k->table_input = cell_input(a, CELL_TABLE);
  k->first_h_input = cell_input(a, CELL_FIRST_H), k->first_c_input = cell_input(a, CELL_FIRST_C);
  k->kernel = IN(1), k->recurrent_kernel = IN(2);
  if (k->bias_input >= 0) k->bias = IN(k->bias_input);
  if (k->recurrent_mask_input >= 0) k->recurrent_mask = IN(k->recurrent_mask_input);
  if (k->first_h_input >= 0) k->first_h = IN(k->first_h_input);
  if (k->first_c_input >= 0) k->first_c = IN(k->first_c_input);
  if (k->mask_input >= 0) k->s.mask = input_slot(c, k->mask_input)->value;
  if (k->table_input >= 0) k->table = IN(k->table_input), k->s.token = input_slot(c, 0)->value;
  k->s.vocabulary = k->r.vocabulary, k->s.all_checked = INT(CELL_TABLE) == TOKENS_CHECKED;
  if (k->table_input < 0) k->at[CELL_PROJECTED] = k->at[CELL_GATES]; /* every row is projected where it is used */
}

/* ---- where things are ---- */

INLINE real *gates_row(const struct cells *k, enum cell_buffer which, int64_t row) {
  return k->at[which] + row * k->gates;
}
INLINE real *units_row(const struct cells *k, enum cell_buffer which, int64_t row) {
  return k->at[which] + row * k->units;
}

/* h of sorted sequence j after step t: the input of the next step, if there is one */
INLINE real *state_after(const struct cells *k, int64_t t, int64_t j) {
  int64_t next = t + 1;
  return next < k->r.steps && j < step_rows(&k->p, next) ? units_row(k, CELL_STATE, k->p.first[next] + j) :
    units_row(k, CELL_LAST, j);
}

/* Those of step t among some sorted sequences. */
INLINE struct block block_at(const struct cells *k, int64_t t, struct range sequences) {
  int64_t end = step_rows(&k->p, t) < sequences.end ? step_rows(&k->p, t) : sequences.end;
  return (struct block){k->p.first[t] + sequences.begin, end - sequences.begin, sequences.begin, t};
}
INLINE int64_t longest(const struct cells *k, struct range sequences) {
  return sequences.begin < sequences.end ? k->p.length[sequences.begin] : 0;
}

/* The factors of the recurrent input of sorted sequence j. */
INLINE const real *recurrent_mask_row(const struct cells *k, int64_t j) {
  return k->recurrent_mask + k->p.order[j] * k->units;
}

/* What a step multiplies with the recurrent kernel. */
INLINE enum cell_buffer recurrent_input(const struct cells *k) { return k->recurrent_mask ? CELL_DROPPED : CELL_STATE; }

/* The recurrent kernel's columns before and from `reset` on are factors of two products, and each step multiplies with
 * them: so they are packed first, if there are enough tokens, or their transposes (`turned`) in the backward pass.
 * Where those from column `from` on are, a row apart of 0 meaning that they are packed. */
INLINE real *panels_at(const struct cells *k, int64_t from, int turned) {
  return k->at[CELL_PANELS] + (turned ? from * filled_width(k->units) : k->units * filled_width(from));
}
INLINE struct matrix kernel_columns(const struct cells *k, int64_t from, int turned) {
  return turned || k->packs ? (struct matrix){panels_at(k, from, turned), 0, 1} :
    (struct matrix){k->recurrent_kernel + from, k->gates, 1};
}

/* This share of their panels. */
static void pack_recurrent(const struct cells *k, int turned) {
  for (int64_t from = 0, end = k->reset; from < end; from = end, end = k->gates) {
    int64_t row = turned ? 1 : k->gates, column = turned ? k->gates : 1;
    pack_panels(k->call, turned ? k->units : end - from, turned ? end - from : k->units,
      (struct matrix){k->recurrent_kernel + from, row, column}, panels_at(k, from, turned));
  }
}

/* c = [c +] a b (+ bias) for the rows of a block, by one member; b from kernel_columns(). */
static void multiply_block(const struct cells *k, const struct block *o, int64_t columns, int64_t depth, const real *a,
  int64_t a_row, struct matrix b, const real *bias, int add, real *y, int64_t y_row) {
  multiply_panels(k->call, o->rows, columns, depth, (struct matrix){a, a_row, 1}, b, add, y, y_row,
    b.row ? AS_IT_IS : PACKED);
  finish(o->rows, columns, (struct after){.bias = bias}, y, y_row);
}

/* ---- forward ---- */

static void gather_rows(const struct cells *k) {
  int64_t inputs = k->r.inputs;
  struct range r = share_rows(k->call, k->m);
  const real *from = k->table ? k->table : (const real *)input_slot(k->call, 0)->value;
  const int32_t *which = k->table ? k->p.distinct : k->p.source;
  for (int64_t i = r.begin; i < r.end; i++)
    memcpy(k->at[CELL_ROWS] + i * inputs, from + which[i] * inputs, (size_t)inputs * sizeof(real));
}

/* h of a block's rows is there; the rest of what the step reads. */
static void begin_step(const struct cells *k, const struct block *o) {
  size_t row = (size_t)k->gates * sizeof(real);
  for (int64_t i = 0; i < o->rows && k->table; i++)
    memcpy(gates_row(k, CELL_GATES, o->row + i), gates_row(k, CELL_PROJECTED, k->p.row[o->row + i]), row);
  for (int64_t j = 0; j < o->rows && k->recurrent_mask; j++) {
    const real *h = units_row(k, CELL_STATE, o->row + j), *by = recurrent_mask_row(k, o->sequence + j);
    real *to = units_row(k, CELL_DROPPED, o->row + j);
    FOR_VECTORS((int64_t)0, k->units) WRITE(to, READ(h) * READ(by));
  }
}

/* Row b of a state of all sequences, or NULL: it is 0. */
INLINE const real *row_or_null(const real *state, int64_t b, int64_t units) { return state ? state + b * units : NULL; }

/* A row, or zeros. */
INLINE void copy_or_zero(const real *from, int64_t n, real *to) {
  if (from) memcpy(to, from, (size_t)n * sizeof(real));
  else memset(to, 0, (size_t)n * sizeof(real));
}

/* Position i in order of processing, as an index of (B, T). */
INLINE int64_t position(const struct cells *k, int64_t b, int64_t i) {
  return b * k->r.steps + (k->call->attr->ints[CELL_BACKWARDS] ? k->r.steps - 1 - i : i);
}

static void write_output(const struct cells *k, int64_t j) {
  const struct call *c = k->call;
  int64_t b = k->p.order[j], t = -1, length = k->p.length[j], u = k->units;
  const real *last = units_row(k, CELL_LAST, j);
  real *y = OUTPUT(CELL_Y) + b * u * (k->sequence ? k->r.steps : 1);
  for (int64_t i = 0; i < k->r.steps && k->sequence; i++) {
    t += step_is_real(&k->s, position(k, b, i));
    copy_or_zero(t < 0 ? NULL : state_after(k, t, j), u, y + i * u);
  }
  if (!k->sequence) copy_or_zero(last, u, y);
  copy_or_zero(length ? last : row_or_null(k->first_h, b, u), u, OUTPUT(CELL_H) + b * u);
  if (c->op == OP_LSTM) copy_or_zero(length ? units_row(k, CELL_MEMORY, k->p.first[length - 1] + j) :
    row_or_null(k->first_c, b, u), u, OUTPUT(CELL_C) + b * u);
}

static void project_rows(const struct cells *k) {
  multiply_then(k->call, k->m, k->gates, k->r.inputs, matrix_of(k->at[CELL_ROWS], k->r.inputs, 0),
    matrix_of(k->kernel, k->gates, 0), 0, k->at[CELL_PROJECTED], (struct after){.bias = k->bias});
}

typedef void cell_step(const struct cells *k, const struct block *o);

static void cells_forward(const struct call *given, cell_step *step) {
  struct call own_call = *given;
  const struct call *c = &own_call;
  struct cells k;
  cells_open(c, &k);
  do {
    if (c->phase == 0 && c->part == 0) report(c, packing_fill(&k.p, &k.r, &k.s, INT(CELL_BACKWARDS) != 0));
    if (c->phase > 0) cells_count(&k);
    if (c->phase == 1) gather_rows(&k);
    if (c->phase == 1 && k.packs) pack_recurrent(&k, 0);
    if (c->phase == 2) project_rows(&k);
    if (c->phase < 3) next_phase(c);
  } while (goes_on_alone(&own_call));
  if (c->phase < 3) return;
  struct range own = packing_share(&k.p, &k.r, c->part, c->parts);
  for (int64_t j = own.begin; j < own.end; j++) {
    memset(units_row(&k, CELL_LAST, j), 0, (size_t)k.units * sizeof(real));
    const real *first = row_or_null(k.first_h, k.p.order[j], k.units);
    if (k.p.length[j]) copy_or_zero(first, k.units, units_row(&k, CELL_STATE, j)); /* rows of step 0 */
  }
  for (int64_t t = 0; t < longest(&k, own) && !may_rest(c, 100.0 * (double)k.gates); t++) {
    struct block o = block_at(&k, t, own);
    begin_step(&k, &o);
    step(&k, &o);
  }
  for (int64_t j = own.begin; j < own.end; j++) write_output(&k, j);
}

/* ---- backward ---- */

/* The gradients of the outputs: of h at the end to CELL_CARRY, of c at the end to CELL_CARRY_C, of a sequence to the
 * first columns of CELL_DGATES, where masked steps add to the step whose output they repeat. */
static void read_output(const struct cells *k, int64_t j) {
  const struct call *c = k->call;
  int64_t b = k->p.order[j], t = -1, u = k->units;
  const real *dy = row_or_null(DOUTPUT(CELL_Y), b, u * (k->sequence ? k->r.steps : 1));
  real *carry = units_row(k, CELL_CARRY, j);
  copy_or_zero(row_or_null(DOUTPUT(CELL_H), b, u), u, carry);
  if (c->op == OP_LSTM) copy_or_zero(row_or_null(DOUTPUT(CELL_C), b, u), u, units_row(k, CELL_CARRY_C, j));
  if (dy && !k->sequence && k->p.length[j]) FOR_VECTORS((int64_t)0, u) PUT(carry, 1, READ(dy));
  for (int64_t at = 0; at < k->r.steps && k->sequence && dy; at++, dy += u) {
    int first = step_is_real(&k->s, position(k, b, at));
    t += first;
    if (t < 0) continue;
    real *to = gates_row(k, CELL_DGATES, k->p.first[t] + j);
    FOR_VECTORS((int64_t)0, u) PUT(to, !first, READ(dy));
  }
}

/* The gradient of h after a step, at unit i: what came back in time, and what a sequence of outputs says. */
INLINE V gradient_of_h(const struct cells *k, const real *carry, const real *output, int64_t i, int64_t part) {
  V dh = READ(carry);
  if (k->dsequence) dh += READ(output);
  return dh;
}

/* With a table: the gradient of each projected row is the sum of those of its tokens, in packed order. */
static void sum_tokens(const struct cells *k) {
  int64_t columns = k->gates;
  struct range r = share_of(columns, ALIGNMENT / (int64_t)sizeof(real), k->call->part, k->call->parts);
  if (r.end <= r.begin) return;
  for (int64_t m = 0; m < k->m; m++) memset(gates_row(k, CELL_PROJECTED, m) + r.begin, 0, (size_t)(r.end - r.begin) *
    sizeof(real));
  for (int64_t n = 0; n < k->n; n++) {
    const real *from = gates_row(k, CELL_DGATES, n);
    real *to = gates_row(k, CELL_PROJECTED, k->p.row[n]);
    FOR_VECTORS(r.begin, r.end) PUT(to, 1, READ(from));
  }
}

/* The rows' gradients, those of `input`, are found in phase `first`; in the next one they go where the rows came from.
 * All else is 0. */
static void row_gradients(const struct cells *k, const real *gradients, int input, int first) {
  const struct call *c = k->call;
  if (c->phase != first || !DIN(input)) return;
  multiply(c, k->m, k->r.inputs, k->gates, matrix_of(gradients, k->gates, 0),
    flipped(matrix_of(k->kernel, k->gates, 0)), 0, k->at[CELL_DROWS]);
  struct range all = share(c, ADDS(input) ? 0 : shape_count(SHAPE(input)));
  if (all.end > all.begin) memset(DIN(input) + all.begin, 0, (size_t)(all.end - all.begin) * sizeof(real));
}
static void scatter_rows(const struct cells *k, int input, int first) {
  const struct call *c = k->call;
  if (!is_due(c, input, first + 1)) return;
  int64_t inputs = k->r.inputs;
  const int32_t *which = k->table ? k->p.distinct : k->p.source;
  real *d = DIN(input);
  int add = ADDS(input);
  struct range r = share_rows(c, k->m);
  for (int64_t m = r.begin; m < r.end; m++) {
    const real *from = k->at[CELL_DROWS] + m * inputs;
    real *to = d + which[m] * inputs;
    FOR_VECTORS((int64_t)0, inputs) PUT(to, add, READ(from));
  }
}

/* One product over all rows for columns [from, to) of the recurrent kernel's gradient: inputs' gradients. A share of
 * its rows. */
static void recurrent_gradient(const struct cells *k, const real *inputs, const real *gradients, int64_t from,
  int64_t to) {
  const struct call *c = k->call;
  struct range r = share_of(k->units, MR, c->part, c->parts);
  if (r.end <= r.begin) return;
  struct matrix a = {inputs + r.begin, 1, k->units}, b = {gradients + from, k->gates, 1};
  multiply_panels(c, r.end - r.begin, to - from, k->n, a, b, ADDS(2), DIN(2) + r.begin * k->gates + from,
    k->gates, PACK);
}

/* What has come back to the beginning is the gradient of the first state. */
static void first_gradient(const struct cells *k, struct range sequences, int input, enum cell_buffer carry,
  int first) {
  const struct call *c = k->call;
  if (input < 0 || !is_due(c, input, first)) return;
  for (int64_t j = sequences.begin; j < sequences.end; j++) {
    const real *from = units_row(k, carry, j);
    real *to = DIN(input) + k->p.order[j] * k->units;
    FOR_VECTORS((int64_t)0, k->units) PUT(to, ADDS(input), READ(from));
  }
}

/* The steps back, of this share of sequences. */
static void steps_back(const struct cells *k, struct range own, cell_step *step) {
  for (int64_t j = own.begin; j < own.end; j++) read_output(k, j);
  for (int64_t t = longest(k, own) - 1; t >= 0 && !may_rest(k->call, 100.0 * (double)k->gates); t--) {
    struct block o = block_at(k, t, own);
    step(k, &o);
  }
}

/* Gradients of the weights, from phase `first` on: those before activation are there for all rows (`drows`), and for
 * what the recurrent kernel multiplied (`recurrent`). */
static void weights_back(const struct cells *k, const real *drows, enum cell_buffer recurrent, int first) {
  const struct call *c = k->call;
  const real *drecurrent = k->at[recurrent];
  struct matrix rows = flipped(matrix_of(k->at[CELL_ROWS], k->r.inputs, 0)), d = matrix_of(drows, k->gates, 0);
  if (is_due(c, 1, first)) multiply(c, k->r.inputs, k->gates, k->m, rows, d, ADDS(1), DIN(1));
  if (is_due(c, 2, first)) {
    recurrent_gradient(k, k->at[recurrent_input(k)], drecurrent, 0, k->reset);
    recurrent_gradient(k, k->at[CELL_RESET], drecurrent, k->reset, k->gates);
  }
  if (k->bias && is_due(c, k->bias_input, first)) {
    real *db = DIN(k->bias_input);
    sum_columns(c, drows, k->m, k->gates, ADDS(k->bias_input), db);
    if (recurrent == CELL_DPRODUCT) sum_columns(c, drecurrent, k->n, k->gates, ADDS(k->bias_input), db + k->gates);
  }
  if (k->recurrent_mask && is_due(c, k->recurrent_mask_input, first) && c->part == 0) /* a constant */
    zero_first(c, k->recurrent_mask_input);
}

static void cells_backward(const struct call *given, cell_step *step, enum cell_buffer recurrent) {
  struct call own_call = *given;
  const struct call *c = &own_call;
  struct cells k;
  cells_open(c, &k);
  cells_count(&k);
  k.dsequence = k.sequence && DOUTPUT(CELL_Y);
  struct range own = packing_share(&k.p, &k.r, c->part, c->parts);
  int first = k.table ? 3 : 2, to_rows = k.table ? k.table_input : 0;
  int after = first + (k.table != NULL); /* the table comes before them, and may be one of them */
  const real *drows = k.at[k.table ? CELL_PROJECTED : CELL_DGATES];
  do {
    if (c->phase == 0) pack_recurrent(&k, 1);
    if (c->phase == 1) steps_back(&k, own, step);
    if (c->phase == 2 && k.table) sum_tokens(&k);
    if (c->phase < first) {
      next_phase(c);
      continue;
    }
    row_gradients(&k, drows, to_rows, first);
    weights_back(&k, drows, recurrent, first);
    scatter_rows(&k, to_rows, first);
    first_gradient(&k, own, k.first_h_input, CELL_CARRY, after);
    first_gradient(&k, own, k.first_c_input, CELL_CARRY_C, after);
  } while (goes_on_alone(&own_call));
}
