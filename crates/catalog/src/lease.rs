//! Leases: of all nodes one does a background task at a time.
//!
//! A node takes a task's lease, if nobody has it or its time is over, and gets a number greater than all before. It renews
//! the lease while it works and keeps it between runs, so that one node goes on doing the task. Clocks decide only who works;
//! what keeps the others from doing harm is the number: every transaction of the task [checks](Lease::check) it, so one whose
//! holder was paused while another took the lease does nothing.

use std::time::Duration;

use braid_kv::Transaction;
use braid_types::{Code, Error, Result, Time};

use crate::catalog::{Catalog, finish};
use crate::record::lease::{self, Holder, LeaseRecord};

/// What one node at a time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Destroying what was dropped.
    CleanUp,
    /// Letting the key-value store forget old states.
    Garbage,
}

impl Task {
    const ALL: [Self; 2] = [Self::CleanUp, Self::Garbage];

    fn name(self) -> &'static str {
        match self {
            Self::CleanUp => "clean-up",
            Self::Garbage => "garbage",
        }
    }
}

/// A lease as one run of its task has it. A later run has another number, in the same process too.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    task: Task,
    record: LeaseRecord,
    lifetime: Duration,
}

impl Catalog {
    /// Takes the lease of a task; `None` while another node has it.
    pub(crate) async fn take_lease(&self, task: Task) -> Result<Option<Lease>> {
        let (key, lifetime) = (lease::key(task.name()), self.settings.lease_lifetime);
        let mut txn = self.begin().await?;
        let found = txn.get(&key).await?.map(|row| LeaseRecord::decode(&row)).transpose()?;
        let Some(record) = taken(found, self.holder(), self.now(), lifetime) else {
            return Ok(None);
        };
        txn.put(key, record.encode());
        // Whoever came first has it.
        let lost = finish(txn, task.name()).await?;
        Ok(lost.is_none().then_some(Lease { task, record, lifetime }))
    }

    /// Lets go of every lease that this process holds, so that no other node waits for its end.
    pub async fn release_leases(&self) -> Result<()> {
        for task in Task::ALL {
            let key = lease::key(task.name());
            let mut txn = self.begin().await?;
            let found = txn.get(&key).await?.map(|row| LeaseRecord::decode(&row)).transpose()?;
            if let Some(record) = found.filter(|record| record.holder == self.holder()) {
                txn.put(key, LeaseRecord { expires: self.now(), ..record }.encode());
                // A lost race is one to somebody who holds it now.
                finish(txn, task.name()).await?;
            }
        }
        Ok(())
    }
}

impl Lease {
    /// Lets a transaction commit only while this is the lease's newest number.
    ///
    /// # Errors
    /// [`Code::Conflict`] when it no longer is.
    pub(crate) async fn check(&self, txn: &mut dyn Transaction) -> Result<()> {
        let key = lease::key(self.task.name());
        let found = txn.get(&key).await?.map(|row| LeaseRecord::decode(&row)).transpose()?;
        if found.is_none_or(|found| found.fence != self.record.fence) {
            return Err(self.lost());
        }
        txn.lock(key);
        Ok(())
    }

    /// Makes the lease last on. Costs nothing while half of its time is left.
    ///
    /// # Errors
    /// [`Code::Conflict`] when another has it.
    pub(crate) async fn keep(&mut self, catalog: &Catalog) -> Result<()> {
        let now = catalog.now();
        if self.record.expires.since(now) > self.lifetime / 2 {
            return Ok(());
        }
        let mut txn = catalog.begin().await?;
        self.check(&mut *txn).await?;
        let record = LeaseRecord { expires: now.plus(self.lifetime), ..self.record };
        txn.put(lease::key(self.task.name()), record.encode());
        if finish(txn, self.task.name()).await?.is_some() {
            return Err(self.lost());
        }
        self.record = record;
        Ok(())
    }

    fn lost(&self) -> Error {
        let task = self.task.name();
        Error::new(Code::Conflict, task, format!("the lease of the {task} has passed to another run of it"))
    }
}

/// What a lease becomes when `holder` asks for it; `None` while another has it.
pub(crate) fn taken(
    found: Option<LeaseRecord>,
    holder: Holder,
    now: Time,
    lifetime: Duration,
) -> Option<LeaseRecord> {
    if found.is_some_and(|found| found.holder != holder && now < found.expires) {
        return None;
    }
    let fence = found.map_or(0, |found| found.fence) + 1;
    Some(LeaseRecord { holder, fence, expires: now.plus(lifetime) })
}

#[cfg(test)]
mod tests {
    use braid_types::{Random, SeededRandom};

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(100);

    #[test]
    fn a_lease_goes_to_another_when_its_time_is_over_and_its_number_grows() {
        let random: &dyn Random = &SeededRandom::new(1);
        let (one, two) = (Holder::random(random), Holder::random(random));
        let at = Time::from_seconds;
        let first = taken(None, one, at(0), LIFETIME).unwrap();
        assert_eq!(first, LeaseRecord { holder: one, fence: 1, expires: at(100) });
        assert_eq!(taken(Some(first), two, at(99), LIFETIME), None);
        let again = taken(Some(first), one, at(99), LIFETIME).unwrap();
        assert_eq!((again.fence, again.expires), (2, at(199)), "each run has a number of its own");
        let second = taken(Some(again), two, at(199), LIFETIME).unwrap();
        assert_eq!((second.holder, second.fence), (two, 3));
    }
}
