#!/bin/sh
# tools/bench.sh [script ...]: run the workloads in bench/ against build/lib.
. "$(dirname "$0")/env.sh"

[ $# != 0 ] || set -- bench/*.R
for script; do
  [ -e "$script" ] || die "no such script: $script"
  echo "== $script"
  Rscript "$script"
done
