/* The forward kernels for int32_t: no derivatives, no vectors. */
#include "kernels.h"
#define REAL int32_t
#define VECTOR_BYTES 0
#define TABLE kernels_i32
#define TABLE_NAME "portable"
#include "kernels/all.h"
