//! credentialManagement.

use cablecar_protocol::cbor::{self, Entries, Writer};

use super::platform::{ACFG, CM, MC, Platform, Token, map, sha256};
use crate::vault::{Algorithm, CredentialId, LargeBlobKey, PrivateKey, Protection};

/// Sends a subcommand with a proof by this token, or none.
fn manage(
    platform: &mut Platform,
    token: Option<&Token>,
    subcommand: u8,
    parameters: Option<Vec<u8>>,
) -> (u8, Vec<u8>) {
    manage_by(0x0a, platform, token, subcommand, parameters)
}

/// The same, by this command: it has two.
fn manage_by(
    command: u8,
    platform: &mut Platform,
    token: Option<&Token>,
    subcommand: u8,
    parameters: Option<Vec<u8>>,
) -> (u8, Vec<u8>) {
    let message = [&[subcommand], parameters.as_deref().unwrap_or_default()].concat();
    platform.send(command, |map| {
        map.entry(1, |w| w.unsigned(subcommand.into()));
        if let Some(parameters) = &parameters {
            map.entry(2, |w| w.copy(cbor::parse(parameters, 8).unwrap()));
        }
        if let Some(token) = token {
            map.entry(3, |w| w.unsigned(token.protocol));
            map.entry(4, |w| w.bytes(&token.authenticate(&message)));
        }
    })
}

fn of_rp(rp: &str) -> Option<Vec<u8>> {
    Some(Writer::map_of(|map| _ = map.entry(1, |w| w.bytes(&sha256(rp.as_bytes())))))
}

fn write_credential(id: &CredentialId, kind: &str, map: &mut Entries) {
    map.entry(2, |w| {
        w.map(|map| {
            map.text_entry("id", |w| w.bytes(id.as_bytes()));
            map.text_entry("type", |w| w.text(kind));
        });
    });
}

fn of_credential(id: &CredentialId) -> Option<Vec<u8>> {
    Some(Writer::map_of(|map| write_credential(id, "public-key", map)))
}

fn with_user(id: &CredentialId, user: &[u8], name: Option<&str>, display: Option<&str>) -> Option<Vec<u8>> {
    Some(Writer::map_of(|map| {
        write_credential(id, "public-key", map);
        map.entry(3, |w| {
            w.map(|map| {
                map.text_entry("id", |w| w.bytes(user));
                for (key, text) in [("name", name), ("displayName", display)] {
                    if let Some(text) = text {
                        map.text_entry(key, |w| w.text(text));
                    }
                }
            });
        });
    }))
}

fn keys(body: &[u8]) -> Vec<i64> {
    map(body).iter().map(|(key, _)| key.as_int().unwrap()).collect()
}

fn number(body: &[u8], key: i64) -> u64 {
    map(body).get(key).unwrap().as_unsigned().unwrap()
}

fn rp_of(body: &[u8]) -> String {
    let id = map(body).get(3).unwrap().as_map().unwrap().get_text("id").unwrap().as_text().unwrap();
    assert_eq!(map(body).get(4).unwrap().as_bytes().unwrap(), sha256(id.as_bytes()));
    id.to_owned()
}

fn id_of(body: &[u8]) -> Vec<u8> {
    let id = map(body).get(7).unwrap().as_map().unwrap();
    assert_eq!(id.get_text("type").unwrap().as_text(), Some("public-key"));
    id.get_text("id").unwrap().as_bytes().unwrap().to_vec()
}

/// Three RPs, of which the last has nothing to be found.
fn stocked() -> (Platform, Vec<CredentialId>) {
    let mut platform = Platform::with_pin("1234");
    let ids = vec![
        platform.add("one.example", b"1", |passkey| passkey.rp.name = Some("One".into())),
        platform.add("two.example", b"1", |passkey| {
            passkey.key = PrivateKey::random(Algorithm::EdDsa, &mut rand_core::OsRng).unwrap();
            passkey.protection = Protection::Required;
            passkey.large_blob_key = LargeBlobKey::from_bytes(&[7; 32]);
        }),
        platform.add("one.example", b"2", |passkey| passkey.user.display_name = None),
        platform.add("one.example", b"3", |passkey| passkey.discoverable = false),
        platform.add("three.example", b"1", |passkey| passkey.discoverable = false),
    ];
    (platform, ids)
}

fn token(platform: &mut Platform) -> Token {
    platform.token(2, "1234", CM, None).unwrap()
}

#[test]
fn discoverable_credentials_are_counted() {
    for protocol in [1, 2] {
        let (mut platform, _) = stocked();
        let token = platform.token(protocol, "1234", CM, None).unwrap();
        let (status, body) = manage(&mut platform, Some(&token), 1, None);
        assert_eq!((status, number(&body, 1), number(&body, 2)), (0, 3, 99_995));
        assert_eq!(keys(&body), [1, 2]);
    }
}

#[test]
fn relying_parties_and_their_credentials_are_listed_one_by_one() {
    let (mut platform, ids) = stocked();
    let token = token(&mut platform);
    let (status, body) = manage(&mut platform, Some(&token), 2, None);
    assert_eq!((status, rp_of(&body).as_str(), number(&body, 5)), (0, "one.example", 2));
    assert_eq!(keys(&body), [3, 4, 5]);
    let rp = map(&body).get(3).unwrap().as_map().unwrap();
    assert_eq!(rp.get_text("name").unwrap().as_text(), Some("One"));
    let (status, body) = manage(&mut platform, None, 3, None);
    assert_eq!((status, rp_of(&body).as_str(), keys(&body)), (0, "two.example", vec![3, 4]));
    assert_eq!(manage(&mut platform, None, 3, None), (0x30, vec![]));

    let (status, body) = manage(&mut platform, Some(&token), 4, of_rp("one.example"));
    assert_eq!((status, id_of(&body), number(&body, 9)), (0, ids[0].as_bytes().to_vec(), 2));
    assert_eq!((keys(&body), number(&body, 0x0a)), (vec![6, 7, 8, 9, 0x0a], 1));
    let user = map(&body).get(6).unwrap().as_map().unwrap();
    assert_eq!(user.get_text("id").unwrap().as_bytes(), Some(&b"1"[..]));
    assert_eq!(user.get_text("name").unwrap().as_text(), Some("alice"));
    assert_eq!(user.get_text("displayName").unwrap().as_text(), Some("Alice"));
    let key = map(&body).get(8).unwrap().as_map().unwrap();
    assert_eq!(key.get(3).unwrap().as_int(), Some(-7));
    let (status, body) = manage(&mut platform, None, 5, None);
    assert_eq!((status, id_of(&body), keys(&body)), (0, ids[2].as_bytes().to_vec(), vec![6, 7, 8, 0x0a]));
    assert_eq!(map(&body).get(6).unwrap().as_map().unwrap().len(), 2);
    assert_eq!(manage(&mut platform, None, 5, None), (0x30, vec![]));

    let (status, body) = manage(&mut platform, Some(&token), 4, of_rp("two.example"));
    assert_eq!((status, id_of(&body), number(&body, 9)), (0, ids[1].as_bytes().to_vec(), 1));
    assert_eq!((number(&body, 0x0a), map(&body).get(0x0b).unwrap().as_bytes()), (3, Some(&[7; 32][..])));
    assert_eq!(map(&body).get(8).unwrap().as_map().unwrap().get(3).unwrap().as_int(), Some(-8));
    for rp in ["three.example", "four.example"] {
        assert_eq!(manage(&mut platform, Some(&token), 4, of_rp(rp)), (0x2e, vec![]));
    }
    let mut platform = Platform::with_pin("1234");
    let token = platform.token(2, "1234", CM, None).unwrap();
    assert_eq!(manage(&mut platform, Some(&token), 2, None), (0x2e, vec![]));
}

/// What libfido2 sends up to 1.12.
#[test]
fn the_preview_does_the_same() {
    let (mut platform, _) = stocked();
    let token = token(&mut platform);
    for (subcommand, parameters) in [(1, None), (2, None), (4, of_rp("one.example")), (9, None)] {
        let [one, other] = [0x0a, 0x41]
            .map(|command| manage_by(command, &mut platform, Some(&token), subcommand, parameters.clone()));
        assert_eq!(one, other, "{subcommand}");
        let expected = if subcommand == 9 { 0x3e } else { 0 };
        assert_eq!(other.0, expected, "{subcommand}");
    }
}

#[test]
fn no_answer_holds_a_secret() {
    let (mut platform, _) = stocked();
    let token = token(&mut platform);
    let mut told = Vec::new();
    told.extend(manage(&mut platform, Some(&token), 2, None).1);
    told.extend(manage(&mut platform, None, 3, None).1);
    for rp in ["one.example", "two.example"] {
        told.extend(manage(&mut platform, Some(&token), 4, of_rp(rp)).1);
        told.extend(manage(&mut platform, None, 5, None).1);
    }
    let holds = |secret: &[u8]| told.windows(secret.len()).any(|window| window == secret);
    assert!(holds(&[7; 32]));
    for passkey in platform.device.vault.passkeys() {
        assert!(!holds(passkey.key.expose()) && !holds(&passkey.prf.expose()[..32]));
    }
}

#[test]
fn the_credentials_of_one_rp_may_be_told_before_the_next_rp() {
    let (mut platform, ids) = stocked();
    let token = token(&mut platform);
    let (_, first) = manage(&mut platform, Some(&token), 2, None);
    assert_eq!(rp_of(&first), "one.example");
    let (_, body) = manage(&mut platform, Some(&token), 4, of_rp("one.example"));
    assert_eq!(id_of(&body), ids[0].as_bytes());
    let (_, body) = manage(&mut platform, None, 5, None);
    assert_eq!(id_of(&body), ids[2].as_bytes());
    let (status, second) = manage(&mut platform, None, 3, None);
    assert_eq!((status, rp_of(&second).as_str()), (0, "two.example"));
    // The next RP ends the list of credentials.
    assert_eq!(manage(&mut platform, Some(&token), 2, None).0, 0);
    assert_eq!(manage(&mut platform, Some(&token), 4, of_rp("one.example")).0, 0);
    assert_eq!(manage(&mut platform, None, 3, None).0, 0);
    assert_eq!(manage(&mut platform, None, 5, None).0, 0x30);
    // And so does a request for credentials that is refused, both of them.
    assert_eq!(manage(&mut platform, Some(&token), 2, None).0, 0);
    assert_eq!(manage(&mut platform, Some(&token), 4, of_rp("other.example")).0, 0x2e);
    assert_eq!(manage(&mut platform, None, 3, None).0, 0x30);
}

#[test]
fn a_list_ends_with_any_other_command() {
    let (mut platform, _) = stocked();
    let token = token(&mut platform);
    assert_eq!(manage(&mut platform, None, 3, None).0, 0x30);
    assert_eq!(manage(&mut platform, None, 5, None).0, 0x30);
    let others: [&[u8]; 6] =
        [&[0x0b], &[0x06, 0xa1, 0x02, 0x01], &[0x0c, 0xa0], &[0x0a, 0xa1, 0x01, 0x05], &[0x99], &[]];
    for other in others {
        assert_eq!(manage(&mut platform, Some(&token), 2, None).0, 0);
        platform.raw(other);
        assert_eq!(manage(&mut platform, None, 3, None).0, 0x30, "{other:?}");
        assert_eq!(manage(&mut platform, Some(&token), 4, of_rp("one.example")).0, 0);
        if other != [0x0a, 0xa1, 0x01, 0x05] {
            platform.raw(other);
            assert_eq!(manage(&mut platform, None, 5, None).0, 0x30, "{other:?}");
        }
    }
    // Time and power end it too.
    assert_eq!(manage(&mut platform, Some(&token), 2, None).0, 0);
    platform.passes(30);
    assert_eq!(manage(&mut platform, None, 3, None).0, 0x30);
    assert_eq!(manage(&mut platform, Some(&token), 2, None).0, 0);
    platform.passes(29);
    assert_eq!(manage(&mut platform, None, 3, None).0, 0);
    assert_eq!(manage(&mut platform, Some(&token), 2, None).0, 0);
    platform.power_cycle();
    assert_eq!(manage(&mut platform, None, 3, None).0, 0x30);
}

#[test]
fn a_credential_is_removed() {
    let (mut platform, ids) = stocked();
    let token = token(&mut platform);
    assert_eq!(manage(&mut platform, Some(&token), 6, of_credential(&ids[0])), (0, vec![]));
    assert_eq!(manage(&mut platform, Some(&token), 6, of_credential(&ids[0])).0, 0x2e);
    // What is not to be found is not to be managed.
    assert_eq!(manage(&mut platform, Some(&token), 6, of_credential(&ids[3])).0, 0x2e);
    let other = Some(Writer::map_of(|map| write_credential(&ids[1], "other", map)));
    assert_eq!(manage(&mut platform, Some(&token), 6, other).0, 0x2e);
    platform.power_cycle();
    let left: Vec<_> = platform.device.vault.passkeys().map(|passkey| passkey.id.clone()).collect();
    assert_eq!(left, ids[1..]);
}

#[test]
fn an_account_is_renamed_and_keeps_its_handle() {
    let (mut platform, ids) = stocked();
    let token = token(&mut platform);
    let names = |platform: &Platform| {
        let passkey = platform.device.vault.passkeys().find(|passkey| passkey.id == ids[0]).unwrap();
        (passkey.user.name.clone(), passkey.user.display_name.clone())
    };
    let rename = |platform: &mut Platform, user: &[u8], name, display| {
        manage(platform, Some(&token), 7, with_user(&ids[0], user, name, display)).0
    };
    assert_eq!(rename(&mut platform, b"2", Some("bob"), None), 0x02);
    assert_eq!(rename(&mut platform, b"", Some("bob"), None), 0x02);
    assert_eq!(names(&platform), (Some("alice".into()), Some("Alice".into())));
    assert_eq!(rename(&mut platform, b"1", Some("bob"), Some("Bob")), 0);
    platform.power_cycle();
    assert_eq!(names(&platform), (Some("bob".into()), Some("Bob".into())));
    let token = platform.token(2, "1234", CM, None).unwrap();
    // What is not said is not kept.
    let parameters = with_user(&ids[0], b"1", None, Some(""));
    assert_eq!(manage(&mut platform, Some(&token), 7, parameters), (0, vec![]));
    assert_eq!(names(&platform), (None, None));
    let long = "x".repeat(1000);
    assert_eq!(manage(&mut platform, Some(&token), 7, with_user(&ids[0], b"1", Some(&long), None)).0, 0);
    assert_eq!(names(&platform).0.unwrap().len(), crate::defaults::MAX_NAME);
    let unknown = CredentialId::new(vec![1]);
    assert_eq!(manage(&mut platform, Some(&token), 7, with_user(&unknown, b"1", None, None)).0, 0x2e);
    assert_eq!(manage(&mut platform, Some(&token), 7, with_user(&ids[3], b"3", None, None)).0, 0x2e);
}

#[test]
fn a_token_for_one_rp_manages_that_one() {
    let (mut platform, ids) = stocked();
    let token = platform.token(1, "1234", CM, Some("one.example")).unwrap();
    assert_eq!(manage(&mut platform, Some(&token), 1, None).0, 0x33);
    assert_eq!(manage(&mut platform, Some(&token), 2, None).0, 0x33);
    assert_eq!(manage(&mut platform, Some(&token), 4, of_rp("two.example")).0, 0x33);
    assert_eq!(manage(&mut platform, Some(&token), 4, of_rp("one.example")).0, 0);
    assert_eq!(manage(&mut platform, Some(&token), 6, of_credential(&ids[1])).0, 0x33);
    assert_eq!(manage(&mut platform, Some(&token), 7, with_user(&ids[1], b"1", None, None)).0, 0x33);
    assert_eq!(manage(&mut platform, Some(&token), 7, with_user(&ids[0], b"1", None, None)).0, 0);
    assert_eq!(manage(&mut platform, Some(&token), 6, of_credential(&ids[0])).0, 0);
    assert_eq!(platform.device.vault.passkeys().count(), 4);
}

#[test]
fn the_proof_is_checked_in_the_order_of_the_specification() {
    let (mut platform, ids) = stocked();
    let right = token(&mut platform);
    let parameters = [
        (1, None),
        (2, None),
        (4, of_rp("one.example")),
        (6, of_credential(&ids[0])),
        (7, with_user(&ids[0], b"1", None, None)),
    ];
    for (subcommand, parameters) in parameters {
        let message = [&[subcommand], parameters.as_deref().unwrap_or_default()].concat();
        let mut with = |protocol: Option<u64>, param: Option<&[u8]>| {
            platform.status(0x0a, |map| {
                map.entry(1, |w| w.unsigned(subcommand.into()));
                if let Some(parameters) = &parameters {
                    map.entry(2, |w| w.copy(cbor::parse(parameters, 8).unwrap()));
                }
                if let Some(protocol) = protocol {
                    map.entry(3, |w| w.unsigned(protocol));
                }
                if let Some(param) = param {
                    map.entry(4, |w| w.bytes(param));
                }
            })
        };
        let tag = right.authenticate(&message);
        assert_eq!(with(None, None), 0x36);
        assert_eq!(with(Some(2), None), 0x36);
        assert_eq!(with(None, Some(&tag)), 0x14);
        assert_eq!(with(Some(3), Some(&tag)), 0x02);
        assert_eq!(with(Some(1), Some(&tag)), 0x33);
        assert_eq!(with(Some(2), Some(&[])), 0x33);
        assert_eq!(with(Some(2), Some(&tag[..31])), 0x33);
        if parameters.is_some() {
            // The parameters are part of what is proven.
            assert_eq!(with(Some(2), Some(&right.authenticate(&[subcommand]))), 0x33);
            assert_eq!(manage(&mut platform, Some(&right), subcommand, None).0, 0x14);
            let none = Some(Writer::map_of(|_| {}));
            assert_eq!(manage(&mut platform, Some(&right), subcommand, none).0, 0x14);
        }
    }
    let other = platform.token(2, "1234", MC | ACFG, Some("one.example")).unwrap();
    assert_eq!(manage(&mut platform, Some(&other), 1, None).0, 0x33);
    assert_eq!(manage(&mut platform, Some(&other), 4, of_rp("one.example")).0, 0x33);
    assert_eq!(platform.device.vault.passkeys().count(), 5);
}

#[test]
fn what_is_mistyped_has_its_own_status() {
    let (mut platform, ids) = stocked();
    let token = token(&mut platform);
    let mut with = |subcommand, key, fill: fn(&mut Writer)| {
        let parameters = Writer::map_of(|map| {
            if key != 2 && subcommand == 7 {
                write_credential(&ids[0], "public-key", map);
            }
            map.entry(key, fill);
        });
        manage(&mut platform, Some(&token), subcommand, Some(parameters)).0
    };
    assert_eq!(with(4, 1, |w| w.text("x")), 0x11);
    assert_eq!(with(4, 1, |w| w.bytes(&[0; 31])), 0x03);
    assert_eq!(with(4, 1, |w| w.bytes(&[0; 33])), 0x03);
    assert_eq!(with(6, 2, |w| w.bytes(&[1])), 0x11);
    assert_eq!(with(6, 2, |w| w.map(|_| {})), 0x14);
    assert_eq!(with(7, 3, |w| w.text("bob")), 0x11);
    assert_eq!(with(7, 3, |w| w.map(|_| {})), 0x14);
    assert_eq!(with(7, 4, |w| w.map(|_| {})), 0x14);
    for subcommand in [0, 8, 0xff] {
        assert_eq!(manage(&mut platform, Some(&token), subcommand, None).0, 0x3e);
        assert_eq!(manage(&mut platform, None, subcommand, None).0, 0x3e);
    }
    assert_eq!(platform.status(0x0a, |_| {}), 0x14);
    for (key, status) in [(1, 0x11), (2, 0x11), (3, 0x11), (4, 0x11), (5, 0x36)] {
        let status_seen = platform.status(0x0a, |map| {
            map.entry(key, |w| w.text("x"));
            map.entry(1, |w| w.unsigned(1));
        });
        assert_eq!(status_seen, status, "{key}");
    }
}
