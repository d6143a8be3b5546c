/* r_program.c - programs as R sees them: a list of raw vectors behind an external pointer. */
#include "graph/derive.h"
#include "border/r_border.h"

#include <stdlib.h>
#include <string.h>

SEXP program_shelter(SEXP x) {
  SEXP shelter = TYPEOF(x) == EXTPTRSXP ? R_ExternalPtrProtected(x) : R_NilValue;
  if (TYPEOF(shelter) != VECSXP || XLENGTH(shelter) != SHELTER_SIZE) raise_text(STATUS_VALUE, "expected a program");
  return shelter;
}

struct program *as_program(SEXP x) {
  SEXP shelter = program_shelter(x);
  struct program *p = (struct program *)(void *)RAW(VECTOR_ELT(shelter, SHELTER_PROGRAM));
  p->slots = (struct slot *)(void *)RAW(VECTOR_ELT(shelter, SHELTER_SLOTS));
  p->nodes = (struct node *)(void *)RAW(VECTOR_ELT(shelter, SHELTER_NODES));
  p->operands = (struct operand *)(void *)RAW(VECTOR_ELT(shelter, SHELTER_OPERANDS));
  return p;
}

SEXP ffi_program_new(void);
SEXP ffi_program_new(void) {
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, SHELTER_SIZE));
  SEXP raw = Rf_allocVector(RAWSXP, sizeof(struct program));
  SET_VECTOR_ELT(shelter, SHELTER_PROGRAM, raw);
  memset(RAW(raw), 0, sizeof(struct program));
  ((struct program *)(void *)RAW(raw))->poisons = getenv("NATIVENET_POISON") != NULL;
  for (int k = SHELTER_SLOTS; k <= SHELTER_VALUES; k++) SET_VECTOR_ELT(shelter, k, Rf_allocVector(RAWSXP, 0));
  SET_VECTOR_ELT(shelter, SHELTER_BLOCKS, Rf_allocVector(VECSXP, 0));
  SET_VECTOR_ELT(shelter, SHELTER_OBJECTS, Rf_allocVector(VECSXP, 0));
  SEXP x = handle_new(shelter, HANDLE_PROGRAM);
  UNPROTECT(1);
  return x;
}

/* Grow element k of the shelter to hold `wanted` items, at least doubling it. */
static void grow_raw(SEXP shelter, int k, int32_t used, int32_t wanted, int32_t *room, size_t size) {
  if (wanted <= *room) return;
  int32_t next = *room * 2 > wanted ? *room * 2 : wanted + 8;
  SEXP bigger = PROTECT(vector_for(RAWSXP, (int64_t)((size_t)next * size), "a program", NULL));
  memset(RAW(bigger), 0, (size_t)XLENGTH(bigger)); /* it may be saved: no stray bytes */
  if (used) memcpy(RAW(bigger), RAW(VECTOR_ELT(shelter, k)), (size_t)used * size);
  SET_VECTOR_ELT(shelter, k, bigger);
  *room = next;
  UNPROTECT(1);
}

struct program *program_reserve(SEXP x, int slots, int nodes, int operands) {
  SEXP shelter = program_shelter(x);
  struct program *p = as_program(x);
  grow_raw(shelter, SHELTER_SLOTS, p->slots_used, p->slots_used + slots, &p->slots_room, sizeof(struct slot));
  grow_raw(shelter, SHELTER_NODES, p->nodes_used, p->nodes_used + nodes, &p->nodes_room, sizeof(struct node));
  grow_raw(shelter, SHELTER_OPERANDS, p->operands_used, p->operands_used + operands, &p->operands_room,
    sizeof(struct operand));
  return as_program(x);
}

/* The lists of blocks and of the objects that own them are as long as slots have room. */
void program_keep(SEXP x, enum shelter which, int32_t slot, SEXP value) {
  SEXP shelter = program_shelter(x), list = VECTOR_ELT(shelter, which);
  int32_t room = as_program(x)->slots_room;
  if (XLENGTH(list) < room) {
    SEXP longer = PROTECT(Rf_allocVector(VECSXP, room));
    for (R_xlen_t i = 0; i < XLENGTH(list); i++) SET_VECTOR_ELT(longer, i, VECTOR_ELT(list, i));
    SET_VECTOR_ELT(shelter, which, longer);
    UNPROTECT(1);
    list = longer;
  }
  SET_VECTOR_ELT(list, slot, value);
}

int32_t program_bind_block(SEXP x, SEXP block, int dtype, const struct shape *shape) {
  struct program *p = program_reserve(x, 1, 0, 0);
  int32_t slot = program_add_slot(p, SLOT_BOUND, dtype, shape);
  p->slots[slot].block = slot;
  program_keep(x, SHELTER_BLOCKS, slot, block);
  return slot;
}

/* ---- memory ---- */

static unsigned char *aligned(SEXP raw) {
  return (unsigned char *)(((uintptr_t)RAW(raw) + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
}

void program_place_in(SEXP x, struct program *p, SEXP values) {
  SEXP shelter = program_shelter(x), blocks = VECTOR_ELT(shelter, SHELTER_BLOCKS);
  void **address = (void **)R_alloc((size_t)p->slots_used + 1, sizeof(void *));
  for (int32_t k = 0; k < p->slots_used; k++) {
    int shared = p->slots[k].kind == SLOT_SHARED;
    if (p->slots[k].kind != SLOT_BOUND && !shared) continue;
    SEXP block = shared ? tensor_block(VECTOR_ELT(VECTOR_ELT(shelter, SHELTER_OBJECTS), k)) :
      VECTOR_ELT(blocks, p->slots[k].block);
    /* what an op saved is a bare vector, all others carry a header */
    address[p->slots[k].block] = RAW(block) +
      (XLENGTH(block) - (R_xlen_t)((size_t)shape_count(&p->slots[k].shape) * dtype_size[p->slots[k].dtype]));
  }
  program_place(p, aligned(values), address);
}

struct program *program_locate(SEXP x) {
  program_place_in(x, as_program(x), VECTOR_ELT(program_shelter(x), SHELTER_VALUES));
  return as_program(x);
}

SEXP program_lay_out(struct program *p, int32_t first, SEXP values) {
  program_plan(p, first, (struct hole *)(void *)R_alloc((size_t)p->slots_used + 1, sizeof(struct hole)));
  if (!Rf_isNull(values) && XLENGTH(values) >= p->value_bytes + ALIGNMENT) return values;
  return vector_for(RAWSXP, p->value_bytes + ALIGNMENT, "what the ops of one step compute", NULL);
}

struct program *program_allocate(SEXP x) {
  SEXP shelter = program_shelter(x);
  SET_VECTOR_ELT(shelter, SHELTER_VALUES, program_lay_out(as_program(x), 0, VECTOR_ELT(shelter, SHELTER_VALUES)));
  return program_locate(x);
}

/* ---- what is kept beside an object, but not saved with it ---- */

SEXP ffi_weak(SEXP key, SEXP value);
SEXP ffi_weak(SEXP key, SEXP value) { return R_MakeWeakRef(key, value, R_NilValue, FALSE); }

/* NULL once the reference was saved and read again. */
SEXP ffi_weak_value(SEXP x);
SEXP ffi_weak_value(SEXP x) {
  if (TYPEOF(x) != WEAKREFSXP) raise_text(STATUS_VALUE, "internal error: expected a weak reference");
  return R_WeakRefValue(x);
}

/* ---- symbolic tensors ---- */

SEXP symbolic_new(SEXP program, int32_t slot) {
  SEXP place = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(place, 0, program);
  SET_VECTOR_ELT(place, 1, Rf_ScalarInteger(slot));
  SEXP x = handle_new(place, HANDLE_TENSOR);
  UNPROTECT(1);
  return x;
}

SEXP symbolic_program(SEXP tensor) { return VECTOR_ELT(R_ExternalPtrProtected(tensor), 0); }
int32_t symbolic_slot(SEXP tensor) { return INTEGER(VECTOR_ELT(R_ExternalPtrProtected(tensor), 1))[0]; }

int32_t slot_in(SEXP program, SEXP tensor) {
  if (!is_symbolic(tensor) || symbolic_program(tensor) != program)
    raise_text(STATUS_VALUE, "expected a tensor of the program, one that was traced into it");
  return symbolic_slot(tensor);
}

static struct shape shape_from_r(SEXP x) {
  check_vector(x, INTSXP, -1);
  struct shape s = {.rank = (int32_t)XLENGTH(x)};
  if (s.rank > MAX_RANK) raise_text(STATUS_SHAPE, "a shape of %d axes; at most %d are possible", s.rank, MAX_RANK);
  for (int i = 0; i < s.rank; i++) {
    if (INTEGER(x)[i] < 0) raise_text(STATUS_SHAPE, "internal error: a negative size");
    s.dim[i] = INTEGER(x)[i];
  }
  if (!shape_is_possible(&s)) raise_text(STATUS_TOO_LARGE, "a tensor of that shape is too large");
  return s;
}

/* batch: is its first axis that of a batch, so that the program may serve other numbers of rows? Shapes are followed
 * for one such number; it is so large that a size that follows is another one there, however it was cut. */
SEXP ffi_program_input(SEXP x, SEXP dtype, SEXP dim, SEXP batch);
SEXP ffi_program_input(SEXP x, SEXP dtype, SEXP dim, SEXP batch) {
  struct shape shape = shape_from_r(dim);
  struct program *p = program_reserve(x, 1, 0, 0);
  int32_t slot = program_add_slot(p, SLOT_INPUT, as_dtype(dtype, 0), &shape);
  p->slots[slot].batch = as_int(batch) && shape.rank;
  if (p->slots[slot].batch) p->slots[slot].other.dim[0] = 2 * shape.dim[0] + 1021;
  return symbolic_new(x, slot);
}

/* Does what was traced hold for the traced number of rows only? */
SEXP ffi_program_rows(SEXP x);
SEXP ffi_program_rows(SEXP x) { return Rf_ScalarLogical(as_program(x)->rows_seen); }

/* ---- running a traced program ---- */

/* The value has the shape, and if it is a tensor the dtype of the slot. */
static void check_input(const struct slot *s, SEXP value) {
  struct shape shape, wanted = s->shape;
  char a[100], b[100];
  if (is_tensor(value)) shape = as_tensor(value).shape;
  else r_shape(value, &shape);
  if (!shape_equal(&shape, &wanted))
    raise_text(STATUS_SHAPE, "an input of shape %s is expected, not %s", shape_format(&wanted, a, sizeof a),
               shape_format(&shape, b, sizeof b));
  if (is_tensor(value) && as_tensor(value).dtype != s->dtype)
    raise_text(STATUS_DTYPE, "a %s input is expected, not %s", dtype_name[s->dtype],
      dtype_name[as_tensor(value).dtype]);
}

/* For one run. A tensor's numbers are read where they are. */
static void fill_input(struct slot *s, SEXP value) {
  value = PROTECT(bare_numbers(value));
  check_input(s, value);
  if (is_tensor(value)) s->value = as_tensor(value).data;
  else numbers_from_r(value, s->dtype, s->value);
  UNPROTECT(1);
}

static SEXP tensor_copy(const struct slot *s, const void *from) {
  struct tensor t;
  SEXP x = PROTECT(tensor_new(s->dtype, &s->shape, &t));
  memcpy(t.data, from, (size_t)shape_count(&s->shape) * dtype_size[s->dtype]);
  UNPROTECT(1);
  return x;
}

/* Results are computed in the memory of the tensors that are given to R, where that is possible. */
static SEXP outputs_new(SEXP x, struct program *p, SEXP outputs) {
  R_xlen_t n = list_length(outputs);
  SEXP results = PROTECT(Rf_allocVector(VECSXP, n));
  for (R_xlen_t k = 0; k < n; k++) {
    struct slot *s = &p->slots[slot_in(x, VECTOR_ELT(outputs, k))];
    struct tensor t;
    if (s->kind != SLOT_COMPUTED || s->given) continue;
    SET_VECTOR_ELT(results, k, tensor_new(s->dtype, &s->shape, &t));
    s->value = t.data;
    s->given = 1;
  }
  UNPROTECT(1);
  return results;
}

/* A guard's variables are about to be changed. If somebody else changed them meanwhile, what it has kept belongs to
 * other weights. */
static void look_at_kept(SEXP objects, const struct program *p, const struct node *guard, double time) {
  const struct operand *o = node_inputs(p, guard);
  if (guard->inputs == 1) return;
  double *note = as_tensor(VECTOR_ELT(objects, o[1].slot)).data;
  for (int k = 2; k < guard->inputs; k += 2) {
    SEXP object = VECTOR_ELT(objects, o[k].slot);
    if (!is_variable(object)) continue;
    if (variable_time(object) != note[KEPT_TIME]) note[KEPT_LEFT] = -1;
    variable_own_block(object, 1, time);
  }
  note[KEPT_TIME] = time;
}

struct program *program_ready(SEXP x) {
  SEXP objects = VECTOR_ELT(program_shelter(x), SHELTER_OBJECTS);
  struct program *p = as_program(x);
  double time = time_of_change();
  for (int32_t i = 0; i < p->nodes_used && p->guarded; i++)
    if (p->nodes[i].op == ACTION_GUARD) look_at_kept(objects, p, &p->nodes[i], time);
  for (int32_t k = 0; k < p->slots_used; k++) {
    p->slots[k].given = 0;
    if (p->slots[k].written) variable_own_block(VECTOR_ELT(objects, k), 1, time);
  }
  int known = p->laid_out == p->nodes_used + 1;
  p = known ? program_locate(x) : program_allocate(x);
  p->laid_out = p->nodes_used + 1;
  return p;
}

struct program *program_ready_for(SEXP x, int64_t rows) {
  struct failure failure;
  struct program *p = as_program(x);
  if (!p->laid_out || rows > p->room) p->laid_out = p->room = 0; /* until there is memory */
  if (program_set_rows(p, rows, &failure)) raise(&failure);
  p = program_ready(x);
  if (rows > p->room) p->room = rows;
  return p;
}

/* The rows of the first value that is a batch; 0 if none is. */
static int64_t rows_of_batch(SEXP x, SEXP inputs, SEXP values) {
  const struct program *p = as_program(x);
  struct shape shape;
  for (R_xlen_t k = 0; k < list_length(values); k++) {
    SEXP value = VECTOR_ELT(values, k);
    if (!p->slots[slot_in(x, VECTOR_ELT(inputs, k))].batch) continue;
    if (is_tensor(value)) shape = as_tensor(value).shape;
    else r_shape(value, &shape);
    return shape.rank ? shape.dim[0] : 0;
  }
  return 0;
}

/* Run with the inputs set to values; the outputs' numbers. */
SEXP ffi_program_run(SEXP x, SEXP inputs, SEXP values, SEXP outputs);
SEXP ffi_program_run(SEXP x, SEXP inputs, SEXP values, SEXP outputs) {
  R_xlen_t n_outputs = list_length(outputs);
  if (list_length(inputs) != list_length(values))
    raise_text(STATUS_VALUE, "the program takes %d inputs, not %d", (int)list_length(inputs), (int)list_length(values));
  int64_t rows = rows_of_batch(x, inputs, values);
  struct program *p = rows ? program_ready_for(x, rows) : program_ready(x);
  for (R_xlen_t k = 0; k < list_length(values); k++)
    fill_input(&p->slots[slot_in(x, VECTOR_ELT(inputs, k))], VECTOR_ELT(values, k));
  for (int32_t i = 0; i < p->nodes_used; i++) /* as they would draw one by one */
    if (program_draws(p, i)) p->nodes[i].seed = seed_from_r();
  SEXP results = PROTECT(outputs_new(x, p, outputs));
  struct failure failure;
  enum status status = run_program(p, 0, &p->choice, &failure);
  if (status) raise(&failure);
  for (R_xlen_t k = 0; k < n_outputs; k++) {
    const struct slot *s = &p->slots[slot_in(x, VECTOR_ELT(outputs, k))];
    if (Rf_isNull(VECTOR_ELT(results, k))) SET_VECTOR_ELT(results, k, tensor_copy(s, s->value));
  }
  UNPROTECT(1);
  return results;
}

/* Does an op of it draw random numbers? */
SEXP ffi_program_draws(SEXP x);
SEXP ffi_program_draws(SEXP x) { return Rf_ScalarLogical(program_draw_count(as_program(x)) > 0); }

/* ---- actions ---- */

SEXP ffi_program_position(SEXP x);
SEXP ffi_program_position(SEXP x) { return Rf_ScalarInteger(as_program(x)->nodes_used); }

/* Gradients of the sum of the targets towards the sources, through nodes [range[0], range[1]), which a tape saw. It
 * was told to watch `watched`, and range[2] says whether it follows variables by itself. A list of symbolic
 * tensors, NULL where a source has no part in the targets. */
SEXP ffi_program_gradient(SEXP x, SEXP targets, SEXP sources, SEXP watched, SEXP range);
SEXP ffi_program_gradient(SEXP x, SEXP targets, SEXP sources, SEXP watched, SEXP range) {
  SEXP lists[] = {targets, sources, watched};
  int n_sources = (int)list_length(sources), inputs = 0;
  check_vector(range, INTSXP, 3);
  for (int i = 0; i < 3; i++) inputs += (int)list_length(lists[i]);
  struct operand *operand = (struct operand *)R_alloc((size_t)(inputs + n_sources) + 1, sizeof *operand);
  memset(operand, 0, (size_t)(inputs + n_sources) * sizeof *operand);
  inputs = 0;
  for (int i = 0; i < 3; i++)
    for (R_xlen_t k = 0; k < list_length(lists[i]); k++) {
      int32_t slot = program_slot(x, VECTOR_ELT(lists[i], k));
      operand[inputs++].slot = i == 0 ? slot : as_program(x)->slots[slot].home;
    }
  struct attr attr = {.n_ints = GRADIENT_INTS};
  attr.ints[GRADIENT_TARGETS] = list_length(targets);
  attr.ints[GRADIENT_SOURCES] = n_sources;
  attr.ints[GRADIENT_FIRST] = INTEGER(range)[0];
  attr.ints[GRADIENT_END] = INTEGER(range)[1];
  attr.ints[GRADIENT_WATCH_VARIABLES] = INTEGER(range)[2];
  struct program *p = program_reserve(x, n_sources, 1, inputs + n_sources);
  if (INTEGER(range)[0] < 0 || INTEGER(range)[1] > p->nodes_used)
    raise_text(STATUS_VALUE, "internal error: a range of nodes");
  for (int k = 0; k < n_sources; k++) {
    const struct slot *source = &p->slots[operand[list_length(targets) + k].slot];
    struct shape shape = source->shape, other = source->other;
    struct slot *s = &p->slots[operand[inputs + k].slot = program_add_slot(p, SLOT_COMPUTED, source->dtype, &shape)];
    s->other = other;
    s->opaque = 1;
  }
  struct node *n = program_add_node(p, ACTION_GRADIENT, operand, inputs, n_sources, &attr, 1);
  struct derivation d = gradient_question(p, n);
  derive_reach(p, &d);
  p->nodes_used--; /* until nothing is wrong with it */
  if (derive_meets_change(p, &d))
    raise_text(STATUS_TRACED, "a variable changes between the ops on the tape and the gradient");
  if (derive_meets_gradient(p, &d)) raise_text(STATUS_TRACED, "a gradient would be differentiated again");
  p->nodes_used++;
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n_sources));
  for (int k = 0; k < n_sources; k++)
    if (as_program(x)->slots[operand[list_length(targets) + k].slot].gradient != NO_SLOT)
      SET_VECTOR_ELT(result, k, symbolic_new(x, operand[inputs + k].slot));
  UNPROTECT(1);
  return result;
}

/* A step over shards of a batch (summed: not NULL) is split (split.c); `summed` are variables whose changes are added
 * up there. */
static void split(SEXP x, SEXP summed) {
  SEXP objects = VECTOR_ELT(program_shelter(x), SHELTER_OBJECTS);
  struct program *p = as_program(x);
  struct failure failure;
  for (int32_t k = 0; k < p->slots_used && k < XLENGTH(objects); k++)
    for (R_xlen_t i = 0; i < list_length(summed); i++)
      if (p->slots[k].kind == SLOT_SHARED && VECTOR_ELT(objects, k) == VECTOR_ELT(summed, i)) p->slots[k].summed = 1;
  struct room room = split_room(p);
  if (program_split(program_reserve(x, room.slots, room.nodes, room.operands), &failure)) raise(&failure);
}

/* The trace is complete, and this is what is wanted of it: from here on the program can run, and no longer grows. */
SEXP ffi_program_seal(SEXP x, SEXP outputs, SEXP summed);
SEXP ffi_program_seal(SEXP x, SEXP outputs, SEXP summed) {
  for (R_xlen_t k = 0; k < list_length(outputs); k++)
    as_program(x)->slots[slot_in(x, VECTOR_ELT(outputs, k))].kept = 1;
  struct room room = fuse_room(as_program(x));
  program_fuse(program_reserve(x, room.slots, room.nodes, room.operands));
  room = seal_room(as_program(x));
  struct program *p = program_reserve(x, room.slots, 0, 0), sealed = *p;
  SEXP shelter = program_shelter(x);
  SEXP nodes = PROTECT(vector_for(RAWSXP, (int64_t)((size_t)room.nodes * sizeof(struct node)), "a program", NULL));
  SEXP operands = PROTECT(vector_for(RAWSXP, (int64_t)((size_t)room.operands * sizeof(struct operand)), "a program",
    NULL));
  sealed.nodes = (struct node *)(void *)RAW(nodes);
  sealed.operands = (struct operand *)(void *)RAW(operands);
  sealed.nodes_used = sealed.operands_used = 0;
  sealed.nodes_room = room.nodes;
  sealed.operands_room = room.operands;
  program_seal(p, &sealed);
  *p = sealed;
  SET_VECTOR_ELT(shelter, SHELTER_NODES, nodes);
  SET_VECTOR_ELT(shelter, SHELTER_OPERANDS, operands);
  UNPROTECT(2);
  if (!Rf_isNull(summed)) split(x, summed);
  return R_NilValue;
}

/* Of float tensors of a step, the means over the shards of a batch, or the sums, as who runs it wants. */
SEXP ffi_program_reduce(SEXP x, SEXP values, SEXP group);
SEXP ffi_program_reduce(SEXP x, SEXP values, SEXP group) {
  int n = (int)list_length(values);
  struct operand *operand = (struct operand *)R_alloc(2 * (size_t)n + 1, sizeof *operand);
  memset(operand, 0, (2 * (size_t)n + 1) * sizeof *operand);
  for (int k = 0; k < n; k++) operand[k].slot = program_slot(x, VECTOR_ELT(values, k));
  struct program *p = program_reserve(x, n, 1, 2 * n);
  for (int k = 0; k < n; k++) {
    struct slot from = p->slots[operand[k].slot];
    if (!dtype_is_float(from.dtype)) raise_text(STATUS_DTYPE, "internal error: sums over shards are of floats");
    struct slot *s = &p->slots[operand[n + k].slot = program_add_slot(p, SLOT_COMPUTED, from.dtype, &from.shape)];
    s->other = from.other;
    s->opaque = 1;
  }
  struct attr attr = {.n_ints = 2, .ints = {REDUCE_MEAN, as_int(group)}};
  program_add_node(p, ACTION_REDUCE, operand, n, n, &attr, 1);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n));
  for (int k = 0; k < n; k++) SET_VECTOR_ELT(result, k, symbolic_new(x, operand[n + k].slot));
  UNPROTECT(1);
  return result;
}

/* What reads the variable from here on reads a copy of the value; gradients do not flow through it. */
SEXP ffi_program_assign(SEXP x, SEXP variable, SEXP value);
SEXP ffi_program_assign(SEXP x, SEXP variable, SEXP value) {
  if (!is_variable(variable)) raise_text(STATUS_VALUE, "a tensor never changes; make a variable of it");
  int32_t to = program_slot(x, variable);
  value = PROTECT(coerce_tensor(value, as_tensor(variable).dtype));
  struct operand from = {program_slot(x, value), 0};
  struct program *p = program_reserve(x, MAX_NEW_SLOTS, 1, 1 + MAX_OUTPUTS);
  const struct slot *old = &p->slots[to], *new = &p->slots[from.slot];
  struct failure failure;
  struct inference q = {.failure = &failure};
  struct attr none = {0};
  char a[100], b[100];
  if (old->dtype != new->dtype || !shape_equal(&old->shape, &new->shape))
    raise_text(old->dtype != new->dtype ? STATUS_DTYPE : STATUS_SHAPE,
      "a %s variable of shape %s cannot hold a %s tensor of shape %s",
      dtype_name[old->dtype], shape_format(&old->shape, a, sizeof a), dtype_name[new->dtype],
               shape_format(&new->shape, b, sizeof b));
  if (!shape_equal(&new->shape, &new->other)) p->rows_seen = 1;
  if (program_infer(p, OP_STOP_GRADIENT, &from, 1, &none, &q)) raise(&failure);
  const struct node *n = program_add_op(p, &q, SLOT_COMPUTED);
  program_hold(x, variable, node_outputs(p, n)->slot);
  UNPROTECT(1);
  return R_NilValue;
}

/* Nothing changes from here on if the scalar x is not finite. While it is, the tensors of the list `now` are copied to
 * those of `then` every so many steps, about which there is a note (all NULL: they are not). */
SEXP ffi_program_guard(SEXP program, SEXP scalar, SEXP note, SEXP now, SEXP then);
SEXP ffi_program_guard(SEXP program, SEXP scalar, SEXP note, SEXP now, SEXP then) {
  int n = Rf_isNull(note) ? 0 : (int)list_length(now), used = 0;
  struct operand *operand = (struct operand *)R_alloc((size_t)(2 + 2 * n), sizeof *operand);
  memset(operand, 0, (size_t)(2 + 2 * n) * sizeof *operand);
  operand[used++].slot = slot_in(program, scalar);
  if (n) {
    struct tensor t = as_tensor(note);
    if (t.dtype != FLOAT64 || shape_count(&t.shape) != KEPT_NUMBERS || n != list_length(then))
      raise_text(STATUS_VALUE, "internal error: what is kept");
    operand[used++].slot = program_shared_slot(program, note);
  }
  for (int k = 0; k < n; k++) {
    struct tensor from = as_tensor(VECTOR_ELT(now, k)), to = as_tensor(VECTOR_ELT(then, k));
    if (from.dtype != to.dtype || !shape_equal(&from.shape, &to.shape))
      raise_text(STATUS_VALUE, "internal error: what is kept");
    operand[used++].slot = program_shared_slot(program, VECTOR_ELT(now, k));
    operand[used++].slot = program_shared_slot(program, VECTOR_ELT(then, k));
  }
  struct program *p = program_reserve(program, 0, 1, used);
  const struct slot *s = &p->slots[operand[0].slot];
  if (!dtype_is_float(s->dtype) || shape_count(&s->shape) != 1)
    raise_text(STATUS_VALUE, "internal error: only a float scalar is guarded");
  struct attr none = {0};
  program_add_node(p, ACTION_GUARD, operand, used, 0, &none, 1);
  p->guarded = 1;
  return R_NilValue;
}

/* ---- description, for print() and plot() ---- */

/* Numbers of slots, from 1 on. */
static SEXP slots_of(const struct operand *operands, int n) {
  int used = 0;
  SEXP slots = PROTECT(Rf_allocVector(INTSXP, n));
  for (int k = 0; k < n; k++)
    if (operands[k].slot != NO_SLOT) INTEGER(slots)[used++] = operands[k].slot + 1;
  slots = Rf_lengthgets(slots, used);
  UNPROTECT(1);
  return slots;
}

/* list(of slots: kind ("state": what an optimizer remembers), dtype, shape as text; of nodes: op, slots of the results,
 * slots of the inputs; of slots: the variable or constant that they stand for, or NULL; slots of the outputs) */
SEXP ffi_program_describe(SEXP x, SEXP outputs);
SEXP ffi_program_describe(SEXP x, SEXP outputs) {
  static const char *const kind_name[] = {"input", "computed", "constant", "variable"};
  struct program *p = as_program(x);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 9));
  SEXP kind = Rf_allocVector(STRSXP, p->slots_used);
  SET_VECTOR_ELT(result, 0, kind);
  SEXP dtype = Rf_allocVector(STRSXP, p->slots_used);
  SET_VECTOR_ELT(result, 1, dtype);
  SEXP shape = Rf_allocVector(STRSXP, p->slots_used);
  SET_VECTOR_ELT(result, 2, shape);
  for (int32_t k = 0; k < p->slots_used; k++) {
    char text[120];
    int state = p->slots[k].kind == SLOT_SHARED &&
      !is_variable(VECTOR_ELT(VECTOR_ELT(program_shelter(x), SHELTER_OBJECTS), k));
    SET_STRING_ELT(kind, k, Rf_mkChar(state ? "state" : p->slots[k].opaque ? "gradient" : kind_name[p->slots[k].kind]));
    SET_STRING_ELT(dtype, k, Rf_mkChar(dtype_name[p->slots[k].dtype]));
    SET_STRING_ELT(shape, k, Rf_mkChar(shape_format(&p->slots[k].shape, text, sizeof text)));
  }
  SEXP op = Rf_allocVector(STRSXP, p->nodes_used);
  SET_VECTOR_ELT(result, 3, op);
  SEXP out = Rf_allocVector(VECSXP, p->nodes_used);
  SET_VECTOR_ELT(result, 4, out);
  SEXP inputs = Rf_allocVector(VECSXP, p->nodes_used);
  SET_VECTOR_ELT(result, 5, inputs);
  SEXP attributes = Rf_allocVector(STRSXP, p->nodes_used);
  SET_VECTOR_ELT(result, 8, attributes);
  for (int32_t i = 0; i < p->nodes_used; i++) {
    const struct node *n = &p->nodes[i];
    char text[400];
    SET_STRING_ELT(op, i, Rf_mkChar(node_name(n->op, text, sizeof text)));
    op_attributes(n->op, &n->attr, text, sizeof text);
    SET_STRING_ELT(attributes, i, Rf_mkChar(text));
    SET_VECTOR_ELT(out, i, slots_of(node_outputs(p, n), n->outputs));
    SET_VECTOR_ELT(inputs, i, slots_of(node_inputs(p, n), n->inputs));
  }
  SEXP objects = VECTOR_ELT(program_shelter(x), SHELTER_OBJECTS), object = Rf_allocVector(VECSXP, p->slots_used);
  SET_VECTOR_ELT(result, 6, object);
  for (int32_t k = 0; k < p->slots_used && k < XLENGTH(objects); k++) SET_VECTOR_ELT(object, k, VECTOR_ELT(objects, k));
  SEXP output = Rf_allocVector(INTSXP, list_length(outputs));
  SET_VECTOR_ELT(result, 7, output);
  for (R_xlen_t k = 0; k < XLENGTH(output); k++) INTEGER(output)[k] = slot_in(x, VECTOR_ELT(outputs, k)) + 1;
  UNPROTECT(1);
  return result;
}
