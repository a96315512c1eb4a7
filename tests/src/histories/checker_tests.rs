//! The checker finds what is wrong with histories that were made up.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checker::{Operation, Verdict, linearize};
use super::model::{Answer, Ask, Of, State, Write};

/// A history of operations with the moments of their calls and answers.
fn is_linearizable(history: &[(Ask, Answer, usize, Option<usize>)]) -> bool {
    let operation = |(ask, answer, called, answered): &(Ask, Answer, usize, Option<usize>)| Operation {
        client: 0,
        ask: ask.clone(),
        answer: answer.clone(),
        called: *called,
        answered: *answered,
    };
    let history: Vec<Operation> = history.iter().map(operation).collect();
    match linearize(&State::new("main"), &history, 1_000_000) {
        Verdict::Linearizable => true,
        Verdict::Impossible(_) => false,
        Verdict::Undecided => panic!("a short history is decided"),
    }
}

fn write(branch: &str, path: &str, value: &str) -> Write {
    Write { branch: branch.into(), path: path.into(), value: Some(value.into()), if_absent: false }
}

fn put(branch: &str, path: &str, value: &str) -> Ask {
    Ask::Apply { writes: vec![write(branch, path, value)], absent: Vec::new() }
}

fn put_if_none(path: &str, other: &str) -> Ask {
    let absent = vec![("main".to_owned(), other.to_owned())];
    Ask::Apply { writes: vec![write("main", path, "v")], absent }
}

fn get(of: Of, path: &str) -> Ask {
    Ask::Get { branch: "main".into(), of, path: path.into() }
}

fn list() -> Ask {
    Ask::List { branch: "main".into(), of: Of::Working }
}

fn value(text: &str) -> Answer {
    Answer::Value(Some(text.into()))
}

fn content(paths: &[(&str, &str)]) -> Answer {
    let map: BTreeMap<String, String> =
        paths.iter().map(|(path, value)| ((*path).into(), (*value).into())).collect();
    Answer::Content(Arc::new(map))
}

fn commit() -> Ask {
    Ask::Commit { branch: "main".into() }
}

const NONE: Answer = Answer::Value(None);

#[test]
fn what_was_acknowledged_is_seen_from_then_on() {
    let put = (put("main", "main/x", "1"), Answer::Done, 1, Some(2));
    assert!(is_linearizable(&[put.clone(), (get(Of::Working, "main/x"), value("1"), 3, Some(4))]));
    assert!(!is_linearizable(&[put, (get(Of::Working, "main/x"), NONE, 3, Some(4))]));
}

#[test]
fn what_is_under_way_may_be_seen_or_not_but_not_come_and_go() {
    let put = (put("main", "main/x", "1"), Answer::Unknown, 1, None);
    let read = |answer: &Answer, at: usize| (get(Of::Working, "main/x"), answer.clone(), at, Some(at + 1));
    for seen in [[&NONE, &NONE], [&NONE, &value("1")], [&value("1"), &value("1")]] {
        assert!(is_linearizable(&[put.clone(), read(seen[0], 2), read(seen[1], 4)]));
    }
    assert!(!is_linearizable(&[put, read(&value("1"), 2), read(&NONE, 4)]));
}

#[test]
fn a_transaction_is_not_seen_half() {
    let writes = vec![write("main", "main/x", "1"), write("main", "main/y", "1")];
    let pair = (Ask::Apply { writes, absent: Vec::new() }, Answer::Unknown, 1, None);
    let whole = content(&[("main/x", "1"), ("main/y", "1")]);
    assert!(is_linearizable(&[pair.clone(), (list(), whole, 2, Some(3))]));
    assert!(!is_linearizable(&[pair, (list(), content(&[("main/x", "1")]), 2, Some(3))]));
}

#[test]
fn of_two_that_exclude_each_other_one_is_done() {
    let first = (put_if_none("main/x", "main/y"), Answer::Done, 1, Some(3));
    let second = |answer| (put_if_none("main/y", "main/x"), answer, 2, Some(4));
    assert!(is_linearizable(&[first.clone(), second(Answer::Refused)]));
    assert!(!is_linearizable(&[first, second(Answer::Done)]), "write skew");
}

#[test]
fn a_commit_shows_one_state_of_the_branch() {
    let history = |seen: Answer| {
        vec![
            (put("main", "main/x", "1"), Answer::Done, 1, Some(2)),
            (put("main", "main/y", "1"), Answer::Done, 3, Some(6)),
            (commit(), Answer::Done, 4, Some(5)),
            (Ask::List { branch: "main".into(), of: Of::Head }, seen, 7, Some(8)),
        ]
    };
    assert!(is_linearizable(&history(content(&[("main/x", "1")]))));
    assert!(is_linearizable(&history(content(&[("main/x", "1"), ("main/y", "1")]))));
    assert!(!is_linearizable(&history(content(&[("main/y", "1")]))));
    assert!(!is_linearizable(&history(content(&[]))));
}

#[test]
fn a_merge_brings_a_head_that_the_source_had_meanwhile() {
    let create = Ask::CreateBranch { name: "a".into(), source: "main".into() };
    let merge = Ask::Merge { source: "a".into(), destination: "main".into() };
    let commit = Ask::Commit { branch: "a".into() };
    let history = |seen: Answer, merged: (usize, usize)| {
        vec![
            (create.clone(), Answer::Done, 1, Some(2)),
            (put("a", "a/x", "1"), Answer::Done, 3, Some(4)),
            (commit.clone(), Answer::Done, 5, Some(6)),
            (put("a", "a/x", "2"), Answer::Done, 7, Some(8)),
            (commit.clone(), Answer::Done, 10, Some(11)),
            (merge.clone(), Answer::Done, merged.0, Some(merged.1)),
            (get(Of::Head, "a/x"), seen, 14, Some(15)),
        ]
    };
    assert!(is_linearizable(&history(value("1"), (9, 13))), "the merge began before the second commit");
    assert!(is_linearizable(&history(value("2"), (9, 13))));
    assert!(!is_linearizable(&history(value("1"), (12, 13))), "an old head was merged");
    assert!(!is_linearizable(&history(NONE, (9, 13))));
}

#[test]
fn a_branch_that_is_gone_is_gone() {
    let create = || Ask::CreateBranch { name: "s".into(), source: "main".into() };
    let delete = (Ask::DeleteBranch { name: "s".into() }, Answer::Done, 3, Some(4));
    let made = (create(), Answer::Done, 1, Some(2));
    assert!(is_linearizable(&[made.clone(), delete.clone(), (create(), Answer::Done, 5, Some(6))]));
    assert!(!is_linearizable(&[made.clone(), delete.clone(), (create(), Answer::BranchExists, 5, Some(6))]));
    assert!(!is_linearizable(&[made, delete, (put("s", "s/x", "1"), Answer::Done, 5, Some(6))]));
}
