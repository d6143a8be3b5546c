#!/bin/sh
# The core must not need R: all C files but init.c and border/ compile without R's headers, and its own tests run.
# CORE_FLAGS="-fsanitize=address,undefined" for other flags of the compiler.
. "$(dirname "$0")/env.sh"

objects=$BUILD/core
rm -rf "$objects"
mkdir -p "$objects"
for file in src/*/*.c tests/core/*.c; do
  case $file in src/border/*) ;; *) printf '%s\n' "$file" ;; esac
done | xargs -P "$CORES" -I{} sh -c \
  'cc -std=c11 -g -pthread -Isrc $3 -c "$1" -o "$2/$(echo "${1%.c}" | tr / -).o"' - {} "$objects" "${CORE_FLAGS:-}"
cc -pthread ${CORE_FLAGS:-} -o "$objects/core" "$objects"/*.o -lm
echo "The core compiles without R"
"$objects/core"
