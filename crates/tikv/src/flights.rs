//! Single flight: who asks for what is already being fetched gets that answer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;

use crate::failure::Failure;

type Flight<T> = Shared<BoxFuture<'static, Result<T, Failure>>>;

/// What is being fetched now. A fetch goes on when those who wait for it go away.
#[derive(Clone, Debug)]
pub(crate) struct Flights<K, T> {
    under_way: Arc<Mutex<HashMap<K, Flight<T>>>>,
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<K, T> Flights<K, T>
where
    K: Hash + Eq + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The answer of the fetch of `key` that is under way, or else of `fetch`, which begins now.
    pub(crate) async fn join<F>(&self, key: K, fetch: impl FnOnce() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let flight = self.under_way.lock().get(&key).cloned();
        let flight = flight.unwrap_or_else(|| self.start(key, fetch()));
        flight.await
    }

    fn start(&self, key: K, fetch: impl Future<Output = Result<T, Failure>> + Send + 'static) -> Flight<T> {
        let mut under_way = self.under_way.lock();
        if let Some(flight) = under_way.get(&key) {
            return flight.clone();
        }
        let (flights, mine) = (self.clone(), key.clone());
        let fetched = tokio::spawn(async move {
            let answer = fetch.await;
            flights.under_way.lock().remove(&mine);
            answer
        });
        let flight = fetched
            .map(|ended| ended.unwrap_or_else(|_| Err(Failure::again("it was broken off"))))
            .boxed()
            .shared();
        under_way.insert(key, flight.clone());
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_meanwhile_share_one_fetch() {
        let flights = Flights::<u8, u8>::default();
        let (fetches, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let fetch = || {
            let (fetches, gate) = (Arc::clone(&fetches), Arc::clone(&gate));
            async move {
                fetches.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                Ok(7)
            }
        };
        let mut first = Box::pin(flights.join(1, fetch));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = Box::pin(flights.join(1, fetch));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        gate.add_permits(2);
        assert_eq!(second.await.unwrap(), 7);
        assert_eq!(
            fetches.load(Ordering::SeqCst),
            1,
            "the first was fetched for both, though its asker left"
        );
        assert_eq!(flights.join(1, fetch).await.unwrap(), 7);
        assert_eq!(fetches.load(Ordering::SeqCst), 2, "what has landed is fetched anew");
    }
}
