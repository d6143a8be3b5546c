#include "formats/fingerprint.h"

static uint64_t load(const unsigned char *at, int bytes) {
  uint64_t x = 0;
  for (int i = 0; i < bytes; i++) x |= (uint64_t)at[i] << 8 * i;
  return x;
}

static uint64_t at8(const unsigned char *at) { return load(at, 8); }
static uint64_t right(uint64_t x, int k) { return x >> k | x << (64 - k); }
static uint64_t left(uint64_t x, int k) { return right(x, 64 - k); }

/* ---- FarmHash ---- */

/* primes between 2^63 and 2^64 */
static const uint64_t k0 = 0xc3a5c85c97cb3127, k1 = 0xb492b66fbe98f273, k2 = 0x9ae16a3b2f90404f;

static uint64_t fold(uint64_t x) { return x ^ x >> 47; }

static uint64_t mix(uint64_t u, uint64_t v, uint64_t by) {
  uint64_t a = fold((u ^ v) * by);
  return fold((v ^ a) * by) * by;
}

static uint64_t farm_short(const unsigned char *s, size_t n) {
  uint64_t by = k2 + n * 2;
  if (n >= 8) {
    uint64_t a = at8(s) + k2, b = at8(s + n - 8);
    return mix(right(b, 37) * by + a, (right(a, 25) + b) * by, by);
  }
  if (n >= 4) return mix(n + (load(s, 4) << 3), load(s + n - 4, 4), by);
  if (!n) return k2;
  uint64_t y = s[0] + ((uint64_t)s[n / 2] << 8), z = n + ((uint64_t)s[n - 1] << 2);
  return fold(y * k2 ^ z * k0) * k2;
}

static uint64_t farm_middle(const unsigned char *s, size_t n) {
  uint64_t by = k2 + n * 2;
  uint64_t a = at8(s) * (n <= 32 ? k1 : k2), b = at8(s + 8), c = at8(s + n - 8) * by, d = at8(s + n - 16) * k2;
  uint64_t y = right(a + b, 43) + right(c, 30) + d, z = mix(y, a + right(b + k2, 18) + c, by);
  if (n <= 32) return z;
  uint64_t e = at8(s + 16) * by, f = at8(s + 24), g = (y + at8(s + n - 32)) * by, h = (z + at8(s + n - 24)) * by;
  return mix(right(e + f, 43) + right(g, 30) + h, e + right(f + a, 18) + g, by);
}

struct pair { uint64_t a, b; };

static struct pair weak(const unsigned char *s, uint64_t a, uint64_t b) {
  a += at8(s);
  b = right(b + a + at8(s + 24), 21);
  uint64_t c = a;
  a += at8(s + 8) + at8(s + 16);
  return (struct pair){a + at8(s + 24), b + right(a, 44) + c};
}

/* 64 bytes more of a long string; at its end the numbers are weighed otherwise. */
struct farm { uint64_t x, y, z; struct pair v, w; };

static void farm_block(struct farm *h, const unsigned char *s, uint64_t by, uint64_t weight) {
  uint64_t x = right(h->x + h->y + h->v.a + at8(s + 8), 37) * by ^ h->w.b * weight;
  uint64_t y = right(h->y + h->v.b + at8(s + 48), 42) * by + h->v.a * weight + at8(s + 40);
  uint64_t z = right(h->z + h->w.a, 33) * by;
  h->v = weak(s, h->v.b * by, x + h->w.a);
  h->w = weak(s + 32, z + h->w.b, y + at8(s + 16));
  h->x = z;
  h->y = y;
  h->z = x;
}

uint64_t fingerprint64(const unsigned char *s, size_t n) {
  if (n <= 16) return farm_short(s, n);
  if (n <= 64) return farm_middle(s, n);
  const uint64_t seed = 81;
  struct farm h = {.x = seed * k2 + at8(s), .y = seed * k1 + 113};
  h.z = fold(h.y * k2 + 113) * k2;
  size_t last = (n - 1) / 64 * 64; /* 1 to 64 bytes follow */
  for (size_t i = 0; i < last; i += 64) farm_block(&h, s + i, k1, 1);
  uint64_t by = k1 + ((h.z & 255) << 1);
  h.w.a += (n - 1) & 63;
  h.v.a += h.w.a;
  h.w.a += h.v.a;
  farm_block(&h, s + n - 64, by, 9);
  return mix(mix(h.v.a, h.w.a, by) + fold(h.y) * k0 + h.z, mix(h.v.b, h.w.b, by) + h.x, by);
}

/* ---- SipHash ---- */

static void sip_rounds(uint64_t v[4], int rounds) {
  while (rounds--) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = left(v[1], 13) ^ v[0];
    v[3] = left(v[3], 16) ^ v[2];
    v[0] = left(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = left(v[1], 17) ^ v[2];
    v[3] = left(v[3], 21) ^ v[0];
    v[2] = left(v[2], 32);
  }
}

static void sip_word(uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  sip_rounds(v, 2);
  v[0] ^= word;
}

uint64_t siphash64(const uint64_t key[2], const unsigned char *s, size_t n) {
  uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
    key[1] ^ 0x7465646279746573};
  size_t whole = n / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) sip_word(v, at8(s + i));
  sip_word(v, load(s + whole, (int)(n - whole)) | (uint64_t)n << 56);
  v[2] ^= 255;
  sip_rounds(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
