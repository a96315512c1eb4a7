//! Every limit that a caller can run into, in one place. Each is checked before anything is written.

/// Longest path a put, a link or a delete may name, in bytes of UTF-8 (as S3).
pub const PATH_BYTES: usize = 1024;
/// Most layers of uncommitted change that a branch may have before more are folded.
pub const LAYERS: usize = 64;
/// Longest path that may come to exist by a directory move, in bytes.
pub const MOVED_PATH_BYTES: usize = 4096;
/// Shortest and longest repository name, in characters (all ASCII).
pub const REPOSITORY_NAME_CHARS: (usize, usize) = (3, 63);
/// Longest branch or tag name, in bytes.
pub const REF_NAME_BYTES: usize = 255;
/// Longest ref expression, in bytes.
pub const REF_EXPRESSION_BYTES: usize = 1024;
/// User metadata of one entry: keys and values together, in bytes.
pub const ENTRY_METADATA_BYTES: usize = 64 * 1024;
/// Metadata of one commit: keys and values together, in bytes.
pub const COMMIT_METADATA_BYTES: usize = 64 * 1024;
/// Metadata of a repository: keys and values together, in bytes.
pub const REPOSITORY_METADATA_BYTES: usize = 64 * 1024;
/// Most patterns of protected branches in a repository.
pub const PROTECTION_PATTERNS: usize = 1000;
/// Most branches with a retention of their own in a repository.
pub const RETENTION_BRANCHES: usize = 1000;
/// Longest commit message, in bytes.
pub const COMMIT_MESSAGE_BYTES: usize = 64 * 1024;
/// Longest committer name, in bytes.
pub const COMMITTER_BYTES: usize = 1024;
/// Longest physical address, in bytes.
pub const ADDRESS_BYTES: usize = 4096;
/// Longest checksum, in bytes.
pub const CHECKSUM_BYTES: usize = 256;
/// Longest content type, in bytes.
pub const CONTENT_TYPE_BYTES: usize = 1024;
/// Longest request id, in bytes.
pub const REQUEST_ID_BYTES: usize = 128;
/// Most operations in one transaction.
pub const TRANSACTION_OPERATIONS: usize = 10_000;
/// Most links of one call that are each for itself.
pub const LINK_EACH_CALLS: usize = 256;
/// What the entries weigh together that one transaction copies from path to path, in bytes: its stored answer holds them.
pub const COPIED_ENTRY_BYTES: usize = 4 << 20;
/// Branches that one transaction of staged operations is on.
pub const TRANSACTION_BRANCHES: usize = 1000;
/// Most members of a commit set.
pub const SET_MEMBERS: usize = 1000;
/// Largest object that an entry may describe, in bytes: sizes are signed 64-bit numbers in the committed format.
pub const OBJECT_BYTES: u64 = i64::MAX as u64;
/// Longest storage namespace, in bytes.
pub const STORAGE_NAMESPACE_BYTES: usize = 1024;
/// Shortest prefix by which a commit may be named.
pub const COMMIT_PREFIX_CHARS: usize = 4;
/// Most items on one page of a unary list; also the default.
pub const PAGE_ITEMS: usize = 1000;
/// Parts of one upload: also the highest number of a part.
pub const UPLOAD_PARTS: usize = 10_000;
/// Longest id of an upload in parts, in bytes.
pub const UPLOAD_ID_BYTES: usize = 1024;
/// Sources of one import.
pub const IMPORT_SOURCES: usize = 1000;
/// Those of them that are prefixes: as many are listed at once.
pub const IMPORT_PREFIXES: usize = 64;
/// Longest title of a pull request, in bytes.
pub const PULL_TITLE_BYTES: usize = 1024;
/// Longest description of a pull request, in bytes.
pub const PULL_DESCRIPTION_BYTES: usize = 64 * 1024;
