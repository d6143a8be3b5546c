/* r_bytes.c - the bytes of tensors as files hold them, row-major, and files that are written as a whole or not at all.
 */
#define _POSIX_C_SOURCE 200112L
#include "r_border.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#ifdef _WIN32
#include <io.h>
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

static size_t tensor_bytes(const struct tensor *t) { return (size_t)shape_count(&t->shape) * dtype_size[t->dtype]; }

/* A raw vector, in the machine's own order of bytes. */
SEXP ffi_tensor_bytes(SEXP x);
SEXP ffi_tensor_bytes(SEXP x) {
  struct tensor t = as_tensor(x);
  SEXP bytes = PROTECT(vector_for(RAWSXP, (int64_t)tensor_bytes(&t), "the bytes of a tensor", &t.shape));
  if (XLENGTH(bytes)) memcpy(RAW(bytes), t.data, (size_t)XLENGTH(bytes));
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
  if (needed > 0) memcpy(t.data, RAW(bytes) + (size_t)from, tensor_bytes(&t));
  unsigned char *flag = t.data;
  for (size_t i = 0; t.dtype == BOOL && i < tensor_bytes(&t); i++) flag[i] = flag[i] != 0;
  UNPROTECT(1);
  return x;
}

/* The sum that zip archives have of each entry. */
SEXP ffi_crc32(SEXP bytes);
SEXP ffi_crc32(SEXP bytes) {
  check_vector(bytes, RAWSXP, -1);
  uint32_t table[256], sum = 0xffffffffu;
  for (uint32_t i = 0; i < 256; i++) {
    table[i] = i;
    for (int k = 0; k < 8; k++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
  }
  for (R_xlen_t i = 0; i < XLENGTH(bytes); i++) sum = sum >> 8 ^ table[(sum ^ RAW(bytes)[i]) & 0xff];
  return Rf_ScalarReal((double)(sum ^ 0xffffffffu));
}

static const char *path_of(SEXP path) {
  check_vector(path, STRSXP, 1);
  return R_ExpandFileName(Rf_translateChar(STRING_ELT(path, 0)));
}

static SEXP outcome(int ok, int error) {
  return ok ? R_NilValue : Rf_mkString(error ? strerror(error) : "unknown error");
}

/* Is there anything but a plain file or a folder by this name: a device, a pipe? It must not be replaced by a file. */
SEXP ffi_is_device(SEXP path);
SEXP ffi_is_device(SEXP path) {
#ifdef _WIN32
  path_of(path);
  return Rf_ScalarLogical(0);
#else
  struct stat info;
  return Rf_ScalarLogical(stat(path_of(path), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
#endif
}

/* Write pieces (raw vectors and tensors) to a new file, or after what it holds. They are on the disk when this returns.
 * NULL, or what went wrong. */
SEXP ffi_file_write(SEXP path, SEXP pieces, SEXP append);
SEXP ffi_file_write(SEXP path, SEXP pieces, SEXP append) {
  const char *name = path_of(path);
  for (R_xlen_t i = 0; i < list_length(pieces); i++)
    if (TYPEOF(VECTOR_ELT(pieces, i)) != RAWSXP) as_tensor(VECTOR_ELT(pieces, i));
  FILE *file = fopen(name, as_int(append) ? "ab" : "wb");
  if (!file) return outcome(0, errno);
  int ok = 1; /* from here to the end nothing may raise an error */
  for (R_xlen_t i = 0; ok && i < list_length(pieces); i++) {
    SEXP piece = VECTOR_ELT(pieces, i);
    const void *at;
    size_t n;
    if (TYPEOF(piece) == RAWSXP) at = RAW(piece), n = (size_t)XLENGTH(piece);
    else {
      struct tensor t = as_tensor(piece);
      at = t.data, n = tensor_bytes(&t);
    }
    ok = n == 0 || fwrite(at, 1, n, file) == n;
  }
  ok = ok && fflush(file) == 0;
#ifdef _WIN32
  ok = ok && _commit(_fileno(file)) == 0;
#else
  ok = ok && (fsync(fileno(file)) == 0 || errno == EINVAL); /* EINVAL: a pipe or the like */
#endif
  int error = errno;
  if (fclose(file) != 0 && ok) ok = 0, error = errno;
  return outcome(ok, error);
}

/* Let the names in a folder reach the disk. Best effort: not all file systems know this. */
SEXP ffi_folder_sync(SEXP path);
SEXP ffi_folder_sync(SEXP path) {
#ifndef _WIN32
  int folder = open(path_of(path), O_RDONLY);
  if (folder < 0) return R_NilValue;
  if (fsync(folder) != 0) errno = 0;
  close(folder);
#else
  path_of(path);
#endif
  return R_NilValue;
}
