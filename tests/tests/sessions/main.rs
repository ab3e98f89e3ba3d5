//! Sessions in three terminals: the real programs, started as people start
//! them, and what each of them says at the end.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test that cannot go on fails, also in its own functions"
)]

mod people;
mod programs;

use serde_json::{Value, json};

use people::{Air, Computer, Phone, Relay, anybody, code, play, register, website};
use programs::Program;

/// A phone that asks, and is never answered while a test lasts.
const NEVER: &str = "after=3600000";

/// Somebody must be asked before the test goes on.
fn asked(phone: &mut Program) {
    phone.line(|line| line.contains("a computer asks to"));
}

#[test]
fn a_passkey_is_made_and_used_through_a_relay_without_tls() {
    let (relay, air, website, phone) = (Relay::plain(&[]), Air::new(), website(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let credential = register(&computer, &phone, &website, "alice");
    assert_eq!(phone.passkeys().len(), 1);

    let (options, state) = website.sign_in(vec![credential.clone()]);
    let [signed, served] = play(computer.get(&options), &phone, &air, &computer.network, "allow");
    assert_eq!(served.result(), "");
    let signed: Value = serde_json::from_str(&signed.result()).unwrap();
    let result = website.signed_in(&signed, &state).unwrap();
    assert!(result.user_verified() && result.cred_id() == &credential.cred_id);
    assert_eq!(
        (&signed["type"], &signed["authenticatorAttachment"]),
        (&json!("public-key"), &json!("cross-platform"))
    );
    // The computer remembers nothing.
    assert_eq!(computer.leftovers(), 0);
}

#[test]
fn the_same_with_tls_by_name_and_a_picture_of_the_code() {
    let (relay, air, website, phone) = (Relay::with_tls(), Air::new(), website(), Phone::new());
    let computer = Computer::new(&air, relay.by_name());
    let credential = register(&computer, &phone, &website, "alice");

    let (mut options, state) = website.sign_in(vec![credential]);
    // The page names no credential: whoever has a passkey may come.
    options.as_object_mut().unwrap().remove("allowCredentials");
    let picture = computer.home.path().join("code.png");
    let mut program = computer.start("get", &options, &["--qr", "png:code.png"]);
    program.line(|line| line.ends_with("scan the code with the phone that has your passkey"));
    let served = phone.scan_with(&[picture.to_str().unwrap()], "", &air, &computer.network, "allow");
    assert_eq!(served.end().result(), "");
    let signed = serde_json::from_str(&program.end().result()).unwrap();
    assert!(website.signed_in(&signed, &state).unwrap().user_verified());
    assert_eq!(computer.leftovers(), 0);
}

#[test]
fn both_sides_tell_programs_the_same_stages() {
    let (relay, air, phone) = (Relay::plain(&[]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website().register("alice");
    let mut program = computer.start("create", &options, &["--qr", "text", "--events", "json"]);
    let code = code(&mut program);
    let served = phone.scan_with(&["-", "--events", "json"], &code, &air, &computer.network, "allow");
    let (served, program) = (served.end(), program.end());
    let stages = |lines: &[String]| -> Vec<String> {
        let events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter_map(|event| Some(event["stage"].as_str()?.to_owned())).collect()
    };
    assert_eq!(
        stages(&program.stderr),
        ["waiting-for-phone", "phone-nearby", "connecting", "connected", "verifying-on-phone", "done"]
    );
    assert_eq!(
        stages(&served.stderr),
        ["connecting", "waiting-for-computer", "connected", "verifying-on-phone", "done"]
    );
    assert_eq!((program.code, served.code), (Some(0), Some(0)));
}

#[test]
fn a_person_says_no() {
    let (relay, air, website, phone) = (Relay::plain(&[]), Air::new(), website(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website.register("alice");
    let [asked, refused] = play(computer.create(&options), &phone, &air, &computer.network, "deny");
    assert_eq!(
        (asked.failed(4).as_str(), refused.failed(4).as_str()),
        ("phone.declined", "consent.declined")
    );
    assert!(phone.passkeys().is_empty());

    register(&computer, &phone, &website, "alice");
    let [asked, refused] = play(computer.get(&anybody()), &phone, &air, &computer.network, "deny");
    assert_eq!(
        (asked.failed(4).as_str(), refused.failed(4).as_str()),
        ("phone.declined", "consent.declined")
    );
}

#[test]
fn a_phone_without_a_passkey_for_it_says_so() {
    let (relay, air, phone) = (Relay::plain(&[]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let [asked, had_none] = play(computer.get(&anybody()), &phone, &air, &computer.network, "allow");
    assert_eq!((asked.failed(5).as_str(), had_none.failed(5).as_str()), ("phone.no-passkey", "passkey.none"));
}

#[test]
fn an_account_is_registered_once() {
    let (relay, air, website, phone) = (Relay::plain(&[]), Air::new(), website(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    register(&computer, &phone, &website, "alice");
    let id = phone.passkeys()[0]["credential_id"].clone();
    let (mut options, _) = website.register("alice");
    options["excludeCredentials"] = json!([{"type": "public-key", "id": id}]);
    let [asked, had_one] = play(computer.create(&options), &phone, &air, &computer.network, "allow");
    assert_eq!(asked.failed(1), "phone.already-registered");
    assert_eq!(had_one.failed(1), "passkey.already-registered");
    assert_eq!(phone.passkeys().len(), 1);
}

#[test]
fn without_a_relay_both_say_which_one_they_looked_for() {
    let (relay, air, phone) = (Relay::plain(&["--waiting", "2"]), Air::new(), Phone::new());
    let live = relay.as_danger();
    // Nobody listens where somebody just left.
    let gone = Relay::plain(&[]);
    let dead = gone.as_danger();
    gone.program.kill();

    let mut computer = Computer::new(&air, dead.clone()).get(&anybody());
    let code = code(&mut computer);
    assert_eq!(phone.scan(&code, &air, &dead, "allow").end().failed(7), "relay.unreachable");
    // With a relay that this phone alone can reach, the computer is next.
    let lonely = phone.scan(&code, &air, &live, "allow");
    assert_eq!(computer.end().failed(7), "relay.unreachable");
    assert_eq!(lonely.end().failed(3), "proximity.not-confirmed");
}

#[test]
fn a_relay_that_cannot_prove_its_name_is_told_nothing() {
    let (relay, air, phone) = (Relay::with_tls(), Air::new(), Phone::new());
    let trusting = relay.by_name();
    let wary = relay.by_name_trusting(&relay.another_authority());
    let mut computer = Computer::new(&air, wary.clone()).get(&anybody());
    let code = code(&mut computer);
    assert_eq!(phone.scan(&code, &air, &wary, "allow").end().failed(7), "relay.tls");
    let _lonely = phone.scan(&code, &air, &trusting, "allow");
    assert_eq!(computer.end().failed(7), "relay.tls");
}

#[test]
fn a_computer_that_is_gone_keeps_no_phone_waiting() {
    let (relay, air, phone) = (Relay::plain(&["--waiting", "2"]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    // Gone before the phone was noticed.
    let mut program = computer.get(&anybody());
    let shown = code(&mut program);
    program.kill();
    let lonely = phone.scan(&shown, &air, &computer.network, "allow");
    assert_eq!(lonely.end().failed(3), "proximity.not-confirmed");
}

#[test]
fn a_computer_that_is_killed_while_somebody_is_asked_takes_the_question_with_it() {
    let (relay, air, phone) = (Relay::plain(&[]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website().register("alice");
    let mut program = computer.create(&options);
    let mut serving = phone.scan(&code(&mut program), &air, &computer.network, NEVER);
    asked(&mut serving);
    program.kill();
    assert_eq!(serving.end().failed(1), "peer.cancelled");
    assert!(phone.passkeys().is_empty());
}

#[test]
fn a_phone_that_is_killed_keeps_no_computer_waiting() {
    let (relay, air, phone) = (Relay::plain(&[]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website().register("alice");
    let mut program = computer.create(&options);
    let mut serving = phone.scan(&code(&mut program), &air, &computer.network, NEVER);
    asked(&mut serving);
    serving.kill();
    assert_eq!(program.end().failed(1), "phone.hung-up");
    assert!(phone.passkeys().is_empty());
}

#[test]
fn a_relay_that_is_killed_in_the_middle_leaves_nobody_hanging() {
    let (relay, air, phone) = (Relay::plain(&[]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website().register("alice");
    let mut program = computer.create(&options);
    let mut serving = phone.scan(&code(&mut program), &air, &computer.network, NEVER);
    asked(&mut serving);
    relay.program.kill();
    assert_eq!(program.end().failed(7), "relay.broken");
    assert_eq!(serving.end().failed(7), "relay.broken");
    assert!(phone.passkeys().is_empty());
}

#[test]
fn a_relay_that_is_stopped_in_the_middle_ends_cleanly_and_so_do_both_others() {
    let (relay, air, phone) = (Relay::plain(&[]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website().register("alice");
    let mut program = computer.create(&options);
    let mut serving = phone.scan(&code(&mut program), &air, &computer.network, NEVER);
    asked(&mut serving);
    relay.program.interrupt();
    assert_eq!(relay.program.end().code, Some(0));
    // Whoever hears a tunnel being closed cannot know who closed it.
    assert_eq!(program.end().failed(1), "phone.hung-up");
    assert_eq!(serving.end().failed(1), "peer.cancelled");
}

#[test]
fn a_code_that_somebody_else_scanned_is_in_use_until_they_leave() {
    let (relay, air, elsewhere) = (Relay::plain(&[]), Air::new(), Air::new());
    let (squatter, phone) = (Phone::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website().register("alice");
    let mut program = computer.create(&options);
    let code = code(&mut program);
    let mut first = squatter.scan(&code, &elsewhere, &computer.network, "allow");
    first.line(|line| line.ends_with("waiting for the computer to notice this phone"));
    let second = phone.scan(&code, &air, &computer.network, "allow");
    assert_eq!(second.end().failed(7), "relay.code-in-use");
    first.kill();
    // A relay learns of it when the connection ends: at once, but not at the
    // same moment.
    let served = loop {
        let ended = phone.scan(&code, &air, &computer.network, "allow").end();
        if ended.code == Some(0) {
            break ended;
        }
        assert_eq!(ended.failed(7), "relay.code-in-use");
    };
    assert_eq!(served.result(), "");
    program.end().result();
    assert_eq!((phone.passkeys().len(), squatter.passkeys().len()), (1, 0));
}

#[test]
fn two_computers_and_two_phones_share_a_relay() {
    let relay = Relay::plain(&[]);
    let airs = [Air::new(), Air::new()];
    let phones = [Phone::new(), Phone::new()];
    let names = ["alice", "bob"];
    std::thread::scope(|scope| {
        for ((air, phone), name) in airs.iter().zip(&phones).zip(names) {
            let network = relay.as_danger();
            scope.spawn(move || {
                let computer = Computer::new(air, network);
                register(&computer, phone, &website(), name);
            });
        }
    });
    for (phone, name) in phones.iter().zip(names) {
        let passkeys = phone.passkeys();
        assert_eq!((passkeys.len(), &passkeys[0]["user_name"]), (1, &json!(name)));
    }
}

#[test]
fn a_code_is_good_for_one_request() {
    let (relay, air, phone) = (Relay::plain(&["--waiting", "5"]), Air::new(), Phone::new());
    let computer = Computer::new(&air, relay.as_danger());
    let (options, _) = website().register("alice");
    let mut program = computer.create(&options);
    let code = code(&mut program);
    assert_eq!(phone.scan(&code, &air, &computer.network, "allow").end().code, Some(0));
    program.end().result();
    // Somebody else now shows another code in the same place.
    let next = computer.get(&anybody());
    assert_eq!(
        phone.scan(&code, &air, &computer.network, "allow").end().failed(3),
        "proximity.not-confirmed"
    );
    drop(next);
}
