//! Work that is under way, in order.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt, poll_fn};

/// A bounded number of futures that make progress together, and whose results are taken in the order in which they
/// were begun.
///
/// All are polled by whoever takes from the window. Dropping it drops them.
pub(crate) struct Window<T> {
    under_way: VecDeque<Slot<T>>,
    size: usize,
    most: usize,
}

enum Slot<T> {
    Running(BoxFuture<'static, T>),
    Done(T),
}

impl<T> Window<T> {
    /// A window for one future at first, and for twice as many each time a result is taken, up to `most`.
    pub(crate) fn growing(most: usize) -> Self {
        Self { under_way: VecDeque::new(), size: 1, most }
    }

    /// A window for `most` futures.
    pub(crate) fn new(most: usize) -> Self {
        Self { under_way: VecDeque::new(), size: most, most }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Whether another future may be begun.
    pub(crate) fn has_room(&self) -> bool {
        self.under_way.len() < self.size
    }

    /// Adds a future; the next time the window is polled it begins.
    pub(crate) fn begin(&mut self, work: BoxFuture<'static, T>) {
        debug_assert!(self.has_room(), "who begins work asks for room first");
        self.under_way.push_back(Slot::Running(work));
    }

    /// The result of the oldest future; `None` if there is no future.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.advance(context);
        match self.under_way.pop_front() {
            None => Poll::Ready(None),
            Some(Slot::Done(result)) => {
                self.size = (self.size * 2).min(self.most);
                Poll::Ready(Some(result))
            }
            Some(running) => {
                self.under_way.push_front(running);
                Poll::Pending
            }
        }
    }

    /// As [`poll_next`](Self::poll_next), awaited.
    pub(crate) async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Awaits something else, while the futures make progress.
    pub(crate) async fn alongside<F: Future>(&mut self, other: F) -> F::Output {
        let mut other = pin!(other);
        poll_fn(|context| {
            self.advance(context);
            other.as_mut().poll(context)
        })
        .await
    }

    /// Lets the futures make progress.
    pub(crate) fn advance(&mut self, context: &mut Context<'_>) {
        for slot in &mut self.under_way {
            if let Slot::Running(work) = slot
                && let Poll::Ready(result) = work.poll_unpin(context)
            {
                *slot = Slot::Done(result);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::oneshot;
    use futures::executor::block_on;
    use futures::poll;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_their_beginnings() {
        let mut window = Window::new(3);
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel::<u8>()).unzip();
        for receiver in receivers {
            window.begin(receiver.boxed());
        }
        assert!(!window.has_room());
        for (number, sender) in senders.into_iter().enumerate().rev() {
            sender.send(number as u8).unwrap();
        }
        let results: Vec<_> = (0..3).map(|_| block_on(window.next()).unwrap().unwrap()).collect();
        assert_eq!(results, [0, 1, 2]);
        assert_eq!(block_on(window.next()), None);
    }

    #[test]
    fn futures_make_progress_while_something_else_is_awaited() {
        let mut window = Window::new(2);
        let (sender, receiver) = oneshot::channel();
        window.begin(async { sender.send(7).unwrap() }.boxed());
        assert_eq!(block_on(window.alongside(receiver)), Ok(7));
    }

    #[test]
    fn a_window_grows_with_what_is_taken_from_it() {
        let mut window = Window::growing(5);
        let mut rooms = Vec::new();
        for _ in 0..5 {
            let mut room = 0;
            while window.has_room() {
                window.begin(async {}.boxed());
                room += 1;
            }
            rooms.push(room);
            block_on(window.next()).unwrap();
        }
        assert_eq!(rooms, [1, 2, 3, 2, 1]);
    }

    #[test]
    fn what_is_not_begun_yet_has_not_run() {
        let mut window = Window::new(1);
        let (sender, mut receiver) = oneshot::channel();
        window.begin(async { sender.send(()).unwrap() }.boxed());
        block_on(async {
            assert!(poll!(&mut receiver).is_pending());
            window.next().await;
            assert!(poll!(&mut receiver).is_ready());
        });
    }
}
