//! Sign-in.

use std::time::Duration;

use cablecar_protocol::ctap::get_assertion::{Request, Response};
use cablecar_protocol::ctap::{Flags, Options};
use cablecar_protocol::qr::Hint;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bytes::Bytes;
use super::{
    Descriptor, ExtensionResults, Page, PrfOptions, UserVerification, body, check_authenticator_data,
    descriptors, life, milliseconds, or_default,
};
use crate::error::{Error, Mismatch};
use crate::transaction::Ask;

/// `PublicKeyCredentialRequestOptionsJSON`. Members that do not concern this
/// transport are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestOptions {
    challenge: Bytes,
    #[serde(default, deserialize_with = "milliseconds")]
    timeout: Option<Duration>,
    rp_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    allow_credentials: Vec<Descriptor>,
    #[serde(default, deserialize_with = "or_default")]
    user_verification: UserVerification,
    #[serde(default, deserialize_with = "or_default")]
    extensions: Extensions,
}

#[derive(Debug, Default, Deserialize)]
struct Extensions {
    prf: Option<PrfOptions>,
}

/// A sign-in under way: what was asked, and what the answer must fit.
#[derive(Debug)]
pub struct Get {
    request: Request,
    client_data: Vec<u8>,
    verification: UserVerification,
    timeout: Option<Duration>,
}

impl Get {
    /// Reads the options of a page. The origin of one that is in no frame
    /// says enough of it.
    ///
    /// # Errors
    /// [`Error::Options`], or [`Error::RpId`].
    pub fn from_json(json: &[u8], page: impl Into<Page>) -> Result<Self, Error> {
        let page = page.into();
        let options: RequestOptions =
            serde_json::from_slice(json).map_err(|cause| Error::Options(cause.to_string()))?;
        let has_allow_list = !options.allow_credentials.is_empty();
        let allow = descriptors(options.allow_credentials);
        if has_allow_list && allow.is_empty() {
            return Err(Error::Options("allowCredentials names no type that is known".into()));
        }
        let prf = options.extensions.prf.as_ref().map(|prf| prf.to_ctap(&allow)).transpose()?;
        let client_data = page.client_data("webauthn.get", &options.challenge)?;
        Ok(Self {
            request: Request {
                rp_id: page.origin().rp_id(options.rp_id.as_deref())?,
                client_data_hash: Sha256::digest(&client_data).into(),
                allow,
                has_allow_list,
                prf,
                options: Options {
                    rk: None,
                    up: None,
                    uv: (options.user_verification != UserVerification::Discouraged).then_some(true),
                },
                pin_uv_auth: false,
            },
            client_data,
            verification: options.user_verification,
            timeout: options.timeout,
        })
    }

    /// What to put to the phone.
    pub fn ask(&self) -> Ask {
        Ask {
            request: self.request.to_bytes(),
            hint: Hint::GetAssertion,
            life: life(self.timeout),
            needs_uv: self.verification == UserVerification::Required,
            needs_rk: false,
        }
    }

    /// Checks the phone's answer against what was asked, and makes the
    /// response that the page may have.
    ///
    /// # Errors
    /// What the phone refused with, or [`Error::Answer`].
    pub fn finish(self, answer: &[u8]) -> Result<AuthenticationResponse, Error> {
        let response = Response::parse(body(answer)?).map_err(|_| Mismatch::Unreadable)?;
        let data = &response.authenticator_data;
        check_authenticator_data(data, &self.request.rp_id, self.verification)?;
        if data.flags.has(Flags::AT) {
            return Err(Mismatch::Attested.into());
        }
        if response.number_of_credentials.is_some_and(|number| number > 1) {
            return Err(Mismatch::Several.into());
        }
        if response.signature.is_empty() {
            return Err(Mismatch::Signature.into());
        }
        let allow = &self.request.allow;
        let id = match (response.credential, allow.as_slice()) {
            (Some(credential), []) => {
                // Nobody said which account, so the answer has to.
                response.user.as_ref().ok_or(Mismatch::User)?;
                credential.id
            }
            (Some(credential), allow) if allow.iter().any(|one| one.id == credential.id) => credential.id,
            (None, [only]) => only.id.clone(),
            _ => return Err(Mismatch::Credential.into()),
        };
        let (user_handle, account) =
            response.user.map_or((None, None), |user| (Some(Bytes(user.id)), user.name));
        Ok(AuthenticationResponse {
            id: Bytes(id.clone()),
            raw_id: Bytes(id),
            kind: "public-key",
            authenticator_attachment: "cross-platform",
            response: AssertionResponse {
                client_data_json: Bytes(self.client_data),
                authenticator_data: Bytes(response.authenticator_data.as_bytes().to_vec()),
                signature: Bytes(response.signature),
                user_handle,
            },
            account,
            client_extension_results: ExtensionResults {
                cred_props: None,
                prf: self.request.prf.and(response.prf).map(Into::into),
            },
        })
    }
}

/// `AuthenticationResponseJSON`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationResponse {
    id: Bytes,
    raw_id: Bytes,
    #[serde(rename = "type")]
    kind: &'static str,
    authenticator_attachment: &'static str,
    response: AssertionResponse,
    client_extension_results: ExtensionResults,
    #[serde(skip)]
    account: Option<String>,
}

impl AuthenticationResponse {
    /// The account's name, if the phone said one. For the person, not for the
    /// site: it is no part of the response.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data_json: Bytes,
    authenticator_data: Bytes,
    signature: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_handle: Option<Bytes>,
}
