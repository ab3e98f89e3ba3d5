//! The FIDO Alliance's Credential Exchange Format, version 1, as plain JSON:
//! `accounts[].items[].credentials[]` of type `passkey`.
//!
//! Importers set the signature counter to 0 and leave it there; exporters
//! leave out what has another one. The format has no word for it, nor for a
//! passkey that is not discoverable.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::base64::Secret;
use super::buffer::Cleared;
use super::json::{self, Mistyped, Piece, Pieces, Value};
use super::{Error, Foreign, Found, LargeBlob, Prf, Reason, Title, base64, key};
use crate::defaults;

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(default)]
    version: Option<Version>,
    #[serde(borrow)]
    accounts: Pieces<'a>,
}

#[derive(Serialize, Deserialize)]
struct Version {
    major: u64,
    minor: u64,
}

#[derive(Deserialize)]
struct Account<'a> {
    #[serde(borrow)]
    items: Pieces<'a>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    title: Value<'a>,
    #[serde(borrow, default, rename = "creationAt")]
    created_at: Value<'a>,
    #[serde(borrow, default)]
    credentials: Pieces<'a>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default)]
    r#type: Value<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Passkey<'a> {
    #[serde(borrow)]
    credential_id: Value<'a>,
    #[serde(borrow)]
    rp_id: Value<'a>,
    // The specification has been written both ways.
    #[serde(borrow, alias = "userName")]
    username: Value<'a>,
    #[serde(borrow)]
    user_display_name: Value<'a>,
    #[serde(borrow)]
    user_handle: Value<'a>,
    #[serde(borrow)]
    key: Value<'a>,
    #[serde(borrow)]
    fido2_extensions: Option<Extensions<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Extensions<'a> {
    #[serde(borrow)]
    hmac_credentials: Option<HmacCredentials<'a>>,
    /// As the first drafts had it: one secret.
    #[serde(borrow)]
    hmac_secret: Option<HmacSecret<'a>>,
    #[serde(borrow)]
    cred_blob: Value<'a>,
    #[serde(borrow)]
    large_blob: Option<Blob<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HmacCredentials<'a> {
    #[serde(borrow)]
    algorithm: Value<'a>,
    #[serde(borrow, rename = "credWithUV")]
    with: Value<'a>,
    #[serde(borrow, rename = "credWithoutUV")]
    without: Value<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HmacSecret<'a> {
    #[serde(borrow)]
    algorithm: Value<'a>,
    #[serde(borrow, alias = "hmacSecret")]
    secret: Value<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Blob<'a> {
    #[serde(borrow)]
    uncompressed_size: Value<'a>,
    #[serde(borrow)]
    data: Value<'a>,
}

/// The passkeys of an export.
///
/// # Errors
/// Those of JSON; [`Error::TooMany`].
pub fn read(file: &[u8]) -> Result<Vec<Found>, Error> {
    let header: Header<'_> = json::parse(file)?;
    if let Some(Version { major, .. }) = header.version
        && major > 1
    {
        return Err(Error::Shape(format!("its version is {major}")));
    }
    let mut all = Vec::new();
    for account in header.accounts.0 {
        let account = json::piece::<Account<'_>>(account).ok_or_else(|| Error::Shape("an account".into()))?;
        for piece in account.items.0 {
            let Some(item) = json::piece::<Item<'_>>(piece) else {
                all.push(Found { title: Title::default(), passkey: Err(Reason::Malformed("item")) });
                continue;
            };
            let is_passkey = |piece: &Piece<'_>| {
                let kind = json::piece::<Kind<'_>>(piece);
                kind.is_some_and(|kind| kind.r#type.text() == Ok(Some("passkey")))
            };
            for piece in item.credentials.0.iter().filter(|piece| is_passkey(piece)) {
                if all.len() == defaults::MAX_EXCHANGE_PASSKEYS {
                    return Err(Error::TooMany("20,000 passkeys"));
                }
                all.push(found(&item, piece));
            }
        }
    }
    Ok(all)
}

fn found(item: &Item<'_>, piece: Piece<'_>) -> Found {
    let known = |value: &Value<'_>| value.text().ok().flatten().map(str::to_owned);
    let title = Title { item: known(&item.title), ..Title::default() };
    let Some(passkey) = json::piece::<Passkey<'_>>(piece) else {
        return Found { title, passkey: Err(Reason::Malformed("entry")) };
    };
    let account = known(&passkey.username).or_else(|| known(&passkey.user_display_name));
    let title = Title { rp_id: known(&passkey.rp_id), account, ..title };
    let created_at = item.created_at.number().ok().flatten();
    Found { title, passkey: passkey.to_foreign(created_at) }
}

impl Passkey<'_> {
    fn to_foreign(&self, created_at: Option<u64>) -> Result<Foreign, Reason> {
        let wrong = |what| move |Mistyped| Reason::Malformed(what);
        let owned = |value: &Value<'_>, what| Ok(value.text().map_err(wrong(what))?.map(str::to_owned));
        let rp_id = self.rp_id.text().map_err(wrong("RP ID"))?.ok_or(Reason::NoRp)?;
        let id = self.credential_id.text().ok().flatten().and_then(base64::decode).ok_or(Reason::BadId)?;
        let handle = self.user_handle.text().map_err(wrong("user handle"))?.ok_or(Reason::NoUserHandle)?;
        let handle = base64::decode(handle).ok_or(Reason::Malformed("user handle"))?;
        let key = self.key.text().ok().flatten().and_then(base64::decode).ok_or(Reason::BadKey)?;
        let mut foreign = Foreign::new(id.to_vec(), rp_id.to_owned(), handle.to_vec(), key::from_der(&key)?);
        foreign.user_name = owned(&self.username, "account name")?;
        foreign.display_name = owned(&self.user_display_name, "person's name")?;
        foreign.created_at = created_at;
        if let Some(extensions) = &self.fido2_extensions {
            foreign.prf = extensions.prf()?;
            let blob = extensions.cred_blob.text().map_err(wrong("credBlob"))?;
            foreign.blob = match blob {
                None => None,
                Some(text) => Some(base64::decode(text).ok_or(Reason::Malformed("credBlob"))?.to_vec()),
            };
            foreign.large_blob = extensions.large_blob.as_ref().map(Blob::read).transpose()?;
        }
        foreign.checked()
    }
}

impl Extensions<'_> {
    fn prf(&self) -> Result<Option<Prf>, Reason> {
        const WRONG: Reason = Reason::Malformed("prf secret");
        let secret = |value: &Value<'_>| -> Result<Zeroizing<Vec<u8>>, Reason> {
            value.text().ok().flatten().and_then(base64::decode).ok_or(WRONG)
        };
        let known = |algorithm: &Value<'_>| match algorithm.text() {
            Ok(None) => Ok(()),
            Ok(Some("hmac-sha256" | "HS256")) => Ok(()),
            _ => Err(Reason::Malformed("prf algorithm")),
        };
        if let Some(both) = &self.hmac_credentials {
            known(&both.algorithm)?;
            let (with, without) = (secret(&both.with)?, secret(&both.without)?);
            return Prf::new(&with, Some(&without)).ok_or(WRONG).map(Some);
        }
        if let Some(one) = &self.hmac_secret {
            known(&one.algorithm)?;
            return Prf::new(&secret(&one.secret)?, None).ok_or(WRONG).map(Some);
        }
        Ok(None)
    }
}

impl Blob<'_> {
    fn read(&self) -> Result<LargeBlob, Reason> {
        const WRONG: Reason = Reason::Malformed("largeBlob");
        let uncompressed = self.uncompressed_size.number().ok().flatten().ok_or(WRONG)?;
        let data = self.data.text().ok().flatten().and_then(base64::decode).ok_or(WRONG)?;
        Ok(LargeBlob { uncompressed, data })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenHeader<'a> {
    version: Version,
    exporter_rp_id: &'static str,
    exporter_display_name: &'static str,
    timestamp: u64,
    accounts: [WrittenAccount<'a>; 1],
}

#[derive(Serialize)]
struct WrittenAccount<'a> {
    id: &'static str,
    username: &'static str,
    email: &'static str,
    collections: [(); 0],
    items: Vec<WrittenItem<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenItem<'a> {
    id: Secret,
    creation_at: u64,
    modified_at: u64,
    title: &'a str,
    scope: Scope,
    credentials: [WrittenPasskey<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scope {
    urls: [String; 1],
    android_apps: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPasskey<'a> {
    r#type: &'static str,
    credential_id: Secret,
    rp_id: &'a str,
    username: &'a str,
    user_display_name: &'a str,
    user_handle: Secret,
    key: Secret,
    #[serde(skip_serializing_if = "Option::is_none")]
    fido2_extensions: Option<WrittenExtensions>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenExtensions {
    #[serde(skip_serializing_if = "Option::is_none")]
    hmac_credentials: Option<WrittenSecrets>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cred_blob: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    large_blob: Option<WrittenBlob>,
}

#[derive(Serialize)]
struct WrittenSecrets {
    algorithm: &'static str,
    #[serde(rename = "credWithUV")]
    with: Secret,
    #[serde(rename = "credWithoutUV")]
    without: Secret,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenBlob {
    uncompressed_size: u64,
    data: Secret,
}

/// An export of these; `now` is in seconds since 1970.
///
/// # Errors
/// None that can happen: [`Error::Damaged`] for a key that is none.
pub fn write(passkeys: &[Foreign], now: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let items = passkeys.iter().map(|passkey| WrittenItem::of(passkey, now)).collect::<Option<_>>();
    let header = WrittenHeader {
        version: Version { major: 1, minor: 0 },
        // Of no website: this program has none.
        exporter_rp_id: "cablecar.invalid",
        exporter_display_name: "Cablecar",
        timestamp: now,
        accounts: [WrittenAccount {
            id: "Y2FibGVjYXI",
            username: "",
            email: "",
            collections: [],
            items: items.ok_or(Error::Damaged("a key"))?,
        }],
    };
    let mut out = Cleared::with_capacity(1024 * (passkeys.len() + 1));
    serde_json::to_writer_pretty(&mut out, &header).map_err(|_| Error::Damaged("a passkey"))?;
    Ok(out.into_inner())
}

impl<'a> WrittenItem<'a> {
    fn of(passkey: &'a Foreign, now: u64) -> Option<Self> {
        let created_at = passkey.created_at.unwrap_or(now);
        let name = passkey.user_name.as_deref().unwrap_or_default();
        let extensions = WrittenExtensions {
            // Both or none: the format has no place for one alone.
            hmac_credentials: passkey.prf.as_ref().and_then(|prf| {
                Some(WrittenSecrets {
                    algorithm: "hmac-sha256",
                    with: base64::url(prf.verified.as_slice()),
                    without: base64::url(prf.unverified.as_ref()?.as_slice()),
                })
            }),
            cred_blob: passkey.blob.as_deref().map(base64::url),
            large_blob: passkey.large_blob.as_ref().map(|blob| WrittenBlob {
                uncompressed_size: blob.uncompressed,
                data: base64::url(&blob.data),
            }),
        };
        let has_any = extensions.hmac_credentials.is_some()
            || extensions.cred_blob.is_some()
            || extensions.large_blob.is_some();
        // An item's id has at most 64 bytes.
        let id = passkey.id.get(..64).unwrap_or(&passkey.id);
        Some(Self {
            id: base64::url(id),
            creation_at: created_at,
            modified_at: created_at,
            title: passkey.rp_name.as_deref().unwrap_or(&passkey.rp_id),
            scope: Scope { urls: [format!("https://{}", passkey.rp_id)], android_apps: [] },
            credentials: [WrittenPasskey {
                r#type: "passkey",
                credential_id: base64::url(&passkey.id),
                rp_id: &passkey.rp_id,
                username: name,
                user_display_name: passkey.display_name.as_deref().unwrap_or(name),
                user_handle: base64::url(&passkey.user_handle),
                key: base64::url(&key::to_der(&passkey.key)?),
                fido2_extensions: has_any.then_some(extensions),
            }],
        })
    }
}

#[cfg(test)]
mod tests;
