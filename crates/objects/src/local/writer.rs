//! The thread that writes the index: all changes that wait go into one durable commit.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::change::{Answer, Change};
use super::index::{Index, WriteError, is_full};
use super::pins::Pins;
use crate::ObjectError;

/// The most changes in one commit.
const BATCH: usize = 512;

/// Where changes are handed in.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    sender: mpsc::Sender<Request>,
}

#[derive(Debug)]
struct Request {
    change: Change,
    reply: oneshot::Sender<Answer>,
}

impl Writer {
    /// Starts the thread; it ends when the last `Writer` is gone.
    pub(super) fn start(index: Arc<Index>, pins: Arc<Pins>) -> io::Result<(Self, JoinHandle<()>)> {
        let (sender, mut requests) = mpsc::channel(2 * BATCH);
        let thread = std::thread::Builder::new().name("objects-index".to_owned()).spawn(move || {
            let mut batch = Vec::new();
            while requests.blocking_recv_many(&mut batch, BATCH) > 0 {
                commit(&index, &pins, std::mem::take(&mut batch));
            }
        })?;
        Ok((Self { sender }, thread))
    }

    /// Carries a change out, durably. If the caller goes away meanwhile, it is carried out or not.
    pub(super) async fn change(&self, change: Change) -> Answer {
        let key = change.key().to_owned();
        let (reply, answer) = oneshot::channel();
        if self.sender.send(Request { change, reply }).await.is_err() {
            return Err(ObjectError::Unavailable { key, reason: "the store is closed".to_owned() }.into());
        }
        let lost = |_| ObjectError::Unknown { key, reason: "the index thread ended".to_owned() };
        answer.await.map_err(lost)?
    }
}

fn commit(index: &Index, pins: &Pins, batch: Vec<Request>) {
    let mut dropped = Vec::new();
    let answers = index.write(|tables| {
        batch.iter().map(|request| request.change.apply(tables, &mut dropped)).collect::<Result<Vec<_>, _>>()
    });
    match answers {
        Ok(answers) => {
            pins.doom(dropped);
            for (request, answer) in batch.into_iter().zip(answers) {
                settle(request, answer);
            }
        }
        Err(error) => fail(batch, &error),
    }
}

/// The content of a refused change is given up before the caller is told, so that it then waits to be removed.
fn settle(Request { change, reply }: Request, answer: Answer) {
    match answer {
        Ok(_) => change.keep_content(),
        Err(_) => drop(change),
    }
    // The caller may have gone away.
    let _ = reply.send(answer);
}

fn fail(batch: Vec<Request>, error: &WriteError) {
    tracing::error!(error = %error.cause, may_have_happened = error.may_have_happened, "index not written");
    for Request { change, reply } in batch {
        let key = change.key().to_owned();
        if error.may_have_happened {
            change.keep_content();
        } else {
            drop(change);
        }
        let _ = reply.send(Err(write_error(key, error).into()));
    }
}

fn write_error(key: String, error: &WriteError) -> ObjectError {
    let reason = error.cause.to_string();
    if error.may_have_happened {
        return ObjectError::Unknown { key, reason };
    }
    if is_full(&error.cause) {
        return ObjectError::NoSpace { key };
    }
    ObjectError::Io { key, reason }
}
