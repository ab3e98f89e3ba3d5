//! The door for browsers: `cablecar browser-host`, which our extension talks
//! to by native messaging.
//!
//! One process serves one port of the extension. Requests run one after the
//! other, in the order in which they came; what a page asked for is withdrawn
//! on the phone too when the extension cancels it or goes away. Nothing is
//! remembered, and nothing is logged.
//!
//! | to here | from here |
//! |---|---|
//! | `{"id", "ask": "create" or "get", "options", "origin", …}` | events, then one `response` or `error` |
//! | `{"id", "ask": "cancel"}` with the id of a request | that request's `error`, an `AbortError` |
//! | `{"id", "ask": "status"}` | `{"id", "status": {"version", "findings"}}` |
//!
//! The options are WebAuthn JSON (Level 3). The origin is the browser's word
//! for who asks, never the page's; what the page may use as RP ID is decided
//! here ([`Origin`](crate::webauthn::Origin)).

pub mod caller;
pub mod fault;
pub mod first_use;
mod frames;
mod message;
mod names;
mod reply;
mod surface;

use std::collections::VecDeque;
use std::pin::pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::defaults;
use crate::doctor::Finding;
use crate::doors::Phone;
use crate::error::Error;
use fault::Fault;
use message::{Message, Request};
use reply::Outbox;
use surface::Surface;

/// Serves one port of the extension, from its first message until it is
/// closed, `stop` is done, or somebody speaks another language.
///
/// `findings` is asked what is wrong with this computer when the extension
/// wants to know.
///
/// # Errors
/// [`Error::Browser`] where the input cannot be read on.
pub async fn serve<P: Phone>(
    mut phone: P,
    findings: impl AsyncFn() -> Vec<Finding>,
    input: impl AsyncRead + Unpin + Send + 'static,
    output: impl AsyncWrite + Unpin + Send + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (outbox, mut writer) = reply::outbox(output);
    let mut desk = Desk { inbox: frames::inbox(input), outbox, waiting: VecDeque::new(), running: None };
    let done = {
        let mut stop = pin!(stop);
        let mut work = pin!(desk.work(&mut phone, findings));
        tokio::select! {
            biased;
            () = &mut stop => Ok(()),
            done = &mut work => done,
        }
    };
    phone.part().await;
    drop(desk);
    // What was said last still goes out, unless nobody reads it any more.
    let _ = timeout(defaults::CLOSE, &mut writer).await;
    done
}

/// What has come in and waits, and where answers go.
struct Desk {
    inbox: mpsc::Receiver<Result<Vec<u8>, Fault>>,
    outbox: Outbox,
    waiting: VecDeque<Job>,
    /// The id of the request that is being answered.
    running: Option<i64>,
}

enum Job {
    Request(Box<Request>),
    Status(i64),
}

impl Job {
    fn id(&self) -> i64 {
        match self {
            Job::Request(request) => request.id,
            Job::Status(id) => *id,
        }
    }
}

impl Desk {
    async fn work(
        &mut self,
        phone: &mut impl Phone,
        findings: impl AsyncFn() -> Vec<Finding>,
    ) -> Result<(), Error> {
        loop {
            match self.waiting.pop_front() {
                Some(Job::Status(id)) => self.outbox.status(id, &findings().await),
                Some(Job::Request(request)) => {
                    if !self.answer(*request, phone).await? {
                        return Ok(());
                    }
                    // The next page's request is not for this phone.
                    phone.part().await;
                }
                None => match self.inbox.recv().await {
                    None => return Ok(()),
                    Some(frame) => drop(self.take(&frame?)),
                },
            }
        }
    }

    /// Answers one request; false if the extension has gone, so that there is
    /// nobody to answer.
    async fn answer(&mut self, request: Request, phone: &mut impl Phone) -> Result<bool, Error> {
        let (id, ceremony, ask) = (request.id, request.ceremony(), request.ask());
        self.running = Some(id);
        let mut surface = Surface::new(id, ask.life, self.outbox.clone());
        let answer = {
            let mut answer = pin!(phone.ask(&ask, &mut surface));
            loop {
                tokio::select! {
                    biased;
                    frame = self.inbox.recv() => match frame {
                        None => return Ok(false),
                        Some(frame) => if self.take(&frame?) == Some(id) {
                            break Err(Error::Interrupted);
                        },
                    },
                    answer = &mut answer => break answer,
                }
            }
        };
        self.running = None;
        match answer.and_then(|answer| request.finish(&answer)) {
            Ok(response) => self.outbox.response(id, &response),
            Err(error) => self.outbox.error(Some(id), Some(ceremony), &error),
        }
        Ok(true)
    }

    /// Takes a message in. The id of the request that runs comes back if it
    /// is to be withdrawn.
    fn take(&mut self, frame: &[u8]) -> Option<i64> {
        match Message::read(frame) {
            Ok(Message::Cancel(id)) if self.running == Some(id) => return Some(id),
            // What has been answered already cannot be withdrawn any more.
            Ok(Message::Cancel(id)) => {
                if let Some(place) = self.waiting.iter().position(|job| job.id() == id) {
                    self.waiting.remove(place);
                    self.outbox.error(Some(id), None, &Error::Interrupted);
                }
            }
            // A radio that listens for a request is in order, and busy.
            Ok(Message::Status(id)) if self.running.is_some() => self.outbox.status(id, &[]),
            Ok(Message::Status(id)) => self.waiting.push_front(Job::Status(id)),
            Ok(Message::Request(request)) if self.is_known(request.id) => {
                // An error with its id would be taken for the other's answer.
                let error = Fault::Message("the id of a request that waits already".into());
                self.outbox.error(None, None, &error.into());
            }
            Ok(Message::Request(request)) if self.waiting.len() >= defaults::MOST_REQUESTS_WAITING => {
                self.outbox.error(Some(request.id), Some(request.ceremony()), &Fault::Busy.into());
            }
            Ok(Message::Request(request)) => self.waiting.push_back(Job::Request(request)),
            Err(refused) => self.outbox.error(refused.id, refused.ceremony, &refused.error),
        }
        None
    }

    fn is_known(&self, id: i64) -> bool {
        self.running == Some(id) || self.waiting.iter().any(|job| job.id() == id)
    }
}

#[cfg(test)]
mod tests;
