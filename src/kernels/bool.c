/* The forward kernels for uint8_t: no derivatives, no vectors. */
#include "kernels/kernels.h"
#include "kernels/target.h"
#define REAL uint8_t
#define REAL_IS_BOOL
#define INSTRUCTIONS PLAIN
#define TABLE kernels_bool
#include "kernels/all.h"
