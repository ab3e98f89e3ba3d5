//! makeCredential (01) through the local door: CTAP 2.1, 6.1.2, step by step.

use cablecar_protocol::cbor::{Entries, Writer};
use cablecar_protocol::ctap::make_credential::{Extensions, Parameters, Request};
use cablecar_protocol::ctap::{Flags, Status};
use cablecar_protocol::qr::Hint;

use super::extensions::Salts;
use super::user_verification::{Method, Terms, method};
use super::{Context, Device, Step};
use crate::consent::{Account, Approval, Question, Ticket, Warning, What};
use crate::ctap2::failure::Failure;
use crate::ctap2::make_credential::{authenticator_data, new_passkey};
use crate::ctap2::token::Permissions;
use crate::ctap2::{Reply, Served, check_rp_id, selection, warnings};
use crate::defaults;
use crate::error::Error;
use crate::vault::{self, Algorithm, LargeBlobKey, Passkey, Protection};
use crate::verification::Verified;

/// A request that has passed every check that needs nobody.
#[derive(Debug)]
pub struct Asked {
    request: Request,
    algorithm: Algorithm,
    format: Format,
    wanted: Wanted,
}

/// How the new passkey is attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// By its own key.
    PackedSelf,
    /// Not at all.
    None,
}

/// What is asked of the extensions.
#[derive(Debug)]
struct Wanted {
    protection: Option<Protection>,
    blob: Option<Vec<u8>>,
    hmac_secret: bool,
    salts: Option<Salts>,
    large_blob_key: bool,
    min_pin_length: bool,
}

/// Waits for the answer.
#[derive(Debug)]
pub struct Ready {
    asked: Asked,
    verified: bool,
    excluded: bool,
    ticket: Ticket,
}

impl Ready {
    /// Whether the exclude list names a passkey that is here.
    pub(super) fn is_excluded(&self) -> bool {
        self.excluded
    }
}

impl Device {
    /// Steps 1 to 11, as far as nobody is needed.
    pub(super) fn make_credential(
        &mut self,
        parameters: &[u8],
        context: &mut Context<'_>,
    ) -> Result<Step, Failure> {
        let Parameters { request, extensions, pin_uv_auth, enterprise_attestation, attestation_formats } =
            Parameters::parse(parameters)?;
        if let Some(touch) = self.touch(pin_uv_auth.as_ref()) {
            return Ok(touch);
        }
        let options = request.options;
        let method = method(pin_uv_auth.as_ref(), options.uv)?;
        let algorithm = request.algorithms.iter().find_map(|number| Algorithm::from_cose(*number));
        let algorithm = algorithm.ok_or(Status::UNSUPPORTED_ALGORITHM)?;
        self.is_there(method)?;
        if options.up == Some(false) {
            return Err(Status::INVALID_OPTION.into());
        }
        let method = self.under_always_uv(method)?;
        // makeCredUvNotRqd: who is not verified may make a passkey that nobody
        // finds without its id, and any at all where nobody can be verified.
        let discoverable = options.rk == Some(true);
        if self.is_protected() && method == Method::None && discoverable {
            return Err(self.unverified().into());
        }
        if enterprise_attestation.is_some() {
            return Err(Status::INVALID_PARAMETER.into());
        }
        check_rp_id(&request.rp.id)?;
        if request.exclude.len() > defaults::MAX_CREDENTIAL_LIST {
            return Err(Status::LIMIT_EXCEEDED.into());
        }
        if request.rp.id == selection::DUMMY {
            let (question, ready) = selection::ask(selection::Kind::Dummy);
            return Ok(Step::Ask(question, super::Ready::Selection(ready)));
        }
        let wanted = self.wanted(&extensions, discoverable)?;
        let format = Format::preferred(&attestation_formats);
        let terms = Terms {
            permission: Permissions::MAKE_CREDENTIAL,
            rp_id: &request.rp.id,
            client_data_hash: &request.client_data_hash,
        };
        let verified = self.verify(method, terms, context)?;
        let asked = Asked { request, algorithm, format, wanted };
        Ok(match verified {
            Some(verified) => self.ask_to_make(asked, verified),
            None => {
                let rp = crate::consent::readable_rp_id(&asked.request.rp.id);
                let why = format!("make a passkey for {rp}");
                Step::Verify(why, super::Unverified::MakeCredential(Box::new(asked)))
            }
        })
    }

    /// Step 11.2, once the verification is over.
    pub(super) fn verified_to_make(
        &mut self,
        asked: Asked,
        verified: Verified,
        context: &mut Context<'_>,
    ) -> Result<Step, Failure> {
        self.built_in_verified(verified, context.rng)?;
        Ok(self.ask_to_make(asked, true))
    }

    /// Steps 12 and 13: what the exclude list hides, and the question.
    fn ask_to_make(&self, asked: Asked, verified: bool) -> Step {
        let Request { rp, user, exclude, options, .. } = &asked.request;
        let of_rp = || self.vault.passkeys().filter(|passkey| passkey.rp.id == rp.id);
        // One that is to be hidden from the unverified is no reason to refuse.
        let excluded = of_rp().any(|passkey| {
            let visible = verified || passkey.protection != Protection::Required;
            visible && exclude.iter().any(|one| one.id == passkey.id.as_bytes())
        });
        let mut warnings = warnings(&rp.id, Hint::MakeCredential, Hint::MakeCredential);
        let replaced = |passkey: &Passkey| passkey.discoverable && passkey.user.id == user.id;
        if !excluded && options.rk == Some(true) && of_rp().any(replaced) {
            warnings.push(Warning::Replaces);
        }
        let account = Account::of(user);
        let what = if excluded { What::AlreadyRegistered(account) } else { What::Register(account) };
        let (question, ticket) = Question::new(what, rp.id.clone(), warnings);
        let ready = Ready { asked, verified, excluded, ticket };
        Step::Ask(question, super::Ready::MakeCredential(Box::new(ready)))
    }

    fn wanted(&self, extensions: &Extensions<'_>, discoverable: bool) -> Result<Wanted, Status> {
        let protection = extensions
            .cred_protect
            .map(|level| Protection::from_level(level).ok_or(Status::INVALID_PARAMETER))
            .transpose()?;
        if extensions.large_blob_key && !discoverable {
            return Err(Status::INVALID_OPTION);
        }
        let salts = extensions.hmac_secret_mc.as_ref().filter(|_| extensions.hmac_secret);
        Ok(Wanted {
            protection,
            blob: extensions.cred_blob.map(<[u8]>::to_vec),
            hmac_secret: extensions.hmac_secret,
            salts: salts.map(|input| Salts::read(input, &self.pin_uv)).transpose()?,
            large_blob_key: extensions.large_blob_key,
            min_pin_length: extensions.min_pin_length,
        })
    }

    /// Steps 13 to 17, after the person's yes.
    pub(super) fn make(
        &mut self,
        ready: Ready,
        approval: Approval,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        let Ready { asked, verified, excluded, ticket } = ready;
        if approval.redeem(&ticket).is_none() {
            return Ok(Reply::failed(Status::OPERATION_DENIED, Error::Declined));
        }
        if excluded {
            return Ok(Reply::failed(Status::CREDENTIAL_EXCLUDED, Error::AlreadyRegistered));
        }
        self.after_use();
        let body = self.create(asked, verified, context)?;
        Ok(Reply::served(&body, Served::Registered))
    }

    fn create(
        &mut self,
        asked: Asked,
        verified: bool,
        context: &mut Context<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let Asked { request, algorithm, format, mut wanted } = asked;
        let (policy, now) = (self.vault.state().policy, context.now.epoch);
        let mut passkey = new_passkey(&request, algorithm, policy, context.rng, now)?;
        passkey.protection = wanted.protection.unwrap_or(passkey.protection);
        let fits = |blob: &Vec<u8>| passkey.discoverable && blob.len() <= defaults::MAX_CRED_BLOB;
        let asked_for_blob = wanted.blob.is_some();
        passkey.blob = wanted.blob.take().filter(fits);
        if wanted.large_blob_key {
            passkey.large_blob_key = Some(LargeBlobKey::random(context.rng)?);
        }
        let outputs = wanted.salts.as_ref().map(|salts| salts.outputs(&passkey, verified, context.rng));
        let outputs = outputs.transpose()?;
        let tells_length = wanted.min_pin_length && self.may_know_min_pin_length(&passkey.rp.id);
        let min_pin_length = tells_length.then(|| self.vault.state().min_pin_length);

        let user = Flags::UP | if verified { Flags::UV } else { 0 };
        let data = authenticator_data(&passkey, user).with_extensions(|map| {
            if asked_for_blob {
                map.text_entry("credBlob", |w| w.bool(passkey.blob.is_some()));
            }
            if wanted.protection.is_some() {
                map.text_entry("credProtect", |w| w.unsigned(passkey.protection.level()));
            }
            if wanted.hmac_secret {
                map.text_entry("hmac-secret", |w| w.bool(true));
            }
            if let Some(outputs) = &outputs {
                map.text_entry("hmac-secret-mc", |w| w.bytes(outputs));
            }
            if let Some(length) = min_pin_length {
                map.text_entry("minPinLength", |w| w.unsigned(length.into()));
            }
        });
        let statement = match format {
            Format::None => None,
            Format::PackedSelf => {
                let signed = [data.as_bytes(), request.client_data_hash.as_slice()].concat();
                // A key that was just drawn signs.
                Some(passkey.key.sign(&signed).ok_or(Status::OTHER)?)
            }
        };
        let body = Writer::map_of(|map| {
            map.entry(1, |w| w.text(format.name()));
            map.entry(2, |w| w.bytes(data.as_bytes()));
            map.entry(3, |w| w.map(|map| write_statement(statement.as_deref(), algorithm, map)));
            if let Some(key) = &passkey.large_blob_key {
                map.entry(5, |w| w.bytes(key.expose()));
            }
        });
        // On the disk before the platform hears of it.
        let most = self.most_passkeys;
        self.vault.change(context.rng, |contents| {
            contents.replace(passkey);
            let full = contents.passkeys().count() > most;
            if full { Err(vault::Error::DiskFull) } else { Ok(()) }
        })?;
        Ok(body)
    }

    fn may_know_min_pin_length(&self, rp_id: &str) -> bool {
        self.vault.state().min_pin_rp_ids.iter().any(|one| one == rp_id)
    }
}

/// The statement of packed self attestation, or of none.
fn write_statement(signature: Option<&[u8]>, algorithm: Algorithm, map: &mut Entries) {
    if let Some(signature) = signature {
        map.text_entry("alg", |w| w.int(algorithm.cose()));
        map.text_entry("sig", |w| w.bytes(signature));
    }
}

impl Format {
    /// The first of the wanted formats that there is here.
    fn preferred(wanted: &[&str]) -> Self {
        let of = |name: &&str| [Format::PackedSelf, Format::None].into_iter().find(|one| one.name() == *name);
        wanted.iter().find_map(of).unwrap_or(Format::PackedSelf)
    }

    fn name(self) -> &'static str {
        match self {
            Format::PackedSelf => "packed",
            Format::None => "none",
        }
    }
}
