//! Whether a client had reason not to know what became of a transaction, by what the cluster wrote down of its calls.

use std::time::Duration;

use tokio::time::Instant;

use crate::testing::{EndingCall, Role, Said, TestCluster};
use crate::{Settings, Timestamp};

/// How many transactions ended with an unknown outcome, and how many of them with reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unknowns {
    pub(super) unknown: u64,
    pub(super) justified: u64,
}

impl Unknowns {
    /// Counts one; says what is wrong with it, if anything is.
    pub(super) fn judge(
        &mut self,
        cluster: &TestCluster,
        start: Timestamp,
        told: Instant,
        settings: &Settings,
    ) -> Result<(), String> {
        self.unknown += 1;
        check(cluster, start, told, settings)?;
        self.justified += 1;
        Ok(())
    }

    pub(super) fn add(&mut self, others: Self) {
        self.unknown += others.unknown;
        self.justified += others.justified;
    }
}

/// `told`: when the client said that it does not know. It may say so only after the reply to a call that decides was lost, if
/// from then on nobody answered its questions, and it went on asking until its time was over.
fn check(cluster: &TestCluster, start: Timestamp, told: Instant, settings: &Settings) -> Result<(), String> {
    let calls = cluster.ending_calls(start.into());
    let fail = |what: &str| Err(format!("{what}: {calls:?}, told {told:?}"));
    if calls.iter().any(|call| was_heard(call, told, settings)) {
        return fail("the client was told how the transaction ended");
    }
    let Some(doubt) = calls.iter().rfind(|call| leaves_in_doubt(call)) else {
        return fail("no reply was lost to a call that decides");
    };
    if told < doubt.came + time_to_settle(settings) {
        return fail("the client gave up before its time was over");
    }
    let asked = calls.iter().any(|call| call.role == Role::Settles && call.came >= doubt.came);
    if !asked && cluster.lost_look_ups_since(doubt.came) == 0 {
        return fail("the client asked nobody");
    }
    Ok(())
}

/// An answer that comes when a call's time is over, or the client's, may come too late.
fn was_heard(call: &EndingCall, told: Instant, settings: &Settings) -> bool {
    match call.answered {
        Some((when, Said::TheEnd)) => when < told && when < call.came + settings.call_timeout,
        _ => false,
    }
}

fn leaves_in_doubt(call: &EndingCall) -> bool {
    let unclear = match call.answered {
        None | Some((_, Said::TheEnd)) => true,
        Some((_, Said::Other { in_doubt })) => in_doubt,
    };
    call.role == Role::Decides && unclear
}

/// For how long a client asks at least. It gives up where its time would be over before a pause is.
fn time_to_settle(settings: &Settings) -> Duration {
    settings.call_timeout * 2 - settings.backoff_cap
}
