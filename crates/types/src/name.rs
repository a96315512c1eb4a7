//! Names of repositories, branches and tags, by lakeFS's rules.

use std::fmt;
use std::str::FromStr;

use crate::{Code, Error, limits};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes `name` if it keeps the rule.
            pub fn new(name: impl Into<String>) -> Result<Self, Error> {
                let name = name.into();
                if $valid(&name) {
                    return Ok(Self(name));
                }
                let shown: String = name.chars().take(80).collect();
                let message = format!("'{}' is not a {} name: {}", shown.escape_debug(), $what, $rule);
                Err(Error::new(Code::InvalidName, name, message))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::new(text)
            }
        }
    };
}

name!(
    /// A repository's name: `^[a-z0-9][a-z0-9-]{2,62}$`.
    RepositoryName, "repository",
    "3 to 63 lower-case letters, digits and '-', the first not a '-'", valid_repository
);
name!(
    /// A branch's name: `^\w[-\w]*$`, at most 255 bytes.
    BranchName, "branch",
    "1 to 255 letters, digits, '_' and '-', the first not a '-'", valid_branch
);
name!(
    /// A tag's name: as Git's, but `~` is allowed and `/` is not; at most 255 bytes.
    TagName, "tag",
    "1 to 255 bytes without blanks, control characters, '..', '@{' or any of /^:?*[\\, not '@', \
     not ending in '.' or '.lock'", valid_tag
);

fn valid_repository(name: &str) -> bool {
    let (least, most) = limits::REPOSITORY_NAME_CHARS;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (least..=most).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-')
}

fn valid_branch(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=limits::REF_NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-')
}

fn valid_tag(name: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "/^:?*[\\".contains(c);
    let whole = name != "@" && !name.ends_with('.') && !name.ends_with(".lock");
    let parts = !name.contains("..") && !name.contains("@{") && !name.chars().any(forbidden);
    (1..=limits::REF_NAME_BYTES).contains(&name.len()) && whole && parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names() {
        for good in ["abc", "0-a", &"a".repeat(63)] {
            assert!(RepositoryName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "-ab", "Abc", "a_b", "a.b", "abé", &"a".repeat(64)] {
            assert_eq!(RepositoryName::new(bad).unwrap_err().code(), Code::InvalidName, "{bad}");
        }
    }

    #[test]
    fn branch_names() {
        for good in ["m", "Main_2-x", "_x", &"b".repeat(255)] {
            assert!(BranchName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", "a/b", "a.b", "a b", "é", &"b".repeat(256)] {
            assert!(BranchName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tag_names() {
        for good in ["v1.0", "a~1", "é", "a@b", "x$"] {
            assert!(TagName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "", "@", "a.", "a.lock", "a..b", "a/b", "a@{b", "a b", "a^", "a:b", "a?", "a*", "a[", "a\\",
            "\u{7f}",
        ] {
            assert!(TagName::new(bad).is_err(), "{bad}");
        }
    }
}
