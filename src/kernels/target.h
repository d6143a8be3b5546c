/* target.h - the instruction sets, and how a stretch of a file is compiled for wider instructions than the rest of the
 * package, without -march flags. Which table of kernels is used is decided when the package loads. */

/* Of each set: the name that users see; bytes of a vector, 0 for none; rows and vectors of a tile of multiply.h, whose
 * sums, with a row of B and what is multiplied, fill the registers. AVX-512 has 32 and multiplies by a number in
 * memory; NEON has 32, and compilers load a number of each row first; the others have 16, and products need some where
 * they are not fused with the addition. A file of kernels defines INSTRUCTIONS as one of these: INSTRUCTIONS(BYTES) is
 * its number.
 *                 name       bytes rows vectors */
#define AVX512(of)  of("avx512",   64, 8, 3)
#define AVX2(of)    of("avx2",     32, 4, 3)
#define NEON(of)    of("neon",     16, 7, 3)
#define VECTORS(of) of("portable", 16, 4, 2)
#define PLAIN(of)   of("portable",  0, 4, 4)
#define NAME(name, bytes, rows, vectors) name
#define BYTES(name, bytes, rows, vectors) bytes
#define TILE_ROWS(name, bytes, rows, vectors) rows
#define TILE_VECTORS(name, bytes, rows, vectors) vectors

/* What every processor of this kind has. GNU C makes do with smaller registers, or none, if it must. */
#if !defined(__GNUC__)
#define BASE PLAIN
#elif defined(__aarch64__)
#define BASE NEON
#else
#define BASE VECTORS
#endif

/* What is here will be read soon: have it come to the second-level cache; or written: to the first. */
#if defined(__GNUC__)
#define FETCH(address) __builtin_prefetch(address, 0, 2)
#define FETCH_TO_WRITE(address) __builtin_prefetch(address, 1, 3)
#else
#define FETCH(address) (void)(address)
#define FETCH_TO_WRITE(address) (void)(address)
#endif

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
