//! `braid demo`: the main job on real files, end to end, over the same gRPC and presigned URLs that any client uses.

mod folder;
mod lake;
mod screen;
mod story;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use braid_cli::{Environment, GlobalOptions};
use braid_client::{Client, ClientConfig, Credentials};
use braid_types::{SystemClock, SystemRandom};
use clap::Args;

use crate::config::ServerConfig;
use crate::server::Server;
use crate::storage::StorageConfig;
use crate::up::print_first_key;
use crate::{logging, shutdown};
use folder::SourceFile;
use lake::Lake;
use screen::Screen;

/// Shows the main job on real files: upload, commit, branch, change, diff, merge, conflict, tag, log, revert, and every byte
/// read back at three commits.
///
/// It starts a server of its own in a temporary folder. With --endpoint it works on a running service instead, on one node or
/// on several, in a repository that it makes there and leaves.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  braid demo\n  braid demo ~/photos --keep\n  \
                        braid demo --endpoint https://node1:8001,https://node2:8001")]
pub struct Demo {
    /// The folder to upload; by default the files that Git tracks here
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,

    /// Leave the server up at the end, and say what to try
    #[arg(long)]
    keep: bool,

    /// Keep all data in this folder instead of in a temporary one
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Transfers at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
}

/// What the story is told on.
struct Stage {
    client: Client,
    /// Where the client calls.
    place: String,
}

impl Demo {
    /// Runs the demonstration; an interrupt ends it and clears the temporary folder away.
    pub(crate) async fn run(self, options: GlobalOptions) -> anyhow::Result<()> {
        logging::start("warn");
        let source = self.files()?;
        // Only where it is asked for by the flag: a demonstration does not fill a server that other commands are set to.
        if options.endpoint.is_some() {
            anyhow::ensure!(
                !self.keep && self.data.is_none(),
                "--keep and --data are about a server of the demonstration's own, and --endpoint names another"
            );
            let config = braid_cli::configured(&options, &Environment::of_process())?;
            let stage = Stage { place: config.endpoints.join(" and "), client: client(&config)? };
            return unless_interrupted(Box::pin(self.elsewhere(&stage, source))).await;
        }
        let temporary = match &self.data {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new().prefix("braid-demo-").tempdir().context("no temporary folder")?,
            ),
        };
        let data = match (&self.data, &temporary) {
            (Some(data), _) => data.clone(),
            (None, Some(folder)) => folder.path().to_owned(),
            (None, None) => unreachable!("without a folder of the user's a temporary one was made"),
        };
        let server = Box::pin(Server::start(config(data))).await?;
        let told = unless_interrupted(Box::pin(self.here(&server, source))).await;
        let stopped = Box::pin(server.stop()).await;
        told.and(stopped)
    }

    fn files(&self) -> anyhow::Result<(PathBuf, Vec<SourceFile>)> {
        let root = self.folder.clone().unwrap_or_else(|| PathBuf::from("."));
        let files = match &self.folder {
            Some(folder) => folder::walk(folder)?,
            None => folder::tracked(&root)?,
        };
        anyhow::ensure!(
            files.len() >= 10,
            "the demonstration needs at least 10 files; '{}' has {}",
            root.display(),
            files.len()
        );
        Ok((root, files))
    }

    /// On the server of this process.
    async fn here(&self, server: &Server, source: (PathBuf, Vec<SourceFile>)) -> anyhow::Result<()> {
        let stage = Stage { client: client_of(server).await?, place: server.grpc_address().to_string() };
        let lake = Box::pin(self.tell(&stage, source)).await?;
        if self.keep {
            keep_up(server, &lake).await?;
        }
        Ok(())
    }

    /// On a service that others run.
    async fn elsewhere(&self, stage: &Stage, source: (PathBuf, Vec<SourceFile>)) -> anyhow::Result<()> {
        let lake = Box::pin(self.tell(stage, source)).await?;
        let repository = lake.repository();
        println!("The repository stays: `braid log braid://{repository}/main` shows its history,");
        println!("and `braid repo delete {repository}` takes it away.");
        Ok(())
    }

    async fn tell(&self, stage: &Stage, (root, files): (PathBuf, Vec<SourceFile>)) -> anyhow::Result<Lake> {
        let started = Instant::now();
        let screen = Screen::of_process();
        let lake = Box::pin(Lake::create(stage.client.clone(), usize::from(self.parallel))).await?;
        screen.say(&format!("Braid {} on {}", env!("CARGO_PKG_VERSION"), stage.place));
        screen.say(&format!("{} files of {}", screen::count(files.len()), root.display()));
        let summary = Box::pin(story::tell(&lake, &screen, files)).await?;
        screen.say(&format!("\nAll of it worked in {}: {summary}", screen::time(started.elapsed())));
        Ok(lake)
    }
}

async fn unless_interrupted(told: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        told = told => told,
        interrupted = shutdown::requested() => interrupted.and_then(|()| anyhow::bail!("interrupted")),
    }
}

async fn keep_up(server: &Server, lake: &Lake) -> anyhow::Result<()> {
    print_first_key(server);
    let repository = lake.repository();
    println!(
        "The server stays up until it is interrupted. In another terminal, with the three variables above:"
    );
    println!("  braid ls braid://{repository}/main/");
    println!("  braid log braid://{repository}/main");
    println!("  braid diff braid://{repository}/v1 main");
    println!("  braid get braid://{repository}/v1/ restored");
    shutdown::requested().await
}

fn config(data: PathBuf) -> ServerConfig {
    ServerConfig { storage: StorageConfig::LocalOverHttp, ..ServerConfig::in_folder(data) }
}

async fn client_of(server: &Server) -> anyhow::Result<Client> {
    let key = server.create_key("demo").await?;
    let config = ClientConfig {
        credentials: Some(Credentials::new(key.id, key.secret.expose())?),
        ..ClientConfig::new(format!("http://{}", server.grpc_address()))
    };
    client(&config)
}

fn client(config: &ClientConfig) -> anyhow::Result<Client> {
    Ok(Client::connect(config, Arc::new(SystemRandom), Arc::new(SystemClock))?)
}
