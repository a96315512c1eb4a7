//! What clients ask for, by chance.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::model::{Ask, Of, Write};

/// The branches: one to work on, of which all others are made; one into which is merged and hardly written; two that are
/// merged; one that comes and goes.
pub(super) const TRUNK: &str = "main";
pub(super) const GATHERING: &str = "m";
pub(super) const SOURCES: [&str; 2] = ["a", "b"];
pub(super) const FLEETING: &str = "s";

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mix {
    /// Everything.
    All,
    /// Puts, of which two on one branch exclude each other.
    Exclusive,
    /// Puts and reads.
    Puts,
    /// Puts, and commits, which seal the layer that they go to.
    Sealed,
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
            Self::Exclusive => match rng.random_range(0..10) {
                0..5 => exclusive(rng, name, TRUNK),
                5..8 => delete(rng, TRUNK),
                _ => Ask::Get { path: path(rng, TRUNK), branch: TRUNK.to_owned(), of: Of::Working },
            },
            Self::Sealed => match rng.random_range(0..10) {
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
    match rng.random_range(0..100) {
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
        62..69 => Ask::List { branch: branch.to_owned(), of },
        69..72 => Ask::List { branch: GATHERING.to_owned(), of },
        72..73 => one(write(rng, name, GATHERING)),
        73..74 => Ask::Commit { branch: GATHERING.to_owned() },
        74..84 => Ask::Commit { branch: choice(rng, &[branch, "a", "b"]).to_owned() },
        84..93 => Ask::Merge {
            source: choice(rng, &SOURCES).to_owned(),
            destination: choice(rng, &[TRUNK, GATHERING, GATHERING]).to_owned(),
        },
        93..96 => Ask::Reset { branch: branch.to_owned() },
        96..98 => Ask::DeleteBranch { name: FLEETING.to_owned() },
        _ => Ask::CreateBranch { name: FLEETING.to_owned(), source: TRUNK.to_owned() },
    }
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
    match rng.random_range(0..20) {
        0..6 => one(write(rng, name, TRUNK)),
        6..10 => rename(rng, TRUNK),
        10..12 => erase(rng, TRUNK),
        12..14 => Ask::Commit { branch: TRUNK.to_owned() },
        14..17 => Ask::Get { path: path(rng, TRUNK), branch: TRUNK.to_owned(), of: Of::Working },
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
