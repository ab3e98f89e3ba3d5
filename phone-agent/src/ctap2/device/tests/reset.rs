//! reset: when, asked, and what is left.

use rand_core::OsRng;

use super::platform::{CM, LBW, Platform};
use crate::consent::{Answer, What};
use crate::vault::{Policy, State};

#[test]
fn it_erases_all_but_the_policy_and_asks_first() {
    let mut platform = Platform::with_pin("1234");
    platform.add("example.com", b"1", |_| {});
    platform.add("example.org", b"1", |passkey| passkey.discoverable = false);
    let token = platform.token(2, "1234", CM | LBW, None).unwrap();
    assert_eq!(platform.legacy_token(2, "0000"), Err(0x31));
    let change = |state: &mut State| {
        state.policy = Policy::DeviceBound;
        state.always_uv = true;
        state.min_pin_length = 9;
        state.min_pin_rp_ids = vec!["example.com".into()];
        state.large_blobs = vec![1; 20];
        (state.uv_retries, state.force_pin_change) = (1, true);
    };
    platform.device.change_state(&mut OsRng, change).unwrap();

    platform.says = |_| Answer::Decline;
    assert_eq!(platform.raw(&[0x07]), [0x27]);
    platform.says = |_| Answer::CannotAsk;
    assert_eq!(platform.raw(&[0x07]), [0x27]);
    assert_eq!(platform.stored().min_pin_length, 9);

    platform.says = |question| question.approve(0);
    assert_eq!(platform.raw(&[0x07]), [0x00]);
    assert_eq!(platform.asked, [What::Reset, What::Reset, What::Reset]);
    assert_eq!(platform.stored(), State { policy: Policy::DeviceBound, ..State::default() });
    assert_eq!(platform.vault.unlock(&super::platform::passphrase()).unwrap().passkeys().count(), 0);
    let status = platform.status(0x0a, |map| {
        map.entry(1, |w| w.unsigned(1));
        map.entry(3, |w| w.unsigned(2));
        map.entry(4, |w| w.bytes(&token.authenticate(&[1])));
    });
    assert_eq!(status, 0x33);
    assert_eq!(platform.set_pin(2, "5678"), 0);
}

#[test]
fn only_within_10_seconds_of_power_up() {
    let mut platform = Platform::new();
    assert_eq!(platform.raw(&[0x07, 0xa0]), [0x03]);
    platform.passes(9);
    assert_eq!(platform.raw(&[0x07]), [0x00]);
    platform.passes(1);
    assert_eq!(platform.raw(&[0x07]), [0x30]);
    assert_eq!(platform.asked.len(), 1);
    platform.power_cycle();
    assert_eq!(platform.raw(&[0x07]), [0x00]);
}

#[test]
fn it_ends_the_row_of_wrong_pins_and_makes_new_keys() {
    let mut platform = Platform::with_pin("1234");
    for _ in 0..3 {
        assert!(platform.token(2, "0000", CM, None).is_err());
    }
    assert_eq!(platform.retries(), (5, true));
    let agreed = platform.agree(2);
    assert_eq!(platform.raw(&[0x07]), [0x00]);
    assert_eq!(platform.retries(), (8, false));
    assert_eq!(platform.set_padded_pin(&agreed, &super::platform::padded(b"1234")), 0x33);
}
