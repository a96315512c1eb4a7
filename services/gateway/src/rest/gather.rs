//! Pages as long as they were asked for. Those of the services may be shorter.

use braid_client::Page;
use braid_types::Error;

/// Asks `page` for so many items after a page token, until there are `amount` or no more; whether more follow.
pub(crate) async fn gather<T, F>(
    amount: u32,
    mut page: impl FnMut(u32, Option<String>) -> F,
) -> Result<(Vec<T>, bool), Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let (mut found, mut token, mut left) = (Vec::new(), None, amount);
    loop {
        let next = page(left, token).await?;
        found.extend(next.items);
        token = next.next_page_token;
        left = amount.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if left == 0 || token.is_none() {
            return Ok((found, token.is_some()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of ten numbers that gives at most three at a time.
    async fn numbers(size: u32, token: Option<String>) -> Result<Page<u32>, Error> {
        let from: u32 = token.map_or(0, |token| token.parse().unwrap());
        let to = (from + size.min(3)).min(10);
        Ok(Page { items: (from..to).collect(), next_page_token: (to < 10).then(|| to.to_string()) })
    }

    #[tokio::test]
    async fn short_pages_are_put_together() {
        assert_eq!(gather(5, numbers).await.unwrap(), ((0..5).collect(), true));
        assert_eq!(gather(10, numbers).await.unwrap(), ((0..10).collect(), false));
        assert_eq!(gather(100, numbers).await.unwrap(), ((0..10).collect(), false));
    }
}
