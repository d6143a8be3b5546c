#!/bin/sh
# tools/build.sh folder [options of R CMD build]: the package's tarball, made from a clean copy
# without objects, in that folder. The last line printed is the tarball's path.
. "$(dirname "$0")/env.sh"
folder=$(cd "$1" && pwd)
shift

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/nativenet"
tar -cf - --exclude=./.git --exclude=./build --exclude=./demo-output --exclude=./labs --exclude='*.Rcheck' \
  --exclude='*.tar.gz' --exclude='*.o' --exclude='*.so' --exclude=./src/Makevars . |
  tar -xf - -C "$copy/nativenet"

cd "$copy"
export NATIVENET_LABS=quick # the lab pages on built-in data
R CMD build "$@" nativenet > "$folder/build.log" 2>&1 || { cat "$folder/build.log" >&2; die "R CMD build failed"; }
rm -f "$folder"/nativenet_*.tar.gz
mv nativenet_*.tar.gz "$folder"
ls "$folder"/nativenet_*.tar.gz
