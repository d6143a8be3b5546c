/* mersenne.h - NumPy's legacy generator: MT19937 (Matsumoto & Nishimura 1998) and the shuffle built on it.
 *
 * Published data sets fix the order of their examples by a NumPy seed. R has the same generator but seeds it
 * and draws whole numbers from it in other ways, so the order needs its own. Nothing else uses this generator. */
#ifndef MERSENNE_H
#define MERSENNE_H

#include "base/nativenet.h"

#define MERSENNE_SIZE 624

struct mersenne {
  uint32_t state[MERSENNE_SIZE];
  int at; /* the next word of `state` to hand out */
};

/* As numpy.random.RandomState(seed) does with a whole number. */
void mersenne_seed(struct mersenne *m, uint32_t seed);
uint32_t mersenne_bits(struct mersenne *m);

/* Uniform in 0 .. max: bits beyond the highest of `max` are masked off and what is too large is drawn again. */
uint32_t mersenne_upto(struct mersenne *m, uint32_t max);

/* What RandomState.shuffle() makes of 0 .. n - 1. */
void mersenne_permutation(struct mersenne *m, int32_t *order, int32_t n);

#endif
