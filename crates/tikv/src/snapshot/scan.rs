//! Ranges, region by region.

use bytes::Bytes;

use super::Obstacle;
use super::get::lock_of;
use crate::core::Core;
use crate::failure::Failure;
use crate::locks::{Met, Seeker};
use crate::patience::Patience;
use crate::proto::kvrpcpb::{ScanRequest, ScanResponse};
use crate::range::{KeyRange, ScanOptions, after, lesser_end};
use crate::region::Region;
use crate::{Error, Timestamp};

/// No key is as long as this, in bytes, so that the key of so many 0xFF lies above all others.
const ABOVE_ALL: usize = 8 << 10;

/// Keys and values of a range, in order.
pub(super) async fn scan(
    core: &Core,
    at: Timestamp,
    range: KeyRange,
    options: ScanOptions,
) -> Result<Vec<(Bytes, Bytes)>, Error> {
    let mut patience = core.read_patience("scan");
    let mut obstacle = Obstacle::new(Seeker::Reader(at));
    let mut walk = Walk { left: range, reverse: options.reverse, done: false };
    let mut page = core.settings.scan_page;
    let mut pairs = Vec::new();
    while pairs.len() < options.limit && !walk.is_over() {
        let region = walk.region(core, &mut patience).await?;
        let part = walk.within(&region);
        let limit = page.min(u32::try_from(options.limit - pairs.len()).unwrap_or(u32::MAX));
        let request = request(&part, limit, at, options);
        let reply = match core.sender.send(&region, request, &patience, obstacle.extras()).await {
            Ok(reply) => reply,
            // What was asked for is more than can be received: ask for less.
            Err(Failure::Again(setback)) if setback.oversized && limit > 1 => {
                page = limit / 2;
                continue;
            }
            Err(failure) => {
                patience.after(failure).await?;
                continue;
            }
        };
        let answer = read(reply, limit)?;
        match answer.pairs.last() {
            _ if answer.whole => walk.pass(&part),
            Some((key, _)) => walk.pass_key(key),
            None => {}
        }
        pairs.extend(answer.pairs);
        if !answer.locks.is_empty() {
            obstacle.clear(core, answer.locks, &mut patience).await?;
        }
    }
    Ok(pairs)
}

/// What is left of a range on the way through it.
#[derive(Debug)]
struct Walk {
    left: KeyRange,
    reverse: bool,
    done: bool,
}

impl Walk {
    fn is_over(&self) -> bool {
        self.done || self.left.is_empty()
    }

    /// The region to ask next.
    async fn region(&self, core: &Core, patience: &mut Patience) -> Result<std::sync::Arc<Region>, Error> {
        let directory = core.sender.directory();
        match self.reverse {
            false => directory.region(&self.left.start, patience).await,
            true => directory.region_below(&self.left.end, patience).await,
        }
    }

    /// The part of what is left that lies in a region.
    fn within(&self, region: &Region) -> KeyRange {
        let start = self.left.start.clone().max(region.start.clone());
        KeyRange { start, end: lesser_end(&self.left.end, &region.end) }
    }

    /// All of a part was read.
    fn pass(&mut self, part: &KeyRange) {
        match self.reverse {
            false if part.end.is_empty() => self.done = true,
            true if part.start.is_empty() => self.done = true,
            false => self.left.start = part.end.clone(),
            // An empty end would mean that there is none.
            true => self.left.end = part.start.clone(),
        }
    }

    /// All was read up to a key, and the key.
    fn pass_key(&mut self, key: &Bytes) {
        match self.reverse {
            false => self.left.start = after(key),
            true if key.is_empty() => self.done = true,
            true => self.left.end = key.clone(),
        }
    }
}

fn request(part: &KeyRange, limit: u32, at: Timestamp, options: ScanOptions) -> ScanRequest {
    let (start_key, end_key) = match options.reverse {
        false => (part.start.clone(), part.end.clone()),
        // Backwards, a store takes the upper bound for the start, and the empty key for the least of all.
        true if part.end.is_empty() => (vec![0xFF; ABOVE_ALL].into(), part.start.clone()),
        true => (part.end.clone(), part.start.clone()),
    };
    ScanRequest {
        start_key,
        end_key,
        limit,
        version: at.into(),
        key_only: options.keys_only,
        reverse: options.reverse,
        ..ScanRequest::default()
    }
}

/// What one request read.
struct Answer {
    /// Up to the first locked key.
    pairs: Vec<(Bytes, Bytes)>,
    /// Every lock that was met, so that they are cleared away together.
    locks: Vec<Met>,
    /// Nothing more lies in the part that was asked for.
    whole: bool,
}

fn read(reply: ScanResponse, limit: u32) -> Result<Answer, Error> {
    const CALL: &str = "KvScan";
    let count = reply.pairs.len();
    let mut answer = Answer { pairs: Vec::with_capacity(count), locks: Vec::new(), whole: false };
    for pair in reply.pairs {
        match pair.error {
            Some(error) => answer.locks.push(lock_of(CALL, error)?),
            None if answer.locks.is_empty() => answer.pairs.push((pair.key, pair.value)),
            None => {}
        }
    }
    if let Some(error) = reply.error {
        answer.locks.push(lock_of(CALL, error)?);
    }
    answer.whole = answer.locks.is_empty() && count < limit as usize;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::kvrpcpb::{KeyError, KvPair, LockInfo};

    fn pair(key: &'static str) -> KvPair {
        KvPair { key: key.into(), value: "v".into(), error: None }
    }

    fn locked(key: &'static str) -> KeyError {
        KeyError { locked: Some(LockInfo { key: key.into(), ..Default::default() }), ..Default::default() }
    }

    fn keys(reply: ScanResponse, limit: u32) -> (Vec<Bytes>, Vec<Bytes>, bool) {
        let answer = read(reply, limit).unwrap();
        let pairs = answer.pairs.into_iter().map(|(key, _)| key).collect();
        (pairs, answer.locks.into_iter().map(|lock| lock.key).collect(), answer.whole)
    }

    #[test]
    fn an_answer_counts_up_to_its_first_lock() {
        let with_lock = KvPair { error: Some(locked("b")), ..Default::default() };
        let pairs = vec![pair("a"), with_lock, pair("c")];
        let reply = ScanResponse { pairs: pairs.clone(), ..Default::default() };
        assert_eq!(keys(reply, 10), (vec!["a".into()], vec!["b".into()], false));
        let reply = ScanResponse { pairs: vec![pair("a")], error: Some(locked("b")), ..Default::default() };
        assert_eq!(keys(reply, 10), (vec!["a".into()], vec!["b".into()], false));
    }

    #[test]
    fn a_part_is_read_to_its_end_when_less_came_than_was_asked_for() {
        let reply = || ScanResponse { pairs: vec![pair("a"), pair("b")], ..Default::default() };
        assert!(!keys(reply(), 2).2);
        assert!(keys(reply(), 3).2);
        assert!(keys(ScanResponse::default(), 1).2);
    }

    #[test]
    fn a_walk_ends_where_its_range_does() {
        let mut walk = Walk { left: KeyRange::new("a", "m"), reverse: false, done: false };
        walk.pass(&KeyRange::new("a", "g"));
        walk.pass_key(&"h".into());
        assert_eq!(walk.left, KeyRange::new("h\0", "m"));
        walk.pass(&KeyRange::new("h\0", "m"));
        assert!(walk.is_over());
        let mut walk = Walk { left: KeyRange::all(), reverse: true, done: false };
        walk.pass(&KeyRange::new("g", ""));
        walk.pass_key(&"c".into());
        assert_eq!(walk.left, KeyRange::new("", "c"));
        walk.pass(&KeyRange::new("", "c"));
        assert!(walk.is_over());
        let mut walk = Walk { left: KeyRange::all(), reverse: false, done: false };
        walk.pass(&KeyRange::all());
        assert!(walk.is_over());
    }
}
