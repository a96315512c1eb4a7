//! Each method calls the RPC of its name.

use std::collections::BTreeMap;

use braid_types::{
    BranchName, MetarangeId, ObjectPath, PathPrefix, PullId, RefExpression, RepositoryName, TagName,
};
use futures::StreamExt;

use super::fake::Fake;
use crate::{
    Apply, CherryPick, CommitBranch, CommitSet, CommitTree, CopyObject, CreateBranch, CreatePullRequest,
    CreateRepository, CreateTag, DeletePrefix, Diff, DiffBranch, DiffMode, Entries, Fsck, GetUsage, Link,
    LinkObject, ListAccessKeys, ListBranches, ListDiff, ListMergeConflicts, ListObjects, ListPullRequests,
    ListRepositories, ListTags, ListUsers, Log, Merge, MergePullRequest, MergeStrategy, MoveDirectory,
    MoveObject, PullRequestFilter, ResetScope, RestoreRefs, Retention, Revert, SetBranchProtection,
    StreamDownloads, StreamObjects, StreamUsage, UpdatePullRequest, UpdateRepositoryMetadata, UploadTarget,
};

fn repository() -> RepositoryName {
    RepositoryName::new("repo").unwrap()
}

fn branch() -> BranchName {
    BranchName::new("main").unwrap()
}

fn tag() -> TagName {
    TagName::new("v1.0").unwrap()
}

fn path() -> ObjectPath {
    ObjectPath::new("a/b").unwrap()
}

fn reference() -> RefExpression {
    RefExpression::parse("main").unwrap()
}

pub(crate) fn log() -> Log {
    Log {
        repository: repository(),
        reference: reference(),
        limit: None,
        first_parent: false,
        since: None,
        stop_at: None,
        after: None,
        paths: vec![],
        prefixes: vec![],
    }
}

pub(crate) fn link() -> Link {
    Link {
        path: path(),
        intent: "i".into(),
        checksum: "c".into(),
        size: 1,
        content_type: String::new(),
        metadata: BTreeMap::new(),
        if_absent: false,
        if_etag: None,
        if_generation: None,
    }
}

pub(crate) fn target() -> UploadTarget {
    UploadTarget { path: path(), content_type: String::new(), size: None }
}

async fn first<T>(mut entries: Entries<T>) {
    assert!(entries.next().await.unwrap().is_err(), "the fake implements nothing");
}

/// Calls each of the methods and checks which RPC arrived.
macro_rules! calls {
    ($fake:ident: $($rpc:literal <- $call:expr;)*) => {
        $(
            let _ = $call.await;
            assert_eq!($fake.asked().last().unwrap().method, $rpc);
        )*
        assert_eq!($fake.asked().len(), [$($rpc),*].len());
    };
}

#[tokio::test]
async fn repositories_refs_and_the_server() {
    let fake = Fake::start().await;
    let client = fake.client();
    let (prefix, page_size, page_token) = (String::new(), None, None);
    calls! { fake:
        "RepositoryService/CreateRepository" <- client.create_repository(CreateRepository {
            name: repository(), storage_namespace: None, default_branch: None,
        });
        "RepositoryService/GetRepository" <- client.get_repository(&repository());
        "RepositoryService/ListRepositories" <- client.list_repositories(ListRepositories::default());
        "RepositoryService/ListRepositories" <- first(client.repositories(""));
        "RepositoryService/Fsck" <- first(client.fsck(Fsck {
            repository: repository(), reference: None, history: false,
        }));
        "RepositoryService/DumpRefs" <- first(client.dump_refs(&repository()));
        "RepositoryService/RestoreRefs" <- first(client.restore_refs(RestoreRefs {
            repository: repository(), manifest: None, storage_namespace: None, default_branch: None,
            take_over: false,
        }));
        "SettingsService/SetReadOnly" <- client.set_read_only(&repository(), true);
        "SettingsService/GetRepositoryMetadata" <- client.get_repository_metadata(&repository());
        "SettingsService/UpdateRepositoryMetadata" <- client.update_repository_metadata(
            UpdateRepositoryMetadata { repository: repository(), set: BTreeMap::new(), remove: vec![] },
        );
        "SettingsService/GetBranchProtection" <- client.get_branch_protection(&repository());
        "SettingsService/SetBranchProtection" <- client.set_branch_protection(SetBranchProtection {
            repository: repository(), patterns: vec![], if_revision: None,
        });
        "SettingsService/GetRetention" <- client.get_retention(&repository());
        "SettingsService/SetRetention" <- client.set_retention(
            &repository(), Retention { default_days: 1, branches: vec![] },
        );
        "SettingsService/DeleteRetention" <- client.delete_retention(&repository());
        "RepositoryService/DeleteRepository" <- client.delete_repository(&repository());
        "RefService/CreateBranch" <- client.create_branch(CreateBranch {
            repository: repository(), name: branch(), source: reference(), hidden: false,
        });
        "RefService/GetBranch" <- client.get_branch(&repository(), &branch());
        "RefService/ListBranches" <- client.list_branches(ListBranches {
            repository: repository(), prefix: prefix.clone(), page_size, page_token: page_token.clone(), after: None,
            include_hidden: false,
        });
        "RefService/ListBranches" <- first(client.branches(&repository(), ""));
        "RefService/DeleteBranch" <- client.delete_branch(&repository(), &branch());
        "RefService/ResetBranch" <- client.reset_branch(&repository(), &branch(), ResetScope::All);
        "RefService/HardResetBranch" <- client.hard_reset_branch(&repository(), &branch(), &reference());
        "RefService/CreateTag" <- client.create_tag(CreateTag {
            repository: repository(), name: tag(), reference: reference(),
        });
        "RefService/GetTag" <- client.get_tag(&repository(), &tag());
        "RefService/ListTags" <- client.list_tags(ListTags {
            repository: repository(), prefix, page_size, page_token, after: None,
        });
        "RefService/ListTags" <- first(client.tags(&repository(), ""));
        "RefService/DeleteTag" <- client.delete_tag(&repository(), &tag());
        "RefService/ResolveRef" <- client.resolve_ref(&repository(), &reference());
        "RefService/FindMergeBase" <- client.find_merge_base(&repository(), &reference(), &reference());
        "AuthService/CreateUser" <- client.create_user("ada");
        "AuthService/GetUser" <- client.get_user("ada");
        "AuthService/ListUsers" <- client.list_users(ListUsers::default());
        "AuthService/DeleteUser" <- client.delete_user("ada");
        "AuthService/CreateAccessKey" <- client.create_access_key("ada");
        "AuthService/GetAccessKey" <- client.get_access_key("ada", "k");
        "AuthService/ListAccessKeys" <- client.list_access_keys(ListAccessKeys::default());
        "AuthService/DeleteAccessKey" <- client.delete_access_key("ada", "k");
        "ServerService/GetServerInfo" <- client.server_info();
        "ServerService/WhoAmI" <- client.who_am_i();
    }
}

#[tokio::test]
async fn objects() {
    let fake = Fake::start().await;
    let client = fake.client();
    let prefix = PathPrefix::default();
    calls! { fake:
        "ObjectService/StatObject" <- client.stat_object(&repository(), &reference(), &path());
        "ObjectService/ListObjects" <- client.list_objects(ListObjects {
            repository: repository(), reference: reference(), prefix: prefix.clone(), delimiter: None, after: None,
            page_size: None, page_token: None,
        });
        "ObjectService/StreamObjects" <- first(client.stream_objects(StreamObjects {
            repository: repository(), reference: reference(), prefix: prefix.clone(), delimiter: None, after: None,
        }));
        "ObjectService/GetUsage" <- client.get_usage(GetUsage {
            repository: repository(), reference: reference(), prefix: prefix.clone(),
        });
        "ObjectService/StreamUsage" <- first(client.stream_usage(StreamUsage {
            repository: repository(), reference: reference(), prefix: prefix.clone(), delimiter: None,
        }));
        "ObjectService/CreateUpload" <- client.create_upload(&repository(), &branch(), target());
        "ObjectService/CreateUpload" <- client.create_upload_without_headers(&repository(), &branch(), target());
        "ObjectService/CopyObject" <- client.copy_object(CopyObject {
            repository: repository(), reference: reference(), source: path(), branch: branch(), path: path(),
            metadata: None, if_absent: false, if_etag: None, if_generation: None,
        });
        "ObjectService/SetObjectMetadata" <- client.set_object_metadata(
            &repository(), &branch(), &path(), BTreeMap::new(),
        );
        "ObjectService/CreateUploads" <- client.create_uploads(&repository(), &branch(), vec![target()]);
        "ObjectService/LinkUpload" <- client.link_upload(&repository(), &branch(), link());
        "ObjectService/LinkUploads" <- client.link_uploads(&repository(), &branch(), vec![link()]);
        "ObjectService/GetDownloadUrl" <- client.get_download_url(&repository(), &reference(), &path());
        "ObjectService/StreamDownloads" <- first(client.stream_downloads(StreamDownloads {
            repository: repository(), reference: reference(), prefix, after: None,
        }));
        "ObjectService/DeleteObject" <- client.delete_object(&repository(), &branch(), &path());
        "ObjectService/DeleteObject" <- client.delete_object_if_etag(&repository(), &branch(), &path(), "e");
        "ObjectService/DeleteObject" <- client.delete_object_if_generation(&repository(), &branch(), &path(), 7);
        "ObjectService/Apply" <- client.apply(Apply { preconditions: vec![], operations: vec![] });
        "ObjectService/DeleteObjects" <- client.delete_objects(&repository(), &branch(), vec![path()]);
        "ObjectService/DeletePrefix" <- client.delete_prefix(DeletePrefix {
            repository: repository(), branch: branch(), prefix: PathPrefix::default(),
        });
        "ObjectService/LinkObject" <- client.link_object(LinkObject {
            repository: repository(), branch: branch(), path: path(), physical_address: "s3://b/k".into(),
            checksum: "c".into(), size: 1, content_type: String::new(), metadata: BTreeMap::new(), mtime: None,
            if_absent: false, if_etag: None,
        });
        "ObjectService/MoveObject" <- client.move_object(MoveObject {
            repository: repository(), branch: branch(), source: path(), destination: path(), overwrite: true,
        });
        "ObjectService/MoveDirectory" <- client.move_directory(MoveDirectory {
            repository: repository(), branch: branch(), source: PathPrefix::default(),
            destination: PathPrefix::default(), overwrite: false,
        });
    }
}

#[tokio::test]
async fn commits() {
    let fake = Fake::start().await;
    let client = fake.client();
    let (prefix, metadata) = (PathPrefix::default(), BTreeMap::new());
    calls! { fake:
        "CommitService/Commit" <- client.commit(CommitBranch {
            repository: repository(), branch: branch(), message: "m".into(), metadata: metadata.clone(),
            allow_empty: false, date: None,
        });
        "CommitService/CommitTree" <- client.commit_tree(CommitTree {
            repository: repository(), branch: branch(), metarange_id: MetarangeId::from_bytes([1; 32]),
            message: "m".into(), metadata: metadata.clone(), date: None,
        });
        "CommitService/GetCommit" <- client.get_commit(&repository(), &reference());
        "CommitService/Log" <- first(client.log(log()));
        "CommitService/Diff" <- first(client.diff(Diff {
            repository: repository(), left: reference(), right: reference(), mode: DiffMode::TwoDot,
            prefix: prefix.clone(), delimiter: None, after: None,
        }));
        "CommitService/ListDiff" <- client.list_diff(ListDiff {
            repository: repository(), left: reference(), right: reference(), mode: DiffMode::TwoDot,
            prefix: prefix.clone(), delimiter: None, after: None, page_size: None, page_token: None,
        });
        "CommitService/DiffBranch" <- first(client.diff_branch(DiffBranch {
            repository: repository(), branch: branch(), prefix, delimiter: None, after: None,
        }));
        "CommitService/Merge" <- client.merge(Merge {
            repository: repository(), source: reference(), destination: branch(),
            strategy: MergeStrategy::Refuse, message: None, metadata: metadata.clone(), squash: false,
            allow_empty: false,
        });
        "CommitService/CommitSet" <- client.commit_set(CommitSet { members: Vec::new() });
        "CommitService/ListMergeConflicts" <- first(client.list_merge_conflicts(ListMergeConflicts {
            repository: repository(), source: reference(), destination: branch(),
        }));
        "CommitService/Revert" <- client.revert(Revert {
            repository: repository(), branch: branch(), reference: reference(), parent_number: None,
            allow_empty: false, message: None, metadata: metadata.clone(),
        });
        "CommitService/CherryPick" <- client.cherry_pick(CherryPick {
            repository: repository(), branch: branch(), reference: reference(), parent_number: None,
            message: None, metadata,
        });
    }
}

#[tokio::test]
async fn pull_requests() {
    let fake = Fake::start().await;
    let client = fake.client();
    let id = PullId::from_bytes([1; 12]);
    calls! { fake:
        "PullRequestService/CreatePullRequest" <- client.create_pull_request(CreatePullRequest {
            repository: repository(), title: "t".into(), description: String::new(), source: branch(),
            destination: branch(),
        });
        "PullRequestService/GetPullRequest" <- client.get_pull_request(&repository(), id);
        "PullRequestService/ListPullRequests" <- client.list_pull_requests(ListPullRequests {
            repository: repository(), filter: PullRequestFilter::All, prefix: String::new(), after: None,
            page_size: None, page_token: None,
        });
        "PullRequestService/UpdatePullRequest" <- client.update_pull_request(UpdatePullRequest {
            repository: repository(), id, title: None, description: None, status: None,
        });
        "PullRequestService/MergePullRequest" <- client.merge_pull_request(MergePullRequest {
            repository: repository(), id, strategy: MergeStrategy::Refuse, message: None,
            metadata: BTreeMap::new(), squash: false,
        });
    }
}
