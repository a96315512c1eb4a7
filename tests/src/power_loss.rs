//! A machine that loses power at any moment: the catalog over the embedded store and the local object store, both on one
//! disk that keeps nothing but what was synced.

mod machine;
mod workload;

use std::sync::Arc;

use braid_objects::{Lossy, Synced};
use braid_types::{ManualClock, Random, SeededRandom, Time};

use machine::Machine;
use workload::Told;

const SEEDS: u64 = 60;

/// A life ends before so many changes of the disk: enough for a dozen commits on average.
const CHANGES: usize = 4_000;

/// A number below `end`.
fn below(random: &SeededRandom, end: usize) -> usize {
    let random: &dyn Random = random;
    usize::try_from(u64::from_le_bytes(random.bytes()) % end as u64).unwrap()
}

/// Works on a fresh disk until the power fails, then once more on what is left; what is wrong afterwards, if anything.
/// The disk never syncs what it is to forget.
async fn lose_power(seed: u64, forgets: Option<Synced>) -> Result<Told, String> {
    let random = SeededRandom::new(seed);
    let mut disk = Lossy::default();
    // The folders are made and synced once, at the beginning.
    if let Some(folder @ (Synced::Content | Synced::Root)) = forgets {
        disk.forget(folder);
    }
    let clock = Arc::new(ManualClock::at(Time::from_seconds(1_790_000_000)));
    // Each start of a machine makes ids of its own.
    let mut starts = seed * 100..;
    let mut start = |disk: &Lossy| Machine::start(disk, &clock, starts.next().expect("it has no end"));
    start(&disk)?.prepare().await;
    if let Some(forgotten) = forgets {
        disk.forget(forgotten);
    }
    let mut told = Told::default();
    for _life in 0..2 {
        // What still runs of the life before must not write to this one's disk.
        disk = disk.after_crash();
        disk.die_after(below(&random, CHANGES));
        // The power may fail while the stores are opened.
        if let Ok(machine) = start(&disk) {
            machine.work_until_death(&random, &mut told).await;
        }
        disk = disk.after_crash();
        let machine = start(&disk)?;
        machine.check(&told).await?;
        machine.go_on(&mut told).await?;
    }
    Ok(told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_a_loss_of_power() {
    let (mut commits, mut merges) = (0, 0);
    for seed in 0..SEEDS {
        let told =
            Box::pin(lose_power(seed, None)).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        commits += told.commits.len();
        merges += told.merges;
    }
    assert!(
        commits > 300 && merges > 60,
        "the machine lives long enough: {commits} commits, {merges} merges"
    );
}

/// That the test above would fail if any one sync were left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sync_is_needed() {
    let all = [Synced::Database, Synced::File, Synced::Shard, Synced::Content, Synced::Root, Synced::Index];
    for synced in all {
        let mut lost = false;
        for seed in 0..SEEDS {
            // Databases on such a disk may hold anything, and may give up.
            let ended = tokio::spawn(lose_power(seed, Some(synced))).await;
            lost = ended.map_or(true, |ended| ended.is_err());
            if lost {
                break;
            }
        }
        assert!(lost, "nothing was lost without syncs of {synced:?}");
    }
}
