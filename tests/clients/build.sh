#!/bin/sh
# Builds a command of lakeFS from its Go module, once, and says where it is: tests/clients/build.sh lakectl|lakefs
# Needs Go. LAKEFS_VERSION is the module's.
set -eu
command=$1
version=${LAKEFS_VERSION:-1.84.0}
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${BRAID_CLIENT_ENVS:-${CARGO_TARGET_DIR:-$root/target}/client-envs}/lakefs-$version

# The module is complete with its generated code, but asks for replacements, so it is built in a copy of its own.
if [ ! -x "$folder/$command" ]; then
    rm -rf "$folder/src"
    mkdir -p "$folder/src"
    printf 'module scratch\n' >"$folder/go.mod"
    module=$(cd "$folder" && GOFLAGS=-mod=mod go mod download -json "github.com/treeverse/lakefs@v$version" |
        sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    cp -r "$module/." "$folder/src"
    chmod -R u+w "$folder/src"
    flag="-s -w -X github.com/treeverse/lakefs/pkg/version.Version=$version"
    (cd "$folder/src" && CGO_ENABLED=0 go build -ldflags "$flag" -o "$folder/built" "./cmd/$command" >&2)
    rm -rf "$folder/src"
    mv "$folder/built" "$folder/$command"
fi
echo "$folder/$command"
