//! The `braid` binary: servers that start in process, the demonstration, and the command line.

mod command;
mod data_folder;
mod demo;
mod http;
mod key;
mod logging;
mod server;
mod shutdown;
mod storage;
mod store;
mod up;

pub use command::{Braid, Command, run};
pub use data_folder::{DataFolder, DataFolderError};
pub use server::{Server, ServerConfig};
pub use storage::StorageConfig;
pub use store::StoreServer;
