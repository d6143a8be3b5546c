/* all.h - every kernel, for one number type and instruction set, and the table of them.
 *
 * The including file has set REAL, TABLE (the table's name), for float types REAL_IS_FLOATING with
 * REAL_IS_FLOAT or REAL_IS_DOUBLE, for bool REAL_IS_BOOL, and INSTRUCTIONS,
 * a row of the table in target.h.
 */
#include "vector.h"
#include "access.h"
#ifdef REAL_IS_FLOATING
#include "functions.h"
#endif
#ifndef REAL_IS_BOOL
#include "unary.h"
#endif
#include "binary.h"
#include "reduce.h"
#ifndef REAL_IS_BOOL
#include "along.h"
#endif
#ifdef REAL_IS_BOOL
#include "logical.h"
#endif
#include "shape.h"
#ifdef REAL_IS_FLOATING
#include "softmax.h"
#include "loss.h"
#include "multiply.h"
#include "pool.h"
#include "image.h"
#include "normalize.h"
#include "linalg.h"
#endif
#ifndef REAL_IS_BOOL
#include "matmul.h"
#endif
#ifdef REAL_IS_FLOATING
#include "patches.h"
#include "depthwise.h"
#include "winograd.h"
#include "sparse.h"
#include "convolution.h"
#include "update.h"
#include "whole.h"
#include "random.h"
#include "attention.h"
#include "recurrent.h"
#include "cells.h"
#endif

#define BACKWARD_YES(name) name##_backward
#define BACKWARD_NO(name) NULL
#define BACKWARD_RULE(name) rule_backward
#define FORWARD_ROW(ENUM, name, ...) [OP_##ENUM] = name##_forward,
#define BACKWARD_ROW(ENUM, name, fewest, most, rule, differentiable, ...) \
  [OP_##ENUM] = BACKWARD_##differentiable(name),

#define UPDATE_ROW(ENUM, name) [UPDATE_##ENUM] = name##_update,
#define WHOLE_ROW(ENUM, name) [UPDATE_##ENUM] = name##_whole,

extern const struct kernels TABLE;
const struct kernels TABLE = {
  .name = INSTRUCTIONS(NAME),
#if defined(REAL_IS_FLOATING)
  .forward = {OP_TABLE_FLOAT(FORWARD_ROW) OP_TABLE_NUMBER(FORWARD_ROW) OP_TABLE_ANY(FORWARD_ROW)},
  .backward = {OP_TABLE_FLOAT(BACKWARD_ROW) OP_TABLE_NUMBER(BACKWARD_ROW) OP_TABLE_ANY(BACKWARD_ROW)},
  .update = {NUMBER_UPDATES(UPDATE_ROW)},
  .whole = {WHOLE_UPDATES(WHOLE_ROW)},
  .fill = fill_numbers,
  .average = average_numbers,
  .finite = all_finite,
#elif defined(REAL_IS_BOOL)
  .forward = {OP_TABLE_ANY(FORWARD_ROW) OP_TABLE_BOOL(FORWARD_ROW)},
#else
  .forward = {OP_TABLE_NUMBER(FORWARD_ROW) OP_TABLE_ANY(FORWARD_ROW)},
#endif
};
