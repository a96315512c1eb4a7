//! Dumps of references in lakeFS's format: three trees of commits, branches and tags, and a manifest with their names.
//!
//! A record's key is the id or name, its identity the id of the commit (of a branch or tag, that which it points at), its
//! data the protobuf message of lakeFS. What is read is checked: a commit is hashed to its id, names keep to the rules.

use std::collections::BTreeMap;

use braid_tree::{LabelledRecord, Labels, Record, Value};
use braid_types::{BranchName, Code, Commit, CommitId, Error, MetarangeId, Result, TagName, Time};
use bytes::Bytes;
use prost::Message;

/// The three trees of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefsManifest {
    /// The tree of commits.
    pub commits: MetarangeId,
    /// The tree of branches.
    pub branches: MetarangeId,
    /// The tree of tags.
    pub tags: MetarangeId,
}

pub(crate) const COMMITS: Labels = Labels {
    entity: "commit",
    schema_name: "io.treeverse.lakefs.graveler.CommitData",
    schema_definition: include_str!("refs_dump/commit_data.json"),
};

pub(crate) const BRANCHES: Labels = Labels {
    entity: "branch",
    schema_name: "io.treeverse.lakefs.graveler.BranchData",
    schema_definition: include_str!("refs_dump/branch_data.json"),
};

pub(crate) const TAGS: Labels = Labels {
    entity: "tag",
    schema_name: "io.treeverse.lakefs.graveler.TagData",
    schema_definition: include_str!("refs_dump/tag_data.json"),
};

/// lakeFS's `CommitData`.
#[derive(Clone, PartialEq, Message)]
struct CommitData {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    committer: String,
    #[prost(string, tag = "3")]
    message: String,
    #[prost(message, optional, tag = "4")]
    creation_date: Option<Timestamp>,
    #[prost(string, tag = "5")]
    meta_range_id: String,
    #[prost(btree_map = "string, string", tag = "6")]
    metadata: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "7")]
    parents: Vec<String>,
    #[prost(int32, tag = "8")]
    version: i32,
    #[prost(int32, tag = "9")]
    generation: i32,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// What lakeFS's `BranchData` and `TagData` have in common, which is all that dumps have of them.
#[derive(Clone, PartialEq, Message)]
struct RefData {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    commit_id: String,
}

/// A commit as a record of a dump.
pub(crate) fn commit_record(id: &CommitId, commit: &Commit) -> Result<Record> {
    let generation = i32::try_from(commit.generation).map_err(|_| {
        let message = format!("commit '{id}' has generation {}; a dump holds 31 bits", commit.generation);
        Error::new(Code::LimitExceeded, id.to_hex(), message)
    })?;
    let data = CommitData {
        id: id.to_hex(),
        committer: commit.committer.clone(),
        message: commit.message.clone(),
        creation_date: Some(timestamp(commit.time)),
        meta_range_id: commit.metarange.map(|tree| tree.to_hex()).unwrap_or_default(),
        metadata: commit.metadata.clone(),
        parents: commit.parents.iter().map(CommitId::to_hex).collect(),
        version: commit.version,
        generation,
    };
    Ok(record(&data.id, &data.id, &data))
}

/// A branch as a record of a dump.
pub(crate) fn branch_record(name: &BranchName, head: &CommitId) -> Record {
    ref_record(name.as_str(), head)
}

/// A tag as a record of a dump.
pub(crate) fn tag_record(name: &TagName, commit: &CommitId) -> Record {
    ref_record(name.as_str(), commit)
}

fn ref_record(name: &str, commit: &CommitId) -> Record {
    let data = RefData { id: name.to_owned(), commit_id: commit.to_hex() };
    record(name, &data.commit_id, &data)
}

fn record(key: &str, identity: &str, data: &impl Message) -> Record {
    let value = Value::framed(identity.as_bytes(), &data.encode_to_vec());
    Record { key: Bytes::copy_from_slice(key.as_bytes()), value }
}

/// Times before the epoch count nanoseconds forwards as well.
fn timestamp(time: Time) -> Timestamp {
    Timestamp { seconds: time.seconds, nanos: i32::try_from(time.nanos).expect("less than a second") }
}

/// The commit in a record of a dump, which hashes to its id.
///
/// # Errors
/// [`Code::Corrupt`], [`Code::InvalidDump`]; they name file and record.
pub(crate) fn read_commit(found: &LabelledRecord) -> Result<(CommitId, Commit)> {
    let data: CommitData = decode(found)?;
    check_key(found, &data.id, &data.id)?;
    let id: CommitId = parse(found, &data.id)?;
    let generation = u32::try_from(data.generation).ok().filter(|&generation| generation > 0);
    let generation = generation.ok_or_else(|| {
        let what = format!("its generation is {}; dumps of lakeFS before 0.61 have none", data.generation);
        invalid(found, &what)
    })?;
    let parents = data.parents.iter().map(|parent| parse(found, parent));
    let commit = Commit {
        parents: parents.collect::<Result<_>>()?,
        metarange: match &data.meta_range_id[..] {
            "" => None,
            id => Some(parse(found, id)?),
        },
        time: time(found, data.creation_date.unwrap_or_default())?,
        committer: data.committer,
        message: data.message,
        metadata: data.metadata,
        generation,
        version: data.version,
    };
    if commit.id() != id {
        return Err(corrupt(found, &format!("the commit has the hash '{}'", commit.id())));
    }
    Ok((id, commit))
}

/// The branch in a record of a dump, and its head.
///
/// # Errors
/// As [`read_commit`].
pub(crate) fn read_branch(found: &LabelledRecord) -> Result<(BranchName, CommitId)> {
    let (name, head) = read_ref(found)?;
    Ok((BranchName::new(name).map_err(|error| invalid(found, error.message()))?, head))
}

/// The tag in a record of a dump, and its commit.
///
/// # Errors
/// As [`read_commit`].
pub(crate) fn read_tag(found: &LabelledRecord) -> Result<(TagName, CommitId)> {
    let (name, commit) = read_ref(found)?;
    Ok((TagName::new(name).map_err(|error| invalid(found, error.message()))?, commit))
}

fn read_ref(found: &LabelledRecord) -> Result<(String, CommitId)> {
    let data: RefData = decode(found)?;
    check_key(found, &data.id, &data.commit_id)?;
    let commit = parse(found, &data.commit_id)?;
    Ok((data.id, commit))
}

fn decode<M: Message + Default>(found: &LabelledRecord) -> Result<M> {
    M::decode(found.record.value.data()).map_err(|error| corrupt(found, &error.to_string()))
}

fn check_key(found: &LabelledRecord, id: &str, identity: &str) -> Result<()> {
    if found.record.key != id.as_bytes() {
        return Err(corrupt(found, &format!("it is of '{id}'")));
    }
    if found.record.identity() != identity.as_bytes() {
        return Err(corrupt(found, "its identity is another one than its data says"));
    }
    Ok(())
}

fn parse<T: std::str::FromStr<Err = Error>>(found: &LabelledRecord, id: &str) -> Result<T> {
    id.parse().map_err(|error: Error| corrupt(found, error.message()))
}

fn time(found: &LabelledRecord, timestamp: Timestamp) -> Result<Time> {
    let nanos = u32::try_from(timestamp.nanos).ok().filter(|&nanos| nanos < 1_000_000_000);
    let nanos = nanos.ok_or_else(|| corrupt(found, "its time is none"))?;
    Ok(Time { seconds: timestamp.seconds, nanos })
}

/// The error of a record that no version of lakeFS or Braid wrote.
fn corrupt(found: &LabelledRecord, what: &str) -> Error {
    refusal(Code::Corrupt, found, what)
}

/// The error of a record that cannot be taken over.
pub(crate) fn invalid(found: &LabelledRecord, what: &str) -> Error {
    refusal(Code::InvalidDump, found, what)
}

fn refusal(code: Code, found: &LabelledRecord, what: &str) -> Error {
    let key = found.record.key.escape_ascii().to_string();
    let message = format!("dump of references: range '{}', record '{key}': {what}", found.range);
    Error::new(code, key, message)
}
