//! Links to objects that nobody uploaded here: a path gets one that is in a bucket already, where it is.
//!
//! It is an import of one object, whose checksum is the caller's word: that of an object which was put in parts is a hash of hashes,
//! and callers may have a better one.

use braid_catalog::{ImportSource, Mutation, StagedOperation};
use braid_types::{AddressType, Code, Entry, Error};
use braid_wire::{LinkObject, Object};

use crate::service::Core;
use crate::uploads::{mismatch, staged, write_condition};

impl Core {
    /// Stages an object of another bucket, or of another part of the repository's.
    pub(crate) async fn link_object(&self, asked: LinkObject, mutation: &Mutation) -> Result<Object, Error> {
        let record = self.writable(&asked.repository).await?;
        let (path, uri) = (asked.path, asked.physical_address);
        let condition = write_condition(&path, asked.if_absent, asked.if_etag.as_deref(), None)?;
        let source = ImportSource::Object { uri: uri.clone(), destination: path.clone() };
        self.imports.store().check(&record.storage_namespace, &source)?;
        let found = match self.imports.store().find(&uri).await {
            Ok(found) => found,
            Err(error) if error.code() == Code::DataNotFound => {
                return Err(mismatch(path.as_str(), &format!("there is no object '{uri}'")));
            }
            Err(error) => return Err(error),
        };
        if found.size != asked.size {
            let reason = format!("'{uri}' has {} bytes, the link says {}", found.size, asked.size);
            return Err(mismatch(path.as_str(), &reason));
        }
        let entry = Entry {
            address: found.address,
            address_type: AddressType::Full,
            size: found.size,
            checksum: asked.checksum,
            content_type: asked.content_type,
            metadata: asked.metadata,
            mtime: asked.mtime.unwrap_or(found.mtime),
        };
        entry.check(path.as_str())?;
        let operation = StagedOperation::Put { path, entry, condition };
        self.catalog.stage_in(&record, &asked.branch, std::slice::from_ref(&operation), mutation).await?;
        Ok(staged(operation, &record.storage_namespace).expect("a put stages an object"))
    }
}
