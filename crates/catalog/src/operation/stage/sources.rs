//! What copies copy: where each source is found, and the sources that are committed.

use std::collections::{BTreeMap, HashMap};

use braid_tree::Value;
use braid_types::{BranchName, Code, Error, ObjectPath, RefExpression, Result, TagName, limits};
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::StagedOperation;
use super::job::{BranchAddress, Job};
use super::staging::Staging;
use crate::catalog::{Catalog, load_repository};
use crate::mutation::lost_race;
use crate::record::{self, RepositoryRecord};
use crate::resolve::{RefKind, Resolved, resolve};
use crate::view::View;

/// Most ranges read at once, for the copies of one job.
const PARALLEL_LOOKUPS: usize = 16;

/// Where a copy finds its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Among what is seen on the branch with this index, as the operations before the copy left it.
    Staged(usize),
    /// In a commit.
    Committed,
}

/// The committed sources of a job, as its transaction sees them.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// By the index of the operation.
    values: HashMap<usize, Result<Option<Value>>>,
    /// Where the refs are kept that the job relies on: whoever moves one meanwhile conflicts with it.
    refs: Vec<Bytes>,
}

/// A commit that sources are looked up in, or why there is none.
struct At {
    view: Result<View>,
    refs: Vec<Bytes>,
}

impl Committed {
    /// The source of the copy with this index, if there is one.
    pub(super) fn value(&self, index: usize) -> Result<Option<Value>> {
        self.values.get(&index).expect("every committed source was read").clone()
    }

    /// The keys of the refs that were relied on.
    pub(super) fn refs(&self) -> &[Bytes] {
        &self.refs
    }
}

impl Catalog {
    /// Finds out which references of copies are branches with what is staged on them. The job is then on those branches
    /// too: their lanes are taken before its transaction begins. What no ref is named by is left for the transaction to
    /// refuse: the request may have been done before.
    ///
    /// # Errors
    /// [`Code::LimitExceeded`] when there are too many branches.
    pub(super) async fn place_sources(&self, job: &mut Job) -> Result<()> {
        let named = named(job);
        if named.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot().await?;
        for ((on, text), copies) in named {
            let at = job.branches[on].clone();
            let resolved = async {
                let repository = load_repository(&snapshot, &at.repository).await?;
                resolve(self, &snapshot, &repository, &RefExpression::parse(&text)?).await
            };
            let source = match resolved.await {
                Ok(resolved) => place(job, &at, &resolved)?,
                Err(error) if error.is_retryable() => return Err(error),
                Err(_) => Source::Committed,
            };
            job.sources.extend(copies.into_iter().map(|index| (index, source)));
        }
        Ok(())
    }
}

/// The references of copies, each with one branch of its repository, and the copies that name it.
fn named(job: &Job) -> BTreeMap<(usize, String), Vec<usize>> {
    let mut first_on = HashMap::new();
    let mut named: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, placed) in job.operations.iter().enumerate() {
        if let Some((reference, _)) = reference(&placed.what) {
            let on = *first_on.entry(&job.branches[placed.on].repository).or_insert(placed.on);
            named.entry((on, reference.text().to_owned())).or_default().push(index);
        }
    }
    named
}

fn reference(operation: &StagedOperation) -> Option<(&RefExpression, &ObjectPath)> {
    match operation {
        StagedOperation::Copy { source, .. } => {
            source.reference.as_ref().map(|reference| (reference, &source.path))
        }
        _ => None,
    }
}

/// Where sources at a reference are found; the job is then on its branch, if it has one.
fn place(job: &mut Job, beside: &BranchAddress, resolved: &Resolved) -> Result<Source> {
    let (Some((branch, _)), true) = (&resolved.branch, resolved.staged_branch().is_some()) else {
        return Ok(Source::Committed);
    };
    let at = BranchAddress { repository: beside.repository.clone(), branch: branch.clone() };
    if let Some(on) = job.branches.iter().position(|branch| *branch == at) {
        return Ok(Source::Staged(on));
    }
    let most = limits::TRANSACTION_BRANCHES;
    if job.branches.len() == most {
        let message =
            format!("a transaction is on at most {most} branches, those that it copies from among them");
        return Err(Error::new(Code::LimitExceeded, "branches", message));
    }
    job.branches.push(at);
    job.pins.push(None);
    Ok(Source::Staged(job.branches.len() - 1))
}

/// Reads the committed sources of a job in its transaction.
pub(super) async fn read_committed(catalog: &Catalog, staging: &Staging, job: &Job) -> Committed {
    let mut found = Committed::default();
    let mut commits: BTreeMap<(usize, &str), Vec<(usize, &ObjectPath)>> = BTreeMap::new();
    for (&index, source) in &job.sources {
        let placed = &job.operations[index];
        if let (Source::Committed, Some((reference, path))) = (source, reference(&placed.what)) {
            commits.entry((placed.on, reference.text())).or_default().push((index, path));
        }
    }
    for ((on, text), copies) in commits {
        let at = commit_at(catalog, staging, &staging.branches[on].repository, text).await;
        found.refs.extend(at.refs);
        let look_up = |(index, path): (usize, &ObjectPath)| {
            let (view, path) = (&at.view, path.clone());
            async move {
                let value = match view {
                    Ok(view) => view.get(&staging.txn, path.as_bytes()).await,
                    Err(error) => Err(error.clone()),
                };
                (index, value.map(|record| record.map(|record| record.value)))
            }
        };
        let values: Vec<_> =
            stream::iter(copies).map(look_up).buffer_unordered(PARALLEL_LOOKUPS).collect().await;
        found.values.extend(values);
    }
    found
}

async fn commit_at(catalog: &Catalog, staging: &Staging, repository: &RepositoryRecord, text: &str) -> At {
    let mut refs = Vec::new();
    let view = async {
        let reference = RefExpression::parse(text)?;
        let resolved = resolve(catalog, &staging.txn, repository, &reference).await?;
        if resolved.staged_branch().is_some() {
            // A branch of that name was made since: the next attempt takes a lane of it.
            return Err(lost_race(text));
        }
        refs = relied_on(repository, &reference, resolved.kind);
        let commit = catalog.load_commit(&staging.txn, repository, &resolved.commit).await?;
        Ok(View::committed(commit.metarange, catalog.ranges(repository).await?))
    };
    let view = view.await;
    At { view, refs }
}

/// Where the ref is kept that an expression begins with, if it can move.
fn relied_on(repository: &RepositoryRecord, reference: &RefExpression, kind: RefKind) -> Vec<Bytes> {
    let branch =
        |name: &str| BranchName::new(name).ok().map(|name| record::branch::key(&repository.id, &name));
    let tag = |name: &str| TagName::new(name).ok().map(|name| record::tag::key(&repository.id, &name));
    match kind {
        RefKind::Branch => branch(reference.base()).into_iter().collect(),
        // A tag may hold characters that look like modifiers.
        RefKind::Tag => [tag(reference.base()), tag(reference.text())].into_iter().flatten().collect(),
        RefKind::Commit => Vec::new(),
    }
}
