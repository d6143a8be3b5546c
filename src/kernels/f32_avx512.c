/* The kernels for float with AVX512 instructions; used only where the processor has them. */
#include "kernels/kernels.h"
#include "kernels/target.h"
#ifdef TARGET_X86
#include <immintrin.h>
#include <float.h>
#include <math.h>
#include <string.h>
#define REAL float
#define REAL_IS_FLOATING
#define REAL_IS_FLOAT
#define INSTRUCTIONS AVX512
#define TABLE kernels_f32_avx512
TARGET_PUSH_AVX512
#include "kernels/all.h"
TARGET_POP
#endif
