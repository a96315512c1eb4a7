//! `braid demo` on a small folder.

use std::fs;

use super::binary::run;

#[test]
fn the_demonstration_works_and_leaves_nothing_behind() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(folder.path().join("inner")).unwrap();
    for number in 0..12 {
        let name = if number % 2 == 0 { format!("{number}.txt") } else { format!("inner/{number}.txt") };
        fs::write(folder.path().join(name), format!("file {number}\n").repeat(number)).unwrap();
    }
    let environment = [("TMPDIR", temporary.path().to_str().unwrap())];
    let printed = run(&["demo", folder.path().to_str().unwrap()], &environment).ok();
    assert!(printed.contains("12 files of"), "{printed}");
    assert!(printed.contains("\nAll of it worked in "), "{printed}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "temporary data is cleared away");
}

#[test]
fn the_demonstration_refuses_a_folder_with_too_few_files() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..9 {
        fs::write(folder.path().join(number.to_string()), "x").unwrap();
    }
    let name = folder.path().to_str().unwrap();
    let ended = run(&["demo", name], &[]);
    ended.refused(1, &["needs at least 10 files", &format!("'{name}' has 9")]);
}
