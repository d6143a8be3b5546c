#!/bin/sh
# tools/test.sh [library]: run tests/testthat against the package installed there (build/lib).
# TEST_FILTER=tape   only the files whose name matches
# NATIVENET_SLOW=0   tests too slow for valgrind skip themselves
. "$(dirname "$0")/env.sh"
library=${1:-$BUILD/lib}
export R_LIBS="$library:$R_LIBS" NOT_CRAN=true

# What begins in the background of a shell ignores interrupts, which tests of them cannot have: R 4.6 keeps to that.
reset="env --default-signal=INT"
$reset true 2> /dev/null || reset=

# tools/test.R leaves a mark at its end; R_DEBUGGER is set by tools/valgrind.sh.
mark=$library/tests-ended
rm -f "$mark"
status=0
$reset R ${R_DEBUGGER:+-d "$R_DEBUGGER"} --no-save --no-restore --no-echo -f tools/test.R --args "$mark" < /dev/null || status=$?
if [ ! -e "$mark" ]; then
  echo "R itself ended (status $status) before the tests did."
  echo "0 passed, 1 failed, 0 skipped"
  [ $status != 0 ] || status=1
fi
exit $status
