//! `user`.

use braid_types::{Code, Error};
use braid_wire::proto;

use super::lake::{Lake, Reply};
use super::running::{braid, ran};
use crate::Exit;

fn user(name: &str) -> proto::User {
    let created_at = Some(prost_types::Timestamp { seconds: 0, nanos: 0 });
    proto::User { name: name.to_owned(), created_at }
}

fn key(id: &str) -> proto::AccessKey {
    let created_at = Some(prost_types::Timestamp { seconds: 0, nanos: 0 });
    proto::AccessKey { id: id.to_owned(), user: "ada".to_owned(), created_at }
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let lake = Lake::start().await;
    let page = |users: &[&str], more| {
        let users = users.iter().map(|name| user(name)).collect();
        Reply::ok(&proto::ListUsersResponse { users, more })
    };
    lake.on("AuthService/ListUsers", page(&["ada", "bob"], true));
    lake.on("AuthService/ListUsers", page(&["carl"], false));
    let listed = ran(&lake, &["user", "list", "-o", "json"]).await.json();
    assert_eq!(listed.iter().map(|user| &user["name"]).collect::<Vec<_>>(), ["ada", "bob", "carl"]);
    let asked: Vec<proto::ListUsersRequest> = lake.asked("AuthService/ListUsers");
    assert_eq!(asked.iter().map(|asked| asked.after.as_str()).collect::<Vec<_>>(), ["", "bob"]);
}

#[tokio::test]
async fn a_fresh_key_is_printed_for_a_shell() {
    let lake = Lake::start().await;
    let made = proto::NewAccessKey { key: Some(key("AKIAJQ")), secret: "s3cret".to_owned() };
    lake.on("AuthService/CreateAccessKey", Reply::ok(&made));
    let shown = ran(&lake, &["user", "key", "create", "ada"]).await;
    let lines = ["export BRAID_ACCESS_KEY_ID=AKIAJQ", "export BRAID_SECRET_ACCESS_KEY=s3cret"];
    assert_eq!((shown.exit, shown.lines()), (Exit::Done, lines.to_vec()));
}

#[tokio::test]
async fn users_and_keys_are_deleted_by_name() {
    let lake = Lake::start().await;
    lake.on("AuthService/DeleteUser", Reply::ok(&proto::DeleteUserResponse {}));
    let deleted = ran(&lake, &["user", "delete", "ada", "--yes"]).await;
    assert_eq!(deleted.stdout, "deleted user ada\n");
    let asked = braid(&lake, &["user", "delete", "ada"]).answering("no\n").run().await;
    assert_ne!(asked.exit, Exit::Done);
    lake.on("AuthService/DeleteAccessKey", Reply::ok(&proto::DeleteAccessKeyResponse {}));
    let deleted = ran(&lake, &["user", "key", "delete", "ada", "K"]).await;
    assert_eq!(deleted.stdout, "deleted access key K\n");
    let refusal = Error::new(Code::UserNotFound, "eve", "there is no user 'eve'");
    lake.on("AuthService/ListAccessKeys", Reply::error(refusal));
    let refused = ran(&lake, &["user", "key", "list", "eve"]).await;
    assert_eq!((refused.exit, refused.stderr.as_str()), (Exit::Refused, "error: there is no user 'eve'\n"));
}
