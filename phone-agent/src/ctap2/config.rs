//! authenticatorConfig (0d): CTAP 2.1, 6.11.

use cablecar_protocol::cbor::Item;
use cablecar_protocol::ctap::config::{MinPinLength, SET_MIN_PIN_LENGTH, TOGGLE_ALWAYS_UV};
use cablecar_protocol::ctap::{Status, SubcommandRequest as Request};
use rand_core::CryptoRngCore;

use super::Reply;
use super::client_pin::{ok_alone, protocol};
use super::device::{Context, Device};
use super::failure::Failure;
use super::token::Permissions;
use crate::defaults;

impl Device {
    /// Takes the command.
    pub(super) fn config(&mut self, parameters: &[u8], context: &mut Context<'_>) -> Result<Reply, Failure> {
        let request = Request::parse(parameters)?;
        // Enterprise attestation is not for a vault that a person carries.
        // A subcommand that there is not is a parameter that is wrong, here
        // unlike elsewhere.
        if !matches!(request.subcommand, TOGGLE_ALWAYS_UV | SET_MIN_PIN_LENGTH) {
            return Err(Status::INVALID_PARAMETER.into());
        }
        // Who asks that everybody be verified, and can verify nobody, has to
        // have a way back.
        let always_uv = self.vault.state().always_uv && request.subcommand != TOGGLE_ALWAYS_UV;
        if self.is_protected() || always_uv {
            self.check_config_auth(&request, context)?;
        }
        if request.subcommand == TOGGLE_ALWAYS_UV {
            self.change_state(context.rng, |state| state.always_uv = !state.always_uv)?;
        } else {
            self.set_min_pin_length(request.parameters, context.rng)?;
        }
        Ok(ok_alone())
    }

    fn check_config_auth(&mut self, request: &Request<'_>, context: &Context<'_>) -> Result<(), Status> {
        let param = request.param.ok_or(Status::PUAT_REQUIRED)?;
        let protocol = protocol(request.protocol)?;
        let mut message = vec![0xff; 32];
        message.push(0x0d);
        // It is one of two.
        message.push(u8::try_from(request.subcommand).unwrap_or_default());
        message.extend_from_slice(request.parameters.map_or(&[], |item| item.encoded()));
        let token = self.pin_uv.verify(protocol, param, &message, context.now)?;
        let allowed = token.permits(Permissions::AUTHENTICATOR_CONFIGURATION);
        if allowed { Ok(()) } else { Err(Status::PIN_AUTH_INVALID) }
    }

    /// setMinPINLength, 6.11.4: all of it or nothing.
    fn set_min_pin_length(
        &mut self,
        parameters: Option<Item<'_>>,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Failure> {
        let parameters = parameters.ok_or(Status::MISSING_PARAMETER)?;
        let wanted = MinPinLength::read(parameters, defaults::MAX_MIN_PIN_RP_IDS)?;
        let rp_ids = wanted.rp_ids.as_deref().unwrap_or_default();
        let no_room = rp_ids.len() > defaults::MAX_MIN_PIN_RP_IDS
            || rp_ids.iter().any(|id| id.len() > defaults::MAX_RP_ID);
        let forced = self.change_state(rng, |state| {
            let length = wanted.length.unwrap_or_else(|| state.min_pin_length.into());
            // One beyond the longest PIN would lock everybody out for good.
            let possible = u64::from(state.min_pin_length)..=u64::from(defaults::MAX_PIN_LENGTH);
            let length = u8::try_from(length).ok().filter(|_| possible.contains(&length));
            let length = length.ok_or(Status::PIN_POLICY_VIOLATION)?;
            if wanted.force_change && state.pin.is_none() {
                return Err(Status::PIN_NOT_SET);
            }
            if no_room {
                return Err(Status::KEY_STORE_FULL);
            }
            let too_short = state.pin.as_ref().is_some_and(|pin| pin.length < length);
            state.min_pin_length = length;
            state.force_pin_change |= wanted.force_change || too_short;
            if wanted.rp_ids.is_some() {
                state.min_pin_rp_ids = rp_ids.iter().map(|id| (*id).to_owned()).collect();
            }
            Ok(wanted.force_change || too_short)
        });
        // Also where the write is done and only says that it failed.
        if !matches!(forced, Ok(Ok(false) | Err(_))) {
            self.pin_uv.reset_tokens();
        }
        forced??;
        Ok(())
    }
}
