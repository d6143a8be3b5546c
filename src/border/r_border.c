#include "border/r_border.h"
#include "base/system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- interrupts, and errors of R code, in the middle of a run: R's jump is kept until the team has left ---- */

static SEXP jump; /* where R wanted to go */

static SEXP check_interrupt(void *data) {
  (void)data;
  R_CheckUserInterrupt();
  return R_NilValue;
}

static void keep_jump(void *out, Rboolean jumps) {
  if (jumps) longjmp(*(jmp_buf *)out, 1);
}

int runs_through(SEXP (*code)(void *), void *data) {
  const uint64_t mode = threads_keep_denormals();
  jmp_buf out;
  int through = 0;
  if (!setjmp(out)) {
    R_UnwindProtect(code, data, keep_jump, &out, jump);
    through = 1;
  }
  threads_set_mode(mode);
  return through;
}

static int wants_stop(void) { return !runs_through(check_interrupt, NULL); }

void border_open(void) {
  R_PreserveObject(jump = R_MakeUnwindCont());
  threads_set_question(wants_stop);
}

/* ---- errors ---- */

static const char *const status_class[STATUS_COUNT] = {
  [STATUS_OK] = "internal", [STATUS_SHAPE] = "shape", [STATUS_DTYPE] = "dtype", [STATUS_VALUE] = "value",
    [STATUS_INDEX] = "index",
  [STATUS_OVERFLOW] = "value", [STATUS_DIVISION] = "value", [STATUS_SINGULAR] = "value",
  [STATUS_INDEFINITE] = "value", [STATUS_MATRIX] = "value", [STATUS_FULL] = "internal", [STATUS_NAN] = "nan",
  [STATUS_WEIGHTS] = "nan",
  [STATUS_STOPPED] = "stopped", [STATUS_INTERRUPTED] = "interrupted", [STATUS_MEMORY] = "memory",
  [STATUS_TOO_LARGE] = "too_large", [STATUS_TRACED] = "traced", [STATUS_RANK] = "rank",
};

SEXP call_ours(SEXP call) {
  PROTECT(call);
  SEXP name_space = PROTECT(R_FindNamespace(PROTECT(Rf_mkString("nativenet"))));
  SEXP value = Rf_eval(call, name_space);
  UNPROTECT(3);
  return value;
}

void raise(const struct failure *failure) {
  if (failure->status == STATUS_INTERRUPTED) R_ContinueUnwind(jump);
  SEXP kind = PROTECT(Rf_mkString(status_class[failure->status]));
  SEXP text = PROTECT(Rf_mkString(failure->text));
  call_ours(Rf_lang3(Rf_install("raise_native"), kind, text));
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
  if (dtype < (or_none ? -1 : 0) || dtype >= DTYPE_COUNT) raise_text(STATUS_DTYPE, "internal error: no dtype %d",
    dtype);
  return dtype;
}

void check_vector(SEXP x, SEXPTYPE type, R_xlen_t length) {
  if ((SEXPTYPE)TYPEOF(x) != type || (length >= 0 && XLENGTH(x) != length))
    raise_text(STATUS_VALUE, "internal error: expected a %s vector of length %lld", Rf_type2char(type),
      (long long)length);
}

const char *path_of(SEXP path) {
  check_vector(path, STRSXP, 1);
  SEXP name = STRING_ELT(path, 0);
  return R_ExpandFileName(PATHS_ARE_UTF8 ? Rf_translateCharUTF8(name) : Rf_translateChar(name));
}

R_xlen_t list_length(SEXP x) {
  if (Rf_isNull(x)) return 0;
  if (TYPEOF(x) != VECSXP) raise_text(STATUS_VALUE, "internal error: expected a list");
  return XLENGTH(x);
}

/* ---- external pointers ---- */

SEXP handle_new(SEXP protected_, enum handle kind) {
  static const char *const names[][4] = {{"nn_tensor", "tensorflow.tensor"},
    {"nn_variable", "nn_tensor", "tensorflow.tensor"}, {"nn_program"}, {"nn_optimizer_memory"},
    {"nn_stream"}};
  static SEXP class[HANDLE_COUNT]; /* made once: all handles of a kind share it */
  if (!class[kind]) {
    int n = 0;
    while (n < 4 && names[kind][n]) n++;
    SEXP own = PROTECT(Rf_allocVector(STRSXP, n));
    for (int i = 0; i < n; i++) SET_STRING_ELT(own, i, Rf_mkChar(names[kind][i]));
    MARK_NOT_MUTABLE(own);
    R_PreserveObject(own);
    class[kind] = own;
    UNPROTECT(1);
  }
  /* the address is only there so that identical() tells two objects apart */
  SEXP x = PROTECT(R_MakeExternalPtr(protected_, R_NilValue, protected_));
  Rf_setAttrib(x, R_ClassSymbol, class[kind]);
  UNPROTECT(1);
  return x;
}

/* ---- memory: the one place that asks R for much of it ---- */

struct wanted {
  SEXPTYPE type;
  R_xlen_t n;
};

static SEXP allocate_wanted(void *data) {
  const struct wanted *w = data;
  return Rf_allocVector(w->type, w->n);
}

static SEXP allocation_failed(SEXP condition, void *data) {
  (void)condition, (void)data;
  return R_NilValue; /* R 4.6 looks at it: NULL ends R */
}

/* So much is asked for in a way that takes some microseconds more, but lets us word the error. */
#define LARGE_BYTES (1 << 20)

static const char *format_bytes(double bytes, char *text, size_t size) {
  static const char *const unit[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  int k = 0;
  for (; bytes >= 1000 && k < 6; k++) bytes /= 1000;
  snprintf(text, size, "%.3g %s", bytes, unit[k]);
  return text;
}

/* Systems may promise memory that there is not, and end the process that uses it. Swap space is seldom larger. */
static int may_exist(double bytes) { return bytes < 4e9 || bytes < 4 * system_memory(); }

SEXP vector_for(SEXPTYPE type, int64_t n, const char *what, const struct shape *shape) {
  double bytes = (double)n * (type == RAWSXP ? 1 : type == REALSXP ? 8 : type == VECSXP ? (double)sizeof(SEXP) : 4);
  struct wanted w = {type, (R_xlen_t)n};
  if (bytes < LARGE_BYTES) return Rf_allocVector(type, w.n);
  SEXP x = may_exist(bytes) ? R_tryCatchError(allocate_wanted, &w, allocation_failed, NULL) : R_NilValue;
  char a[120], b[40];
  if (x == R_NilValue)
    raise_text(STATUS_MEMORY, "%s%s%s takes %s of memory, more than R can have", what, shape ? " of shape " : "",
               shape ? shape_format(shape, a, sizeof a) : "", format_bytes(bytes, b, sizeof b));
  return x;
}

/* Is there room for an array of these sizes, of numbers of so many bytes? It is let go of at once. */
SEXP ffi_check_room(SEXP dim, SEXP bytes, SEXP what);
SEXP ffi_check_room(SEXP dim, SEXP bytes, SEXP what) {
  check_vector(dim, REALSXP, -1);
  check_vector(what, STRSXP, 1);
  struct shape shape = {.rank = XLENGTH(dim) > MAX_RANK ? MAX_RANK : (int32_t)XLENGTH(dim)};
  double all = as_number(bytes);
  for (int i = 0; i < shape.rank; i++) {
    if (!(REAL(dim)[i] >= 0 && REAL(dim)[i] < 9e18)) raise_text(STATUS_VALUE, "internal error: a size");
    shape.dim[i] = (int64_t)REAL(dim)[i];
    all *= REAL(dim)[i];
  }
  if (all >= LARGE_BYTES) vector_for(RAWSXP, all < 9e18 ? (int64_t)all : INT64_MAX, CHAR(STRING_ELT(what, 0)), &shape);
  return R_NilValue;
}

/* ---- tensors ---- */

#define TENSOR_MAGIC 0x6e6e5431 /* "nnT1" */
#define HEADER_BYTES 128

struct header {
  int32_t magic, dtype, variable, trainable;
  int32_t version; /* of a variable's numbers: how often it got another block */
  int32_t holders; /* tapes that may read these numbers again */
  double time;     /* when a variable was last changed, counting changes */
  struct shape shape;
  int32_t waits; /* is a variable's update put off, so that nobody may look at it now? */
};
typedef char header_fits[sizeof(struct header) <= HEADER_BYTES ? 1 : -1];

static struct header *block_header(SEXP block) { return (struct header *)(void *)RAW(block); }

static SEXP block_new(int dtype, const struct shape *shape) {
  static const char *const kind[DTYPE_COUNT] = {"a float32 tensor", "a float64 tensor", "an int32 tensor",
    "an int64 tensor", "a bool tensor"};
  char text[120];
  if (!shape_is_possible(shape)) raise_text(STATUS_TOO_LARGE, "a tensor of shape %s is too large",
    shape_format(shape, text, sizeof text));
  SEXP block = vector_for(RAWSXP, HEADER_BYTES + (int64_t)((size_t)shape_count(shape) * dtype_size[dtype]), kind[dtype],
    shape);
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
  SEXP x = handle_new(block, HANDLE_TENSOR);
  UNPROTECT(1);
  return x;
}

/* Objects that were saved and read again have lost their address; they get a new one when used. */
static void renew_address(SEXP x) {
  if (R_ExternalPtrAddr(x) != (void *)R_ExternalPtrProtected(x))
    R_SetExternalPtrAddr(x, (void *)R_ExternalPtrProtected(x));
}

static int is_handle(SEXP x) {
  SEXP class = TYPEOF(x) == EXTPTRSXP ? Rf_getAttrib(x, R_ClassSymbol) : R_NilValue;
  return TYPEOF(class) == STRSXP && XLENGTH(class) > 0 && strncmp(CHAR(STRING_ELT(class, 0)), "nn_", 3) == 0;
}

/* All handles that x is or holds: without addresses, identical() would take them for one. */
static void renew_within(SEXP x) {
  if (TYPEOF(x) == EXTPTRSXP && !R_ExternalPtrAddr(x) && is_handle(x)) renew_address(x);
  if (TYPEOF(x) == VECSXP)
    for (R_xlen_t i = 0; i < XLENGTH(x); i++) renew_within(VECTOR_ELT(x, i));
}

/* Where among the elements of a list one stands first that is identical to x, from 1; 0 if nowhere. */
SEXP ffi_place_of(SEXP x, SEXP list);
SEXP ffi_place_of(SEXP x, SEXP list) {
  enum { AS_R_DOES = 16 }; /* the flags of identical(): functions differ by their environments */
  R_xlen_t n = list_length(list);
  renew_within(x);
  for (R_xlen_t i = 0; i < n; i++) {
    renew_within(VECTOR_ELT(list, i));
    if (R_compute_identical(x, VECTOR_ELT(list, i), AS_R_DOES)) return Rf_ScalarInteger((int)i + 1);
  }
  return Rf_ScalarInteger(0);
}

/* As Rf_inherits(x, "nn_tensor"), without comparing strings, which R has only once each. */
int is_tensor(SEXP x) {
  static SEXP name;
  if (TYPEOF(x) != EXTPTRSXP) return 0;
  if (!name) R_PreserveObject(name = Rf_mkChar("nn_tensor"));
  SEXP class = Rf_getAttrib(x, R_ClassSymbol);
  for (R_xlen_t k = 0; k < Rf_xlength(class); k++)
    if (STRING_ELT(class, k) == name) return 1;
  return 0;
}
int is_symbolic(SEXP x) { return is_tensor(x) && TYPEOF(R_ExternalPtrProtected(x)) == VECSXP; }

static const char *variable_name_of(SEXP v) {
  SEXP name = R_ExternalPtrTag(v);
  return TYPEOF(name) == STRSXP && XLENGTH(name) == 1 ? CHAR(STRING_ELT(name, 0)) : "a variable";
}

SEXP tensor_block(SEXP x) {
  if (!is_tensor(x)) bare_numbers(x); /* may know what to do with it */
  SEXP block = is_tensor(x) ? R_ExternalPtrProtected(x) : R_NilValue;
  if (TYPEOF(block) == VECSXP) raise_text(STATUS_TRACED,
    "it looks at the numbers of a tensor, which are known only when it runs");
  if (TYPEOF(block) != RAWSXP || XLENGTH(block) < HEADER_BYTES || block_header(block)->magic != TENSOR_MAGIC)
    raise_text(STATUS_VALUE, "expected a tensor");
  if (block_header(block)->waits)
    raise_text(STATUS_VALUE, "`apply_gradients()` comes before it looks at `%s`, which is updated at the end of "
      "`strategy$run()`, when all shards have their gradients: look at weights before that, or when `run()` is done",
      variable_name_of(x));
  renew_address(x);
  return block;
}

/* Of variables that are to be updated later: look at them, or do not. */
SEXP ffi_variables_wait(SEXP variables, SEXP waits);
SEXP ffi_variables_wait(SEXP variables, SEXP waits) {
  for (R_xlen_t k = 0; k < list_length(variables); k++) {
    SEXP v = VECTOR_ELT(variables, k);
    if (is_tensor(v) && TYPEOF(R_ExternalPtrProtected(v)) == RAWSXP)
      block_header(R_ExternalPtrProtected(v))->waits = as_int(waits);
  }
  return R_NilValue;
}

int block_version(SEXP block) { return block_header(block)->version; }

void block_hold(SEXP block, int by) { block_header(block)->holders += by; }

int is_variable(SEXP x) { return is_tensor(x) && !is_symbolic(x) && block_header(tensor_block(x))->variable; }

int is_trainable(SEXP x) { return is_tensor(x) && !is_symbolic(x) && block_header(tensor_block(x))->trainable; }

struct tensor as_tensor(SEXP x) {
  SEXP block = tensor_block(x);
  const struct header *h = block_header(block);
  return (struct tensor){h->dtype, h->shape, RAW(block) + HEADER_BYTES};
}

SEXP coerce_tensor(SEXP x, int dtype) {
  if (is_tensor(x)) return x;
  x = PROTECT(bare_numbers(x));
  int own = r_dtype(x);
  struct shape shape;
  struct tensor t;
  r_shape(x, &shape);
  SEXP result = PROTECT(tensor_new(dtype < 0 ? own : dtype, &shape, &t));
  numbers_from_r(x, t.dtype, t.data);
  UNPROTECT(2);
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

/* The name of a dtype; made once, as it is asked for often. */
static SEXP dtype_to_r(int dtype) {
  static SEXP names[DTYPE_COUNT];
  if (!names[dtype]) {
    R_PreserveObject(names[dtype] = Rf_mkString(dtype_name[dtype]));
    MARK_NOT_MUTABLE(names[dtype]);
  }
  return names[dtype];
}

/* list(dtype, shape, is it symbolic?) */
SEXP ffi_tensor_info(SEXP x);
SEXP ffi_tensor_info(SEXP x) {
  int symbolic = is_symbolic(x);
  SEXP info = PROTECT(Rf_allocVector(VECSXP, 3));
  SET_VECTOR_ELT(info, 2, Rf_ScalarLogical(symbolic));
  if (symbolic) {
    const struct slot *s = &as_program(symbolic_program(x))->slots[symbolic_slot(x)];
    SET_VECTOR_ELT(info, 0, dtype_to_r(s->dtype));
    SET_VECTOR_ELT(info, 1, shape_to_r(&s->shape));
    if (!shape_equal(&s->shape, &s->other)) {
      SEXP other = PROTECT(shape_to_r(&s->other));
      SET_VECTOR_ELT(info, 1, sizes_new(symbolic_program(x), VECTOR_ELT(info, 1), other));
      UNPROTECT(1);
    }
  } else {
    const struct header *h = block_header(tensor_block(x));
    SET_VECTOR_ELT(info, 0, dtype_to_r(h->dtype));
    SET_VECTOR_ELT(info, 1, shape_to_r(&h->shape));
  }
  UNPROTECT(1);
  return info;
}

/* A variable: a tensor whose numbers can be replaced. Its name is the pointer's tag, which is saved with it. */
SEXP ffi_variable(SEXP x, SEXP trainable, SEXP name);
SEXP ffi_variable(SEXP x, SEXP trainable, SEXP name) {
  check_vector(name, STRSXP, 1);
  struct tensor from = as_tensor(x), to;
  SEXP copy = PROTECT(tensor_new(from.dtype, &from.shape, &to));
  memcpy(to.data, from.data, (size_t)shape_count(&from.shape) * dtype_size[from.dtype]);
  struct header *h = block_header(tensor_block(copy));
  h->variable = 1;
  h->trainable = as_int(trainable) && dtype_is_float(from.dtype);
  SEXP v = PROTECT(handle_new(tensor_block(copy), HANDLE_VARIABLE));
  R_SetExternalPtrTag(v, name);
  UNPROTECT(2);
  return v;
}

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

double time_of_change(void) {
  static double changes;
  return ++changes;
}

double variable_time(SEXP v) { return block_header(tensor_block(v))->time; }

void variable_own_block(SEXP v, int keep_numbers, double time) {
  SEXP old = tensor_block(v);
  block_header(old)->time = time;
  if (block_header(old)->holders == 0) return;
  SEXP fresh = PROTECT(vector_for(RAWSXP, XLENGTH(old), "a copy of a variable", &block_header(old)->shape));
  memcpy(RAW(fresh), RAW(old), keep_numbers ? (size_t)XLENGTH(old) : HEADER_BYTES);
  block_header(fresh)->holders = 0;
  block_header(fresh)->version++;
  R_SetExternalPtrProtected(v, fresh);
  renew_address(v);
  UNPROTECT(1);
}

SEXP ffi_variable_assign(SEXP v, SEXP x);
SEXP ffi_variable_assign(SEXP v, SEXP x) {
  if (is_tensor(v) && !is_variable(v))
    raise_text(STATUS_VALUE,
      "`variable_assign()`: the numbers of a plain tensor do not change; make it a `variable()`");
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
  variable_own_block(v, 0, time_of_change());
  memmove(as_tensor(v).data, from.data, (size_t)shape_count(&from.shape) * dtype_size[from.dtype]);
  UNPROTECT(1);
  return v;
}

/* Let a variable have another block, such as one that a tape holds; what it had comes back. */
SEXP ffi_variable_block(SEXP v, SEXP block);
SEXP ffi_variable_block(SEXP v, SEXP block) {
  SEXP before = tensor_block(v);
  check_vector(block, RAWSXP, XLENGTH(before));
  R_SetExternalPtrProtected(v, block);
  renew_address(v);
  return before;
}

uint64_t seed_from_r(void) {
  GetRNGstate();
  double a = unif_rand(), b = unif_rand();
  PutRNGstate();
  return (uint64_t)(a * 4294967296.0) << 32 | (uint64_t)(b * 4294967296.0);
}
