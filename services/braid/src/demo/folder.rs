//! The files that the demonstration uploads.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use braid_types::ObjectPath;
use walkdir::WalkDir;

/// A file, and the path that it gets.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub(super) file: PathBuf,
    pub(super) path: ObjectPath,
    pub(super) size: u64,
}

/// Every regular file below `root`; links are not followed. Names that cannot be paths are passed over.
pub(super) fn walk(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read '{}'", root.display()))?;
        if entry.file_type().is_file()
            && let Ok(relative) = entry.path().strip_prefix(root)
        {
            files.extend(source(root, relative));
        }
    }
    Ok(files)
}

/// The files that Git tracks below `root`; without Git, every file that is not hidden and not of a build.
pub(super) fn tracked(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let listed = Command::new("git").arg("-C").arg(root).args(["ls-files", "-z"]).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return unhidden(root);
    };
    let names = listed.stdout.split(|&byte| byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
    Ok(names.filter(|name| !name.is_empty()).filter_map(|name| source(root, Path::new(name))).collect())
}

fn unhidden(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let kept = |file: &SourceFile| {
        let path = file.path.as_str();
        !path.starts_with("target/") && !path.split('/').any(|part| part.starts_with('.'))
    };
    Ok(walk(root)?.into_iter().filter(kept).collect())
}

fn source(root: &Path, relative: &Path) -> Option<SourceFile> {
    let file = root.join(relative);
    let known = std::fs::symlink_metadata(&file).ok().filter(std::fs::Metadata::is_file)?;
    let path = ObjectPath::new(relative.to_str()?).ok()?;
    Some(SourceFile { file, path, size: known.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_finds_regular_files_only() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("dir")).unwrap();
        std::fs::write(root.path().join("dir/a"), "1").unwrap();
        std::fs::write(root.path().join("b"), "22").unwrap();
        std::os::unix::fs::symlink("b", root.path().join("link")).unwrap();
        let found = walk(root.path()).unwrap();
        let found: Vec<_> = found.iter().map(|file| (file.path.as_str(), file.size)).collect();
        assert_eq!(found, [("b", 2), ("dir/a", 1)]);
        assert!(walk(&root.path().join("absent")).is_err());
    }
}
