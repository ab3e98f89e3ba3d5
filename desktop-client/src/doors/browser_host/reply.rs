//! What the extension is told.

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::frames;
use super::message::Ceremony;
use super::names::name_of;
use crate::doctor::Finding;
use crate::error::Error;

/// Where messages for the extension are left. Leaving one never waits: there
/// are few, and each is small.
#[derive(Debug, Clone)]
pub(super) struct Outbox(mpsc::UnboundedSender<Zeroizing<Vec<u8>>>);

/// An outbox, and who carries away what is left there until the last copy of
/// it is dropped.
pub(super) fn outbox(mut output: impl AsyncWrite + Unpin + Send + 'static) -> (Outbox, JoinHandle<()>) {
    let (sender, mut frames) = mpsc::unbounded_channel::<Zeroizing<Vec<u8>>>();
    let writer = tokio::spawn(async move {
        while let Some(frame) = frames.recv().await {
            let written = output.write_all(&frame).await;
            // The end of the input tells the rest of the program.
            if written.is_err() || output.flush().await.is_err() {
                return;
            }
        }
    });
    (Outbox(sender), writer)
}

#[derive(Serialize)]
#[serde(untagged)]
enum Reply<'a> {
    Event {
        id: i64,
        #[serde(flatten)]
        event: &'a Event<'a>,
    },
    Response {
        id: i64,
        response: &'a RawValue,
    },
    Error {
        id: Option<i64>,
        error: Exception<'a>,
    },
    Status {
        id: i64,
        status: Status<'a>,
    },
}

/// How far a request is.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(super) enum Event<'a> {
    /// A code to show, in place of any before it.
    Code {
        /// A picture of it.
        svg: &'a str,
        /// What stands in it.
        text: &'a str,
        /// It is good for so long, in milliseconds.
        expires_ms: u64,
    },
    /// A stage was reached.
    Stage {
        /// Its word for programs.
        stage: &'static str,
        /// The same for people.
        sentence: &'static str,
        /// What to do if it stays so.
        if_stuck: &'static str,
    },
    /// Something that people should know.
    Caution {
        /// A sentence.
        message: &'a str,
    },
}

#[derive(Serialize)]
struct Exception<'a> {
    name: &'static str,
    id: &'static str,
    message: &'a str,
    remedy: &'static str,
}

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    findings: &'a [Finding],
}

impl Outbox {
    pub(super) fn event(&self, id: i64, event: &Event<'_>) {
        self.leave(&Reply::Event { id, event });
    }

    pub(super) fn response(&self, id: i64, response: &RawValue) {
        if !self.leave(&Reply::Response { id, response }) {
            self.error(Some(id), None, &Fault::Unsendable.into());
        }
    }

    /// What a page is told by name, and a person in words.
    pub(super) fn error(&self, id: Option<i64>, ceremony: Option<Ceremony>, error: &Error) {
        let (name, (_, cause, remedy)) = (name_of(error, ceremony), error.advice());
        let error = Exception { name, id: cause, message: &error.to_string(), remedy };
        self.leave(&Reply::Error { id, error });
    }

    pub(super) fn status(&self, id: i64, findings: &[Finding]) {
        let status = Status { version: env!("CARGO_PKG_VERSION"), findings };
        self.leave(&Reply::Status { id, status });
    }

    /// False if a browser would not take it.
    fn leave(&self, reply: &Reply<'_>) -> bool {
        let frame = frames::frame(reply);
        // Nobody takes it away any more if the extension has gone.
        frame.map(|frame| drop(self.0.send(frame))).is_some()
    }
}
