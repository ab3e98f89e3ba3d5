//! A relay that lies (T5 to T8): every change, loss, repetition and swap of a
//! message is found out, and nothing that was tampered with reaches the page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a panic is a verdict")]

use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::channel::{AuthenticatorEvent, ClientEvent, Request};
use cablecar_protocol::client_platform::Heard;
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::danger;
use cablecar_protocol::eid::ServiceData;
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::secrets::{IdentityKey, Psk};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use cablecar_tests::World;
use cablecar_tests::liar::good_hello;
use cablecar_tests::meddler::{Meddler, Party, honest};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// The messages of a sign-in, as its relay sees them: who, the how-manieth of
/// that sender, and how long.
const SEVEN: [&str; 7] = ["greeting", "reply", "hello", "update", "request", "answer", "shutdown"];

/// A world in which alice has a passkey, and what a sign-in looks like there.
async fn world_with_passkey() -> (World, Vec<(Party, usize, usize)>) {
    let mut world = World::default();
    world.register("alice").await.computer.unwrap();
    world.meddle(honest());
    world.sign_in().await.computer.unwrap();
    let mut sent = [0, 0];
    let messages: Vec<_> = world
        .relay
        .carried()
        .into_iter()
        .map(|carried| {
            let slot = usize::from(carried.from == Party::Phone);
            sent[slot] += 1;
            (carried.from, sent[slot] - 1, carried.message.len())
        })
        .collect();
    assert_eq!(messages.len(), SEVEN.len());
    (world, messages)
}

/// Does something to one message and leaves the others alone.
fn tamper(
    party: Party,
    nth: usize,
    change: impl Fn(Vec<u8>) -> Vec<Vec<u8>> + Send + 'static,
) -> impl Meddler {
    move |from: Party, n: usize, message: Vec<u8>| {
        let delivered = if (from, n) == (party, nth) { change(message) } else { vec![message] };
        delivered.into_iter().map(|message| (from.other(), message)).collect()
    }
}

/// Whoever receives message `nth` of `from` must end with an error of the
/// peer's making; and unless it is the goodbye, the page gets nothing.
async fn must_be_found_out(world: &mut World, from: Party, nth: usize, what: &str) {
    let goodbye = (from, nth) == (Party::Computer, 2);
    let story = world.sign_in().await;
    assert_eq!(story.computer.is_ok(), goodbye, "{what}: {:?}", story.computer);
    let found = match from {
        Party::Computer => story.phone_error(),
        Party::Phone => story.computer_error(),
    };
    assert!(["peer.bad-tag", "peer.malformed"].contains(&found), "{what}: {found}");
}

#[tokio::test(start_paused = true)]
async fn t5_a_flipped_bit_anywhere_in_any_message_is_found_out() {
    let (mut world, messages) = world_with_passkey().await;
    let mut flips = 0;
    for ((from, nth, length), name) in messages.into_iter().zip(SEVEN) {
        for position in 0..length {
            let bit = 1 << (position % 8);
            world.meddle(tamper(from, nth, move |mut message| {
                message[position] ^= bit;
                vec![message]
            }));
            must_be_found_out(&mut world, from, nth, &format!("{name}, byte {position}")).await;
            flips += 1;
        }
    }
    println!("{flips} flips, {flips} found out");
}

#[tokio::test(start_paused = true)]
async fn t5_a_message_cut_or_lengthened_is_found_out() {
    let (mut world, messages) = world_with_passkey().await;
    for ((from, nth, length), name) in messages.into_iter().zip(SEVEN) {
        for cut in [0, 1, 15, 16, 17, 65, length - 16, length - 1].into_iter().filter(|cut| *cut < length) {
            world.meddle(tamper(from, nth, move |mut message| {
                message.truncate(cut);
                vec![message]
            }));
            must_be_found_out(&mut world, from, nth, &format!("{name} cut to {cut}")).await;
        }
        world.meddle(tamper(from, nth, |mut message| {
            message.push(0);
            vec![message]
        }));
        must_be_found_out(&mut world, from, nth, &format!("{name} lengthened")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn t6_a_lost_message_ends_in_nothing_for_the_page() {
    let (mut world, messages) = world_with_passkey().await;
    for ((from, nth, _), name) in messages.into_iter().zip(SEVEN) {
        world.meddle(tamper(from, nth, |_| vec![]));
        let story = world.sign_in().await;
        // Without the goodbye the phone sees the line end instead: no harm.
        assert_eq!(story.computer.is_ok(), name == "shutdown", "{name}: {:?}", story.computer);
    }
}

#[tokio::test(start_paused = true)]
async fn t6_a_repeated_message_is_found_out_by_whoever_reads_it() {
    let (mut world, messages) = world_with_passkey().await;
    for ((from, nth, _), name) in messages.into_iter().zip(SEVEN) {
        world.meddle(tamper(from, nth, |message| vec![message.clone(), message]));
        let story = world.sign_in().await;
        match name {
            // The computer has its answer and reads no more.
            "answer" | "shutdown" => assert!(story.computer.is_ok(), "{name}"),
            // The request was served once; the copy of it is not.
            "request" => assert_eq!(story.phone_error(), "peer.bad-tag"),
            "greeting" => {
                assert!(story.computer.is_err(), "{name}");
                assert_eq!(story.phone_error(), "peer.bad-tag");
            }
            _ => assert_eq!(story.computer_error(), "peer.bad-tag", "{name}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn t6_messages_of_another_session_are_found_out() {
    let (mut world, messages) = world_with_passkey().await;
    let recorded = world.relay.carried();
    for (((from, nth, _), old), name) in messages.into_iter().zip(recorded).zip(SEVEN) {
        let old = old.message;
        world.meddle(tamper(from, nth, move |_| vec![old.clone()]));
        must_be_found_out(&mut world, from, nth, name).await;
    }
}

/// A session whose randomness is always the same, so that recorded messages
/// can be played to a fresh side in any order.
struct Recording {
    to_computer: Vec<Vec<u8>>,
    to_phone: Vec<Vec<u8>>,
}

fn generator(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn invite() -> (ExpectAdvert, QrInvitation) {
    ExpectAdvert::invite(Hint::GetAssertion, 0, &mut generator(1)).unwrap()
}

fn phone() -> (cablecar_protocol::handshake::ExpectGreeting, ServiceData) {
    let scanned = QrInvitation::parse(&invite().1.to_text()).unwrap();
    let accepted = ExpectRoutingId::accept(scanned, TunnelServiceDomain::new(266).unwrap());
    let (expect, advert) = accepted.routed(RoutingId::new([1, 2, 3]), &mut generator(2)).unwrap();
    (expect, ServiceData::from(advert))
}

/// Plays messages to a fresh computer; true if it got to an answer.
fn computer_gets_an_answer(messages: &[&Vec<u8>]) -> bool {
    let Heard::Ours(nearby) = invite().0.hear(&phone().1) else { panic!("not ours") };
    let (expect_reply, _) = nearby.greet(&mut generator(3)).unwrap();
    let [reply, hello, rest @ ..] = messages else { return false };
    let Ok(expect_hello) = expect_reply.read(reply) else { return false };
    let Ok((mut channel, _)) = expect_hello.read(hello) else { return false };
    channel.send(Request::Ctap(&[4])).unwrap();
    rest.iter().any(|message| matches!(channel.receive(message), Ok(ClientEvent::Ctap(_))))
}

/// Plays messages to a fresh phone; how many requests it would have served.
fn phone_serves(messages: &[&Vec<u8>]) -> usize {
    let [greeting, rest @ ..] = messages else { return 0 };
    let Ok((mut channel, _)) = phone().0.read(greeting, &good_hello(), &mut generator(4)) else { return 0 };
    let mut served = 0;
    for message in rest {
        if let Ok(AuthenticatorEvent::Ctap(_)) = channel.receive(message) {
            channel.send(&[0]).unwrap();
            served += 1;
        }
    }
    served
}

fn record() -> Recording {
    let Heard::Ours(nearby) = invite().0.hear(&phone().1) else { panic!("not ours") };
    let (expect_reply, greeting) = nearby.greet(&mut generator(3)).unwrap();
    let (mut phone, [reply, hello]) = phone().0.read(&greeting, &good_hello(), &mut generator(4)).unwrap();
    let (mut computer, _) = expect_reply.read(&reply).unwrap().read(&hello).unwrap();
    let update = phone.update(None).unwrap();
    let request = computer.send(Request::Ctap(&[4])).unwrap();
    phone.receive(&request).unwrap();
    let answer = phone.send(&[0]).unwrap();
    let shutdown = computer.shutdown().unwrap();
    Recording {
        to_computer: vec![reply, hello, update, answer],
        to_phone: vec![greeting.to_vec(), request, shutdown],
    }
}

/// Every way to deliver up to `most` of these messages, in any order, each as
/// often as one likes.
fn deliveries(messages: &[Vec<u8>], most: u32) -> impl Iterator<Item = (Vec<usize>, Vec<&Vec<u8>>)> {
    let n = messages.len();
    (1..=most).flat_map(move |length| {
        (0..n.pow(length)).map(move |mut code| {
            let order: Vec<_> = (0..length)
                .map(|_| {
                    let digit = code % n;
                    code /= n;
                    digit
                })
                .collect();
            let delivered = order.iter().map(|at| &messages[*at]).collect();
            (order, delivered)
        })
    })
}

#[test]
fn t6_only_the_true_order_gets_an_answer_through() {
    let recording = record();
    let mut tried = 0;
    for (order, messages) in deliveries(&recording.to_computer, 5) {
        let true_order = order.starts_with(&[0, 1, 2, 3]);
        assert_eq!(computer_gets_an_answer(&messages), true_order, "{order:?}");
        tried += 1;
    }
    println!("{tried} orders to the computer");
}

#[test]
fn t6_only_the_true_order_gets_a_request_through_and_only_once() {
    let recording = record();
    for (order, messages) in deliveries(&recording.to_phone, 5) {
        let expected = usize::from(order.starts_with(&[0, 1]));
        assert_eq!(phone_serves(&messages), expected, "{order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn t7_a_relay_that_shakes_hands_itself_gets_neither_side() {
    let (mut world, _) = world_with_passkey().await;
    // It knows everything but the PSK: here even the key in the QR code.
    let psk = Psk::new(&[7; 32]);
    let own = IdentityKey::random(&mut generator(9)).unwrap();
    let (_, greeting) = danger::initiate(danger::Door::QrClient(&own), &psk, &mut generator(10)).unwrap();
    world.meddle(tamper(Party::Computer, 0, move |_| vec![greeting.to_vec()]));
    let story = world.sign_in().await;
    assert!(story.computer.is_err());
    assert_eq!(story.phone_error(), "peer.bad-tag");

    // Towards the computer: its greeting answered by the relay in the phone's place.
    world.meddle(|from: Party, nth: usize, message: Vec<u8>| match (from, nth) {
        (Party::Computer, 0) => {
            let client = *IdentityKey::random(&mut generator(9)).unwrap().public();
            let psk = Psk::new(&[7; 32]);
            let answered =
                danger::respond(danger::Door::QrAuthenticator(&client), &psk, &message, &mut generator(11));
            // It cannot even open the greeting; it sends its own point with the tag it was given.
            assert!(answered.is_err());
            let mut reply =
                IdentityKey::random(&mut generator(12)).unwrap().public().to_uncompressed().to_vec();
            reply.extend_from_slice(&message[65..]);
            vec![(Party::Computer, reply)]
        }
        _ => vec![(from.other(), message)],
    });
    let story = world.sign_in().await;
    assert_eq!(story.computer_error(), "peer.bad-tag");
    assert!(story.phone.is_err());
}

#[tokio::test(start_paused = true)]
async fn t7_a_message_sent_back_to_its_sender_is_found_out() {
    let (mut world, messages) = world_with_passkey().await;
    for ((from, nth, _), name) in messages.into_iter().zip(SEVEN) {
        world.meddle(move |sender: Party, n: usize, message: Vec<u8>| {
            let mirrored = (sender, n) == (from, nth);
            vec![(if mirrored { sender } else { sender.other() }, message)]
        });
        let story = world.sign_in().await;
        // The goodbye comes back to nobody.
        assert_eq!(story.computer.is_ok(), name == "shutdown", "{name}");
    }
}
