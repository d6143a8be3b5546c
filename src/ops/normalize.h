/* normalize.h - the op normalize: how x is seen, whatever the number type.
 *
 * x (A, M, C): the leading axes, those that are reduced, and the channels in G groups of K neighbours. Each of A x G
 * parts has a mean and a variance of its own, over its M x K numbers; each channel a scale and an offset. Batch
 * normalization has A = 1, K = 1; layer normalization M = 1, G = 1; group normalization a sample for each of A.
 */
#ifndef NORMALIZE_H
#define NORMALIZE_H

#include "ops/node.h"

/* Attributes (ints): how many axes lead; groups, 0 for one per channel; which inputs follow x: scale, offset, and mean
 * and variance, which are given then, not computed; is a relu applied to the result (fuse.c)? reals: epsilon. */
enum {
  NORMALIZE_LEADING, NORMALIZE_GROUPS, NORMALIZE_SCALE, NORMALIZE_OFFSET, NORMALIZE_GIVEN, NORMALIZE_RELU,
  NORMALIZE_INTS
};

/* Sums over rows are made of those of so many, each by one member, whoever that is. */
#define NORMALIZE_BLOCK 64

struct normalize {
  int64_t leading, reduced, channels, groups, each; /* A, M, C, G, K */
  int relu;
  int by_row;           /* M = 1: a row at a time is all there is to it */
  int64_t blocks;       /* of M rows; by_row: of A rows */
  int scale, offset, mean, variance; /* inputs, -1: absent */
  int64_t workspace, derivative_workspace; /* numbers */
};
void normalize_layout(struct normalize *n, const struct shape *x, const struct attr *a);

#endif
