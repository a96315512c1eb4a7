use super::*;

#[tokio::test]
async fn a_store_that_is_down_breaks_its_connections_and_takes_none() {
    let world = World::of_two_regions().await;
    let mut store = world.store(1).await;
    let context = world.context("a").await;
    let request = GetRequest { context, key: "a".into(), version: 10 };
    store.kv_get(request.clone()).await.unwrap();
    let address = world.cluster.store_address(1).unwrap();
    world.cluster.stop_store(1).await;
    assert!(store.kv_get(request.clone()).await.is_err());
    assert!(channel(&address).await.is_err());
    world.cluster.start_store(1).await.unwrap();
    assert_eq!(world.cluster.store_address(1), Some(address));
    world.store(1).await.kv_get(request).await.unwrap();
}

#[tokio::test]
async fn a_store_can_come_back_elsewhere() {
    let world = World::of_two_regions().await;
    world.write("a").await;
    let before = world.cluster.store_address(1);
    world.cluster.stop_store(1).await;
    world.cluster.start_store_elsewhere(1).await.unwrap();
    assert_ne!(world.cluster.store_address(1), before);
    assert_eq!(world.get("a", world.cluster.timestamp()).await.unwrap().value, "a");
}

#[tokio::test]
async fn other_replicas_take_over() {
    let world = World::of_two_regions().await;
    let commit = world.write("a").await;
    world.cluster.stop_store(1).await;
    world.cluster.fail_over(1);
    assert_eq!(world.cluster.leader_of(b"a"), Some(2));
    assert_eq!(world.get("a", commit).await.unwrap().value, "a");
}

#[tokio::test]
async fn members_of_pd_come_and_go() {
    let world = World::start(Options { pd_members: 2, ..Options::default() }).await;
    let address = world.cluster.endpoints()[1].clone();
    world.cluster.stop_pd(1).await;
    assert!(channel(&address).await.is_err());
    world.cluster.start_pd(1).await.unwrap();
    world.pd_member(1).await.get_members(GetMembersRequest::default()).await.unwrap();
}

#[tokio::test]
async fn nobody_listens_after_the_end() {
    let world = World::of_two_regions().await;
    let mut store = world.store(1).await;
    let addresses = [world.cluster.endpoints(), vec![world.cluster.store_address(1).unwrap()]].concat();
    world.cluster.shutdown().await;
    for address in addresses {
        assert!(channel(&address).await.is_err());
    }
    assert!(store.kv_get(GetRequest::default()).await.is_err());
}
