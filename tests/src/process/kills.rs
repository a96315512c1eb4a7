//! A server that is killed over and over while clients write, commit and merge.

use crate::door::Door;
use crate::lake::patient;
use crate::traffic::Traffic;

use super::server::Server;

const ROUNDS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let (grpc, http) = (Door::open().await, Door::open().await);
    let url = http.url();
    let options = ["--public-url", &*url];
    let mut server = Server::start_with(data.path(), &options, &[]).await;
    grpc.lead_to(server.grpc);
    http.lead_to(server.http);
    let key = server.key().await;
    // An error after a kill is resolved by the client, which sends the same request again under the same id.
    let client = patient(&grpc.url(), &key.id, &key.secret);
    let mut traffic = Traffic::prepare(&client).await;
    for writer in ["a", "b", "c"] {
        traffic.write(writer, &client, &client);
    }
    traffic.commit(&client);
    traffic.merge(&client);
    for round in 0..ROUNDS {
        // Commits and merges go through after each restart, and the kill comes at another moment each time.
        traffic.more(4 + 6 * round, 1, 1).await;
        server.kill().await;
        server = Server::start_with(data.path(), &options, &[]).await;
        grpc.lead_to(server.grpc);
        http.lead_to(server.http);
        traffic.check(&client).await;
    }
    traffic.more(2, 1, 1).await;
    traffic.finish(&client).await;
    let (status, printed, _) = server.terminate().await;
    assert!(status.success());
    assert!(!printed.contains("ACCESS_KEY"), "the first key is shown once: {printed}");
}
