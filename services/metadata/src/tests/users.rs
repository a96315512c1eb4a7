use braid_auth::Principal;
use braid_client::{Client, ClientConfig, ListAccessKeys, ListUsers};
use braid_types::Code;

use super::support::*;
use crate::Settings;

#[tokio::test]
async fn users_have_keys_that_work_until_they_are_deleted() {
    let node = Node::start().await;
    let client = node.client();
    client.create_user("grace").await.unwrap();
    assert_eq!(code(client.create_user("grace").await), Code::UserExists);
    assert_eq!(code(client.create_user("").await), Code::InvalidName);
    let users = client.list_users(ListUsers { after: "ada".into(), ..ListUsers::default() }).await.unwrap();
    assert_eq!((users.users[0].name.as_str(), users.users.len(), users.more), ("grace", 1, false));

    let made = client.create_access_key("grace").await.unwrap();
    assert_eq!(client.get_access_key("grace", &made.key.id).await.unwrap(), made.key);
    let list = ListAccessKeys { user: "grace".into(), ..ListAccessKeys::default() };
    let keys = client.list_access_keys(list).await.unwrap().keys;
    assert_eq!((keys.len(), &keys[0]), (1, &made.key));
    let grace = node.client_as(&made.key.id, &made.secret);
    assert_eq!(grace.who_am_i().await.unwrap().user, "grace");
    assert_eq!(code(client.delete_access_key("ada", &made.key.id).await), Code::KeyNotFound);
    client.delete_access_key("grace", &made.key.id).await.unwrap();
    assert_eq!(code(grace.who_am_i().await), Code::Unauthenticated);

    client.delete_user("grace").await.unwrap();
    assert_eq!(code(client.get_user("grace").await), Code::UserNotFound);
    assert_eq!(code(client.create_access_key("grace").await), Code::UserNotFound);
}

#[tokio::test]
async fn a_call_within_the_process_is_made_for_whom_it_says() {
    let installation = Installation::new();
    let metadata = metadata(&installation, Settings::default()).await;
    let (random, clock) = (installation.random.clone(), installation.clock.clone());
    let client = Client::over(metadata.in_process(), &ClientConfig::new(""), random, clock).unwrap();
    assert_eq!(code(client.who_am_i().await), Code::Unauthenticated, "nobody is nobody");
    let ada = Principal { user: "ada".into(), key_id: "K".into() };
    let acting = client.with_extension(ada);
    assert_eq!(acting.who_am_i().await.unwrap().user, "ada");
    create_lake(&acting).await;
    assert_eq!(commit(&acting, &main_branch(), "m").await.unwrap_err().code(), Code::NothingToCommit);
    let first = acting.get_commit(&lake(), &reference("main")).await.unwrap();
    assert_eq!(first.commit.committer, "ada");
    assert_eq!(code(client.who_am_i().await), Code::Unauthenticated, "the other client is as it was");
}

#[tokio::test]
async fn nobody_can_say_so_over_a_connection() {
    let node = Node::start().await;
    let eve = Principal { user: "ada".into(), key_id: node.key.id.clone() };
    let client = node.connect(&node.config()).with_extension(eve);
    assert_eq!(code(client.who_am_i().await), Code::Unauthenticated);
}
