#include "formats/mersenne.h"

/* Knuth, TAOCP volume 2, 3rd edition, page 106, as in the authors' reference implementation of 2002. */
void mersenne_seed(struct mersenne *m, uint32_t seed) {
  m->state[0] = seed;
  for (uint32_t i = 1; i < MERSENNE_SIZE; i++) {
    uint32_t last = m->state[i - 1];
    m->state[i] = 1812433253u * (last ^ (last >> 30)) + i;
  }
  m->at = MERSENNE_SIZE;
}

/* The whole state at once: x[k + n] = x[k + m] ^ (upper bit of x[k], lower bits of x[k + 1]) A, with m = 397. */
static void mersenne_refill(struct mersenne *m) {
  uint32_t *x = m->state;
  for (int k = 0; k < MERSENNE_SIZE; k++) {
    uint32_t y = (x[k] & 0x80000000u) | (x[(k + 1) % MERSENNE_SIZE] & 0x7fffffffu);
    x[k] = x[(k + 397) % MERSENNE_SIZE] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
  }
  m->at = 0;
}

uint32_t mersenne_bits(struct mersenne *m) {
  if (m->at >= MERSENNE_SIZE) mersenne_refill(m);
  uint32_t y = m->state[m->at++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

uint32_t mersenne_upto(struct mersenne *m, uint32_t max) {
  uint32_t mask = max, drawn;
  for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  do drawn = mersenne_bits(m) & mask;
  while (drawn > max);
  return drawn;
}

void mersenne_permutation(struct mersenne *m, int32_t *order, int32_t n) {
  for (int32_t i = 0; i < n; i++) order[i] = i;
  for (int32_t i = n - 1; i > 0; i--) {
    int32_t j = (int32_t)mersenne_upto(m, (uint32_t)i);
    int32_t keep = order[i];
    order[i] = order[j];
    order[j] = keep;
  }
}
