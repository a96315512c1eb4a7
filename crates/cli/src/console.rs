//! Where commands print: results on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::Write;

use indicatif::ProgressBar;
use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::failure::Failure;
use crate::options::OutputFormat;
use crate::text::Plain;

/// Results are collected up to here before they are written.
const PENDING_BYTES: usize = 32 << 10;

/// Where a command prints. A result is shown as its text, or as its JSON on one line.
pub(crate) struct Console {
    pub(crate) format: OutputFormat,
    pub(crate) quiet: bool,
    /// Whether progress may be drawn on standard error.
    pub(crate) draws: bool,
    /// Whether each line is to be seen at once.
    pub(crate) by_line: bool,
    pub(crate) stdout: Box<dyn AsyncWrite + Send + Unpin>,
    pub(crate) stderr: Box<dyn Write + Send>,
    /// Collected results that are still to be written.
    pub(crate) pending: Vec<u8>,
    /// The bar that is drawn below notes; hidden when there is none.
    pub(crate) bar: ProgressBar,
}

impl Console {
    /// Shows what was asked for.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) async fn show<V: Display + Serialize>(&mut self, view: &V) -> Result<(), Failure> {
        match self.format {
            OutputFormat::Text => writeln!(self.pending, "{view}"),
            OutputFormat::Json => self.pending_json(view),
        }
        .map_err(Failure::Output)?;
        if self.by_line || self.pending.len() >= PENDING_BYTES {
            self.write_pending().await?;
        }
        Ok(())
    }

    /// Shows what was done, unless the user wants to hear nothing of it.
    pub(crate) async fn report<V: Display + Serialize>(&mut self, view: &V) -> Result<(), Failure> {
        if self.quiet && self.format == OutputFormat::Text {
            return Ok(());
        }
        self.show(view).await
    }

    fn pending_json<V: Serialize>(&mut self, view: &V) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.pending, view)?;
        self.pending.push(b'\n');
        Ok(())
    }

    async fn write_pending(&mut self) -> Result<(), Failure> {
        let pending = std::mem::take(&mut self.pending);
        self.stdout.write_all(&pending).await.map_err(Failure::Output)?;
        self.stdout.flush().await.map_err(Failure::Output)
    }

    /// Writes what was collected.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) async fn flush(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.write_pending().await
    }

    /// Says something beside the results to a person. Programs are not told.
    pub(crate) fn note(&mut self, text: impl Display) {
        if !self.quiet && self.format == OutputFormat::Text {
            self.say(&Plain(&text.to_string()));
        }
    }

    /// Says what must not be missed: one line on standard error. Nobody can be told if that fails.
    pub(crate) fn say(&mut self, text: &dyn Display) {
        let stderr = &mut self.stderr;
        self.bar.suspend(|| {
            let _ = writeln!(stderr, "{text}");
            let _ = stderr.flush();
        });
    }

    /// Asks for something on the same line.
    pub(crate) fn ask(&mut self, text: &dyn Display) {
        let _ = write!(self.stderr, "{text}");
        let _ = self.stderr.flush();
    }

    /// Says why the command failed, and what to try next.
    pub(crate) fn fail(&mut self, failure: &Failure, hint: Option<&str>) {
        if self.format == OutputFormat::Json {
            return self.say(&failure.to_json());
        }
        self.say(&format_args!("error: {}", Plain(&failure.to_string())));
        if let Some(hint) = hint {
            self.say(&format_args!("hint: {hint}"));
        }
    }
}
