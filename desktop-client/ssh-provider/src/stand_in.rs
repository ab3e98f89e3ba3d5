//! A phone for tests: passkeys in memory, requests read and answered as a
//! phone does, and whatever a test wants to be wrong with it.

use cablecar::doors::Phone;
use cablecar::error::Error;
use cablecar::screen::{Notice, Screen};
use cablecar::transaction::Ask;
use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::{
    AttestedCredential, AuthenticatorData, Command, CredentialDescriptor, Flags, GetInfo, Status, User,
    get_assertion, make_credential,
};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rand_core::OsRng;

use crate::answer::sha256;

/// Shows nothing.
#[derive(Debug)]
pub(crate) struct Blind;

impl Screen for Blind {
    fn notice(&mut self, _: &Notice<'_>) {}
}

#[derive(Debug, Clone)]
pub(crate) struct Passkey {
    pub(crate) rp_id: String,
    pub(crate) id: Vec<u8>,
    pub(crate) user: User,
    pub(crate) key: SigningKey,
    pub(crate) resident: bool,
}

/// The phone. What is public may be set by a test.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) passkeys: Vec<Passkey>,
    pub(crate) flags: u8,
    pub(crate) refuses: Option<Status>,
    pub(crate) says_extension: bool,
    /// Signs with another key than that of the passkey.
    pub(crate) confuses_keys: bool,
    pub(crate) asked: Vec<Vec<u8>>,
}

impl StandIn {
    pub(crate) fn new() -> Self {
        Self {
            passkeys: Vec::new(),
            flags: Flags::UP | Flags::UV | Flags::BE,
            refuses: None,
            says_extension: false,
            confuses_keys: false,
            asked: Vec::new(),
        }
    }

    pub(crate) fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        self.asked.push(request.to_vec());
        if let Some(status) = self.refuses {
            return status.with(&[]);
        }
        match Command::split(request).unwrap() {
            (Command::MakeCredential, parameters) => self.make(parameters),
            (Command::GetAssertion, parameters) => self.get(parameters),
            other => panic!("{other:?}"),
        }
    }

    fn make(&mut self, parameters: &[u8]) -> Vec<u8> {
        let request = make_credential::Request::parse(parameters).unwrap();
        let key = SigningKey::random(&mut OsRng);
        let id = vec![u8::try_from(self.passkeys.len()).unwrap() + 1; 16];
        let attested = AttestedCredential { aaguid: [0; 16], id: id.clone(), public_key: cose(&key) };
        let data = AuthenticatorData::new(sha256(request.rp.id.as_bytes()), self.flags, 0, Some(attested));
        let resident = request.options.rk == Some(true);
        self.passkeys.push(Passkey { rp_id: request.rp.id, id, user: request.user, key, resident });
        let none = Writer::map_of(|_| {});
        let response = make_credential::Response {
            format: "none".into(),
            authenticator_data: data,
            statement: none,
            prf: None,
        };
        Status::OK.with(&response.to_bytes())
    }

    fn get(&mut self, parameters: &[u8]) -> Vec<u8> {
        let request = get_assertion::Request::parse(parameters).unwrap();
        let by_id = request.has_allow_list;
        let fits = |one: &&Passkey| {
            let listed = request.allow.iter().any(|wanted| wanted.id == one.id);
            one.rp_id == request.rp_id && if by_id { listed } else { one.resident }
        };
        let Some(passkey) = self.passkeys.iter().rev().find(fits) else {
            return Status::NO_CREDENTIALS.with(&[]);
        };
        let mut data = AuthenticatorData::new(sha256(request.rp_id.as_bytes()), self.flags, 7, None);
        if self.says_extension {
            data = data.with_extensions(|map| {
                map.text_entry("credProtect", |w| w.unsigned(3));
            });
        }
        let other = SigningKey::random(&mut OsRng);
        let key = if self.confuses_keys { &other } else { &passkey.key };
        let signature: Signature = key.sign(&[data.as_bytes(), &request.client_data_hash].concat());
        let User { id, name, display_name } = passkey.user.clone();
        let names = if by_id { (None, None) } else { (name, display_name) };
        let response = get_assertion::Response {
            credential: Some(CredentialDescriptor::new(passkey.id.clone())),
            authenticator_data: data,
            signature: signature.to_der().as_bytes().to_vec(),
            user: passkey.resident.then_some(User { id, name: names.0, display_name: names.1 }),
            number_of_credentials: None,
            user_selected: None,
            prf: None,
        };
        Status::OK.with(&response.to_bytes())
    }
}

impl Phone for StandIn {
    async fn ask(&mut self, ask: &Ask, _: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        Ok(self.answer(&ask.request))
    }

    fn get_info(&self) -> Option<&GetInfo> {
        None
    }

    async fn part(&mut self) {}
}

/// {1: 2, 3: −7, −1: 1, −2: x, −3: y}
pub(crate) fn cose(key: &SigningKey) -> Vec<u8> {
    let point = key.verifying_key().to_encoded_point(false);
    Writer::map_of(|map| {
        map.entry(1, |w| w.int(2));
        map.entry(3, |w| w.int(-7));
        map.entry(-1, |w| w.int(1));
        map.entry(-2, |w| w.bytes(point.x().unwrap()));
        map.entry(-3, |w| w.bytes(point.y().unwrap()));
    })
}
