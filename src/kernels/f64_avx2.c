/* The kernels for double with AVX2 instructions; used only where the processor has them. */
#include "kernels/kernels.h"
#include "kernels/target.h"
#ifdef TARGET_X86
#include <immintrin.h>
#include <float.h>
#include <math.h>
#include <string.h>
#define REAL double
#define REAL_IS_FLOATING
#define REAL_IS_DOUBLE
#define INSTRUCTIONS AVX2
#define TABLE kernels_f64_avx2
TARGET_PUSH_AVX2
#include "kernels/all.h"
TARGET_POP
#endif
