/* The forward kernels for int32_t: no derivatives, no vectors. */
#include "kernels/kernels.h"
#include "kernels/target.h"
#define REAL int32_t
#define INSTRUCTIONS PLAIN
#define TABLE kernels_i32
#include "kernels/all.h"
