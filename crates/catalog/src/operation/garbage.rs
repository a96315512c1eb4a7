//! Letting the key-value store forget old states.

use braid_types::Result;

use crate::catalog::{Catalog, finish};
use crate::lease::Task;

impl Catalog {
    /// Lets the key-value store forget the states that are older than it promises to keep, unless another node is to do
    /// that; says whether it was done here. A store in a cluster does not forget by itself.
    pub async fn collect_garbage(&self) -> Result<bool> {
        let Some(lease) = self.take_lease(Task::Garbage).await? else {
            return Ok(false);
        };
        let mut txn = self.begin().await?;
        lease.check(&mut *txn).await?;
        finish(txn, "garbage").await?.map_or(Ok(()), Err)?;
        // Two at once do no harm: what a store forgets is only ever more.
        self.parts.kv.collect_garbage().await?;
        Ok(true)
    }
}
