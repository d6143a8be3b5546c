/* r_tape.c - a tape is a program that is kept while ops run eagerly: all its slots are bound to the
 * tensors' own memory. */
#include "graph/derive.h"
#include "border/r_border.h"

#include <string.h>

/* The slot of the object's present numbers, or -1; *watched: does a gradient flow to any of them? */
static int32_t slot_of(SEXP tape, SEXP object, int *watched) {
  SEXP blocks = VECTOR_ELT(program_shelter(tape), SHELTER_BLOCKS), block = tensor_block(object);
  int32_t found = -1;
  int64_t at = -1;
  *watched = !as_program(tape)->ignores_variables && is_trainable(object);
  for (int32_t k; (k = program_next_slot(tape, object, &at)) >= 0;) {
    *watched = *watched || as_program(tape)->slots[k].watched;
    if (block_version(VECTOR_ELT(blocks, k)) == block_version(block)) found = k;
  }
  return found;
}

static int32_t bind(SEXP tape, SEXP object, int watched) {
  int32_t slot = program_bind(tape, object, watched);
  block_hold(tensor_block(object), 1);
  return slot;
}

/* Let go of all that was recorded; from now on, follow variables or not. */
SEXP ffi_tape_reset(SEXP tape, SEXP follow_variables);
SEXP ffi_tape_reset(SEXP tape, SEXP follow_variables) {
  SEXP shelter = program_shelter(tape), objects = VECTOR_ELT(shelter, SHELTER_OBJECTS),
    blocks = VECTOR_ELT(shelter, SHELTER_BLOCKS);
  struct program *p = as_program(tape);
  for (int32_t k = 0; k < p->slots_used && k < XLENGTH(objects); k++) {
    if (!Rf_isNull(VECTOR_ELT(objects, k))) block_hold(VECTOR_ELT(blocks, k), -1);
  }
  p->slots_used = p->nodes_used = p->operands_used = 0;
  p->ignores_variables = !as_int(follow_variables);
  SET_VECTOR_ELT(shelter, SHELTER_OBJECTS, Rf_allocVector(VECSXP, 0));
  SET_VECTOR_ELT(shelter, SHELTER_BLOCKS, Rf_allocVector(VECSXP, 0));
  SET_VECTOR_ELT(shelter, SHELTER_INDEX, R_NilValue);
  return R_NilValue;
}

/* ---- recording ---- */

SEXP ffi_tape_watch(SEXP tape, SEXP tensor);
SEXP ffi_tape_watch(SEXP tape, SEXP tensor) {
  if (!dtype_is_float(as_tensor(tensor).dtype))
    raise_text(STATUS_DTYPE, "only float tensors have gradients, not %s", dtype_name[as_tensor(tensor).dtype]);
  int watched;
  int32_t slot = slot_of(tape, tensor, &watched);
  if (slot < 0) bind(tape, tensor, 1);
  else as_program(tape)->slots[slot].watched = 1;
  return R_NilValue;
}

void tape_record(SEXP tape, const struct node *ran, SEXP inputs, SEXP outputs, SEXP saved) {
  int n = (int)XLENGTH(inputs), n_out = (int)XLENGTH(outputs), any = 0, own;
  if (!op_info[ran->op].differentiable) return;
  for (int k = 0; k < n; k++) {
    slot_of(tape, VECTOR_ELT(inputs, k), &own);
    any = any || own;
  }
  if (!any) return;
  struct operand *operand = (struct operand *)R_alloc((size_t)(n + n_out), sizeof *operand);
  for (int k = 0; k < n; k++) {
    int32_t slot = slot_of(tape, VECTOR_ELT(inputs, k), &own); /* an input may be named twice */
    operand[k] = (struct operand){slot < 0 ? bind(tape, VECTOR_ELT(inputs, k), own) : slot, 0};
  }
  for (int k = 0; k < n_out; k++) operand[n + k] = (struct operand){bind(tape, VECTOR_ELT(outputs, k), 1), 0};
  int32_t kept = NO_SLOT;
  if (!Rf_isNull(saved)) {
    int dtype = as_tensor(VECTOR_ELT(inputs, op_info[ran->op].key)).dtype;
    struct shape flat = {.rank = 1, .dim = {(int64_t)XLENGTH(saved) / (int64_t)dtype_size[dtype]}};
    kept = program_bind_block(tape, saved, dtype, &flat);
  }
  struct program *p = program_reserve(tape, 0, 1, n + n_out);
  struct node *node = program_add_node(p, ran->op, operand, n, n_out, &ran->attr, ran->work);
  node->saved = kept;
  node->seed = ran->seed; /* the derivative draws the same */
}

static void add_numbers(const struct tensor *to, const struct tensor *from) {
  int dtype = to->dtype;
  for (int64_t i = 0; i < shape_count(&to->shape); i++)
    put_number(dtype, to->data, i, number_at(dtype, to->data, i) + number_at(dtype, from->data, i));
}

/* The sum, in a tensor of its own, as each may be the gradient of another source, too; the other where one is NULL. */
static SEXP add_gradients(SEXP one, SEXP other) {
  if (Rf_isNull(one) || Rf_isNull(other)) return Rf_isNull(one) ? other : one;
  struct tensor a = as_tensor(one), b = as_tensor(other), sum;
  SEXP x = tensor_new(a.dtype, &a.shape, &sum);
  memcpy(sum.data, a.data, (size_t)shape_count(&a.shape) * dtype_size[a.dtype]);
  add_numbers(&sum, &b);
  return x;
}

/* ---- gradients ---- */

/* Add to a gradient what it starts from: ones, or the numbers of `seed`. */
static void add_seed(const struct tensor *gradient, SEXP seed) {
  int ones = Rf_isNull(seed);
  seed = PROTECT(ones ? tensor_new(gradient->dtype, &gradient->shape, NULL) : coerce_tensor(seed, gradient->dtype));
  struct tensor from = as_tensor(seed);
  if (ones) kernels[from.dtype]->fill(shape_count(&from.shape), 1, from.data);
  char a[100], b[100];
  if (from.dtype != gradient->dtype || !shape_equal(&from.shape, &gradient->shape))
    raise_text(STATUS_SHAPE, "the gradient of a %s target of shape %s cannot start from a %s tensor of shape %s",
      dtype_name[gradient->dtype], shape_format(&gradient->shape, a, sizeof a), dtype_name[from.dtype],
      shape_format(&from.shape, b, sizeof b));
  add_numbers(gradient, &from);
  UNPROTECT(1);
}

/* The gradients of targets and sources are computed in tensors of their own, those of the sources are what R gets.
 * Their slots follow each other from `first` on, and `tensors` is in the same order. */
struct places {
  int32_t first, n;
  SEXP tensors;
};

/* That of a slot, of which there is one even if it is named twice. */
static SEXP place_of(struct program *p, int32_t slot, struct places *places) {
  struct slot *s = &p->slots[slot];
  struct tensor t;
  if (s->result != NO_SLOT) return VECTOR_ELT(places->tensors, s->result - places->first);
  s->result = program_add_slot(p, SLOT_COMPUTED, s->dtype, &s->shape);
  p->slots[s->result].given = 1;
  SEXP x = tensor_new(s->dtype, &s->shape, &t);
  SET_VECTOR_ELT(places->tensors, places->n++, x);
  return x;
}

/* Of all that is reached; the targets' start from their seeds. The gradients of the sources, or NULL. */
static SEXP set_places(struct program *p, const struct derivation *d, SEXP seeds, struct places *places) {
  SEXP results = PROTECT(Rf_allocVector(VECSXP, d->n_sources));
  for (int k = 0; k < p->slots_used; k++) p->slots[k].result = NO_SLOT;
  for (int k = 0; k < d->n_targets; k++) {
    int32_t slot = d->targets[k].slot;
    if (p->slots[slot].gradient == NO_SLOT) continue;
    int again = p->slots[slot].result != NO_SLOT;
    struct tensor t = as_tensor(place_of(p, slot, places));
    if (!again) kernels[t.dtype]->fill(shape_count(&t.shape), 0, t.data);
    add_seed(&t, Rf_isNull(seeds) ? R_NilValue : VECTOR_ELT(seeds, k));
  }
  int32_t seeded = places->n;
  for (int k = 0; k < d->n_sources; k++) {
    int32_t slot = d->sources[k].slot;
    if (p->slots[slot].gradient != NO_SLOT) SET_VECTOR_ELT(results, k, place_of(p, slot, places));
  }
  for (int k = 0; k < places->first; k++) {
    struct slot *s = &p->slots[k];
    s->gradient = s->result != NO_SLOT && s->result < places->first + seeded ? s->result : NO_SLOT;
  }
  UNPROTECT(1);
  return results;
}

/* The derivative's nodes run in memory that all tapes share: `scratch`, a list of one raw vector, or of NULL at first.
 * `whole` is the tape with them at its end. */
static enum status run_derivative(SEXP tape, struct program *whole, const struct derivation *d,
  const struct places *places, SEXP scratch, struct failure *failure) {
  derive(whole, d, 1);
  SET_VECTOR_ELT(scratch, 0, program_lay_out(whole, d->end, VECTOR_ELT(scratch, 0)));
  program_place_in(tape, whole, VECTOR_ELT(scratch, 0));
  for (int32_t i = 0; i < places->n; i++)
    whole->slots[places->first + i].value = as_tensor(VECTOR_ELT(places->tensors, i)).data;
  return run_program(whole, d->end, team_choice_shared(), failure);
}

/* What is added stands in the room behind the tape's own slots and nodes, which an error leaves as they are. */
static SEXP gradients_of(SEXP tape, struct derivation d, SEXP seeds, SEXP scratch) {
  struct program *p = as_program(tape);
  struct failure failure;
  d.end = p->nodes_used;
  derive_reach(p, &d);
  struct room room = derive_room(p, &d);
  int most = d.n_targets + d.n_sources;
  struct program whole = *program_reserve(tape, room.slots + most, room.nodes, room.operands);
  struct places places = {whole.slots_used, 0, PROTECT(Rf_allocVector(VECSXP, most))};
  SEXP results = PROTECT(set_places(&whole, &d, seeds, &places));
  if (run_derivative(tape, &whole, &d, &places, scratch, &failure)) raise(&failure);
  UNPROTECT(2);
  return results;
}

/* Gradients of the (summed) targets towards the sources: a list of tensors, NULL where a source
 * has no part in them. */
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds, SEXP scratch);
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds, SEXP scratch) {
  int n_targets = (int)list_length(targets), n_sources = (int)list_length(sources), known = 0, watched;
  if (!Rf_isNull(seeds)) check_vector(seeds, VECSXP, n_targets);
  struct operand *from = (struct operand *)R_alloc((size_t)n_targets + 1, sizeof *from);
  SEXP known_seeds = PROTECT(Rf_allocVector(VECSXP, n_targets));
  for (int k = 0; k < n_targets; k++) {
    int32_t slot = slot_of(tape, VECTOR_ELT(targets, k), &watched); /* raises an error if it is no tensor */
    if (slot < 0) continue;
    if (!Rf_isNull(seeds)) SET_VECTOR_ELT(known_seeds, known, VECTOR_ELT(seeds, k));
    from[known++] = (struct operand){slot, 0};
  }
  /* one entry per slot of each source; `of` says whose */
  int entries = 0;
  for (int k = 0; k < n_sources; k++) {
    int64_t at = -1;
    tensor_block(VECTOR_ELT(sources, k));
    while (program_next_slot(tape, VECTOR_ELT(sources, k), &at) >= 0) entries++;
  }
  struct operand *to = (struct operand *)R_alloc((size_t)entries + 1, sizeof *to);
  int *of = (int *)R_alloc((size_t)entries + 1, sizeof *of);
  entries = 0;
  for (int k = 0; k < n_sources; k++) {
    int64_t at = -1;
    for (int32_t slot; (slot = program_next_slot(tape, VECTOR_ELT(sources, k), &at)) >= 0; entries++)
      to[entries] = (struct operand){slot, 0}, of[entries] = k;
  }
  check_vector(scratch, VECSXP, 1);
  struct derivation d = {.targets = from, .n_targets = known, .sources = to, .n_sources = entries};
  SEXP gradients = PROTECT(gradients_of(tape, d, Rf_isNull(seeds) ? R_NilValue : known_seeds, scratch));
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n_sources));
  for (int i = 0; i < entries; i++)
    SET_VECTOR_ELT(result, of[i], add_gradients(VECTOR_ELT(result, of[i]), VECTOR_ELT(gradients, i)));
  UNPROTECT(3);
  return result;
}

/* ---- what it holds, for derivatives that are made of ops: R/derivative.R ---- */

/* The tensor that a slot of a tape, or of a function that is being traced, stands for. */
static SEXP tensor_of(SEXP program, int32_t slot) {
  SEXP objects = VECTOR_ELT(program_shelter(program), SHELTER_OBJECTS);
  int bound = as_program(program)->slots[slot].kind == SLOT_BOUND;
  return bound ? VECTOR_ELT(objects, slot) : symbolic_new(program, slot);
}

static SEXP numbers(R_xlen_t n, const int64_t *from) {
  SEXP x = Rf_allocVector(REALSXP, n);
  for (R_xlen_t i = 0; i < n; i++) REAL(x)[i] = (double)from[i];
  return x;
}

static SEXP describe_node(SEXP program, int32_t at) {
  static const char *const name[] = {"at", "op", "inputs", "from", "blocks", "output", "to", "ints", "reals",
    "program", "trained", "outputs", ""};
  const struct node *n = &as_program(program)->nodes[at];
  SEXP node = PROTECT(Rf_mkNamed(VECSXP, (const char **)(uintptr_t)name)), blocks = VECTOR_ELT(program_shelter(program),
    SHELTER_BLOCKS);
  SET_VECTOR_ELT(node, 0, Rf_ScalarInteger(at));
  SET_VECTOR_ELT(node, 1, Rf_mkString(op_name(n->op)));
  SET_VECTOR_ELT(node, 2, Rf_allocVector(VECSXP, n->inputs));
  SET_VECTOR_ELT(node, 3, Rf_allocVector(INTSXP, n->inputs));
  SET_VECTOR_ELT(node, 4, Rf_allocVector(VECSXP, n->inputs));
  SET_VECTOR_ELT(node, 10, Rf_allocVector(VECSXP, n->inputs)); /* the trainable variable that an input is, or NULL */
  for (int k = 0; k < n->inputs; k++) {
    int32_t slot = as_program(program)->operands[n->first + k].slot;
    SEXP input = tensor_of(program, slot);
    SET_VECTOR_ELT(VECTOR_ELT(node, 2), k, input);
    INTEGER(VECTOR_ELT(node, 3))[k] = slot + 1;
    SEXP objects = VECTOR_ELT(program_shelter(program), SHELTER_OBJECTS);
    SEXP object = slot < XLENGTH(objects) ? VECTOR_ELT(objects, slot) : R_NilValue;
    if (!Rf_isNull(object) && is_trainable(object)) SET_VECTOR_ELT(VECTOR_ELT(node, 10), k, object);
    /* a variable that changed since */
    if (as_program(program)->slots[slot].kind == SLOT_BOUND && is_variable(input) &&
      block_version(VECTOR_ELT(blocks, slot)) != block_version(tensor_block(input)))
      SET_VECTOR_ELT(VECTOR_ELT(node, 4), k, VECTOR_ELT(blocks, slot));
  }
  SET_VECTOR_ELT(node, 6, Rf_allocVector(INTSXP, n->outputs ? n->outputs : 1)); /* 0: none */
  SET_VECTOR_ELT(node, 11, Rf_allocVector(VECSXP, n->outputs));
  INTEGER(VECTOR_ELT(node, 6))[0] = 0;
  for (int k = 0; k < n->outputs; k++) {
    int32_t output = node_outputs(as_program(program), n)[k].slot;
    INTEGER(VECTOR_ELT(node, 6))[k] = output + 1;
    if (output == NO_SLOT) continue;
    SET_VECTOR_ELT(VECTOR_ELT(node, 11), k, tensor_of(program, output));
    if (k == 0) SET_VECTOR_ELT(node, 5, VECTOR_ELT(VECTOR_ELT(node, 11), 0));
  }
  SET_VECTOR_ELT(node, 7, numbers(n->attr.n_ints, n->attr.ints));
  SEXP reals = Rf_allocVector(REALSXP, MAX_REALS);
  SET_VECTOR_ELT(node, 8, reals);
  memcpy(REAL(reals), n->attr.reals, MAX_REALS * sizeof(double));
  SET_VECTOR_ELT(node, 9, program);
  UNPROTECT(1);
  return node;
}

/* list(nodes [range[0], range[1]); of each slot: does the tape follow it?; is it of floats?). Slots count from 1. */
SEXP ffi_tape_nodes(SEXP program, SEXP range);
SEXP ffi_tape_nodes(SEXP program, SEXP range) {
  check_vector(range, INTSXP, 2);
  int32_t first = INTEGER(range)[0], n = INTEGER(range)[1] - first, slots = as_program(program)->slots_used;
  if (first < 0 || n < 0 || first + n > as_program(program)->nodes_used)
    raise_text(STATUS_VALUE, "internal error: a range of nodes");
  if (derive_overwritten(as_program(program), first, first + n))
    raise_text(STATUS_TRACED, "a variable changes between the ops on the tape and the gradient");
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 3)), nodes = Rf_allocVector(VECSXP, n);
  SET_VECTOR_ELT(result, 0, nodes);
  for (int32_t i = 0; i < n; i++) SET_VECTOR_ELT(nodes, i, describe_node(program, first + i));
  SEXP follows = Rf_allocVector(LGLSXP, slots);
  SET_VECTOR_ELT(result, 1, follows);
  SEXP floats = Rf_allocVector(LGLSXP, slots);
  SET_VECTOR_ELT(result, 2, floats);
  for (int32_t k = 0; k < slots; k++) {
    LOGICAL(follows)[k] = as_program(program)->slots[k].watched != 0;
    LOGICAL(floats)[k] = dtype_is_float(as_program(program)->slots[k].dtype);
  }
  UNPROTECT(1);
  return result;
}

/* Is there a node whose derivative only R knows? */
SEXP ffi_program_by_rule(SEXP program);
SEXP ffi_program_by_rule(SEXP program) {
  const struct program *p = as_program(program);
  int found = 0;
  for (int32_t i = 0; i < p->nodes_used && !found; i++)
    found = is_op(p->nodes[i].op) && op_info[p->nodes[i].op].differentiable == BY_RULE;
  return Rf_ScalarLogical(found);
}

/* For each tensor the slots that stand for it; those of a variable's earlier numbers too unless `now`. */
SEXP ffi_tape_slots(SEXP program, SEXP tensors, SEXP now);
SEXP ffi_tape_slots(SEXP program, SEXP tensors, SEXP now) {
  R_xlen_t n = list_length(tensors);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n));
  for (R_xlen_t i = 0; i < n; i++) {
    SEXP x = VECTOR_ELT(tensors, i), blocks = VECTOR_ELT(program_shelter(program), SHELTER_BLOCKS);
    int64_t at = -1;
    int found = 0;
    if (is_symbolic(x)) {
      SET_VECTOR_ELT(result, i, symbolic_program(x) == program ? Rf_ScalarInteger(symbolic_slot(x) + 1) :
        Rf_allocVector(INTSXP, 0));
      continue;
    }
    SEXP slots = PROTECT(Rf_allocVector(INTSXP, as_program(program)->slots_used));
    for (int32_t k; (k = program_next_slot(program, x, &at)) >= 0;) {
      int bound = as_program(program)->slots[k].kind == SLOT_BOUND;
      if (!as_int(now) || (bound ? block_version(VECTOR_ELT(blocks, k)) == block_version(tensor_block(x)) :
        k == program_slot(program, x))) INTEGER(slots)[found++] = k + 1;
    }
    SET_VECTOR_ELT(result, i, Rf_lengthgets(slots, found));
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return result;
}

/* The trainable variables that were met. */
SEXP ffi_tape_variables(SEXP tape);
SEXP ffi_tape_variables(SEXP tape) {
  SEXP objects = VECTOR_ELT(program_shelter(tape), SHELTER_OBJECTS);
  int32_t n = as_program(tape)->slots_used, found = 0;
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n));
  for (int32_t k = 0; k < n && k < XLENGTH(objects); k++) {
    SEXP x = VECTOR_ELT(objects, k);
    int seen = Rf_isNull(x) || !is_trainable(x);
    for (int32_t j = 0; j < k && !seen; j++) seen = VECTOR_ELT(objects, j) == x;
    if (!seen) SET_VECTOR_ELT(result, found++, x);
  }
  result = Rf_lengthgets(result, found);
  UNPROTECT(1);
  return result;
}
