//! Bitwarden's JSON exports.
//!
//! `items[].login.fido2Credentials[]`, with these traps: a credential id is
//! the UUID whose 16 bytes it is, or `b64.` and Base64url; the counter is a
//! number or a text; `discoverable` is a text; anything may be null; and the
//! whole may be under a passphrase, see `sealed.rs`.

mod sealed;

use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::base64::Secret;
use super::buffer::Cleared;
use super::json::{self, Mistyped, Piece, Pieces, Value};
use super::{Cost, Error, Foreign, Found, Reason, Title, base64, key};
use crate::calendar;
use crate::defaults;
use crate::passphrase::Passphrase;
use crate::vault::Algorithm;
use sealed::seal;

#[derive(Deserialize)]
struct Export<'a> {
    #[serde(default)]
    encrypted: Option<bool>,
    #[serde(borrow, default)]
    items: Option<Pieces<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    name: Value<'a>,
    #[serde(borrow, default, rename = "deletedDate")]
    deleted: Value<'a>,
    #[serde(borrow, default)]
    login: Option<Login<'a>>,
}

#[derive(Deserialize)]
struct Login<'a> {
    #[serde(borrow, default, rename = "fido2Credentials")]
    passkeys: Option<Pieces<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Passkey<'a> {
    #[serde(borrow)]
    credential_id: Value<'a>,
    #[serde(borrow)]
    key_algorithm: Value<'a>,
    #[serde(borrow)]
    key_curve: Value<'a>,
    #[serde(borrow)]
    key_value: Value<'a>,
    #[serde(borrow)]
    rp_id: Value<'a>,
    #[serde(borrow)]
    rp_name: Value<'a>,
    #[serde(borrow)]
    user_handle: Value<'a>,
    #[serde(borrow)]
    user_name: Value<'a>,
    #[serde(borrow)]
    user_display_name: Value<'a>,
    #[serde(borrow)]
    counter: Value<'a>,
    #[serde(borrow)]
    discoverable: Value<'a>,
    #[serde(borrow)]
    creation_date: Value<'a>,
}

/// Whether this export is opened with a passphrase.
///
/// # Errors
/// Those of JSON; [`Error::AccountEncrypted`].
pub fn is_sealed(file: &[u8]) -> Result<bool, Error> {
    sealed::is_sealed(file)
}

/// The passkeys of an export, plain or under a passphrase.
///
/// # Errors
/// Those of JSON; [`Error::AccountEncrypted`], [`Error::NoPassphrase`],
/// [`Error::WrongPassphrase`], [`Error::KdfTooDear`], [`Error::Encryption`],
/// [`Error::Damaged`], [`Error::TooMany`].
pub fn read(file: &[u8], passphrase: Option<&Passphrase>) -> Result<Vec<Found>, Error> {
    if is_sealed(file)? {
        let plain = sealed::open(file, passphrase.ok_or(Error::NoPassphrase)?)?;
        return read_plain(&plain);
    }
    read_plain(file)
}

fn read_plain(file: &[u8]) -> Result<Vec<Found>, Error> {
    let export: Export<'_> = json::parse(file)?;
    if export.encrypted == Some(true) {
        return Err(Error::AccountEncrypted);
    }
    let items = export.items.ok_or_else(|| Error::Shape("it has no items".into()))?;
    let mut all = Vec::new();
    for piece in items.0 {
        let Some(item) = json::piece::<Item<'_>>(piece) else {
            all.push(Found { title: Title::default(), passkey: Err(Reason::Malformed("item")) });
            continue;
        };
        let name = item.name.text().ok().flatten();
        for passkey in item.login.and_then(|login| login.passkeys).unwrap_or_default().0 {
            if all.len() == defaults::MAX_EXCHANGE_PASSKEYS {
                return Err(Error::TooMany("20,000 passkeys"));
            }
            all.push(found(name, item.deleted.is_there(), passkey));
        }
    }
    Ok(all)
}

fn found(name: Option<&str>, deleted: bool, piece: Piece<'_>) -> Found {
    let item = name.map(str::to_owned);
    let Some(passkey) = json::piece::<Passkey<'_>>(piece) else {
        return Found { title: Title { item, ..Title::default() }, passkey: Err(Reason::Malformed("entry")) };
    };
    let known = |value: &Value<'_>| value.text().ok().flatten().map(str::to_owned);
    let account = known(&passkey.user_name).or_else(|| known(&passkey.user_display_name));
    let title = Title { item, rp_id: known(&passkey.rp_id), account };
    let passkey = if deleted { Err(Reason::Recycled) } else { passkey.to_foreign() };
    Found { title, passkey }
}

impl Passkey<'_> {
    fn to_foreign(&self) -> Result<Foreign, Reason> {
        let wrong = |what| move |Mistyped| Reason::Malformed(what);
        let owned = |value: &Value<'_>, what| Ok(value.text().map_err(wrong(what))?.map(str::to_owned));
        let rp_id = self.rp_id.text().map_err(wrong("RP ID"))?.ok_or(Reason::NoRp)?;
        let algorithm = self.key_algorithm.text().map_err(wrong("algorithm"))?.unwrap_or("ECDSA");
        let curve = self.key_curve.text().map_err(wrong("curve"))?.unwrap_or("P-256");
        if (algorithm, curve) != ("ECDSA", "P-256") && !matches!(algorithm, "EdDSA" | "Ed25519") {
            // The key itself says it too, unless it does not parse.
            return Err(Reason::Algorithm(named(algorithm, curve)));
        }
        let id = self.credential_id.text().map_err(|Mistyped| Reason::BadId)?.and_then(id_of);
        let handle = self.user_handle.text().map_err(wrong("user handle"))?.ok_or(Reason::NoUserHandle)?;
        let handle = base64::decode(handle).ok_or(Reason::Malformed("user handle"))?;
        let key = self.key_value.text().map_err(|Mistyped| Reason::BadKey)?.and_then(base64::decode);
        let key = key::from_der(&key.ok_or(Reason::BadKey)?)?;
        Foreign {
            rp_name: owned(&self.rp_name, "RP name")?,
            user_name: owned(&self.user_name, "account name")?,
            display_name: owned(&self.user_display_name, "person's name")?,
            created_at: self.creation_date.text().ok().flatten().and_then(calendar::from_iso),
            counter: self.counter.number().map_err(wrong("counter"))?.unwrap_or(0),
            discoverable: self.discoverable.truth().map_err(wrong("discoverable"))?.unwrap_or(false),
            ..Foreign::new(id.ok_or(Reason::BadId)?, rp_id.to_owned(), handle.to_vec(), key)
        }
        .checked()
    }
}

/// What a file calls an algorithm, made short and plain.
fn named(algorithm: &str, curve: &str) -> String {
    match algorithm {
        "RSASSA-PKCS1-v1_5" | "RS256" | "RSA" => "RS256".into(),
        _ => format!("{algorithm} {curve}")
            .chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .take(40)
            .collect(),
    }
}

/// The bytes of a credential id: of a UUID its 16, of `b64.` what follows.
fn id_of(text: &str) -> Option<Vec<u8>> {
    if let Some(encoded) = text.strip_prefix("b64.") {
        return base64::decode(encoded).map(|bytes| bytes.to_vec());
    }
    let lengths = text.split('-').map(str::len);
    if !text.is_ascii() || !lengths.eq([8, 4, 4, 4, 12]) {
        return None;
    }
    let digits: Vec<u32> =
        text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok())
        .collect()
}

/// The text of a credential id.
fn text_of(id: &[u8]) -> String {
    match <[u8; 16]>::try_from(id) {
        Ok(id) => uuid(id),
        Err(_) => format!("b64.{}", base64::url(id).as_str()),
    }
}

fn uuid(id: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in id.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[derive(Serialize)]
struct Written<'a> {
    encrypted: bool,
    folders: [(); 0],
    items: Vec<WrittenItem<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenItem<'a> {
    password_history: Option<()>,
    revision_date: String,
    creation_date: String,
    deleted_date: Option<()>,
    id: String,
    organization_id: Option<()>,
    folder_id: Option<()>,
    r#type: u8,
    reprompt: u8,
    name: &'a str,
    notes: Option<()>,
    favorite: bool,
    login: WrittenLogin<'a>,
    collection_ids: Option<()>,
}

#[derive(Serialize)]
struct WrittenLogin<'a> {
    #[serde(rename = "fido2Credentials")]
    passkeys: [WrittenPasskey<'a>; 1],
    uris: [WrittenUri; 1],
    username: Option<&'a str>,
    password: Option<()>,
    totp: Option<()>,
}

#[derive(Serialize)]
struct WrittenUri {
    r#match: Option<()>,
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPasskey<'a> {
    credential_id: String,
    key_type: &'static str,
    key_algorithm: &'static str,
    key_curve: &'static str,
    key_value: Secret,
    rp_id: &'a str,
    user_handle: Secret,
    user_name: Option<&'a str>,
    counter: String,
    rp_name: Option<&'a str>,
    user_display_name: Option<&'a str>,
    discoverable: &'static str,
    creation_date: String,
}

/// Why a passkey cannot be written in this format.
///
/// # Errors
/// [`Reason::Unspeakable`]: Bitwarden reads P-256 alone.
pub fn can_say(passkey: &Foreign) -> Result<(), Reason> {
    match passkey.key.algorithm() {
        Algorithm::Es256 => Ok(()),
        Algorithm::EdDsa => Err(Reason::Unspeakable("EdDSA")),
    }
}

/// A plain export of these, each of which [`can_say`] lets pass; `now` is in
/// seconds since 1970.
///
/// # Errors
/// None that can happen: [`Error::Damaged`] for a key that is none.
pub fn write(passkeys: &[Foreign], now: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let items = passkeys.iter().map(|passkey| WrittenItem::of(passkey, now)).collect::<Option<_>>();
    let export = Written { encrypted: false, folders: [], items: items.ok_or(Error::Damaged("a key"))? };
    let mut out = Cleared::with_capacity(1024 * (passkeys.len() + 1));
    serde_json::to_writer_pretty(&mut out, &export).map_err(|_| Error::Damaged("a passkey"))?;
    Ok(out.into_inner())
}

/// The same under a passphrase.
///
/// # Errors
/// As [`write()`]; [`Error::NoRandomness`].
pub fn write_sealed(
    passkeys: &[Foreign],
    now: u64,
    passphrase: &Passphrase,
    cost: Cost,
    rng: &mut dyn CryptoRngCore,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    seal(&write(passkeys, now)?, passphrase, cost, rng)
}

impl<'a> WrittenItem<'a> {
    fn of(passkey: &'a Foreign, now: u64) -> Option<Self> {
        let made = calendar::to_iso(passkey.created_at.unwrap_or(now));
        // Stable, so that exporting twice names the same items.
        let mut id = [0; 16];
        id.iter_mut().zip(Sha256::digest(&passkey.id)).for_each(|(id, byte)| *id = byte);

        let written = WrittenPasskey {
            credential_id: text_of(&passkey.id),
            key_type: "public-key",
            key_algorithm: "ECDSA",
            key_curve: "P-256",
            key_value: base64::url(&key::to_der(&passkey.key)?),
            rp_id: &passkey.rp_id,
            user_handle: base64::url(&passkey.user_handle),
            user_name: passkey.user_name.as_deref(),
            counter: "0".into(),
            rp_name: passkey.rp_name.as_deref(),
            user_display_name: passkey.display_name.as_deref(),
            discoverable: if passkey.discoverable { "true" } else { "false" },
            creation_date: made.clone(),
        };
        Some(Self {
            password_history: None,
            revision_date: calendar::to_iso(now),
            creation_date: made,
            deleted_date: None,
            id: uuid(id),
            organization_id: None,
            folder_id: None,
            r#type: 1,
            reprompt: 0,
            name: passkey.rp_name.as_deref().unwrap_or(&passkey.rp_id),
            notes: None,
            favorite: false,
            login: WrittenLogin {
                passkeys: [written],
                uris: [WrittenUri { r#match: None, uri: format!("https://{}", passkey.rp_id) }],
                username: passkey.user_name.as_deref(),
                password: None,
                totp: None,
            },
            collection_ids: None,
        })
    }
}

#[cfg(test)]
mod tests;
