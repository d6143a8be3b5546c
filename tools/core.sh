#!/bin/sh
# The core must not need R: all C files but init.c and r_*.c compile without R's headers.
. "$(dirname "$0")/env.sh"

for file in src/*.c; do
  case $file in src/init.c | src/r_*.c) ;; *) printf '%s\n' "$file" ;; esac
done | xargs -P "$CORES" -I{} cc -std=c11 -c {} -o /dev/null
echo "The core compiles without R"
