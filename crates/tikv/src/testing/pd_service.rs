//! A PD member's gRPC service.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::call::Call;
use super::convert;
use super::mvcc::physical;
use super::regions::{Region, Regions};
use super::shared::{Shared, Visit, is_off};
use super::state::{State, Store};
use crate::memcomparable;
use crate::proto::keyspacepb::keyspace_server::Keyspace;
use crate::proto::keyspacepb::{KeyspaceMeta, LoadKeyspaceRequest, LoadKeyspaceResponse};
use crate::proto::metapb;
use crate::proto::pdpb::pd_server::Pd;
use crate::proto::pdpb::{
    self, Error, ErrorType, GetAllStoresRequest, GetAllStoresResponse, GetGcSafePointRequest,
    GetGcSafePointResponse, GetMembersRequest, GetMembersResponse, GetRegionByIdRequest, GetRegionRequest,
    GetRegionResponse, GetStoreRequest, GetStoreResponse, Member, RequestHeader, ResponseHeader,
    ScanRegionsRequest, ScanRegionsResponse, Timestamp, TsoRequest, TsoResponse, UpdateGcSafePointRequest,
    UpdateGcSafePointResponse, UpdateServiceGcSafePointRequest, UpdateServiceGcSafePointResponse,
};

/// Timestamps that one request may ask for, as the counter within a millisecond has room.
const MAX_TIMESTAMPS: u32 = 1 << 18;

/// Answers of a stream of timestamps that wait for the client to take them.
const TSO_ANSWERS: usize = 16;

/// One member of PD.
#[derive(Clone, Debug)]
pub(super) struct PdService {
    shared: Arc<Shared>,
    member: usize,
}

/// What a call came to: an answer to fill a header into, or an error for the header.
type Found<T> = Result<T, Error>;

/// An answer that carries a header.
trait Headed: Default {
    fn with(self, header: ResponseHeader) -> Self;
}

macro_rules! headed {
    ($($answer:ident),* $(,)?) => {
        $(impl Headed for $answer {
            fn with(self, header: ResponseHeader) -> Self {
                Self { header: Some(header), ..self }
            }
        })*
    };
}

headed!(
    GetAllStoresResponse,
    GetGcSafePointResponse,
    GetMembersResponse,
    GetRegionResponse,
    GetStoreResponse,
    LoadKeyspaceResponse,
    ScanRegionsResponse,
    UpdateGcSafePointResponse,
    UpdateServiceGcSafePointResponse,
);

impl PdService {
    pub(super) fn new(shared: Arc<Shared>, member: usize) -> Self {
        Self { shared, member }
    }

    /// Serves a call that only the leader answers.
    async fn serve<T: Headed>(
        &self,
        call: Call,
        header: Option<RequestHeader>,
        keys: &[Bytes],
        work: impl FnOnce(&mut State) -> Found<T>,
    ) -> Result<Response<T>, Status> {
        let visit = self.arrive(call, keys).await?;
        self.check(header)?;
        self.answer(visit, work).await
    }

    async fn arrive(&self, call: Call, keys: &[Bytes]) -> Result<Visit, Status> {
        self.shared.thawed(self.member).await;
        let visit = self.shared.arrive(call, None, keys).await?;
        if visit.region.is_some() { Err(super::shared::lost()) } else { Ok(visit) }
    }

    async fn answer<T: Headed>(
        &self,
        visit: Visit,
        work: impl FnOnce(&mut State) -> Found<T>,
    ) -> Result<Response<T>, Status> {
        let found = match &visit.fails {
            Some(message) => Err(error(ErrorType::Unknown, message)),
            None if visit.empty => Ok(T::default()),
            None => work(&mut self.shared.state()),
        };
        visit.leave().await?;
        self.shared.thawed(self.member).await;
        let header = ResponseHeader { cluster_id: self.shared.cluster_id, error: None };
        Ok(Response::new(match found {
            Ok(answer) => answer.with(header),
            Err(error) => T::default().with(ResponseHeader { error: Some(error), ..header }),
        }))
    }

    /// Only the leader answers, and only clients of this cluster.
    fn check(&self, header: Option<RequestHeader>) -> Result<(), Status> {
        if self.shared.state().pd_leader != Some(self.member) {
            return Err(Status::unavailable("not leader"));
        }
        let (needed, got) = (self.shared.cluster_id, header.unwrap_or_default().cluster_id);
        if needed == got {
            return Ok(());
        }
        Err(Status::failed_precondition(format!("mismatch cluster id, need {needed} but got {got}")))
    }

    fn members(&self, state: &State) -> Vec<Member> {
        let member = |(index, address): (usize, &String)| Member {
            name: format!("pd{}", index + 1),
            member_id: index as u64 + 1,
            client_urls: vec![self.shared.url(address)],
            ..Default::default()
        };
        state.pd.iter().enumerate().map(member).collect()
    }

    /// Answers one request of a stream of timestamps.
    async fn timestamps(&self, request: TsoRequest) -> Result<TsoResponse, Status> {
        let visit = self.arrive(Call::Tso, &[]).await?;
        is_off(&self.shared.tso_stalled).await;
        self.check(request.header)?;
        if let Some(message) = &visit.fails {
            return Err(Status::unknown(message.clone()));
        }
        if request.count == 0 || request.count > MAX_TIMESTAMPS {
            return Err(Status::invalid_argument(format!("tso count {} is out of range", request.count)));
        }
        let last = self.shared.timestamp(request.count);
        visit.leave().await?;
        let header = ResponseHeader { cluster_id: self.shared.cluster_id, error: None };
        Ok(TsoResponse { header: Some(header), count: request.count, timestamp: Some(timestamp(last)) })
    }

    async fn stream_timestamps(
        self,
        mut requests: Streaming<TsoRequest>,
        answers: mpsc::Sender<Result<TsoResponse, Status>>,
    ) {
        while let Ok(Some(request)) = requests.message().await {
            let answer = self.timestamps(request).await;
            let failed = answer.is_err();
            if answers.send(answer).await.is_err() || failed {
                return;
            }
        }
    }
}

fn error(kind: ErrorType, message: &str) -> Error {
    Error { r#type: kind.into(), message: message.to_owned() }
}

fn timestamp(timestamp: u64) -> Timestamp {
    let physical = physical(timestamp);
    let logical = timestamp - super::mvcc::at_millisecond(physical);
    let part = |part: u64| i64::try_from(part).expect("a timestamp's parts have fewer bits");
    Timestamp { physical: part(physical), logical: part(logical), suffix_bits: 0 }
}

/// The raw key of an encoded one, for maps and filters; what encodes none is taken as it is.
fn raw(key: &Bytes) -> Bytes {
    memcomparable::decode(key).map_or_else(|| key.clone(), Bytes::from)
}

fn region_answer(region: Option<&Region>) -> GetRegionResponse {
    GetRegionResponse {
        header: None,
        region: region.map(convert::region),
        leader: region.and_then(Region::leader).map(convert::peer),
    }
}

fn scan(regions: &Regions, request: &ScanRegionsRequest) -> ScanRegionsResponse {
    let (start, end) = (raw(&request.start_key), raw(&request.end_key));
    let limit = usize::try_from(request.limit).ok().filter(|&limit| limit > 0).unwrap_or(usize::MAX);
    let found: Vec<&Region> = regions.within((&start, &end)).take(limit).collect();
    let leader = |region: &Region| region.leader().map(convert::peer);
    ScanRegionsResponse {
        header: None,
        region_metas: found.iter().map(|region| convert::region(region)).collect(),
        leaders: found.iter().map(|region| leader(region).unwrap_or_default()).collect(),
        regions: found
            .iter()
            .map(|region| pdpb::Region { region: Some(convert::region(region)), leader: leader(region) })
            .collect(),
    }
}

fn store(store: &Store) -> metapb::Store {
    metapb::Store { id: store.id, address: store.address.clone(), ..Default::default() }
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Pd for PdService {
    async fn get_members(&self, _: Request<GetMembersRequest>) -> Reply<GetMembersResponse> {
        let visit = self.arrive(Call::GetMembers, &[]).await?;
        let found = |state: &mut State| {
            let members = self.members(state);
            let leader = state.pd_leader.and_then(|leader| members.get(leader)).cloned();
            Ok(GetMembersResponse { header: None, etcd_leader: leader.clone(), leader, members })
        };
        self.answer(visit, found).await
    }

    type TsoStream = Pin<Box<dyn Stream<Item = Result<TsoResponse, Status>> + Send>>;

    async fn tso(&self, request: Request<Streaming<TsoRequest>>) -> Reply<Self::TsoStream> {
        let (answers, stream) = mpsc::channel(TSO_ANSWERS);
        let service = self.clone();
        let requests = request.into_inner();
        tokio::spawn(async move {
            let gone = answers.clone();
            tokio::select! {
                () = service.stream_timestamps(requests, answers) => {}
                () = gone.closed() => {}
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn get_store(&self, request: Request<GetStoreRequest>) -> Reply<GetStoreResponse> {
        let GetStoreRequest { header, store_id } = request.into_inner();
        let found = |state: &mut State| match state.stores.get(&store_id) {
            Some(found) => Ok(GetStoreResponse { header: None, store: Some(store(found)) }),
            None => Err(error(ErrorType::Unknown, &format!("invalid store ID {store_id}, not found"))),
        };
        self.serve(Call::GetStore, header, &[], found).await
    }

    async fn get_all_stores(&self, request: Request<GetAllStoresRequest>) -> Reply<GetAllStoresResponse> {
        let found = |state: &mut State| {
            Ok(GetAllStoresResponse { header: None, stores: state.stores.values().map(store).collect() })
        };
        self.serve(Call::GetAllStores, request.into_inner().header, &[], found).await
    }

    async fn get_region(&self, request: Request<GetRegionRequest>) -> Reply<GetRegionResponse> {
        let GetRegionRequest { header, region_key } = request.into_inner();
        let key = raw(&region_key);
        let found = |state: &mut State| Ok(region_answer(Some(state.told_regions().of(&key))));
        self.serve(Call::GetRegion, header, std::slice::from_ref(&key), found).await
    }

    async fn get_prev_region(&self, request: Request<GetRegionRequest>) -> Reply<GetRegionResponse> {
        let GetRegionRequest { header, region_key } = request.into_inner();
        let key = raw(&region_key);
        let found = |state: &mut State| Ok(region_answer(state.told_regions().before(&key)));
        self.serve(Call::GetPrevRegion, header, std::slice::from_ref(&key), found).await
    }

    async fn get_region_by_id(&self, request: Request<GetRegionByIdRequest>) -> Reply<GetRegionResponse> {
        let GetRegionByIdRequest { header, region_id } = request.into_inner();
        let found = |state: &mut State| Ok(region_answer(state.told_regions().by_id(region_id)));
        self.serve(Call::GetRegionById, header, &[], found).await
    }

    async fn scan_regions(&self, request: Request<ScanRegionsRequest>) -> Reply<ScanRegionsResponse> {
        let request = request.into_inner();
        let found = |state: &mut State| Ok(scan(state.told_regions(), &request));
        self.serve(Call::ScanRegions, request.header, &[raw(&request.start_key)], found).await
    }

    async fn get_gc_safe_point(
        &self,
        request: Request<GetGcSafePointRequest>,
    ) -> Reply<GetGcSafePointResponse> {
        let found = |state: &mut State| {
            Ok(GetGcSafePointResponse { header: None, safe_point: state.safe_points.cluster })
        };
        self.serve(Call::GetGcSafePoint, request.into_inner().header, &[], found).await
    }

    /// Stores drop old versions at once: whoever still reads them would rather know here.
    async fn update_gc_safe_point(
        &self,
        request: Request<UpdateGcSafePointRequest>,
    ) -> Reply<UpdateGcSafePointResponse> {
        let UpdateGcSafePointRequest { header, safe_point } = request.into_inner();
        let found = |state: &mut State| {
            let new_safe_point = state.safe_points.raise(safe_point);
            state.mvcc.collect_garbage((&[], &[]), new_safe_point);
            Ok(UpdateGcSafePointResponse { header: None, new_safe_point })
        };
        self.serve(Call::UpdateGcSafePoint, header, &[], found).await
    }

    async fn update_service_gc_safe_point(
        &self,
        request: Request<UpdateServiceGcSafePointRequest>,
    ) -> Reply<UpdateServiceGcSafePointResponse> {
        let UpdateServiceGcSafePointRequest { header, service_id, ttl, safe_point } = request.into_inner();
        let now = self.shared.clock.now() / 1000;
        let found = |state: &mut State| {
            let least = state.safe_points.set_service(service_id, ttl, safe_point, now);
            let (service_id, ttl, min_safe_point) = least;
            let ttl = i64::try_from(ttl).unwrap_or(i64::MAX);
            Ok(UpdateServiceGcSafePointResponse { header: None, service_id, ttl, min_safe_point })
        };
        self.serve(Call::UpdateServiceGcSafePoint, header, &[], found).await
    }
}

#[tonic::async_trait]
impl Keyspace for PdService {
    async fn load_keyspace(&self, request: Request<LoadKeyspaceRequest>) -> Reply<LoadKeyspaceResponse> {
        let LoadKeyspaceRequest { header, name } = request.into_inner();
        let known = self.shared.keyspaces.iter().find(|(known, _)| *known == name).cloned();
        let found = |_: &mut State| match known {
            Some((name, id)) => {
                let keyspace = Some(KeyspaceMeta { id, name, ..Default::default() });
                Ok(LoadKeyspaceResponse { header: None, keyspace })
            }
            None => Err(error(ErrorType::EntryNotFound, "keyspace does not exist")),
        };
        self.serve(Call::LoadKeyspace, header, &[], found).await
    }
}
