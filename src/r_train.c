/* r_train.c - the trainer's handle, for the course's networks. */
#include "epoch.h"
#include "r_border.h"
#include "train.h"

#include <string.h>

enum { TRAINER, PROGRAM, GOOD, STATES, TRAINER_SIZE = STATES + MAX_STATES };

static struct trainer *as_trainer(SEXP x, struct program **p) {
  SEXP shelter = TYPEOF(x) == EXTPTRSXP ? R_ExternalPtrProtected(x) : R_NilValue;
  if (TYPEOF(shelter) != VECSXP || XLENGTH(shelter) != TRAINER_SIZE) raise_text(STATUS_VALUE, "expected a trainer");
  struct trainer *t = (struct trainer *)(void *)RAW(VECTOR_ELT(shelter, TRAINER));
  *p = program_locate(VECTOR_ELT(shelter, PROGRAM));
  t->weights = t->gradients = NULL;
  for (int32_t k = 0; k < (*p)->slots_used; k++) {
    const struct slot *s = &(*p)->slots[k];
    if (s->kind != SLOT_VARIABLE) continue;
    t->weights = (unsigned char *)s->value - s->value_at;
    t->gradients = (unsigned char *)s->gradient - s->gradient_at;
    break;
  }
  for (int i = 0; i < MAX_STATES; i++) t->state[i] = RAW(VECTOR_ELT(shelter, STATES + i));
  t->good = RAW(VECTOR_ELT(shelter, GOOD));
  return t;
}

static SEXP trainer_program(SEXP x) { return VECTOR_ELT(R_ExternalPtrProtected(x), PROGRAM); }

/* The program's inputs have `batch` rows; its loss is a scalar. */
SEXP ffi_trainer_new(SEXP program, SEXP loss, SEXP batch, SEXP optimizer);
SEXP ffi_trainer_new(SEXP program, SEXP loss, SEXP batch, SEXP optimizer) {
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, TRAINER_SIZE));
  SEXP raw = Rf_allocVector(RAWSXP, sizeof(struct trainer));
  SET_VECTOR_ELT(shelter, TRAINER, raw);
  SET_VECTOR_ELT(shelter, PROGRAM, program);
  struct trainer *t = (struct trainer *)(void *)RAW(raw);
  memset(t, 0, sizeof *t);
  t->loss = slot_in(program, loss);
  t->batch = as_int(batch);
  t->steps_good = -1;
  read_optimizer(optimizer, &t->optimizer);
  struct program *p = program_allocate(program, 1);
  p->rows = t->batch;
  int dtype = p->slots[t->loss].dtype;
  if (shape_count(&p->slots[t->loss].shape) != 1 || !p->slots[t->loss].wants_gradient)
    raise_text(STATUS_VALUE, "the loss must be a scalar that depends on the weights");
  for (int32_t k = 0; k < p->slots_used; k++)
    if (p->slots[k].kind == SLOT_VARIABLE && p->slots[k].dtype != dtype)
      raise_text(STATUS_DTYPE, "all weights must be %s, as the loss is", dtype_name[dtype]);
  int states = optimizer_states((int)t->optimizer.kind);
  int64_t bytes = p->variable_bytes, n = bytes / (int64_t)dtype_size[dtype];
  for (int i = 0; i < MAX_STATES; i++) {
    SEXP state = vector_for(RAWSXP, i < states ? bytes : 0, "what the optimizer remembers", NULL);
    SET_VECTOR_ELT(shelter, STATES + i, state);
    if (i < states) optimizer_reset(&t->optimizer, dtype, n, RAW(state));
  }
  SEXP good = vector_for(RAWSXP, (1 + states) * bytes, "the copy of the last good weights", NULL);
  SET_VECTOR_ELT(shelter, GOOD, good);
  memset(RAW(good), 0, (size_t)XLENGTH(good)); /* it may be saved: no stray bytes */
  SEXP x = handle_new(shelter, HANDLE_TRAINER);
  UNPROTECT(1);
  return x;
}

/* Make room for more rows per step; weights and optimizer stay. */
static struct trainer *make_room(SEXP x, int64_t rows, struct program **p) {
  struct trainer *t = as_trainer(x, p);
  if (rows <= t->batch) return t;
  struct failure failure;
  t->batch = 0; /* if memory runs out below, the next call lays the program out anew */
  if (program_set_rows(*p, rows, &failure)) raise(&failure);
  program_allocate(trainer_program(x), 1);
  t->batch = rows;
  return as_trainer(x, p);
}

/* ---- weights ---- */

/* The variables' numbers, or their gradients, as a list of arrays. */
static SEXP variables_to_r(SEXP x, const struct program *p, SEXP variables, int gradients) {
  SEXP result = PROTECT(Rf_allocVector(VECSXP, list_length(variables)));
  for (R_xlen_t k = 0; k < XLENGTH(result); k++) {
    const struct slot *s = &p->slots[slot_in(trainer_program(x), VECTOR_ELT(variables, k))];
    struct tensor t = {s->dtype, s->shape, gradients ? s->gradient : s->value};
    SET_VECTOR_ELT(result, k, numbers_to_r(&t));
  }
  UNPROTECT(1);
  return result;
}

SEXP ffi_trainer_get(SEXP x, SEXP variables);
SEXP ffi_trainer_get(SEXP x, SEXP variables) {
  struct program *p;
  as_trainer(x, &p);
  return variables_to_r(x, p, variables, 0);
}

/* All shapes were checked in R. */
SEXP ffi_trainer_set(SEXP x, SEXP variables, SEXP values);
SEXP ffi_trainer_set(SEXP x, SEXP variables, SEXP values) {
  struct program *p;
  struct trainer *t = as_trainer(x, &p);
  /* first all of them, as an interrupt may come */
  SEXP tensors = PROTECT(Rf_allocVector(VECSXP, list_length(variables)));
  for (R_xlen_t k = 0; k < XLENGTH(tensors); k++)
    SET_VECTOR_ELT(tensors, k, coerce_tensor(VECTOR_ELT(values, k),
      p->slots[slot_in(trainer_program(x), VECTOR_ELT(variables, k))].dtype));
  for (R_xlen_t k = 0; k < XLENGTH(tensors); k++)
    fill_input(p, slot_in(trainer_program(x), VECTOR_ELT(variables, k)), VECTOR_ELT(tensors, k), -1);
  UNPROTECT(1);
  t->steps_good = -1; /* the kept weights are not these */
  return R_NilValue;
}

/* What the optimizer remembers: list(kind, steps, a state each). */
SEXP ffi_trainer_memory(SEXP x);
SEXP ffi_trainer_memory(SEXP x) {
  struct program *p;
  struct trainer *t = as_trainer(x, &p);
  SEXP memory = PROTECT(Rf_allocVector(VECSXP, 2 + MAX_STATES));
  SET_VECTOR_ELT(memory, 0, Rf_ScalarReal(t->optimizer.kind));
  SET_VECTOR_ELT(memory, 1, Rf_ScalarReal(t->optimizer.steps));
  for (int i = 0; i < MAX_STATES; i++) {
    SEXP from = VECTOR_ELT(R_ExternalPtrProtected(x), STATES + i),
      to = vector_for(RAWSXP, XLENGTH(from), "what the optimizer remembers", NULL);
    SET_VECTOR_ELT(memory, 2 + i, to);
    if (XLENGTH(from)) memcpy(RAW(to), RAW(from), (size_t)XLENGTH(from));
  }
  UNPROTECT(1);
  return memory;
}

/* Take over another trainer's memory where it is of the same kind and size; else start afresh. */
SEXP ffi_trainer_remember(SEXP x, SEXP memory);
SEXP ffi_trainer_remember(SEXP x, SEXP memory) {
  struct program *p;
  struct trainer *t = as_trainer(x, &p);
  check_vector(memory, VECSXP, 2 + MAX_STATES);
  int fits = as_number(VECTOR_ELT(memory, 0)) == t->optimizer.kind;
  for (int i = 0; i < MAX_STATES; i++) {
    check_vector(VECTOR_ELT(memory, 2 + i), RAWSXP, -1);
    fits = fits && XLENGTH(VECTOR_ELT(memory, 2 + i)) == XLENGTH(VECTOR_ELT(R_ExternalPtrProtected(x), STATES + i));
  }
  if (!fits) return R_NilValue;
  t->optimizer.steps = as_number(VECTOR_ELT(memory, 1));
  for (int i = 0; i < MAX_STATES; i++) {
    SEXP from = VECTOR_ELT(memory, 2 + i);
    if (XLENGTH(from)) memcpy(t->state[i], RAW(from), (size_t)XLENGTH(from));
  }
  return R_NilValue;
}

/* New hyper-parameters of the same kind of optimizer; its state stays. */
SEXP ffi_trainer_optimizer(SEXP x, SEXP numbers);
SEXP ffi_trainer_optimizer(SEXP x, SEXP numbers) {
  struct program *p;
  struct trainer *t = as_trainer(x, &p);
  double kind = t->optimizer.kind;
  read_optimizer(numbers, &t->optimizer);
  t->optimizer.kind = kind;
  return R_NilValue;
}

/* ---- data ---- */

static void refuse_not_finite(SEXP x, int64_t at) {
  double v = TYPEOF(x) == REALSXP && !is_integer64(x) ? REAL(x)[at] : NA_REAL;
  raise_text(STATUS_VALUE, "the data contain %s at position %lld", R_IsNA(v) ? "NA" : ISNAN(v) ? "NaN" : "Inf",
    (long long)at + 1);
}

/* Raises an error that names the first NA, NaN or Inf of an R array. */
static void check_finite(SEXP x) {
  R_xlen_t n = Rf_isVectorAtomic(x) ? XLENGTH(x) : 0;
  if (is_integer64(x)) {
    const int64_t *v = (const int64_t *)(const void *)REAL(x);
    for (R_xlen_t i = 0; i < n; i++)
      if (v[i] == INT64_MIN) refuse_not_finite(x, i);
  } else if (TYPEOF(x) == REALSXP) {
    /* x - x is 0 for finite numbers only; summed without a branch, then looked for */
    const double *v = REAL(x);
    double sum = 0;
    for (R_xlen_t i = 0; i < n; i++) sum += v[i] - v[i];
    for (R_xlen_t i = 0; i < n && sum != 0; i++)
      if (!R_FINITE(v[i])) refuse_not_finite(x, i);
  } else if (TYPEOF(x) == INTSXP || TYPEOF(x) == LGLSXP) {
    const int *v = TYPEOF(x) == LGLSXP ? LOGICAL(x) : INTEGER(x);
    for (R_xlen_t i = 0; i < n; i++)
      if (v[i] == NA_INTEGER) refuse_not_finite(x, i);
  }
}

SEXP ffi_check_finite(SEXP x);
SEXP ffi_check_finite(SEXP x) {
  check_finite(x);
  return R_NilValue;
}

/* ---- one step ---- */

/* Check the arrays, then copy them into the inputs. */
static struct trainer *take_rows(SEXP x, SEXP inputs, SEXP values, int64_t rows, struct program **p) {
  for (R_xlen_t k = 0; k < list_length(values); k++) check_finite(VECTOR_ELT(values, k));
  struct trainer *t = make_room(x, rows, p);
  for (R_xlen_t k = 0; k < list_length(values); k++)
    fill_input(*p, slot_in(trainer_program(x), VECTOR_ELT(inputs, k)), VECTOR_ELT(values, k), rows);
  return t;
}

SEXP ffi_trainer_step(SEXP x, SEXP inputs, SEXP values, SEXP rows);
SEXP ffi_trainer_step(SEXP x, SEXP inputs, SEXP values, SEXP rows) {
  struct program *p;
  struct failure failure;
  struct trainer *t = take_rows(x, inputs, values, as_int(rows), &p);
  if (train_step(t, p, as_int(rows), &failure)) raise(&failure);
  return Rf_ScalarReal(t->last_loss);
}

/* list(loss, gradients towards the variables) */
SEXP ffi_trainer_gradient(SEXP x, SEXP inputs, SEXP values, SEXP rows, SEXP variables);
SEXP ffi_trainer_gradient(SEXP x, SEXP inputs, SEXP values, SEXP rows, SEXP variables) {
  struct program *p;
  struct failure failure;
  struct trainer *t = take_rows(x, inputs, values, as_int(rows), &p);
  if (train_gradient(t, p, as_int(rows), &failure)) raise(&failure);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(result, 0, Rf_ScalarReal(t->last_loss));
  SET_VECTOR_ELT(result, 1, variables_to_r(x, p, variables, 1));
  UNPROTECT(1);
  return result;
}

/* ---- epochs ---- */

struct listener {
  SEXP on_epoch, on_step, on_clock; /* R functions or NULL */
  double next;
};

/* Called between steps. An interrupt or an error in a callback jumps out of here: the weights are
 * consistent, and nothing needs to be freed. */
static int poll(struct loop *loop) {
  struct training *g = (struct training *)(void *)loop;
  struct listener *l = g->user;
  R_CheckUserInterrupt();
  double fraction = (double)g->rows_seen / (double)loop->data->rows;
  if (!Rf_isNull(l->on_step) && call_back(l->on_step, g->trainer->optimizer.steps, fraction, g->trainer->last_loss))
    return 1;
  if (Rf_isNull(l->on_clock) || seconds_now() < l->next) return 0;
  l->next = seconds_now() + PROGRESS_SECONDS;
  return call_back(l->on_clock, (double)g->epochs_done + 1, fraction, g->loss_sum / (double)g->rows_seen);
}

static int epoch_ended(struct training *g) {
  struct listener *l = g->user;
  R_CheckUserInterrupt();
  return !Rf_isNull(l->on_epoch) && call_back(l->on_epoch, (double)g->epochs_done, 1, g->losses[g->epochs_done - 1]);
}

static int poll_interrupt(struct loop *loop) {
  (void)loop;
  R_CheckUserInterrupt();
  return 0;
}

/* Up to `epochs` epochs in batches of `batch`; the epochs' losses. */
SEXP ffi_trainer_fit(SEXP x, SEXP inputs, SEXP columns, SEXP batch, SEXP epochs, SEXP shuffle, SEXP listeners);
SEXP ffi_trainer_fit(SEXP x, SEXP inputs, SEXP columns, SEXP batch, SEXP epochs, SEXP shuffle, SEXP listeners) {
  struct program *p;
  struct failure failure;
  struct trainer *t = make_room(x, as_int(batch), &p);
  struct dataset d = {.shuffle = as_int(shuffle)};
  read_columns(trainer_program(x), inputs, columns, &d);
  if (d.rows == 0) raise_text(STATUS_VALUE, "no rows to train on");
  d.order = INTEGER(PROTECT(vector_for(INTSXP, d.shuffle ? d.rows : 0, "the order of the rows", NULL)));
  random_seed(&t->random, seed_from_r());
  check_vector(listeners, VECSXP, 3);
  if (as_int(batch) < 1 || as_int(epochs) < 0) raise_text(STATUS_VALUE, "internal error: batch and epochs");
  SEXP losses = PROTECT(vector_for(REALSXP, as_int(epochs), "the losses of all epochs", NULL));
  struct listener l = {VECTOR_ELT(listeners, 0), VECTOR_ELT(listeners, 1), VECTOR_ELT(listeners, 2), 0};
  struct team_choice choice = {0};
  struct training g = {
    .loop = {.program = p, .data = &d, .batch = as_int(batch), .every_step = !Rf_isNull(l.on_step), .choice = &choice,
      .failure = &failure, .poll = poll},
    .trainer = t, .epochs = as_int(epochs), .losses = REAL(losses), .epoch_ended = epoch_ended, .user = &l,
  };
  enum status status = train(&g);
  if (status != STATUS_OK && status != STATUS_STOPPED) raise(&failure);
  if (g.epochs_done < XLENGTH(losses)) losses = Rf_xlengthgets(losses, (R_xlen_t)g.epochs_done);
  UNPROTECT(2);
  return losses;
}

/* Forward over all rows of the columns in batches; an array of the output's rows. */
SEXP ffi_trainer_predict(SEXP x, SEXP inputs, SEXP columns, SEXP output, SEXP batch);
SEXP ffi_trainer_predict(SEXP x, SEXP inputs, SEXP columns, SEXP output, SEXP batch) {
  struct program *p;
  struct failure failure;
  make_room(x, as_int(batch), &p);
  struct dataset d = {.shuffle = 0};
  read_columns(trainer_program(x), inputs, columns, &d);
  int32_t slot = slot_in(trainer_program(x), output);
  struct shape shape = p->slots[slot].shape;
  struct tensor result;
  shape.dim[0] = d.rows;
  PROTECT(tensor_new(p->slots[slot].dtype, &shape, &result));
  struct team_choice choice = {0};
  struct epoch_state state = {.position = 0};
  struct collected collect = {.slot = slot, .rows = result.data};
  struct epoch e = {
    .loop = {.program = p, .data = &d, .batch = as_int(batch), .choice = &choice, .failure = &failure,
      .poll = poll_interrupt},
    .state = &state, .collected = 1, .collect = &collect, .targets = 1, .target = &slot,
  };
  if (epoch_run(&e) != STATUS_OK) raise(&failure);
  SEXP array = numbers_to_r(&result);
  UNPROTECT(1);
  return array;
}
