#!/bin/sh
# The C code for Windows by mingw-w64, as far as that goes without R for Windows: what configure.win chooses, every file
# without a warning, nothing missing but what R exports, and no move of a wide register that would need an aligned stack.
. "$(dirname "$0")/env.sh"
out=$BUILD/windows
target=x86_64-w64-mingw32
flags='-std=gnu17 -O2'
rm -rf "$out"
mkdir -p "$out"
cp -r configure.win src inst "$out"
cd "$out"
CC=$target-gcc CFLAGS=$flags sh ./configure.win
cd src
rm -f ./*.so
objects=$(sed -n 's/^OBJECTS = //p' Makevars)
# shellcheck disable=SC2086
rm -f $objects
compile="$(command -v ccache || true) $target-gcc $flags -pthread $(sed -n 's/^PKG_CPPFLAGS = //p' Makevars) \
  $(R CMD config --cppflags) -Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2086
printf '%s\n' $objects | sed 's/[.]o$//' | xargs -P "$CORES" -I{} $compile -c {}.c -o {}.o

# In place of R.dll and the libraries of BLAS and LAPACK: an import library of those names that R has and we use.
nm -D --defined-only "$(R RHOME)/lib/libR.so" | awk '{ print $3 }' | sort > has
$target-nm -u $objects | awk '{ sub("^__imp_", "", $2); print $2 }' | sort -u > uses
{ echo 'LIBRARY R.dll'; echo EXPORTS; comm -12 has uses; grep -x "d[a-z]*_" uses; } > R.def
$target-dlltool -d R.def -l libR.a
$target-gcc -shared -o nativenet.dll $objects -L. -lR -static -pthread

if $target-objdump -d nativenet.dll | grep -E 'vmov(aps|apd|dqa[0-9]*|nt[a-z]*) .*(\(.*%[yz]mm|%[yz]mm.*\()'; then
  die "these moves need an aligned stack"
fi
$target-objdump -d nativenet.dll | grep -q '%zmm' || die "there are no AVX-512 kernels"
echo "The C code compiles and links for Windows"
