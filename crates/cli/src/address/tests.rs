use proptest::prelude::*;

use super::*;

fn refusal<R: ReferencePart + fmt::Debug, P: PathPart + fmt::Debug>(text: &str) -> String {
    text.parse::<Address<R, P>>().unwrap_err().to_string()
}

#[test]
fn the_path_is_everything_after_the_second_slash() {
    for (text, path) in [
        ("braid://repo/main/a", "a"),
        ("braid://repo/main/a/b//c/", "a/b//c/"),
        ("braid://repo/main//x", "/x"),
        ("braid://repo/main/../x?y#z%20 ", "../x?y#z%20 "),
    ] {
        let address: ObjectAddress = text.parse().unwrap();
        assert_eq!((address.repository.as_str(), address.reference.text()), ("repo", "main"));
        assert_eq!(address.path.as_str(), path);
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn prefixes_may_be_empty_and_refs_may_be_expressions() {
    for text in ["braid://repo/main~2^1", "braid://repo/main~2^1/"] {
        let address: TreeAddress = text.parse().unwrap();
        assert_eq!((address.reference.text(), address.path.as_str()), ("main~2^1", ""));
        assert_eq!(address.to_string(), "braid://repo/main~2^1");
    }
    assert_eq!("braid://repo/v1.0~/".parse::<TagAddress>().unwrap().reference.as_str(), "v1.0~");
}

#[test]
fn repositories_need_no_scheme() {
    for text in ["repo", "braid://repo", "braid://repo/"] {
        assert_eq!(text.parse::<RepositoryAddress>().unwrap().0.as_str(), "repo");
    }
    let error = "braid://repo/main".parse::<RepositoryAddress>().unwrap_err();
    assert_eq!(error, AddressError::MoreThanRepository { repository: "repo".into() });
    assert!("Repo".parse::<RepositoryAddress>().is_err());
    assert!("braid:///x".parse::<RepositoryAddress>().is_err());
}

#[test]
fn what_is_missing_or_too_much_is_said() {
    let object = refusal::<RefExpression, ObjectPath>;
    assert!(object("repo/main/a").contains("looks like braid://repository/ref/path"));
    assert!(object("s3://repo/main/a").contains("looks like"));
    assert!(object("braid://").contains("repository is missing"));
    assert!(object("braid:///main/a").contains("repository is missing"));
    assert_eq!(object("braid://repo"), "the ref is missing: braid://repo/<ref>");
    assert_eq!(object("braid://repo//a"), "the ref is missing: braid://repo/<ref>");
    assert_eq!(object("braid://repo/main/"), "the path is missing: braid://repo/main/<path>");
    assert!(object("braid://R/main/a").contains("'R' is not a repository name"));
    assert!(object("braid://repo/a b/c").contains("is not a ref expression"));
    let branch = refusal::<BranchName, NoPath>;
    assert!(
        branch("braid://repo/main~1").starts_with("this changes a branch, and 'main~1' is not a branch name")
    );
    assert_eq!(branch("braid://repo/main/a"), "there must be no path here, and 'a' is one");
    assert_eq!(branch("braid://repo"), "the branch is missing: braid://repo/<branch>");
}

proptest! {
    #[test]
    fn any_path_survives(path in ".{1,40}") {
        let address: ObjectAddress = format!("braid://repo/main@/{path}").parse().unwrap();
        prop_assert_eq!(address.path.as_str(), path.as_str());
        prop_assert_eq!(address.to_string().parse::<ObjectAddress>().unwrap(), address);
    }

    #[test]
    fn no_text_is_a_panic(text in "(braid://)?[a-z/]{0,8}.{0,10}") {
        let _ = text.parse::<ObjectAddress>();
        let _ = text.parse::<BranchAddress>();
        let _ = text.parse::<RepositoryAddress>();
    }
}
