//! Dumps of references: the manifest beside them, and the catalog's words in the contract's.

use braid_catalog::{CreateOver, DumpEvent, RefsManifest, RefsProgress, RestoreEvent, RestoreRequest};
use braid_types::{Code, Error, MetarangeId, Result};
use braid_wire as wire;
use serde::{Deserialize, Serialize};

use crate::convert;
use crate::namespaces::{canonical, parse};

/// Where lakeFS keeps the manifest of the newest dump in a storage namespace.
pub(crate) const MANIFEST: &str = "_lakefs/refs_manifest.json";

/// A manifest longer than this is none, in bytes.
pub(crate) const MANIFEST_BYTES: usize = 64 << 10;

/// lakeFS's manifest, in the order of its fields.
#[derive(Serialize, Deserialize)]
struct StoredManifest {
    commits_meta_range_id: String,
    tags_meta_range_id: String,
    branches_meta_range_id: String,
}

/// The manifest's file.
pub(crate) fn encode_manifest(manifest: &RefsManifest) -> Vec<u8> {
    let stored = StoredManifest {
        commits_meta_range_id: manifest.commits.to_hex(),
        tags_meta_range_id: manifest.tags.to_hex(),
        branches_meta_range_id: manifest.branches.to_hex(),
    };
    serde_json::to_vec_pretty(&stored).expect("three strings can be written as JSON")
}

/// The manifest in a file of a namespace.
///
/// # Errors
/// [`Code::Corrupt`].
pub(crate) fn decode_manifest(namespace: &str, file: &[u8]) -> Result<RefsManifest> {
    let corrupt = |what: &str| {
        let uri = manifest_uri(namespace);
        let message = format!("manifest '{uri}' of a dump of references cannot be read: {what}");
        Error::new(Code::Corrupt, uri, message)
    };
    if file.len() > MANIFEST_BYTES {
        return Err(corrupt(&format!("it has {} bytes", file.len())));
    }
    let stored: StoredManifest = serde_json::from_slice(file).map_err(|error| corrupt(&error.to_string()))?;
    let id = |id: String| id.parse::<MetarangeId>().map_err(|error| corrupt(error.message()));
    Ok(RefsManifest {
        commits: id(stored.commits_meta_range_id)?,
        branches: id(stored.branches_meta_range_id)?,
        tags: id(stored.tags_meta_range_id)?,
    })
}

/// Where the manifest of a namespace is: a whole URI.
fn manifest_uri(namespace: &str) -> String {
    format!("{}/{MANIFEST}", namespace.trim_end_matches('/'))
}

/// What is asked for, if it can be.
///
/// # Errors
/// [`Code::InvalidArgument`].
pub(crate) fn restore_request(asked: wire::RestoreRefs) -> Result<RestoreRequest> {
    let create = match asked.storage_namespace {
        Some(namespace) => Some(CreateOver {
            storage_namespace: canonical(&parse(&namespace)?),
            default_branch: asked.default_branch,
            take_over: asked.take_over,
        }),
        None if asked.default_branch.is_some() || asked.take_over => {
            let message = "default_branch and take_over are for a repository that is made: storage_namespace must be given";
            return Err(Error::new(Code::InvalidArgument, "storage_namespace", message));
        }
        None => None,
    };
    let manifest = asked.manifest.map(|manifest| RefsManifest {
        commits: manifest.commits_meta_range_id,
        branches: manifest.branches_meta_range_id,
        tags: manifest.tags_meta_range_id,
    });
    Ok(RestoreRequest { repository: asked.repository, manifest, create })
}

/// What a dump into this namespace says.
pub(crate) fn dump_event(event: DumpEvent, namespace: &str) -> wire::DumpEvent {
    match event {
        DumpEvent::Progress(counts) => wire::DumpEvent::Progress(progress(counts)),
        DumpEvent::Done(dumped) => wire::DumpEvent::Done(wire::DumpedRefs {
            manifest: wire::RefsManifest {
                commits_meta_range_id: dumped.manifest.commits,
                branches_meta_range_id: dumped.manifest.branches,
                tags_meta_range_id: dumped.manifest.tags,
            },
            manifest_uri: manifest_uri(namespace),
            commits: dumped.counts.commits,
            branches: dumped.counts.branches,
            tags: dumped.counts.tags,
            uncommitted: dumped.uncommitted,
            uncommitted_branches: dumped.uncommitted_branches,
        }),
    }
}

/// What a restore says.
pub(crate) fn restore_event(event: RestoreEvent) -> wire::RestoreEvent {
    match event {
        RestoreEvent::Progress(counts) => wire::RestoreEvent::Progress(progress(counts)),
        RestoreEvent::Done(restored) => wire::RestoreEvent::Done(wire::RestoredRefs {
            repository: convert::repository(restored.repository),
            commits: restored.counts.commits,
            branches: restored.counts.branches,
            tags: restored.counts.tags,
        }),
    }
}

fn progress(counts: RefsProgress) -> wire::RefsProgress {
    let RefsProgress { commits, commits_total, branches, tags, checked } = counts;
    wire::RefsProgress { commits, commits_total, branches, tags, checked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_that_of_lakefs() {
        let [commits, branches, tags] = [1, 2, 3].map(|byte| MetarangeId::from_bytes([byte; 32]));
        let manifest = RefsManifest { commits, branches, tags };
        let [one, two, three] = ["01", "02", "03"].map(|byte| byte.repeat(32));
        let text = format!(
            "{{\n  \"commits_meta_range_id\": \"{one}\",\n  \"tags_meta_range_id\": \"{three}\",\n  \"branches_meta_range_id\": \"{two}\"\n}}"
        );
        assert_eq!(String::from_utf8(encode_manifest(&manifest)).unwrap(), text);
        assert_eq!(decode_manifest("s3://b", text.as_bytes()).unwrap(), manifest);
        let with_more = text.replace("{\n", "{\"more\": [1],");
        assert_eq!(decode_manifest("s3://b", with_more.as_bytes()).unwrap(), manifest);
        let long = text.clone() + &" ".repeat(MANIFEST_BYTES);
        for wrong in [&text[..100], "", "[]", &text.replace("01", "0x"), &long] {
            let error = decode_manifest("s3://b/", wrong.as_bytes()).unwrap_err();
            assert_eq!((error.code(), error.subject()), (Code::Corrupt, "s3://b/_lakefs/refs_manifest.json"));
        }
    }
}
