//! What to try next after a failure.

use braid_types::{Code, Error};

use crate::failure::Failure;

/// What to try next after `failure` of a call to `endpoint`.
pub(crate) fn hint(failure: &Failure, endpoint: &str) -> Option<String> {
    let Failure::Service(error) = failure else { return None };
    if error.may_have_happened() {
        return Some("it may have been done all the same: look before you do it again".into());
    }
    by_code(error, endpoint)
}

fn by_code(error: &Error, endpoint: &str) -> Option<String> {
    let text = match error.code() {
        Code::Unavailable | Code::DeadlineExceeded => {
            return Some(format!("is a server running at {endpoint}? `--endpoint` names another"));
        }
        Code::Unauthenticated => {
            "set BRAID_ACCESS_KEY_ID and BRAID_SECRET_ACCESS_KEY, or write them to the configuration file"
        }
        Code::DirtyBranch => "commit the branch's changes, or drop them with `braid branch reset`",
        Code::NothingToCommit => "`--allow-empty` commits all the same",
        Code::MergeConflict => "`--strategy source-wins` or `--strategy dest-wins` takes one side's",
        Code::ParentRequired => "`--parent 1` compares with the first parent",
        Code::DefaultBranch => "the default branch goes with its repository: `braid repo delete`",
        Code::RepositoryNotEmpty => "`braid repo create` makes an empty repository to restore into",
        Code::DumpNotFound => {
            "`--manifest` names a dump: what `braid dump -o json` or `lakectl refs-dump` printed"
        }
        Code::AmbiguousRef => "give more of the commit's id",
        Code::Busy | Code::Conflict | Code::StorageFull => "nothing was changed: try again later",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_of(error: Error) -> Option<String> {
        hint(&Failure::Service(error), "http://here:1")
    }

    #[test]
    fn doubt_comes_before_advice() {
        let unavailable = Error::new(Code::Unavailable, "", "");
        assert!(hint_of(unavailable.clone()).unwrap().contains("http://here:1"));
        assert!(hint_of(unavailable.that_may_have_happened()).unwrap().contains("look before"));
        assert_eq!(hint_of(Error::new(Code::ObjectNotFound, "a", "m")), None);
        assert_eq!(hint(&Failure::Declined, ""), None);
    }
}
