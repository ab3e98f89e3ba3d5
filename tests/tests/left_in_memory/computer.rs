//! The child is the computer, its parent the phone.

use std::path::PathBuf;

use cablecar::error::Error;
use cablecar::proximity::Scanner;
use cablecar::screen::{Notice, Screen};
use cablecar::tunnel::{Dialer, Line};
use cablecar::webauthn::Get;
use cablecar_phone::ctap2::{Next, Session, get_info};
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{Algorithm, Kdf, Passkey, Vault};
use cablecar_protocol::channel::AuthenticatorEvent;
use cablecar_protocol::ctap::{RelyingParty, User};
use cablecar_protocol::danger::{self, Counters, Door};
use cablecar_protocol::eid::{Eid, ServiceData};
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::secrets::Psk;
use cablecar_protocol::tunnel::{Dial, TunnelServiceDomain};
use cablecar_tests::world::{BEGINNING, DOMAIN, origin, request};
use rand_core::OsRng;

use crate::child::{Ear, FOLDER, Part, Recorded, Running, draws, hex, stay, tell};
use crate::phone::psk;
use crate::search::Secrets;

/// The relay, the radio and the screen of the child.
struct Edges(Ear);

impl Scanner for Edges {
    async fn heard(&mut self) -> Result<ServiceData, Error> {
        Ok(ServiceData::new(&self.0.message().await.unwrap()).unwrap())
    }
}

impl Dialer for Edges {
    type Line = Self;

    async fn dial(&self, _: &Dial) -> Result<Self, Error> {
        Ok(Self(self.0.clone()))
    }
}

impl Line for Edges {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), Error> {
        tell("send", &hex(&message));
        Ok(())
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.message().await)
    }

    async fn close(self) {}
}

impl Screen for Edges {
    fn notice(&mut self, notice: &Notice<'_>) {
        if let Notice::Code(invitation) = notice {
            tell("code", &invitation.to_text());
        }
    }
}

#[test]
#[ignore = "the part that the other tests start as a process of its own"]
fn part_of_the_computer() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut rng = Recorded::into(&folder);
    runtime.block_on(Box::pin(async {
        let ear = Ear::open();
        let get = Get::from_json(request(&[]).to_string().as_bytes(), &origin()).unwrap();
        let (mut scanner, dialer, mut screen) = (Edges(ear.clone()), Edges(ear.clone()), Edges(ear));
        let answer = cablecar::transaction::run(
            &get.ask(),
            &mut scanner,
            &dialer,
            &mut screen,
            &|| BEGINNING,
            &mut rng,
        )
        .await;
        get.finish(&answer.unwrap()).unwrap();
    }));
    runtime.shutdown_background();
    cablecar_protocol::secrets::scrub_stack();
    stay();
}

/// Starts a child, plays the phone, and gives the child with all that it
/// should have forgotten.
pub(crate) fn sign_in() -> (Running, Secrets) {
    let folder = tempfile::tempdir().unwrap();
    let rng = &mut OsRng;
    let mut child = Running::start(Part::Computer, folder.path());
    let invitation = QrInvitation::parse(&child.said("code")).unwrap();
    let domain = TunnelServiceDomain::new(DOMAIN).unwrap();
    let eid = Eid::routed(RoutingId::new([1, 2, 3]), domain, rng).unwrap();
    let eid_key = invitation.secret.eid_key();
    let psk = psk(&invitation.secret, eid.as_bytes());
    child.send(eid.seal(&eid_key).as_bytes());
    let door = Door::QrAuthenticator(&invitation.client_key);
    let greeting = child.received();
    let (keys, reply) = danger::respond(door, &Psk::new(&psk), &greeting, rng).unwrap();
    child.send(&reply);
    let hello = Hello::new(get_info());
    let to_computer = keys.authenticator_to_client.expose();
    child.send(&danger::seal_record(to_computer, 0, &hello.to_bytes()).unwrap());
    let mut secrets = Secrets::default();
    secrets.add("QR secret", invitation.secret.expose());
    secrets.add("EID key", eid_key.expose());
    secrets.add("PSK", &psk);
    secrets.add("traffic key to the phone", keys.client_to_authenticator.expose());
    secrets.add("traffic key to the computer", to_computer);

    let counters = Counters { sent: 1, received: 0 };
    let mut channel = danger::authenticator_channel(keys, counters, hello.features(), None);
    child.send(&channel.update(None).unwrap());
    let AuthenticatorEvent::Ctap(request) = channel.receive(&child.received()).unwrap() else {
        panic!("a request")
    };
    let answer = answer(&request);
    child.send(&channel.send(&answer).unwrap());
    assert!(matches!(channel.receive(&child.received()).unwrap(), AuthenticatorEvent::Shutdown));
    child.said("over");
    let long: Vec<_> = draws(folder.path()).into_iter().filter(|draw| draw.len() >= 16).collect();
    for (draw, name) in long.iter().zip(["static scalar", "QR secret as drawn", "ephemeral scalar"]) {
        secrets.add(name, draw);
    }
    assert_eq!((long.len(), secrets.names().len()), (3, 8), "the draws of a computer");
    (child, secrets)
}

/// What a phone with one passkey answers.
fn answer(request: &[u8]) -> Vec<u8> {
    let vault = Vault::in_memory();
    let passphrase = Passphrase::new(b"of no matter".to_vec()).unwrap();
    vault.create(&passphrase, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let mut unlocked = vault.unlock(&passphrase).unwrap();
    let rp = RelyingParty { id: "example.com".into(), name: None };
    let user = User { id: b"1".to_vec(), name: None, display_name: None };
    let passkey = Passkey::random(Algorithm::Es256, rp, user, BEGINNING, &mut OsRng).unwrap();
    unlocked.add(passkey, &mut OsRng).unwrap();
    let Next::Verify(checked) = Session::new(Hint::GetAssertion).take(request) else {
        panic!("a good request")
    };
    let (question, ready) = checked.look_up(unlocked);
    ready.act(question.approve(0), &mut OsRng, BEGINNING).bytes
}
