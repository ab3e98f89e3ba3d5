//! credentialManagement (0a): CTAP 2.1, 6.8. Tells of discoverable
//! credentials, and of nothing that could use them.

use std::time::Duration;

use cablecar_protocol::ctap::credential_management::{self as wire, Response};
use cablecar_protocol::ctap::{
    CredentialDescriptor, RelyingParty, Status, SubcommandRequest as Request, User,
};

use super::client_pin::{ok_alone, protocol};
use super::device::{Context, Device, Moment};
use super::failure::Failure;
use super::make_credential::{cose_key, shortened};
use super::token::{Permissions, Token};
use super::{Reply, sha256};
use crate::defaults;
use crate::vault::{CredentialId, Passkey};

/// The lists that are being told, one entry a command: of RPs, and of the
/// credentials of one of them.
#[derive(Debug, Default)]
pub(super) struct Enumerations {
    rps: Option<Enumeration<RelyingParty>>,
    credentials: Option<Enumeration<CredentialId>>,
}

#[derive(Debug)]
struct Enumeration<T> {
    /// What is left of it, the next one last.
    left: Vec<T>,
    /// When its last entry was told.
    told: Duration,
}

impl Device {
    /// Takes the command. `told_of` are the lists that the commands before this
    /// one told of. Whatever is not the next command of a list ends it, but
    /// that the credentials of an RP may be told between two RPs.
    pub(super) fn credential_management(
        &mut self,
        parameters: &[u8],
        told_of: Enumerations,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        let request = Request::parse(parameters)?;
        let now = context.now;
        match request.subcommand {
            wire::GET_CREDS_METADATA => {
                self.check_for_any_rp(&request, now)?;
                let (existing, remaining) = (Some(self.discoverable().count()), Some(self.room()));
                Ok(told(&Response { existing, remaining, ..Response::default() }))
            }
            wire::ENUMERATE_RPS_BEGIN => {
                self.check_for_any_rp(&request, now)?;
                let rps = self.relying_parties();
                let total = Some(rps.len()).filter(|total| *total > 0).ok_or(Status::NO_CREDENTIALS)?;
                self.tell_rp(rps, Some(total), now)
            }
            wire::ENUMERATE_RPS_NEXT => {
                let rps = self.take_up(told_of.rps, now)?;
                self.tell_rp(rps, None, now)
            }
            wire::ENUMERATE_CREDENTIALS_BEGIN => {
                let reply = self.begin_credentials(&request, now)?;
                self.enumerations.rps = told_of.rps;
                Ok(reply)
            }
            wire::ENUMERATE_CREDENTIALS_NEXT => {
                let ids = self.take_up(told_of.credentials, now)?;
                self.enumerations.rps = told_of.rps;
                self.tell_credential(ids, None, now)
            }
            wire::DELETE_CREDENTIAL => {
                let id = self.find(&request, now)?;
                let removed = self.vault.change(context.rng, |contents| Ok(contents.remove(&id)))?;
                if removed { Ok(ok_alone()) } else { Err(Status::NO_CREDENTIALS.into()) }
            }
            wire::UPDATE_USER_INFORMATION => self.update_user(&request, context),
            _ => Err(Status::INVALID_SUBCOMMAND.into()),
        }
    }

    /// The token that authenticates the subcommand and its parameters.
    fn check_management(&mut self, request: &Request<'_>, now: Moment) -> Result<&mut Token, Status> {
        let param = request.param.ok_or(Status::PUAT_REQUIRED)?;
        let protocol = protocol(request.protocol)?;
        // Those that get here have one byte.
        let mut message = vec![u8::try_from(request.subcommand).unwrap_or_default()];
        message.extend_from_slice(request.parameters.map_or(&[], |item| item.encoded()));
        let token = self.pin_uv.verify(protocol, param, &message, now)?;
        let allowed = token.permits(Permissions::CREDENTIAL_MANAGEMENT);
        if allowed { Ok(token) } else { Err(Status::PIN_AUTH_INVALID) }
    }

    /// The same, for what concerns every RP: the token is for no RP alone.
    fn check_for_any_rp(&mut self, request: &Request<'_>, now: Moment) -> Result<(), Status> {
        let token = self.check_management(request, now)?;
        if token.rp_id().is_none() { Ok(()) } else { Err(Status::PIN_AUTH_INVALID) }
    }

    fn discoverable(&self) -> impl DoubleEndedIterator<Item = &Passkey> {
        self.vault.passkeys().filter(|passkey| passkey.discoverable)
    }

    /// Each RP once, in the order in which it came first, the last one in
    /// front.
    fn relying_parties(&self) -> Vec<RelyingParty> {
        let mut known = std::collections::HashSet::new();
        let new = self.discoverable().filter(|passkey| known.insert(passkey.rp.id.as_str()));
        let mut rps: Vec<RelyingParty> = new.map(|passkey| passkey.rp.clone()).collect();
        rps.reverse();
        rps
    }

    /// Goes on with a list, if there is one and it is not over.
    fn take_up<T>(&mut self, list: Option<Enumeration<T>>, now: Moment) -> Result<Vec<T>, Status> {
        let Enumeration { left, told } = list.ok_or(Status::NOT_ALLOWED)?;
        let in_time = now.since_power_up.saturating_sub(told) < defaults::NEXT_COMMAND;
        // What the token was good for ends with it.
        if in_time && self.pin_uv.token(now).is_some() { Ok(left) } else { Err(Status::NOT_ALLOWED) }
    }

    fn tell_rp(
        &mut self,
        mut rps: Vec<RelyingParty>,
        total_rps: Option<usize>,
        now: Moment,
    ) -> Result<Reply, Failure> {
        let rp = rps.pop().ok_or(Status::NOT_ALLOWED)?;
        let rp_id_hash = Some(sha256(rp.id.as_bytes()));
        let reply = told(&Response { rp: Some(&rp), rp_id_hash, total_rps, ..Response::default() });
        self.enumerations.rps = Some(Enumeration { left: rps, told: now.since_power_up });
        Ok(reply)
    }

    fn begin_credentials(&mut self, request: &Request<'_>, now: Moment) -> Result<Reply, Failure> {
        request.param.ok_or(Status::PUAT_REQUIRED)?;
        let hash = request.rp_id_hash()?;
        let token = self.check_management(request, now)?;
        let bound = token.rp_id().map(|rp_id| sha256(rp_id.as_bytes()));
        if bound.is_some_and(|bound| bound != hash) {
            return Err(Status::PIN_AUTH_INVALID.into());
        }
        let of_rp = self.discoverable().filter(|passkey| sha256(passkey.rp.id.as_bytes()) == hash);
        // The oldest last, which is told first.
        let ids: Vec<CredentialId> = of_rp.rev().map(|passkey| passkey.id.clone()).collect();
        let total = Some(ids.len()).filter(|total| *total > 0).ok_or(Status::NO_CREDENTIALS)?;
        self.tell_credential(ids, Some(total), now)
    }

    fn tell_credential(
        &mut self,
        mut ids: Vec<CredentialId>,
        total_credentials: Option<usize>,
        now: Moment,
    ) -> Result<Reply, Failure> {
        // One that another program removed meanwhile is passed over.
        let id = std::iter::from_fn(|| ids.pop()).find(|id| self.passkey(id).is_some());
        let passkey = id.as_ref().and_then(|id| self.passkey(id)).ok_or(Status::NOT_ALLOWED)?;
        let reply = told(&Response {
            user: Some(&passkey.user),
            credential: Some(CredentialDescriptor::new(passkey.id.as_bytes().to_vec())),
            public_key: Some(cose_key(&passkey.key)),
            total_credentials,
            protection: Some(passkey.protection.level()),
            large_blob_key: passkey.large_blob_key.as_ref().map(|key| key.expose()),
            ..Response::default()
        });
        self.enumerations.credentials = Some(Enumeration { left: ids, told: now.since_power_up });
        Ok(reply)
    }

    fn passkey(&self, id: &CredentialId) -> Option<&Passkey> {
        self.discoverable().find(|passkey| passkey.id == *id)
    }

    /// The credential that the subcommand is about, if the token is good for
    /// its RP.
    fn find(&mut self, request: &Request<'_>, now: Moment) -> Result<CredentialId, Status> {
        request.param.ok_or(Status::PUAT_REQUIRED)?;
        let wanted = request.credential()?;
        let bound = self.check_management(request, now)?.rp_id().map(str::to_owned);
        let wanted = wanted.ok_or(Status::NO_CREDENTIALS)?;
        let passkey = self.passkey(&CredentialId::new(wanted.id)).ok_or(Status::NO_CREDENTIALS)?;
        if bound.is_some_and(|bound| bound != passkey.rp.id) {
            return Err(Status::PIN_AUTH_INVALID);
        }
        Ok(passkey.id.clone())
    }

    fn update_user(&mut self, request: &Request<'_>, context: &mut Context<'_>) -> Result<Reply, Failure> {
        request.param.ok_or(Status::PUAT_REQUIRED)?;
        let User { id: user_id, name, display_name } = request.user()?;
        let id = self.find(request, context.now)?;
        if self.passkey(&id).is_none_or(|passkey| passkey.user.id != user_id) {
            return Err(Status::INVALID_PARAMETER.into());
        }
        // What is empty or absent is not kept.
        let kept = |name: Option<String>| name.filter(|name| !name.is_empty()).map(shortened);
        let (name, display_name) = (kept(name), kept(display_name));
        let found = self.vault.change(context.rng, |contents| {
            Ok(contents.update(&id, |passkey| {
                (passkey.user.name, passkey.user.display_name) = (name, display_name);
            }))
        })?;
        if found { Ok(ok_alone()) } else { Err(Status::NO_CREDENTIALS.into()) }
    }
}

fn told(response: &Response<'_>) -> Reply {
    Reply::new(Status::OK.with(&response.to_bytes()), None)
}
