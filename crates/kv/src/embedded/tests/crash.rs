//! Loss of power at any moment, and the end of the process.

use super::{
    disk::{Disk, Plan},
    workload::{self, Told},
    *,
};
use bytes::Bytes;
use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Command, Stdio},
};

const SEEDS: u64 = 150;

/// Runs the workload until the power goes, and returns the disk afterwards with what was told before.
async fn lose_power(plan: Plan, seed: u64) -> (Disk, Vec<Told>) {
    let disk = Disk::new();
    let store = open_on(disk.clone()).unwrap();
    disk.follow(plan);
    let told = workload::run(&store, 0).await;
    drop(store);
    (disk.after_power_loss(seed), told)
}

/// How many operations the workload takes when nothing goes wrong.
async fn operations() -> u64 {
    let disk = Disk::new();
    let store = open_on(disk.clone()).unwrap();
    disk.follow(Plan::default());
    workload::run(&store, 0).await;
    disk.operations() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_transactions_survive_and_others_are_whole_or_absent() {
    let operations = operations().await;
    let mut committed = 0;
    for seed in 0..SEEDS {
        let at = usize::try_from(seed * operations / SEEDS).unwrap();
        let (disk, told) = lose_power(Plan { power_off_at: Some(at), ..Plan::default() }, seed).await;
        let store = open_on(disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        workload::check(&store, &told).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        workload::assert_writable(&store, &told).await;
        committed += usize::from(workload::any(&told, |outcome| matches!(outcome, Outcome::Committed(_))));
    }
    assert!(committed > 20, "most runs got as far as a commit, not {committed}");
}

/// That the test above would fail if commits were not synced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_acknowledged_transactions_are_lost() {
    let operations = operations().await;
    let mut lost = 0;
    for seed in 0..SEEDS {
        let at = usize::try_from(seed * operations / SEEDS).unwrap();
        let (disk, told) =
            lose_power(Plan { power_off_at: Some(at), lies: true, ..Plan::default() }, seed).await;
        // Such a disk may hold anything: only what is whole again counts here.
        let checked = tokio::spawn(async move {
            let store = open_on(disk).map_err(|_| ())?;
            Ok::<_, ()>(workload::check(&store, &told).await)
        });
        lost += usize::from(matches!(checked.await, Ok(Ok(Err(_)))));
    }
    assert!(lost > 0, "a disk that never syncs went unnoticed");
}

const CHILD_STORE: &str = "BRAID_KV_TEST_STORE";

/// The body of the process that `a_killed_process_loses_nothing` kills; on its own it does nothing.
#[tokio::test]
async fn child_that_writes_until_killed() {
    let Some(path) = std::env::var_os(CHILD_STORE) else { return };
    let store = Embedded::open(Path::new(&path), settings(), clock(), &SeededRandom::new(1)).unwrap();
    for number in 0u32.. {
        let mut txn = store.begin(Mode::Optimistic).await.unwrap();
        txn.put(Bytes::from(format!("{number:08}")), Bytes::from_static(b"here"));
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
        // Not `println`: the test harness captures that.
        writeln!(io::stdout(), "committed {number}").unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "embedded::tests::crash::child_that_writes_until_killed"])
        .env(CHILD_STORE, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let committed = lines.filter_map(|line| line.rsplit_once("committed ")?.1.parse::<u32>().ok());
    let last = committed.take(30).last().expect("the child commits");
    child.kill().unwrap();
    child.wait().unwrap();

    let store = Embedded::open(&path, settings(), clock(), &SeededRandom::new(2)).unwrap();
    let snapshot = store.snapshot().await.unwrap();
    for number in 0..=last {
        let value = snapshot.get(format!("{number:08}").as_bytes()).await.unwrap();
        assert_eq!(value, Some(Bytes::from_static(b"here")), "{number} of {last}");
    }
}
