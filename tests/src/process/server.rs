//! `braid up` and `braid metadata` as processes.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use braid_client::Client;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;

use super::binary::{Ended, command, run};
use crate::lake::impatient;

/// The administrator's key, as the first start prints it.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
}

impl Key {
    /// A client with this key that tries everything once.
    pub(super) fn client(&self, server: &Server) -> Client {
        impatient(&format!("http://{}", server.grpc), &self.id, &self.secret)
    }

    /// Runs a client command with this key.
    pub(super) fn run(&self, server: &Server, arguments: &[&str]) -> Ended {
        let endpoint = format!("http://{}", server.grpc);
        let environment = [
            ("BRAID_ENDPOINT", &*endpoint),
            ("BRAID_ACCESS_KEY_ID", &self.id),
            ("BRAID_SECRET_ACCESS_KEY", &self.secret),
        ];
        run(arguments, &environment)
    }
}

/// A server that is up. It is killed when this is dropped.
pub(super) struct Server {
    pub(super) grpc: SocketAddr,
    pub(super) http: SocketAddr,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    printed: String,
    stderr: JoinHandle<String>,
    _home: TempDir,
}

impl Server {
    /// Starts a server on `data`, on free ports, and waits until it is up.
    pub(super) async fn start(data: &Path) -> Self {
        Self::start_with(data, &[], &[]).await
    }

    /// The same with more options and settings.
    pub(super) async fn start_with(data: &Path, options: &[&str], environment: &[(&str, &str)]) -> Self {
        let data = data.to_str().unwrap();
        let mut server = Self::spawn(&[&["up", "--data", data], options].concat(), environment).await;
        server.after("data  ").await;
        server
    }

    /// Starts a metadata node of a cluster on free ports, and waits until it is up.
    pub(super) async fn node(options: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut server = Self::spawn(&[&["metadata"], options].concat(), environment).await;
        server.after("storage  ").await;
        server
    }

    /// Starts a server, and waits until it tells its addresses.
    async fn spawn(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(&home);
        command.args(arguments).args(["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        command.envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.unwrap();
            text
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (printed, _home) = (String::new(), home);
        let mut server = Self { grpc: nowhere, http: nowhere, child, lines, printed, stderr, _home };
        server.grpc = server.address_after("gRPC ").await;
        server.http = server.address_after("HTTP ").await;
        server
    }

    /// Starts a server on a new folder; also the key that it prints.
    pub(super) async fn first(data: &Path) -> (Self, Key) {
        let mut server = Self::start(data).await;
        let key = server.key().await;
        (server, key)
    }

    /// The key that a first start prints.
    pub(super) async fn key(&mut self) -> Key {
        let id = self.after("export BRAID_ACCESS_KEY_ID=").await;
        Key { id, secret: self.after("export BRAID_SECRET_ACCESS_KEY=").await }
    }

    async fn address_after(&mut self, label: &str) -> SocketAddr {
        let url = self.after(label).await;
        url.trim().strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// What the server prints after `label`, on the next line that has it.
    async fn after(&mut self, label: &str) -> String {
        while let Some(line) = self.lines.next_line().await.unwrap() {
            self.printed.push_str(&line);
            self.printed.push('\n');
            if let Some((_, value)) = line.split_once(label) {
                return value.to_owned();
            }
        }
        let stderr = (&mut self.stderr).await.unwrap();
        panic!("the server ended before it printed '{label}': {stderr}");
    }

    /// Kills the server, at whatever it is.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Tells the server to stop; how it ended, all that it printed, and its log.
    pub(super) async fn terminate(mut self) -> (ExitStatus, String, String) {
        let id = self.child.id().unwrap().try_into().unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            self.printed.push_str(&line);
            self.printed.push('\n');
        }
        let status = self.child.wait().await.unwrap();
        (status, self.printed, self.stderr.await.unwrap())
    }
}

/// Starts a server that is to refuse.
pub(super) fn refused_start(data: &Path, options: &[&str]) -> Ended {
    let data = data.to_str().unwrap();
    let mut arguments = vec!["up", "--data", data];
    for (name, any) in [("--grpc", "127.0.0.1:0"), ("--http", "127.0.0.1:0")] {
        if !options.contains(&name) {
            arguments.extend([name, any]);
        }
    }
    arguments.extend(options);
    run(&arguments, &[])
}
