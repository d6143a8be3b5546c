/* The forward kernels for int64_t: no derivatives, no vectors. */
#include "kernels/kernels.h"
#include "kernels/target.h"
#define REAL int64_t
#define INSTRUCTIONS PLAIN
#define TABLE kernels_i64
#include "kernels/all.h"
