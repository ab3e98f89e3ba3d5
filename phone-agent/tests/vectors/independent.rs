//! A reader of vaults made of `docs/vault-format.md` and the primitives it
//! names. It knows no line of this crate's code.

use std::collections::BTreeMap;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{bytes, cases, damaged, hex, vectors};

#[test]
fn whoever_has_only_the_document_reads_every_vault() {
    let vectors = vectors();
    for case in cases(&vectors) {
        let read = read(&bytes(&case["file"]), case["passphrase"].as_str().unwrap()).unwrap();
        for (key, value) in read.as_object().unwrap() {
            assert_eq!(&case[key], value, "{}: {key}", case["name"]);
        }
    }
}

#[test]
fn whoever_has_only_the_document_names_every_damage() {
    let vectors = vectors();
    let damages = vectors["damages"].as_array().unwrap();
    assert!(damages.len() >= 10);
    for damage in damages {
        let of = usize::try_from(damage["of"].as_u64().unwrap()).unwrap();
        let own = vectors["cases"][of]["passphrase"].as_str().unwrap();
        let passphrase = damage.get("passphrase").map_or(own, |other| other.as_str().unwrap());
        let refused = read(&damaged(&vectors, damage), passphrase).unwrap_err();
        assert_eq!(damage["error"], refused, "{}", damage["name"]);
    }
}

/// Everything that a case has, or the id of the error.
pub(crate) fn read(file: &[u8], passphrase: &str) -> Result<Value, &'static str> {
    if !file.starts_with(b"CABLECAR") {
        return Err(if b"CABLECAR".starts_with(file) { "vault.truncated" } else { "vault.not-a-vault" });
    }
    let field = |at: usize, length: usize| file.get(at..at + length).ok_or("vault.truncated");
    if field(8, 2)? != [0, 1] {
        return Err("vault.unknown-version");
    }
    if Sha256::digest(field(0, 86)?)[..8] != *field(86, 8)? {
        return Err("vault.damaged");
    }
    let [memory, passes, lanes] = [number(field(42, 4)?), number(field(46, 4)?), number(field(50, 4)?)];
    if memory > 256 * 1024 || passes > 16 || lanes > 4 || passes == 0 || lanes == 0 || memory < 8 * lanes {
        return Err("vault.kdf-out-of-range");
    }
    match number(field(10, 8)?).cmp(&(file.len() as u64)) {
        std::cmp::Ordering::Greater => return Err("vault.truncated"),
        std::cmp::Ordering::Less => return Err("vault.damaged"),
        std::cmp::Ordering::Equal => {}
    }
    let (id, salt) = (field(18, 16)?, field(54, 16)?);
    let [memory, passes, lanes] = [memory, passes, lanes].map(|number| u32::try_from(number).unwrap());
    let params = Params::new(memory, passes, lanes, Some(32)).unwrap();
    let mut root = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut root)
        .unwrap();
    let hkdf = Hkdf::<Sha256>::new(Some(id), &root);
    let key = |purpose: &str, length: usize| {
        let mut key = vec![0; length];
        hkdf.expand(format!("cablecar vault 1 {purpose}").as_bytes(), &mut key).unwrap();
        key
    };
    let (record_key, closing_key, check) = (key("records", 32), key("closing", 64), key("key check", 16));
    let records = records(file, id, &record_key);
    if check != field(70, 16)? {
        return Err("vault.wrong-passphrase");
    }
    let records = records.ok_or("vault.damaged")?;
    let (covered, tag) = file.split_at(file.len() - 32);
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(&closing_key).unwrap().chain_update(covered);
    mac.verify_slice(tag).map_err(|_| "vault.damaged")?;

    let opened: Vec<Record> =
        records.iter().map(|record| cbor_map(record["record"].as_str().unwrap())).collect();
    let is_state = |record: &&Record| record.contains_key(&0);
    let state: Vec<Value> = opened.iter().filter(is_state).map(shown).collect();
    let passkeys: Vec<Value> = opened.iter().filter(|record| !is_state(record)).map(shown).collect();
    Ok(json!({
        "vault_id": hex(id), "generation": number(field(34, 8)?),
        "memory_kib": memory, "passes": passes, "lanes": lanes, "salt": hex(salt),
        "root": hex(&root), "record_key": hex(&record_key), "closing_key": hex(&closing_key),
        "key_check": hex(&check), "header_sum": hex(field(86, 8)?), "records": records,
        "closing_tag": hex(tag), "passkeys": passkeys, "state": state.first(),
    }))
}

fn records(file: &[u8], vault: &[u8], key: &[u8]) -> Option<Vec<Value>> {
    let (mut rest, mut records) = (file.get(98..file.len().checked_sub(32)?)?, Vec::new());
    for _ in 0..number(file.get(94..98)?) {
        let (head, after) = rest.split_at_checked(44)?;
        let (id, nonce) = (&head[..16], &head[20..]);
        let (sealed, others) = after.split_at_checked(usize::try_from(number(&head[16..20])).ok()?)?;
        let aad = [vault, id, &[0, 1]].concat();
        let payload = Payload { msg: sealed, aad: &aad };
        let cipher = XChaCha20Poly1305::new(Key::from_slice(key));
        let record = cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        records.push(json!({
            "id": hex(id), "nonce": hex(nonce), "aad": hex(&aad), "record": hex(&record), "sealed": hex(sealed),
        }));
        rest = others;
    }
    rest.is_empty().then_some(records)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

type Record = BTreeMap<u64, Value>;

fn shown(record: &Record) -> Value {
    record.iter().map(|(key, value)| (key.to_string(), value.clone())).collect()
}

/// As much of canonical CBOR as records need: a map from unsigned numbers.
/// Byte strings become hexadecimal.
fn cbor_map(record: &str) -> Record {
    let record = bytes(&Value::from(record));
    let mut input = &record[..];
    let (major, entries) = head(&mut input);
    assert_eq!(major, 5);
    let map: Vec<(u64, Value)> = (0..entries).map(|_| (head(&mut input).1, item(&mut input))).collect();
    assert!(input.is_empty() && map.is_sorted_by(|(one, _), (other, _)| one < other));
    map.into_iter().collect()
}

fn item(input: &mut &[u8]) -> Value {
    match head(input) {
        (0, number) => number.into(),
        (1, number) => json!(-1 - i64::try_from(number).unwrap()),
        (2, length) => hex(take(input, length)).into(),
        (3, length) => std::str::from_utf8(take(input, length)).unwrap().into(),
        (4, length) => (0..length).map(|_| item(input)).collect(),
        (7, 20) => false.into(),
        (7, 21) => true.into(),
        other => panic!("no such item in a record: {other:?}"),
    }
}

fn head(input: &mut &[u8]) -> (u8, u64) {
    let first = take(input, 1)[0];
    let short = u64::from(first & 31);
    let argument = match short {
        0..24 => short,
        24..28 => number(take(input, 1 << (short - 24))),
        _ => panic!("an indefinite length"),
    };
    (first >> 5, argument)
}

fn take<'a>(input: &mut &'a [u8], length: u64) -> &'a [u8] {
    let (taken, rest) = input.split_at(usize::try_from(length).unwrap());
    *input = rest;
    taken
}
