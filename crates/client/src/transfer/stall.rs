//! Giving up on transfers in which nothing moves.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

/// Nothing moved for too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stalled;

/// Runs `transfer`, unless `moved` stays the same for `idle`.
pub(super) async fn unless_stalled<F: Future>(
    idle: Duration,
    moved: impl Fn() -> u64,
    transfer: F,
) -> Result<F::Output, Stalled> {
    let mut transfer = pin!(transfer);
    loop {
        let before = moved();
        match timeout(idle, &mut transfer).await {
            Ok(output) => return Ok(output),
            Err(_) if moved() == before => return Err(Stalled),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::sleep;

    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn slow_is_not_stalled() {
        let moved = AtomicU64::new(0);
        let transfer = async {
            for _ in 0..5 {
                sleep(IDLE * 2 / 3).await;
                moved.fetch_add(1, Ordering::Relaxed);
            }
        };
        assert_eq!(unless_stalled(IDLE, || moved.load(Ordering::Relaxed), transfer).await, Ok(()));
        let forever = std::future::pending::<()>();
        assert_eq!(unless_stalled(IDLE, || 0, forever).await, Err(Stalled));
    }
}
