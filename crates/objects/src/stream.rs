//! Content on its way, chunk by chunk, so that memory does not grow with it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;

use crate::{ObjectError, ObjectMeta};

/// Chunks of content; the stream ends with the first error.
///
/// It can be shared between threads, which protocol libraries ask of bodies, though only one of them can read it.
pub struct ByteStream<E>(Mutex<BoxStream<'static, Result<Bytes, E>>>);

impl<E> ByteStream<E> {
    /// The chunks of `stream`.
    pub fn new(stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Self {
        Self(Mutex::new(stream.boxed()))
    }
}

impl<E: Send + 'static> From<Bytes> for ByteStream<E> {
    fn from(bytes: Bytes) -> Self {
        Self::new(futures::stream::iter([Ok(bytes)]))
    }
}

impl<E> std::fmt::Debug for ByteStream<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteStream").finish_non_exhaustive()
    }
}

impl<E> Stream for ByteStream<E> {
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.get_mut().as_mut().poll_next(context)
    }
}

/// Content to be written.
#[derive(Debug)]
pub struct Source {
    body: ByteStream<io::Error>,
    length: Option<u64>,
}

impl Source {
    /// Content of `length` bytes, or of a length that nobody knows yet. What fails in `body` fails the write.
    pub fn new(body: impl Stream<Item = io::Result<Bytes>> + Send + 'static, length: Option<u64>) -> Self {
        Self { body: ByteStream::new(body), length }
    }

    /// How many bytes there will be, if that is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The chunks, which fail if they do not come to the length that was said.
    pub(crate) fn into_checked(self) -> ByteStream<io::Error> {
        let Some(length) = self.length else { return self.body };
        let state = (self.body, 0, length);
        ByteStream::new(futures::stream::try_unfold(state, async |(mut body, before, length)| {
            let Some(chunk) = body.next().await.transpose()? else {
                return if before == length { Ok(None) } else { Err(differs(before, length)) };
            };
            let so_far = before + chunk.len() as u64;
            if so_far > length {
                return Err(differs(so_far, length));
            }
            Ok(Some((chunk, (body, so_far, length))))
        }))
    }

    /// The same content, each chunk of which is shown to `look` as it passes.
    pub(crate) fn inspected(self, look: impl Fn(&Bytes) + Send + 'static) -> Self {
        let body = self.body.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                look(chunk);
            }
        });
        Self { body: ByteStream::new(body), length: self.length }
    }
}

fn differs(came: u64, said: u64) -> io::Error {
    io::Error::other(format!("{came} bytes came where {said} were declared"))
}

impl From<Bytes> for Source {
    fn from(bytes: Bytes) -> Self {
        let length = Some(bytes.len() as u64);
        Self { body: bytes.into(), length }
    }
}

/// An object being read.
#[derive(Debug)]
pub struct Reading {
    /// What object it is; all of the chunks are of this state of it.
    pub meta: ObjectMeta,
    /// The chunks asked for.
    pub body: ByteStream<ObjectError>,
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    async fn read(said: u64, chunks: &'static [&'static str]) -> Result<String, String> {
        let chunks = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
        let source = Source::new(futures::stream::iter(chunks), Some(said));
        let read: Result<Vec<Bytes>, io::Error> = source.into_checked().try_collect().await;
        read.map(|chunks| String::from_utf8(chunks.concat()).unwrap()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn content_comes_to_its_length_or_fails() {
        assert_eq!(read(4, &["ab", "cd"]).await, Ok("abcd".to_owned()));
        assert_eq!(read(5, &["ab", "cd"]).await, Err("4 bytes came where 5 were declared".to_owned()));
        assert_eq!(read(3, &["ab", "cd"]).await, Err("4 bytes came where 3 were declared".to_owned()));
        assert_eq!(read(0, &[]).await, Ok(String::new()));
    }
}
