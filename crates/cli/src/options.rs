//! Options that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options that every command takes, before or after its name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// The server: http://host:port, or https://host:port; several nodes of one cluster separated by commas
    /// [env: BRAID_ENDPOINT] [default: http://127.0.0.1:8001]
    #[arg(long, global = true, value_name = "URL,…")]
    pub endpoint: Option<String>,

    /// Access key to call with [env: BRAID_ACCESS_KEY_ID]; its secret comes from BRAID_SECRET_ACCESS_KEY or a file
    #[arg(long, global = true, value_name = "ID")]
    pub access_key_id: Option<String>,

    /// File that holds the access key's secret
    #[arg(long, global = true, value_name = "FILE")]
    pub secret_access_key_file: Option<PathBuf>,

    /// File of certificate authorities (PEM) to trust beside this machine's [env: BRAID_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Configuration file [env: BRAID_CONFIG] [default: $XDG_CONFIG_HOME/braid/config.toml or
    /// ~/.config/braid/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How to print results and errors
    #[arg(long, short, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: OutputFormat,

    /// Print results and errors only: no notes, no summaries
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// Show no progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// How results and errors are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people. Control characters in names are escaped.
    #[default]
    Text,
    /// For programs: one JSON document, or one a line for lists.
    Json,
}
