//! Many clients at once.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use braid::Server;
use braid_client::{Client, ClientConfig, Credentials};
use braid_types::{SystemClock, SystemRandom};
use futures::future::try_join_all;

/// Clients that call one server, each over a connection of its own.
pub(super) struct Fleet {
    clients: Vec<Client>,
}

impl Fleet {
    /// Connects `count` clients, at least one, with one key.
    pub(super) async fn connect(server: &Server, count: usize) -> anyhow::Result<Self> {
        let key = server.create_key("benchmark").await?;
        let config = ClientConfig {
            credentials: Some(Credentials::new(key.id, key.secret.expose())?),
            ..ClientConfig::new(format!("http://{}", server.grpc_address()))
        };
        let connect = || Client::connect(&config, Arc::new(SystemRandom), Arc::new(SystemClock));
        let clients = (0..count).map(|_| connect()).collect::<Result<Vec<_>, _>>()?;
        try_join_all(clients.iter().map(Client::who_am_i)).await?;
        Ok(Self { clients })
    }

    /// The first `count` of the clients.
    pub(super) fn some(&self, count: usize) -> Self {
        Self { clients: self.clients[..count].to_vec() }
    }

    /// The same clients, each with so many calls under way at a time.
    pub(super) fn deep(&self, calls: usize) -> Self {
        Self { clients: std::iter::repeat_n(&self.clients, calls).flatten().cloned().collect() }
    }

    /// One of the clients.
    pub(super) fn first(&self) -> &Client {
        &self.clients[0]
    }

    /// Does every call once, as [`spread`] does, by all the clients.
    pub(super) async fn each<Call, Answer>(
        &self,
        calls: Vec<Call>,
        call: impl Fn(Client, Call) -> Answer + Clone + Send + 'static,
    ) -> anyhow::Result<Duration>
    where
        Call: Send + 'static,
        Answer: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        spread(&self.clients, calls, call).await
    }
}

/// Does every call once, by callers that each have one under way at a time and take the next one that nobody took. Gives the
/// time until the last was answered.
pub(super) async fn spread<Caller, Call, Answer>(
    callers: &[Caller],
    calls: Vec<Call>,
    call: impl Fn(Caller, Call) -> Answer + Clone + Send + 'static,
) -> anyhow::Result<Duration>
where
    Caller: Clone + Send + 'static,
    Call: Send + 'static,
    Answer: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let calls = Arc::new(Mutex::new(calls.into_iter()));
    let started = Instant::now();
    let tasks = callers.iter().map(|caller| {
        let (caller, calls, call) = (caller.clone(), Arc::clone(&calls), call.clone());
        tokio::spawn(async move {
            loop {
                let next = calls.lock().expect("nobody panics with the lock").next();
                let Some(next) = next else { return anyhow::Ok(()) };
                call(caller.clone(), next).await?;
            }
        })
    });
    for ended in try_join_all(tasks.collect::<Vec<_>>()).await? {
        ended?;
    }
    Ok(started.elapsed())
}
