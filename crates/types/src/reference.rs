//! Ref expressions: `<base>` followed by `~N` and `^N` in any number, or by one `@` or `$`.

use std::fmt;
use std::str::FromStr;

use crate::{Code, Error, limits};

/// One step from a commit to an ancestor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// `~N`: the N-th first parent; `~0` is the commit itself.
    Ancestor(u32),
    /// `^N`: the N-th parent, counted from 1; `^0` is the commit itself.
    Parent(u32),
}

/// Which state of a branch an expression names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// No `@` or `$`: the operation decides.
    Unspecified,
    /// `@`: the head commit, without what is staged.
    Committed,
    /// `$`: the branch with what is staged.
    Staged,
}

/// A parsed ref expression. The base is not resolved: it may be a branch, a tag, a commit id or a prefix of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefExpression {
    text: String,
    base: String,
    modifiers: Vec<Modifier>,
    view: View,
}

impl RefExpression {
    /// Parses an expression. Modifiers are taken from the end, so that a tag may hold `@` or `$` inside.
    pub fn parse(text: &str) -> Result<Self, Error> {
        check_text(text)?;
        let (rest, view) = split_view(text);
        let (base, modifiers) = split_modifiers(rest).map_err(|reason| invalid(text, reason))?;
        if base.is_empty() {
            return Err(invalid(text, "there is no branch, tag or commit before the modifiers"));
        }
        if view != View::Unspecified && !modifiers.is_empty() {
            return Err(invalid(text, "'@' and '$' cannot be combined with other modifiers"));
        }
        if view != View::Unspecified && base.ends_with(['@', '$']) {
            return Err(invalid(text, "'@' and '$' cannot be repeated"));
        }
        Ok(Self { text: text.to_owned(), base: base.to_owned(), modifiers, view })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the modifiers start from.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The steps to take from the base, in order.
    pub fn modifiers(&self) -> &[Modifier] {
        &self.modifiers
    }

    /// Whether `@` or `$` was given.
    pub fn view(&self) -> View {
        self.view
    }

    /// Whether the expression is a bare name or id.
    pub fn is_plain(&self) -> bool {
        self.modifiers.is_empty() && self.view == View::Unspecified
    }
}

impl fmt::Display for RefExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for RefExpression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

fn check_text(text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(invalid(text, "it is empty"));
    }
    if text.len() > limits::REF_EXPRESSION_BYTES {
        let reason = format!("it has {} bytes; the limit is {}", text.len(), limits::REF_EXPRESSION_BYTES);
        return Err(invalid(&text.chars().take(60).collect::<String>(), &reason));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(invalid(text, "it holds a blank or a control character"));
    }
    Ok(())
}

fn split_view(text: &str) -> (&str, View) {
    if let Some(rest) = text.strip_suffix('@') {
        return (rest, View::Committed);
    }
    if let Some(rest) = text.strip_suffix('$') {
        return (rest, View::Staged);
    }
    (text, View::Unspecified)
}

fn split_modifiers(text: &str) -> Result<(&str, Vec<Modifier>), &'static str> {
    let mut rest = text;
    let mut modifiers = Vec::new();
    while let Some((before, modifier)) = split_last_modifier(rest)? {
        modifiers.push(modifier);
        rest = before;
    }
    modifiers.reverse();
    Ok((rest, modifiers))
}

fn split_last_modifier(text: &str) -> Result<Option<(&str, Modifier)>, &'static str> {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (before, number) = text.split_at(text.len() - digits);
    let make: fn(u32) -> Modifier = match before.as_bytes().last() {
        Some(b'~') => Modifier::Ancestor,
        Some(b'^') => Modifier::Parent,
        _ => return Ok(None),
    };
    let number = match number {
        "" => 1,
        digits => digits.parse().map_err(|_| "the number of a modifier is too large")?,
    };
    Ok(Some((&before[..before.len() - 1], make(number))))
}

fn invalid(text: &str, reason: &str) -> Error {
    let message = format!("'{}' is not a ref expression: {reason}", text.escape_debug());
    Error::new(Code::InvalidArgument, text, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, Vec<Modifier>, View) {
        let expression = RefExpression::parse(text).unwrap();
        (expression.base, expression.modifiers, expression.view)
    }

    #[test]
    fn bases_modifiers_and_views_are_told_apart() {
        use Modifier::{Ancestor, Parent};
        assert_eq!(parse("main"), ("main".into(), vec![], View::Unspecified));
        assert_eq!(parse("main@"), ("main".into(), vec![], View::Committed));
        assert_eq!(parse("main$"), ("main".into(), vec![], View::Staged));
        assert_eq!(parse("main~"), ("main".into(), vec![Ancestor(1)], View::Unspecified));
        assert_eq!(
            parse("v1.2~3^2^"),
            ("v1.2".into(), vec![Ancestor(3), Parent(2), Parent(1)], View::Unspecified)
        );
        assert_eq!(parse("a@b~0"), ("a@b".into(), vec![Ancestor(0)], View::Unspecified));
        assert_eq!(parse("2024"), ("2024".into(), vec![], View::Unspecified));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for wrong in [
            "",
            "~1",
            "@",
            "$",
            "a b",
            "a\n",
            "main~1@",
            "main@@",
            "main$@",
            "a~99999999999",
            &"x".repeat(1025),
        ] {
            let error = RefExpression::parse(wrong).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{wrong}");
            assert!(error.message().contains("ref expression"), "{error}");
        }
    }
}
