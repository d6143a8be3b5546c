/* r_program.c - programs as R sees them: a list of raw vectors behind an external pointer. */
#include "r_border.h"

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
  for (int k = SHELTER_SLOTS; k <= SHELTER_GRADIENTS; k++) SET_VECTOR_ELT(shelter, k, Rf_allocVector(RAWSXP, 0));
  SET_VECTOR_ELT(shelter, SHELTER_BLOCKS, Rf_allocVector(VECSXP, 0));
  SET_VECTOR_ELT(shelter, SHELTER_OBJECTS, Rf_allocVector(VECSXP, 0));
  SEXP x = handle_new(shelter, "nn_program", NULL);
  UNPROTECT(1);
  return x;
}

/* Grow element k of the shelter to hold `wanted` items, at least doubling it. */
static void grow_raw(SEXP shelter, int k, int32_t used, int32_t wanted, int32_t *room, size_t size) {
  if (wanted <= *room) return;
  int32_t next = *room * 2 > wanted ? *room * 2 : wanted + 8;
  SEXP bigger = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)((size_t)next * size)));
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
  grow_raw(shelter, SHELTER_OPERANDS, p->operands_used, p->operands_used + operands, &p->operands_room, sizeof(struct operand));
  return as_program(x);
}

/* The lists of blocks and of the objects that own them are as long as slots have room. */
static void keep(SEXP shelter, int which, int32_t slot, int32_t room, SEXP value) {
  SEXP list = VECTOR_ELT(shelter, which);
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
  keep(program_shelter(x), SHELTER_BLOCKS, slot, p->slots_room, block);
  return slot;
}

int32_t program_bind(SEXP x, SEXP tensor, int wants_gradient) {
  struct tensor t = as_tensor(tensor);
  int32_t slot = program_bind_block(x, tensor_block(tensor), t.dtype, &t.shape);
  struct program *p = as_program(x);
  p->slots[slot].wants_gradient = wants_gradient && dtype_is_float(t.dtype);
  keep(program_shelter(x), SHELTER_OBJECTS, slot, p->slots_room, tensor);
  return slot;
}

/* ---- memory ---- */

static unsigned char *aligned(SEXP raw) {
  return (unsigned char *)(((uintptr_t)RAW(raw) + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
}

static void allocate(SEXP shelter, int which, int64_t bytes) {
  SEXP raw = VECTOR_ELT(shelter, which);
  if (XLENGTH(raw) >= bytes + ALIGNMENT) return;
  SEXP bigger = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)(bytes + ALIGNMENT)));
  memset(RAW(bigger), 0, (size_t)XLENGTH(bigger));
  SET_VECTOR_ELT(shelter, which, bigger);
  UNPROTECT(1);
}

/* The arena of values. A block that was saved and read again may begin at another distance from an
 * aligned address: then its numbers, among them the variables, move. */
static unsigned char *value_arena(SEXP shelter, struct program *p) {
  SEXP raw = VECTOR_ELT(shelter, SHELTER_VALUES);
  int64_t shift = aligned(raw) - RAW(raw);
  if (shift != p->value_shift && XLENGTH(raw) >= ALIGNMENT)
    memmove(RAW(raw) + shift, RAW(raw) + p->value_shift, (size_t)(XLENGTH(raw) - ALIGNMENT));
  p->value_shift = shift;
  return aligned(raw);
}

struct program *program_locate(SEXP x) {
  SEXP shelter = program_shelter(x), blocks = VECTOR_ELT(shelter, SHELTER_BLOCKS);
  struct program *p = as_program(x);
  void **address = (void **)R_alloc((size_t)p->slots_used + 1, sizeof(void *));
  for (int32_t k = 0; k < p->slots_used; k++) {
    if (p->slots[k].kind != SLOT_BOUND) continue;
    SEXP block = VECTOR_ELT(blocks, p->slots[k].block);
    /* scratch is a bare vector, all others carry a header */
    address[p->slots[k].block] = RAW(block) + (XLENGTH(block) - (R_xlen_t)((size_t)shape_count(&p->slots[k].shape) * dtype_size[p->slots[k].dtype]));
  }
  program_place(p, value_arena(shelter, p), aligned(VECTOR_ELT(shelter, SHELTER_GRADIENTS)), address);
  return p;
}

struct program *program_allocate(SEXP x, int gradients) {
  SEXP shelter = program_shelter(x);
  struct program *p = as_program(x);
  SEXP before = PROTECT(VECTOR_ELT(shelter, SHELTER_VALUES));
  int64_t kept = p->value_shift, variables = p->variable_bytes;
  program_plan(p);
  allocate(shelter, SHELTER_VALUES, p->value_bytes);
  if (VECTOR_ELT(shelter, SHELTER_VALUES) != before) { /* the variables come first and keep their numbers */
    p->value_shift = aligned(VECTOR_ELT(shelter, SHELTER_VALUES)) - RAW(VECTOR_ELT(shelter, SHELTER_VALUES));
    if (variables) memcpy(aligned(VECTOR_ELT(shelter, SHELTER_VALUES)), RAW(before) + kept, (size_t)variables);
  }
  UNPROTECT(1);
  if (gradients) allocate(shelter, SHELTER_GRADIENTS, p->gradient_bytes);
  p = program_locate(x);
  /* the variables' first numbers stand in their objects */
  SEXP objects = VECTOR_ELT(shelter, SHELTER_OBJECTS);
  for (int32_t k = 0; k < p->slots_used && k < XLENGTH(objects); k++) {
    SEXP object = VECTOR_ELT(objects, k);
    if (p->slots[k].kind != SLOT_VARIABLE || Rf_isNull(object)) continue;
    struct tensor t = as_tensor(object);
    memcpy(p->slots[k].value, t.data, (size_t)shape_count(&t.shape) * dtype_size[t.dtype]);
    SET_VECTOR_ELT(objects, k, R_NilValue);
  }
  return p;
}

/* ---- symbolic tensors ---- */

SEXP symbolic_new(SEXP program, int32_t slot) {
  SEXP place = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(place, 0, program);
  SET_VECTOR_ELT(place, 1, Rf_ScalarInteger(slot));
  SEXP x = handle_new(place, "nn_tensor", "tensorflow.tensor");
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
  if (!shape_is_possible(&s)) raise_text(STATUS_SHAPE, "internal error: a shape that is too large");
  return s;
}

SEXP ffi_program_input(SEXP x, SEXP dtype, SEXP dim);
SEXP ffi_program_input(SEXP x, SEXP dtype, SEXP dim) {
  struct shape shape = shape_from_r(dim);
  struct program *p = program_reserve(x, 1, 0, 0);
  return symbolic_new(x, program_add_slot(p, SLOT_INPUT, as_dtype(dtype, 0), &shape));
}

/* A variable of the program's own, starting from a tensor's numbers, with penalties l1 and l2. */
SEXP ffi_program_variable(SEXP x, SEXP tensor, SEXP penalties);
SEXP ffi_program_variable(SEXP x, SEXP tensor, SEXP penalties) {
  struct tensor t = as_tensor(tensor);
  check_vector(penalties, REALSXP, 2);
  struct program *p = program_reserve(x, 1, 0, 0);
  int32_t slot = program_add_slot(p, SLOT_VARIABLE, t.dtype, &t.shape);
  p->slots[slot].l1 = REAL(penalties)[0];
  p->slots[slot].l2 = REAL(penalties)[1];
  keep(program_shelter(x), SHELTER_OBJECTS, slot, p->slots_room, tensor);
  return symbolic_new(x, slot);
}

/* ---- running a traced program ---- */

void fill_input(struct program *p, int32_t slot, SEXP value, int64_t rows) {
  struct slot *s = &p->slots[slot];
  struct shape shape, wanted = s->shape;
  char a[100], b[100];
  if (rows >= 0) wanted.dim[0] = rows;
  if (!is_tensor(value) && r_dtype(value) < 0) raise_text(STATUS_VALUE, "an input must be a tensor or a numeric or logical array");
  if (is_tensor(value)) shape = as_tensor(value).shape;
  else r_shape(value, &shape);
  if (!shape_equal(&shape, &wanted))
    raise_text(STATUS_SHAPE, "an input of shape %s is expected, not %s", shape_format(&wanted, a, sizeof a),
               shape_format(&shape, b, sizeof b));
  if (!is_tensor(value)) {
    numbers_from_r(value, s->dtype, s->value);
    return;
  }
  struct tensor t = as_tensor(value);
  if (t.dtype != s->dtype) raise_text(STATUS_DTYPE, "a %s input is expected, not %s", dtype_name[s->dtype], dtype_name[t.dtype]);
  memcpy(s->value, t.data, (size_t)shape_count(&t.shape) * dtype_size[t.dtype]);
}

static SEXP tensor_copy(const struct slot *s, const void *from) {
  struct tensor t;
  SEXP x = PROTECT(tensor_new(s->dtype, &s->shape, &t));
  memcpy(t.data, from, (size_t)shape_count(&s->shape) * dtype_size[s->dtype]);
  UNPROTECT(1);
  return x;
}

/* The gradient to start from: ones, or the numbers of `seed`; a target named twice counts twice. */
static void seed_target(const struct slot *s, const void *seed, int again) {
  int64_t n = shape_count(&s->shape);
  for (int64_t i = 0; i < n; i++) {
    if (s->dtype == FLOAT32) ((float *)s->gradient)[i] = (again ? ((float *)s->gradient)[i] : 0) + (seed ? ((const float *)seed)[i] : 1);
    else ((double *)s->gradient)[i] = (again ? ((double *)s->gradient)[i] : 0) + (seed ? ((const double *)seed)[i] : 1);
  }
}

static void seed_targets(struct program *p, const int32_t *targets, int n, SEXP seeds) {
  for (int t = 0; t < n; t++) {
    struct slot *s = &p->slots[targets[t]];
    int again = 0;
    if (!s->wants_gradient) continue;
    for (int u = 0; u < t; u++) again = again || targets[u] == targets[t];
    SEXP seed = Rf_isNull(seeds) ? R_NilValue : VECTOR_ELT(seeds, t);
    if (Rf_isNull(seed)) {
      seed_target(s, NULL, again);
      continue;
    }
    seed = PROTECT(coerce_tensor(seed, s->dtype));
    struct tensor g = as_tensor(seed);
    char a[100], b[100];
    if (g.dtype != s->dtype || !shape_equal(&g.shape, &s->shape))
      raise_text(STATUS_SHAPE, "the gradient of a %s target of shape %s cannot start from a %s tensor of shape %s", dtype_name[s->dtype],
                 shape_format(&s->shape, a, sizeof a), dtype_name[g.dtype], shape_format(&g.shape, b, sizeof b));
    seed_target(s, g.data, again);
    UNPROTECT(1);
  }
}

SEXP program_gradients(SEXP x, const int32_t *targets, int n_targets, SEXP seeds, const int32_t *sources, int n_sources, int forward) {
  struct program *p = as_program(x);
  struct failure failure;
  program_plan_backward(p, targets, n_targets);
  seed_targets(p, targets, n_targets, seeds);
  if (run_program(p, forward, 1, &failure)) raise(&failure);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n_sources));
  for (int k = 0; k < n_sources; k++) {
    if (sources[k] < 0 || !p->slots[sources[k]].reached) continue;
    SET_VECTOR_ELT(result, k, tensor_copy(&p->slots[sources[k]], p->slots[sources[k]].gradient));
  }
  UNPROTECT(1);
  return result;
}

static int32_t *slots_in(SEXP x, SEXP tensors) {
  R_xlen_t n = list_length(tensors);
  int32_t *slots = (int32_t *)R_alloc((size_t)n + 1, sizeof *slots);
  for (R_xlen_t k = 0; k < n; k++) slots[k] = slot_in(x, VECTOR_ELT(tensors, k));
  return slots;
}

/* list(outputs, gradients of the summed targets towards the sources) */
SEXP ffi_program_run(SEXP x, SEXP inputs, SEXP values, SEXP outputs, SEXP targets, SEXP sources);
SEXP ffi_program_run(SEXP x, SEXP inputs, SEXP values, SEXP outputs, SEXP targets, SEXP sources) {
  R_xlen_t n_targets = list_length(targets), n_outputs = list_length(outputs);
  if (list_length(inputs) != list_length(values))
    raise_text(STATUS_VALUE, "the program takes %d inputs, not %d", (int)list_length(inputs), (int)list_length(values));
  struct program *p = program_allocate(x, n_targets > 0);
  int32_t *out = slots_in(x, outputs), *from = slots_in(x, targets), *to = slots_in(x, sources);
  for (R_xlen_t k = 0; k < list_length(values); k++) fill_input(p, slot_in(x, VECTOR_ELT(inputs, k)), VECTOR_ELT(values, k), -1);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(result, 0, Rf_allocVector(VECSXP, n_outputs));
  if (n_targets) {
    SET_VECTOR_ELT(result, 1, program_gradients(x, from, (int)n_targets, R_NilValue, to, (int)list_length(sources), 1));
  } else {
    struct failure failure;
    if (run_program(p, 1, 0, &failure)) raise(&failure);
  }
  for (R_xlen_t k = 0; k < n_outputs; k++)
    SET_VECTOR_ELT(VECTOR_ELT(result, 0), k, tensor_copy(&p->slots[out[k]], p->slots[out[k]].value));
  UNPROTECT(1);
  return result;
}

/* ---- description, for print() ---- */

/* list(slots = list(kind, dtype, shape text), nodes = list(op, out, inputs)) */
SEXP ffi_program_describe(SEXP x);
SEXP ffi_program_describe(SEXP x) {
  static const char *const kind_name[] = {"input", "variable", "computed", "bound"};
  struct program *p = as_program(x);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 6));
  SEXP kind = Rf_allocVector(STRSXP, p->slots_used);
  SET_VECTOR_ELT(result, 0, kind);
  SEXP dtype = Rf_allocVector(STRSXP, p->slots_used);
  SET_VECTOR_ELT(result, 1, dtype);
  SEXP shape = Rf_allocVector(STRSXP, p->slots_used);
  SET_VECTOR_ELT(result, 2, shape);
  for (int32_t k = 0; k < p->slots_used; k++) {
    char text[120];
    SET_STRING_ELT(kind, k, Rf_mkChar(kind_name[p->slots[k].kind]));
    SET_STRING_ELT(dtype, k, Rf_mkChar(dtype_name[p->slots[k].dtype]));
    SET_STRING_ELT(shape, k, Rf_mkChar(shape_format(&p->slots[k].shape, text, sizeof text)));
  }
  SEXP op = Rf_allocVector(STRSXP, p->nodes_used);
  SET_VECTOR_ELT(result, 3, op);
  SEXP out = Rf_allocVector(INTSXP, p->nodes_used);
  SET_VECTOR_ELT(result, 4, out);
  SEXP inputs = Rf_allocVector(VECSXP, p->nodes_used);
  SET_VECTOR_ELT(result, 5, inputs);
  for (int32_t i = 0; i < p->nodes_used; i++) {
    const struct node *n = &p->nodes[i];
    SET_STRING_ELT(op, i, Rf_mkChar(op_info[n->op].name));
    INTEGER(out)[i] = n->out + 1;
    SEXP in = Rf_allocVector(INTSXP, n->inputs);
    SET_VECTOR_ELT(inputs, i, in);
    for (int k = 0; k < n->inputs; k++) INTEGER(in)[k] = p->operands[n->first + k].slot + 1;
  }
  UNPROTECT(1);
  return result;
}
