//! Who asked for a change, as change logs keep it: principal and request id.

use prost::Message;

use crate::mutation::Mutation;

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredWho {
    #[prost(string, tag = "1")]
    principal: String,
    #[prost(string, tag = "2")]
    request: String,
}

impl From<&Mutation> for StoredWho {
    fn from(by: &Mutation) -> Self {
        Self { principal: by.principal.clone(), request: by.request.to_string() }
    }
}

/// The field of a record called `what`.
#[cfg(test)]
pub(super) fn read(stored: Option<StoredWho>, what: &str) -> braid_types::Result<Mutation> {
    let stored = stored.ok_or_else(|| super::value::corrupt(what, "it does not say by whom"))?;
    Ok(Mutation { principal: stored.principal, request: braid_types::RequestId::new(stored.request)? })
}
