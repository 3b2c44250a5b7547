# The verbs of the project. `make` alone lists them; CI calls the same ones.
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
PYTHON := .venv/bin/python
RELEASE := build/release
PACKAGES_STAMP := build/.installed-packages
PYTHON_STAMP := .venv/.installed
DEVELOP_STAMP := .venv/.develop

comma := ,

# On a terminal ninja shows how far it is, on one line.
NINJA := ninja -j $(JOBS) $(if $(MAKE_TERMOUT),,--quiet)

# configure(preset): runs CMake where it has not run yet, or where a source file came or went since (it globs).
define configure
mkdir -p build/$(1) && find $(wildcard cpp tests/cpp bench) -name '*.cpp' | sort >build/$(1)/.sources.new && \
if [ -f build/$(1)/build.ninja ] && cmp -s build/$(1)/.sources build/$(1)/.sources.new; then :; \
else cmake --preset $(1) --log-level=WARNING >/dev/null && mv build/$(1)/.sources.new build/$(1)/.sources; fi
endef

.PHONY: help
help: ## list the verbs
	@echo "make VERB, with:"
	@sed -nE 's/^([a-z][a-z-]*):[^#]*## (.*)/  \1\t\2/p' Makefile | expand -t 18

.PHONY: install
install: $(PACKAGES_STAMP) $(PYTHON_STAMP) ## install what is missing: Debian packages (root or sudo), Python tools in .venv

$(PACKAGES_STAMP): scripts/packages.txt scripts/install
	@scripts/install packages
	@mkdir -p $(@D) && touch $@

$(PYTHON_STAMP): requirements/dev.txt scripts/install | $(PACKAGES_STAMP)
	@scripts/install python
	@touch $@

.PHONY: demo
demo: build ## a rollout on an embedded cluster, shown live
	@.venv/bin/kruise demo

.PHONY: build
build: $(DEVELOP_STAMP) ## release build: build/release/bin/kruise-manager, .venv/bin/kruise
	@$(call configure,release)
	@$(NINJA) -C $(RELEASE) product >&2

# The package as an editable install: Python comes from python/, the module kruise._core from build/release.
$(DEVELOP_STAMP): pyproject.toml $(PYTHON_STAMP)
	@scripts/develop
	@touch $@

.PHONY: test
test: build ## build, then run every test, the real API server included (ALLOW_SKIP=1 lets tests be skipped)
	@$(NINJA) -C $(RELEASE)
	@$(PYTHON) scripts/run_tests.py --jobs $(JOBS)

# SEEDS=n or MINUTES=m: so many random ones, or for so long. SEED=s replays one; WITHOUT=a,b leaves these faults of it out.
.PHONY: soak
soak: build ## random seeds of faults in virtual time: SEEDS=n or MINUTES=m; SEED=s replays one
	@cd tests && ../$(PYTHON) -m faults.soak $(SEEDS:%=--seeds=%) $(MINUTES:%=--minutes=%) $(SEED:%=--seed=%) \
	  $(foreach fault,$(subst $(comma), ,$(WITHOUT)),--without=$(fault))

.PHONY: bench
bench: build ## the figures of docs/performance.md, one JSON line each
	@$(NINJA) -C $(RELEASE) kruise-bench >&2
	@$(RELEASE)/bin/kruise-bench

.PHONY: bench-cluster
bench-cluster: build ## the manager's cost on a real API server (etcd and kube-apiserver are built at the first run)
	@$(NINJA) -C $(RELEASE) simulated-nodes bare-load >&2
	@KRUISE_BUILD=$(RELEASE) $(PYTHON) bench/cluster/run.py

.PHONY: lint
lint: build lint-python ## clang-tidy, ruff
	@$(PYTHON) scripts/lint_cpp.py --jobs $(JOBS)

.PHONY: lint-python
lint-python: install ## ruff alone
	@$(PYTHON) -m ruff check .

.PHONY: types
types: build ## mypy --strict; the stub of the C++ module against the module
	@$(PYTHON) -m mypy
	@$(PYTHON) -m mypy.stubtest --concise --allowlist scripts/stubtest-allowlist.txt kruise._core

.PHONY: format
format: install ## format C++ and Python
	@scripts/cpp-files | xargs .venv/bin/clang-format -i
	@$(PYTHON) -m ruff format --quiet .

.PHONY: format-check
format-check: install ## fail where formatting would change a file
	@scripts/cpp-files | xargs .venv/bin/clang-format --dry-run -Werror
	@$(PYTHON) -m ruff format --check .

.PHONY: generate
generate: install ## write the C++ types and Python models from the CRDs and schema files
	@$(PYTHON) scripts/generate/generate.py

.PHONY: notebooks
notebooks: build ## execute the notebooks and write what they show
	@$(PYTHON) scripts/run_notebooks.py

# The layers whose tests `make sanitize` runs; empty: all.
LAYERS ?=
.PHONY: sanitize sanitize-asan sanitize-tsan
sanitize: sanitize-asan sanitize-tsan ## C++ tests and scenarios under AddressSanitizer, then ThreadSanitizer (LAYERS="base cache": their C++ tests)
sanitize-asan sanitize-tsan: sanitize-%: install
	@$(call configure,$*)
	@$(NINJA) -C build/$* $(LAYERS:%=test_%)
	@UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ctest --test-dir build/$* --output-on-failure -j $(JOBS) \
	  $(if $(LAYERS),-R '^cpp_($(subst $() $(),|,$(strip $(LAYERS))))$$')
	@$(if $(LAYERS),,$(PYTHON) scripts/run_sanitized.py $* --jobs $(JOBS))

.PHONY: pin-python
pin-python: install ## take the newest Python tools and pin them in requirements/dev.txt
	@scripts/pin-python

.PHONY: clean
clean: ## remove what was built and .venv
	@rm -rf build .venv
