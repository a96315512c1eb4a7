//! What the catalog keeps in the key-value store: one file a record kind.
//!
//! Every key is `table tag | fields`, so that byte order is the order of the fields, and every value starts with a
//! format byte. Keys are built and parsed, and values encoded and decoded, only in the kind's own file.
//!
//! | tag | record | file |
//! |---|---|---|
//! | `b` | branch, with its layers | [`branch`], [`layer`] |
//! | `c` | commit | [`commit`] |
//! | `f` | the fence of a repository's state | [`repository`] |
//! | `i` | staging token, or whole repository, to clean up; a restore under way | [`dropped`] |
//! | `j` | import of objects | [`import`] |
//! | `l` | lease of a background task | [`lease`] |
//! | `m` | upload in parts that is under way | [`upload`] |
//! | `n` | storage namespace taken by a repository | [`repository`] |
//! | `o` | what was set of a repository | [`setting`] |
//! | `p` | change log of the staged entries of tokens that are gone | [`moved_change`] |
//! | `q` | stored result of a request | [`request`] |
//! | `r` | repository | [`repository`] |
//! | `s` | what is under a staging token: fence (`0`) and staged entries (`1`) | [`staged`] |
//! | `s` | change log of the staged entries (`2`) | [`path_change`] |
//! | `t` | tag | [`tag`] |
//! | `u` | pull request | [`pull`] |
//! | `w` | change log of a repository's refs | [`ref_change`] |

pub(crate) mod branch;
pub(crate) mod commit;
pub(crate) mod dropped;
pub(crate) mod import;
mod key;
mod layer;
pub(crate) mod lease;
pub(crate) mod moved_change;
pub(crate) mod path_change;
pub(crate) mod pull;
pub(crate) mod ref_change;
pub(crate) mod repository;
pub(crate) mod request;
pub(crate) mod setting;
pub(crate) mod staged;
pub(crate) mod tag;
#[cfg(test)]
mod tests;
pub(crate) mod upload;
mod value;
mod who;

pub use branch::{BranchRecord, OpenLayer};
pub use import::{ImportCommit, ImportRecord, ImportSource, ImportState};
pub use layer::{Layer, SealedLayer};
pub use pull::{PullRecord, PullState};
pub use repository::{RepositoryRecord, RepositoryState};
pub use upload::{CompletedUpload, UploadPlace, UploadRecord};
