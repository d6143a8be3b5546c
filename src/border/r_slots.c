/* r_slots.c - which slot of a program stands for this tensor? An open-addressing hash table of slot numbers + 1.
 * Tensors are known by their external pointer. On a tape, a variable that was assigned to has a slot for each
 * of its blocks. */
#include "border/r_border.h"

#include <string.h>

/* The table lies behind a pointer whose address says for which shelter it was made: a tape that was
 * saved and read again needs a new one. */
static SEXP index_of(SEXP shelter) {
  SEXP index = VECTOR_ELT(shelter, SHELTER_INDEX);
  return TYPEOF(index) == EXTPTRSXP && R_ExternalPtrAddr(index) == (void *)shelter ? R_ExternalPtrProtected(index) :
    R_NilValue;
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

int32_t program_next_slot(SEXP program, SEXP object, int64_t *at) {
  SEXP shelter = program_shelter(program), index = index_of(shelter), objects = VECTOR_ELT(shelter, SHELTER_OBJECTS);
  if (Rf_isNull(index)) index = index_build(shelter, as_program(program)->slots_used);
  uint32_t size = (uint32_t)XLENGTH(index), i = *at < 0 ? hash_of(object, size) : ((uint32_t)*at + 1) & (size - 1);
  for (; INTEGER(index)[i]; i = (i + 1) & (size - 1)) {
    if (VECTOR_ELT(objects, INTEGER(index)[i] - 1) != object) continue;
    *at = i;
    return INTEGER(index)[i] - 1;
  }
  return -1;
}

/* Enter the slot under its object. */
static int32_t enter(SEXP program, SEXP object, int32_t slot) {
  SEXP shelter = program_shelter(program), index = index_of(shelter);
  if (Rf_isNull(index) || 2 * ((R_xlen_t)slot + 1) > XLENGTH(index)) index_build(shelter, slot + 1);
  else index_insert(index, object, slot);
  return slot;
}

int32_t program_bind(SEXP program, SEXP object, int watched) {
  struct tensor t = as_tensor(object);
  int32_t slot = program_bind_block(program, tensor_block(object), t.dtype, &t.shape);
  struct program *p = as_program(program);
  p->slots[slot].watched = watched && dtype_is_float(t.dtype);
  program_keep(program, SHELTER_OBJECTS, slot, object);
  return enter(program, object, slot);
}

int32_t program_slot(SEXP program, SEXP object) {
  int64_t at = -1;
  if (is_symbolic(object)) return slot_in(program, object);
  if (is_variable(object)) { /* what it holds by now */
    int32_t last = program_shared_slot(program, object);
    for (int32_t slot; (slot = program_next_slot(program, object, &at)) >= 0;) last = slot > last ? slot : last;
    return last;
  }
  int32_t slot = program_next_slot(program, object, &at);
  return slot >= 0 ? slot : program_bind(program, object, 0);
}

void program_hold(SEXP program, SEXP variable, int32_t slot) {
  int32_t now = program_slot(program, variable);
  struct slot *slots = as_program(program)->slots;
  int32_t home = slots[now].home;
  slots[slot].home = home;
  slots[slot].trainable = slots[home].trainable;
  slots[home].written = 1;
  program_keep(program, SHELTER_OBJECTS, slot, variable);
  enter(program, variable, slot);
}

int32_t program_shared_slot(SEXP program, SEXP object) {
  int64_t at = -1;
  int32_t slot = program_next_slot(program, object, &at);
  if (slot >= 0) return as_program(program)->slots[slot].home;
  slot = program_bind(program, object, 0);
  struct slot *s = &as_program(program)->slots[slot];
  s->kind = SLOT_SHARED;
  s->trainable = is_trainable(object);
  program_keep(program, SHELTER_BLOCKS, slot, R_NilValue);
  return slot;
}

/* ---- what a traced function was called with ---- */

struct signature {
  SEXP leaves; /* the tensors, or NULL */
  int n;       /* of them */
  int64_t rows; /* first sizes that are left open: those like the first one; -1 before there is one */
};

/* Copies nested lists with tensors replaced by their dtype and shape (as raw bytes). Variables stay: they are what they
 * are, whatever their numbers. */
static SEXP key_of(SEXP x, struct signature *s) {
  if (is_tensor(x) && !is_symbolic(x) && !is_variable(x)) {
    struct tensor t = as_tensor(x);
    int64_t numbers[2 + MAX_RANK] = {t.dtype, t.shape.rank};
    for (int i = 0; i < t.shape.rank; i++) numbers[2 + i] = t.shape.dim[i];
    if (t.shape.rank && s->rows == -1) s->rows = t.shape.dim[0];
    if (t.shape.rank && s->rows > 0 && s->rows == t.shape.dim[0]) numbers[2] = -1; /* no rows: a kind of its own */
    SEXP key = Rf_allocVector(RAWSXP, sizeof numbers);
    memcpy(RAW(key), numbers, sizeof numbers);
    if (!Rf_isNull(s->leaves)) SET_VECTOR_ELT(s->leaves, s->n, x);
    s->n++;
    return key;
  }
  if (TYPEOF(x) != VECSXP || Rf_isObject(x)) return x;
  SEXP key = PROTECT(Rf_shallow_duplicate(x));
  for (R_xlen_t i = 0; i < XLENGTH(x); i++) SET_VECTOR_ELT(key, i, key_of(VECTOR_ELT(x, i), s));
  UNPROTECT(1);
  return key;
}

/* list(key, the tensors in it, rows). If `open`, the key is that of batches of any size: the first axes of the first
 * tensor, and of all whose first axes have as many rows, are left open. */
#define NOT_OPEN (-2)
SEXP ffi_signature(SEXP args, SEXP open);
SEXP ffi_signature(SEXP args, SEXP open) {
  int64_t rows = as_int(open) ? -1 : NOT_OPEN;
  struct signature count = {R_NilValue, 0, rows}, s = {R_NilValue, 0, rows};
  check_vector(args, VECSXP, -1);
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 3));
  key_of(args, &count);
  s.leaves = Rf_allocVector(VECSXP, count.n);
  SET_VECTOR_ELT(result, 1, s.leaves);
  SET_VECTOR_ELT(result, 0, key_of(args, &s));
  SET_VECTOR_ELT(result, 2, Rf_ScalarReal((double)s.rows));
  UNPROTECT(1);
  return result;
}
