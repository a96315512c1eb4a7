//! Encrypted connections.

use std::path::Path;

use tempfile::TempDir;

use super::support::{b, get, impatient, put, settings};
use crate::testing::{Authority, Certified, Options, TestCluster};
use crate::{Client, Error, Identity, Security, Settings};

async fn cluster(authority: &Authority, name: &str, client_ca: Option<&Authority>) -> TestCluster {
    let tls = Some(authority.server(name, client_ca));
    TestCluster::start(Options { tls, ..Options::default() }).await.unwrap()
}

fn write(folder: &TempDir, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Security by the files of a folder: `ca.pem`, and `client.pem` with `client.key`, if they are there.
fn security(folder: &Path, server_name: Option<&str>) -> Security {
    let (certificate, key) = (folder.join("client.pem"), folder.join("client.key"));
    let identity = certificate.exists().then_some(Identity { certificate, key });
    Security { authorities: folder.join("ca.pem"), identity, server_name: server_name.map(str::to_owned) }
}

async fn connect(cluster: &TestCluster, security: Security, base: Settings) -> Result<Client, Error> {
    Client::connect(&cluster.endpoints(), Settings { security: Some(security), ..base }, 1).await
}

#[tokio::test]
async fn servers_are_known_by_their_authority_alone_or_by_name() {
    let authority = Authority::generate();
    let folder = TempDir::new().unwrap();
    write(&folder, "ca.pem", &authority.pem());
    let by_address = cluster(&authority, "127.0.0.1", None).await;
    let client = connect(&by_address, security(folder.path(), None), settings()).await.unwrap();
    put(&client, &[("a", "1")]).await;
    assert_eq!(get(&client, "a").await, Some(b("1")));

    let by_name = cluster(&authority, "tikv.example", None).await;
    let client = connect(&by_name, security(folder.path(), Some("tikv.example")), settings()).await.unwrap();
    put(&client, &[("a", "1")]).await;
    let refused = connect(&by_name, security(folder.path(), None), impatient()).await;
    assert!(matches!(refused, Err(Error::Deadline { .. })), "the name is another");
}

#[tokio::test]
async fn servers_of_another_authority_are_refused() {
    let folder = TempDir::new().unwrap();
    write(&folder, "ca.pem", &Authority::generate().pem());
    let cluster = cluster(&Authority::generate(), "127.0.0.1", None).await;
    let refused = connect(&cluster, security(folder.path(), None), impatient()).await;
    assert!(matches!(refused, Err(Error::Deadline { .. })), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("invalid peer certificate"));
    let plain = Client::connect(&cluster.endpoints(), impatient(), 1).await;
    assert!(matches!(plain, Err(Error::Deadline { .. })), "{plain:?}");
}

#[tokio::test]
async fn a_client_shows_who_it_is() {
    let authority = Authority::generate();
    let folder = TempDir::new().unwrap();
    write(&folder, "ca.pem", &authority.pem());
    let cluster = cluster(&authority, "127.0.0.1", Some(&authority)).await;
    let nobody = connect(&cluster, security(folder.path(), None), impatient()).await;
    let said = nobody.unwrap_err().to_string();
    assert!(said.contains("CertificateRequired"), "what the server misses is named: {said}");
    let Certified { certificate, key } = authority.issue("client");
    write(&folder, "client.pem", &certificate);
    write(&folder, "client.key", &key);
    let client = connect(&cluster, security(folder.path(), None), settings()).await.unwrap();
    put(&client, &[("a", "1")]).await;
}

#[tokio::test]
async fn certificates_are_read_anew_for_new_connections() {
    let (old, new) = (Authority::generate(), Authority::generate());
    let folder = TempDir::new().unwrap();
    write(&folder, "ca.pem", &old.pem());
    let cluster = cluster(&old, "127.0.0.1", None).await;
    let client = connect(&cluster, security(folder.path(), None), settings()).await.unwrap();
    put(&client, &[("a", "1")]).await;
    // The servers are replaced by ones of another authority, and the client's file with them.
    let listen = cluster.endpoints()[0].parse().unwrap();
    cluster.shutdown().await;
    let tls = Some(new.server("127.0.0.1", None));
    let renewed = TestCluster::start(Options { tls, listen, ..Options::default() }).await.unwrap();
    write(&folder, "ca.pem", &new.pem());
    put(&client, &[("a", "2")]).await;
    assert_eq!(renewed.value(b"a"), Some(b("2")));
}

#[tokio::test]
async fn who_a_client_is_is_read_anew_as_well() {
    let (servers, old, new) = (Authority::generate(), Authority::generate(), Authority::generate());
    let folder = TempDir::new().unwrap();
    write(&folder, "ca.pem", &servers.pem());
    let show = |by: &Authority| {
        let Certified { certificate, key } = by.issue("client");
        write(&folder, "client.pem", &certificate);
        write(&folder, "client.key", &key);
    };
    show(&old);
    let before = cluster(&servers, "127.0.0.1", Some(&old)).await;
    let client = connect(&before, security(folder.path(), None), impatient()).await.unwrap();
    put(&client, &[("a", "1")]).await;
    // Servers come back that trust another authority's clients only.
    let listen = before.endpoints()[0].parse().unwrap();
    before.shutdown().await;
    let tls = Some(servers.server("127.0.0.1", Some(&new)));
    let after = TestCluster::start(Options { tls, listen, ..Options::default() }).await.unwrap();
    assert!(matches!(client.timestamp().await, Err(Error::Deadline { .. })), "the old one is refused");
    show(&new);
    put(&client, &[("a", "2")]).await;
    assert_eq!(after.value(b"a"), Some(b("2")));
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let authority = Authority::generate();
    let cluster = cluster(&authority, "127.0.0.1", None).await;
    let folder = TempDir::new().unwrap();
    let refused = connect(&cluster, security(folder.path(), None), impatient()).await.unwrap_err();
    assert!(refused.to_string().contains("ca.pem"), "{refused}");
}
