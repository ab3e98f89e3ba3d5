//! The vault's vectors, `phone-agent/vectors/vault.json`: run by our own code,
//! which must make every byte of them again, and by a reader that has nothing
//! of ours but `docs/vault-format.md`.
//!
//! `CABLECAR_VAULT_VECTORS` names another folder to take the file from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

mod independent;
mod ours;

use std::path::{Path, PathBuf};

use serde_json::Value;

fn vectors() -> Value {
    let folder = std::env::var_os("CABLECAR_VAULT_VECTORS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors"));
    let text = std::fs::read_to_string(folder.join("vault.json")).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(vectors["format"], 1);
    vectors
}

fn cases(vectors: &Value) -> &[Value] {
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 3, "an empty vault, one with passkeys, one at the full cost");
    cases
}

fn bytes(of: &Value) -> Vec<u8> {
    let text = of.as_str().unwrap_or_else(|| panic!("{of} is no text"));
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file of a case, after what happened to it.
fn damaged(vectors: &Value, damage: &Value) -> Vec<u8> {
    let of = usize::try_from(damage["of"].as_u64().unwrap()).unwrap();
    let mut file = bytes(&vectors["cases"][of]["file"]);
    let number = |key: &str| damage.get(key).map(|value| usize::try_from(value.as_u64().unwrap()).unwrap());
    if let Some(length) = number("cut_to") {
        file.truncate(length);
    }
    if let Some(at) = number("at") {
        for (byte, change) in file[at..].iter_mut().zip(bytes(&damage["xor"])) {
            *byte ^= change;
        }
    }
    if let Some(more) = damage.get("append") {
        file.extend(bytes(more));
    }
    file
}
