#!/bin/sh
# The core must not need R: all C files but init.c and border/ compile without R's headers, and its own tests run.
# CORE_FLAGS="-fsanitize=address,undefined" for other flags of the compiler. For another machine, say
# CORE_CC="s390x-linux-gnu-gcc -static" CORE_RUN=qemu-s390x-static, or x86_64-w64-mingw32-gcc and wine.
. "$(dirname "$0")/env.sh"

objects=$BUILD/core
compiler=${CORE_CC:-cc}
rm -rf "$objects"
mkdir -p "$objects"
for file in src/*/*.c tests/core/*.c; do
  case $file in src/border/*) ;; *) printf '%s\n' "$file" ;; esac
done | xargs -P "$CORES" -I{} sh -c \
  '$4 -std=c11 -g -pthread -Isrc $3 -c "$1" -o "$2/$(echo "${1%.c}" | tr / -).o"' - {} "$objects" "${CORE_FLAGS:-}" \
  "$compiler"
# shellcheck disable=SC2086
$compiler -pthread ${CORE_FLAGS:-} -o "$objects/core.exe" "$objects"/*.o -lm
echo "The core compiles without R"
# shellcheck disable=SC2086
${CORE_RUN:-} "$objects/core.exe"
