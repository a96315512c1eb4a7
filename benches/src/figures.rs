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

    /// A short time, in microseconds.
    pub(crate) fn short_time(&mut self, name: &str, time: Duration) -> anyhow::Result<()> {
        self.line(name, &rounded(time.as_secs_f64() * 1e6), "us")
    }

    /// A size, in KiB.
    pub(crate) fn kib(&mut self, name: &str, bytes: f64) -> anyhow::Result<()> {
        self.line(name, &rounded(bytes / 1024.0), "KiB")
    }

    /// A size, in MiB.
    pub(crate) fn mib(&mut self, name: &str, bytes: u64) -> anyhow::Result<()> {
        self.line(name, &rounded(bytes as f64 / f64::from(1 << 20)), "MiB")
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

    /// How much of one thing goes to each of another.
    pub(crate) fn per(&mut self, name: &str, all: f64, things: f64, unit: &str) -> anyhow::Result<()> {
        self.line(name, &rounded(all / things), unit)
    }

    /// How often `floor` goes into `figure`.
    pub(crate) fn ratio(&mut self, name: &str, figure: f64, floor: f64) -> anyhow::Result<()> {
        self.per(name, figure, floor, "ratio")
    }

    /// A figure that another process measured.
    pub(crate) fn pass_on(&mut self, figure: &Figure) -> anyhow::Result<()> {
        self.line(&figure.name, &figure.value, &figure.unit)
    }

    fn line(&mut self, name: &str, value: &str, unit: &str) -> anyhow::Result<()> {
        writeln!(self.out, "figure {name} {value} {unit}")?;
        Ok(self.out.flush()?)
    }
}

/// A figure as it was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) unit: String,
}

impl Figure {
    /// The figure that a line is, if it is one.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ').map(str::to_owned);
        if words.next()? != "figure" {
            return None;
        }
        let figure = Self { name: words.next()?, value: words.next()?, unit: words.next()? };
        (words.next().is_none() && figure.number().is_some()).then_some(figure)
    }

    /// Its value, which is finite.
    pub(crate) fn number(&self) -> Option<f64> {
        self.value.parse().ok().filter(|value: &f64| value.is_finite())
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

    fn printed(print: impl FnOnce(&mut Figures) -> anyhow::Result<()>) -> String {
        let out = Shared::default();
        print(&mut Figures::new(out.clone())).unwrap();
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn each_kind(figures: &mut Figures) -> anyhow::Result<()> {
        figures.count("ranges", 12, "ranges")?;
        figures.time("fold", Duration::from_micros(1_234_567))?;
        figures.short_time("lookup", Duration::from_nanos(2500))?;
        figures.kib("read", 1536.0)?;
        figures.mib("peak", 200 << 20)?;
        figures.rate("puts", 50, Duration::from_secs(4), "calls/s")?;
        figures.per("bytes_per_entry", 300.0, 4.0, "bytes")?;
        figures.ratio("puts_of_echo", 1.0, 8.0)
    }

    #[test]
    fn each_figure_is_one_line_of_four_words() {
        let expected = "figure ranges 12 ranges\nfigure fold 1235 ms\nfigure lookup 2.500 us\nfigure read 1.500 KiB\n\
                        figure peak 200.0 MiB\nfigure puts 12.5 calls/s\nfigure bytes_per_entry 75.0 bytes\n\
                        figure puts_of_echo 0.125 ratio\n";
        assert_eq!(printed(each_kind), expected);
    }

    #[test]
    fn what_was_printed_is_read_back_and_passed_on_as_it_was() {
        let lines = printed(each_kind);
        let figures: Vec<_> = lines.lines().map(|line| Figure::parse(line).unwrap()).collect();
        assert_eq!(figures[1].number(), Some(1235.0));
        let again = printed(|out| figures.iter().try_for_each(|figure| out.pass_on(figure)));
        assert_eq!(again, lines);
    }

    #[test]
    fn other_lines_are_no_figures() {
        for line in [
            "",
            "figure",
            "figure a 1",
            "figure a b ms",
            "figure a 1 ms 2",
            "Figure a 1 ms",
            "figure a NaN ms",
        ] {
            assert_eq!(Figure::parse(line), None, "{line}");
        }
    }
}
