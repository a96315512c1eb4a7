//! The table of keys held for update, kept in memory: one holder a key, waiters in order of arrival.
//!
//! A key that is let go passes straight to its first waiter, so nobody overtakes. A wait that would close a circle is
//! refused when it begins: everybody waits for at most one key, so the circle is found by walking from holder to
//! holder, and whoever would close it is the one refused.

use crate::KvError;
use bytes::Bytes;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};

/// Names a transaction in the table.
pub(crate) type OwnerId = u64;

/// The table. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockTable(Arc<Mutex<State>>);

/// A transaction's place in the table; dropping it lets its keys go.
#[derive(Debug)]
pub(crate) struct Owner {
    id: OwnerId,
    table: LockTable,
}

#[derive(Debug, Default)]
struct State {
    last_owner: OwnerId,
    keys: HashMap<Bytes, Holding>,
    /// The keys of each owner, whether it has noticed yet that they passed to it or not.
    owned: HashMap<OwnerId, Vec<Bytes>>,
    /// The key each waiting owner waits for.
    waiting: HashMap<OwnerId, Bytes>,
}

#[derive(Debug)]
struct Holding {
    holder: OwnerId,
    waiters: VecDeque<(OwnerId, oneshot::Sender<()>)>,
}

enum Attempt {
    Held,
    Wait(oneshot::Receiver<()>),
    Circle,
}

impl LockTable {
    /// A new owner, which holds nothing.
    pub(crate) fn owner(&self) -> Owner {
        let mut state = self.0.lock();
        state.last_owner += 1;
        Owner { id: state.last_owner, table: self.clone() }
    }

    /// One of `keys` that another owner holds.
    pub(crate) fn held_by_other<'a>(
        &self,
        owner: &Owner,
        keys: impl IntoIterator<Item = &'a Bytes>,
    ) -> Option<&'a Bytes> {
        let state = self.0.lock();
        if state.keys.is_empty() {
            return None;
        }
        keys.into_iter().find(|key| state.keys.get(*key).is_some_and(|holding| holding.holder != owner.id))
    }
}

impl Owner {
    /// Holds `key`, waiting up to `wait` for others to let it go. What is held already is held.
    pub(crate) async fn hold(&self, key: &[u8], wait: Duration) -> Result<(), KvError> {
        let key = Bytes::copy_from_slice(key);
        let attempt = self.table.0.lock().attempt(self.id, &key);
        let passed_on = match attempt {
            Attempt::Held => return Ok(()),
            Attempt::Circle => return Err(KvError::Deadlock { key }),
            Attempt::Wait(passed_on) => passed_on,
        };
        // Also runs when this future is dropped half way, so that no waiter is left behind.
        let waiting = Waiting { owner: self, key: key.clone() };
        let passed = timeout(wait, passed_on).await.is_ok();
        // The key may have been passed on while the time ran out.
        if passed || waiting.stop() { Ok(()) } else { Err(KvError::LockTimeout { key, waited: wait }) }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.table.0.lock().release_all(self.id);
    }
}

struct Waiting<'a> {
    owner: &'a Owner,
    key: Bytes,
}

impl Waiting<'_> {
    /// Waits no longer; whether the key was got.
    fn stop(&self) -> bool {
        self.owner.table.0.lock().stop_waiting(self.owner.id, &self.key)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl State {
    fn attempt(&mut self, owner: OwnerId, key: &Bytes) -> Attempt {
        let Some(holder) = self.keys.get(key).map(|holding| holding.holder) else {
            self.keys.insert(key.clone(), Holding { holder: owner, waiters: VecDeque::new() });
            self.owned.entry(owner).or_default().push(key.clone());
            return Attempt::Held;
        };
        if holder == owner {
            return Attempt::Held;
        }
        if self.waits_for(holder, owner) {
            return Attempt::Circle;
        }
        let (pass, passed_on) = oneshot::channel();
        self.keys.get_mut(key).expect("the key is held").waiters.push_back((owner, pass));
        self.waiting.insert(owner, key.clone());
        Attempt::Wait(passed_on)
    }

    /// Whether `from` waits for `to`, directly or through others.
    fn waits_for(&self, from: OwnerId, to: OwnerId) -> bool {
        let mut at = from;
        while let Some(key) = self.waiting.get(&at) {
            at = self.keys.get(key).expect("a key waited for is held").holder;
            if at == to {
                return true;
            }
        }
        false
    }

    fn stop_waiting(&mut self, owner: OwnerId, key: &Bytes) -> bool {
        self.waiting.remove(&owner);
        let Some(holding) = self.keys.get_mut(key) else { return false };
        holding.waiters.retain(|(waiter, _)| *waiter != owner);
        holding.holder == owner
    }

    fn release_all(&mut self, owner: OwnerId) {
        for key in self.owned.remove(&owner).unwrap_or_default() {
            self.pass_on(key);
        }
    }

    fn pass_on(&mut self, key: Bytes) {
        let holding = self.keys.get_mut(&key).expect("an owned key is held");
        let Some((next, pass)) = holding.waiters.pop_front() else {
            self.keys.remove(&key);
            return;
        };
        holding.holder = next;
        self.waiting.remove(&next);
        self.owned.entry(next).or_default().push(key);
        // A waiter that stopped at this moment finds itself the holder.
        let _ = pass.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    const LONG: Duration = Duration::from_secs(60);

    fn held(table: &LockTable) -> usize {
        table.0.lock().keys.len()
    }

    #[tokio::test]
    async fn a_key_passes_to_waiters_in_order() {
        let table = LockTable::default();
        let (a, b, c) = (table.owner(), table.owner(), table.owner());
        a.hold(b"k", LONG).await.unwrap();
        a.hold(b"k", LONG).await.unwrap();
        let mut second = Box::pin(b.hold(b"k", LONG));
        let mut third = Box::pin(c.hold(b"k", LONG));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(a);
        assert!(third.as_mut().now_or_never().is_none());
        second.await.unwrap();
        drop(b);
        third.await.unwrap();
        drop(c);
        assert_eq!(held(&table), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends() {
        let table = LockTable::default();
        let (a, b) = (table.owner(), table.owner());
        a.hold(b"k", LONG).await.unwrap();
        let refused = b.hold(b"k", LONG).await;
        assert_eq!(refused, Err(KvError::LockTimeout { key: Bytes::from_static(b"k"), waited: LONG }));
        drop(a);
        assert_eq!(held(&table), 0, "nobody waits any more");
    }

    #[tokio::test]
    async fn a_dropped_wait_leaves_nothing_behind() {
        let table = LockTable::default();
        let (a, b, c) = (table.owner(), table.owner(), table.owner());
        a.hold(b"k", LONG).await.unwrap();
        assert!(b.hold(b"k", LONG).now_or_never().is_none());
        drop(a);
        c.hold(b"k", LONG).now_or_never().expect("the key is free").unwrap();
    }

    #[tokio::test]
    async fn a_key_passed_to_a_wait_being_dropped_is_let_go_with_its_owner() {
        let table = LockTable::default();
        let (a, b) = (table.owner(), table.owner());
        a.hold(b"k", LONG).await.unwrap();
        let mut waiting = Box::pin(b.hold(b"k", LONG));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(a);
        drop(waiting);
        assert_eq!(held(&table), 1);
        drop(b);
        assert_eq!(held(&table), 0);
    }

    #[tokio::test]
    async fn a_circle_is_refused_to_whoever_closes_it() {
        let table = LockTable::default();
        let (a, b, c) = (table.owner(), table.owner(), table.owner());
        for (owner, key) in [(&a, b"1"), (&b, b"2"), (&c, b"3")] {
            owner.hold(key, LONG).await.unwrap();
        }
        let mut first = Box::pin(a.hold(b"2", LONG));
        let mut second = Box::pin(b.hold(b"3", LONG));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        let closing = c.hold(b"1", LONG).await;
        assert_eq!(closing, Err(KvError::Deadlock { key: Bytes::from_static(b"1") }));
        drop(c);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn only_others_are_in_the_way() {
        let table = LockTable::default();
        let (a, b) = (table.owner(), table.owner());
        let keys = [Bytes::from_static(b"j"), Bytes::from_static(b"k")];
        a.hold(b"k", LONG).await.unwrap();
        assert_eq!(table.held_by_other(&a, &keys), None);
        assert_eq!(table.held_by_other(&b, &keys), Some(&keys[1]));
    }
}
