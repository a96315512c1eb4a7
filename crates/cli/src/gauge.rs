//! How far work has come that is not counted in bytes, drawn on a terminal.

use std::fmt::Display;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::console::Console;

const REDRAWN: Duration = Duration::from_millis(120);
const TEMPLATE: &str = "{spinner} {elapsed} {msg}";

/// How far work has come, in words. Drawn only where the console draws.
#[derive(Debug)]
pub(crate) struct Gauge(ProgressBar);

impl Gauge {
    /// Begins to draw on `console`.
    pub(crate) fn start(console: &mut Console) -> Self {
        if !console.draws {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is a constant");
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(REDRAWN);
        console.bar = bar.clone();
        Self(bar)
    }

    /// Says how far it is.
    pub(crate) fn tell(&self, progress: &impl Display) {
        if !self.0.is_hidden() {
            self.0.set_message(progress.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
