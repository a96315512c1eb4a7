//! Many at once, for real.

use super::{
    Subject,
    support::{LONG, b, commit, committed, get, optimistic},
};
use crate::{KeyRange, Kv, Mode, ScanOptions};
use bytes::Bytes;
use std::sync::Arc;
use tokio::task::JoinSet;

const TASKS: usize = 8;
const TURNS: usize = 25;

pub async fn counters_lose_nothing(subject: Subject) {
    let kv = &subject.kv;
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let kv = Arc::clone(kv);
        tasks.spawn(async move {
            for _ in 0..TURNS {
                while !count_up(&*kv).await {}
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(number(get(&**kv, "counter").await), TASKS * TURNS);
}

async fn count_up(kv: &dyn Kv) -> bool {
    let mut txn = optimistic(kv).await;
    let count = number(txn.get(b"counter").await.unwrap());
    txn.put(b("counter"), b((count + 1).to_string()));
    committed(txn).await
}

pub async fn held_counters_lose_nothing(subject: Subject) {
    let kv = &subject.kv;
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let kv = Arc::clone(kv);
        tasks.spawn(async move {
            for _ in 0..TURNS {
                let mut txn = kv.begin(Mode::Pessimistic).await.unwrap();
                let count = number(txn.lock_for_update(b"counter", LONG).await.unwrap());
                txn.put(b("counter"), b((count + 1).to_string()));
                commit(txn).await;
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(number(get(&**kv, "counter").await), TASKS * TURNS);
}

fn number(value: Option<Bytes>) -> usize {
    value.map_or(0, |value| String::from_utf8(value.to_vec()).unwrap().parse().unwrap())
}

const ACCOUNTS: usize = 6;
const MONEY: usize = 100;

pub async fn money_is_neither_made_nor_lost(subject: Subject) {
    let kv = &subject.kv;
    let mut opening = optimistic(&**kv).await;
    for account in 0..ACCOUNTS {
        opening.put(account_key(account), b(MONEY.to_string()));
    }
    commit(opening).await;

    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let kv = Arc::clone(kv);
        tasks.spawn(async move {
            for turn in 0..TURNS {
                let (from, to) = (task % ACCOUNTS, (task + turn + 1) % ACCOUNTS);
                while !transfer(&*kv, from, to).await {}
                assert_eq!(total(&*kv).await, ACCOUNTS * MONEY);
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(total(&**kv).await, ACCOUNTS * MONEY);
}

fn account_key(account: usize) -> Bytes {
    b(format!("account/{account}"))
}

async fn transfer(kv: &dyn Kv, from: usize, to: usize) -> bool {
    let mut txn = optimistic(kv).await;
    let (from, to) = (account_key(from), account_key(to));
    let from_balance = number(txn.get(&from).await.unwrap());
    if from == to || from_balance == 0 {
        return true;
    }
    let to_balance = number(txn.get(&to).await.unwrap());
    txn.put(from, b((from_balance - 1).to_string()));
    txn.put(to, b((to_balance + 1).to_string()));
    committed(txn).await
}

async fn total(kv: &dyn Kv) -> usize {
    let snapshot = kv.snapshot().await.unwrap();
    let accounts =
        snapshot.scan(&KeyRange::prefix(b"account/"), ScanOptions::first(usize::MAX)).await.unwrap();
    accounts.into_iter().map(|(_, balance)| number(Some(balance))).sum()
}
