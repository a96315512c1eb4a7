//! Pieces: all paths cut into stretches that go down the same layers of a stack with the same translations.

use braid_tree::{TreeId, prefix_end};
use braid_types::StagingToken;
use bytes::{BufMut, Bytes, BytesMut};

use crate::record::Layer;

/// A stretch of paths that go down the same layers: those that begin with `at`, from `lo` on and before `hi`, both without
/// `at`. In each layer it is a stretch as well, only with something else for `at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    at: Bytes,
    lo: Bytes,
    hi: Option<Bytes>,
    /// Staged layers, the newest first, each with what stands for `at` there.
    staged: Vec<(StagingToken, Bytes)>,
    /// The tree below them, if there is one, and what stands for `at` there.
    bottom: Option<(TreeId, Bytes)>,
}

/// A stretch of paths of one layer, as seen on top of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shift {
    /// What the paths begin with on top.
    top: Bytes,
    /// What they begin with there.
    there: Bytes,
    /// The stretch there: from here on, and before `until`.
    from: Bytes,
    until: Option<Bytes>,
}

impl Piece {
    /// The first path that may be in it.
    pub(crate) fn start(&self) -> Bytes {
        joined(&self.at, &self.lo)
    }

    /// The first path after it; `None` if there can be none.
    pub(crate) fn end(&self) -> Option<Bytes> {
        end_of(&self.at, self.hi.as_ref())
    }

    /// The staged layers, the newest first.
    pub(crate) fn staged(&self) -> impl Iterator<Item = (StagingToken, Shift)> {
        self.staged.iter().map(|(token, there)| (*token, self.shift(there)))
    }

    /// The tree below them.
    pub(crate) fn tree(&self) -> Option<(TreeId, Shift)> {
        self.bottom.as_ref().map(|(tree, there)| (*tree, self.shift(there)))
    }

    /// Whether its staged layers lie on `tree`, each path on its own name.
    pub(crate) fn lies_on(&self, tree: TreeId) -> bool {
        self.bottom.as_ref().is_some_and(|(bottom, there)| *bottom == tree && *there == self.at)
    }

    /// The piece as it is on top.
    pub(crate) fn unshifted(&self) -> Shift {
        self.shift(&self.at)
    }

    fn shift(&self, there: &Bytes) -> Shift {
        Shift {
            top: self.at.clone(),
            there: there.clone(),
            from: joined(there, &self.lo),
            until: end_of(there, self.hi.as_ref()),
        }
    }
}

impl Shift {
    /// Before what it ends there.
    pub(crate) fn until(&self) -> Option<&Bytes> {
        self.until.as_ref()
    }

    /// The first path there that stands for `key` or one after it.
    pub(crate) fn down(&self, key: &[u8]) -> Bytes {
        match key.strip_prefix(&self.top[..]) {
            Some(rest) => joined(&self.there, rest).max(self.from.clone()),
            None if key < &self.top[..] => self.from.clone(),
            None => self.until.clone().unwrap_or_else(|| Bytes::copy_from_slice(key)),
        }
    }

    /// What a path of the stretch is on top.
    pub(crate) fn up(&self, key: Bytes) -> Bytes {
        if self.top == self.there {
            return key;
        }
        joined(&self.top, &key[self.there.len()..])
    }
}

/// All paths in order, cut into pieces by layers (the newest first) over a tree. There are at most four pieces more for each
/// structural layer.
pub(super) fn cut(layers: &[Layer], base: TreeId) -> Vec<Piece> {
    let mut live = vec![Live::everything()];
    let mut ended = Vec::new();
    for layer in layers {
        match layer {
            Layer::Staged(token) => live.iter_mut().for_each(|live| live.pass(*token)),
            Layer::Moved { from, to } => {
                let mut moved = extract(&mut live, to.as_bytes());
                let hidden = extract(&mut live, from.as_bytes());
                ended.extend(hidden.into_iter().map(|hidden| hidden.end(None)));
                moved.iter_mut().for_each(|moved| moved.translate(to.as_bytes(), from.as_bytes()));
                live.append(&mut moved);
            }
            Layer::Erased(prefix) => {
                let erased = extract(&mut live, prefix.as_bytes());
                ended.extend(erased.into_iter().map(|erased| erased.end(None)));
            }
            Layer::Grafted { prefix, tree } => {
                let grafted = extract(&mut live, prefix.as_bytes());
                ended.extend(grafted.into_iter().map(|grafted| grafted.end(Some(Some(*tree)))));
            }
        }
    }
    ended.extend(live.into_iter().map(|live| live.end(Some(base))));
    ended.sort_by_cached_key(Piece::start);
    ended
}

/// A piece whose paths were followed down to some layer.
#[derive(Debug, Clone)]
struct Live {
    at: Bytes,
    lo: Bytes,
    hi: Option<Bytes>,
    staged: Vec<(StagingToken, Bytes)>,
    /// What stands for `at` in that layer.
    here: Bytes,
}

impl Live {
    fn everything() -> Self {
        let (at, lo, here) = (Bytes::new(), Bytes::new(), Bytes::new());
        Self { at, lo, hi: None, staged: Vec::new(), here }
    }

    fn pass(&mut self, token: StagingToken) {
        self.staged.push((token, self.here.clone()));
    }

    /// All its paths begin with `to` in this layer, and with `from` instead in the one below.
    fn translate(&mut self, to: &[u8], from: &[u8]) {
        let rest = self.here.strip_prefix(to).expect("only what is under `to` is translated");
        self.here = joined(from, rest);
    }

    fn end(self, tree: Option<TreeId>) -> Piece {
        let Self { at, lo, hi, staged, here } = self;
        Piece { at, lo, hi, staged, bottom: tree.map(|tree| (tree, here)) }
    }

    /// What of it begins with `prefix` in this layer, and what comes before and after that.
    fn split(self, prefix: &[u8]) -> (Option<Self>, Vec<Self>) {
        if self.here.starts_with(prefix) {
            return (Some(self), Vec::new());
        }
        let Some(inner) = prefix.strip_prefix(&self.here[..]).map(Bytes::copy_from_slice) else {
            return (None, vec![self]);
        };
        let end = prefix_end(&inner);
        let before = self.clipped(&[], Some(&inner));
        let after = end.as_ref().and_then(|end| self.clipped(end, None));
        let inside = self.clipped(&inner, end.as_ref()).map(|inside| inside.under(&inner));
        (inside, before.into_iter().chain(after).collect())
    }

    /// What of it is from `lo` on and before `hi`.
    fn clipped(&self, lo: &[u8], hi: Option<&Bytes>) -> Option<Self> {
        let lo = self.lo.clone().max(Bytes::copy_from_slice(lo));
        let hi = match (&self.hi, hi) {
            (Some(one), Some(other)) => Some(one.min(other).clone()),
            (one, other) => one.as_ref().or(other).cloned(),
        };
        let is_empty = hi.as_ref().is_some_and(|hi| *hi <= lo);
        (!is_empty).then(|| Self { lo, hi, ..self.clone() })
    }

    /// The same piece, all of whose paths go on with `inner` after `at`, with that as part of `at`.
    fn under(self, inner: &[u8]) -> Self {
        let within = |bound: &Bytes| bound.strip_prefix(inner).map(Bytes::copy_from_slice);
        Self {
            at: joined(&self.at, inner),
            lo: within(&self.lo).expect("it begins under `inner`"),
            hi: self.hi.as_ref().and_then(within),
            staged: self.staged.into_iter().map(|(token, there)| (token, joined(&there, inner))).collect(),
            here: joined(&self.here, inner),
        }
    }
}

/// Takes out what begins with `prefix` in the layer where all of them are.
fn extract(live: &mut Vec<Live>, prefix: &[u8]) -> Vec<Live> {
    let mut inside = Vec::new();
    for piece in std::mem::take(live) {
        let (within, outside) = piece.split(prefix);
        inside.extend(within);
        live.extend(outside);
    }
    inside
}

pub(super) fn joined(prefix: &[u8], rest: &[u8]) -> Bytes {
    let mut path = BytesMut::with_capacity(prefix.len() + rest.len());
    path.put_slice(prefix);
    path.put_slice(rest);
    path.freeze()
}

fn end_of(prefix: &[u8], hi: Option<&Bytes>) -> Option<Bytes> {
    match hi {
        Some(hi) => Some(joined(prefix, hi)),
        None => prefix_end(prefix),
    }
}
