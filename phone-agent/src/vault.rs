//! The vault: one file that holds the passkeys, and tells the truth about
//! what happened to it.
//!
//! `docs/vault-format.md` says what each byte is; here is what to know of it.
//!
//! A header says how to derive the keys, and is only summed. Then come the
//! records, each a canonical CBOR map: a [`Passkey`], or the one [`State`],
//! which is missing while it is the initial one. Each is sealed by itself, so
//! that a write seals one record and not ten thousand; the closing tag covers
//! the list of them, so that none can be swapped, removed or brought back.
//!
//! An older copy of the file is whole and opens. To notice it, the generation
//! is also kept outside, in the anchor ([`Medium::anchor`]); a vault that is
//! older than its anchor is named as rolled back. An anchor that is missing
//! says nothing and is no error.

mod contents;
mod copies;
mod error;
mod file;
mod format;
mod keys;
mod memory;
mod private_key;
mod record;
mod state;
mod withdrawal;

use std::path::PathBuf;
use std::sync::Arc;

use cablecar_protocol::secrets::scrub_stack;
use rand_core::CryptoRngCore;
use subtle::ConstantTimeEq;

pub use contents::Contents;
pub use copies::BackedUp;
pub use error::{Error, Part};
pub use format::Ends;
pub use keys::Kdf;
pub use private_key::{Algorithm, PrivateKey, PublicKey};
pub use record::{Backup, CredentialId, LargeBlobKey, Passkey, PrfSecrets, Protection};
pub use state::{Pin, Policy, State};
pub use withdrawal::Withdrawal;

use crate::passphrase::Passphrase;
use format::{Header, Layout};
use keys::Keys;

/// Names a vault whatever its file is called, 16 bytes.
pub type VaultId = [u8; 16];

/// Where a vault lies. Copies share the place.
#[derive(Debug, Clone)]
pub struct Vault {
    medium: Arc<dyn Medium>,
    accept_rollback: bool,
}

/// What holds the bytes of a vault: a file, or memory in tests.
pub trait Medium: std::fmt::Debug + Send + Sync {
    /// The bytes as they are now, old or new, never half of each.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`].
    fn read(&self) -> Result<Vec<u8>, Error>;

    /// The ends of what [`Medium::read`] would give, all of one moment.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`].
    fn ends(&self) -> Result<Ends, Error> {
        self.read().map(|bytes| Ends::of(&bytes))
    }

    /// Keeps every other writer out until the guard is dropped. May wait,
    /// until the change is withdrawn.
    ///
    /// # Errors
    /// [`Error::InUse`] if another writer does not finish in time,
    /// [`Error::Withdrawn`], [`Error::Io`].
    fn lock(&self, withdrawal: &Withdrawal) -> Result<Box<dyn Exclusive + '_>, Error>;

    /// The newest generation that was ever seen of this vault, if known.
    fn anchor(&self, vault: &VaultId) -> Option<u64>;
}

/// The right to write, while it is held.
pub trait Exclusive {
    /// Whether there is a vault already.
    fn exists(&self) -> bool;

    /// Puts these bytes in the place of what was there, wholly or not at all.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Io`]: the old bytes are in place.
    /// [`Error::Unconfirmed`]: the new ones are.
    fn replace(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Remembers the newest generation outside the vault. May fail in
    /// silence: the anchor is a second line.
    fn set_anchor(&mut self, vault: &VaultId, generation: u64);
}

impl Vault {
    /// The vault in this file. The anchor lies in `state_folder`; without one
    /// no older copy is noticed.
    pub fn in_file(path: PathBuf, state_folder: Option<PathBuf>) -> Self {
        Self::on(Arc::new(file::FileMedium::new(path, state_folder)))
    }

    /// A vault in memory, of the same form as a file. For tests and demos.
    pub fn in_memory() -> Self {
        Self::on(Arc::new(memory::MemoryMedium::default()))
    }

    /// The vault on this medium.
    pub fn on(medium: Arc<dyn Medium>) -> Self {
        Self { medium, accept_rollback: false }
    }

    /// Takes an older copy for the present state, because a person said so.
    /// The next opening forgets the newer generation.
    #[must_use]
    pub fn accept_rollback(mut self, accept: bool) -> Self {
        self.accept_rollback = accept;
        self
    }

    /// Makes an empty vault. Never touches one that exists.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::NoRandomness`], and those of writing.
    pub fn create(
        &self,
        passphrase: &Passphrase,
        kdf: Kdf,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Error> {
        self.create_with(Contents::default(), passphrase, kdf, rng)
    }

    fn create_with(
        &self,
        contents: Contents,
        passphrase: &Passphrase,
        kdf: Kdf,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Error> {
        // Asked twice: before the slow part, and again once nobody can answer
        // differently any more.
        match self.medium.read() {
            Err(Error::NotFound) => {}
            Ok(_) => return Err(Error::Exists),
            Err(error) => return Err(error),
        }
        let (id, bytes) = format::new_vault(contents, passphrase, kdf, rng)?;
        let mut guard = self.medium.lock(&Withdrawal::default())?;
        if guard.exists() {
            return Err(Error::Exists);
        }
        guard.replace(&bytes)?;
        guard.set_anchor(&id, 1);
        Ok(())
    }

    /// What can be known without a passphrase: that there is a vault of a
    /// form this program reads, and how dear its key is to derive.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`] and those of the header.
    pub fn inspect(&self) -> Result<Kdf, Error> {
        format::read(&self.medium.read()?).map(|layout| layout.header.kdf)
    }

    /// Opens the vault: derives the key, checks the closing tag, opens every
    /// record. Slow on purpose; call it where waiting is allowed.
    ///
    /// # Errors
    /// Each cause has its own [`Error`].
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Unlocked, Error> {
        let unlocked = self.unlock_leaving_traces(passphrase);
        scrub_stack();
        unlocked
    }

    fn unlock_leaving_traces(&self, passphrase: &Passphrase) -> Result<Unlocked, Error> {
        // The anchor is read before the vault: a writer goes the other way
        // round, so nothing looks older than it is.
        let id = format::head(&self.medium.ends()?.first)?.id;
        let anchor = self.medium.anchor(&id);
        let bytes = self.medium.read()?;
        let layout = format::read(&bytes)?;
        let Header { kdf, salt, id, .. } = layout.header;
        let keys = Keys::derive(passphrase, kdf, &salt, &id)?;
        if !bool::from(keys.check().ct_eq(&layout.header.key_check)) {
            return Err(Error::WrongPassphrase);
        }
        let unlocked = Unlocked::open(self.medium.clone(), keys, layout, bytes)?;
        let generation = unlocked.header.generation;
        let rolled_back = anchor.is_some_and(|anchor| generation < anchor);
        if rolled_back && !self.accept_rollback {
            return Err(Error::RolledBack);
        }
        if anchor != Some(generation) {
            // A killed writer may have left the anchor behind; whoever holds
            // the lock now will bring it up to date himself.
            if let Ok(mut guard) = self.medium.lock(&Withdrawal::default()) {
                let newest = self.medium.anchor(&id).filter(|_| !rolled_back);
                if newest.is_none_or(|newest| newest < generation) {
                    guard.set_anchor(&id, generation);
                }
            }
        }
        Ok(unlocked)
    }
}

/// An open vault: its passkeys, and the keys to write more. Whoever owns one
/// gave the passphrase, which is this authenticator's user verification; it
/// lives for one request and is cleared on drop.
#[derive(Debug)]
pub struct Unlocked {
    medium: Arc<dyn Medium>,
    keys: Keys,
    header: Header,
    /// Of the bytes that were last read or written.
    ends: Ends,
    contents: Contents,
    withdrawal: Withdrawal,
    /// Whether others wrote what is here, and nobody was told yet.
    is_news: bool,
}

impl Unlocked {
    fn open(medium: Arc<dyn Medium>, keys: Keys, layout: Layout, bytes: Vec<u8>) -> Result<Self, Error> {
        let intact = layout.closing_tag_fits(&bytes, &keys);
        let bytes = Arc::new(bytes);
        let contents = Contents::open(&bytes, layout.records, &layout.header.id, &keys)?;
        // Only now: a damaged record is named before the list that holds it.
        if !intact {
            return Err(Error::Damaged(Part::List));
        }
        let (header, ends, withdrawal) = (layout.header, Ends::of(&bytes), Withdrawal::default());
        Ok(Self { medium, keys, header, ends, contents, withdrawal, is_news: false })
    }

    /// The passkeys, oldest first.
    pub fn passkeys(&self) -> impl DoubleEndedIterator<Item = &Passkey> {
        self.contents.passkeys()
    }

    /// What else is kept.
    pub fn state(&self) -> &State {
        self.contents.state()
    }

    /// Which write of the vault this is.
    pub fn generation(&self) -> u64 {
        self.header.generation
    }

    /// Heeds this word from now on, until something is written: who sees one
    /// change done wants to know of the others, too.
    pub fn heed(&mut self, withdrawal: Withdrawal) {
        self.withdrawal = withdrawal;
    }

    /// Adds a passkey and writes the vault. A discoverable passkey takes the
    /// place of the one that the same account already has there, as CTAP
    /// demands. When this returns, the passkey is on the medium.
    ///
    /// # Errors
    /// Those of [`Unlocked::change`].
    pub fn add(&mut self, passkey: Passkey, rng: &mut dyn CryptoRngCore) -> Result<(), Error> {
        self.change(rng, |contents| {
            contents.replace(passkey);
            Ok(())
        })
    }

    /// Changes what is in the vault, and writes it. All of the change or none
    /// of it: what `change` refuses, and what cannot be written, leaves the
    /// vault as it was, here and on the medium. When this returns, the change
    /// is on the medium. A change that changes nothing writes nothing.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`]: the change is made, and may not outlive a power
    /// cut. All others leave the vault as it was:
    /// [`Error::InUse`], [`Error::Withdrawn`], [`Error::Replaced`],
    /// [`Error::NoRandomness`], those of `change`, those of opening (the vault
    /// is read again under the lock, so that nothing another program wrote is
    /// lost) and those of writing.
    pub fn change<T>(
        &mut self,
        rng: &mut dyn CryptoRngCore,
        change: impl FnOnce(&mut Contents) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let medium = self.medium.clone();
        let mut guard = medium.lock(&self.withdrawal)?;
        self.change_under(&mut *guard, rng, change)
    }

    /// The same, for whoever has the lock already.
    fn change_under<T>(
        &mut self,
        guard: &mut dyn Exclusive,
        rng: &mut dyn CryptoRngCore,
        change: impl FnOnce(&mut Contents) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.read_again()?;
        let mut contents = self.contents.clone();
        let value = change(&mut contents)?;
        if !contents.is_changed() {
            return Ok(value);
        }
        contents.seal(&self.header.id, &self.keys, rng)?;
        let header = Header { generation: self.header.generation + 1, ..self.header };
        self.store(guard, header, contents, self.keys.again())?;
        Ok(value)
    }

    /// Writes, and takes what was written for what is there.
    fn store(
        &mut self,
        guard: &mut dyn Exclusive,
        header: Header,
        contents: Contents,
        keys: Keys,
    ) -> Result<(), Error> {
        self.withdrawal.check()?;
        let bytes = format::write(&header, contents.sealed(), &keys);
        let stored = guard.replace(&bytes);
        if let Ok(()) | Err(Error::Unconfirmed) = stored {
            self.ends = Ends::of(&bytes);
            (self.header, self.contents, self.keys) = (header, contents, keys);
            self.withdrawal = Withdrawal::default();
        }
        if stored.is_ok() {
            guard.set_anchor(&header.id, header.generation);
        }
        stored
    }

    /// Takes in what others wrote since the vault was opened: what they removed
    /// must not be used any more. Says whether there was anything since it was
    /// asked last, also what a change of ours took in. Costs next to nothing
    /// where there was not, however long the vault is.
    ///
    /// # Errors
    /// [`Error::Replaced`] where this is another vault now, or has another
    /// passphrase; those of reading and opening.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        self.read_again()?;
        Ok(std::mem::take(&mut self.is_news))
    }

    fn read_again(&mut self) -> Result<(), Error> {
        // The closing tag covers every byte before it, under a key that nobody
        // else has: the same tag behind the same header is the same write.
        if self.medium.ends()? == self.ends {
            return Ok(());
        }
        let bytes = self.medium.read()?;
        let header = format::head(&bytes)?;
        let same_vault = header.id == self.header.id && header.key_check == self.header.key_check;
        if !same_vault || header.generation < self.header.generation {
            return Err(Error::Replaced);
        }
        let keys = self.keys.again();
        let there = Self::open(self.medium.clone(), keys, format::read(&bytes)?, bytes)?;
        *self = Self { withdrawal: self.withdrawal.clone(), is_news: true, ..there };
        Ok(())
    }
}

/// `N` random bytes, or the word that there are none.
fn random<const N: usize>(rng: &mut dyn CryptoRngCore) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    fill(rng, &mut bytes)?;
    Ok(bytes)
}

/// The same, in the place where the bytes will stay.
fn fill(rng: &mut dyn CryptoRngCore, into: &mut [u8]) -> Result<(), Error> {
    rng.try_fill_bytes(into).map_err(|_| Error::NoRandomness)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::NoRandomness;
