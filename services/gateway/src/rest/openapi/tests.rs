//! What holds for the description, whatever is served.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::openapi::OpenApi;

use crate::rest::query::MAX_AMOUNT;
use crate::rest::{CLOSED, closed, open};

fn description() -> OpenApi {
    super::description(open().into_openapi(), closed().into_openapi())
}

/// Method, path and description of each operation.
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            found.push((method.clone(), path.clone(), operation.clone()));
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn every_operation_says_what_it_does_and_how_it_is_refused() {
    let refused = "#/components/schemas/Error";
    let message = |answer: &Value| answer["content"]["application/json"]["schema"]["$ref"] == refused;
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&serde_json::to_value(description()).unwrap()) {
        let of = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(
            id.starts_with(|first: char| first.is_ascii_lowercase()) && !id.contains('_'),
            "{of}: '{id}'"
        );
        assert!(ids.insert(id), "{of}: the id is another's as well");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{of}: no summary");
        let answers = operation["responses"].as_object().unwrap();
        assert_eq!(message(&answers["default"]), method != "head", "{of}: {}", answers["default"]);
        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
        assert!(is_open || answers.contains_key("401"), "{of}: nothing of credentials");
        for (status, answer) in answers {
            assert!(answer["description"].is_string(), "{of}: {status} is not described");
        }
    }
}

#[test]
fn segments_of_paths_are_parameters_once() {
    for (method, path, operation) in operations(&serde_json::to_value(description()).unwrap()) {
        let parameters = operation["parameters"].as_array().unwrap();
        let names: Vec<_> = parameters
            .iter()
            .map(|one| (&one["in"], &one["name"]))
            .map(|(place, name)| (place.as_str().unwrap(), name.as_str().unwrap()))
            .collect();
        let described =
            names.iter().filter(|(place, _)| *place == "path").map(|(_, name)| format!("{{{name}}}"));
        let segments = path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned);
        assert!(described.eq(segments), "{method} {path}: {names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{method} {path}: {names:?}");
    }
}

#[test]
fn pages_are_as_long_as_they_are_said_to_be() {
    let operations = operations(&serde_json::to_value(description()).unwrap());
    let parameters =
        operations.iter().flat_map(|(.., operation)| operation["parameters"].as_array().unwrap());
    let amounts: Vec<_> =
        parameters.filter(|one| one["name"] == "amount").map(|one| &one["schema"]).collect();
    assert!(!amounts.is_empty());
    assert!(amounts.iter().all(|amount| amount["maximum"] == MAX_AMOUNT), "{amounts:?}");
}

#[test]
fn the_doors_are_told_apart() {
    let description = serde_json::to_value(description()).unwrap();
    assert_eq!(description["paths"]["/healthcheck"]["get"]["security"], serde_json::json!([]));
    assert_eq!(description["paths"]["/user"]["get"]["security"], Value::Null);
    let schemes = description["components"]["securitySchemes"].as_object().unwrap();
    let any: BTreeSet<_> = description["security"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one.as_object().unwrap().keys())
        .collect();
    assert_eq!(any, schemes.keys().collect());
}

#[test]
fn every_reference_leads_somewhere() {
    let text = serde_json::to_string(&description()).unwrap();
    let named = text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let there = description().components.unwrap().schemas;
    assert_eq!(named.collect::<BTreeSet<_>>(), there.keys().map(String::as_str).collect());
}

/// Of two types with one name, the description would have but one.
#[test]
fn no_two_types_go_by_one_name() {
    let mut seen = BTreeMap::new();
    let modules = CLOSED.iter().map(|routes| routes()).chain([open()]);
    for (name, schema) in
        modules.filter_map(|module| module.into_openapi().components).flat_map(|all| all.schemas)
    {
        let schema = serde_json::to_value(schema).unwrap();
        let known = seen.entry(name.clone()).or_insert_with(|| schema.clone());
        assert_eq!(*known, schema, "{name}");
    }
}

async fn ask(routes: &Router, known: Option<&str>) -> Response {
    let request = Request::get("/openapi.json").header(IF_NONE_MATCH, known.unwrap_or_default());
    routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn it_is_served_as_json_and_known_again_by_its_tag() {
    let routes = super::routes(&description());
    let first = ask(&routes, None).await;
    assert_eq!(
        (first.status(), &first.headers()[CONTENT_TYPE]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
    let text = to_bytes(first.into_body(), usize::MAX).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), serde_json::to_value(description()).unwrap());

    assert_eq!(ask(&routes, Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&routes, Some("\"other\"")).await.status(), StatusCode::OK);
}
