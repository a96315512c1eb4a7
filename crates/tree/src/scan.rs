//! Looks through the intervals in which trees differ, several at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use futures::future::{self, FutureExt, try_join_all};

use crate::limits::Limits;
use crate::opener::Opener;
use crate::plan::{Interval, Plan};
use crate::run::{Bounds, Run};
use crate::window::Window;
use crate::{Metarange, Pool, RangeStore, TreeError, TreeId, open_tree};

/// What is looked for in the intervals of `K` trees.
pub(crate) trait Look<const K: usize>: Clone + Send + 'static {
    /// One thing found.
    type Found: Send + 'static;

    /// What there is in an interval, if that is known without reading it.
    fn unread(&self, plan: &Plan<K>, interval: &Interval<K>) -> Option<Vec<Self::Found>>;

    /// What there is among the records, in key order.
    fn look(&self, runs: [Run; K]) -> Result<Vec<Self::Found>, TreeError>;
}

/// Walks what is found, in key order. Ranges are fetched and looked through ahead of that, within [`Limits`]: at first
/// one small unit, so that the first things are there early and who wants few of them does not read the trees.
pub(crate) struct Scan<const K: usize, L: Look<K>> {
    store: Arc<dyn RangeStore>,
    pool: Pool,
    trees: [TreeId; K],
    limits: Limits,
    bounds: Bounds,
    look: L,
    metaranges: Option<[Arc<Metarange>; K]>,
    ahead: Option<Ahead<K, L::Found>>,
    ready: vec::IntoIter<L::Found>,
}

/// What is under way.
struct Ahead<const K: usize, T> {
    plan: Plan<K>,
    opener: Opener,
    window: Window<Result<Vec<T>, TreeError>>,
    /// The first keys of the intervals in the window.
    starts: VecDeque<Bytes>,
}

impl<const K: usize, L: Look<K>> Scan<K, L> {
    /// A scan of whole trees. Nothing is read yet.
    pub(crate) fn new(store: Arc<dyn RangeStore>, pool: &Pool, trees: [TreeId; K], look: L) -> Self {
        Self {
            store,
            pool: pool.clone(),
            trees,
            limits: Limits::of_scan(pool),
            bounds: Bounds::default(),
            look,
            metaranges: None,
            ahead: None,
            ready: Vec::new().into_iter(),
        }
    }

    #[cfg(test)]
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Starts again, within other bounds.
    pub(crate) fn restart(&mut self, bounds: Bounds) {
        self.bounds = bounds;
        self.ahead = None;
        self.ready = Vec::new().into_iter();
    }

    /// What was found next, if that is at hand.
    pub(crate) fn take_ready(&mut self) -> Option<L::Found> {
        self.ready.next()
    }

    /// What is at hand.
    pub(crate) fn ready(&self) -> &[L::Found] {
        self.ready.as_slice()
    }

    /// What was found next. After an error there is no going on.
    pub(crate) async fn next(&mut self) -> Result<Option<L::Found>, TreeError> {
        loop {
            if let Some(found) = self.ready.next() {
                return Ok(Some(found));
            }
            let ahead = self.go_ahead().await?;
            let Some(found) = ahead.window.next().await else {
                return Ok(None);
            };
            ahead.starts.pop_front();
            self.ready = found?.into_iter();
        }
    }

    /// Behind what is at hand nothing comes before this key; `None` if nothing comes.
    pub(crate) async fn goes_on_at(&mut self) -> Result<Option<&Bytes>, TreeError> {
        Ok(self.go_ahead().await?.starts.front())
    }

    /// Begins what there is room for.
    async fn go_ahead(&mut self) -> Result<&mut Ahead<K, L::Found>, TreeError> {
        if self.metaranges.is_none() {
            let opened = try_join_all(self.trees.map(|tree| open_tree(&*self.store, tree))).await?;
            self.metaranges = opened.try_into().ok();
        }
        let metaranges = self.metaranges.as_ref().expect("each tree was opened");
        let ahead = self.ahead.get_or_insert_with(|| Ahead {
            plan: Plan::new(metaranges.clone(), self.bounds.clone(), self.limits.ramp()),
            opener: Opener::new(Arc::clone(&self.store)),
            window: Window::growing(self.limits.units),
            starts: VecDeque::new(),
        });
        while ahead.window.has_room()
            && let Some(start) = ahead.plan.first_key()
        {
            let interval = ahead.plan.next().expect("there is an interval where there is a key");
            ahead.begin(&self.look, &self.pool, start, interval);
        }
        Ok(ahead)
    }
}

impl<const K: usize, T: Send + 'static> Ahead<K, T> {
    fn begin(&mut self, look: &impl Look<K, Found = T>, pool: &Pool, start: Bytes, interval: Interval<K>) {
        let work = match look.unread(&self.plan, &interval) {
            Some(found) if found.is_empty() => return,
            Some(found) => future::ok(found).boxed(),
            None => {
                let ranges = std::array::from_fn(|tree| self.plan.ranges(&interval, tree));
                let opening = self.opener.open::<K>(ranges);
                let (look, pool, bounds) = (look.clone(), pool.clone(), interval.bounds);
                async move {
                    let opened = opening.await?;
                    pool.run(move || look.look(opened.map(|ranges| Run::new(ranges, bounds.clone())))).await
                }
                .boxed()
            }
        };
        self.window.begin(work);
        self.starts.push_back(start);
    }
}
