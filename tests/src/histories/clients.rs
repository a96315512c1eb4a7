//! Clients that ask two nodes for this and that while nodes die, and write down what they were told.

use std::sync::Arc;
use std::time::Duration;

use braid_catalog::Mutation;
use braid_types::RequestId;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::asks::{Mix, TRUNK};
use super::calls::{branch_at, carry_out};
use super::checker::Operation;
use super::importing;
use super::words::{Answer, Ask, Member};
use super::world::{NODES, Node, World};

/// How often a client asks again after an answer was lost.
pub(super) const ATTEMPTS: u32 = 6;

/// What was asked and answered, in the order of the calls.
#[derive(Default)]
pub(super) struct History {
    moment: usize,
    pub(super) operations: Vec<Operation>,
}

impl History {
    fn call(&mut self, client: usize, ask: &Ask) -> usize {
        let (called, answered) = (self.next(), None);
        let (ask, answer) = (ask.clone(), Answer::Unknown);
        self.operations.push(Operation { client, ask, answer, called, answered });
        self.operations.len() - 1
    }

    fn answer(&mut self, call: usize, answer: Answer) {
        let moment = self.next();
        self.answer_at(call, moment, answer);
    }

    /// An answer that was fixed at a moment that is over.
    pub(super) fn answer_at(&mut self, call: usize, moment: usize, answer: Answer) {
        let operation = &mut self.operations[call];
        operation.answered = Some(moment);
        operation.answer = answer;
    }

    pub(super) fn next(&mut self) -> usize {
        self.moment += 1;
        self.moment
    }
}

/// One client and the node that it prefers.
pub(super) struct Client {
    pub(super) number: usize,
    world: Arc<World>,
    pub(super) history: Arc<Mutex<History>>,
    place: usize,
    pub(super) rng: StdRng,
}

impl Client {
    pub(super) fn new(number: usize, world: &Arc<World>, history: &Arc<Mutex<History>>, seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed * 1_000 + number as u64);
        let (world, history) = (Arc::clone(world), Arc::clone(history));
        Self { number, world, history, place: number % NODES, rng }
    }

    /// Does so many things, one after the other.
    pub(super) async fn work(mut self, operations: usize, mix: Mix) {
        for n in 0..operations {
            let ask = mix.ask(&mut self.rng, &format!("{}-{n}", self.number));
            if self.rng.random_bool(mix.deadly()) {
                self.kill_soon().await;
            }
            self.ask(&ask).await;
            if self.rng.random_bool(0.1) {
                self.work_behind().await;
            }
        }
    }

    /// What nodes do in the background: uncommitted changes are folded, of which nobody must see anything, and imports are run
    /// that nobody runs.
    async fn work_behind(&mut self) {
        let Some(node) = self.node().await else { return };
        let at = branch_at(TRUNK);
        let _may_fail = node.catalog.flatten_if_tall(&at.repository, &at.branch).await;
        importing::run_all(&node.catalog).await;
    }

    /// The node that the client prefers now, if one can be had.
    pub(super) async fn node(&self) -> Option<Arc<Node>> {
        self.world.node(self.place).await
    }

    async fn kill_soon(&mut self) {
        let soon = Duration::from_millis(self.rng.random_range(0..20));
        if let Some(node) = self.world.node(self.place).await {
            tokio::spawn(async move {
                tokio::time::sleep(soon).await;
                node.kill();
            });
        }
    }

    /// Asks, and writes down what was asked and answered.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Answer {
        let call = self.history.lock().call(self.number, ask);
        if let Ask::Pages { branch, of } = ask {
            return self.read_pages(call, branch, *of).await;
        }
        let answer = self.answered(ask).await;
        if answer != Answer::Unknown {
            self.history.lock().answer(call, answer.clone());
        }
        answer
    }

    /// Asks until there is an answer. Once one was lost, only a success tells what happened: a refusal is about the attempt
    /// that was refused, and the other may still be under way.
    async fn answered(&mut self, ask: &Ask) -> Answer {
        let mutation = Mutation {
            principal: format!("client {}", self.number),
            request: RequestId::new(format!("{:032x}", self.rng.random::<u128>())).expect("it is short"),
        };
        let mut lost = false;
        for _ in 0..ATTEMPTS {
            let Some(node) = self.node().await else {
                self.elsewhere().await;
                continue;
            };
            let told = tokio::select! {
                biased;
                () = node.dead.cancelled() => None,
                told = carry_out(&node.catalog, ask, &mutation) => Some(told),
            };
            match told {
                Some(Ok(Answer::Refused | Answer::Nothing | Answer::NoBranch | Answer::BranchExists))
                    if lost =>
                {
                    return Answer::Unknown;
                }
                Some(Ok(answer)) => return answer,
                Some(Err(error)) if !error.may_have_happened() => {
                    return if lost { Answer::Unknown } else { Answer::Failed };
                }
                Some(Err(_)) | None => lost = true,
            }
            self.elsewhere().await;
        }
        Answer::Unknown
    }

    /// The tags that were asked for so far.
    pub(super) fn asked_tags(&self) -> Vec<String> {
        let history = self.history.lock();
        let sets = history.operations.iter().filter_map(|operation| match &operation.ask {
            Ask::Set { members } => Some(members),
            _ => None,
        });
        let tag = |member: &Member| match member {
            Member::Tag { name, .. } => Some(name.clone()),
            _ => None,
        };
        sets.flatten().filter_map(tag).collect()
    }

    pub(super) async fn elsewhere(&mut self) {
        self.place = (self.place + 1) % NODES;
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(1..50))).await;
    }
}
