//! What must hold of a path for a transaction to be done.

use braid_tree::Value;
use braid_types::{Entry, Result};

/// What must hold of a path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// There is no object.
    IfAbsent,
    /// There is an object with this checksum: an S3 entity tag without quotes.
    IfEtag(String),
    /// There is exactly this version of an object, by its [generation](braid_types::Entry::generation); 0 is no object.
    IfGeneration(u64),
}

impl Condition {
    /// Whether it depends on what the path maps to.
    pub(super) fn needs_value(&self) -> bool {
        *self != Self::Always
    }

    /// Why the condition does not hold of a path with this value; `place` names the path.
    pub(super) fn refusal(&self, value: Option<&Value>, place: &str) -> Result<Option<String>> {
        let found = match value {
            Some(value) => Some(value.entry().map_err(|error| unreadable(place, &error))?),
            None => None,
        };
        Ok(self.reason(found.as_ref(), place))
    }

    /// Whether the condition holds where there is this, or nothing.
    pub fn holds(&self, found: Option<&Entry>) -> bool {
        self.reason(found, "").is_none()
    }

    fn reason(&self, found: Option<&Entry>, place: &str) -> Option<String> {
        match (self, found) {
            (Self::Always, _) | (Self::IfAbsent | Self::IfGeneration(0), None) => None,
            (Self::IfAbsent | Self::IfGeneration(0), Some(_)) => {
                Some(format!("there is an object at {place} already"))
            }
            (Self::IfEtag(etag), None) => {
                Some(format!("there is no object at {place}, so none with etag '{etag}'"))
            }
            (Self::IfEtag(etag), Some(found)) if *etag == found.checksum => None,
            (Self::IfEtag(etag), Some(found)) => {
                Some(format!("the object at {place} has etag '{}', not '{etag}'", found.checksum))
            }
            (Self::IfGeneration(generation), None) => {
                Some(format!("there is no object at {place}, so none of generation {generation}"))
            }
            (Self::IfGeneration(generation), Some(found)) if *generation == found.generation() => None,
            (Self::IfGeneration(generation), Some(found)) => {
                Some(format!("the object at {place} has generation {}, not {generation}", found.generation()))
            }
        }
    }

    /// The rule as its users call it.
    pub(super) fn rule(&self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::IfAbsent => "if absent",
            Self::IfEtag(_) => "if etag",
            Self::IfGeneration(_) => "if generation",
        }
    }
}

pub(super) fn unreadable(place: &str, error: &braid_tree::ValueError) -> braid_types::Error {
    let message = format!("the entry at {place} cannot be read: {error}");
    braid_types::Error::new(braid_types::Code::Corrupt, place, message)
}
