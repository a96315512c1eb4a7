//! What PD is asked, beside timestamps.

use std::sync::Arc;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Response, Status};

use super::members::Members;
use super::timestamps::Timestamps;
use crate::failure::{Failure, Setback};
use crate::net::{Address, Channels, reason};
use crate::patience::{Pace, Patience};
use crate::proto::keyspacepb::keyspace_client::KeyspaceClient;
use crate::proto::keyspacepb::{KeyspaceState, LoadKeyspaceRequest, LoadKeyspaceResponse};
use crate::proto::metapb::{Store, StoreState};
use crate::proto::pdpb::pd_client::PdClient;
use crate::proto::pdpb::{
    GetAllStoresRequest, GetAllStoresResponse, GetRegionRequest, GetRegionResponse, GetStoreRequest,
    GetStoreResponse, RequestHeader, ResponseHeader, UpdateGcSafePointRequest, UpdateGcSafePointResponse,
    UpdateServiceGcSafePointRequest, UpdateServiceGcSafePointResponse,
};
use crate::{Error, Settings, Timestamp, meters};

/// The name under which every cluster knows the one who collects its garbage.
const COLLECTOR: &[u8] = b"gc_worker";

/// A client of PD.
#[derive(Debug)]
pub(crate) struct Pd {
    members: Arc<Members>,
    timestamps: Timestamps,
    timeout: Duration,
}

impl Pd {
    pub(crate) fn new(
        channels: Arc<Channels>,
        addresses: Vec<Address>,
        pace: Pace,
        settings: &Settings,
    ) -> Self {
        let members = Arc::new(Members::new(channels, addresses, settings.pd_timeout));
        let timestamps = Timestamps::start(Arc::clone(&members), pace, settings.pd_timeout);
        Self { members, timestamps, timeout: settings.pd_timeout }
    }

    /// A timestamp greater than all that were given before this call.
    pub(crate) async fn timestamp(&self, patience: &Patience) -> Result<Timestamp, Error> {
        self.timestamps.next(patience).await
    }

    /// The cluster's id, once PD has been reached.
    pub(crate) async fn cluster(&self, patience: &mut Patience) -> Result<u64, Error> {
        loop {
            match self.members.leader().await {
                Ok(leader) => return Ok(leader.cluster()),
                Err(failure) => patience.after(failure).await?,
            }
        }
    }

    /// The region that holds an encoded key. One try.
    pub(crate) async fn region(&self, key: Vec<u8>) -> Result<GetRegionResponse, Failure> {
        metrics::counter!(meters::REGION_LOOKUPS).increment(1);
        self.once("GetRegion", |channel, header| {
            let request = GetRegionRequest { header: Some(header), region_key: key.clone().into() };
            async move { PdClient::new(channel).get_region(request).await }
        })
        .await
    }

    /// The region before the one that holds an encoded key. One try.
    pub(crate) async fn region_before(&self, key: Vec<u8>) -> Result<GetRegionResponse, Failure> {
        metrics::counter!(meters::REGION_LOOKUPS).increment(1);
        self.once("GetPrevRegion", |channel, header| {
            let request = GetRegionRequest { header: Some(header), region_key: key.clone().into() };
            async move { PdClient::new(channel).get_prev_region(request).await }
        })
        .await
    }

    /// Where a store answers. One try.
    pub(crate) async fn store(&self, id: u64) -> Result<Address, Failure> {
        let answer: GetStoreResponse = self
            .once("GetStore", |channel, header| {
                let request = GetStoreRequest { header: Some(header), store_id: id };
                async move { PdClient::new(channel).get_store(request).await }
            })
            .await?;
        match answer.store {
            Some(store) if store.state() != StoreState::Tombstone => address_of(&store),
            _ => Err(Failure::again(format!("PD knows no store {id}"))),
        }
    }

    /// Where every store answers that may hold data.
    pub(crate) async fn stores(&self, patience: &mut Patience) -> Result<Vec<Address>, Error> {
        loop {
            match self.stores_once().await {
                Ok(stores) => return Ok(stores),
                Err(failure) => patience.after(failure).await?,
            }
        }
    }

    async fn stores_once(&self) -> Result<Vec<Address>, Failure> {
        let answer: GetAllStoresResponse = self
            .once("GetAllStores", |channel, header| {
                let request = GetAllStoresRequest { header: Some(header), exclude_tombstone_stores: true };
                async move { PdClient::new(channel).get_all_stores(request).await }
            })
            .await?;
        let stores = answer.stores.iter();
        let stores = stores.filter(|store| store.state() != StoreState::Tombstone && !is_analytical(store));
        let addresses: Vec<Address> = stores.map(address_of).collect::<Result<_, _>>()?;
        if addresses.is_empty() {
            return Err(Failure::again("PD knows no store at all"));
        }
        Ok(addresses)
    }

    /// How far garbage may be collected by the wish of every service of the cluster, if this one wishes `safe_point`.
    pub(crate) async fn agreed_safe_point(
        &self,
        safe_point: Timestamp,
        patience: &mut Patience,
    ) -> Result<Timestamp, Error> {
        let answer: UpdateServiceGcSafePointResponse = self
            .until_answered("UpdateServiceGCSafePoint", patience, |channel, header| {
                let request = UpdateServiceGcSafePointRequest {
                    header: Some(header),
                    service_id: COLLECTOR.into(),
                    ttl: i64::MAX,
                    safe_point: safe_point.into(),
                };
                async move { PdClient::new(channel).update_service_gc_safe_point(request).await }
            })
            .await?;
        Ok(Timestamp::from(answer.min_safe_point).min(safe_point))
    }

    /// Lets stores forget versions that no state from `safe_point` on needs; returns what the safe point is now.
    pub(crate) async fn move_safe_point(
        &self,
        safe_point: Timestamp,
        patience: &mut Patience,
    ) -> Result<Timestamp, Error> {
        let answer: UpdateGcSafePointResponse = self
            .until_answered("UpdateGCSafePoint", patience, |channel, header| {
                let request =
                    UpdateGcSafePointRequest { header: Some(header), safe_point: safe_point.into() };
                async move { PdClient::new(channel).update_gc_safe_point(request).await }
            })
            .await?;
        Ok(Timestamp::from(answer.new_safe_point))
    }

    /// The id of a keyspace that is in use.
    pub(crate) async fn keyspace(&self, name: &str, patience: &mut Patience) -> Result<u32, Error> {
        let load = |channel, header| {
            let request = LoadKeyspaceRequest { header: Some(header), name: name.to_owned() };
            async move { KeyspaceClient::new(channel).load_keyspace(request).await }
        };
        let answer: LoadKeyspaceResponse = loop {
            match self.once("LoadKeyspace", load).await {
                Ok(answer) => break answer,
                Err(failure) => patience.after(no_keyspace(name, failure)).await?,
            }
        };
        let missing = |reason: &str| Error::NoKeyspace { name: name.to_owned(), reason: reason.to_owned() };
        let keyspace = answer.keyspace.ok_or_else(|| missing("PD has none of this name"))?;
        match keyspace.state() {
            KeyspaceState::Enabled => Ok(keyspace.id),
            _ => Err(missing("it is not enabled")),
        }
    }

    async fn until_answered<R, F, S>(
        &self,
        call: &'static str,
        patience: &mut Patience,
        send: F,
    ) -> Result<R, Error>
    where
        R: Reply,
        F: Fn(Channel, RequestHeader) -> S,
        S: Future<Output = Result<Response<R>, Status>>,
    {
        loop {
            match self.once(call, &send).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => patience.after(failure).await?,
            }
        }
    }

    /// One try. A leader that fails, in whatever way, is doubted.
    async fn once<R, F, S>(&self, call: &'static str, send: F) -> Result<R, Failure>
    where
        R: Reply,
        F: Fn(Channel, RequestHeader) -> S,
        S: Future<Output = Result<Response<R>, Status>>,
    {
        let leader = self.members.leader().await?;
        let answer = tokio::time::timeout(self.timeout, send(leader.channel(), leader.header())).await;
        let cause = match answer {
            Ok(Ok(answer)) => {
                let answer = answer.into_inner();
                match answer.trouble(leader.cluster()) {
                    None => {
                        meters::called(call, "answered");
                        return Ok(answer);
                    }
                    Some(trouble) => trouble,
                }
            }
            Ok(Err(status)) => reason(&status),
            Err(_) => format!("no answer in {:?}", self.timeout),
        };
        meters::called(call, "failed");
        self.members.doubt(&leader);
        Err(Failure::again(format!("{call} of PD at '{}': {cause}", leader.address())))
    }
}

fn address_of(store: &Store) -> Result<Address, Failure> {
    Address::parse(&store.address)
        .map_err(|_| Failure::again(format!("the store {} has no address but '{}'", store.id, store.address)))
}

/// Whether a store is a column store that takes part in nothing but analytical reads.
fn is_analytical(store: &Store) -> bool {
    let mut labels = store.labels.iter();
    labels.any(|label| label.key == "engine" && label.value.starts_with("tiflash"))
}

/// PD says only in words that there is no such keyspace; no other try would find it.
fn no_keyspace(name: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Again(Setback { cause, .. }) if cause.contains("not exist") => {
            Error::NoKeyspace { name: name.to_owned(), reason: cause }.into()
        }
        other => other,
    }
}

/// An answer of PD.
trait Reply {
    fn header(&self) -> Option<&ResponseHeader>;

    /// What is wrong with the answer, if anything.
    fn trouble(&self, cluster: u64) -> Option<String> {
        let Some(header) = self.header() else {
            return Some("it answered without a header".into());
        };
        if let Some(error) = &header.error {
            return Some(error.message.clone());
        }
        let found = header.cluster_id;
        (found != cluster).then(|| format!("it belongs to the cluster {found}, not to the cluster {cluster}"))
    }
}

macro_rules! replies {
    ($($reply:ty),* $(,)?) => {
        $(impl Reply for $reply {
            fn header(&self) -> Option<&ResponseHeader> {
                self.header.as_ref()
            }
        })*
    };
}

replies!(
    GetAllStoresResponse,
    GetRegionResponse,
    GetStoreResponse,
    LoadKeyspaceResponse,
    UpdateGcSafePointResponse,
    UpdateServiceGcSafePointResponse,
);
