//! The operations at a path.

use http::Method;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::rest::App;

/// The operations of a path, by method.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::HEAD, &mut item.head),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The same handlers at another path, where their operations go by other ids: `ids` has each with the one in its place.
pub(crate) fn again(
    path: &str,
    ids: &[(&str, &str)],
    (schemas, paths, handlers): UtoipaMethodRouter<App>,
) -> UtoipaMethodRouter<App> {
    let mut moved = Paths::new();
    for mut item in paths.paths.into_values() {
        for (_, operation) in operations(&mut item) {
            let here = ids.iter().find(|(there, _)| operation.operation_id.as_deref() == Some(there));
            let (_, id) = here.expect("each operation has an id at both paths");
            operation.operation_id = Some((*id).to_owned());
        }
        moved.paths.insert(path.to_owned(), item);
    }
    (schemas, moved, handlers)
}
