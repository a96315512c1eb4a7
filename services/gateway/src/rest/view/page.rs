//! Pages of lists.

use serde::Serialize;

use crate::rest::query::MAX_AMOUNT;

/// A page of a list. The next one begins after the last of its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Listed<T> {
    pagination: Pagination,
    results: Vec<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Pagination {
    has_more: bool,
    next_offset: String,
    results: usize,
    max_per_page: u32,
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
