//! The S3 API: repositories are buckets, and the key of an object is `ref/path`.
//!
//! A request passes the [`front`], which refuses what the protocol library would misunderstand; the library checks its
//! signature with the user's own secret and parses it; [`LakeS3`] carries it out by calls of the services, made for that
//! user, and moves data between the caller and the object store piece by piece.
//!
//! Reads take every ref, and see what is uncommitted on a branch. Writes want a branch.

mod address;
mod auth;
mod buckets;
mod copy;
mod delete;
mod error;
mod front;
mod host;
mod incoming;
mod list;
mod metadata;
mod multipart;
mod parts;
mod read;
mod uploads;
mod write;

use std::sync::Arc;

use s3s::S3Request;
use s3s::service::S3ServiceBuilder;

use braid_auth::Principal;
use braid_client::Client;

pub use front::S3Gateway;

use crate::gateway::Shared;

/// What requests are carried out on.
#[derive(Clone)]
struct LakeS3 {
    shared: Arc<Shared>,
}

braid_objects::s3_operations!(LakeS3);

/// The gateway's S3 API.
pub(crate) fn service(shared: &Arc<Shared>) -> S3Gateway {
    let mut builder = S3ServiceBuilder::new(LakeS3 { shared: Arc::clone(shared) });
    builder.set_auth(auth::UserKeys::new(Arc::clone(shared)));
    builder.set_access(auth::SignedOnly::new(Arc::clone(shared)));
    let domain = shared.settings.s3_domain.clone();
    if let Some(domain) = &domain {
        builder.set_host(host::Domain::new(domain));
    }
    S3Gateway::new(builder.build(), domain)
}

impl LakeS3 {
    /// A client whose calls are made for whoever signed the request.
    fn client<T>(&self, request: &S3Request<T>) -> Client {
        let principal =
            request.extensions.get::<Principal>().expect("requests that nobody signed are refused");
        self.shared.client_for(principal)
    }
}
