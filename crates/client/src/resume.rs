//! Long streams that go on after they broke off.
//!
//! A stream shows one snapshot, which the server holds for some minutes only, and one connection may not last as long as it
//! takes to transfer everything. What comes after the break is then of another snapshot, unless the ref names a commit.

use braid_types::{Code, Error, PathPrefix};
use futures::stream::{self, Stream, StreamExt};

use crate::call::Entries;

/// The items that `open` gives from the beginning. When it fails in a way that passes, it is opened again after the path
/// of the last item, as long as each opening gives at least one item more.
pub fn resumed<T, O>(mut open: O, path_of: fn(&T) -> &str) -> impl Stream<Item = Result<T, Error>>
where
    O: FnMut(Option<PathPrefix>) -> Entries<T>,
{
    let entries = open(None);
    let start = Reading { open, entries, last: None };
    stream::try_unfold(start, move |mut reading| async move {
        loop {
            match (reading.entries.next().await, reading.last.take()) {
                (None, _) => return Ok(None),
                (Some(Ok(item)), _) => {
                    reading.last = Some(path_of(&item).to_owned());
                    return Ok(Some((item, reading)));
                }
                (Some(Err(error)), Some(last)) if passes(&error) => {
                    reading.entries = (reading.open)(Some(PathPrefix::new(last)?));
                }
                (Some(Err(error)), _) => return Err(error),
            }
        }
    })
}

struct Reading<T, O> {
    open: O,
    entries: Entries<T>,
    /// Path of the last item since the stream was opened.
    last: Option<String>,
}

fn passes(error: &Error) -> bool {
    error.is_retryable() || error.code() == Code::SnapshotExpired
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    type Items = Vec<Result<&'static str, Error>>;

    fn broken(code: Code) -> Result<&'static str, Error> {
        Err(Error::new(code, "", ""))
    }

    /// What comes out of streams opened one after the other, and after which path each was opened.
    async fn read(openings: Vec<Items>) -> (Result<Vec<&'static str>, Error>, Vec<Option<String>>) {
        let mut after = Vec::new();
        let mut openings = openings.into_iter();
        let open = |last: Option<PathPrefix>| {
            after.push(last.map(|last| last.as_str().to_owned()));
            stream::iter(openings.next().expect("no more openings than expected")).boxed()
        };
        let items = Box::pin(resumed(open, |item: &&'static str| item)).try_collect().await;
        (items, after)
    }

    #[tokio::test]
    async fn breaks_that_pass_are_gone_over() {
        let openings = vec![
            vec![Ok("a"), Ok("b"), broken(Code::SnapshotExpired)],
            vec![Ok("c"), broken(Code::Unavailable)],
            vec![],
        ];
        let (items, after) = read(openings).await;
        assert_eq!(items.unwrap(), ["a", "b", "c"]);
        assert_eq!(after, [None, Some("b".into()), Some("c".into())]);
    }

    #[tokio::test]
    async fn breaks_without_progress_and_refusals_are_the_end() {
        let twice = vec![vec![Ok("a"), broken(Code::Unavailable)], vec![broken(Code::Unavailable)]];
        assert_eq!(read(twice).await.0.unwrap_err().code(), Code::Unavailable);
        let first = vec![vec![broken(Code::Unavailable)]];
        assert!(read(first).await.0.is_err());
        let refused = vec![vec![Ok("a"), broken(Code::Corrupt)]];
        assert_eq!(read(refused).await.0.unwrap_err().code(), Code::Corrupt);
    }
}
