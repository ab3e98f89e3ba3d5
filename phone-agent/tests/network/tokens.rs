//! The token for a relay that opens tunnels only for some.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::certificates::Authority;
use super::stand_in::{CONFLICT, relay, tls_relay};
use super::{HOST, Phone, ended};

const TOKEN: &str = "the-token-of-this-phone";

fn with_token(text: &str, mode: u32) -> Phone {
    let phone = Phone::new();
    fs::write(phone.path("token"), text).unwrap();
    fs::set_permissions(phone.path("token"), fs::Permissions::from_mode(mode)).unwrap();
    phone
}

#[test]
fn the_relay_is_shown_it_and_nobody_else() {
    let phone = with_token(&format!("{TOKEN}\n"), 0o600);
    let relay = relay(CONFLICT);
    for events in [&[][..], &["--events", "json"]] {
        let url = relay.ws();
        let arguments = [&["--danger-relay", &url, "--relay-token-file", "token"], events].concat();
        let output = phone.scan(&arguments).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("relay.code-in-use") && !said.contains(TOKEN), "{said}");
    }
    for head in relay.heads() {
        assert!(head.starts_with("GET /cable/new/"), "{head}");
        assert_eq!(head.to_lowercase().matches("\r\nauthorization: ").count(), 1, "{head}");
        assert!(head.contains(&format!("Bearer {TOKEN}\r\n")), "{head}");
    }
    assert_eq!(relay.heads().len(), 2);
}

#[test]
fn the_relays_that_everybody_uses_are_not_shown_it() {
    let (phone, authority) = (with_token(TOKEN, 0o600), Authority::new());
    fs::write(phone.path("ca.pem"), authority.pem()).unwrap();
    for (domain, host, shown) in [("0", HOST, false), ("266", "cable.wufkweyy3uaxb.com", true)] {
        let relay = tls_relay(authority.server(host), CONFLICT);
        let rule = relay.instead_of(host);
        let network = ["--domain-id", domain, "--connect-to", &rule, "--ca-file", "ca.pem"];
        let output = phone.scan(&[&network[..], &["--relay-token-file", "token"]].concat()).output().unwrap();
        assert_eq!(ended(&output).1, "relay.code-in-use");
        assert_eq!(relay.heads()[0].contains(TOKEN), shown, "{domain}");
    }
}

#[test]
fn a_file_that_gives_no_token_is_said_before_anything_is_sent() {
    let relay = relay(CONFLICT);
    for (text, mode) in [(TOKEN, 0o644), ("", 0o600), ("\n", 0o600), ("two tokens", 0o600)] {
        let phone = with_token(text, mode);
        let output =
            phone.scan(&["--danger-relay", &relay.ws(), "--relay-token-file", "token"]).output().unwrap();
        let (exit, id, said) = ended(&output);
        assert_eq!((exit, id.as_str()), (2, "relay.token-file"), "{said}");
        assert!(!said.contains(TOKEN), "{said}");
    }
    let output = Phone::new().scan(&["--relay-token-file", "missing"]).output().unwrap();
    assert_eq!(ended(&output).1, "relay.token-file");
    assert_eq!(relay.heads().len(), 0);
}
