//! `braid metadata`: processes that share a cluster and keep nothing.

use braid_kv::{Kv, KvError, Mode, Outcome};
use bytes::Bytes;
use serde_json::{Value, json};

use super::binary::run;
use super::ground::{Ground, create_key};
use super::server::Server;
use crate::lake::{commit, create_lake, listing, read, write};

async fn ready(server: &Server) -> (u16, Value) {
    let answer = reqwest::get(format!("http://{}/readyz", server.http)).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_one_service_and_one_of_them_is_enough() {
    let ground = Ground::new().await;
    let (first, second) = tokio::join!(ground.node(), ground.node());
    let key = ground.key();
    let (one, two) = (key.client(&first), key.client(&second));
    for node in [&first, &second] {
        let all = json!({ "ready": true, "kv": "ok", "format": "ok", "storage": "ok" });
        assert_eq!(ready(node).await, (200, all));
    }
    let counted =
        reqwest::get(format!("http://{}/metrics", first.http)).await.unwrap().bytes().await.unwrap();
    let counted = String::from_utf8_lossy(&counted);
    assert!(counted.contains("tikv_calls_total{call=\"KvGet\",result=\"answered\"}"), "{counted}");
    create_lake(&one).await;
    write(&two, "main", "a", "1").await;
    assert_eq!(read(&one, "main", "a").await, "1");
    commit(&one, "main").await.unwrap();
    write(&one, "main", "b", "2").await;
    first.kill().await;
    assert_eq!(read(&two, "main", "b").await, "2");
    commit(&two, "main").await.unwrap();

    let third = ground.node().await;
    let found = listing(&key.client(&third), "main@").await;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b"]);
    for node in [second, third] {
        let (status, printed, _) = node.terminate().await;
        assert_eq!(status.code(), Some(0));
        assert!(!printed.contains("ACCESS_KEY"), "a node makes no key: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_refuses_what_it_cannot_serve_and_says_why() {
    let ground = Ground::new().await;
    let without_key = ["metadata", "--kv", "tikv://pd", "--storage", "s3://bucket"];
    run(&without_key, &ground.environment()).refused(1, &["--master-key-file", "BRAID_MASTER_KEY"]);
    ground.refused("--kv", "tikv://pd:x").refused(2, &["'x' of 'pd:x' is not a port"]);
    ground.refused("--storage", "nowhere").refused(2, &["nowhere"]);
    ground.refused("--master-key-file", "absent").refused(1, &["'absent'"]);
    let keyspace = format!("{}?keyspace=other", ground.place.uri());
    ground.refused("--kv", &keyspace).refused(1, &["no keyspace 'other'"]);

    ground.create_key().ok();
    let another = ground.folder.path().join("another.key");
    std::fs::write(&another, "6".repeat(64)).unwrap();
    let sealed = "the master key is not the one that this store's secrets were sealed under";
    ground.refused("--master-key-file", another.to_str().unwrap()).refused(1, &[sealed]);
    create_key(&ground.place.uri().to_string(), &another).refused(1, &[sealed]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_version_wrote_is_left_alone() {
    let ground = Ground::new().await;
    let kv = ground.kv().await;
    let newer = b"\x01\0\0\0\x02whatever".as_slice();
    let mut txn = kv.begin(Mode::Optimistic).await.unwrap();
    txn.put(Bytes::from_static(b"v"), Bytes::from_static(newer));
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    let said = "have format 2; this version of Braid knows up to format 1";
    ground.refused("--storage", "s3://braid.local/lake").refused(1, &[said]);
    ground.create_key().refused(1, &[said]);
    assert_eq!(kv.snapshot().await.unwrap().get(b"v").await, Ok::<_, KvError>(Some(newer.into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_in_one_process_can_keep_its_refs_in_a_cluster() {
    let (ground, data) = (Ground::new().await, tempfile::tempdir().unwrap());
    let kv = ground.place.uri().to_string();
    let mut server = Server::start_with(data.path(), &["--kv", &kv], &[]).await;
    let key = server.key().await;
    create_lake(&key.client(&server)).await;
    write(&key.client(&server), "main", "a", "1").await;
    server.kill().await;
    let server = Server::start_with(data.path(), &["--kv", &kv], &[]).await;
    assert_eq!(read(&key.client(&server), "main", "a").await, "1");
    assert!(!data.path().join("kv.redb").exists());
}
