//! Locks of other transactions: what became of those who hold them, and how they are cleared away.

mod async_commit;
mod met;
mod outcomes;
mod resolver;
mod state;

pub(crate) use met::Met;
pub(crate) use resolver::{Resolver, Seeker};
