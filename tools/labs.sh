#!/bin/sh
# tools/labs.sh [page ...]: knit the lab pages in full to labs/, on the real data where these are at hand
# (NATIVENET_DATA or the cache). Pages are named without "lab-" and ".Rmd"; all by default.
. "$(dirname "$0")/env.sh"

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
cp vignettes/* "$pages"
mkdir -p labs
[ $# -gt 0 ] || set -- $(ls vignettes/lab-*.Rmd | sed 's/.*lab-//; s/[.]Rmd$//')
for page; do
  start=$(date +%s)
  (cd "$pages" && Rscript -e 'rmarkdown::render(commandArgs(TRUE)[1], output_dir = commandArgs(TRUE)[2], quiet = TRUE)' \
    "lab-$page.Rmd" "$TOP/labs")
  echo "labs/lab-$page.html: $(($(date +%s) - start)) s"
done
