//! Several requests in one session, for phones that stay.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use cablecar::transaction::{Ask, meet};
use cablecar::webauthn::{Create, Get};
use cablecar_tests::world::{BEGINNING, World, creation, origin, request};

fn create(name: &str) -> Ask {
    Create::from_json(creation(name).to_string().as_bytes(), &origin()).unwrap().ask()
}

fn get() -> Ask {
    Get::from_json(request(&[]).to_string().as_bytes(), &origin()).unwrap().ask()
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_stays_is_asked_again() {
    let mut world = World::default();
    let (mut ear, dialer, mut glass) = (world.air.ear(), world.relay.for_computers(), world.glass.clone());
    let mut rng = world.rng();
    let computer = async {
        let first = create("alice");
        let mut session = meet(&first, &mut ear, &dialer, &mut glass, &|| BEGINNING, &mut rng).await.unwrap();
        assert!(session.get_info().unwrap().option("rk").unwrap());
        for ask in [first, get(), create("bob")] {
            assert!(session.is_open().await);
            assert_eq!(session.ask(&ask, &mut glass).await.unwrap().first(), Some(&0));
        }
        session.end().await;
        glass.seen()
    };
    let (seen, phone) = tokio::join!(computer, world.phone());
    assert_eq!(seen.codes.len(), 1);
    assert_eq!(phone.unwrap().requests.iter().filter(|request| request.is_ok()).count(), 3);
    assert_eq!(world.passkeys(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_phone_has_left_is_not_open() {
    let mut world = World::default();
    let (mut ear, dialer, mut glass) = (world.air.ear(), world.relay.for_computers(), world.glass.clone());
    let mut rng = world.rng();
    let ask = create("alice");
    let computer = meet(&ask, &mut ear, &dialer, &mut glass, &|| BEGINNING, &mut rng);
    // Its person turns it off as soon as it has said hello.
    let mut session = tokio::select! {
        session = computer => session.unwrap(),
        _ = world.phone() => unreachable!("it waits for a request"),
    };
    assert!(!session.is_open().await);
}
