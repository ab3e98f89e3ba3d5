//! getAssertion (02): a passkey used.

use cablecar_protocol::ctap::get_assertion::{Request, Response};
use cablecar_protocol::ctap::{AuthenticatorData, CredentialDescriptor, Flags, PrfOutputs, Status, User};
use cablecar_protocol::qr::Hint;
use rand_core::CryptoRngCore;

use super::make_credential::backup_flags;
use super::{Reply, Served, check_rp_id, refuse_pin_uv_auth, sha256, warnings};
use crate::consent::{Account, Approval, Question, Ticket, What};
use crate::defaults;
use crate::error::Error;
use crate::vault::{CredentialId, Passkey, Unlocked};

/// Parameter `pinUvAuthProtocol`.
const PIN_UV_AUTH_PROTOCOL: i64 = 0x07;

/// A request that only the vault or the person can still refuse.
#[derive(Debug)]
pub struct Checked {
    request: Request,
    hint: Hint,
}

/// Checks the parameters, in the order of CTAP 2.1, 6.2.2.
pub(super) fn check(parameters: &[u8], hint: Hint) -> Result<super::Checked, Status> {
    let request = Request::parse(parameters)?;
    check_rp_id(&request.rp_id)?;
    if request.pin_uv_auth {
        return Err(refuse_pin_uv_auth(parameters, PIN_UV_AUTH_PROTOCOL));
    }
    // `rk` belongs to makeCredential. `up: false` asks whether there is a
    // passkey without asking the person, which this transport never does.
    if request.options.rk.is_some() || request.options.up == Some(false) {
        return Err(Status::UNSUPPORTED_OPTION);
    }
    if request.allow.len() > defaults::MAX_CREDENTIAL_LIST {
        return Err(Status::LIMIT_EXCEEDED);
    }
    Ok(super::Checked::GetAssertion(Checked { request, hint }))
}

impl Checked {
    pub(super) fn rp_id(&self) -> &str {
        &self.request.rp_id
    }

    pub(super) fn look_up(self, vault: Unlocked) -> (Question, Ready) {
        // Newest first, as CTAP orders them.
        let mut candidates: Vec<usize> =
            vault.passkeys().enumerate().filter(|(_, passkey)| self.fits(passkey)).map(|(i, _)| i).collect();
        candidates.reverse();
        let accounts: Vec<Account> = candidates
            .iter()
            .filter_map(|index| vault.passkeys().nth(*index))
            .map(|passkey| Account::of(&passkey.user))
            .collect();
        let what = if accounts.is_empty() { What::NothingToSignInWith } else { What::SignIn(accounts) };
        let warnings = warnings(&self.request.rp_id, self.hint, Hint::GetAssertion);
        let (question, ticket) = Question::new(what, self.request.rp_id.clone(), warnings);
        (question, Ready { request: self.request, vault, candidates, ticket })
    }

    fn fits(&self, passkey: &Passkey) -> bool {
        let Request { rp_id, allow, has_allow_list, .. } = &self.request;
        let wanted = if *has_allow_list {
            allow.iter().any(|one| one.id == passkey.id.as_bytes())
        } else {
            passkey.discoverable
        };
        passkey.rp.id == *rp_id && wanted
    }
}

/// Waits for the answer, the vault open.
#[derive(Debug)]
pub struct Ready {
    request: Request,
    vault: Unlocked,
    candidates: Vec<usize>,
    ticket: Ticket,
}

impl Ready {
    pub(super) fn act(mut self, approval: Approval, rng: &mut dyn CryptoRngCore) -> Reply {
        let Some(account) = approval.redeem(&self.ticket) else {
            return Reply::failed(Status::OPERATION_DENIED, Error::Declined);
        };
        let chosen = self.candidates.get(account).and_then(|index| self.vault.passkeys().nth(*index));
        // Only the person's yes tells the computer that there is nothing.
        let Some(id) = chosen.map(|passkey| passkey.id.clone()) else {
            return Reply::failed(Status::NO_CREDENTIALS, Error::NoPasskey);
        };
        match count(&mut self.vault, &id, rng) {
            Ok(Some(_)) => {}
            Ok(None) => return Reply::failed(Status::NO_CREDENTIALS, Error::NoPasskey),
            Err(error) => return Reply::vault_failed(error),
        }
        let response = self.vault.passkeys().find(|passkey| passkey.id == id).and_then(|one| self.sign(one));
        match response {
            Some(response) => Reply::served(&response.to_bytes(), Served::SignedIn),
            // A key that the vault took for one and that cannot sign.
            None => Reply::failed(Status::OTHER, Error::Refused(Status::OTHER)),
        }
    }

    fn sign(&self, passkey: &Passkey) -> Option<Response> {
        // Both were asked of the person for this very request.
        let data = authenticator_data(passkey, Flags::UP | Flags::UV);
        let signed = [data.as_bytes(), self.request.client_data_hash.as_slice()].concat();
        let asked_by_id = self.request.has_allow_list;
        let salts = self.request.prf.as_ref().and_then(|prf| prf.for_credential(passkey.id.as_bytes()));
        Some(Response {
            credential: Some(CredentialDescriptor::new(passkey.id.as_bytes().to_vec())),
            signature: passkey.key.sign(&signed)?,
            authenticator_data: data,
            user: (passkey.discoverable || !asked_by_id).then(|| user(passkey, asked_by_id)),
            number_of_credentials: None,
            // Without it Chromium stops at an account picker of its own.
            user_selected: (!asked_by_id).then_some(true),
            prf: salts
                .map(|salts| PrfOutputs { enabled: None, results: Some(passkey.prf.evaluate(salts, true)) }),
        })
    }
}

/// What is signed with a passkey, without the outputs of extensions. `user`
/// says of the person what is true: [`Flags::UP`], [`Flags::UV`], both or
/// neither.
pub(super) fn authenticator_data(passkey: &Passkey, user: u8) -> AuthenticatorData {
    let flags = user | backup_flags(passkey);
    AuthenticatorData::new(sha256(passkey.rp.id.as_bytes()), flags, passkey.counter, None)
}

/// Counts one more signature, on the disk before anybody sees it, and gives
/// the number: 0, without a write, where the passkey can be synced. `None` if
/// the passkey is gone.
pub(super) fn count(
    vault: &mut Unlocked,
    id: &CredentialId,
    rng: &mut dyn CryptoRngCore,
) -> Result<Option<u32>, crate::vault::Error> {
    match vault.passkeys().find(|passkey| passkey.id == *id) {
        None => return Ok(None),
        Some(passkey) if passkey.backup.eligible() => return Ok(Some(0)),
        Some(_) => {}
    }
    vault.change(rng, |contents| {
        let mut counter = 0;
        let there = contents.update(id, |passkey| {
            passkey.counter = passkey.counter.saturating_add(1);
            counter = passkey.counter;
        });
        Ok(there.then_some(counter))
    })
}

/// Whose account it is. The names go along only where the client may have to
/// show a choice of accounts, and then are there even if empty, as every other
/// phone sends them.
fn user(passkey: &Passkey, asked_by_id: bool) -> User {
    let User { id, name, display_name } = &passkey.user;
    let shown = |name: &Option<String>| (!asked_by_id).then(|| name.clone().unwrap_or_default());
    User { id: id.clone(), name: shown(name), display_name: shown(display_name) }
}
