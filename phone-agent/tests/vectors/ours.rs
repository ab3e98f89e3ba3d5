//! Our own code on the vectors: opens each file, and makes each again.

use std::fs;
use std::io::Write;
use std::path::Path;

use cablecar_phone::error::Error;
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{
    Algorithm, Backup, CredentialId, Kdf, LargeBlobKey, Passkey, Pin, Policy, PrfSecrets, PrivateKey,
    Protection, State, Vault,
};
use cablecar_protocol::ctap::{RelyingParty, User};
use rand_core::{CryptoRng, RngCore};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{bytes, cases, damaged, hex, independent, vectors};

fn passphrase(text: &Value) -> Passphrase {
    Passphrase::new(text.as_str().unwrap().as_bytes().to_vec()).unwrap()
}

fn in_folder(folder: &Path) -> Vault {
    Vault::in_file(folder.join("vault"), None)
}

/// Gives what it was told to give, and nothing else.
struct Scripted(Vec<u8>);

impl CryptoRng for Scripted {}

impl RngCore for Scripted {
    fn next_u32(&mut self) -> u32 {
        panic!("a number was drawn")
    }

    fn next_u64(&mut self) -> u64 {
        panic!("a number was drawn")
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        dest.copy_from_slice(&self.0.drain(..dest.len()).collect::<Vec<_>>());
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

#[test]
fn every_vault_of_the_vectors_opens_and_holds_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors();
    for case in cases(&vectors) {
        fs::write(folder.path().join("vault"), bytes(&case["file"])).unwrap();
        let unlocked = in_folder(folder.path()).unlock(&passphrase(&case["passphrase"])).unwrap();
        assert_eq!(case["generation"], unlocked.generation());
        let found: Vec<Value> = unlocked.passkeys().map(of_passkey).collect();
        assert_eq!(case["passkeys"], Value::from(found), "{}", case["name"]);
        if case["state"].is_null() {
            assert_eq!(*unlocked.state(), State::default());
        } else {
            assert_eq!(*unlocked.state(), state_of(&case["state"]), "{}", case["name"]);
        }
    }
}

#[test]
fn the_same_randomness_makes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors();
    for case in cases(&vectors) {
        let _ = fs::remove_file(folder.path().join("vault"));
        assert_eq!(hex(&made(folder.path(), case)), case["file"], "{}", case["name"]);
    }
}

#[test]
fn every_damage_of_the_vectors_has_the_name_they_give_it() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors();
    for damage in vectors["damages"].as_array().unwrap() {
        fs::write(folder.path().join("vault"), damaged(&vectors, damage)).unwrap();
        let of = usize::try_from(damage["of"].as_u64().unwrap()).unwrap();
        let own = &vectors["cases"][of]["passphrase"];
        let opened = in_folder(folder.path()).unlock(&passphrase(damage.get("passphrase").unwrap_or(own)));
        assert_eq!(damage["error"], Error::Vault(opened.unwrap_err()).advice().1, "{}", damage["name"]);
    }
}

/// The bytes of the vault of this case, from its passphrase, its parameters,
/// its contents and what was drawn for it.
fn made(folder: &Path, case: &Value) -> Vec<u8> {
    let number = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
    let kdf = Kdf { memory_kib: number("memory_kib"), passes: number("passes"), lanes: number("lanes") };
    let vault = in_folder(folder);
    let passphrase = passphrase(&case["passphrase"]);
    let mut draws = Scripted([bytes(&case["vault_id"]), bytes(&case["salt"])].concat());
    vault.create(&passphrase, kdf, &mut draws).unwrap();
    // Passkeys are sealed before the state, and stand behind it.
    let mut records: Vec<&Value> = case["records"].as_array().unwrap().iter().collect();
    if !case["state"].is_null() {
        records.rotate_left(1);
    }
    draws.0 =
        records.iter().flat_map(|record| [bytes(&record["id"]), bytes(&record["nonce"])].concat()).collect();
    let changed = vault.unlock(&passphrase).unwrap().change(&mut draws, |contents| {
        case["passkeys"].as_array().unwrap().iter().for_each(|passkey| contents.add(passkey_of(passkey)));
        if !case["state"].is_null() {
            contents.set_state(state_of(&case["state"]));
        }
        Ok(())
    });
    changed.unwrap();
    assert!(draws.0.is_empty(), "{} bytes were not drawn", draws.0.len());
    fs::read(folder.join("vault")).unwrap()
}

fn of_passkey(passkey: &Passkey) -> Value {
    let mut map = json!({
        "1": hex(passkey.id.as_bytes()), "2": passkey.rp.id, "4": hex(&passkey.user.id),
        "7": passkey.key.algorithm().cose(), "8": hex(passkey.key.expose()), "9": passkey.created_at,
        "10": passkey.backup.eligible(), "11": passkey.backup.done(), "12": hex(passkey.prf.expose()),
        "13": passkey.discoverable,
    });
    let mut optional = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            map[key] = value;
        }
    };
    optional("3", passkey.rp.name.clone().map(Value::from));
    optional("5", passkey.user.name.clone().map(Value::from));
    optional("6", passkey.user.display_name.clone().map(Value::from));
    let protected = passkey.protection != Protection::Optional;
    optional("14", protected.then(|| passkey.protection.level().into()));
    optional("15", (passkey.counter != 0).then(|| passkey.counter.into()));
    optional("16", passkey.blob.as_deref().map(|blob| hex(blob).into()));
    optional("17", passkey.large_blob_key.as_ref().map(|key| hex(key.expose()).into()));
    map
}

fn passkey_of(map: &Value) -> Passkey {
    let text = |key: &str| map.get(key).map(|text| text.as_str().unwrap().to_owned());
    let flag = |key: &str| map[key].as_bool().unwrap();
    Passkey {
        id: CredentialId::new(bytes(&map["1"])),
        rp: RelyingParty { id: text("2").unwrap(), name: text("3") },
        user: User { id: bytes(&map["4"]), name: text("5"), display_name: text("6") },
        key: PrivateKey::from_secret(
            Algorithm::from_cose(map["7"].as_i64().unwrap()).unwrap(),
            &bytes(&map["8"]),
        )
        .unwrap(),
        created_at: map["9"].as_u64().unwrap(),
        backup: match (flag("10"), flag("11")) {
            (false, _) => Backup::DEVICE_BOUND,
            (true, false) => Backup::SYNCED,
            (true, true) => Backup::IMPORTED,
        },
        prf: PrfSecrets::from_bytes(&bytes(&map["12"])).unwrap(),
        discoverable: flag("13"),
        protection: map
            .get("14")
            .map_or(Protection::Optional, |level| Protection::from_level(level.as_u64().unwrap()).unwrap()),
        counter: map.get("15").map_or(0, |counter| counter.as_u64().unwrap().try_into().unwrap()),
        blob: map.get("16").map(bytes),
        large_blob_key: map.get("17").map(|key| LargeBlobKey::from_bytes(&bytes(key)).unwrap()),
    }
}

fn state_of(map: &Value) -> State {
    let number = |key: &str| u8::try_from(map[key].as_u64().unwrap()).unwrap();
    assert_eq!(map["0"], 1, "the kind of the record");
    State {
        pin: map
            .get("1")
            .map(|hash| Pin { hash: Zeroizing::new(bytes(hash).try_into().unwrap()), length: number("2") }),
        pin_retries: number("3"),
        uv_retries: number("4"),
        min_pin_length: number("5"),
        force_pin_change: map["6"].as_bool().unwrap(),
        min_pin_rp_ids: map["7"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().into()).collect(),
        always_uv: map["8"].as_bool().unwrap(),
        large_blobs: bytes(&map["9"]),
        policy: if number("10") == 1 { Policy::DeviceBound } else { Policy::Synced },
    }
}

/// Makes the file of vectors anew, on standard error: contents and what is
/// drawn are here, all the rest follows. For a new version of the format.
#[test]
#[ignore = "makes the vectors anew"]
fn make_the_vectors() {
    let count = |from: u8, length: usize| {
        hex(&(0..length).map(|at| from.wrapping_add(u8::try_from(at).unwrap())).collect::<Vec<_>>())
    };
    let record = |from: u8| json!({"id": count(from, 16), "nonce": count(from + 0x10, 24)});
    let base = |name: &str, memory: u32, passes: u32, lanes: u32| {
        json!({
            "name": name, "passphrase": "correct horse battery staple", "vault_id": count(0xa0, 16), "salt": count(0xc0, 16),
            "memory_kib": memory, "passes": passes, "lanes": lanes, "records": [], "passkeys": [], "state": null,
        })
    };
    let empty = base("an empty vault, as cheap as tests have it", 8, 1, 1);
    let mut full = base("the state and two passkeys, one of each algorithm", 64, 2, 2);
    full["passphrase"] = "Zürich 東京".into();
    full["records"] = json!([record(0x80), record(0x10), record(0x40)]);
    full["passkeys"] = json!([
        {"1": count(0x20, 32), "2": "example.com", "3": "Example", "4": count(0x01, 8), "5": "alice", "6": "Alice",
         "7": -7, "8": count(0x31, 32), "9": 1_795_000_000, "10": true, "11": true, "12": count(0x50, 64), "13": true},
        {"1": count(0x60, 16), "2": "bound.example", "4": count(0x02, 1), "7": -8, "8": count(0x71, 32),
         "9": 1_795_000_001, "10": false, "11": false, "12": count(0x90, 64), "13": false, "14": 3, "15": 41,
         "16": "626c6f62", "17": count(0xe0, 32)},
    ]);
    full["state"] = json!({
        "0": 1, "1": count(0x03, 16), "2": 6, "3": 7, "4": 5, "5": 6, "6": true, "7": ["example.com"], "8": true,
        "9": "80", "10": 1,
    });
    let dear = base("an empty vault at the cost that every vault has", 64 * 1024, 3, 1);
    let folder = tempfile::tempdir().unwrap();
    let cases: Vec<Value> = [empty, full, dear]
        .into_iter()
        .map(|case| {
            let _ = fs::remove_file(folder.path().join("vault"));
            let file = made(folder.path(), &case);
            let mut whole = independent::read(&file, case["passphrase"].as_str().unwrap()).unwrap();
            whole["name"] = case["name"].clone();
            whole["passphrase"] = case["passphrase"].clone();
            whole["file"] = hex(&file).into();
            whole
        })
        .collect();
    let damages = json!([
        {"name": "another passphrase", "of": 1, "passphrase": "correct horse", "error": "vault.wrong-passphrase"},
        {"name": "another magic", "of": 0, "at": 0, "xor": "01", "error": "vault.not-a-vault"},
        {"name": "a version to come", "of": 0, "at": 9, "xor": "03", "error": "vault.unknown-version"},
        {"name": "nothing at all", "of": 0, "cut_to": 0, "error": "vault.truncated"},
        {"name": "half a header", "of": 0, "cut_to": 60, "error": "vault.truncated"},
        {"name": "without its last byte", "of": 1, "cut_to": bytes(&cases[1]["file"]).len() - 1, "error": "vault.truncated"},
        {"name": "with a byte behind its end", "of": 0, "append": "00", "error": "vault.damaged"},
        {"name": "another vault id", "of": 0, "at": 18, "xor": "80", "error": "vault.damaged"},
        {"name": "another generation", "of": 0, "at": 41, "xor": "01", "error": "vault.damaged"},
        {"name": "another salt", "of": 0, "at": 54, "xor": "01", "error": "vault.damaged"},
        {"name": "another number of records", "of": 1, "at": 97, "xor": "01", "error": "vault.damaged"},
        {"name": "another id of a record", "of": 1, "at": 98, "xor": "01", "error": "vault.damaged"},
        {"name": "another nonce", "of": 1, "at": 118, "xor": "01", "error": "vault.damaged"},
        {"name": "another seal", "of": 1, "at": 142, "xor": "01", "error": "vault.damaged"},
        {"name": "another closing tag", "of": 0, "at": 98, "xor": "01", "error": "vault.damaged"},
    ]);
    let vectors = json!({
        "format": 1,
        "title": "vaults of format version 1",
        "notes": [
            "docs/vault-format.md says what each field is; integers of the file are big-endian",
            "passkeys and state are the records opened: keys as text, byte strings in hexadecimal",
            "a damage is done to the file of case number `of`, and named as the programs name it",
        ],
        "cases": cases,
        "damages": damages,
    });
    let text = serde_json::to_string_pretty(&vectors).unwrap();
    writeln!(std::io::stderr(), "{text}").unwrap();
}
