//! Both protocols against what python-fido2's platform computes.

use rand_core::OsRng;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Gives this byte, again and again.
struct Constant(u8);

impl rand_core::CryptoRng for Constant {}

impl rand_core::RngCore for Constant {
    fn next_u32(&mut self) -> u32 {
        u32::from_be_bytes([self.0; 4])
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_be_bytes([self.0; 8])
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        dest.fill(self.0);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        dest.fill(self.0);
        Ok(())
    }
}

const Z: [u8; 32] = {
    let mut z = [0; 32];
    let mut i = 0u8;
    while i < 32 {
        #[allow(clippy::as_conversions, reason = "no other conversion is const")]
        {
            z[i as usize] = i;
        }
        i += 1;
    }
    z
};

#[test]
fn keys_ciphertexts_and_tags_are_those_of_another_implementation() {
    let plaintext: Vec<u8> = (0x40..0x60).collect();
    for (protocol, keys, ciphertext, tag) in [
        (
            Protocol::One,
            "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd\
             630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd",
            "78e7e8966d197598397065dd603b79a8347f84d4e1127ad79f3a0a6e4e27aaf7",
            "0e1ed6c97a5536d6813284ba23672f5a",
        ),
        (
            Protocol::Two,
            "a689b3b92a6ebab91192408da9c4f05c674a2bc5f938d613077716c719a8df39\
             0f6ff2ef211829c11638ef2893ea02edf195658c0572393e7680d93bc2b58d44",
            "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\
             534c065047cf2bbea682966ed2abe4f0c341a437556f5c65296a08c236abce55",
            "8ed41fb06108031d3e97613e4eb730eb882d7acdd3156b2abf9bc87cd0a9489d",
        ),
    ] {
        let shared = SharedSecret::derive(protocol, &Z);
        assert_eq!(shared.keys.as_slice(), hex(keys));
        assert_eq!(shared.encrypt(&plaintext, &mut Constant(0xa5)).unwrap(), hex(ciphertext));
        assert_eq!(*shared.decrypt(&hex(ciphertext)).unwrap(), plaintext);
        assert!(shared.verify(b"message", &hex(tag)));
        for length in 0..hex(tag).len() {
            assert!(!shared.verify(b"message", &hex(tag)[..length]));
        }
        assert!(!shared.verify(b"message", &[hex(tag), vec![0]].concat()));
        assert!(!shared.verify(b"massage", &hex(tag)));
    }
}

#[test]
fn two_sides_of_a_known_agreement_have_the_same_secret() {
    let own = "7452e599fee739d8a653f6a507343d12d382249108a651402520b72f24fe7684";
    let peer = Writer::map_of(|key| {
        key.entry(1, |w| w.unsigned(2));
        key.entry(3, |w| w.int(-25));
        key.entry(-1, |w| w.unsigned(1));
        key.entry(-2, |w| w.bytes(&hex("0501d5bc78da9252560a26cb08fcc60cbe0b6d3b8e1d1fcee514fac0af675168")));
        key.entry(-3, |w| w.bytes(&hex("d551b3ed46f665731f95b4532939c25d91db7eb844bd96d4abd4083785f8df47")));
    });
    let mut pin_uv = PinUv::new(&mut OsRng).unwrap();
    pin_uv.one = SecretKey::from_slice(&hex(own)).unwrap();
    let peer = cablecar_protocol::cbor::parse(&peer, 2).unwrap();
    let shared = pin_uv.shared_secret(Protocol::One, peer).unwrap();
    let expected = hex("c42a039d548100dfba521e487debcbbb8b66bb7496f8b1862a7a395ed83e1a1c");
    assert_eq!([shared.mac_key(), shared.aes_key()], [expected.as_slice(); 2]);
    let token = hex("aff12c6dcfbf9df52f7a09211e8865cd");
    assert_eq!(*shared.decrypt(&hex("7a9f98e31b77be90f9c64d12e9635040")).unwrap(), token);
    let coordinates = [
        hex("44d78d7989b97e62ea993496c9ef6e8fd58b8b00715f9a89153ddd9c4657e47f"),
        hex("ec802ee7d22bd4e100f12e48537eb4e7e96ed3a47a0a3bd5f5eeab65001664f9"),
    ];
    let public = Writer::item(|w| pin_uv.write_public_key(Protocol::One, w));
    assert!(public.ends_with(
        &[&[0x21, 0x58, 0x20][..], &coordinates[0], &[0x22, 0x58, 0x20], &coordinates[1]].concat()
    ));
}

#[test]
fn what_is_not_of_whole_blocks_does_not_decrypt() {
    for protocol in [Protocol::One, Protocol::Two] {
        let shared = SharedSecret::derive(protocol, &Z);
        for length in [1, 15, 17, 31, 33] {
            assert_eq!(shared.decrypt(&vec![0; length]).map(drop), Err(Status::INVALID_PARAMETER));
        }
    }
    assert!(SharedSecret::derive(Protocol::Two, &Z).decrypt(&[]).is_err());
}
