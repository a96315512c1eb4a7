#!/usr/bin/env bash
# Runs the S3 API's tests with clients as they are published: boto3, awscli, s3cmd, s3fs, pyarrow and DuckDB from PyPI,
# rclone from Debian. Needs Python 3.10 or newer and apt; installs nothing but into CACHE. The program under test is
# BRAID, or is built. MIB and FILES make a smaller run; LARGE_MIB=5120 moves five GiB by each API, for which the temporary
# folder must have room.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=${CACHE:-$HOME/.cache/braid-clients/s3}
mkdir -p "$cache"

if [ -z "${BRAID:-}" ]; then
    cargo build --manifest-path "$root/Cargo.toml" -p braid
    BRAID=${CARGO_TARGET_DIR:-$root/target}/debug/braid
fi
export BRAID

if ! cmp -s "$here/requirements.txt" "$cache/installed.txt"; then
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$cache/installed.txt"
fi
if [ ! -x "$cache/rclone/usr/bin/rclone" ] && command -v apt-get > /dev/null; then
    (cd "$cache" && apt-get download rclone && dpkg -x rclone_*.deb rclone) ||
        echo "rclone cannot be had: its tests are left out" >&2
fi
export PATH="$cache/venv/bin:$cache/rclone/usr/bin:$PATH"
exec "$cache/venv/bin/python" -m pytest -p no:cacheprovider "$here" "$@"
