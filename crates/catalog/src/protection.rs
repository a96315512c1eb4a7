//! Which branches take no direct changes.

use std::sync::Arc;

use braid_types::{BranchName, Code, Error, IdentityHasher, RepositoryName, Result, limits};

/// What a direct change to a branch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Staging, or dropping what is staged.
    Write,
    /// Committing what is staged.
    Commit,
}

/// Patterns of the names of branches that are changed by merges, reverts and cherry-picks only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection(Arc<[String]>);

impl Protection {
    /// The rules with these patterns: letters, digits, `_` and `-`, `*` for any characters and `?` for any one.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] names the pattern that is none, [`Code::LimitExceeded`] what there is too much of.
    pub fn new(patterns: Vec<String>) -> Result<Self> {
        if patterns.len() > limits::PROTECTION_PATTERNS {
            let message = format!(
                "{} patterns are too many: a repository has at most {}",
                patterns.len(),
                limits::PROTECTION_PATTERNS
            );
            return Err(Error::new(Code::LimitExceeded, "patterns", message));
        }
        patterns.iter().try_for_each(|pattern| check(pattern))?;
        Ok(Self(patterns.into()))
    }

    /// The patterns as they are stored.
    pub(crate) fn stored(patterns: Vec<String>) -> Self {
        Self(patterns.into())
    }

    /// The patterns.
    pub fn patterns(&self) -> &[String] {
        &self.0
    }

    /// A name for these rules: other rules have another.
    pub fn revision(&self) -> String {
        let patterns: Vec<&str> = self.0.iter().map(String::as_str).collect();
        hex::encode(IdentityHasher::new().string("branch protection").strings(&patterns).finish())
    }

    /// Refuses a direct change to a branch that is protected.
    ///
    /// # Errors
    /// [`Code::ProtectedBranch`].
    pub fn check(&self, repository: &RepositoryName, branch: &BranchName, touch: Touch) -> Result<()> {
        if !self.0.iter().any(|pattern| fits(pattern.as_bytes(), branch.as_str().as_bytes())) {
            return Ok(());
        }
        let what = match touch {
            Touch::Write => "cannot write to protected branch",
            Touch::Commit => "cannot commit to protected branch",
        };
        let message = format!("{what} '{branch}' of repository '{repository}': merge into it instead");
        Err(Error::new(Code::ProtectedBranch, branch.as_str(), message))
    }
}

fn check(pattern: &str) -> Result<()> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-*?".contains(&byte);
    if pattern.is_empty() || pattern.len() > limits::REF_NAME_BYTES || !pattern.bytes().all(known) {
        let message = format!(
            "'{pattern}' is no pattern of branch names: 1 to {} letters, digits, '_', '-', '*' and '?'",
            limits::REF_NAME_BYTES
        );
        return Err(Error::new(Code::InvalidArgument, pattern, message));
    }
    Ok(())
}

/// Whether a name fits a pattern. A `*` takes as little as it can, and more of it once the rest does not fit: only the last
/// one needs to be tried again, so this takes no more than the product of the lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at, read));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    (at, read) = (star + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_fit_what_they_stand_for() {
        for (pattern, name, fit) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("*", "anything", true),
            ("release-*", "release-", true),
            ("release-*", "release", false),
            ("*-stable", "v1-stable", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("v?", "v1", true),
            ("v?", "v", false),
            ("**a", "bba", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_by_name() {
        for wrong in ["", "a/b", "[ab]", "a.b", "{a,b}", "é", &"x".repeat(256)] {
            let error = Protection::new(vec![wrong.to_owned()]).unwrap_err();
            assert_eq!((error.code(), error.subject()), (Code::InvalidArgument, wrong));
        }
        let many = vec!["a".to_owned(); limits::PROTECTION_PATTERNS + 1];
        assert_eq!(Protection::new(many).unwrap_err().code(), Code::LimitExceeded);
    }

    #[test]
    fn other_rules_have_another_revision() {
        let revision = |patterns: &[&str]| {
            Protection::new(patterns.iter().map(ToString::to_string).collect()).unwrap().revision()
        };
        assert_eq!(revision(&["a", "b"]), revision(&["a", "b"]));
        assert_ne!(revision(&["a", "b"]), revision(&["ab"]));
        assert_ne!(revision(&[]), revision(&["a"]));
    }
}
