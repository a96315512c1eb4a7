//! The command line, over the client.

mod address;
mod arguments;
mod command;
mod commands;
mod confirm;
mod console;
mod exit;
mod failure;
mod farewell;
mod gauge;
mod hint;
mod io;
mod options;
mod run;
mod session;
mod settings;
mod text;
mod transfer;
mod view;

#[cfg(test)]
mod tests;

pub use command::{Cli, Command};
pub use exit::Exit;
pub use io::{Environment, Io, Terminals};
pub use options::{GlobalOptions, OutputFormat};
pub use run::run;
pub use settings::{DEFAULT_ENDPOINT, configured};
