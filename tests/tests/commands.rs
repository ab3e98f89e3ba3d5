//! A computer that tries every command there is (T11).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is a verdict")]

use cablecar_protocol::ctap::{Options, Status, get_assertion, make_credential};
use cablecar_protocol::qr::Hint;
use cablecar_tests::World;
use cablecar_tests::people::Person;
use cablecar_tests::prober::{Prober, Probing};

/// A session in a world with alice's passkey. The phone runs beside it.
async fn session(world: &mut World) -> (Prober, tokio::task::JoinHandle<()>) {
    world.register("alice").await.computer.unwrap();
    world.glass = Default::default();
    let probing = Probing::show(world, Hint::GetAssertion);
    let phone = world.phone();
    let phone = tokio::spawn(async move { drop(phone.await) });
    (probing.meet().await, phone)
}

fn assertion(options: Options) -> Vec<u8> {
    get_assertion::Request {
        rp_id: "example.com".into(),
        client_data_hash: [1; 32],
        allow: vec![],
        has_allow_list: false,
        prf: None,
        options,
        pin_uv_auth: false,
    }
    .to_bytes()
}

#[tokio::test(start_paused = true)]
async fn t11_every_other_command_is_refused_and_the_third_ends_it() {
    // clientPIN, reset, bioEnrollment, credentialManagement, largeBlobs,
    // config, getNextAssertion, vendor commands, and a U2F frame.
    let forbidden: [&[u8]; 10] = [
        &[0x06],
        &[0x07],
        &[0x08],
        &[0x09],
        &[0x0a],
        &[0x0c],
        &[0x0d],
        &[0x40],
        &[0xff],
        &[0x00, 0x01, 0x03],
    ];
    for command in forbidden {
        let mut world = World::default();
        let (mut prober, phone) = session(&mut world).await;
        for _ in 0..3 {
            assert_eq!(
                prober.ask(command).await.unwrap(),
                [Status::INVALID_COMMAND.byte()],
                "{command:02x?}"
            );
        }
        assert!(prober.is_hung_up().await, "{command:02x?}");
        phone.await.unwrap();
        assert_eq!(world.passkeys(), 1, "{command:02x?}");
    }
}

#[tokio::test(start_paused = true)]
async fn t11_a_silent_probe_is_refused_without_asking() {
    let mut world = World::default();
    let (mut prober, phone) = session(&mut world).await;
    let asked = world.person.asked().len();
    let silent = assertion(Options { up: Some(false), ..Options::default() });
    assert_eq!(prober.ask(&silent).await.unwrap(), [Status::UNSUPPORTED_OPTION.byte()]);
    assert_eq!(world.person.asked().len(), asked);
    prober.leave().await;
    phone.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn t11_every_assertion_asks_the_person_and_the_ninth_ends_it() {
    let mut world = World::default();
    let (mut prober, phone) = session(&mut world).await;
    let before = world.person.asked().len();
    for nth in 1..=8 {
        assert_eq!(prober.ask(&assertion(Options::default())).await.unwrap()[0], 0, "{nth}");
        assert_eq!(world.person.asked().len(), before + nth);
    }
    assert_eq!(prober.ask(&assertion(Options::default())).await.unwrap(), [Status::NOT_ALLOWED.byte()]);
    assert!(prober.is_hung_up().await);
    phone.await.unwrap();
    assert_eq!(world.person.asked().len(), before + 8);
}

#[tokio::test(start_paused = true)]
async fn t11_get_info_and_the_misfits_of_chromium_are_survived() {
    let mut world = World::default();
    let (mut prober, phone) = session(&mut world).await;
    let info = prober.ask(&[0x04]).await.unwrap();
    assert_eq!(info[0], 0);
    assert_eq!(Some(&info[1..]), prober.hello.get_info_bytes());

    assert_eq!(prober.ask(&[0x0b]).await.unwrap(), [Status::OK.byte()]);
    let dummy = make_credential::Request {
        client_data_hash: [1; 32],
        rp: cablecar_protocol::ctap::RelyingParty { id: ".dummy".into(), name: Some(".dummy".into()) },
        user: cablecar_protocol::ctap::User {
            id: vec![1],
            name: Some("dummy".into()),
            display_name: Some("dummy".into()),
        },
        algorithms: vec![-7],
        exclude: vec![],
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    };
    assert_eq!(prober.ask(&dummy.to_bytes()).await.unwrap(), [Status::OPERATION_DENIED.byte()]);
    assert_eq!(prober.ask(&[0x00, 0x02]).await.unwrap(), [Status::INVALID_COMMAND.byte()]);
    // After all of that, a sign-in still works.
    assert_eq!(prober.ask(&assertion(Options::default())).await.unwrap()[0], 0);
    prober.leave().await;
    phone.await.unwrap();
    assert_eq!(world.passkeys(), 1);
}

#[tokio::test(start_paused = true)]
async fn t11_somebody_who_says_no_gives_nothing_away() {
    let mut world = World::default();
    world.register("alice").await.computer.unwrap();
    world.person = Person::suspicious();
    world.glass = Default::default();
    let probing = Probing::show(&mut world, Hint::GetAssertion);
    let phone = tokio::spawn(world.phone());
    let mut prober = probing.meet().await;
    // Known or not: the same answer.
    for rp_id in ["example.com", "example.org"] {
        let request = get_assertion::Request {
            rp_id: rp_id.into(),
            client_data_hash: [1; 32],
            allow: vec![],
            has_allow_list: false,
            prf: None,
            options: Options::default(),
            pin_uv_auth: false,
        };
        let denied = prober.ask(&request.to_bytes()).await.unwrap();
        assert_eq!(denied, [Status::OPERATION_DENIED.byte()], "{rp_id}");
    }
    prober.leave().await;
    let _ = phone.await.unwrap();
}
