/* r_tape.c - a tape is a program that is kept while ops run eagerly: all its slots are bound to the
 * tensors' own memory. Tensors are known by their external pointer. */
#include "r_border.h"

#include <string.h>

/* ---- which slot is this tensor? An open-addressing hash table of slot numbers + 1. A variable that
 * was assigned to has a slot for each of its blocks. ---- */

/* The table lies behind a pointer whose address says for which shelter it was made: a tape that was
 * saved and read again needs a new one. */
static SEXP index_of(SEXP shelter) {
  SEXP index = VECTOR_ELT(shelter, SHELTER_INDEX);
  return TYPEOF(index) == EXTPTRSXP && R_ExternalPtrAddr(index) == (void *)shelter ? R_ExternalPtrProtected(index) : R_NilValue;
}

static uint32_t hash_of(SEXP x, uint32_t size) {
  uint64_t h = (uint64_t)(uintptr_t)x >> 4;
  return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 40) & (size - 1);
}

static void index_insert(SEXP index, SEXP object, int32_t slot) {
  uint32_t size = (uint32_t)XLENGTH(index), at = hash_of(object, size);
  while (INTEGER(index)[at]) at = (at + 1) & (size - 1);
  INTEGER(index)[at] = slot + 1;
}

/* A table for `slots` slots, at most half full. */
static SEXP index_build(SEXP shelter, int32_t slots) {
  R_xlen_t size = 64;
  while (size < 4 * (R_xlen_t)slots) size *= 2;
  SEXP index = PROTECT(Rf_allocVector(INTSXP, size)), objects = VECTOR_ELT(shelter, SHELTER_OBJECTS);
  memset(INTEGER(index), 0, (size_t)size * sizeof(int));
  for (int32_t k = 0; k < slots && k < XLENGTH(objects); k++)
    if (!Rf_isNull(VECTOR_ELT(objects, k))) index_insert(index, VECTOR_ELT(objects, k), k);
  SET_VECTOR_ELT(shelter, SHELTER_INDEX, R_MakeExternalPtr((void *)shelter, R_NilValue, index));
  UNPROTECT(1);
  return index;
}

/* Visit the slots of an object: *at starts as -1; returns -1 when there are no more. */
static int32_t next_slot(SEXP tape, SEXP object, int64_t *at) {
  SEXP shelter = program_shelter(tape), index = index_of(shelter), objects = VECTOR_ELT(shelter, SHELTER_OBJECTS);
  if (Rf_isNull(index)) index = index_build(shelter, as_program(tape)->slots_used);
  uint32_t size = (uint32_t)XLENGTH(index), i = *at < 0 ? hash_of(object, size) : ((uint32_t)*at + 1) & (size - 1);
  for (; INTEGER(index)[i]; i = (i + 1) & (size - 1)) {
    if (VECTOR_ELT(objects, INTEGER(index)[i] - 1) != object) continue;
    *at = i;
    return INTEGER(index)[i] - 1;
  }
  return -1;
}

/* The slot of the object's present numbers, or -1; *watched: does a gradient flow to any of them? */
static int32_t slot_of(SEXP tape, SEXP object, int *watched) {
  SEXP blocks = VECTOR_ELT(program_shelter(tape), SHELTER_BLOCKS), block = tensor_block(object);
  int32_t found = -1;
  int64_t at = -1;
  *watched = is_trainable(object);
  for (int32_t k; (k = next_slot(tape, object, &at)) >= 0;) {
    *watched = *watched || as_program(tape)->slots[k].wants_gradient;
    if (block_version(VECTOR_ELT(blocks, k)) == block_version(block)) found = k;
  }
  return found;
}

static int32_t add_tensor(SEXP tape, SEXP object, int wants_gradient) {
  int32_t slot = program_bind(tape, object, wants_gradient);
  SEXP shelter = program_shelter(tape), index = index_of(shelter);
  if (Rf_isNull(index) || 2 * ((R_xlen_t)slot + 1) > XLENGTH(index)) index_build(shelter, slot + 1);
  else index_insert(index, object, slot);
  return slot;
}

/* ---- recording ---- */

SEXP ffi_tape_watch(SEXP tape, SEXP tensor);
SEXP ffi_tape_watch(SEXP tape, SEXP tensor) {
  if (!dtype_is_float(as_tensor(tensor).dtype))
    raise_text(STATUS_DTYPE, "only float tensors have gradients, not %s", dtype_name[as_tensor(tensor).dtype]);
  int watched;
  int32_t slot = slot_of(tape, tensor, &watched);
  if (slot < 0) add_tensor(tape, tensor, 1);
  else as_program(tape)->slots[slot].wants_gradient = 1;
  return R_NilValue;
}

void tape_record(SEXP tape, int op, SEXP inputs, const struct attr *attr, SEXP output, SEXP scratch, double work) {
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
    if (in[k] < 0) in[k] = add_tensor(tape, VECTOR_ELT(inputs, k), own);
  }
  int32_t out = add_tensor(tape, output, 0), kept = -1;
  if (!Rf_isNull(scratch)) {
    int dtype = as_tensor(VECTOR_ELT(inputs, op_key(op))).dtype;
    struct shape flat = {.rank = 1, .dim = {(int64_t)XLENGTH(scratch) / (int64_t)dtype_size[dtype]}};
    kept = program_bind_block(tape, scratch, dtype, &flat);
  }
  struct program *p = program_reserve(tape, 0, 1, n);
  program_add_node(p, op, in, n, attr, out, kept, work);
}

/* to += from, or a copy of from where `to` is NULL still */
static SEXP add_gradients(SEXP to, SEXP from) {
  if (Rf_isNull(to) || Rf_isNull(from)) return Rf_isNull(to) ? from : to;
  struct tensor a = as_tensor(to), b = as_tensor(from);
  for (int64_t i = 0; i < shape_count(&a.shape); i++) {
    if (a.dtype == FLOAT32) ((float *)a.data)[i] += ((const float *)b.data)[i];
    else ((double *)a.data)[i] += ((const double *)b.data)[i];
  }
  return to;
}

/* Gradients of the (summed) targets towards the sources: a list of tensors, NULL where a source
 * has no part in them. */
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds);
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds) {
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
    while (next_slot(tape, VECTOR_ELT(sources, k), &at) >= 0) entries++;
  }
  int32_t *to = (int32_t *)R_alloc((size_t)entries + 1, sizeof *to), *of = (int32_t *)R_alloc((size_t)entries + 1, sizeof *of);
  entries = 0;
  for (int k = 0; k < n_sources; k++) {
    int64_t at = -1;
    for (int32_t slot; (slot = next_slot(tape, VECTOR_ELT(sources, k), &at)) >= 0; entries++) to[entries] = slot, of[entries] = k;
  }
  program_allocate(tape, 1);
  SEXP gradients = PROTECT(program_gradients(tape, from, known, known_seeds, to, entries, 0));
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n_sources));
  for (int i = 0; i < entries; i++)
    SET_VECTOR_ELT(result, of[i], add_gradients(VECTOR_ELT(result, of[i]), VECTOR_ELT(gradients, i)));
  UNPROTECT(3);
  return result;
}
