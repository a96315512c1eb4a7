//! The records in which two runs differ.

use std::cmp::Ordering;

use crate::run::Run;
use crate::value::identity;
use crate::{DifferenceKind, TreeError};

/// Calls `found` at each key that only one side has, or that both have with different content. There, the runs of the
/// sides that have it stand at its record.
pub(crate) fn compare(
    mut left: Run,
    mut right: Run,
    mut found: impl FnMut(DifferenceKind, &Run, &Run) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
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
            Ordering::Equal if !have_same_content(&left, &right)? => {
                found(DifferenceKind::Changed, &left, &right)?;
            }
            Ordering::Equal => {}
        }
        if order.is_le() {
            has_left = left.advance()?;
        }
        if order.is_ge() {
            has_right = right.advance()?;
        }
    }
}

/// Whether the records at which two runs stand have the same identity.
pub(crate) fn have_same_content(left: &Run, right: &Run) -> Result<bool, TreeError> {
    let (one, other) = (left.value(), right.value());
    let one = identity(&one).map_err(|error| left.corrupt(error))?;
    let other = identity(&other).map_err(|error| right.corrupt(error))?;
    Ok(one == other)
}
