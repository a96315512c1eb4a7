//! `mv`.

use braid_types::{Code, Error};
use braid_wire::proto;

use super::lake::{Lake, Reply};
use super::running::ran;
use crate::Exit;

async fn lake() -> Lake {
    Lake::start().await.with(&[
        ("a", "1"),
        ("d/a", "1"),
        ("d/b/c", "1"),
        ("d-x", "1"),
        ("both", "1"),
        ("both/x", "1"),
    ])
}

/// Runs `mv` on `main`.
async fn mv(lake: &Lake, source: &str, destination: &str, also: &[&str]) -> (Exit, String, String) {
    let [source, destination] = [source, destination].map(|path| format!("braid://lake/main/{path}"));
    let ran = ran(lake, &[&["mv", &source, &destination], also].concat()).await;
    (ran.exit, ran.stdout, ran.stderr)
}

#[tokio::test]
async fn an_object_gets_a_name_or_goes_into_a_directory() {
    let lake = lake().await;
    let (exit, said, _) = mv(&lake, "a", "b", &[]).await;
    assert_eq!((exit, said.as_str()), (Exit::Done, "moved braid://lake/main/a to braid://lake/main/b\n"));
    assert_eq!(
        mv(&lake, "d/b/c", "e/", &[]).await.1,
        "moved braid://lake/main/d/b/c to braid://lake/main/e/c\n"
    );
    assert_eq!(mv(&lake, "e/c", "", &[]).await.1, "moved braid://lake/main/e/c to braid://lake/main/c\n");
    mv(&lake, "both", "one", &[]).await;
    assert_eq!(lake.paths(), ["b", "both/x", "c", "d-x", "d/a", "one"]);
}

#[tokio::test]
async fn a_directory_is_moved_whole_with_and_without_slashes() {
    for (source, destination) in [("d/", "e/"), ("d/", "e"), ("d", "e/"), ("d", "e")] {
        let lake = lake().await;
        let (exit, said, _) = mv(&lake, source, destination, &[]).await;
        assert_eq!(
            (exit, said.as_str()),
            (Exit::Done, "moved braid://lake/main/d/ to braid://lake/main/e/\n")
        );
        assert_eq!(lake.paths(), ["a", "both", "both/x", "d-x", "e/a", "e/b/c"]);
        let asked: Vec<proto::MoveDirectoryRequest> = lake.asked("ObjectService/MoveDirectory");
        assert_eq!((asked.len(), asked[0].source.as_str(), asked[0].destination.as_str()), (1, "d/", "e/"));
    }
    let lake = lake().await;
    mv(&lake, "both/", "x/", &[]).await;
    assert!(lake.paths().contains(&"both".to_owned()), "the object of that name stays");
}

#[tokio::test]
async fn what_is_at_the_destination_is_lost_only_if_it_may_be() {
    let lake = lake().await;
    let (exit, _, said) = mv(&lake, "a", "d-x", &[]).await;
    assert_eq!((exit, said.as_str()), (Exit::Refused, "error: there is an object 'd-x' already\n"));
    assert_eq!(mv(&lake, "a", "d-x", &["--overwrite"]).await.0, Exit::Done);
    assert!(!lake.paths().contains(&"a".to_owned()));
    let asked: Vec<proto::MoveObjectRequest> = lake.asked("ObjectService/MoveObject");
    assert_eq!(asked.iter().map(|asked| asked.overwrite).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn what_cannot_be_moved_is_said() {
    let lake = lake().await;
    let (exit, _, said) = mv(&lake, "none", "x", &[]).await;
    let expected = "error: there is no object and no directory 'braid://lake/main/none'\n";
    assert_eq!((exit, said.as_str()), (Exit::Refused, expected));
    assert_eq!(mv(&lake, "none/", "x", &[]).await.0, Exit::Refused);
    let itself = Error::new(Code::IntoItself, "d/", "'d/' cannot be moved into itself, to 'd/e/'");
    lake.on("ObjectService/MoveDirectory", Reply::error(itself));
    assert_eq!(mv(&lake, "d/", "d/e/", &[]).await.2, "error: 'd/' cannot be moved into itself, to 'd/e/'\n");
    let before = lake.calls();
    for words in [
        ["mv", "braid://lake/main", "braid://lake/main/x"],
        ["mv", "braid://lake/main/d/", "braid://lake/main"],
        ["mv", "braid://lake/main/a", "braid://lake/other/a"],
        ["mv", "braid://lake/main/a", "braid://other/main/a"],
    ] {
        assert_eq!(ran(&lake, &words).await.exit, Exit::Usage, "{words:?}");
    }
    assert_eq!(lake.calls(), before);
}
