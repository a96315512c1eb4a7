//! The commands of the binary: servers and the demonstration here, everything else in `braid_cli`.

use std::process::ExitCode;

use braid_cli::{GlobalOptions, Io};
use clap::{CommandFactory, Parser, Subcommand};

use crate::{demo, gateway, key, logging, metadata, store, up};

/// Versioned data lakes: repositories, branches and commits over objects in S3.
#[derive(Debug, Parser)]
#[command(name = "braid", version, propagate_version = true)]
pub struct Braid {
    /// Options of the client commands.
    #[command(flatten)]
    pub options: GlobalOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve everything in one process, with its state in a folder
    Up(up::Up),
    /// Serve a metadata node of a cluster: no state of its own, any number of them
    Metadata(metadata::MetadataNode),
    /// Serve lakeFS's REST API over a cluster: no state of its own, any number of them
    Gateway(gateway::GatewayNode),
    /// Serve the object store of a data folder alone, by the S3 API
    Store(store::Store),
    /// Make an administrator's access key: for a cluster, or a data folder that no server has open
    Key(key::Key),
    /// Show the main job on real files, end to end: on a server started in a temporary folder, or on a running one
    Demo(demo::Demo),
    /// What a client does.
    #[command(flatten)]
    Client(braid_cli::Command),
}

/// Runs a command to its exit code.
pub async fn run(braid: Braid) -> ExitCode {
    let served = match braid.command {
        Command::Client(command) => {
            logging::start("warn");
            let exit = braid_cli::run(command, braid.options, Io::of_process(Braid::command())).await;
            return exit.into();
        }
        Command::Up(up) => up.run().await,
        Command::Metadata(node) => node.run().await,
        Command::Gateway(node) => node.run().await,
        Command::Store(store) => store.run().await,
        Command::Key(key) => key.run().await,
        Command::Demo(demo) => Box::pin(demo.run(braid.options)).await,
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Braid::command().debug_assert();
    }
}
