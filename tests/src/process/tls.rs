//! Nodes of a cluster whose connections are encrypted, and whose servers want to know who calls.

use std::path::Path;

use braid_tikv::testing::{Authority, Certified, Options};

use super::ground::Ground;
use crate::lake::{create_lake, read, write};

/// A cluster of `authority` under the name `tikv.example`.
fn cluster(authority: &Authority, client_ca: Option<&Authority>) -> Options {
    Options { tls: Some(authority.server("tikv.example", client_ca)), ..Options::default() }
}

/// Writes the files of a node into `folder`; what follows the cluster's address.
fn files(folder: &Path, authority: &Authority, is_known: bool) -> String {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = file("ca.pem", &authority.pem());
    let known = format!("?ca={ca}&server-name=tikv.example");
    if !is_known {
        return known;
    }
    let Certified { certificate, key } = authority.issue("node");
    format!("{known}&cert={}&key={}", file("node.pem", &certificate), file("node.key", &key))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_reach_a_cluster_by_tls_and_show_who_they_are_where_it_asks() {
    for is_asked in [true, false] {
        let (authority, folder) = (Authority::generate(), tempfile::tempdir().unwrap());
        let options = cluster(&authority, is_asked.then_some(&authority));
        let ground = Ground::over(options, &files(folder.path(), &authority, is_asked)).await;
        let (key, node) = (ground.key(), ground.node().await);
        let client = key.client(&node);
        create_lake(&client).await;
        write(&client, "main", "a", "1").await;
        assert_eq!(read(&client, "main", "a").await, "1");
        node.terminate().await;
    }
}
