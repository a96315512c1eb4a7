//! Which node the next call goes to.

use std::time::Duration;

use tokio::time::Instant;

/// How long a node is passed over after it could not be reached; it doubles with each further attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Nodes by number. Calls go round; a node that could not be reached is passed over for a pause, after which a single call
/// tries it: others follow once it has answered. When all are passed over, calls go round as if none were.
#[derive(Debug)]
pub(crate) struct Rotation {
    nodes: Vec<Standing>,
    next: usize,
}

/// `None`: the node answered, or was never asked.
type Standing = Option<Lost>;

/// A node that could not be reached.
#[derive(Debug, Clone, Copy)]
struct Lost {
    until: Instant,
    pause: Duration,
    /// Whether a call is trying it.
    tried: bool,
}

impl Rotation {
    /// `count` nodes, at least one, of which the one at `first`, counted round, comes first.
    pub(crate) fn new(count: usize, first: usize) -> Self {
        assert!(count > 0, "there is a node");
        Self { nodes: vec![None; count], next: first % count }
    }

    /// The node for a call made `now`.
    pub(crate) fn pick(&mut self, now: Instant) -> usize {
        let count = self.nodes.len();
        let mut in_turn = (0..count).map(|offset| (self.next + offset) % count);
        let due = |lost: Lost| lost.until <= now;
        let picked = in_turn.find(|&node| self.nodes[node].is_none_or(due)).unwrap_or(self.next);
        if let Some(lost) = &mut self.nodes[picked] {
            (lost.until, lost.tried) = (now + lost.pause, true);
        }
        self.next = (picked + 1) % count;
        picked
    }

    /// A call to `node` had an answer.
    pub(crate) fn answered(&mut self, node: usize) {
        self.nodes[node] = None;
    }

    /// A call to `node` found `now` that it cannot be reached. Calls that find so together count once.
    pub(crate) fn lost(&mut self, node: usize, now: Instant) {
        let pause = match self.nodes[node] {
            None => FIRST_PAUSE,
            Some(Lost { pause, tried: true, .. }) => (pause * 2).min(LONGEST_PAUSE),
            Some(_) => return,
        };
        self.nodes[node] = Some(Lost { until: now + pause, pause, tried: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(rotation: &mut Rotation, now: Instant, count: usize) -> Vec<usize> {
        (0..count).map(|_| rotation.pick(now)).collect()
    }

    #[test]
    fn calls_go_round() {
        let now = Instant::now();
        assert_eq!(picks(&mut Rotation::new(3, 7), now, 5), [1, 2, 0, 1, 2]);
        assert_eq!(picks(&mut Rotation::new(1, 7), now, 2), [0, 0]);
    }

    #[test]
    fn a_lost_node_is_tried_by_one_call_after_each_pause_until_it_answers() {
        let now = Instant::now();
        let mut rotation = Rotation::new(2, 0);
        rotation.lost(0, now);
        assert_eq!(picks(&mut rotation, now, 3), [1, 1, 1]);
        let later = now + FIRST_PAUSE;
        assert_eq!(picks(&mut rotation, later, 3), [0, 1, 1], "one call tries it");
        rotation.lost(0, later);
        assert_eq!(picks(&mut rotation, later + FIRST_PAUSE, 2), [1, 1], "the pause is longer then");
        assert_eq!(picks(&mut rotation, later + 2 * FIRST_PAUSE, 2), [0, 1]);
        rotation.answered(0);
        assert_eq!(picks(&mut rotation, later, 4), [0, 1, 0, 1]);
    }

    #[test]
    fn pauses_end_and_are_bounded() {
        let mut now = Instant::now();
        let mut rotation = Rotation::new(2, 0);
        for _ in 0..40 {
            rotation.lost(0, now);
            now += LONGEST_PAUSE;
            assert!(picks(&mut rotation, now, 2).contains(&0));
        }
    }

    #[test]
    fn when_no_node_can_be_reached_all_are_tried() {
        let now = Instant::now();
        let mut rotation = Rotation::new(3, 0);
        (0..3).for_each(|node| rotation.lost(node, now));
        assert_eq!(picks(&mut rotation, now, 4), [0, 1, 2, 0]);
    }

    #[test]
    fn calls_that_fail_together_make_no_longer_pause() {
        let now = Instant::now();
        let mut rotation = Rotation::new(2, 0);
        (0..20).for_each(|_| rotation.lost(0, now));
        assert!(picks(&mut rotation, now + FIRST_PAUSE, 2).contains(&0));
    }
}
