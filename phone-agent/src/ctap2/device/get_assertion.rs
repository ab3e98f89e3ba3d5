//! getAssertion (02) through the local door: CTAP 2.1, 6.2.2, step by step.
//!
//! To platforms this is an authenticator without a display: it names the
//! number of passkeys that fit and gives the newest, then the others one by
//! one ([`get_next_assertion`](super::get_next_assertion)). The person is
//! asked for the request as a whole.

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::get_assertion::{Parameters, Request};
use cablecar_protocol::ctap::{Flags, Status, User};
use cablecar_protocol::qr::Hint;

use super::extensions::Salts;
use super::get_next_assertion::Remembered;
use super::user_verification::{Method, Terms, method};
use super::{Context, Device, Step};
use crate::consent::{Account, Approval, Question, Ticket, What};
use crate::ctap2::failure::Failure;
use crate::ctap2::get_assertion::{authenticator_data, count};
use crate::ctap2::token::Permissions;
use crate::ctap2::{Reply, Served, check_rp_id, warnings};
use crate::defaults;
use crate::error::Error;
use crate::vault::{self, CredentialId, Passkey, Protection, Unlocked};
use crate::verification::Verified;

/// A request that has passed every check that needs nobody.
#[derive(Debug)]
pub struct Asked {
    request: Request,
    /// Whether a person is to be asked. Otherwise the platform only wants to
    /// know whether there is a passkey, and its answer says so.
    present: bool,
    blob: bool,
    large_blob_key: bool,
    salts: Option<Salts>,
}

/// Waits for the answer.
#[derive(Debug)]
pub struct Ready {
    round: Round,
    ticket: Ticket,
}

impl Ready {
    /// Whether any of its passkeys counts its signatures.
    pub(super) fn counts(&self, vault: &Unlocked) -> bool {
        let is_bound = |passkey: &Passkey| !passkey.backup.eligible();
        vault.passkeys().any(|passkey| is_bound(passkey) && self.round.candidates.contains(&passkey.id))
    }
}

/// What is signed, by which passkeys, and what is true of the person.
#[derive(Debug)]
pub(super) struct Round {
    asked: Asked,
    verified: bool,
    /// Newest first; at least one.
    candidates: Vec<CredentialId>,
}

impl Device {
    /// Steps 1 to 6, as far as nobody is needed.
    pub(super) fn get_assertion(
        &mut self,
        parameters: &[u8],
        context: &mut Context<'_>,
    ) -> Result<Step, Failure> {
        let Parameters { request, extensions, pin_uv_auth } = Parameters::parse(parameters)?;
        if let Some(touch) = self.touch(pin_uv_auth.as_ref()) {
            return Ok(touch);
        }
        let options = request.options;
        let mut method = method(pin_uv_auth.as_ref(), options.uv)?;
        self.is_there(method)?;
        if options.rk.is_some() {
            return Err(Status::UNSUPPORTED_OPTION.into());
        }
        let present = options.up != Some(false);
        if present {
            method = self.under_always_uv(method)?;
        }
        check_rp_id(&request.rp_id)?;
        if request.allow.len() > defaults::MAX_CREDENTIAL_LIST {
            return Err(Status::LIMIT_EXCEEDED.into());
        }
        // Its secrets are not given without a person.
        if extensions.hmac_secret.is_some() && !present {
            return Err(Status::UNSUPPORTED_OPTION.into());
        }
        let salts = extensions.hmac_secret.as_ref().map(|input| Salts::read(input, &self.pin_uv));
        let salts = salts.transpose();
        // What is wrong with them costs no try.
        if let (Method::BuiltIn, Err(status)) = (method, &salts) {
            return Err((*status).into());
        }
        let terms = Terms {
            permission: Permissions::GET_ASSERTION,
            rp_id: &request.rp_id,
            client_data_hash: &request.client_data_hash,
        };
        let verified = self.verify(method, terms, context)?;
        let asked = Asked {
            request,
            present,
            blob: extensions.cred_blob,
            large_blob_key: extensions.large_blob_key,
            salts: salts?,
        };
        Ok(match verified {
            Some(verified) => self.ask_to_sign(asked, verified, context)?,
            None => {
                let rp = crate::consent::readable_rp_id(&asked.request.rp_id);
                Step::Verify(format!("sign in to {rp}"), super::Unverified::GetAssertion(Box::new(asked)))
            }
        })
    }

    /// Step 6.2, once the verification is over.
    pub(super) fn verified_to_sign(
        &mut self,
        asked: Asked,
        verified: Verified,
        context: &mut Context<'_>,
    ) -> Result<Step, Failure> {
        self.built_in_verified(verified, context.rng)?;
        self.ask_to_sign(asked, true, context)
    }

    /// Steps 7 to 9: the passkeys that fit, and the question.
    fn ask_to_sign(
        &mut self,
        asked: Asked,
        verified: bool,
        context: &mut Context<'_>,
    ) -> Result<Step, Failure> {
        let mut fitting: Vec<&Passkey> =
            self.vault.passkeys().filter(|passkey| asked.fits(passkey, verified)).collect();
        fitting.reverse();
        if asked.request.has_allow_list {
            // Any of them will do.
            fitting.truncate(1);
        }
        if fitting.is_empty() {
            return Ok(Step::Answer(no_passkey()));
        }
        let accounts = fitting.iter().map(|passkey| Account::of(&passkey.user)).collect();
        let candidates = fitting.iter().map(|passkey| passkey.id.clone()).collect();
        let round = Round { asked, verified, candidates };
        if !round.asked.present {
            let reply = self.sign_first(round, context)?;
            return Ok(Step::Answer(Reply { result: None, ..reply }));
        }
        let rp_id = round.asked.request.rp_id.clone();
        let warnings = warnings(&rp_id, Hint::GetAssertion, Hint::GetAssertion);
        let (question, ticket) = Question::new(What::SignIn(accounts), rp_id, warnings);
        Ok(Step::Ask(question, super::Ready::GetAssertion(Box::new(Ready { round, ticket }))))
    }

    /// Steps 9 to 13, after the person's yes.
    pub(super) fn assert(
        &mut self,
        ready: Ready,
        approval: Approval,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        let Ready { round, ticket } = ready;
        if approval.redeem(&ticket).is_none() {
            return Ok(Reply::failed(Status::OPERATION_DENIED, Error::Declined));
        }
        self.after_use();
        self.sign_first(round, context)
    }

    fn sign_first(&mut self, round: Round, context: &mut Context<'_>) -> Result<Reply, Failure> {
        let reply = self.sign_nth(&round, 0, context)?;
        if round.len() > 1 {
            self.remembered = Some(Remembered::after_first(round, context.now));
        }
        Ok(reply)
    }

    /// One of the passkeys of a round signs.
    pub(super) fn sign_nth(
        &mut self,
        round: &Round,
        nth: usize,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        let id = round.candidates.get(nth);
        let body = id.map_or(Ok(None), |id| self.sign_with(round, id, nth == 0, context))?;
        // It may be gone since it was found.
        Ok(body.map_or_else(no_passkey, |body| Reply::served(&body, Served::SignedIn)))
    }

    fn sign_with(
        &mut self,
        round: &Round,
        id: &CredentialId,
        first: bool,
        context: &mut Context<'_>,
    ) -> Result<Option<Vec<u8>>, vault::Error> {
        let Round { asked, verified, .. } = round;
        if count(&mut self.vault, id, context.rng)?.is_none() {
            return Ok(None);
        }
        let Some(passkey) = self.vault.passkeys().find(|passkey| passkey.id == *id) else { return Ok(None) };
        let outputs = asked.salts.as_ref().map(|salts| salts.outputs(passkey, *verified, context.rng));
        let outputs = outputs.transpose()?;
        let present = if asked.present { Flags::UP } else { 0 };
        let user = present | if *verified { Flags::UV } else { 0 };
        let data = authenticator_data(passkey, user).with_extensions(|map| {
            if asked.blob {
                map.text_entry("credBlob", |w| w.bytes(passkey.blob.as_deref().unwrap_or_default()));
            }
            if let Some(outputs) = &outputs {
                map.text_entry("hmac-secret", |w| w.bytes(outputs));
            }
        });
        let signed = [data.as_bytes(), asked.request.client_data_hash.as_slice()].concat();
        let Some(signature) = passkey.key.sign(&signed) else { return Ok(None) };
        let number = round.len();
        // A platform that shows a choice needs names, and gets them for a
        // verified user; nobody else does.
        let names = *verified && number > 1;
        Ok(Some(Writer::map_of(|map| {
            map.entry(1, |w| write_descriptor(passkey, w));
            map.entry(2, |w| w.bytes(data.as_bytes()));
            map.entry(3, |w| w.bytes(&signature));
            if passkey.discoverable {
                map.entry(4, |w| write_user(&passkey.user, names, w));
            }
            if first && number > 1 {
                map.entry(5, |w| w.unsigned(u64::try_from(number).unwrap_or(u64::MAX)));
            }
            if let Some(key) = passkey.large_blob_key.as_ref().filter(|_| asked.large_blob_key) {
                map.entry(7, |w| w.bytes(key.expose()));
            }
        })))
    }
}

fn no_passkey() -> Reply {
    Reply::failed(Status::NO_CREDENTIALS, Error::NoPasskey)
}

impl Asked {
    /// Step 7: whether a passkey is asked for, and may be known of.
    fn fits(&self, passkey: &Passkey, verified: bool) -> bool {
        let Request { rp_id, allow, has_allow_list, .. } = &self.request;
        let wanted = if *has_allow_list {
            allow.iter().any(|one| one.id == passkey.id.as_bytes())
        } else {
            passkey.discoverable
        };
        let visible = verified
            || match passkey.protection {
                Protection::Optional => true,
                Protection::OptionalWithId => *has_allow_list,
                Protection::Required => false,
            };
        passkey.rp.id == *rp_id && wanted && visible
    }
}

impl Round {
    /// How many passkeys there are in it.
    pub(super) fn len(&self) -> usize {
        self.candidates.len()
    }
}

fn write_descriptor(passkey: &Passkey, writer: &mut Writer) {
    writer.map(|map| {
        map.text_entry("id", |w| w.bytes(passkey.id.as_bytes()));
        map.text_entry("type", |w| w.text("public-key"));
    });
}

fn write_user(user: &User, names: bool, writer: &mut Writer) {
    writer.map(|map| {
        map.text_entry("id", |w| w.bytes(&user.id));
        for (key, name) in [("name", &user.name), ("displayName", &user.display_name)] {
            if let Some(name) = name.as_ref().filter(|_| names) {
                map.text_entry(key, |w| w.text(name));
            }
        }
    });
}
