#!/bin/sh
# tools/setup.sh [run|test|check|document|valgrind|clang|windows]
# Installs what is missing for that purpose; silent, quick and offline when nothing is.
# "check" and "document" include "test", which includes "run". R packages come from
# Debian where it has them, else from CRAN into build/deps; all from CRAN with NATIVENET_PACKAGES=cran.
. "$(dirname "$0")/env.sh"
level=${1:-run}

has() { command -v "$1" > /dev/null 2>&1; }
is_debian() { has apt-get && has dpkg; }
is_debians_r() { is_debian && dpkg -S "$(readlink -f "$(command -v R)")" > /dev/null 2>&1; }
may_be_root() { [ "$(id -u)" = 0 ] || has sudo; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# A new machine has no lists, and apt-cache then knows no package.
refresh_lists() {
  [ -z "${updated:-}" ] || return 0
  as_root apt-get -qq update || echo "Could not refresh the package lists; trying those at hand."
  updated=yes
}

apt_install() {
  is_debian || die "missing here: $* (names of Debian packages). Install them, then start again."
  may_be_root || die "missing here: $*. Needs root: run 'apt-get install $*' as root, then start again."
  echo "Installing from Debian: $*"
  refresh_lists
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 install "$@" > "$BUILD/apt.log" 2>&1 ||
    { tail -n 20 "$BUILD/apt.log" >&2; die "apt-get install failed, see build/apt.log"; }
}

# Can R compile C against its headers and link BLAS and LAPACK, with the libraries of Fortran or, as on a Mac, without?
# See configure.
compiles() {
  dir=$(mktemp -d)
  echo '#include <R.h>' > "$dir/try.c"
  status=1
  # shellcheck disable=SC2016
  for fortran in '$(FLIBS)' ''; do
    echo "PKG_LIBS = \$(LAPACK_LIBS) \$(BLAS_LIBS) $fortran" > "$dir/Makevars"
    if (cd "$dir" && R CMD SHLIB try.c > log 2>&1); then status=0; break; fi
  done
  rm -rf "$dir"
  return $status
}

missing_r_packages() { Rscript tools/missing.R "$level" "$@"; }

install_r_packages() {
  if [ "$NATIVENET_PACKAGES" = cran ]; then
    ! is_debian || apt_install g++ libuv1-dev # of testthat's
  elif is_debians_r && may_be_root; then
    refresh_lists
    names=
    for package; do
      name=r-cran-$(echo "$package" | tr '[:upper:]' '[:lower:]')
      ! apt-cache policy "$name" 2> /dev/null | grep -q 'Candidate: [0-9]' || names="$names $name"
    done
    # shellcheck disable=SC2086
    [ -z "$names" ] || apt_install $names
  fi
  packages=$(missing_r_packages)
  [ -n "$packages" ] || return 0
  has g++ || ! is_debian || apt_install g++ # of nanoparquet's
  # https needs certificates, which a minimal Debian lacks
  [ -n "$(ls /etc/ssl/certs 2> /dev/null)" ] || ! is_debian || apt_install ca-certificates
  echo "Installing from CRAN into ${DEPS#"$TOP/"}:" $packages
  mkdir -p "$DEPS"
  # shellcheck disable=SC2086
  MAKEFLAGS=-j$CORES Rscript -e 'if ("@CRAN@" %in% getOption("repos")) chooseCRANmirror(FALSE, ind = 1)' \
    -e 'install.packages(commandArgs(TRUE)[-1], lib = commandArgs(TRUE)[1], quiet = TRUE)' "$DEPS" $packages
  packages=$(missing_r_packages must)
  [ -z "$packages" ] || die "could not install the R packages" $packages
  packages=$(missing_r_packages)
  [ -z "$packages" ] || echo "Could not be installed, so that tests which need them are skipped:" $packages
}

case $level in
  run | test | document) tools= ;;
  check) tools="pandoc qpdf tidy checkbashisms" ;;
  valgrind | clang) tools=$level ;;
  windows) tools=x86_64-w64-mingw32-gcc ;;
  *) die "unknown purpose '$level': use run, test, check, document, valgrind, clang or windows" ;;
esac

wanted=
has R || wanted=r-base-core
{ has R && compiles; } || wanted="$wanted gcc gfortran libc6-dev make libblas-dev liblapack-dev"
for tool in $tools; do
  case $tool in
    checkbashisms) package=devscripts ;;
    x86_64-w64-mingw32-gcc) package=gcc-mingw-w64-x86-64 ;;
    *) package=$tool ;;
  esac
  has "$tool" || wanted="$wanted $package"
done
# shellcheck disable=SC2086
[ -z "$wanted" ] || apt_install $wanted
compiles || die "R cannot compile C code or link its BLAS and LAPACK here; try 'R CMD SHLIB' on a small file."

packages=$(missing_r_packages)
# shellcheck disable=SC2086
[ -z "$packages" ] || install_r_packages $packages
