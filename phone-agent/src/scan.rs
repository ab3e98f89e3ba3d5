//! From whatever was scanned to an invitation, and whether to accept it.

pub mod camera;
pub mod picture;
pub mod reader;

use std::fs::File;
use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use cablecar_protocol::qr::{QrInvitation, SCHEME};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use zeroize::Zeroizing;

use self::picture::Picture;
use crate::defaults;
use crate::error::Error;
use crate::screen::{Caution, terminal};

/// Where the code is.
#[derive(PartialEq, Eq)]
pub enum Source {
    /// The text itself, which another program may have handed over: an owner
    /// of a web page can have it opened with a link (CVE-2024-9956), and shows
    /// the code on a computer that nobody sees.
    Text(Zeroizing<String>),
    /// A picture.
    Picture(PathBuf),
    /// The text, on standard input.
    StandardInput,
    /// A camera, or the first one that there is.
    Camera(Option<PathBuf>),
}

impl Source {
    /// What an argument means: `-`, text that begins with `FIDO:/`, or a file.
    pub fn of_argument(argument: String) -> Self {
        if argument == "-" {
            Source::StandardInput
        } else if is_code(&argument) {
            Source::Text(Zeroizing::new(argument))
        } else {
            Source::Picture(argument.into())
        }
    }

    /// Reads the code.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::NoCode`], [`Error::SeveralCodes`],
    /// [`Error::BadCode`]; of a camera [`Error::NoCamera`],
    /// [`Error::CameraNotBuilt`], [`Error::Camera`], [`Error::NothingSeen`].
    pub fn read(&self) -> Result<QrInvitation, Error> {
        let text = match self {
            Source::Text(text) => text.clone(),
            Source::StandardInput => {
                if std::io::stdin().is_terminal() {
                    terminal::say("paste the text of the code and press Enter:");
                }
                text_of(std::io::stdin().lock())?
            }
            Source::Picture(path) => code_in_file(path)?,
            Source::Camera(device) => camera::scan(device.as_deref())?,
        };
        QrInvitation::parse(text.trim()).map_err(Error::BadCode)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Source::Text(_) => "Text(..)",
            Source::Picture(_) => "Picture(..)",
            Source::StandardInput => "StandardInput",
            Source::Camera(_) => "Camera(..)",
        })
    }
}

/// Decides whether an invitation is accepted at this time, to meet at this
/// tunnel service, and what the person should know about it. `now` is in
/// seconds since 1970. A code that does not say when it was made is as good
/// as fresh: nothing else can be known.
///
/// # Errors
/// [`Error::CodeTooOld`], [`Error::CodeTooEarly`], [`Error::NoWebsocket`],
/// [`Error::DomainUnknown`].
pub fn admit(
    invitation: &QrInvitation,
    domain: TunnelServiceDomain,
    now: u64,
) -> Result<Vec<Caution>, Error> {
    if !invitation.offers_websocket() {
        return Err(Error::NoWebsocket);
    }
    // A computer knows the assigned names up to a number, and computes the rest.
    let assigned = domain.id() < TunnelServiceDomain::FIRST_HASHED;
    if assigned && u64::from(domain.id()) >= invitation.known_domains {
        return Err(Error::DomainUnknown(domain.id()));
    }
    let Some(made_at) = invitation.made_at else { return Ok(Vec::new()) };
    let (age, lead) = (now.saturating_sub(made_at), made_at.saturating_sub(now));
    let refused = defaults::CODE_REFUSED.as_secs();
    match () {
        () if age > refused => Err(Error::CodeTooOld),
        () if lead > refused => Err(Error::CodeTooEarly),
        () if age > defaults::CODE_OLD.as_secs() => Ok(vec![Caution::CodeOld(age / 60)]),
        () if lead > defaults::CODE_EARLY.as_secs() => Ok(vec![Caution::CodeEarly(lead / 60)]),
        () => Ok(Vec::new()),
    }
}

fn is_code(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(SCHEME))
}

/// The first line that is not blank: a terminal would otherwise wait for an
/// end that nobody knows how to type.
fn text_of(input: impl BufRead) -> Result<Zeroizing<String>, Error> {
    let unreadable =
        |cause: std::io::Error| Error::Input { what: "standard input".into(), cause: cause.to_string() };
    let mut input = input.take(defaults::MAX_CODE_TEXT);
    let mut text = Zeroizing::new(String::with_capacity(8192));
    while text.trim().is_empty() && input.read_line(&mut text).map_err(unreadable)? > 0 {}
    Ok(text)
}

/// The one FIDO code in a picture. Other codes may stand beside it.
///
/// # Errors
/// [`Error::NoCode`], [`Error::SeveralCodes`].
pub fn code_in(picture: &Picture) -> Result<Zeroizing<String>, Error> {
    let texts = reader::read(picture, is_code);
    let mut codes = texts.into_iter().filter(|text| is_code(text));
    let code = codes.next().ok_or(Error::NoCode)?;
    if codes.any(|other| other != code) { Err(Error::SeveralCodes) } else { Ok(code) }
}

fn code_in_file(path: &Path) -> Result<Zeroizing<String>, Error> {
    let unreadable = |cause: String| Error::Input { what: path.display().to_string(), cause };
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(defaults::MAX_PICTURE + 1).read_to_end(&mut bytes))
        .map_err(|cause| unreadable(cause.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > defaults::MAX_PICTURE {
        return Err(unreadable("the file is too large for a picture of a code".into()));
    }
    let looked = bounded(defaults::READ, move |_| Picture::decode(&bytes).map(|picture| code_in(&picture)));
    looked
        .ok_or_else(|| unreadable("the search for a code in it came to no end".into()))?
        .map_err(unreadable)?
}

/// Does work that may take far too long, or may panic, in a thread of its own:
/// nothing after `limit`. The work can ask whether anybody still waits.
fn bounded<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> Option<T> {
    let (done, waiting) = mpsc::sync_channel(1);
    let until = Instant::now() + limit;
    thread::spawn(move || done.send(work(&|| Instant::now() > until)));
    waiting.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
    use cablecar_protocol::qr::Hint;

    const NOW: u64 = 1_795_000_000;

    fn made_at(made_at: u64) -> QrInvitation {
        ExpectAdvert::invite(Hint::GetAssertion, made_at, &mut rand_core::OsRng).unwrap().1
    }

    fn admitted(invitation: &QrInvitation, domain: u16) -> Result<Vec<Caution>, &'static str> {
        let domain = TunnelServiceDomain::new(domain).unwrap();
        admit(invitation, domain, NOW).map_err(|error| error.advice().1)
    }

    #[test]
    fn a_code_is_fresh_then_old_then_refused() {
        let minutes = |minutes: u64| admitted(&made_at(NOW - 60 * minutes), 266);
        assert_eq!(minutes(0), Ok(vec![]));
        assert_eq!(minutes(10), Ok(vec![]));
        assert_eq!(minutes(11), Ok(vec![Caution::CodeOld(11)]));
        assert_eq!(minutes(24 * 60), Ok(vec![Caution::CodeOld(24 * 60)]));
        assert_eq!(minutes(24 * 60 + 1), Err("qr.too-old"));
        assert_eq!(admitted(&made_at(0), 266), Err("qr.too-old"));
    }

    #[test]
    fn a_code_from_the_future_is_a_wrong_clock_and_then_refused() {
        let minutes = |minutes: u64| admitted(&made_at(NOW + 60 * minutes), 266);
        assert_eq!(minutes(5), Ok(vec![]));
        assert_eq!(minutes(6), Ok(vec![Caution::CodeEarly(6)]));
        assert_eq!(minutes(24 * 60 + 1), Err("qr.too-early"));
    }

    #[test]
    fn a_code_without_a_time_is_as_good_as_fresh() {
        let mut invitation = made_at(NOW);
        invitation.made_at = None;
        assert_eq!(admitted(&invitation, 266), Ok(vec![]));
    }

    #[test]
    fn a_code_for_another_channel_or_another_list_of_relays_is_refused() {
        let mut invitation = made_at(NOW);
        invitation.channels = vec![1];
        assert_eq!(admitted(&invitation, 266), Err("qr.no-websocket"));
        let mut invitation = made_at(NOW);
        assert_eq!(admitted(&invitation, 1), Ok(vec![]));
        invitation.known_domains = 1;
        assert_eq!(admitted(&invitation, 0), Ok(vec![]));
        assert_eq!(admitted(&invitation, 1), Err("relay.domain-unknown"));
        assert_eq!(admitted(&invitation, 256), Ok(vec![]));
    }

    #[test]
    fn an_argument_is_text_or_a_file_or_standard_input() {
        assert_eq!(Source::of_argument("-".into()), Source::StandardInput);
        assert_eq!(Source::of_argument("code.png".into()), Source::Picture("code.png".into()));
        assert_eq!(Source::of_argument("FIDO.png".into()), Source::Picture("FIDO.png".into()));
        assert!(matches!(Source::of_argument("fido:/123".into()), Source::Text(_)));
        assert_eq!(format!("{:?}", Source::of_argument("FIDO:/123".into())), "Text(..)");
    }

    #[test]
    fn nobody_waits_for_work_that_does_not_end() {
        let begin = Instant::now();
        let (told, is_told) = mpsc::channel();
        let never = bounded(Duration::from_millis(50), move |is_over| {
            while !is_over() {
                thread::sleep(Duration::from_millis(5));
            }
            told.send(())
        });
        assert!(never.is_none());
        assert!(begin.elapsed() < Duration::from_secs(5));
        is_told.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(bounded(Duration::from_secs(5), |_| 7), Some(7));
    }
}
