#!/usr/bin/env bash
# Fuzzes every target for a while: fuzz/run.sh [SECONDS [TARGET...]]. Needs Rust and a C++ compiler, and nothing of a nightly: what
# libFuzzer asks of the compiler are passes of LLVM, which stable Rust can be told to run.
#
# New inputs go to a folder below the target folder, those that break a promise to its `artifacts`; the saved corpus is only read.
# `fuzz/run.sh --save` afterwards merges them into the saved corpus, which is to stay small: its inputs are replayed by the rooms' own tests.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/braid-target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
work=$CARGO_TARGET_DIR/work
# A longer input reaches nothing that these do not; no input may take more memory than the greatest block and index, nor ten seconds.
limits=(-max_len=8192 -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=10)

build() {
    local flags=(
        --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
        -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
        -Ccodegen-units=1
    )
    # With a target named, build scripts and macros are built without the flags.
    RUSTFLAGS="${flags[*]}" cargo build -q --release --manifest-path "$project/fuzz/Cargo.toml" --target "$host"
}

targets() {
    sed -n 's/^name = "\(.*\)"$/\1/p' "$project/fuzz/Cargo.toml" | grep -v '^braid-fuzz$'
}

binary() {
    echo "$CARGO_TARGET_DIR/$host/release/$1"
}

# Fuzzes one target, and says how much of it was reached.
fuzz() {
    local target=$1 seconds=$2
    mkdir -p "$work/$target/corpus" "$work/$target/artifacts" "$project/fuzz/corpus/$target"
    if ! "$(binary "$target")" "${limits[@]}" -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="$work/$target/artifacts/" "$work/$target/corpus" "$project/fuzz/corpus/$target" \
        >"$work/$target/log" 2>&1; then
        tail -n 40 "$work/$target/log" >&2
        echo "fuzz: $target broke a promise; the input is in $work/$target/artifacts" >&2
        return 1
    fi
    echo "fuzz: $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target/log") inputs," \
        "$(grep -o 'cov: [0-9]* ft: [0-9]*' "$work/$target/log" | tail -n 1)"
}

# Keeps few and short inputs, which reach nearly all that is reached.
save() {
    local target=$1 saved=$project/fuzz/corpus/$1
    mkdir -p "$work/$target/corpus" "$saved"
    rm -rf "$work/$target/merged" "$work/$target/short"
    mkdir -p "$work/$target/merged" "$work/$target/short"
    for folder in "$saved" "$work/$target/corpus"; do
        find "$folder" -type f -size -1600c -exec cp -t "$work/$target/short" {} +
    done
    # By edges alone, not by how often each is passed: that would keep ten times as many.
    "$(binary "$target")" "${limits[@]}" -set_cover_merge=1 -use_counters=0 \
        "$work/$target/merged" "$work/$target/short" >"$work/$target/log" 2>&1
    rm -rf "$saved"
    cp -r "$work/$target/merged" "$saved"
    echo "fuzz: $target: $(find "$saved" -type f | wc -l) inputs saved, $(du -bs "$saved" | cut -f1) bytes"
}

build
if [ "${1:-}" = --save ]; then
    for target in $(targets); do save "$target"; done
    exit
fi
seconds=${1:-60}
shift || true
chosen=("$@")
[ ${#chosen[@]} -gt 0 ] || mapfile -t chosen < <(targets)
each=$((seconds / ${#chosen[@]} + 1))
for target in "${chosen[@]}"; do fuzz "$target" "$each"; done
echo "fuzz: no promise broken"
