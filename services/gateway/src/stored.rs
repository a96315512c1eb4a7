//! The data of an object: to be read, or copied to another place.

use std::io;
use std::ops::Range;

use braid_client::Object;
use braid_objects::{ByteRange, ByteStream, ObjectError, PartPlace, PutResult, Source, Stores};
use braid_types::Error;
use bytes::Bytes;
use futures::TryStreamExt;

use crate::data::Place;

/// The largest object that S3 copies by one request, in bytes.
const MOST_IN_ONE_COPY: u64 = 5 << 30;

/// Data that an object has.
#[derive(Debug)]
pub(crate) struct Stored {
    place: Place,
    size: u64,
}

impl Stored {
    /// The data of `object`.
    pub(crate) fn of(stores: &dyn Stores, object: &Object) -> Result<Self, Error> {
        Ok(Self { place: Place::at(stores, &object.entry.address)?, size: object.entry.size })
    }

    /// Reads it, or a range within it, piece by piece.
    ///
    /// # Errors
    /// [`ObjectError::Damaged`] if the object store holds more or less than the object has.
    pub(crate) async fn read(
        &self,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream<ObjectError>, ObjectError> {
        // The store has no range of an empty object, and may have none at all: nothing need be asked.
        if self.size == 0 {
            return Ok(ByteStream::from(Bytes::new()));
        }
        let reading = self.place.store.read(&self.place.key, range.map(ByteRange::from)).await?;
        if reading.meta.size == self.size {
            return Ok(reading.body);
        }
        let reason = format!("it holds {} bytes, and {} were stored", reading.meta.size, self.size);
        Err(ObjectError::Damaged { key: self.place.key.clone(), offset: None, reason })
    }

    /// Copies it to `to`: by the object store itself, where both places are its own and it does so by one request.
    pub(crate) async fn copy(
        &self,
        to: &Place,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        if self.place.is_beside(to) && self.size <= MOST_IN_ONE_COPY {
            return to.store.copy(&self.place.key, &to.key).await;
        }
        to.store.write(&to.key, self.source(None).await?, content_type).await
    }

    /// Copies it, or a range within it, into a part of an upload to `to`: by the object store itself, where both places are
    /// its own.
    pub(crate) async fn copy_to_part(
        &self,
        range: Option<Range<u64>>,
        to: &Place,
        part: PartPlace<'_>,
    ) -> Result<PutResult, ObjectError> {
        if self.place.is_beside(to) && self.size > 0 {
            return to.store.copy_part(part, &self.place.key, range.map(ByteRange::from)).await;
        }
        to.store.put_part(part, self.source(range).await?).await
    }

    async fn source(&self, range: Option<Range<u64>>) -> Result<Source, ObjectError> {
        let length = range.as_ref().map_or(self.size, |range| range.end - range.start);
        let body = self.read(range).await?;
        Ok(Source::new(body.map_err(|error| io::Error::other(error.to_string())), Some(length)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use braid_objects::{MemoryStore, PutOptions, SingleStore};
    use braid_types::SystemClock;
    use futures::StreamExt;

    use super::*;

    /// Data in one bucket, of an object that is to have `size` bytes, and a place in another.
    async fn stored(data: &str, size: u64) -> (Stored, Place) {
        let stores = SingleStore::new(Arc::new(MemoryStore::new(Arc::new(SystemClock))));
        let place = |address: &str| Place::at(&stores, address).unwrap();
        let (place, other) = (place("s3://one/from"), place("s3://two/to"));
        place.store.put(&place.key, data.to_owned().into(), PutOptions::default()).await.unwrap();
        (Stored { place, size }, other)
    }

    #[tokio::test]
    async fn a_part_is_copied_from_another_store_through_here() {
        let (stored, to) = stored("0123456789", 10).await;
        let upload = to.store.start_upload("to", None).await.unwrap();
        for (number, range) in [(1, Some(2..5)), (2, None)] {
            let part = PartPlace { key: "to", upload: &upload, number };
            stored.copy_to_part(range, &to, part).await.unwrap();
        }
        let parts = to.store.list_parts("to", &upload, 0, 10).await.unwrap().parts;
        assert_eq!(parts.iter().map(|part| part.size).collect::<Vec<_>>(), [3, 10]);
        stored.copy(&to, None).await.unwrap();
        assert_eq!(to.store.get("to", None).await.unwrap(), "0123456789");
    }

    #[tokio::test]
    async fn data_that_is_not_what_was_stored_is_not_given_out() {
        let (stored, _) = stored("0123456789", 11).await;
        assert!(matches!(stored.read(None).await, Err(ObjectError::Damaged { .. })));
    }

    #[tokio::test]
    async fn nothing_is_asked_for_the_data_of_an_empty_object() {
        let (mut stored, _) = stored("", 0).await;
        stored.place.key = "none".to_owned();
        assert_eq!(stored.read(None).await.unwrap().next().await.unwrap().unwrap(), "");
    }
}
