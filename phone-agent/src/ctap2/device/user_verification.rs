//! How a request has its user verified: what makeCredential and getAssertion
//! do alike, CTAP 2.1, 6.1.2 and 6.2.2, steps 1 to 11 and 1 to 6.

use cablecar_protocol::ctap::{PinUvAuth, Status};
use rand_core::CryptoRngCore;

use super::{Context, Device, Ready, Step};
use crate::ctap2::client_pin::protocol;
use crate::ctap2::failure::Failure;
use crate::ctap2::pin_uv::Protocol;
use crate::ctap2::selection;
use crate::ctap2::token::Permissions;
use crate::verification::Verified;

/// By what a request wants its user verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method<'a> {
    /// By nothing.
    None,
    /// By the proof that the platform holds a token.
    Token(Protocol, &'a [u8]),
    /// By what is built in.
    BuiltIn,
}

/// What a request may do, and for which RP: the terms of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) permission: Permissions,
    pub(super) rp_id: &'a str,
    pub(super) client_data_hash: &'a [u8; 32],
}

/// The method that the parameters name. A token wins over the option `uv`.
///
/// # Errors
/// [`Status::MISSING_PARAMETER`] or [`Status::INVALID_PARAMETER`] for the
/// protocol.
pub(super) fn method<'a>(auth: Option<&PinUvAuth<'a>>, uv: Option<bool>) -> Result<Method<'a>, Status> {
    match auth {
        Some(auth) => Ok(Method::Token(protocol(auth.protocol)?, auth.param)),
        None if uv == Some(true) => Ok(Method::BuiltIn),
        None => Ok(Method::None),
    }
}

impl Device {
    /// Step 1: an empty pinUvAuthParam asks for a touch, and whether there is
    /// a PIN.
    pub(super) fn touch(&self, auth: Option<&PinUvAuth<'_>>) -> Option<Step> {
        auth.filter(|auth| auth.param.is_empty())?;
        let has_pin = self.vault.state().pin.is_some();
        let status = if has_pin { Status::PIN_INVALID } else { Status::PIN_NOT_SET };
        let (question, ready) = selection::ask(selection::Kind::Touch(status));
        Some(Step::Ask(question, Ready::Selection(ready)))
    }

    /// What to say where a verification is due and the platform gave none.
    pub(super) fn unverified(&self) -> Status {
        let may_have_token = self.vault.state().pin.is_some() || !self.uv;
        if may_have_token { Status::PUAT_REQUIRED } else { Status::OPERATION_DENIED }
    }

    /// Refuses what is built in where nothing is.
    ///
    /// # Errors
    /// [`Status::INVALID_OPTION`].
    pub(super) fn is_there(&self, method: Method<'_>) -> Result<(), Status> {
        if method == Method::BuiltIn && !self.uv { Err(Status::INVALID_OPTION) } else { Ok(()) }
    }

    /// What alwaysUv makes of a method.
    ///
    /// # Errors
    /// [`Status::PUAT_REQUIRED`] or [`Status::OPERATION_DENIED`].
    pub(super) fn under_always_uv<'a>(&self, method: Method<'a>) -> Result<Method<'a>, Status> {
        match method {
            _ if !self.vault.state().always_uv => Ok(method),
            _ if !self.is_protected() => Err(Status::PUAT_REQUIRED),
            Method::None if self.uv => Ok(Method::BuiltIn),
            Method::None => Err(self.unverified()),
            method => Ok(method),
        }
    }

    /// Verifies by token, and says whether that was it: true if the user is
    /// verified, false if nobody is to be, nothing if what is built in has to
    /// be tried first: that try is paid for.
    ///
    /// # Errors
    /// [`Status::PIN_NOT_SET`], [`Status::PIN_AUTH_INVALID`]; and where
    /// nothing built in can be tried any more, as above; those of writing.
    pub(super) fn verify(
        &mut self,
        method: Method<'_>,
        terms: Terms<'_>,
        context: &mut Context<'_>,
    ) -> Result<Option<bool>, Failure> {
        let Terms { permission, rp_id, client_data_hash } = terms;
        match method {
            Method::None => Ok(Some(false)),
            // There can be no token.
            Method::Token(..) if !self.is_protected() => Err(Status::PIN_NOT_SET.into()),
            Method::Token(protocol, param) => {
                self.authorise(protocol, param, client_data_hash, permission, rp_id, context.now)?;
                Ok(Some(true))
            }
            Method::BuiltIn if self.uv && self.pay_for_verification(context.rng)? => Ok(None),
            Method::BuiltIn => Err(self.unverified().into()),
        }
    }

    /// Settles what a try of the built-in verification comes to, on the disk
    /// before anybody hears how it went; fails unless the user is verified.
    ///
    /// # Errors
    /// Those of [`Device::unverified`], and of writing.
    pub(super) fn built_in_verified(
        &mut self,
        verified: Verified,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Failure> {
        // Which of the two it was, 6.1.2 and 6.2.2 do not tell the platform.
        if let Err(Failure::Vault(error)) = self.settle_verification(verified, rng) {
            return Err(error.into());
        }
        if verified == Verified::Yes { Ok(()) } else { Err(self.unverified().into()) }
    }
}
