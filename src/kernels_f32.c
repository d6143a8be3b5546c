/* The kernels for float, in the instructions every processor of this kind has. */
#include "kernels.h"
#define REAL float
#define REAL_IS_FLOATING
#define REAL_IS_FLOAT
#if defined(__GNUC__)
#define VECTOR_BYTES 16
#else
#define VECTOR_BYTES 0
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif
#define TABLE kernels_f32
#define TABLE_NAME "portable"
#include "kernels/all.h"
