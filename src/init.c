/* init.c - what R may call, and what is decided once when the package loads. */
#include "border/r_border.h"

#include <R_ext/Visibility.h>
#include <string.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#define ROUTINES(ROW)                                                                                             \
  ROW(apply, 5) ROW(apply_again, 4) ROW(array, 1) ROW(blas, 1) ROW(check_fits, 2)                                   \
  ROW(check_room, 3) ROW(communicator_leave, 1) ROW(communicator_numbers, 1) ROW(communicator_sum, 3)             \
  ROW(copies, 2) ROW(crc32, 2) ROW(digits, 4) ROW(enums, 0) ROW(epoch_rewind, 1) ROW(epoch_run, 14)               \
  ROW(epoch_state, 2) ROW(epoch_totals, 1) ROW(example, 1) ROW(file_write, 3) ROW(fingerprint, 1) ROW(finite_ends, 1) \
  ROW(folder_sync, 1) ROW(has_process, 1) ROW(is_device, 1) ROW(json_read, 1) ROW(json_scan, 2) ROW(kernels, 1)   \
  ROW(map_file, 1) ROW(numbers_packed, 1) ROW(numbers_unpacked, 2) ROW(numpy_shuffle, 2) ROW(op_table, 0)         \
  ROW(open_shape, 1) ROW(optimizer_apply, 3) ROW(optimizer_claim, 3) ROW(optimizer_memory, 3)                     \
  ROW(optimizer_new, 1) ROW(optimizer_restore, 4) ROW(optimizer_states, 2) ROW(optimizer_step, 4) ROW(pack, 1)    \
  ROW(pickle, 4) ROW(place_of, 2) ROW(plain_dtype, 1) ROW(program_assign, 3) ROW(program_by_rule, 1)              \
  ROW(program_describe, 2) ROW(program_draws, 1) ROW(program_gradient, 5) ROW(program_guard, 5)                   \
  ROW(program_input, 4) ROW(program_new, 0) ROW(program_position, 1) ROW(program_reduce, 3) ROW(program_rows, 1)  \
  ROW(program_run, 4) ROW(program_seal, 3) ROW(program_update, 4) ROW(proto_fields, 1) ROW(recording, 3)          \
  ROW(records, 2) ROW(same_sizes, 2) ROW(sha256, 1) ROW(signature, 2) ROW(stream_new, 1) ROW(stream_next, 3)      \
  ROW(string_buckets, 3) ROW(string_limbs, 1) ROW(tape_gradient, 5) ROW(tape_nodes, 2) ROW(tape_reset, 2)         \
  ROW(tape_slots, 3) ROW(tape_variables, 1) ROW(tape_watch, 2) ROW(tensor, 2) ROW(tensor_bytes, 1)                \
  ROW(tensor_from_bytes, 4) ROW(tensor_info, 1) ROW(tensor_into, 4) ROW(threads, 2) ROW(threads_end, 0)           \
  ROW(value_from_shapes, 1) ROW(variable, 3) ROW(variable_assign, 2) ROW(variable_block, 2)                       \
  ROW(variable_info, 1) ROW(variables_wait, 2) ROW(varints, 1) ROW(weak, 2) ROW(weak_value, 1)

#define ARGS_0 void
#define ARGS_1 SEXP
#define ARGS_2 SEXP, SEXP
#define ARGS_3 SEXP, SEXP, SEXP
#define ARGS_4 SEXP, SEXP, SEXP, SEXP
#define ARGS_5 SEXP, SEXP, SEXP, SEXP, SEXP
#define ARGS_14 SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP
#define DECLARE(name, n) SEXP ffi_##name(ARGS_##n);
#define REGISTER(name, n) {#name, (DL_FUNC)(void (*)(void))&ffi_##name, n},
ROUTINES(DECLARE)

/* Limit and number of threads: 0 asks only. Tests say how little work a thread is good for; 0 is the usual. */
SEXP ffi_threads(SEXP n, SEXP work) {
  check_vector(work, REALSXP, 1);
  if (as_int(n) > 0) threads_set_limit(as_int(n), REAL(work)[0]);
  SEXP result = Rf_allocVector(INTSXP, 2);
  INTEGER(result)[0] = threads_limit();
  INTEGER(result)[1] = threads_available();
  return result;
}

/* Before the library is unloaded. R calls no R_unload_nativenet() where it may not look for symbols. */
SEXP ffi_threads_end(void) {
  threads_end();
  return R_NilValue;
}

/* Choose the instruction set again, for tests and benchmarks: its name, or "widest"; "" asks only. */
SEXP ffi_kernels(SEXP widest) {
  check_vector(widest, STRSXP, 1);
  const char *name = CHAR(STRING_ELT(widest, 0));
  if (*name) kernels_choose(strcmp(name, "widest") ? name : NULL);
  return Rf_mkString(kernels[FLOAT32]->name);
}

static const R_CallMethodDef routines[] = {ROUTINES(REGISTER){NULL, NULL, 0}};

_Static_assert(sizeof(float) == 4 && sizeof(double) == 8, "nativenet needs IEEE 754 numbers");

/* The engine relies on this; better to refuse to load than to compute nonsense. */
static void check_machine(void) {
  const double zero = 0;
  const unsigned char bytes[sizeof(double)] = {0};
  if (memcmp(&zero, bytes, sizeof zero) != 0) Rf_error("nativenet needs IEEE 754 numbers");
}

/* Tensors come and go at every step. After each collection glibc hands back to the system what R freed and soon fetches
 * it again, page by page. An option lets it keep so much, in the whole process, which may have better use for it: so it
 * must be asked for. Blocks beyond 32 MB, the most that it lets one choose, are handed back as ever. */
#define KEPT_BYTES (1 << 30)
static void keep_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}

void attribute_visible R_init_nativenet(DllInfo *dll);
void attribute_visible R_init_nativenet(DllInfo *dll) {
  check_machine();
  if (Rf_asLogical(Rf_GetOption1(Rf_install("nativenet.keep_memory"))) == 1) keep_freed_memory();
  border_open();
  kernels_choose(NULL);
  lapack_open();
  sizes_register(dll);
  R_registerRoutines(dll, NULL, routines, NULL, NULL);
  R_useDynamicSymbols(dll, FALSE);
  R_forceSymbols(dll, TRUE);
}
