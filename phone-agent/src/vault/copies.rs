//! A vault under another passphrase, its backup, and the way back.

use std::collections::HashSet;
use std::path::Path;

use rand_core::CryptoRngCore;

use super::format::{self, Header};
use super::keys::{Kdf, Keys};
use super::{Backup, Contents, CredentialId, Error, Passkey, Unlocked, Vault, file, random};
use crate::passphrase::Passphrase;

/// What is in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// Passkeys in it.
    pub kept: usize,
    /// Passkeys that are not, because they are bound to this device.
    pub left_out: usize,
}

impl Vault {
    /// Writes what may leave this vault into a new one: another vault id,
    /// another salt, the same passphrase; and marks it as backed up here
    /// (BS=1).
    ///
    /// The backup is whole, beside its name, when the marks are made, and gets
    /// its name after them: whoever kills this leaves no backup that the vault
    /// does not know of.
    ///
    /// # Errors
    /// Those of [`Vault::unlock`]; [`Error::Exists`] if there is anything of
    /// that name; those of writing the backup and the vault. None of them
    /// leaves a backup or a mark, but for [`Error::Unconfirmed`].
    pub fn back_up(
        &self,
        passphrase: &Passphrase,
        to: &Path,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<BackedUp, Error> {
        let mut unlocked = self.unlock(passphrase)?;
        let portable = unlocked.contents.portable();
        let ids: HashSet<CredentialId> = portable.passkeys().map(|passkey| passkey.id.clone()).collect();
        let left_out = unlocked.passkeys().count() - ids.len();
        let (_, bytes) = format::new_vault(portable, passphrase, unlocked.header.kdf, rng)?;
        let backup = file::Pending::write(to, &bytes)?;
        let mut confirmed = Ok(());
        let place = || match backup.place() {
            // It has its name, be it for as long as the power stays.
            Err(Error::Unconfirmed) => {
                confirmed = Err(Error::Unconfirmed);
                Ok(())
            }
            placed => placed,
        };
        unlocked.mark_exported(&ids, place, rng)?;
        confirmed?;
        Ok(BackedUp { kept: ids.len(), left_out })
    }

    /// Makes a vault of a backup, where there is none: with a vault id of its
    /// own, so that no anchor takes it for an older copy of anything.
    ///
    /// # Errors
    /// [`Error::Exists`], and those of writing.
    pub fn create_from(
        &self,
        backup: &Unlocked,
        passphrase: &Passphrase,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Error> {
        self.create_with(backup.contents.portable(), passphrase, backup.header.kdf, rng)
    }
}

impl Unlocked {
    /// How dear this vault's key is to derive.
    pub fn kdf(&self) -> Kdf {
        self.header.kdf
    }

    /// Gives the vault another passphrase: a new salt, other keys, and every
    /// record sealed again, in one write. Whoever has it open under the old
    /// one gets [`Error::Replaced`] from the next change.
    ///
    /// # Errors
    /// Those of [`Unlocked::change`].
    pub fn change_passphrase(
        &mut self,
        passphrase: &Passphrase,
        kdf: Kdf,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Error> {
        // The slow part first: nobody else should wait for it.
        let salt = random(rng)?;
        let keys = Keys::derive(passphrase, kdf, &salt, &self.header.id)?;
        let medium = self.medium.clone();
        let mut guard = medium.lock(&self.withdrawal)?;
        self.read_again()?;
        let mut contents = self.contents.unsealed();
        contents.seal(&self.header.id, &keys, rng)?;
        let generation = self.header.generation + 1;
        let header = Header { id: self.header.id, generation, kdf, salt, key_check: *keys.check() };
        self.store(&mut *guard, header, contents, keys)
    }

    /// Marks these passkeys as backed up (BS=1), those that may be, and then
    /// does what makes it true. Where that fails, the marks are taken back.
    ///
    /// # Errors
    /// Those of [`Unlocked::change`] and of `place`.
    pub fn mark_exported<E: From<Error>>(
        &mut self,
        ids: &HashSet<CredentialId>,
        place: impl FnOnce() -> Result<(), E>,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), E> {
        let medium = self.medium.clone();
        // Held to the end: nobody else marks what is then taken back.
        let mut guard = medium.lock(&self.withdrawal)?;
        let mut new = HashSet::new();
        let marked = self.change_under(&mut *guard, rng, |contents| {
            let unmarked = |passkey: &&Passkey| passkey.backup != passkey.backup.exported();
            let of_backup = contents.passkeys().filter(|passkey| ids.contains(&passkey.id));
            new = of_backup.filter(unmarked).map(|passkey| passkey.id.clone()).collect();
            contents.update_where(
                |passkey| new.contains(&passkey.id),
                |passkey| passkey.backup = passkey.backup.exported(),
            );
            Ok(())
        });
        let placed = marked.map_err(E::from).and_then(|()| place());
        if placed.is_err() {
            // Marks that cannot be taken back claim too much, never too
            // little; and what failed first says more.
            let _ = self.change_under(&mut *guard, rng, |contents| {
                contents.update_where(
                    |passkey| new.contains(&passkey.id) && passkey.backup.done(),
                    |passkey| passkey.backup = Backup::SYNCED,
                );
                Ok(())
            });
        }
        placed
    }

    /// The passkeys of a backup that are not here, by their credential ids,
    /// and may be: oldest first.
    pub fn missing<'a>(&self, backup: &'a Unlocked) -> Vec<&'a Passkey> {
        missing(&self.contents, backup)
    }

    /// Adds the passkeys of a backup that are not here. Removes nothing, and
    /// leaves the state as it is. Says how many were added.
    ///
    /// # Errors
    /// Those of [`Unlocked::change`].
    pub fn take_in(&mut self, backup: &Unlocked, rng: &mut dyn CryptoRngCore) -> Result<usize, Error> {
        self.change(rng, |contents| {
            let missing = missing(contents, backup);
            missing.iter().for_each(|passkey| contents.add(exported(passkey)));
            Ok(missing.len())
        })
    }
}

impl Contents {
    /// What may leave the vault: all but the passkeys bound to it.
    fn portable(&self) -> Self {
        let mut portable = Contents::default();
        portable.set_state(self.state().clone());
        self.passkeys()
            .filter(|passkey| passkey.backup.eligible())
            .for_each(|passkey| portable.add(exported(passkey)));
        portable
    }
}

fn missing<'a>(contents: &Contents, backup: &'a Unlocked) -> Vec<&'a Passkey> {
    let here: HashSet<&CredentialId> = contents.passkeys().map(|passkey| &passkey.id).collect();
    let portable = backup.passkeys().filter(|passkey| passkey.backup.eligible());
    portable.filter(|passkey| !here.contains(&passkey.id)).collect()
}

fn exported(passkey: &Passkey) -> Passkey {
    let mut copy = passkey.again();
    copy.backup = copy.backup.exported();
    copy
}
