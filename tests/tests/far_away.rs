//! A code that travels without its phone being near (T1): the attacker shows
//! a victim his own code from far away, and never hears the advert.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is a verdict")]

use std::time::Duration;

use cablecar_tests::World;
use cablecar_tests::air::Air;
use tokio::time::Instant;

/// Two airs: what the phone says is not heard at the computer.
fn far_apart() -> World {
    let mut world = World::default();
    world.phone_air = Air::default();
    world
}

#[tokio::test(start_paused = true)]
async fn t1_without_the_advert_no_byte_of_a_handshake_is_sent() {
    let mut world = far_apart();
    let began = Instant::now();
    let story = world.register("alice").await;
    assert_eq!(story.computer_error(), "phone.nobody-came");
    assert_eq!(world.relay.joined(), 0);
    assert!(world.relay.carried().is_empty());
    assert_eq!(world.passkeys(), 0);
    // The phone did advertise, into the other air, and nobody was asked.
    assert!(!world.phone_air.recorded().is_empty());
    assert!(world.person.asked().is_empty());
    assert!(began.elapsed() >= Duration::from_secs(600));
}

#[tokio::test(start_paused = true)]
async fn t1_the_phone_says_within_a_minute_that_nobody_near_confirmed() {
    let mut world = far_apart();
    let computer = {
        let create = cablecar::webauthn::Create::from_json(
            cablecar_tests::world::creation("alice").to_string().as_bytes(),
            &cablecar_tests::world::origin(),
        )
        .unwrap();
        world.computer(&create.ask())
    };
    let phone = world.phone();
    let began = Instant::now();
    let outcome = tokio::select! {
        outcome = phone => outcome,
        _ = computer => panic!("the computer gives up later than the phone"),
    };
    let error = outcome.expect_err("nobody came");
    assert_eq!(error.advice().1, "proximity.not-confirmed");
    assert!(began.elapsed() <= Duration::from_secs(61), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_code_is_renewed_while_nobody_comes() {
    let mut world = far_apart();
    let story = world.register("alice").await;
    assert_eq!(story.computer_error(), "phone.nobody-came");
    let codes = world.glass.seen().codes;
    // Ten minutes, five a code, and none twice.
    assert_eq!(codes.len(), 2);
    assert_ne!(codes[0], codes[1]);
}
