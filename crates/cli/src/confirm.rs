//! Asking before something is lost.

use std::fmt::Display;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::failure::Failure;
use crate::session::Session;
use crate::text::Plain;

/// Asks whether to do `what`, unless the user said `yes` beforehand.
///
/// # Errors
/// [`Failure::Declined`] if the answer is not yes; [`Failure::Usage`] if nobody is there to answer.
pub(crate) async fn confirm(session: &mut Session<'_>, yes: bool, what: impl Display) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let what = what.to_string();
    if !session.may_ask {
        return Err(Failure::Usage(format!("to {what} without being asked, give --yes")));
    }
    session.console.ask(&format_args!("{}? [y/N] ", Plain(&capitalised(&what))));
    let mut answer = String::new();
    let read = BufReader::new(&mut session.stdin).read_line(&mut answer).await;
    read.map_err(Failure::local("read the answer"))?;
    if is_yes(&answer) { Ok(()) } else { Err(Failure::Declined) }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_yes_is_no() {
        assert!(["y", "Y\n", " yes \r\n", "YES"].iter().all(|answer| is_yes(answer)));
        assert!(!["", "\n", "n", "yess", "no", "ye"].iter().any(|answer| is_yes(answer)));
    }
}
