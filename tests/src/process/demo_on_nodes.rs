//! `braid demo` on two metadata nodes, one of which is killed in the middle.

use std::fs;
use std::path::Path;
use std::pin::pin;

use tempfile::TempDir;

use super::binary::{Ended, run};
use super::ground::Ground;
use super::server::{Key, Server};
use crate::door::Door;

/// At how many points of the story the node is killed, one a run.
const KILLS: u64 = 8;

fn small_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..12 {
        fs::write(folder.path().join(format!("{number}.txt")), format!("file {number}\n").repeat(number))
            .unwrap();
    }
    folder
}

/// Runs the demonstration against the door and the node.
async fn demo(key: &Key, door: &Door, node: &Server, folder: &Path) -> Ended {
    let endpoints = format!("{},http://{}", door.url(), node.grpc);
    let (key, folder) = (key.clone(), folder.to_str().unwrap().to_owned());
    let running = tokio::task::spawn_blocking(move || {
        let environment = [("BRAID_ACCESS_KEY_ID", &*key.id), ("BRAID_SECRET_ACCESS_KEY", &*key.secret)];
        run(&["demo", "--endpoint", &endpoints, &folder], &environment)
    });
    running.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstration_goes_on_when_one_of_two_nodes_is_killed_in_the_middle() {
    let (ground, folder) = (Ground::new().await, small_folder());
    let key = ground.key();
    let (mut first, second) = tokio::join!(ground.node(), ground.node());
    let door = Door::open().await;
    door.lead_to(first.grpc);
    let printed = demo(&key, &door, &second, folder.path()).await.ok();
    assert!(printed.contains("\nAll of it worked in "), "{printed}");
    let all = door.passed();
    assert!(all > 20_000, "the nodes share the work: {all} bytes");

    for kill in 0..KILLS {
        // All in the first half: not every run sends as much this way.
        let door = Door::open_for(all * (2 * kill + 1) / (4 * KILLS)).await;
        door.lead_to(first.grpc);
        let mut story = pin!(demo(&key, &door, &second, folder.path()));
        let ended = tokio::select! {
            ended = &mut story => panic!("kill {kill}: it was over before: {}", ended.ok()),
            () = door.shut() => {
                first.kill().await;
                story.await
            }
        };
        let printed = ended.ok();
        assert!(printed.contains("\nAll of it worked in "), "kill {kill}: {printed}");
        first = ground.node().await;
    }
}

#[test]
fn a_demonstration_elsewhere_keeps_no_server() {
    let ended = run(&["demo", "--endpoint", "http://127.0.0.1:1", "--keep"], &[]);
    ended.refused(1, &["--keep", "--endpoint names another"]);
}
