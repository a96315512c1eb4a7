//! Listing one prefix in parallel: it is cut into stretches of addresses, a few of which are listed ahead of the reader.
//!
//! Object stores answer one page after another, each beginning where the last one ended. So some addresses inside the
//! prefix are looked for first, one at each directory in it, and the stretches between them are listed at the same time. Where the
//! cuts are decides how fast it is, never what is found: a stretch begins after one cut and ends with the next.

use std::collections::VecDeque;
use std::sync::Arc;

use braid_types::Result;
use futures::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{ImportStore, Importable};

/// Stretches that are listed at the same time.
const AHEAD: usize = 8;

/// Requests that may be spent on finding cuts.
const LOOKS: usize = 64;

/// Addresses between two cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    after: Option<String>,
    /// The last one that belongs to it.
    until: Option<String>,
}

/// A page of a listing.
pub(super) type Page = Vec<Importable>;

/// All objects whose addresses begin with `uri`, in order, in pages. Of each stretch that is listed ahead at most `pages` wait for the reader.
pub(super) fn pages(
    store: Arc<dyn ImportStore>,
    uri: String,
    pages: usize,
) -> impl Stream<Item = Result<Page>> + Send {
    async_stream::try_stream! {
        let mut left = stretches(cuts(&*store, &uri).await?).into_iter();
        // Dropped with the stream, and with it the tasks.
        let mut tasks = JoinSet::new();
        let mut listed = VecDeque::new();
        loop {
            while listed.len() < AHEAD && let Some(stretch) = left.next() {
                let (sender, receiver) = mpsc::channel(pages.max(1));
                tasks.spawn(list(Arc::clone(&store), uri.clone(), stretch, sender));
                listed.push_back(receiver);
            }
            let Some(mut next) = listed.pop_front() else { return };
            while let Some(page) = next.recv().await {
                yield page?;
            }
            while tasks.try_join_next().is_some() {}
        }
    }
}

/// Lists a stretch for a reader, who may go away.
async fn list(
    store: Arc<dyn ImportStore>,
    uri: String,
    Stretch { mut after, until }: Stretch,
    reader: mpsc::Sender<Result<Page>>,
) {
    loop {
        let found = store.list(&uri, after.as_deref()).await;
        let is_last = match &found {
            Ok(page) => {
                let last = page.last().map(|object| object.address.clone());
                let is_last = last.is_none() || (until.is_some() && last >= until);
                after = last;
                is_last
            }
            Err(_) => true,
        };
        let page = found.map(|mut page| {
            page.retain(|object| until.as_ref().is_none_or(|until| object.address <= *until));
            page
        });
        if reader.send(page).await.is_err() || is_last {
            return;
        }
    }
}

/// Addresses at which the listing of a prefix can be cut: the ends of directories in it.
async fn cuts(store: &dyn ImportStore, uri: &str) -> Result<Vec<String>> {
    let mut cuts: Vec<String> = Vec::new();
    let mut inside = uri.to_owned();
    let mut looks = 0;
    while looks < LOOKS {
        let after = cuts.last().filter(|cut| cut.starts_with(&inside)).cloned();
        looks += 1;
        let page = store.list(&inside, after.as_deref()).await?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
        let Some(directory) = directory_after(&inside, &last.address) else {
            // Objects without a directory of their own: whatever follows is one stretch.
            break;
        };
        let holds_all = after.is_none() && first.address.starts_with(&directory);
        let cut = end_of(&directory);
        if holds_all && store.list(&inside, Some(&cut)).await?.is_empty() {
            inside = directory;
            continue;
        }
        if cuts.last().is_some_and(|before| *before >= cut) {
            break;
        }
        cuts.push(cut);
    }
    Ok(cuts)
}

/// The directory just below `inside` that an address is in.
fn directory_after(inside: &str, address: &str) -> Option<String> {
    let end = address.strip_prefix(inside)?.find('/')?;
    Some(address[..=inside.len() + end].to_owned())
}

/// What is after all that a directory can well hold.
fn end_of(directory: &str) -> String {
    format!("{directory}{}", char::MAX)
}

fn stretches(cuts: Vec<String>) -> Vec<Stretch> {
    let begins = std::iter::once(None).chain(cuts.iter().cloned().map(Some));
    let ends = cuts.iter().cloned().map(Some).chain(std::iter::once(None));
    begins.zip(ends).map(|(after, until)| Stretch { after, until }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_meet_at_the_cuts_and_leave_nothing_out() {
        let text = |text: &str| Some(text.to_owned());
        let found = stretches(vec!["a".to_owned(), "c".to_owned()]);
        let expected = [(None, text("a")), (text("a"), text("c")), (text("c"), None)];
        assert_eq!(found, expected.map(|(after, until)| Stretch { after, until }));
        assert_eq!(stretches(Vec::new()), [Stretch { after: None, until: None }]);
    }

    #[test]
    fn a_directory_is_the_part_up_to_the_next_slash() {
        for (inside, address, directory) in [
            ("s3://b/a/", "s3://b/a/x/y/z", Some("s3://b/a/x/")),
            ("s3://b/a", "s3://b/ab/c", Some("s3://b/ab/")),
            ("s3://b/a/", "s3://b/a/x", None),
        ] {
            assert_eq!(directory_after(inside, address).as_deref(), directory);
        }
    }
}
