//! Sessions: a signed token in place of an access key, for those who logged in with one.
//!
//! A token is a JSON Web Token signed with HS256, in the form of lakeFS's: the user as its subject, `login` as its audience.
//! It names the key that it was given for, and is worth nothing once that key is taken away.

use std::sync::Arc;
use std::time::Duration;

use braid_types::{Clock, Time};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::{AuthError, Keys, Principal};

const AUDIENCE: &str = "login";
const ISSUER: &str = "auth";

/// How long a session lasts.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// Gives out and checks tokens.
pub struct Sessions {
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    signing: EncodingKey,
    checking: DecodingKey,
}

/// A token, and until when it is good.
#[derive(Clone)]
pub struct Session {
    /// The token. Whoever has it is taken for the user.
    pub token: String,
    /// When it ends.
    pub expires: Time,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    aud: String,
    iss: String,
    iat: i64,
    exp: i64,
    key: String,
}

impl Sessions {
    /// Sessions of those who have `keys`, signed with `secret`: the same on every node, such as
    /// [`MasterKey::derive("sessions")`](crate::MasterKey::derive).
    pub fn new(keys: Arc<Keys>, secret: [u8; 32], clock: Arc<dyn Clock>) -> Self {
        let (signing, checking) = (EncodingKey::from_secret(&secret), DecodingKey::from_secret(&secret));
        Self { keys, clock, signing, checking }
    }

    /// A session for whoever has this key.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`].
    pub async fn begin(&self, key_id: &str, secret: &str) -> Result<Session, AuthError> {
        let principal = self.keys.authenticate(key_id, secret).await?;
        let now = self.clock.now().whole_seconds();
        let expires = now.plus(LIFETIME);
        let claims = Claims {
            sub: principal.user,
            aud: AUDIENCE.to_owned(),
            iss: ISSUER.to_owned(),
            iat: now.seconds,
            exp: expires.seconds,
            key: principal.key_id,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        Ok(Session { token: token.expect("HS256 signs what is JSON"), expires })
    }

    /// Says whose session a token is.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] if it is forged or expired, or its key is gone.
    pub async fn principal(&self, token: &str) -> Result<Principal, AuthError> {
        let mut validation = Validation::new(Algorithm::HS256);
        // By this process's clock, below.
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.checking, &validation);
        let claims = decoded.map_err(|_| AuthError::Unauthenticated)?.claims;
        if self.clock.now().seconds >= claims.exp {
            return Err(AuthError::Unauthenticated);
        }
        let owner = self.keys.owner(&claims.key).await?.ok_or(AuthError::Unauthenticated)?;
        match owner == claims.sub {
            true => Ok(Principal { user: claims.sub, key_id: claims.key }),
            false => Err(AuthError::Unauthenticated),
        }
    }
}

#[cfg(test)]
mod tests {
    use braid_kv::{Kv, Memory, MemorySettings};
    use braid_types::{ManualClock, SeededRandom};

    use super::*;
    use crate::MasterKey;

    async fn sessions(clock: &Arc<ManualClock>, secret: [u8; 32]) -> (Sessions, Arc<Keys>) {
        let random = Arc::new(SeededRandom::new(1));
        let kv: Arc<dyn Kv> = Arc::new(Memory::new(MemorySettings::default(), clock.clone()));
        let keys = Keys::open(kv, &MasterKey::generate(&*random), clock.clone(), random).await.unwrap();
        let keys = Arc::new(keys);
        (Sessions::new(Arc::clone(&keys), secret, clock.clone()), keys)
    }

    #[tokio::test]
    async fn a_session_lasts_a_week_and_no_longer_than_its_key() {
        let clock = Arc::new(ManualClock::at(Time::from_seconds(1_000)));
        let (sessions, keys) = sessions(&clock, [1; 32]).await;
        let key = keys.create("ada").await.unwrap();
        let session = sessions.begin(&key.id, key.secret.expose()).await.unwrap();
        let principal = sessions.principal(&session.token).await.unwrap();
        assert_eq!((principal.user.as_str(), &principal.key_id), ("ada", &key.id));
        clock.advance(LIFETIME - Duration::from_secs(1));
        assert!(sessions.principal(&session.token).await.is_ok());
        clock.advance(Duration::from_secs(1));
        assert!(sessions.principal(&session.token).await.is_err());
        let other = sessions.begin(&key.id, key.secret.expose()).await.unwrap();
        keys.delete_key("ada", &key.id).await.unwrap();
        assert!(sessions.principal(&other.token).await.is_err());
    }

    #[tokio::test]
    async fn nobody_else_can_make_one() {
        let clock = Arc::new(ManualClock::at(Time::from_seconds(1_000)));
        let (ours, keys) = sessions(&clock, [1; 32]).await;
        let forged = Sessions::new(Arc::clone(&keys), [2; 32], clock.clone());
        let key = keys.create("ada").await.unwrap();
        assert!(ours.begin(&key.id, "wrong").await.is_err());
        let session = forged.begin(&key.id, key.secret.expose()).await.unwrap();
        assert!(ours.principal(&session.token).await.is_err());
        // Signed with nothing.
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", session.token.split('.').nth(1).unwrap());
        for wrong in ["", "a.b.c", &unsigned] {
            assert!(ours.principal(wrong).await.is_err(), "{wrong}");
        }
    }
}
