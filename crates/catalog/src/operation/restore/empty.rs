//! What an empty repository is: as it was made.

use braid_kv::ScanOptions;
use braid_types::{Code, Error, Result};

use crate::catalog::load_branch;
use crate::operation::seal::is_clean;
use crate::record::{self, BranchRecord, RepositoryRecord};
use crate::view::Reads;

/// Refuses a repository that has anything but its first, empty commit on its default branch; else gives that branch. Certain
/// only in a transaction that holds the fences of both.
///
/// # Errors
/// [`Code::RepositoryNotEmpty`].
pub(super) async fn refuse_content(reads: &dyn Reads, repository: &RepositoryRecord) -> Result<BranchRecord> {
    let id = &repository.id;
    let branches = reads.scan(&record::branch::range(id, ""), ScanOptions::first(2).keys_only()).await?;
    for (key, _) in &branches {
        let name = record::branch::parse_key(id, key)?;
        if name != repository.default_branch {
            return Err(not_empty(repository, &format!("it has the branch '{name}'")));
        }
    }
    let tags = reads.scan(&record::tag::range(id, ""), ScanOptions::first(1).keys_only()).await?;
    if let Some((key, _)) = tags.first() {
        let name = record::tag::parse_key(id, key)?;
        return Err(not_empty(repository, &format!("it has the tag '{name}'")));
    }
    let branch = load_branch(reads, repository, &repository.default_branch).await?;
    if has_history(reads, repository, &branch).await? {
        let what = format!("there are commits on branch '{}'", repository.default_branch);
        return Err(not_empty(repository, &what));
    }
    if !is_clean(reads, &branch).await? {
        let what = format!("branch '{}' has uncommitted changes", repository.default_branch);
        return Err(not_empty(repository, &what));
    }
    Ok(branch)
}

async fn has_history(
    reads: &dyn Reads,
    repository: &RepositoryRecord,
    branch: &BranchRecord,
) -> Result<bool> {
    let key = record::commit::key(&repository.id, &branch.head);
    let Some(bytes) = reads.get(&key).await? else {
        return Ok(true);
    };
    let head = record::commit::decode(&branch.head, &bytes)?;
    Ok(!head.parents.is_empty() || head.metarange.is_some())
}

fn not_empty(repository: &RepositoryRecord, what: &str) -> Error {
    let name = &repository.name;
    let message =
        format!("repository '{name}' is not empty: {what}; references are restored into an empty one");
    Error::new(Code::RepositoryNotEmpty, name.as_str(), message)
}
