# Everything a developer does. The work is in tools/*.sh; results go to build/.

.PHONY: help setup install document test demo labs check check-deps-only warnings core windows asan valgrind clang newest platforms bench names lines clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile
	@echo 'TEST_FILTER=tape make test runs the test files named so; NATIVENET_SLOW=0 leaves out slow tests.'

setup: ## install all that any target needs (each target does so for itself, too)
	@tools/setup.sh check
	@tools/setup.sh document
	@tools/setup.sh valgrind

install: ## install the package into build/lib
	@tools/setup.sh run
	@tools/install.sh

document: ## write man/ and NAMESPACE from the comments in R/, other forms of the labs from inst/labs
	@tools/setup.sh document
	@tools/with.sh Rscript tools/labs.R
	@MAKEFLAGS= tools/with.sh Rscript tools/document.R

test: ## install, then run all tests
	@tools/setup.sh test
	@tools/install.sh
	@tools/test.sh

demo: ## install, then train networks on digits and reviews; output in demo-output/
	@tools/setup.sh run
	@tools/install.sh
	@tools/with.sh Rscript inst/examples/digits.R demo-output
	@tools/with.sh Rscript inst/examples/reviews.R demo-output

labs: ## install, then knit the lab pages in full to labs/, on the real data where they are at hand
	@tools/setup.sh check
	@tools/install.sh
	@tools/labs.sh

check: ## R CMD check --as-cran, must be "Status: OK"
	@tools/setup.sh check
	@tools/check.sh $(CHECK_FLAGS)

check-deps-only: ## the same with the declared hard dependencies only
	@tools/setup.sh check
	@_R_CHECK_DEPENDS_ONLY_=true tools/check.sh

warnings: ## compile the C code as C11 to C23, warnings are errors
	@tools/setup.sh run
	@tools/warnings.sh

core: ## compile the core without R
	@tools/setup.sh run
	@tools/core.sh

windows: ## compile and link the C code for Windows by mingw-w64
	@tools/setup.sh windows
	@tools/windows.sh

asan: ## the tests under the address and undefined-behaviour sanitizers
	@tools/setup.sh test
	@tools/sanitize.sh

valgrind: ## the tests under valgrind (slow)
	@tools/setup.sh valgrind
	@tools/valgrind.sh

clang: ## a build with clang and some of the tests
	@tools/setup.sh clang
	@tools/clang.sh

newest: ## the same with the newest packages of CRAN
	@rm -rf build/newest
	@NATIVENET_PACKAGES=cran $(MAKE) clang

platforms: ## demo, tests and check in clean chroots of Debian; tools/platforms.md has the results
	@tools/platforms.sh

bench: ## install, then run the workloads in bench/
	@tools/setup.sh run
	@tools/install.sh
	@tools/bench.sh

names: ## install, then compare the names that R's keras, keras3, tensorflow ... export with those here
	@tools/install.sh
	@tools/with.sh Rscript tools/peer-names.R

lines: ## lines of code per layer
	@tools/lines.sh

clean: ## remove what the targets made, but not packages from CRAN in build/deps
	@./cleanup
	@find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} + 2>/dev/null || true
	@rm -rf demo-output src/*.o src/*/*.o src/*.so
