#include "kernels/kernels.h"
#include "kernels/target.h"

#include <string.h>

extern const struct kernels kernels_f32, kernels_f64, kernels_i32, kernels_i64, kernels_bool;
#ifdef TARGET_X86
extern const struct kernels kernels_f32_avx2, kernels_f64_avx2, kernels_f32_avx512, kernels_f64_avx512;
#endif

const struct kernels *kernels[DTYPE_COUNT];
library_product *library_multiply[DTYPE_COUNT];

/* Is this instruction set allowed, `widest` being the widest allowed one (NULL: any)? */
#ifdef TARGET_X86
static int allowed(const char *name, const char *widest) {
  if (!widest || strcmp(widest, "avx512") == 0 || strcmp(widest, name) == 0) return 1;
  return 0;
}
#endif

void kernels_choose(const char *widest) {
  kernels[FLOAT32] = &kernels_f32;
  kernels[FLOAT64] = &kernels_f64;
  kernels[INT32] = &kernels_i32;
  kernels[INT64] = &kernels_i64;
  kernels[BOOL] = &kernels_bool;
#ifdef TARGET_X86
  __builtin_cpu_init();
  if (allowed("avx2", widest) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kernels[FLOAT32] = &kernels_f32_avx2;
    kernels[FLOAT64] = &kernels_f64_avx2;
  }
  if (allowed("avx512", widest) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    kernels[FLOAT32] = &kernels_f32_avx512;
    kernels[FLOAT64] = &kernels_f64_avx512;
  }
#else
  (void)widest;
#endif
}
