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
fn a_short_header_is_what_the_decoder_makes_of_it() {
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            let input = [first, second, 0];
            if let Some(short) = super::short_header(&input) {
                assert_eq!(super::pull_any(&input), Ok(short), "{input:02x?}");
            }
        }
    }
    assert_eq!(super::short_header(&[0x18]), None);
    assert_eq!(super::short_header(&[0x18, 23]), None);
}
