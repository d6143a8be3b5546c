/* image.h - pictures seen through a transform of the plane: what the ops transform_image and transform_image_back share
 * whatever the number type.
 *
 * The number at column u and row v of the result is that of x at ((a0 u + a1 v + a2) / k, (a3 u + a4 v + a5) / k) with
 * k = a6 u + a7 v + 1, counted from 0. a is the row of `transforms` of the picture, or the only one.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "ops/node.h"

/* Attributes (ints): the size of the result; what lies outside of x; is the nearest pixel taken, in place of a mean of
 * four? reals: the number of FILL_CONSTANT. */
enum { IMAGE_ROWS, IMAGE_COLUMNS, IMAGE_FILL, IMAGE_NEAREST, IMAGE_INTS };

/* A number; the picture mirrored at its edges, repeated, or its edges repeated. */
#define FILL_MODES(ROW) ROW(CONSTANT, constant) ROW(REFLECT, reflect) ROW(WRAP, wrap) ROW(NEAREST, nearest)
#define FILL_ENUM(ENUM, name) FILL_##ENUM,
enum { FILL_MODES(FILL_ENUM) FILL_MODE_COUNT };
#undef FILL_ENUM
extern const char *const fill_mode_name[FILL_MODE_COUNT];

#endif
