//! What the demonstration prints: a line a step, with a bar while a long one runs.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Where steps are shown.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: bool,
}

/// A step that is under way.
pub(super) struct Step {
    what: String,
    started: Instant,
    bar: ProgressBar,
    /// Off a terminal, the next share of ten that is worth a line.
    next_tenth: u64,
    terminal: bool,
}

impl Screen {
    pub(super) fn of_process() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    pub(super) fn say(&self, text: &str) {
        println!("{text}");
    }

    /// Begins a step of `total` units; 0 if they are not counted.
    pub(super) fn begin(&self, what: &str, total: usize) -> Step {
        let bar = if self.terminal { ProgressBar::new(total as u64) } else { ProgressBar::hidden() };
        bar.set_length(total as u64);
        let template = "  {wide_bar} {human_pos}/{human_len} {elapsed}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Step { what: what.to_owned(), started: Instant::now(), bar, next_tenth: 5, terminal: self.terminal }
    }
}

impl Step {
    /// One more unit is done.
    pub(super) fn advance(&mut self) {
        self.bar.inc(1);
        let (done, total) = (self.bar.position(), self.bar.length().unwrap_or(0));
        let slow = self.started.elapsed() > Duration::from_secs(5);
        if !self.terminal && slow && total > 0 && done * 10 >= self.next_tenth * total && done < total {
            println!("  … {} % after {}", done * 100 / total, time(self.started.elapsed()));
            self.next_tenth = done * 10 / total + 1;
        }
    }

    /// The step is done.
    pub(super) fn end(self, result: &str) {
        self.bar.finish_and_clear();
        println!("  {:<28} {:>9}   {result}", self.what, time(self.started.elapsed()));
    }

    /// How many a second, for `end`.
    pub(super) fn rate(&self, units: usize) -> String {
        let rate = units as f64 / self.started.elapsed().as_secs_f64().max(1e-6);
        format!("{}/s", count(rate.round() as usize))
    }
}

/// A number with thousands set apart.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration to three figures.
pub(super) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..0.001 => format!("{:.0} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..100.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// A size in binary units.
pub(super) fn bytes(number: u64) -> String {
    let mebibytes = number as f64 / f64::from(1 << 20);
    if mebibytes < 1.0 { format!("{:.1} KiB", number as f64 / 1024.0) } else { format!("{mebibytes:.1} MiB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            (count(0), count(999), count(1_000), count(1_234_567)),
            ("0".into(), "999".into(), "1,000".into(), "1,234,567".into())
        );
        assert_eq!(time(Duration::from_millis(12)), "12.0 ms");
        assert_eq!(time(Duration::from_secs(90)), "90.00 s");
        assert_eq!(bytes(2048), "2.0 KiB");
        assert_eq!(bytes(3 << 20), "3.0 MiB");
    }
}
