//! `braid key`: access keys of a data folder, without a server.

use std::path::PathBuf;
use std::sync::Arc;

use braid_auth::{Keys, NewKey};
use braid_kv::{Embedded, EmbeddedSettings, Kv};
use braid_types::{SystemClock, SystemRandom};
use clap::{Args, Subcommand};

use crate::data_folder::DataFolder;
use crate::logging;

/// Makes access keys of a data folder, without a server: for when the first one was lost.
#[derive(Debug, Args)]
pub struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make another key and print it, once
    Create(Create),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  braid key create --data /srv/braid --user ada")]
struct Create {
    /// The data folder; no server may have it open
    #[arg(long, value_name = "DIR", default_value = "braid-data", env = "BRAID_DATA")]
    data: PathBuf,

    /// Whose key it is
    #[arg(long, value_name = "NAME", default_value = "admin")]
    user: String,
}

impl Key {
    /// Runs the command.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        logging::start("warn");
        let Action::Create(create) = self.action;
        let key = create_key(&create).await?;
        println!("This access key of '{}' is shown only now.", create.user);
        println!("  export BRAID_ACCESS_KEY_ID={}", key.id);
        println!("  export BRAID_SECRET_ACCESS_KEY={}", key.secret.expose());
        Ok(())
    }
}

async fn create_key(create: &Create) -> anyhow::Result<NewKey> {
    let folder = DataFolder::open_existing(&create.data)?;
    let master = folder.master_key(&SystemRandom)?;
    let kv =
        Embedded::open(&folder.kv_file(), EmbeddedSettings::default(), Arc::new(SystemClock), &SystemRandom)?;
    let kv: Arc<dyn Kv> = Arc::new(kv);
    let keys = Keys::open(Arc::clone(&kv), &master, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let key = keys.create(&create.user).await;
    kv.close().await;
    Ok(key?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_made_for_folders_that_are_there_and_only_for_those() {
        let parent = tempfile::tempdir().unwrap();
        let create = |name: &str| Create { data: parent.path().join(name), user: "ada".into() };
        let error = create_key(&create("absent")).await.unwrap_err();
        assert!(error.to_string().contains("no such folder"), "{error}");
        assert!(!parent.path().join("absent").exists());

        drop(DataFolder::open(&parent.path().join("data")).unwrap());
        let (first, second) =
            (create_key(&create("data")).await.unwrap(), create_key(&create("data")).await.unwrap());
        assert_ne!(first.id, second.id);
    }
}
