//! How much there is and what differs, whole and directory by directory, against plain maps.

use braid_tree::Usage;
use braid_types::{Code, PathPrefix};
use proptest::prelude::*;

use super::backend::Backend;
use super::lake::*;
use crate::{Catalog, CommitRequest, DiffMode, DiffQuery, DiffRequest, PageRequest};

const PATHS: [&str; 12] =
    ["a", "a.b", "a/b/c", "a/b/d", "a/c", "a/c/", "b/a", "b/a/a", "b/b", "c", "c/c/c/c", "d/é"];
const PREFIXES: [&str; 8] = ["", "a", "a/", "a/b/", "b", "c/c", "d/é", "e"];

/// A put of this many bytes, or a delete.
type Change = (usize, Option<usize>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    proptest::collection::vec((0..PATHS.len(), proptest::option::weighted(0.7, 1..4usize)), 0..12)
}

/// The left side of a diff, the head of `main`, and `main` with what is staged, in two layers.
struct States {
    lake: Lake,
    left: Content,
    head: Content,
    working: Content,
}

impl States {
    async fn make(phases: [Vec<Change>; 4]) -> Self {
        let lake = Lake::new().await;
        let mut now = Content::new();
        let [first, second, sealed, open] = phases;
        stage(&lake, &mut now, &first).await;
        commit(&lake).await;
        lake.branch("left", "main").await;
        let left = now.clone();
        stage(&lake, &mut now, &second).await;
        commit(&lake).await;
        let head = now.clone();
        stage(&lake, &mut now, &sealed).await;
        lake.seal("main").await;
        stage(&lake, &mut now, &open).await;
        Self { lake, left, head, working: now }
    }
}

async fn stage(lake: &Lake, now: &mut Content, changes: &[Change]) {
    for (at, size) in changes {
        let at = PATHS[*at];
        match size {
            Some(size) => {
                lake.put("main", at, &"x".repeat(*size)).await;
                now.insert(at.to_owned(), "x".repeat(*size));
            }
            None => {
                lake.delete("main", at).await;
                now.remove(at);
            }
        }
    }
}

async fn commit(lake: &Lake) {
    let request = CommitRequest { allow_empty: true, ..lake.commit_request("main", "m") };
    lake.catalog.commit(&repo(), &request, &lake.mutation()).await.unwrap();
}

fn prefix(text: &str) -> PathPrefix {
    PathPrefix::new(text).unwrap()
}

fn sum(content: &Content, prefix: &str) -> Usage {
    let under = content.iter().filter(|(path, _)| path.starts_with(prefix));
    let one = |(_, value): (&String, &String)| Usage { entries: 1, data_bytes: value.len() as u64 };
    under.map(one).fold(Usage::default(), Usage::plus)
}

/// What a path is listed as.
fn rolled<'a>(path: &'a str, prefix: &str, delimiter: &str) -> &'a str {
    match path[prefix.len()..].find(delimiter) {
        Some(at) if !delimiter.is_empty() => &path[..prefix.len() + at + delimiter.len()],
        _ => path,
    }
}

fn naive_usages(content: &Content, prefix: &str, delimiter: &str) -> Vec<(String, Usage)> {
    let under = content.keys().filter(|path| path.starts_with(prefix));
    let mut names: Vec<&str> = under
        .map(|path| (path, rolled(path, prefix, delimiter)))
        .filter(|(path, name)| {
            path != name || (!delimiter.is_empty() && name[prefix.len()..].ends_with(delimiter))
        })
        .map(|(_, name)| name)
        .collect();
    names.dedup();
    names.push(prefix);
    names.into_iter().map(|name| (name.to_owned(), sum(content, name))).collect()
}

fn naive_diff(left: &Content, right: &Content, query: &DiffQuery) -> Vec<String> {
    let (prefix, delimiter) = (query.prefix.as_str(), query.delimiter.as_str());
    let paths: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let mut items: Vec<(String, bool, [u64; 3])> = Vec::new();
    for path in paths.into_iter().filter(|path| path.starts_with(prefix)) {
        let kind = match (left.get(path), right.get(path)) {
            (None, _) => 0,
            (_, None) => 1,
            (one, other) if one != other => 2,
            _ => continue,
        };
        let name = rolled(path, prefix, delimiter);
        if !query.after.is_empty() && name <= query.after.as_str() {
            continue;
        }
        let is_prefix = name != path || (!delimiter.is_empty() && name[prefix.len()..].ends_with(delimiter));
        if items.last().is_none_or(|(last, ..)| last != name) {
            items.push((name.to_owned(), is_prefix, [0; 3]));
        }
        items.last_mut().unwrap().2[kind] += 1;
    }
    let shown = |(name, is_prefix, [added, removed, changed]): (String, bool, [u64; 3])| match is_prefix {
        true => format!("{name} +{added} -{removed} ~{changed}"),
        false => format!(
            "{}{name}",
            ["+", "-", "~"][[added, removed, changed].iter().position(|&n| n > 0).unwrap()]
        ),
    };
    items.into_iter().map(shown).collect()
}

async fn usages_agree(states: &States) {
    let catalog = &states.lake.catalog;
    for (at, content) in [("main", &states.working), ("main@", &states.head), ("left", &states.left)] {
        for text in PREFIXES {
            let found = catalog.usage(&repo(), &expr(at), &prefix(text)).await.unwrap();
            assert_eq!(found, sum(content, text), "{at} {text}");
            for delimiter in ["/", "", "/c"] {
                let mut usages =
                    catalog.usage_by_directory(&repo(), &expr(at), &prefix(text), delimiter).await.unwrap();
                let mut found = Vec::new();
                loop {
                    let items = usages.next_items().await.unwrap();
                    if items.is_empty() {
                        break;
                    }
                    found.extend(items.into_iter().map(|of| (of.prefix.to_string(), of.usage)));
                }
                assert_eq!(found, naive_usages(content, text, delimiter), "{at} {text} {delimiter}");
            }
        }
    }
}

async fn diffs_agree(states: &States, after: &str, size: usize) {
    let catalog = &states.lake.catalog;
    for text in PREFIXES {
        for delimiter in ["/", "", "/c"] {
            let query = DiffQuery { prefix: prefix(text), delimiter: delimiter.into(), after: after.into() };
            let uncommitted = catalog.diff_branch(&repo(), &branch("main"), &query).await.unwrap();
            let expected = naive_diff(&states.head, &states.working, &query);
            assert_eq!(lines(uncommitted).await, expected, "uncommitted: {query:?}");
            for (left, right, before, now) in [
                ("left", "main", &states.left, &states.head),
                ("main", "left", &states.head, &states.left),
                ("left", "main$", &states.left, &states.working),
                ("main@", "main$", &states.head, &states.working),
            ] {
                let request = DiffRequest {
                    left: expr(left),
                    right: expr(right),
                    mode: DiffMode::TwoDot,
                    query: query.clone(),
                };
                let expected = naive_diff(before, now, &query);
                let all = catalog.diff(&repo(), &request).await.unwrap();
                assert_eq!(lines(all).await, expected, "{left} {right} {query:?}");
                assert_eq!(in_pages(catalog, &request, size).await, expected, "{left} {right} {query:?}");
            }
        }
    }
}

async fn in_pages(catalog: &Catalog, request: &DiffRequest, size: usize) -> Vec<String> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = catalog.list_diff(&repo(), request, &PageRequest { token, size }).await.unwrap();
        assert!(page.items.len() <= size && (page.next_token.is_empty() || page.items.len() == size));
        found.extend(page.items.iter().map(line));
        if page.next_token.is_empty() {
            return found;
        }
        token = page.next_token;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: Backend::cases(24), ..ProptestConfig::default() })]

    #[test]
    fn sums_and_differences_agree_with_plain_maps(
        phases in [changes(), changes(), changes(), changes()],
        after in proptest::sample::select(&["", "a", "a/", "a/b/c", "b/a", "c/", "z"]),
        size in 1..4usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let states = States::make(phases).await;
            usages_agree(&states).await;
            diffs_agree(&states, after, size).await;
        });
    }
}

#[tokio::test]
async fn pages_of_a_diff_show_one_state_and_tokens_belong_to_it() {
    let lake = Lake::new().await;
    lake.stage("main", &[put("a/1", "1"), put("a/2", "1"), put("b", "1"), put("c/1", "1")]).await.unwrap();
    let query = DiffQuery { delimiter: "/".into(), ..DiffQuery::default() };
    let request = DiffRequest { left: expr("main@"), right: expr("main$"), mode: DiffMode::TwoDot, query };
    let page = async |request: &DiffRequest, token: &str| {
        let page = PageRequest { token: token.to_owned(), size: 1 };
        lake.catalog.list_diff(&repo(), request, &page).await
    };
    let first = page(&request, "").await.unwrap();
    assert_eq!(line(&first.items[0]), "a/ +2 -0 ~0");
    lake.stage("main", &[delete("b"), put("c/2", "1")]).await.unwrap();
    lake.commit("main").await;
    let second = page(&request, &first.next_token).await.unwrap();
    let third = page(&request, &second.next_token).await.unwrap();
    assert_eq!([line(&second.items[0]), line(&third.items[0])], ["+b", "c/ +1 -0 ~0"]);
    let last = page(&request, &third.next_token).await.unwrap();
    assert_eq!((last.items.len(), last.next_token.as_str()), (0, ""));
    let other = DiffQuery { delimiter: "|".into(), ..request.query.clone() };
    for foreign in [
        DiffRequest { query: other, ..request.clone() },
        DiffRequest { mode: DiffMode::ThreeDot, ..request.clone() },
        DiffRequest { left: expr("main"), ..request.clone() },
    ] {
        let refused = page(&foreign, &first.next_token).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidPageToken);
    }
}

#[tokio::test]
async fn wrong_places_are_refused() {
    let lake = Lake::new().await;
    let none = prefix("");
    let usage = async |at: &str| lake.catalog.usage(&repo(), &expr(at), &none).await;
    assert_eq!(usage("main").await.unwrap(), Usage::default());
    assert_eq!(usage("nothing").await.unwrap_err().code(), Code::RefNotFound);
    assert_eq!(usage("main~1").await.unwrap_err().code(), Code::RefNotFound);
    let other = braid_types::RepositoryName::new("other").unwrap();
    let missing = lake.catalog.usage(&other, &expr("main"), &none).await.unwrap_err();
    assert_eq!(missing.code(), Code::RepositoryNotFound);
    let missing = lake.catalog.usage_by_directory(&repo(), &expr("nothing"), &none, "/").await.err().unwrap();
    assert_eq!(missing.code(), Code::RefNotFound);
}
