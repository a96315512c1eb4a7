//! Moving and deleting whole directories, through gRPC.

use braid_client::{Client, DeletePrefix, MoveDirectory, MoveObject};
use braid_types::Code;

use super::support::*;

/// More than a small directory has.
const MANY: usize = 40;

async fn filled() -> (Node, Client) {
    let (node, client) = Node::with_lake().await;
    for at in 0..MANY {
        node.write(&client, &main_branch(), &format!("a/{at}"), "x").await;
    }
    node.write(&client, &main_branch(), "a-b", "x").await;
    commit(&client, &main_branch(), "filled").await.unwrap();
    (node, client)
}

fn moving(source: &str, destination: &str) -> MoveDirectory {
    let (source, destination) = (prefix(source), prefix(destination));
    MoveDirectory { repository: lake(), branch: main_branch(), source, destination, overwrite: false }
}

fn moving_object(source: &str, destination: &str) -> MoveObject {
    let (source, destination) = (path(source), path(destination));
    MoveObject { repository: lake(), branch: main_branch(), source, destination, overwrite: false }
}

fn deleting(under: &str) -> DeletePrefix {
    DeletePrefix { repository: lake(), branch: main_branch(), prefix: prefix(under) }
}

#[tokio::test]
async fn directories_and_objects_are_moved_and_deleted() {
    let (_node, client) = filled().await;
    let stat = async |at: &str| client.stat_object(&lake(), &reference("main"), &path(at)).await;
    client.move_directory(moving("a/", "b/c/")).await.unwrap();
    assert!(stat("b/c/7").await.is_ok());
    assert_eq!(code(stat("a/7").await), Code::ObjectNotFound);
    client.move_object(moving_object("a-b", "b/c/x")).await.unwrap();
    commit(&client, &main_branch(), "moved").await.unwrap();
    assert!(stat("b/c/x").await.is_ok());
    assert!(client.delete_prefix(deleting("b/")).await.unwrap());
    assert!(!client.delete_prefix(deleting("b/")).await.unwrap());
    commit(&client, &main_branch(), "deleted").await.unwrap();
    assert_eq!(code(stat("b/c/7").await), Code::ObjectNotFound);
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused_with_its_code() {
    let (_node, client) = filled().await;
    let moved = async |source: &str, destination: &str| {
        code(client.move_directory(moving(source, destination)).await)
    };
    assert_eq!(moved("a/", "a/b/").await, Code::IntoItself);
    assert_eq!(moved("a", "b/").await, Code::InvalidPath);
    assert_eq!(moved("b/", "c/").await, Code::ObjectNotFound);
    assert_eq!(code(client.move_object(moving_object("a-b", "a/1")).await), Code::DestinationExists);
    assert_eq!(code(client.move_object(moving_object("a", "b")).await), Code::ObjectNotFound);
    let overwriting = MoveObject { overwrite: true, ..moving_object("a-b", "a/1") };
    client.move_object(overwriting).await.unwrap();
    client.move_object(moving_object("a/2", "b/2")).await.unwrap();
    assert_eq!(moved("a/", "b/").await, Code::DestinationExists);
    client.move_directory(MoveDirectory { overwrite: true, ..moving("a/", "b/") }).await.unwrap();
}

/// A branch may have 64 layers: the node folds them meanwhile.
#[tokio::test]
async fn any_number_of_moves_is_taken_without_a_commit() {
    let (_node, client) = filled().await;
    let names = ["a/", "b/"];
    for at in 0..150 {
        client.move_directory(moving(names[at % 2], names[(at + 1) % 2])).await.unwrap();
    }
    assert!(client.stat_object(&lake(), &reference("main"), &path("a/7")).await.is_ok());
}
