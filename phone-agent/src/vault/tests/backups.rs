//! A backup and its mark in the vault come together or not at all.

use std::fs;
use std::path::Path;

use rand_core::{OsRng, RngCore};

use super::{Error, passkey, passphrase, two_records};

/// Randomness that does something the first time that this file is there.
struct Watching<'a> {
    watched: &'a Path,
    then: &'a dyn Fn(),
    seen: bool,
}

impl RngCore for Watching<'_> {
    fn next_u32(&mut self) -> u32 {
        OsRng.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        OsRng.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        if !self.seen && self.watched.exists() {
            self.seen = true;
            (self.then)();
        }
        OsRng.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Watching<'_> {}

/// The marks are sealed while the backup lies beside its name: what comes up
/// there just then is not replaced, and no mark stays without a backup.
#[test]
fn a_backup_that_gets_no_name_leaves_no_mark() {
    let (folder, vault, _) = two_records();
    let (to, beside) = (folder.path().join("backup"), folder.path().join(".backup.new"));
    let marks = || -> Vec<bool> {
        let unlocked = vault.unlock(&passphrase("right")).unwrap();
        unlocked.passkeys().map(|passkey| passkey.backup.done()).collect()
    };
    let mut rng = Watching { watched: &beside, then: &|| fs::write(&to, "precious").unwrap(), seen: false };
    assert_eq!(vault.back_up(&passphrase("right"), &to, &mut rng), Err(Error::Exists));
    assert!(rng.seen);
    assert_eq!(fs::read(&to).unwrap(), b"precious");
    assert_eq!((marks(), beside.exists()), (vec![false, false], false));
    // One that was marked before stays so.
    fs::remove_file(&to).unwrap();
    vault.back_up(&passphrase("right"), &folder.path().join("first"), &mut OsRng).unwrap();
    vault.unlock(&passphrase("right")).unwrap().add(passkey("three.example", b"3"), &mut OsRng).unwrap();
    let mut rng = Watching { watched: &beside, then: &|| fs::write(&to, "precious").unwrap(), seen: false };
    assert_eq!(vault.back_up(&passphrase("right"), &to, &mut rng), Err(Error::Exists));
    assert_eq!(marks(), [true, true, false]);
    // A vault that cannot be marked gets no backup.
    fs::remove_file(&to).unwrap();
    let lock = fs::File::open(folder.path().join("vault.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(vault.back_up(&passphrase("right"), &to, &mut OsRng), Err(Error::InUse));
    assert_eq!((to.exists(), beside.exists()), (false, false));
}
