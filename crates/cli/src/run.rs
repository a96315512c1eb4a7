//! Running one command from its options to its exit code.

use std::future::Future;

use braid_client::{Client, ClientConfig};
use indicatif::ProgressBar;

use crate::command::Command;
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::farewell::Farewell;
use crate::hint::hint;
use crate::io::Io;
use crate::options::{GlobalOptions, OutputFormat};
use crate::session::Session;
use crate::settings::{DEFAULT_ENDPOINT, client_config};

/// Runs `command` and says how it ended. Failures are printed on `io`'s standard error. Nothing half done stays behind on
/// this machine, also after an interrupt. Must be called within a Tokio runtime with time and I/O.
pub async fn run(command: Command, options: GlobalOptions, io: Io) -> Exit {
    let Io { stdin, stdout, stderr, terminals, environment, interrupted, clock, random, root } = io;
    let mut console = Console {
        format: options.output,
        quiet: options.quiet,
        draws: terminals.stderr
            && !options.no_progress
            && !options.quiet
            && options.output == OutputFormat::Text,
        by_line: terminals.stdout,
        stdout,
        stderr,
        pending: Vec::new(),
        bar: ProgressBar::hidden(),
    };
    if let Command::Completion(command) = command {
        let ended = command.run(root, &mut console).await;
        return finish(ended, &mut console, DEFAULT_ENDPOINT).await;
    }
    let config = match client_config(&options, &environment) {
        Ok(config) => config,
        Err(failure) => return finish(Err(failure), &mut console, DEFAULT_ENDPOINT).await,
    };
    let connect = |config: &ClientConfig| Client::connect(config, random.clone(), clock);
    let ended = match connect(&config) {
        Err(error) => Err(error.into()),
        Ok(client) => {
            let may_ask = terminals.stdin && terminals.stderr;
            let (random, farewell) = (random.clone(), Farewell::default());
            let said = farewell.clone();
            let session = Session { client, console: &mut console, stdin, may_ask, random, farewell };
            let ended = unless_interrupted(interrupted, Box::pin(command.run(session))).await;
            if matches!(ended, Err(Failure::Interrupted)) {
                said.say().await;
            }
            ended
        }
    };
    finish(ended, &mut console, &config.endpoints.join(" or ")).await
}

/// When the interrupt wins, `work` is dropped before this returns: what it was doing is cleared away then.
async fn unless_interrupted(
    interrupted: impl Future<Output = ()>,
    work: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    tokio::select! {
        biased;
        () = interrupted => Err(Failure::Interrupted),
        ended = work => ended,
    }
}

/// Results that were found before a failure are shown all the same.
async fn finish(ended: Result<Exit, Failure>, console: &mut Console, endpoint: &str) -> Exit {
    console.bar.finish_and_clear();
    let interrupted = matches!(ended, Err(Failure::Interrupted));
    let flushed = if interrupted { Ok(()) } else { console.flush().await };
    let failure = match (ended, flushed) {
        (Ok(exit), Ok(())) => return exit,
        (Ok(_), Err(failure)) | (Err(failure), _) => failure,
    };
    let exit = failure.exit();
    if exit != Exit::Done {
        console.fail(&failure, hint(&failure, endpoint).as_deref());
    }
    exit
}
