//! A cluster in memory, and the nodes that work on it and die. Nothing waits for the machine: with the runtime's clock
//! paused, time passes only where everybody waits for it, so that a seed tells what happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use braid_catalog::{Catalog, Components, RefsManifest, Settings, Storage};
use braid_kv::{Kv, TestPlace, TikvSettings};
use braid_tikv::testing::{Call, Effect, Filter, Lifeline, Options, RegionFault, TestCluster};
use braid_tree::testing::MemoryRangeStore;
use braid_tree::{RangeStore, TreeFormat};
use braid_types::{Clock, Code, Error, Result, SeededRandom, Time};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::flawed::{Flaw, FlawedKv};

/// How many nodes there are.
pub(super) const NODES: usize = 2;

/// How long a state of the store can be read: a page token that is older is refused.
pub(super) const SNAPSHOT_AGE: Duration = Duration::from_secs(20);

/// What nodes share, and the nodes.
pub(super) struct World {
    place: TestPlace,
    ranges: Arc<MemoryRangeStore>,
    clock: Arc<PausedClock>,
    seeds: AtomicU64,
    flaw: Option<Flaw>,
    nodes: [Mutex<Option<Arc<Node>>>; NODES],
}

/// A metadata node, as long as it lives.
pub(super) struct Node {
    pub(super) catalog: Catalog,
    pub(super) dead: CancellationToken,
    lifeline: Lifeline,
}

impl Node {
    /// To the cluster and to its clients, it is gone.
    pub(super) fn kill(&self) {
        self.dead.cancel();
        self.lifeline.cut();
    }
}

impl World {
    /// What a seed tells, on a store with a flaw if there is to be one.
    pub(super) async fn new(seed: u64, flaw: Option<Flaw>) -> Self {
        let options = Options {
            stores: 3,
            pd_members: 2,
            split_at: ["Bb", "Bc", "Bs", "Bs\x55", "Bs\u{7f}"].map(bytes::Bytes::from).to_vec(),
            seed,
            in_memory: true,
            ..Options::default()
        };
        Self {
            place: TestPlace::started(options).await,
            ranges: Arc::default(),
            clock: Arc::new(PausedClock { begun: Instant::now() }),
            seeds: AtomicU64::new(seed << 16),
            flaw,
            nodes: Default::default(),
        }
    }

    pub(super) fn cluster(&self) -> &TestCluster {
        self.place.server().expect("the place is a server of this process")
    }

    /// A node that lives, started if the last one in this place is dead. `None`: the cluster cannot be reached.
    pub(super) async fn node(&self, place: usize) -> Option<Arc<Node>> {
        let mut node = self.nodes[place].lock().await;
        if let Some(alive) = node.as_ref().filter(|node| !node.dead.is_cancelled()) {
            return Some(Arc::clone(alive));
        }
        *node = self.start().await.map(Arc::new);
        node.clone()
    }

    async fn start(&self) -> Option<Node> {
        let seed = self.seeds.fetch_add(1, Ordering::Relaxed);
        let settings = TikvSettings { lanes: 3, max_snapshot_age: SNAPSHOT_AGE, ..TikvSettings::default() };
        let opened = self.place.open_mortal(settings, |client| hasty(client, seed), self.clock.clone(), seed);
        let (kv, lifeline) = opened.await.ok()?;
        let kv: Arc<dyn Kv> = Arc::new(kv);
        let parts = Components {
            kv: match self.flaw {
                None => kv,
                Some(flaw) => Arc::new(FlawedKv { inner: kv, flaw }),
            },
            storage: Arc::new(OneNamespace(Arc::clone(&self.ranges))),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
        };
        let mut format = TreeFormat::version(1).expect("version 1 exists");
        (format.min_bytes, format.max_bytes, format.break_one_in) = (400, 2_000, 3);
        let settings = Settings {
            tree_format: Some(format),
            compute_threads: 0,
            lock_wait: Duration::from_secs(1),
            small_directory: 1 + usize::from(seed.is_multiple_of(2)),
            fold_layers: 1,
            ..Settings::default()
        };
        Some(Node { catalog: Catalog::new(parts, settings), dead: CancellationToken::new(), lifeline })
    }

    /// Lets calls fail by chance from now on; with some seeds, calls that decide are mostly lost.
    pub(super) fn strike(&self, seed: u64) {
        let effects = [
            Effect::LoseReply,
            Effect::LoseRequest,
            Effect::SwallowReply,
            Effect::Delay(Duration::from_millis(10)),
            Effect::Region(RegionFault::NotLeader { hint: true }),
            Effect::Region(RegionFault::EpochNotMatch { current: false }),
            Effect::Region(RegionFault::ServerIsBusy { backoff_ms: 1 }),
            Effect::Region(RegionFault::UndeterminedResult { applied: true }),
            Effect::Region(RegionFault::UndeterminedResult { applied: false }),
        ];
        let cluster = self.cluster();
        // Nothing takes no time, so that everything happens in between.
        cluster.inject(Filter::any().with_chance(0.5), Effect::Delay(Duration::from_millis(1)));
        for effect in effects {
            let often = if effect == Effect::SwallowReply { 0.001 } else { 0.003 };
            cluster.inject(Filter::any().with_chance(often), effect);
        }
        let often = [0.0, 0.01, 0.05, 0.15][usize::try_from(seed % 4).expect("it is less than four")];
        for effect in [Effect::LoseReply, Effect::LoseRequest] {
            let deciding = Filter::on(Call::KvPrewrite).or_on(Call::KvCommit).or_on(Call::KvCheckTxnStatus);
            cluster.inject(deciding.with_chance(often), effect);
        }
    }
}

impl World {
    /// Lets some writes come late from now on, when what they rely on has long changed.
    pub(super) fn slow_writes(&self) {
        let late = Duration::from_millis(40);
        self.cluster().inject(Filter::on(Call::KvPrewrite).with_chance(0.25), Effect::Delay(late));
    }
}

/// A client that notices soon that something was lost, so that much can happen in a run.
fn hasty(client: braid_tikv::Settings, seed: u64) -> braid_tikv::Settings {
    braid_tikv::Settings {
        backoff_base: Duration::from_millis(1),
        backoff_cap: Duration::from_millis(8),
        call_timeout: Duration::from_millis(50),
        pd_timeout: Duration::from_millis(100),
        connect_timeout: Duration::from_millis(100),
        read_deadline: Duration::from_secs(5),
        commit_deadline: Duration::from_millis(300),
        cleanup_deadline: Duration::from_millis(300),
        commit_lock_wait: Duration::from_millis(20),
        one_phase: !seed.is_multiple_of(3),
        ..client
    }
}

/// The runtime's clock, as the time of day.
#[derive(Debug)]
struct PausedClock {
    begun: Instant,
}

impl Clock for PausedClock {
    fn now(&self) -> Time {
        Time::from_seconds(1_767_225_600).plus(self.begun.elapsed())
    }
}

/// Every namespace is the same place.
struct OneNamespace(Arc<MemoryRangeStore>);

#[async_trait]
impl Storage for OneNamespace {
    async fn claim(&self, _namespace: &str) -> Result<()> {
        Ok(())
    }

    async fn take_over(&self, _namespace: &str) -> Result<()> {
        Ok(())
    }

    async fn put_refs_manifest(&self, namespace: &str, _manifest: &RefsManifest) -> Result<()> {
        Err(Error::new(Code::Unimplemented, namespace, "histories hold no dumps"))
    }

    async fn refs_manifest(&self, _namespace: &str) -> Result<Option<RefsManifest>> {
        Ok(None)
    }

    async fn ranges(&self, _namespace: &str) -> Result<Arc<dyn RangeStore>> {
        Ok(self.0.clone())
    }
}
