//! One call of OpenSSH's, from the environment to the phone and back: what
//! waits, and what ends the waiting.

use std::os::unix::process::parent_id;
use std::time::Duration;

use cablecar::cli::Surroundings;
use cablecar::doors::Phone as _;
use cablecar::error::Error;
use cablecar::reach::Reach;
use cablecar::screen::Screen;
use cablecar_protocol::ctap::Status;
use rand_core::{OsRng, RngCore as _};

use crate::enrol::{self, Enrol, Enrolled};
use crate::flags::{FAMILY, Options, check_application};
use crate::resident::{self, Resident};
use crate::sign::{self, Sign, Signed};
use crate::surface::Surface;

/// How often to look whether `ssh` is still there: nobody should be shown a
/// code for long for whom nobody waits.
const LOOK: Duration = Duration::from_millis(500);

/// An error of `sk-api.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) i32);

impl Code {
    /// `SSH_SK_ERR_GENERAL`
    pub(crate) const GENERAL: Self = Self(-1);
    /// `SSH_SK_ERR_UNSUPPORTED`
    pub(crate) const UNSUPPORTED: Self = Self(-2);
    /// `SSH_SK_ERR_DEVICE_NOT_FOUND`
    pub(crate) const NOT_FOUND: Self = Self(-4);
    /// `SSH_SK_ERR_CREDENTIAL_EXISTS`
    pub(crate) const EXISTS: Self = Self(-5);
}

/// What OpenSSH is told. It is never told that a PIN is needed (−3): it would
/// ask for one at the computer and call again, but a phone is unlocked on the
/// phone.
impl From<&Error> for Code {
    fn from(error: &Error) -> Self {
        match error {
            Error::Algorithm | Error::Unsuitable(_) => Self::UNSUPPORTED,
            Error::Status(Status::UNSUPPORTED_OPTION | Status::INVALID_OPTION) => Self::UNSUPPORTED,
            Error::NoPasskey | Error::NobodyCame | Error::NotOurs(_) | Error::Radio(_) => Self::NOT_FOUND,
            Error::AlreadyRegistered => Self::EXISTS,
            _ => Self::GENERAL,
        }
    }
}

/// What a call needs beside the request.
struct Terms<'a> {
    /// The adapter that was asked for with `-O device`.
    device: Option<&'a String>,
    /// How long a code waits, unless CABLECAR_WAIT says otherwise.
    life: Duration,
    /// What is wanted.
    heading: &'static str,
    /// What the person reads when all went well.
    done: &'static str,
}

/// Has a phone make a key.
///
/// # Errors
/// The code for OpenSSH; the person has been told why.
pub(crate) fn enrol(wanted: &Enrol<'_>) -> Result<Enrolled, Code> {
    let mut ask = or_told(wanted.ask())?;
    let terms = Terms {
        device: wanted.options.device.as_ref(),
        life: enrol::LIFE,
        heading: "Make a key for ssh",
        done: "the key is on the phone; the file names it, and is of no use without the phone",
    };
    with_phone(&terms, async |phone, screen, life| {
        ask.life = life;
        wanted.finish(&phone.ask(&ask, screen).await?)
    })
}

/// Has a phone sign.
///
/// # Errors
/// As [`enrol`].
pub(crate) fn sign(wanted: &Sign<'_>) -> Result<Signed, Code> {
    let mut ask = or_told(wanted.ask())?;
    let terms = Terms {
        device: wanted.options.device.as_ref(),
        life: sign::LIFE,
        heading: "Sign in with ssh",
        done: "signed by the phone; nothing of it stays on this computer",
    };
    with_phone(&terms, async |phone, screen, life| {
        ask.life = life;
        wanted.finish(&phone.ask(&ask, screen).await?)
    })
}

/// Finds the key of a passkey that the phone's person chooses.
///
/// # Errors
/// As [`enrol`].
pub(crate) fn resident(options: &Options) -> Result<Resident, Code> {
    // OpenSSH does not say for which application.
    let application = std::env::var("CABLECAR_SSH_APPLICATION").unwrap_or_else(|_| FAMILY.into());
    or_told(check_application(&application))?;
    let terms = Terms {
        device: options.device.as_ref(),
        life: enrol::LIFE,
        heading: "Find a key for ssh",
        done: "found the key on the phone; for another one, run it again and choose that",
    };
    let mut challenges = [[0; 32]; 2];
    challenges.iter_mut().for_each(|challenge| OsRng.fill_bytes(challenge));
    with_phone(&terms, async |phone, screen, life| {
        resident::resident(phone, screen, &application, challenges, life).await
    })
}

/// A mistake that needs no phone to be found.
pub(crate) fn or_told<T>(result: Result<T, Error>) -> Result<T, Code> {
    result.map_err(|error| {
        tell(&error.lines());
        Code::from(&error)
    })
}

/// Puts what `work` asks to a phone.
fn with_phone<T>(
    terms: &Terms<'_>,
    work: impl AsyncFnOnce(&mut Reach, &mut dyn Screen, Duration) -> Result<T, Error>,
) -> Result<T, Code> {
    let mut told = false;
    let done = cablecar::wait_for(async {
        let mut around = Surroundings::read()?;
        if let (None, Some(device)) = (around.radio.danger_air, terms.device) {
            around.radio.adapter = Some(device.clone());
        }
        let life = around.wait.map_or(terms.life, Duration::from_secs);
        let mut phone = Reach::from_cli(&around.radio, &around.network)?;
        let mut surface = Surface::find(around.qr, terms.heading).await?;
        let done = tokio::select! {
            biased;
            // Listened for before there is a code, which would be left.
            stopped = cablecar::stopped() => Err(stopped.map_or_else(cannot_listen, |()| Error::Interrupted)),
            () = alone() => Err(Error::Interrupted),
            done = work(&mut phone, &mut surface, life) => done,
        };
        // Off the screen at once: a shell may write there as soon as ssh has ended.
        surface.close(done.as_ref().map(|_| terms.done)).await;
        told = true;
        phone.part().await;
        done
    });
    done.map_err(|error| {
        if !told {
            tell(&error.lines());
        }
        Code::from(&error)
    })
}

/// Ends when whoever started this process has ended.
async fn alone() {
    let parent = parent_id();
    while parent_id() == parent {
        tokio::time::sleep(LOOK).await;
    }
}

fn cannot_listen(cause: std::io::Error) -> Error {
    Error::Io { what: "cannot listen for signals".into(), cause: cause.to_string() }
}

/// Says it on standard error, which OpenSSH leaves to us.
#[allow(clippy::print_stderr, reason = "this is where people are faced if there is no other surface")]
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssh_hears_what_it_can_tell_apart() {
        let codes = [
            (Error::Algorithm, -2),
            (Error::Unsuitable("verify who is using it"), -2),
            (Error::Status(Status::UNSUPPORTED_OPTION), -2),
            (Error::NoPasskey, -4),
            (Error::NobodyCame, -4),
            (Error::NotOurs(7), -4),
            (Error::AlreadyRegistered, -5),
            (Error::Declined, -1),
            (Error::Interrupted, -1),
            (Error::NoScreen, -1),
            (Error::Status(Status::UV_BLOCKED), -1),
            // Not −3: a PIN typed at the computer helps nobody.
            (Error::Status(Status::PUAT_REQUIRED), -1),
        ];
        for (error, code) in codes {
            assert_eq!(Code::from(&error), Code(code), "{error}");
        }
    }
}
