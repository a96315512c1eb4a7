//! What was set of a repository: `o | repository id | which` → the setting.

use std::collections::BTreeMap;

use braid_kv::KeyRange;
use braid_types::{BranchName, RepositoryId, Result};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredMap};

const WHAT: &str = "repository setting";

/// One kind of setting; the number is what its key ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Setting {
    /// Keys and values of the users'.
    Metadata = b'm',
    /// For how long commits are kept.
    Retention = b'r',
}

/// For how long commits are kept that no branch needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionRules {
    /// On branches without a rule of their own, in days.
    pub default_days: u32,
    /// On the others.
    pub branches: BTreeMap<BranchName, u32>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredMetadata {
    #[prost(btree_map = "string, string", tag = "1")]
    metadata: StoredMap,
}

#[derive(Clone, PartialEq, Message)]
struct StoredRetention {
    #[prost(uint32, tag = "1")]
    default_days: u32,
    #[prost(btree_map = "string, uint32", tag = "2")]
    branches: BTreeMap<String, u32>,
}

pub(crate) fn encode_metadata(metadata: &BTreeMap<String, String>) -> Bytes {
    value::encode(&StoredMetadata { metadata: metadata.clone() })
}

pub(crate) fn decode_metadata(bytes: &[u8]) -> Result<BTreeMap<String, String>> {
    Ok(value::decode::<StoredMetadata>(bytes, WHAT)?.metadata)
}

impl RetentionRules {
    pub(crate) fn encode(&self) -> Bytes {
        let branches = self.branches.iter().map(|(branch, days)| (branch.to_string(), *days)).collect();
        value::encode(&StoredRetention { default_days: self.default_days, branches })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredRetention = value::decode(bytes, WHAT)?;
        let named = |(name, days)| Ok((BranchName::new(name)?, days));
        let branches = stored.branches.into_iter().map(named).collect::<Result<_>>()?;
        Ok(Self { default_days: stored.default_days, branches })
    }
}

pub(crate) fn key(repository: &RepositoryId, setting: Setting) -> Bytes {
    key::key(Table::Setting, &[repository.as_bytes(), &[setting as u8]])
}

/// All settings of a repository.
pub(crate) fn range(repository: &RepositoryId) -> KeyRange {
    KeyRange::prefix(&key::key(Table::Setting, &[repository.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip() {
        let metadata = BTreeMap::from([("owner".to_owned(), "ada".to_owned())]);
        assert_eq!(decode_metadata(&encode_metadata(&metadata)).unwrap(), metadata);
        let branches = BTreeMap::from([(BranchName::new("main").unwrap(), 30)]);
        let rules = RetentionRules { default_days: 7, branches };
        assert_eq!(RetentionRules::decode(&rules.encode()).unwrap(), rules);
    }
}
