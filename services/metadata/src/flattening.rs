//! The folding that every node does in the background: branches on which so much is uncommitted that reading them gets slow.
//!
//! Nothing waits for it. Several nodes may fold one branch at the same time: the first one wins, the others have worked in
//! vain.

use std::sync::Arc;
use std::time::Duration;

use braid_catalog::BranchAddress;
use tokio_util::sync::CancellationToken;

use crate::service::Core;

/// How long nothing is folded after a failure: the stores have something else to do.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Folds what this node sees, one branch after another, until `stop`.
pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let fold = async {
        loop {
            let branch = core.catalog.next_to_flatten().await;
            flatten(&core, &branch).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = fold => {}
    }
}

async fn flatten(core: &Core, at: &BranchAddress) {
    let BranchAddress { repository, branch } = at;
    match core.catalog.flatten_if_tall(repository, branch).await {
        Ok(true) => tracing::debug!(%repository, %branch, "folded without a commit"),
        Ok(false) => {}
        Err(error) => {
            tracing::warn!(%repository, %branch, %error, "folding failed; whoever uses the branch next asks for it again");
            tokio::time::sleep(AFTER_FAILURE).await;
        }
    }
}
