//! Look-ups of regions that fail at every possible moment of a commit: it is never said to have happened unless every
//! write is there.

use std::time::Duration;

use super::support::{b, begin, client_with, settings, split_cluster};
use super::truth::{self, OVER, VALUE};
use crate::testing::{Call, Effect, Filter, RegionFault};
use crate::{Outcome, Settings};

/// Keys in one, two and three of the regions that begin at "m" and "t".
const KEYS: [&[&str]; 3] = [&["a", "b"], &["a", "n"], &["a", "n", "z"]];
/// More look-ups than any of these commits needs.
const MANY: u64 = 100;

#[derive(Clone, Debug)]
struct Case {
    keys: &'static [&'static str],
    one_phase: bool,
    effect: Effect,
    /// How many look-ups go well before the first that fails.
    after: u64,
    /// How many fail.
    times: u64,
}

/// Runs a commit, and returns its answer, and how many look-ups failed.
async fn run(case: &Case) -> (Outcome, u64) {
    let cluster = split_cluster(&["m", "t"]).await;
    let client = client_with(
        &cluster,
        Settings {
            one_phase: case.one_phase,
            // So that regions are looked up again and again, between and within the phases.
            regions: 1,
            backoff_cap: Duration::from_millis(100),
            commit_deadline: Duration::from_secs(1),
            cleanup_deadline: Duration::from_secs(1),
            ..settings()
        },
    )
    .await;
    for call in [Call::KvPrewrite, Call::KvCommit, Call::KvCheckTxnStatus] {
        let stale = Effect::Region(RegionFault::EpochNotMatch { current: false });
        cluster.inject(Filter::on(call).times(1), stale);
    }
    let look_ups = Filter::on(Call::GetRegion).or_on(Call::GetStore);
    let fault = cluster.inject(look_ups.after(case.after).times(case.times), case.effect.clone());
    let mut txn = begin(&client).await;
    let start = txn.start();
    case.keys.iter().for_each(|key| txn.put(b(key), b(VALUE)));
    let outcome = txn.commit().await;
    cluster.withdraw_all();
    client.close().await;
    cluster.advance(OVER);
    truth::check(&cluster, case.keys, start, Some(&outcome), case).await;
    (outcome, fault.met())
}

/// Every moment of a commit in which `times` look-ups in a row can begin to fail; how many there were.
async fn every_moment(effect: Effect, times: u64, expected: impl Fn(&Outcome) -> bool) -> u64 {
    let mut moments = 0;
    for keys in KEYS {
        for one_phase in [true, false] {
            for after in 0.. {
                assert!(after < MANY, "the commit looks up regions without end");
                let case = Case { keys, one_phase, effect: effect.clone(), after, times };
                let (outcome, met) = run(&case).await;
                if met == 0 {
                    assert!(matches!(outcome, Outcome::Committed(_)), "{case:?}: {outcome:?}");
                    break;
                }
                assert!(expected(&outcome), "{case:?}: {outcome:?}");
                moments += 1;
            }
        }
    }
    moments
}

fn is_committed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Committed(_))
}

#[tokio::test(start_paused = true)]
async fn one_look_up_that_fails_at_any_moment_delays_a_commit() {
    for effect in [Effect::Fail("no".into()), Effect::Empty, Effect::LoseRequest, Effect::LoseReply] {
        let moments = every_moment(effect, 1, is_committed).await;
        assert!(moments > 30, "{moments}");
    }
}

#[tokio::test(start_paused = true)]
async fn look_ups_that_fail_from_any_moment_on_never_make_a_commit_that_is_none() {
    for effect in [Effect::Fail("no".into()), Effect::Empty] {
        // No request was lost, so it is always known what happened.
        let moments = every_moment(effect, u64::MAX, |outcome| !matches!(outcome, Outcome::Unknown(_))).await;
        assert!(moments > 30, "{moments}");
    }
}
