//! A repository `lake` as tests use it: short calls, and what must come of them.

use std::collections::BTreeMap;
use std::time::Duration;

use braid_tree::Strategy;
use braid_types::{
    AddressType, BranchName, Code, CommitId, Entry, ObjectPath, PathPrefix, RefExpression, RepositoryName,
    RequestId, Result, Time,
};

use super::world::World;
use crate::*;

/// What a path holds in tests: a word that becomes the entry's checksum.
pub(super) type Content = BTreeMap<String, String>;

pub(super) struct Lake {
    pub(super) catalog: Catalog,
    pub(super) world: World,
}

pub(super) fn repo() -> RepositoryName {
    RepositoryName::new("lake").unwrap()
}

pub(super) fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub(super) fn expr(text: &str) -> RefExpression {
    RefExpression::parse(text).unwrap()
}

pub(super) fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

pub(super) fn prefix(text: &str) -> PathPrefix {
    PathPrefix::new(text).unwrap()
}

pub(super) fn move_directory(on: &str, source: &str, destination: &str, overwrite: bool) -> MoveDirectory {
    let (source, destination) = (prefix(source), prefix(destination));
    MoveDirectory { branch: branch(on), source, destination, overwrite }
}

pub(super) fn entry(content: &str) -> Entry {
    Entry {
        address: format!("data/{content}"),
        address_type: AddressType::Relative,
        size: content.len() as u64,
        checksum: content.to_owned(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        mtime: Time::from_seconds(1),
    }
}

pub(super) fn put(at: &str, content: &str) -> StagedOperation {
    StagedOperation::Put { path: path(at), entry: entry(content), condition: Condition::Always }
}

pub(super) fn put_if_absent(at: &str, content: &str) -> StagedOperation {
    StagedOperation::Put { path: path(at), entry: entry(content), condition: Condition::IfAbsent }
}

pub(super) fn delete(at: &str) -> StagedOperation {
    StagedOperation::Delete { path: path(at), condition: Condition::Always }
}

impl Lake {
    /// A repository `lake` with an empty branch `main`.
    pub(super) async fn new() -> Self {
        Self::over(World::new().await).await
    }

    /// The same, where directories of more than one entry are not small.
    pub(super) async fn with_layers() -> Self {
        let mut world = World::new().await;
        world.small_directory = 1;
        Self::over(world).await
    }

    /// The same, where it is written down how far an import is as often as can be.
    pub(super) async fn with_fast_imports() -> Self {
        let mut world = World::new().await;
        world.import_beat = Duration::from_millis(1);
        Self::over(world).await
    }

    async fn over(world: World) -> Self {
        let catalog = world.catalog();
        let create = CreateRepository {
            name: repo(),
            storage_namespace: "mem://lake".into(),
            default_branch: branch("main"),
        };
        let lake = Self { catalog, world };
        lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
        lake
    }

    /// The same stores, opened by a new process.
    pub(super) fn restarted(&self) -> Self {
        self.world.fuse.off();
        Self { catalog: self.world.catalog(), world: self.world.clone() }
    }

    pub(super) fn mutation(&self) -> Mutation {
        Mutation { principal: "tester".into(), request: RequestId::random(self.catalog.random()) }
    }

    pub(super) async fn stage(&self, on: &str, operations: &[StagedOperation]) -> Result<Vec<Applied>> {
        self.catalog.stage(&repo(), &branch(on), operations, &self.mutation()).await
    }

    pub(super) async fn put(&self, on: &str, at: &str, content: &str) {
        self.stage(on, &[put(at, content)]).await.unwrap();
    }

    pub(super) async fn delete(&self, on: &str, at: &str) {
        self.stage(on, &[delete(at)]).await.unwrap();
    }

    pub(super) fn commit_request(&self, on: &str, message: &str) -> CommitRequest {
        CommitRequest {
            branch: branch(on),
            committer: "tester".into(),
            message: message.into(),
            metadata: BTreeMap::new(),
            time: None,
            allow_empty: false,
        }
    }

    pub(super) async fn try_commit(&self, on: &str) -> Result<CommitId> {
        self.world.clock.advance(Duration::from_secs(1));
        self.catalog.commit(&repo(), &self.commit_request(on, "commit"), &self.mutation()).await
    }

    pub(super) async fn commit(&self, on: &str) -> CommitId {
        self.try_commit(on).await.unwrap()
    }

    pub(super) async fn branch(&self, name: &str, source: &str) -> CommitId {
        self.catalog
            .create_branch(&repo(), &branch(name), &expr(source), &self.mutation())
            .await
            .unwrap()
            .head
    }

    pub(super) fn merge_request(&self, source: &str, destination: &str, strategy: Strategy) -> MergeRequest {
        MergeRequest {
            source: expr(source),
            destination: branch(destination),
            strategy,
            committer: "tester".into(),
            message: String::new(),
            metadata: BTreeMap::new(),
            squash: false,
            allow_empty: false,
            time: None,
        }
    }

    pub(super) async fn try_merge(
        &self,
        source: &str,
        destination: &str,
        strategy: Strategy,
    ) -> Result<CommitId> {
        self.world.clock.advance(Duration::from_secs(1));
        let request = self.merge_request(source, destination, strategy);
        self.catalog.merge(&repo(), &request, &self.mutation()).await
    }

    pub(super) async fn merge(&self, source: &str, destination: &str) -> CommitId {
        self.try_merge(source, destination, Strategy::Refuse).await.unwrap()
    }

    pub(super) fn pick_request(&self, on: &str, commit: &str) -> PickRequest {
        PickRequest {
            branch: branch(on),
            commit: expr(commit),
            parent_number: 0,
            committer: "tester".into(),
            message: String::new(),
            metadata: BTreeMap::new(),
            allow_empty: false,
            time: None,
        }
    }

    /// The content at a path, by a point read.
    pub(super) async fn get(&self, at: &str, path_text: &str) -> Option<String> {
        match self.catalog.stat(&repo(), &expr(at), &path(path_text)).await {
            Ok(object) => Some(object.entry.checksum),
            Err(error) if error.code() == Code::ObjectNotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The same at a path that moves may have made long.
    pub(super) async fn get_existing(&self, at: &str, path_text: &str) -> Option<String> {
        let path = ObjectPath::existing(path_text).unwrap();
        Some(self.catalog.stat(&repo(), &expr(at), &path).await.ok()?.entry.checksum)
    }

    /// All content, by a listing.
    pub(super) async fn content(&self, at: &str) -> Content {
        self.try_content(at).await.unwrap()
    }

    pub(super) async fn try_content(&self, at: &str) -> Result<Content> {
        let mut cursor = self.catalog.object_cursor(&repo(), &expr(at), &ListRequest::default()).await?;
        let mut content = Content::new();
        loop {
            let items = cursor.next_items(7).await?;
            if items.is_empty() {
                return Ok(content);
            }
            for item in items {
                match item {
                    Listing::Object(object) => {
                        let entry = object.entry.checksum;
                        assert!(content.insert(object.path.to_string(), entry).is_none(), "listed twice");
                    }
                    Listing::CommonPrefix(prefix) => {
                        panic!("no delimiter was given, but '{prefix}' was listed")
                    }
                }
            }
        }
    }

    /// Cleans up, for as long as no other node is to do it.
    pub(super) async fn clean_up(&self) -> CleanUpReport {
        self.catalog.clean_up().await.unwrap().expect("no other node has the lease")
    }

    /// Puts `DIRECTORY/00` and so on.
    pub(super) async fn fill(&self, on: &str, directory: &str, count: usize) {
        let puts: Vec<_> = (0..count).map(|at| put(&format!("{directory}{at:02}"), "1")).collect();
        for puts in puts.chunks(10_000) {
            self.stage(on, puts).await.unwrap();
        }
    }

    pub(super) async fn try_move(&self, on: &str, source: &str, destination: &str) -> Result<()> {
        let what = move_directory(on, source, destination, false);
        self.catalog.move_directory(&repo(), &what, &self.mutation()).await
    }

    pub(super) async fn rename(&self, on: &str, source: &str, destination: &str) {
        self.try_move(on, source, destination).await.unwrap();
    }

    pub(super) async fn move_object(&self, on: &str, paths: [&str; 2], overwrite: bool) -> Result<()> {
        let paths = paths.map(path);
        self.catalog.move_object(&repo(), &branch(on), paths, overwrite, &self.mutation()).await
    }

    /// Deletes everything under a prefix; says whether there was anything.
    pub(super) async fn erase(&self, on: &str, under: &str) -> bool {
        self.catalog.delete_prefix(&repo(), &branch(on), &prefix(under), &self.mutation()).await.unwrap()
    }

    pub(super) async fn reset(&self, on: &str, scope: ResetScope) {
        self.catalog.reset(&repo(), &branch(on), &scope, &self.mutation()).await.unwrap();
    }

    pub(super) async fn flatten(&self, on: &str) -> bool {
        let repository = self.catalog.repository(&repo()).await.unwrap();
        self.catalog.flatten(&repository, &branch(on)).await.unwrap()
    }

    pub(super) async fn branch_head(&self, name: &str) -> CommitId {
        self.catalog.branch(&repo(), &branch(name)).await.unwrap().head
    }

    /// Seals the open layer and leaves it at that: a commit that died.
    pub(super) async fn seal(&self, on: &str) {
        let repository = self.catalog.repository(&repo()).await.unwrap();
        self.catalog.seal(&repository, &branch(on)).await.unwrap();
    }

    /// A diff as lines such as `+a`, `-b`, `~c`.
    pub(super) async fn uncommitted(&self, on: &str) -> Vec<String> {
        let diff = self.catalog.diff_branch(&repo(), &branch(on), &DiffQuery::default()).await.unwrap();
        lines(diff).await
    }

    pub(super) async fn diff(&self, left: &str, right: &str, mode: DiffMode) -> Vec<String> {
        let request = DiffRequest { left: expr(left), right: expr(right), mode, query: DiffQuery::default() };
        lines(self.catalog.diff(&repo(), &request).await.unwrap()).await
    }
}

pub(super) async fn lines(mut differences: Differences) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(changed) = differences.next().await.unwrap() {
        lines.push(line(&changed));
    }
    lines
}

/// A change as `+a`, `-b`, `~c`, or `d/ +1 -2 ~3` for a common prefix.
pub(super) fn line(changed: &Changed) -> String {
    let side = match changed {
        Changed::Path(side) => side,
        Changed::CommonPrefix(of) => {
            return format!("{} +{} -{} ~{}", of.prefix, of.added, of.removed, of.changed);
        }
    };
    let sign = match side.kind {
        DifferenceKind::Added => '+',
        DifferenceKind::Removed => '-',
        DifferenceKind::Changed => '~',
    };
    assert_eq!(side.left.is_some(), sign != '+');
    assert_eq!(side.right.is_some(), sign != '-');
    format!("{sign}{}", side.path)
}

pub(super) fn content<const N: usize>(pairs: [(&str, &str); N]) -> Content {
    pairs.into_iter().map(|(path, content)| (path.to_owned(), content.to_owned())).collect()
}
