//! What `apply` reads: one JSON object a line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use braid_client::Rule;
use braid_types::ObjectPath;
use braid_types::limits::TRANSACTION_OPERATIONS;
use serde::Deserialize;

use crate::address::BranchObjectAddress;
use crate::failure::Failure;

/// What one line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A file is to become an object.
    Put(Put),
    /// An object is to go, if it has this etag.
    Delete(BranchObjectAddress, Option<String>),
    /// This must hold.
    Check(BranchObjectAddress, Rule),
}

/// A file that is to become an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) address: BranchObjectAddress,
    pub(super) file: PathBuf,
    pub(super) content_type: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) if_absent: bool,
    pub(super) if_etag: Option<String>,
}

/// A line as it is written.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Written {
    Put {
        address: String,
        file: PathBuf,
        #[serde(default)]
        content_type: String,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
        #[serde(default)]
        if_absent: bool,
        if_etag: Option<String>,
    },
    Delete {
        address: String,
        if_etag: Option<String>,
    },
    Check {
        address: String,
        #[serde(default)]
        if_absent: bool,
        if_etag: Option<String>,
    },
}

/// The lines of `text`; empty ones are passed over.
///
/// # Errors
/// Names the first line that makes no sense, by its number.
pub(super) fn parse(text: &str) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    let mut operations = 0;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let line = read(line).map_err(|reason| Failure::Usage(format!("line {number}: {reason}")))?;
        operations += usize::from(!matches!(line, Line::Check(..)));
        lines.push(line);
    }
    if operations == 0 || operations > TRANSACTION_OPERATIONS {
        let message =
            format!("there must be 1 to {TRANSACTION_OPERATIONS} puts and deletes, not {operations}");
        return Err(Failure::Usage(message));
    }
    Ok(lines)
}

fn read(line: &str) -> Result<Line, String> {
    match serde_json::from_str(line).map_err(|error| error.to_string())? {
        Written::Put { address, file, content_type, metadata, if_absent, if_etag } => {
            if if_absent && if_etag.is_some() {
                return Err("a put has `if_absent` or `if_etag`, not both".to_owned());
            }
            let address = parsed(&address)?;
            // The address of a put is written, so the shorter limit holds.
            ObjectPath::new(address.path.as_str()).map_err(|error| error.to_string())?;
            Ok(Line::Put(Put { address, file, content_type, metadata, if_absent, if_etag }))
        }
        Written::Delete { address, if_etag } => Ok(Line::Delete(parsed(&address)?, if_etag)),
        Written::Check { address, if_absent, if_etag } => {
            let rule = match (if_absent, if_etag) {
                (true, None) => Rule::Absent,
                (false, Some(etag)) => Rule::Etag(etag),
                _ => return Err("a check has `if_absent` or `if_etag`".to_owned()),
            };
            Ok(Line::Check(parsed(&address)?, rule))
        }
    }
}

fn parsed(address: &str) -> Result<BranchObjectAddress, String> {
    address.parse().map_err(|error| format!("'{address}': {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn lines_say_what_to_do() {
        let text = r#"
            {"op": "check", "address": "braid://lake/main/c", "if_etag": "e"}

            {"op": "put", "address": "braid://lake/main/a", "file": "x", "metadata": {"k": "v"}, "if_absent": true}
            {"op": "delete", "address": "braid://lake/other/b", "if_etag": "f"}"#;
        let at = |address: &str| address.parse::<BranchObjectAddress>().unwrap();
        let put = Put {
            address: at("braid://lake/main/a"),
            file: "x".into(),
            content_type: String::new(),
            metadata: [("k".to_owned(), "v".to_owned())].into(),
            if_absent: true,
            if_etag: None,
        };
        let expected = [
            Line::Check(at("braid://lake/main/c"), Rule::Etag("e".to_owned())),
            Line::Put(put),
            Line::Delete(at("braid://lake/other/b"), Some("f".to_owned())),
        ];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let good = r#"{"op": "delete", "address": "braid://lake/main/a"}"#;
        for (bad, named) in [
            ("{", "line 2: EOF"),
            (r#"{"op": "move", "address": "braid://lake/main/a"}"#, "line 2: unknown variant `move`"),
            (r#"{"op": "delete", "address": "braid://lake/main/a", "if": 1}"#, "line 2: unknown field `if`"),
            (r#"{"op": "delete", "address": "lake/main/a"}"#, "line 2: 'lake/main/a': an address looks like"),
            (r#"{"op": "delete", "address": "braid://lake/main"}"#, "the path is missing"),
            (r#"{"op": "check", "address": "braid://lake/main/a"}"#, "a check has"),
            (
                r#"{"op": "put", "address": "braid://l-1/m/a", "file": "x", "if_absent": true, "if_etag": "e"}"#,
                "not both",
            ),
        ] {
            let said = refusal(&format!("{good}\n{bad}"));
            assert!(said.contains(named), "{named}: {said}");
        }
        assert!(refusal("").contains("1 to 10000 puts and deletes, not 0"));
        assert!(refusal(&format!("{good}\n").repeat(10_001)).contains("not 10001"));
    }
}
