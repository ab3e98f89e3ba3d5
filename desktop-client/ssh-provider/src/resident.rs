//! `ssh-keygen -K`, `ssh-add -K`: a key that is on the phone alone.
//!
//! Phones list no keys to computers, and a signature does not hold its key.
//! But an ECDSA signature has only two keys (four in one of 2^128 cases) that
//! can have made it, and those of another signature are others, but for the
//! true one. So the phone signs twice: once with the passkey that its person
//! chooses, once more with that same one.

use std::time::Duration;

use cablecar::doors::Phone;
use cablecar::error::{Error, Mismatch};
use cablecar::screen::Screen;
use ecdsa::RecoveryId;
use p256::ecdsa::VerifyingKey;

use crate::answer::{Assertion, sha256};
use crate::enrol::VERIFY_REQUIRED;
use crate::flags::{Flags, check_application};
use crate::sign::ask;

/// A key that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resident {
    /// What it is for.
    pub(crate) application: String,
    /// Its flags, as OpenSSH will keep them.
    pub(crate) flags: Flags,
    /// The uncompressed point, 65 bytes.
    pub(crate) public_key: Vec<u8>,
    /// The credential's id.
    pub(crate) key_handle: Vec<u8>,
    /// `-O user` of its enrolment, with the zeros.
    pub(crate) user_handle: Vec<u8>,
}

/// Has the phone sign twice over `challenges`, which nobody else uses, and
/// works out with which key it did.
///
/// # Errors
/// Those of [`Phone::ask`] and of the answers; [`Mismatch::Key`] if the two
/// were not made with one key.
pub(crate) async fn resident(
    phone: &mut impl Phone,
    screen: &mut dyn Screen,
    application: &str,
    challenges: [[u8; 32]; 2],
    life: Duration,
) -> Result<Resident, Error> {
    check_application(application)?;
    let [first, second] = challenges.map(|challenge| sha256(&challenge));
    // A key that demands verification is not shown without it.
    let answer = phone.ask(&ask(application, first, None, true, life), screen).await?;
    let chosen = Assertion::read(&answer, application, None, true)?;
    let answer = phone.ask(&ask(application, second, Some(&chosen.id), true, life), screen).await?;
    let again = Assertion::read(&answer, application, Some(&chosen.id), true)?;

    let [one, other] =
        [(&chosen, first), (&again, second)].map(|(assertion, hash)| candidates(assertion, hash));
    let mut both = one.into_iter().filter(|key| other.contains(key));
    let (Some(key), None) = (both.next(), both.next()) else { return Err(Mismatch::Key.into()) };
    let demands = chosen.display_name.as_deref() == Some(VERIFY_REQUIRED);
    let verification = if demands { Flags::VERIFICATION } else { 0 };
    Ok(Resident {
        application: application.to_owned(),
        flags: Flags(Flags::PRESENCE | Flags::RESIDENT | verification),
        public_key: key.to_encoded_point(false).as_bytes().to_vec(),
        key_handle: chosen.id,
        user_handle: chosen.user_handle.ok_or(Mismatch::User)?,
    })
}

/// The keys that can have made this signature.
fn candidates(assertion: &Assertion, hash: [u8; 32]) -> Vec<VerifyingKey> {
    let signed = sha256(&[assertion.data.as_bytes(), &hash].concat());
    let ids = (0..=RecoveryId::MAX).filter_map(RecoveryId::from_byte);
    ids.filter_map(|id| VerifyingKey::recover_from_prehash(&signed, &assertion.signature, id).ok()).collect()
}
