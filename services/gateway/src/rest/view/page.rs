//! Pages of lists.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Ref, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::rest::query::MAX_AMOUNT;

/// A page of a list. The next one begins after the last of its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Listed<T> {
    pagination: Pagination,
    results: Vec<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Pagination {
    has_more: bool,
    next_offset: String,
    results: usize,
    max_per_page: u32,
}

impl<T: ToSchema> PartialSchema for Listed<T> {
    fn schema() -> RefOr<Schema> {
        let results = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        ObjectBuilder::new()
            .property("pagination", Ref::from_schema_name(Pagination::name()))
            .property("results", results)
            .required("pagination")
            .required("results")
            .into()
    }
}

/// Named by its items, as lakeFS's lists are: write it by an alias where an operation is described, or the items are named twice.
impl<T: ToSchema> ToSchema for Listed<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Pagination::name().into(), Pagination::schema()));
        schemas.push((T::name().into(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Listed<T> {
    /// A page with these items, which `name` orders; `has_more` if others follow.
    pub(crate) fn new(results: Vec<T>, has_more: bool, name: impl Fn(&T) -> String) -> Self {
        let last = results.last().filter(|_| has_more).map(name);
        let pagination = Pagination {
            has_more,
            next_offset: last.unwrap_or_default(),
            results: results.len(),
            max_per_page: MAX_AMOUNT,
        };
        Self { pagination, results }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_has_no_offset() {
        let page = |more| Listed::new(vec!["a", "b"], more, |name| (*name).to_owned()).pagination;
        assert_eq!((page(true).next_offset.as_str(), page(true).has_more), ("b", true));
        assert_eq!((page(false).next_offset.as_str(), page(false).results), ("", 2));
    }
}
