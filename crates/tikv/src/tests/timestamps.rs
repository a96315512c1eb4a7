//! Timestamps, through everything that happens to PD.

use std::sync::Arc;
use std::time::Duration;

use super::support::{calls, client, client_with, impatient, memory, settings, small_cluster};
use crate::testing::{Call, Effect, Filter, Options, TestCluster, When};
use crate::{Client, Error, Settings};

async fn three_pds() -> TestCluster {
    TestCluster::start(Options { pd_members: 3, ..memory() }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_asks_meanwhile_shares_the_next_request() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    client.timestamp().await.unwrap();
    calls(&cluster);
    let mut asked = cluster.stop(Filter::on(Call::Tso).times(1), When::Before);
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.timestamp().await.unwrap() }
    });
    let held = asked.reached().await;
    let mut others: Vec<_> = (0..100).map(|_| Box::pin(client.timestamp())).collect();
    for other in &mut others {
        assert!(futures::poll!(other).is_pending());
    }
    held.release();
    let mut given: Vec<_> = futures::future::try_join_all(others).await.unwrap();
    given.push(first.await.unwrap());
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 101, "each is given once");
    assert_eq!(calls(&cluster), [(Call::Tso, 2)]);
}

#[tokio::test(start_paused = true)]
async fn time_grows_for_whoever_asks_later_also_over_leaders() {
    let cluster = Arc::new(three_pds().await);
    let settings = Settings { pd_timeout: Duration::from_millis(300), ..settings() };
    let clients = [client_with(&cluster, settings.clone()).await, client_with(&cluster, settings).await];
    let mut last = clients[0].timestamp().await.unwrap();
    for step in 0..12 {
        match step {
            2 => cluster.move_pd_leader(Some(1)),
            4 => cluster.stop_pd(1).await,
            5 => cluster.move_pd_leader(Some(2)),
            8 => cluster.freeze_pd(2, true),
            _ => {}
        }
        // While nobody leads or answers, who asks waits.
        let next = tokio::spawn({
            let client = clients[step % 2].clone();
            async move { client.timestamp().await.unwrap() }
        });
        if step == 4 {
            tokio::task::yield_now().await;
            cluster.move_pd_leader(Some(2));
        }
        if step == 8 {
            tokio::task::yield_now().await;
            cluster.move_pd_leader(Some(0));
        }
        let next = next.await.unwrap();
        assert!(next > last, "step {step}");
        last = next;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pd_whose_time_went_back_gives_none_until_it_has_caught_up() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, impatient()).await;
    let last = client.timestamp().await.unwrap();
    cluster.turn_back(Duration::from_secs(10));
    let refused = client.timestamp().await.unwrap_err().to_string();
    assert!(refused.contains("do not come after"), "{refused}");
    cluster.advance(Duration::from_secs(10));
    assert!(client.timestamp().await.unwrap() > last);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_pd_is_waited_for_within_the_deadline() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, impatient()).await;
    let before = client.timestamp().await.unwrap();
    cluster.stall_tso(true);
    let failed = client.timestamp().await;
    assert!(
        matches!(&failed, Err(Error::Deadline { operation: "timestamp", cause, .. }) if cause.contains("PD at")),
        "{failed:?}"
    );
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.timestamp().await }
    });
    tokio::task::yield_now().await;
    cluster.stall_tso(false);
    assert!(waiting.await.unwrap().unwrap() > before);
}

#[tokio::test(start_paused = true)]
async fn lost_and_refused_requests_for_timestamps_are_made_again() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    for effect in [Effect::LoseRequest, Effect::LoseReply, Effect::Fail("not leader".into())] {
        let fault = cluster.inject(Filter::on(Call::Tso).times(2), effect);
        client.timestamp().await.unwrap();
        assert_eq!(fault.met(), 2);
    }
}

#[tokio::test]
async fn any_member_of_pd_is_enough_to_begin_with() {
    let cluster = TestCluster::start(Options { pd_members: 3, ..Options::default() }).await.unwrap();
    cluster.stop_pd(0).await;
    cluster.move_pd_leader(Some(2));
    let endpoints = cluster.endpoints();
    let client = Client::connect(&endpoints[..2], settings(), 1).await.unwrap();
    client.timestamp().await.unwrap();
}

#[tokio::test]
async fn without_pd_there_is_no_client() {
    let cluster = TestCluster::start(Options::default()).await.unwrap();
    cluster.stop_pd(0).await;
    let refused = Client::connect(&cluster.endpoints(), impatient(), 1).await.unwrap_err();
    assert!(matches!(refused, Error::Deadline { operation: "connect", .. }), "{refused}");
    let refused = Client::connect(&["nowhere".into()], settings(), 1).await.unwrap_err();
    assert!(matches!(refused, Error::Setting { setting: "address", .. }), "{refused}");
}

#[tokio::test]
async fn another_cluster_at_a_known_address_is_not_taken_for_this_one() {
    let cluster = TestCluster::start(Options::default()).await.unwrap();
    let client = client_with(&cluster, impatient()).await;
    cluster.stop_pd(0).await;
    let listen = cluster.endpoints()[0].parse().unwrap();
    let _other = TestCluster::start(Options { seed: 1, listen, ..Options::default() }).await.unwrap();
    let failed = client.timestamp().await;
    // Either side notices, whichever looks first.
    let noticed = |cause: &str| {
        ["belongs to the cluster", "mismatch cluster id"].iter().any(|said| cause.contains(said))
    };
    assert!(matches!(&failed, Err(Error::Deadline { cause, .. }) if noticed(cause)), "{failed:?}");
}
