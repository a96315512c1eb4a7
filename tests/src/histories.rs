//! What clients of two nodes saw while everything failed is checked against what a lake is supposed to do: there must be one
//! order of all operations, each between its call and its answer, in which a lake of plain maps gives the same answers. So
//! no acknowledged write is lost, nothing is seen half, no two transactions each overlook the other.

mod asks;
mod calls;
mod checker;
mod checker_tests;
mod clients;
mod commits;
mod flawed;
mod importing;
mod model;
mod paging;
mod words;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use braid_catalog::{CreateRepository, Mutation};
use braid_types::RequestId;
use parking_lot::Mutex;

use asks::{FLEETING, GATHERING, Mix, POND, SOURCES, TRUNK};
use calls::{REPOSITORIES, branch_at, repository_of};
use checker::{Operation, Verdict, linearize};
use clients::{Client, History};
use flawed::Flaw;
use model::State;
use words::{Answer, Ask, Member, Of};
use world::World;

const CLIENTS: usize = 8;
/// Of each client.
const OPERATIONS: usize = 7;
/// How many configurations the search for an order may look at.
const STEPS: usize = 100_000;

/// What a seed tells to happen.
async fn run(seed: u64, mix: Mix, flaw: Option<Flaw>) -> Vec<Operation> {
    let world = Arc::new(World::new(seed, flaw).await);
    let recorded = Arc::new(Mutex::new(History::default()));
    let client = |number: usize| Client::new(number, &world, &recorded, seed);
    create_repositories(&world).await;
    let mut first = client(CLIENTS);
    for name in [GATHERING, SOURCES[0], SOURCES[1]] {
        let ask = Ask::CreateBranch { name: name.to_owned(), source: TRUNK.to_owned() };
        assert_eq!(first.ask(&ask).await, Answer::Done);
    }
    world.strike(seed);
    if flaw.is_some() {
        world.slow_writes();
    }
    let working: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(client(number).work(OPERATIONS, mix))).collect();
    for client in working {
        client.await.expect("a client's failure is the run's");
    }
    world.cluster().withdraw_all();
    read_everything(&mut first).await;
    let recorded = recorded.lock();
    recorded.operations.clone()
}

async fn create_repositories(world: &World) {
    for name in REPOSITORIES {
        let create = CreateRepository {
            name: repository_of(name),
            storage_namespace: format!("mem://{name}"),
            default_branch: branch_at(TRUNK).branch,
        };
        let request = RequestId::new(name).expect("it is an id");
        let node = world.node(0).await.expect("nothing fails yet");
        let mutation = Mutation { principal: "first".into(), request };
        node.catalog.create_repository(create, &mutation).await.expect("nothing fails yet");
    }
}

/// What the clients find.
fn at_first() -> State {
    State::new([TRUNK, POND])
}

/// Once nothing fails any more, whoever asks gets an answer.
async fn read_everything(client: &mut Client) {
    for branch in [TRUNK, GATHERING, SOURCES[0], SOURCES[1], FLEETING, POND] {
        for of in [Of::Working, Of::Head] {
            let answer = client.ask(&Ask::List { branch: branch.to_owned(), of }).await;
            assert!(matches!(answer, Answer::Content(_) | Answer::NoBranch), "{answer:?}");
        }
    }
    for tag in client.asked_tags() {
        client.ask(&Ask::List { branch: tag, of: Of::Tag }).await;
    }
}

/// What may have happened, and what is known not to have.
fn run_alone(seed: u64, mix: Mix, flaw: Option<Flaw>) -> (Vec<Operation>, Vec<Operation>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime can be had");
    let operations = runtime.block_on(run(seed, mix, flaw));
    operations.into_iter().partition(|operation| operation.answer != Answer::Failed)
}

/// How often what was answered how.
type Tally = BTreeMap<(&'static str, &'static str), u64>;

/// Checks one seed's history; `None` if too much was never answered in it to try all that may have happened.
fn check(seed: u64, mix: Mix) -> Option<Tally> {
    let (history, failed) = run_alone(seed, mix, None);
    match linearize(&at_first(), &history, STEPS) {
        Verdict::Linearizable => {}
        Verdict::Undecided => return None,
        Verdict::Impossible(longest) => {
            print(seed, &history, &longest);
            panic!("seed {seed}: no order of the operations explains the answers");
        }
    }
    let mut tally = Tally::new();
    for operation in history.iter().chain(&failed) {
        *tally.entry((kind(&operation.ask), word(&operation.answer))).or_default() += 1;
    }
    Some(tally)
}

fn print(seed: u64, history: &[Operation], longest: &[usize]) {
    println!("seed {seed}: the history");
    for (index, operation) in history.iter().enumerate() {
        let Operation { client, ask, answer, called, answered } = operation;
        println!("{index:3} client {client} {called:3}..{answered:?} {ask:?} -> {answer:?}");
    }
    println!("the longest order that was found: {longest:?}");
}

fn kind(ask: &Ask) -> &'static str {
    match ask {
        Ask::Get { .. } => "get",
        Ask::List { of: Of::Tag, .. } => "list of tag",
        Ask::List { .. } => "list",
        Ask::Pages { .. } => "pages",
        Ask::Apply { .. } => "write",
        Ask::Move { .. } => "move",
        Ask::Erase { .. } => "erase",
        Ask::Reset { .. } => "reset",
        Ask::Commit { .. } => "commit",
        Ask::Merge { .. } => "merge",
        Ask::HardReset { .. } => "hard reset",
        Ask::Set { members } => match members.iter().any(|member| matches!(member, Member::Commit { .. })) {
            true => "commit set",
            false => "set of merges or resets",
        },
        Ask::Import { commit: true, .. } => "import as commit",
        Ask::Import { .. } => "import",
        Ask::CreateBranch { .. } => "create branch",
        Ask::DeleteBranch { .. } => "delete branch",
    }
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Done | Answer::Value(_) | Answer::Content(_) => "done",
        Answer::NoBranch | Answer::BranchExists | Answer::Refused | Answer::Nothing => "refused",
        Answer::Beginning(..) => "cut off",
        Answer::Late => "late",
        Answer::Unknown => "unknown",
        Answer::Failed => "failed",
    }
}

fn print_tally(tally: &Tally) {
    let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((kind, word), count) in tally {
        by_kind.entry(kind).or_default().push(format!("{count} {word}"));
    }
    by_kind.iter().for_each(|(kind, counts)| println!("  {kind}: {}", counts.join(", ")));
}

fn number_from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |number| number.parse().expect("it is a number"))
}

/// `SEEDS` says how many seeds, `FIRST_SEED` where they begin: with both, a failure is reproduced.
fn every_history_is_linearizable(mix: Mix, seeds: u64, kinds: &[&str]) {
    let first = number_from_environment("FIRST_SEED", 0);
    let end = first + number_from_environment("SEEDS", seeds);
    let (next, failed) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let (tally, undecided) = (Mutex::new(Tally::new()), AtomicU64::new(0));
    let run = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            match std::panic::catch_unwind(|| check(seed, mix)) {
                Ok(None) => _ = undecided.fetch_add(1, Ordering::Relaxed),
                Ok(Some(found)) => {
                    let mut tally = tally.lock();
                    found.into_iter().for_each(|(what, count)| *tally.entry(what).or_default() += count);
                }
                Err(_) => failed.lock().push(seed),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(run)));
    let tally = tally.into_inner();
    let undecided = undecided.into_inner();
    println!("{mix:?}: {undecided} of {} were not decided", end - first);
    print_tally(&tally);
    let failed = failed.into_inner();
    assert!(failed.is_empty(), "SEEDS=1 FIRST_SEED= reproduces each of these: {failed:?}");
    assert!(undecided * 5 <= end - first, "too few histories are decided");
    for kind in kinds.iter().filter(|_| end - first >= 50) {
        assert!(tally.contains_key(&(*kind, "done")), "no {kind} was ever done: {tally:?}");
    }
}

/// What hardly depends on anything, so that in fifty histories it happens.
const USUAL: [&str; 8] = ["get", "list", "pages", "write", "move", "erase", "commit", "import"];

#[test]
fn every_history_of_everything_is_linearizable() {
    let others = ["reset", "merge", "create branch", "hard reset", "commit set"];
    every_history_is_linearizable(Mix::All, 8, &[&USUAL[..], &others].concat());
}

#[test]
fn every_history_of_structural_changes_is_linearizable() {
    every_history_is_linearizable(Mix::Structural, 8, &USUAL);
}

#[test]
fn every_history_of_moving_heads_is_linearizable() {
    let kinds = [
        "list",
        "list of tag",
        "pages",
        "write",
        "commit",
        "merge",
        "hard reset",
        "commit set",
        "set of merges or resets",
        "import as commit",
    ];
    every_history_is_linearizable(Mix::Heads, 8, &kinds);
}

#[test]
fn a_seed_reproduces_its_history() {
    for seed in 1000..1002 {
        let trace = |operations: (Vec<Operation>, Vec<Operation>)| format!("{operations:?}");
        assert_eq!(
            trace(run_alone(seed, Mix::All, None)),
            trace(run_alone(seed, Mix::All, None)),
            "seed {seed}"
        );
    }
}

/// Whether some seed's history gives the flaw away.
fn is_caught(flaw: Flaw, mix: Mix) -> bool {
    let gives_away = |seed| {
        let (history, _) = run_alone(seed, mix, Some(flaw));
        matches!(linearize(&at_first(), &history, 2 * STEPS), Verdict::Impossible(_))
    };
    let found = (2000..2100).find(|&seed| gives_away(seed));
    println!("{flaw:?} was given away by seed {found:?}");
    found.is_some()
}

#[test]
fn writers_must_pass_the_fence() {
    assert!(is_caught(Flaw::SharedFence, Mix::Sealed));
}

#[test]
fn sealers_must_hold_the_fence() {
    assert!(is_caught(Flaw::ExclusiveFence, Mix::SealedByPath));
}

#[test]
fn what_is_relied_on_must_be_locked() {
    assert!(is_caught(Flaw::Locks, Mix::Exclusive));
}

#[test]
fn answers_must_be_kept_for_retries() {
    assert!(is_caught(Flaw::RequestRecords, Mix::Puts));
}

#[test]
fn all_heads_of_a_set_must_move() {
    assert!(is_caught(Flaw::WholeSets, Mix::Sets));
}

#[test]
fn imports_must_bring_all_that_they_bring() {
    assert!(is_caught(Flaw::StagedRows, Mix::Imports));
}

#[test]
fn imports_must_not_be_done_again() {
    assert!(is_caught(Flaw::ImportRecords, Mix::Imports));
}

#[test]
fn pages_must_be_of_one_state() {
    assert!(is_caught(Flaw::PageStates, Mix::Structural));
}
