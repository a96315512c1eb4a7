//! The server as clients see it, by generated clients alone.

mod faults;
mod pd;
mod servers;
mod stores;
mod waits;

use bytes::Bytes;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use super::{Options, TestCluster};
use crate::memcomparable;
use crate::proto::kvrpcpb::{
    CommitRequest, CommitResponse, Context, GetRequest, GetResponse, Mutation, Op, PrewriteRequest,
    PrewriteResponse,
};
use crate::proto::metapb::Region;
use crate::proto::pdpb::pd_client::PdClient;
use crate::proto::pdpb::{
    GetMembersRequest, GetMembersResponse, GetRegionRequest, GetRegionResponse, RequestHeader,
};
use crate::proto::tikvpb::tikv_client::TikvClient;

/// A cluster, and the simplest client of it: it knows nothing and asks every time.
pub(crate) struct World {
    pub(crate) cluster: TestCluster,
}

async fn channel(address: &str) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://{address}")).expect("an address makes a URL").connect().await
}

impl World {
    pub(crate) async fn start(options: Options) -> Self {
        Self { cluster: TestCluster::start(options).await.unwrap() }
    }

    /// Three stores; one region up to "m", another from there.
    async fn of_two_regions() -> Self {
        Self::start(Options { stores: 3, split_at: vec!["m".into()], ..Options::default() }).await
    }

    async fn pd_member(&self, member: usize) -> PdClient<Channel> {
        PdClient::new(channel(&self.cluster.endpoints()[member]).await.unwrap())
    }

    async fn pd(&self) -> PdClient<Channel> {
        self.pd_member(0).await
    }

    async fn members(&self) -> GetMembersResponse {
        self.pd().await.get_members(GetMembersRequest::default()).await.unwrap().into_inner()
    }

    async fn header(&self) -> Option<RequestHeader> {
        let cluster_id = self.members().await.header.unwrap().cluster_id;
        Some(RequestHeader { cluster_id, ..Default::default() })
    }

    async fn region(&self, key: &str) -> GetRegionResponse {
        let region_key = memcomparable::encode(key.as_bytes()).into();
        let request = GetRegionRequest { header: self.header().await, region_key };
        self.pd().await.get_region(request).await.unwrap().into_inner()
    }

    pub(crate) async fn context(&self, key: &str) -> Option<Context> {
        let GetRegionResponse { region, leader, .. } = self.region(key).await;
        let region = region.unwrap();
        let (region_id, region_epoch) = (region.id, region.region_epoch);
        Some(Context { region_id, region_epoch, peer: leader, ..Default::default() })
    }

    async fn store(&self, id: u64) -> TikvClient<Channel> {
        let address = self.cluster.store_address(id).unwrap();
        TikvClient::new(channel(&address).await.unwrap())
    }

    /// The store that leads the region of a key.
    pub(crate) async fn leader(&self, key: &str) -> TikvClient<Channel> {
        self.store(self.cluster.leader_of(key.as_bytes()).unwrap()).await
    }

    async fn get(&self, key: &'static str, version: u64) -> Result<GetResponse, Status> {
        let request = GetRequest { context: self.context(key).await, key: key.into(), version };
        Ok(self.leader(key).await.kv_get(request).await?.into_inner())
    }

    async fn prewrite(&self, key: &'static str, start: u64) -> Result<PrewriteResponse, Status> {
        let request = PrewriteRequest { context: self.context(key).await, ..put(key, start) };
        Ok(self.leader(key).await.kv_prewrite(request).await?.into_inner())
    }

    async fn commit(&self, key: &'static str, start: u64, commit: u64) -> Result<CommitResponse, Status> {
        let context = self.context(key).await;
        let keys = vec![key.into()];
        let request = CommitRequest {
            context,
            start_version: start,
            keys,
            commit_version: commit,
            ..Default::default()
        };
        Ok(self.leader(key).await.kv_commit(request).await?.into_inner())
    }

    /// Writes a key in two phases; the value is the key. Returns the commit timestamp.
    async fn write(&self, key: &'static str) -> u64 {
        let start = self.cluster.timestamp();
        assert_eq!(self.prewrite(key, start).await.unwrap(), PrewriteResponse::default());
        let commit = self.cluster.timestamp();
        assert_eq!(self.commit(key, start, commit).await.unwrap().error, None);
        commit
    }
}

/// A prewrite of one key without context.
fn put(key: &'static str, start: u64) -> PrewriteRequest {
    let mutation = Mutation { op: Op::Put.into(), key: key.into(), value: key.into(), ..Default::default() };
    PrewriteRequest {
        mutations: vec![mutation],
        primary_lock: key.into(),
        start_version: start,
        lock_ttl: 3000,
        ..Default::default()
    }
}

/// The raw bounds of a region.
fn bounds(region: &Region) -> (Bytes, Bytes) {
    let raw = |bound: &Bytes| match &bound[..] {
        [] => Bytes::new(),
        encoded => memcomparable::decode(encoded).unwrap().into(),
    };
    (raw(&region.start_key), raw(&region.end_key))
}
