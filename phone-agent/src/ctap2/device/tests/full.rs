//! As many passkeys as there may be.

use super::platform::{Platform, map};
use super::requests::*;

const RP: &str = "example.com";

#[test]
fn a_full_store_takes_no_more_and_still_replaces() {
    let mut platform = Platform::new();
    platform.device.most_passkeys = 3;
    // Each counts, wherever it is from and however it is found.
    platform.add("other.example", b"1", |passkey| passkey.discoverable = false);
    platform.add("other.example", b"2", |_| {});
    let remaining = |platform: &mut Platform| {
        map(&platform.ask(&[0x04]).unwrap()).get(0x14).unwrap().as_unsigned().unwrap()
    };
    assert_eq!(remaining(&mut platform), 1);
    let first = platform.make(&make_discoverable(RP, b"1")).unwrap();
    assert_eq!(remaining(&mut platform), 0);
    for request in [make_discoverable(RP, b"2"), make(RP, b"1"), make_discoverable("other.example", b"1")] {
        assert_eq!(platform.make(&request).map(drop), Err(0x28));
        assert_eq!(platform.passkeys(), 3);
    }
    let again = platform.make(&make_discoverable(RP, b"1")).unwrap();
    assert_ne!(first.id(), again.id());
    let kept: Vec<_> = platform.device.vault.passkeys().filter(|passkey| passkey.rp.id == RP).collect();
    assert_eq!(kept.iter().map(|passkey| passkey.id.as_bytes()).collect::<Vec<_>>(), [again.id()]);
    assert_eq!((platform.passkeys(), remaining(&mut platform)), (3, 0));
}
