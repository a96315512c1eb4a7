use std::collections::BTreeMap;

use bytes::Bytes;
use futures::executor::block_on;
use proptest::prelude::*;

use super::support::*;
use crate::{ListQuery, Listed, list_page};

/// Every item that there is to list, by name.
fn all_items(model: &Model, query: &ListQuery) -> BTreeMap<Bytes, Listed> {
    let mut items = BTreeMap::new();
    for (key, item) in model.iter().filter(|(key, _)| key.starts_with(&query.prefix)) {
        let rest = &key[query.prefix.len()..];
        let delimiter = query.delimiter.as_deref().unwrap_or_default();
        let end = (0..rest.len()).find(|&at| !delimiter.is_empty() && rest[at..].starts_with(delimiter));
        match end {
            None => items.insert(key.clone(), Listed::Record(record(key, *item))),
            Some(end) => {
                let name = key.slice(..query.prefix.len() + end + delimiter.len());
                items.insert(name.clone(), Listed::CommonPrefix(name))
            }
        };
    }
    items
}

fn delimiters() -> impl Strategy<Value = Option<Bytes>> {
    prop::sample::select(vec![None, Some("/"), Some("ab"), Some("/a/"), Some("")])
        .prop_map(|delimiter| delimiter.map(|text| Bytes::from_static(text.as_bytes())))
}

proptest! {
    #[test]
    fn pages_are_those_of_a_naive_listing(
        format in formats(),
        model in models(),
        prefix in prop_oneof![Just(Bytes::new()), keys()],
        delimiter in delimiters(),
        after in prop::option::of(keys()),
        limit in 0_usize..12,
    ) {
        let stored = Stored::new();
        let mut cursor = stored.cursor(stored.build(&format, &model));
        let query = ListQuery { prefix, delimiter, after, limit };
        let page = block_on(list_page(&mut cursor, &query)).unwrap();

        let items = all_items(&model, &query).into_iter();
        let mut wanted: Vec<_> =
            items.filter(|(name, _)| query.after.as_ref().is_none_or(|after| name > after)).collect();
        let has_more = limit > 0 && wanted.len() > limit;
        wanted.truncate(limit);
        prop_assert_eq!(page.next_after, wanted.last().map(|(name, _)| name.clone()).filter(|_| has_more));
        prop_assert_eq!(page.items, wanted.into_iter().map(|(_, item)| item).collect::<Vec<_>>());
    }

    #[test]
    fn pages_one_after_another_are_the_whole_listing(
        model in models(), delimiter in delimiters(), limit in 1_usize..12,
    ) {
        let stored = Stored::new();
        let mut cursor = stored.cursor(stored.build(&small_format(), &model));
        let mut query = ListQuery { delimiter, limit, ..ListQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = block_on(list_page(&mut cursor, &query)).unwrap();
            found.extend(page.items);
            match page.next_after {
                Some(after) => query.after = Some(after),
                None => break,
            }
        }
        prop_assert_eq!(found, all_items(&model, &query).into_values().collect::<Vec<_>>());
    }
}
