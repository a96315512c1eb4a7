//! The description of what is served, for those who make clients from it.

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;

use super::App;

/// The description: OpenAPI 3.0, kept by hand and held against the routes by a test.
const DESCRIPTION: &str = include_str!("../../openapi.json");

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/openapi.json", get(async || ([(CONTENT_TYPE, "application/json")], DESCRIPTION)))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use serde_json::Value;

    use super::DESCRIPTION;

    /// Methods by path.
    type Routes = BTreeMap<String, BTreeSet<String>>;

    fn described() -> Routes {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let paths = description["paths"].as_object().unwrap();
        let methods = |path: &Value| path.as_object().unwrap().keys().cloned().collect();
        paths.iter().map(|(path, operations)| (path.clone(), methods(operations))).collect()
    }

    /// Reads the routes out of the modules: each `.route("path", get(…).put(…))`.
    fn routed() -> Routes {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let modules = std::fs::read_dir(source.join("rest")).unwrap().map(|entry| entry.unwrap().path());
        let mut routes = Routes::new();
        for file in modules.chain([source.join("rest.rs")]) {
            if !file.is_file() || file.ends_with("openapi.rs") || file.ends_with("unbuilt.rs") {
                continue;
            }
            let text = std::fs::read_to_string(file).unwrap();
            for call in text.split(".route(").skip(1).map(arguments) {
                let mut parts = call.splitn(3, '"').skip(1);
                let (path, handlers) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                if !path.starts_with('/') || path == "/_health" {
                    continue;
                }
                let methods = ["get", "post", "put", "patch", "delete", "head"];
                let named = methods.into_iter().filter(|method| handlers.contains(&format!("{method}(")));
                routes.entry(path.to_owned()).or_default().extend(named.map(str::to_owned));
            }
        }
        routes
    }

    /// The text up to the parenthesis that closes the call.
    fn arguments(text: &str) -> &str {
        let mut open = 1;
        let end = text.find(|c| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0
        });
        &text[..end.unwrap()]
    }

    /// Names of segments do not matter.
    fn shapes(routes: &Routes) -> Routes {
        let shape = |path: &String| {
            let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
            parts.collect::<Vec<_>>().join("/")
        };
        routes.iter().map(|(path, methods)| (shape(path), methods.clone())).collect()
    }

    #[test]
    fn what_is_described_is_what_is_routed() {
        assert_eq!(shapes(&routed()), shapes(&described()));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let schemas = description["components"]["schemas"].as_object().unwrap();
        let mut used = BTreeSet::new();
        for reference in DESCRIPTION.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
            used.insert(name.to_owned());
        }
        assert_eq!(used, schemas.keys().cloned().collect(), "no schema is left over");
    }
}
