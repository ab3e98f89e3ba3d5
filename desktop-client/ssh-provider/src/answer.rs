//! What a phone answered, checked: nothing goes on to OpenSSH that it did not
//! ask for.

use cablecar::error::{Error, Mismatch};
use cablecar::webauthn::body;
use cablecar_protocol::cbor;
use cablecar_protocol::ctap::get_assertion::Response;
use cablecar_protocol::ctap::{AttestedCredential, AuthenticatorData, ES256, Flags};
use p256::EncodedPoint;
use p256::ecdsa::Signature;
use sha2::{Digest, Sha256};

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Authenticator data for this application, with somebody there, and verified
/// if that was demanded.
///
/// # Errors
/// The [`Mismatch`].
pub(crate) fn check_data(
    data: &AuthenticatorData,
    application: &str,
    verified: bool,
) -> Result<(), Mismatch> {
    if data.rp_id_hash != sha256(application.as_bytes()) {
        return Err(Mismatch::RpIdHash);
    }
    if !data.flags.has(Flags::UP) {
        return Err(Mismatch::UserPresence);
    }
    if verified && !data.flags.has(Flags::UV) {
        return Err(Mismatch::UserVerification);
    }
    Ok(())
}

/// A new ES256 key as an uncompressed point (65 bytes).
///
/// # Errors
/// The [`Mismatch`].
pub(crate) fn point(credential: &AttestedCredential) -> Result<Vec<u8>, Mismatch> {
    if credential.algorithm() != Some(ES256) {
        return Err(Mismatch::KeyAlgorithm);
    }
    let key = cbor::parse(&credential.public_key, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
    let key = key.ok_or(Mismatch::Key)?;
    let number = |label| key.get(label).and_then(|item| item.as_int());
    // {1: 2 (EC2), −1: 1 (P-256), −2: x, −3: y}
    if (number(1), number(-1)) != (Some(2), Some(1)) {
        return Err(Mismatch::Key);
    }
    let coordinate = |label| key.get(label).and_then(|item| item.as_array_of::<32>()).ok_or(Mismatch::Key);
    let (x, y) = (coordinate(-2)?, coordinate(-3)?);
    let point = EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
    p256::PublicKey::from_sec1_bytes(point.as_bytes()).map_err(|_| Mismatch::Key)?;
    Ok(point.as_bytes().to_vec())
}

/// One signature of a passkey, checked but for the key, which nobody here knows.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// The credential's id.
    pub(crate) id: Vec<u8>,
    /// As it was signed: 37 bytes.
    pub(crate) data: AuthenticatorData,
    /// The two numbers.
    pub(crate) signature: Signature,
    /// The user handle, if the phone told it.
    pub(crate) user_handle: Option<Vec<u8>>,
    /// The display name, if the phone told it.
    pub(crate) display_name: Option<String>,
}

impl Assertion {
    /// Reads the answer to a getAssertion for this application; `wanted` is
    /// the credential that was asked for, if one was.
    ///
    /// # Errors
    /// What the phone refused with, or [`Error::Answer`].
    pub(crate) fn read(
        answer: &[u8],
        application: &str,
        wanted: Option<&[u8]>,
        verified: bool,
    ) -> Result<Self, Error> {
        let response = Response::parse(body(answer)?).map_err(|_| Mismatch::Unreadable)?;
        let data = response.authenticator_data;
        check_data(&data, application, verified)?;
        // A server puts what was signed together from flags and counter: with
        // anything behind them no signature would be good.
        if data.flags.has(Flags::AT) {
            return Err(Mismatch::Attested.into());
        }
        if data.flags.has(Flags::ED) {
            return Err(Mismatch::Extension.into());
        }
        if response.number_of_credentials.is_some_and(|number| number > 1) {
            return Err(Mismatch::Several.into());
        }
        let id = match (response.credential, wanted) {
            (Some(credential), Some(wanted)) if credential.id != wanted => {
                return Err(Mismatch::Credential.into());
            }
            (Some(credential), _) => credential.id,
            (None, Some(wanted)) => wanted.to_vec(),
            (None, None) => return Err(Mismatch::Credential.into()),
        };
        let signature = Signature::from_der(&response.signature).map_err(|_| Mismatch::Signature)?;
        let (user_handle, display_name) =
            response.user.map_or((None, None), |user| (Some(user.id), user.display_name));
        Ok(Self { id, data, signature, user_handle, display_name })
    }
}
