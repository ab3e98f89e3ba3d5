//! makeCredential (01): a new passkey.

use cablecar_protocol::cbor;
use cablecar_protocol::ctap::make_credential::{Request, Response};
use cablecar_protocol::ctap::{
    AttestedCredential, AuthenticatorData, ES256, Flags, PrfOutputs, RelyingParty, Status, User,
};
use cablecar_protocol::qr::Hint;
use coset::cbor::Value;
use coset::iana::{self, EllipticCurve, EnumI64};
use coset::{CborSerializable, CoseKeyBuilder};
use rand_core::CryptoRngCore;

use super::{AAGUID, Next, Reply, Served, check_rp_id, refuse_pin_uv_auth, selection, sha256, warnings};
use crate::consent::{Account, Approval, Question, Ticket, Warning, What};
use crate::defaults;
use crate::error::Error;
use crate::vault::{Algorithm, Backup, Passkey, Policy, PrivateKey, PublicKey, Unlocked};

/// Parameter `enterpriseAttestation`.
const ENTERPRISE_ATTESTATION: i64 = 0x0a;
/// Parameter `pinUvAuthProtocol`.
const PIN_UV_AUTH_PROTOCOL: i64 = 0x09;

/// A request that only the vault or the person can still refuse.
#[derive(Debug)]
pub struct Checked {
    request: Request,
    hint: Hint,
}

/// Checks the parameters, in the order of CTAP 2.1, 6.1.2.
pub(super) fn check(parameters: &[u8], hint: Hint) -> Result<Next, Status> {
    let request = Request::parse(parameters)?;
    check_rp_id(&request.rp.id)?;
    if request.rp.id == selection::DUMMY {
        let (question, ready) = selection::ask(selection::Kind::Dummy);
        return Ok(Next::Ask(question, super::Ready::Selection(ready)));
    }
    if request.pin_uv_auth {
        return Err(refuse_pin_uv_auth(parameters, PIN_UV_AUTH_PROTOCOL));
    }
    if !request.algorithms.contains(&ES256) {
        return Err(Status::UNSUPPORTED_ALGORITHM);
    }
    if request.options.up == Some(false) {
        return Err(Status::UNSUPPORTED_OPTION);
    }
    if has_enterprise_attestation(parameters) {
        // An authenticator without it must refuse the parameter, step 9.
        return Err(Status::INVALID_PARAMETER);
    }
    if request.exclude.len() > defaults::MAX_CREDENTIAL_LIST {
        return Err(Status::LIMIT_EXCEEDED);
    }
    Ok(Next::Verify(super::Checked::MakeCredential(Checked { request, hint })))
}

fn has_enterprise_attestation(parameters: &[u8]) -> bool {
    let map = cbor::parse(parameters, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
    map.is_some_and(|map| map.get(ENTERPRISE_ATTESTATION).is_some())
}

impl Checked {
    pub(super) fn rp_id(&self) -> &str {
        &self.request.rp.id
    }

    pub(super) fn look_up(self, vault: Unlocked) -> (Question, Ready) {
        let Request { rp, user, exclude, .. } = &self.request;
        let of_rp = || vault.passkeys().filter(|passkey| passkey.rp.id == rp.id);
        let excluded = of_rp().any(|passkey| exclude.iter().any(|one| one.id == passkey.id.as_bytes()));
        let mut warnings = warnings(&rp.id, self.hint, Hint::MakeCredential);
        let replaces = |passkey: &Passkey| passkey.discoverable && passkey.user.id == user.id;
        if !excluded && self.discoverable() && of_rp().any(replaces) {
            warnings.push(Warning::Replaces);
        }
        let account = Account::of(user);
        let what = if excluded { What::AlreadyRegistered(account) } else { What::Register(account) };
        let (question, ticket) = Question::new(what, rp.id.clone(), warnings);
        (question, Ready { request: self.request, vault, excluded, ticket })
    }

    fn discoverable(&self) -> bool {
        self.request.options.rk == Some(true)
    }
}

/// Waits for the answer, the vault open.
#[derive(Debug)]
pub struct Ready {
    request: Request,
    vault: Unlocked,
    excluded: bool,
    ticket: Ticket,
}

impl Ready {
    pub(super) fn act(self, approval: Approval, rng: &mut dyn CryptoRngCore, now: u64) -> Reply {
        if approval.redeem(&self.ticket).is_none() {
            return Reply::failed(Status::OPERATION_DENIED, Error::Declined);
        }
        // Only the person's yes tells the computer what is in the vault.
        if self.excluded {
            return Reply::failed(Status::CREDENTIAL_EXCLUDED, Error::AlreadyRegistered);
        }
        match self.create(rng, now) {
            Ok(response) => Reply::served(&response.to_bytes(), Served::Registered),
            Err(error) => Reply::vault_failed(error),
        }
    }

    fn create(self, rng: &mut dyn CryptoRngCore, now: u64) -> Result<Response, crate::vault::Error> {
        let Self { request, mut vault, .. } = self;
        let passkey = new_passkey(&request, Algorithm::Es256, vault.state().policy, rng, now)?;
        let response = Response {
            format: "none".into(),
            // Both were asked of the person for this very request.
            authenticator_data: authenticator_data(&passkey, Flags::UP | Flags::UV),
            statement: cbor::Writer::map_of(|_| {}),
            prf: request.prf.map(|inputs| PrfOutputs {
                enabled: Some(true),
                results: inputs.eval.as_ref().map(|salts| passkey.prf.evaluate(salts, true)),
            }),
        };
        // On the disk before the computer hears of it.
        vault.add(passkey, rng)?;
        Ok(response)
    }
}

/// What is asked for, as far as every authenticator makes it: without what
/// extensions add.
pub(super) fn new_passkey(
    request: &Request,
    algorithm: Algorithm,
    policy: Policy,
    rng: &mut dyn CryptoRngCore,
    now: u64,
) -> Result<Passkey, crate::vault::Error> {
    let Request { rp, user, options, .. } = request;
    let rp = RelyingParty { id: rp.id.clone(), name: rp.name.clone().map(shortened) };
    let user = User {
        id: user.id.clone(),
        name: user.name.clone().map(shortened),
        display_name: user.display_name.clone().map(shortened),
    };
    Ok(Passkey {
        backup: match policy {
            Policy::Synced => Backup::SYNCED,
            Policy::DeviceBound => Backup::DEVICE_BOUND,
        },
        discoverable: options.rk == Some(true),
        ..Passkey::random(algorithm, rp, user, now, rng)?
    })
}

/// What is attested of a new passkey. `user` says of the person what is true:
/// [`Flags::UP`], [`Flags::UV`], both or neither.
pub(super) fn authenticator_data(passkey: &Passkey, user: u8) -> AuthenticatorData {
    let attested = AttestedCredential {
        aaguid: AAGUID,
        id: passkey.id.as_bytes().to_vec(),
        public_key: cose_key(&passkey.key),
    };
    let flags = user | backup_flags(passkey);
    AuthenticatorData::new(sha256(passkey.rp.id.as_bytes()), flags, passkey.counter, Some(attested))
}

/// The flags of a passkey that say where else it may be.
pub(super) fn backup_flags(passkey: &Passkey) -> u8 {
    let eligible = if passkey.backup.eligible() { Flags::BE } else { 0 };
    let done = if passkey.backup.done() { Flags::BS } else { 0 };
    eligible | done
}

/// The public key: {1: 2 (EC2), 3: −7 (ES256), −1: 1 (P-256), −2: X, −3: Y} or
/// {1: 1 (OKP), 3: −8 (EdDSA), −1: 6 (Ed25519), −2: X}
pub(super) fn cose_key(key: &PrivateKey) -> Vec<u8> {
    // A private key was checked to be one when it was made.
    let Some(public) = key.public() else { return Vec::new() };
    let key = match public {
        PublicKey::P256 { x, y } => {
            CoseKeyBuilder::new_ec2_pub_key(EllipticCurve::P_256, x.to_vec(), y.to_vec())
                .algorithm(iana::Algorithm::ES256)
        }
        PublicKey::Ed25519(x) => CoseKeyBuilder::new_okp_key()
            .algorithm(iana::Algorithm::EdDSA)
            .param(iana::OkpKeyParameter::Crv.to_i64(), Value::from(EllipticCurve::Ed25519.to_i64()))
            .param(iana::OkpKeyParameter::X.to_i64(), Value::Bytes(x.to_vec())),
    };
    key.build().to_vec().unwrap_or_default()
}

/// Cut between characters.
pub(super) fn shortened(mut name: String) -> String {
    let cut = (0..=defaults::MAX_NAME).rev().find(|cut| name.is_char_boundary(*cut));
    if name.len() > defaults::MAX_NAME {
        name.truncate(cut.unwrap_or(0));
    }
    name
}
