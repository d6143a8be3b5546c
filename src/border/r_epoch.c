/* r_epoch.c - passes over arrays as R sees them, and where native loops ask R: the one place where they evaluate R
 * code. */
#include "run/epoch.h"
#include "border/r_communicator.h"

#include <string.h>

/* f(a, b, c), an R function of numbers, called between steps: nonzero if it says FALSE, which means stop. */
static int call_back(SEXP f, double a, double b, double c) {
  SEXP call = PROTECT(Rf_lang4(f, PROTECT(Rf_ScalarReal(a)), PROTECT(Rf_ScalarReal(b)), PROTECT(Rf_ScalarReal(c))));
  SEXP answer = Rf_eval(call, R_GlobalEnv);
  UNPROTECT(4);
  return TYPEOF(answer) == LGLSXP && XLENGTH(answer) == 1 && LOGICAL(answer)[0] == 0;
}

/* A column as R/model-rows.R describes it: a tensor, or list(values, shape, dtype, ends) for an R array that fits. */
static void read_column(SEXP x, const struct slot *slot, struct column *c, struct shape *shape) {
  int same = 1;
  if (!is_tensor(x)) {
    check_vector(x, VECSXP, 4);
    SEXP dim = VECTOR_ELT(x, 1);
    check_vector(dim, INTSXP, -1);
    c->array = array_of_r(VECTOR_ELT(x, 0));
    if (XLENGTH(dim) > MAX_RANK) raise_text(STATUS_SHAPE, "at most %d axes are possible", MAX_RANK);
    shape->rank = (int32_t)XLENGTH(dim);
    for (int i = 0; i < shape->rank; i++) shape->dim[i] = INTEGER(dim)[i];
    if (shape_count(shape) != (int64_t)XLENGTH(VECTOR_ELT(x, 0)) || r_dtype(VECTOR_ELT(x, 0)) < 0)
      raise_text(STATUS_VALUE, "internal error: a column that is no array");
    c->array.shape = *shape;
  } else {
    struct tensor t = as_tensor(x);
    *shape = t.shape;
    c->data = t.data;
    same = t.dtype == slot->dtype;
  }
  struct shape row = slot->shape;
  char a[100], b[100];
  row.dim[0] = shape->rank ? shape->dim[0] : 0;
  if (!same || !shape_equal(&row, shape))
    raise_text(STATUS_SHAPE, "data of shape %s do not fit an input of shape %s", shape_format(shape, a, sizeof a),
               shape_format(&row, b, sizeof b));
  c->row_bytes = shape_span(shape, 1, shape->rank) * (int64_t)dtype_size[slot->dtype];
}

/* Tensors or arrays of equally many rows, each for one input. */
static void read_columns(SEXP program, SEXP inputs, SEXP columns, struct dataset *d) {
  const struct program *p = as_program(program);
  d->columns = (int32_t)list_length(columns);
  if (d->columns != list_length(inputs)) raise_text(STATUS_VALUE, "internal error: columns and inputs");
  d->column = (struct column *)(void *)R_alloc((size_t)d->columns, sizeof(struct column));
  for (int k = 0; k < d->columns; k++) {
    struct shape shape;
    int32_t slot = slot_in(program, VECTOR_ELT(inputs, k));
    d->column[k] = (struct column){.slot = slot};
    read_column(VECTOR_ELT(columns, k), &p->slots[slot], &d->column[k], &shape);
    if (k > 0 && shape.dim[0] != d->rows)
      raise_text(STATUS_SHAPE, "%lld rows of inputs but %lld of targets", (long long)d->rows, (long long)shape.dim[0]);
    d->rows = shape.dim[0];
    if (d->rows > INT32_MAX) raise_text(STATUS_SHAPE, "too many rows");
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

#define PROGRESS_SECONDS 0.2 /* so often who only wants to show how far it is */

struct listener {
  SEXP program, stream, on_step, on_clock, on_epoch; /* R functions or NULL */
  double next;
};

/* What R code did meanwhile may have given variables other blocks. */
static void look_again(struct epoch *e) {
  const struct listener *l = e->user;
  const void *mark = vmaxget();
  e->loop.program = program_ready(l->program);
  if (e->loop.data->stream) stream_located(VECTOR_ELT(l->stream, 0));
  vmaxset(mark);
}

/* An interrupt or an error in a callback jumps out of here: variables are consistent, and nothing needs to be freed. */
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
  if (asked) look_again(e);
  return stop;
}

static void read_tallies(SEXP program, SEXP tallies, SEXP averaged, SEXP state, struct epoch *e) {
  e->tallies = (int32_t)list_length(tallies);
  check_vector(averaged, INTSXP, e->tallies);
  e->tally = (struct tally *)(void *)R_alloc((size_t)e->tallies, sizeof(struct tally));
  double *sum = (double *)(void *)(RAW(state) + sizeof(struct epoch_state)),
    *end = (double *)(void *)(RAW(state) + XLENGTH(state));
  for (int k = 0; k < e->tallies; k++) {
    int32_t slot = slot_in(program, VECTOR_ELT(tallies, k));
    int64_t n = shape_count(&e->loop.program->slots[slot].shape);
    if (!dtype_is_float(e->loop.program->slots[slot].dtype) || end - sum < n)
      raise_text(STATUS_VALUE, "internal error: what is added up");
    e->tally[k] = (struct tally){slot, INTEGER(averaged)[k], n, sum};
    sum += n;
  }
}

/* Where the rows of the slots are kept, for all rows of the data, or of the batches to be taken from a stream: R arrays
 * of doubles for floats, else tensors. They are made in the first call of a pass. */
static SEXP read_collected(SEXP program, SEXP collected, SEXP results, struct epoch *e) {
  const struct dataset *d = e->loop.data;
  int64_t rows = d->stream ? d->left * d->batch : d->rows;
  e->collected = (int32_t)list_length(collected);
  e->collect = (struct collected *)(void *)R_alloc((size_t)e->collected, sizeof(struct collected));
  int made = Rf_isNull(results);
  if (made) e->state->collected_from = e->state->rows_seen;
  if (e->collected && (rows < 0 || e->state->collected_from > e->state->rows_seen))
    raise_text(STATUS_VALUE, "internal error: where rows are kept");
  results = PROTECT(made ? Rf_allocVector(VECSXP, e->collected) : results);
  check_vector(results, VECSXP, e->collected);
  for (int k = 0; k < e->collected; k++) {
    int32_t at = slot_in(program, VECTOR_ELT(collected, k));
    const struct slot *s = &e->loop.program->slots[at];
    struct collected c = {.slot = at, .shape = s->shape};
    int real = dtype_is_float(s->dtype);
    if (c.shape.rank < 1)
      raise_text(STATUS_SHAPE, "an output is a scalar; it needs one row for each row of the inputs");
    c.shape.dim[0] = rows;
    if (made) SET_VECTOR_ELT(results, k, real ? array_for_r(REALSXP, &c.shape) : tensor_new(s->dtype, &c.shape, NULL));
    SEXP x = VECTOR_ELT(results, k);
    struct tensor t = {s->dtype, c.shape, NULL};
    if (!real) t = as_tensor(x);
    else check_vector(x, REALSXP, (R_xlen_t)shape_count(&c.shape));
    if (t.dtype != s->dtype || !shape_equal(&t.shape, &c.shape))
      raise_text(STATUS_SHAPE, "the batches differ in the shape of an output beyond their rows");
    c.rows = t.data;
    c.array = real ? REAL(x) : NULL;
    e->collect[k] = c;
  }
  UNPROTECT(1);
  return results;
}

/* options: c(rows of a batch, shuffle (0 no, 1 rows, 2 batches), rows of the only batches that the program serves or 0,
 * the first row, how many; only full batches?, how many batches at most or -1, both of streams; passes; do steps
 * draw from R's generator, as they would one by one?) */
static void read_options(SEXP options, struct epoch *e, struct dataset *d) {
  check_vector(options, REALSXP, 9);
  const double *o = REAL(options);
  d->batch = (int64_t)o[0];
  d->shuffle = (int32_t)o[1];
  e->loop.only = (int64_t)o[2];
  if (d->batch < 1) raise_text(STATUS_VALUE, "internal error: rows of a batch");
  if (!(o[3] >= 0 && o[3] + o[4] <= (double)d->rows)) raise_text(STATUS_VALUE, "internal error: missing rows");
  d->first = (int64_t)o[3];
  d->rows = (int64_t)o[4];
  if (d->rows == 0) raise_text(STATUS_VALUE, "there are no rows");
  e->loop.batch = d->batch < d->rows ? d->batch : d->rows;
  d->whole = o[5] != 0;
  d->left = (int64_t)o[6];
}

/* list(a stream that puts its elements into the columns, for each of these which component of an element), or NULL */
static void read_stream(SEXP stream, struct dataset *d, const struct program *p) {
  if (Rf_isNull(stream)) return;
  check_vector(stream, VECSXP, 2);
  check_vector(VECTOR_ELT(stream, 1), INTSXP, d->columns);
  d->stream = stream_located(VECTOR_ELT(stream, 0));
  d->place = (struct place *)(void *)R_alloc((size_t)d->columns, sizeof(struct place));
  const struct stage *top = &d->stream->stage[d->stream->stages - 1];
  for (int k = 0; k < d->columns; k++) {
    int32_t from = INTEGER(VECTOR_ELT(stream, 1))[k];
    const struct column *c = &d->column[k];
    int dtype = p->slots[c->slot].dtype;
    if (from < 0 || from >= top->components || !c->data ||
      c->row_bytes != shape_count(&top->component[from].shape) * (int64_t)dtype_size[dtype] ||
      (dtype != top->component[from].dtype && !dtype_is_float(dtype)))
      raise_text(STATUS_VALUE, "internal error: columns of a stream");
    d->place[k] = (struct place){from, dtype, (unsigned char *)(uintptr_t)c->data};
  }
}

/* Seeds of all batches that a stream may give. */
static SEXP draw_seeds(struct epoch *e) {
  int64_t n = e->loop.data->left * (e->draws = program_draw_count(e->loop.program));
  if (n < 0) raise_text(STATUS_VALUE, "internal error: random numbers for steps without end");
  SEXP seeds = vector_for(RAWSXP, n * (int64_t)sizeof(uint64_t), "the seeds of all steps", NULL);
  uint64_t *to = (uint64_t *)(void *)RAW(seeds);
  PROTECT(seeds);
  for (int64_t i = 0; i < n; i++) to[i] = seed_from_r();
  UNPROTECT(1);
  e->seeds = to;
  return seeds;
}

/* The tallies are added up over the shards, too. */
static SEXP lay_out_shards(struct epoch *e) {
  int32_t *slots = (int32_t *)(void *)R_alloc(2 * (size_t)e->tallies + 1, sizeof *slots);
  int32_t *averaged = slots + e->tallies, n = 0;
  for (int32_t k = 0; k < e->tallies; k++) {
    if (e->tally[k].averaged == AVERAGED_ONCE) continue;
    if (e->tally[k].averaged > e->shards->groups) raise_text(STATUS_VALUE, "internal error: groups of losses");
    slots[n] = e->tally[k].slot;
    averaged[n++] = e->tally[k].averaged;
  }
  return shards_lay_out(e->shards, e->loop.program, n, slots, averaged);
}

/* So many passes over the columns; the n sums of each are noted, those of the last one stay in the state. */
static enum status run_passes(struct epoch *e, int passes, R_xlen_t n, double *sums, int *done) {
  const struct listener *l = e->user;
  for (*done = 0;; epoch_next(e)) {
    enum status status = epoch_run(e);
    if (status != STATUS_OK) return status;
    if (!n) return STATUS_OK;
    const double *now = e->tally[0].sum;
    memcpy(sums + n * (*done)++, now, (size_t)n * sizeof *now);
    if (!Rf_isNull(l->on_epoch)) {
      if (call_back(l->on_epoch, *done, 1, now[0] / (double)e->state->rows_seen)) return STATUS_STOPPED;
      look_again(e);
    }
    if (*done == passes) return STATUS_OK;
  }
}

/* Passes over the columns in batches, or one over those that a stream puts there, if one is given (else NULL).
 * tallies: symbolic float tensors, averaged where they are means over the rows; collected: symbolic tensors whose rows
 * are kept, results: where, or NULL; rates: a learning rate per step for the optimizer whose numbers (a tensor) are
 * given, or NULL; listeners: on_step, on_clock, on_epoch; shards: batches in pieces, see
 * as_shards(), or NULL.
 * Returns list(the results, rows of the batch that another program must serve (0: none), the sums of each pass, one
 * after the other); those of the last one stand in the state. Where a pass was stopped, another call with the same
 * state and results goes on. */
SEXP ffi_epoch_run(SEXP program, SEXP inputs, SEXP columns, SEXP stream, SEXP options, SEXP tallies, SEXP averaged,
  SEXP collected, SEXP results, SEXP rates, SEXP optimizer, SEXP state, SEXP listeners, SEXP shards);
SEXP ffi_epoch_run(SEXP program, SEXP inputs, SEXP columns, SEXP stream, SEXP options, SEXP tallies, SEXP averaged,
  SEXP collected, SEXP results, SEXP rates, SEXP optimizer, SEXP state, SEXP listeners, SEXP shards) {
  struct failure failure;
  struct dataset d = {.columns = 0};
  check_vector(listeners, VECSXP, 3);
  struct listener l = {program, stream, VECTOR_ELT(listeners, 0), VECTOR_ELT(listeners, 1), VECTOR_ELT(listeners, 2),
    seconds_now() + PROGRESS_SECONDS};
  struct epoch e = {
    .loop = {.data = &d, .every_step = !Rf_isNull(l.on_step), .failure = &failure, .poll = poll},
    .state = as_state(state), .user = &l, .shards = as_shards(shards, program),
  };
  read_columns(program, inputs, columns, &d);
  read_options(options, &e, &d);
  int64_t most = e.shards ? (e.loop.batch + e.shards->count - 1) / e.shards->count : e.loop.batch;
  e.loop.program = program_ready_for(program, e.loop.only ? e.loop.only : most);
  read_stream(stream, &d, e.loop.program); /* after that, as the stream's programs may read the same variables */
  e.loop.choice = &e.loop.program->choice;
  d.order = INTEGER(PROTECT(vector_for(INTSXP, d.shuffle ? d.rows : 0, "the order of the rows", NULL)));
  check_state(e.state, d.rows);
  read_tallies(program, tallies, averaged, state, &e);
  PROTECT(e.shards ? lay_out_shards(&e) : R_NilValue);
  SEXP pass = PROTECT(Rf_allocVector(VECSXP, 3));
  SET_VECTOR_ELT(pass, 0, read_collected(program, collected, results, &e));
  if (!Rf_isNull(rates)) {
    check_vector(rates, REALSXP, -1);
    e.rates = REAL(rates);
    e.n_rates = XLENGTH(rates);
    e.optimizer = as_tensor(optimizer).data;
  }
  PROTECT(REAL(options)[8] != 0 ? draw_seeds(&e) : R_NilValue);
  int passes = (int)REAL(options)[7], done;
  R_xlen_t n = e.tallies ? (XLENGTH(state) - (R_xlen_t)sizeof(struct epoch_state)) / (R_xlen_t)sizeof(double) : 0;
  if (e.shards && (e.loop.only || e.collected || e.draws)) raise_text(STATUS_VALUE, "internal error: shards");
  if (passes < 1 || (passes > 1 && (e.loop.only || d.stream || e.collected || !n)))
    raise_text(STATUS_VALUE, "internal error: passes");
  SEXP sums = vector_for(REALSXP, n * passes, "the losses of all epochs", NULL);
  SET_VECTOR_ELT(pass, 2, sums);
  enum status status = run_passes(&e, passes, n, REAL(sums), &done);
  if (d.stream) e.state->position = status == STATUS_OK ? d.position : e.loop.rows; /* what stands in the columns */
  if (status != STATUS_OK && status != STATUS_STOPPED) raise(&failure);
  if (done < passes) SET_VECTOR_ELT(pass, 2, Rf_xlengthgets(sums, n * done));
  int64_t left = status == STATUS_STOPPED ? 0 : d.stream ? d.position : d.rows - d.position;
  SET_VECTOR_ELT(pass, 1, Rf_ScalarReal((double)(left < e.loop.batch ? left : e.loop.batch)));
  UNPROTECT(4);
  return pass;
}
