# make run · make test · make bench · make check · make build · make help
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Tools live outside the clone (tests/toolchain/setup), so that a second clone finds them warm.
export CAUSEWAY_TOOLS ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/causeway
export PATH := $(CAUSEWAY_TOOLS)/bin:$(PATH)
# Trunk reads NO_COLOR as a switch of its own and stops at any value but true or false.
unexport NO_COLOR
export TRUNK_SKIP_VERSION_CHECK := true
export CARGO_TARGET_DIR ?= $(CURDIR)/target

SEEDS ?= 10000
FROM ?= 1
TRACE ?= 0
DURABLE ?= 0

WASM := --target wasm32-unknown-unknown
STEP := tests/toolchain/step

.PHONY: help run test bench build check setup-run setup-check setup-test format clippy clippy-wasm deny tidy \
  fuzz-builds simulate simulate-mutants test-native test-wasm test-e2e test-independent soak soak-push soak-mutants size

help: ## what each target does
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: setup-run ## build everything, start sandbox, partner server and client, print the address; Ctrl-C stops all
	@tests/toolchain/run

test: setup-test ## everything that must pass before a change lands, formatting and size included
	@tests/toolchain/test

bench: setup-test build ## one table of figures, each next to its limit or peer; target/bench/results.json
	@node benches/run.mjs

build: setup-run ## the client as a browser gets it (dist/), optimised and with its size checked
	@$(STEP) "client, as released" trunk build --release --color never
	@$(STEP) "size against the budget" node tests/toolchain/size.mjs --check

check: setup-check format clippy clippy-wasm deny tidy ## formatting, lints (native and wasm), layering, licences

format:
	@$(STEP) "formatting" tests/toolchain/format
clippy:
	@$(STEP) "clippy, native" cargo clippy --locked --workspace --exclude causeway-web --all-targets -- -D warnings
clippy-wasm:
	@$(STEP) "clippy, wasm32" cargo clippy --locked $(WASM) -p causeway-web --all-targets -- -D warnings
deny:
	@$(STEP) "licences, sources, banned crates" tests/toolchain/deny
tidy:
	@$(STEP) "layering and house rules" cargo test --locked -q --test tidy

# Outside the workspace but with its lock file, so that nothing is built in two versions and no second lock can go stale.
fuzz-builds:
	@cp Cargo.lock tests/fuzz/Cargo.lock
	@$(STEP) "fuzz targets compile" cargo check --manifest-path tests/fuzz/Cargo.toml

test-native: ## unit, property, conversation and fuzz tests, without a browser
	@$(STEP) "tests, native" cargo test --locked
	@$(STEP) "tests, native, of the pages" cargo test --locked -p causeway-web --lib
simulate: ## every fault there is, under one seed: SEEDS=10000 FROM=1; TRACE=1 tells the story (docs/SIMULATION.md)
	@cargo test --locked -q --profile simulate -p causeway --test simulate -- --seeds $(SEEDS) --from $(FROM) \
	  $(if $(CRASH),--crash $(CRASH) --durable $(DURABLE)) $(if $(filter 1,$(TRACE)),--trace)
simulate-mutants: ## puts known mistakes into a copy of the sources; the simulator must notice every one
	@tests/simulate/mutants/run
test-wasm: setup-test ## the core's vectors, the store and the sockets on wasm: three engines, three contexts
	@tests/toolchain/browsers
tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	@$(STEP) "npm packages of tests/$*" npm ci --silent --ignore-scripts --prefix tests/$*
	@touch $@
test-e2e: setup-test build tests/e2e/node_modules/.package-lock.json tests/independent/node_modules/.package-lock.json ## real browsers, real servers, the client as released
	@$(STEP) "servers" cargo build --locked -p causeway-partner -p causeway-gatekeeper --bins
	@$(STEP) "end to end" cargo test --locked -p causeway-e2e
soak: setup-test build ## RUNS=n FROM=seed: real Chromium, killed at seeded moments; nothing is lost, doubled or out of order
	@$(STEP) "soak, building" cargo build --locked -p causeway-soak
	@$(STEP) "soak" $(CARGO_TARGET_DIR)/debug/soak
soak-push: setup-test build ## PUSHES=n: pushes for a closed app, its service worker killed at seeded moments; none is silent
	@$(STEP) "soak of pushes, building" cargo build --locked -p causeway-soak
	@$(STEP) "soak of pushes" $(CARGO_TARGET_DIR)/debug/soak-push
soak-mutants: setup-test ## the same with a client that acknowledges, or sends, before it commits: the soak must fail
	@$(STEP) "soak, building" cargo build --locked -p causeway-soak
	@$(STEP) "soak against broken clients" tests/soak/mutants
test-independent: setup-run tests/independent/node_modules/.package-lock.json ## a WhatsApp client library that is not ours, against the sandbox
	@$(STEP) "independent client" tests/independent/run
size: ## what a visitor downloads, file by file
	@node tests/toolchain/size.mjs

setup-run setup-check setup-test:
	@tests/toolchain/setup $(@:setup-%=%)
