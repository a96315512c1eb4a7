//! `show`: a commit and what it changed.

use braid_client::{
    CommitInfo, Diff as DiffRequest, DiffEntry, DiffItem, DiffKind, DiffMode, Entries, ListItem,
    StreamObjects,
};
use braid_types::{CommitId, PathPrefix, RefExpression, RepositoryName};
use clap::Args;
use futures::{StreamExt, TryStreamExt};

use crate::address::RefAddress;
use crate::commands::diff::show_all;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::CommitView;

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid show braid://lake/main
  braid show braid://lake/main~3 -o json

Changes are those against the first parent. With -o json the commit comes first, then a line for each change.")]
pub struct Show {
    /// braid://repository/ref
    at: RefAddress,
}

impl Show {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let repository = self.at.repository;
        let commit = session.client.get_commit(&repository, &self.at.reference).await?;
        let changes = changes(&repository, &commit, &session)?;
        session.console.show(&CommitView::from(commit)).await?;
        show_all(changes, session).await
    }
}

/// What `commit` changed, compared with its first parent. A first commit adds all that it has.
fn changes(
    repository: &RepositoryName,
    commit: &CommitInfo,
    session: &Session<'_>,
) -> Result<Entries<DiffItem>, Failure> {
    let (repository, prefix) = (repository.clone(), PathPrefix::default());
    let right = expression(&commit.id)?;
    let Some(parent) = commit.commit.parents.first() else {
        let request = StreamObjects { repository, reference: right, prefix, delimiter: None, after: None };
        let objects = session.client.stream_objects(request);
        return Ok(objects.try_filter_map(async |item| Ok(added(item))).boxed());
    };
    let left = expression(parent)?;
    let (mode, delimiter, after) = (DiffMode::TwoDot, None, None);
    Ok(session.client.diff(DiffRequest { repository, left, right, mode, prefix, delimiter, after }))
}

fn expression(id: &CommitId) -> Result<RefExpression, Failure> {
    Ok(RefExpression::parse(&id.to_hex())?)
}

fn added(item: ListItem) -> Option<DiffItem> {
    let ListItem::Object(object) = item else { return None };
    let path = object.path.clone();
    let entry = DiffEntry { path, kind: DiffKind::Added, left: None, right: Some(object) };
    Some(DiffItem::Entry(entry))
}
