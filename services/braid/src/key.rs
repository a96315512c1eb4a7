//! `braid key`: access keys made beside the servers, or without one.

use std::path::PathBuf;

use braid_auth::NewKey;
use braid_kv::TikvUri;
use clap::{Args, Subcommand};

use crate::config::KvConfig;
use crate::data_folder::DataFolder;
use crate::foundation::Foundation;
use crate::logging;
use crate::options::MasterKeyOptions;

/// Makes access keys without a server: the first of a cluster, or another when one was lost.
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
#[command(after_help = "Examples:\n  braid key create --data /srv/braid --user ada\n  braid key create \
                        --kv tikv://pd1:2379?keyspace=lake --master-key-file master.key")]
struct Create {
    /// The data folder; no server may have it open
    #[arg(long, value_name = "DIR", default_value = "braid-data", env = "BRAID_DATA")]
    data: PathBuf,

    /// The TiKV cluster, instead of a data folder; its servers may run
    #[arg(long, value_name = "URI", env = "BRAID_KV")]
    kv: Option<TikvUri>,

    #[command(flatten)]
    master_key: MasterKeyOptions,

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
    let foundation = match &create.kv {
        Some(uri) => {
            let kv = KvConfig::Cluster(uri.clone());
            Foundation::lay(None, &kv, Some(create.master_key.required()?))?
        }
        None => {
            let folder = DataFolder::open_existing(&create.data)?;
            Foundation::lay(Some(folder), &KvConfig::Embedded, create.master_key.given()?)?
        }
    };
    let kv = foundation.open_kv().await?.kv;
    let key = foundation.keys(&kv).await?.create(&create.user).await;
    kv.close().await;
    Ok(key?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_made_for_folders_that_are_there_and_only_for_those() {
        let parent = tempfile::tempdir().unwrap();
        let create = |name: &str| Create {
            data: parent.path().join(name),
            kv: None,
            master_key: MasterKeyOptions::default(),
            user: "ada".into(),
        };
        let error = create_key(&create("absent")).await.unwrap_err();
        assert!(error.to_string().contains("no such folder"), "{error}");
        assert!(!parent.path().join("absent").exists());

        drop(DataFolder::open(&parent.path().join("data")).unwrap());
        let (first, second) =
            (create_key(&create("data")).await.unwrap(), create_key(&create("data")).await.unwrap());
        assert_ne!(first.id, second.id);
    }
}
