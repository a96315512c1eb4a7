//! What all operations of a client share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::keyspace::Keyspace;
use crate::locks::Resolver;
use crate::patience::{Pace, Patience};
use crate::pd::Pd;
use crate::store::Sender;
use crate::{Error, Settings, Timestamp};

/// The inside of a client.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) keyspace: Keyspace,
    pub(crate) pace: Pace,
    pub(crate) pd: Arc<Pd>,
    pub(crate) sender: Arc<Sender>,
    pub(crate) resolver: Resolver,
    /// Where tasks run that a dropped transaction leaves.
    pub(crate) runtime: Handle,
    /// Commits, and what cleans up after them.
    pub(crate) tasks: TaskTracker,
    pub(crate) closed: AtomicBool,
}

impl Core {
    /// Refuses new work once the client was closed.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) { Err(Error::Closed) } else { Ok(()) }
    }

    /// The patience of a read.
    pub(crate) fn read_patience(&self, operation: &'static str) -> Patience {
        self.pace.patience(operation, self.settings.read_deadline)
    }

    /// The patience of what cleans up.
    pub(crate) fn cleanup_patience(&self, operation: &'static str) -> Patience {
        self.pace.patience(operation, self.settings.cleanup_deadline)
    }

    /// A timestamp greater than all that were given before.
    pub(crate) async fn timestamp(&self) -> Result<Timestamp, Error> {
        self.check_open()?;
        self.pd.timestamp(&self.read_patience("timestamp")).await
    }
}
