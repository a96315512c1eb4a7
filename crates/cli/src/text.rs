//! Text for people.

use std::fmt::{self, Write};

/// Shows text on one line: characters that would steer a terminal, or turn text around on it, are escaped.
pub(crate) struct Plain<'a>(pub(crate) &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if steers(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Shows a number of bytes as `1023 B`, `1.0 KiB`, `12.3 MiB`.
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut scaled = self.0 as f64 / 1024.0;
        let mut unit = 0;
        // 1023.95 would be shown as 1024.0.
        while scaled >= 1023.95 && unit + 1 < units.len() {
            scaled /= 1024.0;
            unit += 1;
        }
        f.pad(&format!("{scaled:.1} {}", units[unit]))
    }
}

/// Shows a number of things: `1 file`, `2 files`, `2 branches`.
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = match self.0 {
            1 => "",
            _ if self.1.ends_with("ch") => "es",
            _ => "s",
        };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

/// Shows the first of so many names: `a, b and 3 more`.
pub(crate) struct Few<'a, T>(pub(crate) &'a [T], pub(crate) u64);

impl<T: fmt::Display> fmt::Display for Few<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}")?;
        }
        match self.1.saturating_sub(self.0.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(Plain("a b/é☃'\"\\").to_string(), "a b/é☃'\"\\");
        assert_eq!(Plain("a\nb\u{1b}[2J\u{202e}\u{9b}").to_string(), "a\\nb\\u{1b}[2J\\u{202e}\\u{9b}");
    }

    #[test]
    fn sizes_keep_four_digits() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (1_572_864, "1.5 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), shown);
        }
        assert_eq!(format!("{:>8}", Size(1)), "     1 B");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(Count(1, "file").to_string(), "1 file");
        assert_eq!(Count(0, "file").to_string(), "0 files");
        assert_eq!(Count(2, "branch").to_string(), "2 branches");
    }

    #[test]
    fn a_few_names_stand_for_many() {
        assert_eq!(Few(&["a", "b"], 2).to_string(), "a, b");
        assert_eq!(Few(&["a"], 4).to_string(), "a and 3 more");
    }
}
