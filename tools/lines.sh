#!/bin/sh
# Lines per layer, lowest layer first. A file that belongs to no layer is listed as "other".
. "$(dirname "$0")/env.sh"
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT

layer() { # name, files
  name=$1
  shift
  files=$(ls -d "$@" 2> /dev/null | grep -vxF -f "$seen") || return 0
  printf '%s\n' "$files" >> "$seen"
  # shellcheck disable=SC2086
  printf '%-28s %3d files %6d lines\n' "$name" "$(printf '%s\n' "$files" | wc -l)" "$(cat $files | wc -l)"
}

cd "$TOP/src"
layer 'C: base'              nativenet.h numbers.* random.* system.* threads.*
layer 'C: tensor'            tensor.*
layer 'C: kernels'           kernels/*
layer 'C: ops'               op*.[ch]
layer 'C: program, run'      program.* run.*
layer 'C: optimizer, data'   optimizer.* dataset.*
layer 'C: train'             train.*
layer 'C: border to R'       r_*.[ch] init.c
layer 'C: other'             *.[ch]
cd "$TOP/R"
: > "$seen"
layer 'R: check'             check.R
layer 'R: tensor, op, tape'  tensor.R variable.R op*.R tape.R random.R
layer 'R: program'           program.R autograph.R
layer 'R: parts of a model'  activation.R initializer.R layer*.R loss.R metric.R optimizer*.R
layer 'R: model, training'   model*.R dataset*.R callback*.R fit.R history.R save.R
layer 'R: lab classes'       lab*.R
layer 'R: other spellings'   tf.R k_*.R backend.R
layer 'R: other'             *.R
cd "$TOP"
layer 'tests'                tests/testthat/*.R
layer 'vignettes'            vignettes/*.Rmd
layer 'inst'                 inst/*.R inst/*/*.R
layer 'bench'                bench/*.R
layer 'tools'                Makefile configure .ci/run tools/*
