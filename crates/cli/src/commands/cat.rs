//! `cat`: an object's data on standard output.

use clap::Args;

use crate::address::ObjectAddress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Arguments of `cat`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  braid cat braid://lake/main@/data/a.csv

The data is checked when all of it has been printed: use it only if the exit code is 0.")]
pub struct Cat {
    /// braid://repository/ref/path
    object: ObjectAddress,
}

impl Cat {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        print(&self.object, session).await
    }
}

/// Prints the data of `object`.
pub(crate) async fn print(object: &ObjectAddress, session: Session<'_>) -> Result<Exit, Failure> {
    let stdout = &mut session.console.stdout;
    let printed =
        session.client.download(&object.repository, &object.reference, &object.path, stdout, None).await;
    match printed {
        Ok(_) => Ok(Exit::Done),
        Err(braid_client::TransferError::Sink { source, .. }) => Err(Failure::Output(source)),
        Err(error) => Err(error.into()),
    }
}
