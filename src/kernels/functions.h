/* functions.h - exp, log, tanh and relatives on vectors of float or double.
 *
 * Largest relative errors, measured by tests/testthat/test-functions.R: a few units in the last
 * place. Ranges are reduced as in Cody & Waite (1980), "Software manual for the elementary
 * functions"; the logarithm is that of FreeBSD's msun e_log.c, tanh that of Moshier's Cephes.
 */
#if defined(REAL_IS_FLOAT)
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define ROUND_MAGIC R(12582912.0) /* 1.5 * 2^23: adding it rounds to a whole number */
#define LN2_HI R(0.693359375)
#define LN2_LO R(-2.12194440e-4)
#define EXP_MAX R(88.722839)
#define EXP_MIN R(-87.336544)
#define SMALLEST FLT_MIN
#else
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define ROUND_MAGIC R(6755399441055744.0)
#define LN2_HI R(6.93147180369123816490e-01)
#define LN2_LO R(1.90821492927058770002e-10)
#define EXP_MAX R(709.782712893384)
#define EXP_MIN R(-708.396418532264)
#define SMALLEST DBL_MIN
#endif

#if VECTOR_BYTES > 0

/* exp(r) for |r| <= log(2) / 2: Cephes' polynomial for float, Taylor's for double. */
INLINE V exp_reduced(V r) {
#if defined(REAL_IS_FLOAT)
  V p = r * R(1.9875691500e-4) + R(1.3981999507e-3);
  p = p * r + R(8.3334519073e-3);
  p = p * r + R(4.1665795894e-2);
  p = p * r + R(1.6666665459e-1);
  p = p * r + R(5.0000001201e-1);
#else
  V p = r * R(1.0 / 6227020800.0) + R(1.0 / 479001600);
  p = p * r + R(1.0 / 39916800);
  p = p * r + R(1.0 / 3628800);
  p = p * r + R(1.0 / 362880);
  p = p * r + R(1.0 / 40320);
  p = p * r + R(1.0 / 5040);
  p = p * r + R(1.0 / 720);
  p = p * r + R(1.0 / 120);
  p = p * r + R(1.0 / 24);
  p = p * r + R(1.0 / 6);
  p = p * r + R(0.5);
#endif
  return p * (r * r) + r + R(1);
}

/* exp(x) = 2^n exp(r). Results below the smallest normal number become 0. */
INLINE V vexp(V x) {
  V inside = vmin(vmax(x, splat(EXP_MIN)), splat(EXP_MAX));
  V shifted = inside * R(1.44269504088896340736) + ROUND_MAGIC; /* its low bits hold n */
  V n = shifted - ROUND_MAGIC;
  VI whole = (VI)shifted - (VI)splat(ROUND_MAGIC), half = whole >> 1;
  V result = exp_reduced(inside - n * LN2_HI - n * LN2_LO);
  /* scaled in two steps, as 2^n itself may overflow */
  result = result * (V)((half + EXPONENT_BIAS) << MANTISSA_BITS) * (V)((whole - half + EXPONENT_BIAS) << MANTISSA_BITS);
  result = choose(x > EXP_MAX, splat(R(INFINITY)), result);
  result = choose(x < EXP_MIN, splat(0), result);
  return choose(x == x, result, x);
}

/* exp(x) for x <= 0, where nothing overflows: two thirds of the work */
INLINE V vexp_negative(V x) {
  V inside = vmax(splat(EXP_MIN), x); /* NaN stays NaN */
  V shifted = inside * R(1.44269504088896340736) + ROUND_MAGIC;
  V n = shifted - ROUND_MAGIC;
  V result = exp_reduced(inside - n * LN2_HI - n * LN2_LO);
  result = result * (V)(((VI)shifted - (VI)splat(ROUND_MAGIC) + EXPONENT_BIAS) << MANTISSA_BITS);
  return choose(x < EXP_MIN, splat(0), result);
}

/* log(x) = k log(2) + log(1 + f), sqrt(1/2) < 1 + f < sqrt(2) */
INLINE V vlog(V x) {
  VI tiny = x < SMALLEST;
  V scaled = choose(tiny, x * R((lane_int)1 << MANTISSA_BITS), x);
  VI bits = (VI)scaled;
  VI root = (VI)splat(R(0.70710678118654752440));
  VI exponent = (bits - root) >> MANTISSA_BITS;
  V f = (V)(bits - (exponent << MANTISSA_BITS)) - R(1);
  exponent -= tiny & MANTISSA_BITS;
  V k = (V)(exponent + (VI)splat(ROUND_MAGIC)) - ROUND_MAGIC;
  V s = f / (f + R(2)), z = s * s, w = z * z;
  V t1 = w * (w * (w * R(1.531383769920937332e-01) + R(2.222219843214978396e-01)) + R(3.999999999940941908e-01));
  V t2 = z * (w * (w * (w * R(1.479819860511658591e-01) + R(1.818357216161805012e-01)) + R(2.857142874366239149e-01)) +
    R(6.666666666666735130e-01));
  V half = f * f * R(0.5);
  V result = k * LN2_HI - ((half - (s * (half + t1 + t2) + k * LN2_LO)) - f);
  result = choose(x == R(INFINITY), x, result);
  result = choose(x == R(0), splat(R(-INFINITY)), result);
  return choose(x >= R(0), result, splat(R(NAN)));
}

INLINE V vtanh(V x) {
  V a = vabs(x), z = x * x;
#if defined(REAL_IS_FLOAT)
  V p = z * R(-5.70498872745e-3) + R(2.06390887954e-2);
  p = p * z + R(-5.37397155531e-2);
  p = p * z + R(1.33314422036e-1);
  V small = (p * z + R(-3.33332819422e-1)) * z * x + x;
#else
  V p = z * R(-9.64399179425052238628e-1) + R(-9.92877231001918586564e1);
  p = p * z + R(-1.61468768441708447952e3);
  V q = z + R(1.12811678491632931402e2);
  q = q * z + R(2.23548839060100448583e3);
  q = q * z + R(4.84406305325125486048e3);
  V small = x + x * z * p / q;
#endif
  V e = vexp_negative(-(a + a)), large = (R(1) - e) / (R(1) + e);
  large = choose(x < R(0), -large, large);
  return choose(a < R(0.625), small, large);
}

#else /* one number at a time: the C library */

INLINE V vexp(V x) { return R(exp((double)x)); }
INLINE V vexp_negative(V x) { return vexp(x); }
INLINE V vlog(V x) { return R(log((double)x)); }
INLINE V vtanh(V x) { return R(tanh((double)x)); }

#endif

/* log(1 + x) for x >= -1/2 without losing small x (Kahan's correction, Goldberg 1991, theorem 4) */
INLINE V vlog1p(V x) {
  V u = x + R(1), d = u - R(1);
  return choose(d == R(0), x, vlog(u) * x / choose(d == R(0), splat(R(1)), d));
}

/* exp(x) - 1 for x <= 0 without losing small x: 2 t / (1 - t), t = tanh(x / 2) */
INLINE V vexpm1_negative(V x) {
  V t = vtanh(x * R(0.5));
  return (t + t) / (R(1) - t);
}

/* Stable on both sides: the exponential never grows. */
INLINE V vsigmoid(V x) {
  V e = vexp_negative(-vabs(x));
  return choose(x < R(0), e, splat(R(1))) / (R(1) + e);
}

/* The derivative of log(gamma(x)). Abramowitz & Stegun (1964), "Handbook of mathematical functions": reflection (6.3.7)
 * left of 0, recurrence (6.3.5) up to 10, the asymptotic series (6.3.18) from there. NaN at the poles 0, -1, -2 ... */
static double digamma(double x) {
  double sum = 0;
  if (x <= 0) {
    double beside = x - rint(x); /* the cotangent repeats */
    if (!(beside != 0)) return NAN;
    sum = -3.14159265358979323846 / tan(3.14159265358979323846 * beside);
    x = 1 - x;
  }
  for (; x < 10; x++) sum -= 1 / x;
  double z = 1 / (x * x);
  double series = z * (1.0 / 12 - z *
    (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
  return sum + log(x) - 0.5 / x - series;
}

/* Its derivative, likewise: (6.4.7), (6.4.6), (6.4.12). Infinite at the poles. */
static double trigamma(double x) {
  double sum = 0, sign = 1;
  if (x <= 0) {
    double sine = sin(3.14159265358979323846 * (x - rint(x)));
    sum = 9.86960440108935861883 / (sine * sine); /* pi^2 */
    sign = -1;
    x = 1 - x;
  }
  for (; x < 10; x++) sum += sign / (x * x);
  double z = 1 / (x * x);
  double series = z * (1.0 / 6 - z *
    (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * (5.0 / 66 - z * (691.0 / 2730 - z * (7.0 / 6)))))));
  return sum + sign * (1 + 0.5 / x + series) / x;
}

INLINE V vsoftplus(V x) { return vmax(x, splat(0)) + vlog1p(vexp_negative(-vabs(x))); }
