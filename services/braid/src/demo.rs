//! `braid demo`: the main job on real files, end to end, over the same gRPC and presigned URLs that any client uses.

mod folder;
mod lake;
mod screen;
mod story;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use braid_client::{Client, ClientConfig, Credentials};
use braid_types::{SystemClock, SystemRandom};
use clap::Args;

use crate::config::ServerConfig;
use crate::server::Server;
use crate::storage::StorageConfig;
use crate::up::print_first_key;
use crate::{logging, shutdown};
use folder::SourceFile;
use screen::Screen;

/// Starts a server in a temporary folder and shows the main job on real files: upload, commit, branch, change, diff, merge,
/// conflict, tag, log, revert, and every byte read back at three commits.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  braid demo\n  braid demo ~/photos --keep")]
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

impl Demo {
    /// Runs the demonstration; an interrupt ends it and clears the temporary folder away.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        logging::start("warn");
        let (root, files) = self.files()?;
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
        let told = tokio::select! {
            told = Box::pin(self.tell(&server, root, files)) => told,
            interrupted = shutdown::requested() => interrupted.and_then(|()| anyhow::bail!("interrupted")),
        };
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

    async fn tell(&self, server: &Server, root: PathBuf, files: Vec<SourceFile>) -> anyhow::Result<()> {
        let started = Instant::now();
        let screen = Screen::of_process();
        let client = connect(server).await?;
        let lake = Box::pin(lake::Lake::create(client, usize::from(self.parallel))).await?;
        screen.say(&format!("Braid {} on {}", env!("CARGO_PKG_VERSION"), server.grpc_address()));
        screen.say(&format!("{} files of {}", screen::count(files.len()), root.display()));
        let summary = Box::pin(story::tell(&lake, &screen, files)).await?;
        screen.say(&format!("\nAll of it worked in {}: {summary}", screen::time(started.elapsed())));
        if self.keep {
            self.keep_up(server, &lake).await?;
        }
        Ok(())
    }

    async fn keep_up(&self, server: &Server, lake: &lake::Lake) -> anyhow::Result<()> {
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
}

fn config(data: PathBuf) -> ServerConfig {
    ServerConfig { storage: StorageConfig::LocalOverHttp, ..ServerConfig::in_folder(data) }
}

async fn connect(server: &Server) -> anyhow::Result<Client> {
    let key = server.create_key("demo").await?;
    let config = ClientConfig {
        credentials: Some(Credentials::new(key.id, key.secret.expose())?),
        ..ClientConfig::new(format!("http://{}", server.grpc_address()))
    };
    Ok(Client::connect(&config, Arc::new(SystemRandom), Arc::new(SystemClock))?)
}
