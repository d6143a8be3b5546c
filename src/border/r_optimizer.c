/* r_optimizer.c - optimizers as R sees them: a handle with hyper-parameters, and the state of each variable. */
#include "border/r_border.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* kind, learning_rate, beta1, beta2, epsilon, weight_decay, start; perhaps l1, l2, l2_shrinkage, power, beta, averaged,
 * average_momentum, average_every; perhaps epsilon_2, clip_threshold, momentum, nesterov, newton_steps, newton,
 * adam_ratio */
static void read_optimizer(SEXP numbers, struct optimizer *o) {
  R_xlen_t given = XLENGTH(numbers);
  check_vector(numbers, REALSXP, given == 7 || given == 15 ? given : 24);
  const double *v = REAL(numbers);
  if (!(v[0] >= 0 && v[0] < UPDATE_COUNT)) raise_text(STATUS_VALUE, "internal error: no such optimizer");
  o->kind = (int)v[0];
  o->learning_rate = v[1];
  o->beta1 = v[2];
  o->beta2 = v[3];
  o->epsilon = v[4];
  o->weight_decay = v[5];
  o->start = v[6];
  if (given == 7) return;
  o->l1 = v[7];
  o->l2 = v[8];
  o->l2_shrinkage = v[9];
  o->power = v[10];
  o->beta = v[11];
  o->averaged = v[12];
  o->average_momentum = v[13];
  o->average_every = v[14];
  if (given == 15) return;
  o->epsilon_2 = v[15];
  o->clip_threshold = v[16];
  o->momentum = v[17];
  o->nesterov = v[18];
  o->newton_steps = v[19];
  for (int i = 0; i < 3; i++) o->newton[i] = v[20 + i];
  o->adam_ratio = v[23];
}

/* ---- the memory of an optimizer of tensors: list(numbers, variables, states, room), behind an external pointer. The
 * numbers are struct optimizer as a float64 tensor, the states tensors of shapes that follow from their variable, the
 * room a float64 tensor; programs bind them all as they bind constants. ---- */

enum { NUMBERS, VARIABLES, STATES, ROOM, MEMORY_SIZE };

/* Earlier versions kept the first nine or seventeen numbers and no room, in files and in objects that R stores. */
static int is_earlier(int64_t numbers) { return numbers == 9 || numbers == 17; }

/* A tensor of all numbers, whose first n are given. */
static SEXP numbers_new(const double *numbers, int64_t n) {
  struct shape shape = {.rank = 1, .dim = {OPTIMIZER_NUMBERS}};
  struct tensor t;
  SEXP x = tensor_new(FLOAT64, &shape, &t);
  memset(t.data, 0, sizeof(struct optimizer));
  if (n > 0) memcpy(t.data, numbers, (size_t)n * sizeof *numbers);
  return x;
}

static SEXP memory_list(SEXP x) {
  SEXP list = TYPEOF(x) == EXTPTRSXP ? R_ExternalPtrProtected(x) : R_NilValue;
  if (TYPEOF(list) != VECSXP || (XLENGTH(list) != MEMORY_SIZE && XLENGTH(list) != ROOM))
    raise_text(STATUS_VALUE, "expected an optimizer");
  struct tensor t = as_tensor(VECTOR_ELT(list, NUMBERS));
  int64_t n = shape_count(&t.shape);
  if (t.dtype != FLOAT64 || (n != OPTIMIZER_NUMBERS && !is_earlier(n)))
    raise_text(STATUS_VALUE, "expected an optimizer");
  if (XLENGTH(list) == ROOM) {
    list = PROTECT(Rf_lengthgets(list, MEMORY_SIZE));
    R_SetExternalPtrProtected(x, list);
    UNPROTECT(1);
  }
  if (is_earlier(n)) SET_VECTOR_ELT(list, NUMBERS, numbers_new(t.data, n));
  return list;
}

static struct optimizer *memory_optimizer(SEXP list) { return as_tensor(VECTOR_ELT(list, NUMBERS)).data; }

SEXP ffi_optimizer_new(SEXP numbers);
SEXP ffi_optimizer_new(SEXP numbers) {
  SEXP list = PROTECT(Rf_allocVector(VECSXP, MEMORY_SIZE));
  SET_VECTOR_ELT(list, NUMBERS, numbers_new(NULL, 0));
  read_optimizer(numbers, memory_optimizer(list));
  SET_VECTOR_ELT(list, VARIABLES, Rf_allocVector(VECSXP, 0));
  SET_VECTOR_ELT(list, STATES, Rf_allocVector(VECSXP, 0));
  SEXP x = handle_new(list, HANDLE_OPTIMIZER);
  UNPROTECT(1);
  return x;
}

/* Rates and starts beyond float32 would be infinite there. */
static void check_range(const struct optimizer *o, int dtype) {
  double most = fmax(fmax(o->learning_rate, o->weight_decay), o->start);
  if (dtype == FLOAT32 && most > FLT_MAX)
    raise_text(STATUS_VALUE, "the optimizer has the hyperparameter %g, which is more than a float32 variable can hold",
      most);
}

/* Other hyper-parameters of the same kind, other steps (NULL: as they are). list(numbers, variables, states) */
SEXP ffi_optimizer_memory(SEXP x, SEXP numbers, SEXP steps);
SEXP ffi_optimizer_memory(SEXP x, SEXP numbers, SEXP steps) {
  SEXP list = memory_list(x);
  struct optimizer *o = memory_optimizer(list), other = *o;
  if (!Rf_isNull(numbers)) read_optimizer(numbers, &other);
  for (R_xlen_t k = 0; k < XLENGTH(VECTOR_ELT(list, VARIABLES)); k++)
    check_range(&other, as_tensor(VECTOR_ELT(VECTOR_ELT(list, VARIABLES), k)).dtype);
  *o = other;
  if (!Rf_isNull(steps)) o->steps = as_number(steps);
  return list;
}

/* Room for a step of such a variable, if it needs any. */
static void have_room(SEXP list, const struct shape *variable) {
  int64_t needed = optimizer_room(memory_optimizer(list), variable);
  SEXP room = VECTOR_ELT(list, ROOM);
  struct shape shape = {.rank = 1, .dim = {needed}};
  struct tensor t;
  if (needed == 0) return;
  if (room != R_NilValue) {
    t = as_tensor(room);
    if (shape_count(&t.shape) >= needed) return;
  }
  SET_VECTOR_ELT(list, ROOM, tensor_new(FLOAT64, &shape, &t));
}

/* The states of a variable, which the lists keep; made if there are none. Optimizers are given the same
 * variables in the same order each time, so look first where it would be then. */
static SEXP memory_as(SEXP list, SEXP variable, R_xlen_t guess, int as_matrix) {
  SEXP variables = VECTOR_ELT(list, VARIABLES);
  R_xlen_t n = XLENGTH(variables);
  if (guess < n && VECTOR_ELT(variables, guess) == variable) return VECTOR_ELT(VECTOR_ELT(list, STATES), guess);
  for (R_xlen_t k = 0; k < n; k++)
    if (VECTOR_ELT(variables, k) == variable) return VECTOR_ELT(VECTOR_ELT(list, STATES), k);
  const struct optimizer *o = memory_optimizer(list);
  struct tensor v = as_tensor(variable), t;
  check_range(o, v.dtype);
  int states = optimizer_states(o);
  SEXP own = PROTECT(Rf_allocVector(VECSXP, states));
  for (int i = 0; i < states; i++) {
    struct shape shape = optimizer_state_shape(o, &v.shape, i, as_matrix && optimizer_takes_matrix(o, &v.shape));
    SET_VECTOR_ELT(own, i, tensor_new(v.dtype, &shape, &t));
    optimizer_reset(o, v.dtype, shape_count(&shape), i, v.data, t.data);
  }
  have_room(list, &v.shape);
  SEXP more = PROTECT(Rf_lengthgets(variables, n + 1));
  SET_VECTOR_ELT(more, n, variable);
  SEXP more_states = PROTECT(Rf_lengthgets(VECTOR_ELT(list, STATES), n + 1));
  SET_VECTOR_ELT(more_states, n, own);
  SET_VECTOR_ELT(list, VARIABLES, more);
  SET_VECTOR_ELT(list, STATES, more_states);
  UNPROTECT(3);
  return own;
}

static SEXP memory_of(SEXP list, SEXP variable, R_xlen_t guess) { return memory_as(list, variable, guess, 1); }

/* A gradient must be like its variable. */
static void check_pair(int dtype, const struct shape *shape, SEXP variable) {
  struct tensor v = as_tensor(variable);
  char a[100], b[100];
  if (!is_variable(variable)) raise_text(STATUS_VALUE,
    "only variables can be updated, in pairs of list(gradient, variable); `tf$Variable()` makes one");
  if (!dtype_is_float(v.dtype)) raise_text(STATUS_DTYPE, "a variable of dtype %s cannot be updated along a gradient",
    dtype_name[v.dtype]);
  if (dtype != v.dtype || !shape_equal(shape, &v.shape))
    raise_text(dtype != v.dtype ? STATUS_DTYPE : STATUS_SHAPE,
      "a %s gradient of shape %s is not for a %s variable of shape %s", dtype_name[dtype],
      shape_format(shape, a, sizeof a), dtype_name[v.dtype], shape_format(&v.shape, b, sizeof b));
}

/* The states of variables, a list for each. */
SEXP ffi_optimizer_states(SEXP x, SEXP variables);
SEXP ffi_optimizer_states(SEXP x, SEXP variables) {
  SEXP list = memory_list(x), states = PROTECT(Rf_allocVector(VECSXP, list_length(variables)));
  for (R_xlen_t k = 0; k < XLENGTH(states); k++) {
    struct tensor v = as_tensor(VECTOR_ELT(variables, k));
    check_pair(v.dtype, &v.shape, VECTOR_ELT(variables, k));
    SET_VECTOR_ELT(states, k, memory_of(list, VECTOR_ELT(variables, k), k));
  }
  UNPROTECT(1);
  return states;
}

/* Make them for variables that have none; which of them may be taken as matrices? */
SEXP ffi_optimizer_claim(SEXP x, SEXP variables, SEXP as_matrix);
SEXP ffi_optimizer_claim(SEXP x, SEXP variables, SEXP as_matrix) {
  SEXP list = memory_list(x);
  check_vector(as_matrix, LGLSXP, list_length(variables));
  for (R_xlen_t k = 0; k < XLENGTH(as_matrix); k++) {
    struct tensor v = as_tensor(VECTOR_ELT(variables, k));
    check_pair(v.dtype, &v.shape, VECTOR_ELT(variables, k));
    memory_as(list, VECTOR_ELT(variables, k), k, LOGICAL(as_matrix)[k]);
  }
  return R_NilValue;
}

/* What it remembered at another time: its numbers, and for each variable a list of states. Programs that were traced
 * before know the old states. */
SEXP ffi_optimizer_restore(SEXP x, SEXP numbers, SEXP variables, SEXP states);
SEXP ffi_optimizer_restore(SEXP x, SEXP numbers, SEXP variables, SEXP states) {
  SEXP list = memory_list(x);
  int n = (int)list_length(variables), expected = optimizer_states(memory_optimizer(list));
  check_vector(numbers, REALSXP, -1);
  check_vector(states, VECSXP, n);
  struct optimizer o = {0};
  int ours = XLENGTH(numbers) == OPTIMIZER_NUMBERS || is_earlier(XLENGTH(numbers));
  if (ours) memcpy(&o, REAL(numbers), (size_t)XLENGTH(numbers) * sizeof(double));
  for (R_xlen_t k = 0; k < XLENGTH(numbers); k++) ours = ours && isfinite(REAL(numbers)[k]);
  for (int k = 0; k < n; k++) ours = ours && list_length(VECTOR_ELT(states, k)) == expected;
  if (!ours || o.kind != memory_optimizer(list)->kind || o.averaged != memory_optimizer(list)->averaged)
    raise_text(STATUS_VALUE, "this is the state of another kind of optimizer");
  for (int k = 0; k < n; k++) {
    struct tensor v = as_tensor(VECTOR_ELT(variables, k));
    int as_matrix = optimizer_takes_matrix(&o, &v.shape) &&
      as_tensor(VECTOR_ELT(VECTOR_ELT(states, k), 1)).shape.rank == 0;
    for (int i = 0; i < expected; i++) {
      struct tensor s = as_tensor(VECTOR_ELT(VECTOR_ELT(states, k), i));
      struct shape shape = optimizer_state_shape(&o, &v.shape, i, as_matrix);
      if (s.dtype != v.dtype || !shape_equal(&s.shape, &shape))
        raise_text(STATUS_SHAPE, "the optimizer state does not fit its variable");
    }
  }
  *memory_optimizer(list) = o;
  for (int k = 0; k < n; k++) {
    struct tensor v = as_tensor(VECTOR_ELT(variables, k));
    have_room(list, &v.shape);
  }
  SET_VECTOR_ELT(list, VARIABLES, variables);
  SET_VECTOR_ELT(list, STATES, states);
  return R_NilValue;
}

struct updates {
  struct optimizer *optimizer;
  int n;
  struct updated *pair;
};

static void updates_task(void *user, struct team *team, int thread) {
  struct updates *u = user;
  struct update_step step = optimizer_step(u->optimizer);
  for (int k = 0; k < u->n; k++)
    optimizer_update(u->optimizer, &step, &u->pair[k], team, thread);
}

/* One step now. Nothing changes unless all gradients fit their variables. */
SEXP ffi_optimizer_apply(SEXP x, SEXP gradients, SEXP variables);
SEXP ffi_optimizer_apply(SEXP x, SEXP gradients, SEXP variables) {
  SEXP list = memory_list(x);
  int n = (int)list_length(variables);
  check_vector(gradients, VECSXP, n);
  struct updates u = {.optimizer = memory_optimizer(list), .n = n, .pair = (struct updated *)R_alloc((size_t)n + 1,
    sizeof(struct updated))};
  double work = 0;
  for (int k = 0; k < n; k++) {
    struct tensor g = as_tensor(VECTOR_ELT(gradients, k));
    check_pair(g.dtype, &g.shape, VECTOR_ELT(variables, k));
  }
  for (int k = 0; k < n; k++) {
    SEXP variable = VECTOR_ELT(variables, k), own = memory_of(list, variable, k);
    variable_own_block(variable, 1, time_of_change());
    struct tensor v = as_tensor(variable);
    u.pair[k] = (struct updated){.dtype = v.dtype, .shape = v.shape, .weights = v.data,
      .gradients = as_tensor(VECTOR_ELT(gradients, k)).data};
    for (int i = 0; i < (int)XLENGTH(own); i++) u.pair[k].state[i] = as_tensor(VECTOR_ELT(own, i)).data;
    u.pair[k].as_matrix = optimizer_takes_matrix(u.optimizer, &v.shape) &&
      as_tensor(VECTOR_ELT(own, 1)).shape.rank == 0;
    work += optimizer_work(u.optimizer, &v.shape);
  }
  SEXP room = VECTOR_ELT(list, ROOM);
  for (int k = 0; k < n && room != R_NilValue; k++) u.pair[k].room = as_tensor(room).data;
  optimizer_begin(u.optimizer);
  team_run(threads_for(work), updates_task, &u);
  return R_NilValue;
}

/* The same as a node of a traced function. */
SEXP ffi_program_update(SEXP program, SEXP x, SEXP gradients, SEXP variables);
SEXP ffi_program_update(SEXP program, SEXP x, SEXP gradients, SEXP variables) {
  SEXP list = memory_list(x);
  int n = (int)list_length(variables), states = optimizer_states(memory_optimizer(list)), used = 0;
  check_vector(gradients, VECSXP, n);
  struct operand *operand = (struct operand *)R_alloc((size_t)(2 + n * (2 + states)), sizeof *operand);
  memset(operand, 0, (size_t)(2 + n * (2 + states)) * sizeof *operand);
  double work = 0;
  operand[used++].slot = program_shared_slot(program, VECTOR_ELT(list, NUMBERS));
  for (int k = 0; k < n; k++) {
    SEXP variable = VECTOR_ELT(variables, k);
    int32_t gradient = operand[used++].slot = program_slot(program, VECTOR_ELT(gradients, k));
    struct slot g = as_program(program)->slots[gradient];
    check_pair(g.dtype, &g.shape, variable);
    int32_t target = operand[used++].slot = program_slot(program, variable);
    struct slot *slots = as_program(program)->slots;
    slots[target].written = slots[slots[target].home].written = 1;
    SEXP own = memory_of(list, variable, k);
    for (int i = 0; i < states; i++) operand[used++].slot = program_shared_slot(program, VECTOR_ELT(own, i));
    work += optimizer_work(memory_optimizer(list), &g.shape);
  }
  SEXP room = VECTOR_ELT(list, ROOM);
  if (room != R_NilValue) operand[used++].slot = program_shared_slot(program, room);
  struct attr none = {0};
  program_add_node(program_reserve(program, 0, 1, used), ACTION_UPDATE, operand, used, 0, &none, work);
  return R_NilValue;
}

/* ---- a single optimizer step on an R array, for the course's optimizer classes ---- */

/* state: NULL at first, later what the last call returned: list(steps, numbers). Returns
 * list(x, state). float64. */
SEXP ffi_optimizer_step(SEXP numbers, SEXP x, SEXP gradient, SEXP state);
SEXP ffi_optimizer_step(SEXP numbers, SEXP x, SEXP gradient, SEXP state) {
  struct optimizer o = {0};
  read_optimizer(numbers, &o);
  R_xlen_t n = XLENGTH(x);
  int states = optimizer_states(&o);
  check_vector(x, REALSXP, n);
  check_vector(gradient, REALSXP, n);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 2)), next = Rf_allocVector(VECSXP, 2);
  SET_VECTOR_ELT(result, 1, next);
  SEXP moved = Rf_duplicate(x);
  SET_VECTOR_ELT(result, 0, moved);
  SEXP kept = Rf_allocVector(REALSXP, states * n);
  SET_VECTOR_ELT(next, 1, kept);
  if (Rf_isNull(state)) {
    for (int i = 0; i < states; i++) optimizer_reset(&o, FLOAT64, n, i, REAL(x), REAL(kept) + i * n);
  } else {
    check_vector(state, VECSXP, 2);
    SEXP before = VECTOR_ELT(state, 1);
    check_vector(before, REALSXP, XLENGTH(kept));
    o.steps = as_number(VECTOR_ELT(state, 0));
    if (n) memcpy(REAL(kept), REAL(before), (size_t)(states * n) * sizeof(double));
  }
  optimizer_begin(&o);
  struct update_step s = optimizer_step(&o);
  struct updated u = {.dtype = FLOAT64, .shape = {.rank = 1, .dim = {n}}, .weights = REAL(moved),
    .gradients = REAL(gradient)};
  struct team alone = {.threads = 1};
  for (int i = 0; i < states; i++) u.state[i] = REAL(kept) + i * n;
  optimizer_update(&o, &s, &u, &alone, 0);
  SET_VECTOR_ELT(next, 0, Rf_ScalarReal(o.steps));
  UNPROTECT(1);
  return result;
}
