//! Answers and bodies that many operations have, for their descriptions.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

type Responses = BTreeMap<String, RefOr<Response>>;

/// How reading is refused: the request is malformed, or there is no such thing.
pub(crate) enum Reading {}

/// How writing is refused: as reading is, or because the thing may not be changed.
pub(crate) enum Writing {}

impl IntoResponses for Reading {
    fn responses() -> Responses {
        refusals(["400", "404"])
    }
}

impl IntoResponses for Writing {
    fn responses() -> Responses {
        refusals(["400", "403", "404"])
    }
}

/// Answers of these statuses. What they say is the same everywhere, and added when the description is whole.
fn refusals<const N: usize>(statuses: [&str; N]) -> Responses {
    statuses.into_iter().map(|status| (status.to_owned(), Response::default().into())).collect()
}

/// Bytes as they are.
pub(crate) enum Data {}

impl PartialSchema for Data {
    fn schema() -> RefOr<Schema> {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).into()
    }
}

impl ToSchema for Data {}
