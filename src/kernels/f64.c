/* The kernels for double, in the instructions every processor of this kind has. */
#include "kernels/kernels.h"
#include "kernels/target.h"
#define REAL double
#define REAL_IS_FLOATING
#define REAL_IS_DOUBLE
#define INSTRUCTIONS BASE
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#define TABLE kernels_f64
#include "kernels/all.h"
