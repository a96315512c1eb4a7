use std::sync::Arc;

use futures::executor::block_on;
use futures::stream;
use proptest::prelude::*;

use super::support::*;
use crate::{Change, Diff, Pending, Pool, TreeError};

proptest! {
    #[test]
    fn pending_changes_are_the_diff_to_the_folded_tree(format in formats(), base in models(), edits in edits()) {
        let stored = Stored::new();
        let tree = stored.build(&format, &base);
        let folded = stored.fold(&format, tree, &edits).tree;
        let changes = stream::iter(changes(&edits).map(Ok));
        let pending = drain!(Pending::new(Arc::clone(&stored.store), tree, changes));
        prop_assert_eq!(pending, drain!(Diff::new(Arc::clone(&stored.store), &Pool::inline(), tree, folded)));
    }
}

#[test]
fn pending_changes_out_of_order_are_refused() {
    let stored = Stored::new();
    let changes = stream::iter([Ok(Change::delete("b")), Ok(Change::delete("a"))]);
    let mut pending = Pending::new(Arc::clone(&stored.store), None, changes);
    assert!(matches!(block_on(pending.next()), Err(TreeError::Unordered { .. })));
}
