/* pickle.h - the pickles in NumPy's files of objects: their opcodes, and whether one is what it should be, before
 * anything is made of it. */
#ifndef NATIVENET_PICKLE_H
#define NATIVENET_PICKLE_H

#include <stddef.h>
#include <stdint.h>

/* Only these appear; the names are those of Python's pickletools. */
enum opcode {
  P_PROTO = 0x80, P_FRAME = 0x95, P_STOP = '.', P_MARK = '(',
  P_NONE = 'N', P_NEWTRUE = 0x88, P_NEWFALSE = 0x89,
  P_BININT = 'J', P_BININT1 = 'K', P_BININT2 = 'M', P_LONG1 = 0x8a, P_BINFLOAT = 'G',
  P_SHORT_BINSTRING = 'U', P_BINSTRING = 'T', P_SHORT_BINBYTES = 'C', P_BINBYTES = 'B',
  P_SHORT_BINUNICODE = 0x8c, P_BINUNICODE = 'X', P_BINUNICODE8 = 0x8d,
  P_EMPTY_TUPLE = ')', P_TUPLE1 = 0x85, P_TUPLE2 = 0x86, P_TUPLE3 = 0x87, P_TUPLE = 't',
  P_EMPTY_LIST = ']', P_APPEND = 'a', P_APPENDS = 'e',
  P_BINPUT = 'q', P_LONG_BINPUT = 'r', P_MEMOIZE = 0x94, P_BINGET = 'h', P_LONG_BINGET = 'j',
  P_GLOBAL = 'c', P_STACK_GLOBAL = 0x93, P_REDUCE = 'R', P_BUILD = 'b'
};

#define PICKLE_DEEPEST 32
#define PICKLE_AXES 32

struct pickle_check {
  const unsigned char *at, *start, *end;
  int64_t stack, memo; /* so many items of each there are at most */
  uint32_t *item, *named; /* room for them */
  /* what the array is */
  int axes, lists; /* lists: all its elements are lists or tuples of whole numbers */
  double shape[PICKLE_AXES], count;
  char problem[240]; /* why it is refused; empty so far */
};

/* How much room is needed: 0 if it is refused for its opcodes alone. */
int pickle_measure(struct pickle_check *p, const unsigned char *bytes, size_t n);

/* With that room: is it an array of plain values? */
int pickle_check(struct pickle_check *p);

#endif
