//! Holds the tables of `ARCHITECTURE.md` against the dependencies that the rooms really have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::checkout::manifest_dir;

type Table = BTreeMap<String, BTreeSet<String>>;

/// Rooms that may use everything: no product code lives in them.
const FREE: [&str; 2] = ["braid-tests", "braid-benches"];

fn root() -> PathBuf {
    manifest_dir().join("..")
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

fn page() -> String {
    std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

/// The words between backticks of a cell.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Rows of the table whose header begins with `header`: the cell that names the row to the cell that lists.
fn table(page: &str, header: &str, name: usize, list: usize) -> Table {
    let rows = page.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let name = quoted(cells[name]).into_iter().next().expect("a row names what it is about");
        (name, quoted(cells[list]))
    })
    .collect()
}

fn rooms(metadata: &Metadata) -> Vec<&Package> {
    metadata.packages.iter().filter(|package| !FREE.contains(&package.name.as_str())).collect()
}

fn normal_dependencies(package: &Package) -> BTreeSet<String> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.clone()).collect()
}

#[test]
fn rooms_use_exactly_what_the_map_says() {
    let metadata = metadata();
    let names: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let real: Table = rooms(&metadata)
        .into_iter()
        .map(|package| {
            let used = normal_dependencies(package).intersection(&names).cloned().collect();
            (package.name.to_string(), used)
        })
        .collect();
    let mapped = table(&page(), "| room | package", 2, 4);
    assert_eq!(real, mapped);
}

#[test]
fn rooms_lie_where_the_map_says() {
    let metadata = metadata();
    let root = root().canonicalize().unwrap();
    let mapped = table(&page(), "| room | package", 2, 1);
    for package in rooms(&metadata) {
        let folder = package.manifest_path.parent().unwrap().as_std_path().canonicalize().unwrap();
        let room = folder.strip_prefix(&root).unwrap().display().to_string();
        assert_eq!(mapped[package.name.as_str()], BTreeSet::from([room]));
    }
}

#[test]
fn libraries_come_in_by_their_door_only() {
    let metadata = metadata();
    for (library, doors) in table(&page(), "| library | rooms", 1, 2) {
        let users: BTreeSet<String> = rooms(&metadata)
            .into_iter()
            .filter(|package| normal_dependencies(package).contains(&library))
            .map(|package| package.name.to_string())
            .collect();
        assert_eq!(users, doors, "who uses '{library}'");
    }
}
