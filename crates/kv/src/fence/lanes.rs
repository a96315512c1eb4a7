//! Which lane a transaction of this process takes.

use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The lanes of one fence as this process uses them: one transaction at a time in each, so that transactions of this
/// process never conflict over a stripe. Clones share the lanes.
#[derive(Clone, Debug)]
pub struct LanePool {
    permits: Arc<Semaphore>,
    free: Arc<Mutex<VecDeque<u16>>>,
}

/// One lane, until dropped.
#[derive(Debug)]
pub struct LaneGuard {
    lane: u16,
    free: Arc<Mutex<VecDeque<u16>>>,
    // Dropped after `drop` has put the lane back, so that whoever gets the permit finds a lane.
    _permit: OwnedSemaphorePermit,
}

impl LanePool {
    /// The lanes `0..lanes`, of which `first % lanes` is handed out first: processes that share a fence should start
    /// at different places.
    ///
    /// # Panics
    /// Without lanes.
    pub fn new(lanes: u16, first: u16) -> Self {
        assert!(lanes > 0, "a fence has at least one lane");
        let mut free: VecDeque<u16> = (0..lanes).collect();
        free.rotate_left(usize::from(first % lanes));
        Self { permits: Arc::new(Semaphore::new(usize::from(lanes))), free: Arc::new(Mutex::new(free)) }
    }

    /// Waits for a lane; whoever asked first gets one first.
    pub async fn acquire(&self) -> LaneGuard {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let lane = self.free.lock().pop_front().expect("a permit stands for a free lane");
        LaneGuard { lane, free: Arc::clone(&self.free), _permit: permit }
    }
}

impl LaneGuard {
    /// The lane held.
    pub fn lane(&self) -> u16 {
        self.lane
    }

    /// Takes the lane that was free longest instead, after a conflict over this one. Stays where it is if none is
    /// free.
    pub fn move_on(&mut self) {
        let mut free = self.free.lock();
        if let Some(other) = free.pop_front() {
            free.push_back(std::mem::replace(&mut self.lane, other));
        }
    }
}

impl Drop for LaneGuard {
    fn drop(&mut self) {
        self.free.lock().push_back(self.lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_lane_is_held_by_one_at_a_time() {
        let pool = LanePool::new(2, 1);
        let (first, second) = (pool.acquire().await, pool.acquire().await);
        assert_eq!((first.lane(), second.lane()), (1, 0));

        let mut third = Box::pin(pool.acquire());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(third.await.lane(), 1);
    }

    #[tokio::test]
    async fn waiters_are_served_in_order() {
        let pool = LanePool::new(1, 0);
        let held = pool.acquire().await;
        let mut early = Box::pin(pool.acquire());
        let mut late = Box::pin(pool.acquire());
        assert!(early.as_mut().now_or_never().is_none());
        assert!(late.as_mut().now_or_never().is_none());
        drop(held);
        assert!(late.as_mut().now_or_never().is_none());
        drop(early.await);
        late.await;
    }

    #[tokio::test]
    async fn moving_on_changes_the_lane_where_another_is_free() {
        let pool = LanePool::new(2, 0);
        let mut guard = pool.acquire().await;
        guard.move_on();
        assert_eq!(guard.lane(), 1);

        let other = pool.acquire().await;
        guard.move_on();
        assert_eq!((guard.lane(), other.lane()), (1, 0));
    }
}
