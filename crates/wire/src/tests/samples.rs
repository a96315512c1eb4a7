//! Strategies that make any valid value of the domain.

use std::collections::BTreeMap;

use braid_types::{
    AddressType, BranchName, Commit, CommitId, Entry, MetarangeId, ObjectPath, PathPrefix, RefExpression,
    RepositoryName, TagName, Time,
};
use proptest::option;
use proptest::prelude::*;

use crate::{CommitInfo, Object};

pub(crate) fn repository() -> impl Strategy<Value = RepositoryName> {
    "[a-z0-9][a-z0-9-]{2,20}".prop_map(|name| RepositoryName::new(name).unwrap())
}

pub(crate) fn branch() -> impl Strategy<Value = BranchName> {
    "[a-zA-Z0-9_][a-zA-Z0-9_-]{0,20}".prop_map(|name| BranchName::new(name).unwrap())
}

pub(crate) fn tag() -> impl Strategy<Value = TagName> {
    "v[0-9]{1,3}\\.[0-9]é?".prop_map(|name| TagName::new(name).unwrap())
}

pub(crate) fn reference() -> impl Strategy<Value = RefExpression> {
    "[a-z]{1,9}(~[0-9]?|\\^[0-9]|@|\\$)?".prop_map(|text| RefExpression::parse(&text).unwrap())
}

pub(crate) fn path() -> impl Strategy<Value = ObjectPath> {
    ".{1,60}".prop_map(|path| ObjectPath::new(path).unwrap())
}

pub(crate) fn prefix() -> impl Strategy<Value = PathPrefix> {
    ".{0,20}".prop_map(|prefix| PathPrefix::new(prefix).unwrap())
}

pub(crate) fn commit_id() -> impl Strategy<Value = CommitId> {
    any::<[u8; 32]>().prop_map(CommitId::from_bytes)
}

pub(crate) fn time() -> impl Strategy<Value = Time> {
    (any::<i64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Time { seconds, nanos })
}

pub(crate) fn map() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map(".{0,5}", ".{0,5}", 0..4)
}

pub(crate) fn object() -> impl Strategy<Value = Object> {
    (path(), ".{0,30}", any::<[u64; 2]>(), ".{0,32}", ".{0,12}", map(), time()).prop_map(
        |(path, address, [size, generation], checksum, content_type, metadata, mtime)| Object {
            path,
            generation,
            entry: Entry {
                address,
                address_type: AddressType::Full,
                size,
                checksum,
                content_type,
                metadata,
                mtime,
            },
        },
    )
}

pub(crate) fn commit() -> impl Strategy<Value = CommitInfo> {
    let tree = option::of(any::<[u8; 32]>().prop_map(MetarangeId::from_bytes));
    let parents = proptest::collection::vec(commit_id(), 0..3);
    (commit_id(), parents, tree, ".{0,8}", ".{0,8}", map(), time(), any::<u32>(), any::<i32>()).prop_map(
        |(id, parents, metarange, committer, message, metadata, time, generation, version)| CommitInfo {
            id,
            commit: Commit { parents, metarange, committer, message, metadata, time, generation, version },
        },
    )
}
