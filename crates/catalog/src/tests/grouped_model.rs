//! Random requests with conditions, many at once, against plain maps that take them one after another.

use futures::future::join_all;
use proptest::prelude::*;

use super::backend::Backend;
use super::conditions::on;
use super::lake::*;
use crate::{Applied, ApplyOperation, Condition, Precondition, StagedOperation};

const BRANCHES: [&str; 2] = ["main", "side"];

#[derive(Debug, Clone)]
enum Round {
    /// Requests on one branch each, sent at once.
    Stage(Vec<(usize, Vec<Op>)>),
    /// One request on both branches.
    Apply(Vec<(usize, u8, Rule)>, Vec<(usize, Op)>),
    Commit(usize),
    Seal(usize),
}

#[derive(Debug, Clone)]
enum Op {
    Put(u8, u8, Rule),
    Delete(u8, Rule),
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Always,
    Absent,
    Etag(u8),
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![4 => Just(Rule::Always), 1 => Just(Rule::Absent), 1 => (0..3u8).prop_map(Rule::Etag)]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..6u8, 0..3u8, rule()).prop_map(|(at, value, rule)| Op::Put(at, value, rule)),
        1 => (0..6u8, rule()).prop_map(|(at, rule)| Op::Delete(at, rule)),
    ]
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    use proptest::collection::vec;
    let requests = vec((0..2usize, vec(op(), 1..4)), 1..12);
    let apply = (vec((0..2usize, 0..6u8, rule()), 0..3), vec((0..2usize, op()), 1..5));
    let round = prop_oneof![
        4 => requests.prop_map(Round::Stage),
        3 => apply.prop_map(|(demands, ops)| Round::Apply(demands, ops)),
        1 => (0..2usize).prop_map(Round::Commit),
        1 => (0..2usize).prop_map(Round::Seal),
    ];
    vec(round, 1..12)
}

impl Rule {
    fn condition(self) -> Condition {
        match self {
            Self::Always => Condition::Always,
            Self::Absent => Condition::IfAbsent,
            Self::Etag(etag) => Condition::IfEtag(etag.to_string()),
        }
    }

    fn holds(self, content: &Content, at: u8) -> bool {
        let found = content.get(&at.to_string());
        match self {
            Self::Always => true,
            Self::Absent => found.is_none(),
            Self::Etag(etag) => found == Some(&etag.to_string()),
        }
    }
}

impl Op {
    fn staged(&self) -> StagedOperation {
        match *self {
            Self::Put(at, value, rule) => StagedOperation::Put {
                path: path(&at.to_string()),
                entry: entry(&value.to_string()),
                condition: rule.condition(),
            },
            Self::Delete(at, rule) => {
                StagedOperation::Delete { path: path(&at.to_string()), condition: rule.condition() }
            }
        }
    }

    /// What it answers and does to a plain map; none if its condition does not hold.
    fn apply(&self, content: &mut Content) -> Option<Applied> {
        match *self {
            Self::Put(at, value, rule) => rule.holds(content, at).then(|| {
                content.insert(at.to_string(), value.to_string());
                Applied::Put
            }),
            Self::Delete(at, rule) => {
                rule.holds(content, at).then(|| match content.remove(&at.to_string()) {
                    Some(_) => Applied::Deleted,
                    None => Applied::Missing,
                })
            }
        }
    }
}

type Model = [Content; 2];

/// All of it or nothing.
fn apply_all(model: &mut Model, ops: &[(usize, Op)]) -> Option<Vec<Applied>> {
    let mut tried = model.clone();
    let applied = ops.iter().map(|(on, op)| op.apply(&mut tried[*on])).collect::<Option<Vec<_>>>()?;
    *model = tried;
    Some(applied)
}

async fn run(rounds: Vec<Round>) {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    let mut model = Model::default();
    for round in rounds {
        step(&lake, &mut model, &round).await;
        for (index, on) in BRANCHES.iter().enumerate() {
            assert_eq!(lake.content(on).await, model[index], "{on} after {round:?}");
        }
    }
}

async fn step(lake: &Lake, model: &mut Model, round: &Round) {
    match round {
        Round::Stage(requests) => {
            let jobs: Vec<Vec<_>> =
                requests.iter().map(|(_, ops)| ops.iter().map(Op::staged).collect()).collect();
            let sent = requests.iter().zip(&jobs).map(|((on, _), job)| lake.stage(BRANCHES[*on], job));
            let answers = join_all(sent).await;
            for ((on, ops), answer) in requests.iter().zip(answers) {
                let ops: Vec<_> = ops.iter().map(|op| (*on, op.clone())).collect();
                assert_eq!(answer.ok(), apply_all(model, &ops), "{round:?}");
            }
        }
        Round::Apply(demands, ops) => {
            let preconditions = demands.iter().map(|(index, at, rule)| Precondition {
                at: on(BRANCHES[*index]),
                path: path(&at.to_string()),
                condition: rule.condition(),
            });
            let operations = ops.iter().map(|(index, op)| ApplyOperation {
                at: on(BRANCHES[*index]),
                repository_id: None,
                operation: op.staged(),
            });
            let answer = lake.apply(preconditions.collect(), operations.collect()).await;
            let held = demands.iter().all(|(index, at, rule)| rule.holds(&model[*index], *at));
            let expected = if held { apply_all(model, ops) } else { None };
            assert_eq!(answer.ok(), expected, "{round:?}");
        }
        Round::Commit(on) => _ = lake.try_commit(BRANCHES[*on]).await,
        Round::Seal(on) => lake.seal(BRANCHES[*on]).await,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: Backend::cases(100), ..ProptestConfig::default() })]

    #[test]
    fn requests_with_conditions_agree_with_plain_maps(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(rounds));
    }
}
