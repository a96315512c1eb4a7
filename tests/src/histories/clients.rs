//! Clients that ask two nodes for this and that while nodes die, and write down what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use braid_catalog::{
    Applied, ApplyOperation, ApplyRequest, BranchAddress, Catalog, CommitRequest, Condition, ListRequest,
    Listing, MergeRequest, MoveDirectory, Mutation, Precondition, ResetScope, StagedOperation, Strategy,
};
use braid_types::{
    AddressType, BranchName, Code, Entry, Error, ObjectPath, PathPrefix, RefExpression, RepositoryName,
    RequestId, Time,
};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::asks::{Mix, TRUNK};
use super::checker::Operation;
use super::model::{Answer, Ask, Of, Tree, Write};
use super::world::{NODES, World};

/// How often a client asks again after an answer was lost.
const ATTEMPTS: u32 = 6;

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
        let operation = &mut self.operations[call];
        operation.answered = Some(moment);
        operation.answer = answer;
    }

    fn next(&mut self) -> usize {
        self.moment += 1;
        self.moment
    }
}

/// One client and the node that it prefers.
pub(super) struct Client {
    pub(super) number: usize,
    world: Arc<World>,
    history: Arc<Mutex<History>>,
    place: usize,
    rng: StdRng,
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
                self.flatten().await;
            }
        }
    }

    /// Folds what is uncommitted, as nodes do in the background: nobody must see anything of it.
    async fn flatten(&mut self) {
        if let Some(node) = self.world.node(self.place).await {
            let _may_fail = node.catalog.flatten_if_tall(&lake(), &name_of(TRUNK)).await;
        }
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
            let Some(node) = self.world.node(self.place).await else {
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

    async fn elsewhere(&mut self) {
        self.place = (self.place + 1) % NODES;
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(1..50))).await;
    }
}

pub(super) fn lake() -> RepositoryName {
    RepositoryName::new("lake").expect("it is a name")
}

pub(super) fn name_of(branch: &str) -> BranchName {
    BranchName::new(branch).expect("it is a name")
}

/// Does what was asked, and says what came of it.
///
/// # Errors
/// Those after which nothing is known of the lake: it was done if [`Error::may_have_happened`], and else not.
async fn carry_out(catalog: &Catalog, ask: &Ask, mutation: &Mutation) -> Result<Answer, Error> {
    let lake = lake();
    let done = match ask {
        Ask::Get { branch, of, path } => get(catalog, branch, *of, path).await,
        Ask::List { branch, of } => list(catalog, branch, *of).await.map(Answer::Content),
        Ask::Apply { writes, absent } => apply(catalog, writes, absent, mutation).await,
        Ask::Move { branch, from, to } => {
            let (source, destination) = (prefix_of(from), prefix_of(to));
            let what = MoveDirectory { branch: name_of(branch), source, destination, overwrite: false };
            catalog.move_directory(&lake, &what, mutation).await.map(|()| Answer::Done)
        }
        Ask::Erase { branch, prefix } => {
            let erased = catalog.delete_prefix(&lake, &name_of(branch), &prefix_of(prefix), mutation).await;
            erased.map(|found| if found { Answer::Done } else { Answer::Nothing })
        }
        Ask::Reset { branch } => {
            catalog.reset(&lake, &name_of(branch), &ResetScope::All, mutation).await.map(|()| Answer::Done)
        }
        Ask::Commit { branch } => {
            catalog.commit(&lake, &commit_request(branch), mutation).await.map(|_| Answer::Done)
        }
        Ask::Merge { source, destination } => {
            let request = merge_request(source, destination);
            catalog.merge(&lake, &request, mutation).await.map(|_| Answer::Done)
        }
        Ask::CreateBranch { name, source } => {
            let source = reference(source, Of::Working);
            catalog.create_branch(&lake, &name_of(name), &source, mutation).await.map(|_| Answer::Done)
        }
        Ask::DeleteBranch { name } => {
            catalog.delete_branch(&lake, &name_of(name), mutation).await.map(|()| Answer::Done)
        }
    };
    let is_two_step = matches!(ask, Ask::Commit { .. } | Ask::Merge { .. });
    match done {
        Err(error) if error.may_have_happened() => Err(error),
        Err(error) => match error.code() {
            Code::BranchNotFound | Code::RefNotFound if !is_two_step => Ok(Answer::NoBranch),
            Code::BranchExists => Ok(Answer::BranchExists),
            Code::PreconditionFailed | Code::DestinationExists => Ok(Answer::Refused),
            Code::ObjectNotFound => Ok(Answer::Nothing),
            Code::Internal | Code::Corrupt => panic!("{ask:?}: {error}"),
            _ => Err(error),
        },
        done => done,
    }
}

fn reference(branch: &str, of: Of) -> RefExpression {
    let suffix = if of == Of::Head { "@" } else { "" };
    RefExpression::parse(&format!("{branch}{suffix}")).expect("it is a reference")
}

fn prefix_of(text: &str) -> PathPrefix {
    PathPrefix::new(text).expect("it is a prefix")
}

fn path_of(text: &str) -> ObjectPath {
    ObjectPath::new(text).expect("it is a path")
}

async fn get(catalog: &Catalog, branch: &str, of: Of, path: &str) -> Result<Answer, Error> {
    match catalog.stat(&lake(), &reference(branch, of), &path_of(path)).await {
        Ok(object) => Ok(Answer::Value(Some(object.entry.checksum))),
        Err(error) if error.code() == Code::ObjectNotFound => Ok(Answer::Value(None)),
        Err(error) => Err(error),
    }
}

async fn list(catalog: &Catalog, branch: &str, of: Of) -> Result<Tree, Error> {
    let mut cursor = catalog.object_cursor(&lake(), &reference(branch, of), &ListRequest::default()).await?;
    let mut content = BTreeMap::new();
    loop {
        let items = cursor.next_items(3).await?;
        if items.is_empty() {
            return Ok(Arc::new(content));
        }
        for item in items {
            match item {
                Listing::Object(object) => content.insert(object.path.to_string(), object.entry.checksum),
                Listing::CommonPrefix(prefix) => panic!("'{prefix}' was listed without a delimiter"),
            };
        }
    }
}

async fn apply(
    catalog: &Catalog,
    writes: &[Write],
    absent: &[(String, String)],
    mutation: &Mutation,
) -> Result<Answer, Error> {
    let applied = match (writes, absent) {
        ([write], []) => {
            let operations = [operation(write)];
            catalog.stage(&lake(), &name_of(&write.branch), &operations, mutation).await?
        }
        _ => {
            let at = |branch: &str| BranchAddress { repository: lake(), branch: name_of(branch) };
            let preconditions = absent.iter().map(|(branch, path)| Precondition {
                at: at(branch),
                path: path_of(path),
                condition: Condition::IfAbsent,
            });
            let operations = writes.iter().map(|write| ApplyOperation {
                at: at(&write.branch),
                repository_id: None,
                operation: operation(write),
            });
            let request =
                ApplyRequest { preconditions: preconditions.collect(), operations: operations.collect() };
            catalog.apply(&request, mutation).await?
        }
    };
    Ok(if applied == [Applied::Missing] { Answer::Nothing } else { Answer::Done })
}

fn operation(write: &Write) -> StagedOperation {
    let path = path_of(&write.path);
    let condition = if write.if_absent { Condition::IfAbsent } else { Condition::Always };
    match &write.value {
        Some(value) => StagedOperation::Put { path, entry: entry(value), condition },
        None => StagedOperation::Delete { path, condition },
    }
}

fn entry(value: &str) -> Entry {
    Entry {
        address: format!("data/{value}"),
        address_type: AddressType::Relative,
        size: value.len() as u64,
        checksum: value.to_owned(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        mtime: Time::from_seconds(1),
    }
}

fn commit_request(branch: &str) -> CommitRequest {
    CommitRequest {
        branch: name_of(branch),
        committer: "client".to_owned(),
        message: "commit".to_owned(),
        metadata: BTreeMap::new(),
        time: None,
        allow_empty: false,
    }
}

fn merge_request(source: &str, destination: &str) -> MergeRequest {
    MergeRequest {
        source: reference(source, Of::Working),
        destination: name_of(destination),
        strategy: Strategy::Refuse,
        committer: "client".to_owned(),
        message: String::new(),
        metadata: BTreeMap::new(),
        squash: false,
        allow_empty: false,
        time: None,
    }
}
