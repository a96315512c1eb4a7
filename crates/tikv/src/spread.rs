//! Spreads work over the regions that its keys lie in, batch by batch, and again for what failed.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;

use crate::Error;
use crate::failure::{Failure, Setback};
use crate::patience::{Patience, Pause};
use crate::proto::kvrpcpb::Mutation;
use crate::region::{Directory, Region};

/// What lies at a key.
pub(crate) trait Keyed: Clone {
    fn key(&self) -> &Bytes;

    /// How many bytes it takes in a request.
    fn size(&self) -> usize {
        self.key().len()
    }
}

impl Keyed for Bytes {
    fn key(&self) -> &Bytes {
        self
    }
}

impl Keyed for Mutation {
    fn key(&self) -> &Bytes {
        &self.key
    }

    fn size(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

/// Some items of one region.
#[derive(Clone, Debug)]
pub(crate) struct Batch<T> {
    pub(crate) region: Arc<Region>,
    pub(crate) items: Vec<T>,
}

/// How much one request holds, and how many are under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portion {
    pub(crate) items: usize,
    /// A single item may have more.
    pub(crate) bytes: usize,
    pub(crate) concurrency: usize,
}

/// Has `send` answer every item, and returns the answers in no order. Batches that a region could not serve are cut anew
/// and sent again; those of one round are under way together, the first items' first. Ends early, with some items
/// unanswered, once an answer is `enough`.
///
/// # Errors
/// The first failure that no other try would cure, or the last one when patience ends. Some items may have been
/// answered.
///
/// Where the answer of a batch is larger than the client accepts, smaller ones are cut.
pub(crate) async fn spread<T, R, S>(
    directory: &Arc<Directory>,
    mut items: Vec<T>,
    mut portion: Portion,
    patience: &mut Patience,
    enough: impl Fn(&R) -> bool,
    send: impl Fn(Batch<T>) -> S,
) -> Result<Vec<R>, Error>
where
    T: Keyed,
    S: Future<Output = Result<R, Failure>>,
{
    let mut answers = Vec::new();
    while !items.is_empty() {
        let batches = cut(by_region(directory, items, patience).await?, portion);
        let sent = batches.into_iter().map(|batch| {
            let again = batch.items.clone();
            let sent = send(batch);
            async move { (again, sent.await) }
        });
        let mut sent = futures::stream::iter(sent).buffer_unordered(portion.concurrency);
        let mut worst: Option<Setback> = None;
        items = Vec::new();
        while let Some((again, answer)) = sent.next().await {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(Failure::Never(error)) => return Err(error),
                Err(Failure::Again(setback)) => {
                    if setback.oversized {
                        portion.items =
                            fewer(again.len()).ok_or_else(|| patience.too_much(setback.cause.clone()))?;
                    }
                    items.extend(again);
                    worst = Some(worst.map_or(setback.clone(), |worst| longer(worst, setback)));
                }
            }
        }
        if answers.iter().any(&enough) {
            break;
        }
        if let Some(setback) = worst {
            patience.pause(setback.pause, &setback.cause).await?;
        }
    }
    Ok(answers)
}

/// How many items to ask for after the answer for `count` was too large; `None` after one.
fn fewer(count: usize) -> Option<usize> {
    (count > 1).then_some(count / 2)
}

/// The setback that asks for the longer pause.
fn longer(a: Setback, b: Setback) -> Setback {
    let rank = |setback: &Setback| match setback.pause {
        Pause::None => None,
        Pause::Growing => Some(std::time::Duration::ZERO),
        Pause::AtLeast(least) => Some(least),
    };
    if rank(&b) > rank(&a) { b } else { a }
}

/// Groups of items by region, in the order of each region's first item.
async fn by_region<T: Keyed>(
    directory: &Arc<Directory>,
    items: Vec<T>,
    patience: &mut Patience,
) -> Result<Vec<Batch<T>>, Error> {
    let mut groups: Vec<Batch<T>> = Vec::new();
    let mut places = HashMap::new();
    let mut place = None;
    for item in items {
        let same = place.filter(|&place: &usize| groups[place].region.contains(item.key()));
        let found = match same {
            Some(place) => place,
            None => {
                let region = directory.region(item.key(), patience).await?;
                *places.entry((region.id, region.epoch)).or_insert_with(|| {
                    groups.push(Batch { region, items: Vec::new() });
                    groups.len() - 1
                })
            }
        };
        groups[found].items.push(item);
        place = Some(found);
    }
    Ok(groups)
}

/// Cuts groups into batches that fit.
fn cut<T: Keyed>(groups: Vec<Batch<T>>, portion: Portion) -> Vec<Batch<T>> {
    let mut batches = Vec::new();
    for Batch { region, items } in groups {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for item in items {
            let full = batch.len() >= portion.items || bytes + item.size() > portion.bytes;
            if full && !batch.is_empty() {
                batches.push(Batch { region: Arc::clone(&region), items: std::mem::take(&mut batch) });
                bytes = 0;
            }
            bytes += item.size();
            batch.push(item);
        }
        batches.push(Batch { region, items: batch });
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::metapb;
    use crate::proto::metapb::Peer;

    fn batches(sizes: &[usize], items: usize, bytes: usize) -> Vec<Vec<usize>> {
        let described =
            metapb::Region { id: 1, peers: vec![Peer { id: 1, ..Peer::default() }], ..Default::default() };
        let region = Arc::new(Region::read(described, None).unwrap());
        let keys = sizes.iter().map(|&size| Bytes::from(vec![0; size])).collect();
        let cut = cut(vec![Batch { region, items: keys }], Portion { items, bytes, concurrency: 1 });
        cut.into_iter().map(|batch| batch.items.iter().map(Bytes::len).collect()).collect()
    }

    #[test]
    fn batches_hold_what_fits() {
        assert_eq!(batches(&[1, 1, 1, 1, 1], 2, 100), [vec![1, 1], vec![1, 1], vec![1]]);
        assert_eq!(batches(&[5, 5, 1, 9, 2], 9, 10), [vec![5, 5], vec![1, 9], vec![2]]);
        assert_eq!(batches(&[20, 1, 20], 9, 10), [vec![20], vec![1], vec![20]], "a large item goes alone");
        assert_eq!(batches(&[0], 1, 1), [vec![0]]);
    }
}
