//! What the extension says.

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::fault::Fault;
use crate::error::Error;
use crate::transaction::Ask;
use crate::webauthn::{Create, Get, Origin, Page};

/// One message.
#[derive(Debug)]
pub(super) enum Message {
    /// A page's request.
    Request(Box<Request>),
    /// The request of this id is not wanted any more.
    Cancel(i64),
    /// What is wrong with this computer is wanted.
    Status(i64),
}

/// A page's request, whose options were found good.
#[derive(Debug)]
pub(super) struct Request {
    /// What the extension calls it.
    pub(super) id: i64,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Create(Create),
    Get(Get),
}

/// What a page does with a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ceremony {
    /// Registration.
    Create,
    /// Sign-in.
    Get,
}

/// A message that was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    /// The id that it had.
    pub(super) id: Option<i64>,
    /// What was asked for, where that was understood.
    pub(super) ceremony: Option<Ceremony>,
    /// Why.
    pub(super) error: Error,
}

/// What every message has.
#[derive(Deserialize)]
struct Head {
    id: i64,
    ask: String,
}

/// What a request has beside it. The members of the options that concern only
/// the browser, `extensions.remoteDesktopClientOverride` among them, are left
/// where they are: what goes to the phone is made anew ([`Create`], [`Get`]).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    options: &'a RawValue,
    origin: String,
    /// Absent on a page that stands in frames of its own origin only.
    top_origin: Option<String>,
    /// For a frame of which the browser does not say what page is on top.
    cross_origin: Option<bool>,
}

impl Message {
    /// Reads a message.
    pub(super) fn read(json: &[u8]) -> Result<Self, Refused> {
        let bad = |cause: serde_json::Error| Fault::Message(cause.to_string()).into();
        let head: Head = serde_json::from_slice(json).map_err(|cause| Refused {
            id: None,
            ceremony: None,
            error: bad(cause),
        })?;
        let ceremony = match head.ask.as_str() {
            "create" => Ceremony::Create,
            "get" => Ceremony::Get,
            "cancel" => return Ok(Message::Cancel(head.id)),
            "status" => return Ok(Message::Status(head.id)),
            other => {
                let error = Fault::Message(format!("nobody knows what {other:?} is to ask for"));
                return Err(Refused { id: Some(head.id), ceremony: None, error: error.into() });
            }
        };
        let body: Result<Body<'_>, Error> = serde_json::from_slice(json).map_err(bad);
        match body.and_then(|body| body.work(ceremony)) {
            Ok(work) => Ok(Message::Request(Box::new(Request { id: head.id, work }))),
            Err(error) => Err(Refused { id: Some(head.id), ceremony: Some(ceremony), error }),
        }
    }
}

impl Body<'_> {
    fn work(&self, ceremony: Ceremony) -> Result<Work, Error> {
        let page = self.page().map_err(|why| Fault::Page { origin: self.origin.clone(), why })?;
        let options = self.options.get().as_bytes();
        Ok(match ceremony {
            Ceremony::Create => Work::Create(Create::from_json(options, page)?),
            Ceremony::Get => Work::Get(Get::from_json(options, page)?),
        })
    }

    fn page(&self) -> Result<Page, String> {
        let origin = Origin::parse(&self.origin).map_err(|error| error.to_string())?;
        if self.top_origin.is_none() && self.cross_origin != Some(true) {
            return Ok(Page::from(&origin));
        }
        Page::in_frame(origin, self.top_origin.as_deref()).map_err(|error| error.to_string())
    }
}

impl Request {
    pub(super) fn ceremony(&self) -> Ceremony {
        match self.work {
            Work::Create(_) => Ceremony::Create,
            Work::Get(_) => Ceremony::Get,
        }
    }

    /// What to put to the phone.
    pub(super) fn ask(&self) -> Ask {
        match &self.work {
            Work::Create(create) => create.ask(),
            Work::Get(get) => get.ask(),
        }
    }

    /// What the page may have of the phone's answer.
    pub(super) fn finish(self, answer: &[u8]) -> Result<Box<RawValue>, Error> {
        let json = match self.work {
            Work::Create(create) => to_raw_value(&create.finish(answer)?),
            Work::Get(get) => to_raw_value(&get.finish(answer)?),
        };
        json.map_err(|cause| Error::Io { what: "JSON".into(), cause: cause.to_string() })
    }
}
