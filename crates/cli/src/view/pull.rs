//! Pull requests.

use std::fmt;

use braid_client::{PullRequest, PullRequestStatus};
use serde::Serialize;

use crate::text::Plain;

/// A pull request, in full.
#[derive(Serialize)]
pub(crate) struct PullView {
    id: String,
    title: String,
    description: String,
    author: String,
    source: String,
    destination: String,
    status: &'static str,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_commit_id: Option<String>,
}

impl From<PullRequest> for PullView {
    fn from(pull: PullRequest) -> Self {
        Self {
            id: pull.id.to_string(),
            title: pull.title,
            description: pull.description,
            author: pull.author,
            source: pull.source.to_string(),
            destination: pull.destination.to_string(),
            status: match pull.status {
                PullRequestStatus::Open => "open",
                PullRequestStatus::Closed => "closed",
                PullRequestStatus::Merged => "merged",
            },
            created_at: pull.created_at.to_string(),
            closed_at: pull.closed_at.map(|time| time.to_string()),
            merged_commit_id: pull.merged_commit_id.map(|id| id.to_hex()),
        }
    }
}

impl fmt::Display for PullView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pull request {}", self.id)?;
        writeln!(f, "title:   {}", Plain(&self.title))?;
        writeln!(f, "merges:  {} into {}", self.source, self.destination)?;
        writeln!(f, "author:  {}", Plain(&self.author))?;
        writeln!(f, "created: {}", self.created_at)?;
        write!(f, "status:  {}", self.status)?;
        if let Some(at) = &self.closed_at {
            write!(f, " {at}")?;
        }
        if let Some(commit) = &self.merged_commit_id {
            write!(f, "\ncommit:  {commit}")?;
        }
        if !self.description.is_empty() {
            writeln!(f)?;
        }
        for line in self.description.lines() {
            write!(f, "\n    {}", Plain(line))?;
        }
        Ok(())
    }
}

/// A pull request on a line.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct PullLine(PullView);

impl From<PullRequest> for PullLine {
    fn from(pull: PullRequest) -> Self {
        Self(pull.into())
    }
}

impl fmt::Display for PullLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pull) = self;
        let (source, destination) = (&pull.source, &pull.destination);
        write!(f, "{}  {:<6}  {source} into {destination}  {}", pull.id, pull.status, Plain(&pull.title))
    }
}
