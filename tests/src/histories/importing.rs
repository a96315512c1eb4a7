//! Imports from a bucket in which there is everything: an address says what is at it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use braid_catalog::{
    BranchAddress, Catalog, ImportCommit, ImportRequest, ImportSource, ImportState, ImportStore, Importable,
    Mutation,
};
use braid_types::{Error, ImportId, Result, Time};

use super::calls::{path_of, prefix_of};
use super::words::{Answer, IMPORTED, Source};

const BUCKET: &str = "s3://bucket/";

/// The directory of the bucket that is empty.
const EMPTY: &str = "empty";

/// How often one looks after an import that another node does.
const LOOKS: u32 = 4;

/// How long in between: of one import in four until it can be taken from a node that died.
const BETWEEN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(12)];

/// Every directory but the empty one has the same files, with its own name as their entity tag.
struct Bucket;

#[async_trait]
impl ImportStore for Bucket {
    fn check(&self, _namespace: &str, _source: &ImportSource) -> Result<()> {
        Ok(())
    }

    async fn list(&self, uri: &str, after: Option<&str>) -> Result<Vec<Importable>> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let found = IMPORTED.map(|file| format!("{}{file}", directory_of(name_in(uri))));
        let found = found.into_iter().filter(|address| address.starts_with(uri));
        let found = found.filter(|address| after.is_none_or(|after| address.as_str() > after));
        Ok(found.filter(|_| name_in(uri) != EMPTY).map(|address| importable(&address)).collect())
    }

    async fn find(&self, uri: &str) -> Result<Importable> {
        Ok(importable(uri))
    }
}

fn directory_of(name: &str) -> String {
    format!("{BUCKET}{name}/")
}

/// The directory that an address is in.
fn name_in(address: &str) -> &str {
    let inside = address.strip_prefix(BUCKET).expect("it is an address of the bucket");
    inside.split('/').next().expect("there is a first part")
}

fn importable(address: &str) -> Importable {
    Importable {
        address: address.to_owned(),
        size: 1,
        etag: name_in(address).to_owned(),
        content_type: String::new(),
        mtime: Time::from_seconds(1),
    }
}

fn source(source: &Source) -> ImportSource {
    match source {
        Source::Directory { to, value } => ImportSource::Prefix {
            uri: directory_of(value.as_deref().unwrap_or(EMPTY)),
            destination: prefix_of(to),
        },
        Source::Object { to, value } => ImportSource::Object {
            uri: format!("{}{}", directory_of(value), IMPORTED[0]),
            destination: path_of(to),
        },
    }
}

/// Imports, and says how that ended. One that another node has is looked after for a while, and then cancelled.
pub(super) async fn import(
    catalog: &Catalog,
    at: &BranchAddress,
    sources: &[Source],
    commit: bool,
    mutation: &Mutation,
) -> Result<Answer> {
    let commit = commit.then(|| ImportCommit {
        committer: "client".to_owned(),
        message: "import".to_owned(),
        metadata: Default::default(),
    });
    let sources = sources.iter().map(source).collect();
    let request = ImportRequest { branch: at.branch.clone(), sources, commit };
    let id = catalog.start_import(&at.repository, &request, &Bucket, mutation).await?;
    let is_patient = id.as_bytes()[0].is_multiple_of(4);
    for _ in 0..LOOKS {
        run(catalog, at, id).await;
        if let Some(answer) = ended(catalog, at, id).await? {
            return Ok(answer);
        }
        tokio::time::sleep(BETWEEN[usize::from(is_patient)]).await;
    }
    // One that is over cannot be cancelled; how it ended is seen next.
    let _is_over = catalog.cancel_import(&at.repository, id).await;
    ended(catalog, at, id).await?.map_or_else(|| Err(still_running(id)), Ok)
}

async fn run(catalog: &Catalog, at: &BranchAddress, id: ImportId) {
    let store: Arc<dyn ImportStore> = Arc::new(Bucket);
    // How it ended is in the import.
    let _may_fail = catalog.run_import(&at.repository, id, &store).await;
}

/// Runs the imports that nobody runs.
pub(super) async fn run_all(catalog: &Catalog) {
    let store: Arc<dyn ImportStore> = Arc::new(Bucket);
    for (repository, id) in catalog.imports_to_run().await.unwrap_or_default() {
        let _may_fail = catalog.run_import(&repository, id, &store).await;
    }
}

/// How an import has ended, if it has.
async fn ended(catalog: &Catalog, at: &BranchAddress, id: ImportId) -> Result<Option<Answer>> {
    let unknown = Error::that_may_have_happened;
    let import = catalog.import(&at.repository, id).await.map_err(unknown)?;
    Ok(match import.state {
        ImportState::Running => None,
        ImportState::Finished { .. } => Some(Answer::Done),
        ImportState::Failed(_) | ImportState::Cancelled => Some(Answer::Failed),
    })
}

fn still_running(id: ImportId) -> Error {
    let message = format!("import '{id}' goes on");
    Error::new(braid_types::Code::Unavailable, id.to_hex(), message).that_may_have_happened()
}
