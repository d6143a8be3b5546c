/* The kernels for double with AVX512 instructions; used only where the processor has them. */
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
#define INSTRUCTIONS AVX512
#define TABLE kernels_f64_avx512
TARGET_PUSH_AVX512
#include "kernels/all.h"
TARGET_POP
#endif
