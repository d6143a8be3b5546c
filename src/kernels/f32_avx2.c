/* The kernels for float with AVX2 instructions; used only where the processor has them. */
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
#define INSTRUCTIONS AVX2
#define TABLE kernels_f32_avx2
TARGET_PUSH_AVX2
#include "kernels/all.h"
TARGET_POP
#endif
