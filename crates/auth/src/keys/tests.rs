use std::time::Duration;

use braid_kv::{KeyRange, KvError, Memory, MemorySettings, Mode, Outcome, Snapshot, Timestamp};
use braid_types::{Code, Error, ManualClock, SeededRandom, Time};
use futures::future::join_all;
use parking_lot::Mutex;

use super::*;

struct Installation {
    kv: Arc<dyn Kv>,
    clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
    master: MasterKey,
}

impl Installation {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Time::from_seconds(1_000)));
        let kv = Arc::new(Memory::new(MemorySettings::default(), clock.clone()));
        let random = Arc::new(SeededRandom::new(7));
        let master = MasterKey::generate(&*random);
        Self { kv, clock, random, master }
    }

    async fn open(&self) -> Result<Keys, AuthError> {
        Keys::open(Arc::clone(&self.kv), &self.master, self.clock.clone(), self.random.clone()).await
    }

    async fn put(&self, key: Bytes, value: Bytes) {
        let mut txn = self.kv.begin(Mode::Optimistic).await.unwrap();
        txn.put(key, value);
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    }

    async fn get(&self, key: &[u8]) -> Bytes {
        self.kv.snapshot().await.unwrap().get(key).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_key_tells_its_user() {
    let installation = Installation::new();
    let keys = installation.open().await.unwrap();
    let key = keys.create("ada").await.unwrap();
    let principal = keys.authenticate(&key.id, key.secret.expose()).await.unwrap();
    assert_eq!(principal, Principal { user: "ada".into(), key_id: key.id.clone() });
    let elsewhere = installation.open().await.unwrap();
    assert_eq!(elsewhere.authenticate(&key.id, key.secret.expose()).await.unwrap(), principal);
}

#[tokio::test]
async fn a_wrong_id_and_a_wrong_secret_are_refused_alike() {
    let keys = Installation::new().open().await.unwrap();
    let (one, two) = (keys.create("a").await.unwrap(), keys.create("b").await.unwrap());
    for (id, secret) in [
        (&one.id[..], two.secret.expose()),
        (&one.id, ""),
        ("", one.secret.expose()),
        ("BRDA0000000000000000", one.secret.expose()),
    ] {
        let error = keys.authenticate(id, secret).await.unwrap_err();
        assert_eq!(error, AuthError::Unauthenticated);
        assert_eq!(Error::from(error).code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn user_names_are_checked() {
    let keys = Installation::new().open().await.unwrap();
    for name in ["", "a\0b", "a\nb", &"x".repeat(256)] {
        let error = Error::from(keys.create(name).await.unwrap_err());
        assert_eq!(error.code(), Code::InvalidName, "{name:?}");
    }
    keys.create(&"x".repeat(255)).await.unwrap();
}

#[tokio::test]
async fn secrets_are_not_stored_in_the_clear() {
    let installation = Installation::new();
    let keys = installation.open().await.unwrap();
    let key = keys.create("ada").await.unwrap();
    let stored = installation.get(&record::key(&key.id)).await;
    let secret = key.secret.expose().as_bytes();
    assert!(!stored.windows(8).any(|window| secret.windows(8).any(|part| part == window)));
}

#[tokio::test]
async fn a_record_that_was_tampered_with_is_refused_by_name() {
    let installation = Installation::new();
    let keys = installation.open().await.unwrap();
    let (ada, eve) = (keys.create("ada").await.unwrap(), keys.create("eve").await.unwrap());
    let eves = installation.get(&record::key(&eve.id)).await;
    let mut stored = StoredKey::decode_value(&eve.id, &eves).unwrap();
    stored.user = "ada".to_owned();
    let mut flipped = eves.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    for (id, value) in [
        (&ada.id, eves.clone()),
        (&eve.id, stored.encode_value()),
        (&eve.id, eves.slice(..eves.len() / 2)),
        (&eve.id, Bytes::new()),
    ] {
        installation.put(record::key(id), value).await;
        let error = keys.authenticate(id, eve.secret.expose()).await.unwrap_err();
        assert!(matches!(&error, AuthError::Corrupt { record, .. } if record.contains(id)), "{error}");
        assert_eq!(Error::from(error).code(), Code::Corrupt);
    }
}

#[tokio::test]
async fn another_master_key_does_not_start() {
    let mut installation = Installation::new();
    installation.open().await.unwrap();
    installation.open().await.unwrap();
    installation.master = MasterKey::generate(&*installation.random);
    assert_eq!(installation.open().await.err(), Some(AuthError::WrongMasterKey));
}

#[tokio::test]
async fn concurrent_first_starts_agree_on_one_master_key() {
    let installation = Installation::new();
    let masters: Vec<_> = (0..8).map(|_| MasterKey::generate(&*installation.random)).collect();
    let starts = masters.iter().map(|master| {
        Keys::open(
            Arc::clone(&installation.kv),
            master,
            installation.clock.clone(),
            installation.random.clone(),
        )
    });
    let opened = join_all(starts).await;
    assert_eq!(opened.iter().filter(|keys| keys.is_ok()).count(), 1);
    assert!(opened.iter().all(|keys| matches!(keys, Ok(_) | Err(AuthError::WrongMasterKey))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_is_given_the_first_administrators_key() {
    let installation = Installation::new();
    let nodes = [installation.open().await.unwrap(), installation.open().await.unwrap()].map(Arc::new);
    let asking = (0..32).map(|index| {
        let keys = Arc::clone(&nodes[index % 2]);
        tokio::spawn(async move { keys.create_first_admin().await.unwrap() })
    });
    let given: Vec<_> = join_all(asking).await.into_iter().filter_map(Result::unwrap).collect();
    let [key] = &given[..] else { panic!("{} were given a key", given.len()) };
    let principal = nodes[1].authenticate(&key.id, key.secret.expose()).await.unwrap();
    assert_eq!(principal.user, "admin");
    assert!(nodes[0].create_first_admin().await.unwrap().is_none());
}

#[tokio::test]
async fn a_key_read_a_moment_ago_is_not_read_again() {
    let installation = Installation::new();
    let keys = installation.open().await.unwrap();
    let key = keys.create("ada").await.unwrap();
    keys.authenticate(&key.id, key.secret.expose()).await.unwrap();
    let mut txn = installation.kv.begin(Mode::Optimistic).await.unwrap();
    txn.delete(record::key(&key.id));
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    keys.authenticate(&key.id, key.secret.expose()).await.unwrap();
    let wrong = keys.authenticate(&key.id, "wrong").await.unwrap_err();
    assert_eq!(wrong, AuthError::Unauthenticated, "the cache is no way around the secret");
    installation.clock.advance(Duration::from_secs(10));
    let gone = keys.authenticate(&key.id, key.secret.expose()).await.unwrap_err();
    assert_eq!(gone, AuthError::Unauthenticated);
}

/// A store whose commits happen, but the answers to the first few are lost.
struct Forgetful {
    inner: Arc<dyn Kv>,
    answers_lost: Arc<Mutex<u32>>,
}

struct ForgetfulTransaction {
    inner: Box<dyn Transaction>,
    answers_lost: Arc<Mutex<u32>>,
}

#[async_trait::async_trait]
impl Kv for Forgetful {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, KvError> {
        self.inner.snapshot().await
    }

    async fn snapshot_at(&self, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError> {
        self.inner.snapshot_at(timestamp).await
    }

    async fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, KvError> {
        let inner = self.inner.begin(mode).await?;
        Ok(Box::new(ForgetfulTransaction { inner, answers_lost: Arc::clone(&self.answers_lost) }))
    }

    async fn destroy(&self, range: KeyRange) -> Result<(), KvError> {
        self.inner.destroy(range).await
    }

    fn lanes(&self) -> u16 {
        self.inner.lanes()
    }

    fn max_snapshot_age(&self) -> Duration {
        self.inner.max_snapshot_age()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait::async_trait]
impl Transaction for ForgetfulTransaction {
    fn timestamp(&self) -> Timestamp {
        self.inner.timestamp()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        self.inner.get_many(keys).await
    }

    async fn scan(
        &self,
        range: &KeyRange,
        options: braid_kv::ScanOptions,
    ) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.inner.scan(range, options).await
    }

    fn put(&mut self, key: Bytes, value: Bytes) {
        self.inner.put(key, value);
    }

    fn delete(&mut self, key: Bytes) {
        self.inner.delete(key);
    }

    fn insert(&mut self, key: Bytes, value: Bytes) {
        self.inner.insert(key, value);
    }

    fn lock(&mut self, key: Bytes) {
        self.inner.lock(key);
    }

    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError> {
        self.inner.lock_for_update(key, wait).await
    }

    async fn commit(self: Box<Self>) -> Outcome {
        let outcome = self.inner.commit().await;
        let mut left = self.answers_lost.lock();
        if *left == 0 {
            return outcome;
        }
        *left -= 1;
        Outcome::Unknown("the answer was lost".to_owned())
    }
}

#[tokio::test]
async fn a_lost_answer_does_not_lose_the_first_administrators_key() {
    let installation = Installation::new();
    let kv = Forgetful { inner: Arc::clone(&installation.kv), answers_lost: Arc::new(Mutex::new(1)) };
    let answers_lost = Arc::clone(&kv.answers_lost);
    let open = Keys::open(
        Arc::new(kv),
        &installation.master,
        installation.clock.clone(),
        installation.random.clone(),
    );
    let keys = open.await.unwrap();
    *answers_lost.lock() = 1;
    let key = keys.create_first_admin().await.unwrap().expect("nobody else asked");
    keys.authenticate(&key.id, key.secret.expose()).await.unwrap();
}
