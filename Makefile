# People and CI run the same targets. `make verify` only reads, `make fix` only writes.

.PHONY: help verify fix test test-referee test-faults test-histories test-interop test-clients test-clients-lakefs test-clients-s3 bench bench-tree bench-txn fuzz soak demo test-clients-lakectl bench-gateway

help:
	@echo "make verify         format, lints, tests and docs: reads only"
	@echo "make fix            formats and applies lint suggestions: writes only"
	@echo "make test           all tests; needs Rust and a C compiler only"
	@echo "make test-referee   RocksDB's tools and lakeFS's reader on range files, lakeFS's server on repositories; needs the sample files and Go"
	@echo "make test-faults    500 runs of transfers on a cluster under random faults; needs Rust and a C compiler only"
	@echo "make test-histories 200 runs of clients of two nodes that die, under random faults: one order must explain all answers"
	@echo "make test-interop   the TiKV client and its test server against the published client crate"
	@echo "make test-clients   lakeFS's own Python clients and S3 clients against a started server; needs Python, its package index and apt"
	@echo "make test-clients-lakefs  lakeFS's Python clients alone"
	@echo "make test-clients-lakectl  lakeFS's command line, built from its Go module; nothing without Go"
	@echo "make test-clients-s3  the S3 clients alone, and memory; MIB=10 FILES=100 LARGE_MIB=64 makes a short run"
	@echo "make bench          benchmarks; one 'figure NAME VALUE UNIT' a line"
	@echo "make bench-gateway  benchmarks of the REST and S3 APIs beside gRPC and beside an HTTP handler that does nothing"
	@echo "make bench-tree     benchmarks of trees of 10,000,000 entries; ENTRIES=1000000 makes a short run"
	@echo "make bench-txn      benchmarks of transactions on both backends, on a lake of 1,000,000 entries; ENTRIES=100000 makes a short run"
	@echo "make fuzz           fuzzes what reads stored bytes, for SECONDS=60 in all; needs Rust and a C++ compiler"
	@echo "make soak           random faults in the middle of transfers and of work on a lake, SEEDS=1000 runs of each; FIRST_SEED=n SEEDS=1 does one again"
	@echo "make demo           the main job, end to end, on this checkout's own files"

verify:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(MAKE) test
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

fix:
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	cargo fmt --all

test:
	cargo test --workspace

test-referee:
	tests/referee/run.sh

test-faults:
	SEEDS=$${SEEDS:-500} cargo test -p braid-tikv --lib bank -- --nocapture

test-histories:
	SEEDS=$${SEEDS:-200} cargo test -p braid-tests --lib histories::every -- --nocapture --test-threads 1

INTEROP_TARGET = $(or $(CARGO_TARGET_DIR),$(HOME)/.cache/braid-target)/interop

test-interop:
	CARGO_TARGET_DIR=$(INTEROP_TARGET) cargo test --locked --manifest-path tests/tikv-interop/Cargo.toml

test-clients-s3:
	tests/clients/s3/run.sh

test-clients: test-clients-lakefs test-clients-lakectl test-clients-s3

test-clients-lakefs:
	cargo build -p braid
	tests/clients/run.sh

test-clients-lakectl:
	cargo build -p braid
	tests/clients/lakectl/run.sh

bench:
	ENTRIES=$${ENTRIES:-1000000} cargo bench -p braid-benches

bench-gateway:
	cargo bench -p braid-benches -- gateway

bench-tree:
	cargo bench -p braid-benches --no-default-features -- tree

bench-txn:
	cargo bench -p braid-benches -- txn

SECONDS ?= 60

fuzz:
	fuzz/run.sh $(SECONDS)

soak:
	SEEDS=$${SEEDS:-1000} cargo test --release -p braid-tikv --lib bank -- --nocapture
	SEEDS=$${SEEDS:-1000} cargo test --release -p braid-tests --lib histories::every -- --nocapture --test-threads 1

demo:
	cargo run --release -- demo
