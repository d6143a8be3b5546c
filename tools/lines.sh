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
layer 'C: base'              base/*
layer 'C: ops'               ops/*
layer 'C: kernels'           kernels/*
layer 'C: graph'             graph/*
layer 'C: run'               run/*
layer 'C: border to R'       border/* init.c
layer 'C: formats'           formats/*
layer 'C: other'             *.[ch] */*
cd "$TOP/R"
: > "$seen"
layer 'R: errors, checks'    caller.R check.R file*.R json.R kinds.R session.R structure.R
layer 'R: tensors, ops'      array-reshape.R custom-gradient.R derivative*.R forward-accumulator.R hessian.R jacobian.R \
  numbers.R op-*.R op.R plot.R program-print.R random-state.R tape.R tensor*.R threads.R user-code.R
layer 'R: programs'          autograph*.R loop.R program.R
layer 'R: parts of a model'  activation*.R class*.R config.R constraint.R initializer.R layer*.R loss*.R metric.R metric-*.R module.R \
  optimizer*.R part.R regularizer.R
layer 'R: models'            compile.R model*.R
layer 'R: data, training'    callback*.R data*.R evaluate.R feature-*.R fit.R generator.R history.R idx.R image*.R metrics-viewer.R progress.R safetensors.R \
  save*.R text*.R timeseries.R
layer 'R: course, pictures'  check-gradient.R course*.R homework*.R plot-*.R
layer 'R: other spellings'   attach.R keras*.R nativenet-package.R not-yet.R tf*.R
layer 'R: other'             *.R
cd "$TOP"
layer 'tests'                tests/testthat/*.R
layer 'vignettes'            vignettes/*.Rmd
layer 'inst'                 inst/*.R inst/*/*.R
layer 'bench'                bench/*.R
layer 'tools'                Makefile configure .ci/run tools/*
