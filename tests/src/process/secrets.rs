//! Secrets stay out of logs, however much is logged.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::server::Server;
use crate::lake::{commit, create_lake, impatient, read, write};

#[tokio::test]
async fn secrets_are_never_logged() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start_with(data.path(), &[], &[("BRAID_LOG", "debug")]).await;
    let key = server.key().await;
    let client = key.client(&server);
    create_lake(&client).await;
    write(&client, "main", "a", "1").await;
    commit(&client, "main").await.unwrap();
    assert_eq!(read(&client, "main", "a").await, "1");
    let endpoint = format!("http://{}", server.grpc);
    let wrong = "the secret of somebody else";
    commit(&impatient(&endpoint, &key.id, wrong), "main").await.unwrap_err();
    let (_, printed, log) = server.terminate().await;

    let basic = |secret: &str| STANDARD.encode(format!("{}:{secret}", key.id));
    let master = fs::read_to_string(data.path().join("master.key")).unwrap();
    for secret in [&*key.secret, wrong, &basic(&key.secret), &basic(wrong), master.trim()] {
        assert!(!log.contains(secret), "'{secret}' was logged");
    }
    assert_eq!(printed.matches(&key.secret).count(), 1, "printed once, for the administrator");
    assert!(log.contains("DEBUG"), "much is logged: {log}");
}
