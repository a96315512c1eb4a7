//! What is still to be done when a command is interrupted.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

/// How long an interrupted command may take for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a command leaves to be done if it is interrupted. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Farewell(Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl Farewell {
    /// Sets what is to be done, in place of anything before.
    pub(crate) fn set(&self, work: impl Future<Output = ()> + Send + 'static) {
        *self.slot() = Some(work.boxed());
    }

    /// Leaves nothing to be done.
    pub(crate) fn clear(&self) {
        *self.slot() = None;
    }

    /// Does it.
    pub(crate) async fn say(&self) {
        let work = self.slot().take();
        if let Some(work) = work {
            // Whoever interrupted wants the end.
            let _ = tokio::time::timeout(PATIENCE, work).await;
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<BoxFuture<'static, ()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
