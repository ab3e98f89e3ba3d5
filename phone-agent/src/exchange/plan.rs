//! Which passkeys come in, and which go out: decided here, written elsewhere.

use std::collections::HashMap;

use cablecar_protocol::ctap::{RelyingParty, User};
use rand_core::CryptoRngCore;

use super::{Error, Foreign, Found, LargeBlob, Note, Prf, Reason, Title};
use crate::vault::{self, Backup, CredentialId, Passkey, Policy, PrfSecrets, PrivateKey, Unlocked};

/// What becomes of a passkey.
#[derive(Debug)]
pub struct Row {
    /// What people know it by.
    pub title: Title,
    /// Its credential id, where that could be read.
    pub id: Option<Vec<u8>>,
    /// Taken, and what changes for it; or left out, and why.
    pub outcome: Result<Vec<Note>, Reason>,
}

/// What would come of an import. Changes nothing.
///
/// # Errors
/// [`Error::NoPasskeys`], [`Error::Policy`].
pub fn preview(found: &[Found], vault: &Unlocked) -> Result<Vec<Row>, Error> {
    check(found, vault)?;
    Ok(rows(found, vault.passkeys()))
}

/// Takes the passkeys of a file into the vault: all that come in, or none.
/// `now` is in seconds since 1970.
///
/// # Errors
/// As [`preview`], and those of changing a vault.
pub fn import(
    found: Vec<Found>,
    vault: &mut Unlocked,
    now: u64,
    rng: &mut dyn CryptoRngCore,
) -> Result<Vec<Row>, crate::error::Error> {
    check(&found, vault)?;
    // Drawn before the vault is locked, whether they are used or not.
    let spare = found.iter().map(|_| PrfSecrets::random(rng)).collect::<Result<Vec<_>, _>>()?;
    Ok(vault.change(rng, |contents| {
        let rows = rows(&found, contents.passkeys());
        for ((found, row), spare) in found.into_iter().zip(&rows).zip(spare) {
            if let (Ok(foreign), Ok(_)) = (found.passkey, &row.outcome) {
                contents.add(foreign.into_passkey(spare, now));
            }
        }
        Ok(rows)
    })?)
}

fn check(found: &[Found], vault: &Unlocked) -> Result<(), Error> {
    match vault.state().policy {
        Policy::DeviceBound => Err(Error::Policy),
        Policy::Synced if found.is_empty() => Err(Error::NoPasskeys),
        Policy::Synced => Ok(()),
    }
}

fn rows<'a>(found: &[Found], present: impl Iterator<Item = &'a Passkey>) -> Vec<Row> {
    let mut here: HashMap<&[u8], &Passkey> = HashMap::new();
    present.for_each(|passkey| {
        here.entry(passkey.id.as_bytes()).or_insert(passkey);
    });
    let mut before: HashMap<&[u8], &Foreign> = HashMap::new();
    let mut rows = Vec::with_capacity(found.len());
    for Found { title, passkey } in found {
        let (id, outcome) = match passkey {
            Err(reason) => (None, Err(reason.clone())),
            Ok(foreign) => {
                let in_vault =
                    here.get(&*foreign.id).map(|passkey| (foreign.is(passkey), Reason::AlreadyHere));
                let in_file =
                    before.get(&*foreign.id).map(|other| (foreign.is_same(other), Reason::Duplicate));
                before.entry(&foreign.id).or_insert(foreign);
                let outcome = match in_vault.or(in_file) {
                    None => Ok(foreign.notes_of_import()),
                    Some((true, reason)) => Err(reason),
                    Some((false, _)) => Err(Reason::Conflict),
                };
                (Some(foreign.id.clone()), outcome)
            }
        };
        rows.push(Row { title: title.clone(), id, outcome });
    }
    rows
}

/// What a format has words for, beside the essentials.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The secrets of `prf`.
    pub prf: bool,
    /// `credBlob`.
    pub blob: bool,
    /// That a passkey is not discoverable.
    pub discoverable: bool,
    /// Ed25519.
    pub eddsa: bool,
}

/// The passkeys of the vault that go out, and what becomes of each. `rp_ids`
/// chooses some of them; none of them chooses all.
///
/// # Errors
/// None that can happen: [`Error::Damaged`] for a key that is none.
pub fn export(vault: &Unlocked, rp_ids: &[String], words: Words) -> Result<(Vec<Foreign>, Vec<Row>), Error> {
    let chosen = |passkey: &&Passkey| rp_ids.is_empty() || rp_ids.contains(&passkey.rp.id);
    let (mut going, mut rows) = (Vec::new(), Vec::new());
    for passkey in vault.passkeys().filter(chosen) {
        let foreign = Foreign::of(passkey).ok_or(Error::Damaged("a key"))?;
        let outcome = if !passkey.backup.eligible() {
            Err(Reason::DeviceBound)
        } else if passkey.counter != 0 {
            Err(Reason::Counter)
        } else if !words.eddsa && !foreign.is_es256() {
            Err(Reason::Unspeakable("EdDSA"))
        } else {
            Ok(notes_of_export(passkey, words))
        };
        rows.push(Row { title: foreign.title(), id: Some(foreign.id.clone()), outcome });
        if rows.last().is_some_and(|row| row.outcome.is_ok()) {
            going.push(foreign);
        }
    }
    Ok((going, rows))
}

/// Marks as exported what goes out, and then writes it. Where that fails, the
/// marks are taken back.
///
/// # Errors
/// Those of changing a vault, and of `write`.
pub fn exported<E: From<vault::Error>>(
    vault: &mut Unlocked,
    going: &[Foreign],
    write: impl FnOnce() -> Result<(), E>,
    rng: &mut dyn CryptoRngCore,
) -> Result<(), E> {
    let ids = going.iter().map(|foreign| CredentialId::new(foreign.id.clone())).collect();
    vault.mark_exported(&ids, write, rng)
}

fn notes_of_export(passkey: &Passkey, words: Words) -> Vec<Note> {
    let left = [
        (!words.prf, Note::PrfLeft),
        (!words.blob && passkey.blob.is_some(), Note::BlobLeft),
        (passkey.large_blob_key.is_some(), Note::LargeBlobLeft),
        (!words.discoverable && !passkey.discoverable, Note::ListedLeft),
        (passkey.protection != vault::Protection::Optional, Note::ProtectionLeft),
    ];
    left.into_iter().filter_map(|(left, note)| left.then_some(note)).collect()
}

impl Foreign {
    fn notes_of_import(&self) -> Vec<Note> {
        let changed = [
            (self.counter != 0, Note::CounterZeroed),
            (!self.eligible, Note::NotEligible),
            (self.large_blob.is_some(), Note::LargeBlobLeft),
        ];
        changed.into_iter().filter_map(|(changed, note)| changed.then_some(note)).collect()
    }

    /// Whether this is what the vault has.
    fn is(&self, passkey: &Passkey) -> bool {
        Self::of(passkey).is_some_and(|other| self.is_same(&other))
    }

    /// A passkey of the vault, for other programs.
    fn of(passkey: &Passkey) -> Option<Self> {
        let key = PrivateKey::from_secret(passkey.key.algorithm(), passkey.key.expose())?;
        let (verified, unverified) = passkey.prf.expose().split_at(32);
        Some(Self {
            rp_name: passkey.rp.name.clone(),
            user_name: passkey.user.name.clone(),
            display_name: passkey.user.display_name.clone(),
            created_at: Some(passkey.created_at),
            counter: passkey.counter.into(),
            discoverable: passkey.discoverable,
            eligible: passkey.backup.eligible(),
            prf: Prf::new(verified, Some(unverified)),
            blob: passkey.blob.clone(),
            large_blob: None::<LargeBlob>,
            protection: passkey.protection,
            ..Self::new(passkey.id.as_bytes().to_vec(), passkey.rp.id.clone(), passkey.user.id.clone(), key)
        })
    }

    /// A passkey for the vault. What `prf` gives comes along; where the file
    /// does not say it, it is drawn anew.
    fn into_passkey(self, spare: PrfSecrets, now: u64) -> Passkey {
        let prf = self.prf.as_ref().and_then(|prf| {
            let mut both = zeroize::Zeroizing::new(*spare.expose());
            let (with, without) = both.split_at_mut(32);
            with.copy_from_slice(prf.verified.as_slice());
            if let Some(unverified) = &prf.unverified {
                without.copy_from_slice(unverified.as_slice());
            }
            PrfSecrets::from_bytes(both.as_slice())
        });
        Passkey {
            id: CredentialId::new(self.id),
            rp: RelyingParty { id: self.rp_id, name: self.rp_name },
            user: User { id: self.user_handle, name: self.user_name, display_name: self.display_name },
            key: self.key,
            created_at: self.created_at.unwrap_or(now),
            backup: if self.eligible { Backup::IMPORTED } else { Backup::DEVICE_BOUND },
            prf: prf.unwrap_or(spare),
            discoverable: self.discoverable,
            protection: self.protection,
            counter: 0,
            blob: self.blob,
            large_blob_key: None,
        }
    }
}

#[cfg(test)]
mod tests;
