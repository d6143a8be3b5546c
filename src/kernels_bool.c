/* The forward kernels for uint8_t: no derivatives, no vectors. */
#include "kernels.h"
#define REAL uint8_t
#define REAL_IS_BOOL
#define VECTOR_BYTES 0
#define TABLE kernels_bool
#define TABLE_NAME "portable"
#include "kernels/all.h"
