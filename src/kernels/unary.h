/* unary.h - y = f(x), number by number, and dx = dy f'(x). One line each.
 *
 * a and b are the op's parameters (attr.reals). Where f' is written in terms of y alone, dense() can
 * apply the op in place (op_info[].fusable); it then passes y for x, which has the same sign.
 */

#ifdef REAL_IS_FLOATING
#define UNARY_FORWARD(name, f)                                                                      \
  INLINE V name##_value(V x, real a, real b) {                                                      \
    (void)a, (void)b;                                                                               \
    return f;                                                                                       \
  }                                                                                                 \
  static void name##_map(int64_t begin, int64_t end, const real *px, real *py, real a, real b) {    \
    FOR_VECTORS(begin, end) WRITE(py, name##_value(READ(px), a, b));                                \
  }                                                                                                 \
  static void name##_forward(const struct call *c) {                                                \
    struct range r = share(c, shape_count(OUT_SHAPE));                                              \
    name##_map(r.begin, r.end, IN(0), OUT, REAL_ATTR(0), REAL_ATTR(1));                             \
  }
#define UNARY_BACKWARD(name, slope)                                                                 \
  INLINE V name##_slope(V x, V y, real a, real b) {                                                 \
    (void)a, (void)b, (void)x, (void)y;                                                             \
    return slope;                                                                                   \
  }                                                                                                 \
  static void name##_pull(int64_t begin, int64_t end, const real *px, const real *py, const real *pdy, real *pdx, \
                          int add, real a, real b) {                                                \
    FOR_VECTORS(begin, end) PUT(pdx, add, READ(pdy) * name##_slope(READ(px), READ(py), a, b));      \
  }                                                                                                 \
  static void name##_backward(const struct call *c) {                                               \
    struct range r = share(c, shape_count(OUT_SHAPE));                                              \
    name##_pull(r.begin, r.end, IN(0), OUT, DOUT, DIN(0), ADDS(0), REAL_ATTR(0), REAL_ATTR(1));     \
  }
#define UNARY(name, f, slope) UNARY_FORWARD(name, f) UNARY_BACKWARD(name, slope)
#else
#define UNARY(name, f, slope)                                                                       \
  static void name##_forward(const struct call *c) {                                                \
    struct range r = share(c, shape_count(OUT_SHAPE));                                              \
    const real a = REAL_ATTR(0), b = REAL_ATTR(1);                                                  \
    enum status flaw = STATUS_OK;                                                                   \
    (void)a, (void)b;                                                                               \
    for (int64_t i = r.begin; i < r.end; i++) {                                                     \
      const real x = IN(0)[i];                                                                      \
      OUT[i] = f;                                                                                   \
    }                                                                                               \
    report(c, flaw);                                                                                \
  }
#endif

#define ONE splat(R(1))
#define ZERO splat(R(0))

/*    op          y =                                       dy/dx = */
UNARY(negative,   minus(ZERO, x, FLAW),                     splat(R(-1)))
UNARY(abs,        magnitude(x, FLAW),                       choose(x > R(0), ONE, choose(x < R(0), splat(R(-1)), ZERO)))
UNARY(square,     times(x, x, FLAW),                        x + x)
/* comparisons are written so that NaN passes through */
UNARY(sign,       choose(x > R(0), ONE, choose(x < R(0), splat(R(-1)), x)), ZERO)
UNARY(clip,       choose(x < a, splat(a), choose(x > b, splat(b), x)), choose((x < a) | (x > b), ZERO, ONE))

#ifdef REAL_IS_FLOATING
/* Klambauer et al. 2017, "Self-normalizing neural networks" */
#define SELU_ALPHA R(1.6732632423543772848170429916717)
#define SELU_SCALE R(1.0507009873554804934193349852946)

/* the standard normal distribution and its density */
INLINE V normal_cdf(V x) {
  LANES(x, R(0.5 * erfc(-0.70710678118654752440 * (double)lane)));
  return x;
}
INLINE V normal_density(V x) { return R(0.39894228040143267794) * vexp(R(-0.5) * x * x); }

UNARY(exp,        vexp(x),                                  y)
UNARY(log,        vlog(x),                                  R(1) / x)
UNARY(sqrt,       vsqrt(x),                                 R(0.5) / y)
UNARY(relu,       choose(x <= R(0), ZERO, x),               choose(x > R(0), ONE, ZERO))
UNARY(leaky_relu, choose(x <= R(0), a * x, x),              choose(x > R(0), ONE, splat(a)))
UNARY(elu,        choose(x <= R(0), a * vexpm1_negative(x), x), choose(x > R(0), ONE, y + a))
UNARY(selu,       SELU_SCALE * choose(x <= R(0), SELU_ALPHA * vexpm1_negative(x), x),
                  choose(x > R(0), splat(SELU_SCALE), y + SELU_SCALE * SELU_ALPHA))
UNARY(gelu,       x * normal_cdf(x),                        normal_cdf(x) + x * normal_density(x))
UNARY(sigmoid,    vsigmoid(x),                              y * (R(1) - y))
UNARY(tanh,       vtanh(x),                                 R(1) - y * y)
UNARY(softplus,   vsoftplus(x),                             -vexpm1_negative(-y))
UNARY(step,       choose(x == x, choose(x > R(0), ONE, ZERO), x), ZERO)

/* The rest through the C library, number by number and in double. */
#define LIBRARY(name)                                                                               \
  INLINE V library_##name(V x) {                                                                    \
    LANES(x, R(name((double)lane)));                                                                \
    return x;                                                                                       \
  }
LIBRARY(sin)
LIBRARY(cos)
LIBRARY(tan)
LIBRARY(asin)
LIBRARY(acos)
LIBRARY(atan)
LIBRARY(sinh)
LIBRARY(cosh)
LIBRARY(log1p)
LIBRARY(expm1)
LIBRARY(erf)
LIBRARY(lgamma)
LIBRARY(digamma)
LIBRARY(trigamma)
LIBRARY(floor)
LIBRARY(ceil)
LIBRARY(rint)

UNARY(sin,        library_sin(x),                           library_cos(x))
UNARY(cos,        library_cos(x),                           -library_sin(x))
UNARY(tan,        library_tan(x),                           R(1) + y * y)
UNARY(asin,       library_asin(x),                          R(1) / vsqrt((R(1) - x) * (R(1) + x)))
UNARY(acos,       library_acos(x),                          R(-1) / vsqrt((R(1) - x) * (R(1) + x)))
UNARY(atan,       library_atan(x),                          R(1) / (R(1) + x * x))
UNARY(sinh,       library_sinh(x),                          library_cosh(x))
UNARY(cosh,       library_cosh(x),                          library_sinh(x))
UNARY(log1p,      library_log1p(x),                         R(1) / (R(1) + x))
UNARY(expm1,      library_expm1(x),                         vexp(x))
UNARY(erf,        library_erf(x),                           R(1.12837916709551257390) * vexp(-x * x)) /* 2 / sqrt(pi) */
UNARY(lgamma,     library_lgamma(x),                        library_digamma(x))
UNARY(digamma,    library_digamma(x),                       library_trigamma(x))
UNARY(floor,      library_floor(x),                         ZERO)
UNARY(ceiling,    library_ceil(x),                          ZERO)
UNARY(round,      library_rint(x),                          ZERO)

/* The activations that dense() applies in place: in the table of all ops, NULL elsewhere. */
typedef void map_function(int64_t begin, int64_t end, const real *x, real *y, real a, real b);
typedef void pull_function(int64_t begin, int64_t end, const real *x, const real *y, const real *dy, real *dx, int add,
  real a, real b);
#define FUSED(ROW) ROW(RELU, relu) ROW(LEAKY_RELU, leaky_relu) ROW(ELU, elu) ROW(SELU, selu) \
  ROW(SIGMOID, sigmoid) ROW(TANH, tanh) ROW(SOFTPLUS, softplus) ROW(EXP, exp)
#define FUSED_MAP(ENUM, name) [OP_##ENUM] = name##_map,
#define FUSED_PULL(ENUM, name) [OP_##ENUM] = name##_pull,
static map_function *const fused_map[OP_COUNT] = {FUSED(FUSED_MAP)};
static pull_function *const fused_pull[OP_COUNT] = {FUSED(FUSED_PULL)};
#endif
