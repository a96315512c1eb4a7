//! Pull requests: branches that are proposed to be merged into others.

use std::collections::BTreeMap;

use braid_types::{BranchName, CommitId, PullId, RepositoryName, Time};

use crate::field::{enumeration, message};
use crate::merge::MergeStrategy;
use crate::page::page;

/// What became of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PullRequestStatus {
    /// It can be merged.
    Open,
    /// It was closed without being merged.
    Closed,
    /// It was merged, for good.
    Merged,
}

/// Which pull requests of a list are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PullRequestFilter {
    /// All.
    #[default]
    All,
    /// Those that can be merged.
    Open,
    /// Those that were closed or merged.
    Closed,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its id.
    pub id: PullId,
    /// What it is called.
    pub title: String,
    /// What is said of it; empty in lists.
    pub description: String,
    /// Who made it.
    pub author: String,
    /// The branch that is to be merged. It may have been deleted.
    pub source: BranchName,
    /// The branch that it is to be merged into. It may have been deleted.
    pub destination: BranchName,
    /// What became of it.
    pub status: PullRequestStatus,
    /// When it was made.
    pub created_at: Time,
    /// When it was closed or merged; none while it is open.
    pub closed_at: Option<Time>,
    /// The merge commit of one that was merged.
    pub merged_commit_id: Option<CommitId>,
}

/// Makes a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePullRequest {
    /// Where.
    pub repository: RepositoryName,
    /// What it is called.
    pub title: String,
    /// What is said of it.
    pub description: String,
    /// The branch that is to be merged.
    pub source: BranchName,
    /// The branch that it is to be merged into.
    pub destination: BranchName,
}

/// Asks for a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetPullRequest {
    /// Where.
    pub repository: RepositoryName,
    /// Which.
    pub id: PullId,
}

/// Asks for a page of pull requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPullRequests {
    /// Where.
    pub repository: RepositoryName,
    /// What became of them.
    pub filter: PullRequestFilter,
    /// What their ids begin with.
    pub prefix: String,
    /// What their ids come after, which need not be one's.
    pub after: Option<String>,
    /// Most items on the page.
    pub page_size: Option<u32>,
    /// What the page before gave; none for the first page.
    pub page_token: Option<String>,
}

/// Changes what is said of a pull request, closes it or opens it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatePullRequest {
    /// Where.
    pub repository: RepositoryName,
    /// Which.
    pub id: PullId,
    /// What it is called from now on.
    pub title: Option<String>,
    /// What is said of it from now on.
    pub description: Option<String>,
    /// Open or closed from now on.
    pub status: Option<PullRequestStatus>,
}

/// Merges a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePullRequest {
    /// Where.
    pub repository: RepositoryName,
    /// Which.
    pub id: PullId,
    /// What to do with conflicts.
    pub strategy: MergeStrategy,
    /// What to say of it; the server writes a text if it is not given.
    pub message: Option<String>,
    /// Keys and values to go with it.
    pub metadata: BTreeMap<String, String>,
    /// Whether the commit has the destination's head as its only parent.
    pub squash: bool,
}

enumeration!(PullRequestStatus = PullRequestStatus { Open => Open, Closed => Closed, Merged => Merged });
enumeration!(PullRequestFilter = PullRequestFilter { Unspecified => All, Open => Open, Closed => Closed });
message!(
    PullRequest = PullRequest {
        id,
        title,
        description,
        author,
        source,
        destination,
        status,
        created_at: required,
        closed_at: optional,
        merged_commit_id,
    }
);
message!(CreatePullRequest = CreatePullRequestRequest {
    repository,
    title,
    description,
    source,
    destination,
} mutation);
message!(GetPullRequest = GetPullRequestRequest { repository, id });
message!(
    ListPullRequests = ListPullRequestsRequest { repository, filter, prefix, after, page_size, page_token }
);
message!(UpdatePullRequest = UpdatePullRequestRequest {
    repository,
    id,
    title: optional,
    description: optional,
    status: optional,
} mutation);
message!(MergePullRequest = MergePullRequestRequest {
    repository,
    id,
    strategy,
    message,
    metadata,
    squash,
} mutation);
page!(PullRequest = ListPullRequestsResponse.pull_requests);
