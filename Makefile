# make run · make test · make bench · make check · make build · make help
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Tools live outside the clone, so that a second clone finds them warm; .run/tools links to those of this clone's versions
# (tests/toolchain/setup).
export CAUSEWAY_TOOLS ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/causeway
export PATH := $(CURDIR)/.run/tools/bin:$(PATH)
# Trunk reads NO_COLOR as a switch of its own and stops at any value but true or false.
unexport NO_COLOR
export TRUNK_SKIP_VERSION_CHECK := true
export CARGO_TARGET_DIR ?= $(CURDIR)/target

# Where rustup knows the version of rust-toolchain.toml only under the name stable.
PINNED := $(shell sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
ifeq ($(shell cargo --version 2>/dev/null),)
  ifneq ($(findstring cargo $(PINNED) ,$(shell RUSTUP_TOOLCHAIN=stable cargo --version 2>/dev/null)),)
    export RUSTUP_TOOLCHAIN := stable
  endif
endif

SEEDS ?= 10000
FROM ?= 1
TRACE ?= 0
DURABLE ?= 0

# Cargo chooses the features of a crate by the packages that are selected and by whether tests are among the targets. So
# every native build in the debug profile selects the whole workspace and at least one test, and picks what it needs by
# target: one set of features, each crate compiled once for tests, stories, servers and soaks (2,245 units were 1,838).
WORKSPACE := --locked --workspace
BINARIES := cargo build $(WORKSPACE) --test tidy
WASM := --locked -p causeway-web --target wasm32-unknown-unknown
WASM_TESTS := --test browser --test dedicated_worker --test service_worker
STEP := tests/toolchain/step
LOOK := tests/toolchain/preflight

.PHONY: help run test test-full bench bench-pairs build check hooks setup-run setup-check setup-test look-run \
  look-test look-bench \
  format clippy clippy-wasm deny tidy docs scripts fuzz-builds simulate simulate-mutants test-native test-wasm test-e2e \
  test-independent soak soak-push soak-mutants size

help: ## what each target does
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: look-run setup-run ## build everything, start sandbox, partner server and client; Ctrl-C stops all; PORT_BASE=9000: other ports
	@tests/toolchain/run

test: look-test setup-test ## everything that must pass before a change lands, formatting and size included
	@tests/toolchain/test

test-full: look-test setup-test ## what make test leaves out, for hours: all seeds, mutants, soaks, load (docs/TEST-FULL.md); ONLY=part
	@tests/toolchain/test-full

bench: look-bench setup-test build ## one table of figures, each next to its limit or peer; target/bench/results.json; ONLY=part
	@node benches/run.mjs

bench-pairs: look-bench setup-test build ## this build and another clone's in turn: BASE=../older PAIRS=5 ONLY=part (docs/BENCH.md)
	@node benches/pairs.mjs

build: setup-run ## the client as a browser gets it (dist/), optimised and with its size checked
	@$(STEP) "client, as released" trunk build --release --color never
	@$(STEP) "size against the budget" node tests/toolchain/size.mjs --check

check: setup-check format scripts deny tidy clippy clippy-wasm docs ## formatting, lints, layering, licences, documentation; no test

hooks: ## runs make check before each commit in this clone (git's core.hooksPath)
	@git config core.hooksPath tests/toolchain/hooks
	@echo "make check runs before each commit; git commit --no-verify leaves it out once"

format:
	@$(STEP) "formatting" tests/toolchain/format
# Tests with `test = false`, which need a browser or a package from npm, are not among --all-targets.
clippy:
	@$(STEP) "clippy, native" cargo clippy $(WORKSPACE) --all-targets -- -D warnings
	@$(STEP) "clippy, stories" cargo clippy $(WORKSPACE) --test stories --test independent -- -D warnings
clippy-wasm:
	@$(STEP) "clippy, wasm32" cargo clippy $(WASM) --all-targets -- -D warnings
	@$(STEP) "clippy, wasm32, tests" cargo clippy $(WASM) $(WASM_TESTS) -- -D warnings
deny:
	@$(STEP) "licences, sources, banned crates" tests/toolchain/deny
tidy:
	@$(STEP) "layering and rules of the sources" cargo test $(WORKSPACE) -q --test tidy
docs:
	@RUSTDOCFLAGS="-D warnings" $(STEP) "documentation" cargo doc $(WORKSPACE) --no-deps --lib --examples
	@RUSTDOCFLAGS="-D warnings" $(STEP) "documentation, wasm32" cargo doc $(WASM) --no-deps --lib --examples
scripts: ## JavaScript, style sheets, shell scripts, spelling
	@$(STEP) "JavaScript, styles, shell, spelling" tests/toolchain/scripts

# Outside the workspace but with its lock file, so that nothing is built in two versions and no second lock can go stale.
fuzz-builds:
	@cp Cargo.lock tests/fuzz/Cargo.lock
	@$(STEP) "fuzz targets compile" cargo check --manifest-path tests/fuzz/Cargo.toml

test-native: ## unit, property, conversation and fuzz tests and the documentation's examples, without a browser
	@$(STEP) "tests, native, building" cargo test $(WORKSPACE) --tests --no-run
	@$(STEP) "tests, native" cargo test $(WORKSPACE) --tests
	@$(STEP) "tests, examples in the documentation" cargo test $(WORKSPACE) --doc
simulate: ## all faults under one seed: SEEDS=10000 FROM=1; TRACE=1 prints each step (docs/SIMULATION.md)
	@cargo test --locked -q --profile simulate -p causeway --test simulate -- --seeds $(SEEDS) --from $(FROM) \
	  $(if $(CRASH),--crash $(CRASH) --durable $(DURABLE)) $(if $(filter 1,$(TRACE)),--trace)
simulate-mutants: ## applies known mistakes to a copy of the sources; the simulator must fail on each
	@tests/simulate/mutants/run
test-wasm: setup-test ## the core's vectors, the store and the sockets on wasm: three engines, three contexts
	@tests/toolchain/browsers
tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	@$(STEP) "npm packages of tests/$*" npm ci --silent --ignore-scripts --prefix tests/$*
	@touch $@
test-e2e: setup-test build tests/e2e/node_modules/.package-lock.json tests/independent/node_modules/.package-lock.json ## real browsers, real servers, the client as released
	@$(STEP) "end to end" cargo test $(WORKSPACE) --test stories
soak: setup-test build ## RUNS=n FROM=seed: real Chromium, killed at seeded moments; nothing is lost, doubled or out of order
	@$(STEP) "soak, building" $(BINARIES) --bin soak --bin soak-push
	@$(STEP) "soak" $(CARGO_TARGET_DIR)/debug/soak
soak-push: setup-test build ## PUSHES=n: pushes for a closed app, its service worker killed at seeded moments; none is silent
	@$(STEP) "soak of pushes, building" $(BINARIES) --bin soak --bin soak-push
	@$(STEP) "soak of pushes" $(CARGO_TARGET_DIR)/debug/soak-push
soak-mutants: setup-test ## the same with a client that acknowledges, or sends, before it commits: the soak must fail
	@$(STEP) "soak, building" $(BINARIES) --bin soak --bin soak-push
	@$(STEP) "soak against broken clients" tests/soak/mutants
test-independent: setup-run tests/independent/node_modules/.package-lock.json ## a WhatsApp client library that is not ours, against the sandbox
	@$(STEP) "independent client" cargo test $(WORKSPACE) --test independent
size: ## what a visitor downloads, file by file
	@node tests/toolchain/size.mjs

# What takes minutes looks first: disk space in GiB, and the tools that nothing installs.
look-run:
	@$(LOOK) "make run" 5
look-test:
	@$(LOOK) "make test" 12
look-bench:
	@$(LOOK) "make bench" 12
setup-run setup-check setup-test:
	@tests/toolchain/setup $(@:setup-%=%)
