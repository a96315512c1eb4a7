//! How calls are made: credentials, deadlines, request ids, retries; and how streams are opened and read.

use std::future::Future;
use std::time::Duration;

use braid_types::{Code, Error, RequestId};
use braid_wire::{Call, Mutation, Page, error_from_status};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::client::Client;

/// A stream of answers, in the server's order. It ends after the first error.
pub type Entries<T> = BoxStream<'static, Result<T, Error>>;

/// The items of one batch.
type Items<T> = stream::Iter<std::vec::IntoIter<Result<T, Error>>>;

impl Client {
    /// Makes a call that changes nothing.
    pub(crate) async fn read<M, A, F>(&self, message: M, call: impl Fn(Request<M>) -> F) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.unary(message, Call::Read, self.timeouts().call, call).await
    }

    /// The same for a call whose work grows with the branch.
    pub(crate) async fn read_long<M, A, F>(
        &self,
        message: M,
        call: impl Fn(Request<M>) -> F,
    ) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.unary(message, Call::Read, self.timeouts().commit, call).await
    }

    /// Makes a call that changes something, under a request id of its own.
    pub(crate) async fn mutate<M, A, F>(&self, message: M, call: impl Fn(Request<M>) -> F) -> Result<A, Error>
    where
        M: Mutation + Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.unary(self.named(message), Call::Write, self.timeouts().call, call).await
    }

    /// Makes a call that changes something and has no request id, once.
    pub(crate) async fn once<M, A, F>(&self, message: M, call: impl Fn(Request<M>) -> F) -> Result<A, Error>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.attempt(message, Call::Write, self.timeouts().call, call).await
    }

    /// The same for a call whose work grows with the branch.
    pub(crate) async fn mutate_long<M, A, F>(
        &self,
        message: M,
        call: impl Fn(Request<M>) -> F,
    ) -> Result<A, Error>
    where
        M: Mutation + Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.unary(self.named(message), Call::Write, self.timeouts().commit, call).await
    }

    /// The same for a call whose id the caller knows: however often it is made, it is done once.
    pub(crate) async fn mutate_long_as<M, A, F>(
        &self,
        id: &RequestId,
        mut message: M,
        call: impl Fn(Request<M>) -> F,
    ) -> Result<A, Error>
    where
        M: Mutation + Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        message.set_request_id(id);
        self.unary(message, Call::Write, self.timeouts().commit, call).await
    }

    pub(crate) fn named<M: Mutation>(&self, mut message: M) -> M {
        message.set_request_id(&self.fresh_request_id());
        message
    }

    async fn unary<M, A, F>(
        &self,
        message: M,
        kind: Call,
        patience: Duration,
        call: impl Fn(Request<M>) -> F,
    ) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut retries = self.retries();
        loop {
            match self.attempt(message.clone(), kind, patience, &call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    /// Makes a call once.
    pub(crate) async fn attempt<M, A, F>(
        &self,
        message: M,
        kind: Call,
        patience: Duration,
        call: impl FnOnce(Request<M>) -> F,
    ) -> Result<A, Error>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut request = self.request(message);
        request.set_timeout(patience);
        Ok(within(patience, kind, call(request)).await?.into_inner())
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.extensions_mut().clone_from(self.extensions());
        if let Some(value) = self.authorization() {
            request.metadata_mut().insert("authorization", value.clone());
        }
        request
    }

    /// Opens a stream of batches and gives their items one by one. Opening is tried again until the first batch is there;
    /// later the stream fails, since another one would show another snapshot.
    pub(crate) fn stream<M, A, T, F, C>(&self, message: M, open: C) -> Entries<T>
    where
        M: Clone + Send + Sync + 'static,
        A: Send + 'static,
        T: Send + 'static,
        Vec<T>: TryFrom<A, Error = Error>,
        C: Fn(Client, Request<M>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response<Streaming<A>>, Status>> + Send + 'static,
    {
        self.stream_of(message, Call::Read, open)
    }

    /// The same for a call that changes something, under a request id of its own, and tells how far it has come.
    pub(crate) fn mutate_telling<M, A, T, F, C>(&self, message: M, open: C) -> Entries<T>
    where
        M: Mutation + Clone + Send + Sync + 'static,
        A: Send + 'static,
        T: Send + 'static,
        Vec<T>: TryFrom<A, Error = Error>,
        C: Fn(Client, Request<M>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response<Streaming<A>>, Status>> + Send + 'static,
    {
        self.stream_of(self.named(message), Call::Write, open)
    }

    fn stream_of<M, A, T, F, C>(&self, message: M, kind: Call, open: C) -> Entries<T>
    where
        M: Clone + Send + Sync + 'static,
        A: Send + 'static,
        T: Send + 'static,
        Vec<T>: TryFrom<A, Error = Error>,
        C: Fn(Client, Request<M>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response<Streaming<A>>, Status>> + Send + 'static,
    {
        let client = self.clone();
        let opened = async move {
            let idle = client.timeouts().idle;
            let start = client.open(message, kind, open).await?;
            Ok::<_, Error>(stream::try_unfold(start, move |state| batch(state, kind, idle)))
        };
        stream::once(opened).try_flatten().try_flatten().boxed()
    }

    async fn open<M, A, F, C>(
        &self,
        message: M,
        kind: Call,
        open: C,
    ) -> Result<(Option<A>, Streaming<A>), Error>
    where
        M: Clone,
        C: Fn(Client, Request<M>) -> F,
        F: Future<Output = Result<Response<Streaming<A>>, Status>>,
    {
        let idle = self.timeouts().idle;
        let mut retries = self.retries();
        loop {
            let request = self.request(message.clone());
            let opening = async {
                let mut batches = open(self.clone(), request).await?.into_inner();
                Ok((batches.message().await?, batches))
            };
            match within(idle, kind, opening).await {
                Ok(opened) => return Ok(opened),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    /// All items of a list, page after page, all of one state.
    pub(crate) fn pages<T, F, C>(&self, list: C) -> Entries<T>
    where
        T: Send + 'static,
        C: Fn(Client, Option<String>) -> F + Send + 'static,
        F: Future<Output = Result<Page<T>, Error>> + Send + 'static,
    {
        let start = Some((self.clone(), list, None));
        stream::try_unfold(start, async |state| {
            let Some((client, list, token)) = state else { return Ok(None) };
            let page = list(client.clone(), token).await?;
            let next = page.next_page_token.map(|token| (client, list, Some(token)));
            Ok::<_, Error>(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        })
        .try_flatten()
        .boxed()
    }
}

/// Takes an answer as what it must be.
pub(crate) fn answer<A, T: TryFrom<A, Error = Error>>(wire: A) -> Result<T, Error> {
    T::try_from(wire).map_err(|error| malformed(error.message()))
}

/// Takes the answer to a change: the change was made even if the answer makes no sense.
pub(crate) fn done<A, T: TryFrom<A, Error = Error>>(wire: A) -> Result<T, Error> {
    answer(wire).map_err(Error::that_may_have_happened)
}

/// The failure of a server that does not keep the contract.
pub(crate) fn malformed(reason: &str) -> Error {
    Error::new(Code::Internal, "server", format!("the server's answer makes no sense: {reason}"))
}

async fn within<T>(
    patience: Duration,
    kind: Call,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Error> {
    match tokio::time::timeout(patience, call).await {
        Ok(answered) => answered.map_err(|status| error_from_status(&status, kind)),
        Err(_) => {
            let message = format!("the server did not answer within {patience:?}");
            Err(error_from_status(&Status::deadline_exceeded(message), kind))
        }
    }
}

/// Takes the batch that opening has brought already, or the next one, and what is left after it. Nothing follows an error.
async fn batch<A, T>(
    (ready, mut batches): (Option<A>, Streaming<A>),
    kind: Call,
    idle: Duration,
) -> Result<Option<(Items<T>, (Option<A>, Streaming<A>))>, Error>
where
    Vec<T>: TryFrom<A, Error = Error>,
{
    let next = match ready {
        Some(batch) => Some(batch),
        None => within(idle, kind, batches.message()).await?,
    };
    let Some(batch) = next else { return Ok(None) };
    let items: Vec<Result<T, Error>> = answer::<A, Vec<T>>(batch)?.into_iter().map(Ok).collect();
    Ok(Some((stream::iter(items), (None, batches))))
}

/// Refuses an answer with another number of items than was asked for.
pub(crate) fn as_many<T>(asked: usize, answered: Vec<T>) -> Result<Vec<T>, Error> {
    if answered.len() == asked {
        return Ok(answered);
    }
    Err(malformed(&format!("it has {} items where {asked} were asked for", answered.len())))
}
