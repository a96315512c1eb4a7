//! Pages of lists, and batches of streams.

use braid_types::limits;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on the page, in the list's order.
    pub items: Vec<T>,
    /// What to ask the next page with; none after the last one.
    pub next_page_token: Option<String>,
}

/// How many items a page has at most when `asked` for that many.
pub fn page_items(asked: Option<u32>) -> usize {
    asked.and_then(|items| usize::try_from(items).ok()).unwrap_or(usize::MAX).min(limits::PAGE_ITEMS)
}

/// Implements both conversions between a page and the generated answer whose items are in `$field`.
macro_rules! page {
    ($item:ident = $proto:ident.$field:ident) => {
        impl TryFrom<crate::proto::$proto> for crate::Page<$item> {
            type Error = braid_types::Error;

            fn try_from(wire: crate::proto::$proto) -> Result<Self, braid_types::Error> {
                Ok(Self {
                    items: crate::field::in_field(
                        stringify!($field),
                        crate::field::Field::read(wire.$field),
                    )?,
                    next_page_token: crate::field::Field::read(wire.next_page_token)?,
                })
            }
        }

        impl From<crate::Page<$item>> for crate::proto::$proto {
            fn from(page: crate::Page<$item>) -> Self {
                Self {
                    $field: crate::field::Field::write(page.items),
                    next_page_token: crate::field::Field::write(page.next_page_token),
                }
            }
        }
    };
}
pub(crate) use page;

/// Implements both conversions between several items and the generated answer that only holds them.
macro_rules! batch {
    ($item:ident = $proto:ident.$field:ident) => {
        impl TryFrom<crate::proto::$proto> for Vec<$item> {
            type Error = braid_types::Error;

            fn try_from(wire: crate::proto::$proto) -> Result<Self, braid_types::Error> {
                crate::field::in_field(stringify!($field), crate::field::Field::read(wire.$field))
            }
        }

        impl From<Vec<$item>> for crate::proto::$proto {
            fn from(items: Vec<$item>) -> Self {
                Self { $field: crate::field::Field::write(items) }
            }
        }
    };
}
pub(crate) use batch;
