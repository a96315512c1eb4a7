//! Each fault at each step of a transaction: what the client answers is true, it knows whatever can be known, and once the
//! fault is over, work goes on and nothing stays locked.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::justified::Unknowns;
use super::support::{b, begin, client_with, settings, split_cluster};
use super::truth::{self, OVER, VALUE};
use crate::testing::{Call, Effect, Filter, RegionFault, TestCluster};
use crate::{Client, Error, Mode, Outcome, Settings, Timestamp};

/// How soon work goes on after a fault.
const SOON: Duration = Duration::from_secs(2);
/// Both keys lie in the first region if there is one; else "a" decides, and "z" follows.
const KEYS: [&str; 2] = ["a", "z"];

/// A step of a transaction that reads its first key and writes both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Timestamps,
    /// The timestamp to commit at.
    CommitTimestamp,
    LookUps,
    Stores,
    Read,
    FirstPhase,
    /// The first phase of the key that does not decide.
    FirstPhaseOfRest,
    /// The first phase, and every question what became of the transaction.
    FirstPhaseAndStatus,
    SecondPhase,
    /// The second phase of the key that does not decide.
    SecondPhaseOfRest,
    SecondPhaseAndStatus,
    /// The first phase of the key that does not decide, and rolling back.
    FirstPhaseAndCleaningUp,
}

impl Step {
    const OF_PD: [Self; 3] = [Self::Timestamps, Self::LookUps, Self::Stores];
    const IN_ONE_PHASE: [Self; 3] = [Self::Read, Self::FirstPhase, Self::FirstPhaseAndStatus];
    const IN_TWO_PHASES: [Self; 7] = [
        Self::Read,
        Self::FirstPhase,
        Self::FirstPhaseOfRest,
        Self::FirstPhaseAndCleaningUp,
        Self::SecondPhase,
        Self::SecondPhaseOfRest,
        Self::SecondPhaseAndStatus,
    ];

    fn filter(self) -> Filter {
        let [first, rest] = KEYS;
        match self {
            Self::Timestamps => Filter::on(Call::Tso),
            Self::CommitTimestamp => Filter::on(Call::Tso).after(1),
            Self::LookUps => Filter::on(Call::GetRegion),
            Self::Stores => Filter::on(Call::GetStore),
            Self::Read => Filter::on(Call::KvGet),
            Self::FirstPhase => Filter::on(Call::KvPrewrite).with_key(first),
            Self::FirstPhaseOfRest => Filter::on(Call::KvPrewrite).with_key(rest),
            Self::FirstPhaseAndStatus => Filter::on(Call::KvPrewrite).or_on(Call::KvCheckTxnStatus),
            Self::SecondPhase => Filter::on(Call::KvCommit).with_key(first),
            Self::SecondPhaseOfRest => Filter::on(Call::KvCommit).with_key(rest),
            Self::SecondPhaseAndStatus => Filter::on(Call::KvCommit).or_on(Call::KvCheckTxnStatus),
            Self::FirstPhaseAndCleaningUp => {
                Filter::on(Call::KvPrewrite).or_on(Call::KvBatchRollback).with_key(rest)
            }
        }
    }
}

/// Effects on any call.
fn effects() -> Vec<Effect> {
    let seconds = Duration::from_secs;
    vec![
        Effect::Delay(Duration::from_millis(50)),
        Effect::Delay(seconds(5)),
        Effect::LoseRequest,
        Effect::LoseReply,
        Effect::SwallowRequest,
        Effect::SwallowReply,
        Effect::Fail("no".into()),
        Effect::Empty,
    ]
}

fn region_faults() -> Vec<RegionFault> {
    use RegionFault::*;
    vec![
        NotLeader { hint: true },
        NotLeader { hint: false },
        EpochNotMatch { current: true },
        EpochNotMatch { current: false },
        RegionNotFound,
        ServerIsBusy { backoff_ms: 0 },
        ServerIsBusy { backoff_ms: 10_000 },
        StaleCommand,
        StoreNotMatch,
        KeyNotInRegion,
        RaftEntryTooLarge,
        MaxTimestampNotSynced,
        ReadIndexNotReady,
        ProposalInMergingMode,
        DataIsNotReady,
        RegionNotInitialized,
        DiskFull,
        RecoveryInProgress,
        FlashbackInProgress,
        FlashbackNotPrepared,
        IsWitness,
        MismatchPeerId,
        BucketVersionNotMatch,
        UndeterminedResult { applied: true },
        UndeterminedResult { applied: false },
    ]
}

/// Whether a request may have been carried out, as far as its sender can tell.
fn leaves_in_doubt(effect: &Effect) -> bool {
    match effect {
        Effect::Delay(time) => *time > patient().call_timeout,
        Effect::Empty => false,
        Effect::Region(fault) => matches!(
            fault,
            RegionFault::RegionNotFound | RegionFault::StaleCommand | RegionFault::UndeterminedResult { .. }
        ),
        _ => true,
    }
}

fn patient() -> Settings {
    Settings {
        call_timeout: Duration::from_millis(500),
        pd_timeout: Duration::from_millis(500),
        connect_timeout: Duration::from_millis(500),
        read_deadline: Duration::from_secs(2),
        commit_deadline: Duration::from_secs(2),
        cleanup_deadline: Duration::from_secs(2),
        backoff_cap: Duration::from_millis(200),
        commit_lock_wait: Duration::from_secs(1),
        ..settings()
    }
}

#[derive(Clone, Debug)]
struct Case {
    step: Step,
    effect: Effect,
    one_phase: bool,
    /// Every such call is hit until the answer is there; else one.
    lasting: bool,
}

impl Case {
    /// Whether nobody could tell what became of the transaction until its deadline.
    fn may_be_unknown(&self) -> bool {
        let decides = if self.one_phase { Step::FirstPhaseAndStatus } else { Step::SecondPhaseAndStatus };
        self.lasting && self.step == decides && leaves_in_doubt(&self.effect)
    }

    /// Whether a single fault is one that trying again does not cure.
    fn is_final(&self) -> bool {
        self.effect == Effect::Region(RegionFault::RaftEntryTooLarge)
    }
}

/// Answers.
#[derive(Debug, Default)]
struct Counts {
    by_kind: BTreeMap<&'static str, u64>,
    unknowns: Unknowns,
}

async fn transact(client: &Client) -> Result<(Timestamp, Outcome), Error> {
    let mut txn = client.begin(Mode::Optimistic).await?;
    txn.get(KEYS[0].as_bytes()).await?;
    KEYS.iter().for_each(|key| txn.put(b(key), b(VALUE)));
    Ok((txn.start(), txn.commit().await))
}

async fn run(case: &Case, counts: &mut Counts) {
    let cluster = split_cluster(if case.one_phase { &[] } else { &["m"] }).await;
    let client = client_with(&cluster, patient()).await;
    let filter = case.step.filter();
    let filter = if case.lasting { filter } else { filter.times(1) };
    let fault = cluster.inject(filter, case.effect.clone());
    // Without a start it has no name, and has written nothing.
    let (start, outcome) = match transact(&client).await {
        Ok((start, outcome)) => (start, Some(outcome)),
        Err(error) => {
            assert!(case.lasting || case.is_final(), "{case:?}: {error}");
            (Timestamp::from(u64::MAX), None)
        }
    };
    assert!(fault.met() > 0, "{case:?}: the step was not met");
    let word = outcome.as_ref().map_or("no commit", Outcome::word);
    *counts.by_kind.entry(word).or_default() += 1;
    match &outcome {
        Some(Outcome::Unknown(cause)) => {
            assert!(case.may_be_unknown(), "{case:?}: {cause}");
            let judged = counts.unknowns.judge(&cluster, start, Instant::now(), &patient());
            judged.unwrap_or_else(|why| panic!("{case:?}: {why}"));
        }
        Some(Outcome::Committed(_)) | None => {}
        Some(other) => assert!(case.lasting || case.is_final(), "{case:?} hit {}: {other:?}", fault.met()),
    }
    cluster.withdraw_all();
    work_goes_on(&cluster, matches!(outcome, Some(Outcome::Unknown(_))), case).await;
    client.close().await;
    cluster.advance(OVER);
    if outcome.is_some() {
        truth::check_overwritten(&cluster, &KEYS, start, outcome.as_ref(), case);
    }
    assert!(cluster.locks().is_empty(), "{case:?}: {:?}", cluster.locks());
}

/// Another client reads and writes the same keys soon. Where nobody knows what became of the first, its locks must be
/// waited for until their time is over.
async fn work_goes_on(cluster: &TestCluster, unknown: bool, case: &Case) {
    let began = Instant::now();
    let other = client_with(cluster, patient()).await;
    other.snapshot().await.unwrap().batch_get(&KEYS.map(b)).await.unwrap();
    assert!(began.elapsed() < SOON, "{case:?}: read after {:?}", began.elapsed());
    loop {
        let mut txn = begin(&other).await;
        KEYS.iter().for_each(|key| txn.put(b(key), b("other")));
        match txn.commit().await {
            Outcome::Committed(_) => break,
            Outcome::Conflict(_) => {}
            outcome => panic!("{case:?}: {outcome:?}"),
        }
    }
    let most = if unknown { SOON + patient().lock_ttl } else { SOON };
    assert!(began.elapsed() < most, "{case:?}: written after {:?}", began.elapsed());
    other.close().await;
}

async fn run_all(cases: impl Iterator<Item = Case>) -> Counts {
    let mut counts = Counts::default();
    for case in cases {
        run(&case, &mut counts).await;
    }
    let Unknowns { unknown, justified } = counts.unknowns;
    println!("answers: {:?}; {unknown} unknown, {justified} of them justified", counts.by_kind);
    counts
}

fn cases(steps: &[Step], effects: &[Effect], one_phase: bool) -> impl Iterator<Item = Case> {
    let both = steps.iter().flat_map(move |&step| effects.iter().map(move |effect| (step, effect)));
    both.flat_map(move |(step, effect)| {
        [true, false].map(|lasting| Case { step, effect: effect.clone(), one_phase, lasting })
    })
}

#[tokio::test(start_paused = true)]
async fn whatever_pd_does_answers_are_true() {
    for one_phase in [true, false] {
        let counts = run_all(cases(&Step::OF_PD, &effects(), one_phase)).await;
        assert!(counts.unknowns.unknown == 0, "{counts:?}");
    }
    let counts = run_all(cases(&[Step::CommitTimestamp], &effects(), false)).await;
    assert!(counts.by_kind["refused"] > 0 && counts.unknowns.unknown == 0, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_is_lost_answers_are_true_in_one_phase() {
    let counts = run_all(cases(&Step::IN_ONE_PHASE, &effects(), true)).await;
    assert!(counts.unknowns.unknown > 0, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_is_lost_answers_are_true_in_two_phases() {
    let counts = run_all(cases(&Step::IN_TWO_PHASES, &effects(), false)).await;
    assert!(counts.unknowns.unknown > 0, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_a_region_says_answers_are_true() {
    let effects: Vec<Effect> = region_faults().into_iter().map(Effect::Region).collect();
    for (steps, one_phase) in [(&Step::IN_ONE_PHASE[..], true), (&Step::IN_TWO_PHASES, false)] {
        let counts = run_all(cases(steps, &effects, one_phase)).await;
        assert!(counts.unknowns.unknown > 0, "{counts:?}");
    }
}
