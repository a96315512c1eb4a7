//! Random sequences of operations against plain maps.

use std::collections::BTreeMap;

use braid_tree::Strategy as Merging;
use braid_types::Code;
use proptest::prelude::*;

use super::backend::Backend;
use super::lake::*;
use crate::{Applied, PickRequest, ResetScope};

const BRANCHES: [&str; 3] = ["main", "b1", "b2"];
/// Directories, what is in them, and what is none.
const PREFIXES: [&str; 8] = ["0/", "1/", "2/", "new/", "new/in/", "0/in/", "1", ""];

#[derive(Debug, Clone)]
enum Step {
    Put(usize, u8, u8),
    Delete(usize, u8),
    Commit(usize),
    Seal(usize),
    ResetAll(usize),
    ResetPath(usize, u8),
    ResetPrefix(usize, usize),
    Rename(usize, usize, usize, bool),
    MoveObject(usize, u8, u8, bool),
    Erase(usize, usize),
    Flatten(usize),
    Merge(usize, usize, Merging),
    Revert(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let branch = || 0..BRANCHES.len();
    let prefix = || 0..PREFIXES.len();
    let merging = prop_oneof![Just(Merging::Refuse), Just(Merging::SourceWins), Just(Merging::DestWins)];
    let step = prop_oneof![
        10 => (branch(), 0..30u8, 0..3u8).prop_map(|(on, at, value)| Step::Put(on, at, value)),
        4 => (branch(), 0..30u8).prop_map(|(on, at)| Step::Delete(on, at)),
        4 => branch().prop_map(Step::Commit),
        1 => branch().prop_map(Step::Seal),
        1 => branch().prop_map(Step::ResetAll),
        1 => (branch(), 0..30u8).prop_map(|(on, at)| Step::ResetPath(on, at)),
        1 => (branch(), prefix()).prop_map(|(on, at)| Step::ResetPrefix(on, at)),
        4 => (branch(), prefix(), prefix(), any::<bool>())
            .prop_map(|(on, from, to, overwrite)| Step::Rename(on, from, to, overwrite)),
        2 => (branch(), 0..30u8, 0..30u8, any::<bool>())
            .prop_map(|(on, from, to, overwrite)| Step::MoveObject(on, from, to, overwrite)),
        2 => (branch(), prefix()).prop_map(|(on, at)| Step::Erase(on, at)),
        1 => branch().prop_map(Step::Flatten),
        4 => (branch(), branch(), merging).prop_map(|(from, to, merging)| Step::Merge(from, to, merging)),
        1 => branch().prop_map(Step::Revert),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What each branch should have: committed and with staged changes. Commits are remembered by id.
#[derive(Default)]
struct Model {
    committed: [Content; 3],
    working: [Content; 3],
    commits: BTreeMap<String, Content>,
    dirty: [bool; 3],
}

fn three_way(base: &Content, dest: &Content, source: &Content, merging: Merging) -> Option<Content> {
    let mut merged = dest.clone();
    let paths: std::collections::BTreeSet<_> = base.keys().chain(source.keys()).collect();
    for path in paths {
        let (base, dest, source) = (base.get(path), dest.get(path), source.get(path));
        if source == base || source == dest {
            continue;
        }
        if dest != base {
            match merging {
                Merging::Refuse => return None,
                Merging::DestWins => continue,
                Merging::SourceWins => {}
            }
        }
        match source {
            Some(value) => merged.insert(path.clone(), value.clone()),
            None => merged.remove(path),
        };
    }
    Some(merged)
}

fn name(at: u8) -> String {
    format!("{}/{at:02}", at % 4)
}

async fn run(lake: Lake, steps: Vec<Step>) {
    lake.branch("b1", "main").await;
    lake.branch("b2", "main").await;
    let mut model = Model::default();
    model.commits.insert(lake.branch_head("main").await.to_hex(), Content::new());
    for step in steps {
        apply(&lake, &mut model, &step).await;
        for (index, on) in BRANCHES.iter().enumerate() {
            assert_eq!(lake.content(on).await, model.working[index], "{on} after {step:?}");
        }
    }
    for (id, expected) in &model.commits {
        assert_eq!(lake.content(id).await, *expected, "history changed");
    }
    for (index, on) in BRANCHES.iter().enumerate() {
        assert_eq!(lake.content(&format!("{on}@")).await, model.committed[index]);
        for at in 0..30 {
            assert_eq!(
                lake.get(on, &name(at)).await.as_ref(),
                model.working[index].get(&name(at)),
                "point read"
            );
        }
        for (at, value) in &model.working[index] {
            assert_eq!(lake.get(on, at).await.as_ref(), Some(value), "point read of {at}");
        }
        let uncommitted = lake.uncommitted(on).await;
        assert_eq!(uncommitted, naive_diff(&model.committed[index], &model.working[index]));
    }
}

fn naive_diff(left: &Content, right: &Content) -> Vec<String> {
    let paths: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    paths
        .into_iter()
        .filter_map(|path| match (left.get(path), right.get(path)) {
            (None, _) => Some(format!("+{path}")),
            (_, None) => Some(format!("-{path}")),
            (left, right) if left != right => Some(format!("~{path}")),
            _ => None,
        })
        .collect()
}

async fn apply(lake: &Lake, model: &mut Model, step: &Step) {
    match *step {
        Step::Put(on, at, value) => {
            lake.put(BRANCHES[on], &name(at), &value.to_string()).await;
            model.working[on].insert(name(at), value.to_string());
            model.dirty[on] = true;
        }
        Step::Delete(on, at) => {
            let applied = lake.stage(BRANCHES[on], &[delete(&name(at))]).await.unwrap();
            let existed = model.working[on].remove(&name(at)).is_some();
            assert_eq!(applied, [if existed { Applied::Deleted } else { Applied::Missing }]);
            model.dirty[on] |= existed;
        }
        Step::Commit(on) => match lake.try_commit(BRANCHES[on]).await {
            Ok(id) => model.moved(on, &id.to_hex(), model.working[on].clone()),
            Err(error) => {
                assert_eq!(error.code(), Code::NothingToCommit);
                assert_eq!(model.committed[on], model.working[on]);
                model.dirty[on] = false;
            }
        },
        Step::Seal(on) => lake.seal(BRANCHES[on]).await,
        Step::ResetAll(on) => {
            let scope = ResetScope::All;
            lake.catalog.reset(&repo(), &branch(BRANCHES[on]), &scope, &lake.mutation()).await.unwrap();
            model.working[on] = model.committed[on].clone();
            model.dirty[on] = false;
        }
        Step::ResetPath(on, at) => {
            let scope = ResetScope::Path(path(&name(at)));
            lake.catalog.reset(&repo(), &branch(BRANCHES[on]), &scope, &lake.mutation()).await.unwrap();
            match model.committed[on].get(&name(at)).cloned() {
                Some(value) => model.working[on].insert(name(at), value),
                None => model.working[on].remove(&name(at)),
            };
        }
        Step::ResetPrefix(on, at) => {
            lake.reset(BRANCHES[on], ResetScope::Prefix(prefix(PREFIXES[at]))).await;
            model.erase(on, PREFIXES[at]);
            let committed = model.committed[on].iter().filter(|(path, _)| path.starts_with(PREFIXES[at]));
            model.working[on].extend(committed.map(|(path, value)| (path.clone(), value.clone())));
        }
        Step::Rename(on, from, to, overwrite) => {
            rename(lake, model, on, [PREFIXES[from], PREFIXES[to]], overwrite).await;
        }
        Step::MoveObject(on, from, to, overwrite) => {
            move_object(lake, model, on, [&name(from), &name(to)], overwrite).await;
        }
        Step::Erase(on, at) => {
            let existed = lake.erase(BRANCHES[on], PREFIXES[at]).await;
            assert_eq!(model.erase(on, PREFIXES[at]), existed);
            model.dirty[on] |= existed;
        }
        Step::Flatten(on) => {
            lake.flatten(BRANCHES[on]).await;
        }
        Step::Merge(from, to, merging) => merge(lake, model, from, to, merging).await,
        Step::Revert(on) => revert(lake, model, on).await,
    }
}

async fn rename(lake: &Lake, model: &mut Model, on: usize, [from, to]: [&str; 2], overwrite: bool) {
    let what = move_directory(BRANCHES[on], from, to, overwrite);
    let moved = lake.catalog.move_directory(&repo(), &what, &lake.mutation()).await;
    let has = |prefix: &str| model.working[on].keys().any(|path| path.starts_with(prefix));
    let expected = match () {
        () if !from.ends_with('/') || !to.ends_with('/') => Err(Code::InvalidPath),
        () if from.starts_with(to) || to.starts_with(from) => Err(Code::IntoItself),
        () if !has(from) => Err(Code::ObjectNotFound),
        () if has(to) && !overwrite => Err(Code::DestinationExists),
        () => Ok(()),
    };
    assert_eq!(moved.map_err(|error| error.code()), expected);
    if expected.is_ok() {
        model.erase(on, to);
        let paths: Vec<String> =
            model.working[on].keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in paths {
            let value = model.working[on].remove(&path).unwrap();
            model.working[on].insert(format!("{to}{}", &path[from.len()..]), value);
        }
        model.dirty[on] = true;
    }
}

async fn move_object(lake: &Lake, model: &mut Model, on: usize, [from, to]: [&str; 2], overwrite: bool) {
    let moved = lake.move_object(BRANCHES[on], [from, to], overwrite).await;
    let working = &mut model.working[on];
    let expected = match () {
        () if from == to => Err(Code::IntoItself),
        () if !working.contains_key(from) => Err(Code::ObjectNotFound),
        () if working.contains_key(to) && !overwrite => Err(Code::DestinationExists),
        () => Ok(()),
    };
    assert_eq!(moved.map_err(|error| error.code()), expected);
    if expected.is_ok() {
        let value = working.remove(from).unwrap();
        working.insert(to.to_owned(), value);
        model.dirty[on] = true;
    }
}

async fn merge(lake: &Lake, model: &mut Model, from: usize, to: usize, merging: Merging) {
    if from == to {
        return;
    }
    let ends = (expr(BRANCHES[to]), expr(BRANCHES[from]));
    let (_, _, base) = lake.catalog.merge_base(&repo(), &ends.0, &ends.1).await.unwrap();
    let base = model.commits[&base.to_hex()].clone();
    let expected = three_way(&base, &model.committed[to], &model.committed[from], merging);
    match lake.try_merge(BRANCHES[from], BRANCHES[to], merging).await {
        Ok(id) => {
            let expected = expected.expect("a merge with conflicts went through");
            model.working[to] = expected.clone();
            model.moved(to, &id.to_hex(), expected);
        }
        Err(error) => match error.code() {
            Code::MergeConflict => assert_eq!(expected, None, "a merge without conflicts was refused"),
            Code::DirtyBranch => assert!(model.dirty[to], "a clean branch was called dirty"),
            Code::NothingToMerge => {}
            other => panic!("{other}: {error}"),
        },
    }
}

async fn revert(lake: &Lake, model: &mut Model, on: usize) {
    let request = PickRequest { parent_number: 1, ..lake.pick_request(BRANCHES[on], BRANCHES[on]) };
    lake.world.clock.advance(std::time::Duration::from_secs(1));
    let (_, head) = lake.catalog.commit_at(&repo(), &expr(BRANCHES[on])).await.unwrap();
    match lake.catalog.revert(&repo(), &request, &lake.mutation()).await {
        Ok(id) => {
            let before = head.parents.first().map(|parent| model.commits[&parent.to_hex()].clone());
            let before = before.unwrap_or_default();
            model.working[on] = before.clone();
            model.moved(on, &id.to_hex(), before);
        }
        Err(error) => match error.code() {
            Code::DirtyBranch => assert!(model.dirty[on]),
            Code::NothingToCommit => {}
            other => panic!("{other}: {error}"),
        },
    }
}

impl Model {
    /// Says whether there was anything.
    fn erase(&mut self, on: usize, prefix: &str) -> bool {
        let before = self.working[on].len();
        self.working[on].retain(|path, _| !path.starts_with(prefix));
        self.working[on].len() < before
    }

    fn moved(&mut self, on: usize, id: &str, content: Content) {
        self.commits.insert(id.to_owned(), content.clone());
        self.committed[on] = content;
        self.dirty[on] = false;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: Backend::cases(60), ..ProptestConfig::default() })]

    #[test]
    fn branches_agree_with_plain_maps(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { run(Lake::new().await, steps).await });
    }

    #[test]
    fn branches_with_structural_layers_agree_with_plain_maps(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { run(Lake::with_layers().await, steps).await });
    }
}
