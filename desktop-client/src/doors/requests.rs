//! Raw CTAP2 requests of other programs, answered: what a door does whose
//! clients take this computer for a security key.
//!
//! | comes | answer |
//! |---|---|
//! | 04 getInfo | at once: what is known of a phone that nobody has met, or of the last one |
//! | 01 makeCredential, 02 getAssertion | the phone's, byte for byte as it came; the request goes there byte for byte too |
//! | the same, where no phone would serve it | its status, and nobody is shown a code |
//! | 0b selection, or 01 in its place | 2f when nobody touched the key for half a minute |
//! | 08 getNextAssertion | 30: there is never a next one through a tunnel |
//! | any other command | 01 |
//! | more than [`defaults::MAX_REQUEST`] bytes | 39 |
//!
//! Why selection has no tunnel: a client with several keys asks each for a
//! touch, takes the one that answers first, and puts its request to that one.
//! An answer without a person would take the request away from the key in the
//! person's hand, and a refusal would end it there. A code would be shown for
//! a request that may never come, and most phones hang up after one answer, so
//! it would have to be scanned twice. A key without a button is never touched:
//! that is the truth, and leaves the choice to the others.
//!
//! Why `up: false` is refused (2b), as the phone would: whoever asks silently
//! wants to know which passkeys are here before a person comes, and before a
//! person comes nobody knows.

mod known;
mod table;

#[cfg(test)]
mod tests;

pub use table::status_of;

use cablecar_protocol::cbor;
use cablecar_protocol::ctap::{Command, GetInfo, Status, get_assertion, make_credential};
use cablecar_protocol::qr::Hint;
use tokio::time::{Instant, sleep};

use super::Phone;
use crate::defaults;
use crate::error::Error;
use crate::screen::Screen;
use crate::transaction::Ask;

/// The RP that stands for none: Chromium's way to ask for a touch.
const DUMMY: &str = ".dummy";

/// One client's requests, and the phone that they are put to.
#[derive(Debug)]
pub struct Requests<P> {
    phone: P,
    /// What the last phone said of itself.
    info: Option<GetInfo>,
    failure: Option<Error>,
    /// The last request was answered by a phone, which may have stayed.
    has_answered: bool,
    /// The phone has a request whose answer nobody may have waited for.
    is_asked: bool,
}

/// What is to be done about a request.
enum Next {
    /// This is the answer.
    Answer(Vec<u8>),
    /// Wait for a touch that does not come.
    Touch,
    /// Ask the phone, with a code that says so.
    Phone(Hint),
}

impl<P: Phone> Requests<P> {
    /// Nothing was asked yet.
    pub fn new(phone: P) -> Self {
        Self { phone, info: None, failure: None, has_answered: false, is_asked: false }
    }

    /// Answers one request: command byte and parameters in, status byte and map
    /// out, at least one byte. What is not told by a status is left for
    /// [`Requests::failure`].
    ///
    /// Takes as long as people do, at most [`defaults::REQUEST_LIFE`] and
    /// [`defaults::ANSWER`]. If the future is dropped, [`Requests::withdraw`]
    /// takes the question off the phone, or else the next request does.
    pub async fn answer(&mut self, request: &[u8], screen: &mut dyn Screen) -> Vec<u8> {
        self.failure = None;
        match self.next(request) {
            Next::Answer(answer) => answer,
            Next::Touch => {
                sleep(defaults::UNTOUCHED).await;
                Status::USER_ACTION_TIMEOUT.with(&[])
            }
            Next::Phone(hint) => self.ask(request, hint, screen).await,
        }
    }

    /// Whether this request is for a phone, and so for a person.
    pub fn needs_phone(&self, request: &[u8]) -> bool {
        matches!(self.next(request), Next::Phone(_))
    }

    /// Why the last answer was a status of this computer's and not the phone's,
    /// once: what people are to be told, and programs that read events.
    pub fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Takes back the request whose answer is not waited for any more: the
    /// phone takes its question off the screen, and hangs up.
    pub async fn withdraw(&mut self) {
        if self.is_asked {
            self.phone.part().await;
            self.is_asked = false;
            self.has_answered = false;
        }
    }

    /// Lets the phone go that stayed after its last answer. What it said of
    /// itself is forgotten: another may come next.
    pub async fn part(&mut self) {
        self.phone.part().await;
        self.is_asked = false;
        self.has_answered = false;
        self.info = None;
    }

    async fn ask(&mut self, request: &[u8], hint: Hint, screen: &mut dyn Screen) -> Vec<u8> {
        self.withdraw().await;
        let ask = Ask {
            request: request.to_vec(),
            hint,
            life: defaults::REQUEST_LIFE,
            // The phone answers for itself, in bytes that the client knows to
            // read: it is asked for whatever the client wants.
            needs_uv: false,
            needs_rk: false,
        };
        self.is_asked = true;
        let asked = Instant::now();
        let mut answer = self.phone.ask(&ask, screen).await;
        // Most phones hang up after one answer; that may reach us only after
        // the next request was sent. Then the request is for a new code.
        let hung_up = matches!(answer, Err(Error::PhoneHungUp(_) | Error::TunnelBroke(_)));
        if hung_up && self.has_answered && asked.elapsed() < defaults::UNREAD {
            answer = self.phone.ask(&ask, screen).await;
        }
        self.is_asked = false;
        self.has_answered = answer.is_ok();
        if let Some(info) = self.phone.get_info() {
            self.info = Some(info.clone());
        }
        match answer {
            Ok(answer) if !answer.is_empty() => answer,
            Ok(_) => self.failed(Error::Answer(crate::error::Mismatch::Unreadable)),
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: Error) -> Vec<u8> {
        let status = status_of(&error);
        self.failure = Some(error);
        status.with(&[])
    }

    fn next(&self, request: &[u8]) -> Next {
        let Some((command, parameters)) = Command::split(request) else {
            return Status::INVALID_LENGTH.into();
        };
        if request.len() > defaults::MAX_REQUEST {
            return Status::REQUEST_TOO_LARGE.into();
        }
        match command {
            Command::MakeCredential => make_credential(parameters).unwrap_or_else(Next::from),
            Command::GetAssertion => get_assertion(parameters).unwrap_or_else(Next::from),
            Command::GetInfo | Command::Selection if !parameters.is_empty() => Status::INVALID_LENGTH.into(),
            Command::GetInfo => Next::Answer(Status::OK.with(&known::get_info(self.info.as_ref()))),
            Command::Selection => Next::Touch,
            Command::Other(GET_NEXT_ASSERTION) => Status::NOT_ALLOWED.into(),
            Command::Other(_) => Status::INVALID_COMMAND.into(),
        }
    }
}

/// The command for the next of several assertions.
const GET_NEXT_ASSERTION: u8 = 0x08;

impl From<Status> for Next {
    fn from(status: Status) -> Self {
        Next::Answer(status.with(&[]))
    }
}

fn make_credential(parameters: &[u8]) -> Result<Next, Status> {
    let request = make_credential::Request::parse(parameters)?;
    // The older ways to ask for a touch: Chromium's, and CTAP 2.0's.
    if request.rp.id == DUMMY || pin_uv_auth(parameters, 8, 9)?.is_some() {
        return Ok(Next::Touch);
    }
    if request.options.up == Some(false) {
        return Err(Status::UNSUPPORTED_OPTION);
    }
    Ok(Next::Phone(Hint::MakeCredential))
}

fn get_assertion(parameters: &[u8]) -> Result<Next, Status> {
    let request = get_assertion::Request::parse(parameters)?;
    if pin_uv_auth(parameters, 6, 7)?.is_some() {
        return Ok(Next::Touch);
    }
    if request.options.up == Some(false) {
        return Err(Status::UNSUPPORTED_OPTION);
    }
    Ok(Next::Phone(Hint::GetAssertion))
}

/// A request to touch the key that looks like a PIN's: an empty parameter.
struct TouchMe;

/// Looks for a PIN/UV authentication parameter and its protocol under these
/// keys. Phones have no PIN for anybody at the other end of a tunnel, so no
/// protocol of it is served (CTAP 2.1, 6.1.2 step 2).
fn pin_uv_auth(parameters: &[u8], key: i64, protocol: i64) -> Result<Option<TouchMe>, Status> {
    let map = cbor::parse(parameters, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
    let Some(map) = map else { return Err(Status::INVALID_CBOR) };
    match map.get(key).and_then(|item| item.as_bytes()) {
        None => Ok(None),
        Some([]) => Ok(Some(TouchMe)),
        Some(_) if map.get(protocol).is_none() => Err(Status::MISSING_PARAMETER),
        Some(_) => Err(Status::INVALID_PARAMETER),
    }
}
