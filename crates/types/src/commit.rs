//! Commits and the hash that names them.

use std::collections::BTreeMap;

use crate::{Code, CommitId, Error, IdentityHasher, MetarangeId, Time, limits};

/// Version number that Braid writes into commits: lakeFS's current one.
pub const COMMIT_VERSION: i32 = 1;

/// One point of a repository's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Parents, the destination of a merge first.
    pub parents: Vec<CommitId>,
    /// The whole tree; `None` is the empty tree.
    pub metarange: Option<MetarangeId>,
    /// Who committed.
    pub committer: String,
    /// What the committer says of it.
    pub message: String,
    /// Keys and values of the committer's.
    pub metadata: BTreeMap<String, String>,
    /// When, in whole seconds.
    pub time: Time,
    /// One more than the largest of the parents'; 1 without parents.
    pub generation: u32,
    /// Version of the commit's format. Neither it nor the generation is hashed.
    pub version: i32,
}

impl Commit {
    /// The commit's id: SHA-256 in lakeFS's encoding (`commit:v1`).
    pub fn id(&self) -> CommitId {
        let metarange = self.metarange.map(|id| id.to_hex()).unwrap_or_default();
        let parents: Vec<String> = self.parents.iter().map(CommitId::to_hex).collect();
        CommitId::from_bytes(hash(self, &metarange, &parents))
    }

    /// Checks every limit of a commit that is about to be made.
    pub fn check_limits(
        committer: &str,
        message: &str,
        metadata: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let metadata: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
        for (what, bytes, most) in [
            ("committer", committer.len(), limits::COMMITTER_BYTES),
            ("commit message", message.len(), limits::COMMIT_MESSAGE_BYTES),
            ("commit metadata", metadata, limits::COMMIT_METADATA_BYTES),
        ] {
            if bytes > most {
                let message = format!("{what} has {bytes} bytes; the limit is {most}");
                return Err(Error::new(Code::LimitExceeded, what, message));
            }
        }
        Ok(())
    }
}

fn hash(commit: &Commit, metarange: &str, parents: &[String]) -> [u8; 32] {
    IdentityHasher::new()
        .string("commit:v1")
        .string(&commit.committer)
        .string(&commit.message)
        .string(metarange)
        .int64(commit.time.seconds)
        .map(&commit.metadata)
        .object(&IdentityHasher::new().strings(parents).finish())
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(committer: &str, message: &str, seconds: i64, metadata: (&str, &str)) -> Commit {
        Commit {
            parents: vec![],
            metarange: None,
            committer: committer.into(),
            message: message.into(),
            metadata: BTreeMap::from([(metadata.0.into(), metadata.1.into())]),
            time: Time::from_seconds(seconds),
            generation: 7,
            version: 1,
        }
    }

    #[test]
    fn vectors_of_lakefs() {
        let first = commit("Committer", "message", 1_000_000_000, ("key", "value"));
        let id = hash(&first, "metarangeId", &["parent1".into(), "parent2".into()]);
        assert_eq!(hex::encode(id), "0c5f9d6fde638a6aa82840caf2485bdbe6ad0fc3f220ea88884df9ed99d7cf19");
        let second = commit("user1", "message1", -62_135_596_800, ("foo", "bar"));
        let id = hash(&second, "deadbeef123", &["deadbeef1".into(), "deadbeef12".into()]);
        assert_eq!(hex::encode(id), "2277b5abd2d3ba6b4d35c48a0e358b0c4bcf5cd6d891c67437fb4c4af0d2fd4b");
    }

    #[test]
    fn generation_and_version_are_not_hashed() {
        let commit = commit("c", "m", 1, ("k", "v"));
        let other = Commit { generation: 8, version: 0, ..commit.clone() };
        assert_eq!(commit.id(), other.id());
        let later = Commit { time: Time::from_seconds(2), ..commit.clone() };
        assert_ne!(commit.id(), later.id());
    }

    #[test]
    fn limits_are_named() {
        let error = Commit::check_limits("c", &"m".repeat(65_537), &BTreeMap::new()).unwrap_err();
        assert!(error.message().contains("commit message has 65537 bytes; the limit is 65536"), "{error}");
    }
}
