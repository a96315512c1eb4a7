#!/bin/sh
# Builds lakectl from its Go module and runs it against a started server: tests/clients/lakectl/run.sh
# Needs Go and the `braid` binary: BRAID, or the one in the target folder. Without Go nothing is run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
BRAID=${BRAID:-$target/debug/braid}
[ -x "$BRAID" ] || { echo "there is no '$BRAID': cargo build -p braid makes it" >&2; exit 1; }
command -v go >/dev/null 2>&1 || { echo "lakectl is not tried: there is no 'go' to build it with"; exit 0; }

lakectl=$(dirname "$("$here/../build.sh" lakectl)")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
"$BRAID" up --data "$work/data" --grpc 127.0.0.1:0 --http 127.0.0.1:0 >"$work/up" 2>"$work/log" &
server=$!
until grep -q BRAID_SECRET_ACCESS_KEY "$work/up"; do
    kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
export LAKECTL_SERVER_ENDPOINT_URL="$(sed -n 's/^ *HTTP *//p' "$work/up")/api/v1"
export LAKECTL_CREDENTIALS_ACCESS_KEY_ID="$(sed -n 's/.*BRAID_ACCESS_KEY_ID=//p' "$work/up")"
export LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY="$(sed -n 's/.*BRAID_SECRET_ACCESS_KEY=//p' "$work/up")"
export HOME="$work" PATH="$lakectl:$PATH"
cd "$work"
. "$here/commands.sh"
