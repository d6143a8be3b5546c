/* The kernels for double, in the instructions every processor of this kind has. */
#include "kernels.h"
#define REAL double
#define REAL_IS_FLOATING
#define REAL_IS_DOUBLE
#if defined(__GNUC__)
#define VECTOR_BYTES 16
#else
#define VECTOR_BYTES 0
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif
#define TABLE kernels_f64
#define TABLE_NAME "portable"
#include "kernels/all.h"
