#!/bin/sh
# The tests under valgrind: invalid reads and writes, uninitialized values, and memory lost by
# our own code are failures. Slow: tests may skip themselves when NATIVENET_SLOW is 0, set here.
. "$(dirname "$0")/env.sh"
empty_library valgrind

printf 'CFLAGS = -g -O1 -Wall\n' > "$out/Makevars"
export NATIVENET_DEBUG=1
R_MAKEVARS_USER=$out/Makevars tools/install.sh "$out/lib"

status=0
export NATIVENET_SLOW="${NATIVENET_SLOW:-0}"
R_DEBUGGER="valgrind --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=none --log-file=$out/report" \
  tools/test.sh "$out/lib" || status=$?

# Leaks: a record names our shared object or one of our files.
ours=$(find src -name '*.[ch]' -exec basename {} ';' | paste -s -d '|' -)
sed 's/^==[0-9]*== *//' "$out/report" | awk -v RS= -v ours="nativenet.so|[(]($ours):" \
  '/definitely lost in loss record/ && $0 ~ ours { print; print ""; n++ } END { exit n > 0 }' || status=1
if grep -q 'ERROR SUMMARY: [1-9]' "$out/report"; then
  status=1
  grep -vE 'lost|reachable|suppressed' "$out/report" | head -n 100
fi
if [ $status = 0 ]; then echo "Valgrind: nothing found"; else echo "Valgrind: FAILED (build/valgrind/report)"; fi
exit $status
