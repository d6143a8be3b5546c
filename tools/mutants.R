# Rscript tools/mutants.R [pattern]: does a test fail when the code is wrong? Each row below is one small fault: where
# in src/ or R/, an expression between << and >> with enough around it to be found once, what stands there instead, and
# test files of which one must fail. All faults are built into one copy of the package, in build/mutants, asleep; the
# environment variable NATIVENET_MUTANT wakes one. Rows whose place or expression match the pattern, all without one.
# tools/mutants-gradients.R follows, in which each gradient is off by a factor; it wakes these faults by itself.
faults <- list(
  c("kernels/attention.h", "s[i] += <<HIDDEN>>;", "R(0)", "op-forward"),
  c("kernels/attention.h", "+= <<seen[i * h->mask_query]>> ? 0", "!seen[i * h->mask_query]", "op-forward"),
  c("kernels/attention.h", "factor + at, <<vexp_negative(before - top)>>)", "splat(1)", "op-attention op-forward"),
  c("kernels/attention.h", "x->sum[i] = <<x->sum[i] * (total)x->factor[i]>> +", "x->sum[i]", "op-attention op-forward"),
  c("kernels/attention.h", "p * (<<up - load(w->inner + at)>>)", "up - splat(0)", "op-gradient"),
  c("kernels/attention.h", "x.sum[i] * (<<1 - h->rate>>)", "1", "op-attention"),
  c("kernels/attention.h", "first = (<<h->number>> * h->a.queries", "0", "op-attention"),
  c("kernels/attention.h", "<<key > 0>> || d->q_adds", "0", "op-attention op-gradient"),
  c("kernels/attention.h", "V sum = <<ADDS(k)>> ?", "0", "op-attention op-gradient bits"),
  c("kernels/normalize.h", "return R(1 / sqrt(<<variance + epsilon>>))", "variance", "op-forward"),
  c("kernels/normalize.h", "rows * (off * off - <<rest * rest>>)", "0", "op-forward layer-normalization"),
  c("kernels/normalize.h", "(squares - <<rest * rest / (double)n>>)", "0", "op-forward layer-normalization"),
  c("kernels/normalize.h", "dvariance ? <<2 * (double)dvariance[p]>>", "(double)dvariance[p]", "op-gradient"),
  c("kernels/normalize.h", "<<rate * rate * rate * sum_off>>) / count", "rate * rate * sum_off", "op-gradient"),
  c("kernels/normalize.h", "total *= <<-0.5>> * scale", "-1", "op-gradient"),
  c("kernels/normalize.h", "PUT(scales, 1, <<slope * off * rate>>)", "slope * off", "op-gradient"),
  c("kernels/pool.h", "top = choose(<<(one > top) | (one != one)>>, one", "one > top", "op-pooling op-forward"),
  c("kernels/pool.h", "open &= <<~hit>>;", "open", "op-pooling op-gradient"),
  c("kernels/pool.h", "(void)c;\n  FOR_VECTORS((int64_t)0, w->p.channels) {\n    V part_of = <<READ(dy) / count>>;",
    "READ(dy) / R(w->p.axis[0].size * w->p.axis[1].size * w->p.axis[2].size)", "op-gradient"),
  c("kernels/pool.h", "end = <<(own.end + a->before + a->stride - 1) / a->stride>>;",
    "(own.end + a->before) / a->stride", "op-gradient"),
  c("kernels/pool.h", "one > IN(0)[best] || (<<is_nan(one) && !is_nan(IN(0)[best])>>)", "0", "op-pooling"),
  c("kernels/patches.h", "<<t2 * a[2].tap_step>>;", "t2", "op-gradient"),
  c("kernels/convolution.h", "<<y->add || k > 0>>)", "y->add", "op-forward layer-convolution"),
  c("kernels/convolution.h", "s->columns, <<add || row > 0>> || s->add", "add", "op-gradient layer-convolution"),
  c("kernels/patches.h", "zero_run(to + high, <<run->n - high>>)", "0", "op-forward"),
  c("kernels/depthwise.h", "PUT(to, s->add || <<row > 0>>, sum)", "0", "op-gradient"),
  c("kernels/depthwise.h", "(<<-o->at[i] + a->gap - 1>>) / a->gap", "-o->at[i]", "op-forward layer-convolution"),
  c("kernels/image.h", "at = <<period - at - 1>>;", "period - at", "layer-image image"),
  c("kernels/image.h", "at -= <<n * floor(at / n)>>;", "(n - 1) * floor(at / n)", "layer-image image"),
  c("kernels/image.h", "add_tap(&t, r + 1, s + 1, rows, columns, <<down * right>>)", "down * (1 - right)",
    "layer-image image"),
  c("kernels/image.h", "<<(double)a[7] * v>> + 1", "0", "layer-image image"),
  c("kernels/linalg.c", "* (<<pivot[i] != i + 1>> ? -1 : 1)", "0", "op-decompose"),
  c("kernels/linalg.c", "work, iwork) > <<2.220446e-16>>)", "0", "op-decompose"),
  c("kernels/linalg.c", "<<fabs(a[i * n + i]) > 0>>)) flaw", "1", "op-decompose"),
  c("kernels/linalg.c", "r * n + j, <<j >= r>> ?", "1", "op-forward op-gradient"),
  c("kernels/linalg.c", "take(given(c, 0), k, a);\n    if (<<!lower_is_finite(n, a)>>) return", "0", "op-decompose"),
  c("kernels/linalg.c", "j < n; j++) a[i * n + j] = <<0>>;", "a[i * n + j]", "op-forward op-gradient"),
  c("kernels/along.h", "return <<is_nan(x[i]) && !is_nan(x[j])>>;", "is_nan(x[j]) && !is_nan(x[i])",
    "op-forward op-sort"),
  c("kernels/along.h", "decreasing ? <<x[j] > x[i]>>", "x[j] >= x[i]", "op-forward op-sort"),
  c("kernels/along.h", "(k ? <<y[i - step]>> : 1)", "y[i]", "op-gradient"),
  c("kernels/along.h", "y[i] = (<<add>> ? y[i] : 0)", "0", "op-gradient"),
  c("kernels/along.h", "value + <<2 * line * n>>,", "0", "bits op-forward"),
  c("kernels/shape.h", "PUT(dx, <<1>>, READ(dy));\n    }\n  }\n}\n\n/* dx = dy; du", "0", "op-gradient"),
  c("kernels/shape.h", "all[i] = <<(total)IN(0)[i]>>;", "0", "op-forward"),
  c("kernels/reduce.h", "ties[at] += <<x[i] == y[at]>>;", "1", "op-gradient"),
  c("kernels/reduce.h", "dy[to] * <<before[i]>> *", "1", "op-gradient"),
  c("kernels/reduce.h", "y + at, <<lost ? lost + at : NULL>>)", "NULL", "op-forward"),
  c("kernels/access.h", "first += <<c->din[j].slot == c->din[k].slot>>;", "0", "bits op-gradient"),
  c("kernels/recurrent.h", "first ? dy[n] : <<to[n] + dy[n]>>;", "to[n]", "op-recurrent"),
  c("run/loop.c", "!l->own_rows && <<program_set_rows(l->program, l->rows, l->failure)>>)", "0", "fit"),
  c("run/loop.c", "steps > 0 && <<l->poll(l)>>", "0", "fit callback"),
  c("run/loop.c", "s->steps > 0 && (<<l->every_step>> ||", "0", "callback fit"),
  c("run/stream.c", "g->a > 0 && <<++g->passes >= g->a>>", "++g->passes > g->a", "dataset"),
  c("run/stream.c", "<<n > g->a ? n - g->a : 0>>;\n  case", "n", "dataset"),
  c("run/stream.c", "skip = <<g->position ? g->a - 1 : g->b>>;", "g->a - 1", "dataset"),
  c("run/stream.c", "<<--g->filled != g->emitted>>)", "(--g->filled, 0)", "dataset"),
  c("run/stream.c", "p->seed = <<s->seed + ++s->runs * 0xbf58476d1ce4e5b9u>>;", "s->seed", "dataset"),
  c("run/stream.c", "STAGE_SHUFFLE && <<!g->reshuffle>>)", "1", "dataset"),
  c("run/stream.c", "case STAGE_CONCATENATE:\n    for (int j = 0; <<*i >= s->stage[below].count>>;",
    "*i > s->stage[below].count", "dataset"),
  c("run/run.c", "if (<<!finite && p->guarded>>) atomic_store", "0", "fit model-step"),
  c("kernels/winograd.h", "d[3 * step] = <<d2>>;\n    return;", "d1", "op-forward"),
  c("kernels/winograd.h", "d[4 * step] = <<far - half>>;", "far + half", "op-forward"),
  c("kernels/winograd.h", "d[2 * step] = sum + <<d[3 * step]>>;", "-d[3 * step]", "op-gradient"),
  c("kernels/winograd.h", "d[2 * step] = <<u - v>>;", "u + v", "op-forward"),
  c("kernels/winograd.h", "k * row, <<y->add>>, d[size * r + k])", "0", "op-forward op-gradient"),
  c("kernels/shape.h", "total *y = all + (o * l.rows + <<row>>) *", "j", "op-forward"),
  c("kernels/reduce.h", "return one < 0 ? <<-all>> : one == 0", "all", "op-axes"),
  c("kernels/reduce.h", "return <<one == -1>> ? all", "0", "op-axes"),
  c("kernels/random.h", "* uniform_at(c, i, <<draw + 1>>))", "draw", "op-random"),
  c("kernels/random.h", "if (z >= <<-2>> && z", "-1", "op-random"),
  c("kernels/random.h", "ceil(<<rate>> * 0x1p52", "0.9 * rate", "op-random layer-noise"),
  c("kernels/random.h", "0x9e3779b97f4a7c15u * (uint64_t)(<<i + 1>>))", "i / 2 + 1", "op-random"),
  c("base/threads.c", "set_float_mode(mode | <<FLUSH>>);", "0", "threads"),
  c("graph/derive.c", "p->slots[slot].written && <<derive_changes(p, i, p->nodes_used, slot)>>)", "0",
    "tape autograph model-step"),
  c("graph/fuse.c", "if (<<derive_changes(p, a, b, node_inputs(p, n)[k].slot)>>)", "0", "fuse"),
  c("run/epoch.c", "if (<<program_set_rows(p, s->own, e->loop.failure)>>)", "0", "strategy fit"),
  c("run/stream.c", "if (<<g->passes == 0>>) random_permutation", "0", "dataset-verb"),
  c("run/stream.c", "g->from = order[<<g->passes++>>]", "(g->passes++, 0)", "dataset-verb"),
  c("run/shards.c", "case REDUCE_ROWS: return <<(double)s->own>>;", "1", "strategy"),
  c("run/shards.c", "case REDUCE_MEAN: return <<s->weighed[piece->group]>>;", "1", "strategy"),
  c("run/communicator.c", "return add(left, <<fold(s, middle, end, next)>>, s->n);", "left", "communicator"),
  c("R/op-ctc.R", "op_not_equal(path, as.integer(blank)), <<op_not_equal(path, earlier)>>)", "op_not_equal(path, -5L)",
    "op-ctc"),
  c("R/op-ctc.R", "add(c(beam$labels, class), \"label\", <<beam$blank>> + p", "whole", "op-ctc"),
  c("R/op-signal.R", "tensor_dtype(frames)), <<op_square(window)>>)", "window", "op-signal"),
  c("R/op-signal.R", "c(<<k:1>>, 0:(n - 1)", "(k - 1):0", "op-signal"),
  c("R/op-rearrange.R", "if (<<prod(sizes) != n>> || any(", "FALSE", "op-rearrange"),
  c("R/op-resize.R", "if (antialias) <<max(scale, 1)>> else", "1", "image"),
  c("R/op-resize.R", "outer((new - <<0.5>>) * scale, old", "0", "layer-resize op-forward image"),
  c("R/op-linalg.R", "  x <- <<floats_of(as_floats(x))>>\n  p <- norm_order", "as_floats(x)", "op-axes"),
  c("R/dataset-file.R", "[is.na(columns[[i]])] <- <<NaN>>", "0", "dataset-file"),
  c("R/dataset-file.R", "csv$done + <<as.numeric(place)>>)", "as.numeric(place) - 1", "dataset-file"),
  c("R/dataset-file.R", "if (<<csv$header>>) lines$read(1)\n    before", "FALSE", "dataset-file"),
  c("R/dataset-file.R", "if (<<reader$fresh>> && identical(bytes[1:3]", "FALSE", "dataset-file"),
  c("R/safetensors.R", "row_major <- function(x) if (length(dim(x)) > 1) <<as.vector(aperm(x))>> else", "as.vector(x)",
    "safetensors"),
  c("R/save-hdf5.R", "numbers <- <<aperm(numbers)>>", "array(numbers, rev(dim(numbers)))", "save-keras"),
  c("R/save-torch.R", "axes + 2), <<c(seq_len(axes) + 2, 2, 1)>>)\n}", "c(rev(seq_len(axes)) + 2, 2, 1)", "save-torch"),
  c("R/save-config.R", "at <- ref$call - <<graph$first[[ref$name]]>> + 1", "0", "save-json save-keras"),
  c("R/data-npz.R", "if (<<header$fortran>>) array", "FALSE", "data-npz"),
  c("R/metric.R", "op_stack(list(op_sum(<<weigh(values, weights)>>)", "values", "metric"),
  c("R/metric.R", "counts <- <<weigh(op_ones_like(values), weights)>>", "op_ones_like(values)", "metric"),
  c("R/layer-mask.R", "n == rank_of(y) && <<n == rank>>)", "TRUE", "layer-mask"),
  c("run/run.c", "*left = <<due ? KEPT_STEPS - 1 : *left - 1>>;", "KEPT_STEPS", "fit")
)

pattern <- commandArgs(TRUE)
if (length(pattern)) faults <- Filter(function(f) any(grepl(pattern[1], f[1:2])), faults)
copy <- "build/mutants"
library <- file.path(copy, "lib")
run <- function(...) system2(..., stdout = FALSE, stderr = FALSE)

# ---- the copy ----
unlink(copy, recursive = TRUE)
dir.create(library, recursive = TRUE)
for (part in c("DESCRIPTION", "NAMESPACE", "LICENSE", "configure", "R", "src", "inst", "man"))
  file.copy(part, copy, recursive = TRUE)
unlink(list.files(file.path(copy, "src"), "[.](o|so)$", recursive = TRUE, full.names = TRUE))
in_r <- function(file) startsWith(file, "R/")
edit <- function(file, from, to) {
  file <- file.path(copy, if (in_r(file)) "." else "src", file)
  code <- paste(readLines(file), collapse = "\n")
  if (length(found <- gregexpr(from, code, fixed = TRUE)[[1]]) != 1 || found < 0)
    stop(file, ": not found once: ", from)
  writeLines(sub(from, to, code, fixed = TRUE), file)
}
for (k in seq_along(faults)) {
  place <- faults[[k]][2]
  right <- sub(".*<<(.*)>>.*", "\\1", place)
  either <- if (in_r(faults[[k]][1])) "(if (is_mutant(%d)) %s else %s)" else "(mutant == %d ? (%s) : (%s))"
  edit(faults[[k]][1], gsub("<<|>>", "", place), sub(paste0("<<", right, ">>"), sprintf(either, k,
    faults[[k]][3], right), place, fixed = TRUE))
}
cat("is_mutant <- function(k) identical(Sys.getenv(\"NATIVENET_MUTANT\"), as.character(k))\n",
  file = file.path(copy, "R", "check.R"), append = TRUE)
edit("base/nativenet.h", "#include <stdint.h>", "#include <stdint.h>\nextern int mutant;")
edit("init.c", "R_init_nativenet(DllInfo *dll);", "R_init_nativenet(DllInfo *dll);\n#include <stdlib.h>\nint mutant;")
edit("init.c", "R_registerRoutines(",
  "const char *woken = getenv(\"NATIVENET_MUTANT\");\n  mutant = woken ? atoi(woken) : 0;\n  R_registerRoutines(")
# gradients of the op of this name, from its kernel
phases_end <- "    c.phase++;\n  } while (m.runner.again && !team_must_leave(team));\n"
edit("run/run.c", phases_end, paste0(phases_end, "  const char *op = getenv(\"NATIVENET_SCALED\");\n",
  "  if (!op || !is_derivative(n->op) || strcmp(op, op_info[plain_op(n->op)].name)) return;\n",
  "  for (int k = 0; k < n->outputs && thread == 0; k++) {\n    if (c.din[k].slot == NO_SLOT) continue;\n",
  "    struct slot *s = &p->slots[c.din[k].slot];\n    for (int64_t i = 0; i < shape_count(&s->shape); i++)\n",
  "      put_number(s->dtype, s->value, i, 1.001 * slot_number(s, i));\n  }\n"))
edit("run/run.c", "#include <string.h>", "#include <stdlib.h>\n#include <string.h>")
makevars <- file.path(copy, "makevars")
writeLines(c("CFLAGS = -O1", "CPPFLAGS = -DNATIVENET_PORTABLE"), makevars)
Sys.setenv(R_MAKEVARS_USER = normalizePath(makevars), MAKEFLAGS = "-j2")
if (run("R", c("CMD", "INSTALL", "--no-docs", "--no-test-load", paste0("--library=", library), copy)))
  stop("the copy does not build")

# ---- the tests ----
Sys.setenv(R_LIBS = paste(normalizePath(library), Sys.getenv("R_LIBS"), sep = ":"), NOT_CRAN = "true")
fails <- function(k, files, seconds) {
  Sys.setenv(NATIVENET_MUTANT = k)
  code <- sprintf("testthat::test_dir('tests/testthat', package = 'nativenet', load_package = 'installed',
    filter = '^(%s)$', reporter = 'stop')", gsub(" ", "|", files))
  run("R", c("--no-save", "--no-restore", "-e", shQuote(code)), timeout = seconds)
}
files <- unique(unlist(strsplit(vapply(faults, `[`, "", 4), " ")))
if (fails(0, paste(files, collapse = " "), 3600)) stop("tests fail while all faults are asleep")
missed <- 0
for (k in seq_along(faults)) {
  status <- fails(k, faults[[k]][4], 600) # a fault may make an endless loop
  missed <- missed + (status == 0)
  cat(sprintf("%-8s %s: %s -> %s\n", if (status == 124) "hung" else if (status) "caught" else "MISSED",
    faults[[k]][1], faults[[k]][2], faults[[k]][3]))
}
cat(length(faults), "faults,", missed, "missed\n")
if (!length(pattern)) {
  Sys.unsetenv("NATIVENET_MUTANT")
  missed <- missed + system2("Rscript", "tools/mutants-gradients.R")
}
quit(status = as.integer(missed > 0))
