use proptest::prelude::*;

use super::*;

fn fault(hex: &str) -> CborFault {
    parse(&crate::ids::hex_decode(hex).unwrap(), CTAP_DEPTH).unwrap_err()
}

#[test]
fn each_rule_of_canonical_form_has_its_own_fault() {
    let cases = [
        ("", CborFault::Truncated),
        ("a1", CborFault::Truncated),
        ("4401", CborFault::Truncated),
        ("9b7fffffffffffffff", CborFault::Truncated),
        ("bb00000001000000000000", CborFault::Truncated),
        ("0000", CborFault::Trailing),
        ("1817", CborFault::NotShortest),
        ("190001", CborFault::NotShortest),
        ("5801ff", CborFault::NotShortest),
        ("b80100", CborFault::NotShortest),
        ("f814", CborFault::NotShortest),
        ("9fff", CborFault::Indefinite),
        ("bfff", CborFault::Indefinite),
        ("5fff", CborFault::Indefinite),
        ("7fff", CborFault::Indefinite),
        ("a15fff00", CborFault::Indefinite),
        ("c000", CborFault::Forbidden),
        ("f7", CborFault::Forbidden),
        ("f820", CborFault::Forbidden),
        ("f93c00", CborFault::Forbidden),
        ("fb3ff0000000000000", CborFault::Forbidden),
        ("1c", CborFault::Forbidden),
        ("ff", CborFault::Forbidden),
        ("1b8000000000000000", CborFault::Range),
        ("3b8000000000000000", CborFault::Range),
        ("62c328", CborFault::Utf8),
        ("a201000000", CborFault::Keys),
        ("a200000000", CborFault::Keys),
        ("a2616100010000", CborFault::Keys),
        ("a18000", CborFault::Keys),
        ("a1f500", CborFault::Keys),
        ("818181818181818180", CborFault::Depth),
    ];
    for (hex, expected) in cases {
        assert_eq!(fault(hex), expected, "{hex}");
    }
}

#[test]
fn the_extremes_are_read() {
    let int = |hex: &str| parse(&crate::ids::hex_decode(hex).unwrap(), 1).unwrap().as_int().unwrap();
    assert_eq!(int("1b7fffffffffffffff"), i64::MAX);
    assert_eq!(int("3b7fffffffffffffff"), i64::MIN);
    assert_eq!(int("20"), -1);
    assert!(parse(&[0x81; 8].iter().copied().chain([0]).collect::<Vec<_>>(), CTAP_DEPTH).is_ok());
}

#[test]
fn entries_come_out_in_canonical_order() {
    let bytes = Writer::map_of(|map| {
        map.text_entry("b", |w| w.null());
        map.text_entry("aa", |w| w.null());
        map.entry(-1, |w| w.null());
        map.entry(24, |w| w.null());
        map.bytes_entry(&[1], |w| w.null());
        map.entry(3, |w| w.null());
    });
    let hex = crate::ids::hex_upper(&bytes);
    assert_eq!(hex, "A603F61818F620F64101F66162F6626161F6");
    assert!(parse(&bytes, 1).is_ok());
}

/// A tree to compare with: what a reader that allocates would build.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
    Bool(bool),
    Null,
    Array(Vec<Tree>),
    Map(Vec<(i64, Tree)>),
}

fn write(tree: &Tree, writer: &mut Writer) {
    match tree {
        Tree::Int(value) => writer.int(*value),
        Tree::Bytes(value) => writer.bytes(value),
        Tree::Text(value) => writer.text(value),
        Tree::Bool(value) => writer.bool(*value),
        Tree::Null => writer.null(),
        Tree::Array(items) => writer.array(|a| items.iter().for_each(|i| a.push(|w| write(i, w)))),
        Tree::Map(entries) => writer.map(|m| {
            for (key, value) in entries {
                m.entry(*key, |w| write(value, w));
            }
        }),
    }
}

fn read(item: Item<'_>) -> Tree {
    match item.kind() {
        Kind::Int(value) => Tree::Int(value),
        Kind::Bytes(value) => Tree::Bytes(value.to_vec()),
        Kind::Text(value) => Tree::Text(value.to_owned()),
        Kind::Bool(value) => Tree::Bool(value),
        Kind::Null => Tree::Null,
        Kind::Array(items) => Tree::Array(items.iter().map(read).collect()),
        Kind::Map(map) => Tree::Map(map.iter().map(|(k, v)| (k.as_int().unwrap(), read(v))).collect()),
    }
}

/// Canonical order of integer keys: by encoding, so 0, 1, … then -1, -2, …
fn key_order(key: &i64) -> (bool, u64) {
    (*key < 0, u64::try_from(if *key < 0 { !*key } else { *key }).unwrap())
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Tree::Int),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Tree::Bytes),
        ".{0,12}".prop_map(Tree::Text),
        any::<bool>().prop_map(Tree::Bool),
        Just(Tree::Null),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Tree::Array),
            proptest::collection::btree_map(any::<i64>(), inner, 0..6).prop_map(|map| {
                let mut entries: Vec<_> = map.into_iter().collect();
                entries.sort_by_key(|(key, _)| key_order(key));
                Tree::Map(entries)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(tree in trees()) {
        let bytes = Writer::item(|writer| write(&tree, writer));
        prop_assert_eq!(read(parse(&bytes, CTAP_DEPTH).unwrap()), tree);
    }

    #[test]
    fn what_we_accept_another_library_accepts(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(item) = parse(&bytes, CTAP_DEPTH) {
            let theirs: ciborium::Value = ciborium::from_reader(bytes.as_slice()).unwrap();
            let mut again = Vec::new();
            ciborium::into_writer(&theirs, &mut again).unwrap();
            prop_assert_eq!(again.as_slice(), item.encoded());
        }
    }

    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = parse(&bytes, CTAP_DEPTH).map(read);
    }
}

/// The short way to a header and the long way agree, whatever stands there.
#[test]
fn a_usual_header_is_what_the_decoder_makes_of_it() {
    let mut found = [0; 8];
    let mut agree = |input: &[u8]| {
        if let Some(usual) = usual_header(input) {
            assert_eq!(pull_any(input), Ok(usual), "{input:02x?}");
            found[usize::from(input[0] >> 5)] += 1;
        }
    };
    // The edges of every length, and what stands around them.
    let edges = [0, 1, 23, 24, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, 1 << 63, u64::MAX];
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            agree(&[first, second, 0]);
        }
        for edge in edges {
            for width in [1, 2, 4, 8] {
                let argument = &edge.to_be_bytes()[8 - width..];
                agree(&[&[first], argument, &[7]].concat());
                agree(&[&[first], &argument[..width - 1]].concat());
            }
        }
    }
    assert!(found[..6].iter().all(|count| *count > 256), "{found:?}");
    assert!(found[6] == 0 && found[7] > 256, "{found:?}");
    for not_shortest in [&[0x18, 23][..], &[0x19, 0, 255], &[0x1a, 0, 0, 255, 255], &[0x18], &[0x19, 1]] {
        assert_eq!(usual_header(not_shortest), None);
    }
}

proptest! {
    /// Both walks find the same items.
    #[test]
    fn what_was_proven_is_walked_as_it_was_proven(tree in trees(), tail in any::<u8>()) {
        let mut bytes = Writer::item(|writer| write(&tree, writer));
        bytes.push(tail);
        prop_assert_eq!(skip_proven(&bytes), skip_item(&bytes, CTAP_DEPTH).ok());
        prop_assert_eq!(skip_proven(&bytes), Some(&[tail][..]));
    }

    /// The fields of a map are what `get` finds, and a fault is the same fault.
    #[test]
    fn fields_are_found_as_they_are_proven(
        entries in proptest::collection::btree_map(-3i64..9, any::<i64>(), 0..9),
        noise in proptest::collection::vec(any::<u8>(), 0..24),
    ) {
        let bytes = Writer::map_of(|map| {
            for (key, value) in &entries {
                map.entry(*key, |w| w.int(*value));
            }
        });
        let fields = parse_fields::<6>(&bytes, 1).unwrap().map(|field| field.and_then(|item| item.as_int()));
        for (key, field) in (0i64..).zip(fields) {
            prop_assert_eq!(field, entries.get(&key).copied());
        }
        prop_assert_eq!(parse_fields::<6>(&bytes, 0).err(), parse(&bytes, 0).err());
        let both = |bytes: &[u8]| (parse_fields::<6>(bytes, 2).err(), parse(bytes, 2).err());
        for noisy in [[&bytes[..], &noise].concat(), [&[0xa3], &noise[..]].concat(), noise] {
            let (fields, whole) = both(&noisy);
            let is_map = noisy.first().is_some_and(|first| first >> 5 == 5);
            prop_assert!(fields == whole || (whole.is_none() && !is_map), "{:?} {:?}", fields, whole);
        }
    }
}
