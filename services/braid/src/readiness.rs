//! Whether this process has all that it needs: what `/readyz` says.

use std::sync::Arc;
use std::time::Duration;

use braid_kv::Kv;
use braid_objects::{ObjectError, ObjectStore};
use parking_lot::RwLock;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::installation::{self, InstallationError};

/// How long one part may take to show that it is there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// For how long an answer is given again: however many ask, the parts are asked once.
const ANSWER_LIFETIME: Duration = Duration::from_secs(1);

/// An object that nobody writes: that it is absent is an answer of the store.
const PROBE_KEY: &str = "_braid/ready";

/// What each part says: `ok`, or what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Whether all of it is there.
    pub(crate) ready: bool,
    kv: String,
    format: String,
    storage: String,
}

/// The parts of a process, as they come.
pub(crate) struct Readiness {
    kv: RwLock<Ground>,
    storage: Arc<dyn ObjectStore>,
    stopping: CancellationToken,
    last: Mutex<Option<(Instant, Report)>>,
}

/// The key-value store, or why it is not there yet.
#[derive(Clone)]
enum Ground {
    Missing(String),
    There { kv: Arc<dyn Kv>, home: String },
}

impl Readiness {
    /// A process that has `storage` and no key-value store yet. It is not ready any more once `stopping`.
    pub(crate) fn new(storage: Arc<dyn ObjectStore>, stopping: CancellationToken) -> Self {
        let kv = RwLock::new(Ground::Missing("not opened yet".to_owned()));
        Self { kv, storage, stopping, last: Mutex::default() }
    }

    /// Notes why the key-value store cannot be opened.
    pub(crate) fn kv_is_missing(&self, reason: String) {
        *self.kv.write() = Ground::Missing(reason);
    }

    /// Notes that the key-value store is open, and what it is called.
    pub(crate) fn kv_is(&self, kv: Arc<dyn Kv>, home: &str) {
        *self.kv.write() = Ground::There { kv, home: home.to_owned() };
    }

    /// Asks every part, unless that was just done.
    pub(crate) async fn report(&self) -> Report {
        let mut last = self.last.lock().await;
        let fresh = last.as_ref().filter(|(at, _)| at.elapsed() < ANSWER_LIFETIME);
        let mut report = match fresh {
            Some((_, report)) => report.clone(),
            None => self.ask().await,
        };
        if fresh.is_none() {
            *last = Some((Instant::now(), report.clone()));
        }
        report.ready &= !self.stopping.is_cancelled();
        report
    }

    async fn ask(&self) -> Report {
        let ((kv, format), storage) = tokio::join!(self.ask_kv(), self.ask_storage());
        let parts = [&kv, &format, &storage];
        let ready = parts.into_iter().all(Result::is_ok);
        let word = |part: Result<(), String>| part.err().unwrap_or_else(|| "ok".to_owned());
        Report { ready, kv: word(kv), format: word(format), storage: word(storage) }
    }

    /// The key-value store, and the format of what it holds.
    async fn ask_kv(&self) -> (Result<(), String>, Result<(), String>) {
        let not_reached = |reason| (Err(reason), Err("not known: the key-value store is missing".to_owned()));
        let ground = self.kv.read().clone();
        let (kv, home) = match ground {
            Ground::Missing(reason) => return not_reached(reason),
            Ground::There { kv, home } => (kv, home),
        };
        let check = async { installation::check(&*kv.snapshot().await?, &home).await };
        match timeout(PROBE_TIMEOUT, check).await {
            Ok(Ok(())) => (Ok(()), Ok(())),
            Ok(Err(InstallationError::Kv(error))) => not_reached(error.to_string()),
            Ok(Err(error)) => (Ok(()), Err(error.to_string())),
            Err(_) => not_reached(too_slow()),
        }
    }

    async fn ask_storage(&self) -> Result<(), String> {
        match timeout(PROBE_TIMEOUT, self.storage.head(PROBE_KEY)).await {
            Ok(Ok(_) | Err(ObjectError::NotFound { .. })) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(too_slow()),
        }
    }
}

fn too_slow() -> String {
    format!("no answer within {PROBE_TIMEOUT:?}")
}

#[cfg(test)]
mod tests {
    use braid_kv::{Memory, MemorySettings};
    use braid_objects::{Failure, Faulty, MemoryStore, Operation};
    use braid_types::SystemClock;

    use super::*;

    const HOME: &str = "cluster 7";

    fn store() -> Arc<dyn Kv> {
        Arc::new(Memory::new(MemorySettings::default(), Arc::new(SystemClock)))
    }

    /// What is said once the last answer is old.
    async fn later(readiness: &Readiness) -> Report {
        tokio::time::advance(ANSWER_LIFETIME).await;
        readiness.report().await
    }

    fn said(kv: &str, format: &str, storage: &str) -> Report {
        let ready = [kv, format, storage] == ["ok"; 3];
        Report { ready, kv: kv.into(), format: format.into(), storage: storage.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn each_part_is_named_until_it_is_there() {
        let storage = Arc::new(Faulty::new(Arc::new(MemoryStore::new(Arc::new(SystemClock)))));
        let readiness = Readiness::new(storage.clone(), CancellationToken::new());
        let unknown = "not known: the key-value store is missing";
        assert_eq!(readiness.report().await, said("not opened yet", unknown, "ok"));
        readiness.kv_is_missing("no leader".into());
        assert_eq!(later(&readiness).await, said("no leader", unknown, "ok"));

        let kv = store();
        readiness.kv_is(Arc::clone(&kv), HOME);
        let absent = "no node has written the record of the installation into cluster 7 yet";
        assert_eq!(later(&readiness).await, said("ok", absent, "ok"));
        installation::claim(&*kv, HOME).await.unwrap();
        assert_eq!(later(&readiness).await, said("ok", "ok", "ok"));

        storage.fail(Operation::Head, 1, Failure::Unavailable);
        let busy = "store unavailable for \"_braid/ready\": slow down";
        assert_eq!(later(&readiness).await, said("ok", "ok", busy));
        kv.close().await;
        assert_eq!(later(&readiness).await, said("the store is closed", unknown, "ok"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_given_again_but_not_after_the_end_began() {
        let storage = Arc::new(Faulty::new(Arc::new(MemoryStore::new(Arc::new(SystemClock)))));
        let stopping = CancellationToken::new();
        let readiness = Readiness::new(storage.clone(), stopping.clone());
        let kv = store();
        installation::claim(&*kv, HOME).await.unwrap();
        readiness.kv_is(kv, HOME);
        assert!(readiness.report().await.ready);
        storage.fail(Operation::Head, 1, Failure::Unavailable);
        assert!(readiness.report().await.ready, "nobody was asked");
        assert!(!later(&readiness).await.ready);
        assert!(later(&readiness).await.ready);
        stopping.cancel();
        assert!(!readiness.report().await.ready);
    }
}
