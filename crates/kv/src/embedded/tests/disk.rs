//! A disk that can lose power, run full, fail or wait, told to do so in advance.

use parking_lot::{Condvar, Mutex};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use redb::StorageBackend;
use std::{io, sync::Arc};

/// Writes reach the medium in pieces of this size, or not.
const SECTOR: usize = 512;

/// What goes wrong, and when. Operations are counted from 0: writes, changes of length and syncs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    /// From this operation on, nothing is done any more.
    pub(super) power_off_at: Option<usize>,
    /// From this operation on, writes find no room, until another plan is followed.
    pub(super) full_at: Option<usize>,
    /// The sync with this number fails, and what it was to make durable is forgotten; later ones succeed.
    pub(super) failing_sync: Option<usize>,
    /// At this operation the driver panics.
    pub(super) panic_at: Option<usize>,
    /// Syncs are acknowledged and not done.
    pub(super) lies: bool,
}

/// The disk; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    gate: Mutex<Gate>,
    gate_moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    plan: Plan,
    operations: usize,
    syncs: usize,
    /// What readers see: the page cache.
    cached: Vec<u8>,
    /// What survives a loss of power for sure.
    durable: Vec<u8>,
    /// What may survive.
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Default)]
struct Gate {
    closed: bool,
    waiting: bool,
}

impl Disk {
    /// An empty disk on which nothing goes wrong.
    pub(super) fn new() -> Self {
        Self::holding(Vec::new())
    }

    fn holding(content: Vec<u8>) -> Self {
        let state = State { cached: content.clone(), durable: content, ..State::default() };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            gate: Mutex::default(),
            gate_moved: Condvar::new(),
        }))
    }

    /// The disk as found after a loss of power: what was synced, and any of the rest.
    pub(super) fn after_power_loss(&self, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let kept = f64::from(random.random_range(0..=4u8)) / 4.0;
        let state = self.0.state.lock();
        let mut content = state.durable.clone();
        for change in &state.pending {
            match change {
                Change::Length(length) if random.random_bool(kept) => content.resize(*length, 0),
                Change::Length(_) => {}
                Change::Write { offset, data } => {
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        if random.random_bool(kept) {
                            write(&mut content, offset + index * SECTOR, sector);
                        }
                    }
                }
            }
        }
        Self::holding(content)
    }

    /// Lets the plan go wrong, counting from here.
    pub(super) fn follow(&self, plan: Plan) {
        let mut state = self.0.state.lock();
        (state.plan, state.operations, state.syncs) = (plan, 0, 0);
    }

    /// The disk with one bit changed wherever it holds `pattern`.
    pub(super) fn rotten(&self, pattern: &[u8]) -> Self {
        let mut content = self.0.state.lock().durable.clone();
        let places: Vec<_> = (0..content.len()).filter(|at| content[*at..].starts_with(pattern)).collect();
        assert!(!places.is_empty(), "the disk holds the pattern");
        places.into_iter().for_each(|at| content[at] ^= 1);
        Self::holding(content)
    }

    pub(super) fn operations(&self) -> usize {
        self.0.state.lock().operations
    }

    pub(super) fn syncs(&self) -> usize {
        self.0.state.lock().syncs
    }

    /// Syncs wait from here on, until the gate is dropped.
    pub(super) fn close_gate(&self) -> ClosedGate {
        self.0.gate.lock().closed = true;
        ClosedGate(self.clone())
    }

    /// Blocks until a sync waits at the gate.
    pub(super) fn wait_for_sync(&self) {
        let mut gate = self.0.gate.lock();
        while !gate.waiting {
            self.0.gate_moved.wait(&mut gate);
        }
    }

    fn pass_gate(&self) {
        let mut gate = self.0.gate.lock();
        while gate.closed {
            gate.waiting = true;
            self.0.gate_moved.notify_all();
            self.0.gate_moved.wait(&mut gate);
        }
        gate.waiting = false;
    }
}

/// Lets the waiting syncs go on when dropped; also when a test fails, which otherwise waited for the writer for ever.
#[derive(Debug)]
pub(super) struct ClosedGate(Disk);

impl Drop for ClosedGate {
    fn drop(&mut self) {
        self.0.0.gate.lock().closed = false;
        self.0.0.gate_moved.notify_all();
    }
}

impl State {
    /// Counts an operation; fails if the power is off by now.
    fn begin(&mut self) -> io::Result<usize> {
        let number = self.operations;
        if self.plan.power_off_at.is_some_and(|at| number >= at) {
            return Err(io::Error::other("the power is off"));
        }
        self.operations += 1;
        assert_ne!(self.plan.panic_at, Some(number), "the driver panics as planned");
        Ok(number)
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        let number = self.begin()?;
        if self.plan.full_at.is_some_and(|at| number >= at) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        apply(&mut self.cached, &change);
        self.pending.push(change);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.begin()?;
        let number = self.syncs;
        self.syncs += 1;
        if self.plan.lies {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        if self.plan.failing_sync == Some(number) {
            return Err(io::Error::other("the disk failed"));
        }
        pending.iter().for_each(|change| apply(&mut self.durable, change));
        Ok(())
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, data } => write(content, *offset, data),
        Change::Length(length) => content.resize(*length, 0),
    }
}

fn write(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.state.lock().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.state.lock();
        let from = usize::try_from(offset).expect("the disk is small");
        let data = state.cached.get(from..from + out.len());
        out.copy_from_slice(data.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let length = usize::try_from(len).expect("the disk is small");
        self.0.state.lock().change(Change::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.pass_gate();
        self.0.state.lock().sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).expect("the disk is small");
        self.0.state.lock().change(Change::Write { offset, data: data.to_vec() })
    }
}
