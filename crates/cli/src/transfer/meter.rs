//! How far a transfer has come, drawn on a terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use braid_client::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::console::Console;

const REDRAWN: Duration = Duration::from_millis(120);
const OF_KNOWN: &str = "{bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
const OF_UNKNOWN: &str = "{spinner} {binary_bytes} {binary_bytes_per_sec} {elapsed}";

/// How far a transfer has come. Drawn only where the console draws.
#[derive(Debug, Clone)]
pub(crate) struct Meter(ProgressBar);

impl Meter {
    /// Begins to draw on `console`, of `bytes` if it is known how many there are.
    pub(crate) fn start(console: &mut Console, bytes: Option<u64>) -> Self {
        if !console.draws {
            return Self(ProgressBar::hidden());
        }
        let template = if bytes.is_some() { OF_KNOWN } else { OF_UNKNOWN };
        let style = ProgressStyle::with_template(template).expect("the templates are constants");
        let bar = ProgressBar::no_length().with_style(style);
        if let Some(bytes) = bytes {
            bar.set_length(bytes);
        }
        bar.enable_steady_tick(REDRAWN);
        console.bar = bar.clone();
        Self(bar)
    }

    /// Takes in how far one object has come, which may go back to the beginning.
    pub(crate) fn of_one(&self) -> Progress {
        let (bar, before) = (self.0.clone(), AtomicU64::new(0));
        Arc::new(move |moved| {
            let before = before.swap(moved, Ordering::Relaxed);
            if moved >= before { bar.inc(moved - before) } else { bar.dec(before - moved) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_add_up_also_when_one_begins_anew() {
        let meter = Meter(ProgressBar::hidden());
        let (one, other) = (meter.of_one(), meter.of_one());
        one(10);
        other(5);
        one(30);
        one(0);
        other(6);
        assert_eq!(meter.0.position(), 6);
    }

    #[test]
    fn templates_are_templates() {
        for template in [OF_KNOWN, OF_UNKNOWN] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
