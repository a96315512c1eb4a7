//! What `apply` reads: one JSON object a line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use braid_client::{Copy, ObjectMetadata, Removal, Rule};
use braid_types::ObjectPath;
use braid_types::limits::TRANSACTION_OPERATIONS;
use serde::Deserialize;

use crate::address::{AddressError, BranchObjectAddress, ObjectAddress};
use crate::failure::Failure;

/// What one line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A file is to become an object.
    Put(Put),
    /// An object is to go.
    Delete(BranchObjectAddress, Removal),
    /// A path is to show what another one shows.
    Copy(BranchObjectAddress, Copy),
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
    pub(super) if_generation: Option<u64>,
}

impl Line {
    /// What the line calls it.
    pub(super) fn op(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Delete(..) => "delete",
            Self::Copy(..) => "copy",
            Self::Check(..) => "check",
        }
    }
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
        if_generation: Option<Generation>,
    },
    Delete {
        address: String,
        if_etag: Option<String>,
        if_generation: Option<Generation>,
    },
    Copy {
        from: String,
        address: String,
        metadata: Option<BTreeMap<String, String>>,
        #[serde(default)]
        if_absent: bool,
        if_etag: Option<String>,
        if_generation: Option<Generation>,
    },
    Check {
        address: String,
        #[serde(default)]
        if_absent: bool,
        if_etag: Option<String>,
        if_generation: Option<Generation>,
    },
}

/// A generation as `stat` writes it, or as a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a generation is a number, or its digits")]
enum Generation {
    Number(u64),
    #[serde(deserialize_with = "digits")]
    Digits(u64),
}

fn digits<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl Generation {
    fn number(self) -> u64 {
        match self {
            Self::Number(number) | Self::Digits(number) => number,
        }
    }
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
            format!("there must be 1 to {TRANSACTION_OPERATIONS} puts, deletes and copies, not {operations}");
        return Err(Failure::Usage(message));
    }
    Ok(lines)
}

fn read(line: &str) -> Result<Line, String> {
    match serde_json::from_str(line).map_err(|error| error.to_string())? {
        Written::Put { address, file, content_type, metadata, if_absent, if_etag, if_generation } => {
            let if_generation = if_generation.map(Generation::number);
            one_at_most("put", if_absent, if_etag.as_deref(), if_generation)?;
            let address = written(&address)?;
            Ok(Line::Put(Put { address, file, content_type, metadata, if_absent, if_etag, if_generation }))
        }
        Written::Delete { address, if_etag, if_generation } => {
            let address: BranchObjectAddress = parsed(&address)?;
            let if_generation = if_generation.map(Generation::number);
            one_at_most("delete", false, if_etag.as_deref(), if_generation)?;
            let path = address.path.clone();
            Ok(Line::Delete(address, Removal { path, if_etag, if_generation }))
        }
        Written::Copy { from, address, metadata, if_absent, if_etag, if_generation } => {
            let if_generation = if_generation.map(Generation::number);
            one_at_most("copy", if_absent, if_etag.as_deref(), if_generation)?;
            let (source, address) = (parsed::<ObjectAddress>(&from)?, written(&address)?);
            if source.repository != address.repository {
                return Err(format!("'{from}' is in another repository than '{address}'"));
            }
            let copy = Copy {
                reference: Some(source.reference),
                source: source.path,
                path: address.path.clone(),
                metadata: metadata.map(|entries| ObjectMetadata { entries }),
                if_absent,
                if_etag,
                if_generation,
            };
            Ok(Line::Copy(address, copy))
        }
        Written::Check { address, if_absent, if_etag, if_generation } => {
            let rule = match (if_absent, if_etag, if_generation) {
                (true, None, None) => Rule::Absent,
                (false, Some(etag), None) => Rule::Etag(etag),
                (false, None, Some(generation)) => Rule::Generation(generation.number()),
                _ => return Err("a check has `if_absent`, `if_etag` or `if_generation`".to_owned()),
            };
            Ok(Line::Check(parsed(&address)?, rule))
        }
    }
}

fn one_at_most(
    what: &str,
    if_absent: bool,
    if_etag: Option<&str>,
    if_generation: Option<u64>,
) -> Result<(), String> {
    let given = [if_absent, if_etag.is_some(), if_generation.is_some()];
    match given.iter().filter(|given| **given).count() {
        0 | 1 => Ok(()),
        _ => Err(format!("a {what} has one of `if_absent`, `if_etag` and `if_generation`, not several")),
    }
}

/// An address that is written to, so the shorter limit of paths holds.
fn written(address: &str) -> Result<BranchObjectAddress, String> {
    let address: BranchObjectAddress = parsed(address)?;
    ObjectPath::new(address.path.as_str()).map_err(|error| error.to_string())?;
    Ok(address)
}

fn parsed<A: FromStr<Err = AddressError>>(address: &str) -> Result<A, String> {
    address.parse().map_err(|error| format!("'{address}': {error}"))
}

#[cfg(test)]
mod tests {
    use braid_types::RefExpression;

    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn lines_say_what_to_do() {
        let text = r#"
            {"op": "check", "address": "braid://lake/main/c", "if_etag": "e"}

            {"op": "put", "address": "braid://lake/main/a", "file": "x", "metadata": {"k": "v"}, "if_absent": true}
            {"op": "delete", "address": "braid://lake/other/b", "if_etag": "f"}
            {"op": "delete", "address": "braid://lake/other/b", "if_generation": 18446744073709551615}
            {"op": "copy", "from": "braid://lake/v1~2/a", "address": "braid://lake/main/d", "metadata": {}, "if_generation": "0"}
            {"op": "check", "address": "braid://lake/main/c", "if_generation": "18446744073709551615"}"#;
        let at = |address: &str| address.parse::<BranchObjectAddress>().unwrap();
        let put = Put {
            address: at("braid://lake/main/a"),
            file: "x".into(),
            content_type: String::new(),
            metadata: [("k".to_owned(), "v".to_owned())].into(),
            if_absent: true,
            if_etag: None,
            if_generation: None,
        };
        let removal = |if_etag: Option<&str>, if_generation| {
            let path = ObjectPath::new("b").unwrap();
            Removal { path, if_etag: if_etag.map(str::to_owned), if_generation }
        };
        let copy = Copy {
            reference: Some(RefExpression::parse("v1~2").unwrap()),
            source: ObjectPath::new("a").unwrap(),
            path: ObjectPath::new("d").unwrap(),
            metadata: Some(ObjectMetadata::default()),
            if_absent: false,
            if_etag: None,
            if_generation: Some(0),
        };
        let expected = [
            Line::Check(at("braid://lake/main/c"), Rule::Etag("e".to_owned())),
            Line::Put(put),
            Line::Delete(at("braid://lake/other/b"), removal(Some("f"), None)),
            Line::Delete(at("braid://lake/other/b"), removal(None, Some(u64::MAX))),
            Line::Copy(at("braid://lake/main/d"), copy),
            Line::Check(at("braid://lake/main/c"), Rule::Generation(u64::MAX)),
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
                "not several",
            ),
            (
                r#"{"op": "delete", "address": "braid://l-1/m/a", "if_generation": 1, "if_etag": "e"}"#,
                "not several",
            ),
            (
                r#"{"op": "check", "address": "braid://l-1/m/a", "if_generation": -1}"#,
                "a number, or its digits",
            ),
            (
                r#"{"op": "check", "address": "braid://l-1/m/a", "if_generation": "x"}"#,
                "a number, or its digits",
            ),
            (
                r#"{"op": "copy", "from": "braid://pond/main/a", "address": "braid://lake/main/a"}"#,
                "another repository",
            ),
            (r#"{"op": "copy", "address": "braid://lake/main/a"}"#, "missing field `from`"),
        ] {
            let said = refusal(&format!("{good}\n{bad}"));
            assert!(said.contains(named), "{named}: {said}");
        }
        assert!(refusal("").contains("1 to 10000 puts, deletes and copies, not 0"));
        assert!(refusal(&format!("{good}\n").repeat(10_001)).contains("not 10001"));
    }
}
