/* target.h - compile a stretch of a file for wider instructions than the rest of the package, without
 * -march flags. Which table of kernels is used is decided when the package loads. */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(NATIVENET_PORTABLE) && \
  (!defined(_WIN32) || defined(UNALIGNED_MOVES)) /* see configure.win */
#define TARGET_X86
#define AVX2_FEATURES "avx2,fma"
#define AVX512_FEATURES "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"
#define PRAGMA(x) _Pragma(#x)
#if defined(__clang__)
#define TARGET_PUSH(features) PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define TARGET_POP PRAGMA(clang attribute pop)
#define TARGET_PUSH_AVX2 TARGET_PUSH(AVX2_FEATURES)
#define TARGET_PUSH_AVX512 TARGET_PUSH(AVX512_FEATURES)
#else
#define TARGET_PUSH_AVX2 PRAGMA(GCC push_options) PRAGMA(GCC target("avx2,fma"))
#define TARGET_PUSH_AVX512    \
  PRAGMA(GCC push_options)    \
  PRAGMA(GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512"))
#define TARGET_POP PRAGMA(GCC pop_options)
#endif
#endif
