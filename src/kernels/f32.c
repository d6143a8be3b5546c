/* The kernels for float, in the instructions every processor of this kind has. */
#include "kernels/kernels.h"
#include "kernels/target.h"
#define REAL float
#define REAL_IS_FLOATING
#define REAL_IS_FLOAT
#define INSTRUCTIONS BASE
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#define TABLE kernels_f32
#include "kernels/all.h"
