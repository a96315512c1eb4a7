//! Whatever is done to it, the local store answers as a map would, also after it was opened again.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::LocalStore;
use super::bucket;
use crate::testing::{Lossy, clock};
use crate::{ByteRange, MemoryStore, ObjectStore, PutOptions};

/// Up to how many bytes are kept in the index: half of what bodies have.
const SMALL: usize = 16;

#[derive(Debug, Clone)]
enum Step {
    Put(String, Vec<u8>, bool),
    Get(String, Option<ByteRange>),
    Head(String),
    Delete(String),
    List(String, Option<String>, usize),
    Reopen,
}

fn keys() -> impl Strategy<Value = String> {
    "[ab/\u{e9}]{1,3}"
}

fn ranges() -> impl Strategy<Value = ByteRange> {
    prop_oneof![
        (0..40_u64, 0..40_u64).prop_map(|(from, to)| ByteRange::Span(from, to)),
        (0..40_u64).prop_map(ByteRange::From),
        (0..40_u64).prop_map(ByteRange::Last),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let body = proptest::collection::vec(any::<u8>(), 0..32);
    prop_oneof![
        4 => (keys(), body, any::<bool>()).prop_map(|(key, body, if_absent)| Step::Put(key, body, if_absent)),
        2 => (keys(), proptest::option::of(ranges())).prop_map(|(key, range)| Step::Get(key, range)),
        1 => keys().prop_map(Step::Head),
        2 => keys().prop_map(Step::Delete),
        3 => ("[ab/]{0,2}", proptest::option::of(keys()), 1..5_usize)
            .prop_map(|(prefix, after, limit)| Step::List(prefix, after, limit)),
        1 => Just(Step::Reopen),
    ]
}

/// What a step answers, as text.
async fn take(step: Step, store: &Arc<dyn ObjectStore>) -> String {
    match step {
        Step::Put(key, body, if_absent) => {
            let options = PutOptions { if_absent, content_type: Some("x/y".to_owned()) };
            format!("{:?}", store.put(&key, Bytes::from(body), options).await)
        }
        Step::Get(key, range) => format!("{:?}", store.get(&key, range).await),
        Step::Head(key) => format!("{:?}", store.head(&key).await),
        Step::Delete(key) => format!("{:?}", store.delete(&key).await),
        Step::List(prefix, after, limit) => {
            format!("{:?}", store.list(&prefix, after.as_deref(), limit).await)
        }
        Step::Reopen => String::new(),
    }
}

async fn check(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut disk = Lossy::default();
    let mut store = LocalStore::open_in(Arc::new(disk.clone()), clock(), SMALL).unwrap();
    let model: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new(clock()));
    for step in steps {
        if matches!(step, Step::Reopen) {
            disk = disk.after_crash();
            store = LocalStore::open_in(Arc::new(disk.clone()), clock(), SMALL).unwrap();
        }
        let said = format!("{step:?}");
        prop_assert_eq!(take(step.clone(), &bucket(&store)).await, take(step, &model).await, "{}", said);
    }
    let listed = model.list("", None, 1000).await.unwrap().items;
    store.settled().await;
    let with_content = listed.iter().filter(|meta| meta.size > SMALL as u64).count();
    prop_assert_eq!(disk.count_files(), with_content);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn it_behaves_as_a_map(steps in proptest::collection::vec(steps(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(steps))?;
    }
}
