//! What a command has of the process it runs in: streams, environment, time and chance. All of it is passed in, so that
//! tests can run commands side by side.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use braid_types::{Clock, Random, SystemClock, SystemRandom};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// What a command has of the process it runs in.
pub struct Io {
    /// What `-` reads, and answers to questions.
    pub stdin: Box<dyn AsyncRead + Send + Unpin>,
    /// Results.
    pub stdout: Box<dyn AsyncWrite + Send + Unpin>,
    /// Errors, notes, questions. Progress bars go to the process's own, and only if it is a terminal.
    pub stderr: Box<dyn Write + Send>,
    /// Which of them a person sits at.
    pub terminals: Terminals,
    /// Environment variables.
    pub environment: Environment,
    /// Ends when the user wants the command to end.
    pub interrupted: BoxFuture<'static, ()>,
    /// Tells when URLs expire.
    pub clock: Arc<dyn Clock>,
    /// Gives request ids, names of temporary files, and waits between attempts.
    pub random: Arc<dyn Random>,
    /// The whole command line, for shell completion: the binary may have more commands than this library.
    pub root: clap::Command,
}

impl Io {
    /// Everything of this process, which completes as `root` says. Must be called within a Tokio runtime.
    ///
    /// A read of standard input cannot be taken back: after an interrupt, end the runtime with `shutdown_background`.
    pub fn of_process(root: clap::Command) -> Self {
        Self {
            stdin: Box::new(tokio::io::stdin()),
            stdout: Box::new(tokio::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            terminals: Terminals::of_process(),
            environment: Environment::of_process(),
            interrupted: interrupted().boxed(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            root,
        }
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io").field("terminals", &self.terminals).finish_non_exhaustive()
    }
}

/// Where handlers of signals cannot be installed, the signal ends the process.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Which streams are terminals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

impl Terminals {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
        }
    }
}

/// Environment variables. Their values are not shown: one is a secret.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process that are UTF-8.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    /// The value of the variable `name`; an empty one counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
