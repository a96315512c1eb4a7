//! What no handler has to say of its operation: what follows from where it is routed, and what holds for all.

use http::Method;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Required, Response};

use super::operations::operations;
use crate::rest::error::Message;

/// The answer that stands for all that are not named.
const ANY_OTHER: &str = "default";

/// Who may ask for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Everybody.
    Open,
    /// Whoever has a key or a session.
    Closed,
}

/// Adds to all operations the segments of their paths, who may ask for them, and what it means when they are refused.
pub(super) fn completed(mut described: OpenApi, door: Door) -> OpenApi {
    for (path, item) in &mut described.paths.paths {
        for (method, operation) in operations(item) {
            name_segments(operation, path);
            match door {
                Door::Open => operation.security = Some(Vec::new()),
                Door::Closed => may_answer(operation, "401"),
            }
            may_answer(operation, ANY_OTHER);
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                explain(response, status, method != Method::HEAD);
            }
        }
    }
    described
}

/// The segments of a path are texts, and come before the other parameters.
fn name_segments(operation: &mut Operation, path: &str) {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let segments = names.map(|name| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let segment = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        RefOr::T(segment.required(Required::True).schema(Some(text)).build())
    });
    let others = operation.parameters.take().unwrap_or_default();
    operation.parameters = Some(segments.chain(others).collect());
}

fn may_answer(operation: &mut Operation, status: &str) {
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| Response::default().into());
}

/// Says what an answer means, and that a refusal comes with a message, where the handler says nothing of it.
fn explain(response: &mut Response, status: &str, has_body: bool) {
    if response.description.is_empty() {
        response.description = meaning(status).to_owned();
    }
    let is_refusal = status == ANY_OTHER || status.starts_with(['4', '5']);
    if is_refusal && has_body && response.content.is_empty() {
        let message = Content::new(Some(Ref::from_schema_name(Message::name())));
        response.content.insert("application/json".to_owned(), message.into());
    }
}

fn meaning(status: &str) -> &'static str {
    match status {
        "206" => "A part of it",
        "302" => "It is elsewhere",
        "304" => "It has not changed",
        "400" => "The request is malformed",
        "401" => "No valid credentials",
        "403" => "It may not be changed",
        "404" => "There is no such thing",
        "409" => "It is in the way of another",
        "410" => "The data is gone",
        "412" => "A condition does not hold",
        "416" => "The range is not in the object",
        "501" => "Not implemented",
        ANY_OTHER => "Something else is wrong",
        _ => "Done",
    }
}
