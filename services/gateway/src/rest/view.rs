//! Answers as lakeFS's clients read them: strict about types, and about fields that must be there.

mod object;

pub(crate) use object::{ObjectStats, Shown};
