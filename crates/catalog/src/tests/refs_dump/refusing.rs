//! What is not dumped or restored, and how that is said.

use braid_kv::Outcome;
use braid_tree::Value;
use braid_types::RepositoryId;

use super::*;

#[tokio::test]
async fn a_repository_that_is_not_empty_is_refused_and_says_why() {
    let dump = dumped(&lake().await).await.manifest;
    for (what, says) in [
        ("staged", "branch 'main' has uncommitted changes"),
        ("committed", "there are commits on branch 'main'"),
        ("branch", "it has the branch 'side'"),
        ("tag", "it has the tag 'v1'"),
    ] {
        let lake = Lake::new().await;
        match what {
            "branch" => drop(lake.branch("side", "main").await),
            "tag" => {
                let name = TagName::new("v1").unwrap();
                lake.catalog.create_tag(&repo(), &name, &expr("main"), &lake.mutation()).await.unwrap();
            }
            _ => lake.put("main", "a", "1").await,
        }
        if what == "committed" {
            lake.commit("main").await;
        }
        let before = rows(&lake).await;
        let error = restored(&lake, request(Some(dump))).await.unwrap_err();
        assert_eq!((error.code(), error.subject()), (Code::RepositoryNotEmpty, "lake"));
        assert!(error.message().contains(says), "{error}");
        assert_eq!(rows(&lake).await, before);
    }
}

#[tokio::test]
async fn a_namespace_without_a_dump_is_named() {
    let lake = Lake::new().await;
    let error = restored(&lake, request(None)).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::DumpNotFound, "mem://lake"));
}

/// What a restore of these records says; nothing of it must be visible.
async fn refusal(
    lake: &Lake,
    commits: Vec<Record>,
    branches: Vec<Record>,
    tags: Vec<Record>,
) -> (Code, String) {
    let dump = RefsManifest {
        commits: written(lake, COMMITS, commits).await,
        branches: written(lake, BRANCHES, branches).await,
        tags: written(lake, TAGS, tags).await,
    };
    let before = seen(lake).await;
    let error = restored(lake, request(Some(dump))).await.unwrap_err();
    assert_eq!(seen(lake).await, before);
    (error.code(), error.message().to_owned())
}

#[tokio::test]
async fn records_that_cannot_be_restored_are_refused_by_file_and_name() {
    let lake = Lake::new().await;
    let first = first_commit();
    let (id, unknown) = (first.id(), CommitId::from_bytes([7; 32]));
    let commits = || vec![commit_record(&id, &first).unwrap()];
    let branches = || vec![branch_record(&branch("main"), &id)];
    let renamed = |record: Record, key: &str| Record { key: key.to_owned().into(), ..record };
    let says = |(found, message): (Code, String), code: Code, parts: &[&str]| {
        assert_eq!(found, code, "{message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };

    // Commits: another id, no generation, a wrong generation, a missing parent, another record's key, no protobuf.
    let other = Commit { message: "other".into(), ..first.clone() };
    let wrong = refusal(&lake, vec![commit_record(&id, &other).unwrap()], branches(), vec![]).await;
    says(wrong, Code::Corrupt, &["range '", &format!("record '{id}'"), &other.id().to_hex()]);
    let old = Commit { generation: 0, ..first.clone() };
    let wrong = refusal(&lake, vec![commit_record(&id, &old).unwrap()], branches(), vec![]).await;
    says(wrong, Code::InvalidDump, &["range '", &id.to_hex(), "generation is 0"]);
    for generation in [1, 3] {
        let second = Commit { generation, ..child(&first, "second") };
        let both = [commits(), vec![commit_record(&second.id(), &second).unwrap()]].concat();
        let wrong = refusal(&lake, both, branches(), vec![]).await;
        says(wrong, Code::InvalidDump, &[&second.id().to_hex(), "that of its parents is 1"]);
    }
    let orphan = child(&other, "orphan");
    let both = [commits(), vec![commit_record(&orphan.id(), &orphan).unwrap()]].concat();
    let wrong = refusal(&lake, both, branches(), vec![]).await;
    says(wrong, Code::InvalidDump, &[&orphan.id().to_hex(), "its parent", &other.id().to_hex()]);
    let wrong = refusal(&lake, vec![renamed(commits().remove(0), "00")], branches(), vec![]).await;
    says(wrong, Code::Corrupt, &["record '00'", &format!("it is of '{id}'")]);
    let nonsense = Value::framed(id.to_hex().as_bytes(), b"\xff\xff");
    let nonsense = vec![Record { key: id.to_hex().into(), value: nonsense }];
    says(refusal(&lake, nonsense, branches(), vec![]).await, Code::Corrupt, &[&format!("record '{id}'")]);

    // Branches and tags: a missing commit, a name that breaks the rules, a name twice, another identity.
    let lost = vec![branch_record(&branch("main"), &unknown)];
    let wrong = refusal(&lake, commits(), lost, vec![]).await;
    says(wrong, Code::InvalidDump, &["record 'main'", &unknown.to_hex(), "not in the dump"]);
    let tag = |name: &str, id: &CommitId| tag_record(&TagName::new(name).unwrap(), id);
    let wrong = refusal(&lake, commits(), branches(), vec![tag("v1", &unknown)]).await;
    says(wrong, Code::InvalidDump, &["record 'v1'", "not in the dump"]);
    let wrong = refusal(&lake, commits(), branches(), vec![tag("main", &id)]).await;
    says(wrong, Code::InvalidDump, &["record 'main'", "a branch of the dump has the same name"]);
    let named = vec![tag("bad.name", &id), branches().remove(0)];
    let wrong = refusal(&lake, commits(), named, vec![]).await;
    says(wrong, Code::InvalidDump, &["record 'bad.name'"]);
    let data = tag("v1", &id).value.data().to_vec();
    let forged = Record { key: "v1".into(), value: Value::framed(b"another", &data) };
    says(
        refusal(&lake, commits(), branches(), vec![forged]).await,
        Code::Corrupt,
        &["record 'v1'", "identity"],
    );
}

#[tokio::test]
async fn trees_of_a_dump_in_each_other_s_place_are_refused() {
    let lake = lake().await;
    let RefsManifest { commits, branches, tags } = dumped(&lake).await.manifest;
    made_again(&lake).await;
    let swapped = RefsManifest { commits, branches: tags, tags: branches };
    let error = restored(&lake, request(Some(swapped))).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::Corrupt, &*tags.to_hex()));
    assert!(error.message().contains("its records are 'tag', not 'branch'"), "{error}");
}

#[tokio::test]
async fn a_damaged_or_missing_file_of_a_dump_is_named() {
    let lake = lake().await;
    let known = lake.world.ranges.ids();
    let dump = dumped(&lake).await.manifest;
    made_again(&lake).await;
    let before = seen(&lake).await;
    let files: Vec<[u8; 32]> = lake.world.ranges.ids().into_iter().filter(|id| !known.contains(id)).collect();
    assert!(files.len() >= 6);
    for file in files {
        let sound = lake.world.ranges.bytes(&file);
        let damages: [fn(&mut Vec<u8>); 4] = [
            |file| file[7] ^= 4,
            |file| file.truncate(file.len() / 2),
            |file| file.truncate(file.len() - 1),
            Vec::clear,
        ];
        for damage in damages {
            lake.world.ranges.damage(&file, damage);
            let error = restored(&lake, request(Some(dump))).await.unwrap_err();
            assert_eq!(error.code(), Code::Corrupt, "{error}");
            assert!(error.message().contains(&hex::encode(file)), "{error}");
            assert_eq!(seen(&lake).await, before);
            lake.world.ranges.set(file, sound.clone());
        }
    }
    restored(&lake, request(Some(dump))).await.unwrap();
}

#[tokio::test]
async fn a_damaged_commit_is_not_dumped() {
    let lake = lake().await;
    let id: RepositoryId = lake.catalog.repository(&repo()).await.unwrap().id;
    let head = lake.branch_head("main").await;
    let mut txn = lake.world.kv.begin(braid_kv::Mode::Optimistic).await.unwrap();
    txn.put(record::commit::key(&id, &head), record::commit::encode(&first_commit()));
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    let error = lake.restarted();
    let error = try_dump(&error).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::Corrupt, &*head.to_hex()));
}
