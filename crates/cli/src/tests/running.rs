//! Running command lines, and how commands end.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use braid_types::{ManualClock, SeededRandom, Time};
use clap::{CommandFactory, Parser};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::AsyncWrite;

use super::lake::Lake;
use crate::{Cli, Environment, Exit, Io, Terminals, run};

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// The documents on standard output.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The facts of the error on standard error.
    pub(crate) fn error(&self) -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(&self.stderr).unwrap()["error"].take()
    }
}

/// A command line before it is run.
pub(crate) struct Line<'a> {
    words: Vec<&'a str>,
    endpoint: String,
    stdin: &'static [u8],
    terminals: Terminals,
    interrupted: BoxFuture<'static, ()>,
    stdout_fails: Option<io::ErrorKind>,
}

/// The words after `braid`, to be run against `lake`.
pub(crate) fn braid<'a>(lake: &Lake, words: &[&'a str]) -> Line<'a> {
    Line {
        words: words.to_vec(),
        endpoint: lake.endpoint(),
        stdin: b"",
        terminals: Terminals::default(),
        interrupted: std::future::pending().boxed(),
        stdout_fails: None,
    }
}

impl Line<'_> {
    pub(crate) fn stdin(self, stdin: &'static str) -> Self {
        Self { stdin: stdin.as_bytes(), ..self }
    }

    /// A person sits there and types.
    pub(crate) fn answering(self, stdin: &'static str) -> Self {
        Self { terminals: Terminals { stdin: true, stdout: true, stderr: true }, ..self.stdin(stdin) }
    }

    pub(crate) fn interrupted(self, interrupted: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { interrupted: interrupted.boxed(), ..self }
    }

    pub(crate) fn stdout_fails(self, kind: io::ErrorKind) -> Self {
        Self { stdout_fails: Some(kind), ..self }
    }

    pub(crate) async fn run(self) -> Ran {
        let cli = Cli::try_parse_from([&["braid"], &self.words[..]].concat()).unwrap();
        let (stdout, stderr) =
            (Captured { fails: self.stdout_fails, ..Captured::default() }, Captured::default());
        let io = Io {
            stdin: Box::new(self.stdin),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            terminals: self.terminals,
            environment: Environment::from_iter([("BRAID_ENDPOINT".to_owned(), self.endpoint)]),
            interrupted: self.interrupted,
            clock: Arc::new(ManualClock::at(Time::from_seconds(1))),
            random: Arc::new(SeededRandom::new(1)),
            root: Cli::command(),
        };
        let exit = Box::pin(run(cli.command, cli.options, io)).await;
        Ran { exit, stdout: stdout.text(), stderr: stderr.text() }
    }
}

/// Runs the words after `braid` where nobody watches.
pub(crate) async fn ran(lake: &Lake, words: &[&str]) -> Ran {
    Box::pin(braid(lake, words).run()).await
}

#[derive(Clone, Default)]
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    fails: Option<io::ErrorKind>,
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.fails {
            return Err(kind.into());
        }
        self.bytes.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncWrite for Captured {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.get_mut().write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
