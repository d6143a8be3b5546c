/* vector.h - the one place with compiler extensions: short vectors of `real`.
 *
 * A file that includes kernels/all.h has set REAL (the number type), REAL_IS_FLOAT or
 * REAL_IS_DOUBLE for float types, and INSTRUCTIONS. Where these have vectors, V is a vector of VL
 * numbers and arithmetic, comparison and bit operators work on it lane by lane; elsewhere, and for
 * integer types, V is one number and the same kernels compile to plain loops. Whoever writes a
 * kernel uses V, VL and the functions below and nothing else.
 *
 * Sums of a product and another number are left for the compiler to fuse into one instruction where the processor has
 * one: products take half the time then. GCC does so unless told otherwise (-ffp-contract=off, -std=c11), clang within
 * an expression, so that builds by different compilers agree within rounding only; nothing here relies on it.
 *
 * Loops finish with load_part/store_part through the same code as whole vectors, so a number's
 * result does not depend on where in a vector it stood, nor on the thread it fell to.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#define VECTOR_BYTES INSTRUCTIONS(BYTES)
typedef REAL real;
#define R(x) ((real)(x))
#define INLINE static inline

#if VECTOR_BYTES > 0

#define VL ((int)(VECTOR_BYTES / sizeof(real)))
#if defined(REAL_IS_FLOAT)
typedef int32_t lane_int;
#define LANE_SIGN INT32_MIN
#else
typedef int64_t lane_int;
#define LANE_SIGN INT64_MIN
#endif
/* GCC 14 for arm64 ends with an internal error where an argument is a vector of both kinds. Vectors and their numbers
 * may be the same memory anyway. */
#if defined(__aarch64__)
#define LOOSE aligned(sizeof(real))
#else
#define LOOSE aligned(sizeof(real)), may_alias
#endif
typedef real V __attribute__((vector_size(VECTOR_BYTES), LOOSE));
typedef lane_int VI __attribute__((vector_size(VECTOR_BYTES), LOOSE));
#undef INLINE
#define INLINE static inline __attribute__((always_inline, unused))
#if defined(__clang__) /* which takes the other line for a hint, and left the sums of products in memory */
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

INLINE V load(const real *p) { return *(const V *)(const void *)p; }
INLINE void store(real *p, V v) { *(V *)(void *)p = v; }
/* not (V){0} + x: a signed zero forbids the compiler to fold that into one broadcast load */
INLINE V splat(real x) { return x - (V){0}; }
INLINE V choose(VI mask, V yes, V no) { return (V)((mask & (VI)yes) | (~mask & (VI)no)); }

/* Lane by lane through the C library, for functions too rare to deserve their own vector code. */
#define LANES(v, expression)                                 \
  do {                                                       \
    real lane_[VECTOR_BYTES / sizeof(real)];                 \
    memcpy(lane_, &(v), sizeof lane_);                       \
    for (int j_ = 0; j_ < VL; j_++) {                        \
      real lane = lane_[j_];                                 \
      lane_[j_] = (expression);                              \
    }                                                        \
    memcpy(&(v), lane_, sizeof lane_);                       \
  } while (0)

/* Lane i of the result is the sum of lanes i and i + half, and so on: a fixed order. */
#define FOLD(v, result, expression)                          \
  do {                                                       \
    real lane_[VECTOR_BYTES / sizeof(real)];                 \
    memcpy(lane_, &(v), sizeof lane_);                       \
    for (int w_ = VL / 2; w_ > 0; w_ /= 2)                   \
      for (int j_ = 0; j_ < w_; j_++) {                      \
        real a_ = lane_[j_], b_ = lane_[j_ + w_];            \
        lane_[j_] = (expression);                            \
      }                                                      \
    (result) = lane_[0];                                     \
  } while (0)

#if !defined(__clang__)
#define HAVE_SHUFFLES
/* Which lanes of a pair of vectors: first and second halves of each block of 2 w. */
INLINE void halves(int w, VI *low, VI *high) {
  UNROLL for (int l = 0; l < VL; l++) {
    (*low)[l] = l & w ? VL + (l - w) : l;
    (*high)[l] = l & w ? VL + l : l + w;
  }
}

/* v[0 .. VL-1] -> a vector whose lane r is the sum of v[r], added in FOLD's order. v is overwritten. */
INLINE V sum_each(V *v) {
  UNROLL for (int w = VL / 2; w > 0; w /= 2) {
    VI low, high;
    halves(w, &low, &high);
    UNROLL for (int r = 0; r < w; r++) v[r] = __builtin_shuffle(v[r], v[r + w], low) +
      __builtin_shuffle(v[r], v[r + w], high);
  }
  return v[0];
}

/* VL rows of VL numbers become columns. */
INLINE void turn_block(const real *from, int64_t from_row, real *to, int64_t to_row) {
  V v[VL];
  UNROLL for (int r = 0; r < VL; r++) v[r] = load(from + r * from_row);
  UNROLL for (int w = 1; w < VL; w *= 2) {
    VI low, high;
    halves(w, &low, &high);
    UNROLL for (int r = 0; r < VL; r++) {
      if (r & w) continue;
      V a = v[r], b = v[r + w];
      v[r] = __builtin_shuffle(a, b, low), v[r + w] = __builtin_shuffle(a, b, high);
    }
  }
  UNROLL for (int r = 0; r < VL; r++) store(to + r * to_row, v[r]);
}
#endif

#if defined(__AVX512F__) && VECTOR_BYTES == 64 || defined(__AVX2__) && VECTOR_BYTES == 32 || \
  defined(__SSE2__) && VECTOR_BYTES == 16
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#if VECTOR_BYTES == 64
#define REGISTER _mm512_
#elif VECTOR_BYTES == 32
#define REGISTER _mm256_
#else
#define REGISTER _mm_
#endif
#if defined(REAL_IS_FLOAT)
#define INSTRUCTION(name) JOIN(REGISTER, name##_ps)
#else
#define INSTRUCTION(name) JOIN(REGISTER, name##_pd)
#endif
/* Load once, use often: else compilers read memory again in each instruction that uses it. */
#define IN_REGISTER(x) __asm__("" : "+v"(x))
INLINE V vsqrt(V x) { return (V)INSTRUCTION(sqrt)(x); }
INLINE V vmax(V a, V b) { return (V)INSTRUCTION(max)(a, b); }
INLINE V vmin(V a, V b) { return (V)INSTRUCTION(min)(a, b); }
#elif defined(__aarch64__)
#define IN_REGISTER(x) __asm__("" : "+w"(x))
#if defined(REAL_IS_FLOAT)
INLINE V vsqrt(V x) { return (V)vsqrtq_f32((float32x4_t)x); }
#else
INLINE V vsqrt(V x) { return (V)vsqrtq_f64((float64x2_t)x); }
#endif
#else
INLINE V vsqrt(V x) {
  LANES(x, R(sqrt((double)lane)));
  return x;
}
#endif

/* The first n numbers of a vector, n < VL. Under a mask where that is one instruction: a call of memcpy in a kernel's
 * loop drives its sums out of the registers. Compilers do not believe n < VL, and warn, unless they see it. */
#if VECTOR_BYTES == 64 && defined(INSTRUCTION)
INLINE __mmask16 low_lanes(int64_t n) { return (__mmask16)((1u << n) - 1); }
INLINE V load_part(const real *p, int64_t n, real rest) {
  return (V)INSTRUCTION(mask_loadu)(splat(rest), low_lanes(n), p);
}
INLINE void store_part(real *p, int64_t n, V v) { INSTRUCTION(mask_storeu)(p, low_lanes(n), v); }
#elif VECTOR_BYTES == 32 && defined(INSTRUCTION)
INLINE VI low_lanes(int64_t n) {
  static const lane_int lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return *(const VI *)(const void *)(lanes + 8 - n);
}
INLINE V load_part(const real *p, int64_t n, real rest) {
  VI mask = low_lanes(n);
  return choose(mask, (V)INSTRUCTION(maskload)(p, (__m256i)mask), splat(rest));
}
INLINE void store_part(real *p, int64_t n, V v) { INSTRUCTION(maskstore)(p, (__m256i)low_lanes(n), v); }
#else
INLINE V load_part(const real *p, int64_t n, real rest) {
  V v = splat(rest);
  memcpy(&v, p, (size_t)(n & (VL - 1)) * sizeof(real));
  return v;
}
INLINE void store_part(real *p, int64_t n, V v) {
  memcpy(p, &v, (size_t)(n & (VL - 1)) * sizeof(real));
}
#endif

/* Which lanes are not 0, NaN among them: bit r stands for lane r. */
#if VECTOR_BYTES == 64 && defined(INSTRUCTION)
INLINE uint32_t nonzero_lanes(V v) { return JOIN(INSTRUCTION(cmpneq), _mask)(v, splat(0)); }
#elif defined(INSTRUCTION)
INLINE uint32_t nonzero_lanes(V v) { return (uint32_t)INSTRUCTION(movemask)((V)(v != splat(0))); }
#else
INLINE uint32_t nonzero_lanes(V v) {
  real lane[VL];
  uint32_t lanes = 0;
  store(lane, v);
  for (int r = 0; r < VL; r++) lanes |= (uint32_t)(lane[r] != 0) << r;
  return lanes;
}
#endif
INLINE int lowest_lane(uint32_t lanes) { return __builtin_ctz(lanes); }

#else /* plain C: a vector of one */

#define VL 1
typedef real V;
#if defined(REAL_IS_FLOAT)
typedef int32_t VI;
#else
typedef int64_t VI;
#endif
#define UNROLL
INLINE V load(const real *p) { return *p; }
INLINE void store(real *p, V v) { *p = v; }
INLINE V splat(real x) { return x; }
INLINE V choose(VI mask, V yes, V no) { return mask ? yes : no; }
INLINE V load_part(const real *p, int64_t n, real rest) { return n ? *p : rest; }
INLINE void store_part(real *p, int64_t n, V v) {
  if (n) *p = v;
}
#define LANES(v, expression)  \
  do {                        \
    real lane = (v);          \
    (v) = (expression);       \
  } while (0)
#define FOLD(v, result, expression) ((result) = (v))
INLINE V vsqrt(V x) { return R(sqrt((double)x)); }
INLINE uint32_t nonzero_lanes(V v) { return v != 0; }
INLINE int lowest_lane(uint32_t lanes) {
  (void)lanes;
  return 0;
}

#endif
#if !defined(IN_REGISTER)
#define IN_REGISTER(x) (void)(x)
#endif

/* Sums, differences and products. Where whole numbers have none, `flaw` becomes the status that says why; FLAW is a
 * kernel's own. Long sums are added up in a wider type: those of floats keep their digits, those of int32 need not stay
 * within it on the way. */
#if defined(REAL_IS_FLOATING)
#define FLAW NULL
INLINE V plus(V a, V b, enum status *flaw) {
  (void)flaw;
  return a + b;
}
INLINE V minus(V a, V b, enum status *flaw) {
  (void)flaw;
  return a - b;
}
INLINE V times(V a, V b, enum status *flaw) {
  (void)flaw;
  return a * b;
}
typedef double total;
INLINE total total_plus(total a, total b, enum status *flaw) {
  (void)flaw;
  return a + b;
}
INLINE total total_times(total a, total b, enum status *flaw) {
  (void)flaw;
  return a * b;
}
INLINE real narrow(total x, enum status *flaw) {
  (void)flaw;
  return R(x);
}
#elif !defined(REAL_IS_BOOL)
#define FLAW (&flaw)
#if defined(__GNUC__)
#define WHOLE(name, type, builtin, operator, possible)  \
  INLINE type name(type a, type b, enum status *flaw) { \
    type result;                                        \
    if (builtin(a, b, &result)) *flaw = STATUS_OVERFLOW; \
    return result;                                      \
  }
#else /* the quotient tells whether the product was right */
#define WHOLE(name, type, builtin, operator, possible)           \
  INLINE type name(type a, type b, enum status *flaw) {          \
    type result = (type)((uint64_t)a operator (uint64_t)b);      \
    if (!(possible)) *flaw = STATUS_OVERFLOW;                    \
    return result;                                               \
  }
#endif
#define PLUS_POSSIBLE ((a < 0) != (b < 0) || (a < 0) == (result < 0))
#define TIMES_POSSIBLE (a == 0 || (a == -1 ? b == 0 || (b < 0) != (result < 0) : result / a == b))
WHOLE(plus, real, __builtin_add_overflow, +, PLUS_POSSIBLE)
WHOLE(minus, real, __builtin_sub_overflow, -, (a < 0) == (b < 0) || (a < 0) == (result < 0))
WHOLE(times, real, __builtin_mul_overflow, *, TIMES_POSSIBLE)
typedef int64_t total;
WHOLE(total_plus, total, __builtin_add_overflow, +, PLUS_POSSIBLE)
WHOLE(total_times, total, __builtin_mul_overflow, *, TIMES_POSSIBLE)
INLINE real narrow(total x, enum status *flaw) {
  if ((total)(real)x != x) *flaw = STATUS_OVERFLOW;
  return (real)x;
}
#endif

#if !defined(INSTRUCTION) /* which gives b, too, where one of the two is NaN */
INLINE V vmax(V a, V b) { return choose(a > b, a, b); }
INLINE V vmin(V a, V b) { return choose(a < b, a, b); }
#endif
#if defined(LANE_SIGN)
INLINE V vabs(V x) { return (V)((VI)x & ~((VI){0} + LANE_SIGN)); }
#else
INLINE V vabs(V x) { return choose(x < splat(0), -x, x); }
#endif

#if defined(REAL_IS_FLOATING)
INLINE V magnitude(V x, enum status *flaw) {
  (void)flaw;
  return vabs(x);
}
#elif !defined(REAL_IS_BOOL)
INLINE V magnitude(V x, enum status *flaw) { return x < 0 ? minus(0, x, flaw) : x; }
#endif

INLINE real hsum(V v) {
  real s;
  FOLD(v, s, a_ + b_);
  return s;
}
INLINE real hmax(V v) {
  real s;
  FOLD(v, s, a_ > b_ ? a_ : b_);
  return s;
}

/* For each vector of n numbers from index `begin` on: the body runs with `i`, `part` (numbers in
 * this vector) and `whole` (is it a full vector). READ and WRITE hide the ends. */
#define FOR_VECTORS(begin, end)                                                            \
  for (int64_t i = (begin), part; part = (end) - i < VL ? (end) - i : VL, i < (end); i += VL)
#define READ(p) (part == VL ? load((p) + i) : load_part((p) + i, part, 0))
#define READ_OR(p, rest) (part == VL ? load((p) + i) : load_part((p) + i, part, rest))
#define WRITE(p, v)                            \
  do {                                         \
    V v_ = (v);                                \
    if (part == VL) store((p) + i, v_);        \
    else store_part((p) + i, part, v_);        \
  } while (0)
/* p = v, or p += v */
#define PUT(p, add, v)              \
  do {                              \
    V put_ = (v);                   \
    if (add) put_ = put_ + READ(p); \
    WRITE(p, put_);                 \
  } while (0)
/* only the numbers of this vector count in a sum */
#define SUM_PART(v) (part == VL ? hsum(v) : sum_part(v, part))
INLINE real sum_part(V v, int64_t n) {
  real lanes[VL];
  memcpy(lanes, &v, sizeof lanes);
  for (int j = (int)n; j < VL; j++) lanes[j] = 0;
  memcpy(&v, lanes, sizeof lanes);
  return hsum(v);
}
