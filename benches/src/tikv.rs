//! The transaction client for TiKV against the protocol server of its tests, in this process: what the client and the protocol cost,
//! not what a cluster does. Server and client share the machine's processors, and the processor time is that of both.
//!
//! The floor is a timestamp: the shortest question and answer of the protocol, one message each way.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Context;
use braid_tikv::testing::{Options, TestCluster};
use braid_tikv::{Client, KeyRange, Mode, Outcome, ScanOptions, Settings, Timestamp};
use bytes::Bytes;
use futures::future::try_join_all;

use crate::figures::Figures;
use crate::machine::process_time;
use crate::timing::{ROUNDS, middle};

/// Operations of a round, one after another, and by so many callers at once.
const OPERATIONS: usize = 1000;
const CALLERS: usize = 16;
/// Keys of a larger operation, and pairs of a scan.
const KEYS: usize = 10;
const SCANNED: usize = 100;
/// Bytes of a value.
const VALUE: usize = 200;
/// With these the second and the third region begin.
const SPLITS: [&str; 2] = ["m", "t"];

pub(crate) fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let split_at = SPLITS.map(Bytes::from).to_vec();
        let cluster = TestCluster::start(Options { stores: 3, split_at, ..Options::default() }).await?;
        let client = Client::connect(&cluster.endpoints(), Settings::default(), 1).await?;
        let measured = Bench { cluster: &cluster, client, figures }.measure().await;
        cluster.shutdown().await;
        measured
    })
}

struct Bench<'a> {
    cluster: &'a TestCluster,
    client: Client,
    figures: &'a mut Figures,
}

/// What a round took.
#[derive(Clone, Copy)]
struct Round {
    time: Duration,
    computed: Duration,
}

impl Bench<'_> {
    async fn measure(mut self) -> anyhow::Result<()> {
        let state = self.fill().await?;
        let echo = self.each("echo", async |client, _| Ok(client.timestamp().await.map(drop)?)).await?;
        let one = self.each("txn_1_key", async |client, at| put(client, &[format!("a/{at}")]).await).await?;
        self.figures.ratio("tikv_txn_1_key_of_echo", one, echo)?;
        let ten = async |client: &Client, at: usize| {
            put(client, &std::array::from_fn::<_, KEYS, _>(|key| format!("b/{at}/{key}"))).await
        };
        let ten = self.each("txn_10_keys", ten).await?;
        self.figures.ratio("tikv_txn_10_keys_of_echo", ten, echo)?;
        let spread = async |client: &Client, at: usize| {
            let key = |key: usize| format!("{}/{at}/{key}", ["c", "n", "u"][key % 3]);
            put(client, &std::array::from_fn::<_, KEYS, _>(key)).await
        };
        let spread = self.each("txn_10_keys_3_regions", spread).await?;
        self.figures.ratio("tikv_txn_10_keys_3_regions_of_echo", spread, echo)?;
        self.reads(state, echo).await
    }

    /// Pairs to be read, and a state that has them.
    async fn fill(&self) -> anyhow::Result<Timestamp> {
        for start in (0..OPERATIONS).step_by(SCANNED) {
            let keys: Vec<String> = (start..start + SCANNED).map(read_key).collect();
            put(&self.client, &keys).await?;
        }
        Ok(self.client.timestamp().await?)
    }

    /// Reads of one state, which take no timestamp.
    async fn reads(&mut self, state: Timestamp, echo: f64) -> anyhow::Result<()> {
        let get = async |client: &Client, at: usize| {
            let value = client.snapshot_at(state).get(read_key(at).as_bytes()).await?;
            value.map(drop).context("the key was put")
        };
        let get = self.each("get", get).await?;
        self.figures.ratio("tikv_get_of_echo", get, echo)?;
        let batch = async |client: &Client, at: usize| {
            let keys: Vec<Bytes> =
                (0..KEYS).map(|key| read_key((at + key * 97) % OPERATIONS).into()).collect();
            let values = client.snapshot_at(state).batch_get(&keys).await?;
            anyhow::ensure!(values.iter().all(Option::is_some), "the keys were put");
            Ok(())
        };
        let batch = self.each("batch_get_10", batch).await?;
        self.figures.ratio("tikv_batch_get_10_of_echo", batch, echo)?;
        let scan = async |client: &Client, at: usize| {
            let range = KeyRange::new(read_key(at % (OPERATIONS - SCANNED)), "r0");
            let pairs = client.snapshot_at(state).scan(&range, ScanOptions::first(SCANNED)).await?;
            anyhow::ensure!(pairs.len() == SCANNED, "there are more keys");
            Ok(())
        };
        let scan = self.each("scan_100", scan).await?;
        self.figures.ratio("tikv_scan_100_of_echo", scan, echo)
    }

    /// Does an operation again and again, each with another number: one after another, then by several callers. Gives how many
    /// a second one caller does.
    async fn each(
        &mut self,
        name: &str,
        work: impl AsyncFn(&Client, usize) -> anyhow::Result<()>,
    ) -> anyhow::Result<f64> {
        let mut number = 0;
        let mut next = || {
            number += OPERATIONS;
            number - OPERATIONS
        };
        round(one_by_one(&self.client, next(), &work)).await?;
        self.cluster.take_counts();
        let alone = rounds(async || round(one_by_one(&self.client, next(), &work)).await).await?;
        let calls = self.cluster.take_counts().total();
        let together = rounds(async || round(at_once(&self.client, next(), &work)).await).await?;
        let all = OPERATIONS as f64;
        self.figures.per(&format!("tikv_{name}_calls"), calls as f64, all * ROUNDS as f64, "calls")?;
        self.figures.short_time(&format!("tikv_{name}_cpu"), alone.computed / OPERATIONS as u32)?;
        self.figures.rate(
            &format!("tikv_{name}_per_s_{CALLERS}_callers"),
            OPERATIONS,
            together.time,
            "ops/s",
        )?;
        self.figures.rate(&format!("tikv_{name}_per_s"), OPERATIONS, alone.time, "ops/s")
    }
}

async fn one_by_one(
    client: &Client,
    first: usize,
    work: &impl AsyncFn(&Client, usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for at in 0..OPERATIONS {
        work(client, (first + at) % (1 << 30)).await?;
    }
    Ok(())
}

async fn at_once(
    client: &Client,
    first: usize,
    work: &impl AsyncFn(&Client, usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let caller = async |caller: usize| {
        for at in (caller..OPERATIONS).step_by(CALLERS) {
            work(client, first + at).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    try_join_all((0..CALLERS).map(caller)).await.map(drop)
}

async fn rounds(mut one: impl AsyncFnMut() -> anyhow::Result<Round>) -> anyhow::Result<Round> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        rounds.push(one().await?);
    }
    let time = middle(rounds.iter().map(|round| round.time).collect());
    Ok(Round { time, computed: middle(rounds.iter().map(|round| round.computed).collect()) })
}

async fn round(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Round> {
    let (started, computed) = (Instant::now(), process_time());
    work.await?;
    Ok(Round { time: started.elapsed(), computed: process_time() - computed })
}

fn read_key(at: usize) -> String {
    format!("r/{:06}", at % OPERATIONS)
}

async fn put(client: &Client, keys: &[String]) -> anyhow::Result<()> {
    let mut txn = client.begin(Mode::Optimistic).await?;
    for key in keys {
        txn.put(Bytes::copy_from_slice(key.as_bytes()), Bytes::from_static(&[b'v'; VALUE]));
    }
    match txn.commit().await {
        Outcome::Committed(_) => Ok(()),
        outcome => anyhow::bail!("nobody else writes, but a commit ended as {outcome:?}"),
    }
}
