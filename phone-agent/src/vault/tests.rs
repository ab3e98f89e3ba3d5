use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cablecar_protocol::ctap::{RelyingParty, User};
use rand_core::OsRng;

use super::*;

mod backups;
mod refresh;

/// A source of randomness that fails.
pub(crate) struct NoRandomness;

impl rand_core::CryptoRng for NoRandomness {}

impl rand_core::RngCore for NoRandomness {
    fn next_u32(&mut self) -> u32 {
        4
    }

    fn next_u64(&mut self) -> u64 {
        4
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        dest.fill(4);
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), rand_core::Error> {
        Err(rand_core::Error::from(std::num::NonZeroU32::MIN))
    }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into()).unwrap()
}

fn passkey(rp: &str, user: &[u8]) -> Passkey {
    let rp = RelyingParty { id: rp.into(), name: Some("Example".into()) };
    let user = User { id: user.to_vec(), name: Some("alice".into()), display_name: None };
    Passkey::random(Algorithm::Es256, rp, user, 1_800_000_000, &mut OsRng).unwrap()
}

fn in_folder(folder: &Path) -> Vault {
    Vault::in_file(folder.join("vault"), Some(folder.join("state")))
}

fn create(vault: &Vault) {
    vault.create(&passphrase("right"), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
}

fn add(vault: &Vault, rp: &str, user: &[u8]) {
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    unlocked.add(passkey(rp, user), &mut OsRng).unwrap();
}

fn rp_ids(vault: &Vault) -> Vec<String> {
    let unlocked = vault.unlock(&passphrase("right")).unwrap();
    unlocked.passkeys().map(|passkey| passkey.rp.id.clone()).collect()
}

/// A vault of two records, as bytes, in a folder that goes when dropped.
fn two_records() -> (tempfile::TempDir, Vault, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let vault = in_folder(folder.path());
    create(&vault);
    add(&vault, "one.example", b"1");
    add(&vault, "two.example", b"2");
    let bytes = fs::read(folder.path().join("vault")).unwrap();
    (folder, vault, bytes)
}

/// Where the records of a vault begin and end.
fn records(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut start = 98;
    let mut ranges = Vec::new();
    while start < bytes.len() - 32 {
        let length = u32::from_be_bytes(bytes[start + 16..start + 20].try_into().unwrap());
        let end = start + 44 + usize::try_from(length).unwrap();
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// Writes the header sum and the length anew, as a forger would.
fn forge(mut bytes: Vec<u8>) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let length = u64::try_from(bytes.len()).unwrap();
    bytes[10..18].copy_from_slice(&length.to_be_bytes());
    let sum = Sha256::digest(&bytes[..86]);
    bytes[86..94].copy_from_slice(&sum[..8]);
    bytes
}

fn open_bytes(folder: &tempfile::TempDir, vault: &Vault, bytes: &[u8]) -> Result<Unlocked, Error> {
    fs::write(folder.path().join("vault"), bytes).unwrap();
    vault.unlock(&passphrase("right"))
}

#[test]
fn what_was_stored_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let vault = in_folder(folder.path());
    create(&vault);
    let stored = passkey("example.com", b"1");
    let (id, scalar) = (stored.id.clone(), *stored.key.expose());
    vault.unlock(&passphrase("right")).unwrap().add(stored, &mut OsRng).unwrap();
    let unlocked = vault.unlock(&passphrase("right")).unwrap();
    let [found] = unlocked.passkeys().collect::<Vec<_>>()[..] else { panic!("one passkey") };
    assert_eq!((&found.id, found.key.expose()), (&id, &scalar));
    assert_eq!((found.rp.name.as_deref(), found.user.display_name.as_deref()), (Some("Example"), None));
    assert_eq!((found.backup, found.discoverable), (Backup::SYNCED, true));
}

#[test]
fn nothing_of_a_passkey_stands_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let vault = in_folder(folder.path());
    create(&vault);
    let stored = passkey("secretive.example", b"user-handle-of-alice");
    let needles = [
        stored.key.expose().to_vec(),
        stored.id.as_bytes().to_vec(),
        b"secretive".to_vec(),
        b"alice".to_vec(),
    ];
    vault.unlock(&passphrase("right")).unwrap().add(stored, &mut OsRng).unwrap();
    for file in
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_file())
    {
        let bytes = fs::read(&file).unwrap();
        for needle in &needles {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{}", file.display());
        }
    }
}

#[test]
fn a_wrong_passphrase_is_named_and_changes_nothing() {
    let (folder, vault, before) = two_records();
    assert_eq!(vault.unlock(&passphrase("wrong")).unwrap_err(), Error::WrongPassphrase);
    assert_eq!(fs::read(folder.path().join("vault")).unwrap(), before);
}

#[test]
fn making_a_vault_twice_is_refused_and_changes_nothing() {
    let (folder, vault, before) = two_records();
    let again = vault.create(&passphrase("other"), Kdf::DANGER_WEAK, &mut OsRng);
    assert_eq!(again, Err(Error::Exists));
    assert_eq!(fs::read(folder.path().join("vault")).unwrap(), before);
}

#[test]
fn of_many_who_make_a_vault_at_once_one_has_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::in_file(folder.path().join("vault"), None);
    let start = std::sync::Barrier::new(8);
    let makers = |number: u8| {
        let (vault, start) = (&vault, &start);
        move || {
            let own = passphrase(&format!("passphrase {number}"));
            start.wait();
            vault.create(&own, Kdf::DANGER_WEAK, &mut OsRng).map(|()| own)
        }
    };
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(makers(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (made, refused): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    assert!(refused.into_iter().all(|one| one.unwrap_err() == Error::Exists));
    let [Ok(own)] = made.as_slice() else { panic!("{} have made it", made.len()) };
    assert!(vault.unlock(own).is_ok());
}

#[test]
fn a_vault_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let vault = in_folder(folder.path());
    assert_eq!(vault.inspect(), Err(Error::NotFound));
    assert_eq!(vault.unlock(&passphrase("right")).unwrap_err(), Error::NotFound);
}

#[test]
fn a_flipped_byte_anywhere_is_noticed_and_named() {
    let (folder, vault, good) = two_records();
    let ranges = records(&good);
    let [first, second] = &ranges[..] else { panic!("two records") };
    for offset in 0..good.len() {
        let mut bad = good.clone();
        bad[offset] ^= 0x41;
        let error = open_bytes(&folder, &vault, &bad).unwrap_err();
        let in_sealed = |range: &std::ops::Range<usize>| (range.start + 20..range.end).contains(&offset);
        let expected = match offset {
            0..8 => error == Error::NotAVault,
            8..10 => matches!(error, Error::UnknownVersion(_)),
            10..94 => error == Error::Damaged(Part::Header),
            _ if in_sealed(first) => error == Error::Damaged(Part::Record(1)),
            _ if in_sealed(second) => error == Error::Damaged(Part::Record(2)),
            _ => matches!(error, Error::Damaged(Part::List | Part::Record(_))),
        };
        assert!(expected, "offset {offset}: {error}");
    }
    assert!(open_bytes(&folder, &vault, &good).is_ok());
}

#[test]
fn a_vault_cut_off_at_any_length_is_truncated() {
    let (folder, vault, good) = two_records();
    for length in 0..good.len() {
        let error = open_bytes(&folder, &vault, &good[..length]).unwrap_err();
        assert_eq!(error, Error::Truncated, "length {length}");
    }
}

#[test]
fn something_behind_the_end_is_noticed() {
    let (folder, vault, mut bytes) = two_records();
    bytes.push(0);
    assert_eq!(open_bytes(&folder, &vault, &bytes).unwrap_err(), Error::Damaged(Part::End));
    // With a length that was forged to fit, the pieces no longer do.
    assert_eq!(open_bytes(&folder, &vault, &forge(bytes)).unwrap_err(), Error::Damaged(Part::List));
}

#[test]
fn swapped_removed_doubled_and_foreign_records_are_noticed() {
    let (folder, vault, good) = two_records();
    let ranges = records(&good);
    let [first, second] = [&good[ranges[0].clone()], &good[ranges[1].clone()]];
    let tag = &good[good.len() - 32..];
    let with = |records: &[&[u8]]| {
        let mut bytes = good[..94].to_vec();
        bytes.extend_from_slice(&u32::try_from(records.len()).unwrap().to_be_bytes());
        records.iter().for_each(|record| bytes.extend_from_slice(record));
        bytes.extend_from_slice(tag);
        forge(bytes)
    };
    assert!(open_bytes(&folder, &vault, &with(&[first, second])).is_ok());
    for (situation, records) in [
        ("swapped", &[second, first][..]),
        ("removed", &[first]),
        ("all removed", &[]),
        ("doubled", &[first, second, second]),
    ] {
        let error = open_bytes(&folder, &vault, &with(records)).unwrap_err();
        assert_eq!(error, Error::Damaged(Part::List), "{situation}");
    }
    // The sealed part of one record under the id of another.
    let mut mixed = first[..20].to_vec();
    mixed.extend_from_slice(&second[20..]);
    let error = open_bytes(&folder, &vault, &with(&[first, &mixed])).unwrap_err();
    assert_eq!(error, Error::Damaged(Part::Record(2)));
}

#[test]
fn a_record_of_an_older_state_cannot_be_brought_back() {
    let (folder, vault, old) = two_records();
    let removed = old[records(&old)[0].clone()].to_vec();
    add(&vault, "one.example", b"1");
    let new = fs::read(folder.path().join("vault")).unwrap();
    assert_eq!(rp_ids(&vault), ["two.example", "one.example"]);
    let mut forged = new[..94].to_vec();
    forged.extend_from_slice(&3u32.to_be_bytes());
    forged.extend_from_slice(&removed);
    forged.extend_from_slice(&new[98..]);
    let error = open_bytes(&folder, &vault, &forge(forged)).unwrap_err();
    assert_eq!(error, Error::Damaged(Part::List));
}

#[test]
fn an_older_copy_is_named_and_opens_only_with_a_word_from_the_person() {
    let (folder, vault, old) = two_records();
    add(&vault, "three.example", b"3");
    assert_eq!(open_bytes(&folder, &vault, &old).unwrap_err(), Error::RolledBack);
    let accepting = vault.clone().accept_rollback(true);
    assert_eq!(rp_ids(&accepting), ["one.example", "two.example"]);
    // The word holds: from now on this is the present.
    assert_eq!(rp_ids(&vault), ["one.example", "two.example"]);
}

#[test]
fn without_an_anchor_an_older_copy_opens() {
    let (folder, vault, old) = two_records();
    add(&vault, "three.example", b"3");
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    assert!(open_bytes(&folder, &vault, &old).is_ok());
}

#[test]
fn an_anchor_that_a_killed_writer_left_behind_catches_up() {
    let (folder, vault, _) = two_records();
    let state = fs::read_dir(folder.path().join("state")).unwrap().next().unwrap().unwrap().path();
    fs::write(&state, "1\n").unwrap();
    assert_eq!(rp_ids(&vault).len(), 2);
    assert_eq!(fs::read_to_string(&state).unwrap(), "3\n");
}

#[test]
fn a_header_from_nowhere_cannot_demand_gigabytes() {
    let (folder, vault, good) = two_records();
    for (offset, value) in
        [(42, u32::MAX), (42, 256 * 1024 + 1), (46, u32::MAX), (46, 17), (50, 5), (42, 0), (46, 0), (50, 0)]
    {
        let mut bad = good.clone();
        bad[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
        let error = open_bytes(&folder, &vault, &forge(bad)).unwrap_err();
        assert_eq!(error, Error::KdfOutOfRange, "{offset} {value}");
    }
}

#[test]
fn a_count_from_nowhere_cannot_demand_gigabytes() {
    let (folder, vault, mut bad) = two_records();
    bad[94..98].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(open_bytes(&folder, &vault, &bad).unwrap_err(), Error::Damaged(Part::List));
    let start = records(&bad)[0].start + 16;
    bad[94..98].copy_from_slice(&2u32.to_be_bytes());
    bad[start..start + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(open_bytes(&folder, &vault, &bad).unwrap_err(), Error::Damaged(Part::List));
}

#[test]
fn a_second_passkey_of_an_account_takes_the_place_of_the_first() {
    let (_folder, vault, _) = two_records();
    add(&vault, "one.example", b"1");
    add(&vault, "one.example", b"another");
    assert_eq!(rp_ids(&vault), ["two.example", "one.example", "one.example"]);
    let mut plain = passkey("two.example", b"2");
    plain.discoverable = false;
    vault.unlock(&passphrase("right")).unwrap().add(plain, &mut OsRng).unwrap();
    assert_eq!(rp_ids(&vault).len(), 4);
}

#[test]
fn two_who_opened_the_same_state_both_keep_what_they_wrote() {
    let (_folder, vault, _) = two_records();
    let mut first = vault.unlock(&passphrase("right")).unwrap();
    let mut second = vault.unlock(&passphrase("right")).unwrap();
    first.add(passkey("three.example", b"3"), &mut OsRng).unwrap();
    second.add(passkey("four.example", b"4"), &mut OsRng).unwrap();
    first.add(passkey("five.example", b"5"), &mut OsRng).unwrap();
    assert_eq!(
        rp_ids(&vault),
        ["one.example", "two.example", "three.example", "four.example", "five.example"]
    );
    assert_eq!(first.generation(), 6);
}

#[test]
fn a_vault_that_another_program_holds_is_in_use() {
    let (folder, vault, before) = two_records();
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    let lock = fs::File::open(folder.path().join("vault.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(unlocked.add(passkey("three.example", b"3"), &mut OsRng), Err(Error::InUse));
    assert_eq!(fs::read(folder.path().join("vault")).unwrap(), before);
    drop(lock);
    assert_eq!(unlocked.add(passkey("three.example", b"3"), &mut OsRng), Ok(()));
}

#[test]
fn a_change_is_withdrawn_while_it_waits_or_not_at_all() {
    let (folder, vault, before) = two_records();
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    let lock = fs::File::open(folder.path().join("vault.lock")).unwrap();
    lock.lock().unwrap();
    let withdrawal = Withdrawal::default();
    unlocked.heed(withdrawal.clone());
    let began = Instant::now();
    let waiting = std::thread::spawn(move || {
        let added = unlocked.add(passkey("three.example", b"3"), &mut OsRng);
        (added, began.elapsed(), unlocked)
    });
    std::thread::sleep(Duration::from_millis(100));
    withdrawal.withdraw();
    let (added, waited, mut unlocked) = waiting.join().unwrap();
    assert_eq!(added, Err(Error::Withdrawn));
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    drop(lock);
    // Nobody is in the way any more, and it is still not wanted.
    assert_eq!(unlocked.add(passkey("three.example", b"3"), &mut OsRng), Err(Error::Withdrawn));
    assert_eq!(fs::read(folder.path().join("vault")).unwrap(), before);
    // What is written stays, and what belongs to it is written, too.
    let withdrawal = Withdrawal::default();
    unlocked.heed(withdrawal.clone());
    assert_eq!(unlocked.add(passkey("three.example", b"3"), &mut OsRng), Ok(()));
    withdrawal.withdraw();
    assert_eq!(unlocked.add(passkey("four.example", b"4"), &mut OsRng), Ok(()));
}

#[test]
fn a_vault_that_was_exchanged_while_open_is_not_overwritten() {
    let (folder, vault, _) = two_records();
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    fs::remove_file(folder.path().join("vault")).unwrap();
    create(&vault);
    let before = fs::read(folder.path().join("vault")).unwrap();
    assert_eq!(unlocked.add(passkey("three.example", b"3"), &mut OsRng), Err(Error::Replaced));
    assert_eq!(fs::read(folder.path().join("vault")).unwrap(), before);
}

/// A disk that takes the new vault and then does not say so.
#[derive(Debug, Default)]
struct Unsure(memory::MemoryMedium);

struct UnsureWriting<'a>(Box<dyn Exclusive + 'a>);

impl Medium for Unsure {
    fn read(&self) -> Result<Vec<u8>, Error> {
        self.0.read()
    }

    fn lock(&self, withdrawal: &Withdrawal) -> Result<Box<dyn Exclusive + '_>, Error> {
        Ok(Box::new(UnsureWriting(self.0.lock(withdrawal)?)))
    }

    fn anchor(&self, vault: &VaultId) -> Option<u64> {
        self.0.anchor(vault)
    }
}

impl Exclusive for UnsureWriting<'_> {
    fn exists(&self) -> bool {
        self.0.exists()
    }

    fn replace(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.replace(bytes).and(Err(Error::Unconfirmed))
    }

    fn set_anchor(&mut self, vault: &VaultId, generation: u64) {
        self.0.set_anchor(vault, generation);
    }
}

#[test]
fn a_write_that_the_disk_did_not_confirm_is_told_and_is_the_present_state() {
    let medium = Arc::new(Unsure::default());
    let vault = Vault::on(medium.clone());
    let made = vault.create(&passphrase("right"), Kdf::DANGER_WEAK, &mut OsRng);
    assert_eq!(made, Err(Error::Unconfirmed));
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    let id = unlocked.header.id;
    assert_eq!(medium.anchor(&id), Some(1), "opening brings the anchor up to date");
    assert_eq!(unlocked.add(passkey("one.example", b"1"), &mut OsRng), Err(Error::Unconfirmed));
    assert_eq!((unlocked.generation(), unlocked.passkeys().count()), (2, 1));
    // A power cut may bring the old vault back, and that is no rollback.
    assert_eq!(medium.anchor(&id), Some(1));
    assert_eq!(unlocked.add(passkey("two.example", b"2"), &mut OsRng), Err(Error::Unconfirmed));
    assert_eq!(rp_ids(&vault), ["one.example", "two.example"]);
}

#[test]
fn what_a_killed_write_left_behind_is_ignored_and_goes_with_the_next() {
    let (folder, vault, _) = two_records();
    let leftover = folder.path().join(".vault.new");
    fs::write(&leftover, b"half a vault").unwrap();
    assert_eq!(rp_ids(&vault).len(), 2);
    add(&vault, "three.example", b"3");
    assert!(!leftover.exists());
    assert_eq!(rp_ids(&vault).len(), 3);
}

#[cfg(unix)]
#[test]
fn the_vault_is_for_its_owner_alone_and_a_link_to_it_stays_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _, _) = two_records();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("vault"), &link).unwrap();
    let vault = Vault::in_file(link.clone(), Some(folder.path().join("state")));
    add(&vault, "three.example", b"3");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let mode = fs::metadata(folder.path().join("vault")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(rp_ids(&in_folder(folder.path())).len(), 3);
}

#[test]
fn a_source_of_randomness_that_fails_makes_no_vault_and_no_record() {
    let vault = Vault::in_memory();
    let made = vault.create(&passphrase("right"), Kdf::DANGER_WEAK, &mut NoRandomness);
    assert_eq!((made, vault.inspect()), (Err(Error::NoRandomness), Err(Error::NotFound)));
    create(&vault);
    let mut unlocked = vault.unlock(&passphrase("right")).unwrap();
    assert_eq!(unlocked.add(passkey("one.example", b"1"), &mut NoRandomness), Err(Error::NoRandomness));
    assert_eq!((unlocked.generation(), rp_ids(&vault).len()), (1, 0));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = format::read(&tail);
        let mut bytes = b"CABLECAR\0\x01".to_vec();
        bytes.extend_from_slice(&tail);
        let _ = format::read(&bytes);
        if bytes.len() >= 98 {
            let _ = format::read(&forge(bytes));
        }
        let _ = record::Fields::of(&tail).and_then(|fields| Passkey::from_record(&fields));
        let _ = State::from_record(&tail);
    }
}

#[test]
fn no_secret_prints_itself() {
    let vault = Vault::in_memory();
    create(&vault);
    let stored = passkey("one.example", b"1");
    assert_eq!(
        format!("{:?} {:?} {:?}", stored.key, stored.prf, stored.id),
        "PrivateKey(..) PrfSecrets(..) CredentialId(..)"
    );
    let text = format!("{:?}", vault.unlock(&passphrase("right")).unwrap());
    assert!(text.contains("Keys(..)"), "{text}");
}
