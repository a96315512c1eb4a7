//! Dumps of references, and restoring them.

use braid_types::{BranchName, Code, Error, MetarangeId, RepositoryName};

use crate::Repository;
use crate::field::{Field, conversions, in_field, message};
use crate::page::batch;
use crate::proto;

/// The trees of a dump, by the names that lakeFS's manifests have for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefsManifest {
    /// The tree of commits.
    pub commits_meta_range_id: MetarangeId,
    /// The tree of branches.
    pub branches_meta_range_id: MetarangeId,
    /// The tree of tags.
    pub tags_meta_range_id: MetarangeId,
}

/// How far a dump or a restore has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefsProgress {
    /// Commits that were written.
    pub commits: u64,
    /// Commits that there are to write; 0 while it is not known.
    pub commits_total: u64,
    /// Branches that were written.
    pub branches: u64,
    /// Tags that were written.
    pub tags: u64,
    /// Restored commits whose parents were found.
    pub checked: u64,
}

/// Asks for a dump of a repository's references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpRefs {
    /// Which repository.
    pub repository: RepositoryName,
}

/// What was dumped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpedRefs {
    /// Its trees.
    pub manifest: RefsManifest,
    /// Where the manifest is.
    pub manifest_uri: String,
    /// How many commits are in it.
    pub commits: u64,
    /// How many branches are in it.
    pub branches: u64,
    /// How many tags are in it.
    pub tags: u64,
    /// How many branches have uncommitted changes, which are not in it.
    pub uncommitted: u64,
    /// Some of those branches.
    pub uncommitted_branches: Vec<BranchName>,
}

/// What a dump has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpEvent {
    /// It has come so far.
    Progress(RefsProgress),
    /// It is done; this comes last.
    Done(DumpedRefs),
}

/// Restores references from a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRefs {
    /// The repository: empty, unless it is to be made.
    pub repository: RepositoryName,
    /// Which dump; the one that the manifest in the storage namespace names if it is not given.
    pub manifest: Option<RefsManifest>,
    /// Makes the repository over this place, which has the dump and the trees.
    pub storage_namespace: Option<String>,
    /// The default branch of the repository that is made; `main` or the only branch if it is not given.
    pub default_branch: Option<BranchName>,
    /// Whether to take the storage namespace from another installation that holds it.
    pub take_over: bool,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredRefs {
    /// The repository.
    pub repository: Repository,
    /// How many commits it has.
    pub commits: u64,
    /// How many branches it has.
    pub branches: u64,
    /// How many tags it has.
    pub tags: u64,
}

/// What a restore has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreEvent {
    /// It has come so far.
    Progress(RefsProgress),
    /// It is done; this comes last.
    Done(RestoredRefs),
}

message!(RefsManifest = RefsManifest { commits_meta_range_id, branches_meta_range_id, tags_meta_range_id });
message!(RefsProgress = RefsProgress { commits, commits_total, branches, tags, checked });
message!(DumpRefs = DumpRefsRequest { repository });
message!(
    DumpedRefs = DumpedRefs {
        manifest: required,
        manifest_uri,
        commits,
        branches,
        tags,
        uncommitted,
        uncommitted_branches,
    }
);
message!(
    RestoreRefs = RestoreRefsRequest {
        repository,
        manifest: optional,
        storage_namespace,
        default_branch,
        take_over,
    } mutation
);
message!(RestoredRefs = RestoredRefs { repository: required, commits, branches, tags });
batch!(DumpEvent = DumpRefsResponse.events);
batch!(RestoreEvent = RestoreRefsResponse.events);

/// Events that are progress, or what was done.
macro_rules! events {
    ($name:ident = $proto:ident in $module:ident) => {
        conversions!($name = $proto);

        impl Field for $name {
            type Wire = proto::$proto;

            fn read(wire: proto::$proto) -> Result<Self, Error> {
                use proto::$module::Event;
                match wire.event {
                    Some(Event::Progress(progress)) => {
                        in_field("progress", Field::read(progress)).map(Self::Progress)
                    }
                    Some(Event::Done(done)) => in_field("done", Field::read(done)).map(Self::Done),
                    None => Err(Error::new(
                        Code::InvalidArgument,
                        "event",
                        "event: one of 'progress' and 'done' must be given",
                    )),
                }
            }

            fn write(self) -> proto::$proto {
                use proto::$module::Event;
                let event = match self {
                    Self::Progress(progress) => Event::Progress(progress.write()),
                    Self::Done(done) => Event::Done(done.write()),
                };
                proto::$proto { event: Some(event) }
            }
        }
    };
}

events!(DumpEvent = DumpRefsEvent in dump_refs_event);
events!(RestoreEvent = RestoreRefsEvent in restore_refs_event);
