//! One computer, one phone, one relay, one air.

use cablecar::error::Error as ComputerError;
use cablecar::transaction::Ask;
use cablecar::webauthn::{Create, Get, Origin};
use cablecar_phone::error::Error as PhoneError;
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::transaction::{Outcome, Phone};
use cablecar_phone::vault::{Kdf, Vault};
use cablecar_protocol::qr::QrInvitation;
use cablecar_protocol::tunnel::TunnelServiceDomain;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};

use crate::air::Air;
use crate::meddler::{self, Meddler, Relay};
use crate::people::{Dark, Glass, Knows, PASSPHRASE, Person};

/// The moment at which the world begins, in seconds since 1970.
pub const BEGINNING: u64 = 1_795_000_000;

/// A tunnel service domain for every advert in the world.
pub const DOMAIN: u16 = 266;

/// The page that everybody visits.
pub const ORIGIN: &str = "https://login.example.com";

/// One computer, one phone, one relay, one air.
#[derive(Debug)]
pub struct World {
    /// Where the computer listens.
    pub air: Air,
    /// Where the phone speaks; the same place unless a test moves it.
    pub phone_air: Air,
    /// What carries the messages.
    pub relay: Relay,
    /// Who holds the phone.
    pub person: Person,
    /// What the phone holds.
    pub vault: Vault,
    /// What the computer shows.
    pub glass: Glass,
    seed: u64,
}

/// How one request went, on both sides.
#[derive(Debug)]
pub struct Story {
    /// What the page got, as JSON, or why it got nothing.
    pub computer: Result<Value, ComputerError>,
    /// What the phone did, or why it stopped.
    pub phone: Result<Outcome, PhoneError>,
}

impl Story {
    /// The stable id of the computer's error.
    pub fn computer_error(&self) -> &'static str {
        self.computer.as_ref().expect_err("the computer should have failed").advice().1
    }

    /// The stable id of the phone's error, be it of the whole or of the last
    /// request.
    pub fn phone_error(self) -> &'static str {
        let error = self.phone.and_then(Outcome::verdict).expect_err("the phone should have failed");
        error.advice().1
    }
}

impl Default for World {
    fn default() -> Self {
        Self::with(meddler::honest())
    }
}

impl World {
    /// A world with somebody in the relay.
    pub fn with(meddler: impl Meddler + 'static) -> Self {
        let air = Air::default();
        let vault = Vault::in_memory();
        let passphrase = Passphrase::new(PASSPHRASE.to_vec()).unwrap();
        vault.create(&passphrase, Kdf::DANGER_WEAK, &mut ChaCha20Rng::seed_from_u64(0)).unwrap();
        Self {
            phone_air: air.clone(),
            air,
            relay: Relay::with(meddler),
            person: Person::agreeable(),
            vault,
            glass: Glass::default(),
            seed: 1,
        }
    }

    /// Replaces whoever sits in the relay, and forgets what it carried.
    pub fn meddle(&mut self, meddler: impl Meddler + 'static) {
        self.relay = Relay::with(meddler);
    }

    /// How many passkeys the phone holds.
    pub fn passkeys(&self) -> usize {
        let passphrase = Passphrase::new(PASSPHRASE.to_vec()).unwrap();
        self.vault.unlock(&passphrase).unwrap().passkeys().count()
    }

    /// Registers an account at the page.
    pub async fn register(&mut self, name: &str) -> Story {
        let create = Create::from_json(creation(name).to_string().as_bytes(), &origin()).unwrap();
        let (answer, phone) = self.play(&create.ask()).await;
        let computer = answer.and_then(|answer| create.finish(&answer));
        Story { computer: computer.map(|r| serde_json::to_value(r).unwrap()), phone }
    }

    /// Signs in to the page, whoever has a passkey.
    pub async fn sign_in(&mut self) -> Story {
        self.get(&request(&[])).await
    }

    /// Signs in with these options.
    pub async fn get(&mut self, options: &Value) -> Story {
        let get = Get::from_json(options.to_string().as_bytes(), &origin()).unwrap();
        let (answer, phone) = self.play(&get.ask()).await;
        let computer = answer.and_then(|answer| get.finish(&answer));
        Story { computer: computer.map(|r| serde_json::to_value(r).unwrap()), phone }
    }

    /// Puts any request to the phone, and plays both sides to their ends.
    pub async fn play(&mut self, ask: &Ask) -> (Result<Vec<u8>, ComputerError>, Result<Outcome, PhoneError>) {
        self.glass = Glass::default();
        let (computer, phone) = (self.computer(ask), self.phone());
        tokio::join!(computer, phone)
    }

    /// The computer's side alone.
    pub fn computer(&mut self, ask: &Ask) -> impl Future<Output = Result<Vec<u8>, ComputerError>> + use<> {
        let (mut ear, dialer, mut glass) = (self.air.ear(), self.relay.for_computers(), self.glass.clone());
        let mut rng = self.rng();
        let ask = Ask { request: ask.request.clone(), ..*ask };
        async move {
            cablecar::transaction::run(&ask, &mut ear, &dialer, &mut glass, &|| BEGINNING, &mut rng).await
        }
    }

    /// The phone's side alone: scans whatever the computer shows first.
    pub fn phone(&mut self) -> impl Future<Output = Result<Outcome, PhoneError>> + use<> {
        let mut phone = Phone {
            dialer: self.relay.for_phones(),
            advertiser: self.phone_air.voice(),
            consent: self.person.clone(),
            passphrases: Knows,
            screen: Dark,
            vault: self.vault.clone(),
        };
        let glass = self.glass.clone();
        let mut rng = self.rng();
        async move {
            let invitation = QrInvitation::parse(&glass.code().await).unwrap();
            let domain = TunnelServiceDomain::new(DOMAIN).unwrap();
            phone.run(invitation, domain, &mut rng, BEGINNING).await
        }
    }

    /// The next generator: the same in every run of a test.
    pub fn rng(&mut self) -> ChaCha20Rng {
        self.seed += 1;
        ChaCha20Rng::seed_from_u64(self.seed)
    }
}

/// The origin of the page.
pub fn origin() -> Origin {
    Origin::parse(ORIGIN).unwrap()
}

/// Options to register this account.
pub fn creation(name: &str) -> Value {
    json!({
        "rp": {"id": "example.com", "name": "Example"},
        "user": {"id": base64(name.as_bytes()), "name": name, "displayName": name},
        "challenge": base64(b"a challenge of the page's"),
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
    })
}

/// Options to sign in with one of these credentials, given as base64url, or
/// with any.
pub fn request(allow: &[&str]) -> Value {
    let allow: Vec<_> = allow.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
    json!({
        "challenge": base64(b"another challenge"),
        "rpId": "example.com",
        "userVerification": "required",
        "allowCredentials": allow,
    })
}

/// base64url without padding.
pub fn base64(bytes: &[u8]) -> String {
    use base64ct::Encoding;
    base64ct::Base64UrlUnpadded::encode_string(bytes)
}
