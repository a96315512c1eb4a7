//! Random stacks of layers against plain maps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use braid_kv::{Kv, Memory, MemorySettings, Mode, Outcome, Snapshot};
use braid_tree::testing::MemoryRangeStore;
use braid_tree::{
    ListQuery, Listed, Pool, RangeStore, Record, TreeFormat, TreeId, Usage, Value, build, fold, list_page,
};
use braid_types::{AddressType, Entry, PathPrefix, StagingToken, SystemClock, Time};
use bytes::Bytes;
use futures::{StreamExt, stream};
use proptest::prelude::*;

use super::*;
use crate::record::Layer;

/// What a path holds: a number that becomes the entry's size.
type Content = BTreeMap<String, u64>;

/// Names that are in each other's way: directories, their insides, and what only looks alike.
const DIRECTORIES: [&str; 7] = ["a/", "b/", "a/b/", "a/b/c/", "b/a/", "c/", "ab/"];
const PREFIXES: [&str; 10] = ["", "a", "a/", "a/b", "a/b/", "b/", "a-", "ab", "c/", "zz"];
const NAMES: [&str; 5] = ["", "a", "b", "b/", "x"];

#[derive(Debug, Clone)]
enum Step {
    Staged(Vec<(String, Option<u64>)>),
    Moved(usize, usize),
    Erased(usize),
    Grafted(usize, Content),
}

fn path() -> impl Strategy<Value = String> {
    let directory = prop::sample::select(&["", "a-", "ab"][..]).prop_map(str::to_owned);
    let directory = prop_oneof![directory, prop::sample::select(&DIRECTORIES[..]).prop_map(str::to_owned)];
    (directory, prop::sample::select(&NAMES[..])).prop_map(|(directory, name)| match directory + name {
        empty if empty.is_empty() => "z".to_owned(),
        path => path,
    })
}

fn content() -> impl Strategy<Value = Content> {
    prop::collection::btree_map(path(), 0..5u64, 0..25)
}

fn step() -> impl Strategy<Value = Step> {
    let directory = || 0..DIRECTORIES.len();
    let changes = prop::collection::btree_map(path(), prop::option::of(0..5u64), 0..8);
    prop_oneof![
        4 => changes.prop_map(|changes| Step::Staged(changes.into_iter().collect())),
        4 => (directory(), directory()).prop_map(|(from, to)| Step::Moved(from, to)),
        2 => (0..PREFIXES.len()).prop_map(Step::Erased),
        1 => (0..PREFIXES.len(), content()).prop_map(|(prefix, tree)| Step::Grafted(prefix, tree)),
    ]
}

fn under(content: &Content, prefix: &str) -> Vec<String> {
    content.keys().filter(|path| path.starts_with(prefix)).cloned().collect()
}

fn erase(content: &mut Content, prefix: &str) {
    content.retain(|path, _| !path.starts_with(prefix));
}

/// What a step makes of everything below it.
fn applied(content: &mut Content, step: &Step) {
    match step {
        Step::Staged(changes) => {
            for (path, value) in changes {
                match value {
                    Some(value) => content.insert(path.clone(), *value),
                    None => content.remove(path),
                };
            }
        }
        Step::Moved(from, to) => {
            let (from, to) = (DIRECTORIES[*from], DIRECTORIES[*to]);
            erase(content, to);
            for path in under(content, from) {
                let value = content.remove(&path).unwrap();
                content.insert(format!("{to}{}", &path[from.len()..]), value);
            }
        }
        Step::Erased(prefix) => erase(content, PREFIXES[*prefix]),
        Step::Grafted(prefix, tree) => {
            erase(content, PREFIXES[*prefix]);
            let grafted = under(tree, PREFIXES[*prefix]);
            content.extend(grafted.into_iter().map(|path| (path.clone(), tree[&path])));
        }
    }
}

fn is_possible(step: &Step) -> bool {
    let Step::Moved(from, to) = step else {
        return true;
    };
    let (from, to) = (DIRECTORIES[*from], DIRECTORIES[*to]);
    !from.starts_with(to) && !to.starts_with(from)
}

fn value(number: u64) -> Value {
    Value::of(&Entry {
        address: format!("data/{number}"),
        address_type: AddressType::Relative,
        size: number,
        checksum: number.to_string(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        mtime: Time::from_seconds(1),
    })
}

/// A view of a stack, and what it should show.
struct World {
    view: View,
    snapshot: Arc<dyn Snapshot>,
    base: Content,
    expected: Content,
    format: TreeFormat,
    pool: Pool,
}

impl World {
    async fn new(base: Content, steps: &[Step]) -> Self {
        let mut format = TreeFormat::version(1).unwrap();
        (format.min_bytes, format.max_bytes, format.break_one_in) = (200, 1_000, 3);
        let (ranges, pool): (Arc<dyn RangeStore>, _) = (Arc::new(MemoryRangeStore::new()), Pool::new(1));
        let kv = Memory::new(MemorySettings::default(), Arc::new(SystemClock));
        let (mut expected, mut layers) = (base.clone(), Vec::new());
        let tree = write(&ranges, &pool, &format, &base).await;
        for (index, step) in steps.iter().enumerate() {
            applied(&mut expected, step);
            let token = StagingToken::from_bytes([u8::try_from(index).unwrap(); 16]);
            let prefix = |prefix: &str| PathPrefix::new(prefix).unwrap();
            layers.push(match step {
                Step::Staged(changes) => {
                    stage(&kv, &token, changes).await;
                    Layer::Staged(token)
                }
                Step::Moved(from, to) => {
                    Layer::Moved { from: prefix(DIRECTORIES[*from]), to: prefix(DIRECTORIES[*to]) }
                }
                Step::Erased(at) => Layer::Erased(prefix(PREFIXES[*at])),
                Step::Grafted(at, content) => match write(&ranges, &pool, &format, content).await {
                    Some(tree) => Layer::Grafted { prefix: prefix(PREFIXES[*at]), tree },
                    None => Layer::Erased(prefix(PREFIXES[*at])),
                },
            });
        }
        let view = View { stack: Stack::of(layers.into_iter().rev(), tree), ranges };
        Self { view, snapshot: kv.snapshot().await.unwrap(), base, expected, format, pool }
    }

    async fn list(&self, prefix: &str, delimiter: &str, after: &str, limit: usize) -> Vec<String> {
        let text = |text: &str| (!text.is_empty()).then(|| Bytes::copy_from_slice(text.as_bytes()));
        let (prefix, delimiter) = (Bytes::copy_from_slice(prefix.as_bytes()), text(delimiter));
        let mut query = ListQuery { prefix, delimiter, after: text(after), limit };
        let (mut cursor, mut listed) = (self.view.cursor(&self.snapshot), Vec::new());
        loop {
            let page = list_page(&mut *cursor, &query).await.unwrap();
            for item in page.items {
                if let Listed::Record(record) = &item {
                    let path = String::from_utf8(record.key.to_vec()).unwrap();
                    assert_eq!(Some(&record.entry().unwrap().size), self.expected.get(&path), "{path}");
                }
                listed.push(String::from_utf8(item.name().to_vec()).unwrap());
            }
            query.after = page.next_after;
            if query.after.is_none() {
                return listed;
            }
        }
    }

    fn listed(&self, prefix: &str, delimiter: &str, after: &str) -> Vec<String> {
        let name = |path: &String| match path[prefix.len()..].find(delimiter) {
            Some(at) if !delimiter.is_empty() => path[..prefix.len() + at + delimiter.len()].to_owned(),
            _ => path.clone(),
        };
        let names: BTreeSet<String> =
            self.expected.keys().filter(|path| path.starts_with(prefix)).map(name).collect();
        names.into_iter().filter(|name| after.is_empty() || &name[..] > after).collect()
    }
}

async fn write(ranges: &Arc<dyn RangeStore>, pool: &Pool, format: &TreeFormat, content: &Content) -> TreeId {
    let records = content
        .iter()
        .map(|(path, number)| Ok(Record { key: path.clone().into_bytes().into(), value: value(*number) }));
    build(ranges, pool, format, stream::iter(records)).await.unwrap().tree
}

async fn stage(kv: &Memory, token: &StagingToken, changes: &[(String, Option<u64>)]) {
    let mut txn = kv.begin(Mode::Optimistic).await.unwrap();
    for (path, number) in changes {
        let row = match number {
            Some(number) => staged::encode_put(&value(*number)),
            None => staged::encode_tombstone(),
        };
        txn.put(staged::key(token, path.as_bytes()), row);
    }
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
}

async fn check(base: Content, steps: Vec<Step>, from: String) {
    let steps: Vec<Step> = steps.into_iter().filter(is_possible).collect();
    let world = World::new(base, &steps).await;
    let paths: BTreeSet<&String> = world.base.keys().chain(world.expected.keys()).collect();
    for path in paths {
        let found = world.view.get(&world.snapshot, path.as_bytes()).await.unwrap();
        let found = found.map(|record| record.entry().unwrap().size);
        assert_eq!(found.as_ref(), world.expected.get(path), "a point read of {path}");
    }
    for prefix in PREFIXES {
        let usage = world.view.usage(&world.snapshot, prefix.as_bytes()).await.unwrap();
        let sizes = world.expected.iter().filter(|(path, _)| path.starts_with(prefix)).map(|(_, size)| size);
        let wanted = Usage { entries: sizes.clone().count() as u64, data_bytes: sizes.sum() };
        assert_eq!(usage, wanted, "how much is under {prefix:?}");
        for delimiter in ["", "/", "b"] {
            for (after, limit) in [("", 100), ("", 1), (&from[..], 3)] {
                let listed = world.list(prefix, delimiter, after, limit).await;
                assert_eq!(
                    listed,
                    world.listed(prefix, delimiter, after),
                    "{prefix:?} {delimiter:?} {after:?}"
                );
            }
        }
    }
    check_changes(&world, &from).await;
}

/// A fold of the changes is the tree that a build of what is seen writes.
async fn check_changes(world: &World, from: &str) {
    let World { view, snapshot, format, pool, .. } = world;
    let changes = view.changes(snapshot, b"");
    let folded = fold(&view.ranges, pool, format, view.stack.base, changes).await.unwrap().tree;
    assert_eq!(folded, write(&view.ranges, pool, format, &world.expected).await);
    let keys = async |from: &str| {
        let changes = view.changes(snapshot, from.as_bytes());
        changes.map(|change| change.unwrap().key).collect::<Vec<Bytes>>().await
    };
    let mut all = keys("").await;
    all.retain(|key| &key[..] >= from.as_bytes());
    assert_eq!(keys(from).await, all, "changes from {from:?}");
}

#[test]
fn pieces_are_few_and_cover_everything() {
    let prefix = |text: &str| PathPrefix::new(text).unwrap();
    let layers = (0..64).map(|index| Layer::Moved {
        from: prefix(DIRECTORIES[index % 3]),
        to: prefix(["x/", "y/", "z/"][index / 3 % 3]),
    });
    let stack = Stack::of(layers, None);
    let pieces = stack.pieces();
    assert!(pieces.len() <= 1 + 4 * 64, "{}", pieces.len());
    assert_eq!((&pieces[0].start()[..], pieces.last().unwrap().end()), (&b""[..], None));
    for pair in pieces.windows(2) {
        assert_eq!(pair[0].end(), Some(pair[1].start()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn stacks_agree_with_plain_maps(
        base in content(),
        steps in prop::collection::vec(step(), 0..8),
        from in path(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(base, steps, from));
    }
}
