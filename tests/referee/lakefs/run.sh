#!/usr/bin/env bash
# Has lakeFS's own server open what Braid wrote, and Braid what lakeFS wrote. Both run over one object store, as they would over S3:
#   1. lakeFS makes a repository and dumps it; Braid opens it where it is, goes on with it, and dumps it; lakeFS opens that, goes on
#      with it, and Braid opens it once more;
#   2. Braid makes a repository and dumps it; lakeFS opens it, and goes on with it;
#   3. Braid opens what lakeFS kept in a folder, once its files are in a bucket.
# Each time both tell the same: ids, history, differences, every object. A damaged dump must be refused, and a repository that went on
# must be told from one that did not, so that this run can fail.
#
# Needs Go, Python, curl, and the `braid` binary: BRAID, or the one in the target folder.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
BRAID=${BRAID:-${CARGO_TARGET_DIR:-$root/target}/debug/braid}
FILES=${FILES:-2000}
work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

fail() {
    echo "referee: $*" >&2
    exit 1
}

. "$here/servers.sh"

# A command of lakeFS, or of Braid; what it says is shown if it fails.
theirs() {
    HOME=$work "$lakectl" "$@" >"$work/said" 2>&1 || fail "lakectl $*: $(cat "$work/said")"
}
ours() {
    "$BRAID" "$@" >"$work/said" 2>&1 || fail "braid $*: $(cat "$work/said")"
}

# said_id: the first id of a commit in what the last command said.
said_id() {
    grep -oE '\b[0-9a-f]{64}\b' "$work/said" | head -n 1
}

# s3 METHOD KEY FILE: moves an object of the store, past lakeFS and Braid.
s3() {
    local way=(--output "$3")
    [ "$1" = GET ] || way=(--upload-file "$3" --output /dev/null)
    curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "${way[@]}" "$store/braid.local/$2"
}

# Do both tell the same of a repository? agree WHAT BRAID'S LAKEFS'S [REF…]
agree() {
    local what=$1 braids=$2 lakefss=$3
    shift 3
    python3 "$here/state.py" "$LAKECTL_SERVER_ENDPOINT_URL" "$lakefss" "$@" >"$work/theirs"
    LAKECTL_CREDENTIALS_ACCESS_KEY_ID=$BRAID_ACCESS_KEY_ID LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY=$BRAID_SECRET_ACCESS_KEY \
        python3 "$here/state.py" "$braid_api" "$braids" "$@" >"$work/ours"
    diff "$work/theirs" "$work/ours" >"$work/differences" ||
        fail "$what: Braid (>) tells another thing than lakeFS (<): $(head -c 2000 "$work/differences")"
    echo "$what: $(awk '{ found[$1]++ } END {
        printf "%d commits, %d branches, %d tags, %d objects, %d differences", found["commit"], found["branch"], found["tag"],
            found["object"], found["change"] }' "$work/ours"), the same in both"
}

make_files() {
    local number
    for number in $(seq "$FILES"); do
        mkdir -p "$work/files/$((number % 40))"
        echo "content $number" >"$work/files/$((number % 40))/$number.csv"
    done
    head -c 6000000 /dev/urandom >"$work/files/large"
    echo 'another content' >"$work/other"
}

lakefs_makes_a_repository() {
    s3 PUT outside/1 "$work/other"
    s3 PUT outside/2 "$work/other"
    theirs repo create lakefs://lake s3://braid.local/lake
    theirs fs upload -r -s "$work/files/" lakefs://lake/main/files/
    theirs commit lakefs://lake/main -m 'Files' --meta k=v --meta 'größe=1 GiB'
    theirs tag create lakefs://lake/v1.0 lakefs://lake/main
    theirs branch create lakefs://lake/side -s lakefs://lake/main
    theirs branch create lakefs://lake/gone -s lakefs://lake/main
    theirs fs upload -s "$work/other" 'lakefs://lake/main/ödd name/50%25+1 & %232%3F.csv'
    theirs fs upload -s "$work/other" --content-type text/csv lakefs://lake/main/files/1/1.csv
    theirs fs stage --location s3://braid.local/outside/1 --size 16 --checksum abc --meta a=b,c= --mtime 1 lakefs://lake/main/staged
    theirs commit lakefs://lake/main -m $'Several lines\n\nof a message'
    theirs import --no-progress --from s3://braid.local/outside/ --to lakefs://lake/main/imported/ -m 'Import'
    theirs fs rm -r lakefs://lake/side/files/7/
    theirs fs upload -s "$work/other" lakefs://lake/side/files/2/2.csv
    theirs commit lakefs://lake/side -m 'Side' --epoch-time-seconds 1
    theirs merge lakefs://lake/side lakefs://lake/main -m 'Merge' --meta merged=yes
    theirs fs upload -s "$work/other" lakefs://lake/gone/gone
    theirs commit lakefs://lake/gone -m 'Gone'
    gone=$(said_id)
    theirs cherry-pick lakefs://lake/gone lakefs://lake/side
    theirs merge --squash lakefs://lake/gone lakefs://lake/side
    theirs branch delete -y lakefs://lake/gone
    theirs branch revert -y --parent-number 1 --allow-empty-commit lakefs://lake/side side
    theirs fs upload -s "$work/other" lakefs://lake/side/uncommitted
    theirs_dumps lake
    theirs branch reset -y lakefs://lake/side
}

braid_goes_on() {
    local repository=$1
    ours branch create "braid://$repository/braids" --from main
    ours put "$work/other" "braid://$repository/braids/files/3/3.csv"
    ours rm -r --yes "braid://$repository/braids/files/5/"
    ours mv "braid://$repository/braids/files/4/" "braid://$repository/braids/moved/"
    ours commit "braid://$repository/braids" -m 'By Braid'
    ours put "$work/other" "braid://$repository/main/on-main"
    ours commit "braid://$repository/main" -m 'On main' --meta by=braid
    ours merge "braid://$repository/braids" main
    ours tag create "braid://$repository/by-braid" main
}

lakefs_goes_on() {
    local repository=$1
    theirs branch create "lakefs://$repository/lakefss" -s "lakefs://$repository/main"
    theirs fs upload -s "$work/other" "lakefs://$repository/lakefss/files/8/8.csv"
    theirs fs rm -r "lakefs://$repository/lakefss/files/9/"
    theirs commit "lakefs://$repository/lakefss" -m 'By lakeFS'
    theirs fs upload -s "$work/other" "lakefs://$repository/main/files/10/10.csv"
    theirs commit "lakefs://$repository/main" -m 'On main'
    theirs merge "lakefs://$repository/lakefss" "lakefs://$repository/main"
    theirs tag create "lakefs://$repository/by-lakefs" "lakefs://$repository/main"
}

# theirs_dumps REPOSITORY: lakeFS prints the manifest of its dump, and does not store it.
theirs_dumps() {
    theirs refs-dump "lakefs://$1" --poll-interval 1s
    cp "$work/said" "$work/manifest"
}

# ours_dumps REPOSITORY
ours_dumps() {
    ours dump "$1" -o json
    cp "$work/said" "$work/manifest"
}

# braid_opens REPOSITORY NAMESPACE: what was dumped last.
braid_opens() {
    ours restore "$1" --storage-namespace "s3://braid.local/$2" --take-over --manifest "$work/manifest"
}

# lakefs_opens REPOSITORY NAMESPACE
lakefs_opens() {
    theirs repo create-bare "lakefs://$1" "s3://braid.local/$2"
    theirs refs-restore "lakefs://$1" --manifest "$work/manifest" --poll-interval 1s
}

# What is read from Braid is what was put into lakeFS.
braid_reads() {
    ours get "braid://$1/v1.0/files/" "$work/read-by-braid"
    diff -r "$work/files" "$work/read-by-braid"
    ours cat "braid://$1/main/imported/2"
    cmp "$work/said" "$work/other"
    ours fsck "braid://$1" --history
}

from_lakefs_and_back() {
    lakefs_makes_a_repository
    braid_opens lake lake
    agree 'of lakeFS, opened by Braid' lake lake "$gone"
    braid_reads lake
    braid_goes_on lake
    ! (agree '' lake lake) 2>/dev/null || fail "a repository that went on is not told from one that did not"
    theirs repo delete -y lakefs://lake
    ours_dumps lake
    lakefs_opens back lake
    agree 'and changed by Braid, opened by lakeFS' lake back "$gone"
    lakefs_goes_on back
    theirs_dumps back
    ours repo delete lake --yes
    braid_opens lake lake
    agree 'and changed by lakeFS, opened by Braid once more' lake back "$gone"
    ours fsck lake --history
}

braid_makes_a_repository() {
    ours repo create ours --storage-namespace s3://braid.local/ours
    ours put "$work/files" braid://ours/main/files/
    ours commit braid://ours/main -m 'Files' --meta k=v --meta 'größe=1 GiB'
    ours tag create braid://ours/v1.0 main
    braid_goes_on ours
    ours revert braid://ours/main 'main~1'
}

from_braid() {
    braid_makes_a_repository
    ours_dumps ours
    lakefs_opens theirs ours
    agree 'of Braid, opened by lakeFS' ours theirs
    theirs fs download -r lakefs://theirs/v1.0/files/ "$work/read-by-lakefs"
    diff -r "$work/files" "$work/read-by-lakefs"
    lakefs_goes_on theirs
}

# With nothing but the first commit, and no tag.
empty_ones() {
    theirs repo create lakefs://their-empty s3://braid.local/their-empty
    theirs_dumps their-empty
    braid_opens their-empty their-empty
    agree 'empty, of lakeFS, opened by Braid' their-empty their-empty
    ours repo create our-empty --storage-namespace s3://braid.local/our-empty
    ours_dumps our-empty
    lakefs_opens our-empty our-empty
    agree 'empty, of Braid, opened by lakeFS' our-empty our-empty
}

# A bit of a dump's commits is flipped, where the store has them.
damage_is_refused() {
    local id key byte
    ours_dumps ours
    id=$(grep -oE '"commits_meta_range_id": ?"\w+' "$work/manifest" | grep -oE '[0-9a-f]{64}')
    key=ours/_lakefs/$id
    s3 GET "$key" "$work/damaged"
    byte=$(od -An -tu1 -j40 -N1 "$work/damaged")
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$work/damaged" bs=1 seek=40 conv=notrunc status=none
    s3 PUT "$key" "$work/damaged"
    ours repo delete ours --yes
    ! (braid_opens ours ours) 2>"$work/refusal" || fail "Braid restores a damaged dump"
    grep -q "$id" "$work/refusal" || fail "Braid does not name the damaged file but says $(cat "$work/refusal")"
    echo "a damaged dump is refused"
}

# lakeFS keeps a repository's storage in a folder, whose files are objects once they are copied to a bucket.
from_a_folder() {
    local key head
    start_lakefs local "{type: local, local: {path: $work/blocks}}"
    theirs repo create lakefs://folder local://folder
    theirs fs upload -r -s "$work/files/1/" lakefs://folder/main/files/
    theirs commit lakefs://folder/main -m 'Files'
    head=$(said_id)
    theirs_dumps folder
    (cd "$work/blocks" && find folder -type f) | while read -r key; do s3 PUT "$key" "$work/blocks/$key"; done
    braid_opens folder folder
    ours get "braid://folder/$head/files/" "$work/read-from-folder"
    diff -r "$work/files/1" "$work/read-from-folder"
    echo "of lakeFS in a folder, copied to a bucket and opened by Braid: every file read"
}

[ -x "$BRAID" ] || fail "there is no '$BRAID': cargo build -p braid makes it"
lakefs=$("$root/tests/clients/build.sh" lakefs)
lakectl=$("$root/tests/clients/build.sh" lakectl)
start_store
start_braid
start_lakefs lakefs "{type: s3, s3: {endpoint: '$store', force_path_style: true, discover_bucket_region: false,
  credentials: {access_key_id: $AWS_ACCESS_KEY_ID, secret_access_key: $AWS_SECRET_ACCESS_KEY}}}"
make_files
from_lakefs_and_back
from_braid
empty_ones
damage_is_refused
from_a_folder
echo "referee: lakeFS $("$lakectl" --version | grep -oE '[0-9.]+' | head -n 1) and Braid open each other's repositories"
