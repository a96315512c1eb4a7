//! Operations and preconditions on several branches, in one transaction.

use braid_types::{BranchName, Code, Error, ObjectPath, RefExpression, RepositoryName};

use crate::field::{Field, in_field, message};
use crate::page::batch;
use crate::{Link, Object, ObjectMetadata, proto};

/// Does all of it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    /// What must hold before anything is done.
    pub preconditions: Vec<Precondition>,
    /// What to do, in order.
    pub operations: Vec<ApplyOperation>,
}

/// What must hold of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// Of which path.
    pub path: ObjectPath,
    /// What.
    pub rule: Rule,
}

/// What can be demanded of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// There is no object.
    Absent,
    /// There is an object with this checksum.
    Etag(String),
    /// There is an object of this generation; 0: there is none.
    Generation(u64),
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOperation {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// What.
    pub operation: Operation,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Stage an upload.
    Put(Link),
    /// Delete an object.
    Delete(Removal),
    /// Make a path show what another one shows.
    Copy(Copy),
}

/// An object to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its path.
    pub path: ObjectPath,
    /// Refuse unless the object has this checksum.
    pub if_etag: Option<String>,
    /// Refuse unless the object has this generation; 0: if there is an object.
    pub if_generation: Option<u64>,
}

/// A path that is to show what another one of the repository shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// At which state to look for the source; a bare branch name is the branch with its uncommitted changes, those of the
    /// operations before among them. None: the branch of the copy.
    pub reference: Option<RefExpression>,
    /// The source's path.
    pub source: ObjectPath,
    /// The path of the copy, of at most 1,024 bytes.
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

/// What came of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyResult {
    /// The object that was put, or that a path shows as a copy.
    Put(Object),
    /// Whether there was an object to delete.
    Deleted(bool),
}

message!(Apply = ApplyRequest { preconditions, operations } mutation);
message!(Removal = Removal { path, if_etag, if_generation });
message!(
    Copy = Copy { reference, source, path: new_path, metadata: optional, if_absent, if_etag, if_generation }
);
batch!(ApplyResult = ApplyResponse.results);

impl Field for Precondition {
    type Wire = proto::Precondition;

    fn read(wire: proto::Precondition) -> Result<Self, Error> {
        use proto::precondition::Rule as Wire;
        let rule = match wire.rule {
            Some(Wire::Absent(true)) => Rule::Absent,
            Some(Wire::Absent(false)) => {
                return Err(invalid("absent", "absent: it must be true where it is given"));
            }
            Some(Wire::Etag(etag)) if etag.is_empty() => {
                return Err(invalid("etag", "etag: it must not be empty"));
            }
            Some(Wire::Etag(etag)) => Rule::Etag(etag),
            Some(Wire::Generation(generation)) => Rule::Generation(generation),
            None => {
                let message = "rule: one of 'absent', 'etag' and 'generation' must be given";
                return Err(invalid("rule", message));
            }
        };
        Ok(Self {
            repository: in_field("repository", Field::read(wire.repository))?,
            branch: in_field("branch", Field::read(wire.branch))?,
            path: in_field("path", Field::read(wire.path))?,
            rule,
        })
    }

    fn write(self) -> proto::Precondition {
        use proto::precondition::Rule as Wire;
        let rule = match self.rule {
            Rule::Absent => Wire::Absent(true),
            Rule::Etag(etag) => Wire::Etag(etag),
            Rule::Generation(generation) => Wire::Generation(generation),
        };
        proto::Precondition {
            repository: self.repository.write(),
            branch: self.branch.write(),
            path: self.path.write(),
            rule: Some(rule),
        }
    }
}

impl Field for ApplyOperation {
    type Wire = proto::ApplyOperation;

    fn read(wire: proto::ApplyOperation) -> Result<Self, Error> {
        use proto::apply_operation::Operation as Wire;
        let operation = match wire.operation {
            Some(Wire::Put(link)) => in_field("put", Field::read(link)).map(Operation::Put)?,
            Some(Wire::Delete(removal)) => in_field("delete", Field::read(removal)).map(Operation::Delete)?,
            Some(Wire::Copy(copy)) => in_field("copy", Field::read(copy)).map(Operation::Copy)?,
            None => {
                let message = "operation: one of 'put', 'delete' and 'copy' must be given";
                return Err(invalid("operation", message));
            }
        };
        Ok(Self {
            repository: in_field("repository", Field::read(wire.repository))?,
            branch: in_field("branch", Field::read(wire.branch))?,
            operation,
        })
    }

    fn write(self) -> proto::ApplyOperation {
        use proto::apply_operation::Operation as Wire;
        let operation = match self.operation {
            Operation::Put(link) => Wire::Put(link.write()),
            Operation::Delete(removal) => Wire::Delete(removal.write()),
            Operation::Copy(copy) => Wire::Copy(copy.write()),
        };
        proto::ApplyOperation {
            repository: self.repository.write(),
            branch: self.branch.write(),
            operation: Some(operation),
        }
    }
}

impl Field for ApplyResult {
    type Wire = proto::ApplyResult;

    fn read(wire: proto::ApplyResult) -> Result<Self, Error> {
        use proto::apply_result::Result as Wire;
        match wire.result {
            Some(Wire::Object(object)) => in_field("object", Field::read(object)).map(Self::Put),
            Some(Wire::Existed(existed)) => Ok(Self::Deleted(existed)),
            None => Err(invalid("result", "result: one of 'object' and 'existed' must be given")),
        }
    }

    fn write(self) -> proto::ApplyResult {
        use proto::apply_result::Result as Wire;
        let result = match self {
            Self::Put(object) => Wire::Object(object.write()),
            Self::Deleted(existed) => Wire::Existed(existed),
        };
        proto::ApplyResult { result: Some(result) }
    }
}

fn invalid(field: &str, message: &str) -> Error {
    Error::new(Code::InvalidArgument, field, message)
}
