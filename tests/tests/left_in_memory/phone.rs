//! The child is the phone, its parent the computer.

use std::fs;
use std::path::PathBuf;

use argon2::{Algorithm as Argon2id, Argon2, Params, Version};
use cablecar_phone::consent::{Answer, Consent, Question};
use cablecar_phone::error::Error;
use cablecar_phone::passphrase::{FromSource, Passphrase, Source};
use cablecar_phone::proximity::Advertiser;
use cablecar_phone::transaction::{Dialer, Line, Phone};
use cablecar_phone::vault::{Algorithm, Kdf, Passkey, Vault};
use cablecar_protocol::channel::{ClientEvent, Request};
use cablecar_protocol::ctap::{Options, RelyingParty, Status, User, get_assertion};
use cablecar_protocol::danger::{self, Counters, Door};
use cablecar_protocol::eid::{Advert, ServiceData};
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::{CHANNEL_WEBSOCKET, Hint, QrInvitation};
use cablecar_protocol::secrets::{IdentityKey, Psk, QrSecret};
use cablecar_protocol::tunnel::{Dial, TunnelServiceDomain};
use cablecar_tests::people::Dark;
use cablecar_tests::world::{BEGINNING, DOMAIN};
use hkdf::Hkdf;
use rand_core::{OsRng, RngCore};
use sha2::Sha256;

use crate::child::{Ear, FOLDER, LEAK, Part, Recorded, Running, draws, stay, tell, unhex};
use crate::search::Secrets;

/// The relay, the radio and the person of the child.
struct Edges(Ear);

impl Dialer for Edges {
    type Line = Self;

    async fn open(&mut self, _: &Dial) -> Result<(Self, RoutingId), Error> {
        Ok((Self(self.0.clone()), RoutingId::new([1, 2, 3])))
    }
}

impl Line for Edges {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), Error> {
        tell("send", &crate::child::hex(&message));
        Ok(())
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.message().await)
    }

    async fn close(self) {}
}

impl Advertiser for Edges {
    type Beacon = ();

    async fn advertise(&mut self, advert: Advert) -> Result<(), Error> {
        tell("advert", &crate::child::hex(advert.as_bytes()));
        Ok(())
    }
}

impl Consent for Edges {
    async fn ask(&mut self, question: Question) -> Answer {
        question.approve(0)
    }
}

#[test]
#[ignore = "the part that the other tests start as a process of its own"]
fn part_of_the_phone() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    // As the program does it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut rng = Recorded::into(&folder);
    let source = Source::File(folder.join("passphrase"));
    let served = runtime.block_on(Box::pin(async {
        let ear = Ear::open();
        let mut phone = Phone {
            dialer: Edges(ear.clone()),
            advertiser: Edges(ear.clone()),
            consent: Edges(ear.clone()),
            passphrases: FromSource::new(source),
            screen: Dark,
            vault: Vault::in_file(folder.join("vault"), None),
        };
        let invitation = QrInvitation::parse(&ear.line().await).unwrap();
        let domain = TunnelServiceDomain::new(DOMAIN).unwrap();
        phone.run(invitation, domain, &mut rng, BEGINNING).await.and_then(|outcome| outcome.verdict())
    }));
    served.unwrap();
    runtime.shutdown_background();
    cablecar_protocol::secrets::scrub_stack();
    if std::env::var_os(LEAK).is_some() {
        leak(&folder);
    }
    stay();
}

/// Half of the passphrase, and the ephemeral scalar as big numbers are kept.
#[inline(never)]
fn leak(folder: &std::path::Path) {
    let passphrase = fs::read(folder.join("passphrase")).unwrap();
    let scalar: Vec<u8> = draws(folder)[1].iter().rev().copied().collect();
    for kept in [&passphrase[3..20], &scalar] {
        std::mem::forget(std::hint::black_box(kept.to_vec()));
    }
}

/// Starts a child, plays the computer, and gives the child with all that it
/// should have forgotten.
pub(crate) fn sign_in(part: Part) -> (Running, Secrets) {
    let folder = tempfile::tempdir().unwrap();
    let mut secrets = Secrets::default();
    make_vault(folder.path(), &mut secrets);

    let rng = &mut OsRng;
    let own = IdentityKey::random(rng).unwrap();
    let invitation = QrInvitation {
        client_key: *own.public(),
        secret: QrSecret::random(rng).unwrap(),
        known_domains: TunnelServiceDomain::KNOWN_ASSIGNED,
        made_at: Some(BEGINNING),
        state_assisted: Some(false),
        hint: Hint::GetAssertion,
        channels: vec![CHANNEL_WEBSOCKET],
    };
    let mut child = Running::start(part, folder.path());
    child.say(&invitation.to_text());
    let eid_key = invitation.secret.eid_key();
    let eid = ServiceData::new(&unhex(&child.said("advert"))).unwrap().open(&eid_key).unwrap();
    let psk = psk(&invitation.secret, eid.as_bytes());
    let (initiator, greeting) = danger::initiate(Door::QrClient(&own), &Psk::new(&psk), rng).unwrap();
    child.send(&greeting);
    let keys = initiator.finish(&child.received()).unwrap();
    secrets.add("QR secret", invitation.secret.expose());
    secrets.add("EID key", eid_key.expose());
    secrets.add("PSK", &psk);
    secrets.add("traffic key to the phone", keys.client_to_authenticator.expose());
    secrets.add("traffic key to the computer", keys.authenticator_to_client.expose());

    let hello = danger::open_record(keys.authenticator_to_client.expose(), 0, &child.received()).unwrap();
    let features = Hello::parse(&hello).unwrap().features();
    let mut channel = danger::client_channel(keys, Counters { sent: 0, received: 1 }, features, None);
    assert!(matches!(channel.receive(&child.received()).unwrap(), ClientEvent::Update(_)));
    child.send(&channel.send(Request::Ctap(&request())).unwrap());
    let ClientEvent::Ctap(answer) = channel.receive(&child.received()).unwrap() else { panic!("an answer") };
    assert_eq!(answer[0], Status::OK.byte());
    child.send(&channel.shutdown().unwrap());
    child.said("over");
    let mut drawn = 0;
    for draw in draws(folder.path()).iter().filter(|draw| draw.len() >= 16) {
        secrets.add(&format!("ephemeral scalar or other draw {drawn}"), draw);
        drawn += 1;
    }
    assert!(drawn >= 1 && secrets.names().len() >= 14, "{:?}", secrets.names());
    (child, secrets)
}

/// A vault of three passkeys, and what in it is secret.
fn make_vault(folder: &std::path::Path, secrets: &mut Secrets) {
    let words =
        format!("{:032x} and more", u128::from(OsRng.next_u64()) << 64 | u128::from(OsRng.next_u64()));
    fs::write(folder.join("passphrase"), format!("{words}\n")).unwrap();
    secrets.add("passphrase", words.as_bytes());
    let passphrase = Passphrase::new(words.clone().into_bytes()).unwrap();
    let vault = Vault::in_file(folder.join("vault"), None);
    vault.create(&passphrase, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let mut unlocked = vault.unlock(&passphrase).unwrap();
    for (name, algorithm) in
        [("alice", Algorithm::Es256), ("bob", Algorithm::EdDsa), ("carol", Algorithm::Es256)]
    {
        let passkey = passkey(name, algorithm);
        secrets.add(&format!("key of {name}"), passkey.key.expose());
        secrets.add(&format!("prf secrets of {name}"), passkey.prf.expose());
        unlocked.add(passkey, &mut OsRng).unwrap();
    }
    // The keys of the vault, by its document and not by our code.
    let bytes = fs::read(folder.join("vault")).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let params = Params::new(number(42), number(46), number(50), Some(32)).unwrap();
    let mut root = [0; 32];
    let argon2 = Argon2::new(Argon2id::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(words.as_bytes(), &bytes[54..70], &mut root).unwrap();
    secrets.add("root key of the vault", &root);
    let hkdf = Hkdf::<Sha256>::new(Some(&bytes[18..34]), &root);
    let (mut records, mut closing, mut check) = ([0; 32], [0; 64], [0; 16]);
    hkdf.expand(b"cablecar vault 1 records", &mut records).unwrap();
    hkdf.expand(b"cablecar vault 1 closing", &mut closing).unwrap();
    hkdf.expand(b"cablecar vault 1 key check", &mut check).unwrap();
    assert_eq!(check, bytes[70..86], "these are the vault's keys");
    secrets.add("record key of the vault", &records);
    secrets.add("closing key of the vault", &closing);
}

fn passkey(name: &str, algorithm: Algorithm) -> Passkey {
    let rp = RelyingParty { id: "example.com".into(), name: None };
    let user = User { id: name.into(), name: Some(name.into()), display_name: None };
    Passkey::random(algorithm, rp, user, BEGINNING, &mut OsRng).unwrap()
}

fn request() -> Vec<u8> {
    get_assertion::Request {
        rp_id: "example.com".into(),
        client_data_hash: [7; 32],
        allow: vec![],
        has_allow_list: false,
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    }
    .to_bytes()
}

/// PSK = HKDF-SHA-256(QR secret, salt = EID, info = 3 as u32 little-endian)
pub(crate) fn psk(secret: &QrSecret, eid: &[u8; 16]) -> [u8; 32] {
    let mut psk = [0; 32];
    Hkdf::<Sha256>::new(Some(eid), secret.expose()).expand(&3_u32.to_le_bytes(), &mut psk).unwrap();
    psk
}
