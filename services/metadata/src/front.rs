//! What every call goes through: reading the request, its deadline and request id, its span, its end.

use std::future::Future;
use std::sync::Arc;

use braid_auth::Principal;
use braid_catalog::Mutation;
use braid_types::{Code, Error, Random, RequestId};
use braid_wire::{Call, status_from_error};
use futures::Stream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::{Instrument, Span};

use crate::deadline::Deadline;
use crate::stream::{Answers, Weigh, answers};

/// The answer to a unary call.
pub(crate) type Answer<T> = Result<Response<T>, Status>;

/// The span of a call: its name, and the repository that it is about.
macro_rules! span {
    ($name:literal, $repository:expr) => {
        tracing::info_span!(
            $name,
            repository = %$repository,
            request_id = tracing::field::Empty,
            code = tracing::field::Empty
        )
    };
    ($name:literal) => { tracing::info_span!($name, code = tracing::field::Empty) };
}
pub(crate) use span;

/// How calls are told that the service ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stops {
    /// Streams end; other calls may finish.
    pub(crate) draining: CancellationToken,
    /// Everything ends.
    pub(crate) halted: CancellationToken,
}

/// Where calls come in.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    stops: Stops,
    random: Arc<dyn Random>,
}

impl Front {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self { stops: Stops::default(), random }
    }

    pub(crate) fn stops(&self) -> &Stops {
        &self.stops
    }

    /// Answers a call that changes nothing.
    pub(crate) async fn read<W, T, A, B, F>(
        &self,
        span: Span,
        request: Request<W>,
        handle: impl FnOnce(T) -> F,
    ) -> Answer<B>
    where
        T: TryFrom<W, Error = Error>,
        F: Future<Output = Result<A, Error>>,
        B: From<A>,
    {
        let deadline = Deadline::of(request.metadata());
        let work = async { handle(T::try_from(request.into_inner())?).await };
        let answer = self.finish(Call::Read, deadline, Box::pin(work)).instrument(span).await?;
        Ok(Response::new(answer.into()))
    }

    /// Answers a call that changes something, under the request id that the client gave or a fresh one.
    pub(crate) async fn write<W, T, A, B, F>(
        &self,
        span: Span,
        request: Request<W>,
        handle: impl FnOnce(T, Mutation) -> F,
    ) -> Answer<B>
    where
        W: braid_wire::Mutation,
        T: TryFrom<W, Error = Error>,
        F: Future<Output = Result<A, Error>>,
        B: From<A>,
    {
        let deadline = Deadline::of(request.metadata());
        let principal = principal(&request).user.clone();
        let work = async {
            let (message, by) = self.named(request.into_inner(), principal)?;
            handle(T::try_from(message)?, by).await
        };
        let answer = self.finish(Call::Write, deadline, Box::pin(work)).instrument(span).await?;
        Ok(Response::new(answer.into()))
    }

    /// Answers a call that is several in one, each under its own request id. `handle` answers as many as it is given, in their
    /// order; those that cannot be read are among them.
    pub(crate) async fn write_each<W, T, A, F>(
        &self,
        span: Span,
        request: Request<Vec<W>>,
        handle: impl FnOnce(Vec<Result<(T, Mutation), Error>>) -> F,
    ) -> Result<Vec<Result<A, Error>>, Status>
    where
        W: braid_wire::Mutation,
        T: TryFrom<W, Error = Error>,
        F: Future<Output = Vec<Result<A, Error>>>,
    {
        let deadline = Deadline::of(request.metadata());
        let principal = principal(&request).user.clone();
        let one = |message: W| {
            let by = Mutation { principal: principal.clone(), request: self.request_id(&message)? };
            Ok((T::try_from(message)?, by))
        };
        let work = async {
            let ended = handle(request.into_inner().into_iter().map(one).collect()).await;
            ended
                .iter()
                .filter_map(|ended| ended.as_ref().err())
                .for_each(|error| note(&Span::current(), error));
            Ok(ended)
        };
        self.finish(Call::Write, deadline, Box::pin(work)).instrument(span).await
    }

    /// Answers a call that changes something and has no request id.
    pub(crate) async fn change<W, T, A, B, F>(
        &self,
        span: Span,
        request: Request<W>,
        handle: impl FnOnce(T) -> F,
    ) -> Answer<B>
    where
        T: TryFrom<W, Error = Error>,
        F: Future<Output = Result<A, Error>>,
        B: From<A>,
    {
        let deadline = Deadline::of(request.metadata());
        let work = async { handle(T::try_from(request.into_inner())?).await };
        let answer = self.finish(Call::Write, deadline, Box::pin(work)).instrument(span).await?;
        Ok(Response::new(answer.into()))
    }

    /// Answers a call with a stream of items, some to a message.
    pub(crate) async fn stream<W, T, S, I, B, F>(
        &self,
        span: Span,
        request: Request<W>,
        open: impl FnOnce(T) -> F,
    ) -> Result<Response<Answers<B>>, Status>
    where
        T: TryFrom<W, Error = Error>,
        F: Future<Output = Result<S, Error>>,
        S: Stream<Item = Result<I, Error>> + Send + 'static,
        I: Weigh + Send + 'static,
        B: From<Vec<I>> + Send + 'static,
    {
        let deadline = Deadline::of(request.metadata());
        let work = async { open(T::try_from(request.into_inner())?).await };
        let items = self.finish(Call::Read, deadline, Box::pin(work)).instrument(span.clone()).await?;
        Ok(Response::new(answers(items, Call::Read, deadline, self.stops.draining.clone(), span)))
    }

    /// Answers a call that changes something with a stream of how far it has come. What a call does is done as its answer is
    /// read, so it ends with the stream.
    pub(crate) async fn write_telling<W, T, S, I, B, F>(
        &self,
        span: Span,
        request: Request<W>,
        open: impl FnOnce(T, Mutation) -> F,
    ) -> Result<Response<Answers<B>>, Status>
    where
        W: braid_wire::Mutation,
        T: TryFrom<W, Error = Error>,
        F: Future<Output = Result<S, Error>>,
        S: Stream<Item = Result<I, Error>> + Send + 'static,
        I: Weigh + Send + 'static,
        B: From<Vec<I>> + Send + 'static,
    {
        let deadline = Deadline::of(request.metadata());
        let principal = principal(&request).user.clone();
        let work = async {
            let (message, by) = self.named(request.into_inner(), principal)?;
            open(T::try_from(message)?, by).await
        };
        let items = self.finish(Call::Write, deadline, Box::pin(work)).instrument(span.clone()).await?;
        Ok(Response::new(answers(items, Call::Write, deadline, self.stops.draining.clone(), span)))
    }

    /// A request, by whom and under which id.
    fn named<W: braid_wire::Mutation>(&self, message: W, principal: String) -> Result<(W, Mutation), Error> {
        let request = self.request_id(&message)?;
        Span::current().record("request_id", request.as_str());
        Ok((message, Mutation { principal, request }))
    }

    /// The id that the client gave a request, or a fresh one.
    fn request_id(&self, message: &impl braid_wire::Mutation) -> Result<RequestId, Error> {
        Ok(message.request_id()?.unwrap_or_else(|| RequestId::random(&*self.random)))
    }

    /// Does the work of a call, unless the caller stops waiting or the service ends. Work that is dropped does not go on;
    /// only a transaction that is being committed does, in the store.
    async fn finish<A>(
        &self,
        call: Call,
        deadline: Deadline,
        work: impl Future<Output = Result<A, Error>>,
    ) -> Result<A, Status> {
        let result = tokio::select! {
            biased;
            result = work => result,
            () = deadline.passed() => Err(interrupted(call, too_late())),
            () = self.stops.halted.cancelled() => Err(interrupted(call, stopping())),
        };
        result.map_err(|error| report(&Span::current(), &error)).inspect(|_| {
            Span::current().record("code", "ok");
        })
    }
}

/// Who makes a call.
pub(crate) fn principal<W>(request: &Request<W>) -> &Principal {
    request.extensions().get().expect("the authentication layer lets no call through without a principal")
}

/// Notes how a call failed, and tells the caller.
pub(crate) fn report(span: &Span, error: &Error) -> Status {
    span.record("code", error.code().name());
    note(span, error);
    status_from_error(error)
}

fn note(span: &Span, error: &Error) {
    match error.code() {
        Code::Internal | Code::Corrupt | Code::OutcomeUnknown | Code::UnsupportedFormat => {
            tracing::error!(parent: span, subject = error.subject(), "{error}");
        }
        _ => tracing::debug!(parent: span, "{error}"),
    }
}

/// The failure of a call that outlives its deadline.
pub(crate) fn too_late() -> Error {
    Error::new(Code::DeadlineExceeded, "grpc-timeout", "the call took longer than the caller allowed")
}

/// The failure of a call that the end of the service cuts off.
pub(crate) fn stopping() -> Error {
    Error::new(Code::Unavailable, "server", "the server is shutting down")
}

/// What an interruption means for a call.
pub(crate) fn interrupted(call: Call, error: Error) -> Error {
    match call {
        Call::Read => error,
        Call::Write => error.that_may_have_happened(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;

    use braid_types::SeededRandom;
    use braid_wire::{DeleteRepository, GetRepository, error_from_status, proto};

    use super::*;

    fn front() -> Front {
        Front::new(Arc::new(SeededRandom::new(1)))
    }

    fn get() -> Request<proto::GetRepositoryRequest> {
        Request::new(proto::GetRepositoryRequest { repository: "lake".to_owned() })
    }

    fn delete() -> Request<proto::DeleteRepositoryRequest> {
        let message =
            proto::DeleteRepositoryRequest { repository: "lake".to_owned(), request_id: String::new() };
        let mut request = Request::new(message);
        request.extensions_mut().insert(Principal { user: "ada".to_owned(), key_id: "K".to_owned() });
        request
    }

    async fn never<A>() -> Result<A, Error> {
        pending().await
    }

    fn error<B: std::fmt::Debug>(answer: Answer<B>) -> Error {
        error_from_status(&answer.unwrap_err(), Call::Read)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_a_little_before_its_caller_stops_waiting() {
        let begun = tokio::time::Instant::now();
        let mut request = get();
        request.metadata_mut().insert("grpc-timeout", "10S".parse().unwrap());
        let answer =
            front().read(Span::none(), request, |_: GetRepository| never::<proto::Repository>()).await;
        let error = error::<proto::Repository>(answer);
        assert_eq!((error.code(), error.may_have_happened()), (Code::DeadlineExceeded, false));
        assert_eq!(begun.elapsed().as_millis(), 9_900);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupted_change_may_have_happened() {
        let mut request = delete();
        request.metadata_mut().insert("grpc-timeout", "1S".parse().unwrap());
        let handle = |_: DeleteRepository, _| never::<proto::DeleteRepositoryResponse>();
        let late = error(
            front().write::<_, _, _, proto::DeleteRepositoryResponse, _>(Span::none(), request, handle).await,
        );
        assert_eq!((late.code(), late.may_have_happened()), (Code::DeadlineExceeded, true));
    }

    #[tokio::test]
    async fn the_end_of_the_service_interrupts_what_is_left() {
        let front = front();
        let mut answer = pin!(front.read::<_, _, _, proto::Repository, _>(
            Span::none(),
            get(),
            |_: GetRepository| never::<proto::Repository>(),
        ));
        front.stops().draining.cancel();
        assert!(futures::poll!(&mut answer).is_pending(), "calls may finish while the service drains");
        front.stops().halted.cancel();
        assert_eq!(error(answer.await).code(), Code::Unavailable);
    }

    #[tokio::test]
    async fn a_request_without_an_id_is_given_one() {
        let ids = async |front: &Front, given: &str| {
            let mut request = delete();
            request.get_mut().request_id = given.to_owned();
            let mut seen = None;
            let handle = |_: DeleteRepository, by: Mutation| {
                seen = Some((by.principal, by.request.as_str().to_owned()));
                std::future::ready(Ok(proto::DeleteRepositoryResponse {}))
            };
            let _: Response<proto::DeleteRepositoryResponse> =
                front.write(Span::none(), request, handle).await.unwrap();
            seen.unwrap()
        };
        let front = front();
        assert_eq!(ids(&front, "r1").await, ("ada".to_owned(), "r1".to_owned()));
        assert_ne!(ids(&front, "").await.1, ids(&front, "").await.1);
    }
}
