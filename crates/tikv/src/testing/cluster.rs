//! The handle by which a test starts a cluster, watches it and breaks it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::call::{Call, Counts};
use super::fault::{Effect, Filter};
use super::faults::Fault;
use super::journal::EndingCall;
use super::mvcc::Fate;
use super::options::{Options, TlsIdentity};
use super::server::Server;
use super::shared::Shared;
use super::stop::{Stop, When};
use super::wires::{Lifeline, Reach};
use crate::net::{Channels, Dialer};
use crate::{Client, Error, Settings};

/// A cluster in memory: PD and stores, each listening on loopback. Dropping it breaks all connections.
#[derive(Debug)]
pub struct TestCluster {
    pub(super) shared: Arc<Shared>,
    tls: Option<TlsIdentity>,
    pd: Mutex<BTreeMap<usize, Server>>,
    stores: Mutex<BTreeMap<u64, Server>>,
    home: SocketAddr,
}

/// A lock that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLock {
    /// The key.
    pub key: Bytes,
    /// The start timestamp of its transaction.
    pub start: u64,
    /// The transaction's primary key.
    pub primary: Bytes,
    /// It was taken ahead of the commit. Readers pass it by.
    pub is_pessimistic: bool,
}

/// What the rows of a key say of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// It holds the key.
    Locked,
    /// It was committed there, at this timestamp.
    Committed(u64),
    /// It was rolled back there.
    RolledBack,
    /// Nothing: it was never there, or left no trace.
    None,
}

/// A region as it is. Keys are raw; an empty end is no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionView {
    /// Its id.
    pub id: u64,
    /// Its first key.
    pub start: Bytes,
    /// The first key after it.
    pub end: Bytes,
    /// The store that leads it, if one does.
    pub leader: Option<u64>,
}

impl TestCluster {
    /// Starts a cluster.
    ///
    /// # Errors
    /// A port cannot be had, or a certificate is none.
    pub async fn start(options: Options) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(&options));
        let home = SocketAddr::new(options.listen.ip(), 0);
        let (pd, stores) = (Mutex::default(), Mutex::default());
        let cluster = Self { shared, tls: options.tls, pd, stores, home };
        for member in 0..options.pd_members.max(1) {
            cluster.listen_pd(member, if member == 0 { options.listen } else { home }).await?;
        }
        for id in cluster.store_ids() {
            cluster.listen_store(id, home).await?;
        }
        Ok(cluster)
    }

    async fn listen_pd(&self, member: usize, address: SocketAddr) -> io::Result<()> {
        let server = Server::pd(self.shared.clone(), member, address, self.tls.as_ref()).await?;
        self.shared.state().pd[member] = server.address.to_string();
        self.pd.lock().insert(member, server);
        Ok(())
    }

    async fn listen_store(&self, id: u64, address: SocketAddr) -> io::Result<()> {
        let server = Server::store(self.shared.clone(), id, address, self.tls.as_ref()).await?;
        if let Some(store) = self.shared.state().store(id) {
            store.address = server.address.to_string();
            store.up = true;
        }
        self.stores.lock().insert(id, server);
        Ok(())
    }

    /// A client of this cluster.
    ///
    /// # Errors
    /// As of [`Client::connect`].
    pub async fn client(&self, settings: Settings, seed: u64) -> Result<Client, Error> {
        Ok(self.mortal_client(settings, seed).await?.0)
    }

    /// A client, and its connection to the world; cutting it does nothing where connections are not in memory.
    ///
    /// # Errors
    /// As of [`Client::connect`].
    pub async fn mortal_client(&self, settings: Settings, seed: u64) -> Result<(Client, Lifeline), Error> {
        let lifeline = Lifeline(CancellationToken::new());
        let channels = match &self.shared.wires {
            None => Channels::new(&settings),
            Some(wires) => {
                let reach = Reach { wires: Arc::clone(wires), cut: lifeline.0.clone() };
                Channels::over(&settings, Dialer::new(reach))
            }
        };
        let client = Client::connect_by(channels, &self.endpoints(), settings, seed).await?;
        Ok((client, lifeline))
    }

    /// Stops everything and waits for it.
    pub async fn shutdown(self) {
        let servers: Vec<Server> = {
            let (mut pd, mut stores) = (self.pd.lock(), self.stores.lock());
            std::mem::take(&mut *pd).into_values().chain(std::mem::take(&mut *stores).into_values()).collect()
        };
        for server in servers {
            server.stop().await;
        }
    }
}

/// What it is like.
impl TestCluster {
    /// Addresses of PD's members, "host:port", in the order of their indices.
    pub fn endpoints(&self) -> Vec<String> {
        self.shared.state().pd.clone()
    }

    /// Ids of the stores.
    pub fn store_ids(&self) -> Vec<u64> {
        self.shared.state().stores.keys().copied().collect()
    }

    /// Where a store listens, "host:port", as PD tells it.
    pub fn store_address(&self, id: u64) -> Option<String> {
        self.shared.state().stores.get(&id).map(|store| store.address.clone())
    }

    /// All regions, in the order of keys.
    pub fn regions(&self) -> Vec<RegionView> {
        let state = self.shared.state();
        let view = |region: &super::regions::Region| RegionView {
            id: region.id,
            start: region.start.clone(),
            end: region.end.clone(),
            leader: region.leader,
        };
        state.regions.iter().map(view).collect()
    }

    /// The store that leads the region of a key.
    pub fn leader_of(&self, key: &[u8]) -> Option<u64> {
        self.shared.state().regions.of(key).leader
    }

    /// The newest committed value of a key, whatever locks are on it.
    pub fn value(&self, key: &[u8]) -> Option<Bytes> {
        self.shared.state().mvcc.committed(key)
    }

    /// What the rows of a key say of the transaction that began at `start`.
    pub fn record(&self, key: &[u8], start: u64) -> Record {
        let state = self.shared.state();
        if state.mvcc.holder(key) == Some(start) {
            return Record::Locked;
        }
        match state.mvcc.fate(key, start) {
            Fate::Committed(commit) => Record::Committed(commit),
            Fate::RolledBack => Record::RolledBack,
            Fate::Unknown => Record::None,
        }
    }

    /// All locks, in the order of keys.
    pub fn locks(&self) -> Vec<HeldLock> {
        let locks = self.shared.state().mvcc.scan_locks((&[], &[]), u64::MAX, 0);
        let held = |(key, lock): (Bytes, super::mvcc::Lock)| HeldLock {
            key,
            start: lock.start,
            primary: lock.primary,
            is_pessimistic: lock.kind == super::mvcc::LockKind::Pessimistic,
        };
        locks.into_iter().map(held).collect()
    }

    /// The calls about the end of the transaction that began at `start`, in the order in which they came in. Empty unless
    /// the cluster keeps a [journal](Options::journal).
    pub fn ending_calls(&self, start: u64) -> Vec<EndingCall> {
        self.shared.journal.of(start)
    }

    /// How often a fault struck whoever asked PD something, since a moment. 0 unless the cluster keeps a
    /// [journal](Options::journal).
    pub fn lost_look_ups_since(&self, since: tokio::time::Instant) -> usize {
        self.shared.journal.lost_look_ups_since(since)
    }

    /// Waits until no key is locked.
    pub async fn unlocked(&self) {
        let mut changes = self.shared.changes();
        while !self.locks().is_empty() {
            let changed = changes.changed().await.is_ok();
            assert!(changed, "the sender is borrowed here, so it is not gone");
        }
    }

    /// The cluster's safe point.
    pub fn safe_point(&self) -> u64 {
        self.shared.state().safe_points.cluster
    }

    /// A timestamp of now, as PD would give it.
    pub fn timestamp(&self) -> u64 {
        self.shared.timestamp(1)
    }

    /// Sets PD's clock back, and has PD forget which timestamps it has given: what no PD may do, and clients must notice.
    pub fn turn_back(&self, by: Duration) {
        self.shared.clock.turn_back(by);
        self.shared.state().tso.forget();
    }

    /// Puts the cluster's clock forward: locks expire by it.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }
}

/// What is done to calls.
impl TestCluster {
    /// Does something to the calls that a filter chooses.
    pub fn inject(&self, filter: Filter, effect: Effect) -> Fault {
        self.shared.faults.inject(filter, effect)
    }

    /// Holds the calls that a filter chooses until the test lets them go, before or after their work.
    pub fn stop(&self, filter: Filter, when: When) -> Stop {
        self.shared.faults.stop(filter, when)
    }

    /// Ends a fault.
    pub fn withdraw(&self, fault: &Fault) {
        self.shared.faults.withdraw(fault);
    }

    /// Ends all faults and opens all stops. What was done to servers and regions stays.
    pub fn withdraw_all(&self) {
        self.shared.faults.withdraw_all();
    }

    /// How often a kind of call came in.
    pub fn count(&self, call: Call) -> u64 {
        self.shared.faults.count(call)
    }

    /// How often each kind of call came in.
    pub fn counts(&self) -> Counts {
        self.shared.faults.counts()
    }

    /// The same, and counts from nothing again.
    pub fn take_counts(&self) -> Counts {
        self.shared.faults.take_counts()
    }
}

/// What is done to regions.
impl TestCluster {
    /// Splits a region, so that one begins with `key`. The part behind it keeps the id.
    pub fn split(&self, key: &[u8]) {
        self.shared.state().regions.split(key);
    }

    /// Merges the region of a key with the one behind it. `false`: there is none.
    pub fn merge(&self, key: &[u8]) -> bool {
        self.shared.state().regions.merge(key)
    }

    /// Lets another store lead the region of a key, or none. `false`: the region has no replica there.
    pub fn move_leader(&self, key: &[u8], store: Option<u64>) -> bool {
        self.shared.state().lead(key, store)
    }

    /// Moves a replica of a key's region, and its lead, from one store to another. `false`: the first has none, or the
    /// other has one.
    pub fn move_peer(&self, key: &[u8], from: u64, to: u64) -> bool {
        self.shared.state().regions.move_peer(key, from, to)
    }

    /// From now on PD tells the regions as they are at this moment (`true`), or as they are (`false`).
    pub fn hold_pd_view(&self, hold: bool) {
        let mut state = self.shared.state();
        state.pd_regions = hold.then(|| state.regions.clone());
    }
}

/// What is done to servers.
impl TestCluster {
    /// Takes a store down: connections break, none can be made. Its regions keep their leader; see `fail_over`.
    pub async fn stop_store(&self, id: u64) {
        if let Some(store) = self.shared.state().store(id) {
            store.up = false;
        }
        let server = self.stores.lock().remove(&id);
        if let Some(server) = server {
            server.stop().await;
        }
    }

    /// Gives the regions that a store leads to other replicas that are up, as an election would.
    pub fn fail_over(&self, from: u64) {
        self.shared.state().fail_over(from);
    }

    /// Brings a store back that is down, at the address it had.
    ///
    /// # Errors
    /// The port is taken meanwhile, or the store was never there.
    pub async fn start_store(&self, id: u64) -> io::Result<()> {
        let address = self.store_address(id).ok_or(io::ErrorKind::NotFound)?;
        self.listen_store(id, address.parse().map_err(io::Error::other)?).await
    }

    /// Brings a store back at another address, which PD tells from now on.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start_store_elsewhere(&self, id: u64) -> io::Result<()> {
        self.listen_store(id, self.home).await
    }

    /// Takes a member of PD down.
    pub async fn stop_pd(&self, member: usize) {
        let server = self.pd.lock().remove(&member);
        if let Some(server) = server {
            server.stop().await;
        }
    }

    /// Brings a member of PD back, at the address it had.
    ///
    /// # Errors
    /// The port is taken meanwhile, or the member was never there.
    pub async fn start_pd(&self, member: usize) -> io::Result<()> {
        let address = self.endpoints().get(member).cloned().ok_or(io::ErrorKind::NotFound)?;
        self.listen_pd(member, address.parse().map_err(io::Error::other)?).await
    }

    /// Lets a member of PD lead; `None`: the members elect one, and nobody answers but who they are.
    pub fn move_pd_leader(&self, member: Option<usize>) {
        self.shared.state().pd_leader = member;
    }

    /// Lets a member of PD take calls without answering any (`true`), or answer again, those too (`false`).
    pub fn freeze_pd(&self, member: usize, frozen: bool) {
        self.shared.freeze(member, frozen);
    }

    /// Lets requests for timestamps wait (`true`), or answers them again, those too (`false`).
    pub fn stall_tso(&self, stalled: bool) {
        self.shared.tso_stalled.send_replace(stalled);
    }
}
