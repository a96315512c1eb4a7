use braid_types::{
    AddressType, Code, MetarangeId, ObjectPath, PathPrefix, RefExpression, RepositoryId, RequestId, TagName,
    Time, limits,
};
use proptest::option;
use proptest::prelude::*;

use super::samples;
use crate::{
    Apply, ApplyOperation, ApplyResult, CherryPick, CommitBranch, CommitInfo, CommitSet, Copy, CopyObject,
    CreateBranch, CreateRepository, CreateTag, CreateUploads, DeletePrefix, Diff, DiffBranch, DiffEntry,
    DiffItem, DiffKind, DiffMode, DumpEvent, DumpRefs, DumpedRefs, FaultSubject, Fsck, FsckEvent, FsckFault,
    FsckProgress, GetUsage, HardResetBranch, Link, LinkUpload, ListDiff, ListItem, ListObjects, Log, Merge,
    MergeStrategy, MoveDirectory, Mutation, Object, ObjectMetadata, Operation, Page, Precondition,
    PrefixChanges, PrefixUsage, RefsManifest, RefsProgress, Removal, Repository, ResetBranch, ResetScope,
    RestoreEvent, RestoreRefs, RestoredRefs, Rule, SetMember, StreamUsage, UploadTarget, Usage, page_items,
    proto,
};

/// Checks that `$value` comes back from its generated form.
macro_rules! round_trips {
    ($value:expr, $wire:ty, $name:ty) => {{
        let value: $name = $value;
        let wire = <$wire>::from(value.clone());
        let bytes = prost::Message::encode_to_vec(&wire);
        let wire = <$wire as prost::Message>::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(<$name>::try_from(wire).unwrap(), value);
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn structural_changes(
        repository in samples::repository(),
        branch in samples::branch(),
        source in samples::prefix(),
        destination in samples::prefix(),
        overwrite: bool,
    ) {
        let prefix = source.clone();
        round_trips!(
            DeletePrefix { repository: repository.clone(), branch: branch.clone(), prefix },
            proto::DeletePrefixRequest, DeletePrefix
        );
        round_trips!(
            MoveDirectory { repository, branch, source, destination, overwrite },
            proto::MoveDirectoryRequest, MoveDirectory
        );
    }

    #[test]
    fn objects_and_pages(object in samples::object(), prefix in samples::prefix(), token in "[a-z]{0,3}") {
        round_trips!(object.clone(), proto::Object, Object);
        let next_page_token = Some(token).filter(|token| !token.is_empty());
        let items = vec![ListItem::Object(object), ListItem::CommonPrefix(prefix)];
        round_trips!(Page { items: items.clone(), next_page_token }, proto::ListObjectsResponse, Page<ListItem>);
        round_trips!(items, proto::StreamObjectsResponse, Vec<ListItem>);
    }

    #[test]
    fn commits_and_differences(
        commit in samples::commit(),
        path in samples::path(),
        kind in proptest::sample::select(&[DiffKind::Added, DiffKind::Removed, DiffKind::Changed]),
        sides in (option::of(samples::object()), option::of(samples::object())),
        prefix in samples::prefix(),
        counts in any::<[u64; 3]>(),
        token in "[a-z]{0,3}",
    ) {
        round_trips!(commit.clone(), proto::Commit, CommitInfo);
        round_trips!(vec![commit], proto::LogResponse, Vec<CommitInfo>);
        let entry = DiffEntry { path, kind, left: sides.0, right: sides.1 };
        let [added, removed, changed] = counts;
        let rolled = PrefixChanges { prefix, added, removed, changed };
        let items = vec![DiffItem::Entry(entry), DiffItem::CommonPrefix(rolled)];
        round_trips!(items.clone(), proto::DiffResponse, Vec<DiffItem>);
        let next_page_token = Some(token).filter(|token| !token.is_empty());
        round_trips!(Page { items, next_page_token }, proto::ListDiffResponse, Page<DiffItem>);
    }

    #[test]
    fn usages_and_checks(
        repository in samples::repository(),
        reference in option::of(samples::reference()),
        prefix in samples::prefix(),
        delimiter in option::of("[/|]{1,2}"),
        numbers in any::<[u64; 7]>(),
        kind in proptest::sample::select(&[
            FaultSubject::File, FaultSubject::Commit, FaultSubject::Branch, FaultSubject::Tag,
        ]),
        offset in option::of(any::<u64>()),
        texts in (".{1,20}", ".{0,20}"),
        history in any::<bool>(),
    ) {
        let [objects, bytes, commits, trees, files, files_total, faults] = numbers;
        let usage = Usage { objects, bytes };
        round_trips!(usage, proto::Usage, Usage);
        let of_prefix = vec![PrefixUsage { prefix: prefix.clone(), usage }];
        round_trips!(of_prefix, proto::StreamUsageResponse, Vec<PrefixUsage>);
        let fault = FsckFault { kind, subject: texts.0, offset, what: texts.1 };
        let progress =
            FsckProgress { commits, trees, files, files_total, bytes, entries: objects, faults };
        let events = vec![FsckEvent::Fault(fault), FsckEvent::Progress(progress)];
        round_trips!(events, proto::FsckResponse, Vec<FsckEvent>);
        let at = RefExpression::parse("main~1").unwrap();
        round_trips!(
            GetUsage { repository: repository.clone(), reference: at.clone(), prefix: prefix.clone() },
            proto::GetUsageRequest, GetUsage
        );
        round_trips!(
            StreamUsage { repository: repository.clone(), reference: at, prefix, delimiter },
            proto::StreamUsageRequest, StreamUsage
        );
        round_trips!(Fsck { repository, reference, history }, proto::FsckRequest, Fsck);
    }

    #[test]
    fn dumps_and_restores(
        repository in samples::repository(),
        branch in samples::branch(),
        place in option::of("s3://[a-z]{3,9}"),
        ids in any::<[[u8; 32]; 3]>(),
        numbers in any::<[u64; 5]>(),
        flags in any::<[bool; 2]>(),
    ) {
        let [commits, branches, tags, commits_total, checked] = numbers;
        let [commits_meta_range_id, branches_meta_range_id, tags_meta_range_id] =
            ids.map(MetarangeId::from_bytes);
        let manifest = RefsManifest { commits_meta_range_id, branches_meta_range_id, tags_meta_range_id };
        let progress = RefsProgress { commits, commits_total, branches, tags, checked };
        let dumped = DumpedRefs {
            manifest,
            manifest_uri: "s3://b/_lakefs/refs_manifest.json".into(),
            commits,
            branches,
            tags,
            uncommitted: checked,
            uncommitted_branches: vec![branch.clone()],
        };
        let events = vec![DumpEvent::Progress(progress), DumpEvent::Done(dumped)];
        round_trips!(events, proto::DumpRefsResponse, Vec<DumpEvent>);
        round_trips!(DumpRefs { repository: repository.clone() }, proto::DumpRefsRequest, DumpRefs);
        let made = Repository {
            name: repository.clone(),
            id: RepositoryId::from_bytes([7; 16]),
            storage_namespace: "s3://b".into(),
            default_branch: branch.clone(),
            created_at: Time::from_seconds(1),
            read_only: false,
        };
        let restored = RestoredRefs { repository: made, commits, branches, tags };
        let events = vec![RestoreEvent::Progress(progress), RestoreEvent::Done(restored)];
        round_trips!(events, proto::RestoreRefsResponse, Vec<RestoreEvent>);
        let request = RestoreRefs {
            repository,
            manifest: flags[0].then_some(manifest),
            default_branch: place.as_ref().map(|_| branch),
            storage_namespace: place,
            take_over: flags[1],
        };
        round_trips!(request, proto::RestoreRefsRequest, RestoreRefs);
    }

    #[test]
    fn requests_for_differences(
        repository in samples::repository(),
        branch in samples::branch(),
        sides in (samples::reference(), samples::reference()),
        mode in proptest::sample::select(&[DiffMode::TwoDot, DiffMode::ThreeDot]),
        prefix in samples::prefix(),
        delimiter in option::of("[/|]{1,2}"),
        after in option::of(".{1,9}"),
        page_size in option::of(1..5000_u32),
        page_token in option::of("[a-z]{1,3}"),
    ) {
        let after = after.map(|after| PathPrefix::new(after).unwrap());
        let (left, right) = sides;
        round_trips!(
            Diff {
                repository: repository.clone(), left: left.clone(), right: right.clone(), mode,
                prefix: prefix.clone(), delimiter: delimiter.clone(), after: after.clone(),
            },
            proto::DiffRequest, Diff
        );
        round_trips!(
            ListDiff {
                repository: repository.clone(), left, right, mode, prefix: prefix.clone(),
                delimiter: delimiter.clone(), after: after.clone(), page_size, page_token,
            },
            proto::ListDiffRequest, ListDiff
        );
        round_trips!(
            DiffBranch { repository, branch, prefix, delimiter, after }, proto::DiffBranchRequest, DiffBranch
        );
    }

    #[test]
    fn requests_on_repositories_and_refs(
        repository in samples::repository(),
        branch in samples::branch(),
        tag in samples::tag(),
        reference in samples::reference(),
        path in samples::path(),
        prefix in samples::prefix(),
        namespace in option::of("s3://[a-z]{1,5}"),
        hidden: bool,
    ) {
        round_trips!(
            CreateRepository {
                name: repository.clone(), storage_namespace: namespace, default_branch: Some(branch.clone()),
            },
            proto::CreateRepositoryRequest, CreateRepository
        );
        round_trips!(
            CreateBranch {
                repository: repository.clone(), name: branch.clone(), source: reference.clone(), hidden,
            },
            proto::CreateBranchRequest, CreateBranch
        );
        round_trips!(
            CreateTag { repository: repository.clone(), name: tag, reference }, proto::CreateTagRequest, CreateTag
        );
        for scope in [ResetScope::All, ResetScope::Path(path), ResetScope::Prefix(prefix)] {
            round_trips!(
                ResetBranch { repository: repository.clone(), branch: branch.clone(), scope },
                proto::ResetBranchRequest, ResetBranch
            );
        }
    }

    #[test]
    fn requests_on_objects(
        repository in samples::repository(),
        branch in samples::branch(),
        reference in samples::reference(),
        path in samples::path(),
        prefix in samples::prefix(),
        size in option::of(any::<u64>()),
        delimiter in option::of("[/|]{1,2}"),
        page_size in option::of(1..5000_u32),
    ) {
        let target = UploadTarget { path, content_type: "text/plain".into(), size };
        round_trips!(
            CreateUploads { repository: repository.clone(), branch, targets: vec![target] },
            proto::CreateUploadsRequest, CreateUploads
        );
        round_trips!(
            ListObjects { repository, reference, prefix, delimiter, after: None, page_size, page_token: None },
            proto::ListObjectsRequest, ListObjects
        );
    }

    #[test]
    fn transactions_on_several_branches(
        repository in samples::repository(),
        branch in samples::branch(),
        path in samples::path(),
        object in samples::object(),
        etag in "[a-f0-9]{1,40}",
        reference in option::of(samples::reference()),
        metadata in option::of(samples::map().prop_map(|entries| ObjectMetadata { entries })),
        if_generation in option::of(any::<u64>()),
        existed: bool,
    ) {
        let link = Link { if_etag: Some(etag.clone()), if_generation, ..Link::try_from(link()).unwrap() };
        let removal = Removal { path: path.clone(), if_etag: Some(etag.clone()), if_generation };
        let copy = Copy {
            reference,
            source: path.clone(),
            path: path.clone(),
            metadata: metadata.clone(),
            if_absent: existed,
            if_etag: Some(etag.clone()),
            if_generation,
        };
        round_trips!(
            CopyObject {
                repository: repository.clone(),
                reference: RefExpression::parse("main~1").unwrap(),
                source: path.clone(),
                branch: branch.clone(),
                path: path.clone(),
                metadata,
                if_absent: existed,
                if_etag: Some(etag.clone()),
                if_generation,
            },
            proto::CopyObjectRequest, CopyObject
        );
        let operation = |operation| {
            ApplyOperation { repository: repository.clone(), branch: branch.clone(), operation }
        };
        let precondition = |rule| {
            let (repository, branch) = (repository.clone(), branch.clone());
            Precondition { repository, branch, path: path.clone(), rule }
        };
        round_trips!(
            Apply {
                preconditions: vec![
                    precondition(Rule::Absent),
                    precondition(Rule::Etag(etag)),
                    precondition(Rule::Generation(if_generation.unwrap_or(0))),
                ],
                operations: vec![
                    operation(Operation::Put(link)),
                    operation(Operation::Delete(removal)),
                    operation(Operation::Copy(copy)),
                ],
            },
            proto::ApplyRequest, Apply
        );
        let results = vec![ApplyResult::Put(object), ApplyResult::Deleted(existed)];
        round_trips!(results, proto::ApplyResponse, Vec<ApplyResult>);
    }

    #[test]
    fn requests_on_commits(
        repository in samples::repository(),
        branch in samples::branch(),
        reference in samples::reference(),
        metadata in samples::map(),
        path in samples::path(),
        date in option::of(samples::time()),
        message in option::of(".{1,9}"),
        flags in any::<(bool, bool)>(),
        number in option::of(1..9_u32),
    ) {
        use MergeStrategy::{DestinationWins, Refuse, SourceWins};
        let commit = CommitBranch {
            repository: repository.clone(), branch: branch.clone(), message: "m".into(),
            metadata: metadata.clone(), allow_empty: flags.0, date,
        };
        let merge = Merge {
            repository: repository.clone(), source: reference.clone(), destination: branch.clone(),
            strategy: SourceWins, message: message.clone(), metadata: metadata.clone(),
            squash: flags.0, allow_empty: flags.1,
        };
        let reset = HardResetBranch {
            repository: repository.clone(), branch: branch.clone(), reference: reference.clone(),
        };
        let tag = CreateTag {
            repository: repository.clone(), name: TagName::new("v1").unwrap(), reference: reference.clone(),
        };
        let members = vec![
            SetMember::Commit(commit), SetMember::Merge(merge), SetMember::HardReset(reset.clone()),
            SetMember::Tag(tag),
        ];
        round_trips!(CommitSet { members }, proto::CommitSetRequest, CommitSet);
        round_trips!(reset, proto::HardResetBranchRequest, HardResetBranch);
        round_trips!(
            CommitBranch {
                repository: repository.clone(), branch: branch.clone(), message: "m".into(),
                metadata: metadata.clone(), allow_empty: flags.0, date,
            },
            proto::CommitRequest, CommitBranch
        );
        round_trips!(
            Log {
                repository: repository.clone(), reference: reference.clone(), limit: number,
                first_parent: flags.0, since: date, stop_at: None, after: None, paths: vec![path], prefixes: vec![],
            },
            proto::LogRequest, Log
        );
        for strategy in [Refuse, SourceWins, DestinationWins] {
            round_trips!(
                Merge {
                    repository: repository.clone(), source: reference.clone(), destination: branch.clone(), strategy,
                    message: message.clone(), metadata: metadata.clone(), squash: flags.0, allow_empty: flags.1,
                },
                proto::MergeRequest, Merge
            );
        }
        round_trips!(
            CherryPick { repository, branch, reference, parent_number: number, message, metadata },
            proto::CherryPickRequest, CherryPick
        );
    }
}

fn link() -> proto::Link {
    proto::Link { path: "a".into(), intent: "i".into(), checksum: "c".into(), ..Default::default() }
}

fn link_request(link: Option<proto::Link>) -> proto::LinkUploadRequest {
    proto::LinkUploadRequest {
        repository: "repo".into(),
        branch: "main".into(),
        link,
        request_id: String::new(),
    }
}

fn message_of<T: std::fmt::Debug>(result: Result<T, braid_types::Error>) -> String {
    result.unwrap_err().message().to_owned()
}

#[test]
fn refusals_name_the_field() {
    let request = proto::GetBranchRequest { repository: "repo".into(), branch: "a/b".into() };
    let error = crate::GetBranch::try_from(request).unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::InvalidName, "a/b"));
    assert!(error.message().starts_with("branch: 'a/b' is not a branch name"), "{error}");

    let missing = message_of(LinkUpload::try_from(link_request(None)));
    assert_eq!(missing, "link: it must be given");

    let empty = proto::Link { path: String::new(), ..link() };
    let request = proto::LinkUploadsRequest { links: vec![link(), empty], ..Default::default() };
    let request = proto::LinkUploadsRequest { repository: "repo".into(), branch: "main".into(), ..request };
    let nested = message_of(crate::LinkUploads::try_from(request));
    assert_eq!(nested, "links: item 1: path: a path must not be empty");

    let unscoped =
        proto::ResetBranchRequest { repository: "repo".into(), branch: "b".into(), ..Default::default() };
    assert!(message_of(ResetBranch::try_from(unscoped)).starts_with("scope: "));
}

#[test]
fn what_says_nothing_or_two_things_is_refused() {
    use proto::precondition::Rule;
    let demanded = |rule| proto::ApplyRequest {
        preconditions: vec![proto::Precondition {
            repository: "repo".into(),
            branch: "main".into(),
            path: "a".into(),
            rule,
        }],
        ..Default::default()
    };
    let said = |rule| message_of(Apply::try_from(demanded(rule)));
    assert_eq!(
        said(None),
        "preconditions: item 0: rule: one of 'absent', 'etag' and 'generation' must be given"
    );
    assert!(said(Some(Rule::Absent(false))).contains("absent: it must be true"));
    assert!(said(Some(Rule::Etag(String::new()))).contains("etag: it must not be empty"));
    let nothing = proto::ApplyRequest { operations: vec![Default::default()], ..Default::default() };
    assert!(message_of(Apply::try_from(nothing)).contains("one of 'put', 'delete' and 'copy'"));
}

#[test]
fn a_member_of_a_set_says_one_thing_and_has_no_id_of_its_own() {
    use proto::commit_set_member::Member;
    let set = |member| proto::CommitSetRequest {
        members: vec![proto::CommitSetMember { member }],
        ..Default::default()
    };
    let said = |member| message_of(CommitSet::try_from(set(member)));
    assert!(
        said(None).starts_with("members: item 0: member: one of 'commit', 'merge', 'hard_reset' and 'tag'")
    );
    let commit = |request_id: &str| proto::CommitRequest {
        repository: "lake".into(),
        branch: "main".into(),
        message: "m".into(),
        request_id: request_id.into(),
        ..Default::default()
    };
    let named = said(Some(Member::Commit(commit("r"))));
    assert_eq!(
        named,
        "members: item 0: commit: request_id: it must be empty: the id of the set counts for all members"
    );
    let nameless = proto::CreateTagRequest { repository: "lake".into(), ..Default::default() };
    assert!(said(Some(Member::Tag(nameless))).starts_with("members: item 0: tag: name: "));
    assert!(CommitSet::try_from(set(Some(Member::Commit(commit(""))))).is_ok());
}

#[test]
fn long_paths_can_be_read_but_not_written() {
    let long = "x".repeat(limits::PATH_BYTES + 1);
    let read =
        proto::StatObjectRequest { repository: "repo".into(), reference: "r".into(), path: long.clone() };
    assert_eq!(crate::StatObject::try_from(read).unwrap().path, ObjectPath::existing(long.clone()).unwrap());
    let written = link_request(Some(proto::Link { path: long, ..link() }));
    assert!(message_of(LinkUpload::try_from(written)).starts_with("link: path: "));
}

#[test]
fn numbers_outside_an_enum_or_a_second_are_refused() {
    let diff = |mode| proto::DiffRequest {
        repository: "repo".into(),
        left: "a".into(),
        right: "b".into(),
        mode,
        ..proto::DiffRequest::default()
    };
    assert_eq!(Diff::try_from(diff(0)).unwrap().mode, DiffMode::ThreeDot);
    assert_eq!(Diff::try_from(diff(1)).unwrap().mode, DiffMode::TwoDot);
    assert_eq!(message_of(Diff::try_from(diff(7))), "mode: '7' is not one of the known values");

    let kind = proto::DiffEntry { path: "p".into(), kind: 0, left: None, right: None };
    assert!(message_of(DiffEntry::try_from(kind)).starts_with("kind: "), "an answer must say its kind");
    let fault = proto::FsckFault { subject: "s".into(), ..Default::default() };
    assert!(message_of(FsckFault::try_from(fault)).starts_with("kind: "));
    assert!(message_of(DiffItem::try_from(proto::DiffItem { item: None })).starts_with("item: "));
    assert!(message_of(FsckEvent::try_from(proto::FsckEvent { event: None })).starts_with("event: "));
    assert!(message_of(DumpEvent::try_from(proto::DumpRefsEvent { event: None })).starts_with("event: "));
    assert!(
        message_of(RestoreEvent::try_from(proto::RestoreRefsEvent { event: None })).starts_with("event: ")
    );
    let manifest = proto::RefsManifest { commits_meta_range_id: "12".into(), ..Default::default() };
    assert!(message_of(RefsManifest::try_from(manifest)).starts_with("commits_meta_range_id: "));

    for nanos in [-1, 1_000_000_000] {
        let object = proto::Object {
            path: "p".into(),
            mtime: Some(prost_types::Timestamp { seconds: 0, nanos }),
            ..Default::default()
        };
        assert!(message_of(Object::try_from(object)).starts_with("mtime: nanos are"));
    }
}

#[test]
fn request_ids_are_set_read_and_checked() {
    let mut request = link_request(Some(link()));
    assert_eq!(request.request_id().unwrap(), None);
    let id = RequestId::new("r-1").unwrap();
    request.set_request_id(&id);
    assert_eq!(request.request_id().unwrap(), Some(id));
    request.request_id = "a b".into();
    assert!(message_of(request.request_id()).starts_with("request_id: "));
}

#[test]
fn addresses_become_whole() {
    let sample = |address: &str, address_type| {
        let entry = braid_types::Entry {
            address: address.into(),
            address_type,
            size: 1,
            checksum: "c".into(),
            content_type: String::new(),
            metadata: Default::default(),
            mtime: Time::default(),
        };
        let object = Object::resolved(ObjectPath::new("p").unwrap(), entry, "s3://b/ns/");
        assert_eq!(object.entry.address_type, AddressType::Full);
        object.entry.address
    };
    assert_eq!(sample("data/x", AddressType::Relative), "s3://b/ns/data/x");
    assert_eq!(sample("data/x", AddressType::ByPrefix), "s3://b/ns/data/x");
    assert_eq!(sample("gs://o/x", AddressType::ByPrefix), "gs://o/x");
    assert_eq!(sample("gs://o/x", AddressType::Full), "gs://o/x");
}

#[test]
fn pages_are_never_larger_than_the_limit() {
    assert_eq!(page_items(None), limits::PAGE_ITEMS);
    assert_eq!(page_items(Some(7)), 7);
    assert_eq!(page_items(Some(u32::MAX)), limits::PAGE_ITEMS);
}
