//! Who asks: users' access keys, by Signature Version 4.

use std::sync::Arc;

use braid_auth::AuthError;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error as refuse};

use crate::gateway::Shared;

/// Finds the secrets that signatures are checked with.
pub(super) struct UserKeys {
    shared: Arc<Shared>,
}

impl UserKeys {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait::async_trait]
impl S3Auth for UserKeys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let key = self.shared.parts.keys.signing_key(access_key).await.map_err(|error| failed(&error))?;
        Ok(SecretKey::from(key.secret.expose()))
    }
}

/// Lets signed requests through, with the principal who signed them among their extensions.
pub(super) struct SignedOnly {
    shared: Arc<Shared>,
}

impl SignedOnly {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait::async_trait]
impl S3Access for SignedOnly {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = request.credentials() else {
            return Err(refuse!(AccessDenied, "requests must be signed"));
        };
        let key = self.shared.parts.keys.signing_key(&credentials.access_key).await;
        let key = key.map_err(|error| failed(&error))?;
        request.extensions_mut().insert(key.principal);
        Ok(())
    }
}

fn failed(error: &AuthError) -> s3s::S3Error {
    match error {
        AuthError::Unauthenticated => {
            refuse!(InvalidAccessKeyId, "there is no such access key")
        }
        other => {
            tracing::warn!(error = %other, "access keys cannot be looked up");
            refuse!(ServiceUnavailable, "access keys cannot be looked up now")
        }
    }
}
