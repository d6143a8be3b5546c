/* r_stream.c - iterators over data sets as R sees them, and files whose numbers are read where they lie on disk. */
#include "border/r_border.h"
#include "run/stream.h"
#include "base/system.h"

#include <string.h>

/* ---- columns: the arrays that slices are taken from. A tensor, bytes for small whole numbers, or a file. ---- */

/* An R array of whole numbers 0 .. 255 as bytes in row-major order, or NULL if it is another. */
SEXP ffi_pack(SEXP x);
SEXP ffi_pack(SEXP x) {
  if (TYPEOF(x) != INTSXP && TYPEOF(x) != RAWSXP) return R_NilValue;
  R_xlen_t n = XLENGTH(x);
  unsigned int all = 0; /* NA and negative numbers have the highest bit set */
  for (R_xlen_t i = 0; i < n && TYPEOF(x) == INTSXP; i++) all |= (unsigned int)INTEGER(x)[i];
  if (all > 255) return R_NilValue;
  SEXP bytes = PROTECT(vector_for(RAWSXP, n, "the bytes of an array", NULL));
  bytes_from_r(x, RAW(bytes));
  UNPROTECT(1);
  return bytes;
}

static void mapping_close(SEXP x) {
  struct mapping *m = R_ExternalPtrAddr(x);
  if (!m) return;
  system_unmap(m);
  R_ClearExternalPtr(x);
}

/* The file's bytes as memory. */
SEXP ffi_map_file(SEXP path);
SEXP ffi_map_file(SEXP path) {
  SEXP room = PROTECT(Rf_allocVector(RAWSXP, sizeof(struct mapping)));
  SEXP x = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, room));
  R_RegisterCFinalizerEx(x, mapping_close, TRUE);
  struct mapping *m = (struct mapping *)(void *)RAW(room);
  const char *name = path_of(path);
  int error = system_map(name, m);
  if (error) raise_text(STATUS_VALUE, "cannot read the file %s: %s", name, strerror(error));
  R_SetExternalPtrAddr(x, m);
  UNPROTECT(2);
  return x;
}

/* Where the numbers of a column begin, `offset` bytes into it, after checking that `bytes` of them are there. */
static const unsigned char *column_data(SEXP x, double offset, double bytes) {
  const unsigned char *at;
  double have;
  if (TYPEOF(x) == RAWSXP) at = RAW(x), have = (double)XLENGTH(x);
  else if (is_tensor(x)) {
    struct tensor t = as_tensor(x);
    at = t.data, have = (double)shape_count(&t.shape) * (double)dtype_size[t.dtype];
  } else {
    struct mapping *m = TYPEOF(x) == EXTPTRSXP && !Rf_isObject(x) ? R_ExternalPtrAddr(x) : NULL;
    if (!m) raise_text(STATUS_VALUE, "internal error: a column that is no array");
    at = m->at, have = (double)m->bytes;
  }
  if (!(offset >= 0 && offset + bytes <= have)) raise_text(STATUS_VALUE, "internal error: a column that is too short");
  return at + (size_t)offset;
}

/* ---- the stream: list(struct stream, of each stage its columns or program, of each stage its buffer) ---- */

enum { STREAM, SOURCES, BUFFERS, STREAM_SIZE };

/* Of a stage, as R describes it. */
enum { KIND, INPUTS, NUMBERS, SOURCE, DIMS, DTYPES, PROGRAM_IN, PROGRAM_OUT, DESCRIPTION_SIZE };

/* The source of a stage that is fed: an R function, and the columns of the block that it gave last. */
enum { FEEDER, BLOCK, FEED_SIZE };

static void locate_block(struct stage *g, SEXP source) {
  SEXP block = VECTOR_ELT(source, BLOCK);
  for (int c = 0; c < g->components && !Rf_isNull(block); c++) g->data[c] = as_tensor(VECTOR_ELT(block, c)).data;
}

struct feeding {
  struct stage *stage;
  SEXP source;
};

static SEXP ask_for_block(void *user) {
  struct feeding *f = user;
  struct stage *g = f->stage;
  SEXP first = PROTECT(Rf_ScalarLogical(g->passes == 0));
  SEXP call = PROTECT(Rf_lang2(VECTOR_ELT(f->source, FEEDER), first));
  SEXP block = PROTECT(Rf_eval(call, R_GlobalEnv));
  int64_t rows = 0;
  g->passes++;
  if (!Rf_isNull(block)) check_vector(block, VECSXP, g->components);
  for (int c = 0; c < g->components && !Rf_isNull(block); c++) {
    struct tensor t = as_tensor(VECTOR_ELT(block, c));
    struct shape whole = g->component[c].shape;
    if (whole.rank == MAX_RANK) raise_text(STATUS_SHAPE, "an element has too many axes");
    memmove(whole.dim + 1, whole.dim, (size_t)whole.rank++ * sizeof whole.dim[0]);
    whole.dim[0] = rows = c ? rows : t.shape.rank ? t.shape.dim[0] : 0;
    if (rows < 1 || t.dtype != g->component[c].dtype || !shape_equal(&whole, &t.shape))
      raise_text(STATUS_VALUE, "internal error: the columns of a block");
  }
  SET_VECTOR_ELT(f->source, BLOCK, block);
  locate_block(g, f->source);
  g->from = 0;
  g->until = rows;
  UNPROTECT(3);
  return R_NilValue;
}

static int feed_from_r(struct stream *s, int k) {
  SEXP shelter = s->user;
  struct feeding f = {&s->stage[k], VECTOR_ELT(VECTOR_ELT(shelter, SOURCES), k)};
  if (!runs_through(ask_for_block, &f)) s->failed = STATUS_INTERRUPTED;
  return !s->failed && f.stage->until > 0;
}

static struct stream *as_stream(SEXP x, SEXP *shelter) {
  *shelter = TYPEOF(x) == EXTPTRSXP && Rf_inherits(x, "nn_stream") ? R_ExternalPtrProtected(x) : R_NilValue;
  if (TYPEOF(*shelter) != VECSXP || XLENGTH(*shelter) != STREAM_SIZE || TYPEOF(VECTOR_ELT(*shelter, STREAM)) != RAWSXP)
    raise_text(STATUS_VALUE, "expected an iterator");
  struct stream *s = (struct stream *)(void *)RAW(VECTOR_ELT(*shelter, STREAM));
  s->feed = feed_from_r;
  s->user = *shelter;
  for (int k = 0; k < s->stages; k++) {
    struct stage *g = &s->stage[k];
    SEXP source = VECTOR_ELT(VECTOR_ELT(*shelter, SOURCES), k), buffer = VECTOR_ELT(VECTOR_ELT(*shelter, BUFFERS), k);
    g->buffer = Rf_isNull(buffer) ? NULL : RAW(buffer);
    if (g->kind == STAGE_MAP || g->kind == STAGE_FILTER) g->program = program_locate(source);
    if (g->kind == STAGE_FEED) locate_block(g, source);
    for (int c = 0; c < g->components && g->kind == STAGE_SLICES; c++) {
      const struct component *o = &g->component[c];
      double bytes = (double)g->count * (double)shape_count(&o->shape) * (o->packed ? 1 : (double)dtype_size[o->dtype]);
      g->data[c] = column_data(VECTOR_ELT(VECTOR_ELT(source, 0), c), REAL(VECTOR_ELT(source, 1))[c], bytes);
    }
  }
  return s;
}

struct stream *stream_located(SEXP x) {
  SEXP shelter;
  return as_stream(x, &shelter);
}

static void read_component(struct component *o, SEXP dim, SEXP dtype) {
  check_vector(dim, INTSXP, -1);
  o->shape.rank = (int32_t)XLENGTH(dim);
  if (o->shape.rank > MAX_RANK) raise_text(STATUS_SHAPE, "at most %d axes are possible", MAX_RANK);
  for (int i = 0; i < o->shape.rank; i++) o->shape.dim[i] = INTEGER(dim)[i];
  o->dtype = as_dtype(dtype, 0);
}

/* Slots of the program for symbolic tensors. */
static void read_slots(int32_t *slots, SEXP program, SEXP tensors) {
  if (list_length(tensors) > MAX_COMPONENTS) raise_text(STATUS_VALUE, "at most %d tensors in an element are possible",
    MAX_COMPONENTS);
  for (R_xlen_t i = 0; i < list_length(tensors); i++) slots[i] = slot_in(program, VECTOR_ELT(tensors, i));
}

static void read_stage(struct stream *s, int k, SEXP d) {
  struct stage *g = &s->stage[k];
  check_vector(d, VECSXP, DESCRIPTION_SIZE);
  SEXP inputs = VECTOR_ELT(d, INPUTS), numbers = VECTOR_ELT(d, NUMBERS), source = VECTOR_ELT(d, SOURCE);
  check_vector(inputs, INTSXP, -1);
  check_vector(numbers, REALSXP, 4); /* a, b, reshuffle, seed (NA: from R's generator) */
  g->kind = as_int(VECTOR_ELT(d, KIND));
  g->inputs = (int32_t)XLENGTH(inputs);
  if (g->kind < 0 || g->kind >= STAGE_KIND_COUNT || g->inputs > MAX_STAGE_INPUTS ||
    (g->inputs == 0) != (g->kind <= STAGE_FEED))
    raise_text(STATUS_VALUE, "internal error: a stage");
  for (int i = 0; i < g->inputs; i++) {
    g->input[i] = INTEGER(inputs)[i];
    if (g->input[i] < 0 || g->input[i] >= k) raise_text(STATUS_VALUE, "internal error: stages out of order");
  }
  g->a = (int64_t)REAL(numbers)[0];
  g->b = (int64_t)REAL(numbers)[1];
  g->reshuffle = REAL(numbers)[2] != 0;
  if (g->kind == STAGE_SHARD && (g->a < 1 || g->b < 0)) raise_text(STATUS_VALUE, "internal error: a shard");
  if (g->kind == STAGE_SHUFFLE) {
    if (g->b < 0) raise_text(STATUS_VALUE, "internal error: the size of a block");
    if (g->b && s->stage[g->input[0]].count < 0) raise_text(STATUS_VALUE, "`dataset_shuffle()`: `block_size` is for "
      "elements that can be taken in any order, as those of arrays and files; shuffle them before they are filtered, "
      "shuffled again or repeated without end");
    if (g->a < 1 || g->a > INT32_MAX) raise_text(STATUS_VALUE, "internal error: the size of a buffer");
    g->seed = ISNAN(REAL(numbers)[3]) ? seed_from_r() : (uint64_t)(int64_t)REAL(numbers)[3];
    random_seed(&g->random, g->seed);
  }
  SEXP dims = VECTOR_ELT(d, DIMS), dtypes = VECTOR_ELT(d, DTYPES);
  g->components = (int32_t)list_length(dims);
  if (g->components > MAX_COMPONENTS) raise_text(STATUS_VALUE, "at most %d tensors in an element are possible",
    MAX_COMPONENTS);
  check_vector(dtypes, VECSXP, g->components);
  for (int c = 0; c < g->components; c++) read_component(&g->component[c], VECTOR_ELT(dims, c), VECTOR_ELT(dtypes, c));
  if (g->kind == STAGE_SLICES) {
    g->most = (int64_t)REAL(numbers)[0];
    check_vector(source, VECSXP, 2); /* columns, and where in each its numbers begin */
    check_vector(VECTOR_ELT(source, 0), VECSXP, g->components);
    check_vector(VECTOR_ELT(source, 1), REALSXP, g->components);
    for (int c = 0; c < g->components; c++) {
      SEXP column = VECTOR_ELT(VECTOR_ELT(source, 0), c);
      g->component[c].packed = !is_tensor(column) && g->component[c].dtype == INT32;
      g->component[c].mapped = TYPEOF(column) == EXTPTRSXP && !is_tensor(column);
    }
  } else if (g->kind == STAGE_RANGE) {
    g->most = (int64_t)REAL(numbers)[2];
  } else if (g->kind == STAGE_FEED) {
    g->most = g->a; /* -1: not known */
  } else if (g->kind == STAGE_MAP || g->kind == STAGE_FILTER) {
    if (list_length(VECTOR_ELT(d, PROGRAM_IN)) != s->stage[g->input[0]].components)
      raise_text(STATUS_VALUE, "internal error: a program's inputs");
    read_slots(g->in, source, VECTOR_ELT(d, PROGRAM_IN));
    read_slots(g->out, source, VECTOR_ELT(d, PROGRAM_OUT));
    program_allocate(source);
  }
}

SEXP ffi_stream_new(SEXP stages);
SEXP ffi_stream_new(SEXP stages) {
  int n = (int)list_length(stages);
  if (n == 0) raise_text(STATUS_VALUE, "internal error: a stream without stages");
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, STREAM_SIZE));
  SEXP raw = Rf_allocVector(RAWSXP, (R_xlen_t)(sizeof(struct stream) + (size_t)n * sizeof(struct stage)));
  SET_VECTOR_ELT(shelter, STREAM, raw);
  SET_VECTOR_ELT(shelter, SOURCES, Rf_allocVector(VECSXP, n));
  SET_VECTOR_ELT(shelter, BUFFERS, Rf_allocVector(VECSXP, n));
  struct stream *s = (struct stream *)(void *)RAW(raw);
  memset(s, 0, (size_t)XLENGTH(raw));
  s->stages = n;
  int random = 0;
  for (int k = 0; k < n; k++) {
    read_stage(s, k, VECTOR_ELT(stages, k));
    SEXP source = VECTOR_ELT(VECTOR_ELT(stages, k), SOURCE);
    if (s->stage[k].kind == STAGE_FEED) {
      SEXP feeder = source;
      SET_VECTOR_ELT(VECTOR_ELT(shelter, SOURCES), k, source = Rf_allocVector(VECSXP, FEED_SIZE));
      SET_VECTOR_ELT(source, FEEDER, feeder);
    }
    SET_VECTOR_ELT(VECTOR_ELT(shelter, SOURCES), k, source);
    if (s->stage[k].kind == STAGE_MAP || s->stage[k].kind == STAGE_FILTER)
      random |= program_draw_count(as_program(source)) > 0;
    int64_t bytes = stage_settle(s, k);
    if (bytes < 0) raise_text(STATUS_SHAPE,
      "the elements of the data sets differ in their shapes or dtypes, or have too many tensors");
    if (bytes) SET_VECTOR_ELT(VECTOR_ELT(shelter, BUFFERS), k, vector_for(RAWSXP, bytes, "a batch or shuffle buffer",
      NULL));
  }
  if (random) s->seed = seed_from_r(); /* else R's generator stays where it is */
  stream_restart(s, n - 1);
  SEXP x = handle_new(shelter, HANDLE_STREAM);
  UNPROTECT(1);
  return x;
}

struct filling {
  struct stream *stream;
  int64_t n, filled;
  unsigned char **to;
};

static void filling_task(void *user, struct team *team, int thread) {
  struct filling *f = user;
  (void)thread;
  f->stream->team = team;
  f->filled = stream_fill(f->stream, f->n, f->to);
  if (f->stream->failed) atomic_store(&team->failed, (int)f->stream->failed);
}

/* The next element as a list of tensors (n = 0), or up to n of them stacked along a new first axis; NULL at the end,
 * or if there are fewer than n and `whole` says that they do not count. */
SEXP ffi_stream_next(SEXP x, SEXP n, SEXP whole);
SEXP ffi_stream_next(SEXP x, SEXP n, SEXP whole) {
  SEXP shelter;
  struct stream *s = as_stream(x, &shelter);
  const struct stage *top = &s->stage[s->stages - 1];
  if (as_int(n) < 0) raise_text(STATUS_VALUE, "internal error: a negative number of elements");
  int64_t most = as_int(n) ? as_int(n) : 1;
  if (top->most >= 0 && top->most < most) { /* no room for what cannot come */
    if (as_int(whole)) return R_NilValue;
    most = top->most;
  }
  struct filling f = {.stream = s, .n = most, .to = (unsigned char **)R_alloc(MAX_COMPONENTS, sizeof(unsigned char *))};
  SEXP result = PROTECT(Rf_allocVector(VECSXP, top->components));
  for (int pass = 0; pass < 2; pass++) {
    for (int c = 0; c < top->components; c++) {
      struct shape shape = top->component[c].shape;
      if (as_int(n)) {
        if (shape.rank == MAX_RANK) raise_text(STATUS_SHAPE, "a batch would have more than %d axes", MAX_RANK);
        memmove(shape.dim + 1, shape.dim, (size_t)shape.rank++ * sizeof shape.dim[0]);
        shape.dim[0] = pass ? f.filled : f.n;
      }
      struct tensor t;
      SEXP tensor = tensor_new(top->component[c].dtype, &shape, &t);
      if (pass) memcpy(t.data, f.to[c], (size_t)shape_count(&shape) * dtype_size[t.dtype]);
      SET_VECTOR_ELT(result, c, tensor);
      f.to[c] = t.data;
    }
    if (pass) break;
    enum status status = team_run(1, filling_task, &f);
    struct failure failure;
    if (status) {
      s->failed = STATUS_OK;
      run_explain(status, &failure);
      raise(&failure);
    }
    if (f.filled == 0 || (f.filled < f.n && as_int(whole))) {
      UNPROTECT(1);
      return R_NilValue;
    }
    if (f.filled == f.n) break;
  }
  UNPROTECT(1);
  return result;
}
