//! Phones of others have their habits: Google's and Apple's hang up after one
//! command, most never send an update, and some fall silent.

#![allow(clippy::unwrap_used, reason = "a panic is a verdict")]

use std::time::Duration;

use cablecar::webauthn::{Create, Get};
use cablecar_tests::World;
use cablecar_tests::habits::{Habits, Until, serve, stop};
use cablecar_tests::world::{creation, origin, request};
use tokio::time::{Instant, timeout};

/// Longer than anybody waits for a phone that says nothing.
const LONG: Duration = Duration::from_secs(900);

/// A registration and a sign-in with such a phone.
async fn both_work(habits: Habits) {
    let mut world = World::default();
    let create = Create::from_json(creation("alice").to_string().as_bytes(), &origin()).unwrap();
    let phone = serve(&mut world, habits);
    let (answer, ()) = tokio::join!(world.computer(&create.ask()), phone);
    create.finish(&answer.unwrap()).unwrap();
    assert_eq!(world.passkeys(), 1);

    world.glass = Default::default();
    let get = Get::from_json(request(&[]).to_string().as_bytes(), &origin()).unwrap();
    let phone = serve(&mut world, habits);
    let (answer, ()) = tokio::join!(world.computer(&get.ask()), phone);
    get.finish(&answer.unwrap()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_hangs_up_after_one_command() {
    both_work(Habits { hangs_up: true, ..Habits::default() }).await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_never_sends_an_update() {
    both_work(Habits::default()).await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_sends_an_update_at_once_and_hangs_up() {
    both_work(Habits { updates_before: 1, hangs_up: true, ..Habits::default() }).await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_sends_updates_at_any_time() {
    both_work(Habits { updates_before: 2, updates_after: 2, hangs_up: false }).await;
    both_work(Habits { updates_before: 0, updates_after: 1, hangs_up: true }).await;
}

/// What the computer says of a phone that comes this far, and after how long.
async fn told(until: Until, hangs_up: bool) -> (&'static str, Duration) {
    let mut world = World::default();
    let get = Get::from_json(request(&[]).to_string().as_bytes(), &origin()).unwrap();
    let phone = tokio::spawn(stop(&mut world, until, hangs_up));
    let began = Instant::now();
    let answer = timeout(LONG, world.computer(&get.ask())).await.unwrap();
    let took = began.elapsed();
    phone.await.unwrap();
    (answer.unwrap_err().advice().1, took)
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_gives_no_answer_at_all() {
    use cablecar::defaults::{ANSWER, HELLO, REPLY};
    for (until, patience) in [(Until::Greeting, REPLY), (Until::Reply, HELLO)] {
        let (error, took) = told(until, false).await;
        assert_eq!(error, "phone.silent", "{until:?}");
        assert!(took >= patience && took < patience + Duration::from_secs(5), "{until:?}: {took:?}");
    }
    // A person may take until the request's own end to decide, which is ten
    // minutes here.
    let (error, took) = told(Until::Request, false).await;
    assert_eq!(error, "phone.silent");
    assert!(took >= ANSWER && took < Duration::from_secs(605), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_hangs_up_before_it_answers() {
    for until in [Until::Greeting, Until::Reply, Until::Request] {
        let (error, took) = told(until, true).await;
        assert_eq!(error, "phone.hung-up", "{until:?}");
        assert!(took < Duration::from_secs(5), "{until:?}: {took:?}");
    }
}
