//! The `braid` binary: servers that start in process, the demonstration, and the command line.

mod command;
mod config;
mod data_folder;
mod demo;
mod dispatch;
mod foundation;
mod gateway;
mod http;
mod installation;
mod key;
mod logging;
mod metadata;
mod metrics;
mod options;
mod readiness;
mod serve;
mod server;
mod shutdown;
mod storage;
mod store;
mod up;

pub use command::{Braid, Command, run};
pub use config::{KvConfig, ServerConfig};
pub use data_folder::{DataFolder, DataFolderError};
pub use server::Server;
pub use storage::StorageConfig;
pub use store::StoreServer;
