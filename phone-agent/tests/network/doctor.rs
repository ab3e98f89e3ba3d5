//! What the doctor finds.

use std::fs;
use std::io::Write;
use std::net::TcpListener;

use serde_json::Value;

use super::certificates::Authority;
use super::stand_in::{
    CONFLICT, NO_ROUTING_ID, NO_SUBPROTOCOL, NOT_FOUND, OPENED, Proxying, StandIn, WRONG_DATE, proxy, relay,
    tls_relay,
};
use super::{HOST, Phone, ended};

const SUBJECTS: [&str; 8] = ["radio", "permission", "name", "tcp", "tls", "tunnel", "clock", "vault"];

/// The doctor's report as a list of what is not ok: subject, and id or
/// `skipped`. Its form and its exit code are checked on the way.
fn found(phone: &Phone, arguments: &[&str], env: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut doctor = phone.command(&["doctor", "--format", "json", "--danger-air", "127.0.0.1:9"]);
    let output = doctor.args(arguments).envs(env.iter().copied()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let subjects: Vec<_> = checks.iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(subjects, SUBJECTS);
    let mut found = Vec::new();
    for check in checks {
        let text = |name: &str| check[name].as_str().unwrap().to_owned();
        assert!(!text("target").is_empty() && !text("detail").is_empty());
        match text("result").as_str() {
            "ok" => assert!(check.get("id").is_none() && check.get("remedy").is_none()),
            "skipped" => found.push((text("check"), "skipped".into())),
            "finding" => {
                assert!(!text("remedy").is_empty());
                found.push((text("check"), text("id")));
            }
            other => panic!("{other}"),
        }
    }
    let well = found.iter().all(|(_, id)| id == "skipped");
    let (exit, id, said) = ended(&output);
    let expected = if well { (0, "") } else { (1, "doctor.findings") };
    assert_eq!((exit, id.as_str(), report["well"].as_bool()), (expected.0, expected.1, Some(well)), "{said}");
    // The stand-in for the radio needs no permission.
    assert_eq!(found.remove(0), ("permission".into(), "skipped".into()));
    found
}

fn is(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(subject, id)| (subject.as_str(), id.as_str())).collect();
    assert_eq!(found, expected);
}

/// What is found where the relay of domain 0 is this one, with TLS.
fn found_at(phone: &Phone, relay: &StandIn, env: &[(&str, &str)]) -> Vec<(String, String)> {
    found(phone, &["--domain-id", "0", "--ca-file", "ca.pem", "--connect-to", &relay.instead_of(HOST)], env)
}

#[test]
fn where_all_is_well_nothing_is_found() {
    let (phone, authority) = (Phone::new(), Authority::new());
    fs::write(phone.path("ca.pem"), authority.pem()).unwrap();
    let relay = tls_relay(authority.server(HOST), OPENED);
    is(&found_at(&phone, &relay, &[]), &[]);
    let heads = relay.heads();
    let path = heads[0].split(' ').nth(1).unwrap();
    assert!(heads.len() == 1 && path.starts_with("/cable/new/") && path.len() == 43, "{heads:?}");
    // Another tunnel each time.
    is(&found_at(&phone, &relay, &[]), &[]);
    assert_ne!(relay.heads()[1].split(' ').nth(1), Some(path));
}

#[test]
fn a_relay_without_tls_skips_that() {
    let phone = Phone::new();
    is(&found(&phone, &["--danger-relay", &relay(OPENED).ws()], &[]), &[("tls", "skipped")]);
}

#[test]
fn each_step_that_fails_has_its_name_and_those_behind_it_are_skipped() {
    let phone = Phone::new();
    let behind = |subject: &'static str, id: &'static str| {
        let relay = ["name", "tcp", "tls", "tunnel", "clock"];
        let rest = relay.into_iter().skip_while(move |other| *other != subject).skip(1);
        [(subject, id)].into_iter().chain(rest.map(|other| (other, "skipped"))).collect::<Vec<_>>()
    };

    let unnamed = found(&phone, &["--danger-relay", "ws://name.invalid"], &[]);
    is(&unnamed, &behind("name", "relay.name"));

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = found(&phone, &["--danger-relay", &format!("wss://{closed}")], &[]);
    is(&refused, &behind("tcp", "relay.unreachable"));

    let (authority, other) = (Authority::new(), Authority::new());
    fs::write(phone.path("ca.pem"), other.pem()).unwrap();
    let relay = tls_relay(authority.server(HOST), OPENED);
    is(&found_at(&phone, &relay, &[]), &behind("tls", "relay.tls"));
    let no_tls = StandIn::new(|mut stream, _| drop(stream.write_all(b"this is no TLS at all")));
    is(&found_at(&phone, &no_tls, &[]), &behind("tls", "relay.tls"));
}

#[test]
fn a_host_that_is_no_relay_is_found_out_and_still_tells_the_time() {
    let phone = Phone::new();
    let no_tls = ("tls", "skipped");
    for (answer, found_in_it) in [
        (NOT_FOUND, &[no_tls, ("tunnel", "relay.not-found")][..]),
        (CONFLICT, &[no_tls, ("tunnel", "relay.code-in-use"), ("clock", "skipped")]),
        (NO_ROUTING_ID, &[no_tls, ("tunnel", "peer.misbehaved"), ("clock", "skipped")]),
        (NO_SUBPROTOCOL, &[no_tls, ("tunnel", "relay.answer"), ("clock", "skipped")]),
        ("SSH-2.0-something\r\n\r\n", &[no_tls, ("tunnel", "relay.answer"), ("clock", "skipped")]),
        (WRONG_DATE, &[no_tls, ("clock", "system.clock")]),
    ] {
        is(&found(&phone, &["--danger-relay", &relay(answer).ws()], &[]), found_in_it);
    }
}

#[test]
fn through_a_proxy_name_and_tcp_are_about_the_proxy() {
    let (phone, authority) = (Phone::new(), Authority::new());
    fs::write(phone.path("ca.pem"), authority.pem()).unwrap();
    let relay = tls_relay(authority.server(HOST), OPENED);
    let good = proxy(Proxying::Willing);
    let through = |url: &str| found_at(&phone, &relay, &[("HTTPS_PROXY", url)]);
    is(&through(&format!("http://{}", good.address)), &[]);
    assert_eq!(good.heads().len(), 1);
    let rest = [("tls", "skipped"), ("tunnel", "skipped"), ("clock", "skipped")];
    let bad = proxy(Proxying::Says("HTTP/1.1 403 Forbidden\r\n\r\n"));
    is(&through(&format!("http://{}", bad.address)), &[&[("tcp", "relay.proxy")], &rest[..]].concat());
    is(
        &through("http://name.invalid:3128"),
        &[&[("name", "relay.proxy"), ("tcp", "skipped")], &rest[..]].concat(),
    );
}

#[test]
fn both_known_relays_are_tried_unless_others_are_named() {
    let phone = Phone::new();
    let targets = |arguments: &[&str]| -> Vec<String> {
        let mut doctor = phone.command(&["doctor", "--format", "json", "--danger-air", "127.0.0.1:9"]);
        let nowhere = ["cable.ua5v.com", "cable.auth.com", "cable.my4kstlhndi4c.net"];
        for host in nowhere {
            doctor.args(["--connect-to", &format!("{host}:443:127.0.0.1:9")]);
        }
        let output = doctor.args(arguments).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        let names = checks.iter().filter(|check| check["check"] == "name");
        names.map(|check| check["target"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(targets(&[]), ["cable.ua5v.com", "cable.auth.com"]);
    assert_eq!(targets(&["--domain-id", "1"]), ["cable.auth.com"]);
    let both = targets(&["--domain-id", "1", "--domain-id", "266"]);
    assert_eq!((both.len(), both[0].as_str()), (2, "cable.auth.com"));
    assert_eq!(targets(&["--danger-relay", "ws://127.0.0.1:9"]), ["127.0.0.1"]);
}

#[test]
fn a_vault_that_is_missing_damaged_or_open_to_others_is_found() {
    let (phone, relay) = (Phone::new(), relay(OPENED));
    let found = || found(&phone, &["--danger-relay", &relay.ws()], &[]);
    let no_tls = ("tls", "skipped");
    is(&found(), &[no_tls]);
    #[cfg(unix)]
    for (mode, outcome) in [(0o644, &[no_tls, ("vault", "vault.permissions")][..]), (0o600, &[no_tls])] {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(phone.vault(), fs::Permissions::from_mode(mode)).unwrap();
        is(&found(), outcome);
    }
    fs::write(phone.vault(), "something else").unwrap();
    is(&found(), &[no_tls, ("vault", "vault.not-a-vault")]);
    fs::remove_file(phone.vault()).unwrap();
    is(&found(), &[no_tls, ("vault", "vault.not-found")]);
    assert!(!phone.vault().exists());
}

#[test]
fn people_read_one_line_a_check_and_the_remedy_under_a_finding() {
    let (phone, relay) = (Phone::new(), relay(NOT_FOUND));
    let mut doctor = phone.command(&["doctor", "--danger-relay", &relay.ws()]);
    let output = doctor.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 8 + 2, "{text}");
    assert!(lines[0].starts_with("finding  radio       Bluetooth: "), "{text}");
    assert!(lines[0].ends_with("(radio.no-service)"), "{text}");
    assert!(lines[1].starts_with("         remedy: "), "{text}");
    assert!(lines[2].starts_with("skipped  permission  Bluetooth: "), "{text}");
    assert!(lines[3].starts_with("ok       name        127.0.0.1: "), "{text}");
}
