//! Versioned trees: lookup, scan, diff, merge and fold over ranges and metaranges.

mod changes;
mod cursor;
mod diff;
mod error;
mod fold;
mod format;
mod keys;
mod list;
mod lookup;
mod merge;
mod metarange;
mod pending;
mod port;
mod range_builder;
mod range_file;
mod record;
mod stored_entry;
pub mod testing;
#[cfg(test)]
mod tests;
mod three_way;
mod value;
mod walk;

pub use braid_sstable::Table;
pub use cursor::{Cursor, TreeCursor};
pub use diff::{Diff, Difference, DifferenceKind};
pub use error::{FileId, TreeError};
pub use fold::{Folded, Summary, build, fold};
pub use format::TreeFormat;
pub use keys::{key_after, prefix_end};
pub use list::{ListPage, ListQuery, Listed, list_page};
pub use lookup::lookup;
pub use merge::{Conflict, Merge, MergeResult, Side, Strategy, merge};
pub use metarange::{Metarange, RangeDescriptor};
pub use pending::Pending;
pub use port::{RangeStore, TreeId, open_tree};
pub use range_file::{open_range, verify_range};
pub use record::{Change, Record};
pub use three_way::{MergeStep, Outcome, ThreeWay};
pub use value::{MAX_PART_BYTES, Value, ValueError};
