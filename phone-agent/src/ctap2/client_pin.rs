//! clientPIN (06): CTAP 2.1, 6.5.5. Sets and changes the PIN, and hands out
//! pinUvAuthTokens to who knows it or is verified by what is built in.
//!
//! A guess is paid for before it is looked at: the counter is on the medium,
//! one lower, when the PIN is compared, so that no kill gives a guess back.

use cablecar_protocol::cbor::{Entries, Item, Writer};
use cablecar_protocol::ctap::Status;
use cablecar_protocol::ctap::client_pin::Request;
use rand_core::CryptoRngCore;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::device::{Context, Device, Moment, Step, Unverified as Waiting};
use super::failure::Failure;
use super::pin_uv::{Protocol, SharedSecret};
use super::token::Permissions;
use super::{Reply, sha256};
use crate::consent::readable_rp_id;
use crate::defaults;
use crate::error::Error;
use crate::vault::{self, Pin, State};
use crate::verification::Verified;

/// Bytes of a PIN with its padding.
const PADDED: usize = 64;

/// A token to be had by a verification.
#[derive(Debug)]
pub struct Unverified {
    shared: SharedSecret,
    permissions: Permissions,
    rp_id: Option<String>,
}

impl Device {
    /// Takes the command.
    pub(super) fn client_pin(
        &mut self,
        parameters: &[u8],
        context: &mut Context<'_>,
    ) -> Result<Step, Failure> {
        let request = Request::parse(parameters)?;
        let reply = match request.subcommand {
            Request::GET_PIN_RETRIES => self.pin_retries(),
            Request::GET_KEY_AGREEMENT => self.key_agreement(&request)?,
            Request::SET_PIN => self.set_pin(&request, context.rng)?,
            Request::CHANGE_PIN => self.change_pin(&request, context.rng)?,
            Request::GET_PIN_TOKEN => self.pin_token(&request, context)?,
            Request::GET_TOKEN_USING_UV if self.uv => return self.ask_for_token(&request, context.rng),
            Request::GET_UV_RETRIES if self.uv => {
                ok(|w| w.entry(0x05, |w| w.unsigned(self.vault.state().uv_retries.into())))
            }
            Request::GET_TOKEN_USING_PIN => self.token_using_pin(&request, context)?,
            _ => return Err(Status::INVALID_SUBCOMMAND.into()),
        };
        Ok(Step::Answer(reply))
    }

    fn pin_retries(&self) -> Reply {
        let retries = self.vault.state().pin_retries;
        ok(|map| {
            map.entry(0x03, |w| w.unsigned(retries.into()));
            map.entry(0x04, |w| w.bool(self.pin_uv.blocked()))
        })
    }

    fn key_agreement(&self, request: &Request<'_>) -> Result<Reply, Failure> {
        let protocol = protocol(request.protocol)?;
        Ok(ok(|map| map.entry(0x01, |w| self.pin_uv.write_public_key(protocol, w))))
    }

    /// 6.5.5.5
    fn set_pin(&mut self, request: &Request<'_>, rng: &mut dyn CryptoRngCore) -> Result<Reply, Failure> {
        let (Some(_), Some(key), Some(new_pin), Some(param)) =
            (request.protocol, request.key_agreement, request.new_pin, request.param)
        else {
            return Err(Status::MISSING_PARAMETER.into());
        };
        let protocol = protocol(request.protocol)?;
        if self.vault.state().pin.is_some() {
            return Err(Status::PIN_AUTH_INVALID.into());
        }
        let shared = self.pin_uv.shared_secret(protocol, key)?;
        if !shared.verify(new_pin, param) {
            return Err(Status::PIN_AUTH_INVALID.into());
        }
        let pin = read_pin(&shared, new_pin)?;
        self.change_state(rng, |state| match state.pin {
            // Another program was faster.
            Some(_) => Err(Status::PIN_AUTH_INVALID),
            None => store(pin, state),
        })??;
        Ok(ok_alone())
    }

    /// 6.5.5.6
    fn change_pin(&mut self, request: &Request<'_>, rng: &mut dyn CryptoRngCore) -> Result<Reply, Failure> {
        let (Some(_), Some(key), Some(new_pin), Some(pin_hash), Some(param)) =
            (request.protocol, request.key_agreement, request.new_pin, request.pin_hash, request.param)
        else {
            return Err(Status::MISSING_PARAMETER.into());
        };
        let protocol = protocol(request.protocol)?;
        self.check_pin_allowed()?;
        let shared = self.pin_uv.shared_secret(protocol, key)?;
        if !shared.verify(&[new_pin, pin_hash].concat(), param) {
            return Err(Status::PIN_AUTH_INVALID.into());
        }
        self.check_pin(protocol, &shared, pin_hash, rng)?;
        let pin = read_pin(&shared, new_pin)?;
        let changed = self.change_state(rng, |state| {
            // Who must change it must change it into another one.
            let same = state.pin.as_ref().is_some_and(|old| bool::from(old.hash.ct_eq(pin.hash.as_slice())));
            if state.force_pin_change && same {
                return Err(Status::PIN_POLICY_VIOLATION);
            }
            store(pin, state)
        });
        // Also where the write is done and only says that it failed.
        if !matches!(changed, Ok(Err(_))) {
            self.pin_uv.reset_tokens();
        }
        changed??;
        Ok(ok_alone())
    }

    /// 6.5.5.7.1: the token of CTAP 2.0, good for making and using
    /// credentials of the one RP ID that it is used for first.
    fn pin_token(&mut self, request: &Request<'_>, context: &mut Context<'_>) -> Result<Reply, Failure> {
        let (Some(_), Some(key), Some(pin_hash)) =
            (request.protocol, request.key_agreement, request.pin_hash)
        else {
            return Err(Status::MISSING_PARAMETER.into());
        };
        let protocol = protocol(request.protocol)?;
        if request.permissions.is_some() || request.rp_id.is_some() {
            return Err(Status::INVALID_PARAMETER.into());
        }
        let wanted = Wanted {
            permissions: Permissions::MAKE_CREDENTIAL | Permissions::GET_ASSERTION,
            rp_id: None,
            must_change: Status::PIN_INVALID,
        };
        self.give_token_for_pin(protocol, key, pin_hash, wanted, context)
    }

    /// 6.5.5.7.2
    fn token_using_pin(
        &mut self,
        request: &Request<'_>,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        let (Some(_), Some(key), Some(pin_hash), Some(permissions)) =
            (request.protocol, request.key_agreement, request.pin_hash, request.permissions)
        else {
            return Err(Status::MISSING_PARAMETER.into());
        };
        let protocol = protocol(request.protocol)?;
        let permissions = check_permissions(permissions, request.rp_id)?;
        let rp_id = request.rp_id.map(str::to_owned);
        let wanted = Wanted { permissions, rp_id, must_change: Status::PIN_POLICY_VIOLATION };
        self.give_token_for_pin(protocol, key, pin_hash, wanted, context)
    }

    fn give_token_for_pin(
        &mut self,
        protocol: Protocol,
        key: Item<'_>,
        pin_hash: &[u8],
        wanted: Wanted,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        self.check_pin_allowed()?;
        let shared = self.pin_uv.shared_secret(protocol, key)?;
        self.check_pin(protocol, &shared, pin_hash, context.rng)?;
        if self.vault.state().force_pin_change {
            return Err(wanted.must_change.into());
        }
        self.give_token(&shared, wanted.permissions, wanted.rp_id, context.now, context.rng)
    }

    fn give_token(
        &mut self,
        shared: &SharedSecret,
        permissions: Permissions,
        rp_id: Option<String>,
        now: Moment,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Reply, Failure> {
        let token = self.pin_uv.issue_token(shared, permissions, rp_id, now, rng)?;
        Ok(ok(|map| map.entry(0x02, |w| w.bytes(&token))))
    }

    /// 6.5.5.7.3, until the person has to be verified.
    fn ask_for_token(&mut self, request: &Request<'_>, rng: &mut dyn CryptoRngCore) -> Result<Step, Failure> {
        let (Some(_), Some(key), Some(permissions)) =
            (request.protocol, request.key_agreement, request.permissions)
        else {
            return Err(Status::MISSING_PARAMETER.into());
        };
        let protocol = protocol(request.protocol)?;
        let permissions = check_permissions(permissions, request.rp_id)?;
        let shared = self.pin_uv.shared_secret(protocol, key)?;
        if !self.pay_for_verification(rng)? {
            return Err(Status::UV_BLOCKED.into());
        }
        let why = reason(permissions, request.rp_id);
        let rp_id = request.rp_id.map(str::to_owned);
        Ok(Step::Verify(why, Waiting::ClientPin(Box::new(Unverified { shared, permissions, rp_id }))))
    }

    /// 6.5.5.7.3, once it is known who is there.
    pub(super) fn client_pin_verified(
        &mut self,
        unverified: Unverified,
        verified: Verified,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        self.settle_verification(verified, context.rng)?;
        if verified == Verified::CannotAsk {
            return Ok(Reply::failed(Status::OPERATION_DENIED, Error::CannotAsk));
        }
        let Unverified { shared, permissions, rp_id } = unverified;
        self.give_token(&shared, permissions, rp_id, context.now, context.rng)
    }

    /// Pays for a try of the built-in user verification, before anybody is
    /// verified: who pulls the plug then has had it. So has who takes the
    /// request back, which could be after a glance at how it goes. False if
    /// there is none left.
    pub(super) fn pay_for_verification(&mut self, rng: &mut dyn CryptoRngCore) -> Result<bool, vault::Error> {
        self.change_state(rng, |state| {
            let left = state.uv_retries.checked_sub(1);
            state.uv_retries = left.unwrap_or_default();
            left.is_some()
        })
    }

    /// What came of a try that was paid for: a success gives all of them back,
    /// one that could not be made gives itself back.
    ///
    /// # Errors
    /// [`Status::UV_INVALID`], and [`Status::UV_BLOCKED`] if there are none
    /// left.
    pub(super) fn settle_verification(
        &mut self,
        verified: Verified,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Failure> {
        let left = self.change_state(rng, |state| {
            match verified {
                Verified::Yes => state.uv_retries = defaults::UV_RETRIES,
                Verified::No => {}
                Verified::CannotAsk => state.uv_retries = defaults::UV_RETRIES.min(state.uv_retries + 1),
            }
            state.uv_retries
        })?;
        match (verified, left) {
            (Verified::No, 0) => Err(Status::UV_BLOCKED.into()),
            (Verified::No, _) => Err(Status::UV_INVALID.into()),
            (Verified::Yes | Verified::CannotAsk, _) => Ok(()),
        }
    }

    /// Whether a PIN may be tried at all.
    fn check_pin_allowed(&self) -> Result<(), Status> {
        let State { pin, pin_retries, .. } = self.vault.state();
        if pin.is_none() {
            Err(Status::PIN_NOT_SET)
        } else if *pin_retries == 0 {
            Err(Status::PIN_BLOCKED)
        } else if self.pin_uv.blocked() {
            Err(Status::PIN_AUTH_BLOCKED)
        } else {
            Ok(())
        }
    }

    /// Tries a PIN. The guess is paid for first.
    fn check_pin(
        &mut self,
        protocol: Protocol,
        shared: &SharedSecret,
        pin_hash: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Failure> {
        let (pin, left) = self.change_state(rng, |state| {
            let pin = state.pin.clone().ok_or(Status::PIN_NOT_SET)?;
            state.pin_retries = state.pin_retries.checked_sub(1).ok_or(Status::PIN_BLOCKED)?;
            Ok::<_, Status>((pin, state.pin_retries))
        })??;
        let hash = shared.decrypt(pin_hash).unwrap_or_default();
        if !bool::from(hash.ct_eq(pin.hash.as_slice())) {
            self.pin_uv.count_mismatch();
            self.pin_uv.regenerate(protocol, rng)?;
            let status = match left {
                0 => Status::PIN_BLOCKED,
                _ if self.pin_uv.blocked() => Status::PIN_AUTH_BLOCKED,
                _ => Status::PIN_INVALID,
            };
            return Err(status.into());
        }
        self.pin_uv.forget_mismatches();
        // The PIN also opens a built-in verification that was tried too often.
        self.change_state(rng, |state| {
            (state.pin_retries, state.uv_retries) = (defaults::PIN_RETRIES, defaults::UV_RETRIES);
        })?;
        Ok(())
    }

    /// Changes the state, and writes it.
    pub(super) fn change_state<T>(
        &mut self,
        rng: &mut dyn CryptoRngCore,
        change: impl FnOnce(&mut State) -> T,
    ) -> Result<T, vault::Error> {
        self.vault.change(rng, |contents| {
            let mut state = contents.state().clone();
            let value = change(&mut state);
            contents.set_state(state);
            Ok(value)
        })
    }

    /// Whether it takes a verification of the user to change anything here:
    /// "protected by some form of user verification".
    pub(super) fn is_protected(&self) -> bool {
        self.uv || self.vault.state().pin.is_some()
    }
}

/// What a token shall be, and the word for who must change the PIN first.
struct Wanted {
    permissions: Permissions,
    rp_id: Option<String>,
    must_change: Status,
}

/// The protocol with this number.
///
/// # Errors
/// [`Status::MISSING_PARAMETER`], [`Status::INVALID_PARAMETER`].
pub(super) fn protocol(number: Option<u64>) -> Result<Protocol, Status> {
    Protocol::from_number(number.ok_or(Status::MISSING_PARAMETER)?).ok_or(Status::INVALID_PARAMETER)
}

fn check_permissions(bits: u64, rp_id: Option<&str>) -> Result<Permissions, Status> {
    if bits == 0 {
        return Err(Status::INVALID_PARAMETER);
    }
    let permissions = Permissions::from_bits(bits);
    // Nobody enrolls a finger here.
    if permissions.contains(Permissions::BIO_ENROLLMENT) {
        return Err(Status::UNAUTHORIZED_PERMISSION);
    }
    // A token for no RP ID becomes one for that of its first use, as those of
    // getPinToken do.
    let too_long = rp_id.is_some_and(|rp_id| rp_id.len() > defaults::MAX_RP_ID);
    if too_long { Err(Status::INVALID_LENGTH) } else { Ok(permissions) }
}

/// Decrypts a new PIN and takes off its padding.
fn read_pin(shared: &SharedSecret, encrypted: &[u8]) -> Result<Pin, Status> {
    let padded = shared.decrypt(encrypted).map_err(|_| Status::PIN_AUTH_INVALID)?;
    if padded.len() != PADDED {
        return Err(Status::INVALID_PARAMETER);
    }
    let end = padded.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let pin = padded.get(..end).unwrap_or_default();
    let text = std::str::from_utf8(pin).map_err(|_| Status::PIN_POLICY_VIOLATION)?;
    let length = u8::try_from(text.chars().count()).unwrap_or(u8::MAX);
    if pin.len() > defaults::MAX_PIN || length == 0 {
        return Err(Status::PIN_POLICY_VIOLATION);
    }
    let digest = Zeroizing::new(sha256(pin));
    let mut pin = Pin { hash: Zeroizing::default(), length };
    pin.hash.copy_from_slice(digest.get(..16).unwrap_or_default());
    Ok(pin)
}

/// Takes the new PIN in, if it is long enough.
fn store(pin: Pin, state: &mut State) -> Result<(), Status> {
    if pin.length < state.min_pin_length {
        return Err(Status::PIN_POLICY_VIOLATION);
    }
    state.pin = Some(pin);
    state.pin_retries = defaults::PIN_RETRIES;
    state.force_pin_change = false;
    Ok(())
}

/// Why the person is verified, in words.
fn reason(permissions: Permissions, rp_id: Option<&str>) -> String {
    let of_site = |words: &str, link: &str| match rp_id {
        Some(rp_id) => format!("{words} {link} {}", readable_rp_id(rp_id)),
        None => words.to_owned(),
    };
    let words = [
        (Permissions::MAKE_CREDENTIAL, of_site("make a passkey", "for")),
        (Permissions::GET_ASSERTION, of_site("sign in", "to")),
        (Permissions::CREDENTIAL_MANAGEMENT, "see, rename and remove passkeys".to_owned()),
        (Permissions::LARGE_BLOB_WRITE, "store data beside passkeys".to_owned()),
        (Permissions::AUTHENTICATOR_CONFIGURATION, "change the settings of this authenticator".to_owned()),
    ];
    let wanted = words.into_iter().filter(|(permission, _)| permissions.contains(*permission));
    let wanted: Vec<_> = wanted.map(|(_, words)| words).collect();
    if wanted.is_empty() { "use this authenticator".to_owned() } else { wanted.join(", ") }
}

fn ok(fill: impl FnOnce(&mut Entries) -> &mut Entries) -> Reply {
    let map = Writer::map_of(|map| {
        fill(map);
    });
    Reply::new(Status::OK.with(&map), None)
}

/// Success, and nothing to say.
pub(super) fn ok_alone() -> Reply {
    Reply::new(Status::OK.with(&[]), None)
}
