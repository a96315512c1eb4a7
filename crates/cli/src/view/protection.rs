//! Which branches are protected.

use std::fmt;

use braid_client::BranchProtection;
use serde::Serialize;

use crate::text::Plain;

/// The rules that protect a repository's branches.
#[derive(Serialize)]
pub(crate) struct ProtectionView {
    patterns: Vec<String>,
    revision: String,
}

impl From<BranchProtection> for ProtectionView {
    fn from(protection: BranchProtection) -> Self {
        Self { patterns: protection.patterns, revision: protection.revision }
    }
}

impl fmt::Display for ProtectionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.patterns.is_empty() {
            return f.write_str("no branch is protected");
        }
        f.write_str("protected:")?;
        self.patterns.iter().try_for_each(|pattern| write!(f, " {}", Plain(pattern)))
    }
}
