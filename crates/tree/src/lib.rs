//! Versioned trees: lookup, scan, diff, merge and fold over ranges and metaranges.

mod cursor;
mod diff;
mod error;
mod fold;
mod format;
mod list;
mod lookup;
mod merge;
mod metarange;
mod pending;
mod port;
mod range_file;
mod record;
mod stored_entry;
mod three_way;
mod value;

pub use braid_sstable::Table;
pub use cursor::{Cursor, TreeCursor};
pub use diff::{Diff, Difference, DifferenceKind};
pub use error::{FileId, TreeError};
pub use fold::{Folded, Summary, build, fold};
pub use format::TreeFormat;
pub use list::{ListPage, ListQuery, Listed, list_page, prefix_end};
pub use lookup::lookup;
pub use merge::{Conflict, Merge, MergeResult, Side, Strategy, merge};
pub use metarange::{Metarange, RangeDescriptor};
pub use pending::Pending;
pub use port::{RangeStore, TreeId, open_tree};
pub use range_file::{open_range, verify_range};
pub use record::{Change, Record};
pub use three_way::{MergeStep, Outcome, ThreeWay};
pub use value::{MAX_PART_BYTES, Value, ValueError};
