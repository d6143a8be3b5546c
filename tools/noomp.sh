#!/bin/sh
# The tests of a build without OpenMP.
. "$(dirname "$0")/env.sh"
out=$BUILD/noomp
rm -rf "$out"
mkdir -p "$out/lib"

echo 'SHLIB_OPENMP_CFLAGS =' > "$out/Makevars"
R_MAKEVARS_USER=$out/Makevars tools/install.sh "$out/lib"
if grep -e -fopenmp "$out/lib/install.log"; then die "-fopenmp was used all the same"; fi
tools/test.sh "$out/lib"
