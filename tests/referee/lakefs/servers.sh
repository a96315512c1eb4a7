# The servers of run.sh, which reads this: an object store that speaks S3, Braid, and lakeFS. All listen on free ports of loopback, write
# below $work, and are put into the array `servers`.

# start NAME COMMAND…: in the background, with its output in files of that name.
start() {
    local name=$1
    shift
    : >"$work/$name.out"
    "$@" >"$work/$name.out" 2>"$work/$name.log" &
    servers+=($!)
}

# until_says NAME TEXT: waits for a started server to print it.
until_says() {
    until grep -q "$2" "$work/$1.out"; do
        kill -0 "${servers[-1]}" 2>/dev/null || fail "$1 ended: $(tail -n 5 "$work/$1.log")"
        sleep 0.1
    done
}

# field NAME TEXT: what follows the text in a server's output.
field() {
    sed -n "s/^.*$2 *//p" "$work/$1.out"
}

start_store() {
    start store "$BRAID" store --data "$work/store" --http 127.0.0.1:0
    until_says store AWS_SECRET_ACCESS_KEY
    store=$(field store HTTP)
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    AWS_ACCESS_KEY_ID=$(field store AWS_ACCESS_KEY_ID=)
    AWS_SECRET_ACCESS_KEY=$(field store AWS_SECRET_ACCESS_KEY=)
}

start_braid() {
    start braid "$BRAID" up --data "$work/braid" --grpc 127.0.0.1:0 --http 127.0.0.1:0 \
        --storage s3://braid.local/braid --s3-endpoint "$store"
    until_says braid BRAID_SECRET_ACCESS_KEY
    export BRAID_ENDPOINT BRAID_ACCESS_KEY_ID BRAID_SECRET_ACCESS_KEY
    BRAID_ENDPOINT=$(field braid BRAID_ENDPOINT=)
    BRAID_ACCESS_KEY_ID=$(field braid BRAID_ACCESS_KEY_ID=)
    BRAID_SECRET_ACCESS_KEY=$(field braid BRAID_SECRET_ACCESS_KEY=)
    braid_api=$(field braid HTTP)/api/v1
}

# The port that a process listens on; lakeFS does not say which one it was given.
port_of() {
    local sockets address
    sockets=$(find "/proc/$1/fd" -lname 'socket:*' -printf '%l ' 2>/dev/null | tr -dc '0-9 ')
    address=$(awk -v sockets="$sockets" 'BEGIN { split(sockets, list, " "); for (i in list) own[list[i]] }
        $4 == "0A" && $10 in own { print $2 }' /proc/net/tcp)
    [ -z "$address" ] || echo $((16#${address#*:}))
}

# start_lakefs NAME BLOCKSTORE: with storage of that kind; lakectl talks to it from then on.
start_lakefs() {
    local name=$1 config=$work/$1.yaml port=
    export LAKECTL_CREDENTIALS_ACCESS_KEY_ID=AKIAJLAKEFSREFEREEQQ LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY=referee
    cat >"$config" <<END_OF_CONFIG
listen_address: 127.0.0.1:0
database: {type: local, local: {path: $work/$name/kv}}
blockstore: $2
committed: {local_cache: {dir: $work/$name/cache}, permanent: {range_raggedness_entries: 50}}
auth: {encrypt: {secret_key: referee}}
stats: {enabled: false}
usage_report: {enabled: false}
security: {check_latest_version: false, audit_check_url: "http://127.0.0.1:9/"}
END_OF_CONFIG
    "$lakefs" --config "$config" setup --user-name admin --access-key-id "$LAKECTL_CREDENTIALS_ACCESS_KEY_ID" \
        --secret-access-key "$LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY" >"$work/setup.log" 2>&1 || fail "$(tail -n 5 "$work/setup.log")"
    start "$name" "$lakefs" --config "$config" run
    until [ -n "$port" ]; do
        kill -0 "${servers[-1]}" 2>/dev/null || fail "$name ended: $(tail -n 5 "$work/$name.log")"
        sleep 0.1
        port=$(port_of "${servers[-1]}")
    done
    export LAKECTL_SERVER_ENDPOINT_URL=http://127.0.0.1:$port/api/v1
}
