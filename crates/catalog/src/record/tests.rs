use std::collections::BTreeMap;

use braid_tree::Value;
use braid_types::{
    BranchName, Code, Commit, CommitId, Incarnation, LayerId, MetarangeId, PathPrefix, PullId, RepositoryId,
    RepositoryName, RequestId, StagingToken, TagName, Time,
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
    let prefix = || "[a-c/]{0,5}".prop_map(|prefix| PathPrefix::new(prefix).unwrap());
    let layer = prop_oneof![
        id16().prop_map(|token| Layer::Staged(StagingToken::from_bytes(token))),
        (prefix(), prefix()).prop_map(|(from, to)| Layer::Moved { from, to }),
        prefix().prop_map(Layer::Erased),
        (prefix(), any::<[u8; 32]>())
            .prop_map(|(prefix, tree)| Layer::Grafted { prefix, tree: MetarangeId::from_bytes(tree) }),
    ];
    (id16(), layer).prop_map(|(id, layer)| SealedLayer { id: LayerId::from_bytes(id), layer })
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
            protection: Protection::new(vec!["main".into(), "release-*".into()]).unwrap(),
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
        prop_assert_eq!(staged::range_between(&token, &a, None).contains(&key_b), b >= a);
        prop_assert!(!staged::range_between(&token, &a, Some(&b)).contains(&key_b));
        prop_assert!(!staged::range(&token).contains(&staged::fence_prefix(&token)));
        prop_assert!(staged::content_range(&token).contains(&key_a));
        prop_assert!(!staged::content_range(&token).contains(&staged::fence_prefix(&token)));
    }

    #[test]
    fn requests_round_trip(fingerprint: [u8; 32], commit: [u8; 32], existed: Vec<bool>, expires in time()) {
        let mut answers = vec![Answer::Done, Answer::Commit(CommitId::from_bytes(commit))];
        answers.push(Answer::Commits(vec![CommitId::from_bytes(commit), CommitId::from_bytes(fingerprint)]));
        answers.push(Answer::Pull(PullId::from_bytes(*fingerprint.first_chunk().unwrap())));
        if !existed.is_empty() {
            answers.push(Answer::Existed(existed.clone()));
            let copies = vec![Value::framed(&commit, &fingerprint); existed.len()];
            answers.push(Answer::Copied { existed, copies });
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
    let put = PathState::Put(Value::framed(b"identity", b"data"));
    let tree = PathState::Committed { tree: Some(MetarangeId::from_bytes([2; 32])), at: None };
    for (old, new) in [
        (tree, put.clone()),
        (PathState::Committed { tree: None, at: None }, put.clone()),
        (PathState::Committed { tree: None, at: Some("moved".into()) }, put.clone()),
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
    assert!(keys.iter().all(|key| staged::content_range(&token).contains(key)));
    assert!(!keys.iter().any(|key| staged::range(&token).contains(key)), "they are no staged entries");
    assert!(!path_change::range(&token).contains(&staged::key(&token, b"a")));
}

#[test]
fn changes_of_refs_round_trip_and_lie_by_stamp() {
    use ref_change::{RefChange, RefEvent, RefMove};
    let (old, new) = (Some(CommitId::from_bytes([1; 32])), None);
    let side = BranchName::new("side").unwrap();
    let moved = Layer::Moved { from: PathPrefix::new("a/").unwrap(), to: PathPrefix::new("b/").unwrap() };
    for what in [
        RefMove::new(RefEvent::BranchDeleted, "side", old, new),
        RefMove::restructured(&side, CommitId::from_bytes([1; 32]), moved),
    ] {
        let change = RefChange { time: Time::from_seconds(3), by: by(), what };
        assert_eq!(RefChange::decode(&change.encode()).unwrap(), change);
    }
    let id = RepositoryId::from_bytes([1; 16]);
    let keys = [255u64, 256, 65_536].map(|stamp| ref_change::key(&id, stamp.into(), 9, [9; 6]));
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
fn leases_round_trip() {
    let random: &dyn braid_types::Random = &braid_types::SeededRandom::new(1);
    let expires = Time { seconds: 9, nanos: 8 };
    let record = lease::LeaseRecord { holder: lease::Holder::random(random), fence: 7, expires };
    assert_eq!(lease::LeaseRecord::decode(&record.encode()).unwrap(), record);
    assert_eq!(lease::LeaseRecord::decode(b"\x01\x0a\x01x").unwrap_err().code(), Code::Corrupt);
    assert_ne!(lease::key("clean-up"), lease::key("garbage"));
}

#[test]
fn dropped_things_round_trip() {
    for dropped in [
        dropped::Dropped::Token(StagingToken::from_bytes([1; 16])),
        dropped::Dropped::Fence(StagingToken::from_bytes([3; 16])),
        dropped::Dropped::Repository(RepositoryId::from_bytes([2; 16])),
    ] {
        assert_eq!(dropped::Dropped::parse_key(&dropped.key()).unwrap(), dropped);
        assert!(dropped::range().contains(&dropped.key()));
    }
    let at = Time { seconds: 3, nanos: 4 };
    assert_eq!(dropped::decode(&dropped::encode(at)).unwrap(), at);
    let key = branch::key(&RepositoryId::from_bytes([2; 16]), &BranchName::new("main").unwrap());
    let mut token = dropped::DroppedToken::of(&key, at);
    for moved in [None, Some(Bytes::from_static(b"s1"))] {
        token.moved = moved;
        assert_eq!(dropped::DroppedToken::decode(&token.encode()).unwrap(), token);
        assert_eq!(dropped::decode(&token.encode()).unwrap(), at);
    }
    let old = dropped::DroppedToken::decode(&dropped::encode(at)).unwrap();
    assert_eq!(old, dropped::DroppedToken { at, branch: None, moved: None });
}

#[test]
fn moved_changes_are_in_the_order_of_their_stamps_branch_by_branch() {
    let id = RepositoryId::from_bytes([2; 16]);
    let owner = |name: &str| {
        let name = BranchName::new(name).unwrap();
        moved_change::Owner::of_branch(&branch::key(&id, &name)).unwrap()
    };
    let origin = |token: u8, lane, number| moved_change::Origin {
        token: StagingToken::from_bytes([token; 16]),
        lane,
        number,
    };
    let main = owner("main");
    assert_eq!((main.repository, main.branch.as_str()), (id, "main"));
    let keys = [(1, origin(9, 9, 9)), (2, origin(1, 1, 1)), (2, origin(1, 1, 256)), (256, origin(0, 0, 0))]
        .map(|(stamp, origin)| (main.key(u64::into(stamp), origin), stamp, origin));
    assert!(keys.is_sorted_by(|a, b| a.0 < b.0));
    for (key, stamp, origin) in &keys {
        assert_eq!(main.parse_key(key).unwrap(), (u64::into(*stamp), *origin));
        assert!(main.range().contains(key) && moved_change::range(&id).contains(key));
        assert!(!owner("main-2").range().contains(key) && !owner("mai").range().contains(key));
    }
    assert!(moved_change::Owner::of_branch(b"bshort").is_err());
    assert!(main.parse_key(b"p").is_err());
}

/// Written before there were structural layers: they read as ever, and are written so as long as they hold none.
#[test]
fn branches_with_staged_layers_alone_are_stored_as_they_always_were() {
    let stored = hex::decode(concat!(
        "010a10010101010101010101010101010101011220020202020202020202020202020202020202020202020202020202",
        "02020202021a20030303030303030303030303030303030303030303030303030303030303030322240a100404040404",
        "04040404040404040404041210050505050505050505050505050505052a100606060606060606060606060606060630",
        "04",
    ));
    let layer = Layer::Staged(StagingToken::from_bytes([5; 16]));
    let mut record = BranchRecord {
        incarnation: Incarnation::from_bytes([1; 16]),
        head: CommitId::from_bytes([2; 32]),
        base: Some(MetarangeId::from_bytes([3; 32])),
        sealed: vec![SealedLayer { id: LayerId::from_bytes([4; 16]), layer }],
        open: OpenLayer { token: StagingToken::from_bytes([6; 16]), lanes: 4 },
        hidden: false,
    };
    assert_eq!(BranchRecord::decode(&stored.unwrap()).unwrap(), record);
    assert_eq!(record.encode()[0], 1);
    let erased = Layer::Erased(PathPrefix::default());
    record.sealed.push(SealedLayer { id: LayerId::from_bytes([7; 16]), layer: erased });
    assert_eq!(record.encode()[0], 2, "a version that knows staged layers alone refuses it by name");
}

#[test]
fn values_of_a_newer_format_are_refused_by_name() {
    let error = BranchRecord::decode(&[3, 0]).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedFormat);
    assert_eq!(BranchRecord::decode(&[]).unwrap_err().code(), Code::Corrupt);
    assert_eq!(staged::decode(&Bytes::from_static(&[9])).unwrap_err().code(), Code::UnsupportedFormat);
    assert_eq!(staged::decode(&staged::encode_tombstone()).unwrap(), None);
    assert_eq!(staged::decode(&Bytes::from_static(&[1, 0xff])).unwrap_err().code(), Code::Corrupt);
    let value = Value::framed(b"identity", b"data");
    assert_eq!(staged::decode(&staged::encode_put(&value)).unwrap(), Some(value));
}

#[test]
fn no_principal_is_the_beginning_of_another_ones_keys() {
    let id = |text| RequestId::new(text).unwrap();
    assert_ne!(request::key("ab", &id("c")), request::key("a", &id("bc")));
    assert!(request::range().contains(&request::key("a", &id("b"))));
}
