//! A client of a cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::core::Core;
use crate::garbage;
use crate::keyspace::Keyspace;
use crate::locks::Resolver;
use crate::net::{Address, Channels};
use crate::patience::Pace;
use crate::pd::Pd;
use crate::range::KeyRange;
use crate::region::Directory;
use crate::snapshot::Snapshot;
use crate::store::Sender;
use crate::transaction::{Mode, Transaction};
use crate::{Error, Settings, Timestamp};

/// How long one attempt to connect to a cluster may take: whoever waits for it longer hears in between what is missing.
const CONNECTING: Duration = Duration::from_secs(10);

/// A client of a cluster. Clones share everything.
#[derive(Clone, Debug)]
pub struct Client {
    core: Arc<Core>,
}

impl Client {
    /// Connects to the cluster of the PDs at `addresses` (`host:port` each; one that answers is enough). `seed` spreads the
    /// pauses between tries: clients should differ in it.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::NoKeyspace`], and [`Error::Deadline`] when no PD could be reached.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn connect(addresses: &[String], settings: Settings, seed: u64) -> Result<Self, Error> {
        let channels = Channels::new(&settings);
        Self::connect_by(channels, addresses, settings, seed).await
    }

    /// As [`connect`](Self::connect), over given connections.
    pub(crate) async fn connect_by(
        channels: Channels,
        addresses: &[String],
        settings: Settings,
        seed: u64,
    ) -> Result<Self, Error> {
        settings.check()?;
        let addresses: Vec<Address> =
            addresses.iter().map(|text| Address::parse(text)).collect::<Result<_, _>>()?;
        let channels = Arc::new(channels);
        let pace = Pace::new(&settings, seed);
        let mut patience = pace.patience("connect", settings.read_deadline.min(CONNECTING));
        let pd = Arc::new(Pd::new(Arc::clone(&channels), addresses, pace.clone(), &settings));
        let cluster = pd.cluster(&mut patience).await?;
        let keyspace = match &settings.keyspace {
            None => Keyspace::whole(),
            Some(name) => {
                let id = pd.keyspace(name, &mut patience).await?;
                Keyspace::of_id(id).ok_or_else(|| no_keyspace(name, id))?
            }
        };
        let directory = Arc::new(Directory::new(Arc::clone(&pd), &settings));
        let sender = Arc::new(Sender::new(directory, channels, keyspace.clone(), cluster, &settings));
        let resolver = Resolver::new(Arc::clone(&pd), Arc::clone(&sender), &settings);
        let core = Core {
            settings,
            keyspace,
            pace,
            pd,
            sender,
            resolver,
            runtime: Handle::current(),
            tasks: TaskTracker::new(),
            closed: AtomicBool::new(false),
        };
        Ok(Self { core: Arc::new(core) })
    }

    /// The id of the cluster, which it got when it was made.
    pub fn cluster(&self) -> u64 {
        self.core.sender.cluster()
    }

    /// A timestamp greater than all that were given before.
    ///
    /// # Errors
    /// [`Error::Deadline`] when PD gave none in time.
    pub async fn timestamp(&self) -> Result<Timestamp, Error> {
        self.core.timestamp().await
    }

    /// The newest state: it has everything that was committed before the call.
    ///
    /// # Errors
    /// [`Error::Deadline`] when PD gave no timestamp in time.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        Ok(self.snapshot_at(self.timestamp().await?))
    }

    /// The state at a timestamp that this cluster gave.
    pub fn snapshot_at(&self, timestamp: Timestamp) -> Snapshot {
        Snapshot::new(Arc::clone(&self.core), timestamp)
    }

    /// Begins a transaction on the newest state.
    ///
    /// # Errors
    /// [`Error::Deadline`] when PD gave no timestamp in time.
    pub async fn begin(&self, mode: Mode) -> Result<Transaction, Error> {
        let begun = Instant::now();
        let start = self.timestamp().await?;
        Ok(Transaction::new(Arc::clone(&self.core), mode, start, begun))
    }

    /// Removes every key of a range on every store, outside transactions and history: no snapshot sees them any more. The
    /// caller guarantees that nobody reads or writes the range any more, and that no transaction whose primary lies in it
    /// has locks elsewhere ([`resolve_locks`](Self::resolve_locks)). After an error it may be half done, and must be done
    /// again.
    ///
    /// # Errors
    /// [`Error::Deadline`] when not every store has done it in time.
    pub async fn destroy_range(&self, range: &KeyRange) -> Result<(), Error> {
        self.core.check_open()?;
        garbage::destroy(&self.core, self.core.keyspace.enter_range(range)).await
    }

    /// Ends every transaction of the cluster that began at `before` or earlier and still has a lock somewhere; those that
    /// have not committed are rolled back, alive or not. `before` should be older than
    /// [`transaction_age`](Settings::transaction_age). Returns how many locks were found.
    ///
    /// # Errors
    /// [`Error::Deadline`] when a region could not be reached; it may simply be done again.
    pub async fn resolve_locks(&self, before: Timestamp) -> Result<u64, Error> {
        self.core.check_open()?;
        garbage::resolve_locks(&self.core, self.core.keyspace.everybodys(), before).await
    }

    /// The same for locks in one range of keys, for who knows that nobody else's transactions have locks there.
    ///
    /// # Errors
    /// As of [`resolve_locks`](Self::resolve_locks).
    pub async fn resolve_locks_in(&self, range: &KeyRange, before: Timestamp) -> Result<u64, Error> {
        self.core.check_open()?;
        garbage::resolve_locks(&self.core, self.core.keyspace.enter_range(range), before).await
    }

    /// Lets stores forget what no state of the last [`retention`](Settings::retention) needs, as far as every service of
    /// the cluster agrees. Returns the cluster's safe point: nothing older may be read. All keyspaces have the same one.
    ///
    /// # Errors
    /// [`Error::Deadline`] when a region could not be reached: the safe point has not moved then.
    pub async fn collect_garbage(&self) -> Result<Timestamp, Error> {
        self.core.check_open()?;
        garbage::collect(&self.core).await
    }

    /// Refuses new work, and waits for the commits that were handed in, and for what cleans up after them.
    pub async fn close(&self) {
        self.core.closed.store(true, Ordering::Release);
        self.core.tasks.close();
        self.core.tasks.wait().await;
    }
}

fn no_keyspace(name: &str, id: u32) -> Error {
    Error::NoKeyspace { name: name.to_owned(), reason: format!("its id {id} has more than three bytes") }
}
