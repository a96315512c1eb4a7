//! A conditional write that is tried again must know its own success when it meets it.

use std::time::Duration;

use async_trait::async_trait;

use crate::ObjectError;

/// The metadata entry that says which request wrote an object.
pub(super) const WRITER: &str = "braid-writer";

/// How one attempt to create an object ended.
pub(super) type Attempt = Result<String, ObjectError>;

/// What there is at the key: its entity tag, and which request wrote it.
pub(super) type Found = Result<(String, Option<String>), ObjectError>;

/// The requests that creating an object takes.
#[async_trait]
pub(super) trait Creation: Sync {
    /// Sends the write, once.
    async fn attempt(&self) -> Attempt;

    /// Sees what is there.
    async fn look(&self) -> Found;
}

/// Tries to create an object up to `attempts` times, pausing `first_pause` and then twice as long each time. Looks
/// only if an attempt that may have happened was followed by one that met an object. Answers the entity tag.
pub(super) async fn create(
    key: &str,
    writer: &str,
    attempts: u32,
    first_pause: Duration,
    creation: &dyn Creation,
) -> Attempt {
    let mut doubt: Option<ObjectError> = None;
    let mut pause = first_pause;
    for left in (0..attempts.max(1)).rev() {
        let error = match creation.attempt().await {
            Ok(etag) => return Ok(etag),
            Err(error) => error,
        };
        if matches!(error, ObjectError::AlreadyExists { .. }) && doubt.is_some() {
            return own_or_not(key, writer, error, creation.look().await);
        }
        if error.may_have_happened() {
            doubt = Some(error.clone());
        }
        if !error.is_retryable() || left == 0 {
            return Err(doubt.unwrap_or(error));
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    unreachable!("the last attempt returns")
}

fn own_or_not(key: &str, writer: &str, exists: ObjectError, found: Found) -> Attempt {
    match found {
        Ok((etag, by)) if by.as_deref() == Some(writer) => Ok(etag),
        Ok(_) => Err(exists),
        Err(error) => Err(ObjectError::Unknown { key: key.to_owned(), reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    fn exists() -> ObjectError {
        ObjectError::AlreadyExists { key: "k".into() }
    }

    fn lost() -> ObjectError {
        ObjectError::Unknown { key: "k".into(), reason: "reply lost".into() }
    }

    fn busy() -> ObjectError {
        ObjectError::Unavailable { key: "k".into(), reason: "slow down".into() }
    }

    /// What the attempts will answer, first one last, and what a look will.
    struct Script(Mutex<Vec<Attempt>>, Mutex<Option<Found>>);

    #[async_trait]
    impl Creation for Script {
        async fn attempt(&self) -> Attempt {
            self.0.lock().pop().expect("an attempt of the script")
        }

        async fn look(&self) -> Found {
            self.1.lock().take().expect("no reason to look")
        }
    }

    /// Runs the script; answers also how many attempts were left.
    async fn run(attempts: Vec<Attempt>, found: Option<Found>) -> (Attempt, usize) {
        let script = Script(Mutex::new(attempts), Mutex::new(found));
        let answer = create("k", "me", 3, Duration::ZERO, &script).await;
        (answer, script.0.into_inner().len())
    }

    #[tokio::test]
    async fn meeting_an_object_at_once_costs_no_look() {
        assert_eq!(run(vec![Err(exists())], None).await.0, Err(exists()));
        assert_eq!(run(vec![Err(exists()), Err(busy())], None).await.0, Err(exists()));
    }

    #[tokio::test]
    async fn an_own_success_whose_reply_was_lost_is_recognised() {
        let own = Some(Ok(("etag".to_owned(), Some("me".to_owned()))));
        assert_eq!(run(vec![Err(exists()), Err(lost())], own).await.0, Ok("etag".to_owned()));
    }

    #[tokio::test]
    async fn an_object_of_another_after_a_lost_reply_is_in_the_way() {
        for by in [None, Some("other".to_owned())] {
            let found = Some(Ok(("etag".to_owned(), by)));
            assert_eq!(run(vec![Err(exists()), Err(lost())], found).await.0, Err(exists()));
        }
    }

    #[tokio::test]
    async fn doubt_that_cannot_be_cleared_is_reported() {
        let unseen = run(vec![Err(exists()), Err(lost())], Some(Err(busy()))).await.0.unwrap_err();
        assert!(unseen.may_have_happened());
        let busy_after = run(vec![Err(busy()), Err(busy()), Err(lost())], None).await.0.unwrap_err();
        assert!(busy_after.may_have_happened());
        let denied = ObjectError::Denied { key: "k".into(), reason: "no".into() };
        assert!(run(vec![Err(denied), Err(lost())], None).await.0.unwrap_err().may_have_happened());
    }

    #[tokio::test]
    async fn attempts_end() {
        let script = (0..4).map(|_| Err(busy())).collect();
        assert_eq!(run(script, None).await, (Err(busy()), 1));
    }
}
