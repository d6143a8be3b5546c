# Rscript tools/mutants.R [pattern]: does a test fail when the code is wrong? Each row below is one small fault: where, an
# expression between << and >> with enough around it to be found once, what stands there instead, and test files of
# which one must fail. All faults are built into one copy of the package, in build/mutants, asleep; the environment
# variable NATIVENET_MUTANT wakes one. Rows whose place or expression match the pattern, all without one.
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
  c("kernels/pool.h", "end = <<(own.end + a->before + a->stride - 1) / a->stride>>;", "(own.end + a->before) / a->stride",
    "op-gradient"),
  c("kernels/pool.h", "one > IN(0)[best] || (<<is_nan(one) && !is_nan(IN(0)[best])>>)", "0", "op-pooling"),
  c("kernels/convolution.h", "<<t2 * a[2].tap_step>>;", "t2", "op-gradient"),
  c("kernels/convolution.h", "<<y->add || k > 0>>)", "y->add", "op-forward layer-convolution"),
  c("kernels/convolution.h", "s->columns, <<add || row > 0>> || s->add", "add", "op-gradient layer-convolution"),
  c("kernels/patches.h", "zero_run(to + high, <<run->n - high>>)", "0", "op-forward"),
  c("kernels/depthwise.h", "PUT(to, s->add || <<row > 0>>, sum)", "0", "op-gradient"),
  c("kernels/depthwise.h", "(<<-o->at[i] + a->gap - 1>>) / a->gap", "-o->at[i]", "op-forward layer-convolution"),
  c("kernels/image.h", "at = <<period - at - 1>>;", "period - at", "layer-image image"),
  c("kernels/image.h", "at -= <<n * floor(at / n)>>;", "(n - 1) * floor(at / n)", "layer-image image"),
  c("kernels/image.h", "add_tap(&t, r + 1, s + 1, rows, columns, <<down * right>>)", "down * (1 - right)", "layer-image image"),
  c("kernels/image.h", "<<(double)a[7] * v>> + 1", "0", "layer-image image"),
  c("kernels/linalg.c", "* (<<pivot[i] != i + 1>> ? -1 : 1)", "0", "op-decompose"),
  c("kernels/linalg.c", "work, iwork) > <<2.220446e-16>>)", "0", "op-decompose"),
  c("kernels/linalg.c", "<<fabs(a[i * n + i]) > 0>>)) flaw", "1", "op-decompose"),
  c("kernels/linalg.c", "r * n + j, <<j >= r>> ?", "1", "op-forward op-gradient"),
  c("kernels/linalg.c", "take(given(c, 0), k, a);\n    if (<<!lower_is_finite(n, a)>>) return", "0", "op-decompose"),
  c("kernels/linalg.c", "j < n; j++) a[i * n + j] = <<0>>;", "a[i * n + j]", "op-forward op-gradient"),
  c("kernels/along.h", "return <<is_nan(x[i]) && !is_nan(x[j])>>;", "is_nan(x[j]) && !is_nan(x[i])", "op-forward op-sort"),
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
  c("run/loop.c", "if (<<l->rows && program_set_rows(l->program, l->rows, l->failure)>>)", "0", "fit"),
  c("run/loop.c", "steps > 0 && <<l->poll(l)>>", "0", "fit callback"),
  c("run/loop.c", "s->steps > 0 && (<<l->every_step>> ||", "0", "callback fit"),
  c("run/stream.c", "g->a > 0 && <<++g->passes >= g->a>>", "++g->passes > g->a", "dataset"),
  c("run/stream.c", "<<n > g->a ? n - g->a : 0>>;\n  case", "n", "dataset"),
  c("run/stream.c", "skip = <<g->position ? g->a - 1 : g->b>>;", "g->a - 1", "dataset"),
  c("run/stream.c", "<<--g->filled != g->emitted>>)", "(--g->filled, 0)", "dataset"),
  c("run/stream.c", "p->seed = <<s->seed + ++s->runs * 0xbf58476d1ce4e5b9u>>;", "s->seed", "dataset"),
  c("run/stream.c", "STAGE_SHUFFLE && <<!g->reshuffle>>)", "1", "dataset"),
  c("run/stream.c", "case STAGE_CONCATENATE:\n    for (int j = 0; <<i >= s->stage[below].count>>;",
    "i > s->stage[below].count", "dataset"),
  c("run/run.c", "if (<<!finite && p->guarded>>) atomic_store", "0", "fit model-step"),
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
edit <- function(file, from, to) {
  file <- file.path(copy, "src", file)
  code <- paste(readLines(file), collapse = "\n")
  if (length(found <- gregexpr(from, code, fixed = TRUE)[[1]]) != 1 || found < 0)
    stop(file, ": not found once: ", from)
  writeLines(sub(from, to, code, fixed = TRUE), file)
}
for (k in seq_along(faults)) {
  place <- faults[[k]][2]
  right <- sub(".*<<(.*)>>.*", "\\1", place)
  edit(faults[[k]][1], gsub("<<|>>", "", place), sub(paste0("<<", right, ">>"), sprintf("(mutant == %d ? (%s) : (%s))", k,
    faults[[k]][3], right), place, fixed = TRUE))
}
edit("base/nativenet.h", "#include <stdint.h>", "#include <stdint.h>\nextern int mutant;")
edit("init.c", "R_init_nativenet(DllInfo *dll);", "R_init_nativenet(DllInfo *dll);\n#include <stdlib.h>\nint mutant;")
edit("init.c", "R_registerRoutines(",
  "const char *woken = getenv(\"NATIVENET_MUTANT\");\n  mutant = woken ? atoi(woken) : 0;\n  R_registerRoutines(")
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
quit(status = as.integer(missed > 0))
