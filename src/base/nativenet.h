/* nativenet.h - number types, limits, status codes. Included by every C file.
 *
 * Glossary (one word per idea, everywhere):
 *   tensor    shape, dtype and row-major numbers
 *   op        one row of the table in ops.h
 *   kernel    the forward or backward function of an op for one number type
 *   slot      a typed, shaped place for numbers and, if wanted, their gradient
 *   node      an op applied to slots
 *   program   nodes in order, plus slots
 *   tape      a program kept while ops run eagerly
 *   team      the threads that walk a program together
 *   block     R-owned memory (a raw vector)
 *   poll      the function through which long runs ask whether to go on
 *
 * Letters: B batch, N rows, I inputs, O outputs, K the contracted or last axis.
 */
#ifndef NATIVENET_H
#define NATIVENET_H

#include <stddef.h>
#include <stdint.h>

#define MAX_RANK 8
#define ALIGNMENT 64 /* bytes; a cache line and the widest vector register */
#define MOST_LANES (ALIGNMENT / 4) /* numbers of a vector at most */

/* At least n numbers, and whole vectors and cache lines, whatever the dtype and the instruction set. */
static inline int64_t whole_vectors(int64_t n) { return (n + MOST_LANES - 1) / MOST_LANES * MOST_LANES; }

/* The list of dtypes: constant, name, the type in C, is it a float? */
#define DTYPES(ROW)                      \
  ROW(FLOAT32, "float32", float, 1)      \
  ROW(FLOAT64, "float64", double, 1)     \
  ROW(INT32, "int32", int32_t, 0)        \
  ROW(INT64, "int64", int64_t, 0)        \
  ROW(BOOL, "bool", unsigned char, 0)
#define DTYPE_ENUM(ENUM, name, type, is_float) ENUM,
enum dtype { DTYPES(DTYPE_ENUM) DTYPE_COUNT };
#undef DTYPE_ENUM

enum status {
  STATUS_OK,
  STATUS_SHAPE,   /* sizes do not meet */
  STATUS_DTYPE,   /* number types do not meet */
  STATUS_VALUE,   /* an attribute is out of its range */
  STATUS_INDEX,   /* a label or index in the data is out of range */
  STATUS_OVERFLOW, /* a whole number beyond what its type holds */
  STATUS_DIVISION, /* of whole numbers by 0 */
  STATUS_SINGULAR, /* a matrix has no inverse */
  STATUS_INDEFINITE, /* nor a Cholesky factor */
  STATUS_MATRIX,  /* a matrix has NaN or Inf, or a decomposition does not converge */
  STATUS_FULL,    /* a block must grow first; the border does that */
  STATUS_NAN,     /* the loss is no longer a number */
  STATUS_WEIGHTS, /* nor are weights */
  STATUS_STOPPED, /* the poll asked for a stop */
  STATUS_INTERRUPTED, /* the user did, in the middle of a step, which then changes nothing */
  STATUS_MEMORY,  /* there is no room for so much */
  STATUS_TOO_LARGE, /* a shape beyond any memory */
  STATUS_TRACED,  /* a function that is being traced did what a program cannot */
  STATUS_RANK,    /* another process of the job failed, or cannot be reached */
  STATUS_COUNT
};

/* What went wrong, in words; filled in where the reason is known. */
struct failure {
  enum status status;
  char text[400];
};

enum status fail(struct failure *failure, enum status status, const char *format, ...);

#endif
