#!/bin/sh
# The tests of a build without OpenMP, and the bits of its weights against those of the usual build.
. "$(dirname "$0")/env.sh"
out=$BUILD/noomp
rm -rf "$out"
mkdir -p "$out/lib"

echo 'SHLIB_OPENMP_CFLAGS =' > "$out/Makevars"
R_MAKEVARS_USER=$out/Makevars tools/install.sh "$out/lib"
if grep -e -fopenmp "$out/lib/install.log"; then die "-fopenmp was used all the same"; fi
tools/test.sh "$out/lib"

tools/install.sh
bits() { R_LIBS="$1:$R_LIBS" Rscript tools/bits.R | sort -u; }
bits "$BUILD/lib" > "$out/bits-omp"
bits "$out/lib" > "$out/bits-noomp"
cat "$out/bits-omp"
[ "$(wc -l < "$out/bits-omp")" = 2 ] || die "the weights depend on the number of threads"
cmp "$out/bits-omp" "$out/bits-noomp" || die "the weights depend on OpenMP"
echo "Same bits with and without OpenMP, on one thread and on all"
