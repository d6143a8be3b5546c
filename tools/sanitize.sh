#!/bin/sh
# The tests under gcc's address and undefined-behaviour sanitizers. Any report ends R and is a
# failure. TEST_FILTER and NATIVENET_SLOW=0 as in tools/test.sh.
. "$(dirname "$0")/env.sh"
empty_library asan

cat > "$out/Makevars" <<'M'
CC = gcc
CFLAGS = -g1 -O0 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall
LDFLAGS = -fsanitize=address,undefined
M
export NATIVENET_DEBUG=1
R_MAKEVARS_USER=$out/Makevars tools/install.sh "$out/lib" --no-test-load

status=0
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
  ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:detect_odr_violation=0:log_path=$out/report \
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:log_path=$out/report \
  tools/test.sh "$out/lib" || status=$?

for report in "$out"/report.*; do
  [ -e "$report" ] || continue
  cat "$report"
  status=1
done
if [ $status = 0 ]; then echo "Sanitizers: nothing found"; else echo "Sanitizers: FAILED (build/asan)"; fi
exit $status
