/* r_communicator.c - sums over the ranks of a job by functions of R or of another library, and steps in shards. */
#include "border/r_communicator.h"
#include "border/r_border.h"

#include "formats/fingerprint.h"

#include <nativenet_communicator.h>
#include <string.h>

/* As R/communicator.R has one: c(rank, size, has another rank told all that it leaves, since the last sum of all?), of
 * which the last changes; the library's pointer or NULL; R functions or NULL. These give the numbers, or a string that
 * says why not. */
enum { NUMBERS, POINTER, ALL_REDUCE, EXCHANGE, LEAVE, COMMUNICATOR_SIZE };

struct functions {
  SEXP list;
  struct communicator *c;
  char why[200];
};

static int say_why(struct functions *f, const char *text) {
  strncpy(f->why, text, sizeof f->why - 1);
  f->c->why = f->why;
  return ANSWER_FAILED;
}

static SEXP numbers_of(const double *x, size_t n) {
  SEXP numbers = Rf_allocVector(REALSXP, (R_xlen_t)n);
  if (n) memcpy(REAL(numbers), x, n * sizeof *x);
  return numbers;
}

/* A call of an R function with n numbers and another rank, where they are not NULL and not negative; it is to give n
 * numbers if `to` is there. */
struct question {
  struct functions *f;
  int which, peer;
  const double *x;
  double *to;
  size_t n;
  int answer;
};

static void ask(void *data) {
  struct question *q = data;
  char text[150];
  SEXP f = VECTOR_ELT(q->f->list, q->which);
  SEXP x = PROTECT(q->x ? numbers_of(q->x, q->n) : R_NilValue), peer = PROTECT(Rf_ScalarInteger(q->peer));
  SEXP call = PROTECT(q->peer >= 0 ? Rf_lang3(f, x, peer) : q->x ? Rf_lang2(f, x) : Rf_lang1(f));
  SEXP answer = PROTECT(Rf_eval(call, R_GlobalEnv));
  q->answer = ANSWER_OK;
  if (TYPEOF(answer) == STRSXP && XLENGTH(answer) == 1) {
    q->answer = say_why(q->f, CHAR(STRING_ELT(answer, 0)));
  } else if (q->to && (TYPEOF(answer) != REALSXP || (size_t)XLENGTH(answer) != q->n)) {
    snprintf(text, sizeof text, "it was given %lld numbers and returned %s of length %lld", (long long)q->n,
      TYPEOF(answer) == REALSXP ? "a vector" : "no numeric vector, but one", (long long)Rf_xlength(answer));
    q->answer = say_why(q->f, text);
  } else if (q->to) {
    for (size_t i = 0; i < q->n && !q->answer; i++)
      if (R_IsNA(REAL(answer)[i])) q->answer = say_why(q->f, "it returned NA");
    if (q->n) memcpy(q->to, REAL(answer), q->n * sizeof *q->to);
  }
  UNPROTECT(4);
}

/* R code runs here, in the thread that R runs in, while the rest of the team waits: nothing may jump out, not even for
 * lack of memory. */
static int ask_r(struct question q) {
  q.answer = ANSWER_FAILED;
  uint64_t mode = threads_keep_denormals();
  int done = R_ToplevelExec(ask, &q);
  threads_set_mode(mode);
  return done ? q.answer : say_why(q.f, "it was interrupted, or memory ran out");
}

static int all_reduce_by_r(void *context, double *x, size_t n) {
  return ask_r((struct question){.f = context, .which = ALL_REDUCE, .peer = -1, .x = x, .to = x, .n = n});
}

static int exchange_by_r(void *context, int peer, const double *send, double *receive, size_t n) {
  return ask_r((struct question){.f = context, .which = EXCHANGE, .peer = peer, .x = send, .to = receive, .n = n});
}

static int leave_by_r(void *context) { return ask_r((struct question){.f = context, .which = LEAVE, .peer = -1}); }

struct communicator *as_communicator(SEXP x) {
  check_vector(x, VECSXP, COMMUNICATOR_SIZE);
  check_vector(VECTOR_ELT(x, NUMBERS), INTSXP, 3);
  struct communicator *c = (struct communicator *)(void *)R_alloc(1, sizeof *c);
  int *numbers = INTEGER(VECTOR_ELT(x, NUMBERS));
  *c = (struct communicator){.rank = numbers[0], .size = numbers[1], .told = numbers + 2};
  if (!Rf_isNull(VECTOR_ELT(x, POINTER))) {
    const struct nativenet_communicator *from = R_ExternalPtrAddr(VECTOR_ELT(x, POINTER));
    if (!from) raise_text(STATUS_RANK, "the communicator's library is gone: its pointer was saved and read again");
    c->context = from->context;
    c->all_reduce = from->all_reduce;
    c->exchange = from->exchange;
    c->leave = from->leave;
    return c;
  }
  struct functions *f = (struct functions *)(void *)R_alloc(1, sizeof *f);
  memset(f, 0, sizeof *f);
  f->list = x;
  f->c = c;
  c->context = f;
  if (!Rf_isNull(VECTOR_ELT(x, ALL_REDUCE))) c->all_reduce = all_reduce_by_r;
  if (!Rf_isNull(VECTOR_ELT(x, EXCHANGE))) c->exchange = exchange_by_r;
  if (!Rf_isNull(VECTOR_ELT(x, LEAVE))) c->leave = leave_by_r;
  return c;
}

/* c(rank, size) that a library's pointer has. */
SEXP ffi_communicator_numbers(SEXP pointer);
SEXP ffi_communicator_numbers(SEXP pointer) {
  const struct nativenet_communicator *from = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : NULL;
  if (!from) raise_text(STATUS_VALUE, "the pointer of a communicator is empty");
  if (from->version != NATIVENET_COMMUNICATOR || (!from->all_reduce && !from->exchange))
    raise_text(STATUS_VALUE, "the pointer of a communicator is to no struct of nativenet_communicator.h of this "
      "version");
  SEXP numbers = Rf_allocVector(INTSXP, 2);
  INTEGER(numbers)[0] = from->rank;
  INTEGER(numbers)[1] = from->size;
  return numbers;
}

/* A whole number below 2^52 for the bytes of a tensor or a bare vector. */
SEXP ffi_fingerprint(SEXP x);
SEXP ffi_fingerprint(SEXP x) {
  const void *bytes = NULL;
  size_t n = 0;
  if (is_tensor(x)) {
    struct tensor t = as_tensor(x);
    bytes = t.data;
    n = (size_t)shape_count(&t.shape) * dtype_size[t.dtype];
  } else {
    switch (TYPEOF(x)) {
    case RAWSXP: bytes = RAW(x); n = 1; break;
    case REALSXP: bytes = REAL(x); n = sizeof(double); break;
    case INTSXP: bytes = INTEGER(x); n = sizeof(int); break;
    default: raise_text(STATUS_VALUE, "internal error: a fingerprint of that");
    }
    n *= (size_t)XLENGTH(x);
  }
  return Rf_ScalarReal((double)(fingerprint64(bytes, n) >> 12));
}

/* The numbers of tensors, one after the other, as doubles; and back, as tensors like those of a list. */
SEXP ffi_numbers_packed(SEXP tensors);
SEXP ffi_numbers_packed(SEXP tensors) {
  int64_t n = 0;
  for (R_xlen_t k = 0; k < list_length(tensors); k++) {
    struct tensor t = as_tensor(VECTOR_ELT(tensors, k));
    n += shape_count(&t.shape);
  }
  SEXP numbers = PROTECT(vector_for(REALSXP, n, "the sums over the shards", NULL));
  double *to = REAL(numbers);
  for (R_xlen_t k = 0; k < list_length(tensors); k++) {
    struct tensor t = as_tensor(VECTOR_ELT(tensors, k));
    for (int64_t i = 0; i < shape_count(&t.shape); i++) *to++ = number_at(t.dtype, t.data, i);
  }
  UNPROTECT(1);
  return numbers;
}

SEXP ffi_numbers_unpacked(SEXP numbers, SEXP like);
SEXP ffi_numbers_unpacked(SEXP numbers, SEXP like) {
  check_vector(numbers, REALSXP, -1);
  R_xlen_t n = list_length(like);
  int64_t at = 0;
  SEXP result = PROTECT(Rf_allocVector(VECSXP, n));
  for (R_xlen_t k = 0; k < n; k++) {
    struct tensor from = as_tensor(VECTOR_ELT(like, k)), to;
    int64_t count = shape_count(&from.shape);
    if (at + count > XLENGTH(numbers)) raise_text(STATUS_VALUE, "internal error: packed numbers");
    SET_VECTOR_ELT(result, k, tensor_new(from.dtype, &from.shape, &to));
    struct slot s = {.dtype = to.dtype, .value = to.data};
    for (int64_t i = 0; i < count; i++) shards_put(&s, i, REAL(numbers)[at++]);
  }
  UNPROTECT(1);
  return result;
}

static double *room_for(int64_t n) { return (double *)(void *)R_alloc((size_t)n + 1, sizeof(double)); }

/* The sum over `parts` vectors, of which the list x has those of this rank. */
SEXP ffi_communicator_sum(SEXP communicator, SEXP parts, SEXP x);
SEXP ffi_communicator_sum(SEXP communicator, SEXP parts, SEXP x) {
  struct communicator *c = as_communicator(communicator);
  struct failure failure;
  int count = as_int(parts), first = part_begin(count, c->size, c->rank), level = 0;
  if (count < c->size || list_length(x) != part_begin(count, c->size, c->rank + 1) - first)
    raise_text(STATUS_VALUE, "internal error: parts of a sum");
  R_xlen_t n = Rf_xlength(VECTOR_ELT(x, 0));
  double *stack = room_for(sums_levels(c, count) * n);
  for (R_xlen_t k = 0; k < XLENGTH(x); k++, level++) {
    check_vector(VECTOR_ELT(x, k), REALSXP, n);
    double *to = stack + level * n;
    for (R_xlen_t i = 0; i < n; i++) to[i] = REAL(VECTOR_ELT(x, k))[i] + 0.0;
    for (int closed = sums_closed(c, count, first + (int)k); closed; closed--, level--, to -= n)
      for (R_xlen_t i = 0; i < n; i++) to[i - n] += to[i];
  }
  if (communicator_sum(c, count, stack, n, n, room_for(communicator_room(c, count, n)), &failure)) raise(&failure);
  return numbers_of(stack, (size_t)n);
}

SEXP ffi_communicator_leave(SEXP communicator);
SEXP ffi_communicator_leave(SEXP communicator) {
  struct communicator *c = as_communicator(communicator);
  communicator_leave(c, room_for(c->size));
  return R_NilValue;
}

/* list(communicator, shards of a batch, enum weigh of each group, a list of the symbolic scalars that these are weighed
 * by, with NULL for others, a digest of the batch or 0) */
struct shards *as_shards(SEXP x, SEXP program) {
  if (Rf_isNull(x)) return NULL;
  check_vector(x, VECSXP, 5);
  SEXP weigh = VECTOR_ELT(x, 2), weight = VECTOR_ELT(x, 3);
  check_vector(weigh, INTSXP, -1);
  check_vector(weight, VECSXP, XLENGTH(weigh));
  struct shards *s = (struct shards *)(void *)R_alloc(1, sizeof *s);
  *s = (struct shards){.communicator = as_communicator(VECTOR_ELT(x, 0)), .count = as_int(VECTOR_ELT(x, 1)),
    .groups = (int32_t)XLENGTH(weigh), .weigh = INTEGER(weigh),
    .given = (uint64_t)Rf_asReal(VECTOR_ELT(x, 4)) << 12};
  if (s->groups < 1 || s->communicator->size < 1 || s->count < s->communicator->size)
    raise_text(STATUS_VALUE, "internal error: shards");
  int32_t *slot = (int32_t *)(void *)R_alloc((size_t)s->groups, sizeof *slot);
  for (int32_t g = 0; g < s->groups; g++)
    slot[g] = s->weigh[g] == WEIGH_SLOT ? slot_in(program, VECTOR_ELT(weight, g)) : NO_SLOT;
  s->weight = slot;
  s->weighed = (double *)(void *)R_alloc((size_t)s->groups, sizeof *s->weighed);
  return s;
}

SEXP shards_lay_out(struct shards *s, const struct program *p, int32_t more, const int32_t *slots,
  const int32_t *averaged) {
  s->piece = (struct piece *)(void *)R_alloc((size_t)(shards_count(p) + more) + 1, sizeof *s->piece);
  s->pieces = 0;
  shards_find(s, p);
  for (int32_t k = 0; k < more; k++)
    s->piece[s->pieces++] = (struct piece){.slot = slots[k], .result = NO_SLOT, .start = NO_SLOT,
      .kind = averaged[k] ? REDUCE_MEAN : REDUCE_SUM, .group = averaged[k] - 1};
  shards_place(s, p);
  int64_t room = shards_room(s);
  SEXP sums = vector_for(RAWSXP, sums_levels(s->communicator, s->count) * room * (int64_t)sizeof(double),
    "the sums over the shards", NULL);
  PROTECT(sums);
  s->sum = (double *)(void *)RAW(sums);
  s->room = room_for(communicator_room(s->communicator, s->count, room));
  UNPROTECT(1);
  return sums;
}
