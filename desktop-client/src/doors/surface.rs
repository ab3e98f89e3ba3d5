//! How people and programs hear of a door whose clients take this computer for
//! a security key.

use std::future::Future;
use std::io::IsTerminal;

use cablecar_protocol::ctap::{Command, get_assertion, make_credential};

use crate::error::Error;
use crate::screen::page::Ending;
use crate::screen::place::{Place, Screens};
use crate::screen::terminal::Terminal;
use crate::screen::words::{NOTHING_STAYS, plain};
use crate::screen::{Screen, events};

/// What the person in front of this computer hears of it.
pub trait Surface: Send {
    /// Where one request is followed, from its code to its end.
    type Screen: Screen;

    /// The key is plugged in.
    fn ready(&mut self);

    /// A program wants this from a phone. The screen takes its code off when it
    /// is dropped.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Usage`] for a picture or a page that cannot be
    /// had.
    fn asked(&mut self, request: &[u8]) -> impl Future<Output = Result<Self::Screen, Error>> + Send;

    /// The phone has answered, or could not.
    fn answered(&mut self, screen: Self::Screen, refusal: Option<&Error>);

    /// The program does not want it any more.
    fn withdrawn(&mut self, screen: Self::Screen);

    /// A program asks the person which key is meant: this one.
    fn wink(&mut self);

    /// Something did not work that is nobody's request.
    fn failed(&mut self, error: &Error);
}

/// Standard error, with the code there or on a page.
#[derive(Debug)]
pub struct Surfaces {
    place: Place,
    json_events: bool,
}

impl Surfaces {
    /// Shows codes there; with `json_events`, programs read the rest.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Usage`] for a picture that cannot be written:
    /// better known now than when a program asks.
    pub fn new(place: Place, json_events: bool) -> Result<Self, Error> {
        Terminal::new(place.form(), json_events)?;
        Ok(Self { place, json_events })
    }

    fn told(&self, state: &'static str, sentence: &str) {
        if self.json_events {
            events::device(state);
        } else {
            crate::tell(sentence);
        }
    }

    /// As [`Screens::end`]. Nobody waits for the browser.
    fn end(screen: Screens, ending: Ending) {
        tokio::spawn(screen.end(ending));
    }
}

impl Surface for Surfaces {
    type Screen = Screens;

    fn ready(&mut self) {
        self.told("ready", "the security key is plugged in; to pull it out, end this program (Ctrl-C)");
    }

    async fn asked(&mut self, request: &[u8]) -> Result<Screens, Error> {
        let wish = wish(request);
        self.told("asked", &format!("a program of this computer asks: {wish}"));
        Screens::open(&self.place, self.json_events, &wish, tell_of_page).await
    }

    fn answered(&mut self, screen: Screens, refusal: Option<&Error>) {
        Self::end(screen, ending(refusal));
        if let Some(error) = refusal {
            self.failed(error);
        }
    }

    fn withdrawn(&mut self, screen: Screens) {
        let sentence = "the program does not want it any more";
        Self::end(screen, Ending::Failed(sentence.into(), "ask for it again there".into()));
        self.told("withdrawn", sentence);
    }

    fn wink(&mut self) {
        self.told("wink", "a program winks with this security key: it is the one that is meant");
    }

    fn failed(&mut self, error: &Error) {
        if self.json_events {
            events::failed(error);
        } else {
            crate::tell(&error.lines());
        }
    }
}

/// How an answer, or a refusal of this computer's, ends the page.
pub fn ending(refusal: Option<&Error>) -> Ending {
    let answered = || Ending::Done(format!("the program has the phone's answer; {NOTHING_STAYS}"));
    refusal.map_or_else(answered, Ending::from)
}

/// What a request is for, in a program's words that can do nothing to ours.
fn wish(request: &[u8]) -> String {
    match Command::split(request) {
        Some((Command::MakeCredential, parameters)) => make_credential::Request::parse(parameters)
            .map(|request| format!("Make a passkey for {}", plain(&request.rp.id))),
        Some((_, parameters)) => get_assertion::Request::parse(parameters)
            .map(|request| format!("Sign in at {}", plain(&request.rp_id))),
        None => return "Use a passkey".into(),
    }
    .unwrap_or_else(|_| "Use a passkey".into())
}

/// The page's address is a secret: it goes to a terminal, and into no log.
fn tell_of_page(sentence: &str) {
    if std::io::stderr().is_terminal() {
        crate::tell(sentence);
    } else {
        crate::tell(
            "no browser could be opened for the code: set BROWSER, or DISPLAY or WAYLAND_DISPLAY, for this service",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::wish;
    use cablecar_protocol::cbor::Writer;

    #[test]
    fn a_wish_is_told_whatever_a_program_calls_its_site() {
        let get = |rp: &str| {
            let mut request = vec![2, 0xa2];
            request.extend(Writer::item(|w| w.int(1)));
            request.extend(Writer::item(|w| w.text(rp)));
            request.extend(Writer::item(|w| w.int(2)));
            request.extend(Writer::item(|w| w.bytes(&[0; 32])));
            request
        };
        assert_eq!(wish(&get("example.com")), "Sign in at example.com");
        assert_eq!(wish(&get("a\x1b[2J\nb")), "Sign in at a[2Jb");
        assert_eq!(wish(&[1, 0xff]), "Use a passkey");
        assert_eq!(wish(&[]), "Use a passkey");
    }
}
