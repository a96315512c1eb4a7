//! What the contract as a whole must keep.

use prost::Message;

use crate::proto::FILE_DESCRIPTOR_SET;

/// RPCs that change something; each of their requests needs a request id.
const MUTATIONS: &[&str] = &[
    "Apply",
    "CancelImport",
    "CherryPick",
    "Commit",
    "CommitSet",
    "CommitTree",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBranch",
    "CreatePullRequest",
    "CreateRepository",
    "CreateTag",
    "DeleteBranch",
    "DeleteObject",
    "DeleteObjects",
    "DeletePrefix",
    "DeleteRepository",
    "DeleteRetention",
    "DeleteTag",
    "HardResetBranch",
    "LinkObject",
    "LinkUpload",
    "LinkUploads",
    "Merge",
    "MergePullRequest",
    "MoveDirectory",
    "MoveObject",
    "ResetBranch",
    "RestoreRefs",
    "Revert",
    "SetBranchProtection",
    "SetObjectMetadata",
    "SetReadOnly",
    "SetRetention",
    "StartImport",
    "UpdatePullRequest",
    "UpdateRepositoryMetadata",
];

#[test]
fn exactly_the_mutations_carry_a_request_id() {
    let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let files: Vec<_> = set.file.iter().filter(|file| file.package() == "braid.v1").collect();
    let messages: Vec<_> = files.iter().flat_map(|file| &file.message_type).collect();
    let mut found = Vec::new();
    for method in files.iter().flat_map(|file| &file.service).flat_map(|service| &service.method) {
        let input = method.input_type().rsplit('.').next().unwrap();
        let message = messages.iter().find(|message| message.name() == input).unwrap();
        if message.field.iter().any(|field| field.name() == "request_id") {
            found.push(method.name());
        }
    }
    found.sort_unstable();
    assert_eq!(found, MUTATIONS);
}
