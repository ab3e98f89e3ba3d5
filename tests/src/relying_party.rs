//! A relying party that is not ours: webauthn-rs-core decides whether what
//! comes out of the computer is worth anything.

use std::time::Duration;

use serde_json::Value;
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AuthenticationResult, AuthenticationState, COSEAlgorithm, Credential, PublicKeyCredential,
    RegisterPublicKeyCredential, RegistrationState, UserVerificationPolicy,
};

/// A website with accounts.
#[derive(Debug)]
pub struct RelyingParty {
    core: WebauthnCore,
}

impl RelyingParty {
    /// The website with this RP ID at this origin.
    pub fn new(rp_id: &str, origin: &str) -> Self {
        let origin = Url::parse(origin).unwrap();
        let life = Duration::from_secs(300);
        let core = WebauthnCore::new_unsafe_experts_only("Example", rp_id, vec![origin], life, None, None);
        Self { core }
    }

    /// Options for a new passkey, and what to remember until it comes.
    pub fn register(&self, user: &str) -> (Value, RegistrationState) {
        self.register_with(user, UserVerificationPolicy::Required, COSEAlgorithm::ES256)
    }

    /// The same for another policy or algorithm.
    pub fn register_with(
        &self,
        user: &str,
        policy: UserVerificationPolicy,
        algorithm: COSEAlgorithm,
    ) -> (Value, RegistrationState) {
        let builder = self.core.new_challenge_register_builder(user.as_bytes(), user, user).unwrap();
        let builder = builder
            .user_verification_policy(policy)
            .require_resident_key(true)
            .credential_algorithms(vec![algorithm]);
        let (challenge, state) = self.core.generate_challenge_register(builder).unwrap();
        (serde_json::to_value(challenge.public_key).unwrap(), state)
    }

    /// The verdict on a new passkey.
    ///
    /// # Errors
    /// Whatever the library finds wrong with it.
    pub fn registered(
        &self,
        response: &Value,
        state: &RegistrationState,
    ) -> Result<Credential, WebauthnError> {
        let response: RegisterPublicKeyCredential =
            serde_json::from_value(response.clone()).map_err(WebauthnError::ParseJSONFailure)?;
        self.core.register_credential(&response, state, None)
    }

    /// Options to sign in with any of these, and what to remember.
    pub fn sign_in(&self, credentials: Vec<Credential>) -> (Value, AuthenticationState) {
        self.sign_in_with(credentials, UserVerificationPolicy::Required)
    }

    /// The same under another policy.
    pub fn sign_in_with(
        &self,
        credentials: Vec<Credential>,
        policy: UserVerificationPolicy,
    ) -> (Value, AuthenticationState) {
        let builder = self.core.new_challenge_authenticate_builder(credentials, Some(policy)).unwrap();
        let (challenge, state) = self.core.generate_challenge_authenticate(builder).unwrap();
        (serde_json::to_value(challenge.public_key).unwrap(), state)
    }

    /// The verdict on a sign-in.
    ///
    /// # Errors
    /// Whatever the library finds wrong with it.
    pub fn signed_in(
        &self,
        response: &Value,
        state: &AuthenticationState,
    ) -> Result<AuthenticationResult, WebauthnError> {
        let response: PublicKeyCredential =
            serde_json::from_value(response.clone()).map_err(WebauthnError::ParseJSONFailure)?;
        self.core.authenticate_credential(&response, state)
    }
}
