#!/bin/sh
# tools/check.sh [options of R CMD check]: build and check as CRAN does, but offline.
# Fails unless the result is "Status: OK". Variables are listed in R's manual "R Internals".
. "$(dirname "$0")/env.sh"

export _R_CHECK_CRAN_INCOMING_=false _R_CHECK_CRAN_INCOMING_REMOTE_=false \
  _R_CHECK_SYSTEM_CLOCK_=false _R_CHECK_FORCE_SUGGESTS_=false \
  _R_CHECK_LIMIT_CORES_=TRUE OMP_THREAD_LIMIT=2 \
  _R_CHECK_EXAMPLE_TIMING_CPU_TO_ELAPSED_THRESHOLD_=2.5 \
  _R_CHECK_TEST_TIMING_CPU_TO_ELAPSED_THRESHOLD_=2.5 \
  _R_CHECK_VIGNETTE_TIMING_CPU_TO_ELAPSED_THRESHOLD_=2.5 \
  _R_CHECK_NATIVE_ROUTINE_REGISTRATION_=TRUE _R_CHECK_THINGS_IN_OTHER_DIRS_=TRUE
# Installed, the package has 13.7 MB, where R asks about more than 5: 3.2 are vignettes, half of that their pictures; 3.5
# the kernels, for three instruction sets in two precisions, without debug information; 4.8 the byte code of the
# functions, a thousand of them exported; 1.6 help.
export _R_CHECK_PKG_SIZES_THRESHOLD_=14.5
# not ours: what compilers leave there for a moment
export _R_CHECK_THINGS_IN_OTHER_DIRS_EXCLUDE_='^/tmp/(cc|tmp[.])|^/tmp/.*[.][cos]$'

if [ "${_R_CHECK_DEPENDS_ONLY_:-}" = true ]; then out=$BUILD/check-deps-only; else out=$BUILD/check; fi
rm -rf "$out"
mkdir -p "$out"
export MAKEFLAGS=-j$CORES
tarball=$(tools/build.sh "$out")
R CMD check --as-cran --no-manual "$@" -o "$out" "$tarball" < /dev/null 2>&1 |
  grep -vE 'unable to access index|cannot open URL' | tee "$out/log"
grep -q '^Status: OK' "$out/log"
