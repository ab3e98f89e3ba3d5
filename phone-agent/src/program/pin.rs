//! `pin`: the CTAP PIN of the local pipe. The vault's passphrase is given, so
//! that no guess is spent.

use std::io::ErrorKind;
use std::path::PathBuf;

use rand_core::OsRng;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Desk, json, write};
use crate::cli::Format;
use crate::defaults;
use crate::error::Error;
use crate::passphrase::{self, NoPassphrase, Passphrase};
use crate::vault::{Pin, State, Unlocked};

/// What to do with the PIN.
#[derive(Debug)]
pub enum Errand {
    /// Set the first one, from this file or the terminal.
    Set(Option<PathBuf>),
    /// Set another one.
    Change(Option<PathBuf>),
    /// Take it away.
    Remove,
    /// Look at it.
    Status(Format),
}

/// Why there is no new PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPin {
    /// One is set.
    #[error("a PIN is set already")]
    AlreadySet,
    /// None is set.
    #[error("no PIN is set")]
    NotSet,
    /// Fewer code points than this.
    #[error("the PIN is shorter than {0} characters")]
    TooShort(u8),
    /// More bytes than CTAP carries.
    #[error("the PIN is longer than {} bytes", defaults::MAX_PIN)]
    TooLong,
    /// Not UTF-8, or with a zero byte.
    #[error("the PIN is no text")]
    NotText,
    /// It must be changed, and this is the same.
    #[error("the new PIN is the old one, which must be changed")]
    Same,
    /// Typed twice, differently.
    #[error("the two PINs differ")]
    Differ,
    /// The file cannot be read.
    #[error("the PIN file cannot be read: {0}")]
    File(ErrorKind),
    /// No terminal.
    #[error("there is no terminal to ask for the PIN")]
    CannotAsk,
    /// Nothing was typed.
    #[error("no PIN was given")]
    Declined,
}

impl From<NoPassphrase> for NoPin {
    fn from(error: NoPassphrase) -> Self {
        match error {
            NoPassphrase::CannotAsk => NoPin::CannotAsk,
            NoPassphrase::Declined | NoPassphrase::Empty => NoPin::Declined,
            NoPassphrase::File(kind) => NoPin::File(kind),
            NoPassphrase::TooLong => NoPin::TooLong,
            NoPassphrase::Differ => NoPin::Differ,
        }
    }
}

/// The state of the PIN, as programs read it.
#[derive(Serialize)]
struct Status {
    set: bool,
    retries_left: u8,
    minimum_length: u8,
    must_be_changed: bool,
}

pub(super) fn run(errand: Errand, vault: &mut Unlocked, desk: &Desk) -> Result<(), Error> {
    match errand {
        Errand::Set(file) => {
            if vault.state().pin.is_some() {
                return Err(NoPin::AlreadySet.into());
            }
            store(new_pin(file, vault.state())?, vault)?;
            desk.say("the PIN is set");
            Ok(())
        }
        Errand::Change(file) => {
            if vault.state().pin.is_none() {
                return Err(NoPin::NotSet.into());
            }
            store(new_pin(file, vault.state())?, vault)?;
            desk.say("the PIN is changed");
            Ok(())
        }
        Errand::Remove => {
            if vault.state().pin.is_none() {
                return Err(NoPin::NotSet.into());
            }
            vault.change(&mut OsRng, |contents| {
                let initial = State::default();
                let state = contents.state().clone();
                let force_pin_change = false;
                let State { pin_retries, uv_retries, .. } = initial;
                contents.set_state(State { pin: None, pin_retries, uv_retries, force_pin_change, ..state });
                Ok(())
            })?;
            desk.say("the PIN is removed");
            Ok(())
        }
        Errand::Status(format) => write(&status(vault.state(), format)?),
    }
}

fn status(state: &State, format: Format) -> Result<String, Error> {
    let status = Status {
        set: state.pin.is_some(),
        retries_left: state.pin_retries,
        minimum_length: state.min_pin_length,
        must_be_changed: state.force_pin_change,
    };
    if format == Format::Json {
        return json(&status);
    }
    let must = if status.must_be_changed { "; it must be changed before it is used again" } else { "" };
    let least = status.minimum_length;
    Ok(match (status.set, status.retries_left) {
        (false, _) => format!("no PIN is set; a new one has at least {least} characters{must}\n"),
        (true, 0) => format!("a PIN is set and blocked: set another with cablecar-phone pin change{must}\n"),
        (true, left) => format!("a PIN is set; guesses left: {left}{must}\n"),
    })
}

/// Stores the PIN, with all its guesses. Those of the built-in verification
/// come back, too, as they do for whoever knows the PIN.
fn store(pin: Pin, vault: &mut Unlocked) -> Result<(), Error> {
    vault.change(&mut OsRng, |contents| {
        let State { pin_retries, uv_retries, .. } = State::default();
        let (state, force_pin_change) = (contents.state().clone(), false);
        contents.set_state(State { pin: Some(pin), pin_retries, uv_retries, force_pin_change, ..state });
        Ok(())
    })?;
    Ok(())
}

fn new_pin(file: Option<PathBuf>, state: &State) -> Result<Pin, NoPin> {
    let typed = match file {
        Some(file) => Passphrase::from_file(&file)?,
        None => passphrase::ask_twice("new PIN: ")?,
    };
    let pin = pin_of(typed.expose(), state.min_pin_length)?;
    let same = state.pin.as_ref().is_some_and(|old| old.hash == pin.hash);
    if state.force_pin_change && same { Err(NoPin::Same) } else { Ok(pin) }
}

/// What is kept of a PIN: LEFT(SHA-256(PIN), 16) and its length in code points.
fn pin_of(bytes: &[u8], least: u8) -> Result<Pin, NoPin> {
    if bytes.len() > defaults::MAX_PIN {
        return Err(NoPin::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NoPin::NotText)?;
    if text.contains('\0') {
        return Err(NoPin::NotText);
    }
    let length = u8::try_from(text.chars().count()).map_err(|_| NoPin::TooLong)?;
    if length < least {
        return Err(NoPin::TooShort(least));
    }
    let mut pin = Pin { hash: Zeroizing::default(), length };
    pin.hash.iter_mut().zip(Sha256::digest(bytes)).for_each(|(to, from)| *to = from);
    Ok(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_counted_in_code_points_and_kept_as_ctap_says() {
        let pin = pin_of("1234".as_bytes(), 4).unwrap();
        // LEFT(SHA-256("1234"), 16)
        let expected =
            [0x03, 0xac, 0x67, 0x42, 0x16, 0xf3, 0xe1, 0x5c, 0x76, 0x1e, 0xe1, 0xa5, 0xe2, 0x55, 0xf0, 0x67];
        assert_eq!((*pin.hash, pin.length), (expected, 4));
        assert_eq!(pin_of("äöü".as_bytes(), 4), Err(NoPin::TooShort(4)));
        assert_eq!(pin_of("äöüß".as_bytes(), 4).unwrap().length, 4);
        assert_eq!(pin_of(&[b'1'; 63], 4).unwrap().length, 63);
        assert_eq!(pin_of(&[b'1'; 64], 4), Err(NoPin::TooLong));
        assert_eq!(pin_of(b"123\xff", 4), Err(NoPin::NotText));
        assert_eq!(pin_of(b"1234\0", 4), Err(NoPin::NotText));
    }
}
