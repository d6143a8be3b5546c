#include "r_border.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ---- */

static const char *const status_class[STATUS_COUNT] = {"internal", "shape", "dtype", "value", "index", "internal", "nan", "stopped"};

void raise(const struct failure *failure) {
  SEXP name_space = PROTECT(R_FindNamespace(PROTECT(Rf_mkString("nativenet"))));
  SEXP kind = PROTECT(Rf_mkString(status_class[failure->status]));
  SEXP text = PROTECT(Rf_mkString(failure->text));
  SEXP call = PROTECT(Rf_lang3(Rf_install("raise_native"), kind, text));
  Rf_eval(call, name_space);
  Rf_error("internal error: raise_native() returned"); /* not reached */
}

void raise_text(enum status status, const char *format, ...) {
  struct failure failure;
  va_list args;
  va_start(args, format);
  vsnprintf(failure.text, sizeof failure.text, format, args);
  va_end(args);
  failure.status = status;
  raise(&failure);
}

/* ---- arguments ---- */

int as_int(SEXP x) {
  if (!Rf_isNumeric(x) || XLENGTH(x) != 1 || Rf_asInteger(x) == NA_INTEGER)
    raise_text(STATUS_VALUE, "internal error: expected one whole number");
  return Rf_asInteger(x);
}

double as_number(SEXP x) {
  if (!Rf_isNumeric(x) || XLENGTH(x) != 1) raise_text(STATUS_VALUE, "internal error: expected one number");
  return Rf_asReal(x);
}

int as_dtype(SEXP x, int or_none) {
  int dtype = as_int(x);
  if (dtype < (or_none ? -1 : 0) || dtype >= DTYPE_COUNT) raise_text(STATUS_DTYPE, "internal error: no dtype %d", dtype);
  return dtype;
}

void check_vector(SEXP x, SEXPTYPE type, R_xlen_t length) {
  if ((SEXPTYPE)TYPEOF(x) != type || (length >= 0 && XLENGTH(x) != length))
    raise_text(STATUS_VALUE, "internal error: expected a %s vector of length %lld", Rf_type2char(type), (long long)length);
}

R_xlen_t list_length(SEXP x) {
  if (Rf_isNull(x)) return 0;
  if (TYPEOF(x) != VECSXP) raise_text(STATUS_VALUE, "internal error: expected a list");
  return XLENGTH(x);
}

/* ---- external pointers ---- */

SEXP handle_new(SEXP protected_, const char *class1, const char *class2) {
  /* the address is only there so that identical() tells two objects apart */
  SEXP x = PROTECT(R_MakeExternalPtr(protected_, R_NilValue, protected_));
  SEXP class = PROTECT(Rf_allocVector(STRSXP, class2 ? 2 : 1));
  SET_STRING_ELT(class, 0, Rf_mkChar(class1));
  if (class2) SET_STRING_ELT(class, 1, Rf_mkChar(class2));
  Rf_setAttrib(x, R_ClassSymbol, class);
  UNPROTECT(2);
  return x;
}

/* ---- tensors ---- */

#define TENSOR_MAGIC 0x6e6e5431 /* "nnT1" */
#define HEADER_BYTES 128

struct header {
  int32_t magic, dtype, trainable;
  int32_t version; /* of a variable's numbers: how often it was assigned to */
  struct shape shape;
};
typedef char header_fits[sizeof(struct header) <= HEADER_BYTES ? 1 : -1];

static struct header *block_header(SEXP block) { return (struct header *)(void *)RAW(block); }

static SEXP block_new(int dtype, const struct shape *shape) {
  char text[120];
  if (!shape_is_possible(shape)) raise_text(STATUS_SHAPE, "a tensor of shape %s is too large", shape_format(shape, text, sizeof text));
  SEXP block = Rf_allocVector(RAWSXP, HEADER_BYTES + (R_xlen_t)((size_t)shape_count(shape) * dtype_size[dtype]));
  struct header *h = block_header(block);
  memset(h, 0, HEADER_BYTES); /* blocks are saved: no stray bytes */
  h->magic = TENSOR_MAGIC;
  h->dtype = dtype;
  h->shape.rank = shape->rank;
  for (int i = 0; i < shape->rank; i++) h->shape.dim[i] = shape->dim[i];
  return block;
}

SEXP tensor_new(int dtype, const struct shape *shape, struct tensor *t) {
  SEXP block = PROTECT(block_new(dtype, shape));
  if (t) *t = (struct tensor){dtype, *shape, RAW(block) + HEADER_BYTES};
  SEXP x = handle_new(block, "nn_tensor", "tensorflow.tensor");
  UNPROTECT(1);
  return x;
}

/* Objects that were saved and read again have lost their address; they get a new one when used. */
static void renew_address(SEXP x) {
  if (R_ExternalPtrAddr(x) != (void *)R_ExternalPtrProtected(x)) R_SetExternalPtrAddr(x, (void *)R_ExternalPtrProtected(x));
}

int is_tensor(SEXP x) { return TYPEOF(x) == EXTPTRSXP && Rf_inherits(x, "nn_tensor"); }
int is_symbolic(SEXP x) { return is_tensor(x) && TYPEOF(R_ExternalPtrProtected(x)) == VECSXP; }

SEXP tensor_block(SEXP x) {
  SEXP block = is_tensor(x) ? R_ExternalPtrProtected(x) : R_NilValue;
  if (TYPEOF(block) == VECSXP) raise_text(STATUS_VALUE, "a tensor without numbers: this function is being traced, and its values are known only when it runs");
  if (TYPEOF(block) != RAWSXP || XLENGTH(block) < HEADER_BYTES || block_header(block)->magic != TENSOR_MAGIC)
    raise_text(STATUS_VALUE, "expected a tensor");
  renew_address(x);
  return block;
}

int block_version(SEXP block) { return block_header(block)->version; }

int is_trainable(SEXP x) { return is_tensor(x) && !is_symbolic(x) && block_header(tensor_block(x))->trainable; }

struct tensor as_tensor(SEXP x) {
  SEXP block = tensor_block(x);
  const struct header *h = block_header(block);
  return (struct tensor){h->dtype, h->shape, RAW(block) + HEADER_BYTES};
}

SEXP coerce_tensor(SEXP x, int dtype) {
  if (is_tensor(x)) return x;
  int own = r_dtype(x);
  if (own < 0) raise_text(STATUS_VALUE, "expected a tensor or a numeric or logical array, not a %s", Rf_type2char((SEXPTYPE)TYPEOF(x)));
  struct shape shape;
  struct tensor t;
  r_shape(x, &shape);
  SEXP result = PROTECT(tensor_new(dtype < 0 ? own : dtype, &shape, &t));
  numbers_from_r(x, t.dtype, t.data);
  UNPROTECT(1);
  return result;
}

SEXP ffi_tensor(SEXP x, SEXP dtype);
SEXP ffi_tensor(SEXP x, SEXP dtype) { return coerce_tensor(x, as_dtype(dtype, 1)); }

SEXP ffi_array(SEXP x);
SEXP ffi_array(SEXP x) {
  struct tensor t = as_tensor(x);
  return numbers_to_r(&t);
}

static SEXP shape_to_r(const struct shape *s) {
  SEXP dim = Rf_allocVector(INTSXP, s->rank);
  for (int i = 0; i < s->rank; i++) INTEGER(dim)[i] = s->dim[i] > INT32_MAX ? NA_INTEGER : (int)s->dim[i];
  return dim;
}

/* list(dtype, shape, is it symbolic?) */
SEXP ffi_tensor_info(SEXP x);
SEXP ffi_tensor_info(SEXP x) {
  int dtype;
  const struct shape *shape;
  if (is_symbolic(x)) {
    const struct slot *s = &as_program(symbolic_program(x))->slots[symbolic_slot(x)];
    dtype = s->dtype, shape = &s->shape;
  } else {
    const struct header *h = block_header(tensor_block(x));
    dtype = h->dtype, shape = &h->shape;
  }
  SEXP info = PROTECT(Rf_allocVector(VECSXP, 3));
  SET_VECTOR_ELT(info, 2, Rf_ScalarLogical(is_symbolic(x)));
  SET_VECTOR_ELT(info, 0, Rf_mkString(dtype_name[dtype]));
  SET_VECTOR_ELT(info, 1, shape_to_r(shape));
  UNPROTECT(1);
  return info;
}

/* A variable: a tensor whose numbers can be replaced. Replacing makes a new block, so what a tape
 * has recorded stays as it was. The name is the pointer's tag, which is saved with it. */
static SEXP variable_class(void) {
  SEXP class = PROTECT(Rf_allocVector(STRSXP, 3));
  SET_STRING_ELT(class, 0, Rf_mkChar("nn_variable"));
  SET_STRING_ELT(class, 1, Rf_mkChar("nn_tensor"));
  SET_STRING_ELT(class, 2, Rf_mkChar("tensorflow.tensor"));
  UNPROTECT(1);
  return class;
}

static SEXP variable_block(struct tensor from, int trainable) {
  SEXP block = block_new(from.dtype, &from.shape);
  memcpy(RAW(block) + HEADER_BYTES, from.data, (size_t)shape_count(&from.shape) * dtype_size[from.dtype]);
  block_header(block)->trainable = trainable && dtype_is_float(from.dtype);
  return block;
}

SEXP ffi_variable(SEXP x, SEXP trainable, SEXP name);
SEXP ffi_variable(SEXP x, SEXP trainable, SEXP name) {
  check_vector(name, STRSXP, 1);
  SEXP block = PROTECT(variable_block(as_tensor(x), as_int(trainable)));
  SEXP v = PROTECT(handle_new(block, "nn_tensor", "tensorflow.tensor"));
  R_SetExternalPtrTag(v, name);
  Rf_setAttrib(v, R_ClassSymbol, PROTECT(variable_class()));
  UNPROTECT(3);
  return v;
}

static int is_variable(SEXP x) { return is_tensor(x) && Rf_inherits(x, "nn_variable") && TYPEOF(R_ExternalPtrTag(x)) == STRSXP; }

/* list(name, is it trainable?) */
SEXP ffi_variable_info(SEXP v);
SEXP ffi_variable_info(SEXP v) {
  if (!is_variable(v)) raise_text(STATUS_VALUE, "expected a variable");
  SEXP info = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(info, 0, R_ExternalPtrTag(v));
  SET_VECTOR_ELT(info, 1, Rf_ScalarLogical(is_trainable(v)));
  UNPROTECT(1);
  return info;
}

SEXP ffi_variable_assign(SEXP v, SEXP x);
SEXP ffi_variable_assign(SEXP v, SEXP x) {
  if (is_tensor(v) && !is_variable(v))
    raise_text(STATUS_VALUE, "`variable_assign()`: the numbers of a plain tensor do not change; make it a `variable()`");
  struct tensor old = as_tensor(v);
  x = PROTECT(coerce_tensor(x, old.dtype));
  struct tensor from = as_tensor(x);
  char a[100], b[100];
  if (from.dtype != old.dtype)
    raise_text(STATUS_DTYPE, "`variable_assign()`: a %s variable cannot hold a %s tensor; convert it with "
               "`tf$cast(x, tf$%s)` or `op_cast(x, \"%s\")`",
               dtype_name[old.dtype], dtype_name[from.dtype], dtype_name[old.dtype], dtype_name[old.dtype]);
  if (!shape_equal(&from.shape, &old.shape))
    raise_text(STATUS_SHAPE, "`variable_assign()`: a variable of shape %s cannot hold a value of shape %s",
               shape_format(&old.shape, a, sizeof a), shape_format(&from.shape, b, sizeof b));
  SEXP block = PROTECT(variable_block(from, is_trainable(v)));
  block_header(block)->version = block_version(tensor_block(v)) + 1;
  R_SetExternalPtrProtected(v, block);
  renew_address(v);
  UNPROTECT(2);
  return v;
}
