#!/bin/sh
# tools/platforms.sh [platform ...]: demo, tests and check of what is committed, from nothing, in clean chroots of Debian.
# Each gets a line in build/platforms/table.md, logs beside it. Needs root and a Debian mirror. STEPS="demo test" does
# these only.
. "$(dirname "$0")/env.sh"
out=$BUILD/platforms

# name, Debian's release, compiler, where R packages come from
table='bookworm bookworm gcc debian
bookworm-cran bookworm gcc cran
bookworm-clang bookworm clang-16 debian
trixie trixie gcc debian
trixie-clang trixie clang-19 debian
sid sid gcc debian'

[ "$(id -u)" = 0 ] || die "chroots need root"
command -v mmdebstrap > /dev/null || die "missing here: mmdebstrap"
mkdir -p "$out"
[ -e "$out/table.md" ] ||
  printf '%s\n' '| platform | date | versions | demo | tests | check |' '|---|---|---|---|---|---|' > "$out/table.md"

# A command in the chroot; what is mounted for it ends with it.
inside() {
  # shellcheck disable=SC2016
  unshare --mount --pid --fork sh -ec 'cd "$1"; mount -t proc proc proc; mount --rbind /dev dev; mount -t tmpfs tmp tmp
    exec chroot . env -i PATH="$PATH" HOME=/srv LANG=C.UTF-8 NATIVENET_PACKAGES="$2" sh -ec "$3"' - \
    "$root" "$packages" "$1" < /dev/null
}

# A cell of the table: seconds, and the count or status that the command ends with.
try() { # step, target of make
  verdict='' log=$out/$name-$1.log start=$(date +%s)
  case " ${STEPS:-demo test check} " in *" $1 "*) ;; *) return 0 ;; esac
  inside "cd /srv/nativenet; make $2" > "$log" 2>&1 || verdict="failed "
  found=$(grep -E '^Status:|^[0-9]+ passed, ' "$log" | tail -n 1)
  [ -n "$verdict$found" ] || verdict=OK
  verdict="$verdict$found, $(($(date +%s) - start)) s"
  echo "$name $1: $verdict"
}

echo "$table" | while read -r name release compiler packages; do
  case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
  root=$out/$name
  if ! [ -e "$root/ready" ]; then
    rm -rf "$root"
    # mirrors may lag behind
    mmdebstrap --quiet --variant=apt --include=make --aptopt='Acquire::Check-Valid-Until "false"' \
      "$release" "$root" < /dev/null
    # of a machine whose way to CRAN has certificates of its own
    mkdir -p "$root/usr/local/share/ca-certificates"
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates" 2> /dev/null || true
    touch "$root/ready"
  fi
  rm -rf "$root/srv/nativenet" "$root/srv/.R"
  mkdir -p "$root/srv/nativenet" "$root/srv/.R"
  git archive HEAD | tar -xf - -C "$root/srv/nativenet"
  if [ "$compiler" != gcc ]; then
    inside "apt-get -qq update; apt-get -qq -y --no-install-recommends install $compiler" > "$out/$name-cc.log" 2>&1
    echo "CC = $compiler" > "$root/srv/.R/Makevars"
  fi
  try demo demo
  demo=$verdict
  try test test
  tests=$verdict
  try check "check CHECK_FLAGS=--no-tests"
  versions=$(inside "R --version | sed -n '1s/ (.*//p'; $compiler --version | sed -n '1p'; echo R packages of $packages" |
    paste -s -d , -)
  echo "| $name | $(date +%F) | $versions | $demo | $tests | $verdict |" >> "$out/table.md"
done
cat "$out/table.md"
