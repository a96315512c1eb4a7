#!/usr/bin/env bash
# Has other programs read the tables that crates/sstable writes, and crates/sstable read those that others wrote:
#   1. its ignored tests, on sample files of lakeFS and RocksDB;
#   2. RocksDB's sst_dump and ldb, on our tables;
#   3. the pebble that lakeFS pins, on our tables;
#   4. lakeFS itself, on whole repositories, both ways (lakefs/run.sh).
# Damaged tables must be refused by each, so that this run can fail.
#
# BRAID_REFEREE_DATA is the folder of sample files: ../shared/data beside the project unless it is set.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
data=$(realpath -m "${BRAID_REFEREE_DATA:-$project/../shared/data}")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/braid-target}
export CGO_ENABLED=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "referee: $*" >&2
    exit 1
}

require_tools() {
    [ -d "$data/sst" ] || fail "no sample files in $data/sst: set BRAID_REFEREE_DATA to the folder that has sst/"
    command -v go >/dev/null || fail "go is not on the PATH: install Go 1.21 or later"
    command -v sst_dump >/dev/null && command -v ldb >/dev/null && command -v curl >/dev/null && return
    [ "$(id -u)" = 0 ] || fail "sst_dump, ldb or curl is missing: install the Debian packages rocksdb-tools and curl"
    apt-get update -qq
    apt-get install -y -qq rocksdb-tools curl >/dev/null
}

read_samples() {
    local tests
    tests=$(cargo test -q -p braid-sstable -p braid-tree -- --ignored --list referee_ | grep -c ': test$') ||
        fail "no tests are named referee_"
    BRAID_REFEREE_DATA=$data cargo test -q -p braid-sstable -p braid-tree -- --ignored referee_
    echo "braid-sstable, braid-tree: $tests tests on tables of lakeFS and RocksDB"
}

write_tables() {
    cargo run -q -p braid-sstable --example range_file -- "$1"
}

build_pebble() {
    go -C tests/referee/pebble build -o "$work/pebble" .
}

# Does RocksDB find every block whole? It exits with 0 even if not, and without --verify_checksum does not look.
rocksdb_verifies() {
    sst_dump --file="$1" --command=verify --verify_checksum 2>&1 | grep -q "^The file is ok"
}

# A scan stops at a bad block without a word, so its records are counted.
rocksdb_counts() {
    sst_dump --file="$1" --command=scan --verify_checksum --output_hex 2>&1 | grep -c "' seq:" || true
}

check_with_sst_dump() {
    local table expected found
    for table in "$1"/*.sst; do
        rocksdb_verifies "$table" || fail "sst_dump does not verify $(basename "$table")"
        expected=$(wc -l <"${table%.sst}.list")
        found=$(rocksdb_counts "$table")
        [ "$found" = "$expected" ] || fail "sst_dump finds $found of $expected records in $(basename "$table")"
        echo "sst_dump: $(basename "$table"): $found records"
    done
}

# Takes a table into a database, as files written elsewhere are, and looks up keys of all its parts. A wrong separator loses nothing
# but keys next to block boundaries, so some of the tables have a record a block.
check_with_ldb() {
    local table=$1 database=$work/database listing=${1%.sst}.list key value found
    rm -rf "$database"
    ldb --db="$database" --create_if_missing ingest_extern_sst "$table" >/dev/null 2>&1 ||
        fail "ldb does not take in $(basename "$table")"
    while read -r key value; do
        found=$(ldb --db="$database" --hex get "0x$key" 2>&1)
        [ "${found,,}" = "0x$value" ] || fail "ldb finds \"$found\" under $key of $(basename "$table")"
    done < <(awk -v step=$(($(wc -l <"$listing") / 40)) 'NR % step == 0' "$listing")
    echo "ldb: $(basename "$table"): records of all its parts looked up"
}

# Copies a table with one bit of its first block flipped.
damage() {
    local table=$1 folder=$2 byte
    mkdir -p "$folder"
    cp "$table" "${table%.sst}.list" "$folder/"
    byte=$(od -An -tu1 -j100 -N1 "$table")
    printf "\\x$(printf %x $((byte ^ 1)))" |
        dd of="$folder/$(basename "$table")" bs=1 seek=100 conv=notrunc status=none
}

check_that_damage_is_refused() {
    local damaged=$work/damaged
    damage "$1" "$damaged"
    ! rocksdb_verifies "$damaged/$(basename "$1")" || fail "sst_dump takes a damaged table for whole"
    ! "$work/pebble" "$damaged" >"$work/pebble.log" 2>&1 || fail "pebble takes a damaged table for whole"
    grep -q "checksum mismatch" "$work/pebble.log" || fail "pebble refuses a damaged table for $(cat "$work/pebble.log")"
    echo "a damaged table is refused by sst_dump and pebble"
}

cd "$project"
require_tools
read_samples
write_tables "$work/tables"
build_pebble
check_with_sst_dump "$work/tables"
check_with_ldb "$work/tables/record-a-block.sst"
check_with_ldb "$work/tables/zstd-record-a-block.sst"
check_with_ldb "$work/tables/zstd-content-ends.sst"
"$work/pebble" "$work/tables"
check_that_damage_is_refused "$work/tables/lakefs-like.sst"
check_that_damage_is_refused "$work/tables/zstd-content-ends.sst"
cargo build -q -p braid
tests/referee/lakefs/run.sh
echo "referee: all agree"
