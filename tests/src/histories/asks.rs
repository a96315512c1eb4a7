//! What clients ask for, by chance.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::words::{Ask, Member, Of, Source, To, Write};

/// The branches: one to work on, of which all others are made; one into which is merged and hardly written; two that are
/// merged; one that comes and goes.
pub(super) const TRUNK: &str = "main";
pub(super) const GATHERING: &str = "m";
pub(super) const SOURCES: [&str; 2] = ["a", "b"];
pub(super) const FLEETING: &str = "s";
/// The branch of another repository.
pub(super) const POND: &str = "pond/main";

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mix {
    /// Everything.
    All,
    /// What moves heads, alone and several together.
    Heads,
    /// Puts, of which two on one branch exclude each other.
    Exclusive,
    /// Puts, deletes and imports.
    Imports,
    /// Puts and reads.
    Puts,
    /// Puts, and commits, which seal the layer that they go to, and listings.
    Sealed,
    /// The same with reads of single paths.
    SealedByPath,
    /// Puts on several branches, and sets of commits of these.
    Sets,
    /// Puts, renames and deletions of directories, and commits.
    Structural,
}

impl Mix {
    /// How likely a node dies at each operation: where retries matter, often.
    pub(super) fn deadly(self) -> f64 {
        if self == Self::Puts { 0.1 } else { 0.02 }
    }

    /// A question by chance; what it writes is called `name`.
    pub(super) fn ask(self, rng: &mut StdRng, name: &str) -> Ask {
        match self {
            Self::All => anything(rng, name),
            Self::Heads => heads(rng, name),
            Self::Imports => match rng.random_range(0..10) {
                0..2 => one(write(rng, name, TRUNK)),
                2..4 => delete(rng, TRUNK),
                4..7 => {
                    let sources = vec![directory("main/d/", Some(name)), object("main/x", name)];
                    Ask::Import { branch: TRUNK.to_owned(), sources, commit: false }
                }
                _ => Ask::List { branch: TRUNK.to_owned(), of: Of::Working },
            },
            Self::Sets => match rng.random_range(0..10) {
                0..5 => {
                    let both = [write(rng, name, TRUNK), write(rng, name, POND)];
                    several(both)
                }
                5..8 => Ask::Set { members: vec![commit(TRUNK), commit(POND)] },
                _ => {
                    let branch = choice(rng, &[TRUNK, POND]).to_owned();
                    Ask::List { branch, of: Of::Head }
                }
            },
            Self::Exclusive => match rng.random_range(0..10) {
                0..5 => exclusive(rng, name, TRUNK),
                5..8 => delete(rng, TRUNK),
                _ => Ask::Get { path: path(rng, TRUNK), branch: TRUNK.to_owned(), of: Of::Working },
            },
            Self::Sealed => match rng.random_range(0..10) {
                0..4 => one(write(rng, name, TRUNK)),
                4..6 => Ask::Commit { branch: TRUNK.to_owned() },
                _ => Ask::List { branch: TRUNK.to_owned(), of: Of::Working },
            },
            Self::SealedByPath => match rng.random_range(0..10) {
                0..4 => one(write(rng, name, TRUNK)),
                4..6 => Ask::Commit { branch: TRUNK.to_owned() },
                _ => Ask::Get { path: path(rng, TRUNK), branch: TRUNK.to_owned(), of: Of::Working },
            },
            Self::Structural => structural(rng, name),
            Self::Puts => match rng.random_range(0..10) {
                0..5 => one(write(rng, name, TRUNK)),
                _ => Ask::Get { path: path(rng, TRUNK), branch: TRUNK.to_owned(), of: Of::Working },
            },
        }
    }
}

fn anything(rng: &mut StdRng, name: &str) -> Ask {
    let branch = choice(rng, &[TRUNK, TRUNK, TRUNK, "a", "a", "b", FLEETING]);
    let of = if rng.random_bool(0.7) { Of::Working } else { Of::Head };
    match rng.random_range(0..120) {
        0..14 => one(write(rng, name, branch)),
        14..17 => rename(rng, branch),
        17..20 => erase(rng, branch),
        20..27 => one(Write { if_absent: true, ..write(rng, name, branch) }),
        27..34 => delete(rng, branch),
        34..40 => {
            several(["x", "y"].map(|file| Write { path: file_of(branch, file), ..write(rng, name, branch) }))
        }
        40..46 => {
            let source = choice(rng, &SOURCES);
            several([write(rng, name, TRUNK), write(rng, name, source)])
        }
        46..52 => exclusive(rng, name, branch),
        52..62 => Ask::Get { path: path(rng, branch), branch: branch.to_owned(), of },
        62..66 => Ask::List { branch: branch.to_owned(), of },
        66..73 => Ask::Pages { branch: branch.to_owned(), of },
        73..76 => Ask::List { branch: GATHERING.to_owned(), of },
        76..77 => one(write(rng, name, GATHERING)),
        77..78 => Ask::Commit { branch: GATHERING.to_owned() },
        78..88 => Ask::Commit { branch: choice(rng, &[branch, "a", "b"]).to_owned() },
        88..96 => merge(rng),
        96..99 => Ask::Reset { branch: branch.to_owned() },
        99..101 => Ask::DeleteBranch { name: FLEETING.to_owned() },
        101..103 => Ask::CreateBranch { name: FLEETING.to_owned(), source: TRUNK.to_owned() },
        103..109 => import(rng, name, branch),
        109..114 => hard_reset(rng),
        _ => set(rng, name),
    }
}

/// Many reads: an order that does not explain them is given up early.
fn heads(rng: &mut StdRng, name: &str) -> Ask {
    let branch = choice(rng, &[TRUNK, "a", "a", "b", POND]);
    match rng.random_range(0..100) {
        0..8 => one(write(rng, name, branch)),
        8..20 => {
            let other = choice(rng, &["a", "b", POND]);
            several([write(rng, name, TRUNK), write(rng, name, other)])
        }
        20..25 => Ask::Commit { branch: branch.to_owned() },
        25..39 => set(rng, name),
        39..46 => hard_reset(rng),
        46..50 => merge(rng),
        50..54 => import(rng, name, branch),
        54..55 => Ask::Reset { branch: branch.to_owned() },
        55..58 => {
            let source = choice(rng, &[TRUNK, "a"]).to_owned();
            Ask::CreateBranch { name: FLEETING.to_owned(), source }
        }
        58..59 => Ask::DeleteBranch { name: FLEETING.to_owned() },
        read => {
            let branch = choice(rng, &[TRUNK, TRUNK, branch, POND, GATHERING]).to_owned();
            let of = if rng.random_bool(0.7) { Of::Head } else { Of::Working };
            if read < 66 { Ask::Pages { branch, of } } else { Ask::List { branch, of } }
        }
    }
}

/// What is merged has no merges in it, so that it has one place in what it is merged into.
fn merge(rng: &mut StdRng) -> Ask {
    let destination = choice(rng, &[TRUNK, GATHERING, GATHERING]).to_owned();
    Ask::Merge { source: choice(rng, &SOURCES).to_owned(), destination }
}

fn hard_reset(rng: &mut StdRng) -> Ask {
    let branch = choice(rng, &[TRUNK, GATHERING, "a", "b", POND, FLEETING]);
    let to = match rng.random_bool(0.3) {
        true if branch == GATHERING || branch == FLEETING => To::Head(TRUNK.to_owned()),
        _ => To::Back(if rng.random_bool(0.8) { 1 } else { 2 }),
    };
    Ask::HardReset { branch: branch.to_owned(), to }
}

/// Several branches together, over two repositories. What is merged from outside of a set stands alone in it: the heads that
/// merges take and the layers that commits take are taken at different moments.
fn set(rng: &mut StdRng, name: &str) -> Ask {
    let source = choice(rng, &SOURCES);
    let back = |branch: &str| Member::Back { branch: branch.to_owned(), by: 1 };
    let merge = |source: &str, destination: &str| Member::Merge {
        source: source.to_owned(),
        destination: destination.to_owned(),
    };
    let members = match rng.random_range(0..14) {
        0..3 => vec![commit(TRUNK), commit(source)],
        3..6 => vec![commit(POND), commit(TRUNK)],
        6..8 => vec![commit(source), merge(source, GATHERING)],
        8..10 => {
            let tag = Member::Tag { name: format!("t{name}"), branch: source.to_owned() };
            vec![commit(source), tag, commit(POND)]
        }
        10..12 => vec![merge("a", GATHERING), merge("b", GATHERING)],
        12 => vec![back(choice(rng, &[GATHERING, TRUNK])), back(POND)],
        _ => vec![commit(source), back(GATHERING)],
    };
    Ask::Set { members }
}

fn commit(branch: &str) -> Member {
    Member::Commit { branch: branch.to_owned() }
}

fn import(rng: &mut StdRng, name: &str, branch: &str) -> Ask {
    let [d, e] = ["d/", "e/"].map(|to| file_of(branch, to));
    let sources = match rng.random_range(0..6) {
        0 => vec![directory(&d, Some(name))],
        1 => vec![directory(&d, None), object(&file_of(branch, "x"), name)],
        2 => vec![object(&file_of(branch, "x"), name), object(&file_of(branch, "y"), name)],
        3 => vec![directory(&d, Some(name)), directory(&e, Some(name))],
        _ => vec![directory(&d, Some(name)), object(&file_of(branch, "x"), name)],
    };
    Ask::Import { branch: branch.to_owned(), sources, commit: rng.random_bool(0.3) }
}

fn directory(to: &str, value: Option<&str>) -> Source {
    Source::Directory { to: to.to_owned(), value: value.map(str::to_owned) }
}

fn object(to: &str, value: &str) -> Source {
    Source::Object { to: to.to_owned(), value: value.to_owned() }
}

fn choice<'a>(rng: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.choose(rng).expect("there is something to choose from")
}

fn file_of(branch: &str, file: &str) -> String {
    format!("{branch}/{file}")
}

fn path(rng: &mut StdRng, branch: &str) -> String {
    file_of(branch, choice(rng, &["x", "y", "d/y", "d/z", "e/z"]))
}

fn write(rng: &mut StdRng, name: &str, branch: &str) -> Write {
    let value = Some(name.to_owned());
    Write { branch: branch.to_owned(), path: path(rng, branch), value, if_absent: false }
}

fn structural(rng: &mut StdRng, name: &str) -> Ask {
    match rng.random_range(0..24) {
        0..6 => one(write(rng, name, TRUNK)),
        6..10 => rename(rng, TRUNK),
        10..12 => erase(rng, TRUNK),
        12..14 => Ask::Commit { branch: TRUNK.to_owned() },
        14..17 => Ask::Get { path: path(rng, TRUNK), branch: TRUNK.to_owned(), of: Of::Working },
        17..19 => import(rng, name, TRUNK),
        19..22 => Ask::Pages { branch: TRUNK.to_owned(), of: Of::Working },
        _ => Ask::List { branch: TRUNK.to_owned(), of: Of::Working },
    }
}

/// Two directories change places with each other, or with a third that is never written.
fn rename(rng: &mut StdRng, branch: &str) -> Ask {
    let [from, to] = [["d/", "e/"], ["e/", "d/"], ["d/", "f/"], ["f/", "d/"]][rng.random_range(0..4)];
    Ask::Move { branch: branch.to_owned(), from: file_of(branch, from), to: file_of(branch, to) }
}

fn erase(rng: &mut StdRng, branch: &str) -> Ask {
    let directory = choice(rng, &["d/", "e/", "f/"]);
    Ask::Erase { branch: branch.to_owned(), prefix: file_of(branch, directory) }
}

fn one(write: Write) -> Ask {
    several([write])
}

fn several<const N: usize>(writes: [Write; N]) -> Ask {
    Ask::Apply { writes: writes.into(), absent: Vec::new() }
}

fn delete(rng: &mut StdRng, branch: &str) -> Ask {
    one(Write { value: None, ..write(rng, "", branch) })
}

/// Two of these, each putting where the other wants nothing, must not both succeed.
fn exclusive(rng: &mut StdRng, name: &str, branch: &str) -> Ask {
    let (written, wanted) = if rng.random_bool(0.5) { ("x", "y") } else { ("y", "x") };
    let write = Write { path: file_of(branch, written), ..write(rng, name, branch) };
    Ask::Apply { writes: vec![write], absent: vec![(branch.to_owned(), file_of(branch, wanted))] }
}
