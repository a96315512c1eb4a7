//! Streams of answers: items gathered into messages, ended when the caller's patience or the service ends.
//!
//! A stream is pulled by the connection: nothing is made before there is room to send it, and when the client goes away
//! the stream is dropped with all that it reads.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use braid_catalog::PageRequest;
use braid_types::Error;
use braid_wire::proto::MAX_MESSAGE_BYTES;
use braid_wire::{
    Call, CommitInfo, DiffItem, Download, DumpEvent, FsckEvent, ListItem, MergeConflict, Object, Page,
    PrefixUsage, RestoreEvent,
};
use futures::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::{Instrument, Span};

use crate::deadline::Deadline;
use crate::front::{interrupted, report, stopping, too_late};

/// Most items in one message.
const MESSAGE_ITEMS: usize = 500;

/// A message takes no further item once it weighs this much, in bytes.
const MESSAGE_BYTES: usize = 1 << 20;

/// How long a message waits for further items once it has one.
const LINGER: Duration = Duration::from_millis(50);

/// What a page of a list may weigh, in bytes: metadata can make it too large for a message.
const PAGE_BYTES: usize = MAX_MESSAGE_BYTES / 2;

/// What a call answers with.
pub(crate) type Answers<B> = Pin<Box<dyn Stream<Item = Result<B, Status>> + Send>>;

/// About how many bytes an item is in a message.
pub(crate) trait Weigh {
    fn weight(&self) -> usize;
}

impl<T: Weigh> Weigh for Option<T> {
    fn weight(&self) -> usize {
        self.as_ref().map_or(0, Weigh::weight)
    }
}

impl Weigh for Object {
    fn weight(&self) -> usize {
        let entry = &self.entry;
        let metadata: usize = entry.metadata.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
        64 + self.path.as_bytes().len() + entry.address.len() + entry.content_type.len() + metadata
    }
}

impl Weigh for ListItem {
    fn weight(&self) -> usize {
        match self {
            Self::Object(object) => object.weight(),
            Self::CommonPrefix(prefix) => 8 + prefix.as_bytes().len(),
        }
    }
}

impl Weigh for Download {
    fn weight(&self) -> usize {
        self.object.weight() + self.url.len()
    }
}

impl Weigh for DiffItem {
    fn weight(&self) -> usize {
        match self {
            Self::Entry(entry) => entry.left.weight() + entry.right.weight(),
            Self::CommonPrefix(changes) => 32 + changes.prefix.as_bytes().len(),
        }
    }
}

impl Weigh for FsckEvent {
    fn weight(&self) -> usize {
        match self {
            Self::Fault(fault) => 32 + fault.subject.len() + fault.what.len(),
            Self::Progress(_) => 64,
        }
    }
}

impl Weigh for DumpEvent {
    fn weight(&self) -> usize {
        match self {
            Self::Progress(_) => 64,
            Self::Done(_) => 4096,
        }
    }
}

impl Weigh for RestoreEvent {
    fn weight(&self) -> usize {
        match self {
            Self::Progress(_) => 64,
            Self::Done(_) => 4096,
        }
    }
}

impl Weigh for PrefixUsage {
    fn weight(&self) -> usize {
        32 + self.prefix.as_bytes().len()
    }
}

impl Weigh for MergeConflict {
    fn weight(&self) -> usize {
        self.base.weight() + self.source.weight() + self.destination.weight()
    }
}

impl Weigh for CommitInfo {
    fn weight(&self) -> usize {
        let metadata: usize =
            self.commit.metadata.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
        320 + self.commit.message.len() + self.commit.committer.len() + metadata
    }
}

/// A page of what `read` gives, smaller than asked for if it would weigh too much.
pub(crate) async fn light_page<I, F>(
    mut request: PageRequest,
    read: impl Fn(PageRequest) -> F,
) -> Result<Page<I>, Error>
where
    I: Weigh,
    F: Future<Output = Result<Page<I>, Error>>,
{
    loop {
        let page = read(request.clone()).await?;
        let weight: usize = page.items.iter().map(Weigh::weight).sum();
        if weight <= PAGE_BYTES || request.size == 1 {
            return Ok(page);
        }
        request.size = (page.items.len() / 2).max(1);
    }
}

/// All that `next` gives, until it gives nothing.
pub(crate) fn items_of<S, I, F>(
    source: S,
    next: impl Fn(S) -> F + Send + 'static,
) -> impl Stream<Item = Result<I, Error>> + Send
where
    S: Send + 'static,
    I: Send + 'static,
    F: Future<Output = Result<Option<(I, S)>, Error>> + Send + 'static,
{
    stream::try_unfold(source, next)
}

/// The messages that tell `items`.
pub(crate) fn answers<I, B>(
    items: impl Stream<Item = Result<I, Error>> + Send + 'static,
    kind: Call,
    deadline: Deadline,
    draining: CancellationToken,
    span: Span,
) -> Answers<B>
where
    I: Weigh + Send + 'static,
    B: From<Vec<I>> + Send + 'static,
{
    Box::pin(async_stream::stream! {
        let mut batches = pin!(batches(items));
        loop {
            let next = next_batch(&mut batches, kind, deadline, &draining).instrument(span.clone()).await;
            match next {
                None => {
                    span.record("code", "ok");
                    return;
                }
                Some(Ok(batch)) => yield Ok(B::from(batch)),
                Some(Err(error)) => {
                    yield Err(report(&span, &error));
                    return;
                }
            }
        }
    })
}

async fn next_batch<I>(
    batches: &mut (impl Stream<Item = Result<Vec<I>, Error>> + Unpin),
    kind: Call,
    deadline: Deadline,
    draining: &CancellationToken,
) -> Option<Result<Vec<I>, Error>> {
    tokio::select! {
        biased;
        () = draining.cancelled() => Some(Err(interrupted(kind, stopping()))),
        () = deadline.passed() => Some(Err(interrupted(kind, too_late()))),
        next = batches.next() => next,
    }
}

/// Gathers items into batches that are never empty. What came before a failure is still given.
fn batches<I: Weigh + Send>(
    items: impl Stream<Item = Result<I, Error>> + Send,
) -> impl Stream<Item = Result<Vec<I>, Error>> + Send {
    async_stream::stream! {
        let mut items = pin!(items.fuse());
        while let Some(first) = items.next().await {
            let (batch, failure) = match first {
                Ok(first) => gather(first, &mut items).await,
                Err(error) => (Vec::new(), Some(error)),
            };
            if !batch.is_empty() {
                yield Ok(batch);
            }
            if let Some(error) = failure {
                yield Err(error);
                return;
            }
        }
    }
}

async fn gather<I: Weigh>(
    first: I,
    items: &mut (impl Stream<Item = Result<I, Error>> + Unpin),
) -> (Vec<I>, Option<Error>) {
    let flush = Instant::now() + LINGER;
    let mut weight = first.weight();
    let mut batch = vec![first];
    while batch.len() < MESSAGE_ITEMS && weight < MESSAGE_BYTES {
        match timeout_at(flush, items.next()).await {
            Ok(Some(Ok(item))) => {
                weight += item.weight();
                batch.push(item);
            }
            Ok(Some(Err(error))) => return (batch, Some(error)),
            Ok(None) | Err(_) => break,
        }
    }
    (batch, None)
}

#[cfg(test)]
mod tests {
    use braid_types::Code;
    use futures::channel::mpsc;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Item(usize);

    impl Weigh for Item {
        fn weight(&self) -> usize {
            self.0
        }
    }

    async fn sizes(items: Vec<Result<Item, Error>>) -> Vec<Result<usize, Code>> {
        let batches = batches(stream::iter(items));
        batches.map(|batch| batch.map(|batch| batch.len()).map_err(|error| error.code())).collect().await
    }

    #[tokio::test]
    async fn batches_are_bounded_in_items_and_in_bytes() {
        let light = (0..1001).map(|_| Ok(Item(1))).collect();
        assert_eq!(sizes(light).await, [Ok(500), Ok(500), Ok(1)]);
        let heavy = (0..5).map(|_| Ok(Item(MESSAGE_BYTES / 2))).collect();
        assert_eq!(sizes(heavy).await, [Ok(2), Ok(2), Ok(1)]);
        assert_eq!(sizes(Vec::new()).await, []);
    }

    #[tokio::test]
    async fn what_came_before_a_failure_is_given() {
        let failure = || Err(Error::new(Code::Corrupt, "s", "m"));
        assert_eq!(sizes(vec![Ok(Item(1)), failure(), Ok(Item(1))]).await, [Ok(1), Err(Code::Corrupt)]);
        assert_eq!(sizes(vec![failure()]).await, [Err(Code::Corrupt)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_source_does_not_hold_back_what_is_there() {
        let (sender, receiver) = mpsc::unbounded();
        let mut batches = pin!(batches(receiver));
        sender.unbounded_send(Ok(Item(1))).unwrap();
        assert_eq!(batches.next().await.unwrap().unwrap(), [Item(1)]);
    }

    impl From<Vec<Item>> for Item {
        fn from(items: Vec<Item>) -> Self {
            Item(items.len())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_the_service_does() {
        let draining = CancellationToken::new();
        let items = stream::iter([Ok(Item(1))]).chain(stream::pending());
        let deadline = Deadline::of(&tonic::metadata::MetadataMap::new());
        let mut answers: Answers<Item> = answers(items, Call::Read, deadline, draining.clone(), Span::none());
        assert_eq!(answers.next().await.unwrap().unwrap(), Item(1));
        draining.cancel();
        assert_eq!(answers.next().await.unwrap().unwrap_err().code(), tonic::Code::Unavailable);
        assert!(answers.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_at_its_deadline() {
        let mut metadata = tonic::metadata::MetadataMap::new();
        metadata.insert("grpc-timeout", "3S".parse().unwrap());
        let items = stream::pending::<Result<Item, Error>>();
        let mut answers: Answers<Item> =
            answers(items, Call::Read, Deadline::of(&metadata), CancellationToken::new(), Span::none());
        assert_eq!(answers.next().await.unwrap().unwrap_err().code(), tonic::Code::DeadlineExceeded);
    }
}
