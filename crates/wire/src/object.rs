//! Objects, and the requests that read, list and delete them.

use std::collections::BTreeMap;

use braid_types::{
    AddressType, BranchName, Code, Entry, Error, ObjectPath, PathPrefix, RefExpression, RepositoryName,
};

use crate::field::{Field, conversions, in_field, message, required};
use crate::page::{batch, page};
use crate::proto;

/// An entry at its path. On the wire its address is always a whole URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where it is in the repository.
    pub path: ObjectPath,
    /// What is there; its address type is [`AddressType::Full`].
    pub entry: Entry,
    /// Which version of the object it is, as [`Entry::generation`] tells of the entry that is kept: that one's address may be
    /// relative.
    pub generation: u64,
}

impl Object {
    /// The object that a tree or a staging area of a repository holds as `entry`: an address that is relative to the
    /// repository's storage `namespace` is made whole.
    pub fn resolved(path: ObjectPath, entry: Entry, namespace: &str) -> Self {
        let generation = entry.generation();
        let whole = match entry.address_type {
            AddressType::Full => true,
            AddressType::Relative => false,
            AddressType::ByPrefix => entry.address.contains("://"),
        };
        let address = match whole {
            true => entry.address,
            false => format!("{}/{}", namespace.trim_end_matches('/'), entry.address),
        };
        Self { path, entry: Entry { address, address_type: AddressType::Full, ..entry }, generation }
    }
}

/// One item of a listing with a delimiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListItem {
    /// An object.
    Object(Object),
    /// What several paths begin with, up to and with the delimiter.
    CommonPrefix(PathPrefix),
}

/// Asks for one object's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatObject {
    /// Where.
    pub repository: RepositoryName,
    /// At which state.
    pub reference: RefExpression,
    /// Its path.
    pub path: ObjectPath,
}

/// Asks for a page of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListObjects {
    /// Where.
    pub repository: RepositoryName,
    /// At which state.
    pub reference: RefExpression,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// What to roll paths up at.
    pub delimiter: Option<String>,
    /// Only paths after it.
    pub after: Option<PathPrefix>,
    /// Most items on the page.
    pub page_size: Option<u32>,
    /// What the page before gave; none for the first page.
    pub page_token: Option<String>,
}

/// Asks for all objects, from one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamObjects {
    /// Where.
    pub repository: RepositoryName,
    /// At which state.
    pub reference: RefExpression,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// What to roll paths up at.
    pub delimiter: Option<String>,
    /// Only paths after it.
    pub after: Option<PathPrefix>,
}

/// Makes a path show what another one shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyObject {
    /// Where.
    pub repository: RepositoryName,
    /// At which state to look for the source.
    pub reference: RefExpression,
    /// The source's path.
    pub source: ObjectPath,
    /// On which branch to show it.
    pub branch: BranchName,
    /// At which path, of at most 1,024 bytes.
    pub path: ObjectPath,
    /// What the copy has in place of the source's own keys and values.
    pub metadata: Option<ObjectMetadata>,
    /// Refuse if there is an object at the path.
    pub if_absent: bool,
    /// Refuse unless the object at the path has this checksum.
    pub if_etag: Option<String>,
    /// Refuse unless the object at the path has this generation; 0: if there is an object.
    pub if_generation: Option<u64>,
}

/// The user's own keys and values of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectMetadata {
    /// The values by their keys.
    pub entries: BTreeMap<String, String>,
}

/// Replaces the user's own keys and values of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetObjectMetadata {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// Its path.
    pub path: ObjectPath,
    /// What it is to have.
    pub metadata: BTreeMap<String, String>,
}

/// Deletes one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteObject {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// Its path.
    pub path: ObjectPath,
    /// Refuse unless the object has this checksum.
    pub if_etag: Option<String>,
    /// Refuse unless the object has this generation; 0: if there is an object.
    pub if_generation: Option<u64>,
}

/// Deletes several objects in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteObjects {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// Their paths.
    pub paths: Vec<ObjectPath>,
}

message!(StatObject = StatObjectRequest { repository, reference, path });
message!(
    ListObjects =
        ListObjectsRequest { repository, reference, prefix, delimiter, after, page_size, page_token }
);
message!(StreamObjects = StreamObjectsRequest { repository, reference, prefix, delimiter, after });
message!(
    CopyObject =
        CopyObjectRequest {
            repository,
            reference,
            source,
            branch,
            path: new_path,
            metadata: optional,
            if_absent,
            if_etag,
            if_generation,
        } mutation
);
message!(ObjectMetadata = ObjectMetadata { entries });
message!(SetObjectMetadata = SetObjectMetadataRequest { repository, branch, path, metadata } mutation);
message!(DeleteObject = DeleteObjectRequest { repository, branch, path, if_etag, if_generation } mutation);
message!(DeleteObjects = DeleteObjectsRequest { repository, branch, paths } mutation);
page!(ListItem = ListObjectsResponse.items);
batch!(ListItem = StreamObjectsResponse.items);
batch!(bool = DeleteObjectsResponse.existed);
conversions!(Object = Object);
conversions!(ListItem = ListItem);

impl Field for Object {
    type Wire = proto::Object;

    fn read(wire: proto::Object) -> Result<Self, Error> {
        let path = in_field("path", Field::read(wire.path))?;
        let entry = Entry {
            address: wire.physical_address,
            address_type: AddressType::Full,
            size: wire.size,
            checksum: wire.checksum,
            content_type: wire.content_type,
            metadata: wire.metadata,
            mtime: in_field("mtime", required(wire.mtime))?,
        };
        Ok(Self { path, entry, generation: wire.generation })
    }

    fn write(self) -> proto::Object {
        proto::Object {
            path: self.path.write(),
            physical_address: self.entry.address,
            size: self.entry.size,
            checksum: self.entry.checksum,
            content_type: self.entry.content_type,
            metadata: self.entry.metadata,
            mtime: Some(self.entry.mtime.write()),
            generation: self.generation,
        }
    }
}

impl Field for ListItem {
    type Wire = proto::ListItem;

    fn read(wire: proto::ListItem) -> Result<Self, Error> {
        use proto::list_item::Item;
        match wire.item {
            Some(Item::Object(object)) => in_field("object", Field::read(object)).map(Self::Object),
            Some(Item::CommonPrefix(prefix)) => {
                in_field("common_prefix", Field::read(prefix)).map(Self::CommonPrefix)
            }
            None => Err(Error::new(
                Code::InvalidArgument,
                "item",
                "item: one of 'object' and 'common_prefix' must be given",
            )),
        }
    }

    fn write(self) -> proto::ListItem {
        use proto::list_item::Item;
        let item = match self {
            Self::Object(object) => Item::Object(object.write()),
            Self::CommonPrefix(prefix) => Item::CommonPrefix(prefix.write()),
        };
        proto::ListItem { item: Some(item) }
    }
}
