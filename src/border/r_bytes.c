/* r_bytes.c - the bytes of tensors as files hold them, row-major, and files that are written as a whole or not at all.
 */
#include "border/r_border.h"
#include "base/system.h"

#include <errno.h>
#include <string.h>

static size_t tensor_bytes(const struct tensor *t) { return (size_t)shape_count(&t->shape) * dtype_size[t->dtype]; }

/* Files hold each number with its lowest byte first, whatever the machine does. Copies numbers of `size` bytes there or
 * back. */
static int is_little_endian(void) {
  const uint16_t one = 1;
  unsigned char first;
  memcpy(&first, &one, 1);
  return first == 1;
}

static void copy_numbers(void *to, const void *from, size_t bytes, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  if (!bytes) return;
  if (is_little_endian()) memcpy(to, from, bytes);
  else
    for (size_t i = 0; i < bytes; i++) t[i] = f[i / size * size + (size - 1 - i % size)];
}

static int write_numbers(FILE *file, const unsigned char *at, size_t bytes, size_t size) {
  if (is_little_endian()) return bytes == 0 || fwrite(at, 1, bytes, file) == bytes;
  unsigned char block[1 << 12];
  for (size_t i = 0; i < bytes; i += sizeof block) {
    size_t n = bytes - i < sizeof block ? bytes - i : sizeof block;
    copy_numbers(block, at + i, n, size);
    if (fwrite(block, 1, n, file) != n) return 0;
  }
  return 1;
}

/* A raw vector, as a file would hold it. */
SEXP ffi_tensor_bytes(SEXP x);
SEXP ffi_tensor_bytes(SEXP x) {
  struct tensor t = as_tensor(x);
  SEXP bytes = PROTECT(vector_for(RAWSXP, (int64_t)tensor_bytes(&t), "the bytes of a tensor", &t.shape));
  copy_numbers(RAW(bytes), t.data, (size_t)XLENGTH(bytes), dtype_size[t.dtype]);
  UNPROTECT(1);
  return bytes;
}

/* A tensor of this dtype and shape from the bytes that begin at `offset`. */
SEXP ffi_tensor_from_bytes(SEXP bytes, SEXP offset, SEXP dtype, SEXP dim);
SEXP ffi_tensor_from_bytes(SEXP bytes, SEXP offset, SEXP dtype, SEXP dim) {
  check_vector(bytes, RAWSXP, -1);
  check_vector(dim, REALSXP, -1);
  double from = as_number(offset);
  struct shape shape = {0, {0}};
  if (XLENGTH(dim) > MAX_RANK) raise_text(STATUS_SHAPE, "at most %d axes are possible", MAX_RANK);
  for (R_xlen_t i = 0; i < XLENGTH(dim); i++) {
    double n = REAL(dim)[i];
    if (!(n >= 0 && n <= INT32_MAX)) raise_text(STATUS_SHAPE, "an axis of %g elements is not possible", n);
    shape.dim[shape.rank++] = (int64_t)n;
  }
  struct tensor t;
  /* checked before anything is allocated, in numbers that cannot overflow */
  double needed = (double)dtype_size[as_dtype(dtype, 0)];
  for (int i = 0; i < shape.rank; i++) needed *= (double)shape.dim[i];
  if (!(from >= 0 && from + needed <= (double)XLENGTH(bytes)))
    raise_text(STATUS_VALUE, "internal error: too few bytes for a tensor");
  SEXP x = PROTECT(tensor_new(as_dtype(dtype, 0), &shape, &t));
  copy_numbers(t.data, RAW(bytes) + (size_t)from, tensor_bytes(&t), dtype_size[t.dtype]);
  unsigned char *flag = t.data;
  for (size_t i = 0; t.dtype == BOOL && i < tensor_bytes(&t); i++) flag[i] = flag[i] != 0;
  UNPROTECT(1);
  return x;
}

static SEXP outcome(int ok, int error) {
  return ok ? R_NilValue : Rf_mkString(error ? strerror(error) : "unknown error");
}

/* A device or a pipe must not be replaced by a file. */
SEXP ffi_is_device(SEXP path);
SEXP ffi_is_device(SEXP path) { return Rf_ScalarLogical(system_is_device(path_of(path))); }

SEXP ffi_has_process(SEXP ids);
SEXP ffi_has_process(SEXP ids) {
  check_vector(ids, INTSXP, -1);
  SEXP runs = Rf_allocVector(LGLSXP, XLENGTH(ids));
  for (R_xlen_t i = 0; i < XLENGTH(ids); i++) LOGICAL(runs)[i] = system_has_process(INTEGER(ids)[i]);
  return runs;
}

/* Write pieces (raw vectors and tensors) to a new file, or after what it holds. They are on the disk when this returns.
 * NULL, or what went wrong. */
SEXP ffi_file_write(SEXP path, SEXP pieces, SEXP append);
SEXP ffi_file_write(SEXP path, SEXP pieces, SEXP append) {
  const char *name = path_of(path);
  for (R_xlen_t i = 0; i < list_length(pieces); i++)
    if (TYPEOF(VECTOR_ELT(pieces, i)) != RAWSXP) as_tensor(VECTOR_ELT(pieces, i));
  FILE *file = system_open(name, as_int(append));
  if (!file) return outcome(0, errno);
  int ok = 1; /* from here to the end nothing may raise an error */
  for (R_xlen_t i = 0; ok && i < list_length(pieces); i++) {
    SEXP piece = VECTOR_ELT(pieces, i);
    if (TYPEOF(piece) == RAWSXP) ok = write_numbers(file, RAW(piece), (size_t)XLENGTH(piece), 1);
    else {
      struct tensor t = as_tensor(piece);
      ok = write_numbers(file, t.data, tensor_bytes(&t), dtype_size[t.dtype]);
    }
  }
  ok = ok && fflush(file) == 0;
  int error = ok ? system_sync(file) : errno;
  ok = ok && !error;
  if (fclose(file) != 0 && ok) ok = 0, error = errno;
  return outcome(ok, error);
}

SEXP ffi_folder_sync(SEXP path);
SEXP ffi_folder_sync(SEXP path) {
  system_sync_folder(path_of(path));
  return R_NilValue;
}
