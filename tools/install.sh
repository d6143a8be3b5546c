#!/bin/sh
# tools/install.sh [library] [options of R CMD INSTALL]: into build/lib unless told otherwise,
# always compiled afresh. Honours R_MAKEVARS_USER.
. "$(dirname "$0")/env.sh"
library=${1:-$BUILD/lib}
[ $# = 0 ] || shift

mkdir -p "$library"
tarball=$(tools/build.sh "$library" --no-build-vignettes)
log=$library/install.log
echo "Compiling and installing nativenet"
MAKEFLAGS=-j$CORES R CMD INSTALL "$@" --library="$library" "$tarball" > "$log" 2>&1 ||
  { # the first error and what follows, without the lines that call the compiler
    grep -v -e ' -c .* -o ' "$log" | grep -m 1 -A 20 -i -e 'error' -e 'undefined symbol' -e 'cannot' >&2 ||
      tail -n 20 "$log" >&2
    die "R CMD INSTALL failed; the whole log: $log"
  }
grep -i 'warning' "$log" || true
