use std::time::Duration;

use braid_types::{Code, Error};
use braid_wire::{CommitInfo, proto, status_from_error};
use bytes::Bytes;
use futures::StreamExt;
use prost::Message;

use super::fake::{Fake, Reply};
use super::routes::log;
use crate::{ClientConfig, RetryPolicy, Timeouts};

const LOG: &str = "CommitService/Log";

/// A batch of commits, told apart by their generation.
fn batch(generations: &[u32]) -> Bytes {
    let commit = |&generation| proto::Commit {
        id: "a5".repeat(32),
        created_at: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        generation,
        ..Default::default()
    };
    proto::LogResponse { commits: generations.iter().map(commit).collect() }.encode_to_vec().into()
}

async fn read(fake: &Fake) -> Vec<Result<u32, Code>> {
    let entries = fake.client().log(log());
    let short =
        |entry: Result<CommitInfo, Error>| entry.map(|info| info.commit.generation).map_err(|e| e.code());
    entries.map(short).collect().await
}

#[tokio::test]
async fn batches_become_one_stream() {
    let fake = Fake::start().await;
    fake.on(LOG, Reply::Messages(vec![batch(&[5, 4]), batch(&[3]), batch(&[2, 1])], None));
    assert_eq!(read(&fake).await, [Ok(5), Ok(4), Ok(3), Ok(2), Ok(1)]);
    fake.on(LOG, Reply::Messages(vec![], None));
    assert_eq!(read(&fake).await, []);
}

#[tokio::test]
async fn opening_is_tried_again() {
    let fake = Fake::start().await;
    let busy = Error::new(Code::Busy, "r", "too much is waiting");
    fake.on(LOG, Reply::Lost).on(LOG, Reply::error(&busy)).on(LOG, Reply::Messages(vec![batch(&[1])], None));
    assert_eq!(read(&fake).await, [Ok(1)]);
    assert_eq!(fake.asked().len(), 3);
}

#[tokio::test]
async fn a_stream_that_has_begun_is_not_begun_again() {
    let fake = Fake::start().await;
    let expired = Error::new(Code::SnapshotExpired, "r", "the snapshot is no longer held");
    let busy = Error::new(Code::Busy, "r", "too much is waiting");
    for (error, code) in [(expired, Code::SnapshotExpired), (busy, Code::Busy)] {
        fake.on(LOG, Reply::Messages(vec![batch(&[2])], Some(status_from_error(&error))));
        assert_eq!(read(&fake).await, [Ok(2), Err(code)]);
    }
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn a_refused_stream_is_one_error() {
    let fake = Fake::start().await;
    fake.on(LOG, Reply::error(&Error::new(Code::RefNotFound, "r", "'r' names nothing")));
    assert_eq!(read(&fake).await, [Err(Code::RefNotFound)]);
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn nonsense_in_a_batch_ends_the_stream() {
    let fake = Fake::start().await;
    let nonsense = proto::LogResponse { commits: vec![proto::Commit::default()] };
    fake.on(LOG, Reply::Messages(vec![batch(&[2]), nonsense.encode_to_vec().into(), batch(&[1])], None));
    assert_eq!(read(&fake).await, [Ok(2), Err(Code::Internal)]);
}

#[tokio::test]
async fn a_silent_stream_is_given_up() {
    let fake = Fake::start().await;
    fake.on(LOG, Reply::Silence);
    let timeouts = Timeouts { idle: Duration::from_millis(20), ..Timeouts::default() };
    let retry = RetryPolicy { attempts: 1, ..fake.config().retry };
    let client = fake.client_with(&ClientConfig { timeouts, retry, ..fake.config() });
    let error = client.log(log()).next().await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}
