/* r_epoch.c - passes over arrays as R sees them, and where native loops ask R: the one place where they evaluate R
 * code. */
#include "epoch.h"
#include "r_border.h"

#include <string.h>

int call_back(SEXP f, double a, double b, double c) {
  SEXP call = PROTECT(Rf_lang4(f, PROTECT(Rf_ScalarReal(a)), PROTECT(Rf_ScalarReal(b)), PROTECT(Rf_ScalarReal(c))));
  SEXP answer = Rf_eval(call, R_GlobalEnv);
  UNPROTECT(4);
  return TYPEOF(answer) == LGLSXP && XLENGTH(answer) == 1 && LOGICAL(answer)[0] == 0;
}

void read_columns(SEXP program, SEXP inputs, SEXP columns, struct dataset *d) {
  const struct program *p = as_program(program);
  d->columns = (int32_t)list_length(columns);
  if (d->columns > MAX_COLUMNS || d->columns != list_length(inputs))
    raise_text(STATUS_VALUE, "internal error: columns and inputs");
  for (int k = 0; k < d->columns; k++) {
    struct tensor t = as_tensor(VECTOR_ELT(columns, k));
    int32_t slot = slot_in(program, VECTOR_ELT(inputs, k));
    struct shape row = p->slots[slot].shape;
    char a[100], b[100];
    row.dim[0] = t.shape.rank ? t.shape.dim[0] : 0;
    if (t.dtype != p->slots[slot].dtype || !shape_equal(&row, &t.shape))
      raise_text(STATUS_SHAPE, "data of shape %s do not fit an input of shape %s", shape_format(&t.shape, a, sizeof a),
                 shape_format(&row, b, sizeof b));
    if (k > 0 && t.shape.dim[0] != d->rows)
      raise_text(STATUS_SHAPE, "%lld rows of inputs but %lld of targets", (long long)d->rows,
        (long long)t.shape.dim[0]);
    d->rows = t.shape.dim[0];
    if (d->rows > INT32_MAX) raise_text(STATUS_SHAPE, "too many rows");
    d->column[k] = (struct column){t.data, shape_span(&t.shape, 1, t.shape.rank) * (int64_t)dtype_size[t.dtype], slot};
  }
}

/* ---- how far a pass is: struct epoch_state, then the sums of the tallies, in a raw vector that changes in place ----
 */

static struct epoch_state *as_state(SEXP x) {
  check_vector(x, RAWSXP, -1);
  if (XLENGTH(x) < (R_xlen_t)sizeof(struct epoch_state)) raise_text(STATUS_VALUE, "internal error: a state");
  return (struct epoch_state *)(void *)RAW(x);
}

static int is_alive(const struct random *r) { return (r->state[0] | r->state[1] | r->state[2] | r->state[3]) != 0; }

/* A state may come from anybody's file. */
static void check_state(const struct epoch_state *s, int64_t rows) {
  if (s->position < 0 || s->position > rows || s->rows_seen < 0 || s->steps < 0 || !is_alive(&s->start) ||
    (s->begun && !is_alive(&s->now)))
    raise_text(STATUS_VALUE, "what the model remembers of its interrupted training is damaged");
}

/* A new pass with room for n sums; if it is `random`, its seed is drawn from R's generator. */
SEXP ffi_epoch_state(SEXP n, SEXP random);
SEXP ffi_epoch_state(SEXP n, SEXP random) {
  SEXP x = PROTECT(vector_for(RAWSXP, (int64_t)(sizeof(struct epoch_state) + (size_t)as_int(n) * sizeof(double)),
    "the sums of the metrics", NULL));
  memset(RAW(x), 0, (size_t)XLENGTH(x));
  random_seed(&as_state(x)->start, as_int(random) ? seed_from_r() : 0);
  UNPROTECT(1);
  return x;
}

/* Back to the first row, of other data; the sums go on. */
SEXP ffi_epoch_rewind(SEXP x);
SEXP ffi_epoch_rewind(SEXP x) {
  as_state(x)->position = 0;
  return R_NilValue;
}

/* c(position, rows seen, steps, sums) */
SEXP ffi_epoch_totals(SEXP x);
SEXP ffi_epoch_totals(SEXP x) {
  const struct epoch_state *s = as_state(x);
  R_xlen_t n = (XLENGTH(x) - (R_xlen_t)sizeof *s) / (R_xlen_t)sizeof(double);
  SEXP totals = Rf_allocVector(REALSXP, 3 + n);
  REAL(totals)[0] = (double)s->position;
  REAL(totals)[1] = (double)s->rows_seen;
  REAL(totals)[2] = (double)s->steps;
  if (n) memcpy(REAL(totals) + 3, RAW(x) + sizeof *s, (size_t)n * sizeof(double));
  return totals;
}

/* ---- the pass ---- */

struct listener {
  SEXP program, on_step, on_clock; /* R functions or NULL */
  double next;
};

/* An interrupt or an error in a callback jumps out of here: variables are consistent, and nothing needs to be freed.
 * What R code did meanwhile may have given variables other blocks. */
static int poll(struct loop *loop) {
  struct epoch *e = (struct epoch *)(void *)loop;
  struct listener *l = e->user;
  R_CheckUserInterrupt();
  double fraction = (double)e->state->position / (double)loop->data->rows, steps = (double)e->state->steps;
  int stop = 0, asked = !Rf_isNull(l->on_step);
  if (asked) stop = call_back(l->on_step, steps, fraction, (double)loop->rows);
  if (!stop && !Rf_isNull(l->on_clock) && seconds_now() >= l->next) {
    l->next = seconds_now() + PROGRESS_SECONDS;
    stop = call_back(l->on_clock, steps, fraction, (double)e->state->rows_seen);
    asked = 1;
  }
  if (asked) {
    const void *mark = vmaxget();
    loop->program = program_ready(l->program);
    vmaxset(mark);
  }
  return stop;
}

static void read_tallies(SEXP program, SEXP tallies, SEXP averaged, SEXP state, struct epoch *e) {
  e->tallies = (int32_t)list_length(tallies);
  check_vector(averaged, INTSXP, e->tallies);
  if (e->tallies > MAX_TALLIES) raise_text(STATUS_VALUE, "at most %d losses and metrics are possible", MAX_TALLIES);
  double *sum = (double *)(void *)(RAW(state) + sizeof(struct epoch_state)),
    *end = (double *)(void *)(RAW(state) + XLENGTH(state));
  for (int k = 0; k < e->tallies; k++) {
    int32_t slot = e->target[e->targets++] = slot_in(program, VECTOR_ELT(tallies, k));
    int64_t n = shape_count(&e->loop.program->slots[slot].shape);
    if (!dtype_is_float(e->loop.program->slots[slot].dtype) || end - sum < n)
      raise_text(STATUS_VALUE, "internal error: what is added up");
    e->tally[k] = (struct tally){slot, INTEGER(averaged)[k], n, sum};
    sum += n;
  }
}

/* Tensors for so many rows of the slots. */
static SEXP read_collected(SEXP program, SEXP collected, int64_t rows, struct epoch *e) {
  SEXP results = PROTECT(Rf_allocVector(VECSXP, list_length(collected)));
  e->collected = (int32_t)XLENGTH(results);
  if (e->collected > MAX_COLLECTED) raise_text(STATUS_VALUE, "at most %d outputs are possible", MAX_COLLECTED);
  for (int k = 0; k < e->collected; k++) {
    int32_t at = e->target[e->targets++] = slot_in(program, VECTOR_ELT(collected, k));
    const struct slot *s = &e->loop.program->slots[at];
    struct tensor t;
    struct shape shape = s->shape;
    if (shape.rank < 1) raise_text(STATUS_SHAPE, "an output is a scalar; it needs one row for each row of the inputs");
    shape.dim[0] = rows;
    SET_VECTOR_ELT(results, k, tensor_new(s->dtype, &shape, &t));
    e->collect[k] = (struct collected){at, t.data};
  }
  UNPROTECT(1);
  return results;
}

/* The rows of the batches from `position` on that the program serves, one after the other. */
static int64_t rows_served(int64_t rows, int64_t position, int64_t batch, int64_t only) {
  int64_t left = rows - position, whole = left - left % batch;
  return !only ? left : only == batch ? whole : only == left ? left : 0;
}

/* A pass over the columns in batches. options: c(rows of a batch, shuffle (0 no, 1 rows, 2 batches), rows of the only
 * batches that the program serves or 0); tallies: symbolic float
 * tensors, averaged where they are means over the rows; collected: symbolic tensors whose rows are kept; rates: a
 * learning rate per step for the optimizer whose numbers (a tensor) are given, or NULL; listeners: on_step, on_clock.
 * Returns list(the collected tensors, rows of the batch that another program must serve (0: none)); the sums stand in
 * the state. Where the pass was stopped, another call with the same state goes on. */
SEXP ffi_epoch_run(SEXP program, SEXP inputs, SEXP columns, SEXP options, SEXP tallies, SEXP averaged, SEXP collected,
  SEXP rates, SEXP optimizer, SEXP state, SEXP listeners);
SEXP ffi_epoch_run(SEXP program, SEXP inputs, SEXP columns, SEXP options, SEXP tallies, SEXP averaged, SEXP collected,
  SEXP rates, SEXP optimizer, SEXP state, SEXP listeners) {
  struct failure failure;
  check_vector(options, REALSXP, 3);
  int64_t batch = (int64_t)REAL(options)[0], only = (int64_t)REAL(options)[2];
  if (batch < 1) raise_text(STATUS_VALUE, "internal error: rows of a batch");
  struct dataset d = {.shuffle = (int32_t)REAL(options)[1], .batch = batch};
  read_columns(program, inputs, columns, &d);
  if (d.rows == 0) raise_text(STATUS_VALUE, "there are no rows");
  if (batch > d.rows) batch = d.rows;
  struct program *p = program_ready_for(program, only ? only : batch);
  d.order = INTEGER(PROTECT(vector_for(INTSXP, d.shuffle ? d.rows : 0, "the order of the rows", NULL)));
  check_vector(listeners, VECSXP, 2);
  struct listener l = {program, VECTOR_ELT(listeners, 0), VECTOR_ELT(listeners, 1), seconds_now() + PROGRESS_SECONDS};
  struct epoch e = {
    .loop = {.program = p, .data = &d, .batch = batch, .only = only, .every_step = !Rf_isNull(l.on_step),
      .choice = &p->choice, .failure = &failure, .poll = poll},
    .state = as_state(state), .user = &l,
  };
  check_state(e.state, d.rows);
  read_tallies(program, tallies, averaged, state, &e);
  SEXP results = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(results, 0, read_collected(program, collected, rows_served(d.rows, e.state->position, batch, only),
    &e));
  if (!Rf_isNull(rates)) {
    check_vector(rates, REALSXP, -1);
    e.rates = REAL(rates);
    e.n_rates = XLENGTH(rates);
    e.optimizer = as_tensor(optimizer).data;
  }
  enum status status = epoch_run(&e);
  if (status != STATUS_OK && status != STATUS_STOPPED) raise(&failure);
  int64_t left = status == STATUS_OK ? d.rows - d.position : 0;
  SET_VECTOR_ELT(results, 1, Rf_ScalarReal((double)(left < batch ? left : batch)));
  UNPROTECT(2);
  return results;
}
