use std::sync::Arc;

use braid_kv::{Memory, MemorySettings};
use braid_types::{Code, Error, ManualClock, SeededRandom};

use super::*;
use crate::MasterKey;

async fn keys() -> Keys {
    let clock = Arc::new(ManualClock::at(Time::from_seconds(1_000)));
    let random = Arc::new(SeededRandom::new(7));
    let kv = Arc::new(Memory::new(MemorySettings::default(), clock.clone()));
    Keys::open(kv, &MasterKey::generate(&*random), clock, random).await.unwrap()
}

fn first(limit: usize) -> Span<'static> {
    Span { limit, ..Span::default() }
}

#[tokio::test]
async fn users_are_made_once_listed_by_name_and_deleted() {
    let keys = keys().await;
    for name in ["carl", "ada", "bob"] {
        keys.create_user(name).await.unwrap();
    }
    assert_eq!(keys.create_user("ada").await, Err(AuthError::UserExists { name: "ada".into() }));
    let names = |part: &Part<User>| part.items.iter().map(|user| user.name.clone()).collect::<Vec<_>>();
    let page = keys.users(first(2)).await.unwrap();
    assert_eq!((names(&page), page.more), (vec!["ada".into(), "bob".into()], true));
    let page = keys.users(Span { after: "bob", ..first(2) }).await.unwrap();
    assert_eq!((names(&page), page.more), (vec!["carl".into()], false));
    let page = keys.users(Span { prefix: "b", ..first(2) }).await.unwrap();
    assert_eq!(names(&page), ["bob"]);
    keys.delete_user("bob").await.unwrap();
    let error = Error::from(keys.user("bob").await.unwrap_err());
    assert_eq!((error.code(), error.subject()), (Code::UserNotFound, "bob"));
    assert!(keys.delete_user("bob").await.is_err());
}

#[tokio::test]
async fn a_user_has_several_keys_and_each_can_be_taken_away() {
    let keys = keys().await;
    assert!(keys.create_key_of("ada").await.is_err(), "there is no such user");
    keys.create_user("ada").await.unwrap();
    keys.create_user("ad").await.unwrap();
    let (one, two) = (keys.create_key_of("ada").await.unwrap(), keys.create_key_of("ada").await.unwrap());
    let ids = |part: Part<KeyInfo>| part.items.into_iter().map(|key| key.id).collect::<Vec<_>>();
    let mut made = vec![one.id.clone(), two.id.clone()];
    made.sort();
    assert_eq!(ids(keys.keys_of("ada", first(10)).await.unwrap()), made);
    assert_eq!(ids(keys.keys_of("ad", first(10)).await.unwrap()), Vec::<String>::new());
    assert_eq!(keys.key_of("ada", &one.id).await.unwrap().user, "ada");
    assert!(keys.key_of("ad", &one.id).await.is_err(), "it is another user's");
    assert!(keys.delete_key("ad", &one.id).await.is_err());

    keys.authenticate(&one.id, one.secret.expose()).await.unwrap();
    keys.delete_key("ada", &one.id).await.unwrap();
    let gone = keys.authenticate(&one.id, one.secret.expose()).await;
    assert_eq!(gone, Err(AuthError::Unauthenticated), "also where it was seen a moment ago");
    keys.authenticate(&two.id, two.secret.expose()).await.unwrap();
}

#[tokio::test]
async fn the_keys_of_a_user_go_with_the_user() {
    let keys = keys().await;
    let key = keys.create("ada").await.unwrap();
    keys.authenticate(&key.id, key.secret.expose()).await.unwrap();
    keys.delete_user("ada").await.unwrap();
    assert!(keys.authenticate(&key.id, key.secret.expose()).await.is_err());
    keys.create_user("ada").await.unwrap();
    assert!(keys.keys_of("ada", first(10)).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn keys_of_a_user_are_bounded() {
    let keys = keys().await;
    keys.create_user("ada").await.unwrap();
    for _ in 0..MOST_KEYS {
        keys.create_key_of("ada").await.unwrap();
    }
    let error = keys.create_key_of("ada").await.unwrap_err();
    assert_eq!(error, AuthError::TooManyKeys { user: "ada".into(), limit: MOST_KEYS });
}

#[tokio::test]
async fn an_installation_is_set_up_once() {
    let keys = keys().await;
    assert!(!keys.is_set_up().await.unwrap());
    let given = NewKey { id: "AKIAIOSFOLQUICKSTART".into(), secret: crate::Secret::new("s".repeat(40)) };
    let short = NewKey { id: "A".into(), ..given.clone() };
    assert!(matches!(keys.set_up("ada", Some(short)).await, Err(AuthError::InvalidKey { .. })));
    let made = keys.set_up("ada", Some(given.clone())).await.unwrap();
    assert_eq!(made.id, given.id);
    keys.authenticate(&given.id, given.secret.expose()).await.unwrap();
    assert!(keys.is_set_up().await.unwrap());
    assert_eq!(keys.set_up("eve", None).await.unwrap_err(), AuthError::AlreadySetUp);
}

#[tokio::test]
async fn whoever_made_a_key_set_the_installation_up() {
    let keys = keys().await;
    keys.create("ada").await.unwrap();
    assert_eq!(keys.set_up("eve", None).await.unwrap_err(), AuthError::AlreadySetUp);
}
