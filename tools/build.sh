#!/bin/sh
# tools/build.sh [options of R CMD build]: the package's tarball, made from a clean copy
# without objects, in build/. The last line printed is the tarball's path.
. "$(dirname "$0")/env.sh"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/nativenet"
tar -cf - --exclude=./.git --exclude=./build --exclude=./demo-output --exclude=./labs --exclude='*.Rcheck' \
  --exclude='*.tar.gz' --exclude='*.o' --exclude='*.so' --exclude=./src/Makevars . |
  tar -xf - -C "$copy/nativenet"

cd "$copy"
export NATIVENET_LABS=quick # the lab pages on built-in data
R CMD build "$@" nativenet > "$BUILD/build.log" 2>&1 || { cat "$BUILD/build.log" >&2; die "R CMD build failed"; }
rm -f "$BUILD"/nativenet_*.tar.gz
mv nativenet_*.tar.gz "$BUILD"
ls "$BUILD"/nativenet_*.tar.gz
