//! The checker finds what is wrong with histories that were made up.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checker::{Operation, Verdict, search};
use super::model::State;
use super::words::{Answer, Ask, Member, Of, Source, To, Write};

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
    let [in_order, any] = [true, false].map(|in_order| {
        let verdict = search(&State::new(["main", "pond/main"]), &history, 1_000_000, in_order);
        assert_ne!(verdict, Verdict::Undecided, "a short history is decided");
        verdict == Verdict::Linearizable
    });
    assert_eq!(in_order, any, "what is left out makes no difference");
    any
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

fn head(branch: &str) -> Ask {
    Ask::List { branch: branch.into(), of: Of::Head }
}

fn set(branches: &[&str]) -> Ask {
    let commit = |branch: &&str| Member::Commit { branch: (*branch).into() };
    Ask::Set { members: branches.iter().map(commit).collect() }
}

const BOTH: [&str; 2] = ["main", "pond/main"];

#[test]
fn heads_of_a_set_move_together_or_not_at_all() {
    let history = |answer: Answer, seen: [Answer; 2]| {
        let answered = (answer == Answer::Done).then_some(6);
        let [first, second] = seen;
        vec![
            (put("main", "main/x", "1"), Answer::Done, 1, Some(2)),
            (put("pond/main", "pond/main/x", "1"), Answer::Done, 3, Some(4)),
            (set(&BOTH), answer, 5, answered),
            (head("main"), first, 7, Some(8)),
            (head("pond/main"), second, 9, Some(10)),
        ]
    };
    let (moved, also) = (content(&[("main/x", "1")]), content(&[("pond/main/x", "1")]));
    let none = || content(&[]);
    assert!(is_linearizable(&history(Answer::Done, [moved.clone(), also.clone()])));
    assert!(!is_linearizable(&history(Answer::Done, [none(), also.clone()])), "half of it");
    assert!(!is_linearizable(&history(Answer::Done, [moved.clone(), none()])), "the other half");
    assert!(is_linearizable(&history(Answer::Unknown, [none(), none()])));
    assert!(is_linearizable(&history(Answer::Unknown, [none(), also])), "it came in between");
    assert!(!is_linearizable(&history(Answer::Unknown, [moved, none()])), "half of what may have happened");
}

#[test]
fn a_set_commits_what_its_branches_held_at_one_moment() {
    let writes = vec![write("main", "main/x", "2"), write("pond/main", "pond/main/x", "2")];
    let history = |first: &str, second: &str| {
        vec![
            (put("main", "main/x", "1"), Answer::Done, 1, Some(2)),
            (put("pond/main", "pond/main/x", "1"), Answer::Done, 3, Some(4)),
            (set(&BOTH), Answer::Done, 5, Some(8)),
            (Ask::Apply { writes: writes.clone(), absent: Vec::new() }, Answer::Done, 6, Some(7)),
            (head("main"), content(&[("main/x", first)]), 9, Some(10)),
            (head("pond/main"), content(&[("pond/main/x", second)]), 11, Some(12)),
        ]
    };
    assert!(is_linearizable(&history("1", "1")) && is_linearizable(&history("2", "2")));
    assert!(!is_linearizable(&history("1", "2")) && !is_linearizable(&history("2", "1")));
}

#[test]
fn two_commits_may_both_begin_before_a_change_of_both_branches() {
    let writes = vec![write("main", "main/x", "2"), write("pond/main", "pond/main/x", "2")];
    let commit = |branch: &str| Ask::Commit { branch: branch.into() };
    assert!(is_linearizable(&[
        (put("main", "main/x", "1"), Answer::Done, 1, Some(2)),
        (put("pond/main", "pond/main/x", "1"), Answer::Done, 3, Some(4)),
        (commit("main"), Answer::Done, 5, Some(9)),
        (commit("pond/main"), Answer::Done, 6, Some(10)),
        (Ask::Apply { writes, absent: Vec::new() }, Answer::Done, 7, Some(8)),
        (head("main"), content(&[("main/x", "1")]), 11, Some(12)),
        (head("pond/main"), content(&[("pond/main/x", "1")]), 13, Some(14)),
    ]));
}

#[test]
fn a_hard_reset_loses_no_later_put_and_no_uncommitted_one() {
    let back = |by| Ask::HardReset { branch: "main".into(), to: To::Back(by) };
    let committed = |rest: &[(Ask, Answer, usize, Option<usize>)]| {
        let first = (put("main", "main/x", "1"), Answer::Done, 1, Some(2));
        [&[first, (commit(), Answer::Done, 3, Some(4))], rest].concat()
    };
    let seen = |answer, at| (list(), answer, at, Some(at + 1));
    assert!(is_linearizable(&committed(&[(back(1), Answer::Done, 5, Some(6)), seen(content(&[]), 7)])));
    let later = (put("main", "main/y", "2"), Answer::Done, 7, Some(8));
    let reset = (back(1), Answer::Done, 5, Some(6));
    let lost = committed(&[reset.clone(), later.clone(), seen(content(&[]), 9)]);
    assert!(!is_linearizable(&lost), "what was put after it is gone");
    assert!(is_linearizable(&committed(&[reset, later, seen(content(&[("main/y", "2")]), 9)])));
    let dirty = (put("main", "main/y", "2"), Answer::Done, 5, Some(6));
    assert!(!is_linearizable(&committed(&[dirty, (back(1), Answer::Done, 7, Some(8))])));
    assert!(is_linearizable(&committed(&[(back(2), Answer::Nothing, 5, Some(6))])));
    assert!(!is_linearizable(&committed(&[(back(1), Answer::Nothing, 5, Some(6))])));
}

#[test]
fn a_hard_reset_that_was_not_answered_is_done_once_at_most() {
    let back = Ask::HardReset { branch: "main".into(), to: To::Back(1) };
    let history = |seen: &Answer| {
        let mut history = Vec::new();
        for round in 0..2 {
            let at = 4 * round + 1;
            history.push((put("main", "main/x", &round.to_string()), Answer::Done, at, Some(at + 1)));
            history.push((commit(), Answer::Done, at + 2, Some(at + 3)));
        }
        history.push((back.clone(), Answer::Unknown, 9, None));
        history.push((list(), seen.clone(), 10, Some(11)));
        history
    };
    assert!(is_linearizable(&history(&content(&[("main/x", "1")]))));
    assert!(is_linearizable(&history(&content(&[("main/x", "0")]))));
    assert!(!is_linearizable(&history(&content(&[]))), "it went back twice");
}

#[test]
fn an_import_is_seen_whole_or_not_at_all() {
    let directory = Source::Directory { to: "main/d/".into(), value: Some("1".into()) };
    let object = Source::Object { to: "main/x".into(), value: "1".into() };
    let sources = vec![directory, object];
    let import = |commit| Ask::Import { branch: "main".into(), sources: sources.clone(), commit };
    let history = |commit, answer: Answer, seen: &[(&str, &str)]| {
        let answered = (answer == Answer::Done).then_some(5);
        let before = put("main", "main/d/old", "0");
        let mut history = vec![(before, Answer::Done, 1, Some(2))];
        if commit {
            history.push((self::commit(), Answer::Done, 3, Some(4)));
        }
        history.push((import(commit), answer, 5, answered.map(|_| 6)));
        let of = if commit { Of::Head } else { Of::Working };
        history.push((Ask::List { branch: "main".into(), of }, content(seen), 7, Some(8)));
        history
    };
    let whole = [("main/d/y", "1"), ("main/d/z", "1"), ("main/x", "1")];
    let none = [("main/d/old", "0")];
    for commit in [false, true] {
        assert!(is_linearizable(&history(commit, Answer::Done, &whole)));
        assert!(is_linearizable(&history(commit, Answer::Unknown, &none)));
        assert!(!is_linearizable(&history(commit, Answer::Done, &none)), "it is not there");
        assert!(!is_linearizable(&history(commit, Answer::Unknown, &whole[..2])), "half of it");
        assert!(!is_linearizable(&history(commit, Answer::Done, &[&none[..], &whole].concat())), "beside");
    }
}

#[test]
fn all_pages_are_of_the_moment_of_the_first() {
    let pages = Ask::Pages { branch: "main".into(), of: Of::Working };
    // The first page is answered at 8, the later put begins at 9.
    let history = |answer: Answer| {
        vec![
            (put("main", "main/x", "1"), Answer::Done, 1, Some(2)),
            (put("main", "main/y", "1"), Answer::Done, 5, Some(6)),
            (pages.clone(), answer, 4, Some(8)),
            (put("main", "main/z", "1"), Answer::Done, 9, Some(10)),
        ]
    };
    let [x, y, z] = ["main/x", "main/y", "main/z"].map(|path| (path, "1"));
    for seen in [&[x][..], &[x, y]] {
        assert!(is_linearizable(&history(content(seen))));
    }
    for seen in [&[][..], &[y], &[x, z], &[x, y, z]] {
        assert!(!is_linearizable(&history(content(seen))), "{seen:?}");
    }
    let beginning = |seen: &[(&str, &str)], until: &str| match content(seen) {
        Answer::Content(tree) => Answer::Beginning(tree, until.into()),
        _ => unreachable!("it is made of content"),
    };
    assert!(is_linearizable(&history(beginning(&[x], "main/x"))));
    assert!(is_linearizable(&history(beginning(&[x], "main/y"))), "before the second put");
    assert!(!is_linearizable(&history(beginning(&[y], "main/y"))), "a path is missing");
}
