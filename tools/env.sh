# shellcheck shell=sh
# Sourced by the other scripts: go to the top folder, see the project's own libraries.
set -eu
cd "$(dirname "$0")/.."
TOP=$PWD
BUILD=$TOP/build
mkdir -p "$BUILD"
# NATIVENET_PACKAGES=cran: all R packages are CRAN's newest, in a library of their own.
: "${NATIVENET_PACKAGES:=debian}"
if [ "$NATIVENET_PACKAGES" = cran ]; then
  DEPS=$BUILD/newest
  export R_LIBS_SITE=/nonexistent
else
  DEPS=$BUILD/deps
fi
export R_LIBS="$BUILD/lib:$DEPS${R_LIBS:+:$R_LIBS}"
[ -n "${LC_ALL:-}${LANG:-}" ] || export LANG=C.UTF-8
CORES=$(nproc 2>/dev/null || echo 1)

die() {
  echo "$0: $*" >&2
  exit 1
}

empty_library() { # name: an empty folder of that name in build/, $out, with a library to install into
  out=$BUILD/$1
  rm -rf "$out"
  mkdir -p "$out/lib"
}
