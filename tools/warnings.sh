#!/bin/sh
# Every C file must compile without a warning, from C11 to C23, with and without sgemm.
. "$(dirname "$0")/env.sh"

compile() { # options
  printf '%s\n' src/*.c | xargs -P "$CORES" -I{} gcc "$@" $(R CMD config --cppflags) \
    -Wall -Wextra -Wpedantic -Wstrict-prototypes -Wmissing-prototypes \
    -Werror -c {} -o /dev/null
}
for std in gnu11 gnu17 gnu2x; do
  compile -std=$std -O1 -pthread -DHAVE_SGEMM
done
compile -std=gnu11 -O1
echo "No warnings"
