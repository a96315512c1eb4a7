use std::collections::BTreeMap;

use braid_types::{
    BranchName, Code, Commit, CommitId, Incarnation, LayerId, MetarangeId, RepositoryId, RepositoryName,
    RequestId, StagingToken, TagName, Time,
};
use bytes::Bytes;
use proptest::prelude::*;

use super::request::{Answer, RequestRecord};
use super::*;
use crate::protection::Protection;

fn id16() -> impl Strategy<Value = [u8; 16]> {
    any::<[u8; 16]>()
}

fn time() -> impl Strategy<Value = Time> {
    (any::<i64>(), 0u32..1_000_000_000).prop_map(|(seconds, nanos)| Time { seconds, nanos })
}

fn layer() -> impl Strategy<Value = SealedLayer> {
    (id16(), id16()).prop_map(|(id, token)| SealedLayer {
        id: LayerId::from_bytes(id),
        token: StagingToken::from_bytes(token),
    })
}

fn branch() -> impl Strategy<Value = BranchRecord> {
    let tree = proptest::option::of(any::<[u8; 32]>().prop_map(MetarangeId::from_bytes));
    let layers = proptest::collection::vec(layer(), 0..4);
    (id16(), any::<[u8; 32]>(), tree, layers, id16(), 1u16..).prop_map(
        |(incarnation, head, base, sealed, token, lanes)| BranchRecord {
            incarnation: Incarnation::from_bytes(incarnation),
            head: CommitId::from_bytes(head),
            base,
            sealed,
            open: OpenLayer { token: StagingToken::from_bytes(token), lanes },
            hidden: lanes % 2 == 0,
        },
    )
}

proptest! {
    #[test]
    fn branches_round_trip(record in branch(), id in id16(), name in "[a-zA-Z0-9_][-a-zA-Z0-9_]{0,40}") {
        prop_assert_eq!(BranchRecord::decode(&record.encode()).unwrap(), record);
        let (id, name) = (RepositoryId::from_bytes(id), BranchName::new(name).unwrap());
        prop_assert_eq!(branch::parse_key(&id, &branch::key(&id, &name)).unwrap(), name.clone());
        prop_assert!(branch::range(&id, &name.as_str()[..1]).contains(&branch::key(&id, &name)));
    }

    #[test]
    fn repositories_round_trip(id in id16(), name in "[a-z0-9][-a-z0-9]{2,40}", created in time(), lanes in 1u16.., version: u32, read_only: bool) {
        let record = RepositoryRecord {
            id: RepositoryId::from_bytes(id),
            name: RepositoryName::new(name).unwrap(),
            storage_namespace: "s3://bucket/x".into(),
            default_branch: BranchName::new("main").unwrap(),
            created,
            state: if read_only { RepositoryState::ReadOnly } else { RepositoryState::Active },
            format_version: version,
            fence_lanes: lanes,
            protection: Protection::new(vec!["release-*".to_owned(), "main".to_owned()]).unwrap(),
        };
        let name = repository::parse_key(&repository::key(&record.name)).unwrap();
        prop_assert_eq!(RepositoryRecord::decode(name, &record.encode()).unwrap(), record);
    }

    #[test]
    fn tags_round_trip(id in id16(), commit: [u8; 32], name in "[a-z][a-z~.]{0,9}[a-z]") {
        let (id, commit, name) = (RepositoryId::from_bytes(id), CommitId::from_bytes(commit), TagName::new(name));
        if let Ok(name) = name {
            prop_assert_eq!(tag::parse_key(&id, &tag::key(&id, &name)).unwrap(), name);
        }
        prop_assert_eq!(tag::decode(&tag::encode(&commit)).unwrap(), commit);
    }

    #[test]
    fn staged_keys_keep_the_order_of_paths(token in id16(), a: Vec<u8>, b: Vec<u8>) {
        let token = StagingToken::from_bytes(token);
        let (key_a, key_b) = (staged::key(&token, &a), staged::key(&token, &b));
        prop_assert_eq!(key_a.cmp(&key_b), a.cmp(&b));
        prop_assert_eq!(&staged::parse_key(&token, &key_a).unwrap()[..], &a[..]);
        prop_assert!(staged::range(&token).contains(&key_a));
        prop_assert_eq!(staged::range_from(&token, &a).contains(&key_b), b >= a);
        prop_assert!(!staged::range(&token).contains(&staged::fence_prefix(&token)));
        prop_assert!(staged::token_range(&token).contains(&key_a));
    }

    #[test]
    fn requests_round_trip(fingerprint: [u8; 32], commit: [u8; 32], existed: Vec<bool>, expires in time()) {
        let mut answers = vec![Answer::Done, Answer::Commit(CommitId::from_bytes(commit))];
        if !existed.is_empty() {
            answers.push(Answer::Existed(existed));
        }
        for answer in answers {
            let record = RequestRecord { fingerprint, answer, expires };
            prop_assert_eq!(RequestRecord::decode(&record.encode()).unwrap(), record);
        }
    }

    #[test]
    fn commit_prefixes_select_exactly_the_ids_that_begin_so(repo in id16(), id: [u8; 32], other: [u8; 32], digits in 1usize..=64) {
        let (repo, id, other) = (RepositoryId::from_bytes(repo), CommitId::from_bytes(id), CommitId::from_bytes(other));
        let prefix = &id.to_hex()[..digits];
        let range = commit::prefix_range(&repo, prefix).unwrap();
        prop_assert!(range.contains(&commit::key(&repo, &id)));
        prop_assert_eq!(range.contains(&commit::key(&repo, &other)), other.to_hex().starts_with(prefix));
    }
}

fn by() -> crate::Mutation {
    crate::Mutation { principal: "somebody".into(), request: RequestId::new("r").unwrap() }
}

#[test]
fn changes_of_paths_round_trip_and_lie_by_lane_and_number() {
    use path_change::{PathChange, PathState};
    let put = PathState::Put(braid_tree::Value::framed(b"identity", b"data"));
    let tree = PathState::Committed(Some(MetarangeId::from_bytes([2; 32])));
    for (old, new) in [
        (tree, put.clone()),
        (PathState::Committed(None), put.clone()),
        (put.clone(), PathState::Deleted),
        (PathState::Deleted, put),
    ] {
        let time = Time { seconds: 3, nanos: 4 };
        let change = PathChange { stamp: 7.into(), time, by: by(), path: "a".into(), old, new };
        assert_eq!(PathChange::decode(&change.encode()).unwrap(), change);
    }
    let token = StagingToken::from_bytes([1; 16]);
    let keys = [(0, 256), (1, 1), (1, 2), (256, 0)].map(|(lane, n)| path_change::key(&token, lane, n));
    assert!(keys.is_sorted());
    assert_eq!(path_change::parse_key(&token, &keys[0]).unwrap(), (0, 256));
    assert!(keys.iter().all(|key| path_change::range(&token).contains(key)));
    assert!(keys.iter().all(|key| staged::token_range(&token).contains(key)));
    assert!(!keys.iter().any(|key| staged::range(&token).contains(key)), "they are no staged entries");
    assert!(!path_change::range(&token).contains(&staged::key(&token, b"a")));
}

#[test]
fn changes_of_refs_round_trip_and_lie_by_stamp() {
    use ref_change::{RefChange, RefEvent, RefMove};
    let (old, new) = (Some(CommitId::from_bytes([1; 32])), None);
    let what = RefMove::new(RefEvent::BranchDeleted, "side", old, new);
    let change = RefChange { time: Time::from_seconds(3), by: by(), what };
    assert_eq!(RefChange::decode(&change.encode()).unwrap(), change);
    let id = RepositoryId::from_bytes([1; 16]);
    let keys = [255u64, 256, 65_536].map(|stamp| ref_change::key(&id, stamp.into(), [9; 8]));
    assert!(keys.is_sorted());
    assert!(keys.iter().all(|key| ref_change::range(&id).contains(key)));
}

#[test]
fn commits_round_trip_and_are_checked_against_their_id() {
    let commit = Commit {
        parents: vec![CommitId::from_bytes([1; 32])],
        metarange: Some(MetarangeId::from_bytes([2; 32])),
        committer: "c".into(),
        message: "m".into(),
        metadata: BTreeMap::from([("k".into(), "v".into())]),
        time: Time::from_seconds(5),
        generation: 2,
        version: 1,
    };
    let bytes = commit::encode(&commit);
    assert_eq!(commit::decode(&commit.id(), &bytes).unwrap(), commit);
    let error = commit::decode(&CommitId::from_bytes([0; 32]), &bytes).unwrap_err();
    assert_eq!(error.code(), Code::Corrupt);
    assert_eq!(commit::prefix_range(&RepositoryId::from_bytes([0; 16]), "main"), None);
}

#[test]
fn dropped_things_round_trip() {
    for dropped in [
        dropped::Dropped::Token(StagingToken::from_bytes([1; 16])),
        dropped::Dropped::Repository(RepositoryId::from_bytes([2; 16])),
    ] {
        assert_eq!(dropped::Dropped::parse_key(&dropped.key()).unwrap(), dropped);
        assert!(dropped::range().contains(&dropped.key()));
    }
    let at = Time { seconds: 3, nanos: 4 };
    assert_eq!(dropped::decode(&dropped::encode(at)).unwrap(), at);
}

#[test]
fn values_of_a_newer_format_are_refused_by_name() {
    let error = BranchRecord::decode(&[2, 0]).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedFormat);
    assert_eq!(BranchRecord::decode(&[]).unwrap_err().code(), Code::Corrupt);
    assert_eq!(staged::decode(&Bytes::from_static(&[9])).unwrap_err().code(), Code::UnsupportedFormat);
    assert_eq!(staged::decode(&staged::encode_tombstone()).unwrap(), None);
    assert_eq!(staged::decode(&Bytes::from_static(&[1, 0xff])).unwrap_err().code(), Code::Corrupt);
    let value = braid_tree::Value::framed(b"identity", b"data");
    assert_eq!(staged::decode(&staged::encode_put(&value)).unwrap(), Some(value));
}

#[test]
fn no_principal_is_the_beginning_of_another_ones_keys() {
    let id = |text| RequestId::new(text).unwrap();
    assert_ne!(request::key("ab", &id("c")), request::key("a", &id("bc")));
    assert!(request::range().contains(&request::key("a", &id("b"))));
}
