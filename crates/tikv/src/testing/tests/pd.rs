use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use super::*;
use crate::proto::keyspacepb::LoadKeyspaceRequest;
use crate::proto::keyspacepb::keyspace_client::KeyspaceClient;
use crate::proto::pdpb::{
    GetAllStoresRequest, GetGcSafePointRequest, GetRegionByIdRequest, GetStoreRequest, ScanRegionsRequest,
    TsoRequest, TsoResponse, UpdateGcSafePointRequest,
};
use crate::testing::{Call, Effect, Filter};

async fn of_three() -> World {
    World::start(Options { pd_members: 3, ..Options::default() }).await
}

/// A stream of timestamps from a member of PD.
struct Tso {
    header: Option<RequestHeader>,
    requests: mpsc::Sender<TsoRequest>,
    answers: Streaming<TsoResponse>,
}

impl Tso {
    async fn open(world: &World, member: usize) -> Self {
        let (requests, stream) = mpsc::channel(8);
        let answers = world.pd_member(member).await.tso(ReceiverStream::new(stream)).await.unwrap();
        Self { header: world.header().await, requests, answers: answers.into_inner() }
    }

    async fn ask(&self, count: u32) {
        self.requests.send(TsoRequest { header: self.header, count, ..Default::default() }).await.unwrap();
    }

    /// The last timestamp of an answer.
    async fn next(&mut self) -> Result<u64, Status> {
        let answer = self.answers.message().await?.unwrap();
        let timestamp = answer.timestamp.unwrap();
        Ok((timestamp.physical << 18 | timestamp.logical).try_into().unwrap())
    }
}

#[tokio::test]
async fn members_say_who_leads() {
    let world = of_three().await;
    world.cluster.move_pd_leader(Some(1));
    let answer = world.members().await;
    assert_eq!(answer.leader, Some(answer.members[1].clone()));
    let urls: Vec<String> = answer.members.into_iter().flat_map(|member| member.client_urls).collect();
    let expected: Vec<String> =
        world.cluster.endpoints().iter().map(|address| format!("http://{address}")).collect();
    assert_eq!(urls, expected);
    world.cluster.move_pd_leader(None);
    assert_eq!(world.members().await.leader, None);
}

#[tokio::test]
async fn only_the_leader_answers_and_only_its_own_clients() {
    let world = of_three().await;
    let request = GetStoreRequest { header: world.header().await, store_id: 1 };
    let refused = world.pd_member(1).await.get_store(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let stranger =
        world.pd().await.get_store(GetStoreRequest { header: None, store_id: 1 }).await.unwrap_err();
    assert_eq!(stranger.code(), Code::FailedPrecondition);
    assert!(world.pd().await.get_store(request).await.is_ok());
}

#[tokio::test]
async fn timestamps_grow_over_all_streams() {
    let world = World::start(Options::default()).await;
    let (mut one, mut other) = (Tso::open(&world, 0).await, Tso::open(&world, 0).await);
    let mut last = 0;
    for count in [1, 64, 2, 100_000] {
        for stream in [&mut one, &mut other] {
            stream.ask(count).await;
            let next = stream.next().await.unwrap();
            assert!(next - u64::from(count) >= last);
            last = next;
        }
    }
    assert_eq!(world.cluster.count(Call::Tso), 8);
    one.ask(0).await;
    assert_eq!(one.next().await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_stall_answers_late_and_in_order() {
    let world = World::start(Options::default()).await;
    let mut stream = Tso::open(&world, 0).await;
    world.cluster.stall_tso(true);
    stream.ask(1).await;
    stream.ask(1).await;
    let before = world.cluster.timestamp();
    world.cluster.stall_tso(false);
    let (first, second) = (stream.next().await.unwrap(), stream.next().await.unwrap());
    assert!(before < first && first < second);
}

#[tokio::test]
async fn a_stream_ends_when_its_member_leads_no_more() {
    let world = of_three().await;
    let mut stream = Tso::open(&world, 0).await;
    stream.ask(1).await;
    let before = stream.next().await.unwrap();
    world.cluster.move_pd_leader(Some(2));
    stream.ask(1).await;
    assert_eq!(stream.next().await.unwrap_err().code(), Code::Unavailable);
    let mut stream = Tso::open(&world, 2).await;
    stream.ask(1).await;
    assert!(stream.next().await.unwrap() > before);
}

#[tokio::test]
async fn a_frozen_member_takes_calls_and_answers_after_the_thaw() {
    let world = World::start(Options::default()).await;
    world.cluster.freeze_pd(0, true);
    let (mut pd, address) = (world.pd().await, world.cluster.endpoints().remove(0));
    let mut call = std::pin::pin!(pd.get_members(GetMembersRequest::default()));
    tokio::select! {
        biased;
        _ = &mut call => panic!("it is frozen"),
        _ = tokio::net::TcpStream::connect(address) => {}
    }
    world.cluster.freeze_pd(0, false);
    call.await.unwrap();
}

#[tokio::test]
async fn regions_are_found_by_encoded_keys() {
    let world = World::of_two_regions().await;
    let (left, right) = (world.region("a").await, world.region("m").await);
    let (left, right) = (left.region.unwrap(), right.region.unwrap());
    assert_eq!((bounds(&left), bounds(&right)), (("".into(), "m".into()), ("m".into(), "".into())));
    let (header, mut pd) = (world.header().await, world.pd().await);
    let region_key = memcomparable::encode(b"x").into();
    let before = pd.get_prev_region(GetRegionRequest { header, region_key }).await.unwrap().into_inner();
    assert_eq!(before.region, Some(left.clone()));
    let by_id = GetRegionByIdRequest { header, region_id: right.id };
    assert_eq!(pd.get_region_by_id(by_id).await.unwrap().into_inner().region, Some(right.clone()));
    let unknown = GetRegionByIdRequest { header, region_id: 9999 };
    assert_eq!(pd.get_region_by_id(unknown).await.unwrap().into_inner().region, None);
}

#[tokio::test]
async fn a_scan_of_regions_is_bounded() {
    let options = Options { split_at: vec!["c".into(), "m".into()], ..Options::default() };
    let world = World::start(options).await;
    let (header, pd) = (world.header().await, world.pd().await);
    let scan = async |start: &[u8], end: &[u8], limit| {
        let bound = super::super::convert::bound;
        let request = ScanRegionsRequest { header, start_key: bound(start), end_key: bound(end), limit };
        let answer = pd.clone().scan_regions(request).await.unwrap().into_inner();
        assert_eq!(answer.region_metas.len(), answer.regions.len());
        answer.region_metas.iter().map(|region| bounds(region).0).collect::<Vec<_>>()
    };
    assert_eq!(scan(b"", b"", 0).await, ["", "c", "m"]);
    assert_eq!(scan(b"d", b"", 0).await, ["c", "m"]);
    assert_eq!(scan(b"d", b"m", 0).await, ["c"]);
    assert_eq!(scan(b"", b"", 2).await, ["", "c"]);
}

#[tokio::test]
async fn pd_can_lag_behind() {
    let world = World::start(Options::default()).await;
    world.cluster.hold_pd_view(true);
    world.cluster.split(b"m");
    assert_eq!(bounds(&world.region("a").await.region.unwrap()).1, "");
    world.cluster.hold_pd_view(false);
    assert_eq!(bounds(&world.region("a").await.region.unwrap()).1, "m");
}

#[tokio::test]
async fn answers_can_be_empty_or_errors() {
    let world = World::start(Options::default()).await;
    let empty = world.cluster.inject(Filter::on(Call::GetRegion).with_key("k").times(1), Effect::Empty);
    let answer = world.region("k").await;
    assert!(answer.region.is_none() && answer.header.unwrap().error.is_none());
    assert_eq!(empty.met(), 1);
    world.cluster.inject(Filter::on(Call::GetRegion).times(1), Effect::Fail("no quorum".into()));
    let answer = world.region("k").await;
    assert_eq!(answer.header.unwrap().error.unwrap().message, "no quorum");
    assert!(answer.region.is_none());
    assert!(world.region("k").await.region.is_some());
}

#[tokio::test]
async fn stores_are_known_by_id() {
    let world = World::of_two_regions().await;
    let (header, mut pd) = (world.header().await, world.pd().await);
    let all = pd.get_all_stores(GetAllStoresRequest { header, ..Default::default() }).await.unwrap();
    let ids: Vec<u64> = all.into_inner().stores.iter().map(|store| store.id).collect();
    assert_eq!(ids, [1, 2, 3]);
    let one = pd.get_store(GetStoreRequest { header, store_id: 2 }).await.unwrap().into_inner();
    assert_eq!(Some(one.store.unwrap().address), world.cluster.store_address(2));
    let none = pd.get_store(GetStoreRequest { header, store_id: 9 }).await.unwrap().into_inner();
    assert!(none.store.is_none() && none.header.unwrap().error.is_some());
}

#[tokio::test]
async fn the_safe_point_takes_old_versions_with_it() {
    let world = World::start(Options::default()).await;
    let first = world.write("k").await;
    let second = world.write("k").await;
    let (header, mut pd) = (world.header().await, world.pd().await);
    let update = UpdateGcSafePointRequest { header, safe_point: second };
    assert_eq!(pd.update_gc_safe_point(update).await.unwrap().into_inner().new_safe_point, second);
    let back = UpdateGcSafePointRequest { header, safe_point: first };
    assert_eq!(pd.update_gc_safe_point(back).await.unwrap().into_inner().new_safe_point, second);
    let get = GetGcSafePointRequest { header };
    assert_eq!(pd.get_gc_safe_point(get).await.unwrap().into_inner().safe_point, second);
    assert!(world.get("k", first).await.unwrap().not_found);
    assert_eq!(world.get("k", second).await.unwrap().value, "k");
}

#[tokio::test]
async fn keyspaces_are_known_by_name() {
    let world = World::start(Options { keyspaces: vec![("lake".into(), 7)], ..Options::default() }).await;
    let mut keyspaces = KeyspaceClient::new(channel(&world.cluster.endpoints()[0]).await.unwrap());
    let header = world.header().await;
    let known = LoadKeyspaceRequest { header, name: "lake".into() };
    assert_eq!(keyspaces.load_keyspace(known).await.unwrap().into_inner().keyspace.unwrap().id, 7);
    let unknown = LoadKeyspaceRequest { header, name: "sea".into() };
    let answer = keyspaces.load_keyspace(unknown).await.unwrap().into_inner();
    assert!(answer.keyspace.is_none() && answer.header.unwrap().error.is_some());
}
