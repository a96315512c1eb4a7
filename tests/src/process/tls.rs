//! Nodes of a cluster whose connections are encrypted, and whose servers want to know who calls.

use std::path::Path;

use braid_tikv::testing::{Options, TlsIdentity};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::ground::Ground;
use crate::lake::{create_lake, read, write};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name and its key, in PEM.
fn issue(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// A cluster of `authority` under the name `tikv.example`.
fn cluster(authority: &Authority, client_ca: Option<String>) -> Options {
    let (certificate, key) = issue(authority, "tikv.example");
    Options { tls: Some(TlsIdentity { certificate, key, client_ca }), ..Options::default() }
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
    let (certificate, key) = issue(authority, "node");
    format!("{known}&cert={}&key={}", file("node.pem", &certificate), file("node.key", &key))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_reach_a_cluster_by_tls_and_show_who_they_are_where_it_asks() {
    for is_asked in [true, false] {
        let (authority, folder) = (authority(), tempfile::tempdir().unwrap());
        let options = cluster(&authority, is_asked.then(|| authority.pem()));
        let ground = Ground::over(options, &files(folder.path(), &authority, is_asked)).await;
        let (key, node) = (ground.key(), ground.node().await);
        let client = key.client(&node);
        create_lake(&client).await;
        write(&client, "main", "a", "1").await;
        assert_eq!(read(&client, "main", "a").await, "1");
        node.terminate().await;
    }
}
