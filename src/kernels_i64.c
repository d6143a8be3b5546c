/* The forward kernels for int64_t: no derivatives, no vectors. */
#include "kernels.h"
#define REAL int64_t
#define VECTOR_BYTES 0
#define TABLE kernels_i64
#define TABLE_NAME "portable"
#include "kernels/all.h"
