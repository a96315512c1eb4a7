//! Names for the requests of one client.

use braid_types::{Random, RequestId};
use parking_lot::Mutex;

/// So many ids follow one another before the next beginning is drawn.
const ROW: u16 = 4096;

/// Draws request ids of which many in a row have the same random beginning: what a store keeps of one client's requests then
/// lies side by side, which is cheaper to write, and that of several clients does not.
#[derive(Debug, Default)]
pub(crate) struct RequestIds(Mutex<Option<Row>>);

#[derive(Debug)]
struct Row {
    beginning: RequestId,
    next: u16,
}

impl RequestIds {
    /// An id that nobody else has.
    pub(crate) fn next(&self, random: &dyn Random) -> RequestId {
        let mut row = self.0.lock();
        let row = match &mut *row {
            Some(row) if row.next < ROW => row,
            ended => ended.insert(Row { beginning: RequestId::random(random), next: 0 }),
        };
        let id = format!("{}-{:04x}", row.beginning, row.next);
        row.next += 1;
        RequestId::new(id).expect("a request id may be that long")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use braid_types::SeededRandom;

    use super::*;

    #[test]
    fn ids_follow_one_another_and_none_comes_twice() {
        let random = SeededRandom::new(3);
        let (one, other) = (RequestIds::default(), RequestIds::default());
        let ids: Vec<String> = (0..10_000).map(|_| one.next(&random).to_string()).collect();
        assert!(ids.chunks(usize::from(ROW)).all(<[String]>::is_sorted));
        let beginnings: BTreeSet<_> = ids.iter().map(|id| &id[..32]).collect();
        assert_eq!(beginnings.len(), 3);
        let mut all: BTreeSet<_> = ids.into_iter().collect();
        all.extend((0..10_000).map(|_| other.next(&random).to_string()));
        assert_eq!(all.len(), 20_000);
    }
}
