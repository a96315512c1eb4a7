//! Who waits for whom.

use std::collections::BTreeMap;

use bytes::Bytes;

/// One transaction that waits for another's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) waiter: u64,
    pub(super) holder: u64,
    /// What the waiter wants and the holder has.
    pub(super) key: Bytes,
}

/// The waits of all pessimistic lock requests under way.
#[derive(Debug, Default)]
pub(super) struct Waits {
    waits: BTreeMap<u64, Wait>,
}

impl Waits {
    /// Lets a transaction wait.
    ///
    /// # Errors
    /// The cycle that it would close: from the holder of what is wanted to the one that waits for the waiter. Then it
    /// does not wait.
    pub(super) fn begin(&mut self, wait: Wait) -> Result<(), Vec<Wait>> {
        let chain = self.chain(wait.holder);
        if wait.holder == wait.waiter || chain.last().is_some_and(|last| last.holder == wait.waiter) {
            return Err(chain);
        }
        self.waits.insert(wait.waiter, wait);
        Ok(())
    }

    /// The transaction waits no more.
    pub(super) fn end(&mut self, waiter: u64) {
        self.waits.remove(&waiter);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waits.len()
    }

    /// The waits that begin with a transaction's own, to the last one known. There are no cycles to get lost in: `begin`
    /// lets none come up.
    fn chain(&self, first: u64) -> Vec<Wait> {
        std::iter::successors(self.waits.get(&first), |wait| self.waits.get(&wait.holder)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(waiter: u64, holder: u64) -> Wait {
        Wait { waiter, holder, key: Bytes::from(format!("k{holder}")) }
    }

    #[test]
    fn the_wait_that_closes_a_cycle_is_refused_and_told_the_chain() {
        let mut waits = Waits::default();
        waits.begin(wait(1, 2)).unwrap();
        waits.begin(wait(2, 3)).unwrap();
        assert_eq!(waits.begin(wait(3, 1)), Err(vec![wait(1, 2), wait(2, 3)]));
        assert_eq!(waits.begin(wait(4, 4)), Err(vec![]));
        waits.begin(wait(4, 1)).unwrap();
        waits.end(2);
        waits.begin(wait(3, 1)).unwrap();
    }
}
