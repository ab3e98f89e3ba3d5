use std::io::Write;

use super::*;
use crate::defaults;
use crate::exchange::tests::{CHEAP, outcomes, passkeys, passphrase, rng, taken};
use crate::exchange::{Prf, base64};
use crate::vault::Algorithm;
use stream::Stream;

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";

fn write_cheap(passkeys: &[Foreign]) -> Zeroizing<Vec<u8>> {
    write(passkeys, 1_800_000_000, &passphrase("pass"), CHEAP, &mut rng()).unwrap()
}

fn read_with(file: &[u8]) -> Result<Vec<Found>, Error> {
    read(file, &passphrase("pass"))
}

/// A file around a document, whose protected values are marked by `[[` and `]]`.
fn document(xml: &str) -> Vec<u8> {
    let sealed = container::seal(&passphrase("pass"), CHEAP, &mut rng(), |stream, _| {
        let mut out = String::new();
        for (index, piece) in xml.split("[[").enumerate() {
            let (value, rest) = if index == 0 {
                (None, piece)
            } else {
                piece.split_once("]]").map(|(a, b)| (Some(a), b)).unwrap()
            };
            if let Some(value) = value {
                let mut bytes = value.as_bytes().to_vec();
                stream.apply(&mut bytes).unwrap();
                out += base64::padded(&bytes).as_str();
            }
            out += rest;
        }
        Ok(Zeroizing::new(out.into_bytes()))
    });
    sealed.unwrap().to_vec()
}

fn attribute(name: &str, value: &str) -> String {
    format!("<String><Key>{name}</Key><Value>{value}</Value></String>")
}

fn protected(name: &str, value: &str) -> String {
    format!("<String><Key>{name}</Key><Value Protected=\"True\">[[{value}]]</Value></String>")
}

/// An entry as `KeePassXC` writes one.
fn entry(change: impl Fn(&mut Vec<(String, String)>)) -> String {
    let mut all: Vec<(String, String)> = [
        ("Title", attribute("Title", "Example (Passkey)")),
        ("UserName", attribute("UserName", "alice")),
        ("Password", protected("Password", "hunter2")),
        ("CREDENTIAL_ID", protected("KPEX_PASSKEY_CREDENTIAL_ID", "AQIDBA")),
        ("PEM", protected("KPEX_PASSKEY_PRIVATE_KEY_PEM", PEM)),
        ("RP", attribute("KPEX_PASSKEY_RELYING_PARTY", "example.com")),
        ("USERNAME", attribute("KPEX_PASSKEY_USERNAME", "alice &amp; bob &#x1f511;")),
        ("HANDLE", protected("KPEX_PASSKEY_USER_HANDLE", "YWxpY2U")),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .to_vec();
    change(&mut all);
    let strings: String = all.into_iter().map(|(_, text)| text).collect();
    format!(
        "<Entry><UUID>AAAAAAAAAAAAAAAAAAAAAQ==</UUID><Tags>Passkey</Tags><Times><CreationTime>nWlL3Q4AAAA=</CreationTime></Times>{strings}</Entry>"
    )
}

fn file_of(groups: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><KeePassFile><Meta><RecycleBinUUID>QklOQklOQklOQklOQklOIQ==</RecycleBinUUID></Meta>\
         <Root><Group><UUID>AAAAAAAAAAAAAAAAAAAAAg==</UUID><Name>Root</Name>{groups}</Group></Root></KeePassFile>"
    )
}

fn one(change: impl Fn(&mut Vec<(String, String)>)) -> Vec<Found> {
    read_with(&document(&file_of(&entry(change)))).unwrap()
}

fn put(all: &mut Vec<(String, String)>, name: &str, text: String) {
    all.retain(|(known, _)| known != name);
    if !text.is_empty() {
        all.push((name.to_owned(), text));
    }
}

#[test]
fn an_entry_of_keepassxc_comes_in() {
    let found = one(|_| {});
    assert_eq!(found[0].title.item.as_deref(), Some("Example (Passkey)"));
    let passkey = &taken(found)[0];
    assert_eq!((passkey.id.as_slice(), passkey.user_handle.as_slice()), (&[1, 2, 3, 4][..], &b"alice"[..]));
    assert_eq!(passkey.user_name.as_deref(), Some("alice & bob \u{1f511}"));
    assert_eq!((passkey.rp_id.as_str(), passkey.key.algorithm()), ("example.com", Algorithm::EdDsa));
    assert_eq!(passkey.created_at, Some(0x0e_dd4b_699d - 62_135_596_800));
    assert!(passkey.eligible && passkey.discoverable && passkey.prf.is_none());
}

#[test]
fn what_programs_write_differently_is_read() {
    let dx = one(|all| {
        put(all, "PRF", protected("KPEX_PASSKEY_PRF", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
        put(all, "BE", attribute("KPEX_PASSKEY_FLAG_BE", "1"));
    });
    assert_eq!(taken(dx)[0].prf.as_ref().unwrap().verified[31], 31);
    let bound = one(|all| put(all, "BE", attribute("KPEX_PASSKEY_FLAG_BE", "0")));
    assert!(!taken(bound)[0].eligible);
    // Of old: the id was called a user id.
    let generated = protected("KPEX_PASSKEY_GENERATED_USER_ID", "_____w");
    let old = one(|all| {
        put(all, "CREDENTIAL_ID", String::new());
        put(all, "OLD", generated.clone());
    });
    assert_eq!(taken(old)[0].id, [255; 4]);
    let old = one(|all| put(all, "OLD", generated.clone()));
    assert_eq!(taken(old)[0].id, [255; 4]);
    let old = one(|all| {
        put(all, "HANDLE", String::new());
        put(all, "OLD", generated.clone());
    });
    let old = &taken(old)[0];
    assert_eq!((old.id.as_slice(), old.user_handle.as_slice()), (&[1, 2, 3, 4][..], &[255; 4][..]));
    // Protected or not, and split by a comment.
    let plain = one(|all| {
        put(all, "CREDENTIAL_ID", attribute("KPEX_PASSKEY_CREDENTIAL_ID", "AQ<!-- x -->ID<![CDATA[BA]]>"))
    });
    assert_eq!(taken(plain)[0].id, [1, 2, 3, 4]);
}

#[test]
fn what_cannot_come_in_is_named() {
    let rsa = "MCUCAQAwDQYJKoZIhvcNAQEBBQAEETAPAgEAAgEBAgEBAgEBAgEB";
    for (name, text, reason) in [
        ("CREDENTIAL_ID", String::new(), "bad-id"),
        ("CREDENTIAL_ID", attribute("KPEX_PASSKEY_CREDENTIAL_ID", "?"), "bad-id"),
        ("RP", String::new(), "no-rp"),
        ("HANDLE", String::new(), "no-user-handle"),
        ("HANDLE", attribute("KPEX_PASSKEY_USER_HANDLE", "?"), "malformed"),
        ("PEM", String::new(), "bad-key"),
        ("PEM", attribute("KPEX_PASSKEY_PRIVATE_KEY_PEM", "x"), "bad-key"),
        (
            "PEM",
            protected(
                "KPEX_PASSKEY_PRIVATE_KEY_PEM",
                &PEM.replace("MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", rsa),
            ),
            "algorithm",
        ),
        ("BE", attribute("KPEX_PASSKEY_FLAG_BE", "yes"), "malformed"),
        ("PRF", attribute("KPEX_PASSKEY_PRF", "AA"), "malformed"),
        ("TWICE", attribute("KPEX_PASSKEY_RELYING_PARTY", "evil.example"), "malformed"),
    ] {
        assert_eq!(outcomes(&one(|all| put(all, name, text.clone()))), [reason], "{name} {text}");
    }
}

#[test]
fn groups_are_searched_history_is_of_the_past_and_the_bin_is_named() {
    let ours = entry(|_| {});
    let with_history = ours.replace("</Entry>", &format!("<History>{ours}{ours}</History></Entry>"));
    let bin = format!(
        "<Group><UUID>QklOQklOQklOQklOQklOIQ==</UUID><Name>Bin</Name>{ours}<Group><UUID>AAAAAAAAAAAAAAAAAAAAAw==</UUID>{ours}</Group></Group>"
    );
    let nested =
        format!("<Group><UUID>AAAAAAAAAAAAAAAAAAAABA==</UUID><Group>{with_history}</Group>{ours}</Group>");
    let other = "<Entry><String><Key>Title</Key><Value>A login</Value></String><String><Key>Password</Key><Value Protected=\"True\">[[x]]</Value></String></Entry>";
    let found = read_with(&document(&file_of(&format!("{other}{with_history}{bin}{nested}")))).unwrap();
    assert_eq!(outcomes(&found), ["in", "recycled", "recycled", "in", "in"]);
}

#[test]
fn what_goes_out_comes_in_again() {
    let mut written = passkeys();
    written[1].prf = Prf::new(&[3; 32], Some(&[4; 32]));
    let file = write_cheap(&written);
    assert!(is_kdbx(&file));
    let back = taken(read_with(&file).unwrap());
    assert_eq!(back.len(), 3);
    for (back, written) in back.iter().zip(&written) {
        assert!(back.is_same(written));
        assert_eq!((&back.user_name, back.created_at), (&written.user_name, written.created_at));
    }
    assert_eq!(back[1].prf.as_ref().unwrap().verified.as_slice(), [3; 32]);
    assert_eq!(read(&file, &passphrase("Pass")).unwrap_err(), Error::WrongPassphrase);
    // Nothing of it lies in the open.
    assert!(!file.windows(11).any(|window| window == b"example.com"));
}

#[test]
fn a_control_character_does_not_spoil_the_document() {
    let mut written = passkeys();
    written[0].user_name = Some("a\u{0}\u{1b}b".into());
    assert_eq!(
        taken(read_with(&write_cheap(&written)).unwrap())[0].user_name.as_deref(),
        Some("a\u{fffd}\u{fffd}b")
    );
}

#[test]
fn each_flipped_byte_and_each_cut_is_noticed() {
    let file = write_cheap(&passkeys()[..1]);
    for at in 0..file.len() {
        // The key derivation runs only where the header is whole.
        let mut bad = file.to_vec();
        bad[at] ^= 0x41;
        let error = read_with(&bad).unwrap_err();
        match at {
            0..4 => assert_eq!(error, Error::Unknown),
            4..8 | 10..12 => assert!(matches!(error, Error::KdbxVersion(_)), "{at} {error}"),
            _ => assert!(
                matches!(
                    error,
                    Error::Damaged(_)
                        | Error::Truncated
                        | Error::Encryption(_)
                        | Error::KdfTooDear
                        | Error::WrongPassphrase
                ),
                "{at} {error}"
            ),
        }
    }
    for length in (0..file.len()).step_by(7) {
        let error = read_with(&file[..length]).unwrap_err();
        assert_eq!(error, Error::Truncated, "{length}");
    }
}

/// A header with a sum that fits it.
fn forged(change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut file = write_cheap(&[]).to_vec();
    let end = file.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut header = file[..end].to_vec();
    change(&mut header);
    let sum = Sha256::digest(&header);
    file.splice(..end + 32, header.into_iter().chain(sum));
    file
}

fn replaced(bytes: &mut [u8], name: &[u8], value: &[u8]) {
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 4;
    bytes[at..at + value.len()].copy_from_slice(value);
}

#[test]
fn a_header_cannot_demand_gigabytes_or_hours() {
    for (name, value) in [
        (&b"\x01\0\0\0M"[..], (4_u64 << 30).to_le_bytes()),
        (b"\x01\0\0\0M", u64::MAX.to_le_bytes()),
        (b"\x01\0\0\0I", (1_u64 << 40).to_le_bytes()),
    ] {
        let file = forged(|header| replaced(header, name, &value));
        assert_eq!(read_with(&file).unwrap_err(), Error::KdfTooDear);
    }
    let lanes = forged(|header| replaced(header, b"\x01\0\0\0P", &[255; 4]));
    assert_eq!(read_with(&lanes).unwrap_err(), Error::KdfTooDear);
    let none = forged(|header| replaced(header, b"\x01\0\0\0I", &[0; 8]));
    assert_eq!(read_with(&none).unwrap_err(), Error::Damaged("its key derivation"));
}

#[test]
fn what_is_not_read_is_named() {
    let cipher = |id: &[u8; 16]| {
        let id = *id;
        read_with(&forged(|header| header[17..33].copy_from_slice(&id))).unwrap_err()
    };
    assert_eq!(
        cipher(b"\xad\x68\xf2\x9f\x57\x6f\x4b\xb9\xa3\x6a\xd4\x7a\xf9\x65\x34\x6c"),
        Error::Encryption("Twofish".into())
    );
    assert_eq!(cipher(&[0; 16]), Error::Encryption("its cipher".into()));
    let version =
        |bytes: [u8; 4]| read_with(&forged(|header| header[8..12].copy_from_slice(&bytes))).unwrap_err();
    assert_eq!(version([1, 0, 3, 0]), Error::KdbxVersion("3.1".into()));
    assert_eq!(version([0, 0, 5, 0]), Error::KdbxVersion("5.0".into()));
    assert_eq!(
        read_with(b"\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5rest").unwrap_err(),
        Error::KdbxVersion("1".into())
    );
    let twice = forged(|header| {
        let seed = header[42..42 + 37].to_vec();
        header.splice(42..42, seed);
    });
    assert_eq!(read_with(&twice).unwrap_err(), Error::Damaged("its header"));
}

#[test]
fn a_bomb_does_not_go_off() {
    let bomb = container::seal(&passphrase("pass"), CHEAP, &mut rng(), |_, _| {
        Ok(Zeroizing::new(vec![b' '; defaults::MAX_EXCHANGE_UNPACKED]))
    })
    .unwrap();
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert_eq!(read_with(&bomb).unwrap_err(), Error::Inflates);
}

#[test]
fn documents_of_strangers_are_refused() {
    let entities: String =
        (0..9).map(|n| format!("<!ENTITY a{} \"{}\">", n + 1, format!("&a{n};").repeat(9))).collect();
    let deep = "<Group>".repeat(defaults::MAX_EXCHANGE_DEPTH);
    for (what, xml, expected) in [
        (
            "entities",
            format!("<!DOCTYPE x [<!ENTITY a0 \"lol\">{entities}]><KeePassFile>&a9;</KeePassFile>"),
            "import.shape",
        ),
        (
            "an entity",
            file_of(&entry(|all| put(all, "RP", attribute("KPEX_PASSKEY_RELYING_PARTY", "&a;")))),
            "import.shape",
        ),
        ("depth", format!("<KeePassFile>{deep}"), "import.too-deep"),
        ("crossed ends", "<KeePassFile><Root></KeePassFile></Root>".into(), "import.shape"),
        ("an end too many", "<KeePassFile></KeePassFile></KeePassFile>".into(), "import.shape"),
        ("no end", "<KeePassFile><Root>".into(), "import.truncated"),
        ("half a tag", "<KeePassFile><Ro".into(), "import.truncated"),
        ("nothing", String::new(), "import.truncated"),
        ("another document", "<html/>".into(), "import.shape"),
        (
            "no Base64",
            "<KeePassFile><Root><Value Protected=\"True\">?</Value></Root></KeePassFile>".into(),
            "import.shape",
        ),
    ] {
        assert_eq!(read_with(&document(&xml)).unwrap_err().advice().1, expected, "{what}");
    }
    let not_text =
        container::seal(&passphrase("pass"), CHEAP, &mut rng(), |_, _| Ok(Zeroizing::new(vec![0xff; 9])));
    assert!(matches!(read_with(&not_text.unwrap()), Err(Error::Shape(_))));
}

#[test]
fn the_stream_and_the_blocks_are_those_of_others() {
    // A key and nonce of zeros would be another stream: SHA-512 stands between.
    let mut value = [0; 8];
    Stream::new(&[0; 64]).unwrap().apply(&mut value).unwrap();
    let mut once_more = [0; 8];
    Stream::new(&[0; 64]).unwrap().apply(&mut once_more[..3]).unwrap();
    assert_eq!(value[..3], once_more[..3]);
    let mut out = Vec::new();
    out.write_all(&write_cheap(&[])).unwrap();
    assert_eq!(read_with(&out).unwrap().len(), 0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn no_document_panics(at in 0_usize..3000, byte: u8, cut in 0_usize..3000) {
        let mut xml = file_of(&entry(|_| {})).replace("[[", "").replace("]]", "").into_bytes();
        let at = at % xml.len();
        xml[at] = byte;
        let stream = || Stream::new(&[0; 64]).unwrap();
        let _ = xml::read(&xml, stream());
        let _ = xml::read(&xml[..cut.min(xml.len())], stream());
    }

    #[test]
    fn no_dictionary_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64), at in 0_usize..150, byte: u8) {
        let _ = dictionary::read(&bytes);
        let mut known = dictionary::write(&[7; 32], CHEAP).unwrap();
        let at = at % known.len();
        known[at] = byte;
        let _ = dictionary::read(&known);
    }
}
