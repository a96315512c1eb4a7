//! Money moves between accounts while everything fails: none is made or lost, and no outcome lies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::{all, client_with, memory, settings};
use crate::testing::{Call, Effect, Filter, Options, RegionFault, TestCluster};
use crate::{Client, Error, KeyRange, Mode, Outcome, ScanOptions, Settings, Transaction};

const ACCOUNTS: u64 = 6;
const BALANCE: u64 = 1000;
const TRANSFERS: u64 = 10;

/// What became of each transfer; none: it was broken off before its commit.
type Ledger = Mutex<BTreeMap<String, Outcome>>;

fn account(n: u64) -> String {
    format!("account/{n}")
}

fn number(value: &Bytes) -> u64 {
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

/// Reads for a transfer: by a get, or by holding the key.
async fn balance(txn: &mut Transaction, key: &str, mode: Mode) -> Result<u64, Error> {
    let value = match mode {
        Mode::Optimistic => txn.get(key.as_bytes()).await?,
        Mode::Pessimistic => txn.lock_for_update(key.as_bytes(), Duration::from_millis(50)).await?,
    };
    Ok(number(&value.expect("accounts are never closed")))
}

/// Moves an amount, and writes down that it did.
async fn transfer(client: &Client, ledger: &Ledger, name: &str, rng: &mut StdRng) -> Result<(), Error> {
    let mode = if rng.random_bool(0.3) { Mode::Pessimistic } else { Mode::Optimistic };
    let from = rng.random_range(0..ACCOUNTS);
    let to = (from + rng.random_range(1..ACCOUNTS)) % ACCOUNTS;
    let amount = rng.random_range(1..20);
    let mut txn = client.begin(mode).await?;
    let (from, to) = (account(from), account(to));
    let (left, right) = (balance(&mut txn, &from, mode).await?, balance(&mut txn, &to, mode).await?);
    // Keys held later than the first was read show a newer state: read again.
    let left = if mode == Mode::Pessimistic { balance(&mut txn, &from, mode).await? } else { left };
    let amount = amount.min(left);
    txn.put(from.clone().into(), (left - amount).to_string().into());
    txn.put(to.clone().into(), (right + amount).to_string().into());
    txn.insert(format!("transfer/{name}").into(), format!("{from} {to} {amount}").into());
    let outcome = txn.commit().await;
    ledger.lock().insert(name.to_owned(), outcome);
    Ok(())
}

async fn audit(client: &Client) -> Result<(), Error> {
    let snapshot = client.snapshot().await?;
    let accounts = KeyRange::new("account/", "account0");
    let pairs = snapshot.scan(&accounts, ScanOptions::first(100)).await?;
    let total: u64 = pairs.iter().map(|(_, value)| number(value)).sum();
    assert_eq!((pairs.len() as u64, total), (ACCOUNTS, ACCOUNTS * BALANCE));
    Ok(())
}

/// Faults that strike by chance for as long as they are in force.
fn strike(cluster: &TestCluster) {
    let effects = [
        Effect::LoseReply,
        Effect::LoseRequest,
        Effect::SwallowReply,
        Effect::Delay(Duration::from_millis(3)),
        Effect::Region(RegionFault::NotLeader { hint: true }),
        Effect::Region(RegionFault::EpochNotMatch { current: false }),
        Effect::Region(RegionFault::ServerIsBusy { backoff_ms: 1 }),
        Effect::Region(RegionFault::StaleCommand),
        Effect::Region(RegionFault::UndeterminedResult { applied: true }),
        Effect::Region(RegionFault::UndeterminedResult { applied: false }),
    ];
    for effect in effects {
        let often = if effect == Effect::SwallowReply { 0.005 } else { 0.02 };
        cluster.inject(Filter::any().with_chance(often), effect);
    }
    for effect in [Effect::Empty, Effect::Fail("no".into())] {
        cluster.inject(Filter::on(Call::GetRegion).or_on(Call::GetStore).with_chance(0.1), effect);
    }
    for effect in [Effect::LoseReply, Effect::LoseRequest] {
        cluster.inject(Filter::on(Call::KvPrewrite).or_on(Call::KvCommit).with_chance(0.1), effect);
    }
}

/// Changes what the cluster looks like, once.
async fn change(cluster: &TestCluster, rng: &mut StdRng) {
    let key = account(rng.random_range(0..ACCOUNTS));
    match rng.random_range(0..8) {
        0 | 1 => cluster.split(key.as_bytes()),
        2 => _ = cluster.merge(key.as_bytes()),
        3 | 4 => _ = cluster.move_leader(key.as_bytes(), Some(rng.random_range(1..4))),
        5 => cluster.advance(Duration::from_secs(rng.random_range(0..5))),
        6 => cluster.move_pd_leader(Some(rng.random_range(0..2))),
        _ => {
            let store = rng.random_range(1..4);
            cluster.stop_store(store).await;
            cluster.fail_over(store);
            cluster.start_store_elsewhere(store).await.unwrap();
        }
    }
}

async fn run(seed: u64) {
    let options = Options {
        stores: 3,
        pd_members: 2,
        split_at: vec!["account/3".into(), "t".into()],
        seed,
        ..memory()
    };
    let cluster = Arc::new(TestCluster::start(options).await.unwrap());
    let settings = Settings {
        call_timeout: Duration::from_millis(60),
        pd_timeout: Duration::from_millis(60),
        read_deadline: Duration::from_millis(400),
        commit_deadline: Duration::from_millis(400),
        cleanup_deadline: Duration::from_millis(200),
        commit_lock_wait: Duration::from_millis(10),
        one_phase: !seed.is_multiple_of(3),
        ..settings()
    };
    let patient = client_with(&cluster, super::support::settings()).await;
    let mut opening = super::support::begin(&patient).await;
    (0..ACCOUNTS).for_each(|n| opening.put(account(n).into(), BALANCE.to_string().into()));
    super::support::committed(opening).await;

    strike(&cluster);
    let ledger = Arc::new(Ledger::default());
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (cluster, ledger, settings) = (Arc::clone(&cluster), Arc::clone(&ledger), settings.clone());
            tokio::spawn(async move {
                let mut rng = StdRng::seed_from_u64(seed * 100 + worker);
                let client = Client::connect(&cluster.endpoints(), settings, seed + worker).await;
                // Not even PD could be reached.
                let Ok(client) = client else { return };
                for n in 0..TRANSFERS {
                    let _broken_off = transfer(&client, &ledger, &format!("{worker}-{n}"), &mut rng).await;
                    let _broken_off = audit(&client).await;
                    change(&cluster, &mut rng).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    cluster.withdraw_all();
    cluster.advance(Duration::from_secs(1000));
    let ledger = ledger.lock().clone();
    check(&patient, &ledger, seed).await;
}

/// Every account is what the transfers that happened make it, and those are the ones that were said to have happened.
async fn check(client: &Client, ledger: &BTreeMap<String, Outcome>, seed: u64) {
    audit(client).await.unwrap();
    let state: BTreeMap<String, String> = all(client)
        .await
        .into_iter()
        .map(|(key, value)| {
            (String::from_utf8(key.into()).unwrap(), String::from_utf8(value.into()).unwrap())
        })
        .collect();
    let mut expected: BTreeMap<String, u64> = (0..ACCOUNTS).map(|n| (account(n), BALANCE)).collect();
    for (_, written) in state.iter().filter(|(key, _)| key.starts_with("transfer/")) {
        let [from, to, amount] = written.split(' ').collect::<Vec<_>>()[..] else { panic!("{written}") };
        let amount: u64 = amount.parse().unwrap();
        *expected.get_mut(to).unwrap() += amount;
        // The sum of an account's transfers may pass below zero on the way.
        *expected.get_mut(from).unwrap() = expected[from].wrapping_sub(amount);
    }
    for (name, balance) in expected {
        assert_eq!(state[&name], balance.to_string(), "seed {seed}: {name}");
    }
    for (name, outcome) in ledger {
        let happened = state.contains_key(&format!("transfer/{name}"));
        match outcome {
            Outcome::Committed(_) => assert!(happened, "seed {seed}: {name} was acknowledged"),
            Outcome::Conflict(_) | Outcome::Refused(_) => {
                assert!(!happened, "seed {seed}: {name} {outcome:?}");
            }
            Outcome::Unknown(_) => {}
        }
    }
}

/// Each of these tests runs some seeds, so that they run beside each other.
macro_rules! seeds {
    ($($name:ident: $seeds:expr;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            for seed in $seeds {
                run(seed).await;
            }
        }
    )*};
}

seeds! {
    no_money_is_made_or_lost_seeds_0_to_7: 0..8;
    no_money_is_made_or_lost_seeds_8_to_15: 8..16;
    no_money_is_made_or_lost_seeds_16_to_23: 16..24;
}
