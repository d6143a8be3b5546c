#!/bin/sh
# Every C file must compile without a warning, from C11 to C23, with and without sgemm. Once in full, as some warnings
# come from the optimizer; what another standard or another macro says, the front end knows.
. "$(dirname "$0")/env.sh"

compile() { # options; files on standard input
  xargs -P "$CORES" -I{} gcc "$@" -pthread -Isrc -Iinst/include $(R CMD config --cppflags) \
    -Wall -Wextra -Wpedantic -Wstrict-prototypes -Wmissing-prototypes \
    -Werror -c {} -o /dev/null
}
all() { printf '%s\n' src/*.c src/*/*.c; }

all | compile -std=gnu11 -O1 -DHAVE_SGEMM
for std in gnu17 gnu2x; do
  all | compile -std=$std -fsyntax-only -DHAVE_SGEMM
done
grep -l HAVE_SGEMM src/*/*.c | compile -std=gnu11 -O1
echo "No warnings"
