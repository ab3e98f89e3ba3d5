//! Registration.

use std::time::Duration;

use cablecar_protocol::ctap::make_credential::{Request, Response};
use cablecar_protocol::ctap::{AttestedCredential, ES256, Options, RelyingParty, User};
use cablecar_protocol::qr::Hint;
use p256::pkcs8::EncodePublicKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bytes::Bytes;
use super::{
    CredProps, Descriptor, ExtensionResults, Page, PrfOptions, PrfResult, TRANSPORTS, UserVerification, body,
    check_authenticator_data, descriptors, life, milliseconds, or_default,
};
use crate::error::{Error, Mismatch};
use crate::transaction::Ask;

/// RSASSA-PKCS1-v1_5 with SHA-256: what a page that names no algorithm means
/// beside ES256.
const RS256: i64 = -257;

/// EdDSA, which in a passkey is always Ed25519.
const ED25519: i64 = -8;

/// `PublicKeyCredentialCreationOptionsJSON`. Members that do not concern this
/// transport are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreationOptions {
    rp: Rp,
    user: UserOptions,
    challenge: Bytes,
    pub_key_cred_params: Vec<Parameter>,
    #[serde(default, deserialize_with = "milliseconds")]
    timeout: Option<Duration>,
    #[serde(default, deserialize_with = "or_default")]
    exclude_credentials: Vec<Descriptor>,
    #[serde(default, deserialize_with = "or_default")]
    authenticator_selection: Selection,
    attestation: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    extensions: Extensions,
}

#[derive(Debug, Deserialize)]
struct Rp {
    id: Option<String>,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserOptions {
    id: Bytes,
    name: String,
    display_name: String,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    #[serde(rename = "type")]
    kind: String,
    alg: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selection {
    authenticator_attachment: Option<String>,
    resident_key: Option<ResidentKey>,
    #[serde(default, deserialize_with = "or_default")]
    require_resident_key: bool,
    #[serde(default, deserialize_with = "or_default")]
    user_verification: UserVerification,
}

/// `ResidentKeyRequirement`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ResidentKey {
    Required,
    Preferred,
    Discouraged,
    /// Means the same as none.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    #[serde(default, deserialize_with = "or_default")]
    cred_props: bool,
    prf: Option<PrfOptions>,
}

/// A registration under way: what was asked, and what the answer must fit.
#[derive(Debug)]
pub struct Create {
    request: Request,
    client_data: Vec<u8>,
    verification: UserVerification,
    resident_key: ResidentKey,
    wants_attestation: bool,
    wants_cred_props: bool,
    timeout: Option<Duration>,
}

impl Create {
    /// Reads the options of a page. The origin of one that is in no frame
    /// says enough of it.
    ///
    /// # Errors
    /// [`Error::Options`], [`Error::Unsupported`], or [`Error::RpId`].
    pub fn from_json(json: &[u8], page: impl Into<Page>) -> Result<Self, Error> {
        let page = page.into();
        let options: CreationOptions =
            serde_json::from_slice(json).map_err(|cause| Error::Options(cause.to_string()))?;
        let selection = &options.authenticator_selection;
        if selection.authenticator_attachment.as_deref() == Some("platform") {
            return Err(Error::Unsupported("the site wants a passkey on this computer, not on a phone"));
        }
        if options.user.id.0.is_empty() || options.user.id.0.len() > User::MAX_ID {
            return Err(Error::Options("user.id must have 1 to 64 bytes".into()));
        }
        let named = selection.resident_key.filter(|key| *key != ResidentKey::Unknown);
        let resident_key = named.unwrap_or(if selection.require_resident_key {
            ResidentKey::Required
        } else {
            ResidentKey::Discouraged
        });
        let client_data = page.client_data("webauthn.create", &options.challenge)?;
        // A phone makes discoverable passkeys anyway; only "discouraged" does
        // without saying so, and one that keeps them must verify the person.
        let rk = resident_key != ResidentKey::Discouraged;
        let uv = rk || selection.user_verification != UserVerification::Discouraged;
        Ok(Self {
            request: Request {
                client_data_hash: Sha256::digest(&client_data).into(),
                rp: RelyingParty {
                    id: page.origin().rp_id(options.rp.id.as_deref())?,
                    name: Some(options.rp.name),
                },
                user: User {
                    id: options.user.id.0,
                    name: Some(options.user.name),
                    display_name: Some(options.user.display_name),
                },
                algorithms: algorithms(&options.pub_key_cred_params)?,
                exclude: descriptors(options.exclude_credentials),
                prf: options.extensions.prf.as_ref().map(|prf| prf.to_ctap(&[])).transpose()?,
                options: Options { rk: Some(rk), up: None, uv: uv.then_some(true) },
                pin_uv_auth: false,
            },
            client_data,
            verification: selection.user_verification,
            resident_key,
            wants_attestation: matches!(
                options.attestation.as_deref(),
                Some("direct" | "indirect" | "enterprise")
            ),
            wants_cred_props: options.extensions.cred_props,
            timeout: options.timeout,
        })
    }

    /// What to put to the phone.
    pub fn ask(&self) -> Ask {
        Ask {
            request: self.request.to_bytes(),
            hint: Hint::MakeCredential,
            life: life(self.timeout),
            needs_uv: self.verification == UserVerification::Required,
            needs_rk: self.resident_key == ResidentKey::Required,
        }
    }

    /// Checks the phone's answer against what was asked, and makes the
    /// response that the page may have.
    ///
    /// # Errors
    /// What the phone refused with, or [`Error::Answer`].
    pub fn finish(self, answer: &[u8]) -> Result<RegistrationResponse, Error> {
        let mut response = Response::parse(body(answer)?).map_err(|_| Mismatch::Unreadable)?;
        let data = &response.authenticator_data;
        check_authenticator_data(data, &self.request.rp.id, self.verification)?;
        let credential = data.attested.clone().ok_or(Mismatch::Attested)?;
        if credential.id.is_empty() {
            return Err(Mismatch::Credential.into());
        }
        let algorithm = credential.algorithm().ok_or(Mismatch::Key)?;
        if !self.request.algorithms.contains(&algorithm) {
            return Err(Mismatch::KeyAlgorithm.into());
        }
        let public_key = match algorithm {
            ES256 => Some(Bytes(es256_spki(&credential).ok_or(Mismatch::Key)?)),
            ED25519 => Some(Bytes(ed25519_spki(&credential).ok_or(Mismatch::Key)?)),
            _ => None,
        };
        // A page that wants no attestation gets none, whatever the phone adds.
        if !self.wants_attestation && response.format != "none" {
            response.format = "none".into();
            response.statement = EMPTY_MAP.to_vec();
        }
        let rk = self.request.options.rk == Some(true);
        Ok(RegistrationResponse {
            id: Bytes(credential.id.clone()),
            raw_id: Bytes(credential.id),
            kind: "public-key",
            authenticator_attachment: "cross-platform",
            response: AttestationResponse {
                client_data_json: Bytes(self.client_data),
                attestation_object: Bytes(response.attestation_object()),
                authenticator_data: Bytes(response.authenticator_data.as_bytes().to_vec()),
                transports: TRANSPORTS,
                public_key,
                public_key_algorithm: algorithm,
            },
            account: self.request.user.name.clone(),
            client_extension_results: ExtensionResults {
                cred_props: self.wants_cred_props.then_some(CredProps { rk }),
                // Who asked is told, also by a phone that says nothing of it.
                prf: self.request.prf.map(|_| PrfResult::of_registration(response.prf)),
            },
        })
    }
}

/// The empty map, canonical.
const EMPTY_MAP: &[u8] = &[0xa0];

/// The algorithms of known type; none at all means ES256 and RS256.
fn algorithms(parameters: &[Parameter]) -> Result<Vec<i64>, Error> {
    if parameters.is_empty() {
        return Ok(vec![ES256, RS256]);
    }
    let known: Vec<_> = parameters.iter().filter(|p| p.kind == "public-key").map(|p| p.alg).collect();
    if known.is_empty() {
        return Err(Error::Unsupported("pubKeyCredParams names no type that is known"));
    }
    Ok(known)
}

/// The key as a SubjectPublicKeyInfo, if it is a point on P-256.
fn es256_spki(credential: &AttestedCredential) -> Option<Vec<u8>> {
    Some(es256_key(credential)?.to_public_key_der().ok()?.into_vec())
}

/// The key, if it is a point on P-256.
pub(crate) fn es256_key(credential: &AttestedCredential) -> Option<p256::PublicKey> {
    use cablecar_protocol::cbor;
    let key = cbor::parse(&credential.public_key, cbor::CTAP_DEPTH).ok()?.as_map()?;
    let number = |label| key.get(label).and_then(|item| item.as_int());
    if (number(1), number(-1)) != (Some(2), Some(1)) {
        return None;
    }
    let coordinate = |label| key.get(label).and_then(|item| item.as_array_of::<32>());
    let (x, y) = (coordinate(-2)?, coordinate(-3)?);
    let point = p256::EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
    p256::PublicKey::from_sec1_bytes(point.as_bytes()).ok()
}

/// The same for a key on Ed25519 (RFC 8410): a fixed head, and the 32 bytes.
fn ed25519_spki(credential: &AttestedCredential) -> Option<Vec<u8>> {
    use cablecar_protocol::cbor;
    const HEAD: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let key = cbor::parse(&credential.public_key, cbor::CTAP_DEPTH).ok()?.as_map()?;
    let number = |label| key.get(label).and_then(|item| item.as_int());
    if (number(1), number(-1)) != (Some(1), Some(6)) {
        return None;
    }
    let key = key.get(-2).and_then(|item| item.as_array_of::<32>())?;
    Some([HEAD, key.as_slice()].concat())
}

/// `RegistrationResponseJSON`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    id: Bytes,
    raw_id: Bytes,
    #[serde(rename = "type")]
    kind: &'static str,
    authenticator_attachment: &'static str,
    response: AttestationResponse,
    client_extension_results: ExtensionResults,
    #[serde(skip)]
    account: Option<String>,
}

impl RegistrationResponse {
    /// The account's name, as the site gave it. For the person, not for the
    /// site: it is no part of the response.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data_json: Bytes,
    attestation_object: Bytes,
    authenticator_data: Bytes,
    transports: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Bytes>,
    public_key_algorithm: i64,
}
