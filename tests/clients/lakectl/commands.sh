# What lakectl does, and what comes of it. Read by run.sh, in a folder of its own, with a server and keys in the environment.
passed=0

# runs TEXT COMMAND…: the command succeeds and says TEXT somewhere.
runs() {
    text=$1
    shift
    if ! said=$("$@" 2>&1) || ! printf '%s\n' "$said" | grep -qF -- "$text"; then
        printf "'%s' does not say '%s' but:\n%s\n" "$*" "$text" "$said" >&2
        exit 1
    fi
    passed=$((passed + 1))
}

# fails TEXT COMMAND…: the command fails and says TEXT somewhere.
fails() {
    text=$1
    shift
    if said=$("$@" 2>&1) || ! printf '%s\n' "$said" | grep -qF -- "$text"; then
        printf "'%s' does not fail with '%s' but says:\n%s\n" "$*" "$text" "$said" >&2
        exit 1
    fi
    passed=$((passed + 1))
}

runs 'Valid configuration' lakectl doctor
runs 'User ID:          admin' lakectl identity

runs "Repository 'lake' created" lakectl repo create lakefs://lake s3://braid.local/lake
fails 'not unique' lakectl repo create lakefs://lake s3://braid.local/other
runs 's3://braid.local/lake' lakectl repo list

echo hello >hello
runs 'Path: dir/hello' lakectl fs upload --pre-sign=false -s hello lakefs://lake/main/dir/hello
runs 'Path: dir/signed' lakectl fs upload --pre-sign=true -s hello lakefs://lake/main/dir/signed
runs 'common_prefix' lakectl fs ls lakefs://lake/main/
runs 'dir/signed' lakectl fs ls -r lakefs://lake/main/
runs 'Size: 6 bytes' lakectl fs stat lakefs://lake/main/dir/hello
runs 'hello' lakectl fs cat lakefs://lake/main/dir/signed
fails '404' lakectl fs stat lakefs://lake/main/absent

runs '+ added dir/hello' lakectl diff lakefs://lake/main
runs 'Commit for branch "main" completed' lakectl commit lakefs://lake/main -m first --meta k=v
fails 'no changes' lakectl commit lakefs://lake/main -m second
runs 'k                  = v' lakectl log lakefs://lake/main
runs 'Repository created' lakectl log lakefs://lake/main
runs 'first' lakectl annotate lakefs://lake/main/dir/hello

runs "created branch 'side'" lakectl branch create lakefs://lake/side -s lakefs://lake/main
runs 'side' lakectl branch list lakefs://lake
runs 'Path: more' lakectl fs upload -s hello lakefs://lake/side/more
runs 'Commit for branch "side" completed' lakectl commit lakefs://lake/side -m more
runs '+ added more' lakectl diff lakefs://lake/main lakefs://lake/side
runs 'Merged "side" into "main"' lakectl merge lakefs://lake/side lakefs://lake/main
fails 'no changes' lakectl merge lakefs://lake/side lakefs://lake/main
runs 'Found base' lakectl find-merge-base lakefs://lake/side lakefs://lake/main
runs 'successfully reverted' lakectl branch revert -y --parent-number 1 lakefs://lake/main main
fails '404' lakectl fs stat lakefs://lake/main/more
runs 'Message: more' lakectl cherry-pick lakefs://lake/side lakefs://lake/main

echo ours >hello
runs 'Path: more' lakectl fs upload -s hello lakefs://lake/main/more
runs 'completed' lakectl commit lakefs://lake/main -m ours
echo theirs >hello
runs 'Path: more' lakectl fs upload -s hello lakefs://lake/side/more
runs 'completed' lakectl commit lakefs://lake/side -m theirs
fails 'onflict' lakectl merge lakefs://lake/side lakefs://lake/main
runs 'Merged' lakectl merge --strategy source-wins lakefs://lake/side lakefs://lake/main
runs 'theirs' lakectl fs cat lakefs://lake/main/more

runs "Created tag 'v1'" lakectl tag create lakefs://lake/v1 lakefs://lake/main
fails 'not unique' lakectl tag create lakefs://lake/v1 lakefs://lake/side
runs 'v1' lakectl tag list lakefs://lake
runs '' lakectl tag delete -y lakefs://lake/v1

runs '' lakectl fs rm lakefs://lake/main/more
fails '404' lakectl fs stat lakefs://lake/main/more
runs 'Branch: lakefs://lake/main' lakectl branch reset -y lakefs://lake/main
runs 'theirs' lakectl fs cat lakefs://lake/main/more

# A folder there and back; the large file goes in parts.
mkdir -p folder/below
for name in 1 2 3; do echo "$name" >"folder/below/$name"; done
head -c 12000000 /dev/urandom >folder/large
runs 'upload large' lakectl fs upload -r -s folder/ lakefs://lake/main/folder/
runs 'download large' lakectl fs download -r lakefs://lake/main/folder/ back
diff -r folder back
runs '' lakectl fs rm -r lakefs://lake/main/folder/below/
runs 'folder/large' lakectl fs ls -r lakefs://lake/main/
address=$(lakectl fs stat --pre-sign=false lakefs://lake/main/folder/large | sed -n 's/^Physical Address: //p')
runs "Repository 'second' created" lakectl repo create lakefs://second s3://braid.local/second
runs 'Size: 12000000 bytes' lakectl fs stage --checksum c --size 12000000 --location "$address" lakefs://second/main/large
lakectl fs cat lakefs://second/main/large | cmp - folder/large
fails 'outside' lakectl fs stage --checksum c --size 12000000 --location "$address" lakefs://lake/main/again

runs '' lakectl branch-protect add lakefs://lake 'main'
runs 'main' lakectl branch-protect list lakefs://lake
fails 'protected branch' lakectl commit lakefs://lake/main -m no
runs '' lakectl branch-protect delete lakefs://lake 'main'
echo '{"default_retention_days": 7, "branches": []}' >rules
runs '' lakectl gc set-config lakefs://lake -f rules
runs 'Default Retention Days: 7' lakectl gc get-config lakefs://lake
runs 'commits_meta_range_id' lakectl refs-dump lakefs://lake
runs 'admin' lakectl auth users list
fails 'not kept' lakectl usage summary
fails '501' lakectl actions runs list lakefs://lake

runs '' lakectl branch delete -y lakefs://lake/side
runs "Repository 'lake' deleted" lakectl repo delete -y lakefs://lake
echo "$passed passed, 0 failed"
