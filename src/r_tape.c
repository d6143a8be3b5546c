/* r_tape.c - a tape is a program that is kept while ops run eagerly: all its slots are bound to the
 * tensors' own memory. Tensors are known by their external pointer. */
#include "r_border.h"

#include <string.h>

/* ---- which slot is this tensor? An open-addressing hash table of slot numbers + 1. ---- */

static uint32_t hash_of(SEXP x, uint32_t size) {
  uint64_t h = (uint64_t)(uintptr_t)x >> 4;
  return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 40) & (size - 1);
}

static void index_insert(SEXP index, SEXP object, int32_t slot) {
  uint32_t size = (uint32_t)XLENGTH(index), at = hash_of(object, size);
  while (INTEGER(index)[at]) at = (at + 1) & (size - 1);
  INTEGER(index)[at] = slot + 1;
}

static int32_t slot_of(SEXP tape, SEXP object) {
  SEXP shelter = program_shelter(tape), index = VECTOR_ELT(shelter, SHELTER_INDEX);
  if (TYPEOF(index) != INTSXP) return -1;
  SEXP objects = VECTOR_ELT(shelter, SHELTER_OBJECTS);
  uint32_t size = (uint32_t)XLENGTH(index);
  for (uint32_t at = hash_of(object, size); INTEGER(index)[at]; at = (at + 1) & (size - 1))
    if (VECTOR_ELT(objects, INTEGER(index)[at] - 1) == object) return INTEGER(index)[at] - 1;
  return -1;
}

static int32_t add_tensor(SEXP tape, SEXP object, int wants_gradient) {
  int32_t slot = program_bind(tape, object, wants_gradient);
  SEXP shelter = program_shelter(tape), index = VECTOR_ELT(shelter, SHELTER_INDEX);
  R_xlen_t size = TYPEOF(index) == INTSXP ? XLENGTH(index) : 0;
  if (2 * (slot + 1) > size) { /* at most half full */
    SEXP objects = VECTOR_ELT(shelter, SHELTER_OBJECTS);
    index = PROTECT(Rf_allocVector(INTSXP, size ? 2 * size : 64));
    memset(INTEGER(index), 0, (size_t)XLENGTH(index) * sizeof(int));
    for (int32_t k = 0; k <= slot; k++)
      if (!Rf_isNull(VECTOR_ELT(objects, k))) index_insert(index, VECTOR_ELT(objects, k), k);
    SET_VECTOR_ELT(shelter, SHELTER_INDEX, index);
    UNPROTECT(1);
  } else {
    index_insert(index, object, slot);
  }
  return slot;
}

/* ---- recording ---- */

SEXP ffi_tape_watch(SEXP tape, SEXP tensor);
SEXP ffi_tape_watch(SEXP tape, SEXP tensor) {
  if (!dtype_is_float(as_tensor(tensor).dtype))
    raise_text(STATUS_DTYPE, "only float tensors have gradients, not %s", dtype_name[as_tensor(tensor).dtype]);
  int32_t slot = slot_of(tape, tensor);
  if (slot < 0) add_tensor(tape, tensor, 1);
  else as_program(tape)->slots[slot].wants_gradient = 1;
  return R_NilValue;
}

void tape_record(SEXP tape, int op, SEXP inputs, const struct attr *attr, SEXP output, SEXP scratch, double work) {
  int n = (int)XLENGTH(inputs), watched = 0;
  if (!op_info[op].differentiable) return;
  int32_t *in = (int32_t *)R_alloc((size_t)n + 1, sizeof *in);
  for (int k = 0; k < n; k++) {
    SEXP x = VECTOR_ELT(inputs, k);
    in[k] = slot_of(tape, x);
    watched = watched || is_trainable(x) || (in[k] >= 0 && as_program(tape)->slots[in[k]].wants_gradient);
  }
  if (!watched) return;
  for (int k = 0; k < n; k++) {
    SEXP x = VECTOR_ELT(inputs, k);
    in[k] = slot_of(tape, x); /* an input may be named twice */
    if (in[k] < 0) in[k] = add_tensor(tape, x, is_trainable(x));
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

/* Gradients of the (summed) targets towards the sources: a list of tensors, NULL where a source
 * has no part in them. */
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds);
SEXP ffi_tape_gradient(SEXP tape, SEXP targets, SEXP sources, SEXP seeds) {
  int n_targets = (int)list_length(targets), n_sources = (int)list_length(sources), known = 0;
  int32_t *from = (int32_t *)R_alloc((size_t)n_targets + 1, sizeof *from);
  int32_t *to = (int32_t *)R_alloc((size_t)n_sources + 1, sizeof *to);
  SEXP known_seeds = PROTECT(Rf_allocVector(VECSXP, n_targets));
  for (int k = 0; k < n_targets; k++) {
    as_tensor(VECTOR_ELT(targets, k)); /* raises an error if it is none */
    int32_t slot = slot_of(tape, VECTOR_ELT(targets, k));
    if (slot < 0) continue;
    if (!Rf_isNull(seeds)) SET_VECTOR_ELT(known_seeds, known, VECTOR_ELT(seeds, k));
    from[known++] = slot;
  }
  for (int k = 0; k < n_sources; k++) {
    as_tensor(VECTOR_ELT(sources, k));
    to[k] = slot_of(tape, VECTOR_ELT(sources, k));
  }
  program_allocate(tape, 1);
  SEXP result = program_gradients(tape, from, known, known_seeds, to, n_sources, 0);
  UNPROTECT(1);
  return result;
}
