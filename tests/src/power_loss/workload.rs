//! What clients do to the machine, what they are told, and whether that is so after a loss of power.
//!
//! Each branch has pairs of paths of its own, which are put and deleted in one transaction. Merges go both ways and bring
//! the pairs of one branch to the other, without conflicts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use braid_catalog::{CommitRequest, Condition, MergeRequest, StagedOperation, Strategy};
use braid_objects::PutOptions;
use braid_types::{AddressType, Code, CommitId, Entry, Error, SeededRandom};
use futures::future::join_all;

use super::below;
use super::machine::{Content, Machine};
use crate::lake::{branch, lake, path, reference};

const BRANCHES: [&str; 2] = ["main", "side"];

/// Pairs of each branch.
const PAIRS: usize = 12;

/// Transactions at a time.
const WRITERS: usize = 3;

/// A branch and the number of one of its pairs.
type Pair = (&'static str, usize);

/// What clients were told.
#[derive(Default)]
pub(super) struct Told {
    /// What each pair may hold: what was acknowledged last, and what was tried after that without a clear answer.
    pairs: BTreeMap<Pair, Vec<Option<String>>>,
    /// Commits and merges, with their branch and what was seen in them.
    pub(super) commits: Vec<(&'static str, CommitId, Option<Content>)>,
    /// How many of them are merges.
    pub(super) merges: usize,
    texts: usize,
}

impl Told {
    fn text(&mut self) -> String {
        self.texts += 1;
        format!("text {}", self.texts)
    }
}

/// The power is off: whatever was under way ended with an error.
#[derive(Debug)]
pub(super) struct Dead(Error);

/// Tells refusals, which happen to the living, from the end.
fn alive<T>(result: Result<T, Error>) -> Result<Option<T>, Dead> {
    use Code::{Conflict, DirtyBranch, NothingToCommit, NothingToMerge};
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) if [Conflict, DirtyBranch, NothingToCommit, NothingToMerge].contains(&error.code()) => {
            assert!(!error.may_have_happened(), "{error}");
            Ok(None)
        }
        Err(error) => Err(Dead(error)),
    }
}

impl Machine {
    pub(super) async fn work_until_death(&self, random: &SeededRandom, told: &mut Told) {
        while let Ok(()) = self.step(random, told).await {
            self.clock.advance(Duration::from_secs(1));
        }
    }

    async fn step(&self, random: &SeededRandom, told: &mut Told) -> Result<(), Dead> {
        match below(random, 10) {
            0..7 => self.write_and_commit(random, told).await,
            7..9 => {
                let from = below(random, 2);
                self.merge(BRANCHES[from], BRANCHES[1 - from], told).await
            }
            _ => {
                self.clock.advance(Duration::from_secs(3600));
                alive(self.catalog.clean_up().await).map(|_| ())
            }
        }
    }

    /// Several transactions at once, and a commit among them.
    async fn write_and_commit(&self, random: &SeededRandom, told: &mut Told) -> Result<(), Dead> {
        let pairs: BTreeSet<Pair> =
            (0..WRITERS).map(|_| (BRANCHES[below(random, 2)], below(random, PAIRS))).collect();
        let wanted = pairs.into_iter().map(|pair| (pair, (below(random, 5) > 0).then(|| told.text())));
        let wanted: Vec<(Pair, Option<String>)> = wanted.collect();
        let writes = join_all(wanted.iter().map(|(pair, text)| self.write(*pair, text.as_deref())));
        let commits = below(random, 2) == 0;
        let committed =
            async { if commits { self.commit(BRANCHES[below(random, 2)], told).await } else { Ok(()) } };
        let (answers, committed) = futures::join!(writes, committed);
        let mut ended = committed;
        for ((pair, text), answer) in wanted.into_iter().zip(answers) {
            ended = ended.and(told.learn(pair, text, answer));
        }
        ended
    }

    /// Puts both paths of a pair, or deletes them.
    async fn write(&self, pair: Pair, text: Option<&str>) -> Result<(), Error> {
        let operations: Vec<StagedOperation> = match text {
            None => names(pair)
                .map(|at| StagedOperation::Delete { path: path(&at), condition: Condition::Always })
                .into(),
            Some(text) => {
                let address = format!("data/{text}");
                let put = self.objects.put(&address, text.to_owned().into(), PutOptions::if_absent());
                put.await.map_err(|error| Error::new(Code::Unavailable, &address, error.to_string()))?;
                names(pair)
                    .map(|at| StagedOperation::Put {
                        path: path(&at),
                        entry: entry(&address, text),
                        condition: Condition::Always,
                    })
                    .into()
            }
        };
        self.catalog.stage(&lake(), &branch(pair.0), &operations, &self.mutation()).await.map(|_| ())
    }

    async fn commit(&self, on: &'static str, told: &mut Told) -> Result<(), Dead> {
        let request = CommitRequest {
            branch: branch(on),
            committer: "tester".into(),
            message: "commit".into(),
            metadata: BTreeMap::new(),
            time: None,
            allow_empty: false,
        };
        let id = alive(self.catalog.commit(&lake(), &request, &self.mutation()).await)?;
        self.remember(on, id, told).await;
        Ok(())
    }

    /// Merges, once nothing is staged on either branch.
    async fn merge(&self, from: &'static str, into: &'static str, told: &mut Told) -> Result<(), Dead> {
        self.commit(from, told).await?;
        self.commit(into, told).await?;
        let request = MergeRequest {
            source: reference(from),
            destination: branch(into),
            strategy: Strategy::Refuse,
            committer: "tester".into(),
            message: String::new(),
            metadata: BTreeMap::new(),
            squash: false,
            allow_empty: false,
            time: None,
        };
        let id = alive(self.catalog.merge(&lake(), &request, &self.mutation()).await)?;
        told.merges += usize::from(id.is_some());
        self.remember(into, id, told).await;
        Ok(())
    }

    async fn remember(&self, on: &'static str, id: Option<CommitId>, told: &mut Told) {
        if let Some(id) = id {
            // The power may be off by now; the commit was acknowledged all the same.
            told.commits.push((on, id, self.content(&id.to_hex()).await.ok()));
        }
    }

    /// What is wrong with what is found, given what clients were told.
    pub(super) async fn check(&self, told: &Told) -> Result<(), String> {
        for on in BRANCHES {
            let found = self.content(on).await?;
            self.check_data(on).await?;
            for ((_, number), may_be) in told.pairs.iter().filter(|((of, _), _)| *of == on) {
                let name = &names((on, *number))[0];
                if !may_be.contains(&found.get(name).cloned()) {
                    return Err(format!("'{name}' is {:?} and may be {may_be:?}", found.get(name)));
                }
            }
            self.check_whole(on).await?;
            self.check_history(on, told).await?;
        }
        Ok(())
    }

    /// Every commit from the head backwards can be read, and none is missing or another than it was.
    async fn check_history(&self, on: &str, told: &Told) -> Result<(), String> {
        let history = self.history(on).await?;
        for id in &history {
            self.check_whole(&id.to_hex()).await?;
        }
        for (_, id, seen) in told.commits.iter().filter(|(of, _, _)| *of == on) {
            if !history.contains(id) {
                return Err(format!("commit {id} of '{on}' is lost"));
            }
            let found = self.content(&id.to_hex()).await?;
            if seen.as_ref().is_some_and(|seen| *seen != found) {
                return Err(format!("commit {id} of '{on}' is another: {seen:?}, now {found:?}"));
            }
        }
        Ok(())
    }

    /// Only whole transactions are there.
    async fn check_whole(&self, at: &str) -> Result<(), String> {
        let found = self.content(at).await?;
        let side = |folder: &str| -> Vec<(String, String)> {
            let inside = found.iter().filter_map(|(path, text)| Some((path.strip_prefix(folder)?, text)));
            inside.map(|(name, text)| (name.to_owned(), text.clone())).collect()
        };
        if side("left/") == side("right/") { Ok(()) } else { Err(format!("half a transaction: {found:?}")) }
    }

    /// The machine works again: writes, commits and merges go through.
    pub(super) async fn go_on(&self, told: &mut Told) -> Result<(), String> {
        self.settle(told).await?;
        for on in BRANCHES {
            let (pair, text) = ((on, 0), Some(told.text()));
            let answer = self.write(pair, text.as_deref()).await;
            told.learn(pair, text, answer).map_err(|Dead(error)| error.to_string())?;
        }
        let before = told.merges;
        self.merge("side", "main", told).await.map_err(|Dead(error)| error.to_string())?;
        if told.merges != before + 1 {
            return Err("the next merge does not go through".to_owned());
        }
        self.check(told).await
    }

    /// Takes note of what became of the writes whose answers never came.
    async fn settle(&self, told: &mut Told) -> Result<(), String> {
        for on in BRANCHES {
            let found = self.content(on).await?;
            for (pair, may_be) in told.pairs.iter_mut().filter(|((of, _), _)| *of == on) {
                *may_be = vec![found.get(&names(*pair)[0]).cloned()];
            }
        }
        Ok(())
    }
}

impl Told {
    fn learn(&mut self, pair: Pair, text: Option<String>, answer: Result<(), Error>) -> Result<(), Dead> {
        let may_be = self.pairs.entry(pair).or_insert_with(|| vec![None]);
        match &answer {
            Ok(()) => *may_be = vec![text],
            Err(error) if error.may_have_happened() => may_be.push(text),
            Err(_) => {}
        }
        alive(answer).map(|_| ())
    }
}

/// The two paths of a pair.
fn names((on, number): Pair) -> [String; 2] {
    ["left", "right"].map(|folder| format!("{folder}/{on}-{number:02}"))
}

fn entry(address: &str, text: &str) -> Entry {
    Entry {
        address: address.to_owned(),
        address_type: AddressType::Relative,
        size: text.len() as u64,
        checksum: text.to_owned(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        mtime: braid_types::Time::from_seconds(1),
    }
}
