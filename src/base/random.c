#include "base/random.h"

static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void random_seed(struct random *r, uint64_t seed) {
  for (int i = 0; i < 4; i++) {
    uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    r->state[i] = z ^ (z >> 31);
  }
}

uint64_t random_bits(struct random *r) {
  uint64_t *s = r->state;
  uint64_t result = rotate(s[0] + s[3], 23) + s[0];
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

uint32_t random_below(struct random *r, uint32_t n) {
  uint64_t product = (random_bits(r) >> 32) * n;
  if ((uint32_t)product < n) {
    uint32_t reject = (0u - n) % n;
    while ((uint32_t)product < reject) product = (random_bits(r) >> 32) * n;
  }
  return (uint32_t)(product >> 32);
}

void random_permutation(struct random *r, int32_t *order, int32_t n) {
  for (int32_t i = 0; i < n; i++) order[i] = i;
  for (int32_t i = n - 1; i > 0; i--) {
    int32_t j = (int32_t)random_below(r, (uint32_t)i + 1);
    int32_t keep = order[i];
    order[i] = order[j];
    order[j] = keep;
  }
}
