use std::ops::Bound;

use bytes::Bytes;
use futures::executor::block_on;
use proptest::collection::vec;
use proptest::prelude::*;

use super::support::*;
use crate::{Cursor, lookup};

/// What to do with a cursor: seek, or take so many records.
#[derive(Debug, Clone)]
enum Act {
    Seek(Bytes),
    Take(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![keys().prop_map(Act::Seek), (0_usize..20).prop_map(Act::Take)];
    vec(act, 0..30)
}

proptest! {
    #[test]
    fn a_cursor_walks_as_a_map_does(format in formats(), model in models(), acts in acts()) {
        let stored = Stored::new();
        let mut cursor = stored.cursor(stored.build(&format, &model));
        let mut from = Bound::Unbounded;
        for act in acts {
            match act {
                Act::Seek(key) => {
                    block_on(cursor.seek(&key)).unwrap();
                    from = Bound::Included(key);
                }
                Act::Take(count) => {
                    for _ in 0..count {
                        let expected = model.range((from.clone(), Bound::Unbounded)).next();
                        let found = block_on(cursor.next()).unwrap();
                        prop_assert_eq!(&found, &expected.map(|(key, item)| record(key, *item)));
                        if let Some(found) = found {
                            from = Bound::Excluded(found.key);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_lookup_finds_what_a_map_has(format in formats(), model in models(), keys in vec(keys(), 1..20)) {
        let stored = Stored::new();
        let tree = stored.build(&format, &model);
        for key in keys {
            let found = block_on(lookup(&*stored.store, tree, &key)).unwrap();
            prop_assert_eq!(found, model.get(&key).map(|item| record(&key, *item)));
        }
    }
}
