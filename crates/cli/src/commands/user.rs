//! `user`: users and their access keys.

use braid_client::{ListAccessKeys, ListUsers};
use clap::{Args, Subcommand};

use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{DeletedView, KeyLine, NewKeyView, UserLine};

/// Arguments of `user`.
#[derive(Debug, Args)]
pub struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a user, without a key
    #[command(after_help = "Example:
  braid user create ada")]
    Create {
        /// The new user's name
        user: String,
    },
    /// List users by name
    #[command(after_help = "Example:
  braid user list --prefix team-")]
    List {
        /// Only names that begin with it
        #[arg(long, default_value = "")]
        prefix: String,
    },
    /// Delete a user and all their keys; other nodes may take such a key for some seconds yet
    #[command(after_help = "Example:
  braid user delete ada --yes")]
    Delete {
        /// The user's name
        user: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Make, list and delete a user's access keys
    Key(Key),
}

#[derive(Debug, Args)]
struct Key {
    #[command(subcommand)]
    action: KeyAction,
}

#[derive(Debug, Subcommand)]
enum KeyAction {
    /// Make a key and print its secret, which is shown only now
    #[command(after_help = "Example:
  braid user key create ada")]
    Create {
        /// Whose key it is
        user: String,
    },
    /// List a user's keys by id
    #[command(after_help = "Example:
  braid user key list ada")]
    List {
        /// Whose keys
        user: String,
    },
    /// Delete a key; other nodes may take it for some seconds yet
    #[command(after_help = "Example:
  braid user key delete ada AKIAJ4ZSZWJ7RXTV5C5Q")]
    Delete {
        /// Whose key it is
        user: String,
        /// The key's id
        id: String,
    },
}

impl User {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::Create { user } => create(&user, session).await,
            Action::List { prefix } => list(prefix, session).await,
            Action::Delete { user, yes } => delete(&user, yes, session).await,
            Action::Key(Key { action: KeyAction::Create { user } }) => create_key(&user, session).await,
            Action::Key(Key { action: KeyAction::List { user } }) => list_keys(user, session).await,
            Action::Key(Key { action: KeyAction::Delete { user, id } }) => {
                delete_key(&user, &id, session).await
            }
        }
    }
}

async fn create(user: &str, session: Session<'_>) -> Result<Exit, Failure> {
    let made = session.client.create_user(user).await?;
    session.console.report(&UserLine::from(made)).await?;
    Ok(Exit::Done)
}

async fn list(prefix: String, session: Session<'_>) -> Result<Exit, Failure> {
    let mut request = ListUsers { prefix, ..ListUsers::default() };
    loop {
        let page = session.client.list_users(request.clone()).await?;
        let last = page.users.last().map(|user| user.name.clone()).filter(|_| page.more);
        for user in page.users {
            session.console.show(&UserLine::from(user)).await?;
        }
        let Some(last) = last else { return Ok(Exit::Done) };
        request.after = last;
    }
}

async fn delete(user: &str, yes: bool, mut session: Session<'_>) -> Result<Exit, Failure> {
    confirm(&mut session, yes, format_args!("delete user '{user}' with all their keys")).await?;
    session.client.delete_user(user).await?;
    session.console.report(&DeletedView { deleted: format!("user {user}") }).await?;
    Ok(Exit::Done)
}

async fn create_key(user: &str, session: Session<'_>) -> Result<Exit, Failure> {
    let made = session.client.create_access_key(user).await?;
    session.console.show(&NewKeyView::from(made)).await?;
    Ok(Exit::Done)
}

async fn list_keys(user: String, session: Session<'_>) -> Result<Exit, Failure> {
    let mut request = ListAccessKeys { user, ..ListAccessKeys::default() };
    loop {
        let page = session.client.list_access_keys(request.clone()).await?;
        let last = page.keys.last().map(|key| key.id.clone()).filter(|_| page.more);
        for key in page.keys {
            session.console.show(&KeyLine::from(key)).await?;
        }
        let Some(last) = last else { return Ok(Exit::Done) };
        request.after = last;
    }
}

async fn delete_key(user: &str, id: &str, session: Session<'_>) -> Result<Exit, Failure> {
    session.client.delete_access_key(user, id).await?;
    session.console.report(&DeletedView { deleted: format!("access key {id}") }).await?;
    Ok(Exit::Done)
}
