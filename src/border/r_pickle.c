/* r_pickle.c - a closed reader of the pickles in NumPy's files of objects.
 *
 * A pickle is a program for a little stack machine that builds Python objects. In general it may call any function by
 * its name, and so reading a stranger's pickle runs a stranger's code. Here nothing is ever called: four names are
 * known, and they stand for themselves. With three every array of objects begins (numpy's _reconstruct, ndarray,
 * dtype), and by the fourth (_codecs.encode) Python 3 writes bytes for Python 2. Other names, and opcodes that such
 * files do not need, end the reading.
 *
 * The values, on the stack and in R:
 *   None, bool, int, float, str, bytes   NULL, logical, integer or double, double, character, raw
 *   list, tuple                          an atomic vector if all elements are of one such kind, else a list
 *   an array of objects                  list(dim, is it in Fortran order?, elements)
 *
 * Python's lists grow after others refer to them. So until the end each is a handle, an R list of HANDLE_SIZE whose
 * elements can be replaced. Whole numbers, of which there are millions, are kept out of R's lists.
 *
 * Before anything of this is made, pickle.c has seen that the whole pickle is an array of plain values. All memory is
 * R's, and all of it is linear in the length of the file: an opcode adds at most one item.
 */
#include "border/r_border.h"
#include "formats/pickle.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH (2 * PICKLE_DEEPEST)

enum item_kind { ITEM_UNSET, ITEM_MARK, ITEM_INT, ITEM_OBJECT };
struct item {
  int32_t kind, integer;
};

/* A row of items: the stack or the memo. Objects are in an R list of the same length as `item`. */
struct row {
  struct item *item;
  SEXP objects;
  int n, room;
};

struct pickle {
  const unsigned char *at, *end;
  SEXP shelter;  /* keeps the memory of both rows */
  struct row stack, memo;
  char problem[240]; /* why the file is refused; empty so far */
};

/* What a handle holds. */
enum { HANDLE_HEAD, HANDLE_VALUES, HANDLE_RESULT, HANDLE_SIZE };
enum handle_kind { LIST_HANDLE, TUPLE_HANDLE, ARRAY_HANDLE, DTYPE_HANDLE };

/* ---- what goes wrong ---- */

static int refuse(struct pickle *p, const char *text) {
  if (!*p->problem) snprintf(p->problem, sizeof p->problem, "%s", text);
  return 0;
}

static const unsigned char *take(struct pickle *p, uint64_t bytes) {
  if ((uint64_t)(p->end - p->at) < bytes) {
    refuse(p, "its pickle ends early");
    return NULL;
  }
  p->at += bytes;
  return p->at - bytes;
}

/* A little-endian number of 1 to 8 bytes. */
static int take_number(struct pickle *p, int bytes, uint64_t *number) {
  const unsigned char *b = take(p, (uint64_t)bytes);
  if (!b) return 0;
  *number = 0;
  for (int i = 0; i < bytes; i++) *number |= (uint64_t)b[i] << 8 * i;
  return 1;
}

/* ---- handles ---- */

static SEXP make_handle(enum handle_kind kind) {
  SEXP handle = PROTECT(Rf_allocVector(VECSXP, HANDLE_SIZE));
  SEXP head = Rf_allocVector(INTSXP, 2);
  SET_VECTOR_ELT(handle, HANDLE_HEAD, head);
  INTEGER(head)[0] = (int)kind;
  INTEGER(head)[1] = 0;
  UNPROTECT(1);
  return handle;
}

static int is_handle(SEXP x, enum handle_kind kind) {
  return TYPEOF(x) == VECSXP && INTEGER(VECTOR_ELT(x, HANDLE_HEAD))[0] == (int)kind;
}
static SEXP handle_values(SEXP handle) { return VECTOR_ELT(handle, HANDLE_VALUES); }
static int *handle_count(SEXP handle) { return &INTEGER(VECTOR_ELT(handle, HANDLE_HEAD))[1]; }

/* Element i of a tuple, or NULL for a whole number, which is no object. */
static SEXP handle_object(SEXP handle, int i) {
  SEXP values = handle_values(handle);
  return i < *handle_count(handle) && TYPEOF(values) == VECSXP ? VECTOR_ELT(values, i) : R_NilValue;
}

/* Append items `from` .. `from + n` - 1 of the stack. Values are an integer vector as long as all of them are whole
 * numbers, then a list; both with room to grow. */
static void handle_append(struct pickle *p, SEXP handle, int from, int n) {
  const struct item *item = p->stack.item + from;
  SEXP values = PROTECT(handle_values(handle));
  int old = *handle_count(handle), whole = old == 0 || TYPEOF(values) == INTSXP;
  for (int i = 0; i < n && whole; i++) whole = item[i].kind == ITEM_INT;
  SEXPTYPE type = whole ? INTSXP : VECSXP;
  double room = Rf_isNull(values) ? 0 : (double)XLENGTH(values), needed = (double)old + n;
  if (n > 0 && ((SEXPTYPE)TYPEOF(values) != type || room < needed)) {
    if (old > 0 && room < needed) room = 2 * room;
    SEXP wider = Rf_allocVector(type, (R_xlen_t)(room < needed ? needed : room));
    SET_VECTOR_ELT(handle, HANDLE_VALUES, wider);
    if (whole && old > 0) memcpy(INTEGER(wider), INTEGER(values), (size_t)old * sizeof(int));
    for (int i = 0; i < old && !whole; i++) {
      SET_VECTOR_ELT(wider, i, TYPEOF(values) == INTSXP ? Rf_ScalarInteger(INTEGER(values)[i]) : VECTOR_ELT(values, i));
    }
  }
  UNPROTECT(1);
  values = handle_values(handle);
  for (int i = 0; i < n; i++) {
    if (whole) INTEGER(values)[old + i] = item[i].integer;
    else SET_VECTOR_ELT(values, old + i, item[i].kind == ITEM_INT ? Rf_ScalarInteger(item[i].integer) :
      VECTOR_ELT(p->stack.objects, from + i));
  }
  *handle_count(handle) = old + n;
}

/* ---- the stack and the memo ---- */

/* Room for n items. The row's memory hangs on the shelter, at `place`. */
static void row_reserve(struct pickle *p, struct row *row, int n, int place) {
  if (n <= row->room) return;
  double wanted = 2.0 * row->room;
  int room = wanted > INT_MAX ? INT_MAX : (int)wanted;
  if (room < n) room = n;
  SEXP items = Rf_allocVector(RAWSXP, (R_xlen_t)room * (R_xlen_t)sizeof(struct item));
  memset(RAW(items), 0, (size_t)XLENGTH(items));
  if (row->n > 0) memcpy(RAW(items), row->item, (size_t)row->n * sizeof(struct item));
  SET_VECTOR_ELT(p->shelter, place, items);
  row->item = (struct item *)(void *)RAW(items);
  SEXP objects = Rf_allocVector(VECSXP, room);
  for (int i = 0; i < row->n; i++) SET_VECTOR_ELT(objects, i, VECTOR_ELT(row->objects, i));
  SET_VECTOR_ELT(p->shelter, place + 1, objects);
  row->objects = objects;
  row->room = room;
}

static struct item *push(struct pickle *p, enum item_kind kind) {
  if (p->stack.n == p->stack.room) row_reserve(p, &p->stack, p->stack.n + 1, 0);
  struct item *item = &p->stack.item[p->stack.n++];
  item->kind = (int32_t)kind;
  return item;
}

static int push_object(struct pickle *p, SEXP x) {
  PROTECT(x);
  push(p, ITEM_OBJECT);
  SET_VECTOR_ELT(p->stack.objects, p->stack.n - 1, x);
  UNPROTECT(1);
  return 1;
}

static int push_whole(struct pickle *p, int64_t number) {
  /* INT_MIN is R's NA */
  if (number > INT_MIN && number <= INT_MAX) {
    push(p, ITEM_INT)->integer = (int32_t)number;
    return 1;
  }
  const int64_t exact = (int64_t)1 << 53;
  if (number > exact || number < -exact) return refuse(p, "its pickle holds a whole number beyond 2^53");
  return push_object(p, Rf_ScalarReal((double)number));
}

/* The object `below` the top, or NULL if there is none. It stays on the stack and so is protected. */
static SEXP peek(struct pickle *p, int below) {
  int i = p->stack.n - 1 - below;
  return i >= 0 && p->stack.item[i].kind == ITEM_OBJECT ? VECTOR_ELT(p->stack.objects, i) : R_NilValue;
}

/* The place of the topmost mark, or -1. */
static int find_mark(struct pickle *p) {
  int i = p->stack.n - 1;
  while (i >= 0 && p->stack.item[i].kind != ITEM_MARK) i--;
  if (i < 0) refuse(p, "its pickle takes more than there is");
  return i;
}

static int remember(struct pickle *p, uint64_t place) {
  if (place >= INT_MAX) return refuse(p, "its pickle numbers an object beyond its size");
  if (p->stack.n == 0 || p->stack.item[p->stack.n - 1].kind == ITEM_MARK)
    return refuse(p, "its pickle names what is not there");
  int i = (int)place;
  row_reserve(p, &p->memo, i + 1, 2);
  if (i >= p->memo.n) p->memo.n = i + 1;
  p->memo.item[i] = p->stack.item[p->stack.n - 1];
  SET_VECTOR_ELT(p->memo.objects, i, peek(p, 0));
  return 1;
}

static int recall(struct pickle *p, uint64_t place) {
  if (place >= (uint64_t)p->memo.n || p->memo.item[place].kind == ITEM_UNSET)
    return refuse(p, "its pickle recalls what it never named");
  struct item item = p->memo.item[place];
  if (item.kind == ITEM_OBJECT) return push_object(p, VECTOR_ELT(p->memo.objects, (R_xlen_t)place));
  push(p, ITEM_INT)->integer = item.integer;
  return 1;
}

/* ---- opcodes ---- */

static int read_text(struct pickle *p, int length_bytes, cetype_t encoding) {
  uint64_t n;
  const unsigned char *text;
  if (!take_number(p, length_bytes, &n) || !(text = take(p, n))) return 0;
  if (n > 0 && memchr(text, 0, (size_t)n)) return refuse(p, "its pickle holds a text with a zero byte");
  return push_object(p, Rf_ScalarString(Rf_mkCharLenCE((const char *)text, (int)n, encoding)));
}

static int read_bytes(struct pickle *p, int length_bytes) {
  uint64_t n;
  const unsigned char *bytes;
  if (!take_number(p, length_bytes, &n) || !(bytes = take(p, n))) return 0;
  SEXP x = Rf_allocVector(RAWSXP, (R_xlen_t)n);
  if (n > 0) memcpy(RAW(x), bytes, (size_t)n);
  return push_object(p, x);
}

static int read_long(struct pickle *p) {
  uint64_t n, bits = 0;
  if (!take_number(p, 1, &n)) return 0;
  if (n > 8) return refuse(p, "its pickle holds a whole number beyond 2^53");
  if (n > 0 && !take_number(p, (int)n, &bits)) return 0;
  if (n > 0 && n < 8 && bits >> (8 * n - 1)) bits |= ~(uint64_t)0 << 8 * n; /* the sign */
  int64_t number;
  memcpy(&number, &bits, sizeof number);
  return push_whole(p, number);
}

static int read_double(struct pickle *p) {
  const unsigned char *b = take(p, 8);
  if (!b) return 0;
  uint64_t bits = 0;
  double number;
  for (int i = 0; i < 8; i++) bits = bits << 8 | b[i];
  memcpy(&number, &bits, sizeof number);
  return push_object(p, Rf_ScalarReal(number));
}

/* The topmost n items become a tuple. */
static int make_tuple(struct pickle *p, int n) {
  if (p->stack.n < n) return refuse(p, "its pickle takes more than there is");
  for (int i = 1; i <= n; i++) {
    if (p->stack.item[p->stack.n - i].kind == ITEM_MARK) return refuse(p, "its pickle takes more than there is");
  }
  SEXP tuple = PROTECT(make_handle(TUPLE_HANDLE));
  handle_append(p, tuple, p->stack.n - n, n);
  p->stack.n -= n;
  push_object(p, tuple);
  UNPROTECT(1);
  return 1;
}

static int append(struct pickle *p, int from) {
  int n = p->stack.n - from;
  SEXP list = peek(p, n + (p->stack.item[from - 1].kind == ITEM_MARK));
  if (!is_handle(list, LIST_HANDLE)) return refuse(p, "its pickle appends to what is no list");
  handle_append(p, list, from, n);
  return 1;
}

/* pickle.c let known names pass only, and their last words differ. */
static int push_name(struct pickle *p, SEXP name) { return push_object(p, Rf_install(CHAR(name))); }

static int read_global(struct pickle *p) {
  SEXP name = R_NilValue;
  for (int i = 0; i < 2; i++) {
    const unsigned char *end = memchr(p->at, '\n', (size_t)(p->end - p->at));
    if (!end) return refuse(p, "its pickle ends early");
    if (i == 1) name = Rf_mkCharLen((const char *)p->at, (int)(end - p->at));
    p->at = end + 1;
  }
  PROTECT(name);
  push_name(p, name);
  UNPROTECT(1);
  return 1;
}

static int stack_global(struct pickle *p) {
  SEXP module = peek(p, 1), name = peek(p, 0);
  if (TYPEOF(module) != STRSXP || TYPEOF(name) != STRSXP) return refuse(p, "its pickle uses a name that is no text");
  p->stack.n -= 2;
  return push_name(p, STRING_ELT(name, 0)); /* the stack still keeps it: it only grows when pushed to */
}

/* The bytes that a text's characters below 256 stand for. */
static SEXP latin1_bytes(struct pickle *p, const unsigned char *text) {
  size_t n = strlen((const char *)text), length = 0;
  SEXP bytes = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)n));
  for (size_t i = 0; i < n; i++) {
    unsigned char c = text[i];
    if (c >= 0x80 && (c & 0xfe) == 0xc2) c = (unsigned char)((c & 3) << 6 | (text[++i] & 0x3f));
    else if (c >= 0x80) refuse(p, "its pickle holds bytes that are none");
    RAW(bytes)[length++] = c;
  }
  bytes = Rf_xlengthgets(bytes, (R_xlen_t)length);
  UNPROTECT(1);
  return bytes;
}

/* A call of one of the known names. */
static int reduce(struct pickle *p) {
  SEXP name = peek(p, 1), args = peek(p, 0);
  if (TYPEOF(name) != SYMSXP || !is_handle(args, TUPLE_HANDLE))
    return refuse(p, "its pickle calls what is no function");
  SEXP first = handle_object(args, 0), made;
  if (name == Rf_install("_reconstruct") && first == Rf_install("ndarray")) {
    made = PROTECT(make_handle(ARRAY_HANDLE));
  } else if (name == Rf_install("dtype") && TYPEOF(first) == STRSXP) {
    made = PROTECT(make_handle(DTYPE_HANDLE));
    SET_VECTOR_ELT(made, HANDLE_VALUES, first);
  } else if (name == Rf_install("encode") && TYPEOF(first) == STRSXP) {
    made = PROTECT(latin1_bytes(p, (const unsigned char *)CHAR(STRING_ELT(first, 0))));
  } else {
    return refuse(p, "its pickle calls a function in another way than arrays do");
  }
  p->stack.n -= 2;
  push_object(p, made);
  UNPROTECT(1);
  return !*p->problem;
}

/* The contents of an array, or details of a dtype, which those of objects do not have. */
static int build(struct pickle *p) {
  SEXP object = peek(p, 1), state = peek(p, 0);
  int array = is_handle(object, ARRAY_HANDLE);
  if ((!array && !is_handle(object, DTYPE_HANDLE)) || !is_handle(state, TUPLE_HANDLE))
    return refuse(p, "its pickle fills what is no array");
  if (array) SET_VECTOR_ELT(object, HANDLE_VALUES, state);
  p->stack.n--;
  return 1;
}

static int append_one(struct pickle *p) {
  if (p->stack.n < 2 || p->stack.item[p->stack.n - 1].kind == ITEM_MARK)
    return refuse(p, "its pickle takes more than there is");
  if (p->stack.item[p->stack.n - 2].kind == ITEM_MARK || !append(p, p->stack.n - 1))
    return refuse(p, "its pickle appends to what is no list");
  p->stack.n--;
  return 1;
}

/* All above the last mark. */
static int append_marked(struct pickle *p) {
  int mark = find_mark(p);
  if (mark < 0 || !append(p, mark + 1)) return 0;
  p->stack.n = mark;
  return 1;
}

static int make_marked_tuple(struct pickle *p) {
  int mark = find_mark(p);
  if (mark < 0 || !make_tuple(p, p->stack.n - mark - 1)) return 0;
  SEXP tuple = peek(p, 0); /* takes the place of the mark */
  p->stack.n = mark;
  return push_object(p, tuple);
}

static int do_opcode(struct pickle *p, int opcode) {
  uint64_t number;
  switch (opcode) {
    case P_PROTO: return take_number(p, 1, &number) &&
      (number <= 5 || refuse(p, "its pickle is of a protocol after 5"));
    case P_FRAME: return take(p, 8) != NULL; /* only tells how much to read at a time */
    case P_MARK: push(p, ITEM_MARK); return 1;
    case P_NONE: return push_object(p, R_NilValue);
    case P_NEWTRUE: return push_object(p, Rf_ScalarLogical(1));
    case P_NEWFALSE: return push_object(p, Rf_ScalarLogical(0));
    case P_BININT: return take_number(p, 4, &number) && push_whole(p, (int64_t)(number ^ 0x80000000u) - 0x80000000LL);
    case P_BININT1: return take_number(p, 1, &number) && push_whole(p, (int64_t)number);
    case P_BININT2: return take_number(p, 2, &number) && push_whole(p, (int64_t)number);
    case P_LONG1: return read_long(p);
    case P_BINFLOAT: return read_double(p);
    case P_SHORT_BINSTRING: return read_text(p, 1, CE_LATIN1);
    case P_BINSTRING: return read_text(p, 4, CE_LATIN1);
    case P_SHORT_BINBYTES: return read_bytes(p, 1);
    case P_BINBYTES: return read_bytes(p, 4);
    case P_SHORT_BINUNICODE: return read_text(p, 1, CE_UTF8);
    case P_BINUNICODE: return read_text(p, 4, CE_UTF8);
    case P_BINUNICODE8: return read_text(p, 8, CE_UTF8);
    case P_EMPTY_TUPLE: return make_tuple(p, 0);
    case P_TUPLE1: return make_tuple(p, 1);
    case P_TUPLE2: return make_tuple(p, 2);
    case P_TUPLE3: return make_tuple(p, 3);
    case P_EMPTY_LIST: return push_object(p, make_handle(LIST_HANDLE));
    case P_BINPUT: return take_number(p, 1, &number) && remember(p, number);
    case P_LONG_BINPUT: return take_number(p, 4, &number) && remember(p, number);
    case P_MEMOIZE: return remember(p, (uint64_t)p->memo.n);
    case P_BINGET: return take_number(p, 1, &number) && recall(p, number);
    case P_LONG_BINGET: return take_number(p, 4, &number) && recall(p, number);
    case P_GLOBAL: return read_global(p);
    case P_STACK_GLOBAL: return stack_global(p);
    case P_REDUCE: return reduce(p);
    case P_BUILD: return build(p);
    case P_APPEND: return append_one(p);
    case P_APPENDS: return append_marked(p);
    case P_TUPLE: return make_marked_tuple(p);
  }
  snprintf(p->problem, sizeof p->problem, "its pickle has the opcode 0x%02x, which arrays of plain values do not need",
    (unsigned)opcode);
  return 0;
}

/* ---- the result ---- */

/* The one type of all elements, or a list's. Whole numbers only are never kept in a list. */
static SEXPTYPE common_type(SEXP values, int n) {
  SEXPTYPE type = NILSXP;
  for (int i = 0; i < n; i++) {
    SEXPTYPE own = (SEXPTYPE)TYPEOF(VECTOR_ELT(values, i));
    int numbers = (own == REALSXP || own == INTSXP) && (type == REALSXP || type == INTSXP);
    if (own == VECSXP || own == NILSXP || own == RAWSXP || own == SYMSXP || (type != NILSXP && own != type && !numbers))
      return VECSXP;
    type = type == REALSXP ? REALSXP : own;
  }
  return type;
}

/* What a value is in R. A handle's result is kept, so what is shared is made once; a list within itself is too deep. */
static SEXP finish(struct pickle *p, SEXP x, int depth) {
  if (TYPEOF(x) == SYMSXP || is_handle(x, DTYPE_HANDLE)) refuse(p, "its pickle has a function where a value should be");
  if (is_handle(x, ARRAY_HANDLE)) refuse(p, "it holds an array within an array");
  if (depth > MAX_DEPTH) refuse(p, "its lists are nested too deeply");
  if (*p->problem || TYPEOF(x) != VECSXP) return x;
  SEXP result = VECTOR_ELT(x, HANDLE_RESULT), values = handle_values(x);
  if (!Rf_isNull(result)) return result;
  int n = *handle_count(x);
  SEXPTYPE type = n == 0 || TYPEOF(values) == INTSXP ? INTSXP : common_type(values, n);
  if (TYPEOF(values) == INTSXP && XLENGTH(values) == n) {
    SET_VECTOR_ELT(x, HANDLE_RESULT, values);
    return values;
  }
  result = PROTECT(Rf_allocVector(type, n));
  if (TYPEOF(values) == INTSXP) memcpy(INTEGER(result), INTEGER(values), (size_t)n * sizeof(int));
  for (int i = 0; i < n && TYPEOF(values) == VECSXP && !*p->problem; i++) {
    SEXP value = VECTOR_ELT(values, i);
    switch (type) {
      case LGLSXP: LOGICAL(result)[i] = LOGICAL(value)[0]; break;
      case REALSXP: REAL(result)[i] = Rf_asReal(value); break;
      case STRSXP: SET_STRING_ELT(result, i, STRING_ELT(value, 0)); break;
      default: SET_VECTOR_ELT(result, i, finish(p, value, depth + 1));
    }
  }
  SET_VECTOR_ELT(x, HANDLE_RESULT, result);
  UNPROTECT(1);
  return result;
}

/* The one array that a file must hold: list(dim, fortran, elements). */
static SEXP finish_array(struct pickle *p) {
  SEXP array = peek(p, 0), state = is_handle(array, ARRAY_HANDLE) ? handle_values(array) : R_NilValue;
  if (p->stack.n != 1 || !is_handle(state, TUPLE_HANDLE) || *handle_count(state) != 5) {
    refuse(p, "its pickle is not an array");
    return R_NilValue;
  }
  /* (version, dim, dtype, is it in Fortran order?, elements) */
  SEXP dim = handle_object(state, 1), dtype = handle_object(state, 2), fortran = handle_object(state, 3),
    elements = handle_object(state, 4);
  if (!is_handle(dim, TUPLE_HANDLE) || !is_handle(dtype, DTYPE_HANDLE) || TYPEOF(fortran) != LGLSXP ||
    !is_handle(elements, LIST_HANDLE) ||
      CHAR(STRING_ELT(handle_values(dtype), 0))[0] != 'O') {
    refuse(p, "its pickle is not an array of objects");
    return R_NilValue;
  }
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 3));
  SET_VECTOR_ELT(result, 0, finish(p, dim, 0));
  SET_VECTOR_ELT(result, 1, fortran);
  /* always a list, even of plain numbers */
  int n = *handle_count(elements);
  SEXP values = handle_values(elements), list = Rf_allocVector(VECSXP, n);
  SET_VECTOR_ELT(result, 2, list);
  for (int i = 0; i < n && !*p->problem; i++) {
    SET_VECTOR_ELT(list, i, TYPEOF(values) == INTSXP ? Rf_ScalarInteger(INTEGER(values)[i]) :
      finish(p, VECTOR_ELT(values, i), 0));
  }
  UNPROTECT(1);
  return result;
}

/* Why a pickle is not an array of this shape whose elements are plain values, or, if `lists`, lists of whole numbers.
 */
static void check_first(struct pickle *p, struct pickle_check *c, SEXP shape, int lists) {
  if (pickle_measure(c, p->at, (size_t)(p->end - p->at))) {
    SEXP items = PROTECT(vector_for(RAWSXP, (c->stack + 1) * (int64_t)sizeof(uint32_t), "the stack of a pickle", NULL));
    SEXP named = PROTECT(vector_for(RAWSXP, (c->memo + 1) * (int64_t)sizeof(uint32_t), "the memo of a pickle", NULL));
    c->item = (uint32_t *)(void *)RAW(items);
    c->named = (uint32_t *)(void *)RAW(named);
    pickle_check(c);
    UNPROTECT(2);
  }
  double count = 1;
  int same = c->axes == XLENGTH(shape);
  for (int i = 0; i < c->axes; i++) count *= c->shape[i], same = same && c->shape[i] == REAL(shape)[i];
  if (*c->problem) refuse(p, c->problem);
  else if (!same) refuse(p, "its pickle is of another shape than its header");
  else if (c->count != count) snprintf(p->problem, sizeof p->problem, "its pickle has %.0f elements", c->count);
  else if (lists && !c->lists) refuse(p, "its elements are no lists of whole numbers");
}

/* A pickle begins so many bytes into `bytes`. Returns list(dim, fortran, list of elements), or in one string why it is
 * refused. */
SEXP ffi_pickle(SEXP bytes, SEXP from, SEXP shape, SEXP lists);
SEXP ffi_pickle(SEXP bytes, SEXP from, SEXP shape, SEXP lists) {
  check_vector(bytes, RAWSXP, -1);
  check_vector(shape, REALSXP, -1);
  struct pickle p = {.problem = ""};
  struct pickle_check c;
  double start = as_number(from);
  if (XLENGTH(bytes) >= INT_MAX) return Rf_mkString("its pickle has more than 2^31 bytes");
  if (!(start >= 0 && start <= (double)XLENGTH(bytes))) return Rf_mkString("its pickle ends early");
  p.at = RAW(bytes) + (size_t)start;
  p.end = RAW(bytes) + (size_t)XLENGTH(bytes);
  check_first(&p, &c, shape, as_int(lists));
  if (*p.problem) return Rf_mkString(p.problem);
  p.shelter = PROTECT(Rf_allocVector(VECSXP, 4));
  row_reserve(&p, &p.stack, (int)c.stack + 1, 0);
  row_reserve(&p, &p.memo, (int)c.memo + 1, 2);

  for (int count = 1;; count = (count + 1) & 0xfffff) {
    if (count == 0) R_CheckUserInterrupt();
    const unsigned char *opcode = take(&p, 1);
    if (!opcode || *opcode == P_STOP || !do_opcode(&p, *opcode)) break;
  }
  if (!*p.problem && p.at != p.end) refuse(&p, "it has bytes after the end of its pickle");
  SEXP result = *p.problem ? R_NilValue : finish_array(&p);
  if (*p.problem) result = Rf_mkString(p.problem);
  UNPROTECT(1);
  return result;
}
