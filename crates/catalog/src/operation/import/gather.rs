//! What the sources of an import hold, as one stream of records by the new paths.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use braid_tree::{Record, Value};
use braid_types::{AddressType, Code, Entry, Error, ObjectPath, PathPrefix, Result};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{Stream, StreamExt, TryStreamExt, stream};

use super::listing::{Page, pages};
use super::{ImportStore, Importable};
use crate::record::ImportSource;

/// Pages that wait for the reader, over all stretches of all sources.
const PAGES: usize = 256;

/// Stretches that each source lists at the same time.
const STRETCHES: usize = 8;

/// Single objects that are looked for at the same time.
const LOOKS: usize = 16;

type Records = Pin<Box<dyn Stream<Item = Result<Record>> + Send>>;

/// What replaces a directory, and what is put beside it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Directories that become what was gathered; none is in another.
    pub(super) replaced: Vec<PathPrefix>,
    /// Paths of single objects that are in none of them.
    pub(super) beside: Vec<Bytes>,
}

impl Places {
    pub(super) fn of(sources: &[ImportSource]) -> Self {
        let mut places = Self::default();
        let mut directories: Vec<&PathPrefix> = sources.iter().filter_map(ImportSource::directory).collect();
        directories.sort();
        for directory in directories {
            let is_inside = |outer: &PathPrefix| directory.as_str().starts_with(outer.as_str());
            if !places.replaced.last().is_some_and(is_inside) {
                places.replaced.push(directory.clone());
            }
        }
        for source in sources {
            if let ImportSource::Object { destination, .. } = source
                && !places.replaced.iter().any(|outer| destination.as_str().starts_with(outer.as_str()))
            {
                places.beside.push(Bytes::copy_from_slice(destination.as_bytes()));
            }
        }
        places.beside.sort();
        places.beside.dedup();
        places
    }
}

impl ImportSource {
    /// The directory that it becomes, if it is a prefix.
    fn directory(&self) -> Option<&PathPrefix> {
        match self {
            Self::Prefix { destination, .. } => Some(destination),
            Self::Object { .. } => None,
        }
    }
}

/// What the sources hold, in strictly ascending order of paths; `found` counts objects as they are listed.
pub(super) async fn gather(
    store: &Arc<dyn ImportStore>,
    sources: &[ImportSource],
    found: &Arc<AtomicU64>,
) -> Result<impl Stream<Item = Result<Record>> + Send + use<>> {
    let prefixes = sources.iter().filter(|source| source.directory().is_some()).count();
    let ahead = PAGES / (STRETCHES * prefixes.max(1));
    let mut streams: Vec<(usize, Records)> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        if let ImportSource::Prefix { uri, destination } = source {
            let listed = pages(Arc::clone(store), uri.clone(), ahead);
            streams.push((number, Box::pin(moved(Box::pin(listed), uri, destination, Arc::clone(found)))));
        }
    }
    for (number, record) in single(store, sources, found).await? {
        streams.push((number, Box::pin(stream::iter([Ok(record)]))));
    }
    Ok(merged(streams))
}

/// The records of single objects, each with the number of its source.
async fn single(
    store: &Arc<dyn ImportStore>,
    sources: &[ImportSource],
    found: &Arc<AtomicU64>,
) -> Result<Vec<(usize, Record)>> {
    let mut looks: Vec<BoxFuture<'static, Result<(usize, Record)>>> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        if let ImportSource::Object { uri, destination } = source {
            let (store, found) = (Arc::clone(store), Arc::clone(found));
            let (uri, path) = (uri.clone(), destination.to_string());
            looks.push(Box::pin(async move {
                let record = record(path, store.find(&uri).await?)?;
                found.fetch_add(1, Ordering::Relaxed);
                Ok((number, record))
            }));
        }
    }
    stream::iter(looks).buffered(LOOKS).try_collect().await
}

/// Listed objects by their new paths. What is listed at the very place of the directory, as tools make to mark it, has no path.
fn moved(
    pages: Pin<Box<dyn Stream<Item = Result<Page>> + Send>>,
    uri: &str,
    destination: &PathPrefix,
    found: Arc<AtomicU64>,
) -> impl Stream<Item = Result<Record>> + Send + use<> {
    let cut = uri.rfind('/').map_or(0, |at| at + 1);
    let destination = destination.as_str().to_owned();
    pages
        .map_ok(move |page| {
            let mut records = Vec::with_capacity(page.len());
            for object in page.into_iter().filter(|object| object.address.len() > cut) {
                records.push(record(format!("{destination}{}", &object.address[cut..]), object));
            }
            found.fetch_add(records.len() as u64, Ordering::Relaxed);
            stream::iter(records)
        })
        .try_flatten()
}

fn record(path: String, object: Importable) -> Result<Record> {
    let in_source = |error: Error| {
        let message = format!("'{}' cannot be imported: {}", object.address, error.message());
        Error::new(error.code(), object.address.clone(), message)
    };
    let path = ObjectPath::new(path).map_err(in_source)?;
    let entry = Entry {
        address: object.address.clone(),
        address_type: AddressType::Full,
        size: object.size,
        checksum: object.etag.clone(),
        content_type: object.content_type.clone(),
        metadata: std::collections::BTreeMap::new(),
        mtime: object.mtime,
    };
    entry.check(path.as_str()).map_err(in_source)?;
    Ok(Record { key: Bytes::copy_from_slice(path.as_bytes()), value: Value::of(&entry) })
}

/// The first record of a stream that is being merged.
struct Head {
    record: Record,
    number: usize,
    rest: Records,
}

/// Orders heads by path; of one path, the latest source first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank(Bytes, Reverse<usize>);

impl Head {
    fn rank(&self) -> Rank {
        Rank(self.record.key.clone(), Reverse(self.number))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// Merges ordered streams; of equal paths the one of the greatest number stays.
fn merged(streams: Vec<(usize, Records)>) -> impl Stream<Item = Result<Record>> + Send {
    async_stream::try_stream! {
        let mut heads = BinaryHeap::new();
        for (number, mut rest) in streams {
            if let Some(record) = rest.next().await {
                heads.push(Reverse(Head { record: record?, number, rest }));
            }
        }
        let mut last: Option<Bytes> = None;
        while let Some(Reverse(Head { record, number, mut rest })) = heads.pop() {
            if let Some(next) = rest.next().await {
                let next = next?;
                in_order(&record.key, &next.key)?;
                heads.push(Reverse(Head { record: next, number, rest }));
            }
            if last.as_ref() != Some(&record.key) {
                last = Some(record.key.clone());
                yield record;
            }
        }
    }
}

/// Refuses a listing out of order: a tree of it would be wrong.
fn in_order(before: &Bytes, after: &Bytes) -> Result<()> {
    if before < after {
        return Ok(());
    }
    let path = String::from_utf8_lossy(after).into_owned();
    let message = format!("the object store lists '{path}' out of order");
    Err(Error::new(Code::Internal, path, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(path: &str) -> ImportSource {
        ImportSource::Object { uri: "s3://b/o".into(), destination: ObjectPath::new(path).unwrap() }
    }

    fn directory(path: &str) -> ImportSource {
        ImportSource::Prefix { uri: "s3://b/p/".into(), destination: PathPrefix::new(path).unwrap() }
    }

    #[test]
    fn directories_in_others_and_objects_in_directories_have_no_place_of_their_own() {
        let places =
            Places::of(&[object("z"), directory("b/"), object("b/x"), directory("b/c/"), directory("a/")]);
        let replaced: Vec<&str> = places.replaced.iter().map(PathPrefix::as_str).collect();
        assert_eq!((replaced, places.beside), (vec!["a/", "b/"], vec![Bytes::from("z")]));
        let all = Places::of(&[directory("b/"), directory(""), object("z")]);
        assert_eq!((all.replaced.len(), all.beside.len()), (1, 0));
    }
}
