//! Where figures go: one line each, `figure NAME VALUE UNIT`.

use std::io::Write;
use std::time::Duration;

/// Prints figures as they come.
pub(crate) struct Figures {
    out: Box<dyn Write>,
}

impl Figures {
    pub(crate) fn new(out: impl Write + 'static) -> Self {
        Self { out: Box::new(out) }
    }

    /// A number of things that were counted.
    pub(crate) fn count(&mut self, name: &str, count: u64, unit: &str) -> anyhow::Result<()> {
        self.line(name, &count.to_string(), unit)
    }

    /// A time, in milliseconds.
    pub(crate) fn time(&mut self, name: &str, time: Duration) -> anyhow::Result<()> {
        self.line(name, &rounded(time.as_secs_f64() * 1e3), "ms")
    }

    /// How many units were done in each second; the rate.
    pub(crate) fn rate(
        &mut self,
        name: &str,
        units: usize,
        time: Duration,
        unit: &str,
    ) -> anyhow::Result<f64> {
        let rate = units as f64 / time.as_secs_f64();
        self.line(name, &rounded(rate), unit)?;
        Ok(rate)
    }

    /// How often `floor` goes into `figure`.
    pub(crate) fn ratio(&mut self, name: &str, figure: f64, floor: f64) -> anyhow::Result<()> {
        self.line(name, &rounded(figure / floor), "ratio")
    }

    fn line(&mut self, name: &str, value: &str, unit: &str) -> anyhow::Result<()> {
        writeln!(self.out, "figure {name} {value} {unit}")?;
        Ok(self.out.flush()?)
    }
}

/// Three decimals for small numbers, none for large ones: the rest is noise.
fn rounded(value: f64) -> String {
    match value.abs() {
        ..10.0 => format!("{value:.3}"),
        ..1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_figure_is_one_line_of_four_words() {
        let out = Shared::default();
        let mut figures = Figures::new(out.clone());
        figures.count("ranges", 12, "ranges").unwrap();
        figures.time("fold", Duration::from_micros(1_234_567)).unwrap();
        figures.rate("puts", 50, Duration::from_secs(4), "calls/s").unwrap();
        figures.ratio("puts_of_echo", 1.0, 8.0).unwrap();
        let expected = "figure ranges 12 ranges\nfigure fold 1235 ms\nfigure puts 12.5 calls/s\n\
                        figure puts_of_echo 0.125 ratio\n";
        assert_eq!(String::from_utf8(out.0.lock().unwrap().clone()).unwrap(), expected);
    }
}
