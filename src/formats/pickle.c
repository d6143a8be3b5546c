/* pickle.c - runs a pickle's stack machine with kinds of values in place of values. What passes can be built without a
 * refusal, and takes four bytes for each item meanwhile. */
#include "formats/pickle.h"
#include "formats/utf8.h"

#include <stdio.h>
#include <string.h>

/* An item: its kind, then what else is known of it. A list that has a number in the memo is one thing wherever it
 * stands: the item says where, and the memo has the rest. */
enum kind { K_UNSET, K_MARK, K_NONE, K_BOOL, K_INT, K_NUMBER, K_TEXT, K_BYTES, K_NAME, K_TUPLE, K_LIST, K_ARRAY,
  K_DTYPE, K_SHARED };
#define KIND_BITS 4
enum {
  INTS = 1 << 4,       /* of lists and tuples: whole numbers only, as R's integers are */
  INT_LISTS = 1 << 5,  /* of lists: of such only */
  FROZEN = 1 << 6,     /* of lists: within another, so that it gets no more elements */
  LATIN = 1 << 7,      /* of texts: characters below 256 only */
  OBJECTS = 1 << 8,    /* of texts and dtypes: of objects; of an array: filled */
  STATE = 1 << 9,      /* of a tuple: what an array is filled with */
  ONE_TEXT = 1 << 10,  /* of tuples: what the call that they are the arguments of needs */
  ONE_LATIN = 1 << 11, ONE_ARRAY = 1 << 12, ONE_OBJECTS = 1 << 13,
  DEPTH_SHIFT = 16     /* of lists and tuples; of texts and names: which one */
};

static int refuse(struct pickle_check *p, const char *text) {
  if (!*p->problem) snprintf(p->problem, sizeof p->problem, "%s", text);
  return 0;
}

/* ---- opcodes ---- */

/* An opcode with its argument: a number, or `length` bytes of text. */
struct op {
  int code;
  uint64_t number;
  const unsigned char *text;
  uint64_t length;
};

static int take_number(struct pickle_check *p, int bytes, uint64_t *number) {
  if (p->end - p->at < bytes) return refuse(p, "its pickle ends early");
  *number = 0;
  for (int i = 0; i < bytes; i++) *number |= (uint64_t)p->at[i] << 8 * i;
  p->at += bytes;
  return 1;
}

static int take_bytes(struct pickle_check *p, int length_bytes, struct op *op) {
  if (!take_number(p, length_bytes, &op->length)) return 0;
  if ((uint64_t)(p->end - p->at) < op->length) return refuse(p, "its pickle ends early");
  op->text = p->at;
  p->at += op->length;
  return 1;
}

static int next_op(struct pickle_check *p, struct op *op) {
  if (p->at == p->end) return refuse(p, "its pickle ends early");
  op->code = *p->at++;
  op->text = NULL;
  switch (op->code) {
    case P_STOP: case P_MARK: case P_NONE: case P_NEWTRUE: case P_NEWFALSE: case P_EMPTY_TUPLE: case P_TUPLE1:
    case P_TUPLE2: case P_TUPLE3: case P_TUPLE: case P_EMPTY_LIST: case P_APPEND: case P_APPENDS: case P_MEMOIZE:
    case P_STACK_GLOBAL: case P_REDUCE: case P_BUILD:
      return 1;
    case P_PROTO: return take_number(p, 1, &op->number) &&
      (op->number <= 5 || refuse(p, "its pickle is of a protocol after 5"));
    /* a frame only tells how much to read at a time */
    case P_FRAME: case P_BINFLOAT: return take_number(p, 8, &op->number);
    case P_BININT1: case P_BINPUT: case P_BINGET: return take_number(p, 1, &op->number);
    case P_BININT2: return take_number(p, 2, &op->number);
    case P_BININT: case P_LONG_BINPUT: case P_LONG_BINGET: return take_number(p, 4, &op->number);
    case P_LONG1: case P_SHORT_BINSTRING: case P_SHORT_BINBYTES: case P_SHORT_BINUNICODE: return take_bytes(p, 1, op);
    case P_BINSTRING: case P_BINBYTES: case P_BINUNICODE: return take_bytes(p, 4, op);
    case P_BINUNICODE8: return take_bytes(p, 8, op);
    case P_GLOBAL: {
      op->text = p->at;
      for (int line = 0; line < 2; line++) {
        const unsigned char *end = memchr(p->at, '\n', (size_t)(p->end - p->at));
        if (!end) return refuse(p, "its pickle ends early");
        p->at = end + 1;
      }
      op->length = (uint64_t)(p->at - op->text);
      return 1;
    }
  }
  snprintf(p->problem, sizeof p->problem, "its pickle has the opcode 0x%02x, which arrays of plain values do not need",
    (unsigned)op->code);
  return 0;
}

#define MOST_MARKS 128 /* each list and tuple that is being filled has one */

int pickle_measure(struct pickle_check *p, const unsigned char *bytes, size_t n) {
  int64_t depth = 0, mark[MOST_MARKS];
  int marks = 0;
  struct op op;
  memset(p, 0, sizeof *p);
  p->start = p->at = bytes;
  p->end = bytes + n;
  while (next_op(p, &op) && op.code != P_STOP) {
    int64_t by = 1, place = p->memo;
    int takes = 0; /* from the stack, and leaves something there */
    switch (op.code) {
      case P_PROTO: case P_FRAME: by = 0; break;
      case P_TUPLE1: by = 0, takes = 1; break;
      case P_BINPUT: case P_LONG_BINPUT: case P_MEMOIZE:
        by = 0;
        if (op.code != P_MEMOIZE) place = (int64_t)op.number;
        /* Python counts them up, but leaves numbers out when it drops those that are not needed */
        if (place > 4096 + (int64_t)n / 2 || place >= (int64_t)1 << 28)
          return refuse(p, "its pickle numbers an object beyond its size");
        if (place >= p->memo) p->memo = place + 1;
        break;
      case P_TUPLE2: case P_APPEND: case P_STACK_GLOBAL: case P_REDUCE: case P_BUILD: by = -1, takes = 1; break;
      case P_TUPLE3: by = -2, takes = 1; break;
      case P_MARK:
        if (marks == MOST_MARKS) return refuse(p, "its lists are nested too deeply");
        mark[marks++] = depth;
        break;
      case P_TUPLE: case P_APPENDS:
        if (marks == 0) return refuse(p, "its pickle takes more than there is");
        by = mark[--marks] - depth + (op.code == P_TUPLE);
        break;
    }
    depth += by;
    if (depth < takes || (marks && depth <= mark[marks - 1])) return refuse(p, "its pickle takes more than there is");
    if (depth > p->stack) p->stack = depth;
  }
  if (!*p->problem && p->at != p->end) refuse(p, "it has bytes after the end of its pickle");
  p->at = p->start;
  return !*p->problem;
}

/* ---- the machine ---- */

struct machine {
  struct pickle_check *p;
  int64_t n, memo;
  struct op text[2];    /* the last two texts */
  int64_t shape_at;     /* the lowest tuple on the stack that is of few whole numbers only, and these; or -1 */
  int64_t list_at, list_memo; /* the lowest list on the stack, and its number in the memo; or -1 */
  double number[PICKLE_AXES], count;
  int numbers;
  double recent[PICKLE_AXES]; /* the last whole numbers */
  unsigned int whole;
};

static uint32_t *item(struct machine *m, int64_t below) { return &m->p->item[m->n - 1 - below]; }
static enum kind kind_of(uint32_t x) { return (enum kind)(x & ((1u << KIND_BITS) - 1)); }
static uint32_t more_of(uint32_t x) { return x >> DEPTH_SHIFT; }

/* What an item is, wherever that is kept. */
static uint32_t *actual(struct machine *m, uint32_t *x) {
  return kind_of(*x) == K_SHARED ? &m->p->named[*x >> KIND_BITS] : x;
}

/* What was noted of places that are no longer there. */
static void forget(struct machine *m) {
  if (m->shape_at >= m->n) m->shape_at = -1;
  if (m->list_at >= m->n) m->list_at = m->list_memo = -1;
}

static int push(struct machine *m, uint32_t x) {
  forget(m);
  m->p->item[m->n++] = x;
  return 1;
}

static int64_t find_mark(const struct machine *m) {
  int64_t i = m->n - 1;
  while (i >= 0 && kind_of(m->p->item[i]) != K_MARK) i--;
  return i;
}

static int push_whole(struct machine *m, int64_t number) {
  const int64_t exact = (int64_t)1 << 53;
  if (number > exact || number < -exact) return refuse(m->p, "its pickle holds a whole number beyond 2^53");
  m->recent[m->whole++ % PICKLE_AXES] = (double)number;
  return push(m, number > -2147483648LL && number <= 2147483647 ? K_INT : K_NUMBER);
}

static int push_long(struct machine *m, const struct op *op) {
  uint64_t bits = 0;
  if (op->length > 8) return refuse(m->p, "its pickle holds a whole number beyond 2^53");
  for (uint64_t i = 0; i < op->length; i++) bits |= (uint64_t)op->text[i] << 8 * i;
  /* the sign */
  if (op->length > 0 && op->length < 8 && bits >> (8 * op->length - 1)) bits |= ~(uint64_t)0 << 8 * op->length;
  int64_t number;
  memcpy(&number, &bits, sizeof number);
  return push_whole(m, number);
}

/* The names that are known, as module and name; the first texts are modules. */
static const char *const words[] = {"numpy.core.multiarray", "numpy._core.multiarray", "numpy", "_codecs",
  "_reconstruct", "ndarray", "dtype", "encode"};
enum { W_CORE = 1, W_CORE_2, W_NUMPY, W_CODECS, W_RECONSTRUCT, W_NDARRAY, W_DTYPE, W_ENCODE, W_END };

static uint32_t word_of(const unsigned char *text, uint64_t length) {
  for (int i = 0; i < W_END - 1; i++) {
    if (strlen(words[i]) == length && !memcmp(words[i], text, (size_t)length)) return (uint32_t)i + 1;
  }
  return 0;
}

static int push_text(struct machine *m, const struct op *op, int utf8) {
  uint32_t x = K_TEXT | LATIN | word_of(op->text, op->length) << DEPTH_SHIFT;
  if (op->length > 0 && memchr(op->text, 0, (size_t)op->length))
    return refuse(m->p, "its pickle holds a text with a zero byte");
  const unsigned char *at = op->text, *end = op->text + op->length;
  while (utf8 && at < end) {
    int n = utf8_length(at, end);
    if (n == 0) return refuse(m->p, "its pickle holds a text that is not UTF-8");
    if (*at > 0xc3) x &= ~(uint32_t)LATIN;
    at += n;
  }
  if (op->length > 0 && op->text[0] == 'O') x |= OBJECTS;
  m->text[0] = m->text[1];
  m->text[1] = *op;
  return push(m, x);
}

static int push_name(struct machine *m, uint32_t module, uint32_t name, const struct op *a, const struct op *b) {
  int known = ((module == W_CORE || module == W_CORE_2) && name == W_RECONSTRUCT) ||
    (module == W_NUMPY && (name == W_NDARRAY || name == W_DTYPE)) ||
              (module == W_CODECS && name == W_ENCODE);
  if (known) return push(m, K_NAME | name << DEPTH_SHIFT);
  char text[120];
  size_t length = 0;
  for (uint64_t i = 0; i < a->length + 1 + b->length && length < sizeof text - 1; i++) {
    unsigned char c = i < a->length ? a->text[i] : i == a->length ? '.' : b->text[i - a->length - 1];
    text[length++] = c > ' ' && c <= '~' ? (char)c : '?';
  }
  text[length] = 0;
  snprintf(m->p->problem, sizeof m->p->problem,
    "its pickle wants to use %s of Python, and only arrays of plain values are read", text);
  return 0;
}

static int push_global(struct machine *m, const struct op *op) {
  struct op part[2] = {*op, *op};
  const unsigned char *line = memchr(op->text, '\n', (size_t)op->length);
  part[0].length = (uint64_t)(line - op->text);
  part[1].text = line + 1;
  part[1].length = op->length - part[0].length - 2;
  return push_name(m, word_of(part[0].text, part[0].length), word_of(part[1].text, part[1].length), &part[0], &part[1]);
}

static int stack_global(struct machine *m) {
  uint32_t module = *item(m, 1), name = *item(m, 0);
  if (kind_of(module) != K_TEXT || kind_of(name) != K_TEXT)
    return refuse(m->p, "its pickle uses a name that is no text");
  m->n -= 2;
  return push_name(m, more_of(module), more_of(name), &m->text[0], &m->text[1]);
}

/* ---- lists and tuples ---- */

/* Items `from` and after go into a list or tuple that is `within`: what that is then. 0 if they cannot. */
static uint32_t put_in(struct machine *m, int64_t from, uint32_t within) {
  uint32_t depth = more_of(within);
  for (int64_t i = from; i < m->n; i++) {
    uint32_t *x = actual(m, &m->p->item[i]);
    enum kind kind = kind_of(*x);
    if (kind == K_MARK) return (uint32_t)refuse(m->p, "its pickle takes more than there is");
    int nested = kind == K_LIST || kind == K_TUPLE;
    if (kind != K_INT) within &= ~(uint32_t)INTS;
    if (!nested || !(*x & INTS)) within &= ~(uint32_t)INT_LISTS;
    if (nested && more_of(*x) + 1 > depth) depth = more_of(*x) + 1;
    if (kind == K_LIST) *x |= FROZEN;
  }
  if (depth > PICKLE_DEEPEST) return (uint32_t)refuse(m->p, "its lists are nested too deeply");
  return (within & ((1u << DEPTH_SHIFT) - 1)) | depth << DEPTH_SHIFT;
}

/* Elements of a list are plain values. */
static int are_plain(struct machine *m, int64_t from) {
  for (int64_t i = from; i < m->n; i++) {
    enum kind kind = kind_of(*actual(m, &m->p->item[i]));
    if (kind == K_NAME || kind == K_DTYPE) return refuse(m->p, "its pickle has a function where a value should be");
    if (kind == K_ARRAY) return refuse(m->p, "it holds an array within an array");
  }
  return 1;
}

static int is_lowest_list(const struct machine *m, int64_t at) {
  uint32_t x = m->p->item[at];
  return at == m->list_at || (kind_of(x) == K_SHARED && (int64_t)(x >> KIND_BITS) == m->list_memo);
}

/* The topmost n items become a tuple, which takes the place of the first of them or of the mark below. */
static int make_tuple(struct machine *m, int64_t n, int64_t to) {
  int64_t from = m->n - n;
  uint32_t tuple = put_in(m, from, K_TUPLE | INTS);
  if (!tuple) return 0;
  const uint32_t *x = m->p->item + from;
  enum kind first = n > 0 ? kind_of(x[0]) : K_UNSET;
  if (first == K_TEXT) tuple |= ONE_TEXT | (x[0] & LATIN ? ONE_LATIN : 0) | (x[0] & OBJECTS ? ONE_OBJECTS : 0);
  if (first == K_NAME && more_of(x[0]) == W_NDARRAY) tuple |= ONE_ARRAY;
  int shape = (tuple & INTS) && n <= PICKLE_AXES;
  /* (version, shape, dtype, is it in Fortran order?, elements) */
  int list = n == 5 && is_lowest_list(m, from + 4);
  if (list && from + 1 == m->shape_at && kind_of(x[2]) == K_DTYPE && (x[2] & OBJECTS) && kind_of(x[3]) == K_BOOL) {
    tuple |= STATE;
    m->p->axes = m->numbers;
    memcpy(m->p->shape, m->number, sizeof m->number);
    m->p->count = m->count;
    m->p->lists = (*actual(m, &m->p->item[from + 4]) & INT_LISTS) != 0;
  }
  m->n = to;
  push(m, tuple);
  if (shape && m->shape_at < 0) {
    m->shape_at = to;
    m->numbers = (int)n;
    for (int i = 0; i < n; i++) m->number[i] = m->recent[(m->whole - (unsigned int)n + (unsigned int)i) % PICKLE_AXES];
  }
  return 1;
}

static int make_list(struct machine *m) {
  push(m, K_LIST | INTS | INT_LISTS);
  if (m->list_at < 0) m->list_at = m->n - 1, m->count = 0;
  return 1;
}

/* The items from `from` on go to the list below `below`. */
static int append(struct machine *m, int64_t from, int64_t below) {
  if (below < 0 || kind_of(*actual(m, &m->p->item[below])) != K_LIST)
    return refuse(m->p, "its pickle appends to what is no list");
  uint32_t *list = actual(m, &m->p->item[below]);
  for (int64_t i = from; i < m->n; i++) {
    if (m->p->item[i] == m->p->item[below] && kind_of(m->p->item[i]) == K_SHARED)
      return refuse(m->p, "its lists are nested too deeply, within themselves");
  }
  if (*list & FROZEN) return refuse(m->p, "its pickle appends to a list that is within another");
  uint32_t changed = put_in(m, from, *list);
  if (!changed || !are_plain(m, from)) return 0;
  *list = changed;
  if (is_lowest_list(m, below)) m->count += (double)(m->n - from);
  return 1;
}

/* ---- the memo ---- */

static int remember(struct machine *m, int64_t place) {
  uint32_t *top = m->n ? item(m, 0) : NULL;
  if (!top || kind_of(*top) == K_MARK) return refuse(m->p, "its pickle names what is not there");
  if (place >= m->memo) m->memo = place + 1;
  m->p->named[place] = *actual(m, top);
  if (kind_of(*top) != K_LIST) return 1;
  if (m->list_at == m->n - 1) m->list_memo = place;
  *top = K_SHARED | (uint32_t)place << KIND_BITS;
  return 1;
}

static int recall(struct machine *m, uint64_t place) {
  if (place >= (uint64_t)m->memo || kind_of(m->p->named[place]) == K_UNSET)
    return refuse(m->p, "its pickle recalls what it never named");
  uint32_t x = m->p->named[place];
  return push(m, kind_of(x) == K_LIST ? K_SHARED | (uint32_t)place << KIND_BITS : x);
}

/* ---- calls ---- */

static int reduce(struct machine *m) {
  uint32_t name = *item(m, 1), args = *item(m, 0);
  if (kind_of(name) != K_NAME || kind_of(args) != K_TUPLE) return refuse(m->p, "its pickle calls what is no function");
  uint32_t made = 0;
  if (more_of(name) == W_RECONSTRUCT && (args & ONE_ARRAY)) made = K_ARRAY;
  else if (more_of(name) == W_DTYPE && (args & ONE_TEXT)) made = K_DTYPE | (args & ONE_OBJECTS ? OBJECTS : 0);
  else if (more_of(name) == W_ENCODE && (args & ONE_LATIN)) made = K_BYTES;
  if (!made) return refuse(m->p, "its pickle calls a function in another way than arrays do");
  m->n -= 2;
  return push(m, made);
}

static int build(struct machine *m) {
  uint32_t *object = item(m, 1), state = *item(m, 0);
  int array = kind_of(*object) == K_ARRAY;
  if ((!array && kind_of(*object) != K_DTYPE) || kind_of(state) != K_TUPLE)
    return refuse(m->p, "its pickle fills what is no array");
  if (array && !(state & STATE)) return refuse(m->p, "its pickle is not an array of objects");
  if (array) *object |= OBJECTS;
  m->n--;
  return 1;
}

static int run_op(struct machine *m, const struct op *op) {
  switch (op->code) {
    case P_PROTO: case P_FRAME: return 1;
    case P_MARK: return push(m, K_MARK);
    case P_NONE: return push(m, K_NONE);
    case P_NEWTRUE: case P_NEWFALSE: return push(m, K_BOOL);
    case P_BININT: return push_whole(m, (int64_t)(op->number ^ 0x80000000u) - 0x80000000LL);
    case P_BININT1: case P_BININT2: return push_whole(m, (int64_t)op->number);
    case P_LONG1: return push_long(m, op);
    case P_BINFLOAT: return push(m, K_NUMBER);
    case P_SHORT_BINSTRING: case P_BINSTRING: return push_text(m, op, 0);
    case P_SHORT_BINUNICODE: case P_BINUNICODE: case P_BINUNICODE8: return push_text(m, op, 1);
    case P_SHORT_BINBYTES: case P_BINBYTES: return push(m, K_BYTES);
    case P_EMPTY_TUPLE: return make_tuple(m, 0, m->n);
    case P_TUPLE1: return make_tuple(m, 1, m->n - 1);
    case P_TUPLE2: return make_tuple(m, 2, m->n - 2);
    case P_TUPLE3: return make_tuple(m, 3, m->n - 3);
    case P_TUPLE: {
      int64_t mark = find_mark(m);
      return make_tuple(m, m->n - mark - 1, mark);
    }
    case P_EMPTY_LIST: return make_list(m);
    case P_APPEND:
      if (!append(m, m->n - 1, m->n - 2)) return 0;
      m->n--;
      return 1;
    case P_APPENDS: {
      int64_t mark = find_mark(m);
      if (!append(m, mark + 1, mark - 1)) return 0;
      m->n = mark;
      return 1;
    }
    case P_BINPUT: case P_LONG_BINPUT: return remember(m, (int64_t)op->number);
    case P_MEMOIZE: return remember(m, m->memo);
    case P_BINGET: case P_LONG_BINGET: return recall(m, op->number);
    case P_GLOBAL: return push_global(m, op);
    case P_STACK_GLOBAL: return stack_global(m);
    case P_REDUCE: return reduce(m);
  }
  return build(m);
}

int pickle_check(struct pickle_check *p) {
  struct machine m = {.p = p, .shape_at = -1, .list_at = -1, .list_memo = -1};
  struct op op;
  memset(p->named, 0, (size_t)p->memo * sizeof *p->named);
  while (next_op(p, &op) && op.code != P_STOP && run_op(&m, &op)) continue;
  if (!*p->problem && (m.n != 1 || kind_of(p->item[0]) != K_ARRAY || !(p->item[0] & OBJECTS)))
    refuse(p, "its pickle is not an array");
  p->at = p->start;
  return !*p->problem;
}
