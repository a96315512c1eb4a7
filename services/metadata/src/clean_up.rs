//! Background tasks: every node comes round to them now and then, and of all nodes one does each, under a lease. Each import that nobody
//! does any more is a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::imports;
use crate::service::Core;

/// How long letting go of leases may hold up a shutdown.
const RELEASE: Duration = Duration::from_secs(2);

/// A background task.
#[derive(Clone, Copy)]
enum Task {
    CleanUp,
    Garbage,
    Imports,
}

impl Task {
    fn interval(self, core: &Core) -> Duration {
        match self {
            Self::CleanUp => core.settings.clean_up_interval,
            Self::Garbage => core.settings.garbage_interval,
            Self::Imports => core.settings.import_interval,
        }
    }

    async fn run(self, core: &Core) {
        match self {
            Self::CleanUp => clean_up(core).await,
            Self::Garbage => collect_garbage(core).await,
            Self::Imports => imports::take_over(core).await,
        }
    }
}

/// Does what is due every so often until `stop`, then leaves it to the other nodes.
pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let each = [Task::CleanUp, Task::Garbage, Task::Imports];
    futures::future::join_all(each.map(|task| every(&core, task, &stop))).await;
    match tokio::time::timeout(RELEASE, core.catalog.release_leases()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "leases are left to end by themselves"),
        Err(_) => tracing::debug!("leases are left to end by themselves"),
    }
}

async fn every(core: &Core, task: Task, stop: &CancellationToken) {
    loop {
        let pause = jittered(task.interval(core), u16::from_be_bytes(core.random.bytes()));
        let tick = async {
            tokio::time::sleep(pause).await;
            task.run(core).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tick => {}
        }
    }
}

async fn clean_up(core: &Core) {
    match core.catalog.clean_up().await {
        Ok(Some(report)) => tracing::debug!(?report, "cleaned up"),
        Ok(None) => tracing::trace!("another node cleans up"),
        Err(error) => tracing::warn!(%error, "the clean-up failed; the next run goes on where it stopped"),
    }
    match core.end_old_multiparts().await {
        Ok(uploads) => tracing::debug!(uploads, "old uploads in parts were ended"),
        Err(error) => tracing::warn!(%error, "old uploads in parts were not ended; the next run tries again"),
    }
}

async fn collect_garbage(core: &Core) {
    match core.catalog.collect_garbage().await {
        Ok(true) => tracing::debug!("old states were let go"),
        Ok(false) => tracing::trace!("another node lets old states go"),
        Err(error) => tracing::warn!(%error, "old states could not be let go; the next run tries again"),
    }
}

/// From three quarters to five quarters of `interval`, so that nodes do not run in step.
fn jittered(interval: Duration, chance: u16) -> Duration {
    interval.mul_f64(0.75 + 0.5 * f64::from(chance) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use braid_catalog::{CreateRepository, Mutation};
    use braid_kv::{KeyRange, Kv, ScanOptions};
    use braid_types::{BranchName, RepositoryName, RequestId};

    use super::*;
    use crate::tests::{Installation, metadata};
    use crate::{Metadata, Settings};

    async fn commits(kv: &dyn Kv) -> usize {
        let snapshot = kv.snapshot().await.unwrap();
        snapshot.scan(&KeyRange::prefix(b"c"), ScanOptions::first(10)).await.unwrap().len()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_deleted_goes_within_two_minutes() {
        let installation = Installation::new();
        let Metadata { core, .. } = metadata(&installation, Settings::default()).await;
        let name = RepositoryName::new("lake").unwrap();
        let create = CreateRepository {
            name: name.clone(),
            storage_namespace: "s3://lake".to_owned(),
            default_branch: BranchName::new("main").unwrap(),
        };
        let by = |id: &str| Mutation { principal: "ada".to_owned(), request: RequestId::new(id).unwrap() };
        core.catalog.create_repository(create, &by("r1")).await.unwrap();
        core.catalog.delete_repository(&name, &by("r2")).await.unwrap();
        assert_eq!(commits(&*installation.kv).await, 1);
        let stop = CancellationToken::new();
        let cleaning = tokio::spawn(run(core, stop.clone()));
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(commits(&*installation.kv).await, 0);
        stop.cancel();
        cleaning.await.unwrap();
    }

    #[test]
    fn pauses_spread_around_the_interval() {
        let minute = Duration::from_secs(60);
        assert_eq!(jittered(minute, 0), Duration::from_secs(45));
        assert_eq!(jittered(minute, u16::MAX), Duration::from_secs(75));
    }
}
