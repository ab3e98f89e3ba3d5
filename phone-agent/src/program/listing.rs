//! The passkeys, as a list shows them.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;

use super::json;
use crate::calendar;
use crate::cli::Format;
use crate::consent::{Account, readable_rp_id};
use crate::error::Error;
use crate::vault::{Algorithm, CredentialId, Passkey};

/// A passkey as a list shows it: everything but the secrets.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    credential_id: String,
    rp_id: &'a str,
    rp_name: Option<&'a str>,
    user_id: String,
    user_name: Option<&'a str>,
    user_display_name: Option<&'a str>,
    created_at: u64,
    discoverable: bool,
    backup_eligible: bool,
    backed_up: bool,
}

impl<'a> Listed<'a> {
    pub(super) fn of(passkey: &'a Passkey) -> Self {
        Self {
            credential_id: id(&passkey.id),
            rp_id: &passkey.rp.id,
            rp_name: passkey.rp.name.as_deref(),
            user_id: Base64UrlUnpadded::encode_string(&passkey.user.id),
            user_name: passkey.user.name.as_deref(),
            user_display_name: passkey.user.display_name.as_deref(),
            created_at: passkey.created_at,
            discoverable: passkey.discoverable,
            backup_eligible: passkey.backup.eligible(),
            backed_up: passkey.backup.done(),
        }
    }
}

/// A credential id as it is shown and typed: base64url without padding.
pub(super) fn id(id: &CredentialId) -> String {
    Base64UrlUnpadded::encode_string(id.as_bytes())
}

/// A passkey shown whole, but for its secrets.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    listed: Listed<'a>,
    algorithm: &'static str,
    protection: u64,
    signature_counter: u32,
    credential_blob_bytes: Option<usize>,
    has_large_blob_key: bool,
}

impl<'a> Shown<'a> {
    fn of(passkey: &'a Passkey) -> Self {
        Self {
            listed: Listed::of(passkey),
            algorithm: match passkey.key.algorithm() {
                Algorithm::Es256 => "ES256",
                Algorithm::EdDsa => "EdDSA",
            },
            protection: passkey.protection.level(),
            signature_counter: passkey.counter,
            credential_blob_bytes: passkey.blob.as_ref().map(Vec::len),
            has_large_blob_key: passkey.large_blob_key.is_some(),
        }
    }

    fn paragraph(&self, passkey: &Passkey) -> String {
        let backup = match (self.listed.backup_eligible, self.listed.backed_up) {
            (false, _) => "never: bound to this device",
            (true, false) => "possible, not made yet",
            (true, true) => "made",
        };
        let mut rows = vec![
            ("website", readable_rp_id(self.listed.rp_id)),
            ("account", Account::of(&passkey.user).to_string()),
            ("id", self.listed.credential_id.clone()),
            ("made", calendar::date(passkey.created_at)),
            ("signs with", self.algorithm.to_owned()),
            ("found without its id", yes_no(self.listed.discoverable)),
            ("backup", backup.to_owned()),
            ("protection", self.protection.to_string()),
        ];
        if !self.listed.backup_eligible {
            rows.push(("signatures so far", self.signature_counter.to_string()));
        }
        if let Some(bytes) = self.credential_blob_bytes {
            rows.push(("website's blob", format!("{bytes} bytes")));
        }
        if self.has_large_blob_key {
            rows.push(("large blob", "has a key for one".to_owned()));
        }
        rows.iter().map(|(name, value)| format!("{name:<21} {value}\n")).collect()
    }
}

fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// Passkeys whole, a paragraph each.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn whole(passkeys: &[&Passkey], format: Format) -> Result<String, Error> {
    match format {
        Format::Json => json(&passkeys.iter().map(|passkey| Shown::of(passkey)).collect::<Vec<_>>()),
        Format::Text => {
            let paragraphs = passkeys.iter().map(|passkey| Shown::of(passkey).paragraph(passkey));
            Ok(paragraphs.collect::<Vec<_>>().join("\n"))
        }
    }
}

/// The text of a list.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn list<'a>(passkeys: impl Iterator<Item = &'a Passkey>, format: Format) -> Result<String, Error> {
    match format {
        Format::Json => json(&passkeys.map(Listed::of).collect::<Vec<_>>()),
        Format::Text => Ok(passkeys
            .map(|passkey| {
                let (rp, account) = (readable_rp_id(&passkey.rp.id), Account::of(&passkey.user));
                format!("{rp}  {account}  made {}\n", calendar::date(passkey.created_at))
            })
            .collect()),
    }
}
