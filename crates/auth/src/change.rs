//! Transactions on the records of users and keys.

use std::sync::Arc;

use async_trait::async_trait;
use braid_kv::{Conflict, Kv, Mode, Outcome, Transaction};

use crate::AuthError;

/// How often a write that met another one, or whose answer was lost, is done again.
const ATTEMPTS: u32 = 16;

/// What is to be changed. It is decided anew in each attempt, by what the transaction reads.
#[async_trait]
pub(crate) trait Change: Send + Sync {
    /// What the change answers.
    type Answer: Send;

    /// Writes into `txn`. After an attempt whose end is not known, `again` is set: what is found then may be this change's
    /// own work, and is to be answered as such.
    async fn attempt(&self, txn: &mut dyn Transaction, again: bool) -> Result<Self::Answer, AuthError>;
}

/// Carries out a change once; `record` is what it is about, for errors.
pub(crate) async fn carry_out<C: Change>(
    kv: &Arc<dyn Kv>,
    record: &str,
    change: &C,
) -> Result<C::Answer, AuthError> {
    let (mut attempt, mut again) = (0, false);
    loop {
        attempt += 1;
        let mut txn = kv.begin(Mode::Optimistic).await?;
        let answer = change.attempt(&mut *txn, again).await?;
        match Ended::of(txn).await? {
            Ended::Committed => return Ok(answer),
            Ended::Lost(_) if attempt < ATTEMPTS => {}
            Ended::Unknown(_) if attempt < ATTEMPTS => again = true,
            Ended::Lost(conflict) => {
                return Err(AuthError::Contended { record: record.to_owned(), conflict });
            }
            Ended::Unknown(reason) => return Err(AuthError::Unknown { record: record.to_owned(), reason }),
        }
    }
}

/// How a transaction ended, other than by a failure that left nothing behind.
enum Ended {
    Committed,
    Lost(Conflict),
    Unknown(String),
}

impl Ended {
    async fn of(txn: Box<dyn Transaction>) -> Result<Self, AuthError> {
        match txn.commit().await {
            Outcome::Committed(_) => Ok(Self::Committed),
            Outcome::Conflict(conflict) => Ok(Self::Lost(conflict)),
            Outcome::Refused(error) => Err(error.into()),
            Outcome::Unknown(reason) => Ok(Self::Unknown(reason)),
        }
    }
}
