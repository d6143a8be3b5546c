# shellcheck shell=sh
# Sourced by the other scripts: go to the top folder, see the project's own libraries.
set -eu
cd "$(dirname "$0")/.."
TOP=$PWD
BUILD=$TOP/build
mkdir -p "$BUILD"
export R_LIBS="$BUILD/lib:$BUILD/deps${R_LIBS:+:$R_LIBS}"
[ -n "${LC_ALL:-}${LANG:-}" ] || export LANG=C.UTF-8
CORES=$(nproc 2>/dev/null || echo 1)

die() {
  echo "$0: $*" >&2
  exit 1
}
