//! Work under way, of which there is one for each key at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use braid_tree::TreeError;
use braid_types::{Code, Error};
use futures::future::{BoxFuture, FutureExt, Shared};
use parking_lot::Mutex;

type Flight<V> = Shared<BoxFuture<'static, Result<V, TreeError>>>;

/// Work under way. Who asks for what is under way waits for it; a failure is theirs too, and is not kept.
///
/// Work runs in a task of its own: it goes on while nobody polls it, and comes to its end, with what it puts on a shelf,
/// when those who asked for it have gone.
pub(crate) struct Flights<K, V> {
    under_way: Arc<Mutex<HashMap<K, Flight<V>>>>,
}

impl<K, V> Flights<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Self {
        Self { under_way: Arc::default() }
    }

    /// The result of the work of this key that is under way, or else of `work`; and whether it was the latter.
    pub(crate) async fn join(
        &self,
        key: K,
        work: impl Future<Output = Result<V, TreeError>> + Send + 'static,
    ) -> (Result<V, TreeError>, bool) {
        let (flight, is_new) = self.board(key, work);
        (flight.await, is_new)
    }

    fn board(
        &self,
        key: K,
        work: impl Future<Output = Result<V, TreeError>> + Send + 'static,
    ) -> (Flight<V>, bool) {
        let mut under_way = self.under_way.lock();
        if let Some(flight) = under_way.get(&key) {
            return (flight.clone(), false);
        }
        let landing = Landing { key: key.clone(), under_way: Arc::clone(&self.under_way) };
        let task = tokio::spawn(async move {
            let _landing = landing;
            work.await
        });
        let result = async move { task.await.unwrap_or_else(|failure| Err(stopped(&failure))) };
        let flight = result.boxed().shared();
        under_way.insert(key, flight.clone());
        (flight, true)
    }
}

/// Ends a flight, however its work ended.
struct Landing<K: Hash + Eq, V> {
    key: K,
    under_way: Arc<Mutex<HashMap<K, Flight<V>>>>,
}

impl<K: Hash + Eq, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.key);
    }
}

/// The runtime was stopped, or the work panicked.
fn stopped(failure: &tokio::task::JoinError) -> TreeError {
    let code = if failure.is_panic() { Code::Internal } else { Code::Unavailable };
    Error::new(code, "range cache", format!("reading a file was stopped: {failure}")).into()
}

#[cfg(test)]
mod tests {
    use futures::future::{join, pending};
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_comes_meanwhile_waits_and_who_comes_later_begins_again() {
        let flights = Flights::new();
        let (go, wait) = oneshot::channel::<()>();
        let first = flights.join(1, async move {
            wait.await.unwrap();
            Ok("first")
        });
        let second = async {
            let joined = flights.join(1, async { Ok("second") });
            go.send(()).unwrap();
            joined.await
        };
        assert_eq!(join(first, second).await, ((Ok("first"), true), (Ok("first"), false)));
        assert_eq!(flights.join(1, async { Ok("third") }).await, (Ok("third"), true));
        assert!(flights.under_way.lock().is_empty());
    }

    #[tokio::test]
    async fn work_ends_though_nobody_waits() {
        let flights = Flights::<_, ()>::new();
        let (done, wait) = oneshot::channel::<()>();
        {
            let work = flights.join(1, async move {
                done.send(()).unwrap();
                Ok(())
            });
            assert_eq!(futures::poll!(Box::pin(work)), std::task::Poll::Pending);
        }
        wait.await.unwrap();
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_does_not_stay_under_way() {
        let flights = Flights::<_, ()>::new();
        let (result, _) = flights.join(1, async { panic!("on purpose") }).await;
        assert!(matches!(result, Err(TreeError::Source(error)) if error.code() == Code::Internal));
        assert_eq!(flights.join(1, async { Ok(()) }).await, (Ok(()), true));
        let never = flights.join(2, pending());
        assert_eq!(futures::poll!(Box::pin(never)), std::task::Poll::Pending);
    }
}
