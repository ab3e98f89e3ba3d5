//! Whole transactions in memory, the clock paused and turned by hand.

mod world;

use std::time::Duration;

use cablecar_protocol::client_platform::Heard;
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::eid::ServiceData;
use cablecar_protocol::qr::Hint;
use rand_core::OsRng;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::*;
use crate::consent::scripted::Scripted;
use world::*;

#[tokio::test(start_paused = true)]
async fn a_passkey_is_made_and_used_in_one_session() {
    let world = world(Scripted::Allow, &[Ok("right"), Ok("right")]);
    let (outcome, log) = play(world, async |mut computer| {
        assert_eq!(computer.ask(&register()).await[0], 0x00);
        assert_eq!(computer.ask(&[0x04]).await[0], 0x00);
        assert_eq!(computer.ask(&sign_in()).await[0], 0x00);
        computer.shutdown().await;
    })
    .await;
    let outcome = outcome.unwrap();
    assert!(matches!(outcome.requests[..], [Ok(Served::Registered), Ok(Served::SignedIn)]));
    assert!(outcome.verdict().is_ok());
    assert_eq!(
        log,
        [
            "Connecting",
            "WaitingForComputer",
            "Connected",
            "VerifyingOnPhone",
            "asked to make a passkey for example.com",
            "registered",
            "VerifyingOnPhone",
            "asked to sign in to example.com",
            "signed-in",
            "Done",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_passphrase_is_asked_for_again_for_each_request() {
    let world = world(
        Scripted::Allow,
        &[
            Ok("right"),
            Ok("wrong"),
            Ok("wrong"),
            Ok("right"),
            Ok("wrong"),
            Ok("wrong"),
            Ok("wrong"),
            Ok("right"),
        ],
    );
    let (outcome, _) = play(world, async |mut computer| {
        assert_eq!(computer.ask(&register()).await[0], 0x00);
        assert_eq!(computer.ask(&sign_in()).await[0], 0x00);
        assert_eq!(computer.ask(&sign_in()).await, [0x27]);
        assert_eq!(computer.ask(&sign_in()).await[0], 0x00);
        computer.shutdown().await;
    })
    .await;
    let mut requests = outcome.unwrap().requests;
    assert!(matches!(requests.remove(2), Err(Error::Vault(vault::Error::WrongPassphrase))));
    assert!(requests.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn why_nothing_was_served_is_the_verdict() {
    for (consent, typing, request, status, verdict) in [
        (Scripted::Deny, &[Ok("right")][..], sign_in(), 0x27, "consent.declined"),
        (Scripted::CannotAsk, &[Ok("right")], sign_in(), 0x27, "consent.cannot-ask"),
        (Scripted::Allow, &[Ok("right")], sign_in(), 0x2e, "passkey.none"),
        (
            Scripted::Allow,
            &[Ok("wrong"), Ok("wrong"), Ok("wrong")],
            sign_in(),
            0x27,
            "vault.wrong-passphrase",
        ),
        (Scripted::Allow, &[], sign_in(), 0x27, "passphrase.cannot-ask"),
        (Scripted::Allow, &[Err(NoPassphrase::Declined)], register(), 0x27, "passphrase.declined"),
        (Scripted::Allow, &[], vec![0x02], 0x12, "request.refused"),
        (Scripted::After(Duration::from_secs(121)), &[Ok("right")], register(), 0x2f, "consent.no-answer"),
        (Scripted::Allow, &[], vec![0x04], 0x00, "peer.left"),
        (Scripted::Allow, &[], vec![0x06], 0x01, "peer.left"),
    ] {
        let (outcome, _) = play(world(consent, typing), async |mut computer| {
            assert_eq!(computer.ask(&request).await[0], status, "{verdict}");
            computer.shutdown().await;
        })
        .await;
        assert_eq!(id(outcome.unwrap().verdict().unwrap_err()), verdict);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_its_time_is_waited_for() {
    let world = world(Scripted::After(Duration::from_secs(100)), &[Ok("right")]);
    let (outcome, _) = play(world, async |mut computer| {
        assert_eq!(computer.ask(&register()).await[0], 0x00);
        computer.shutdown().await;
    })
    .await;
    assert!(outcome.unwrap().verdict().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_computer_that_leaves_while_the_person_thinks_withdraws_the_question() {
    for politely in [true, false] {
        let (sender, withdrawn) = oneshot::channel();
        let world = world(Thinking(Some(sender)), &[Ok("right")]);
        let (outcome, _) = play(world, async |mut computer: Computer| {
            computer.send(&register()).await;
            sleep(Duration::from_secs(5)).await;
            if politely { computer.shutdown().await } else { drop(computer) }
        })
        .await;
        assert_eq!(id(outcome.unwrap().verdict().unwrap_err()), "peer.cancelled");
        assert_eq!(withdrawn.await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_open_while_the_person_thinks_ends_it() {
    let world = world(Thinking(None), &[Ok("right")]);
    let (outcome, _) = play(world, async |mut computer: Computer| {
        computer.send(&register()).await;
        sleep(Duration::from_secs(5)).await;
        computer.line.send(vec![0; 48]).await.unwrap();
        assert_eq!(computer.line.receive().await.unwrap(), None);
    })
    .await;
    assert_eq!(id(outcome.unwrap_err()), "peer.bad-tag");
}

#[tokio::test(start_paused = true)]
async fn the_phone_hangs_up_after_the_last_straw_and_after_silence() {
    for requests in [vec![vec![0x06]; 3], vec![]] {
        let (outcome, _) = play(world(Scripted::Allow, &[]), async |mut computer: Computer| {
            for request in &requests {
                assert_eq!(computer.ask(request).await, [0x01]);
            }
            assert_eq!(computer.line.receive().await.unwrap(), None);
        })
        .await;
        assert_eq!(id(outcome.unwrap().verdict().unwrap_err()), "peer.left");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_who_heard_the_advert_means_not_confirmed() {
    let World { mut phone, beacon, adverts, computer, invitation, .. } = world(Scripted::Allow, &[]);
    let started = Instant::now();
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!((error.advice().0.code(), id(error)), (3, "proximity.not-confirmed"));
    assert_eq!(started.elapsed(), Duration::from_secs(60));
    assert!(!*beacon.lock().unwrap());
    drop((adverts, computer));
}

#[tokio::test(start_paused = true)]
async fn an_advert_that_somebody_takes_off_the_air_is_not_waited_for() {
    let World { mut phone, beacon, adverts, computer, invitation, .. } = world(Scripted::Allow, &[]);
    phone.advertiser.lost_after = Some(Duration::from_secs(7));
    let started = Instant::now();
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!((error.advice().0.code(), id(error)), (6, "radio.off"));
    assert_eq!(started.elapsed(), Duration::from_secs(7));
    assert!(!*beacon.lock().unwrap());
    drop((adverts, computer));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_gives_up_first_means_not_confirmed_too() {
    let World { mut phone, computer, invitation, .. } = world(Scripted::Allow, &[]);
    drop(computer);
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!(id(error), "proximity.not-confirmed");
}

#[tokio::test(start_paused = true)]
async fn a_greeting_from_somebody_else_ends_it_and_the_advert_stops() {
    let World { mut phone, beacon, mut computer, invitation, .. } = world(Scripted::Allow, &[]);
    let (stranger, other) = ExpectAdvert::invite(Hint::MakeCredential, NOW, &mut OsRng).unwrap();
    let expect = ExpectRoutingId::accept(other, domain());
    let (_, advert) = expect.routed(RoutingId::new([1, 2, 3]), &mut OsRng).unwrap();
    let Heard::Ours(nearby) = stranger.hear(&ServiceData::from(advert)) else { panic!("not ours") };
    let (_, greeting) = nearby.greet(&mut OsRng).unwrap();
    computer.send(greeting.to_vec()).await.unwrap();
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!(id(error), "peer.bad-tag");
    // Nothing is answered, and nothing is on the air any more.
    assert_eq!(computer.receive().await.unwrap(), None);
    assert!(!*beacon.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_knows_the_code_already_is_named_and_nothing_is_advertised() {
    let World { mut phone, mut adverts, invitation, .. } = world(Scripted::Allow, &[]);
    phone.dialer = Relay(Some(Err(Error::CodeInUse)));
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!(id(error), "relay.code-in-use");
    assert!(adverts.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_code_from_yesterday_is_not_even_dialled() {
    let World { mut phone, log, invitation, .. } = world(Scripted::Allow, &[]);
    let error = phone.run(invitation, domain(), &mut OsRng, NOW + 90_000).await.unwrap_err();
    assert_eq!(id(error), "qr.too-old");
    assert!(phone.dialer.0.is_some() && log.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_transaction_can_be_handed_to_another_thread() {
    let World { mut phone, computer, invitation, .. } = world(Scripted::Allow, &[]);
    drop(computer);
    let run = tokio::spawn(async move { phone.run(invitation, domain(), &mut OsRng, NOW).await });
    assert_eq!(id(run.await.unwrap().unwrap_err()), "proximity.not-confirmed");
}
