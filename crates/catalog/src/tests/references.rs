use braid_types::{Code, RefExpression, RepositoryName, TagName};

use super::lake::*;
use crate::{record, *};

fn tag(name: &str) -> TagName {
    TagName::new(name).unwrap()
}

#[tokio::test]
async fn a_new_repository_has_an_empty_first_commit() {
    let lake = Lake::new().await;
    let (id, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!((commit.generation, commit.parents.len(), commit.metarange), (1, 0, None));
    assert_eq!(commit.message, "Repository created");
    assert_eq!(commit.id(), id);
    assert!(lake.content("main").await.is_empty());
}

#[tokio::test]
async fn repositories_are_listed_in_pages_of_one_state_and_deleted() {
    let lake = Lake::new().await;
    for name in ["aaa", "bbb", "ccc"] {
        let create = CreateRepository {
            name: RepositoryName::new(name).unwrap(),
            storage_namespace: format!("mem://{name}"),
            default_branch: branch("trunk"),
        };
        lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
    }
    let names = |page: &Page<RepositoryRecord>| {
        page.items.iter().map(|item| item.name.to_string()).collect::<Vec<_>>()
    };
    let request = PageRequest { token: String::new(), size: 2 };
    let first = lake.catalog.list_repositories("", &request).await.unwrap();
    assert_eq!(names(&first), ["aaa", "bbb"]);
    lake.catalog.delete_repository(&RepositoryName::new("ccc").unwrap(), &lake.mutation()).await.unwrap();

    let request = PageRequest { token: first.next_token.clone(), size: 2 };
    let second = lake.catalog.list_repositories("", &request).await.unwrap();
    assert_eq!(names(&second), ["ccc", "lake"], "the second page shows the state of the first");
    assert_eq!(second.next_token, "");
    let now = lake.catalog.list_repositories("", &PageRequest::default()).await.unwrap();
    assert_eq!(names(&now), ["aaa", "bbb", "lake"]);

    let error = lake.catalog.list_repositories("a", &request).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidPageToken);
}

#[tokio::test]
async fn a_page_token_of_a_state_no_longer_held_is_named() {
    let lake = Lake::new().await;
    for name in ["a", "b", "c"] {
        lake.branch(name, "main").await;
    }
    let request = PageRequest { token: String::new(), size: 1 };
    let first = lake.catalog.list_branches(&repo(), "", &request).await.unwrap();
    lake.branch("d", "main").await;
    lake.world.clock.advance(std::time::Duration::from_secs(3600));
    let request = PageRequest { token: first.next_token, size: 1 };
    let error = lake.catalog.list_branches(&repo(), "", &request).await.unwrap_err();
    assert_eq!(error.code(), Code::SnapshotExpired);
}

#[tokio::test]
async fn a_namespace_and_a_name_are_taken_once_and_free_after_deletion() {
    let lake = Lake::new().await;
    let create = |name: &str, namespace: &str| CreateRepository {
        name: RepositoryName::new(name).unwrap(),
        storage_namespace: namespace.into(),
        default_branch: branch("main"),
    };
    let error =
        lake.catalog.create_repository(create("lake", "mem://x"), &lake.mutation()).await.unwrap_err();
    assert_eq!(error.code(), Code::RepositoryExists);
    let error =
        lake.catalog.create_repository(create("other", "mem://lake"), &lake.mutation()).await.unwrap_err();
    assert_eq!(error.code(), Code::NamespaceInUse);

    lake.put("main", "a", "1").await;
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    let error = lake.catalog.repository(&repo()).await.unwrap_err();
    assert_eq!(error.code(), Code::RepositoryNotFound);
    assert_eq!(lake.stage("main", &[put("b", "1")]).await.unwrap_err().code(), Code::RepositoryNotFound);
    lake.catalog.create_repository(create("lake", "mem://lake"), &lake.mutation()).await.unwrap();
    assert!(lake.content("main").await.is_empty(), "the new repository has nothing of the old one");

    let report = lake.catalog.clean_up().await.unwrap();
    assert_eq!((report.repositories, report.tokens), (1, 0));
    lake.world.clock.advance(std::time::Duration::from_secs(3600));
    let report = lake.catalog.clean_up().await.unwrap();
    assert_eq!((report.repositories, report.tokens), (0, 1));
    assert!(lake.content("main").await.is_empty());
    lake.put("main", "b", "2").await;
    assert_eq!(lake.get("main", "b").await.as_deref(), Some("2"));
}

/// Deletes the repository and makes another one of its name elsewhere.
async fn make_anew(lake: &Lake) {
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    let create = CreateRepository {
        name: repo(),
        storage_namespace: "mem://elsewhere".into(),
        default_branch: branch("main"),
    };
    lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
}

#[tokio::test]
async fn objects_tell_the_namespace_of_the_state_that_they_are_read_from() {
    let lake = Lake::new().await;
    lake.stage("main", &[put("a", "1"), put("b", "2")]).await.unwrap();
    let list = ListRequest::default();
    let page = async |token: String| {
        let request = PageRequest { token, size: 1 };
        let page = lake.catalog.list_objects(&repo(), &expr("main"), &list, &request).await.unwrap();
        let Some(Listing::Object(object)) = page.items.into_iter().next() else { panic!("no object") };
        (object.path.to_string(), object.namespace.to_string(), page.next_token)
    };
    let (_, namespace, token) = page(String::new()).await;
    assert_eq!(namespace, "mem://lake");
    let mut uncommitted =
        lake.catalog.diff_branch(&repo(), &branch("main"), &DiffQuery::default()).await.unwrap();
    make_anew(&lake).await;
    lake.put("main", "b", "other").await;
    let (second, namespace, _) = page(token).await;
    assert_eq!((second.as_str(), namespace.as_str()), ("b", "mem://lake"));
    let Some(Changed::Path(side)) = uncommitted.next().await.unwrap() else { panic!("no path") };
    assert_eq!(&*side.right.unwrap().namespace, "mem://lake");
    let now = lake.catalog.stat(&repo(), &expr("main"), &path("b")).await.unwrap();
    assert_eq!(&*now.namespace, "mem://elsewhere");
}

#[tokio::test]
async fn entries_of_one_repository_are_not_staged_in_another_of_its_name() {
    let lake = Lake::new().await;
    let before = lake.catalog.repository(&repo()).await.unwrap();
    let stage = async |into: &RepositoryRecord, by: &Mutation| {
        lake.catalog.stage_in(into, &branch("main"), &[put("a", "1")], by).await
    };
    let first = lake.mutation();
    stage(&before, &first).await.unwrap();
    make_anew(&lake).await;
    let refused = stage(&before, &lake.mutation()).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::RepositoryNotFound, "lake"));
    assert!(lake.content("main").await.is_empty());
    stage(&before, &first).await.expect("what was done before is not done again");
    assert!(lake.content("main").await.is_empty());
    stage(&lake.catalog.repository(&repo()).await.unwrap(), &lake.mutation()).await.unwrap();
    assert_eq!(lake.get("main", "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn branches_and_tags_do_not_take_each_others_names() {
    let lake = Lake::new().await;
    lake.branch("b", "main").await;
    lake.catalog.create_tag(&repo(), &tag("t"), &expr("main"), &lake.mutation()).await.unwrap();
    let create = async |name: &str, source: &str| {
        lake.catalog
            .create_branch(&repo(), &branch(name), &expr(source), &lake.mutation())
            .await
            .unwrap_err()
            .code()
    };
    assert_eq!(create("b", "main").await, Code::BranchExists);
    assert_eq!(create("t", "main").await, Code::RefNameTaken);
    assert_eq!(create("x", "nothing").await, Code::RefNotFound);
    assert_eq!(create("x", "main$").await, Code::InvalidArgument);
    let head = lake.catalog.branch(&repo(), &branch("main")).await.unwrap().head;
    assert_eq!(create(&head.to_hex(), "main").await, Code::RefNameTaken);
    let create = async |name: &str, target: &str| {
        lake.catalog
            .create_tag(&repo(), &tag(name), &expr(target), &lake.mutation())
            .await
            .unwrap_err()
            .code()
    };
    assert_eq!(create("t", "main").await, Code::TagExists);
    assert_eq!(create("b", "main").await, Code::RefNameTaken);
    assert_eq!(create("x", "main$").await, Code::InvalidArgument);

    let deleted = lake.catalog.delete_branch(&repo(), &branch("main"), &lake.mutation()).await;
    assert_eq!(deleted.unwrap_err().code(), Code::DefaultBranch);
    lake.catalog.delete_branch(&repo(), &branch("b"), &lake.mutation()).await.unwrap();
    let again = lake.catalog.delete_branch(&repo(), &branch("b"), &lake.mutation()).await;
    assert_eq!(again.unwrap_err().code(), Code::BranchNotFound);
    lake.catalog.delete_tag(&repo(), &tag("t"), &lake.mutation()).await.unwrap();
    let again = lake.catalog.delete_tag(&repo(), &tag("t"), &lake.mutation()).await;
    assert_eq!(again.unwrap_err().code(), Code::TagNotFound);
}

#[tokio::test]
async fn ref_expressions_name_what_they_say() {
    // 0 ── 1 ── 2 ──── 4   main
    //       └── 3 ────┘    side
    let lake = Lake::new().await;
    let zero = lake.catalog.branch(&repo(), &branch("main")).await.unwrap().head;
    lake.put("main", "a", "1").await;
    let one = lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("main", "b", "1").await;
    let two = lake.commit("main").await;
    lake.put("side", "c", "1").await;
    let three = lake.commit("side").await;
    let four = lake.merge("side", "main").await;
    lake.catalog.create_tag(&repo(), &tag("v1~2"), &expr("main~"), &lake.mutation()).await.unwrap();

    let resolve = async |text: &str| lake.catalog.resolve_ref(&repo(), &expr(text)).await;
    for (text, expected) in [
        ("main", four),
        ("main@", four),
        ("main$", four),
        ("main~", two),
        ("main^2", three),
        ("main^2~", one),
        ("main~3", zero),
        ("main^0", four),
        ("v1~2", two),
        (&one.to_hex(), one),
        (&one.to_hex()[..12], one),
        (&format!("{}~1", &one.to_hex()[..12]), zero),
    ] {
        assert_eq!(resolve(text).await.unwrap().commit, expected, "{text}");
    }
    for (text, code) in [
        ("main~4", Code::RefNotFound),
        ("main^3", Code::InvalidArgument),
        ("nothing", Code::RefNotFound),
        (&format!("{}@", one.to_hex()), Code::InvalidArgument),
    ] {
        assert_eq!(resolve(text).await.unwrap_err().code(), code, "{text}");
    }
}

#[tokio::test]
async fn a_prefix_of_several_commits_is_ambiguous() {
    let lake = Lake::new().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        lake.put("main", "a", &number.to_string()).await;
        ids.push(lake.commit("main").await.to_hex());
    }
    let shared = ids.iter().find(|id| ids.iter().filter(|other| other[..1] == id[..1]).count() > 1).unwrap();
    let error =
        lake.catalog.resolve_ref(&repo(), &RefExpression::parse(&shared[..1]).unwrap()).await.unwrap_err();
    assert_eq!(error.code(), Code::AmbiguousRef);
}

#[tokio::test]
async fn log_shows_what_was_asked_for() {
    let lake = Lake::new().await;
    lake.put("main", "a/1", "1").await;
    let first = lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("side", "b/1", "1").await;
    let side = lake.commit("side").await;
    lake.put("main", "a/2", "1").await;
    let second = lake.commit("main").await;
    let merge = lake.merge("side", "main").await;

    let all = LogRequest {
        start: expr("main"),
        first_parent: false,
        after: None,
        since: None,
        stop_at: None,
        paths: vec![],
        prefixes: vec![],
    };
    let log = async |request: LogRequest| {
        let mut history = lake.catalog.log(&repo(), request).await.unwrap();
        let mut ids = Vec::new();
        while let Some((id, _)) = history.next().await.unwrap() {
            ids.push(id);
        }
        ids
    };
    let everything = log(all.clone()).await;
    assert_eq!(everything.len(), 5);
    assert_eq!((everything[0], everything[3]), (merge, first));
    let root = everything[4];
    assert_eq!(log(LogRequest { first_parent: true, ..all.clone() }).await, [merge, second, first, root]);
    assert_eq!(
        log(LogRequest { stop_at: Some(expr(&first.to_hex())), ..all.clone() }).await.last(),
        Some(&first)
    );
    let prefixes = vec![braid_types::PathPrefix::new("b/").unwrap()];
    assert_eq!(log(LogRequest { prefixes, ..all.clone() }).await, [side]);
    assert_eq!(log(LogRequest { paths: vec![path("a/2")], ..all.clone() }).await, [second]);
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr(&second.to_hex())).await.unwrap();
    assert_eq!(log(LogRequest { since: Some(commit.time), ..all }).await, [merge, second]);
}

#[tokio::test]
async fn no_branch_comes_to_be_in_a_repository_that_is_being_deleted() {
    let lake = Lake::new().await;
    // The creator has passed the fence and not yet committed when the repository goes.
    let repository = lake.catalog.repository(&repo()).await.unwrap();
    let mut txn = lake.catalog.begin().await.unwrap();
    repository.fence().shared(&mut *txn, 0).await.unwrap();
    txn.insert(record::branch::key(&repository.id, &branch("late")), bytes::Bytes::from_static(b"x"));
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    assert!(matches!(txn.commit().await, braid_kv::Outcome::Conflict(_)));
}
