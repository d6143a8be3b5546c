/* cells.h - one step of each recurrent op for a block of rows, forward and backward.
 *
 * Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000),
 * <https://doi.org/10.1162/089976600300015015>; Cho et al. (2014), <https://arxiv.org/abs/1406.1078>. Gates stand in
 * Keras' order. h, c are those before the step, x' the projected input, f the recurrent activation, g the activation:
 *
 *   lstm        i, f, o = f(x' + h R); a = g(x' + h R); c' = f c + i a; h' = o g(c')     columns i, f, a, o
 *   gru         z, r = f(x' + h R); a = g(x' + r (h R)) or g(x' + (r h) R)               columns z, r, a
 *               h' = z h + (1 - z) a
 *   simple_rnn  h' = g(x' + h R)
 *
 * The usual pair of activations is compiled as such; all others share one more copy, which asks for each vector.
 */
#define CHOOSE_CELL(function)                                                             \
  do {                                                                                    \
    if (k->activation == CELL_TANH && k->recurrent_activation == CELL_SIGMOID)            \
      function(k, o, CELL_TANH, CELL_SIGMOID);                                            \
    else                                                                                  \
      function(k, o, k->activation, k->recurrent_activation);                             \
  } while (0)

/* Gradients through the recurrent product of a block go to `to` (B, U): columns [from, end) of d times the kernel's. */
static void product_backward(const struct cells *k, const struct block *o, enum cell_buffer d, int64_t from,
  int64_t end, int add, enum cell_buffer to) {
  multiply_block(k, o, k->units, end - from, gates_row(k, d, o->row) + from, k->gates, kernel_columns(k, from, 1),
    NULL, add, units_row(k, to, o->sequence), k->units);
}

/* x' + h R in place of x' */
static void add_product(const struct cells *k, const struct block *o, enum cell_buffer input, int64_t from,
  int64_t end) {
  multiply_block(k, o, end - from, k->units, units_row(k, input, o->row), k->units, kernel_columns(k, from, 0), NULL,
    1, gates_row(k, CELL_GATES, o->row) + from, k->gates);
}

/* carry = carry times the recurrent mask */
static void mask_carry(const struct cells *k, const struct block *o) {
  for (int64_t j = o->sequence; j < o->sequence + o->rows && k->recurrent_mask; j++) {
    real *carry = units_row(k, CELL_CARRY, j);
    const real *by = recurrent_mask_row(k, j);
    FOR_VECTORS((int64_t)0, k->units) WRITE(carry, READ(carry) * READ(by));
  }
}

/* ---- lstm ---- */

/* c of row j of a block after the step before, or NULL: it is 0 */
INLINE const real *memory_before(const struct cells *k, const struct block *o, int64_t j) {
  return o->step ? units_row(k, CELL_MEMORY, k->p.first[o->step - 1] + o->sequence + j) :
    row_or_null(k->first_c, k->p.order[o->sequence + j], k->units);
}

INLINE void lstm_gates(const struct cells *k, const struct block *o, int activation, int recurrent_activation) {
  int64_t u = k->units;
  for (int64_t j = 0; j < o->rows; j++) {
    real *pi = gates_row(k, CELL_GATES, o->row + j), *pf = pi + u, *pa = pf + u, *po = pa + u;
    real *pc = units_row(k, CELL_MEMORY, o->row + j), *ps = units_row(k, CELL_SQUASHED, o->row + j);
    real *ph = state_after(k, o->step, o->sequence + j);
    const real *before = memory_before(k, o, j);
    FOR_VECTORS((int64_t)0, u) {
      V in = squash(recurrent_activation, READ(pi)), forget = squash(recurrent_activation, READ(pf));
      V new = squash(activation, READ(pa)), out = squash(recurrent_activation, READ(po));
      V c = in * new;
      if (before) c += forget * READ(before);
      V s = squash(activation, c);
      WRITE(pi, in);
      WRITE(pf, forget);
      WRITE(pa, new);
      WRITE(po, out);
      WRITE(pc, c);
      WRITE(ps, s);
      WRITE(ph, out * s);
    }
  }
}

static void lstm_step(const struct cells *k, const struct block *o) {
  add_product(k, o, recurrent_input(k), 0, k->gates);
  CHOOSE_CELL(lstm_gates);
}

INLINE void lstm_gates_back(const struct cells *k, const struct block *o, int activation, int recurrent_activation) {
  int64_t u = k->units;
  for (int64_t j = 0; j < o->rows; j++) {
    const real *pi = gates_row(k, CELL_GATES, o->row + j), *pf = pi + u, *pa = pf + u, *po = pa + u;
    const real *ps = units_row(k, CELL_SQUASHED, o->row + j), *before = memory_before(k, o, j);
    const real *carry = units_row(k, CELL_CARRY, o->sequence + j);
    real *carry_c = units_row(k, CELL_CARRY_C, o->sequence + j);
    real *dz = gates_row(k, CELL_DGATES, o->row + j), *df = dz + u, *da = df + u, *dout = da + u;
    FOR_VECTORS((int64_t)0, u) {
      V in = READ(pi), forget = READ(pf), new = READ(pa), out = READ(po), s = READ(ps), past = ZERO;
      if (before) past = READ(before);
      V dh = gradient_of_h(k, carry, dz, i, part);
      V dc = READ(carry_c) + dh * out * squash_slope(activation, s);
      WRITE(dz, dc * new * squash_slope(recurrent_activation, in));
      WRITE(df, dc * past * squash_slope(recurrent_activation, forget));
      WRITE(da, dc * in * squash_slope(activation, new));
      WRITE(dout, dh * s * squash_slope(recurrent_activation, out));
      WRITE(carry_c, dc * forget);
    }
  }
}

static void lstm_step_back(const struct cells *k, const struct block *o) {
  CHOOSE_CELL(lstm_gates_back);
  product_backward(k, o, CELL_DGATES, 0, k->gates, 0, CELL_CARRY);
  mask_carry(k, o);
}

static void lstm_forward(const struct call *c) { cells_forward(c, lstm_step); }
static void lstm_backward(const struct call *c) { cells_backward(c, lstm_step_back, CELL_DGATES); }

/* ---- gru ---- */

/* r and z of the block; r h for the product to come (reset before) */
INLINE void gru_reset(const struct cells *k, const struct block *o, int activation, int recurrent_activation) {
  (void)activation;
  for (int64_t j = 0; j < o->rows; j++) {
    real *pz = gates_row(k, CELL_GATES, o->row + j), *pr = pz + k->units, *to = units_row(k, CELL_RESET, o->row + j);
    const real *h = units_row(k, recurrent_input(k), o->row + j);
    FOR_VECTORS((int64_t)0, k->units) {
      V r = squash(recurrent_activation, READ(pr));
      WRITE(pz, squash(recurrent_activation, READ(pz)));
      WRITE(pr, r);
      WRITE(to, r * READ(h));
    }
  }
}

INLINE void gru_gates(const struct cells *k, const struct block *o, int activation, int recurrent_activation) {
  int64_t u = k->units;
  for (int64_t j = 0; j < o->rows; j++) {
    real *pz = gates_row(k, CELL_GATES, o->row + j), *pr = pz + u, *pa = pr + u;
    const real *qz = gates_row(k, CELL_PRODUCT, o->row + j), *qr = qz + u, *qa = qr + u,
      *h = units_row(k, CELL_STATE, o->row + j);
    real *ph = state_after(k, o->step, o->sequence + j);
    FOR_VECTORS((int64_t)0, u) {
      V z = READ(pz), a = READ(pa);
      if (k->reset_after) {
        V r = squash(recurrent_activation, READ(pr) + READ(qr));
        z = squash(recurrent_activation, z + READ(qz));
        a += r * READ(qa);
        WRITE(pz, z);
        WRITE(pr, r);
      }
      a = squash(activation, a);
      WRITE(pa, a);
      WRITE(ph, z * READ(h) + (R(1) - z) * a);
    }
  }
}

static void gru_step(const struct cells *k, const struct block *o) {
  int64_t u = k->units;
  if (k->reset_after) {
    multiply_block(k, o, k->gates, u, units_row(k, recurrent_input(k), o->row), u, kernel_columns(k, 0, 0),
                   k->bias ? k->bias + k->gates : NULL, 0, gates_row(k, CELL_PRODUCT, o->row), k->gates);
  } else {
    add_product(k, o, recurrent_input(k), 0, 2 * u);
    CHOOSE_CELL(gru_reset);
    add_product(k, o, CELL_RESET, 2 * u, 3 * u);
  }
  CHOOSE_CELL(gru_gates);
}

/* Gradients before activation, of r only with reset after; what goes straight back to h. */
INLINE void gru_gates_back(const struct cells *k, const struct block *o, int activation, int recurrent_activation) {
  int64_t u = k->units;
  for (int64_t j = 0; j < o->rows; j++) {
    const real *pz = gates_row(k, CELL_GATES, o->row + j), *pr = pz + u, *pa = pr + u;
    const real *qa = gates_row(k, CELL_PRODUCT, o->row + j) + 2 * u, *h = units_row(k, CELL_STATE, o->row + j);
    real *carry = units_row(k, CELL_CARRY, o->sequence + j);
    real *dz = gates_row(k, CELL_DGATES, o->row + j), *dr = dz + u, *da = dr + u;
    real *eq = gates_row(k, CELL_DPRODUCT, o->row + j), *er = eq + u, *ea = er + u;
    FOR_VECTORS((int64_t)0, u) {
      V z = READ(pz), a = READ(pa), dh = gradient_of_h(k, carry, dz, i, part);
      V before_z = dh * (READ(h) - a) * squash_slope(recurrent_activation, z), before_a = dh * (R(1) - z) *
        squash_slope(activation, a);
      WRITE(dz, before_z);
      WRITE(da, before_a);
      WRITE(carry, dh * z);
      if (k->reset_after) {
        V r = READ(pr), before_r = before_a * READ(qa) * squash_slope(recurrent_activation, r);
        WRITE(dr, before_r);
        WRITE(eq, before_z);
        WRITE(er, before_r);
        WRITE(ea, before_a * r);
      }
    }
  }
}

/* CELL_CARRY_C holds the gradient of r h: of r, and on to h. */
INLINE void gru_reset_back(const struct cells *k, const struct block *o, int activation, int recurrent_activation) {
  (void)activation;
  for (int64_t j = 0; j < o->rows; j++) {
    const real *pr = gates_row(k, CELL_GATES, o->row + j) + k->units, *h = units_row(k, recurrent_input(k), o->row + j);
    real *dr = gates_row(k, CELL_DGATES, o->row + j) + k->units, *through = units_row(k, CELL_CARRY_C, o->sequence + j);
    FOR_VECTORS((int64_t)0, k->units) {
      V r = READ(pr), d = READ(through);
      WRITE(dr, d * READ(h) * squash_slope(recurrent_activation, r));
      WRITE(through, d * r);
    }
  }
}

static void gru_step_back(const struct cells *k, const struct block *o) {
  int64_t u = k->units;
  CHOOSE_CELL(gru_gates_back);
  if (k->reset_after) {
    product_backward(k, o, CELL_DPRODUCT, 0, 3 * u, 0, CELL_CARRY_C);
  } else {
    product_backward(k, o, CELL_DGATES, 2 * u, 3 * u, 0, CELL_CARRY_C);
    CHOOSE_CELL(gru_reset_back);
    product_backward(k, o, CELL_DGATES, 0, 2 * u, 1, CELL_CARRY_C);
  }
  for (int64_t j = o->sequence; j < o->sequence + o->rows; j++) {
    real *carry = units_row(k, CELL_CARRY, j);
    const real *through = units_row(k, CELL_CARRY_C, j), *by = k->recurrent_mask ? recurrent_mask_row(k, j) : NULL;
    FOR_VECTORS((int64_t)0, u) {
      V d = READ(through);
      if (by) d *= READ(by);
      PUT(carry, 1, d);
    }
  }
}

static void gru_forward(const struct call *c) { cells_forward(c, gru_step); }
static void gru_backward(const struct call *c) {
  cells_backward(c, gru_step_back, INT(CELL_RESET_AFTER) ? CELL_DPRODUCT : CELL_DGATES);
}

/* ---- simple_rnn ---- */

INLINE void simple_rnn_gates(const struct cells *k, const struct block *o, int activation, int recurrent_activation) {
  (void)recurrent_activation;
  for (int64_t j = 0; j < o->rows; j++) {
    const real *z = gates_row(k, CELL_GATES, o->row + j);
    real *h = state_after(k, o->step, o->sequence + j);
    FOR_VECTORS((int64_t)0, k->units) WRITE(h, squash(activation, READ(z)));
  }
}

static void simple_rnn_step(const struct cells *k, const struct block *o) {
  add_product(k, o, recurrent_input(k), 0, k->gates);
  CHOOSE_CELL(simple_rnn_gates);
}

INLINE void simple_rnn_gates_back(const struct cells *k, const struct block *o, int activation,
  int recurrent_activation) {
  (void)recurrent_activation;
  for (int64_t j = 0; j < o->rows; j++) {
    const real *h = state_after(k, o->step, o->sequence + j), *carry = units_row(k, CELL_CARRY, o->sequence + j);
    real *dz = gates_row(k, CELL_DGATES, o->row + j);
    FOR_VECTORS((int64_t)0, k->units) WRITE(dz, gradient_of_h(k, carry, dz, i, part) * squash_slope(activation,
      READ(h)));
  }
}

static void simple_rnn_step_back(const struct cells *k, const struct block *o) {
  CHOOSE_CELL(simple_rnn_gates_back);
  product_backward(k, o, CELL_DGATES, 0, k->gates, 0, CELL_CARRY);
  mask_carry(k, o);
}

static void simple_rnn_forward(const struct call *c) { cells_forward(c, simple_rnn_step); }
static void simple_rnn_backward(const struct call *c) {
  cells_backward(c, simple_rnn_step_back, CELL_DGATES);
}
