/* r_tape.c - a tape is a program that is kept while ops run eagerly: all its slots are bound to the
 * tensors' own memory. */
#include "r_border.h"

#include <string.h>

/* The slot of the object's present numbers, or -1; *watched: does a gradient flow to any of them? */
static int32_t slot_of(SEXP tape, SEXP object, int *watched) {
  SEXP blocks = VECTOR_ELT(program_shelter(tape), SHELTER_BLOCKS), block = tensor_block(object);
  int32_t found = -1;
  int64_t at = -1;
  *watched = !as_program(tape)->ignores_variables && is_trainable(object);
  for (int32_t k; (k = program_next_slot(tape, object, &at)) >= 0;) {
    *watched = *watched || as_program(tape)->slots[k].wants_gradient;
    if (block_version(VECTOR_ELT(blocks, k)) == block_version(block)) found = k;
  }
  return found;
}

static int32_t bind(SEXP tape, SEXP object, int wants_gradient) {
  int32_t slot = program_bind(tape, object, wants_gradient);
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
  SET_VECTOR_ELT(shelter, SHELTER_GRADIENTS, Rf_allocVector(RAWSXP, 0));
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
  else as_program(tape)->slots[slot].wants_gradient = 1;
  return R_NilValue;
}

void tape_record(SEXP tape, int op, SEXP inputs, const struct attr *attr, SEXP output, SEXP scratch,
  const struct node *ran) {
  int n = (int)XLENGTH(inputs), watched = 0;
  if (!op_info[op].differentiable) return;
  int32_t *in = (int32_t *)R_alloc((size_t)n + 1, sizeof *in);
  for (int k = 0; k < n; k++) {
    int own;
    slot_of(tape, VECTOR_ELT(inputs, k), &own);
    watched = watched || own;
  }
  if (!watched) return;
  for (int k = 0; k < n; k++) {
    int own;
    in[k] = slot_of(tape, VECTOR_ELT(inputs, k), &own); /* an input may be named twice */
    if (in[k] < 0) in[k] = bind(tape, VECTOR_ELT(inputs, k), own);
  }
  int32_t out = bind(tape, output, 0), kept = -1;
  if (!Rf_isNull(scratch)) {
    int dtype = as_tensor(VECTOR_ELT(inputs, op_info[op].key)).dtype;
    struct shape flat = {.rank = 1, .dim = {(int64_t)XLENGTH(scratch) / (int64_t)dtype_size[dtype]}};
    kept = program_bind_block(tape, scratch, dtype, &flat);
  }
  struct program *p = program_reserve(tape, 0, 1, n);
  program_add_node(p, op, in, n, attr, out, kept, ran->work);
  p->nodes[p->nodes_used - 1].seed = ran->seed; /* the backward pass draws the same */
}

static void add_numbers(const struct tensor *to, const struct tensor *from) {
  for (int64_t i = 0; i < shape_count(&to->shape); i++) {
    if (to->dtype == FLOAT32) ((float *)to->data)[i] += ((const float *)from->data)[i];
    else ((double *)to->data)[i] += ((const double *)from->data)[i];
  }
}

/* to += from, or from where `to` is NULL still */
static SEXP add_gradients(SEXP to, SEXP from) {
  if (Rf_isNull(to) || Rf_isNull(from)) return Rf_isNull(to) ? from : to;
  struct tensor a = as_tensor(to), b = as_tensor(from);
  add_numbers(&a, &b);
  return to;
}

/* Add the gradient to start from: ones, or the numbers of `seed`; a target named twice counts twice. */
static void seed_target(const struct slot *s, SEXP seed, int again) {
  int64_t n = shape_count(&s->shape);
  if (!again) kernels[s->dtype]->fill(n, 0, s->gradient);
  int ones = Rf_isNull(seed);
  seed = PROTECT(ones ? tensor_new(s->dtype, &s->shape, NULL) : coerce_tensor(seed, s->dtype));
  if (ones) kernels[s->dtype]->fill(n, 1, as_tensor(seed).data);
  struct tensor g = as_tensor(seed), sum = {s->dtype, s->shape, s->gradient};
  char a[100], b[100];
  if (g.dtype != s->dtype || !shape_equal(&g.shape, &s->shape))
    raise_text(STATUS_SHAPE, "the gradient of a %s target of shape %s cannot start from a %s tensor of shape %s",
      dtype_name[s->dtype],
      shape_format(&s->shape, a, sizeof a), dtype_name[g.dtype], shape_format(&g.shape, b, sizeof b));
  add_numbers(&sum, &g);
  UNPROTECT(1);
}

static void seed_targets(struct program *p, const int32_t *targets, int n, SEXP seeds) {
  for (int t = 0; t < n; t++) {
    struct slot *s = &p->slots[targets[t]];
    SEXP seed = Rf_isNull(seeds) ? R_NilValue : VECTOR_ELT(seeds, t);
    int again = 0;
    if (!s->wants_gradient) continue;
    for (int u = 0; u < t; u++) again = again || targets[u] == targets[t];
    seed_target(s, seed, again);
  }
}

/* Gradients live in an arena that all tapes share, `scratch`: a list of one raw vector, or of NULL at first. */
static void share_arena(SEXP tape, SEXP scratch) {
  struct program *p = as_program(tape);
  check_vector(scratch, VECSXP, 1);
  program_plan(p);
  SEXP arena = VECTOR_ELT(scratch, 0);
  if (Rf_isNull(arena) || XLENGTH(arena) < p->gradient_bytes + ALIGNMENT) {
    arena = vector_for(RAWSXP, p->gradient_bytes + ALIGNMENT, "the gradients of what the tape recorded", NULL);
    SET_VECTOR_ELT(scratch, 0, arena);
  }
  SET_VECTOR_ELT(program_shelter(tape), SHELTER_GRADIENTS, arena);
}

/* The gradients of the sources are computed in the tensors that R gets: one per entry of `sources` that is
 * reached, but one that is named again later on. */
static SEXP results_new(struct program *p, const int32_t *sources, int n) {
  SEXP results = PROTECT(Rf_allocVector(VECSXP, n));
  for (int k = 0; k < n; k++) p->slots[sources[k]].given = 0;
  for (int k = 0; k < n; k++) {
    struct slot *s = &p->slots[sources[k]];
    struct tensor t;
    if (!s->reached || s->given) continue;
    SET_VECTOR_ELT(results, k, tensor_new(s->dtype, &s->shape, &t));
    s->gradient = t.data;
    s->given = 1;
  }
  UNPROTECT(1);
  return results;
}

static SEXP gradients_of(SEXP tape, const int32_t *targets, int n_targets, SEXP seeds, const int32_t *sources,
  int n_sources) {
  struct program *p = program_locate(tape);
  struct failure failure;
  program_plan_backward(p, targets, n_targets);
  SEXP results = PROTECT(results_new(p, sources, n_sources));
  seed_targets(p, targets, n_targets, seeds);
  if (run_program(p, 0, 1, team_choice_shared(), &failure)) raise(&failure);
  for (int k = 0; k < n_sources; k++) {
    const struct slot *s = &p->slots[sources[k]];
    struct tensor t;
    if (!s->reached || !Rf_isNull(VECTOR_ELT(results, k))) continue;
    SET_VECTOR_ELT(results, k, tensor_new(s->dtype, &s->shape, &t));
    memcpy(t.data, s->gradient, (size_t)shape_count(&s->shape) * dtype_size[s->dtype]);
  }
  UNPROTECT(1);
  return results;
}

/* Gradients of the (summed) targets towards the sources: a list of tensors, NULL where a source
 * has no part in them. */
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds, SEXP scratch);
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds, SEXP scratch) {
  int n_targets = (int)list_length(targets), n_sources = (int)list_length(sources), known = 0, watched;
  if (!Rf_isNull(seeds)) check_vector(seeds, VECSXP, n_targets);
  int32_t *from = (int32_t *)R_alloc((size_t)n_targets + 1, sizeof *from);
  SEXP known_seeds = PROTECT(Rf_allocVector(VECSXP, n_targets));
  for (int k = 0; k < n_targets; k++) {
    int32_t slot = slot_of(tape, VECTOR_ELT(targets, k), &watched); /* raises an error if it is no tensor */
    if (slot < 0) continue;
    if (!Rf_isNull(seeds)) SET_VECTOR_ELT(known_seeds, known, VECTOR_ELT(seeds, k));
    from[known++] = slot;
  }
  /* one entry per slot of each source; `of` says whose */
  int entries = 0;
  for (int k = 0; k < n_sources; k++) {
    int64_t at = -1;
    tensor_block(VECTOR_ELT(sources, k));
    while (program_next_slot(tape, VECTOR_ELT(sources, k), &at) >= 0) entries++;
  }
  int32_t *to = (int32_t *)R_alloc((size_t)entries + 1, sizeof *to), *of = (int32_t *)R_alloc((size_t)entries + 1,
    sizeof *of);
  entries = 0;
  for (int k = 0; k < n_sources; k++) {
    int64_t at = -1;
    for (int32_t slot; (slot = program_next_slot(tape, VECTOR_ELT(sources, k), &at)) >= 0; entries++)
      to[entries] = slot, of[entries] = k;
  }
  share_arena(tape, scratch);
  SEXP gradients = PROTECT(gradients_of(tape, from, known, known_seeds, to, entries));
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
  SEXP object = slot < XLENGTH(objects) ? VECTOR_ELT(objects, slot) : R_NilValue;
  return Rf_isNull(object) ? symbolic_new(program, slot) : object;
}

static SEXP numbers(R_xlen_t n, const int64_t *from) {
  SEXP x = Rf_allocVector(REALSXP, n);
  for (R_xlen_t i = 0; i < n; i++) REAL(x)[i] = (double)from[i];
  return x;
}

static SEXP describe_node(SEXP program, int32_t at) {
  static const char *const name[] = {"at", "op", "inputs", "from", "blocks", "output", "to", "ints", "reals",
    "program", ""};
  const struct node *n = &as_program(program)->nodes[at];
  SEXP node = PROTECT(Rf_mkNamed(VECSXP, (const char **)(uintptr_t)name)), blocks = VECTOR_ELT(program_shelter(program),
    SHELTER_BLOCKS);
  SET_VECTOR_ELT(node, 0, Rf_ScalarInteger(at));
  SET_VECTOR_ELT(node, 1, Rf_mkString(op_name(n->op)));
  SET_VECTOR_ELT(node, 2, Rf_allocVector(VECSXP, n->inputs));
  SET_VECTOR_ELT(node, 3, Rf_allocVector(INTSXP, n->inputs));
  SET_VECTOR_ELT(node, 4, Rf_allocVector(VECSXP, n->inputs));
  for (int k = 0; k < n->inputs; k++) {
    int32_t slot = as_program(program)->operands[n->first + k].slot;
    SEXP input = tensor_of(program, slot);
    SET_VECTOR_ELT(VECTOR_ELT(node, 2), k, input);
    INTEGER(VECTOR_ELT(node, 3))[k] = slot + 1;
    /* a variable that changed since */
    if (as_program(program)->slots[slot].kind == SLOT_BOUND && is_variable(input) &&
      block_version(VECTOR_ELT(blocks, slot)) != block_version(tensor_block(input)))
      SET_VECTOR_ELT(VECTOR_ELT(node, 4), k, VECTOR_ELT(blocks, slot));
  }
  SET_VECTOR_ELT(node, 6, Rf_ScalarInteger(n->out + 1));
  if (n->out >= 0) SET_VECTOR_ELT(node, 5, tensor_of(program, n->out));
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
  if (program_variable_changes(as_program(program), first, first + n))
    raise_text(STATUS_TRACED, "a variable changes between the ops on the tape and the gradient");
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 3)), nodes = Rf_allocVector(VECSXP, n);
  SET_VECTOR_ELT(result, 0, nodes);
  for (int32_t i = 0; i < n; i++) SET_VECTOR_ELT(nodes, i, describe_node(program, first + i));
  SEXP follows = Rf_allocVector(LGLSXP, slots);
  SET_VECTOR_ELT(result, 1, follows);
  SEXP floats = Rf_allocVector(LGLSXP, slots);
  SET_VECTOR_ELT(result, 2, floats);
  for (int32_t k = 0; k < slots; k++) {
    LOGICAL(follows)[k] = as_program(program)->slots[k].wants_gradient != 0;
    LOGICAL(floats)[k] = dtype_is_float(as_program(program)->slots[k].dtype);
  }
  UNPROTECT(1);
  return result;
}

/* The names of the ops of its nodes. */
SEXP ffi_program_ops(SEXP program);
SEXP ffi_program_ops(SEXP program) {
  int32_t n = as_program(program)->nodes_used;
  SEXP ops = PROTECT(Rf_allocVector(STRSXP, n));
  for (int32_t i = 0; i < n; i++) SET_STRING_ELT(ops, i, Rf_mkChar(op_name(as_program(program)->nodes[i].op)));
  UNPROTECT(1);
  return ops;
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
    for (int32_t k; (k = program_next_slot(program, x, &at)) >= 0;)
      if (!as_int(now) || as_program(program)->slots[k].kind == SLOT_SHARED ||
        block_version(VECTOR_ELT(blocks, k)) == block_version(tensor_block(x))) INTEGER(slots)[found++] = k + 1;
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
