#!/bin/sh
# tools/install.sh [library] [options of R CMD INSTALL]: into build/lib unless told otherwise,
# always compiled afresh. Honours R_MAKEVARS_USER.
. "$(dirname "$0")/env.sh"
library=${1:-$BUILD/lib}
[ $# = 0 ] || shift

tarball=$(tools/build.sh --no-build-vignettes)
mkdir -p "$library"
log=$library/install.log
echo "Compiling and installing nativenet"
MAKEFLAGS=-j$CORES R CMD INSTALL "$@" --library="$library" "$tarball" > "$log" 2>&1 ||
  { cat "$log" >&2; die "R CMD INSTALL failed"; }
grep -i 'warning' "$log" || true
