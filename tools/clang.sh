#!/bin/sh
# A build with clang without a warning, and the tests of what has C code change R's lists: the two compilers evaluate
# arguments in different orders.
. "$(dirname "$0")/env.sh"
empty_library clang

clang=$(command -v clang) || die "no clang here"
printf 'CC = %s\nCFLAGS = -O1 -Wall -Wextra -Wpedantic -Werror\n' "$(command -v ccache || true) $clang" > "$out/Makevars"
R_MAKEVARS_USER=$out/Makevars tools/install.sh "$out/lib"
grep -q "$clang" "$out/lib/install.log" || die "clang was not used"
TEST_FILTER=${TEST_FILTER:-'^(evaluate|optimizer|program|tape|train)$'} tools/test.sh "$out/lib"
