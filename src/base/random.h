/* random.h - a small generator for shuffles and noise inside native loops. Its seed is drawn from
 * R's generator, so set.seed() governs it. Algorithm: xoshiro256++ (Blackman & Vigna 2019), state
 * filled by splitmix64. */
#ifndef RANDOM_H
#define RANDOM_H

#include "base/nativenet.h"

struct random {
  uint64_t state[4];
};

void random_seed(struct random *r, uint64_t seed);
uint64_t random_bits(struct random *r);

/* Uniform in 0 .. n - 1, without bias (Lemire 2019). n is at most 2^32. */
uint32_t random_below(struct random *r, uint32_t n);

/* A uniformly drawn order of 0 .. n - 1 (Fisher & Yates). */
void random_permutation(struct random *r, int32_t *order, int32_t n);

#endif
