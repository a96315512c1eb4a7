//! What can be set of a repository.

use std::collections::BTreeMap;

use braid_types::{BranchName, RepositoryName};

use crate::field::message;

/// Says whether anything in a repository can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetReadOnly {
    /// Which.
    pub repository: RepositoryName,
    /// Whether nothing can.
    pub read_only: bool,
}

/// Asks for a repository's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRepositoryMetadata {
    /// Which.
    pub repository: RepositoryName,
}

/// A repository's metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryMetadata {
    /// Keys and values of the users'.
    pub metadata: BTreeMap<String, String>,
}

/// Changes a repository's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRepositoryMetadata {
    /// Which.
    pub repository: RepositoryName,
    /// What to set.
    pub set: BTreeMap<String, String>,
    /// Which keys to remove.
    pub remove: Vec<String>,
}

/// Asks which branches are protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetBranchProtection {
    /// Where.
    pub repository: RepositoryName,
}

/// Which branches take no direct changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchProtection {
    /// Patterns of their names.
    pub patterns: Vec<String>,
    /// Changes whenever the patterns do.
    pub revision: String,
}

/// Replaces the rules that protect branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBranchProtection {
    /// Where.
    pub repository: RepositoryName,
    /// Patterns of branch names.
    pub patterns: Vec<String>,
    /// Refuse unless this is what the rules' revision is now.
    pub if_revision: Option<String>,
}

/// Asks for how long commits are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRetention {
    /// Where.
    pub repository: RepositoryName,
}

/// For how long commits of a branch are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchRetention {
    /// The branch, which need not exist.
    pub branch: BranchName,
    /// How many days.
    pub days: u32,
}

/// For how long commits are kept that no branch needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// On branches without a rule of their own, in days.
    pub default_days: u32,
    /// On the others.
    pub branches: Vec<BranchRetention>,
}

/// Sets for how long commits are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRetention {
    /// Where.
    pub repository: RepositoryName,
    /// The rules.
    pub retention: Retention,
}

/// Forgets for how long commits are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRetention {
    /// Where.
    pub repository: RepositoryName,
}

message!(SetReadOnly = SetReadOnlyRequest { repository, read_only } mutation);
message!(GetRepositoryMetadata = GetRepositoryMetadataRequest { repository });
message!(RepositoryMetadata = RepositoryMetadata { metadata });
message!(UpdateRepositoryMetadata = UpdateRepositoryMetadataRequest { repository, set, remove } mutation);
message!(GetBranchProtection = GetBranchProtectionRequest { repository });
message!(BranchProtection = BranchProtection { patterns, revision });
message!(SetBranchProtection = SetBranchProtectionRequest { repository, patterns, if_revision } mutation);
message!(GetRetention = GetRetentionRequest { repository });
message!(BranchRetention = BranchRetention { branch, days });
message!(Retention = Retention { default_days, branches });
message!(SetRetention = SetRetentionRequest { repository, retention: required } mutation);
message!(DeleteRetention = DeleteRetentionRequest { repository } mutation);
