//! Which object names may become names of local files.
//!
//! Object names are any text, and whoever can write to a repository chooses them. Accepted is what every component of
//! says plainly that it stays below the folder it is fetched into, and what a file system can hold beside what was
//! accepted before. Everything else is refused by name, never bent into something else.

use std::ffi::OsString;

/// Longest name of a file or folder that file systems take, in bytes.
const COMPONENT_BYTES: usize = 255;

/// A name below a folder: folders to go down, then a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalName {
    /// Names of folders, each a single component.
    pub(crate) folders: Vec<OsString>,
    /// The file's name, a single component.
    pub(crate) file: OsString,
}

/// Why a name cannot be written to a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it has the very name of the folder")]
    Folder,
    #[error("a '/' at an end of its name, or two in a row, cannot be kept in a folder")]
    EmptyComponent,
    #[error("'{0}' in its name would lead elsewhere")]
    Relative(String),
    #[error("there is a NUL in its name")]
    Nul,
    #[error("a part of its name has {0} bytes, and file systems take no more than {COMPONENT_BYTES}")]
    LongComponent(usize),
    #[error("'{0}' is an object too, and cannot be both a file and a folder")]
    UnderFile(String),
}

impl LocalName {
    /// Takes `relative`, an object's path from the prefix on that is fetched.
    pub(crate) fn new(relative: &str) -> Result<Self, Refusal> {
        if relative.is_empty() {
            return Err(Refusal::Folder);
        }
        let mut folders = relative.split('/').map(component).collect::<Result<Vec<_>, _>>()?;
        let file = folders.pop().expect("splitting gives at least one part");
        Ok(Self { folders, file })
    }
}

fn component(text: &str) -> Result<OsString, Refusal> {
    match text {
        "" => Err(Refusal::EmptyComponent),
        "." | ".." => Err(Refusal::Relative(text.to_owned())),
        _ if text.contains('\0') => Err(Refusal::Nul),
        _ if text.len() > COMPONENT_BYTES => Err(Refusal::LongComponent(text.len())),
        _ => Ok(text.into()),
    }
}

/// Accepts names that come in byte order, and refuses those under a name that was accepted as a file.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Accepted files whose names the current one begins with. Names that begin alike come in a row, so others are done with.
    files: Vec<String>,
}

impl Names {
    /// The next name.
    pub(crate) fn accept(&mut self, relative: &str) -> Result<LocalName, Refusal> {
        let name = LocalName::new(relative)?;
        self.files.retain(|file| relative.starts_with(file.as_str()));
        let is_above = |file: &&String| relative.as_bytes().get(file.len()) == Some(&b'/');
        if let Some(file) = self.files.iter().find(is_above) {
            return Err(Refusal::UnderFile(file.clone()));
        }
        self.files.push(relative.to_owned());
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Component, Path, PathBuf};

    use proptest::prelude::*;

    use super::*;

    fn joined(name: &LocalName) -> PathBuf {
        name.folders.iter().chain([&name.file]).collect()
    }

    #[test]
    fn hostile_names_are_refused() {
        let relative = |text: &str| Refusal::Relative(text.to_owned());
        for (name, refusal) in [
            ("", Refusal::Folder),
            ("../x", relative("..")),
            ("a/../../x", relative("..")),
            ("..", relative("..")),
            ("./x", relative(".")),
            ("/etc/x", Refusal::EmptyComponent),
            ("a//b", Refusal::EmptyComponent),
            ("a/", Refusal::EmptyComponent),
            ("/", Refusal::EmptyComponent),
            ("a\0b", Refusal::Nul),
            (&format!("a/{}", "x".repeat(256)), Refusal::LongComponent(256)),
        ] {
            assert_eq!(LocalName::new(name), Err(refusal), "{name:?}");
        }
    }

    #[test]
    fn odd_names_are_kept() {
        for name in ["...", "..a", "a b", "a\\..\\b", "-rf", "~", "é\n", "C:", &"x".repeat(255), "a/.b/c"] {
            assert_eq!(joined(&LocalName::new(name).unwrap()), Path::new(name));
        }
    }

    #[test]
    fn a_file_has_nothing_under_it() {
        let mut names = Names::default();
        for name in ["a", "a-b", "a-b/c", "a.b", "a/b", "ab", "ab/c", "b/c", "b/c/d"] {
            let accepted = names.accept(name).is_ok();
            assert_eq!(accepted, !["a-b/c", "a/b", "ab/c", "b/c/d"].contains(&name), "{name}");
        }
        assert_eq!(names.accept("b/c/e"), Err(Refusal::UnderFile("b/c".into())));
    }

    proptest! {
        #[test]
        fn no_accepted_name_leaves_its_folder(name in "([./a\\\\\0é]|\\.\\.|//){0,12}") {
            if let Ok(accepted) = LocalName::new(&name) {
                let path = joined(&accepted);
                prop_assert!(path.components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert_eq!(path.components().count(), accepted.folders.len() + 1);
                prop_assert_eq!(path.as_os_str(), name.as_str(), "it is kept as it is");
            }
        }

        #[test]
        fn accepted_names_can_be_files_together(names in proptest::collection::btree_set("[ab/!-]{1,6}", 0..40)) {
            let mut accept = Names::default();
            let accepted: BTreeSet<&String> = names.iter().filter(|name| accept.accept(name).is_ok()).collect();
            let folders: BTreeSet<String> = accepted.iter().flat_map(|name| folders(name)).collect();
            prop_assert!(accepted.iter().all(|name| !folders.contains(*name)));
            for name in names.iter().filter(|name| LocalName::new(name).is_ok() && !accepted.contains(name)) {
                prop_assert!(folders_of(name).any(|folder| accepted.contains(&folder)), "{} is refused in vain", name);
            }
        }
    }

    fn folders(name: &str) -> Vec<String> {
        folders_of(name).collect()
    }

    fn folders_of(name: &str) -> impl Iterator<Item = String> + '_ {
        name.match_indices('/').map(|(at, _)| name[..at].to_owned())
    }
}
