use std::ops::Range;
use std::sync::Arc;

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::format::{self, SealedRecord};
use super::keys::Keys;
use super::record::Fields;
use super::{CredentialId, Error, Part, Passkey, State, VaultId};

/// What is in a vault: passkeys, oldest first, and the state. A copy is cheap,
/// which is what makes a change that fails leave nothing behind.
#[derive(Debug, Clone)]
pub struct Contents {
    passkeys: Vec<Entry<Passkey>>,
    state: Entry<State>,
    /// Whether a record that was there is not any more.
    removed: bool,
}

/// Something that has a record, open; and sealed, unless it is new.
#[derive(Debug)]
struct Entry<T> {
    open: Arc<T>,
    sealed: Option<SealedRecord>,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { open: self.open.clone(), sealed: self.sealed.clone() }
    }
}

impl<T> Entry<T> {
    fn new(open: T) -> Self {
        Self { open: Arc::new(open), sealed: None }
    }
}

impl Default for Contents {
    /// No passkey, and the initial state.
    fn default() -> Self {
        Self { passkeys: Vec::new(), state: Entry::new(State::default()), removed: false }
    }
}

impl Contents {
    /// Opens the records at these places of a file.
    pub(super) fn open(
        file: &Arc<Vec<u8>>,
        records: Vec<Range<usize>>,
        vault: &VaultId,
        keys: &Keys,
    ) -> Result<Self, Error> {
        let mut passkeys = Vec::with_capacity(records.len());
        let mut state = None;
        let cipher = format::cipher(keys);
        // Room for all of them, so that none is moved while it grows.
        let longest = records.iter().map(Range::len).max().unwrap_or(0);
        let mut record = Zeroizing::new(Vec::with_capacity(longest));
        for (index, at) in records.into_iter().enumerate() {
            let damaged = Error::Damaged(Part::Record(index + 1));
            let sealed = SealedRecord::new(file.clone(), at);
            sealed.open(vault, &cipher, &mut record).ok_or(damaged)?;
            let fields = Fields::of(&record).ok_or(damaged)?;
            if fields.kind().is_some() {
                let open = Arc::new(State::from_record(&record).ok_or(damaged)?);
                if state.replace(Entry { open, sealed: Some(sealed) }).is_some() {
                    return Err(damaged);
                }
            } else {
                let open = Arc::new(Passkey::from_record(&fields).ok_or(damaged)?);
                passkeys.push(Entry { open, sealed: Some(sealed) });
            }
        }
        let state = state.unwrap_or_else(|| Entry::new(State::default()));
        Ok(Self { passkeys, state, removed: false })
    }

    /// The passkeys, oldest first.
    pub fn passkeys(&self) -> impl DoubleEndedIterator<Item = &Passkey> {
        self.passkeys.iter().map(|entry| &*entry.open)
    }

    /// What else is kept.
    pub fn state(&self) -> &State {
        &self.state.open
    }

    /// Replaces the state.
    pub fn set_state(&mut self, state: State) {
        if state != *self.state.open {
            self.removed |= self.state.sealed.is_some();
            self.state = Entry::new(state);
        }
    }

    /// Adds a passkey beside all that are there.
    pub fn add(&mut self, passkey: Passkey) {
        self.passkeys.push(Entry::new(passkey));
    }

    /// Adds a passkey. A discoverable one takes the place of the one that the
    /// same account already has there, as CTAP demands.
    pub fn replace(&mut self, passkey: Passkey) {
        self.passkeys.retain(|entry| !passkey.replaces(&entry.open));
        self.add(passkey);
    }

    /// Removes the passkey with this id; false if there is none.
    pub fn remove(&mut self, id: &CredentialId) -> bool {
        let before = self.passkeys.len();
        self.passkeys.retain(|entry| entry.open.id != *id);
        self.removed |= self.passkeys.len() != before;
        self.passkeys.len() != before
    }

    /// Changes the passkey with this id; false if there is none.
    pub fn update(&mut self, id: &CredentialId, change: impl FnOnce(&mut Passkey)) -> bool {
        let Some(entry) = self.passkeys.iter_mut().find(|entry| entry.open.id == *id) else { return false };
        let mut passkey = entry.open.again();
        change(&mut passkey);
        *entry = Entry::new(passkey);
        true
    }

    /// Changes every passkey of which this is true.
    pub fn update_where(&mut self, chosen: impl Fn(&Passkey) -> bool, change: impl Fn(&mut Passkey)) {
        for entry in self.passkeys.iter_mut().filter(|entry| chosen(&entry.open)) {
            let mut passkey = entry.open.again();
            change(&mut passkey);
            *entry = Entry::new(passkey);
        }
    }

    /// Removes every passkey and makes the state the initial one.
    pub fn clear(&mut self) {
        self.removed |= !self.passkeys.is_empty();
        self.passkeys.clear();
        self.set_state(State::default());
    }

    /// The same, with no record sealed yet.
    pub(super) fn unsealed(&self) -> Self {
        let again = |entry: &Entry<Passkey>| Entry { open: entry.open.clone(), sealed: None };
        Self {
            passkeys: self.passkeys.iter().map(again).collect(),
            state: Entry { open: self.state.open.clone(), sealed: None },
            removed: false,
        }
    }

    /// Whether anything is to be written.
    pub(super) fn is_changed(&self) -> bool {
        let new_state = self.state.sealed.is_none() && *self.state.open != State::default();
        self.removed || new_state || self.passkeys.iter().any(|entry| entry.sealed.is_none())
    }

    /// Seals what is new.
    pub(super) fn seal(
        &mut self,
        vault: &VaultId,
        keys: &Keys,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Error> {
        for entry in self.passkeys.iter_mut().filter(|entry| entry.sealed.is_none()) {
            let record = entry.open.to_cbor();
            entry.sealed = Some(SealedRecord::seal(&record, vault, keys, rng)?);
        }
        if self.state.sealed.is_none() && *self.state.open != State::default() {
            let record = self.state.open.to_cbor();
            self.state.sealed = Some(SealedRecord::seal(&record, vault, keys, rng)?);
        }
        self.removed = false;
        Ok(())
    }

    /// The records, the state's first.
    pub(super) fn sealed(&self) -> impl Iterator<Item = &SealedRecord> + Clone {
        let passkeys = self.passkeys.iter().filter_map(|entry| entry.sealed.as_ref());
        self.state.sealed.as_ref().into_iter().chain(passkeys)
    }
}
