//! Copies of objects from path to path, alone and among other operations.

use std::collections::BTreeMap;

use braid_types::{Code, Entry, TagName, limits};

use super::conditions::{absent, on, operation};
use super::lake::*;
use crate::*;

/// A copy from `source` at a reference, or on the branch of the copy if it is empty.
fn copy(reference: &str, source: &str, to: &str) -> StagedOperation {
    let reference = Some(reference).filter(|text| !text.is_empty()).map(expr);
    StagedOperation::Copy {
        source: CopySource { reference, path: path(source) },
        path: path(to),
        metadata: None,
        condition: Condition::Always,
    }
}

fn with_metadata(operation: StagedOperation, key: &str, value: &str) -> StagedOperation {
    let StagedOperation::Copy { source, path, condition, .. } = operation else { panic!("a copy") };
    let metadata = Some(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    StagedOperation::Copy { source, path, metadata, condition }
}

fn copied(content: &str) -> Applied {
    Applied::Copied(entry(content))
}

impl Lake {
    async fn entry(&self, at: &str, path_text: &str) -> Entry {
        self.catalog.stat(&repo(), &expr(at), &path(path_text)).await.unwrap().entry
    }
}

#[tokio::test]
async fn a_copy_shows_what_its_source_shows_wherever_that_is_kept() {
    let lake = Lake::new().await;
    lake.put("main", "x", "committed").await;
    let first = lake.commit("main").await.to_hex();
    lake.catalog
        .create_tag(&repo(), &TagName::new("v1").unwrap(), &expr("main"), &lake.mutation())
        .await
        .unwrap();
    lake.branch("side", "main").await;
    lake.put("main", "x", "sealed").await;
    lake.seal("main").await;
    for (reference, shown) in [
        ("", "sealed"),
        ("main", "sealed"),
        ("main$", "sealed"),
        ("main@", "committed"),
        ("v1", "committed"),
        ("side", "committed"),
        ("side@", "committed"),
        (first.as_str(), "committed"),
        (&first[..8], "committed"),
    ] {
        let applied = lake.stage("main", &[copy(reference, "x", "y")]).await.unwrap();
        assert_eq!(applied, [copied(shown)], "{reference}");
        assert_eq!(lake.entry("main", "y").await, entry(shown), "{reference}");
    }
    lake.commit("main").await;
    assert_eq!(lake.stage("side", &[copy("main~1", "x", "y")]).await.unwrap(), [copied("committed")]);
    assert_eq!(lake.stage("side", &[copy("main", "x", "y")]).await.unwrap(), [copied("sealed")]);
    assert_eq!(lake.content("side").await, content([("x", "committed"), ("y", "sealed")]));
}

#[tokio::test]
async fn a_copy_sees_what_the_operations_before_it_made_on_any_branch() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    lake.put("main", "old", "1").await;
    let operations = vec![
        operation("side", put("new", "2")),
        operation("main", copy("side", "new", "from-side")),
        operation("main", copy("", "from-side", "again")),
        operation("main", delete("old")),
        operation("side", copy("main$", "again", "back")),
    ];
    lake.apply(vec![absent("main", "again")], operations).await.unwrap();
    assert_eq!(lake.content("main").await, content([("from-side", "2"), ("again", "2")]));
    assert_eq!(lake.content("side").await, content([("new", "2"), ("back", "2")]));

    // What was deleted before is not there to be copied, and nothing of the rest is done.
    let operations = vec![operation("side", delete("new")), operation("main", copy("side", "new", "late"))];
    let refused = lake.apply(vec![], operations).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::ObjectNotFound, "new"));
    assert_eq!(refused.message(), "there is no object 'new' at 'side'");
    assert_eq!(lake.get("side", "new").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn metadata_is_kept_or_replaced_and_the_limits_hold() {
    let lake = Lake::new().await;
    lake.put("main", "x", "1").await;
    let colored = Entry { metadata: BTreeMap::from([("color".into(), "red".into())]), ..entry("1") };
    let applied = lake.stage("main", &[with_metadata(copy("", "x", "y"), "color", "red")]).await.unwrap();
    assert_eq!(applied, [Applied::Copied(colored.clone())]);
    lake.stage("main", &[copy("", "y", "z")]).await.unwrap();
    assert_eq!(lake.entry("main", "z").await, colored, "one that is kept");
    // An object is given other metadata by copying it to where it is.
    lake.stage("main", &[with_metadata(copy("", "z", "z"), "color", "blue")]).await.unwrap();
    assert_eq!(lake.entry("main", "z").await.metadata["color"], "blue");

    let large = "v".repeat(limits::ENTRY_METADATA_BYTES);
    let refused = lake.stage("main", &[with_metadata(copy("", "x", "y"), "k", &large)]).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::LimitExceeded, "y"));
    let large = "v".repeat(limits::ENTRY_METADATA_BYTES - 1);
    let copies: Vec<_> =
        (0..64).map(|at| with_metadata(copy("", "x", &format!("copy-{at:02}")), "k", &large)).collect();
    let refused = lake.stage("main", &copies).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::LimitExceeded, "copy-63"));
    assert!(refused.message().contains("weigh more than 4194304 bytes together"), "{refused}");
    assert_eq!(lake.content("main").await.len(), 3);
}

#[tokio::test]
async fn branches_that_are_copied_from_count_as_branches_of_the_transaction() {
    let lake = Lake::new().await;
    let branches = (0..limits::TRANSACTION_BRANCHES).map(|number| format!("b{number}"));
    let mut operations: Vec<_> = branches.map(|on| operation(&on, put("x", "1"))).collect();
    operations.push(operation("b0", copy("main", "x", "y")));
    let refused = lake.apply(vec![], operations).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::LimitExceeded, "branches"));
}

#[tokio::test]
async fn what_a_copy_needs_and_does_not_find_is_named() {
    let lake = Lake::new().await;
    lake.put("main", "x", "1").await;
    for (reference, code, subject, said) in [
        ("", Code::ObjectNotFound, "none", "there is no object 'none'"),
        ("main@", Code::ObjectNotFound, "none", "there is no object 'none' at 'main@'"),
        ("gone", Code::RefNotFound, "gone", "'gone' is no branch, tag or commit"),
        ("main~9", Code::RefNotFound, "main~9", "goes back beyond the first commit"),
    ] {
        let refused = lake.stage("main", &[copy(reference, "none", "y")]).await.unwrap_err();
        assert_eq!((refused.code(), refused.subject()), (code, subject), "{reference}");
        assert!(refused.message().contains(said), "{refused}");
    }
    let StagedOperation::Copy { source, path, metadata, .. } = copy("", "x", "x") else { panic!("a copy") };
    let refused = StagedOperation::Copy { source, path, metadata, condition: Condition::IfAbsent };
    let refused = lake.stage("main", &[refused]).await.unwrap_err();
    assert_eq!(refused.message(), "there is an object at 'x' already (if absent)");
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_is_copied_as_it_is_at_the_end() {
    // In some of the rounds the two are in lanes of their own, and do not meet by chance.
    for round in 0..4 {
        for (source, reference) in [("main", ""), ("side", "side"), ("side", "side@"), ("side", "v1")] {
            let lake = Lake::new().await;
            lake.put("main", "x", "old").await;
            lake.commit("main").await;
            lake.branch("side", "main").await;
            let tag = TagName::new("v1").unwrap();
            lake.catalog.create_tag(&repo(), &tag, &expr("side"), &lake.mutation()).await.unwrap();
            for _ in 0..round {
                lake.world.catalog();
            }
            let other = lake.restarted();
            let replaced = source.to_owned();
            // They commit between our reads and our commit.
            lake.world.interrupt(move || async move {
                other.put(&replaced, "x", "new").await;
                assert_eq!(other.get("main", "y").await, None, "theirs comes first for whoever looks");
                if ["side@", "v1"].contains(&reference) {
                    other.commit(&replaced).await;
                    other.catalog.delete_tag(&repo(), &tag, &other.mutation()).await.unwrap();
                    let mutation = other.mutation();
                    other.catalog.create_tag(&repo(), &tag, &expr("side"), &mutation).await.unwrap();
                }
            });
            let applied = lake.stage("main", &[copy(reference, "x", "y")]).await.unwrap();
            assert_eq!(applied, [copied("new")], "{reference} {round}");
        }
    }
}

#[tokio::test]
async fn a_retried_copy_answers_as_the_first_did_whatever_became_of_its_source() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    lake.stage("side", &[put("x", "1"), put("z", "2")]).await.unwrap();
    for reference in ["side", "side$"] {
        let operations = vec![
            operation("main", copy(reference, "x", "y")),
            operation("main", delete("nothing")),
            operation("main", with_metadata(copy(reference, "z", "z"), "k", "v")),
        ];
        let request = ApplyRequest { preconditions: vec![], operations };
        let by = lake.mutation();
        let first = lake.catalog.apply(&request, &by).await.unwrap();
        assert_eq!(first[..2], [copied("1"), Applied::Missing]);
        lake.put("side", "x", "other").await;
        assert_eq!(lake.catalog.apply(&request, &by).await.unwrap(), first);
        lake.delete("side", "x").await;
        assert_eq!(lake.catalog.apply(&request, &by).await.unwrap(), first);
        lake.catalog.delete_branch(&repo(), &branch("side"), &lake.mutation()).await.unwrap();
        assert_eq!(lake.catalog.apply(&request, &by).await.unwrap(), first);
        let other = ApplyRequest { operations: request.operations[..1].to_vec(), ..request.clone() };
        let refused = lake.catalog.apply(&other, &by).await.unwrap_err();
        assert_eq!(refused.code(), Code::RequestIdReused);
        lake.branch("side", "main").await;
        lake.stage("side", &[put("x", "1"), put("z", "2")]).await.unwrap();
    }
}

#[tokio::test]
async fn a_source_may_be_protected_and_the_branch_of_the_copy_may_not() {
    let lake = Lake::new().await;
    lake.put("main", "x", "1").await;
    lake.branch("side", "main").await;
    let protection = Protection::new(vec!["main".into()]).unwrap();
    lake.catalog.set_branch_protection(&repo(), &protection, None, &lake.mutation()).await.unwrap();
    assert_eq!(lake.stage("side", &[copy("main", "x", "y")]).await.unwrap(), [copied("1")]);
    let refused = lake.stage("main", &[copy("side", "y", "y")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::ProtectedBranch);
}

#[tokio::test]
async fn a_generation_names_one_version_wherever_it_is() {
    let lake = Lake::new().await;
    let upload = |address: &str| Entry { address: address.into(), ..entry("same") };
    let put_if = |entry: Entry, generation: u64| StagedOperation::Put {
        path: path("a"),
        entry,
        condition: Condition::IfGeneration(generation),
    };
    lake.stage("main", &[put_if(upload("data/1"), 0)]).await.unwrap();
    let first = lake.entry("main", "a").await.generation();
    let refused = lake.stage("main", &[put_if(upload("data/2"), 0)]).await.unwrap_err();
    assert_eq!(refused.message(), "there is an object at 'a' already (if generation)");
    lake.seal("main").await;
    assert_eq!(lake.entry("main", "a").await.generation(), first);
    lake.commit("main").await;
    lake.branch("side", "main").await;
    for at in ["main", "main@", "side"] {
        assert_eq!(lake.entry(at, "a").await.generation(), first, "{at}");
    }

    // The same content uploaded again is another version, though it has the same etag.
    lake.stage("main", &[put_if(upload("data/2"), first)]).await.unwrap();
    let second = lake.entry("main", "a").await.generation();
    assert_ne!(second, first);
    let refused = lake.stage("main", &[put_if(upload("data/3"), first)]).await.unwrap_err();
    let expected = format!("the object at 'a' has generation {second}, not {first} (if generation)");
    assert_eq!((refused.code(), refused.message()), (Code::PreconditionFailed, expected.as_str()));
    let demand = |generation| Precondition {
        at: on("side"),
        path: path("a"),
        condition: Condition::IfGeneration(generation),
    };
    let delete = |generation| StagedOperation::Delete {
        path: path("a"),
        condition: Condition::IfGeneration(generation),
    };
    let operations = vec![operation("main", delete(second))];
    assert!(lake.apply(vec![demand(second)], operations.clone()).await.is_err());
    lake.apply(vec![demand(first)], operations).await.unwrap();
    let refused = lake.stage("main", &[delete(second)]).await.unwrap_err();
    assert!(refused.message().contains(&format!("so none of generation {second}")), "{refused}");
    assert_eq!(lake.stage("main", &[delete(0)]).await.unwrap(), [Applied::Missing]);
}
