//! Clients spread over nodes that come and go.

use super::*;
use crate::door::Door;
use crate::traffic::Traffic;

/// Regions of branches, commits and staged entries begin in between, and more as they grow.
fn several_regions() -> Options {
    let split_at = ["Bc", "Br", "Bs", "Bs\u{40}"].map(Into::into).into();
    Options { stores: 3, split_at, split_above: Some(400), ..Options::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_nodes_is_killed_in_the_middle_and_nothing_is_lost() {
    let installation = Installation::new(several_regions()).await;
    let (first, second) = (installation.node().await, installation.node().await);
    let key = first.server().create_key("ada").await.unwrap();
    let (left, right) = (Door::open().await, Door::open().await);
    left.lead_to(first.server().grpc_address());
    right.lead_to(second.server().grpc_address());
    let client = |door: &Door| patient(&door.url(), &key.id, key.secret.expose());
    let (one, two) = (client(&left), client(&right));

    let mut traffic = Traffic::prepare(&one).await;
    for (name, client, witness) in
        [("a", &one, &two), ("b", &two, &one), ("c", &one, &two), ("d", &two, &one)]
    {
        traffic.write(name, client, witness);
    }
    for client in [&one, &two] {
        traffic.commit(client);
        traffic.merge(client);
        traffic.read(client);
    }
    traffic.more(24, 2, 2).await;
    // What the node leaves half done, the other one finds and ends; its clients are led there.
    first.kill();
    left.lead_to(second.server().grpc_address());
    traffic.check(&two).await;
    traffic.more(24, 2, 2).await;
    let third = installation.node().await;
    left.lead_to(third.server().grpc_address());
    second.stop().await;
    right.lead_to(third.server().grpc_address());
    traffic.more(24, 2, 2).await;
    traffic.finish(&one).await;
    third.stop().await;
    installation.store.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_of_the_cluster_fail_over_under_the_nodes() {
    let installation = Installation::new(several_regions()).await;
    let node = installation.node().await;
    let key = node.server().create_key("ada").await.unwrap();
    let client = patient(&node.server().grpc_url(), &key.id, key.secret.expose());
    let mut traffic = Traffic::prepare(&client).await;
    for name in ["a", "b"] {
        traffic.write(name, &client, &client);
    }
    traffic.commit(&client);
    traffic.merge(&client);
    traffic.more(8, 1, 1).await;
    let cluster = installation.cluster();
    for store in cluster.store_ids() {
        cluster.stop_store(store).await;
        cluster.fail_over(store);
        traffic.more(8, 1, 1).await;
        cluster.start_store(store).await.unwrap();
    }
    traffic.finish(&client).await;
    node.stop().await;
}
