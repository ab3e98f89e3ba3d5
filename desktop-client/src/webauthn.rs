//! WebAuthn on this side of the tunnel: options in JSON (Level 3) in, a CTAP
//! request out; a CTAP answer in, checked, a response in JSON out.
//!
//! | in | out |
//! |---|---|
//! | `PublicKeyCredentialCreationOptionsJSON` | `RegistrationResponseJSON` |
//! | `PublicKeyCredentialRequestOptionsJSON` | `AuthenticationResponseJSON` |
//!
//! [`Create`] and [`Get`] hold what an answer must fit, so that no answer can
//! leave unchecked: only they make a response.

mod bytes;
mod create;
mod get;
pub mod origin;
mod page;

pub(crate) use create::es256_key;
pub use create::{Create, RegistrationResponse};
pub use get::{AuthenticationResponse, Get};
pub use origin::Origin;
pub use page::Page;

use std::time::Duration;

use cablecar_protocol::ctap::{
    AuthenticatorData, CredentialDescriptor, Flags, PrfInputs, PrfOutputs, PrfValues, Response, Status,
};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::defaults;
use crate::error::{Error, Mismatch};
use bytes::Bytes;

/// How a phone is reached, in every response of ours.
const TRANSPORTS: [&str; 2] = ["hybrid", "internal"];

/// `UserVerificationRequirement`; unknown values mean the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum UserVerification {
    Required,
    Discouraged,
    #[default]
    #[serde(other)]
    Preferred,
}

/// `PublicKeyCredentialDescriptorJSON`.
#[derive(Debug, Deserialize)]
struct Descriptor {
    #[serde(rename = "type")]
    kind: String,
    id: Bytes,
    #[serde(default, deserialize_with = "or_default")]
    transports: Vec<String>,
}

/// The descriptors whose type is known, as CTAP wants them.
fn descriptors(list: Vec<Descriptor>) -> Vec<CredentialDescriptor> {
    list.into_iter()
        .filter(|one| one.kind == "public-key")
        .map(|one| CredentialDescriptor { id: one.id.0, transports: one.transports })
        .collect()
}

/// `AuthenticationExtensionsPRFInputs`, in JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrfOptions {
    eval: Option<PrfSalts>,
    eval_by_credential: Option<std::collections::BTreeMap<Bytes, PrfSalts>>,
}

#[derive(Debug, Deserialize)]
struct PrfSalts {
    first: Bytes,
    second: Option<Bytes>,
}

impl PrfOptions {
    /// Inputs as CTAP wants them: hashed here, so that a page cannot ask for
    /// values that belong to another use of the same secret. Inputs by
    /// credential are for the credentials of the allow list alone.
    fn to_ctap(&self, allow: &[CredentialDescriptor]) -> Result<PrfInputs, Error> {
        let named = |id: &Bytes| allow.iter().any(|one| one.id == id.0);
        if !self.eval_by_credential.iter().flatten().all(|(id, _)| named(id)) {
            let why = "prf.evalByCredential names a credential that allowCredentials does not";
            return Err(Error::Options(why.into()));
        }
        Ok(self.inputs())
    }

    fn inputs(&self) -> PrfInputs {
        let by_credential = self.eval_by_credential.iter().flatten();
        PrfInputs {
            eval: self.eval.as_ref().map(PrfSalts::to_ctap),
            by_credential: by_credential.map(|(id, salts)| (id.0.clone(), salts.to_ctap())).collect(),
        }
    }
}

impl PrfSalts {
    fn to_ctap(&self) -> PrfValues {
        PrfValues { first: prf_input(&self.first.0), second: self.second.as_ref().map(|s| prf_input(&s.0)) }
    }
}

/// SHA-256("WebAuthn PRF" ‖ 00 ‖ salt)
fn prf_input(salt: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::new().chain_update(b"WebAuthn PRF\0").chain_update(salt).finalize().into())
}

/// `AuthenticationExtensionsPRFOutputs`, in JSON.
#[derive(Debug, Serialize)]
struct PrfResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<PrfResultValues>,
}

#[derive(Debug, Serialize)]
struct PrfResultValues {
    first: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Bytes>,
}

impl PrfResult {
    /// What a page learns that asked for it when it registered: always whether
    /// there will be values.
    fn of_registration(outputs: Option<PrfOutputs>) -> Self {
        let mut result = outputs.map_or(Self { enabled: None, results: None }, Self::from);
        let is_there = result.results.is_some();
        result.enabled.get_or_insert(is_there);
        result
    }
}

impl From<PrfOutputs> for PrfResult {
    fn from(outputs: PrfOutputs) -> Self {
        let results = outputs.results.map(|values| PrfResultValues {
            first: Bytes(values.first.to_vec()),
            second: values.second.map(|second| Bytes(second.to_vec())),
        });
        Self { enabled: outputs.enabled, results }
    }
}

/// `AuthenticationExtensionsClientOutputsJSON`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtensionResults {
    #[serde(skip_serializing_if = "Option::is_none")]
    cred_props: Option<CredProps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prf: Option<PrfResult>,
}

#[derive(Debug, Serialize)]
struct CredProps {
    rk: bool,
}

/// How long a request lasts: as the page says, or as we do.
fn life(timeout: Option<Duration>) -> Duration {
    timeout.unwrap_or(defaults::REQUEST_LIFE)
}

/// A page's timeout in milliseconds. None and zero mean ours.
fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    let time = Duration::try_from_secs_f64(number / 1e3).ok().filter(|time| *time <= defaults::LONGEST_LIFE);
    let time = time.ok_or_else(|| serde::de::Error::custom("timeout is no time that anybody waits"))?;
    Ok(Some(time).filter(|time| !time.is_zero()))
}

/// A member that is absent or null: some sites write null for nothing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The body of an answer, or what the phone's refusal means.
///
/// # Errors
/// What the phone refused with, or [`Error::Answer`] if there is no answer.
pub fn body(answer: &[u8]) -> Result<&[u8], Error> {
    let response = Response::split(answer).map_err(|_| Mismatch::Unreadable)?;
    match response.status {
        Status::OK => Ok(response.body),
        refusal => Err(refused(refusal)),
    }
}

/// What it means that the phone answers with this.
pub(crate) fn refused(status: Status) -> Error {
    match status {
        Status::OPERATION_DENIED | Status::KEEPALIVE_CANCEL => Error::Declined,
        Status::NO_CREDENTIALS => Error::NoPasskey,
        Status::CREDENTIAL_EXCLUDED => Error::AlreadyRegistered,
        Status::UNSUPPORTED_ALGORITHM => Error::Algorithm,
        Status::USER_ACTION_TIMEOUT => Error::PhoneSilent("waiting for the answer"),
        other => Error::Status(other),
    }
}

/// What registration and sign-in check alike.
fn check_authenticator_data(
    data: &AuthenticatorData,
    rp_id: &str,
    verification: UserVerification,
) -> Result<(), Mismatch> {
    if data.rp_id_hash.as_slice() != Sha256::digest(rp_id).as_slice() {
        return Err(Mismatch::RpIdHash);
    }
    if !data.flags.has(Flags::UP) {
        return Err(Mismatch::UserPresence);
    }
    if verification == UserVerification::Required && !data.flags.has(Flags::UV) {
        return Err(Mismatch::UserVerification);
    }
    if data.flags.has(Flags::BS) && !data.flags.has(Flags::BE) {
        return Err(Mismatch::Flags);
    }
    // None of the extensions that we ask for signs its output.
    if data.extensions().is_some() {
        return Err(Mismatch::Extension);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
