//! Each thing that can happen to a cluster or to a client, at each moment of a transaction: what is answered is true, and
//! what a client leaves is cleared away by the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::support::{b, memory, settings};
use super::truth::{self, OVER, VALUE};
use crate::testing::{Call, Filter, Lifeline, Options, TestCluster, When};
use crate::{Client, Error, Mode, Outcome, Settings, Timestamp};

/// How long what is broken stays so.
const BROKEN: Duration = Duration::from_secs(3);
/// Both keys lie in the first region if there is one; else "a" decides, and "z" follows.
const KEYS: [&str; 2] = ["a", "z"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    StoreDownAndBack,
    StoreDownAndOthersLead,
    StoreBackElsewhere,
    LeaderMoves,
    NoLeader,
    ReplicaMoves,
    Split,
    SplitUnknownToPd,
    Merge,
    PdDownAndBack,
    PdLeaderMoves,
    PdWithoutLeader,
    PdFrozen,
    TimestampsStall,
    ClientDies,
}

impl Event {
    const ALL: [Self; 15] = [
        Self::StoreDownAndBack,
        Self::StoreDownAndOthersLead,
        Self::StoreBackElsewhere,
        Self::LeaderMoves,
        Self::NoLeader,
        Self::ReplicaMoves,
        Self::Split,
        Self::SplitUnknownToPd,
        Self::Merge,
        Self::PdDownAndBack,
        Self::PdLeaderMoves,
        Self::PdWithoutLeader,
        Self::PdFrozen,
        Self::TimestampsStall,
        Self::ClientDies,
    ];

    /// Begins; what ends by itself has ended then.
    async fn strike(self, cluster: &TestCluster, key: &[u8], client: &Lifeline) {
        let leader = cluster.leader_of(key).expect("every region is led");
        match self {
            Self::StoreDownAndBack => cluster.stop_store(leader).await,
            Self::StoreDownAndOthersLead => {
                cluster.stop_store(leader).await;
                cluster.fail_over(leader);
            }
            Self::StoreBackElsewhere => {
                cluster.stop_store(leader).await;
                cluster.start_store_elsewhere(leader).await.unwrap();
            }
            Self::LeaderMoves => assert!(cluster.move_leader(key, Some(leader % 3 + 1))),
            Self::NoLeader => assert!(cluster.move_leader(key, None)),
            Self::ReplicaMoves => assert!(cluster.move_peer(key, leader, 4)),
            Self::Split => cluster.split(b"f"),
            Self::SplitUnknownToPd => {
                cluster.hold_pd_view(true);
                cluster.split(b"f");
            }
            Self::Merge => assert!(cluster.merge(b"a")),
            Self::PdDownAndBack => cluster.stop_pd(0).await,
            Self::PdLeaderMoves => cluster.move_pd_leader(Some(1)),
            Self::PdWithoutLeader => cluster.move_pd_leader(None),
            Self::PdFrozen => cluster.freeze_pd(0, true),
            Self::TimestampsStall => cluster.stall_tso(true),
            Self::ClientDies => client.cut(),
        }
    }

    /// Ends.
    async fn pass(self, cluster: &TestCluster, key: &[u8]) {
        match self {
            Self::StoreDownAndBack => {
                let leader = cluster.leader_of(key).expect("it leads while it is down");
                cluster.start_store(leader).await.unwrap();
            }
            Self::NoLeader => assert!(cluster.move_leader(key, Some(2))),
            Self::SplitUnknownToPd => cluster.hold_pd_view(false),
            Self::PdDownAndBack => cluster.start_pd(0).await.unwrap(),
            Self::PdWithoutLeader => cluster.move_pd_leader(Some(1)),
            Self::PdFrozen => cluster.freeze_pd(0, false),
            Self::TimestampsStall => cluster.stall_tso(false),
            _ => {}
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    event: Event,
    one_phase: bool,
    /// The call at which it happens.
    call: Call,
    key: &'static str,
    when: When,
    /// Whether the call goes on, or is lost.
    lost: bool,
}

fn cases(event: Event) -> Vec<Case> {
    let one = [(Call::KvGet, "a"), (Call::KvPrewrite, "a")];
    let two = [one[0], one[1], (Call::KvPrewrite, "z"), (Call::KvCommit, "a"), (Call::KvCommit, "z")];
    let steps = one.map(|step| (step, true)).into_iter().chain(two.map(|step| (step, false)));
    let mut cases = Vec::new();
    for ((call, key), one_phase) in steps {
        if one_phase && event == Event::Merge {
            // There is one region.
            continue;
        }
        for when in [When::Before, When::After] {
            for lost in [false, true] {
                cases.push(Case { event, one_phase, call, key, when, lost });
            }
        }
    }
    cases
}

fn patient() -> Settings {
    Settings {
        call_timeout: Duration::from_secs(1),
        pd_timeout: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(1),
        backoff_cap: Duration::from_millis(200),
        // The dead end soon.
        read_deadline: Duration::from_secs(10),
        commit_deadline: Duration::from_secs(10),
        cleanup_deadline: Duration::from_secs(10),
        ..settings()
    }
}

async fn transact(client: &Client) -> Result<(Timestamp, Outcome), Error> {
    let mut txn = client.begin(Mode::Optimistic).await?;
    txn.get(KEYS[0].as_bytes()).await?;
    KEYS.iter().for_each(|key| txn.put(b(key), b(VALUE)));
    Ok((txn.start(), txn.commit().await))
}

async fn run(case: &Case) -> &'static str {
    let split_at = if case.one_phase { Vec::new() } else { vec![b("m")] };
    let options = Options { stores: 4, pd_members: 2, split_at, ..memory() };
    let cluster = Arc::new(TestCluster::start(options).await.unwrap());
    let (client, lifeline) = cluster.mortal_client(patient(), 1).await.unwrap();
    let mut stop = cluster.stop(Filter::on(case.call).with_key(case.key).times(1), case.when);
    let transaction = tokio::spawn({
        let client = client.clone();
        async move { transact(&client).await }
    });
    let held = stop.reached().await;
    case.event.strike(&cluster, case.key.as_bytes(), &lifeline).await;
    if case.lost {
        held.lose();
    } else {
        held.release();
    }
    tokio::time::sleep(BROKEN).await;
    case.event.pass(&cluster, case.key.as_bytes()).await;
    let answer = transaction.await.unwrap();
    client.close().await;
    cluster.advance(OVER);
    let dead = case.event == Event::ClientDies;
    match answer {
        Ok((start, outcome)) => {
            truth::check(&cluster, &KEYS, start, Some(&outcome), case).await;
            let good = matches!(outcome, Outcome::Committed(_));
            assert!(dead || good, "{case:?}: what passes is got over: {outcome:?}");
            outcome.word()
        }
        Err(error) => {
            assert!(dead, "{case:?}: {error}");
            "no commit"
        }
    }
}

async fn run_all(events: &[Event]) {
    for &event in events {
        let mut counts = BTreeMap::<_, u64>::new();
        for case in cases(event) {
            *counts.entry(run(&case).await).or_default() += 1;
        }
        println!("{event:?}: {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_true_whatever_happens_to_stores_and_regions() {
    run_all(&Event::ALL[..9]).await;
}

#[tokio::test(start_paused = true)]
async fn answers_are_true_whatever_happens_to_pd_or_the_client() {
    run_all(&Event::ALL[9..]).await;
}
