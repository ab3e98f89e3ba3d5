//! authenticatorConfig.

use cablecar_protocol::cbor::{Entries, Writer};

use super::platform::{ACFG, CM, MC, Platform, Token};
use crate::defaults;

/// Sends a subcommand with a proof by this token, or none.
fn config(
    platform: &mut Platform,
    token: Option<&Token>,
    subcommand: u64,
    parameters: Option<Vec<u8>>,
) -> u8 {
    let mut message = [vec![0xff; 32], vec![0x0d, u8::try_from(subcommand).unwrap()]].concat();
    message.extend(parameters.iter().flatten());
    platform.status(0x0d, |map| {
        map.entry(1, |w| w.unsigned(subcommand));
        if let Some(parameters) = &parameters {
            map.entry(2, |w| w.copy(cablecar_protocol::cbor::parse(parameters, 8).unwrap()));
        }
        if let Some(token) = token {
            map.entry(3, |w| w.unsigned(token.protocol));
            map.entry(4, |w| w.bytes(&token.authenticate(&message)));
        }
    })
}

fn min_pin(fill: impl FnOnce(&mut Entries)) -> Option<Vec<u8>> {
    Some(Writer::map_of(fill))
}

fn length(length: u64) -> Option<Vec<u8>> {
    min_pin(|map| _ = map.entry(1, |w| w.unsigned(length)))
}

fn rp_ids(ids: &[&str]) -> Option<Vec<u8>> {
    min_pin(|map| _ = map.entry(2, |w| w.array(|list| ids.iter().for_each(|id| list.push(|w| w.text(id))))))
}

fn token(platform: &mut Platform, pin: &str) -> Token {
    platform.token(2, pin, ACFG, None).unwrap()
}

#[test]
fn always_uv_is_turned_on_and_off_by_who_may() {
    let mut platform = Platform::new();
    // Without any protection everybody may.
    assert_eq!(config(&mut platform, None, 2, None), 0);
    assert!(platform.stored().always_uv);
    // Also back: there is nothing yet by which to verify anybody. Nothing
    // else is to be had without.
    assert_eq!(config(&mut platform, None, 3, None), 0x36);
    assert_eq!(config(&mut platform, None, 2, None), 0);
    assert!(!platform.stored().always_uv);
    assert_eq!(config(&mut platform, None, 2, None), 0);
    assert_eq!(platform.set_pin(2, "1234"), 0);
    assert_eq!(config(&mut platform, None, 2, None), 0x36);
    for protocol in [1, 2, 1] {
        let token = platform.token(protocol, "1234", ACFG, None).unwrap();
        let before = platform.stored().always_uv;
        assert_eq!(config(&mut platform, Some(&token), 2, None), 0);
        assert_eq!(platform.stored().always_uv, !before);
    }
    let wrong = platform.token(2, "1234", MC | CM, Some("example.com")).unwrap();
    assert_eq!(config(&mut platform, Some(&wrong), 2, None), 0x33);
    let mut platform = Platform::with_uv(true);
    assert_eq!(config(&mut platform, None, 2, None), 0x36);
    let token = platform.token_by_uv(2, ACFG, None).unwrap();
    assert_eq!(config(&mut platform, Some(&token), 2, None), 0);
}

#[test]
fn the_proof_is_checked_in_the_order_of_the_specification() {
    let mut platform = Platform::with_pin("1234");
    let token = token(&mut platform, "1234");
    let mut with = |protocol: Option<u64>, param: Option<&[u8]>| {
        platform.status(0x0d, |map| {
            map.entry(1, |w| w.unsigned(2));
            if let Some(protocol) = protocol {
                map.entry(3, |w| w.unsigned(protocol));
            }
            if let Some(param) = param {
                map.entry(4, |w| w.bytes(param));
            }
        })
    };
    let right = token.authenticate(&[vec![0xff; 32], vec![0x0d, 2]].concat());
    assert_eq!(with(None, None), 0x36);
    assert_eq!(with(Some(3), None), 0x36);
    assert_eq!(with(None, Some(&right)), 0x14);
    assert_eq!(with(Some(3), Some(&right)), 0x02);
    assert_eq!(with(Some(1), Some(&right)), 0x33);
    assert_eq!(with(Some(2), Some(&[])), 0x33);
    assert_eq!(with(Some(2), Some(&right[..16])), 0x33);
    assert_eq!(with(Some(2), Some(&right)), 0);
    for subcommand in [0, 1, 4, 0xff] {
        assert_eq!(config(&mut platform, Some(&token), subcommand, None), 0x02);
        assert_eq!(config(&mut platform, None, subcommand, None), 0x02);
    }
    assert_eq!(platform.status(0x0d, |_| {}), 0x14);
    assert_eq!(platform.status(0x0d, |map| _ = map.entry(1, |w| w.text("2"))), 0x11);
    for key in [2, 3, 4] {
        let status = platform.status(0x0d, |map| {
            map.entry(1, |w| w.unsigned(2));
            map.entry(key, |w| w.bool(true));
        });
        assert_eq!(status, 0x11, "{key}");
    }
    assert_eq!(platform.raw(&[0x0d]), [0x12]);
}

#[test]
fn the_shortest_length_only_grows() {
    let mut platform = Platform::with_pin("123456");
    let mut set = |parameters| {
        let token = token(&mut platform, "123456");
        let status = config(&mut platform, Some(&token), 3, parameters);
        (status, platform.stored().min_pin_length)
    };
    assert_eq!(set(None), (0x14, 4));
    assert_eq!(set(length(3)), (0x37, 4));
    assert_eq!(set(length(0)), (0x37, 4));
    assert_eq!(set(length(4)), (0, 4));
    assert_eq!(set(length(6)), (0, 6));
    assert_eq!(set(length(5)), (0x37, 6));
    assert_eq!(set(length(64)), (0x37, 6));
    assert_eq!(set(length(256 + 6)), (0x37, 6));
    assert_eq!(set(length(u64::from(u32::MAX))), (0x37, 6));
    assert_eq!(set(min_pin(|_| {})), (0, 6));
    assert_eq!(set(min_pin(|map| _ = map.entry(1, |w| w.text("7")))), (0x11, 6));
    assert_eq!(set(min_pin(|map| _ = map.entry(2, |w| w.text("7")))), (0x11, 6));
    assert_eq!(set(min_pin(|map| _ = map.entry(3, |w| w.unsigned(1)))), (0x11, 6));
    assert_eq!(platform.change_pin(2, "123456", "12345"), 0x37);
    assert_eq!(platform.change_pin(2, "123456", "654321"), 0);
    let token = token(&mut platform, "654321");
    assert_eq!(config(&mut platform, Some(&token), 3, length(63)), 0);
    assert!(platform.stored().force_pin_change);
    assert_eq!(platform.change_pin(2, "654321", &"x".repeat(62)), 0x37);
    assert_eq!(platform.change_pin(2, "654321", &"x".repeat(63)), 0);
}

#[test]
fn a_pin_that_became_too_short_must_be_changed() {
    let mut platform = Platform::with_pin("12345");
    let first = token(&mut platform, "12345");
    assert_eq!(config(&mut platform, Some(&first), 3, length(5)), 0);
    assert!(!platform.stored().force_pin_change);
    assert_eq!(config(&mut platform, Some(&first), 3, length(6)), 0);
    assert!(platform.stored().force_pin_change);
    // The token went with it.
    assert_eq!(config(&mut platform, Some(&first), 3, length(7)), 0x33);
    assert_eq!(platform.token(2, "12345", ACFG, None), Err(0x37));
    assert_eq!(platform.legacy_token(2, "12345"), Err(0x31));
    assert_eq!(platform.change_pin(2, "12345", "123456"), 0);
    assert!(platform.token(2, "123456", ACFG, None).is_ok());
}

#[test]
fn a_change_can_be_forced_where_there_is_a_pin() {
    let force = || min_pin(|map| _ = map.entry(3, |w| w.bool(true)));
    let mut platform = Platform::new();
    assert_eq!(config(&mut platform, None, 3, force()), 0x35);
    let leave = min_pin(|map| _ = map.entry(3, |w| w.bool(false)));
    assert_eq!(config(&mut platform, None, 3, leave), 0);
    assert_eq!(config(&mut platform, None, 3, length(8)), 0);
    assert_eq!(platform.set_pin(2, "1234567"), 0x37);
    assert_eq!(platform.set_pin(2, "12345678"), 0);
    let token = token(&mut platform, "12345678");
    assert_eq!(config(&mut platform, Some(&token), 3, force()), 0);
    assert!(platform.stored().force_pin_change);
    platform.power_cycle();
    assert_eq!(platform.token(2, "12345678", ACFG, None), Err(0x37));
}

#[test]
fn rp_ids_that_learn_the_length_replace_those_before() {
    let mut platform = Platform::new();
    assert_eq!(config(&mut platform, None, 3, rp_ids(&["one.example", "two.example"])), 0);
    assert_eq!(platform.stored().min_pin_rp_ids, ["one.example", "two.example"]);
    // A change of something else leaves them.
    assert_eq!(config(&mut platform, None, 3, length(5)), 0);
    assert_eq!(platform.stored().min_pin_rp_ids.len(), 2);
    let most = vec!["most.example"; defaults::MAX_MIN_PIN_RP_IDS];
    assert_eq!(config(&mut platform, None, 3, rp_ids(&most)), 0);
    let more = vec!["more.example"; defaults::MAX_MIN_PIN_RP_IDS + 1];
    assert_eq!(config(&mut platform, None, 3, rp_ids(&more)), 0x28);
    assert_eq!(config(&mut platform, None, 3, rp_ids(&[&"x".repeat(254)])), 0x28);
    assert_eq!(platform.stored().min_pin_rp_ids, most);
    // All or nothing.
    let both = min_pin(|map| {
        map.entry(1, |w| w.unsigned(9));
        map.entry(2, |w| w.array(|list| more.iter().for_each(|id| list.push(|w| w.text(id)))));
    });
    assert_eq!(config(&mut platform, None, 3, both), 0x28);
    assert_eq!(platform.stored().min_pin_length, 5);
    assert_eq!(config(&mut platform, None, 3, rp_ids(&[])), 0);
    assert_eq!(platform.stored().min_pin_rp_ids, [""; 0]);
    let mistyped = min_pin(|map| _ = map.entry(2, |w| w.array(|list| list.push(|w| w.unsigned(1)))));
    assert_eq!(config(&mut platform, None, 3, mistyped), 0x11);
}
