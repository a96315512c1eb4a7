//! Reading records, in a snapshot or in a transaction.

use std::sync::Arc;

use async_trait::async_trait;
use braid_kv::{KeyRange, KvError, ScanOptions, Snapshot, Transaction};
use bytes::Bytes;

/// Something that reads one state of the store.
#[async_trait]
pub(crate) trait Reads: Send + Sync {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError>;
    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError>;
    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError>;
}

macro_rules! reads {
    ($reader:ty) => {
        #[async_trait]
        impl Reads for $reader {
            async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
                (**self).get(key).await
            }

            async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
                (**self).get_many(keys).await
            }

            async fn scan(
                &self,
                range: &KeyRange,
                options: ScanOptions,
            ) -> Result<Vec<(Bytes, Bytes)>, KvError> {
                (**self).scan(range, options).await
            }
        }
    };
}

reads!(Arc<dyn Snapshot>);
reads!(Box<dyn Transaction>);
