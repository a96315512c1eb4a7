//! `commit-set`: commits, merges, hard resets and tags on several branches, all or none.

use std::fmt;
use std::path::PathBuf;

use braid_client::{CommitInfo, CommitSet as Request, SetMember};
use clap::Args;
use serde::Serialize;

use crate::commands::commit_set_lines::parse;
use crate::commands::source::read_source;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Arguments of `commit-set`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid commit-set release.jsonl
  make-release | braid commit-set -

Each line is a JSON object, of one of four kinds:
  {\"op\": \"commit\", \"branch\": \"braid://lake/dev\", \"message\": \"January\"}
  {\"op\": \"merge\", \"source\": \"braid://lake/dev\", \"into\": \"main\"}
  {\"op\": \"tag\", \"tag\": \"braid://lake/v1\", \"ref\": \"main\"}
  {\"op\": \"reset\", \"branch\": \"braid://other/stable\", \"to\": \"main\"}

A commit may have `metadata` (an object of texts) and `allow_empty`; a merge also `message`, `squash`, and `strategy`, which is
`source-wins` or `dest-wins`. Everything is done in one transaction: up to 1,000 lines on any number of branches, of one or
several repositories. Lines are carried out in order, each on what those before it left, so that a tag of `main` names what a
merge before it made. If one line fails, nothing is done, and it is named.")]
pub struct CommitSet {
    /// File with one JSON object a line; `-` is standard input
    source: PathBuf,
}

impl CommitSet {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<Exit, Failure> {
        let members = parse(&read_source(&self.source, &mut session).await?)?;
        let views: Vec<_> = members.iter().map(MemberView::new).collect();
        let commits = session.client.commit_set(Request { members }).await?;
        for (view, commit) in views.into_iter().zip(commits) {
            session.console.report(&view.done(&commit)).await?;
        }
        Ok(Exit::Done)
    }
}

/// What a member did.
#[derive(Serialize)]
struct MemberView {
    op: &'static str,
    /// The branch or tag that it changed.
    address: String,
    commit_id: String,
}

impl MemberView {
    fn new(member: &SetMember) -> Self {
        let (op, repository, name) = match member {
            SetMember::Commit(commit) => ("commit", &commit.repository, commit.branch.as_str()),
            SetMember::Merge(merge) => ("merge", &merge.repository, merge.destination.as_str()),
            SetMember::HardReset(reset) => ("reset", &reset.repository, reset.branch.as_str()),
            SetMember::Tag(tag) => ("tag", &tag.repository, tag.name.as_str()),
        };
        Self { op, address: format!("braid://{repository}/{name}"), commit_id: String::new() }
    }

    fn done(self, commit: &CommitInfo) -> Self {
        Self { commit_id: commit.id.to_hex(), ..self }
    }
}

impl fmt::Display for MemberView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.op, self.address, self.commit_id)
    }
}
