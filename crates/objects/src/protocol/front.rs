//! What is in front of the protocol library.

use axum::body::Body;
use http::{Request, Response, StatusCode};
use s3s::service::S3Service;
use tower::Service;

use super::refusal::{Addressing, refusal, refused};

/// Answers a request by `service`, unless the library would misunderstand it. There is always an answer.
pub async fn answer(
    mut service: S3Service,
    addressing: Addressing,
    request: Request<Body>,
) -> Response<Body> {
    if let Some(refusal) = refusal(request.method(), request.uri(), request.headers(), addressing) {
        return refused(refusal);
    }
    match Service::call(&mut service, request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::error!(?error, "request not answered");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}
