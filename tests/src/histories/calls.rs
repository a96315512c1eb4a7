//! What clients ask for as calls of a catalog, and what it answers as answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_catalog::{
    Applied, ApplyOperation, ApplyRequest, BranchAddress, Catalog, CommitRequest, Condition, ListRequest,
    Listing, MergeRequest, MoveDirectory, Mutation, Precondition, ResetScope, SetAction, SetMember,
    StagedOperation, Strategy,
};
use braid_types::{
    AddressType, BranchName, Code, Entry, Error, ObjectPath, PathPrefix, RefExpression, RepositoryName,
    TagName, Time,
};

use super::importing;
use super::words::{Answer, Ask, Member, Of, To, Tree, Write};

/// The repositories: most branches are in the first; `pond/main` is in the second.
pub(super) const REPOSITORIES: [&str; 2] = ["lake", "pond"];

/// Where a branch, or a tag, of this name is.
fn place_of(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or((REPOSITORIES[0], name))
}

pub(super) fn branch_at(name: &str) -> BranchAddress {
    let (repository, branch) = place_of(name);
    BranchAddress { repository: repository_of(repository), branch: name_of(branch) }
}

pub(super) fn repository_of(name: &str) -> RepositoryName {
    RepositoryName::new(name).expect("it is a name")
}

fn name_of(branch: &str) -> BranchName {
    BranchName::new(branch).expect("it is a name")
}

/// Does what was asked, and says what came of it.
///
/// # Errors
/// Those after which nothing is known of the lake: it was done if [`Error::may_have_happened`], and else not.
pub(super) async fn carry_out(catalog: &Catalog, ask: &Ask, mutation: &Mutation) -> Result<Answer, Error> {
    match tried(catalog, ask, mutation).await {
        Err(error) => refusal(ask, error),
        told => told,
    }
}

async fn tried(catalog: &Catalog, ask: &Ask, mutation: &Mutation) -> Result<Answer, Error> {
    match ask {
        Ask::Get { branch, of, path } => return get(catalog, branch, *of, path).await,
        Ask::List { branch, of } => return list(catalog, branch, *of).await.map(Answer::Content),
        Ask::Pages { .. } => unreachable!("pages are read by several calls"),
        Ask::Apply { writes, absent } => return apply(catalog, writes, absent, mutation).await,
        Ask::Import { branch, sources, commit } => {
            return importing::import(catalog, &branch_at(branch), sources, *commit, mutation).await;
        }
        Ask::Erase { branch, prefix } => {
            let BranchAddress { repository, branch } = branch_at(branch);
            let erased = catalog.delete_prefix(&repository, &branch, &prefix_of(prefix), mutation).await?;
            return Ok(if erased { Answer::Done } else { Answer::Nothing });
        }
        Ask::Move { branch, from, to } => {
            let BranchAddress { repository, branch } = branch_at(branch);
            let (source, destination) = (prefix_of(from), prefix_of(to));
            let what = MoveDirectory { branch, source, destination, overwrite: false };
            catalog.move_directory(&repository, &what, mutation).await?;
        }
        Ask::Reset { branch } => {
            let at = branch_at(branch);
            catalog.reset(&at.repository, &at.branch, &ResetScope::All, mutation).await?;
        }
        Ask::Commit { branch } => {
            let repository = branch_at(branch).repository;
            catalog.commit(&repository, &commit_request(branch), mutation).await?;
        }
        Ask::Merge { source, destination } => {
            let repository = branch_at(destination).repository;
            catalog.merge(&repository, &merge_request(source, destination), mutation).await?;
        }
        Ask::HardReset { branch, to } => {
            let (at, to) = (branch_at(branch), target(branch, to));
            catalog.hard_reset(&at.repository, &at.branch, &to, mutation).await?;
        }
        Ask::Set { members } => {
            let members: Vec<SetMember> = members.iter().map(member).collect();
            catalog.commit_set(&members, mutation).await?;
        }
        Ask::CreateBranch { name, source } => {
            let (at, source) = (branch_at(name), reference(source, Of::Working));
            catalog.create_branch(&at.repository, &at.branch, &source, mutation).await?;
        }
        Ask::DeleteBranch { name } => {
            let at = branch_at(name);
            catalog.delete_branch(&at.repository, &at.branch, mutation).await?;
        }
    }
    Ok(Answer::Done)
}

/// What a refusal says of the lake, if anything.
pub(super) fn refusal(ask: &Ask, error: Error) -> Result<Answer, Error> {
    if error.may_have_happened() {
        return Err(error);
    }
    let is_hard_reset = matches!(ask, Ask::HardReset { to: To::Back(_), .. });
    // What is missing may be what was to be found at either of their moments.
    let is_two_step = matches!(ask, Ask::Commit { .. } | Ask::Merge { .. } | Ask::Set { .. });
    match error.code() {
        Code::Internal | Code::Corrupt => panic!("{ask:?}: {error}"),
        _ if is_two_step => Err(error),
        Code::RefNotFound if is_hard_reset => Ok(Answer::Nothing),
        Code::BranchNotFound | Code::RefNotFound => Ok(Answer::NoBranch),
        Code::BranchExists => Ok(Answer::BranchExists),
        Code::PreconditionFailed | Code::DestinationExists => Ok(Answer::Refused),
        Code::ObjectNotFound => Ok(Answer::Nothing),
        _ => Err(error),
    }
}

/// What a branch or a tag is called in an expression.
pub(super) fn reference(name: &str, of: Of) -> RefExpression {
    expression(name, if of == Of::Head { "@" } else { "" })
}

fn expression(name: &str, modifier: &str) -> RefExpression {
    let (_, name) = place_of(name);
    RefExpression::parse(&format!("{name}{modifier}")).expect("it is a reference")
}

fn target(branch: &str, to: &To) -> RefExpression {
    match to {
        To::Back(by) => expression(branch, &format!("~{by}")),
        To::Head(source) => reference(source, Of::Working),
    }
}

pub(super) fn prefix_of(text: &str) -> PathPrefix {
    PathPrefix::new(text).expect("it is a prefix")
}

pub(super) fn path_of(text: &str) -> ObjectPath {
    ObjectPath::new(text).expect("it is a path")
}

fn member(member: &Member) -> SetMember {
    let (place, action) = match member {
        Member::Commit { branch } => (branch, SetAction::Commit(commit_request(branch))),
        Member::Merge { source, destination } => {
            (destination, SetAction::Merge(merge_request(source, destination)))
        }
        Member::Back { branch, by } => {
            let to = target(branch, &To::Back(*by));
            (branch, SetAction::HardReset { branch: branch_at(branch).branch, to })
        }
        Member::Tag { name, branch } => {
            let (name, reference) = (TagName::new(name).expect("it is a name"), reference(branch, Of::Head));
            (branch, SetAction::Tag { name, reference })
        }
    };
    SetMember { repository: branch_at(place).repository, action }
}

async fn get(catalog: &Catalog, branch: &str, of: Of, path: &str) -> Result<Answer, Error> {
    match catalog.stat(&branch_at(branch).repository, &reference(branch, of), &path_of(path)).await {
        Ok(object) => Ok(Answer::Value(Some(object.entry.checksum))),
        Err(error) if error.code() == Code::ObjectNotFound => Ok(Answer::Value(None)),
        Err(error) => Err(error),
    }
}

async fn list(catalog: &Catalog, branch: &str, of: Of) -> Result<Tree, Error> {
    let (repository, reference) = (branch_at(branch).repository, reference(branch, of));
    let mut cursor = catalog.object_cursor(&repository, &reference, &ListRequest::default()).await?;
    let mut content = BTreeMap::new();
    loop {
        let items = cursor.next_items(3).await?;
        if items.is_empty() {
            return Ok(Arc::new(content));
        }
        content.extend(items.into_iter().map(seen));
    }
}

/// A path of a listing and what it holds.
pub(super) fn seen(item: Listing) -> (String, String) {
    match item {
        Listing::Object(object) => (object.path.to_string(), object.entry.checksum),
        Listing::CommonPrefix(prefix) => panic!("'{prefix}' was listed without a delimiter"),
    }
}

async fn apply(
    catalog: &Catalog,
    writes: &[Write],
    absent: &[(String, String)],
    mutation: &Mutation,
) -> Result<Answer, Error> {
    let applied = match (writes, absent) {
        ([write], []) => {
            let operations = [operation(write)];
            let at = branch_at(&write.branch);
            catalog.stage(&at.repository, &at.branch, &operations, mutation).await?
        }
        _ => {
            let preconditions = absent.iter().map(|(branch, path)| Precondition {
                at: branch_at(branch),
                path: path_of(path),
                condition: Condition::IfAbsent,
            });
            let operations = writes.iter().map(|write| ApplyOperation {
                at: branch_at(&write.branch),
                repository_id: None,
                operation: operation(write),
            });
            let request =
                ApplyRequest { preconditions: preconditions.collect(), operations: operations.collect() };
            catalog.apply(&request, mutation).await?
        }
    };
    Ok(if applied == [Applied::Missing] { Answer::Nothing } else { Answer::Done })
}

fn operation(write: &Write) -> StagedOperation {
    let path = path_of(&write.path);
    let condition = if write.if_absent { Condition::IfAbsent } else { Condition::Always };
    match &write.value {
        Some(value) => StagedOperation::Put { path, entry: entry(value), condition },
        None => StagedOperation::Delete { path, condition },
    }
}

fn entry(value: &str) -> Entry {
    Entry {
        address: format!("data/{value}"),
        address_type: AddressType::Relative,
        size: value.len() as u64,
        checksum: value.to_owned(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        mtime: Time::from_seconds(1),
    }
}

fn commit_request(branch: &str) -> CommitRequest {
    CommitRequest {
        branch: branch_at(branch).branch,
        committer: "client".to_owned(),
        message: "commit".to_owned(),
        metadata: BTreeMap::new(),
        time: None,
        allow_empty: false,
    }
}

fn merge_request(source: &str, destination: &str) -> MergeRequest {
    MergeRequest {
        source: reference(source, Of::Working),
        destination: branch_at(destination).branch,
        strategy: Strategy::Refuse,
        committer: "client".to_owned(),
        message: String::new(),
        metadata: BTreeMap::new(),
        squash: false,
        allow_empty: false,
        time: None,
    }
}
