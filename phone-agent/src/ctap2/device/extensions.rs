//! What `hmac-secret` needs of both commands: CTAP 2.1, 12.5.
//!
//! The other extensions are where their command is. `credProps` is the
//! client's own: what it tells, it knows from the option `rk`. `prf` is the
//! form that a tunnel has; a local client makes it out of `hmac-secret`.

use cablecar_protocol::ctap::{HmacSecretInput, PrfValues, Status};
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use crate::ctap2::pin_uv::{PinUv, Protocol, SharedSecret};
use crate::vault::{self, Passkey};

/// The bytes of one salt.
const SALT: usize = 32;

/// Salts that came, and the secret under which the outputs will go.
#[derive(Debug)]
pub(super) struct Salts {
    values: PrfValues,
    secret: SharedSecret,
}

impl Salts {
    /// Checks and decrypts what came.
    ///
    /// # Errors
    /// [`Status::INVALID_PARAMETER`] for the protocol and the key,
    /// [`Status::PIN_AUTH_INVALID`], [`Status::INVALID_LENGTH`] if it is not
    /// one salt or two.
    pub(super) fn read(input: &HmacSecretInput<'_>, pin_uv: &PinUv) -> Result<Self, Status> {
        let protocol = Protocol::from_number(input.protocol).ok_or(Status::INVALID_PARAMETER)?;
        let secret = pin_uv.shared_secret(protocol, input.key_agreement)?;
        if !secret.verify(input.salt_enc, input.salt_auth) {
            return Err(Status::PIN_AUTH_INVALID);
        }
        let salts = secret.decrypt(input.salt_enc).map_err(|_| Status::INVALID_LENGTH)?;
        let (first, second) = match salts.len() {
            SALT => (salts.as_slice(), None),
            _ => salts.split_at_checked(SALT).map(|(a, b)| (a, Some(b))).ok_or(Status::INVALID_LENGTH)?,
        };
        let values = PrfValues { first: salt(first)?, second: second.map(salt).transpose()? };
        Ok(Self { values, secret })
    }

    /// The outputs for a passkey, encrypted. They are others for a verified
    /// user.
    ///
    /// # Errors
    /// [`vault::Error::NoRandomness`].
    pub(super) fn outputs(
        &self,
        passkey: &Passkey,
        verified: bool,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, vault::Error> {
        let PrfValues { first, second } = passkey.prf.evaluate(&self.values, verified);
        let mut outputs = Zeroizing::new(Vec::with_capacity(2 * SALT));
        outputs.extend_from_slice(first.as_slice());
        outputs.extend(second.iter().flat_map(|second| second.iter()));
        self.secret.encrypt(&outputs, rng)
    }
}

fn salt(bytes: &[u8]) -> Result<Zeroizing<[u8; SALT]>, Status> {
    let mut salt = Zeroizing::new([0; SALT]);
    if bytes.len() != SALT {
        return Err(Status::INVALID_LENGTH);
    }
    salt.copy_from_slice(bytes);
    Ok(salt)
}
