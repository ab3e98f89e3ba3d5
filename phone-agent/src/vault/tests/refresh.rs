//! What an open vault notices of what others do to it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Memory that counts how often it is read as a whole.
#[derive(Debug, Default)]
struct Counting {
    memory: memory::MemoryMedium,
    reads: AtomicUsize,
}

impl Medium for Counting {
    fn read(&self) -> Result<Vec<u8>, Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.memory.read()
    }

    fn ends(&self) -> Result<Ends, Error> {
        self.memory.ends()
    }

    fn lock(&self, withdrawal: &Withdrawal) -> Result<Box<dyn Exclusive + '_>, Error> {
        self.memory.lock(withdrawal)
    }

    fn anchor(&self, vault: &VaultId) -> Option<u64> {
        self.memory.anchor(vault)
    }
}

/// What a refresh says when this was written in the place of the vault.
fn refreshed(change: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<bool, Error> {
    let (folder, vault, good) = two_records();
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    fs::write(folder.path().join("vault"), change(&good)).unwrap();
    let result = unlocked.refresh();
    // What failed once does not pass for seen.
    assert!(result.is_ok() || unlocked.refresh() == result);
    result
}

#[test]
fn a_vault_that_nobody_wrote_is_not_read_again() {
    let medium = Arc::new(Counting::default());
    let vault = Vault::on(medium.clone());
    create(&vault);
    add(&vault, "one.example", b"1");
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    let before = medium.reads.load(Ordering::Relaxed);
    assert_eq!((unlocked.refresh(), unlocked.refresh()), (Ok(false), Ok(false)));
    unlocked.add(passkey("two.example", b"2"), &mut OsRng).unwrap();
    assert_eq!(unlocked.refresh(), Ok(false), "what it wrote itself");
    assert_eq!(medium.reads.load(Ordering::Relaxed), before);
    add(&vault, "three.example", b"3");
    let before = medium.reads.load(Ordering::Relaxed);
    assert_eq!((unlocked.refresh(), unlocked.refresh()), (Ok(true), Ok(false)));
    assert_eq!(medium.reads.load(Ordering::Relaxed), before + 1);
    assert_eq!(unlocked.passkeys().count(), 3);
}

#[test]
fn what_stands_there_as_it_stood_is_nothing_new() {
    assert_eq!(refreshed(<[u8]>::to_vec), Ok(false));
}

#[test]
fn a_vault_cut_anywhere_is_noticed() {
    for length in 0..430 {
        let result = refreshed(|good| good[..length].to_vec());
        assert_eq!(result, Err(Error::Truncated), "length {length}");
    }
    // With both ends as they were.
    let middle = |good: &[u8]| [&good[..200], &good[good.len() - 60..]].concat();
    assert_eq!(refreshed(middle), Err(Error::Truncated));
}

#[test]
fn something_behind_or_in_between_is_noticed() {
    assert_eq!(refreshed(|good| [good, &[0]].concat()), Err(Error::Damaged(Part::End)));
    let tag = |good: &[u8]| good[good.len() - 32..].to_vec();
    assert_eq!(refreshed(|good| [good, &tag(good)[..]].concat()), Err(Error::Damaged(Part::End)));
    let grown = |good: &[u8]| forge([&good[..300], &[0; 44], &good[300..]].concat());
    assert!(matches!(refreshed(grown), Err(Error::Damaged(_))));
}

#[test]
fn another_header_before_the_same_records_is_noticed() {
    for offset in 0..94 {
        let flip = |good: &[u8]| {
            let mut bad = good.to_vec();
            bad[offset] ^= 0x41;
            bad
        };
        assert!(refreshed(flip).is_err(), "offset {offset}");
        // As somebody would who knows how the header is summed.
        if !(10..18).contains(&offset) && offset < 86 {
            assert!(refreshed(|good| forge(flip(good))).is_err(), "offset {offset}, summed");
        }
    }
    // A later generation before the records of this one.
    let later = |good: &[u8]| {
        let mut bad = good.to_vec();
        bad[41] += 1;
        forge(bad)
    };
    assert_eq!(refreshed(later), Err(Error::Damaged(Part::List)));
}

#[test]
fn another_closing_tag_is_noticed() {
    let flip = |good: &[u8]| [&good[..good.len() - 1], &[good[good.len() - 1] ^ 1]].concat();
    assert_eq!(refreshed(flip), Err(Error::Damaged(Part::List)));
}

#[test]
fn an_older_copy_another_vault_and_another_passphrase_are_noticed() {
    let (folder, vault, older) = two_records();
    let path = folder.path().join("vault");
    add(&vault, "three.example", b"3");
    let newer = fs::read(&path).unwrap();
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    fs::write(&path, &older).unwrap();
    assert_eq!(unlocked.refresh(), Err(Error::Replaced));
    fs::write(&path, &newer).unwrap();
    assert_eq!(unlocked.refresh(), Ok(false));
    let mut other = vault.unlock(&passphrase("right")).unwrap();
    other.change_passphrase(&passphrase("new"), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    assert_eq!(unlocked.refresh(), Err(Error::Replaced));
    fs::remove_file(&path).unwrap();
    assert_eq!(unlocked.refresh(), Err(Error::NotFound));
    create(&vault);
    assert_eq!(unlocked.refresh(), Err(Error::Replaced));
    assert_eq!(unlocked.passkeys().count(), 3, "what was open stays as it was");
}
