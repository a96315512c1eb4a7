//! What `commit-set` reads: one JSON object a line.

use std::collections::BTreeMap;

use braid_client::{CommitBranch, CreateTag, HardResetBranch, Merge, MergeStrategy, SetMember};
use braid_types::limits::SET_MEMBERS;
use braid_types::{BranchName, RefExpression};
use serde::Deserialize;

use crate::address::{BranchAddress, RefAddress, TagAddress};
use crate::arguments::reference;
use crate::failure::Failure;

/// A line as it is written.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Written {
    Commit {
        branch: String,
        message: String,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
        #[serde(default)]
        allow_empty: bool,
    },
    Merge {
        source: String,
        into: String,
        strategy: Option<Strategy>,
        message: Option<String>,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
        #[serde(default)]
        squash: bool,
        #[serde(default)]
        allow_empty: bool,
    },
    Tag {
        tag: String,
        #[serde(rename = "ref")]
        reference: String,
    },
    Reset {
        branch: String,
        to: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Strategy {
    SourceWins,
    DestWins,
}

impl From<Strategy> for MergeStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::SourceWins => Self::SourceWins,
            Strategy::DestWins => Self::DestinationWins,
        }
    }
}

/// The members that the lines of `text` ask for; empty lines are passed over.
///
/// # Errors
/// Names the first line that makes no sense, by its number.
pub(super) fn parse(text: &str) -> Result<Vec<SetMember>, Failure> {
    let mut members = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        members.push(read(line).map_err(|reason| Failure::Usage(format!("line {number}: {reason}")))?);
    }
    if members.is_empty() || members.len() > SET_MEMBERS {
        let message = format!("there must be 1 to {SET_MEMBERS} lines, not {}", members.len());
        return Err(Failure::Usage(message));
    }
    Ok(members)
}

fn read(line: &str) -> Result<SetMember, String> {
    match serde_json::from_str(line).map_err(|error| error.to_string())? {
        Written::Commit { branch, message, metadata, allow_empty } => {
            let BranchAddress { repository, reference: branch, .. } = branch_address(&branch)?;
            let date = None;
            Ok(SetMember::Commit(CommitBranch { repository, branch, message, metadata, allow_empty, date }))
        }
        Written::Merge { source, into, strategy, message, metadata, squash, allow_empty } => {
            let RefAddress { repository, reference: source, .. } =
                source.parse().map_err(|error| format!("'{source}': {error}"))?;
            let destination = BranchName::new(into).map_err(|error| error.to_string())?;
            let strategy = strategy.map(Into::into).unwrap_or_default();
            Ok(SetMember::Merge(Merge {
                repository,
                source,
                destination,
                strategy,
                message,
                metadata,
                squash,
                allow_empty,
            }))
        }
        Written::Tag { tag, reference } => {
            let TagAddress { repository, reference: name, .. } =
                tag.parse().map_err(|error| format!("'{tag}': {error}"))?;
            Ok(SetMember::Tag(CreateTag { repository, name, reference: named(&reference)? }))
        }
        Written::Reset { branch, to } => {
            let BranchAddress { repository, reference: branch, .. } = branch_address(&branch)?;
            Ok(SetMember::HardReset(HardResetBranch { repository, branch, reference: named(&to)? }))
        }
    }
}

fn branch_address(text: &str) -> Result<BranchAddress, String> {
    text.parse().map_err(|error| format!("'{text}': {error}"))
}

fn named(text: &str) -> Result<RefExpression, String> {
    reference(text).map_err(|error| format!("'{text}': {error}"))
}

#[cfg(test)]
mod tests {
    use braid_types::{RepositoryName, TagName};

    use super::*;

    #[test]
    fn lines_say_what_to_do_in_order() {
        let text = r#"
            {"op": "commit", "branch": "braid://lake/dev", "message": "m", "metadata": {"k": "v"}}

            {"op": "merge", "source": "braid://lake/dev~1", "into": "main", "strategy": "dest-wins", "squash": true}
            {"op": "tag", "tag": "braid://lake/v1", "ref": "main"}
            {"op": "reset", "branch": "braid://other/stable", "to": "main@"}"#;
        let (lake, other) = (RepositoryName::new("lake").unwrap(), RepositoryName::new("other").unwrap());
        let (branch, named) =
            (|name: &str| BranchName::new(name).unwrap(), |text: &str| RefExpression::parse(text).unwrap());
        let expected = [
            SetMember::Commit(CommitBranch {
                repository: lake.clone(),
                branch: branch("dev"),
                message: "m".into(),
                metadata: [("k".to_owned(), "v".to_owned())].into(),
                allow_empty: false,
                date: None,
            }),
            SetMember::Merge(Merge {
                repository: lake.clone(),
                source: named("dev~1"),
                destination: branch("main"),
                strategy: MergeStrategy::DestinationWins,
                message: None,
                metadata: BTreeMap::new(),
                squash: true,
                allow_empty: false,
            }),
            SetMember::Tag(CreateTag {
                repository: lake,
                name: TagName::new("v1").unwrap(),
                reference: named("main"),
            }),
            SetMember::HardReset(HardResetBranch {
                repository: other,
                branch: branch("stable"),
                reference: named("main@"),
            }),
        ];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let good = r#"{"op": "reset", "branch": "braid://lake/main", "to": "v1"}"#;
        let refusal = |text: &str| parse(text).unwrap_err().to_string();
        for (bad, named) in [
            ("{", "line 2: EOF"),
            (r#"{"op": "move"}"#, "line 2: unknown variant `move`"),
            (r#"{"op": "commit", "branch": "braid://lake/main"}"#, "line 2: missing field `message`"),
            (r#"{"op": "reset", "branch": "braid://lake/main/a", "to": "v1"}"#, "there must be no path here"),
            (r#"{"op": "tag", "tag": "braid://lake/v1", "ref": "braid://lake/main"}"#, "give the ref alone"),
            (r#"{"op": "merge", "source": "dev", "into": "main"}"#, "line 2: 'dev': an address looks like"),
            (
                r#"{"op": "merge", "source": "braid://lake/dev", "into": "main", "strategy": "mine"}"#,
                "unknown variant `mine`",
            ),
        ] {
            let said = refusal(&format!("{good}\n{bad}"));
            assert!(said.contains(named), "{named}: {said}");
        }
        assert!(refusal("").contains("1 to 1000 lines, not 0"));
        assert!(refusal(&format!("{good}\n").repeat(1001)).contains("not 1001"));
    }
}
