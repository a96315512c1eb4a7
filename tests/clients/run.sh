#!/bin/sh
# Runs lakeFS's own clients against a started server: tests/clients/run.sh [PYTEST OPTION…]
# Needs Python with venv and pip, and the `braid` binary: BRAID, or the one in the target folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
BRAID=${BRAID:-$target/debug/braid}
export BRAID
[ -x "$BRAID" ] || { echo "there is no '$BRAID': cargo build -p braid makes it" >&2; exit 1; }
envs=${BRAID_CLIENT_ENVS:-$target/client-envs}

# Each version of the generated client in an environment of its own.
for sdk in ${LAKEFS_SDKS:-1.86.0 1.88.0}; do
    env="$envs/lakefs-sdk-$sdk"
    if [ ! -e "$env/ready" ]; then
        rm -rf "$env"
        python3 -m venv "$env"
        "$env/bin/pip" install --quiet --disable-pip-version-check \
            "lakefs-sdk==$sdk" -r "$here/lakefs/requirements.txt"
        touch "$env/ready"
    fi
    echo "== lakefs 0.16.0 with lakefs-sdk $sdk"
    "$env/bin/python" -m pytest -q -p no:cacheprovider "$here/lakefs" "$@"
done

# What makes requests from the description wants other versions of libraries than the clients do.
env="$envs/schemathesis"
if [ ! -e "$env/ready" ]; then
    rm -rf "$env"
    python3 -m venv "$env"
    "$env/bin/pip" install --quiet --disable-pip-version-check schemathesis lakefs==0.16.0 lakefs-sdk==1.88.0 pytest
    touch "$env/ready"
fi
echo "== schemathesis"
"$env/bin/python" -m pytest -q -p no:cacheprovider "$here/lakefs/test_description.py" "$@"
