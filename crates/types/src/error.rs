//! One set of error codes for gRPC, REST and S3.
//!
//! A code says what the caller can do; the message names the thing refused and the limit or rule. Whether a refused
//! write may have happened all the same is part of the error, never guessed from its text.

use std::fmt;

/// Result with Braid's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Facts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    code: Code,
    subject: String,
    message: String,
    may_have_happened: bool,
}

impl Error {
    /// A failure with `code` about `subject` (the name, path or id that was refused).
    /// Unless the code itself says otherwise, nothing has happened.
    pub fn new(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        let may_have_happened = code == Code::OutcomeUnknown;
        Self(Box::new(Facts { code, subject: subject.into(), message: message.into(), may_have_happened }))
    }

    /// The same failure, of a write whose fate is not known.
    pub fn that_may_have_happened(mut self) -> Self {
        self.0.may_have_happened = true;
        self
    }

    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The thing that was refused.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the write may have been carried out in spite of the failure.
    pub fn may_have_happened(&self) -> bool {
        self.0.may_have_happened
    }

    /// Whether the same request may succeed when it is sent again, with the same request id.
    pub fn is_retryable(&self) -> bool {
        self.code().facts().retryable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

/// A gRPC status by its number, so that this crate needs no gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum GrpcStatus {
    /// 3
    InvalidArgument = 3,
    /// 4
    DeadlineExceeded = 4,
    /// 5
    NotFound = 5,
    /// 6
    AlreadyExists = 6,
    /// 7
    PermissionDenied = 7,
    /// 8
    ResourceExhausted = 8,
    /// 9
    FailedPrecondition = 9,
    /// 10
    Aborted = 10,
    /// 11
    OutOfRange = 11,
    /// 12
    Unimplemented = 12,
    /// 13
    Internal = 13,
    /// 14
    Unavailable = 14,
    /// 15
    DataLoss = 15,
    /// 16
    Unauthenticated = 16,
}

/// What a code means on each protocol.
#[derive(Debug, Clone, Copy)]
struct CodeFacts {
    name: &'static str,
    retryable: bool,
    grpc: GrpcStatus,
    http: u16,
    s3: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $retry:ident, $grpc:ident, $http:literal, $s3:literal;)*) => {
        /// What kind of failure it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $code,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$code,)*];

            fn facts(self) -> CodeFacts {
                match self {
                    $(Code::$code => CodeFacts {
                        name: $name,
                        retryable: codes!(@ $retry),
                        grpc: GrpcStatus::$grpc,
                        http: $http,
                        s3: $s3,
                    },)*
                }
            }
        }
    };
    (@ retry) => { true };
    (@ final_) => { false };
}

codes! {
    /// An argument is malformed.
    InvalidArgument = "invalid_argument", final_, InvalidArgument, 400, "InvalidArgument";
    /// A name breaks the rule for names.
    InvalidName = "invalid_name", final_, InvalidArgument, 400, "InvalidArgument";
    /// A path is empty, too long or not UTF-8.
    InvalidPath = "invalid_path", final_, InvalidArgument, 400, "KeyTooLongError";
    /// A limit other than a name's or a path's is exceeded.
    LimitExceeded = "limit_exceeded", final_, InvalidArgument, 400, "EntityTooLarge";
    /// A page token is malformed or belongs to another request.
    InvalidPageToken = "invalid_page_token", final_, InvalidArgument, 400, "InvalidArgument";
    /// The snapshot behind a page token or a long read is no longer held.
    SnapshotExpired = "snapshot_expired", final_, OutOfRange, 410, "InvalidArgument";
    /// No credentials, or wrong ones.
    Unauthenticated = "unauthenticated", final_, Unauthenticated, 401, "AccessDenied";
    /// The caller may not do this.
    PermissionDenied = "permission_denied", final_, PermissionDenied, 403, "AccessDenied";
    /// The repository is read-only.
    ReadOnly = "read_only", final_, PermissionDenied, 403, "AccessDenied";
    /// The branch takes no direct changes.
    ProtectedBranch = "protected_branch", final_, PermissionDenied, 403, "AccessDenied";
    /// There is no such user.
    UserNotFound = "user_not_found", final_, NotFound, 404, "NoSuchKey";
    /// A user of that name exists.
    UserExists = "user_exists", final_, AlreadyExists, 409, "OperationAborted";
    /// There is no such access key.
    KeyNotFound = "key_not_found", final_, NotFound, 404, "NoSuchKey";
    /// It was never set.
    SettingNotFound = "setting_not_found", final_, NotFound, 404, "NoSuchKey";
    /// There is no such repository.
    RepositoryNotFound = "repository_not_found", final_, NotFound, 404, "NoSuchBucket";
    /// There is no such branch.
    BranchNotFound = "branch_not_found", final_, NotFound, 404, "NoSuchKey";
    /// There is no such tag.
    TagNotFound = "tag_not_found", final_, NotFound, 404, "NoSuchKey";
    /// There is no such commit.
    CommitNotFound = "commit_not_found", final_, NotFound, 404, "NoSuchKey";
    /// A ref expression names nothing.
    RefNotFound = "ref_not_found", final_, NotFound, 404, "NoSuchKey";
    /// There is no object at the path.
    ObjectNotFound = "object_not_found", final_, NotFound, 404, "NoSuchKey";
    /// The object's data is not where its entry says.
    DataNotFound = "data_not_found", final_, NotFound, 410, "NoSuchKey";
    /// A prefix of a commit id fits several commits.
    AmbiguousRef = "ambiguous_ref", final_, InvalidArgument, 400, "InvalidArgument";
    /// A repository of that name exists.
    RepositoryExists = "repository_exists", final_, AlreadyExists, 409, "BucketAlreadyExists";
    /// The storage namespace is in use by a repository.
    NamespaceInUse = "namespace_in_use", final_, AlreadyExists, 400, "InvalidBucketName";
    /// The repository has more than its first commit.
    RepositoryNotEmpty = "repository_not_empty", final_, FailedPrecondition, 409, "BucketNotEmpty";
    /// There is no dump of references in the storage namespace.
    DumpNotFound = "dump_not_found", final_, NotFound, 404, "NoSuchKey";
    /// A dump of references has what cannot be restored.
    InvalidDump = "invalid_dump", final_, FailedPrecondition, 400, "InvalidArgument";
    /// A branch of that name exists.
    BranchExists = "branch_exists", final_, AlreadyExists, 409, "OperationAborted";
    /// There are objects where something is to be moved to.
    DestinationExists = "destination_exists", final_, AlreadyExists, 409, "OperationAborted";
    /// A directory is to be moved into itself, or over one that it is in.
    IntoItself = "into_itself", final_, InvalidArgument, 400, "InvalidArgument";
    /// A tag of that name exists.
    TagExists = "tag_exists", final_, AlreadyExists, 409, "OperationAborted";
    /// The name is taken by another kind of ref.
    RefNameTaken = "ref_name_taken", final_, AlreadyExists, 409, "OperationAborted";
    /// The default branch cannot be deleted.
    DefaultBranch = "default_branch", final_, FailedPrecondition, 400, "OperationAborted";
    /// Nothing differs from the head.
    NothingToCommit = "nothing_to_commit", final_, FailedPrecondition, 400, "OperationAborted";
    /// The branch has uncommitted changes.
    DirtyBranch = "dirty_branch", final_, FailedPrecondition, 400, "OperationAborted";
    /// Source and destination of a merge are the same branch.
    SameBranch = "same_branch", final_, InvalidArgument, 400, "InvalidArgument";
    /// Source has nothing that the destination lacks.
    NothingToMerge = "nothing_to_merge", final_, FailedPrecondition, 400, "OperationAborted";
    /// Both sides changed the same paths.
    MergeConflict = "merge_conflict", final_, Aborted, 409, "OperationAborted";
    /// The commits have no common ancestor.
    NoMergeBase = "no_merge_base", final_, FailedPrecondition, 400, "OperationAborted";
    /// A merge commit needs to be told which parent to compare with.
    ParentRequired = "parent_required", final_, InvalidArgument, 400, "InvalidArgument";
    /// A precondition of the request does not hold.
    PreconditionFailed = "precondition_failed", final_, FailedPrecondition, 412, "PreconditionFailed";
    /// A request id came again with another request.
    RequestIdReused = "request_id_reused", final_, FailedPrecondition, 409, "OperationAborted";
    /// The uploaded data is not what the link says of it.
    UploadMismatch = "upload_mismatch", final_, FailedPrecondition, 400, "BadDigest";
    /// An upload intent is forged, expired or belongs to another path.
    InvalidIntent = "invalid_intent", final_, InvalidArgument, 400, "InvalidArgument";
    /// There is no such upload in parts: it was completed or given up, or never begun.
    UploadNotFound = "upload_not_found", final_, NotFound, 404, "NoSuchUpload";
    /// There is no such import, or it is long over.
    ImportNotFound = "import_not_found", final_, NotFound, 404, "NoSuchKey";
    /// The import is over: it cannot be cancelled any more.
    ImportOver = "import_over", final_, FailedPrecondition, 409, "OperationAborted";
    /// There is no such metarange.
    MetarangeNotFound = "metarange_not_found", final_, NotFound, 404, "NoSuchKey";
    /// There is no such pull request.
    PullRequestNotFound = "pull_request_not_found", final_, NotFound, 404, "NoSuchKey";
    /// The pull request is closed or merged.
    PullRequestNotOpen = "pull_request_not_open", final_, FailedPrecondition, 400, "OperationAborted";
    /// The parts named do not make an object.
    InvalidParts = "invalid_parts", final_, FailedPrecondition, 400, "InvalidPart";
    /// Another writer came first; nothing happened.
    Conflict = "conflict", retry, Aborted, 409, "OperationAborted";
    /// Too much is waiting; nothing happened.
    Busy = "busy", retry, ResourceExhausted, 503, "SlowDown";
    /// A part of the system cannot be reached.
    Unavailable = "unavailable", retry, Unavailable, 503, "ServiceUnavailable";
    /// The store has no room; nothing happened.
    StorageFull = "storage_full", retry, ResourceExhausted, 507, "InternalError";
    /// It took longer than allowed.
    DeadlineExceeded = "deadline_exceeded", retry, DeadlineExceeded, 504, "RequestTimeout";
    /// The reply to a write was lost: send it again with the same request id.
    OutcomeUnknown = "outcome_unknown", retry, Unavailable, 503, "InternalError";
    /// Stored bytes are not what they should be; they were not served.
    Corrupt = "corrupt", final_, DataLoss, 500, "InternalError";
    /// The data was written by a newer version.
    UnsupportedFormat = "unsupported_format", final_, FailedPrecondition, 500, "InternalError";
    /// Not built.
    Unimplemented = "unimplemented", final_, Unimplemented, 501, "NotImplemented";
    /// A fault in Braid itself.
    Internal = "internal", final_, Internal, 500, "InternalError";
}

impl Code {
    /// The code's name on the wire.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The code with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The gRPC status.
    pub fn grpc(self) -> GrpcStatus {
        self.facts().grpc
    }

    /// The HTTP status.
    pub fn http(self) -> u16 {
        self.facts().http
    }

    /// The S3 error code.
    pub fn s3(self) -> &'static str {
        self.facts().s3
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for &code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(code));
            assert!((400..600).contains(&code.http()), "{code}");
        }
    }

    #[test]
    fn only_an_unknown_outcome_may_have_happened_by_itself() {
        for &code in Code::ALL {
            assert_eq!(Error::new(code, "x", "m").may_have_happened(), code == Code::OutcomeUnknown);
        }
        assert!(Error::new(Code::Unavailable, "x", "m").that_may_have_happened().may_have_happened());
    }
}
