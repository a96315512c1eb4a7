//! How much there is under a prefix.

use braid_types::{PathPrefix, RefExpression, RepositoryName};

use crate::field::message;
use crate::page::batch;

/// Asks how much there is under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetUsage {
    /// Where.
    pub repository: RepositoryName,
    /// At which state.
    pub reference: RefExpression,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
}

/// Asks how much there is in each directory, and in all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamUsage {
    /// Where.
    pub repository: RepositoryName,
    /// At which state.
    pub reference: RefExpression,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// What to sum paths up at.
    pub delimiter: Option<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many objects.
    pub objects: u64,
    /// Sum of their sizes.
    pub bytes: u64,
}

/// How much there is under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixUsage {
    /// The prefix: a common one, or the one that was asked for.
    pub prefix: PathPrefix,
    /// How much there is.
    pub usage: Usage,
}

message!(GetUsage = GetUsageRequest { repository, reference, prefix });
message!(StreamUsage = StreamUsageRequest { repository, reference, prefix, delimiter });
message!(Usage = Usage { objects, bytes });
message!(PrefixUsage = PrefixUsage { prefix, usage: required });
batch!(PrefixUsage = StreamUsageResponse.prefixes);
