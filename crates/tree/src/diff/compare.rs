//! The records in which two runs differ.

use std::cmp::Ordering;

use crate::run::{Run, skip_equal};
use crate::{DifferenceKind, TreeError};

/// Calls `found` at each key that only one side has, or that both have with different content. There, the runs of the
/// sides that have it stand at its record. Blocks that both sides store alike are not decoded.
pub(crate) fn compare(
    mut left: Run,
    mut right: Run,
    mut found: impl FnMut(DifferenceKind, &Run, &Run) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
    skip_equal(&mut left, &mut right)?;
    let (mut has_left, mut has_right) = (left.advance()?, right.advance()?);
    loop {
        let order = match (has_left, has_right) {
            (true, true) => left.key().cmp(&right.key()),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => return Ok(()),
        };
        match order {
            Ordering::Less => found(DifferenceKind::Removed, &left, &right)?,
            Ordering::Greater => found(DifferenceKind::Added, &left, &right)?,
            Ordering::Equal => {
                if left.identity() != right.identity() {
                    found(DifferenceKind::Changed, &left, &right)?;
                }
                skip_equal(&mut left, &mut right)?;
            }
        }
        if order.is_le() {
            has_left = left.advance()?;
        }
        if order.is_ge() {
            has_right = right.advance()?;
        }
    }
}
