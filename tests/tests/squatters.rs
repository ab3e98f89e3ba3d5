//! Guessing tunnels (T23) and taking one before its phone comes (T24), at a
//! relay with sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a panic is a verdict")]

use std::time::{Duration, Instant};

use cablecar::tunnel::{Dialer as _, Line as _};
use cablecar_phone::transaction::{Dialer as _, Line as _};
use cablecar_protocol::ids::{RoutingId, TunnelId};
use cablecar_protocol::tunnel::{Dial, Route, TunnelServiceDomain};
use cablecar_relay::switchboard::Switchboard;
use cablecar_relay::{Config, Relay, Security, Silent};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use tokio::sync::oneshot;
use url::Url;

/// A relay without TLS, and both sides' ways to it.
struct House {
    routing_id: RoutingId,
    computer: cablecar::tunnel::Network,
    phone: cablecar_phone::tunnel::Network,
    _stop: oneshot::Sender<()>,
}

fn house() -> House {
    let relay = Relay::bind(Config::new(([127, 0, 0, 1], 0).into(), Security::Plain)).unwrap();
    let url = Url::parse(&format!("ws://{}", relay.local_addr())).unwrap();
    let routing_id = relay.routing_id();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(relay.run(async move { drop(stopped.await) }, Silent));
    House {
        routing_id,
        computer: cablecar::tunnel::Network::new(None, vec![], Some(url.clone())).unwrap(),
        phone: cablecar_phone::tunnel::Network::new(None, vec![], Some(url)).unwrap(),
        _stop: stop,
    }
}

fn dial(route: Route) -> Dial {
    Dial { domain: TunnelServiceDomain::new(266).unwrap(), route }
}

fn random_tunnel(rng: &mut ChaCha20Rng) -> TunnelId {
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    TunnelId::new(id)
}

#[test]
fn t23_a_million_guesses_find_no_tunnel() {
    let mut rng = ChaCha20Rng::seed_from_u64(23);
    let ours = RoutingId::new([1, 2, 3]);
    let now = Instant::now();
    let mut board = Switchboard::new(ours, Duration::from_secs(90), Duration::from_secs(180));
    let live: Vec<_> = (0..1_000)
        .map(|seat| {
            let id = random_tunnel(&mut rng);
            board.open(id, seat, now).unwrap();
            id
        })
        .collect();
    let hits = (0..1_000_000).filter(|_| board.join(ours, random_tunnel(&mut rng), now).is_some()).count();
    assert_eq!(hits, 0);
    // The real ones are still there, each for exactly one.
    for (seat, id) in live.into_iter().enumerate() {
        assert_eq!(board.join(ours, id, now).map(|(_, seat)| seat), Some(seat));
        assert!(board.join(ours, id, now).is_none());
    }
}

#[tokio::test]
async fn t23_guesses_over_the_network_are_throttled_and_find_nothing() {
    let house = house();
    let mut rng = ChaCha20Rng::seed_from_u64(24);
    let id = random_tunnel(&mut rng);
    let (mut phone, _) = house.phone.clone().open(&dial(Route::New(id))).await.unwrap();
    let mut throttled = 0;
    for _ in 0..500 {
        let guess = dial(Route::Connect(house.routing_id, random_tunnel(&mut rng)));
        match house.computer.dial(&guess).await {
            Ok(_) => panic!("a guess found a tunnel"),
            Err(cablecar::error::Error::RelayNotFound { .. }) => {}
            Err(cablecar::error::Error::RelayAnswer { answer, .. }) if answer.starts_with("429") => {
                throttled += 1
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(throttled > 0, "nobody slowed the guesser down");
    // The phone was not disturbed: it still gets what is sent to it.
    let computer = loop {
        match house.computer.dial(&dial(Route::Connect(house.routing_id, id))).await {
            Ok(line) => break line,
            // The guesser's source is ours, and has to wait.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let mut computer = computer;
    computer.send(vec![1, 2, 3]).await.unwrap();
    assert_eq!(phone.receive().await.unwrap(), Some(vec![1, 2, 3]));
}

#[tokio::test]
async fn t23_a_second_computer_is_sent_away_and_the_pair_not_disturbed() {
    let mut house = house();
    let id = random_tunnel(&mut ChaCha20Rng::seed_from_u64(25));
    let (mut phone, routing) = house.phone.open(&dial(Route::New(id))).await.unwrap();
    let route = dial(Route::Connect(routing, id));
    let mut first = house.computer.dial(&route).await.unwrap();
    let second = house.computer.dial(&route).await.unwrap_err();
    assert_eq!(second.advice().1, "relay.not-found");
    first.send(vec![7]).await.unwrap();
    assert_eq!(phone.receive().await.unwrap(), Some(vec![7]));
    phone.send(vec![8]).await.unwrap();
    assert_eq!(first.receive().await.unwrap(), Some(vec![8]));
}

#[tokio::test]
async fn t24_whoever_comes_second_with_the_same_code_learns_that_it_was_copied() {
    let mut house = house();
    let id = random_tunnel(&mut ChaCha20Rng::seed_from_u64(26));
    let squatter = house.phone.open(&dial(Route::New(id))).await.unwrap();
    let error = house.phone.open(&dial(Route::New(id))).await.unwrap_err();
    let (class, name, _) = error.advice();
    assert_eq!(name, "relay.code-in-use");
    assert_eq!(class.code(), 7);
    assert!(error.to_string().contains("someone may have copied it"), "{error}");
    drop(squatter);
}
